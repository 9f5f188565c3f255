use super::*;
use crate::market::example_params;
use crate::oracle::VolatilityConfig;
use crate::units::{is_liquidatable, DebtRatio, Index, Price};
use proptest::prelude::*;

const BASE: Ratio = Ratio::from_bps(2_000);
const HOUR: Millis = 3_600_000;

fn rule() -> MarginRule {
    MarginRule {
        most: Ratio::from_bps(1_500),
        reference: Ratio::from_bps(500),
        rise: Ratio::from_bps(200),
        fall: Ratio::from_bps(50),
        spacing: 60_000,
        notice: HOUR,
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
    assert_eq!(rule.target(BASE, Variance::default()), Ratio::ZERO);
    assert_eq!(rule.target(BASE, daily(500)), Ratio::ZERO);
    // 20 % · 750/500 = 30 %: ten points more.
    assert_eq!(rule.target(BASE, daily(750)), Ratio::from_bps(1_000));
    assert_eq!(rule.target(BASE, daily(5_000)), rule.most);
    assert_eq!(rule.target(BASE, Variance::new(u128::MAX)), rule.most);
    assert_eq!(
        MarginRule::FIXED.target(BASE, Variance::new(u128::MAX)),
        Ratio::ZERO
    );
}

/// The vector: λ = 0.94, σ² = 0.000324 a step, r = −2.3 % ⇒ σ² = 0.0003363, σ = 1.834 %. With a
/// step of a day and σ_ref = 1.5 %, a margin of 20 % becomes 24.453 %.
#[test]
fn f09_the_vector_and_the_margin_it_calls_for() {
    let config = VolatilityConfig {
        decay: Ratio::from_bps(9_400),
        interval: 86_400_000,
    };
    let past = Variance::new(324_000_000_000_000 / 86_400);
    let price = |price: u128| Price::new(price * 1_000_000_000_000_000_000);
    let after = Variance::after(
        Some(past),
        config,
        price(1_000),
        price(977),
        config.interval,
    );
    let variance = after.expect("in range");
    let sigma = variance.deviation_over(86_400).ppm();
    assert!((18_338..=18_340).contains(&sigma), "σ = {sigma} ppm");
    let rule = MarginRule {
        reference: Ratio::from_bps(150),
        ..rule()
    };
    let added = rule.target(BASE, variance).ppm();
    assert!(
        (44_506..=44_534).contains(&added),
        "20 % · (1.8339/1.5 − 1) = {added} ppm"
    );
}

#[test]
fn f09_new_risk_feels_a_rise_at_once_and_open_positions_after_notice() {
    let rule = rule();
    let mut margin = Margin::default();
    let wild = Some(daily(700));
    // 8 points; nobody has to update for it.
    let all = Ratio::from_bps(800);
    assert_eq!(margin.for_new_risk(&rule, BASE, wild), all);
    assert_eq!(margin.for_new_risk(&rule, BASE, None), Ratio::ZERO);
    let start = 10 * HOUR;
    assert_eq!(margin.update(&rule, BASE, wild, start), Ok(true));
    assert_eq!(margin.for_new_risk(&rule, BASE, None), all);
    let soon = start + rule.spacing - 1;
    assert_eq!(
        margin.update(&rule, BASE, wild, soon),
        Err(MarginError::TooSoon)
    );
    let announced = Announced {
        margin: Ratio::from_bps(200),
        from: start + HOUR,
        until: start + 2 * HOUR,
    };
    assert_eq!(margin.announced(start), Some(announced));
    let kept = |margin: &Margin, hours: f64| {
        let at = start + (hours * HOUR as f64) as u64;
        margin.kept_at(&rule, at).ppm()
    };
    for (hours, ppm) in [
        (0.0, 0),
        (1.0, 0),
        (1.5, 10_000),
        (2.0, 20_000),
        (9.0, 20_000),
    ] {
        assert_eq!(kept(&margin, hours), ppm, "after {hours} h");
    }
    // The next step is announced once this one has arrived.
    margin.update(&rule, BASE, wild, start + HOUR).unwrap();
    assert_eq!(margin.announced(start + HOUR), Some(announced));
    margin.update(&rule, BASE, wild, start + 2 * HOUR).unwrap();
    assert_eq!(kept(&margin, 3.0), 20_000);
    assert_eq!(kept(&margin, 4.0), 40_000);
    // Calm again: new risk slowly, open positions with it, at once where it is lower.
    let calm = Some(daily(100));
    margin
        .update(&rule, BASE, calm, start + 2 * HOUR + 60_000)
        .unwrap();
    assert_eq!(margin.new_risk, Ratio::from_bps(750));
    margin.update(&rule, BASE, calm, start + 5 * HOUR).unwrap();
    assert_eq!(margin.new_risk, Ratio::ZERO);
    assert_eq!((kept(&margin, 5.0), margin.announced(start)), (0, None));
    assert_eq!(
        margin.update(&rule, BASE, None, start + 6 * HOUR),
        Err(MarginError::NotMeasured)
    );
}

/// A rule with a lower bound binds at once, so that what was added under the old one can never
/// leave a market without any threshold.
#[test]
fn a_lower_bound_of_the_rule_holds_at_once() {
    let rule = rule();
    let mut margin = Margin::default();
    for hour in 1..40 {
        let _ = margin.update(&rule, BASE, Some(daily(5_000)), hour * HOUR);
    }
    assert_eq!(margin.kept_at(&rule, 40 * HOUR), rule.most);
    assert_eq!(margin.kept_at(&MarginRule::FIXED, 40 * HOUR), Ratio::ZERO);
    assert_eq!(
        margin.for_new_risk(&MarginRule::FIXED, BASE, Some(daily(5_000))),
        Ratio::ZERO
    );
}

#[test]
fn every_bound_of_a_rule_is_checked() {
    let ltv = Ratio::from_bps(7_500);
    assert!(rule().is_valid(ltv) && MarginRule::FIXED.is_valid(ltv));
    assert!(MarginRule::STANDARD.is_valid(example_params().initial_ltv));
    let changes: [fn(&mut MarginRule); 9] = [
        |r| r.most = Ratio::from_bps(3_001),
        |r| r.most = Ratio::from_bps(7_500),
        |r| r.reference = Ratio::ZERO,
        |r| r.rise = Ratio::ZERO,
        |r| r.fall = Ratio::ZERO,
        |r| r.spacing = 0,
        |r| r.spacing = LONGEST_SPACING + 1,
        |r| r.notice = SHORTEST_MARGIN_NOTICE - 1,
        |r| r.notice = LONGEST_NOTICE + 1,
    ];
    for change in changes {
        let mut rule = rule();
        change(&mut rule);
        assert!(!rule.is_valid(ltv), "{rule:?}");
    }
    assert!(
        !rule().is_valid(Ratio::from_bps(1_500)),
        "nothing to borrow"
    );
}

proptest! {
    /// F09: monotone in volatility.
    #[test]
    fn f09_a_higher_volatility_never_lowers_the_target(a in 0u128..1 << 80, b in 0u128..1 << 80) {
        let rule = rule();
        let (low, high) = (Variance::new(a.min(b)), Variance::new(a.max(b)));
        prop_assert!(rule.target(BASE, low) <= rule.target(BASE, high));
    }

    /// F09: whatever volatility does and whoever updates when, the margin stays inside its
    /// bounds, nobody becomes liquidatable in the moment of an update, what is asked of open
    /// positions was announced a notice before, and rises by no more than a step in a notice.
    #[test]
    fn f09_nobody_becomes_liquidatable_in_the_moment_of_a_change(
        path in proptest::collection::vec((0u128..3_000, 1u64..400), 1..80),
        debt in 1u128..1_000_000,
    ) {
        let rule = rule();
        let mut margin = Margin::default();
        let mut now = 100 * HOUR;
        let mut asked = vec![Ratio::ZERO];
        let liquidatable = |kept: Ratio| is_liquidatable(
            DebtRatio::new(debt), Index::ONE, Price::new(1_000_000),
            Ratio::ONE.minus(BASE).and_then(|threshold| threshold.minus(kept)).unwrap(),
        );
        let minute = 60_000;
        for (bps, minutes) in path {
            for _ in 0..minutes {
                now += minute;
                let kept = margin.kept_at(&rule, now);
                let last = *asked.last().unwrap();
                // In a minute at most a sixtieth of a step, and a unit of rounding.
                prop_assert!(kept.ppm() <= last.ppm() + rule.rise.ppm() / 60 + 1);
                // Over a notice no more than a step, whatever ran into what.
                if asked.len() >= 60 {
                    let earlier = asked[asked.len() - 60];
                    prop_assert!(kept.ppm() <= earlier.ppm() + rule.rise.ppm() + 1);
                }
                asked.push(kept);
            }
            let was = margin.kept_at(&rule, now);
            let old = margin.announced(now);
            let called_for = margin.for_new_risk(&rule, BASE, Some(daily(bps)));
            if margin.update(&rule, BASE, Some(daily(bps)), now).is_ok() {
                let after = margin.kept_at(&rule, now);
                prop_assert!(after <= was && (liquidatable(was) || !liquidatable(after)));
                prop_assert!(margin.new_risk <= rule.most && after <= margin.new_risk);
                // An update asks no more of new risk than was asked of it without one.
                prop_assert!(margin.new_risk <= called_for);
                if let Some(rise) = margin.announced(now) {
                    // A new one is a full notice ahead; an old one keeps its end and rises no further.
                    let new = rise.from == now + rule.notice && rise.until == rise.from + rule.notice;
                    let kept = old.is_some_and(|o| o.until == rise.until && rise.margin <= o.margin);
                    prop_assert!(new || kept);
                    prop_assert!(rise.margin <= margin.new_risk);
                }
            }
        }
    }
}

/// A bound lowered and raised again by governance, with nobody updating in between, does not bring
/// back at once what was kept under the old one: open positions get notice of a rise (F09).
#[test]
fn f09_a_bound_that_is_lowered_and_raised_again_raises_nothing_at_once() {
    let (wide, narrow) = (
        rule(),
        MarginRule {
            most: Ratio::from_bps(50),
            ..rule()
        },
    );
    let start = 10 * HOUR;
    let mut margin = Margin::default();
    margin.update(&wide, BASE, Some(daily(700)), start).unwrap();
    // On its way, a quarter of it has arrived: a change of other parameters changes nothing.
    let quarter = start + HOUR + HOUR / 4;
    let mut same = margin;
    same.settle(&wide, quarter);
    for minutes in 0..90 {
        let at = quarter + minutes * 60_000;
        let (was, is) = (margin.kept_at(&wide, at), same.kept_at(&wide, at));
        assert!(was.ppm().abs_diff(is.ppm()) <= 1, "{was:?} {is:?}");
    }
    for lowered in [quarter, start + 3 * HOUR] {
        let mut margin = margin;
        margin.settle(&wide, lowered);
        let raised = lowered + 48 * HOUR;
        let before = margin.kept_at(&narrow, raised);
        assert_eq!(before, narrow.most);
        margin.settle(&narrow, raised);
        for hours in 0..3 {
            assert_eq!(margin.kept_at(&wide, raised + hours * HOUR), before);
        }
    }
}

/// A rise beyond the range of a ratio is refused by name; with a spacing of nothing the fall has
/// no pace.
#[test]
fn f09_an_update_beyond_its_range_is_refused() {
    let mut margin = Margin {
        kept: Ratio::from_ppm(u32::MAX),
        ..Margin::default()
    };
    let steep = MarginRule {
        most: Ratio::from_ppm(u32::MAX),
        ..rule()
    };
    let wild = Some(Variance::new(u128::MAX));
    let refused = margin.update(&steep, BASE, wild, HOUR);
    assert_eq!(refused, Err(MarginError::Math(MathError::Overflow)));
    let unspaced = MarginRule {
        spacing: 0,
        ..rule()
    };
    let refused = Margin::default().update(&unspaced, BASE, wild, HOUR);
    assert_eq!(refused, Err(MarginError::Math(MathError::DivisionByZero)));
}
