//! One connection to a node: requests that survive a reconnection, and answers that are typed.

use std::future::Future;
use std::time::Duration;

use scale::Decode;
use subxt::backend::BlockRef;
use subxt::backend::LegacyBackend;
use subxt::client::OnlineClientAtBlock;
use subxt::config::{Header, RpcConfigFor, SubstrateConfig};
use subxt::rpcs::client::{reconnecting_rpc_client::ExponentialBackoff, ReconnectingRpcClient};
use subxt::rpcs::methods::legacy::LegacyRpcMethods;
use subxt::rpcs::{Error as RpcError, RpcClient};
use subxt::utils::H256;
use subxt::OnlineClient;

use crate::native::Width;

pub(crate) type Config = SubstrateConfig;
pub(crate) type AtBlock = OnlineClientAtBlock<Config>;
pub(crate) type Methods = LegacyRpcMethods<RpcConfigFor<Config>>;

/// Longest time one request may take, a reconnection included.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a request is sent again after the connection was lost.
const TRIES: u32 = 4;

/// The node cannot be reached or used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "cannot use the node at {url} ({reason}): check the address, or start one with scripts/node.sh"
)]
pub struct Unreachable {
    /// Where it was looked for.
    pub url: String,
    /// What happened.
    pub reason: String,
}

/// A request without an answer to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The node refuses, with the code and text of JSON-RPC.
    Refused {
        /// Code; those of the transaction pool are from 1010 on.
        code: i32,
        /// Text, with what the node adds to it.
        message: String,
    },
    /// There was no answer.
    Lost(String),
    /// The answer makes no sense.
    Other(String),
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused { code, message } => write!(f, "{message}, code {code}"),
            Self::Lost(reason) | Self::Other(reason) => f.write_str(reason),
        }
    }
}

impl From<RpcError> for Fault {
    fn from(error: RpcError) -> Self {
        match error {
            RpcError::User(error) => {
                let data = error
                    .data
                    .map(|data| data.get().trim_matches('"').to_owned());
                let message = match data {
                    Some(data) => format!("{}: {data}", error.message),
                    None => error.message,
                };
                Self::Refused {
                    code: error.code,
                    message,
                }
            }
            RpcError::DisconnectedWillReconnect(reason) => Self::Lost(reason),
            RpcError::Client(error) => Self::Lost(error.to_string()),
            other => Self::Other(other.to_string()),
        }
    }
}

/// A block by number and hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockId {
    pub(crate) number: u32,
    pub(crate) hash: H256,
}

/// The connection.
pub(crate) struct Connection {
    pub(crate) methods: Methods,
    /// Of native balances.
    pub(crate) width: Width,
    client: OnlineClient<Config>,
}

impl Connection {
    pub(crate) async fn open(url: &str) -> Result<Self, Unreachable> {
        let unreachable = |reason: String| Unreachable {
            url: url.to_owned(),
            reason,
        };
        let opened = ReconnectingRpcClient::builder()
            .retry_policy(
                // 100 ms, then twice as long each time: the number is a base that is raised to a power.
                ExponentialBackoff::from_millis(2)
                    .factor(50)
                    .max_delay(Duration::from_secs(5)),
            )
            .request_timeout(PATIENCE)
            .build(url);
        let socket = tokio::time::timeout(PATIENCE, opened)
            .await
            .map_err(|_| unreachable("it does not answer".to_owned()))?
            .map_err(|error| unreachable(error.to_string()))?;
        let rpc = RpcClient::new(socket);
        // Of the node's interfaces the oldest: it knows the best block, which contracts are called
        // on, and every node has it.
        let backend = LegacyBackend::builder().build(rpc.clone());
        let client = OnlineClient::from_backend(std::sync::Arc::new(backend))
            .await
            .map_err(|error| unreachable(error.to_string()))?;
        let at = client.at_current_block().await;
        let at = at.map_err(|error| unreachable(error.to_string()))?;
        let width = Width::of(at.metadata_ref());
        Ok(Self {
            methods: Methods::new(rpc),
            width: width.map_err(|fault| unreachable(fault.to_string()))?,
            client,
        })
    }

    /// Sends a request that changes nothing, again if the connection breaks under it.
    pub(crate) async fn ask<T, F>(&self, request: impl Fn() -> F) -> Result<T, Fault>
    where
        F: Future<Output = Result<T, RpcError>>,
    {
        let mut last = Fault::Lost("it does not answer".to_owned());
        for _ in 0..TRIES {
            match tokio::time::timeout(PATIENCE, request()).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => last = error.into(),
                Err(_) => return Err(last),
            }
            if !matches!(last, Fault::Lost(_)) {
                return Err(last);
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Err(last)
    }

    /// The best block.
    pub(crate) async fn best(&self) -> Result<BlockId, Fault> {
        loop {
            let hash = self
                .ask(|| self.methods.chain_get_block_hash(None))
                .await?
                .ok_or_else(|| Fault::Other("the node has no best block".to_owned()))?;
            // A block that was the best a moment ago may be gone.
            if let Some(header) = self.header(hash).await? {
                return Ok(BlockId {
                    number: number(&header),
                    hash,
                });
            }
        }
    }

    /// The header of a block, if the node still has it.
    pub(crate) async fn header(
        &self,
        hash: H256,
    ) -> Result<Option<<Config as subxt::Config>::Header>, Fault> {
        self.ask(|| self.methods.chain_get_header(Some(hash))).await
    }

    /// The hash of the block of a number on the best chain.
    pub(crate) async fn hash_of(&self, number: u32) -> Result<Option<H256>, Fault> {
        self.ask(|| self.methods.chain_get_block_hash(Some(number.into())))
            .await
    }

    /// The block of a number on the best chain.
    pub(crate) async fn numbered(&self, number: u32) -> Result<Option<BlockId>, Fault> {
        let hash = self.hash_of(number).await?;
        Ok(hash.map(|hash| BlockId { number, hash }))
    }

    /// Everything about one block.
    pub(crate) async fn at(&self, block: BlockId) -> Result<AtBlock, Fault> {
        let reference = BlockRef::from_hash(block.hash);
        self.client
            .at_block_hash_and_number(reference, block.number.into())
            .await
            .map_err(|error| Fault::Lost(error.to_string()))
    }

    /// Everything about the best block.
    pub(crate) async fn at_best(&self) -> Result<AtBlock, Fault> {
        self.at(self.best().await?).await
    }

    /// The last final block.
    pub(crate) async fn finalized(&self) -> Result<BlockId, Fault> {
        let hash = self.ask(|| self.methods.chain_get_finalized_head()).await?;
        let header = self
            .header(hash)
            .await?
            .ok_or_else(|| Fault::Other("its final block has no header".to_owned()))?;
        let number = number(&header);
        Ok(BlockId { number, hash })
    }

    /// How many transactions of an account the chain has up to a block.
    pub(crate) async fn nonce_at(&self, account: [u8; 32], at: BlockId) -> Result<u64, Fault> {
        let function = "AccountNonceApi_account_nonce";
        let answer = self.runtime(function, &account, Some(at.hash)).await?;
        u32::decode(&mut answer.as_slice())
            .map(u64::from)
            .map_err(|_| Fault::Other("it does not tell the account's number".to_owned()))
    }

    /// Calls a function of the runtime on the state after a block, the best one if `None`.
    pub(crate) async fn runtime(
        &self,
        function: &str,
        arguments: &[u8],
        at: Option<H256>,
    ) -> Result<Vec<u8>, Fault> {
        self.ask(|| self.methods.state_call(function, Some(arguments), at))
            .await
    }
}

/// The number of a block; those of the chains here fit 32 bits.
pub(crate) fn number(header: &<Config as subxt::Config>::Header) -> u32 {
    u32::try_from(header.number()).unwrap_or(u32::MAX)
}
