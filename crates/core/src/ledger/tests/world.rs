//! A market with its cells in maps, and the books that are checked after every transition.

use super::super::*;
use crate::batch::{raise_at, Sale};
use crate::market::{example_params, MarketPrices};
use crate::math::Rounding;
use crate::position::Position;
use crate::units::{Amount, Price, PRICE_ONE};
use alloc::collections::BTreeMap;

/// A market with its positions, where every transition is all or nothing.
#[derive(Clone)]
pub(super) struct World {
    pub(super) params: MarketParams,
    pub(super) state: MarketState,
    pub(super) cells: MemoryStore,
    pub(super) positions: BTreeMap<u32, Position>,
    /// Tokens the vault holds: quote, collateral.
    pub(super) held: (u128, u128),
    /// Quote paid out to borrowers and received back, per position; collateral likewise.
    pub(super) block: u32,
    /// Latest accepted round.
    pub(super) round: u32,
}

impl World {
    pub(super) fn new() -> Self {
        let mut world = Self {
            params: MarketParams {
                min_debt: Amount::new(1_000_000),
                ..example_params()
            },
            state: MarketState::default(),
            cells: MemoryStore::default(),
            positions: BTreeMap::new(),
            held: (0, 0),
            block: 10,
            round: 1,
        };
        world.supply(1_000_000_000_000);
        world
    }

    pub(super) fn supply(&mut self, amount: u128) {
        self.state
            .supply(Amount::new(amount), self.params.supply_cap)
            .unwrap();
        self.held.0 += amount;
    }

    pub(super) fn transition<T>(
        &mut self,
        who: u32,
        act: impl FnOnce(&mut Ledger<'_, MemoryStore>, &mut Position) -> Result<T, LedgerError>,
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

    pub(super) fn prices(&self, price: u128) -> MarketPrices {
        let price = Price::new(price);
        MarketPrices {
            spot: price,
            previous: price,
            twap: price,
            round: self.round,
            accepted_in: self.block - 1,
            age: 0,
            quarantined: None,
            volatility: None,
        }
    }

    pub(super) fn open_position(&mut self, who: u32, collateral: u128, debt: u128, price: u128) {
        let prices = self.prices(price);
        self.transition(who, |l, p| l.deposit(p, Amount::new(collateral)))
            .unwrap();
        self.held.1 += collateral;
        self.transition(who, |l, p| l.borrow(p, Amount::new(debt), &prices))
            .unwrap();
        self.held.0 -= debt;
    }

    pub(super) fn open_batch(&mut self, price: u128) -> Result<Opening, LedgerError> {
        let prices = self.prices(price);
        let request = OpenRequest {
            block: self.block,
            demand: Demand {
                most: Amount::new(u128::MAX),
                depth: None,
            },
        };
        self.transition(u32::MAX, |l, _| l.open(&prices, request))
    }

    pub(super) fn settle(
        &mut self,
        number: u32,
        price: Price,
        raised: Amount,
    ) -> Result<Settlement, LedgerError> {
        // Half of all settlements put the first cell back at once.
        let rest = (self.block % 2) as u16;
        let block = self.block;
        let done = self.transition(u32::MAX, |l, _| {
            let sale = Sale {
                price,
                raised,
                excused: false,
            };
            l.settle_batch(number, sale, block, rest)
        })?;
        self.held.0 += raised.get();
        self.held.1 -= done.sold.get();
        Ok(done)
    }

    /// Closes a batch that nobody bid for, at these prices.
    pub(super) fn settle_unsold(
        &mut self,
        number: u32,
        prices: &MarketPrices,
    ) -> Result<Settlement, LedgerError> {
        let (block, rest) = (self.block, (self.block % 2) as u16);
        let done = self.transition(u32::MAX, |l, _| {
            l.settle_unsold(number, prices, block, rest)
        })?;
        assert!(
            done.raised.is_zero() && done.sold.is_zero(),
            "no token moves"
        );
        Ok(done)
    }

    /// Gives quote to insurance.
    pub(super) fn insure(&mut self, amount: u128) {
        self.state.take_in(Amount::new(amount)).unwrap();
        self.held.0 += amount;
    }

    pub(super) fn rest(&mut self, number: u32) {
        while !self.transition(u32::MAX, |l, _| l.rest(number, 1)).unwrap() {}
    }

    pub(super) fn view(&self, who: u32, price: u128) -> crate::position::PositionView {
        let mut world = self.clone();
        let position = world.positions.get(&who).copied().unwrap_or_default();
        let mut ledger =
            Ledger::new(&world.params, &mut world.state, &mut world.cells).expect("valid");
        ledger.view(&position, Price::new(price)).unwrap()
    }

    /// Promise 9: tokens held equal the sum of claims, and totals equal what cells hold.
    pub(super) fn check(&self) {
        assert_eq!(self.state.quote_owed().unwrap().get(), self.held.0, "quote");
        assert_eq!(
            self.state.collateral_owed().unwrap().get(),
            self.held.1,
            "collateral"
        );
        let (mut pooled, mut debt, mut batched, mut closed, mut members) = (0, 0, 0, 0, 0u32);
        let mut unrested = crate::market::Unrested::default();
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
                // A share is a unit, always: so nothing is rounded away on the way in or out, and
                // nobody can make the shares of a tick dear for whoever comes next.
                assert_eq!(cohort.shares.collateral.get(), cohort.collateral.get());
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
                                let asked = raise_at(cohort, settled.price, scale).unwrap();
                                let raised = settled.raise_of(cohort.rank, asked);
                                let after =
                                    crate::batch::outcome(cohort, settled.price, raised, scale)
                                        .unwrap();
                                let owed = settled.index.scaled(after.debt_left, Rounding::Up);
                                let left = after.unrested(owed.unwrap(), batch.floor, scale);
                                unrested = unrested.with(left.unwrap()).unwrap();
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
        assert_eq!(self.state.unrested, unrested, "unrested");
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
        let offered: u128 = self
            .cells
            .batches
            .values()
            .filter(|batch| batch.settled.is_none())
            .map(|batch| batch.offered.get())
            .sum();
        assert_eq!(self.state.inventory.offered.get(), offered, "offered");
        let pooled_positions = self
            .positions
            .values()
            .filter(|p| p.pooled.is_some())
            .count();
        assert_eq!(members as usize, pooled_positions, "members");
    }
}

pub(super) const COLLATERAL: u128 = 1_000_000_000_000_000_000;
pub(super) const QUOTE: u128 = 1_000_000;

/// Ten positions of 10 collateral at 200, owing 1 400 to 1 490, and a fall to 170.
pub(super) fn crashed() -> World {
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
