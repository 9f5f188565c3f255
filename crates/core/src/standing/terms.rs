//! What standing bids go by of a market's parameters.

use super::seen::fresh_for;
use super::Discount;
use crate::market::MarketParams;
use crate::math::{MathError, Rounding};
use crate::units::{Amount, Block};
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// The least that is put into a tier is this part of the market's least debt.
const LEAST_STANDING: u128 = 100;

/// The terms of a market's standing bids. They never change under a running auction (promise 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct StandingTerms {
    /// Blocks for which an accepted round is fresh enough for standing bids.
    pub fresh_for: Block,
    /// The deepest tier whose price can be at or above the ladder's floor.
    pub deepest: Discount,
    /// The least that is put into a tier, and taken out of it unless it is all; quote units, a
    /// hundredth of the least debt rounded up.
    pub least: Amount,
}

impl StandingTerms {
    /// The terms that follow from a market's parameters.
    ///
    /// # Errors
    /// [`MathError`].
    pub fn of(params: &MarketParams) -> Result<Self, MathError> {
        Ok(Self {
            fresh_for: fresh_for(params.max_price_age),
            deepest: Discount::deepest_over(params.ladder.floor),
            least: params.min_debt.mul_div(1, LEAST_STANDING, Rounding::Up)?,
        })
    }
}
