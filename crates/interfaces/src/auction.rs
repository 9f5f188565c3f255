//! The liquidation auction: bidders' balances, bids, the price clock and claims.

use crate::oracle::FeedId;
use crate::token::TokenError;
use crate::vault::VaultError;
use crate::{AccountId, MarketId};
use breakwater_core::auction::{
    Auction, AuctionError, Before, Clearing, Fill, Halts, Quote, Status,
};
use breakwater_core::breaker::BreakerError;
use breakwater_core::ledger::{Leaving, Settlement};
use breakwater_core::math::MathError;
use breakwater_core::standing::tiers::{Reserved, StandingClaim};
use breakwater_core::standing::{StandingError, StandingTerms};
use breakwater_core::units::{Amount, Block, Price, UnitScale};
use ink::prelude::vec::Vec;
use scale::{Decode, Encode};

/// A batch of a market.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct BatchKey {
    /// The market.
    pub market: MarketId,
    /// Number of the batch in it.
    pub number: u32,
}

/// Number of a bid in its batch.
pub type BidId = u32;

/// Why the auction contract refuses. Nothing has changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum AuctionContractError {
    /// The caller is not the governor.
    NotGovernor,
    /// The market has not been registered with this contract.
    UnknownMarket,
    /// The market has been registered already.
    MarketRegistered,
    /// There is no such batch.
    UnknownBatch,
    /// There is no such bid, or it has been claimed or cancelled.
    UnknownBid,
    /// The bid is somebody else's.
    NotBidder,
    /// The amount is zero.
    ZeroAmount,
    /// The caller's free balance is smaller.
    InsufficientBalance,
    /// No bid was named.
    NoBids,
    /// The amount is under the market's least one, and not all there is.
    AmountTooSmall,
    /// The vault did not answer.
    VaultUnavailable,
    /// The oracle did not answer.
    OracleUnavailable,
    /// The vault refuses.
    Vault(VaultError),
    /// A token call failed.
    Token(TokenError),
    /// A rule of the auction refuses.
    Auction(AuctionError),
    /// A rule of standing bids refuses.
    Standing(StandingError),
    /// A number left its range.
    Math(MathError),
    /// The caller is neither the guardian nor the governor.
    NotGuardian,
    /// The circuit breaker refuses.
    Breaker(BreakerError),
}

impl From<BreakerError> for AuctionContractError {
    fn from(error: BreakerError) -> Self {
        Self::Breaker(error)
    }
}

impl From<TokenError> for AuctionContractError {
    fn from(error: TokenError) -> Self {
        Self::Token(error)
    }
}

impl From<AuctionError> for AuctionContractError {
    fn from(error: AuctionError) -> Self {
        Self::Auction(error)
    }
}

impl From<StandingError> for AuctionContractError {
    fn from(error: StandingError) -> Self {
        match error {
            StandingError::Auction(error) => Self::Auction(error),
            StandingError::Math(error) => Self::Math(error),
            error => Self::Standing(error),
        }
    }
}

impl From<MathError> for AuctionContractError {
    fn from(error: MathError) -> Self {
        Self::Math(error)
    }
}

/// What the auction contract keeps of a market: copied from the vault when it is registered, and
/// when it was halted.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct AuctionMarket {
    /// Token that is sold.
    pub collateral: AccountId,
    /// Token that is bid.
    pub quote: AccountId,
    /// Factor between token units and prices.
    pub scale: UnitScale,
    /// Blocks a step lasts.
    pub blocks_per_step: u8,
    /// Blocks between an opening and its first step.
    pub announce_blocks: u8,
    /// The oracle, and the market's feed in it.
    pub oracle: AccountId,
    /// See `oracle`.
    pub feed: FeedId,
    /// What standing bids go by.
    pub standing: StandingTerms,
    /// Blocks in which its auctions could not be bid in.
    pub halts: Halts,
}

/// A quote token's balances inside the contract.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Treasury {
    /// Quote tokens the contract must hold: balances, and budgets not paid to a vault.
    pub held: Amount,
    /// What it held before the first deposit of a block: what came since sizes no lot yet.
    pub before: Before,
    /// What of it is standing bids.
    pub standing: Amount,
    /// Auctions that still reserve budgets of it.
    pub running: Vec<BatchKey>,
}

/// One auction as the contract stores it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct AuctionRecord {
    /// Terms, money and result.
    pub auction: Auction,
    /// Who opened it: half of the keeper reward is theirs.
    pub opener: AccountId,
    /// Bids placed so far: the id of the next one.
    pub bids: BidId,
    /// Collateral received from the vault for its bids and not claimed.
    pub collateral: Amount,
    /// The standing money it has reserved.
    pub standing: StandingClaim,
}

/// One bid as the contract stores it, until it is claimed or cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Bid {
    /// Whose it is.
    pub bidder: AccountId,
    /// The most it spends.
    pub budget: Amount,
    /// The most it pays per collateral.
    pub limit: Price,
    /// The step it joins.
    pub step: u8,
}

/// A part of an account's bids in a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct BidPage {
    /// Bids that have not been claimed or cancelled, and what a claim of them, in this order,
    /// would pay; `None` before settlement.
    pub bids: Vec<(BidId, Bid, Option<Fill>)>,
    /// Where to go on; `None` when there are no more.
    pub next: Option<BidId>,
}

/// Messages of the liquidation auction.
#[ink::trait_definition]
pub trait LiquidationAuction {
    /// Takes over a market's tokens and step length from the vault. Governor only.
    ///
    /// # Events
    /// `MarketRegistered`.
    ///
    /// # Errors
    /// `NotGovernor`, `MarketRegistered`, `VaultUnavailable`, `UnknownMarket`.
    #[ink(message)]
    fn register_market(&mut self, market: MarketId) -> Result<(), AuctionContractError>;

    /// Adds quote to the caller's balance. Needs an approval.
    ///
    /// # Events
    /// `BalanceChanged`.
    ///
    /// # Errors
    /// `UnknownMarket`, `ZeroAmount`, `Token`.
    #[ink(message)]
    fn deposit(&mut self, market: MarketId, amount: Amount) -> Result<(), AuctionContractError>;

    /// Takes quote out of the caller's free balance.
    ///
    /// # Events
    /// `BalanceChanged`.
    ///
    /// # Errors
    /// `UnknownMarket`, `ZeroAmount`, `InsufficientBalance`, `Token`.
    #[ink(message)]
    fn withdraw(&mut self, market: MarketId, amount: Amount) -> Result<(), AuctionContractError>;

    /// Opens a batch of everything under-margined, riskiest first. Anyone may call it.
    ///
    /// # Events
    /// `AuctionOpened`.
    ///
    /// # Errors
    /// `UnknownMarket`, `VaultUnavailable`, `Vault`.
    #[ink(message)]
    fn open_batch(&mut self, market: MarketId) -> Result<BatchKey, AuctionContractError>;

    /// Places a bid out of the caller's balance. It moves no token and calls no contract.
    ///
    /// # Events
    /// `BidPlaced`.
    ///
    /// # Errors
    /// `UnknownBatch`, `UnknownMarket`, `InsufficientBalance`, `Auction`.
    #[ink(message)]
    fn bid(
        &mut self,
        batch: BatchKey,
        budget: Amount,
        limit: Price,
        valid_until: Block,
    ) -> Result<BidId, AuctionContractError>;

    /// Changes the budget and the limit of a bid before its step begins; what the new budget
    /// needs more comes out of the caller's balance, what it needs less goes back.
    ///
    /// # Events
    /// `BidReplaced`.
    ///
    /// # Errors
    /// `UnknownBatch`, `UnknownBid`, `NotBidder`, `InsufficientBalance`, `Auction`.
    #[ink(message)]
    fn replace(
        &mut self,
        batch: BatchKey,
        bid: BidId,
        budget: Amount,
        limit: Price,
        valid_until: Block,
    ) -> Result<u8, AuctionContractError>;

    /// Takes a bid back before its step begins.
    ///
    /// # Events
    /// `BidCancelled`.
    ///
    /// # Errors
    /// `UnknownBatch`, `UnknownBid`, `NotBidder`, `Auction`.
    #[ink(message)]
    fn cancel(&mut self, batch: BatchKey, bid: BidId) -> Result<(), AuctionContractError>;

    /// Adds further under-margined cohorts to a batch whose first step has not begun. Anyone may
    /// call it; it earns nothing.
    ///
    /// # Events
    /// `AuctionExtended`.
    ///
    /// # Errors
    /// `UnknownBatch`, `UnknownMarket`, `Auction`, `VaultUnavailable`, `Vault`.
    #[ink(message)]
    fn extend(&mut self, batch: BatchKey) -> Result<(), AuctionContractError>;

    /// Takes the caller's position out of a running batch, unless an ended step has cleared. It
    /// needs target health at the opening's reference price, and an exit fee, for which the vault
    /// needs an approval. The ended steps are then judged by what the rest must raise.
    ///
    /// # Events
    /// `OwnerLeft`; `AuctionCleared`, when an ended step covers the rest.
    ///
    /// # Errors
    /// `UnknownBatch`, `UnknownMarket`, `Auction`, `VaultUnavailable`, `Vault`.
    #[ink(message)]
    fn leave(&mut self, batch: BatchKey) -> Result<Leaving, AuctionContractError>;

    /// Ends an auction whose ladder the market has left, at both of the last two accepted rounds,
    /// so that the rest can be offered again at once. Anyone may call it.
    ///
    /// # Events
    /// `AuctionCleared`.
    ///
    /// # Errors
    /// `UnknownBatch`, `UnknownMarket`, `Auction`, `VaultUnavailable`, `Vault`.
    #[ink(message)]
    fn reprice(&mut self, batch: BatchKey) -> Result<Clearing, AuctionContractError>;

    /// Judges all ended steps and clears the auction if its clock has ended. Anyone may call it.
    ///
    /// # Events
    /// `AuctionCleared`, when this call cleared it.
    ///
    /// # Errors
    /// `UnknownBatch`, `UnknownMarket`, `Auction` (`BiddingOpen` while the clock runs).
    #[ink(message)]
    fn advance(&mut self, batch: BatchKey) -> Result<Clearing, AuctionContractError>;

    /// Clears the auction if nobody has, pays the vault and receives the collateral sold: all or
    /// nothing. Anyone may call it.
    ///
    /// # Events
    /// `AuctionSettled`, which carries the clearing.
    ///
    /// # Errors
    /// `UnknownBatch`, `UnknownMarket`, `Auction`, `VaultUnavailable`, `Vault`, `Token`.
    #[ink(message)]
    fn settle(&mut self, batch: BatchKey) -> Result<Settlement, AuctionContractError>;

    /// Claims the caller's bids of a settled batch: money not spent goes back to the balance,
    /// collateral is paid out in one transfer.
    ///
    /// # Events
    /// `BidsClaimed`.
    ///
    /// # Errors
    /// `NoBids`, `UnknownBatch`, `UnknownBid`, `NotBidder`, `Auction`, `Token`.
    #[ink(message)]
    fn claim(&mut self, batch: BatchKey, bids: Vec<BidId>) -> Result<Fill, AuctionContractError>;

    /// An auction with its ladder, targets and money joined.
    #[ink(message)]
    fn auction(&self, batch: BatchKey) -> Option<AuctionRecord>;

    /// Where an auction stands now: step, price, target, money and how it would clear.
    #[ink(message)]
    fn status(&self, batch: BatchKey) -> Option<Status>;

    /// What a bid placed in a block, this one or a later one, would get if nobody else joined.
    ///
    /// # Errors
    /// `UnknownBatch`, `UnknownMarket`, `Auction`.
    #[ink(message)]
    fn quote(
        &self,
        batch: BatchKey,
        budget: Amount,
        limit: Price,
        at_block: Block,
    ) -> Result<Quote, AuctionContractError>;

    /// An account's bids in a batch, looked for from a number on, 64 numbers at a time.
    #[ink(message)]
    fn bids_of(&self, batch: BatchKey, owner: AccountId, from: BidId) -> BidPage;

    /// A bid that has not been claimed or cancelled.
    #[ink(message)]
    fn bid_of(&self, batch: BatchKey, bid: BidId) -> Option<Bid>;

    /// The free balance of an account in the quote token of a market.
    #[ink(message)]
    fn balance(&self, market: MarketId, owner: AccountId) -> Amount;

    /// Totals of the quote token of a market.
    #[ink(message)]
    fn treasury(&self, market: MarketId) -> Treasury;

    /// A registered market.
    #[ink(message)]
    fn market(&self, market: MarketId) -> Option<AuctionMarket>;
}

/// A market was taken over from the vault, or its terms were taken over again.
#[ink::event]
pub struct MarketRegistered {
    /// The market.
    pub market: MarketId,
    /// What the contract keeps of it.
    pub terms: AuctionMarket,
}

/// A balance changed by a deposit or a withdrawal.
#[ink::event]
pub struct BalanceChanged {
    /// The quote token.
    pub token: AccountId,
    /// Whose balance.
    pub owner: AccountId,
    /// What it is now.
    pub balance: Amount,
}

/// An auction was opened; its terms never change.
#[ink::event]
pub struct AuctionOpened {
    /// The batch.
    pub batch: BatchKey,
    /// Who opened it.
    pub opener: AccountId,
    /// Block in which its first step begins.
    pub first: Block,
    /// Blocks a step lasts.
    pub blocks_per_step: u8,
    /// Opening reference price.
    pub reference: Price,
    /// The price that clearing weighs others by.
    pub reserve: Price,
    /// Price of each step.
    pub prices: Vec<Price>,
    /// What the batch asks for at each step.
    pub targets: Vec<Amount>,
}

/// Cohorts were added to an auction before its first step.
#[ink::event]
pub struct AuctionExtended {
    /// The batch.
    pub batch: BatchKey,
    /// Who called.
    pub caller: AccountId,
    /// What the batch asks for at each step now.
    pub targets: Vec<Amount>,
}

/// An owner left a running batch.
#[ink::event]
pub struct OwnerLeft {
    /// The batch.
    pub batch: BatchKey,
    /// Who left.
    pub owner: AccountId,
    /// What the owner left with, the fee, and what the batch asks for now.
    pub leaving: Leaving,
    /// The batch's standing money, with the step that each tier joined.
    pub standing: Vec<Reserved>,
}

/// A bid was placed.
#[ink::event]
pub struct BidPlaced {
    /// The batch.
    pub batch: BatchKey,
    /// The bid.
    pub bid: BidId,
    /// Whose it is.
    pub bidder: AccountId,
    /// The most it spends.
    pub budget: Amount,
    /// The most it pays per collateral.
    pub limit: Price,
    /// The step it joins.
    pub step: u8,
}

/// A bid was changed.
#[ink::event]
pub struct BidReplaced {
    /// The batch.
    pub batch: BatchKey,
    /// The bid.
    pub bid: BidId,
    /// The most it spends now.
    pub budget: Amount,
    /// The most it pays per collateral now.
    pub limit: Price,
    /// The step it joins now.
    pub step: u8,
}

/// A bid was taken back.
#[ink::event]
pub struct BidCancelled {
    /// The batch.
    pub batch: BatchKey,
    /// The bid.
    pub bid: BidId,
}

/// An auction was judged before its settlement, which tells the result again.
#[ink::event]
pub struct AuctionCleared {
    /// The batch.
    pub batch: BatchKey,
    /// The result.
    pub clearing: Clearing,
    /// Its standing money, with the step that each tier joined.
    pub standing: Vec<Reserved>,
}

/// An auction paid the vault.
#[ink::event]
pub struct AuctionSettled {
    /// The batch.
    pub batch: BatchKey,
    /// Who called.
    pub settler: AccountId,
    /// The result, whoever judged it: the one price, quote paid, collateral received.
    pub clearing: Clearing,
    /// The batch's standing money, with the step that each tier joined.
    pub standing: Vec<Reserved>,
}

/// A bidder claimed bids.
#[ink::event]
pub struct BidsClaimed {
    /// The batch.
    pub batch: BatchKey,
    /// Whose bids.
    pub bidder: AccountId,
    /// Which.
    pub bids: Vec<BidId>,
    /// What they spent and received.
    pub fill: Fill,
}
