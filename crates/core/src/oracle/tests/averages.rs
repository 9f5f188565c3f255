//! The average weighs by time, and volatility is F09's to the digit.

use super::super::average::{History, STRETCHES};
use super::*;
use proptest::prelude::*;

#[test]
fn the_average_weighs_prices_by_time_not_by_count() {
    let mut feed = Feed::new(FeedConfig::without_bands(1, 60_000, 1, 600_000)).unwrap();
    feed.add_feeder(0).unwrap();
    for (price, at, block) in [
        (100_000, 1_000_000, 1),
        (200_000, 1_450_000, 2),
        (200_000, 1_460_000, 3),
    ] {
        let price = Price::new(price);
        feed.submit(&0, Submission { price, at }, at, block)
            .unwrap();
    }
    // Window 600 s up to 1 600: 450 s at 100 000, 150 s at 200 000; rounded down twice.
    assert_eq!(feed.read(1_600_000).unwrap().twap, Price::new(124_999));
    // Long after, only the last price is in the window.
    assert_eq!(feed.read(9_000_000).unwrap().twap, Price::new(200_000));
}

/// Rounds in quick succession do not push the past out of the window.
#[test]
fn many_rounds_do_not_shorten_the_window() {
    let mut clocked = Clocked::new(FeedConfig::without_bands(1, 60_000, 1, 600_000), 1);
    clocked.round(&[1_000]);
    clocked.block += 100;
    for _ in 0..50 {
        clocked.round(&[2_000]);
    }
    // 50 of the window's 100 blocks at 2 000, less the block of the first of them.
    assert_eq!(clocked.read().twap, Price::new(1_490));
}

/// The average of a window, from every price and the time it was accepted.
/// A gap after many quick rounds counts with its own price: those before it are out of the window.
#[test]
fn a_long_gap_is_not_mixed_with_the_quick_rounds_before_it() {
    let window = 1_800_000;
    let mut history = History::default();
    let mut now = 1_000_000;
    for _ in 0..7 {
        history.accept(Price::new(200), now, window).unwrap();
        now += 6_000;
    }
    history.accept(Price::new(172), now, window).unwrap();
    now += 3_600_000;
    history.accept(Price::new(172), now, window).unwrap();
    let average = history.average(now + 6_000, window).unwrap();
    assert_eq!((average.price, average.covered), (Price::new(172), window));
}

fn reference(rounds: &[(u128, Millis)], now: Millis, window: Millis) -> u128 {
    let from = now.saturating_sub(window);
    let (mut sum, mut total, mut end) = (0, 0, now);
    for (price, at) in rounds.iter().rev() {
        let began = (*at).max(from);
        sum += price * u128::from(end - began);
        total += u128::from(end - began);
        end = began;
    }
    sum.checked_div(total).unwrap_or(rounds.last().unwrap().0)
}

proptest! {
    /// While no more than the stretches kept are in the window it is the exact average; otherwise
    /// it stays between the lowest and the highest price and covers the whole window.
    #[test]
    fn the_average_is_that_of_the_window(
        gaps in proptest::collection::vec((1_000u128..2_000, 1u64..40_000), 1..120),
        rest in 0u64..700_000,
    ) {
        let window = 600_000;
        let mut history = History::default();
        let mut rounds: Vec<(u128, Millis)> = Vec::new();
        let mut now = 1_000_000;
        for (price, gap) in gaps {
            now += gap;
            history.accept(Price::new(price), now, window).unwrap();
            rounds.push((price, now));
        }
        now += rest;
        let average = history.average(now, window).unwrap();
        let exact = reference(&rounds, now, window);
        // A stretch at the window's edge counts with its average: an error of at most the
        // price range over two stretches of 31.
        prop_assert!(average.price.get().abs_diff(exact) <= 1 + 2 * 1_000 / 31 + rounds.len() as u128);
        prop_assert_eq!(average.covered, window.min(now - rounds[0].1));
        let prices = rounds.iter().map(|(price, _)| *price);
        prop_assert!(average.price.get() + 120 >= prices.clone().min().unwrap());
        prop_assert!(average.price.get() <= prices.max().unwrap());
    }

    /// What is published at acceptance and carried on is the average of the present, as long as
    /// the window is not full, and never leaves the range of prices.
    #[test]
    fn a_published_average_ages_like_the_real_one(
        gaps in proptest::collection::vec((1_000u128..2_000, 1u64..19_000), 1..STRETCHES),
        rest in 0u64..600_000,
    ) {
        let window = 1_200_000;
        let mut history = History::default();
        let (mut now, mut last) = (5_000_000, 0);
        for (price, gap) in gaps {
            now += gap;
            last = price;
            history.accept(Price::new(price), now, window).unwrap();
        }
        let published = history.average(now, window).unwrap();
        let carried = published.after(Price::new(last), rest, window).unwrap();
        let real = history.average(now + rest, window).unwrap().price;
        prop_assert!(carried <= real.max(carried) && real.get().abs_diff(carried.get()) <= 1);
    }
}

/// F09: λ = 0.94, σ² = 0.000324, r = −0.023 ⇒ σ² = 0.0003363, σ = 1.834 %.
#[test]
fn f09_variance_is_the_vector_exactly() {
    let config = VolatilityConfig {
        decay: Ratio::from_bps(9_400),
        interval: 1_000,
    };
    let past = Some(Variance::new(324_000_000_000_000));
    let (from, to) = (Price::new(1_000), Price::new(977));
    let variance = Variance::after(past, config, from, to, 1_000).unwrap();
    assert_eq!(variance, Variance::new(336_300_000_000_000));
    assert_eq!(variance.deviation_over(1), Ratio::from_ppm(18_339));
    // Two steps of half the time and no return weigh as one of the whole.
    let still = |past, elapsed| Variance::after(Some(past), config, from, from, elapsed).unwrap();
    assert!(still(variance, 500) < variance && still(variance, 1_000) < still(variance, 500));
}

#[test]
fn volatility_begins_with_the_second_round_and_is_per_second() {
    let mut clocked = Clocked::new(config(), 3);
    clocked.round(&[1_000; 3]);
    assert_eq!(clocked.read().volatility, None);
    clocked.round(&[1_030; 3]);
    // 3 % in six seconds: 0.0009 / 6.
    let measured = clocked.read().volatility.unwrap();
    assert_eq!(measured, Variance::new(150_000_000_000_000));
    assert_eq!(measured.deviation_over(6), Ratio::from_bps(300));
    assert_eq!(Variance::default().deviation_over(u64::MAX), Ratio::ZERO);
}

proptest! {
    /// No price and no time keeps a round from being accepted.
    #[test]
    fn volatility_has_a_value_for_every_pair_of_prices(
        from in 1u128..=HIGHEST_PRICE.get(), to in 1u128..=HIGHEST_PRICE.get(),
        past in proptest::option::of(0u128..1 << 100), elapsed in any::<u64>(),
    ) {
        let config = VolatilityConfig::standard();
        let (from, to) = (Price::new(from), Price::new(to));
        let variance = Variance::after(past.map(Variance::new), config, from, to, elapsed);
        prop_assert!(variance.is_ok());
    }
}
