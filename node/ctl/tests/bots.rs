//! A crash on a node that nobody has a hand in: `breakwaterctl bot` as keeper and as two bidders,
//! each a process with an account of its own (F27, F58).

use breakwater_chain::{AccountId, Signer};
use breakwater_core::auction::Phase;
use breakwater_core::standing::account::Worth;
use breakwater_core::units::Amount;
use breakwater_interfaces::auction::{AuctionContractError, BatchKey};
use breakwater_interfaces::standing::StandingBids;
use breakwater_node_tests::bots::{bidder, Bot, Market, FUNDS, KEEPER, PATIENCE};
use breakwater_node_tests::{quote, url};
use breakwater_sim::books::{held, Books};
use ink::codegen::TraitCallBuilder;

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

/// Discount of the tier that is kept funded.
const PERCENT: u8 = 3;

/// What an account has in the tier, and the collateral that the tier has bought for it.
async fn tier(m: &Market, who: AccountId) -> (Amount, Amount) {
    let d = m.w.d;
    let message = d.standing().call().stake_of(d.market, PERCENT, who);
    let worth: Result<Worth, AuctionContractError> = m.w.ask(d.auction, message).await;
    let worth = worth.expect("adds up");
    let there = worth.standing.plus(worth.waiting).expect("in range");
    (there, worth.collateral)
}

#[tokio::test]
async fn a_depth_bot_funds_a_tier_once_and_again_after_a_batch_has_spent_it() {
    let mut m = Market::new(url(), "depth", &["one"]).await;
    let (d, who) = (m.w.d, m.bidders[0].account_id());
    m.indebted().await;
    let roles = format!(
        "[depth]\ntiers = [{{ percent = {PERCENT}, amount = 5000 }}]\nmax_per_day = 6000\n\
         min_change = 10\nmax_deviation = \"0.05\"\n"
    );
    let depth = Bot::new(m.orders(PROGRAM, "one", url(), &roles));
    let keeper = Bot::new(m.orders(PROGRAM, "keeper", url(), KEEPER));
    let mut bots = vec![depth.start()];
    let full = quote(5_000);
    for _ in 0..8 {
        m.block(&mut bots).await;
        if tier(&m, who).await.0 == full {
            break;
        }
    }
    // Killed and started again it knows what it has put in.
    bots[0].kill_and_start();
    for _ in 0..3 {
        m.block(&mut bots).await;
    }
    assert_eq!(tier(&m, who).await.0, full, "{}", bots[0].log());
    let outside = m.money(&m.bidders[0]).await;
    assert_eq!(outside, quote(FUNDS - 5_000).get(), "{}", bots[0].log());

    m.crash().await;
    bots.push(keeper.start());
    let batch = BatchKey {
        market: d.market,
        number: 0,
    };
    let mut left = PATIENCE;
    let bought = loop {
        m.block(&mut bots).await;
        let (there, unclaimed) = tier(&m, who).await;
        let bought = held(&m.w.node, d.collateral, who).await.expect("answers");
        let settled = m.opened().await > 0
            && matches!(m.w.auction(batch).await.auction.phase, Phase::Settled(_));
        // Bought, claimed and funded again, as far as the day's limit goes.
        let spent = quote(FUNDS).get() - m.money(&m.bidders[0]).await - there.get();
        let again = quote(6_000).minus_or_zero(Amount::new(spent));
        if settled && !bought.is_zero() && unclaimed.is_zero() && there == again.min(full) {
            break bought;
        }
        left -= 1;
        let logs: Vec<_> = bots.iter().map(|bot| bot.log()).collect();
        assert!(
            left > 0,
            "{there:?} {bought:?} {settled} {}",
            logs.join("\n")
        );
    };
    let logs = m.stop(bots).await;
    let Phase::Settled(clearing) = m.w.auction(batch).await.auction.phase else {
        panic!("not settled");
    };
    // Each part of a pool is rounded down.
    let missing = clearing.sold.get().abs_diff(bought.get());
    assert!(
        missing <= 1,
        "the tier alone has bought: {bought:?} of {clearing:?}"
    );
    let books = Books::read(&m.w.node, &d, &[batch]).await.expect("books");
    assert_eq!(books.fault(), None);
    assert!(logs.iter().all(|log| !log.contains("ERROR")), "{logs:?}");
}
