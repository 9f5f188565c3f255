//! What a message is made of: the host functions its contracts called, and the contracts called.
//!
//! pallet-contracts reports every call of a host function to the log target of its name, and into
//! the debug message, where a logger takes that target. This is that logger.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use contracts_node_runtime::AccountId as RuntimeAccount;
use frame_support::storage::with_transaction_unchecked;
use log::{Level, LevelFilter, Log, Metadata, Record};
use pallet_contracts::{CollectEvents, DebugInfo, Determinism, WeightInfo};
use sp_runtime::TransactionOutcome;
use sp_weights::Weight;

use super::extrinsic::ContractWeights as Weights;
use super::runtime::{native, Runtime};
use super::{extrinsic, ink_account};
use crate::{AccountId, Balance, Gas};

/// The log target of host function calls.
const TARGET: &str = "runtime::contracts::strace";

thread_local! {
    /// Whether this thread is tracing: other threads' calls stay as fast as they are.
    static TRACING: Cell<bool> = const { Cell::new(false) };
}

struct Tracer;

impl Log for Tracer {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() == Level::Trace && metadata.target() == TARGET && TRACING.get()
    }

    fn log(&self, _: &Record<'_>) {}

    fn flush(&self) {}
}

/// What a message did, by the words of the runtime itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// Contracts called, each time: the one that was asked first is among them.
    pub contracts: Vec<AccountId>,
    /// Host functions by name, and how often each was called. A chain extension's is not there.
    pub host: BTreeMap<String, u32>,
    /// Gas spent by the contracts.
    pub gas: Gas,
}

impl Trace {
    /// How often the host function of a name was called, in any of its versions.
    pub fn calls_of(&self, name: &str) -> u32 {
        self.host.get(name).copied().unwrap_or(0)
    }
}

/// What the runtime charges for one of each thing a trace counts, apart from the bytes that go
/// through it: `ref_time` in picoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitTimes {
    /// A storage cell read.
    pub read: u64,
    /// A storage cell written.
    pub write: u64,
    /// A storage cell taken or cleared.
    pub removal: u64,
    /// An event with one topic.
    pub event: u64,
    /// A contract called by another, without its code.
    pub call: u64,
    /// A mebibyte of code loaded.
    pub code_mebibyte: u64,
}

/// The charges of this runtime, put together as pallet-contracts does.
pub(super) fn unit_times<R: Runtime>() -> UnitTimes {
    let time = |weight: Weight| weight.ref_time();
    let reading = time(Weights::<R>::get_storage_full())
        .saturating_sub(time(Weights::<R>::get_storage_empty()));
    let writing = time(Weights::<R>::set_storage_full())
        .saturating_sub(time(Weights::<R>::set_storage_empty()));
    let code = |bytes| time(Weights::<R>::call_with_code_per_byte(bytes));
    UnitTimes {
        read: time(Weights::<R>::seal_get_storage(0)) + reading,
        write: time(Weights::<R>::seal_set_storage(0, 0)) + writing,
        removal: time(Weights::<R>::seal_take_storage(0)) + writing,
        event: time(Weights::<R>::seal_deposit_event(1, 0)),
        call: time(Weights::<R>::seal_call(0, 0)),
        code_mebibyte: code(1 << 20).saturating_sub(code(0)),
    }
}

/// Executes a call, keeps nothing, and tells what it did; `None` where it failed, or where
/// another logger is installed.
pub(super) fn trace<R: Runtime>(
    signer: RuntimeAccount,
    contract: RuntimeAccount,
    value: Balance,
    input: Vec<u8>,
) -> Option<Trace> {
    static INSTALLED: OnceLock<bool> = OnceLock::new();
    if !INSTALLED.get_or_init(|| {
        let installed = log::set_logger(&Tracer).is_ok();
        if installed {
            log::set_max_level(LevelFilter::Trace);
        }
        installed
    }) {
        return None;
    }
    TRACING.set(true);
    let result = with_transaction_unchecked(|| {
        TransactionOutcome::Rollback(pallet_contracts::Pallet::<R>::bare_call(
            signer,
            contract,
            native(value),
            extrinsic::call_gas_limit::<R>(),
            None,
            input,
            DebugInfo::UnsafeDebug,
            CollectEvents::UnsafeCollect,
            Determinism::Enforced,
        ))
    });
    TRACING.set(false);
    if result.result.map_or(true, |returned| returned.did_revert()) {
        return None;
    }
    let called = |event: <R as frame_system::Config>::RuntimeEvent| match event.try_into() {
        Ok(pallet_contracts::Event::<R>::Called { contract, .. }) => Some(ink_account(&contract)),
        _ => None,
    };
    // The block's events are returned with the call's, which are the last.
    let before = usize::try_from(frame_system::Pallet::<R>::event_count()).unwrap_or(0);
    let events = result.events.unwrap_or_default();
    let events = events.into_iter().skip(before).map(|record| record.event);
    Some(Trace {
        contracts: events.filter_map(called).collect(),
        host: host_functions(&String::from_utf8_lossy(&result.debug_message)),
        gas: Gas {
            ref_time: Weight::ref_time(&result.gas_consumed),
            proof_size: Weight::proof_size(&result.gas_consumed),
        },
    })
}

/// Counts lines such as `seal2::set_storage(key_ptr: 1, ..) = Ok(..)` by their names.
fn host_functions(message: &str) -> BTreeMap<String, u32> {
    let mut calls = BTreeMap::new();
    for line in message.lines() {
        let Some((name, _)) = line.split_once('(') else {
            continue;
        };
        let Some((_, function)) = name.split_once("::") else {
            continue;
        };
        *calls.entry(function.to_owned()).or_insert(0) += 1;
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_functions_are_counted_by_name() {
        let message = "seal1::get_storage(key_ptr: 1, key_len: 4) = Ok(Success)\n\
                       seal2::set_storage(key_ptr: 1) = Ok(4)\n\
                       seal1::get_storage(key_ptr: 9, key_len: 4) = Ok(KeyNotFound)\n";
        let calls = host_functions(message);
        let calls: Vec<_> = calls.iter().map(|(name, n)| (name.as_str(), *n)).collect();
        assert_eq!(calls, [("get_storage", 2), ("set_storage", 1)]);
    }
}
