//! Which step a tier joins, and that it does not matter when anybody asks.

use super::*;
use proptest::prelude::*;

fn funded(percents: &[u8], each: Amount) -> Market {
    let mut market = Market::default();
    for percent in percents {
        market.stand(tier(*percent), 0, each, 1);
    }
    market
}

/// The steps that tiers join over the whole ladder.
fn joins(claim: &StandingClaim, auction: &Auction, history: &[Seen]) -> Vec<Option<u8>> {
    let mut claim = claim.clone();
    claim.join(&mut auction.clone(), 14, history).unwrap();
    claim.tiers.iter().map(|tier| tier.step).collect()
}

#[test]
fn a_tier_joins_the_first_step_at_or_under_its_own_price() {
    let mut market = funded(&[2, 5, 10, 11], tokens(10));
    let (auction, claim) = market.open(100, tokens(1_000));
    // Ladder 103, 102, …: 98 is step 5, 95 step 8, 90 step 13; 11 % is under the floor.
    let tiers: Vec<_> = claim.tiers.iter().map(|t| t.discount.percent()).collect();
    assert_eq!(tiers, [2, 5, 10]);
    let history = [seen(99, 100)];
    let joined = joins(&claim, &auction, &history);
    assert_eq!(joined, [Some(5), Some(8), Some(13)]);
    // The oracle falls to 97 in the block in which step 5 begins: 2 % off that is 95.06, step 8.
    let history = [seen(99, 100), seen(106, 97)];
    let joined = joins(&claim, &auction, &history);
    assert_eq!(joined, [Some(8), Some(11), None]);
    // One block later it is too late to help.
    let history = [seen(99, 100), seen(107, 97)];
    let joined = joins(&claim, &auction, &history);
    assert_eq!(joined, [Some(5), Some(11), None]);
    // A later, higher price does not raise the tier again.
    let history = [seen(99, 100), seen(102, 97), seen(103, 120)];
    let joined = joins(&claim, &auction, &history);
    assert_eq!(joined, [Some(8), Some(11), None]);
}

/// †: a price in quarantine lowers tiers from the block that saw it, and from the opening if it
/// stood already; it does not count as fresh.
#[test]
fn a_quarantined_price_lowers_tiers_and_refreshes_none() {
    let mut market = funded(&[2], tokens(10));
    let (mut auction, mut claim) = market.open(100, tokens(1_000));
    let doubtful = Seen {
        accepted: false,
        ..seen(102, 95)
    };
    assert_eq!(
        joins(&claim, &auction, &[seen(99, 100), doubtful]),
        [Some(10)]
    );
    claim.fresh_for = 3;
    // Fresh until block 102, step 1; step 5 would be in 106.
    assert_eq!(joins(&claim, &auction, &[seen(99, 100), doubtful]), [None]);
    let at_opening = market
        .standing
        .reserve(&mut auction, &terms(100), Some(price(95)), 100, scale())
        .unwrap();
    assert_eq!(at_opening.ceiling, price(95));
}

/// †: without a fresh round a tier sits the step out, and joins the next one that has one.
#[test]
fn without_a_fresh_round_a_tier_sits_the_step_out() {
    let mut market = funded(&[2], tokens(10));
    let (auction, mut claim) = market.open(100, tokens(1_000));
    claim.fresh_for = 4;
    let mut history = vec![seen(99, 100)];
    assert_eq!(joins(&claim, &auction, &history), [None]);
    history.push(seen(109, 100));
    assert_eq!(joins(&claim, &auction, &history), [Some(8)]);
}

#[test]
fn a_tier_counts_like_one_bid_of_its_step() {
    let mut market = funded(&[2], tokens(300));
    let mut batch = market.open(100, tokens(400));
    let bid = tokens(100);
    let step = batch
        .0
        .place(bid, price(98), Block::MAX, 101, scale())
        .unwrap();
    batch
        .0
        .place(tokens(400), price(98), Block::MAX, 101, scale())
        .unwrap();
    assert_eq!(step, 5);
    let fill = market.close(&mut batch, &[seen(99, 100)], over(100));
    // 800 offered for 400 in one step: half of each.
    assert_eq!(fill.spent, tokens(150));
    let (mut auction, _) = batch;
    let own = auction.claim(bid, step, scale()).unwrap();
    assert_eq!(own.spent, tokens(50));
    assert!(fill.received.get().abs_diff(own.received.get() * 3) <= 3);
}

#[test]
fn a_tier_beyond_the_chosen_step_gets_its_money_back() {
    let mut market = funded(&[2, 5], tokens(300));
    let mut batch = market.open(100, tokens(400));
    // 300 from the 2 % tier; of the 5 % tier only what is missing is reserved.
    assert_eq!(batch.1.tiers[1].amount, tokens(100));
    let fill = market.close(&mut batch, &[seen(99, 100)], over(100));
    let (mut auction, claim) = batch;
    let clearing = auction.clear(over(100), scale()).unwrap();
    assert_eq!(
        (claim.tiers[0].step, claim.tiers[1].step),
        (Some(5), Some(8))
    );
    // At 98 the score is 300 / 98; 95 is under the reserve of 97.
    assert_eq!((clearing.price, clearing.raised), (price(98), tokens(300)));
    assert_eq!((fill.spent, fill.received), (tokens(300), clearing.sold));
    assert_eq!(market.worth(tier(5), 0).standing, tokens(300));
    assert_eq!(auction.reserved, Amount::ZERO);
}

/// A round is fresh for as many blocks as its age allows, the last of them included: standing
/// money buys on it in that block, and in the next one no more.
#[test]
fn a_round_is_fresh_to_the_last_block_of_its_age() {
    let mut market = funded(&[2], tokens(10));
    let (auction, mut claim) = market.open(100, tokens(1_000));
    // Step 5, at 98, begins in block 106.
    let history = [seen(99, 100)];
    claim.fresh_for = 7;
    assert_eq!(joins(&claim, &auction, &history), [Some(5)]);
    claim.fresh_for = 6;
    assert_eq!(joins(&claim, &auction, &history), [None]);
}

/// Of what an auction has reserved, the part of the tiers that joined is known to the unit: the
/// rest is what bidders are owed.
#[test]
fn promise_9_the_money_of_tiers_is_told_apart_from_that_of_bids() {
    let mut market = funded(&[2, 5], tokens(300));
    let (mut auction, mut claim) = market.open(100, tokens(400));
    let bid = tokens(50);
    auction
        .place(bid, price(98), Block::MAX, 101, scale())
        .unwrap();
    let mut bids = |ended, joined| {
        claim.join(&mut auction, ended, &[seen(99, 100)]).unwrap();
        assert_eq!(claim.joined().unwrap(), joined);
        auction.reserved.minus(joined).unwrap()
    };
    // 2 % joins at step 5, the missing 100 at 5 % at step 8.
    assert_eq!(bids(5, Amount::ZERO), bid);
    assert_eq!(bids(6, tokens(300)), bid);
    assert_eq!(bids(9, tokens(400)), bid);
}

/// `r` stays under the shallowest tier with money, inside its bounds.
#[test]
fn the_reserve_price_leaves_room_for_the_shallowest_tier() {
    let own = Ratio::from_bps(9_700);
    let with = |percent| tiers::reserve_ratio(own, Some(tier(percent)));
    assert_eq!(tiers::reserve_ratio(own, None), own);
    assert_eq!(with(2), own);
    assert_eq!(with(3), Ratio::from_bps(9_650));
    assert_eq!(with(4), Ratio::from_bps(9_550));
    assert_eq!(with(30), Ratio::from_bps(9_500));
}

/// Money in a tier under the ladder's end can never buy: it lowers no reserve price.
#[test]
fn the_reserve_price_goes_by_tiers_that_can_buy() {
    let block = 100 + 2 * depth::NOTICE;
    let reserve = |deepest| {
        let mut market = funded(&[20], tokens(100));
        let mut auction = auction(block, tokens(400));
        let terms = StandingTerms {
            deepest: tier(deepest),
            ..terms(100)
        };
        let claim = market
            .standing
            .reserve(&mut auction, &terms, None, block, scale());
        claim.unwrap();
        auction.reserve
    };
    assert_eq!(reserve(20), price(95));
    assert_eq!(reserve(19), price(97));
}

#[derive(Clone, Debug)]
struct Story {
    /// Tier per cent and tokens.
    tiers: Vec<(u8, u128)>,
    /// Bids: limit, tokens, block after the opening.
    bids: Vec<(u128, u128, Block)>,
    /// Rounds: blocks after the one before, price, whether accepted.
    rounds: Vec<(Block, u128, bool)>,
    target: u128,
    fresh_for: Block,
}

fn story() -> impl Strategy<Value = Story> {
    (
        prop::collection::vec((2u8..=13, 1u128..400), 0..4),
        prop::collection::vec((90u128..104, 1u128..400, 0u32..14), 0..5),
        prop::collection::vec((1u32..5, 88u128..108, any::<bool>()), 0..8),
        1u128..800,
        1u32..20,
    )
        .prop_map(|(tiers, bids, rounds, target, fresh_for)| Story {
            tiers,
            bids,
            rounds,
            target,
            fresh_for,
        })
}

/// Plays a story; somebody asks in the blocks given, and in the last one. Whoever asks in a block
/// knows the rounds until then. Returns everything there is to compare.
fn play(story: &Story, asked: &[Block]) -> (Clearing, Auction, StandingClaim, Standing) {
    let mut market = Market::default();
    for (percent, money) in &story.tiers {
        market.stand(tier(*percent), 0, tokens(*money), 1);
    }
    let opened = 100;
    let mut auction = auction(opened, tokens(story.target));
    let mut claim = market
        .standing
        .reserve(&mut auction, &terms(story.fresh_for), None, opened, scale())
        .unwrap();
    let mut history = vec![seen(opened, 100)];
    for (gap, whole, accepted) in &story.rounds {
        let block = history.last().unwrap().block + gap;
        history.push(Seen {
            accepted: *accepted,
            ..seen(block, *whole)
        });
    }
    for block in opened..=over(opened) + 20 {
        for (limit, budget, at) in &story.bids {
            if opened + at == block {
                // Bids after the end are refused where it was judged, and void where not.
                let _ = auction.place(tokens(*budget), price(*limit), Block::MAX, block, scale());
            }
        }
        if asked.contains(&block) || block == over(opened) + 20 {
            let known: Vec<_> = history
                .iter()
                .filter(|seen| seen.block <= block)
                .copied()
                .collect();
            let _ = clear(&mut auction, &mut claim, &known, block);
        }
    }
    let clearing = auction.settle().unwrap();
    let before = auction.clone();
    let block = over(opened) + 20;
    market
        .standing
        .settle(&claim, &mut auction, block, scale())
        .unwrap();
    (clearing, before, claim, market.standing)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

    /// †: judged late, in one call, an auction ends as with a call in every block, to the last
    /// bit of what tiers joined and got.
    #[test]
    fn lazy_calls_find_what_timely_calls_found(story in story(), asked in prop::collection::vec(100u32..135, 0..3)) {
        let timely: Vec<Block> = (100..135).collect();
        let (clearing, auction, claim, standing) = play(&story, &timely);
        let (lazy_clearing, lazy_auction, lazy_claim, lazy_standing) = play(&story, &asked);
        prop_assert_eq!(clearing, lazy_clearing);
        prop_assert_eq!(claim, lazy_claim);
        prop_assert_eq!(standing, lazy_standing);
        // Bids that came after the end are void: they may stand in steps that never counted.
        let reached = usize::from(clearing.ended_at) + 1;
        prop_assert_eq!(&auction.joined[..reached], &lazy_auction.joined[..reached]);
    }

    /// Promise 2 for tiers: none pays more than its own price in the step it joined, none spends
    /// for nothing, and none spends more than was reserved.
    #[test]
    fn a_tier_never_pays_more_than_its_own_price(story in story()) {
        let (clearing, mut auction, claim, _) = play(&story, &[]);
        for reserved in &claim.tiers {
            let fill = StandingClaim::fill(&mut auction, reserved, scale()).unwrap();
            prop_assert_eq!(fill.spent.plus(fill.refunded).unwrap(), reserved.amount);
            if fill.spent.is_zero() {
                continue;
            }
            prop_assert!(!fill.received.is_zero());
            let begins = auction.schedule.begins(reserved.step.unwrap());
            let mut history = vec![seen(100, 100)];
            for (gap, whole, accepted) in &story.rounds {
                let block = history.last().unwrap().block + gap;
                history.push(Seen { accepted: *accepted, ..seen(block, *whole) });
            }
            let own = claim.price(reserved.discount, begins, &history).unwrap().unwrap();
            prop_assert!(clearing.price <= own);
        }
    }
}

/// The oracle's log gives a batch the round it opened on and everything since, block by block.
#[test]
fn the_log_of_prices_covers_a_whole_batch() {
    let mut log = seen::SeenLog::default();
    for block in 1..=500 {
        log.record(seen(block, 100));
        log.record(Seen {
            accepted: false,
            ..seen(block, 90 + u128::from(block % 7))
        });
    }
    let since = log.since(372);
    assert_eq!(since.len(), 500 - 372 + 1 + 1);
    assert_eq!(since[0].block, 371);
    assert!(since.iter().all(|seen| seen.accepted));
    assert_eq!(since[1], seen(372, 91));
    // Of the time before, only an accepted round counts: a batch may open on it.
    let mut log = seen::SeenLog::default();
    log.record(seen(10, 100));
    log.record(Seen {
        accepted: false,
        ..seen(11, 80)
    });
    assert_eq!(log.since(12), [seen(10, 100)]);
    assert_eq!(log.since(11).len(), 2);
}
