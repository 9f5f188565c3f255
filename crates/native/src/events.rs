//! What messages tell: events of the interfaces' types, in the form a chain has them.

use crate::Native;
use breakwater_interfaces::vault_admin::{Change, MarketChanged};
use breakwater_interfaces::AccountId;
use ink::env::Event;
use scale::{Decode, DecodeAll, Encode};

/// An event that a contract emits in a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emitted {
    /// Which contract.
    pub contract: AccountId,
    /// The name of its type.
    pub name: &'static str,
    /// Its topics: the signature of its type, which is the only one.
    pub topics: Vec<[u8; 32]>,
    /// Its fields, encoded.
    pub data: Vec<u8>,
}

impl Emitted {
    /// An event of a contract.
    pub fn of<E: Event + Encode>(contract: AccountId, event: &E) -> Self {
        let path = std::any::type_name::<E>();
        Self {
            contract,
            name: path.rsplit("::").next().unwrap_or(path),
            topics: E::SIGNATURE_TOPIC.into_iter().collect(),
            data: event.encode(),
        }
    }

    /// The event by its type; `None` where it is of another.
    #[must_use]
    pub fn decode<E: Event + Decode>(&self) -> Option<E> {
        let is = E::SIGNATURE_TOPIC.as_ref() == self.topics.first();
        is.then(|| E::decode_all(&mut &*self.data).ok()).flatten()
    }
}

impl Native {
    /// What the last message told, in order; nothing where it was refused.
    #[must_use]
    pub fn events(&self) -> &[Emitted] {
        &self.events
    }

    pub(crate) fn oracle_tells<E: Event + Encode>(&mut self, event: &E) {
        self.events.push(Emitted::of(self.at.oracle, event));
    }

    pub(crate) fn vault_tells<E: Event + Encode>(&mut self, event: &E) {
        self.events.push(Emitted::of(self.at.vault, event));
    }

    pub(crate) fn house_tells<E: Event + Encode>(&mut self, event: &E) {
        self.events.push(Emitted::of(self.at.auction, event));
    }

    /// The vault tells a step in the life of its market.
    pub(crate) fn announce(&mut self, by: AccountId, change: Change) {
        let market = crate::MARKET;
        self.vault_tells(&MarketChanged { market, by, change });
    }
}
