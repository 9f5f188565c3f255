//! What the ledger shows of positions, beside the slow model.

use crate::scale::{distance, fix, unsafe_at, Fix, INDEX_ONE, PPM};
use crate::slow::{Place, Slow};
use breakwater_core::position::{PositionView, Status};

/// A position as a view shows it, by the model.
pub struct Shown {
    /// With what is held aside.
    pub collateral: Fix,
    /// Scaled; outside a running batch without what is paid in advance.
    pub debt: Fix,
}

impl Slow {
    /// Whether a position is in a batch that runs.
    pub fn away(&self, who: usize) -> bool {
        match self.owners[who].place {
            Place::Batch(number, _) => !self.batches[&number].settled,
            _ => false,
        }
    }

    /// Scaled debt without what money paid in advance takes off it at the next touch.
    pub fn net_debt(&self, who: usize) -> Fix {
        let owner = &self.owners[who];
        let prepaid = fix(owner.prepaid) * INDEX_ONE / self.index;
        (&owner.debt - prepaid).max(fix(0))
    }

    /// Compares a position's status with its place, and adds to `off` by how much its collateral
    /// and its scaled debt differ. Of a debt of which the ledger has nothing left, the others of the
    /// cohort have paid the last unit: the model follows.
    pub fn compare(
        &mut self,
        who: usize,
        view: &PositionView,
        price: u128,
        off: &mut (u128, u128),
    ) -> Shown {
        let away = self.away(who);
        let within = self.off.1 + self.owners.len() as u128;
        let owner = &mut self.owners[who];
        if view.scaled_debt.is_zero() && !away && owner.prepaid == 0 {
            assert!(owner.debt <= fix(within), "{who} has lost its debt");
            let place = std::mem::replace(&mut owner.place, Place::Free);
            owner.debt = fix(0);
            self.forget_empty(place);
        }
        let (owner, status) = (&self.owners[who], view.status);
        match owner.place {
            _ if away => assert_eq!(status, Status::InBatch, "{who}"),
            Place::Tick(tick) if self.is_unsafe(tick, price) => {
                assert!(status.is_liquidatable(), "{who} {status:?}");
            }
            Place::Batch(..) => {}
            _ => assert!(status.is_safe(), "{who} {status:?}"),
        }
        let shown = Shown {
            collateral: &owner.collateral + fix(owner.aside),
            debt: match away {
                true => owner.debt.clone(),
                false => self.net_debt(who),
            },
        };
        off.0 += distance(&shown.collateral, view.collateral.get());
        off.1 += distance(&shown.debt, view.scaled_debt.get());
        shown
    }

    fn is_unsafe(&self, tick: u16, price: u128) -> bool {
        let threshold = self.params.liquidation_threshold.ppm();
        unsafe_at(tick, self.index, price, threshold)
    }

    /// Whether a status fits what is known of a position's room: over it is a margin call or
    /// insolvency.
    pub fn fits(&self, shown: &Shown, status: Status, price: u128) -> bool {
        let (owed, value) = (self.owed(&shown.debt), self.value(&shown.collateral, price));
        let edge = fix(self.off_quote(price));
        let limit = &value * self.params.initial_ltv.ppm() / PPM;
        match status {
            Status::Healthy => owed <= limit + edge,
            Status::MarginCall => owed + edge > limit,
            Status::Liquidatable => owed <= value + edge,
            Status::Insolvent => owed + edge > value,
            _ => true,
        }
    }

    /// The part of the bound that all positions' differences have used: at most all of it.
    pub fn used(&self, off: (u128, u128)) -> f64 {
        let count = self.owners.len() as u128;
        let bound = (self.off.0 + count, self.off.1 + count);
        let collateral = off.0 <= bound.0;
        assert!(collateral, "collateral is off by {} > {}", off.0, bound.0);
        assert!(off.1 <= bound.1, "debt is off by {} > {}", off.1, bound.1);
        (off.0 as f64 / bound.0 as f64).max(off.1 as f64 / bound.1 as f64)
    }
}
