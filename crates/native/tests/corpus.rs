//! The inputs that fuzzing found worth keeping (`fuzz/seeds`), through the same functions: they
//! cannot rot, and a fault that was found once stays found. And some random bytes for each.

use breakwater_native::acts::{begin, prelude, random, Act, Cast};
use breakwater_native::checks::{live, Tally};
use breakwater_native::targets::TARGETS;
use breakwater_native::Addresses;
use rand_chacha::rand_core::RngCore;
use scale::Encode;
use std::fs;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::Path;

#[test]
fn the_kept_corpus_breaks_no_promise() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    for (name, target) in TARGETS {
        let files = fs::read_dir(seeds.join(name)).expect("a folder of seeds");
        let mut bytes = 0;
        for file in files {
            let path = file.expect("a file").path();
            let data = fs::read(&path).expect("readable");
            bytes += data.len();
            let lived = catch_unwind(AssertUnwindSafe(|| target(&data)));
            assert!(lived.is_ok(), "{} breaks {name}", path.display());
        }
        assert!(
            (1..=24 * 1_024).contains(&bytes),
            "{name} keeps {bytes} bytes"
        );
    }
}

#[test]
fn random_bytes_break_no_promise() {
    for (name, target) in TARGETS {
        for number in 0..300 {
            let mut random = random(number);
            let mut data = vec![0; random.next_u32() as usize % 1_100];
            random.fill_bytes(&mut data);
            let lived = catch_unwind(AssertUnwindSafe(|| target(&data)));
            assert!(lived.is_ok(), "random bytes {number} break {name}");
        }
    }
}

#[test]
#[ignore = "writes files: seeds for `decoding` from the cells of a real history, when a cell's encoding has changed"]
fn the_cells_of_a_history_become_seeds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/decoding");
    let (cast, mut tally) = (Cast::made_up(), Tally::default());
    let begun = begin(Addresses::made_up(), &cast, 0, (1, 1_000_000));
    let mut n = begun.expect("valid terms");
    let mut random = random(9);
    for act in prelude() {
        live(&mut n, &cast, act, &mut tally);
    }
    while n.running().is_empty() || n.house.bids.is_empty() || n.house.stakes.is_empty() {
        live(&mut n, &cast, Act::random(&mut random), &mut tally);
    }
    let running = n.running()[0];
    let (page, cell) = n.vault.cells.pages.iter().next().expect("a page");
    let position = n.vault.positions.values().find(|p| p.pooled.is_some());
    let position = position.expect("a position with debt");
    let cells = [
        (0, n.vault.market.params.encode()),
        (1, n.oracle.feed.config.encode()),
        (3, n.house.breaker.limits.encode()),
        (9, n.house.auctions[&running].encode()),
        (
            10,
            (
                &n.house.standing,
                n.house.stakes.values().next().expect("a stake"),
            )
                .encode(),
        ),
        (11, (position, vec![(*page, cell.clone())]).encode()),
        (12, n.oracle.feed.encode()),
        (13, cell.encode()),
        (
            14,
            n.vault
                .cells
                .departures
                .values()
                .next()
                .expect("departures")
                .encode(),
        ),
        (
            15,
            n.vault
                .cells
                .batches
                .values()
                .next()
                .expect("a batch")
                .encode(),
        ),
        (16, n.vault.market.encode()),
        (
            17,
            (
                &n.house.market,
                &n.house.treasury,
                n.house.bids.values().next().expect("a bid"),
            )
                .encode(),
        ),
        (18, (n.house.breaker, n.house.global.clone()).encode()),
        (23, n.vault.state.encode()),
    ];
    for (kind, cell) in cells {
        let mut seed = vec![kind];
        seed.extend(cell);
        fs::write(folder.join(format!("cell-{kind:02}")), seed).expect("writable");
    }
}
