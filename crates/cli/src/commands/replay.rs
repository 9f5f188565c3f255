//! `breakwater replay`: rules of the contracts over recorded prices, without a chain.

use crate::{failure::Failure, output::print};
use breakwater_sim::{
    prices::{read_csv, Window},
    replay::oracle::{replay, OracleReplay},
};
use comfy_table::{presets::ASCII_MARKDOWN, Table};
use std::path::PathBuf;

/// Run rules of the contracts over recorded prices.
#[derive(Debug, clap::Args)]
pub(super) struct ReplayArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Oracle(OracleArgs),
}

/// Compare bands of the oracle and the circuit breaker.
///
/// For every band: how many rounds it quarantines and what becomes of them, how often the breaker
/// trips and how often for nothing, and how many of the ten worst days it misses.
#[derive(Debug, clap::Args)]
struct OracleArgs {
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

/// Runs the replay that `arguments` ask for.
pub(super) fn run(arguments: &ReplayArgs) -> Result<(), Failure> {
    let What::Oracle(arguments) = &arguments.what;
    let window = Window::parse(arguments.from.as_deref(), arguments.to.as_deref())?;
    let path = read_csv(&arguments.data)?.inside(&window)?;
    let replayed = replay(&path).map_err(Failure::Oracle)?;
    if arguments.json {
        let mut json = serde_json::to_string_pretty(&replayed).map_err(Failure::Json)?;
        json.push('\n');
        return print(&json);
    }
    print(&tables(&replayed))
}

fn percent(bps: u32) -> String {
    format!("{} %", bps / 100)
}

fn tables(replayed: &OracleReplay) -> String {
    let mut feed = Table::new();
    feed.load_style(ASCII_MARKDOWN).set_header([
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
    let mut breaker = Table::new();
    breaker.load_style(ASCII_MARKDOWN).set_header([
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
