//! A log of events: lines of JSON. The first line names the two contracts, every further one is an
//! event of theirs as the chain has it, numbered from 0.

use super::decode::{AuctionEvent, VaultEvent};
use breakwater_chain::{ContractEvent, Emitted};
use breakwater_interfaces::AccountId;
use serde::{Deserialize, Serialize};
use std::io::{self, BufRead, Write};

/// Version of the form of the log.
pub const LOG_SCHEMA: u32 = 1;

/// The contracts that a log is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contracts {
    /// The margin vault.
    pub vault: AccountId,
    /// The liquidation auction.
    pub auction: AccountId,
}

impl Contracts {
    /// Whether a contract is one of them.
    #[must_use]
    pub fn has(&self, contract: AccountId) -> bool {
        contract == self.vault || contract == self.auction
    }

    /// What these two have emitted, numbered in the order of the chain: the log of a chain that
    /// kept all of its events.
    #[must_use]
    pub fn number(&self, emitted: Vec<Emitted>) -> Vec<Entry> {
        let own = emitted
            .into_iter()
            .filter(|emitted| self.has(emitted.event.contract));
        (0..)
            .zip(own)
            .map(|(sequence, emitted)| Entry { sequence, emitted })
            .collect()
    }
}

/// One event of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number in the log, from 0 and without a gap.
    pub sequence: u64,
    /// The event with its place on the chain.
    pub emitted: Emitted,
}

/// Why a log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The lines cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A line is no line of a log.
    #[error("line {line}: {reason}")]
    Line {
        /// Its number, from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// There is not even a first line.
    #[error("it is empty: the first line has to name vault and auction")]
    Empty,
    /// The form is another version's.
    #[error("its form is of version {0}; this program reads version {LOG_SCHEMA}")]
    Schema(u32),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    breakwater_events: u32,
    vault: String,
    auction: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    sequence: u64,
    block: u32,
    timestamp: u64,
    contract: String,
    /// For people; the first topic is what tells the type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event: Option<String>,
    topics: Vec<String>,
    data: String,
}

fn hex_of(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

/// An account as it is written in a log.
#[must_use]
pub fn account_text(account: AccountId) -> String {
    let bytes: &[u8; 32] = account.as_ref();
    hex_of(bytes)
}

fn bytes_of(text: &str) -> Result<Vec<u8>, String> {
    let digits = text
        .strip_prefix("0x")
        .ok_or_else(|| format!("{text:.20}: hexadecimal numbers begin with 0x"))?;
    hex::decode(digits).map_err(|error| format!("{text:.20}: {error}"))
}

fn array_of(text: &str) -> Result<[u8; 32], String> {
    bytes_of(text)?
        .try_into()
        .map_err(|_| format!("{text:.20}: 32 bytes are wanted"))
}

impl Line {
    fn read(self) -> Result<Entry, String> {
        let topics: Result<_, _> = self.topics.iter().map(|topic| array_of(topic)).collect();
        Ok(Entry {
            sequence: self.sequence,
            emitted: Emitted {
                block: self.block,
                timestamp: self.timestamp,
                event: ContractEvent {
                    contract: array_of(&self.contract)?.into(),
                    topics: topics?,
                    data: bytes_of(&self.data)?,
                },
            },
        })
    }
}

fn name(contracts: &Contracts, event: &ContractEvent) -> Option<String> {
    let name = if event.contract == contracts.vault {
        VaultEvent::decode(event).ok()??.name()
    } else {
        AuctionEvent::decode(event).ok()??.name()
    };
    Some(name.to_owned())
}

fn put(to: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *to, line)?;
    to.write_all(b"\n")
}

/// Writes the first line of a log.
///
/// # Errors
/// Those of the writer.
pub fn write_head(to: &mut impl Write, contracts: &Contracts) -> io::Result<()> {
    put(
        to,
        &Head {
            breakwater_events: LOG_SCHEMA,
            vault: account_text(contracts.vault),
            auction: account_text(contracts.auction),
        },
    )
}

/// Writes events of a log.
///
/// # Errors
/// Those of the writer.
pub fn write_entries(
    to: &mut impl Write,
    contracts: &Contracts,
    entries: &[Entry],
) -> io::Result<()> {
    for Entry { sequence, emitted } in entries {
        let event = &emitted.event;
        put(
            to,
            &Line {
                sequence: *sequence,
                block: emitted.block,
                timestamp: emitted.timestamp,
                contract: account_text(event.contract),
                event: name(contracts, event),
                topics: event.topics.iter().map(|topic| hex_of(topic)).collect(),
                data: hex_of(&event.data),
            },
        )?;
    }
    Ok(())
}

/// Reads a log event by event.
///
/// # Errors
/// [`LogError`], of the first line here and of each further one where its entry would be.
pub fn read(
    from: impl BufRead,
) -> Result<(Contracts, impl Iterator<Item = Result<Entry, LogError>>), LogError> {
    let mut lines = (1u64..).zip(from.lines());
    let (_, first) = lines.next().ok_or(LogError::Empty)?;
    let bad = |line: u64, reason: String| LogError::Line { line, reason };
    let head: Head = serde_json::from_str(&first?).map_err(|error| bad(1, error.to_string()))?;
    if head.breakwater_events != LOG_SCHEMA {
        return Err(LogError::Schema(head.breakwater_events));
    }
    let account = |text: &str| array_of(text).map_err(|reason| bad(1, reason));
    let contracts = Contracts {
        vault: account(&head.vault)?.into(),
        auction: account(&head.auction)?.into(),
    };
    let entries = lines
        .filter(|(_, line)| !line.as_ref().is_ok_and(|line| line.trim().is_empty()))
        .map(move |(number, line)| {
            let line: Line =
                serde_json::from_str(&line?).map_err(|error| bad(number, error.to_string()))?;
            line.read().map_err(|reason| bad(number, reason))
        });
    Ok((contracts, entries))
}
