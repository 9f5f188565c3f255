//! F06: medians of fresh, new, authorised submissions; everything else has its own error.

use super::*;
use proptest::prelude::*;

fn feed(min_feeders: u8, feeders: u8) -> Feed<u8> {
    let config = FeedConfig::without_bands(min_feeders, 60_000, 1, 600_000);
    Clocked::new(config, feeders).feed
}

fn at(price: u128, at: Millis) -> Submission {
    Submission {
        price: Price::new(price),
        at,
    }
}

#[test]
fn f06_a_round_is_the_lower_median_of_fresh_submissions() {
    let mut feed = feed(4, 4);
    let recorded = Ok(Outcome::Recorded);
    assert_eq!(feed.submit(&0, at(100, 1_000), 1_000, 1), recorded);
    assert_eq!(feed.submit(&1, at(400, 1_000), 1_000, 1), recorded);
    assert_eq!(feed.submit(&2, at(300, 900), 1_000, 1), recorded);
    let outcome = feed.submit(&3, at(200, 1_000), 1_000, 1).unwrap();
    let round = Round {
        number: 1,
        price: Price::new(200),
        at: 1_000,
        block: 1,
        feeds: 4,
        // Three of the four lie within 200.
        dispersion: Ratio::ONE,
    };
    assert_eq!(outcome, Outcome::Accepted(round));
    // The second round needs new observations and another block.
    assert_eq!(feed.submit(&0, at(100, 1_001), 1_001, 1), recorded);
    let reading = feed.read(1_001).unwrap();
    assert_eq!(reading.previous, Price::new(200));
}

/// Observations that made a round never make another: one feeder alone cannot complete round
/// after round with what the others said once.
#[test]
fn a_submission_makes_one_round_only() {
    let mut feed = feed(3, 3);
    feed.submit(&1, at(100, 1_002), 1_002, 1).unwrap();
    feed.submit(&2, at(100, 1_002), 1_002, 1).unwrap();
    let third = feed.submit(&0, at(100, 1_000), 1_002, 1).unwrap();
    assert_eq!(accepted(third), Some(100));
    for block in 2..7 {
        let now = 1_002 + u64::from(block);
        let outcome = feed.submit(&0, at(50, now), now, block);
        assert_eq!(outcome, Ok(Outcome::Recorded));
    }
}

#[test]
fn f06_at_most_one_round_per_gap() {
    let config = FeedConfig {
        min_gap: 3,
        ..config()
    };
    let mut clocked = Clocked::new(config, 3);
    let mut made = Vec::new();
    for _ in 0..9 {
        if accepted(clocked.round(&[100, 100, 100])).is_some() {
            made.push(clocked.block);
        }
    }
    assert_eq!(made, [101, 104, 107]);
    assert_eq!(clocked.read().round.number, 3);
}

#[test]
fn f06_refusals_are_typed_and_change_nothing() {
    let mut feed = feed(1, 1);
    feed.submit(&0, at(100, 100_000), 100_000, 1).unwrap();
    let before = feed.clone();
    let now = 200_000;
    let cases = [
        (9, at(1, now), OracleError::NotAFeeder),
        (0, at(0, now), OracleError::InvalidPrice),
        (
            0,
            at(HIGHEST_PRICE.get() + 1, now),
            OracleError::InvalidPrice,
        ),
        (0, at(u128::MAX, now), OracleError::InvalidPrice),
        (0, at(1, 100_000), OracleError::Replayed),
        (0, at(1, now + 1), OracleError::FromTheFuture),
        (0, at(1, u64::MAX), OracleError::FromTheFuture),
        (0, at(1, now - 60_001), OracleError::TooOld),
    ];
    for (who, submission, error) in cases {
        assert_eq!(feed.submit(&who, submission, now, 2), Err(error));
        assert_eq!(feed, before);
    }
    assert_eq!(feed.add_feeder(0), Err(OracleError::CannotAddFeeder));
    assert_eq!(feed.remove_feeder(&1), Err(OracleError::NotAFeeder));
    let highest = feed.submit(&0, at(HIGHEST_PRICE.get(), now), now, 2);
    assert!(highest.is_ok(), "the highest price is one");
}

#[test]
fn every_bound_of_a_feed_is_checked() {
    let valid = config();
    assert_eq!(valid.validate(), Ok(()));
    let changes: [fn(&mut FeedConfig); 9] = [
        |c| c.min_feeders = 0,
        |c| c.min_feeders = 17,
        |c| c.heartbeat = 0,
        |c| c.min_gap = 0,
        |c| c.twap_window = 0,
        |c| c.deviation = Ratio::ZERO,
        |c| c.drift = Ratio::ZERO,
        |c| c.volatility.decay = Ratio::ONE,
        |c| c.volatility.interval = 0,
    ];
    for change in changes {
        let mut config = valid;
        change(&mut config);
        assert_eq!(config.validate(), Err(OracleError::InvalidConfig));
    }
}

#[test]
fn a_sources_answer_is_scaled_or_refused() {
    let source = |decimals, tick| SourceConfig {
        pair: "ETH/USD".into(),
        decimals,
        tick,
        ref_time: 1,
        proof_size: 1,
    };
    let eight = source(8, 1_000).submission(1_600_000_000, 123_450_000_000);
    assert_eq!(
        eight,
        Ok(at(1_234_500_000_000_000_000_000, 1_600_000_000_000))
    );
    assert_eq!(
        source(36, 1).submission(5, 19 * 10u128.pow(17)),
        Ok(at(1, 5))
    );
    let refused = |decimals, timestamp, price| source(decimals, 1_000).submission(timestamp, price);
    assert_eq!(refused(0, 1, u128::MAX), Err(OracleError::InvalidPrice));
    assert_eq!(refused(8, u64::MAX, 1), Err(OracleError::FromTheFuture));
    assert_eq!(source(8, 1).validate(), Ok(()));
    let longest = SourceConfig {
        pair: "x".repeat(32),
        ..source(36, 1)
    };
    assert_eq!(longest.validate(), Ok(()));
    for bad in [
        source(37, 1),
        source(8, 0),
        SourceConfig {
            ref_time: 0,
            ..source(8, 1)
        },
        SourceConfig {
            proof_size: 0,
            ..source(8, 1)
        },
        SourceConfig {
            pair: "x".repeat(33),
            ..source(8, 1)
        },
    ] {
        assert_eq!(bad.validate(), Err(OracleError::InvalidConfig));
    }
}

proptest! {
    /// I-39: the median lies inside what was reported, and a minority cannot move it out of
    /// the range of the others.
    #[test]
    fn a_minority_cannot_leave_the_honest_range(
        honest in proptest::collection::vec(900u128..1_100, 3..8),
        evil in proptest::collection::vec(1u128..u64::MAX as u128, 0..3),
    ) {
        prop_assume!(evil.len() * 2 < honest.len());
        let n = (honest.len() + evil.len()) as u8;
        let mut feed = feed(n, n);
        let mut last = Outcome::Recorded;
        for (who, price) in honest.iter().chain(&evil).enumerate() {
            last = feed.submit(&(who as u8), at(*price, 1_000), 1_000, 1).unwrap();
        }
        let price = accepted(last).unwrap();
        prop_assert!((*honest.iter().min().unwrap()..=*honest.iter().max().unwrap()).contains(&price));
    }

    /// Less than half of the feeders cannot make the others look as if they disagreed: a market
    /// that stops for a dispersed feed is not stopped by one liar.
    #[test]
    fn a_minority_cannot_show_a_dispersion_the_others_have_not(
        honest in proptest::collection::vec(900u128..1_100, 3..8),
        evil in proptest::collection::vec(1u128..u64::MAX as u128, 0..3),
    ) {
        prop_assume!(evil.len() < honest.len());
        let n = (honest.len() + evil.len()) as u8;
        let mut feed = feed(n, n);
        let mut last = Outcome::Recorded;
        for (who, price) in honest.iter().chain(&evil).enumerate() {
            last = feed.submit(&(who as u8), at(*price, 1_000), 1_000, 1).unwrap();
        }
        let Outcome::Accepted(round) = last else {
            return Err(TestCaseError::fail("the first round is accepted"));
        };
        let (low, high) = (honest.iter().min().unwrap(), honest.iter().max().unwrap());
        let width = Price::new(round.price.get() + high - low);
        prop_assert!(round.dispersion <= distance(width, round.price));
    }

    /// Less than half of the feeders, late or early, cannot make a round look older or younger
    /// than what the others submitted.
    #[test]
    fn a_minority_cannot_age_a_round(
        honest in proptest::collection::vec(40_000u64..60_000, 3..8),
        evil in proptest::collection::vec(1u64..60_001, 0..3),
    ) {
        prop_assume!(evil.len() < honest.len());
        let n = (honest.len() + evil.len()) as u8;
        let mut feed = feed(n, n);
        let mut last = Outcome::Recorded;
        for (who, time) in honest.iter().chain(&evil).enumerate() {
            last = feed.submit(&(who as u8), at(100, *time), 60_001, 1).unwrap();
        }
        let Outcome::Accepted(round) = last else {
            return Err(TestCaseError::fail("the first round is accepted"));
        };
        let (oldest, newest) = (honest.iter().min().unwrap(), honest.iter().max().unwrap());
        prop_assert!((oldest..=newest).contains(&&round.at));
        // The lower median, found another way.
        let mut times = [honest.clone(), evil.clone()].concat();
        times.sort_unstable();
        prop_assert_eq!(round.at, times[(times.len() - 1) / 2]);
    }

    /// A dispersion of so much says that a majority lies within so much of the median, and that no
    /// majority lies closer together.
    #[test]
    fn a_majority_vouches_for_the_median_within_the_dispersion(
        prices in proptest::collection::vec(1u128..1_000_000, 1..16),
    ) {
        let n = prices.len() as u8;
        let mut feed = feed(n, n);
        let mut last = Outcome::Recorded;
        for (who, price) in prices.iter().enumerate() {
            last = feed.submit(&(who as u8), at(*price, 1_000), 1_000, 1).unwrap();
        }
        let Outcome::Accepted(round) = last else {
            return Err(TestCaseError::fail("the first round is accepted"));
        };
        let agree = |price: u128, width: u128| {
            prices.iter().filter(|p| (price..=price + width).contains(*p)).count() * 2 > prices.len()
        };
        // By trying every price as the lowest of a range, the narrowest with a majority in it.
        let width = (prices.iter().flat_map(|low| prices.iter().map(move |high| (*low, *high))))
            .filter(|(low, high)| high >= low && agree(*low, high - low))
            .map(|(low, high)| (high - low, low))
            .min()
            .expect("all of them are a majority");
        let median = round.price.get();
        prop_assert!((width.1..=width.1 + width.0).contains(&median));
        prop_assert_eq!(round.dispersion, distance(Price::new(median + width.0), round.price));
    }

    /// Whatever feeders send, rounds only count upwards, each in a later block, and readings are
    /// ordered: low ≤ spot, previous, average ≤ high.
    #[test]
    fn rounds_rise_and_readings_are_ordered(
        steps in proptest::collection::vec((0u8..4, 1u128..1 << 100, 0u32..4, 0u64..100_000), 1..200),
    ) {
        let mut clocked = Clocked::new(FeedConfig { min_feeders: 2, ..config() }, 4);
        let mut last: Option<Round> = None;
        for (feeder, price, blocks, late) in steps {
            clocked.block += blocks;
            let (now, block) = (clocked.now(), clocked.block);
            let submission = at(price, now.saturating_sub(late));
            if let Ok(Outcome::Accepted(round)) = clocked.feed.submit(&feeder, submission, now, block) {
                prop_assert_eq!(round.number, last.map_or(0, |r| r.number) + 1);
                prop_assert!(last.is_none_or(|r| r.block < round.block && r.at < round.at));
                prop_assert!(round.feeds >= 2);
                last = Some(round);
            }
            if let Ok(reading) = clocked.feed.read(now) {
                for price in [reading.spot(), reading.previous, reading.twap] {
                    prop_assert!(reading.low <= price && price <= reading.high);
                }
                let waiting = clocked.feed.quarantine.map(|q| q.price);
                prop_assert_eq!(reading.quarantined, waiting);
                prop_assert!(waiting.is_none_or(|q| reading.low <= q && q <= reading.high));
            }
        }
    }
}
