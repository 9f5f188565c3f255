//! The slow model beside a whole market: one history, lived by the contracts' messages over the
//! core and by the model of `crates/core/tests/model`, which keeps every position on its own and
//! shares no arithmetic with the core.
//!
//! What a message did is taken from the events it told. The model predicts from them what every
//! position, lender and keeper has; after each step that is compared, books to the unit and
//! positions within the bound of rounding that `slow.rs` derives.

mod batches;
mod checks;
mod endings;
mod touching;

use crate::books::{Books, Stock};
use crate::scale::{distance, down, rough, Fix, INDEX_ONE};
use crate::slow::Slow;
use breakwater_core::interest::InterestCurve;
use breakwater_core::market::MarketState;
use breakwater_core::page::{slot_of, CohortId, Departure};
use breakwater_core::position::PositionView;
use breakwater_core::units::{Amount, Price};
use breakwater_interfaces::vault::{
    BatchExtended, BatchLeft, BatchOpened, BatchRested, BatchSettled, PositionSynced, Redeemed,
    RewardClaimed, Supplied,
};
use breakwater_interfaces::vault_admin::MarketChanged;
use breakwater_interfaces::AccountId;
use breakwater_native::acts::{Cast, FIRST_PRICE};
use breakwater_native::checks::Seen;
use breakwater_native::{Answer, Emitted, Message, Native};
use scale::DecodeAll;
use std::collections::BTreeMap;
use touching::Touch;

/// What a batch was opened on.
struct Terms {
    /// Keeper's tip, its share in ppm, and whether insurance tops it up.
    tip: u128,
    share: u128,
    topped_up: bool,
    /// First and last price of the ladder.
    start: u128,
    floor: u128,
    reference: u128,
    /// Collateral of insurance's own.
    offered: u128,
}

/// The model of a market.
pub struct Beside {
    pub slow: Slow,
    books: Books,
    users: Vec<AccountId>,
    lenders: Vec<u128>,
    /// What lenders have collected in a wind-down: quote, collateral.
    collected: Vec<(u128, u128)>,
    rewards: BTreeMap<AccountId, u128>,
    /// Where groups of batches came from, until they are put back.
    cohorts: BTreeMap<(u32, u16), CohortId>,
    terms: BTreeMap<u32, Terms>,
    /// What groups lacked at the floor when their batch was settled, and by how much that may be
    /// off, until they are put back.
    unrested: BTreeMap<(u32, u16), (Fix, u128)>,
    /// Comparisons made, and the largest part of the bound that was used.
    pub compared: u64,
    pub worst: f64,
}

impl Beside {
    /// Beside a market that has just begun.
    pub fn new(n: &Native, cast: &Cast) -> Self {
        let users = cast.users.clone();
        Self {
            slow: Slow::new(n.vault.market.params.clone(), users.len()),
            books: Books::default(),
            lenders: vec![0; users.len()],
            collected: vec![(0, 0); users.len()],
            rewards: BTreeMap::new(),
            cohorts: BTreeMap::new(),
            terms: BTreeMap::new(),
            unrested: BTreeMap::new(),
            users,
            compared: 0,
            worst: 0.0,
        }
    }

    /// Follows a step, and compares.
    pub fn follow(&mut self, seen: &Seen) {
        let after = match seen {
            Seen::Message {
                before,
                message,
                answer,
                after,
                ..
            } => {
                if answer.done {
                    self.message(before, message, answer, after);
                } else {
                    self.refused(after, message, answer);
                }
                after
            }
            Seen::Time(after) => after,
        };
        self.compare(after);
    }

    fn who(&self, account: AccountId) -> usize {
        let found = self.users.iter().position(|user| *user == account);
        found.expect("a user")
    }

    /// Parameters as they are in force.
    fn take_params(&mut self, n: &Native) {
        let market = &n.vault.market;
        let threshold = market.threshold_at(n.now).expect("eases");
        self.slow.params = market.params.clone();
        self.slow.params.liquidation_threshold = threshold;
    }

    fn lent(&self, state: &MarketState) -> u128 {
        down(state.debt.get(), self.slow.index, INDEX_ONE) + state.batched_debt.get()
    }

    /// Interest of some time, on what is lent.
    fn accrue(&mut self, state: &MarketState, curve: &InterestCurve, time: u64) {
        if time == 0 || state.debt.is_zero() {
            return;
        }
        let before = self.lent(state);
        let rate = self.books.rate(curve, before);
        self.slow.index = Books::grown(self.slow.index, rate, time);
        if self.books.end.is_none() {
            let after = self.lent(state);
            self.books.pay_reserve(after - before, after, curve);
        }
    }

    fn message(&mut self, before: &Native, message: &Message, answer: &Answer, after: &Native) {
        let (was, is) = (&before.vault.state, &after.vault.state);
        self.take_params(before);
        let curve = before.vault.market.params.interest;
        self.accrue(was, &curve, is.accrued_at - was.accrued_at);
        let events = after.events();
        let synced = answer.bytes.first() == Some(&1);
        for event in events {
            self.event(before, after, event, synced);
        }
        let mut touches: BTreeMap<usize, Vec<Touch>> = BTreeMap::new();
        for (owner, change) in events.iter().filter_map(Touch::told) {
            touches.entry(self.who(owner)).or_default().push(change);
        }
        let whole = matches!(message, Message::Close);
        for (who, changes) in touches {
            self.touch(after, who, &changes);
            if whole {
                let left = after.vault.position(self.users[who]);
                assert!(left.is_empty(), "closed, and {left:?} is left");
            }
        }
    }

    fn event(&mut self, before: &Native, after: &Native, event: &Emitted, synced: bool) {
        let lent = self.lent(&before.vault.state);
        if let Some(it) = event.decode::<Supplied>() {
            let minted = self.books.supply(it.amount.get(), lent);
            assert_eq!(minted, it.shares.get(), "shares of a supply");
            let who = self.who(it.lender);
            self.lenders[who] += minted;
        } else if let Some(it) = event.decode::<Redeemed>() {
            let (shares, paid) = (it.shares.get(), it.amount.get());
            let (lacks, off) = self.lacking(before);
            let near = distance(&lacks, it.provision.get()) <= off;
            assert!(near, "{:?}, not {}", it.provision, rough(&lacks));
            let worth = self.books.worth(shares, lent, it.provision.get());
            assert_eq!(paid, worth, "a lender's exit");
            self.books.cash -= paid;
            self.books.shares -= shares;
            let who = self.who(it.lender);
            self.lenders[who] -= shares;
        } else if let Some(it) = event.decode::<RewardClaimed>() {
            let due = self.rewards.remove(&it.keeper);
            assert_eq!(due, Some(it.amount.get()), "a keeper's reward");
            self.books.rewards -= it.amount.get();
        } else if let Some(it) = event.decode::<PositionSynced>() {
            let who = self.who(it.owner);
            self.sync(after, who, synced);
        } else if event.decode::<BatchRested>().is_some() {
            self.put_back(after);
        } else if let Some(it) = event.decode::<BatchOpened>() {
            self.opened(before, after, &it);
        } else if let Some(it) = event.decode::<BatchExtended>() {
            self.extended(before, after, &it);
        } else if let Some(it) = event.decode::<BatchLeft>() {
            self.left(after, &it);
        } else if let Some(it) = event.decode::<BatchSettled>() {
            self.settled(before, after, &it);
        } else if let Some(it) = event.decode::<MarketChanged>() {
            self.changed(before, after, &it);
        }
    }

    /// A position's view at the market's price.
    fn view(&self, n: &Native, who: usize) -> PositionView {
        let view = n.position_at(self.users[who], price(n));
        view.unwrap_or_else(|error| panic!("view of {who}: {error:?}"))
    }

    /// Groups that the ledger has put back while it did something else.
    fn put_back(&mut self, after: &Native) {
        let departures = &after.vault.cells.departures;
        let (slow, unrested) = (&mut self.slow, &mut self.unrested);
        self.cohorts.retain(|(number, rank), id| {
            let still = departures
                .get(&id.departures())
                .and_then(|cell| cell.get(slot_of(id.tick)))
                .is_some_and(|d| matches!(d, Departure::Batched(b) if b.batch == *number));
            if !still {
                slow.put_back(*number, *rank);
                unrested.remove(&(*number, *rank));
            }
            still
        });
    }

    /// A touched position: out of its group, changed, and into the tick of its own ratio.
    /// `back` is what it was paid of its money paid in advance.
    fn touched(&mut self, after: &Native, who: usize, back: u128, change: impl FnOnce(&mut Slow)) {
        self.put_back(after);
        let prepaid = after.vault.position(self.users[who]).prepaid.get() + back;
        let had = self.slow.owners[who].prepaid;
        self.slow.touch(who, prepaid);
        self.books.prepaid -= had - prepaid;
        self.books.cash += had - prepaid;
        self.slow.owners[who].prepaid -= back;
        self.books.prepaid -= back;
        change(&mut self.slow);
        let trigger = self.view(after, who).liquidation_price;
        self.slow.attach(who, trigger.map(Price::get));
    }

    fn sync(&mut self, after: &Native, who: usize, done: bool) {
        if done && !self.slow.away(who) {
            self.touched(after, who, 0, |_| {});
        } else {
            self.put_back(after);
            self.slow.off.0 += 2;
            self.slow.off.1 += 2;
        }
    }
}

/// The price at which positions are looked at.
fn price(n: &Native) -> Price {
    n.read().map_or(FIRST_PRICE, |reading| reading.round.price)
}

/// What insurance may spend now.
fn allowance(books: &Books, slow: &Slow, day: u32) -> u128 {
    let params = &slow.params;
    let budget = params.insurance_budget_a_day().map_or(0, Amount::get);
    let stock: &Stock = &books.stock;
    stock.allowance(budget, books.insurance, day)
}

fn error_of<E: DecodeAll>(answer: &Answer) -> Option<E> {
    E::decode_all(&mut &*answer.bytes).ok()
}
