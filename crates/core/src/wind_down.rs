//! The orderly end of a market: nothing new is lent, debts are repaid and sold as before, and
//! lenders are paid as money comes in.
//!
//! Shares are neither issued nor burnt any more. Of everything that has become payable since the
//! wind-down began, a lender with `s` of `S` shares may have had `s / S` at any time, whenever it
//! asks: nobody gains by being first, and a loss that shows later falls on all alike.

use crate::lending::LendingError;
use crate::market::MarketState;
use crate::math::{MathError, Rounding};
use crate::units::{Amount, Millis, Ratio, Shares};
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// What a market that is wound down keeps beside its totals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct WindDown {
    /// When it began, milliseconds.
    pub since: Millis,
    /// Quote paid out to lenders since.
    pub paid: Amount,
    /// What lenders have lost since, with the loss that began it, and not got back; quote.
    pub lost: Amount,
    /// Collateral that lenders have taken for debt nobody bought, and not been paid yet.
    pub in_kind: Amount,
    /// Collateral paid out to lenders.
    pub in_kind_paid: Amount,
}

/// What one lender has been paid in a wind-down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Collected {
    /// Quote.
    pub quote: Amount,
    /// Collateral.
    pub in_kind: Amount,
}

/// `⌊all · shares / total⌋` less what has been taken, and never more than is there.
fn due(
    all: Amount,
    there: Amount,
    shares: Shares,
    total: Shares,
    taken: Amount,
) -> Result<Amount, MathError> {
    if total.is_zero() {
        return Ok(Amount::ZERO);
    }
    let part = all.mul_div(shares.get(), total.get(), Rounding::Down)?;
    Ok(part.minus_or_zero(taken).min(there))
}

impl MarketState {
    /// Begins to wind the market down. There is no way back.
    ///
    /// # Errors
    /// [`LendingError::WindingDown`] where it has begun already.
    pub fn begin_wind_down(&mut self) -> Result<(), LendingError> {
        if self.wind_down.is_some() {
            return Err(LendingError::WindingDown);
        }
        self.wind_down = Some(WindDown {
            since: self.accrued_at,
            ..WindDown::default()
        });
        Ok(())
    }

    /// What the shares of the pool stand for: lenders' assets, and what a wind-down has paid out.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn pool(&self) -> Result<Amount, MathError> {
        let paid = self.wind_down.map(|ended| ended.paid).unwrap_or_default();
        self.lenders_assets()?.plus(paid)
    }

    /// Books what lenders lose of a pool that was worth `pool` before. One loss above the cap, a
    /// share of the pool, begins the wind-down.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn book_loss(&mut self, loss: Amount, pool: Amount, cap: Ratio) -> Result<(), MathError> {
        self.written_off = self.written_off.plus(loss)?;
        if self.wind_down.is_none() && loss > pool.share(cap, Rounding::Up)? {
            self.wind_down = Some(WindDown {
                since: self.accrued_at,
                ..WindDown::default()
            });
        }
        if let Some(ended) = &mut self.wind_down {
            ended.lost = ended.lost.plus(loss)?;
        }
        Ok(())
    }

    /// Takes in quote that belongs to no lender: surplus penalties, deposits into insurance.
    ///
    /// In a wind-down it makes good what lenders have lost in it, then goes to insurance, the
    /// reverse of the order of losses. Before, it all goes to insurance: added to the value of
    /// shares it would go to whoever lends after the loss (promise 10). Returns what lenders got.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn take_in(&mut self, amount: Amount) -> Result<Amount, MathError> {
        let mut made_good = Amount::ZERO;
        if let Some(ended) = &mut self.wind_down {
            made_good = amount.min(ended.lost);
            ended.lost = ended.lost.minus(made_good)?;
            self.cash = self.cash.plus(made_good)?;
        }
        self.insurance = self.insurance.plus(amount.minus(made_good)?)?;
        Ok(made_good)
    }

    /// Hands what insurance holds of the collateral over to lenders for what they have lost: in a
    /// wind-down older than `notice` whose insurance bought what nobody would buy back. Returns
    /// the collateral handed over and what it makes good, at what insurance paid for it.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn hand_inventory_over(&mut self, notice: Millis) -> Result<(Amount, Amount), MathError> {
        match &mut self.wind_down {
            Some(ended) if self.accrued_at.saturating_sub(ended.since) >= notice => {
                let (collateral, good) = self.inventory.hand_over(ended.lost)?;
                ended.lost = ended.lost.minus(good)?;
                ended.in_kind = ended.in_kind.plus(collateral)?;
                Ok((collateral, good))
            }
            _ => Ok((Amount::ZERO, Amount::ZERO)),
        }
    }

    /// What a lender's shares are worth, less what it has been paid in a wind-down.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn lender_value(&self, shares: Shares, taken: Collected) -> Result<Amount, MathError> {
        if self.wind_down.is_none() {
            return self.supply_value(shares);
        }
        let pool = self.pool()?;
        due(pool, pool, shares, self.supply_shares, taken.quote)
    }

    /// Pays a lender its part of the cash, or of the collateral taken in kind, that has come in
    /// since the wind-down began and that it has not been paid yet.
    ///
    /// # Errors
    /// [`LendingError::NotWindingDown`], [`LendingError::NothingToCollect`],
    /// [`LendingError::Math`].
    pub fn collect(
        &mut self,
        shares: Shares,
        taken: &mut Collected,
        in_kind: bool,
    ) -> Result<Amount, LendingError> {
        let total = self.supply_shares;
        let ended = self
            .wind_down
            .as_mut()
            .ok_or(LendingError::NotWindingDown)?;
        let (there, paid, had) = if in_kind {
            (
                &mut ended.in_kind,
                &mut ended.in_kind_paid,
                &mut taken.in_kind,
            )
        } else {
            (&mut self.cash, &mut ended.paid, &mut taken.quote)
        };
        let amount = due(there.plus(*paid)?, *there, shares, total, *had)?;
        if amount.is_zero() {
            return Err(LendingError::NothingToCollect);
        }
        *there = there.minus(amount)?;
        *paid = paid.plus(amount)?;
        *had = had.plus(amount)?;
        Ok(amount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::ScaledDebt;
    use proptest::prelude::*;

    const CAP: Amount = Amount::new(u128::MAX >> 1);

    fn lent_out(shares: &[u128], cash: u128) -> (MarketState, Vec<Shares>) {
        let mut market = MarketState::default();
        let held: Vec<_> = shares
            .iter()
            .map(|amount| market.supply(Amount::new(*amount), CAP).unwrap())
            .collect();
        let all = market.cash;
        market.cash = Amount::new(cash.min(all.get()));
        market.debt = ScaledDebt::new(all.minus(market.cash).unwrap().get());
        (market, held)
    }

    #[test]
    fn a_market_that_is_wound_down_lends_nothing_and_pays_by_share() {
        let (mut market, held) = lent_out(&[600, 400], 100);
        let mut taken = Collected::default();
        assert_eq!(
            market.collect(held[0], &mut taken, false),
            Err(LendingError::NotWindingDown)
        );
        market.begin_wind_down().unwrap();
        assert_eq!(market.begin_wind_down(), Err(LendingError::WindingDown));
        assert_eq!(
            market.supply(Amount::new(5), CAP),
            Err(LendingError::WindingDown)
        );
        assert_eq!(
            market.redeem(held[0], held[0], Amount::ZERO),
            Err(LendingError::WindingDown)
        );
        assert_eq!(
            market.collect(held[0], &mut taken, false),
            Ok(Amount::new(60))
        );
        assert_eq!(
            market.collect(held[0], &mut taken, false),
            Err(LendingError::NothingToCollect)
        );
        // 200 are repaid: 120 are its own, whenever the other asks.
        market.cash = market.cash.plus(Amount::new(200)).unwrap();
        assert_eq!(
            market.collect(held[0], &mut taken, false),
            Ok(Amount::new(120))
        );
        let mut other = Collected::default();
        assert_eq!(
            market.collect(held[1], &mut other, false),
            Ok(Amount::new(120))
        );
        assert!(market.cash.is_zero());
    }

    #[test]
    fn one_loss_above_the_cap_winds_down_and_its_recovery_goes_to_lenders_first() {
        let (mut market, _) = lent_out(&[1_000], 400);
        let pool = market.pool().unwrap();
        let cap = Ratio::from_bps(1_000);
        market.book_loss(Amount::new(100), pool, cap).unwrap();
        assert_eq!(market.wind_down, None, "at the cap, not above");
        assert_eq!(market.take_in(Amount::new(30)), Ok(Amount::ZERO));
        assert_eq!(market.insurance, Amount::new(30));
        market.accrued_at = 7;
        market.book_loss(Amount::new(101), pool, cap).unwrap();
        assert_eq!(market.wind_down.unwrap().lost, Amount::new(101));
        assert_eq!(market.wind_down.unwrap().since, 7, "the notice begins");
        assert_eq!(market.written_off, Amount::new(201));
        assert_eq!(market.take_in(Amount::new(100)), Ok(Amount::new(100)));
        assert_eq!(market.take_in(Amount::new(7)), Ok(Amount::new(1)));
        assert_eq!(market.cash, Amount::new(501));
        assert_eq!(market.insurance, Amount::new(36));
    }

    proptest! {
        /// Promise 10: in whatever order and however often lenders ask, whatever comes in
        /// between, each has been paid its part of all money to a unit; never more is paid than
        /// is there.
        #[test]
        fn nobody_gains_by_being_first(
            lent in proptest::collection::vec(1u128..1 << 80, 1..6),
            events in proptest::collection::vec((0usize..6, 0u128..1 << 70), 1..40),
        ) {
            let (mut market, held) = lent_out(&lent, 1 << 60);
            market.begin_wind_down().unwrap();
            let mut taken = vec![Collected::default(); held.len()];
            for (who, comes_in) in events {
                market.cash = market.cash.plus(Amount::new(comes_in)).unwrap();
                let who = who % held.len();
                let _ = market.collect(held[who], &mut taken[who], false);
            }
            let all = market.cash.plus(market.wind_down.unwrap().paid).unwrap();
            for (held, taken) in held.iter().zip(&mut taken) {
                let _ = market.collect(*held, taken, false);
                let part = all.mul_div(held.get(), market.supply_shares.get(), Rounding::Down);
                prop_assert_eq!(taken.quote, part.unwrap());
            }
            prop_assert!(market.cash.get() <= held.len() as u128);
        }
    }
}
