//! What borrowers do: deposit, withdraw, borrow, repay, and being brought up to date.

use super::moves::Standing;
use super::{Ledger, LedgerError, LedgerStore, MAX_MOVES};
use crate::market::MarketPrices;
use crate::math::Rounding;
use crate::page::{page_of, slot_of, BatchedCohort, Cohort, CohortId, Cooling, Departure};
use crate::position::{Closing, Pooled, Position};
use crate::tick;
use crate::units::{Amount, ScaledDebt};

/// A position's share of what its cohort owes in a running batch, rounded up.
pub(super) fn batched_debt(
    batched: &BatchedCohort,
    position: &Position,
) -> Result<Amount, LedgerError> {
    let stake = position
        .pooled
        .map(|pooled| pooled.stake)
        .unwrap_or_default();
    let (_, share) = batched.cohort.worth(stake)?;
    if batched.cohort.debt.is_zero() {
        return Ok(Amount::ZERO);
    }
    let whole = batched.cohort.debt.get();
    Ok(batched.debt.mul_div(share.get(), whole, Rounding::Up)?)
}

impl<S: LedgerStore> Ledger<'_, S> {
    /// Adds collateral. Always allowed, at any price and without one (promise 6): in a running
    /// batch it is held aside and counts once the position is next brought up to date.
    ///
    /// # Errors
    /// [`LedgerError::ZeroAmount`], [`LedgerError::SyncRequired`], [`LedgerError::Math`].
    pub fn deposit(&mut self, position: &mut Position, amount: Amount) -> Result<(), LedgerError> {
        if amount.is_zero() {
            return Err(LedgerError::ZeroAmount);
        }
        if let Standing::InBatch(_) = self.follow(position, MAX_MOVES)? {
            position.collateral = position.collateral.plus(amount)?;
            self.state.free_collateral = self.state.free_collateral.plus(amount)?;
            return Ok(());
        }
        let (collateral, debt, wait) = self.take_out(position)?;
        self.attach(position, collateral.plus(amount)?, debt, wait)
    }

    /// Takes collateral out. Without debt no price is needed (promise 6).
    ///
    /// # Errors
    /// [`LedgerError::ZeroAmount`], [`LedgerError::InsufficientCollateral`],
    /// [`LedgerError::BelowMinimumDebt`] where the debt is under the minimum,
    /// [`LedgerError::StalePrice`], [`LedgerError::ExceedsInitialLtv`] and those of
    /// [`Self::deposit`].
    pub fn withdraw(
        &mut self,
        position: &mut Position,
        amount: Amount,
        prices: Option<&MarketPrices>,
    ) -> Result<(), LedgerError> {
        if amount.is_zero() {
            return Err(LedgerError::ZeroAmount);
        }
        let (collateral, debt, _) = self.detach(position)?;
        let left = collateral
            .minus(amount)
            .map_err(|_| LedgerError::InsufficientCollateral)?;
        if !debt.is_zero() {
            self.ensure_above_minimum(debt)?;
            self.ensure_initial_ltv(left, debt, prices)?;
        }
        self.attach(position, left, debt, Cooling::default())
    }

    /// Lends quote to a position. The debt taken on is scaled and rounded up.
    ///
    /// # Errors
    /// [`LedgerError::ZeroAmount`], [`LedgerError::WindingDown`],
    /// [`LedgerError::PrepaidUnclaimed`], [`LedgerError::InsufficientCash`],
    /// [`LedgerError::BelowMinimumDebt`], [`LedgerError::DebtCeilingExceeded`],
    /// [`LedgerError::StalePrice`], [`LedgerError::ExceedsInitialLtv`],
    /// [`LedgerError::RatioBelowScale`] and those of [`Self::deposit`].
    pub fn borrow(
        &mut self,
        position: &mut Position,
        amount: Amount,
        prices: &MarketPrices,
    ) -> Result<(), LedgerError> {
        if amount.is_zero() {
            return Err(LedgerError::ZeroAmount);
        }
        if self.state.wind_down.is_some() {
            return Err(LedgerError::WindingDown);
        }
        let (collateral, debt, _) = self.detach(position)?;
        // What is left of it after the old debt would repay the new one at the next touch, while
        // its cohort owes and may be liquidated for the whole.
        if !position.prepaid.is_zero() {
            return Err(LedgerError::PrepaidUnclaimed);
        }
        if !debt.is_zero() {
            self.ensure_above_minimum(debt)?;
        }
        let debt = debt.plus(self.state.index.scaled(amount, Rounding::Up)?)?;
        self.ensure_above_minimum(debt)?;
        self.ensure_initial_ltv(collateral, debt, Some(prices))?;
        if tick::at_or_below(self.scale.debt_ratio(debt, collateral)) == tick::LOWEST_TICK {
            return Err(LedgerError::RatioBelowScale);
        }
        self.state.cash = self
            .state
            .cash
            .minus(amount)
            .map_err(|_| LedgerError::InsufficientCash)?;
        self.attach(position, collateral, debt, Cooling::default())?;
        if self.state.debt_value()? > self.params.debt_ceiling {
            return Err(LedgerError::DebtCeilingExceeded);
        }
        Ok(())
    }

    /// Repays up to `amount` of a position's debt and returns what is taken from the payer: never
    /// more than is owed, which is rounded up. The part retired is scaled and rounded down; paying
    /// all that is owed clears the debt exactly.
    ///
    /// Always allowed (promise 6): in a running batch the money is held aside, and repays what the
    /// batch leaves of the debt once the position is next brought up to date.
    ///
    /// # Errors
    /// [`LedgerError::ZeroAmount`], [`LedgerError::NothingOwed`],
    /// [`LedgerError::BelowMinimumDebt`] where a rest under the minimum would be left of a debt
    /// above it, [`LedgerError::SyncRequired`], [`LedgerError::Math`].
    pub fn repay(
        &mut self,
        position: &mut Position,
        amount: Amount,
    ) -> Result<Amount, LedgerError> {
        if amount.is_zero() {
            return Err(LedgerError::ZeroAmount);
        }
        if let Standing::InBatch(batched) = self.follow(position, MAX_MOVES)? {
            let owed = batched_debt(&batched, position)?.minus_or_zero(position.prepaid);
            return self.hold_aside(position, amount.min(owed));
        }
        let (collateral, debt, wait) = self.take_out(position)?;
        if debt.is_zero() {
            return Err(LedgerError::NothingOwed);
        }
        let owed = self.state.index.owed(debt, Rounding::Up)?;
        let (left, paid) = self.retire(debt, amount)?;
        let rest = self.state.index.owed(left, Rounding::Up)?;
        let minimum = self.params.min_debt;
        if !left.is_zero() && rest < minimum && owed >= minimum {
            return Err(LedgerError::BelowMinimumDebt);
        }
        self.attach(position, collateral, left, wait)?;
        Ok(paid)
    }

    /// Gives back what a position has paid in advance and its batch did not need.
    ///
    /// # Errors
    /// [`LedgerError::PositionInBatch`], [`LedgerError::NothingPrepaid`],
    /// [`LedgerError::SyncRequired`], [`LedgerError::Math`].
    pub fn reclaim(&mut self, position: &mut Position) -> Result<Amount, LedgerError> {
        let (collateral, debt, wait) = self.detach(position)?;
        self.attach(position, collateral, debt, wait)?;
        let amount = core::mem::take(&mut position.prepaid);
        if amount.is_zero() {
            return Err(LedgerError::NothingPrepaid);
        }
        self.state.prepaid = self.state.prepaid.minus(amount)?;
        Ok(amount)
    }

    /// Repays and then withdraws, as [`Self::repay`] and [`Self::withdraw`] one after the other;
    /// returns what was taken from the payer. Repaying all needs no price.
    ///
    /// # Errors
    /// Those of both.
    pub fn repay_and_withdraw(
        &mut self,
        position: &mut Position,
        repay: Amount,
        withdraw: Amount,
        prices: Option<&MarketPrices>,
    ) -> Result<Amount, LedgerError> {
        let paid = self.repay(position, repay)?;
        self.withdraw(position, withdraw, prices)?;
        Ok(paid)
    }

    /// Repays all that is owed and gives everything back: collateral, and what was paid in
    /// advance and not needed. No price is needed (promise 6).
    ///
    /// # Errors
    /// [`LedgerError::NothingToClose`], [`LedgerError::PositionInBatch`],
    /// [`LedgerError::SyncRequired`], [`LedgerError::Math`].
    pub fn close_position(&mut self, position: &mut Position) -> Result<Closing, LedgerError> {
        let (collateral, debt, _) = self.detach(position)?;
        let (_, paid) = self.retire(debt, Amount::new(u128::MAX))?;
        let reclaimed = core::mem::take(&mut position.prepaid);
        self.state.prepaid = self.state.prepaid.minus(reclaimed)?;
        if paid.is_zero() && reclaimed.is_zero() && collateral.is_zero() {
            return Err(LedgerError::NothingToClose);
        }
        Ok(Closing {
            paid,
            reclaimed,
            collateral,
        })
    }

    fn hold_aside(
        &mut self,
        position: &mut Position,
        amount: Amount,
    ) -> Result<Amount, LedgerError> {
        if amount.is_zero() {
            return Err(LedgerError::NothingOwed);
        }
        position.prepaid = position.prepaid.plus(amount)?;
        self.state.prepaid = self.state.prepaid.plus(amount)?;
        Ok(amount)
    }

    /// Takes up to `amount` off a debt, into the cash; returns the debt left and what was taken.
    fn retire(
        &mut self,
        debt: ScaledDebt,
        amount: Amount,
    ) -> Result<(ScaledDebt, Amount), LedgerError> {
        let owed = self.state.index.owed(debt, Rounding::Up)?;
        let paid = amount.min(owed);
        let left = if paid == owed {
            ScaledDebt::ZERO
        } else {
            debt.minus_or_zero(self.state.index.scaled(paid, Rounding::Down)?)
        };
        self.state.cash = self.state.cash.plus(paid)?;
        Ok((left, paid))
    }

    /// Follows a position through at most `moves` batches and mergers and, when it has arrived,
    /// puts it into the tick of its own ratio. Anyone may call it for anyone.
    ///
    /// Returns whether the position is up to date. Positions in a running batch stay there.
    ///
    /// # Errors
    /// [`LedgerError::CorruptedStorage`], [`LedgerError::Math`].
    pub fn sync(&mut self, position: &mut Position, moves: u16) -> Result<bool, LedgerError> {
        match self.follow(position, moves) {
            Ok(Standing::InBatch(_)) => Ok(true),
            Ok(Standing::Settled) => {
                let (collateral, debt, wait) = self.take_out(position)?;
                self.attach(position, collateral, debt, wait)?;
                Ok(true)
            }
            Err(LedgerError::SyncRequired) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Brings a position up to date or refuses: everything a user does begins here.
    pub(super) fn settle(&mut self, position: &mut Position) -> Result<(), LedgerError> {
        match self.follow(position, MAX_MOVES)? {
            Standing::Settled => Ok(()),
            Standing::InBatch(_) => Err(LedgerError::PositionInBatch),
        }
    }

    /// Brings a position up to date and takes it out of its cohort.
    fn detach(
        &mut self,
        position: &mut Position,
    ) -> Result<(Amount, ScaledDebt, Cooling), LedgerError> {
        self.settle(position)?;
        self.take_out(position)
    }

    /// Takes a position that is up to date out of its cohort, with what was held aside for it and
    /// with its cohort's wait. Where it is put back without a new test of its margin the wait goes
    /// with it: else whoever touches it would end the wait.
    pub(super) fn take_out(
        &mut self,
        position: &mut Position,
    ) -> Result<(Amount, ScaledDebt, Cooling), LedgerError> {
        let own = position.collateral;
        self.state.free_collateral = self.state.free_collateral.minus(own)?;
        position.collateral = Amount::ZERO;
        let Some(Pooled { cohort: id, stake }) = position.pooled.take() else {
            return Ok((own, ScaledDebt::ZERO, Cooling::default()));
        };
        let page = self.page_mut(page_of(id.tick))?;
        let cohort = page.cohort_mut(id).ok_or(LedgerError::CorruptedStorage)?;
        let (collateral, debt) = cohort.leave(stake)?;
        let left = *cohort;
        if left.members == 0 {
            page.cohorts.remove(slot_of(id.tick));
        } else if left.debt.is_zero() {
            // Rounding let those who left repay everything: what is left is nobody's security.
            self.close(id, left)?;
        }
        self.state.pooled_collateral = self.state.pooled_collateral.minus(collateral)?;
        self.state.debt = self.state.debt.minus(debt)?;
        // What was paid in advance, while the position was in a batch, is repaid first.
        let debt = if position.prepaid.is_zero() || debt.is_zero() {
            debt
        } else {
            let (left, paid) = self.retire(debt, position.prepaid)?;
            position.prepaid = position.prepaid.minus(paid)?;
            self.state.prepaid = self.state.prepaid.minus(paid)?;
            left
        };
        Ok((own.plus(collateral)?, debt, left.cooling))
    }

    /// Takes a cohort without debt out of its tick; its members have the collateral.
    fn close(&mut self, id: CohortId, cohort: Cohort) -> Result<(), LedgerError> {
        let epoch = self.state.next_epoch()?;
        let page = self.page_mut(page_of(id.tick))?;
        page.cohorts.remove(slot_of(id.tick));
        page.epoch = epoch;
        self.state.pooled_collateral = self.state.pooled_collateral.minus(cohort.collateral)?;
        self.state.closed_collateral = self.state.closed_collateral.plus(cohort.collateral)?;
        self.set_departure(id, Some(Departure::Closed(cohort)))
    }

    /// Puts a position with this collateral, debt and wait where it belongs.
    pub(super) fn attach(
        &mut self,
        position: &mut Position,
        collateral: Amount,
        debt: ScaledDebt,
        wait: Cooling,
    ) -> Result<(), LedgerError> {
        if debt.is_zero() {
            position.collateral = collateral;
            self.state.free_collateral = self.state.free_collateral.plus(collateral)?;
            return Ok(());
        }
        let ratio = self.scale.debt_ratio(debt, collateral);
        let bound = tick::bound(tick::at_or_below(ratio));
        let (cohort, stake) = self.place(1, collateral, debt, bound, wait)?;
        position.pooled = Some(Pooled { cohort, stake });
        self.state.pooled_collateral = self.state.pooled_collateral.plus(collateral)?;
        self.state.debt = self.state.debt.plus(debt)?;
        Ok(())
    }

    /// A position that a batch or a new minimum left under it may only repay or add.
    fn ensure_above_minimum(&self, debt: ScaledDebt) -> Result<(), LedgerError> {
        if self.state.index.owed(debt, Rounding::Up)? < self.params.min_debt {
            return Err(LedgerError::BelowMinimumDebt);
        }
        Ok(())
    }

    /// `debt ≤ ⌊value · initial LTV⌋` at the low side: the lowest of spot, previous, average and
    /// quarantined price.
    fn ensure_initial_ltv(
        &self,
        collateral: Amount,
        debt: ScaledDebt,
        prices: Option<&MarketPrices>,
    ) -> Result<(), LedgerError> {
        let prices = prices
            .filter(|prices| prices.age <= self.params.max_price_age)
            .ok_or(LedgerError::StalePrice)?;
        let limit = self.initial_limit(collateral, prices.low())?;
        if self.state.index.owed(debt, Rounding::Up)? > limit {
            return Err(LedgerError::ExceedsInitialLtv);
        }
        Ok(())
    }
}
