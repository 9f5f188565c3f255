//! The circuit breaker: what stops in which stage, what raises a stage, and how it is lowered.
//!
//! | module | rule |
//! |---|---|
//! | [`action`] | stage × message and oracle status × message, as code |
//! | [`messages`] | every message and the action it is |
//! | [`trigger`] | measured facts, their limits and their hysteresis |
//! | [`evidence`] | what auctions showed lately, weighted by size |
//! | [`state`] | stage, causes, cool-off, grace period |
//! | [`together`] | facts of all markets together |
//!
//! The tables and the reasons for the default limits are in `docs/breaker.md`.

pub mod action;
pub mod evidence;
pub mod messages;
pub mod state;
pub mod together;
pub mod trigger;

#[cfg(test)]
mod tests;

pub use action::Action;
pub use evidence::{BatchFacts, Evidence};
pub use state::{effective, ensure_allowed, Breaker, Raiser};
pub use together::Together;
pub use trigger::{stale_since, Cause, Causes, Limits, Measures};

use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// How much stands still. Each stage stops what the one before it stops, and more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, TypeInfo)]
pub enum Stage {
    /// Nothing is stopped.
    #[default]
    Open,
    /// No new batches, no borrowing, no withdrawing against debt.
    NoNewRisk,
    /// Also no re-auction of what a batch left.
    NoReauction,
    /// Also no bids and no clearing; the price clock stands.
    Halted,
}

impl Stage {
    /// Every stage, mildest first.
    pub const ALL: [Self; 4] = [Self::Open, Self::NoNewRisk, Self::NoReauction, Self::Halted];
}

/// Why the breaker refuses, or why something is refused because of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum BreakerError {
    /// The present stage does not allow this.
    Stopped(Stage),
    /// After a halt no batch opens before the grace period is over.
    GracePeriod,
    /// The stage asked for is not above the present one.
    NotHigher,
    /// The stage asked for is not below the present one.
    NotLower,
    /// The fact claimed is inside its limit.
    WithinBounds,
    /// The fact has been counted, and its stage is reached.
    AlreadyTripped,
    /// The governor lowered the stage lately; facts do not raise it again yet.
    Locked,
    /// The cool-off is not over.
    CoolingOff,
    /// A cause still holds, or is not far enough inside its limit.
    CauseRemains(Cause),
    /// A limit of zero, a hysteresis or recovery outside (0, 1), a stage that stops nothing, or a
    /// duration beyond its bound.
    InvalidLimits,
}
