//! Bots as processes of their own, a market for them to work in, and its end.

use crate::process::Process;
use crate::{collateral, price, quote, World};
use breakwater_chain::{Chain, Signer};
use breakwater_core::auction::Phase;
use breakwater_core::math::Rounding;
use breakwater_core::oracle::FeedConfig;
use breakwater_core::units::{Amount, Ratio};
use breakwater_interfaces::auction::{BatchKey, LiquidationAuction};
use breakwater_interfaces::vault::{Accounting, MarginVault, VaultError};
use breakwater_node::KeySigner;
use breakwater_sim::books::{held, Books};
use breakwater_sim::deployment::mint;
use ink::codegen::TraitCallBuilder;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Opens, settles and puts back, whatever it earns; rewards stay where they are, so that an account's
/// money shows what its bids have spent.
pub const KEEPER: &str = "[keeper]\nat_any_price = true\nclaim_from = 1000000\n";

/// Quote that each bidder of a [`Market`] has.
pub const FUNDS: u128 = 100_000;

/// Blocks until everything has to be done: the ladder has 64 steps.
pub const PATIENCE: u32 = 90;

/// A bidder that spends so much quote in one batch at most.
pub fn bidder(per_batch: u32) -> String {
    format!(
        "[bidder]\nmax_per_batch = {per_batch}\nmax_per_day = 1000000\nmax_inventory = 10000\n\
         max_deviation = \"0.05\"\ndeposit = {per_batch}\n\
         strategy = {{ kind = \"fixed_discount\", discount = \"0.001\" }}\n"
    )
}

/// A bot's configuration, and what is needed to run it.
pub struct Bot {
    program: PathBuf,
    config: PathBuf,
    secret: String,
    listen: String,
    log: PathBuf,
}

/// What a bot is told.
pub struct Orders<'a> {
    /// `breakwaterctl`.
    pub program: &'a str,
    /// Where the market's record is, and the bot's files go.
    pub directory: &'a Path,
    /// Names its files.
    pub name: &'a str,
    /// Who signs.
    pub secret: String,
    /// The node.
    pub url: &'a str,
    /// Sections of the configuration.
    pub roles: &'a str,
}

impl Bot {
    /// Writes a bot's configuration.
    pub fn new(orders: Orders<'_>) -> Self {
        // A port that was free a moment ago.
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let listen = free.local_addr().expect("an address").to_string();
        let at = |ending: &str| orders.directory.join(format!("{}.{ending}", orders.name));
        let text = format!(
            "[chain]\nurl = {:?}\ndeployment = {:?}\nnative_price = 0\n[account]\n\
             secret_env = \"BOT_SECRET\"\n[state]\npath = {:?}\n[telemetry]\nlisten = {listen:?}\n\
             {}",
            orders.url,
            orders.directory.join("record.json"),
            at("sqlite"),
            orders.roles,
        );
        std::fs::write(at("toml"), text).expect("writes");
        Self {
            program: orders.program.into(),
            config: at("toml"),
            secret: orders.secret,
            listen,
            log: at("log"),
        }
    }

    /// The command that runs it. Its log goes on where an earlier one ended.
    pub fn command(&self, more: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("bot").arg("--config").arg(&self.config);
        command.args(more).env("BOT_SECRET", &self.secret);
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(&self.log);
        command.stderr(log.expect("a log"));
        command
    }

    /// Starts it.
    pub fn start(self) -> Running {
        let child = self.command(&[]).stdout(Stdio::null()).spawn();
        Running {
            child: child.expect("runs"),
            bot: self,
        }
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

/// A bot that runs until this is dropped.
pub struct Running {
    child: Child,
    bot: Bot,
}

impl Running {
    /// The last block it looked at, as its metrics tell; `None` until they do.
    pub fn block(&self) -> Option<u32> {
        self.metric("breakwater_bot_block ")
    }

    /// The last block it worked on to its end.
    pub fn done(&self) -> Option<u32> {
        self.metric("breakwater_bot_block_done ")
    }

    fn metric(&self, name: &str) -> Option<u32> {
        let mut stream = TcpStream::connect(&self.bot.listen).ok()?;
        write!(stream, "GET /metrics HTTP/1.0\r\n\r\n").ok()?;
        let mut text = String::new();
        stream.read_to_string(&mut text).ok()?;
        let mut lines = text.lines();
        lines.find_map(|line| line.strip_prefix(name)?.parse().ok())
    }

    /// Waits until it has seen a block.
    pub async fn has_seen(&mut self, block: u32) {
        for _ in 0..6_000 {
            if self.block() >= Some(block) {
                return;
            }
            let ended = self.child.try_wait().expect("can be asked");
            assert!(ended.is_none(), "{ended:?}: {}", self.bot.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("never saw block {block}: {}", self.bot.log());
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        self.bot.log()
    }

    /// Ends it as an operator does, and returns its log.
    pub async fn stop(mut self) -> String {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status();
        assert!(sent.expect("kill runs").success());
        // Not by waiting for it in one go: its connection may go through this very thread.
        for _ in 0..6_000 {
            if let Some(ended) = self.child.try_wait().expect("can be asked") {
                let log = self.bot.log();
                assert!(ended.success(), "{ended:?}: {log}");
                return log;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("does not end: {}", self.bot.log());
    }

    /// Kills it, and starts it again.
    pub fn kill_and_start(&mut self) {
        self.child.kill().expect("is killed");
        self.child.wait().expect("is gone");
        let child = self.bot.command(&[]).stdout(Stdio::null()).spawn();
        self.child = child.expect("runs");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A market with a lender, and what bots need in it.
pub struct Market {
    /// The market.
    pub w: World,
    /// The record and the bots' files.
    pub directory: TempDir,
    /// Bidders that may spend [`FUNDS`].
    pub bidders: Vec<KeySigner>,
    owners: u32,
}

impl Market {
    /// A market of a name on a node, with money for bidders of these names. The account `keeper` is
    /// there, too.
    pub async fn new(url: &str, name: &str, bidders: &[&str]) -> Self {
        // Prices go up and down at once, many times: without guards, and with no average to speak of.
        let mut config = World::config(name);
        config.feed = FeedConfig::without_bands(2, 600_000, 1, 1);
        // A price that falls and rises within seconds is beyond every volatility: bots are tested here,
        // and a market that lends again after each crash.
        config.params.margin.most = Ratio::ZERO;
        let mut w = World::deployed_on(url, config).await;
        let d = w.d;
        let directory = TempDir::new().expect("a directory");
        let record = directory.path().join("record.json");
        w.record.write(&record).expect("writes");
        let lender = w.account("lender").await;
        w.set_price(price(200)).await;
        w.fund(&lender, d.quote, quote(1_000_000), d.vault).await;
        let message = d.vault().call_mut().supply(d.market, quote(1_000_000));
        w.send(&lender, d.vault, message).await;
        w.account("keeper").await;
        let mut signers = Vec::new();
        for name in bidders {
            let bidder = w.account(name).await;
            let message = mint(bidder.account_id(), quote(FUNDS).get());
            w.send(&bidder, d.quote, message).await;
            signers.push(bidder);
        }
        Self {
            w,
            directory,
            bidders: signers,
            owners: 0,
        }
    }

    /// What a bot of an account of this market is told.
    pub fn orders<'a>(
        &'a self,
        program: &'a str,
        name: &'a str,
        url: &'a str,
        roles: &'a str,
    ) -> Orders<'a> {
        Orders {
            program,
            directory: self.directory.path(),
            name,
            secret: self.w.suri(name),
            url,
            roles,
        }
    }

    /// A new owner: 1 490 owed on 10 collateral at 200.
    pub async fn indebted(&mut self) {
        let (d, name) = (self.w.d, format!("owner{}", self.owners));
        self.owners += 1;
        let owner = self.w.account(&name).await;
        self.w
            .fund(&owner, d.collateral, collateral(10), d.vault)
            .await;
        let message =
            d.vault()
                .call_mut()
                .deposit_and_borrow(d.market, collateral(10), quote(1_490));
        self.w.send(&owner, d.vault, message).await;
    }

    /// A crash that puts the new owner under water: 1 490 is 86.6 % of 10 collateral at 172, and the
    /// threshold is 80 %. Two feeders make a round: the block of the last submission is that of the
    /// breach, which is returned.
    pub async fn crash(&mut self) -> u32 {
        for _ in 0..2 {
            self.w.round(price(172), &["//Alice", "//Bob"]).await;
        }
        self.w.node.block().await.expect("a block")
    }

    /// The way back up.
    pub async fn recover(&mut self) {
        for _ in 0..2 {
            self.w.round(price(200), &["//Alice", "//Bob"]).await;
        }
    }

    /// Number of batches opened.
    pub async fn opened(&self) -> u32 {
        let d = self.w.d;
        let message = d.vault().call().accounting(d.market);
        let accounting: Result<Accounting, VaultError> = self.w.ask(d.vault, message).await;
        accounting.expect("adds up").state.batches
    }

    /// The batches, if there are so many and all of them are settled and paid out.
    pub async fn finished(&self, at_least: u32) -> Option<Vec<BatchKey>> {
        let (market, opened) = (self.w.d.market, self.opened().await);
        if opened < at_least {
            return None;
        }
        let mut batches = Vec::new();
        for number in 0..opened {
            let batch = BatchKey { market, number };
            let record = self.w.auction(batch).await;
            // Each claim is rounded down: under a unit a bid stays behind.
            let dust = record.collateral.get() <= u128::from(record.bids);
            let paid = record.auction.reserved.is_zero() && dust;
            if !matches!(record.auction.phase, Phase::Settled(_)) || !paid {
                return None;
            }
            batches.push(batch);
        }
        Some(batches)
    }

    /// What an account has in the auction and of the quote token.
    pub async fn money(&self, who: &KeySigner) -> u128 {
        let d = self.w.d;
        let message = d.auction().call().balance(d.market, who.account_id());
        let free: Amount = self.w.ask(d.auction, message).await;
        let outside = held(&self.w.node, d.quote, who.account_id()).await;
        free.get() + outside.expect("answers").get()
    }

    /// Everything adds up: each batch has sold at one price, bidders have paid together what the
    /// batches have raised and hold collateral, and the contracts hold what they owe.
    ///
    /// # Panics
    /// It does not.
    pub async fn assert_fair(&self, batches: &[BatchKey]) {
        let d = self.w.d;
        let mut raised = 0;
        for batch in batches {
            let Phase::Settled(clearing) = self.w.auction(*batch).await.auction.phase else {
                panic!("not settled");
            };
            assert!(!clearing.sold.is_zero());
            raised += clearing.raised.get();
            let scale = World::config("bots").params.scale().expect("in range");
            let worth = scale.value(clearing.sold, clearing.price, Rounding::Down);
            let worth = worth.expect("in range").get();
            assert!(
                clearing.raised.get().abs_diff(worth) <= 2,
                "one price for all"
            );
        }
        let mut spent = 0;
        for bidder in &self.bidders {
            // What was not spent is back, and what was bought is there.
            let paid = quote(FUNDS).get() - self.money(bidder).await;
            let got = held(&self.w.node, d.collateral, bidder.account_id()).await;
            assert_eq!(paid > 0, !got.expect("answers").is_zero());
            spent += paid;
        }
        assert_eq!(spent, raised);
        let books = Books::read(&self.w.node, &d, batches).await.expect("books");
        assert_eq!(books.fault(), None);
    }

    /// Makes a block and waits until all bots have seen it. The development node makes one for each
    /// transaction, and none in silence.
    pub async fn block(&mut self, bots: &mut [Running]) {
        self.w.node.advance(1).await.expect("a block");
        let block = self.w.node.block().await.expect("a block");
        for bot in bots {
            bot.has_seen(block).await;
        }
    }

    /// Ends all bots and returns their logs.
    pub async fn stop(&self, bots: Vec<Running>) -> Vec<String> {
        let mut logs = Vec::new();
        for bot in bots {
            logs.push(bot.stop().await);
        }
        logs
    }

    /// Makes blocks, each when all bots have seen the one before, until so many batches are finished.
    ///
    /// # Panics
    /// They are not after [`PATIENCE`] blocks.
    pub async fn play(&mut self, bots: &mut [Running], batches: u32) -> Vec<BatchKey> {
        for _ in 0..PATIENCE {
            self.block(bots).await;
            if let Some(batches) = self.finished(batches).await {
                return batches;
            }
        }
        let logs: Vec<_> = bots.iter().map(Running::log).collect();
        panic!("not finished: {}", logs.join("\n"));
    }
}

/// A node whose chain is kept on disk, so that it can be killed and started again at the same address.
pub struct Durable {
    directory: TempDir,
    process: Option<Process>,
    port: u16,
}

impl Durable {
    /// Starts it on a port that was free a moment ago.
    pub fn start() -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let mut this = Self {
            directory: TempDir::new().expect("a directory"),
            process: None,
            port,
        };
        this.start_again();
        this
    }

    /// Starts it again.
    pub fn start_again(&mut self) {
        let base = self.directory.path().to_str().expect("is text");
        let port = self.port.to_string();
        self.process = Some(Process::start(&["--base-path", base, "--port", &port]));
    }

    /// Where it answers, if it runs.
    pub fn url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.port)
    }

    /// Kills it.
    pub fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill();
        }
    }
}
