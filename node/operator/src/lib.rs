//! Markets described in files, deployed on chains, and recorded.
//!
//! [`config`] reads `market.toml`; [`deploy`] brings a chain to what it says, however far an earlier
//! run came; [`record`] is the file that remembers the addresses, [`summary`] says what a
//! run did.

pub mod config;
pub mod decimal;
pub mod deploy;
pub mod record;
pub mod summary;
pub mod target;
