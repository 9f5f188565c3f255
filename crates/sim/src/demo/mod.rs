//! The demo: a market of many positions lives through a price path on the embedded chain.

mod cast;
mod clock;
mod run;
mod sale;
mod stage;

pub use run::{run, run_told};

use crate::deployment::StepError;
use crate::prices::PricePath;
use crate::replay::check::CheckError;
use crate::replay::log::{Contracts, Entry};
use crate::replay::ReplayError;

/// The fewest positions a demo can have.
pub const MIN_POSITIONS: u32 = 1;

/// The most positions a demo can have.
pub const MAX_POSITIONS: u32 = 200_000;

/// What a run is made of. The same options give the same outcome to the byte.
#[derive(Clone, Debug)]
pub struct DemoOptions {
    /// The prices that the oracle is fed with, already cut to the window asked for.
    pub path: PricePath,
    /// Whether the path is the built-in crash day.
    pub built_in: bool,
    /// Number of positions, [`MIN_POSITIONS`] to [`MAX_POSITIONS`].
    pub positions: u32,
    /// Seeds everything that is random.
    pub seed: u64,
}

/// What vault and auction said of a run.
#[derive(Clone, Debug)]
pub struct Told {
    /// The two contracts.
    pub contracts: Contracts,
    /// Everything they emitted.
    pub entries: Vec<Entry>,
    /// How many views were compared with the books that the events amount to; `None` where that
    /// was not asked for.
    pub checked: Option<u64>,
}

/// What a run is doing, for whoever shows progress.
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

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The number of positions is out of range.
    #[error("{0} positions: choose {MIN_POSITIONS} to {MAX_POSITIONS}")]
    Positions(u32),
    /// The path has too few candles or prices the market cannot be opened at.
    #[error("the price path cannot be run: {0}")]
    Path(&'static str),
    /// A step that has to succeed was refused.
    #[error(transparent)]
    Step(#[from] StepError),
    /// Its events do not amount to books.
    #[error("the run's events contradict the rules: {0}")]
    Replay(#[from] ReplayError),
    /// Its events amount to other books than the contracts have.
    #[error("the run's events do not tell everything: {0}")]
    Check(#[from] CheckError),
}
