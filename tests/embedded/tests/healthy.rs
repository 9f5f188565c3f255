//! Promise 5: what is healthy at either of the last two accepted rounds cannot be put into a
//! batch, by anyone.

use breakwater_chain::Chain;
use breakwater_core::ledger::LedgerError;
use breakwater_core::market::example_params;
use breakwater_core::position::Status;
use breakwater_core::units::{Amount, Price};
use breakwater_embedded_tests::{collateral, price, quote, Scene, World};
use breakwater_interfaces::vault::MarginVault;
use futures::executor::block_on;
use ink::codegen::TraitCallBuilder;

fn less(price: Price) -> Price {
    Price::new(price.get() - 1)
}

#[test]
fn healthy_at_the_liquidation_price_and_in_a_batch_one_unit_lower() {
    // Round and odd amounts, large and small.
    let positions = [
        (collateral(10), quote(1_490)),
        (
            Amount::new(7_777_777_777_777_777_777),
            Amount::new(1_111_111_111),
        ),
        (collateral(1_000), Amount::new(123_456_789_012)),
        (Amount::new(1_000_000_000_000_000_001), quote(100)),
    ];
    for position in positions {
        let mut s = Scene::of(example_params(), &[position], quote(20_000));
        let owner = s.owners[0];
        let limit = s.w.view(owner).liquidation_price.unwrap();

        s.w.set_price_twice(limit);
        assert!(s.w.view(owner).status.is_safe());
        assert_eq!(s.open_refused(), LedgerError::NothingToLiquidate);

        s.w.set_price_twice(less(limit));
        assert!(s.w.view(owner).status.is_liquidatable());
        let batch = s.open();
        assert_eq!(s.w.batch(batch).members, 1);
        assert_eq!(s.w.view(owner).status, Status::InBatch);
    }
}

#[test]
fn the_liquidation_price_is_never_above_the_exact_one_and_at_most_a_tick_below() {
    let s = Scene::new();
    for (index, owner) in s.owners.iter().enumerate() {
        let limit = s.w.view(*owner).liquidation_price.unwrap().get();
        // debt / (10 · 0.8) whole quote, to the unit: early by nothing, late by a tenth percent.
        let exact = Scene::debt(index).get() * 1_000_000_000_000 / 8;
        assert!(limit <= exact, "owner {index} is liquidated early");
        assert!(
            limit >= exact - exact / 1_000 - 1,
            "owner {index} is liquidated late"
        );
    }
}

#[test]
fn exactly_those_under_their_liquidation_price_are_taken() {
    let mut s = Scene::new();
    let limits: Vec<_> = s
        .owners
        .iter()
        .map(|o| s.w.view(*o).liquidation_price.unwrap())
        .collect();
    let start = s.w.save();
    for (first_safe, limit) in limits.into_iter().enumerate() {
        s.w.restore(&start);
        // At the liquidation price of owner n, it and the safer ones are healthy.
        s.w.set_price_twice(limit);
        if first_safe == 9 {
            assert_eq!(s.open_refused(), LedgerError::NothingToLiquidate);
            continue;
        }
        let batch = s.open();
        for (index, owner) in s.owners.iter().enumerate() {
            let taken = s.w.view(*owner).batch == Some(batch.number);
            assert_eq!(
                taken,
                index > first_safe,
                "owner {index} at the price of {first_safe}"
            );
        }
    }
}

#[test]
fn one_healthy_round_of_the_last_two_protects_whichever_it_is() {
    let mut s = Scene::new();
    s.w.set_price(price(100));
    assert!(s
        .owners
        .iter()
        .all(|o| s.w.view(*o).status.is_liquidatable()));
    assert_eq!(
        s.open_refused(),
        LedgerError::NothingToLiquidate,
        "200, then 100"
    );
    s.w.set_price(price(200));
    assert_eq!(
        s.open_refused(),
        LedgerError::NothingToLiquidate,
        "100, then 200"
    );
    s.w.set_price(price(100));
    assert_eq!(
        s.open_refused(),
        LedgerError::NothingToLiquidate,
        "200, then 100 again"
    );
    s.w.set_price(price(100));
    s.open();
}

#[test]
fn health_is_judged_at_the_better_of_two_unhealthy_rounds() {
    let mut s = Scene::new();
    // 181 spares those who owe up to 1 440, 175 would spare only 1 400.
    s.w.set_price(price(181));
    s.w.set_price(price(175));
    let batch = s.open();
    let opened = s.w.batch(batch);
    assert_eq!((opened.reference, opened.members), (price(181), 5));
    assert!(s.owners[..5].iter().all(|o| s.w.view(*o).batch.is_none()));
    // The ladder, though, is that of the latest price: nobody would buy at the better one.
    assert_eq!(opened.floor, Price::new(price(175).get() / 10 * 9));
}

#[test]
fn a_round_opens_nothing_in_the_block_that_accepted_it() {
    let mut s = Scene::new();
    s.w.set_price(price(170));
    s.w.submit(price(170));
    assert_eq!(s.open_refused(), LedgerError::RoundTooFresh);
    // The owner acts in that block, and is safe in the next.
    let owner = s.owners[9];
    s.w.repay_all(owner);
    s.w.advance(1);
    let batch = s.open();
    assert_eq!(s.w.batch(batch).members, 9);
    assert!(s.w.view(owner).status.is_safe());
}

#[test]
fn a_stale_price_opens_nothing() {
    let mut s = Scene::crashed(170);
    let start = s.w.save();
    let oldest = example_params().max_price_age;
    let age = |w: &World| {
        let round = w.reading().round;
        block_on(w.chain.now()).unwrap() - round.at
    };
    let passes = oldest - age(&s.w);
    s.w.chain.set_block_time(passes);
    s.w.advance(1);
    assert_eq!(age(&s.w), oldest);
    s.open();

    s.w.restore(&start);
    s.w.chain.set_block_time(passes + 1);
    s.w.advance(1);
    assert_eq!(age(&s.w), oldest + 1);
    assert_eq!(s.open_refused(), LedgerError::StalePrice);
}

#[test]
fn repaying_or_adding_collateral_in_time_protects() {
    let mut s = Scene::crashed(181);
    // At 181 those who owe 1 450 to 1 490 are liquidatable.
    assert!(s.w.view(s.owners[6]).status.is_liquidatable());
    let d = s.w.d;
    // One repays a part, one adds collateral, one is helped by a stranger, one pays everything.
    let (part, top_up, helped, all) = (s.owners[6], s.owners[7], s.owners[8], s.owners[9]);
    for (payer, owner, amount) in [
        (part, part, quote(30)),
        (s.stranger, helped, quote(60)),
        (all, all, quote(2_000)),
    ] {
        s.w.fund(payer, d.quote, amount, d.vault);
        let message = d.vault().call_mut().repay(0, owner, amount);
        let paid = s.w.vault(payer, message).expect("repays").value;
        assert_eq!(paid, amount.min(quote(1_490)), "never more than is owed");
    }
    s.w.fund(top_up, d.collateral, collateral(1), d.vault);
    let message = d.vault().call_mut().deposit(0, collateral(1));
    s.w.vault(top_up, message).expect("adds");
    for owner in [part, top_up, helped, all] {
        assert!(s.w.view(owner).status.is_safe());
    }
    // Only the one who did nothing is taken.
    let batch = s.open();
    assert_eq!(s.w.batch(batch).members, 1);
    assert_eq!(s.w.view(s.owners[5]).batch, Some(batch.number));
}

#[test]
fn what_is_healthy_again_after_a_batch_stays_out_of_the_next() {
    let (mut s, batch) = Scene::opened(170);
    s.clear_at(batch, 10);
    s.w.set_price_twice(price(170));
    assert_eq!(s.open_refused(), LedgerError::NothingToLiquidate);
    for owner in &s.owners {
        let view = s.w.view(*owner);
        if let Some(limit) = view.liquidation_price {
            assert!(limit < price(170));
            // debt / (collateral · 0.8), scaled by 10^18 and by the tokens' decimals.
            let exact = view.debt.get() * 1_250_000_000_000_000_000_000_000
                / (view.collateral.get() / 1_000_000);
            assert!(
                limit.get() <= exact + exact / 1_000_000,
                "not early after a sale either"
            );
        }
    }
}
