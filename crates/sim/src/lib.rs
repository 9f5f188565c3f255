//! Price paths and outcomes of Breakwater runs.
//!
//! [`prices`] reads candle files and makes the built-in crash day; [`outcome`] is the plain record
//! of one run: what the JSON output shows and what the HTML report draws. [`bench`] measures what
//! messages cost.

pub mod artifacts;
#[cfg(feature = "embedded")]
pub mod bench;
pub mod books;
pub mod constructors;
#[cfg(feature = "embedded")]
pub mod demo;
pub mod deployment;
pub mod outcome;
pub mod prices;
pub mod recorded;
pub mod replay;
