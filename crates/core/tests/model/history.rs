//! One random history, lived by the ledger and by the slow model side by side.

use crate::books::Books;
use crate::fast::{prices, Fast};
use crate::scale::{down, fix, floor, Fix, INDEX_ONE, PPM};
use crate::slow::{Slow, Wait};
use breakwater_core::interest::InterestCurve;
use breakwater_core::ledger::{LedgerError, Opening};
use breakwater_core::market::{example_params, MarketParams, MarketState};
use breakwater_core::page::{slot_of, CohortId, Departure};
use breakwater_core::units::{Amount, Price, Ratio, Shares, PRICE_ONE};
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

pub const OWNERS: usize = 8;

/// What the histories of a run came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub operations: u64,
    pub done: u64,
    pub opened: u64,
    pub settled: u64,
    pub liquidated: u64,
    pub written_off: u64,
    /// Lots that insurance bought, and batches that sold what it had bought.
    pub insured: u64,
    pub resold: u64,
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
        self.insured += one.insured;
        self.resold += one.resold;
        self.worst = self.worst.max(one.worst);
    }
}

pub struct History {
    rng: ChaCha8Rng,
    pub fast: Fast,
    pub slow: Slow,
    pub books: Books,
    lenders: [u128; 3],
    pub held: (u128, u128),
    pub whole: (u128, u128),
    /// Latest accepted price, the one before it.
    pub price: (u128, u128),
    first: u128,
    pub round: u32,
    pub block: u32,
    pub running: Vec<Opening>,
    pub cohorts: BTreeMap<(u32, u16), CohortId>,
    pub tally: Tally,
    /// What running batches asked for.
    pub asked: BTreeMap<u32, u128>,
    /// As of the last check.
    pub seen: Option<(u64, u128, MarketState)>,
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
        // No loss ends the market: lenders come and go to the end of the history.
        loss_cap: Ratio::ONE,
        insurance_budget: Ratio::from_bps([0, 500, 2_500][below(3) as usize]),
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
        let whole = (
            whole(params.collateral_decimals),
            whole(params.quote_decimals),
        );
        let mut history = Self {
            rng,
            fast: Fast::new(params.clone(), OWNERS),
            slow: Slow::new(params, OWNERS),
            books: Books::default(),
            asked: BTreeMap::new(),
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
        let insurance = [0, 2_000, 50_000][history.below(3) as usize] * whole.1;
        history.insure(insurance);
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
    pub fn put_back(&mut self) {
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
        if self.slow.away(who) {
            self.tally.done += 1;
            self.put_back();
            self.slow.owners[who].aside += amount;
        } else {
            self.touched(who, |slow| slow.owners[who].collateral += fix(amount));
        }
    }

    pub fn withdraw(&mut self, who: usize, amount: u128) {
        let now = prices(self.price.0, self.price.1, self.round, self.block);
        let done = self
            .fast
            .position(who, |l, p| l.withdraw(p, Amount::new(amount), Some(&now)));
        if self.slow.away(who) {
            assert!(done.is_err(), "withdrawn out of a batch");
            return;
        }
        let owner = &self.slow.owners[who];
        let left = &owner.collateral + fix(owner.aside) - fix(amount);
        let debt = self.slow.net_debt(who);
        self.judge_margin(
            &left,
            &debt,
            done.map_err(|error| {
                matches!(
                    error,
                    LedgerError::ExceedsInitialLtv
                        | LedgerError::InsufficientCollateral
                        | LedgerError::ZeroAmount
                )
            }),
            amount > 0,
        );
        if done.is_ok() {
            self.held.1 -= amount;
            self.touched(who, |slow| {
                slow.owners[who].collateral -= fix(amount);
                slow.owners[who].wait = Wait::default();
            });
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
        if self.slow.away(who) {
            assert_eq!(done, Err(LedgerError::PositionInBatch));
            return;
        }
        let index = self.slow.index;
        let more = fix(amount) * INDEX_ONE / index;
        let owner = &self.slow.owners[who];
        let collateral = &owner.collateral + fix(owner.aside);
        let debt = self.slow.net_debt(who) + &more;
        let for_margin = done.map_err(|error| error == LedgerError::ExceedsInitialLtv);
        self.judge_margin(&collateral, &debt, for_margin, true);
        if done.is_ok() {
            self.held.0 -= amount;
            self.books.cash -= amount;
            self.slow.off.1 += 1;
            self.touched(who, |slow| {
                slow.owners[who].debt += more;
                slow.owners[who].wait = Wait::default();
            });
        }
    }

    pub fn repay(&mut self, who: usize, amount: u128) {
        let Ok(paid) = self
            .fast
            .position(who, |l, p| l.repay(p, Amount::new(amount)))
        else {
            return;
        };
        let paid = paid.get();
        self.held.0 += paid;
        if self.slow.away(who) {
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
        if done && !self.slow.away(who) {
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

    pub fn lent(&self) -> u128 {
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

    /// Quote given to insurance.
    fn insure(&mut self, amount: u128) {
        self.fast.state.take_in(Amount::new(amount)).unwrap();
        self.books.insurance += amount;
        self.held.0 += amount;
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
}
