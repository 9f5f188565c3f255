//! What borrowers do: collateral in and out, debt, and what a batch left of it. Each message is a
//! function of its own (`docs/decisions/0042-few-bytes-run.md`).

use crate::margin_vault::MarginVault;
use breakwater_core::breaker::Action;
use breakwater_core::position::Closing;
use breakwater_core::units::Amount;
use breakwater_interfaces::vault::{
    Borrowed, Deposited, PositionSynced, Reclaimed, Repaid, VaultError, Withdrawn,
};
use breakwater_interfaces::{AccountId, MarketId};
use ink::codegen::Env as _;

impl MarginVault {
    #[inline(never)]
    pub(crate) fn deposit_collateral(
        &mut self,
        market: MarketId,
        amount: Amount,
    ) -> Result<(), VaultError> {
        let owner = self.env().caller();
        let mut loaded = self.load(market)?;
        let collateral = self.token(loaded.market.collateral);
        self.transition_of(&mut loaded, owner, |l, p| l.deposit(p, amount))?;
        self.store(loaded);
        collateral.pull(owner, amount)?;
        self.env().emit_event(Deposited {
            market,
            owner,
            amount,
        });
        Ok(())
    }

    #[inline(never)]
    pub(crate) fn withdraw_collateral(
        &mut self,
        market: MarketId,
        amount: Amount,
    ) -> Result<(), VaultError> {
        let owner = self.env().caller();
        let mut loaded = self.load(market)?;
        let collateral = self.token(loaded.market.collateral);
        // Without debt no price is needed, so a dead oracle stops nobody (promise 6).
        let indebted = self.position_of(market, owner).pooled.is_some();
        let (prices, stopped) = self.debtors_prices(&mut loaded, indebted);
        let done = self.transition_of(&mut loaded, owner, |l, p| {
            l.withdraw(p, amount, prices.as_ref())
        });
        done.map_err(|error| error.or_stopped(stopped))?;
        self.store(loaded);
        collateral.pay(owner, amount)?;
        self.env().emit_event(Withdrawn {
            market,
            owner,
            amount,
            prices,
        });
        Ok(())
    }

    #[inline(never)]
    pub(crate) fn borrow_quote(
        &mut self,
        market: MarketId,
        amount: Amount,
    ) -> Result<(), VaultError> {
        let owner = self.env().caller();
        let mut loaded = self.load(market)?;
        let quote = self.token(loaded.market.quote);
        let prices = self.prices_for_risk(&mut loaded, Action::Borrow)?;
        self.transition_of(&mut loaded, owner, |l, p| l.borrow(p, amount, &prices))?;
        self.store(loaded);
        quote.pay(owner, amount)?;
        self.env().emit_event(Borrowed {
            market,
            owner,
            amount,
            prices,
        });
        Ok(())
    }

    #[inline(never)]
    pub(crate) fn deposit_then_borrow(
        &mut self,
        market: MarketId,
        collateral: Amount,
        quote: Amount,
    ) -> Result<(), VaultError> {
        let owner = self.env().caller();
        let mut loaded = self.load(market)?;
        let collateral_token = self.token(loaded.market.collateral);
        let quote_token = self.token(loaded.market.quote);
        let prices = self.prices_for_risk(&mut loaded, Action::Borrow)?;
        self.transition_of(&mut loaded, owner, |l, p| {
            l.deposit(p, collateral)?;
            l.borrow(p, quote, &prices)
        })?;
        self.store(loaded);
        collateral_token.pull(owner, collateral)?;
        quote_token.pay(owner, quote)?;
        self.env().emit_event(Deposited {
            market,
            owner,
            amount: collateral,
        });
        self.env().emit_event(Borrowed {
            market,
            owner,
            amount: quote,
            prices,
        });
        Ok(())
    }

    #[inline(never)]
    pub(crate) fn repay_for(
        &mut self,
        market: MarketId,
        owner: AccountId,
        amount: Amount,
    ) -> Result<Amount, VaultError> {
        let payer = self.env().caller();
        let mut loaded = self.load(market)?;
        let quote = self.token(loaded.market.quote);
        let paid = self.transition_of(&mut loaded, owner, |l, p| l.repay(p, amount))?;
        self.store(loaded);
        quote.pull(payer, paid)?;
        self.env().emit_event(Repaid {
            market,
            owner,
            payer,
            amount: paid,
        });
        Ok(paid)
    }

    #[inline(never)]
    pub(crate) fn repay_then_withdraw(
        &mut self,
        market: MarketId,
        repay: Amount,
        withdraw: Amount,
    ) -> Result<Amount, VaultError> {
        let owner = self.env().caller();
        let mut loaded = self.load(market)?;
        // Where nothing is left to owe no price is needed, so a dead oracle stops nobody.
        let (prices, stopped) = self.debtors_prices(&mut loaded, true);
        let done = self.transition_of(&mut loaded, owner, |l, p| {
            l.repay_and_withdraw(p, repay, withdraw, prices.as_ref())
        });
        let paid = done.map_err(|error| error.or_stopped(stopped))?;
        self.unwind(loaded, owner, (paid, Amount::ZERO, withdraw), prices)?;
        Ok(paid)
    }

    #[inline(never)]
    pub(crate) fn close_all(&mut self, market: MarketId) -> Result<Closing, VaultError> {
        let owner = self.env().caller();
        let mut loaded = self.load(market)?;
        let done = self.transition_of(&mut loaded, owner, |l, p| l.close_position(p))?;
        let moved = (done.paid, done.reclaimed, done.collateral);
        self.unwind(loaded, owner, moved, None)?;
        Ok(done)
    }

    #[inline(never)]
    pub(crate) fn reclaim_prepaid(&mut self, market: MarketId) -> Result<Amount, VaultError> {
        let owner = self.env().caller();
        let mut loaded = self.load(market)?;
        let quote = self.token(loaded.market.quote);
        let amount = self.transition_of(&mut loaded, owner, |l, p| l.reclaim(p))?;
        self.store(loaded);
        quote.pay(owner, amount)?;
        self.env().emit_event(Reclaimed {
            market,
            owner,
            amount,
        });
        Ok(amount)
    }

    #[inline(never)]
    pub(crate) fn sync_position(
        &mut self,
        market: MarketId,
        owner: AccountId,
        moves: u16,
    ) -> Result<bool, VaultError> {
        let mut loaded = self.load(market)?;
        let done = self.transition_of(&mut loaded, owner, |l, p| l.sync(p, moves))?;
        self.store(loaded);
        self.env().emit_event(PositionSynced {
            market,
            owner,
            moves,
        });
        Ok(done)
    }
}
