//! Opening a batch from the riskiest ticks down, and settling it at one price.

use super::{Ledger, LedgerError, LedgerStore};
use crate::batch::{ask, cut, outcome, raise_at, targets, Batch, Settled};
use crate::losses::{settle_losses, Waterfall};
use crate::market::{MarketPrices, Running, MAX_RUNNING_BATCHES, MAX_TICKS_PER_BATCH};
use crate::math::Rounding;
use crate::page::{
    tick_of, BatchedCohort, Cohort, CohortId, Departure, DepartureKey, Directory, PageNumber,
};
use crate::tick;
use crate::units::{is_liquidatable, Amount, Block, Price};
use alloc::vec::Vec;
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// The most storage cells a batch spreads over: they are read once more at settlement.
pub const MAX_CELLS_PER_BATCH: usize = 64;

/// The most pages an opening looks at: with cohorts that wait, more than it takes from.
const MAX_PAGES_PER_SWEEP: usize = 64;

/// What the caller of an opening may decide: nothing but what bidders have deposited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct OpenRequest {
    /// Block of the call.
    pub block: Block,
    /// The most the batch should ask for: free budgets / 1.5. Raised to the market's minimum.
    pub most: Amount,
}

/// An opened batch, as its auction needs it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Opening {
    /// Number of the batch in its market.
    pub number: u32,
    /// The better of the last two accepted prices: what health was judged at.
    pub reference: Price,
    /// Price of the latest accepted round.
    pub spot: Price,
    /// Price of each step.
    pub prices: Vec<Price>,
    /// `T` at each step, quote.
    pub targets: Vec<Amount>,
    /// Cohorts pooled.
    pub cohorts: u16,
    /// Positions pooled.
    pub members: u32,
    /// Collateral pooled.
    pub collateral: Amount,
    /// Debt pooled, quote.
    pub debt: Amount,
}

/// What a settlement did, in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Settlement {
    /// Clearing price; zero when nothing was sold.
    pub price: Price,
    /// Quote raised.
    pub raised: Amount,
    /// Collateral that goes to the bidders: `⌊raised / price⌋`.
    pub sold: Amount,
    /// Debt repaid from the proceeds.
    pub repaid: Amount,
    /// Penalties collected, and what rounding left of the proceeds.
    pub penalties: Amount,
    /// Collateral that stays with the owners.
    pub returned: Amount,
    /// Debt that stays with the owners, quote.
    pub debt_left: Amount,
    /// Who bore a shortfall, and what keepers and insurance received.
    pub waterfall: Waterfall,
    /// Whether every cohort is back in its place; else `rest` has work left.
    pub rested: bool,
}

impl<S: LedgerStore> Ledger<'_, S> {
    /// Takes under-margined cohorts out of their ticks, riskiest first, into a new batch.
    ///
    /// A cohort qualifies if its tick's lower bound is unhealthy at the better of the last two
    /// accepted rounds, the later of which is at least a block old (promise 5). The sum of what
    /// they raise at the start price stays within the room under the hole and within what
    /// bidders' deposits cover; the last cohort is taken whole with its ask cut to that room.
    ///
    /// # Errors
    /// [`LedgerError::RoundTooFresh`], [`LedgerError::StalePrice`],
    /// [`LedgerError::TooManyBatches`], [`LedgerError::HoleFull`],
    /// [`LedgerError::FloorAboveSpot`], [`LedgerError::NothingToLiquidate`],
    /// [`LedgerError::BatchTooSmall`], [`LedgerError::Math`].
    pub fn open(
        &mut self,
        prices: &MarketPrices,
        request: OpenRequest,
    ) -> Result<Opening, LedgerError> {
        if prices.accepted_in >= request.block {
            return Err(LedgerError::RoundTooFresh);
        }
        if prices.age > self.params.max_price_age {
            return Err(LedgerError::StalePrice);
        }
        if self.state.running.len() >= MAX_RUNNING_BATCHES {
            return Err(LedgerError::TooManyBatches);
        }
        let ladder = self.params.ladder.prices(prices.spot, prices.twap)?;
        let (Some(start), Some(floor)) = (ladder.first().copied(), ladder.last().copied()) else {
            return Err(LedgerError::CorruptedStorage);
        };
        if !self.params.ladder.has_room(prices.spot)? {
            return Err(LedgerError::FloorAboveSpot);
        }
        let room = self.params.hole.minus_or_zero(self.state.committed()?);
        if room.is_zero() {
            return Err(LedgerError::HoleFull);
        }
        let room = room.min(request.most.max(self.params.min_batch));

        let number = self.state.batches;
        let sweep = Sweep {
            number,
            reference: prices.best(),
            start,
            floor,
            room,
            block: request.block,
            round: prices.round,
        };
        let lot = self.collect(&sweep)?;
        if lot.cohorts == 0 {
            return Err(LedgerError::NothingToLiquidate);
        }
        let least = self.params.hole.mul_div(1, 8, Rounding::Up)?;
        if !self.state.running.is_empty() && lot.asked < least {
            return Err(LedgerError::BatchTooSmall);
        }

        self.state.batches = number
            .checked_add(1)
            .ok_or(crate::math::MathError::Overflow)?;
        self.state.running.push(Running {
            number,
            asked: lot.asked,
            provision: lot.provision,
        });
        self.state.pooled_collateral = self.state.pooled_collateral.minus(lot.collateral)?;
        self.state.batched_collateral = self.state.batched_collateral.plus(lot.collateral)?;
        self.state.batched_debt = self.state.batched_debt.plus(lot.debt)?;
        let targets = targets(&lot.terms, &ladder, self.scale)?;
        let batch = Batch {
            opened_in: request.block,
            round: prices.round,
            reference: prices.best(),
            start,
            floor,
            cells: lot.cells,
            cohorts: lot.cohorts,
            members: lot.members,
            collateral: lot.collateral,
            debt: lot.debt,
            asked: lot.asked,
            settled: None,
        };
        self.store.set_batch(number, &batch);
        Ok(Opening {
            number,
            reference: batch.reference,
            spot: prices.spot,
            prices: ladder,
            targets,
            cohorts: batch.cohorts,
            members: batch.members,
            collateral: batch.collateral,
            debt: batch.debt,
        })
    }

    /// Walks the ticks from the riskiest down and moves what qualifies into departures.
    fn collect(&mut self, sweep: &Sweep) -> Result<Lot, LedgerError> {
        let mut lot = Lot::default();
        let mut next = self.state.directory.highest_at_or_below(Directory::LAST);
        for _ in 0..MAX_PAGES_PER_SWEEP {
            let Some(page) = next else { break };
            if !self.collect_page(page, sweep, &mut lot)? {
                break;
            }
            next = page
                .checked_sub(1)
                .and_then(|below| self.state.directory.highest_at_or_below(below));
        }
        Ok(lot)
    }

    /// Collects from one page; returns whether the walk goes on below it.
    fn collect_page(
        &mut self,
        page: PageNumber,
        sweep: &Sweep,
        lot: &mut Lot,
    ) -> Result<bool, LedgerError> {
        let (index, threshold) = (self.state.index, self.params.liquidation_threshold);
        let Sweep {
            number,
            reference,
            start,
            ..
        } = *sweep;
        let residents: Vec<(u8, Cohort)> = self
            .page(page)?
            .cohorts
            .iter()
            .rev()
            .map(|(slot, cohort)| (slot, *cohort))
            .collect();
        let mut taken = false;
        let mut goes_on = true;
        for (slot, cohort) in residents {
            let bound = tick::bound(tick_of(page, slot));
            let left = sweep.room.minus_or_zero(lot.asked);
            if left.is_zero()
                || lot.cohorts >= MAX_TICKS_PER_BATCH
                || lot.cells.len() >= MAX_CELLS_PER_BATCH
                || !is_liquidatable(bound, index, reference, threshold)
            {
                goes_on = false;
                break;
            }
            if self.waits(&cohort, sweep)? {
                continue;
            }
            let debt = index.owed(cohort.debt, Rounding::Up)?;
            let mut asked = ask(self.params, self.scale, cohort.collateral, debt, reference)?;
            let batched = |asked: crate::batch::Ask| BatchedCohort {
                batch: number,
                rank: lot.cohorts,
                cohort,
                debt,
                retire: asked.retire,
                target: asked.target,
            };
            let mut raise = raise_at(&batched(asked), start, self.scale)?;
            if raise > left {
                let value = self
                    .scale
                    .value(cohort.collateral, reference, Rounding::Down)?;
                asked = cut(asked, left, self.params, value, debt)?;
                raise = raise_at(&batched(asked), start, self.scale)?;
            }
            let entry = batched(asked);
            let id = CohortId {
                tick: tick_of(page, slot),
                epoch: cohort.epoch,
            };
            self.departed_mut(id.departures())?
                .insert(slot, Departure::Batched(entry));
            self.page_mut(page)?.cohorts.remove(slot);
            self.state.debt = self.state.debt.minus(cohort.debt)?;
            let at_floor = self
                .scale
                .value(cohort.collateral, sweep.floor, Rounding::Down)?;
            let lack = debt.minus_or_zero(at_floor);
            lot.take(id.departures(), &entry, raise, lack)?;
            taken = true;
        }
        if taken {
            let epoch = self.state.next_epoch()?;
            self.page_mut(page)?.epoch = epoch;
        }
        Ok(goes_on)
    }

    /// Whether a cohort whose last batch found too little money is left alone for now. Health at
    /// or under full-close ends the wait.
    fn waits(&self, cohort: &Cohort, sweep: &Sweep) -> Result<bool, LedgerError> {
        if !cohort.cooling.waits(sweep.block, sweep.round) {
            return Ok(false);
        }
        let debt = self.state.index.owed(cohort.debt, Rounding::Up)?;
        let backing = self
            .scale
            .value(cohort.collateral, sweep.reference, Rounding::Down)?
            .share(self.params.liquidation_threshold, Rounding::Down)?;
        Ok(backing > debt.share(self.params.full_close_health, Rounding::Up)?)
    }

    /// Settles a batch at one price, riskiest cohorts first while the money lasts.
    ///
    /// Flat in the number of positions: it reads the batch's cells and writes totals. What each
    /// cohort keeps follows from the clearing; the first `rest` cells are put back at once, the
    /// others by [`Self::rest`] or when a member is touched. `raised` zero closes the batch
    /// without a sale. `block` is the block of the call.
    ///
    /// # Errors
    /// [`LedgerError::UnknownBatch`], [`LedgerError::BatchSettled`],
    /// [`LedgerError::PriceOutsideLadder`], [`LedgerError::RaisedTooMuch`],
    /// [`LedgerError::Math`].
    pub fn settle_batch(
        &mut self,
        number: u32,
        price: Price,
        raised: Amount,
        block: Block,
        rest: u16,
    ) -> Result<Settlement, LedgerError> {
        let mut batch = self.store.batch(number).ok_or(LedgerError::UnknownBatch)?;
        if batch.settled.is_some() {
            return Err(LedgerError::BatchSettled);
        }
        let sells = !raised.is_zero();
        if sells && (price < batch.floor || price > batch.start) {
            return Err(LedgerError::PriceOutsideLadder);
        }
        let price = if sells { price } else { Price::ZERO };
        let assets = self.state.lenders_assets()?;
        let mut sums = Sums::default();
        let mut settled = Settled {
            price,
            raised,
            index: self.state.index,
            // Without money the riskiest cohort is already past the margin.
            marginal_rank: if sells { batch.cohorts } else { 0 },
            marginal_raise: Amount::ZERO,
            block,
            round: batch.round,
            rested: 0,
        };
        let mut left = raised;
        for cohort in self.cohorts_by_rank(number, &batch.cells)? {
            let full = if sells {
                raise_at(&cohort, price, self.scale)?
            } else {
                Amount::ZERO
            };
            let given = full.min(left);
            if given < full && settled.marginal_rank == batch.cohorts {
                settled.marginal_rank = cohort.rank;
                settled.marginal_raise = given;
            }
            left = left.minus(given)?;
            let after = outcome(&cohort, price, given, self.scale)?;
            sums.repaid = sums.repaid.plus(after.repaid)?;
            sums.penalties = sums.penalties.plus(after.penalty)?;
            sums.shortfall = sums.shortfall.plus(after.shortfall)?;
            sums.sold = sums.sold.plus(after.sold)?;
            sums.debt_left = sums.debt_left.plus(after.debt_left)?;
            if after.debt_left.is_zero() {
                sums.closed = sums.closed.plus(after.collateral_left)?;
            } else {
                sums.pooled = sums.pooled.plus(after.collateral_left)?;
                let scaled = settled.index.scaled(after.debt_left, Rounding::Up)?;
                self.state.debt = self.state.debt.plus(scaled)?;
            }
        }
        // T is summed before it is rounded, cohorts after: what is over is under a unit each.
        if left.get() > u128::from(batch.cohorts) {
            return Err(LedgerError::RaisedTooMuch);
        }
        let penalties = sums.penalties.plus(left)?;
        let handed = if sells {
            self.scale.quantity(raised, price, Rounding::Down)?
        } else {
            Amount::ZERO
        };
        let rounding = sums
            .sold
            .minus(handed)
            .map_err(|_| LedgerError::RaisedTooMuch)?;

        let mut waterfall = settle_losses(
            penalties,
            sums.shortfall,
            self.state.insurance,
            raised,
            self.params.keeper_tip,
            self.params.keeper_share,
        )?;
        let borne = self.state.draw_reserve(waterfall.from_lenders, assets)?;
        waterfall.from_reserve = borne;
        waterfall.from_lenders = waterfall.from_lenders.minus(borne)?;
        let state = &mut *self.state;
        state.batched_debt = state.batched_debt.minus(batch.debt)?;
        state.batched_collateral = state.batched_collateral.minus(batch.collateral)?;
        state.closed_collateral = state.closed_collateral.plus(sums.closed)?;
        state.pooled_collateral = state.pooled_collateral.plus(sums.pooled)?;
        state.collateral_rounding = state.collateral_rounding.plus(rounding)?;
        state.cash = state
            .cash
            .plus(sums.repaid)?
            .plus(waterfall.from_penalties)?
            .plus(waterfall.from_insurance)?;
        state.insurance = state
            .insurance
            .minus(waterfall.from_insurance)?
            .plus(waterfall.to_insurance)?;
        state.rewards = state.rewards.plus(waterfall.reward)?;
        state.written_off = state.written_off.plus(waterfall.from_lenders)?;
        state.running.retain(|running| running.number != number);
        batch.settled = Some(settled);
        let rested = self.rest_cells(number, &mut batch, rest)?;
        self.store.set_batch(number, &batch);
        Ok(Settlement {
            price,
            raised,
            sold: handed,
            repaid: sums.repaid,
            penalties,
            returned: sums.closed.plus(sums.pooled)?,
            debt_left: sums.debt_left,
            waterfall,
            rested,
        })
    }

    fn cohorts_by_rank(
        &mut self,
        number: u32,
        cells: &[DepartureKey],
    ) -> Result<Vec<BatchedCohort>, LedgerError> {
        let mut cohorts = Vec::new();
        for key in cells {
            for (_, departure) in self.departed(*key)?.iter() {
                match departure {
                    Departure::Batched(cohort) if cohort.batch == number => cohorts.push(*cohort),
                    _ => {}
                }
            }
        }
        cohorts.sort_unstable_by_key(|cohort| cohort.rank);
        Ok(cohorts)
    }
}

/// What a walk over the ticks has gathered.
#[derive(Default)]
struct Lot {
    cells: Vec<DepartureKey>,
    /// (collateral, target) of each cohort.
    terms: Vec<(Amount, Amount)>,
    cohorts: u16,
    members: u32,
    collateral: Amount,
    debt: Amount,
    asked: Amount,
    provision: Amount,
}

/// What an opening looks for.
struct Sweep {
    number: u32,
    /// Price that health is judged at.
    reference: Price,
    /// First price of the ladder.
    start: Price,
    /// Last price of the ladder.
    floor: Price,
    /// What the batch may ask for at the start price.
    room: Amount,
    block: Block,
    round: u32,
}

impl Lot {
    fn take(
        &mut self,
        cell: DepartureKey,
        entry: &BatchedCohort,
        raise: Amount,
        lack: Amount,
    ) -> Result<(), LedgerError> {
        if !self.cells.contains(&cell) {
            self.cells.push(cell);
        }
        self.terms.push((entry.cohort.collateral, entry.target));
        self.cohorts = self.cohorts.saturating_add(1);
        self.members = self.members.saturating_add(entry.cohort.members);
        self.collateral = self.collateral.plus(entry.cohort.collateral)?;
        self.debt = self.debt.plus(entry.debt)?;
        self.asked = self.asked.plus(raise)?;
        self.provision = self.provision.plus(lack)?;
        Ok(())
    }
}

#[derive(Default)]
struct Sums {
    repaid: Amount,
    penalties: Amount,
    shortfall: Amount,
    sold: Amount,
    debt_left: Amount,
    closed: Amount,
    pooled: Amount,
}
