//! Rounds outside the bands wait for a later round of as many feeders.

use super::*;

fn fed(prices: &[u128]) -> Clocked {
    let mut clocked = Clocked::new(config(), 3);
    for price in prices {
        let outcome = clocked.round(&[*price; 3]);
        assert_eq!(accepted(outcome), Some(*price));
    }
    clocked
}

#[test]
fn the_edge_of_the_band_is_inside() {
    assert_eq!(accepted(fed(&[1_000]).round(&[900; 3])), Some(900));
    assert_eq!(quarantined(fed(&[1_000]).round(&[899; 3])), Some(899));
    assert_eq!(accepted(fed(&[1_000]).round(&[1_100; 3])), Some(1_100));
    assert_eq!(quarantined(fed(&[1_000]).round(&[1_101; 3])), Some(1_101));
}

#[test]
fn a_quarantined_price_is_seen_but_not_accepted() {
    let mut clocked = fed(&[1_000]);
    clocked.round(&[500; 3]);
    let reading = clocked.read();
    assert_eq!(reading.spot(), Price::new(1_000));
    assert_eq!(reading.low, Price::new(500));
    assert_eq!(reading.quarantined, Some(Price::new(500)));
    assert_eq!(reading.status, FeedStatus::Quarantined);
}

#[test]
fn a_later_round_near_it_confirms_it() {
    let mut clocked = fed(&[1_000]);
    clocked.round(&[500; 3]);
    assert_eq!(accepted(clocked.round(&[450; 3])), Some(450));
    let reading = clocked.read();
    assert_eq!(reading.status, FeedStatus::Fresh);
    assert_eq!(reading.previous, Price::new(1_000));
    // The average is still far away; what was confirmed need not be confirmed again.
    assert_eq!(accepted(clocked.round(&[460; 3])), Some(460));
}

#[test]
fn a_later_round_in_the_band_lifts_it() {
    let mut clocked = fed(&[1_000]);
    clocked.round(&[500; 3]);
    assert_eq!(accepted(clocked.round(&[990; 3])), Some(990));
    let reading = clocked.read();
    assert_eq!((reading.quarantined, reading.low), (None, Price::new(990)));
}

#[test]
fn a_later_round_elsewhere_takes_its_place() {
    let mut clocked = fed(&[1_000]);
    clocked.round(&[500; 3]);
    assert_eq!(quarantined(clocked.round(&[700; 3])), Some(700));
    assert_eq!(quarantined(clocked.round(&[500; 3])), Some(500));
    assert_eq!(accepted(clocked.round(&[500; 3])), Some(500));
}

#[test]
fn only_as_many_later_observations_confirm_it() {
    let mut clocked = Clocked::new(config(), 5);
    clocked.round(&[1_000; 3]);
    clocked.round(&[500; 3]);
    let observed = clocked.now();
    clocked.block += 1;
    let (now, block) = (clocked.now(), clocked.block);
    // Two more feeders, late with what they observed when the round was made, and two later ones:
    // one too few.
    for feeder in [3, 4] {
        let submission = Submission {
            price: Price::new(500),
            at: observed,
        };
        let outcome = clocked.feed.submit(&feeder, submission, now, block);
        assert_eq!(outcome, Ok(Outcome::Recorded));
    }
    assert_eq!(clocked.submit(0, 500), Ok(Outcome::Recorded));
    assert_eq!(clocked.submit(1, 500), Ok(Outcome::Recorded));
    assert_eq!(accepted(clocked.submit(2, 500).unwrap()), Some(500));
}

#[test]
fn a_drift_in_small_steps_meets_the_average() {
    let mut clocked = Clocked::new(config(), 3);
    for _ in 0..100 {
        clocked.round(&[1_000; 3]);
    }
    let mut price = 1_000;
    let last = loop {
        price = price * 95 / 100;
        match clocked.round(&[price; 3]) {
            Outcome::Accepted(_) => {}
            other => break other,
        }
    };
    // Each step is inside a tenth of the last, but 20 % from the average is far enough.
    assert!(quarantined(last).is_some_and(|price| (750..800).contains(&price)));
}

#[test]
fn a_feed_that_slept_follows_a_market_that_did_not() {
    let mut clocked = fed(&[1_000]);
    clocked.block += 100_000;
    assert_eq!(clocked.read().status, FeedStatus::Stale);
    assert_eq!(quarantined(clocked.round(&[3_000; 3])), Some(3_000));
    assert_eq!(accepted(clocked.round(&[3_100; 3])), Some(3_100));
    assert_eq!(clocked.read().status, FeedStatus::Fresh);
}
