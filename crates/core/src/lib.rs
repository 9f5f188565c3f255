//! The rules of Breakwater, one place for each.
//!
//! Everything that decides about money lives here, free of `std`, of ink! and of any chain:
//! contracts load state, call a rule of this crate, store what it returns and emit an event.
//!
//! | module | rule |
//! |---|---|
//! | [`units`] | amounts, prices, ratios, shares: newtypes with checked arithmetic |
//! | [`math`] | 256-bit multiply-divide with an explicit rounding direction |
//! | [`tick`] | the scale of debt ratios that orders all positions of a market |
//! | [`page`] | cohorts and the storage pages they share |
//! | [`market`] | market parameters with hard bounds, and market totals |
//! | [`lending`] | lenders' shares |
//! | [`interest`] | the interest curve, the borrow index and the insurance reserve |
//! | [`position`] | one borrower's position and its health |
//! | [`ledger`] | state transitions of positions, and batches taken from the ticks |
//! | [`batch`] | what a cohort must raise and what a clearing leaves of it |
//! | [`losses`] | who bears a shortfall, in which order |
//! | [`inventory`] | what insurance takes at the floor, and how it gets rid of it |
//! | [`ladder`] | the Dutch clock: prices step by step |
//! | [`auction`] | bids, clearing at the best step, fills |
//! | [`standing`] | money in discount tiers, shared by product and sum |
//! | [`roles`] | two-step governance, and a guardian who may only restrict |
//! | [`timelock`] | notice before a change of parameters |
//! | [`wind_down`] | the orderly end of a market |
//! | [`oracle`] | submissions, medians, accepted rounds, quarantine, volatility |
//! | [`breaker`] | what stops in which stage, and what raises and lowers it |
//! | [`margin`] | a maintenance margin that follows volatility, with notice |
#![cfg_attr(not(feature = "std"), no_std)]
#![deny(missing_docs)]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    clippy::expect_used
)]
#![deny(clippy::indexing_slicing, clippy::panic)]
// The codec's derive casts variant indices; hand-written code has no narrowing `as`.
#![allow(clippy::cast_possible_truncation)]
#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

extern crate alloc;

pub mod auction;
pub mod batch;
pub mod breaker;
pub mod interest;
pub mod inventory;
pub mod ladder;
pub mod ledger;
pub mod lending;
pub mod losses;
pub mod margin;
pub mod market;
pub mod math;
pub mod oracle;
pub mod page;
pub mod position;
pub mod roles;
pub mod standing;
pub mod tick;
pub mod timelock;
pub mod units;
mod wide;
pub mod wind_down;
