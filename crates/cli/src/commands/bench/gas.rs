//! `breakwater bench gas`: the cost of every message, and what it depends on.

use super::{
    keep_block,
    sheet::{deposit, mark, proof, time, weight, yes, Form, Sheet},
};
use crate::{failure::Failure, progress::Meter, report::format::count};
use breakwater_sim::bench::{
    self,
    cost::{ratio, ABAX},
    ticks::Layout,
    GasBench, GasOptions, Part,
};
use breakwater_terminal::{print, print_json};
use std::path::PathBuf;

/// The most positions in one batch, unless told otherwise: they take two minutes to open.
const MOST_POSITIONS: u32 = 10_000;

/// Print the cost of every message, and tables over positions, ticks and bids
///
/// Everything is measured with genuine messages on the embedded chain, where the same messages
/// always cost the same.
#[derive(Debug, clap::Args)]
pub(super) struct GasArgs {
    /// Only what takes less than a minute: up to 1,000 positions, 128 ticks, 100 bids and depositors
    #[arg(long, conflicts_with = "most_positions")]
    quick: bool,

    /// The most positions in one batch: 10, 100, 1000, 10000 or 100000 (a quarter of an hour)
    #[arg(long, value_name = "N", default_value_t = MOST_POSITIONS)]
    most_positions: u32,

    /// Only these tables: messages, positions, ticks, bids, standing, anatomy, sizes, slopes
    #[arg(long, value_name = "TABLE,..", value_delimiter = ',', value_parser = part)]
    only: Vec<Part>,

    /// Also fit what each cohort and each page adds to a batch: the same as the table `slopes`
    #[arg(long)]
    profile: bool,

    /// Print everything as JSON instead of tables
    #[arg(long, conflicts_with = "markdown")]
    json: bool,

    /// Print tables as Markdown
    #[arg(long)]
    markdown: bool,

    /// Put the tables into their marked block of this document instead of printing them
    #[arg(long, value_name = "FILE.md", conflicts_with = "json")]
    write: Option<PathBuf>,

    /// Fail if their marked block of this document does not hold these very tables
    #[arg(long, value_name = "FILE.md", conflicts_with_all = ["json", "write"])]
    check: Option<PathBuf>,

    /// Do not show progress
    #[arg(long)]
    quiet: bool,
}

impl GasArgs {
    fn options(&self) -> GasOptions {
        let mut options = if self.quick {
            GasOptions::quick()
        } else {
            GasOptions {
                most_positions: self.most_positions,
                ..GasOptions::full()
            }
        };
        if !self.only.is_empty() {
            options.parts.clone_from(&self.only);
        }
        if self.profile && !options.parts.contains(&Part::Slopes) {
            options.parts.push(Part::Slopes);
        }
        options
    }

    /// The command that measures the same.
    fn command(&self) -> String {
        let mut command = "breakwater bench gas".to_owned();
        if self.quick {
            command.push_str(" --quick");
        }
        if !self.only.is_empty() {
            let names: Vec<_> = self.only.iter().map(|part| part.name()).collect();
            command.push_str(&format!(" --only {}", names.join(",")));
        }
        if !self.quick && self.most_positions != MOST_POSITIONS {
            command.push_str(&format!(" --most-positions {}", self.most_positions));
        }
        if self.profile {
            command.push_str(" --profile");
        }
        command
    }
}

fn part(text: &str) -> Result<Part, String> {
    let found = Part::ALL.into_iter().find(|part| part.name() == text);
    found.ok_or_else(|| {
        let names: Vec<_> = Part::ALL.iter().map(|part| part.name()).collect();
        format!("choose from {}", names.join(", "))
    })
}

/// Runs the measurements that `arguments` ask for.
pub(super) fn gas(arguments: &GasArgs) -> Result<(), Failure> {
    let mut meter = Meter::new(arguments.quiet);
    let measured = bench::gas(&arguments.options(), &mut |progress| meter.show(progress));
    drop(meter);
    let measured = measured?;
    if arguments.json {
        return print_json(&measured).map_err(Failure::Stdout);
    }
    let in_document = arguments.write.as_deref().or(arguments.check.as_deref());
    let form = match (in_document, arguments.markdown) {
        (None, false) => Form::Terminal,
        _ => Form::Markdown,
    };
    let text: String = sheets(&measured).iter().map(|s| s.render(form)).collect();
    match in_document {
        Some(file) => keep_block(file, &arguments.command(), &text, arguments.check.is_some()),
        None => print(&text).map_err(Failure::Stdout),
    }
}

/// A sheet for each table that was asked for.
fn sheets(measured: &GasBench) -> Vec<Sheet> {
    let sheets = [
        messages(measured),
        positions(measured),
        ticks(measured),
        bids(measured),
        standing(measured),
        anatomy(measured),
        sizes(measured),
        slopes(measured),
    ];
    let asked_for = |sheet: &Sheet| !sheet.rows.is_empty();
    sheets.into_iter().filter(asked_for).collect()
}

fn messages(measured: &GasBench) -> Sheet {
    let rows = measured.messages.iter().map(|row| {
        let target = match (row.target, row.passes) {
            (Some(target), Some(passes)) => format!("≤ {target}: {}", mark(passes)),
            _ => String::new(),
        };
        vec![
            format!("{} `{}`", row.contract, row.message),
            row.situation.to_owned(),
            time(row.cost),
            proof(row.cost),
            deposit(row.cost),
            format!("{:.2} %", 100.0 * row.share_of_block),
            format!("{:.2}", row.times_transfer_from),
            target,
        ]
    });
    Sheet {
        heading: "Messages".to_owned(),
        columns: vec![
            "message",
            "situation",
            "10⁹ ps",
            "proof, kB",
            "deposit",
            "of a block",
            "× transfer_from",
            "target",
        ],
        words: 2,
        rows: rows.collect(),
        note: format!(
            "Time is ref_time on the reference machine; a block of this chain holds {} · 10⁹ ps \
             of calls and any proof. A deposit is in whole native tokens and comes back when the \
             storage is freed.",
            count(measured.block_ref_time / 1_000_000_000),
        ),
    }
}

fn positions(measured: &GasBench) -> Sheet {
    let rows = measured.positions.iter().map(|row| {
        vec![
            count(row.positions),
            weight(row.open),
            weight(row.settle),
            weight(row.rest),
            deposit(row.total),
            yes(row.flat),
        ]
    });
    Sheet {
        heading: "A batch by its positions, in the same ten ticks".to_owned(),
        columns: vec![
            "positions",
            "open",
            "settle",
            "rest",
            "deposit",
            "within 2 % of the first",
        ],
        words: 0,
        rows: rows.collect(),
        note: "Each cell: 10⁹ ps / kB of proof. Settling clears as well. Every position was \
               opened by messages of an owner of its own."
            .to_owned(),
    }
}

fn ticks(measured: &GasBench) -> Sheet {
    let rows = measured.ticks.iter().map(|row| {
        let layout = match row.layout {
            Layout::Neighbouring => "neighbouring",
            Layout::Spread => "spread",
        };
        vec![
            layout.to_owned(),
            count(row.ticks),
            count(row.pages),
            weight(row.open),
            weight(row.settle),
            format!("{} ({})", weight(row.rest), row.rests),
            weight(row.total),
            format!(
                "{:.2} / {:.2}",
                ratio(row.total.ref_time, ABAX.ref_time),
                ratio(row.total.proof_size, ABAX.proof_size)
            ),
            format!("< {}: {}", row.target, mark(row.total_passes)),
            format!("{}: {}", proof(row.largest), mark(row.fits)),
        ]
    });
    let holds = |layout| {
        let fitting = measured
            .ticks
            .iter()
            .filter(|row| row.layout == layout && row.fits);
        fitting.map(|row| row.ticks).max().unwrap_or(0)
    };
    Sheet {
        heading: "A batch by its occupied ticks".to_owned(),
        columns: vec![
            "ticks",
            "number",
            "pages",
            "open",
            "settle",
            "rest (calls)",
            "all",
            "× Abax",
            "target",
            "largest proof, kB",
        ],
        words: 1,
        rows: rows.collect(),
        note: format!(
            "Each cell: 10⁹ ps / kB of proof; three positions in each tick. *Spread* ticks lie at \
             equal distances over 1,024. Settling clears as well and puts the first pages back; \
             each `rest` puts back eight. × Abax: over one liquidation of one account there, {} / \
             {}. A single message must stay under {} kB, the proof of a parachain block: of the \
             batches measured here, the largest whose every message does has {} neighbouring or \
             {} spread ticks; a batch takes at most 512.",
            time(ABAX),
            proof(ABAX),
            count(measured.parachain_proof / 1_000),
            holds(Layout::Neighbouring),
            holds(Layout::Spread),
        ),
    }
}

fn bids(measured: &GasBench) -> Sheet {
    let rows = measured.bids.iter().map(|row| {
        vec![
            count(row.bids),
            weight(row.bid),
            weight(row.clear),
            weight(row.settle),
            weight(row.claim),
            yes(row.flat),
        ]
    });
    Sheet {
        heading: "A batch by its bids, over eight ticks".to_owned(),
        columns: vec![
            "bids",
            "the last bid",
            "advance, which clears",
            "settle",
            "claim of one",
            "within 2 % of the first",
        ],
        words: 0,
        rows: rows.collect(),
        note: "Each cell: 10⁹ ps / kB of proof. Each bid is that of another bidder.".to_owned(),
    }
}

fn standing(measured: &GasBench) -> Sheet {
    let rows = measured.standing.iter().map(|row| {
        vec![
            count(row.depositors),
            weight(row.stand),
            weight(row.open),
            weight(row.settle),
            weight(row.claim),
            yes(row.flat),
        ]
    });
    Sheet {
        heading: "A batch by the depositors in the tier that buys it".to_owned(),
        columns: vec![
            "depositors",
            "the last enters",
            "open",
            "settle",
            "the last claims",
            "within 0.1 % of the first",
        ],
        words: 0,
        rows: rows.collect(),
        note: "Each cell: 10⁹ ps / kB of proof, over eight ticks. Each depositor is another \
               account."
            .to_owned(),
    }
}

fn anatomy(measured: &GasBench) -> Sheet {
    let rows = measured.anatomy.iter().map(|row| {
        let share = |time| format!("{:.0} %", 100.0 * ratio(time, row.cost.ref_time));
        vec![
            row.message.to_owned(),
            weight(row.cost),
            count(row.nested_calls as u64),
            format!("{:.1}", ratio(row.code_bytes as u64, 1_024)),
            count(row.reads),
            count(row.writes),
            count(row.removals),
            count(row.events),
            count(row.other),
            share(row.storage_time),
            share(row.call_time),
            share(row.event_time),
            share(row.rest_time),
        ]
    });
    Sheet {
        heading: "What a message is made of".to_owned(),
        columns: vec![
            "message",
            "10⁹ ps / kB",
            "nested calls",
            "code, KiB",
            "reads",
            "writes",
            "removals",
            "events",
            "other host calls",
            "storage",
            "calls, code",
            "events",
            "rest",
        ],
        words: 1,
        rows: rows.collect(),
        note: "Counted by the runtime itself, which reports every host function that a contract \
               calls. Code is counted once for each call of a contract. The last four columns \
               split the time by what the runtime charges for one of each; the rest is \
               instructions, bytes that are read, written and passed on, and other host functions."
            .to_owned(),
    }
}

fn sizes(measured: &GasBench) -> Sheet {
    let kib = |bytes: usize| format!("{:.1}", ratio(bytes as u64, 1_024));
    let rows = measured.sizes.iter().map(|row| {
        let limit = row.limit.zip(row.passes);
        vec![
            format!("`{}`", row.contract),
            kib(row.bytes),
            limit.map_or_else(String::new, |(limit, passes)| {
                format!("≤ {}: {}", limit / 1_024, mark(passes))
            }),
        ]
    });
    Sheet {
        heading: "Contract sizes".to_owned(),
        columns: vec!["contract", "code, KiB", "limit of the project"],
        words: 1,
        rows: rows.collect(),
        note: String::new(),
    }
}

fn slopes(measured: &GasBench) -> Sheet {
    let rows = measured.slopes.iter().map(|row| {
        let (unit, places) = match row.dimension {
            "ref_time" => (1e9, 3),
            _ => (1e3, 2),
        };
        let shown = |value: f64| format!("{:.places$}", value / unit);
        vec![
            row.message.to_owned(),
            match row.dimension {
                "ref_time" => "time, 10⁹ ps".to_owned(),
                _ => "proof, kB".to_owned(),
            },
            shown(row.constant),
            shown(row.per_cohort),
            shown(row.per_page),
            format!("{:.1} %", 100.0 * row.worst),
        ]
    });
    Sheet {
        heading: "What a cohort and a page add to a batch".to_owned(),
        columns: vec![
            "message",
            "what",
            "constant",
            "per cohort",
            "per page",
            "farthest from the fit",
        ],
        words: 2,
        rows: rows.collect(),
        note: "Least squares over batches of 1 to 128 cohorts, neighbouring and spread.".to_owned(),
    }
}
