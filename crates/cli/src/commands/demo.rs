//! `breakwater demo`: a market lives through a crash, and everybody can see what came of it.

use crate::{
    destination::Destination,
    failure::Failure,
    progress::Meter,
    report::{self, ReportError},
    table,
    verdict::fault,
};
use breakwater_sim::{
    demo::{self, DemoOptions, Told, MAX_POSITIONS, MIN_POSITIONS},
    outcome::DemoOutcome,
    prices::{march_2020, read_csv, PricePath, Window},
    replay::log,
};
use breakwater_terminal::{complain, print, print_json};
use futures::executor::block_on;
use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

/// Run a market through a price crash and report every liquidation.
///
/// A market is deployed on a chain inside this program, filled with positions and fed with the
/// prices; whenever positions fall due, one batch sells their collateral at one price. Ends with
/// a table and an HTML report. The same options give the same run to the byte.
#[derive(Debug, clap::Args)]
pub(super) struct DemoArgs {
    /// Candles to run: a CSV file with the columns timestamp,open,high,low,close[,volume]
    ///
    /// Timestamps are UTC seconds since 1970, in rising order. Without this option the prices
    /// are those of the built-in crash day, 12 March 2020.
    #[arg(long, value_name = "FILE.csv")]
    prices: Option<PathBuf>,

    /// Leave out candles before this moment: 2020-03-12, 2020-03-12T10:40 (UTC) or unix seconds
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    from: Option<String>,

    /// Leave out candles from this moment on, in the same forms
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    to: Option<String>,

    /// How many positions to open
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = positions)]
    #[arg(allow_negative_numbers = true)]
    positions: u32,

    /// Seed of everything random: the same seed gives the same run
    #[arg(long, value_name = "N", default_value_t = 2020, value_parser = super::seed)]
    #[arg(allow_negative_numbers = true)]
    seed: u64,

    /// Print the whole outcome as JSON instead of the table
    #[arg(long)]
    json: bool,

    /// Do not show progress
    #[arg(long)]
    quiet: bool,

    /// Where to write the HTML report
    #[arg(long, value_name = "PATH", default_value = "target/demo/report.html")]
    report: PathBuf,

    /// Write everything that vault and auction emit to this file, as lines of JSON
    ///
    /// `breakwater replay events` rebuilds every balance from it.
    #[arg(long, value_name = "FILE.jsonl")]
    events: Option<PathBuf>,

    /// At the end, rebuild every balance from the events alone and compare it with the contracts
    #[arg(long)]
    check: bool,
}

fn positions(text: &str) -> Result<u32, String> {
    text.parse()
        .ok()
        .filter(|number| (MIN_POSITIONS..=MAX_POSITIONS).contains(number))
        .ok_or_else(|| format!("choose a whole number from {MIN_POSITIONS} to {MAX_POSITIONS}"))
}

/// Runs the demo that `arguments` ask for.
pub(super) fn demo(arguments: &DemoArgs) -> Result<(), Failure> {
    let options = DemoOptions {
        path: path(arguments)?,
        built_in: arguments.prices.is_none(),
        positions: arguments.positions,
        seed: arguments.seed,
    };
    // A run takes long: whatever would keep its report from being written is better known now.
    let destination = Destination::check(&arguments.report, arguments.prices.as_deref())?;

    let log = arguments.events.as_deref();
    let log = log.map(|path| Destination::check(path, arguments.prices.as_deref()));
    let log = log.transpose()?;
    if log
        .as_ref()
        .is_some_and(|log| log.target() == destination.target())
    {
        let reason = "--events and --report name one file; choose two".to_owned();
        return Err(Failure::Usage(reason));
    }

    let mut meter = Meter::new(arguments.quiet);
    let mut show_progress = |progress| meter.show(progress);
    let run = if log.is_some() || arguments.check {
        let run = demo::run_told(&options, arguments.check, &mut show_progress);
        block_on(run).map(|(outcome, told)| (outcome, Some(told)))
    } else {
        block_on(demo::run(&options, &mut show_progress)).map(|outcome| (outcome, None))
    };
    drop(meter);
    let (outcome, told) = run?;

    // The outcome is shown even if its report could not be written: it was long in the making.
    let written = report::write(destination.target(), &outcome);
    show(arguments, &outcome, &written)?;
    written?;
    if let Some(told) = &told {
        tell(arguments, log.as_ref().map(Destination::target), told)?;
    }
    fault(&outcome).map_or(Ok(()), |fault| Err(Failure::Fault(fault)))
}

/// Writes the events where they were asked for, and says what was checked.
fn tell(arguments: &DemoArgs, log: Option<&Path>, told: &Told) -> Result<(), Failure> {
    if let Some(path) = log {
        let unlogged = |error| Failure::Unlogged(path.to_owned(), error);
        write_log(path, told).map_err(unlogged)?;
    }
    if arguments.quiet {
        return Ok(());
    }
    if let Some(path) = log {
        let events = told.entries.len();
        complain(&format!("events: {events} in {}", path.display()));
    }
    if let Some(views) = told.checked {
        complain(&format!(
            "check: {views} answers of the contracts are what their events amount to"
        ));
    }
    Ok(())
}

fn write_log(path: &Path, told: &Told) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = BufWriter::new(File::create(path)?);
    log::write_head(&mut file, &told.contracts)?;
    log::write_entries(&mut file, &told.contracts, &told.entries)?;
    file.flush()
}

/// The prices asked for, cut to the window asked for.
fn path(arguments: &DemoArgs) -> Result<PricePath, Failure> {
    let window = Window::parse(arguments.from.as_deref(), arguments.to.as_deref())?;
    let path = match &arguments.prices {
        Some(file) => read_csv(file)?,
        None => march_2020(arguments.seed),
    };
    Ok(path.inside(&window)?)
}

fn show(
    arguments: &DemoArgs,
    outcome: &DemoOutcome,
    written: &Result<(), ReportError>,
) -> Result<(), Failure> {
    let report = written.is_ok().then_some(arguments.report.as_path());
    if !arguments.json {
        return print(&table::summary(outcome, report)).map_err(Failure::Stdout);
    }
    if let (Some(report), false) = (report, arguments.quiet) {
        complain(&format!("report: {}", report.display()));
    }
    print_json(outcome).map_err(Failure::Stdout)
}
