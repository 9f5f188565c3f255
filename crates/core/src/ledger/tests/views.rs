//! What a position's view promises holds to the unit: each number is tried, and one more or less.

use super::super::*;
use super::world::{crashed, World, QUOTE};
use crate::interest::InterestCurve;
use crate::market::{example_params, MarketPrices};
use crate::position::{PositionView, Status, HEALTH_WITHOUT_DEBT};
use crate::units::{
    highest_healthy_ratio, is_liquidatable, liquidation_price, Amount, DebtRatio, Index, Price,
    Ratio, PRICE_ONE,
};
use proptest::prelude::*;

/// A market of tokens with these decimals, whose interest has run for some days.
fn market(dc: u8, dq: u8, days: u64) -> World {
    let whole = |n: u128| Amount::new(n * 10u128.pow(u32::from(dq)));
    let mut world = World::new();
    world.params = MarketParams {
        collateral_decimals: dc,
        quote_decimals: dq,
        min_debt: whole(100),
        hole: whole(100_000_000),
        min_batch: whole(10_000),
        debt_ceiling: whole(1_000_000_000),
        supply_cap: whole(2_000_000_000),
        interest: InterestCurve::STANDARD,
        ..example_params()
    };
    world.supply(whole(1_000_000).get());
    let unit = 10u128.pow(u32::from(dc));
    // Somebody who owes little, so that interest runs.
    world.open_position(99, 100 * unit, whole(5_000).get(), 200 * PRICE_ONE);
    let curve = world.params.interest;
    world.state.accrue(&curve, days * 86_400_000).unwrap();
    world
}

/// F01, F02 through the ledger: at the liquidation price nobody can take it, one unit lower
/// everybody can, with every pair of decimals and at several indices.
#[test]
fn f02_the_trigger_is_exact_for_all_decimals_and_indices() {
    for dc in 6..=18u8 {
        for dq in 6..=18u8 {
            let days = u64::from(dc) * 37 + u64::from(dq);
            let mut world = market(dc, dq, days);
            let unit = 10u128.pow(u32::from(dc));
            let quote = 10u128.pow(u32::from(dq));
            let (collateral, debt) = (7 * unit + 3, 1_000 * quote + u128::from(dc) * 17);
            world.open_position(1, collateral, debt, 200 * PRICE_ONE);
            let trigger = world.view(1, 200 * PRICE_ONE).liquidation_price.unwrap();
            assert!(world.view(1, trigger.get()).status.is_safe());
            let refused = world.clone().open_batch(trigger.get());
            assert_eq!(refused, Err(LedgerError::NothingToLiquidate), "{dc} {dq}");
            let lower = trigger.get() - 1;
            assert_eq!(world.view(1, lower).status, Status::Liquidatable);
            let opening = world.clone().open_batch(lower).unwrap();
            assert_eq!(opening.members, 1, "{dc} {dq}");
            // Never early: at its trigger it has no margin left, or a tick's width at most.
            let view = world.view(1, trigger.get());
            assert!(view.health <= Ratio::ONE, "{dc} {dq}: {:?}", view.health);
            assert!(
                view.health >= Ratio::from_ppm(998_990),
                "{dc} {dq}: {:?}",
                view.health
            );
        }
    }
}

fn prices(world: &World, price: u128) -> MarketPrices {
    world.prices(price)
}

/// Every number of a view, tried on copies of the world.
fn try_everything(world: &World, who: u32, price: u128, view: &PositionView) {
    let now = prices(world, price);
    let one = Amount::new(1);
    let borrow = |amount: Amount| {
        world
            .clone()
            .transition(who, |l, p| l.borrow(p, amount, &now))
    };
    if !view.borrowable.is_zero() {
        assert_eq!(borrow(view.borrowable), Ok(()), "borrowable");
    }
    assert!(
        borrow(view.borrowable.plus(one).unwrap()).is_err(),
        "one more"
    );
    let withdraw = |amount: Amount| {
        let mut world = world.clone();
        world.transition(who, |l, p| l.withdraw(p, amount, Some(&now)))
    };
    if !view.withdrawable.is_zero() {
        assert_eq!(withdraw(view.withdrawable), Ok(()), "withdrawable");
    }
    assert!(
        withdraw(view.withdrawable.plus(one).unwrap()).is_err(),
        "one more"
    );
    let after = |act: &dyn Fn(&mut World) -> Result<(), LedgerError>| {
        let mut world = world.clone();
        act(&mut world).map(|()| world.view(who, price).status)
    };
    let repay = |amount: Amount| {
        after(&|w: &mut World| w.transition(who, |l, p| l.repay(p, amount).map(|_| ())))
    };
    let add =
        |amount: Amount| after(&|w: &mut World| w.transition(who, |l, p| l.deposit(p, amount)));
    if view.status.is_liquidatable() {
        assert!(repay(view.cure_by_repaying).unwrap().is_safe(), "cured");
        let less = repay(view.cure_by_repaying.minus(one).unwrap());
        assert!(less.is_err() || less.unwrap().is_liquidatable(), "one less");
        assert!(add(view.cure_by_adding).unwrap().is_safe(), "cured");
        let less = view.cure_by_adding.minus(one).unwrap();
        assert!(
            less.is_zero() || add(less).unwrap().is_liquidatable(),
            "one less"
        );
    } else {
        assert!(view.cure_by_repaying.is_zero() && view.cure_by_adding.is_zero());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Borrowable, withdrawable and both cures are exact, for all decimals, indices and prices.
    #[test]
    fn every_number_of_a_view_is_exact(
        dc in 6u8..=18, dq in 6u8..=18, days in 0u64..3_000,
        collateral in 1_000_000u128..100_000_000, part in 200_000u128..=1_000_000,
        per_mille in 300u128..1_500, cash in 0u32..3,
    ) {
        let mut world = market(dc, dq, days);
        let unit = 10u128.pow(u32::from(dc));
        let quote = 10u128.pow(u32::from(dq));
        let collateral = collateral * unit / 1_000_000;
        let debt = collateral * 150 / unit * quote / 1_000_000 * part;
        prop_assume!(debt >= 101 * quote);
        world.open_position(1, collateral, debt, 200 * PRICE_ONE);
        match cash {
            0 => {}
            1 => world.state.cash = Amount::new(debt / 7),
            _ => {
                let lent = world.state.debt_value().unwrap().get();
                world.params.debt_ceiling = Amount::new(lent + debt / 9);
            }
        }
        let price = PRICE_ONE / 5 * per_mille;
        let view = world.view(1, price);
        try_everything(&world, 1, price, &view);
    }

    /// F02 of the rules alone: a ratio is safe up to the highest safe ratio and not beyond it, and
    /// its liquidation price divides prices in the same place.
    #[test]
    fn the_highest_healthy_ratio_is_exact(
        index in Index::ONE.get()..Index::ONE.get() * 100,
        price in 1u128..1 << 100, threshold in 1u32..1_000_000,
    ) {
        let (index, price) = (Index::from_raw(index), Price::new(price));
        let threshold = Ratio::from_ppm(threshold);
        let safe = highest_healthy_ratio(index, price, threshold);
        let next = DebtRatio::new(safe.get() + 1);
        prop_assert!(!is_liquidatable(safe, index, price, threshold));
        prop_assert!(is_liquidatable(next, index, price, threshold));
        prop_assert!(liquidation_price(next, index, threshold).unwrap() > price);
        if !safe.is_zero() {
            prop_assert!(liquidation_price(safe, index, threshold).unwrap() <= price);
        }
    }
}

/// F03, F04, F08: the levels follow one another as the price falls, each reached, none skipped
/// back, and a margin call is no right to liquidate.
#[test]
fn f03_a_margin_call_comes_before_liquidation_and_insolvency_after_it() {
    let world = crashed();
    // 1 490 owed on 10: initial margin until 198.7, threshold until 186.25, insolvent from 149.
    let mut reached = Vec::new();
    for price in (140..=200).rev() {
        let status = world.view(9, price * PRICE_ONE).status;
        if reached.last() != Some(&status) {
            reached.push(status);
        }
        if status.is_safe() {
            assert!(world.clone().open_batch(price * PRICE_ONE).is_err());
        }
    }
    use Status::{Healthy, Insolvent, Liquidatable, MarginCall};
    assert_eq!(reached, [Healthy, MarginCall, Liquidatable, Insolvent]);
    let called = world.view(9, 190 * PRICE_ONE);
    assert!(called.borrowable.is_zero() && called.withdrawable.is_zero());
    let nobody = world.view(1_000, PRICE_ONE);
    assert_eq!(nobody.health, HEALTH_WITHOUT_DEBT);
    assert_eq!(nobody.status, Healthy);
}

/// I-46, I-47: one message repays everything, interest included, and gives everything back;
/// repaying a part and withdrawing keeps the initial margin, or nothing happens.
#[test]
fn i46_closing_repays_all_with_interest_and_returns_everything() {
    let mut world = crashed();
    world.params.interest = InterestCurve::STANDARD;
    let curve = world.params.interest;
    world.state.accrue(&curve, 90 * 86_400_000).unwrap();
    let before = world.view(4, 200 * PRICE_ONE);
    assert!(before.debt.get() > 1_440 * QUOTE, "interest has run");
    let done = world.transition(4, |l, p| l.close_position(p)).unwrap();
    assert_eq!(
        (done.paid, done.collateral),
        (before.debt, before.collateral)
    );
    world.held.0 += done.paid.get();
    world.held.1 -= done.collateral.get();
    world.check();
    assert!(world.positions[&4].is_empty());
    let again = world.transition(4, |l, p| l.close_position(p));
    assert_eq!(again, Err(LedgerError::NothingToClose));

    let now = prices(&world, 200 * PRICE_ONE);
    let (half, much) = (Amount::new(700 * QUOTE), before.collateral);
    let refused = world.transition(5, |l, p| l.repay_and_withdraw(p, half, much, Some(&now)));
    assert_eq!(refused, Err(LedgerError::ExceedsInitialLtv));
    world.check();
    let some = Amount::new(before.collateral.get() / 4);
    let paid = world
        .transition(5, |l, p| l.repay_and_withdraw(p, half, some, Some(&now)))
        .unwrap();
    assert_eq!(paid, half);
    world.held.0 += paid.get();
    world.held.1 -= some.get();
    world.check();
    // With a dead oracle everything can be repaid and taken out, a part cannot.
    let rest = world.view(5, 200 * PRICE_ONE);
    let part = world
        .clone()
        .transition(5, |l, p| l.repay_and_withdraw(p, half, some, None));
    assert_eq!(part, Err(LedgerError::StalePrice));
    let all = Amount::new(u128::MAX);
    let paid = world
        .transition(5, |l, p| {
            l.repay_and_withdraw(p, all, rest.collateral, None)
        })
        .unwrap();
    assert_eq!(paid, rest.debt);
    assert!(world.positions[&5].is_empty());
}

/// A ceiling at the end of its range is none: positions show what cash and margin leave, and the
/// unit after it is refused.
#[test]
fn f01_a_market_without_a_ceiling_shows_its_positions() {
    let mut world = crashed();
    let bounded = world.view(4, 200 * PRICE_ONE);
    world.params.debt_ceiling = Amount::new(u128::MAX);
    assert_eq!(world.view(4, 200 * PRICE_ONE), bounded);
    let now = prices(&world, 200 * PRICE_ONE);
    let over = bounded.borrowable.plus(Amount::new(1)).unwrap();
    let refused = world.transition(4, |l, p| l.borrow(p, over, &now));
    assert_eq!(refused, Err(LedgerError::ExceedsInitialLtv));
    let done = world.transition(4, |l, p| l.borrow(p, bounded.borrowable, &now));
    assert_eq!(done, Ok(()));
}

/// At next to no price no collateral that there can be cures a position, and its view says so.
#[test]
fn f01_a_position_is_shown_at_any_price() {
    let mut world = World::new();
    world.params.min_debt = Amount::new(1);
    world.params.supply_cap = Amount::new(u128::MAX);
    world.params.debt_ceiling = Amount::new(u128::MAX);
    world.supply(1 << 80);
    let most = Amount::new(1 << 78);
    let (low, high) = (Price::new(1), prices(&world, 1_000_000 * PRICE_ONE));
    world
        .transition(1, |l, p| l.deposit(p, Amount::new(1 << 100)))
        .unwrap();
    world.held.1 += 1 << 100;
    world
        .transition(1, |l, p| l.borrow(p, most, &high))
        .unwrap();
    world.held.0 -= most.get();
    let view = world.view(1, low.get());
    assert_eq!(view.status, Status::Insolvent);
    assert!(!view.cure_by_repaying.is_zero() && view.cure_by_repaying <= view.debt);
    assert!(view.cure_by_adding.get() > 1 << 120);
}
