//! The rules in memory against the released contracts, message by message: the same answer, the
//! same error, the same events in the same order, the same views; and every `Err` leaves every cell
//! of every contract as it was.
//!
//! More messages, with a line of progress:
//!
//! ```text
//! BREAKWATER_MESSAGES=100000 cargo test -p breakwater-embedded-tests --test differential -- --ignored --nocapture
//! ```
//!
//! A failure names its history; `BREAKWATER_HISTORY=n` with the same command begins at that one.

use breakwater_embedded_tests::twin::Twin;
use breakwater_native::acts::{prelude, random, Act};
use breakwater_native::checks::Tally;
use std::collections::BTreeMap;
use std::time::Instant;

/// Events compared, by name.
type Told = BTreeMap<&'static str, u64>;

/// Random acts of a history.
const LENGTH: usize = 400;
/// Kinds of markets that a run goes through.
const VARIANTS: u64 = 8;

/// Lives histories until so many messages have been sent. Returns what was done, and which events
/// were compared how often.
fn run(messages: u64, first: u64) -> (Tally, Told) {
    let (mut all, mut told) = (Tally::default(), Told::new());
    let (mut number, started) = (first, Instant::now());
    loop {
        let mut twin = Twin::new((number * 37) as u32);
        for _ in 0..VARIANTS {
            let name = number;
            let lived = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                let mut random = random(number);
                let acts = (0..LENGTH).map(|_| Act::random(&mut random));
                twin.history(prelude().into_iter().chain(acts));
            }));
            lived.unwrap_or_else(|_| panic!("history {name} fails"));
            number += 1;
        }
        all.add(&twin.tally);
        for (name, often) in &twin.told {
            *told.entry(name).or_default() += often;
        }
        let (done, refused) = all.sum();
        let rate = (done + refused) as f64 / started.elapsed().as_secs_f64();
        println!("{done} messages done, {refused} refused, {} batches settled, {} events compared, {rate:.0} messages a second", all.done("settle"), told.values().sum::<u64>());
        if done + refused >= messages {
            return (all, told);
        }
    }
}

#[test]
fn the_released_contracts_do_what_the_rules_in_memory_do() {
    let (all, told) = run(2_000, 0);
    for name in [
        "open_batch",
        "bid",
        "settle",
        "claim",
        "stand",
        "borrow",
        "redeem",
    ] {
        assert!(all.done(name) > 0, "no {name} was done");
    }
    for name in [
        "RoundAccepted",
        "Borrowed",
        "BatchOpened",
        "AuctionOpened",
        "BidPlaced",
        "BatchSettled",
        "AuctionSettled",
        "StandingChanged",
    ] {
        assert!(told.contains_key(name), "no {name} was told");
    }
}

#[test]
#[ignore = "minutes: see the head of this file"]
fn the_released_contracts_do_what_the_rules_in_memory_do_for_as_long_as_told() {
    let told = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let messages = told("BREAKWATER_MESSAGES").unwrap_or(100_000);
    let first = told("BREAKWATER_HISTORY").unwrap_or(1_000_000);
    let (all, told) = run(messages, first);
    println!("{all:#?} {told:#?}");
}
