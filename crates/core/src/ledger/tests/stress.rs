//! F09 on a stress path: ETH against dollars on 12 and 13 March 2020, by the hour.
//!
//! Everybody who borrows takes all that may be taken. Whoever is liquidated is sold a quarter of an
//! hour later, 3 % under the price of then, if that is above the floor of the batch.

use super::super::*;
use super::world::{World, COLLATERAL};
use crate::margin::{Margin, MarginRule};
use crate::oracle::{Variance, VolatilityConfig};
use crate::units::{Amount, Millis, Price, Ratio, PRICE_ONE};

/// Open, high, low, close in cents, from 12 March, 00:00 UTC on.
const CRASH: [[u128; 4]; 30] = [
    [19_461, 19_555, 19_222, 19_331],
    [19_330, 19_373, 18_423, 18_503],
    [18_501, 18_762, 18_266, 18_410],
    [18_413, 18_552, 18_190, 18_308],
    [18_302, 18_306, 18_000, 18_171],
    [18_171, 18_223, 18_016, 18_175],
    [18_179, 18_182, 17_200, 17_380],
    [17_378, 17_422, 16_761, 17_161],
    [17_165, 17_236, 16_661, 16_954],
    [16_953, 17_023, 16_744, 16_797],
    [16_797, 16_889, 12_500, 13_291],
    [13_291, 15_000, 12_300, 13_659],
    [13_645, 14_252, 13_401, 13_699],
    [13_688, 13_947, 12_675, 13_503],
    [13_492, 14_297, 13_400, 13_966],
    [13_966, 14_153, 13_635, 14_110],
    [14_111, 14_265, 13_441, 13_935],
    [13_930, 14_522, 13_850, 14_196],
    [14_200, 14_295, 13_685, 13_723],
    [13_723, 13_975, 13_687, 13_837],
    [13_840, 13_909, 12_500, 12_884],
    [12_906, 13_280, 12_505, 13_099],
    [13_099, 13_495, 12_620, 12_726],
    [12_732, 12_732, 10_120, 10_782],
    [10_767, 11_636, 10_420, 10_689],
    [10_697, 11_200, 9_600, 9_662],
    [9_651, 12_020, 8_600, 11_112],
    [11_125, 13_800, 11_000, 12_424],
    [12_417, 12_424, 10_600, 10_970],
    [10_970, 12_332, 10_915, 11_663],
];

const QUARTER: Millis = 900_000;
/// Blocks in a quarter of an hour.
const BLOCKS: u32 = 150;

/// Four prices an hour: open, the extreme that came first, the other, close.
fn path() -> Vec<u128> {
    let points = CRASH.iter().flat_map(|[open, high, low, close]| {
        let falls = close < open;
        let extremes = if falls { [high, low] } else { [low, high] };
        [open, extremes[0], extremes[1], close]
    });
    points.map(|cents| cents * PRICE_ONE / 100).collect()
}

/// What a rule did on the path.
#[derive(Debug)]
struct Outcome {
    /// Debt that no collateral was left for, sold or not, quote units.
    bad_debt: u128,
    /// The highest margin asked of open positions, over the lowest: procyclicality.
    margins: (Ratio, Ratio),
    /// Positions that entered a batch.
    liquidated: u32,
}

fn live(rule: MarginRule) -> Outcome {
    let mut world = World::new();
    let (initial, threshold) = (world.params.initial_ltv, world.params.liquidation_threshold);
    let base = Ratio::ONE.minus(threshold).unwrap();
    let mut margin = Margin::default();
    let mut variance = None;
    let mut out = Outcome {
        bad_debt: 0,
        margins: (base, base),
        liquidated: 0,
    };
    let mut running: Option<Opening> = None;
    let (mut now, mut last) = (1_583_971_200_000, None);
    for (nth, price) in path().into_iter().enumerate() {
        world.block += BLOCKS;
        now += QUARTER;
        if let Some(opened) = running.take() {
            // Bidders want 3 % off what the market shows now.
            let wanted = Price::new(price * 97 / 100);
            let step = opened.prices.iter().position(|step| *step <= wanted);
            let (at, raised) = match step {
                Some(step) => (opened.prices[step], opened.targets[step]),
                None => (Price::new(0), Amount::ZERO),
            };
            let settled = world.settle(opened.number, at, raised).unwrap();
            out.bad_debt += settled.waterfall.shortfall.get();
            world.rest(opened.number);
        }
        if let Some(last) = last {
            let config = VolatilityConfig::standard();
            let after = Variance::after(
                variance,
                config,
                Price::new(last),
                Price::new(price),
                QUARTER,
            );
            variance = Some(after.unwrap());
        }
        last = Some(price);
        let before = margin.kept_at(&rule, now);
        let _ = margin.update(&rule, base, variance, now);
        let kept = margin.kept_at(&rule, now);
        assert!(kept <= before, "an update asks no more of open positions");
        let added = margin.for_new_risk(&rule, base, variance);
        world.params.liquidation_threshold = threshold.minus(kept).unwrap();
        world.params.initial_ltv = initial.minus(added).unwrap();
        out.margins.1 = out.margins.1.max(base.plus(kept).unwrap());
        if nth % 2 == 0 {
            let who = nth as u32;
            let collateral = 10 * COLLATERAL;
            let value = price / 10_000_000_000_000 * 10 * 10;
            let most = value / 1_000 * world.params.initial_ltv.ppm() / 1_000;
            world.open_position(who, collateral, most - 1_000, price);
        }
        world.block += 1;
        if let Ok(opened) = world.open_batch(price) {
            out.liquidated += opened.members;
            running = Some(opened);
        }
        world.check();
    }
    let end = Price::new(last.unwrap());
    let left = world
        .transition(u32::MAX, |l, _| l.insolvency(end))
        .unwrap();
    out.bad_debt += left.get();
    out
}

/// The margin that follows volatility leaves no more bad debt than the fixed one, on the same
/// path, and moves between a fifth and three tenths: procyclicality 1.5.
#[test]
fn f09_on_a_stress_path_bad_debt_is_no_larger_and_procyclicality_is_bounded() {
    let fixed = live(MarginRule::FIXED);
    let dynamic = live(MarginRule::STANDARD);
    assert_eq!(fixed.margins.0, fixed.margins.1);
    assert!(fixed.bad_debt > 0, "the path is no stress: {fixed:?}");
    assert!(
        dynamic.bad_debt <= fixed.bad_debt,
        "{dynamic:?} against {fixed:?}"
    );
    let (low, high) = dynamic.margins;
    assert!(high.ppm() * 10 <= low.ppm() * 15, "{dynamic:?}");
    assert!(high > low, "volatility raised nothing: {dynamic:?}");
    assert!(dynamic.liquidated > 0);
    println!("{fixed:?}\n{dynamic:?}");
}

/// A loan of one, taken at a price: its loan-to-value at another, millionths.
fn ltv(taken: u128, now: u128) -> u128 {
    taken * 750_000 / now
}

/// The path with two prices between every two of its points: one each five minutes.
fn fine_path() -> Vec<u128> {
    let points = path();
    let pairs = points.windows(2);
    pairs
        .flat_map(|pair| [0, 1, 2].map(|part| (pair[0] * (3 - part) + pair[1] * part) / 3))
        .collect()
}

/// Loans that are taken all along the path and liquidated by a feed that is late by so many
/// points, noisy by so many millionths, or silent in so many of two dozen: how many of them were
/// healthy at the true price of one of the last two rounds.
fn wrongly_liquidated(lag: usize, noise_ppm: u128, silent: usize) -> u128 {
    let truth = fine_path();
    let mut seed = 7u64;
    let mut told: Vec<u128> = Vec::new();
    for at in 0..truth.len() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        if at % 24 < silent && at > 0 {
            told.push(told[at - 1]);
            continue;
        }
        let seen = truth[at.saturating_sub(lag)];
        let noise = seen / 1_000_000 * noise_ppm * u128::from(seed >> 44) / (1 << 20);
        told.push(if seed >> 43 & 1 == 0 {
            seen + noise
        } else {
            seen - noise
        });
    }
    let mut wrong = 0;
    for taken in (0..truth.len() - 4).step_by(3) {
        for margin in 0..10 {
            let at = truth[taken] * (1_000 - 5 * margin) / 1_000;
            let unhealthy = |price: u128| ltv(at, price) > 800_000;
            // Promise 5: at both of the last two rounds.
            let due = (taken + 1..truth.len() - 4)
                .find(|now| unhealthy(told[*now]) && unhealthy(told[now - 1]));
            wrong += u128::from(due.is_some_and(|at| !unhealthy(truth[at].max(truth[at - 1]))));
        }
    }
    wrong
}

/// Spearman's rank correlation of a series with its index, in thousandths; ties share a rank.
fn rank_correlation(series: &[u128]) -> i64 {
    let n = series.len() as i64;
    let rank = |value: u128| {
        let below = series.iter().filter(|other| **other < value).count() as i64;
        let equal = series.iter().filter(|other| **other == value).count() as i64;
        2 * below + equal + 1
    };
    let squares: i64 = (1i64..)
        .zip(series)
        .map(|(at, value)| (rank(*value) - 2 * at).pow(2))
        .sum();
    1_000 - 1_000 * 6 * squares / (4 * n * (n * n - 1))
}

/// F06, data quality: the later, the noisier and the more often silent the feed, the more healthy
/// loans it liquidates; a perfect one liquidates none. Ten levels each.
#[test]
fn f06_worse_prices_liquidate_more_of_the_healthy() {
    let levels = 0..10;
    let sweeps: [(&str, Vec<u128>); 3] = [
        (
            "lag",
            levels
                .clone()
                .map(|at| wrongly_liquidated(at, 0, 0))
                .collect(),
        ),
        (
            "noise",
            levels
                .clone()
                .map(|at| wrongly_liquidated(0, 10_000 * at as u128, 0))
                .collect(),
        ),
        (
            "outage",
            levels.map(|at| wrongly_liquidated(0, 0, 2 * at)).collect(),
        ),
    ];
    for (name, wrong) in sweeps {
        assert_eq!(wrong[0], 0, "{name}");
        let rho = rank_correlation(&wrong);
        assert!(rho > 600, "{name}: ρ = {rho} thousandths of {wrong:?}");
    }
}
