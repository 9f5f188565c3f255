//! The whole protocol in random histories: users who are owners, lenders, bidders, depositors and
//! keepers as it comes, feeders, guardian, governor, and time; every check of
//! [`breakwater_native::checks`] after every step, and everybody out at the end.
//!
//! A longer run on every processor, with a line of progress every ten seconds:
//!
//! ```text
//! BREAKWATER_TRANSITIONS=100000000 cargo test -p breakwater-native --test histories -- --ignored --nocapture
//! ```
//!
//! A failure names its history; `BREAKWATER_HISTORY=n` with the same command begins at that one.

use breakwater_native::acts::{begin, prelude, random, Act, Cast};
use breakwater_native::checks::{books, everybody_leaves, live, Tally};
use breakwater_native::Addresses;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Random acts of a history; then everybody leaves and another market begins.
const LENGTH: u64 = 300;

fn history(number: u64) -> Tally {
    let (cast, mut tally) = (Cast::made_up(), Tally::default());
    let variant = number as u32;
    let mut n = begin(Addresses::made_up(), &cast, variant, (1, 1_000_000)).expect("valid terms");
    for act in prelude() {
        live(&mut n, &cast, act, &mut tally);
    }
    let mut random = random(number);
    for _ in 0..LENGTH {
        live(&mut n, &cast, Act::random(&mut random), &mut tally);
    }
    books(&n, &cast);
    let left = everybody_leaves(n, &cast);
    // Rounding is bounded by what was done: a few units of quote a message.
    let (done, _) = tally.sum();
    assert!(left.quote <= 4 * u128::from(done) + 100, "{left:?} is left");
    tally
}

/// Lives histories on every processor until so many transitions are done; names one that fails.
fn run(transitions: u64, first: u64, processors: usize, progress: impl Fn(&Tally) + Sync) -> Tally {
    let (next, all) = (AtomicU64::new(first), Mutex::new(Tally::default()));
    std::thread::scope(|scope| {
        for _ in 0..processors {
            scope.spawn(|| loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let lived = std::panic::catch_unwind(|| history(number));
                let one = lived.unwrap_or_else(|_| panic!("history {number} fails"));
                let mut all = all.lock().expect("no other history failed");
                all.add(&one);
                progress(&all);
                if all.steps >= transitions {
                    break;
                }
            });
        }
    });
    all.into_inner().expect("no history failed")
}

/// The messages that no slice may be without.
const LIVELY: [&str; 16] = [
    "supply",
    "redeem",
    "borrow",
    "deposit_and_borrow",
    "repay",
    "open_batch",
    "bid",
    "advance",
    "settle",
    "claim",
    "stand",
    "unstand",
    "claim_standing",
    "claim_reward",
    "trip",
    "reopen",
];

#[test]
fn the_whole_protocol_keeps_its_promises_in_random_histories() {
    let all = run(3_000_000, 1, 2, |_| {});
    println!("{all:#?}");
    for name in LIVELY {
        assert!(all.done(name) > 0, "no {name} was done");
    }
}

#[test]
#[ignore = "minutes to hours: scripts/test.sh runs a slice, see the head of this file"]
fn the_whole_protocol_keeps_its_promises_for_as_long_as_told() {
    let told = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let transitions = told("BREAKWATER_TRANSITIONS").unwrap_or(100_000_000);
    let first = told("BREAKWATER_HISTORY").unwrap_or(1_000_000);
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let (started, shown) = (Instant::now(), Mutex::new(Instant::now()));
    let line = |all: &Tally| {
        let (done, refused) = all.sum();
        let rate = all.steps as f64 / started.elapsed().as_secs_f64();
        format!(
            "{} transitions, {done} messages done, {refused} refused, {} batches settled, {rate:.0} transitions a second",
            all.steps,
            all.done("settle")
        )
    };
    let all = run(transitions, first, processors, |all| {
        let mut shown = shown.lock().expect("printing does not fail");
        if shown.elapsed() >= Duration::from_secs(10) {
            *shown = Instant::now();
            println!(
                "{:5.1} %: {}",
                all.steps as f64 * 100.0 / transitions as f64,
                line(all)
            );
        }
    });
    println!("{}", line(&all));
}
