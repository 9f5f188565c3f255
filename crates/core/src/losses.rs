//! Who bears a shortfall, in which order (promise 10): the owner's collateral is gone by then;
//! next the penalties of the same batch, then insurance (cash, then the reserve's shares of the
//! pool), then lenders through one write-down.

use crate::math::{MathError, Rounding};
use crate::units::{Amount, Millis, Ratio};
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// The part of the penalties left after a shortfall that keepers may receive at most.
pub const KEEPER_CAP: Ratio = Ratio::from_bps(2_000);

/// How the penalties and the shortfall of one batch were settled, all in quote units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Waterfall {
    /// Debt that no collateral was left for.
    pub shortfall: Amount,
    /// Covered by penalties of the same batch.
    pub from_penalties: Amount,
    /// Covered by insurance.
    pub from_insurance: Amount,
    /// Covered by the reserve's share of the lenders' pool.
    pub from_reserve: Amount,
    /// Borne by lenders.
    pub from_lenders: Amount,
    /// Paid to keepers out of the penalties left.
    pub reward: Amount,
    /// Penalties left over, paid into insurance.
    pub to_insurance: Amount,
    /// Penalties left over that made good what lenders lost in a wind-down.
    pub to_lenders: Amount,
    /// Paid to keepers out of insurance, up to the tip.
    pub top_up: Amount,
}

/// Top-ups of keepers' rewards that insurance pays in one market on one day.
pub const TOP_UPS_A_DAY: u8 = 8;

/// Of what a batch asks for, the part in so many that has to be sold for a top-up. A bid of less
/// would keep insurance from buying, and be paid for it.
const LEAST_SOLD: u128 = 8;

/// A keeper's reward, fixed when its batch opens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct RewardTerms {
    /// Fixed part, quote.
    pub tip: Amount,
    /// Part in proportion to what the batch raises.
    pub share: Ratio,
    /// Whether the batch is large enough for insurance to top the reward up to the tip.
    pub topped_up: bool,
}

/// Top-ups paid on the latest day there was one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct TopUps {
    /// Days since the Unix epoch.
    pub day: u32,
    /// Paid on that day.
    pub paid: u8,
}

impl TopUps {
    /// What insurance adds to a reward: up to the tip, from a batch that raised at least an eighth
    /// of what it asked for, as long as insurance lasts and the day's number is not used up.
    /// Penalties alone would not pay anybody to sell insolvent positions.
    pub fn draw(
        &mut self,
        terms: &RewardTerms,
        asked: Amount,
        raised: Amount,
        reward: Amount,
        insurance: Amount,
        now: Millis,
    ) -> Amount {
        let today = day_of(now);
        if self.day != today {
            *self = Self {
                day: today,
                paid: 0,
            };
        }
        let amount = terms.tip.minus_or_zero(reward).min(insurance);
        let least = asked.mul_div(1, LEAST_SOLD, Rounding::Up);
        let sold = !raised.is_zero() && least.is_ok_and(|least| raised >= least);
        let due = terms.topped_up && sold && self.paid < TOP_UPS_A_DAY;
        if !due || amount.is_zero() {
            return Amount::ZERO;
        }
        self.paid = self.paid.saturating_add(1);
        amount
    }
}

const DAY: Millis = 86_400_000;

/// The day a moment falls on, counted from the Unix epoch.
#[must_use]
pub fn day_of(now: Millis) -> u32 {
    u32::try_from(now.checked_div(DAY).unwrap_or_default()).unwrap_or(u32::MAX)
}

/// Distributes a batch's penalties and its shortfall.
///
/// `reward = min(tip + raised · share, 20 % of the penalties left)`, rounded down.
///
/// # Errors
/// [`MathError::Overflow`].
pub fn settle_losses(
    penalties: Amount,
    shortfall: Amount,
    insurance: Amount,
    raised: Amount,
    tip: Amount,
    share: Ratio,
) -> Result<Waterfall, MathError> {
    let from_penalties = shortfall.min(penalties);
    let after_penalties = shortfall.minus(from_penalties)?;
    let from_insurance = after_penalties.min(insurance);
    let from_lenders = after_penalties.minus(from_insurance)?;
    let left = penalties.minus(from_penalties)?;
    let wished = tip.plus(raised.share(share, Rounding::Down)?)?;
    let reward = wished.min(left.share(KEEPER_CAP, Rounding::Down)?);
    Ok(Waterfall {
        shortfall,
        from_penalties,
        from_insurance,
        // The reserve holds shares of the pool; what it bears is known once they are burnt.
        from_reserve: Amount::ZERO,
        from_lenders,
        reward,
        to_insurance: left.minus(reward)?,
        ..Waterfall::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn insurance_tops_a_reward_up_to_the_tip_and_not_more_often_than_allowed() {
        let amount = Amount::new;
        let terms = RewardTerms {
            tip: amount(5),
            share: Ratio::ZERO,
            topped_up: true,
        };
        // An eighth of what was asked for.
        let (asked, sold, insured) = (amount(7_999), amount(1_000), amount(100));
        let mut paid = TopUps::default();
        let mut draw = |terms, raised, reward, insurance, now| {
            paid.draw(terms, asked, raised, reward, insurance, now)
                .get()
        };
        assert_eq!(draw(&terms, sold, amount(2), insured, DAY), 3);
        assert_eq!(draw(&terms, sold, amount(5), insured, DAY), 0);
        for speck in [0, 1, 999] {
            let drawn = draw(&terms, amount(speck), Amount::ZERO, insured, DAY);
            assert_eq!(
                drawn, 0,
                "nobody is paid for a bid that keeps insurance out"
            );
        }
        assert_eq!(draw(&terms, sold, Amount::ZERO, amount(1), DAY), 1);
        let small = RewardTerms {
            topped_up: false,
            ..terms
        };
        assert_eq!(draw(&small, sold, Amount::ZERO, insured, DAY), 0);
        for left in (0..TOP_UPS_A_DAY - 2).rev() {
            assert_eq!(
                draw(&terms, sold, Amount::ZERO, insured, 2 * DAY - 1),
                5,
                "{left}"
            );
        }
        assert_eq!(draw(&terms, sold, Amount::ZERO, insured, 2 * DAY - 1), 0);
        assert_eq!(draw(&terms, sold, Amount::ZERO, insured, 2 * DAY), 5);
        // Nothing was asked for, so nothing was sold.
        let none = paid.draw(
            &terms,
            Amount::ZERO,
            Amount::ZERO,
            Amount::ZERO,
            insured,
            3 * DAY,
        );
        assert!(none.is_zero());
    }

    proptest! {
        /// I-07, I-10, I-28: the order holds, nothing is created, rewards come from penalties.
        #[test]
        fn every_unit_has_one_source_and_one_use(
            penalties in 0u128..1 << 90, shortfall in 0u128..1 << 90,
            insurance in 0u128..1 << 90, raised in 0u128..1 << 90,
            tip in 0u128..1 << 60, share in 0u32..=100_000,
        ) {
            let w = settle_losses(
                Amount::new(penalties), Amount::new(shortfall), Amount::new(insurance),
                Amount::new(raised), Amount::new(tip), Ratio::from_ppm(share),
            ).unwrap();
            let get = |a: Amount| a.get();
            prop_assert_eq!(
                get(w.from_penalties) + get(w.from_insurance) + get(w.from_lenders), shortfall
            );
            prop_assert_eq!(get(w.from_penalties) + get(w.reward) + get(w.to_insurance), penalties);
            prop_assert!(get(w.from_insurance) <= insurance);
            if !w.from_insurance.is_zero() {
                prop_assert_eq!(get(w.from_penalties), penalties);
            }
            if !w.from_lenders.is_zero() {
                prop_assert_eq!(get(w.from_insurance), insurance);
            }
            prop_assert!(get(w.reward) * 5 <= penalties - get(w.from_penalties));
        }
    }
}
