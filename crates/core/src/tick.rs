//! The scale of debt ratios that orders all positions of a market.
//!
//! Tick `t` covers ratios in `[1.001^t, 1.001^(t+1)) · 10⁻¹⁰`, for `t` in `0 ..= 65 535`: more
//! than 28 orders of magnitude. A position enters the tick at or below its own ratio, so it is
//! liquidated when that tick's lower bound is unhealthy: never early, at most 0.1 % late.

use crate::units::DebtRatio;
use crate::wide;

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
    /// One.
    const ONE: Self = Self {
        mantissa: 1 << 127,
        exponent: 0,
    };

    /// [`LOWEST`], exactly.
    const LOWEST: Self = Self {
        mantissa: LOWEST << 101,
        exponent: 26,
    };

    /// The product, cut to 128 bits: at most 2⁻¹²⁷ too low, relatively.
    const fn times(self, other: Self) -> Self {
        let (upper, lower) = wide::product(self.mantissa, other.mantissa);
        // Both top bits are set, so the product has 255 or 256 bits.
        let carry = (upper >> 127) as u32;
        Self {
            mantissa: if carry == 1 {
                upper
            } else {
                (upper << 1) | (lower >> 127)
            },
            exponent: self
                .exponent
                .wrapping_add(other.exponent)
                .wrapping_add(carry),
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

/// `1.001^(d · 16^k)` for each hexadecimal digit `d` at each place `k` of a tick, made from
/// [`POWERS`] when the program is built: a bound is a product of four entries instead of sixteen.
// Evaluated by the compiler, which refuses an index out of range.
#[allow(clippy::indexing_slicing)]
const DIGITS: [[Float; 16]; 4] = {
    let mut digits = [[Float::ONE; 16]; 4];
    let mut entry = 0;
    while entry < 64 {
        let (place, digit) = (entry >> 4, entry & 15);
        let mut value = Float::ONE;
        let mut bit = 0;
        while bit < 4 {
            if digit & (1 << bit) != 0 {
                let (mantissa, exponent) = POWERS[(place << 2) | bit];
                value = value.times(Float { mantissa, exponent });
            }
            bit = bit.wrapping_add(1);
        }
        digits[place][digit] = value;
        entry = entry.wrapping_add(1);
    }
    digits
};

/// The lower bound of a tick: `10⁸ · 1.001^tick`, cut to its 64 leading bits and then to an
/// integer; zero for [`LOWEST_TICK`]. Strictly increasing in `tick`.
#[must_use]
pub fn bound(tick: Tick) -> DebtRatio {
    if tick == LOWEST_TICK {
        return DebtRatio::ZERO;
    }
    let mut value = Float::LOWEST;
    let mut rest = tick;
    for place in &DIGITS {
        if let Some(power) = place.get(usize::from(rest & 15)) {
            value = value.times(*power);
        }
        rest >>= 4;
    }
    DebtRatio::new(value.integer())
}

/// The tick at or below a ratio: the largest `t` with `bound(t) <= ratio`.
///
/// Ratios under the scale (less than 10⁻¹⁰ in whole tokens) fall in tick 0; the last tick is
/// open at its upper end.
#[must_use]
pub fn at_or_below(ratio: DebtRatio) -> Tick {
    // The guess is one off at most, and the bounds decide.
    let mut tick = near(ratio);
    while tick > LOWEST_TICK && bound(tick) > ratio {
        tick = tick.saturating_sub(1);
    }
    while let Some(above) = tick.checked_add(1).filter(|above| bound(*above) <= ratio) {
        tick = above;
    }
    tick
}

/// `log(ratio / 10⁸) / log(1.001)`, at most one tick off: twelve binary digits of the logarithm,
/// one by each squaring of the mantissa.
fn near(ratio: DebtRatio) -> Tick {
    /// `2^20 / log₂ 1.001`: ticks per 2⁻¹² of the binary logarithm, scaled by 2^32.
    const TICKS: u64 = 727_180_846;
    /// `log₂ 10⁸ / log₂ 1.001`, scaled by 2^32.
    const OFFSET: u64 = 79_155_772_886_291;
    let Some(exponent) = ratio.get().checked_ilog2() else {
        return LOWEST_TICK;
    };
    let shift = 127u32.saturating_sub(exponent);
    let mut mantissa = ((ratio.get() << shift) >> 64) as u64;
    let mut logarithm = u64::from(exponent);
    for _ in 0..12 {
        let square = wide::limb_product(mantissa, mantissa);
        let carry = square >> 127;
        mantissa = (square >> if carry == 1 { 64 } else { 63 }) as u64;
        logarithm = (logarithm << 1) | carry as u64;
    }
    // At most 2^19 · 2^30: no overflow.
    let ticks = logarithm.wrapping_mul(TICKS).saturating_sub(OFFSET) >> 32;
    Tick::try_from(ticks).unwrap_or(Tick::MAX)
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

    /// Exactly 1.001 times the last, up to the units and the 64 bits that bounds are cut to.
    #[test]
    fn each_bound_is_a_tenth_of_a_percent_over_the_last() {
        for t in 1..u16::MAX {
            let (here, above) = (BigUint::from(bound(t).get()), bound(t + 1).get());
            let cut = BigUint::from(1u128 + (above >> 63));
            let (step, whole) = (&here * 1_001u32, BigUint::from(above) * 1_000u32);
            assert!(whole <= &step + &cut * 1_001u32, "tick {t} is wider");
            assert!(whole + &cut * 1_001u32 >= step, "tick {t} is narrower");
        }
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
