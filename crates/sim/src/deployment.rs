//! Breakwater deployed and wired on a chain: two test tokens, oracle, vault, auction, one market.

use crate::artifacts::{Contract, DamagedBundle};
use crate::constructors;
use breakwater_chain::{CallError, Chain, Constructor, Message, Receipt, Signer};
use breakwater_core::market::MarketParams;
use breakwater_core::oracle::FeedConfig;
use breakwater_core::units::{Amount, Millis, Price};
use breakwater_interfaces::auction::LiquidationAuction;
use breakwater_interfaces::breaker::CircuitBreaker;
use breakwater_interfaces::governance::{Governed, Guarded};
use breakwater_interfaces::oracle::OracleAdapter;
use breakwater_interfaces::standing::StandingBids;
use breakwater_interfaces::token::{PSP22Error, PROBE, PSP22};
use breakwater_interfaces::vault::MarginVault;
use breakwater_interfaces::vault_admin::VaultAdmin;
use breakwater_interfaces::{AccountId, Env, MarketId};
use ink::codegen::TraitCallBuilder;
use ink::env::call::{ExecutionInput, Selector};
use scale::{Decode, Encode};
use std::fmt::Debug;

/// A handle that builds calls to the oracle adapter.
pub type OracleRef = ink::contract_ref!(OracleAdapter, Env);
/// A handle that builds calls to the vault.
pub type VaultRef = ink::contract_ref!(MarginVault, Env);
/// A handle that builds calls to the auction.
pub type AuctionRef = ink::contract_ref!(LiquidationAuction, Env);
/// A handle that builds calls to the auction's circuit breaker.
pub type BreakerRef = ink::contract_ref!(CircuitBreaker, Env);
/// A handle that builds calls about standing bids to the auction.
pub type StandingRef = ink::contract_ref!(StandingBids, Env);
/// A handle that builds calls about the governance of any contract.
pub type GovernedRef = ink::contract_ref!(Governed, Env);
/// A handle that builds calls about the guardian of a contract.
pub type GuardedRef = ink::contract_ref!(Guarded, Env);
/// A handle that builds calls about the terms of the vault's markets, and their end.
pub type VaultAdminRef = ink::contract_ref!(VaultAdmin, Env);
/// A handle that builds calls to a token.
pub type TokenRef = ink::contract_ref!(PSP22, Env);

/// What a deployment is made of.
pub struct Plan<S> {
    /// Deploys, governs and pays.
    pub governor: S,
    /// Accounts that submit prices.
    pub feeders: Vec<AccountId>,
    /// How submissions become rounds.
    pub feed: FeedConfig,
    /// The market.
    pub params: MarketParams,
}

/// Addresses of a deployment with one market.
#[derive(Clone, Copy, Debug)]
pub struct Deployment {
    /// The oracle adapter.
    pub oracle: AccountId,
    /// The margin vault.
    pub vault: AccountId,
    /// The liquidation auction.
    pub auction: AccountId,
    /// The collateral token.
    pub collateral: AccountId,
    /// The quote token.
    pub quote: AccountId,
    /// The market.
    pub market: MarketId,
    /// Its feed.
    pub feed: u32,
}

/// A deployment or a step of a scenario that failed: which, and why.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The code of a contract cannot be read.
    #[error(transparent)]
    Bundle(#[from] DamagedBundle),
    /// A message was refused or did not run.
    #[error("{step}: {reason}")]
    Call {
        /// What was being done.
        step: &'static str,
        /// What the chain answered.
        reason: String,
    },
}

impl StepError {
    /// Names the step that a call error happened in.
    pub fn at<E: Debug>(step: &'static str) -> impl FnOnce(CallError<E>) -> Self {
        move |error| {
            let reason = match error {
                CallError::Reverted(error) => format!("refused with {error:?}"),
                other => other.to_string(),
            };
            Self::Call { step, reason }
        }
    }
}

async fn instantiate<C: Chain>(
    chain: &mut C,
    governor: &C::Signer,
    contract: Contract,
    step: &'static str,
    constructor: Constructor,
    salt: &[u8],
) -> Result<AccountId, StepError> {
    let code = contract.code()?;
    let receipt = chain
        .instantiate(governor, &code, constructor, salt)
        .await
        .map_err(StepError::at(step))?;
    Ok(receipt.value)
}

/// A message of the test token that only development networks have: anyone mints.
pub fn mint(to: AccountId, amount: u128) -> Message<Result<(), PSP22Error>> {
    let selector = Selector::new(ink::selector_bytes!("mint"));
    Message::new(&ExecutionInput::new(selector).push_arg(to).push_arg(amount))
}

/// Another message of the test token: anyone makes it misbehave.
pub fn misbehave(fault: Fault, message: Vec<u8>) -> Message<Result<(), PSP22Error>> {
    let selector = Selector::new(ink::selector_bytes!("misbehave"));
    Message::new(
        &ExecutionInput::new(selector)
            .push_arg(fault)
            .push_arg(message),
    )
}

/// What a test token does wrong, as that contract has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode)]
pub enum Fault {
    /// Nothing.
    None,
    /// Takes a hundredth of what is transferred away from the receiver.
    TakesFee,
    /// Moves nothing and says it did.
    MovesNothing,
    /// Moves twice as much as it is told to, if it can.
    MovesTwice,
    /// Refuses transfers.
    Refuses,
    /// Answers transfers with bytes that mean nothing.
    TalksNonsense,
    /// Traps in transfers.
    Traps,
    /// Says that everybody holds the same.
    Lies,
    /// Calls whoever called it, with a message it was given, and traps if that fails.
    CallsBack,
    /// Refuses transfers after which the receiver would hold less than its message says, an encoded
    /// number: an existential deposit.
    RefusesDust,
}

impl Deployment {
    /// Uploads, instantiates and wires everything, and creates the market.
    ///
    /// # Errors
    /// [`StepError`] names the step that failed.
    pub async fn deploy<C: Chain>(
        chain: &mut C,
        plan: &Plan<C::Signer>,
    ) -> Result<Self, StepError> {
        let by = &plan.governor;
        let governor = by.account_id();
        let (kind, params) = (Contract::TestToken, &plan.params);
        let token = constructors::test_collateral(params.collateral_decimals);
        let salt = b"collateral";
        let collateral = instantiate(chain, by, kind, "collateral token", token, salt).await?;
        let token = constructors::test_quote(params.quote_decimals);
        let quote = instantiate(chain, by, kind, "quote token", token, b"quote").await?;

        let (kind, new) = (Contract::OracleAdapter, constructors::oracle(governor));
        let oracle = instantiate(chain, by, kind, "oracle", new, b"").await?;
        let (kind, new) = (Contract::VaultExt, constructors::vault_ext()?);
        instantiate(chain, by, kind, "vault's extension", new, b"").await?;
        let (kind, new) = (
            Contract::MarginVault,
            constructors::vault(governor, oracle)?,
        );
        let vault = instantiate(chain, by, kind, "vault", new, b"").await?;
        let (kind, new) = (Contract::AuctionExt, constructors::auction_ext()?);
        instantiate(chain, by, kind, "auction's extension", new, b"").await?;
        let kind = Contract::LiquidationAuction;
        let new = constructors::auction(governor, vault, oracle)?;
        let auction = instantiate(chain, by, kind, "auction", new, b"").await?;

        let feed = params.feed;
        let mut this = Self {
            oracle,
            vault,
            auction,
            collateral,
            quote,
            market: 0,
            feed,
        };
        let message = this.oracle().call_mut().register_feed(feed, plan.feed);
        send(chain, by, oracle, "register feed", message).await?;
        for feeder in &plan.feeders {
            let message = this.oracle().call_mut().add_feeder(feed, *feeder);
            send(chain, by, oracle, "add feeder", message).await?;
        }
        let message = this.vault().call_mut().set_auction(auction);
        send(chain, by, vault, "name the auction", message).await?;
        for token in [collateral, quote] {
            this.fund(chain, by, token, PROBE, vault).await?;
        }
        let message = this
            .vault()
            .call_mut()
            .create_market(collateral, quote, params.clone());
        this.market = send(chain, by, vault, "create market", message)
            .await?
            .value;
        let message = this.auction().call_mut().register_market(this.market);
        send(chain, by, auction, "register market", message).await?;
        Ok(this)
    }

    /// Builds calls to the oracle adapter.
    pub fn oracle(&self) -> OracleRef {
        self.oracle.into()
    }

    /// Builds calls to the vault.
    pub fn vault(&self) -> VaultRef {
        self.vault.into()
    }

    /// Builds calls to the auction.
    pub fn auction(&self) -> AuctionRef {
        self.auction.into()
    }

    /// Builds calls to the auction's circuit breaker.
    pub fn breaker(&self) -> BreakerRef {
        self.auction.into()
    }

    /// Builds calls about standing bids to the auction.
    pub fn standing(&self) -> StandingRef {
        self.auction.into()
    }

    /// Builds calls about the governance of a contract.
    pub fn governed(contract: AccountId) -> GovernedRef {
        contract.into()
    }

    /// Builds calls about the guardian of a contract.
    pub fn guarded(contract: AccountId) -> GuardedRef {
        contract.into()
    }

    /// Builds calls about the terms of the vault's markets, and their end.
    pub fn admin(&self) -> VaultAdminRef {
        self.vault.into()
    }

    /// Builds calls to a token.
    pub fn token(token: AccountId) -> TokenRef {
        token.into()
    }

    /// Mints test tokens to an account and lets a contract take them.
    ///
    /// # Errors
    /// [`StepError`].
    pub async fn fund<C: Chain>(
        &self,
        chain: &mut C,
        who: &C::Signer,
        token: AccountId,
        amount: Amount,
        spender: AccountId,
    ) -> Result<(), StepError> {
        send(
            chain,
            who,
            token,
            "mint",
            mint(who.account_id(), amount.get()),
        )
        .await?;
        let approve = Self::token(token).call_mut().approve(spender, amount.get());
        send(chain, who, token, "approve", approve).await?;
        Ok(())
    }

    /// Submits one observation of the price from every feeder given.
    ///
    /// # Errors
    /// [`StepError`].
    pub async fn submit_price<C: Chain>(
        &self,
        chain: &mut C,
        feeders: &[C::Signer],
        price: Price,
        observed_at: Millis,
    ) -> Result<(), StepError> {
        for feeder in feeders {
            let message = self
                .oracle()
                .call_mut()
                .submit(self.feed, price, observed_at);
            send(chain, feeder, self.oracle, "submit price", message).await?;
        }
        Ok(())
    }
}

/// Sends a message and names the step if it fails.
///
/// # Errors
/// [`StepError::Call`].
pub async fn send<C: Chain, T: Decode, E: Decode + Debug>(
    chain: &mut C,
    who: &C::Signer,
    contract: AccountId,
    step: &'static str,
    message: impl Into<Message<Result<T, E>>>,
) -> Result<Receipt<T>, StepError> {
    chain
        .call(who, contract, message)
        .await
        .map_err(StepError::at(step))
}

/// Asks a read-only message and names the step if it fails.
///
/// # Errors
/// [`StepError::Call`].
pub async fn ask<C: Chain, T: Decode>(
    chain: &C,
    contract: AccountId,
    step: &'static str,
    message: impl Into<Message<T>>,
) -> Result<T, StepError> {
    chain
        .query(contract, contract, message)
        .await
        .map_err(StepError::at(step))
}
