//! Promise 2, requirements F19 and F31: everyone who buys from a batch pays one price, at most their own limit; the order
//! of bids in a block never matters, and splitting a bid never matters beyond rounding.

use breakwater_core::auction::{Clearing, Fill};
use breakwater_core::market::example_params;
use breakwater_core::units::{Amount, Price};
use breakwater_embedded_tests::{permutations, price, quote, worth, Scene};
use breakwater_interfaces::auction::{BatchKey, BidId, LiquidationAuction};
use ink::codegen::TraitCallBuilder;

/// One bid: who, how much whole quote, and at which step of the ladder it joins.
type Offer = (usize, u128, u8);

/// About 13 460 is asked for: step 8 is filled in full, step 9 in part, step 12 not at all.
const COVERED: [Offer; 5] = [
    (0, 4_000, 8),
    (1, 3_001, 9),
    (2, 7_500, 9),
    (3, 5_003, 9),
    (4, 9_000, 12),
];

/// Far too little money, spread over the ladder down to the floor.
const SHORT: [Offer; 5] = [
    (0, 900, 3),
    (1, 701, 20),
    (2, 1_100, 20),
    (3, 450, 40),
    (4, 2_000, 63),
];

fn place(s: &mut Scene, batch: BatchKey, prices: &[Price], offer: Offer) -> BidId {
    let (who, budget, step) = offer;
    s.bid(who, batch, quote(budget), prices[usize::from(step)])
}

/// Places the offers in an order, settles, and claims in the order of the offers.
fn run(
    s: &mut Scene,
    batch: BatchKey,
    prices: &[Price],
    offers: &[Offer],
    order: &[usize],
) -> (Clearing, Vec<Fill>) {
    s.w.checked = false;
    let mut ids = vec![0; offers.len()];
    for at in order {
        ids[*at] = place(s, batch, prices, offers[*at]);
    }
    s.w.run_out(batch);
    s.w.settle(s.keeper, batch);
    let clearing = s.w.clearing(batch);
    let claim = |(offer, id): (&Offer, &BidId)| s.w.claim(s.bidders[offer.0], batch, &[*id]);
    let fills = offers.iter().zip(&ids).map(claim).collect();
    s.w.checked = true;
    s.w.assert_books();
    (clearing, fills)
}

fn every_order_clears_alike(offers: [Offer; 5]) -> (Clearing, Vec<Fill>) {
    let (mut s, batch) = Scene::opened(170);
    let prices = s.w.record(batch).auction.prices;
    let start = s.w.save();
    let mut first: Option<(Clearing, Vec<Fill>)> = None;
    for order in permutations(5) {
        s.w.restore(&start);
        let result = run(&mut s, batch, &prices, &offers, &order);
        match &first {
            None => first = Some(result),
            Some(first) => assert_eq!(*first, result, "in the order {order:?}"),
        }
    }
    first.unwrap()
}

#[test]
fn all_120_orders_of_five_bids_in_a_block_give_the_same_clearing_and_fills() {
    let (clearing, fills) = every_order_clears_alike(COVERED);
    assert_eq!((clearing.step, clearing.marginal_step), (9, 9));
    assert_eq!(
        fills[0].refunded,
        Amount::ZERO,
        "an earlier step is filled in full"
    );
    assert!(fills[1..4]
        .iter()
        .all(|f| !f.spent.is_zero() && !f.refunded.is_zero()));
    assert_eq!(
        fills[4],
        Fill {
            refunded: quote(9_000),
            ..Fill::default()
        },
        "under the price"
    );
}

#[test]
fn all_120_orders_give_the_same_result_when_money_is_short() {
    let (clearing, fills) = every_order_clears_alike(SHORT);
    assert_eq!(clearing.ended_at, 63, "the clock ran to the end");
    let spent: u128 = fills.iter().map(|f| f.spent.get()).sum();
    assert_eq!(spent, clearing.raised.get());
    // Whoever waited at the floor did not drive everybody's price down to it.
    assert_eq!((clearing.step, fills[4].spent), (20, Amount::ZERO));
}

#[test]
fn everyone_pays_the_clearing_price_and_no_more_than_their_own_limit() {
    let (mut s, batch) = Scene::opened(170);
    let prices = s.w.record(batch).auction.prices;
    for offers in [COVERED, SHORT] {
        let start = s.w.save();
        let (clearing, fills) = run(&mut s, batch, &prices, &offers, &[0, 1, 2, 3, 4]);
        for (fill, (_, budget, step)) in fills.iter().zip(offers) {
            let value = worth(fill.received.get(), clearing.price);
            assert!(
                fill.spent.get().abs_diff(value) <= 2,
                "{fill:?} at {:?}",
                clearing.price
            );
            assert_eq!(fill.spent.get() + fill.refunded.get(), quote(budget).get());
            assert_eq!(fill.spent.is_zero(), fill.received.is_zero());
            if !fill.spent.is_zero() {
                assert!(
                    clearing.price <= prices[usize::from(step)],
                    "above its limit"
                );
            }
        }
        let spent: u128 = fills.iter().map(|f| f.spent.get()).sum();
        assert_eq!(
            spent,
            clearing.raised.get(),
            "bidders pay exactly what the vault receives"
        );
        s.w.restore(&start);
    }
}

/// Splitting one of the bids into `pieces`, as uneven as can be, and claiming each on its own.
fn split(offers: [Offer; 5], whose: usize, pieces: u128) -> (Fill, Vec<Fill>) {
    let (mut s, batch) = Scene::opened(170);
    let prices = s.w.record(batch).auction.prices;
    let mut ids: Vec<Vec<BidId>> = Vec::new();
    for offer in offers {
        let (who, budget, step) = offer;
        let mut left = quote(budget).get();
        let mut own = Vec::new();
        let parts = if who == whose { pieces } else { 1 };
        for part in (1..=parts).rev() {
            let budget = if part == 1 {
                left
            } else {
                left / part + 7_919 * part
            };
            left -= budget;
            own.push(s.bid(who, batch, Amount::new(budget), prices[usize::from(step)]));
        }
        ids.push(own);
    }
    s.w.run_out(batch);
    s.w.settle(s.keeper, batch);
    let mut total = Fill::default();
    let mut others = Vec::new();
    for (who, own) in ids.iter().enumerate() {
        for id in own {
            let fill = s.w.claim(s.bidders[who], batch, &[*id]);
            if who == whose {
                total.spent = total.spent.plus(fill.spent).unwrap();
                total.received = total.received.plus(fill.received).unwrap();
                total.refunded = total.refunded.plus(fill.refunded).unwrap();
            } else {
                others.push(fill);
            }
        }
    }
    (total, others)
}

#[test]
fn splitting_a_bid_moves_its_total_by_at_most_a_unit_a_piece() {
    // At the margin (1), filled in full (0), and not filled (4).
    for whose in [1, 0, 4] {
        let (whole, others) = split(COVERED, whose, 1);
        for pieces in [2, 3, 7] {
            let (parts, beside) = split(COVERED, whose, pieces);
            let moved = whole.received.get().abs_diff(parts.received.get());
            assert!(
                moved <= pieces,
                "bid {whose} in {pieces}: {moved} collateral"
            );
            let moved = whole.spent.get().abs_diff(parts.spent.get());
            assert!(moved <= pieces, "bid {whose} in {pieces}: {moved} quote");
            for (before, after) in others.iter().zip(beside) {
                let moved = before.received.get().abs_diff(after.received.get());
                assert!(moved <= pieces + 1, "another's collateral by {moved}");
                let moved = before.spent.get().abs_diff(after.spent.get());
                assert!(moved <= pieces + 1, "another's quote by {moved}");
            }
        }
    }
}

#[test]
fn the_order_of_claims_moves_a_fill_by_at_most_a_unit_per_bid_of_its_step() {
    let (mut s, batch) = Scene::opened(170);
    let prices = s.w.record(batch).auction.prices;
    let ids: Vec<_> = COVERED
        .map(|offer| place(&mut s, batch, &prices, offer))
        .to_vec();
    s.w.run_out(batch);
    s.w.settle(s.keeper, batch);
    let settled = s.w.save();
    let mut first: Option<Vec<Fill>> = None;
    let mut seen_differences = 0;
    for order in permutations(5) {
        s.w.restore(&settled);
        let mut fills = vec![Fill::default(); 5];
        s.w.checked = false;
        for at in &order {
            fills[*at] = s.w.claim(s.bidders[*at], batch, &[ids[*at]]);
        }
        s.w.assert_books();
        // The sums never depend on the order: nothing is left behind or taken twice.
        let spent: u128 = fills.iter().map(|f| f.spent.get()).sum();
        assert_eq!(spent, s.w.clearing(batch).raised.get());
        assert!(s.w.record(batch).collateral.get() <= 1);
        let first = first.get_or_insert_with(|| fills.clone());
        for (before, after) in first.iter().zip(&fills) {
            // Three bids share the marginal step.
            let moved = before.received.get().abs_diff(after.received.get());
            assert!(moved <= 3, "collateral by {moved}");
            assert!(before.spent.get().abs_diff(after.spent.get()) <= 3);
            seen_differences += u32::from(before != after);
        }
        assert_eq!(
            (first[0], first[4]),
            (fills[0], fills[4]),
            "only the marginal step shares"
        );
    }
    assert!(seen_differences > 0, "the bound is about something");
}

#[test]
fn cancelling_and_bidding_again_before_the_step_begins_changes_nothing() {
    let (mut s, batch) = Scene::opened(170);
    let prices = s.w.record(batch).auction.prices;
    let start = s.w.save();
    let straight = run(&mut s, batch, &prices, &COVERED, &[0, 1, 2, 3, 4]);
    s.w.restore(&start);
    // Bidder 2 first makes believe that it wants everything at once, then takes it back.
    let feint = s.bid(2, batch, quote(20_000), prices[5]);
    let cancel = s.w.d.auction().call_mut().cancel(batch, feint);
    s.w.auction(s.bidders[2], cancel)
        .expect("its step has not begun");
    let feinted = run(&mut s, batch, &prices, &COVERED, &[0, 1, 2, 3, 4]);
    assert_eq!(straight, feinted);
}

#[test]
fn a_bid_joins_alike_from_any_block_up_to_the_last_of_its_step() {
    // With steps of two blocks, a bid in the second block of the step is worth as much.
    let mut params = example_params();
    params.ladder.blocks_per_step = 2;
    let mut s = Scene::with_params(params);
    s.w.set_price_twice(price(170));
    let batch = s.open();
    let prices = s.w.record(batch).auction.prices;
    let start = s.w.save();
    let mut results = Vec::new();
    for (step, further) in [(0, 0), (3, 1), (9, 0), (9, 1)] {
        s.w.restore(&start);
        place(&mut s, batch, &prices, COVERED[0]);
        place(&mut s, batch, &prices, COVERED[1]);
        s.w.run_to(batch, step);
        s.w.advance(further);
        let late = place(&mut s, batch, &prices, COVERED[2]);
        place(&mut s, batch, &prices, COVERED[3]);
        s.w.run_out(batch);
        s.w.settle(s.keeper, batch);
        results.push((s.w.clearing(batch), s.w.claim(s.bidders[2], batch, &[late])));
    }
    assert!(!results[0].1.received.is_zero());
    assert!(results.iter().all(|result| *result == results[0]));
}
