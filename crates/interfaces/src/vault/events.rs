//! What the vault tells the world.

use crate::{AccountId, MarketId};
use breakwater_core::batch::Sale;
use breakwater_core::ledger::{Demand, Settlement};
use breakwater_core::market::{MarketParams, MarketPrices};
use breakwater_core::units::{Amount, Price, Shares};

/// A market was created.
#[ink::event]
pub struct MarketCreated {
    /// Its number.
    pub market: MarketId,
    /// Token that secures debt.
    pub collateral: AccountId,
    /// Token that is lent.
    pub quote: AccountId,
    /// Its parameters.
    pub params: MarketParams,
}

/// A lender supplied quote.
#[ink::event]
pub struct Supplied {
    /// The market.
    pub market: MarketId,
    /// The lender.
    pub lender: AccountId,
    /// Quote supplied.
    pub amount: Amount,
    /// Shares received.
    pub shares: Shares,
}

/// A lender redeemed shares.
#[ink::event]
pub struct Redeemed {
    /// The market.
    pub market: MarketId,
    /// The lender.
    pub lender: AccountId,
    /// Quote paid out.
    pub amount: Amount,
    /// Shares burnt.
    pub shares: Shares,
    /// What was set aside for losses that were visible and not booked, quote.
    pub provision: Amount,
}

/// Collateral was added to a position.
#[ink::event]
pub struct Deposited {
    /// The market.
    pub market: MarketId,
    /// The position's owner.
    pub owner: AccountId,
    /// Collateral added.
    pub amount: Amount,
}

/// Collateral was taken out of a position.
#[ink::event]
pub struct Withdrawn {
    /// The market.
    pub market: MarketId,
    /// The position's owner.
    pub owner: AccountId,
    /// Collateral taken out.
    pub amount: Amount,
    /// The prices that the rest was judged at, where the oracle was asked.
    pub prices: Option<MarketPrices>,
}

/// Quote was lent to a position.
#[ink::event]
pub struct Borrowed {
    /// The market.
    pub market: MarketId,
    /// The position's owner.
    pub owner: AccountId,
    /// Quote lent.
    pub amount: Amount,
    /// The prices it was judged at.
    pub prices: MarketPrices,
}

/// Debt of a position was repaid.
#[ink::event]
pub struct Repaid {
    /// The market.
    pub market: MarketId,
    /// The position's owner.
    pub owner: AccountId,
    /// Who paid.
    pub payer: AccountId,
    /// Quote paid.
    pub amount: Amount,
}

/// What was repaid in advance and not needed was paid out.
#[ink::event]
pub struct Reclaimed {
    /// The market.
    pub market: MarketId,
    /// The position's owner.
    pub owner: AccountId,
    /// Quote paid out.
    pub amount: Amount,
}

/// A position was brought up to date, as far as the call went.
#[ink::event]
pub struct PositionSynced {
    /// The market.
    pub market: MarketId,
    /// Whose position.
    pub owner: AccountId,
    /// The most moves that the call followed.
    pub moves: u16,
}

/// Cohorts of a settled batch were put back into their ticks.
#[ink::event]
pub struct BatchRested {
    /// The market.
    pub market: MarketId,
    /// The batch.
    pub number: u32,
    /// The most cells that the call put back.
    pub cells: u16,
}

/// A keeper's rewards were paid out.
#[ink::event]
pub struct RewardClaimed {
    /// The market.
    pub market: MarketId,
    /// The keeper.
    pub keeper: AccountId,
    /// Quote paid out.
    pub amount: Amount,
}

/// Cohorts were taken into a batch.
#[ink::event]
pub struct BatchOpened {
    /// The market.
    pub market: MarketId,
    /// The batch.
    pub number: u32,
    /// Cohorts pooled.
    pub cohorts: u16,
    /// Positions pooled.
    pub members: u32,
    /// Collateral pooled.
    pub collateral: Amount,
    /// Debt pooled, quote.
    pub debt: Amount,
    /// The better of the last two accepted prices.
    pub reference: Price,
    /// The prices it was opened at.
    pub prices: MarketPrices,
    /// What bidders had deposited.
    pub demand: Demand,
    /// Whether only what an earlier batch had left was taken.
    pub left_only: bool,
    /// Insurance's own collateral that is offered with it.
    pub offered: Amount,
}

/// Further cohorts were taken into a batch; the numbers are those of the whole.
#[ink::event]
pub struct BatchExtended {
    /// The market.
    pub market: MarketId,
    /// The batch.
    pub number: u32,
    /// Cohorts pooled.
    pub cohorts: u16,
    /// Positions pooled.
    pub members: u32,
    /// Collateral pooled.
    pub collateral: Amount,
    /// Debt pooled, quote.
    pub debt: Amount,
    /// The prices it was extended at.
    pub prices: MarketPrices,
    /// What bidders had deposited.
    pub demand: Demand,
}

/// A position was taken out of a running batch.
#[ink::event]
pub struct BatchLeft {
    /// The market.
    pub market: MarketId,
    /// The batch.
    pub number: u32,
    /// Whose position.
    pub owner: AccountId,
    /// Its collateral now.
    pub collateral: Amount,
    /// Its debt now, quote.
    pub debt: Amount,
    /// Exit fee, quote.
    pub fee: Amount,
    /// What of the fee lenders got in a wind-down, quote; insurance got the rest.
    pub to_lenders: Amount,
}

/// A batch was settled.
#[ink::event]
pub struct BatchSettled {
    /// The market.
    pub market: MarketId,
    /// The batch.
    pub number: u32,
    /// Everything the settlement did.
    pub settlement: Settlement,
    /// What the auction brought; the settlement's price and money are insurance's where it bought.
    pub sale: Sale,
    /// The prices that insurance could buy at, where nobody came and it may.
    pub prices: Option<MarketPrices>,
    /// Who opened it: half of the keeper reward is theirs, rounded down.
    pub opener: AccountId,
    /// Who settled it: the rest of the reward is theirs.
    pub settler: AccountId,
    /// The most cells that were put back at once.
    pub cells: u16,
}
