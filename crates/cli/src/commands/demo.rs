//! `breakwater demo`: a market lives through a crash, and everybody can see what came of it.

use crate::{
    destination::Destination,
    failure::Failure,
    output::{complain, print},
    progress::Meter,
    report::{self, ReportError},
    table,
    verdict::fault,
};
use breakwater_sim::{
    demo::{self, DemoOptions, MAX_POSITIONS, MIN_POSITIONS},
    outcome::DemoOutcome,
    prices::{march_2020, read_csv, PricePath, Window},
};
use futures::executor::block_on;
use std::path::PathBuf;

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

    let mut meter = Meter::new(arguments.quiet);
    let outcome = block_on(demo::run(&options, &mut |progress| meter.show(progress)));
    drop(meter);
    let outcome = outcome?;

    // The outcome is shown even if its report could not be written: it was long in the making.
    let written = report::write(destination.target(), &outcome);
    show(arguments, &outcome, &written)?;
    written?;
    fault(&outcome).map_or(Ok(()), |fault| Err(Failure::Fault(fault)))
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
        return print(&table::summary(outcome, report));
    }
    let mut json = serde_json::to_string_pretty(outcome).map_err(Failure::Json)?;
    json.push('\n');
    if let (Some(report), false) = (report, arguments.quiet) {
        complain(&format!("report: {}", report.display()));
    }
    print(&json)
}
