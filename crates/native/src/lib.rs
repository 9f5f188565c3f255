//! The protocol without a chain: one market, with the contracts' messages over the rules of the
//! core, in memory.
//!
//! Contracts load cells, call the core, store, and call the next contract. Here the same steps,
//! under the same names and in the same order, act on maps. So a message costs microseconds, and
//! histories of any length can be lived and checked ([`checks`]). That the released contracts do
//! exactly this, message by message and event by event, is what the differential test in
//! `tests/embedded` shows.
//!
//! `breakwater_sim::replay` composes the same rules a second time, from events instead of messages,
//! and shares no code with this crate on purpose: it shows that events alone amount to the state,
//! which it could not if both were one.
#![deny(missing_docs)]

pub mod acts;
mod admin;
mod auction;
mod breaker;
pub mod checks;
mod events;
pub mod message;
mod oracle;
mod running;
mod standing;
pub mod targets;
mod tokens;
mod vault;

pub use auction::House;
pub use events::Emitted;
pub use message::{Answer, Message};
pub use oracle::Oracle;
pub use tokens::Tokens;
pub use vault::Vault;

use breakwater_core::market::MarketParams;
use breakwater_core::oracle::{FeedConfig, OracleError};
use breakwater_core::units::{Block, Millis};
use breakwater_interfaces::vault::VaultError;
use breakwater_interfaces::{AccountId, MarketId};

/// The number of the only market.
pub const MARKET: MarketId = 0;

/// Who and where everything is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// Governs all contracts.
    pub governor: AccountId,
    /// May stop and restrict.
    pub guardian: AccountId,
    /// The oracle adapter.
    pub oracle: AccountId,
    /// The margin vault.
    pub vault: AccountId,
    /// The liquidation auction.
    pub auction: AccountId,
    /// The collateral token.
    pub collateral: AccountId,
    /// The quote token.
    pub quote: AccountId,
}

impl Addresses {
    /// Addresses where there is no chain that makes them.
    #[must_use]
    pub fn made_up() -> Self {
        let account = |number: u8| AccountId::from([number; 32]);
        Self {
            governor: account(200),
            guardian: account(201),
            oracle: account(202),
            vault: account(203),
            auction: account(204),
            collateral: account(205),
            quote: account(206),
        }
    }
}

/// All three contracts, two tokens and a clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Native {
    /// Who and where everything is.
    pub at: Addresses,
    /// The present block.
    pub block: Block,
    /// Its time, in milliseconds.
    pub now: Millis,
    /// Who holds what.
    pub tokens: Tokens,
    /// The oracle adapter with one feed.
    pub oracle: Oracle,
    /// The margin vault with one market.
    pub vault: Vault,
    /// The liquidation auction.
    pub house: House,
    /// What the message under way has told.
    events: Vec<Emitted>,
}

/// Why a market cannot be begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetupError {
    /// The vault refuses its parameters.
    Vault(VaultError),
    /// The oracle refuses its feed.
    Oracle(OracleError),
}

impl Native {
    /// A market in a block, without a price, without lenders.
    ///
    /// # Errors
    /// [`SetupError`].
    pub fn new(
        at: Addresses,
        feeders: &[AccountId],
        feed: FeedConfig,
        params: MarketParams,
        (block, now): (Block, Millis),
    ) -> Result<Self, SetupError> {
        let oracle = Oracle::new(feed, feeders).map_err(SetupError::Oracle)?;
        let vault = Vault::new(&at, params, now).map_err(SetupError::Vault)?;
        let house = House::new(&at, &vault.market).map_err(SetupError::Vault)?;
        Ok(Self {
            at,
            block,
            now,
            tokens: Tokens::default(),
            oracle,
            vault,
            house,
            events: Vec::new(),
        })
    }

    /// Lets blocks pass that take so long each.
    pub fn pass(&mut self, blocks: Block, block_time: Millis) {
        self.block = self.block.saturating_add(blocks);
        let time = block_time.saturating_mul(u64::from(blocks));
        self.now = self.now.saturating_add(time);
    }
}
