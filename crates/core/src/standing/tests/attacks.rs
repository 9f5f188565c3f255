//! What people may try with standing money, and what it costs to serve them.

use super::super::depth::NOTICE;
use super::*;
use crate::math::Rounding;
use proptest::prelude::*;
use scale::Encode;

const ALICE: u32 = 1;
const BOB: u32 = 3;
const MALLORY: u32 = 2;

/// Opens at 100 and closes a batch that a 5 % tier can only buy at 95, a bargain at a reference
/// of 100. The auction's own reserve is set under it, so that it clears there.
fn bargain(market: &mut Market, target: Amount) -> (Auction, StandingClaim) {
    let mut batch = market.open(100, target);
    batch.0.reserve = price(90);
    batch
}

/// †: a deposit made after the opening gets nothing of that batch, whenever in it.
#[test]
fn entering_after_the_opening_gains_nothing() {
    let at = tier(5);
    for entered in [100, 105, over(100) - 1] {
        let mut honest = Market::default();
        honest.stand(at, ALICE, tokens(100), 1);
        let mut attacked = honest.clone();
        let history = [seen(99, 100)];
        let mut batch = bargain(&mut honest, tokens(80));
        honest.close(&mut batch, &history, over(100));
        let mut batch = bargain(&mut attacked, tokens(80));
        attacked.stand(at, MALLORY, tokens(10_000), entered);
        assert_eq!(attacked.worth(at, MALLORY).waiting, tokens(10_000));
        attacked.close(&mut batch, &history, over(100));
        assert_eq!(attacked.worth(at, ALICE), honest.worth(at, ALICE));
        let entrant = attacked.worth(at, MALLORY);
        assert_eq!(entrant.collateral, Amount::ZERO);
        assert!(entrant.standing.get() + 1 >= tokens(10_000).get());
        // From then on it takes part.
        let mut next = attacked.open(200, tokens(80));
        next.0.reserve = price(90);
        attacked.close(&mut next, &[seen(199, 100)], over(200));
        assert!(!attacked.worth(at, MALLORY).collateral.is_zero());
    }
}

/// †: who has seen a bad batch open stays in it: its loss is shared as if nobody had asked.
#[test]
fn leaving_after_a_bad_batch_opened_is_impossible() {
    let at = tier(5);
    let mut market = Market::default();
    market.stand(at, ALICE, tokens(100), 1);
    market.stand(at, MALLORY, tokens(300), 1);
    let mut batch = bargain(&mut market, tokens(200));
    let all = market.worth(at, MALLORY).standing;
    assert_eq!(market.unstand(at, MALLORY, all, 101), Amount::ZERO);
    assert_eq!(
        market.claim(at, MALLORY),
        Err(StandingError::NothingToClaim)
    );
    // The ask does not change what the batch spends of it.
    let fill = market.close(&mut batch, &[seen(99, 100)], over(100));
    assert_eq!(fill.spent, tokens(200));
    let leaver = market.claim(at, MALLORY).unwrap();
    let stayer = market.worth(at, ALICE);
    assert!(leaver.quote.get().abs_diff(tokens(150).get()) <= 1);
    assert!(stayer.standing.get().abs_diff(tokens(50).get()) <= 1);
    assert!(
        leaver
            .collateral
            .get()
            .abs_diff(stayer.collateral.get() * 3)
            <= 3
    );
    // Paid when the batch closed: a batch opened afterwards does not touch it.
    let mut next = market.open(200, tokens(50));
    next.0.reserve = price(90);
    market.close(&mut next, &[seen(199, 100)], over(200));
    assert!(market.accounts[&(at, MALLORY)].is_empty());
}

/// Batches that overlap without a gap keep a leaver no longer than a notice period and one batch.
#[test]
fn overlapping_batches_do_not_keep_a_leaver_for_ever() {
    let at = tier(5);
    let mut market = Market::default();
    market.stand(at, ALICE, tokens(1_000_000), 1);
    let mut running = vec![(100, market.open(100, tokens(1)))];
    let half = tokens(500_000);
    market.unstand(at, ALICE, half, 101);
    let mut block = 100;
    while market.worth(at, ALICE).payable.is_zero() {
        block += 7;
        assert!(block < 101 + NOTICE + 2 * 15 + 7, "still waiting");
        let mut open = market.open(block, tokens(1));
        open.0.reserve = price(90);
        running.push((block, open));
        while let Some((opened, _)) = running.first() {
            if over(*opened) > block {
                break;
            }
            let (opened, mut batch) = running.remove(0);
            market.close(&mut batch, &[seen(opened, 100)], block);
        }
    }
    assert!(block > 100 + NOTICE);
}

/// A waiting deposit that is taken back leaves no trace, so it cannot start the notice either.
#[test]
fn a_waiting_deposit_can_be_taken_back_at_once() {
    let at = tier(5);
    let mut market = Market::default();
    market.stand(at, ALICE, tokens(100), 1);
    let _batch = bargain(&mut market, tokens(80));
    let before = market.standing.clone();
    market.stand(at, MALLORY, tokens(50), 102);
    assert_eq!(market.unstand(at, MALLORY, tokens(50), 103), tokens(50));
    assert_eq!(market.standing, before);
    assert!(market.accounts[&(at, MALLORY)].is_empty());
}

/// Each unit of tier money is reserved by one batch only, and a small batch leaves the rest of
/// the tier to a large one.
#[test]
fn four_batches_share_a_tier_and_reserve_no_unit_twice() {
    let at = tier(2);
    let mut market = Market::default();
    market.stand(at, ALICE, tokens(1_000), 1);
    let targets = [10, 600, 500, 1];
    let mut batches: Vec<_> = targets
        .iter()
        .map(|target| market.open(100, tokens(*target)))
        .collect();
    let reserved: Vec<_> = batches
        .iter()
        .map(|(_, claim)| claim.tiers.first().map_or(Amount::ZERO, |t| t.amount))
        .collect();
    assert_eq!(
        reserved,
        [tokens(10), tokens(600), tokens(390), Amount::ZERO]
    );
    assert_eq!(
        market.standing.affordable(Ratio::from_bps(9_000), 100),
        Ok(Amount::ZERO)
    );
    for batch in &mut batches {
        market.close(batch, &[seen(99, 100)], over(100));
    }
    assert!(market.standing.tier(at).unwrap().pool.quote.is_zero());
    assert!(!market.standing.tier(at).unwrap().is_engaged());
}

/// An extension reserves more, and still nothing of what came after the opening.
#[test]
fn an_extended_batch_takes_no_later_deposit() {
    let at = tier(2);
    let mut market = Market::default();
    market.stand(at, ALICE, tokens(100), 1);
    let (mut auction, mut claim) = market.open(100, tokens(50));
    market.stand(at, MALLORY, tokens(1_000), 100);
    auction.targets = vec![tokens(400); 14];
    market
        .standing
        .reserve_more(&mut claim, &auction, 101, scale())
        .unwrap();
    assert_eq!(claim.tiers[0].amount, tokens(100));
    let again = claim.clone();
    market
        .standing
        .reserve_more(&mut claim, &auction, 101, scale())
        .unwrap();
    assert_eq!(claim, again);
    let records = market.standing.release(&claim, 120).unwrap();
    assert!(records.is_empty());
    assert_eq!(market.worth(at, MALLORY).standing, tokens(1_000));
}

/// Tiers under the floor, and those with less than a bid's least budget, are left alone, so that
/// no tier spends for nothing and nobody waits for a batch that cannot use the money.
#[test]
fn a_tier_that_cannot_join_is_not_engaged() {
    let mut market = Market::default();
    market.stand(tier(11), ALICE, tokens(100), 1);
    market.stand(tier(3), ALICE, Amount::new(100_000), 1);
    let (_, claim) = market.open(100, tokens(50));
    assert_eq!(claim.tiers, []);
    assert_eq!(
        market.unstand(tier(11), ALICE, tokens(100), 101),
        tokens(100)
    );
    let floor = Ratio::from_bps(9_000);
    assert_eq!(
        market.standing.affordable(floor, 100),
        Ok(Amount::new(100_000))
    );
}

/// What comes in a block sizes no lot in it, whether it enters at once or with a generation that
/// turns in that block: where no batch reserves it, it could leave in the same block.
#[test]
fn money_of_a_block_counts_from_the_next() {
    let (at, floor) = (tier(2), Ratio::from_bps(9_000));
    let mut market = Market::default();
    let counts = |market: &Market, block| market.standing.affordable(floor, block).unwrap();
    market.stand(at, ALICE, tokens(100), 1);
    assert_eq!(counts(&market, 1), Amount::ZERO);
    assert_eq!(counts(&market, 2), tokens(100));
    market.stand(at, BOB, tokens(50), 2);
    assert_eq!(counts(&market, 2), tokens(100), "what was there counts");
    market.unstand(at, BOB, tokens(50), 2);
    market.unstand(at, ALICE, tokens(40), 2);
    assert_eq!(counts(&market, 2), tokens(60), "what goes does not");
    let mut batch = market.open(100, tokens(30));
    market.stand(at, MALLORY, tokens(1_000), 101);
    let end = over(100);
    market.close(&mut batch, &[seen(99, 100)], end);
    assert_eq!(counts(&market, end), tokens(30));
    assert_eq!(counts(&market, end + 1), tokens(1_030));
}

/// †: money that stands for less than a notice period adds nothing to the depth that steers a
/// ladder; money that goes for one block takes all of it away.
#[test]
fn nobody_inflates_depth_for_a_block() {
    let at = tier(2);
    let mut market = Market::default();
    let depth = |market: &Market, block| market.standing.depth(tier(10), block).unwrap();
    market.stand(at, ALICE, tokens(100), 5);
    assert_eq!(depth(&market, 5 + NOTICE - 6), Amount::ZERO);
    assert_eq!(depth(&market, 5 + 2 * NOTICE), tokens(100));
    let block = 10 * NOTICE + 7;
    market.stand(at, MALLORY, tokens(1_000_000), block);
    assert_eq!(depth(&market, block), tokens(100));
    assert_eq!(depth(&market, block + NOTICE - 8), tokens(100));
    market.unstand(at, MALLORY, tokens(1_000_000), block + 1);
    assert_eq!(depth(&market, block + 5 * NOTICE), tokens(100));
    let block = 20 * NOTICE;
    market.unstand(at, ALICE, tokens(60), block);
    market.stand(at, ALICE, tokens(60), block + 1);
    assert_eq!(depth(&market, block + NOTICE), tokens(40));
    let shallowest = |least, deepest| {
        let standing = &market.standing;
        standing.shallowest(tokens(least), deepest, block + NOTICE)
    };
    assert_eq!(shallowest(41, at), None);
    assert_eq!(shallowest(40, at), Some(at));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5_000, ..ProptestConfig::default() })]

    /// The depth is never more than the least total of the last notice period, and never less
    /// than that of the last two.
    #[test]
    fn depth_is_the_least_total_of_a_notice_period(
        changes in prop::collection::vec((0u32..NOTICE, 0u128..1_000), 0..20), later in 0u32..3_000,
    ) {
        let mut depth = depth::Depth::default();
        let mut block = 3 * NOTICE;
        let mut totals = vec![(0, 0u128)];
        for (gap, total) in changes {
            block += gap;
            depth.record(Amount::new(total), block);
            totals.push((block, total));
        }
        let now = block + later;
        let least_since = |since: Block| {
            let standing = totals.iter().rev().find(|(at, _)| *at <= since).unwrap().1;
            totals
                .iter()
                .filter(|(at, _)| *at > since)
                .map(|(_, total)| *total)
                .fold(standing, u128::min)
        };
        let found = depth.smallest(now).get();
        prop_assert!(found <= least_since(now - NOTICE));
        prop_assert!(found >= least_since(now - 2 * NOTICE));
    }

    /// Splitting a deposit over many accounts gains nothing beyond a unit.
    #[test]
    fn splitting_a_deposit_gains_nothing(
        parts in prop::collection::vec(1u128..1 << 40, 2..40), other in 1u128..1 << 50, spend in 1u32..1_000_000,
    ) {
        let whole = parts.iter().sum::<u128>();
        let receive = |deposits: &[u128]| {
            let mut pool = pool::Pool::default();
            pool.deposit(Amount::new(other)).unwrap();
            let stakes: Vec<_> = deposits
                .iter()
                .map(|amount| pool.deposit(Amount::new(*amount)).unwrap())
                .collect();
            let quote = pool.quote.share(Ratio::from_ppm(spend), Rounding::Down).unwrap();
            // Where hardly anything is left, the series ends.
            let end = pool.spend(quote, Amount::new(quote.get() * 3)).unwrap();
            let mut files = Files::default();
            files.add(end.map(|end| Record::Series(0, end)));
            let mut total = (0, 0);
            for shares in stakes {
                let mut stake = pool::Stake { shares, ..pool::Stake::default() };
                total.1 += stake.follow(pool.mark, &files).unwrap().whole().get();
                total.0 += pool.worth(stake.shares).unwrap().get();
            }
            total
        };
        let (one, many) = (receive(&[whole]), receive(&parts));
        prop_assert!(many.0 <= one.0 + 1 && many.1 <= one.1 + 1);
    }

    /// In whatever order depositors claim, each gets the same, to the unit.
    #[test]
    fn the_order_of_claims_does_not_matter(
        deposits in prop::collection::vec(1_000_000u128..1 << 50, 2..12), turn in 0usize..12,
    ) {
        let at = tier(3);
        let mut market = Market::default();
        for (who, amount) in (0u32..).zip(&deposits) {
            market.stand(at, who, Amount::new(*amount), 1);
        }
        let mut batch = market.open(100, Amount::new(deposits.iter().sum::<u128>() / 3));
        batch.0.reserve = price(90);
        market.close(&mut batch, &[seen(99, 100)], over(100));
        let mut other = market.clone();
        let mut order: Vec<u32> = (0..).take(deposits.len()).collect();
        let forth: BTreeMap<_, _> = order.iter().map(|who| (*who, market.claim(at, *who))).collect();
        order.rotate_left(turn % deposits.len());
        order.reverse();
        let back: BTreeMap<_, _> = order.iter().map(|who| (*who, other.claim(at, *who))).collect();
        prop_assert_eq!(forth, back);
    }
}

/// Promise 1: opening, judging and settling do the same work for one depositor and for ten
/// thousand: the state they load and store has the same size, and nothing else is read.
#[test]
fn a_batch_costs_the_same_for_one_depositor_and_for_ten_thousand() {
    let at = tier(4);
    let settled = |depositors: u32| {
        let mut market = Market::default();
        for who in 0..depositors {
            market.stand(
                at,
                who,
                Amount::new(tokens(1_000_000).get() / u128::from(depositors)),
                1,
            );
        }
        let mut batch = market.open(100, tokens(500_000));
        batch.0.reserve = price(90);
        let opened = (market.standing.encoded_size(), batch.1.encoded_size());
        let fill = market.close(&mut batch, &[seen(99, 100)], over(100));
        (
            opened,
            fill.spent,
            fill.received,
            market.standing.encoded_size(),
        )
    };
    assert_eq!(settled(1), settled(100));
    assert_eq!(settled(1), settled(10_000));
}

/// A flood of one-unit deposits costs its authors dust and the others nothing.
#[test]
fn a_flood_of_one_unit_deposits_takes_nothing_from_others() {
    let at = tier(4);
    let mut market = Market::default();
    market.stand(at, ALICE, tokens(1_000), 1);
    for who in 0..10_000 {
        market.stand(at, 100 + who, Amount::new(1), 1);
    }
    let mut batch = market.open(100, tokens(500));
    batch.0.reserve = price(90);
    let fill = market.close(&mut batch, &[seen(99, 100)], over(100));
    let alice = market.worth(at, ALICE);
    let all = tokens(1_000).get() + 10_000;
    let fair = |whole: u128| whole * tokens(1_000).get() / all;
    assert!(alice.standing.get() + 1 >= tokens(1_000).get() - fair(fill.spent.get()) - 1);
    assert!(alice.collateral.get() + 1 >= fair(fill.received.get()));
    for who in 0..10_000 {
        let worth = market.worth(at, 100 + who);
        assert_eq!(worth.standing.get() + worth.collateral.get(), 0);
    }
}

/// A claim that pays nothing changes nothing: the fraction of a unit stays with its owner.
#[test]
fn fractions_of_a_unit_add_up_over_batches() {
    let at = tier(4);
    let mut market = Market::default();
    market.stand(at, ALICE, tokens(1_000), 1);
    market.stand(at, MALLORY, Amount::new(400), 1);
    let mut claimed = 0;
    for round in 0..50u32 {
        let opened = 100 + round * 50;
        let mut batch = market.open(opened, tokens(2));
        batch.0.reserve = price(90);
        market.close(&mut batch, &[seen(opened, 100)], over(opened));
        claimed += market
            .claim(at, MALLORY)
            .map_or(0, |payout| payout.collateral.get());
    }
    // 100 tokens at 96 buy 1.04 tokens; of them 400 / 10^9 are 0.4 units.
    let whole = market.standing.tier(at).unwrap();
    assert_eq!(whole.pool.quote.get(), tokens(900).get() + 400);
    assert_eq!(claimed, 0);
    for round in 0..450u32 {
        let opened = 5_000 + round * 50;
        let mut batch = market.open(opened, tokens(2));
        batch.0.reserve = price(90);
        market.close(&mut batch, &[seen(opened, 100)], over(opened));
        claimed += market
            .claim(at, MALLORY)
            .map_or(0, |payout| payout.collateral.get());
    }
    // In all 1,000 tokens less a little bought 10.4 tokens: 400 / 10^9 of them are 4.1 units.
    assert_eq!(claimed, 4);
}

/// The state of 29 tiers, each with everything in it that it can have, fits one cell of 16 KiB.
#[test]
fn all_tiers_of_a_market_fit_one_storage_cell() {
    let end = pool::SeriesEnd {
        each: pool::Fine::default(),
        shift: 128,
    };
    let mut standing = Standing::default();
    for percent in 2..=30 {
        let full = standing.opened(tier(percent)).unwrap();
        full.waits_since = Some(1);
        full.turned = Some(Turn::default());
        full.ended = vec![(0, end); KEPT_SERIES + 1];
    }
    assert!(
        standing.encoded_size() < 15 * 1_024,
        "{}",
        standing.encoded_size()
    );
}
