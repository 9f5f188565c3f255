//! The circuit breaker of the auction contract: what raises and lowers a stage, and by whom.

use crate::auction::AuctionContractError;
use crate::oracle::FeedId;
use crate::{AccountId, MarketId};
use breakwater_core::auction::Halts;
use breakwater_core::breaker::{Breaker, Cause, Evidence, Limits, Stage};
use breakwater_core::units::Amount;
use ink::prelude::vec::Vec;
use scale::{Decode, Encode};

/// A market's breaker as the auction contract stores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct MarketBreaker {
    /// Stage, causes and deadlines.
    pub breaker: Breaker,
    /// What settled batches showed lately.
    pub evidence: Evidence,
    /// What governance decided.
    pub limits: Limits,
    /// The market's hole, as the vault last told it: what a batch's size is compared with.
    pub hole: Amount,
    /// The market's feed.
    pub feed: FeedId,
}

/// The breaker of all markets as the auction contract stores it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct GlobalBreaker {
    /// Stage, causes and deadlines.
    pub breaker: Breaker,
    /// When all markets were halted.
    pub halts: Halts,
    /// Markets whose facts are counted together: the first eight of the quote token of the first
    /// one registered.
    pub members: Vec<MarketId>,
}

/// The breaker was tripped, and nothing else was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Tripped {
    /// The stage now, of the market or of all.
    pub stage: Stage,
}

/// Messages of the circuit breaker. Where a market may be `None`, the breaker of all markets is
/// meant.
#[ink::trait_definition]
pub trait CircuitBreaker {
    /// Raises a stage for a fact that holds now, and does nothing else. Anyone.
    ///
    /// An oracle that does not answer is one whose round is too old. For all markets the facts
    /// are [`Cause::Markets`], a majority of markets by size that has tripped, and
    /// [`Cause::BadDebt`], summed.
    ///
    /// # Events
    /// `StageChanged`.
    ///
    /// # Errors
    /// `UnknownMarket`, `Breaker`, `VaultUnavailable`.
    #[ink(message)]
    fn trip(
        &mut self,
        market: Option<MarketId>,
        cause: Cause,
    ) -> Result<Tripped, AuctionContractError>;

    /// Raises a stage by decision. Governor or guardian.
    ///
    /// # Events
    /// `StageChanged`.
    ///
    /// # Errors
    /// `NotGuardian`, `UnknownMarket`, `Breaker`, `VaultUnavailable`.
    #[ink(message)]
    fn raise(&mut self, market: Option<MarketId>, stage: Stage)
        -> Result<(), AuctionContractError>;

    /// Lowers a stage by decision, whatever its causes. Governor only.
    ///
    /// # Events
    /// `StageChanged`.
    ///
    /// # Errors
    /// `NotGovernor`, `UnknownMarket`, `Breaker`, `VaultUnavailable`.
    #[ink(message)]
    fn lower(&mut self, market: Option<MarketId>, stage: Stage)
        -> Result<(), AuctionContractError>;

    /// Opens what a breaker has closed, once the cool-off is over and every cause is gone. Anyone.
    ///
    /// # Events
    /// `StageChanged`.
    ///
    /// # Errors
    /// `UnknownMarket`, `Breaker`, `VaultUnavailable`.
    #[ink(message)]
    fn reopen(&mut self, market: Option<MarketId>) -> Result<(), AuctionContractError>;

    /// Takes over from the vault what was copied from its parameters and has changed since: the
    /// hole, and, while none of the market's auctions runs, the terms of standing bids. Anyone.
    ///
    /// # Errors
    /// `UnknownMarket`, `VaultUnavailable`, `Math`.
    #[ink(message)]
    fn refresh(&mut self, market: MarketId) -> Result<(), AuctionContractError>;

    /// Sets a market's limits. Governor only.
    ///
    /// # Events
    /// `LimitsSet`.
    ///
    /// # Errors
    /// `NotGovernor`, `UnknownMarket`, `Breaker`.
    #[ink(message)]
    fn set_limits(&mut self, market: MarketId, limits: Limits) -> Result<(), AuctionContractError>;

    /// A market's breaker, and that of all markets.
    #[ink(message)]
    fn breaker(&self, market: MarketId) -> Option<(MarketBreaker, GlobalBreaker)>;
}

/// A breaker was raised or lowered.
#[ink::event]
pub struct StageChanged {
    /// The market; `None` for all.
    pub market: Option<MarketId>,
    /// Its stage now.
    pub stage: Stage,
    /// The fact that raised it, if one did.
    pub cause: Option<Cause>,
    /// Who called.
    pub by: AccountId,
}

/// A market's limits were set.
#[ink::event]
pub struct LimitsSet {
    /// The market.
    pub market: MarketId,
    /// They are these now.
    pub limits: Limits,
}
