//! What must hold after every operation of a history, and the way out at its end.

use crate::books::Books;
use crate::history::{times_prepaid, History, Tally, OWNERS};
use crate::scale::{distance, fix, unsafe_at, Fix, PPM};
use crate::slow::Place;
use breakwater_core::position::{PositionView, Status};
use num_traits::Zero;

impl History {
    /// A position's view; one that slept through more moves than a call follows is synced first.
    pub fn look(&mut self, who: usize) -> PositionView {
        self.fast.view(who, self.price.0)
    }

    /// Everything that must hold after every operation.
    pub fn check(&mut self) {
        let state = &self.fast.state;
        let seen = (self.tally.done, self.price.0, self.fast.state.clone());
        if self.seen.as_ref() == Some(&seen) {
            return; // What was refused has changed nothing.
        }
        assert_eq!(self.books, Books::of(state), "books");
        assert_eq!(state.quote_owed().unwrap().get(), self.held.0, "quote");
        assert_eq!(
            state.collateral_owed().unwrap().get(),
            self.held.1,
            "collateral"
        );
        let (mut off, mut debts) = ((0, 0), Fix::from(0u8));
        for who in 0..OWNERS {
            let view = self.look(who);
            let away = self.away(who);
            let owner = &mut self.slow.owners[who];
            let within = self.slow.off.1 + OWNERS as u128;
            if view.scaled_debt.is_zero() && !away && owner.prepaid == 0 {
                // The others of its cohort have paid the last unit for it.
                assert!(owner.debt <= fix(within), "{who} has lost its debt");
                let place = std::mem::replace(&mut owner.place, Place::Free);
                owner.debt = fix(0);
                if let Place::Tick(tick) = place {
                    if self.slow.members(place).next().is_none() {
                        self.slow.ticks.remove(&tick);
                    }
                }
            }
            let owner = &self.slow.owners[who];
            if owner.debt.is_zero() && owner.collateral.is_zero() && view.collateral.is_zero() {
                assert!(view.debt.is_zero());
                continue;
            }
            let collateral = &owner.collateral + fix(owner.aside);
            off.0 += distance(&collateral, view.collateral.get());
            let mut debt = owner.debt.clone();
            if !away {
                debt = (debt - times_prepaid(&self.slow, who)).max(fix(0));
            }
            off.1 += distance(&debt, view.scaled_debt.get());
            debts += &owner.debt;
            let status = view.status;
            match owner.place {
                _ if away => assert_eq!(status, Status::InBatch, "{who}"),
                Place::Tick(tick) if self.is_unsafe(tick) => {
                    assert!(status.is_liquidatable(), "{who} {status:?}");
                }
                Place::Batch(..) => {}
                _ => assert!(status.is_safe(), "{who} {status:?}"),
            }
            if u64::from(self.block) % OWNERS as u64 != who as u64 {
                continue; // Margins in turn: they take longest to reckon.
            }
            // What the model knows of the owner's room: over it is a margin call or insolvency.
            let (owed, value) = (
                self.slow.owed(&debt),
                self.slow.value(&collateral, self.price.0),
            );
            let off = fix(self.slow.off_quote(self.price.0));
            let limit = &value * self.slow.params.initial_ltv.ppm() / PPM;
            assert!(status != Status::Healthy || owed <= &limit + &off, "{who}");
            assert!(
                status != Status::MarginCall || &owed + &off > limit,
                "{who}"
            );
            assert!(status != Status::Insolvent || &owed + &off > value, "{who}");
            assert!(
                status != Status::Liquidatable || owed <= value + &off,
                "{who}"
            );
        }
        let bound = (
            self.slow.off.0 + OWNERS as u128,
            self.slow.off.1 + OWNERS as u128,
        );
        assert!(
            off.0 <= bound.0,
            "collateral is off by {} > {}",
            off.0,
            bound.0
        );
        assert!(off.1 <= bound.1, "debt is off by {} > {}", off.1, bound.1);
        let used = (off.0 as f64 / bound.0 as f64).max(off.1 as f64 / bound.1 as f64);
        self.tally.worst = self.tally.worst.max(used);
        self.seen = Some(seen);
        // No cohort is inflated by rounding: a share is worth a unit at its birth, and no rounding
        // may make it worth two.
        for page in self.fast.cells.pages.values() {
            for (_, cohort) in page.cohorts.iter() {
                let shares = &cohort.shares;
                assert!(cohort.collateral.get() <= 2 * shares.collateral.get() + 2);
                assert!(cohort.debt.get() <= 2 * shares.debt.get() + 2);
            }
        }
    }

    fn is_unsafe(&self, tick: u16) -> bool {
        let threshold = self.slow.params.liquidation_threshold.ppm();
        unsafe_at(tick, self.slow.index, self.price.0, threshold)
    }

    /// Promise 6: whatever happened, everybody can be brought up to date, repay and leave.
    pub fn leave(&mut self) -> Tally {
        while let Some(opening) = self.running.pop() {
            self.settle_at(&opening, opening.prices[0].get(), 0, u16::MAX, false);
        }
        for who in 0..OWNERS {
            while !self.sync(who, 32) {}
            self.repay(who, u128::MAX);
            self.reclaim(who);
            let view = self.look(who);
            assert!(view.debt.is_zero(), "{who} still owes");
            if !view.collateral.is_zero() {
                self.withdraw(who, view.collateral.get());
            }
            assert!(self.fast.positions[who].is_empty(), "{who} cannot leave");
            self.check();
        }
        self.tally
    }
}
