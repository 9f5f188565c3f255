//! What was there when a block began.

use crate::units::{Amount, Block};
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// What was held before the first deposit of a block.
///
/// A lot is sized by the quote at hand. If money counted that came in the same block, whoever
/// orders three messages (deposit, open, withdraw) could put up a lot that nobody can pay for:
/// cohorts that find no money wait for a hundred blocks and more, and those that find some are
/// sold without competition. Money that has stood over the end of a block can be bid with, and
/// has been seen by others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Before {
    block: Block,
    held: Amount,
}

impl Before {
    /// Notes what is held ahead of a deposit; of several in a block the first counts.
    pub fn note(&mut self, held: Amount, block: Block) {
        if self.block != block {
            *self = Self { block, held };
        }
    }

    /// Of what is held now, what was there when the block began: the lesser of both.
    #[must_use]
    pub fn lesser(&self, held: Amount, block: Block) -> Amount {
        if self.block == block {
            held.min(self.held)
        } else {
            held
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes in a block counts from the next; what goes counts at once, in any order.
    #[test]
    fn money_of_a_block_sizes_no_lot_in_it() {
        let amount = Amount::new;
        let mut before = Before::default();
        before.note(amount(100), 7);
        assert_eq!(before.lesser(amount(350), 7), amount(100));
        before.note(amount(350), 7);
        assert_eq!(before.lesser(amount(400), 7), amount(100), "the first one");
        assert_eq!(before.lesser(amount(60), 7), amount(60), "taken out again");
        assert_eq!(before.lesser(amount(400), 8), amount(400), "a block later");
        before.note(amount(400), 8);
        assert_eq!(before.lesser(amount(401), 8), amount(400));
    }
}
