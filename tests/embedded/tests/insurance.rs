//! Insurance as the buyer at the floor, and ladders that answer to measured volatility, on the
//! contracts.

use breakwater_chain::{CallOptions, Chain, Constructor, Gas, Message};
use breakwater_core::auction::End;
use breakwater_core::inventory::Insured;
use breakwater_core::market::{example_params, MarketParams};
use breakwater_core::oracle::FeedConfig;
use breakwater_core::page::FIRST_WAIT;
use breakwater_core::units::{Amount, Price, Ratio};
use breakwater_embedded_tests::gas::Raw;
use breakwater_embedded_tests::{collateral, price, quote, worth, Scene, World};
use breakwater_interfaces::auction::{BatchKey, LiquidationAuction};
use breakwater_interfaces::vault_admin::VaultAdmin;
use futures::executor::block_on;
use ink::codegen::TraitCallBuilder;
use ink::env::call::{ExecutionInput, Selector};

/// Ten owners at 170, insurance with so much quote, and a batch that nobody bids for: the clock
/// has run out, and a later round says 165.
fn nobody_came(insurance: u128, params: MarketParams) -> (Scene, BatchKey) {
    let mut s = Scene::with_params(params);
    if insurance > 0 {
        let (payer, amount) = (s.stranger, quote(insurance));
        s.w.fund(payer, s.w.d.quote, amount, s.w.d.vault);
        let give = s.w.d.admin().call_mut().insure(0, amount);
        s.w.vault(payer, give).expect("gives");
    }
    s.w.set_price_twice(price(170));
    let batch = s.open();
    s.w.run_out(batch);
    s.w.set_price_twice(price(165));
    (s, batch)
}

/// All collateral of ten owners at 153, or what pays their debts and penalties: insurance pays it,
/// no token moves, nobody is rewarded. In the next batch a bidder buys it at one price with the
/// rest, and what it pays is insurance's. Books balance after every message.
#[test]
fn insurance_buys_what_nobody_bid_for_and_sells_it_in_the_next_batch() {
    let (mut s, batch) = nobody_came(50_000, example_params());
    let record = s.w.record(batch).auction;
    let floor = *record.prices.last().unwrap();
    assert_eq!(floor, price(153));
    let (before, books) = (s.w.accounting().state, s.w.books());
    let done = s.w.settle(s.keeper, batch);
    s.w.rest(s.keeper, batch);
    let all = record.targets.last().unwrap().get();
    let paid = done.insured.paid.get();
    assert!(paid <= all && paid + 10 >= all, "{paid} of {all}");
    assert_eq!(
        (done.price, done.raised, done.sold),
        (floor, Amount::ZERO, Amount::ZERO)
    );
    assert!(worth(done.insured.taken.get(), floor).abs_diff(paid) <= 2);
    let after = s.w.accounting().state;
    assert_eq!(after.inventory.held, done.insured.taken);
    assert_eq!(after.inventory.cost.get(), paid);
    assert_eq!(after.cash.get(), before.cash.get() + done.repaid.get());
    assert_eq!(
        after.insurance.get(),
        before.insurance.get() - paid + done.penalties.get()
    );
    assert_eq!(s.w.reward(s.keeper), 0);
    for (held, then) in s.w.books().entries().iter().zip(books.entries()) {
        assert_eq!(held.1.held, then.1.held, "{}: no token moves", held.0);
    }
    // The auction saw nobody, and so does the circuit breaker.
    let clearing = s.w.clearing(batch);
    assert_eq!((clearing.end, clearing.raised), (End::RanOut, Amount::ZERO));

    // The next fall: what is left of the owners and insurance's own in one lot.
    s.w.set_price_twice(price(150));
    let next = match s.w.open_batch(s.keeper) {
        Ok(next) => next,
        Err(_) => {
            // All of them were closed: it is offered alone, after its wait.
            s.w.advance(FIRST_WAIT);
            s.w.set_price_twice(price(150));
            s.open()
        }
    };
    let stored = s.w.batch(next);
    assert_eq!(stored.offered, after.inventory.held);
    let auction = s.w.record(next).auction;
    let insurance = s.w.accounting().state.insurance.get();
    s.bid(0, next, auction.targets[25], auction.prices[25]);
    s.w.run_to(next, 26);
    let sale = s.w.settle(s.keeper, next);
    s.w.rest(s.keeper, next);
    assert_eq!(sale.insured.sold, stored.offered);
    let proceeds = sale.insured.proceeds.get();
    assert!(proceeds.abs_diff(worth(stored.offered.get(), auction.prices[25])) <= 1);
    let now = s.w.accounting().state;
    let gained = now.insurance.get() - insurance;
    let due = proceeds + sale.waterfall.to_insurance.get() - sale.waterfall.top_up.get();
    assert_eq!(gained, due);
    assert_eq!(now.inventory.held, Amount::ZERO);
    let fill = s.w.claim(s.bidders[0], next, &[0]);
    assert!(fill.received.get() >= stored.offered.get() - 1);
}

/// Without a fresh round, with a round under the floor, with a dead feed, with a budget of zero or
/// no money: the batch ends as it always did, and everything goes back.
#[test]
fn insurance_stays_out_and_the_batch_ends_all_the_same() {
    let none = MarketParams {
        insurance_budget: Ratio::ZERO,
        ..example_params()
    };
    type Spoil = fn(&mut Scene);
    let cases: [(u128, MarketParams, Spoil); 4] = [
        (0, example_params(), |_| {}),
        (50_000, none, |_| {}),
        (50_000, example_params(), |s| s.w.set_price(price(152))),
        (50_000, example_params(), |s| {
            s.w.wait(example_params().max_price_age + 1)
        }),
    ];
    for (insurance, params, spoil) in cases {
        let (mut s, batch) = nobody_came(insurance, params);
        spoil(&mut s);
        let before = s.w.accounting().state.insurance;
        let done = s.w.settle(s.keeper, batch);
        s.w.rest(s.keeper, batch);
        assert_eq!(done.insured, Insured::default());
        assert_eq!(s.w.accounting().state.insurance, before);
        assert_eq!(s.w.view(s.owners[9]).debt, Scene::debt(9));
    }
}

/// F18 on the contracts: the feed's volatility moves start and floor inside their bounds; the
/// ladder of a batch stays what it was when the feed measures more.
#[test]
fn f18_measured_volatility_moves_the_ladder() {
    let feed = FeedConfig::without_bands(2, 600_000, 1, 1_800_000);
    let opened = |fall: &[u128]| {
        let mut w = World::measured(example_params(), feed).filled();
        let owner = w.account(100);
        w.open_position(owner, collateral(10), quote(1_490));
        for _ in 0..3 {
            w.set_price(price(200));
        }
        for to in fall {
            w.set_price_twice(price(*to));
        }
        let keeper = w.account(40);
        let batch = w.open_batch(keeper).expect("opens");
        (w, batch)
    };
    let shares = |w: &World, batch: BatchKey| {
        let prices = w.record(batch).auction.prices;
        let reading = w.reading();
        let of = |price: Price, whole: Price| price.get() * 1_000_000 / whole.get();
        let (first, last) = (prices[0], *prices.last().unwrap());
        let start = of(first, reading.round.price.max(reading.twap));
        let hour = reading.volatility.unwrap().deviation_over(3_600).ppm();
        (start, of(last, reading.round.price), hour)
    };
    let mut before = 0;
    for fall in [&[184u128][..], &[170], &[160], &[120, 170]] {
        let (mut w, batch) = opened(fall);
        let (start, floor, hour) = shares(&w, batch);
        assert!(hour > before, "{fall:?}: {hour}");
        before = hour;
        let moved = |whole: u128, percent: u128| whole + hour * percent / 100;
        assert!(
            start.abs_diff(moved(1_030_000, 50).min(1_100_000)) <= 2,
            "{start} {hour}"
        );
        assert!(
            floor.abs_diff((900_000 - hour / 5).max(800_000)) <= 2,
            "{floor} {hour}"
        );
        let ladder = w.record(batch).auction.prices;
        w.set_price_twice(price(100));
        assert_eq!(w.record(batch).auction.prices, ladder);
    }
    let still = Scene::opened(170);
    assert_eq!(still.0.w.record(still.1).auction.prices[63], price(153));
}

/// Who settles decides how much gas there is. With too little for the oracle's answer insurance
/// would not buy: then the settlement does not happen either.
#[test]
fn a_settler_who_starves_the_oracle_of_gas_does_not_keep_insurance_out() {
    let (s, batch) = nobody_came(50_000, example_params());
    let d = s.w.d;
    let message = || d.auction().call_mut().settle(batch);
    let run = |limit: Gas| {
        let options = CallOptions::default().with_gas_limit(limit);
        let tried =
            s.w.chain
                .dry_run_with(&s.stranger, d.auction, message(), options);
        block_on(tried)
    };
    let most = Gas {
        ref_time: 100_000_000_000,
        proof_size: 3_000_000,
    };
    let needed = run(most).expect("settles").gas_required;
    let mut starved = 0;
    for part in 1..400 {
        let time = needed.ref_time / 400 * part;
        let proof = needed.proof_size / 400 * part;
        for limit in [
            Gas {
                ref_time: time,
                ..most
            },
            Gas {
                proof_size: proof,
                ..most
            },
        ] {
            match run(limit) {
                Ok(done) => assert!(!done.value.insured.paid.is_zero(), "kept out by {limit:?}"),
                Err(_) => starved += 1,
            }
        }
    }
    assert!(starved > 100, "{starved} limits were too low");
}

/// A contract that calls itself as often as it is told to, and then another with the rest of its
/// input; it traps where a call fails. Input: a selector, how often, whom, what.
const STAIRS: &str = r#"(module
  (import "seal0" "input" (func $input (param i32 i32)))
  (import "seal0" "address" (func $address (param i32 i32)))
  (import "seal0" "seal_return" (func $return (param i32 i32 i32)))
  (import "seal1" "call" (func $call (param i32 i32 i64 i32 i32 i32 i32 i32) (result i32)))
  (import "env" "memory" (memory 2 2))
  (data (i32.const 0) "\00\10\00\00")   ;; size of the input buffer, then of the input
  (data (i32.const 8) "\20\00\00\00")   ;; size of the address buffer
  ;; 16: Ok(Ok(())); 32: a value of nothing; 64: the input; 8192: the address
  (func (export "deploy"))
  (func (export "call")
    (call $input (i32.const 64) (i32.const 0))
    (if (i32.load (i32.const 68))
      (then
        (i32.store (i32.const 68) (i32.sub (i32.load (i32.const 68)) (i32.const 1)))
        (call $address (i32.const 8192) (i32.const 8))
        ;; 8: it may be entered again
        (if (call $call (i32.const 8) (i32.const 8192) (i64.const 0) (i32.const 32)
            (i32.const 64) (i32.load (i32.const 0)) (i32.const 0xffffffff) (i32.const 0))
          (then (unreachable))))
      (else
        (if (call $call (i32.const 0) (i32.const 72) (i64.const 0) (i32.const 32)
            (i32.const 104) (i32.sub (i32.load (i32.const 0)) (i32.const 40))
            (i32.const 0xffffffff) (i32.const 0))
          (then (unreachable)))))
    (call $return (i32.const 0) (i32.const 16) (i32.const 2))))"#;

/// Attack: an owner settles through as many contracts as leave no frame for the oracle, so that
/// insurance does not buy and the lot goes back to it for another wait. A call that finds no frame
/// traps its caller: without one for the oracle the settlement does not happen.
#[test]
fn a_settler_who_leaves_no_frame_for_the_oracle_does_not_keep_insurance_out() {
    let (mut s, batch) = nobody_came(50_000, example_params());
    let (d, stranger) = (s.w.d, s.stranger);
    let code = wat::parse_str(STAIRS).expect("is WebAssembly text");
    let new = Constructor::<()>::new(&ExecutionInput::new(Selector::new([0; 4])));
    let stairs = block_on(s.w.chain.instantiate(&stranger, &code, new, b"stairs"));
    let stairs = stairs.expect("instantiates").value;
    let settle = Message::from(d.auction().call_mut().settle(batch));
    let settle = Raw(settle.input().to_vec());
    let start = s.w.save();
    let (mut settled, mut refused) = (0, 0);
    for frames in 0..24u32 {
        let input = ExecutionInput::new(Selector::new([0; 4]))
            .push_arg(frames)
            .push_arg(d.auction)
            .push_arg(settle.clone());
        let message = Message::<Result<(), ()>>::new(&input);
        let done = block_on(s.w.chain.call(&stranger, stairs, message));
        let held = s.w.accounting().state.inventory.held;
        if done.is_ok() {
            assert!(!held.is_zero(), "kept out under {frames} frames");
            settled += 1;
        } else {
            assert!(s.w.batch(batch).settled.is_none());
            refused += 1;
        }
        s.w.restore(&start);
    }
    // Live chains have five frames, the development node has 24.
    assert!(settled > 0 && refused > 1, "{settled} {refused}");
}
