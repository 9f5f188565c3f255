//! What a batch costs its owners: agents bid in auctions over the rules of `breakwater-core`.
//!
//! No chain is involved. Positions live in a real ledger ([`market`]), batches are opened, bid on,
//! cleared, settled and claimed by the same functions that the contracts call ([`clock`]); only
//! prices, bidders and the mechanisms compared with are models, in floating point. Everything
//! random comes from one seed.
//!
//! | module | what is in it |
//! |---|---|
//! | [`paths`] | fair prices: random walks and crash days |
//! | [`agents`] | bidders and their strategies |
//! | [`auctions`] | one sale, by this auction or by one of those it is compared with |
//! | [`attack`] | a search for profitable combinations of positions, bids and keeper calls |
//! | [`study`] | the experiments, their results, and what is expected of them |
#![deny(missing_docs)]

pub mod agents;
pub mod attack;
pub mod auctions;
pub mod clock;
pub mod market;
pub mod paths;
pub mod random;
pub mod statistics;
pub mod study;

use breakwater_core::{
    auction::AuctionError, ledger::LedgerError, lending::LendingError, math::MathError,
};

/// A rule refused where the simulation did not expect it: a fault of the simulation or of the
/// rules, never of an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SimulationError {
    /// The ledger refused.
    #[error("the ledger refuses: {0:?}")]
    Ledger(LedgerError),
    /// The auction refused.
    #[error("the auction refuses: {0:?}")]
    Auction(AuctionError),
    /// The lenders' pool refused.
    #[error("the lenders' pool refuses: {0:?}")]
    Lending(LendingError),
    /// A number left its range.
    #[error("a number leaves its range: {0:?}")]
    Math(MathError),
}

impl From<LedgerError> for SimulationError {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

impl From<AuctionError> for SimulationError {
    fn from(error: AuctionError) -> Self {
        Self::Auction(error)
    }
}

impl From<LendingError> for SimulationError {
    fn from(error: LendingError) -> Self {
        Self::Lending(error)
    }
}

impl From<MathError> for SimulationError {
    fn from(error: MathError) -> Self {
        Self::Math(error)
    }
}
