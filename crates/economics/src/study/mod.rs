//! The experiments, and what they found.

mod attacks;
mod comparison;
mod congestion;
mod goldens;
mod outcome;
mod scenes;
mod shading;

pub use outcome::{
    Check, Comparison, Discovery, Example, Expected, MechanismResult, Shading, Study, Unit,
    STUDY_SCHEMA,
};

use crate::{paths::CrashDay, SimulationError};

/// What a study is made of. The same options give the same outcome.
#[derive(Clone, Debug)]
pub struct Options {
    /// Random walks per experiment.
    pub runs: u64,
    /// Seeds everything that is random.
    pub seed: u64,
    /// Volatility of the random walks that mechanisms are compared on, part of the price a day.
    pub volatility: f64,
    /// Crash days that mechanisms are compared on.
    pub crash_days: Vec<CrashDay>,
}

/// What a study is doing, for whoever shows progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// A stage of so many units of work begins; the one before it is done.
    Stage {
        /// Its name, for people.
        name: &'static str,
        /// Units of work in it.
        work: u64,
    },
    /// So many more units of the stage are done.
    Done(u64),
}

/// Tells how far the work is.
struct Work<'a>(&'a mut dyn FnMut(Progress));

impl Work<'_> {
    fn begin(&mut self, name: &'static str, work: u64) {
        (self.0)(Progress::Stage { name, work });
    }

    fn done(&mut self, units: u64) {
        (self.0)(Progress::Done(units));
    }
}

/// Runs all experiments.
///
/// # Errors
/// [`SimulationError`] where a rule refuses what it must not.
pub fn run(
    options: &Options,
    progress: &mut dyn FnMut(Progress),
) -> Result<Study, SimulationError> {
    let mut work = Work(progress);
    work.begin("promises", options.runs * goldens::SALES_PER_RUN);
    let mut checks = goldens::goldens(options, &mut work)?;
    work.begin("congestion", options.runs * congestion::SALES_PER_RUN);
    checks.extend(congestion::congestion(options, &mut work)?);
    work.begin("attacks", attacks::markets(options));
    checks.push(attacks::attacks(options, &mut work)?);
    work.begin(
        "price discovery",
        options.runs * comparison::CROWDS.len() as u64,
    );
    let discovery = comparison::discovery(options, &mut work)?;
    checks.extend(comparison::judge(&discovery));
    work.begin("shading", options.runs * shading::SALES_PER_RUN);
    let shading = shading::shading(options, &mut work)?;
    work.begin("side by side", comparison::work(options));
    let comparisons = comparison::comparisons(options, &mut work)?;
    Ok(Study {
        schema: STUDY_SCHEMA,
        seed: options.seed,
        runs: options.runs,
        volatility: options.volatility,
        checks,
        comparisons,
        shading,
        discovery,
    })
}
