//! The outcome of a run as text for a terminal.

use crate::{
    output::{cells, plain},
    report::{
        format::{amount, count, counted, percent, share_bps, signed_percent, THIN},
        words::Words,
    },
    verdict::fault,
};
use breakwater_sim::outcome::{BatchOutcome, DemoOutcome, Gas};
use comfy_table::{presets::UTF8_FULL_CONDENSED, Table};
use std::{cmp::Reverse, fmt::Write, path::Path};

/// So many batches are shown; the others are only in the totals.
const SHOWN: usize = 8;

/// Stands where there is no number.
const NONE: &str = "-";

/// A summary for people: the batches, what they cost, and what became of the market.
/// `report` is where the HTML report was written, if it was.
pub(crate) fn summary(outcome: &DemoOutcome, report: Option<&Path>) -> String {
    let words = Words::new(outcome);
    let batches = largest(&outcome.batches);
    let mut text = format!("{}\n{}\n", words.headline(), prices(outcome, &words));
    if !batches.is_empty() {
        let heading = if batches.len() < outcome.batches.len() {
            format!(
                "The {} largest of {}, and the totals over all",
                batches.len(),
                counted(outcome.totals.batches, "batch", "batches")
            )
        } else {
            "Batches".to_owned()
        };
        text.push_str(&format!(
            "\n{heading}\n{}\n\nCost on chain (ms of ref_time, kB of proof size){}\n{}\n",
            sales(outcome, &batches, &words),
            block_limit(outcome.costs.block_limit),
            costs(outcome, &batches),
        ));
    }
    text.push('\n');
    for (name, value) in totals(outcome, &words, report) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name:<14}{value}");
    }
    plain(&text)
}

/// The batches to show, in the order of opening.
fn largest(batches: &[BatchOutcome]) -> Vec<&BatchOutcome> {
    let mut chosen: Vec<&BatchOutcome> = batches.iter().collect();
    chosen.sort_by_key(|batch| Reverse(batch.collateral_offered));
    chosen.truncate(SHOWN);
    chosen.sort_by_key(|batch| batch.number);
    chosen
}

/// Where the prices came from.
fn prices(outcome: &DemoOutcome, words: &Words<'_>) -> String {
    let source = &outcome.source;
    format!(
        "{}, {}: {} of {}, seed {}",
        source.name,
        words.span(),
        counted(source.candles, "candle", "candles"),
        duration(source.interval_seconds),
        outcome.seed,
    )
}

/// A time span in the largest unit that gives a whole number.
fn duration(seconds: u64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "min")];
    let fitting = units
        .into_iter()
        .find(|(length, _)| seconds >= *length && seconds.is_multiple_of(*length));
    let (length, unit) = fitting.unwrap_or((1, "s"));
    format!("{}{THIN}{unit}", count(seconds / length))
}

/// What a block holds, after a heading; nothing if it is not known.
fn block_limit(limit: Gas) -> String {
    // A chain that produces its own blocks proves nothing to anybody: its limit is a share of the
    // largest number, and as a number of kilobytes it would only puzzle.
    let limits_proofs = limit.proof_size < u64::MAX / 4;
    match (limit == Gas::default(), limits_proofs) {
        (true, _) => String::new(),
        (false, true) => format!(
            "; a block holds {} ms and {} kB",
            milliseconds(limit),
            kilobytes(limit)
        ),
        (false, false) => format!(
            "; a block holds {} ms and any proof size",
            milliseconds(limit)
        ),
    }
}

/// What every batch sold, for how much, and who paid.
fn sales(outcome: &DemoOutcome, batches: &[&BatchOutcome], words: &Words<'_>) -> Table {
    let (collateral, quote) = (
        &outcome.market.collateral_symbol,
        &outcome.market.quote_symbol,
    );
    let mut table = grid(vec![
        "Batch".to_owned(),
        "Positions".to_owned(),
        "Cohorts".to_owned(),
        format!("Sold\n{collateral}"),
        format!("Price\n{quote}"),
        "Against\noracle".to_owned(),
        format!("Raised\n{quote}"),
        format!("Penalty\n{quote}"),
        format!("Bad debt\n{quote}"),
    ]);
    let decimals = outcome.market.collateral_decimals;
    for batch in batches {
        let clearing = batch.clearing.as_ref();
        table.add_row(cells(
            0,
            [
                count(batch.number),
                count(batch.positions),
                count(batch.cohorts),
                amount(batch.collateral_sold(), decimals, 2),
                clearing.map_or_else(|| "no buyer".to_owned(), |sale| words.price(sale.price)),
                clearing.map_or_else(
                    || NONE.to_owned(),
                    |sale| signed_percent(sale.distance_to_oracle_bps.into()),
                ),
                words.quote_number(batch.raised()),
                words.quote_number(batch.penalty),
                words.quote_number(batch.bad_debt),
            ],
        ));
    }
    let totals = &outcome.totals;
    let average = words.price_paid(totals.raised, totals.collateral_sold);
    let cohorts = outcome.batches.iter().map(|batch| batch.cohorts);
    table.add_row(cells(
        0,
        [
            "all".to_owned(),
            count(totals.positions),
            count(cohorts.fold(0, u64::saturating_add)),
            amount(totals.collateral_sold, decimals, 2),
            average.map_or_else(|| NONE.to_owned(), |price| words.price(price)),
            words
                .average_distance()
                .map_or_else(|| NONE.to_owned(), signed_percent),
            words.quote_number(totals.raised),
            words.quote_number(totals.penalty),
            words.quote_number(totals.bad_debt),
        ],
    ));
    table
}

/// What every batch cost to keep going, message by message.
fn costs(outcome: &DemoOutcome, batches: &[&BatchOutcome]) -> Table {
    let steps = ["Open", "Clear", "Settle", "Rest", "Total"];
    let mut header = vec!["Batch".to_owned()];
    for step in steps {
        header.push(format!("{step}\nms"));
        header.push("\nkB".to_owned());
    }
    let mut table = grid(header);
    let row = |name: String, costs: [Gas; 5]| {
        let pairs = costs
            .into_iter()
            .flat_map(|gas| [milliseconds(gas), kilobytes(gas)]);
        cells(0, [name].into_iter().chain(pairs))
    };
    let parts = |batch: &BatchOutcome| {
        let cost = &batch.cost;
        [cost.open, cost.clear, cost.settle, cost.rest, cost.batch()]
    };
    for batch in batches {
        table.add_row(row(count(batch.number), parts(batch)));
    }
    let all = outcome
        .batches
        .iter()
        .map(parts)
        .fold([Gas::default(); 5], |mut sums, costs| {
            for (sum, cost) in sums.iter_mut().zip(costs) {
                *sum = *sum + cost;
            }
            sums
        });
    table.add_row(row("all".to_owned(), all));
    table
}

/// What became of the market, name by name.
fn totals(
    outcome: &DemoOutcome,
    words: &Words<'_>,
    report: Option<&Path>,
) -> Vec<(&'static str, String)> {
    let positions = &outcome.positions;
    let mut lines = vec![(
        "Positions",
        format!(
            "{} opened, {} liquidated (of these {} sold out), {} in debt at the end",
            count(positions.opened),
            count(positions.liquidated),
            count(positions.sold_out),
            count(positions.open_at_end),
        ),
    )];
    lines.extend(yardstick(outcome).map(|line| ("Yardstick", line)));
    lines.push(("Lenders", lenders(outcome, words)));
    lines.push((
        "Conservation",
        fault(outcome).unwrap_or_else(|| {
            format!(
                "holds: every token is accounted for ({})",
                counted(outcome.conservation.checks, "check", "checks")
            )
        }),
    ));
    lines.extend(report.map(|path| ("Report", path.display().to_string())));
    lines
}

fn lenders(outcome: &DemoOutcome, words: &Words<'_>) -> String {
    let lenders = &outcome.lenders;
    let lost = if lenders.loss == 0 {
        "lost nothing".to_owned()
    } else {
        let share = share_bps(lenders.loss, lenders.supplied);
        format!(
            "lost {} ({} of their supply)",
            words.quote(lenders.loss),
            percent(share.into())
        )
    };
    let insurance = match outcome.totals.insurance_used {
        0 => String::new(),
        used => format!("; insurance paid {}", words.quote(used)),
    };
    format!(
        "{lost}: supplied {}, worth {} at the end{insurance}",
        words.quote(lenders.supplied),
        words.quote(lenders.value_at_end),
    )
}

/// The largest batch against a known cost.
fn yardstick(outcome: &DemoOutcome) -> Option<String> {
    let baseline = outcome.costs.baseline.as_ref()?;
    let batch = outcome.largest_batch()?;
    let cost = batch.cost.batch();
    Some(format!(
        "batch {} ({}) took {} the ref_time and {} the proof size of {}",
        count(batch.number),
        counted(batch.positions, "position", "positions"),
        times(cost.ref_time, baseline.gas.ref_time)?,
        times(cost.proof_size, baseline.gas.proof_size)?,
        baseline.name,
    ))
}

/// How many times `base` goes into `value`: `0.6 times`.
fn times(value: u64, base: u64) -> Option<String> {
    let hundredths = (u128::from(value) * 100).checked_div(base.into())?;
    Some(format!("{} times", amount(hundredths, 2, 1)))
}

fn milliseconds(gas: Gas) -> String {
    amount(gas.ref_time.into(), 9, 2)
}

fn kilobytes(gas: Gas) -> String {
    amount(gas.proof_size.into(), 3, 1)
}

fn grid(header: Vec<String>) -> Table {
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_header(cells(0, header));
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;
    use breakwater_sim::outcome::Violation;

    fn line<'a>(text: &'a str, start: &str) -> &'a str {
        text.lines()
            .find(|line| line.starts_with(start))
            .unwrap_or_default()
    }

    #[test]
    fn the_largest_batches_and_all_totals_are_shown() {
        let outcome = sample::outcome();
        let text = summary(&outcome, Some(Path::new("out/report.html")));
        assert!(text.contains("The 8 largest of 9 batches, and the totals over all"));
        // Every shown batch and the totals, in both tables; the smallest batch is left out.
        let rows = text.lines().filter(|line| line.starts_with('│')).count();
        assert_eq!(rows, 2 * (2 + SHOWN + 1));
        assert!(!text.contains("│     1 ┆"));
        assert!(text.contains("1,284"));
        assert!(text.contains("no buyer"));
        assert_eq!(line(&text, "Report"), "Report        out/report.html");
        assert!(line(&text, "Conservation").contains("holds"));
        assert!(line(&text, "Yardstick").contains("0.6 times the ref_time"));
        assert!(!text.contains([THIN, '\u{2212}']));
    }

    #[test]
    fn an_empty_outcome_has_no_tables() {
        let text = summary(&DemoOutcome::default(), None);
        assert!(!text.contains('│'));
        assert_eq!(line(&text, "Report"), "");
        assert!(line(&text, "Conservation").contains("NOT SHOWN"));
    }

    #[test]
    fn faults_are_loud() {
        let mut outcome = sample::outcome();
        outcome.positions.healthy_but_liquidated = 2;
        let text = summary(&outcome, None);
        assert!(line(&text, "Conservation").contains("HEALTHY POSITIONS LIQUIDATED: 2 positions"));

        outcome.conservation.holds = false;
        outcome.conservation.violations.push(Violation {
            block: 77,
            rule: "all quote is there".to_owned(),
            detail: "3 missing".to_owned(),
        });
        let text = summary(&outcome, None);
        let verdict = line(&text, "Conservation");
        assert!(verdict.contains("CONSERVATION VIOLATED"), "{verdict}");
        assert!(
            verdict.contains("1 violation in 15,204 checks"),
            "{verdict}"
        );
        assert!(verdict.ends_with("block 77: all quote is there: 3 missing"));
    }

    #[test]
    fn block_limits_and_time_spans_read_naturally() {
        let limit = |proof_size| {
            plain(&block_limit(Gas {
                ref_time: 1_500_000_000_000,
                proof_size,
            }))
        };
        assert_eq!(
            limit(5_242_880),
            "; a block holds 1,500.00 ms and 5,242.9 kB"
        );
        assert!(limit(u64::MAX / 4 * 3).ends_with("ms and any proof size"));
        assert_eq!(block_limit(Gas::default()), "");
        for (seconds, text) in [
            (600, "10 min"),
            (90, "90 s"),
            (7_200, "2 h"),
            (86_400, "1 d"),
            (0, "0 s"),
        ] {
            assert_eq!(plain(&duration(seconds)), text);
        }
    }
}
