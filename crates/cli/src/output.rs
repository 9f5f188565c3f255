//! Writing for terminals, without ever falling over a reader that has gone.

use crate::{failure::Failure, report::format::THIN};
use comfy_table::{Cell, CellAlignment};
use serde::Serialize;
use std::io::{self, ErrorKind, Write};

/// Writes `text` to stdout. A reader that has seen enough and closed the pipe is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    tolerate_closed_pipe(written).map_err(Failure::Stdout)
}

/// Writes a value to stdout as JSON.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let mut json = serde_json::to_string_pretty(value).map_err(Failure::Json)?;
    json.push('\n');
    print(&json)
}

/// Success if all that went wrong is that nobody reads any more.
pub(crate) fn tolerate_closed_pipe(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Writes `text` to stderr as exactly one line. If stderr takes nothing there is nobody to tell.
pub(crate) fn complain(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = writeln!(stderr, "{}", one_line(text)).and_then(|()| stderr.flush());
}

/// `text` without line breaks and other control characters, which may come in with file names.
fn one_line(text: &str) -> String {
    text.trim()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// Typography of the HTML report in what every terminal shows: thousands are grouped by commas.
pub(crate) fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        shown.push(match c {
            THIN => {
                let is_digit = |c: &char| c.is_ascii_digit();
                let between_digits = shown.chars().next_back().as_ref().is_some_and(is_digit)
                    && rest.peek().is_some_and(is_digit);
                if between_digits {
                    ','
                } else {
                    ' '
                }
            }
            '\u{2212}' => '-',
            other => other,
        });
    }
    shown
}

/// Cells of a table's row: words on the left in so many columns, and numbers under each other's last
/// digit in the others. The typography is made plain before the widths of the columns are measured.
pub(crate) fn cells(words: usize, texts: impl IntoIterator<Item = String>) -> Vec<Cell> {
    let aligned = texts.into_iter().enumerate().map(|(column, text)| {
        let side = match column < words {
            true => CellAlignment::Left,
            false => CellAlignment::Right,
        };
        Cell::new(plain(&text)).set_alignment(side)
    });
    aligned.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_one_line() {
        assert_eq!(one_line("a\nb\u{1b}[1m\tc\r\n"), "a b [1m c");
    }

    #[test]
    fn only_a_closed_pipe_is_tolerated() {
        assert!(tolerate_closed_pipe(Err(ErrorKind::BrokenPipe.into())).is_ok());
        assert!(tolerate_closed_pipe(Err(ErrorKind::StorageFull.into())).is_err());
    }

    #[test]
    fn typography_becomes_plain() {
        let text = format!("\u{2212}1{THIN}234{THIN}%{THIN}5");
        assert_eq!(plain(&text), "-1,234 % 5");
    }
}
