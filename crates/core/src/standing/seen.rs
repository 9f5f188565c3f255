//! The prices of the recent past, block by block, as tiers need them.

use crate::units::{Block, Millis, Price};
use alloc::vec::Vec;
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// Blocks with a new price that are kept: more than a batch of 64 steps of two blocks lasts.
pub const KEPT_PRICES: usize = 160;

/// How long a block is taken to last where an age in milliseconds is counted in blocks.
const BLOCK_TIME: Millis = 6_000;

/// For how many blocks a round is fresh that a market relies on for so long; at least one.
#[must_use]
pub fn fresh_for(max_age: Millis) -> Block {
    let blocks = max_age.checked_div(BLOCK_TIME).unwrap_or_default();
    Block::try_from(blocks).unwrap_or(Block::MAX).max(1)
}

/// A price the oracle saw, with the block that saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Seen {
    /// Block of acceptance, or of quarantine.
    pub block: Block,
    /// The price; the lowest of the block.
    pub price: Price,
    /// Whether it became an accepted round; a quarantined price lowers tiers but refreshes none.
    pub accepted: bool,
}

/// The last [`KEPT_PRICES`] blocks in which a price was accepted or put into quarantine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct SeenLog(Vec<Seen>);

impl SeenLog {
    /// Records a price; several of one block count as their lowest.
    pub fn record(&mut self, seen: Seen) {
        match self.0.last_mut() {
            Some(last) if last.block == seen.block => {
                last.price = last.price.min(seen.price);
                last.accepted |= seen.accepted;
            }
            _ => {
                if self.0.len() >= KEPT_PRICES {
                    self.0.remove(0);
                }
                self.0.push(seen);
            }
        }
    }

    /// What a batch opened in a block needs, oldest first: everything from that block on, and
    /// the last accepted round before it.
    #[must_use]
    pub fn since(&self, opened: Block) -> Vec<Seen> {
        let (before, after) = self
            .0
            .split_at(self.0.partition_point(|seen| seen.block < opened));
        let last = before.iter().rev().find(|seen| seen.accepted);
        last.into_iter().chain(after).copied().collect()
    }
}
