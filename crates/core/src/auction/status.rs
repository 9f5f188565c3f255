//! What bidders ask of an auction.

use super::{Auction, AuctionError, Clearing, Clock, Fill, Phase};
use crate::math::{mul_div, MathError, Rounding};
use crate::units::{Amount, Block, Price, Ratio, UnitScale};
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// How far an auction has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Stage {
    /// Opened; bids wait for the first step.
    Announced,
    /// A step takes bids.
    Bidding,
    /// The market is halted.
    Halted,
    /// The clock has ended; nobody has judged it.
    Ended,
    /// Judged; the vault has not been paid yet.
    Cleared,
    /// Paid; bids can be claimed.
    Settled,
}

/// Everything about an auction that changes from block to block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Status {
    /// How far it has got.
    pub stage: Stage,
    /// What its clock shows.
    pub clock: Clock,
    /// The present step; the first before it has begun, the last reached after the end.
    pub step: u8,
    /// Its price.
    pub price: Price,
    /// The price of the next step; `None` at the last.
    pub next_price: Option<Price>,
    /// Blocks until the next step begins, the first one included; `None` without one.
    pub blocks_to_next: Option<Block>,
    /// The price it never goes under.
    pub floor: Price,
    /// `T` at the step.
    pub target: Amount,
    /// Budgets that have joined up to it.
    pub demand: Amount,
    /// `demand / target`, rounded down, at most one.
    pub filled: Ratio,
    /// How it cleared, or would if the clock ended with this step as it stands.
    pub clearing: Clearing,
}

/// What a bid would get if nobody else came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Quote {
    /// The step it would join.
    pub step: u8,
    /// The price it would pay; zero where it would buy nothing.
    pub price: Price,
    /// What it would spend and receive.
    pub fill: Fill,
}

impl Auction {
    /// Where the auction stands.
    ///
    /// # Errors
    /// [`AuctionError::Math`].
    pub fn status(&self, now: impl Into<Clock>, scale: UnitScale) -> Result<Status, AuctionError> {
        let now = now.into();
        let ended_at = self.ended_at(now.judged())?;
        let last = self.schedule.steps.saturating_sub(1);
        let running = now.expired_at.is_none() && ended_at.is_none();
        let (stage, step) = match self.phase {
            Phase::Settled(clearing) => (Stage::Settled, clearing.ended_at),
            Phase::Cleared(clearing) => (Stage::Cleared, clearing.ended_at),
            Phase::Running => {
                let present = self.schedule.step_at(now.judged()).unwrap_or(last);
                let stage = if !running {
                    Stage::Ended
                } else if now.stands {
                    Stage::Halted
                } else if self.schedule.has_begun(0, now.block) {
                    Stage::Bidding
                } else {
                    Stage::Announced
                };
                (stage, ended_at.unwrap_or(present))
            }
        };
        let at = usize::from(step);
        let target = self.targets.get(at).copied().unwrap_or_default();
        let mut demand = Amount::ZERO;
        for joined in self.joined.iter().take(at.saturating_add(1)) {
            demand = demand.plus(*joined)?;
        }
        let bids_wait = matches!(stage, Stage::Announced | Stage::Bidding | Stage::Halted);
        let next = step.saturating_add(1);
        let upcoming = if self.schedule.has_begun(0, now.block) {
            next
        } else {
            0
        };
        let has_next = bids_wait && upcoming <= last;
        Ok(Status {
            stage,
            clock: now,
            step,
            price: self.prices.get(at).copied().unwrap_or_default(),
            next_price: self
                .prices
                .get(usize::from(next))
                .copied()
                .filter(|_| bids_wait),
            blocks_to_next: has_next
                .then(|| self.schedule.begins(upcoming).saturating_sub(now.block)),
            floor: self.prices.last().copied().unwrap_or_default(),
            target,
            demand,
            filled: share(demand, target)?,
            clearing: match self.phase {
                Phase::Cleared(clearing) | Phase::Settled(clearing) => clearing,
                Phase::Running => self.best_step(step, None, scale)?,
            },
        })
    }

    /// What a bid placed now would get if no other joined: the clock goes on to the bid's step
    /// unless an earlier one is covered. Nothing is changed.
    ///
    /// # Errors
    /// As [`Self::place`].
    pub fn quote(
        &self,
        budget: Amount,
        limit: Price,
        now: impl Into<Clock>,
        scale: UnitScale,
    ) -> Result<Quote, AuctionError> {
        let mut then = self.clone();
        let step = then.place(budget, limit, Block::MAX, now, scale)?;
        let after = then.schedule.begins(step.saturating_add(1));
        let ended_at = then.ended_at(after)?.unwrap_or(step);
        let clearing = then.best_step(ended_at, None, scale)?;
        then.phase = Phase::Settled(clearing);
        let fill = then.claim(budget, step, scale)?;
        Ok(Quote {
            step,
            price: if fill.received.is_zero() {
                Price::ZERO
            } else {
                clearing.price
            },
            fill,
        })
    }
}

fn share(part: Amount, whole: Amount) -> Result<Ratio, MathError> {
    if part >= whole {
        return Ok(Ratio::ONE);
    }
    let ppm = mul_div(part.get(), Ratio::DENOMINATOR, whole.get(), Rounding::Down)?;
    u32::try_from(ppm)
        .map(Ratio::from_ppm)
        .map_err(|_| MathError::Overflow)
}
