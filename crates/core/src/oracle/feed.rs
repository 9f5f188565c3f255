//! One feed: its feeders, what makes a round, and which rounds are accepted.

use super::average::History;
use super::reading::{Quote, Reading};
use super::{
    distance, is_within, FeedConfig, OracleError, Round, Submission, HIGHEST_PRICE, MAX_FEEDERS,
};
use crate::math::MathError;
use crate::standing::seen::{Seen, SeenLog};
use crate::units::{Block, Millis, Price};
use alloc::vec::Vec;
use scale::{Decode, Encode};
use scale_info::TypeInfo;

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

/// A median outside the band, waiting for confirmation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Quarantine {
    /// The median.
    pub price: Price,
    /// Block in which it was made.
    pub block: Block,
    /// When it was made: only prices observed later confirm it.
    pub at: Millis,
}

/// What a submission led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It waits for others.
    Recorded,
    /// It completed a round, which was accepted.
    Accepted(Round),
    /// It completed a round too far from what was known; that waits for confirmation.
    Quarantined(Quarantine),
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
    /// What is published: the latest accepted round and what is derived from its forerunners.
    pub quote: Option<Quote>,
    /// The median that waits for confirmation.
    pub quarantine: Option<Quarantine>,
    /// The price last accepted by confirmation, until the average has come near it.
    pub confirmed: Option<Price>,
    /// Accepted prices of the recent past.
    pub history: History,
    /// Accepted and quarantined prices, block by block: what standing bids depend on.
    pub seen: SeenLog,
}

/// A median of fresh submissions.
struct Candidate {
    price: Price,
    /// How old it is: see [`majority_since`].
    at: Millis,
    feeds: u8,
    /// How far apart the majority of them is that agrees most.
    apart: Price,
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
            quote: None,
            quarantine: None,
            confirmed: None,
            history: History::default(),
            seen: SeenLog::default(),
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

    /// Puts another configuration into force: for the submissions and rounds from now on. What is
    /// published of the last round stays what it was made with.
    ///
    /// # Errors
    /// Those of [`FeedConfig::ensure_may_become`].
    pub fn reconfigure(&mut self, next: FeedConfig) -> Result<(), OracleError> {
        self.config.ensure_may_become(&next, self.feeders.len())?;
        self.config = next;
        Ok(())
    }

    /// Records a submission and judges the round it completes, if any.
    ///
    /// A round is the lower median of at least `m` submissions, none of which has made a round
    /// before, each observed after the last round was made and no older than the heartbeat, at
    /// least `g` blocks after the last round. So no two rounds are of the same moment, whoever
    /// was late. It is accepted if it is inside the deviation band around the
    /// last accepted price, and inside the drift band around the average, or inside the deviation
    /// band around the price last confirmed. Otherwise it is quarantined.
    ///
    /// A later round inside these bands lifts the quarantine. A later round whose median is inside
    /// the deviation band around the quarantined price confirms it and is accepted. Any other
    /// takes its place.
    ///
    /// # Errors
    /// [`OracleError::NotAFeeder`], [`OracleError::InvalidPrice`], [`OracleError::Replayed`],
    /// [`OracleError::FromTheFuture`], [`OracleError::TooOld`], [`OracleError::Math`].
    pub fn submit(
        &mut self,
        feeder: &A,
        submission: Submission,
        now: Millis,
        block: Block,
    ) -> Result<Outcome, OracleError> {
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
        let Some(candidate) = self.complete(now, block) else {
            return Ok(Outcome::Recorded);
        };
        let outcome = self.judge(&candidate, now, block)?;
        self.seen.record(Seen {
            block,
            price: candidate.price,
            accepted: matches!(outcome, Outcome::Accepted(_)),
        });
        Ok(outcome)
    }

    /// The median of the fresh submissions, if they are enough; they count as used from then on.
    fn complete(&mut self, now: Millis, block: Block) -> Option<Candidate> {
        let accepted = self
            .quote
            .map(|quote| (quote.round.block, quote.accepted_at));
        let waiting = self.quarantine.map(|q| (q.block, q.at));
        // Both are of the past; the quarantined one, where there is one, came later.
        if let Some((last, _)) = waiting.or(accepted) {
            if block < last.saturating_add(self.config.min_gap) {
                return None;
            }
        }
        let since = waiting.or(accepted).map_or(0, |(_, at)| at);
        let heartbeat = self.config.heartbeat;
        let fresh_of = |f: &Feeder<A>| {
            f.last
                .filter(|s| !f.counted && s.at > since && now.saturating_sub(s.at) <= heartbeat)
        };
        let mut fresh: Vec<Submission> = self.feeders.iter().filter_map(fresh_of).collect();
        if fresh.len() < usize::from(self.config.min_feeders) {
            return None;
        }
        fresh.sort_unstable_by_key(|s| s.price);
        let candidate = Candidate {
            price: fresh.get(fresh.len().saturating_sub(1) >> 1)?.price,
            at: majority_since(&fresh)?,
            feeds: u8::try_from(fresh.len()).ok()?,
            apart: narrowest_majority(&fresh)?,
        };
        for feeder in &mut self.feeders {
            feeder.counted |= fresh_of(feeder).is_some();
        }
        Some(candidate)
    }

    fn judge(
        &mut self,
        candidate: &Candidate,
        now: Millis,
        block: Block,
    ) -> Result<Outcome, OracleError> {
        let price = candidate.price;
        let deviation = self.config.deviation;
        if let Some(quote) = &mut self.quote {
            let average = self.history.average(now, self.config.twap_window)?;
            let drifts = !is_within(price, average.price, self.config.drift);
            if !drifts {
                self.confirmed = None;
            }
            let known =
                |centre: Option<Price>| centre.is_some_and(|c| is_within(price, c, deviation));
            let inside = is_within(price, quote.round.price, deviation)
                && (!drifts || known(self.confirmed));
            if !inside {
                if !known(self.quarantine.map(|q| q.price)) {
                    let quarantine = Quarantine {
                        price,
                        block,
                        at: now,
                    };
                    self.quarantine = Some(quarantine);
                    quote.quarantined = Some(price);
                    return Ok(Outcome::Quarantined(quarantine));
                }
                self.confirmed = Some(price);
            }
        }
        self.accept(candidate, now, block)
    }

    fn accept(
        &mut self,
        candidate: &Candidate,
        now: Millis,
        block: Block,
    ) -> Result<Outcome, OracleError> {
        let spread = Price::new(candidate.price.get().saturating_add(candidate.apart.get()));
        let round = Round {
            number: self
                .quote
                .map_or(0, |quote| quote.round.number)
                .checked_add(1)
                .ok_or(MathError::Overflow)?,
            price: candidate.price,
            at: candidate.at,
            block,
            feeds: candidate.feeds,
            dispersion: distance(spread, candidate.price),
        };
        let window = self.config.twap_window;
        self.history.accept(round.price, now, window)?;
        let average = self.history.average(now, window)?;
        self.quote = Some(Quote::after(self.quote, &self.config, round, average, now)?);
        self.quarantine = None;
        Ok(Outcome::Accepted(round))
    }

    /// The latest accepted round with everything derived from it.
    ///
    /// # Errors
    /// [`OracleError::NoRound`], [`OracleError::Math`].
    pub fn read(&self, now: Millis) -> Result<Reading, OracleError> {
        self.quote.ok_or(OracleError::NoRound)?.reading(now)
    }
}

/// The width of the narrowest range of prices with more than half of the submissions in it.
/// `sorted` by price; nothing where it is empty.
///
/// Such a range always has the median in it: it says what a majority vouches for, and less than
/// half of the feeders cannot widen it beyond what the others submit.
fn narrowest_majority(sorted: &[Submission]) -> Option<Price> {
    let majority = (sorted.len() >> 1).saturating_add(1);
    let widths = sorted.windows(majority).filter_map(|agreed| {
        let (lowest, highest) = (agreed.first()?, agreed.last()?);
        highest.price.minus(lowest.price).ok()
    });
    widths.min()
}

/// The latest moment since which more than half of the submissions were observed: the lower median
/// of their times. Less than half of the feeders can make a round look neither older nor younger
/// than what the others submit. Nothing where there are none.
fn majority_since(fresh: &[Submission]) -> Option<Millis> {
    let times = || fresh.iter().map(|submission| submission.at);
    let since = |at: &Millis| times().filter(|other| other >= at).count();
    times().filter(|at| since(at) > fresh.len() >> 1).max()
}
