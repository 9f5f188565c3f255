//! A crash on a node that nobody has a hand in: `breakwaterctl bot` as keeper and as two bidders,
//! each a process with an account of its own (F27, F58).

use breakwater_chain::Signer;
use breakwater_node_tests::bots::{bidder, Bot, Market, KEEPER};
use breakwater_node_tests::url;
use breakwater_sim::books::held;

const PROGRAM: &str = env!("CARGO_BIN_EXE_breakwaterctl");

#[tokio::test]
async fn bots_open_fill_settle_and_claim_a_crash_on_a_node_without_a_hand() {
    let mut m = Market::new(url(), "bots", &["one", "two"]).await;
    m.indebted().await;
    // Each may bid more than half of the batch: both get a part, at one price.
    let roles = bidder(1_000);
    let bot = |name, roles| Bot::new(m.orders(PROGRAM, name, url(), roles));
    let keeper = bot("keeper", KEEPER);
    let (one, two) = (bot("one", &roles), bot("two", &roles));

    m.crash().await;
    // In the block of the round itself nothing can be opened.
    m.block(&mut []).await;
    let planned = keeper.command(&["--dry-run", "--once", "--json"]).output();
    let planned = String::from_utf8(planned.expect("runs").stdout).expect("is text");
    let planned: serde_json::Value =
        serde_json::from_str(&planned).unwrap_or_else(|_| panic!("{}", keeper.log()));
    assert_eq!(
        (&planned["done"], &planned["failed"]),
        (&1.into(), &0.into()),
        "{}",
        keeper.log()
    );
    assert_eq!(m.opened().await, 0, "a dry run sends nothing");

    // The bidders are there first: their money has to be in the auction.
    let mut bots = vec![one.start(), two.start()];
    for _ in 0..3 {
        m.block(&mut bots).await;
    }
    bots.push(keeper.start());
    let batches = m.play(&mut bots, 1).await;
    let logs = m.stop(bots).await;
    m.assert_fair(&batches).await;
    for bidder in &m.bidders {
        let got = held(&m.w.node, m.w.d.collateral, bidder.account_id()).await;
        assert!(!got.expect("answers").is_zero(), "{logs:?}");
    }
    assert!(logs.iter().all(|log| !log.contains("ERROR")), "{logs:?}");
}
