//! `breakwater simulate auction`: what a batch costs its owners, measured over agents.

use crate::{
    destination::Destination,
    failure::Failure,
    progress::Meter,
    report::{self, ReportError},
    study_table,
};
use breakwater_economics::{
    paths::{Candle, CrashDay},
    study::{self, Options, Study},
};
use breakwater_sim::{
    demo,
    prices::{march_2020, read_csv, PricePath, PRICE_SCALE},
};
use breakwater_terminal::{complain, print, print_json};
use std::path::{Path, PathBuf};

/// Simulate agents over the rules of the contracts, without a chain.
#[derive(Debug, clap::Args)]
pub(super) struct SimulateArgs {
    #[command(subcommand)]
    what: Simulation,
}

#[derive(Debug, clap::Subcommand)]
enum Simulation {
    Auction(AuctionArgs),
}

/// Measure what the auction costs owners, beside other mechanisms, and check what is promised.
///
/// Bidders who tell the truth, shade, wait, split up, fall silent or spam bid for batches on
/// seeded price paths. Prints every promise and published figure with what was measured and its
/// 95 % interval, then this auction beside Maker's curve and a fixed bonus on the same paths.
/// Ends with exit code 1 if something is not as expected.
#[derive(Debug, clap::Args)]
struct AuctionArgs {
    /// Price paths per experiment
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = runs)]
    #[arg(allow_negative_numbers = true)]
    runs: u64,

    /// Seed of everything random: the same seed gives the same study
    #[arg(long, value_name = "N", default_value_t = 2020, value_parser = super::seed)]
    #[arg(allow_negative_numbers = true)]
    seed: u64,

    /// Volatility of the random walks that mechanisms are compared on, percent a day
    #[arg(long, value_name = "PERCENT", default_value_t = 5.0, value_parser = volatility)]
    #[arg(allow_negative_numbers = true)]
    volatility: f64,

    /// Folder with the candles of the crash days, eth-usd-10m-2020-03-12.csv and
    /// eth-usd-10m-2021-05-19.csv
    ///
    /// Without this option ../shared/data is tried; where that has no such files, the built-in
    /// day after the figures of 12 March 2020 stands in.
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,

    /// Print the whole outcome as JSON instead of the tables
    #[arg(long)]
    json: bool,

    /// Do not show progress
    #[arg(long)]
    quiet: bool,

    /// Write an HTML report with charts
    #[arg(long, value_name = "PATH")]
    report: Option<PathBuf>,
}

/// The fewest and the most paths: fewer leave the intervals too wide to judge, more take hours.
const RUNS: std::ops::RangeInclusive<u64> = 500..=200_000;

fn runs(text: &str) -> Result<u64, String> {
    text.parse()
        .ok()
        .filter(|number| RUNS.contains(number))
        .ok_or_else(|| {
            format!(
                "choose a whole number from {} to {}",
                RUNS.start(),
                RUNS.end()
            )
        })
}

fn volatility(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|percent: &f64| (0.1..=100.0).contains(percent))
        .ok_or_else(|| "choose a number from 0.1 to 100".to_owned())
}

/// Runs the simulation that `arguments` ask for.
pub(super) fn simulate(arguments: &SimulateArgs) -> Result<(), Failure> {
    match &arguments.what {
        Simulation::Auction(arguments) => auction(arguments),
    }
}

fn auction(arguments: &AuctionArgs) -> Result<(), Failure> {
    let options = Options {
        runs: arguments.runs,
        seed: arguments.seed,
        volatility: arguments.volatility / 100.0,
        crash_days: crash_days(arguments)?,
    };
    let destination = match &arguments.report {
        Some(path) => Some(Destination::check(path, None)?),
        None => None,
    };
    let mut meter = Meter::new(arguments.quiet);
    let found = study::run(&options, &mut |progress| meter.show(shown(progress)));
    drop(meter);
    let found = found?;

    let written: Result<(), ReportError> = match &destination {
        Some(place) => report::write_text(place.target(), &report::render_study(&found)),
        None => Ok(()),
    };
    show(arguments, &found, written.is_ok())?;
    written?;
    study_table::fault(&found).map_or(Ok(()), |fault| Err(Failure::Fault(fault)))
}

/// Progress in the words of the meter.
fn shown(progress: study::Progress) -> demo::Progress {
    match progress {
        study::Progress::Stage { name, work } => demo::Progress::Stage { name, work },
        study::Progress::Done(units) => demo::Progress::Done(units),
    }
}

fn show(arguments: &AuctionArgs, found: &Study, written: bool) -> Result<(), Failure> {
    let report = arguments.report.as_deref().filter(|_| written);
    if !arguments.json {
        return print(&study_table::summary(found, report)).map_err(Failure::Stdout);
    }
    if let (Some(report), false) = (report, arguments.quiet) {
        complain(&format!("report: {}", report.display()));
    }
    print_json(found).map_err(Failure::Stdout)
}

/// Where candles lie if nobody says where.
const DATA: &str = "../shared/data";

/// The crash days: file, and name in tables.
const DAYS: [(&str, &str); 2] = [
    ("eth-usd-10m-2020-03-12.csv", "12 March 2020, real candles"),
    ("eth-usd-10m-2021-05-19.csv", "19 May 2021, real candles"),
];

/// Reads the crash days. A folder that was asked for must have both.
fn crash_days(arguments: &AuctionArgs) -> Result<Vec<CrashDay>, Failure> {
    let folder = arguments.data.as_deref().unwrap_or(Path::new(DATA));
    let mut days = Vec::new();
    for (file, name) in DAYS {
        let file = folder.join(file);
        if arguments.data.is_some() || file.is_file() {
            days.push(crash_day(name, &read_csv(&file)?));
        }
    }
    if days.is_empty() {
        let built_in = march_2020(arguments.seed);
        days.push(crash_day("12 March 2020, built-in candles", &built_in));
    }
    Ok(days)
}

fn crash_day(name: &str, path: &PricePath) -> CrashDay {
    let drawn = |price: u128| price as f64 / PRICE_SCALE as f64;
    CrashDay {
        name: name.to_owned(),
        candle_seconds: path.interval_seconds as f64,
        candles: path
            .candles
            .iter()
            .map(|candle| Candle {
                high: drawn(candle.high),
                low: drawn(candle.low),
                close: drawn(candle.close),
            })
            .collect(),
    }
}
