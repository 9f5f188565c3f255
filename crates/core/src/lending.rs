//! Lenders' shares of the pool of cash and outstanding debt.
//!
//! The share price starts from virtual amounts ([`VIRTUAL_SHARES`] for [`VIRTUAL_ASSETS`]), so a
//! first depositor cannot inflate it with a donation: donations are not counted at all, and
//! rounding moves at most the virtual part.

use crate::market::MarketState;
use crate::math::{mul_div, MathError, Rounding};
use crate::units::{Amount, Shares};
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// Shares that nobody owns.
pub const VIRTUAL_SHARES: u128 = 1_000_000;
/// Quote units that back them.
pub const VIRTUAL_ASSETS: u128 = 1;

/// Why lending is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum LendingError {
    /// The amount or the shares are zero.
    ZeroAmount,
    /// The amount is too small to be worth a share.
    TooSmall,
    /// The supply cap would be exceeded.
    SupplyCapExceeded,
    /// The lender does not hold that many shares.
    InsufficientShares,
    /// More is lent out than the pool can pay now; what is there can be redeemed.
    InsufficientCash,
    /// A number left its range.
    Math(MathError),
    /// The market is wound down: nothing is lent, and lenders collect instead of redeeming.
    WindingDown,
    /// The market is not wound down.
    NotWindingDown,
    /// Nothing has come in that the lender has not been paid.
    NothingToCollect,
}

impl From<MathError> for LendingError {
    fn from(error: MathError) -> Self {
        Self::Math(error)
    }
}

impl MarketState {
    /// Cash and outstanding debt: everything lenders have a claim on.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn lenders_assets(&self) -> Result<Amount, MathError> {
        self.cash.plus(self.debt_value()?)
    }

    fn virtual_totals(&self) -> Result<(u128, u128), MathError> {
        let assets = self.lenders_assets()?.get().checked_add(VIRTUAL_ASSETS);
        let shares = self.supply_shares.get().checked_add(VIRTUAL_SHARES);
        Ok((
            assets.ok_or(MathError::Overflow)?,
            shares.ok_or(MathError::Overflow)?,
        ))
    }

    /// What a number of lenders' shares is worth in quote, rounded down.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn supply_value(&self, shares: Shares) -> Result<Amount, MathError> {
        let (assets, total) = self.virtual_totals()?;
        mul_div(shares.get(), assets, total, Rounding::Down).map(Amount::new)
    }

    /// The shares an amount buys, rounded down, when `pending` of the assets is what is being
    /// shared out and so does not count yet.
    ///
    /// # Errors
    /// [`MathError`] where a number leaves its range.
    pub(crate) fn shares_for(&self, amount: Amount, pending: Amount) -> Result<Shares, MathError> {
        let (assets, total) = self.virtual_totals()?;
        let assets = assets
            .checked_sub(pending.get())
            .ok_or(MathError::Underflow)?;
        mul_div(amount.get(), total, assets, Rounding::Down).map(Shares::new)
    }

    /// Takes quote from a lender and returns the shares it buys, rounded down.
    ///
    /// # Errors
    /// [`LendingError::ZeroAmount`], [`LendingError::TooSmall`],
    /// [`LendingError::SupplyCapExceeded`], [`LendingError::WindingDown`],
    /// [`LendingError::Math`].
    pub fn supply(&mut self, amount: Amount, cap: Amount) -> Result<Shares, LendingError> {
        if amount.is_zero() {
            return Err(LendingError::ZeroAmount);
        }
        if self.wind_down.is_some() {
            return Err(LendingError::WindingDown);
        }
        if self.lenders_assets()?.plus(amount)? > cap {
            return Err(LendingError::SupplyCapExceeded);
        }
        let minted = self.shares_for(amount, Amount::ZERO)?;
        if minted.is_zero() {
            return Err(LendingError::TooSmall);
        }
        self.cash = self.cash.plus(amount)?;
        self.supply_shares = self.supply_shares.plus(minted)?;
        Ok(minted)
    }

    /// Burns a lender's shares and returns the quote they are worth, rounded down, after setting
    /// `provision` aside for losses that are visible but not booked: nobody leaves ahead of them
    /// (promise 10). Supplying does not count it, so that nobody profits from entering late.
    ///
    /// # Errors
    /// [`LendingError::ZeroAmount`], [`LendingError::TooSmall`],
    /// [`LendingError::InsufficientShares`], [`LendingError::WindingDown`],
    /// [`LendingError::InsufficientCash`], [`LendingError::Math`].
    pub fn redeem(
        &mut self,
        held: Shares,
        shares: Shares,
        provision: Amount,
    ) -> Result<Amount, LendingError> {
        if shares.is_zero() {
            return Err(LendingError::ZeroAmount);
        }
        if shares > held {
            return Err(LendingError::InsufficientShares);
        }
        if self.wind_down.is_some() {
            return Err(LendingError::WindingDown);
        }
        let (assets, total) = self.virtual_totals()?;
        let left = assets.saturating_sub(provision.get());
        let amount = Amount::new(mul_div(shares.get(), left, total, Rounding::Down)?);
        if amount.is_zero() {
            return Err(LendingError::TooSmall);
        }
        if amount > self.cash {
            return Err(LendingError::InsufficientCash);
        }
        self.cash = self.cash.minus(amount)?;
        self.supply_shares = self.supply_shares.minus(shares)?;
        Ok(amount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CAP: Amount = Amount::new(u128::MAX >> 1);

    /// The cap itself may be lent and the last unit of cash redeemed; a unit more is refused by
    /// name, and then nothing has changed.
    #[test]
    fn the_cap_and_the_cash_hold_to_the_unit() {
        let (cap, all) = (Amount::new(1_000), Shares::new(u128::MAX));
        let mut market = MarketState::default();
        let full = Err(LendingError::SupplyCapExceeded);
        assert_eq!(market.supply(Amount::new(1_001), cap), full);
        assert_eq!(market, MarketState::default());
        let shares = market.supply(cap, cap).unwrap();
        assert_eq!(market.supply(Amount::new(1), cap), full);
        market.cash = Amount::new(999);
        market.batched_debt = Amount::new(1);
        let before = market.clone();
        let short = Err(LendingError::InsufficientCash);
        assert_eq!(market.redeem(all, shares, Amount::ZERO), short);
        assert_eq!(market, before);
        market.cash = cap;
        market.batched_debt = Amount::ZERO;
        assert_eq!(market.redeem(all, shares, Amount::ZERO), Ok(cap));
        assert!(market.cash.is_zero());
    }

    proptest! {
        /// I-52: supply then redeem never returns more than was put in, and costs those who
        /// were there before nothing.
        #[test]
        fn supply_and_redeem_never_gains(
            first in 1u128..1 << 90, debt in 0u128..1 << 90, amount in 1u128..1 << 90,
        ) {
            let mut market = MarketState::default();
            let shares = market.supply(Amount::new(first), CAP).unwrap();
            market.batched_debt = Amount::new(debt);
            let before = market.supply_value(shares).unwrap();
            if let Ok(minted) = market.supply(Amount::new(amount), CAP) {
                match market.redeem(minted, minted, Amount::ZERO) {
                    Ok(paid) => prop_assert!(paid.get() <= amount),
                    Err(error) => prop_assert_eq!(error, LendingError::TooSmall),
                }
                prop_assert!(market.supply_value(shares).unwrap() >= before);
            }
        }
    }

    proptest! {
        /// I-51: what is paid is rounded down each time, so in parts it is no more than at once.
        #[test]
        fn redeeming_in_parts_pays_no_more_than_at_once(
            first in 1u128..1 << 40, debt in 0u128..1 << 40, parts in 2u128..40,
        ) {
            let mut market = MarketState::default();
            let held = market.supply(Amount::new(first), CAP).unwrap();
            // Interest has come in: a share is worth more than it was, in no whole number.
            market.cash = Amount::new(first + debt);
            let at_once = market.supply_value(held).unwrap();
            let mut paid = 0;
            for part in 0..parts {
                let before = held.get() * part / parts;
                let shares = Shares::new(held.get() * (part + 1) / parts - before);
                let left = Shares::new(held.get() - before);
                paid += market.redeem(left, shares, Amount::ZERO).map_or(0, Amount::get);
            }
            prop_assert!(paid <= at_once.get(), "{paid} {at_once:?}");
        }
    }

    proptest! {
        /// I-51: shares are sold rounded down each time, so in parts they are no more than at once.
        #[test]
        fn supplying_in_parts_buys_no_more_than_at_once(
            first in 1u128..1 << 40, debt in 0u128..1 << 40, part in 1u128..1 << 30, parts in 2u32..40,
        ) {
            let mut market = MarketState::default();
            market.supply(Amount::new(first), CAP).unwrap();
            market.cash = Amount::new(first + debt);
            let whole = Amount::new(part * u128::from(parts));
            let at_once = market.clone().supply(whole, CAP).map_or(Shares::ZERO, |shares| shares);
            let mut minted = 0;
            for _ in 0..parts {
                minted += market.supply(Amount::new(part), CAP).map_or(0, Shares::get);
            }
            prop_assert!(minted <= at_once.get(), "{minted} {at_once:?}");
        }
    }

    #[test]
    fn refusals_are_typed() {
        let mut market = MarketState::default();
        assert_eq!(
            market.supply(Amount::ZERO, CAP),
            Err(LendingError::ZeroAmount)
        );
        assert_eq!(
            market.supply(Amount::new(11), Amount::new(10)),
            Err(LendingError::SupplyCapExceeded)
        );
        let shares = market.supply(Amount::new(1_000), CAP).unwrap();
        let more = shares.plus(Shares::new(1)).unwrap();
        assert_eq!(
            market.redeem(shares, more, Amount::ZERO),
            Err(LendingError::InsufficientShares)
        );
        market.batched_debt = market.cash;
        market.cash = Amount::ZERO;
        assert_eq!(
            market.redeem(shares, shares, Amount::ZERO),
            Err(LendingError::InsufficientCash)
        );
    }
}
