//! The margin vault's governance: changes of parameters, wind-down, insurance.

use crate::vault::VaultError;
use crate::{AccountId, MarketId};
use breakwater_core::ledger::TakenInKind;
use breakwater_core::margin::Margin;
use breakwater_core::market::{Limits, MarketParams, MarketPrices};
use breakwater_core::units::{Amount, Millis};
use scale::{Decode, Encode};

/// Messages that change the terms of a market, and those of its end.
#[ink::trait_definition]
pub trait VaultAdmin {
    /// Announces other parameters, in place of what was announced before. Governor only.
    ///
    /// # Events
    /// `MarketChanged`.
    ///
    /// # Errors
    /// `NotGovernor`, `UnknownMarket`, `Params`.
    #[ink(message)]
    fn propose_params(&mut self, market: MarketId, params: MarketParams) -> Result<(), VaultError>;

    /// Puts announced parameters into force once their notice is over. Anyone may call it.
    ///
    /// # Events
    /// `MarketChanged`.
    ///
    /// # Errors
    /// `UnknownMarket`, `Timelock`, `Params`.
    #[ink(message)]
    fn apply_params(&mut self, market: MarketId) -> Result<(), VaultError>;

    /// Withdraws announced parameters. Governor or guardian.
    ///
    /// # Events
    /// `MarketChanged`.
    ///
    /// # Errors
    /// `NotGuardian`, `Timelock`.
    #[ink(message)]
    fn cancel_params(&mut self, market: MarketId) -> Result<(), VaultError>;

    /// Lowers what binds new risk only, at once, and withdraws announced parameters, which were
    /// made without it. Governor or guardian.
    ///
    /// # Events
    /// `MarketChanged`.
    ///
    /// # Errors
    /// `NotGuardian`, `UnknownMarket`, `Params`.
    #[ink(message)]
    fn restrict(&mut self, market: MarketId, limits: Limits) -> Result<(), VaultError>;

    /// Winds a market down, for good: nothing is lent any more, all else goes on. Governor only.
    ///
    /// # Events
    /// `MarketChanged`.
    ///
    /// # Errors
    /// `NotGovernor`, `UnknownMarket`, `Lending`.
    #[ink(message)]
    fn wind_down(&mut self, market: MarketId) -> Result<(), VaultError>;

    /// Gives quote to a market's insurance; in a wind-down first to its lenders, up to what they
    /// have lost in it. Anyone may call it. Needs an approval.
    ///
    /// # Events
    /// `MarketChanged`.
    ///
    /// # Errors
    /// `UnknownMarket`, `Lending`, `Token`.
    #[ink(message)]
    fn insure(&mut self, market: MarketId, amount: Amount) -> Result<(), VaultError>;

    /// Pays the caller its part of what has come in since the wind-down began: quote, or
    /// collateral taken in kind. After the market's notice, asking for collateral first hands over
    /// what insurance holds of it, for what lenders have lost.
    ///
    /// # Events
    /// `MarketChanged`.
    ///
    /// # Errors
    /// `UnknownMarket`, `Lending`, `Token`.
    #[ink(message)]
    fn collect(&mut self, market: MarketId, in_kind: bool) -> Result<Amount, VaultError>;

    /// Ends one position's debt for collateral at the floor price, in a wind-down that is older
    /// than the market's notice, after an auction that found too little money. Anyone may call it.
    ///
    /// # Events
    /// `MarketChanged`.
    ///
    /// # Errors
    /// `UnknownMarket`, `OracleUnavailable`, `Ledger`.
    #[ink(message)]
    fn take_in_kind(&mut self, market: MarketId, owner: AccountId) -> Result<(), VaultError>;

    /// Has a market's margin follow the volatility that its feed measures, by one step. Anyone.
    ///
    /// # Events
    /// `MarketChanged`.
    ///
    /// # Errors
    /// `UnknownMarket`, `OracleUnavailable`, `Margin`.
    #[ink(message)]
    fn update_margin(&mut self, market: MarketId) -> Result<(), VaultError>;
}

/// The auction contract was named.
#[ink::event]
pub struct AuctionNamed {
    /// The auction contract.
    pub auction: AccountId,
}

/// Governance, insurance or the end of a market went a step further.
#[ink::event]
pub struct MarketChanged {
    /// The market.
    pub market: MarketId,
    /// By whose call.
    pub by: AccountId,
    /// What happened.
    pub change: Change,
}

/// A step in the life of a market.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
// Emitted once and dropped: a box would cost the contract an allocation.
#[allow(clippy::large_enum_variant)]
pub enum Change {
    /// Other parameters were announced.
    Proposed {
        /// When they may apply, milliseconds.
        ripe_at: Millis,
        /// They are these.
        params: MarketParams,
    },
    /// Announced parameters were withdrawn.
    Cancelled,
    /// Announced parameters came into force.
    Applied,
    /// Limits were lowered, and announced parameters withdrawn.
    Restricted {
        /// They are these now.
        limits: Limits,
    },
    /// The market is wound down.
    WindDown {
        /// The loss above the cap that began it, quote; zero where the governor did.
        loss: Amount,
    },
    /// Quote was given to insurance.
    Insured {
        /// Quote given.
        amount: Amount,
        /// The part that made good what lenders lost in a wind-down.
        to_lenders: Amount,
    },
    /// A lender was paid in a wind-down.
    Collected {
        /// Quote, or collateral.
        amount: Amount,
        /// Whether it is collateral.
        in_kind: bool,
    },
    /// Lenders took collateral for debt nobody bought.
    TookInKind {
        /// Whose debt ended.
        owner: AccountId,
        /// What was taken, and what stays the owner's.
        taken: TakenInKind,
        /// The prices it was judged at.
        prices: MarketPrices,
    },
    /// Lenders received what insurance held of the collateral, for what they have lost.
    HandedOver {
        /// Collateral.
        collateral: Amount,
        /// What it makes good, quote: what insurance had paid for it.
        good: Amount,
    },
    /// The margin followed the volatility.
    Margin(Margin),
}
