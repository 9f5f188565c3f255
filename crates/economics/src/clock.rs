//! The one place that drives core's auction: what a bidder, a keeper and a reader of the auction
//! contract can do, in its order.

use crate::SimulationError;
use breakwater_core::{
    auction::{Auction, AuctionError, Clearing, Fill},
    ladder::Schedule,
    ledger::Opening,
    market::MarketParams,
    units::{Amount, Block, Price, UnitScale},
};
use scale::Encode;

/// A bid that the auction accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bid {
    /// Number of the bidder.
    pub bidder: usize,
    /// What it may spend.
    pub budget: Amount,
    /// The step it joined.
    pub step: u8,
}

/// A running auction and its bids.
#[derive(Clone, Debug)]
pub struct Clock {
    auction: Auction,
    scale: UnitScale,
    bids: Vec<Bid>,
}

/// An auction that has been judged, settled and claimed by everybody.
#[derive(Clone, Debug)]
pub struct Ended {
    /// How it cleared.
    pub clearing: Clearing,
    /// Every bid and what it received.
    pub fills: Vec<(Bid, Fill)>,
    /// Money still reserved after all claims: nothing, or something is stuck.
    pub stuck: Amount,
}

impl Clock {
    /// The auction of a batch opened in `block`.
    ///
    /// # Errors
    /// [`SimulationError`] where a number leaves its range.
    pub fn start(
        opening: &Opening,
        params: &MarketParams,
        scale: UnitScale,
        block: Block,
    ) -> Result<Self, SimulationError> {
        let schedule = Schedule {
            first: block.saturating_add(u32::from(params.ladder.announce_blocks)),
            blocks_per_step: params.ladder.blocks_per_step,
            steps: u8::try_from(opening.prices.len()).unwrap_or(u8::MAX),
        };
        let (prices, targets) = (opening.prices.clone(), opening.targets.clone());
        Ok(Self {
            auction: Auction::open(schedule, block, opening.spot, prices, targets)?,
            scale,
            bids: Vec::new(),
        })
    }

    /// Prices of all steps.
    #[must_use]
    pub fn prices(&self) -> &[Price] {
        &self.auction.prices
    }

    /// What must be raised, at every step.
    #[must_use]
    pub fn targets(&self) -> &[Amount] {
        &self.auction.targets
    }

    /// The step of a block, and its price; `None` after the last.
    #[must_use]
    pub fn step(&self, block: Block) -> Option<(u8, Price)> {
        let step = self.auction.schedule.step_at(block)?;
        let price = self.auction.prices.get(usize::from(step)).copied()?;
        Some((step, price))
    }

    /// The last block of a step.
    #[must_use]
    pub fn last_block_of(&self, step: u8) -> Block {
        let schedule = &self.auction.schedule;
        schedule
            .begins(step)
            .saturating_add(u32::from(schedule.blocks_per_step))
            .saturating_sub(1)
    }

    /// The least budget a bid may have.
    ///
    /// # Errors
    /// [`SimulationError`] where a number leaves its range.
    pub fn least_budget(&self) -> Result<Amount, SimulationError> {
        Ok(self.auction.least_budget(self.scale)?)
    }

    /// Places a bid that stays valid.
    ///
    /// # Errors
    /// What the auction refuses, under its own name.
    pub fn bid(
        &mut self,
        bidder: usize,
        budget: Amount,
        limit: Price,
        block: Block,
    ) -> Result<Bid, AuctionError> {
        let step = self
            .auction
            .place(budget, limit, Block::MAX, block, self.scale)?;
        let bid = Bid {
            bidder,
            budget,
            step,
        };
        self.bids.push(bid);
        Ok(bid)
    }

    /// The step the clock has ended at, judged in this block.
    ///
    /// # Errors
    /// [`SimulationError`] where a number leaves its range.
    pub fn ended(&self, block: Block) -> Result<Option<u8>, SimulationError> {
        Ok(self.auction.ended_at(block)?)
    }

    /// Bytes the auction takes in storage.
    #[must_use]
    pub fn stored_bytes(&self) -> usize {
        self.auction.encoded_size()
    }

    /// Judges the auction, settles it and claims every bid in the order of placing.
    ///
    /// # Errors
    /// [`SimulationError`] while the clock runs, or where a number leaves its range.
    pub fn finish(mut self, block: Block) -> Result<Ended, SimulationError> {
        let clearing = self.auction.clear(block, self.scale)?;
        self.auction.settle()?;
        let mut fills = Vec::with_capacity(self.bids.len());
        for bid in self.bids {
            let fill = self.auction.claim(bid.budget, bid.step, self.scale)?;
            fills.push((bid, fill));
        }
        Ok(Ended {
            clearing,
            fills,
            stuck: self.auction.reserved,
        })
    }
}
