//! What batches do: opened, extended, left, settled.

use super::{allowance, error_of, Beside, Terms};
use crate::books::Keeper;
use crate::scale::{distance, down, fix, rough, times, unsafe_at, up, Fix, INDEX_ONE, PPM};
use crate::slow::{Outcome, Place, Slow, Sweep, Wait};
use breakwater_core::breaker::Stage;
use breakwater_core::ledger::{Demand, LedgerError};
use breakwater_core::losses::day_of;
use breakwater_core::market::{MarketPrices, MAX_RUNNING_BATCHES};
use breakwater_core::page::{BatchedCohort, CohortId, Departure};
use breakwater_core::position::PositionView;
use breakwater_core::units::Amount;
use breakwater_interfaces::auction::{AuctionContractError, OwnerLeft};
use breakwater_interfaces::vault::{
    BatchExtended, BatchLeft, BatchOpened, BatchSettled, VaultError,
};
use breakwater_native::{Answer, Message, Native};
use num_traits::Zero;
use std::collections::BTreeMap;

/// Cohorts of a batch with the ticks they were taken from, by rank.
fn taken(n: &Native, number: u32) -> BTreeMap<u16, (u16, BatchedCohort)> {
    let mut found = BTreeMap::new();
    for (key, departures) in &n.vault.cells.departures {
        for (slot, departure) in departures.iter() {
            match departure {
                Departure::Batched(cohort) if cohort.batch == number => {
                    found.insert(cohort.rank, (key.tick(slot), *cohort));
                }
                _ => {}
            }
        }
    }
    found
}

impl Beside {
    /// What a batch may ask for beside others.
    fn room(&self, others: Amount, demand: Demand) -> u128 {
        let params = &self.slow.params;
        let room = params.hole.get().saturating_sub(others.get());
        room.min(demand.most.max(params.min_batch).get())
    }

    fn note(&mut self, number: u32, taken: &BTreeMap<u16, (u16, BatchedCohort)>) {
        for (rank, (tick, entry)) in taken {
            let epoch = entry.cohort.epoch;
            let id = CohortId { tick: *tick, epoch };
            self.cohorts.insert((number, *rank), id);
        }
    }

    pub(super) fn opened(&mut self, before: &Native, after: &Native, it: &BatchOpened) {
        let state = &before.vault.state;
        let auction = &after.house.auctions[&it.number].auction;
        let (first, last) = (auction.prices.first(), auction.prices.last());
        let (start, floor) = (first.expect("a step").get(), last.expect("a step").get());
        let sweep = Sweep {
            number: it.number,
            reference: it.prices.spot.max(it.prices.previous).get(),
            start,
            room: self.room(state.committed().expect("in range"), it.demand),
            block: before.block,
            round: it.prices.round,
            left_only: it.left_only,
        };
        assert_eq!(it.reference.get(), sweep.reference, "reference");
        let taken = taken(after, it.number);
        self.note(it.number, &taken);
        self.slow.open(&sweep, &taken);
        let running = after.vault.state.running.iter();
        let running = running.last().expect("it runs");
        let cohorts = running.asked.get() - running.own.get();
        let own = self.offer(it, cohorts, &sweep);
        assert_eq!(running.own.get(), own, "asked for insurance's own");
        let asked = &self.slow.batches[&it.number].asked + fix(own);
        let target = auction.targets[0].get();
        let off = self.slow.off_quote(start) + 2 * taken.len() as u128;
        assert!(distance(&asked, target) <= off + 1, "T(start)");
        assert!(target <= sweep.room + off, "the hole");
        let params = &self.slow.params;
        let terms = Terms {
            tip: params.keeper_tip.get(),
            share: params.keeper_share.ppm(),
            topped_up: 8 * cohorts >= params.hole.get(),
            start,
            floor,
            reference: sweep.reference,
            offered: it.offered.get(),
        };
        self.terms.insert(it.number, terms);
    }

    /// What insurance offers in a batch that opens, and what is asked for it.
    fn offer(&mut self, it: &BatchOpened, cohorts: u128, sweep: &Sweep) -> u128 {
        let (params, stock) = (&self.slow.params, &mut self.books.stock);
        let room = sweep.room.saturating_sub(cohorts);
        let room = room.min(params.hole.get() / 4);
        let mut expected = stock.held.min(down(room, self.slow.unit, sweep.start));
        if stock.offered > 0 {
            expected = 0;
        }
        assert_eq!(it.offered.get(), expected, "insurance's own");
        if it.cohorts == 0 {
            assert!(!stock.waits(sweep.block, sweep.round));
        }
        stock.held -= expected;
        stock.offered += expected;
        up(expected, sweep.start, self.slow.unit)
    }

    pub(super) fn extended(&mut self, before: &Native, after: &Native, it: &BatchExtended) {
        let state = &before.vault.state;
        let own = state.running.iter().find(|r| r.number == it.number);
        let own = own.expect("it runs");
        let others = state.committed().and_then(|all| all.minus(own.asked));
        let taken = taken(after, it.number);
        let terms = &self.terms[&it.number];
        let mut sweep = Sweep {
            number: it.number,
            reference: terms.reference,
            start: terms.start,
            room: self.room(others.expect("in range"), it.demand),
            block: before.block,
            round: self.slow.batches[&it.number].round,
            left_only: false,
        };
        assert_eq!(it.prices.round, sweep.round, "on the opening's rounds");
        // What it offers of insurance's takes room as well.
        sweep.room = sweep.room.saturating_sub(own.own.get());
        self.note(it.number, &taken);
        self.slow.collect(&sweep, &taken);
        let asked = &self.slow.batches[&it.number].asked + fix(own.own.get());
        let target = after.house.auctions[&it.number].auction.targets[0].get();
        let off = self.slow.off_quote(sweep.start) + 4 * taken.len() as u128;
        assert!(distance(&asked, target) <= off + 1, "T(start), extended");
    }

    /// What batches may lack at their floors, settled ones until their groups are back in their
    /// ticks, and at least what all of it lacks at the worst price at hand; and what insolvent
    /// ticks lack there. Also by how much that may be off.
    pub(super) fn lacking(&self, n: &Native) -> (Fix, u128) {
        let slow = &self.slow;
        let lack = |owed: Fix, collateral: &Fix, price: u128| {
            (owed - slow.value(collateral, price)).max(fix(0))
        };
        let (mut running, mut unrested) = ((fix(0), fix(0), fix(0)), (fix(0), fix(0), fix(0)));
        let mut off = 0;
        for (number, batch) in &slow.batches {
            for (rank, lot) in &batch.lots {
                let (collateral, debt) = slow.totals(Place::Batch(*number, *rank));
                if !batch.settled {
                    let floor = self.terms[number].floor;
                    off += slow.off_quote(floor) + 4;
                    running.2 += lack(fix(lot.debt), &collateral, floor);
                    running.0 += fix(lot.debt);
                    running.1 += collateral;
                } else if let Some(lacks) = self.unrested.get(&(*number, *rank)) {
                    off += lacks.1;
                    unrested.2 += &lacks.0;
                    unrested.0 += slow.owed(&debt);
                    unrested.1 += collateral;
                }
            }
        }
        let mut lacks = &running.2 + &unrested.2;
        if let Ok(prices) = n.market_prices() {
            let worst = worst(&prices);
            for (owed, collateral, at_floor) in [running, unrested] {
                lacks += (lack(owed, &collateral, worst) - at_floor).max(fix(0));
                off += slow.off_quote(worst) + 4;
            }
            for tick in slow.ticks.keys() {
                if unsafe_at(*tick, slow.index, worst, PPM) {
                    let (collateral, debt) = slow.totals(Place::Tick(*tick));
                    lacks += lack(slow.owed(&debt), &collateral, worst);
                    off += slow.off_quote(worst) + 4;
                }
            }
        }
        (lacks, 2 * off)
    }

    /// Who leaves takes its part of what the group owes and of what is asked of it.
    pub(super) fn left(&mut self, after: &Native, it: &BatchLeft) {
        self.put_back(after);
        let who = self.who(it.owner);
        let Place::Batch(number, rank) = self.slow.owners[who].place else {
            panic!("{who} was in no batch");
        };
        assert_eq!(number, it.number, "another batch");
        let (start, reference) = {
            let terms = &self.terms[&number];
            (terms.start, terms.reference)
        };
        let event = after.events().iter().find_map(|e| e.decode::<OwnerLeft>());
        assert!(event.is_some_and(|e| e.leaving.collateral == it.collateral));
        let slow = &mut self.slow;
        let place = Place::Batch(number, rank);
        let (collateral, debt) = slow.totals(place);
        let off = slow.off_quote(start) + 4;
        let owner = slow.owners[who].clone();
        let raise = |slow: &Slow, collateral: &Fix, target: u128| {
            slow.value(collateral, start).min(fix(target))
        };
        let lot = slow.batches.get(&number).and_then(|b| b.lots.get(&rank));
        let lot = lot.expect("known").clone();
        let owed = &owner.debt * fix(lot.debt) / &debt;
        let asked = raise(slow, &collateral, lot.target);
        // What stays.
        let entry = taken(after, number).remove(&rank).map(|(_, entry)| entry);
        let still = slow.members(place).filter(|other| *other != who).count();
        assert_eq!(
            entry.map_or(0, |e| e.cohort.members as usize),
            still,
            "members"
        );
        let kept = entry.map_or(0, |e| e.debt.get());
        let left = fix(lot.debt) - &owed;
        assert!(distance(&left, kept) <= off, "debt of those who stay");
        let mut asked_now = Fix::zero();
        let batch = slow.batches.get_mut(&number).expect("known");
        if let Some(entry) = entry {
            let target = up(lot.target, kept, lot.debt);
            let retire = down(lot.retire, kept, lot.debt).min(target);
            assert_eq!(entry.target.get(), target, "asked of those who stay");
            assert_eq!(entry.retire.get(), retire, "retired for those who stay");
            let changed = batch.lots.get_mut(&rank).expect("known");
            (changed.debt, changed.target, changed.retire) = (kept, target, retire);
            asked_now = raise(slow, &(&collateral - &owner.collateral), target);
        } else {
            batch.lots.remove(&rank);
            self.cohorts.remove(&(number, rank));
        }
        let slow = &mut self.slow;
        let batch = slow.batches.get_mut(&number).expect("known");
        batch.asked -= (asked - asked_now).max(Fix::zero());
        // Who leaves.
        let had = owner.prepaid;
        let prepaid = after.vault.position(it.owner).prepaid.get();
        let paid = had - prepaid;
        let due = owed.clone().min(fix(had));
        assert!(distance(&due, paid) <= off, "paid in advance");
        let owes = &owed - fix(paid);
        let has = &owner.collateral + fix(owner.aside);
        assert!(distance(&has, it.collateral.get()) <= slow.off.0 + 2);
        assert!(distance(&owes.clone().max(fix(0)), it.debt.get()) <= off);
        let threshold = slow.params.liquidation_threshold.ppm();
        let backing = slow.value(&has, reference) * threshold / PPM;
        let least = &owes * slow.params.target_health.ppm() / PPM;
        let edge = fix(2 * slow.off_quote(reference));
        assert!(backing + edge >= least, "left under target health");
        assert_eq!(it.fee, slow.params.keeper_tip, "exit fee");
        slow.off.0 += 4;
        slow.off.1 += 8;
        let index = slow.index;
        let leaver = &mut slow.owners[who];
        leaver.collateral = has;
        leaver.aside = 0;
        leaver.prepaid = prepaid;
        leaver.debt = times(&owes, INDEX_ONE, index);
        leaver.place = Place::Free;
        leaver.hops = 0;
        leaver.wait = Wait::default();
        self.books.prepaid -= paid;
        self.books.cash += paid;
        let to_lenders = self.books.take_in(it.fee.get());
        assert_eq!(
            it.to_lenders.get(),
            to_lenders,
            "the fee's part for lenders"
        );
        let trigger = self.view(after, who).liquidation_price;
        self.slow.attach(who, trigger.map(|price| price.get()));
    }

    /// What insurance pays for a batch that found nobody, as far as the model can tell; nothing at
    /// prices that it cannot rely on.
    fn insurance_pays(&self, it: &BatchSettled, floor: u128, block: u32, day: u32) -> Option<Fix> {
        let Some(prices) = &it.prices else {
            return Some(fix(0));
        };
        let fresh = prices.age <= self.slow.params.max_price_age
            && prices.round > self.slow.batches[&it.number].round
            && prices.accepted_in < block;
        if !fresh || low(prices) < floor {
            return Some(fix(0));
        }
        let allowance = allowance(&self.books, &self.slow, day);
        self.slow.insurance_pays(it.number, floor, allowance)
    }

    pub(super) fn settled(&mut self, before: &Native, after: &Native, it: &BatchSettled) {
        let lent = self.lent(&before.vault.state);
        let (block, day) = (before.block, day_of(before.now));
        let terms = self.terms.remove(&it.number).expect("opened");
        let (number, floor) = (it.number, terms.floor);
        let raised = it.sale.raised.get();
        let expected = self.insurance_pays(it, floor, block, day);
        let done = &it.settlement;
        let insured = done.insured;
        let (paid, proceeds) = (insured.paid.get(), insured.proceeds.get());
        let price = if raised > 0 {
            it.sale.price.get()
        } else {
            floor
        };
        let cohorts = self.slow.batches[&number].lots.len() as u128;
        let off = self.slow.off_quote(price) + 4 * cohorts;
        if let Some(expected) = expected {
            let near = distance(&expected, paid) <= off;
            assert!(near, "insurance pays {paid}, not {}", rough(&expected));
        }
        let settled = &after.vault.cells.batches[&number];
        let settled = settled.settled.expect("settled");
        let views: Vec<PositionView> = (0..self.users.len())
            .map(|who| self.view(after, who))
            .collect();
        let found = Outcome {
            price: if raised + paid > 0 { price } else { 0 },
            raised: raised + paid - proceeds,
            block,
            marginal: settled.marginal_rank,
            excused: it.sale.excused,
            views: &views,
        };
        let unit = self.slow.unit.div_ceil(price);
        let whole = self.slow.off.0 + (2 * cohorts + 2) * (unit + 1);
        let sums = self.slow.settle(number, &found);
        // I-06: what was raised is debt and penalty, to the unit.
        let split = done.repaid.get() + done.penalties.get() + proceeds;
        assert_eq!(split, raised + paid);
        let near = |model: &Fix, units: Amount, off: u128, what: &str| {
            let units = units.get();
            let is = distance(model, units) <= off;
            assert!(is, "{what} {units}, not {} ± {off}", rough(model));
        };
        let shortfall = done.waterfall.shortfall;
        near(&sums.repaid, done.repaid, off, "repaid");
        near(&sums.penalty, done.penalties, off, "penalties");
        near(&sums.shortfall, shortfall, off, "shortfall");
        let taken = insured.taken.get();
        // What bidders get is rounded once, what insurance gives up of its own by itself.
        let of_cohorts = (done.sold.get() + taken).saturating_sub(insured.sold.get());
        // What is left of a cohort that sold short, worth under a ten-thousandth of its debt, counts
        // as sold and is nobody's: the protocol keeps it.
        let specks = if shortfall.is_zero() {
            0
        } else {
            before.vault.cells.batches[&number].debt.get() / 10_000 * unit
        };
        near(&sums.sold, Amount::new(of_cohorts), whole + specks, "sold");
        // Insurance's own is served last, and what it is paid at the price of all.
        let offered = terms.offered;
        let worth = down(offered, price, self.slow.unit);
        if proceeds < worth && raised > 0 {
            let left = fix(raised) - &sums.full;
            let expected = left.max(fix(0)).min(fix(worth));
            near(&expected, insured.proceeds, off, "own proceeds");
            let sold = up(proceeds, self.slow.unit, price);
            assert_eq!(insured.sold.get(), sold);
        } else if raised > 0 {
            assert_eq!((proceeds, insured.sold.get()), (worth, offered));
        }
        assert!(paid == 0 || taken == down(paid, self.slow.unit, floor));

        let earning = raised - proceeds;
        let running = &before.vault.state.running;
        let asked = running.iter().find(|it| it.number == number);
        let asked = asked.map_or(0, |it| it.asked.get() - it.own.get());
        let keeper = Keeper {
            wish: if paid > 0 {
                0
            } else {
                terms.tip + down(earning, terms.share, PPM)
            },
            tip: if earning > 0 && 8 * earning >= asked && terms.topped_up {
                terms.tip
            } else {
                0
            },
            day,
        };
        self.books.insurance -= paid;
        let to_lenders = self.books.take_in(proceeds);
        assert_eq!(insured.to_lenders.get(), to_lenders, "proceeds of lenders");
        let (penalties, repaid) = (done.penalties.get(), done.repaid.get());
        let cap = self.slow.params.loss_cap.ppm();
        let expected = self
            .books
            .settle(shortfall.get(), penalties, repaid, lent, keeper, cap);
        assert_eq!(done.waterfall, expected, "who bears what");
        let spared = expected.from_lenders.is_zero() && expected.from_reserve.is_zero();
        assert!(paid == 0 || spared, "insurance bought at lenders' cost");
        let reward = expected.reward.get() + expected.top_up.get();
        let half = if it.opener == it.settler {
            0
        } else {
            reward / 2
        };
        for (keeper, part) in [(it.opener, half), (it.settler, reward - half)] {
            if part > 0 {
                *self.rewards.entry(keeper).or_default() += part;
            }
        }
        let (stock, sold) = (&mut self.books.stock, insured.sold.get());
        if offered > 0 {
            stock.back(offered, sold);
            if sold == offered {
                (stock.until, stock.round, stock.failures) = (0, 0, 0);
            }
        }
        if paid > 0 {
            stock.buy(taken, paid, expected.from_insurance.get(), day);
        }
        if paid > 0 || (sold < offered && !it.sale.excused) {
            stock.fail(block, settled.round);
        }
        self.put_back(after);
        // What is not back in its tick yet shows at the floor of its batch.
        let off = self.slow.off_quote(floor) + 8;
        for (rank, lot) in &self.slow.batches[&number].lots {
            if lot.rest.is_some() {
                let (collateral, debt) = self.slow.totals(Place::Batch(number, *rank));
                let lack = self.slow.owed(&debt) - self.slow.value(&collateral, floor);
                let lack = (lack.max(fix(0)), off);
                self.unrested.insert((number, *rank), lack);
            }
        }
    }

    /// An opening that found nothing: there was nothing.
    pub(super) fn refused(&mut self, n: &Native, message: &Message, answer: &Answer) {
        let found_nothing =
            AuctionContractError::Vault(VaultError::Ledger(LedgerError::NothingToLiquidate));
        let nothing = error_of(answer) == Some(found_nothing);
        if !matches!(message, Message::OpenBatch) || !nothing {
            return;
        }
        let prices = n.market_prices().expect("judged by a price");
        let state = &n.vault.state;
        assert!(state.running.len() < MAX_RUNNING_BATCHES);
        let sweep = Sweep {
            number: state.batches,
            reference: prices.spot.max(prices.previous).get(),
            start: 0,
            room: 0,
            block: n.block,
            round: prices.round,
            left_only: n.vault.stage.max(state.stage) > Stage::Open,
        };
        let stored = self.accrue_now(n);
        let prey = self.slow.has_prey(&sweep);
        self.restore(stored);
        assert_ne!(prey, Some(true), "prey was passed by");
    }
}

/// The lowest of the last two rounds and the one in quarantine.
fn worst(prices: &MarketPrices) -> u128 {
    let worst = prices.spot.min(prices.previous);
    prices.quarantined.map_or(worst, |q| q.min(worst)).get()
}

/// The lowest of all prices at hand.
fn low(prices: &MarketPrices) -> u128 {
    worst(prices).min(prices.twap.get())
}
