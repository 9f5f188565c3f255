//! Who bears a shortfall, in which order (promise 10): the owner's collateral is gone by then;
//! next the penalties of the same batch, then insurance (cash, then the reserve's shares of the
//! pool), then lenders through one write-down.

use crate::math::{MathError, Rounding};
use crate::units::{Amount, Ratio};
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
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
