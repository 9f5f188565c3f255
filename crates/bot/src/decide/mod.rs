//! Decisions as pure functions of a view, a configuration and what is remembered.

pub mod bidder;
pub mod depth;
pub mod feeder;
pub mod keeper;

use breakwater_core::math::Rounding;
use breakwater_core::units::{Price, Ratio};

#[cfg(test)]
pub(crate) mod tests;

/// Whether two prices differ by more than a share of the second.
#[must_use]
pub fn apart(one: Price, other: Price, share: Ratio) -> bool {
    let room = other.times(share, Rounding::Down).unwrap_or(other);
    one.max(other).minus_or_zero(one.min(other)) > room
}
