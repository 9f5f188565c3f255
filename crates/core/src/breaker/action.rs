//! Which messages work in which stage, and with which oracle: two tables.

use super::Stage;
use crate::oracle::FeedStatus;
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// What can be done in a market, by the messages that do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Action {
    /// Lending quote to the pool.
    Supply,
    /// Redeeming lenders' shares, less what is provided for losses in sight.
    Redeem,
    /// Adding collateral, in a batch too.
    TopUp,
    /// Repaying, in a batch too.
    Repay,
    /// Taking out collateral without owing anything.
    WithdrawFree,
    /// Taking out collateral while owing.
    WithdrawIndebted,
    /// Taking on debt.
    Borrow,
    /// Bringing a position up to date, putting a settled batch back into its ticks.
    Sync,
    /// Opening a batch of positions that were in none, and extending it.
    OpenBatch,
    /// Opening a batch of what an earlier one left.
    Reauction,
    /// Bidding, or bidding otherwise.
    Bid,
    /// Cancelling a bid whose step has not begun; moving free balance and money of standing bids in
    /// and out.
    Cancel,
    /// Judging ended steps.
    Clear,
    /// Leaving a running batch against payment.
    Leave,
    /// Settling a batch that has been judged, or closing one that was halted too long.
    Settle,
    /// Collecting fills, refunds and rewards.
    Claim,
    /// Buying at the floor with insurance money.
    Backstop,
    /// Ending a debt for collateral at the floor, in a wind-down.
    TakeInKind,
}

impl Action {
    /// Every action, in the order of the tables.
    pub const ALL: [Self; 18] = [
        Self::Supply,
        Self::Redeem,
        Self::TopUp,
        Self::Repay,
        Self::WithdrawFree,
        Self::WithdrawIndebted,
        Self::Borrow,
        Self::Sync,
        Self::OpenBatch,
        Self::Reauction,
        Self::Bid,
        Self::Cancel,
        Self::Clear,
        Self::Leave,
        Self::Settle,
        Self::Claim,
        Self::Backstop,
        Self::TakeInKind,
    ];

    /// The mildest stage that refuses this; `None` where nothing does (promise 6).
    #[must_use]
    pub const fn stopped_from(self) -> Option<Stage> {
        match self {
            Self::Supply
            | Self::Redeem
            | Self::TopUp
            | Self::Repay
            | Self::WithdrawFree
            | Self::Sync
            | Self::Cancel
            | Self::Settle
            | Self::Claim => None,
            Self::WithdrawIndebted | Self::Borrow | Self::OpenBatch => Some(Stage::NoNewRisk),
            Self::Reauction => Some(Stage::NoReauction),
            Self::Bid | Self::Clear | Self::Leave | Self::Backstop | Self::TakeInKind => {
                Some(Stage::Halted)
            }
        }
    }

    /// Whether this works with an oracle in a status. Where it is not refused in
    /// [`FeedStatus::Quarantined`], it uses the worse of the accepted and the quarantined price
    /// wherever it counts on one.
    #[must_use]
    pub const fn tolerates(self, status: FeedStatus) -> bool {
        match self {
            Self::Supply
            | Self::Redeem
            | Self::TopUp
            | Self::Repay
            | Self::WithdrawFree
            | Self::Sync
            | Self::Bid
            | Self::Cancel
            | Self::Clear
            | Self::Leave
            | Self::Settle
            | Self::Claim => true,
            Self::WithdrawIndebted | Self::Borrow | Self::OpenBatch | Self::Reauction => {
                matches!(status, FeedStatus::Fresh | FeedStatus::Quarantined)
            }
            Self::Backstop | Self::TakeInKind => matches!(status, FeedStatus::Fresh),
        }
    }
}

/// Whether a stage allows an action.
#[must_use]
pub fn allowed(stage: Stage, action: Action) -> bool {
    action.stopped_from().is_none_or(|from| stage < from)
}
