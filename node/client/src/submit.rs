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
use crate::native::Width;
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

/// What the pool says of a transaction signed for another version of the runtime, or another chain.
const BAD_SIGNATURE: &str = "bad signature";

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
    /// It can be in no block any more: a final block has another transaction of its number, or it is
    /// too old.
    Gone,
    Unknown(Fault),
}

/// A signed transaction.
struct Signed {
    bytes: Vec<u8>,
    account: [u8; 32],
    nonce: u64,
    /// It is valid on this block and the [`MORTALITY`] after it.
    from: BlockId,
}

/// Signs a call, sends it and waits for its block. Where another program signs for the same account
/// the pool refuses the later of two transactions of one number: that one gets another number. One
/// that the pool has taken once is signed anew only when no block can ever have it.
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
        let bytes = at
            .transactions()
            .create_signable_offline(call, params)
            .and_then(|mut transaction| transaction.sign(signer.keypair()))
            .map_err(refused)?
            .into_encoded();
        let signed = Signed {
            bytes,
            account,
            nonce,
            from,
        };
        let fate = match hand_over(connection, &signed).await {
            Ok(watched) => {
                numbers.used(nonce);
                drop(numbers);
                follow(connection, watched, &signed, wait).await
            }
            Err(refusal) => {
                numbers.forget();
                drop(numbers);
                last = judge(refusal)?;
                continue;
            }
        };
        match fate {
            Fate::In(block) => return included(connection, block, &signed.bytes).await,
            Fate::Gone => {
                entry.lock().await.forget();
                last = "another transaction took its number".to_owned();
            }
            Fate::Unknown(fault) => {
                entry.lock().await.forget();
                return Err(fault.into());
            }
        }
    }
    if last.contains(BAD_SIGNATURE) {
        return Err(Unsent::Refused(format!(
            "{last}, {TRIES} times: the node runs another runtime than it tells of; try again, or \
             another node"
        )));
    }
    Err(Unsent::Refused(format!(
        "{last}, {TRIES} times: another program may be signing for this account, or the pool is full"
    )))
}

type Watched = subxt::rpcs::client::RpcSubscription<TransactionStatus<H256>>;

/// Gives a transaction to the node. `None` if the node may have it, but nothing will be heard of it.
async fn hand_over(connection: &Connection, signed: &Signed) -> Result<Option<Watched>, Fault> {
    let mut lost = None;
    for _ in 0..TRIES {
        let sent = connection
            .methods
            .author_submit_and_watch_extrinsic(&signed.bytes)
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
            // And it may be in a block already. Any other refusal says that it is neither there nor
            // in the pool.
            Err(fault) if lost.is_some() && is_used(&fault) => return Ok(None),
            Err(fault) => return Err(fault),
        }
    }
    Err(lost.unwrap_or_else(|| Fault::Lost("it does not answer".to_owned())))
}

/// Whether the pool says that the number was used, by this transaction or by another one.
fn is_used(refusal: &Fault) -> bool {
    match refusal {
        Fault::Refused { code, message } => {
            *code == pool::BANNED || (*code == pool::INVALID && message.contains("outdated"))
        }
        _ => false,
    }
}

/// Whether a refusal may pass: then why, in words; else the error.
fn judge(refusal: Fault) -> Result<String, Unsent> {
    let Fault::Refused { code, message } = &refusal else {
        return Err(Unsent::Fault(refusal));
    };
    let passing = match *code {
        pool::INVALID if message.contains("Inability to pay") => return Err(Unsent::FeeUnpaid),
        // Its number was used, or the era or version it was signed for is over.
        pool::INVALID => message.contains("outdated") || message.contains(BAD_SIGNATURE),
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
    signed: &Signed,
    wait: Wait,
) -> Fate {
    let since = Instant::now();
    if let Some(watched) = watched {
        if let Some(block) = listen(connection, watched, signed, wait).await {
            return Fate::In(block);
        }
    }
    // Nothing is heard any more: the blocks themselves tell.
    loop {
        let last = match look(connection, signed, wait).await {
            Ok(Some(fate)) => return fate,
            // A node that was restarted has lost its pool, and a full pool drops what it had. The
            // same bytes again cannot be in two blocks.
            Ok(None) => {
                let again = connection.methods.author_submit_extrinsic(&signed.bytes);
                again.await.err().map(Fault::from)
            }
            Err(fault) => Some(fault),
        };
        if since.elapsed() > PATIENCE {
            let seconds = PATIENCE.as_secs();
            let last = last.map_or_else(String::new, |fault| format!(" ({fault})"));
            let reason = format!("no block has the transaction after {seconds} s{last}");
            return Fate::Unknown(Fault::Lost(reason));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Waits for the node's word that a transaction is in a block; `None` when it says that it dropped
/// it, or says nothing any more.
async fn listen(
    connection: &Connection,
    mut watched: Watched,
    signed: &Signed,
    wait: Wait,
) -> Option<BlockId> {
    while let Ok(Some(Ok(status))) = tokio::time::timeout(PATIENCE, watched.next()).await {
        let hash = match (status, wait) {
            (TransactionStatus::InBlock(hash), Wait::BestBlock)
            | (TransactionStatus::Finalized(hash), _) => hash,
            (
                TransactionStatus::Usurped(_)
                | TransactionStatus::Dropped
                | TransactionStatus::Invalid,
                _,
            ) => return None,
            _ => continue,
        };
        let header = connection.header(hash).await.ok()?;
        let Some(header) = header else { continue };
        let number = crate::connection::number(&header);
        let block = BlockId { number, hash };
        // Believed once the block shows it: reports and blocks can cross.
        let place = position(connection, block, &signed.bytes).await.ok()?;
        return place.map(|_| block);
    }
    None
}

/// What the blocks tell about a transaction; `None` while it can still come into one.
async fn look(connection: &Connection, signed: &Signed, wait: Wait) -> Result<Option<Fate>, Fault> {
    // What is final first: a block that becomes so meanwhile is looked at the next time.
    let last = connection.finalized().await?;
    if let Some(block) = find(connection, signed).await? {
        let there = wait == Wait::BestBlock || block.number <= last.number;
        return Ok(there.then_some(Fate::In(block)));
    }
    let is_over = last.number > signed.from.number.saturating_add(2 * MORTALITY);
    let is_used = connection.nonce_at(signed.account, last).await? > signed.nonce;
    Ok((is_over || is_used).then_some(Fate::Gone))
}

/// Looks for a transaction in the blocks from which on it was valid.
async fn find(connection: &Connection, signed: &Signed) -> Result<Option<BlockId>, Fault> {
    let best = connection.best().await?;
    for number in signed.from.number.saturating_add(1)..=best.number {
        let Some(block) = connection.numbered(number).await? else {
            break;
        };
        if position(connection, block, &signed.bytes).await?.is_some() {
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
                included.fee = fee_paid(connection.width, fields).map_err(undecodable)?;
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

/// The fee of a `TransactionFeePaid`, without the tip after it.
pub(crate) fn fee_paid(width: Width, mut fields: &[u8]) -> Result<Balance, scale::Error> {
    let input = &mut fields;
    let _payer: [u8; 32] = Decode::decode(input)?;
    width.decode(input)
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

    #[test]
    fn only_a_used_number_may_mean_that_a_lost_transaction_arrived() {
        let stale = "Invalid Transaction: Transaction is outdated";
        assert!(is_used(&refusal(1010, stale)));
        assert!(is_used(&refusal(1012, "Transaction is temporarily banned")));
        let version = "Invalid Transaction: Transaction has a bad signature";
        for other in [refusal(1010, version), refusal(1014, "Priority is too low")] {
            assert!(!is_used(&other), "{other}");
        }
    }
}
