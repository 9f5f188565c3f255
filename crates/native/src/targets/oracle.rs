//! Feeds: rounds, bands, quarantine, average and volatility.

use arbitrary::Unstructured;
use breakwater_core::oracle::{
    is_within, Feed, FeedConfig, Outcome, Submission, VolatilityConfig, HIGHEST_PRICE,
};
use breakwater_core::units::{Price, Ratio};

/// Any configuration and any submissions: a round lies between prices that feeders submitted,
/// rounds go forward, what is outside the bands waits for a confirmation, the published numbers
/// hang together, and a refused submission changes nothing.
///
/// # Panics
/// Where that is not so.
pub fn oracle(data: &[u8]) {
    let _ = run(&mut Unstructured::new(data));
}

fn config(u: &mut Unstructured<'_>) -> arbitrary::Result<FeedConfig> {
    Ok(FeedConfig {
        min_feeders: u.int_in_range(1..=4)?,
        heartbeat: u.int_in_range(1..=10_000_000)?,
        min_gap: u.int_in_range(1..=20)?,
        twap_window: u.int_in_range(1..=100_000_000)?,
        deviation: Ratio::from_ppm(u.arbitrary()?),
        drift: Ratio::from_ppm(u.arbitrary()?),
        volatility: VolatilityConfig {
            decay: Ratio::from_ppm(u.int_in_range(0..=1_000_000)?),
            interval: u.int_in_range(1..=10_000_000)?,
        },
    })
}

fn run(u: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let config = config(u)?;
    let Ok(mut feed) = Feed::new(config) else {
        return Ok(());
    };
    for feeder in 0..4u8 {
        feed.add_feeder(feeder).expect("four fit");
    }
    let (mut now, mut block) = (u.int_in_range(0..=u64::MAX >> 24)?, 1u32);
    let mut price = super::ticks::number(u)?;
    for _ in 0..u.int_in_range(0..=100)? {
        now += u.int_in_range(0..=1_000_000)?;
        block += u.int_in_range(0..=5)?;
        price = match u.int_in_range(0..=7)? {
            0 => super::ticks::number(u)?,
            _ => (price / 1_000)
                .saturating_mul(u.int_in_range(900..=1_100)?)
                .saturating_add(u.int_in_range(0..=1_000)?),
        };
        let submission = Submission {
            price: Price::new(price),
            at: now.saturating_sub(u.int_in_range(0..=2_000_000)?),
        };
        let (feeder, before) = (u.int_in_range(0..=4u8)?, feed.clone());
        let outcome = feed.submit(&feeder, submission, now, block);
        if price == 0 || submission.price > HIGHEST_PRICE || feeder == 4 {
            assert!(outcome.is_err(), "not a price, or not a feeder");
        }
        match outcome {
            // The contract stores nothing then; the feed itself may be thrown away.
            Err(_) => feed = before,
            Ok(Outcome::Recorded) => assert_eq!(feed.quote, before.quote),
            Ok(Outcome::Quarantined(waiting)) => {
                assert_eq!(feed.quarantine, Some(waiting));
                let (was, is) = (before.quote.expect("a band"), feed.quote.expect("a band"));
                assert_eq!(was.round, is.round, "quarantined and accepted");
                assert_eq!(is.quarantined, Some(waiting.price));
            }
            Ok(Outcome::Accepted(round)) => accepted(&before, &feed, round, submission),
        }
        if let Ok(reading) = feed.read(now) {
            assert!(reading.low <= reading.high, "low over high");
            assert!(reading.low <= reading.round.price && reading.round.price <= reading.high);
            assert!(!reading.twap.is_zero() || reading.round.price.get() < 2);
        }
    }
    Ok(())
}

fn accepted(
    before: &Feed<u8>,
    after: &Feed<u8>,
    round: breakwater_core::oracle::Round,
    submission: Submission,
) {
    let all = before.feeders.iter().filter_map(|feeder| feeder.last);
    let (mut lowest, mut highest) = (submission.price, submission.price);
    for submitted in all {
        lowest = lowest.min(submitted.price);
        highest = highest.max(submitted.price);
    }
    assert!(lowest <= round.price && round.price <= highest, "I-39");
    assert!(round.feeds >= after.config.min_feeders, "I-39: too few");
    assert!(after.quarantine.is_none(), "accepted and quarantined");
    let Some(was) = before.quote else { return };
    let gap = round.block.saturating_sub(was.round.block);
    assert!(
        round.number == was.round.number + 1 && gap >= after.config.min_gap,
        "I-41"
    );
    let near = |centre: Price| is_within(round.price, centre, after.config.deviation);
    let waited = before.quarantine.is_some_and(|waiting| near(waiting.price));
    assert!(near(was.round.price) || waited, "I-38: out of the band");
}
