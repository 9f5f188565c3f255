//! What one step away from a rule would cost somebody: who is auctioned again, what insurance
//! pays on its bounds, what a settlement takes and owes, and which cohorts it puts back.

use super::super::*;
use super::world::{World, COLLATERAL, QUOTE};
use crate::page::{Departure, FIRST_WAIT};
use crate::units::{Amount, Price, PRICE_ONE};

fn price(whole: u128) -> u128 {
    whole * PRICE_ONE
}

fn demand(world: &World, most: u128) -> OpenRequest {
    OpenRequest {
        block: world.block,
        demand: Demand {
            most: Amount::new(most),
            depth: None,
        },
    }
}

/// One position of 10 collateral for each of these debts.
fn borrowers(debts: &[u128]) -> World {
    let mut world = World::new();
    world.params.min_batch = Amount::new(100 * QUOTE);
    for (who, debt) in (1..).zip(debts) {
        world.open_position(who, 10 * COLLATERAL, debt * QUOTE, price(200));
    }
    world
}

/// Who owes 1 490 and who owes 1 480, of neighbouring ticks, each in a batch of its own that pays
/// its keeper a tip of its own.
fn two_batches() -> World {
    let mut world = borrowers(&[1_490, 1_480]);
    world.params.hole = Amount::new(10_000 * QUOTE);
    let prices = world.prices(price(170));
    let request = demand(&world, 1_564_500_000);
    let first = world.transition(u32::MAX, |l, _| l.open(&prices, request));
    assert_eq!(first.unwrap().members, 1);
    world.params.keeper_tip = Amount::new(7 * QUOTE);
    assert_eq!(world.open_batch(price(170)).unwrap().members, 1);
    world
}

/// A breaker that allows a re-auction alone puts up what an earlier auction left, and nobody whose
/// collateral was never offered.
#[test]
fn a_re_auction_takes_what_was_left_and_nothing_new() {
    let mut world = borrowers(&[1_450]);
    let failed = world.open_batch(price(170)).unwrap().number;
    world.settle(failed, Price::ZERO, Amount::ZERO).unwrap();
    world.rest(failed);
    // Another is riskier than what was left, and was never offered.
    world.open_position(2, 10 * COLLATERAL, 1_490 * QUOTE, price(200));
    world.block += FIRST_WAIT;
    world.round += 1;
    let mut open = world.clone();
    assert_eq!(open.open_batch(price(170)).unwrap().members, 2);
    let (prices, request) = (world.prices(price(170)), demand(&world, u128::MAX));
    let opening = world
        .transition(u32::MAX, |l, _| l.open_lot(&prices, request, true))
        .unwrap();
    world.check();
    assert_eq!((opening.cohorts, opening.members), (1, 1));
    assert_eq!(world.view(1, price(170)).batch, Some(opening.number));
    assert_eq!(world.view(2, price(170)).batch, None);
}

/// What one message repays before it opens a batch is repaid, though its tick stays where it is.
#[test]
fn an_opening_keeps_what_was_repaid_before_it_in_the_same_message() {
    let mut world = borrowers(&[1_490, 200]);
    let (prices, request) = (world.prices(price(170)), demand(&world, u128::MAX));
    let paid = Amount::new(50 * QUOTE);
    let opening = world
        .transition(2, |l, p| {
            assert_eq!(l.repay(p, paid), Ok(paid));
            l.open(&prices, request)
        })
        .unwrap();
    world.held.0 += paid.get();
    assert_eq!(opening.members, 1);
    world.check();
    assert_eq!(world.view(2, price(170)).debt.get(), 150 * QUOTE);
}

/// 10 collateral owe 1 400: at 166.25 their health is 0.95, where a cohort is closed whole. There
/// the wait after a failed auction ends; a speck above it goes on.
#[test]
fn a_wait_ends_at_the_health_of_a_full_close_and_not_above() {
    let mut world = borrowers(&[1_400]);
    let failed = world.open_batch(price(170)).unwrap().number;
    world.settle(failed, Price::ZERO, Amount::ZERO).unwrap();
    world.rest(failed);
    world.block += 1;
    world.round += 1;
    let full_close = price(16_625) / 100;
    let above = world.open_batch(full_close + PRICE_ONE / 1_000_000);
    assert_eq!(above.err(), Some(LedgerError::NothingToLiquidate));
    assert_eq!(world.open_batch(full_close).unwrap().members, 1);
    world.check();
}

/// What insurance did where nobody bid for 10 collateral, opened at 150: their floor is 135.
fn insured(debt: u128, insurance: u128) -> (World, Settlement) {
    let mut world = borrowers(&[debt]);
    world.insure(insurance);
    let opening = world.open_batch(price(150)).unwrap();
    assert_eq!(opening.prices.last(), Some(&Price::new(price(135))));
    world.block += 70;
    world.round += 1;
    let prices = world.prices(price(150));
    let done = world.settle_unsold(opening.number, &prices).unwrap();
    world.rest(opening.number);
    world.check();
    (world, done)
}

/// The lot is worth 1 350 at the floor and owes 1 490: buying it costs insurance the price and 140
/// written off. It spends its last unit on that, and nothing where a unit is missing.
#[test]
fn insurance_rescues_lenders_with_its_last_unit() {
    let (world, done) = insured(1_490, 1_490 * QUOTE);
    assert_eq!(done.insured.paid.get(), 1_350 * QUOTE);
    assert_eq!(done.waterfall.from_insurance.get(), 140 * QUOTE);
    assert!(done.waterfall.from_lenders.is_zero() && world.state.insurance.is_zero());
    let (world, done) = insured(1_490, 1_490 * QUOTE - 1);
    assert!(done.insured.paid.is_zero());
    assert_eq!(world.state.insurance.get(), 1_490 * QUOTE - 1);
}

/// Insurance takes a part of a lot only where the collateral is worth more than the debt. Where
/// both are worth the same nothing would be left over for the debt that stays.
#[test]
fn insurance_takes_a_part_only_of_what_is_worth_more_than_its_debt() {
    let (_, done) = insured(1_350, 1_000 * QUOTE);
    assert!(done.insured.paid.is_zero() && done.insured.taken.is_zero());
    assert_eq!(done.debt_left.get(), 1_350 * QUOTE);
    let (_, done) = insured(1_349, 1_000 * QUOTE);
    assert_eq!(done.insured.paid.get(), 1_000 * QUOTE);
}

/// Alone, insurance's collateral is offered where it asks for the least batch exactly: 10 at
/// 165 · 1.03 ask for 1 699.5. With a unit less it would be a speck.
#[test]
fn collateral_of_insurance_is_offered_alone_from_the_least_batch_on() {
    let (mut world, done) = insured(1_340, 10_000 * QUOTE);
    assert_eq!(done.insured.taken.get(), 10 * COLLATERAL);
    world.block += FIRST_WAIT;
    world.round += 1;
    world.params.min_batch = Amount::new(1_699_500_001);
    let speck = world.open_batch(price(165)).err();
    assert_eq!(speck, Some(LedgerError::NothingToLiquidate));
    world.params.min_batch = Amount::new(1_699_500_000);
    let opening = world.open_batch(price(165)).unwrap();
    assert_eq!(opening.offered.get(), 10 * COLLATERAL);
    world.check();
}

/// A cohort whose debt is repaid in full leaves collateral to its members and no debt anywhere.
#[test]
fn what_an_auction_closed_owes_nothing_any_more() {
    let mut world = borrowers(&[1_490, 1_490]);
    let batch = world.open_batch(price(170)).unwrap().number;
    let raised = Amount::new(3_129 * QUOTE);
    world.settle(batch, Price::new(price(170)), raised).unwrap();
    world.rest(batch);
    world.check();
    let cells = world.cells.departures.values();
    let left: Vec<_> = cells.flat_map(|cell| cell.iter()).collect();
    let [(_, Departure::Closed(closed))] = left.as_slice() else {
        panic!("{left:?}");
    };
    assert_eq!(closed.members, 2);
    assert!(closed.debt.is_zero() && !closed.collateral.is_zero());
}

/// A batch puts its own cohorts back and no neighbour that another auction still sells.
#[test]
fn a_batch_puts_no_cohort_of_another_auction_back() {
    let mut world = two_batches();
    assert_eq!(world.cells.departures.len(), 1, "both in one cell");
    let at = Price::new(price(170));
    world.settle(0, at, Amount::new(1_564_500_000)).unwrap();
    world.rest(0);
    world.check();
    assert!(world.view(1, price(170)).debt.is_zero());
    let other = world.view(2, price(170));
    assert_eq!(other.batch, Some(1));
    assert_eq!(other.debt.get(), 1_480 * QUOTE);
    world.settle(1, at, Amount::new(1_554 * QUOTE)).unwrap();
    world.rest(1);
    world.check();
    assert!(world.view(2, price(170)).debt.is_zero());
}

/// A keeper receives what its own batch promised when it opened, the tip and a thousandth of what
/// is raised, whatever other batches promise.
#[test]
fn a_keeper_is_paid_what_its_own_batch_promised() {
    let at = Price::new(price(170));
    for order in [[0, 1], [1, 0]] {
        let mut world = two_batches();
        for number in order {
            let (tip, raised) = [(5, 1_564_500_000), (7, 1_554_000_000)][number as usize];
            let done = world.settle(number, at, Amount::new(raised)).unwrap();
            world.rest(number);
            world.check();
            let paid = done.waterfall.reward.get() + done.waterfall.top_up.get();
            assert_eq!(paid, tip * QUOTE + raised / 1_000);
        }
    }
}

/// Bidders never pay for more than a batch asks, except what rounding leaves: a unit for each
/// cohort and one more, though a unit of collateral is so dear that none would be missing.
#[test]
fn bidders_pay_no_more_than_a_batch_asks_for() {
    let mut world = World::new();
    world.params.collateral_decimals = 6;
    world.open_position(1, 10_000_000, 1_490 * QUOTE, price(200));
    let batch = world.open_batch(price(170)).unwrap();
    let (at, asked) = (Price::new(price(170)), 1_564_500_000);
    for over in [3, 4, 100] {
        let refused = world.settle(batch.number, at, Amount::new(asked + over));
        assert_eq!(refused.err(), Some(LedgerError::RaisedTooMuch), "{over}");
    }
    let done = world.settle(batch.number, at, Amount::new(asked + 2));
    assert_eq!(done.unwrap().debt_left, Amount::ZERO);
    world.rest(batch.number);
    world.check();
}

/// Whoever settles learns whether cohorts are still to be put back, which others are paid for.
#[test]
fn a_settlement_says_whether_cohorts_are_still_to_be_put_back() {
    for (rest, rested) in [(0, false), (1, true), (9, true)] {
        let mut world = borrowers(&[1_490]);
        let opening = world.open_batch(price(170)).unwrap();
        world.round += 1;
        world.block += 70;
        let prices = world.prices(price(165));
        let block = world.block;
        let done = world
            .transition(u32::MAX, |l, _| {
                l.settle_unsold(opening.number, &prices, block, rest)
            })
            .unwrap();
        assert_eq!(done.rested, rested, "{rest}");
        world.check();
        let cells = world.cells.departures.values();
        let waits = cells
            .flat_map(|cell| cell.iter())
            .any(|(_, departure)| matches!(departure, Departure::Batched(_)));
        assert_eq!(waits, !rested, "{rest}");
    }
}
