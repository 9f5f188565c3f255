//! What must hold after every operation of a history, and the way out at its end.

use crate::books::Books;
use crate::history::{History, Tally, OWNERS};
use breakwater_core::position::PositionView;
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
        let mut off = (0, 0);
        for who in 0..OWNERS {
            let view = self.look(who);
            let mut by = (0, 0);
            let shown = self.slow.compare(who, &view, self.price.0, &mut by);
            let owner = &self.slow.owners[who];
            if owner.debt.is_zero() && owner.collateral.is_zero() && view.collateral.is_zero() {
                assert!(view.debt.is_zero());
                continue;
            }
            off = (off.0 + by.0, off.1 + by.1);
            if u64::from(self.block) % OWNERS as u64 != who as u64 {
                continue; // Margins in turn: they take longest to reckon.
            }
            let fits = self.slow.fits(&shown, view.status, self.price.0);
            assert!(fits, "{who} is not {:?}", view.status);
        }
        self.tally.worst = self.tally.worst.max(self.slow.used(off));
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
