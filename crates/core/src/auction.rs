//! Bids, the Dutch clock, clearing at the best step, and what each bid receives.
//!
//! A bid is a budget and a limit: "spend up to B, at any price up to L". It joins the present
//! step or the first one whose price is at or below its limit, whichever is later. Everything
//! that decides a batch is the sum of budgets per step: cost does not depend on how many bids
//! there are, and their order inside a block cannot matter.

mod before;
mod clearing;
mod facts;
mod halts;
mod status;

pub use before::Before;
use clearing::LEAST_PART;
pub use clearing::{Clearing, End, Fill};
pub use halts::{Clock, Halt, Halts, LONGEST_HALT};
pub use status::{Quote, Stage, Status};

use crate::ladder::Schedule;
use crate::math::{MathError, Rounding};
use crate::standing::tiers::StandingClaim;
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
    /// The market is halted: the clock stands still.
    Halted,
    /// The first step has begun: the batch can no longer be extended.
    BiddingBegun,
    /// The last two accepted prices are not both above, or both below, the ladder.
    PriceInRange,
    /// A number left its range.
    Math(MathError),
}

impl From<MathError> for AuctionError {
    fn from(error: MathError) -> Self {
        Self::Math(error)
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
    /// When steps begin and end, in blocks of the auction's [`Clock`].
    pub schedule: Schedule,
    /// Block of its opening.
    pub opened: Block,
    /// Opening reference price.
    pub reference: Price,
    /// `r`: clearing weighs what is raised by how far its price is above this.
    pub reserve: Price,
    /// Price of each step, non-increasing.
    pub prices: Vec<Price>,
    /// `T` at each step, non-increasing.
    pub targets: Vec<Amount>,
    /// What of the first of them is for insurance's own collateral.
    pub own: Amount,
    /// Budgets that join at each step.
    pub joined: Vec<Amount>,
    /// Budgets of bids that have not been claimed or cancelled.
    pub reserved: Amount,
    /// Where it stands.
    pub phase: Phase,
}

impl Auction {
    /// A new auction without bids.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn open(
        schedule: Schedule,
        opened: Block,
        reference: Price,
        prices: Vec<Price>,
        targets: Vec<Amount>,
    ) -> Result<Self, MathError> {
        let reserve = reference.times(DEFAULT_RESERVE, Rounding::Up)?;
        let joined = alloc::vec![Amount::ZERO; prices.len()];
        Ok(Self {
            schedule,
            opened,
            reference,
            reserve,
            prices,
            targets,
            own: Amount::ZERO,
            joined,
            reserved: Amount::ZERO,
            phase: Phase::Running,
        })
    }

    /// What it asks for: `T` at the first step.
    #[must_use]
    pub fn asked(&self) -> Amount {
        self.targets.first().copied().unwrap_or_default()
    }

    /// The least money that says something about a batch: an eighth of what it asks for, at least
    /// one quote unit, rounded up.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn least_heard(&self) -> Result<Amount, MathError> {
        let part = self.asked().mul_div(1, LEAST_PART, Rounding::Up)?;
        Ok(part.max(Amount::new(1)))
    }

    /// What cohorts ask for, without insurance's own collateral.
    #[must_use]
    pub fn asked_by_cohorts(&self) -> Amount {
        self.asked().minus_or_zero(self.own)
    }

    /// Quote that other batches cannot count on: what is bid in this one, and as long as it can be
    /// bid in no less than its cohorts were sized by, three halves of what they ask for, less the
    /// `standing` money it has reserved. Rounded up.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn spoken_for(
        &self,
        now: impl Into<Clock>,
        standing: &StandingClaim,
    ) -> Result<Amount, MathError> {
        let now = now.into();
        // Tiers that have joined count among what the auction reserves.
        let bids = self.reserved.minus(standing.joined()?)?;
        if self.ensure_running(now).is_err() || now.ensure_open().is_err() {
            return Ok(bids);
        }
        let sized_by = self.asked_by_cohorts().mul_div(3, 2, Rounding::Up)?;
        Ok(bids.max(sized_by.minus_or_zero(standing.total()?)))
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

    /// The step a bid placed now would join.
    ///
    /// # Errors
    /// [`AuctionError::BiddingEnded`], [`AuctionError::Halted`],
    /// [`AuctionError::LimitUnderFloor`], [`AuctionError::Math`].
    pub fn joins(&self, limit: Price, now: impl Into<Clock>) -> Result<u8, AuctionError> {
        let now = now.into();
        self.ensure_running(now)?;
        now.ensure_open()?;
        let present = self
            .schedule
            .step_at(now.block)
            .ok_or(AuctionError::BiddingEnded)?;
        let first = self.prices.partition_point(|price| *price > limit);
        let first = u8::try_from(first)
            .ok()
            .filter(|step| *step < self.schedule.steps);
        Ok(first.ok_or(AuctionError::LimitUnderFloor)?.max(present))
    }

    /// That no ended step has ended the clock, judged or not.
    ///
    /// # Errors
    /// [`AuctionError::BiddingEnded`], [`AuctionError::Math`].
    pub fn ensure_running(&self, now: impl Into<Clock>) -> Result<(), AuctionError> {
        let now = now.into();
        let ended = self.phase != Phase::Running
            || now.expired_at.is_some()
            || self.ended_at(now.block)?.is_some();
        if ended {
            return Err(AuctionError::BiddingEnded);
        }
        Ok(())
    }

    /// That the first step has not begun: until then further cohorts may be added.
    ///
    /// # Errors
    /// [`AuctionError::BiddingBegun`], [`AuctionError::Halted`], those of
    /// [`Self::ensure_running`].
    pub fn ensure_announced(&self, now: impl Into<Clock>) -> Result<(), AuctionError> {
        let now = now.into();
        self.ensure_running(now)?;
        now.ensure_open()?;
        if self.schedule.has_begun(0, now.block) {
            return Err(AuctionError::BiddingBegun);
        }
        Ok(())
    }

    /// Adds a bid and returns the step it joins. A bid moves no token and calls no contract.
    ///
    /// `valid_until` is the last block in which it may join, as the clock stands now: a later
    /// halt shifts it as it shifts every step, and until the step begins the bid can be taken
    /// back, halt or not.
    ///
    /// # Errors
    /// [`AuctionError::BudgetTooSmall`], [`AuctionError::ExpiresBeforeJoining`] and those of
    /// [`Self::joins`].
    pub fn place(
        &mut self,
        budget: Amount,
        limit: Price,
        valid_until: Block,
        now: impl Into<Clock>,
        scale: UnitScale,
    ) -> Result<u8, AuctionError> {
        let now = now.into();
        if budget < self.least_budget(scale)? {
            return Err(AuctionError::BudgetTooSmall);
        }
        let step = self.joins(limit, now)?;
        let joining = self.schedule.begins(step).max(now.block);
        if joining.saturating_add(now.halted) > valid_until {
            return Err(AuctionError::ExpiresBeforeJoining);
        }
        self.reserved = self.reserved.plus(budget)?;
        if let Some(joined) = self.joined.get_mut(usize::from(step)) {
            *joined = joined.plus(budget)?;
        }
        Ok(step)
    }

    /// Takes a bid back; free until its step begins, also during a halt.
    ///
    /// # Errors
    /// [`AuctionError::BidHasJoined`], [`AuctionError::Math`].
    pub fn cancel(
        &mut self,
        budget: Amount,
        step: u8,
        now: impl Into<Clock>,
    ) -> Result<(), AuctionError> {
        let last_live = now.into().last_live();
        if self.phase != Phase::Running || self.schedule.has_begun(step, last_live) {
            return Err(AuctionError::BidHasJoined);
        }
        self.reserved = self.reserved.minus(budget)?;
        if let Some(joined) = self.joined.get_mut(usize::from(step)) {
            *joined = joined.minus(budget)?;
        }
        Ok(())
    }

    /// Changes a bid whose step has not begun, in one go; returns the step it joins now. On an
    /// error the auction is to be thrown away.
    ///
    /// # Errors
    /// Those of [`Self::cancel`] and [`Self::place`].
    pub fn replace(
        &mut self,
        (old_budget, old_step): (Amount, u8),
        budget: Amount,
        limit: Price,
        valid_until: Block,
        now: impl Into<Clock>,
        scale: UnitScale,
    ) -> Result<u8, AuctionError> {
        let now = now.into();
        self.cancel(old_budget, old_step, now)?;
        self.place(budget, limit, valid_until, now, scale)
    }

    /// What the batch asks for at each step from now on, after cohorts were added or a member
    /// left.
    pub fn retarget(&mut self, targets: Vec<Amount>) {
        self.targets = targets;
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
}

#[cfg(test)]
mod tests;
