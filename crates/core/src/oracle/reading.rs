//! What readers see of a feed. It has a cell of its own, a tenth of the feed's size.

use super::average::Average;
use super::{FeedConfig, OracleError, Round, Variance};
use crate::math::MathError;
use crate::units::{Millis, Price};
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// How far a feed can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum FeedStatus {
    /// The last round is recent and nothing contradicts it.
    Fresh,
    /// The last round is recent, and a later median far from it waits for confirmation.
    Quarantined,
    /// The last round is too old.
    Stale,
    /// No round has been accepted, or the oracle does not answer.
    NoRound,
}

/// What is published of a feed: everything a reading is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Quote {
    /// The latest accepted round.
    pub round: Round,
    /// When it was accepted, which may be later than it was observed.
    pub accepted_at: Millis,
    /// Price of the accepted round before it; of the first round, its own.
    pub previous: Price,
    /// Average at the moment of acceptance.
    pub average: Average,
    /// Median that waits for confirmation.
    pub quarantined: Option<Price>,
    /// Variance of accepted returns; none before the second round.
    pub volatility: Option<Variance>,
    /// Window of the average, milliseconds.
    pub twap_window: Millis,
    /// Age from which the round is called stale, milliseconds.
    pub heartbeat: Millis,
}

/// What readers see of a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Reading {
    /// The latest accepted round: spot price, number, block, submissions, dispersion.
    pub round: Round,
    /// Price of the accepted round before it; of the first round, its own.
    pub previous: Price,
    /// Time-weighted average over the feed's window, rounded down.
    pub twap: Price,
    /// Lowest of spot, previous, average and quarantined price.
    pub low: Price,
    /// Highest of them.
    pub high: Price,
    /// Median that waits for confirmation.
    pub quarantined: Option<Price>,
    /// Variance of accepted returns; none before the second round.
    pub volatility: Option<Variance>,
    /// Age of the round, since more than half of its submissions were observed; milliseconds.
    pub age: Millis,
    /// How far the feed can be relied on; stale beyond its heartbeat.
    pub status: FeedStatus,
}

impl Reading {
    /// Price of the latest accepted round.
    #[must_use]
    pub const fn spot(&self) -> Price {
        self.round.price
    }
}

impl FeedStatus {
    /// Of a round of this age, under a reader's own limit.
    #[must_use]
    pub fn judge(age: Millis, max_age: Millis, quarantined: Option<Price>) -> Self {
        if age > max_age {
            Self::Stale
        } else if quarantined.is_some() {
            Self::Quarantined
        } else {
            Self::Fresh
        }
    }
}

impl Quote {
    /// What readers see now. The average counts the time since acceptance with the present price.
    ///
    /// # Errors
    /// [`OracleError::Math`].
    pub fn reading(&self, now: Millis) -> Result<Reading, OracleError> {
        let stood = now.saturating_sub(self.accepted_at);
        let twap = self
            .average
            .after(self.round.price, stood, self.twap_window)?;
        let sides = [self.previous, twap, self.quarantined.unwrap_or(twap)];
        let age = now.saturating_sub(self.round.at);
        Ok(Reading {
            round: self.round,
            previous: self.previous,
            twap,
            low: sides.iter().fold(self.round.price, |low, p| low.min(*p)),
            high: sides.iter().fold(self.round.price, |high, p| high.max(*p)),
            quarantined: self.quarantined,
            volatility: self.volatility,
            age,
            status: FeedStatus::judge(age, self.heartbeat, self.quarantined),
        })
    }

    /// What an accepted round publishes, after what was published before it.
    ///
    /// # Errors
    /// [`MathError`].
    pub(super) fn after(
        last: Option<Self>,
        config: &FeedConfig,
        round: Round,
        average: Average,
        now: Millis,
    ) -> Result<Self, MathError> {
        let volatility = match last {
            Some(last) => Some(Variance::after(
                last.volatility,
                config.volatility,
                last.round.price,
                round.price,
                now.saturating_sub(last.accepted_at),
            )?),
            None => None,
        };
        Ok(Self {
            round,
            accepted_at: now,
            previous: last.map_or(round.price, |last| last.round.price),
            average,
            quarantined: None,
            volatility,
            twap_window: config.twap_window,
            heartbeat: config.heartbeat,
        })
    }
}
