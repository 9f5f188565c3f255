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
pub mod vault;
pub mod vault_admin;

/// The chain's environment: account, balance, block number and timestamp types.
pub type Env = ink::env::DefaultEnvironment;

/// An account of the chain.
pub type AccountId = ink::primitives::AccountId;

/// Number of a market of the vault.
pub type MarketId = u32;
