//! Caps, ages and counts at their very edge: what is allowed there, and what one unit more is.

use super::super::*;
use super::world::{crashed, World, COLLATERAL, QUOTE};
use crate::market::{MarketPrices, MAX_TICKS_PER_BATCH};
use crate::units::{Amount, Price, PRICE_ONE};

const AT: u128 = 200 * PRICE_ONE;

fn one_borrower(debt: u128) -> World {
    let mut world = World::new();
    world.open_position(1, 100 * COLLATERAL, debt, AT);
    world
}

fn borrow(world: &mut World, amount: u128, prices: &MarketPrices) -> Result<(), LedgerError> {
    world.transition(1, |l, p| l.borrow(p, Amount::new(amount), prices))
}

fn withdraw(world: &mut World, amount: u128, prices: &MarketPrices) -> Result<(), LedgerError> {
    world.transition(1, |l, p| l.withdraw(p, Amount::new(amount), Some(prices)))
}

fn repay(world: &mut World, amount: u128) -> Result<Amount, LedgerError> {
    world.transition(1, |l, p| l.repay(p, Amount::new(amount)))
}

#[test]
fn i36_the_debt_ceiling_holds_to_the_unit_and_stops_no_exit() {
    let mut world = one_borrower(1_000 * QUOTE);
    let prices = world.prices(AT);
    world.params.debt_ceiling = Amount::new(1_500 * QUOTE);
    let over = borrow(&mut world, 500 * QUOTE + 1, &prices);
    assert_eq!(over, Err(LedgerError::DebtCeilingExceeded));
    assert_eq!(borrow(&mut world, 500 * QUOTE, &prices), Ok(()));
    world.params.debt_ceiling = Amount::ZERO;
    assert_eq!(withdraw(&mut world, COLLATERAL, &prices), Ok(()));
    assert_eq!(repay(&mut world, 100 * QUOTE), Ok(Amount::new(100 * QUOTE)));
    let closing = world.transition(1, |l, p| l.close_position(p)).unwrap();
    assert_eq!(closing.collateral.get(), 99 * COLLATERAL);
}

#[test]
fn i37_a_price_of_the_greatest_age_counts_and_an_older_one_does_not() {
    let mut world = one_borrower(1_000 * QUOTE);
    let aged = |world: &World, price, over| MarketPrices {
        age: world.params.max_price_age + over,
        ..world.prices(price)
    };
    let (edge, stale) = (aged(&world, AT, 0), aged(&world, AT, 1));
    assert_eq!(borrow(&mut world, QUOTE, &edge), Ok(()));
    assert_eq!(withdraw(&mut world, COLLATERAL, &edge), Ok(()));
    let refused = Err(LedgerError::StalePrice);
    assert_eq!(borrow(&mut world, QUOTE, &stale), refused);
    assert_eq!(withdraw(&mut world, COLLATERAL, &stale), refused);
    let deposit = world.transition(1, |l, p| l.deposit(p, Amount::new(1)));
    assert_eq!(deposit, Ok(()), "a way out asks for no price");
    assert_eq!(repay(&mut world, QUOTE), Ok(Amount::new(QUOTE)));

    let mut world = crashed();
    let request = OpenRequest {
        block: world.block,
        demand: Demand {
            most: Amount::new(u128::MAX),
            depth: None,
        },
    };
    let fallen = 170 * PRICE_ONE;
    let (edge, stale) = (aged(&world, fallen, 0), aged(&world, fallen, 1));
    let refused = world.transition(99, |l, _| l.open(&stale, request));
    assert_eq!(refused.err(), Some(LedgerError::StalePrice));
    assert!(world.transition(99, |l, _| l.open(&edge, request)).is_ok());
}

/// Nobody borrows against a peak: not one of the last round, of the average, nor on its way down.
#[test]
fn i30_collateral_counts_at_the_lowest_price_at_hand() {
    let peak = World::new().prices(2 * AT);
    let at = Price::new(AT);
    let tries = [
        MarketPrices {
            previous: at,
            ..peak
        },
        MarketPrices { twap: at, ..peak },
        MarketPrices {
            quarantined: Some(at),
            ..peak
        },
        MarketPrices { spot: at, ..peak },
    ];
    for prices in tries {
        // 100 collateral at 200, three quarters of it.
        let mut world = one_borrower(1_000 * QUOTE);
        assert_eq!(borrow(&mut world, 14_000 * QUOTE, &prices), Ok(()));
        let more = borrow(&mut world, 1, &prices);
        assert_eq!(more, Err(LedgerError::ExceedsInitialLtv), "{prices:?}");
        let out = withdraw(&mut world, 1_000, &prices);
        assert_eq!(out, Err(LedgerError::ExceedsInitialLtv), "{prices:?}");
    }
}

#[test]
fn i34_a_repayment_leaves_nothing_or_the_minimum_debt() {
    let mut world = one_borrower(100 * QUOTE);
    world.params.min_debt = Amount::new(40 * QUOTE);
    let refused = Err(LedgerError::BelowMinimumDebt);
    assert_eq!(repay(&mut world, 60 * QUOTE + 1), refused);
    assert_eq!(repay(&mut world, 60 * QUOTE), Ok(Amount::new(60 * QUOTE)));
    // What a batch or a new minimum left under it may be repaid in any part, and not added to.
    world.params.min_debt = Amount::new(50 * QUOTE);
    assert_eq!(repay(&mut world, QUOTE), Ok(Amount::new(QUOTE)));
    let prices = world.prices(AT);
    let refused = Err(LedgerError::BelowMinimumDebt);
    assert_eq!(borrow(&mut world, 5 * QUOTE, &prices), refused);
    assert_eq!(withdraw(&mut world, 1, &prices), refused);
    let rest = Ok(Amount::new(39 * QUOTE));
    assert_eq!(repay(&mut world, u128::MAX), rest);
}

#[test]
fn i50_a_batch_takes_no_more_than_its_ticks() {
    let mut world = World::new();
    let mut debt = 800 * QUOTE;
    // Each in a tick of its own: ticks are a tenth of a percent wide.
    for who in 0..u32::from(MAX_TICKS_PER_BATCH) + 8 {
        world.open_position(who, 10 * COLLATERAL, debt, AT);
        debt += debt * 11 / 10_000;
    }
    let opening = world.open_batch(50 * PRICE_ONE).unwrap();
    assert_eq!(opening.cohorts, MAX_TICKS_PER_BATCH);
    world.check();
}

#[test]
fn i22_a_batch_number_is_given_once() {
    let mut world = crashed();
    for number in 0..6 {
        // Nobody bids; a fall to full-close health takes the same positions again at once.
        let opening = world.open_batch(150 * PRICE_ONE).unwrap();
        assert_eq!(opening.number, number);
        world
            .settle(number, Price::ZERO, Amount::ZERO)
            .expect("a batch settles once");
        let again = world.settle(number, Price::ZERO, Amount::ZERO);
        assert_eq!(again.err(), Some(LedgerError::BatchSettled));
        world.rest(number);
        world.block += 1;
    }
}
