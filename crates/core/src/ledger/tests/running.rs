//! Leaving and extending a running batch.

use super::world::*;
use crate::batch::raise_at;
use crate::ledger::*;
use crate::math::Rounding;
use crate::page::Departure;
use crate::units::{Amount, Price, PRICE_ONE};
use proptest::prelude::*;

fn leave(world: &mut World, who: u32, opening: &Opening) -> Result<Leaving, LedgerError> {
    let left = world.transition(who, |l, p| l.leave(p, opening.number, &opening.prices))?;
    world.held.0 += left.fee.get();
    Ok(left)
}

fn repay(world: &mut World, who: u32, amount: u128) {
    let paid = world
        .transition(who, |l, p| l.repay(p, Amount::new(amount)))
        .unwrap();
    world.held.0 += paid.get();
}

fn top_up(world: &mut World, who: u32, amount: u128) {
    world
        .transition(who, |l, p| l.deposit(p, Amount::new(amount)))
        .unwrap();
    world.held.1 += amount;
}

/// `T` at every step from the cohorts of the cells, one by one.
fn brute_force(world: &World, opening: &Opening) -> Vec<u128> {
    let scale = world.params.scale().unwrap();
    let cohorts: Vec<_> = world
        .cells
        .departures
        .values()
        .flat_map(|cell| cell.iter())
        .filter_map(|(_, departure)| match departure {
            Departure::Batched(cohort) if cohort.batch == opening.number => Some(*cohort),
            _ => None,
        })
        .collect();
    opening
        .prices
        .iter()
        .map(|p| {
            cohorts
                .iter()
                .map(|c| raise_at(c, *p, scale).unwrap().get())
                .sum()
        })
        .collect()
}

fn close_to(targets: &[Amount], brute: &[u128]) {
    for (target, brute) in targets.iter().zip(brute) {
        assert!(target.get() >= *brute && target.get() <= brute + 16);
    }
}

/// The owner of 1 490 at a price of 170 (health 0.913, closed whole) adds 3 collateral: health
/// 13 · 170 · 0.8 / 1 490 = 1.187. It leaves with all it has, owes what it owed, pays the tip, and
/// the others' target is untouched.
#[test]
fn an_owner_with_target_health_leaves_a_running_batch() {
    let mut world = crashed();
    let opening = world.open_batch(170 * PRICE_ONE).unwrap();
    let before = brute_force(&world, &opening);
    let insurance = world.state.insurance;
    let refused = leave(&mut world, 9, &opening);
    assert_eq!(refused, Err(LedgerError::UnderTargetHealth));
    top_up(&mut world, 9, 3 * COLLATERAL);
    let left = leave(&mut world, 9, &opening).unwrap();
    world.check();
    assert_eq!(left.collateral.get(), 13 * COLLATERAL);
    assert_eq!(left.debt.get(), 1_490 * QUOTE);
    assert_eq!(left.fee, world.params.keeper_tip);
    assert_eq!(
        world.state.insurance.get(),
        insurance.get() + left.fee.get()
    );
    let after = brute_force(&world, &opening);
    close_to(&left.targets, &after);
    // Closed whole, it would have raised 1 490 · 1.05.
    assert_eq!(before[0] - after[0], 1_490 * QUOTE * 105 / 100);
    let view = world.view(9, 170 * PRICE_ONE);
    assert_eq!((view.collateral.get(), view.batch), (13 * COLLATERAL, None));
    // It is out: nobody leaves twice, and the batch settles without it.
    let again = leave(&mut world, 9, &opening);
    assert_eq!(again, Err(LedgerError::NotInBatch));
    world
        .settle(opening.number, opening.prices[0], left.targets[0])
        .unwrap();
    world.rest(opening.number);
    world.check();
    assert_eq!(world.view(9, 170 * PRICE_ONE).debt.get(), 1_490 * QUOTE);
}

/// Who leaves in a wind-down pays the lenders first, like all money that belongs to no lender.
#[test]
fn promise_10_in_a_wind_down_the_exit_fee_makes_good_what_lenders_lost() {
    let mut world = crashed();
    let opening = world.open_batch(170 * PRICE_ONE).unwrap();
    let tip = world.params.keeper_tip;
    world.state.begin_wind_down().unwrap();
    let lost = tip.minus(Amount::new(1)).unwrap();
    world.state.wind_down.as_mut().unwrap().lost = lost;
    let (insurance, cash) = (world.state.insurance, world.state.cash);
    top_up(&mut world, 9, 3 * COLLATERAL);
    let left = leave(&mut world, 9, &opening).unwrap();
    assert_eq!((left.fee, left.to_lenders), (tip, lost));
    assert_eq!(world.state.cash, cash.plus(lost).unwrap());
    assert_eq!(world.state.insurance.get(), insurance.get() + 1);
    assert!(world.state.wind_down.unwrap().lost.is_zero());
}

/// One collateral unit or one quote unit less than target health is refused; payments in advance
/// count; the exit fee is due whatever was paid.
#[test]
fn leaving_takes_target_health_at_the_opening_reference_to_the_unit() {
    let mut world = crashed();
    let opening = world.open_batch(170 * PRICE_ONE).unwrap();
    // 10 · 170 · 0.8 / 1.05 = 1 295.238095 may be owed.
    let most = 10 * 170 * QUOTE * 800_000 / 1_050_000;
    repay(&mut world, 9, 1_490 * QUOTE - most - 1);
    let short = leave(&mut world, 9, &opening);
    assert_eq!(short, Err(LedgerError::UnderTargetHealth));
    repay(&mut world, 9, 1);
    let left = leave(&mut world, 9, &opening).unwrap();
    assert_eq!(left.debt.get(), most);
    world.check();
    // Somebody outside the batch, or with another ladder, cannot leave it.
    world.open_position(77, 10 * COLLATERAL, 700 * QUOTE, 200 * PRICE_ONE);
    let stranger = leave(&mut world, 77, &opening);
    assert_eq!(stranger, Err(LedgerError::NotInBatch));
    let flat = vec![opening.prices[0]; 64];
    let other = world.transition(8, |l, p| l.leave(p, opening.number, &flat));
    assert_eq!(other, Err(LedgerError::PriceOutsideLadder));
}

/// 10 collateral, 1 400 quote: at 174 health is 0.994, and a part is sold; at 166 it is 0.949. The
/// ladder starts at the higher of spot and average, times 1.03, whatever the round before was.
#[test]
fn promise_5_an_opening_asks_and_lets_go_at_the_better_of_two_rounds() {
    let (better, worse) = (174 * PRICE_ONE, 166 * PRICE_ONE);
    let open = |spot: u128, previous: u128, twap: u128| {
        let mut world = World::new();
        world.open_position(0, 10 * COLLATERAL, 1_400 * QUOTE, 200 * PRICE_ONE);
        let mut prices = world.prices(spot);
        (prices.previous, prices.twap) = (Price::new(previous), Price::new(twap));
        let demand = Demand {
            most: Amount::new(u128::MAX),
            depth: None,
        };
        let block = world.block;
        let request = OpenRequest { block, demand };
        let opened = world.transition(99, |l, _| l.open(&prices, request));
        (world, opened.unwrap(), prices, request)
    };
    let (_, both, ..) = open(better, better, better);
    for (spot, previous) in [(better, worse), (worse, better)] {
        let (mut world, opening, prices, request) = open(spot, previous, better);
        assert_eq!(opening.reference.get(), better, "the better of both");
        assert_eq!(opening.spot.get(), spot, "the latest");
        assert_eq!(opening.targets[0], both.targets[0], "asked at the better");
        // On the opening's rounds it may be extended; there is nothing more.
        let more = world.transition(99, |l, _| {
            l.extend(opening.number, &prices, &opening.prices, request)
        });
        assert_eq!(more, Err(LedgerError::NothingToLiquidate));
        // 10 · 174 · 0.8 / 1.05 may be owed by who leaves.
        let most = 10 * 174 * QUOTE * 800_000 / 1_050_000;
        repay(&mut world, 0, 1_400 * QUOTE - most - 1);
        let short = leave(&mut world, 0, &opening);
        assert_eq!(short, Err(LedgerError::UnderTargetHealth));
        repay(&mut world, 0, 1);
        assert_eq!(leave(&mut world, 0, &opening).unwrap().debt.get(), most);
    }
    let start = |opening: &Opening| opening.prices[0].get();
    assert_eq!(start(&both), better / 100 * 103);
    assert_eq!(start(&open(worse, better, better).1), better / 100 * 103);
    assert_eq!(start(&open(worse, better, worse).1), worse / 100 * 103);
    assert_eq!(start(&open(better, worse, worse).1), better / 100 * 103);
}

/// Two owners share a cohort: its target is split by debt share.
#[test]
fn the_target_of_a_cohort_is_split_by_debt_share() {
    let mut world = World::new();
    world.open_position(0, 10 * COLLATERAL, 1_400 * QUOTE, 200 * PRICE_ONE);
    world.open_position(1, 30 * COLLATERAL, 4_200 * QUOTE, 200 * PRICE_ONE);
    let opening = world.open_batch(172 * PRICE_ONE).unwrap();
    assert_eq!(opening.cohorts, 1);
    repay(&mut world, 0, 1_400 * QUOTE);
    let left = leave(&mut world, 0, &opening).unwrap();
    assert!(left.debt.is_zero());
    world.check();
    let (whole, rest) = (opening.targets[0].get(), left.targets[0].get());
    assert!(
        rest >= whole * 3 / 4 && rest <= whole * 3 / 4 + 2,
        "{rest} of {whole}"
    );
    // The last one leaves: nothing is left to raise, and the batch closes without a sale.
    repay(&mut world, 1, 4_200 * QUOTE);
    let last = leave(&mut world, 1, &opening).unwrap();
    assert!(last.targets.iter().all(|target| target.is_zero()));
    assert_eq!(world.state.batched_debt, Amount::ZERO);
    world
        .settle(opening.number, opening.prices[0], Amount::ZERO)
        .unwrap();
    world.rest(opening.number);
    world.check();
    assert!(world.state.running.is_empty());
}

fn extend(
    world: &mut World,
    opening: &Opening,
    price: u128,
    most: u128,
) -> Result<Opening, LedgerError> {
    let prices = world.prices(price);
    let request = OpenRequest {
        block: world.block,
        demand: Demand {
            most: Amount::new(most),
            depth: None,
        },
    };
    world.transition(u32::MAX, |l, _| {
        l.extend(opening.number, &prices, &opening.prices, request)
    })
}

/// Opened with deposits for 5 000, extended when there are enough for all: the batch holds what it
/// would have held had the money been there at once, worst first; only the cohort that was cut
/// stays cut.
#[test]
fn a_batch_is_extended_under_the_rules_of_an_opening() {
    let mut world = crashed();
    world.params.min_batch = Amount::new(5_000 * QUOTE);
    let prices = world.prices(170 * PRICE_ONE);
    let block = world.block;
    let open = |demand| OpenRequest { block, demand };
    let opening = world
        .transition(u32::MAX, |l, _| l.open(&prices, open(Demand::default())))
        .unwrap();
    assert_eq!(
        (opening.cohorts, opening.targets[0].get()),
        (4, 5_000 * QUOTE)
    );
    // Nothing new without more money, and not on other rounds, ladders or batches.
    assert_eq!(
        extend(&mut world, &opening, 170 * PRICE_ONE, 5_000 * QUOTE),
        Err(LedgerError::NothingToLiquidate)
    );
    assert_eq!(
        extend(&mut world, &opening, 169 * PRICE_ONE, u128::MAX),
        Err(LedgerError::RoundChanged)
    );
    let other = Opening {
        number: 1,
        ..opening.clone()
    };
    assert_eq!(
        extend(&mut world, &other, 170 * PRICE_ONE, u128::MAX),
        Err(LedgerError::UnknownBatch)
    );
    let whole = extend(&mut world, &opening, 170 * PRICE_ONE, u128::MAX).unwrap();
    world.check();
    assert_eq!(whole.members, 10);
    close_to(&whole.targets, &brute_force(&world, &whole));
    assert_eq!(world.state.committed().unwrap(), whole.targets[0]);
    let lacks = world.state.batch_provision().unwrap();
    let floor = *whole.prices.last().unwrap();
    let worth = world
        .params
        .scale()
        .unwrap()
        .value(Amount::new(10 * COLLATERAL), floor, Rounding::Down)
        .unwrap();
    assert!(lacks.is_zero() == (worth.get() >= 1_490 * QUOTE));
    // It settles as one batch.
    world
        .settle(opening.number, whole.prices[0], whole.targets[0])
        .unwrap();
    world.rest(opening.number);
    world.check();
    assert_eq!(
        extend(&mut world, &whole, 170 * PRICE_ONE, u128::MAX),
        Err(LedgerError::BatchSettled)
    );
}

/// The hole bounds an extended batch as it bounds an opening.
#[test]
fn an_extension_stays_within_the_hole() {
    let mut world = crashed();
    world.params.min_batch = Amount::new(2_000 * QUOTE);
    world.params.hole = Amount::new(7_000 * QUOTE);
    let prices = world.prices(170 * PRICE_ONE);
    let block = world.block;
    let opening = world
        .transition(u32::MAX, |l, _| {
            l.open(
                &prices,
                OpenRequest {
                    block,
                    demand: Demand::default(),
                },
            )
        })
        .unwrap();
    let whole = extend(&mut world, &opening, 170 * PRICE_ONE, u128::MAX).unwrap();
    assert_eq!(whole.targets[0].get(), 7_000 * QUOTE);
    world.check();
}

/// A batch that ended without a sale through no fault of its lot is offered again at once; else its
/// cohorts wait.
#[test]
fn an_excused_end_makes_no_cohort_wait() {
    for excused in [false, true] {
        let mut world = crashed();
        let opening = world.open_batch(170 * PRICE_ONE).unwrap();
        let sale = crate::batch::Sale {
            price: Price::ZERO,
            raised: Amount::ZERO,
            excused,
        };
        let block = world.block;
        world
            .transition(u32::MAX, |l, _| {
                l.settle_batch(opening.number, sale, block, 9)
            })
            .unwrap();
        // At 178 no cohort is so bad (0.956) that it would not wait.
        let again = world.open_batch(178 * PRICE_ONE);
        assert_eq!(again.is_ok(), excused, "{again:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Any owners pay and leave in any order, some after an extension: the books balance, `T` is
    /// that of the cohorts left, and the rest of the batch settles.
    #[test]
    fn leaving_keeps_the_books_and_the_target(
        owners in proptest::collection::vec((0u32..10, 0u128..1_600, 0u128..6), 1..12),
        step in 0usize..64, most in 1_000u128..20_000,
    ) {
        let mut world = crashed();
        // Some cohorts have several members.
        for who in 20..26 {
            world.open_position(who, 20 * COLLATERAL, 2_900 * QUOTE, 200 * PRICE_ONE);
        }
        world.params.min_batch = Amount::new(most * QUOTE);
        let prices = world.prices(170 * PRICE_ONE);
        let block = world.block;
        let demand = Demand::default();
        let opening = world
            .transition(u32::MAX, |l, _| l.open(&prices, OpenRequest { block, demand }))
            .unwrap();
        let opening = extend(&mut world, &opening, 170 * PRICE_ONE, u128::MAX).unwrap_or(opening);
        let mut targets = opening.targets.clone();
        for (who, debt, collateral) in owners {
            let who = if who < 6 { who + 20 } else { who };
            if world.view(who, 170 * PRICE_ONE).batch.is_none() {
                continue;
            }
            if debt > 0 {
                let _ = world.transition(who, |l, p| l.repay(p, Amount::new(debt * QUOTE)))
                    .map(|paid| world.held.0 += paid.get());
            }
            if collateral > 0 {
                top_up(&mut world, who, collateral * COLLATERAL);
            }
            let healthy = {
                let view = world.view(who, 170 * PRICE_ONE);
                view.collateral.get() * 170 * 8 / 10 >= view.debt.get() * 105 / 100 * (COLLATERAL / QUOTE)
            };
            let before = world.state.lenders_assets().unwrap();
            match leave(&mut world, who, &opening) {
                Ok(left) => {
                    prop_assert!(healthy);
                    close_to(&left.targets, &brute_force(&world, &opening));
                    prop_assert!(left.targets.iter().zip(&targets).all(|(now, was)| now.get() <= was.get() + 1));
                    targets = left.targets;
                    prop_assert!(world.state.lenders_assets().unwrap() >= before);
                }
                Err(error) => prop_assert_eq!(error, LedgerError::UnderTargetHealth),
            }
            world.check();
        }
        let (price, raised) = (opening.prices[step], targets[step]);
        world.settle(opening.number, price, raised).unwrap();
        world.rest(opening.number);
        world.check();
        prop_assert!(world.state.batched_debt.is_zero());
    }
}
