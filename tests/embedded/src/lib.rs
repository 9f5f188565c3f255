//! One world for all scenario tests: a deployed market, and books checked after every message.

pub mod gas;
mod history;
mod numbers;
mod scene;
pub mod twin;

pub use numbers::{buys, collateral, permutations, price, quote, scale, worth, COLLATERAL, QUOTE};
pub use scene::Scene;

use breakwater_chain::{AccountId, CallError, Chain, Embedded, Message, Receipt, Snapshot};
use breakwater_core::auction::{Clearing, Fill, Phase};
use breakwater_core::batch::Batch;
use breakwater_core::ladder::Scaling;
use breakwater_core::ledger::{LedgerError, Settlement};
use breakwater_core::market::{example_params, MarketParams};
use breakwater_core::oracle::{FeedConfig, Reading};
use breakwater_core::position::PositionView;
use breakwater_core::units::{Amount, Price, Shares};
use breakwater_interfaces::auction::{
    AuctionContractError, AuctionRecord, BatchKey, BidId, LiquidationAuction,
};
use breakwater_interfaces::oracle::OracleAdapter;
use breakwater_interfaces::token::{PROBE, PSP22};
use breakwater_interfaces::vault::{Accounting, MarginVault, VaultError};
use breakwater_sim::books::Books;
use breakwater_sim::deployment::{misbehave, Deployment, Fault, Plan};
use futures::executor::block_on;
use ink::codegen::TraitCallBuilder;
use scale::Decode;
use std::collections::BTreeMap;
use std::fmt::Debug;

/// A table of messages to one contract (`vault`, `auction` or `oracle`), who sends them, and the
/// error each is refused with. Nothing may have changed then (promise 9).
#[macro_export]
macro_rules! refused {
    ($w:expr, $contract:ident, $($who:expr => $message:ident($($arg:expr),*), $error:expr;)*) => {$(
        let message = $w.d.$contract().call_mut().$message($($arg),*);
        let contract = $w.d.$contract;
        assert_eq!(
            $w.refusal($who, contract, message),
            Some($error.into()),
            "{}",
            concat!(stringify!($message), "(", stringify!($($arg),*), ")"),
        );
    )*};
}

/// All cells of one contract by their keys.
pub type Cells = BTreeMap<Vec<u8>, Vec<u8>>;

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
    /// Whether every message is checked. What plays one history in hundreds of ways turns it off
    /// meanwhile and checks the books at the end of each.
    pub checked: bool,
    /// Whether the books that events amount to are compared with the views at the end of every
    /// block. They always are when the world ends.
    pub replayed: bool,
    /// Clock of the last submission, milliseconds.
    observed_at: u64,
    /// Tokens sent to a contract without a message: (token, contract, amount).
    donations: Vec<(AccountId, AccountId, u128)>,
}

/// A world at one moment.
pub struct Saved {
    chain: Snapshot,
    batches: Vec<BatchKey>,
    observed_at: u64,
    donations: Vec<(AccountId, AccountId, u128)>,
}

impl World {
    /// A market with the example parameters, a price of 200 and lenders' quote in it.
    pub fn new() -> Self {
        Self::with_params(example_params())
    }

    /// As [`Self::new`] with other parameters.
    pub fn with_params(params: MarketParams) -> Self {
        Self::without_price(params).filled()
    }

    /// As [`Self::new`] with a feed of other guards.
    pub fn with_feed(feed: FeedConfig) -> Self {
        Self::deployed(example_params(), feed).filled()
    }

    /// A price of 200 and lenders' quote in it.
    #[must_use]
    pub fn filled(self) -> Self {
        let mut world = self;
        world.set_price(price(200));
        let lender = world.lender();
        world.fund(lender, world.d.quote, quote(10_000_000), world.d.vault);
        let message = world.d.vault().call_mut().supply(0, quote(10_000_000));
        world.vault(lender, message).expect("supplies");
        world
    }

    /// A market without an accepted price and without lenders.
    pub fn without_price(params: MarketParams) -> Self {
        // Histories jump from price to price as they like.
        Self::deployed(params, FeedConfig::without_bands(2, 600_000, 1, 1_800_000))
    }

    /// As [`Self::without_price`], with a ladder that answers to what is measured.
    pub fn measured(params: MarketParams, feed: FeedConfig) -> Self {
        Self::deployed_as(params, feed)
    }

    /// Histories jump from price to price as they like: their ladders answer to nothing.
    fn deployed(params: MarketParams, feed: FeedConfig) -> Self {
        let mut params = params;
        params.ladder.scaling = Scaling::NONE;
        Self::deployed_as(params, feed)
    }

    fn deployed_as(params: MarketParams, feed: FeedConfig) -> Self {
        let mut chain = Embedded::new();
        chain.keep_events();
        let feeders: Vec<_> = (1..4).map(|index| chain.account(index)).collect();
        let plan = Plan {
            governor: chain.account(0),
            feeders: feeders.clone(),
            feed,
            params,
        };
        let d = block_on(Deployment::deploy(&mut chain, &plan)).expect("deploys");
        Self {
            chain,
            d,
            feeders,
            batches: Vec::new(),
            checked: true,
            replayed: false,
            observed_at: 0,
            donations: Vec::new(),
        }
    }

    /// Lets the governor of the moment create one more market of two tokens.
    pub fn approve_probe(&mut self, governor: AccountId, tokens: &[AccountId]) {
        for token in tokens {
            self.fund(governor, *token, PROBE, self.d.vault);
        }
    }

    /// Makes a test token misbehave, or behave.
    pub fn misbehave(&mut self, token: AccountId, fault: Fault, message: Vec<u8>) {
        let governor = self.governor();
        let message = misbehave(fault, message);
        block_on(self.chain.call(&governor, token, message)).expect("is told to");
    }

    /// Lets so many milliseconds pass within one block.
    pub fn wait(&mut self, milliseconds: u64) {
        self.chain.set_block_time(milliseconds);
        self.advance(1);
        self.chain.set_block_time(6_000);
    }

    /// The world as it is now, to come back to with [`Self::restore`].
    pub fn save(&self) -> Saved {
        Saved {
            chain: self.chain.snapshot(),
            batches: self.batches.clone(),
            observed_at: self.observed_at,
            donations: self.donations.clone(),
        }
    }

    /// Returns to a saved moment.
    pub fn restore(&mut self, saved: &Saved) {
        if self.checked {
            self.assert_replay();
        }
        self.chain.restore(&saved.chain);
        self.batches.clone_from(&saved.batches);
        self.observed_at = saved.observed_at;
        self.donations.clone_from(&saved.donations);
    }

    /// Who deployed and governs everything.
    pub fn governor(&self) -> AccountId {
        self.chain.account(0)
    }

    /// Who lent 10 000 000 quote.
    pub fn lender(&self) -> AccountId {
        self.chain.account(4)
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
        self.submit(price);
        self.advance(1);
    }

    /// Has every feeder submit the price; the present block stays open.
    pub fn submit(&mut self, price: Price) {
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
    }

    /// Makes the price accepted in both of the last two rounds.
    pub fn set_price_twice(&mut self, price: Price) {
        self.set_price(price);
        self.set_price(price);
    }

    /// Lets blocks pass.
    pub fn advance(&mut self, blocks: u32) {
        if self.replayed {
            self.assert_replay();
        }
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
        if !self.checked {
            return block_on(self.chain.call(&who, contract, message));
        }
        let before = self.storage();
        let result = block_on(self.chain.call(&who, contract, message));
        if result.is_err() {
            assert!(before == self.storage(), "an Err changed storage");
        }
        self.assert_books();
        result
    }

    /// The error a message is refused with; `None` where it is not.
    pub fn refusal<T: Decode, E: Decode + Debug>(
        &mut self,
        who: AccountId,
        contract: AccountId,
        message: impl Into<Message<Result<T, E>>>,
    ) -> Option<E> {
        self.send(who, contract, message)
            .err()
            .and_then(CallError::reverted)
    }

    /// Sends a message that must be refused with exactly this error.
    #[track_caller]
    pub fn refused<T: Decode, E: Decode + Debug + PartialEq>(
        &mut self,
        who: AccountId,
        contract: AccountId,
        message: impl Into<Message<Result<T, E>>>,
        expected: E,
    ) {
        assert_eq!(self.refusal(who, contract, message), Some(expected));
    }

    /// The rule that refuses a batch now.
    #[track_caller]
    pub fn open_refused(&mut self, who: AccountId) -> LedgerError {
        match self.open_batch(who) {
            Err(CallError::Reverted(AuctionContractError::Vault(VaultError::Ledger(error)))) => {
                error
            }
            other => panic!("not refused by the ledger: {other:?}"),
        }
    }

    /// Sends tokens to a contract without telling it; the books count them from then on.
    pub fn donate(&mut self, who: AccountId, token: AccountId, to: AccountId, amount: u128) {
        self.fund(who, token, Amount::new(amount), to);
        let message = Deployment::token(token)
            .call_mut()
            .transfer(to, amount, Vec::new());
        block_on(self.chain.call(&who, token, message)).expect("transfers");
        self.donations.push((token, to, amount));
        self.assert_books();
    }

    /// Everything all contracts store.
    pub fn storage(&self) -> Vec<Cells> {
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

    /// Promise 9: each contract holds exactly what it owes, and what was donated to it.
    #[track_caller]
    pub fn assert_books(&self) {
        let (books, d) = (self.books(), &self.d);
        assert!(books.standing.balances(), "standing: {:?}", books.standing);
        let places = [
            (d.quote, d.vault),
            (d.collateral, d.vault),
            (d.quote, d.auction),
            (d.collateral, d.auction),
        ];
        for ((name, entry), place) in books.entries().into_iter().zip(places) {
            let given = self
                .donations
                .iter()
                .filter(|(token, to, _)| (*token, *to) == place);
            let given: u128 = given.map(|(_, _, amount)| amount).sum();
            let (held, owed) = (entry.held.get(), entry.owed.get());
            assert!(
                held == owed + given,
                "{name}: holds {held}, owes {owed} and {given} donated"
            );
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

    /// Asks a read-only message.
    pub fn ask<T: Decode>(&self, contract: AccountId, message: impl Into<Message<T>>) -> T {
        block_on(self.chain.query(contract, contract, message)).expect("answers")
    }

    /// An auction as stored.
    pub fn record(&self, batch: BatchKey) -> AuctionRecord {
        self.ask(self.d.auction, self.d.auction().call().auction(batch))
            .expect("exists")
    }

    /// The result of a judged auction.
    #[track_caller]
    pub fn clearing(&self, batch: BatchKey) -> Clearing {
        match self.record(batch).auction.phase {
            Phase::Running => panic!("{batch:?} has not been judged"),
            Phase::Cleared(clearing) | Phase::Settled(clearing) => clearing,
        }
    }

    /// A batch as the vault stores it.
    pub fn batch(&self, batch: BatchKey) -> Batch {
        self.ask(
            self.d.vault,
            self.d.vault().call().batch(batch.market, batch.number),
        )
        .expect("exists")
    }

    /// A position at the latest price.
    #[track_caller]
    pub fn view(&self, owner: AccountId) -> PositionView {
        self.ask(self.d.vault, self.d.vault().call().position(0, owner))
            .expect("is up to date")
    }

    /// A position at a price.
    #[track_caller]
    pub fn view_at(&self, owner: AccountId, price: Price) -> PositionView {
        self.ask(
            self.d.vault,
            self.d.vault().call().position_at(0, owner, price),
        )
        .expect("is up to date")
    }

    /// Totals of the market.
    pub fn accounting(&self) -> Accounting {
        self.ask(self.d.vault, self.d.vault().call().accounting(0))
            .expect("adds up")
    }

    /// The oracle's latest accepted round.
    pub fn reading(&self) -> Reading {
        self.ask(self.d.oracle, self.d.oracle().call().read(self.d.feed))
            .expect("has a round")
    }

    /// A lender's shares and their worth.
    pub fn lent(&self, lender: AccountId) -> (Shares, Amount) {
        self.ask(self.d.vault, self.d.vault().call().lender(0, lender))
            .expect("adds up")
    }

    /// A bidder's free balance in the auction.
    pub fn balance(&self, bidder: AccountId) -> u128 {
        self.ask(self.d.auction, self.d.auction().call().balance(0, bidder))
            .get()
    }

    /// A keeper's rewards that have not been paid out.
    pub fn reward(&self, keeper: AccountId) -> u128 {
        self.ask(self.d.vault, self.d.vault().call().reward(0, keeper))
            .get()
    }

    /// Lets blocks pass until the last step of an auction has ended.
    pub fn run_out(&mut self, batch: BatchKey) {
        let schedule = self.record(batch).auction.schedule;
        let after = schedule.begins(schedule.steps);
        self.advance(after.saturating_sub(self.block()));
    }

    /// Lets blocks pass until a step of an auction has begun.
    pub fn run_to(&mut self, batch: BatchKey, step: u8) {
        let begins = self.record(batch).auction.schedule.begins(step);
        self.advance(begins.saturating_sub(self.block()));
    }

    /// Judges an auction.
    #[track_caller]
    pub fn judge(&mut self, who: AccountId, batch: BatchKey) -> Clearing {
        self.auction(who, self.d.auction().call_mut().advance(batch))
            .expect("is judged")
            .value
    }

    /// Settles a batch.
    #[track_caller]
    pub fn settle(&mut self, who: AccountId, batch: BatchKey) -> Settlement {
        self.auction(who, self.d.auction().call_mut().settle(batch))
            .expect("settles")
            .value
    }

    /// Claims bids.
    #[track_caller]
    pub fn claim(&mut self, who: AccountId, batch: BatchKey, bids: &[BidId]) -> Fill {
        let message = self.d.auction().call_mut().claim(batch, bids.to_vec());
        self.auction(who, message).expect("claims").value
    }

    /// Puts some cells of a settled batch back; returns whether all are.
    pub fn rest_some(&mut self, who: AccountId, batch: BatchKey, cells: u16) -> bool {
        let message = self
            .d
            .vault()
            .call_mut()
            .rest(batch.market, batch.number, cells);
        self.vault(who, message).expect("rests").value
    }

    /// Puts all of a settled batch back.
    pub fn rest(&mut self, who: AccountId, batch: BatchKey) {
        while !self.rest_some(who, batch, 8) {}
    }

    /// Repays all that is owed, with quote out of nowhere, and returns how much it was.
    #[track_caller]
    pub fn repay_all(&mut self, owner: AccountId) -> u128 {
        let owed = self.view(owner).debt;
        if owed.is_zero() {
            return 0;
        }
        self.fund(owner, self.d.quote, owed, self.d.vault);
        let message = self.d.vault().call_mut().repay(0, owner, owed);
        self.vault(owner, message).expect("repays").value.get()
    }

    /// Takes all collateral out and returns how much it was.
    #[track_caller]
    pub fn withdraw_all(&mut self, owner: AccountId) -> u128 {
        let out = self.view(owner).collateral;
        if !out.is_zero() {
            let message = self.d.vault().call_mut().withdraw(0, out);
            self.vault(owner, message).expect("withdraws");
        }
        out.get()
    }

    /// Redeems all of a lender's shares and returns what was paid.
    #[track_caller]
    pub fn redeem_all(&mut self, lender: AccountId) -> u128 {
        let (shares, _) = self.lent(lender);
        let message = self.d.vault().call_mut().redeem(0, shares);
        self.vault(lender, message).expect("redeems").value.get()
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
