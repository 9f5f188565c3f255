//! Insurance as the buyer at the floor, and as a seller in the next batch.

use super::batches::{Lot, Sweep};
use super::settling::Ranked;
use super::{Ledger, LedgerError, LedgerStore};
use crate::batch::{outcome, raise_at, Batch, Settled};
use crate::inventory::{Insured, OWN_PART_OF_HOLE};
use crate::market::MarketPrices;
use crate::math::{MathError, Rounding};
use crate::units::{Amount, Block, Price};

impl<S: LedgerStore> Ledger<'_, S> {
    /// What insurance pays for a lot that nobody bid for, at the floor, riskiest cohorts first.
    ///
    /// Nothing unless the prices are fresh: young enough, of a round newer than the batch's and
    /// older than this block, and none of them, average and quarantined one included, under the
    /// floor. A cohort is served in full, or in part where its collateral is worth more than its
    /// debt; so nothing it leaves is worse than before. With every price goes what the purchase
    /// writes off: both together stay within the day's budget and within what insurance has, so
    /// that a purchase never costs lenders anything.
    #[cold]
    #[inline(never)]
    pub(super) fn insurance_pays(
        &self,
        batch: &Batch,
        cohorts: &[Option<Ranked>],
        prices: &MarketPrices,
        block: Block,
    ) -> Result<Amount, LedgerError> {
        let fresh = prices.age <= self.params.max_price_age
            && prices.round > batch.round
            && prices.accepted_in < block;
        let floor = batch.floor;
        if !fresh || prices.low() < floor {
            return Ok(Amount::ZERO);
        }
        let state = &*self.state;
        let budget = self.params.insurance_budget_a_day()?;
        let mut left = state
            .inventory
            .allowance(budget, state.insurance, state.accrued_at);
        let (mut pays, mut ends) = (Amount::ZERO, false);
        for ranked in cohorts.iter().flatten() {
            let cohort = &ranked.cohort;
            let costs = |given: Amount| -> Result<Amount, LedgerError> {
                Ok(given.plus(outcome(cohort, floor, given, self.scale)?.shortfall)?)
            };
            let mut given = if ends {
                Amount::ZERO
            } else {
                raise_at(cohort, floor, self.scale)?
            };
            let mut cost = costs(given)?;
            if cost > left && !ends {
                ends = true;
                let worth = self
                    .scale
                    .value(cohort.cohort.collateral, floor, Rounding::Down)?;
                let sound = worth > cohort.debt;
                given = if sound { left.min(given) } else { Amount::ZERO };
                cost = costs(given)?;
            }
            if cost > left {
                // Worthless collateral would be written off at lenders' cost.
                return Ok(Amount::ZERO);
            }
            left = left.minus(cost)?;
            pays = pays.plus(given)?;
        }
        Ok(pays)
    }

    /// How much of insurance's collateral a batch sells at a price for the money its cohorts have
    /// left, and what for. What is given up is rounded up.
    #[cold]
    #[inline(never)]
    pub(super) fn own_sale(
        &self,
        batch: &Batch,
        price: Price,
        left: Amount,
    ) -> Result<(Amount, Amount), LedgerError> {
        let worth = self.scale.value(batch.offered, price, Rounding::Down)?;
        let proceeds = worth.min(left);
        let sold = if proceeds == worth {
            batch.offered
        } else {
            self.scale
                .quantity(proceeds, price, Rounding::Up)?
                .min(batch.offered)
        };
        Ok((sold, proceeds))
    }

    /// Books what a settlement took for insurance and sold of its own, and whether insurance has
    /// to wait before it offers collateral alone.
    #[cold]
    #[inline(never)]
    pub(super) fn keep_inventory(
        &mut self,
        batch: &Batch,
        insured: &Insured,
        covered: Amount,
        settled: &Settled,
    ) -> Result<(), LedgerError> {
        let now = self.state.accrued_at;
        let inventory = &mut self.state.inventory;
        if !batch.offered.is_zero() {
            inventory.take_back(batch.offered, insured.sold)?;
            if insured.sold == batch.offered {
                inventory.cooling = Default::default();
            } else if !settled.excused {
                inventory.fail(settled.block, settled.round);
            }
        }
        if !insured.paid.is_zero() {
            inventory.take(insured.taken, insured.paid, covered, now)?;
            if batch.offered.is_zero() {
                inventory.fail(settled.block, settled.round);
            }
        }
        Ok(())
    }

    /// How much of insurance's collateral joins a batch that opens, and what it asks at the start
    /// price: what the cohorts leave of the room, at most a part of the hole, in one batch at a
    /// time. Alone it is offered only after the wait of a lot that failed, and not under the least
    /// batch.
    #[cold]
    #[inline(never)]
    pub(super) fn own_offer(
        &self,
        sweep: &Sweep,
        lot: &Lot,
    ) -> Result<(Amount, Amount), LedgerError> {
        let inventory = &self.state.inventory;
        let nothing = (Amount::ZERO, Amount::ZERO);
        if inventory.held.is_zero() || !inventory.offered.is_zero() {
            return Ok(nothing);
        }
        let alone = lot.cohorts == 0;
        if alone && inventory.cooling.waits(sweep.block, sweep.round) {
            return Ok(nothing);
        }
        let most = self
            .params
            .hole
            .mul_div(1, OWN_PART_OF_HOLE, Rounding::Down)?;
        let room = sweep.room.minus_or_zero(lot.asked).min(most);
        // At next to no price the room is for more than any number of units.
        let collateral = match self.scale.quantity(room, sweep.start, Rounding::Down) {
            Err(MathError::Overflow) => inventory.held,
            most => most?.min(inventory.held),
        };
        let asked = self.scale.value(collateral, sweep.start, Rounding::Up)?;
        if alone && asked < self.params.min_batch {
            return Ok(nothing);
        }
        Ok((collateral, asked))
    }
}
