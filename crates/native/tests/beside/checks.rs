//! What is compared after every step.

use super::{price, Beside};
use crate::books::Books;
use crate::scale::down;
use crate::slow::Place;
use breakwater_native::Native;
use num_traits::Zero;

impl Beside {
    /// Brings index and books to the present, as a view does; returns what they were.
    pub(super) fn accrue_now(&mut self, n: &Native) -> (u128, Books) {
        self.take_params(n);
        let stored = (self.slow.index, self.books.clone());
        let state = &n.vault.state;
        let curve = n.vault.market.params.interest;
        self.accrue(state, &curve, n.now - state.accrued_at);
        stored
    }

    pub(super) fn restore(&mut self, stored: (u128, Books)) {
        (self.slow.index, self.books) = stored;
    }

    /// Positions' debt, collateral, status and batch, lenders' claims, keepers' rewards and the
    /// books, as the contracts' views show them now.
    pub(super) fn compare(&mut self, n: &Native) {
        self.compared += 1;
        let stored = self.accrue_now(n);
        let state = n.accounting().expect("in range").state;
        assert_eq!(state.index.get(), self.slow.index, "index");
        assert_eq!(self.books, Books::of(&state), "books");
        self.compare_lenders(n);
        self.compare_positions(n);
        self.restore(stored);
    }

    /// Promise 10: lenders' claims, to the unit.
    fn compare_lenders(&self, n: &Native) {
        let lent = self.lent(&n.vault.state);
        for (who, user) in self.users.iter().enumerate() {
            let (shares, worth) = n.lender(*user).expect("in range");
            assert_eq!(shares.get(), self.lenders[who], "shares of {who}");
            let pool = self.books.pool(lent);
            let expected = match self.books.end {
                None => self.books.worth(shares.get(), lent, 0),
                Some(_) if self.books.shares == 0 => 0,
                Some(_) => {
                    let part = down(pool, shares.get(), self.books.shares);
                    part.saturating_sub(self.collected[who].0).min(pool)
                }
            };
            assert_eq!(worth.get(), expected, "claim of lender {who}");
            let reward = n.vault.rewards.get(user).map_or(0, |reward| reward.get());
            let expected = self.rewards.get(user).copied().unwrap_or_default();
            assert_eq!(reward, expected, "reward of {who}");
        }
    }

    /// Promises 4, 5 and 9: every position within the bound of rounding.
    fn compare_positions(&mut self, n: &Native) {
        let price = price(n).get();
        let mut off = (0, 0);
        for who in 0..self.users.len() {
            let view = self.view(n, who);
            let shown = self.slow.compare(who, &view, price, &mut off);
            let owner = &self.slow.owners[who];
            let booked = n.vault.position(self.users[who]).prepaid;
            assert_eq!(booked.get(), owner.prepaid, "paid in advance by {who}");
            let batch = match owner.place {
                Place::Batch(number, _) if self.slow.away(who) => Some(number),
                _ => None,
            };
            assert_eq!(view.batch, batch, "batch of {who}");
            let fits = shown.debt.is_zero() || self.slow.fits(&shown, view.status, price);
            assert!(fits, "{who} is not {:?}", view.status);
        }
        self.worst = self.worst.max(self.slow.used(off));
    }
}
