//! What the vault tells the world.

use crate::{AccountId, MarketId};
use breakwater_core::ledger::Settlement;
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
    /// Exit fee paid into insurance, quote.
    pub fee: Amount,
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
}
