//! Tick maths and the arithmetic under it, against big integers.

use arbitrary::Unstructured;
use breakwater_core::math::{mul_div, MathError, Rounding};
use breakwater_core::tick::{at_or_below, bound, LOWEST_TICK};
use breakwater_core::units::{
    highest_healthy_ratio, is_liquidatable, liquidation_price, DebtRatio, Index, Price, Ratio,
};
use num_bigint::BigUint;
use scale::{Decode, Encode};

/// Any ratio is in the tick that its bounds say; the liquidation price is exact to the unit;
/// products and quotients equal those of big integers.
///
/// # Panics
/// Where that is not so.
pub fn ticks(data: &[u8]) {
    let _ = run(&mut Unstructured::new(data));
}

/// A number of any magnitude.
pub(super) fn number(u: &mut Unstructured<'_>) -> arbitrary::Result<u128> {
    let bits: u8 = u.arbitrary()?;
    Ok(u.arbitrary::<u128>()? >> (bits % 128))
}

fn run(u: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let (a, b, c) = (number(u)?, number(u)?, number(u)?);
    exact(a, b, c);
    let ratio = DebtRatio::new(a);
    let tick = at_or_below(ratio);
    assert!(bound(tick) <= ratio, "over its ratio");
    let above = tick.checked_add(1);
    assert!(above.is_none_or(|above| bound(above) > ratio), "too low");
    if tick > LOWEST_TICK {
        assert_eq!(at_or_below(bound(tick)), tick, "a bound in its own tick");
        assert!(bound(tick - 1) < bound(tick), "bounds rise");
    }
    // An index as one is stored: only its encoding makes another than one.
    let grown = Index::ONE.get().saturating_add(b >> 30).encode();
    let index = Index::decode(&mut &grown[..]).expect("a number");
    let threshold = Ratio::from_ppm(u.int_in_range(1..=1_000_000)?);
    if let Some(price) = liquidation_price(ratio, index, threshold) {
        assert!(!is_liquidatable(ratio, index, price, threshold), "F02");
        if let Some(lower) = price.get().checked_sub(1) {
            let lower = Price::new(lower);
            assert!(is_liquidatable(ratio, index, lower, threshold), "F02");
        }
    }
    let price = Price::new(c);
    let highest = highest_healthy_ratio(index, price, threshold);
    if highest.get() < u128::MAX {
        let over = DebtRatio::new(highest.get() + 1);
        assert!(!is_liquidatable(highest, index, price, threshold), "R*");
        assert!(is_liquidatable(over, index, price, threshold), "R* + 1");
    }
    Ok(())
}

/// `a · b / c` both ways.
fn exact(a: u128, b: u128, c: u128) {
    for rounding in [Rounding::Down, Rounding::Up] {
        let answer = mul_div(a, b, c, rounding);
        if c == 0 {
            assert_eq!(answer, Err(MathError::DivisionByZero));
            continue;
        }
        let (product, divisor) = (BigUint::from(a) * b, BigUint::from(c));
        let up = match rounding {
            Rounding::Up => &divisor - 1u8,
            Rounding::Down => BigUint::ZERO,
        };
        let expected = u128::try_from((product + up) / divisor);
        assert_eq!(answer.ok(), expected.ok(), "{a} · {b} / {c}");
    }
}
