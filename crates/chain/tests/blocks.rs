//! Blocks, clock, snapshots and determinism.

mod probe;

use breakwater_chain::{Chain, Embedded, Genesis, Receipt};
use futures::executor::block_on;
use ink::codegen::TraitCallBuilder;
use probe::{deployed, setup, Probe, ProbeRef};

#[test]
fn only_advancing_moves_block_and_clock() {
    let (mut chain, probe, mut contract, alice) = setup();
    let start = Genesis::default().time;
    for value in 0..3 {
        let receipt = block_on(chain.call(&alice, probe, contract.call_mut().set(value))).unwrap();
        assert_eq!(receipt.block, 1);
    }
    assert_eq!(
        (block_on(chain.block()), block_on(chain.now())),
        (Ok(1), Ok(start))
    );

    block_on(chain.advance(1)).unwrap();
    assert_eq!(
        (block_on(chain.block()), block_on(chain.now())),
        (Ok(2), Ok(start + 6_000))
    );
    assert_eq!(
        block_on(chain.query(alice, probe, contract.call().time())),
        Ok(start + 6_000)
    );
    assert_eq!(
        block_on(chain.query(alice, probe, contract.call().get())),
        Ok(2)
    );

    chain.set_block_time(1_000);
    block_on(chain.advance(10)).unwrap();
    assert_eq!(
        (block_on(chain.block()), block_on(chain.now())),
        (Ok(12), Ok(start + 16_000))
    );
    let receipt = block_on(chain.call(&alice, probe, contract.call_mut().set(9))).unwrap();
    assert_eq!(receipt.block, 12);

    block_on(chain.advance(0)).unwrap();
    assert_eq!(block_on(chain.block()), Ok(12));
}

#[test]
fn blocks_faster_than_the_runtime_allows_are_slowed_down() {
    let genesis = Genesis {
        block_time: 0,
        ..Genesis::default()
    };
    let mut chain = Embedded::with_genesis(genesis);
    block_on(chain.advance(2)).unwrap();
    assert_eq!(block_on(chain.now()), Ok(genesis.time + 10));
}

#[test]
fn a_snapshot_brings_everything_back() {
    let (mut chain, probe, mut contract, alice) = setup();
    block_on(chain.advance(1)).unwrap();
    block_on(chain.call(&alice, probe, contract.call_mut().set(5))).unwrap();
    let (root, now) = (chain.state_root(), block_on(chain.now()));
    // Taken inside a block, with changes that are in no block yet.
    let snapshot = chain.snapshot();

    let mut roots = Vec::new();
    for _ in 0..2 {
        chain.set_block_time(1_000);
        block_on(chain.call(&alice, probe, contract.call_mut().set(6))).unwrap();
        block_on(chain.advance(3)).unwrap();
        block_on(chain.call(&alice, probe, contract.call_mut().resize(100))).unwrap();
        roots.push(chain.state_root());
        chain.restore(&snapshot);
        assert_eq!(chain.state_root(), root);
        assert_eq!(
            (block_on(chain.block()), block_on(chain.now())),
            (Ok(2), now.clone())
        );
        assert_eq!(
            block_on(chain.query(alice, probe, contract.call().get())),
            Ok(5)
        );
    }
    assert_eq!(roots[0], roots[1]);

    // The block time is part of it.
    block_on(chain.advance(1)).unwrap();
    assert_eq!(block_on(chain.now()), now.map(|now| now + 6_000));
}

#[test]
fn the_same_calls_leave_the_same_bytes() {
    let run = || {
        let (mut chain, receipt) = deployed(Genesis::default());
        let (alice, bob) = (chain.account(0), chain.account(1));
        let mut contract: ProbeRef = receipt.value.into();
        let mut receipts: Vec<Receipt<u32>> = Vec::new();
        for value in 0..10 {
            let message = contract.call_mut().set(value);
            receipts.push(block_on(chain.call(&alice, receipt.value, message)).unwrap());
            let message = contract.call_mut().resize(value * 10);
            receipts.push(block_on(chain.call(&bob, receipt.value, message)).unwrap());
            block_on(chain.advance(value)).unwrap();
        }
        let storage = chain.contract_storage(receipt.value);
        (receipt, receipts, storage, chain.state_root())
    };
    assert_eq!(run(), run());
}

#[test]
fn accounts_are_endowed_at_genesis_or_funded() {
    let genesis = Genesis {
        accounts: 3,
        endowment: 1_000_000_000_000,
        ..Genesis::default()
    };
    let mut chain = Embedded::with_genesis(genesis);
    let balance =
        |chain: &Embedded, index| block_on(chain.free_balance(chain.account(index))).unwrap();
    assert_eq!(balance(&chain, 2), genesis.endowment);
    assert_eq!(balance(&chain, 3), 0);
    let account = chain.account(3);
    chain.fund(account, 2_000_000_000_000).unwrap();
    assert_eq!(balance(&chain, 3), 2_000_000_000_000);
    assert!(
        chain.fund(chain.account(4), 1).is_err(),
        "below the existential deposit"
    );
    assert_ne!(chain.account(3), chain.account(4));
}

#[test]
fn a_chain_outlives_many_blocks_and_snapshots() {
    let (mut chain, probe, mut contract, alice) = setup();
    let mut snapshots = Vec::new();
    for value in 0..600 {
        block_on(chain.call(&alice, probe, contract.call_mut().set(value))).unwrap();
        block_on(chain.advance(1)).unwrap();
        if value % 100 == 0 {
            snapshots.push((value, chain.state_root(), chain.snapshot()));
        }
    }
    for (value, root, snapshot) in snapshots {
        chain.restore(&snapshot);
        assert_eq!(chain.state_root(), root);
        assert_eq!(
            block_on(chain.query(alice, probe, contract.call().get())),
            Ok(value)
        );
    }
}
