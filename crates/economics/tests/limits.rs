//! What the auction does not prevent: documented in docs/economics.md, measured here.

use breakwater_economics::{
    agents::{Bidder, Crowd, Strategy},
    auctions::{sell_batch, BatchSale, Lot, Scene},
    market::standard_terms,
    paths::FairPath,
    random::Dice,
};

/// A bidder with a share of the money who bids it at the first step.
fn dear(money: f64) -> Bidder {
    Bidder {
        noise: 0.0,
        hurdle: 0.0,
        latency: 0,
        money,
        strategy: Strategy::Alone(1),
    }
}

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
/// the fair price is under `r`, honest money weighs nothing, and a dear bid would be the whole
/// sale, however small. So a step must raise a tenth of what the best-funded one raises: a bid
/// with less does not keep honest money from buying the lot, and pays what they pay.
#[test]
fn a_tiny_dear_bid_does_not_block_a_batch_whose_fair_price_is_under_the_reserve() {
    for fair in [98.0, 97.5, 96.5, 94.0] {
        let honest = sale(fair, None);
        let attacked = sale(fair, Some(dear(1e-6)));
        assert!(honest.closed_cleanly && attacked.closed_cleanly);
        let more = attacked.result.unfilled - honest.result.unfilled;
        assert!(more < 0.001, "fair price {fair}: {more} more unsold");
        assert!(honest.result.unfilled < 0.5, "fair price {fair}");
        assert_eq!(attacked.price, honest.price, "fair price {fair}");
    }
}

/// What the rule does not prevent: who buys more than a tenth of a lot at the start price, 3 %
/// over the oracle's and further over the fair one, puts the rest off. Nothing is sold under the
/// floor, nothing is lost or stuck.
#[test]
fn to_delay_a_batch_one_has_to_buy_a_tenth_of_it_dear() {
    for (share, delayed) in [(0.08, false), (0.12, true)] {
        let sale = sale(94.0, Some(dear(share)));
        assert!(sale.closed_cleanly);
        assert_eq!(sale.result.unfilled > 0.5, delayed, "share {share}");
        if delayed {
            assert_eq!(sale.price, Some(103.0));
        }
    }
}
