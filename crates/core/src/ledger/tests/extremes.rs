//! Numbers at the end of their range: whatever the books hold, nothing panics, and what cannot be
//! calculated is refused as such.

use super::super::*;
use super::world::{crashed, World, COLLATERAL, QUOTE};
use crate::batch::Sale;
use crate::interest::InterestCurve;
use crate::lending::LendingError;
use crate::losses::settle_losses;
use crate::market::MarketPrices;
use crate::page::{BatchedCohort, Departure};
use crate::position::Position;
use crate::units::{Amount, DebtRatio, Index, Price, Ratio, ScaledDebt, Shares, PRICE_ONE};
use crate::wind_down::Collected;

const LADDER_AT: u128 = 150 * PRICE_ONE;

/// The market before a batch, with one running, settled and not rested, and wound down.
fn worlds() -> Vec<World> {
    let before = crashed();
    let mut running = before.clone();
    running.open_batch(LADDER_AT).unwrap();
    let aside = Amount::new(10 * QUOTE);
    running.transition(3, |l, p| l.repay(p, aside)).unwrap();
    let mut settled = before.clone();
    let opening = settled.open_batch(LADDER_AT).unwrap();
    let part = Amount::new(opening.targets[30].get() / 2);
    settled.settle(0, opening.prices[30], part).unwrap();
    let mut ended = settled.clone();
    ended.state.begin_wind_down().unwrap();
    vec![before, running, settled, ended]
}

type Change = fn(&mut World, u128);

/// Each total of the market, and what its cells hold, set to a number.
const CHANGES: [Change; 17] = [
    |w, n| w.state.cash = Amount::new(n),
    |w, n| w.state.supply_shares = Shares::new(n),
    |w, n| w.state.insurance = Amount::new(n),
    |w, n| w.state.rewards = Amount::new(n),
    |w, n| w.state.reserve_shares = Shares::new(n),
    |w, n| w.state.index = Index::from_raw(n.max(1)),
    |w, n| w.state.debt = ScaledDebt::new(n),
    |w, n| w.state.batched_debt = Amount::new(n),
    |w, n| w.state.free_collateral = Amount::new(n),
    |w, n| w.state.pooled_collateral = Amount::new(n),
    |w, n| w.state.batched_collateral = Amount::new(n),
    |w, n| w.state.closed_collateral = Amount::new(n),
    |w, n| w.state.collateral_rounding = Amount::new(n),
    |w, n| w.state.prepaid = Amount::new(n),
    |w, n| {
        w.state.written_off = Amount::new(n);
        w.state.epoch = u32::try_from(n).unwrap_or(u32::MAX);
        w.state.batches = w.state.epoch;
    },
    |w, n| {
        for page in w.cells.pages.values_mut() {
            for slot in 0..32 {
                if let Some(cohort) = page.cohorts.get_mut(slot) {
                    cohort.collateral = Amount::new(n);
                }
            }
        }
    },
    |w, n| {
        for page in w.cells.pages.values_mut() {
            for slot in 0..32 {
                if let Some(cohort) = page.cohorts.get_mut(slot) {
                    cohort.debt = ScaledDebt::new(n);
                }
            }
        }
    },
];

/// What a cohort in a batch says of itself, set to a number.
fn batched(world: &mut World, set: impl Fn(&mut BatchedCohort)) {
    let cells: Vec<_> = world
        .cells
        .departures
        .iter()
        .map(|(key, cell)| (*key, cell.clone()))
        .collect();
    for (key, cell) in cells {
        for (slot, departure) in cell.iter() {
            if let Departure::Batched(mut cohort) = *departure {
                set(&mut cohort);
                let cell = world.cells.departures.get_mut(&key).unwrap();
                cell.insert(slot, Departure::Batched(cohort));
            }
        }
    }
}

/// What the pages, the batches, the departures, the positions and the market's lesser totals hold.
const CELL_CHANGES: [Change; 22] = [
    |w, n| batched(w, |of| of.debt = Amount::new(n)),
    |w, n| batched(w, |of| of.retire = Amount::new(n)),
    |w, n| batched(w, |of| of.target = Amount::new(n)),
    |w, n| batched(w, |of| of.cohort.collateral = Amount::new(n)),
    |w, n| batched(w, |of| of.cohort.debt = ScaledDebt::new(n)),
    |w, n| batched(w, |of| of.cohort.shares.debt = Shares::new(n)),
    |w, n| batched(w, |of| of.cohort.shares.collateral = Shares::new(n)),
    |w, n| each(&mut w.cells.batches, |of| of.collateral = Amount::new(n)),
    |w, n| each(&mut w.cells.batches, |of| of.debt = Amount::new(n)),
    |w, n| each(&mut w.cells.batches, |of| of.asked = Amount::new(n)),
    |w, n| each(&mut w.cells.batches, |of| of.offered = Amount::new(n)),
    |w, n| each(&mut w.positions, |of| of.prepaid = Amount::new(n)),
    |w, n| each(&mut w.positions, |of| of.collateral = Amount::new(n)),
    |w, n| {
        each(&mut w.positions, |of| {
            if let Some(pooled) = &mut of.pooled {
                pooled.stake.collateral = Shares::new(n);
                pooled.stake.debt = Shares::new(n);
            }
        });
    },
    |w, n| {
        w.state
            .running
            .iter_mut()
            .for_each(|of| of.asked = Amount::new(n))
    },
    |w, n| {
        w.state
            .running
            .iter_mut()
            .for_each(|of| of.provision = Amount::new(n))
    },
    |w, n| w.state.inventory.held = Amount::new(n),
    |w, n| w.state.inventory.offered = Amount::new(n),
    |w, n| w.state.inventory.cost = Amount::new(n),
    |w, n| {
        for page in w.cells.pages.values_mut() {
            for slot in 0..128 {
                if let Some(cohort) = page.cohorts.get_mut(slot) {
                    cohort.shares.collateral = Shares::new(n);
                    cohort.shares.debt = Shares::new(n);
                }
            }
        }
    },
    |w, n| {
        for page in w.cells.pages.values_mut() {
            for slot in 0..128 {
                if let Some(cohort) = page.cohorts.get_mut(slot) {
                    cohort.members = u32::try_from(n).unwrap_or(u32::MAX);
                }
            }
        }
    },
    |w, n| {
        if let Some(ended) = &mut w.state.wind_down {
            ended.in_kind = Amount::new(n);
        }
    },
];

fn each<K: Ord, V>(cells: &mut alloc::collections::BTreeMap<K, V>, set: impl Fn(&mut V)) {
    cells.values_mut().for_each(set);
}

/// The market's terms, far outside the bounds that its creation holds them to.
const TERM_CHANGES: [Change; 9] = [
    |w, n| w.params.min_debt = Amount::new(n),
    |w, n| w.params.debt_ceiling = Amount::new(n),
    |w, n| w.params.hole = Amount::new(n),
    |w, n| w.params.min_batch = Amount::new(n),
    |w, n| w.params.keeper_tip = Amount::new(n),
    |w, n| w.params.penalty = ratio(n),
    |w, n| w.params.slippage = ratio(n),
    |w, n| w.params.target_health = ratio(n),
    |w, n| w.params.liquidation_threshold = ratio(n),
];

fn ratio(n: u128) -> Ratio {
    Ratio::from_ppm(u32::try_from(n).unwrap_or(u32::MAX))
}

type Act = fn(&mut World, &MarketPrices) -> Result<(), LedgerError>;

fn by(
    world: &mut World,
    act: impl FnOnce(&mut Ledger<'_, MemoryStore>, &mut Position) -> Result<(), LedgerError>,
) -> Result<(), LedgerError> {
    world.transition(3, act)
}

/// Prices of a batch opened in [`worlds`].
fn ladder(world: &World) -> Vec<Price> {
    let at = Price::new(LADDER_AT);
    let params = &world.params.ladder;
    params.prices(at, at, Default::default()).unwrap()
}

fn request(world: &World) -> OpenRequest {
    OpenRequest {
        block: world.block,
        demand: Demand {
            most: Amount::new(u128::MAX),
            depth: Some(Amount::new(u128::MAX)),
        },
    }
}

fn settle(world: &mut World, raised: u128) -> Result<(), LedgerError> {
    let sale = Sale {
        price: Price::new(LADDER_AT),
        raised: Amount::new(raised),
        excused: true,
    };
    by(world, |l, _| l.settle_batch(0, sale, 11, 2).map(|_| ()))
}

/// Everything that can be asked of the ledger.
const ACTS: [Act; 22] = [
    |w, _| by(w, |l, p| l.deposit(p, Amount::new(1))),
    |w, _| by(w, |l, p| l.deposit(p, Amount::new(u128::MAX))),
    |w, _| by(w, |l, p| l.withdraw(p, Amount::new(1), None)),
    |w, at| by(w, |l, p| l.withdraw(p, Amount::new(COLLATERAL), Some(at))),
    |w, at| by(w, |l, p| l.borrow(p, Amount::new(QUOTE), at)),
    |w, at| by(w, |l, p| l.borrow(p, Amount::new(u128::MAX), at)),
    |w, _| by(w, |l, p| l.repay(p, Amount::new(QUOTE)).map(|_| ())),
    |w, _| by(w, |l, p| l.repay(p, Amount::new(u128::MAX)).map(|_| ())),
    |w, _| by(w, |l, p| l.reclaim(p).map(|_| ())),
    |w, _| by(w, |l, p| l.close_position(p).map(|_| ())),
    |w, _| by(w, |l, p| l.sync(p, 8).map(|_| ())),
    |w, at| {
        let request = request(w);
        by(w, |l, _| l.open(at, request).map(|_| ()))
    },
    |w, at| {
        let (request, ladder) = (request(w), ladder(w));
        by(w, |l, _| l.extend(0, at, &ladder, request).map(|_| ()))
    },
    |w, _| settle(w, 0),
    |w, _| settle(w, 100 * QUOTE),
    |w, _| settle(w, u128::MAX),
    |w, _| by(w, |l, _| l.rest(0, 64).map(|_| ())),
    |w, _| {
        let ladder = ladder(w);
        by(w, |l, p| l.leave(p, 0, &ladder).map(|_| ()))
    },
    |w, at| by(w, |l, p| l.take_in_kind(p, at, u32::MAX).map(|_| ())),
    |w, at| by(w, |l, p| l.view(p, at.spot).map(|_| ())),
    |w, at| by(w, |l, _| l.at_risk(at.spot).map(|_| ())),
    |w, at| {
        by(w, |l, _| {
            l.insolvency(at.spot)?;
            l.histogram(0, u16::MAX).map(|_| ())
        })
    },
];

/// What lenders and time do, beside the ledger.
fn beside(world: &World) {
    let state = &world.state;
    let lend = |act: fn(&mut MarketState) -> Result<(), LendingError>| {
        let _ = act(&mut state.clone());
    };
    lend(|s| {
        s.supply(Amount::new(QUOTE), Amount::new(u128::MAX))
            .map(drop)
    });
    lend(|s| {
        s.redeem(s.supply_shares, s.supply_shares, Amount::new(1))
            .map(drop)
    });
    lend(|s| Ok(s.accrue(&InterestCurve::STANDARD, u64::MAX)?));
    lend(|s| Ok(s.draw_reserve(Amount::new(7), Amount::new(9)).map(drop)?));
    lend(|s| Ok(s.book_loss(Amount::new(1), s.pool()?, Ratio::from_ppm(1))?));
    lend(|s| Ok(s.take_in(Amount::new(u128::MAX)).map(drop)?));
    lend(|s| {
        s.collect(s.supply_shares, &mut Collected::default(), false)
            .map(drop)
    });
    lend(|s| {
        s.collect(s.supply_shares, &mut Collected::default(), true)
            .map(drop)
    });
    lend(|s| {
        Ok(s.lender_value(s.supply_shares, Collected::default())
            .map(drop)?)
    });
    lend(|s| Ok(s.quote_owed().and(s.collateral_owed()).map(drop)?));
}

const NUMBERS: [u128; 5] = [0, 1, 1 << 64, u128::MAX >> 1, u128::MAX];
const PRICES: [u128; 3] = [LADDER_AT, 1, u128::MAX];

/// Asks everything of a market and counts what was done and what was refused.
fn ask_everything(world: &World, price: u128, counts: &mut (u32, u32)) {
    let prices = world.prices(price);
    for act in ACTS {
        match act(&mut world.clone(), &prices) {
            Ok(()) => counts.0 += 1,
            Err(_) => counts.1 += 1,
        }
    }
}

/// I-49: no number in the books makes the ledger panic; it calculates or refuses.
#[test]
fn numbers_at_the_end_of_their_range_are_refused_and_nothing_panics() {
    let mut counts = (0, 0);
    for world in worlds() {
        for change in CHANGES.iter().chain(&CELL_CHANGES).chain(&TERM_CHANGES) {
            for number in NUMBERS {
                let mut extreme = world.clone();
                change(&mut extreme, number);
                beside(&extreme);
                for price in PRICES {
                    ask_everything(&extreme, price, &mut counts);
                }
            }
        }
    }
    assert!(counts.0 > 10_000 && counts.1 > 10_000, "{counts:?}");
}

/// I-49: nor do two of them together, one of which hides the refusal of the other.
#[test]
fn two_numbers_at_the_end_of_their_range_are_no_worse_than_one() {
    let changes: Vec<_> = CHANGES
        .iter()
        .chain(&CELL_CHANGES)
        .chain(&TERM_CHANGES)
        .collect();
    let mut counts = (0, 0);
    for world in worlds() {
        let mut pair = 0usize;
        for (at, first) in changes.iter().enumerate() {
            for second in &changes[..at] {
                // Every pair of changes, with a fifth of the pairs of numbers in turn.
                pair += 1;
                let (a, b) = (NUMBERS[pair % 5], NUMBERS[(pair / 5) % 5]);
                let mut extreme = world.clone();
                first(&mut extreme, a);
                second(&mut extreme, b);
                beside(&extreme);
                ask_everything(&extreme, PRICES[pair % 3], &mut counts);
            }
        }
    }
    assert!(counts.0 > 10_000 && counts.1 > 10_000, "{counts:?}");
}

#[test]
fn sums_and_products_beyond_the_range_are_named() {
    let most = Amount::new(u128::MAX);
    assert_eq!(most.plus(Amount::new(1)), Err(MathError::Overflow));
    assert_eq!(
        Amount::ZERO.minus(Amount::new(1)),
        Err(MathError::Underflow)
    );
    let ratio = |n: u128| DebtRatio::new(n);
    assert_eq!(ratio(u128::MAX).plus(ratio(1)), Err(MathError::Overflow));
    assert_eq!(ratio(0).minus(ratio(1)), Err(MathError::Underflow));
    assert_eq!(ratio(0).minus_or_zero(ratio(1)), ratio(0));
    let wished = settle_losses(most, Amount::ZERO, most, most, most, Ratio::ONE);
    assert_eq!(wished, Err(MathError::Overflow));
    let mut state = MarketState {
        cash: most,
        ..MarketState::default()
    };
    let full = state.supply(most, most);
    assert_eq!(full, Err(LendingError::Math(MathError::Overflow)));
}
