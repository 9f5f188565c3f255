//! Numbers of the slow model: big integers with 64 binary places, and the scale of ticks as a
//! table made from big integers.

use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive, Zero};
use std::sync::LazyLock;

/// A number with [`PLACES`] binary places.
pub type Fix = BigInt;
const PLACES: usize = 64;

/// 10²⁷: an index of one.
pub const INDEX_ONE: u128 = 1_000_000_000_000_000_000_000_000_000;
/// Parts per million in one.
pub const PPM: u128 = 1_000_000;

/// A whole number of units.
pub fn fix(units: u128) -> Fix {
    BigInt::from(units) << PLACES
}

/// The units, rounded down.
pub fn floor(value: &Fix) -> u128 {
    (value >> PLACES).to_u128().unwrap_or(0)
}

/// The units as a floating-point number: for tolerances and messages only.
pub fn rough(value: &Fix) -> f64 {
    value.to_f64().unwrap_or(f64::MAX) / 2f64.powi(PLACES as i32)
}

/// `value · a / b`.
pub fn times(value: &Fix, a: impl Into<BigInt>, b: impl Into<BigInt>) -> Fix {
    value * a.into() / b.into()
}

/// The size of a difference, in units rounded up.
pub fn distance(value: &Fix, units: u128) -> u128 {
    let off = (value - fix(units)).abs();
    if off.is_zero() {
        0
    } else {
        floor(&off) + 1
    }
}

/// `⌈a · b / c⌉`.
pub fn up(a: u128, b: u128, c: u128) -> u128 {
    let product = BigInt::from(a) * BigInt::from(b);
    let c = BigInt::from(c);
    ((product + &c - BigInt::from(1u8)) / c)
        .to_u128()
        .expect("fits")
}

/// `⌊a · b / c⌋`.
pub fn down(a: u128, b: u128, c: u128) -> u128 {
    (BigInt::from(a) * BigInt::from(b) / BigInt::from(c))
        .to_u128()
        .expect("fits")
}

/// The lower bound of every tick: `10⁸ · 1.001^t` cut to its 64 leading bits and to an integer;
/// zero for tick 0.
static BOUNDS: LazyLock<Vec<u128>> = LazyLock::new(|| {
    const KEPT: u64 = 512;
    let mut value = BigInt::from(100_000_000u32) << KEPT;
    let mut bounds = Vec::with_capacity(1 << 16);
    for _ in 0..=u16::MAX {
        let bits = value.bits();
        let cut = (&value >> (bits - 64)) << (bits - 64);
        bounds.push((cut >> KEPT).to_u128().expect("fits"));
        value = value * 1_001u32 / 1_000u32;
    }
    bounds[0] = 0;
    bounds
});

/// The lower bound of a tick.
pub fn bound(tick: u16) -> u128 {
    BOUNDS[usize::from(tick)]
}

/// The tick at or below a ratio.
pub fn tick_below(ratio: u128) -> u16 {
    (BOUNDS.partition_point(|bound| *bound <= ratio) - 1) as u16
}

/// The lowest price at which a tick is not liquidatable: `⌈bound · index / threshold⌉`.
pub fn trigger(tick: u16, index: u128, threshold: u128) -> Option<u128> {
    let owed = BigInt::from(bound(tick)) * BigInt::from(index) * BigInt::from(PPM);
    let backing = BigInt::from(threshold) * BigInt::from(INDEX_ONE);
    ((owed + &backing - BigInt::from(1u8)) / backing).to_u128()
}

/// Whether a tick is liquidatable at a price.
pub fn unsafe_at(tick: u16, index: u128, price: u128, threshold: u128) -> bool {
    BigInt::from(price) * BigInt::from(threshold) * BigInt::from(INDEX_ONE)
        < BigInt::from(bound(tick)) * BigInt::from(index) * BigInt::from(PPM)
}
