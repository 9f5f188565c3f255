//! Leaving in one message: what is owed, with its interest, and everything back (I-46, I-47).

use breakwater_core::market::example_params;
use breakwater_core::units::Amount;
use breakwater_embedded_tests::{collateral, price, quote, Scene};
use breakwater_interfaces::vault::MarginVault;
use ink::codegen::TraitCallBuilder;

#[test]
fn closing_pays_everything_with_interest_and_returns_all_collateral_in_one_message() {
    let mut params = example_params();
    params.interest = breakwater_core::interest::InterestCurve::STANDARD;
    let mut s = Scene::of(params, &[(collateral(10), quote(1_400))], quote(1_000));
    let (owner, d) = (s.owners[0], s.w.d);
    s.w.advance(1_000);
    s.w.fund(owner, d.quote, quote(1_500), d.vault);
    let (quote_held, held) = (s.w.held(d.quote, owner), s.w.held(d.collateral, owner));
    let done =
        s.w.vault(owner, d.vault().call_mut().close(0))
            .expect("closes")
            .value;
    assert!(done.paid > quote(1_400), "interest has run");
    assert_eq!(done.collateral, collateral(10));
    assert_eq!(s.w.held(d.quote, owner), quote_held - done.paid.get());
    assert_eq!(s.w.held(d.collateral, owner), held + collateral(10).get());
    assert!(s.w.view(owner).debt.is_zero());
    assert!(s.w.vault(owner, d.vault().call_mut().close(0)).is_err());
    s.w.assert_books();
}

#[test]
fn repaying_and_withdrawing_in_one_message_is_all_or_nothing() {
    let mut s = Scene::new();
    let (owner, d) = (s.owners[0], s.w.d);
    s.w.fund(owner, d.quote, quote(700), d.vault);
    let before = s.w.view(owner);
    let greedy = d
        .vault()
        .call_mut()
        .repay_and_withdraw(0, quote(700), collateral(9));
    assert!(s.w.vault(owner, greedy).is_err());
    assert_eq!(s.w.view(owner), before);
    let fair = d
        .vault()
        .call_mut()
        .repay_and_withdraw(0, quote(700), collateral(5));
    assert_eq!(s.w.vault(owner, fair).expect("both").value, quote(700));
    let after = s.w.view(owner);
    assert_eq!(
        after.debt.get() / 10,
        (before.debt.get() - quote(700).get()) / 10
    );
    // The room a view names is granted to the unit, and not a unit more.
    let room = s.w.view_at(owner, price(200)).withdrawable;
    let more = d
        .vault()
        .call_mut()
        .withdraw(0, room.plus(Amount::new(1)).unwrap());
    assert!(s.w.vault(owner, more).is_err());
    s.w.vault(owner, d.vault().call_mut().withdraw(0, room))
        .expect("withdraws");
    s.w.assert_books();
}
