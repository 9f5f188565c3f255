//! What lenders, owners and leftovers may count on around a running batch: promises 6 and 10,
//! the wait before collateral is offered again, and the room between spot and floor.

use breakwater_core::ledger::LedgerError;
use breakwater_core::units::Amount;
use breakwater_embedded_tests::{collateral, price, quote, Scene, COLLATERAL};
use breakwater_interfaces::vault::MarginVault;
use ink::codegen::TraitCallBuilder;

#[test]
fn no_lender_leaves_ahead_of_a_loss_that_is_already_visible() {
    let (mut s, batch) = Scene::opened(100);
    // Ten owners owe 14 450 on collateral worth 10 000: at least 4 450 are lost.
    let (early, d) = (s.w.account(50), s.w.d);
    s.w.fund(early, d.quote, quote(1_000_000), d.vault);
    let supply = d.vault().call_mut().supply(0, quote(1_000_000));
    s.w.vault(early, supply).expect("lends");
    // An eleventh of the pool is its, and so is a good eleventh of the loss.
    let part = quote(4_450).get() / 11;
    let paid = s.w.redeem_all(early);
    assert!(
        paid <= quote(1_000_000).get() - part,
        "{paid} was taken out"
    );
    assert!(s.w.batch(batch).settled.is_none());
}

#[test]
fn repaying_and_adding_collateral_work_in_a_running_batch() {
    let (mut s, batch) = Scene::opened(170);
    let (owner, d) = (s.owners[0], s.w.d);
    s.w.fund(owner, d.collateral, collateral(1), d.vault);
    s.w.fund(owner, d.quote, quote(100), d.vault);
    let top_up = d.vault().call_mut().deposit(0, collateral(1));
    s.w.vault(owner, top_up).expect("adds collateral");
    let repay = d.vault().call_mut().repay(0, owner, quote(100));
    s.w.vault(owner, repay).expect("repays");
    s.w.run_out(batch);
    s.w.settle(s.keeper, batch);
    s.w.rest(s.keeper, batch);
    assert!(s.w.view(owner).collateral.get() >= 11 * COLLATERAL - 2);
    assert!(s.w.view(owner).debt <= quote(1_300).plus(Amount::new(2)).unwrap());
}

#[test]
fn a_leftover_is_not_offered_again_at_once_on_the_same_round() {
    // Nobody bids; 1 400 at 170 is above full-close health.
    let mut s = Scene::of(
        breakwater_core::market::example_params(),
        &[(collateral(10), quote(1_400))],
        quote(1_000),
    );
    s.w.set_price_twice(price(170));
    let batch = s.open();
    s.w.run_out(batch);
    s.w.settle(s.keeper, batch);
    s.w.rest(s.keeper, batch);
    let again = s.w.open_batch(s.keeper);
    assert!(
        again.is_err(),
        "opened again in the block of the settlement"
    );
}

#[test]
fn no_batch_opens_with_a_floor_within_a_hair_of_the_spot() {
    let mut params = breakwater_core::market::example_params();
    params.ladder.absolute_floor = price(170);
    let mut s = Scene::with_params(params);
    s.w.set_price_twice(price(170));
    // 0.95 of the spot is the highest floor ratio that parameters allow.
    assert_eq!(s.open_refused(), LedgerError::FloorAboveSpot);
}

#[test]
fn what_was_repaid_in_advance_and_not_needed_is_paid_back() {
    let (mut s, batch) = Scene::opened(150);
    let (owner, d) = (s.owners[9], s.w.d);
    let owed = s.w.view(owner).debt;
    s.w.fund(owner, d.quote, owed, d.vault);
    let before = s.w.held(d.quote, owner);
    let repay = d.vault().call_mut().repay(0, owner, quote(1_000_000));
    assert_eq!(s.w.vault(owner, repay).expect("repays").value, owed);
    assert!(s.w.view(owner).debt.is_zero());
    let early = s.w.vault(owner, d.vault().call_mut().reclaim(0));
    assert!(early.is_err(), "not while the batch may still need it");
    // At 150 every cohort is closed whole: the batch retires the debt by itself.
    s.clear_at(batch, 10);
    let paid = s.w.vault(owner, d.vault().call_mut().reclaim(0));
    assert_eq!(paid.expect("pays back").value, owed);
    assert_eq!(s.w.held(d.quote, owner), before);
    assert!(s.w.vault(owner, d.vault().call_mut().reclaim(0)).is_err());
}
