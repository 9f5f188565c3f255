//! Measured volatility: an exponentially weighted variance of accepted returns, per second.

use crate::math::{div_wide, mul_div, wide_product, MathError, Rounding};
use crate::units::{Millis, Price, Ratio};
use ethnum::U256;
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// 10^18: one, in the scale of a [`Variance`] and of a return.
pub const VARIANCE_ONE: u128 = 1_000_000_000_000_000_000;

/// Returns count as at most this much either way (1000 %), so that no price can overflow it.
const MOST_RETURN: u128 = 10_000_000_000_000_000_000;

/// How volatility is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct VolatilityConfig {
    /// `λ`: weight of the past after one interval, between 0 and 1.
    pub decay: Ratio,
    /// `τ`: the interval, milliseconds.
    pub interval: Millis,
}

impl VolatilityConfig {
    /// RiskMetrics' `λ = 0.94` per hour: a memory of some sixteen hours.
    #[must_use]
    pub const fn standard() -> Self {
        Self {
            decay: Ratio::from_bps(9_400),
            interval: 3_600_000,
        }
    }

    pub(super) fn is_valid(self) -> bool {
        self.decay > Ratio::ZERO && self.decay < Ratio::ONE && self.interval > 0
    }
}

/// Variance of returns per second, scaled by 10^18.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, TypeInfo)]
pub struct Variance(u128);

impl Variance {
    /// From the plain number, scaled by 10^18.
    #[must_use]
    pub const fn new(variance: u128) -> Self {
        Self(variance)
    }

    /// The plain number, scaled by 10^18.
    #[must_use]
    pub const fn get(self) -> u128 {
        self.0
    }

    /// Variance after one more return, rounded up. With `r = to/from − 1` over `Δ`:
    ///
    /// `σ²' = (λ·τ·σ² + (1−λ)·r²) / (λ·τ + (1−λ)·Δ)`
    ///
    /// For `Δ = τ` this is `λσ² + (1−λ)·r²/τ` (requirement F09). The past weighs the less the
    /// longer ago it is, so neither many quick rounds nor few slow ones change what is measured.
    /// Without a past it is `r²/Δ`.
    ///
    /// # Errors
    /// [`MathError::DivisionByZero`] from a price of zero, [`MathError::Overflow`].
    pub fn after(
        past: Option<Self>,
        config: VolatilityConfig,
        from: Price,
        to: Price,
        elapsed: Millis,
    ) -> Result<Self, MathError> {
        let change = to.get().abs_diff(from.get());
        let change = match mul_div(change, VARIANCE_ONE, from.get(), Rounding::Up) {
            Err(MathError::Overflow) => MOST_RETURN,
            other => other?.min(MOST_RETURN),
        };
        // A return over Δ milliseconds is r²·1000/Δ per second.
        let square = mul_div(change, change, VARIANCE_ONE, Rounding::Up)?
            .checked_mul(1_000)
            .ok_or(MathError::Overflow)?;
        let Some(past) = past else {
            return div_wide(U256::from(square), U256::from(elapsed.max(1)), Rounding::Up)
                .map(Self);
        };
        let fresh = Ratio::ONE.minus(config.decay)?.ppm();
        let kept = wide_product(config.decay.ppm(), u128::from(config.interval));
        let sum = kept
            .checked_mul(U256::from(past.0))
            .and_then(|old| old.checked_add(wide_product(fresh, square)))
            .ok_or(MathError::Overflow)?;
        let weight = kept
            .checked_add(wide_product(fresh, u128::from(elapsed)))
            .ok_or(MathError::Overflow)?;
        div_wide(sum, weight, Rounding::Up).map(Self)
    }

    /// `σ` over a number of seconds, `√(variance · seconds)`, rounded up; the largest ratio where
    /// it does not fit.
    #[must_use]
    pub fn deviation_over(self, seconds: u64) -> Ratio {
        // The root of a number scaled by 10^18 is scaled by 10^9: three digits more than a ratio.
        let scaled = self.0.saturating_mul(u128::from(seconds));
        let root = root(scaled);
        let squared = root.saturating_mul(root) == scaled;
        let root = if squared {
            root
        } else {
            root.saturating_add(1)
        };
        u32::try_from(root.div_ceil(1_000)).map_or(Ratio::from_ppm(u32::MAX), Ratio::from_ppm)
    }
}

/// `⌊√n⌋`, bit by bit: the standard library's is faster, and two kilobytes of contract code.
fn root(n: u128) -> u128 {
    let (mut rest, mut root, mut bit) = (n, 0u128, 1u128 << 126);
    while bit != 0 {
        let tried = root | bit;
        root >>= 1;
        if rest >= tried {
            rest = rest.saturating_sub(tried);
            root |= bit;
        }
        bit >>= 2;
    }
    root
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_root_is_that_of_the_standard_library(n in any::<u128>(), shift in 0u32..128) {
            for n in [n >> shift, 0, 1, 2, 3, 4, u128::MAX, (n >> 64) * (n >> 64)] {
                prop_assert_eq!(super::root(n), n.isqrt());
            }
        }
    }
}
