//! What calls, dry runs and queries give back, and what they leave behind.

mod probe;

use breakwater_chain::{
    AccountId, CallError, CallOptions, Chain, DepositError, Embedded, Gas, Genesis, Message,
};
use futures::executor::block_on;
use ink::codegen::TraitCallBuilder;
use ink::env::call::{ExecutionInput, Selector};
use probe::{constructor, deployed, setup, Probe, ProbeError, Removed, Stored};

#[test]
fn a_call_gives_its_value_and_changes_the_contract() {
    let (mut chain, probe, mut contract, alice) = setup();
    let receipt = block_on(chain.call(&alice, probe, contract.call_mut().set(42))).unwrap();
    assert_eq!(receipt.value, 42);
    assert_eq!(receipt.block, 1);
    assert!(receipt.gas_consumed.ref_time > 0);
    assert!(receipt.gas_required.ref_time >= receipt.gas_consumed.ref_time);
    assert!(receipt.gas_required.proof_size >= receipt.gas_consumed.proof_size);
    assert_eq!(
        block_on(chain.query(alice, probe, contract.call().get())),
        Ok(42)
    );
}

#[test]
fn a_returned_error_comes_back_typed_and_leaves_the_contract_as_it_was() {
    let (mut chain, probe, mut contract, alice) = setup();
    let before = chain.contract_storage(probe);
    assert_eq!(before.len(), 1);
    let refused = block_on(chain.call(&alice, probe, contract.call_mut().refuse(7)));
    assert_eq!(
        refused,
        Err(CallError::Reverted(ProbeError::Refused { value: 7 }))
    );
    assert_eq!(chain.contract_storage(probe), before);

    let refused = block_on(chain.dry_run(&alice, probe, contract.call_mut().refuse(8)));
    assert_eq!(
        refused,
        Err(CallError::Reverted(ProbeError::Refused { value: 8 }))
    );
    // A query hands over whatever the message returned.
    let refused = block_on(chain.query(alice, probe, contract.call_mut().refuse(9)));
    assert_eq!(refused, Ok(Err(ProbeError::Refused { value: 9 })));
    assert_eq!(chain.contract_storage(probe), before);
}

#[test]
fn a_trap_leaves_the_contract_as_it_was() {
    let (mut chain, probe, mut contract, alice) = setup();
    let before = chain.contract_storage(probe);
    let trapped = block_on(chain.call(&alice, probe, contract.call_mut().trap()));
    assert_eq!(trapped, Err(CallError::Trapped));
    assert_eq!(chain.contract_storage(probe), before);
}

#[test]
fn a_gas_limit_stops_a_call() {
    let (mut chain, probe, mut contract, alice) = setup();
    let limit = Gas {
        ref_time: 10_000_000_000,
        proof_size: 1_000_000,
    };
    let options = CallOptions::default().with_gas_limit(limit);
    let burnt = block_on(chain.call_with(&alice, probe, contract.call_mut().burn(), options));
    assert_eq!(burnt, Err(CallError::OutOfGas));

    let dry = block_on(chain.dry_run(&alice, probe, contract.call_mut().set(5))).unwrap();
    let enough = CallOptions::default().with_gas_limit(dry.gas_required);
    block_on(chain.call_with(&alice, probe, contract.call_mut().set(5), enough)).unwrap();
    let short = Gas {
        ref_time: dry.gas_required.ref_time - 1,
        ..dry.gas_required
    };
    let options = CallOptions::default().with_gas_limit(short);
    let stopped = block_on(chain.call_with(&alice, probe, contract.call_mut().set(6), options));
    assert_eq!(stopped, Err(CallError::OutOfGas));
}

#[test]
fn messages_the_contract_does_not_understand() {
    let (mut chain, probe, mut contract, alice) = setup();
    let unknown = block_on(chain.call(&alice, probe, contract.call_mut().unknown()));
    assert!(matches!(unknown, Err(CallError::Lang(_))), "{unknown:?}");

    // The contract answers with a `Result`, one byte longer than the declared number.
    let input = ExecutionInput::new(Selector::new([1, 0, 0, 0])).push_arg(3u32);
    let misdeclared = block_on(chain.query(alice, probe, Message::<u32>::new(&input)));
    assert_eq!(misdeclared, Err(CallError::Undecodable));

    let nobody = AccountId::from([0; 32]);
    let missing = block_on(chain.call(&alice, nobody, contract.call_mut().set(1)));
    assert_eq!(missing, Err(CallError::NoSuchContract));
    let missing = block_on(chain.query(alice, nobody, contract.call().get()));
    assert_eq!(missing, Err(CallError::NoSuchContract));
}

#[test]
fn a_deposit_is_charged_limited_and_refunded() {
    let (mut chain, probe, mut contract, alice) = setup();
    let balance = |chain: &Embedded| block_on(chain.free_balance(alice)).unwrap();
    // The node's price: 0.1 token for a cell and 5 * 10^6 for every byte of it.
    let start = balance(&chain);
    let grown = block_on(chain.call(&alice, probe, contract.call_mut().resize(1_000))).unwrap();
    assert_eq!(grown.storage_deposit, 100_000_000_000 + 5_000_000 * 1_000);
    let paid = balance(&chain);
    assert_eq!(start - paid, grown.storage_deposit as u128 + grown.fee);

    let shrunk = block_on(chain.call(&alice, probe, contract.call_mut().resize(0))).unwrap();
    // The runtime refunds pro rata of what the contract holds, rounded down.
    let kept = grown.storage_deposit + shrunk.storage_deposit;
    assert!((0..10).contains(&kept), "{kept}");
    assert_eq!(
        balance(&chain),
        start - grown.fee - shrunk.fee - kept as u128
    );

    let options = CallOptions::default().with_deposit_limit(1_000);
    let message = contract.call_mut().resize(1_000);
    let limited = block_on(chain.call_with(&alice, probe, message, options));
    assert_eq!(
        limited,
        Err(CallError::StorageDeposit(DepositError::LimitExhausted))
    );
}

#[test]
fn a_signer_without_funds() {
    let (mut chain, probe, mut contract, _) = setup();
    let poor = chain.account(100);
    let before = chain.state_root();
    let unpaid = block_on(chain.call(&poor, probe, contract.call_mut().set(1)));
    assert!(
        matches!(unpaid, Err(CallError::FeeUnpaid { fee }) if fee > 0),
        "{unpaid:?}"
    );
    assert_eq!(chain.state_root(), before);

    // Enough for the fee but not for the deposit of 0.1 token.
    chain.fund(poor, 50_000_000_000).unwrap();
    let deposit = block_on(chain.call(&poor, probe, contract.call_mut().resize(1)));
    assert!(
        matches!(deposit, Err(CallError::StorageDeposit(_))),
        "{deposit:?}"
    );
    block_on(chain.call(&poor, probe, contract.call_mut().set(1))).unwrap();
}

#[test]
fn a_failed_call_costs_its_fee() {
    let (mut chain, probe, mut contract, alice) = setup();
    let balance = |chain: &Embedded| block_on(chain.free_balance(alice)).unwrap();
    let start = balance(&chain);
    block_on(chain.call(&alice, probe, contract.call_mut().refuse(7))).unwrap_err();
    let reverted = start - balance(&chain);
    let success = block_on(chain.call(&alice, probe, contract.call_mut().set(7))).unwrap();
    assert!(
        reverted.abs_diff(success.fee) < success.fee / 100,
        "{reverted} {}",
        success.fee
    );
}

#[test]
fn the_fee_is_the_weight_and_the_length_of_the_extrinsic() {
    let (mut chain, probe, mut contract, alice) = setup();
    let used = chain.block_gas();
    let receipt = block_on(chain.call(&alice, probe, contract.call_mut().set(7))).unwrap();
    // The multiplier starts at one and weight and length cost one unit each: the fee is what the
    // block's weight grew by, and the bytes of an extrinsic with a 64-byte signature.
    let weight = chain.block_gas().ref_time - used.ref_time;
    let length = receipt.fee - u128::from(weight);
    assert!((100..300).contains(&length), "{length}");
    assert!(weight > receipt.gas_consumed.ref_time);
    assert!(weight < chain.block_capacity().ref_time / 100);
}

#[test]
fn dry_runs_and_queries_change_nothing() {
    let (chain, probe, mut contract, alice) = setup();
    let root = chain.state_root();
    let dry = block_on(chain.dry_run(&alice, probe, contract.call_mut().set(42))).unwrap();
    assert_eq!(dry.value, 42);
    assert_eq!(
        dry.events_of::<Stored>(probe),
        Ok(vec![Stored { value: 42 }])
    );
    assert!(dry.fee > 0);
    assert_eq!(
        block_on(chain.query(alice, probe, contract.call().get())),
        Ok(1)
    );
    assert_eq!(chain.state_root(), root);

    // And it foretells what the call will cost.
    let mut chain = chain;
    let receipt = block_on(chain.call(&alice, probe, contract.call_mut().set(42))).unwrap();
    assert_eq!(dry, receipt);
}

#[test]
fn events_are_told_apart_by_signature_and_contract() {
    let (mut chain, first) = deployed(Genesis::default());
    let alice = chain.account(0);
    let probe = first.value;
    assert_eq!(
        first.events_of::<Stored>(probe),
        Ok(vec![Stored { value: 1 }])
    );
    let mut contract: probe::ProbeRef = probe.into();
    for value in [10, 20] {
        let receipt = block_on(chain.call(&alice, probe, contract.call_mut().set(value))).unwrap();
        // Of this call only, although the block holds more.
        assert_eq!(receipt.events.len(), 1);
        assert_eq!(
            receipt.events_of::<Stored>(probe),
            Ok(vec![Stored { value }])
        );
        assert_eq!(receipt.events_of::<Removed>(probe), Ok(vec![]));
        assert_eq!(receipt.events_of::<Stored>(alice), Ok(vec![]));
    }
    let silent = block_on(chain.call(&alice, probe, contract.call_mut().resize(1))).unwrap();
    assert_eq!(silent.events, []);
}

#[test]
fn events_stay_apart_when_the_count_outgrows_its_prefix() {
    let (mut chain, probe, mut contract, alice) = setup();
    // The length prefix of the block's log grows at 64 events.
    for value in 0..100 {
        let receipt = block_on(chain.call(&alice, probe, contract.call_mut().set(value))).unwrap();
        assert_eq!(
            receipt.events_of::<Stored>(probe),
            Ok(vec![Stored { value }])
        );
    }
}

#[test]
fn instantiation_that_fails() {
    let (mut chain, _, _, alice) = setup();
    let root = chain.contract_storage(alice);
    assert!(root.is_empty());
    let refused = block_on(chain.instantiate(&alice, &probe::code(), constructor(0), &[1]));
    assert_eq!(
        refused,
        Err(CallError::Reverted(ProbeError::Refused { value: 0 }))
    );

    let code = wat::parse_str("(module)").unwrap();
    let rejected = block_on(chain.instantiate(&alice, &code, constructor(1), &[]));
    assert!(
        matches!(&rejected, Err(CallError::CodeRejected(why)) if !why.is_empty()),
        "{rejected:?}"
    );

    let twice = block_on(chain.instantiate(&alice, &probe::code(), constructor(1), &[]));
    assert!(
        matches!(&twice, Err(CallError::Dispatch(why)) if why == "DuplicateContract"),
        "{twice:?}"
    );
}
