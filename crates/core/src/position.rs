//! One borrower's position in one market.

use crate::page::{CohortId, Stake};
use crate::units::{Amount, Price, ScaledDebt};
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// What is stored for one borrower: collateral of its own while it owes nothing, else a stake
/// in a cohort. It is brought up to date only when it is touched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Position {
    /// Collateral outside every cohort, base units: all of it without debt, else what was added
    /// while the position was in a batch.
    pub collateral: Amount,
    /// The stake in a cohort, while there is debt.
    pub pooled: Option<Pooled>,
    /// Quote paid while in a batch: repays what the batch leaves of the debt, else is given back.
    pub prepaid: Amount,
}

/// A position's stake in a cohort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Pooled {
    /// Which cohort.
    pub cohort: CohortId,
    /// How much of it.
    pub stake: Stake,
}

impl Position {
    /// Whether nothing is left to store.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Where a position stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Status {
    /// Nothing owed, or within its margin.
    Healthy,
    /// Under-margined, and not in a batch yet.
    Liquidatable,
    /// Pooled in a batch that has not settled.
    InBatch,
}

/// A position brought up to date, as its owner sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct PositionView {
    /// All collateral, base units. In a batch: as of its opening.
    pub collateral: Amount,
    /// Debt scaled by the borrow index.
    pub scaled_debt: ScaledDebt,
    /// Debt in quote, rounded up.
    pub debt: Amount,
    /// The lowest price at which the position cannot be liquidated; `None` without debt.
    pub liquidation_price: Option<Price>,
    /// Where it stands at the price asked for.
    pub status: Status,
    /// The number of the batch it is in.
    pub batch: Option<u32>,
}
