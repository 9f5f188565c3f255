//! How cohorts move between ticks, and how their members follow.

use super::{Ledger, LedgerError, LedgerStore, MAX_MOVES};
use crate::batch::{outcome, raise_at, Batch, Outcome, Settled};
use crate::math::Rounding;
use crate::page::{
    page_of, slot_of, BatchedCohort, Cohort, CohortId, Conversion, Cooling, Departure, Stake,
};
use crate::position::{Pooled, Position};
use crate::tick;
use crate::units::{Amount, DebtRatio, Price, ScaledDebt};
use alloc::vec::Vec;

/// Where a position stands once it has been brought up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Without debt, or in a cohort that lives in its tick.
    Settled,
    /// In a batch that has not settled.
    InBatch(BatchedCohort),
}

impl<S: LedgerStore> Ledger<'_, S> {
    /// Follows a position's cohort through every batch and merger since it was last touched, at
    /// most `moves` of them.
    ///
    /// # Errors
    /// [`LedgerError::SyncRequired`] when more moves remain; the progress made is kept in the
    /// position, so that repeated calls arrive.
    pub(super) fn follow(
        &mut self,
        position: &mut Position,
        moves: u16,
    ) -> Result<Standing, LedgerError> {
        for _ in 0..=moves.min(MAX_MOVES) {
            let Some(pooled) = position.pooled else {
                return Ok(Standing::Settled);
            };
            let id = pooled.cohort;
            if self.page(page_of(id.tick))?.cohort(id).is_some() {
                return Ok(Standing::Settled);
            }
            let departure = *self
                .departed(id.departures())?
                .get(slot_of(id.tick))
                .ok_or(LedgerError::CorruptedStorage)?;
            match departure {
                Departure::Batched(cohort) => {
                    let batch = self
                        .store
                        .batch(cohort.batch)
                        .ok_or(LedgerError::UnknownBatch)?;
                    match batch.settled {
                        None => return Ok(Standing::InBatch(cohort)),
                        Some(settled) => self.put_back(id, &cohort, &settled, batch.floor)?,
                    }
                }
                Departure::Moved {
                    to,
                    conversion,
                    members,
                } => {
                    let stake = conversion.apply(pooled.stake)?;
                    position.pooled = Some(Pooled { cohort: to, stake });
                    let left = members.saturating_sub(1);
                    let rest = (left > 0).then_some(Departure::Moved {
                        to,
                        conversion,
                        members: left,
                    });
                    self.set_departure(id, rest)?;
                }
                Departure::Closed(mut cohort) => {
                    let (collateral, _) = cohort.leave(pooled.stake)?;
                    self.state.closed_collateral =
                        self.state.closed_collateral.minus(collateral)?;
                    self.state.free_collateral = self.state.free_collateral.plus(collateral)?;
                    position.collateral = position.collateral.plus(collateral)?;
                    position.pooled = None;
                    let rest = (cohort.members > 0).then_some(Departure::Closed(cohort));
                    self.set_departure(id, rest)?;
                }
            }
        }
        Err(LedgerError::SyncRequired)
    }

    pub(super) fn set_departure(
        &mut self,
        id: CohortId,
        departure: Option<Departure>,
    ) -> Result<(), LedgerError> {
        let departures = self.departed_mut(id.departures())?;
        match departure {
            Some(departure) => departures.insert(slot_of(id.tick), departure),
            None => departures.remove(slot_of(id.tick)),
        };
        Ok(())
    }

    /// Puts what a settled batch with this floor left of one cohort where it belongs: from now on
    /// its tick shows what it lacks.
    pub(super) fn put_back(
        &mut self,
        id: CohortId,
        batched: &BatchedCohort,
        settled: &Settled,
        floor: Price,
    ) -> Result<(), LedgerError> {
        let asked = raise_at(batched, settled.price, self.scale)?;
        let raised = settled.raise_of(batched.rank, asked);
        let after = outcome(batched, settled.price, raised, self.scale)?;
        let debt = settled.index.scaled(after.debt_left, Rounding::Up)?;
        let left = after.unrested(debt, floor, self.scale)?;
        self.state.unrested = self.state.unrested.without(left);
        let failed = settled.price.is_zero() || raised < asked;
        self.return_rest(id, batched, settled, &after, debt, failed)
    }

    /// Puts the rest of a cohort where it belongs: closed when nothing is owed, else into the
    /// tick at or below the image of its own lower bound. `debt` is what is left of its debt,
    /// scaled again; `failed` says that its batch found too little money for it.
    pub(super) fn return_rest(
        &mut self,
        id: CohortId,
        batched: &BatchedCohort,
        settled: &Settled,
        after: &Outcome,
        debt: ScaledDebt,
        failed: bool,
    ) -> Result<(), LedgerError> {
        let before = &batched.cohort;
        if after.debt_left.is_zero() {
            let closed = Cohort {
                collateral: after.collateral_left,
                debt: ScaledDebt::ZERO,
                ..*before
            };
            return self.set_departure(id, Some(Departure::Closed(closed)));
        }
        // bound · (debt factor) / (collateral factor), rounded down twice: never above any
        // member's true ratio, so nobody is liquidated early.
        let image = before
            .lower_bound
            .mul_div_or_max(debt.get(), before.debt.get(), Rounding::Down)
            .mul_div_or_max(
                before.collateral.get(),
                after.collateral_left.get(),
                Rounding::Down,
            );
        let cooling = if !failed {
            Cooling::default()
        } else if settled.excused {
            before.cooling
        } else {
            before.cooling.failed(settled.block, settled.round)
        };
        let (to, received) =
            self.place(before.members, after.collateral_left, debt, image, cooling)?;
        let conversion = Conversion {
            received,
            given: before.shares,
        };
        let members = before.members;
        let moved = Departure::Moved {
            to,
            conversion,
            members,
        };
        self.set_departure(id, Some(moved))
    }

    /// Puts members with their totals into the tick at or below a bound and returns the cohort
    /// they are in and the shares they received.
    ///
    /// Where a cohort lives there already, the arriving one forwards into it, whichever is
    /// larger: it leaves a trail in any case, while a resident that had to follow would need
    /// another storage cell and its members another move. Only a resident whose shares have lost
    /// their meaning (see [`Cohort::is_sound`]) forwards: the tick starts a new generation at one
    /// unit a share. No call visits a member.
    ///
    /// The wait for another auction is then that of the larger debt.
    pub(super) fn place(
        &mut self,
        members: u32,
        collateral: Amount,
        debt: ScaledDebt,
        lower_bound: DebtRatio,
        cooling: Cooling,
    ) -> Result<(CohortId, Stake), LedgerError> {
        let tick = tick::at_or_below(lower_bound);
        let (page, slot) = (page_of(tick), slot_of(tick));
        let resident = self.page(page)?.cohorts.get(slot).copied();
        match resident {
            None => {
                let epoch = self.page(page)?.epoch;
                let mut cohort = Cohort::at_par(epoch, members, collateral, debt, lower_bound);
                cohort.cooling = cooling;
                self.page_mut(page)?.cohorts.insert(slot, cohort);
                Ok((CohortId { tick, epoch }, cohort.shares))
            }
            Some(mut resident) if resident.is_sound() => {
                resident.cooling =
                    Cooling::of_larger((resident.cooling, resident.debt), (cooling, debt));
                let received = resident.enter(members, collateral, debt)?;
                resident.lower_bound = resident.lower_bound.min(lower_bound);
                self.page_mut(page)?.cohorts.insert(slot, resident);
                Ok((
                    CohortId {
                        tick,
                        epoch: resident.epoch,
                    },
                    received,
                ))
            }
            Some(resident) => {
                let epoch = self.state.next_epoch()?;
                let mut cohort = Cohort::at_par(epoch, members, collateral, debt, lower_bound);
                let arrived = cohort.shares;
                let received =
                    cohort.enter(resident.members, resident.collateral, resident.debt)?;
                cohort.lower_bound = cohort.lower_bound.min(resident.lower_bound);
                cohort.cooling =
                    Cooling::of_larger((cooling, debt), (resident.cooling, resident.debt));
                let to = CohortId { tick, epoch };
                let old = CohortId {
                    tick,
                    epoch: resident.epoch,
                };
                let page = self.page_mut(page)?;
                page.epoch = epoch;
                page.cohorts.insert(slot, cohort);
                let conversion = Conversion {
                    received,
                    given: resident.shares,
                };
                self.set_departure(
                    old,
                    Some(Departure::Moved {
                        to,
                        conversion,
                        members: resident.members,
                    }),
                )?;
                Ok((to, arrived))
            }
        }
    }

    /// Puts back the cohorts of up to `cells` cells of a settled batch, riskiest page first.
    /// Anyone may call it; it returns whether the whole batch is back.
    ///
    /// # Errors
    /// [`LedgerError::UnknownBatch`], [`LedgerError::BatchRunning`], [`LedgerError::Math`].
    pub fn rest(&mut self, number: u32, cells: u16) -> Result<bool, LedgerError> {
        let mut batch = self.store.batch(number).ok_or(LedgerError::UnknownBatch)?;
        let done = self.rest_cells(number, &mut batch, cells)?;
        self.store.set_batch(number, &batch);
        Ok(done)
    }

    /// As [`Self::rest`], on a batch that the caller stores.
    pub(super) fn rest_cells(
        &mut self,
        number: u32,
        batch: &mut Batch,
        cells: u16,
    ) -> Result<bool, LedgerError> {
        let mut settled = batch.settled.ok_or(LedgerError::BatchRunning)?;
        let from = usize::from(settled.rested);
        for key in batch.cells.iter().skip(from).take(usize::from(cells)) {
            let waiting: Vec<_> = self
                .departed(*key)?
                .iter()
                .filter_map(|(slot, departure)| match departure {
                    Departure::Batched(cohort) if cohort.batch == number => Some((slot, *cohort)),
                    _ => None,
                })
                .collect();
            for (slot, cohort) in waiting {
                let tick = key.tick(slot);
                let id = CohortId {
                    tick,
                    epoch: key.epoch,
                };
                self.put_back(id, &cohort, &settled, batch.floor)?;
            }
            settled.rested = settled.rested.saturating_add(1);
        }
        batch.settled = Some(settled);
        Ok(usize::from(settled.rested) >= batch.cells.len())
    }
}
