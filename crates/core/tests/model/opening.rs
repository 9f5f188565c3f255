//! What the slow model expects of an opening: which groups, in which order, and what each is asked.

use crate::scale::{fix, rough, times, unsafe_at, Fix, PPM};
use crate::slow::{Batch, Group, Lot, Place, Slow, Sweep};
use breakwater_core::page::BatchedCohort;
use num_traits::{Signed, Zero};
use std::collections::BTreeMap;

impl Slow {
    /// `T_b` and what it retires at a value and debt, exactly; `late` ppm of health are lost.
    fn ask(&self, value: &Fix, debt: &Fix, late: u128, min_debt: &Fix) -> (Fix, Fix) {
        let p = &self.params;
        let (pi, sigma) = (PPM + p.penalty.ppm(), PPM - p.slippage.ppm());
        let full = (times(debt, pi, PPM), debt.clone());
        if debt * pi > value * sigma {
            return full;
        }
        let health: Fix =
            times(value, p.liquidation_threshold.ppm(), 1u8) * fix(1) / debt - fix(late);
        let full_close = p.full_close_health.ppm();
        if health <= fix(full_close) {
            return full;
        }
        // Parameters are in ppm; (1+π)·LT is cut, the quotient by 1−σ rounded up.
        let penalised = pi * p.liquidation_threshold.ppm() / PPM;
        let slope = p.target_health.ppm() - (penalised * PPM).div_ceil(sigma);
        let missing: Fix = (fix(p.target_health.ppm()) - &health).max(Fix::zero());
        let partial = (debt * missing / fix(slope)).min(debt.clone());
        let mut target = times(&partial, pi, PPM);
        let top = fix(full_close + p.ramp_width.ppm());
        if health < top {
            target += (&full.0 - &target) * (top - health) / fix(p.ramp_width.ppm());
        }
        let retire = times(&target, PPM, pi);
        if debt - &retire < *min_debt {
            return full;
        }
        (target, retire)
    }

    /// Whether a group waits after an auction that found too little money; `None` on the edge.
    fn waits(&self, tick: u16, sweep: &Sweep) -> Option<bool> {
        let wait = self.ticks[&tick].wait;
        if wait.unsure {
            return None;
        }
        if wait.failures == 0 || (sweep.block >= wait.until && sweep.round > wait.round) {
            return Some(false);
        }
        let (collateral, debt) = self.totals(Place::Tick(tick));
        let backing = times(
            &self.value(&collateral, sweep.reference),
            self.params.liquidation_threshold.ppm(),
            PPM,
        );
        let least = times(&self.owed(&debt), self.params.full_close_health.ppm(), PPM);
        let off = fix(self.off_quote(sweep.reference));
        // Nor does a debt wait that is more than its collateral is worth.
        let beyond = self.owed(&debt) - self.value(&collateral, sweep.reference);
        if beyond.abs() <= off {
            return None;
        }
        if beyond > fix(0) {
            return Some(false);
        }
        ((&backing - &least).abs() > off).then(|| backing > least)
    }

    /// An opening took `taken` (tick and entry by rank): exactly what it had to take.
    pub fn open(&mut self, sweep: &Sweep, taken: &BTreeMap<u16, (u16, BatchedCohort)>) {
        let batch = Batch {
            lots: BTreeMap::new(),
            next: 0,
            round: sweep.round,
            asked: Fix::zero(),
            settled: false,
        };
        self.batches.insert(sweep.number, batch);
        self.collect(sweep, taken);
    }

    /// A sweep added to a batch what qualifies; `taken` is all that is in it.
    pub fn collect(&mut self, sweep: &Sweep, taken: &BTreeMap<u16, (u16, BatchedCohort)>) {
        let threshold = self.params.liquidation_threshold.ppm();
        let batch = self.batches.get_mut(&sweep.number).expect("known");
        let (mut asked, mut lots) = (
            std::mem::take(&mut batch.asked),
            std::mem::take(&mut batch.lots),
        );
        let mut rank = batch.next;
        let off = self.off_quote(sweep.reference.max(sweep.start));
        let ticks: Vec<u16> = self.ticks.keys().rev().copied().collect();
        for tick in ticks {
            let next = taken.get(&rank);
            let is_next = next.is_some_and(|(at, _)| *at == tick);
            let left = fix(sweep.room) - &asked;
            if !unsafe_at(tick, self.index, sweep.reference, threshold) || left <= -fix(off) {
                break;
            }
            if left < fix(off) && !is_next {
                break;
            }
            match self.stays(tick, sweep) {
                Some(true) => continue,
                None if !is_next => continue,
                _ => {}
            }
            let (_, entry) = next.unwrap_or_else(|| panic!("tick {tick} was not taken"));
            assert!(is_next, "tick {tick} was passed by");
            let place = Place::Tick(tick);
            let (collateral, debt) = self.totals(place);
            assert_eq!(
                entry.cohort.members as usize,
                self.members(place).count(),
                "members"
            );
            let group = &self.ticks[&tick];
            self.check_lower(group, entry);
            self.check_members(place, group, sweep.reference);
            let target = self.check_ask(entry, &collateral, &debt, sweep, &left.max(fix(0)), off);
            asked += self.value(&collateral, sweep.start).min(fix(target));
            let lot = Lot {
                group: group.clone(),
                index: self.index,
                debt: entry.debt.get(),
                retire: entry.retire.get(),
                target,
                rest: None,
            };
            lots.insert(rank, lot);
            let members: Vec<_> = self.members(place).collect();
            for who in members {
                self.owners[who].place = Place::Batch(sweep.number, rank);
            }
            self.ticks.remove(&tick);
            rank += 1;
        }
        assert_eq!(taken.len(), lots.len(), "taken beyond what qualifies");
        let batch = self.batches.get_mut(&sweep.number).expect("known");
        (batch.asked, batch.lots, batch.next) = (asked, lots, rank);
    }

    /// Whether a group is passed by: it waits, or no auction has failed yet to sell it and only
    /// such groups are taken. `None` on the edge.
    fn stays(&self, tick: u16, sweep: &Sweep) -> Option<bool> {
        let wait = self.ticks[&tick].wait;
        if sweep.left_only && !wait.unsure && wait.failures == 0 {
            return Some(true);
        }
        self.waits(tick, sweep)
    }

    /// Whether something may be taken into a batch: `None` if only the edge of a wait decides.
    pub fn has_prey(&self, sweep: &Sweep) -> Option<bool> {
        let threshold = self.params.liquidation_threshold.ppm();
        let mut unsure = false;
        for tick in self.ticks.keys() {
            if unsafe_at(*tick, self.index, sweep.reference, threshold) {
                match self.stays(*tick, sweep) {
                    Some(false) => return Some(true),
                    Some(true) => {}
                    None => unsure = true,
                }
            }
        }
        (!unsure).then_some(false)
    }

    fn check_lower(&self, group: &Group, entry: &BatchedCohort) {
        let lower = entry.cohort.lower_bound.get();
        let slack = rough(&group.lower) * group.eps + 2.0;
        assert!(
            (rough(&group.lower) - lower as f64).abs() <= slack + lower as f64 * 1e-15,
            "lower bound {lower}, not {} ± {slack}",
            rough(&group.lower)
        );
    }

    /// Promise 5: each member is under-margined by itself. Promise 4: no member's ratio is under
    /// the group's bound, nor over it by more than a tick and one more for each time put back.
    fn check_members(&self, place: Place, group: &Group, reference: u128) {
        for who in self.members(place) {
            let owner = &self.owners[who];
            let backing = times(
                &self.value(&owner.collateral, reference),
                self.params.liquidation_threshold.ppm(),
                PPM,
            );
            assert!(
                self.owed(&owner.debt) + fix(self.off_quote(reference)) > backing,
                "{who} is healthy and was taken"
            );
            // A debt within rounding of nothing, or under it, has no ratio to speak of.
            if rough(&owner.debt) <= self.off.1 as f64 + 2.0 {
                continue;
            }
            let ratio = rough(&owner.debt) / rough(&owner.collateral) * self.unit as f64;
            let lower = rough(&group.lower);
            let eps = self.eps(&owner.collateral, &owner.debt) + group.eps + 1e-9;
            assert!(
                ratio >= lower * (1.0 - eps) - 2.0,
                "{who} is under its bound"
            );
            let width = 1.001f64.powi(owner.hops as i32 + 1);
            assert!(
                ratio <= lower * width * (1.0 + eps) + 2.0,
                "{who} is {} over its bound after {} batches",
                ratio / lower,
                owner.hops
            );
        }
    }

    /// What the ledger asks of a group lies between the exact answer and that at a ppm of health
    /// less (health counts in whole ppm), cut to the room. Returns it.
    fn check_ask(
        &self,
        entry: &BatchedCohort,
        collateral: &Fix,
        debt: &Fix,
        sweep: &Sweep,
        left: &Fix,
        off: u128,
    ) -> u128 {
        let near = |value: &Fix, units: u128, off: u128, what: &str| {
            assert!(
                (value - fix(units)).abs() <= fix(off),
                "{what} {units}, not {} ± {off}",
                rough(value)
            );
        };
        near(
            collateral,
            entry.cohort.collateral.get(),
            self.off.0 + 1,
            "collateral",
        );
        near(debt, entry.cohort.debt.get(), self.off.1 + 1, "scaled debt");
        let (value, owed) = (self.value(collateral, sweep.reference), self.owed(debt));
        near(&owed, entry.debt.get(), off, "debt");
        let (slack, min_debt) = (fix(off), fix(self.params.min_debt.get()));
        let worse = self.ask(
            &(&value - &slack).max(fix(1)),
            &(&owed + &slack),
            1,
            &(&min_debt + &slack),
        );
        let better = self.ask(
            &(&value + &slack),
            &(&owed - &slack).max(fix(1)),
            0,
            &(&min_debt - &slack),
        );
        let (target, retire) = (entry.target.get(), entry.retire.get());
        let room = fix(4 + off);
        assert!(
            fix(target) <= &worse.0 + &room,
            "target {target} over {}",
            rough(&worse.0)
        );
        let raise = self.value(collateral, sweep.start).min(better.0.clone());
        if raise <= left - &room {
            assert!(
                fix(target) + &room >= better.0,
                "target {target} under {}",
                rough(&better.0)
            );
        } else {
            // Cut to the room under the hole, or on the edge of it.
            assert!(fix(target) + &room >= better.0.min(left.clone()));
        }
        let usual = times(&fix(target), PPM, PPM + self.params.penalty.ppm());
        assert!(fix(retire + 2) >= usual.min(owed) - &slack && retire <= entry.debt.get());
        target
    }
}
