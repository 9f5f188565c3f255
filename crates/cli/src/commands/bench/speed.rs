//! `breakwater bench speed`: how fast rules and chain run on this machine.

use super::sheet::{Form, Sheet};
use crate::{failure::Failure, progress::Meter, report::format::amount};
use breakwater_sim::bench::{speed, Watch};
use breakwater_terminal::{print, print_json};

/// Print how fast the rules and the embedded chain run on this machine
#[derive(Debug, clap::Args)]
pub(super) struct SpeedArgs {
    /// How often each thing is measured
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    runs: u16,

    /// Print everything as JSON instead of a table
    #[arg(long)]
    json: bool,

    /// Do not show progress
    #[arg(long)]
    quiet: bool,
}

/// Runs the measurements that `arguments` ask for.
pub(super) fn speed(arguments: &SpeedArgs) -> Result<(), Failure> {
    let mut meter = Meter::new(arguments.quiet);
    let mut tell = |progress| meter.show(progress);
    let measured = speed::table(arguments.runs.into(), &mut Watch::new(&mut tell));
    drop(meter);
    let measured = measured?;
    if arguments.json {
        return print_json(&measured).map_err(Failure::Stdout);
    }
    // One decimal, and the typography of all other numbers.
    let rate = |rate: f64| amount((10.0 * rate) as u128, 1, 1);
    let rows = measured.iter().map(|row| {
        vec![
            row.what.to_owned(),
            rate(row.median_per_second),
            rate(row.most_per_second),
        ]
    });
    let sheet = Sheet {
        heading: format!("Speed, times a second over {} runs", arguments.runs),
        columns: vec!["what", "median run", "best run"],
        words: 1,
        rows: rows.collect(),
        note: "By the wall clock, one thread, whatever else the machine does.".to_owned(),
    };
    print(&sheet.render(Form::Terminal)).map_err(Failure::Stdout)
}
