//! The built-in crash day: 12 March 2020, after its published figures.
//!
//! The market's figures of that day are facts anyone can look up; the candles between them are
//! made here, so that a demo needs no data file. A few turning points are fixed, the way between
//! them is noise from the seed. Everything is counted in cents with integers, so a seed gives the
//! same day on every machine.

use super::{Candle, PricePath, PRICE_SCALE};
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha12Rng,
};

/// 2020-03-12T00:00 UTC.
const MIDNIGHT: u64 = 1_583_971_200;
const INTERVAL: u64 = 600;
const CANDLES: usize = 144;

const CENT: u128 = PRICE_SCALE / 100;
const HIGHEST: i64 = 19_543;
const LOWEST: i64 = 10_101;

/// The candle of the worst ten minutes, 10:40 to 10:50.
const WORST: usize = 64;
/// The candle in which the lowest price is traded, 23:30 to 23:40.
const BOTTOM: usize = 141;

/// Price in cents at the start of a candle; the last entry is the end of the day.
///
/// 152.62 → 124.08 over one candle is −18.70 %, the published worst ten minutes.
const TURNS: [(usize, i64); 17] = [
    (0, HIGHEST),
    (11, 18_900),
    (36, 18_140),
    (42, 17_250),
    (60, 16_730),
    (63, 16_080),
    (WORST, 15_262),
    (WORST + 1, 12_408),
    (68, 14_210),
    (80, 13_070),
    (88, 14_200),
    (104, 14_130),
    (124, 12_710),
    (133, 13_010),
    (139, 11_960),
    (BOTTOM + 1, LOWEST),
    (CANDLES, 10_840),
];

/// Largest step of the noise between two candles and largest wick, in millionths of the price.
const STEP_PPM: i64 = 5_000;
const WICK_PPM: i64 = 4_000;
const MILLION: i64 = 1_000_000;

/// The crash of 12 March 2020 as 144 ten-minute candles, from midnight to midnight UTC.
///
/// For every seed the published figures hold exactly: the day starts at its high of 195.43 quote
/// per collateral, its low is 101.01 (also the close of that candle), and the worst ten minutes,
/// from 10:40, lose 18.70 % from open to close, to the cent 152.62 → 124.08; every other candle
/// loses less, measured from open to its close or to its low. Each candle opens where the one
/// before closed. The noise between the turning points differs between seeds.
pub fn march_2020(seed: u64) -> PricePath {
    let mut noise = Noise(ChaCha12Rng::seed_from_u64(seed));
    let mut marks = Vec::with_capacity(CANDLES + 1);
    for leg in TURNS.windows(2) {
        let ((from, start), (to, end)) = (leg[0], leg[1]);
        marks.extend(noise.bridge(start, end, to - from));
    }
    marks.extend(TURNS.last().map(|(_, price)| *price));

    let candles = marks
        .windows(2)
        .zip(0u64..)
        .map(|(ends, index)| {
            let (open, close) = (ends[0], ends[1]);
            let (high, low) = (open.max(close), open.min(close));
            let (above, below) = (noise.wick(high), noise.wick(low));
            // No wick goes under the close of the two candles that carry a published figure: a
            // reader of closes alone must see the same figures as a reader of lows.
            let fixed = [WORST as u64, BOTTOM as u64].contains(&index);
            let low = if fixed {
                low
            } else {
                (low - below).max(LOWEST + 1).min(low)
            };
            Candle {
                open_time: MIDNIGHT + index * INTERVAL,
                open: price(open),
                high: price((high + above).min(HIGHEST)),
                low: price(low),
                close: price(close),
            }
        })
        .collect();
    PricePath {
        name: "march-2020".to_owned(),
        candles,
        interval_seconds: INTERVAL,
    }
}

fn price(cents: i64) -> u128 {
    u128::from(cents.unsigned_abs()) * CENT
}

struct Noise(ChaCha12Rng);

impl Noise {
    /// A number from `-reach` to `reach`. The generator's own ranges may change between its
    /// versions, a plain remainder does not; its bias does not matter here.
    fn between(&mut self, reach: i64) -> i64 {
        i64::from(self.0.next_u32()) % (2 * reach + 1) - reach
    }

    fn wick(&mut self, price: i64) -> i64 {
        price * self.between(WICK_PPM).abs() / MILLION
    }

    /// `steps` prices that start at `start` and are on their way to `end`: a straight line plus
    /// a random walk that is tied down at both ends.
    fn bridge(&mut self, start: i64, end: i64, steps: usize) -> Vec<i64> {
        let steps = steps as i64;
        let mut walk = vec![0];
        for step in 1..=steps {
            // The pull towards the line keeps a long leg from wandering off.
            walk.push(walk[step as usize - 1] * 4 / 5 + self.between(STEP_PPM));
        }
        let overshoot = walk[steps as usize];
        let between = (1..steps)
            .zip(walk.into_iter().skip(1))
            .map(|(step, drift)| {
                let line = start + (end - start) * step / steps;
                let tied = drift - overshoot * step / steps;
                (line + line * tied / MILLION).clamp(LOWEST + 1, HIGHEST)
            });
        std::iter::once(start).chain(between).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SEEDS: u64 = 500;

    /// The change from `from` to `to` in hundredths of a basis point, towards zero.
    fn change(from: u128, to: u128) -> i128 {
        (to as i128 - from as i128) * 1_000_000 / from as i128
    }

    fn check(seed: u64) {
        let day = march_2020(seed);
        assert_eq!(day.candles.len(), 144);
        assert_eq!(
            (day.start(), day.end()),
            (Some(MIDNIGHT), Some(MIDNIGHT + 86_400))
        );
        assert_eq!(day.interval_seconds, 600);

        assert_eq!(day.highest(), Some(195_430_000_000_000_000_000));
        assert_eq!(day.lowest(), Some(101_010_000_000_000_000_000));
        assert_eq!(day.candles[0].open, 195_430_000_000_000_000_000);
        let at_bottom: Vec<_> = day
            .candles
            .iter()
            .filter(|c| Some(c.low) == day.lowest())
            .collect();
        assert!(
            at_bottom.len() <= 2,
            "the next candle opens there, no other trades there"
        );
        assert_eq!(at_bottom[0].close, at_bottom[0].low);
        assert_eq!(at_bottom[0].open_time, MIDNIGHT + 23 * 3_600 + 30 * 60);

        for (index, c) in day.candles.iter().enumerate() {
            assert!(c.low <= c.open.min(c.close) && c.open.max(c.close) <= c.high);
            assert_eq!(c.open_time, MIDNIGHT + 600 * index as u64);
            if index == WORST {
                assert!(
                    (change(c.open, c.close) + 187_000).abs() < 100,
                    "within a basis point"
                );
                assert_eq!(c.low, c.close);
            } else {
                assert!(
                    change(c.open, c.low) > -150_000,
                    "seed {seed}, candle {index}"
                );
            }
        }
        for pair in day.candles.windows(2) {
            assert_eq!(pair[0].close, pair[1].open);
        }
    }

    #[test]
    fn the_published_figures_hold_for_many_seeds() {
        (0..SEEDS).for_each(check);
    }

    #[test]
    fn the_worst_ten_minutes_start_at_10_40() {
        let worst = march_2020(7).candles[WORST];
        assert_eq!(worst.open_time, MIDNIGHT + 10 * 3_600 + 40 * 60);
        assert_eq!((worst.open, worst.close), (price(15_262), price(12_408)));
    }

    #[test]
    fn the_turning_points_are_in_order() {
        assert!(TURNS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert_eq!((TURNS[0].0, TURNS[TURNS.len() - 1].0), (0, CANDLES));
        assert!(TURNS
            .iter()
            .all(|(_, price)| (LOWEST..=HIGHEST).contains(price)));
    }

    #[test]
    fn a_seed_gives_one_day_and_another_seed_another() {
        assert_eq!(march_2020(1), march_2020(1));
        let mut days: Vec<_> = (0..SEEDS)
            .map(|seed| {
                march_2020(seed)
                    .candles
                    .iter()
                    .map(|c| c.close)
                    .collect::<Vec<_>>()
            })
            .collect();
        days.sort();
        days.dedup();
        assert_eq!(days.len() as u64, SEEDS);
    }

    #[test]
    fn the_noise_does_not_change_between_versions() {
        let close = |index: usize| march_2020(2020).candles[index].close / CENT;
        assert_eq!([close(0), close(40), close(100)], [19_529, 17_348, 14_075]);
    }

    proptest! {
        #[test]
        fn the_published_figures_hold_for_any_seed(seed: u64) {
            check(seed);
        }
    }
}
