//! One world for all scenario tests: a deployed market, and books checked after every message.

use breakwater_chain::{AccountId, CallError, Chain, Embedded, Message, Receipt};
use breakwater_core::market::{example_params, MarketParams};
use breakwater_core::oracle::FeedConfig;
use breakwater_core::units::{Amount, Price, PRICE_ONE};
use breakwater_interfaces::auction::{
    AuctionContractError, AuctionRecord, BatchKey, BidId, LiquidationAuction,
};
use breakwater_interfaces::vault::{MarginVault, VaultError};
use breakwater_sim::books::Books;
use breakwater_sim::deployment::{Deployment, Plan};
use futures::executor::block_on;
use ink::codegen::TraitCallBuilder;
use scale::Decode;
use std::fmt::Debug;

/// One whole collateral token.
pub const COLLATERAL: u128 = 1_000_000_000_000_000_000;
/// One whole quote token.
pub const QUOTE: u128 = 1_000_000;

/// A price of so many whole quote.
pub fn price(whole: u128) -> Price {
    Price::new(whole * PRICE_ONE)
}

/// So many whole quote tokens.
pub fn quote(whole: u128) -> Amount {
    Amount::new(whole * QUOTE)
}

/// So many whole collateral tokens.
pub fn collateral(whole: u128) -> Amount {
    Amount::new(whole * COLLATERAL)
}

/// A deployed market with the accounts of a story.
pub struct World {
    /// The chain.
    pub chain: Embedded,
    /// The contracts.
    pub d: Deployment,
    /// Accounts that submit prices.
    pub feeders: Vec<AccountId>,
    /// Batches opened so far.
    pub batches: Vec<BatchKey>,
    /// Clock of the last submission, milliseconds.
    observed_at: u64,
}

impl World {
    /// A market with the example parameters, a price of 200 and lenders' quote in it.
    pub fn new() -> Self {
        Self::with_params(example_params())
    }

    /// As [`Self::new`] with other parameters.
    pub fn with_params(params: MarketParams) -> Self {
        let mut chain = Embedded::new();
        let feeders: Vec<_> = (1..4).map(|index| chain.account(index)).collect();
        let plan = Plan {
            governor: chain.account(0),
            feeders: feeders.clone(),
            feed: FeedConfig {
                min_feeders: 2,
                heartbeat: 600_000,
                min_gap: 1,
                twap_window: 1_800_000,
            },
            params,
        };
        let d = block_on(Deployment::deploy(&mut chain, &plan)).expect("deploys");
        let mut world = Self {
            chain,
            d,
            feeders,
            batches: Vec::new(),
            observed_at: 0,
        };
        world.set_price(price(200));
        let lender = world.account(4);
        world.fund(lender, world.d.quote, quote(10_000_000), world.d.vault);
        let message = world.d.vault().call_mut().supply(0, quote(10_000_000));
        world.vault(lender, message).expect("supplies");
        world
    }

    /// A funded account.
    pub fn account(&mut self, index: u32) -> AccountId {
        let account = self.chain.account(index);
        self.chain
            .fund(account, 1_000_000_000_000_000)
            .expect("native tokens");
        account
    }

    /// Mints tokens and approves a spender.
    pub fn fund(&mut self, who: AccountId, token: AccountId, amount: Amount, spender: AccountId) {
        block_on(self.d.fund(&mut self.chain, &who, token, amount, spender)).expect("funds");
    }

    /// Has every feeder submit the price, and lets a block pass.
    pub fn set_price(&mut self, price: Price) {
        let now = block_on(self.chain.now()).expect("clock");
        if now <= self.observed_at {
            self.advance(1);
        }
        self.observed_at = block_on(self.chain.now()).expect("clock");
        let feeders = self.feeders.clone();
        block_on(
            self.d
                .submit_price(&mut self.chain, &feeders, price, self.observed_at),
        )
        .expect("submits");
        self.advance(1);
    }

    /// Lets blocks pass.
    pub fn advance(&mut self, blocks: u32) {
        block_on(self.chain.advance(blocks)).expect("advances");
    }

    /// The present block.
    pub fn block(&self) -> u32 {
        block_on(self.chain.block()).expect("block")
    }

    /// Sends a message to the vault; afterwards the books must balance.
    pub fn vault<T: Decode>(
        &mut self,
        who: AccountId,
        message: impl Into<Message<Result<T, VaultError>>>,
    ) -> Result<Receipt<T>, CallError<VaultError>> {
        self.send(who, self.d.vault, message)
    }

    /// Sends a message to the auction; afterwards the books must balance.
    pub fn auction<T: Decode>(
        &mut self,
        who: AccountId,
        message: impl Into<Message<Result<T, AuctionContractError>>>,
    ) -> Result<Receipt<T>, CallError<AuctionContractError>> {
        self.send(who, self.d.auction, message)
    }

    /// Sends any message. Promise 9: tokens held equal tokens owed afterwards, and a message
    /// that returned `Err` changed no storage of any contract.
    pub fn send<T: Decode, E: Decode + Debug>(
        &mut self,
        who: AccountId,
        contract: AccountId,
        message: impl Into<Message<Result<T, E>>>,
    ) -> Result<Receipt<T>, CallError<E>> {
        let before = self.storage();
        let result = block_on(self.chain.call(&who, contract, message));
        if result.is_err() {
            assert!(before == self.storage(), "an Err changed storage");
        }
        self.assert_books();
        result
    }

    /// Everything all contracts store.
    pub fn storage(&self) -> Vec<std::collections::BTreeMap<Vec<u8>, Vec<u8>>> {
        let d = &self.d;
        [d.oracle, d.vault, d.auction, d.collateral, d.quote]
            .into_iter()
            .map(|contract| self.chain.contract_storage(contract))
            .collect()
    }

    /// The books now.
    pub fn books(&self) -> Books {
        block_on(Books::read(&self.chain, &self.d, &self.batches)).expect("books")
    }

    /// Promise 9.
    pub fn assert_books(&self) {
        if let Some(fault) = self.books().fault() {
            panic!("the books do not balance: {fault}");
        }
    }

    /// Opens a position of so much collateral and debt for an account.
    pub fn open_position(&mut self, who: AccountId, collateral: Amount, debt: Amount) {
        self.fund(who, self.d.collateral, collateral, self.d.vault);
        let message = self
            .d
            .vault()
            .call_mut()
            .deposit_and_borrow(0, collateral, debt);
        self.vault(who, message).expect("opens a position");
    }

    /// Gives a bidder quote and deposits it into the auction.
    pub fn fund_bidder(&mut self, who: AccountId, amount: Amount) {
        self.fund(who, self.d.quote, amount, self.d.auction);
        let message = self.d.auction().call_mut().deposit(0, amount);
        self.auction(who, message).expect("deposits");
    }

    /// Opens a batch.
    pub fn open_batch(
        &mut self,
        who: AccountId,
    ) -> Result<BatchKey, CallError<AuctionContractError>> {
        let message = self.d.auction().call_mut().open_batch(0);
        let opened = self.auction(who, message)?;
        self.batches.push(opened.value);
        Ok(opened.value)
    }

    /// Places a bid that stays valid.
    pub fn bid(
        &mut self,
        who: AccountId,
        batch: BatchKey,
        budget: Amount,
        limit: Price,
    ) -> Result<BidId, CallError<AuctionContractError>> {
        let message = self
            .d
            .auction()
            .call_mut()
            .bid(batch, budget, limit, u32::MAX);
        self.auction(who, message).map(|receipt| receipt.value)
    }

    /// An auction as stored.
    pub fn record(&self, batch: BatchKey) -> AuctionRecord {
        let message = self.d.auction().call().auction(batch);
        block_on(self.chain.query(self.d.auction, self.d.auction, message))
            .expect("answers")
            .expect("exists")
    }

    /// Tokens an account holds.
    pub fn held(&self, token: AccountId, owner: AccountId) -> u128 {
        block_on(breakwater_sim::books::held(&self.chain, token, owner))
            .expect("balance")
            .get()
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}
