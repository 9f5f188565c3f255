//! One borrower's position in one market.

use crate::page::{CohortId, Stake};
use crate::units::{Amount, Price, Ratio, ScaledDebt};
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

/// Where a position stands, the first that holds from the bottom up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Status {
    /// Nothing owed, or within the initial margin.
    Healthy,
    /// Owes more than the initial margin allows: it may neither borrow nor withdraw, and nobody
    /// may liquidate it.
    MarginCall,
    /// Under-margined, and not in a batch yet.
    Liquidatable,
    /// Pooled in a batch that has not settled.
    InBatch,
    /// Liquidatable, and owes more than its collateral is worth.
    Insolvent,
}

impl Status {
    /// Whether an opening may take it.
    #[must_use]
    pub const fn is_liquidatable(self) -> bool {
        matches!(self, Self::Liquidatable | Self::Insolvent)
    }

    /// Whether nobody may touch it.
    #[must_use]
    pub const fn is_safe(self) -> bool {
        matches!(self, Self::Healthy | Self::MarginCall)
    }
}

/// What [`PositionView::health`] says of a position without debt.
pub const HEALTH_WITHOUT_DEBT: Ratio = Ratio::from_ppm(u32::MAX);

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
    /// `C·p·LT / D`, rounded down: under-margined below one. [`HEALTH_WITHOUT_DEBT`] without debt,
    /// and the same for whatever is higher.
    pub health: Ratio,
    /// The most that can be borrowed at that price, exactly: one unit more is refused. Counts the
    /// margin, the cash, the ceiling and the minimum debt. Zero in a batch.
    pub borrowable: Amount,
    /// The most collateral that can be withdrawn at that price, exactly. Zero in a batch.
    pub withdrawable: Amount,
    /// The least repayment after which it is not liquidatable, exactly: one unit less is too
    /// little or refused. Zero where it is not, in a batch, and where a `sync` is enough.
    pub cure_by_repaying: Amount,
    /// The least collateral to add instead, exactly.
    pub cure_by_adding: Amount,
}

/// What closing a position moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Closing {
    /// Quote taken from the owner: all that was owed, interest included, rounded up.
    pub paid: Amount,
    /// Quote given back that had been paid in advance and was not needed.
    pub reclaimed: Amount,
    /// Collateral given back: all of it.
    pub collateral: Amount,
}
