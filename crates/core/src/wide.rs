//! Products and quotients of 128-bit numbers out of 64-bit machine operations.
//!
//! A contract pays for every Wasm instruction. The compiler's 128-bit routines and a general
//! 256-bit library need about 2 000 of them for `a · b / d`; these need a few hundred, and a
//! batch of 32 ticks does some thousand such divisions.
//!
//! All arithmetic wraps on purpose: each step is proven not to, or to mean its value modulo a
//! power of two, in the comment beside it.

/// 64 bits, the width of a limb.
const LIMB: u32 = 64;

const fn high(value: u128) -> u64 {
    // Truncation is the point: the upper half fits.
    (value >> LIMB) as u64
}

const fn low(value: u128) -> u64 {
    value as u64
}

const fn join(high: u64, low: u64) -> u128 {
    ((high as u128) << LIMB) | low as u128
}

/// The exact product of two limbs, out of 32-bit halves. Inlined: as a function it would hand its
/// result over in memory.
#[inline(always)]
pub(crate) const fn limb_product(a: u64, b: u64) -> u128 {
    const HALF: u64 = 0xffff_ffff;
    let (a1, a0, b1, b0) = (a >> 32, a & HALF, b >> 32, b & HALF);
    let bottom = a0.wrapping_mul(b0);
    let left = a1.wrapping_mul(b0);
    let right = a0.wrapping_mul(b1);
    // At most 3 · (2^32 − 1): no overflow.
    let middle = (bottom >> 32)
        .wrapping_add(left & HALF)
        .wrapping_add(right & HALF);
    // The product is under 2^128, so its upper half is under 2^64.
    let top = a1
        .wrapping_mul(b1)
        .wrapping_add(left >> 32)
        .wrapping_add(right >> 32)
        .wrapping_add(middle >> 32);
    join(top, (middle << 32) | (bottom & HALF))
}

/// The exact product as (upper, lower) 128 bits.
#[inline(never)]
pub(crate) const fn product(a: u128, b: u128) -> (u128, u128) {
    let (a1, a0, b1, b0) = (high(a), low(a), high(b), low(b));
    let bottom = limb_product(a0, b0);
    if a1 | b1 == 0 {
        return (0, bottom);
    }
    let left = limb_product(a1, b0);
    let right = limb_product(a0, b1);
    // At most 3 · (2^64 − 1): no overflow.
    let middle = (high(bottom) as u128)
        .wrapping_add(low(left) as u128)
        .wrapping_add(low(right) as u128);
    // The product is under 2^256, so its upper half is under 2^128.
    let top = limb_product(a1, b1)
        .wrapping_add(high(left) as u128)
        .wrapping_add(high(right) as u128)
        .wrapping_add(high(middle) as u128);
    (top, join(low(middle), low(bottom)))
}

/// `(upper · 2^64 + lower) / divisor` and the remainder, for `upper < divisor` and the divisor's
/// top bit set: Knuth's Algorithm D with two 32-bit digits (The Art of Computer Programming,
/// volume 2, section 4.3.1; in this form Warren, Hacker's Delight, section 9-4).
fn divide_limb(upper: u64, lower: u64, divisor: u64) -> (u64, u64) {
    const BASE: u64 = 1 << 32;
    const HALF: u64 = BASE - 1;
    let (d1, d0) = (divisor >> 32, divisor & HALF);
    let digit = |upper: u64, next: u64| {
        // d1 ≥ 2^31, never zero.
        let mut quotient = upper.checked_div(d1).unwrap_or(u64::MAX);
        let mut rest = upper.wrapping_sub(quotient.wrapping_mul(d1));
        // The guess is at most two too high.
        while quotient >= BASE || quotient.wrapping_mul(d0) > ((rest << 32) | next) {
            quotient = quotient.wrapping_sub(1);
            rest = rest.wrapping_add(d1);
            if rest >= BASE {
                break;
            }
        }
        // The true remainder is under the divisor: right modulo 2^64 is right.
        let rest = ((upper << 32) | next).wrapping_sub(quotient.wrapping_mul(divisor));
        (quotient, rest)
    };
    let (first, rest) = digit(upper, lower >> 32);
    let (second, rest) = digit(rest, lower & HALF);
    ((first << 32) | second, rest)
}

/// `(upper · 2^64 + next) / divisor` and the remainder, for `upper < divisor` and the divisor's
/// top bit set: one quotient limb of Algorithm D.
fn quotient_limb(upper: u128, next: u64, divisor: u128) -> (u64, u128) {
    let (d1, d0) = (high(divisor), low(divisor));
    let (u1, u0) = (high(upper), low(upper));
    let (mut quotient, mut rest) = if u1 >= d1 {
        // upper < divisor, so u1 = d1: the guess is the largest limb, and its remainder
        // u1 · 2^64 + u0 − (2^64 − 1) · d1 = u0 + d1.
        (u64::MAX, u128::from(u0).wrapping_add(u128::from(d1)))
    } else {
        let (quotient, rest) = divide_limb(u1, u0, d1);
        (quotient, u128::from(rest))
    };
    // The guess is at most two too high; once the remainder exceeds a limb it is right.
    while high(rest) == 0 && limb_product(quotient, d0) > join(low(rest), next) {
        quotient = quotient.wrapping_sub(1);
        rest = rest.wrapping_add(u128::from(d1));
    }
    // The true remainder is under 2^128: right modulo 2^128 is right.
    let taken = limb_product(quotient, d0).wrapping_add(join(quotient.wrapping_mul(d1), 0));
    (quotient, join(u0, next).wrapping_sub(taken))
}

/// `(upper · 2^128 + lower) / divisor` and the remainder; `None` where the divisor is zero or the
/// quotient exceeds 128 bits, which is where `upper ≥ divisor`.
#[inline(never)]
pub(crate) fn quotient(upper: u128, lower: u128, divisor: u128) -> Option<(u128, u128)> {
    if upper >= divisor {
        return None;
    }
    if upper == 0 && high(lower) == 0 {
        // Whole in one limb: the machine's own division. A divisor over a limb leaves all of it.
        if high(divisor) != 0 {
            return Some((0, lower));
        }
        let (n, d) = (low(lower), low(divisor));
        let quotient = n.checked_div(d)?;
        let rest = n.wrapping_sub(quotient.wrapping_mul(d));
        return Some((u128::from(quotient), u128::from(rest)));
    }
    if high(divisor) == 0 {
        // A single-limb divisor, and so upper < 2^64 as well: limb by limb.
        let divisor = low(divisor);
        let shift = divisor.leading_zeros();
        let divisor = divisor << shift;
        let upper = shifted(low(upper), high(lower), shift);
        let middle = shifted(high(lower), low(lower), shift);
        // A dividend of two limbs often has nothing in the first quotient limb.
        let (q1, rest) = if upper == 0 && middle < divisor {
            (0, middle)
        } else {
            divide_limb(upper, middle, divisor)
        };
        let (q0, rest) = divide_limb(rest, low(lower) << shift, divisor);
        return Some((join(q1, q0), u128::from(rest >> shift)));
    }
    // The divisor's upper limb is above zero, so that all shifts are under a limb's width.
    let shift = high(divisor).leading_zeros();
    let divisor = shifted_left(divisor, 0, shift);
    // upper < divisor before the shift, so nothing is shifted out.
    let upper = shifted_left(upper, high(lower), shift);
    let lower = shifted_left(lower, 0, shift);
    if upper == 0 && lower < divisor {
        return Some((0, shifted_right(lower, shift)));
    }
    let (q1, rest) = quotient_limb(upper, high(lower), divisor);
    let (q0, rest) = quotient_limb(rest, low(lower), divisor);
    Some((join(q1, q0), shifted_right(rest, shift)))
}

/// The upper two limbs of `(value · 2^64 + next) · 2^shift`, for `shift < 64`. The compiler's own
/// shift of 128 bits is a function for any distance.
#[inline(always)]
const fn shifted_left(value: u128, next: u64, shift: u32) -> u128 {
    join(
        shifted(high(value), low(value), shift),
        shifted(low(value), next, shift),
    )
}

/// `value / 2^shift`, for `shift < 64`.
#[inline(always)]
const fn shifted_right(value: u128, shift: u32) -> u128 {
    let lower = match shift {
        0 => low(value),
        _ => (low(value) >> shift) | (high(value) << 64u32.wrapping_sub(shift)),
    };
    join(high(value) >> shift, lower)
}

/// The upper limb of `(upper · 2^64 + lower) · 2^shift`, for `shift < 64`.
const fn shifted(upper: u64, lower: u64, shift: u32) -> u64 {
    match shift {
        0 => upper,
        _ => (upper << shift) | (lower >> 64u32.wrapping_sub(shift)),
    }
}
