//! `breakwater replay`: rules of the contracts over recorded prices or events, without a chain.

use crate::{books_table, failure::Failure};
use breakwater_sim::{
    prices::{read_csv, PricePath, Window},
    replay::{
        log,
        margin::{self, MarginReplay},
        oracle::{replay, OracleReplay},
        Replayed,
    },
};
use breakwater_terminal::{print, print_json};
use comfy_table::{presets::ASCII_MARKDOWN, Table};
use serde::Serialize;
use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::PathBuf,
};

/// Run rules of the contracts over recorded prices or events.
#[derive(Debug, clap::Args)]
pub(super) struct ReplayArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Oracle(PricesArgs),
    Events(EventsArgs),
    Margin(MarginArgs),
}

/// Compare how the margin follows volatility.
///
/// For every daily volatility up to which nothing is added: how often more was asked of open
/// positions, how much at most, how many loans were liquidated and what bad debt they left. Then how
/// far prices fell while a sale went on, which a margin must cover beside penalty and slippage.
#[derive(Debug, clap::Args)]
struct MarginArgs {
    #[command(flatten)]
    prices: PricesArgs,
}

/// Compare bands of the oracle and the circuit breaker.
///
/// For every band: how many rounds it quarantines and what becomes of them, how often the breaker
/// trips and how often for nothing, and how many of the ten worst days it misses.
#[derive(Debug, clap::Args)]
struct PricesArgs {
    /// Candles: a CSV file with the columns timestamp,open,high,low,close[,volume]
    #[arg(long, value_name = "FILE.csv")]
    data: PathBuf,

    /// Leave out candles before this moment: 2020-03-12, 2020-03-12T10:40 (UTC) or unix seconds
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    from: Option<String>,

    /// Leave out candles from this moment on, in the same forms
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    to: Option<String>,

    /// Print JSON instead of tables
    #[arg(long)]
    json: bool,
}

/// Rebuild every balance of vault and auction from their events alone.
///
/// Reads a log as `breakwater demo --events` writes it. A missing, repeated in other words or
/// impossible event is an error that names it.
#[derive(Debug, clap::Args)]
struct EventsArgs {
    /// The log: a line that names the contracts, then one event a line; `-` for standard input
    #[arg(value_name = "FILE.jsonl")]
    log: PathBuf,

    /// Print all books as JSON instead of tables
    #[arg(long)]
    json: bool,
}

/// Runs the replay that `arguments` ask for.
pub(super) fn run(arguments: &ReplayArgs) -> Result<(), Failure> {
    match &arguments.what {
        What::Oracle(prices) => {
            let replayed = replay(&prices.read()?).map_err(Failure::Oracle)?;
            prices.print(&replayed, tables)
        }
        What::Margin(MarginArgs { prices }) => {
            let replayed = margin::replay(&prices.read()?).map_err(Failure::Oracle)?;
            prices.print(&replayed, margin_tables)
        }
        What::Events(arguments) => events(arguments),
    }
}

fn events(arguments: &EventsArgs) -> Result<(), Failure> {
    let path = &arguments.log;
    let unusable = |error| Failure::Log(path.clone(), error);
    let input: Box<dyn BufRead> = if path.as_os_str() == "-" {
        Box::new(io::stdin().lock())
    } else {
        let file = File::open(path).map_err(|error| unusable(error.into()))?;
        Box::new(BufReader::new(file))
    };
    let (contracts, entries) = log::read(input).map_err(unusable)?;
    let mut books = Replayed::new(contracts);
    for entry in entries {
        let entry = entry.map_err(unusable)?;
        books
            .apply([&entry])
            .map_err(|error| Failure::Events(path.clone(), error))?;
    }
    let summary = books.summary()?;
    if arguments.json {
        return print_json(&summary).map_err(Failure::Stdout);
    }
    print(&books_table::tables(&summary)).map_err(Failure::Stdout)
}

impl PricesArgs {
    fn read(&self) -> Result<PricePath, Failure> {
        let window = Window::parse(self.from.as_deref(), self.to.as_deref())?;
        Ok(read_csv(&self.data)?.inside(&window)?)
    }

    fn print<T: Serialize>(
        &self,
        replayed: &T,
        tables: impl Fn(&T) -> String,
    ) -> Result<(), Failure> {
        if self.json {
            return print_json(replayed).map_err(Failure::Stdout);
        }
        print(&tables(replayed)).map_err(Failure::Stdout)
    }
}

/// Basis points as per cent with as many decimals as they need.
fn share(bps: u32) -> String {
    match bps % 100 {
        0 => format!("{} %", bps / 100),
        part => format!("{}.{part:02} %", bps / 100),
    }
}

fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_header(header);
    table
}

fn margin_tables(replayed: &MarginReplay) -> String {
    let mut margin = table([
        "calm up to",
        "time raised",
        "rises",
        "highest margin",
        "liquidated",
        "of loans",
        "bad debt, ppm",
    ]);
    for row in &replayed.margin {
        let reference = match row.reference_bps {
            bps if bps < 10_000 => share(bps),
            _ => "never raised".to_owned(),
        };
        margin.add_row([
            reference,
            share(row.raised_bps),
            row.announced.to_string(),
            share(row.highest_bps),
            row.liquidated.to_string(),
            row.loans.to_string(),
            row.bad_debt_ppm.to_string(),
        ]);
    }
    let mut falls = table(["within", "1 of 100", "1 of 1,000", "1 of 10,000"]);
    for row in &replayed.falls {
        let [hundred, thousand, ten] = row.exceeded_bps.map(share);
        falls.add_row([format!("{} min", row.minutes), hundred, thousand, ten]);
    }
    format!(
        "{}: {} candles\n\n{margin}\n\n{falls}\n",
        replayed.name, replayed.candles
    )
}

fn percent(bps: u32) -> String {
    format!("{} %", bps / 100)
}

fn tables(replayed: &OracleReplay) -> String {
    let mut feed = table([
        "deviation",
        "accepted",
        "quarantined",
        "confirmed",
        "lifted",
        "replaced",
    ]);
    for row in &replayed.feed {
        let counts = [
            row.accepted,
            row.quarantined,
            row.confirmed,
            row.lifted,
            row.replaced,
        ];
        feed.add_row(std::iter::once(percent(row.band_bps)).chain(counts.map(|n| n.to_string())));
    }
    let mut breaker = table([
        "jump limit",
        "jump trips",
        "of them false",
        "stale trips",
        "dispersed trips",
        "missed days",
        "closed, h",
    ]);
    for row in &replayed.breaker {
        let counts = [
            u64::from(row.jump),
            u64::from(row.false_jumps),
            u64::from(row.stale),
            u64::from(row.dispersed),
            u64::from(row.missed),
            row.closed_minutes / 60,
        ];
        breaker
            .add_row(std::iter::once(percent(row.band_bps)).chain(counts.map(|n| n.to_string())));
    }
    format!(
        "{}: {} candles, {} worst days\n\n{feed}\n\n{breaker}\n",
        replayed.name, replayed.candles, replayed.worst_days
    )
}
