//! The Dutch clock: the price of every step, fixed when a batch opens.

use crate::math::{MathError, Rounding};
use crate::units::{Block, Price, Ratio};
use alloc::vec::Vec;
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// The most steps a ladder may have.
pub const MAX_STEPS: u8 = 64;

/// The most blocks a step may last: longer steps raise bad debt in fast markets.
pub const MAX_BLOCKS_PER_STEP: u8 = 2;

/// The highest floor, as a multiple of spot.
pub const MAX_FLOOR: Ratio = Ratio::from_bps(9_500);

/// How the price gets from the start to the floor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Curve {
    /// Equal decrements.
    Linear {
        /// Number of steps, 2 to 64.
        steps: u8,
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
            blocks_per_step: 1,
            announce_blocks: 1,
        }
    }

    /// Whether every parameter is inside its hard bounds.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        let within =
            |r: Ratio, low: u32, high: u32| r >= Ratio::from_ppm(low) && r <= Ratio::from_ppm(high);
        let curve = match self.curve {
            Curve::Linear { steps } => (2..=MAX_STEPS).contains(&steps),
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
            && within(self.start, 1_010_000, 1_100_000)
            && within(self.floor, 800_000, 950_000)
            && !self.absolute_floor.is_zero()
            && (1..=MAX_BLOCKS_PER_STEP).contains(&self.blocks_per_step)
            && self.announce_blocks >= 1
    }

    /// Whether the floor leaves room under this spot: at most [`MAX_FLOOR`] of it.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn has_room(&self, spot: Price) -> Result<bool, MathError> {
        Ok(self.floor_price(spot)? <= spot.times(MAX_FLOOR, Rounding::Up)?)
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
    pub fn prices(&self, spot: Price, twap: Price) -> Result<Vec<Price>, MathError> {
        let floor = self.floor_price(spot)?;
        let start = spot.max(twap).times(self.start, Rounding::Up)?.max(floor);
        let mut prices = Vec::new();
        match self.curve {
            Curve::Linear { steps } => descend(&mut prices, start, floor, steps, true)?,
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
/// is `to` itself, else `to` would be the next.
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
    let height = from.minus(to)?;
    for step in 0..steps {
        let fallen = height.mul_div(u128::from(step), u128::from(intervals), Rounding::Down)?;
        prices.push(from.minus(fallen)?);
    }
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
mod tests {
    use super::*;
    use crate::units::PRICE_ONE;
    use proptest::prelude::*;

    fn price(whole: u128) -> Price {
        Price::new(whole * PRICE_ONE)
    }

    #[test]
    fn the_standard_ladder_has_the_published_shape() {
        let prices = LadderParams::standard()
            .prices(price(100), price(100))
            .unwrap();
        assert_eq!(prices.len(), 64);
        assert_eq!(prices[0], price(103));
        assert_eq!(prices[5], Price::new(100_500_000_000_000_000_000));
        assert_eq!(prices[50], price(97));
        assert_eq!(prices[63], price(90));
        // Around the oracle a step is 3.5 % / 45 = 7.8 basis points.
        let step = prices[10].get() - prices[11].get();
        assert_eq!(step * 10_000 * 10 / price(100).get(), 77);
    }

    /// D2, linear: 240 to 0 in 21 600 steps gives 195 at 4 050 and 110 at 11 700; the same line
    /// with 49 steps has 195 and 110 at the same fractions of its length.
    #[test]
    fn a_linear_ladder_is_a_straight_line() {
        let params = LadderParams {
            curve: Curve::Linear { steps: 14 },
            start: Ratio::from_ppm(1_030_000),
            ..LadderParams::standard()
        };
        let prices = params.prices(price(100), price(100)).unwrap();
        let expected: Vec<_> = (0..14).map(|i| price(103 - i)).collect();
        assert_eq!(prices, expected);
    }

    #[test]
    fn a_lagging_twap_raises_only_the_start() {
        let prices = LadderParams::standard()
            .prices(price(80), price(100))
            .unwrap();
        assert_eq!(prices[0], price(103));
        assert_eq!(prices[5], Price::new(80_400_000_000_000_000_000));
        assert_eq!(prices[63], price(72));
    }

    proptest! {
        /// Promise 3 and I-11, I-12: never rising, never under the floor, ending at it.
        #[test]
        fn prices_never_rise_and_never_leave_start_and_floor(
            spot in 1u128..1 << 100, twap in 1u128..1 << 100, floor in 1u128..1 << 100,
        ) {
            let params = LadderParams {
                absolute_floor: Price::new(floor), ..LadderParams::standard()
            };
            let (spot, twap) = (Price::new(spot), Price::new(twap));
            let prices = params.prices(spot, twap).unwrap();
            let lowest = params.floor_price(spot).unwrap();
            prop_assert_eq!(prices.len(), 64);
            prop_assert!(prices.windows(2).all(|pair| pair[1] <= pair[0]));
            prop_assert_eq!(*prices.last().unwrap(), lowest);
            prop_assert!(!lowest.is_zero());
        }

        /// Every block belongs to the step whose interval contains it.
        #[test]
        fn steps_tile_the_blocks(first in 1u32..1_000, per in 1u8..=2, steps in 1u8..=64, block in 0u32..2_000) {
            let schedule = Schedule { first, blocks_per_step: per, steps };
            let expected = (0..steps).find(|s| {
                block < schedule.begins(*s) + u32::from(per)
            });
            prop_assert_eq!(schedule.step_at(block), expected);
            let ended = (0..steps).filter(|s| block >= schedule.begins(*s) + u32::from(per)).count();
            prop_assert_eq!(usize::from(schedule.ended(block)), ended);
        }
    }
}
