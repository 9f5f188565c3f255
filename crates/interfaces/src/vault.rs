//! The margin vault: custody, markets, positions, batches and losses.

mod events;

pub use events::{
    BatchExtended, BatchLeft, BatchOpened, BatchRested, BatchSettled, Borrowed, Deposited,
    MarketCreated, PositionSynced, Reclaimed, Redeemed, Repaid, RewardClaimed, Supplied, Withdrawn,
};

use crate::token::TokenError;
use crate::{AccountId, MarketId};
use breakwater_core::batch::{Batch, Sale};
use breakwater_core::breaker::Stage;
use breakwater_core::ledger::{
    AtRisk, Demand, Histogram, Leaving, LedgerError, Opening, Settlement,
};
use breakwater_core::lending::LendingError;
use breakwater_core::margin::{Margin, MarginError};
use breakwater_core::market::{MarketParams, MarketPrices, MarketState, ParamsError};
use breakwater_core::math::MathError;
use breakwater_core::oracle::Variance;
use breakwater_core::position::{Closing, PositionView};
use breakwater_core::tick::Tick;
use breakwater_core::timelock::{Easing, Proposal, TimelockError};
use breakwater_core::units::{Amount, Millis, Price, Ratio, Shares};
use ink::prelude::vec::Vec;
use scale::{Decode, Encode};

/// Why the vault refuses. Nothing has changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum VaultError {
    /// The caller is not the governor.
    NotGovernor,
    /// The caller is not the auction contract.
    NotAuction,
    /// The auction contract has been named already.
    AuctionAlreadySet,
    /// There is no market of that number.
    UnknownMarket,
    /// Collateral and quote must be different tokens.
    SameToken,
    /// The token serves as many markets as it may.
    TooManyMarkets,
    /// Parameters violate a hard bound.
    Params(ParamsError),
    /// The oracle did not answer with an accepted round.
    OracleUnavailable,
    /// A token call failed.
    Token(TokenError),
    /// A rule of lending refuses.
    Lending(LendingError),
    /// A rule of the ledger refuses.
    Ledger(LedgerError),
    /// There is nothing to pay out.
    NothingToClaim,
    /// A number left its range.
    Math(MathError),
    /// The caller is neither the guardian nor the governor.
    NotGuardian,
    /// The notice of a change forbids it.
    Timelock(TimelockError),
    /// The circuit breaker's stage does not allow it.
    Stopped,
    /// The margin stays as it is.
    Margin(MarginError),
}

impl VaultError {
    /// What stopped an action that no price was asked for: the circuit breaker, where it did.
    #[must_use]
    pub fn or_stopped(self, stopped: bool) -> Self {
        match self {
            Self::Ledger(LedgerError::StalePrice) if stopped => Self::Stopped,
            error => error,
        }
    }
}

impl From<MarginError> for VaultError {
    fn from(error: MarginError) -> Self {
        Self::Margin(error)
    }
}

impl From<TimelockError> for VaultError {
    fn from(error: TimelockError) -> Self {
        Self::Timelock(error)
    }
}

impl From<ParamsError> for VaultError {
    fn from(error: ParamsError) -> Self {
        Self::Params(error)
    }
}

impl From<TokenError> for VaultError {
    fn from(error: TokenError) -> Self {
        Self::Token(error)
    }
}

impl From<LendingError> for VaultError {
    fn from(error: LendingError) -> Self {
        Self::Lending(error)
    }
}

impl From<LedgerError> for VaultError {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

impl From<MathError> for VaultError {
    fn from(error: MathError) -> Self {
        Self::Math(error)
    }
}

/// What governance decided about a market: its tokens, for good, and parameters.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Market {
    /// Token that secures debt.
    pub collateral: AccountId,
    /// Token that is lent.
    pub quote: AccountId,
    /// Parameters in force, except that a lower threshold may still be on its way.
    pub params: MarketParams,
    /// The way of the liquidation threshold down to that of `params`.
    pub easing: Option<Easing>,
    /// Announced parameters.
    pub proposal: Option<Proposal<MarketParams>>,
    /// What measured volatility adds to the margin.
    pub margin: Margin,
}

impl Market {
    /// The liquidation threshold of calm times at a moment: the parameters', or what is still
    /// above it on the way down.
    ///
    /// # Errors
    /// [`MathError`] where the easing does not fall.
    #[inline(never)]
    pub fn calm_threshold_at(&self, now: Millis) -> Result<Ratio, MathError> {
        let to = self.params.liquidation_threshold;
        self.easing.map_or(Ok(to), |easing| easing.at(to, now))
    }

    /// The liquidation threshold in force at a moment: that of calm times less what volatility
    /// adds to the margin of open positions.
    ///
    /// # Errors
    /// [`MathError`] where the easing does not fall.
    #[inline(never)]
    pub fn threshold_at(&self, now: Millis) -> Result<Ratio, MathError> {
        let added = self.margin.kept_at(&self.params.margin, now);
        self.calm_threshold_at(now)?.minus(added)
    }

    /// The initial loan-to-value in force, where this volatility is measured.
    ///
    /// # Errors
    /// [`MathError`] where the easing does not fall.
    #[inline(never)]
    pub fn initial_ltv_at(
        &self,
        volatility: Option<Variance>,
        now: Millis,
    ) -> Result<Ratio, MathError> {
        let base = Ratio::ONE.minus(self.calm_threshold_at(now)?)?;
        let rule = &self.params.margin;
        let added = self.margin.for_new_risk(rule, base, volatility);
        // A restriction may have left less than is added: then nothing can be borrowed.
        Ok(self.params.initial_ltv.minus(added).unwrap_or_default())
    }
}

/// Every total of a market, and what the vault must hold for it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub struct Accounting {
    /// All totals.
    pub state: MarketState,
    /// Quote tokens the vault must hold for this market.
    pub quote_owed: Amount,
    /// Collateral tokens the vault must hold for this market.
    pub collateral_owed: Amount,
    /// Cash and outstanding debt: what lenders have claims on.
    pub lenders_assets: Amount,
}

/// Messages of the margin vault.
#[ink::trait_definition]
pub trait MarginVault {
    /// Names the auction contract, once. Governor only.
    ///
    /// # Events
    /// `AuctionNamed`.
    ///
    /// # Errors
    /// `NotGovernor`, `AuctionAlreadySet`.
    #[ink(message)]
    fn set_auction(&mut self, auction: AccountId) -> Result<(), VaultError>;

    /// Creates a market. Governor only, who must have approved [`PROBE`](crate::token::PROBE)
    /// units of either token: they are sent to the vault and back, and a token that loses some,
    /// lies or fails is refused.
    ///
    /// # Events
    /// `MarketCreated`.
    ///
    /// # Errors
    /// `NotGovernor`, `SameToken`, `TooManyMarkets`, `Params`, `Token`.
    #[ink(message)]
    fn create_market(
        &mut self,
        collateral: AccountId,
        quote: AccountId,
        params: MarketParams,
    ) -> Result<MarketId, VaultError>;

    /// Lends quote to a market for shares of its pool. Needs an approval.
    ///
    /// # Events
    /// `Supplied`.
    ///
    /// # Errors
    /// `UnknownMarket`, `Lending`, `Token`.
    #[ink(message)]
    fn supply(&mut self, market: MarketId, amount: Amount) -> Result<Shares, VaultError>;

    /// Gives shares back for quote, at their value less what running batches and insolvent ticks
    /// may turn out to lack.
    ///
    /// # Events
    /// `Redeemed`.
    ///
    /// # Errors
    /// `UnknownMarket`, `Lending`, `Token`.
    #[ink(message)]
    fn redeem(&mut self, market: MarketId, shares: Shares) -> Result<Amount, VaultError>;

    /// Adds collateral to the caller's position; in a running batch it is held aside. Needs an
    /// approval.
    ///
    /// # Events
    /// `Deposited`.
    ///
    /// # Errors
    /// `UnknownMarket`, `Ledger`, `Token`.
    #[ink(message)]
    fn deposit(&mut self, market: MarketId, amount: Amount) -> Result<(), VaultError>;

    /// Takes collateral out of the caller's position. Without debt no oracle is asked.
    ///
    /// # Events
    /// `Withdrawn`.
    ///
    /// # Errors
    /// `UnknownMarket`, `OracleUnavailable`, `Ledger`, `Token`.
    #[ink(message)]
    fn withdraw(&mut self, market: MarketId, amount: Amount) -> Result<(), VaultError>;

    /// Borrows quote against the caller's collateral.
    ///
    /// # Events
    /// `Borrowed`.
    ///
    /// # Errors
    /// `UnknownMarket`, `OracleUnavailable`, `Ledger`, `Token`.
    #[ink(message)]
    fn borrow(&mut self, market: MarketId, amount: Amount) -> Result<(), VaultError>;

    /// Adds collateral and borrows against it in one message.
    ///
    /// # Events
    /// `Deposited`, `Borrowed`.
    ///
    /// # Errors
    /// As `deposit` and `borrow`.
    #[ink(message)]
    fn deposit_and_borrow(
        &mut self,
        market: MarketId,
        collateral: Amount,
        quote: Amount,
    ) -> Result<(), VaultError>;

    /// Repays a position's debt, at most what is owed, and returns what was taken from the
    /// caller. Anyone may repay for anyone. In a running batch the money is held aside. Needs an
    /// approval.
    ///
    /// # Events
    /// `Repaid`.
    ///
    /// # Errors
    /// `UnknownMarket`, `Ledger`, `Token`.
    #[ink(message)]
    fn repay(
        &mut self,
        market: MarketId,
        owner: AccountId,
        amount: Amount,
    ) -> Result<Amount, VaultError>;

    /// Repays the caller's debt, at most what is owed, and withdraws collateral, in one message;
    /// returns what was taken. Where nothing is left to owe no price is needed. Needs an approval.
    ///
    /// # Events
    /// `Repaid`, `Withdrawn`.
    ///
    /// # Errors
    /// As `repay` and `withdraw`; nothing happens unless both can.
    #[ink(message)]
    fn repay_and_withdraw(
        &mut self,
        market: MarketId,
        repay: Amount,
        withdraw: Amount,
    ) -> Result<Amount, VaultError>;

    /// Repays all that the caller owes, interest of this block included, and gives back all
    /// collateral and what was repaid in advance and not needed. No oracle is asked. Needs an
    /// approval of what is owed.
    ///
    /// # Events
    /// `Repaid`, `Reclaimed`, `Withdrawn`, each where its amount is not zero.
    ///
    /// # Errors
    /// `UnknownMarket`, `Ledger`, `Token`.
    #[ink(message)]
    fn close(&mut self, market: MarketId) -> Result<Closing, VaultError>;

    /// Pays out what the caller has repaid in advance and a batch did not need.
    ///
    /// # Events
    /// `Reclaimed`.
    ///
    /// # Errors
    /// `UnknownMarket`, `Ledger`, `Token`.
    #[ink(message)]
    fn reclaim(&mut self, market: MarketId) -> Result<Amount, VaultError>;

    /// Follows a position through at most `moves` batches and mergers; returns whether it is up
    /// to date. Anyone may call it for anyone.
    ///
    /// # Events
    /// `PositionSynced`.
    ///
    /// # Errors
    /// `UnknownMarket`, `Ledger`.
    #[ink(message)]
    fn sync(&mut self, market: MarketId, owner: AccountId, moves: u16) -> Result<bool, VaultError>;

    /// Takes under-margined cohorts into a batch. The auction contract only.
    ///
    /// # Events
    /// `BatchOpened`.
    ///
    /// # Errors
    /// `NotAuction`, `UnknownMarket`, `OracleUnavailable`, `Ledger`.
    #[ink(message)]
    fn open_batch(&mut self, market: MarketId, demand: Demand) -> Result<Opening, VaultError>;

    /// Adds further cohorts to a running batch, on the opening's rounds; returns the whole batch.
    /// The auction contract only, which sends the ladder the batch was opened with.
    ///
    /// # Events
    /// `BatchExtended`.
    ///
    /// # Errors
    /// `NotAuction`, `UnknownMarket`, `OracleUnavailable`, `Ledger`.
    #[ink(message)]
    fn extend_batch(
        &mut self,
        market: MarketId,
        number: u32,
        demand: Demand,
        ladder: Vec<Price>,
    ) -> Result<Opening, VaultError>;

    /// Takes an owner's position out of a running batch, for a fee. Asks no oracle. The auction
    /// contract only, which sends the ladder the batch was opened with.
    ///
    /// # Events
    /// `BatchLeft`.
    ///
    /// # Errors
    /// `NotAuction`, `UnknownMarket`, `Ledger`, `Token`.
    #[ink(message)]
    fn leave_batch(
        &mut self,
        market: MarketId,
        number: u32,
        owner: AccountId,
        ladder: Vec<Price>,
    ) -> Result<Leaving, VaultError>;

    /// Takes note of the circuit breaker's stage, of a market or of all; the higher of both is in
    /// force. The auction contract only.
    ///
    /// # Errors
    /// `NotAuction`, `UnknownMarket`.
    #[ink(message)]
    fn set_stage(&mut self, market: Option<MarketId>, stage: Stage) -> Result<(), VaultError>;

    /// Settles a batch: makes sure that the raised quote, which the auction contract has just
    /// sent, is there on top of everything owed in that token, and sends the collateral sold.
    /// The first cells of the batch are put back at once. Where nobody came, insurance may take
    /// some of the lot at the floor; then no token moves. The auction contract only.
    ///
    /// # Events
    /// `BatchSettled`.
    ///
    /// # Errors
    /// `NotAuction`, `UnknownMarket`, `Ledger`, `Token`.
    #[ink(message)]
    fn settle_batch(
        &mut self,
        market: MarketId,
        number: u32,
        sale: Sale,
        opener: AccountId,
        settler: AccountId,
    ) -> Result<Settlement, VaultError>;

    /// Puts the cohorts of up to `cells` cells of a settled batch back into their ticks; returns
    /// whether all are back. Anyone may call it.
    ///
    /// # Events
    /// `BatchRested`.
    ///
    /// # Errors
    /// `UnknownMarket`, `Ledger`.
    #[ink(message)]
    fn rest(&mut self, market: MarketId, number: u32, cells: u16) -> Result<bool, VaultError>;

    /// Pays out the caller's keeper rewards.
    ///
    /// # Events
    /// `RewardClaimed`.
    ///
    /// # Errors
    /// `UnknownMarket`, `NothingToClaim`, `Token`.
    #[ink(message)]
    fn claim_reward(&mut self, market: MarketId) -> Result<Amount, VaultError>;

    /// A market's tokens and parameters.
    #[ink(message)]
    fn market(&self, market: MarketId) -> Option<Market>;

    /// The accepted prices that the market goes by.
    ///
    /// # Errors
    /// `UnknownMarket`, `OracleUnavailable`.
    #[ink(message)]
    fn market_prices(&self, market: MarketId) -> Result<MarketPrices, VaultError>;

    /// Every total of a market.
    ///
    /// # Errors
    /// `UnknownMarket`, `Math`.
    #[ink(message)]
    fn accounting(&self, market: MarketId) -> Result<Accounting, VaultError>;

    /// A position brought up to date, judged at the latest accepted price: where it stands, its
    /// health, its liquidation price, and exactly how much it may borrow or withdraw and must
    /// repay or add, were the price before and the average the same. Borrowing and withdrawing
    /// count the lowest of the three: ask `position_at` that price for their exact room.
    ///
    /// # Errors
    /// `UnknownMarket`, `OracleUnavailable`, `Ledger`.
    #[ink(message)]
    fn position(&self, market: MarketId, owner: AccountId) -> Result<PositionView, VaultError>;

    /// A position brought up to date, judged at a price of the caller's choice.
    ///
    /// # Errors
    /// `UnknownMarket`, `Ledger`.
    #[ink(message)]
    fn position_at(
        &self,
        market: MarketId,
        owner: AccountId,
        price: Price,
    ) -> Result<PositionView, VaultError>;

    /// A lender's shares and what they are worth.
    ///
    /// # Errors
    /// `UnknownMarket`, `Math`.
    #[ink(message)]
    fn lender(&self, market: MarketId, owner: AccountId) -> Result<(Shares, Amount), VaultError>;

    /// A batch by number.
    #[ink(message)]
    fn batch(&self, market: MarketId, number: u32) -> Option<Batch>;

    /// Occupied ticks from `to` down to `from` with their totals, riskiest first, by the page;
    /// no position is visited.
    ///
    /// # Errors
    /// `UnknownMarket`, `Ledger`.
    #[ink(message)]
    fn histogram(&self, market: MarketId, from: Tick, to: Tick) -> Result<Histogram, VaultError>;

    /// What could be liquidated at a price, from ticks alone.
    ///
    /// # Errors
    /// `UnknownMarket`, `Ledger`.
    #[ink(message)]
    fn at_risk(&self, market: MarketId, price: Price) -> Result<AtRisk, VaultError>;

    /// A keeper's rewards that have not been paid out.
    #[ink(message)]
    fn reward(&self, market: MarketId, keeper: AccountId) -> Amount;
}
