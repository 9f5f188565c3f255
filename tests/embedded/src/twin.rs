//! One history lived twice: by the rules in memory and by the released contracts on a chain.

use crate::gas::{send, Raw};
use breakwater_chain::{
    AccountId, CallError, CallOptions, Chain, ContractEvent, Embedded, Message as Call,
};
use breakwater_core::units::Amount;
use breakwater_interfaces::auction::{BatchKey, LiquidationAuction};
use breakwater_interfaces::breaker::CircuitBreaker;
use breakwater_interfaces::governance::Guarded;
use breakwater_interfaces::oracle::OracleAdapter;
use breakwater_interfaces::standing::StandingBids;
use breakwater_interfaces::token::PSP22;
use breakwater_interfaces::vault::MarginVault;
use breakwater_interfaces::vault_admin::VaultAdmin;
use breakwater_native::acts::{begin, resolve, terms, Act, Cast, Step, COLLATERAL, PURSE, QUOTE};
use breakwater_native::checks::Tally;
use breakwater_native::{Addresses, Answer, Message, Native, MARKET};
use breakwater_sim::deployment::{Deployment, Plan};
use futures::executor::block_on;
use ink::codegen::TraitCallBuilder;
use scale::{Decode, Encode};
use std::collections::BTreeMap;
use std::fmt::Debug;

/// More native tokens than any account here spends.
const NATIVE: u128 = 500_000_000_000_000_000;

/// Both.
pub struct Twin {
    chain: Embedded,
    d: Deployment,
    native: Native,
    cast: Cast,
    /// What has been sent so far.
    pub tally: Tally,
    /// Events compared, by name.
    pub told: BTreeMap<&'static str, u64>,
}

impl Twin {
    /// A market at its beginning, on a chain and in memory.
    ///
    /// # Panics
    /// The contracts cannot be deployed.
    #[must_use]
    pub fn new(variant: u32) -> Self {
        let mut chain = Embedded::new();
        let cast = Cast {
            users: (10..16).map(|index| chain.account(index)).collect(),
            feeders: (1..4).map(|index| chain.account(index)).collect(),
        };
        let (governor, guardian) = (chain.account(0), chain.account(9));
        let (feed, params) = terms(variant);
        let plan = Plan {
            governor,
            feeders: cast.feeders.clone(),
            feed,
            params,
        };
        for who in cast.users.iter().chain(&cast.feeders) {
            chain.fund(*who, NATIVE).expect("native tokens");
        }
        chain.fund(guardian, NATIVE).expect("native tokens");
        chain.fund(governor, NATIVE).expect("native tokens");
        let d = block_on(Deployment::deploy(&mut chain, &plan)).expect("deploys");
        for contract in [d.vault, d.auction] {
            let name = Deployment::guarded(contract)
                .call_mut()
                .set_guardian(Some(guardian));
            block_on(chain.call(&governor, contract, name)).expect("names a guardian");
        }
        let (collateral, quote) = PURSE;
        let most = Amount::new(u128::MAX);
        for user in &cast.users {
            let purses = [
                (d.collateral, collateral * COLLATERAL),
                (d.quote, quote * QUOTE),
            ];
            for (token, amount) in purses {
                let mint = breakwater_sim::deployment::mint(*user, amount);
                block_on(chain.call(user, token, mint)).expect("mints");
                for spender in [d.vault, d.auction] {
                    let approve = Deployment::token(token)
                        .call_mut()
                        .approve(spender, most.get());
                    block_on(chain.call(user, token, approve)).expect("approves");
                }
            }
        }
        let at = Addresses {
            governor,
            guardian,
            oracle: d.oracle,
            vault: d.vault,
            auction: d.auction,
            collateral: d.collateral,
            quote: d.quote,
        };
        let clock = (
            block_on(chain.block()).expect("block"),
            block_on(chain.now()).expect("clock"),
        );
        let native = begin(at, &cast, variant, clock).expect("valid terms");
        let twin = Self {
            chain,
            d,
            native,
            cast,
            tally: Tally::default(),
            told: BTreeMap::new(),
        };
        twin.assert_views();
        twin
    }

    /// The beginning of another history on the same chain: `live` leaves it as it was.
    ///
    /// # Panics
    /// Where the two differ, or an `Err` changed storage.
    pub fn history(&mut self, acts: impl Iterator<Item = Act>) {
        let (chain, native) = (self.chain.snapshot(), self.native.clone());
        for act in acts {
            self.live(act);
        }
        self.assert_views();
        self.chain.restore(&chain);
        self.native = native;
    }

    /// Lives one act on both.
    fn live(&mut self, act: Act) {
        for step in resolve(&self.native, &self.cast, act) {
            self.tally.steps += 1;
            match step {
                Step::Send(who, message) => self.send(who, &message),
                Step::Pass(blocks, block_time) => {
                    self.chain.set_block_time(block_time);
                    block_on(self.chain.advance(blocks)).expect("advances");
                    self.native.pass(blocks, block_time);
                }
            }
        }
    }

    /// The root of what each contract stores.
    fn roots(&self) -> [Option<Vec<u8>>; 5] {
        let d = &self.d;
        [d.oracle, d.vault, d.auction, d.collateral, d.quote]
            .map(|contract| self.chain.contract_root(contract))
    }

    fn send(&mut self, who: AccountId, message: &Message) {
        let (contract, input) = self.call(message);
        let expected = self.native.send(who, message);
        self.tally.note(message, &expected);
        let before = (!expected.done).then(|| self.roots());
        let result = send(
            &mut self.chain,
            who,
            contract,
            &input,
            CallOptions::default(),
        );
        let (answer, events) = match result {
            Ok(receipt) => {
                let bytes = receipt.value.0;
                (Answer { done: true, bytes }, receipt.events)
            }
            Err(CallError::Reverted(Raw(bytes))) => (Answer { done: false, bytes }, Vec::new()),
            Err(other) => panic!("{message:?}: {other:?}"),
        };
        assert_eq!(answer, expected, "{message:?} of {who:?}");
        self.assert_events(&events, message);
        if let Some(before) = before {
            assert!(
                before == self.roots(),
                "{message:?}: an Err changed storage"
            );
        }
        // A query costs as much as a message: some are asked at once, all at the end.
        if self.tally.steps.is_multiple_of(4) {
            self.assert_touched(who, message);
        }
    }

    /// The same events of the same contracts, in the same order. What test tokens tell is theirs.
    fn assert_events(&mut self, events: &[ContractEvent], message: &Message) {
        let d = &self.d;
        let ours = [d.oracle, d.vault, d.auction];
        let there: Vec<_> = events
            .iter()
            .filter(|event| ours.contains(&event.contract))
            .collect();
        let here = self.native.events();
        let names: Vec<_> = here.iter().map(|event| event.name).collect();
        assert_eq!(there.len(), here.len(), "{message:?}: {names:?} are told");
        for (here, there) in here.iter().zip(there) {
            let name = here.name;
            assert_eq!(
                there.contract, here.contract,
                "{message:?}: who tells {name}"
            );
            assert_eq!(
                there.topics, here.topics,
                "{message:?}: {name} is another event"
            );
            assert_eq!(there.data, here.data, "{message:?}: fields of {name}");
            *self.told.entry(name).or_default() += 1;
        }
    }

    fn ask<T: Decode>(&self, contract: AccountId, message: impl Into<Call<T>>) -> T {
        block_on(self.chain.query(contract, contract, message)).expect("answers")
    }

    /// The views that a message can have changed most.
    fn assert_touched(&self, who: AccountId, message: &Message) {
        let (n, d) = (&self.native, &self.d);
        match message {
            Message::Submit { .. } => same(
                &n.read(),
                &self.ask(d.oracle, d.oracle().call().read(d.feed)),
            ),
            Message::Bid { batch, .. }
            | Message::Replace { batch, .. }
            | Message::Cancel { batch, .. }
            | Message::Claim { batch, .. }
            | Message::Advance { batch }
            | Message::Reprice { batch } => {
                self.assert_auction(*batch);
                let balance = self.ask(d.auction, d.auction().call().balance(MARKET, who));
                same(&n.house.balance(who), &balance);
            }
            _ => {
                let books = self.ask(d.vault, d.vault().call().accounting(MARKET));
                same(&n.accounting(), &books);
            }
        }
    }

    fn assert_auction(&self, number: u32) {
        let (n, d) = (&self.native, &self.d);
        let batch = BatchKey {
            market: MARKET,
            number,
        };
        let auction = d.auction();
        let record = self.ask(d.auction, auction.call().auction(batch));
        same(&n.house.auctions.get(&number).cloned(), &record);
        let status = self.ask(d.auction, auction.call().status(batch));
        same(&n.status(number), &status);
    }

    /// Every view of every contract, for everybody.
    ///
    /// # Panics
    /// Where the chain shows something else than the rules in memory.
    pub fn assert_views(&self) {
        let (n, d) = (&self.native, &self.d);
        let (vault, auction, oracle) = (d.vault(), d.auction(), d.oracle());
        let clock = (
            block_on(self.chain.block()).expect("block"),
            block_on(self.chain.now()).expect("clock"),
        );
        same(&(n.block, n.now), &clock);
        let feed = self.ask(d.oracle, oracle.call().feed(d.feed));
        same(&Some(n.oracle.feed.clone()), &feed);
        same(&n.read(), &self.ask(d.oracle, oracle.call().read(d.feed)));
        same(
            &n.prices_since(0),
            &self.ask(d.oracle, oracle.call().prices_since(d.feed, 0)),
        );
        let market = self.ask(d.vault, vault.call().market(MARKET));
        same(&Some(n.vault.market.clone()), &market);
        let prices = self.ask(d.vault, vault.call().market_prices(MARKET));
        same(&n.market_prices(), &prices);
        let books = self.ask(d.vault, vault.call().accounting(MARKET));
        same(&n.accounting(), &books);
        for number in 0..=n.vault.state.batches {
            let batch = self.ask(d.vault, vault.call().batch(MARKET, number));
            same(&n.vault.cells.batches.get(&number).cloned(), &batch);
            self.assert_auction(number);
        }
        for who in &self.cast.users {
            let view = self.ask(d.vault, vault.call().position(MARKET, *who));
            same(&n.position(*who), &view);
            let lent = self.ask(d.vault, vault.call().lender(MARKET, *who));
            same(&n.lender(*who), &lent);
            let reward = self.ask(d.vault, vault.call().reward(MARKET, *who));
            let booked = n.vault.rewards.get(who).copied().unwrap_or_default();
            same(&booked, &reward);
            let balance = self.ask(d.auction, auction.call().balance(MARKET, *who));
            same(&n.house.balance(*who), &balance);
            for percent in [2, 3, 5, 8, 31] {
                let stake = d.standing().call().stake_of(MARKET, percent, *who);
                same(&n.stake_of(*who, percent), &self.ask(d.auction, stake));
            }
        }
        let treasury = self.ask(d.auction, auction.call().treasury(MARKET));
        same(&n.house.treasury, &treasury);
        let standing = self.ask(d.auction, d.standing().call().standing(MARKET));
        same(&n.house.standing, &standing);
        let breaker = self.ask(d.auction, d.breaker().call().breaker(MARKET));
        same(&Some((n.house.breaker, n.house.global.clone())), &breaker);
        let mut house = n.house.market.clone();
        house.halts = n.house.halts();
        same(
            &Some(house),
            &self.ask(d.auction, auction.call().market(MARKET)),
        );
        for who in self.cast.users.iter().chain([&d.vault, &d.auction]) {
            for token in [d.collateral, d.quote] {
                let held = Deployment::token(token).call().balance_of(*who);
                let held: u128 = self.ask(token, held);
                same(&n.tokens.held(token, *who).get(), &held);
            }
        }
    }

    /// The contract a message goes to, and its input.
    fn call(&self, message: &Message) -> (AccountId, Vec<u8>) {
        use Message as M;
        let d = &self.d;
        let (mut oracle, mut vault, mut admin) = (d.oracle(), d.vault(), d.admin());
        let (mut auction, mut standing, mut breaker) = (d.auction(), d.standing(), d.breaker());
        let key = |number: &u32| BatchKey {
            market: MARKET,
            number: *number,
        };
        let of = |of_market: &bool| of_market.then_some(MARKET);
        macro_rules! to {
            ($contract:ident, $handle:ident.$message:ident($($arg:expr),*)) => {
                (d.$contract, Call::from($handle.call_mut().$message($($arg),*)).input().to_vec())
            };
        }
        match message {
            M::Submit { price, at } => to!(oracle, oracle.submit(d.feed, *price, *at)),
            M::Supply { amount } => to!(vault, vault.supply(MARKET, *amount)),
            M::Redeem { shares } => to!(vault, vault.redeem(MARKET, *shares)),
            M::Deposit { amount } => to!(vault, vault.deposit(MARKET, *amount)),
            M::Withdraw { amount } => to!(vault, vault.withdraw(MARKET, *amount)),
            M::Borrow { amount } => to!(vault, vault.borrow(MARKET, *amount)),
            M::DepositAndBorrow { collateral, quote } => {
                to!(vault, vault.deposit_and_borrow(MARKET, *collateral, *quote))
            }
            M::Repay { owner, amount } => to!(vault, vault.repay(MARKET, *owner, *amount)),
            M::RepayAndWithdraw { repay, withdraw } => {
                to!(vault, vault.repay_and_withdraw(MARKET, *repay, *withdraw))
            }
            M::Close => to!(vault, vault.close(MARKET)),
            M::Reclaim => to!(vault, vault.reclaim(MARKET)),
            M::Sync { owner, moves } => to!(vault, vault.sync(MARKET, *owner, *moves)),
            M::Rest { batch, cells } => to!(vault, vault.rest(MARKET, *batch, *cells)),
            M::ClaimReward => to!(vault, vault.claim_reward(MARKET)),
            M::ProposeParams { params } => {
                to!(vault, admin.propose_params(MARKET, params.as_ref().clone()))
            }
            M::ApplyParams => to!(vault, admin.apply_params(MARKET)),
            M::CancelParams => to!(vault, admin.cancel_params(MARKET)),
            M::Restrict { limits } => to!(vault, admin.restrict(MARKET, *limits)),
            M::WindDown => to!(vault, admin.wind_down(MARKET)),
            M::Insure { amount } => to!(vault, admin.insure(MARKET, *amount)),
            M::Collect { in_kind } => to!(vault, admin.collect(MARKET, *in_kind)),
            M::TakeInKind { owner } => to!(vault, admin.take_in_kind(MARKET, *owner)),
            M::Fund { amount } => to!(auction, auction.deposit(MARKET, *amount)),
            M::Defund { amount } => to!(auction, auction.withdraw(MARKET, *amount)),
            M::OpenBatch => to!(auction, auction.open_batch(MARKET)),
            M::Extend { batch } => to!(auction, auction.extend(key(batch))),
            M::Leave { batch } => to!(auction, auction.leave(key(batch))),
            M::Bid {
                batch,
                budget,
                limit,
                valid_until,
            } => to!(
                auction,
                auction.bid(key(batch), *budget, *limit, *valid_until)
            ),
            M::Replace {
                batch,
                bid,
                budget,
                limit,
                valid_until,
            } => to!(
                auction,
                auction.replace(key(batch), *bid, *budget, *limit, *valid_until)
            ),
            M::Cancel { batch, bid } => to!(auction, auction.cancel(key(batch), *bid)),
            M::Reprice { batch } => to!(auction, auction.reprice(key(batch))),
            M::Advance { batch } => to!(auction, auction.advance(key(batch))),
            M::Settle { batch } => to!(auction, auction.settle(key(batch))),
            M::Claim { batch, bids } => to!(auction, auction.claim(key(batch), bids.clone())),
            M::Stand { percent, amount } => to!(auction, standing.stand(MARKET, *percent, *amount)),
            M::Unstand { percent, amount } => {
                to!(auction, standing.unstand(MARKET, *percent, *amount))
            }
            M::ClaimStanding { percent } => to!(auction, standing.claim_standing(MARKET, *percent)),
            M::Trip { of_market, cause } => to!(auction, breaker.trip(of(of_market), *cause)),
            M::Raise { of_market, stage } => to!(auction, breaker.raise(of(of_market), *stage)),
            M::Lower { of_market, stage } => to!(auction, breaker.lower(of(of_market), *stage)),
            M::Reopen { of_market } => to!(auction, breaker.reopen(of(of_market))),
            M::SetLimits { limits } => to!(auction, breaker.set_limits(MARKET, *limits)),
            M::Refresh => to!(auction, breaker.refresh(MARKET)),
        }
    }
}

/// Equal, and equally encoded.
#[track_caller]
fn same<T: PartialEq + Debug + Encode>(here: &T, there: &T) {
    assert_eq!(here, there, "in memory and on the chain");
    assert_eq!(here.encode(), there.encode());
}
