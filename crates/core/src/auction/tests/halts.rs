//! The clock that does not count halted blocks: promises 7 and 8.

use super::super::*;
use super::{bid, scale, small, FIRST};
use crate::units::PRICE_ONE;
use proptest::prelude::*;

fn halted(from: Block, blocks: Block) -> Halts {
    let mut halts = Halts::default();
    assert!(halts.halt(from, from));
    assert!(halts.resume(from + blocks));
    halts
}

#[test]
fn a_halt_shifts_every_later_step_and_no_earlier_one() {
    let auction = small();
    let halts = halted(FIRST + 2, 50);
    let step = |block| {
        let clock = auction.clock(&halts, block);
        auction.schedule.step_at(clock.block)
    };
    assert_eq!(step(FIRST), Some(0));
    assert_eq!(step(FIRST + 1), Some(1));
    assert_eq!(step(FIRST + 52), Some(2));
    assert_eq!(step(FIRST + 53), Some(3));
    assert_eq!(step(FIRST + 54), None);
}

#[test]
fn during_a_halt_nothing_joins_and_what_has_not_joined_can_be_taken_back() {
    let mut auction = small();
    let budget = Amount::new(500_000_000);
    assert_eq!(bid(&mut auction, 500, 98, FIRST), 2);
    let mut halts = Halts::default();
    halts.halt(FIRST + 2, FIRST + 2);
    let now = auction.clock(&halts, FIRST + 40);
    assert!(now.stands);
    let limit = Price::new(100 * PRICE_ONE);
    let refused = auction.place(budget, limit, Block::MAX, now, scale());
    assert_eq!(refused, Err(AuctionError::Halted));
    assert_eq!(auction.clear(now, scale()), Err(AuctionError::Halted));
    // Step 2 was about to begin: its bids are not bound.
    auction.cancel(budget, 2, now).unwrap();
    // Step 1 had begun.
    assert_eq!(
        auction.cancel(budget, 1, now),
        Err(AuctionError::BidHasJoined)
    );
}

/// †Steps that ended before a halt are judged as if there were none, also if the fact that halts
/// the market became true before anybody said so: money that came in between waits for its step.
#[test]
fn steps_ended_before_a_halt_are_judged_as_if_there_were_none() {
    let mut auction = small();
    bid(&mut auction, 1_000, 100, FIRST);
    let mut halts = Halts::default();
    // The fact became true in block FIRST + 2, when step 1 had ended; the call came later.
    halts.halt(FIRST + 2, FIRST + 30);
    let now = auction.clock(&halts, FIRST + 30);
    assert_eq!(auction.clear(now, scale()), Err(AuctionError::Halted));
    halts.resume(FIRST + 60);
    let now = auction.clock(&halts, FIRST + 60);
    let clearing = auction.clear(now, scale()).unwrap();
    assert_eq!((clearing.end, clearing.ended_at), (End::Covered, 1));

    // One block earlier step 1 had not ended: the batch goes on with it after the halt.
    let mut auction = small();
    bid(&mut auction, 1_000, 100, FIRST);
    let mut halts = Halts::default();
    halts.halt(FIRST + 1, FIRST + 30);
    halts.resume(FIRST + 60);
    let now = auction.clock(&halts, FIRST + 60);
    assert_eq!(auction.clear(now, scale()), Err(AuctionError::BiddingOpen));
    let now = auction.clock(&halts, FIRST + 61);
    assert_eq!(auction.clear(now, scale()).unwrap().ended_at, 1);
}

/// †A batch halted for more than H blocks in all closes without a sale and without counting as a
/// failure; however late it is judged, and whatever the clock has shown since.
#[test]
fn halted_too_long_in_all_it_closes_and_is_excused() {
    let mut two = halted(FIRST + 1, LONGEST_HALT / 2);
    let again = FIRST + LONGEST_HALT / 2 + 2;
    two.halt(again, again);
    two.resume(again + LONGEST_HALT / 2 + 1);
    let end = again + LONGEST_HALT / 2 + 1;
    for late in [0, 1, 2, 10, 1_000_000] {
        let mut auction = small();
        // It would cover the last step.
        bid(&mut auction, 2_000, 90, FIRST);
        let now = auction.clock(&two, end + late);
        let limit = Price::new(100 * PRICE_ONE);
        let budget = Amount::new(500_000_000);
        let refused = auction.place(budget, limit, Block::MAX, now, scale());
        assert_eq!(refused, Err(AuctionError::BiddingEnded));
        let clearing = auction.clear(now, scale()).unwrap();
        assert_eq!(clearing.end, End::Halted);
        assert!(clearing.is_excused() && clearing.raised.is_zero());
        // Budgets are free.
        auction.settle().unwrap();
        let fill = auction
            .claim(Amount::new(2_000_000_000), 3, scale())
            .unwrap();
        assert_eq!(fill.refunded, Amount::new(2_000_000_000));
    }
    // Promise 8: without anybody resuming, too.
    let mut forever = Halts::default();
    forever.halt(FIRST + 1, FIRST + 1);
    let mut auction = small();
    let now = auction.clock(&forever, FIRST + 1 + LONGEST_HALT);
    assert_eq!(auction.clear(now, scale()), Err(AuctionError::Halted));
    let now = auction.clock(&forever, FIRST + 2 + LONGEST_HALT);
    assert_eq!(auction.clear(now, scale()).unwrap().end, End::Halted);
    // What had ended before the halt is judged, not closed.
    let mut auction = small();
    bid(&mut auction, 1_000, 110, FIRST);
    let now = auction.clock(&forever, FIRST + 2 + LONGEST_HALT);
    assert_eq!(auction.clear(now, scale()).unwrap().end, End::Covered);
}

#[test]
fn a_log_of_many_halts_keeps_its_sum_and_halts_before_the_opening_do_not_count() {
    let mut halts = Halts::default();
    for number in 0..40 {
        assert!(halts.halt(number * 10, number * 10));
        assert!(!halts.halt(number * 10 + 1, number * 10 + 1));
        assert!(halts.resume(number * 10 + 3));
        assert!(!halts.resume(number * 10 + 4));
    }
    assert!(halts.log().len() <= 8);
    assert_eq!(Clock::new(&halts, 0, 1_000).halted, 120);
    assert_eq!(Clock::new(&halts, 395, 1_000).halted, 0);
    assert_eq!(Clock::new(&halts, 391, 1_000).halted, 2);
    assert_eq!(Clock::new(&halts, 380, 1_000).block, 1_000 - 6);
    // A fact from before the last halt's end counts from that end on.
    halts.halt(100, 500);
    assert_eq!(halts.log().last().unwrap().from, 393);
}

/// `valid_until` is a block of the chain: halted blocks so far count towards it.
#[test]
fn valid_until_counts_the_halted_blocks_so_far() {
    let mut auction = small();
    let halts = halted(FIRST - 1, 7);
    let now = auction.clock(&halts, FIRST + 7);
    assert_eq!(now.block, FIRST);
    let budget = Amount::new(500_000_000);
    let limit = Price::new(98 * PRICE_ONE);
    let early = auction.place(budget, limit, FIRST + 8, now, scale());
    assert_eq!(early, Err(AuctionError::ExpiresBeforeJoining));
    assert_eq!(auction.place(budget, limit, FIRST + 9, now, scale()), Ok(2));
}

/// Promises 7 and 8: while a fact holds a market is halted, and when it holds no more bids are
/// taken again; what is said twice changes nothing.
#[test]
fn promise_8_a_market_halts_and_goes_on_with_its_fact() {
    let mut halts = Halts::default();
    assert!(!halts.follow(false, FIRST, FIRST), "nothing to end");
    assert!(halts.follow(true, FIRST, FIRST));
    assert!(!halts.follow(true, FIRST + 1, FIRST + 1));
    assert!(halts.stands());
    assert!(halts.follow(false, FIRST + 5, FIRST + 5));
    assert!(!halts.follow(false, FIRST + 6, FIRST + 6));
    assert_eq!(halts, halted(FIRST, 5));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]
    /// Halts of a market and of all markets together are a list of blocks, each counted once; with
    /// halts of the market that begin in the past.
    #[test]
    fn halts_of_a_market_and_of_all_are_a_list_of_blocks(
        steps in proptest::collection::vec((any::<bool>(), any::<bool>(), 0u32..50, 0u32..30), 1..16),
        opened in 0u32..300,
    ) {
        let (mut market, mut all) = (Halts::default(), Halts::default());
        let mut halted = std::collections::BTreeSet::new();
        let (mut now, mut ended) = (100u32, 0);
        for (of_all, halts, ago, blocks) in steps {
            if of_all {
                all.follow(halts, now, now);
            } else if market.follow(halts, now - ago, now) {
                if halts {
                    halted.extend((now - ago).max(ended)..now);
                } else {
                    ended = now;
                }
            }
            for block in now..now + blocks {
                if market.stands() || all.stands() {
                    halted.insert(block);
                }
            }
            now += blocks;
            let both = market.with(&all);
            prop_assert_eq!(&both, &all.with(&market));
            prop_assert_eq!(both.stands(), market.stands() || all.stands());
            let clock = Clock::new(&both, opened.min(now), now);
            let since = halted.range(opened.min(now)..).count();
            prop_assert_eq!(clock.halted as usize, since);
        }
    }

    /// F30, trip-and-buy: with whatever halts, the clock shows no later step than it would without
    /// them, so nobody buys cheaper by halting.
    #[test]
    fn f30_tripping_the_breaker_buys_nothing_cheaper(
        steps in proptest::collection::vec((any::<bool>(), 0u32..50, 0u32..30), 1..20),
        opened in 50u32..100,
    ) {
        let (mut halts, mut now) = (Halts::default(), opened);
        let mut shown = opened;
        for (stop, ago, blocks) in steps {
            now += blocks;
            let before = Clock::new(&halts, opened, now).block;
            prop_assert!(before <= now && before >= shown, "never ahead, and a reading never falls by itself");
            halts.follow(stop, now - ago, now);
            shown = Clock::new(&halts, opened, now).block;
            prop_assert!(shown <= before);
        }
    }
}
