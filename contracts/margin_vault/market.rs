//! What messages share: one market loaded with its interest, transitions of its ledger, prices,
//! and what the vault owes.

use crate::cells::{Cells, MarketCells};
use crate::margin_vault::MarginVault;
use breakwater_core::breaker::action::{allowed, Action};
use breakwater_core::breaker::Stage;
use breakwater_core::ledger::{Ledger, LedgerError};
use breakwater_core::market::{MarketPrices, MarketState};
use breakwater_core::oracle::Variance;
use breakwater_core::position::{Position, PositionView};
use breakwater_core::units::{Amount, Millis, Price, Ratio, Shares};
use breakwater_interfaces::cell::Cell;
use breakwater_interfaces::oracle::OracleAdapter;
use breakwater_interfaces::token::Token;
use breakwater_interfaces::vault::{
    Market, Reclaimed, Repaid, RewardClaimed, VaultError, Withdrawn,
};
use breakwater_interfaces::{AccountId, Env, MarketId};
use ink::codegen::{Env as _, TraitCallBuilder};

/// Markets one token may serve: a settlement sums over them what is owed in it.
const MARKETS_PER_TOKEN: usize = 8;

/// One market loaded for one message.
pub(crate) struct Loaded {
    pub(crate) id: MarketId,
    /// As stored, but for the threshold, which is the one in force; and the initial loan-to-value,
    /// once [`Self::judge_new_risk`] has said what it is.
    pub(crate) market: Market,
    pub(crate) state: MarketState,
    now: Millis,
    stored: [Ratio; 2],
}

impl Loaded {
    /// The market as stored.
    #[inline(never)]
    pub(crate) fn stored(&self) -> Market {
        let mut market = self.market.clone();
        let params = &mut market.params;
        [params.initial_ltv, params.liquidation_threshold] = self.stored;
        market
    }

    /// From here on the initial loan-to-value is the one in force at this volatility. Only who
    /// borrows, or withdraws while it owes, is judged by it: other messages save the effort.
    #[inline(never)]
    pub(crate) fn judge_new_risk(
        &mut self,
        volatility: Option<Variance>,
    ) -> Result<(), VaultError> {
        let threshold = self.market.params.liquidation_threshold;
        let params = &mut self.market.params;
        [params.initial_ltv, params.liquidation_threshold] = self.stored;
        let initial_ltv = self.market.initial_ltv_at(volatility, self.now)?;
        let params = &mut self.market.params;
        (params.initial_ltv, params.liquidation_threshold) = (initial_ltv, threshold);
        Ok(())
    }
}

impl MarginVault {
    pub(crate) fn ensure_governor(&self) -> Result<(), VaultError> {
        self.roles
            .ensure(self.env().caller())
            .map_err(|_| VaultError::NotGovernor)
    }

    /// A market with the interest it has borne until now, and the threshold in force now.
    #[inline(never)]
    pub(crate) fn load(&self, id: MarketId) -> Result<Loaded, VaultError> {
        let mut market = self.markets.get(id).ok_or(VaultError::UnknownMarket)?.0;
        let now = self.env().block_timestamp();
        let threshold = market.threshold_at(now)?;
        let params = &mut market.params;
        let stored = [params.initial_ltv, params.liquidation_threshold];
        params.liquidation_threshold = threshold;
        let mut state = self.states.get(id).ok_or(VaultError::UnknownMarket)?.0;
        state.accrue(&market.params.interest, now)?;
        Ok(Loaded {
            id,
            market,
            state,
            now,
            stored,
        })
    }

    pub(crate) fn store(&mut self, loaded: Loaded) {
        self.states.insert(loaded.id, &Cell(loaded.state));
    }

    pub(crate) fn token(&self, address: AccountId) -> Token {
        Token::new(address, self.env().account_id())
    }

    pub(crate) fn position_of(&self, market: MarketId, owner: AccountId) -> Position {
        self.positions
            .get((market, owner))
            .map(|cell| cell.0)
            .unwrap_or_default()
    }

    pub(crate) fn store_position(
        &mut self,
        market: MarketId,
        owner: AccountId,
        position: &Position,
    ) {
        let key = (market, owner);
        if !position.is_empty() {
            self.positions.insert(key, &Cell(*position));
        } else if self.env().caller() == owner {
            self.positions.remove(key);
        } else if self.positions.contains(key) {
            // Somebody else's call: the cell stays, or its deposit would go to the caller.
            self.positions.insert(key, &Cell(*position));
        }
    }

    /// Runs one transition of the ledger on a loaded market and writes the cells it changed.
    pub(crate) fn transition<T>(
        &mut self,
        loaded: &mut Loaded,
        mut act: impl FnMut(&mut Ledger<'_, MarketCells<'_>>) -> Result<T, LedgerError>,
    ) -> Result<T, VaultError> {
        let mut done = Err(LedgerError::CorruptedStorage);
        self.run(loaded, &mut |ledger| {
            done = act(ledger);
            done.is_ok()
        })?;
        Ok(done?)
    }

    /// As [`Self::transition`], on the position of one owner.
    pub(crate) fn transition_of<T>(
        &mut self,
        loaded: &mut Loaded,
        owner: AccountId,
        mut act: impl FnMut(&mut Ledger<'_, MarketCells<'_>>, &mut Position) -> Result<T, LedgerError>,
    ) -> Result<T, VaultError> {
        let mut done = Err(LedgerError::CorruptedStorage);
        self.run_of(loaded, owner, &mut |ledger, position| {
            done = act(ledger, position);
            done.is_ok()
        })?;
        Ok(done?)
    }

    /// The part of a transition that is the same for all of them: one piece of code, since a chain
    /// charges for the bytes of whatever code it runs. Keeps what `act` did if it answers that it
    /// succeeded, and answers the same.
    #[inline(never)]
    fn run(
        &mut self,
        loaded: &mut Loaded,
        act: &mut dyn FnMut(&mut Ledger<'_, MarketCells<'_>>) -> bool,
    ) -> Result<bool, VaultError> {
        let mut cells = MarketCells {
            market: loaded.id,
            cells: &mut self.cells,
        };
        let mut ledger = Ledger::new(&loaded.market.params, &mut loaded.state, &mut cells)?;
        let succeeded = act(&mut ledger);
        if succeeded {
            ledger.commit();
        }
        Ok(succeeded)
    }

    /// As [`Self::run`], on the position of one owner.
    #[inline(never)]
    fn run_of(
        &mut self,
        loaded: &mut Loaded,
        owner: AccountId,
        act: &mut dyn FnMut(&mut Ledger<'_, MarketCells<'_>>, &mut Position) -> bool,
    ) -> Result<(), VaultError> {
        let mut position = self.position_of(loaded.id, owner);
        if self.run(loaded, &mut |ledger| act(ledger, &mut position))? {
            self.store_position(loaded.id, owner, &position);
        }
        Ok(())
    }

    /// Stores a market and moves what an owner repaid, got back and withdrew at these prices.
    pub(crate) fn unwind(
        &mut self,
        loaded: Loaded,
        owner: AccountId,
        (paid, reclaimed, collateral): (Amount, Amount, Amount),
        prices: Option<MarketPrices>,
    ) -> Result<(), VaultError> {
        let market = loaded.id;
        let (quote, security) = (
            self.token(loaded.market.quote),
            self.token(loaded.market.collateral),
        );
        self.store(loaded);
        if !paid.is_zero() {
            quote.pull(owner, paid)?;
            self.env().emit_event(Repaid {
                market,
                owner,
                payer: owner,
                amount: paid,
            });
        }
        if !reclaimed.is_zero() {
            quote.pay(owner, reclaimed)?;
            self.env().emit_event(Reclaimed {
                market,
                owner,
                amount: reclaimed,
            });
        }
        if !collateral.is_zero() {
            security.pay(owner, collateral)?;
            self.env().emit_event(Withdrawn {
                market,
                owner,
                amount: collateral,
                prices,
            });
        }
        Ok(())
    }

    /// Prices of a market's feed. A source that does not answer is an error, never a trap.
    #[inline(never)]
    pub(crate) fn prices(&self, loaded: &Loaded) -> Result<MarketPrices, VaultError> {
        let oracle: ink::contract_ref!(OracleAdapter, Env) = self.config.oracle.into();
        let Ok(Ok(Ok(reading))) = oracle.call().read(loaded.market.params.feed).try_invoke() else {
            return Err(VaultError::OracleUnavailable);
        };
        Ok(MarketPrices::from(&reading))
    }

    /// Prices for an action that the circuit breaker allows, and the stage in force.
    #[inline(never)]
    pub(crate) fn prices_for(
        &self,
        loaded: &Loaded,
        action: Action,
    ) -> Result<(MarketPrices, Stage), VaultError> {
        let stage = self.config.stage.0.max(loaded.state.stage);
        if !allowed(stage, action) {
            return Err(VaultError::Stopped);
        }
        Ok((self.prices(loaded)?, stage))
    }

    /// Prices for an action that adds risk; the initial loan-to-value is then the one in force.
    #[inline(never)]
    pub(crate) fn prices_for_risk(
        &self,
        loaded: &mut Loaded,
        action: Action,
    ) -> Result<MarketPrices, VaultError> {
        let (prices, _) = self.prices_for(loaded, action)?;
        loaded.judge_new_risk(prices.volatility)?;
        Ok(prices)
    }

    /// Prices for whoever takes collateral out, if there are any and the circuit breaker allows it
    /// to who owes; and whether the breaker does not. Who owes nothing needs none of it.
    #[inline(never)]
    pub(crate) fn debtors_prices(
        &self,
        loaded: &mut Loaded,
        indebted: bool,
    ) -> (Option<MarketPrices>, bool) {
        if !indebted {
            return (None, false);
        }
        match self.prices_for_risk(loaded, Action::WithdrawIndebted) {
            Ok(prices) => (Some(prices), false),
            Err(error) => (None, error == VaultError::Stopped),
        }
    }

    #[inline(never)]
    pub(crate) fn note_stage(
        &mut self,
        market: Option<MarketId>,
        stage: Stage,
    ) -> Result<(), VaultError> {
        self.ensure_auction()?;
        if let Some(id) = market {
            let mut state = self.states.get(id).ok_or(VaultError::UnknownMarket)?.0;
            state.stage = stage;
            self.states.insert(id, &Cell(state));
        } else {
            self.config.stage = Cell(stage);
        }
        Ok(())
    }

    /// Everything the vault owes in the quote token of a loaded market, over all markets that
    /// token serves.
    pub(crate) fn owed_in_quote(&self, loaded: &Loaded) -> Result<Amount, VaultError> {
        let token = loaded.market.quote;
        let mut sum = loaded.state.quote_owed()?;
        for id in self.uses.get(token).unwrap_or_default() {
            if id == loaded.id {
                continue;
            }
            let Loaded { market, state, .. } = self.load(id)?;
            let owed = if market.quote == token {
                state.quote_owed()?
            } else {
                state.collateral_owed()?
            };
            sum = sum.plus(owed)?;
        }
        Ok(sum)
    }

    /// Notes that a token serves one more market.
    pub(crate) fn add_use(&mut self, token: AccountId, market: MarketId) -> Result<(), VaultError> {
        let mut uses = self.uses.get(token).unwrap_or_default();
        if uses.len() >= MARKETS_PER_TOKEN {
            return Err(VaultError::TooManyMarkets);
        }
        uses.push(market);
        self.uses.insert(token, &uses);
        Ok(())
    }

    /// Losses that are visible but not booked: what batches may lack, and what ticks lack that are
    /// insolvent at the worst price at hand. A dead oracle shows none of the latter.
    #[inline(never)]
    pub(crate) fn provision(&self, loaded: &mut Loaded) -> Result<Amount, VaultError> {
        let worst = self.prices(loaded).map(|prices| prices.worst()).ok();
        self.look(loaded, |l| l.provision(worst))
    }

    pub(crate) fn ensure_auction(&self) -> Result<AccountId, VaultError> {
        let caller = self.env().caller();
        if self.config.auction == Some(caller) {
            Ok(caller)
        } else {
            Err(VaultError::NotAuction)
        }
    }

    pub(crate) fn shares_of(&self, market: MarketId, lender: AccountId) -> Shares {
        self.lenders
            .get((market, lender))
            .map(|cell| cell.0)
            .unwrap_or_default()
    }

    pub(crate) fn reward_of(&self, market: MarketId, keeper: AccountId) -> Amount {
        self.rewards
            .get((market, keeper))
            .map(|cell| cell.0)
            .unwrap_or_default()
    }

    pub(crate) fn credit_reward(
        &mut self,
        market: MarketId,
        keeper: AccountId,
        amount: Amount,
    ) -> Result<(), VaultError> {
        if !amount.is_zero() {
            let sum = self.reward_of(market, keeper).plus(amount)?;
            self.rewards.insert((market, keeper), &Cell(sum));
        }
        Ok(())
    }

    pub(crate) fn pay_reward(&mut self, market: MarketId) -> Result<Amount, VaultError> {
        let keeper = self.env().caller();
        let mut loaded = self.load(market)?;
        let amount = self
            .rewards
            .take((market, keeper))
            .ok_or(VaultError::NothingToClaim)?
            .0;
        let quote = self.token(loaded.market.quote);
        loaded.state.rewards = loaded.state.rewards.minus(amount)?;
        self.store(loaded);
        quote.pay(keeper, amount)?;
        self.env().emit_event(RewardClaimed {
            market,
            keeper,
            amount,
        });
        Ok(amount)
    }

    /// Asks the ledger of a loaded market something and stores nothing.
    pub(crate) fn look<T>(
        &self,
        loaded: &mut Loaded,
        ask: impl FnOnce(&mut Ledger<'_, MarketCells<'_>>) -> Result<T, LedgerError>,
    ) -> Result<T, VaultError> {
        // Handles of its own: what is never committed never reaches storage.
        let mut handles = Cells::default();
        let mut cells = MarketCells {
            market: loaded.id,
            cells: &mut handles,
        };
        let mut ledger = Ledger::new(&loaded.market.params, &mut loaded.state, &mut cells)?;
        Ok(ask(&mut ledger)?)
    }

    pub(crate) fn judged_at(
        &self,
        mut loaded: Loaded,
        owner: AccountId,
        price: Price,
    ) -> Result<PositionView, VaultError> {
        let position = self.position_of(loaded.id, owner);
        self.look(&mut loaded, |l| l.view(&position, price))
    }
}
