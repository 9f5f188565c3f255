//! What stands exactly on a limit, and looks that change nothing.

use super::super::memory::Unwritten;
use super::super::*;
use super::world::{crashed, World, COLLATERAL, QUOTE};
use crate::batch::{raise_at, Sale};
use crate::breaker::Stage;
use crate::losses::day_of;
use crate::math::Rounding;
use crate::page::Departure;
use crate::position::{Position, Status};
use crate::tick;
use crate::units::{Amount, Price, Ratio, ScaledDebt, PRICE_ONE};
use crate::wind_down::Collected;

/// A look at cells in memory sees what the books hold and leaves every cell as it was, whatever
/// is done on the way.
#[test]
fn a_look_at_the_books_sees_what_they_hold_and_writes_nothing() {
    let mut world = crashed();
    // The riskier are in a batch, the others in their ticks.
    let price = 182 * PRICE_ONE;
    world.open_batch(price).unwrap();
    assert!(!world.cells.pages.is_empty() && !world.cells.departures.is_empty());
    let cells = world.cells.clone();
    for who in 0..10 {
        let mut position = world.positions[&who];
        let mut state = world.state.clone();
        let mut look = Unwritten(&world.cells);
        let mut ledger = Ledger::new(&world.params, &mut state, &mut look).unwrap();
        let seen = ledger.view(&position, Price::new(price)).unwrap();
        assert_eq!(seen, world.view(who, price));
        // A look takes the position out of the books it holds: what follows needs others.
        let (mut state, mut look) = (world.state.clone(), Unwritten(&world.cells));
        let mut ledger = Ledger::new(&world.params, &mut state, &mut look).unwrap();
        ledger.deposit(&mut position, Amount::new(1)).unwrap();
        ledger.commit();
        assert_eq!(world.cells, cells);
    }
    let batch = Unwritten(&world.cells).batch(0).unwrap();
    Unwritten(&world.cells).set_batch(1, &batch);
    assert_eq!(Unwritten(&world.cells).batch(1), None);
}

/// While another batch runs, one opens that asks for an eighth of the hole and none that asks for
/// a unit less: splitting a fall into specks cannot fill the four places of a market.
#[test]
fn i50_beside_a_running_batch_an_eighth_of_the_hole_is_the_least() {
    let world = |hole: u128| {
        let mut world = crashed();
        let fallen = 170 * PRICE_ONE;
        world.params.hole = Amount::new(hole);
        world.params.min_batch = Amount::new(1);
        let prices = world.prices(fallen);
        let mut open = |most| {
            let demand = Demand {
                most: Amount::new(most),
                depth: None,
            };
            let block = world.block;
            world.transition(u32::MAX, |l, _| {
                l.open(&prices, OpenRequest { block, demand })
            })
        };
        open(100 * QUOTE).unwrap();
        [200 * QUOTE - 1, 200 * QUOTE].map(|most| open(most).map(|opening| opening.number))
    };
    let eighth = 8 * 200 * QUOTE;
    let small = Err(LedgerError::BatchTooSmall);
    assert_eq!(world(eighth), [small, Ok(1)]);
    assert_eq!(world(eighth + 1), [small, small], "rounded up");
}

/// Two thirds of what is left of balances once other markets' batches are paid for, of tiers, and of
/// both together once this market's are; rounded down.
#[test]
fn a_batch_counts_on_what_no_other_was_sized_by() {
    let most = |plain, elsewhere, standing, here| {
        let [plain, elsewhere, standing, here] =
            [plain, elsewhere, standing, here].map(Amount::new);
        let demand = Demand::of(plain, elsewhere, standing, here, Amount::new(7)).unwrap();
        assert_eq!(demand.depth, Some(Amount::new(7)));
        demand.most.get()
    };
    assert_eq!(most(100, 0, 0, 0), 66);
    assert_eq!(most(100, 40, 50, 20), 60);
    // What balances lack for other markets is not taken from this one's tiers.
    assert_eq!(most(100, 400, 60, 0), 40);
    // What balances lack for its own batches is.
    assert_eq!(most(0, 0, 60, 45), 10);
    assert_eq!(most(10, 0, 60, 450), 0);
}

/// Attack: an owner opens a speck of its own, for its large position to find the market's next
/// batch too small for as long as the speck runs. Beside a speck eight times as much is enough.
#[test]
fn a_speck_keeps_no_batch_waiting() {
    let mut world = crashed();
    world.params.hole = Amount::new(100_000 * QUOTE);
    world.params.min_batch = Amount::new(1);
    let prices = world.prices(170 * PRICE_ONE);
    let block = world.block;
    let mut open = |most: u128| {
        let demand = Demand {
            most: Amount::new(most),
            depth: None,
        };
        let request = OpenRequest { block, demand };
        world.transition(u32::MAX, |l, _| l.open(&prices, request))
    };
    open(10 * QUOTE).unwrap();
    let small = open(80 * QUOTE - 1).err();
    assert_eq!(small, Some(LedgerError::BatchTooSmall));
    assert!(open(80 * QUOTE).is_ok());
    let small = open(720 * QUOTE - 1).err();
    assert_eq!(small, Some(LedgerError::BatchTooSmall), "of both together");
}

/// A histogram tells at most so many ticks at once, and where to go on; nothing is told twice.
#[test]
fn a_histogram_of_many_ticks_is_told_in_parts() {
    let mut world = World::new();
    let mut debt = 300 * QUOTE;
    for who in 0..150 {
        world.open_position(who, 10 * COLLATERAL, debt, 200 * PRICE_ONE);
        debt += debt / 500;
    }
    let mut ledger = Ledger::new(&world.params, &mut world.state, &mut world.cells).unwrap();
    let (mut from_above, mut parts, mut seen) = (tick::Tick::MAX, Vec::new(), Vec::new());
    loop {
        let found = ledger.histogram(0, from_above).unwrap();
        parts.push(found.ticks.len());
        seen.extend(found.ticks.iter().map(|totals| totals.tick));
        let Some(next) = found.next else { break };
        from_above = next;
    }
    assert_eq!(parts[0], 128);
    assert!(seen.windows(2).all(|pair| pair[1] < pair[0]));
    assert!(seen.len() > 130, "{}", seen.len());
}

/// One leaves the batch one is in and no other, even where both run.
#[test]
fn who_is_in_one_batch_does_not_leave_another() {
    let mut world = crashed();
    world.params.min_batch = Amount::new(QUOTE);
    world.params.hole = Amount::new(8_000 * QUOTE);
    let prices = world.prices(150 * PRICE_ONE);
    let mut ladders = Vec::new();
    for _ in 0..2 {
        let demand = Demand {
            most: Amount::new(1_500 * QUOTE),
            depth: None,
        };
        let block = world.block;
        let opened = world.transition(u32::MAX, |l, _| {
            l.open(&prices, OpenRequest { block, demand })
        });
        ladders.push(opened.unwrap().prices);
    }
    let view = world.view(9, 150 * PRICE_ONE);
    assert_eq!(view.batch, Some(0), "the riskiest is in the first");
    let left = world.transition(9, |l, p| l.leave(p, 1, &ladders[1]));
    assert_eq!(left.err(), Some(LedgerError::NotInBatch));
}

/// The market says whether insurance may buy what nobody bids for: as long as there is money and
/// a part of the day's budget, to the unit.
#[test]
fn insurance_may_buy_while_money_and_budget_last() {
    let mut world = crashed();
    world.params.insurance_budget = Ratio::from_bps(1_000);
    let budget = world.params.insurance_budget_a_day().unwrap();
    assert!(
        !world.state.may_insure(&world.params, Stage::Open),
        "without money"
    );
    world.insure(1);
    assert!(world.state.may_insure(&world.params, Stage::Open));
    let now = world.state.accrued_at;
    world.state.inventory.day = day_of(now);
    world.state.inventory.spent = budget.minus(Amount::new(1)).unwrap();
    assert!(
        world.state.may_insure(&world.params, Stage::Open),
        "a unit of it left"
    );
    world.state.inventory.spent = budget;
    assert!(
        !world.state.may_insure(&world.params, Stage::Open),
        "the day's budget is spent"
    );
    world.state.accrued_at = now + 86_400_000;
    assert!(
        world.state.may_insure(&world.params, Stage::Open),
        "another day"
    );
}

/// Newcomers to a tick join the cohort that lives there: nobody who was there before has to move,
/// so that a crowded tick leaves no trail behind.
#[test]
fn promise_1_newcomers_to_a_tick_join_and_nobody_inside_moves() {
    let mut world = World::new();
    let at = 200 * PRICE_ONE;
    for who in 0..20 {
        world.open_position(who, 10 * COLLATERAL, 1_400 * QUOTE, at);
        world.check();
    }
    assert!(world.cells.departures.is_empty());
    let first = world.positions[&0].pooled.unwrap().cohort;
    let mut others = world.positions.values().filter_map(|of| of.pooled);
    assert!(others.all(|pooled| pooled.cohort == first));
}

/// What a batch leaves behind for its members is freed with the last of them: nothing of a batch
/// that everybody has left stays in storage but its record.
#[test]
fn i08_a_trail_ends_with_its_last_member() {
    let mut world = crashed();
    let opening = world.open_batch(170 * PRICE_ONE).unwrap();
    let part = Amount::new(opening.targets[30].get() / 2);
    world.settle(0, opening.prices[30], part).unwrap();
    world.rest(0);
    assert!(!world.cells.departures.is_empty());
    for who in 0..10 {
        world.transition(who, |l, p| l.sync(p, MAX_MOVES)).unwrap();
        world.check();
    }
    assert!(world.cells.departures.is_empty());
}

/// A view offers to lend nothing that would be refused: not less than the minimum debt, and not
/// so little beside its collateral that no tick holds it.
#[test]
fn i34_a_view_offers_no_loan_that_is_refused() {
    let (mut world, at) = (World::new(), 200 * PRICE_ONE);
    let small = COLLATERAL / 200;
    world
        .transition(1, |l, p| l.deposit(p, Amount::new(small)))
        .unwrap();
    assert_eq!(world.view(1, at).borrowable, Amount::ZERO);
    let prices = world.prices(at);
    let half = Amount::new(QUOTE / 2);
    let refused = world.transition(1, |l, p| l.borrow(p, half, &prices));
    assert_eq!(refused, Err(LedgerError::BelowMinimumDebt));
    let enough = Amount::new(3 * small);
    world.transition(1, |l, p| l.deposit(p, enough)).unwrap();
    let offered = world.view(1, at).borrowable;
    assert!(offered >= world.params.min_debt);
    let lent = world.transition(1, |l, p| l.borrow(p, offered, &prices));
    assert_eq!(lent, Ok(()));
}

/// Who leaves a batch frees the room it took up under the hole, and what was set aside for what
/// it might have lacked: both as if the batch had been opened without it.
#[test]
fn promise_10_who_leaves_frees_the_hole_and_the_provision() {
    let mut world = crashed();
    // At 130 everybody lacks something at the floor.
    let opening = world.open_batch(130 * PRICE_ONE).unwrap();
    let lacks = |world: &World| -> (u128, u128) {
        let scale = world.params.scale().unwrap();
        let departed = world.cells.departures.values().flat_map(|cell| cell.iter());
        departed.fold((0, 0), |(asked, lack), (_, departure)| {
            let Departure::Batched(of) = departure else {
                return (asked, lack);
            };
            let (start, floor) = (opening.prices[0], *opening.prices.last().unwrap());
            let worth = scale.value(of.cohort.collateral, floor, Rounding::Down);
            let raise = raise_at(of, start, scale).unwrap();
            let without = of.debt.minus_or_zero(worth.unwrap());
            (asked + raise.get(), lack + without.get())
        })
    };
    let running = |world: &World| {
        let running = world.state.running[0];
        (running.asked.get(), running.provision.get())
    };
    let before = running(&world);
    assert_eq!(before, lacks(&world));
    assert!(before.1 > 0);
    for who in [9, 4] {
        let paid = Amount::new(1_200 * QUOTE);
        world.transition(who, |l, p| l.repay(p, paid)).unwrap();
        let left = world.transition(who, |l, p| l.leave(p, 0, &opening.prices));
        assert!(left.is_ok(), "{left:?}");
        assert_eq!(running(&world), lacks(&world));
    }
    let after = running(&world);
    assert!(after.0 < before.0 && after.1 < before.1);
}

/// Putting a batch's cells back in its settlement or in later calls comes to the same: in every tick
/// the same totals, bound and wait.
#[test]
fn promise_8_cells_put_back_at_once_or_later_are_the_same() {
    let mut world = crashed();
    let opening = world.open_batch(170 * PRICE_ONE).unwrap();
    let (price, all) = (opening.prices[20], opening.targets[20].get());
    for raised in [0, 1, all / 3, all / 2, all] {
        let settled = |rest: u16| {
            let mut world = world.clone();
            let sale = Sale {
                price,
                raised: Amount::new(raised),
                excused: false,
            };
            let before = world.cells.pages.clone();
            let done = world.transition(99, |l, _| l.settle_batch(0, sale, 20, rest));
            done.unwrap();
            assert!(
                rest > 0 || world.cells.pages == before,
                "nothing is put back"
            );
            world.rest(0);
            world
        };
        // Cohorts that meet in a tick have other shares of it where they came in another order.
        let ticks = |world: &World| -> Vec<_> {
            let pages = world.cells.pages.iter();
            let cohorts = pages.flat_map(|(page, of)| of.cohorts.iter().map(move |it| (*page, it)));
            cohorts
                .map(|(page, (slot, of))| {
                    let totals = (of.members, of.collateral, of.debt);
                    (page, slot, totals, of.lower_bound, of.cooling)
                })
                .collect()
        };
        let (at_once, later) = (settled(u16::MAX), settled(0));
        assert_eq!(ticks(&at_once), ticks(&later), "{raised} raised");
        let totals = |world: &World| MarketState {
            epoch: 0,
            ..world.state.clone()
        };
        assert_eq!(totals(&at_once), totals(&later), "{raised} raised");
    }
}

/// I-46: what was paid in advance and not needed comes back with the closing, also where it is
/// all that is left.
#[test]
fn i46_a_closing_returns_what_was_paid_in_advance_alone() {
    let mut world = World::new();
    let aside = Amount::new(5);
    let position = Position {
        prepaid: aside,
        ..Position::default()
    };
    world.state.prepaid = aside;
    world.positions.insert(1, position);
    let closing = world.transition(1, |l, p| l.close_position(p)).unwrap();
    assert_eq!(closing.reclaimed, aside);
    assert!(world.state.prepaid.is_zero() && world.positions[&1].is_empty());
}

/// Insurance's own collateral is offered in one batch at a time, however much of it there is.
#[test]
fn insurance_offers_its_collateral_in_one_batch_at_a_time() {
    let mut world = crashed();
    world.params.min_batch = Amount::new(QUOTE);
    world.params.hole = Amount::new(8_000 * QUOTE);
    world.state.inventory.held = Amount::new(100 * COLLATERAL);
    let opening = world.open_batch(200 * PRICE_ONE).unwrap();
    assert!(!opening.offered.is_zero() && opening.cohorts == 0);
    assert!(!world.state.inventory.held.is_zero());
    let second = world.open_batch(200 * PRICE_ONE);
    assert_eq!(second.err(), Some(LedgerError::NothingToLiquidate));
}

/// A cure whose rest would be under the minimum debt is to repay all of it: less is refused.
#[test]
fn i34_a_cure_leaves_no_debt_under_the_minimum() {
    let mut world = World::new();
    let debt = QUOTE + QUOTE / 5;
    world.open_position(1, COLLATERAL / 100, debt, 200 * PRICE_ONE);
    let view = world.view(1, 100 * PRICE_ONE);
    // Four tenths would be enough for the margin.
    assert_eq!(view.cure_by_repaying, view.debt);
    let half = Amount::new(QUOTE / 2);
    let refused = world.transition(1, |l, p| l.repay(p, half));
    assert_eq!(refused, Err(LedgerError::BelowMinimumDebt));
    let paid = world.transition(1, |l, p| l.repay(p, view.cure_by_repaying));
    assert_eq!(paid, Ok(view.debt));
    // Twice as much debt and collateral: the rest is over the minimum, and a part is enough.
    world.open_position(2, COLLATERAL / 50, 2 * debt, 200 * PRICE_ONE);
    let view = world.view(2, 100 * PRICE_ONE);
    assert!(view.cure_by_repaying < view.debt);
    let paid = world.transition(2, |l, p| l.repay(p, view.cure_by_repaying));
    assert!(paid.is_ok() && world.view(2, 100 * PRICE_ONE).status.is_safe());
}

/// A repayment that leaves exactly the minimum debt is a cure; where it would leave a unit less,
/// all is asked for. Nobody is told to repay more than the rules ask.
#[test]
fn i34_a_cure_may_leave_exactly_the_minimum_debt() {
    let (mut world, low) = (World::new(), 100 * PRICE_ONE);
    world.open_position(1, COLLATERAL, 120 * QUOTE, 200 * PRICE_ONE);
    let view = world.view(1, low);
    let rest = view.debt.minus(view.cure_by_repaying).unwrap();
    assert!(rest > world.params.min_debt && !view.cure_by_repaying.is_zero());
    world.params.min_debt = rest.plus(Amount::new(1)).unwrap();
    assert_eq!(world.view(1, low).cure_by_repaying, view.debt);
    world.params.min_debt = rest;
    assert_eq!(world.view(1, low), view);
    let paid = world.transition(1, |l, p| l.repay(p, view.cure_by_repaying));
    assert_eq!(paid, Ok(view.cure_by_repaying));
    assert!(world.view(1, low).status.is_safe());
}

/// Where the market can lend exactly the minimum debt, a position is offered it and gets it; a
/// unit less is no loan.
#[test]
fn i34_a_loan_of_exactly_the_minimum_debt_is_offered() {
    let (mut world, at) = (World::new(), 200 * PRICE_ONE);
    world
        .transition(1, |l, p| l.deposit(p, Amount::new(COLLATERAL / 10)))
        .unwrap();
    let least = world.params.min_debt;
    world.params.debt_ceiling = least.minus(Amount::new(1)).unwrap();
    assert_eq!(world.view(1, at).borrowable, Amount::ZERO);
    world.params.debt_ceiling = least;
    assert_eq!(world.view(1, at).borrowable, least);
    let prices = world.prices(at);
    let lent = world.transition(1, |l, p| l.borrow(p, least, &prices));
    assert_eq!(lent, Ok(()));
}

/// A ceiling that was lowered under what batches owe ends new loans, and nothing else: every
/// owner still sees where the position stands and how to save it.
#[test]
fn i34_a_ceiling_under_what_batches_owe_hides_no_position() {
    let (mut world, price) = (crashed(), 182 * PRICE_ONE);
    world.open_batch(price).unwrap();
    let owed = world.state.batched_debt;
    let before: Vec<_> = (0..10).map(|who| world.view(who, price)).collect();
    assert!(before.iter().any(|view| view.batch.is_none()));
    world.params.debt_ceiling = owed.minus(Amount::new(1)).unwrap();
    for (who, view) in (0..10).zip(before) {
        let lent_nothing = crate::position::PositionView {
            borrowable: Amount::ZERO,
            ..view
        };
        assert_eq!(world.view(who, price), lent_nothing);
    }
}

/// A position whose collateral is worth just what it owes can still be sold without a loss, and
/// is not called insolvent; at a unit less it is.
#[test]
fn f08_a_position_worth_just_its_debt_is_not_insolvent() {
    let world = crashed();
    // 1 490 owed on 10.
    let par = 149 * PRICE_ONE;
    assert_eq!(world.view(9, par).status, Status::Liquidatable);
    assert_eq!(world.view(9, par - 1).status, Status::Insolvent);
}

/// Debt at risk is not hidden at the end of a range: each tick that is asked for by itself is
/// told, and no other.
#[test]
fn a_histogram_of_one_tick_tells_that_tick() {
    let mut world = crashed();
    let mut ledger = Ledger::new(&world.params, &mut world.state, &mut world.cells).unwrap();
    let all = ledger.histogram(0, tick::Tick::MAX).unwrap().ticks;
    assert!(all.len() > 1);
    for totals in all {
        let alone = ledger.histogram(totals.tick, totals.tick).unwrap();
        assert_eq!((alone.ticks, alone.next), (vec![totals], None));
    }
}

/// In a wind-down a lender sees its part of all there is, less what it was paid: who was paid
/// early is shown neither more nor less than who waits.
#[test]
fn promise_10_in_a_wind_down_a_lender_sees_its_part_less_what_it_was_paid() {
    let mut market = MarketState::default();
    let [first, second] = [600, 400].map(|whole| {
        let most = Amount::new(u128::MAX >> 1);
        market.supply(Amount::new(whole * QUOTE), most).unwrap()
    });
    // Nine tenths are lent out.
    market.cash = Amount::new(100 * QUOTE);
    market.debt = ScaledDebt::new(900 * QUOTE);
    let (mut taken, none) = (Collected::default(), Collected::default());
    let sees = |market: &MarketState, shares, taken| market.lender_value(shares, taken).unwrap();
    assert_eq!(sees(&market, first, none).get(), 600 * QUOTE);
    market.begin_wind_down().unwrap();
    assert_eq!(sees(&market, first, none).get(), 600 * QUOTE);
    let paid = market.collect(first, &mut taken, false).unwrap();
    assert_eq!(paid.get(), 60 * QUOTE);
    assert_eq!(sees(&market, first, taken).get(), 540 * QUOTE);
    assert_eq!(sees(&market, second, none).get(), 400 * QUOTE);
}
