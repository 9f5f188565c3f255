//! The ledger against an independent slow model, in random histories.
//!
//! Every run lives a million operations. More of them, with a line of progress every ten seconds:
//!
//! ```text
//! BREAKWATER_OPERATIONS=100000000 cargo test -p breakwater-core --release --test model -- --ignored --nocapture
//! ```
//!
//! A failure names its history; `BREAKWATER_HISTORY=n` with the same command begins at that one.

mod batches;
mod books;
mod checks;
mod comparing;
mod fast;
mod history;
mod insuring;
mod opening;
mod scale;
mod slow;

use history::{History, Tally};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Random acts of a history; then everybody leaves and another market begins.
const LENGTH: u64 = 250;

/// Lives histories on every processor until `operations` are done; names the one that fails.
fn live(operations: u64, first: u64, progress: impl Fn(&Tally) + Sync) -> Tally {
    let (next, all) = (AtomicU64::new(first), Mutex::new(Tally::default()));
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..processors {
            scope.spawn(|| loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let lived = std::panic::catch_unwind(|| {
                    let mut history = History::new(number);
                    for _ in 0..LENGTH {
                        history.step();
                    }
                    history.leave()
                });
                let one = lived.unwrap_or_else(|_| panic!("history {number} fails"));
                let mut all = all.lock().expect("no other history failed");
                all.add(&one);
                progress(&all);
                if all.operations >= operations {
                    break;
                }
            });
        }
    });
    all.into_inner().expect("no history failed")
}

/// Promises 4, 5, 6, 9 and 10, and the arithmetic behind them: see `slow.rs` for the bound.
#[test]
fn the_ledger_equals_the_slow_model_over_a_million_operations() {
    let all = live(1_000_000, 1, |_| {});
    println!("{all:?}");
    // The histories are not idle: batches open, sell, and write off.
    assert!(all.opened > 10_000 && all.liquidated > 2 * all.opened);
    assert!(all.settled == all.opened && all.written_off > 1_000);
    assert!(all.insured > 500 && all.resold > 250);
}

#[test]
#[ignore = "hours: 10⁸ operations take about an hour of one processor; see the head of this file"]
fn the_ledger_equals_the_slow_model_for_as_long_as_told() {
    let told = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let operations = told("BREAKWATER_OPERATIONS").unwrap_or(100_000_000);
    let first = told("BREAKWATER_HISTORY").unwrap_or(1_000_000);
    let (started, shown) = (Instant::now(), Mutex::new(Instant::now()));
    let all = live(operations, first, |all| {
        let mut shown = shown.lock().expect("printing does not fail");
        if shown.elapsed() >= Duration::from_secs(10) {
            *shown = Instant::now();
            let done = all.operations as f64 / operations as f64;
            let left = started.elapsed().as_secs_f64() * (1.0 / done - 1.0);
            println!("{:5.1} %, {left:.0} s left: {all:?}", done * 100.0);
        }
    });
    println!("{all:?} in {:?}", started.elapsed());
}
