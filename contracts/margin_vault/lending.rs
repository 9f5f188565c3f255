//! What lenders do: supplying quote and taking it back.

use crate::margin_vault::MarginVault;
use breakwater_core::units::{Amount, Shares};
use breakwater_interfaces::cell::Cell;
use breakwater_interfaces::vault::{Redeemed, Supplied, VaultError};
use breakwater_interfaces::MarketId;
use ink::codegen::Env as _;

impl MarginVault {
    #[inline(never)]
    pub(crate) fn supply_from_caller(
        &mut self,
        market: MarketId,
        amount: Amount,
    ) -> Result<Shares, VaultError> {
        let lender = self.env().caller();
        let mut loaded = self.load(market)?;
        let quote = self.token(loaded.market.quote);
        let shares = loaded
            .state
            .supply(amount, loaded.market.params.supply_cap)?;
        let held = self.shares_of(market, lender);
        self.lenders
            .insert((market, lender), &Cell(held.plus(shares)?));
        self.store(loaded);
        quote.pull(lender, amount)?;
        self.env().emit_event(Supplied {
            market,
            lender,
            amount,
            shares,
        });
        Ok(shares)
    }

    #[inline(never)]
    pub(crate) fn redeem_to_caller(
        &mut self,
        market: MarketId,
        shares: Shares,
    ) -> Result<Amount, VaultError> {
        let lender = self.env().caller();
        let mut loaded = self.load(market)?;
        let quote = self.token(loaded.market.quote);
        let held = self.shares_of(market, lender);
        let provision = self.provision(&mut loaded)?;
        let amount = loaded.state.redeem(held, shares, provision)?;
        let left = held.minus(shares)?;
        if left.is_zero() {
            self.lenders.remove((market, lender));
        } else {
            self.lenders.insert((market, lender), &Cell(left));
        }
        self.store(loaded);
        quote.pay(lender, amount)?;
        self.env().emit_event(Redeemed {
            market,
            lender,
            amount,
            shares,
            provision,
        });
        Ok(amount)
    }
}
