//! One client API for the Breakwater contracts, whatever chain runs them.
//!
//! [`Chain`] is what simulations, tests and the command line program against. It takes typed
//! messages, made from ink! call builders, and gives back typed values, typed contract errors,
//! events, gas, storage deposit and fee. Two backends implement it:
//!
//! - `Embedded`, here, with the feature `embedded`, which is on by default: the contracts node's
//!   own runtime, run natively in this process on an in-memory state. Weights, limits, deposits,
//!   fees and events are the node's, without the node. A second runtime has the limits of live
//!   chains: see `Profile`.
//! - `Node` in the crate `breakwater-node`: a node reached over WebSocket.
//!
//! ```no_run
//! # #[ink::trait_definition]
//! # pub trait Counter {
//! #     #[ink(message)]
//! #     fn add(&mut self, by: u32) -> Result<u32, ()>;
//! # }
//! use breakwater_chain::{Chain, Embedded};
//! use ink::{codegen::TraitCallBuilder, env::DefaultEnvironment};
//!
//! # async fn example(counter: ink::primitives::AccountId)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! let mut chain = Embedded::new();
//! let alice = chain.account(0);
//! let mut contract: ink::contract_ref!(Counter, DefaultEnvironment) = counter.into();
//! let receipt = chain.call(&alice, counter, contract.call_mut().add(2)).await?;
//! println!("{} for a fee of {}", receipt.value, receipt.fee);
//! chain.advance(1).await?;
//! # Ok(())
//! # }
//! ```

mod chain;
#[cfg(feature = "embedded")]
mod embedded;
mod error;
mod message;
mod receipt;

pub use chain::{CallOptions, Chain, Signer};
#[cfg(feature = "embedded")]
pub use embedded::{Embedded, Genesis, Profile, Snapshot, Trace, UnitTimes, PROFILE_VARIABLE};
pub use error::{CallError, DepositError, QueryError};
pub use ink::primitives::AccountId;
pub use message::{Constructor, Message};
pub use receipt::{ContractEvent, Emitted, Gas, Receipt};

/// An amount of the chain's native token, in its smallest unit.
pub type Balance = u128;
