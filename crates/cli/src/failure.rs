//! Everything that can keep a command from success, and the exit code that tells which kind.

use crate::{destination::DestinationError, report::ReportError};
use breakwater_economics::SimulationError;
use breakwater_sim::{
    demo::DemoError,
    deployment::StepError,
    prices::{LoadError, WindowError},
    replay::{log::LogError, oracle::OracleError, Impossible, ReplayError},
};
use breakwater_terminal::{Complaint, BAD_INPUT, FAILED};
use std::{io, path::PathBuf};

/// Why a command ended without success.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The arguments make no sense.
    #[error("{0}")]
    Usage(String),
    /// The candle file cannot be used.
    #[error(transparent)]
    Prices(#[from] LoadError),
    /// The window cannot be used.
    #[error(transparent)]
    Window(#[from] WindowError),
    /// The candle file holds a price that an oracle refuses.
    #[error("an oracle refuses the prices ({0:?}); replay a file with prices from one market")]
    Oracle(OracleError),
    /// The report cannot be written where it was asked for; known before the run.
    #[error(transparent)]
    Destination(#[from] DestinationError),
    /// The run failed.
    #[error(transparent)]
    Demo(#[from] DemoError),
    /// A step of a benchmark failed.
    #[error(transparent)]
    Bench(#[from] StepError),
    /// A simulation came upon a rule that refuses what it must not.
    #[error(transparent)]
    Simulation(#[from] SimulationError),
    /// The report could not be written after all.
    #[error("the report is missing: {0}")]
    Report(#[from] ReportError),
    /// Stdout takes nothing.
    #[error("cannot write to standard output ({0})")]
    Stdout(io::Error),
    /// A log of events cannot be opened or written.
    #[error("the log `{}` cannot be used: {1}", .0.display())]
    Log(PathBuf, LogError),
    /// The events of a log do not amount to books.
    #[error("the log `{}` cannot be replayed: {1}", .0.display())]
    Events(PathBuf, ReplayError),
    /// Books that were rebuilt cannot be summed up.
    #[error("the rebuilt books cannot be summed up: {0}")]
    Books(#[from] Impossible),
    /// The events cannot be written after all.
    #[error("the events are missing: `{}` cannot be written ({1})", .0.display())]
    Unlogged(PathBuf, io::Error),
    /// The run ended, and its outcome shows that something is wrong with the contracts.
    #[error("{0}")]
    Fault(String),
}

impl Failure {
    /// The exit code of the process.
    fn exit_code(&self) -> u8 {
        match self {
            Failure::Usage(_)
            | Failure::Prices(_)
            | Failure::Window(_)
            | Failure::Oracle(_)
            | Failure::Destination(_)
            | Failure::Log(..)
            | Failure::Events(..)
            | Failure::Demo(DemoError::Positions(_) | DemoError::Path(_)) => BAD_INPUT,
            Failure::Demo(_)
            | Failure::Bench(_)
            | Failure::Simulation(_)
            | Failure::Report(_)
            | Failure::Stdout(_)
            | Failure::Books(_)
            | Failure::Unlogged(..)
            | Failure::Fault(_) => FAILED,
        }
    }
}

impl From<Failure> for Complaint {
    fn from(failure: Failure) -> Self {
        Self {
            text: failure.to_string(),
            exit_code: failure.exit_code(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_user_can_change_is_bad_input() {
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        let late = || ReportError::Write {
            path: "report.html".into(),
            source: full(),
        };
        for (failure, code) in [
            (Failure::Usage("what".to_owned()), 2),
            (Failure::Destination(late().into()), 2),
            (Failure::Demo(DemoError::Positions(0)), 2),
            (Failure::Demo(DemoError::Path("it is short")), 2),
            (Failure::Report(late()), 1),
            (Failure::Stdout(full()), 1),
            (Failure::Fault("tokens are missing".to_owned()), 1),
        ] {
            assert_eq!(failure.exit_code(), code, "{failure}");
        }
    }
}
