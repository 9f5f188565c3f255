//! A position as its owner sees it: where it stands, and exactly how far it may go.

use super::moves::Standing;
use super::positions::batched_debt;
use super::{Ledger, LedgerError, LedgerStore, MAX_MOVES};
use crate::math::{mul_div, MathError, Rounding};
use crate::position::{Position, PositionView, Status, HEALTH_WITHOUT_DEBT};
use crate::tick;
use crate::units::{
    highest_healthy_ratio, is_liquidatable, liquidation_price, Amount, Price, Ratio, ScaledDebt,
};

impl<S: LedgerStore> Ledger<'_, S> {
    /// A position brought up to date, judged at a price: the price at which it is liquidated, as
    /// if it were spot, previous and average price for what it may borrow or withdraw. Nothing is
    /// stored by it.
    ///
    /// # Errors
    /// [`LedgerError::SyncRequired`], [`LedgerError::CorruptedStorage`], [`LedgerError::Math`].
    pub fn view(&mut self, position: &Position, price: Price) -> Result<PositionView, LedgerError> {
        let mut position = *position;
        let standing = self.follow(&mut position, MAX_MOVES)?;
        if let (Standing::InBatch(batched), Some(pooled)) = (standing, position.pooled) {
            let (collateral, scaled_debt) = batched.cohort.worth(pooled.stake)?;
            let debt = batched_debt(&batched, &position)?.minus_or_zero(position.prepaid);
            let collateral = collateral.plus(position.collateral)?;
            return Ok(PositionView {
                collateral,
                scaled_debt,
                debt,
                liquidation_price: None,
                status: Status::InBatch,
                batch: Some(batched.batch),
                health: self.health(collateral, debt, price)?,
                borrowable: Amount::ZERO,
                withdrawable: Amount::ZERO,
                cure_by_repaying: Amount::ZERO,
                cure_by_adding: Amount::ZERO,
            });
        }
        let (index, threshold) = (self.state.index, self.params.liquidation_threshold);
        // Until it is touched, a position is judged by the tick its cohort is in, whatever has
        // been held aside for it.
        let bound = position
            .pooled
            .map(|pooled| tick::bound(pooled.cohort.tick));
        let (collateral, scaled_debt, _) = self.take_out(&mut position)?;
        let debt = index.owed(scaled_debt, Rounding::Up)?;
        let liquidatable =
            bound.is_some_and(|bound| is_liquidatable(bound, index, price, threshold));
        let status = if liquidatable {
            if debt > self.scale.value(collateral, price, Rounding::Down)? {
                Status::Insolvent
            } else {
                Status::Liquidatable
            }
        } else if debt > self.initial_limit(collateral, price)? {
            Status::MarginCall
        } else {
            Status::Healthy
        };
        let (cure_by_repaying, cure_by_adding) = if liquidatable {
            self.cures(collateral, scaled_debt, price)?
        } else {
            (Amount::ZERO, Amount::ZERO)
        };
        Ok(PositionView {
            collateral,
            scaled_debt,
            debt,
            liquidation_price: bound.and_then(|bound| liquidation_price(bound, index, threshold)),
            status,
            batch: None,
            health: self.health(collateral, debt, price)?,
            borrowable: self.borrowable(collateral, scaled_debt, price)?,
            withdrawable: self.withdrawable(collateral, debt, price),
            cure_by_repaying,
            cure_by_adding,
        })
    }

    /// `⌊value · initial LTV⌋`, of a value rounded down: the most debt after borrowing.
    pub(super) fn initial_limit(
        &self,
        collateral: Amount,
        price: Price,
    ) -> Result<Amount, MathError> {
        self.scale
            .value(collateral, price, Rounding::Down)?
            .share(self.params.initial_ltv, Rounding::Down)
    }

    fn health(&self, collateral: Amount, debt: Amount, price: Price) -> Result<Ratio, MathError> {
        if debt.is_zero() {
            return Ok(HEALTH_WITHOUT_DEBT);
        }
        let value = self.scale.value(collateral, price, Rounding::Down)?;
        let threshold = self.params.liquidation_threshold.ppm();
        let health = mul_div(value.get(), threshold, debt.get(), Rounding::Down);
        Ok(health
            .ok()
            .and_then(|ppm| u32::try_from(ppm).ok())
            .map_or(HEALTH_WITHOUT_DEBT, Ratio::from_ppm))
    }

    /// The largest amount that [`Self::borrow`] grants to a position that was just taken out.
    fn borrowable(
        &self,
        collateral: Amount,
        debt: ScaledDebt,
        price: Price,
    ) -> Result<Amount, MathError> {
        let index = self.state.index;
        // ⌈s · index⌉ ≤ limit holds up to s = ⌊limit / index⌋.
        let limit = self.initial_limit(collateral, price)?;
        let by_margin = index.scaled(limit, Rounding::Down)?.minus_or_zero(debt);
        // ⌊s · index⌋ ≤ ceiling holds up to s = ⌈(ceiling + 1) / index⌉ − 1.
        let all = self.state.debt.plus(debt)?;
        let others = self.state.batched_debt;
        let by_ceiling = if self.params.debt_ceiling < others {
            ScaledDebt::ZERO
        } else {
            let ceiling = self.params.debt_ceiling.minus(others)?;
            // A ceiling at the end of its range is none.
            let most = match ceiling.plus(Amount::new(1)) {
                Ok(over) => index
                    .scaled(over, Rounding::Up)?
                    .minus_or_zero(ScaledDebt::new(1)),
                Err(_) => ScaledDebt::new(u128::MAX),
            };
            most.minus_or_zero(all)
        };
        // ⌈a / index⌉ ≤ room holds up to a = ⌊room · index⌋.
        let most = index
            .owed(by_margin.min(by_ceiling), Rounding::Down)?
            .min(self.state.cash);
        let after = debt.plus(index.scaled(most, Rounding::Up)?)?;
        let refused = index.owed(after, Rounding::Up)? < self.params.min_debt
            || tick::at_or_below(self.scale.debt_ratio(after, collateral)) == tick::LOWEST_TICK;
        Ok(if refused { Amount::ZERO } else { most })
    }

    /// The largest amount that [`Self::withdraw`] grants.
    fn withdrawable(&self, collateral: Amount, debt: Amount, price: Price) -> Amount {
        if debt.is_zero() {
            return collateral;
        }
        // ⌊⌊c · p⌋ · LTV⌋ ≥ debt holds from ⌊c · p⌋ = ⌈debt / LTV⌉, that is c = ⌈⌈debt / LTV⌉ / p⌉.
        let least = debt
            .mul_div(
                Ratio::DENOMINATOR,
                self.params.initial_ltv.ppm(),
                Rounding::Up,
            )
            .and_then(|value| self.scale.quantity(value, price, Rounding::Up));
        least.map_or(Amount::ZERO, |least| collateral.minus_or_zero(least))
    }

    /// The least repayment, and the least collateral to add instead, that put a position into a
    /// tick that is not liquidatable at a price.
    fn cures(
        &self,
        collateral: Amount,
        debt: ScaledDebt,
        price: Price,
    ) -> Result<(Amount, Amount), MathError> {
        let index = self.state.index;
        let safe = highest_healthy_ratio(index, price, self.params.liquidation_threshold);
        let Some(first_unsafe) = tick::at_or_below(safe).checked_add(1) else {
            return Ok((Amount::ZERO, Amount::ZERO));
        };
        let (edge, unit) = (tick::bound(first_unsafe), self.scale.factor());
        // Its ratio is under the edge where debt · unit < edge · collateral.
        let most = mul_div(edge.get(), collateral.get(), unit, Rounding::Up)
            .map_or(debt, |first| {
                ScaledDebt::new(first).minus_or_zero(ScaledDebt::new(1))
            });
        let owed = index.owed(debt, Rounding::Up)?;
        let mut repay = index.owed(debt.minus_or_zero(most), Rounding::Up)?;
        let rest = debt.minus_or_zero(index.scaled(repay, Rounding::Down)?);
        let minimum = self.params.min_debt;
        if index.owed(rest, Rounding::Up)? < minimum && owed >= minimum && !repay.is_zero() {
            // A rest under the minimum is refused: all or nothing.
            repay = owed;
        }
        // At next to no price no amount that there can be cures it.
        let least = mul_div(debt.get(), unit, edge.get(), Rounding::Down)
            .map_or(u128::MAX, |least| least.saturating_add(1));
        Ok((repay, Amount::new(least).minus_or_zero(collateral)))
    }
}
