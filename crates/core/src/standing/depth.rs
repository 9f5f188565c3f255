//! How much money has verifiably stood in a tier.

use crate::units::{Amount, Block};
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// The notice period in blocks: about an hour of six seconds each.
pub const NOTICE: Block = 600;

/// A running minimum over at least the last [`NOTICE`] blocks, in two numbers.
///
/// Time is cut into periods of that length. Kept are the least total of the present period and
/// of the one before: their minimum covers between one and two periods. So money that stands for
/// a block, or for less than a notice period, never counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Depth {
    /// Number of the period that was written last.
    period: u32,
    /// The least total of the period before it.
    before: Amount,
    /// The least total within it, so far.
    within: Amount,
    /// The total as it was left.
    total: Amount,
}

impl Depth {
    /// Moves to the period of a block: in all that time the total has stood as it was left.
    fn at(self, block: Block) -> Self {
        let period = block.checked_div(NOTICE).unwrap_or(0);
        let before = match period.checked_sub(self.period) {
            None | Some(0) => return self,
            Some(1) => self.within,
            Some(_) => self.total,
        };
        Self {
            period,
            before,
            within: self.total,
            total: self.total,
        }
    }

    /// Records the total of this block.
    pub fn record(&mut self, total: Amount, block: Block) {
        *self = self.at(block);
        self.total = total;
        self.within = self.within.min(total);
    }

    /// The smallest total over the last notice period, or somewhat longer.
    #[must_use]
    pub fn smallest(&self, block: Block) -> Amount {
        let now = self.at(block);
        now.before.min(now.within)
    }
}
