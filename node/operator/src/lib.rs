//! Markets described in files, deployed on chains, and recorded.
//!
//! [`config`] reads `market.toml`; [`deploy`] brings a chain to what it says, however far an earlier
//! run came, or tells what that would [`cost`]; [`difference`] says in the file's words what is not as
//! described; [`record`] is the file that remembers the addresses; [`roots`] reads what no message of a
//! contract tells.

pub mod config;
pub mod cost;
pub mod decimal;
pub mod deploy;
pub mod difference;
pub mod record;
pub mod roots;
pub mod target;
