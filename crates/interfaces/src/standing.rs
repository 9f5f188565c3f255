//! Standing bids: quote that rests in discount tiers of a market across auctions.
//!
//! The messages belong to the liquidation auction: a tier's quote comes out of the free balance
//! there and goes back to it.

use crate::auction::{AuctionContractError, BatchKey};
use crate::{AccountId, MarketId};
use breakwater_core::standing::account::{Payout, Worth};
use breakwater_core::standing::Standing;
use breakwater_core::units::Amount;

/// Messages about standing bids.
#[ink::trait_definition]
pub trait StandingBids {
    /// Puts quote of the caller's free balance into the tier of a discount in per cent, 2 to 30.
    /// It takes part in every batch opened from now on; while batches have money of the tier
    /// reserved, in those opened after the last of them has settled.
    ///
    /// # Events
    /// `StandingChanged`.
    ///
    /// # Errors
    /// `UnknownMarket`, `AmountTooSmall`, `InsufficientBalance`, `Standing`.
    #[ink(message)]
    fn stand(
        &mut self,
        market: MarketId,
        percent: u8,
        amount: Amount,
    ) -> Result<(), AuctionContractError>;

    /// Takes quote out of a tier, at most all of it. Returns what went back to the free balance
    /// at once; the rest stays in the batches that have money of the tier reserved and can be
    /// claimed, at what it is worth then, when the last of them has settled.
    ///
    /// # Events
    /// `StandingChanged`.
    ///
    /// # Errors
    /// `UnknownMarket`, `AmountTooSmall`, `Standing`.
    #[ink(message)]
    fn unstand(
        &mut self,
        market: MarketId,
        percent: u8,
        amount: Amount,
    ) -> Result<Amount, AuctionContractError>;

    /// Claims what the caller's money in a tier has bought and what has left the tier: collateral
    /// is paid out in one transfer, quote goes back to the free balance.
    ///
    /// # Events
    /// `StandingClaimed`.
    ///
    /// # Errors
    /// `UnknownMarket`, `Standing`, `Token`.
    #[ink(message)]
    fn claim_standing(
        &mut self,
        market: MarketId,
        percent: u8,
    ) -> Result<Payout, AuctionContractError>;

    /// All tiers of a market.
    #[ink(message)]
    fn standing(&self, market: MarketId) -> Standing;

    /// What an account has in a tier.
    ///
    /// # Errors
    /// `Standing`, `Math`.
    #[ink(message)]
    fn stake_of(
        &self,
        market: MarketId,
        percent: u8,
        owner: AccountId,
    ) -> Result<Worth, AuctionContractError>;
}

/// Money was put into a tier or asked out of it.
#[ink::event]
pub struct StandingChanged {
    /// The market.
    pub market: MarketId,
    /// The tier's discount in per cent.
    pub percent: u8,
    /// Whose.
    pub owner: AccountId,
    /// What was put in.
    pub entered: Amount,
    /// What went back to the free balance at once.
    pub returned: Amount,
    /// What was asked out, at once or later.
    pub asked: Amount,
}

/// A depositor claimed.
#[ink::event]
pub struct StandingClaimed {
    /// The market.
    pub market: MarketId,
    /// The tier's discount in per cent.
    pub percent: u8,
    /// Whose.
    pub owner: AccountId,
    /// What was paid.
    pub payout: Payout,
}

/// A settled batch was paid in part by standing bids.
#[ink::event]
pub struct StandingFilled {
    /// The batch.
    pub batch: BatchKey,
    /// Quote that all tiers spent.
    pub spent: Amount,
    /// Collateral that all tiers received.
    pub received: Amount,
}
