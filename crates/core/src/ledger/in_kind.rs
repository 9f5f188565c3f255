//! The last resort of a wind-down: lenders take collateral that no auction could sell.

use super::{Ledger, LedgerError, LedgerStore};
use crate::ladder::Measures;
use crate::losses::settle_losses;
use crate::market::MarketPrices;
use crate::math::{MathError, Rounding};
use crate::page::{page_of, Cooling};
use crate::position::Position;
use crate::tick;
use crate::units::{is_liquidatable, Amount, Block, Price, Ratio, ScaledDebt};
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// What lenders took from one position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct TakenInKind {
    /// The floor it was valued at.
    pub price: Price,
    /// Collateral taken.
    pub collateral: Amount,
    /// Collateral that stays with the owner, who owes nothing any more.
    pub returned: Amount,
    /// Debt that ended, quote.
    pub debt: Amount,
    /// The part of it that no collateral was left for.
    pub shortfall: Amount,
}

impl<S: LedgerStore> Ledger<'_, S> {
    /// Ends the debt of one position for collateral at the floor price, without a penalty: lenders
    /// receive `⌈debt / floor⌉` of it or all there is, the owner keeps the excess.
    ///
    /// Only in a wind-down that is older than the market's notice; only where the position is
    /// liquidatable now as for a batch, with what was held aside for it as well, and its last auction
    /// found too little money.
    /// Collateral that would not cover the debt at the floor leaves a loss, which is borne as in a
    /// settlement. Nothing is taken while the floor leaves no room under spot, as nothing is
    /// opened then: at an absolute floor above the price lenders would be paid too little, and
    /// the loss would be in no book.
    ///
    /// # Errors
    /// [`LedgerError::NotInKindYet`], [`LedgerError::RoundTooFresh`],
    /// [`LedgerError::StalePrice`], [`LedgerError::PriceQuarantined`],
    /// [`LedgerError::FloorAboveSpot`],
    /// [`LedgerError::PositionInBatch`], [`LedgerError::NothingOwed`],
    /// [`LedgerError::NothingToLiquidate`], [`LedgerError::NotAuctioned`],
    /// [`LedgerError::SyncRequired`], [`LedgerError::Math`].
    #[inline(never)]
    pub fn take_in_kind(
        &mut self,
        position: &mut Position,
        prices: &MarketPrices,
        block: Block,
    ) -> Result<TakenInKind, LedgerError> {
        let now = self.state.accrued_at;
        let ripe = |since: u64| now.saturating_sub(since) >= self.params.notice;
        if !self.state.wind_down.is_some_and(|ended| ripe(ended.since)) {
            return Err(LedgerError::NotInKindYet);
        }
        if prices.accepted_in >= block {
            return Err(LedgerError::RoundTooFresh);
        }
        if prices.age > self.params.max_price_age {
            return Err(LedgerError::StalePrice);
        }
        if prices.quarantined.is_some() {
            return Err(LedgerError::PriceQuarantined);
        }
        let ladder = &self.params.ladder;
        if !ladder.has_room(prices.spot, Measures::default())? {
            return Err(LedgerError::FloorAboveSpot);
        }
        self.settle(position)?;
        let id = position.pooled.ok_or(LedgerError::NothingOwed)?.cohort;
        let (index, threshold) = (self.state.index, self.params.liquidation_threshold);
        if !is_liquidatable(tick::bound(id.tick), index, prices.best(), threshold) {
            return Err(LedgerError::NothingToLiquidate);
        }
        let page = self.page(page_of(id.tick))?;
        let cohort = page.cohort(id).ok_or(LedgerError::CorruptedStorage)?;
        if cohort.cooling.failures == 0 {
            return Err(LedgerError::NotAuctioned);
        }
        let pool = self.state.pool()?;
        let (collateral, scaled, _) = self.take_out(position)?;
        // With what was held aside for it while it was in a batch it may be healthy (promise 5).
        let own = tick::bound(tick::at_or_below(self.scale.debt_ratio(scaled, collateral)));
        if !is_liquidatable(own, index, prices.best(), threshold) {
            return Err(LedgerError::NothingToLiquidate);
        }
        let debt = index.owed(scaled, Rounding::Up)?;
        let price = self.params.ladder.floor_price(prices.spot)?;
        // Where the collateral is next to worthless no amount of it covers the debt.
        let wanted = match self.scale.quantity(debt, price, Rounding::Up) {
            Err(MathError::Overflow) => Amount::new(u128::MAX),
            wanted => wanted?,
        };
        let (taken, shortfall) = if wanted <= collateral {
            (wanted, Amount::ZERO)
        } else {
            let worth = self.scale.value(collateral, price, Rounding::Down)?;
            (collateral, debt.minus_or_zero(worth))
        };
        let returned = collateral.minus(taken)?;
        self.attach(position, returned, ScaledDebt::ZERO, Cooling::default())?;
        let borne = settle_losses(
            Amount::ZERO,
            shortfall,
            self.state.insurance,
            Amount::ZERO,
            Amount::ZERO,
            Ratio::ZERO,
        )?;
        let state = &mut *self.state;
        state.insurance = state.insurance.minus(borne.from_insurance)?;
        state.cash = state.cash.plus(borne.from_insurance)?;
        let reserve = state.draw_reserve(borne.from_lenders, pool)?;
        let lost = borne.from_lenders.minus(reserve)?;
        state.book_loss(lost, pool, self.params.loss_cap)?;
        if let Some(ended) = &mut state.wind_down {
            ended.in_kind = ended.in_kind.plus(taken)?;
        }
        Ok(TakenInKind {
            price,
            collateral: taken,
            returned,
            debt,
            shortfall,
        })
    }
}
