//! How soon after a breach a keeper opens a batch on a node (F58).

use breakwater_chain::Chain;
use breakwater_interfaces::auction::{BatchKey, LiquidationAuction};
use breakwater_node_tests::bots::{Bot, Market, KEEPER};
use breakwater_node_tests::url;
use ink::codegen::TraitCallBuilder;
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_breakwaterctl");

/// How many crashes there are, unless `BREAKWATER_CRASHES` says otherwise.
const CRASHES: u32 = 3;

/// A development node makes no block in silence. So one is made here as soon as the bot is done with the
/// last one: what counts is which block it takes to open, not how fast this machine is.
#[tokio::test]
async fn a_batch_is_opened_within_two_blocks_of_the_breach_on_a_node() {
    let crashes = std::env::var("BREAKWATER_CRASHES").ok();
    let crashes = crashes.map_or(CRASHES, |text| text.parse().expect("a number"));
    let mut m = Market::new(url(), "latency", &["one"]).await;
    let (d, bidder) = (m.w.d, m.bidders[0].clone());
    m.w.fund(
        &bidder,
        d.quote,
        breakwater_node_tests::quote(1_000_000),
        d.auction,
    )
    .await;
    let mut bots = vec![Bot::new(m.orders(PROGRAM, "keeper", url(), KEEPER)).start()];
    let (mut blocks, mut times) = (Vec::new(), Vec::new());
    for number in 0..crashes {
        m.indebted().await;
        m.block(&mut bots).await;
        let breach = m.crash().await;
        let since = Instant::now();
        while m.opened().await == number {
            let block = m.w.node.block().await.expect("a block");
            assert!(block < breach + 20, "not opened: {}", bots[0].log());
            if bots[0].done() >= Some(block) {
                m.w.node.advance(1).await.expect("a block");
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        times.push(since.elapsed());
        let batch = BatchKey {
            market: d.market,
            number,
        };
        let message = d.auction().call().auction(batch);
        let record: Option<breakwater_interfaces::auction::AuctionRecord> =
            m.w.ask(d.auction, message).await;
        let auction = record.expect("is open").auction;
        blocks.push(auction.opened - breach);
        // All of it is bought at once, so that the next crash finds an idle market.
        let (limit, budget) = (auction.prices[0], auction.targets[0]);
        let deposit = d.auction().call_mut().deposit(d.market, budget);
        m.w.send(&bidder, d.auction, deposit).await;
        let bid = d.auction().call_mut().bid(batch, budget, limit, u32::MAX);
        m.w.send(&bidder, d.auction, bid).await;
        for round in 0.. {
            assert!(round < 90, "not settled: {}", bots[0].log());
            m.block(&mut bots).await;
            let bids = d.auction().call_mut().claim(batch, vec![0]);
            if m.w.node.call(&bidder, d.auction, bids).await.is_ok() {
                break;
            }
        }
        m.recover().await;
    }
    blocks.sort_unstable();
    times.sort_unstable();
    let p95 = (blocks.len() * 95).div_ceil(100) - 1;
    println!(
        "{} crashes: opened after {} blocks at the 95th percentile, {} at most; {} ms and {} ms",
        blocks.len(),
        blocks[p95],
        blocks[blocks.len() - 1],
        times[p95].as_millis(),
        times[times.len() - 1].as_millis()
    );
    assert!(blocks[p95] <= 2, "{blocks:?}");
}
