//! Which causes there are, and what an oracle that does not answer proves.

use super::*;
use crate::oracle::{Feed, FeedConfig, Submission};
use crate::units::Price;

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

#[test]
fn submissions_far_apart_are_measured_and_stop_new_risk() {
    let one_off = shown_by([1_000, 1_000, 1_600]);
    assert_eq!(one_off.dispersion, Ratio::ZERO, "two agree");
    assert!(!limits().holds(&one_off, Cause::Dispersed));
    let shown = shown_by([949, 1_000, 1_051]);
    assert_eq!(shown.dispersion, Ratio::from_ppm(51_000));
    assert!(limits().holds(&shown, Cause::Dispersed), "5 % is the limit");
    assert!(limits().stage(Cause::Dispersed) >= Stage::NoNewRisk);
}

fn shown_by(prices: [u128; 3]) -> Measures {
    let mut feed = Feed::new(FeedConfig::standard(3, 60_000, 1, 600_000)).unwrap();
    for (feeder, price) in (0u8..).zip(prices) {
        feed.add_feeder(feeder).unwrap();
        let submission = Submission {
            price: Price::new(price),
            at: 6_000,
        };
        feed.submit(&feeder, submission, 6_000, 1).unwrap();
    }
    Measures::default().with_oracle(&feed.read(6_000).unwrap())
}
