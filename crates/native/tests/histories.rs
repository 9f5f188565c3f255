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
//! The slow model is beside every fourth history; `BREAKWATER_BESIDE=1` puts it beside all.

// The slow model, as the core's own histories have it.
#[path = "../../core/tests/model/books.rs"]
mod books;
#[path = "../../core/tests/model/comparing.rs"]
mod comparing;
#[path = "../../core/tests/model/insuring.rs"]
mod insuring;
#[path = "../../core/tests/model/opening.rs"]
mod opening;
#[path = "../../core/tests/model/scale.rs"]
mod scale;
#[path = "../../core/tests/model/slow.rs"]
mod slow;

mod beside;

use beside::Beside;
use breakwater_native::acts::{begin, prelude, random, Act, Cast};
use breakwater_native::checks::{books, everybody_leaves, live_watched, Tally};
use breakwater_native::Addresses;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Random acts of a history; then everybody leaves and another market begins.
const LENGTH: u64 = 300;

/// The slow model is beside one history of so many, and beside all of the state machine's.
const BESIDE: u64 = 4;

/// What histories came to.
#[derive(Debug, Default)]
struct Lived {
    tally: Tally,
    /// Steps after which the slow model was compared, and the largest part of its bound of
    /// rounding that was used.
    compared: u64,
    used: f64,
}

impl Lived {
    fn add(&mut self, other: &Self) {
        self.tally.add(&other.tally);
        self.compared += other.compared;
        self.used = self.used.max(other.used);
    }
}

fn history(number: u64, beside: u64) -> Lived {
    let (cast, mut tally) = (Cast::made_up(), Tally::default());
    let variant = number as u32;
    let mut n = begin(Addresses::made_up(), &cast, variant, (1, 1_000_000)).expect("valid terms");
    let mut beside = number
        .is_multiple_of(beside)
        .then(|| Beside::new(&n, &cast));
    let mut random = random(number);
    let acts = (0..LENGTH).map(|_| Act::random(&mut random));
    for act in prelude().into_iter().chain(acts) {
        live_watched(&mut n, &cast, act, &mut tally, |seen| {
            if let Some(beside) = &mut beside {
                beside.follow(seen);
            }
        });
    }
    books(&n, &cast);
    let left = everybody_leaves(n, &cast);
    // Rounding is bounded by what was done: a few units of quote a message.
    let (done, _) = tally.sum();
    assert!(left.quote <= 4 * u128::from(done) + 100, "{left:?} is left");
    Lived {
        tally,
        compared: beside.as_ref().map_or(0, |beside| beside.compared),
        used: beside.map_or(0.0, |beside| beside.worst),
    }
}

/// Lives histories on every processor until so many transitions are done; names one that fails.
fn run(
    transitions: u64,
    (first, beside): (u64, u64),
    processors: usize,
    progress: impl Fn(&Lived) + Sync,
) -> Lived {
    let (next, all) = (AtomicU64::new(first), Mutex::new(Lived::default()));
    let failed = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..processors {
            scope.spawn(|| loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let lived = std::panic::catch_unwind(|| history(number, beside));
                let one = lived.unwrap_or_else(|_| {
                    failed.store(true, Ordering::Relaxed);
                    panic!("history {number} fails")
                });
                let mut all = all.lock().expect("no other history failed");
                all.add(&one);
                progress(&all);
                if all.tally.steps >= transitions || failed.load(Ordering::Relaxed) {
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
    let all = run(3_000_000, (1, BESIDE), 2, |_| {});
    println!("{all:#?}");
    for name in LIVELY {
        assert!(all.tally.done(name) > 0, "no {name} was done");
    }
    assert!(
        all.compared > all.tally.steps / BESIDE / 2,
        "the slow model was away"
    );
}

/// Histories that broke something once, the model's bounds included.
const KEPT: [u64; 3] = [1_077_392, 1_136_712, 1_194_636];

#[test]
fn histories_that_failed_once_hold() {
    for number in KEPT {
        let lived = history(number, 1);
        assert!(lived.compared > 0, "the slow model was away");
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
    let line = |all: &Lived| {
        let Lived {
            tally,
            compared,
            used,
        } = all;
        let (done, refused) = tally.sum();
        let rate = tally.steps as f64 / started.elapsed().as_secs_f64();
        format!(
            "{} transitions, {done} messages done, {refused} refused, {} batches settled, {compared} compared with the slow model ({:.1} % of its bound used at most), {rate:.0} transitions a second",
            tally.steps,
            tally.done("settle"),
            used * 100.0,
        )
    };
    let beside = told("BREAKWATER_BESIDE").unwrap_or(BESIDE).max(1);
    let all = run(transitions, (first, beside), processors, |all| {
        let mut shown = shown.lock().expect("printing does not fail");
        if shown.elapsed() >= Duration::from_secs(10) {
            *shown = Instant::now();
            println!(
                "{:5.1} %: {}",
                all.tally.steps as f64 * 100.0 / transitions as f64,
                line(all)
            );
        }
    });
    println!("{}", line(&all));
}
