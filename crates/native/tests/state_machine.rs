//! The whole protocol as a state machine: as `histories.rs`, but a failure shrinks to the shortest
//! history that shows it, and that one is kept in `state_machine.proptest-regressions`.
//!
//! More cases: `PROPTEST_CASES=100000 cargo test -p breakwater-native --test state_machine`.

// The slow model, as the core's own histories have it.
#[path = "../../core/tests/model/books.rs"]
mod books;
#[path = "../../core/tests/model/comparing.rs"]
mod comparing;
#[path = "../../core/tests/model/insuring.rs"]
mod insuring;
#[path = "../../core/tests/model/opening.rs"]
mod opening;
#[path = "../../core/tests/model/scale.rs"]
mod scale;
#[path = "../../core/tests/model/slow.rs"]
mod slow;

mod beside;

use beside::Beside;
use breakwater_native::acts::{begin, prelude, Act, Cast};
use breakwater_native::checks::{books, everybody_leaves, live_watched, Tally};
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
    beside: Beside,
}

impl Market {
    fn live(&mut self, act: Act) {
        let beside = &mut self.beside;
        live_watched(&mut self.n, &self.cast, act, &mut self.tally, |seen| {
            beside.follow(seen);
        });
    }
}

impl StateMachineTest for Market {
    type SystemUnderTest = Self;
    type Reference = Outline;

    fn init_test(outline: &Outline) -> Self {
        let (cast, tally) = (Cast::made_up(), Tally::default());
        let clock = (1, 1_000_000);
        let begun = begin(Addresses::made_up(), &cast, outline.variant, clock);
        let n = begun.expect("valid terms");
        let beside = Beside::new(&n, &cast);
        let mut market = Self {
            n,
            cast,
            tally,
            beside,
        };
        for act in prelude() {
            market.live(act);
        }
        market
    }

    fn apply(mut state: Self, _: &Outline, act: Act) -> Self {
        state.live(act);
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
