//! Which step clears, and what each bid receives.

use super::{Auction, AuctionError, Clock, Phase};
use crate::math::{mul_div, MathError, Rounding};
use crate::units::{Amount, Price, UnitScale};
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// A step counts only if it raises at least this part, an eighth, of what the fullest step raises:
/// else the least bid there is, above `r`, would stop every sale under it.
pub(super) const LEAST_PART: u128 = 8;

/// Why an auction's clock ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum End {
    /// The money that had joined covered what the batch asked for at that step.
    Covered,
    /// The last step ended.
    RanOut,
    /// It was halted for too long; nothing is sold.
    Halted,
    /// Two accepted prices in a row were off its ladder. Above it nothing is sold; under it the
    /// steps reached are judged.
    Repriced,
}

/// The result of judging all steps that were reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Clearing {
    /// The last step that was reached.
    pub ended_at: u8,
    /// Why the clock ended there.
    pub end: End,
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
    const fn nothing(ended_at: u8, end: End) -> Self {
        Self {
            ended_at,
            end,
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
    /// Whether it ended through no fault of its lot: no cohort has to wait for another auction
    /// because of it.
    #[must_use]
    pub const fn is_excused(&self) -> bool {
        matches!(self.end, End::Halted | End::Repriced)
    }
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
    /// Judges the auction and chooses the best step reached: the one that maximises
    /// `min(B_j, T(p_j)) · (p_j − r) / p_j`; ties go to more money, then to the higher price;
    /// steps at or under `r`, and those that raise under an eighth of what the fullest step
    /// raises, count zero. The score is rounded down to a quote unit.
    ///
    /// An auction halted for more than [`LONGEST_HALT`](super::LONGEST_HALT) blocks whose clock had
    /// not ended before sells nothing. During a shorter halt nothing is judged.
    ///
    /// # Errors
    /// [`AuctionError::BiddingOpen`], [`AuctionError::Halted`], [`AuctionError::Math`]. An auction judged before returns
    /// its clearing again.
    pub fn clear(
        &mut self,
        now: impl Into<Clock>,
        scale: UnitScale,
    ) -> Result<Clearing, AuctionError> {
        if let Phase::Cleared(clearing) | Phase::Settled(clearing) = self.phase {
            return Ok(clearing);
        }
        let now = now.into();
        let expired = now.expired_at.is_some();
        let clearing = match self.ended_at(now.judged())? {
            Some(_) | None if now.stands && !expired => return Err(AuctionError::Halted),
            Some(ended_at) => self.best_step(ended_at, None, scale)?,
            None if expired => Clearing::nothing(self.last_ended(now), End::Halted),
            None => return Err(AuctionError::BiddingOpen),
        };
        self.phase = Phase::Cleared(clearing);
        Ok(clearing)
    }

    /// Ends an auction whose ladder the market has left: both of the last two accepted prices are
    /// above its start, and nothing is sold, or under its floor, where nobody would bid any more,
    /// and the best of the ended steps clears. The rest can be offered again at once.
    ///
    /// # Errors
    /// [`AuctionError::PriceInRange`], [`AuctionError::BiddingEnded`], [`AuctionError::Halted`],
    /// [`AuctionError::Math`].
    pub fn reprice(
        &mut self,
        now: impl Into<Clock>,
        spot: Price,
        previous: Price,
        scale: UnitScale,
    ) -> Result<Clearing, AuctionError> {
        let now = now.into();
        self.ensure_running(now)?;
        now.ensure_open()?;
        let start = self.prices.first().copied().unwrap_or_default();
        let floor = self.prices.last().copied().unwrap_or_default();
        let above = spot.min(previous) > start;
        let below = spot.max(previous) < floor;
        let last = self.last_ended(now);
        let clearing = if below && self.schedule.ended(now.block) > 0 {
            self.best_step(last, Some(End::Repriced), scale)?
        } else if above || below {
            Clearing::nothing(last, End::Repriced)
        } else {
            return Err(AuctionError::PriceInRange);
        };
        self.phase = Phase::Cleared(clearing);
        Ok(clearing)
    }

    /// The last step that has ended, 0 if none has.
    fn last_ended(&self, now: Clock) -> u8 {
        self.schedule.ended(now.judged()).saturating_sub(1)
    }

    /// The clearing of an auction whose clock ended at a step. Without a reason it ended because
    /// that step's money covers its target, or because it was the last.
    pub(super) fn best_step(
        &self,
        ended_at: u8,
        reason: Option<End>,
        scale: UnitScale,
    ) -> Result<Clearing, AuctionError> {
        let mut money = Amount::ZERO;
        let mut most_raised = Amount::ZERO;
        let reached = usize::from(ended_at).saturating_add(1);
        for (joined, target) in self.joined.iter().zip(&self.targets).take(reached) {
            money = money.plus(*joined)?;
            most_raised = most_raised.max(money.min(*target));
        }
        let least = most_raised.mul_div(1, LEAST_PART, Rounding::Up)?;
        let mut money = Amount::ZERO;
        let mut covered = false;
        // (score, raised, step, price): earlier steps have the higher price and win ties.
        let mut best: Option<(u128, Amount, u8, Price)> = None;
        for (step, ((joined, target), price)) in
            (0..=ended_at).zip(self.joined.iter().zip(&self.targets).zip(&self.prices))
        {
            money = money.plus(*joined)?;
            covered = money >= *target;
            let raised = money.min(*target);
            let above = price.minus_or_zero(self.reserve);
            let score = if raised >= least {
                mul_div(raised.get(), above.get(), price.get(), Rounding::Down)?
            } else {
                0
            };
            if best.is_none_or(|(most, sum, _, _)| (score, raised) > (most, sum)) {
                best = Some((score, raised, step, *price));
            }
        }
        let usual = if covered { End::Covered } else { End::RanOut };
        let end = reason.unwrap_or(usual);
        match best {
            Some((_, raised, step, price)) if !raised.is_zero() => {
                Ok(self.fill((ended_at, end), step, price, raised, scale)?)
            }
            _ => Ok(Clearing::nothing(ended_at, end)),
        }
    }

    /// Finds the step at which the money needed runs out. What is left for that step but buys not
    /// one unit of collateral is not raised: nobody could be asked to pay it.
    fn fill(
        &self,
        (ended_at, end): (u8, End),
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
            return Ok(Clearing::nothing(ended_at, end));
        }
        Ok(Clearing {
            ended_at,
            end,
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
