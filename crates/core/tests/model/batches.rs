//! Acts of a history that concern batches: open, settle, put back.

use crate::books::Keeper;
use crate::fast::prices;
use crate::history::{History, OWNERS};
use crate::scale::{distance, down, rough, Fix, PPM};
use crate::slow::Sweep;
use breakwater_core::batch::Sale;
use breakwater_core::ledger::{Demand, LedgerError, OpenRequest, Opening};
use breakwater_core::page::CohortId;
use breakwater_core::position::PositionView;
use breakwater_core::units::{Amount, Price};

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
        let params = &self.slow.params;
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
        };
        let running = self.running.len();
        match self.fast.market(|l| l.open(&now, request)) {
            Ok(opening) => {
                self.tally.opened += 1;
                sweep.number = opening.number;
                assert_eq!(opening.prices[0].get(), start);
                let entries = self.fast.batched();
                let taken: Vec<_> = (0..opening.cohorts)
                    .map(|rank| entries[&(opening.number, rank)])
                    .collect();
                for (rank, (tick, entry)) in taken.iter().enumerate() {
                    let id = CohortId {
                        tick: *tick,
                        epoch: entry.cohort.epoch,
                    };
                    self.cohorts.insert((opening.number, rank as u16), id);
                }
                self.slow.open(&sweep, &taken);
                self.tally.liquidated += u64::from(opening.members);
                let asked = &self.slow.batches[&opening.number].asked;
                let off = self.slow.off_quote(start) + 2 * u128::from(opening.cohorts);
                assert!(
                    distance(asked, opening.targets[0].get()) <= off + 1,
                    "T(start)"
                );
                assert!(opening.targets[0].get() <= room + off, "the hole");
                let running = self.fast.state.running.last().unwrap();
                self.asked.insert(opening.number, running.asked.get());
                self.running.push(opening);
            }
            Err(LedgerError::NothingToLiquidate) => {
                assert_ne!(self.slow.has_prey(&sweep), Some(true), "prey was passed by");
            }
            Err(LedgerError::HoleFull) => assert_eq!(room, 0),
            Err(LedgerError::TooManyBatches) => assert_eq!(running, 4),
            Err(LedgerError::BatchTooSmall) => assert!(running > 0),
            Err(error) => panic!("{error:?}"),
        }
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
        self.settle_at(&opening, opening.prices[step].get(), raised, rest);
    }

    pub fn settle_at(&mut self, opening: &Opening, price: u128, raised: u128, rest: u16) {
        let lent = self.lent();
        let (block, number) = (self.block, opening.number);
        let sale = Sale {
            price: Price::new(price),
            raised: Amount::new(raised),
            excused: false,
        };
        let done = self
            .fast
            .market(|l| l.settle_batch(number, sale, block, rest))
            .unwrap();
        self.tally.settled += 1;
        self.held.0 += raised;
        self.held.1 -= done.sold.get();
        let settled = self.fast.cells.batches[&number].settled.unwrap();
        let views: Vec<PositionView> = (0..OWNERS).map(|who| self.look(who)).collect();
        let sums = self.slow.settle(
            number,
            if raised > 0 { price } else { 0 },
            raised,
            block,
            settled.marginal_rank,
            &views,
        );
        // I-06: what was raised is debt and penalty, to the unit.
        assert_eq!(done.repaid.get() + done.penalties.get(), raised);
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
        near(&sums.sold, done.sold.get(), whole, "sold");
        let params = &self.slow.params;
        let wish = params.keeper_tip.get() + down(raised, params.keeper_share.ppm(), PPM);
        let shortfall = done.waterfall.shortfall.get();
        let asked = self.asked.remove(&number).unwrap();
        let tip = if raised > 0 && 8 * asked >= params.hole.get() {
            params.keeper_tip.get()
        } else {
            0
        };
        let expected = self.books.settle(
            shortfall,
            done.penalties.get(),
            done.repaid.get(),
            lent,
            Keeper {
                wish,
                tip,
                day: u32::try_from(self.fast.state.accrued_at / 86_400_000).unwrap(),
            },
        );
        assert_eq!(done.waterfall, expected, "who bears what");
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
