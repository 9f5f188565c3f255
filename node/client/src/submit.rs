//! Sending a transaction: its number, its signature, the pool's refusals, and the block it is in.

use std::time::{Duration, Instant};

use breakwater_chain::{Balance, CallError, ContractEvent, Signer};
use scale::Decode;
use subxt::config::substrate::SubstrateExtrinsicParamsBuilder;
use subxt::events::Phase;
use subxt::ext::scale_encode::EncodeAsFields;
use subxt::rpcs::methods::legacy::TransactionStatus;
use subxt::transactions::DynamicPayload;
use subxt::utils::H256;

use crate::connection::{BlockId, Config, Connection, Fault};
use crate::events::{contract_event, undecodable};
use crate::failure::RuntimeError;
use crate::nonces::Nonces;
use crate::settings::Wait;
use crate::signer::KeySigner;

/// Blocks after which a transaction that is in none can never be in one.
const MORTALITY: u32 = 64;
/// How often a transaction is given another number, or offered to a full pool again.
const TRIES: u32 = 6;
/// Longest wait for a block.
const PATIENCE: Duration = Duration::from_secs(120);
/// Pause between two looks at a chain whose subscription broke.
const PAUSE: Duration = Duration::from_millis(250);

/// Codes of the transaction pool.
mod pool {
    pub(super) const INVALID: i32 = 1010;
    pub(super) const BANNED: i32 = 1012;
    pub(super) const ALREADY_IMPORTED: i32 = 1013;
    pub(super) const PRIORITY_TOO_LOW: i32 = 1014;
    pub(super) const IMMEDIATELY_DROPPED: i32 = 1016;
}

/// A transaction that is in a block.
#[derive(Clone, Debug)]
pub(crate) struct Included {
    pub(crate) block: BlockId,
    /// What contracts emitted.
    pub(crate) events: Vec<ContractEvent>,
    /// What it cost.
    pub(crate) fee: Balance,
    /// The contract it instantiated last.
    pub(crate) instantiated: Option<[u8; 32]>,
    /// Why it changed nothing.
    pub(crate) failure: Option<RuntimeError>,
}

/// A transaction that is in no block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unsent {
    /// The signer cannot pay.
    FeeUnpaid,
    /// The runtime would not take it.
    Refused(String),
    /// Nobody knows.
    Fault(Fault),
}

impl From<Fault> for Unsent {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Unsent {
    pub(crate) fn call_error<E>(self, fee: Balance) -> CallError<E> {
        match self {
            Self::FeeUnpaid => CallError::FeeUnpaid { fee },
            Self::Refused(reason) => CallError::Dispatch(reason),
            Self::Fault(fault) => fault.into(),
        }
    }
}

/// What became of a transaction that was handed to the node.
enum Fate {
    In(BlockId),
    /// It can be in no block: another one took its number, or the pool dropped it.
    Gone,
    Unknown(Fault),
}

/// Signs a call, sends it and waits for its block. A number that has been used meanwhile is
/// replaced; a transaction that may be in a block is never sent a second time.
pub(crate) async fn send<Call: EncodeAsFields>(
    connection: &Connection,
    nonces: &Nonces,
    signer: &KeySigner,
    call: &DynamicPayload<Call>,
    wait: Wait,
) -> Result<Included, Unsent> {
    let account: [u8; 32] = *signer.account_id().as_ref();
    let entry = nonces.of(account).await;
    let mut last = "the pool did not take it".to_owned();
    for attempt in 0..TRIES {
        if attempt > 0 {
            tokio::time::sleep(PAUSE * attempt).await;
        }
        // Held until the node has the transaction, so that numbers are handed over in order.
        let mut numbers = entry.lock().await;
        let at = connection.at_best().await?;
        let from = BlockId {
            number: u32::try_from(at.block_number()).unwrap_or(u32::MAX),
            hash: at.block_hash(),
        };
        let id = subxt::utils::AccountId32(account);
        let on_chain = connection
            .ask(|| connection.methods.system_account_next_index(&id))
            .await?;
        let nonce = numbers.next(on_chain);
        let params = SubstrateExtrinsicParamsBuilder::<Config>::new()
            .nonce(nonce)
            .mortal_from_unchecked(MORTALITY.into(), from.number.into(), from.hash)
            .build();
        let refused = |error: subxt::error::ExtrinsicError| {
            Unsent::Refused(format!(
                "the call cannot be encoded for this chain, {error}"
            ))
        };
        let transaction = at
            .transactions()
            .create_signable_offline(call, params)
            .and_then(|mut transaction| transaction.sign(signer.keypair()))
            .map_err(refused)?
            .into_encoded();
        let fate = match hand_over(connection, &transaction, from).await {
            Ok(watched) => {
                numbers.used(nonce);
                drop(numbers);
                follow(connection, watched, &transaction, from, wait).await
            }
            Err(refusal) => {
                numbers.forget();
                drop(numbers);
                last = judge(refusal)?;
                continue;
            }
        };
        match fate {
            Fate::In(block) => return included(connection, block, &transaction).await,
            Fate::Gone => {
                entry.lock().await.forget();
                last = "the pool dropped it".to_owned();
            }
            Fate::Unknown(fault) => {
                entry.lock().await.forget();
                return Err(fault.into());
            }
        }
    }
    Err(Unsent::Refused(format!(
        "{last} {TRIES} times: another program may be signing for this account, or the pool is full"
    )))
}

type Watched = subxt::rpcs::client::RpcSubscription<TransactionStatus<H256>>;

/// Gives a transaction to the node. `None` if the node has it, but nothing will be heard of it.
async fn hand_over(
    connection: &Connection,
    transaction: &[u8],
    from: BlockId,
) -> Result<Option<Watched>, Fault> {
    let mut lost = None;
    for _ in 0..TRIES {
        let sent = connection
            .methods
            .author_submit_and_watch_extrinsic(transaction)
            .await
            .map_err(Fault::from);
        match sent {
            Ok(watched) => return Ok(Some(watched)),
            Err(Fault::Refused { code, .. }) if code == pool::ALREADY_IMPORTED => return Ok(None),
            // It may have arrived before the connection broke: the very same one is sent again.
            Err(fault @ Fault::Lost(_)) => {
                lost = Some(fault);
                tokio::time::sleep(PAUSE).await;
            }
            Err(fault) => {
                if lost.is_some() && find(connection, transaction, from).await?.is_some() {
                    return Ok(None);
                }
                return Err(fault);
            }
        }
    }
    Err(lost.unwrap_or_else(|| Fault::Lost("it does not answer".to_owned())))
}

/// Whether a refusal may pass: then why, in words; else the error.
fn judge(refusal: Fault) -> Result<String, Unsent> {
    let Fault::Refused { code, message } = &refusal else {
        return Err(Unsent::Fault(refusal));
    };
    let passing = match *code {
        pool::INVALID if message.contains("Inability to pay") => return Err(Unsent::FeeUnpaid),
        // Its number was used, or the era or version it was signed for is over.
        pool::INVALID => message.contains("outdated") || message.contains("bad signature"),
        pool::PRIORITY_TOO_LOW | pool::BANNED | pool::IMMEDIATELY_DROPPED => true,
        _ => false,
    };
    if passing {
        Ok(format!("the pool refused it ({message})"))
    } else {
        Err(Unsent::Refused(message.clone()))
    }
}

/// Waits until a transaction is in a block, or cannot be in one any more.
async fn follow(
    connection: &Connection,
    watched: Option<Watched>,
    transaction: &[u8],
    from: BlockId,
    wait: Wait,
) -> Fate {
    let since = Instant::now();
    if let Some(mut watched) = watched {
        let mut dropped = false;
        while let Ok(Some(Ok(status))) = tokio::time::timeout(PATIENCE, watched.next()).await {
            let hash = match (status, wait) {
                (TransactionStatus::InBlock(hash), Wait::BestBlock)
                | (TransactionStatus::Finalized(hash), _) => hash,
                (
                    TransactionStatus::Usurped(_)
                    | TransactionStatus::Dropped
                    | TransactionStatus::Invalid,
                    _,
                ) => {
                    dropped = true;
                    break;
                }
                _ => continue,
            };
            match connection.header(hash).await {
                Ok(Some(header)) => {
                    let number = crate::connection::number(&header);
                    let block = BlockId { number, hash };
                    // Believed once the block shows it: reports and blocks can cross.
                    match position(connection, block, transaction).await {
                        Ok(Some(_)) => return Fate::In(block),
                        Ok(None) => break,
                        Err(fault) => return Fate::Unknown(fault),
                    }
                }
                Ok(None) => {}
                Err(fault) => return Fate::Unknown(fault),
            }
        }
        if dropped {
            return match find(connection, transaction, from).await {
                Ok(Some(block)) => Fate::In(block),
                Ok(None) => Fate::Gone,
                Err(fault) => Fate::Unknown(fault),
            };
        }
    }
    // Nothing is heard any more: the blocks themselves tell.
    loop {
        match find(connection, transaction, from).await {
            Ok(Some(block)) if wait == Wait::BestBlock => return Fate::In(block),
            Ok(Some(block)) => match is_final(connection, block).await {
                Ok(true) => return Fate::In(block),
                Ok(false) => {}
                Err(fault) => return Fate::Unknown(fault),
            },
            Ok(None) => {
                let best = connection.best().await.map(|best| best.number);
                if best.is_ok_and(|best| best > from.number.saturating_add(2 * MORTALITY)) {
                    return Fate::Gone;
                }
            }
            Err(fault) => return Fate::Unknown(fault),
        }
        if since.elapsed() > PATIENCE {
            let reason = format!(
                "no block has the transaction after {} s",
                PATIENCE.as_secs()
            );
            return Fate::Unknown(Fault::Lost(reason));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn is_final(connection: &Connection, block: BlockId) -> Result<bool, Fault> {
    let finalized = connection
        .ask(|| connection.methods.chain_get_finalized_head())
        .await?;
    let header = connection.header(finalized).await?;
    Ok(header.is_some_and(|header| crate::connection::number(&header) >= block.number))
}

/// Looks for a transaction in the blocks after `from`.
async fn find(
    connection: &Connection,
    transaction: &[u8],
    from: BlockId,
) -> Result<Option<BlockId>, Fault> {
    let best = connection.best().await?;
    for number in from.number.saturating_add(1)..=best.number {
        let Some(hash) = connection.hash_of(number).await? else {
            break;
        };
        let block = BlockId { number, hash };
        if position(connection, block, transaction).await?.is_some() {
            return Ok(Some(block));
        }
    }
    Ok(None)
}

/// The place of a transaction in a block.
async fn position(
    connection: &Connection,
    block: BlockId,
    transaction: &[u8],
) -> Result<Option<u32>, Fault> {
    let details = connection
        .ask(|| connection.methods.chain_get_block(Some(block.hash)))
        .await?;
    let place = details.and_then(|details| {
        let mut all = details.block.extrinsics.iter();
        all.position(|extrinsic| extrinsic.0 == transaction)
    });
    Ok(place.and_then(|place| u32::try_from(place).ok()))
}

/// What a transaction did in its block.
async fn included(
    connection: &Connection,
    block: BlockId,
    transaction: &[u8],
) -> Result<Included, Unsent> {
    let place = position(connection, block, transaction)
        .await?
        .ok_or_else(|| Fault::Other("its block has changed".to_owned()))?;
    let at = connection.at(block).await?;
    let events = at.events().fetch().await.map_err(undecodable)?;
    let mut included = Included {
        block,
        events: Vec::new(),
        fee: 0,
        instantiated: None,
        failure: None,
    };
    for event in events.iter() {
        let event = event.map_err(undecodable)?;
        if event.phase() != Phase::ApplyExtrinsic(place) {
            continue;
        }
        let fields = &mut event.field_bytes();
        match (event.pallet_name(), event.event_name()) {
            ("System", "ExtrinsicFailed") => {
                included.failure = Some(RuntimeError::decode(fields).map_err(undecodable)?);
            }
            ("TransactionPayment", "TransactionFeePaid") => {
                let (_, fee) = <([u8; 32], Balance)>::decode(fields).map_err(undecodable)?;
                included.fee = fee;
            }
            ("Contracts", "Instantiated") => {
                let (_, contract) = <([u8; 32], [u8; 32])>::decode(fields).map_err(undecodable)?;
                included.instantiated = Some(contract);
            }
            _ => included.events.extend(contract_event(&event)?),
        }
    }
    Ok(included)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: i32, message: &str) -> Fault {
        Fault::Refused {
            code,
            message: message.to_owned(),
        }
    }

    #[test]
    fn used_numbers_and_full_pools_are_tried_again() {
        for (code, message) in [
            (1010, "Invalid Transaction: Transaction is outdated"),
            (1014, "Priority is too low: (42 vs 42)"),
            (1012, "Transaction is temporarily banned"),
            (1016, "Immediately Dropped"),
        ] {
            assert!(judge(refusal(code, message)).is_ok(), "{message}");
        }
    }

    #[test]
    fn what_cannot_pass_is_told_at_once() {
        let poor = "Invalid Transaction: Inability to pay some fees (e.g. account balance too low)";
        assert_eq!(judge(refusal(1010, poor)), Err(Unsent::FeeUnpaid));
        let large = "Invalid Transaction: Transaction would exhaust the block limits";
        assert!(matches!(
            judge(refusal(1010, large)),
            Err(Unsent::Refused(_))
        ));
        let lost = Fault::Lost("gone".to_owned());
        assert_eq!(judge(lost.clone()), Err(Unsent::Fault(lost)));
    }
}
