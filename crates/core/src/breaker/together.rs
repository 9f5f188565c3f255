//! What markets show together: the facts that raise the breaker of all markets.
//!
//! Amounts can be added within one quote token only, so markets of one token are counted, each by
//! its hole. Nobody but governance makes a market or sets a hole: many small facts in small
//! markets stop no large one.

use super::trigger::{Cause, Limits, Measures};
use super::{Breaker, BreakerError, Stage};
use crate::math::{mul_div, MathError, Rounding};
use crate::units::{Amount, Block, Ratio};

/// Markets that are counted together at most: as many as a token may serve in the vault.
pub const MOST_TOGETHER: usize = 8;

/// Markets that must have tripped at least, whatever their holes.
const FEWEST: u8 = 2;

/// Sums over markets of one quote token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Together {
    holes: Amount,
    bad_debt: Amount,
    /// Holes of markets that facts have raised to a stage or beyond, in the order of [`RAISED`].
    tripped: [Amount; 3],
    /// How many these are.
    markets: [u8; 3],
}

const RAISED: [Stage; 3] = [Stage::NoNewRisk, Stage::NoReauction, Stage::Halted];

/// The part of all holes above which markets that tripped are a majority.
pub const MAJORITY: Ratio = Ratio::from_bps(5_000);

impl Together {
    /// With one market more: its hole, its breaker, and the debt that its auctions wrote off
    /// lately. A stage that a role chose counts as far as facts support it.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn with(
        mut self,
        hole: Amount,
        breaker: &Breaker,
        limits: &Limits,
        bad_debt: Amount,
    ) -> Result<Self, MathError> {
        self.holes = self.holes.plus(hole)?;
        self.bad_debt = self.bad_debt.plus(bad_debt)?;
        let facts = Cause::MEASURED.into_iter();
        let by_facts = facts
            .filter(|cause| breaker.causes.has(*cause))
            .map(|cause| limits.stage(cause))
            .max()
            .unwrap_or_default()
            .min(breaker.stage);
        let counts = self.tripped.iter_mut().zip(&mut self.markets);
        for (stage, (holes, markets)) in RAISED.into_iter().zip(counts) {
            if by_facts >= stage {
                *holes = holes.plus(hole)?;
                *markets = markets.saturating_add(1);
            }
        }
        Ok(self)
    }

    /// The highest stage that facts have raised a majority to: at least two markets with more
    /// than half of all holes. `Open` where there is none.
    #[must_use]
    pub fn majority(&self) -> Stage {
        let reached = RAISED
            .into_iter()
            .zip(self.tripped.iter().zip(self.markets));
        reached
            .filter(|(_, (holes, markets))| {
                *markets >= FEWEST && self.share_of(**holes) > MAJORITY.ppm()
            })
            .map(|(stage, _)| stage)
            .max()
            .unwrap_or_default()
    }

    /// Holes of markets in any stage that facts raised, over all holes, in millionths.
    fn share_of(&self, holes: Amount) -> u128 {
        let (all, one) = (self.holes.get(), Ratio::DENOMINATOR);
        mul_div(holes.get(), one, all, Rounding::Down).unwrap_or(0)
    }

    /// The limits of all markets: the standard ones, for a hole as large as all together.
    #[must_use]
    pub const fn limits(&self) -> Limits {
        Limits::standard(self.holes)
    }

    const fn measures(&self) -> Measures {
        Measures {
            bad_debt: self.bad_debt,
            ..Measures::QUIET
        }
    }

    /// Whether so few markets are stopped by facts that a majority is not in sight: with the
    /// hysteresis of the limits.
    fn is_quiet(&self) -> bool {
        let inside = mul_div(
            MAJORITY.ppm(),
            self.limits().hysteresis.ppm(),
            Ratio::DENOMINATOR,
            Rounding::Down,
        );
        let [stopped, ..] = self.tripped;
        inside.is_ok_and(|inside| self.share_of(stopped) <= inside)
    }
}

impl Breaker {
    /// Raises the stage of all markets for a fact that they show together. Anyone.
    ///
    /// [`Cause::Markets`] raises it to where the majority is, [`Cause::BadDebt`] where the sum is
    /// above the limit for all holes together. Nothing else is a fact of all markets.
    ///
    /// # Errors
    /// Those of [`Self::trip`].
    pub fn trip_together(
        &mut self,
        cause: Cause,
        together: &Together,
        now: Block,
    ) -> Result<Stage, BreakerError> {
        match cause {
            Cause::Markets => match together.majority() {
                Stage::Open => Err(BreakerError::WithinBounds),
                stage => self.note(cause, stage, now),
            },
            Cause::BadDebt => self.trip(cause, &together.limits(), &together.measures(), now),
            _ => Err(BreakerError::WithinBounds),
        }
    }

    /// Reopens all markets once the cool-off is over and every cause is gone. Anyone.
    ///
    /// # Errors
    /// Those of [`Self::reopen`].
    pub fn reopen_together(&mut self, together: &Together, now: Block) -> Result<(), BreakerError> {
        let limits = together.limits();
        let mut next = *self;
        next.reopen(&limits, &together.measures(), now)?;
        if self.causes.has(Cause::Markets) && !together.is_quiet() {
            return Err(BreakerError::CauseRemains(Cause::Markets));
        }
        *self = next;
        Ok(())
    }
}
