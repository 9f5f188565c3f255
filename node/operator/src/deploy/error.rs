//! What can stop a deployment, and what it asks of bundles beforehand.

use breakwater_sim::artifacts::{Contract, DamagedBundle};

use crate::record::RecordError;
use crate::roots::RootError;

/// Why a deployment stopped. What was done before is recorded; the next run goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// The record cannot be read or written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A contract's code cannot be read.
    #[error(transparent)]
    Bundle(#[from] DamagedBundle),
    /// A call was refused or did not run.
    #[error("{step}: {reason}")]
    Step {
        /// What was being done.
        step: String,
        /// What the chain answered.
        reason: String,
    },
    /// The chain is not as the description or the record says.
    #[error(
        "what is deployed differs: {0}; deploy under another name, or change it by governance"
    )]
    Differs(String),
    /// A contract runs other code than this program's bundles have.
    #[error(
        "the {part} runs code {found}, and the bundles here are code {ours}: use the breakwaterctl \
         of the release that deployed it, or deploy under another name"
    )]
    OtherCode {
        /// Which contract.
        part: &'static str,
        /// The beginning of its code's hash.
        found: String,
        /// The beginning of the bundle's.
        ours: String,
    },
    /// A contract hands over to other code than this program's bundles have.
    #[error(
        "{0}: use the breakwaterctl of the release that deployed it, or deploy under another name"
    )]
    OtherExtension(RootError),
    /// A contract works with others than those of this deployment.
    #[error("{0}: correct the record, or deploy under another name")]
    OtherContract(RootError),
    /// The bundles are built for chains of another kind.
    #[error(
        "the chain's native balances have {chain} bits, and the bundles in use are built for \
         {bundles}: {advice}"
    )]
    OtherWidth {
        /// Of the chain.
        chain: u32,
        /// Of the bundles.
        bundles: u32,
        /// What to do.
        advice: &'static str,
    },
}

impl From<RootError> for DeployError {
    fn from(error: RootError) -> Self {
        match error {
            RootError::OtherExtension { .. } | RootError::OtherForm(_) => {
                Self::OtherExtension(error)
            }
            RootError::OtherContract { .. } => Self::OtherContract(error),
            RootError::Unread { part, reason } => Self::Step {
                step: part.to_owned(),
                reason,
            },
            RootError::Bundle(damaged) => Self::Bundle(damaged),
        }
    }
}

/// The beginning of a code's hash, enough to tell two apart.
#[must_use]
pub fn show_hash(hash: &[u8; 32]) -> String {
    format!("{}…", hex::encode(&hash[..4]))
}

/// Makes sure that the bundles in use are for chains with native balances of so many bits.
///
/// # Errors
/// [`DeployError::OtherWidth`], [`DeployError::Bundle`].
pub fn ensure_width(chain: u32) -> Result<(), DeployError> {
    let bundles = Contract::MarginVault.native_bits()?;
    if bundles == chain {
        return Ok(());
    }
    Err(other_width(chain, bundles))
}

fn other_width(chain: u32, bundles: u32) -> DeployError {
    DeployError::OtherWidth {
        chain,
        bundles,
        advice: match chain {
            64 => {
                "build those for 64 with `scripts/build.sh --u64`, and set \
                 BREAKWATER_ARTIFACTS=target/artifacts-u64"
            }
            _ => "unset BREAKWATER_ARTIFACTS, or name a directory of others in it",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundles_for_the_other_width_are_told_before_anything_is_sent() {
        assert!(ensure_width(128).is_ok(), "the released ones are for 128");
        let told = ensure_width(64).unwrap_err().to_string();
        assert!(
            told.contains("balances have 64 bits") && told.contains("scripts/build.sh --u64"),
            "{told}"
        );
        assert!(!told.contains('\n'));
        let told = other_width(128, 64).to_string();
        assert!(told.contains("unset BREAKWATER_ARTIFACTS"), "{told}");
    }
}
