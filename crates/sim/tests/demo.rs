//! The demo as a whole: it runs, conserves, and repeats to the byte.

use breakwater_sim::demo::{run, DemoError, DemoOptions};
use breakwater_sim::outcome::DemoOutcome;
use breakwater_sim::prices::march_2020;
use futures::executor::block_on;

fn demo(positions: u32, seed: u64) -> Result<DemoOutcome, DemoError> {
    let options = DemoOptions {
        path: march_2020(seed),
        built_in: true,
        positions,
        seed,
    };
    block_on(run(&options, &mut |_| {}))
}

#[test]
fn the_crash_day_liquidates_conserves_and_repeats() {
    let outcome = demo(100, 1).expect("runs");
    assert!(
        outcome.conservation.holds,
        "{:?}",
        outcome.conservation.violations
    );
    assert!(outcome.conservation.checks > 0);
    assert!(outcome.positions.liquidated > 50);
    assert_eq!(outcome.positions.healthy_but_liquidated, 0);
    assert!(
        outcome.lenders.value_at_end >= outcome.lenders.supplied,
        "lenders are whole"
    );
    for batch in &outcome.batches {
        if let Some(clearing) = batch.clearing {
            assert!(clearing.price >= batch.floor);
            assert_eq!(clearing.spent_by_bids, clearing.raised);
        }
    }
    let again = demo(100, 1).expect("runs");
    assert_eq!(
        serde_json::to_string(&outcome).expect("writes"),
        serde_json::to_string(&again).expect("writes")
    );
}
