//! Fair prices, block by block: what one unit of collateral could be sold for elsewhere.

mod crash;

pub use crash::{openings, Candle, CrashDay};

use crate::random::Dice;

/// Seconds in a day.
const DAY: f64 = 86_400.0;

/// Fair prices at the blocks of one run.
#[derive(Clone, Debug, PartialEq)]
pub struct FairPath {
    /// Quote per collateral at each block.
    pub prices: Vec<f64>,
    /// Seconds between two blocks.
    pub block_seconds: f64,
}

impl FairPath {
    /// Geometric Brownian motion without drift: the price is a martingale, so nothing is gained
    /// or lost by waiting alone. `volatility` is that of a day, such as 0.05.
    #[must_use]
    pub fn random_walk(
        dice: &mut Dice,
        start: f64,
        volatility: f64,
        block_seconds: f64,
        blocks: usize,
    ) -> Self {
        let mut prices = Vec::with_capacity(blocks);
        prices.push(start);
        extend(
            &mut prices,
            dice,
            volatility * (block_seconds / DAY).sqrt(),
            blocks.saturating_sub(1),
        );
        Self {
            prices,
            block_seconds,
        }
    }

    /// The price at a block; the last one after the end of the path.
    #[must_use]
    pub fn at(&self, block: usize) -> f64 {
        let last = self.prices.len().saturating_sub(1);
        self.prices.get(block.min(last)).copied().unwrap_or(0.0)
    }
}

/// Appends blocks of a martingale whose logarithm moves by `step` a block.
fn extend(prices: &mut Vec<f64>, dice: &mut Dice, step: f64, blocks: usize) {
    let mut price = prices.last().copied().unwrap_or(1.0);
    for _ in 0..blocks {
        price *= (step * dice.normal() - step * step / 2.0).exp();
        prices.push(price);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Estimate;

    #[test]
    fn a_random_walk_goes_nowhere_on_average_and_moves_as_told() {
        let ends: Vec<f64> = (0..4_000)
            .map(|run| {
                let mut dice = Dice::new(3, run);
                let path = FairPath::random_walk(&mut dice, 100.0, 0.05, 6.0, 101);
                assert_eq!(path.prices.len(), 101);
                path.at(100) / 100.0
            })
            .collect();
        let mean = Estimate::of(ends.iter().copied());
        assert!((mean.mean - 1.0).abs() < 2.0 * mean.half_width);
        // 100 blocks of 6 s: σ² = 0.05² · 600 / 86 400.
        let variance = Estimate::of(ends.iter().map(|end| end.ln().powi(2)));
        let expected = 0.05f64.powi(2) * 600.0 / 86_400.0;
        assert!((variance.mean - expected).abs() < 2.0 * variance.half_width);
    }
}
