//! The end of a market: begun by the governor or by a loss above the cap; debts are repaid and
//! sold as before, lenders are paid alike, and what nobody buys is theirs at the floor.

use breakwater_chain::AccountId;
use breakwater_core::breaker::{Cause, Stage};
use breakwater_core::ledger::LedgerError;
use breakwater_core::lending::LendingError;
use breakwater_core::market::{example_params, Limits, MarketParams};
use breakwater_core::math::Rounding;
use breakwater_core::timelock::SHORTEST_NOTICE;
use breakwater_core::units::{Amount, Price, Ratio, Shares};
use breakwater_core::wind_down::WindDown;
use breakwater_embedded_tests::{
    buys, collateral, price, quote, refused, worth, Scene, World, COLLATERAL,
};
use breakwater_interfaces::auction::BatchKey;
use breakwater_interfaces::breaker::CircuitBreaker;
use breakwater_interfaces::governance::Guarded;
use breakwater_interfaces::oracle::OracleAdapter;
use breakwater_interfaces::vault::{MarginVault, VaultError};
use breakwater_interfaces::vault_admin::VaultAdmin;
use breakwater_sim::deployment::Deployment;
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

/// A worthless asset has a path: nobody buys at any price, and after the time lock lenders take
/// what there is at the floor and bear the loss; every debt ends, and the books balance. From a
/// price of a hundred-millionth of what it was down to the least price there is.
#[test]
fn a_worthless_asset_is_written_off_after_the_time_lock() {
    for worth in [Price::new(2_000_000_000_000), Price::new(1)] {
        let mut s = Scene::new();
        let (guardian, stranger, d) = (s.w.account(55), s.stranger, s.w.d);
        let governor = s.w.governor();
        let name = Deployment::guarded(d.vault)
            .call_mut()
            .set_guardian(Some(guardian));
        s.w.send(governor, d.vault, name).expect("names");
        s.w.set_price_twice(worth);
        // At once: no more of it is lent against.
        let none = Limits {
            initial_ltv: Ratio::from_ppm(1),
            debt_ceiling: Amount::ZERO,
            supply_cap: Amount::ZERO,
        };
        let restrict = d.admin().call_mut().restrict(0, none);
        s.w.vault(guardian, restrict).expect("restricts");
        wind_down(&mut s.w);
        unsold(&mut s);
        let take = |owner| d.admin().call_mut().take_in_kind(0, owner);
        let early = s.w.refusal(stranger, d.vault, take(s.owners[0]));
        assert_eq!(early, Some(VaultError::Ledger(LedgerError::NotInKindYet)));
        s.w.wait(SHORTEST_NOTICE);
        s.w.set_price_twice(worth);
        for owner in s.owners.clone() {
            s.w.vault(stranger, take(owner)).expect("takes");
            let view = s.w.view(owner);
            assert_eq!((view.debt, view.collateral), (Amount::ZERO, Amount::ZERO));
        }
        let books = s.w.accounting();
        assert!(books.state.debt.is_zero());
        let lent: u128 = (0..10).map(|at| Scene::debt(at).get()).sum();
        let lost = books.state.written_off.get();
        assert!(lent - lost <= 220 && lost <= lent + 20, "{lost} of {lent}");
        let lender = s.w.lender();
        let cash = collect(&mut s.w, lender, false);
        assert!(quote(10_000_000).get() - cash - lost <= 220);
        assert!(collect(&mut s.w, lender, true) >= 100 * COLLATERAL - 1_000);
    }
}

/// A delisted asset has a path: its feeders are gone and the market halts, by anyone's call. The
/// governor names others, who report what it still fetches; that is confirmed, not believed at
/// once, and then the market is wound down as any other.
#[test]
fn a_delisted_asset_gets_other_feeders_and_is_wound_down() {
    let positions: Vec<_> = (0..10).map(|i| (collateral(10), Scene::debt(i))).collect();
    let mut s = Scene::of(example_params(), &positions, quote(20_000));
    let (governor, stranger, d) = (s.w.governor(), s.stranger, s.w.d);
    s.w.advance(700);
    let stale = d.breaker().call_mut().trip(Some(0), Cause::Stale);
    s.w.auction(stranger, stale).expect("halts");
    // Nobody is locked in meanwhile.
    let owner = s.owners[3];
    s.w.repay_all(owner);
    s.w.withdraw_all(owner);
    let others: Vec<_> = (60..63).map(|index| s.w.account(index)).collect();
    for feeder in s.w.feeders.clone() {
        let remove = d.oracle().call_mut().remove_feeder(d.feed, feeder);
        s.w.send(governor, d.oracle, remove).expect("removes");
    }
    for other in &others {
        let add = d.oracle().call_mut().add_feeder(d.feed, *other);
        s.w.send(governor, d.oracle, add).expect("adds");
    }
    s.w.feeders = others;
    s.w.set_price_twice(price(20));
    wind_down(&mut s.w);
    s.w.advance(100);
    s.w.set_price_twice(price(20));
    // A fall of nine tenths is a jump as well, but the governor has decided.
    let lower = d.breaker().call_mut().lower(Some(0), Stage::Open);
    s.w.auction(governor, lower).expect("lowers");
    s.w.advance(100);
    s.w.set_price_twice(price(20));
    unsold(&mut s);
    s.w.wait(SHORTEST_NOTICE);
    s.w.set_price_twice(price(20));
    for at in [0, 1, 2, 4, 5, 6, 7, 8, 9] {
        let take = d.admin().call_mut().take_in_kind(0, s.owners[at]);
        s.w.vault(stranger, take).expect("takes");
    }
    assert!(s.w.accounting().state.debt.is_zero());
    let lender = s.w.lender();
    assert!(collect(&mut s.w, lender, true) >= 90 * COLLATERAL - 1_000);
}

/// A halt may be the sign of a wrong price, so nothing is taken at the floor in it.
#[test]
fn nothing_is_taken_in_kind_while_a_market_is_halted() {
    let mut s = Scene::new();
    let (governor, stranger, d) = (s.w.governor(), s.stranger, s.w.d);
    s.w.set_price_twice(price(170));
    unsold(&mut s);
    wind_down(&mut s.w);
    s.w.wait(SHORTEST_NOTICE);
    s.w.set_price_twice(price(170));
    let raise = d.breaker().call_mut().raise(Some(0), Stage::Halted);
    s.w.auction(governor, raise).expect("halts");
    let take = d.admin().call_mut().take_in_kind(0, s.owners[0]);
    s.w.refused(stranger, d.vault, take, VaultError::Stopped);
}
