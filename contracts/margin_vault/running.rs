//! Messages on a running batch: adding cohorts before its first step, and an owner leaving it.

use crate::margin_vault::MarginVault;
use breakwater_core::breaker::Action;
use breakwater_core::ledger::{Demand, Leaving, OpenRequest, Opening};
use breakwater_core::units::Price;
use breakwater_interfaces::vault::{BatchExtended, BatchLeft, VaultError};
use breakwater_interfaces::{AccountId, MarketId};
use ink::codegen::Env as _;

impl MarginVault {
    pub(crate) fn extend_running(
        &mut self,
        market: MarketId,
        number: u32,
        demand: Demand,
        ladder: &[Price],
    ) -> Result<Opening, VaultError> {
        self.ensure_auction()?;
        let mut loaded = self.load(market)?;
        let (prices, _) = self.prices_for(&loaded, Action::OpenBatch)?;
        let request = OpenRequest {
            block: self.env().block_number(),
            demand,
        };
        let opening =
            self.transition(&mut loaded, |l| l.extend(number, &prices, ladder, request))?;
        self.store(loaded);
        self.env().emit_event(BatchExtended {
            market,
            number,
            cohorts: opening.cohorts,
            members: opening.members,
            collateral: opening.collateral,
            debt: opening.debt,
        });
        Ok(opening)
    }

    pub(crate) fn leave_running(
        &mut self,
        market: MarketId,
        number: u32,
        owner: AccountId,
        ladder: &[Price],
    ) -> Result<Leaving, VaultError> {
        self.ensure_auction()?;
        let mut loaded = self.load(market)?;
        let quote = self.token(loaded.market.quote);
        let leaving = self.transition_of(&mut loaded, owner, |l, p| l.leave(p, number, ladder))?;
        self.store(loaded);
        if !leaving.fee.is_zero() {
            quote.pull(owner, leaving.fee)?;
        }
        self.env().emit_event(BatchLeft {
            market,
            number,
            owner,
            collateral: leaving.collateral,
            debt: leaving.debt,
            fee: leaving.fee,
        });
        Ok(leaving)
    }
}
