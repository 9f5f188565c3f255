//! Governance of the vault, insurance, and the end of a market:
//! `contracts/margin_vault/admin.rs`.

use crate::Native;
use breakwater_core::breaker::action::Action;
use breakwater_core::lending::LendingError;
use breakwater_core::market::{Limits, MarketParams};
use breakwater_core::timelock::{Proposal, TimelockError};
use breakwater_core::units::Amount;
use breakwater_core::wind_down::Collected;
use breakwater_interfaces::vault::VaultError;
use breakwater_interfaces::vault_admin::Change;
use breakwater_interfaces::AccountId;

impl Native {
    fn ensure_governor(&self, who: AccountId) -> Result<(), VaultError> {
        if who == self.at.governor {
            Ok(())
        } else {
            Err(VaultError::NotGovernor)
        }
    }

    fn ensure_guardian(&self, who: AccountId) -> Result<(), VaultError> {
        if who == self.at.guardian || who == self.at.governor {
            Ok(())
        } else {
            Err(VaultError::NotGuardian)
        }
    }

    pub(crate) fn propose_params(
        &mut self,
        who: AccountId,
        params: MarketParams,
    ) -> Result<(), VaultError> {
        self.ensure_governor(who)?;
        let present = self.load()?.market.params;
        present.ensure_may_become(&params)?;
        let announced = params.clone();
        let proposal = Proposal::new(params, self.now, present.notice);
        let ripe_at = proposal.ripe_at;
        self.vault.market.proposal = Some(proposal);
        let params = announced;
        self.announce(who, Change::Proposed { ripe_at, params });
        Ok(())
    }

    pub(crate) fn apply_params(&mut self, who: AccountId) -> Result<(), VaultError> {
        let mut loaded = self.load()?;
        let proposal = loaded.market.proposal.take();
        let proposal = proposal.ok_or(TimelockError::NothingProposed)?;
        let params = proposal.ripe(self.now)?;
        let present = &loaded.market.params;
        present.ensure_may_become(&params)?;
        loaded.market.easing = present.easing_to(&params, self.now);
        loaded
            .market
            .margin
            .settle(&loaded.market.params.margin, self.now);
        loaded.market.params = params;
        self.vault.market = loaded.market.clone();
        self.store(loaded);
        self.announce(who, Change::Applied);
        Ok(())
    }

    pub(crate) fn cancel_params(&mut self, who: AccountId) -> Result<(), VaultError> {
        self.ensure_guardian(who)?;
        let proposal = self.vault.market.proposal.take();
        proposal.ok_or(TimelockError::NothingProposed)?;
        self.announce(who, Change::Cancelled);
        Ok(())
    }

    pub(crate) fn restrict(&mut self, who: AccountId, limits: Limits) -> Result<(), VaultError> {
        self.ensure_guardian(who)?;
        self.vault.market.params.restrict(limits)?;
        self.vault.market.proposal = None;
        self.announce(who, Change::Restricted { limits });
        Ok(())
    }

    pub(crate) fn wind_down(&mut self, who: AccountId) -> Result<(), VaultError> {
        self.ensure_governor(who)?;
        let mut loaded = self.load()?;
        loaded.state.begin_wind_down()?;
        self.store(loaded);
        let loss = Amount::ZERO;
        self.announce(who, Change::WindDown { loss });
        Ok(())
    }

    pub(crate) fn insure(&mut self, who: AccountId, amount: Amount) -> Result<(), VaultError> {
        if amount.is_zero() {
            return Err(LendingError::ZeroAmount.into());
        }
        let mut loaded = self.load()?;
        let to_lenders = loaded.state.take_in(amount)?;
        self.store(loaded);
        self.pull(self.at.quote, who, amount)?;
        self.announce(who, Change::Insured { amount, to_lenders });
        Ok(())
    }

    pub(crate) fn collect(&mut self, who: AccountId, in_kind: bool) -> Result<Amount, VaultError> {
        let mut loaded = self.load()?;
        let token = if in_kind {
            self.at.collateral
        } else {
            self.at.quote
        };
        if in_kind {
            let notice = loaded.market.params.notice;
            let (collateral, good) = loaded.state.hand_inventory_over(notice)?;
            if !collateral.is_zero() {
                self.announce(who, Change::HandedOver { collateral, good });
            }
        }
        let shares = self.vault.shares_of(who);
        let mut taken = self.collected(who);
        let amount = loaded.state.collect(shares, &mut taken, in_kind)?;
        self.vault.collected.insert(who, taken);
        self.store(loaded);
        self.pay(token, who, amount)?;
        self.announce(who, Change::Collected { amount, in_kind });
        Ok(amount)
    }

    pub(crate) fn collected(&self, lender: AccountId) -> Collected {
        let taken = self.vault.collected.get(&lender);
        taken.copied().unwrap_or_default()
    }

    pub(crate) fn take_in_kind(
        &mut self,
        who: AccountId,
        owner: AccountId,
    ) -> Result<(), VaultError> {
        let mut loaded = self.load()?;
        let prices = self.prices_for(&loaded, Action::TakeInKind)?.0;
        let block = self.block;
        let taken =
            self.transition_of(&mut loaded, owner, |l, p| l.take_in_kind(p, &prices, block))?;
        self.store(loaded);
        let change = Change::TookInKind {
            owner,
            taken,
            prices,
        };
        self.announce(who, change);
        Ok(())
    }
}
