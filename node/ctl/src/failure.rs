//! Everything that can keep a command from success, and the exit code that tells which kind.

use crate::advice;
use breakwater_bot::{view::ViewError, BotError};
use breakwater_node::Unreachable;
use breakwater_operator::{config::ConfigError, deploy::DeployError, record::RecordError};
use breakwater_sim::deployment::StepError;
use breakwater_terminal::{Complaint, BAD_INPUT, FAILED};
use std::{io, path::PathBuf};

/// Why a command failed, in one line.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Arguments that cannot be used.
    #[error("{0}")]
    Usage(String),
    /// The description of a market cannot be used.
    #[error("{path}: {reason}")]
    Market {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: ConfigError,
    },
    /// The record of a deployment cannot be used.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The node cannot be used.
    #[error(transparent)]
    Node(#[from] Unreachable),
    /// The deployment stopped.
    #[error(transparent)]
    Deploy(#[from] DeployError),
    /// A message was refused or did not run.
    #[error(transparent)]
    Step(#[from] StepError),
    /// As another failure, after money had gone into the balance with the auction.
    #[error("{amount} quote are deposited now, `unfund` takes them back; {failure}")]
    Deposited {
        /// How much, whole tokens.
        amount: String,
        /// What failed then.
        failure: Box<Failure>,
    },
    /// A bot cannot go on.
    #[error(transparent)]
    Bot(#[from] BotError),
    /// A view refuses.
    #[error("{0}")]
    Refused(String),
    /// A log of events takes nothing.
    #[error("cannot write the log ({0})")]
    Log(io::Error),
    /// No runtime for the connection.
    #[error("cannot start the connection ({0})")]
    Runtime(io::Error),
    /// Stdout takes nothing.
    #[error("cannot write to standard output ({0})")]
    Stdout(io::Error),
}

impl Failure {
    /// What the process ends with.
    fn exit_code(&self) -> u8 {
        match self {
            Failure::Usage(_) | Failure::Market { .. } | Failure::Record(_) | Failure::Node(_) => {
                BAD_INPUT
            }
            Failure::Deposited { failure, .. } => failure.exit_code(),
            Failure::Deploy(
                DeployError::Record(_)
                | DeployError::Differs(_)
                | DeployError::OtherCode { .. }
                | DeployError::OtherWidth { .. }
                | DeployError::OtherExtension(_)
                | DeployError::OtherContract(_),
            ) => BAD_INPUT,
            Failure::Bot(
                BotError::Config(_) | BotError::Store(_) | BotError::View(ViewError::Deployment(_)),
            ) => BAD_INPUT,
            _ => FAILED,
        }
    }
}

impl From<Failure> for Complaint {
    fn from(failure: Failure) -> Self {
        Self {
            text: advice::explain(&failure.to_string()),
            exit_code: failure.exit_code(),
        }
    }
}
