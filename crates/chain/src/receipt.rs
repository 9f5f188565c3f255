//! What a call did and what it cost.

use ink::env::Event;
use scale::{Decode, DecodeAll};

use crate::{AccountId, Balance};

/// The two dimensions of weight a contract call is metered in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gas {
    /// Execution time, in picoseconds on the reference machine.
    pub ref_time: u64,
    /// Storage proof size, in bytes.
    pub proof_size: u64,
}

/// The outcome of a call that succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt<T> {
    /// What the message returned.
    pub value: T,
    /// Every event contracts emitted during the call, in order.
    pub events: Vec<ContractEvent>,
    /// Gas spent by the contracts, without the extrinsic's own base weight.
    pub gas_consumed: Gas,
    /// Least gas limit the call would have succeeded with; never below `gas_consumed`.
    pub gas_required: Gas,
    /// Storage deposit taken from the signer, negative when it was refunded.
    pub storage_deposit: i128,
    /// Transaction fee paid by the signer; of a dry run, the fee it would pay.
    pub fee: Balance,
    /// Number of the block the call is in; of a dry run, of the block it was run against.
    pub block: u32,
}

impl<T> Receipt<T> {
    /// Converts the value and keeps the rest.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Receipt<U> {
        Receipt {
            value: f(self.value),
            events: self.events,
            gas_consumed: self.gas_consumed,
            gas_required: self.gas_required,
            storage_deposit: self.storage_deposit,
            fee: self.fee,
            block: self.block,
        }
    }

    /// The events of type `Ev` that `contract` emitted, in order.
    ///
    /// Events are told apart by their signature topic. An anonymous event type has none: for it,
    /// the events without any topic whose data decodes to exactly `Ev` are returned.
    ///
    /// # Errors
    ///
    /// An event carries the signature of `Ev` but its data does not decode: the contract was built
    /// with another definition of a type inside the event.
    pub fn events_of<Ev: Event + Decode>(
        &self,
        contract: AccountId,
    ) -> Result<Vec<Ev>, scale::Error> {
        self.events
            .iter()
            .filter(|event| event.contract == contract)
            .filter_map(ContractEvent::decode)
            .collect()
    }
}

/// An event as a contract emitted it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractEvent {
    /// The contract that emitted it.
    pub contract: AccountId,
    /// Its fields, SCALE-encoded.
    pub data: Vec<u8>,
    /// Its topics; the first one is the signature, unless the event is anonymous.
    pub topics: Vec<[u8; 32]>,
}

/// An event with its place on the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emitted {
    /// Number of the block it is in.
    pub block: u32,
    /// Timestamp of that block, in milliseconds since the Unix epoch.
    pub timestamp: u64,
    /// The event.
    pub event: ContractEvent,
}

impl ContractEvent {
    /// This event as an `Ev`; `None` when it is of another type. See [`Receipt::events_of`].
    pub fn decode<Ev: Event + Decode>(&self) -> Option<Result<Ev, scale::Error>> {
        match (Ev::SIGNATURE_TOPIC, self.topics.first()) {
            (Some(signature), Some(topic)) if signature == *topic => {
                Some(Ev::decode_all(&mut &*self.data))
            }
            (None, None) => Ev::decode_all(&mut &*self.data).ok().map(Ok),
            _ => None,
        }
    }
}
