//! Bids changed, targets changed, prices that leave the ladder, and what views say of it.

use super::super::*;
use super::{bid, scale, small, FIRST};
use crate::units::PRICE_ONE;

fn price(whole: u128) -> Price {
    Price::new(whole * PRICE_ONE)
}

fn quote(whole: u128) -> Amount {
    Amount::new(whole * 1_000_000)
}

#[test]
fn a_bid_is_replaced_until_its_step_begins_and_keeps_no_trace() {
    let mut auction = small();
    let step = bid(&mut auction, 300, 98, FIRST);
    let replace = |auction: &mut Auction, old, budget, limit, block| {
        auction.replace(old, budget, limit, Block::MAX, block, scale())
    };
    // Raised in budget and limit before step 2 begins.
    let raised = replace(
        &mut auction,
        (quote(300), step),
        quote(700),
        price(100),
        FIRST + 1,
    );
    assert_eq!(raised, Ok(1));
    let mut direct = small();
    bid(&mut direct, 700, 100, FIRST + 1);
    assert_eq!(auction, direct);
    // Step 1 has begun: what has joined stays.
    let late = replace(
        &mut auction,
        (quote(700), 1),
        quote(800),
        price(90),
        FIRST + 1,
    );
    assert_eq!(late, Err(AuctionError::BidHasJoined));
    for (budget, limit, error) in [
        (Amount::new(1), price(98), AuctionError::BudgetTooSmall),
        (quote(500), price(89), AuctionError::LimitUnderFloor),
    ] {
        let mut other = small();
        bid(&mut other, 300, 98, FIRST);
        let refused = replace(&mut other, (quote(300), 2), budget, limit, FIRST + 1);
        assert_eq!(refused, Err(error));
    }
}

/// F20, D2's "redo": two rounds above the start end the auction without a sale, so that nobody
/// buys under the market; two under the floor end it with the best of what has joined.
#[test]
fn an_auction_ends_when_the_market_has_left_its_ladder() {
    let mut auction = small();
    bid(&mut auction, 400, 100, FIRST);
    for (spot, previous) in [(100, 100), (110, 111), (90, 89), (111, 89), (120, 109)] {
        let refused = auction
            .clone()
            .reprice(FIRST + 2, price(spot), price(previous), scale());
        assert_eq!(
            refused,
            Err(AuctionError::PriceInRange),
            "{spot} {previous}"
        );
    }
    let mut above = auction.clone();
    let up = above
        .reprice(FIRST + 2, price(120), price(111), scale())
        .unwrap();
    assert_eq!((up.end, up.raised), (End::Repriced, Amount::ZERO));
    assert!(up.is_excused());
    let mut below = auction.clone();
    let down = below
        .reprice(FIRST + 2, price(80), price(89), scale())
        .unwrap();
    assert_eq!(
        (down.end, down.price, down.raised),
        (End::Repriced, price(100), quote(400))
    );
    // Before the first step has ended there is nothing to judge.
    let early = auction
        .clone()
        .reprice(FIRST, price(80), price(89), scale())
        .unwrap();
    assert!(early.raised.is_zero());
    // Too late once a step has ended the clock.
    bid(&mut auction, 600, 100, FIRST);
    let late = auction.reprice(FIRST + 2, price(120), price(111), scale());
    assert_eq!(late, Err(AuctionError::BiddingEnded));
}

/// †Who leaves makes T smaller; the clearing rule is then applied to all steps so far. With 600 of
/// 1 000 bid at 100 and 200 more at 98, an owner who takes 450 of the target away makes step 1 cover
/// the rest: everybody trades at 100, not at the lower price of the step the clock had reached.
#[test]
fn after_a_leaving_the_clearing_rule_judges_all_steps_so_far() {
    let mut auction = small();
    bid(&mut auction, 600, 100, FIRST);
    bid(&mut auction, 200, 98, FIRST);
    assert_eq!(auction.ensure_running(FIRST + 3), Ok(()));
    auction.retarget(vec![quote(550); 4]);
    let clearing = auction.clone().clear(FIRST + 3, scale()).unwrap();
    assert_eq!((clearing.step, clearing.price), (1, price(100)));
    assert_eq!(clearing.raised, quote(550));
    // The same, however late it is judged.
    assert_eq!(auction.clone().clear(FIRST + 400, scale()), Ok(clearing));
    // Once an ended step covers, it is too late to leave.
    assert_eq!(
        auction.ensure_running(FIRST + 3),
        Err(AuctionError::BiddingEnded)
    );
    // The last owner leaves: nothing is left to raise, the first ended step ends it.
    auction.retarget(vec![Amount::ZERO; 4]);
    let nothing = auction.clear(FIRST + 3, scale()).unwrap();
    assert_eq!((nothing.end, nothing.raised), (End::Covered, Amount::ZERO));
}

#[test]
fn a_batch_is_extended_until_its_first_step_begins() {
    let auction = small();
    assert_eq!(auction.ensure_announced(FIRST - 1), Ok(()));
    assert_eq!(
        auction.ensure_announced(FIRST),
        Err(AuctionError::BiddingBegun)
    );
    let mut halts = Halts::default();
    halts.halt(FIRST - 1, FIRST - 1);
    let now = auction.clock(&halts, FIRST + 5);
    assert_eq!(auction.ensure_announced(now), Err(AuctionError::Halted));
}

#[test]
fn a_quote_is_what_the_bid_gets_if_nobody_else_comes() {
    let mut auction = small();
    bid(&mut auction, 300, 100, FIRST);
    let before = auction.clone();
    // 800 more at 98: step 2 has 1 100 for 1 000 and scores 10.2 against the 9 of step 1.
    let quoted = auction
        .quote(quote(800), price(98), FIRST, scale())
        .unwrap();
    assert_eq!((quoted.step, quoted.price), (2, price(98)));
    assert_eq!(quoted.fill.spent, quote(700));
    assert_eq!(auction, before);
    let step = bid(&mut auction, 800, 98, FIRST);
    auction.clear(FIRST + 3, scale()).unwrap();
    auction.settle().unwrap();
    assert_eq!(auction.claim(quote(800), step, scale()), Ok(quoted.fill));
    // Behind a covered step a bid gets nothing.
    let mut covered = small();
    bid(&mut covered, 1_000, 100, FIRST);
    let nothing = covered
        .quote(quote(100), price(90), FIRST, scale())
        .unwrap();
    assert_eq!(
        (nothing.price, nothing.fill.spent),
        (Price::ZERO, Amount::ZERO)
    );
    assert_eq!(
        covered.quote(quote(100), price(89), FIRST, scale()),
        Err(AuctionError::LimitUnderFloor)
    );
}

#[test]
fn status_tells_step_price_target_and_money_at_every_block() {
    let mut auction = small();
    bid(&mut auction, 400, 100, FIRST);
    let at = |auction: &Auction, block| auction.status(block, scale()).unwrap();
    let announced = at(&auction, FIRST - 1);
    assert_eq!(
        (announced.stage, announced.blocks_to_next),
        (Stage::Announced, Some(1))
    );
    let first = at(&auction, FIRST);
    assert_eq!(
        (first.stage, first.step, first.price),
        (Stage::Bidding, 0, price(110))
    );
    assert_eq!(
        (first.next_price, first.blocks_to_next),
        (Some(price(100)), Some(1))
    );
    assert_eq!(
        (first.demand, first.clearing.raised),
        (Amount::ZERO, Amount::ZERO)
    );
    let second = at(&auction, FIRST + 1);
    assert_eq!((second.demand, second.target), (quote(400), quote(1_000)));
    assert_eq!(second.filled, Ratio::from_bps(4_000));
    assert_eq!(
        (second.clearing.price, second.clearing.raised),
        (price(100), quote(400))
    );
    let last = at(&auction, FIRST + 3);
    assert_eq!(
        (last.price, last.next_price, last.blocks_to_next),
        (price(90), None, None)
    );
    assert_eq!(last.floor, price(90));
    let ended = at(&auction, FIRST + 4);
    assert_eq!((ended.stage, ended.step), (Stage::Ended, 3));
    let clearing = auction.clear(FIRST + 4, scale()).unwrap();
    assert_eq!(at(&auction, FIRST + 4).clearing, clearing);
    assert_eq!(at(&auction, FIRST + 4).stage, Stage::Cleared);
    auction.settle().unwrap();
    assert_eq!(at(&auction, FIRST + 900).stage, Stage::Settled);
}
