//! The price clock stands exactly in the blocks in which the market or all markets are halted.

use super::*;
use crate::breaker::state::halted_blocks;
use crate::ladder::{LadderParams, Measures};
use crate::units::Price;
use proptest::prelude::*;

#[test]
fn a_halt_begins_where_its_fact_did_but_not_before_the_last_one_ended() {
    let mut market = calm();
    market
        .trip(
            Cause::Stale,
            &limits(),
            &fact(Cause::Stale),
            (40, 50),
            &calm(),
        )
        .unwrap();
    assert_eq!(clock(0, &market, &calm(), 50), 40);
    assert_eq!(clock(0, &market, &calm(), 70), 40);
    market.lower(Stage::Open, &limits(), 80, &calm()).unwrap();
    assert_eq!(clock(0, &market, &calm(), 90), 50);
    assert_eq!(market.grace_until, 80 + limits().grace);
    let again = 80 + limits().lock;
    market
        .trip(
            Cause::Stale,
            &limits(),
            &fact(Cause::Stale),
            (60, again),
            &calm(),
        )
        .unwrap();
    assert_eq!(clock(0, &market, &calm(), again), 40);
}

#[test]
fn a_halt_of_both_counts_once() {
    let (mut market, mut global) = (calm(), calm());
    let guardian = Raiser::Guardian;
    global.raise(Stage::Halted, guardian, 10, &calm()).unwrap();
    market.raise(Stage::Halted, guardian, 20, &global).unwrap();
    assert_eq!(halted_between(0, &market, &global, 25), 15);
    global.lower(Stage::Open, &limits(), 30, &calm()).unwrap();
    assert_eq!(halted_between(0, &market, &global, 40), 30);
    market.lower(Stage::Open, &limits(), 50, &global).unwrap();
    assert_eq!(halted_between(0, &market, &global, 60), 40);
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Raise(bool),
    Lower(bool),
    Trip(u32),
}

fn steps() -> impl Strategy<Value = Vec<(Step, u32)>> {
    let step = prop_oneof![
        any::<bool>().prop_map(Step::Raise),
        any::<bool>().prop_map(Step::Lower),
        (0u32..50).prop_map(Step::Trip),
    ];
    proptest::collection::vec((step, 0u32..30), 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]
    /// The count is that of a list of all blocks, for every history of both breakers, with halts
    /// of a market that begin in the past.
    #[test]
    fn halted_blocks_are_a_list_of_blocks(history in steps()) {
        let limits = Limits { lock: 1, ..limits() };
        let (mut market, mut global) = (calm(), calm());
        let mut halted = std::collections::BTreeSet::new();
        let (mut now, mut market_ended, mut global_ended) = (100u32, 0, 0);
        for (step, blocks) in history {
            for block in now..now + blocks {
                if market.stage == Stage::Halted || global.stage == Stage::Halted {
                    halted.insert(block);
                }
            }
            now += blocks;
            match step {
                Step::Raise(true) => { let _ = global.raise(Stage::Halted, Raiser::Guardian, now, &calm()); }
                Step::Raise(false) => { let _ = market.raise(Stage::Halted, Raiser::Guardian, now, &global); }
                Step::Lower(true) => if global.lower(Stage::Open, &limits, now, &calm()).is_ok() { global_ended = now },
                Step::Lower(false) => if market.lower(Stage::Open, &limits, now, &global).is_ok() { market_ended = now },
                Step::Trip(ago) => {
                    let from = now - ago;
                    let was = market.stage;
                    let tripped = market.trip(Cause::Stale, &limits, &fact(Cause::Stale), (from, now), &global);
                    if tripped.is_ok() && was < Stage::Halted {
                        halted.extend(from.max(market_ended).max(global_ended)..now);
                    }
                }
            }
            prop_assert_eq!(halted_blocks(&market, &global, now) as usize, halted.len());
        }
    }

    /// F30, trip-and-buy: with whatever halts, who buys in a block pays at least what the clock
    /// without them would have asked by then, and the same as without them at the same reading.
    #[test]
    fn f30_tripping_the_breaker_buys_nothing_cheaper(
        history in steps(), spot in 1_000_000u128..1 << 80, opened in 0u32..100,
    ) {
        let limits = Limits { lock: 1, ..limits() };
        let prices = LadderParams::standard().prices(Price::new(spot), Price::new(spot), Measures::default()).unwrap();
        let price_at = |clock: u32| prices[(clock.saturating_sub(opened) as usize).min(prices.len() - 1)];
        let (mut market, mut global) = (calm(), calm());
        let mut now = opened;
        let mut best = i128::MIN;
        for (step, blocks) in history {
            now += blocks;
            match step {
                Step::Raise(true) => { let _ = global.raise(Stage::Halted, Raiser::Guardian, now, &calm()); }
                Step::Raise(false) => { let _ = market.raise(Stage::Halted, Raiser::Guardian, now, &global); }
                Step::Lower(true) => { let _ = global.lower(Stage::Open, &limits, now, &calm()); }
                Step::Lower(false) => { let _ = market.lower(Stage::Open, &limits, now, &global); }
                // The fact began after the opening, as callers make sure.
                Step::Trip(ago) => {
                    let from = now.saturating_sub(ago).max(opened);
                    let _ = market.trip(Cause::Stale, &limits, &fact(Cause::Stale), (from, now), &global);
                }
            }
            let asked = price_at(clock(0, &market, &global, now));
            let without = price_at(now);
            best = best.max(without.get() as i128 - asked.get() as i128);
        }
        prop_assert!(best <= 0, "profit {}", best);
    }
}
