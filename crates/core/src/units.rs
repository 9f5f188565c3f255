//! Amounts, prices, ratios, shares and blocks as distinct types with checked arithmetic.

use crate::math::{mul_div, wide_product, MathError, Rounding};
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// A block number of the chain.
pub type Block = u32;

/// Milliseconds since the Unix epoch, as the chain's clock tells them.
pub type Millis = u64;

/// 10^18: one whole quote token per whole collateral token as a [`Price`].
pub const PRICE_ONE: u128 = 1_000_000_000_000_000_000;

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord,
            Encode, Decode, TypeInfo,
        )]
        pub struct $name(u128);

        impl $name {
            /// Nothing.
            pub const ZERO: Self = Self(0);

            /// From the plain number, in the unit of the type.
            #[must_use]
            pub const fn new(value: u128) -> Self {
                Self(value)
            }

            /// The plain number, in the unit of the type.
            #[must_use]
            pub const fn get(self) -> u128 {
                self.0
            }

            /// Whether this is zero.
            #[must_use]
            pub const fn is_zero(self) -> bool {
                self.0 == 0
            }

            /// Exact sum. Errors: [`MathError::Overflow`].
            pub fn plus(self, other: Self) -> Result<Self, MathError> {
                self.0.checked_add(other.0).map(Self).ok_or(MathError::Overflow)
            }

            /// Exact difference. Errors: [`MathError::Underflow`].
            pub fn minus(self, other: Self) -> Result<Self, MathError> {
                self.0.checked_sub(other.0).map(Self).ok_or(MathError::Underflow)
            }

            /// As [`Self::mul_div`], or the largest number where the result would exceed it or
            /// the divisor is zero.
            #[must_use]
            pub fn mul_div_or_max(
                self,
                numerator: u128,
                denominator: u128,
                rounding: Rounding,
            ) -> Self {
                self.mul_div(numerator, denominator, rounding)
                    .unwrap_or(Self(u128::MAX))
            }

            /// The difference, or zero where it would be negative.
            #[must_use]
            pub fn minus_or_zero(self, other: Self) -> Self {
                Self(self.0.saturating_sub(other.0))
            }

            /// `self * numerator / denominator`, rounded as told.
            /// Errors: [`MathError::DivisionByZero`], [`MathError::Overflow`].
            pub fn mul_div(
                self,
                numerator: u128,
                denominator: u128,
                rounding: Rounding,
            ) -> Result<Self, MathError> {
                mul_div(self.0, numerator, denominator, rounding).map(Self)
            }
        }
    };
}

quantity! {
    /// Base units of a token: collateral or quote, as its field or parameter says.
    Amount
}
quantity! {
    /// Debt in quote base units divided by the borrow index of its market ([`Index`]).
    ScaledDebt
}
quantity! {
    /// Shares of a cohort's collateral, of a cohort's debt, or of the lenders' pool.
    Shares
}
quantity! {
    /// Whole quote tokens per whole collateral token, scaled by 10^18, whatever the decimals.
    Price
}
quantity! {
    /// Scaled debt per collateral, in the unit of a [`Price`]: the number that orders positions.
    DebtRatio
}

/// A dimensionless share in parts per million, 1 000 000 being one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, TypeInfo)]
pub struct Ratio(u32);

impl Ratio {
    /// Parts per million in one.
    pub const DENOMINATOR: u128 = 1_000_000;
    /// One.
    pub const ONE: Self = Self(1_000_000);
    /// Zero.
    pub const ZERO: Self = Self(0);

    /// From parts per million.
    #[must_use]
    pub const fn from_ppm(ppm: u32) -> Self {
        Self(ppm)
    }

    /// From basis points (1/10 000); values beyond the type's range become its maximum.
    #[must_use]
    pub const fn from_bps(bps: u32) -> Self {
        Self(bps.saturating_mul(100))
    }

    /// Parts per million.
    #[must_use]
    pub const fn ppm(self) -> u128 {
        // Widening: u128::from is not const.
        self.0 as u128
    }

    /// `self * other`, rounded down. Errors: [`MathError::Overflow`].
    pub fn times(self, other: Self) -> Result<Self, MathError> {
        let product = mul_div(self.ppm(), other.ppm(), Self::DENOMINATOR, Rounding::Down)?;
        u32::try_from(product)
            .map(Self)
            .map_err(|_| MathError::Overflow)
    }

    /// `self + other`. Errors: [`MathError::Overflow`].
    pub fn plus(self, other: Self) -> Result<Self, MathError> {
        self.0
            .checked_add(other.0)
            .map(Self)
            .ok_or(MathError::Overflow)
    }

    /// `self - other`. Errors: [`MathError::Underflow`].
    pub fn minus(self, other: Self) -> Result<Self, MathError> {
        self.0
            .checked_sub(other.0)
            .map(Self)
            .ok_or(MathError::Underflow)
    }

    /// The difference, or zero where it would be negative.
    #[must_use]
    pub const fn minus_or_zero(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Amount {
    /// The given share of this amount.
    /// Errors: [`MathError::Overflow`].
    pub fn share(self, ratio: Ratio, rounding: Rounding) -> Result<Self, MathError> {
        self.mul_div(ratio.ppm(), Ratio::DENOMINATOR, rounding)
    }
}

impl Price {
    /// The given multiple of this price.
    /// Errors: [`MathError::Overflow`].
    pub fn times(self, ratio: Ratio, rounding: Rounding) -> Result<Self, MathError> {
        self.mul_div(ratio.ppm(), Ratio::DENOMINATOR, rounding)
    }
}

/// The borrow index: quote owed per unit of [`ScaledDebt`], scaled by 10^27; it never falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, TypeInfo)]
pub struct Index(u128);

impl Index {
    /// 10^27, the index of a new market.
    pub const ONE: Self = Self(1_000_000_000_000_000_000_000_000_000);

    /// From the plain number, scaled by 10^27.
    pub(crate) const fn from_raw(index: u128) -> Self {
        Self(index)
    }

    /// The plain number, scaled by 10^27.
    #[must_use]
    pub const fn get(self) -> u128 {
        self.0
    }

    /// What a scaled debt owes in quote. Errors: [`MathError::Overflow`].
    pub fn owed(self, debt: ScaledDebt, rounding: Rounding) -> Result<Amount, MathError> {
        mul_div(debt.get(), self.0, Self::ONE.0, rounding).map(Amount::new)
    }

    /// The scaled debt of a quote amount. Errors: [`MathError::Overflow`].
    pub fn scaled(self, owed: Amount, rounding: Rounding) -> Result<ScaledDebt, MathError> {
        mul_div(owed.get(), Self::ONE.0, self.0, rounding).map(ScaledDebt::new)
    }
}

/// 10^(18 + collateral decimals − quote decimals): ties token base units to a [`Price`].
///
/// `quote units = collateral units · price / scale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct UnitScale(u128);

impl UnitScale {
    /// Of a pair of tokens with 6 to 18 decimals each; `None` outside that range.
    #[must_use]
    pub fn of_decimals(collateral: u8, quote: u8) -> Option<Self> {
        if !(6..=18).contains(&collateral) || !(6..=18).contains(&quote) {
            return None;
        }
        let exponent = 18u32
            .checked_add(u32::from(collateral))?
            .checked_sub(u32::from(quote))?;
        10u128.checked_pow(exponent).map(Self)
    }

    /// The plain factor.
    #[must_use]
    pub const fn factor(self) -> u128 {
        self.0
    }

    /// What an amount of collateral is worth in quote at a price.
    /// Errors: [`MathError::Overflow`].
    pub fn value(
        self,
        collateral: Amount,
        price: Price,
        rounding: Rounding,
    ) -> Result<Amount, MathError> {
        mul_div(collateral.get(), price.get(), self.0, rounding).map(Amount::new)
    }

    /// The collateral that an amount of quote buys at a price.
    /// Errors: [`MathError::DivisionByZero`] at price zero, [`MathError::Overflow`].
    pub fn quantity(
        self,
        quote: Amount,
        price: Price,
        rounding: Rounding,
    ) -> Result<Amount, MathError> {
        mul_div(quote.get(), self.0, price.get(), rounding).map(Amount::new)
    }

    /// The price at which an amount of collateral is worth an amount of quote:
    /// `quote · scale / collateral`. Rounded up it is the lowest price at which
    /// `⌊collateral · price / scale⌋ ≥ quote`, exactly.
    /// Errors: [`MathError::DivisionByZero`] without collateral, [`MathError::Overflow`].
    pub fn price(
        self,
        quote: Amount,
        collateral: Amount,
        rounding: Rounding,
    ) -> Result<Price, MathError> {
        mul_div(quote.get(), self.0, collateral.get(), rounding).map(Price::new)
    }

    /// Scaled debt per collateral, rounded down (a position enters the tick at or below). Where
    /// there is no collateral, or so little that no number is large enough, the largest there is.
    #[must_use]
    pub fn debt_ratio(self, debt: ScaledDebt, collateral: Amount) -> DebtRatio {
        mul_div(debt.get(), self.0, collateral.get(), Rounding::Down)
            .map_or(DebtRatio::new(u128::MAX), DebtRatio::new)
    }
}

/// 10^21: an [`Index`] has 27 decimals, a [`Ratio`] six.
const INDEX_PER_RATIO: u128 = 1_000_000_000_000_000_000_000;

/// A share in the unit of an [`Index`]: at most 2^32 · 10^21, so it always fits.
const fn as_index(ratio: Ratio) -> u128 {
    ratio.ppm().wrapping_mul(INDEX_PER_RATIO)
}

/// Whether debt at this ratio is under-margined: `price · threshold < ratio · index`, strictly
/// and exactly (requirement F02: healthy at the liquidation price, liquidatable one unit lower).
#[must_use]
pub fn is_liquidatable(ratio: DebtRatio, index: Index, price: Price, threshold: Ratio) -> bool {
    wide_product(price.get(), as_index(threshold)) < wide_product(ratio.get(), index.get())
}

/// `R*`: the highest debt ratio that is still within its margin at a price,
/// `⌊price · threshold / index⌋`: ratios above it, and only those, are
/// [liquidatable](is_liquidatable). Where no number is large enough, the largest there is.
#[must_use]
pub fn highest_healthy_ratio(index: Index, price: Price, threshold: Ratio) -> DebtRatio {
    mul_div(
        price.get(),
        as_index(threshold),
        index.get(),
        Rounding::Down,
    )
    .map_or(DebtRatio::new(u128::MAX), DebtRatio::new)
}

/// The lowest price at which debt at this ratio is not liquidatable, rounded up:
/// `⌈ratio · index / threshold⌉`. `None` where no price of the type's range is high enough.
#[must_use]
pub fn liquidation_price(ratio: DebtRatio, index: Index, threshold: Ratio) -> Option<Price> {
    mul_div(ratio.get(), index.get(), as_index(threshold), Rounding::Up)
        .ok()
        .map(Price::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// F02: at the liquidation price healthy, one unit lower liquidatable.
        #[test]
        fn liquidation_price_is_exact(
            ratio in 1u128..=u128::MAX >> 8,
            index in Index::ONE.0..Index::ONE.0 * 100,
            threshold in 1u32..=1_000_000,
        ) {
            let (ratio, index) = (DebtRatio::new(ratio), Index(index));
            let threshold = Ratio::from_ppm(threshold);
            if let Some(price) = liquidation_price(ratio, index, threshold) {
                prop_assert!(!is_liquidatable(ratio, index, price, threshold));
                prop_assert!(is_liquidatable(ratio, index, Price::new(price.0 - 1), threshold));
            }
        }

        /// The ratio that stands for all of them: those above it, and only those, are liquidatable.
        #[test]
        fn one_ratio_divides_the_healthy_from_the_liquidatable(
            price in 0u128..=u128::MAX >> 1,
            index in Index::ONE.0..Index::ONE.0 * 100_000,
            threshold in 1u32..=1_000_000,
        ) {
            let (price, index) = (Price::new(price), Index(index));
            let threshold = Ratio::from_ppm(threshold);
            let highest = highest_healthy_ratio(index, price, threshold);
            prop_assert!(!is_liquidatable(highest, index, price, threshold));
            if let Some(above) = highest.0.checked_add(1) {
                prop_assert!(is_liquidatable(DebtRatio::new(above), index, price, threshold));
            }
        }

        /// Value and quantity are inverse up to one unit, and never in the user's favour.
        #[test]
        fn buying_back_never_gains(
            dc in 6u8..=18, dq in 6u8..=18,
            quote in 0u128..1 << 90, price in 1u128..1 << 90,
        ) {
            let scale = UnitScale::of_decimals(dc, dq).expect("in range");
            let (quote, price) = (Amount::new(quote), Price::new(price));
            if let Ok(bought) = scale.quantity(quote, price, Rounding::Down) {
                prop_assert!(scale.value(bought, price, Rounding::Down).unwrap() <= quote);
            }
        }
    }

    #[test]
    fn decimals_outside_six_to_eighteen_are_refused() {
        for decimals in [0, 5, 19, 255] {
            assert_eq!(UnitScale::of_decimals(decimals, 12), None);
            assert_eq!(UnitScale::of_decimals(12, decimals), None);
        }
        assert_eq!(UnitScale::of_decimals(6, 18), Some(UnitScale(1_000_000)));
    }
}
