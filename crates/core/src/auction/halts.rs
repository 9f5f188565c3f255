//! Blocks in which a market could not be bid in, and the clock that does not count them.
//!
//! A market keeps one short log of its halts. A running auction reads it when somebody asks, so a
//! halt costs the same however many auctions it stops.

use super::{Auction, AuctionError};
use crate::units::Block;
use alloc::vec::Vec;
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// A batch halted for more blocks than this in all is closed: an hour of six-second blocks.
pub const LONGEST_HALT: Block = 600;

/// Halts a market remembers one by one; older ones are counted together.
const REMEMBERED: usize = 8;

/// One halt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Halt {
    /// Its first block.
    pub from: Block,
    /// Blocks it lasted; `None` while it lasts.
    pub blocks: Option<Block>,
}

impl Halt {
    /// Whether it lasts until this block or beyond.
    fn reaches(&self, block: Block) -> bool {
        self.blocks
            .is_none_or(|blocks| self.from.saturating_add(blocks) >= block)
    }

    /// Its length if it lasts as long as another that begins in it, or after it.
    fn until(&self, other: &Self) -> Option<Block> {
        let own = self.blocks?;
        let later = other.from.saturating_add(other.blocks?);
        Some(own.max(later.saturating_sub(self.from)))
    }

    /// How many of its blocks are before this one.
    fn before(&self, block: Block) -> Block {
        let since = block.saturating_sub(self.from);
        self.blocks.map_or(since, |blocks| blocks.min(since))
    }
}

/// The halts of one market, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Halts(Vec<Halt>);

impl Halts {
    /// Whether the market is halted now.
    #[must_use]
    pub fn stands(&self) -> bool {
        self.0.last().is_some_and(|halt| halt.blocks.is_none())
    }

    /// Halts in the log, oldest first.
    #[must_use]
    pub fn log(&self) -> &[Halt] {
        &self.0
    }

    /// Begins a halt in the block in which its fact became true, at the latest now, and not
    /// before the last halt's end. Returns whether there was none before.
    pub fn halt(&mut self, fact: Block, block: Block) -> bool {
        if self.stands() {
            return false;
        }
        let ended = self.0.last().map_or(0, |last| {
            last.from.saturating_add(last.blocks.unwrap_or_default())
        });
        if self.0.len() >= REMEMBERED {
            // The two oldest count as one, from the beginning of the first.
            let second = self.0.remove(1);
            if let Some(first) = self.0.first_mut() {
                let sum = first.blocks.unwrap_or_default();
                first.blocks = Some(sum.saturating_add(second.blocks.unwrap_or_default()));
            }
        }
        self.0.push(Halt {
            from: fact.min(block).max(ended),
            blocks: None,
        });
        true
    }

    /// Halts while something is halted and goes on once it is not; of both what is needed. Returns
    /// whether anything changed.
    pub fn follow(&mut self, halted: bool, fact: Block, block: Block) -> bool {
        if halted {
            self.halt(fact, block)
        } else {
            self.resume(block)
        }
    }

    /// The halts of two logs together, a block halted in both counted once: those of one market
    /// and those of all markets.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        // Each log is in order already.
        let (mut mine, mut others) = (self.0.iter().peekable(), other.0.iter().peekable());
        let mut merged: Vec<Halt> = Vec::new();
        loop {
            let next = match (mine.peek(), others.peek()) {
                (Some(a), Some(b)) if b.from < a.from => others.next(),
                (None, _) => others.next(),
                _ => mine.next(),
            };
            let Some(halt) = next.copied() else { break };
            match merged.last_mut() {
                Some(last) if last.reaches(halt.from) => last.blocks = last.until(&halt),
                _ => merged.push(halt),
            }
        }
        Self(merged)
    }

    /// Ends the halt; this block can be bid in again. Returns whether there was one.
    pub fn resume(&mut self, block: Block) -> bool {
        match self.0.last_mut() {
            Some(halt) if halt.blocks.is_none() => {
                halt.blocks = Some(halt.before(block));
                true
            }
            _ => false,
        }
    }
}

/// A block as one auction's clock counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Clock {
    /// The block less the halted ones of the auction's life. During a halt: the one that the
    /// clock will show when bidding goes on.
    pub block: Block,
    /// Blocks it was halted for so far.
    pub halted: Block,
    /// Whether it is halted now.
    pub stands: bool,
    /// What the clock showed when the halt began that outlasted [`LONGEST_HALT`]: steps that had
    /// not ended then never do.
    pub expired_at: Option<Block>,
}

impl From<Block> for Clock {
    /// The clock of a market that was never halted.
    fn from(block: Block) -> Self {
        Self {
            block,
            halted: 0,
            stands: false,
            expired_at: None,
        }
    }
}

impl Clock {
    /// The clock of an auction opened in a block.
    #[must_use]
    pub fn new(halts: &Halts, opened: Block, block: Block) -> Self {
        let mut halted: Block = 0;
        let mut expired_at = None;
        for halt in &halts.0 {
            let length = halt.before(block).saturating_sub(halt.before(opened));
            let began = halt.from.max(opened);
            let shown = began.saturating_sub(halted);
            halted = halted.saturating_add(length);
            if halted > LONGEST_HALT && expired_at.is_none() {
                expired_at = Some(shown);
            }
        }
        Self {
            block: block.saturating_sub(halted),
            halted,
            stands: halts.stands(),
            expired_at,
        }
    }

    /// The last block that was, or is, open to bids.
    pub(super) fn last_live(&self) -> Block {
        if self.stands {
            self.block.saturating_sub(1)
        } else {
            self.block
        }
    }

    /// The block that ended steps are judged in.
    #[must_use]
    pub fn judged(&self) -> Block {
        self.expired_at.unwrap_or(self.block)
    }

    /// That bids are taken now.
    ///
    /// # Errors
    /// [`AuctionError::BiddingEnded`] after a halt that was too long, [`AuctionError::Halted`].
    pub(super) fn ensure_open(&self) -> Result<(), AuctionError> {
        if self.expired_at.is_some() {
            return Err(AuctionError::BiddingEnded);
        }
        if self.stands {
            return Err(AuctionError::Halted);
        }
        Ok(())
    }
}

impl Auction {
    /// What this auction's clock shows in a block.
    #[must_use]
    pub fn clock(&self, halts: &Halts, block: Block) -> Clock {
        Clock::new(halts, self.opened, block)
    }
}
