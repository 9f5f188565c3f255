//! Block after block with what contracts emitted in it, for programs that live on events.

use breakwater_chain::{ContractEvent, QueryError};
use std::sync::Arc;
use std::time::Duration;
use subxt::rpcs::client::RpcSubscription;
use subxt::utils::H256;

use crate::connection::{number, BlockId, Config, Connection, Fault};
use crate::events;

/// Longest silence after which the chain is looked at even if nothing was announced: a subscription
/// can be lost without a word.
const SILENCE: Duration = Duration::from_secs(5);

/// One block of the best chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockUpdate {
    /// Its number.
    pub number: u32,
    /// Its hash.
    pub hash: [u8; 32],
    /// What contracts emitted in it, in order.
    pub events: Vec<ContractEvent>,
    /// Whether blocks reported before are no longer part of the best chain. What was made of them
    /// has to be read from storage again.
    pub replaced: bool,
}

/// Reads the best chain without a gap: from a block on, through broken connections and changes of
/// the best chain.
pub struct Follower {
    connection: Arc<Connection>,
    heads: Option<RpcSubscription<<Config as subxt::Config>::Header>>,
    next: u32,
    last: Option<H256>,
}

impl Follower {
    pub(crate) fn new(connection: Arc<Connection>, from: u32) -> Self {
        Self {
            connection,
            heads: None,
            next: from,
            last: None,
        }
    }

    /// The number of the next block: where to go on after a restart.
    #[must_use]
    pub fn position(&self) -> u32 {
        self.next
    }

    /// Waits for the next block. Whoever waits in turns keeps the future: it makes several requests,
    /// and one that is dropped begins anew.
    ///
    /// # Errors
    /// [`QueryError::Transport`] when the node stays away; calling again goes on where it ended.
    pub async fn next(&mut self) -> Result<BlockUpdate, QueryError> {
        Ok(self.read_next().await?)
    }

    async fn read_next(&mut self) -> Result<BlockUpdate, Fault> {
        loop {
            let best = self.connection.best().await?;
            // A chain that became shorter has other blocks where it was.
            let replaced = self.step_back(best).await?;
            if best.number >= self.next {
                if let Some(update) = self.read(replaced).await? {
                    return Ok(update);
                }
            } else {
                self.wait().await;
            }
        }
    }

    /// Goes back to the first block not reported, if the last one reported is gone.
    async fn step_back(&mut self, best: BlockId) -> Result<bool, Fault> {
        let Some(last) = self.last else {
            return Ok(false);
        };
        let reported = self.next.saturating_sub(1);
        let now = match reported <= best.number {
            true => self.connection.hash_of(reported).await?,
            false => None,
        };
        if now == Some(last) {
            return Ok(false);
        }
        // Where the chains part is not known without a memory of all hashes: the reader is told to
        // read storage again, and goes on from the present.
        self.next = reported.min(best.number);
        self.last = None;
        Ok(true)
    }

    async fn read(&mut self, replaced: bool) -> Result<Option<BlockUpdate>, Fault> {
        let Some(block) = self.connection.numbered(self.next).await? else {
            return Ok(None);
        };
        let at = self.connection.at(block).await?;
        let events = at.events().fetch().await.map_err(events::undecodable)?;
        let update = BlockUpdate {
            number: block.number,
            hash: block.hash.0,
            events: events::of_contracts(&events)?,
            replaced,
        };
        self.next = self.next.saturating_add(1);
        self.last = Some(block.hash);
        Ok(Some(update))
    }

    /// Waits until a block is announced, or for some time.
    async fn wait(&mut self) {
        if self.heads.is_none() {
            let subscribed = self.connection.methods.chain_subscribe_new_heads();
            self.heads = subscribed.await.ok();
        }
        let next = self.next;
        let announced = async {
            if let Some(heads) = &mut self.heads {
                while let Some(Ok(header)) = heads.next().await {
                    if number(&header) >= next {
                        return true;
                    }
                }
            }
            false
        };
        match tokio::time::timeout(SILENCE, announced).await {
            Ok(true) | Err(_) => {}
            Ok(false) => {
                self.heads = None;
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}
