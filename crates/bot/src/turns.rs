//! The order of what a look at the chain decided: by urgency, and nothing waits for ever.

use crate::action::{Action, Urgency};
use std::collections::BTreeMap;

/// One look in so many begins with what has waited longest.
pub(crate) const PATIENT: u32 = 4;

/// Who has waited since when.
///
/// Every call takes a block, so of a long list only the head is sent before the chain has gone on
/// and all is decided anew. By urgency alone the tail might never be reached: prices are submitted
/// again and again, and new batches bring new bids. Therefore one look in [`PATIENT`] begins with
/// what has been decided and left for the longest time. Those that came later wait behind it, so it
/// has its turn after at most [`PATIENT`] looks for each that has waited longer. What was done is
/// not decided again, or waits from then on.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    looks: u32,
    /// The look since which a key has been decided in every look without a turn.
    since: BTreeMap<String, u32>,
}

impl Turns {
    /// Puts what a look has decided in order.
    pub(crate) fn order(&mut self, actions: &mut [Action]) {
        let look = self.looks;
        self.looks = look.wrapping_add(1);
        actions.sort_by_key(Action::urgency);
        let decided = actions.iter().map(|action| {
            let key = action.key();
            let since = self.since.get(&key).copied().unwrap_or(look);
            (key, since)
        });
        self.since = decided.collect();
        if !self.looks.is_multiple_of(PATIENT) {
            return;
        }
        let waited = |action: &Action| look.wrapping_sub(self.since[&action.key()]);
        // Of those that have waited equally long the first, which is the most urgent.
        let ages = actions.iter().map(waited).enumerate();
        let longest = ages.rev().max_by_key(|(_, age)| *age);
        let Some((index, 1..)) = longest else {
            return;
        };
        actions[..=index].rotate_right(1);
        // A fact stops new batches: what is at risk is opened before it is told, even so.
        let opening = |action: &Action| action.urgency() == Urgency::Open;
        if let (Urgency::Alarm, Some(index)) =
            (actions[0].urgency(), actions.iter().position(opening))
        {
            actions[..=index].rotate_right(1);
        }
    }

    /// An action has its turn.
    pub(crate) fn take(&mut self, action: &Action) {
        self.since.remove(&action.key());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upkeep::{Duty, Whose};
    use breakwater_core::breaker::Cause;
    use breakwater_core::units::{Amount, Price};
    use breakwater_interfaces::auction::{BatchKey, BidId};

    fn batch(number: u32) -> BatchKey {
        BatchKey { market: 0, number }
    }

    fn cancel(bid: BidId) -> Action {
        let batch = batch(1);
        Action::Cancel { batch, bid }
    }

    #[test]
    fn what_loses_by_waiting_is_sent_first() {
        let submit = Action::Submit {
            price: Price::new(1),
            observed_at: 1,
        };
        let settle = Action::Settle {
            batch: batch(0),
            reward: Amount::ZERO,
        };
        let claim = Action::Claim {
            batch: batch(0),
            bids: Vec::new(),
        };
        let open = Action::Open {
            reward: Amount::ZERO,
        };
        let deposit = Action::Deposit(Amount::new(1));
        let stand = Action::Stand {
            percent: 5,
            amount: Amount::new(1),
        };
        let mut list = vec![
            Action::Rest(batch(0)),
            Action::Maintain(Duty::UpdateMargin),
            stand.clone(),
            claim.clone(),
            deposit.clone(),
            settle.clone(),
            Action::Maintain(Duty::Trip(Whose::Market, Cause::Jump)),
            open.clone(),
            Action::Maintain(Duty::Refresh),
            cancel(1),
            submit.clone(),
        ];
        Turns::default().order(&mut list);
        let expected = [
            submit,
            cancel(1),
            Action::Maintain(Duty::Refresh),
            open,
            Action::Maintain(Duty::Trip(Whose::Market, Cause::Jump)),
            settle,
            deposit,
            claim,
            stand,
            Action::Rest(batch(0)),
            Action::Maintain(Duty::UpdateMargin),
        ];
        assert_eq!(list, expected);
    }

    #[test]
    fn what_is_at_risk_is_opened_before_a_fact_that_has_waited_is_told() {
        let open = Action::Open {
            reward: Amount::ZERO,
        };
        let trip = Action::Maintain(Duty::Trip(Whose::Market, Cause::Jump));
        let mut turns = Turns::default();
        for look in 1..=PATIENT {
            let mut list = vec![trip.clone(), cancel(look)];
            if look == PATIENT {
                list.push(open.clone());
            }
            turns.order(&mut list);
            if look == PATIENT {
                assert_eq!(list, [open.clone(), trip.clone(), cancel(look)]);
            }
            turns.take(&list[0]);
        }
    }

    /// New urgent things come with every look, and each look is over after one of them.
    #[test]
    fn nothing_waits_for_ever_behind_what_is_more_urgent() {
        let mut turns = Turns::default();
        let late: Vec<_> = (0..5).map(|number| Action::Rest(batch(number))).collect();
        let mut open = late.clone();
        let mut looks = 0;
        while !open.is_empty() {
            // One that was there before, as a price, and one that is new.
            let mut list = [open.clone(), vec![cancel(0), cancel(100 + looks)]].concat();
            turns.order(&mut list);
            turns.take(&list[0]);
            open.retain(|action| *action != list[0]);
            looks += 1;
            assert!(looks <= 2 * PATIENT * 5, "{open:?} still wait");
        }
    }
}
