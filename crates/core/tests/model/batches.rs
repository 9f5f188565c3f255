//! Acts of a history that concern batches: open, settle, put back.

use crate::books::Keeper;
use crate::fast::prices;
use crate::history::{History, OWNERS};
use crate::scale::{distance, down, fix, rough, up, Fix, PPM};
use crate::slow::{Outcome, Sweep};
use breakwater_core::batch::Sale;
use breakwater_core::ledger::{Demand, LedgerError, OpenRequest, Opening};
use breakwater_core::page::CohortId;
use breakwater_core::position::PositionView;
use breakwater_core::units::{Amount, Price};
use std::collections::BTreeMap;

impl History {
    pub fn open(&mut self) {
        let most = match self.below(3) {
            0 => self.below(3_000 * self.whole.1),
            _ => u128::MAX,
        };
        let now = prices(self.price.0, self.price.1, self.round, self.block);
        let request = OpenRequest {
            block: self.block,
            demand: Demand {
                most: Amount::new(most),
                depth: None,
            },
        };
        let committed = self.fast.state.committed().unwrap().get();
        let params = self.slow.params.clone();
        let room = params.hole.get().saturating_sub(committed);
        let room = room.min(most.max(params.min_batch.get()));
        let start = now.spot.max(now.twap).get();
        let start = crate::scale::up(start, params.ladder.start.ppm(), PPM);
        let mut sweep = Sweep {
            number: 0,
            reference: self.price.0.max(self.price.1),
            start,
            room,
            block: self.block,
            round: self.round,
            left_only: false,
        };
        let running = self.running.len();
        match self.fast.market(|l| l.open(&now, request)) {
            Ok(opening) => {
                self.tally.opened += 1;
                sweep.number = opening.number;
                assert_eq!(opening.prices[0].get(), start);
                let entries = self.fast.batched();
                let taken: BTreeMap<_, _> = (0..opening.cohorts)
                    .map(|rank| (rank, entries[&(opening.number, rank)]))
                    .collect();
                for (rank, (tick, entry)) in &taken {
                    let id = CohortId {
                        tick: *tick,
                        epoch: entry.cohort.epoch,
                    };
                    self.cohorts.insert((opening.number, *rank), id);
                }
                self.slow.open(&sweep, &taken);
                self.tally.liquidated += u64::from(opening.members);
                let running = *self.fast.state.running.last().unwrap();
                let own = self.offer(&opening, running.asked.get() - running.own.get(), &sweep);
                assert_eq!(running.own.get(), own, "asked for insurance's own");
                let asked = &self.slow.batches[&opening.number].asked + fix(own);
                let off = self.slow.off_quote(start) + 2 * u128::from(opening.cohorts);
                assert!(
                    distance(&asked, opening.targets[0].get()) <= off + 1,
                    "T(start)"
                );
                assert!(opening.targets[0].get() <= room + off, "the hole");
                self.asked.insert(opening.number, running.asked.get() - own);
                self.running.push(opening);
            }
            Err(LedgerError::NothingToLiquidate) => {
                assert_ne!(self.slow.has_prey(&sweep), Some(true), "prey was passed by");
                let stock = self.books.stock;
                let own = self.most_offered(0, &sweep);
                let asked = up(own, start, self.slow.unit);
                let waits = stock.waits(self.block, self.round);
                let small = asked < params.min_batch.get();
                assert!(own == 0 || waits || small, "insurance's own was passed by");
            }
            Err(LedgerError::HoleFull) => assert_eq!(room, 0),
            Err(LedgerError::TooManyBatches) => assert_eq!(running, 4),
            Err(LedgerError::BatchTooSmall) => assert!(running > 0),
            Err(error) => panic!("{error:?}"),
        }
    }

    /// How much of insurance's collateral may join a batch whose cohorts ask for so much.
    fn most_offered(&self, cohorts: u128, sweep: &Sweep) -> u128 {
        let stock = &self.books.stock;
        if stock.offered > 0 {
            return 0;
        }
        let room = (sweep.room.saturating_sub(cohorts)).min(self.slow.params.hole.get() / 4);
        stock.held.min(down(room, self.slow.unit, sweep.start))
    }

    /// What insurance offers in a batch that has opened, and what is asked for it.
    fn offer(&mut self, opening: &Opening, cohorts: u128, sweep: &Sweep) -> u128 {
        let expected = self.most_offered(cohorts, sweep);
        assert_eq!(opening.offered.get(), expected, "insurance's own");
        if opening.cohorts == 0 {
            assert!(!self.books.stock.waits(self.block, self.round));
        }
        self.books.stock.held -= expected;
        self.books.stock.offered += expected;
        up(expected, sweep.start, self.slow.unit)
    }

    pub fn settle(&mut self) {
        if self.running.is_empty() {
            return;
        }
        let nth = self.below(self.running.len() as u128) as usize;
        let opening = self.running.remove(nth);
        let step = self.below(opening.prices.len() as u128) as usize;
        let part = match self.below(4) {
            0 => 0,
            1 => self.below(101),
            _ => 100,
        };
        let raised = opening.targets[step].get() * part / 100;
        let rest = self.below(3) as u16;
        let unsold = raised == 0 && self.below(4) > 0;
        if unsold && self.below(2) == 0 {
            // The price stood: a round newer than the batch's, and not under its floor.
            let stands = self.price.0;
            self.set_price(stands);
        }
        self.settle_at(&opening, opening.prices[step].get(), raised, rest, unsold);
    }

    /// What insurance pays in a settlement of a batch that found nobody, as far as the model can
    /// tell; nothing on a price it cannot rely on.
    fn insurance_pays(&self, opening: &Opening) -> Option<Fix> {
        let stock = &self.books.stock;
        let params = &self.slow.params;
        let budget = down(params.hole.get(), params.insurance_budget.ppm(), PPM);
        let day = self.day();
        let allowance = stock.allowance(budget, self.books.insurance, day);
        let floor = opening.prices.last().unwrap().get();
        // The average of this history lies between the last two prices.
        let low = self
            .price
            .0
            .min(self.price.1)
            .min(self.price.0 / 2 + self.price.1 / 2);
        if self.round <= self.slow.batches[&opening.number].round || low < floor {
            return Some(fix(0));
        }
        self.slow.insurance_pays(opening.number, floor, allowance)
    }

    fn day(&self) -> u32 {
        u32::try_from(self.fast.state.accrued_at / 86_400_000).unwrap()
    }

    pub fn settle_at(
        &mut self,
        opening: &Opening,
        price: u128,
        raised: u128,
        rest: u16,
        unsold: bool,
    ) {
        let lent = self.lent();
        let (block, number) = (self.block, opening.number);
        let expected = if unsold {
            self.insurance_pays(opening)
        } else {
            Some(fix(0))
        };
        let now = prices(self.price.0, self.price.1, self.round, self.block);
        let sale = Sale {
            price: Price::new(price),
            raised: Amount::new(raised),
            excused: false,
        };
        let done = self
            .fast
            .market(|l| match unsold {
                true => l.settle_unsold(number, &now, block, rest),
                false => l.settle_batch(number, sale, block, rest),
            })
            .unwrap();
        let insured = done.insured;
        let (paid, proceeds) = (insured.paid.get(), insured.proceeds.get());
        let floor = opening.prices.last().unwrap().get();
        let price = if paid > 0 { floor } else { price };
        if let Some(expected) = expected {
            let off = self.slow.off_quote(floor) + 4 * u128::from(opening.cohorts);
            assert!(
                distance(&expected, paid) <= off,
                "insurance pays {paid}, not {}",
                rough(&expected)
            );
        }
        self.tally.insured += u64::from(paid > 0);
        self.tally.resold += u64::from(proceeds > 0);
        self.tally.settled += 1;
        self.held.0 += raised;
        self.held.1 -= done.sold.get();
        let settled = self.fast.cells.batches[&number].settled.unwrap();
        let views: Vec<PositionView> = (0..OWNERS).map(|who| self.look(who)).collect();
        let sums = self.slow.settle(
            number,
            &Outcome {
                price: if raised + paid > 0 { price } else { 0 },
                raised: raised + paid - proceeds,
                block,
                marginal: settled.marginal_rank,
                excused: false,
                views: &views,
            },
        );
        // I-06: what was raised is debt and penalty, to the unit.
        assert_eq!(
            done.repaid.get() + done.penalties.get() + proceeds,
            raised + paid
        );
        let off = self.slow.off_quote(price) + 4 * u128::from(opening.cohorts);
        let near = |model: &Fix, units: u128, off: u128, what: &str| {
            assert!(
                distance(model, units) <= off,
                "{what} {units}, not {} ± {off}",
                rough(model)
            );
        };
        near(&sums.repaid, done.repaid.get(), off, "repaid");
        near(&sums.penalty, done.penalties.get(), off, "penalties");
        near(
            &sums.shortfall,
            done.waterfall.shortfall.get(),
            off,
            "shortfall",
        );
        let unit = self.slow.unit.div_ceil(price);
        let whole = self.slow.off.0 + (2 * u128::from(opening.cohorts) + 2) * (unit + 1);
        let taken = insured.taken.get();
        // What bidders get is rounded once, what insurance gives up of its own by itself.
        let of_cohorts = (done.sold.get() + taken).saturating_sub(insured.sold.get());
        near(&sums.sold, of_cohorts, whole, "sold");
        // Insurance's own is served last, and what it is paid at the price of all.
        let worth = down(opening.offered.get(), price, self.slow.unit);
        if proceeds < worth && raised > 0 {
            let left = fix(raised) - &sums.full;
            let expected = left.max(fix(0)).min(fix(worth));
            near(&expected, proceeds, off, "own proceeds");
            assert_eq!(insured.sold.get(), up(proceeds, self.slow.unit, price));
        } else if raised > 0 {
            assert_eq!((proceeds, insured.sold), (worth, opening.offered));
        }
        assert!(paid == 0 || taken == down(paid, self.slow.unit, floor));
        let params = &self.slow.params;
        let earning = raised - proceeds;
        let wish = if paid > 0 {
            0
        } else {
            params.keeper_tip.get() + down(earning, params.keeper_share.ppm(), PPM)
        };
        let shortfall = done.waterfall.shortfall.get();
        let asked = self.asked.remove(&number).unwrap();
        let sold = earning > 0 && 8 * earning >= asked;
        let tip = if sold && 8 * asked >= params.hole.get() {
            params.keeper_tip.get()
        } else {
            0
        };
        self.books.insurance = self.books.insurance + proceeds - paid;
        let expected = self.books.settle(
            shortfall,
            done.penalties.get(),
            done.repaid.get(),
            lent,
            Keeper {
                wish,
                tip,
                day: self.day(),
            },
            params.loss_cap.ppm(),
        );
        assert_eq!(done.waterfall, expected, "who bears what");
        assert!(paid == 0 || expected.from_lenders.is_zero() && expected.from_reserve.is_zero());
        let (day, offered, round) = (self.day(), opening.offered.get(), settled.round);
        let stock = &mut self.books.stock;
        if offered > 0 {
            stock.back(offered, insured.sold.get());
            if insured.sold.get() == offered {
                (stock.until, stock.round, stock.failures) = (0, 0, 0);
            }
        }
        if paid > 0 {
            stock.buy(taken, paid, expected.from_insurance.get(), day);
        }
        if paid > 0 || insured.sold.get() < offered {
            stock.fail(block, round);
        }
        self.tally.written_off += u64::from(shortfall > 0);
        self.put_back();
    }

    pub fn rest(&mut self) {
        let Some((number, _)) = self.cohorts.keys().next().copied() else {
            return;
        };
        let done = self.fast.market(|l| l.rest(number, 1));
        assert!(matches!(done, Ok(_) | Err(LedgerError::BatchRunning)));
        self.put_back();
    }
}
