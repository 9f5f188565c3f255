//! Tables that read the same in a terminal and in a document.

use crate::{
    output::{cells, plain},
    report::format::amount,
};
use breakwater_sim::bench::cost::Cost;
use comfy_table::{
    presets::{ASCII_MARKDOWN, UTF8_FULL_CONDENSED},
    Table,
};

/// How a sheet is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// For a terminal.
    Terminal,
    /// For a document.
    Markdown,
}

/// One table with a heading, and what has to be known to read it.
pub(super) struct Sheet {
    pub(super) heading: String,
    pub(super) columns: Vec<&'static str>,
    /// So many columns on the left are words.
    pub(super) words: usize,
    pub(super) rows: Vec<Vec<String>>,
    pub(super) note: String,
}

impl Sheet {
    /// The sheet as text.
    pub(super) fn render(&self, form: Form) -> String {
        let mut table = Table::new();
        table.load_style(match form {
            Form::Terminal => UTF8_FULL_CONDENSED,
            Form::Markdown => ASCII_MARKDOWN,
        });
        let columns = self.columns.iter().map(|column| (*column).to_owned());
        table.set_header(cells(self.words, columns));
        for row in &self.rows {
            table.add_row(cells(self.words, row.iter().cloned()));
        }
        let (heading, note) = (&self.heading, plain(&self.note));
        match form {
            Form::Terminal if note.is_empty() => format!("\n{heading}\n{table}\n"),
            Form::Terminal => format!("\n{heading}\n{table}\n{note}\n"),
            Form::Markdown if note.is_empty() => format!("\n### {heading}\n\n{table}\n"),
            Form::Markdown => format!("\n### {heading}\n\n{table}\n\n{note}\n"),
        }
    }
}

/// Time in 10⁹ ps, which are milliseconds of the reference machine.
pub(super) fn time(cost: Cost) -> String {
    amount(cost.ref_time.into(), 9, 3)
}

/// Proof in kB.
pub(super) fn proof(cost: Cost) -> String {
    amount(cost.proof_size.into(), 3, 1)
}

/// Both dimensions of weight in one cell.
pub(super) fn weight(cost: Cost) -> String {
    format!("{} / {}", time(cost), proof(cost))
}

/// Storage deposit in whole native tokens of the development node, to the nearest thousandth.
pub(super) fn deposit(cost: Cost) -> String {
    let thousandths = (cost.deposit.unsigned_abs() + 500_000_000) / 1_000_000_000;
    let sign = if cost.deposit < 0 && thousandths > 0 {
        "-"
    } else {
        ""
    };
    format!("{sign}{}.{:03}", thousandths / 1_000, thousandths % 1_000)
}

/// Whether a target is met.
pub(super) fn mark(passes: bool) -> String {
    if passes { "pass" } else { "MISS" }.to_owned()
}

/// A yes or no that is no target.
pub(super) fn yes(holds: bool) -> String {
    if holds { "yes" } else { "no" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deposits_are_rounded_and_nothing_has_no_sign() {
        let shown = |amount| {
            deposit(Cost {
                deposit: amount,
                ..Cost::default()
            })
        };
        for (amount, text) in [
            (100_325_000_000, "0.100"),
            (-2_001_600_000_000, "-2.002"),
            (-499_999_999, "0.000"),
            (0, "0.000"),
        ] {
            assert_eq!(shown(amount), text);
        }
    }

    #[test]
    fn both_forms_show_the_same_cells() {
        let sheet = Sheet {
            heading: "Costs".to_owned(),
            columns: vec!["what", "much"],
            words: 1,
            rows: vec![vec!["a bid".to_owned(), "1.4".to_owned()]],
            note: "A note.".to_owned(),
        };
        let markdown = sheet.render(Form::Markdown);
        assert!(markdown.contains("### Costs\n\n| what"), "{markdown}");
        assert!(markdown.contains("| a bid |"), "{markdown}");
        let terminal = sheet.render(Form::Terminal);
        for text in ["Costs", "a bid", "1.4", "A note."] {
            assert!(terminal.contains(text) && markdown.contains(text), "{text}");
        }
    }
}
