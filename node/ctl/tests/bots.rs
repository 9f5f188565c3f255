//! A crash on a node that nobody has a hand in: `breakwaterctl bot` as keeper and as two bidders,
//! each a process with an account of its own (F27, F58).

use breakwater_chain::{Chain, Signer};
use breakwater_core::auction::Phase;
use breakwater_core::math::Rounding;
use breakwater_core::units::Amount;
use breakwater_interfaces::auction::{BatchKey, LiquidationAuction};
use breakwater_interfaces::vault::{Accounting, MarginVault, VaultError};
use breakwater_node::KeySigner;
use breakwater_node_tests::{collateral, price, quote, url, World};
use breakwater_sim::books::{held, Books};
use breakwater_sim::deployment::mint;
use ink::codegen::TraitCallBuilder;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const KEEPER: &str = "[keeper]\nat_any_price = true\n";

/// Each may bid more than half of the batch: both get a part, at one price.
const BIDDER: &str = "[bidder]\nmax_per_batch = 1000\nmax_per_day = 2000\nmax_inventory = 100\n\
    max_deviation = \"0.05\"\ndeposit = 2000\n\
    strategy = { kind = \"fixed_discount\", discount = \"0.001\" }\n";

/// Blocks until everything has to be done: the ladder has 64 steps.
const PATIENCE: u32 = 90;

/// A bot's configuration, and what is needed to run it.
struct Bot {
    config: PathBuf,
    secret: String,
    listen: String,
    log: PathBuf,
}

impl Bot {
    fn new(directory: &Path, name: &str, secret: String, roles: &str) -> Self {
        // A port that was free a moment ago.
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let listen = free.local_addr().expect("an address").to_string();
        let at = |ending: &str| directory.join(format!("{name}.{ending}"));
        let text = format!(
            "[chain]\nurl = {:?}\ndeployment = {:?}\nnative_price = 0\n[account]\n\
             secret_env = \"BOT_SECRET\"\n[state]\npath = {:?}\n[telemetry]\nlisten = {listen:?}\n\
             {roles}",
            url(),
            directory.join("record.json"),
            at("sqlite"),
        );
        std::fs::write(at("toml"), text).expect("writes");
        Self {
            config: at("toml"),
            secret,
            listen,
            log: at("log"),
        }
    }

    fn command(&self, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_breakwaterctl"));
        command.arg("bot").arg("--config").arg(&self.config);
        command.args(more).env("BOT_SECRET", &self.secret);
        command.stderr(std::fs::File::create(&self.log).expect("a log"));
        command
    }

    fn start(self) -> Running {
        let child = self.command(&[]).stdout(Stdio::null()).spawn();
        Running {
            child: child.expect("runs"),
            bot: self,
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

/// A bot that runs until this is dropped.
struct Running {
    child: Child,
    bot: Bot,
}

impl Running {
    /// The last block it looked at, as its metrics tell; `None` until they do.
    fn block(&self) -> Option<u32> {
        let mut stream = TcpStream::connect(&self.bot.listen).ok()?;
        write!(stream, "GET /metrics HTTP/1.0\r\n\r\n").ok()?;
        let mut text = String::new();
        stream.read_to_string(&mut text).ok()?;
        let mut lines = text.lines();
        lines.find_map(|line| line.strip_prefix("breakwater_bot_block ")?.parse().ok())
    }

    /// Waits until it has seen a block.
    async fn has_seen(&mut self, block: u32) {
        for _ in 0..3_000 {
            if self.block() >= Some(block) {
                return;
            }
            let ended = self.child.try_wait().expect("can be asked");
            assert!(ended.is_none(), "{ended:?}: {}", self.bot.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("no block {block}: {}", self.bot.log());
    }

    /// Ends it as an operator does.
    fn stop(mut self) -> String {
        let process = self.child.id().to_string();
        let sent = Command::new("kill").arg(process).status();
        assert!(sent.expect("kill runs").success());
        let ended = self.child.wait().expect("ends");
        let log = self.bot.log();
        assert!(ended.success(), "{ended:?}: {log}");
        log
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn opened(w: &World) -> u32 {
    let message = w.d.vault().call().accounting(w.d.market);
    let accounting: Result<Accounting, VaultError> = w.ask(w.d.vault, message).await;
    accounting.expect("adds up").state.batches
}

/// What an account has in the auction and of the quote token.
async fn money(w: &World, who: &KeySigner) -> u128 {
    let message = w.d.auction().call().balance(w.d.market, who.account_id());
    let free: Amount = w.ask(w.d.auction, message).await;
    let outside = held(&w.node, w.d.quote, who.account_id()).await;
    free.get() + outside.expect("answers").get()
}

#[tokio::test]
async fn bots_open_fill_settle_and_claim_a_crash_on_a_node_without_a_hand() {
    let mut w = World::deployed("bots").await;
    let d = w.d;
    let directory = TempDir::new().expect("a directory");
    let record = directory.path().join("record.json");
    w.record.write(&record).expect("writes");
    let (lender, owner) = (w.account("lender").await, w.account("owner").await);
    w.set_price(price(200)).await;
    w.fund(&lender, d.quote, quote(100_000), d.vault).await;
    let message = d.vault().call_mut().supply(d.market, quote(100_000));
    w.send(&lender, d.vault, message).await;
    w.fund(&owner, d.collateral, collateral(10), d.vault).await;
    let message = d
        .vault()
        .call_mut()
        .deposit_and_borrow(d.market, collateral(10), quote(1_490));
    w.send(&owner, d.vault, message).await;
    w.account("keeper").await;
    let bidders = [w.account("one").await, w.account("two").await];
    for bidder in &bidders {
        let message = mint(bidder.account_id(), quote(2_000).get());
        w.send(bidder, d.quote, message).await;
    }
    let bot = |name: &str, roles| Bot::new(directory.path(), name, w.suri(name), roles);
    let (keeper, one, two) = (
        bot("keeper", KEEPER),
        bot("one", BIDDER),
        bot("two", BIDDER),
    );

    // The crash. A deeper one at once would wait in quarantine.
    w.set_price(price(172)).await;
    let planned = keeper.command(&["--dry-run", "--once", "--json"]).output();
    let planned = String::from_utf8(planned.expect("runs").stdout).expect("is text");
    let planned: serde_json::Value =
        serde_json::from_str(&planned).unwrap_or_else(|_| panic!("{}", keeper.log()));
    assert_eq!(
        (&planned["done"], &planned["failed"]),
        (&1.into(), &0.into())
    );
    assert_eq!(opened(&w).await, 0, "a dry run sends nothing");

    // The bidders are there first: their money has to be in the auction.
    let mut bots = vec![one.start(), two.start()];
    let mut keeper = Some(keeper);
    let mut finished = None;
    for round in 0..PATIENCE {
        if round == 3 {
            bots.extend(keeper.take().map(Bot::start));
        }
        // The development node makes a block for each transaction, and none in silence.
        w.node.advance(1).await.expect("a block");
        let block = w.node.block().await.expect("a block");
        for bot in &mut bots {
            bot.has_seen(block).await;
        }
        let market = d.market;
        let batches: Vec<_> = (0..opened(&w).await)
            .map(|number| BatchKey { market, number })
            .collect();
        let mut open = 0;
        for batch in &batches {
            let record = w.auction(*batch).await;
            // Each claim is rounded down: under a unit a bid stays behind.
            let dust = record.collateral.get() <= u128::from(record.bids);
            let paid = record.auction.reserved.is_zero() && dust;
            let settled = matches!(record.auction.phase, Phase::Settled(_));
            open += u32::from(!settled || !paid);
        }
        if !batches.is_empty() && open == 0 {
            finished = Some(batches);
            break;
        }
    }
    let logs: Vec<_> = bots.into_iter().map(Running::stop).collect();
    let batches = finished.unwrap_or_else(|| panic!("not finished: {}", logs.join("\n")));

    let mut raised = 0;
    for batch in &batches {
        let Phase::Settled(clearing) = w.auction(*batch).await.auction.phase else {
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
    for bidder in &bidders {
        // What was not spent is back, and what was bought is there.
        let paid = quote(2_000).get() - money(&w, bidder).await;
        let got = held(&w.node, d.collateral, bidder.account_id()).await;
        assert!(paid > 0 && !got.expect("answers").is_zero(), "{logs:?}");
        spent += paid;
    }
    assert_eq!(spent, raised);
    assert!(logs.iter().all(|log| !log.contains("ERROR")), "{logs:?}");
    let books = Books::read(&w.node, &d, &batches).await.expect("books");
    assert_eq!(books.fault(), None);
}
