//! Promise 10 in numbers: no lender gains by leaving early or by entering late, and what is lent
//! out cannot be paid out.

use breakwater_chain::AccountId;
use breakwater_core::lending::LendingError;
use breakwater_core::market::example_params;
use breakwater_core::units::{Amount, Shares};
use breakwater_embedded_tests::{collateral, price, quote, refused, Scene, World};
use breakwater_interfaces::auction::BatchKey;
use breakwater_interfaces::vault::MarginVault;
use breakwater_interfaces::vault_admin::VaultAdmin;
use ink::codegen::TraitCallBuilder;

const STAKE: u128 = 1_000_000;

fn lend(w: &mut World, lender: AccountId) {
    w.fund(lender, w.d.quote, quote(STAKE), w.d.vault);
    let supply = w.d.vault().call_mut().supply(0, quote(STAKE));
    w.vault(lender, supply).expect("lends");
}

/// Ends a batch: all of it sold at a step, or nothing.
fn end(s: &mut Scene, batch: BatchKey, step: Option<usize>) {
    if let Some(step) = step {
        let limit = s.w.record(batch).auction.prices[step];
        s.bid(0, batch, quote(20_000), limit);
    }
    s.w.run_out(batch);
    s.w.settle(s.keeper, batch);
    s.w.rest(s.keeper, batch);
}

const ENDS: [Option<usize>; 5] = [Some(0), Some(25), Some(49), Some(63), None];

#[test]
fn leaving_early_gains_nothing_however_the_batch_ends() {
    for crash in [170, 145, 130, 90] {
        let mut s = Scene::new();
        let early = s.w.account(50);
        lend(&mut s.w, early);
        s.w.set_price_twice(price(crash));
        let start = s.w.save();
        // Before the batch opens, and while it runs.
        let before = s.w.redeem_all(early);
        s.w.restore(&start);
        let batch = s.open();
        let running = s.w.save();
        let meanwhile = s.w.redeem_all(early);
        for how in ENDS {
            s.w.restore(&running);
            end(&mut s, batch, how);
            let stayed = s.w.redeem_all(early);
            assert!(
                meanwhile <= stayed,
                "at {crash}, {how:?}: {meanwhile} in the batch, {stayed} after it"
            );
            // Ticks are provided for at spot, batches at the floor: who leaves before anybody
            // has opened a batch gains at most what lies between.
            let gap = (before.max(stayed) - stayed) * 10_000 / before;
            assert!(
                before <= stayed || gap <= 2,
                "at {crash}, {how:?}: {before}, {stayed}"
            );
        }
    }
}

#[test]
fn entering_late_gains_nothing_however_the_batch_ends() {
    for crash in [170, 145, 130, 90] {
        let mut s = Scene::crashed(crash);
        let late = s.w.account(50);
        let start = s.w.save();
        for opened in [false, true] {
            for how in ENDS {
                s.w.restore(&start);
                if !opened {
                    lend(&mut s.w, late);
                }
                let batch = s.open();
                if opened {
                    lend(&mut s.w, late);
                }
                end(&mut s, batch, how);
                let paid = s.w.redeem_all(late);
                assert!(paid <= quote(STAKE).get(), "at {crash}, {how:?}: {paid}");
            }
        }
        // In and out at once.
        s.w.restore(&start);
        lend(&mut s.w, late);
        assert!(s.w.redeem_all(late) <= quote(STAKE).get());
    }
}

#[test]
fn who_enters_after_a_loss_gains_nothing_from_what_is_given_back() {
    let (mut s, batch) = Scene::opened(130);
    end(&mut s, batch, Some(25));
    let (late, giver, d) = (s.w.account(50), s.w.account(51), s.w.d);
    assert!(!s.w.accounting().state.written_off.is_zero());
    lend(&mut s.w, late);
    s.w.fund(giver, d.quote, quote(5_000), d.vault);
    let give = d.admin().call_mut().insure(0, quote(5_000));
    s.w.vault(giver, give).expect("gives");
    assert!(s.w.redeem_all(late) <= quote(STAKE).get());
    assert_eq!(s.w.accounting().state.insurance, quote(5_000));
}

#[test]
fn with_everything_lent_out_lenders_are_paid_as_it_is_repaid() {
    let position = (collateral(100_000), quote(10_000_000));
    let mut s = Scene::of(example_params(), &[position], Amount::ZERO);
    let (lender, owner, d) = (s.w.lender(), s.owners[0], s.w.d);
    let (shares, worth) = s.w.lent(lender);
    assert_eq!(worth, quote(10_000_000));
    let part = |percent: u128| Shares::new(shares.get() / 100 * percent);
    refused! { s.w, vault,
        lender => redeem(0, shares), LendingError::InsufficientCash;
        lender => redeem(0, part(1)), LendingError::InsufficientCash;
    }
    s.w.fund(owner, d.quote, quote(4_000_000), d.vault);
    let repay = d.vault().call_mut().repay(0, owner, quote(4_000_000));
    s.w.vault(owner, repay).expect("repays");
    refused! { s.w, vault, lender => redeem(0, part(41)), LendingError::InsufficientCash; }
    let redeem = d.vault().call_mut().redeem(0, part(40));
    let paid = s.w.vault(lender, redeem).expect("pays what is there").value;
    assert!(quote(4_000_000).get() - paid.get() <= 1);
    s.w.repay_all(owner);
    assert!(quote(6_000_000).get().abs_diff(s.w.redeem_all(lender)) <= 2);
}
