//! What is recorded, run again without a chain: prices through the rules of the oracle, and events
//! of vault and auction through the rules of both, until every balance is there again.
//!
//! `breakwater-native` composes the same rules from messages. The two share the core and nothing
//! else on purpose: there messages make state and tell events, here events alone have to amount to
//! the same state. With common code a fault in it would be on both sides of that comparison.
//!
//! | part | job |
//! |---|---|
//! | [`oracle`] | bands of the oracle and the breaker over recorded prices |
//! | [`margin`] | the margin that follows volatility, over recorded prices |
//! | [`log`] | events as lines of JSON |
//! | [`decode`] | events by their types |
//! | [`books`] | the books that a log of events amounts to |
//! | [`vault`], [`auction`] | what each event does to the books of its contract |
//! | [`check`] | the books against the views of the contracts |
//! | [`summary`] | the books in short, for people and machines |

pub mod auction;
pub mod books;
pub mod check;
pub mod decode;
pub mod log;
pub mod margin;
pub mod oracle;
pub mod summary;
pub mod vault;

pub use books::{Impossible, ReplayError, Replayed};
