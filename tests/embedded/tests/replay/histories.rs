//! Random histories of everything that anybody can do.

use breakwater_chain::{AccountId, Message};
use breakwater_core::auction::Phase;
use breakwater_core::breaker::{Cause, Stage};
use breakwater_core::interest::InterestCurve;
use breakwater_core::market::{example_params, Limits, MarketParams};
use breakwater_core::timelock::SHORTEST_NOTICE;
use breakwater_core::units::{Amount, Price, Ratio, Shares, PRICE_ONE};
use breakwater_embedded_tests::{collateral, price, quote, World};
use breakwater_interfaces::auction::{AuctionRecord, BatchKey, Bid, BidId, LiquidationAuction};
use breakwater_interfaces::breaker::CircuitBreaker;
use breakwater_interfaces::standing::StandingBids;
use breakwater_interfaces::vault::MarginVault;
use breakwater_interfaces::vault_admin::VaultAdmin;
use ink::codegen::TraitCallBuilder;
use scale::Decode;
use std::fmt::Debug;

/// SplitMix64: the same seed gives the same history.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound
    }

    fn amount(&mut self, unit: Amount, most: u64) -> Amount {
        // Not a multiple of anything, so that every division rounds.
        let whole = unit.get() * u128::from(self.below(most));
        Amount::new(whole + unit.get() * u128::from(self.below(1_000_000)) / 1_000_000 + 1)
    }
}

const PEOPLE: u64 = 10;

struct History {
    w: World,
    dice: Dice,
    people: Vec<AccountId>,
    spot: u128,
    /// Messages that did something, by their kind.
    done: [u32; KINDS],
}

const KINDS: usize = 34;

impl History {
    fn new(seed: u64) -> Self {
        let mut params = MarketParams {
            interest: InterestCurve {
                idle: Ratio::from_bps(200),
                kink: Ratio::from_bps(8_000),
                at_kink: Ratio::from_bps(1_500),
                at_full: Ratio::from_bps(15_000),
                reserve_factor: Ratio::from_bps(1_500),
            },
            hole: quote(20_000),
            min_batch: quote(1_000),
            notice: SHORTEST_NOTICE,
            loss_cap: Ratio::from_bps(if seed.is_multiple_of(3) { 1 } else { 9_000 }),
            ..example_params()
        };
        // Money that comes in may extend a batch in the block after.
        params.ladder.announce_blocks = 3;
        let mut w = World::with_params(params);
        w.checked = false;
        let people: Vec<_> = (100..100 + PEOPLE as u32).map(|i| w.account(i)).collect();
        for who in &people {
            let d = w.d;
            w.fund_bidder(*who, quote(400));
            for (token, amount) in [
                (d.collateral, collateral(100_000)),
                (d.quote, quote(10_000_000)),
            ] {
                w.fund(*who, token, amount, d.vault);
            }
        }
        Self {
            w,
            dice: Dice(seed),
            people,
            spot: 200,
            done: [0; KINDS],
        }
    }

    /// Somebody sends a message to a contract; it counts where it is done.
    fn attempt<T: Decode, E: Decode + Debug>(
        &mut self,
        kind: usize,
        contract: AccountId,
        who: AccountId,
        message: impl Into<Message<Result<T, E>>>,
    ) {
        let done = self.w.send(who, contract, message);
        self.done[kind] += u32::from(done.is_ok());
    }

    fn someone(&mut self) -> AccountId {
        let at = self.dice.below(PEOPLE) as usize;
        self.people[at]
    }

    fn batch(&mut self) -> BatchKey {
        let known = self.w.batches.len() as u64;
        // The last few, and sometimes one that does not exist.
        let back = 1 + self.dice.below(4) / 2;
        BatchKey {
            market: 0,
            number: u32::try_from(known.saturating_sub(back)).unwrap(),
        }
    }

    fn percent(&mut self) -> u8 {
        [2, 3, 5, 9][self.dice.below(4) as usize]
    }

    fn set_price(&mut self) {
        let change = 92 + self.dice.below(15);
        self.spot = (self.spot * u128::from(change) / 100).clamp(90, 260);
        self.submit();
        self.done[0] += 1;
    }

    fn submit(&mut self) {
        let noise = u128::from(self.dice.below(1_000_000));
        let price = Price::new(self.spot * PRICE_ONE + noise * 1_000_000_000_003);
        self.w.submit(price);
    }

    /// The price falls and a keeper opens a batch, mostly after the governor has let it.
    fn open(&mut self, keeper: AccountId) {
        let (d, governor) = (self.w.d, self.w.governor());
        if self.dice.below(3) > 0 {
            for market in [None, Some(0)] {
                let message = d.breaker().call_mut().lower(market, Stage::Open);
                self.attempt(32, d.auction, governor, message);
            }
            self.w.advance(130);
        }
        let fall = u128::from(85 + self.dice.below(13));
        self.spot = (self.spot * fall / 100).max(40);
        for _ in 0..2 {
            self.submit();
            self.w.advance(1);
        }
        self.done[14] += u32::from(self.w.open_batch(keeper).is_ok());
        if self.dice.below(2) == 0 {
            // With more money in the auction it may take more.
            let (who, batch) = (self.someone(), self.batch());
            self.w.fund_bidder(who, quote(4_000));
            self.w.fund(who, d.quote, quote(10_000_000), d.vault);
            self.w.advance(1);
            self.attempt(16, d.auction, who, d.auction().call_mut().extend(batch));
        }
        // New positions find a higher price again.
        self.spot = self.spot.max(100);
    }

    fn limit(&mut self, batch: BatchKey) -> Price {
        let record = self
            .w
            .ask(self.w.d.auction, self.w.d.auction().call().auction(batch));
        let record: Option<AuctionRecord> = record;
        record.map_or(price(200), |record| {
            let steps = record.auction.prices.len() as u64;
            record.auction.prices[self.dice.below(steps) as usize]
        })
    }

    /// What is tried next: mostly what the last batch is ready for.
    fn kind(&mut self) -> usize {
        let last = self.w.batches.last().map(|batch| self.w.record(*batch));
        let fits: &[usize] = match last.map(|record| record.auction.phase) {
            Some(Phase::Running) => &[
                5, 8, 8, 12, 16, 17, 17, 18, 18, 18, 18, 19, 19, 20, 20, 21, 22, 23, 26, 27, 31,
            ],
            Some(Phase::Cleared(_)) => &[23],
            Some(Phase::Settled(_)) => &[3, 10, 11, 11, 12, 13, 14, 14, 25, 25, 28, 28, 27, 30],
            None => &[3, 4, 14, 26, 31],
        };
        if self.dice.below(3) == 0 {
            return self.dice.below(KINDS as u64) as usize;
        }
        fits[self.dice.below(fits.len() as u64) as usize]
    }

    /// A bid of a batch that is there, with its bidder.
    fn bid_in(&mut self, batch: BatchKey) -> (BidId, AccountId) {
        let bid = self.dice.below(6) as u32;
        let message = self.w.d.auction().call().bid_of(batch, bid);
        let found: Option<Bid> = self.w.ask(self.w.d.auction, message);
        let bidder = found.map(|bid| bid.bidder);
        (bid, bidder.unwrap_or(self.people[0]))
    }

    /// One thing that somebody does, or tries to.
    fn act(&mut self) {
        let kind = self.kind();
        let (who, other, d) = (self.someone(), self.someone(), self.w.d);
        let keeper = other;
        let governor = self.w.governor();
        match kind {
            0 => self.set_price(),
            1 => {
                let amount = self.dice.amount(quote(1), 50_000);
                self.attempt(kind, d.vault, who, d.vault().call_mut().supply(0, amount));
            }
            2 => {
                let (held, _) = self.w.lent(who);
                let part = Shares::new(held.get() / u128::from(1 + self.dice.below(3)));
                self.attempt(kind, d.vault, who, d.vault().call_mut().redeem(0, part));
            }
            3 | 4 => {
                let added = self.dice.amount(collateral(1), 40);
                let worth = self.spot * added.get() / collateral(1).get();
                let debt = Amount::new(
                    worth * quote(1).get() * (50 + u128::from(self.dice.below(26))) / 100,
                );
                let message = d.vault().call_mut().deposit_and_borrow(0, added, debt);
                self.attempt(kind, d.vault, who, message);
            }
            5 => {
                let amount = self.dice.amount(collateral(1), 5);
                self.attempt(kind, d.vault, who, d.vault().call_mut().deposit(0, amount));
            }
            6 => {
                let amount = self.dice.amount(collateral(1), 3);
                self.attempt(kind, d.vault, who, d.vault().call_mut().withdraw(0, amount));
            }
            7 => {
                let amount = self.dice.amount(quote(1), 400);
                self.attempt(kind, d.vault, who, d.vault().call_mut().borrow(0, amount));
            }
            8 => {
                let amount = self.dice.amount(quote(1), 900);
                let message = d.vault().call_mut().repay(0, other, amount);
                self.attempt(kind, d.vault, who, message);
            }
            9 => {
                let repaid = self.dice.amount(quote(1), 600);
                let out = self.dice.amount(collateral(1), 2);
                let message = d.vault().call_mut().repay_and_withdraw(0, repaid, out);
                self.attempt(kind, d.vault, who, message);
            }
            10 => self.attempt(kind, d.vault, who, d.vault().call_mut().close(0)),
            11 => self.attempt(kind, d.vault, who, d.vault().call_mut().reclaim(0)),
            12 => {
                let moves = self.dice.below(4) as u16;
                let message = d.vault().call_mut().sync(0, other, moves);
                self.attempt(kind, d.vault, who, message);
            }
            13 => {
                let (batch, cells) = (self.batch(), self.dice.below(3) as u16);
                let message = d.vault().call_mut().rest(0, batch.number, cells);
                self.attempt(kind, d.vault, who, message);
            }
            14 | 15 => self.open(keeper),
            16 => {
                let batch = self.batch();
                self.attempt(kind, d.auction, who, d.auction().call_mut().extend(batch));
            }
            17 => {
                // Mostly it takes more collateral to leave with.
                let batch = self.batch();
                let more = self.dice.amount(collateral(1), 8);
                let message = d.vault().call_mut().deposit(0, more);
                self.attempt(5, d.vault, who, message);
                self.attempt(kind, d.auction, who, d.auction().call_mut().leave(batch));
            }
            18 | 19 => {
                let free = self.w.balance(who);
                let budget = Amount::new(free / u128::from(1 + self.dice.below(4)));
                let batch = self.batch();
                let limit = self.limit(batch);
                let message = d.auction().call_mut().bid(batch, budget, limit, u32::MAX);
                self.attempt(kind, d.auction, who, message);
            }
            20 => {
                let budget = self.dice.amount(quote(1), 3_000);
                let batch = self.batch();
                let ((bid, who), limit) = (self.bid_in(batch), self.limit(batch));
                let message = d
                    .auction()
                    .call_mut()
                    .replace(batch, bid, budget, limit, u32::MAX);
                self.attempt(kind, d.auction, who, message);
            }
            21 => {
                let batch = self.batch();
                let (bid, who) = self.bid_in(batch);
                self.attempt(
                    kind,
                    d.auction,
                    who,
                    d.auction().call_mut().cancel(batch, bid),
                );
            }
            22 => {
                let batch = self.batch();
                self.attempt(kind, d.auction, who, d.auction().call_mut().advance(batch));
            }
            23 | 24 => {
                let batch = self.batch();
                self.attempt(kind, d.auction, who, d.auction().call_mut().settle(batch));
            }
            25 => {
                let batch = self.batch();
                for _ in 0..3 {
                    let (bid, who) = self.bid_in(batch);
                    let message = d.auction().call_mut().claim(batch, vec![bid]);
                    self.attempt(kind, d.auction, who, message);
                }
            }
            26 => {
                let (percent, amount) = (self.percent(), self.dice.amount(quote(1), 4_000));
                let message = d.standing().call_mut().stand(0, percent, amount);
                self.attempt(kind, d.auction, who, message);
            }
            27 => {
                let (percent, amount) = (self.percent(), self.dice.amount(quote(1), 4_000));
                let message = d.standing().call_mut().unstand(0, percent, amount);
                self.attempt(kind, d.auction, who, message);
            }
            28 => {
                let percent = self.percent();
                let message = d.standing().call_mut().claim_standing(0, percent);
                self.attempt(kind, d.auction, who, message);
            }
            29 => {
                let amount = self.dice.amount(quote(1), 300);
                self.attempt(kind, d.vault, who, d.admin().call_mut().insure(0, amount));
            }
            30 => self.attempt(kind, d.vault, who, d.vault().call_mut().claim_reward(0)),
            31 => {
                let amount = self.dice.amount(quote(1), 5_000);
                if self.dice.below(3) == 0 {
                    self.attempt(
                        kind,
                        d.auction,
                        who,
                        d.auction().call_mut().withdraw(0, amount),
                    );
                } else {
                    self.w.fund_bidder(who, amount);
                    self.done[kind] += 1;
                    // The approval of the vault is what everything else needs.
                    self.w.fund(who, d.quote, quote(10_000_000), d.vault);
                }
            }
            32 => self.stop_or_go(governor),
            _ => self.govern(governor),
        }
    }

    /// Something about the circuit breaker, or a halt that lasts.
    fn stop_or_go(&mut self, governor: AccountId) {
        let (d, market) = (self.w.d, (self.dice.below(4) > 0).then_some(0));
        match self.dice.below(5) {
            0 => {
                let stage = [Stage::NoNewRisk, Stage::NoReauction, Stage::Halted]
                    [self.dice.below(3) as usize];
                self.attempt(
                    32,
                    d.auction,
                    governor,
                    d.breaker().call_mut().raise(market, stage),
                );
            }
            1 => {
                let stranger = self.someone();
                self.attempt(
                    32,
                    d.auction,
                    stranger,
                    d.breaker().call_mut().trip(Some(0), Cause::Stale),
                );
            }
            2 => {
                let blocks = self.dice.below(900) as u32;
                self.w.advance(blocks + 1);
            }
            _ => {
                for market in [None, Some(0)] {
                    let message = d.breaker().call_mut().lower(market, Stage::Open);
                    self.attempt(32, d.auction, governor, message);
                }
            }
        }
    }

    fn govern(&mut self, governor: AccountId) {
        let d = self.w.d;
        let who = self.someone();
        let batch = self.batch();
        let params = example_params();
        match self.dice.below(9) {
            0 => {
                let changed = MarketParams {
                    hole: self
                        .dice
                        .amount(quote(1), 9_000)
                        .plus(quote(2_000))
                        .unwrap(),
                    min_batch: quote(1_000),
                    liquidation_threshold: Ratio::from_bps(7_900),
                    notice: SHORTEST_NOTICE,
                    ..params
                };
                let message = d.admin().call_mut().propose_params(0, changed);
                self.attempt(33, d.vault, governor, message);
            }
            1 => {
                self.w.wait(SHORTEST_NOTICE + 1);
                self.attempt(33, d.vault, who, d.admin().call_mut().apply_params(0));
            }
            2 => self.attempt(33, d.vault, governor, d.admin().call_mut().cancel_params(0)),
            3 => {
                let limits = Limits {
                    initial_ltv: params.initial_ltv,
                    debt_ceiling: quote(900_000_000 - u128::from(self.dice.below(1_000))),
                    supply_cap: params.supply_cap,
                };
                self.attempt(
                    33,
                    d.vault,
                    governor,
                    d.admin().call_mut().restrict(0, limits),
                );
            }
            4 => self.attempt(33, d.auction, who, d.auction().call_mut().reprice(batch)),
            5 => {
                let (lender, in_kind) = (self.w.lender(), self.dice.below(2) == 0);
                let message = d.admin().call_mut().collect(0, in_kind);
                self.attempt(33, d.vault, lender, message);
            }
            6 => self.attempt(33, d.vault, who, d.admin().call_mut().take_in_kind(0, who)),
            7 => {
                let token = [d.quote, d.collateral][self.dice.below(2) as usize];
                let to = [d.vault, d.auction][self.dice.below(2) as usize];
                self.w.donate(who, token, to, 12_345);
                self.w.fund(who, d.quote, quote(10_000_000), d.vault);
                self.w.fund(who, d.collateral, collateral(100_000), d.vault);
            }
            _ if self.dice.below(12) == 0 => {
                self.attempt(33, d.vault, governor, d.admin().call_mut().wind_down(0));
            }
            _ => self.w.advance(40),
        }
    }
}

/// Seeded histories of every message there is, in any order: deposits, loans, falls of the price,
/// batches, bids, tiers, halts, losses, changes of terms, donations and the end of the market. The
/// books are compared after every sixteenth message and at the end.
#[test]
fn f24_random_histories_are_rebuilt_from_events_alone() {
    let (histories, messages) = (6, 400);
    let mut done = [0; KINDS];
    for seed in 0..histories {
        let mut history = History::new(seed);
        for step in 0..messages {
            history.act();
            if history.dice.below(3) == 0 {
                let blocks = history.dice.below(9) as u32;
                history.w.advance(blocks);
            }
            if step % 16 == 0 {
                history.w.assert_replay();
            }
        }
        for (sum, done) in done.iter_mut().zip(history.done) {
            *sum += done;
        }
    }
    let idle: Vec<_> = (0..KINDS)
        .filter(|kind| done[*kind] == 0 && ![4, 15, 19, 24].contains(kind))
        .collect();
    assert!(
        idle.is_empty(),
        "kinds of messages that never succeeded: {idle:?}, {done:?}"
    );
}
