//! Whole tokens and prices, what they are worth of each other, and orders of things.

use breakwater_core::market::example_params;
use breakwater_core::math::Rounding;
use breakwater_core::units::{Amount, Price, UnitScale, PRICE_ONE};

/// One whole collateral token.
pub const COLLATERAL: u128 = 1_000_000_000_000_000_000;
/// One whole quote token.
pub const QUOTE: u128 = 1_000_000;

/// A price of so many whole quote.
pub fn price(whole: u128) -> Price {
    Price::new(whole * PRICE_ONE)
}

/// So many whole quote tokens.
pub fn quote(whole: u128) -> Amount {
    Amount::new(whole * QUOTE)
}

/// So many whole collateral tokens.
pub fn collateral(whole: u128) -> Amount {
    Amount::new(whole * COLLATERAL)
}

/// The factor between token units and prices of [`example_params`].
pub fn scale() -> UnitScale {
    example_params().scale().expect("valid parameters")
}

/// Collateral units that an amount of quote is worth at a price.
pub fn buys(quote: u128, price: Price, rounding: Rounding) -> u128 {
    scale()
        .quantity(Amount::new(quote), price, rounding)
        .expect("in range")
        .get()
}

/// Quote units that an amount of collateral is worth at a price, rounded down.
pub fn worth(collateral: u128, price: Price) -> u128 {
    scale()
        .value(Amount::new(collateral), price, Rounding::Down)
        .expect("in range")
        .get()
}

/// Every order of `n` things.
pub fn permutations(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for shorter in permutations(n - 1) {
        for at in 0..n {
            let mut longer = shorter.clone();
            longer.insert(at, n - 1);
            all.push(longer);
        }
    }
    all
}
