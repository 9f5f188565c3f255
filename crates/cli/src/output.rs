//! Numbers and words as terminals show them.

use crate::report::format::THIN;
use comfy_table::{Cell, CellAlignment};

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
    fn typography_becomes_plain() {
        let text = format!("\u{2212}1{THIN}234{THIN}%{THIN}5");
        assert_eq!(plain(&text), "-1,234 % 5");
    }
}
