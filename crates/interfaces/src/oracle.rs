//! The oracle adapter: feeds, submissions and accepted rounds.

use crate::AccountId;
use breakwater_core::oracle::{Feed, FeedConfig, OracleError, Reading, Round};
use breakwater_core::units::{Millis, Price};

/// Number of a feed.
pub type FeedId = u32;

/// Messages of the oracle adapter.
#[ink::trait_definition]
pub trait OracleAdapter {
    /// Registers a feed. Governor only.
    ///
    /// # Errors
    /// `Unauthorised`, `FeedExists`, `InvalidConfig`.
    #[ink(message)]
    fn register_feed(&mut self, feed: FeedId, config: FeedConfig) -> Result<(), OracleError>;

    /// Lets an account submit prices to a feed. Governor only.
    ///
    /// # Errors
    /// `Unauthorised`, `UnknownFeed`, `CannotAddFeeder`.
    #[ink(message)]
    fn add_feeder(&mut self, feed: FeedId, feeder: AccountId) -> Result<(), OracleError>;

    /// Takes that right away. Governor only.
    ///
    /// # Errors
    /// `Unauthorised`, `UnknownFeed`, `NotAFeeder`.
    #[ink(message)]
    fn remove_feeder(&mut self, feed: FeedId, feeder: AccountId) -> Result<(), OracleError>;

    /// Submits a price observed at a time, and returns the round it completes, if any.
    ///
    /// # Events
    /// `RoundAccepted`.
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

    /// The latest accepted round with the price before it and the average.
    ///
    /// # Errors
    /// `UnknownFeed`, `NoRound`.
    #[ink(message)]
    fn read(&self, feed: FeedId) -> Result<Reading, OracleError>;

    /// A feed with its feeders and everything they submitted last.
    #[ink(message)]
    fn feed(&self, feed: FeedId) -> Option<Feed<AccountId>>;
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
