//! Reading the events of one call out of the block's event log.
//!
//! The runtime appends to one storage value for the whole block. Decoding only what was appended
//! keeps a call's cost independent of how many calls its block already holds.

use contracts_node_runtime::Hash;
use frame_support::storage::storage_prefix;
use frame_system::EventRecord;
use scale::{Compact, CompactLen, Decode};

use super::ink_account;
use super::runtime::Runtime;
use crate::ContractEvent;

/// A position in the block's event log, in bytes after its length prefix.
pub(super) struct Mark(usize);

/// The present end of the event log.
pub(super) fn mark<R: Runtime>() -> Mark {
    let length = sp_io::storage::read(&log_key(), &mut [], 0).unwrap_or(0) as usize;
    Mark(length.saturating_sub(prefix_len::<R>()))
}

/// What contracts emitted since `mark`, which must be of the same block.
pub(super) fn contract_events_since<R: Runtime>(mark: &Mark) -> Vec<ContractEvent> {
    let log = sp_io::storage::get(&log_key()).unwrap_or_default();
    let mut input = log.get(prefix_len::<R>() + mark.0..).unwrap_or_default();
    let mut events = Vec::new();
    while !input.is_empty() {
        let record =
            EventRecord::<<R as frame_system::Config>::RuntimeEvent, Hash>::decode(&mut input)
                .expect("the log holds what this very runtime encoded; qed");
        let event: Result<pallet_contracts::Event<R>, _> = record.event.try_into();
        if let Ok(pallet_contracts::Event::ContractEmitted { contract, data }) = event {
            let topics = record.topics.into_iter().map(Into::into).collect();
            events.push(ContractEvent {
                contract: ink_account(&contract),
                data,
                topics,
            });
        }
    }
    events
}

fn log_key() -> [u8; 32] {
    storage_prefix(b"System", b"Events")
}

/// Bytes of the compact event count in front of the log; none while the log does not exist.
fn prefix_len<R: Runtime>() -> usize {
    match frame_system::Pallet::<R>::event_count() {
        0 => 0,
        count => Compact::<u32>::compact_len(&count),
    }
}
