//! The slow model of the vault's ledger: every position on its own, nothing pooled, nothing lazy.
//!
//! It is written from the protocol's text and shares no arithmetic with the crate: big integers
//! with 64 binary places, loops over positions. It predicts; the ledger's answer must lie within
//! the stated bound; the amounts of positions are never taken over from the ledger. Where the
//! two may fall on different sides of a step (a tick's edge, the last unit of money), the model
//! makes sure that the step is within the bound and follows the ledger's side.
//!
//! **The bound.** `off` counts what the ledger's whole-unit roundings may have moved between
//! positions since the market began, over all positions together: four units for every position
//! touched (it leaves one cohort and enters another: a share and a unit rounded each time, once for
//! it and once for those it shares with), two a member for every cohort put back, two a cohort for
//! every settlement, and in a settlement one quote unit a cohort, as collateral at the clearing
//! price. Partial closing multiplies by factors of at most one, so earlier differences never grow.

use crate::scale::{bound, fix, floor, rough, tick_below, times, unsafe_at, Fix, INDEX_ONE, PPM};
use breakwater_core::market::MarketParams;
use breakwater_core::page::BatchedCohort;
use breakwater_core::position::PositionView;
use num_traits::{Signed, Zero};
use std::collections::BTreeMap;

/// Where a position is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Without debt.
    Free,
    /// In the group of a tick.
    Tick(u16),
    /// In a batch, by number and rank; after its settlement until the group is put back.
    Batch(u32, u16),
}

/// One position.
#[derive(Clone, Debug)]
pub struct Owner {
    pub collateral: Fix,
    /// Scaled debt.
    pub debt: Fix,
    pub aside: u128,
    pub prepaid: u128,
    pub place: Place,
    /// Times its group was put back since it was last touched.
    pub hops: u32,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Wait {
    until: u32,
    round: u32,
    failures: u32,
}

/// What a tick's positions have in common.
#[derive(Clone, Debug)]
pub struct Group {
    /// No member's ratio is below it.
    lower: Fix,
    /// How far the ledger's may be off, relatively.
    eps: f64,
    wait: Wait,
}

/// A group in a batch.
#[derive(Clone, Debug)]
pub struct Lot {
    group: Group,
    debt: u128,
    retire: u128,
    target: u128,
    /// Where it goes, once settled.
    rest: Option<(u16, Group)>,
}

pub struct Batch {
    pub lots: BTreeMap<u16, Lot>,
    index: u128,
    round: u32,
    pub asked: Fix,
    pub settled: bool,
}

/// What an opening was made of.
pub struct Sweep {
    pub number: u32,
    pub reference: u128,
    pub start: u128,
    pub room: u128,
    pub block: u32,
    pub round: u32,
}

/// What a settlement made of all cohorts, in quote and collateral units.
#[derive(Default)]
pub struct Sums {
    pub repaid: Fix,
    pub penalty: Fix,
    pub shortfall: Fix,
    pub sold: Fix,
}

pub struct Slow {
    pub params: MarketParams,
    pub unit: u128,
    pub owners: Vec<Owner>,
    pub ticks: BTreeMap<u16, Group>,
    pub batches: BTreeMap<u32, Batch>,
    pub index: u128,
    /// Collateral and scaled debt that rounding may have moved, over all positions.
    pub off: (u128, u128),
}

impl Slow {
    pub fn new(params: MarketParams, owners: usize) -> Self {
        let exponent =
            18 + u32::from(params.collateral_decimals) - u32::from(params.quote_decimals);
        let owner = Owner {
            collateral: Fix::zero(),
            debt: Fix::zero(),
            aside: 0,
            prepaid: 0,
            place: Place::Free,
            hops: 0,
        };
        Self {
            params,
            unit: 10u128.pow(exponent),
            owners: vec![owner; owners],
            ticks: BTreeMap::new(),
            batches: BTreeMap::new(),
            index: INDEX_ONE,
            off: (0, 0),
        }
    }

    pub fn value(&self, collateral: &Fix, price: u128) -> Fix {
        times(collateral, price, self.unit)
    }

    pub fn owed(&self, debt: &Fix) -> Fix {
        times(debt, self.index, INDEX_ONE)
    }

    fn scaled(&self, quote: u128) -> Fix {
        times(&fix(quote), INDEX_ONE, self.index)
    }

    /// What the collateral bound is worth at a price, in quote.
    pub fn off_value(&self, price: u128) -> u128 {
        floor(&self.value(&fix(self.off.0), price)) + 1
    }

    /// Quote units by which whole quote results may differ.
    pub fn off_quote(&self, price: u128) -> u128 {
        self.off_value(price) + floor(&self.owed(&fix(self.off.1))) + 4
    }

    pub fn members(&self, place: Place) -> impl Iterator<Item = usize> + '_ {
        (0..self.owners.len()).filter(move |who| self.owners[*who].place == place)
    }

    pub fn totals(&self, place: Place) -> (Fix, Fix) {
        let mut sum = (Fix::zero(), Fix::zero());
        for who in self.members(place) {
            sum.0 += &self.owners[who].collateral;
            sum.1 += &self.owners[who].debt;
        }
        sum
    }

    fn forget_empty(&mut self, place: Place) {
        if let Place::Tick(tick) = place {
            if self.members(place).next().is_none() {
                self.ticks.remove(&tick);
            }
        }
    }

    /// Takes a position out of its group, with what was held aside for it. `prepaid` is what the
    /// ledger keeps of its money paid in advance.
    pub fn touch(&mut self, who: usize, prepaid: u128) {
        let place = self.owners[who].place;
        assert!(!matches!(place, Place::Batch(..)), "{who} is still away");
        let index = self.index;
        let owner = &mut self.owners[who];
        owner.place = Place::Free;
        owner.hops = 0;
        owner.collateral += fix(std::mem::take(&mut owner.aside));
        let used = owner.prepaid.checked_sub(prepaid).expect("prepaid shrinks");
        if owner.prepaid > 0 && !owner.debt.is_zero() {
            let owed = times(&owner.debt, index, INDEX_ONE);
            let due = owed.min(fix(owner.prepaid));
            let off = floor(&times(&fix(self.off.1), index, INDEX_ONE)) + 3;
            assert!(
                (&due - fix(used)).abs() <= fix(off),
                "prepaid {used} of {}",
                rough(&due)
            );
        }
        owner.debt -= times(&fix(used), INDEX_ONE, index);
        owner.prepaid = prepaid;
        self.off.0 += 4;
        self.off.1 += 4;
        self.forget_empty(place);
    }

    /// Puts a position where it belongs: into the tick of its own ratio. `trigger` is the ledger's
    /// liquidation price, `None` where it owes nothing.
    pub fn attach(&mut self, who: usize, trigger: Option<u128>) {
        let owner = &self.owners[who];
        if trigger.is_none() {
            assert!(
                self.owed(&owner.debt) <= self.owed(&fix(self.off.1 + 2)),
                "{who} owes {} and the ledger says nothing",
                rough(&owner.debt)
            );
            self.owners[who].debt = Fix::zero();
            self.owners[who].place = Place::Free;
            return;
        }
        let ratio = rough(&owner.debt) / rough(&owner.collateral);
        let eps = self.eps(&owner.collateral, &owner.debt);
        let exact = times(&owner.debt, self.unit, owner.collateral.clone());
        assert!(ratio.is_finite());
        let tick = self.find_tick(&(exact << 64), eps, trigger);
        let joined = Group {
            lower: fix(bound(tick)),
            eps: 0.0,
            wait: Wait::default(),
        };
        self.owners[who].place = Place::Tick(tick);
        self.join(tick, joined);
    }

    fn eps(&self, collateral: &Fix, debt: &Fix) -> f64 {
        (self.off.0 as f64 + 2.0) / rough(collateral) + (self.off.1 as f64 + 2.0) / rough(debt)
    }

    /// The tick at or below a ratio known up to `eps`, as the ledger's liquidation price says
    /// where an edge is that near.
    fn find_tick(&self, ratio: &Fix, eps: f64, trigger: Option<u128>) -> u16 {
        let slack = fix((rough(ratio) * eps).min(1e37) as u128 + 2);
        let low = tick_below(floor(&(ratio - &slack).max(Fix::zero())));
        let high = tick_below(floor(&(ratio + &slack).min(fix(u128::MAX >> 1))));
        let threshold = self.params.liquidation_threshold.ppm();
        (low..=high)
            .rev()
            .find(|tick| crate::scale::trigger(*tick, self.index, threshold) == trigger)
            .unwrap_or_else(|| {
                panic!(
                    "ratio {} is in ticks {low}..={high}, liquidation price is {trigger:?}",
                    rough(ratio)
                )
            })
    }

    fn join(&mut self, tick: u16, newcomer: Group) {
        match self.ticks.get_mut(&tick) {
            None => {
                self.ticks.insert(tick, newcomer);
            }
            Some(resident) => {
                resident.eps = resident.eps.max(newcomer.eps);
                resident.lower = resident.lower.clone().min(newcomer.lower);
                if newcomer.wait.until > resident.wait.until {
                    resident.wait = newcomer.wait;
                }
            }
        }
    }

    /// A group of a settled batch returns to its tick.
    pub fn put_back(&mut self, number: u32, rank: u16) {
        let batch = self.batches.get_mut(&number).expect("known");
        let lot = batch.lots.get_mut(&rank).expect("known");
        let Some((tick, group)) = lot.rest.take() else {
            return;
        };
        let members: Vec<_> = self.members(Place::Batch(number, rank)).collect();
        let count = members.len() as u128;
        for who in members {
            self.owners[who].place = Place::Tick(tick);
            self.owners[who].hops += 1;
        }
        let residents = self.members(Place::Tick(tick)).count() as u128;
        self.off.0 += 2 * (count + residents);
        self.off.1 += 2 * (count + residents);
        self.join(tick, group);
    }

    /// `T_b` and what it retires at a value and debt, exactly; `late` ppm of health are lost.
    fn ask(&self, value: &Fix, debt: &Fix, late: u128, min_debt: &Fix) -> (Fix, Fix) {
        let p = &self.params;
        let (pi, sigma) = (PPM + p.penalty.ppm(), PPM - p.slippage.ppm());
        let full = (times(debt, pi, PPM), debt.clone());
        if debt * pi > value * sigma {
            return full;
        }
        let health: Fix = times(value, p.liquidation_threshold.ppm(), 1u8) * fix(1)
            / debt
            - fix(late);
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
        ((&backing - &least).abs() > off).then(|| backing > least)
    }

    /// An opening took `taken` (tick and entry by rank): exactly what it had to take.
    pub fn open(&mut self, sweep: &Sweep, taken: &[(u16, BatchedCohort)]) {
        let threshold = self.params.liquidation_threshold.ppm();
        let (mut asked, mut lots) = (Fix::zero(), BTreeMap::new());
        let off = self.off_quote(sweep.reference.max(sweep.start));
        let ticks: Vec<u16> = self.ticks.keys().rev().copied().collect();
        for tick in ticks {
            let next = taken.get(lots.len());
            let is_next = next.is_some_and(|(at, _)| *at == tick);
            let left = fix(sweep.room) - &asked;
            if !unsafe_at(tick, self.index, sweep.reference, threshold) || left <= -fix(off) {
                break;
            }
            if left < fix(off) && !is_next {
                break;
            }
            match self.waits(tick, sweep) {
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
            let target =
                self.check_ask(entry, &collateral, &debt, sweep, &left.max(fix(0)), off);
            asked += self.value(&collateral, sweep.start).min(fix(target));
            let lot = Lot {
                group: group.clone(),
                debt: entry.debt.get(),
                retire: entry.retire.get(),
                target,
                rest: None,
            };
            let rank = lots.len() as u16;
            lots.insert(rank, lot);
            let members: Vec<_> = self.members(place).collect();
            for who in members {
                self.owners[who].place = Place::Batch(sweep.number, rank);
            }
            self.ticks.remove(&tick);
        }
        assert_eq!(taken.len(), lots.len(), "taken beyond what qualifies");
        let batch = Batch {
            lots,
            index: self.index,
            round: sweep.round,
            asked,
            settled: false,
        };
        self.batches.insert(sweep.number, batch);
    }

    /// Whether something may be taken into a batch: `None` if only the edge of a wait decides.
    pub fn has_prey(&self, sweep: &Sweep) -> Option<bool> {
        let threshold = self.params.liquidation_threshold.ppm();
        let mut unsure = false;
        for tick in self.ticks.keys() {
            if unsafe_at(*tick, self.index, sweep.reference, threshold) {
                match self.waits(*tick, sweep) {
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

    /// A batch cleared at `price` with `raised`. `marginal` is the rank at which the ledger ran
    /// out of money, `gone` whether it wrote the cohort of a rank off, `views` how positions stand
    /// after it.
    pub fn settle(
        &mut self,
        number: u32,
        price: u128,
        raised: u128,
        block: u32,
        marginal: u16,
        views: &[PositionView],
    ) -> Sums {
        let sells = raised > 0;
        let mut batch = self.batches.remove(&number).expect("known");
        let cohorts = batch.lots.len() as u128;
        let unit = if sells { self.unit.div_ceil(price) } else { 0 };
        let off = self.off_quote(price) + 2 * cohorts;
        let (mut left, mut sums) = (fix(raised), Sums::default());
        let before = self.off;
        for (rank, lot) in &mut batch.lots {
            let place = Place::Batch(number, *rank);
            let (collateral, debt) = self.totals(place);
            let worth = self.value(&collateral, price);
            let full = worth.clone().min(fix(lot.target));
            let given = match rank.cmp(&marginal) {
                _ if !sells => Fix::zero(),
                std::cmp::Ordering::Less => {
                    assert!(left >= &full - fix(off), "rank {rank} cannot be paid");
                    full.clone()
                }
                std::cmp::Ordering::Equal => {
                    assert!(left <= &full + fix(off), "rank {rank} could be paid");
                    left.clone().max(Fix::zero()).min(full.clone())
                }
                std::cmp::Ordering::Greater => {
                    assert!(left <= fix(off), "money is left for rank {rank}");
                    Fix::zero()
                }
            };
            left -= &given;
            let owed = fix(lot.debt);
            let usual = times(&given, lot.retire, lot.target);
            let harmless = if worth > owed {
                &given * &owed / &worth
            } else {
                given.clone()
            };
            let repaid = usual.max(harmless).min(given.clone()).min(owed.clone());
            let unpaid = &owed - &repaid;
            let mut kept = if sells { &worth - &given } else { worth.clone() };
            let members: Vec<_> = self.members(place).collect();
            let dust = &kept * 10_000u32 - &unpaid;
            let gone = sells
                && if dust.abs() <= fix(off * 10_000) {
                    members.iter().all(|who| {
                        let aside = self.owners[*who].aside;
                        views[*who].collateral.get() == aside && views[*who].debt.is_zero()
                    })
                } else {
                    dust.is_negative()
                };
            if gone {
                kept = Fix::zero();
            }
            let closed = gone
                || (unpaid <= fix(off)
                    && members.iter().all(|who| views[*who].scaled_debt.is_zero()));
            sums.repaid += &repaid;
            sums.penalty += &given - &repaid;
            if gone {
                sums.shortfall += &unpaid;
                sums.sold += &collateral;
            } else if sells {
                sums.sold += &collateral - times(&collateral, kept.clone(), worth.clone());
            }
            for who in &members {
                let owner = &mut self.owners[*who];
                if gone {
                    owner.collateral = Fix::zero();
                } else if sells {
                    owner.collateral = &owner.collateral * &kept / &worth;
                }
                owner.debt = if closed {
                    owner.place = Place::Free;
                    Fix::zero()
                } else {
                    &owner.debt * &unpaid / &owed * batch.index / self.index
                };
            }
            if !closed {
                let after = times(&unpaid, INDEX_ONE, self.index);
                let (c, c_left) = (
                    rough(&collateral),
                    rough(&collateral) * rough(&kept.clone().max(fix(1)))
                        / rough(&worth.clone().max(fix(1))),
                );
                let c_left = if sells { c_left } else { c };
                let image = if sells {
                    &lot.group.lower * &after / &debt * &worth / kept.clone().max(fix(1))
                } else {
                    &lot.group.lower * &after / &debt
                };
                let eps = lot.group.eps
                    + (before.0 as f64 + 2.0) / c
                    + ((before.0 + unit * off) as f64 + 2.0) / c_left
                    + (before.1 as f64 + 2.0) / rough(&debt)
                    + (off as f64 + 2.0) / rough(&after)
                    + (1.0 + c / c_left) / rough(&image);
                // A position paid in advance is judged by its tick like everybody.
                let trigger = members.iter().find_map(|who| views[*who].liquidation_price);
                let tick = self.find_tick(&image, eps, trigger.map(|price| price.get()));
                let failed = !sells || (*rank >= marginal && full >= fix(1));
                let wait = if failed {
                    let was = lot.group.wait.failures;
                    Wait {
                        until: block + (100u32 << was.min(16)).min(14_400),
                        round: batch.round,
                        failures: was + 1,
                    }
                } else {
                    Wait::default()
                };
                let group = Group {
                    lower: image,
                    eps,
                    wait,
                };
                lot.rest = Some((tick, group));
            }
        }
        assert!(left <= fix(off), "money is left over: {}", rough(&left));
        batch.settled = true;
        self.batches.insert(number, batch);
        self.off.0 += 2 * cohorts + if sells { (cohorts + 1) * unit } else { 0 };
        self.off.1 += 2 * cohorts;
        if sells {
            // What a cohort raised, and so repaid, is off by its collateral's difference.
            let value = floor(&self.value(&fix(before.0), price)) + 2 * cohorts;
            self.off.1 += floor(&self.scaled(value)) + 1;
        }
        sums
    }
}
