//! What messages do to positions that are in no running batch.

use super::Beside;
use crate::scale::{bound, fix, INDEX_ONE};
use crate::slow::{ticks_between, Group, Place, Slow, Wait, TICK};
use breakwater_interfaces::vault::{Borrowed, Deposited, Reclaimed, Repaid, Withdrawn};
use breakwater_interfaces::AccountId;
use breakwater_native::{Emitted, Native};

/// One change of a position.
pub(super) enum Touch {
    Deposited(u128),
    Withdrawn(u128),
    Borrowed(u128),
    Repaid(u128),
    Reclaimed(u128),
}

impl Touch {
    /// The owner and the change that an event tells of.
    pub(super) fn told(event: &Emitted) -> Option<(AccountId, Self)> {
        let deposited = event.decode::<Deposited>();
        let withdrawn = event.decode::<Withdrawn>();
        let borrowed = event.decode::<Borrowed>();
        let repaid = event.decode::<Repaid>();
        let reclaimed = event.decode::<Reclaimed>();
        deposited
            .map(|it| (it.owner, Self::Deposited(it.amount.get())))
            .or(withdrawn.map(|it| (it.owner, Self::Withdrawn(it.amount.get()))))
            .or(borrowed.map(|it| (it.owner, Self::Borrowed(it.amount.get()))))
            .or(repaid.map(|it| (it.owner, Self::Repaid(it.amount.get()))))
            .or(reclaimed.map(|it| (it.owner, Self::Reclaimed(it.amount.get()))))
    }
}

impl Beside {
    /// The changes of one message, each a transition of the ledger.
    pub(super) fn touch(&mut self, after: &Native, who: usize, changes: &[Touch]) {
        if self.slow.away(who) {
            self.put_back(after);
            for change in changes {
                self.hold_aside(who, change);
            }
            return;
        }
        let times = changes.len() as u128;
        self.slow.off.0 += 4 * (times - 1);
        self.slow.off.1 += 4 * (times - 1) + times;
        let back = changes.iter().map(|change| match change {
            Touch::Reclaimed(quote) => *quote,
            _ => 0,
        });
        self.touched(after, who, back.sum(), |slow| {
            for (place, change) in changes.iter().enumerate() {
                if place > 0 {
                    visit(slow, who);
                }
                apply(slow, who, change);
            }
        });
        for change in changes {
            match change {
                Touch::Repaid(quote) => self.books.cash += quote,
                // What had been paid in advance for the old debt may be lent again.
                Touch::Borrowed(quote) => self.books.cash -= quote,
                _ => {}
            }
        }
    }

    /// A position in a batch keeps what comes in beside until that has settled.
    fn hold_aside(&mut self, who: usize, change: &Touch) {
        let owner = &mut self.slow.owners[who];
        match change {
            Touch::Deposited(collateral) => owner.aside += collateral,
            Touch::Repaid(quote) => {
                owner.prepaid += quote;
                self.books.prepaid += quote;
            }
            _ => panic!("{who} took something out of a batch"),
        }
    }
}

/// A position changes outside of any group.
fn apply(slow: &mut Slow, who: usize, change: &Touch) {
    let scaled = |quote: u128| fix(quote) * INDEX_ONE / slow.index;
    let (mut collateral, mut debt) = (fix(0), fix(0));
    match change {
        Touch::Deposited(units) => collateral = fix(*units),
        Touch::Withdrawn(units) => collateral = -fix(*units),
        Touch::Borrowed(quote) => debt = scaled(*quote),
        Touch::Repaid(quote) => debt = -scaled(*quote),
        Touch::Reclaimed(_) => {}
    }
    let owner = &mut slow.owners[who];
    owner.collateral += collateral;
    owner.debt += debt;
    if matches!(change, Touch::Withdrawn(_) | Touch::Borrowed(_)) {
        owner.wait = Wait::default();
    }
}

/// A position between two changes of one message: the ledger puts it into the group of its
/// tick and takes it out again. Who lives there keeps the bound and the wait that the visitor
/// brought, and the visitor takes the wait along.
fn visit(slow: &mut Slow, who: usize) {
    let owner = &slow.owners[who];
    if slow.owed(&owner.debt) <= slow.owed(&fix(slow.off.1 + 2)) {
        return;
    }
    let (low, high) = slow.ratios(who);
    let (low, high) = ticks_between(&low, &high);
    let (_, own) = slow.totals(Place::Tick(low));
    let off = fix(2 * slow.off.1 + 4);
    for (tick, resident) in slow.ticks.range_mut(low..=high) {
        if low < high {
            // Which of them it visited cannot be told: their bounds are known up to a tick.
            resident.eps = resident.eps.max(TICK);
            continue;
        }
        let newcomer = Group {
            lower: fix(bound(*tick)),
            eps: 0.0,
            wait: slow.owners[who].wait,
        };
        resident.receive(&own, newcomer, &slow.owners[who].debt, &off);
        slow.owners[who].wait = resident.wait;
    }
}
