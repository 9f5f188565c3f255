use super::*;
use crate::units::{is_liquidatable, DebtRatio, Index, Price};
use proptest::prelude::*;

fn rule() -> MarginRule {
    MarginRule {
        base: Ratio::from_bps(2_000),
        highest: Ratio::from_bps(3_500),
        reference: Ratio::from_bps(500),
        rise: Ratio::from_bps(200),
        fall: Ratio::from_bps(50),
        spacing: 10,
        notice: 600,
    }
}

/// Variance per second of a daily volatility.
fn daily(bps: u128) -> Variance {
    let sigma = bps * 100_000_000_000_000;
    Variance::new(sigma * sigma / 1_000_000_000_000_000_000 / 86_400)
}

#[test]
fn f09_the_target_follows_volatility_inside_its_bounds() {
    let rule = rule();
    assert_eq!(rule.target(Variance::default()), rule.base);
    assert_eq!(rule.target(daily(500)), rule.base);
    assert_eq!(rule.target(daily(750)), Ratio::from_bps(3_000));
    assert_eq!(rule.target(daily(5_000)), rule.highest);
    assert_eq!(rule.target(Variance::new(u128::MAX)), rule.highest);
}

#[test]
fn f09_new_risk_feels_a_rise_at_once_and_open_positions_after_notice() {
    let rule = rule();
    let mut margin = Margin::new(&rule);
    assert_eq!(margin.update(&rule, Some(daily(1_000)), 100), Ok(true));
    assert_eq!(margin.new_risk, Ratio::from_bps(2_200));
    assert_eq!(margin.kept_in(100), rule.base);
    assert_eq!(
        margin.update(&rule, Some(daily(1_000)), 109),
        Err(MarginError::TooSoon)
    );
    margin.update(&rule, Some(daily(1_000)), 110).unwrap();
    assert_eq!(margin.new_risk, Ratio::from_bps(2_400));
    // One step is announced, from the first update on.
    let announced = Announced {
        margin: Ratio::from_bps(2_200),
        from: 700,
    };
    assert_eq!(margin.announced(110), Some(announced));
    assert_eq!(margin.kept_in(699), rule.base);
    assert_eq!(margin.kept_in(700), Ratio::from_bps(2_200));
    // Calm again: new risk slowly, open positions with it.
    margin.update(&rule, Some(daily(100)), 700).unwrap();
    assert_eq!(margin.new_risk, Ratio::from_bps(2_350));
    assert_eq!(margin.update(&rule, None, 701), Ok(false));
}

#[test]
fn every_bound_of_a_rule_is_checked() {
    assert_eq!(rule().validate(), Ok(()));
    let changes: [fn(&mut MarginRule); 8] = [
        |r| r.base = Ratio::ZERO,
        |r| r.highest = Ratio::from_bps(1_999),
        |r| r.highest = Ratio::ONE,
        |r| r.reference = Ratio::ZERO,
        |r| r.rise = Ratio::ZERO,
        |r| r.fall = Ratio::ZERO,
        |r| r.spacing = 0,
        |r| r.notice = LONGEST_NOTICE + 1,
    ];
    for change in changes {
        let mut rule = rule();
        change(&mut rule);
        assert_eq!(rule.validate(), Err(MarginError::InvalidRule));
    }
}

proptest! {
    /// F09: monotone in volatility.
    #[test]
    fn f09_a_higher_volatility_never_lowers_the_target(a in 0u128..1 << 80, b in 0u128..1 << 80) {
        let rule = rule();
        let (low, high) = (Variance::new(a.min(b)), Variance::new(a.max(b)));
        prop_assert!(rule.target(low) <= rule.target(high));
    }

    /// F09: whatever volatility does, the margin stays inside its bounds and its steps, no open
    /// position becomes liquidatable in the block of an update, and what is asked of it was
    /// announced a notice before.
    #[test]
    fn f09_nobody_becomes_liquidatable_in_the_block_of_a_change(
        path in proptest::collection::vec((proptest::option::of(0u128..3_000), 1u32..400), 1..80),
        debt in 1u128..1_000_000,
    ) {
        let rule = rule();
        let mut margin = Margin::new(&rule);
        let (mut now, mut asked) = (1_000, Vec::new());
        let liquidatable = |kept: Ratio| is_liquidatable(
            DebtRatio::new(debt), Index::ONE, Price::new(1_000_000), Ratio::ONE.minus(kept).unwrap(),
        );
        for (bps, blocks) in path {
            for _ in 0..blocks {
                now += 1;
                let kept = margin.kept_in(now);
                if asked.last().is_some_and(|(last, _)| kept > *last) {
                    prop_assert!(kept.minus(asked.last().unwrap().0).unwrap() <= rule.rise);
                }
                asked.push((kept, margin.announced(now)));
            }
            let (before, was) = (margin.new_risk, margin.kept_in(now));
            if margin.update(&rule, bps.map(daily), now) == Ok(true) {
                let after = margin.kept_in(now);
                prop_assert!(after <= was && (liquidatable(was) || !liquidatable(after)));
                prop_assert!((rule.base..=rule.highest).contains(&margin.new_risk));
                prop_assert!((rule.base..=rule.highest).contains(&after));
                prop_assert!(margin.new_risk <= before.plus(rule.rise).unwrap());
                prop_assert!(before <= margin.new_risk.plus(rule.fall).unwrap());
                prop_assert!(margin.announced(now).is_none_or(|a| a.from <= now + rule.notice));
                if let Some(a) = margin.announced(now) {
                    // A new announcement is a full notice ahead; an old one keeps its block.
                    let old = asked.last().and_then(|(_, announced)| *announced);
                    prop_assert!(a.from == now + rule.notice || old.is_some_and(|o| o.from == a.from && a.margin <= o.margin));
                }
            }
        }
    }
}
