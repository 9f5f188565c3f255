//! Messages, errors and events of the Breakwater contracts, shared by the contracts themselves,
//! their tests and their clients.
//!
//! Calls go one way: user → auction → vault → oracle or token. Whoever calls a contract uses its
//! trait from here; no contract depends on the code of another.
#![cfg_attr(not(feature = "std"), no_std)]
#![deny(missing_docs)]
// The codec's derive casts variant indices; hand-written code has no narrowing `as`.
#![allow(clippy::cast_possible_truncation)]

pub mod auction;
pub mod breaker;
pub mod cell;
pub mod governance;
pub mod oracle;
pub mod root;
pub mod standing;
pub mod token;
pub mod two_pieces;
pub mod vault;
pub mod vault_admin;

/// The chain's environment: account, balance, block number and timestamp types.
///
/// With the feature `balance-u64` it is [`WithBalanceU64`]. A contract built for one cannot even be called on a chain of the other:
/// every message first reads the transferred value. Amounts of tokens have 128 bits in both.
#[cfg(not(feature = "balance-u64"))]
pub type Env = ink::env::DefaultEnvironment;

/// The chain's environment: account, balance, block number and timestamp types.
#[cfg(feature = "balance-u64")]
pub type Env = WithBalanceU64;

/// The environment of a chain whose native balances have 64 bits, otherwise ink!'s default.
#[derive(Clone, Debug, PartialEq, Eq)]
#[ink::scale_derive(TypeInfo)]
pub enum WithBalanceU64 {}

impl ink::env::Environment for WithBalanceU64 {
    const MAX_EVENT_TOPICS: usize =
        <ink::env::DefaultEnvironment as ink::env::Environment>::MAX_EVENT_TOPICS;

    type AccountId = ink::primitives::AccountId;
    type Balance = u64;
    type Hash = ink::primitives::Hash;
    type Timestamp = u64;
    type BlockNumber = u32;
    type ChainExtension = ink::env::NoChainExtension;
}

/// An account of the chain.
pub type AccountId = ink::primitives::AccountId;

/// Number of a market of the vault.
pub type MarketId = u32;
