//! What anyone may do for a market and nobody is paid for: raising the circuit breaker for a fact
//! that holds, reopening, having the margin follow the volatility, and taking over changed terms.

use crate::fault::Classed;
use breakwater_chain::{AccountId, CallError, Chain, Message, QueryError};
use breakwater_core::breaker::{effective, Breaker, Cause, Stage};
use breakwater_core::market::MarketPrices;
use breakwater_core::standing::StandingTerms;
use breakwater_core::units::{Block, Millis, Ratio};
use breakwater_interfaces::auction::{AuctionMarket, LiquidationAuction};
use breakwater_interfaces::breaker::{CircuitBreaker, GlobalBreaker, MarketBreaker};
use breakwater_interfaces::vault::{Accounting, MarginVault, Market, VaultError};
use breakwater_interfaces::vault_admin::VaultAdmin;
use breakwater_interfaces::MarketId;
use breakwater_sim::deployment::Deployment;
use ink::codegen::TraitCallBuilder;
use scale::Decode;
use std::fmt::Debug;

/// Whose breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The market's.
    Market,
    /// That of all markets.
    All,
}

impl Whose {
    /// As messages name it.
    #[must_use]
    pub fn market(self, d: &Deployment) -> Option<MarketId> {
        match self {
            Self::Market => Some(d.market),
            Self::All => None,
        }
    }
}

/// One thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Raises a breaker for a fact that holds.
    Trip(Whose, Cause),
    /// Opens what a breaker has closed.
    Reopen(Whose),
    /// Has the margin follow the volatility by a step that changes something.
    UpdateMargin,
    /// Has the auction take over terms that have changed in the vault.
    Refresh,
}

impl Duty {
    /// The message's name.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::Trip(..) => "trip",
            Self::Reopen(_) => "reopen",
            Self::UpdateMargin => "update_margin",
            Self::Refresh => "refresh",
        }
    }

    /// Which of the message's uses.
    #[must_use]
    pub fn slot(self) -> String {
        match self {
            Self::Trip(whose, cause) => format!("{whose:?}/{cause:?}"),
            Self::Reopen(whose) => format!("{whose:?}"),
            Self::UpdateMargin | Self::Refresh => String::new(),
        }
    }

    /// Hands its message over, whatever that answers with.
    pub async fn hand_to<M: Messenger>(self, messenger: M, d: &Deployment) -> M::Outcome {
        let (mut breaker, mut admin) = (d.breaker(), d.admin());
        match self {
            Self::Trip(whose, cause) => {
                let message = breaker.call_mut().trip(whose.market(d), cause);
                messenger.carry(d.auction, message.into()).await
            }
            Self::Reopen(whose) => {
                let message = breaker.call_mut().reopen(whose.market(d));
                messenger.carry(d.auction, message.into()).await
            }
            Self::UpdateMargin => {
                let message = admin.call_mut().update_margin(d.market);
                messenger.carry(d.vault, message.into()).await
            }
            Self::Refresh => {
                let message = breaker.call_mut().refresh(d.market);
                messenger.carry(d.auction, message.into()).await
            }
        }
    }
}

/// What is done with a duty's message: a trial, or a call.
#[allow(async_fn_in_trait)] // as `Chain`: driven by the task that owns it
pub trait Messenger {
    /// What that comes to.
    type Outcome;

    /// Does it.
    async fn carry<T: Decode, E: Decode + Debug + Classed>(
        self,
        contract: AccountId,
        message: Message<Result<T, E>>,
    ) -> Self::Outcome;
}

/// What a market's upkeep needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Upkeep {
    /// The stage in force.
    pub stage: Stage,
    /// What is to be done, in this order.
    pub duties: Vec<Duty>,
}

/// One look at a market.
struct Look<'a, C> {
    chain: &'a C,
    d: &'a Deployment,
    me: AccountId,
    block: Block,
    now: Millis,
}

/// Finds out what is due. Facts are asked of the contracts themselves, by trials of `trip` and
/// `reopen`; the margin and the terms are compared by the contracts' own rules. `trips`: whether to
/// look for facts, ten trials of a message.
///
/// # Errors
/// [`QueryError`], where the chain does not answer.
pub async fn look<C: Chain>(
    chain: &C,
    d: &Deployment,
    me: AccountId,
    trips: bool,
) -> Result<Upkeep, QueryError> {
    let look = Look {
        chain,
        d,
        me,
        block: chain.block().await?,
        now: chain.now().await?,
    };
    let mut duties = Vec::new();
    let message = d.breaker().call().breaker(d.market);
    let kept: Option<(MarketBreaker, GlobalBreaker)> = look.ask(d.auction, message).await?;
    let mut stage = Stage::Open;
    if let Some((own, all)) = &kept {
        stage = effective(&own.breaker, &all.breaker);
        if trips {
            look.trips(own, &all.breaker, &mut duties).await?;
        }
        for (whose, breaker) in [(Whose::Market, &own.breaker), (Whose::All, &all.breaker)] {
            look.reopening(whose, breaker, &mut duties).await?;
        }
    }
    let message = d.vault().call().market(d.market);
    let market: Option<Market> = look.ask(d.vault, message).await?;
    if let Some(market) = &market {
        if look.margin_moves(market).await? {
            duties.push(Duty::UpdateMargin);
        }
        if let Some((own, _)) = &kept {
            if look.terms_differ(market, own).await? {
                duties.push(Duty::Refresh);
            }
        }
    }
    Ok(Upkeep { stage, duties })
}

/// A trial: whether the contract would take the message now.
impl<C: Chain> Messenger for &Look<'_, C> {
    type Outcome = Result<bool, QueryError>;

    async fn carry<T: Decode, E: Decode + Debug + Classed>(
        self,
        contract: AccountId,
        message: Message<Result<T, E>>,
    ) -> Self::Outcome {
        match self.ask(contract, message).await {
            Ok(answer) => Ok(answer.is_ok()),
            // One that only lacks a payer for the deposit has worked.
            Err(CallError::StorageDeposit(_)) => Ok(true),
            Err(error @ CallError::Transport(_)) => Err(error),
            Err(_) => Ok(false),
        }
    }
}

impl<C: Chain> Look<'_, C> {
    async fn ask<T: Decode>(
        &self,
        contract: AccountId,
        message: impl Into<Message<T>>,
    ) -> Result<T, QueryError> {
        self.chain.query(self.me, contract, message).await
    }

    async fn trips(
        &self,
        own: &MarketBreaker,
        all: &Breaker,
        duties: &mut Vec<Duty>,
    ) -> Result<(), QueryError> {
        let of_market = Cause::MEASURED.map(|cause| (Whose::Market, cause, &own.breaker));
        let of_all = [Cause::Markets, Cause::BadDebt].map(|cause| (Whose::All, cause, all));
        for (whose, cause, breaker) in of_market.into_iter().chain(of_all) {
            if self.block < breaker.locked_until {
                continue;
            }
            // A cause that is noted is not noted again, unless it is of a higher stage by now.
            let noted = breaker.causes.has(cause);
            let higher = whose == Whose::All || own.limits.stage(cause) > breaker.stage;
            if noted && !higher {
                continue;
            }
            let duty = Duty::Trip(whose, cause);
            if duty.hand_to(self, self.d).await? {
                duties.push(duty);
            }
        }
        Ok(())
    }

    async fn reopening(
        &self,
        whose: Whose,
        breaker: &Breaker,
        duties: &mut Vec<Duty>,
    ) -> Result<(), QueryError> {
        let noticed = duties
            .iter()
            .any(|duty| matches!(duty, Duty::Trip(of, _) if *of == whose));
        if breaker.stage == Stage::Open || noticed {
            return Ok(());
        }
        let duty = Duty::Reopen(whose);
        if duty.hand_to(self, self.d).await? {
            duties.push(duty);
        }
        Ok(())
    }

    /// Whether a step of the margin would change it, by the vault's own rule.
    async fn margin_moves(&self, market: &Market) -> Result<bool, QueryError> {
        let calls = self.d.vault();
        let message = calls.call().market_prices(self.d.market);
        let prices: Result<MarketPrices, VaultError> = self.ask(self.d.vault, message).await?;
        let Ok(prices) = prices else {
            return Ok(false);
        };
        let Ok(threshold) = market.calm_threshold_at(self.now) else {
            return Ok(false);
        };
        let base = Ratio::ONE.minus(threshold).unwrap_or_default();
        let (mut margin, rule) = (market.margin, &market.params.margin);
        let moved = margin.update(rule, base, prices.volatility, self.now);
        Ok(prices.age <= market.params.max_price_age && moved == Ok(true))
    }

    /// Whether what the auction has copied is no longer what the vault says. While a batch runs it
    /// takes over the hole alone.
    async fn terms_differ(&self, market: &Market, own: &MarketBreaker) -> Result<bool, QueryError> {
        let (d, params) = (self.d, &market.params);
        if params.hole != own.hole {
            return Ok(true);
        }
        let calls = d.auction();
        let message = calls.call().market(d.market);
        let copied: Option<AuctionMarket> = self.ask(d.auction, message).await?;
        let (Some(copied), Ok(terms)) = (copied, StandingTerms::of(params)) else {
            return Ok(false);
        };
        if copied.standing == terms {
            return Ok(false);
        }
        let calls = d.vault();
        let message = calls.call().accounting(d.market);
        let books: Result<Accounting, VaultError> = self.ask(d.vault, message).await?;
        Ok(books.is_ok_and(|books| books.state.running.is_empty()))
    }
}
