//! What auctions showed lately. Only batches of a size that counts are counted, each by its size,
//! and only for a while: so small batches trip nothing, and nothing is held against a market for
//! ever.

use super::trigger::Measures;
use crate::math::{mul_div, MathError, Rounding};
use crate::units::{Amount, Block, Ratio};
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// What one batch showed, running or ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct BatchFacts {
    /// What its cohorts asked for at its start price.
    pub asked: Amount,
    /// What it raised.
    pub raised: Amount,
    /// What the collateral it sold was worth at the opening reference.
    pub fair: Amount,
    /// Debt written off in its settlement.
    pub bad_debt: Amount,
    /// Ended steps priced under the oracle's price before its first bid, while bidders were not
    /// heard.
    pub silent_steps: u8,
}

/// Sums over batches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
struct Sums {
    asked: Amount,
    raised: Amount,
    fair: Amount,
    /// What those asked for that raised anything.
    bought: Amount,
    bad_debt: Amount,
    /// `Σ asked · silent steps`.
    silent: Amount,
}

/// Sums of the present window and of the one before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Evidence {
    began: Block,
    present: Sums,
    past: Sums,
}

impl Sums {
    fn plus(self, facts: &BatchFacts) -> Result<Self, MathError> {
        let silent = facts
            .asked
            .mul_div(u128::from(facts.silent_steps), 1, Rounding::Down)?;
        let bought = if facts.raised.is_zero() {
            Amount::ZERO
        } else {
            facts.asked
        };
        Ok(Self {
            asked: self.asked.plus(facts.asked)?,
            bought: self.bought.plus(bought)?,
            raised: self.raised.plus(facts.raised)?,
            fair: self.fair.plus(facts.fair)?,
            bad_debt: self.bad_debt.plus(facts.bad_debt)?,
            silent: self.silent.plus(silent)?,
        })
    }

    fn merge(self, other: Self) -> Result<Self, MathError> {
        Ok(Self {
            asked: self.asked.plus(other.asked)?,
            bought: self.bought.plus(other.bought)?,
            raised: self.raised.plus(other.raised)?,
            fair: self.fair.plus(other.fair)?,
            bad_debt: self.bad_debt.plus(other.bad_debt)?,
            silent: self.silent.plus(other.silent)?,
        })
    }
}

/// `part / whole` in millionths, rounded down, within a ratio's range; 0 without a whole.
fn share(part: Amount, whole: Amount) -> Ratio {
    match mul_div(part.get(), Ratio::DENOMINATOR, whole.get(), Rounding::Down) {
        Ok(ppm) => u32::try_from(ppm).map_or(Ratio::from_ppm(u32::MAX), Ratio::from_ppm),
        Err(MathError::DivisionByZero) => Ratio::ZERO,
        Err(_) => Ratio::from_ppm(u32::MAX),
    }
}

impl BatchFacts {
    /// Whether a batch is large enough to count: it asked for at least an eighth of the hole.
    #[must_use]
    pub fn counts(&self, hole: Amount) -> bool {
        hole.mul_div(1, 8, Rounding::Up)
            .is_ok_and(|least| self.asked >= least)
    }
}

impl Evidence {
    /// Counts an ended batch; returns whether it was large enough to count.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn record(
        &mut self,
        facts: &BatchFacts,
        hole: Amount,
        now: Block,
        window: Block,
    ) -> Result<bool, MathError> {
        if !facts.counts(hole) {
            return Ok(false);
        }
        *self = self.rolled(now, window);
        self.present = self.present.plus(facts)?;
        Ok(true)
    }

    fn rolled(&self, now: Block, window: Block) -> Self {
        let old = now.saturating_sub(self.began);
        if old >= window.saturating_mul(2) {
            Self {
                began: now,
                ..Self::default()
            }
        } else if old >= window {
            Self {
                began: self.began.saturating_add(window),
                present: Sums::default(),
                past: self.present,
            }
        } else {
            *self
        }
    }

    /// What ended batches of the last one to two windows and the running ones show together.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn measures(
        &self,
        running: &[BatchFacts],
        hole: Amount,
        now: Block,
        window: Block,
    ) -> Result<Measures, MathError> {
        let rolled = self.rolled(now, window);
        let mut sums = rolled.present.merge(rolled.past)?;
        let mut in_auction = Amount::ZERO;
        for facts in running {
            in_auction = in_auction.plus(facts.asked)?;
            if facts.counts(hole) {
                sums = sums.plus(facts)?;
            }
        }
        let silent = mul_div(sums.silent.get(), 1, sums.asked.get(), Rounding::Down);
        Ok(Measures {
            in_auction,
            bad_debt: sums.bad_debt,
            shortfall: share(sums.fair.minus_or_zero(sums.raised), sums.fair),
            excess: share(sums.raised.minus_or_zero(sums.fair), sums.bought),
            silent_steps: u32::try_from(silent.unwrap_or(0)).unwrap_or(u32::MAX),
            ..Measures::default()
        })
    }
}
