//! Attacks on waits after an auction that found too little money, and on taking in kind.

use super::super::*;
use super::world::{World, COLLATERAL, QUOTE};
use crate::position::Status;
use crate::units::{Amount, Price, Ratio, PRICE_ONE};

/// A single position that an auction has just failed to sell, at 170.
fn unsold() -> World {
    let mut world = World::new();
    world.open_position(1, 10 * COLLATERAL, 1_400 * QUOTE, 200 * PRICE_ONE);
    let batch = world.open_batch(170 * PRICE_ONE).unwrap().number;
    world.settle(batch, Price::ZERO, Amount::ZERO).unwrap();
    world.rest(batch);
    world.block += 1;
    assert_eq!(
        open_on_the_next_round(&mut world).err(),
        Some(LedgerError::NothingToLiquidate)
    );
    world
}

fn open_on_the_next_round(world: &mut World) -> Result<Opening, LedgerError> {
    open_on_the_next_round_at(world, 170)
}

fn open_on_the_next_round_at(world: &mut World, whole: u128) -> Result<Opening, LedgerError> {
    let prices = crate::market::MarketPrices {
        round: 2,
        ..world.prices(whole * PRICE_ONE)
    };
    let request = OpenRequest {
        block: world.block,
        demand: Demand {
            most: Amount::new(u128::MAX),
            depth: None,
        },
    };
    world.transition(u32::MAX, |l, _| l.open(&prices, request))
}

/// Attack: bidders who let an auction fail bring its only member up to date, or repay a unit for
/// it, and offer its collateral again in the same block, before money could come back. The wait
/// goes with the position.
#[test]
fn nobody_ends_a_wait_by_touching_the_position() {
    type Touch = fn(&mut World);
    let touches: [Touch; 3] = [
        |world| assert!(world.transition(1, |l, p| l.sync(p, 1)).unwrap()),
        |world| {
            let paid = world
                .transition(1, |l, p| l.repay(p, Amount::new(1)))
                .unwrap();
            world.held.0 += paid.get();
        },
        |world| {
            world
                .transition(1, |l, p| l.deposit(p, Amount::new(1)))
                .unwrap();
            world.held.1 += 1;
        },
    ];
    for touch in touches {
        let mut world = unsold();
        touch(&mut world);
        world.check();
        assert_eq!(
            open_on_the_next_round(&mut world).err(),
            Some(LedgerError::NothingToLiquidate)
        );
        world.block += crate::page::FIRST_WAIT;
        assert!(open_on_the_next_round(&mut world).is_ok(), "the wait ends");
    }
}

/// Attack: a whale keeps a small position that no auction sold, and moves it into its own tick
/// when the price falls, for the wait to shelter both. The larger debt's wait counts.
#[test]
fn a_small_position_that_waits_shelters_no_large_one() {
    let mut world = World::new();
    world.open_position(1, COLLATERAL, 141 * QUOTE, 200 * PRICE_ONE);
    let batch = world.open_batch(170 * PRICE_ONE).unwrap().number;
    world.settle(batch, Price::ZERO, Amount::ZERO).unwrap();
    world.rest(batch);
    world.block += 1;
    world.open_position(2, 100 * COLLATERAL, 14_000 * QUOTE, 200 * PRICE_ONE);
    join(&mut world, 1, COLLATERAL / 140);
    let opening = open_on_the_next_round(&mut world).unwrap();
    assert_eq!(opening.cohorts, 1, "one tick");
    assert_eq!(world.view(2, 170 * PRICE_ONE).status, Status::InBatch);
}

/// Attack: bidders who let an auction fail move a speck that no auction has offered into the tick
/// of what was not sold, to have all of it offered again before money can come back.
#[test]
fn a_small_position_that_does_not_wait_ends_no_large_ones_wait() {
    let mut world = unsold();
    world.open_position(2, COLLATERAL, 141 * QUOTE, 200 * PRICE_ONE);
    join(&mut world, 2, COLLATERAL / 140);
    assert_eq!(
        open_on_the_next_round(&mut world).err(),
        Some(LedgerError::NothingToLiquidate)
    );
}

/// A position with a ratio of 141 adds so much that it joins the tick of 140.
fn join(world: &mut World, who: u32, amount: u128) {
    world
        .transition(who, |l, p| l.deposit(p, Amount::new(amount)))
        .unwrap();
    world.held.1 += amount;
    world.check();
}

/// Attack: in a wind-down the owner adds a unit of collateral ahead of every attempt to take in
/// kind, and the auction that failed is forgotten.
#[test]
fn an_owner_does_not_escape_being_taken_in_kind_by_adding_a_unit() {
    let mut world = unsold();
    world.state.begin_wind_down().unwrap();
    world.state.accrued_at += world.params.notice;
    world
        .transition(1, |l, p| l.deposit(p, Amount::new(1)))
        .unwrap();
    let (prices, block) = (world.prices(170 * PRICE_ONE), world.block);
    let taken = world.transition(1, |l, p| l.take_in_kind(p, &prices, block));
    assert_eq!(taken.unwrap().debt.get(), 1_400 * QUOTE);
}

/// Attack: in a wind-down an owner saves the position while it is in a batch; nobody buys, and
/// before the owner's next message its collateral is taken in kind, a tenth under its price. What
/// was held aside counts: a position that is healthy with it is left alone.
#[test]
fn what_was_held_aside_protects_from_being_taken_in_kind() {
    for (repaid, added) in [(1_000 * QUOTE, 0), (0, 10 * COLLATERAL), (1_450 * QUOTE, 0)] {
        let mut world = World::new();
        world.open_position(1, 10 * COLLATERAL, 1_450 * QUOTE, 200 * PRICE_ONE);
        let batch = world.open_batch(170 * PRICE_ONE).unwrap().number;
        world.state.begin_wind_down().unwrap();
        if repaid > 0 {
            world
                .transition(1, |l, p| l.repay(p, Amount::new(repaid)))
                .unwrap();
        } else {
            world
                .transition(1, |l, p| l.deposit(p, Amount::new(added)))
                .unwrap();
        }
        world.settle(batch, Price::ZERO, Amount::ZERO).unwrap();
        world.rest(batch);
        world.state.accrued_at += world.params.notice;
        world.block += 1;
        let (prices, block) = (world.prices(170 * PRICE_ONE), world.block);
        let taken = world.transition(1, |l, p| l.take_in_kind(p, &prices, block));
        assert_eq!(taken.err(), Some(LedgerError::NothingToLiquidate));
    }
}

/// What was repaid inside a batch counts from the first touch after it. Until then the cohort is
/// judged as a whole; anyone's `sync` in the wait that follows puts the position where its own
/// ratio belongs, and no batch takes it any more (promise 5).
#[test]
fn money_held_aside_saves_a_position_from_the_next_touch_on() {
    let mut world = World::new();
    world.open_position(1, 10 * COLLATERAL, 1_400 * QUOTE, 200 * PRICE_ONE);
    let batch = world.open_batch(170 * PRICE_ONE).unwrap().number;
    let paid = world
        .transition(1, |l, p| l.repay(p, Amount::new(500 * QUOTE)))
        .unwrap();
    world.held.0 += paid.get();
    world.settle(batch, Price::ZERO, Amount::ZERO).unwrap();
    world.rest(batch);
    world.check();
    assert!(world.view(1, 170 * PRICE_ONE).status.is_liquidatable());
    assert!(world.transition(1, |l, p| l.sync(p, 1)).unwrap());
    world.check();
    let view = world.view(1, 170 * PRICE_ONE);
    assert!(view.status.is_safe() && view.debt.get() == 900 * QUOTE);
    world.block += crate::page::FIRST_WAIT;
    assert_eq!(
        open_on_the_next_round(&mut world).err(),
        Some(LedgerError::NothingToLiquidate)
    );
}

/// The notice of a wind-down runs from its beginning, however old the market is: until its last
/// millisecond owners can repay, and nothing is taken in kind.
#[test]
fn an_owner_has_the_whole_notice_before_anything_is_taken_in_kind() {
    let mut world = unsold();
    let notice = world.params.notice;
    world.state.accrued_at = 10 * notice;
    world.state.begin_wind_down().unwrap();
    let (prices, block) = (world.prices(170 * PRICE_ONE), world.block);
    let mut take = |after: u64| {
        world.state.accrued_at = 10 * notice + after;
        world.transition(1, |l, p| l.take_in_kind(p, &prices, block))
    };
    for early in [0, notice - 1] {
        assert_eq!(take(early).err(), Some(LedgerError::NotInKindYet));
    }
    assert_eq!(take(notice).unwrap().debt.get(), 1_400 * QUOTE);
}

/// Attack: in a wind-down the price falls under the market's absolute floor, and an insolvent owner
/// has its collateral taken in kind at that floor: it would keep what the floor says is over, while
/// lenders received less than all there is, and no loss were booked. Nothing is taken until the
/// floor has room under the price again, as nothing is opened (promise 10).
#[test]
fn promise_10_nothing_is_taken_in_kind_at_an_absolute_floor_above_the_price() {
    let mut world = unsold();
    world.params.ladder.absolute_floor = Price::new(152 * PRICE_ONE);
    world.state.begin_wind_down().unwrap();
    world.state.accrued_at += world.params.notice;
    let block = world.block;
    let mut take = |whole: u128| {
        let prices = world.prices(whole * PRICE_ONE);
        world.transition(1, |l, p| l.take_in_kind(p, &prices, block))
    };
    // Worth 1 000 at 100, all of it, for 1 400 owed: at 152 the owner would keep 0.79 of ten.
    for under in [100, 159] {
        assert_eq!(take(under).err(), Some(LedgerError::FloorAboveSpot));
    }
    // 95 % of 160 is the floor itself.
    let taken = take(160).unwrap();
    assert_eq!(taken.price, Price::new(152 * PRICE_ONE));
    assert!(taken.shortfall.is_zero());
    assert_eq!(taken.returned.get() * 100 / COLLATERAL, 78);
    world.check();
}

/// Attack: in a wind-down the market falls further than the feed's band. Until a second round
/// confirms it, the last accepted price would let an owner keep collateral that lenders are owed,
/// so nothing is taken in kind while a price waits.
#[test]
fn promise_10_nothing_is_taken_in_kind_while_a_price_waits_in_quarantine() {
    let mut world = unsold();
    world.state.begin_wind_down().unwrap();
    world.state.accrued_at += world.params.notice;
    let block = world.block;
    let mut take = |quarantined| {
        let prices = crate::market::MarketPrices {
            quarantined,
            ..world.prices(170 * PRICE_ONE)
        };
        world.transition(1, |l, p| l.take_in_kind(p, &prices, block))
    };
    for price in [100, 300] {
        let refused = take(Some(Price::new(price * PRICE_ONE)));
        assert_eq!(refused.err(), Some(LedgerError::PriceQuarantined));
    }
    assert!(take(None).is_ok());
    world.check();
}

/// A debt that is more than its collateral is worth waits for nobody, whatever health the market
/// closes at: each block of the wait would be the lenders' loss.
#[test]
fn an_insolvent_debt_does_not_wait() {
    let mut world = unsold();
    // At 140 ten are worth the 1 400 that are owed, at a health of 0.8.
    world.params.full_close_health = Ratio::from_bps(5_000);
    let waits = open_on_the_next_round_at(&mut world, 140).err();
    assert_eq!(waits, Some(LedgerError::NothingToLiquidate));
    assert!(open_on_the_next_round_at(&mut world, 139).is_ok());
    world.check();
}
