//! Adding cohorts to a batch whose first step has not begun, and which have to wait.

use super::batches::{Lot, Sweep};
use super::{Ledger, LedgerError, LedgerStore, OpenRequest, Opening};
use crate::batch::targets;
use crate::market::MarketPrices;
use crate::math::Rounding;
use crate::page::Cohort;
use crate::units::{Amount, Price};

impl<S: LedgerStore> Ledger<'_, S> {
    /// Takes further under-margined cohorts into a running batch, on the opening's rounds and
    /// under the rules of an opening: the whole batch stays within the room under the hole and
    /// within what bidders' deposits cover now. Cohorts taken before keep their asks and ranks.
    ///
    /// `ladder` holds the prices that the batch was opened with. Whether the first step has begun
    /// is for the auction to judge, whose clock may have been halted. Returns the whole batch.
    ///
    /// # Errors
    /// [`LedgerError::UnknownBatch`], [`LedgerError::BatchSettled`],
    /// [`LedgerError::RoundChanged`], [`LedgerError::StalePrice`],
    /// [`LedgerError::PriceOutsideLadder`], [`LedgerError::NothingToLiquidate`] where nothing
    /// can be added, [`LedgerError::Math`].
    pub fn extend(
        &mut self,
        number: u32,
        prices: &MarketPrices,
        ladder: &[Price],
        request: OpenRequest,
    ) -> Result<Opening, LedgerError> {
        let mut batch = self.running_batch(number, ladder)?;
        // Promise 5: with another round, health would have to be judged anew.
        if prices.round != batch.round || prices.best() != batch.reference {
            return Err(LedgerError::RoundChanged);
        }
        if prices.age > self.params.max_price_age {
            return Err(LedgerError::StalePrice);
        }
        let others = self.state.committed()?.minus(batch.asked)?;
        let covered = request.demand.most.max(self.params.min_batch);
        let sweep = Sweep {
            number,
            reference: batch.reference,
            highest_healthy: self.highest_healthy(batch.reference),
            start: batch.start,
            floor: batch.floor,
            room: self.params.hole.minus_or_zero(others).min(covered),
            block: request.block,
            round: batch.round,
            left_only: false,
        };
        let mut lot = Lot {
            terms: self.terms(number, &batch)?,
            cells: core::mem::take(&mut batch.cells),
            cohorts: batch.cohorts,
            members: batch.members,
            collateral: batch.collateral,
            debt: batch.debt,
            asked: batch.asked,
            provision: Amount::ZERO,
        };
        self.collect(&sweep, &mut lot)?;
        if lot.cohorts == batch.cohorts {
            return Err(LedgerError::NothingToLiquidate);
        }
        let collateral = lot.collateral.minus(batch.collateral)?;
        let debt = lot.debt.minus(batch.debt)?;
        self.state.pooled_collateral = self.state.pooled_collateral.minus(collateral)?;
        self.state.batched_collateral = self.state.batched_collateral.plus(collateral)?;
        self.state.batched_debt = self.state.batched_debt.plus(debt)?;
        let mut own = Amount::ZERO;
        for running in &mut self.state.running {
            if running.number == number {
                own = running.own;
                running.asked = lot.asked;
                running.provision = running.provision.plus(lot.provision)?;
            }
        }
        batch.cells = lot.cells;
        batch.cohorts = lot.cohorts;
        batch.members = lot.members;
        batch.collateral = lot.collateral;
        batch.debt = lot.debt;
        batch.asked = lot.asked;
        self.store.set_batch(number, &batch);
        Ok(Opening {
            number,
            reference: batch.reference,
            spot: prices.spot,
            quarantined: prices.quarantined,
            prices: ladder.to_vec(),
            targets: targets(&lot.terms, ladder, batch.asked, self.scale)?,
            cohorts: batch.cohorts,
            members: batch.members,
            collateral: batch.collateral,
            debt: batch.debt,
            offered: batch.offered,
            own,
        })
    }

    /// Whether a cohort whose last batch found too little money is left alone for now. Health at
    /// or under full-close ends the wait, and so does a debt that is more than its collateral is
    /// worth: every block of it is the lenders' loss.
    pub(super) fn waits(&self, cohort: &Cohort, sweep: &Sweep) -> Result<bool, LedgerError> {
        if !cohort.cooling.waits(sweep.block, sweep.round) {
            return Ok(false);
        }
        let debt = self.state.index.owed(cohort.debt, Rounding::Up)?;
        let (reference, down) = (sweep.reference, Rounding::Down);
        let value = self.scale.value(cohort.collateral, reference, down)?;
        if debt > value {
            return Ok(false);
        }
        let backing = value.share(self.params.liquidation_threshold, down)?;
        Ok(backing > debt.share(self.params.full_close_health, Rounding::Up)?)
    }
}
