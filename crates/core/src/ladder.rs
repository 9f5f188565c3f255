//! The Dutch clock: the price of every step, fixed when a batch opens.

mod scaling;

pub use scaling::{Measures, Scaling};

use crate::math::{MathError, Rounding};
use crate::units::{Block, Price, Ratio};
use alloc::vec::Vec;
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// The most steps a ladder may have.
pub const MAX_STEPS: u8 = 64;

/// The most blocks a step may last: longer steps raise bad debt in fast markets.
pub const MAX_BLOCKS_PER_STEP: u8 = 2;

/// The lowest start, as a multiple of the higher of spot and TWAP.
pub const MIN_START: Ratio = Ratio::from_bps(10_100);

/// The highest start, as a multiple of the higher of spot and TWAP.
pub const MAX_START: Ratio = Ratio::from_bps(11_000);

/// The lowest floor, as a multiple of spot.
pub const MIN_FLOOR: Ratio = Ratio::from_bps(8_000);

/// The highest floor, as a multiple of spot.
pub const MAX_FLOOR: Ratio = Ratio::from_bps(9_500);

/// The least that an exponential ladder keeps of its price in a step.
pub const MIN_KEEP: Ratio = Ratio::from_bps(5_000);

/// How the price gets from the start to the floor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Curve {
    /// Equal decrements.
    Linear {
        /// Number of steps, 2 to 64.
        steps: u8,
    },
    /// Each price is the one before it times `keep`, rounded up; the last one is the floor.
    Exponential {
        /// Number of steps, 2 to 64: enough to come down to the floor.
        steps: u8,
        /// What a step keeps of the price, 0.5 to under 1.
        keep: Ratio,
    },
    /// Fast to just above the oracle, slow past it, fast to the floor: the step is narrow where
    /// bids are expected, and that is what decides how much a batch loses to its fair price.
    TwoSpeed {
        /// Steps from the start to the upper knee.
        above: u8,
        /// Upper knee, as a multiple of spot.
        upper: Ratio,
        /// Steps from the upper to the lower knee.
        around: u8,
        /// Lower knee, as a multiple of spot.
        lower: Ratio,
        /// Steps from the lower knee to the floor.
        below: u8,
    },
}

/// Shape and pace of a market's price ladder; frozen into every batch at its opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct LadderParams {
    /// Start, as a multiple of the higher of spot and TWAP; 1.01 to 1.10.
    pub start: Ratio,
    /// Floor, as a multiple of spot; 0.80 to 0.95.
    pub floor: Ratio,
    /// No batch ever sells under this price.
    pub absolute_floor: Price,
    /// The path between them.
    pub curve: Curve,
    /// How start, slope and floor answer to volatility and standing depth.
    pub scaling: Scaling,
    /// Blocks a step lasts; 1 or 2.
    pub blocks_per_step: u8,
    /// Blocks between the opening and the first step; at least 1.
    pub announce_blocks: u8,
}

impl LadderParams {
    /// The defaults of the protocol: 1.03 → 1.005 in 5 steps, → 0.97 in 45, → 0.90 in 14, one
    /// block each.
    #[must_use]
    pub const fn standard() -> Self {
        Self {
            start: Ratio::from_ppm(1_030_000),
            floor: Ratio::from_ppm(900_000),
            absolute_floor: Price::new(1),
            curve: Curve::TwoSpeed {
                above: 5,
                upper: Ratio::from_ppm(1_005_000),
                around: 45,
                lower: Ratio::from_ppm(970_000),
                below: 14,
            },
            scaling: Scaling::STANDARD,
            blocks_per_step: 1,
            announce_blocks: 1,
        }
    }

    /// Whether every parameter is inside its hard bounds.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        let curve = match self.curve {
            Curve::Linear { steps } => (2..=MAX_STEPS).contains(&steps),
            Curve::Exponential { steps, keep } => {
                let arrives = (1..steps)
                    .try_fold(self.start, |at, _| at.times(keep))
                    .is_ok_and(|last| last <= self.floor);
                (2..=MAX_STEPS).contains(&steps)
                    && (MIN_KEEP..Ratio::ONE).contains(&keep)
                    && arrives
            }
            Curve::TwoSpeed {
                above,
                upper,
                around,
                lower,
                below,
            } => {
                let steps = above.saturating_add(around).saturating_add(below);
                above >= 1
                    && around >= 1
                    && below >= 2
                    && steps <= MAX_STEPS
                    && self.start >= upper
                    && upper > lower
                    && lower >= self.floor
            }
        };
        curve
            && (MIN_START..=MAX_START).contains(&self.start)
            && (MIN_FLOOR..=MAX_FLOOR).contains(&self.floor)
            && self.scaling.is_valid()
            && !self.absolute_floor.is_zero()
            && (1..=MAX_BLOCKS_PER_STEP).contains(&self.blocks_per_step)
            && self.announce_blocks >= 1
    }

    /// Whether the floor leaves room under this spot: at most [`MAX_FLOOR`] of it.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn has_room(&self, spot: Price, measures: Measures) -> Result<bool, MathError> {
        let floor = self.measured(measures)?.floor_price(spot)?;
        Ok(floor <= spot.times(MAX_FLOOR, Rounding::Up)?)
    }

    /// The lowest price of a batch opened at this spot: `max(absolute floor, ⌈spot · floor⌉)`.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn floor_price(&self, spot: Price) -> Result<Price, MathError> {
        Ok(spot
            .times(self.floor, Rounding::Up)?
            .max(self.absolute_floor))
    }

    /// The price of every step of a batch opened at these prices: non-increasing, starting at
    /// `max(spot, twap) · start`, ending exactly at the floor. Every price is rounded up, in
    /// favour of the owners whose collateral is sold.
    ///
    /// # Errors
    /// [`MathError`] where a price leaves the type's range.
    pub fn prices(
        &self,
        spot: Price,
        twap: Price,
        measures: Measures,
    ) -> Result<Vec<Price>, MathError> {
        let params = self.measured(measures)?;
        let floor = params.floor_price(spot)?;
        let start = spot.max(twap).times(params.start, Rounding::Up)?.max(floor);
        let mut prices = Vec::new();
        match params.curve {
            Curve::Linear { steps } => descend(&mut prices, start, floor, steps, true)?,
            Curve::Exponential { steps, keep } => decay(&mut prices, start, floor, steps, keep)?,
            Curve::TwoSpeed {
                above,
                upper,
                around,
                lower,
                below,
            } => {
                // An absolute floor above a knee flattens the ladder there.
                let upper = spot.times(upper, Rounding::Up)?.max(floor);
                let lower = spot.times(lower, Rounding::Up)?.max(floor);
                descend(&mut prices, start, upper, above, false)?;
                descend(&mut prices, upper, lower, around, false)?;
                descend(&mut prices, lower, floor, below, true)?;
            }
        }
        Ok(prices)
    }
}

/// Appends `steps` prices falling linearly from `from` towards `to`; with `reach` the last one
/// is `to` itself, else `to` would be the next. Exact, rounded up.
fn descend(
    prices: &mut Vec<Price>,
    from: Price,
    to: Price,
    steps: u8,
    reach: bool,
) -> Result<(), MathError> {
    let intervals = if reach {
        steps.saturating_sub(1)
    } else {
        steps
    };
    for step in 0..steps {
        prices.push(on_line(from, to, u32::from(step), u32::from(intervals))?);
    }
    Ok(())
}

/// `⌈from − (from − to) · step / intervals⌉`.
fn on_line(from: Price, to: Price, step: u32, intervals: u32) -> Result<Price, MathError> {
    let height = from.minus(to)?;
    from.minus(height.mul_div(u128::from(step), u128::from(intervals), Rounding::Down)?)
}

/// Appends `steps` prices, each `⌈keep⌉` of the one before it and never under `floor`. The last
/// one is the floor, also where a lagging average or a volatile market has put the start so high
/// that the curve would not get there.
fn decay(
    prices: &mut Vec<Price>,
    start: Price,
    floor: Price,
    steps: u8,
    keep: Ratio,
) -> Result<(), MathError> {
    let mut price = start;
    for _ in 1..steps {
        prices.push(price);
        price = price.times(keep, Rounding::Up)?.max(floor);
    }
    prices.push(floor);
    Ok(())
}

/// When the steps of one batch begin and end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Schedule {
    /// Block in which step 0 begins.
    pub first: Block,
    /// Blocks a step lasts.
    pub blocks_per_step: u8,
    /// Number of steps.
    pub steps: u8,
}

impl Schedule {
    /// The step that a block belongs to: 0 before the first, `None` after the last.
    #[must_use]
    pub fn step_at(&self, block: Block) -> Option<u8> {
        let elapsed = block.saturating_sub(self.first);
        let step = elapsed.checked_div(u32::from(self.blocks_per_step))?;
        u8::try_from(step).ok().filter(|step| *step < self.steps)
    }

    /// The block in which a step begins.
    #[must_use]
    pub fn begins(&self, step: u8) -> Block {
        self.first
            .saturating_add(u32::from(step).saturating_mul(u32::from(self.blocks_per_step)))
    }

    /// Whether a step has begun.
    #[must_use]
    pub fn has_begun(&self, step: u8, block: Block) -> bool {
        block >= self.begins(step)
    }

    /// How many steps have ended before this block.
    #[must_use]
    pub fn ended(&self, block: Block) -> u8 {
        if block < self.first {
            return 0;
        }
        self.step_at(block).unwrap_or(self.steps)
    }
}

#[cfg(test)]
mod tests;
