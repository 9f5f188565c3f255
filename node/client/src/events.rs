//! What contracts emitted, read out of a block's events.

use breakwater_chain::{AccountId, ContractEvent};
use scale::Decode;
use subxt::events::{Event, Events};

use crate::connection::{Config, Fault};

/// The events of contracts among `events`, in order.
pub(crate) fn of_contracts(events: &Events<Config>) -> Result<Vec<ContractEvent>, Fault> {
    let mut found = Vec::new();
    for event in events.iter() {
        found.extend(contract_event(&event.map_err(undecodable)?)?);
    }
    Ok(found)
}

/// The event as a contract emitted it, if one did.
pub(crate) fn contract_event(event: &Event<'_, Config>) -> Result<Option<ContractEvent>, Fault> {
    if (event.pallet_name(), event.event_name()) != ("Contracts", "ContractEmitted") {
        return Ok(None);
    }
    let (contract, data) =
        <([u8; 32], Vec<u8>)>::decode(&mut event.field_bytes()).map_err(undecodable)?;
    Ok(Some(ContractEvent {
        contract: AccountId::from(contract),
        data,
        topics: event.topics().iter().map(|topic| topic.0).collect(),
    }))
}

pub(crate) fn undecodable(error: impl std::fmt::Display) -> Fault {
    Fault::Other(format!("its events do not decode, {error}"))
}
