//! What a runtime is asked and answers, in bytes, for native balances of 64 and of 128 bits: encoded
//! by the pallets' own types. `node/client` speaks it without them, and its tests read the same file.
//!
//! `BREAKWATER_WRITE_VECTORS=1 cargo test -p breakwater-chain --test runtime_api` writes it anew.

use frame_support::dispatch::DispatchClass;
use pallet_contracts::{
    Code, CodeUploadReturnValue, ContractResult, ExecReturnValue, InstantiateReturnValue,
    StorageDeposit,
};
use pallet_transaction_payment::RuntimeDispatchInfo;
use scale::{Decode, Encode};
use sp_core::crypto::AccountId32;
use sp_runtime::DispatchError;
use sp_weights::Weight;
use std::fmt::Write;

const FILE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../node/client/tests/runtime_api.txt"
);

/// No answer here has events: their form is the metadata's.
type Event = u8;

fn line(text: &mut String, bits: usize, name: &str, bytes: &[u8]) {
    let mut digits = String::new();
    for byte in bytes {
        write!(digits, "{byte:02x}").unwrap();
    }
    writeln!(text, "{bits} {name} {digits}").unwrap();
}

/// What both sides have agreed on, at one width.
fn of_width<B: Encode + From<u64> + Clone>(text: &mut String) {
    let bits = B::from(0).encoded_size() * 8;
    let mut put = |name: &str, bytes: Vec<u8>| line(text, bits, name, &bytes);
    let (signer, contract) = (AccountId32::new([1; 32]), AccountId32::new([2; 32]));
    let (value, limit) = (B::from(500), B::from(u64::MAX));
    let gas = Weight::from_parts(70_000, 80_000);
    let input = vec![1u8, 2, 3, 4];

    let call = (&signer, &contract, &value, Some(gas), Some(&limit), &input);
    put("call.arguments", call.encode());
    let code: Code<[u8; 32]> = Code::Upload(vec![0, 0x61, 0x73, 0x6d]);
    let instantiate = (
        &signer,
        &value,
        None::<Weight>,
        None::<B>,
        code,
        &input,
        vec![9u8],
    );
    put("instantiate.arguments", instantiate.encode());

    // The first flag is that of a revert.
    let returned = (1u32, vec![7u8, 8]).encode();
    let returned = ExecReturnValue::decode(&mut returned.as_slice()).unwrap();
    let deposit = B::from(3_000_000_000_000);
    let called = ContractResult::<Result<_, DispatchError>, B, Event> {
        gas_consumed: gas,
        gas_required: gas.saturating_mul(2),
        storage_deposit: StorageDeposit::Charge(deposit.clone()),
        debug_message: b"said".to_vec(),
        result: Ok(returned.clone()),
        events: None,
    };
    put("call.answer", called.encode());
    let refused = ContractResult::<Result<ExecReturnValue, _>, B, Event> {
        gas_consumed: gas,
        gas_required: gas,
        storage_deposit: StorageDeposit::Refund(deposit.clone()),
        debug_message: Vec::new(),
        result: Err(DispatchError::CannotLookup),
        events: Some(Vec::new()),
    };
    put("call.refusal", refused.encode());
    let instantiated = ContractResult::<Result<_, DispatchError>, B, Event> {
        gas_consumed: gas,
        gas_required: gas,
        storage_deposit: StorageDeposit::Charge(deposit.clone()),
        debug_message: Vec::new(),
        result: Ok(InstantiateReturnValue {
            result: returned,
            account_id: contract,
        }),
        events: None,
    };
    put("instantiate.answer", instantiated.encode());
    let uploaded: Result<_, DispatchError> = Ok(CodeUploadReturnValue {
        code_hash: [5u8; 32],
        deposit: deposit.clone(),
    });
    put("upload.answer", uploaded.encode());
    let info = RuntimeDispatchInfo {
        weight: gas,
        class: DispatchClass::Normal,
        partial_fee: deposit.clone(),
    };
    put("fee.answer", info.encode());
    // `TransactionFeePaid`: who, fee and tip.
    put("fee.event", (&signer, deposit, B::from(0)).encode());
}

#[test]
fn the_runtimes_interface_is_what_the_nodes_client_was_tested_with() {
    let mut text = String::new();
    of_width::<u64>(&mut text);
    of_width::<u128>(&mut text);
    if std::env::var_os("BREAKWATER_WRITE_VECTORS").is_some() {
        std::fs::write(FILE, &text).unwrap();
    }
    let written = std::fs::read_to_string(FILE).unwrap();
    assert!(
        written == text,
        "{FILE} is of other pallets: write it anew, see the top of this test"
    );
}
