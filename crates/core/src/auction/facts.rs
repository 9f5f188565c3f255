//! What an auction shows the circuit breaker.

use super::{Auction, AuctionError, Clock, Phase, LEAST_PART};
use crate::breaker::BatchFacts;
use crate::math::Rounding;
use crate::units::{Amount, UnitScale};

impl Auction {
    /// What this auction shows now, running or judged. `bad_debt` is what its settlement wrote off.
    ///
    /// Steps that ended count as silent while no budget had joined and their price was under the
    /// opening reference. None is silent where money waits for a later one: bids that join there,
    /// and `standing`, the standing money that has joined or still may, of an eighth of what the
    /// batch asks for together. Bidders who want their discount are not bidders who cannot be
    /// heard, and a batch must not be halted ahead of the step at which it is sold.
    ///
    /// # Errors
    /// [`AuctionError::Math`].
    pub fn facts(
        &self,
        now: impl Into<Clock>,
        scale: UnitScale,
        bad_debt: Amount,
        standing: Amount,
    ) -> Result<BatchFacts, AuctionError> {
        let (ended, raised, sold) = match self.phase {
            Phase::Running => {
                let ended = self.schedule.ended(now.into().judged());
                (ended, Amount::ZERO, Amount::ZERO)
            }
            Phase::Cleared(clearing) | Phase::Settled(clearing) => {
                let ended = clearing.ended_at.saturating_add(1);
                (ended, clearing.raised, clearing.sold)
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
        let asked = self.targets.first().copied().unwrap_or_default();
        let mut later = self.joined.iter().skip(usize::from(ended));
        let waiting = later.try_fold(standing, |sum, joined| sum.plus(*joined))?;
        if waiting
            >= asked
                .mul_div(1, LEAST_PART, Rounding::Up)?
                .max(Amount::new(1))
        {
            silent_steps = 0;
        }
        Ok(BatchFacts {
            asked,
            raised,
            fair: scale.value(sold, self.reference, Rounding::Down)?,
            bad_debt,
            silent_steps,
        })
    }
}
