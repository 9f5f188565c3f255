//! Another contract as a feeder: whatever it does instead of answering is a missing feeder, an
//! error, and nothing changed; the market goes on.

use breakwater_chain::{AccountId, Chain, Constructor, Message, Trace};
use breakwater_core::oracle::{FeedConfig, FeedStatus, OracleError, SourceConfig};
use breakwater_core::units::Ratio;
use breakwater_embedded_tests::{collateral, price, quote, refused, Scene, World};
use breakwater_interfaces::auction::LiquidationAuction;
use breakwater_interfaces::oracle::OracleAdapter;
use breakwater_interfaces::vault::{MarginVault, VaultError};
use breakwater_sim::artifacts::ARTIFACTS_VARIABLE;
use futures::executor::block_on;
use ink::codegen::TraitCallBuilder;
use ink::env::call::{ExecutionInput, Selector};
use std::fs;
use std::path::{Path, PathBuf};

/// How the test source answers, in the order of its `Mode`.
const HONEST: u8 = 0;
const SILENT: u8 = 1;
const TRAP: u8 = 2;
const BURN: u8 = 3;
const GARBAGE: u8 = 4;
const REVERT: u8 = 5;

const FEED: u32 = 7;

fn code() -> Vec<u8> {
    let released = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../artifacts");
    let directory = std::env::var_os(ARTIFACTS_VARIABLE).map_or(released, PathBuf::from);
    let text = fs::read_to_string(directory.join("test_source.contract"))
        .expect("test_source.contract: run scripts/build.sh");
    let digits = text.split("\"wasm\":\"0x").nth(1).expect("holds code");
    let digits = digits.split('"').next().unwrap().as_bytes();
    let digit = |at: usize| char::from(digits[at]).to_digit(16).unwrap() as u8;
    (0..digits.len() / 2)
        .map(|at| digit(2 * at) * 16 + digit(2 * at + 1))
        .collect()
}

fn config() -> SourceConfig {
    SourceConfig {
        pair: "DOT/USD".into(),
        decimals: 8,
        tick: 1,
        ref_time: 20_000_000_000,
        proof_size: 300_000,
    }
}

/// A world with a feed that one source is enough for.
fn scene() -> (World, AccountId) {
    let mut w = World::new();
    let governor = w.governor();
    let new = ExecutionInput::new(Selector::new(ink::selector_bytes!("new")));
    let code = code();
    let made = w
        .chain
        .instantiate(&governor, &code, Constructor::<()>::new(&new), b"source");
    let source = block_on(made).expect("instantiates").value;
    let mut oracle = w.d.oracle();
    let register = oracle
        .call_mut()
        .register_feed(FEED, FeedConfig::standard(1, 60_000, 1, 60_000));
    w.send(governor, w.d.oracle, register).expect("registers");
    let add = oracle.call_mut().add_source(FEED, source, config());
    w.send(governor, w.d.oracle, add).expect("adds");
    (w, source)
}

fn now(w: &World) -> u64 {
    block_on(w.chain.now()).unwrap()
}

fn tell(w: &mut World, source: AccountId, mode: u8, at: u64, price: u128) {
    let who = w.governor();
    let set = ExecutionInput::new(Selector::new(ink::selector_bytes!("set")))
        .push_arg(mode)
        .push_arg(at)
        .push_arg(price);
    // Its message returns nothing that could be refused.
    let message = Message::<Result<(), ()>>::new(&set);
    let _ = block_on(w.chain.call(&who, source, message));
}

#[test]
fn anyone_fetches_an_honest_price() {
    let (mut w, source) = scene();
    let (keeper, at) = (w.account(40), now(&w));
    tell(&mut w, source, HONEST, at, 200 * 100_000_000);
    let poke = w.d.oracle().call_mut().poke(FEED, source);
    let round = w.send(keeper, w.d.oracle, poke).expect("fetches").value;
    assert_eq!(
        round.map(|round| (round.price, round.at)),
        Some((price(200), at))
    );
    let reading = w
        .ask(w.d.oracle, w.d.oracle().call().read(FEED))
        .expect("has a round");
    assert_eq!(
        (reading.status, reading.low),
        (FeedStatus::Fresh, price(200))
    );
    // The same answer again is no news.
    refused! { w, oracle, keeper => poke(FEED, source), OracleError::Replayed; }
}

#[test]
fn every_misbehaviour_is_a_missing_feeder_and_changes_nothing() {
    let (mut w, source) = scene();
    let (keeper, at) = (w.account(40), now(&w));
    for mode in [SILENT, TRAP, BURN, GARBAGE, REVERT] {
        tell(&mut w, source, mode, at, 1);
        refused! { w, oracle, keeper => poke(FEED, source), OracleError::SourceFailed; }
    }
    let answers = [
        (at, 0, OracleError::InvalidPrice),
        (at, u128::MAX, OracleError::InvalidPrice),
        (now(&w) + 1_000_000, 1, OracleError::FromTheFuture),
        (at - 60_000, 1, OracleError::TooOld),
    ];
    w.advance(1);
    for (at, price, error) in answers {
        tell(&mut w, source, HONEST, at, price);
        refused! { w, oracle, keeper => poke(FEED, source), error; }
    }
    // An account without code is no source that answers either.
    let (governor, nobody) = (w.governor(), w.account(41));
    let add = w.d.oracle().call_mut().add_source(FEED, nobody, config());
    w.send(governor, w.d.oracle, add).expect("adds");
    refused! { w, oracle, keeper => poke(FEED, nobody), OracleError::SourceFailed; }
    assert_eq!(
        w.ask(w.d.oracle, w.d.oracle().call().read(FEED)),
        Err(OracleError::NoRound)
    );
    // The market's own feed has not noticed.
    w.set_price(price(201));
    w.open_position(keeper, collateral(1), quote(120));
}

#[test]
fn sources_are_the_governors_and_leave_with_their_configuration() {
    let (mut w, source) = scene();
    let (governor, keeper) = (w.governor(), w.account(40));
    let other = w.account(41);
    let free = SourceConfig {
        ref_time: 0,
        ..config()
    };
    refused! { w, oracle,
        keeper => add_source(FEED, other, config()), OracleError::Unauthorised;
        governor => add_source(9, other, config()), OracleError::UnknownFeed;
        governor => add_source(FEED, source, config()), OracleError::CannotAddFeeder;
        governor => add_source(FEED, other, free.clone()), OracleError::InvalidConfig;
        keeper => poke(FEED, other), OracleError::NotASource;
    }
    let remove = w.d.oracle().call_mut().remove_feeder(FEED, source);
    w.send(governor, w.d.oracle, remove).expect("removes");
    refused! { w, oracle, keeper => poke(FEED, source), OracleError::NotASource; }
}

/// A quarantined fall counts for who borrows or withdraws against debt; who repays, tops up or
/// owes nothing is not asked.
#[test]
fn borrowing_uses_the_worse_of_accepted_and_quarantined() {
    let mut w = World::with_feed(FeedConfig {
        deviation: Ratio::from_bps(1_000),
        drift: Ratio::from_bps(2_000),
        ..FeedConfig::standard(2, 600_000, 1, 1_800_000)
    });
    let (owner, free) = (w.account(40), w.account(41));
    w.open_position(owner, collateral(10), quote(900));
    w.fund(free, w.d.collateral, collateral(1), w.d.vault);
    let deposit = w.d.vault().call_mut().deposit(0, collateral(1));
    w.vault(free, deposit).expect("deposits");

    w.set_price(price(100));
    let reading = w.reading();
    assert_eq!(reading.status, FeedStatus::Quarantined);
    assert_eq!((reading.spot(), reading.low), (price(200), price(100)));
    use breakwater_core::ledger::LedgerError::ExceedsInitialLtv;
    refused! { w, vault,
        owner => borrow(0, quote(1)), VaultError::Ledger(ExceedsInitialLtv);
        owner => withdraw(0, collateral(1)), VaultError::Ledger(ExceedsInitialLtv);
    }
    let withdraw = w.d.vault().call_mut().withdraw(0, collateral(1));
    w.vault(free, withdraw).expect("owes nothing");
    w.fund(owner, w.d.quote, quote(200), w.d.vault);
    let repay = w.d.vault().call_mut().repay(0, owner, quote(200));
    w.vault(owner, repay).expect("repays");
    // The next round is where the market was: the fall was nothing.
    w.set_price(price(199));
    assert_eq!(w.reading().status, FeedStatus::Fresh);
    let borrow = w.d.vault().call_mut().borrow(0, quote(100));
    w.vault(owner, borrow).expect("borrows");
}

/// A read by the vault costs one hop: the oracle is called once, calls nothing, and reads one cell
/// beside its root.
#[test]
fn a_read_by_the_vault_costs_one_hop() {
    let mut s = Scene::new();
    let d = s.w.d;
    let asked = |trace: &Trace| trace.contracts.iter().filter(|it| **it == d.oracle).count();
    let borrow = d.vault().call_mut().borrow(0, quote(10));
    let borrow = s.w.chain.trace(s.owners[0], d.vault, borrow);
    assert_eq!(asked(&borrow.expect("borrows")), 1);
    let read = d.oracle().call().read(d.feed);
    let read =
        s.w.chain
            .trace(s.stranger, d.oracle, read)
            .expect("answers");
    assert_eq!(read.contracts, [d.oracle]);
    assert!(read.calls_of("get_storage") <= 2, "{:?}", read.host);
    s.w.set_price_twice(price(150));
    let open = d.auction().call_mut().open_batch(0);
    let open = s.w.chain.trace(s.keeper, d.auction, open).expect("opens");
    assert_eq!(asked(&open), 1, "{:?}", open.contracts);
    // Who owes nothing asks no oracle.
    let deposit = d.vault().call_mut().deposit(0, collateral(1));
    s.w.fund(s.stranger, d.collateral, collateral(1), d.vault);
    let deposit = s.w.chain.trace(s.stranger, d.vault, deposit);
    assert_eq!(asked(&deposit.expect("deposits")), 0);
}
