//! 256-bit multiply-divide with an explicit rounding direction at every division.

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
    // (2^128 - 1)^2 < 2^256: wrapping cannot occur.
    U256::from(a).wrapping_mul(U256::from(b))
}

/// `numerator / divisor` as a 128-bit number.
///
/// # Errors
/// [`MathError::DivisionByZero`], or [`MathError::Overflow`] when the quotient exceeds 128 bits.
pub fn div_wide(numerator: U256, divisor: U256, rounding: Rounding) -> Result<u128, MathError> {
    let quotient = numerator
        .checked_div(divisor)
        .ok_or(MathError::DivisionByZero)?;
    let floor = u128::try_from(quotient).map_err(|_| MathError::Overflow)?;
    if rounding == Rounding::Down {
        return Ok(floor);
    }
    // The remainder is numerator - floor * divisor, and floor * divisor <= numerator.
    if quotient.wrapping_mul(divisor) == numerator {
        Ok(floor)
    } else {
        floor.checked_add(1).ok_or(MathError::Overflow)
    }
}

/// `a * b / divisor` through a 256-bit product.
///
/// # Errors
/// [`MathError::DivisionByZero`], or [`MathError::Overflow`] when the quotient exceeds 128 bits.
pub fn mul_div(a: u128, b: u128, divisor: u128, rounding: Rounding) -> Result<u128, MathError> {
    if let Some(product) = a.checked_mul(b) {
        // Most products fit 128 bits, where division costs a tenth of the wide one.
        let floor = product
            .checked_div(divisor)
            .ok_or(MathError::DivisionByZero)?;
        let exact = floor.wrapping_mul(divisor) == product;
        return if rounding == Rounding::Down || exact {
            Ok(floor)
        } else {
            floor.checked_add(1).ok_or(MathError::Overflow)
        };
    }
    div_wide(wide_product(a, b), U256::from(divisor), rounding)
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
}
