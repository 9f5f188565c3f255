//! 256-bit multiply-divide with an explicit rounding direction at every division.

use crate::wide;
use ethnum::U256;
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// Why a calculation has no result. Nothing in this crate wraps, saturates silently or panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum MathError {
    /// A sum, product or quotient does not fit its type.
    Overflow,
    /// A difference would be negative.
    Underflow,
    /// A divisor is zero.
    DivisionByZero,
}

/// The direction a quotient is rounded in; every caller names the side it favours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// Towards zero.
    Down,
    /// Away from zero.
    Up,
}

/// The exact product of two 128-bit numbers; it always fits 256 bits.
#[must_use]
pub fn wide_product(a: u128, b: u128) -> U256 {
    let (upper, lower) = wide::product(a, b);
    U256::from_words(upper, lower)
}

/// `numerator / divisor` as a 128-bit number.
///
/// # Errors
/// [`MathError::DivisionByZero`], or [`MathError::Overflow`] when the quotient exceeds 128 bits.
pub fn div_wide(numerator: U256, divisor: U256, rounding: Rounding) -> Result<u128, MathError> {
    if *divisor.high() == 0 {
        return divide(
            *numerator.high(),
            *numerator.low(),
            *divisor.low(),
            rounding,
        );
    }
    let quotient = numerator
        .checked_div(divisor)
        .ok_or(MathError::DivisionByZero)?;
    let floor = u128::try_from(quotient).map_err(|_| MathError::Overflow)?;
    // The remainder is numerator - floor * divisor, and floor * divisor <= numerator.
    let exact = quotient.wrapping_mul(divisor) == numerator;
    rounded(floor, exact, rounding)
}

/// `a * b / divisor` through a 256-bit product.
///
/// # Errors
/// [`MathError::DivisionByZero`], or [`MathError::Overflow`] when the quotient exceeds 128 bits.
pub fn mul_div(a: u128, b: u128, divisor: u128, rounding: Rounding) -> Result<u128, MathError> {
    let (upper, lower) = wide::product(a, b);
    divide(upper, lower, divisor, rounding)
}

fn divide(upper: u128, lower: u128, divisor: u128, rounding: Rounding) -> Result<u128, MathError> {
    match wide::quotient(upper, lower, divisor) {
        Some((floor, rest)) => rounded(floor, rest == 0, rounding),
        None if divisor == 0 => Err(MathError::DivisionByZero),
        None => Err(MathError::Overflow),
    }
}

fn rounded(floor: u128, exact: bool, rounding: Rounding) -> Result<u128, MathError> {
    if rounding == Rounding::Down || exact {
        Ok(floor)
    } else {
        floor.checked_add(1).ok_or(MathError::Overflow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::BigUint;
    use num_traits::{ToPrimitive, Zero};
    use proptest::prelude::*;

    fn reference(a: u128, b: u128, divisor: u128, up: bool) -> Option<u128> {
        if divisor == 0 {
            return None;
        }
        let product = BigUint::from(a) * BigUint::from(b);
        let divisor = BigUint::from(divisor);
        let mut quotient = &product / &divisor;
        if up && !(&product % &divisor).is_zero() {
            quotient += 1u8;
        }
        quotient.to_u128()
    }

    /// Numbers of every magnitude, so that both the narrow and the wide path are taken.
    fn any_magnitude() -> impl Strategy<Value = u128> {
        (any::<u128>(), 0u32..128).prop_map(|(value, shift)| value >> shift)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]
        #[test]
        fn mul_div_equals_big_integers(a in any_magnitude(), b in any_magnitude(), d in any_magnitude()) {
            prop_assert_eq!(mul_div(a, b, d, Rounding::Down).ok(), reference(a, b, d, false));
            prop_assert_eq!(mul_div(a, b, d, Rounding::Up).ok(), reference(a, b, d, true));
            let (upper, lower) = wide::product(a, b);
            if let Some((_, rest)) = wide::quotient(upper, lower, d) {
                prop_assert_eq!(BigUint::from(rest), BigUint::from(a) * BigUint::from(b) % d);
            }
        }
    }

    proptest! {
        /// A quotient of two 256-bit numbers equals that of big integers, rounded either way.
        #[test]
        fn div_wide_equals_big_integers(
            a in any_magnitude(), b in any_magnitude(), c in any_magnitude(), d in any_magnitude(),
        ) {
            let (numerator, divisor) = (wide_product(a, b), wide_product(c, d));
            let big = |x: u128, y: u128| BigUint::from(x) * BigUint::from(y);
            for rounding in [Rounding::Down, Rounding::Up] {
                let expected = if c == 0 || d == 0 {
                    Err(MathError::DivisionByZero)
                } else {
                    let (n, m) = (big(a, b), big(c, d));
                    let rest = u8::from(rounding == Rounding::Up && !(&n % &m).is_zero());
                    (n / m + rest).to_u128().ok_or(MathError::Overflow)
                };
                prop_assert_eq!(div_wide(numerator, divisor, rounding), expected);
            }
        }
    }

    #[test]
    fn errors_are_told_apart() {
        assert_eq!(
            mul_div(1, 1, 0, Rounding::Down),
            Err(MathError::DivisionByZero)
        );
        assert_eq!(
            mul_div(u128::MAX, 2, 0, Rounding::Up),
            Err(MathError::DivisionByZero)
        );
        assert_eq!(
            mul_div(u128::MAX, 2, 1, Rounding::Down),
            Err(MathError::Overflow)
        );
        assert_eq!(
            mul_div(u128::MAX, u128::MAX, u128::MAX, Rounding::Up),
            Ok(u128::MAX)
        );
    }

    /// Limbs of nothing but ones, and powers of two with a unit more or less: where guesses of a
    /// quotient's digit are wrong, which random numbers hardly ever meet.
    #[test]
    fn mul_div_equals_big_integers_at_the_edges_of_limbs() {
        let mut edges = alloc::vec![0, 1, 2, 3, u128::MAX, u128::MAX - 1, u128::MAX / 3];
        for bit in [31, 32, 33, 63, 64, 65, 95, 96, 97, 126, 127] {
            edges.extend([(1 << bit) - 1, 1 << bit, (1 << bit) + 1, u128::MAX << bit]);
            edges.push(u128::MAX ^ (1 << bit));
        }
        for a in &edges {
            for b in &edges {
                for d in &edges {
                    let result = mul_div(*a, *b, *d, Rounding::Down).ok();
                    assert_eq!(result, reference(*a, *b, *d, false), "{a} * {b} / {d}");
                }
            }
        }
    }
}
