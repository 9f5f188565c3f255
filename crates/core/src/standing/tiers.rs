//! Which tiers join a batch, at which step, and what a clearing leaves them.

use super::{Discount, StandingError};
use crate::auction::{Auction, AuctionError, Clearing, Fill, Phase};
use crate::math::{MathError, Rounding};
use crate::units::{Amount, Block, Price, Ratio, UnitScale};
use alloc::vec::Vec;
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// A price the oracle saw, with the block that saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Seen {
    /// Block of acceptance, or of quarantine.
    pub block: Block,
    /// The price.
    pub price: Price,
    /// Whether it became an accepted round; a quarantined price lowers tiers but refreshes none.
    pub accepted: bool,
}

/// What a batch has reserved of one tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Reserved {
    /// The tier.
    pub discount: Discount,
    /// Quote that only this batch may spend.
    pub amount: Amount,
    /// The step it joined, known once the batch has been judged.
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

    /// The step each tier joins: the first of the `steps` first whose ladder price is at or under
    /// the tier's own price in it, shallowest tier first.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn joins(
        &self,
        auction: &Auction,
        steps: u8,
        seen: &[Seen],
    ) -> Result<Vec<Option<u8>>, MathError> {
        let mut joins = alloc::vec![None; self.tiers.len()];
        for (step, price) in (0..steps).zip(&auction.prices) {
            let Some(lowest) = self.lowest(auction.schedule.begins(step), seen) else {
                continue;
            };
            for (tier, joined) in self.tiers.iter().zip(&mut joins) {
                if joined.is_none() && *price <= tier.discount.of(lowest)? {
                    *joined = Some(step);
                }
            }
        }
        Ok(joins)
    }

    /// Judges ended steps as [`Auction::clear`] does, with the money of tiers in the steps they
    /// joined. Only steps that were reached take any: asked for later, the answer is the same.
    ///
    /// `seen` are the prices since before the opening, oldest first, as the oracle keeps them;
    /// a step's history is complete once the step has begun.
    ///
    /// # Errors
    /// Those of [`Auction::clear`]; then nothing has changed.
    pub fn clear(
        &mut self,
        auction: &mut Auction,
        seen: &[Seen],
        block: Block,
        scale: UnitScale,
    ) -> Result<Clearing, AuctionError> {
        if auction.phase != Phase::Running {
            return auction.clear(block, scale);
        }
        let joins = self.joins(auction, auction.schedule.ended(block), seen)?;
        let judged = self.with_tiers(auction, &joins, u8::MAX)?;
        let ended_at = judged.ended_at(block)?.ok_or(AuctionError::BiddingOpen)?;
        let mut judged = self.with_tiers(auction, &joins, ended_at)?;
        let clearing = judged.clear(block, scale)?;
        for (tier, step) in self.tiers.iter_mut().zip(joins) {
            tier.step = step.filter(|step| *step <= ended_at);
        }
        *auction = judged;
        Ok(clearing)
    }

    /// The auction with each tier as one more bid, if it joined up to a step.
    fn with_tiers(
        &self,
        auction: &Auction,
        joins: &[Option<u8>],
        until: u8,
    ) -> Result<Auction, MathError> {
        let mut with = auction.clone();
        for (tier, step) in self.tiers.iter().zip(joins) {
            let Some(step) = step.filter(|step| *step <= until) else {
                continue;
            };
            with.reserved = with.reserved.plus(tier.amount)?;
            if let Some(joined) = with.joined.get_mut(usize::from(step)) {
                *joined = joined.plus(tier.amount)?;
            }
        }
        Ok(with)
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
