//! What is compared after every step.

use super::{price, times_prepaid, Beside};
use crate::books::Books;
use crate::scale::{distance, down, fix, unsafe_at, PPM};
use crate::slow::Place;
use breakwater_core::position::Status;
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
        let count = self.users.len() as u128;
        let mut off = (0, 0);
        for who in 0..self.users.len() {
            let view = self.view(n, who);
            let away = self.away(who);
            let owner = &mut self.slow.owners[who];
            let within = self.slow.off.1 + count;
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
            let booked = n.vault.position(self.users[who]).prepaid;
            assert_eq!(booked.get(), owner.prepaid, "paid in advance by {who}");
            let batch = match owner.place {
                Place::Batch(number, _) if away => Some(number),
                _ => None,
            };
            assert_eq!(view.batch, batch, "batch of {who}");
            let collateral = &owner.collateral + fix(owner.aside);
            off.0 += distance(&collateral, view.collateral.get());
            let mut debt = owner.debt.clone();
            if !away {
                debt = (debt - times_prepaid(&self.slow, who)).max(fix(0));
            }
            off.1 += distance(&debt, view.scaled_debt.get());
            let status = view.status;
            match owner.place {
                _ if away => assert_eq!(status, Status::InBatch, "{who}"),
                Place::Tick(tick) if self.is_unsafe(tick, price) => {
                    assert!(status.is_liquidatable(), "{who} {status:?}");
                }
                Place::Batch(..) => {}
                _ => assert!(status.is_safe(), "{who} {status:?}"),
            }
            if debt.is_zero() {
                continue;
            }
            // What is known of the owner's room: over it is a margin call or insolvency.
            let (owed, value) = (self.slow.owed(&debt), self.slow.value(&collateral, price));
            let edge = fix(self.slow.off_quote(price));
            let limit = &value * self.slow.params.initial_ltv.ppm() / PPM;
            let holds = match status {
                Status::Healthy => owed <= limit + edge,
                Status::MarginCall => owed + edge > limit,
                Status::Liquidatable => owed <= value + edge,
                Status::Insolvent => owed + edge > value,
                _ => true,
            };
            assert!(holds, "{who} is not {status:?}");
        }
        let bound = (self.slow.off.0 + count, self.slow.off.1 + count);
        let collateral = off.0 <= bound.0;
        assert!(collateral, "collateral is off by {} > {}", off.0, bound.0);
        assert!(off.1 <= bound.1, "debt is off by {} > {}", off.1, bound.1);
        let used = (off.0 as f64 / bound.0 as f64).max(off.1 as f64 / bound.1 as f64);
        self.worst = self.worst.max(used);
    }

    fn is_unsafe(&self, tick: u16, price: u128) -> bool {
        let threshold = self.slow.params.liquidation_threshold.ppm();
        unsafe_at(tick, self.slow.index, price, threshold)
    }
}
