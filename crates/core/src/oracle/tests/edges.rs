//! Ends of what a feed remembers and admits.

use super::*;
use crate::oracle::average::{History, STRETCHES};

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
