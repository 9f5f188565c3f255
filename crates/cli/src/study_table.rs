//! What a study found, as text for a terminal.

use crate::{
    output::{cells, plain},
    report::format::{count, counted},
};
use breakwater_economics::{
    statistics::Estimate,
    study::{Check, Comparison, Discovery, Expected, Shading, Study, Unit},
};
use comfy_table::{presets::UTF8_FULL_CONDENSED, Table};
use std::{fmt::Write, path::Path};

/// All tables. `report` is where the HTML report was written, if it was.
pub(crate) fn summary(found: &Study, report: Option<&Path>) -> String {
    let mut text = format!(
        "{}\nseed {}, {} per experiment; every ± is half a 95 % interval\n\n{}\n",
        headline(found),
        found.seed,
        counted(found.runs, "price path", "price paths"),
        checks(&found.checks),
    );
    if !found.discovery.is_empty() {
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "\nDistance of the price from the fair one, bp; each bidder can pay for all\n{}\n",
            discovery(&found.discovery)
        );
    }
    if !found.shading.is_empty() {
        let _ = write!(
            text,
            "\nGain of one bidder by pretending that collateral is worth less, or by waiting, \
             bp of T\n{}\n",
            shading(&found.shading)
        );
    }
    for comparison in &found.comparisons {
        let _ = write!(
            text,
            "\n{}: {}\n{}\n",
            comparison.scenario,
            extent(comparison),
            mechanisms(comparison)
        );
    }
    if let Some(report) = report {
        let _ = write!(text, "\nReport  {}\n", report.display());
    }
    plain(&text)
}

/// Whether everything is as expected.
pub(crate) fn headline(found: &Study) -> String {
    let all = count(found.checks.len() as u64);
    match found.checks.iter().filter(|check| !check.passed).count() {
        0 => format!("All expectations hold: {all} of {all}."),
        failed => format!(
            "Expectations that do NOT hold: {} of {all}.",
            count(failed as u64)
        ),
    }
}

/// What is not as expected, in one line, or `None`.
pub(crate) fn fault(found: &Study) -> Option<String> {
    let first = found.checks.iter().find(|check| !check.passed)?;
    Some(plain(&format!(
        "{} The first: {}: {}: expected {}, measured {}",
        headline(found),
        first.group,
        first.name,
        expected(&first.expected),
        estimate(&first.measured),
    )))
}

/// What a comparison consists of.
pub(crate) fn extent(comparison: &Comparison) -> String {
    format!(
        "{}, {} on {}",
        counted(comparison.bidders, "bidder", "bidders"),
        counted(comparison.sales, "sale", "sales"),
        counted(comparison.paths, "path", "paths"),
    )
}

/// What is expected, as text.
pub(crate) fn expected(expected: &Expected) -> String {
    match *expected {
        Expected::About { value, tolerance } => {
            format!("{} ± {}", number(value), number(tolerance))
        }
        Expected::AtMost(most) => format!("≤ {}", number(most)),
        Expected::Under(most) => format!("< {}", number(most)),
        Expected::Exactly(value) => number(value),
    }
}

/// A mean with half its interval, both to the second figure of the latter.
pub(crate) fn estimate(found: &Estimate) -> String {
    if found.half_width < SMALLEST {
        return number(found.mean);
    }
    let places = (1.0 - found.half_width.log10().floor()).clamp(0.0, 5.0) as usize;
    format!("{:.places$} ± {:.places$}", found.mean, found.half_width)
}

/// What is closer to zero is shown as zero.
const SMALLEST: f64 = 5e-6;

/// A number with about three figures, and never a zero with a sign.
pub(crate) fn number(value: f64) -> String {
    let places = match value.abs() {
        size if size < SMALLEST => return "0".to_owned(),
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 0.095 => 2,
        _ => 5,
    };
    let text = format!("{value:.places$}");
    if text.contains('.') {
        let text = text.trim_end_matches('0').trim_end_matches('.');
        return text.to_owned();
    }
    text
}

/// The unit of a number, as a word or two.
pub(crate) fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::BpOfFair => "bp of fair",
        Unit::BpOfTarget => "bp of T",
        Unit::BpOfDebt => "bp of debt",
        Unit::Bytes => "bytes",
        Unit::Cases => "cases",
    }
}

fn checks(all: &[Check]) -> Table {
    let mut table = grid(["Expectation", "Expected", "Measured", "Unit", "Holds"]);
    let mut group = "";
    for check in all {
        if check.group != group {
            group = &check.group;
            table.add_row(cells(1, [group, "", "", "", ""].map(str::to_owned)));
        }
        table.add_row(cells(
            1,
            [
                format!("  {}", check.name),
                expected(&check.expected),
                estimate(&check.measured),
                unit(check.unit).to_owned(),
                if check.passed { "yes" } else { "NO" }.to_owned(),
            ],
        ));
    }
    table
}

fn discovery(rows: &[Discovery]) -> Table {
    let mut table = grid(["Bidders", "This auction", "Fixed 5 % bonus"]);
    for row in rows {
        table.add_row(cells(
            1,
            [
                count(row.bidders),
                estimate(&row.batch_bps),
                estimate(&row.bonus_bps),
            ],
        ));
    }
    table
}

fn shading(rows: &[Shading]) -> Table {
    let names = rows.first().map_or(&[][..], |row| &row.gains_bps[..]);
    let mut table = table_of(
        ["Instead of the truth", "Bidders", "Money"]
            .map(str::to_owned)
            .into_iter()
            .chain(names.iter().map(|(name, _)| name.clone())),
    );
    for row in rows {
        let gains = row.gains_bps.iter().map(|(_, gain)| estimate(gain));
        let crowd = [row.strategy.clone(), count(row.bidders), number(row.money)];
        table.add_row(cells(1, crowd.into_iter().chain(gains)));
    }
    table
}

fn mechanisms(comparison: &Comparison) -> Table {
    let mut table = grid([
        "Mechanism",
        "Loss to owners, bp",
        "Time, s",
        "Unfilled, bp",
        "Bad debt, bp",
    ]);
    for row in &comparison.mechanisms {
        table.add_row(cells(
            1,
            [
                row.name.clone(),
                estimate(&row.loss_bps),
                estimate(&row.seconds),
                estimate(&row.unfilled_bps),
                estimate(&row.bad_debt_bps),
            ],
        ));
    }
    table
}

fn grid<const N: usize>(header: [&str; N]) -> Table {
    table_of(header.map(str::to_owned))
}

fn table_of(header: impl IntoIterator<Item = String>) -> Table {
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_header(cells(1, header));
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(measured: f64) -> Study {
        let measured = Estimate {
            mean: measured,
            half_width: 0.25,
            observations: 100,
        };
        let check = Check::new(
            "A group",
            "a name",
            Unit::BpOfFair,
            Expected::Under(60.0),
            measured,
        );
        Study {
            schema: 1,
            seed: 1,
            runs: 1_000,
            volatility: 0.05,
            checks: vec![check],
            comparisons: Vec::new(),
            shading: Vec::new(),
            discovery: Vec::new(),
        }
    }

    #[test]
    fn numbers_have_the_figures_that_matter() {
        for (value, text) in [
            (0.0, "0"),
            (-1e-9, "0"),
            (-0.000_72, "-0.00072"),
            (0.25, "0.25"),
            (4.51, "4.51"),
            (-7.0, "-7"),
            (45.207, "45.2"),
            (999.9, "1000"),
            (7_194.2, "7194"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn what_does_not_hold_is_said_first_and_named() {
        let good = found(45.2);
        assert!(summary(&good, None).starts_with("All expectations hold: 1 of 1."));
        assert_eq!(fault(&good), None);
        let bad = found(60.0);
        assert!(summary(&bad, None).starts_with("Expectations that do NOT hold: 1 of 1."));
        assert!(summary(&bad, None).contains("NO │"));
        let line = fault(&bad).unwrap_or_default();
        assert!(
            line.ends_with("A group: a name: expected < 60, measured 60.00 ± 0.25"),
            "{line}"
        );
    }
}
