//! The end of a market: begun by the governor or by a loss above the cap; debts are repaid and
//! sold as before, lenders are paid alike, and what nobody buys is theirs at the floor.

use breakwater_chain::AccountId;
use breakwater_core::ledger::LedgerError;
use breakwater_core::lending::LendingError;
use breakwater_core::market::{example_params, MarketParams};
use breakwater_core::math::Rounding;
use breakwater_core::timelock::SHORTEST_NOTICE;
use breakwater_core::units::{Amount, Ratio, Shares};
use breakwater_core::wind_down::WindDown;
use breakwater_embedded_tests::{
    buys, collateral, price, quote, refused, worth, Scene, World, COLLATERAL,
};
use breakwater_interfaces::auction::BatchKey;
use breakwater_interfaces::vault::{MarginVault, VaultError};
use breakwater_interfaces::vault_admin::VaultAdmin;
use ink::codegen::TraitCallBuilder;

fn wind_down(w: &mut World) {
    let message = w.d.admin().call_mut().wind_down(0);
    w.vault(w.governor(), message).expect("winds down");
}

fn ended(w: &World) -> WindDown {
    w.accounting().state.wind_down.expect("is wound down")
}

fn collect(w: &mut World, lender: AccountId, in_kind: bool) -> u128 {
    let message = w.d.admin().call_mut().collect(0, in_kind);
    match w.vault(lender, message) {
        Ok(paid) => paid.value.get(),
        Err(error) => {
            let nothing = VaultError::Lending(LendingError::NothingToCollect);
            assert_eq!(error.reverted(), Some(nothing));
            0
        }
    }
}

fn lend(w: &mut World, lender: AccountId, amount: Amount) {
    w.fund(lender, w.d.quote, amount, w.d.vault);
    let supply = w.d.vault().call_mut().supply(0, amount);
    w.vault(lender, supply).expect("lends");
}

fn insure(w: &mut World, payer: AccountId, amount: Amount) {
    w.fund(payer, w.d.quote, amount, w.d.vault);
    let give = w.d.admin().call_mut().insure(0, amount);
    w.vault(payer, give).expect("gives");
}

/// Nobody bids: the batch goes back.
fn unsold(s: &mut Scene) -> BatchKey {
    let batch = s.open();
    s.w.run_out(batch);
    assert!(s.w.settle(s.keeper, batch).raised.is_zero());
    s.w.rest(s.keeper, batch);
    batch
}

#[test]
fn a_loss_is_booked_in_full_at_once_and_above_the_cap_winds_the_market_down() {
    // Over a thousand is lost of ten million: more than a ten-thousandth.
    for (cap, ends) in [(100, true), (1_000, false)] {
        let params = MarketParams {
            loss_cap: Ratio::from_ppm(cap),
            ..example_params()
        };
        let mut s = Scene::with_params(params);
        s.w.set_price_twice(price(130));
        let batch = s.open();
        let before = s.w.accounting();
        let auction = s.w.record(batch).auction;
        s.bid(0, batch, quote(20_000), auction.prices[25]);
        s.w.run_out(batch);
        let done = s.w.settle(s.keeper, batch);
        let lost = done.waterfall.from_lenders;
        assert!(lost > quote(1_000) && lost < quote(10_000));
        let after = s.w.accounting();
        assert_eq!(after.state.written_off, lost);
        assert_eq!(
            before.lenders_assets.get() - after.lenders_assets.get(),
            lost.get()
        );
        assert_eq!(after.state.wind_down.is_some(), ends, "cap {cap} ppm");
        if !ends {
            continue;
        }
        assert_eq!(ended(&s.w).lost, lost);
        // What comes in now makes good the loss first, and only then insures.
        let lender = s.w.lender();
        let value = s.w.lent(lender).1.get();
        assert_eq!(collect(&mut s.w, lender, false), value);
        let stranger = s.stranger;
        insure(&mut s.w, stranger, lost.plus(quote(7)).unwrap());
        assert_eq!(s.w.accounting().state.insurance, quote(7));
        assert_eq!(collect(&mut s.w, lender, false), lost.get());
        let all = value + lost.get();
        assert!(
            quote(10_000_000).get() - all <= 1,
            "whole again, and no more"
        );
    }
}

#[test]
fn a_market_that_is_wound_down_takes_no_new_risk_and_lets_everybody_out() {
    let mut s = Scene::new();
    let (owner, stranger, lender, d) = (s.owners[0], s.stranger, s.w.lender(), s.w.d);
    wind_down(&mut s.w);
    let governor = s.w.governor();
    let again = d.admin().call_mut().wind_down(0);
    s.w.refused(
        governor,
        d.vault,
        again,
        VaultError::Lending(LendingError::WindingDown),
    );
    s.w.fund(stranger, d.quote, quote(100), d.vault);
    s.w.fund(stranger, d.collateral, collateral(2), d.vault);
    refused! { s.w, vault,
        stranger => supply(0, quote(100)), LendingError::WindingDown;
        lender => redeem(0, Shares::new(1_000_000)), LendingError::WindingDown;
        owner => borrow(0, quote(1)), LedgerError::WindingDown;
        stranger => deposit_and_borrow(0, collateral(2), quote(100)), LedgerError::WindingDown;
    }
    // Batches go on.
    s.w.set_price_twice(price(170));
    let batch = s.open();
    s.clear_at(batch, 20);
    // Everybody leaves.
    for owner in s.owners.clone() {
        s.w.repay_all(owner);
        s.w.withdraw_all(owner);
    }
    let paid = collect(&mut s.w, lender, false);
    assert!(paid.abs_diff(quote(10_000_000).get()) <= 20);
    let left = s.w.accounting();
    assert!(left.state.debt.is_zero() && left.lenders_assets.get() <= 20);
    assert_eq!(s.w.lent(lender).1, left.lenders_assets);
}

#[test]
fn lenders_share_the_cash_as_it_comes_in_whoever_asks_first() {
    // Three lenders of 10, 6 and 4 million; 15 of the 20 are lent out.
    let mut w = World::new();
    let (first, d) = (w.lender(), w.d);
    let (second, third) = (w.account(50), w.account(51));
    lend(&mut w, second, quote(6_000_000));
    lend(&mut w, third, quote(4_000_000));
    let owners = [100, 101, 102].map(|index| w.account(index));
    for owner in owners {
        w.open_position(owner, collateral(50_000), quote(5_000_000));
    }
    // The third would run: it may take its fifth of the five million that are there, no more.
    wind_down(&mut w);
    let near = |paid: u128, whole: u128| paid.abs_diff(quote(whole).get()) <= 2;
    assert!(near(collect(&mut w, third, false), 1_000_000));
    assert_eq!(collect(&mut w, third, false), 0);
    w.repay_all(owners[0]);
    assert!(near(collect(&mut w, first, false), 5_000_000));
    assert!(near(collect(&mut w, third, false), 1_000_000));
    w.repay_all(owners[1]);
    w.repay_all(owners[2]);
    assert!(near(collect(&mut w, second, false), 6_000_000));
    assert!(near(collect(&mut w, third, false), 2_000_000));
    assert!(near(collect(&mut w, first, false), 5_000_000));
    assert!(w.held(d.quote, d.vault) <= 5);
}

#[test]
fn what_no_auction_sells_goes_to_lenders_in_kind_at_the_floor_and_the_excess_stays_the_owners() {
    let mut s = Scene::new();
    let (owner, lender, d) = (s.owners[0], s.w.lender(), s.w.d);
    let take = |owner| d.admin().call_mut().take_in_kind(0, owner);
    let no = VaultError::Ledger;
    s.w.set_price_twice(price(170));
    unsold(&mut s);
    let stranger = s.stranger;
    s.w.refused(
        stranger,
        d.vault,
        take(owner),
        no(LedgerError::NotInKindYet),
    );
    wind_down(&mut s.w);
    s.w.refused(
        stranger,
        d.vault,
        take(owner),
        no(LedgerError::NotInKindYet),
    );
    s.w.wait(SHORTEST_NOTICE);
    s.w.refused(stranger, d.vault, take(owner), no(LedgerError::StalePrice));
    s.w.set_price_twice(price(200));
    s.w.refused(
        stranger,
        d.vault,
        take(owner),
        no(LedgerError::NothingToLiquidate),
    );
    s.w.refused(
        stranger,
        d.vault,
        take(lender),
        no(LedgerError::NothingOwed),
    );
    s.w.submit(price(170));
    s.w.refused(
        stranger,
        d.vault,
        take(owner),
        no(LedgerError::RoundTooFresh),
    );
    s.w.advance(1);
    s.w.set_price(price(170));

    // The floor is 153; 1 400 take 9.15 and a unit, the rest is its owner's.
    s.w.vault(stranger, take(owner)).expect("takes");
    let taken = buys(quote(1_400).get(), price(153), Rounding::Up);
    let view = s.w.view(owner);
    assert!(view.debt.is_zero());
    let kept = 10 * COLLATERAL - taken;
    assert!(view.collateral.get().abs_diff(kept) <= 1_000_000_000_000);
    let state = s.w.accounting().state;
    assert_eq!(
        ended(&s.w).in_kind.get(),
        10 * COLLATERAL - view.collateral.get()
    );
    assert!(state.written_off.is_zero());
    s.w.withdraw_all(owner);
    let all = ended(&s.w).in_kind.get();
    assert_eq!(collect(&mut s.w, lender, true), all);
    assert_eq!(s.w.held(d.collateral, lender), all);
    assert_eq!(collect(&mut s.w, lender, true), 0);

    // At 150 the floor is 135: the riskiest lacks 140, which lenders bear.
    s.w.set_price_twice(price(150));
    let riskiest = s.owners[9];
    s.w.vault(stranger, take(riskiest)).expect("takes");
    assert_eq!(s.w.view(riskiest).collateral, Amount::ZERO);
    let lost = s.w.accounting().state.written_off.get();
    let lacks = quote(1_490).get() - worth(10 * COLLATERAL, price(135));
    assert!(lost.abs_diff(lacks) <= 2, "{lost} instead of {lacks}");
    assert!(collect(&mut s.w, lender, true) >= 10 * COLLATERAL - 1_000_000_000_000);
}

#[test]
fn collateral_is_not_taken_in_kind_before_an_auction_was_tried() {
    let mut s = Scene::new();
    wind_down(&mut s.w);
    s.w.wait(SHORTEST_NOTICE);
    s.w.set_price_twice(price(170));
    let take = s.w.d.admin().call_mut().take_in_kind(0, s.owners[0]);
    let no = VaultError::Ledger(LedgerError::NotAuctioned);
    s.w.refused(s.stranger, s.w.d.vault, take, no);
    s.open();
    let take = s.w.d.admin().call_mut().take_in_kind(0, s.owners[0]);
    let no = VaultError::Ledger(LedgerError::PositionInBatch);
    s.w.refused(s.stranger, s.w.d.vault, take, no);
}

#[test]
fn insurance_given_before_bears_a_loss_before_lenders_do() {
    let (mut s, batch) = Scene::opened(130);
    let stranger = s.stranger;
    insure(&mut s.w, stranger, quote(1_000));
    assert_eq!(s.w.accounting().state.insurance, quote(1_000));
    let auction = s.w.record(batch).auction;
    s.bid(0, batch, quote(20_000), auction.prices[25]);
    s.w.run_out(batch);
    let done = s.w.settle(s.keeper, batch).waterfall;
    assert_eq!(done.from_insurance, quote(1_000));
    assert!(!done.from_lenders.is_zero());
}

#[test]
fn insurance_tops_the_keeper_of_a_large_insolvent_batch_up_to_the_tip() {
    let owners: Vec<_> = (0..10).map(|i| (collateral(10), Scene::debt(i))).collect();
    let pays = |hole: u128, insurance: u128| {
        let params = MarketParams {
            hole: quote(hole),
            min_batch: quote(1_000),
            ..example_params()
        };
        let mut s = Scene::of(params, &owners, quote(20_000));
        let stranger = s.stranger;
        insure(&mut s.w, stranger, quote(insurance));
        s.w.set_price_twice(price(130));
        let batch = s.open();
        let auction = s.w.record(batch).auction;
        s.bid(0, batch, quote(20_000), auction.prices[25]);
        s.w.run_out(batch);
        let done = s.w.settle(s.keeper, batch).waterfall;
        assert!(done.reward.is_zero(), "penalties are used up by the loss");
        assert_eq!(s.w.reward(s.keeper), done.top_up.get());
        done.top_up
    };
    // 13 000 are over an eighth of 100 000, and not of 1 000 000.
    assert_eq!(pays(100_000, 10_000), quote(5));
    assert_eq!(pays(1_000_000, 10_000), Amount::ZERO);
    // The loss comes first, and leaves nothing of so little.
    assert_eq!(pays(100_000, 100), Amount::ZERO);
}
