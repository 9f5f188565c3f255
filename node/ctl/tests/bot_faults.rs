//! Bots under faults: nodes that die, connections that break, bots that are killed, accounts that are
//! shared or empty. What an operator sees of each is in `docs/bots.md`.

use breakwater_chain::Chain;
use breakwater_interfaces::auction::BatchKey;
use breakwater_node_tests::bots::{bidder, Bot, Durable, Market, Orders, KEEPER};
use breakwater_node_tests::proxy::Proxy;
use breakwater_node_tests::url;
use std::time::Duration;

const PROGRAM: &str = env!("CARGO_BIN_EXE_breakwaterctl");

/// How often a bot is killed, unless `BREAKWATER_KILLS` says otherwise.
const KILLS: u32 = 10;

/// Numbers that look random and are the same in every run.
struct Random(u64);

impl Random {
    /// From one to `most`.
    fn up_to(&mut self, most: u32) -> u32 {
        // Xorshift: nothing depends on its quality.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        1 + u32::try_from(self.0 % u64::from(most)).expect("is small")
    }
}

/// One bot with all roles, so that nobody else finishes what it leaves behind.
async fn alone(name: &str, url: &str) -> (Market, String) {
    let mut m = Market::new(url, name, &["one"]).await;
    m.indebted().await;
    (m, format!("{KEEPER}{}", bidder(5_000)))
}

#[tokio::test]
async fn a_node_killed_and_started_again_in_an_auction_loses_nothing() {
    let mut node = Durable::start();
    let url = node.url();
    let mut m = Market::new(&url, "durable", &["one"]).await;
    m.indebted().await;
    let roles = bidder(5_000);
    let mut bots = vec![
        Bot::new(m.orders(PROGRAM, "keeper", &url, KEEPER)).start(),
        Bot::new(m.orders(PROGRAM, "one", &url, &roles)).start(),
    ];
    m.block(&mut bots).await;
    m.crash().await;
    let batch = BatchKey {
        market: m.w.d.market,
        number: 0,
    };
    // In the auction, with a bid in it.
    for round in 0.. {
        assert!(round < 20, "no bid: {}", bots[1].log());
        m.block(&mut bots).await;
        if m.opened().await == 1 && m.w.auction(batch).await.bids == 1 {
            break;
        }
    }
    let before = m.w.node.block().await.expect("a block");
    node.kill();
    assert!(m.w.node.block().await.is_err(), "it is gone");
    node.start_again();
    // The bots and the test's own connection come back by themselves, to the same chain.
    let mut now = None;
    for _ in 0..300 {
        now = m.w.node.block().await.ok();
        if now.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(now >= Some(before), "{now:?} after {before}");
    let batches = m.play(&mut bots, 1).await;
    let logs = m.stop(bots).await;
    assert!(logs.iter().all(|log| !log.contains("ERROR")), "{logs:?}");
    assert_eq!(m.w.auction(batch).await.bids, 1, "bid once");
    m.assert_fair(&batches).await;
}

#[tokio::test]
async fn a_connection_cut_twenty_times_costs_no_bid_and_no_claim() {
    let (mut m, roles) = alone("cuts", url()).await;
    let proxy = Proxy::before(url()).await;
    let mut bots = vec![Bot::new(m.orders(PROGRAM, "one", &proxy.url(), &roles)).start()];
    m.block(&mut bots).await;
    let mut random = Random(20);
    let (mut cuts, mut crashes) = (0, 0);
    let mut batches = Vec::new();
    while cuts < 20 {
        if crashes > 0 {
            m.recover().await;
            m.indebted().await;
        }
        crashes += 1;
        m.crash().await;
        for round in 0.. {
            assert!(round < 90, "not finished: {}", bots[0].log());
            if proxy.cuts() == cuts && cuts < 20 {
                proxy.cut_after(random.up_to(120));
            }
            m.block(&mut bots).await;
            cuts = proxy.cuts();
            if let Some(finished) = m.finished(crashes).await {
                batches = finished;
                break;
            }
        }
    }
    let log = bots.remove(0).stop().await;
    assert!(!log.contains("ERROR"), "{log}");
    assert_each_bid_once(&m, &batches).await;
    m.assert_fair(&batches).await;
}

#[tokio::test]
async fn a_bot_killed_at_random_requests_bids_once_and_claims_all() {
    let kills = std::env::var("BREAKWATER_KILLS").ok();
    let kills = kills.map_or(KILLS, |text| text.parse().expect("a number"));
    let (mut m, roles) = alone("kills", url()).await;
    let proxy = Proxy::before(url()).await;
    let mut bot = Bot::new(m.orders(PROGRAM, "one", &proxy.url(), &roles)).start();
    let mut random = Random(100);
    let (mut killed, mut crashes) = (0, 0);
    let mut batches = Vec::new();
    while killed < kills {
        if crashes > 0 {
            m.recover().await;
            m.indebted().await;
        }
        crashes += 1;
        m.crash().await;
        for round in 0.. {
            assert!(round < 200, "not finished: {}", bot.log());
            m.w.node.advance(1).await.expect("a block");
            let block = m.w.node.block().await.expect("a block");
            if killed < kills && proxy.cuts() == killed {
                proxy.cut_after(random.up_to(150));
            }
            // It dies at the request where the connection is cut; the node has every second of these.
            while bot.block() < Some(block) && proxy.cuts() == killed {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            if proxy.cuts() > killed {
                bot.kill_and_start();
                killed += 1;
            }
            if let Some(finished) = m.finished(crashes).await {
                batches = finished;
                break;
            }
        }
    }
    println!("{killed} kills in {crashes} crashes: each bid once, all claimed");
    let log = bot.stop().await;
    assert!(!log.contains("ERROR"), "{log}");
    assert_each_bid_once(&m, &batches).await;
    m.assert_fair(&batches).await;
}

/// The strategy has one bid in each batch.
async fn assert_each_bid_once(m: &Market, batches: &[BatchKey]) {
    for batch in batches {
        assert_eq!(m.w.auction(*batch).await.bids, 1, "{batch:?}");
    }
}

#[tokio::test]
async fn two_bots_on_one_account_get_in_each_others_way_and_lose_nothing() {
    let (mut m, roles) = alone("shared", url()).await;
    let secret = m.w.suri("one");
    let mut bots: Vec<_> = ["first", "second"]
        .map(|name| {
            let orders = m.orders(PROGRAM, name, url(), &roles);
            Bot::new(Orders {
                secret: secret.clone(),
                ..orders
            })
            .start()
        })
        .into();
    m.block(&mut bots).await;
    m.crash().await;
    let batches = m.play(&mut bots, 1).await;
    let logs = m.stop(bots).await;
    // Each may spend its own limit, and no more: neither knows of the other before its bid is seen.
    let bids = m.w.auction(batches[0]).await.bids;
    assert!((1..=2).contains(&bids), "{bids}: {logs:?}");
    let told = |log: &String| log.contains("another program signs for the account");
    assert!(logs.iter().any(told), "{logs:?}");
    assert!(logs.iter().all(|log| !log.contains("ERROR")), "{logs:?}");
    m.assert_fair(&batches).await;
}

#[tokio::test]
async fn a_state_file_is_for_one_bot_and_an_empty_account_is_told_of() {
    let (mut m, roles) = alone("wrong", url()).await;
    let bot = || Bot::new(m.orders(PROGRAM, "one", url(), &roles));
    let mut running = bot().start();
    running.has_seen(1).await;
    let second = bot();
    let ended = second.command(&["--once"]).status().expect("runs");
    let log = second.log();
    assert_eq!(ended.code(), Some(2), "{log}");
    let told = "another bot is running with the state file";
    assert_eq!(
        log.lines().filter(|line| line.contains(told)).count(),
        1,
        "{log}"
    );
    running.stop().await;

    let orders = m.orders(PROGRAM, "poor", url(), &roles);
    let poor = Bot::new(Orders {
        secret: format!("{}//poor", m.w.suri("one")),
        ..orders
    });
    m.crash().await;
    // The round has to be a block old.
    m.block(&mut []).await;
    let ended = poor.command(&["--once"]).status().expect("runs");
    let log = poor.log();
    assert!(ended.success(), "{log}");
    assert!(
        log.contains("account lacks money") && log.contains("fund the account"),
        "{log}"
    );
    assert_eq!(m.opened().await, 0);
}
