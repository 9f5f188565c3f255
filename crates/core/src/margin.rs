//! A maintenance margin that follows measured volatility: inside bounds, step by step, for new
//! risk at once and for open positions after notice (requirement F09).
//!
//! `target = clamp(base · max(1, σ/σ_ref), base, highest)`

use crate::math::{mul_div, MathError, Rounding};
use crate::oracle::Variance;
use crate::units::{Block, Ratio};
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// The longest notice: a week of six-second blocks.
pub const LONGEST_NOTICE: Block = 100_800;

/// Seconds of the horizon that volatilities are compared over: a day.
const HORIZON: u64 = 86_400;

/// What governance decides about a market's margin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct MarginRule {
    /// Maintenance margin in calm times, `1 − LT`, and the least at all times.
    pub base: Ratio,
    /// The most it may become.
    pub highest: Ratio,
    /// `σ_ref`: daily volatility up to which the margin stays at its base.
    pub reference: Ratio,
    /// Most that one update raises it by.
    pub rise: Ratio,
    /// Most that one update lowers it by.
    pub fall: Ratio,
    /// Blocks between updates, at least.
    pub spacing: Block,
    /// Blocks between announcing a higher margin and asking it of open positions.
    pub notice: Block,
}

/// Why a margin stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum MarginError {
    /// Not `0 < base ≤ highest < 1`, or a step, the reference or a duration is zero or too long.
    InvalidRule,
    /// The last update was fewer blocks ago than the spacing.
    TooSoon,
    /// A number left its range.
    Math(MathError),
}

impl From<MathError> for MarginError {
    fn from(error: MathError) -> Self {
        Self::Math(error)
    }
}

/// A higher margin that open positions will have to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Announced {
    /// The margin.
    pub margin: Ratio,
    /// First block in which it is asked.
    pub from: Block,
}

/// The margins of one market.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Margin {
    /// Asked of new risk: of who borrows, or withdraws against debt.
    pub new_risk: Ratio,
    /// Asked of open positions, until what is announced takes over.
    kept: Ratio,
    announced: Option<Announced>,
    updated: Block,
}

impl MarginRule {
    /// Checks the bounds.
    ///
    /// # Errors
    /// [`MarginError::InvalidRule`].
    pub fn validate(&self) -> Result<(), MarginError> {
        let positive = [self.base, self.reference, self.rise, self.fall];
        let durations = [self.spacing, self.notice];
        if positive.contains(&Ratio::ZERO)
            || self.base > self.highest
            || self.highest >= Ratio::ONE
            || !durations
                .iter()
                .all(|blocks| (1..=LONGEST_NOTICE).contains(blocks))
        {
            return Err(MarginError::InvalidRule);
        }
        Ok(())
    }

    /// The margin that a volatility calls for, rounded up.
    #[must_use]
    pub fn target(&self, variance: Variance) -> Ratio {
        let sigma = variance.deviation_over(HORIZON).max(self.reference);
        mul_div(
            self.base.ppm(),
            sigma.ppm(),
            self.reference.ppm(),
            Rounding::Up,
        )
        .ok()
        .and_then(|ppm| u32::try_from(ppm).ok())
        .map_or(self.highest, Ratio::from_ppm)
        .clamp(self.base, self.highest)
    }
}

impl Margin {
    /// The margin of a new market.
    #[must_use]
    pub const fn new(rule: &MarginRule) -> Self {
        Self {
            new_risk: rule.base,
            kept: rule.base,
            announced: None,
            updated: 0,
        }
    }

    /// What open positions must keep in a block. What is announced counts from its block on.
    #[must_use]
    pub fn kept_in(&self, now: Block) -> Ratio {
        match self.announced {
            Some(announced) if now >= announced.from => announced.margin,
            _ => self.kept,
        }
    }

    /// What has been announced and does not count yet.
    #[must_use]
    pub fn announced(&self, now: Block) -> Option<Announced> {
        self.announced.filter(|announced| now < announced.from)
    }

    /// Follows the volatility by one step; returns whether anything changed. Without a measured
    /// volatility everything stays as it is.
    ///
    /// New risk feels a rise at once. Open positions feel it after the notice, one step at a
    /// time; a fall they feel at once. In the block of an update they feel no rise at all.
    ///
    /// # Errors
    /// [`MarginError::TooSoon`], [`MarginError::Math`].
    pub fn update(
        &mut self,
        rule: &MarginRule,
        variance: Option<Variance>,
        now: Block,
    ) -> Result<bool, MarginError> {
        let Some(variance) = variance else {
            return Ok(false);
        };
        if self.updated > 0 && now < self.updated.saturating_add(rule.spacing) {
            return Err(MarginError::TooSoon);
        }
        let before = *self;
        let target = rule.target(variance);
        self.new_risk = if target > self.new_risk {
            target.min(self.new_risk.plus(rule.rise)?)
        } else {
            let lowest = self.new_risk.minus(rule.fall).unwrap_or_default();
            target.max(lowest)
        };
        self.kept = self.kept_in(now).min(self.new_risk);
        let waiting = self.announced(now).filter(|a| a.margin > self.kept);
        self.announced = match waiting {
            // One step at a time: the next is announced when this one counts.
            Some(waiting) => Some(Announced {
                margin: waiting.margin.min(self.new_risk),
                ..waiting
            })
            .filter(|a| a.margin > self.kept),
            None if self.new_risk > self.kept => Some(Announced {
                margin: self.new_risk.min(self.kept.plus(rule.rise)?),
                from: now.saturating_add(rule.notice),
            }),
            None => None,
        };
        self.updated = now;
        Ok(self.new_risk != before.new_risk
            || self.kept != before.kept_in(now)
            || self.announced != before.announced(now))
    }
}

#[cfg(test)]
mod tests;
