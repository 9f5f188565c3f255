//! Bids, the Dutch clock, clearing at the best step, and what each bid receives.
//!
//! A bid is a budget and a limit: "spend up to B, at any price up to L". It joins the present
//! step or the first one whose price is at or below its limit, whichever is later. Everything
//! that decides a batch is the sum of budgets per step: cost does not depend on how many bids
//! there are, and their order inside a block cannot matter.

use crate::ladder::Schedule;
use crate::math::{mul_div, MathError, Rounding};
use crate::units::{Amount, Block, Price, Ratio, UnitScale};
use alloc::vec::Vec;
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// Collateral base units, and quote base units, that the least budget buys at the start price.
pub const LEAST_BID_UNITS: u128 = 1_000;

/// `r` as a share of the opening reference: steps at or under it do not count as a good price.
pub const DEFAULT_RESERVE: Ratio = Ratio::from_bps(9_700);

/// Why the auction refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum AuctionError {
    /// The clock has ended: nothing joins any more.
    BiddingEnded,
    /// The clock has not ended yet.
    BiddingOpen,
    /// The limit is under the floor; such a bid could never join.
    LimitUnderFloor,
    /// The budget is under the least one.
    BudgetTooSmall,
    /// The bid would join after its last valid block.
    ExpiresBeforeJoining,
    /// The bid's step has begun; it can no longer be taken back.
    BidHasJoined,
    /// The auction has been settled already.
    AlreadySettled,
    /// The auction has not been settled yet.
    NotSettled,
    /// A number left its range.
    Math(MathError),
}

impl From<MathError> for AuctionError {
    fn from(error: MathError) -> Self {
        Self::Math(error)
    }
}

/// The result of judging all steps that were reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Clearing {
    /// The last step that was reached.
    pub ended_at: u8,
    /// The step that was chosen.
    pub step: u8,
    /// The one price everybody pays; zero when nothing is sold.
    pub price: Price,
    /// Quote raised: `min(B_j, T(p_j))`.
    pub raised: Amount,
    /// Collateral sold: `⌊raised / price⌋`.
    pub sold: Amount,
    /// Bids of earlier steps are filled in full, of later steps not at all.
    pub marginal_step: u8,
    /// What the marginal step still has to pay, shrinking as its bids are claimed.
    pub marginal_quote: Amount,
    /// What the marginal step has still to receive.
    pub marginal_collateral: Amount,
    /// Budgets of the marginal step that have not been claimed.
    pub marginal_budgets: Amount,
}

impl Clearing {
    /// A batch of which nothing is sold.
    const fn nothing(ended_at: u8) -> Self {
        Self {
            ended_at,
            step: ended_at,
            price: Price::ZERO,
            raised: Amount::ZERO,
            sold: Amount::ZERO,
            marginal_step: 0,
            marginal_quote: Amount::ZERO,
            marginal_collateral: Amount::ZERO,
            marginal_budgets: Amount::ZERO,
        }
    }
}

/// Where an auction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Phase {
    /// The clock runs, or has ended and nobody has judged it.
    Running,
    /// Judged; the vault has not been paid yet.
    Cleared(Clearing),
    /// Paid; bids can be claimed.
    Settled(Clearing),
}

/// The terms of one auction, frozen at its opening, and the money that has joined.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Auction {
    /// When steps begin and end.
    pub schedule: Schedule,
    /// Opening reference price.
    pub reference: Price,
    /// `r`: clearing weighs what is raised by how far its price is above this.
    pub reserve: Price,
    /// Price of each step, non-increasing.
    pub prices: Vec<Price>,
    /// `T` at each step, non-increasing.
    pub targets: Vec<Amount>,
    /// Budgets that join at each step.
    pub joined: Vec<Amount>,
    /// Budgets of bids that have not been claimed or cancelled.
    pub reserved: Amount,
    /// Where it stands.
    pub phase: Phase,
}

/// What one bid is owed once its auction has settled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Fill {
    /// Quote spent.
    pub spent: Amount,
    /// Quote returned: budget less spent.
    pub refunded: Amount,
    /// Collateral received.
    pub received: Amount,
}

impl Auction {
    /// A new auction without bids.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn open(
        schedule: Schedule,
        reference: Price,
        prices: Vec<Price>,
        targets: Vec<Amount>,
    ) -> Result<Self, MathError> {
        let reserve = reference.times(DEFAULT_RESERVE, Rounding::Up)?;
        let joined = alloc::vec![Amount::ZERO; prices.len()];
        Ok(Self {
            schedule,
            reference,
            reserve,
            prices,
            targets,
            joined,
            reserved: Amount::ZERO,
            phase: Phase::Running,
        })
    }

    /// The least budget: it buys [`LEAST_BID_UNITS`] of collateral at the start price and is as
    /// many quote units. Rounded up, so that a bid filled at all always receives something.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn least_budget(&self, scale: UnitScale) -> Result<Amount, MathError> {
        let units = Amount::new(LEAST_BID_UNITS);
        let start = self.prices.first().copied().unwrap_or_default();
        Ok(scale.value(units, start, Rounding::Up)?.max(units))
    }

    /// The step a bid placed in this block would join.
    ///
    /// # Errors
    /// [`AuctionError::BiddingEnded`], [`AuctionError::LimitUnderFloor`], [`AuctionError::Math`].
    pub fn joins(&self, limit: Price, block: Block) -> Result<u8, AuctionError> {
        let present = self
            .schedule
            .step_at(block)
            .ok_or(AuctionError::BiddingEnded)?;
        if self.phase != Phase::Running || self.ended_at(block)?.is_some() {
            return Err(AuctionError::BiddingEnded);
        }
        let first = self.prices.partition_point(|price| *price > limit);
        let first = u8::try_from(first)
            .ok()
            .filter(|step| *step < self.schedule.steps);
        Ok(first.ok_or(AuctionError::LimitUnderFloor)?.max(present))
    }

    /// Adds a bid and returns the step it joins. A bid moves no token and calls no contract.
    ///
    /// # Errors
    /// [`AuctionError::BudgetTooSmall`], [`AuctionError::ExpiresBeforeJoining`] and those of
    /// [`Self::joins`].
    pub fn place(
        &mut self,
        budget: Amount,
        limit: Price,
        valid_until: Block,
        block: Block,
        scale: UnitScale,
    ) -> Result<u8, AuctionError> {
        if budget < self.least_budget(scale)? {
            return Err(AuctionError::BudgetTooSmall);
        }
        let step = self.joins(limit, block)?;
        if self.schedule.begins(step).max(block) > valid_until {
            return Err(AuctionError::ExpiresBeforeJoining);
        }
        self.reserved = self.reserved.plus(budget)?;
        if let Some(joined) = self.joined.get_mut(usize::from(step)) {
            *joined = joined.plus(budget)?;
        }
        Ok(step)
    }

    /// Takes a bid back; free until its step begins.
    ///
    /// # Errors
    /// [`AuctionError::BidHasJoined`], [`AuctionError::Math`].
    pub fn cancel(&mut self, budget: Amount, step: u8, block: Block) -> Result<(), AuctionError> {
        if self.phase != Phase::Running || self.schedule.has_begun(step, block) {
            return Err(AuctionError::BidHasJoined);
        }
        self.reserved = self.reserved.minus(budget)?;
        if let Some(joined) = self.joined.get_mut(usize::from(step)) {
            *joined = joined.minus(budget)?;
        }
        Ok(())
    }

    /// The step the clock ended at, judged in this block by ended steps alone: the first whose
    /// money covers its target, or the last one. `None` while the clock runs.
    ///
    /// However late it is asked, the answer is the one that was true when the step ended.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn ended_at(&self, block: Block) -> Result<Option<u8>, MathError> {
        let ended = self.schedule.ended(block);
        let mut money = Amount::ZERO;
        for (step, (joined, target)) in (0..ended).zip(self.joined.iter().zip(self.targets.iter()))
        {
            money = money.plus(*joined)?;
            if money >= *target {
                return Ok(Some(step));
            }
        }
        let last = self.schedule.steps.saturating_sub(1);
        Ok((ended >= self.schedule.steps).then_some(last))
    }

    /// Judges the auction and chooses the best step reached: the one that maximises
    /// `min(B_j, T(p_j)) · (p_j − r) / p_j`; ties go to more money, then to the higher price;
    /// steps at or under `r` count zero. The score is rounded down to a quote unit.
    ///
    /// # Errors
    /// [`AuctionError::BiddingOpen`], [`AuctionError::Math`]. An auction judged before returns
    /// its clearing again.
    pub fn clear(&mut self, block: Block, scale: UnitScale) -> Result<Clearing, AuctionError> {
        if let Phase::Cleared(clearing) | Phase::Settled(clearing) = self.phase {
            return Ok(clearing);
        }
        let ended_at = self.ended_at(block)?.ok_or(AuctionError::BiddingOpen)?;
        let mut money = Amount::ZERO;
        // (score, raised, step, price): earlier steps have the higher price and win ties.
        let mut best: Option<(u128, Amount, u8, Price)> = None;
        for (step, ((joined, target), price)) in
            (0..=ended_at).zip(self.joined.iter().zip(&self.targets).zip(&self.prices))
        {
            money = money.plus(*joined)?;
            let raised = money.min(*target);
            let above = price.minus_or_zero(self.reserve);
            let score = mul_div(raised.get(), above.get(), price.get(), Rounding::Down)?;
            if best.is_none_or(|(most, sum, _, _)| (score, raised) > (most, sum)) {
                best = Some((score, raised, step, *price));
            }
        }
        let clearing = match best {
            Some((_, raised, step, price)) if !raised.is_zero() => {
                self.fill(ended_at, step, price, raised, scale)?
            }
            _ => Clearing::nothing(ended_at),
        };
        self.phase = Phase::Cleared(clearing);
        Ok(clearing)
    }

    /// Finds the step at which the money needed runs out. What is left for that step but buys not
    /// one unit of collateral is not raised: nobody could be asked to pay it.
    fn fill(
        &self,
        ended_at: u8,
        step: u8,
        price: Price,
        wanted: Amount,
        scale: UnitScale,
    ) -> Result<Clearing, MathError> {
        let mut before = Amount::ZERO;
        let mut marginal = (0, Amount::ZERO);
        for (at, joined) in (0..=step).zip(&self.joined) {
            marginal = (at, *joined);
            if before.plus(*joined)? >= wanted {
                break;
            }
            before = before.plus(*joined)?;
        }
        let mut marginal_quote = wanted.minus(before)?;
        // Rounded down by itself: with the full fills it stays within what is sold.
        let marginal_collateral = scale.quantity(marginal_quote, price, Rounding::Down)?;
        if marginal_collateral.is_zero() {
            marginal_quote = Amount::ZERO;
        }
        let raised = before.plus(marginal_quote)?;
        if raised.is_zero() {
            return Ok(Clearing::nothing(ended_at));
        }
        Ok(Clearing {
            ended_at,
            step,
            price,
            raised,
            sold: scale.quantity(raised, price, Rounding::Down)?,
            marginal_step: marginal.0,
            marginal_quote,
            marginal_collateral,
            marginal_budgets: marginal.1,
        })
    }

    /// Marks the auction as paid.
    ///
    /// # Errors
    /// [`AuctionError::BiddingOpen`], [`AuctionError::AlreadySettled`].
    pub fn settle(&mut self) -> Result<Clearing, AuctionError> {
        match self.phase {
            Phase::Running => Err(AuctionError::BiddingOpen),
            Phase::Settled(_) => Err(AuctionError::AlreadySettled),
            Phase::Cleared(clearing) => {
                self.phase = Phase::Settled(clearing);
                Ok(clearing)
            }
        }
    }

    /// What a bid receives, taken out of what is left for its step.
    ///
    /// Earlier steps than the marginal one are filled in full: all of the budget is spent, and
    /// collateral is rounded down. At the margin every claim takes its share of what is left:
    /// collateral rounded down, its price rounded up; so a bid that receives nothing spends
    /// nothing, the sums come out exactly, and the order of claims moves at most one unit a bid.
    ///
    /// # Errors
    /// [`AuctionError::NotSettled`], [`AuctionError::Math`].
    pub fn claim(
        &mut self,
        budget: Amount,
        step: u8,
        scale: UnitScale,
    ) -> Result<Fill, AuctionError> {
        let Phase::Settled(clearing) = &mut self.phase else {
            return Err(AuctionError::NotSettled);
        };
        let (spent, received) = if clearing.raised.is_zero() || step > clearing.marginal_step {
            (Amount::ZERO, Amount::ZERO)
        } else if step < clearing.marginal_step {
            (
                budget,
                scale.quantity(budget, clearing.price, Rounding::Down)?,
            )
        } else {
            let received = clearing.marginal_collateral.mul_div(
                budget.get(),
                clearing.marginal_budgets.get(),
                Rounding::Down,
            )?;
            clearing.marginal_budgets = clearing.marginal_budgets.minus(budget)?;
            let spent = if received.is_zero() {
                Amount::ZERO
            } else {
                // Whoever claims later must be able to pay what is left.
                let least = clearing
                    .marginal_quote
                    .minus_or_zero(clearing.marginal_budgets);
                clearing
                    .marginal_quote
                    .mul_div(
                        received.get(),
                        clearing.marginal_collateral.get(),
                        Rounding::Up,
                    )?
                    .max(least)
                    .min(budget)
            };
            clearing.marginal_collateral = clearing.marginal_collateral.minus(received)?;
            clearing.marginal_quote = clearing.marginal_quote.minus(spent)?;
            (spent, received)
        };
        self.reserved = self.reserved.minus(budget)?;
        Ok(Fill {
            spent,
            refunded: budget.minus(spent)?,
            received,
        })
    }
}

#[cfg(test)]
mod tests;
