//! The feeder's, keeper's, bidder's and depth's program.
//!
//! [`Bot::on_block`](bot::Bot::on_block) is one step of it: it reads everything at the present
//! block ([`view`]), compares it with what it wrote down ([`store`]), decides by pure functions
//! ([`decide`]), and sends. It knows a chain only as [`Chain`](breakwater_chain::Chain), so tests
//! step the very same code on the embedded chain, block by block. [`run`] is the loop around it.

pub mod action;
pub mod bot;
pub mod config;
pub mod decide;
pub mod fault;
mod program;
pub mod run;
mod send;
pub mod source;
pub mod store;
pub mod strategy;
pub mod telemetry;
mod turns;
pub mod upkeep;
pub mod view;

pub use bot::{Bot, BotError, Report};
pub use config::{Config, ConfigError};
