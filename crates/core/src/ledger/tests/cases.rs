//! The ledger's rules by hand-made cases, each under the name of what it protects.

use super::super::*;
use super::world::{crashed, World, COLLATERAL, QUOTE};
use crate::market::MarketPrices;
use crate::position::Status;
use crate::units::{Amount, Price, PRICE_ONE};

#[test]
fn a_filled_batch_closes_the_risky_and_leaves_the_healthy() {
    let mut world = crashed();
    let opening = world.open_batch(182 * PRICE_ONE).unwrap();
    world.check();
    // 182 · 10 · 0.8 = 1 456: the four that owe 1 460 to 1 490 are liquidatable, at most a tick late.
    assert!((3..=4).contains(&opening.members), "{}", opening.members);
    let step = 20;
    let (price, raised) = (opening.prices[step], opening.targets[step]);
    let done = world.settle(opening.number, price, raised).unwrap();
    world.check();
    assert!(done.waterfall.shortfall.is_zero());
    assert_eq!(
        done.repaid.get() + done.penalties.get(),
        raised.get(),
        "every unit raised is debt or penalty"
    );
    world.rest(opening.number);
    world.check();
    for who in 0..10 {
        let view = world.view(who, 182 * PRICE_ONE);
        assert!(view.status.is_safe());
        if u32::from(who < 6) == 1 {
            assert_eq!(
                view.collateral.get(),
                10 * COLLATERAL,
                "{who} was healthy: untouched"
            );
        }
    }
    // Everybody repays, withdraws and leaves; the vault ends with rounding only.
    for who in 0..10 {
        let all = Amount::new(u128::MAX);
        let owed = world.transition(who, |l, p| l.repay(p, all)).unwrap();
        world.held.0 += owed.get();
        world.check();
        let out = world.positions[&who].collateral;
        world
            .transition(who, |l, p| l.withdraw(p, out, None))
            .unwrap();
        world.held.1 -= out.get();
        world.check();
    }
    assert_eq!(world.held.1, world.state.collateral_rounding.get());
    assert!(world.held.1 < 20, "rounding is bounded: {}", world.held.1);
    assert!(world.state.debt.is_zero());
}

#[test]
fn promise_5_one_healthy_round_of_the_last_two_protects() {
    let mut world = crashed();
    let mut prices = world.prices(100 * PRICE_ONE);
    prices.previous = Price::new(200 * PRICE_ONE);
    let request = OpenRequest {
        block: world.block,
        demand: Demand {
            most: Amount::new(u128::MAX),
            depth: None,
        },
    };
    let refused = world.transition(99, |l, _| l.open(&prices, request));
    assert_eq!(refused, Err(LedgerError::NothingToLiquidate));
    let mut fresh = world.prices(100 * PRICE_ONE);
    fresh.accepted_in = world.block;
    let refused = world.transition(99, |l, _| l.open(&fresh, request));
    assert_eq!(refused, Err(LedgerError::RoundTooFresh));
}

#[test]
fn nobody_bids_and_every_position_is_back_as_it_was() {
    let mut world = crashed();
    let before: Vec<_> = (0..10)
        .map(|who| world.view(who, 182 * PRICE_ONE))
        .collect();
    let opening = world.open_batch(150 * PRICE_ONE).unwrap();
    let prices = world.prices(150 * PRICE_ONE);
    let refused = world.transition(9, |l, p| l.withdraw(p, Amount::new(1), Some(&prices)));
    assert_eq!(refused, Err(LedgerError::PositionInBatch));
    world
        .settle(opening.number, Price::ZERO, Amount::ZERO)
        .unwrap();
    world.rest(opening.number);
    world.check();
    for who in 0..10 {
        let after = world.view(who, 182 * PRICE_ONE);
        let was = before[who as usize];
        assert!(after.collateral <= was.collateral && after.debt >= was.debt);
        assert!(was.collateral.get() - after.collateral.get() <= 2);
        assert!(after.debt.get() - was.debt.get() <= 2);
    }
}

#[test]
fn short_money_serves_the_riskiest_first_and_bad_debt_has_its_order() {
    let mut world = crashed();
    world.state.insurance = Amount::new(50 * QUOTE);
    world.held.0 += 50 * QUOTE;
    // At 130 ten collateral fetch about 1 300, less than any debt: all are insolvent.
    let opening = world.open_batch(130 * PRICE_ONE).unwrap();
    assert_eq!(opening.members, 10);
    let price = opening.prices[20];
    let half = Amount::new(opening.targets[20].get() / 2);
    let assets = world.state.lenders_assets().unwrap();
    let done = world.settle(opening.number, price, half).unwrap();
    world.check();
    let w = done.waterfall;
    assert!(!w.shortfall.is_zero() && w.from_penalties.get() <= 10);
    assert_eq!(
        w.from_insurance.get(),
        50 * QUOTE,
        "insurance before lenders"
    );
    assert!(!w.from_lenders.is_zero());
    let lost = assets.get() - world.state.lenders_assets().unwrap().get();
    assert!(
        lost.abs_diff(w.from_lenders.get()) <= 20,
        "lenders lose what is written off"
    );
    // The riskiest lost everything, the safest kept everything.
    assert!(world.view(9, 130 * PRICE_ONE).collateral.is_zero());
    assert!(world.view(0, 130 * PRICE_ONE).collateral.get() >= 10 * COLLATERAL - 5);
    world.rest(opening.number);
    world.check();
}

#[test]
fn settlement_refuses_a_price_off_the_ladder_and_money_beyond_the_target() {
    let mut world = crashed();
    let opening = world.open_batch(182 * PRICE_ONE).unwrap();
    let (first, last) = (opening.prices[0], opening.prices[63]);
    let one = Amount::new(1);
    let under = last.minus(Price::new(1)).unwrap();
    let over = first.plus(Price::new(1)).unwrap();
    let n = opening.number;
    assert_eq!(
        world.settle(n, under, one),
        Err(LedgerError::PriceOutsideLadder)
    );
    assert_eq!(
        world.settle(n, over, one),
        Err(LedgerError::PriceOutsideLadder)
    );
    let too_much = opening.targets[0].plus(Amount::new(100)).unwrap();
    assert_eq!(
        world.settle(n, first, too_much),
        Err(LedgerError::RaisedTooMuch)
    );
    assert_eq!(
        world.settle(n + 1, first, one),
        Err(LedgerError::UnknownBatch)
    );
    world.settle(n, first, opening.targets[0]).unwrap();
    assert_eq!(world.settle(n, first, one), Err(LedgerError::BatchSettled));
}

#[test]
fn the_hole_bounds_what_runs_and_the_last_cohort_is_cut_to_the_room() {
    let mut world = crashed();
    world.params.hole = Amount::new(2_000 * QUOTE);
    world.params.min_batch = Amount::new(100 * QUOTE);
    let first = world.open_batch(150 * PRICE_ONE).unwrap();
    assert!(first.targets[0].get() <= 2_000 * QUOTE + 2);
    assert!(first.members < 10);
    assert_eq!(
        world.open_batch(150 * PRICE_ONE),
        Err(LedgerError::HoleFull)
    );
    world.check();
}

#[test]
fn exactly_at_the_liquidation_price_nobody_is_liquidatable() {
    let mut world = crashed();
    let trigger = world
        .view(9, 200 * PRICE_ONE)
        .liquidation_price
        .unwrap()
        .get();
    assert_eq!(world.view(9, trigger).status, Status::MarginCall);
    assert_eq!(
        world.open_batch(trigger),
        Err(LedgerError::NothingToLiquidate)
    );
    assert_eq!(world.view(9, trigger - 1).status, Status::Liquidatable);
    assert_eq!(world.open_batch(trigger - 1).unwrap().members, 1);
}

/// Promise 6: in a running batch repaying and topping up work; the money is held aside, counts
/// when the position is next touched, and what was not needed is given back.
#[test]
fn promise_6_a_batched_position_can_be_repaid_and_topped_up() {
    let mut world = crashed();
    let opening = world.open_batch(160 * PRICE_ONE).unwrap();
    let owed = world.view(9, 160 * PRICE_ONE).debt;
    let half = Amount::new(owed.get() / 2);
    assert_eq!(world.transition(9, |l, p| l.repay(p, half)), Ok(half));
    world.held.0 += half.get();
    world
        .transition(9, |l, p| l.deposit(p, Amount::new(COLLATERAL)))
        .unwrap();
    world.held.1 += COLLATERAL;
    world.check();
    // No more than is owed is taken.
    let rest = world.transition(9, |l, p| l.repay(p, owed)).unwrap();
    world.held.0 += rest.get();
    assert_eq!(half.plus(rest).unwrap(), owed);
    let again = world.transition(9, |l, p| l.repay(p, owed));
    assert_eq!(again, Err(LedgerError::NothingOwed));
    let early = world.transition(9, |l, p| l.reclaim(p));
    assert_eq!(early, Err(LedgerError::PositionInBatch));

    let step = 10;
    world
        .settle(opening.number, opening.prices[step], opening.targets[step])
        .unwrap();
    world.rest(opening.number);
    world.check();
    let sold_out = world.view(9, 160 * PRICE_ONE);
    assert!(sold_out.debt.is_zero());
    assert!(sold_out.collateral.get() > COLLATERAL);
    // The batch retired the debt by itself, so what was paid in advance comes back. Until then it
    // would silently repay a new debt whose cohort owes the whole.
    world
        .transition(9, |l, p| l.deposit(p, Amount::new(100 * COLLATERAL)))
        .unwrap();
    world.held.1 += 100 * COLLATERAL;
    let prices = world.prices(160 * PRICE_ONE);
    let loan = Amount::new(1_000 * QUOTE);
    let early = world.transition(9, |l, p| l.borrow(p, loan, &prices));
    assert_eq!(early, Err(LedgerError::PrepaidUnclaimed));
    let back = world.transition(9, |l, p| l.reclaim(p)).unwrap();
    world.held.0 -= back.get();
    assert!(back <= owed && back.get() > 0);
    world.check();
    world
        .transition(9, |l, p| l.borrow(p, loan, &prices))
        .unwrap();
    world.held.0 -= loan.get();
    world.check();
    assert!(world.view(9, 160 * PRICE_ONE).debt >= loan);
}

/// A leftover waits for a hundred blocks and a newer round, twice as long after each further
/// failure, and not at all once its health is under full-close.
#[test]
fn a_leftover_waits_before_it_is_offered_again() {
    let mut world = crashed();
    let price = 182 * PRICE_ONE;
    let mut wait = 100;
    for round in [1u32, 2, 3] {
        let mut prices = world.prices(price);
        prices.round = round;
        let open = |world: &mut World, prices: MarketPrices| {
            let request = OpenRequest {
                block: world.block,
                demand: Demand {
                    most: Amount::new(u128::MAX),
                    depth: None,
                },
            };
            world.transition(u32::MAX, |l, _| l.open(&prices, request))
        };
        let opening = open(&mut world, prices).unwrap();
        world
            .settle(opening.number, Price::ZERO, Amount::ZERO)
            .unwrap();
        world.rest(opening.number);
        world.check();
        let settled_in = world.block;
        let refused = Err(LedgerError::NothingToLiquidate);
        prices.round = round + 1;
        world.block = settled_in + wait - 1;
        prices.accepted_in = world.block - 1;
        assert_eq!(open(&mut world, prices), refused, "before the wait is over");
        world.block = settled_in + wait;
        prices.round = round;
        assert_eq!(open(&mut world, prices), refused, "on the same round");
        wait *= 2;
    }
    // At 165 the riskiest are under full-close health and wait no longer.
    world.block -= 100;
    let low = world.open_batch(165 * PRICE_ONE).unwrap();
    assert!(low.members > 0);
}

/// Promise 10: a loss that is visible, in a running batch or in an insolvent tick, is set aside
/// from what a lender takes out, but not from what a new lender pays for a share.
#[test]
fn promise_10_nobody_leaves_ahead_of_a_visible_loss() {
    let mut world = crashed();
    let shares = world.state.supply_shares;
    let tenth = crate::units::Shares::new(shares.get() / 10);
    let worth = world.state.supply_value(tenth).unwrap();
    // At 100 ten positions owe 14 450 on collateral worth 10 000.
    let low = Price::new(100 * PRICE_ONE);
    let (params, mut state) = (world.params.clone(), world.state.clone());
    let mut cells = world.cells.clone();
    let mut ledger = Ledger::new(&params, &mut state, &mut cells).unwrap();
    let lack = ledger.insolvency(low).unwrap();
    assert_eq!(lack.get(), 4_450 * QUOTE);
    let paid = state.redeem(shares, tenth, lack).unwrap();
    let share = 445 * QUOTE;
    assert!(worth.get() - paid.get() >= share && worth.get() - paid.get() <= share + 2);
    // The same loss once it is in a batch: judged at the batch's floor.
    let opening = world.open_batch(100 * PRICE_ONE).unwrap();
    let floor = opening.prices.last().unwrap();
    let expected = 14_450 * QUOTE - 100 * floor.get() * QUOTE / PRICE_ONE;
    assert_eq!(world.state.batch_provision().unwrap().get(), expected);
    world
        .settle(opening.number, opening.prices[20], opening.targets[20])
        .unwrap();
    assert!(world.state.batch_provision().unwrap().is_zero());
}

/// Money a speck short of the target must not leave a rest whose debt ratio leaves the scale:
/// that froze the batch, the money in it and every member.
#[test]
fn a_batch_short_by_a_speck_settles_and_rests() {
    for short in [1, 3, 140, 1_000_000, 1_000_000_000_000] {
        let mut world = World::new();
        world.params.quote_decimals = 18;
        world.params.min_debt = Amount::new(COLLATERAL);
        world.params.min_batch = Amount::new(1);
        let wide = 1_000_000_000_000;
        world.params.hole = Amount::new(u128::MAX >> 40);
        world.params.debt_ceiling = Amount::new(u128::MAX >> 40);
        world.params.supply_cap = Amount::new(u128::MAX >> 40);
        world.supply(1_000_000 * COLLATERAL);
        world.open_position(1, 100 * COLLATERAL, 14_900 * QUOTE * wide, 200 * PRICE_ONE);
        let opening = world.open_batch(140 * PRICE_ONE).unwrap();
        let raised = Amount::new(opening.targets[20].get() - short);
        world
            .settle(opening.number, opening.prices[20], raised)
            .unwrap();
        world.check();
        world.rest(opening.number);
        world.check();
        assert!(world.transition(1, |l, p| l.sync(p, 8)).unwrap());
        world.check();
    }
}

/// Rounding of shares may let early leavers repay all of a cohort's debt; those left behind then
/// own collateral without debt, and no batch stumbles over them.
#[test]
fn a_cohort_whose_debt_was_rounded_away_closes() {
    let mut world = World::new();
    world.params.min_debt = Amount::new(1);
    for who in 0..4 {
        world.open_position(who, 10 * COLLATERAL, 1_400 * QUOTE, 200 * PRICE_ONE);
    }
    // One unit of debt for four members, as many partial sales would leave it.
    let (page, mut found) = world
        .cells
        .pages
        .iter()
        .next()
        .map(|(n, p)| (*n, p.clone()))
        .unwrap();
    let (slot, cohort) = found.cohorts.iter().next().map(|(s, c)| (s, *c)).unwrap();
    let thin = crate::page::Cohort {
        debt: crate::units::ScaledDebt::new(1),
        ..cohort
    };
    found.cohorts.insert(slot, thin);
    world.cells.pages.insert(page, found);
    world.state.debt = crate::units::ScaledDebt::new(1);
    world.check();
    world
        .transition(0, |l, p| l.repay(p, Amount::new(1)))
        .unwrap();
    world.held.0 += 1;
    world.check();
    assert_eq!(
        world.open_batch(PRICE_ONE / 1_000),
        Err(LedgerError::NothingToLiquidate)
    );
    for who in 1..4 {
        assert!(world.transition(who, |l, p| l.sync(p, 8)).unwrap());
        assert!(world.view(who, PRICE_ONE).debt.is_zero());
        world.check();
    }
    let held: u128 = (0..4)
        .map(|who| world.positions[&who].collateral.get())
        .sum();
    assert_eq!(held, 40 * COLLATERAL);
}

#[test]
fn borrowing_under_the_scale_of_ticks_is_refused() {
    let mut world = World::new();
    world.params.min_debt = Amount::new(1);
    world
        .transition(1, |l, p| {
            l.deposit(p, Amount::new(10_u128.pow(12) * COLLATERAL))
        })
        .unwrap();
    let prices = world.prices(200 * PRICE_ONE);
    let refused = world.transition(1, |l, p| l.borrow(p, Amount::new(1), &prices));
    assert_eq!(refused, Err(LedgerError::RatioBelowScale));
}

#[test]
fn depth_from_ticks_alone_equals_the_positions() {
    let mut world = crashed();
    let price = 182 * PRICE_ONE;
    let liquidatable: Vec<_> = (0..10)
        .map(|who| world.view(who, price))
        .filter(|view| view.status.is_liquidatable())
        .collect();
    let (params, mut state) = (world.params.clone(), world.state.clone());
    let mut ledger = Ledger::new(&params, &mut state, &mut world.cells).unwrap();
    let risk = ledger.at_risk(Price::new(price)).unwrap();
    assert!(risk.complete);
    assert_eq!(risk.members as usize, liquidatable.len());
    assert_eq!(
        risk.debt.get(),
        liquidatable.iter().map(|v| v.debt.get()).sum::<u128>()
    );
    assert_eq!(
        risk.collateral.get(),
        liquidatable
            .iter()
            .map(|v| v.collateral.get())
            .sum::<u128>()
    );
    let all = ledger.histogram(0, u16::MAX).unwrap();
    assert_eq!(all.next, None);
    assert_eq!(all.ticks.iter().map(|t| t.members).sum::<u32>(), 10);
    assert!(all.ticks.windows(2).all(|pair| pair[0].tick > pair[1].tick));
    let middle = all.ticks[4].tick;
    let upper = ledger.histogram(middle, u16::MAX).unwrap();
    let lower = ledger.histogram(0, middle - 1).unwrap();
    assert_eq!([upper.ticks, lower.ticks].concat(), all.ticks);
}
