//! A pool whose quote is spent and whose collateral is received in the same proportion by all
//! depositors, at a cost that does not depend on how many there are.
//!
//! This is the product-sum scheme of Liquity's stability pool (Batog, Boca, Johnson, "Scalable
//! Reward Distribution on the Ethereum Blockchain", and its extension to shrinking deposits).
//! There a deposit `d` made at product `P₀` and sum `S₀` is worth `d · P / P₀` and has earned
//! `d · (S − S₀) / P₀`. Here the product is not a number that drifts: it is `quote / shares`,
//! both exact integers. A deposit holds `d / P₀` shares, so that the claims on the pool can never
//! add up to more than is in it, whatever is rounded.
//!
//! Liquity's epochs and scales are one thing here, a **series** of shares. It ends when the pool
//! is emptied (nothing is carried over) or when a share is worth too little (every `2^k` shares
//! become one). What is needed to follow an ended series is one [`SeriesEnd`].

use super::StandingError;
use crate::math::{mul_div, MathError, Rounding};
use crate::units::{Amount, Shares};
use alloc::vec::Vec;
use ethnum::U256;
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// A new pool gives 2^16 shares for each quote unit: what is lost when shares are rounded down is
/// under 2⁻¹⁶ units. There are never fewer shares than quote units.
pub const PAR_BITS: u32 = 16;

/// A series ends before a quote unit is worth 2^33 shares.
pub const SERIES_BITS: u32 = 32;

/// The most quote of one pool, 2^92 units: five billion whole tokens of 18 decimals. With fewer
/// than 2^33 shares a unit, share counts stay under 2^125.
pub const MOST_QUOTE: Amount = Amount::new(1 << 92);

/// The most ended series that can matter to one stake: each takes at least 16 bits from it.
pub const MAX_SERIES_STEPS: u32 = 8;

/// The shift that leaves no share.
const NOTHING_LEFT: u8 = 128;

/// A collateral amount with 128 binary digits after the point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Fine {
    /// Whole units.
    whole: u128,
    /// 2⁻¹²⁸ units.
    fraction: u128,
}

impl Fine {
    const fn from_wide(wide: U256) -> Self {
        let (whole, fraction) = wide.into_words();
        Self { whole, fraction }
    }

    const fn wide(self) -> U256 {
        U256::from_words(self.whole, self.fraction)
    }

    /// Exact sum. Errors: [`MathError::Overflow`].
    pub fn plus(self, other: Self) -> Result<Self, MathError> {
        let sum = self.wide().checked_add(other.wide());
        sum.map(Self::from_wide).ok_or(MathError::Overflow)
    }

    /// Takes the whole units out; what is under one unit stays.
    pub fn take_whole(&mut self) -> Amount {
        let whole = Amount::new(self.whole);
        self.whole = 0;
        whole
    }

    /// The whole units, rounded down.
    #[must_use]
    pub const fn whole(self) -> Amount {
        Amount::new(self.whole)
    }

    /// `amount / shares`, rounded down. It always fits.
    fn of_each(amount: Amount, shares: Shares) -> Result<Self, MathError> {
        U256::from_words(amount.get(), 0)
            .checked_div(U256::from(shares.get()))
            .map(Self::from_wide)
            .ok_or(MathError::DivisionByZero)
    }

    /// What a number of shares has earned since `before`, exactly.
    fn earned(self, before: Self, shares: Shares) -> Result<Self, MathError> {
        self.wide()
            .checked_sub(before.wide())
            .ok_or(MathError::Underflow)?
            .checked_mul(U256::from(shares.get()))
            .map(Self::from_wide)
            .ok_or(MathError::Overflow)
    }
}

/// How a series of shares ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct SeriesEnd {
    /// Collateral that each of its shares has received in all.
    pub each: Fine,
    /// Shares are divided by 2 to this power, rounded down, to become shares of the next series;
    /// 128 when the pool was emptied.
    pub shift: u8,
}

/// A moment of a pool: stakes are brought up to date from one to another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Mark {
    /// Number of the series.
    pub series: u32,
    /// Collateral that each share of the series has received until then.
    pub each: Fine,
}

/// The money of one tier that takes part in batches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Pool {
    /// Quote units in it.
    pub quote: Amount,
    /// All shares of the present series. Some may belong to nobody: what was rounded away.
    pub shares: Shares,
    /// The present series, and what each of its shares has received.
    pub mark: Mark,
}

impl Pool {
    /// Puts quote in and returns the shares for it, `⌊amount · shares / quote⌋`, or 2^16 a unit
    /// in an empty pool.
    ///
    /// # Errors
    /// [`MathError::Overflow`] beyond [`MOST_QUOTE`].
    pub fn deposit(&mut self, amount: Amount) -> Result<Shares, MathError> {
        let minted = if self.quote.is_zero() {
            // Shares without quote are worth nothing and belong to nobody: an emptied pool has
            // begun a new series.
            let par = amount.get().checked_mul(1 << PAR_BITS);
            Shares::new(par.ok_or(MathError::Overflow)?)
        } else {
            self.shares
                .mul_div(amount.get(), self.quote.get(), Rounding::Down)?
        };
        let quote = self.quote.plus(amount)?;
        if quote > MOST_QUOTE {
            return Err(MathError::Overflow);
        }
        self.quote = quote;
        self.shares = self.shares.plus(minted)?;
        Ok(minted)
    }

    /// What a number of shares is worth, `⌊shares · quote / all shares⌋`.
    ///
    /// # Errors
    /// [`MathError::Overflow`] where there are fewer shares than asked for.
    pub fn worth(&self, shares: Shares) -> Result<Amount, MathError> {
        if self.shares.is_zero() {
            return Ok(Amount::ZERO);
        }
        self.quote
            .mul_div(shares.get(), self.shares.get(), Rounding::Down)
    }

    /// The shares that have to be given up for an amount, `⌈amount · shares / quote⌉`.
    ///
    /// # Errors
    /// [`MathError::DivisionByZero`] in an empty pool, [`MathError::Overflow`].
    pub fn price_in_shares(&self, amount: Amount) -> Result<Shares, MathError> {
        self.shares
            .mul_div(amount.get(), self.quote.get(), Rounding::Up)
    }

    /// Takes an amount out and returns the shares given up for it. A holder who gives up more
    /// than these leaves the rest to the pool, as shares of nobody: no other share gains more
    /// than it would by rounding one share.
    ///
    /// # Errors
    /// [`MathError::Underflow`], and those of [`Self::price_in_shares`].
    pub fn withdraw(&mut self, amount: Amount) -> Result<Shares, MathError> {
        if amount.is_zero() {
            return Ok(Shares::ZERO);
        }
        let burned = self.price_in_shares(amount)?;
        self.quote = self.quote.minus(amount)?;
        self.shares = if self.quote.is_zero() {
            Shares::ZERO
        } else {
            self.shares.minus(burned)?
        };
        Ok(burned)
    }

    /// Spends quote for collateral: all shares alike. Returns how the series ended, if it did.
    ///
    /// The collateral of each share is rounded down at 2⁻¹²⁸ units, so that a stake of `s` shares
    /// loses less than `s · 2⁻¹²⁸` units, under an eighth of one however large it is.
    ///
    /// # Errors
    /// [`MathError::Underflow`] where there is less quote, [`MathError::DivisionByZero`] for
    /// collateral to an empty pool, [`MathError::Overflow`].
    pub fn spend(
        &mut self,
        quote: Amount,
        collateral: Amount,
    ) -> Result<Option<SeriesEnd>, MathError> {
        if !collateral.is_zero() {
            let each = Fine::of_each(collateral, self.shares)?;
            self.mark.each = self.mark.each.plus(each)?;
        }
        let had = self.quote;
        self.quote = had.minus(quote)?;
        let shift = if self.quote.is_zero() && !had.is_zero() {
            NOTHING_LEFT
        } else {
            self.excess_bits()
        };
        if shift == 0 {
            return Ok(None);
        }
        let end = SeriesEnd {
            each: self.mark.each,
            shift,
        };
        self.shares = carried(self.shares, shift);
        self.mark = Mark {
            series: self.mark.series.checked_add(1).ok_or(MathError::Overflow)?,
            each: Fine::default(),
        };
        Ok(Some(end))
    }

    /// By how many bits the shares exceed par, if they do so far that the series has to end.
    fn excess_bits(&self) -> u8 {
        let bits = |n: u128| u128::BITS.saturating_sub(n.leading_zeros());
        // Between 2^(n−1) and 2^(n+1) shares a unit.
        let each = bits(self.shares.get()).saturating_sub(bits(self.quote.get()));
        if self.quote.is_zero() || each <= SERIES_BITS {
            return 0;
        }
        // Under 2^125 shares: this fits.
        u8::try_from(each.saturating_sub(PAR_BITS).saturating_sub(1)).unwrap_or(0)
    }
}

/// Shares of the next series for shares of one that ended.
fn carried(shares: Shares, shift: u8) -> Shares {
    Shares::new(shares.get().checked_shr(u32::from(shift)).unwrap_or(0))
}

/// Finds how an ended series of a pool ended.
pub trait Ends {
    /// `None` where it is not known.
    fn end(&self, series: u32) -> Option<SeriesEnd>;
}

impl Ends for Vec<(u32, SeriesEnd)> {
    fn end(&self, series: u32) -> Option<SeriesEnd> {
        self.iter()
            .find(|(number, _)| *number == series)
            .map(|(_, end)| *end)
    }
}

/// What one depositor has in a pool, as of a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Stake {
    /// Shares of the series of that moment.
    pub shares: Shares,
    /// The moment.
    pub since: Mark,
}

impl Stake {
    /// Brings the stake up to a later moment of its pool and returns the collateral it received
    /// on the way, exact to 2⁻¹²⁸ units. It passes at most [`MAX_SERIES_STEPS`] ended series,
    /// however many there were: after that no share is left.
    ///
    /// # Errors
    /// [`StandingError::RecordMissing`] where the end of a series is not known,
    /// [`StandingError::Math`] where `to` is earlier.
    pub fn follow(&mut self, to: Mark, ends: &impl Ends) -> Result<Fine, StandingError> {
        let mut received = Fine::default();
        while self.since.series != to.series && !self.shares.is_zero() {
            let end = ends
                .end(self.since.series)
                .ok_or(StandingError::RecordMissing)?;
            received = received.plus(end.each.earned(self.since.each, self.shares)?)?;
            self.shares = carried(self.shares, end.shift);
            self.since = Mark {
                series: self
                    .since
                    .series
                    .checked_add(1)
                    .ok_or(MathError::Overflow)?,
                each: Fine::default(),
            };
        }
        if !self.shares.is_zero() {
            received = received.plus(to.each.earned(self.since.each, self.shares)?)?;
        }
        self.since = to;
        Ok(received)
    }
}

/// A part of something counted, `⌊whole · part / all⌋`; nothing of nothing.
///
/// # Errors
/// [`MathError::Overflow`].
pub(super) fn portion(whole: u128, part: u128, all: u128) -> Result<u128, MathError> {
    if all == 0 {
        return Ok(0);
    }
    mul_div(whole, part, all, Rounding::Down)
}

/// Shares carried over the end of a series, for totals that belong to a pool.
pub(super) fn carry_total(shares: Shares, end: Option<SeriesEnd>) -> Shares {
    end.map_or(shares, |end| carried(shares, end.shift))
}
