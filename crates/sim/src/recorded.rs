//! Calls recorded on one chain and played again on another, to compare what they did.
//!
//! A recording has everything that a call depends on: who called what with which input, in which
//! block, at which time. [`Recorder`] stands between a program and its chain and writes it down;
//! [`replay`] plays it on the chain in the process.

use breakwater_chain::{
    AccountId, Balance, CallError, CallOptions, Chain, Constructor, ContractEvent, Message,
    QueryError, Receipt, Signer,
};
use ink::env::call::{ExecutionInput, Selector};
use scale::{Decode, Encode, Input};
use serde::{Deserialize, Serialize};
use std::fmt::Debug;

/// A recording.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// Calls in order.
    pub calls: Vec<Call>,
}

/// One call. Bytes are hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Who.
    pub signer: String,
    /// What.
    pub operation: Operation,
    /// Where it was tried before it was sent.
    pub at: Moment,
    /// What trying it told.
    pub tried: Tried,
    /// What sending it did; nothing if trying it failed.
    pub done: Option<Done>,
}

/// A block by number and timestamp, milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// Number.
    pub block: u32,
    /// Timestamp.
    pub time: u64,
}

/// What was called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// A constructor.
    Instantiate {
        /// The code.
        code: String,
        /// Its selector and arguments.
        input: String,
        /// The salt.
        salt: String,
    },
    /// A message.
    Call {
        /// Of which contract.
        contract: String,
        /// Its selector and arguments.
        input: String,
    },
}

/// What a dry run tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// What was returned, `ok` or `refused` with bytes, or why there is nothing.
    pub result: String,
    /// Gas and deposit of what succeeds.
    pub cost: Option<Cost>,
    /// What contracts emitted.
    pub events: Vec<Event>,
}

/// Gas and storage deposit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Spent, picoseconds.
    pub ref_time: u64,
    /// Spent, bytes.
    pub proof_size: u64,
    /// Least limit, picoseconds.
    pub ref_time_required: u64,
    /// Least limit, bytes.
    pub proof_size_required: u64,
    /// Negative when refunded.
    pub storage_deposit: i128,
}

/// What an executed call shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// Its block.
    pub at: Moment,
    /// What contracts emitted.
    pub events: Vec<Event>,
}

/// An event. Bytes are hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Who emitted it.
    pub contract: String,
    /// Its topics.
    pub topics: Vec<String>,
    /// Its fields.
    pub data: String,
}

impl From<&ContractEvent> for Event {
    fn from(event: &ContractEvent) -> Self {
        Self {
            contract: hex::encode(event.contract),
            topics: event.topics.iter().map(hex::encode).collect(),
            data: hex::encode(&event.data),
        }
    }
}

/// Bytes as they are, without a length before them.
struct Raw(Vec<u8>);

impl Encode for Raw {
    fn encode(&self) -> Vec<u8> {
        self.0.clone()
    }
}

impl Decode for Raw {
    fn decode<I: Input>(input: &mut I) -> Result<Self, scale::Error> {
        let left = input.remaining_len()?.unwrap_or(0);
        let mut bytes = vec![0; left];
        input.read(&mut bytes)?;
        Ok(Self(bytes))
    }
}

fn raw_input(input: &[u8]) -> ExecutionInput<impl Encode> {
    let (selector, arguments) = input.split_at(input.len().min(4));
    let mut bytes = [0; 4];
    bytes[..selector.len()].copy_from_slice(selector);
    ExecutionInput::new(Selector::new(bytes)).push_arg(Raw(arguments.to_vec()))
}

fn raw_message(input: &[u8]) -> Message<Result<Raw, Raw>> {
    Message::new(&raw_input(input))
}

fn tried(result: &Result<Receipt<Raw>, CallError<Raw>>) -> Tried {
    let failed = |result| Tried {
        result,
        cost: None,
        events: Vec::new(),
    };
    match result {
        Ok(receipt) => Tried {
            result: format!("ok {}", hex::encode(&receipt.value.0)),
            cost: Some(Cost {
                ref_time: receipt.gas_consumed.ref_time,
                proof_size: receipt.gas_consumed.proof_size,
                ref_time_required: receipt.gas_required.ref_time,
                proof_size_required: receipt.gas_required.proof_size,
                storage_deposit: receipt.storage_deposit,
            }),
            events: receipt.events.iter().map(Event::from).collect(),
        },
        Err(CallError::Reverted(error)) => failed(format!("refused {}", hex::encode(&error.0))),
        Err(other) => failed(other_text(other)),
    }
}

fn other_text(error: &CallError<Raw>) -> String {
    match error {
        // All but this one has nothing of the message's own in it.
        CallError::Reverted(_) => "refused".to_owned(),
        CallError::Transport(reason) => format!("transport: {reason}"),
        CallError::Dispatch(reason) => format!("dispatch: {reason}"),
        CallError::OutOfGas => "out of gas".to_owned(),
        CallError::Trapped => "trapped".to_owned(),
        CallError::NoSuchContract => "no such contract".to_owned(),
        CallError::Lang(error) => format!("{error:?}"),
        CallError::Undecodable => "undecodable".to_owned(),
        CallError::StorageDeposit(error) => error.to_string(),
        CallError::CodeRejected(reason) => reason.clone(),
        CallError::FeeUnpaid { .. } => "fee unpaid".to_owned(),
    }
}

/// A chain whose calls are written down.
pub struct Recorder<C> {
    /// The chain.
    pub chain: C,
    /// What was called so far.
    pub recording: Recording,
}

impl<C: Chain> Recorder<C> {
    /// Begins with nothing written down.
    pub fn new(chain: C) -> Self {
        let recording = Recording::default();
        Self { chain, recording }
    }

    async fn moment(&self) -> Result<Moment, QueryError> {
        let (block, time) = (self.chain.block().await?, self.chain.now().await?);
        Ok(Moment { block, time })
    }

    async fn done<T>(&self, receipt: &Receipt<T>) -> Result<Done, QueryError> {
        let at = self.moment().await?;
        // The clock is that of the best block.
        if at.block != receipt.block {
            let reason = "somebody else makes blocks: record on a chain of your own".to_owned();
            return Err(CallError::Transport(reason));
        }
        let events = receipt.events.iter().map(Event::from).collect();
        Ok(Done { at, events })
    }
}

impl<C: Chain> Chain for Recorder<C> {
    type Signer = C::Signer;

    async fn instantiate_with<E: Decode>(
        &mut self,
        signer: &C::Signer,
        code: &[u8],
        constructor: impl Into<Constructor<E>>,
        salt: &[u8],
        options: CallOptions,
    ) -> Result<Receipt<AccountId>, CallError<E>> {
        let at = self.moment().await.map_err(CallError::widen)?;
        let constructor = constructor.into();
        let input = hex::encode(constructor.input());
        let receipt = self
            .chain
            .instantiate_with(signer, code, constructor, salt, options)
            .await?;
        let done = self.done(&receipt).await.map_err(CallError::widen)?;
        let account: &[u8; 32] = receipt.value.as_ref();
        let shown = Receipt {
            value: Raw(account.to_vec()),
            ..receipt.clone().map(|_| Raw(Vec::new()))
        };
        self.recording.calls.push(Call {
            signer: hex::encode(signer.account_id()),
            operation: Operation::Instantiate {
                code: hex::encode(code),
                input,
                salt: hex::encode(salt),
            },
            at,
            tried: Tried {
                // Those of the execution: an instantiation is not tried on its own.
                events: Vec::new(),
                ..tried(&Ok(shown))
            },
            done: Some(done),
        });
        Ok(receipt)
    }

    async fn call_with<T: Decode, E: Decode>(
        &mut self,
        signer: &C::Signer,
        contract: AccountId,
        message: impl Into<Message<Result<T, E>>>,
        options: CallOptions,
    ) -> Result<Receipt<T>, CallError<E>> {
        let message = message.into();
        let at = self.moment().await.map_err(CallError::widen)?;
        let input = message.input().to_vec();
        let dry = self
            .chain
            .dry_run_with(signer, contract, raw_message(&input), options)
            .await;
        let tried = tried(&dry);
        let (result, done) = match dry {
            Ok(_) => {
                let receipt = self
                    .chain
                    .call_with(signer, contract, message, options)
                    .await?;
                let done = self.done(&receipt).await.map_err(CallError::widen)?;
                (Ok(receipt), Some(done))
            }
            // Once more, for the message's own error.
            Err(_) => {
                let refused = self
                    .chain
                    .dry_run_with(signer, contract, message, options)
                    .await;
                (refused, None)
            }
        };
        self.recording.calls.push(Call {
            signer: hex::encode(signer.account_id()),
            operation: Operation::Call {
                contract: hex::encode(contract),
                input: hex::encode(input),
            },
            at,
            tried,
            done,
        });
        result
    }

    async fn dry_run_with<T: Decode, E: Decode>(
        &self,
        signer: &C::Signer,
        contract: AccountId,
        message: impl Into<Message<Result<T, E>>>,
        options: CallOptions,
    ) -> Result<Receipt<T>, CallError<E>> {
        self.chain
            .dry_run_with(signer, contract, message, options)
            .await
    }

    async fn query<T: Decode>(
        &self,
        caller: AccountId,
        contract: AccountId,
        message: impl Into<Message<T>>,
    ) -> Result<T, QueryError> {
        self.chain.query(caller, contract, message).await
    }

    async fn block(&self) -> Result<u32, QueryError> {
        self.chain.block().await
    }

    async fn now(&self) -> Result<u64, QueryError> {
        self.chain.now().await
    }

    async fn advance(&mut self, blocks: u32) -> Result<(), QueryError> {
        self.chain.advance(blocks).await
    }

    async fn free_balance(&self, account: AccountId) -> Result<Balance, QueryError> {
        self.chain.free_balance(account).await
    }
}

#[cfg(feature = "embedded")]
pub use again::{replay, ReplayError};

#[cfg(feature = "embedded")]
mod again {
    use super::*;
    use breakwater_chain::{Embedded, Genesis};

    /// A recording that cannot be played.
    #[derive(Debug, thiserror::Error)]
    pub enum ReplayError {
        /// Bytes that are none.
        #[error("the recording is damaged: {0}")]
        Damaged(&'static str),
        /// The chain does not run.
        #[error("{0}")]
        Chain(#[from] QueryError),
    }

    fn bytes(text: &str) -> Result<Vec<u8>, ReplayError> {
        hex::decode(text).map_err(|_| ReplayError::Damaged("bytes are not hexadecimal"))
    }

    fn account(text: &str) -> Result<AccountId, ReplayError> {
        let account: [u8; 32] = bytes(text)?
            .try_into()
            .map_err(|_| ReplayError::Damaged("an account is not 32 bytes"))?;
        Ok(account.into())
    }

    /// Plays a recording on the chain in the process, at the same blocks and times, and returns what
    /// that writes down.
    ///
    /// # Errors
    /// [`ReplayError`].
    pub async fn replay(recording: &Recording) -> Result<Recording, ReplayError> {
        let Some(first) = recording.calls.first() else {
            return Ok(Recording::default());
        };
        // Nobody remembers earlier blocks.
        let mut chain = Embedded::with_genesis(Genesis {
            accounts: 0,
            time: first.at.time - u64::from(first.at.block - 1) * MIN_BLOCK_TIME,
            block_time: MIN_BLOCK_TIME,
            ..Genesis::default()
        });
        let mut signers = Vec::new();
        let mut again = Recording::default();
        for call in &recording.calls {
            let signer = account(&call.signer)?;
            if !signers.contains(&signer) {
                chain.fund(signer, ENDOWMENT)?;
                signers.push(signer);
            }
            go_to(&mut chain, call.at).await?;
            again.calls.push(play(&mut chain, signer, call).await?);
        }
        Ok(again)
    }

    /// Least time between two blocks, milliseconds.
    const MIN_BLOCK_TIME: u64 = 5;
    /// Native tokens of a signer.
    const ENDOWMENT: Balance = 1_000_000_000_000_000_000;

    async fn go_to(chain: &mut Embedded, moment: Moment) -> Result<(), ReplayError> {
        let (block, now) = (chain.block().await?, chain.now().await?);
        let Some(before_last) = moment.block.saturating_sub(block).checked_sub(1) else {
            return Ok(());
        };
        chain.set_block_time(MIN_BLOCK_TIME);
        chain.advance(before_last).await?;
        let left = moment.time.saturating_sub(chain.now().await?.max(now));
        chain.set_block_time(left);
        chain.advance(1).await?;
        Ok(())
    }

    async fn play(
        chain: &mut Embedded,
        signer: AccountId,
        call: &Call,
    ) -> Result<Call, ReplayError> {
        let options = CallOptions::default();
        let (tried, receipt) = match &call.operation {
            Operation::Instantiate { code, input, salt } => {
                if let Some(done) = &call.done {
                    go_to(chain, done.at).await?;
                }
                let constructor = Constructor::<()>::new(&raw_input(&bytes(input)?));
                let (code, salt) = (bytes(code)?, bytes(salt)?);
                let result = chain
                    .instantiate_with(&signer, &code, constructor, &salt, options)
                    .await;
                let result = result
                    .map(|receipt| {
                        receipt.map(|contract| {
                            let account: &[u8; 32] = contract.as_ref();
                            Raw(account.to_vec())
                        })
                    })
                    .map_err(|error| error.map_reverted(|()| Raw(Vec::new())));
                let told = Tried {
                    events: Vec::new(),
                    ..tried(&result)
                };
                (told, result.ok())
            }
            Operation::Call { contract, input } => {
                let (contract, input) = (account(contract)?, bytes(input)?);
                let message = || raw_message(&input);
                let dry = chain
                    .dry_run_with(&signer, contract, message(), options)
                    .await;
                let mut receipt = None;
                if let Some(done) = &call.done {
                    go_to(chain, done.at).await?;
                    let sent = chain.call_with(&signer, contract, message(), options).await;
                    receipt = sent.ok();
                }
                (tried(&dry), receipt)
            }
        };
        let done = match receipt {
            Some(receipt) => Some(Done {
                at: Moment {
                    block: chain.block().await?,
                    time: chain.now().await?,
                },
                events: receipt.events.iter().map(Event::from).collect(),
            }),
            None => None,
        };
        Ok(Call {
            signer: call.signer.clone(),
            operation: call.operation.clone(),
            at: call.at,
            tried,
            done,
        })
    }
}
