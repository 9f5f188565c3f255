//! A market before a crash, bots of any roles on it, and a chain that stops answering.

#![allow(dead_code)] // each test file uses a part

use breakwater_bot::{Bot, Config, Report};
use breakwater_chain::{
    AccountId, Balance, CallError, CallOptions, Chain, Constructor, Embedded, Message, QueryError,
    Receipt,
};
use breakwater_core::margin::MarginRule;
use breakwater_core::market::{example_params, MarketParams};
use breakwater_embedded_tests::{price as at, Scene, World};
use breakwater_interfaces::auction::{BatchKey, LiquidationAuction};
use futures::FutureExt;
use ink::codegen::TraitCallBuilder;
use scale::Decode;
use std::cell::Cell;
use tempfile::TempDir;

pub const KEEPER: &str = "[keeper]\nat_any_price = true\n";

pub fn bidder(discount: &str) -> String {
    format!(
        "[bidder]\nmax_per_batch = 15000\nmax_per_day = 100000\nmax_inventory = 1000\n\
         max_deviation = \"0.05\"\n\
         strategy = {{ kind = \"fixed_discount\", discount = \"{discount}\" }}\n"
    )
}

pub fn price(text: &str) -> String {
    format!("[price]\nkind = \"command\"\ncommand = [\"printf\", \"{text}\"]\n")
}

/// A market whose margin follows the volatility, after a day's worth of it within a minute.
pub fn shaken() -> Scene {
    let mut scene = Scene::with_params(MarketParams {
        margin: MarginRule::STANDARD,
        ..example_params()
    });
    scene.w.checked = false;
    scene.w.set_price_twice(at(180));
    scene.w.set_price_twice(at(200));
    scene
}

/// A bot and the directory of its memory, which outlives it.
pub struct Running {
    pub bot: Option<Bot<AccountId>>,
    pub account: AccountId,
    pub max_block_age: Option<u64>,
    /// Whole quote tokens that a native token costs.
    native_price: u32,
    roles: String,
    directory: TempDir,
}

impl Running {
    pub fn new(w: &World, account: AccountId, roles: &str) -> Self {
        let mut running = Self {
            bot: None,
            account,
            max_block_age: None,
            native_price: 0,
            roles: roles.to_owned(),
            directory: tempfile::tempdir().unwrap(),
        };
        running.start(w, false);
        running
    }

    /// As [`Self::new`], with fees that count.
    pub fn priced(w: &World, account: AccountId, roles: &str, native_price: u32) -> Self {
        let mut running = Self::new(w, account, roles);
        running.native_price = native_price;
        running.start(w, false);
        running
    }

    pub fn dry(w: &World, account: AccountId, roles: &str) -> Self {
        let mut running = Self::new(w, account, roles);
        running.start(w, true);
        running
    }

    pub fn start(&mut self, w: &World, dry_run: bool) {
        let path = self.directory.path().join("bot.sqlite");
        let config = format!(
            "[chain]\nurl = \"none\"\ndeployment = \"none\"\nnative_price = {}\n\
             [account]\nsecret_env = \"NONE\"\n[state]\npath = {:?}\n{}",
            self.native_price,
            path.display().to_string(),
            self.roles
        );
        let mut config = Config::parse(&config).unwrap();
        config.chain.max_block_age_seconds = self.max_block_age;
        self.bot = None;
        self.bot = Some(Bot::new(config, w.d, self.account, dry_run).unwrap());
    }

    pub fn on_block(&mut self, w: &mut World) -> Report {
        let bot = self.bot.as_mut().unwrap();
        let step = bot.on_block(&mut w.chain).now_or_never();
        step.expect("the embedded chain never waits").unwrap()
    }

    /// As [`Self::on_block`] where every call takes so many blocks.
    pub fn on_busy_block(&mut self, w: &mut World, blocks: u32) -> Report {
        let stranger = self.account;
        let mut chain = Troubled::new(w, Trouble::Blocks(blocks), stranger);
        let step = self.bot.as_mut().unwrap().on_block(&mut chain);
        step.now_or_never().expect("never waits").unwrap()
    }

    /// What its metrics say under a name.
    pub fn metric(&self, name: &str) -> String {
        let text = self.bot.as_ref().unwrap().metrics().text().unwrap();
        let start = format!("{name} ");
        let mut lines = text.lines();
        let found = lines.find_map(|line| line.strip_prefix(&start));
        found.unwrap_or_else(|| panic!("{name}: {text}")).to_owned()
    }

    /// Bids it believes to have: those that were lost or refused left out.
    pub fn bids(&self) -> usize {
        let bids = self.bot.as_ref().unwrap().store().bids().unwrap();
        bids.iter().filter(|(.., state)| state == "done").count()
    }
}

/// Number of batches opened.
pub fn opened(w: &World) -> u32 {
    w.accounting().state.batches
}

pub fn key(number: u32) -> BatchKey {
    BatchKey { market: 0, number }
}

/// All bots work on a block, then the next begins; new batches enter the books.
pub fn step(w: &mut World, bots: &mut [Running]) -> Vec<Report> {
    let reports = bots.iter_mut().map(|bot| bot.on_block(w)).collect();
    w.batches = (0..opened(w)).map(key).collect();
    w.advance(1);
    reports
}

/// A crash to a price of so many whole quote, in both of the last rounds.
pub fn crashed(whole: u128) -> Scene {
    let mut scene = Scene::crashed(whole);
    scene.w.checked = false;
    scene
}

/// What happens to the chain under a bot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The bot ends before its n-th operation.
    Operation(u32),
    /// The bot ends before its n-th call is sent.
    BeforeCall(u32),
    /// The bot ends after its n-th call was executed, before it knows.
    AfterCall(u32),
    /// So many blocks come while the bot reads: asked after its first query, the chain is further.
    SlowReading(u32),
    /// Every call takes so many blocks.
    Blocks(u32),
    /// A stranger settles the batch before the first call.
    Outcompeted(BatchKey),
    /// Nothing.
    None,
}

/// The embedded chain with trouble. A bot that ends is a future that never goes on.
pub struct Troubled<'a> {
    pub w: &'a mut World,
    pub trouble: Trouble,
    pub operations: Cell<u32>,
    pub calls: u32,
    pub stranger: AccountId,
}

impl<'a> Troubled<'a> {
    pub fn new(w: &'a mut World, trouble: Trouble, stranger: AccountId) -> Self {
        Self {
            w,
            trouble,
            operations: Cell::new(0),
            calls: 0,
            stranger,
        }
    }

    async fn operation(&self) {
        self.operations.set(self.operations.get() + 1);
        if self.trouble == Trouble::Operation(self.operations.get()) {
            futures::future::pending::<()>().await;
        }
    }
}

impl Chain for Troubled<'_> {
    type Signer = AccountId;

    async fn instantiate_with<E: Decode>(
        &mut self,
        signer: &AccountId,
        code: &[u8],
        constructor: impl Into<Constructor<E>>,
        salt: &[u8],
        options: CallOptions,
    ) -> Result<Receipt<AccountId>, CallError<E>> {
        let chain: &mut Embedded = &mut self.w.chain;
        chain
            .instantiate_with(signer, code, constructor, salt, options)
            .await
    }

    async fn call_with<T: Decode, E: Decode>(
        &mut self,
        signer: &AccountId,
        contract: AccountId,
        message: impl Into<Message<Result<T, E>>>,
        options: CallOptions,
    ) -> Result<Receipt<T>, CallError<E>> {
        self.operation().await;
        self.calls += 1;
        if self.trouble == Trouble::BeforeCall(self.calls) {
            futures::future::pending::<()>().await;
        }
        if let Trouble::Outcompeted(batch) = self.trouble {
            self.trouble = Trouble::None;
            let settle = self.w.d.auction().call_mut().settle(batch);
            self.w.auction(self.stranger, settle).unwrap();
        }
        let result = self
            .w
            .chain
            .call_with(signer, contract, message, options)
            .await;
        if let Trouble::Blocks(blocks) = self.trouble {
            self.w.advance(blocks);
        }
        if self.trouble == Trouble::AfterCall(self.calls) {
            futures::future::pending::<()>().await;
        }
        result
    }

    async fn dry_run_with<T: Decode, E: Decode>(
        &self,
        signer: &AccountId,
        contract: AccountId,
        message: impl Into<Message<Result<T, E>>>,
        options: CallOptions,
    ) -> Result<Receipt<T>, CallError<E>> {
        self.operation().await;
        let chain = &self.w.chain;
        chain.dry_run_with(signer, contract, message, options).await
    }

    async fn query<T: Decode>(
        &self,
        caller: AccountId,
        contract: AccountId,
        message: impl Into<Message<T>>,
    ) -> Result<T, QueryError> {
        self.operation().await;
        self.w.chain.query(caller, contract, message).await
    }

    async fn block(&self) -> Result<u32, QueryError> {
        let block = self.w.chain.block().await?;
        Ok(match self.trouble {
            Trouble::SlowReading(blocks) if self.operations.get() > 0 => block + blocks,
            _ => block,
        })
    }

    async fn now(&self) -> Result<u64, QueryError> {
        self.w.chain.now().await
    }

    async fn advance(&mut self, blocks: u32) -> Result<(), QueryError> {
        self.w.chain.advance(blocks).await
    }

    async fn free_balance(&self, account: AccountId) -> Result<Balance, QueryError> {
        self.w.chain.free_balance(account).await
    }
}
