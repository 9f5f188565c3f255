//! Messages on a batch: opening it, adding cohorts before its first step, an owner leaving it, its
//! settlement, and putting back what it left.

use crate::margin_vault::MarginVault;
use crate::market::Loaded;
use breakwater_core::batch::Sale;
use breakwater_core::breaker::{Action, Stage};
use breakwater_core::ledger::{Demand, Leaving, OpenRequest, Opening, Settlement};
use breakwater_core::market::MarketPrices;
use breakwater_core::units::{Amount, Price};
use breakwater_interfaces::token::TokenError;
use breakwater_interfaces::vault::{
    BatchExtended, BatchLeft, BatchOpened, BatchRested, BatchSettled, VaultError,
};
use breakwater_interfaces::vault_admin::Change;
use breakwater_interfaces::{AccountId, MarketId};
use ink::codegen::Env as _;

/// Cells of a batch that its settlement puts back at once: a batch of up to 32 neighbouring
/// ticks needs no further call.
const REST_AT_SETTLEMENT: u16 = 2;

impl MarginVault {
    /// Opens a batch of what the circuit breaker's stage allows.
    #[inline(never)]
    pub(crate) fn open_next(
        &mut self,
        market: MarketId,
        demand: Demand,
    ) -> Result<Opening, VaultError> {
        self.ensure_auction()?;
        let mut loaded = self.load(market)?;
        let (prices, stage) = self.prices_for(&loaded, Action::Reauction)?;
        let request = OpenRequest {
            block: self.env().block_number(),
            demand,
        };
        let left_only = stage > Stage::Open;
        let opening = self.transition(&mut loaded, |l| l.open_lot(&prices, request, left_only))?;
        self.store(loaded);
        self.env().emit_event(BatchOpened {
            market,
            number: opening.number,
            cohorts: opening.cohorts,
            members: opening.members,
            collateral: opening.collateral,
            debt: opening.debt,
            reference: opening.reference,
            prices,
            demand,
            left_only,
            offered: opening.offered,
        });
        Ok(opening)
    }

    /// Puts back the cohorts of further cells of a settled batch.
    #[inline(never)]
    pub(crate) fn rest_settled(
        &mut self,
        market: MarketId,
        number: u32,
        cells: u16,
    ) -> Result<bool, VaultError> {
        let mut loaded = self.load(market)?;
        let done = self.transition(&mut loaded, |l| l.rest(number, cells))?;
        self.store(loaded);
        self.env().emit_event(BatchRested {
            market,
            number,
            cells,
        });
        Ok(done)
    }

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
            prices,
            demand,
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
            to_lenders: leaving.to_lenders,
        });
        Ok(leaving)
    }

    /// Prices for insurance to buy at, where nobody came and it may. A dead oracle answers none.
    #[inline(never)]
    fn insurers_prices(&self, loaded: &Loaded, sale: &Sale) -> Option<MarketPrices> {
        let nobody_came = sale.raised.is_zero() && !sale.excused;
        let (params, of_all) = (&loaded.market.params, self.config.stage.0);
        if !nobody_came || !loaded.state.may_insure(params, of_all) {
            return None;
        }
        self.prices(loaded).ok()
    }

    /// Takes the money of a sale, which the auction has just sent, and sends what it bought.
    #[inline(never)]
    pub(crate) fn settle_running(
        &mut self,
        market: MarketId,
        number: u32,
        sale: Sale,
        [opener, settler]: [AccountId; 2],
    ) -> Result<Settlement, VaultError> {
        let auction = self.ensure_auction()?;
        let mut loaded = self.load(market)?;
        let (collateral, quote) = (
            self.token(loaded.market.collateral),
            self.token(loaded.market.quote),
        );
        if !sale.raised.is_zero() {
            let owed = self.owed_in_quote(&loaded)?;
            if quote.held()? < owed.plus(sale.raised)? {
                return Err(VaultError::Token(TokenError::WrongAmountArrived));
            }
        }
        let block = self.env().block_number();
        let ending = loaded.state.wind_down.is_some();
        let prices = self.insurers_prices(&loaded, &sale);
        let settlement = self.transition(&mut loaded, |l| {
            l.settle_lot(number, sale, prices.as_ref(), block, REST_AT_SETTLEMENT)
        })?;
        let waterfall = settlement.waterfall;
        let reward = waterfall.reward.plus(waterfall.top_up)?;
        if opener == settler {
            self.credit_reward(market, opener, reward)?;
        } else {
            let half = Amount::new(reward.get() >> 1);
            self.credit_reward(market, opener, half)?;
            self.credit_reward(market, settler, reward.minus(half)?)?;
        }
        if !ending && loaded.state.wind_down.is_some() {
            let loss = waterfall.from_lenders;
            self.announce(market, Change::WindDown { loss });
        }
        self.store(loaded);
        if !settlement.sold.is_zero() {
            collateral.push(auction, settlement.sold)?;
        }
        self.env().emit_event(BatchSettled {
            market,
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
}
