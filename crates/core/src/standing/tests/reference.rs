//! Numbers with 400 binary digits after the point: exact as far as any test can tell.

use num_bigint::BigUint;
use num_traits::ToPrimitive;

const DIGITS: u32 = 400;

/// A non-negative real number.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Real(BigUint);

impl Real {
    pub fn of(units: u128) -> Self {
        Self(BigUint::from(units) << DIGITS)
    }

    pub fn plus(&self, other: &Self) -> Self {
        Self(&self.0 + &other.0)
    }

    /// The difference, or zero.
    pub fn minus(&self, other: &Self) -> Self {
        if self.0 < other.0 {
            Self::default()
        } else {
            Self(&self.0 - &other.0)
        }
    }

    pub fn times(&self, numerator: u128, denominator: u128) -> Self {
        Self(&self.0 * numerator / denominator)
    }

    /// `amount · self / all`.
    pub fn part_of(&self, all: u128, amount: u128) -> Self {
        self.times(amount, all)
    }

    pub fn floor(&self) -> u128 {
        (&self.0 >> DIGITS).to_u128().unwrap()
    }
}
