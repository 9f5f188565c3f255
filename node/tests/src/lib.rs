//! A node for a suite, a market deployed on it, and its accounts.

pub mod bots;
pub mod process;
pub mod proxy;
pub mod terminal;

use std::sync::OnceLock;
use tokio::sync::{Mutex, MutexGuard};

use breakwater_chain::{AccountId, Chain, Message, Receipt, Signer};
use breakwater_core::units::{Amount, Price, PRICE_ONE};
use breakwater_interfaces::auction::{AuctionRecord, BatchKey, LiquidationAuction};
use breakwater_node::{KeySigner, Node, Settings};
use breakwater_operator::config::MarketConfig;
use breakwater_operator::deploy::deploy;
use breakwater_operator::record::Record;
use breakwater_sim::deployment::Deployment;
use ink::codegen::TraitCallBuilder;
use process::Process;
use scale::Decode;
use std::fmt::Debug;

/// The market all tests deploy.
pub const MARKET: &str = include_str!("../../../examples/market.toml");

/// Native tokens of a test's account.
const ENDOWMENT: u128 = 1_000_000_000_000_000;

/// The address of the suite's node, which is started when it is first asked for: a fresh one,
/// unless the environment variable `BREAKWATER_NODE_URL` names one that runs.
///
/// # Panics
/// There is no node; the script has said on standard error how to get one.
pub fn url() -> &'static str {
    static NODE: OnceLock<Process> = OnceLock::new();
    static GIVEN: OnceLock<Option<String>> = OnceLock::new();
    let given = GIVEN.get_or_init(|| std::env::var("BREAKWATER_NODE_URL").ok());
    if let Some(url) = given {
        return url;
    }
    NODE.get_or_init(|| Process::start(&["--tmp"])).url()
}

/// Waits until no other test of this process uses the node. Who governs and feeds is the same account in
/// all of them, and blocks of one test are steps of another one's auction.
pub async fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::const_new(());
    TURN.lock().await
}

/// The signer of a development account or of one derived from it.
pub fn signer(suri: &str) -> KeySigner {
    KeySigner::from_suri(suri).expect("a valid name")
}

/// A price of so many whole quote.
pub fn price(whole: u128) -> Price {
    Price::new(whole * PRICE_ONE)
}

/// So many whole quote tokens.
pub fn quote(whole: u128) -> Amount {
    Amount::new(whole * 1_000_000)
}

/// So many whole collateral tokens.
pub fn collateral(whole: u128) -> Amount {
    Amount::new(whole * 1_000_000_000_000_000_000)
}

/// A market of its own for one test.
pub struct World {
    /// The node.
    pub node: Node,
    /// The market.
    pub d: Deployment,
    /// Its record.
    pub record: Record,
    name: String,
    /// Tests take turns: the accounts that govern and feed are the same in all of them.
    _turn: MutexGuard<'static, ()>,
}

impl World {
    /// Connects to the suite's node and deploys a market of a name.
    pub async fn deployed(name: &str) -> Self {
        Self::deployed_on(url(), Self::config(name)).await
    }

    /// Connects to a node and deploys a market.
    pub async fn deployed_on(url: &str, mut config: MarketConfig) -> Self {
        let turn = turn().await;
        let mut node = Node::connect(url, Settings::development())
            .await
            .expect("connects");
        // A node that is used again keeps what earlier runs deployed.
        config.name = format!("{}-{}", config.name, std::process::id());
        let record = Self::deploy_with(&mut node, &config, None).await;
        Self {
            node,
            d: record.deployment().expect("is whole"),
            record,
            name: config.name,
            _turn: turn,
        }
    }

    /// The example market under a name of its own.
    pub fn config(name: &str) -> MarketConfig {
        let mut config = MarketConfig::read(MARKET).expect("the example is valid");
        config.name = name.to_owned();
        config
    }

    /// Deploys what is missing.
    pub async fn deploy_with(
        node: &mut Node,
        config: &MarketConfig,
        record: Option<Record>,
    ) -> Record {
        let governor = signer("//Alice");
        deploy(
            node,
            &governor,
            config,
            record,
            &mut |_| Ok(()),
            &mut |_| {},
        )
        .await
        .expect("deploys")
        .0
    }

    /// The secret of an account of this test.
    pub fn suri(&self, name: &str) -> String {
        format!("//Alice//{}//{name}", self.name)
    }

    /// An account of this test with native tokens.
    pub async fn account(&self, name: &str) -> KeySigner {
        let signer = signer(&self.suri(name));
        self.node
            .pay(&signer_of_funds(), signer.account_id(), ENDOWMENT)
            .await
            .expect("pays");
        signer
    }

    /// Sends a message that has to succeed.
    pub async fn send<T: Decode, E: Decode + Debug>(
        &mut self,
        who: &KeySigner,
        contract: AccountId,
        message: impl Into<Message<Result<T, E>>>,
    ) -> Receipt<T> {
        self.node
            .call(who, contract, message)
            .await
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// Asks a read-only message.
    pub async fn ask<T: Decode>(&self, contract: AccountId, message: impl Into<Message<T>>) -> T {
        self.node
            .query(contract, contract, message)
            .await
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// Has all feeders submit a price, twice, so that no round before it counts.
    pub async fn set_price(&mut self, price: Price) {
        for _ in 0..2 {
            self.round(price, &["//Alice", "//Bob", "//Charlie"]).await;
        }
    }

    /// Has feeders submit the price, in new blocks.
    pub async fn round(&mut self, price: Price, feeders: &[&str]) {
        self.node.advance(1).await.expect("a block");
        let now = self.node.now().await.expect("a clock");
        let feeders: Vec<_> = feeders.iter().map(|feeder| signer(feeder)).collect();
        self.d
            .submit_price(&mut self.node, &feeders, price, now)
            .await
            .expect("submits");
    }

    /// Mints tokens to an account and lets a contract take them.
    pub async fn fund(
        &mut self,
        who: &KeySigner,
        token: AccountId,
        amount: Amount,
        spender: AccountId,
    ) {
        self.d
            .fund(&mut self.node, who, token, amount, spender)
            .await
            .expect("funds");
    }

    /// An auction as stored.
    pub async fn auction(&self, batch: BatchKey) -> AuctionRecord {
        let message = self.d.auction().call().auction(batch);
        self.ask::<Option<_>>(self.d.auction, message)
            .await
            .expect("exists")
    }

    /// Makes blocks until a step of an auction has begun.
    pub async fn run_to(&mut self, batch: BatchKey, step: u8) {
        let begins = self.auction(batch).await.auction.schedule.begins(step);
        let now = self.node.block().await.expect("a block");
        self.node
            .advance(begins.saturating_sub(now))
            .await
            .expect("advances");
    }
}

/// Endowed by the development chain, and no test's own.
fn signer_of_funds() -> KeySigner {
    signer("//Dave")
}
