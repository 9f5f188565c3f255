//! Notice: a change of parameters waits before it applies, and a lower liquidation threshold then
//! reaches open positions little by little.

use crate::math::{mul_div, MathError, Rounding};
use crate::units::{Millis, Ratio};
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// The shortest notice of a market: one day.
pub const SHORTEST_NOTICE: Millis = 86_400_000;

/// The longest notice of a market: thirty days.
pub const LONGEST_NOTICE: Millis = 2_592_000_000;

/// How long a proposal may be applied once its notice is over: fourteen days. An old one must not
/// lie in wait for ever.
pub const PROPOSAL_LIFE: Millis = 1_209_600_000;

/// Why a proposal is not applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum TimelockError {
    /// Nothing has been proposed.
    NothingProposed,
    /// The notice is not over.
    TooEarly,
    /// The proposal has lapsed; it must be made again.
    Lapsed,
}

/// Something proposed, and from when on it may apply.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Proposal<T> {
    /// What is to apply.
    pub value: T,
    /// When its notice is over, milliseconds.
    pub ripe_at: Millis,
}

impl<T> Proposal<T> {
    /// Proposed now, with so much notice.
    #[must_use]
    pub const fn new(value: T, now: Millis, notice: Millis) -> Self {
        Self {
            value,
            ripe_at: now.saturating_add(notice),
        }
    }

    /// What was proposed, if it may apply now.
    ///
    /// # Errors
    /// [`TimelockError::TooEarly`], [`TimelockError::Lapsed`].
    pub fn ripe(self, now: Millis) -> Result<T, TimelockError> {
        if now < self.ripe_at {
            return Err(TimelockError::TooEarly);
        }
        if now > self.ripe_at.saturating_add(PROPOSAL_LIFE) {
            return Err(TimelockError::Lapsed);
        }
        Ok(self.value)
    }
}

/// A liquidation threshold on its way down: in the block of the change it is what it was, so that
/// no position becomes liquidatable by it, and then it falls in a straight line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Easing {
    /// Where it comes from.
    pub from: Ratio,
    /// When it began, milliseconds.
    pub since: Millis,
    /// How long it takes, milliseconds.
    pub lasts: Millis,
}

impl Easing {
    /// The threshold at a moment, `to` being where it goes: rounded up, in favour of borrowers.
    ///
    /// # Errors
    /// [`MathError`] where it would rise.
    pub fn at(&self, to: Ratio, now: Millis) -> Result<Ratio, MathError> {
        let left = self.lasts.saturating_sub(now.saturating_sub(self.since));
        if left == 0 {
            return Ok(to);
        }
        let above = mul_div(
            self.from.minus(to)?.ppm(),
            u128::from(left),
            u128::from(self.lasts),
            Rounding::Up,
        )?;
        let above = u32::try_from(above).map_err(|_| MathError::Overflow)?;
        to.plus(Ratio::from_ppm(above))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_proposal_applies_after_its_notice_and_not_for_ever() {
        let proposal = Proposal::new(7, 1_000, SHORTEST_NOTICE);
        let ripe = 1_000 + SHORTEST_NOTICE;
        assert_eq!(
            proposal.clone().ripe(ripe - 1),
            Err(TimelockError::TooEarly)
        );
        assert_eq!(proposal.clone().ripe(ripe), Ok(7));
        assert_eq!(proposal.clone().ripe(ripe + PROPOSAL_LIFE), Ok(7));
        assert_eq!(
            proposal.ripe(ripe + PROPOSAL_LIFE + 1),
            Err(TimelockError::Lapsed)
        );
    }

    proptest! {
        /// It begins where it was, never rises, never passes its end, and arrives in time.
        #[test]
        fn a_falling_threshold_has_no_step(
            from in 1u32..1_000_000, fall in 0u32..1_000_000, since in 0u64..1 << 45,
            lasts in SHORTEST_NOTICE..=LONGEST_NOTICE, a in 0u64..LONGEST_NOTICE, b in 0u64..LONGEST_NOTICE,
        ) {
            let (from, to) = (Ratio::from_ppm(from), Ratio::from_ppm(from.saturating_sub(fall)));
            let easing = Easing { from, since, lasts };
            let at = |after: u64| easing.at(to, since + after).unwrap();
            prop_assert_eq!(at(0), from);
            prop_assert_eq!(at(lasts), to);
            prop_assert!(at(a.max(b)) <= at(a.min(b)) && at(a) >= to && at(a) <= from);
            // In a minute it falls by less than a thousandth of the way, and a unit of rounding.
            let step = at(a).ppm() - at(a + 60_000).ppm();
            prop_assert!(step * 1_000 <= from.minus(to).unwrap().ppm() + 1_000);
        }
    }
}
