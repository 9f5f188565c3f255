//! Attacks on what is between a settlement and its rest, and with specks of collateral.

use super::super::*;
use super::world::{crashed, World, COLLATERAL, QUOTE};
use crate::units::{Amount, Price, PRICE_ONE};

/// What a lender's exit sets aside at a price.
fn provision(world: &World, price: u128) -> u128 {
    let mut world = world.clone();
    let mut ledger = Ledger::new(&world.params, &mut world.state, &mut world.cells).unwrap();
    ledger.provision(Some(Price::new(price))).unwrap().get()
}

/// Attack: the price falls through the floor while a batch runs, and lenders who see it redeem
/// before it ends. What the batch lacks at the price of now is set aside (promise 10), then and
/// until its cohorts are back.
#[test]
fn promise_10_nobody_leaves_while_the_price_is_under_the_floor_of_a_batch() {
    let low = 100 * PRICE_ONE;
    let mut world = crashed();
    let lack = provision(&world, low);
    assert_eq!(lack, 4_450 * QUOTE);
    let number = world.open_batch(170 * PRICE_ONE).unwrap().number;
    assert_eq!(world.state.running[0].provision.get(), 0);
    assert_eq!(provision(&world, low), lack);
    assert_eq!(provision(&world, 170 * PRICE_ONE), 0);
    world.settle(number, Price::ZERO, Amount::ZERO).unwrap();
    world.check();
    assert_eq!(provision(&world, low), lack, "not rested");
    world.rest(number);
    assert_eq!(provision(&world, low), lack);
}

/// Attack: a lender settles a batch of many cells that nobody bid for and redeems in the same
/// block. Its insolvent cohorts are in no running batch any more and in no tick yet; what they lack
/// is set aside all the same (promise 10), until each is back in its tick.
#[test]
fn promise_10_nobody_leaves_between_a_settlement_and_its_rest() {
    let low = 40 * PRICE_ONE;
    let mut world = World::new();
    for who in 0..10 {
        let debt = (500 + 100 * u128::from(who)) * QUOTE;
        world.open_position(who, 10 * COLLATERAL, debt, 200 * PRICE_ONE);
    }
    let lack = provision(&world, low);
    assert_eq!(lack, (9_500 - 4_000) * QUOTE);
    let number = world.open_batch(low).unwrap().number;
    let cells = world.cells.batches[&number].cells.len();
    assert!(cells > 2, "{cells} cells");
    let running = provision(&world, low);
    assert!(running > lack, "at the floor it is more");
    world.settle(number, Price::ZERO, Amount::ZERO).unwrap();
    world.check();
    assert_eq!(provision(&world, low), running);
    // A member touched first, then the rest, cell by cell: from one place to the other.
    world.transition(4, |l, p| l.sync(p, 1)).unwrap();
    world.check();
    loop {
        let aside = provision(&world, low);
        assert!((lack..=running).contains(&aside), "{aside}");
        if world
            .transition(u32::MAX, |l, _| l.rest(number, 1))
            .unwrap()
        {
            break;
        }
        world.check();
    }
    assert_eq!(provision(&world, low), lack);
    assert_eq!(world.state.unrested, Default::default());
}

/// Ten positions in one tick of which a batch left less than a unit of collateral each: the bidder
/// offered seven quote units less than all.
fn specks() -> World {
    let mut world = World::new();
    world.params.collateral_decimals = 8;
    for who in 0..10 {
        world.open_position(who, 1_000_000_000, 1_400 * QUOTE, 200 * PRICE_ONE);
    }
    let opening = world.open_batch(145 * PRICE_ONE).unwrap();
    let short = Amount::new(opening.targets[20].get() - 7);
    world
        .settle(opening.number, opening.prices[20], short)
        .unwrap();
    world.rest(opening.number);
    world.check();
    let left = world.state.pooled_collateral.get();
    assert!((1..10).contains(&left), "{left} units for ten");
    world
}

/// Attack: members whose part of a speck is no unit are brought up to date one after the other.
/// They owe without collateral, in the last tick, and do not shut each other out.
#[test]
fn promise_6_members_without_a_unit_of_collateral_are_brought_up_to_date_and_get_out() {
    let mut world = specks();
    for who in 0..10 {
        assert_eq!(world.transition(who, |l, p| l.sync(p, 8)), Ok(true));
        world.check();
    }
    for who in 0..10 {
        let out = world.transition(who, |l, p| l.close_position(p));
        if let Ok(out) = out {
            world.held.0 += out.paid.get();
            world.held.1 -= out.collateral.get();
        } else {
            assert_eq!(out, Err(LedgerError::NothingToClose));
        }
        world.check();
    }
    assert!(world.state.debt.is_zero());
}

/// Attack: one position without a unit of collateral is in a batch, another takes its place in the
/// last tick. A batch that sells nothing settles all the same: nobody in it is locked in.
#[test]
fn promise_8_a_position_without_collateral_freezes_no_batch() {
    let mut world = specks();
    world.open_position(20, 1_000_000_000, 1_650 * QUOTE, 220 * PRICE_ONE);
    assert_eq!(world.transition(0, |l, p| l.sync(p, 8)), Ok(true));
    let opening = world.open_batch(200 * PRICE_ONE).unwrap();
    assert_eq!(opening.members, 2);
    assert_eq!(world.transition(1, |l, p| l.sync(p, 8)), Ok(true));
    // The riskiest cell is put back at once.
    world.block += 1;
    let settled = world.settle(opening.number, Price::ZERO, Amount::ZERO);
    assert!(settled.is_ok(), "{settled:?}");
    world.rest(opening.number);
    world.check();
    let out = world.transition(20, |l, p| l.close_position(p)).unwrap();
    assert_eq!(out.paid.get(), 1_650 * QUOTE);
}
