//! Promise 9 where gas runs out (I-49): every message of every contract, with each dimension of
//! its gas cut at 50 points under what it needs, either does everything or nothing. Nobody chooses
//! a result by how much gas a call has.

use breakwater_chain::{AccountId, Chain, Constructor, Message};
use breakwater_core::breaker::{Limits as BreakerLimits, Stage};
use breakwater_core::margin::MarginRule;
use breakwater_core::market::{example_params, Limits, MarketParams};
use breakwater_core::oracle::{FeedConfig, SourceConfig, FEED_NOTICE};
use breakwater_core::timelock::SHORTEST_NOTICE;
use breakwater_core::units::{Amount, Shares};
use breakwater_embedded_tests::gas::{cut, Cuts, POINTS};
use breakwater_embedded_tests::{collateral, price, quote, Scene, World};
use breakwater_interfaces::auction::LiquidationAuction;
use breakwater_interfaces::breaker::CircuitBreaker;
use breakwater_interfaces::governance::{Governed, Guarded};
use breakwater_interfaces::oracle::OracleAdapter;
use breakwater_interfaces::vault::MarginVault;
use breakwater_interfaces::vault_admin::VaultAdmin;
use breakwater_sim::artifacts::Contract;
use breakwater_sim::bench::messages;
use breakwater_sim::deployment::{Deployment, VaultRef};
use futures::executor::block_on;
use ink::codegen::TraitCallBuilder;
use ink::env::call::utils::EmptyArgumentList;
use ink::env::call::{ExecutionInput, Selector};
use scale::Decode;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::{fs, path::Path};

/// Messages cut so far, by contract, and how the cuts ended.
#[derive(Default)]
struct Covered {
    messages: BTreeSet<(String, String)>,
    cuts: Cuts,
}

impl Covered {
    fn note(&mut self, contract: &str, message: &str, cuts: Cuts) {
        assert_eq!(
            u64::from(cuts.completed + cuts.unchanged),
            2 * POINTS,
            "{message}"
        );
        self.cuts = self.cuts.plus(cuts);
        self.messages.insert((contract.into(), message.into()));
    }

    /// Cuts a message and then sends it for good.
    fn run<T: Decode, E: Decode + Debug>(
        &mut self,
        w: &mut World,
        (who, to): (AccountId, AccountId),
        (contract, name): (&str, &str),
        message: impl Into<Message<Result<T, E>>>,
    ) {
        let message = message.into();
        let contracts = [
            w.d.oracle,
            w.d.vault,
            w.d.auction,
            w.d.collateral,
            w.d.quote,
            to,
        ];
        let input = message.input().to_vec();
        let cuts = cut(&mut w.chain, &contracts, (who, to), &input, name);
        self.note(contract, name, cuts);
        if let Err(error) = w.send(who, to, message) {
            panic!("{contract}.{name}: {error:?}");
        }
    }
}

/// Cuts and sends: `cut!(covered, w, who, vault/admin: wind_down(0))`. The first name is the
/// contract's, the second that of the handle that builds the call.
macro_rules! cut {
    ($covered:expr, $w:expr, $who:expr, $contract:ident/$handle:ident: $message:ident($($arg:expr),*)) => {{
        let message = $w.d.$handle().call_mut().$message($($arg),*);
        let (who, to) = ($who, $w.d.$contract);
        let names = (stringify!($contract), stringify!($message));
        $covered.run(&mut $w, (who, to), names, message);
    }};
}

/// The story of the table of costs: what users and keepers send.
fn everyday(covered: &mut Covered) {
    messages::each(&mut |stage, sent| {
        let d = stage.d;
        let contracts = [d.oracle, d.vault, d.auction, d.collateral, d.quote];
        let ends = (sent.who, sent.to);
        let cuts = cut(
            &mut stage.chain,
            &contracts,
            ends,
            &sent.input,
            sent.message,
        );
        covered.note(sent.contract, sent.message, cuts);
    })
    .expect("the story of the table");
}

fn now(w: &World) -> u64 {
    block_on(w.chain.now()).expect("clock")
}

fn instantiate(
    w: &mut World,
    code: &[u8],
    input: &ExecutionInput<impl scale::Encode>,
) -> AccountId {
    let governor = w.governor();
    let made = w
        .chain
        .instantiate(&governor, code, Constructor::<()>::new(input), b"more");
    block_on(made).expect("instantiates").value
}

fn new() -> ExecutionInput<EmptyArgumentList> {
    ExecutionInput::new(Selector::new(ink::selector_bytes!("new")))
}

fn bundle(name: &str) -> serde_json::Value {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../artifacts/{name}.contract"));
    let text = fs::read_to_string(path).expect("a bundle: run scripts/build.sh");
    serde_json::from_str(&text).expect("a bundle is JSON")
}

/// A contract that answers as an oracle; see `contracts/test_source`.
fn source(w: &mut World) -> AccountId {
    let bundle = bundle("test_source");
    let digits = bundle["source"]["wasm"].as_str().expect("holds code");
    let digits = digits.trim_start_matches("0x");
    let code: Vec<u8> = (0..digits.len() / 2)
        .map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).expect("digits"))
        .collect();
    instantiate(w, &code, &new())
}

/// The oracle: feeds, feeders, sources.
fn oracle(covered: &mut Covered) {
    const FEED: u32 = 7;
    let mut w = World::new();
    let (governor, feeder, keeper) = (w.governor(), w.feeders[0], w.account(40));
    let at = now(&w);
    cut!(covered, w, feeder, oracle/oracle: submit(0, price(201), at));
    let config = FeedConfig::standard(1, 60_000, 1, 60_000);
    cut!(covered, w, governor, oracle/oracle: register_feed(FEED, config));
    let other = FeedConfig::standard(3, 300_000, 2, 900_000);
    cut!(covered, w, governor, oracle/oracle: propose_feed(0, Some(other)));
    w.wait(FEED_NOTICE);
    cut!(covered, w, keeper, oracle/oracle: apply_feed(0));
    cut!(covered, w, governor, oracle/oracle: add_feeder(FEED, keeper));
    cut!(covered, w, governor, oracle/oracle: remove_feeder(FEED, keeper));
    let source = source(&mut w);
    let config = SourceConfig {
        pair: "DOT/USD".into(),
        decimals: 8,
        tick: 1,
        ref_time: 20_000_000_000,
        proof_size: 300_000,
    };
    cut!(covered, w, governor, oracle/oracle: add_source(FEED, source, config.clone()));
    let honest = ExecutionInput::new(Selector::new(ink::selector_bytes!("set")))
        .push_arg(0u8)
        .push_arg(now(&w))
        .push_arg(200u128 * 100_000_000);
    let told = Message::<Result<(), ()>>::new(&honest);
    let _ = block_on(w.chain.call(&governor, source, told));
    cut!(covered, w, keeper, oracle/oracle: poke(FEED, source));
}

/// Roles in every contract, and the terms of a market.
fn governance(covered: &mut Covered) {
    let mut w = World::new();
    let (governor, heir, guardian) = (w.governor(), w.account(50), w.account(55));
    let d = w.d;
    for (name, to) in [("vault", d.vault), ("auction", d.auction)] {
        let message = Deployment::guarded(to)
            .call_mut()
            .set_guardian(Some(guardian));
        covered.run(&mut w, (governor, to), (name, "set_guardian"), message);
    }
    let params = MarketParams {
        min_debt: quote(90),
        ..example_params()
    };
    cut!(covered, w, governor, vault/admin: propose_params(0, params.clone()));
    cut!(covered, w, guardian, vault/admin: cancel_params(0));
    let propose = d.admin().call_mut().propose_params(0, params.clone());
    w.vault(governor, propose).expect("proposes");
    w.wait(SHORTEST_NOTICE);
    cut!(covered, w, heir, vault/admin: apply_params(0));
    let limits = Limits {
        initial_ltv: params.initial_ltv,
        debt_ceiling: quote(1_000_000),
        supply_cap: params.supply_cap,
    };
    cut!(covered, w, guardian, vault/admin: restrict(0, limits));
    w.fund(heir, d.quote, quote(10), d.vault);
    cut!(covered, w, heir, vault/admin: insure(0, quote(10)));
    w.approve_probe(governor, &[d.collateral, d.quote]);
    cut!(covered, w, governor, vault/vault: create_market(d.quote, d.collateral, MarketParams {
        collateral_decimals: 6,
        quote_decimals: 18,
        ..example_params()
    }));
    cut!(covered, w, governor, auction/auction: register_market(1));
    let limits = BreakerLimits::standard(quote(1_000_000));
    cut!(covered, w, governor, auction/breaker: set_limits(0, limits));
    cut!(covered, w, heir, auction/breaker: refresh(0));
    for market in [Some(0), None] {
        let raise = d.breaker().call_mut().raise(market, Stage::Halted);
        w.auction(guardian, raise).expect("raises");
        w.advance(limits.role_term + limits.cool_off + 1);
        cut!(covered, w, heir, auction/breaker: reopen(market));
    }
    for (name, to) in [
        ("oracle", d.oracle),
        ("vault", d.vault),
        ("auction", d.auction),
    ] {
        let propose = Deployment::governed(to)
            .call_mut()
            .propose_governor(Some(heir));
        covered.run(&mut w, (governor, to), (name, "propose_governor"), propose);
        let accept = Deployment::governed(to).call_mut().accept_governor();
        covered.run(&mut w, (heir, to), (name, "accept_governor"), accept);
    }
    // A vault whose auction nobody has named.
    let code = Contract::MarginVault.code().expect("a bundle");
    let ext = Contract::VaultExt.code_hash().expect("a bundle");
    let input = new().push_arg(governor).push_arg(d.oracle).push_arg(ext);
    let vault = instantiate(&mut w, &code, &input);
    let message = VaultRef::from(vault).call_mut().set_auction(d.auction);
    covered.run(&mut w, (governor, vault), ("vault", "set_auction"), message);
}

/// What may happen to a running batch.
fn running(covered: &mut Covered) {
    let mut params = example_params();
    params.min_batch = quote(5_000);
    params.ladder.announce_blocks = 6;
    let positions: Vec<_> = (0..10).map(|i| (collateral(10), Scene::debt(i))).collect();
    let mut s = Scene::of(params.clone(), &positions, Amount::ZERO);
    let (owner, bidder, stranger, d) = (s.owners[9], s.bidders[0], s.stranger, s.w.d);
    s.w.set_price_twice(price(170));
    let batch = s.open();
    s.w.fund_bidder(bidder, quote(15_000));
    s.w.advance(1);
    let prices = s.w.record(batch).auction.prices;
    let bid = s.bid(0, batch, quote(5_000), prices[20]);
    cut!(covered, s.w, stranger, auction/auction: extend(batch));
    cut!(covered, s.w, bidder, auction/auction: replace(batch, bid, quote(6_000), prices[12], u32::MAX));
    s.w.fund(owner, d.collateral, collateral(3), d.vault);
    let add = d.vault().call_mut().deposit(0, collateral(3));
    s.w.vault(owner, add).expect("is held aside");
    s.w.fund(owner, d.quote, params.keeper_tip, d.vault);
    cut!(covered, s.w, owner, auction/auction: leave(batch));
    s.w.run_to(batch, 5);
    s.w.set_price_twice(price(140));
    cut!(covered, s.w, stranger, auction/auction: reprice(batch));
}

/// A margin that follows the volatility.
fn margin(covered: &mut Covered) {
    let mut s = Scene::with_params(MarketParams {
        margin: MarginRule::STANDARD,
        ..example_params()
    });
    s.w.set_price_twice(price(180));
    s.w.set_price_twice(price(200));
    let stranger = s.stranger;
    cut!(covered, s.w, stranger, vault/admin: update_margin(0));
}

/// Owners and lenders: out at once, and the end of a market.
fn leaving(covered: &mut Covered) {
    let mut s = Scene::new();
    let (first, second, third, d) = (s.owners[0], s.owners[1], s.owners[2], s.w.d);
    for owner in [first, second] {
        s.w.fund(owner, d.quote, quote(2_000), d.vault);
    }
    cut!(covered, s.w, first, vault/vault: repay_and_withdraw(0, quote(700), collateral(1)));
    cut!(covered, s.w, second, vault/vault: close(0));
    // A lender whom ticks that are insolvent would cost: it asks the oracle, which can be starved.
    let lender = s.w.lender();
    s.w.set_price_twice(price(140));
    let (shares, value) = s.w.lent(lender);
    let part = Shares::new(shares.get() / 1_000);
    let redeem = d.vault().call_mut().redeem(0, part);
    let start = s.w.save();
    let paid = s.w.vault(lender, redeem).expect("redeems").value;
    assert!(paid.get() < value.get() / 1_000, "a loss is visible");
    s.w.restore(&start);
    cut!(covered, s.w, lender, vault/vault: redeem(0, part));
    s.w.set_price_twice(price(170));
    let batch = s.open();
    s.w.run_out(batch);
    s.w.settle(s.keeper, batch);
    s.w.rest(s.keeper, batch);
    cut!(covered, s.w, s.w.governor(), vault/admin: wind_down(0));
    s.w.wait(SHORTEST_NOTICE);
    s.w.set_price_twice(price(170));
    let stranger = s.stranger;
    cut!(covered, s.w, stranger, vault/admin: take_in_kind(0, third));
    cut!(covered, s.w, lender, vault/admin: collect(0, true));
    cut!(covered, s.w, lender, vault/admin: collect(0, false));
}

/// A batch over so many ticks that its settlement leaves work.
fn resting(covered: &mut Covered) {
    let positions: Vec<_> = (0..10)
        .map(|i| (collateral(10), quote(1_000 + 50 * i)))
        .collect();
    let mut s = Scene::of(example_params(), &positions, quote(20_000));
    s.w.set_price_twice(price(100));
    let (batch, keeper) = (s.open(), s.keeper);
    s.w.run_out(batch);
    assert!(!s.w.settle(keeper, batch).rested);
    cut!(covered, s.w, keeper, vault/vault: rest(batch.market, batch.number, 8));
}

/// Messages that only the auction may send: they are cut inside its own.
const OF_THE_AUCTION: [&str; 5] = [
    "open_batch",
    "extend_batch",
    "leave_batch",
    "settle_batch",
    "set_stage",
];

#[test]
fn promise_9_a_message_short_of_gas_does_everything_or_nothing() {
    let mut covered = Covered::default();
    everyday(&mut covered);
    oracle(&mut covered);
    governance(&mut covered);
    running(&mut covered);
    margin(&mut covered);
    leaving(&mut covered);
    resting(&mut covered);
    // No message is forgotten: the bundles say which there are.
    let bundles = [
        ("oracle", "oracle_adapter"),
        ("vault", "margin_vault"),
        ("auction", "liquidation_auction"),
    ];
    for (contract, name) in bundles {
        let bundle = bundle(name);
        let all = bundle["spec"]["messages"].as_array().expect("messages");
        for message in all.iter().filter(|message| message["mutates"] == true) {
            let label = message["label"].as_str().expect("a label");
            let label = label.rsplit("::").next().expect("a name");
            if contract == "vault" && OF_THE_AUCTION.contains(&label) {
                continue;
            }
            let named = (contract.to_owned(), label.to_owned());
            assert!(
                covered.messages.contains(&named),
                "{contract}.{label} is not cut"
            );
        }
    }
    println!("{} messages: {:?}", covered.messages.len(), covered.cuts);
    assert!(covered.cuts.unchanged > covered.cuts.completed);
}
