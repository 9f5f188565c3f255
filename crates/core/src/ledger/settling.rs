//! Settling a batch at one price.

use super::{Ledger, LedgerError, LedgerStore};
use crate::batch::{outcome, raise_at, Batch, Outcome, Sale, Settled};
use crate::inventory::Insured;
use crate::losses::{settle_losses, RewardTerms, Waterfall};
use crate::market::MarketPrices;
use crate::math::Rounding;
use crate::page::{BatchedCohort, CohortId, Departure};
use crate::units::{Amount, Block, Price};
use alloc::vec::Vec;
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// What a settlement did, in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Settlement {
    /// The one price, of bidders or of insurance; zero when nothing was sold.
    pub price: Price,
    /// Quote raised from bidders.
    pub raised: Amount,
    /// Collateral that goes to the bidders: `⌊raised / price⌋`.
    pub sold: Amount,
    /// Debt repaid from what bidders or insurance paid.
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
    /// What insurance bought, and what was sold of its own. Always:
    /// `raised + paid = repaid + penalties + proceeds`.
    pub insured: Insured,
}

impl<S: LedgerStore> Ledger<'_, S> {
    /// Settles a batch at one price, riskiest cohorts first while the money lasts, insurance's own
    /// collateral last.
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
        sale: Sale,
        block: Block,
        rest: u16,
    ) -> Result<Settlement, LedgerError> {
        self.settle_lot(number, sale, None, block, rest)
    }

    /// As [`Self::settle_batch`] for an auction that ran to its end and found no money at all:
    /// what insurance can afford of the lot it takes at the floor, if these prices are fresh and
    /// none of them is under it. No token moves.
    ///
    /// # Errors
    /// Those of [`Self::settle_batch`].
    pub fn settle_unsold(
        &mut self,
        number: u32,
        prices: &MarketPrices,
        block: Block,
        rest: u16,
    ) -> Result<Settlement, LedgerError> {
        let nothing = Sale {
            price: Price::ZERO,
            raised: Amount::ZERO,
            excused: false,
        };
        self.settle_lot(number, nothing, Some(prices), block, rest)
    }

    /// [`Self::settle_batch`] or, with prices and without money, [`Self::settle_unsold`].
    ///
    /// # Errors
    /// Those of [`Self::settle_batch`].
    #[inline(never)]
    pub fn settle_lot(
        &mut self,
        number: u32,
        sale: Sale,
        unsold: Option<&MarketPrices>,
        block: Block,
        rest: u16,
    ) -> Result<Settlement, LedgerError> {
        let Sale {
            price,
            raised,
            excused,
        } = sale;
        let mut batch = self.store.batch(number).ok_or(LedgerError::UnknownBatch)?;
        if batch.settled.is_some() {
            return Err(LedgerError::BatchSettled);
        }
        if !raised.is_zero() && (price < batch.floor || price > batch.start) {
            return Err(LedgerError::PriceOutsideLadder);
        }
        let ranked = self.cohorts_by_rank(number, &batch)?;
        let mut insured = Insured {
            paid: match unsold {
                Some(prices) => self.insurance_pays(&batch, &ranked, prices, block)?,
                None => Amount::ZERO,
            },
            ..Insured::default()
        };
        // One price for all, whoever buys.
        let bought = !insured.paid.is_zero();
        let price = match (raised.is_zero(), bought) {
            (false, _) => price,
            (true, true) => batch.floor,
            (true, false) => Price::ZERO,
        };
        let money = raised.plus(insured.paid)?;
        let sells = !money.is_zero();
        let rest = u16::try_from(batch.cells.len()).map_or(rest, |cells| rest.min(cells));
        let mut pool = self.state.pool()?;
        let mut sums = Sums::default();
        let mut settled = Settled {
            price,
            raised: money,
            index: self.state.index,
            // Without money the riskiest cohort is already past the margin.
            marginal_rank: if sells { batch.cohorts } else { 0 },
            marginal_raise: Amount::ZERO,
            block,
            round: batch.round,
            excused,
            rested: rest,
        };
        let mut left = money;
        for ranked in ranked.into_iter().flatten() {
            let cohort = &ranked.cohort;
            let full = if sells {
                raise_at(cohort, price, self.scale)?
            } else {
                Amount::ZERO
            };
            let given = full.min(left);
            if given < full && settled.marginal_rank == batch.cohorts {
                settled.marginal_rank = cohort.rank;
                settled.marginal_raise = given;
            }
            left = left.minus(given)?;
            let after = outcome(cohort, price, given, self.scale)?;
            let owed = settled.index.scaled(after.debt_left, Rounding::Up)?;
            sums.add(&after)?;
            self.state.debt = self.state.debt.plus(owed)?;
            if ranked.cell < rest {
                let failed = !sells || given < full;
                self.return_rest(ranked.id, cohort, &settled, &after, owed, failed)?;
            } else {
                let left = after.unrested(owed, batch.floor, self.scale)?;
                self.state.unrested = self.state.unrested.with(left)?;
            }
        }
        if !raised.is_zero() {
            (insured.sold, insured.proceeds) = self.own_sale(&batch, price, left)?;
            left = left.minus(insured.proceeds)?;
            sums.sold = sums.sold.plus(insured.sold)?;
        }
        // T is summed before it is rounded, cohorts after: what is over is under a unit each.
        if left.get() > u128::from(batch.cohorts).saturating_add(1) {
            return Err(LedgerError::RaisedTooMuch);
        }
        let penalties = sums.penalties.plus(left)?;
        let handed = if sells {
            self.scale.quantity(money, price, Rounding::Down)?
        } else {
            Amount::ZERO
        };
        let rounding = sums
            .sold
            .minus(handed)
            .map_err(|_| LedgerError::RaisedTooMuch)?;
        let buyers = if bought { Amount::ZERO } else { handed };
        insured.taken = handed.minus(buyers)?;

        let running = &self.state.running;
        let running = running.iter().find(|running| running.number == number);
        // Nobody is paid for what insurance buys or sells: it would pay for it itself.
        let (reward, asked) = match running {
            Some(running) if !bought => (running.reward, running.asked.minus_or_zero(running.own)),
            _ => (RewardTerms::default(), Amount::ZERO),
        };
        let earning = raised.minus(insured.proceeds)?;
        let state = &mut *self.state;
        state.insurance = state.insurance.minus(insured.paid)?;
        insured.to_lenders = state.take_in(insured.proceeds)?;
        pool = pool.plus(insured.to_lenders)?;
        let mut waterfall = settle_losses(
            penalties,
            sums.shortfall,
            state.insurance,
            earning,
            reward.tip,
            reward.share,
        )?;
        let borne = state.draw_reserve(waterfall.from_lenders, pool)?;
        waterfall.from_reserve = borne;
        waterfall.from_lenders = waterfall.from_lenders.minus(borne)?;
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
        state.insurance = state.insurance.minus(waterfall.from_insurance)?;
        state.book_loss(waterfall.from_lenders, pool, self.params.loss_cap)?;
        waterfall.to_lenders = state.take_in(waterfall.to_insurance)?;
        waterfall.to_insurance = waterfall.to_insurance.minus(waterfall.to_lenders)?;
        waterfall.top_up = state.top_ups.draw(
            &reward,
            asked,
            earning,
            waterfall.reward,
            state.insurance,
            state.accrued_at,
        );
        state.insurance = state.insurance.minus(waterfall.top_up)?;
        state.rewards = state
            .rewards
            .plus(waterfall.reward)?
            .plus(waterfall.top_up)?;
        state.running.retain(|running| running.number != number);
        self.keep_inventory(&batch, &insured, waterfall.from_insurance, &settled)?;
        batch.settled = Some(settled);
        self.store.set_batch(number, &batch);
        Ok(Settlement {
            price,
            raised,
            sold: buyers,
            repaid: sums.repaid,
            penalties,
            returned: sums.closed.plus(sums.pooled)?,
            debt_left: sums.debt_left,
            waterfall,
            rested: usize::from(rest) == batch.cells.len(),
            insured,
        })
    }

    /// The cohorts of a batch, each at the place of its rank.
    pub(super) fn cohorts_by_rank(
        &mut self,
        number: u32,
        batch: &Batch,
    ) -> Result<Vec<Option<Ranked>>, LedgerError> {
        let mut ranked = alloc::vec![None; usize::from(batch.cohorts)];
        for (cell, key) in (0..).zip(&batch.cells) {
            for (slot, departure) in self.departed(*key)?.iter() {
                let Departure::Batched(cohort) = departure else {
                    continue;
                };
                if cohort.batch != number {
                    continue;
                }
                if let Some(place) = ranked.get_mut(usize::from(cohort.rank)) {
                    let (tick, epoch) = (key.tick(slot), key.epoch);
                    *place = Some(Ranked {
                        cell,
                        id: CohortId { tick, epoch },
                        cohort: *cohort,
                    });
                }
            }
        }
        Ok(ranked)
    }
}

/// A cohort of a batch that settles.
#[derive(Clone, Copy)]
pub(super) struct Ranked {
    /// Which of the batch's cells it is in.
    cell: u16,
    id: CohortId,
    pub(super) cohort: BatchedCohort,
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

impl Sums {
    fn add(&mut self, after: &Outcome) -> Result<(), LedgerError> {
        self.repaid = self.repaid.plus(after.repaid)?;
        self.penalties = self.penalties.plus(after.penalty)?;
        self.shortfall = self.shortfall.plus(after.shortfall)?;
        self.sold = self.sold.plus(after.sold)?;
        self.debt_left = self.debt_left.plus(after.debt_left)?;
        if after.debt_left.is_zero() {
            self.closed = self.closed.plus(after.collateral_left)?;
        } else {
            self.pooled = self.pooled.plus(after.collateral_left)?;
        }
        Ok(())
    }
}
