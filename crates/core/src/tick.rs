//! The scale of debt ratios that orders all positions of a market.
//!
//! Tick `t` covers ratios in `[1.001^t, 1.001^(t+1)) · 10⁻¹⁰`, for `t` in `0 ..= 65 535`: more
//! than 28 orders of magnitude. A position enters the tick at or below its own ratio, so it is
//! liquidated when that tick's lower bound is unhealthy: never early, at most 0.1 % late.

use crate::math::wide_product;
use crate::units::DebtRatio;
use ethnum::U256;

/// Position of a debt ratio on the scale.
pub type Tick = u16;

/// The tick that also holds everything under the scale. Its lower bound is zero, so that nobody
/// is liquidated early; borrowing into it is refused.
pub const LOWEST_TICK: Tick = 0;

/// The lower bound of tick 0: 10⁻¹⁰ in the unit of a price.
const LOWEST: u128 = 100_000_000;

/// `1.001^(2^k)` for k = 0..16 as (mantissa, exponent): `mantissa · 2^(exponent − 127)`, the
/// mantissa cut (not rounded) to 128 bits. A test recomputes the table from big integers.
const POWERS: [(u128, u32); 16] = [
    (0x8020c49ba5e353f7ced916872b020c49, 0),
    (0x8041919ac79702e6644d87724fa8b4bf, 0),
    (0x808344cc1602228757c22270685dc246, 0),
    (0x8107103722bb6e35cbd27eccf1ec4949, 0),
    (0x82103d12ea1777133ac360cbb6fed980, 0),
    (0x8428fe1dcd5e39a6b4612e8c46620980, 0),
    (0x8874993e42b0ffca2938fe309633895d, 0),
    (0x91782fdac607f61517ba66620bbd05db, 0),
    (0xa552bd4574c177cec785248bd55b5e18, 0),
    (0xd5878572a9dfa33e3c36828626080d41, 0),
    (0xb21acbced32da761d75b4d9522f654a6, 1),
    (0xf7d28c734be0181a04fb1b0033781b24, 2),
    (0xefe7f83136a139141c7be92f3d816cbc, 5),
    (0xe0d2f39dbd7102d6e371ff85575d8458, 11),
    (0xc571d828a22569372ac625a2c224b84d, 23),
    (0x9848694f13f15107fe7a10e6dd3dc470, 47),
];

/// A positive number as `mantissa · 2^(exponent − 127)`, the mantissa's top bit set.
#[derive(Clone, Copy)]
struct Float {
    mantissa: u128,
    exponent: u32,
}

impl Float {
    /// [`LOWEST`], exactly.
    const LOWEST: Self = Self {
        mantissa: LOWEST << 101,
        exponent: 26,
    };

    /// The product, cut to 128 bits: at most 2⁻¹²⁷ too low, relatively.
    fn times(self, (mantissa, exponent): (u128, u32)) -> Self {
        let product = wide_product(self.mantissa, mantissa);
        let carry = u32::from(product.leading_zeros() == 0);
        // Both top bits are set, so the product has 255 or 256 bits and the shift leaves 128.
        let cut: U256 = product.wrapping_shr(carry.wrapping_add(127));
        Self {
            mantissa: *cut.low(),
            exponent: self.exponent.wrapping_add(exponent).wrapping_add(carry),
        }
    }

    /// The number, cut to its 64 leading bits and then to an integer.
    ///
    /// Sixteen products are too low by less than 2⁻¹²², relatively. Raising the result by 2⁻¹¹²
    /// before cutting to 64 bits makes each bound the exact floor, also where the power is a
    /// short decimal; a test checks all 65 536 of them.
    fn integer(self) -> u128 {
        let leading = self.mantissa.saturating_add(1 << 15) & (u128::MAX << 64);
        leading
            .checked_shr(127u32.saturating_sub(self.exponent))
            .unwrap_or(0)
    }
}

/// The lower bound of a tick: `10⁸ · 1.001^tick`, cut to its 64 leading bits and then to an
/// integer; zero for [`LOWEST_TICK`]. Strictly increasing in `tick`.
#[must_use]
pub fn bound(tick: Tick) -> DebtRatio {
    if tick == LOWEST_TICK {
        return DebtRatio::ZERO;
    }
    let mut value = Float::LOWEST;
    for (bit, power) in POWERS.iter().enumerate().rev() {
        if tick & (1u16 << bit) != 0 {
            value = value.times(*power);
        }
    }
    DebtRatio::new(value.integer())
}

/// The tick at or below a ratio: the largest `t` with `bound(t) <= ratio`.
///
/// Ratios under the scale (less than 10⁻¹⁰ in whole tokens) fall in tick 0; the last tick is
/// open at its upper end.
#[must_use]
pub fn at_or_below(ratio: DebtRatio) -> Tick {
    let mut tick: Tick = 0;
    let mut value = Float::LOWEST;
    // Greedy descent multiplies in the order of `bound`, so it compares the very same numbers.
    for (bit, power) in POWERS.iter().enumerate().rev() {
        let candidate = value.times(*power);
        if candidate.integer() <= ratio.get() {
            value = candidate;
            tick |= 1u16 << bit;
        }
    }
    tick
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::BigUint;
    use num_traits::ToPrimitive;
    use proptest::prelude::*;

    /// `10⁸ · 1.001^t` from big integers, cut to 64 leading bits, then to an integer.
    fn reference(numerator: &BigUint, denominator: &BigUint) -> u128 {
        let scaled = (numerator << 128usize) / denominator;
        let bits = scaled.bits();
        let cut = (&scaled >> (bits - 64)) << (bits - 64);
        (cut >> 128usize).to_u128().expect("fits")
    }

    /// Every one of the 65 536 bounds is the exact floor, and they strictly increase.
    #[test]
    fn every_bound_equals_the_big_number_reference() {
        // 1.001^t = 1001^t / 1000^t, kept to 4 096 significant bits: far beyond what is compared.
        let mut value = BigUint::from(LOWEST) << 4_096usize;
        let one = BigUint::from(1u8) << 4_096usize;
        let mut previous = 0;
        for t in 0..=u16::MAX {
            let expected = reference(&value, &one);
            let expected = if t == LOWEST_TICK { 0 } else { expected };
            assert_eq!(bound(t).get(), expected, "tick {t}");
            assert!(
                t == LOWEST_TICK || expected > previous,
                "tick {t} does not increase"
            );
            previous = expected;
            value = value * 1_001u32 / 1_000u32;
        }
    }

    #[test]
    fn each_bound_is_in_its_own_tick_and_one_less_is_in_the_tick_below() {
        for t in 0..=u16::MAX {
            let lower = bound(t);
            assert_eq!(at_or_below(lower), t);
            if t > 0 {
                assert_eq!(at_or_below(DebtRatio::new(lower.get() - 1)), t - 1);
            }
        }
        assert_eq!(at_or_below(DebtRatio::ZERO), 0);
        assert_eq!(at_or_below(DebtRatio::new(u128::MAX)), u16::MAX);
    }

    proptest! {
        /// Never early, at most 0.1 % late: bound <= ratio < 1.001 · bound (and rounding).
        #[test]
        fn a_ratio_lies_inside_its_tick(ratio in LOWEST * 2..=bound(u16::MAX).get()) {
            let lower = bound(at_or_below(DebtRatio::new(ratio))).get();
            prop_assert!(lower <= ratio);
            prop_assert!(ratio - lower <= lower / 1_000 + 2);
        }
    }
}
