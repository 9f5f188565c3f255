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
/// the fair price is near `r` or under it, honest money weighs next to nothing, and a dear bid is
/// the whole sale if it raises at least an eighth of what honest money would. A bid of a
/// millionth, or of a ninth, moves nothing.
#[test]
fn a_dear_bid_delays_a_batch_under_the_reserve_only_if_it_buys_an_eighth_of_it() {
    let dear = |money| Bidder {
        noise: 0.0,
        hurdle: 0.0,
        latency: 0,
        money,
        strategy: Strategy::Alone(1),
    };
    for fair in [98.0, 97.5, 96.5, 94.0] {
        let honest = sale(fair, None);
        for (money, buys) in [(1e-6, false), (0.11, false), (0.13, true)] {
            let met = sale(fair, Some(dear(money)));
            assert!(honest.closed_cleanly && met.closed_cleanly);
            let left = met.result.unfilled;
            assert_eq!(left > 0.8, buys, "{fair}: {money} leaves {left}");
            if buys {
                // Who delays it pays the start price for what it gets: 3 % over the oracle's.
                assert_eq!(met.price, Some(103.0));
            } else {
                let more = met.result.unfilled - honest.result.unfilled;
                assert!(more < 0.001, "{fair}: {money} leaves {more}");
            }
        }
    }
}
