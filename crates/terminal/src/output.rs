//! Writing, without ever falling over a reader that has gone.

use serde::Serialize;
use std::io::{self, ErrorKind, Write};

/// Writes `text` to stdout. A reader that has seen enough and closed the pipe is no failure.
///
/// # Errors
/// Stdout takes nothing.
pub fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    tolerate_closed_pipe(written)
}

/// Writes a value to stdout as JSON.
///
/// # Errors
/// Stdout takes nothing, or the value cannot be put into JSON.
pub fn print_json(value: &impl Serialize) -> io::Result<()> {
    let mut json = serde_json::to_string_pretty(value)?;
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
pub fn complain(text: &str) {
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
}
