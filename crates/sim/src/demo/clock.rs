//! The market outside the chain: its price at any time, and a chain clock that follows it.

use crate::prices::PricePath;

/// A price path as a function of time: straight lines between the open, the extremes and the
/// close of every candle.
pub struct Market {
    /// (seconds, price), in time order.
    points: Vec<(u64, u128)>,
    /// Where the last question was answered; questions come in time order.
    at: usize,
}

impl Market {
    /// The market of a path. A candle that fell touches its high first, one that rose its low.
    pub fn new(path: &PricePath) -> Self {
        let interval = path.interval_seconds.max(4);
        let mut points = Vec::with_capacity(path.candles.len() * 4);
        for candle in &path.candles {
            let (second, third) = if candle.close < candle.open {
                (candle.high, candle.low)
            } else {
                (candle.low, candle.high)
            };
            let prices = [candle.open, second, third, candle.close];
            let times = [0, interval / 3, interval * 2 / 3, interval - 1];
            for (after, price) in times.into_iter().zip(prices) {
                points.push((candle.open_time + after, price));
            }
        }
        Self { points, at: 0 }
    }

    /// First moment with a price and first moment after the last.
    pub fn span(&self) -> (u64, u64) {
        let first = self.points.first().map_or(0, |(time, _)| *time);
        let last = self.points.last().map_or(0, |(time, _)| *time + 1);
        (first, last)
    }

    /// The price at a time not earlier than the last one asked for, rounded down.
    pub fn price_at(&mut self, time: u64) -> u128 {
        while self
            .points
            .get(self.at + 1)
            .is_some_and(|(next, _)| *next <= time)
        {
            self.at += 1;
        }
        let Some((start, from)) = self.points.get(self.at).copied() else {
            return 0;
        };
        let Some((end, to)) = self.points.get(self.at + 1).copied() else {
            return from;
        };
        let passed = u128::from(time.saturating_sub(start));
        let whole = u128::from(end - start).max(1);
        // Prices are below 10^30 and times below 10^9: the products fit.
        if to >= from {
            from + (to - from) * passed / whole
        } else {
            from - (from - to) * passed / whole
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prices::{march_2020, PRICE_SCALE};

    #[test]
    fn the_market_passes_through_the_published_extremes() {
        let path = march_2020(1);
        let mut market = Market::new(&path);
        let (from, to) = market.span();
        let seen: Vec<_> = (from..=to)
            .step_by(10)
            .map(|time| market.price_at(time))
            .collect();
        assert_eq!(
            seen.first().copied(),
            path.candles.first().map(|candle| candle.open)
        );
        assert_eq!(*seen.iter().max().unwrap(), 19_543 * PRICE_SCALE / 100);
        assert_eq!(*seen.iter().min().unwrap(), 10_101 * PRICE_SCALE / 100);
    }
}
