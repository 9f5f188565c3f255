//! Promise 3, requirement F29: nothing sells under the floor, and no bid spends without receiving.

use breakwater_core::auction::{AuctionError, Fill, LEAST_BID_UNITS};
use breakwater_core::market::{example_params, MarketParams};
use breakwater_core::units::{Amount, Price, Ratio, PRICE_ONE};
use breakwater_embedded_tests::{collateral, price, quote, worth, Scene};
use breakwater_interfaces::auction::{AuctionContractError, BatchKey, LiquidationAuction};
use ink::codegen::TraitCallBuilder;

fn less(price: Price) -> Price {
    Price::new(price.get() - 1)
}

#[track_caller]
fn bid_refused(s: &mut Scene, batch: BatchKey, budget: u128, limit: Price, why: AuctionError) {
    let message =
        s.w.d
            .auction()
            .call_mut()
            .bid(batch, Amount::new(budget), limit, u32::MAX);
    let error = AuctionContractError::Auction(why);
    s.w.refused(s.bidders[0], s.w.d.auction, message, error);
}

#[test]
fn a_limit_one_unit_under_the_floor_is_refused_and_the_floor_itself_is_accepted() {
    let (mut s, batch) = Scene::opened(170);
    let prices = s.w.record(batch).auction.prices;
    let floor = *prices.last().unwrap();
    assert_eq!(floor, price(153), "90 % of 170");
    for step in [0, 40, 63] {
        s.w.run_to(batch, step);
        bid_refused(
            &mut s,
            batch,
            1_000_000,
            less(floor),
            AuctionError::LimitUnderFloor,
        );
        bid_refused(
            &mut s,
            batch,
            1_000_000,
            Price::ZERO,
            AuctionError::LimitUnderFloor,
        );
        let id = s.bid(0, batch, quote(1), floor);
        let bid =
            s.w.ask(s.w.d.auction, s.w.d.auction().call().bid_of(batch, id))
                .unwrap();
        assert_eq!(bid.step, 63, "it joins where the price reaches the floor");
    }
}

#[test]
fn a_lone_bid_anywhere_on_the_ladder_pays_exactly_the_price_of_its_step() {
    let (mut s, batch) = Scene::opened(170);
    let auction = s.w.record(batch).auction;
    let start = s.w.save();
    for step in [0usize, 4, 5, 30, 49, 50, 62, 63] {
        s.w.restore(&start);
        let limit = auction.prices[step];
        let id = s.bid(0, batch, quote(1_000), limit);
        s.w.run_out(batch);
        let settlement = s.w.settle(s.keeper, batch);
        assert_eq!(
            (settlement.price, settlement.raised),
            (limit, quote(1_000)),
            "step {step}"
        );
        let fill = s.w.claim(s.bidders[0], batch, &[id]);
        assert_eq!((fill.spent, fill.received), (quote(1_000), settlement.sold));
        // Not a unit of collateral more than the money is worth at that price.
        let most = worth(settlement.sold.get(), limit);
        assert!(most <= quote(1_000).get() && most + 1 >= quote(1_000).get());
    }
}

#[test]
fn a_whole_batch_at_the_floor_sells_at_the_floor() {
    let (mut s, batch) = Scene::opened(170);
    let auction = s.w.record(batch).auction;
    s.bid(0, batch, quote(20_000), price(153));
    s.w.run_out(batch);
    let settlement = s.w.settle(s.keeper, batch);
    assert_eq!(settlement.price, price(153));
    assert_eq!(settlement.raised, auction.targets[63]);
    let received = worth(settlement.sold.get(), price(153));
    assert!(settlement.raised.get() - received <= 1);
}

#[test]
fn a_crash_during_the_auction_changes_neither_ladder_nor_targets() {
    let (mut s, batch) = Scene::opened(170);
    let opened = s.w.record(batch).auction;
    let bid = s.bid(0, batch, quote(20_000), price(153));
    for whole in [120, 60, 1] {
        s.w.set_price_twice(price(whole));
        s.w.advance(3);
        let now = s.w.record(batch).auction;
        assert_eq!(
            (&now.prices, &now.targets),
            (&opened.prices, &opened.targets)
        );
        assert_eq!(
            (now.schedule, now.reserve),
            (opened.schedule, opened.reserve)
        );
        bid_refused(
            &mut s,
            batch,
            1_000_000,
            price(152),
            AuctionError::LimitUnderFloor,
        );
    }
    s.w.run_out(batch);
    let settlement = s.w.settle(s.keeper, batch);
    assert_eq!(settlement.price, price(153), "though the market is at 1");
    let fill = s.w.claim(s.bidders[0], batch, &[bid]);
    assert_eq!(fill.spent, settlement.raised);
}

#[test]
fn the_absolute_floor_holds_where_it_is_above_the_usual_one() {
    let mut params = example_params();
    params.ladder.absolute_floor = price(161);
    let mut s = Scene::with_params(params);
    s.w.set_price_twice(price(170));
    let batch = s.open();
    let prices = s.w.record(batch).auction.prices;
    assert_eq!(prices.iter().min(), Some(&price(161)));
    bid_refused(
        &mut s,
        batch,
        1_000_000,
        less(price(161)),
        AuctionError::LimitUnderFloor,
    );
    s.bid(0, batch, quote(20_000), price(161));
    s.w.run_out(batch);
    assert_eq!(s.w.settle(s.keeper, batch).price, price(161));
}

#[test]
fn a_budget_under_the_least_one_is_refused() {
    let (mut s, batch) = Scene::opened(170);
    // 1 000 units of a token with 18 decimals are worth nothing: the least is 1 000 quote units.
    for budget in [0, 1, 999] {
        bid_refused(
            &mut s,
            batch,
            budget,
            price(169),
            AuctionError::BudgetTooSmall,
        );
    }
    s.bid(0, batch, Amount::new(1_000), price(169));
}

/// Collateral of 6 decimals, as coarse as the quote, and one position of 10 that owes 1 490.
fn coarse(deposit: Amount) -> (Scene, BatchKey) {
    let params = MarketParams {
        collateral_decimals: 6,
        ..example_params()
    };
    let position = (Amount::new(10_000_000), quote(1_490));
    let mut s = Scene::of(params, &[position], deposit);
    s.w.set_price_twice(price(170));
    let batch = s.open();
    (s, batch)
}

#[test]
fn the_least_budget_buys_a_thousand_units_at_the_start_price() {
    let (mut s, batch) = coarse(quote(20_000));
    let start = s.w.record(batch).auction.prices[0].get();
    // Equal decimals: a price of one is one quote unit per collateral unit.
    let least = (LEAST_BID_UNITS * start).div_ceil(PRICE_ONE);
    assert!(least > 170_000);
    bid_refused(
        &mut s,
        batch,
        least - 1,
        price(169),
        AuctionError::BudgetTooSmall,
    );
    s.bid(0, batch, Amount::new(least), price(169));
}

#[test]
fn the_least_bid_at_an_oversubscribed_margin_receives_or_keeps_its_money() {
    // 1 564.50 is asked for, and the least budget is about 0.18. Up to a thousandfold
    // oversubscription it receives units; beyond, nothing, and then it spends nothing.
    let (mut s, batch) = coarse(quote(20_000_000));
    let start = s.w.save();
    let (mut received_some, mut received_none) = (0, 0);
    for others in [2_000, 20_000, 400_000, 2_000_000, 20_000_000] {
        s.w.restore(&start);
        let prices = s.w.record(batch).auction.prices;
        let tiny = Amount::new((LEAST_BID_UNITS * prices[0].get()).div_ceil(PRICE_ONE));
        let tiny = s.bid(0, batch, tiny, prices[8]);
        let large = s.bid(1, batch, quote(others), prices[8]);
        s.w.run_to(batch, 9);
        s.w.settle(s.keeper, batch);
        let fill = s.w.claim(s.bidders[0], batch, &[tiny]);
        assert_eq!(fill.spent.is_zero(), fill.received.is_zero(), "{fill:?}");
        // Pays the price, and at most one collateral unit of rounding.
        let unit = prices[8].get().div_ceil(PRICE_ONE);
        let value = fill.received.get() * prices[8].get() / PRICE_ONE;
        assert!(fill.spent.get() <= value + unit, "{fill:?}");
        received_some += u32::from(!fill.received.is_zero());
        received_none += u32::from(fill.received.is_zero());
        let rest = s.w.claim(s.bidders[1], batch, &[large]);
        assert_eq!(
            rest.spent.get() + fill.spent.get(),
            s.w.clearing(batch).raised.get(),
            "whoever claims last pays the rest"
        );
    }
    assert!(
        received_some >= 2 && received_none >= 2,
        "both sides were tried"
    );
}

#[test]
fn nobody_bids_and_everything_goes_back() {
    let (mut s, batch) = Scene::opened(170);
    let before: Vec<_> = s.owners.iter().map(|o| s.w.view(*o)).collect();
    s.w.run_out(batch);
    let settlement = s.w.settle(s.stranger, batch);
    assert_eq!(
        (settlement.price, settlement.raised),
        (Price::ZERO, Amount::ZERO)
    );
    assert_eq!(
        (settlement.sold, settlement.penalties),
        (Amount::ZERO, Amount::ZERO)
    );
    assert_eq!(settlement.returned, collateral(100));
    assert_eq!(settlement.debt_left, quote(14_450));
    assert_eq!(
        settlement.waterfall.reward,
        Amount::ZERO,
        "no reward for nothing"
    );
    s.w.rest(s.stranger, batch);
    for (owner, was) in s.owners.clone().into_iter().zip(before) {
        let now = s.w.view(owner);
        assert!(was.collateral.get() - now.collateral.get() <= 2);
        assert!(now.debt.get() - was.debt.get() <= 2);
        s.w.repay_all(owner);
        assert!(collateral(10).get() - s.w.withdraw_all(owner) <= 2);
    }
    assert_eq!(s.w.reward(s.stranger), 0);
}

#[test]
fn money_that_is_not_filled_comes_back_whole() {
    let (mut s, batch) = Scene::opened(170);
    // Bidder 0 buys everything at 169, so nobody under it gets anything.
    let winner = s.bid(0, batch, quote(20_000), price(169));
    let losers: Vec<_> = (1..5)
        .map(|i| s.bid(i, batch, quote(20_000), price(169 - i as u128)))
        .collect();
    assert!((1..5).all(|i| s.w.balance(s.bidders[i]) == 0), "reserved");
    s.w.run_out(batch);
    s.w.settle(s.keeper, batch);
    let kept = quote(20_000);
    for (bidder, id) in s.bidders.clone().into_iter().skip(1).zip(losers) {
        let fill = s.w.claim(bidder, batch, &[id]);
        assert_eq!(
            fill,
            Fill {
                refunded: kept,
                ..Fill::default()
            }
        );
        let withdraw = s.w.d.auction().call_mut().withdraw(0, kept);
        s.w.auction(bidder, withdraw).expect("withdraws");
        assert_eq!(s.w.held(s.w.d.quote, bidder), kept.get());
    }
    let fill = s.w.claim(s.bidders[0], batch, &[winner]);
    assert_eq!(fill.spent.get() + s.w.balance(s.bidders[0]), kept.get());
    // The auction holds nothing but the winner's change.
    assert_eq!(s.w.held(s.w.d.quote, s.w.d.auction), fill.refunded.get());
}

#[test]
fn an_auction_of_one_bid_at_each_step_sells_for_no_less_than_its_floor() {
    let (mut s, batch) = Scene::opened(130);
    let auction = s.w.record(batch).auction;
    let floor = *auction.prices.last().unwrap();
    assert_eq!(
        floor,
        price(130)
            .times(Ratio::from_bps(9_000), breakwater_core::math::Rounding::Up)
            .unwrap()
    );
    let ids: Vec<_> = (0..64)
        .map(|step| s.bid(step % 5, batch, quote(100), auction.prices[step]))
        .collect();
    s.w.run_out(batch);
    let settlement = s.w.settle(s.keeper, batch);
    assert!(settlement.price >= floor && settlement.price <= auction.prices[0]);
    let mut received = 0;
    for (step, id) in ids.into_iter().enumerate() {
        let fill = s.w.claim(s.bidders[step % 5], batch, &[id]);
        assert_eq!(fill.spent.is_zero(), fill.received.is_zero());
        assert_eq!(
            fill.spent.is_zero(),
            auction.prices[step] < settlement.price
        );
        received += fill.received.get();
    }
    assert!(settlement.sold.get() - received <= 64);
    assert!(
        worth(received, floor) < settlement.raised.get(),
        "dearer than the floor"
    );
}
