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

use crate::scale::{bound, fix, floor, rough, tick_below, times, Fix, INDEX_ONE};
use breakwater_core::market::MarketParams;
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
    /// The wait of the group it was taken out of, while it is touched.
    pub wait: Wait,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Wait {
    /// Whether only the ledger knows it.
    pub unsure: bool,
    pub until: u32,
    pub round: u32,
    pub failures: u32,
}

/// What a tick's positions have in common.
#[derive(Clone, Debug)]
pub struct Group {
    /// No member's ratio is below it.
    pub lower: Fix,
    /// How far the ledger's may be off, relatively.
    pub eps: f64,
    pub wait: Wait,
}

/// How wide a tick is, relatively, and a tenth of that.
pub const TICK: f64 = 0.0011;

impl Group {
    /// Company arrives: the lower bound is that of all, the wait that of the larger debt, of equal
    /// ones the longer. Within `off` of equal only the ledger knows.
    pub fn receive(&mut self, own: &Fix, newcomer: Group, debt: &Fix, off: &Fix) {
        self.eps = self.eps.max(newcomer.eps);
        self.lower = self.lower.clone().min(newcomer.lower);
        if self.wait == newcomer.wait {
            return;
        }
        if (own - debt).abs() <= *off {
            self.wait.unsure = true;
        } else if debt > own {
            self.wait = newcomer.wait;
        }
    }
}

/// The ticks at or below two ratios.
pub fn ticks_between(low: &Fix, high: &Fix) -> (u16, u16) {
    let most = fix(u128::MAX >> 1);
    let low = low.clone().max(Fix::zero()).min(most.clone());
    (
        tick_below(floor(&low)),
        tick_below(floor(&high.clone().min(most))),
    )
}

/// A group in a batch.
#[derive(Clone, Debug)]
pub struct Lot {
    pub group: Group,
    /// Of the block in which it was taken: from then on the debt bears no interest.
    pub index: u128,
    pub debt: u128,
    pub retire: u128,
    pub target: u128,
    /// Where it goes, once settled.
    pub rest: Option<(u16, Group)>,
}

pub struct Batch {
    /// By rank.
    pub lots: BTreeMap<u16, Lot>,
    /// The rank of the next group; one that all have left keeps its own.
    pub next: u16,
    pub round: u32,
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
    /// Whether only groups are taken that an auction found too little money for.
    pub left_only: bool,
}

/// What a settlement found.
pub struct Outcome<'a> {
    /// The clearing price; nothing where nothing was sold.
    pub price: u128,
    /// Quote for what was in the groups.
    pub raised: u128,
    pub block: u32,
    /// The rank at which the ledger ran out of money.
    pub marginal: u16,
    /// Whether a halt was the reason that nobody came.
    pub excused: bool,
    /// How positions stand after it.
    pub views: &'a [PositionView],
}

/// What a settlement made of all cohorts, in quote and collateral units.
#[derive(Default)]
pub struct Sums {
    pub repaid: Fix,
    pub penalty: Fix,
    pub shortfall: Fix,
    pub sold: Fix,
    /// What all cohorts could have raised at the price.
    pub full: Fix,
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
            wait: Wait::default(),
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

    pub fn forget_empty(&mut self, place: Place) {
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
        owner.wait = match place {
            Place::Tick(tick) => self.ticks[&tick].wait,
            _ => Wait::default(),
        };
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
        let (low, high) = self.ratios(who);
        let tick = self.find_tick(&low, &high, trigger);
        let joined = Group {
            lower: fix(bound(tick)),
            eps: 0.0,
            wait: self.owners[who].wait,
        };
        self.join(tick, joined, &[who]);
    }

    /// Where the ratio of a position's debt to its collateral may lie. A speck of debt may be less
    /// than the bound of rounding: then only the ledger knows its tick.
    pub fn ratios(&self, who: usize) -> (Fix, Fix) {
        let owner = &self.owners[who];
        let off = (fix(self.off.0 + 2), fix(self.off.1 + 2));
        let ratio = |debt: Fix, collateral: Fix| {
            fix(1) * debt.max(Fix::zero()) * self.unit / collateral.max(fix(1))
        };
        let low = ratio(&owner.debt - &off.1, &owner.collateral + &off.0);
        let high = ratio(&owner.debt + &off.1, &owner.collateral - &off.0);
        (low, high)
    }

    pub fn eps(&self, collateral: &Fix, debt: &Fix) -> f64 {
        (self.off.0 as f64 + 2.0) / rough(collateral) + (self.off.1 as f64 + 2.0) / rough(debt)
    }

    /// The tick at or below a ratio known to lie between two, as the ledger's liquidation price
    /// says where an edge is between them.
    fn find_tick(&self, low: &Fix, high: &Fix, trigger: Option<u128>) -> u16 {
        let (low, high) = ticks_between(low, high);
        let threshold = self.params.liquidation_threshold.ppm();
        (low..=high)
            .rev()
            .find(|tick| crate::scale::trigger(*tick, self.index, threshold) == trigger)
            .unwrap_or_else(|| {
                panic!("it is in ticks {low}..={high}, liquidation price is {trigger:?}")
            })
    }

    fn join(&mut self, tick: u16, newcomer: Group, members: &[usize]) {
        let place = Place::Tick(tick);
        let (_, own) = self.totals(place);
        for who in members {
            self.owners[*who].place = place;
        }
        let debt = self.totals(place).1 - &own;
        let off = fix(2 * self.off.1 + 4);
        match self.ticks.get_mut(&tick) {
            None => {
                self.ticks.insert(tick, newcomer);
            }
            Some(resident) => resident.receive(&own, newcomer, &debt, &off),
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
        for who in &members {
            self.owners[*who].hops += 1;
        }
        self.join(tick, group, &members);
        let residents = self.members(Place::Tick(tick)).count() as u128;
        self.off.0 += 2 * (count + residents);
        self.off.1 += 2 * (count + residents);
    }

    /// A batch is settled.
    pub fn settle(&mut self, number: u32, found: &Outcome) -> Sums {
        let &Outcome {
            price,
            raised,
            block,
            marginal,
            excused,
            views,
        } = found;
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
            sums.full += &full;
            let owed = fix(lot.debt);
            let usual = times(&given, lot.retire, lot.target);
            let harmless = if worth > owed {
                &given * &owed / &worth
            } else {
                given.clone()
            };
            let repaid = usual.max(harmless).min(given.clone()).min(owed.clone());
            let unpaid = &owed - &repaid;
            let mut kept = if sells {
                &worth - &given
            } else {
                worth.clone()
            };
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
                    &owner.debt * &unpaid / &owed * lot.index / self.index
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
                    // A speck's debt may be rounding alone, and under nothing here.
                    + (before.1 as f64 + 2.0) / rough(&debt).abs()
                    + (off as f64 + 2.0) / rough(&after)
                    + (1.0 + c / c_left) / rough(&image);
                // A position paid in advance is judged by its tick like everybody.
                let trigger = members.iter().find_map(|who| views[*who].liquidation_price);
                let trigger = trigger.map(|price| price.get());
                let slack = fix((rough(&image) * eps).min(1e37) as u128 + 2);
                let (tick, image, eps) = if eps < 0.5 {
                    let tick = self.find_tick(&(&image - &slack), &(&image + &slack), trigger);
                    (tick, image, eps)
                } else {
                    // A speck: the ledger knows its tick, and its bound up to the tick's width.
                    let tick = self.find_tick(&fix(0), &fix(u128::MAX >> 1), trigger);
                    (tick, fix(bound(tick)), TICK)
                };
                let failed = !sells || (*rank >= marginal && full >= fix(1));
                let wait = if failed && excused {
                    lot.group.wait
                } else if failed {
                    let was = lot.group.wait.failures;
                    Wait {
                        unsure: lot.group.wait.unsure,
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
