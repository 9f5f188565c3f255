//! What opening and settling a batch is made of, and how large the contracts are.

use super::cost::Cost;
use super::stage::{params, Buying, Stage, QUOTE};
use super::ticks::{positions, Layout};
use super::Watch;
use crate::artifacts::Contract;
use crate::deployment::StepError;
use breakwater_chain::{AccountId, Trace};
use breakwater_core::units::Amount;
use breakwater_interfaces::auction::LiquidationAuction;
use breakwater_interfaces::token::PSP22;
use breakwater_interfaces::vault::MarginVault;
use ink::codegen::TraitCallBuilder;
use serde::Serialize;

/// The accesses and calls of one message.
#[derive(Clone, Debug, Serialize)]
pub struct AnatomyRow {
    /// The message.
    pub message: &'static str,
    /// Its weight.
    pub cost: Cost,
    /// Contracts called by contracts.
    pub nested_calls: usize,
    /// Code loaded for all calls, bytes; a contract called twice counts twice.
    pub code_bytes: usize,
    /// Storage cells read.
    pub reads: u32,
    /// Storage cells written.
    pub writes: u32,
    /// Storage cells taken or cleared.
    pub removals: u32,
    /// Events emitted by contracts.
    pub events: u32,
    /// All other host functions.
    pub other: u32,
    /// Time charged for reading, writing and removing, apart from the bytes.
    pub storage_time: u64,
    /// Time charged for calling contracts and loading their code.
    pub call_time: u64,
    /// Time charged for events, apart from the bytes.
    pub event_time: u64,
    /// What is left: instructions, bytes and other host functions.
    pub rest_time: u64,
}

/// Code of one contract.
#[derive(Clone, Debug, Serialize)]
pub struct SizeRow {
    /// The contract.
    pub contract: &'static str,
    /// Its code, bytes.
    pub bytes: usize,
    /// The most the project allows it.
    pub limit: Option<usize>,
    /// Whether it stays under that.
    pub passes: Option<bool>,
}

/// Sizes of the released contracts.
///
/// # Errors
/// [`StepError::Bundle`].
pub fn sizes() -> Result<Vec<SizeRow>, StepError> {
    const KIB: usize = 1_024;
    // The code length that live chains take, as in `scripts/build.sh`.
    const LIVE: usize = 123 * KIB;
    let contracts = [
        ("margin_vault", Contract::MarginVault, Some(LIVE)),
        ("vault_ext", Contract::VaultExt, Some(LIVE)),
        (
            "liquidation_auction",
            Contract::LiquidationAuction,
            Some(LIVE),
        ),
        ("auction_ext", Contract::AuctionExt, Some(LIVE)),
        ("oracle_adapter", Contract::OracleAdapter, Some(40 * KIB)),
        ("test_token", Contract::TestToken, None),
    ];
    let mut rows = Vec::new();
    for (contract, bundle, limit) in contracts {
        let bytes = bundle.code()?.len();
        rows.push(SizeRow {
            contract,
            bytes,
            limit,
            passes: limit.map(|limit| bytes <= limit),
        });
    }
    Ok(rows)
}

/// Code lengths by address.
fn lengths(stage: &Stage) -> Result<[(AccountId, usize); 5], StepError> {
    let d = &stage.d;
    let token = Contract::TestToken.code()?.len();
    Ok([
        (d.vault, Contract::MarginVault.code()?.len()),
        (d.auction, Contract::LiquidationAuction.code()?.len()),
        (d.oracle, Contract::OracleAdapter.code()?.len()),
        (d.collateral, token),
        (d.quote, token),
    ])
}

/// A trace as a row.
fn row(
    stage: &Stage,
    message: &'static str,
    trace: Option<Trace>,
) -> Result<AnatomyRow, StepError> {
    let trace = trace.ok_or_else(|| StepError::Call {
        step: message,
        reason: "it cannot be traced".to_owned(),
    })?;
    let reads = trace.calls_of("get_storage") + trace.calls_of("contains_storage");
    let writes = trace.calls_of("set_storage");
    let removals = trace.calls_of("take_storage") + trace.calls_of("clear_storage");
    let events = trace.calls_of("deposit_event");
    let calls = trace.calls_of("call");
    let all: u32 = trace.host.values().sum();
    let lengths = lengths(stage)?;
    let length = |contract: &AccountId| {
        let found = lengths.iter().find(|(known, _)| known == contract);
        found.map_or(0, |(_, length)| *length)
    };
    let code_bytes: usize = trace.contracts.iter().map(length).sum();
    let unit = stage.chain.unit_times();
    let times = |number: u32, unit: u64| u64::from(number) * unit;
    let storage_time =
        times(reads, unit.read) + times(writes, unit.write) + times(removals, unit.removal);
    let call_time = times(calls, unit.call) + code_bytes as u64 * unit.code_mebibyte / (1 << 20);
    let event_time = times(events, unit.event);
    let ref_time = trace.gas.ref_time;
    Ok(AnatomyRow {
        message,
        cost: Cost {
            ref_time,
            proof_size: trace.gas.proof_size,
            ..Cost::default()
        },
        nested_calls: trace.contracts.len().saturating_sub(1),
        code_bytes,
        reads,
        writes,
        removals,
        events,
        other: all.saturating_sub(reads + writes + removals + events + calls),
        storage_time,
        call_time,
        event_time,
        rest_time: ref_time.saturating_sub(storage_time + call_time + event_time),
    })
}

/// What messages are made of, for batches over so many neighbouring ticks.
///
/// # Errors
/// [`StepError`].
pub fn table(watch: &mut Watch<'_>) -> Result<Vec<AnatomyRow>, StepError> {
    const NAMES: [(u16, [&str; 2]); 2] = [
        (8, ["open_batch, 8 ticks", "settle, 8 ticks"]),
        (32, ["open_batch, 32 ticks", "settle, 32 ticks"]),
    ];
    watch.stage("what messages are made of", 3 * (8 + 32));
    let mut rows = Vec::new();
    for (ticks, [opening, settling]) in NAMES {
        let (positions, price) = positions(Layout::Neighbouring, ticks, 3);
        let mut stage = Stage::new(params())?;
        let (d, keeper) = (stage.d, stage.keeper);
        let money = Amount::new(1_000_000 * QUOTE);
        stage.bidder(money)?;
        stage.open_positions(positions, watch)?;
        if rows.is_empty() {
            let message = crate::deployment::Deployment::token(d.quote)
                .call_mut()
                .transfer(d.vault, 0, Vec::new());
            let trace = stage.chain.trace(keeper, d.quote, message);
            rows.push(row(&stage, "token transfer of nothing", trace)?);
            let message = d.vault().call_mut().sync(0, stage.owners()[0], 1);
            let trace = stage.chain.trace(keeper, d.vault, message);
            rows.push(row(&stage, "sync, up to date", trace)?);
        }
        stage.set_price(price)?;
        let message = d.auction().call_mut().open_batch(0);
        let trace = stage.chain.trace(keeper, d.auction, message);
        rows.push(row(&stage, opening, trace)?);
        let batch = stage.prepare(Buying {
            bids: 1,
            money,
            advance: false,
        })?;
        let message = d.auction().call_mut().settle(batch.key);
        let trace = stage.chain.trace(keeper, d.auction, message);
        rows.push(row(&stage, settling, trace)?);
    }
    Ok(rows)
}
