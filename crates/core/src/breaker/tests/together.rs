//! F28: facts of many markets stop all of them, facts of a few small ones do not.

use super::*;
use crate::breaker::together::MOST_TOGETHER;
use proptest::prelude::*;

/// A market of this hole in which these facts hold.
#[derive(Clone, Debug)]
struct Member {
    hole: u128,
    causes: Vec<Cause>,
    bad_debt: u128,
}

fn member(hole: u128, causes: &[Cause]) -> Member {
    Member {
        hole,
        causes: causes.to_vec(),
        bad_debt: 0,
    }
}

fn together(members: &[Member]) -> Together {
    let sum = members.iter().try_fold(Together::default(), |sum, one| {
        let mut breaker = calm();
        for cause in &one.causes {
            let _ = trip(&mut breaker, *cause, 1);
        }
        let hole = Amount::new(one.hole);
        sum.with(hole, &breaker, &limits(), Amount::new(one.bad_debt))
    });
    sum.unwrap()
}

#[test]
fn f28_a_majority_of_markets_by_size_stops_all() {
    use Cause::{Jump, Recovery, Stale};
    let stage = |members: &[Member]| together(members).majority();
    let quiet = |hole| member(hole, &[]);
    // Half is not more than half, one market is no majority, many small ones are none.
    assert_eq!(stage(&[]), Stage::Open);
    assert_eq!(stage(&[member(10, &[Stale])]), Stage::Open);
    assert_eq!(stage(&[member(90, &[Stale]), quiet(10)]), Stage::Open);
    let half = [member(30, &[Stale]), member(20, &[Stale]), quiet(50)];
    assert_eq!(stage(&half), Stage::Open);
    let small = [
        member(1, &[Stale]),
        member(1, &[Stale]),
        member(1, &[Stale]),
        quiet(4),
    ];
    assert_eq!(stage(&small), Stage::Open);
    // Stages follow where most of the holes are.
    let more = [member(31, &[Stale]), member(20, &[Stale]), quiet(49)];
    assert_eq!(stage(&more), Stage::Halted);
    let mixed = [member(31, &[Stale]), member(20, &[Jump]), quiet(49)];
    assert_eq!(stage(&mixed), Stage::NoNewRisk);
    let mixed = [
        member(31, &[Stale]),
        member(20, &[Jump, Recovery]),
        quiet(49),
    ];
    assert_eq!(stage(&mixed), Stage::NoReauction);
}

/// Two markets that a role has stopped are no fact, and what a role adds to a fact counts nothing.
#[test]
fn stages_that_roles_chose_are_no_facts() {
    let mut by_role = calm();
    by_role.raise(Stage::Halted, Raiser::Guardian, 1).unwrap();
    let mut both = calm();
    trip(&mut both, Cause::Jump, 1).unwrap();
    both.raise(Stage::Halted, Raiser::Guardian, 2).unwrap();
    let of = |breaker: &Breaker| {
        let none = Amount::ZERO;
        let one = Together::default().with(Amount::new(1), breaker, &limits(), none);
        let two = one.and_then(|sum| sum.with(Amount::new(1), breaker, &limits(), none));
        two.unwrap().majority()
    };
    assert_eq!(of(&by_role), Stage::Open);
    assert_eq!(of(&both), Stage::NoNewRisk);
}

#[test]
fn f28_bad_debt_summed_over_markets_stops_all_above_its_limit() {
    // 2 % of the holes together: 20 of 1 000.
    let of = |bad_debt: [u128; 2]| {
        let with = |hole, bad_debt| Member {
            bad_debt,
            ..member(hole, &[])
        };
        together(&[with(900, bad_debt[0]), with(100, bad_debt[1])])
    };
    let mut all = calm();
    let bounds = Err(BreakerError::WithinBounds);
    assert_eq!(all.trip_together(Cause::BadDebt, &of([10, 10]), 5), bounds);
    assert_eq!(
        all.trip_together(Cause::BadDebt, &of([10, 11]), 5),
        Ok(Stage::NoReauction)
    );
    // Hysteresis: gone at half of it.
    let later = 5 + limits().cool_off;
    let remains = Err(BreakerError::CauseRemains(Cause::BadDebt));
    assert_eq!(all.reopen_together(&of([10, 1]), later), remains);
    assert_eq!(all.reopen_together(&of([10, 0]), later), Ok(()));
    // What only an auction or a feed shows is no fact of all markets.
    for cause in [Cause::Jump, Cause::Stale, Cause::NoBids, Cause::Role] {
        assert_eq!(all.trip_together(cause, &of([999, 99]), 5), bounds);
    }
}

#[test]
fn f28_all_markets_reopen_with_hysteresis_and_trip_again_after_the_lock() {
    let tripped = [
        member(50, &[Cause::Stale]),
        member(30, &[Cause::Stale]),
        member(20, &[]),
    ];
    let mut all = calm();
    let trip = |all: &mut Breaker, now| all.trip_together(Cause::Markets, &together(&tripped), now);
    assert_eq!(trip(&mut all, 10), Ok(Stage::Halted));
    assert_eq!(trip(&mut all, 11), Err(BreakerError::AlreadyTripped));
    let later = 10 + limits().cool_off;
    let remains = Err(BreakerError::CauseRemains(Cause::Markets));
    let first = |hole| {
        let rest = member(100 - hole, &[]);
        together(&[member(hole, &[Cause::Jump]), rest])
    };
    assert_eq!(
        all.reopen_together(&first(25), later - 1),
        Err(BreakerError::CoolingOff)
    );
    assert_eq!(all.reopen_together(&first(26), later), remains);
    assert_eq!(all.reopen_together(&first(25), later), Ok(()));
    assert!(all.grace_until > later);
    // The governor's decision stands for the lock.
    trip(&mut all, later).unwrap();
    all.lower(Stage::Open, &limits(), later).unwrap();
    let unlocked = later + limits().lock;
    assert_eq!(trip(&mut all, unlocked - 1), Err(BreakerError::Locked));
    assert_eq!(trip(&mut all, unlocked), Ok(Stage::Halted));
}

fn members() -> impl Strategy<Value = Vec<Member>> {
    let causes = proptest::collection::vec(0..Cause::MEASURED.len(), 0..3);
    let one = (1u128..1_000, causes, 0u128..100).prop_map(|(hole, causes, bad_debt)| Member {
        hole,
        causes: causes.into_iter().map(|at| Cause::MEASURED[at]).collect(),
        bad_debt,
    });
    proptest::collection::vec(one, 0..=MOST_TOGETHER)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// F30, breaker griefing: whoever trips every market but the largest ones, up to half of all
    /// holes, and claims what is not so, stops nothing but these.
    #[test]
    fn f30_markets_with_half_of_all_holes_stop_no_other(members in members(), rest in 1u128..1_000_000) {
        let tripped: u128 = members.iter().map(|one| one.hole).sum();
        let mut all = members.clone();
        for one in &mut all {
            one.bad_debt = 0;
        }
        all.push(member(tripped.max(rest), &[]));
        let mut breaker = calm();
        for cause in Cause::MEASURED.into_iter().chain([Cause::Role, Cause::Markets]) {
            prop_assert!(breaker.trip_together(cause, &together(&all), 1).is_err());
        }
        prop_assert_eq!(breaker, calm());
    }

    /// The stage of all is never above that of any majority's member, and reopens once they have.
    #[test]
    fn f28_all_markets_follow_a_majority_and_reopen_after_it(members in members()) {
        let sums = together(&members);
        let mut all = calm();
        if let Ok(stage) = all.trip_together(Cause::Markets, &sums, 7) {
            let highest = members.iter().flat_map(|one| &one.causes).map(|cause| limits().stage(*cause)).max();
            prop_assert!(Some(stage) <= highest && stage == sums.majority());
            let calm_again: Vec<Member> = members.iter().map(|one| member(one.hole, &[])).collect();
            let later = 7 + limits().cool_off;
            prop_assert_eq!(all.reopen_together(&together(&calm_again), later), Ok(()));
            prop_assert_eq!(all.stage, Stage::Open);
        }
    }
}
