//! Contracts on a node, over WebSocket: the second backend of [`Chain`](breakwater_chain::Chain).
//!
//! [`Node`] runs every call as a dry run first, sends it with a margin of gas and deposit, keeps
//! the signer's nonces, and waits for the block. Transactions and events are encoded by the
//! metadata the node gives, so nothing is generated at build time.
//!
//! A connection that breaks is opened again. A transaction that was under way is looked for in the
//! blocks that followed and is never signed a second time before it is known to be lost, so no bid
//! is placed twice. [`Follower`] reads block after block without a gap, also after a break, for
//! programs that live on events.

mod blocks;
mod connection;
mod costs;
mod dry_run;
mod events;
mod failure;
mod follow;
mod native;
mod node;
mod nonces;
mod settings;
mod signer;
mod submit;

pub use connection::Unreachable;
pub use follow::{BlockUpdate, Follower};
pub use node::Node;
pub use settings::{Settings, Wait};
pub use signer::{BadSecret, KeySigner};
