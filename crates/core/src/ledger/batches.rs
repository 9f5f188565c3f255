//! Opening a batch from the riskiest ticks down.

use super::{Ledger, LedgerError, LedgerStore};
use crate::batch::{ask, cut, targets, Batch};
use crate::ladder::Measures;
use crate::market::{MarketPrices, Running, MAX_RUNNING_BATCHES, MAX_TICKS_PER_BATCH};
use crate::math::{MathError, Rounding};
use crate::page::{
    tick_of, BatchedCohort, Cohort, CohortId, Departure, DepartureKey, Directory, PageNumber,
};
use crate::tick::{self, Tick};
use crate::units::{highest_healthy_ratio, Amount, Block, Price};
use alloc::vec::Vec;
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// The most storage cells a batch spreads over: they are read once more at settlement.
pub const MAX_CELLS_PER_BATCH: usize = 64;

/// The most pages an opening looks at, 2 048 ticks: with cohorts that wait, more than it takes
/// from. All of them have to fit a contract's memory.
const MAX_PAGES_PER_SWEEP: usize = 16;

/// A batch beside others may ask for so many times what they ask for, however little that is of the
/// hole.
const BESIDE: u128 = 8;

/// What the auction knows of the money that a new batch can find.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Demand {
    /// The most the batch should ask for: free budgets / 1.5. Raised to the market's minimum.
    pub most: Amount,
    /// Quote in standing bids, if it is known: the ladder answers to it.
    pub depth: Option<Amount>,
}

impl Demand {
    /// Two thirds of the money that a batch can count on, rounded down: a batch that asks for no
    /// more finds competition rather than scarcity.
    ///
    /// `plain` is the quote of bidders' balances, of which batches of other markets have spoken
    /// `elsewhere`; `standing` is what tiers of this market could spend; of both together its other
    /// batches have spoken `here` ([`crate::auction::Auction::spoken_for`]).
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn of(
        plain: Amount,
        elsewhere: Amount,
        standing: Amount,
        here: Amount,
        depth: Amount,
    ) -> Result<Self, MathError> {
        let left = plain.minus_or_zero(elsewhere);
        let free = left.plus(standing)?.minus_or_zero(here);
        Ok(Self {
            most: free.mul_div(2, 3, Rounding::Down)?,
            depth: Some(depth),
        })
    }
}

/// What the caller of an opening may decide: nothing but what bidders have deposited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct OpenRequest {
    /// Block of the call.
    pub block: Block,
    /// What bidders have deposited.
    pub demand: Demand,
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
    /// A price in quarantine: standing bids are taken under it.
    pub quarantined: Option<Price>,
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
    /// Insurance's own collateral that is offered with it.
    pub offered: Amount,
    /// What that asks for at the start price, a part of the first target.
    pub own: Amount,
}

impl<S: LedgerStore> Ledger<'_, S> {
    /// Takes under-margined cohorts out of their ticks, riskiest first, into a new batch.
    ///
    /// A cohort qualifies if its tick's lower bound is unhealthy at the better of the last two
    /// accepted rounds, the later of which is at least a block old (promise 5). The sum of what
    /// they raise at the start price stays within the room under the hole and within what
    /// bidders' deposits cover; the last cohort is taken whole with its ask cut to that room.
    /// Collateral of insurance's own joins with what room they leave.
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
        self.open_lot(prices, request, false)
    }

    /// The least that a batch may ask for beside those that run, so that specks do not take all
    /// places: an eighth of the hole, rounded up, or where that is less, [`BESIDE`] times what the
    /// others ask for, so that a speck keeps nobody waiting. Insurance's own collateral is in
    /// nobody's way; nothing where none other runs.
    fn least_beside(&self) -> Result<Option<Amount>, MathError> {
        let mut asked = Amount::ZERO;
        for other in &self.state.running {
            asked = asked.plus(other.asked.minus_or_zero(other.own))?;
        }
        if asked.is_zero() {
            return Ok(None);
        }
        let eighth = self.params.hole.mul_div(1, 8, Rounding::Up)?;
        let beside = asked.mul_div(BESIDE, 1, Rounding::Up);
        Ok(Some(beside.map_or(eighth, |least| least.min(eighth))))
    }

    /// As [`Self::open`]; with `left_only` of those cohorts alone that an earlier batch found too
    /// little money for: the circuit breaker may allow a re-auction and nothing new.
    ///
    /// # Errors
    /// Those of [`Self::open`].
    pub fn open_lot(
        &mut self,
        prices: &MarketPrices,
        request: OpenRequest,
        left_only: bool,
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
        let measures = Measures {
            volatility: prices.hourly_volatility(),
            depth: request.demand.depth,
        };
        let ladder = self
            .params
            .ladder
            .prices(prices.spot, prices.twap, measures)?;
        let (Some(start), Some(floor)) = (ladder.first().copied(), ladder.last().copied()) else {
            return Err(LedgerError::CorruptedStorage);
        };
        if !self.params.ladder.has_room(prices.spot, measures)? {
            return Err(LedgerError::FloorAboveSpot);
        }
        let room = self.params.hole.minus_or_zero(self.state.committed()?);
        if room.is_zero() {
            return Err(LedgerError::HoleFull);
        }
        let room = room.min(request.demand.most.max(self.params.min_batch));

        let number = self.state.batches;
        let sweep = Sweep {
            number,
            reference: prices.best(),
            highest_healthy: self.highest_healthy(prices.best()),
            start,
            floor,
            room,
            block: request.block,
            round: prices.round,
            left_only,
        };
        let mut lot = Lot::default();
        self.collect(&sweep, &mut lot)?;
        let (offered, own) = self.own_offer(&sweep, &lot)?;
        if lot.cohorts == 0 && offered.is_zero() {
            return Err(LedgerError::NothingToLiquidate);
        }
        let reward = self.params.reward_terms(lot.asked)?;
        lot.asked = lot.asked.plus(own)?;
        if let Some(least) = self.least_beside()? {
            if lot.asked < least {
                return Err(LedgerError::BatchTooSmall);
            }
        }
        if !offered.is_zero() {
            self.state.inventory.offer(offered)?;
            lot.terms.push((offered, own));
        }

        self.state.batches = number.checked_add(1).ok_or(MathError::Overflow)?;
        self.state.running.push(Running {
            number,
            asked: lot.asked,
            own,
            provision: lot.provision,
            reward,
        });
        self.state.pooled_collateral = self.state.pooled_collateral.minus(lot.collateral)?;
        self.state.batched_collateral = self.state.batched_collateral.plus(lot.collateral)?;
        self.state.batched_debt = self.state.batched_debt.plus(lot.debt)?;
        let targets = targets(&lot.terms, &ladder, lot.asked, self.scale)?;
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
            offered,
            settled: None,
        };
        self.store.set_batch(number, &batch);
        Ok(Opening {
            number,
            reference: batch.reference,
            spot: prices.spot,
            quarantined: prices.quarantined,
            prices: ladder,
            targets,
            cohorts: batch.cohorts,
            members: batch.members,
            collateral: batch.collateral,
            debt: batch.debt,
            offered,
            own,
        })
    }

    /// The highest tick whose lower bound is healthy at a price.
    pub(super) fn highest_healthy(&self, price: Price) -> Tick {
        tick::at_or_below(highest_healthy_ratio(
            self.state.index,
            price,
            self.params.liquidation_threshold,
        ))
    }

    /// Walks the ticks from the riskiest down and moves what qualifies into departures.
    pub(super) fn collect(&mut self, sweep: &Sweep, lot: &mut Lot) -> Result<(), LedgerError> {
        let mut next = self.state.directory.highest_at_or_below(Directory::LAST);
        for _ in 0..MAX_PAGES_PER_SWEEP {
            let Some(page) = next else { break };
            if !self.collect_page(page, sweep, lot)? {
                break;
            }
            next = page
                .checked_sub(1)
                .and_then(|below| self.state.directory.highest_at_or_below(below));
        }
        Ok(())
    }

    /// Collects from one page; returns whether the walk goes on below it.
    fn collect_page(
        &mut self,
        page: PageNumber,
        sweep: &Sweep,
        lot: &mut Lot,
    ) -> Result<bool, LedgerError> {
        // Riskiest first, so from the highest slot down; what is not taken goes back.
        let born = self.page(page)?.epoch;
        let mut residents = core::mem::take(&mut self.held_page(page)?.value.cohorts);
        let mut stay = Vec::new();
        // Those of one half and epoch share a cell of departures; mostly all are of one.
        let mut leave: Vec<(DepartureKey, Vec<(u8, Departure)>)> = Vec::new();
        let mut goes_on = true;
        while let Some((slot, cohort)) = residents.pop() {
            let tick = tick_of(page, slot);
            let left = sweep.room.minus_or_zero(lot.asked);
            if left.is_zero()
                || lot.cohorts >= MAX_TICKS_PER_BATCH
                || lot.cells.len() >= MAX_CELLS_PER_BATCH
                || tick <= sweep.highest_healthy
            {
                goes_on = false;
                stay.push((slot, cohort));
                break;
            }
            let is_left = cohort.cooling.failures > 0;
            if (sweep.left_only && !is_left) || self.waits(&cohort, sweep)? {
                stay.push((slot, cohort));
                continue;
            }
            let id = CohortId {
                tick,
                epoch: cohort.epoch,
            };
            let entry = (
                slot,
                Departure::Batched(self.enlist(id, cohort, left, sweep, lot)?),
            );
            let key = id.departures();
            match leave.iter_mut().find(|(of, _)| *of == key) {
                Some((_, run)) => run.push(entry),
                None => {
                    // A contract's memory is never given back: one allocation where all are of one
                    // epoch. Runs of further epochs grow: room for the rest of the page in each
                    // would be more than there is, where a page is of many.
                    let others = if leave.is_empty() { residents.len() } else { 0 };
                    let mut run = Vec::with_capacity(others.saturating_add(1));
                    run.push(entry);
                    leave.push((key, run));
                }
            }
        }
        residents.extend_down(stay);
        let taken = !leave.is_empty();
        let held = self.held_page(page)?;
        held.value.cohorts = residents;
        held.changed |= taken;
        if taken {
            let epoch = self.state.next_epoch()?;
            self.page_mut(page)?.epoch = epoch;
        }
        for (key, run) in leave {
            if key.epoch == born {
                self.first_departures(key);
            }
            self.departed_mut(key)?.extend_down(run);
        }
        Ok(goes_on)
    }

    /// What a batch asks of a cohort, cut to the room `left`; adds it to the lot.
    fn enlist(
        &mut self,
        id: CohortId,
        cohort: Cohort,
        left: Amount,
        sweep: &Sweep,
        lot: &mut Lot,
    ) -> Result<BatchedCohort, LedgerError> {
        let (scale, reference) = (self.scale, sweep.reference);
        let debt = self.state.index.owed(cohort.debt, Rounding::Up)?;
        let mut asked = ask(self.params, scale, cohort.collateral, debt, reference)?;
        let worth = scale.value(cohort.collateral, sweep.start, Rounding::Down)?;
        let mut raise = worth.min(asked.target);
        if raise > left {
            let value = scale.value(cohort.collateral, reference, Rounding::Down)?;
            asked = cut(asked, left, self.params, value, debt)?;
            raise = worth.min(asked.target);
        }
        self.state.debt = self.state.debt.minus(cohort.debt)?;
        let at_floor = scale.value(cohort.collateral, sweep.floor, Rounding::Down)?;
        let entry = BatchedCohort {
            batch: sweep.number,
            rank: lot.cohorts,
            cohort,
            debt,
            retire: asked.retire,
            target: asked.target,
        };
        lot.take(id.departures(), &entry, raise, debt.minus_or_zero(at_floor))?;
        Ok(entry)
    }
}

/// What a walk over the ticks has gathered.
#[derive(Default)]
pub(super) struct Lot {
    pub(super) cells: Vec<DepartureKey>,
    /// (collateral, target) of each cohort.
    pub(super) terms: Vec<(Amount, Amount)>,
    pub(super) cohorts: u16,
    pub(super) members: u32,
    pub(super) collateral: Amount,
    pub(super) debt: Amount,
    pub(super) asked: Amount,
    pub(super) provision: Amount,
}

/// What an opening looks for.
pub(super) struct Sweep {
    pub(super) number: u32,
    /// Price that health is judged at.
    pub(super) reference: Price,
    /// The highest tick whose lower bound is healthy there. Bounds rise strictly with the tick,
    /// so those above it, and only those, qualify.
    pub(super) highest_healthy: Tick,
    /// First price of the ladder.
    pub(super) start: Price,
    /// Last price of the ladder.
    pub(super) floor: Price,
    /// What the batch may ask for at the start price.
    pub(super) room: Amount,
    pub(super) block: Block,
    pub(super) round: u32,
    /// Whether only what an earlier batch left is taken.
    pub(super) left_only: bool,
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
