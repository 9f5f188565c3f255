//! Feeds: submissions, the lower median of the fresh ones, accepted rounds and their average.

use crate::math::{div_wide, wide_product, MathError, Rounding};
use crate::units::{Block, Millis, Price};
use alloc::vec::Vec;
use ethnum::U256;
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// The most feeders of one feed.
pub const MAX_FEEDERS: usize = 16;

/// Accepted rounds kept for the time-weighted average.
pub const RING: usize = 32;

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
    /// No feeder required, more than there may be, or a duration of zero.
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
}

impl From<MathError> for OracleError {
    fn from(error: MathError) -> Self {
        Self::Math(error)
    }
}

/// What governance decides about a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct FeedConfig {
    /// `m`: fresh submissions that make a round.
    pub min_feeders: u8,
    /// Oldest submission that counts, milliseconds.
    pub heartbeat: Millis,
    /// `g`: blocks between accepted rounds, at least 1.
    pub min_gap: Block,
    /// Window of the time-weighted average, milliseconds.
    pub twap_window: Millis,
}

impl FeedConfig {
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

/// An account that may submit, with its latest submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Feeder<A> {
    /// Who.
    pub account: A,
    /// What it submitted last.
    pub last: Option<Submission>,
    /// Whether that has already made a round; no submission makes two.
    pub counted: bool,
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
}

/// What readers see of a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Reading {
    /// The latest accepted round.
    pub round: Round,
    /// Price of the accepted round before it; of the first round, its own.
    pub previous: Price,
    /// Time-weighted average over the feed's window, rounded down.
    pub twap: Price,
}

/// One feed: its feeders with their latest submissions, and its accepted rounds.
///
/// Generic over what identifies a feeder; all of it fits one storage cell.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Feed<A> {
    /// What governance decided.
    pub config: FeedConfig,
    /// Who may submit, with their latest submission.
    pub feeders: Vec<Feeder<A>>,
    /// The latest accepted round.
    pub accepted: Option<Round>,
    /// Price of the round before it.
    pub previous: Price,
    /// Accepted prices with the time of acceptance, oldest first.
    pub ring: Vec<Submission>,
}

impl<A: Eq> Feed<A> {
    /// A feed without feeders.
    ///
    /// # Errors
    /// [`OracleError::InvalidConfig`].
    pub fn new(config: FeedConfig) -> Result<Self, OracleError> {
        config.validate()?;
        Ok(Self {
            config,
            feeders: Vec::new(),
            accepted: None,
            previous: Price::ZERO,
            ring: Vec::new(),
        })
    }

    /// Lets an account submit.
    ///
    /// # Errors
    /// [`OracleError::CannotAddFeeder`].
    pub fn add_feeder(&mut self, feeder: A) -> Result<(), OracleError> {
        if self.feeders.len() >= MAX_FEEDERS || self.feeders.iter().any(|f| f.account == feeder) {
            return Err(OracleError::CannotAddFeeder);
        }
        self.feeders.push(Feeder {
            account: feeder,
            last: None,
            counted: false,
        });
        Ok(())
    }

    /// Takes the right to submit away, together with what was submitted.
    ///
    /// # Errors
    /// [`OracleError::NotAFeeder`].
    pub fn remove_feeder(&mut self, feeder: &A) -> Result<(), OracleError> {
        let before = self.feeders.len();
        self.feeders.retain(|f| f.account != *feeder);
        if self.feeders.len() == before {
            return Err(OracleError::NotAFeeder);
        }
        Ok(())
    }

    /// Records a submission and accepts a round if it completes one.
    ///
    /// A round is the lower median of at least `m` submissions, none of which has made a round
    /// before, each newer than the last round and no older than the heartbeat, at least `g`
    /// blocks after the last round.
    ///
    /// # Errors
    /// [`OracleError::NotAFeeder`], [`OracleError::InvalidPrice`], [`OracleError::Replayed`],
    /// [`OracleError::FromTheFuture`], [`OracleError::TooOld`].
    pub fn submit(
        &mut self,
        feeder: &A,
        submission: Submission,
        now: Millis,
        block: Block,
    ) -> Result<Option<Round>, OracleError> {
        let slot = self
            .feeders
            .iter_mut()
            .find(|f| f.account == *feeder)
            .ok_or(OracleError::NotAFeeder)?;
        if submission.price.is_zero() || submission.price > HIGHEST_PRICE {
            return Err(OracleError::InvalidPrice);
        }
        if slot.last.is_some_and(|last| submission.at <= last.at) {
            return Err(OracleError::Replayed);
        }
        if submission.at > now {
            return Err(OracleError::FromTheFuture);
        }
        if now.saturating_sub(submission.at) > self.config.heartbeat {
            return Err(OracleError::TooOld);
        }
        slot.last = Some(submission);
        slot.counted = false;
        Ok(self.accept(now, block))
    }

    fn accept(&mut self, now: Millis, block: Block) -> Option<Round> {
        let since = self.accepted.map_or(0, |round| round.at);
        if let Some(last) = self.accepted {
            if block < last.block.saturating_add(self.config.min_gap) {
                return None;
            }
        }
        let heartbeat = self.config.heartbeat;
        let is_fresh = |f: &Feeder<A>| {
            f.last
                .filter(|s| !f.counted && s.at > since && now.saturating_sub(s.at) <= heartbeat)
        };
        let mut fresh: Vec<Submission> = self.feeders.iter().filter_map(is_fresh).collect();
        if fresh.len() < usize::from(self.config.min_feeders) {
            return None;
        }
        let at = fresh.iter().map(|s| s.at).min()?;
        fresh.sort_unstable_by_key(|s| s.price);
        let price = fresh.get(fresh.len().saturating_sub(1) >> 1)?.price;
        let number = self
            .accepted
            .map_or(0, |round| round.number)
            .checked_add(1)?;
        let feeds = u8::try_from(fresh.len()).ok()?;
        let round = Round {
            number,
            price,
            at,
            block,
            feeds,
        };
        for feeder in &mut self.feeders {
            feeder.counted |= is_fresh(feeder).is_some();
        }
        self.previous = self.accepted.map_or(price, |last| last.price);
        self.accepted = Some(round);
        if self.ring.len() >= RING {
            self.ring.remove(0);
        }
        self.ring.push(Submission { price, at: now });
        Some(round)
    }

    /// The latest accepted round with the price before it and the average.
    ///
    /// # Errors
    /// [`OracleError::NoRound`], [`OracleError::Math`].
    pub fn read(&self, now: Millis) -> Result<Reading, OracleError> {
        let round = self.accepted.ok_or(OracleError::NoRound)?;
        Ok(Reading {
            round,
            previous: self.previous,
            twap: self.twap(now, round.price)?,
        })
    }

    /// Average of accepted prices over the window, each weighted by how long it stood.
    fn twap(&self, now: Millis, spot: Price) -> Result<Price, MathError> {
        let from = now.saturating_sub(self.config.twap_window);
        let mut until = now;
        let mut weighted = U256::ZERO;
        let mut total: u64 = 0;
        for accepted in self.ring.iter().rev() {
            let began = accepted.at.max(from);
            let stood = until.saturating_sub(began);
            let term = wide_product(accepted.price.get(), u128::from(stood));
            weighted = weighted.checked_add(term).ok_or(MathError::Overflow)?;
            total = total.checked_add(stood).ok_or(MathError::Overflow)?;
            until = until.min(began);
            if accepted.at <= from {
                break;
            }
        }
        if total == 0 {
            return Ok(spot);
        }
        div_wide(weighted, U256::from(total), Rounding::Down).map(Price::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn feed(min_feeders: u8, feeders: u8) -> Feed<u8> {
        let config = FeedConfig {
            min_feeders,
            heartbeat: 60_000,
            min_gap: 1,
            twap_window: 600_000,
        };
        let mut feed = Feed::new(config).unwrap();
        for feeder in 0..feeders {
            feed.add_feeder(feeder).unwrap();
        }
        feed
    }

    fn at(price: u128, at: Millis) -> Submission {
        Submission {
            price: Price::new(price),
            at,
        }
    }

    #[test]
    fn a_round_is_the_lower_median_of_fresh_submissions() {
        let mut feed = feed(4, 4);
        assert_eq!(feed.submit(&0, at(100, 1_000), 1_000, 1), Ok(None));
        assert_eq!(feed.submit(&1, at(400, 1_000), 1_000, 1), Ok(None));
        assert_eq!(feed.submit(&2, at(300, 900), 1_000, 1), Ok(None));
        let round = feed.submit(&3, at(200, 1_000), 1_000, 1).unwrap().unwrap();
        assert_eq!(
            (round.number, round.price, round.at),
            (1, Price::new(200), 900)
        );
        // The second round needs new observations and another block.
        assert_eq!(feed.submit(&0, at(100, 1_001), 1_001, 1), Ok(None));
        let reading = feed.read(1_001).unwrap();
        assert_eq!(reading.previous, Price::new(200));
    }

    /// Observations that made a round never make another: one feeder alone cannot complete round
    /// after round with what the others said once.
    #[test]
    fn a_submission_makes_one_round_only() {
        let mut feed = feed(3, 3);
        feed.submit(&1, at(100, 1_002), 1_002, 1).unwrap();
        feed.submit(&2, at(100, 1_002), 1_002, 1).unwrap();
        assert!(feed.submit(&0, at(100, 1_000), 1_002, 1).unwrap().is_some());
        for block in 2..7 {
            let now = 1_002 + u64::from(block);
            assert_eq!(feed.submit(&0, at(50, now), now, block), Ok(None));
        }
    }

    #[test]
    fn refusals_are_typed_and_change_nothing() {
        let mut feed = feed(1, 1);
        feed.submit(&0, at(100, 100_000), 100_000, 1).unwrap();
        let before = feed.clone();
        let now = 200_000;
        let cases = [
            (9, at(1, now), OracleError::NotAFeeder),
            (0, at(0, now), OracleError::InvalidPrice),
            (
                0,
                at(HIGHEST_PRICE.get() + 1, now),
                OracleError::InvalidPrice,
            ),
            (0, at(1, 100_000), OracleError::Replayed),
            (0, at(1, now + 1), OracleError::FromTheFuture),
            (0, at(1, now - 60_001), OracleError::TooOld),
        ];
        for (who, submission, error) in cases {
            assert_eq!(feed.submit(&who, submission, now, 2), Err(error));
            assert_eq!(feed, before);
        }
        assert_eq!(feed.add_feeder(0), Err(OracleError::CannotAddFeeder));
        assert_eq!(feed.remove_feeder(&1), Err(OracleError::NotAFeeder));
    }

    #[test]
    fn the_average_weighs_prices_by_time_not_by_count() {
        let mut feed = feed(1, 1);
        feed.submit(&0, at(100, 1_000_000), 1_000_000, 1).unwrap();
        feed.submit(&0, at(200, 1_450_000), 1_450_000, 2).unwrap();
        feed.submit(&0, at(200, 1_460_000), 1_460_000, 3).unwrap();
        // Window 600 s up to 1 600: 450 s at 100, 150 s at 200.
        assert_eq!(feed.read(1_600_000).unwrap().twap, Price::new(125));
        // Long after, only the last price is in the window.
        assert_eq!(feed.read(9_000_000).unwrap().twap, Price::new(200));
    }

    proptest! {
        /// I-39: the median lies inside what was reported, and a minority cannot move it out of
        /// the range of the others.
        #[test]
        fn a_minority_cannot_leave_the_honest_range(
            honest in proptest::collection::vec(900u128..1_100, 3..8),
            evil in proptest::collection::vec(1u128..u64::MAX as u128, 0..3),
        ) {
            prop_assume!(evil.len() * 2 < honest.len());
            let n = (honest.len() + evil.len()) as u8;
            let mut feed = feed(n, n);
            let mut last = None;
            for (who, price) in honest.iter().chain(&evil).enumerate() {
                last = feed.submit(&(who as u8), at(*price, 1_000), 1_000, 1).unwrap();
            }
            let price = last.unwrap().price.get();
            prop_assert!((*honest.iter().min().unwrap()..=*honest.iter().max().unwrap()).contains(&price));
        }
    }
}
