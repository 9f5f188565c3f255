//! The whole protocol as a state machine: as `histories.rs`, but a failure shrinks to the shortest
//! history that shows it, and that one is kept in `state_machine.proptest-regressions`.
//!
//! More cases: `PROPTEST_CASES=100000 cargo test -p breakwater-native --test state_machine`.

use breakwater_native::acts::{begin, prelude, Act, Cast};
use breakwater_native::checks::{books, everybody_leaves, live, Tally};
use breakwater_native::{Addresses, Native};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use proptest_state_machine::{prop_state_machine, ReferenceStateMachine, StateMachineTest};

/// What a history must not depend on: its market, and how many acts it has lived.
#[derive(Clone, Debug)]
struct Outline {
    variant: u32,
    acts: usize,
}

impl ReferenceStateMachine for Outline {
    type State = Self;
    type Transition = Act;

    fn init_state() -> BoxedStrategy<Self> {
        (0u32..256)
            .prop_map(|variant| Self { variant, acts: 0 })
            .boxed()
    }

    fn transitions(_: &Self) -> BoxedStrategy<Act> {
        (any::<u8>(), 0u8..6, any::<u32>(), any::<u32>())
            .prop_map(|(kind, who, a, b)| Act { kind, who, a, b })
            .boxed()
    }

    fn apply(mut state: Self, _: &Act) -> Self {
        state.acts += 1;
        state
    }
}

/// The market with everybody in it.
struct Market {
    n: Native,
    cast: Cast,
    tally: Tally,
}

impl StateMachineTest for Market {
    type SystemUnderTest = Self;
    type Reference = Outline;

    fn init_test(outline: &Outline) -> Self {
        let (cast, mut tally) = (Cast::made_up(), Tally::default());
        let clock = (1, 1_000_000);
        let begun = begin(Addresses::made_up(), &cast, outline.variant, clock);
        let mut n = begun.expect("valid terms");
        for act in prelude() {
            live(&mut n, &cast, act, &mut tally);
        }
        Self { n, cast, tally }
    }

    fn apply(mut state: Self, _: &Outline, act: Act) -> Self {
        live(&mut state.n, &state.cast, act, &mut state.tally);
        state
    }

    fn check_invariants(state: &Self, _: &Outline) {
        books(&state.n, &state.cast);
    }

    fn teardown(state: Self, _: Outline) {
        let left = everybody_leaves(state.n, &state.cast);
        let (done, _) = state.tally.sum();
        assert!(left.quote <= 4 * u128::from(done) + 100, "{left:?} is left");
    }
}

prop_state_machine! {
    #![proptest_config(ProptestConfig {
        cases: 128,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("proptest-regressions"))),
        ..ProptestConfig::default()
    })]

    /// Promises 1 to 10 as far as a market without a chain shows them; see
    /// `breakwater_native::checks` for the invariants by number.
    #[test]
    fn every_history_of_users_feeders_guardian_and_time_keeps_the_promises(
        sequential 1..200 => Market
    );
}
