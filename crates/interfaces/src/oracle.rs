//! The oracle adapter: feeds, submissions and accepted rounds.

use crate::AccountId;
use breakwater_core::oracle::{Feed, FeedConfig, OracleError, Reading, Round, SourceConfig};
use breakwater_core::standing::seen::Seen;
use breakwater_core::timelock::Proposal;
use breakwater_core::units::{Block, Millis, Price};
use ink::prelude::string::String;
use ink::prelude::vec::Vec;

/// Number of a feed.
pub type FeedId = u32;

/// Messages of the oracle adapter.
#[ink::trait_definition]
pub trait OracleAdapter {
    /// Registers a feed. Governor only.
    ///
    /// # Events
    /// `FeedChanged`.
    ///
    /// # Errors
    /// `Unauthorised`, `FeedExists`, `InvalidConfig`.
    #[ink(message)]
    fn register_feed(&mut self, feed: FeedId, config: FeedConfig) -> Result<(), OracleError>;

    /// Lets an account submit prices to a feed. Governor only.
    ///
    /// # Events
    /// `FeederChanged`.
    ///
    /// # Errors
    /// `Unauthorised`, `UnknownFeed`, `CannotAddFeeder`.
    #[ink(message)]
    fn add_feeder(&mut self, feed: FeedId, feeder: AccountId) -> Result<(), OracleError>;

    /// Lets another contract count as a feeder: its prices are fetched by [`Self::poke`].
    /// Governor only.
    ///
    /// # Events
    /// `FeederChanged`.
    ///
    /// # Errors
    /// `Unauthorised`, `UnknownFeed`, `CannotAddFeeder`, `InvalidConfig`.
    #[ink(message)]
    fn add_source(
        &mut self,
        feed: FeedId,
        source: AccountId,
        config: SourceConfig,
    ) -> Result<(), OracleError>;

    /// Takes that right away. Governor only.
    ///
    /// # Events
    /// `FeederChanged`.
    ///
    /// # Errors
    /// `Unauthorised`, `UnknownFeed`, `NotAFeeder`.
    #[ink(message)]
    fn remove_feeder(&mut self, feed: FeedId, feeder: AccountId) -> Result<(), OracleError>;

    /// Announces another configuration of a feed, in place of what was announced before;
    /// `None` withdraws it. Governor only.
    ///
    /// # Events
    /// `FeedChanged`.
    ///
    /// # Errors
    /// `Unauthorised`, `UnknownFeed`, `InvalidConfig`, `OutOfBounds`.
    #[ink(message)]
    fn propose_feed(&mut self, feed: FeedId, config: Option<FeedConfig>)
        -> Result<(), OracleError>;

    /// Puts an announced configuration into force once its notice is over. Anyone.
    ///
    /// # Events
    /// `FeedChanged`.
    ///
    /// # Errors
    /// `UnknownFeed`, `Timelock`, `OutOfBounds`.
    #[ink(message)]
    fn apply_feed(&mut self, feed: FeedId) -> Result<(), OracleError>;

    /// The announced configuration of a feed.
    #[ink(message)]
    fn proposed_feed(&self, feed: FeedId) -> Option<Proposal<FeedConfig>>;

    /// Submits a price observed at a time, and returns the round it completes, if any.
    ///
    /// # Events
    /// `RoundAccepted`, `RoundQuarantined`.
    ///
    /// # Errors
    /// `UnknownFeed`, `NotAFeeder`, `InvalidPrice`, `Replayed`, `FromTheFuture`, `TooOld`.
    #[ink(message)]
    fn submit(
        &mut self,
        feed: FeedId,
        price: Price,
        observed_at: Millis,
    ) -> Result<Option<Round>, OracleError>;

    /// Fetches a source's price and submits it in the source's name. Anyone.
    ///
    /// The source is called with the gas its configuration allows. One that traps, burns its gas,
    /// answers with something else or with an unacceptable price changes nothing.
    ///
    /// # Events
    /// `RoundAccepted`, `RoundQuarantined`.
    ///
    /// # Errors
    /// `NotASource`, `SourceFailed`, and those of [`Self::submit`].
    #[ink(message)]
    fn poke(&mut self, feed: FeedId, source: AccountId) -> Result<Option<Round>, OracleError>;

    /// The latest accepted round with everything derived from it: one small cell.
    ///
    /// # Errors
    /// `UnknownFeed`, `NoRound`.
    #[ink(message)]
    fn read(&self, feed: FeedId) -> Result<Reading, OracleError>;

    /// Accepted and quarantined prices since a block, oldest first and one a block, and the last
    /// accepted one before it: what standing bids depend on. Empty for an unknown feed.
    #[ink(message)]
    fn prices_since(&self, feed: FeedId, block: Block) -> Vec<Seen>;

    /// A feed with its feeders and everything they submitted last.
    #[ink(message)]
    fn feed(&self, feed: FeedId) -> Option<Feed<AccountId>>;
}

/// Prices of another contract, as oracles on these chains publish them (the shape of DIA's).
#[ink::trait_definition]
pub trait OracleGetters {
    /// Time and value of the latest price of a pair; the units are the source's own.
    #[ink(message)]
    fn get_latest_price(&self, pair: String) -> Option<(u64, u128)>;
}

/// A median too far from what was known waits for confirmation.
#[ink::event]
pub struct RoundQuarantined {
    /// The feed.
    pub feed: FeedId,
    /// The median.
    pub price: Price,
    /// Block in which it was made.
    pub block: Block,
}

/// A feed was registered, or its configuration changed, or will, or will not after all.
#[ink::event]
pub struct FeedChanged {
    /// The feed.
    pub feed: FeedId,
    /// What is announced now; `None` where nothing is, any more.
    pub announced: Option<Proposal<FeedConfig>>,
    /// What is in force now.
    pub config: FeedConfig,
}

/// An account may submit to a feed now, or no more.
#[ink::event]
pub struct FeederChanged {
    /// The feed.
    pub feed: FeedId,
    /// The account.
    pub feeder: AccountId,
    /// Whether it may.
    pub may_submit: bool,
    /// How it is asked, where it is another contract.
    pub source: Option<SourceConfig>,
}

/// A round was accepted.
#[ink::event]
pub struct RoundAccepted {
    /// The feed.
    pub feed: FeedId,
    /// The round.
    pub round: Round,
    /// Price of the round before it.
    pub previous: Price,
}
