//! Messages of the margin vault: `contracts/margin_vault`.

use crate::{Addresses, Native, MARKET};
use breakwater_core::breaker::action::{allowed, Action};
use breakwater_core::breaker::Stage;
use breakwater_core::ledger::{Ledger, LedgerError, MemoryStore, Unwritten};
use breakwater_core::margin::Margin;
use breakwater_core::market::{MarketParams, MarketPrices, MarketState};
use breakwater_core::position::{Closing, Position, PositionView};
use breakwater_core::units::{Amount, Millis, Price, Shares};
use breakwater_core::wind_down::Collected;
use breakwater_interfaces::token::TokenError;
use breakwater_interfaces::vault::{
    Accounting, BatchRested, Borrowed, Deposited, Market, PositionSynced, Reclaimed, Redeemed,
    Repaid, RewardClaimed, Supplied, VaultError, Withdrawn,
};
use breakwater_interfaces::AccountId;
use std::collections::BTreeMap;

/// The vault's cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vault {
    /// Tokens and parameters.
    pub market: Market,
    /// Totals.
    pub state: MarketState,
    /// The circuit breaker's stage of all markets.
    pub stage: Stage,
    /// Positions that are not empty.
    pub positions: BTreeMap<AccountId, Position>,
    /// Shares of lenders.
    pub lenders: BTreeMap<AccountId, Shares>,
    /// Rewards not paid out.
    pub rewards: BTreeMap<AccountId, Amount>,
    /// Pages, departures, batches.
    pub cells: MemoryStore,
    /// What lenders have been paid in a wind-down.
    pub collected: BTreeMap<AccountId, Collected>,
}

/// A market loaded for one message, with its interest until now and the threshold in force.
#[derive(Clone)]
pub(crate) struct Loaded {
    pub(crate) market: Market,
    pub(crate) state: MarketState,
}

impl Vault {
    pub(crate) fn new(
        at: &Addresses,
        params: MarketParams,
        now: Millis,
    ) -> Result<Self, VaultError> {
        params.validate()?;
        Ok(Self {
            market: Market {
                collateral: at.collateral,
                quote: at.quote,
                params,
                easing: None,
                proposal: None,
                margin: Margin::default(),
            },
            state: MarketState {
                accrued_at: now,
                ..MarketState::default()
            },
            stage: Stage::Open,
            positions: BTreeMap::new(),
            lenders: BTreeMap::new(),
            rewards: BTreeMap::new(),
            cells: MemoryStore::default(),
            collected: BTreeMap::new(),
        })
    }

    /// A position; an empty one where there is none.
    #[must_use]
    pub fn position(&self, owner: AccountId) -> Position {
        self.positions.get(&owner).copied().unwrap_or_default()
    }

    /// Shares of a lender.
    #[must_use]
    pub fn shares_of(&self, lender: AccountId) -> Shares {
        self.lenders.get(&lender).copied().unwrap_or_default()
    }
}

impl Native {
    pub(crate) fn load(&self) -> Result<Loaded, VaultError> {
        let mut market = self.vault.market.clone();
        market.params.liquidation_threshold = market.threshold_at(self.now)?;
        let mut state = self.vault.state.clone();
        state.accrue(&market.params.interest, self.now)?;
        Ok(Loaded { market, state })
    }

    pub(crate) fn store(&mut self, loaded: Loaded) {
        self.vault.state = loaded.state;
    }

    pub(crate) fn transition<T>(
        &mut self,
        loaded: &mut Loaded,
        act: impl FnOnce(&mut Ledger<'_, MemoryStore>) -> Result<T, LedgerError>,
    ) -> Result<T, VaultError> {
        let params = &loaded.market.params;
        let mut ledger = Ledger::new(params, &mut loaded.state, &mut self.vault.cells)?;
        let result = act(&mut ledger)?;
        ledger.commit();
        Ok(result)
    }

    pub(crate) fn transition_of<T>(
        &mut self,
        loaded: &mut Loaded,
        owner: AccountId,
        act: impl FnOnce(&mut Ledger<'_, MemoryStore>, &mut Position) -> Result<T, LedgerError>,
    ) -> Result<T, VaultError> {
        let mut position = self.vault.position(owner);
        let result = self.transition(loaded, |ledger| act(ledger, &mut position))?;
        if position.is_empty() {
            self.vault.positions.remove(&owner);
        } else {
            self.vault.positions.insert(owner, position);
        }
        Ok(result)
    }

    /// Asks the ledger something and stores nothing.
    pub(crate) fn look<T>(
        &self,
        loaded: &mut Loaded,
        ask: impl FnOnce(&mut Ledger<'_, Unwritten<'_>>) -> Result<T, LedgerError>,
    ) -> Result<T, VaultError> {
        let mut cells = Unwritten(&self.vault.cells);
        let params = &loaded.market.params;
        let mut ledger = Ledger::new(params, &mut loaded.state, &mut cells)?;
        Ok(ask(&mut ledger)?)
    }

    pub(crate) fn prices(&self, loaded: &Loaded) -> Result<MarketPrices, VaultError> {
        let reading = self.read_feed(loaded.market.params.feed);
        let reading = reading.map_err(|_| VaultError::OracleUnavailable)?;
        Ok(MarketPrices::from(&reading))
    }

    pub(crate) fn prices_for(
        &self,
        loaded: &Loaded,
        action: Action,
    ) -> Result<(MarketPrices, Stage), VaultError> {
        let stage = self.vault.stage.max(loaded.state.stage);
        if !allowed(stage, action) {
            return Err(VaultError::Stopped);
        }
        Ok((self.prices(loaded)?, stage))
    }

    fn debtors_prices(&self, loaded: &Loaded, indebted: bool) -> (Option<MarketPrices>, bool) {
        if !indebted {
            return (None, false);
        }
        match self.prices_for(loaded, Action::WithdrawIndebted) {
            Ok((prices, _)) => (Some(prices), false),
            Err(error) => (None, error == VaultError::Stopped),
        }
    }

    fn provision(&self, loaded: &mut Loaded) -> Result<Amount, VaultError> {
        let worst = self.prices(loaded).map(|prices| prices.worst()).ok();
        self.look(loaded, |l| l.provision(worst))
    }

    pub(crate) fn pull(
        &mut self,
        token: AccountId,
        from: AccountId,
        amount: Amount,
    ) -> Result<(), TokenError> {
        self.tokens.transfer(token, from, self.at.vault, amount)
    }

    pub(crate) fn pay(
        &mut self,
        token: AccountId,
        to: AccountId,
        amount: Amount,
    ) -> Result<(), TokenError> {
        self.tokens.transfer(token, self.at.vault, to, amount)
    }

    pub(crate) fn supply(&mut self, who: AccountId, amount: Amount) -> Result<Shares, VaultError> {
        let mut loaded = self.load()?;
        let cap = loaded.market.params.supply_cap;
        let shares = loaded.state.supply(amount, cap)?;
        let held = self.vault.shares_of(who);
        self.vault.lenders.insert(who, held.plus(shares)?);
        self.store(loaded);
        self.pull(self.at.quote, who, amount)?;
        self.vault_tells(&Supplied {
            market: MARKET,
            lender: who,
            amount,
            shares,
        });
        Ok(shares)
    }

    pub(crate) fn redeem(&mut self, who: AccountId, shares: Shares) -> Result<Amount, VaultError> {
        let mut loaded = self.load()?;
        let held = self.vault.shares_of(who);
        let provision = self.provision(&mut loaded)?;
        let amount = loaded.state.redeem(held, shares, provision)?;
        let left = held.minus(shares)?;
        if left.is_zero() {
            self.vault.lenders.remove(&who);
        } else {
            self.vault.lenders.insert(who, left);
        }
        self.store(loaded);
        self.pay(self.at.quote, who, amount)?;
        self.vault_tells(&Redeemed {
            market: MARKET,
            lender: who,
            amount,
            shares,
            provision,
        });
        Ok(amount)
    }

    fn tell_deposited(&mut self, owner: AccountId, amount: Amount) {
        let market = MARKET;
        self.vault_tells(&Deposited {
            market,
            owner,
            amount,
        });
    }

    fn tell_borrowed(&mut self, owner: AccountId, amount: Amount, prices: MarketPrices) {
        let market = MARKET;
        self.vault_tells(&Borrowed {
            market,
            owner,
            amount,
            prices,
        });
    }

    fn tell_withdrawn(&mut self, owner: AccountId, amount: Amount, prices: Option<MarketPrices>) {
        let market = MARKET;
        self.vault_tells(&Withdrawn {
            market,
            owner,
            amount,
            prices,
        });
    }

    fn tell_repaid(&mut self, owner: AccountId, payer: AccountId, amount: Amount) {
        let market = MARKET;
        self.vault_tells(&Repaid {
            market,
            owner,
            payer,
            amount,
        });
    }

    fn tell_reclaimed(&mut self, owner: AccountId, amount: Amount) {
        let market = MARKET;
        self.vault_tells(&Reclaimed {
            market,
            owner,
            amount,
        });
    }

    pub(crate) fn deposit(&mut self, who: AccountId, amount: Amount) -> Result<(), VaultError> {
        let mut loaded = self.load()?;
        self.transition_of(&mut loaded, who, |l, p| l.deposit(p, amount))?;
        self.store(loaded);
        self.pull(self.at.collateral, who, amount)?;
        self.tell_deposited(who, amount);
        Ok(())
    }

    pub(crate) fn withdraw(&mut self, who: AccountId, amount: Amount) -> Result<(), VaultError> {
        let mut loaded = self.load()?;
        let indebted = self.vault.position(who).pooled.is_some();
        let (prices, stopped) = self.debtors_prices(&loaded, indebted);
        let done = self.transition_of(&mut loaded, who, |l, p| {
            l.withdraw(p, amount, prices.as_ref())
        });
        done.map_err(|error| error.or_stopped(stopped))?;
        self.store(loaded);
        self.pay(self.at.collateral, who, amount)?;
        self.tell_withdrawn(who, amount, prices);
        Ok(())
    }

    pub(crate) fn borrow(&mut self, who: AccountId, amount: Amount) -> Result<(), VaultError> {
        let mut loaded = self.load()?;
        let (prices, _) = self.prices_for(&loaded, Action::Borrow)?;
        self.transition_of(&mut loaded, who, |l, p| l.borrow(p, amount, &prices))?;
        self.store(loaded);
        self.pay(self.at.quote, who, amount)?;
        self.tell_borrowed(who, amount, prices);
        Ok(())
    }

    pub(crate) fn deposit_and_borrow(
        &mut self,
        who: AccountId,
        collateral: Amount,
        quote: Amount,
    ) -> Result<(), VaultError> {
        let mut loaded = self.load()?;
        let (prices, _) = self.prices_for(&loaded, Action::Borrow)?;
        self.transition_of(&mut loaded, who, |l, p| {
            l.deposit(p, collateral)?;
            l.borrow(p, quote, &prices)
        })?;
        self.store(loaded);
        self.pull(self.at.collateral, who, collateral)?;
        self.pay(self.at.quote, who, quote)?;
        self.tell_deposited(who, collateral);
        self.tell_borrowed(who, quote, prices);
        Ok(())
    }

    pub(crate) fn repay(
        &mut self,
        payer: AccountId,
        owner: AccountId,
        amount: Amount,
    ) -> Result<Amount, VaultError> {
        let mut loaded = self.load()?;
        let paid = self.transition_of(&mut loaded, owner, |l, p| l.repay(p, amount))?;
        self.store(loaded);
        self.pull(self.at.quote, payer, paid)?;
        self.tell_repaid(owner, payer, paid);
        Ok(paid)
    }

    pub(crate) fn repay_and_withdraw(
        &mut self,
        who: AccountId,
        repay: Amount,
        withdraw: Amount,
    ) -> Result<Amount, VaultError> {
        let mut loaded = self.load()?;
        let (prices, stopped) = self.debtors_prices(&loaded, true);
        let done = self.transition_of(&mut loaded, who, |l, p| {
            l.repay_and_withdraw(p, repay, withdraw, prices.as_ref())
        });
        let paid = done.map_err(|error| error.or_stopped(stopped))?;
        self.unwind(loaded, who, (paid, Amount::ZERO, withdraw), prices)?;
        Ok(paid)
    }

    pub(crate) fn close(&mut self, who: AccountId) -> Result<Closing, VaultError> {
        let mut loaded = self.load()?;
        let done = self.transition_of(&mut loaded, who, |l, p| l.close_position(p))?;
        let moved = (done.paid, done.reclaimed, done.collateral);
        self.unwind(loaded, who, moved, None)?;
        Ok(done)
    }

    fn unwind(
        &mut self,
        loaded: Loaded,
        owner: AccountId,
        (paid, reclaimed, collateral): (Amount, Amount, Amount),
        prices: Option<MarketPrices>,
    ) -> Result<(), VaultError> {
        self.store(loaded);
        if !paid.is_zero() {
            self.pull(self.at.quote, owner, paid)?;
            self.tell_repaid(owner, owner, paid);
        }
        if !reclaimed.is_zero() {
            self.pay(self.at.quote, owner, reclaimed)?;
            self.tell_reclaimed(owner, reclaimed);
        }
        if !collateral.is_zero() {
            self.pay(self.at.collateral, owner, collateral)?;
            self.tell_withdrawn(owner, collateral, prices);
        }
        Ok(())
    }

    pub(crate) fn reclaim(&mut self, who: AccountId) -> Result<Amount, VaultError> {
        let mut loaded = self.load()?;
        let amount = self.transition_of(&mut loaded, who, |l, p| l.reclaim(p))?;
        self.store(loaded);
        self.pay(self.at.quote, who, amount)?;
        self.tell_reclaimed(who, amount);
        Ok(amount)
    }

    pub(crate) fn sync(&mut self, owner: AccountId, moves: u16) -> Result<bool, VaultError> {
        let mut loaded = self.load()?;
        let done = self.transition_of(&mut loaded, owner, |l, p| l.sync(p, moves))?;
        self.store(loaded);
        self.vault_tells(&PositionSynced {
            market: MARKET,
            owner,
            moves,
        });
        Ok(done)
    }

    pub(crate) fn rest(&mut self, number: u32, cells: u16) -> Result<bool, VaultError> {
        let mut loaded = self.load()?;
        let done = self.transition(&mut loaded, |l| l.rest(number, cells))?;
        self.store(loaded);
        self.vault_tells(&BatchRested {
            market: MARKET,
            number,
            cells,
        });
        Ok(done)
    }

    pub(crate) fn claim_reward(&mut self, who: AccountId) -> Result<Amount, VaultError> {
        let mut loaded = self.load()?;
        let reward = self.vault.rewards.remove(&who);
        let amount = reward.ok_or(VaultError::NothingToClaim)?;
        loaded.state.rewards = loaded.state.rewards.minus(amount)?;
        self.store(loaded);
        self.pay(self.at.quote, who, amount)?;
        self.vault_tells(&RewardClaimed {
            market: MARKET,
            keeper: who,
            amount,
        });
        Ok(amount)
    }

    /// What the vault owes.
    ///
    /// # Errors
    /// [`VaultError::Math`].
    pub fn accounting(&self) -> Result<Accounting, VaultError> {
        let state = self.load()?.state;
        Ok(Accounting {
            quote_owed: state.quote_owed()?,
            collateral_owed: state.collateral_owed()?,
            lenders_assets: state.lenders_assets()?,
            state,
        })
    }

    /// A position judged at a price.
    ///
    /// # Errors
    /// [`VaultError::Ledger`], [`VaultError::Math`].
    pub fn position_at(&self, owner: AccountId, price: Price) -> Result<PositionView, VaultError> {
        let position = self.vault.position(owner);
        self.look(&mut self.load()?, |l| l.view(&position, price))
    }

    /// A position at the oracle's price.
    ///
    /// # Errors
    /// As [`Self::position_at`]; [`VaultError::OracleUnavailable`].
    pub fn position(&self, owner: AccountId) -> Result<PositionView, VaultError> {
        let spot = self.market_prices()?.spot;
        self.position_at(owner, spot)
    }

    /// A lender's shares and what they are worth.
    ///
    /// # Errors
    /// [`VaultError::Math`].
    pub fn lender(&self, owner: AccountId) -> Result<(Shares, Amount), VaultError> {
        let (shares, taken) = (self.vault.shares_of(owner), self.collected(owner));
        let state = self.load()?.state;
        Ok((shares, state.lender_value(shares, taken)?))
    }

    /// The market's prices.
    ///
    /// # Errors
    /// [`VaultError::OracleUnavailable`].
    pub fn market_prices(&self) -> Result<MarketPrices, VaultError> {
        self.prices(&self.load()?)
    }
}
