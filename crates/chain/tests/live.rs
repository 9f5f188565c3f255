//! The limits of live chains, on the runtime that has them and on the contracts node's, which has not.

use breakwater_chain::{
    AccountId, CallError, Chain, Constructor, Embedded, Genesis, Message, Profile,
};
use futures::executor::block_on;
use ink::env::call::{ExecutionInput, Selector};

/// A contract that calls itself as often as it is told to, and traps where one of the calls fails.
const STAIRS: &str = r#"(module
  (import "seal0" "input" (func $input (param i32 i32)))
  (import "seal0" "address" (func $address (param i32 i32)))
  (import "seal0" "seal_return" (func $return (param i32 i32 i32)))
  (import "seal1" "call" (func $call (param i32 i32 i64 i32 i32 i32 i32 i32) (result i32)))
  (import "env" "memory" (memory 2 2))
  (data (i32.const 0) "\10\00\00\00")   ;; size of the input buffer
  (data (i32.const 8) "\20\00\00\00")   ;; size of the address buffer
  ;; 16: Ok(Ok(())); 32: a value of nothing; 64: selector, and how often at 68; 128: the address
  (func (export "deploy"))
  (func (export "call")
    (call $input (i32.const 64) (i32.const 0))
    (if (i32.load (i32.const 68)) (then
      (i32.store (i32.const 68) (i32.sub (i32.load (i32.const 68)) (i32.const 1)))
      (call $address (i32.const 128) (i32.const 8))
      ;; 8: it may be entered again
      (if (call $call (i32.const 8) (i32.const 128) (i64.const 0) (i32.const 32)
          (i32.const 64) (i32.const 8) (i32.const 0xffffffff) (i32.const 0))
        (then (unreachable)))))
    (call $return (i32.const 0) (i32.const 16) (i32.const 2)))
  SECTION)"#;

fn chain(profile: Profile) -> Embedded {
    Embedded::with_genesis(Genesis {
        profile,
        ..Genesis::default()
    })
}

fn instantiate(chain: &mut Embedded, section: &str) -> Result<AccountId, CallError<()>> {
    let code = wat::parse_str(STAIRS.replace("SECTION", section)).expect("is WebAssembly text");
    let new = Constructor::<()>::new(&ExecutionInput::new(Selector::new([0; 4])));
    let alice = chain.account(0);
    block_on(chain.instantiate(&alice, &code, new, &[])).map(|receipt| receipt.value)
}

/// Whether so many frames can stand on each other.
fn climbs(profile: Profile, frames: u32) -> bool {
    let mut chain = chain(profile);
    let stairs = instantiate(&mut chain, "").expect("instantiates");
    let input = ExecutionInput::new(Selector::new([0; 4])).push_arg(frames - 1);
    let message = Message::<Result<(), ()>>::new(&input);
    let alice = chain.account(0);
    match block_on(chain.call(&alice, stairs, message)) {
        Ok(_) => true,
        Err(CallError::Trapped) => false,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_live_chain_lets_five_frames_stand_on_each_other_and_the_contracts_node_more() {
    assert!(climbs(Profile::Live, Profile::LIVE_FRAMES));
    assert!(!climbs(Profile::Live, Profile::LIVE_FRAMES + 1));
    assert!(climbs(Profile::Development, 24) && !climbs(Profile::Development, 25));
}

#[test]
fn a_live_chain_refuses_host_functions_that_are_not_stable() {
    let section = r#"(import "seal0" "reentrance_count" (func (result i32)))"#;
    // Imports stand before everything else.
    let unstable = |profile| {
        let text =
            STAIRS
                .replace("SECTION", "")
                .replacen("(module", &format!("(module {section}"), 1);
        let code = wat::parse_str(text).expect("is WebAssembly text");
        let new = Constructor::<()>::new(&ExecutionInput::new(Selector::new([0; 4])));
        let mut chain = chain(profile);
        let alice = chain.account(0);
        block_on(chain.instantiate(&alice, &code, new, &[])).map(drop)
    };
    assert_eq!(unstable(Profile::Development), Ok(()));
    assert!(matches!(
        unstable(Profile::Live),
        Err(CallError::CodeRejected(_))
    ));
}

#[test]
fn a_live_chain_takes_no_more_than_123_kib_of_code() {
    let padded = |bytes: u32| {
        let zeroes = "\\00".repeat(bytes as usize);
        format!("(data (i32.const 256) \"{zeroes}\")")
    };
    let (small, large) = (
        padded(Profile::LIVE_CODE_BYTES - 1_024),
        padded(Profile::LIVE_CODE_BYTES),
    );
    assert!(instantiate(&mut chain(Profile::Live), &small).is_ok());
    let refused = instantiate(&mut chain(Profile::Live), &large);
    assert_eq!(
        refused,
        Err(CallError::CodeRejected("CodeTooLarge".to_owned()))
    );
    assert!(instantiate(&mut chain(Profile::Development), &large).is_ok());
}

#[test]
fn a_live_chain_counts_native_tokens_in_64_bits() {
    let mut chain = Embedded::with_genesis(Genesis {
        profile: Profile::Live,
        accounts: 200,
        endowment: u128::MAX,
        ..Genesis::default()
    });
    let (first, last) = (chain.account(0), chain.account(199));
    let balance = |chain: &Embedded, who| block_on(chain.free_balance(who)).expect("answers");
    assert_eq!(balance(&chain, first), u128::from(u64::MAX) / 2 / 200);
    assert_eq!(balance(&chain, first), balance(&chain, last));
    assert!(
        chain.fund(first, u128::MAX).is_err(),
        "there are not so many"
    );
    chain.fund(first, 1_000).expect("there is room");
    assert_eq!(chain.profile(), Profile::Live);
}
