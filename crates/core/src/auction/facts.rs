//! What an auction shows the circuit breaker.

use super::{Auction, AuctionError, Clock, Phase};
use crate::breaker::BatchFacts;
use crate::math::Rounding;
use crate::standing::tiers::StandingClaim;
use crate::units::{Amount, UnitScale};

impl Auction {
    /// What this auction shows now, running or judged. What its settlement writes off is not known
    /// to it: `bad_debt` is zero.
    ///
    /// Steps that ended count as silent while no budget had joined and their price was under the
    /// opening reference. None is silent where bidders were heard: bids, whatever step they joined
    /// or wait for, and `standing` money that has joined or still may, are together at least
    /// [`Self::least_heard`]. Bidders who want their discount are not bidders who cannot be heard,
    /// and a batch must not be halted for silence because it is sold late. Nor is it silence that
    /// an auction shows which ended for other reasons than want of money.
    ///
    /// # Errors
    /// [`AuctionError::Math`].
    pub fn facts(
        &self,
        now: impl Into<Clock>,
        scale: UnitScale,
        standing: &StandingClaim,
    ) -> Result<BatchFacts, AuctionError> {
        let (ended, raised, sold, excused) = match self.phase {
            Phase::Running => {
                let ended = self.schedule.ended(now.into().judged());
                (ended, Amount::ZERO, Amount::ZERO, false)
            }
            Phase::Cleared(clearing) | Phase::Settled(clearing) => {
                let ended = clearing.ended_at.saturating_add(1);
                (ended, clearing.raised, clearing.sold, clearing.is_excused())
            }
        };
        let mut silent_steps: u8 = 0;
        for (_, (price, joined)) in (0..ended).zip(self.prices.iter().zip(&self.joined)) {
            if !joined.is_zero() {
                break;
            }
            if *price < self.reference {
                silent_steps = silent_steps.saturating_add(1);
            }
        }
        let mut bids = self.joined.iter();
        let heard = bids.try_fold(standing.may_join(self)?, |sum, joined| sum.plus(*joined))?;
        if excused || heard >= self.least_heard()? {
            silent_steps = 0;
        }
        Ok(BatchFacts {
            asked: self.asked_by_cohorts(),
            raised,
            fair: scale.value(sold, self.reference, Rounding::Down)?,
            bad_debt: Amount::ZERO,
            silent_steps,
        })
    }
}
