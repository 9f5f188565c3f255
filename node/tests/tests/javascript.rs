//! The JavaScript example on the node: what it prints of a market, and a bid that it places by the metadata in the bundles.

use std::path::{Path, PathBuf};
use std::process::Command;

use breakwater_chain::Signer;
use breakwater_interfaces::auction::{BatchKey, BidPage, LiquidationAuction};
use breakwater_interfaces::vault::MarginVault;
use breakwater_node_tests::{collateral, price, quote, url, World};
use ink::codegen::TraitCallBuilder;

fn at(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

/// Whether the example can be run here; says why not.
fn installed() -> bool {
    let output = Command::new(at("scripts/javascript.sh"))
        .arg("--install")
        .output()
        .expect("scripts/javascript.sh runs");
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr);
        eprintln!("not tested: {}", reason.trim());
    }
    output.status.success()
}

/// What the example answers, or its one line of complaint.
async fn market(record: &Path, suri: &str, more: &[String]) -> Result<String, String> {
    let mut command = Command::new("node");
    command.arg(at("examples/javascript/market.js"));
    command.arg("--deployment").arg(record);
    command.args(["--url", url()]).args(more);
    command.env("BREAKWATER_SURI", suri);
    let output = tokio::task::spawn_blocking(move || command.output())
        .await
        .expect("ends")
        .expect("node runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    match output.status.success() {
        true => Ok(text(&output.stdout)),
        false => Err(text(&output.stderr)),
    }
}

#[tokio::test]
async fn a_javascript_program_reads_a_market_and_bids_by_the_metadata() {
    if !installed() {
        return;
    }
    let mut w = World::deployed("javascript").await;
    let d = w.d;
    let record = Path::new(env!("CARGO_TARGET_TMPDIR")).join("javascript.json");
    w.record.write(&record).expect("writes");
    let (lender, owner, bidder) = (
        w.account("lender").await,
        w.account("owner").await,
        w.account("bidder").await,
    );
    let suri = w.suri("bidder");
    w.set_price(price(200)).await;
    let answer = market(&record, &suri, &[]).await.expect("answers");
    assert!(answer.contains("\"price\": \"200\""), "{answer}");
    assert!(answer.contains("\"batches\": 0"), "{answer}");

    w.fund(&lender, d.quote, quote(100_000), d.vault).await;
    let message = d.vault().call_mut().supply(d.market, quote(100_000));
    w.send(&lender, d.vault, message).await;
    w.fund(&bidder, d.quote, quote(5_000), d.auction).await;
    let message = d.auction().call_mut().deposit(d.market, quote(5_000));
    w.send(&bidder, d.auction, message).await;
    w.fund(&owner, d.collateral, collateral(10), d.vault).await;
    let message = d
        .vault()
        .call_mut()
        .deposit_and_borrow(d.market, collateral(10), quote(1_490));
    w.send(&owner, d.vault, message).await;
    w.set_price(price(172)).await;
    let message = d.auction().call_mut().open_batch(d.market);
    let batch: BatchKey = w.send(&owner, d.auction, message).await.value;

    let bid = |budget: &str, limit: &str| -> Vec<String> {
        let number = batch.number.to_string();
        ["--batch", &number, "--budget", budget, "--limit", limit]
            .map(str::to_owned)
            .to_vec()
    };
    // More than is deposited: the contract's error by its name, and nothing is sent.
    let complaint = market(&record, &suri, &bid("5000.000001", "171.5"))
        .await
        .unwrap_err();
    assert!(complaint.contains("InsufficientBalance"), "{complaint}");
    assert_eq!(complaint.lines().count(), 1, "{complaint}");

    let answer = market(&record, &suri, &bid("250.5", "171.5"))
        .await
        .expect("bids");
    assert!(answer.contains("\"balance\": \"5000\""), "{answer}");
    let message = d.auction().call().bids_of(batch, bidder.account_id(), 0);
    let page: BidPage = w.ask(d.auction, message).await;
    let [(id, placed, None)] = &page.bids[..] else {
        panic!("one bid: {page:?}");
    };
    assert!(answer.contains(&format!("\"bid\": {id}")), "{answer}");
    assert_eq!(placed.budget.get(), 250_500_000);
    assert_eq!(2 * placed.limit.get(), 343 * price(1).get());
}
