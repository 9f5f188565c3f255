//! F28: from every state a finite sequence of permitted calls reopens the market; spam neither
//! closes it nor keeps it closed.

use super::*;
use proptest::prelude::*;

fn causes() -> impl Strategy<Value = Cause> {
    (0..Cause::MEASURED.len()).prop_map(|at| Cause::MEASURED[at])
}

fn stages() -> impl Strategy<Value = Stage> {
    (0..Stage::ALL.len()).prop_map(|at| Stage::ALL[at])
}

#[derive(Clone, Copy, Debug)]
enum Call {
    Trip(Cause),
    Raise(Stage),
    Lower(Stage),
    Reopen,
}

fn calls() -> impl Strategy<Value = Vec<(Call, u32)>> {
    let call = prop_oneof![
        causes().prop_map(Call::Trip),
        stages().prop_map(Call::Raise),
        stages().prop_map(Call::Lower),
        Just(Call::Reopen),
    ];
    proptest::collection::vec((call, 0u32..20_000), 0..40)
}

fn apply(breaker: &mut Breaker, call: Call, now: Block) -> Result<(), BreakerError> {
    match call {
        Call::Trip(cause) => trip(breaker, cause, now).map(|_| ()),
        Call::Raise(stage) => breaker.raise(stage, Raiser::Guardian, now),
        Call::Lower(stage) => breaker.lower(stage, &limits(), now),
        Call::Reopen => breaker.reopen(&limits(), &Measures::default(), now),
    }
}

/// Waits out what a refusal names; returns the block in which the market was open.
fn reopen(mut breaker: Breaker, mut now: Block) -> Block {
    for _ in 0..4 {
        let limits = limits();
        match breaker.reopen(&limits, &Measures::default(), now) {
            Ok(()) | Err(BreakerError::NotLower) => return now,
            Err(BreakerError::CoolingOff) => now = breaker.since + limits.cool_off,
            Err(BreakerError::CauseRemains(Cause::Role)) => now = breaker.since + limits.role_term,
            Err(error) => panic!("{error:?}"),
        }
    }
    panic!("still closed");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]
    #[test]
    fn f28_every_state_can_be_reopened_by_anyone_and_by_the_governor(history in calls()) {
        let (mut breaker, mut now) = (calm(), 1);
        for (call, blocks) in history {
            now += blocks;
            let before = breaker;
            if apply(&mut breaker, call, now).is_err() {
                prop_assert_eq!(breaker, before, "a refusal changes nothing");
            } else {
                match call {
                    Call::Trip(_) | Call::Raise(_) => prop_assert!(breaker.stage >= before.stage),
                    Call::Lower(_) | Call::Reopen => prop_assert!(breaker.stage < before.stage),
                }
            }
        }
        // Anyone, once it is quiet: after the cool-off, or the term where a role has raised it.
        let told = breaker.reopens_from(&limits()).unwrap_or(now);
        prop_assert_eq!(reopen(breaker, now), told.max(now), "as is told");
        prop_assert!(reopen(breaker, now) <= now + limits().cool_off.max(limits().role_term));
        // The governor, at once and whatever is measured.
        let mut by_governor = breaker;
        let lowered = by_governor.lower(Stage::Open, &limits(), now);
        prop_assert!(lowered.is_ok() || breaker.stage == Stage::Open);
        prop_assert_eq!(by_governor.stage, Stage::Open);
    }

    /// F30, breaker griefing: whoever repeats trips, true and false ones, in every block does not
    /// keep the market closed for a block longer than one true trip does. 1,000 histories.
    #[test]
    fn f30_spam_keeps_nothing_closed(
        first in causes(),
        spam in proptest::collection::vec((causes(), any::<bool>()), 1..200),
    ) {
        let (mut alone, mut spammed) = (calm(), calm());
        trip(&mut alone, first, 1_000).unwrap();
        trip(&mut spammed, first, 1_000).unwrap();
        for (nth, (cause, same)) in spam.into_iter().enumerate() {
            let now = 1_000 + nth as u32;
            // Only the first fact is true for a while; others are claimed without being so.
            let (cause, measures) = if same { (first, fact(first)) } else { (cause, Measures::default()) };
            let refused = spammed.trip(cause, &limits(), &measures, now);
            prop_assert!(refused.is_err());
        }
        prop_assert_eq!(spammed, alone);
        prop_assert_eq!(reopen(spammed, 1_200), reopen(alone, 1_200));
    }
}

/// F28: all states there are, by search: every stage, every set of causes, every raiser, at the
/// beginning and after all its deadlines, of a market and of all markets. From each, what anyone
/// may call reopens it in the block that is told, once its causes are gone; and the governor at
/// once. 4 stages × 1 024 sets of causes × 3 raisers.
#[test]
fn f28_every_state_there_is_reopens_by_permitted_calls() {
    let limits = limits();
    let mut searched = 0;
    for stage in Stage::ALL {
        for set in 0..1u32 << Cause::ALL.len() {
            let causes = Cause::ALL.iter().enumerate();
            let causes = causes.filter(|(at, _)| set >> at & 1 == 1);
            let causes = causes.fold(Causes::NONE, |all, (_, cause)| all.with(*cause));
            for raised_by in [Raiser::Anyone, Raiser::Guardian, Raiser::Governor] {
                for since in [0, 1_000, u32::MAX - 50_000] {
                    let state = Breaker {
                        stage,
                        causes,
                        raised_by,
                        since,
                        locked_until: since + limits.lock,
                        grace_until: since + limits.grace,
                    };
                    searched += 1;
                    let told = state.reopens_from(&limits).unwrap_or(since);
                    assert!(told <= since + limits.cool_off.max(limits.role_term));
                    let mut alone = state;
                    let opened = alone.reopen(&limits, &Measures::QUIET, told);
                    assert!(
                        opened.is_ok() || stage == Stage::Open,
                        "{state:?}: {opened:?}"
                    );
                    assert_eq!(
                        (alone.stage, state::effective(&alone, &calm())),
                        (Stage::Open, Stage::Open)
                    );
                    if stage > Stage::Open {
                        assert_eq!(alone.causes, Causes::NONE);
                        let mut early = state;
                        assert!(early.reopen(&limits, &Measures::QUIET, told - 1).is_err());
                        let mut all = state;
                        let quiet = Together::default();
                        assert_eq!(all.reopen_together(&quiet, told), Ok(()));
                    }
                    // After it, batches wait for the grace period and no longer.
                    let open = |now| ensure_allowed(&alone, &calm(), Action::OpenBatch, now);
                    assert_eq!(open(told + limits.grace), Ok(()));
                    let mut by_governor = state;
                    let lowered = by_governor.lower(Stage::Open, &limits, since);
                    assert!(lowered.is_ok() || stage == Stage::Open);
                    assert_eq!(by_governor.stage, Stage::Open);
                }
            }
        }
    }
    assert_eq!(searched, 4 * 1_024 * 3 * 3);
}

#[test]
fn a_cause_that_remains_keeps_it_closed_with_hysteresis() {
    let mut breaker = calm();
    trip(&mut breaker, Cause::Jump, 10).unwrap();
    let limits = limits();
    let later = 10 + limits.cool_off;
    let mut at = Measures {
        jump: Ratio::from_bps(501),
        ..Measures::default()
    };
    let remains = Err(BreakerError::CauseRemains(Cause::Jump));
    assert_eq!(
        breaker.reopen(&limits, &at, later - 1),
        Err(BreakerError::CoolingOff)
    );
    assert_eq!(breaker.reopen(&limits, &at, later), remains);
    at.jump = Ratio::from_bps(500);
    assert_eq!(breaker.reopen(&limits, &at, later), Ok(()));
}

#[test]
fn a_second_cause_is_waited_for_without_restarting_the_cool_off() {
    let mut breaker = calm();
    trip(&mut breaker, Cause::Excess, 10).unwrap();
    assert_eq!(trip(&mut breaker, Cause::Jump, 90), Ok(Stage::Halted));
    let later = 10 + limits().cool_off;
    let jump = fact(Cause::Jump);
    let remains = Err(BreakerError::CauseRemains(Cause::Jump));
    assert_eq!(breaker.reopen(&limits(), &jump, later), remains);
    assert_eq!(
        breaker.reopen(&limits(), &Measures::default(), later),
        Ok(())
    );
}

#[test]
fn facts_raise_nothing_while_the_governors_lock_lasts() {
    let mut breaker = calm();
    trip(&mut breaker, Cause::Stale, 10).unwrap();
    breaker.lower(Stage::NoNewRisk, &limits(), 20).unwrap();
    let unlocked = 20 + limits().lock;
    assert_eq!(
        trip(&mut breaker, Cause::Stale, unlocked - 1),
        Err(BreakerError::Locked)
    );
    // The guardian is not bound by it.
    assert_eq!(
        breaker.raise(Stage::NoReauction, Raiser::Guardian, 21),
        Ok(())
    );
    assert_eq!(
        breaker.raise(Stage::NoNewRisk, Raiser::Guardian, 22),
        Err(BreakerError::NotHigher)
    );
    assert_eq!(
        breaker.lower(Stage::NoReauction, &limits(), 22),
        Err(BreakerError::NotLower)
    );
    assert_eq!(
        trip(&mut breaker, Cause::Stale, unlocked),
        Ok(Stage::Halted)
    );
}
