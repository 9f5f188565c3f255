//! Wall time of the chain's operations. Run with `--ignored --nocapture`.

mod probe;

use std::time::Instant;

use breakwater_chain::{Chain, Genesis};
use futures::executor::block_on;
use ink::codegen::TraitCallBuilder;
use probe::{deployed, Probe, ProbeRef};

#[test]
#[ignore = "prints timings, asserts nothing"]
fn timings() {
    const ROUNDS: u32 = 500;
    let start = Instant::now();
    let (mut chain, receipt) = deployed(Genesis {
        accounts: 5_000,
        ..Genesis::default()
    });
    println!(
        "genesis of 5000 accounts and one instantiation: {:?}",
        start.elapsed()
    );
    let (alice, probe) = (chain.account(0), receipt.value);
    let mut contract: ProbeRef = probe.into();
    let report = |what: &str, start: Instant| println!("{what}: {:?}", start.elapsed() / ROUNDS);

    let start = Instant::now();
    for value in 0..ROUNDS {
        block_on(chain.call(&alice, probe, contract.call_mut().set(value))).unwrap();
    }
    report("call, all in one block", start);
    let start = Instant::now();
    for value in 0..ROUNDS {
        block_on(chain.dry_run(&alice, probe, contract.call_mut().set(value))).unwrap();
    }
    report("dry run, in that block", start);
    block_on(chain.advance(1)).unwrap();
    let start = Instant::now();
    for _ in 0..ROUNDS {
        block_on(chain.query(alice, probe, contract.call().get())).unwrap();
    }
    report("query", start);
    let start = Instant::now();
    for value in 0..ROUNDS {
        block_on(chain.call(&alice, probe, contract.call_mut().set(value))).unwrap();
        block_on(chain.advance(1)).unwrap();
    }
    report("call and block", start);
    let start = Instant::now();
    block_on(chain.advance(ROUNDS)).unwrap();
    report("empty block", start);
    let start = Instant::now();
    for value in 0..ROUNDS {
        let snapshot = chain.snapshot();
        block_on(chain.call(&alice, probe, contract.call_mut().set(value))).unwrap();
        chain.restore(&snapshot);
    }
    report("snapshot, call, restore", start);
    let start = Instant::now();
    for value in 0..ROUNDS {
        let snapshot = chain.snapshot();
        block_on(chain.call(&alice, probe, contract.call_mut().set(value))).unwrap();
        block_on(chain.advance(1)).unwrap();
        chain.restore(&snapshot);
    }
    report("snapshot, call, block, restore", start);
}
