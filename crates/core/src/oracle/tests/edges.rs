//! Ends of what a feed remembers and admits.

use super::*;
use crate::oracle::average::{History, STRETCHES};
use crate::oracle::variance::VARIANCE_ONE;

/// However often rounds come, and however unevenly, the average is of the whole window: where
/// there is no room for one more stretch the two oldest become one.
#[test]
fn a_crowded_history_still_covers_its_window() {
    let share: Millis = 1_000;
    let window = share * (STRETCHES as Millis - 1);
    let mut history = History::default();
    // Each price and how long it stood: after a millisecond a long gap, so that each round begins
    // a stretch, and twice as many as there is room for fall into a window.
    let (mut now, mut past): (Millis, Vec<(u128, Millis)>) = (1_000_000, Vec::new());
    for round in 0..200u128 {
        let price = 1_000_000 + round % 7 * 1_000;
        history.accept(Price::new(price), now, window).unwrap();
        let stands = if round % 2 == 0 { 1 } else { share };
        past.push((price, stands));
        now += stands;
        let mut left = window;
        let mut sum = 0;
        for (price, stood) in past.iter().rev() {
            let counted = (*stood).min(left);
            sum += price * u128::from(counted);
            left -= counted;
        }
        let average = history.average(now, window).unwrap();
        assert_eq!(average.covered, window - left, "round {round}");
        let exact = sum / u128::from(window - left);
        // Only the oldest stretch, a sixteenth of the window, is known by its average alone.
        assert!(
            average.price.get().abs_diff(exact) <= 7_000 / 8,
            "round {round}"
        );
    }
}

/// A price that stood until the very moment the window begins does not count in it, however far
/// from all others it was: old manipulation does not outlive its window.
#[test]
fn a_price_that_left_the_window_does_not_count_in_the_average() {
    let share: Millis = 1_000;
    let window = share * (STRETCHES as Millis - 1);
    let (mut history, mut now) = (History::default(), 1_000_000);
    history.accept(Price::new(62_000), now, window).unwrap();
    for _ in 0..STRETCHES {
        now += share;
        history.accept(Price::new(1_000), now, window).unwrap();
    }
    let average = history.average(now, window).unwrap();
    assert_eq!(
        (average.price, average.covered),
        (Price::new(1_000), window)
    );
}

#[test]
fn a_feeder_leaves_with_what_it_submitted() {
    let mut feed = Clocked::new(config(), 3);
    feed.submit(0, 100).unwrap();
    feed.submit(1, 100).unwrap();
    feed.feed.remove_feeder(&1).unwrap();
    assert_eq!(feed.feed.remove_feeder(&1), Err(OracleError::NotAFeeder));
    assert_eq!(feed.submit(1, 100), Err(OracleError::NotAFeeder));
    assert_eq!(
        feed.submit(2, 100),
        Ok(Outcome::Recorded),
        "two are no quorum"
    );
    feed.feed.add_feeder(1).unwrap();
    assert_eq!(feed.feed.add_feeder(1), Err(OracleError::CannotAddFeeder));
}

/// What belongs together changes together: price, round, block, the moment of acceptance, and the
/// price before it.
#[test]
fn a_round_and_its_time_are_published_together() {
    let mut feed = Clocked::new(config(), 3);
    for price in [1_000, 1_010, 1_020] {
        let before = feed.feed.quote;
        assert!(matches!(feed.round(&[price; 3]), Outcome::Accepted(_)));
        let quote = feed.feed.quote.unwrap();
        assert_eq!(quote.accepted_at, feed.now());
        assert_eq!(quote.round.block, feed.block);
        assert_eq!(quote.round.at, feed.now());
        assert_eq!(quote.round.price, Price::new(price));
        let previous = before.map_or(Price::new(price), |quote| quote.round.price);
        assert_eq!(quote.previous, previous);
    }
}

/// F09: what volatility is made of, at the ends of its range: a return counts as at most 1 000 %,
/// and what cannot be calculated is refused by name.
#[test]
fn a_variance_beyond_its_range_is_refused() {
    let config = VolatilityConfig::standard();
    let after = |past, config, from, to, elapsed| {
        Variance::after(past, config, Price::new(from), Price::new(to), elapsed)
    };
    let largest = Some(Variance::new(u128::MAX));
    let from_nothing = after(None, config, 0, 1, 1);
    assert_eq!(from_nothing, Err(MathError::DivisionByZero));
    // 10 % in a second: 0.1² per second.
    let tenth = after(None, config, 100, 110, 1_000).map(Variance::get);
    assert_eq!(tenth, Ok(VARIANCE_ONE / 100));
    let jump = after(None, config, 1, u128::MAX, 1_000);
    assert_eq!(
        jump,
        after(None, config, 1, 11, 1_000),
        "1 000 % and no more"
    );
    let slow = VolatilityConfig {
        interval: Millis::MAX,
        ..config
    };
    let overflow = Err(MathError::Overflow);
    assert_eq!(after(largest, slow, 1, 1, 0), Ok(Variance::new(u128::MAX)));
    let shrinking = VolatilityConfig {
        decay: Ratio::from_ppm(1_000_001),
        ..config
    };
    let refused = after(largest, shrinking, 1, 1, 1);
    assert_eq!(refused, Err(MathError::Underflow));
    let nothing_kept = VolatilityConfig {
        decay: Ratio::ZERO,
        ..config
    };
    let by_nothing = after(largest, nothing_kept, 1, 2, 0);
    assert_eq!(by_nothing, Err(MathError::DivisionByZero));
    let all_in_no_time = after(Some(Variance::new(u128::MAX - 1)), config, 1, 11, 0);
    assert_eq!(all_in_no_time, overflow, "grows past the largest");
    assert_eq!(
        Variance::new(u128::MAX).deviation_over(u64::MAX),
        Ratio::from_ppm(u32::MAX)
    );
}

/// The last number a round can have is the last round: the next is refused by name.
#[test]
fn after_the_last_number_there_is_no_round() {
    let mut feed = Clocked::new(config(), 3);
    feed.round(&[100; 3]);
    let quote = feed.feed.quote.as_mut().unwrap();
    quote.round.number = u32::MAX;
    feed.block += 1;
    assert_eq!(feed.submit(0, 100), Ok(Outcome::Recorded));
    assert_eq!(feed.submit(1, 100), Ok(Outcome::Recorded));
    let refused = Err(OracleError::Math(MathError::Overflow));
    assert_eq!(feed.submit(2, 100), refused);
    assert_eq!(feed.read().round.number, u32::MAX);
    assert_eq!(feed.read().spot(), Price::new(100));
}

/// F06: a feed's terms are refused outside each of their bounds, and taken on the bound.
#[test]
fn f06_every_bound_of_a_feed_refuses() {
    type Change = fn(&mut FeedConfig);
    let most = u8::try_from(MAX_FEEDERS).unwrap();
    let all_of_them = FeedConfig {
        min_feeders: most,
        ..config()
    };
    assert_eq!(all_of_them.validate(), Ok(()));
    let one = FeedConfig {
        min_feeders: 1,
        ..config()
    };
    assert_eq!(one.validate(), Ok(()));
    let changes: [Change; 10] = [
        |c| c.min_feeders = 0,
        |c| c.min_feeders += 1,
        |c| c.heartbeat = 0,
        |c| c.min_gap = 0,
        |c| c.twap_window = 0,
        |c| c.deviation = Ratio::ZERO,
        |c| c.drift = Ratio::ZERO,
        |c| c.volatility.decay = Ratio::ZERO,
        |c| c.volatility.decay = Ratio::ONE,
        |c| c.volatility.interval = 0,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut changed = all_of_them;
        change(&mut changed);
        let refused = Err(OracleError::InvalidConfig);
        assert_eq!(changed.validate(), refused, "change {number}");
    }
}

/// A price that stood for a moment before a long gap counts for that moment, not for the gap: what
/// fills the whole window is its average, to the unit.
#[test]
fn a_moment_before_a_long_gap_does_not_count_in_it() {
    let window: Millis = 1_000;
    let mut history = History::default();
    let mut accept = |price, now| history.accept(Price::new(price), now, window).unwrap();
    accept(1_000, 50_000);
    accept(3_000, 50_001);
    let later = 50_001 + 10 * window;
    accept(5_000, later);
    let average = history.average(later, window).unwrap();
    assert_eq!(average.price, Price::new(3_000));
    assert_eq!(average.covered, window);
}

/// A submission as old as the heartbeat counts, a millisecond older is refused.
#[test]
fn a_submission_of_exactly_the_heartbeat_counts() {
    let mut feed = Clocked::new(config(), 3);
    let (now, block) = (feed.now(), feed.block);
    let oldest = now - config().heartbeat;
    let submit = |feed: &mut Clocked, at| {
        let price = Price::new(100);
        feed.feed.submit(&0, Submission { price, at }, now, block)
    };
    let refused = submit(&mut feed.clone(), oldest - 1);
    assert_eq!(refused, Err(OracleError::TooOld));
    assert_eq!(submit(&mut feed, oldest), Ok(Outcome::Recorded));
}
