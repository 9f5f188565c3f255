//! The books that a log of events amounts to.

use super::auction::AuctionBooks;
use super::decode::{AuctionEvent, VaultEvent};
use super::log::{Contracts, Entry};
use super::vault::VaultBooks;
use breakwater_core::auction::AuctionError;
use breakwater_core::ledger::LedgerError;
use breakwater_core::lending::LendingError;
use breakwater_core::market::ParamsError;
use breakwater_core::math::MathError;
use breakwater_core::standing::StandingError;
use breakwater_core::timelock::TimelockError;
use breakwater_core::units::{Block, Millis};
use std::fmt::Debug;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Why events do not amount to books. Nothing after it is taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// Events are missing.
    #[error("event {found} follows event {expected}: those from {expected} on are missing")]
    Gap {
        /// The number of the event that would be next.
        expected: u64,
        /// The number of the event that came.
        found: u64,
    },
    /// Another event had that number.
    #[error("event {0} came before with another content: the log is of two chains")]
    Conflict(u64),
    /// Time runs backwards.
    #[error("event {0} is of an earlier block or time than the one before it")]
    Backwards(u64),
    /// Neither the vault nor the auction emitted it.
    #[error("event {0} is of another contract than vault and auction")]
    Foreign(u64),
    /// No event of the contract has its signature.
    #[error("event {0} is of no known type: the contract is of another version")]
    Unknown(u64),
    /// Its data is not of its type.
    #[error("event {sequence}, {event}: its data cannot be decoded")]
    Damaged {
        /// Its number.
        sequence: u64,
        /// Its name.
        event: &'static str,
    },
    /// It cannot have happened after the events before it.
    #[error("event {sequence}, {event}: {cause}")]
    Impossible {
        /// Its number.
        sequence: u64,
        /// Its name.
        event: &'static str,
        /// Why not.
        cause: Impossible,
    },
}

/// Why an event cannot have happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Impossible {
    /// It is about something that no event before has made: the log begins too late.
    #[error("no event before it made the {0} it is about")]
    NeverMade(&'static str),
    /// A rule of the contracts refuses it.
    #[error("the contracts would have refused it: {0}")]
    Refused(String),
    /// It says something else than the events before it amount to.
    #[error("its {what} is {said}, and by the events before it {found}")]
    Differs {
        /// What of it.
        what: &'static str,
        /// What it says.
        said: String,
        /// What it should be.
        found: String,
    },
}

/// That an event says what the books say.
pub(super) fn same<T: PartialEq + Debug>(
    what: &'static str,
    said: &T,
    found: &T,
) -> Result<(), Impossible> {
    if said == found {
        return Ok(());
    }
    Err(Impossible::Differs {
        what,
        said: format!("{said:?}"),
        found: format!("{found:?}"),
    })
}

macro_rules! refusals {
    ($($error:ty),*) => {$(
        impl From<$error> for Impossible {
            fn from(error: $error) -> Self {
                Self::Refused(format!("{error:?}"))
            }
        }
    )*};
}
refusals!(
    LedgerError,
    LendingError,
    MathError,
    AuctionError,
    StandingError,
    ParamsError,
    TimelockError
);

/// When an event happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Block.
    pub block: Block,
    /// Its timestamp, milliseconds.
    pub now: Millis,
}

/// Vault and auction, rebuilt from events alone.
///
/// Where an event leaves a number to the public rules (interest by the index, a position's part of
/// a batch by the totals of its cohort and the price of the settlement) the rules of
/// `breakwater_core` are run, so that nothing is approximate. What events and rules both tell is
/// compared.
pub struct Replayed {
    /// Whose events.
    pub contracts: Contracts,
    /// What the vault's books hold.
    pub vault: VaultBooks,
    /// What the auction's books hold.
    pub auction: AuctionBooks,
    last: Moment,
    /// A hash of each event taken.
    taken: Vec<u64>,
    failed: Option<ReplayError>,
}

impl Replayed {
    /// Empty books.
    #[must_use]
    pub fn new(contracts: Contracts) -> Self {
        Self {
            contracts,
            vault: VaultBooks::default(),
            auction: AuctionBooks::default(),
            last: Moment::default(),
            taken: Vec::new(),
            failed: None,
        }
    }

    /// How many events were taken: the number of the next one.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.taken.len() as u64
    }

    /// When the last event happened.
    #[must_use]
    pub const fn last(&self) -> Moment {
        self.last
    }

    /// Takes events. However a log is cut into pieces, and however often a piece comes again, the
    /// books are the same.
    ///
    /// # Errors
    /// [`ReplayError`]; the books are of no use afterwards, and every further call returns it too.
    pub fn apply<'a>(
        &mut self,
        entries: impl IntoIterator<Item = &'a Entry>,
    ) -> Result<(), ReplayError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        for entry in entries {
            if let Err(error) = self.take(entry) {
                self.failed = Some(error.clone());
                return Err(error);
            }
        }
        Ok(())
    }

    fn take(&mut self, entry: &Entry) -> Result<(), ReplayError> {
        let sequence = entry.sequence;
        let hash = fingerprint(entry);
        let expected = self.events();
        if sequence < expected {
            let known = usize::try_from(sequence)
                .ok()
                .and_then(|at| self.taken.get(at));
            return match known {
                Some(known) if *known == hash => Ok(()),
                _ => Err(ReplayError::Conflict(sequence)),
            };
        }
        if sequence > expected {
            return Err(ReplayError::Gap {
                expected,
                found: sequence,
            });
        }
        let emitted = &entry.emitted;
        let at = Moment {
            block: emitted.block,
            now: emitted.timestamp,
        };
        if at.block < self.last.block || at.now < self.last.now {
            return Err(ReplayError::Backwards(sequence));
        }
        let contract = emitted.event.contract;
        let damaged = |event| ReplayError::Damaged { sequence, event };
        let (event, done) = if contract == self.contracts.vault {
            let event = VaultEvent::decode(&emitted.event).map_err(damaged)?;
            let event = event.ok_or(ReplayError::Unknown(sequence))?;
            (event.name(), self.vault.apply(at, &self.contracts, event))
        } else if contract == self.contracts.auction {
            let event = AuctionEvent::decode(&emitted.event).map_err(damaged)?;
            let event = event.ok_or(ReplayError::Unknown(sequence))?;
            (event.name(), self.auction.apply(at, &mut self.vault, event))
        } else {
            return Err(ReplayError::Foreign(sequence));
        };
        done.map_err(|cause| ReplayError::Impossible {
            sequence,
            event,
            cause,
        })?;
        self.last = at;
        self.taken.push(hash);
        Ok(())
    }
}

fn fingerprint(entry: &Entry) -> u64 {
    let mut hasher = DefaultHasher::new();
    let emitted = &entry.emitted;
    let contract: &[u8; 32] = emitted.event.contract.as_ref();
    (emitted.block, emitted.timestamp, contract).hash(&mut hasher);
    (&emitted.event.topics, &emitted.event.data).hash(&mut hasher);
    hasher.finish()
}
