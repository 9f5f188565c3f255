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
use crate::timelock::TimelockError;
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
    /// A change of a feed leaves the bounds of changes.
    OutOfBounds,
    /// The notice of a change forbids it.
    Timelock(TimelockError),
}

impl From<TimelockError> for OracleError {
    fn from(error: TimelockError) -> Self {
        Self::Timelock(error)
    }
}

impl From<MathError> for OracleError {
    fn from(error: MathError) -> Self {
        Self::Math(error)
    }
}

/// How long a change of a feed is announced: three days.
pub const FEED_NOTICE: Millis = 259_200_000;

/// The shortest heartbeat, average and interval of volatility that a change may bring: a minute.
pub const SHORTEST_WINDOW: Millis = 60_000;

/// The longest of them: a day.
pub const LONGEST_WINDOW: Millis = 86_400_000;

/// The largest gap between rounds that a change may bring: an hour of six-second blocks.
pub const LARGEST_GAP: Block = 600;

/// The widest bands that a change may bring, around the last price and around the average.
pub const WIDEST_BANDS: [Ratio; 2] = [Ratio::from_bps(5_000), Ratio::ONE];

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

impl FeedConfig {
    /// Checks that another configuration may take the place of this one, in a feed of so many
    /// feeders: a round needs more than half of them and no more than there are, every time is in
    /// its bounds, and no band becomes wider than the widest, or than it is.
    ///
    /// # Errors
    /// [`OracleError::InvalidConfig`], [`OracleError::OutOfBounds`].
    pub fn ensure_may_become(&self, next: &Self, feeders: usize) -> Result<(), OracleError> {
        next.validate()?;
        let needed = usize::from(next.min_feeders);
        let windows = [next.heartbeat, next.twap_window, next.volatility.interval];
        let [deviation, drift] = WIDEST_BANDS;
        let holds = needed <= feeders
            && needed > feeders >> 1
            && next.min_gap <= LARGEST_GAP
            && windows
                .iter()
                .all(|window| (SHORTEST_WINDOW..=LONGEST_WINDOW).contains(window))
            && next.deviation <= deviation.max(self.deviation)
            && next.drift <= drift.max(self.drift);
        if holds {
            Ok(())
        } else {
            Err(OracleError::OutOfBounds)
        }
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
    /// The latest moment since which more than half of them were observed.
    pub at: Millis,
    /// Block of acceptance.
    pub block: Block,
    /// Submissions it was made of.
    pub feeds: u8,
    /// Width of the narrowest range with more than half of them in it, over the median, rounded up.
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
