//! The margin vault's governance: changes of parameters, wind-down, insurance.

use crate::vault::VaultError;
use crate::{AccountId, MarketId};
use breakwater_core::ledger::TakenInKind;
use breakwater_core::market::{Limits, MarketParams};
use breakwater_core::timelock::Proposal;
use breakwater_core::units::{Amount, Millis};

/// Messages that change the terms of a market, and those of its end.
#[ink::trait_definition]
pub trait VaultAdmin {
    /// Announces other parameters, in place of what was announced before. Governor only.
    ///
    /// # Events
    /// `ParamsProposed`.
    ///
    /// # Errors
    /// `NotGovernor`, `UnknownMarket`, `Params`.
    #[ink(message)]
    fn propose_params(&mut self, market: MarketId, params: MarketParams) -> Result<(), VaultError>;

    /// Puts announced parameters into force once their notice is over. Anyone may call it.
    ///
    /// # Events
    /// `ParamsChanged`.
    ///
    /// # Errors
    /// `UnknownMarket`, `Timelock`, `Params`.
    #[ink(message)]
    fn apply_params(&mut self, market: MarketId) -> Result<(), VaultError>;

    /// Withdraws announced parameters. Governor or guardian.
    ///
    /// # Events
    /// `ParamsCancelled`.
    ///
    /// # Errors
    /// `NotGuardian`, `Timelock`.
    #[ink(message)]
    fn cancel_params(&mut self, market: MarketId) -> Result<(), VaultError>;

    /// Lowers what binds new risk only, at once, and withdraws announced parameters, which were
    /// made without it. Governor or guardian.
    ///
    /// # Events
    /// `ParamsChanged`.
    ///
    /// # Errors
    /// `NotGuardian`, `UnknownMarket`, `Params`.
    #[ink(message)]
    fn restrict(&mut self, market: MarketId, limits: Limits) -> Result<(), VaultError>;

    /// Winds a market down, for good: nothing is lent any more, all else goes on. Governor only.
    ///
    /// # Events
    /// `WindDownBegan`.
    ///
    /// # Errors
    /// `NotGovernor`, `UnknownMarket`, `Lending`.
    #[ink(message)]
    fn wind_down(&mut self, market: MarketId) -> Result<(), VaultError>;

    /// Gives quote to a market's insurance; in a wind-down first to its lenders, up to what they
    /// have lost in it. Anyone may call it. Needs an approval.
    ///
    /// # Events
    /// `Insured`.
    ///
    /// # Errors
    /// `UnknownMarket`, `Lending`, `Token`.
    #[ink(message)]
    fn insure(&mut self, market: MarketId, amount: Amount) -> Result<(), VaultError>;

    /// Pays the caller its part of what has come in since the wind-down began: quote, or
    /// collateral taken in kind.
    ///
    /// # Events
    /// `Collected`.
    ///
    /// # Errors
    /// `UnknownMarket`, `Lending`, `Token`.
    #[ink(message)]
    fn collect(&mut self, market: MarketId, in_kind: bool) -> Result<Amount, VaultError>;

    /// Ends one position's debt for collateral at the floor price, in a wind-down that is older
    /// than the market's notice, after an auction that found too little money. Anyone may call it.
    ///
    /// # Events
    /// `TookInKind`.
    ///
    /// # Errors
    /// `UnknownMarket`, `OracleUnavailable`, `Ledger`.
    #[ink(message)]
    fn take_in_kind(
        &mut self,
        market: MarketId,
        owner: AccountId,
    ) -> Result<TakenInKind, VaultError>;

    /// Announced parameters, and from when on they may apply.
    #[ink(message)]
    fn proposal(&self, market: MarketId) -> Option<Proposal<MarketParams>>;
}

/// The auction contract was named.
#[ink::event]
pub struct AuctionNamed {
    /// The auction contract.
    pub auction: AccountId,
}

/// Other parameters were announced.
#[ink::event]
pub struct ParamsProposed {
    /// The market.
    pub market: MarketId,
    /// When they may apply, milliseconds.
    pub ripe_at: Millis,
}

/// Announced parameters were withdrawn.
#[ink::event]
pub struct ParamsCancelled {
    /// The market.
    pub market: MarketId,
    /// By whom.
    pub by: AccountId,
}

/// Parameters came into force.
#[ink::event]
pub struct ParamsChanged {
    /// The market.
    pub market: MarketId,
    /// By whose call.
    pub by: AccountId,
}

/// A market is wound down.
#[ink::event]
pub struct WindDownBegan {
    /// The market.
    pub market: MarketId,
    /// The loss above the cap that began it, quote; zero where the governor did.
    pub loss: Amount,
}

/// Quote was given to insurance.
#[ink::event]
pub struct Insured {
    /// The market.
    pub market: MarketId,
    /// Who gave it.
    pub payer: AccountId,
    /// Quote given.
    pub amount: Amount,
    /// The part that made good what lenders lost in a wind-down.
    pub to_lenders: Amount,
}

/// A lender was paid in a wind-down.
#[ink::event]
pub struct Collected {
    /// The market.
    pub market: MarketId,
    /// The lender.
    pub lender: AccountId,
    /// Quote, or collateral.
    pub amount: Amount,
    /// Whether it is collateral.
    pub in_kind: bool,
}

/// Lenders took collateral for debt nobody bought.
#[ink::event]
pub struct TookInKind {
    /// The market.
    pub market: MarketId,
    /// Whose debt ended.
    pub owner: AccountId,
    /// What was taken, and what stays the owner's.
    pub taken: TakenInKind,
}
