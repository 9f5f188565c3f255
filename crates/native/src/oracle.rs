//! Messages of the oracle adapter: `contracts/oracle_adapter`.

use crate::Native;
use breakwater_core::oracle::{Feed, FeedConfig, OracleError, Outcome, Quote, Reading};
use breakwater_core::oracle::{Round, Submission};
use breakwater_core::standing::seen::Seen;
use breakwater_core::units::{Block, Millis, Price};
use breakwater_interfaces::oracle::{RoundAccepted, RoundQuarantined};
use breakwater_interfaces::AccountId;

/// One feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oracle {
    /// The cell that feeders write.
    pub feed: Feed<AccountId>,
    /// The cell that is read.
    pub quote: Option<Quote>,
}

impl Oracle {
    /// A feed with its feeders.
    ///
    /// # Errors
    /// [`OracleError`].
    pub fn new(config: FeedConfig, feeders: &[AccountId]) -> Result<Self, OracleError> {
        let mut feed = Feed::new(config)?;
        for feeder in feeders {
            feed.add_feeder(*feeder)?;
        }
        Ok(Self { feed, quote: None })
    }
}

impl Native {
    pub(crate) fn submit(
        &mut self,
        feeder: AccountId,
        price: Price,
        at: Millis,
    ) -> Result<Option<Round>, OracleError> {
        let (now, block) = (self.now, self.block);
        let feed = &mut self.oracle.feed;
        let outcome = feed.submit(&feeder, Submission { price, at }, now, block)?;
        let quote = feed.quote;
        if outcome != Outcome::Recorded {
            self.oracle.quote = quote.or(self.oracle.quote);
        }
        let feed = self.vault.market.params.feed;
        Ok(match outcome {
            Outcome::Recorded => None,
            Outcome::Accepted(round) => {
                let previous = quote.map_or(round.price, |quote| quote.previous);
                self.oracle_tells(&RoundAccepted {
                    feed,
                    round,
                    previous,
                });
                Some(round)
            }
            Outcome::Quarantined(quarantine) => {
                let (price, block) = (quarantine.price, quarantine.block);
                self.oracle_tells(&RoundQuarantined { feed, price, block });
                None
            }
        })
    }

    /// The oracle's answer to a contract that reads.
    ///
    /// # Errors
    /// [`OracleError::NoRound`], [`OracleError::UnknownFeed`], [`OracleError::Math`].
    pub fn read(&self) -> Result<Reading, OracleError> {
        self.read_feed(self.vault.market.params.feed)
    }

    pub(crate) fn read_feed(&self, feed: u32) -> Result<Reading, OracleError> {
        if feed != self.vault.market.params.feed {
            return Err(OracleError::UnknownFeed);
        }
        self.oracle
            .quote
            .ok_or(OracleError::NoRound)?
            .reading(self.now)
    }

    /// Accepted and quarantined prices since a block.
    #[must_use]
    pub fn prices_since(&self, block: Block) -> Vec<Seen> {
        self.oracle.feed.seen.since(block)
    }
}
