//! A crash day: real candles, with the way inside each of them drawn at random.

use super::{extend, FairPath};
use crate::random::Dice;

/// The price of one interval, quote per collateral.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candle {
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
}

impl Candle {
    /// Variance of the logarithm over the candle, after Parkinson: `ln²(high/low) / (4 ln 2)`.
    fn variance(&self) -> f64 {
        (self.high / self.low).ln().powi(2) / (4.0 * 2f64.ln())
    }
}

/// Candles of equal length that follow each other.
#[derive(Clone, Debug, PartialEq)]
pub struct CrashDay {
    /// What it is called in tables.
    pub name: String,
    /// Length of a candle.
    pub candle_seconds: f64,
    /// The candles.
    pub candles: Vec<Candle>,
}

impl CrashDay {
    /// A path through every close. Between two closes the logarithm is a Brownian bridge with
    /// the candle's own volatility; after the last candle the price goes on as a martingale of
    /// that candle's volatility for `tail` blocks, so that auctions opened late can end.
    #[must_use]
    pub fn path(&self, dice: &mut Dice, block_seconds: f64, tail: usize) -> FairPath {
        let blocks = (self.candle_seconds / block_seconds).round().max(1.0) as usize;
        let mut prices = Vec::with_capacity(self.candles.len() * blocks + tail);
        prices.extend(self.candles.first().map(|candle| candle.close));
        let mut step = 0.0;
        for pair in self.candles.windows(2) {
            let [from, to] = pair else { continue };
            step = (to.variance() / blocks as f64).sqrt();
            // A walk, pulled straight so that it ends at the close.
            let mut walk = Vec::with_capacity(blocks);
            let mut at = 0.0;
            for _ in 0..blocks {
                at += step * dice.normal();
                walk.push(at);
            }
            let missed = (to.close / from.close).ln() - at;
            prices.extend((1..).zip(&walk).map(|(block, walked)| {
                let pulled = missed * f64::from(block) / blocks as f64;
                from.close * (walked + pulled).exp()
            }));
        }
        extend(&mut prices, dice, step, tail);
        FairPath {
            prices,
            block_seconds,
        }
    }
}

/// Blocks at which a batch opens: whenever the oracle, `lag` blocks behind the fair price, is
/// `fall` (0.005 is half a percent) under its price at the opening before. The last `tail` blocks
/// are left for auctions to end in.
#[must_use]
pub fn openings(path: &FairPath, lag: usize, fall: f64, tail: usize) -> Vec<usize> {
    let mut lowest = path.at(0);
    let last = path.prices.len().saturating_sub(tail);
    let mut found = Vec::new();
    for block in lag..last {
        let oracle = path.at(block - lag);
        if oracle <= lowest * (1.0 - fall) {
            lowest = oracle;
            found.push(block);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Estimate;

    fn day() -> CrashDay {
        let candle = |high, low, close| Candle { high, low, close };
        CrashDay {
            name: "three candles".to_owned(),
            candle_seconds: 600.0,
            candles: vec![
                candle(100.0, 100.0, 100.0),
                candle(101.0, 94.0, 95.0),
                candle(96.0, 80.0, 82.0),
            ],
        }
    }

    #[test]
    fn a_path_goes_through_every_close_and_moves_as_its_candles_did() {
        let mut moves = Vec::new();
        for run in 0..200 {
            let path = day().path(&mut Dice::new(5, run), 6.0, 50);
            assert_eq!(path.prices.len(), 251);
            assert!((path.at(100) - 95.0).abs() < 1e-9);
            assert!((path.at(200) - 82.0).abs() < 1e-9);
            let mean = (82f64 / 95.0).ln() / 100.0;
            let steps = path.prices[100..=200].windows(2);
            moves.extend(steps.map(|pair| ((pair[1] / pair[0]).ln() - mean).powi(2)));
        }
        // A bridge of n steps has (n−1)/n of the variance of a free walk.
        let expected = day().candles[2].variance() / 100.0 * 0.99;
        let found = Estimate::of(moves);
        assert!(
            (found.mean - expected).abs() < 2.0 * found.half_width,
            "{found:?}"
        );
    }

    #[test]
    fn a_batch_opens_at_every_new_low_of_the_oracle_and_at_nothing_else() {
        let path = FairPath {
            prices: vec![100.0, 99.9, 99.4, 99.3, 100.0, 98.8, 98.8, 50.0],
            block_seconds: 6.0,
        };
        assert_eq!(openings(&path, 0, 0.005, 1), [2, 5]);
        // The oracle tells a block later; the last block is left out.
        assert_eq!(openings(&path, 1, 0.005, 1), [3, 6]);
    }
}
