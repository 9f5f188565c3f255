//! What makes a round, what is quarantined, and what readers see.

mod averages;
mod changes;
mod edges;
mod quarantine;
mod rounds;

use super::*;
use crate::units::{Block, Millis, Price, Ratio};

/// Milliseconds of a block.
pub(super) const BLOCK: Millis = 6_000;

/// Three of these feeders make a round; 10 % from the last price, 20 % from the average.
pub(super) fn config() -> FeedConfig {
    FeedConfig {
        deviation: Ratio::from_bps(1_000),
        drift: Ratio::from_bps(2_000),
        ..FeedConfig::standard(3, 60_000, 1, 600_000)
    }
}

/// A feed with its clock.
#[derive(Clone)]
pub(super) struct Clocked {
    pub(super) feed: Feed<u8>,
    pub(super) block: Block,
}

impl Clocked {
    pub(super) fn new(config: FeedConfig, feeders: u8) -> Self {
        let mut feed = Feed::new(config).unwrap();
        for feeder in 0..feeders {
            feed.add_feeder(feeder).unwrap();
        }
        Self { feed, block: 100 }
    }

    pub(super) fn now(&self) -> Millis {
        Millis::from(self.block) * BLOCK
    }

    pub(super) fn submit(&mut self, feeder: u8, price: u128) -> Result<Outcome, OracleError> {
        let (now, block) = (self.now(), self.block);
        let submission = Submission {
            price: Price::new(price),
            at: now,
        };
        self.feed.submit(&feeder, submission, now, block)
    }

    /// One block later, one price from each feeder; what came of the round they completed.
    pub(super) fn round(&mut self, prices: &[u128]) -> Outcome {
        self.block += 1;
        let mut judged = Outcome::Recorded;
        for (feeder, price) in prices.iter().enumerate() {
            let outcome = self.submit(u8::try_from(feeder).unwrap(), *price).unwrap();
            if outcome != Outcome::Recorded {
                judged = outcome;
            }
        }
        judged
    }

    pub(super) fn read(&self) -> Reading {
        self.feed.read(self.now()).unwrap()
    }
}

pub(super) fn accepted(outcome: Outcome) -> Option<u128> {
    match outcome {
        Outcome::Accepted(round) => Some(round.price.get()),
        _ => None,
    }
}

pub(super) fn quarantined(outcome: Outcome) -> Option<u128> {
    match outcome {
        Outcome::Quarantined(q) => Some(q.price.get()),
        _ => None,
    }
}
