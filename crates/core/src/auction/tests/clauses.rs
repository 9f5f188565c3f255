//! Clauses of the protocol that answer an attack, each replayed with numbers.

use super::super::*;
use super::{bid, scale, small, FIRST};
use crate::units::PRICE_ONE;

fn price(whole: u128) -> Price {
    Price::new(whole * PRICE_ONE)
}

/// †`valid_until` is the last block in which a bid may join, and a bid that has joined stays.
///
/// Attack: a bid that is good for one block only is an option for nothing. It joins at 100, and if
/// the market falls to 95 before the clock ends its bidder lets it lapse: 1 000 of money would
/// have kept 50. It does not lapse, cannot be taken back or made smaller, and pays.
#[test]
fn a_bid_that_has_joined_stays_whatever_its_last_block() {
    let (budget, limit) = (Amount::new(500_000_000), price(100));
    let place =
        |auction: &mut Auction, until| auction.place(budget, limit, until, FIRST - 1, scale());
    // It would join in block FIRST + 1.
    let early = place(&mut small(), FIRST);
    assert_eq!(early, Err(AuctionError::ExpiresBeforeJoining));
    let mut auction = small();
    assert_eq!(place(&mut auction, FIRST + 1), Ok(1));
    for block in [FIRST + 1, FIRST + 2, FIRST + 3] {
        let cancelled = auction.clone().cancel(budget, 1, block);
        assert_eq!(cancelled, Err(AuctionError::BidHasJoined), "{block}");
        let smaller = auction.clone().replace(
            (budget, 1),
            Amount::new(1_000_000),
            price(90),
            Block::MAX,
            block,
            scale(),
        );
        assert_eq!(smaller, Err(AuctionError::BidHasJoined), "{block}");
    }
    // The market has fallen to 95: all others bid there, and it is the first bid that buys dearest.
    bid(&mut auction, 400, 98, FIRST);
    let clearing = auction.clear(FIRST + 4, scale()).unwrap();
    assert_eq!(clearing.price, price(100));
    auction.settle().unwrap();
    let fill = auction.claim(budget, 1, scale()).unwrap();
    assert_eq!((fill.spent, fill.refunded), (budget, Amount::ZERO));
    let worth = scale()
        .value(fill.received, price(95), Rounding::Down)
        .unwrap();
    assert_eq!(
        budget.get() - worth.get(),
        25_000_000,
        "what lapsing would have kept"
    );
}

/// †Collateral is spend over price, rounded down.
///
/// Attack: a thousand least bids instead of one, so that each is rounded up to a whole unit. With
/// 110 001 quote units at a price of 100 each is worth 1 100.01 units: rounding up would have given
/// 1 000 bids 990 units more than one bid of the same money, and somebody else's collateral.
#[test]
fn a_thousand_least_bids_buy_no_more_than_one_bid_of_their_money() {
    const BIDS: u128 = 1_000;
    let least = Amount::new(110_001);
    // With the margin in their own step, and with all of them filled before it.
    for others_at in [100, 98] {
        let received = |pieces: u128| {
            let mut auction = small();
            let budget = Amount::new(least.get() * BIDS / pieces);
            let place = |auction: &mut Auction| {
                auction.place(budget, price(100), Block::MAX, FIRST, scale())
            };
            for _ in 0..pieces {
                assert_eq!(place(&mut auction), Ok(1));
            }
            bid(&mut auction, 1_200, others_at, FIRST);
            let clearing = auction.clear(FIRST + 4, scale()).unwrap();
            auction.settle().unwrap();
            let (mut received, mut spent) = (0, 0);
            for _ in 0..pieces {
                let fill = auction.claim(budget, 1, scale()).unwrap();
                received += fill.received.get();
                spent += fill.spent.get();
            }
            // Never more than the money buys at the one price.
            let bought = scale()
                .quantity(Amount::new(spent), clearing.price, Rounding::Down)
                .unwrap();
            assert!(received <= bought.get(), "{received} for {spent}");
            received
        };
        let (one, many) = (received(1), received(BIDS));
        assert!(many <= one, "{many} in pieces, {one} at once");
        assert!(many + BIDS >= one, "a unit a bid at most");
    }
}
