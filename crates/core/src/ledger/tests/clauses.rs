//! Clauses of the protocol that each answer an attack: the attack is replayed and gains nothing.

use super::super::*;
use super::world::{crashed, World, COLLATERAL, QUOTE};
use crate::market::MarketPrices;
use crate::page::{page_of, slot_of, Departure};
use crate::tick;
use crate::units::{
    is_liquidatable, liquidation_price, Amount, DebtRatio, Price, Shares, PRICE_ONE,
};

fn open_with(world: &mut World, prices: MarketPrices, most: u128) -> Result<Opening, LedgerError> {
    let request = OpenRequest {
        block: world.block,
        demand: Demand {
            most: Amount::new(most),
            depth: None,
        },
    };
    world.transition(u32::MAX, |l, _| l.open(&prices, request))
}

/// A position's own debt ratio.
fn ratio(world: &World, who: u32) -> DebtRatio {
    let view = world.view(who, PRICE_ONE);
    let scale = world.params.scale().unwrap();
    scale.debt_ratio(view.scaled_debt, view.collateral)
}

/// Attack: fill the top of a tick with debt, so that after a partial sale the average lies a tick
/// higher and the small owner at its bottom is liquidated early. The cohort moves by its own lower
/// bound, so at every price at which the small owner is healthy by itself nobody can take it.
#[test]
fn what_remains_moves_by_its_lower_bound_never_by_its_average() {
    let mut average_was_higher = 0;
    for percent in (2..98).step_by(3) {
        let mut world = World::new();
        let bottom = tick::bound(tick::at_or_below(DebtRatio::new(145 * 1_000_000))).get();
        // On 10 collateral: ratios at the very bottom of the tick, and just under its top.
        let low = bottom * 10 / 1_000_000 * QUOTE + QUOTE / 1_000;
        world.open_position(1, 10 * COLLATERAL, low, 200 * PRICE_ONE);
        let tick_of_low = world.positions[&1].pooled.unwrap().cohort.tick;
        let mut high = low;
        loop {
            let next = high + high / 20_000;
            let scale = world.params.scale().unwrap();
            let at = scale.debt_ratio(
                world
                    .state
                    .index
                    .scaled(Amount::new(next), crate::math::Rounding::Up)
                    .unwrap(),
                Amount::new(10 * COLLATERAL),
            );
            if tick::at_or_below(at) != tick_of_low {
                break;
            }
            high = next;
        }
        world.open_position(2, 1_000 * COLLATERAL, high * 100, 200 * PRICE_ONE);
        assert_eq!(world.positions[&2].pooled.unwrap().cohort.tick, tick_of_low);
        let opening = world.open_batch(175 * PRICE_ONE).unwrap();
        let raised = Amount::new(opening.targets[20].get() / 100 * percent);
        world
            .settle(opening.number, opening.prices[20], raised)
            .unwrap();
        world.rest(opening.number);
        let view = world.view(1, PRICE_ONE);
        if view.scaled_debt.is_zero() {
            continue;
        }
        let (index, threshold) = (world.state.index, world.params.liquidation_threshold);
        let own = liquidation_price(ratio(&world, 1), index, threshold).unwrap();
        assert!(
            view.liquidation_price.unwrap() <= own,
            "{percent} % sold: early"
        );
        let average = tick::at_or_below(ratio(&world, 2));
        let bound = tick::bound(average);
        average_was_higher += u32::from(is_liquidatable(bound, index, own, threshold));
        assert!(!world.view(1, own.get()).status.is_liquidatable());
    }
    assert!(average_was_higher > 3, "the attack was never possible");
}

/// Attack: stay asleep, so that one tick of lateness a batch adds up and the position can never be
/// liquidated. Anyone's sync puts it into the tick of its own ratio.
#[test]
fn sync_puts_a_position_into_the_tick_of_its_own_ratio() {
    let mut world = crashed();
    for round in 1..=40 {
        world.block += 20_000;
        let mut prices = world.prices(182 * PRICE_ONE);
        prices.round = round;
        let Ok(opening) = open_with(&mut world, prices, u128::MAX) else {
            break;
        };
        let raised = Amount::new(opening.targets[10].get() / 50);
        world
            .settle(opening.number, opening.prices[10], raised)
            .unwrap();
        world.rest(opening.number);
    }
    for who in 6..10 {
        while !world.transition(who, |l, p| l.sync(p, 4)).unwrap() {}
        let own = tick::at_or_below(ratio(&world, who));
        assert_eq!(world.positions[&who].pooled.unwrap().cohort.tick, own);
        world.check();
    }
}

/// Attack: leave a cohort whose shares are worth a billion units each and let a newcomer round
/// everything it brings away. The tick starts a new generation at one unit a share.
#[test]
fn a_share_worth_too_much_or_too_little_starts_a_new_generation() {
    for shares in [1u128, u128::MAX >> 20] {
        let mut world = World::new();
        world.open_position(1, 10 * COLLATERAL, 1_400 * QUOTE, 200 * PRICE_ONE);
        let id = world.positions[&1].pooled.unwrap().cohort;
        let page = world.cells.pages.get_mut(&page_of(id.tick)).unwrap();
        let cohort = page.cohorts.get_mut(slot_of(id.tick)).unwrap();
        cohort.shares.collateral = Shares::new(shares);
        assert!(!cohort.is_sound());
        let held = world
            .positions
            .get_mut(&1)
            .unwrap()
            .pooled
            .as_mut()
            .unwrap();
        held.stake.collateral = Shares::new(shares);
        world.open_position(2, 10 * COLLATERAL, 1_400 * QUOTE, 200 * PRICE_ONE);
        world.check();
        let newcomer = world.positions[&2].pooled.unwrap();
        assert_ne!(newcomer.cohort.epoch, id.epoch, "a new generation");
        assert_eq!(newcomer.stake.collateral.get(), 10 * COLLATERAL, "at par");
        for who in [1, 2] {
            let view = world.view(who, 200 * PRICE_ONE);
            assert!(
                view.collateral.get() >= 10 * COLLATERAL - 2,
                "{who} keeps its own"
            );
            assert!(view.debt.get() <= 1_400 * QUOTE + 1);
        }
    }
}

/// Attack: the last to leave a cohort owes less than its rounded share and leaves dust of debt
/// behind. The last share owes all that is left, and the cohort is gone.
#[test]
fn the_last_debt_share_owes_all_that_is_left() {
    let mut world = World::new();
    for who in 0..7 {
        let odd = u128::from(who) * 13 + 1;
        world.open_position(
            who,
            10 * COLLATERAL + odd,
            1_400 * QUOTE + odd,
            200 * PRICE_ONE,
        );
    }
    for who in 0..7 {
        let done = world.transition(who, |l, p| l.close_position(p)).unwrap();
        world.held.0 += done.paid.get();
        world.held.1 -= done.collateral.get();
        world.check();
    }
    assert!(world.state.debt.is_zero() && world.cells.pages.is_empty());
}

/// Attack: step into a tick while its cohort is in a batch, to share its fate or spoil it. The
/// newcomer belongs to another cohort; neither sees the other.
#[test]
fn a_newcomer_to_a_batched_tick_starts_another_cohort() {
    let mut world = crashed();
    let opening = world.open_batch(175 * PRICE_ONE).unwrap();
    let tick_of_nine = world.positions[&9].pooled.unwrap().cohort.tick;
    world.open_position(20, 10 * COLLATERAL, 1_490 * QUOTE, 200 * PRICE_ONE);
    let newcomer = world.positions[&20].pooled.unwrap().cohort;
    assert_eq!(newcomer.tick, tick_of_nine);
    assert_ne!(newcomer, world.positions[&9].pooled.unwrap().cohort);
    let before = world.view(20, 175 * PRICE_ONE);
    world
        .settle(opening.number, opening.prices[30], opening.targets[30])
        .unwrap();
    world.rest(opening.number);
    world.check();
    let after = world.view(20, 175 * PRICE_ONE);
    assert_eq!(
        (after.collateral, after.debt),
        (before.collateral, before.debt)
    );
}

/// Attack: open as little as possible, or name the cohorts one likes. The request holds nothing
/// but a sum, never counts under the market's minimum, and the riskiest always come first.
#[test]
fn the_caller_cannot_choose_which_or_how_few_cohorts_are_taken() {
    let price = 175 * PRICE_ONE;
    let mut greedy = crashed();
    greedy.params.min_batch = Amount::new(3_000 * QUOTE);
    let prices = greedy.prices(price);
    let mut modest = greedy.clone();
    let most = open_with(&mut greedy, prices, 3_000 * QUOTE).unwrap();
    let least = open_with(&mut modest, prices, 0).unwrap();
    assert_eq!(most, least, "asking for nothing gets the minimum");
    assert!(least.members >= 2);
    for who in 0..9 {
        let (riskier, safer) = (modest.view(who + 1, price), modest.view(who, price));
        assert!(
            riskier.batch >= safer.batch,
            "{who} was taken before a riskier one"
        );
    }
}

/// Attack: put a huge position behind a small hole, so that it can never be sold. The last cohort
/// is taken whole, asked for no more than the room, and pays at most what its cushion allows.
#[test]
fn the_last_cohort_is_asked_for_no_more_than_the_room() {
    let mut world = World::new();
    world.params.hole = Amount::new(2_000 * QUOTE);
    world.params.min_batch = Amount::new(100 * QUOTE);
    world.open_position(1, 1_000 * COLLATERAL, 149_000 * QUOTE, 200 * PRICE_ONE);
    let mut sold = 0;
    for round in 1..=3 {
        world.block += 20_000;
        let mut prices = world.prices(165 * PRICE_ONE);
        prices.round = round;
        let before = world.view(1, 165 * PRICE_ONE);
        let opening = open_with(&mut world, prices, u128::MAX).unwrap();
        assert!(opening.targets[0].get() <= 2_000 * QUOTE);
        assert_eq!(opening.debt, before.debt, "whole");
        let done = world
            .settle(opening.number, opening.prices[5], opening.targets[5])
            .unwrap();
        world.rest(opening.number);
        world.check();
        sold += done.raised.get();
        let after = world.view(1, 165 * PRICE_ONE);
        assert!(
            after.health >= before.health,
            "a cut sale leaves nobody worse"
        );
    }
    assert!(sold >= 3 * 1_999 * QUOTE, "it goes on, batch by batch");
}

/// Attack: let the money just fail to cover the debt, and have the rest of a debt forgiven while
/// collateral is left. Debt is written off only where no collateral is.
#[test]
fn debt_is_written_off_only_when_its_cohort_has_no_collateral_left() {
    for percent in 1..=100 {
        let mut world = crashed();
        let opening = world.open_batch(120 * PRICE_ONE).unwrap();
        let owed: u128 = (0..10)
            .map(|who| world.view(who, PRICE_ONE).debt.get())
            .sum();
        let raised = Amount::new(opening.targets[40].get() / 100 * percent);
        let done = world
            .settle(opening.number, opening.prices[40], raised)
            .unwrap();
        world.rest(opening.number);
        world.check();
        let mut left = 0;
        for who in 0..10 {
            let view = world.view(who, 120 * PRICE_ONE);
            assert!(
                view.collateral.is_zero() || !view.debt.is_zero(),
                "{percent} %: {who}"
            );
            left += view.debt.get();
        }
        let settled = done.repaid.get() + done.waterfall.shortfall.get() + left;
        assert!(
            settled.abs_diff(owed) <= 30,
            "{percent} %: {settled} of {owed}"
        );
    }
}

/// Attack: supply just before a visible loss is made good, and take a part of the recovery; or
/// leave before it is booked. Shares are bought at the value before provision and paid out at the
/// value after it: both ways the visitor loses.
#[test]
fn supply_mints_at_the_value_before_provision() {
    let mut world = crashed();
    let opening = world.open_batch(100 * PRICE_ONE).unwrap();
    let provision = world.state.batch_provision().unwrap();
    assert!(provision.get() > 4_000 * QUOTE);
    let (cap, amount) = (world.params.supply_cap, Amount::new(1_000_000 * QUOTE));
    let shares = world.state.supply(amount, cap).unwrap();
    world.held.0 += amount.get();
    // Out again at once: at a loss.
    let paid = world
        .state
        .clone()
        .redeem(shares, shares, provision)
        .unwrap();
    assert!(paid.get() + 2_000 * QUOTE < amount.get());
    // Waiting for the best end there is: the debt is repaid in full, and nothing is gained.
    for who in 0..10 {
        let paid = world.transition(who, |l, p| l.repay(p, Amount::new(u128::MAX)));
        world.held.0 += paid.unwrap().get();
    }
    world
        .settle(opening.number, Price::ZERO, Amount::ZERO)
        .unwrap();
    world.rest(opening.number);
    for who in 0..10 {
        world.transition(who, |l, p| l.sync(p, 32)).unwrap();
    }
    world.check();
    let worth = world.state.supply_value(shares).unwrap();
    assert!(worth <= amount, "the visitor gains {worth:?}");
}

/// Attack: redeem between a loss and its booking. It is booked in full by the settlement itself;
/// a share is worth less in the same message, by exactly the loss.
#[test]
fn a_loss_is_booked_in_full_at_once() {
    let mut world = crashed();
    let opening = world.open_batch(100 * PRICE_ONE).unwrap();
    let before = world.state.lenders_assets().unwrap();
    let done = world
        .settle(opening.number, opening.prices[10], opening.targets[10])
        .unwrap();
    let lost = done.waterfall.from_lenders;
    assert!(lost.get() > 4_000 * QUOTE);
    let after = world.state.lenders_assets().unwrap();
    assert_eq!(before.minus(lost).unwrap(), after);
    assert_eq!(world.state.written_off, lost);
    assert!(
        world.state.batch_provision().unwrap().is_zero(),
        "nothing is left to come"
    );
}

/// A debt in a batch is fixed in quote at its opening and bears nothing until it settles.
#[test]
fn a_debt_in_a_batch_bears_no_interest() {
    let mut world = crashed();
    world.params.interest = crate::interest::InterestCurve::STANDARD;
    let opening = world.open_batch(182 * PRICE_ONE).unwrap();
    let before = [world.view(9, PRICE_ONE).debt, world.view(0, PRICE_ONE).debt];
    let curve = world.params.interest;
    world.state.accrue(&curve, 365 * 86_400_000).unwrap();
    assert_eq!(world.view(9, PRICE_ONE).debt, before[0]);
    assert!(world.view(0, PRICE_ONE).debt > before[1]);
    world
        .settle(opening.number, Price::ZERO, Amount::ZERO)
        .unwrap();
    world.rest(opening.number);
    let after = world.view(9, PRICE_ONE).debt.get();
    assert!((before[0].get()..=before[0].get() + 2).contains(&after));
    world.check();
}

/// Promise 6: a position asleep through a thousand batches is brought up to date in bounded calls
/// by a stranger, has lost rounding only, and repays and leaves.
#[test]
fn promise_6_a_position_asleep_through_a_thousand_batches_gets_out() {
    let mut world = World::new();
    world.open_position(1, 10 * COLLATERAL, 1_400 * QUOTE, 200 * PRICE_ONE);
    world.open_position(2, 10 * COLLATERAL, 1_490 * QUOTE, 200 * PRICE_ONE);
    for round in 1..=1_000 {
        world.block += 20_000;
        let mut prices = world.prices(160 * PRICE_ONE);
        prices.round = round;
        let opening = open_with(&mut world, prices, u128::MAX).unwrap();
        assert_eq!(opening.members, 2);
        // The riskier sells a unit of quote's worth each time, the other nothing.
        world
            .settle(opening.number, opening.prices[20], Amount::new(QUOTE))
            .unwrap();
        world.rest(opening.number);
    }
    world.check();
    for who in [1, 2] {
        let stuck = world.transition(who, |l, p| l.deposit(p, Amount::new(1)));
        assert_eq!(stuck, Err(LedgerError::SyncRequired));
        let mut calls = 0;
        while !world.transition(who, |l, p| l.sync(p, MAX_MOVES)).unwrap() {
            calls += 1;
            assert!(calls <= 100, "{who} needs {calls} calls");
        }
        world.check();
    }
    let (slept, sold) = (world.view(1, PRICE_ONE), world.view(2, PRICE_ONE));
    assert!(10 * COLLATERAL - slept.collateral.get() <= 3_000);
    assert!(slept.debt.get() - 1_400 * QUOTE <= 3_000);
    assert!(sold.collateral.get() < 5 * COLLATERAL && sold.debt.get() < 600 * QUOTE);
    for who in [1, 2] {
        let done = world.transition(who, |l, p| l.close_position(p)).unwrap();
        world.held.0 += done.paid.get();
        world.held.1 -= done.collateral.get();
        world.check();
        assert!(world.positions[&who].is_empty());
    }
    let left: usize = world
        .cells
        .departures
        .values()
        .map(|d| {
            d.iter()
                .filter(|(_, d)| !matches!(d, Departure::Batched(_)))
                .count()
        })
        .sum();
    assert_eq!(left, 0, "no cell outlives the last who needs it");
}
