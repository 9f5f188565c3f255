//! Feeds: submissions, the lower median of the fresh ones, accepted rounds, quarantine, averages.
//!
//! | module | rule |
//! |---|---|
//! | [`feed`] | what makes a round, and which rounds are accepted |
//! | [`average`] | the time-weighted average price |
//! | [`variance`] | the measured volatility |
//! | [`reading`] | what readers see, in a cell of its own |
//! | [`source`] | another contract as a feeder |

pub mod average;
pub mod feed;
pub mod reading;
pub mod source;
pub mod variance;

#[cfg(test)]
mod tests;

pub use feed::{Feed, Feeder, Outcome, Quarantine};
pub use reading::{FeedStatus, Quote, Reading};
pub use source::SourceConfig;
pub use variance::{Variance, VolatilityConfig};

use crate::math::{wide_product, MathError};
use crate::units::{Block, Millis, Price, Ratio};
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// The most feeders of one feed.
pub const MAX_FEEDERS: usize = 16;

/// Prices above this are refused: 10^18 whole quote per whole collateral.
pub const HIGHEST_PRICE: Price = Price::new(1_000_000_000_000_000_000_000_000_000_000_000_000);

/// Why the oracle refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum OracleError {
    /// The caller may not do this.
    Unauthorised,
    /// There is no such feed.
    UnknownFeed,
    /// The feed exists already.
    FeedExists,
    /// No feeder required, more than there may be, a duration or a band of zero, a decay outside
    /// (0, 1), or decimals out of range.
    InvalidConfig,
    /// The account is a feeder already, or the feed is full.
    CannotAddFeeder,
    /// The account is no feeder of this feed.
    NotAFeeder,
    /// The price is zero or above the highest allowed.
    InvalidPrice,
    /// The observation is not later than the feeder's last one.
    Replayed,
    /// The observation is later than the chain's clock.
    FromTheFuture,
    /// The observation is older than the heartbeat.
    TooOld,
    /// No round has been accepted yet.
    NoRound,
    /// A number left its range.
    Math(MathError),
    /// The account is no source of this feed.
    NotASource,
    /// The source trapped, burned its gas, answered with something else, or has no price.
    SourceFailed,
}

impl From<MathError> for OracleError {
    fn from(error: MathError) -> Self {
        Self::Math(error)
    }
}

/// What governance decides about a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct FeedConfig {
    /// `m`: fresh submissions that make a round. A lower median of `m` stands `(m − 1)/2` bad
    /// ones, so an odd number of three or more is wise.
    pub min_feeders: u8,
    /// Oldest submission that counts, milliseconds.
    pub heartbeat: Millis,
    /// `g`: blocks between rounds, at least 1.
    pub min_gap: Block,
    /// Window of the time-weighted average, milliseconds.
    pub twap_window: Millis,
    /// How far a round may be from the last accepted price, as a share of that price. What is
    /// further away is quarantined.
    pub deviation: Ratio,
    /// How far a round may be from the average, as a share of it.
    pub drift: Ratio,
    /// How volatility is measured.
    pub volatility: VolatilityConfig,
}

impl FeedConfig {
    /// Guards chosen by replaying two years of hourly prices (`docs/breaker.md`): rounds more than
    /// 15 % from the last one, or 25 % from the average, wait for confirmation.
    #[must_use]
    pub const fn standard(
        min_feeders: u8,
        heartbeat: Millis,
        min_gap: Block,
        twap_window: Millis,
    ) -> Self {
        Self {
            min_feeders,
            heartbeat,
            min_gap,
            twap_window,
            deviation: Ratio::from_bps(1_500),
            drift: Ratio::from_bps(2_500),
            volatility: VolatilityConfig::standard(),
        }
    }

    /// As [`Self::standard`], without bands: nothing is ever quarantined.
    #[must_use]
    pub const fn without_bands(
        min_feeders: u8,
        heartbeat: Millis,
        min_gap: Block,
        twap_window: Millis,
    ) -> Self {
        Self {
            deviation: Ratio::from_ppm(u32::MAX),
            drift: Ratio::from_ppm(u32::MAX),
            ..Self::standard(min_feeders, heartbeat, min_gap, twap_window)
        }
    }

    /// Checks the bounds.
    ///
    /// # Errors
    /// [`OracleError::InvalidConfig`].
    pub fn validate(&self) -> Result<(), OracleError> {
        let feeders = usize::from(self.min_feeders);
        if feeders == 0
            || feeders > MAX_FEEDERS
            || self.heartbeat == 0
            || self.min_gap == 0
            || self.twap_window == 0
            || self.deviation == Ratio::ZERO
            || self.drift == Ratio::ZERO
            || !self.volatility.is_valid()
        {
            return Err(OracleError::InvalidConfig);
        }
        Ok(())
    }
}

/// A price one feeder observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Submission {
    /// The price.
    pub price: Price,
    /// When it was observed.
    pub at: Millis,
}

/// An accepted round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Round {
    /// Its number, from 1.
    pub number: u32,
    /// Lower median of the submissions it was made of.
    pub price: Price,
    /// Observation time of the oldest of them.
    pub at: Millis,
    /// Block of acceptance.
    pub block: Block,
    /// Submissions it was made of.
    pub feeds: u8,
    /// Distance between the highest and the lowest of them over the median, rounded up.
    pub dispersion: Ratio,
}

/// Whether `price` is at most `band · centre` away from `centre`; exact, the edge is inside.
#[must_use]
pub fn is_within(price: Price, centre: Price, band: Ratio) -> bool {
    let distance = price.get().abs_diff(centre.get());
    wide_product(distance, Ratio::DENOMINATOR) <= wide_product(centre.get(), band.ppm())
}

/// Distance of `price` from `centre` as a share of `centre`, rounded up; the largest ratio where
/// it does not fit.
#[must_use]
pub fn distance(price: Price, centre: Price) -> Ratio {
    Price::new(price.get().abs_diff(centre.get()))
        .mul_div_or_max(Ratio::DENOMINATOR, centre.get(), crate::math::Rounding::Up)
        .get()
        .try_into()
        .map_or(Ratio::from_ppm(u32::MAX), Ratio::from_ppm)
}
