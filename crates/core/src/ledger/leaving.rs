//! Leaving a batch whose clock still runs.

use super::moves::Standing;
use super::positions::batched_debt;
use super::{Ledger, LedgerError, LedgerStore, MAX_MOVES};
use crate::batch::{raise_at, targets, Batch};
use crate::math::{MathError, Rounding};
use crate::page::{BatchedCohort, Cooling, Departure};
use crate::position::Position;
use crate::units::{Amount, Price};
use alloc::vec::Vec;
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// What a leaving took out of its batch.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Leaving {
    /// `T` at each step without the one who left.
    pub targets: Vec<Amount>,
    /// Collateral the position has now, with what was held aside for it.
    pub collateral: Amount,
    /// Debt it has now, quote, after what it had paid in advance.
    pub debt: Amount,
    /// Exit fee, quote, still to be taken from the owner: the keeper's tip.
    pub fee: Amount,
    /// What of the fee lenders get: in a wind-down, for what they have lost. Insurance gets the
    /// rest.
    pub to_lenders: Amount,
}

impl<S: LedgerStore> Ledger<'_, S> {
    /// Takes a position out of a running batch.
    ///
    /// With what its owner has paid and added since the opening it must have target health at
    /// the batch's reference price, so that a dead oracle stops nobody. The cohort keeps the
    /// part of its ask that belongs to the debt it keeps: target rounded up, the debt to retire
    /// rounded down. The leaver owes its share of the debt fixed at opening, rounded up.
    ///
    /// `ladder` holds the prices that the batch was opened with. Whether an ended step has cleared
    /// already is for the auction to judge.
    ///
    /// # Errors
    /// [`LedgerError::UnknownBatch`], [`LedgerError::BatchSettled`],
    /// [`LedgerError::PriceOutsideLadder`], [`LedgerError::NotInBatch`],
    /// [`LedgerError::UnderTargetHealth`], [`LedgerError::SyncRequired`], [`LedgerError::Math`].
    pub fn leave(
        &mut self,
        position: &mut Position,
        number: u32,
        ladder: &[Price],
    ) -> Result<Leaving, LedgerError> {
        let mut batch = self.running_batch(number, ladder)?;
        let Standing::InBatch(before) = self.follow(position, MAX_MOVES)? else {
            return Err(LedgerError::NotInBatch);
        };
        let Some(pooled) = position.pooled.filter(|_| before.batch == number) else {
            return Err(LedgerError::NotInBatch);
        };

        let owed = batched_debt(&before, position)?.min(before.debt);
        let mut after = before;
        let (taken, _) = after.cohort.leave(pooled.stake)?;
        after.debt = before.debt.minus(owed)?;
        let kept = |whole: Amount, rounding| {
            whole.mul_div(after.debt.get(), before.debt.get().max(1), rounding)
        };
        let (target, retire) = (
            kept(before.target, Rounding::Up)?,
            kept(before.retire, Rounding::Down)?,
        );
        (after.target, after.retire) = (target, retire.min(target));

        let collateral = taken.plus(position.collateral)?;
        let paid = position.prepaid.min(owed);
        let debt = owed.minus(paid)?;
        let backing = self
            .scale
            .value(collateral, batch.reference, Rounding::Down)?
            .share(self.params.liquidation_threshold, Rounding::Down)?;
        if backing < debt.share(self.params.target_health, Rounding::Up)? {
            return Err(LedgerError::UnderTargetHealth);
        }

        let emptied = after.cohort.members == 0;
        self.set_departure(
            pooled.cohort,
            (!emptied).then_some(Departure::Batched(after)),
        )?;
        self.shrink(&mut batch, number, &before, &after)?;
        batch.collateral = batch.collateral.minus(taken)?;
        batch.debt = batch.debt.minus(owed)?;
        batch.members = batch.members.saturating_sub(1);
        self.store.set_batch(number, &batch);

        let fee = self.params.keeper_tip;
        let state = &mut *self.state;
        state.batched_collateral = state.batched_collateral.minus(taken)?;
        state.batched_debt = state.batched_debt.minus(owed)?;
        state.free_collateral = state.free_collateral.minus(position.collateral)?;
        state.prepaid = state.prepaid.minus(paid)?;
        state.cash = state.cash.plus(paid)?;
        let to_lenders = state.take_in(fee)?;
        position.prepaid = position.prepaid.minus(paid)?;
        position.collateral = Amount::ZERO;
        position.pooled = None;
        let scaled = self.state.index.scaled(debt, Rounding::Up)?;
        self.attach(position, collateral, scaled, Cooling::default())?;
        let terms = self.terms(number, &batch)?;
        Ok(Leaving {
            targets: targets(&terms, ladder, batch.asked, self.scale)?,
            collateral,
            debt,
            fee,
            to_lenders,
        })
    }

    /// Lowers what a batch takes up of the hole and what it may lack, as one cohort shrinks.
    fn shrink(
        &mut self,
        batch: &mut Batch,
        number: u32,
        before: &BatchedCohort,
        after: &BatchedCohort,
    ) -> Result<(), LedgerError> {
        let (scale, start, floor) = (self.scale, batch.start, batch.floor);
        let raise = |cohort| raise_at(cohort, start, scale);
        let lack = |cohort: &BatchedCohort| -> Result<Amount, MathError> {
            let worth = scale.value(cohort.cohort.collateral, floor, Rounding::Down)?;
            Ok(cohort.debt.minus_or_zero(worth))
        };
        let less_asked = raise(before)?.minus_or_zero(raise(after)?);
        let (had, has) = (lack(before)?, lack(after)?);
        batch.asked = batch.asked.minus(less_asked)?;
        for running in &mut self.state.running {
            if running.number == number {
                running.asked = batch.asked;
                running.provision = running.provision.minus(had)?.plus(has)?;
            }
        }
        Ok(())
    }

    /// A batch that has not settled and was opened with this ladder.
    pub(super) fn running_batch(
        &self,
        number: u32,
        ladder: &[Price],
    ) -> Result<Batch, LedgerError> {
        let batch = self.store.batch(number).ok_or(LedgerError::UnknownBatch)?;
        if batch.settled.is_some() {
            return Err(LedgerError::BatchSettled);
        }
        if ladder.first() != Some(&batch.start) || ladder.last() != Some(&batch.floor) {
            return Err(LedgerError::PriceOutsideLadder);
        }
        Ok(batch)
    }

    /// Collateral and target of each cohort of a batch, riskiest first, then insurance's own.
    pub(super) fn terms(
        &mut self,
        number: u32,
        batch: &Batch,
    ) -> Result<Vec<(Amount, Amount)>, LedgerError> {
        let mut terms: Vec<_> = self
            .cohorts_by_rank(number, batch)?
            .iter()
            .flatten()
            .map(|ranked| (ranked.cohort.cohort.collateral, ranked.cohort.target))
            .collect();
        if !batch.offered.is_zero() {
            let all = self.scale.value(batch.offered, batch.start, Rounding::Up)?;
            terms.push((batch.offered, all));
        }
        Ok(terms)
    }
}
