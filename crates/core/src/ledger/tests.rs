//! The ledger against a plain model, and the promises it carries on its own.

use super::*;
use crate::batch::Batch;
use crate::market::{example_params, MarketPrices};
use crate::math::Rounding;
use crate::position::{Position, Status};
use crate::units::{Amount, Price, Ratio, PRICE_ONE};
use alloc::collections::BTreeMap;
use proptest::prelude::*;

/// Cells in maps, with a count of accesses.
#[derive(Clone, Default, Debug, PartialEq)]
struct Cells {
    pages: BTreeMap<PageNumber, Page>,
    departures: BTreeMap<DepartureKey, Departures>,
    batches: BTreeMap<u32, Batch>,
}

impl LedgerStore for Cells {
    fn page(&self, page: PageNumber) -> Option<Page> {
        self.pages.get(&page).cloned()
    }
    fn set_page(&mut self, page: PageNumber, value: Option<&Page>) {
        match value {
            Some(value) => self.pages.insert(page, value.clone()),
            None => self.pages.remove(&page),
        };
    }
    fn departures(&self, key: DepartureKey) -> Option<Departures> {
        self.departures.get(&key).cloned()
    }
    fn set_departures(&mut self, key: DepartureKey, value: Option<&Departures>) {
        match value {
            Some(value) => self.departures.insert(key, value.clone()),
            None => self.departures.remove(&key),
        };
    }
    fn batch(&self, number: u32) -> Option<Batch> {
        self.batches.get(&number).cloned()
    }
    fn set_batch(&mut self, number: u32, value: &Batch) {
        self.batches.insert(number, value.clone());
    }
}

/// A market with its positions, where every transition is all or nothing.
#[derive(Clone)]
struct World {
    params: MarketParams,
    state: MarketState,
    cells: Cells,
    positions: BTreeMap<u32, Position>,
    /// Tokens the vault holds: quote, collateral.
    held: (u128, u128),
    /// Quote paid out to borrowers and received back, per position; collateral likewise.
    block: u32,
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            params: MarketParams {
                min_debt: Amount::new(1_000_000),
                ..example_params()
            },
            state: MarketState::default(),
            cells: Cells::default(),
            positions: BTreeMap::new(),
            held: (0, 0),
            block: 10,
        };
        world.supply(1_000_000_000_000);
        world
    }

    fn supply(&mut self, amount: u128) {
        self.state
            .supply(Amount::new(amount), self.params.supply_cap)
            .unwrap();
        self.held.0 += amount;
    }

    fn transition<T>(
        &mut self,
        who: u32,
        act: impl FnOnce(&mut Ledger<'_, Cells>, &mut Position) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        let before = (self.state.clone(), self.cells.clone());
        let mut position = self.positions.get(&who).copied().unwrap_or_default();
        let mut ledger =
            Ledger::new(&self.params, &mut self.state, &mut self.cells).expect("valid");
        let result = act(&mut ledger, &mut position);
        match result {
            Ok(_) => {
                ledger.commit();
                self.positions.insert(who, position);
            }
            Err(_) => {
                drop(ledger);
                (self.state, self.cells) = before;
            }
        }
        result
    }

    fn prices(&self, price: u128) -> MarketPrices {
        let price = Price::new(price);
        MarketPrices {
            spot: price,
            previous: price,
            twap: price,
            round: 1,
            accepted_in: self.block - 1,
            age: 0,
        }
    }

    fn open_position(&mut self, who: u32, collateral: u128, debt: u128, price: u128) {
        let prices = self.prices(price);
        self.transition(who, |l, p| l.deposit(p, Amount::new(collateral)))
            .unwrap();
        self.held.1 += collateral;
        self.transition(who, |l, p| l.borrow(p, Amount::new(debt), &prices))
            .unwrap();
        self.held.0 -= debt;
    }

    fn open_batch(&mut self, price: u128) -> Result<Opening, LedgerError> {
        let prices = self.prices(price);
        let request = OpenRequest {
            block: self.block,
            most: Amount::new(u128::MAX),
        };
        self.transition(u32::MAX, |l, _| l.open(&prices, request))
    }

    fn settle(
        &mut self,
        number: u32,
        price: Price,
        raised: Amount,
    ) -> Result<Settlement, LedgerError> {
        // Half of all settlements put the first cell back at once.
        let rest = (self.block % 2) as u16;
        let block = self.block;
        let done = self.transition(u32::MAX, |l, _| {
            l.settle_batch(number, price, raised, block, rest)
        })?;
        self.held.0 += raised.get();
        self.held.1 -= done.sold.get();
        Ok(done)
    }

    fn rest(&mut self, number: u32) {
        while !self.transition(u32::MAX, |l, _| l.rest(number, 1)).unwrap() {}
    }

    fn view(&self, who: u32, price: u128) -> crate::position::PositionView {
        let mut world = self.clone();
        let position = world.positions.get(&who).copied().unwrap_or_default();
        let mut ledger =
            Ledger::new(&world.params, &mut world.state, &mut world.cells).expect("valid");
        ledger.view(&position, Price::new(price)).unwrap()
    }

    /// Promise 9: tokens held equal the sum of claims, and totals equal what cells hold.
    fn check(&self) {
        assert_eq!(self.state.quote_owed().unwrap().get(), self.held.0, "quote");
        assert_eq!(
            self.state.collateral_owed().unwrap().get(),
            self.held.1,
            "collateral"
        );
        let (mut pooled, mut debt, mut batched, mut closed, mut members) = (0, 0, 0, 0, 0u32);
        for (number, page) in &self.cells.pages {
            assert!(!page.cohorts.is_empty());
            assert_eq!(
                self.state.directory.highest_at_or_below(*number),
                Some(*number)
            );
            for (slot, cohort) in page.cohorts.iter() {
                pooled += cohort.collateral.get();
                debt += cohort.debt.get();
                members += cohort.members;
                let bound = crate::tick::bound(crate::page::tick_of(*number, slot));
                assert!(cohort.lower_bound >= bound);
            }
        }
        for departures in self.cells.departures.values() {
            for (_, departure) in departures.iter() {
                match departure {
                    crate::page::Departure::Batched(cohort) => {
                        let batch = &self.cells.batches[&cohort.batch];
                        members += cohort.cohort.members;
                        match batch.settled {
                            None => batched += cohort.cohort.collateral.get(),
                            Some(settled) => {
                                let scale = self.params.scale().unwrap();
                                let raised = Batch::raise_of(&settled, cohort, scale).unwrap();
                                let after =
                                    crate::batch::outcome(cohort, settled.price, raised, scale)
                                        .unwrap();
                                if after.debt_left.is_zero() {
                                    closed += after.collateral_left.get();
                                } else {
                                    pooled += after.collateral_left.get();
                                    debt += settled
                                        .index
                                        .scaled(after.debt_left, Rounding::Up)
                                        .unwrap()
                                        .get();
                                }
                            }
                        }
                    }
                    crate::page::Departure::Closed(cohort) => {
                        closed += cohort.collateral.get();
                        members += cohort.members;
                    }
                    crate::page::Departure::Moved { .. } => {}
                }
            }
        }
        assert_eq!(
            self.state.pooled_collateral.get(),
            pooled,
            "pooled collateral"
        );
        assert_eq!(self.state.debt.get(), debt, "debt");
        assert_eq!(
            self.state.batched_collateral.get(),
            batched,
            "batched collateral"
        );
        assert_eq!(
            self.state.closed_collateral.get(),
            closed,
            "closed collateral"
        );
        let pooled_positions = self
            .positions
            .values()
            .filter(|p| p.pooled.is_some())
            .count();
        assert_eq!(members as usize, pooled_positions, "members");
    }
}

const COLLATERAL: u128 = 1_000_000_000_000_000_000;
const QUOTE: u128 = 1_000_000;

/// Ten positions of 10 collateral at 200, owing 1 400 to 1 490, and a fall to 170.
fn crashed() -> World {
    let mut world = World::new();
    for who in 0..10 {
        world.open_position(
            who,
            10 * COLLATERAL,
            (1_400 + 10 * u128::from(who)) * QUOTE,
            200 * PRICE_ONE,
        );
        world.check();
    }
    world
}

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
        assert_eq!(view.status, Status::Healthy);
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
        most: Amount::new(u128::MAX),
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
    assert_eq!(world.view(9, trigger).status, Status::Healthy);
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
    // The batch retired the debt by itself, so what was paid in advance comes back.
    let back = world.transition(9, |l, p| l.reclaim(p)).unwrap();
    world.held.0 -= back.get();
    assert!(back <= owed && back.get() > 0);
    world.check();
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
                most: Amount::new(u128::MAX),
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
        .filter(|view| view.status == Status::Liquidatable)
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

#[derive(Clone, Debug)]
enum Act {
    Deposit(u32, u128),
    Withdraw(u32, u128),
    Borrow(u32, u128),
    Repay(u32, u128),
    Sync(u32, u16),
    Move(i32),
    Open,
    Settle(u32, u8, u32),
    Rest(u32),
    Wait(u64),
}

fn act() -> impl Strategy<Value = Act> {
    let who = 0u32..12;
    prop_oneof![
        3 => (who.clone(), 1u128..20 * COLLATERAL).prop_map(|(w, a)| Act::Deposit(w, a)),
        2 => (who.clone(), 1u128..20 * COLLATERAL).prop_map(|(w, a)| Act::Withdraw(w, a)),
        4 => (who.clone(), 1u128..3_000 * QUOTE).prop_map(|(w, a)| Act::Borrow(w, a)),
        2 => (who.clone(), 1u128..3_000 * QUOTE).prop_map(|(w, a)| Act::Repay(w, a)),
        1 => (who, 0u16..4).prop_map(|(w, n)| Act::Sync(w, n)),
        3 => (-120i32..110).prop_map(Act::Move),
        3 => Just(Act::Open),
        3 => (0u32..4, 0u8..64, 0u32..=1_100_000).prop_map(|(b, s, f)| Act::Settle(b, s, f)),
        2 => (0u32..8).prop_map(Act::Rest),
        2 => (1u64..40 * 86_400_000).prop_map(Act::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    /// Promises 5 and 9 over random histories: after every transition tokens held equal the sum
    /// of claims, totals equal the cells, and nobody healthy at the price enters a batch.
    #[test]
    fn random_histories_conserve_and_never_touch_the_healthy(
        acts in proptest::collection::vec(act(), 1..120),
    ) {
        let mut world = World::new();
        world.params.interest = crate::interest::InterestCurve::STANDARD;
        let mut price = 200 * PRICE_ONE;
        let mut running: Vec<Opening> = Vec::new();
        for act in acts {
            world.block += 1;
            let prices = world.prices(price);
            match act {
                Act::Deposit(who, amount) => {
                    if world.transition(who, |l, p| l.deposit(p, Amount::new(amount))).is_ok() {
                        world.held.1 += amount;
                    }
                }
                Act::Withdraw(who, amount) => {
                    let done =
                        world.transition(who, |l, p| l.withdraw(p, Amount::new(amount), Some(&prices)));
                    if done.is_ok() {
                        world.held.1 -= amount;
                    }
                }
                Act::Borrow(who, amount) => {
                    if world.transition(who, |l, p| l.borrow(p, Amount::new(amount), &prices)).is_ok() {
                        world.held.0 -= amount;
                    }
                }
                Act::Repay(who, amount) => {
                    let paid = world.transition(who, |l, p| l.repay(p, Amount::new(amount)));
                    if let Ok(paid) = paid {
                        world.held.0 += paid.get();
                    }
                }
                Act::Sync(who, moves) => {
                    world.transition(who, |l, p| l.sync(p, moves)).unwrap();
                }
                Act::Wait(milliseconds) => {
                    let now = world.state.accrued_at + milliseconds;
                    world.state.accrue(&world.params.interest, now).unwrap();
                }
                Act::Move(per_mille) => {
                    let moved = price as i128 + price as i128 / 1_000 * i128::from(per_mille);
                    price = u128::try_from(moved).unwrap().clamp(PRICE_ONE, 10_000 * PRICE_ONE);
                }
                Act::Open => {
                    let before: Vec<_> = (0..12).map(|who| world.view(who, price)).collect();
                    if let Ok(opening) = world.open_batch(price) {
                        for who in 0..12 {
                            let was = before[who as usize];
                            if world.view(who, price).batch == Some(opening.number) {
                                prop_assert_eq!(was.status, Status::Liquidatable);
                            }
                        }
                        running.push(opening);
                    }
                }
                Act::Settle(nth, step, fraction) => {
                    if !running.is_empty() {
                        let opening = running.remove(nth as usize % running.len());
                        let step = usize::from(step);
                        let target = opening.targets[step];
                        let raised = target
                            .share(Ratio::from_ppm(fraction.min(1_000_000)), Rounding::Down)
                            .unwrap();
                        world.settle(opening.number, opening.prices[step], raised).unwrap();
                    }
                }
                Act::Rest(nth) => {
                    let settled = world.cells.batches.iter().filter(|(_, b)| b.settled.is_some());
                    if let Some((number, _)) = settled.clone().nth(nth as usize) {
                        let number = *number;
                        world.transition(u32::MAX, |l, _| l.rest(number, 1)).unwrap();
                    }
                }
            }
            world.check();
        }
        // Promise 6: whatever happened, after settling everybody can repay and leave.
        for opening in running {
            world.settle(opening.number, opening.prices[30], Amount::ZERO).unwrap();
        }
        for who in 0..12 {
            while !world.transition(who, |l, p| l.sync(p, 8)).unwrap() {}
            if let Ok(paid) = world.transition(who, |l, p| l.repay(p, Amount::new(u128::MAX))) {
                world.held.0 += paid.get();
            }
            if let Ok(back) = world.transition(who, |l, p| l.reclaim(p)) {
                world.held.0 -= back.get();
            }
            prop_assert!(world.view(who, price).debt.is_zero());
            let out = world.positions.get(&who).map(|p| p.collateral).unwrap_or_default();
            if !out.is_zero() {
                world.transition(who, |l, p| l.withdraw(p, out, None)).unwrap();
                world.held.1 -= out.get();
            }
            world.check();
        }
    }
}
