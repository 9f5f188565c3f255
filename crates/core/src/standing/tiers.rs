//! Which tiers join a batch, at which step, and what a clearing leaves them.

use super::seen::Seen;
use super::{Discount, StandingError};
use crate::auction::{Auction, Fill, Phase};
use crate::math::{MathError, Rounding};
use crate::units::{Amount, Block, Price, Ratio, UnitScale};
use alloc::vec::Vec;
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// What a batch has reserved of one tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Reserved {
    /// The tier.
    pub discount: Discount,
    /// Quote that only this batch may spend.
    pub amount: Amount,
    /// The step it joined, if it has.
    pub step: Option<u8>,
}

/// The standing money of one batch: reserved at its opening, part of its record until settlement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct StandingClaim {
    /// Block of the opening.
    pub opened: Block,
    /// The lower of the opening reference and a price in quarantine at the opening.
    pub ceiling: Price,
    /// For how many blocks an accepted round is fresh.
    pub fresh_for: Block,
    /// Tiers with money in it, shallowest first.
    pub tiers: Vec<Reserved>,
}

impl Discount {
    /// `⌊(1 − discount) · price⌋`.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn of(self, price: Price) -> Result<Price, MathError> {
        price.times(self.complement(), Rounding::Down)
    }
}

impl StandingClaim {
    /// A tier's price in the step that begins in `begins`:
    /// `(1 − discount) · min(opening reference, lowest price seen from opening to that block)`,
    /// rounded down. `None` where the last accepted round until then is not fresh.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn price(
        &self,
        discount: Discount,
        begins: Block,
        seen: &[Seen],
    ) -> Result<Option<Price>, MathError> {
        self.lowest(begins, seen)
            .map(|lowest| discount.of(lowest))
            .transpose()
    }

    /// The price that discounts are taken from in the step that begins in `begins`.
    fn lowest(&self, begins: Block, seen: &[Seen]) -> Option<Price> {
        let until = || seen.iter().filter(|seen| seen.block <= begins);
        let last = until()
            .filter(|seen| seen.accepted)
            .map(|seen| seen.block)
            .max()?;
        if begins.saturating_sub(last) > self.fresh_for {
            return None;
        }
        let since = until().filter(|seen| seen.block >= self.opened);
        Some(since.map(|seen| seen.price).fold(self.ceiling, Price::min))
    }

    /// Adds each tier, as one more bid, to the step it joins: of the `ended` first steps the first
    /// whose ladder price is at or under the tier's own price in it. To be called before ended
    /// steps are judged, however late and however often: steps that were added to before, and
    /// those after the one at which the money covers `T`, are left as they are.
    ///
    /// `seen` are the prices since before the opening, oldest first, in blocks of the auction's
    /// clock. What a step depends on is complete once it has begun, so that it does not matter
    /// who asks when.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn join(
        &mut self,
        auction: &mut Auction,
        ended: u8,
        seen: &[Seen],
    ) -> Result<(), MathError> {
        if auction.phase != Phase::Running {
            return Ok(());
        }
        let mut money = Amount::ZERO;
        for step in 0..ended.min(auction.schedule.steps) {
            let at = usize::from(step);
            let new = self.joining(auction, step, seen)?;
            auction.reserved = auction.reserved.plus(new)?;
            if let Some(joined) = auction.joined.get_mut(at) {
                *joined = joined.plus(new)?;
                money = money.plus(*joined)?;
            }
            if auction
                .targets
                .get(at)
                .is_some_and(|target| money >= *target)
            {
                break;
            }
        }
        Ok(())
    }

    /// Marks the tiers that join at a step and returns their money.
    fn joining(&mut self, auction: &Auction, step: u8, seen: &[Seen]) -> Result<Amount, MathError> {
        let mut money = Amount::ZERO;
        if !self.waits() {
            return Ok(money);
        }
        let lowest = self.lowest(auction.schedule.begins(step), seen);
        let (Some(lowest), Some(price)) = (lowest, auction.prices.get(usize::from(step))) else {
            return Ok(money);
        };
        let waits = |tier: &&mut Reserved| tier.step.is_none();
        for tier in self.tiers.iter_mut().filter(waits) {
            if *price > tier.discount.of(lowest)? {
                // Deeper tiers have lower prices still.
                break;
            }
            tier.step = Some(step);
            money = money.plus(tier.amount)?;
        }
        Ok(money)
    }

    /// All that the batch has reserved of standing money.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn total(&self) -> Result<Amount, MathError> {
        self.sum(|_| true)
    }

    /// What of it has joined: [`Self::join`] has added so much to what the auction reserves.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn joined(&self) -> Result<Amount, MathError> {
        self.sum(|tier| tier.step.is_some())
    }

    /// What may still join: nothing once the auction has been judged.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub(crate) fn may_join(&self, auction: &Auction) -> Result<Amount, MathError> {
        if auction.phase == Phase::Running {
            self.sum(|tier| tier.step.is_none())
        } else {
            Ok(Amount::ZERO)
        }
    }

    /// Whether a tier could still join.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.tiers.iter().any(|tier| tier.step.is_none())
    }

    fn sum(&self, counts: impl Fn(&Reserved) -> bool) -> Result<Amount, MathError> {
        self.tiers
            .iter()
            .filter(|tier| counts(tier))
            .try_fold(Amount::ZERO, |sum, tier| sum.plus(tier.amount))
    }

    /// What a settled auction gives a tier: like a bid of its step.
    ///
    /// # Errors
    /// [`StandingError::Auction`].
    pub(super) fn fill(
        auction: &mut Auction,
        tier: &Reserved,
        scale: UnitScale,
    ) -> Result<Fill, StandingError> {
        let Some(step) = tier.step else {
            return Ok(Fill {
                refunded: tier.amount,
                ..Fill::default()
            });
        };
        Ok(auction.claim(tier.amount, step, scale)?)
    }
}

/// The reserve ratio `r` of a batch: the market's own, or lower where the shallowest tier with
/// money would otherwise count for nothing: half a percentage point under that tier's price,
/// within the bounds 0.95 to 0.98.
#[must_use]
pub fn reserve_ratio(own: Ratio, shallowest: Option<Discount>) -> Ratio {
    let (low, high) = (Ratio::from_bps(9_500), Ratio::from_bps(9_800));
    let below = shallowest
        .and_then(|tier| tier.complement().minus(Ratio::from_bps(50)).ok())
        .unwrap_or(high);
    own.min(below).clamp(low, high)
}
