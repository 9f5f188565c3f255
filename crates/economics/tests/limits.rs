//! What the auction does not prevent: documented in docs/economics.md, measured here.

use breakwater_economics::{
    agents::{Bidder, Crowd, Strategy},
    auctions::{sell_batch, BatchSale, Lot, Scene},
    market::standard_terms,
    paths::FairPath,
    random::Dice,
};

/// A batch opened at an oracle price of 100 while the fair price is another one, with five honest
/// bidders who have 1.5 times the money, and perhaps one more.
fn sale(fair: f64, more: Option<Bidder>) -> BatchSale {
    let mut dice = Dice::new(1, 1);
    let path = FairPath {
        prices: vec![fair; 100],
        block_seconds: 6.0,
    };
    let terms = standard_terms();
    let lot = Lot::draw(&mut dice, &terms, 100.0).expect("in range");
    let mut bidders = Crowd::CALM.draw(&mut dice, 5, 1.5);
    bidders.extend(more);
    let scene = Scene {
        path: &path,
        opening: 0,
        lag: 0,
        lot: &lot,
        bidders: &bidders,
    };
    sell_batch(&scene, &terms).expect("no rule refuses")
}

/// Best-step clearing weighs money by how far its price is above `r`, 0.97 of the oracle. Once
/// the fair price is under `r`, honest money weighs nothing, and a bid of a millionth of the
/// money, dear at the first step, is the whole sale. The rest is only delayed: nothing is sold
/// under the floor, nothing is lost or stuck.
#[test]
fn a_tiny_dear_bid_delays_a_batch_whose_fair_price_is_under_the_reserve() {
    let tiny = |strategy| Bidder {
        noise: 0.0,
        hurdle: 0.0,
        latency: 0,
        money: 1e-6,
        strategy,
    };
    for (fair, delayed) in [(98.0, false), (97.5, false), (96.5, true), (94.0, true)] {
        let honest = sale(fair, None);
        let blocked = sale(fair, Some(tiny(Strategy::Alone(1))));
        assert!(honest.closed_cleanly && blocked.closed_cleanly);
        assert_eq!(
            blocked.result.unfilled > 0.999,
            delayed,
            "fair price {fair}"
        );
        if delayed {
            assert!(honest.result.unfilled < 0.001, "fair price {fair}");
            // The blocker pays the start price for what it gets: 3 % over the oracle's.
            assert_eq!(blocked.price, Some(103.0));
        } else {
            assert_eq!(blocked.price, honest.price);
        }
    }
}
