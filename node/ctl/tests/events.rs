//! The log of a deployment's events, written from a node, and the books that it amounts to.

use breakwater_chain::{Chain, Signer};
use breakwater_interfaces::auction::{BidPlaced, LiquidationAuction};
use breakwater_interfaces::standing::StandingBids;
use breakwater_interfaces::vault::MarginVault;
use breakwater_node_tests::bots::Market;
use breakwater_node_tests::{price, quote, signer, url};
use breakwater_sim::replay::check::check;
use breakwater_sim::replay::{log, Replayed};
use ink::codegen::TraitCallBuilder;
use serde_json::Value;
use std::fs::{self, File};
use std::io::{BufReader, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// `breakwaterctl events` for a market's record.
fn command(record: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_breakwaterctl"));
    command.arg("events").arg("--deployment").arg(record);
    command.args(["--url", url()]).args(more);
    command
}

#[track_caller]
fn succeeded(output: Output) -> String {
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    String::from_utf8(output.stdout).expect("is text")
}

/// The one line of a command that has to fail because something has to be changed.
#[track_caller]
fn refused(record: &Path, more: &[&str]) -> String {
    let output = command(record, more).output().expect("runs");
    let complaint = String::from_utf8(output.stderr).expect("is text");
    assert_eq!(output.status.code(), Some(2), "{complaint}");
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    complaint
}

/// Writes the log up to the present block, once that is final, and returns what was told of it.
async fn logged(m: &Market, record: &Path, file: &Path) -> Value {
    let block = m.w.node.block().await.expect("a block").to_string();
    let more = ["--to", &block, "--follow", "--json", "--quiet", "--output"];
    let mut command = command(record, &more);
    let told = succeeded(command.arg(file).output().expect("runs"));
    serde_json::from_str(&told).expect("is JSON")
}

fn replayed(file: &Path) -> Replayed {
    let file = BufReader::new(File::open(file).expect("opens"));
    let (contracts, entries) = log::read(file).expect("is a log");
    let mut books = Replayed::new(contracts);
    for entry in entries {
        let entry = entry.expect("reads");
        books
            .apply([&entry])
            .unwrap_or_else(|error| panic!("{error}"));
    }
    books
}

#[tokio::test]
async fn the_log_of_a_whole_story_amounts_to_the_books_of_the_chain() {
    let mut m = Market::new(url(), "events", &["one", "two"]).await;
    let d = m.w.d;
    let directory = m.directory.path().to_owned();
    let at = |name: &str| directory.join(name);
    let (record, file, followed) = (at("record.json"), at("events.jsonl"), at("followed.jsonl"));
    let follower = command(&record, &["--follow", "--quiet", "--output"])
        .arg(&followed)
        .stdout(Stdio::null())
        .spawn();
    let mut follower = follower.expect("runs");

    m.indebted().await;
    let told = logged(&m, &record, &file).await;
    assert!(told["events"].as_u64() > Some(0), "{told}");
    let books = replayed(&file);
    assert!(check(&m.w.node, &books).await.expect("the same") > 0);

    // One bid with a limit, one in a tier.
    let keeper = signer(&m.w.suri("keeper"));
    let bidders = m.bidders.clone();
    for bidder in &bidders {
        m.w.fund(bidder, d.quote, quote(5_000), d.auction).await;
        let message = d.auction().call_mut().deposit(d.market, quote(5_000));
        m.w.send(bidder, d.auction, message).await;
    }
    let message = d.standing().call_mut().stand(d.market, 3, quote(1_000));
    m.w.send(&bidders[1], d.auction, message).await;
    m.crash().await;
    m.block(&mut []).await;
    let message = d.auction().call_mut().open_batch(d.market);
    let batch = m.w.send(&keeper, d.auction, message).await.value;
    let message = d
        .auction()
        .call_mut()
        .bid(batch, quote(1_000), price(168), u32::MAX);
    let placed = m.w.send(&bidders[0], d.auction, message).await;
    let placed: Vec<BidPlaced> = placed.events_of(d.auction).expect("decodes");

    // In the middle of an auction the log goes on where it was cut off.
    logged(&m, &record, &file).await;
    let whole = fs::read_to_string(&file).expect("reads");
    let torn = &whole[..whole.len() - 40];
    let mut again = File::create(&file).expect("opens");
    again.write_all(torn.as_bytes()).expect("writes");
    logged(&m, &record, &file).await;
    assert_eq!(fs::read_to_string(&file).expect("reads"), whole);
    assert!(check(&m.w.node, &replayed(&file)).await.expect("the same") > 0);

    let schedule = m.w.auction(batch).await.auction.schedule;
    m.w.run_to(batch, schedule.steps).await;
    let message = d.auction().call_mut().settle(batch);
    m.w.send(&keeper, d.auction, message).await;
    let message = d.vault().call_mut().rest(batch.market, batch.number, 64);
    m.w.send(&keeper, d.vault, message).await;
    let message = d.auction().call_mut().claim(batch, vec![placed[0].bid]);
    m.w.send(&bidders[0], d.auction, message).await;
    let message = d.standing().call_mut().unstand(d.market, 3, quote(500));
    m.w.send(&bidders[1], d.auction, message).await;
    let told = logged(&m, &record, &file).await;
    let books = replayed(&file);
    assert_eq!(told["events"].as_u64(), Some(books.events()));
    let compared = check(&m.w.node, &books).await.expect("the same");
    assert!(compared >= 10, "{compared}");
    let lender = signer(&m.w.suri("lender")).account_id();
    assert!(books.vault.markets()[0].lenders.contains_key(&lender));

    // Who follows has the same log, and ends when told to.
    let whole = fs::read_to_string(&file).expect("reads");
    for _ in 0..600 {
        if fs::read_to_string(&followed).unwrap_or_default() == whole {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let id = follower.id().to_string();
    let sent = Command::new("kill").args(["-TERM", &id]).status();
    assert!(sent.expect("kill runs").success());
    assert!(follower.wait().expect("ends").success());
    assert_eq!(fs::read_to_string(&followed).expect("reads"), whole);

    // On standard output, in pieces.
    let from = told["to_block"].as_u64().expect("a block").to_string();
    let piece = command(&record, &["--from", &from, "--best"]).output();
    let piece = succeeded(piece.expect("runs"));
    assert_eq!(piece.lines().next(), whole.lines().next());

    let there = file.to_str().expect("is text");
    let line = refused(&record, &["--output", there, "--from", "1"]);
    assert!(line.contains("leave out --from"), "{line}");
    let line = refused(&record, &["--to", "4000000000"]);
    assert!(line.contains("--follow"), "{line}");
    let foreign = at("foreign.jsonl");
    let other = whole.replacen("\"vault\":\"0x", "\"vault\":\"0x00", 1);
    fs::write(&foreign, other).expect("writes");
    let line = refused(&record, &["--output", foreign.to_str().expect("is text")]);
    assert!(line.contains("is no log of events"), "{line}");
}
