//! Messages of the vault that only the auction sends: `contracts/margin_vault/running.rs`.

use crate::{Native, MARKET};
use breakwater_core::batch::Sale;
use breakwater_core::breaker::{Action, Stage};
use breakwater_core::ledger::{Demand, Leaving, OpenRequest, Opening, Settlement};
use breakwater_core::units::{Amount, Price};
use breakwater_interfaces::token::TokenError;
use breakwater_interfaces::vault::{
    BatchExtended, BatchLeft, BatchOpened, BatchSettled, VaultError,
};
use breakwater_interfaces::vault_admin::Change;
use breakwater_interfaces::AccountId;

/// Cells of a batch that its settlement puts back at once.
const REST_AT_SETTLEMENT: u16 = 2;

impl Native {
    pub(crate) fn vault_open_batch(&mut self, demand: Demand) -> Result<Opening, VaultError> {
        let mut loaded = self.load()?;
        let (prices, stage) = self.prices_for(&loaded, Action::Reauction)?;
        let request = OpenRequest {
            block: self.block,
            demand,
        };
        let opening = self.transition(&mut loaded, |l| {
            l.open_lot(&prices, request, stage > Stage::Open)
        })?;
        self.store(loaded);
        self.vault_tells(&BatchOpened {
            market: MARKET,
            number: opening.number,
            cohorts: opening.cohorts,
            members: opening.members,
            collateral: opening.collateral,
            debt: opening.debt,
            reference: opening.reference,
            prices,
            demand,
            left_only: stage > Stage::Open,
            offered: opening.offered,
        });
        Ok(opening)
    }

    pub(crate) fn vault_extend_batch(
        &mut self,
        number: u32,
        demand: Demand,
        ladder: &[Price],
    ) -> Result<Opening, VaultError> {
        let mut loaded = self.load()?;
        let (prices, _) = self.prices_for(&loaded, Action::OpenBatch)?;
        let request = OpenRequest {
            block: self.block,
            demand,
        };
        let opening =
            self.transition(&mut loaded, |l| l.extend(number, &prices, ladder, request))?;
        self.store(loaded);
        self.vault_tells(&BatchExtended {
            market: MARKET,
            number,
            cohorts: opening.cohorts,
            members: opening.members,
            collateral: opening.collateral,
            debt: opening.debt,
            prices,
            demand,
        });
        Ok(opening)
    }

    pub(crate) fn vault_leave_batch(
        &mut self,
        number: u32,
        owner: AccountId,
        ladder: &[Price],
    ) -> Result<Leaving, VaultError> {
        let mut loaded = self.load()?;
        let leaving = self.transition_of(&mut loaded, owner, |l, p| l.leave(p, number, ladder))?;
        self.store(loaded);
        if !leaving.fee.is_zero() {
            self.pull(self.at.quote, owner, leaving.fee)?;
        }
        self.vault_tells(&BatchLeft {
            market: MARKET,
            number,
            owner,
            collateral: leaving.collateral,
            debt: leaving.debt,
            fee: leaving.fee,
            to_lenders: leaving.to_lenders,
        });
        Ok(leaving)
    }

    pub(crate) fn vault_settle_batch(
        &mut self,
        number: u32,
        sale: Sale,
        [opener, settler]: [AccountId; 2],
    ) -> Result<Settlement, VaultError> {
        let mut loaded = self.load()?;
        if !sale.raised.is_zero() {
            let owed = loaded.state.quote_owed()?;
            let held = self.tokens.held(self.at.quote, self.at.vault);
            if held < owed.plus(sale.raised)? {
                return Err(VaultError::Token(TokenError::WrongAmountArrived));
            }
        }
        let block = self.block;
        let ending = loaded.state.wind_down.is_some();
        // Prices for insurance to buy at, where nobody came and it may.
        let nobody_came = sale.raised.is_zero() && !sale.excused;
        let may = nobody_came
            && loaded
                .state
                .may_insure(&loaded.market.params, self.vault.stage);
        let prices = may.then(|| self.prices(&loaded).ok()).flatten();
        let settlement = self.transition(&mut loaded, |l| {
            l.settle_lot(number, sale, prices.as_ref(), block, REST_AT_SETTLEMENT)
        })?;
        let waterfall = settlement.waterfall;
        let reward = waterfall.reward.plus(waterfall.top_up)?;
        if opener == settler {
            self.credit_reward(opener, reward)?;
        } else {
            let half = Amount::new(reward.get() >> 1);
            self.credit_reward(opener, half)?;
            self.credit_reward(settler, reward.minus(half)?)?;
        }
        if !ending && loaded.state.wind_down.is_some() {
            let loss = waterfall.from_lenders;
            self.announce(self.at.auction, Change::WindDown { loss });
        }
        self.store(loaded);
        if !settlement.sold.is_zero() {
            let (token, vault, auction) = (self.at.collateral, self.at.vault, self.at.auction);
            self.tokens
                .transfer(token, vault, auction, settlement.sold)?;
        }
        self.vault_tells(&BatchSettled {
            market: MARKET,
            number,
            settlement,
            sale,
            prices,
            opener,
            settler,
            cells: REST_AT_SETTLEMENT,
        });
        Ok(settlement)
    }

    fn credit_reward(&mut self, keeper: AccountId, amount: Amount) -> Result<(), VaultError> {
        if !amount.is_zero() {
            let had = self.vault.rewards.get(&keeper).copied().unwrap_or_default();
            self.vault.rewards.insert(keeper, had.plus(amount)?);
        }
        Ok(())
    }

    pub(crate) fn vault_set_stage(&mut self, of_market: bool, stage: Stage) {
        if of_market {
            self.vault.state.stage = stage;
        } else {
            self.vault.stage = stage;
        }
    }
}
