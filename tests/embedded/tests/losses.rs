//! Promise 10: a loss falls on the owner's collateral, then on the penalties of the same batch,
//! then on insurance, then on lenders, in full and at once. And several batches at a time.

use breakwater_core::ledger::{LedgerError, Settlement};
use breakwater_core::market::{example_params, MarketParams};
use breakwater_core::math::Rounding;
use breakwater_core::units::{Amount, Price};
use breakwater_embedded_tests::{buys, collateral, price, quote, worth, Scene, World, COLLATERAL};
use breakwater_interfaces::auction::BatchKey;
use breakwater_interfaces::vault::MarginVault;
use ink::codegen::TraitCallBuilder;

/// One bidder offers so much at a step; the batch is settled and put back.
fn sell(s: &mut Scene, batch: BatchKey, step: usize, budget: Amount) -> Settlement {
    let limit = s.w.record(batch).auction.prices[step];
    s.bid(0, batch, budget, limit);
    s.w.run_out(batch);
    let settlement = s.w.settle(s.keeper, batch);
    s.w.rest(s.keeper, batch);
    settlement
}

/// What a position of 10 collateral lacks when it is sold whole at a price.
fn lacks(debt: Amount, price: Price) -> u128 {
    debt.get().saturating_sub(worth(10 * COLLATERAL, price))
}

#[test]
fn lenders_bear_an_insolvent_batch_in_full_at_once_and_to_the_unit() {
    let (mut s, batch) = Scene::opened(130);
    let lender = s.w.lender();
    let before = s.w.accounting();
    assert_eq!(before.state.insurance, Amount::ZERO);
    let (_, value) = s.w.lent(lender);

    let done = sell(&mut s, batch, 25, quote(20_000));
    let lost = done.waterfall.from_lenders.get();
    let expected: u128 = (0..10).map(|i| lacks(Scene::debt(i), done.price)).sum();
    assert!(
        lost.abs_diff(expected) <= 10,
        "{lost} instead of {expected}"
    );
    // All of it is sold; a unit of quote for each owner is what rounding may leave.
    let unsold = collateral(100).get() - done.sold.get();
    assert!(unsold <= 10 * buys(1, done.price, Rounding::Up) && done.returned.is_zero());
    // No penalty is paid out of what lenders lack; only rounding of the money raised.
    assert!(done.penalties.get() <= 10);
    assert_eq!(done.waterfall.from_penalties, done.penalties);
    assert_eq!(done.waterfall.shortfall.get(), lost + done.penalties.get());
    assert_eq!(done.waterfall.reward, Amount::ZERO);

    let after = s.w.accounting();
    assert_eq!(after.state.written_off.get(), lost);
    assert_eq!(
        before.lenders_assets.get() - after.lenders_assets.get(),
        lost
    );
    let (_, left) = s.w.lent(lender);
    assert!(
        (value.get() - left.get()).abs_diff(lost) <= 1,
        "share value falls by the loss"
    );
    for owner in &s.owners {
        let view = s.w.view(*owner);
        assert_eq!((view.collateral, view.debt), (Amount::ZERO, Amount::ZERO));
    }
    // Everybody is gone: the lender takes the rest, and only that.
    assert!(
        s.w.redeem_all(lender)
            .abs_diff(quote(10_000_000).get() - lost)
            <= 1
    );
}

#[test]
fn who_lends_after_a_loss_neither_bears_it_nor_gains() {
    let (mut s, batch) = Scene::opened(130);
    sell(&mut s, batch, 25, quote(20_000));
    let (late, d) = (s.stranger, s.w.d);
    s.w.fund(late, d.quote, quote(500_000), d.vault);
    let supply = d.vault().call_mut().supply(0, quote(500_000));
    s.w.vault(late, supply).expect("lends");
    let lender = s.w.lender();
    let first = s.w.lent(lender).1;
    assert!(quote(500_000).get() - s.w.redeem_all(late) <= 1);
    assert!(s.w.lent(lender).1.get() - first.get() <= 1);
}

/// Insurance from one good batch, then one owner of 1 300 and one of 1 100 on 10 collateral.
fn insured() -> Scene {
    let debts = [1_490, 1_480, 1_470, 1_300, 1_100];
    let positions = debts.map(|debt| (collateral(10), quote(debt)));
    let mut s = Scene::of(example_params(), &positions, quote(20_000));
    s.w.set_price_twice(price(172));
    let batch = s.open();
    assert_eq!(s.w.batch(batch).members, 3);
    s.clear_at(batch, 20);
    // 5 % of 4 440, less the keepers' reward.
    let insurance = s.w.accounting().state.insurance.get();
    assert!(insurance.abs_diff(quote(222).get() - s.w.reward(s.keeper)) <= 3);
    s
}

#[test]
fn penalties_bear_a_shortfall_first_then_insurance_then_lenders() {
    let mut s = insured();
    let start = s.w.save();
    let mut depth = Vec::new();
    for crash in [130, 122, 100] {
        s.w.restore(&start);
        s.w.set_price_twice(price(crash));
        let batch = s.open();
        let before = s.w.accounting();
        let value = s.w.lent(s.w.lender()).1.get();
        let done = sell(&mut s, batch, 25, quote(10_000));
        let (after, w) = (s.w.accounting(), done.waterfall);
        let get = Amount::get;

        let short = lacks(quote(1_300), done.price) + lacks(quote(1_100), done.price);
        assert!(get(w.shortfall).abs_diff(short) <= 2);
        // Who is not short pays 5 % of 1 100, as far as 10 collateral reach.
        let surplus = worth(10 * COLLATERAL, done.price).saturating_sub(quote(1_100).get());
        assert!(get(done.penalties).abs_diff(surplus.min(quote(55).get())) <= 3);

        let insured = get(before.state.insurance);
        assert_eq!(w.from_penalties, w.shortfall.min(done.penalties));
        let rest = get(w.shortfall) - get(w.from_penalties);
        assert_eq!(get(w.from_insurance), rest.min(insured));
        assert_eq!(get(w.from_lenders), rest - get(w.from_insurance));
        let left = get(done.penalties) - get(w.from_penalties);
        assert!(
            get(w.reward) <= left / 5,
            "at most a fifth of the penalties left"
        );
        assert_eq!(get(w.to_insurance), left - get(w.reward));

        let insurance = insured - get(w.from_insurance) + get(w.to_insurance);
        assert_eq!(get(after.state.insurance), insurance);
        assert_eq!(after.state.written_off, w.from_lenders);
        let assets = get(before.lenders_assets) - get(after.lenders_assets);
        assert_eq!(assets, get(w.from_lenders), "nobody else's loss is theirs");
        let fell = value - s.w.lent(s.w.lender()).1.get();
        assert!(fell.abs_diff(get(w.from_lenders)) <= 1);
        let some = |amount: Amount| !amount.is_zero();
        depth.push((
            some(w.from_penalties),
            some(w.from_insurance),
            some(w.from_lenders),
        ));
    }
    // Three depths of one sea: and at the deepest there are no penalties at all.
    assert_eq!(
        depth,
        [
            (true, false, false),
            (true, true, false),
            (false, true, true)
        ]
    );
}

#[test]
fn debt_is_written_off_only_where_no_collateral_is_left() {
    let (mut s, batch) = Scene::opened(130);
    // Two of the ten are sold whole, the third in part.
    let done = sell(&mut s, batch, 25, quote(3_000));
    let short = lacks(Scene::debt(9), done.price) + lacks(Scene::debt(8), done.price);
    assert!(done.waterfall.shortfall.get().abs_diff(short) <= 2);
    let left: u128 = (0..8).map(|i| s.w.view(s.owners[i]).debt.get()).sum();
    let owed: u128 = (0..8).map(|i| Scene::debt(i).get()).sum();
    let third = quote(3_000).get() - 2 * worth(10 * COLLATERAL, done.price);
    assert!(
        left.abs_diff(owed - third) <= 2,
        "the third pays debt with all it raised"
    );
    assert_eq!(done.debt_left.get(), left);
    let view = s.w.view(s.owners[7]);
    assert!(!view.collateral.is_zero() && view.status.is_liquidatable());
}

/// Ten owners as in [`Scene`], a small hole, and no deposits unless given.
fn small(hole: u128, min_batch: u128, deposit: Amount) -> Scene {
    let params = MarketParams {
        hole: quote(hole),
        min_batch: quote(min_batch),
        ..example_params()
    };
    let positions: Vec<_> = (0..10).map(|i| (collateral(10), Scene::debt(i))).collect();
    Scene::of(params, &positions, deposit)
}

fn members(s: &Scene, batch: BatchKey) -> Vec<usize> {
    (0..10)
        .filter(|i| s.w.view(s.owners[*i]).batch == Some(batch.number))
        .collect()
}

#[test]
fn several_batches_run_at_once_each_at_its_own_price() {
    let mut s = small(12_000, 4_000, Amount::ZERO);
    s.w.set_price_twice(price(160));
    // 1 490 and 1 480 ask for 3 118.50; 1 470 is cut to the 881.50 that are left. And so on.
    let batches = [s.open(), s.open(), s.open()];
    let taken = batches.map(|batch| members(&s, batch));
    assert_eq!(taken, [vec![7, 8, 9], vec![4, 5, 6], vec![1, 2, 3]]);
    let asked = batches.map(|batch| s.w.batch(batch).asked);
    assert_eq!(asked, [quote(4_000); 3]);
    assert_eq!(s.open_refused(), LedgerError::HoleFull);
    assert!(s.w.view(s.owners[0]).status.is_liquidatable());

    for bidder in s.bidders.clone() {
        s.w.fund_bidder(bidder, quote(5_000));
    }
    let steps = [20, 8, 49];
    for (at, batch) in batches.into_iter().enumerate() {
        let limit = s.w.record(batch).auction.prices[steps[at]];
        s.bid(at, batch, quote(5_000), limit);
    }
    s.w.run_out(batches[2]);
    // In another order than they were opened in.
    let mut raised = 0;
    for at in [1, 2, 0] {
        let expected = s.w.record(batches[at]).auction.prices[steps[at]];
        let done = s.w.settle(s.keeper, batches[at]);
        assert_eq!(done.price, expected);
        assert_eq!(done.raised, quote(4_000));
        raised += done.raised.get();
        s.w.rest(s.keeper, batches[at]);
    }
    assert_eq!(raised, quote(12_000).get());
    assert!(
        s.w.accounting().state.running.is_empty(),
        "the hole is free again"
    );
    // Whole where the money reached; the cut ones are healthier, and may need another batch.
    for whole in [9, 8, 6, 5, 3, 2] {
        assert!(s.w.view(s.owners[whole]).debt.is_zero(), "owner {whole}");
    }
    for cut in [7, 4, 1] {
        let (view, debt) = (s.w.view(s.owners[cut]), Scene::debt(cut).get());
        assert!(view.debt.get() < debt && !view.debt.is_zero());
        let per = |debt: u128, of: u128| debt * 1_000_000 * COLLATERAL / of;
        let ratio = per(view.debt.get(), view.collateral.get());
        assert!(
            ratio < per(debt, 10 * COLLATERAL),
            "no sale leaves an owner worse"
        );
    }
    s.w.set_price_twice(price(160));
    let fourth = s.open();
    assert!(members(&s, fourth).contains(&0));
}

#[test]
fn a_second_batch_leaves_the_terms_of_the_first_alone() {
    let mut s = small(20_000, 10_000, quote(20_000));
    s.w.set_price_twice(price(181));
    let first = s.open();
    assert_eq!(members(&s, first), [5, 6, 7, 8, 9]);
    let terms = s.w.record(first).auction;
    s.w.set_price_twice(price(150));
    let second = s.open();
    assert_eq!(members(&s, second), [0, 1, 2, 3, 4]);
    let mut frozen = s.w.record(first).auction;
    assert_eq!(frozen, terms);

    // The first still sells above what the second starts at.
    assert!(terms.prices[63] > s.w.record(second).auction.prices[50]);
    s.bid(0, first, quote(20_000), terms.prices[50]);
    frozen = s.w.record(first).auction;
    assert_eq!(
        (frozen.prices, frozen.targets),
        (terms.prices.clone(), terms.targets)
    );
    let low = s.w.record(second).auction.prices[40];
    s.bid(1, second, quote(20_000), low);
    s.w.run_out(second);
    let later = s.w.settle(s.keeper, second);
    let earlier = s.w.settle(s.stranger, first);
    assert_eq!((earlier.price, later.price), (terms.prices[50], low));
}

#[test]
fn a_batch_asks_for_two_thirds_of_what_bidders_have_free() {
    // 6 000 are deposited.
    let mut s = small(20_000, 1_000, quote(1_200));
    s.w.set_price_twice(price(160));
    let first = s.open();
    assert_eq!(s.w.batch(first).asked, quote(4_000));
    // The batch was sized by all of them, though only 3 000 are bid so far: nothing is left for
    // another, which would have to ask for an eighth of the hole, 2 500.
    let limit = s.w.record(first).auction.prices[30];
    for bidder in 0..3 {
        s.bid(bidder, first, quote(1_000), limit);
    }
    assert_eq!(s.open_refused(), LedgerError::BatchTooSmall);
    s.w.fund_bidder(s.stranger, quote(4_500));
    // Money of this very block sizes no lot: else a deposit that leaves again at once would.
    assert_eq!(s.open_refused(), LedgerError::BatchTooSmall);
    s.w.advance(1);
    let second = s.open();
    assert_eq!(s.w.batch(second).asked, quote(3_000));
    let claims: u128 = [first, second]
        .map(|b| s.w.batch(b).asked.get())
        .iter()
        .sum();
    assert!(claims <= quote(20_000).get());
}

#[test]
fn without_deposits_a_batch_asks_for_the_small_minimum() {
    let mut s = small(20_000, 1_000, Amount::ZERO);
    s.w.set_price_twice(price(160));
    let batch = s.open();
    assert_eq!(s.w.batch(batch).asked, quote(1_000));
    assert_eq!(members(&s, batch), [9], "the riskiest, cut to the room");
}

#[test]
fn money_spent_in_one_batch_is_not_counted_for_the_next() {
    let mut s = small(20_000, 1_000, quote(1_200));
    s.w.set_price_twice(price(160));
    let first = s.open();
    let start = s.w.record(first).auction.prices[8];
    for bidder in 0..5 {
        s.bid(bidder, first, quote(1_200), start);
    }
    s.w.run_to(first, 9);
    let raised = s.w.settle(s.keeper, first).raised;
    assert_eq!(raised, quote(4_000));
    s.w.rest(s.keeper, first);
    s.w.set_price_twice(price(160));
    // 2 000 are left to the bidders, whether they have claimed yet or not.
    let second = s.open();
    let asked = s.w.batch(second).asked.get();
    let free = Amount::new(quote(6_000).get() - raised.get());
    let most = free.mul_div(2, 3, Rounding::Down).unwrap().get();
    assert_eq!(asked, most);
}

#[test]
fn a_world_without_loss_writes_nothing_off() {
    let (mut s, batch) = Scene::opened(170);
    s.clear_at(batch, 50);
    let w: &World = &s.w;
    assert!(w.accounting().state.written_off.is_zero());
    assert!(w.lent(w.lender()).1 >= quote(10_000_000));
}
