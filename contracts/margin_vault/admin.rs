//! Governance: markets and their parameters, insurance, and the end of a market.

use crate::margin_vault::MarginVault;
use crate::market::Loaded;
use breakwater_core::breaker::Action;
use breakwater_core::lending::LendingError;
use breakwater_core::margin::{Margin, MarginError};
use breakwater_core::market::{Limits, MarketParams, MarketState};
use breakwater_core::math::MathError;
use breakwater_core::timelock::{Proposal, TimelockError};
use breakwater_core::units::{Amount, Ratio};
use breakwater_core::wind_down::Collected;
use breakwater_interfaces::cell::Cell;
use breakwater_interfaces::governance::RolesChanged;
use breakwater_interfaces::vault::{Market, MarketCreated, VaultError};
use breakwater_interfaces::vault_admin::{AuctionNamed, Change, MarketChanged};
use breakwater_interfaces::{AccountId, MarketId};
use ink::codegen::Env as _;

impl MarginVault {
    fn ensure_guardian(&self) -> Result<(), VaultError> {
        self.roles
            .ensure_guardian(self.env().caller())
            .map_err(|_| VaultError::NotGuardian)
    }

    fn stored(&self, market: MarketId) -> Result<Market, VaultError> {
        Ok(self.markets.get(market).ok_or(VaultError::UnknownMarket)?.0)
    }

    fn put(&mut self, id: MarketId, market: Market, change: Change) {
        self.markets.insert(id, &Cell(market));
        self.announce(id, change);
    }

    #[inline(never)]
    pub(crate) fn announce(&self, market: MarketId, change: Change) {
        let by = self.env().caller();
        self.env().emit_event(MarketChanged { market, by, change });
    }

    #[inline(never)]
    pub(crate) fn announce_roles(&self, changed: RolesChanged) {
        self.env().emit_event(changed);
    }

    #[inline(never)]
    pub(crate) fn name_auction(&mut self, auction: AccountId) -> Result<(), VaultError> {
        self.ensure_governor()?;
        if self.config.auction.is_some() {
            return Err(VaultError::AuctionAlreadySet);
        }
        self.config.auction = Some(auction);
        self.env().emit_event(AuctionNamed { auction });
        Ok(())
    }

    #[inline(never)]
    pub(crate) fn create(
        &mut self,
        collateral: AccountId,
        quote: AccountId,
        params: MarketParams,
    ) -> Result<MarketId, VaultError> {
        self.ensure_governor()?;
        if collateral == quote {
            return Err(VaultError::SameToken);
        }
        params.validate()?;
        let id = self.config.markets;
        self.config.markets = id.checked_add(1).ok_or(MathError::Overflow)?;
        let governor = self.env().caller();
        let decimals = [params.collateral_decimals, params.quote_decimals];
        let market = Market {
            collateral,
            quote,
            params: params.clone(),
            easing: None,
            proposal: None,
            margin: Margin::default(),
        };
        self.markets.insert(id, &Cell(market));
        let state = MarketState {
            accrued_at: self.env().block_timestamp(),
            ..MarketState::default()
        };
        self.states.insert(id, &Cell(state));
        for token in [collateral, quote] {
            self.add_use(token, id)?;
        }
        for (token, decimals) in [collateral, quote].into_iter().zip(decimals) {
            self.token(token).probe(governor, decimals)?;
        }
        self.env().emit_event(MarketCreated {
            market: id,
            collateral,
            quote,
            params,
        });
        Ok(id)
    }

    #[inline(never)]
    pub(crate) fn propose(&mut self, id: MarketId, params: MarketParams) -> Result<(), VaultError> {
        self.ensure_governor()?;
        let present = self.calm(&self.load(id)?)?;
        present.ensure_may_become(&params)?;
        let announced = params.clone();
        let proposal = Proposal::new(params, self.env().block_timestamp(), present.notice);
        let ripe_at = proposal.ripe_at;
        let mut market = self.stored(id)?;
        market.proposal = Some(proposal);
        let params = announced;
        self.put(id, market, Change::Proposed { ripe_at, params });
        Ok(())
    }

    #[inline(never)]
    pub(crate) fn apply(&mut self, id: MarketId) -> Result<(), VaultError> {
        // Until now interest runs on the old curve, and the threshold is the one in force.
        let loaded = self.load(id)?;
        let now = self.env().block_timestamp();
        let mut market = loaded.stored();
        let proposal = market.proposal.take();
        let params = proposal.ok_or(TimelockError::NothingProposed)?.ripe(now)?;
        let present = self.calm(&loaded)?;
        present.ensure_may_become(&params)?;
        market.easing = present.easing_to(&params, now);
        market.margin.settle(&market.params.margin, now);
        market.params = params;
        self.store(loaded);
        self.put(id, market, Change::Applied);
        Ok(())
    }

    /// Parameters as they are in calm times: with the threshold that a change begins from.
    fn calm(&self, loaded: &Loaded) -> Result<MarketParams, VaultError> {
        let market = loaded.stored();
        let threshold = market.calm_threshold_at(self.env().block_timestamp())?;
        Ok(MarketParams {
            liquidation_threshold: threshold,
            ..market.params
        })
    }

    #[inline(never)]
    pub(crate) fn cancel(&mut self, id: MarketId) -> Result<(), VaultError> {
        self.ensure_guardian()?;
        let mut market = self.stored(id)?;
        market
            .proposal
            .take()
            .ok_or(TimelockError::NothingProposed)?;
        self.put(id, market, Change::Cancelled);
        Ok(())
    }

    #[inline(never)]
    pub(crate) fn restrict_to(&mut self, id: MarketId, limits: Limits) -> Result<(), VaultError> {
        self.ensure_guardian()?;
        let mut market = self.stored(id)?;
        market.params.restrict(limits)?;
        market.proposal = None;
        self.put(id, market, Change::Restricted { limits });
        Ok(())
    }

    #[inline(never)]
    pub(crate) fn begin_wind_down(&mut self, market: MarketId) -> Result<(), VaultError> {
        self.ensure_governor()?;
        let mut loaded = self.load(market)?;
        loaded.state.begin_wind_down()?;
        self.store(loaded);
        let loss = Amount::ZERO;
        self.announce(market, Change::WindDown { loss });
        Ok(())
    }

    #[inline(never)]
    pub(crate) fn give(&mut self, market: MarketId, amount: Amount) -> Result<(), VaultError> {
        if amount.is_zero() {
            return Err(LendingError::ZeroAmount.into());
        }
        let payer = self.env().caller();
        let mut loaded = self.load(market)?;
        let quote = self.token(loaded.market.quote);
        let to_lenders = loaded.state.take_in(amount)?;
        self.store(loaded);
        quote.pull(payer, amount)?;
        self.announce(market, Change::Insured { amount, to_lenders });
        Ok(())
    }

    pub(crate) fn collected(&self, market: MarketId, lender: AccountId) -> Collected {
        self.collected
            .get((market, lender))
            .map(|cell| cell.0)
            .unwrap_or_default()
    }

    #[inline(never)]
    pub(crate) fn pay_lender(
        &mut self,
        market: MarketId,
        in_kind: bool,
    ) -> Result<Amount, VaultError> {
        let lender = self.env().caller();
        let mut loaded = self.load(market)?;
        let token = if in_kind {
            loaded.market.collateral
        } else {
            loaded.market.quote
        };
        if in_kind {
            let notice = loaded.market.params.notice;
            let (collateral, good) = loaded.state.hand_inventory_over(notice)?;
            if !collateral.is_zero() {
                self.announce(market, Change::HandedOver { collateral, good });
            }
        }
        let shares = self.shares_of(market, lender);
        let mut taken = self.collected(market, lender);
        let amount = loaded.state.collect(shares, &mut taken, in_kind)?;
        self.collected.insert((market, lender), &Cell(taken));
        self.store(loaded);
        self.token(token).pay(lender, amount)?;
        self.announce(market, Change::Collected { amount, in_kind });
        Ok(amount)
    }

    #[inline(never)]
    pub(crate) fn take(&mut self, market: MarketId, owner: AccountId) -> Result<(), VaultError> {
        let mut loaded = self.load(market)?;
        // A halt may be the sign of a wrong price, and the floor is a price.
        let (prices, _) = self.prices_for(&loaded, Action::TakeInKind)?;
        let block = self.env().block_number();
        let taken =
            self.transition_of(&mut loaded, owner, |l, p| l.take_in_kind(p, &prices, block))?;
        self.store(loaded);
        let change = Change::TookInKind {
            owner,
            taken,
            prices,
        };
        self.announce(market, change);
        Ok(())
    }

    /// Has the margin follow the volatility. A price that is too old says nothing of it.
    #[inline(never)]
    pub(crate) fn follow_volatility(&mut self, id: MarketId) -> Result<(), VaultError> {
        let loaded = self.load(id)?;
        let prices = self.prices(&loaded)?;
        let mut market = loaded.stored();
        if prices.age > market.params.max_price_age {
            return Err(MarginError::NotMeasured.into());
        }
        let now = self.env().block_timestamp();
        let base = Ratio::ONE.minus(market.calm_threshold_at(now)?)?;
        let rule = market.params.margin;
        market.margin.update(&rule, base, prices.volatility, now)?;
        let margin = market.margin;
        self.put(id, market, Change::Margin(margin));
        Ok(())
    }
}
