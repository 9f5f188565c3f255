//! Collateral that insurance took at the floor because nobody bid, and how it gets rid of it
//! (`docs/decisions/0031-insurance-at-the-floor.md`).
//!
//! Insurance is no bidder: it buys only where an auction ran to its end and found no money at
//! all, at the floor, within a budget a day, and never so much that it could not cover what the
//! purchase itself writes off. What it took is offered in the next batch of the market, after the
//! cohorts; what that raises is insurance's again.

use crate::losses::day_of;
use crate::math::{MathError, Rounding};
use crate::page::Cooling;
use crate::units::{Amount, Block, Millis};
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// The most of the hole, one part in so many, that insurance's own collateral takes up: the rest
/// is for those who have to be liquidated.
pub const OWN_PART_OF_HOLE: u128 = 4;

/// What insurance holds of one market's collateral.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Inventory {
    /// Collateral outside running batches.
    pub held: Amount,
    /// Collateral that a running batch offers.
    pub offered: Amount,
    /// What insurance paid for both, quote.
    pub cost: Amount,
    /// Day of the latest purchase, from the Unix epoch.
    pub day: u32,
    /// Quote spent on that day: prices paid, and what was written off and covered with them.
    pub spent: Amount,
    /// How long it waits before it is offered alone, without cohorts beside it.
    pub cooling: Cooling,
}

/// What insurance did in one settlement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Insured {
    /// Collateral it took at the floor, because nobody bid.
    pub taken: Amount,
    /// What it paid for it, quote: debt and penalties of the batch.
    pub paid: Amount,
    /// Collateral of its own that the bidders bought.
    pub sold: Amount,
    /// What they paid for it: a part of what the batch raised.
    pub proceeds: Amount,
    /// The part of the proceeds that made good what lenders lost in a wind-down.
    pub to_lenders: Amount,
}

impl Inventory {
    /// All collateral that is insurance's.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn all(&self) -> Result<Amount, MathError> {
        self.held.plus(self.offered)
    }

    /// Quote spent on the day of this moment.
    #[must_use]
    pub fn spent_on(&self, now: Millis) -> Amount {
        if self.day == day_of(now) {
            self.spent
        } else {
            Amount::ZERO
        }
    }

    /// What insurance may spend now: what is left of the day's budget, and never more than it
    /// has.
    #[must_use]
    pub fn allowance(&self, budget: Amount, insurance: Amount, now: Millis) -> Amount {
        budget.minus_or_zero(self.spent_on(now)).min(insurance)
    }

    /// Books a purchase: `price` was paid for the collateral, and `covered` written off with it.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn take(
        &mut self,
        collateral: Amount,
        price: Amount,
        covered: Amount,
        now: Millis,
    ) -> Result<(), MathError> {
        self.spent = self.spent_on(now).plus(price)?.plus(covered)?;
        self.day = day_of(now);
        self.held = self.held.plus(collateral)?;
        self.cost = self.cost.plus(price)?;
        Ok(())
    }

    /// Puts collateral into a batch.
    ///
    /// # Errors
    /// [`MathError`] where there is not so much.
    pub fn offer(&mut self, collateral: Amount) -> Result<(), MathError> {
        self.held = self.held.minus(collateral)?;
        self.offered = self.offered.plus(collateral)?;
        Ok(())
    }

    /// The batch that offered collateral is over and has sold some of it. The cost of what is
    /// left is rounded up.
    ///
    /// # Errors
    /// [`MathError`] where it offered less.
    pub fn take_back(&mut self, offered: Amount, sold: Amount) -> Result<(), MathError> {
        let before = self.all()?;
        self.offered = self.offered.minus(offered)?;
        self.held = self.held.plus(offered.minus(sold)?)?;
        self.cost = self.cost_of(self.all()?, before, Rounding::Up)?;
        Ok(())
    }

    /// The cost of a part of what there was.
    fn cost_of(&self, part: Amount, all: Amount, rounding: Rounding) -> Result<Amount, MathError> {
        self.cost.mul_div(part.get(), all.get().max(1), rounding)
    }

    /// Notes that a batch found no money, or too little, for what is insurance's.
    pub fn fail(&mut self, block: Block, round: u32) {
        self.cooling = self.cooling.failed(block, round);
    }

    /// Hands collateral over for a loss that insurance should have borne, valued at what it paid
    /// for it: all that is in no batch, or as much as the loss. Returns the collateral, rounded
    /// down, and what it makes good of the loss.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn hand_over(&mut self, lost: Amount) -> Result<(Amount, Amount), MathError> {
        let worth = self.cost_of(self.held, self.all()?, Rounding::Down)?;
        let (collateral, good) = if worth <= lost {
            (self.held, worth)
        } else {
            let part = self.held.mul_div(lost.get(), worth.get(), Rounding::Down)?;
            (part, lost)
        };
        self.held = self.held.minus(collateral)?;
        self.cost = self.cost.minus_or_zero(good);
        Ok((collateral, good))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: Millis = 86_400_000;

    fn amount(units: u128) -> Amount {
        Amount::new(units)
    }

    #[test]
    fn a_days_budget_counts_what_was_paid_and_what_was_covered() {
        let mut inventory = Inventory::default();
        let (budget, insured) = (amount(1_000), amount(700));
        assert_eq!(inventory.allowance(budget, insured, DAY), insured);
        inventory
            .take(amount(5), amount(500), amount(100), DAY)
            .unwrap();
        assert_eq!(inventory.allowance(budget, insured, DAY), amount(400));
        assert_eq!(inventory.spent_on(2 * DAY - 1), amount(600));
        assert_eq!(
            inventory.allowance(budget, amount(100), 2 * DAY - 1),
            amount(100)
        );
        // Another day, another budget; a lower budget than what was spent leaves nothing.
        assert_eq!(inventory.allowance(budget, insured, 2 * DAY), insured);
        assert_eq!(inventory.allowance(amount(599), insured, DAY), Amount::ZERO);
    }

    #[test]
    fn what_was_taken_makes_good_a_loss_at_its_cost() {
        let mut inventory = Inventory {
            held: amount(60),
            offered: amount(40),
            cost: amount(1_000),
            ..Inventory::default()
        };
        assert_eq!(
            inventory.hand_over(amount(300)),
            Ok((amount(30), amount(300)))
        );
        assert_eq!(inventory.cost, amount(700));
        // The rest of it is worth 300, and 400 is being sold.
        assert_eq!(
            inventory.hand_over(amount(301)),
            Ok((amount(30), amount(300)))
        );
        assert_eq!(
            (inventory.held, inventory.cost),
            (Amount::ZERO, amount(400))
        );
    }

    proptest! {
        /// Collateral is conserved, and the cost goes with it: nothing is left of either when all
        /// is sold.
        #[test]
        fn collateral_and_cost_go_together(
            taken in 1u128..1 << 90, price in 0u128..1 << 90,
            offered in 0u32..=1_000_000, sold in 0u32..=1_000_000,
        ) {
            let mut inventory = Inventory::default();
            inventory.take(amount(taken), amount(price), Amount::ZERO, DAY).unwrap();
            let part = |of: Amount, ppm: u32| {
                of.mul_div(u128::from(ppm), 1_000_000, Rounding::Down).unwrap()
            };
            let offered = part(amount(taken), offered);
            let sold = part(offered, sold);
            inventory.offer(offered).unwrap();
            prop_assert_eq!(inventory.all().unwrap(), amount(taken));
            inventory.take_back(offered, sold).unwrap();
            prop_assert_eq!(inventory.all().unwrap().get(), taken - sold.get());
            prop_assert!(inventory.offered.is_zero());
            let left = price * 1_000 / taken.max(1);
            prop_assert!(inventory.cost.get() <= price);
            prop_assert!(
                !inventory.held.is_zero() || inventory.cost.is_zero(), "{left}"
            );
        }
    }
}
