//! The whole story: lend, borrow, crash, one batch, settle, claim, repay, leave; and once more
//! with interest.

use breakwater_core::interest::{InterestCurve, YEAR};
use breakwater_core::ledger::LedgerError;
use breakwater_core::market::{example_params, MarketParams};
use breakwater_core::math::Rounding;
use breakwater_core::position::Status;
use breakwater_embedded_tests::{buys, collateral, price, quote, Scene, COLLATERAL};
use breakwater_interfaces::vault::MarginVault;
use ink::codegen::TraitCallBuilder;

/// Health, in millionths, of so much collateral and debt at a price of so many whole quote.
fn health(collateral: u128, debt: u128, whole: u128) -> u128 {
    // Units: collateral has 18 decimals, quote 6; the liquidation threshold is 80 %.
    collateral * whole / 1_000_000_000_000 * 800_000 / debt
}

#[test]
fn lend_borrow_crash_clear_settle_claim_repay_and_leave() {
    let mut s = Scene::crashed(170);
    let d = s.w.d;
    assert!(s
        .owners
        .iter()
        .all(|o| s.w.view(*o).status.is_liquidatable()));

    // One lot of all ten; owners still hold everything while it runs.
    let batch = s.open();
    let opened = s.w.batch(batch);
    assert_eq!((opened.members, opened.collateral), (10, collateral(100)));
    assert_eq!(opened.debt, quote(14_450));
    assert!(s
        .owners
        .iter()
        .all(|o| s.w.view(*o).status == Status::InBatch));

    // Five bidders offer 25 000 together at 169: more than the batch asks for.
    let bids: Vec<_> = (0..5)
        .map(|i| s.bid(i, batch, quote(5_000), price(169)))
        .collect();
    let auction = s.w.record(batch).auction;
    let step = auction
        .prices
        .iter()
        .position(|p| *p <= price(169))
        .unwrap();
    s.w.run_to(batch, step as u8 + 1);
    let clearing = s.w.judge(s.stranger, batch);
    assert_eq!(
        (usize::from(clearing.step), clearing.price),
        (step, auction.prices[step])
    );
    assert_eq!(
        clearing.raised, auction.targets[step],
        "not a unit more than is needed"
    );
    assert_eq!(
        clearing.sold.get(),
        buys(clearing.raised.get(), clearing.price, Rounding::Down)
    );

    let settlement = s.w.settle(s.keeper, batch);
    let raised = clearing.raised.get();
    assert_eq!(settlement.repaid.get() + settlement.penalties.get(), raised);
    assert_eq!(
        settlement.repaid.get() + settlement.debt_left.get(),
        quote(14_450).get()
    );
    // 5 % of what is repaid, and a unit of rounding for each cohort.
    assert!(
        settlement
            .penalties
            .get()
            .abs_diff(settlement.repaid.get() / 20)
            <= 10
    );
    assert_eq!(settlement.waterfall.shortfall.get(), 0);
    // 5 quote and 0.1 % of what was raised: under 20 % of the penalties.
    let reward = quote(5).get() + raised / 1_000;
    assert_eq!(settlement.waterfall.reward.get(), reward);

    // Everyone pays the one price and gets the rest of the budget back.
    let fills: Vec<_> = (0..5)
        .map(|i| s.w.claim(s.bidders[i], batch, &[bids[i]]))
        .collect();
    for (bidder, fill) in s.bidders.iter().zip(&fills) {
        assert!(fill.spent.get().abs_diff(raised / 5) <= 1);
        let fair = buys(fill.spent.get(), clearing.price, Rounding::Down);
        assert!(fill.received.get().abs_diff(fair) <= buys(1, clearing.price, Rounding::Up));
        assert_eq!(fill.spent.get() + fill.refunded.get(), quote(5_000).get());
        assert_eq!(s.w.held(d.collateral, *bidder), fill.received.get());
        assert_eq!(s.w.balance(*bidder), quote(20_000).get() - fill.spent.get());
    }
    assert_eq!(fills.iter().map(|f| f.spent.get()).sum::<u128>(), raised);
    let bought: u128 = fills.iter().map(|f| f.received.get()).sum();
    assert!(
        clearing.sold.get() - bought <= 1,
        "the last claim takes what is left"
    );

    s.w.rest(s.stranger, batch);
    let mut kept = 0;
    for (index, owner) in s.owners.iter().enumerate() {
        let (view, debt) = (s.w.view(*owner), Scene::debt(index).get());
        assert!(view.status.is_safe());
        kept += view.collateral.get();
        if view.debt.is_zero() {
            // Closed whole: 105 % of the debt at the clearing price, rounded against the owner.
            let sold = buys((debt * 105).div_ceil(100), clearing.price, Rounding::Up);
            assert_eq!(
                view.collateral.get(),
                10 * COLLATERAL - sold,
                "owner {index}"
            );
        } else {
            // Closed in part: each unit of debt retired cost 1.05 units of collateral's value.
            let cost = (debt - view.debt.get()) * 105 / 100;
            let sold = 10 * COLLATERAL - view.collateral.get();
            let fair = buys(cost, clearing.price, Rounding::Up);
            assert!(sold.abs_diff(fair) <= 2 * buys(1, clearing.price, Rounding::Up));
            assert!(health(view.collateral.get(), view.debt.get(), 170) > 1_050_000);
        }
    }
    let closed = s
        .owners
        .iter()
        .filter(|o| s.w.view(**o).debt.is_zero())
        .count();
    assert_eq!(
        closed, 7,
        "1 430 and more: at or under full-close health, or dust would be left"
    );
    let rounding = s.w.accounting().state.collateral_rounding.get();
    assert_eq!(kept + clearing.sold.get() + rounding, 100 * COLLATERAL);

    // Half of the reward is the opener's and half the settler's: here one and the same.
    assert_eq!(s.w.reward(s.keeper), reward);
    let message = d.vault().call_mut().claim_reward(0);
    assert_eq!(
        s.w.vault(s.keeper, message).expect("pays").value.get(),
        reward
    );
    assert_eq!(s.w.held(d.quote, s.keeper), reward);

    // Every owner repays and leaves with all that is theirs.
    for owner in s.owners.clone() {
        s.w.repay_all(owner);
        let out = s.w.withdraw_all(owner);
        assert_eq!(s.w.held(d.collateral, owner), out);
    }
    let out: u128 = s.owners.iter().map(|o| s.w.held(d.collateral, *o)).sum();
    assert!(
        kept.abs_diff(out) <= 10,
        "a unit of rounding for each owner"
    );

    // The lender is whole, to the unit.
    let lender = s.w.lender();
    let paid = s.w.redeem_all(lender);
    assert!(
        (0..=10).contains(&(paid - quote(10_000_000).get())),
        "{paid}"
    );

    // What is left in the vault: insurance, and rounding.
    let books = s.w.accounting();
    let insurance = settlement.penalties.get() - reward;
    assert_eq!(books.state.insurance.get(), insurance);
    assert!(s.w.held(d.quote, d.vault) - insurance <= 10);
    assert!(s.w.held(d.collateral, d.vault) <= 20);
    assert!(s.w.held(d.collateral, d.auction) <= 1);
    assert!(books.state.debt.is_zero() && books.state.supply_shares.is_zero());
}

#[test]
fn borrowers_pay_interest_and_lenders_leave_with_it_also_after_a_batch() {
    let params = MarketParams {
        interest: InterestCurve::STANDARD,
        ..example_params()
    };
    let position = (collateral(50_000), quote(7_000_000));
    let mut s = Scene::of(params, &[position], quote(1_000_000));
    let (owner, lender, d) = (s.owners[0], s.w.lender(), s.w.d);
    s.w.set_price_twice(price(182));
    assert_eq!(s.open_refused(), LedgerError::NothingToLiquidate);

    // A year at 70 % utilisation: 1 % and seven eighths of the four to the kink.
    s.w.chain.set_block_time(YEAR);
    s.w.advance(1);
    s.w.chain.set_block_time(6_000);
    let near =
        |found: u128, expected: u128| found.abs_diff(quote(expected).get()) <= quote(20).get();
    assert!(near(s.w.view(owner).debt.get(), 7_315_000));
    // A tenth of the interest is the reserve's.
    assert!(near(s.w.lent(lender).1.get(), 10_283_500));

    // Interest alone has made the position liquidatable at the old price.
    s.w.set_price_twice(price(182));
    assert!(s.w.view(owner).status.is_liquidatable());
    let batch = s.open();
    let auction = s.w.record(batch).auction;
    let bids: Vec<_> = (0..5)
        .map(|i| s.bid(i, batch, quote(1_000_000), auction.prices[20]))
        .collect();
    s.w.run_to(batch, 21);
    let settlement = s.w.settle(s.keeper, batch);
    assert_eq!(settlement.raised, auction.targets[20]);
    let bought: u128 = (0..5)
        .map(|i| s.w.claim(s.bidders[i], batch, &[bids[i]]).received.get())
        .sum();
    s.w.rest(s.stranger, batch);
    let view = s.w.view(owner);
    assert!(view.status.is_safe());
    let repaid = settlement.repaid.get();
    assert!(near(repaid + view.debt.get(), 7_315_000));

    // Everybody leaves.
    s.w.repay_all(owner);
    let out = s.w.withdraw_all(owner);
    assert!(50_000 * COLLATERAL - out - bought <= 2 * buys(1, price(100), Rounding::Up));
    assert!(
        near(s.w.redeem_all(lender), 10_283_500),
        "with nine tenths of the interest"
    );
    let reward = s.w.reward(s.keeper);
    s.w.vault(s.keeper, d.vault().call_mut().claim_reward(0))
        .expect("pays");
    let left = s.w.accounting();
    assert_eq!(
        left.state.insurance.get(),
        settlement.penalties.get() - reward
    );
    assert_eq!(
        left.state.supply_shares, left.state.reserve_shares,
        "only the reserve's are left"
    );
    assert!(near(left.lenders_assets.get(), 31_500));
    assert_eq!(
        s.w.held(d.quote, d.vault),
        left.state.insurance.get() + left.state.cash.get()
    );
}
