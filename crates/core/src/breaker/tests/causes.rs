//! Which causes there are, and what an oracle that does not answer proves.

use super::*;

#[test]
fn an_oracle_that_does_not_answer_proves_its_age_and_nothing_else() {
    let limits = limits();
    let silent = Measures::default().without_oracle();
    for cause in Cause::MEASURED {
        assert_eq!(
            limits.holds(&silent, cause),
            cause == Cause::Stale,
            "{cause:?}"
        );
    }
    let of_oracle = Cause::MEASURED.map(Cause::is_of_oracle);
    assert_eq!(
        of_oracle,
        [true, true, true, false, false, false, false, false]
    );
}

#[test]
fn a_role_is_no_fact() {
    let limits = limits();
    let all = Cause::MEASURED.map(fact);
    for measures in all {
        assert!(!limits.holds(&measures, Cause::Role) && !limits.is_gone(&measures, Cause::Role));
    }
    assert_eq!(
        limits.stage(Cause::Role),
        Stage::Open,
        "a role chooses for itself"
    );
}
