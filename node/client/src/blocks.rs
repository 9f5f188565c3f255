//! What is in blocks of the past: contracts' events with their place, and where contracts began.

use breakwater_chain::{AccountId, Chain, Emitted, QueryError};
use subxt::dynamic;
use subxt::utils::AccountId32;

use crate::connection::{BlockId, Connection, Fault};
use crate::events;
use crate::node::{bytes, Node};

/// Where a state has the events of its block: the hashes of `System` and `Events`.
const EVENTS: [u8; 32] = [
    0x26, 0xaa, 0x39, 0x4e, 0xea, 0x56, 0x30, 0xe0, 0x7c, 0x48, 0xae, 0x0c, 0x95, 0x58, 0xce, 0xf7,
    0x80, 0xd4, 0x1e, 0x5e, 0x16, 0x05, 0x67, 0x65, 0xbc, 0x84, 0x61, 0x85, 0x10, 0x72, 0xc9, 0xd7,
];

/// What was asked of a block whose state the node has thrown away.
fn gone(block: u32, reason: &str) -> Fault {
    Fault::Other(format!(
        "it has no state of block {block} any more ({reason}): name a node that keeps all states, \
         an archive node"
    ))
}

/// A fault at a block: whether it is that its state is gone, only the node's words tell.
fn at_block(block: u32, fault: Fault) -> Fault {
    let text = fault.to_string();
    let says = |words: &str| text.contains(words);
    match says("discarded") || says("UnknownBlock") || says("Unknown block") {
        true => gone(block, &text),
        false => fault,
    }
}

impl Node {
    /// The last block that can never be undone.
    ///
    /// # Errors
    /// [`CallError::Transport`](breakwater_chain::CallError::Transport).
    pub async fn final_block(&self) -> Result<u32, QueryError> {
        Ok(self.0.connection.finalized().await?.number)
    }

    /// What some contracts have emitted in a block of the best chain, in order; `None` where there
    /// is no such block yet.
    ///
    /// # Errors
    /// [`CallError::Transport`](breakwater_chain::CallError::Transport), also where the node has
    /// thrown the block's state away.
    pub async fn emitted(
        &self,
        contracts: &[AccountId],
        block: u32,
    ) -> Result<Option<Vec<Emitted>>, QueryError> {
        let read = async |connection: &_, block| of_block(connection, contracts, block).await;
        Ok(self.read_block(block, read).await?)
    }

    /// The block in which a contract was instantiated; `None` where there is no such contract.
    ///
    /// # Errors
    /// As [`Self::emitted`].
    pub async fn created_in(&self, contract: AccountId) -> Result<Option<u32>, QueryError> {
        let best = self.block().await?;
        if !self.has_contract(contract, best).await? {
            return Ok(None);
        }
        // It is there in the state of `there`, and not in that of any block before `from`.
        let (mut from, mut there) = (0, best);
        while from < there {
            let middle = from + (there - from) / 2;
            if self.has_contract(contract, middle).await? {
                there = middle;
            } else {
                from = middle + 1;
            }
        }
        Ok(Some(there))
    }

    async fn has_contract(&self, contract: AccountId, block: u32) -> Result<bool, Fault> {
        let read = async |connection: &_, block| is_there(connection, contract, block).await;
        let found = self.read_block(block, read).await?;
        found.ok_or_else(|| Fault::Other(format!("it has no block {block}")))
    }

    /// Reads something in the state after a block; `None` where there is no such block yet.
    async fn read_block<T>(
        &self,
        number: u32,
        read: impl AsyncFnOnce(&Connection, BlockId) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        let connection = &self.0.connection;
        let Some(block) = connection.numbered(number).await? else {
            return Ok(None);
        };
        let found = read(connection, block).await;
        found.map(Some).map_err(|fault| at_block(number, fault))
    }
}

async fn is_there(
    connection: &Connection,
    contract: AccountId,
    block: BlockId,
) -> Result<bool, Fault> {
    let at = connection.at(block).await?;
    let address = dynamic::storage::<(AccountId32,), dynamic::Value>("Contracts", "ContractInfoOf");
    let key = (AccountId32(bytes(contract)),);
    let found = at.storage().try_fetch(address, key).await;
    found
        .map(|found| found.is_some())
        .map_err(|error| Fault::Lost(error.to_string()))
}

async fn of_block(
    connection: &Connection,
    contracts: &[AccountId],
    block: BlockId,
) -> Result<Vec<Emitted>, Fault> {
    let stored = connection
        .ask(|| {
            connection
                .methods
                .state_get_storage(&EVENTS, Some(block.hash))
        })
        .await?
        .unwrap_or_default();
    // Most blocks have nothing of these contracts, and do not name them.
    let names = |contract: &AccountId| {
        let address: &[u8; 32] = contract.as_ref();
        stored.windows(32).any(|bytes| bytes == address)
    };
    if !contracts.iter().any(names) {
        return Ok(Vec::new());
    }
    let at = connection.at(block).await?;
    let mut found = events::of_contracts(&at.events().from_bytes(stored))?;
    found.retain(|event| contracts.contains(&event.contract));
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let address = dynamic::storage::<(), u64>("Timestamp", "Now");
    let timestamp = at.storage().fetch(address, ()).await;
    let timestamp = timestamp.map_err(|error| Fault::Lost(error.to_string()))?;
    let timestamp = timestamp.decode();
    let timestamp = timestamp.map_err(|error| Fault::Other(error.to_string()))?;
    let emitted = found.into_iter().map(|event| Emitted {
        block: block.number,
        timestamp,
        event,
    });
    Ok(emitted.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_that_is_gone_is_told_with_what_to_do() {
        let refused = Fault::Refused {
            code: 4003,
            message: "Client error: Api called for an unknown Block: State already discarded for \
                      0x12"
                .to_owned(),
        };
        let told = at_block(7, refused).to_string();
        assert!(
            told.contains("block 7") && told.contains("an archive node"),
            "{told}"
        );
        let lost = Fault::Lost("the connection broke".to_owned());
        assert_eq!(at_block(7, lost.clone()), lost);
    }
}
