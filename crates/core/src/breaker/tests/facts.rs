//! F07, F28: risk measures beyond one account's margin raise stages, at exactly their limits.

use super::*;
use crate::math::Rounding;
use crate::oracle::{Feed, FeedConfig, Submission};
use crate::units::Price;
use proptest::prelude::*;

const WINDOW: Block = 100;

fn batch(asked: u128, raised: u128, fair: u128) -> BatchFacts {
    BatchFacts {
        asked: Amount::new(asked),
        raised: Amount::new(raised),
        fair: Amount::new(fair),
        ..BatchFacts::default()
    }
}

/// Attack: after a fall an owner buys an eighth of its own lot at a price far above the oracle's,
/// for `Excess` to halt the market. What a part of a lot was sold for does not speak for the whole.
#[test]
fn f30_a_dear_part_of_a_lot_is_no_excess() {
    let excess = |raised, fair| {
        let mut evidence = Evidence::default();
        evidence
            .record(&batch(8_000, raised, fair), HOLE, 1, WINDOW)
            .unwrap();
        let measures = evidence.measures(&[], HOLE, 1, WINDOW).unwrap();
        limits().holds(&measures, Cause::Excess)
    };
    assert!(!excess(1_600, 1_300), "23 % over, a fifth of the lot");
    assert!(excess(8_000, 7_000), "14 % over, all of it");
    // Batches that have raised nothing, running or ended, do not dilute it.
    let mut evidence = Evidence::default();
    for facts in [batch(8_000, 8_000, 7_000), batch(8_000, 0, 0)] {
        evidence.record(&facts, HOLE, 1, WINDOW).unwrap();
    }
    let running = [batch(8_000, 0, 0); 3];
    let measures = evidence.measures(&running, HOLE, 1, WINDOW).unwrap();
    assert!(limits().holds(&measures, Cause::Excess));
}

/// Limits that are the market's standard follow its hole; those a governor has set stay.
#[test]
fn f28_standard_limits_follow_the_hole() {
    let (old, new) = (HOLE, Amount::new(HOLE.get() * 3));
    let mut kept = Limits::standard(old);
    assert!(kept.follow(old, new));
    assert_eq!(kept, Limits::standard(new));
    assert!(!kept.follow(new, new));
    kept.bad_debt = Amount::new(7);
    assert!(kept.follow(new, old));
    let set = Limits {
        bad_debt: Amount::new(7),
        ..Limits::standard(old)
    };
    assert_eq!(kept, set);
}

#[test]
fn f28_a_fact_trips_above_its_limit_and_not_at_it() {
    for cause in Cause::MEASURED {
        let limits = limits();
        let mut breaker = calm();
        assert_eq!(trip(&mut breaker, cause, 10), Ok(limits.stage(cause)));
        assert!(breaker.causes.has(cause) && breaker.stage == limits.stage(cause));
        assert_eq!(
            trip(&mut breaker, cause, 11),
            Err(BreakerError::AlreadyTripped)
        );
        // One unit less is the limit itself.
        let mut at = fact(cause);
        let less = |r: &mut Ratio| *r = r.minus(Ratio::from_ppm(1)).unwrap_or_default();
        less(&mut at.jump);
        less(&mut at.dispersion);
        less(&mut at.shortfall);
        less(&mut at.excess);
        at.age = at.age.saturating_sub(1);
        at.in_auction = at.in_auction.minus_or_zero(Amount::new(1));
        at.bad_debt = at.bad_debt.minus_or_zero(Amount::new(1));
        at.silent_steps = at.silent_steps.saturating_sub(1);
        let mut other = calm();
        let refused = other.trip(cause, &limits, &at, 10);
        assert_eq!(refused, Err(BreakerError::WithinBounds));
        assert_eq!(other, calm());
        // And it is not gone there: only further inside.
        assert!(!limits.is_gone(&at, cause));
        assert!(limits.is_gone(&Measures::default(), cause));
    }
}

/// F07: risk reports alone never make a healthy position due: facts only stop things, and every
/// stage allows less than the one before it. A forged report finds its limit not passed, a
/// replayed submission is refused.
#[test]
fn f07_risk_facts_stop_and_never_sell() {
    for cause in Cause::MEASURED {
        let mut breaker = calm();
        let forged = breaker.trip(cause, &limits(), &Measures::default(), 1);
        assert_eq!(forged, Err(BreakerError::WithinBounds));
        trip(&mut breaker, cause, 1).unwrap();
        for action in Action::ALL {
            let before = state::ensure_allowed(&calm(), &calm(), action, 1);
            let after = state::ensure_allowed(&breaker, &calm(), action, 1);
            assert!(
                before.is_ok() || after.is_err(),
                "nothing is allowed by a fact"
            );
        }
        assert!(!action::allowed(breaker.stage, Action::OpenBatch));
    }
}

#[test]
fn f28_oracle_facts_are_measured_from_what_is_read() {
    let config = FeedConfig {
        deviation: Ratio::from_bps(1_000),
        drift: Ratio::from_bps(2_000),
        ..FeedConfig::standard(1, 60_000, 1, 600_000)
    };
    let mut feed = Feed::new(config).unwrap();
    feed.add_feeder(0).unwrap();
    for (block, price) in [(1, 1_000), (2, 1_050), (3, 1_500)] {
        let at = 6_000 * u64::from(block);
        let price = Price::new(price);
        feed.submit(&0, Submission { price, at }, at, block)
            .unwrap();
    }
    let measures = Measures::default().with_oracle(&feed.read(20_000).unwrap());
    // The quarantined 1 500 over the accepted 1 050, rounded up.
    assert_eq!(measures.jump, Ratio::from_ppm(428_572));
    assert_eq!(measures.age, 8_000);
    assert_eq!(measures.dispersion, Ratio::ZERO);
}

#[test]
fn auctions_count_from_an_eighth_of_the_hole_and_by_size() {
    let mut evidence = Evidence::default();
    let small = batch(999, 1, 999);
    assert_eq!(evidence.record(&small, HOLE, 5, WINDOW), Ok(false));
    assert_eq!(evidence, Evidence::default());
    for facts in [batch(1_000, 500, 1_000), batch(9_000, 9_000, 9_000)] {
        assert_eq!(evidence.record(&facts, HOLE, 5, WINDOW), Ok(true));
    }
    let measure =
        |running: &[BatchFacts], now| evidence.measures(running, HOLE, now, WINDOW).unwrap();
    assert_eq!(measure(&[], 5).shortfall, Ratio::from_bps(500));
    // A running batch that nobody bids in counts as well, a small one only as amount.
    let silent = BatchFacts {
        silent_steps: 22,
        ..batch(10_000, 0, 0)
    };
    let mixed = measure(&[silent, batch(7, 0, 0)], 5);
    assert_eq!(
        (mixed.silent_steps, mixed.in_auction),
        (11, Amount::new(10_007))
    );
    // Old evidence is none.
    assert_eq!(measure(&[], 5 + 2 * WINDOW), Measures::default());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// F30, breaker griefing: no number of small batches, however bad, trips anything.
    #[test]
    fn f30_small_batches_trip_nothing(
        batches in proptest::collection::vec((1u128..1_000, 0u128..1_000, 0u128..1 << 60, 0u8..64), 1..100),
    ) {
        let mut evidence = Evidence::default();
        let mut now = 1;
        for (asked, raised, bad_debt, silent_steps) in batches {
            let facts = BatchFacts {
                bad_debt: Amount::new(bad_debt), silent_steps, ..batch(asked, raised, 1_000_000)
            };
            now += 1;
            evidence.record(&facts, HOLE, now, WINDOW).unwrap();
            let measures = evidence.measures(&[], HOLE, now, WINDOW).unwrap();
            prop_assert!(Cause::MEASURED.iter().all(|cause| !limits().holds(&measures, *cause)));
        }
    }

    /// Evidence counts for at least one window and at most two.
    #[test]
    fn evidence_ages(first in 0u32..1_000, later in 0u32..400) {
        let mut evidence = Evidence::default();
        let facts = BatchFacts { bad_debt: Amount::new(7), ..batch(1_000, 0, 0) };
        evidence.record(&facts, HOLE, first, WINDOW).unwrap();
        let measures = evidence.measures(&[], HOLE, first + later, WINDOW).unwrap();
        prop_assert!(later < 2 * WINDOW || measures.bad_debt.is_zero());
        prop_assert!(later >= WINDOW || measures.bad_debt == Amount::new(7));
    }
}

#[test]
fn every_bound_of_the_limits_is_checked() {
    assert_eq!(limits().validate(), Ok(()));
    let changes: [fn(&mut Limits); 16] = [
        |l| l.jump = Ratio::ZERO,
        |l| l.age = 0,
        |l| l.dispersion = Ratio::ZERO,
        |l| l.in_auction = Amount::ZERO,
        |l| l.bad_debt = Amount::ZERO,
        |l| l.recovery = Ratio::ONE,
        |l| l.recovery = Ratio::ZERO,
        |l| l.silent_steps = 0,
        |l| l.excess = Ratio::ZERO,
        |l| l.stages[3] = Stage::Open,
        |l| l.hysteresis = Ratio::ONE,
        |l| l.cool_off = 0,
        |l| l.grace = trigger::LONGEST + 1,
        |l| l.lock = 0,
        |l| l.role_term = 0,
        |l| l.window = u32::MAX,
    ];
    for change in changes {
        let mut limits = limits();
        change(&mut limits);
        assert_eq!(limits.validate(), Err(BreakerError::InvalidLimits));
    }
    // The eighth of a hole that does not divide is rounded up.
    let least = HOLE.mul_div(1, 8, Rounding::Up).unwrap();
    assert!(batch(least.get(), 0, 0).counts(HOLE));
}

/// A halt for a stale feed begins no earlier than the feed became stale, in blocks of any length.
#[test]
fn a_stale_round_dates_its_halt_from_chain_facts_alone() {
    let config = FeedConfig::standard(1, 60_000, 1, 600_000);
    for (block_millis, observed_ago) in
        [(6_000u64, 0), (6_000, 59_000), (2_000, 0), (12_000, 30_000)]
    {
        let mut feed = Feed::new(config).unwrap();
        feed.add_feeder(0).unwrap();
        let made = 1_000 * block_millis;
        let at = made - observed_ago;
        feed.submit(
            &0,
            Submission {
                price: Price::new(1_000),
                at,
            },
            made,
            1_000,
        )
        .unwrap();
        let now: Block = 3_000;
        let reading = feed.read(u64::from(now) * block_millis).unwrap();
        let from = stale_since(&reading, 3_600_000, now);
        let truth = (at + 3_600_000) / block_millis;
        let from = u64::from(from);
        assert!(from >= truth && from <= truth + 60, "{from}, {truth}");
        assert_eq!(stale_since(&reading, u64::MAX, now), now);
    }
}
