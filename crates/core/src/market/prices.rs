//! What a market goes by of its oracle.

use crate::oracle::{FeedStatus, Reading, Variance};
use crate::units::{Millis, Price, Ratio};
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// Seconds of an hour.
const HOUR: u64 = 3_600;

/// What the market needs to know of an accepted oracle round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct MarketPrices {
    /// Price of the latest accepted round.
    pub spot: Price,
    /// Price of the accepted round before it.
    pub previous: Price,
    /// Time-weighted average price.
    pub twap: Price,
    /// Number of the latest accepted round.
    pub round: u32,
    /// Block in which it was accepted.
    pub accepted_in: u32,
    /// Its age, milliseconds.
    pub age: u64,
    /// A later median, too far from the accepted price, that waits for confirmation.
    pub quarantined: Option<Price>,
    /// Measured volatility of accepted prices.
    pub volatility: Option<Variance>,
}

impl From<&Reading> for MarketPrices {
    fn from(reading: &Reading) -> Self {
        Self {
            spot: reading.spot(),
            previous: reading.previous,
            twap: reading.twap,
            round: reading.round.number,
            accepted_in: reading.round.block,
            age: reading.age,
            quarantined: reading.quarantined,
            volatility: reading.volatility,
        }
    }
}

impl MarketPrices {
    /// The lowest of all prices at hand, which collateral counts with when debt is taken on or
    /// collateral taken out: nobody borrows against a peak, or ahead of a fall on its way.
    #[must_use]
    pub fn low(&self) -> Price {
        self.worst().min(self.twap)
    }

    /// The highest of all prices at hand.
    #[must_use]
    pub fn high(&self) -> Price {
        let high = self.best().max(self.twap);
        self.quarantined.map_or(high, |price| high.max(price))
    }

    /// The worst of the last two accepted prices and the quarantined one: what losses in sight
    /// are judged at.
    #[must_use]
    pub fn worst(&self) -> Price {
        let low = self.spot.min(self.previous);
        self.quarantined.map_or(low, |price| low.min(price))
    }

    /// Standard deviation of the price over an hour, as a share of it: what ladders answer to.
    #[must_use]
    pub fn hourly_volatility(&self) -> Option<Ratio> {
        self.volatility
            .map(|measured| measured.deviation_over(HOUR))
    }

    /// How far they can be relied on, under a market's own limit of age.
    #[must_use]
    pub fn status(&self, max_age: Millis) -> FeedStatus {
        FeedStatus::judge(self.age, max_age, self.quarantined)
    }

    /// The better of the last two accepted prices for a borrower with risky collateral: what is
    /// unhealthy here is unhealthy at both (promise 5).
    #[must_use]
    pub fn best(&self) -> Price {
        self.spot.max(self.previous)
    }
}
