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
