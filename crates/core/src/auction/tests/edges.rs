//! What stands exactly on a limit of an auction.

use super::*;

/// The least budget itself is taken, a unit less is not.
#[test]
fn a_budget_of_exactly_the_least_is_a_bid() {
    let mut auction = small();
    let least = auction.least_budget(scale()).unwrap();
    let limit = Price::new(100 * PRICE_ONE);
    let mut place = |budget| auction.place(budget, limit, Block::MAX, FIRST - 1, scale());
    let under = least.minus(Amount::new(1)).unwrap();
    assert_eq!(place(under), Err(AuctionError::BudgetTooSmall));
    assert_eq!(place(least), Ok(1));
}

/// While a halt stands the status says so, and nothing is judged, repriced or placed; after one
/// that lasted too long bidding has ended.
#[test]
fn a_halted_auction_says_so_and_does_nothing() {
    use crate::auction::halts::Halts;
    use crate::auction::status::Stage;
    let mut auction = small();
    bid(&mut auction, 600, 100, FIRST - 1);
    let mut halts = Halts::default();
    halts.halt(FIRST + 1, FIRST + 1);
    let before = auction.clone();
    let now = auction.clock(&halts, FIRST + 2);
    let low = Price::new(80 * PRICE_ONE);
    assert_eq!(auction.status(now, scale()).unwrap().stage, Stage::Halted);
    let halted = Some(AuctionError::Halted);
    assert_eq!(auction.reprice(now, low, low, scale()).err(), halted);
    assert_eq!(auction.clear(now, scale()).err(), halted);
    let budget = Amount::new(600_000_000);
    let placed = auction.place(budget, Price::new(98 * PRICE_ONE), Block::MAX, now, scale());
    assert_eq!(placed.err(), halted);
    let late = auction.clock(&halts, FIRST + 2 + LONGEST_HALT);
    let ended = Some(AuctionError::BiddingEnded);
    assert_eq!(auction.reprice(late, low, low, scale()).err(), ended);
    assert_eq!(auction.ensure_announced(late).err(), ended);
    assert_eq!(auction, before);
}

/// Where every step that money reached is at or under `r`, and none has more money, the highest of
/// them clears: whose collateral is sold does not lose by steps that brought nothing.
#[test]
fn of_equal_steps_the_highest_price_clears() {
    let schedule = Schedule {
        first: FIRST,
        blocks_per_step: 1,
        steps: 4,
    };
    let price = |whole: u128| Price::new(whole * PRICE_ONE);
    let prices = vec![price(100), price(96), price(95), price(90)];
    let targets = vec![Amount::new(1_000_000_000); 4];
    let mut auction = Auction::open(schedule, FIRST - 1, price(100), prices, targets).unwrap();
    assert_eq!(bid(&mut auction, 600, 96, FIRST - 1), 1);
    let clearing = auction.clear(FIRST + 4, scale()).unwrap();
    assert_eq!((clearing.step, clearing.price), (1, price(96)));
    assert_eq!(clearing.end, End::RanOut);
}

/// An auction that covered its target, or found too little money at every step, is judged like
/// any other: only a halt or a market that left the ladder spares its cohorts the wait.
#[test]
fn an_auction_that_ran_its_course_excuses_nobody() {
    for (budget, end) in [(1_000, End::Covered), (300, End::RanOut)] {
        let mut auction = small();
        bid(&mut auction, budget, 100, FIRST);
        let clearing = auction.clear(FIRST + 4, scale()).unwrap();
        assert_eq!((clearing.end, clearing.is_excused()), (end, false));
    }
}

/// A step that has not ended takes part in no sale: where the market falls under the ladder
/// during the first step, its bids are free and owners keep their collateral.
#[test]
fn a_fall_during_the_first_step_sells_nothing() {
    let mut auction = small();
    assert_eq!(bid(&mut auction, 400, 110, FIRST), 0);
    let low = Price::new(80 * PRICE_ONE);
    let clearing = auction.reprice(FIRST, low, low, scale()).unwrap();
    assert_eq!((clearing.end, clearing.ended_at), (End::Repriced, 0));
    assert!(clearing.raised.is_zero() && clearing.sold.is_zero());
    auction.settle().unwrap();
    let budget = Amount::new(400_000_000);
    assert_eq!(auction.claim(budget, 0, scale()).unwrap().refunded, budget);
}

/// Where the market falls under the ladder, all steps that have ended are judged and the present
/// one is not: money that joined the last of them buys, at that step's price.
#[test]
fn a_fall_under_the_ladder_counts_every_ended_step() {
    let mut auction = small();
    assert_eq!(bid(&mut auction, 400, 98, FIRST), 2);
    assert_eq!(bid(&mut auction, 300, 90, FIRST), 3);
    let low = Price::new(80 * PRICE_ONE);
    let clearing = auction.reprice(FIRST + 3, low, low, scale()).unwrap();
    assert_eq!((clearing.end, clearing.ended_at), (End::Repriced, 2));
    assert_eq!(clearing.price, Price::new(98 * PRICE_ONE));
    assert_eq!(clearing.raised, Amount::new(400_000_000));
}
