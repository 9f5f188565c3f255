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
