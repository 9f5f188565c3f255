//! The time-weighted average price over a window, from a bounded number of stretches of time.

use crate::math::{div_wide, wide_product, MathError, Rounding};
use crate::units::{Millis, Price};
use alloc::vec::Vec;
use ethnum::U256;
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// The most stretches kept. However often rounds are accepted, they cover the whole window: a new
/// one begins only when the last has lasted its share of it, or for a gap as long as that.
pub const STRETCHES: usize = 32;

/// A stretch of time with the average price of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Stretch {
    /// Average of the prices that stood in it, each weighted by how long, rounded down.
    pub price: Price,
    /// When it began.
    pub began: Millis,
}

/// Prices of the recent past.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct History {
    /// Oldest first; each ends where the next begins, the last at `until`.
    stretches: Vec<Stretch>,
    /// When the present price was accepted.
    until: Millis,
    /// The present price; it has stood since `until`.
    present: Price,
}

/// An average and the time it is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Average {
    /// The average, rounded down.
    pub price: Price,
    /// Milliseconds of the window that prices are known of.
    pub covered: Millis,
}

impl Average {
    /// What it becomes once `present` has stood for `stood` more milliseconds: that time counts
    /// with the present price, the rest of the window with the average. Rounded down.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn after(self, present: Price, stood: Millis, window: Millis) -> Result<Price, MathError> {
        let stood = stood.min(window);
        let kept = self.covered.min(window.saturating_sub(stood));
        mean((self.price, kept), (present, stood))
    }
}

/// Average of two prices weighted by time, rounded down; the second where there is no time.
fn mean(first: (Price, Millis), second: (Price, Millis)) -> Result<Price, MathError> {
    let weigh = |(price, time): (Price, Millis)| wide_product(price.get(), u128::from(time));
    let total = U256::from(first.1)
        .checked_add(U256::from(second.1))
        .ok_or(MathError::Overflow)?;
    if total == U256::ZERO {
        return Ok(second.0);
    }
    let sum = weigh(first)
        .checked_add(weigh(second))
        .ok_or(MathError::Overflow)?;
    div_wide(sum, total, Rounding::Down).map(Price::new)
}

impl History {
    /// Notes that a price was accepted.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn accept(&mut self, price: Price, now: Millis, window: Millis) -> Result<(), MathError> {
        let (present, until) = (self.present, self.until);
        let shares = u64::try_from(STRETCHES.saturating_sub(1)).map_err(|_| MathError::Overflow)?;
        let share = window.div_ceil(shares);
        let stood = now.saturating_sub(until);
        let begin = match self.stretches.last_mut() {
            Some(last) => {
                let before = until.saturating_sub(last.began);
                if before > 0 && stood >= share {
                    // A long gap is a stretch of its own: mixed into a short one, the prices
                    // before it would count for as long as the gap does.
                    self.push(present, until, now, window)?;
                } else {
                    last.price = mean((last.price, before), (present, stood))?;
                }
                let began = self.stretches.last().map_or(now, |last| last.began);
                now.saturating_sub(began) >= share
            }
            None => true,
        };
        if begin {
            self.push(price, now, now, window)?;
        }
        self.present = price;
        self.until = self.until.max(now);
        Ok(())
    }

    /// Begins a stretch. Where there is no room the oldest goes if it is older than the window,
    /// else it becomes one with the next: what is kept always covers the window.
    fn push(
        &mut self,
        price: Price,
        began: Millis,
        now: Millis,
        window: Millis,
    ) -> Result<(), MathError> {
        if self.stretches.len() >= STRETCHES {
            if let [first, second, third, ..] = self.stretches.as_mut_slice() {
                if second.began > now.saturating_sub(window) {
                    let times = (
                        second.began.saturating_sub(first.began),
                        third.began.saturating_sub(second.began),
                    );
                    second.price = mean((first.price, times.0), (second.price, times.1))?;
                    second.began = first.began;
                }
            }
            self.stretches.remove(0);
        }
        self.stretches.push(Stretch { price, began });
        Ok(())
    }

    /// Average over the window that ends now, each price weighted by how long it stood. The
    /// present price where nothing has stood any time.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn average(&self, now: Millis, window: Millis) -> Result<Average, MathError> {
        let from = now.saturating_sub(window);
        let mut sum = U256::ZERO;
        let mut covered: Millis = 0;
        let mut end = now;
        let present = Stretch {
            price: self.present,
            began: self.until,
        };
        for stretch in core::iter::once(&present).chain(self.stretches.iter().rev()) {
            let began = stretch.began.max(from);
            let stood = end.saturating_sub(began);
            sum = sum
                .checked_add(wide_product(stretch.price.get(), u128::from(stood)))
                .ok_or(MathError::Overflow)?;
            covered = covered.checked_add(stood).ok_or(MathError::Overflow)?;
            end = end.min(began);
        }
        let price = if covered == 0 {
            self.present
        } else {
            div_wide(sum, U256::from(covered), Rounding::Down).map(Price::new)?
        };
        Ok(Average { price, covered })
    }
}
