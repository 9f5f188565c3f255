//! What the ledger refuses, each by its name.

use super::super::*;
use super::world::{crashed, World, COLLATERAL, QUOTE};
use crate::market::{MarketPrices, MAX_RUNNING_BATCHES};
use crate::tick;
use crate::units::{Amount, Price, PRICE_ONE};

fn request(world: &World) -> OpenRequest {
    OpenRequest {
        block: world.block,
        demand: Demand {
            most: Amount::new(u128::MAX),
            depth: None,
        },
    }
}

#[test]
fn nothing_is_nothing_to_do() {
    let mut world = crashed();
    let prices = world.prices(200 * PRICE_ONE);
    let none = Amount::ZERO;
    let zero = Err(LedgerError::ZeroAmount);
    assert_eq!(world.transition(1, |l, p| l.deposit(p, none)), zero);
    assert_eq!(world.transition(1, |l, p| l.withdraw(p, none, None)), zero);
    assert_eq!(world.transition(1, |l, p| l.borrow(p, none, &prices)), zero);
    let repaid = world.transition(1, |l, p| l.repay(p, none));
    assert_eq!(repaid.err(), Some(LedgerError::ZeroAmount));
    let one = Amount::new(1);
    let repaid = world.transition(77, |l, p| l.repay(p, one));
    assert_eq!(repaid.err(), Some(LedgerError::NothingOwed));
    let closed = world.transition(77, |l, p| l.close_position(p));
    assert_eq!(closed.err(), Some(LedgerError::NothingToClose));
    let reclaimed = world.transition(1, |l, p| l.reclaim(p));
    assert_eq!(reclaimed.err(), Some(LedgerError::NothingPrepaid));
}

#[test]
fn batches_are_refused_by_the_rule_they_break() {
    let mut world = crashed();
    world.params.min_batch = Amount::new(QUOTE);
    let fallen = 150 * PRICE_ONE;
    world.params.ladder.absolute_floor = Price::new(149 * PRICE_ONE);
    let refused = world.open_batch(fallen);
    assert_eq!(refused.err(), Some(LedgerError::FloorAboveSpot));
    world.params.ladder.absolute_floor = Price::new(1);

    // One batch after another, each of the part that its demand covers.
    world.params.hole = Amount::new(8_000 * QUOTE);
    let prices = world.prices(fallen);
    let mut open = || {
        let mut request = request(&world);
        request.demand.most = Amount::new(1_500 * QUOTE);
        world.transition(u32::MAX, |l, _| l.open(&prices, request))
    };
    for number in 0..MAX_RUNNING_BATCHES {
        assert_eq!(open().map(|opening| opening.number as usize), Ok(number));
    }
    assert_eq!(open().err(), Some(LedgerError::TooManyBatches));
}

#[test]
fn an_extension_and_a_leaving_are_refused_by_the_rule_they_break() {
    let mut world = crashed();
    let fallen = 182 * PRICE_ONE;
    let opening = world.open_batch(fallen).unwrap();
    let stale = MarketPrices {
        age: world.params.max_price_age + 1,
        ..world.prices(fallen)
    };
    let request = request(&world);
    let ladder = opening.prices.clone();
    let extended = world.transition(u32::MAX, |l, _| l.extend(0, &stale, &ladder, request));
    assert_eq!(extended.err(), Some(LedgerError::StalePrice));
    let oldest = MarketPrices {
        age: world.params.max_price_age,
        ..stale
    };
    let extended = world.transition(u32::MAX, |l, _| l.extend(0, &oldest, &ladder, request));
    assert_eq!(extended.err(), Some(LedgerError::NothingToLiquidate));
    let mut leave = |who, number| world.transition(who, |l, p| l.leave(p, number, &ladder));
    assert_eq!(leave(0, 0).err(), Some(LedgerError::NotInBatch), "healthy");
    assert_eq!(leave(9, 1).err(), Some(LedgerError::UnknownBatch));
    let other: Vec<_> = ladder.iter().skip(1).copied().collect();
    let left = world.transition(9, |l, p| l.leave(p, 0, &other));
    assert_eq!(left.err(), Some(LedgerError::PriceOutsideLadder));
    let settled = world.settle(7, opening.prices[0], Amount::new(1));
    assert_eq!(settled.err(), Some(LedgerError::UnknownBatch));
}

#[test]
fn collateral_is_taken_in_kind_only_when_everything_else_was_tried() {
    let mut world = crashed();
    let fallen = 150 * PRICE_ONE;
    let prices = world.prices(fallen);
    let block = world.block;
    let take = |world: &mut World, who, prices: &MarketPrices| {
        world.transition(who, |l, p| l.take_in_kind(p, prices, block))
    };
    let refused = |error| Err(error);
    let early = refused(LedgerError::NotInKindYet);
    assert_eq!(take(&mut world, 3, &prices), early, "not wound down");
    world.state.begin_wind_down().unwrap();
    assert_eq!(take(&mut world, 3, &prices), early, "the notice runs");
    let lent = world.transition(3, |l, p| l.borrow(p, Amount::new(QUOTE), &prices));
    assert_eq!(lent, Err(LedgerError::WindingDown));
    world.state.accrued_at += world.params.notice;
    let fresh = MarketPrices {
        accepted_in: block,
        ..prices
    };
    assert_eq!(
        take(&mut world, 3, &fresh),
        refused(LedgerError::RoundTooFresh)
    );
    let stale = MarketPrices {
        age: world.params.max_price_age + 1,
        ..prices
    };
    assert_eq!(
        take(&mut world, 3, &stale),
        refused(LedgerError::StalePrice)
    );
    assert_eq!(
        take(&mut world, 77, &prices),
        refused(LedgerError::NothingOwed)
    );
    let high = world.prices(200 * PRICE_ONE);
    assert_eq!(
        take(&mut world, 3, &high),
        refused(LedgerError::NothingToLiquidate)
    );
    assert_eq!(
        take(&mut world, 3, &prices),
        refused(LedgerError::NotAuctioned)
    );

    world.open_batch(fallen).unwrap();
    assert_eq!(
        take(&mut world, 3, &prices),
        refused(LedgerError::PositionInBatch)
    );
    world.settle(0, Price::ZERO, Amount::ZERO).unwrap();
    world.rest(0);
    // 1 430 of debt at the floor of 135: all of the collateral, and 80 are lost. The greatest age
    // itself will do.
    let oldest = MarketPrices {
        age: world.params.max_price_age,
        ..prices
    };
    let taken = take(&mut world, 3, &oldest).unwrap();
    assert_eq!(taken.price, Price::new(135 * PRICE_ONE));
    assert_eq!((taken.collateral.get() + 10) / COLLATERAL, 10);
    assert!(taken.returned.is_zero());
    assert_eq!(taken.shortfall.get() / QUOTE, 80);
    // At 170 the floor is 153: 1 440 take 9.41, and 0.58 stay the owner's.
    let prices = world.prices(170 * PRICE_ONE);
    let taken = take(&mut world, 4, &prices).unwrap();
    assert!(taken.shortfall.is_zero());
    assert_eq!(taken.returned.get() * 1_000 / COLLATERAL, 588);
    world.check();
}

#[test]
fn what_is_too_deep_for_one_look_is_continued_or_refused() {
    let mut world = World::new();
    // A page is 32 ticks, 3.2 %: seventeen and more of them, each with one position.
    let mut debt = 100 * QUOTE;
    for who in 0..80 {
        world.open_position(who, 10 * COLLATERAL, debt, 200 * PRICE_ONE);
        debt += debt / 30;
        if debt > 1_400 * QUOTE {
            debt = 100 * QUOTE;
        }
    }
    let mut ledger = Ledger::new(&world.params, &mut world.state, &mut world.cells).unwrap();
    let insolvent = ledger.insolvency(Price::new(PRICE_ONE));
    assert_eq!(insolvent, Err(LedgerError::ProvisionTooDeep));
    assert_eq!(
        ledger.insolvency(Price::new(PRICE_ONE * 1_000)),
        Ok(Amount::ZERO)
    );
    let at_risk = ledger.at_risk(Price::new(PRICE_ONE)).unwrap();
    // Page by page the whole is seen once.
    let (mut from_above, mut members, mut looks) = (tick::Tick::MAX, 0, 0);
    loop {
        let seen = ledger.histogram(0, from_above).unwrap();
        members += seen.ticks.iter().map(|totals| totals.members).sum::<u32>();
        looks += 1;
        match seen.next {
            Some(next) => {
                assert!(next < from_above);
                from_above = next;
            }
            None => break,
        }
    }
    assert_eq!(members, 80);
    assert!(looks > 1 || at_risk.complete);
    let highest = ledger.histogram(tick::Tick::MAX, tick::Tick::MAX).unwrap();
    assert!(highest.ticks.is_empty() && highest.next.is_none());
}

#[test]
fn a_cell_that_is_missing_is_a_fault_of_the_software() {
    let mut world = crashed();
    world.cells.pages.clear();
    let at = world.prices(150 * PRICE_ONE);
    let fault = Err(LedgerError::CorruptedStorage);
    let one = Amount::new(1);
    assert_eq!(world.transition(1, |l, p| l.deposit(p, one)), fault);
    let risk = world.transition(1, |l, _| l.at_risk(at.spot).map(|_| ()));
    assert_eq!(risk, fault);
    let synced = world.transition(1, |l, p| l.sync(p, 4).map(|_| ()));
    assert_eq!(synced, fault);
}
