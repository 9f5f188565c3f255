//! Governance, insurance and the end of a market.

use super::Beside;
use crate::books::End;
use crate::scale::{distance, down, fix, floor, up, Fix};
use breakwater_core::ledger::TakenInKind;
use breakwater_interfaces::vault_admin::{Change, MarketChanged};
use breakwater_interfaces::AccountId;
use breakwater_native::Native;

impl Beside {
    pub(super) fn changed(&mut self, before: &Native, after: &Native, it: &MarketChanged) {
        match &it.change {
            Change::Insured { amount, to_lenders } => {
                let good = self.books.take_in(amount.get());
                assert_eq!(to_lenders.get(), good, "made good of a loss");
            }
            Change::WindDown { loss } if loss.is_zero() => {
                assert_eq!(self.books.end.replace(End::default()), None);
            }
            Change::HandedOver { collateral, good } => {
                let end = self.books.end.as_mut().expect("a wind-down");
                let stock = &mut self.books.stock;
                let all = (stock.held + stock.offered).max(1);
                let worth = down(stock.cost, stock.held, all);
                let (part, made) = if worth <= end.lost {
                    (stock.held, worth)
                } else {
                    (down(stock.held, end.lost, worth), end.lost)
                };
                assert_eq!((collateral.get(), good.get()), (part, made), "handed over");
                stock.held -= part;
                stock.cost = stock.cost.saturating_sub(made);
                end.lost -= made;
                end.in_kind += part;
            }
            Change::Collected { amount, in_kind } => {
                self.collect(it.by, amount.get(), *in_kind);
            }
            Change::TookInKind { owner, taken, .. } => {
                self.took_in_kind(before, after, *owner, taken);
            }
            // A loss that begins a wind-down is booked with its settlement; parameters are read
            // anew before each message.
            _ => {}
        }
    }

    /// Of everything that was ever there in a wind-down a lender gets its share.
    fn collect(&mut self, lender: AccountId, amount: u128, in_kind: bool) {
        let who = self.who(lender);
        let shares = self.lenders[who];
        let total = self.books.shares;
        let end = self.books.end.as_mut().expect("a wind-down");
        let (there, paid, had) = if in_kind {
            let had = &mut self.collected[who].1;
            (&mut end.in_kind, &mut end.in_kind_paid, had)
        } else {
            let had = &mut self.collected[who].0;
            (&mut self.books.cash, &mut end.paid, had)
        };
        let part = down(*there + *paid, shares, total);
        let due = part.saturating_sub(*had).min(*there);
        assert_eq!(amount, due, "collected in a wind-down");
        *there -= due;
        *paid += due;
        *had += due;
    }

    /// Lenders take collateral for a debt at the floor.
    fn took_in_kind(
        &mut self,
        before: &Native,
        after: &Native,
        owner: AccountId,
        taken: &TakenInKind,
    ) {
        let who = self.who(owner);
        let lent = self.lent(&before.vault.state);
        let pool = self.books.pool(lent);
        let price = taken.price.get();
        let off = self.slow.off_quote(price) + 8;
        let unit = self.slow.unit.div_ceil(price);
        let whole = self.slow.off.0 + 8 + (off + 1) * unit;
        self.touched(after, who, 0, |slow| {
            let (has, owed) = {
                let owner = &slow.owners[who];
                (owner.collateral.clone(), slow.owed(&owner.debt))
            };
            let near = |model: &Fix, units: u128, off: u128, what: &str| {
                assert!(distance(model, units) <= off, "{what}: {units}");
            };
            near(&owed, taken.debt.get(), off, "debt that ended");
            let wanted = fix(up(floor(&owed) + 1, slow.unit, price));
            near(
                &wanted.min(has.clone()),
                taken.collateral.get(),
                whole,
                "taken",
            );
            let lacks = (&owed - slow.value(&has, price)).max(fix(0));
            near(&lacks, taken.shortfall.get(), off, "shortfall");
            let owner = &mut slow.owners[who];
            owner.collateral = (has - fix(taken.collateral.get())).max(fix(0));
            owner.debt = fix(0);
            slow.off.0 += 4;
        });
        let shortfall = taken.shortfall.get();
        let from_insurance = shortfall.min(self.books.insurance);
        self.books.insurance -= from_insurance;
        self.books.cash += from_insurance;
        let cap = self.slow.params.loss_cap.ppm();
        self.books.lose(shortfall - from_insurance, pool, cap);
        let end = self.books.end.as_mut().expect("a wind-down");
        end.in_kind += taken.collateral.get();
    }
}
