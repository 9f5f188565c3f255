//! One random history, lived by the ledger and by the slow model side by side.

use crate::books::Books;
use crate::fast::{prices, Fast};
use crate::scale::{distance, down, fix, floor, rough, unsafe_at, Fix, INDEX_ONE, PPM};
use crate::slow::{Place, Slow, Sweep};
use breakwater_core::interest::InterestCurve;
use breakwater_core::ledger::{LedgerError, OpenRequest, Opening};
use breakwater_core::market::{example_params, MarketParams, MarketState};
use breakwater_core::page::{slot_of, CohortId, Departure};
use breakwater_core::position::{PositionView, Status};
use breakwater_core::units::{Amount, Price, Shares, PRICE_ONE};
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

const OWNERS: usize = 12;

/// What the histories of a run came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub operations: u64,
    pub done: u64,
    pub opened: u64,
    pub settled: u64,
    pub liquidated: u64,
    pub written_off: u64,
    /// The largest part of the bound that was used.
    pub worst: f64,
}

impl Tally {
    /// Counts another history in.
    pub fn add(&mut self, one: &Self) {
        self.operations += one.operations;
        self.done += one.done;
        self.opened += one.opened;
        self.settled += one.settled;
        self.liquidated += one.liquidated;
        self.written_off += one.written_off;
        self.worst = self.worst.max(one.worst);
    }
}

pub struct History {
    rng: ChaCha8Rng,
    pub fast: Fast,
    pub slow: Slow,
    books: Books,
    lenders: [u128; 3],
    held: (u128, u128),
    whole: (u128, u128),
    /// Latest accepted price, the one before it.
    price: (u128, u128),
    first: u128,
    round: u32,
    pub block: u32,
    running: Vec<Opening>,
    cohorts: BTreeMap<(u32, u16), CohortId>,
    pub tally: Tally,
    /// As of the last check.
    seen: Option<(u64, u128, MarketState)>,
}

/// A random valid market.
fn market(rng: &mut ChaCha8Rng) -> (MarketParams, u128) {
    let mut below = |n: u64| rng.next_u64() % n;
    let (dc, dq) = (6 + below(13) as u8, 6 + below(13) as u8);
    let price = match below(3) {
        0 => PRICE_ONE / 50,
        1 if dc >= 8 => 30_000 * PRICE_ONE,
        _ => 200 * PRICE_ONE,
    };
    let quote = |whole: u128| Amount::new(whole * 10u128.pow(u32::from(dq)));
    let hole = [1_500, 6_000, 24_000, 100_000_000][below(4) as usize];
    let params = MarketParams {
        collateral_decimals: dc,
        quote_decimals: dq,
        min_debt: quote([1, 100][below(2) as usize]),
        hole: quote(hole),
        min_batch: quote([100, 1_500][below(2) as usize]),
        keeper_tip: quote(5),
        debt_ceiling: quote(1_000_000_000),
        supply_cap: quote(2_000_000_000),
        interest: [InterestCurve::FREE, InterestCurve::STANDARD][below(2) as usize],
        ..example_params()
    };
    (params, price)
}

impl History {
    pub fn new(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (params, price) = market(&mut rng);
        Self::on(params, price, rng)
    }

    pub fn on(params: MarketParams, price: u128, rng: ChaCha8Rng) -> Self {
        let whole = |decimals: u8| 10u128.pow(u32::from(decimals));
        let whole = (whole(params.collateral_decimals), whole(params.quote_decimals));
        let mut history = Self {
            rng,
            fast: Fast::new(params.clone(), OWNERS),
            slow: Slow::new(params, OWNERS),
            books: Books::default(),
            lenders: [0; 3],
            held: (0, 0),
            whole,
            price: (price, price),
            first: price,
            round: 1,
            block: 10,
            running: Vec::new(),
            cohorts: BTreeMap::new(),
            tally: Tally::default(),
            seen: None,
        };
        history.supply(0, 200_000 * whole.1);
        history
    }

    pub fn below(&mut self, n: u128) -> u128 {
        let wide = u128::from(self.rng.next_u64()) << 64 | u128::from(self.rng.next_u64());
        wide % n.max(1)
    }

    /// One random act, on both, and every check after it.
    pub fn step(&mut self) {
        self.block += 1;
        let who = self.below(OWNERS as u128) as usize;
        let q = self.whole.1;
        // Collateral worth up to 4 000 whole quote.
        let most = down(4_000 * q, self.slow.unit, self.price.0);
        match self.below(100) {
            0..8 => {
                let amount = 1 + self.below(most);
                self.deposit(who, amount);
            }
            8..12 => self.crowd(most),
            12..18 => {
                let amount = self.some_of(&self.slow.owners[who].collateral.clone());
                self.withdraw(who, amount);
            }
            18..42 => {
                let amount = self.borrowable(who);
                self.borrow(who, amount);
            }
            42..48 => {
                let owed = self.slow.owed(&self.slow.owners[who].debt);
                let amount = self.some_of(&owed);
                self.repay(who, amount);
            }
            48..50 => self.reclaim(who),
            50..56 => {
                let moves = self.below(4) as u16;
                self.sync(who, moves);
            }
            56..70 => self.move_price(),
            70..78 => {
                if self.below(2) == 0 {
                    self.crash();
                }
                self.open();
            }
            78..88 => self.settle(),
            88..92 => self.rest(),
            92..95 => {
                let time = 1 + self.below(40 * 86_400_000) as u64;
                self.wait(time);
            }
            95..96 => self.block += 15_000,
            96..98 => {
                let lender = self.below(3) as usize;
                let amount = 1 + self.below(10_000 * q);
                self.supply(lender, amount);
            }
            _ => {
                let lender = self.below(3) as usize;
                let share = self.below(self.lenders[lender] + 1);
                self.redeem(lender, share / 4);
            }
        }
        self.tally.operations += 1;
        self.check();
    }

    fn some_of(&mut self, what: &Fix) -> u128 {
        match self.below(4) {
            0 => floor(what) + 1,
            1 => floor(what),
            _ => {
                let most = floor(what) + 2;
                self.below(most)
            }
        }
    }

    /// Often a round part of what may be borrowed, so that positions meet in ticks.
    fn borrowable(&mut self, who: usize) -> u128 {
        let part = [50, 90, 100, 100, 100, 101][self.below(6) as usize];
        self.room(who, part)
    }

    fn room(&self, who: usize, part: u128) -> u128 {
        let owner = &self.slow.owners[who];
        let low = self.price.0.min(self.price.1);
        let value = floor(&self.slow.value(&owner.collateral, low));
        let limit = down(value, self.slow.params.initial_ltv.ppm(), PPM);
        (limit * part / 100)
            .saturating_sub(floor(&self.slow.owed(&owner.debt)))
            .max(1)
    }

    /// Groups that the ledger has put back while it did something else.
    fn put_back(&mut self) {
        let waiting: Vec<(u32, u16)> = self.cohorts.keys().copied().collect();
        for (number, rank) in waiting {
            let id = self.cohorts[&(number, rank)];
            let still = self
                .fast
                .cells
                .departures
                .get(&id.departures())
                .and_then(|cell| cell.get(slot_of(id.tick)))
                .is_some_and(|d| matches!(d, Departure::Batched(b) if b.batch == number));
            if !still {
                self.slow.put_back(number, rank);
                self.cohorts.remove(&(number, rank));
            }
        }
    }

    fn away(&self, who: usize) -> bool {
        match self.slow.owners[who].place {
            Place::Batch(number, _) => !self.slow.batches[&number].settled,
            _ => false,
        }
    }

    /// The model's part of a transition that touched a position: out of its group, changed, and
    /// into the tick of its own ratio.
    fn touched(&mut self, who: usize, change: impl FnOnce(&mut Slow)) {
        self.tally.done += 1;
        self.put_back();
        let prepaid = self.fast.positions[who].prepaid.get();
        let before = self.slow.owners[who].prepaid;
        self.slow.touch(who, prepaid);
        self.books.prepaid -= before - prepaid;
        self.books.cash += before - prepaid;
        change(&mut self.slow);
        let trigger = self.fast.view(who, self.price.0).liquidation_price;
        self.slow.attach(who, trigger.map(Price::get));
    }

    pub fn deposit(&mut self, who: usize, amount: u128) {
        let done = self
            .fast
            .position(who, |l, p| l.deposit(p, Amount::new(amount)));
        assert_eq!(done, Ok(()), "promise 6: a deposit is always taken");
        self.held.1 += amount;
        if self.away(who) {
            self.tally.done += 1;
            self.put_back();
            self.slow.owners[who].aside += amount;
        } else {
            self.touched(who, |slow| slow.owners[who].collateral += fix(amount));
        }
    }

    fn withdraw(&mut self, who: usize, amount: u128) {
        let now = prices(self.price.0, self.price.1, self.round, self.block);
        let done = self.fast.position(who, |l, p| {
            l.withdraw(p, Amount::new(amount), Some(&now))
        });
        if self.away(who) {
            assert!(done.is_err(), "withdrawn out of a batch");
            return;
        }
        let owner = &self.slow.owners[who];
        let left = &owner.collateral + fix(owner.aside) - fix(amount);
        let debt = (&owner.debt - times_prepaid(&self.slow, who)).max(fix(0));
        self.judge_margin(&left, &debt, done.map_err(|error| {
            matches!(
                error,
                LedgerError::ExceedsInitialLtv | LedgerError::InsufficientCollateral | LedgerError::ZeroAmount
            )
        }), amount > 0);
        if done.is_ok() {
            self.held.1 -= amount;
            self.touched(who, |slow| slow.owners[who].collateral -= fix(amount));
        }
    }

    /// I-30: what lowers the margin succeeds if and only if the initial margin holds after it, up
    /// to the bound.
    fn judge_margin(&self, left: &Fix, debt: &Fix, done: Result<(), bool>, asked: bool) {
        let low = self.price.0.min(self.price.1);
        let limit = self.slow.value(left, low) * self.slow.params.initial_ltv.ppm() / PPM;
        let owed = self.slow.owed(debt);
        let off = fix(self.slow.off_quote(low));
        let has = left >= &fix(self.slow.off.0 + 1);
        match done {
            Ok(()) => assert!(owed <= limit + off, "the initial margin is broken"),
            Err(for_margin) if for_margin && asked && has => {
                assert!(owed + off > limit, "refused within the initial margin");
            }
            Err(_) => {}
        }
    }

    pub fn borrow(&mut self, who: usize, amount: u128) {
        let now = prices(self.price.0, self.price.1, self.round, self.block);
        let done = self
            .fast
            .position(who, |l, p| l.borrow(p, Amount::new(amount), &now));
        if self.away(who) {
            assert_eq!(done, Err(LedgerError::PositionInBatch));
            return;
        }
        let index = self.slow.index;
        let more = fix(amount) * INDEX_ONE / index;
        let owner = &self.slow.owners[who];
        let collateral = &owner.collateral + fix(owner.aside);
        let debt = (&owner.debt - times_prepaid(&self.slow, who)).max(fix(0)) + &more;
        let for_margin = done.map_err(|error| error == LedgerError::ExceedsInitialLtv);
        self.judge_margin(&collateral, &debt, for_margin, true);
        if done.is_ok() {
            self.held.0 -= amount;
            self.books.cash -= amount;
            self.slow.off.1 += 1;
            self.touched(who, |slow| slow.owners[who].debt += more);
        }
    }

    pub fn repay(&mut self, who: usize, amount: u128) {
        let Ok(paid) = self.fast.position(who, |l, p| l.repay(p, Amount::new(amount))) else {
            return;
        };
        let paid = paid.get();
        self.held.0 += paid;
        if self.away(who) {
            self.put_back();
            self.slow.owners[who].prepaid += paid;
            self.books.prepaid += paid;
            return;
        }
        self.books.cash += paid;
        let index = self.slow.index;
        self.slow.off.1 += 1;
        self.touched(who, |slow| {
            slow.owners[who].debt -= fix(paid) * INDEX_ONE / index;
        });
        assert!(paid <= amount, "more was taken than offered");
    }

    pub fn reclaim(&mut self, who: usize) {
        let had = self.slow.owners[who].prepaid;
        let Ok(back) = self.fast.position(who, |l, p| l.reclaim(p)) else {
            return;
        };
        let back = back.get();
        // What the debt needed went to the cash; the rest is paid out.
        self.fast.positions[who].prepaid = Amount::new(back);
        self.touched(who, |_| {});
        self.fast.positions[who].prepaid = Amount::ZERO;
        self.slow.owners[who].prepaid = 0;
        self.books.prepaid -= back;
        self.held.0 -= back;
        assert!(back <= had, "more came back than was paid in advance");
    }

    pub fn sync(&mut self, who: usize, moves: u16) -> bool {
        let done = self.fast.position(who, |l, p| l.sync(p, moves)).unwrap();
        if done && !self.away(who) {
            self.touched(who, |_| {});
        } else {
            self.tally.done += 1;
            self.put_back();
            self.slow.off.0 += 2;
            self.slow.off.1 += 2;
        }
        done
    }

    pub fn set_price(&mut self, price: u128) {
        self.price = (price, self.price.0);
        self.round += 1;
    }

    /// Four owners borrow the same part of what their collateral allows: they meet in a tick.
    fn crowd(&mut self, most: u128) {
        let (first, part) = (self.below(OWNERS as u128) as usize, 90 + self.below(11));
        for nth in 0..4 {
            let who = (first + nth) % OWNERS;
            let amount = 1 + self.below(most);
            self.deposit(who, amount);
            let amount = self.room(who, part);
            self.borrow(who, amount);
        }
        self.tally.operations += 7;
    }

    /// Two rounds in a row that are lower; from far down, back to where it began.
    fn crash(&mut self) {
        let price = if self.price.0 < self.first / 5 {
            self.first
        } else {
            self.price.0 / 100 * (80 + self.below(19))
        };
        self.set_price(price);
        self.set_price(price);
    }

    fn move_price(&mut self) {
        let per_mille = self.below(190) as i128 - 100;
        let price = self.price.0 as i128;
        let moved = price + price / 1_000 * per_mille;
        let moved = u128::try_from(moved)
            .unwrap()
            .clamp(PRICE_ONE / 1_000, 1_000_000 * PRICE_ONE);
        self.set_price(moved);
    }

    pub fn open(&mut self) {
        let most = match self.below(3) {
            0 => self.below(3_000 * self.whole.1),
            _ => u128::MAX,
        };
        let now = prices(self.price.0, self.price.1, self.round, self.block);
        let request = OpenRequest {
            block: self.block,
            most: Amount::new(most),
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
                assert!(distance(asked, opening.targets[0].get()) <= off + 1, "T(start)");
                assert!(opening.targets[0].get() <= room + off, "the hole");
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

    fn settle(&mut self) {
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
        let done = self
            .fast
            .market(|l| {
                l.settle_batch(number, Price::new(price), Amount::new(raised), block, rest)
            })
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
        near(&sums.shortfall, done.waterfall.shortfall.get(), off, "shortfall");
        let unit = self.slow.unit.div_ceil(price);
        let whole = self.slow.off.0 + (2 * u128::from(opening.cohorts) + 2) * (unit + 1);
        near(&sums.sold, done.sold.get(), whole, "sold");
        let params = &self.slow.params;
        let wish = params.keeper_tip.get() + down(raised, params.keeper_share.ppm(), PPM);
        let shortfall = done.waterfall.shortfall.get();
        let expected = self.books.settle(
            shortfall,
            done.penalties.get(),
            done.repaid.get(),
            lent,
            wish,
        );
        assert_eq!(done.waterfall, expected, "who bears what");
        self.tally.written_off += u64::from(shortfall > 0);
        self.put_back();
    }

    fn rest(&mut self) {
        let Some((number, _)) = self.cohorts.keys().next().copied() else {
            return;
        };
        let done = self.fast.market(|l| l.rest(number, 1));
        assert!(matches!(done, Ok(_) | Err(LedgerError::BatchRunning)));
        self.put_back();
    }

    fn lent(&self) -> u128 {
        let state = &self.fast.state;
        down(state.debt.get(), state.index.get(), INDEX_ONE) + state.batched_debt.get()
    }

    pub fn wait(&mut self, time: u64) {
        let curve = self.fast.params.interest;
        let now = self.fast.state.accrued_at + time;
        let (before, idle) = (self.lent(), self.fast.state.debt.is_zero());
        self.fast.state.accrue(&curve, now).unwrap();
        if idle {
            return;
        }
        let rate = self.books.rate(&curve, before);
        self.slow.index = Books::grown(self.slow.index, rate, time);
        assert_eq!(self.fast.state.index.get(), self.slow.index, "index");
        let after = self.lent();
        self.books.pay_reserve(after - before, after, &curve);
    }

    pub fn supply(&mut self, lender: usize, amount: u128) {
        let (lent, cap) = (self.lent(), self.fast.params.supply_cap);
        if let Ok(minted) = self.fast.state.supply(Amount::new(amount), cap) {
            assert_eq!(self.books.supply(amount, lent), minted.get(), "shares");
            self.lenders[lender] += minted.get();
            self.held.0 += amount;
        }
    }

    fn redeem(&mut self, lender: usize, shares: u128) {
        let batches: u128 = self
            .fast
            .state
            .running
            .iter()
            .map(|running| running.provision.get())
            .sum();
        let provision = batches + self.fast.insolvency(self.price.0);
        let worth = self.books.worth(shares, self.lent(), provision);
        let held = Shares::new(self.lenders[lender]);
        let paid = self
            .fast
            .state
            .redeem(held, Shares::new(shares), Amount::new(provision));
        if let Ok(paid) = paid {
            assert_eq!(paid.get(), worth, "a lender's exit");
            self.books.cash -= worth;
            self.books.shares -= shares;
            self.lenders[lender] -= shares;
            self.held.0 -= worth;
        }
    }

    /// A position's view; one that slept through more moves than a call follows is synced first.
    fn look(&mut self, who: usize) -> PositionView {
        self.fast.view(who, self.price.0)
    }

    /// Everything that must hold after every operation.
    pub fn check(&mut self) {
        let state = &self.fast.state;
        let seen = (self.tally.done, self.price.0, self.fast.state.clone());
        if self.seen.as_ref() == Some(&seen) {
            return; // What was refused has changed nothing.
        }
        assert_eq!(self.books, Books::of(state), "books");
        assert_eq!(state.quote_owed().unwrap().get(), self.held.0, "quote");
        assert_eq!(state.collateral_owed().unwrap().get(), self.held.1, "collateral");
        let (mut off, mut debts) = ((0, 0), Fix::from(0u8));
        for who in 0..OWNERS {
            let view = self.look(who);
            let away = self.away(who);
            let owner = &mut self.slow.owners[who];
            let within = self.slow.off.1 + OWNERS as u128;
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
            let collateral = &owner.collateral + fix(owner.aside);
            off.0 += distance(&collateral, view.collateral.get());
            let mut debt = owner.debt.clone();
            if !away {
                debt = (debt - times_prepaid(&self.slow, who)).max(fix(0));
            }
            off.1 += distance(&debt, view.scaled_debt.get());
            debts += &owner.debt;
            let expected = match owner.place {
                _ if away => Status::InBatch,
                Place::Tick(tick) if self.is_unsafe(tick) => Status::Liquidatable,
                Place::Batch(..) => continue,
                _ => Status::Healthy,
            };
            assert_eq!(view.status, expected, "{who}");
        }
        let bound = (
            self.slow.off.0 + OWNERS as u128,
            self.slow.off.1 + OWNERS as u128,
        );
        assert!(off.0 <= bound.0, "collateral is off by {} > {}", off.0, bound.0);
        assert!(off.1 <= bound.1, "debt is off by {} > {}", off.1, bound.1);
        let used = (off.0 as f64 / bound.0 as f64).max(off.1 as f64 / bound.1 as f64);
        self.tally.worst = self.tally.worst.max(used);
        self.seen = Some(seen);
        // No cohort is inflated by rounding: a share is worth a unit at its birth, and no rounding
        // may make it worth two.
        for page in self.fast.cells.pages.values() {
            for (_, cohort) in page.cohorts.iter() {
                let shares = &cohort.shares;
                assert!(cohort.collateral.get() <= 2 * shares.collateral.get() + 2);
                assert!(cohort.debt.get() <= 2 * shares.debt.get() + 2);
            }
        }
    }

    fn is_unsafe(&self, tick: u16) -> bool {
        let threshold = self.slow.params.liquidation_threshold.ppm();
        unsafe_at(tick, self.slow.index, self.price.0, threshold)
    }

    /// Promise 6: whatever happened, everybody can be brought up to date, repay and leave.
    pub fn leave(&mut self) -> Tally {
        while let Some(opening) = self.running.pop() {
            self.settle_at(&opening, opening.prices[0].get(), 0, u16::MAX);
        }
        for who in 0..OWNERS {
            while !self.sync(who, 32) {}
            self.repay(who, u128::MAX);
            self.reclaim(who);
            let view = self.look(who);
            assert!(view.debt.is_zero(), "{who} still owes");
            if !view.collateral.is_zero() {
                self.withdraw(who, view.collateral.get());
            }
            assert!(self.fast.positions[who].is_empty(), "{who} cannot leave");
            self.check();
        }
        self.tally
    }
}

/// What money paid in advance takes off a debt at the next touch, scaled.
fn times_prepaid(slow: &Slow, who: usize) -> Fix {
    fix(slow.owners[who].prepaid) * INDEX_ONE / slow.index
}
