//! Shapes, published parameter sets, exactness and monotony of ladders.

use super::*;
use crate::units::{Amount, PRICE_ONE};
use num_bigint::BigUint;
use num_traits::ToPrimitive;
use proptest::prelude::*;

fn price(whole: u128) -> Price {
    Price::new(whole * PRICE_ONE)
}

#[test]
fn the_standard_ladder_has_the_published_shape() {
    let prices = LadderParams::standard()
        .prices(price(100), price(100), Measures::default())
        .unwrap();
    assert_eq!(prices.len(), 64);
    assert_eq!(prices[0], price(103));
    assert_eq!(prices[5], Price::new(100_500_000_000_000_000_000));
    assert_eq!(prices[50], price(97));
    assert_eq!(prices[63], price(90));
    // Around the oracle a step is 3.5 % / 45 = 7.8 basis points.
    let step = prices[10].get() - prices[11].get();
    assert_eq!(step * 10_000 * 10 / price(100).get(), 77);
}

/// F15 and D2, linear: 240 to 0 in 21 600 steps gives 195 at 4 050 and 110 at 11 700 (MIP45c9,
/// and the shape of TUSD-A).
#[test]
fn f15_linear_goldens() {
    let at = |step| on_line(price(240), Price::ZERO, step, 21_600).unwrap();
    assert_eq!(at(0), price(240));
    assert_eq!(at(4_050), price(195));
    assert_eq!(at(11_700), price(110));
    assert_eq!(at(21_600), Price::ZERO);
}

/// An exponential ladder of many steps from 10^18 units, floor one unit.
fn exponential(start: Price, keep: u32, steps: u8) -> Vec<Price> {
    let mut prices = Vec::new();
    decay(
        &mut prices,
        start,
        Price::new(1),
        steps,
        Ratio::from_ppm(keep),
    )
    .unwrap();
    prices
}

/// F15: 1 200 at 1 % a step of 90 s: 1 188 after one, then 1 085.2585, 933.3856 and 485.6784 at
/// 900, 2 250 and 8 100 s.
#[test]
fn f15_exponential_goldens() {
    let prices = exponential(price(1_200), 990_000, 92);
    let digits = |step: usize| (prices[step].get() + 50_000_000_000_000) / 100_000_000_000_000;
    assert_eq!((prices[0], prices[1]), (price(1_200), price(1_188)));
    assert_eq!(digits(10), 10_852_585);
    assert_eq!(digits(25), 9_333_856);
    assert_eq!(digits(90), 4_856_784);
}

/// D2: Maker's sets fall from 1.30 (1.20) to the oracle in 39.2 (27.2) minutes and to 0.40 of
/// the start in 8 205 s; Gauntlet's from 1.10 in 952 s, to 0.594 in 5 200 s, with a half-life of
/// 6 921 s.
#[test]
fn d2_published_sets_take_the_published_times() {
    let first_under = |start: u128, keep, under: u128| {
        let prices = exponential(Price::new(start * PRICE_ONE / 1_000), keep, 255);
        let limit = Price::new(under * PRICE_ONE / 1_000);
        prices.iter().position(|price| *price < limit).unwrap()
    };
    // 26.1, 18.1 and 91.2 steps of 90 s; 31.7, 173 and 230.7 steps of 30 s.
    assert_eq!(first_under(1_300, 990_000, 1_000), 27);
    assert_eq!(first_under(1_200, 990_000, 1_000), 19);
    assert_eq!(first_under(1_000, 990_000, 400), 92);
    assert_eq!(first_under(1_100, 997_000, 1_000), 32);
    assert_eq!(first_under(1_000, 997_000, 500), 231);
    let after = exponential(price(1), 997_000, 175)[173].get();
    assert_eq!(after / 1_000_000_000_000_000, 594);
}

#[test]
fn a_linear_ladder_is_a_straight_line() {
    let params = LadderParams {
        curve: Curve::Linear { steps: 14 },
        start: Ratio::from_ppm(1_030_000),
        ..LadderParams::standard()
    };
    let prices = params
        .prices(price(100), price(100), Measures::default())
        .unwrap();
    let expected: Vec<_> = (0..14).map(|i| price(103 - i)).collect();
    assert_eq!(prices, expected);
}

#[test]
fn a_lagging_twap_raises_only_the_start() {
    let prices = LadderParams::standard()
        .prices(price(80), price(100), Measures::default())
        .unwrap();
    assert_eq!(prices[0], price(103));
    assert_eq!(prices[5], Price::new(80_400_000_000_000_000_000));
    assert_eq!(prices[63], price(72));
}

proptest! {
    /// Promise 3 and I-11, I-12: never rising, never under the floor, ending at it.
    #[test]
    fn prices_never_rise_and_never_leave_start_and_floor(
        spot in 1u128..1 << 100, twap in 1u128..1 << 100, floor in 1u128..1 << 100,
    ) {
        let params = LadderParams {
            absolute_floor: Price::new(floor), ..LadderParams::standard()
        };
        let (spot, twap) = (Price::new(spot), Price::new(twap));
        let prices = params.prices(spot, twap, Measures::default()).unwrap();
        let lowest = params.floor_price(spot).unwrap();
        prop_assert_eq!(prices.len(), 64);
        prop_assert!(prices.windows(2).all(|pair| pair[1] <= pair[0]));
        prop_assert_eq!(*prices.last().unwrap(), lowest);
        prop_assert!(!lowest.is_zero());
    }

    /// Every block belongs to the step whose interval contains it.
    #[test]
    fn steps_tile_the_blocks(first in 1u32..1_000, per in 1u8..=2, steps in 1u8..=64, block in 0u32..2_000) {
        let schedule = Schedule { first, blocks_per_step: per, steps };
        let expected = (0..steps).find(|s| {
            block < schedule.begins(*s) + u32::from(per)
        });
        prop_assert_eq!(schedule.step_at(block), expected);
        let ended = (0..steps).filter(|s| block >= schedule.begins(*s) + u32::from(per)).count();
        prop_assert_eq!(usize::from(schedule.ended(block)), ended);
    }
}

/// `⌈a · b / c⌉` in big numbers.
fn ceil(a: &BigUint, b: &BigUint, c: &BigUint) -> BigUint {
    (a * b + c - 1u8) / c
}

fn big(price: Price) -> BigUint {
    BigUint::from(price.get())
}

fn shapes() -> impl Strategy<Value = LadderParams> {
    let curve = prop_oneof![
        (2u8..=64).prop_map(|steps| Curve::Linear { steps }),
        (2u8..=64, 500_000u32..1_000_000).prop_map(|(steps, keep)| Curve::Exponential {
            steps,
            keep: Ratio::from_ppm(keep),
        }),
        (
            1u8..=20,
            950_000u32..1_010_000,
            1u8..=24,
            800_000u32..1_000_000,
            2u8..=20
        )
            .prop_map(|(above, upper, around, lower, below)| Curve::TwoSpeed {
                above,
                upper: Ratio::from_ppm(upper),
                around,
                lower: Ratio::from_ppm(lower),
                below,
            }),
    ];
    (curve, 1_010_000u32..=1_100_000, 800_000u32..=950_000).prop_map(|(curve, start, floor)| {
        LadderParams {
            start: Ratio::from_ppm(start),
            floor: Ratio::from_ppm(floor),
            curve,
            ..LadderParams::standard()
        }
    })
}

/// Every answer to a measure switched on, and depth that counts up to 1 000 000.
fn answering(params: LadderParams) -> LadderParams {
    LadderParams {
        scaling: Scaling {
            deep: Amount::new(1_000_000),
            start_relief: Ratio::from_bps(200),
            floor_rise: Ratio::from_bps(300),
            ..Scaling::STANDARD
        },
        ..params
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// F15: every price of every curve equals an exact reference in big numbers.
    #[test]
    fn f15_every_step_equals_the_exact_reference(
        params in shapes().prop_filter("in bounds", LadderParams::is_valid),
        spot in 1_000u128..1 << 100,
    ) {
        let spot = Price::new(spot);
        let prices = params.prices(spot, spot, Measures::default()).unwrap();
        let million = BigUint::from(1_000_000u32);
        let of = |ratio: Ratio| ceil(&big(spot), &BigUint::from(ratio.ppm()), &million);
        let (start, floor) = (of(params.start), of(params.floor));
        let line = |from: &BigUint, to: &BigUint, step: usize, n: usize| {
            // from − (from − to)·step/n, rounded up.
            (from * (n - step) + to * step + n - 1u8) / n
        };
        for (step, price) in prices.iter().enumerate() {
            let expected = match params.curve {
                Curve::Linear { steps } => line(&start, &floor, step, usize::from(steps) - 1),
                Curve::Exponential { steps, keep } => {
                    let mut exact = start.clone();
                    for _ in 0..step {
                        exact = ceil(&exact, &BigUint::from(keep.ppm()), &million);
                    }
                    // Rounding at each step adds less than one unit a step to the power itself.
                    let power = BigUint::from(keep.ppm()).pow(step as u32);
                    let whole = ceil(&start, &power, &million.pow(step as u32));
                    prop_assert!(exact >= whole && exact <= whole + step);
                    if step + 1 == usize::from(steps) { floor.clone() } else { exact.max(floor.clone()) }
                }
                Curve::TwoSpeed { above, upper, around, lower, below } => {
                    let (a, m, b) = (usize::from(above), usize::from(around), usize::from(below));
                    let (upper, lower) = (of(upper).max(floor.clone()), of(lower).max(floor.clone()));
                    if step < a {
                        line(&start, &upper, step, a)
                    } else if step < a + m {
                        line(&upper, &lower, step - a, m)
                    } else {
                        line(&lower, &floor, step - a - m, b - 1)
                    }
                }
            };
            prop_assert_eq!(price.get(), expected.to_u128().unwrap(), "step {}", step);
        }
        prop_assert!(prices.windows(2).all(|pair| pair[1] <= pair[0]));
    }

    /// F18: start up, floor down and the slow part deeper with volatility; start down and floor
    /// up with depth; always inside the hard bounds, always a falling ladder.
    #[test]
    fn f18_answers_are_monotone_and_stay_in_bounds(
        params in shapes().prop_filter("in bounds", LadderParams::is_valid),
        vol in (0u32..2_000_000, 0u32..2_000_000), depth in (0u128..2_000_000, 0u128..2_000_000),
    ) {
        let params = answering(params);
        prop_assert!(params.is_valid());
        let at = |volatility: u32, depth: u128| {
            params.measured(Measures {
                volatility: Some(Ratio::from_ppm(volatility)),
                depth: Some(Amount::new(depth)),
            }).unwrap()
        };
        let (calm, wild) = (vol.0.min(vol.1), vol.0.max(vol.1));
        let (thin, thick) = (depth.0.min(depth.1), depth.0.max(depth.1));
        let (quiet, loud) = (at(calm, thin), at(wild, thin));
        prop_assert!(quiet.start <= loud.start && quiet.floor >= loud.floor);
        match (quiet.curve, loud.curve) {
            (Curve::TwoSpeed { lower: a, .. }, Curve::TwoSpeed { lower: b, .. }) =>
                prop_assert!(a >= b),
            (Curve::Exponential { keep: a, .. }, Curve::Exponential { keep: b, .. }) =>
                prop_assert!(a >= b && b >= MIN_KEEP),
            _ => {}
        }
        let (shallow, deep) = (at(calm, thin), at(calm, thick));
        prop_assert!(shallow.start >= deep.start && shallow.floor <= deep.floor);
        for p in [quiet, loud, shallow, deep] {
            prop_assert!((MIN_START..=MAX_START).contains(&p.start));
            prop_assert!((MIN_FLOOR..=MAX_FLOOR).contains(&p.floor));
        }
        let spot = Price::new(PRICE_ONE);
        let measures = Measures {
            volatility: Some(Ratio::from_ppm(wild)), depth: Some(Amount::new(thick)),
        };
        let prices = params.prices(spot, spot, measures).unwrap();
        prop_assert!(prices.windows(2).all(|pair| pair[1] <= pair[0]));
        prop_assert!(params.has_room(spot, measures).unwrap());
    }

    /// F18: without measures the ladder is the unscaled one, and so it is where answers are off.
    #[test]
    fn f18_a_missing_measure_changes_nothing(
        params in shapes().prop_filter("in bounds", LadderParams::is_valid), wild in 0u32..2_000_000,
    ) {
        let answering = answering(params);
        prop_assert_eq!(answering.measured(Measures::default()).unwrap(), answering);
        let off = LadderParams { scaling: Scaling::NONE, ..params };
        let measures = Measures {
            volatility: Some(Ratio::from_ppm(wild)), depth: Some(Amount::new(1)),
        };
        prop_assert_eq!(off.measured(measures).unwrap(), off);
    }
}

/// F18 in numbers: 50 % a day is 10.2 % an hour.
#[test]
fn f18_a_volatile_hour_and_a_deep_book_in_numbers() {
    let params = answering(LadderParams::standard());
    let wild = Measures {
        volatility: Some(Ratio::from_ppm(102_000)),
        depth: None,
    };
    let prices = params.prices(price(100), price(100), wild).unwrap();
    assert_eq!(prices[0], Price::new(108_100_000_000_000_000_000));
    assert_eq!(prices[50], Price::new(94_960_000_000_000_000_000));
    assert_eq!(prices[63], Price::new(87_960_000_000_000_000_000));
    let deep = Measures {
        volatility: None,
        depth: Some(Amount::new(500_000)),
    };
    let prices = params.prices(price(100), price(100), deep).unwrap();
    assert_eq!(
        (prices[0], prices[63]),
        (price(102), Price::new(91_500_000_000_000_000_000))
    );
}

/// Changes the steps and the knees of a two-speed curve.
fn knees(params: &mut LadderParams, change: fn(&mut [u8; 3], &mut Ratio, &mut Ratio)) {
    if let Curve::TwoSpeed {
        above,
        upper,
        around,
        lower,
        below,
    } = &mut params.curve
    {
        let mut steps = [*above, *around, *below];
        change(&mut steps, upper, lower);
        [*above, *around, *below] = steps;
    }
}

#[test]
fn f15_every_bound_of_a_ladder_refuses() {
    type Change = fn(&mut LadderParams);
    let changes: [Change; 22] = [
        |p| p.start = Ratio::from_ppm(1_009_999),
        |p| p.start = Ratio::from_ppm(1_100_001),
        |p| p.floor = Ratio::from_ppm(799_999),
        |p| p.floor = Ratio::from_ppm(950_001),
        |p| p.absolute_floor = Price::ZERO,
        |p| p.blocks_per_step = 0,
        |p| p.blocks_per_step = 3,
        |p| p.announce_blocks = 0,
        |p| p.curve = Curve::Linear { steps: 1 },
        |p| p.curve = Curve::Linear { steps: 65 },
        |p| {
            p.curve = Curve::Exponential {
                steps: 65,
                keep: Ratio::from_ppm(990_000),
            }
        },
        |p| {
            p.curve = Curve::Exponential {
                steps: 64,
                keep: Ratio::ONE,
            }
        },
        // 1.03 to 0.90 at 0.3 % a step takes 45 steps and more.
        |p| {
            p.curve = Curve::Exponential {
                steps: 40,
                keep: Ratio::from_ppm(997_000),
            }
        },
        |p| knees(p, |_, upper, lower| *upper = *lower),
        |p| knees(p, |_, upper, _| *upper = Ratio::from_ppm(1_030_001)),
        |p| knees(p, |_, _, lower| *lower = Ratio::from_ppm(899_999)),
        |p| knees(p, |steps, _, _| *steps = [0, 45, 14]),
        |p| knees(p, |steps, _, _| *steps = [5, 0, 14]),
        |p| knees(p, |steps, _, _| *steps = [5, 45, 1]),
        |p| p.scaling.start_per_volatility = Ratio::from_ppm(4_000_001),
        |p| p.scaling.start_relief = Ratio::from_ppm(50_001),
        |p| p.scaling.floor_rise = Ratio::from_ppm(150_001),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut params = LadderParams::standard();
        assert!(params.is_valid());
        change(&mut params);
        assert!(!params.is_valid(), "change {number}");
    }
}

/// F15, F18: outside its bounds, which a market's creation checks, a ladder is refused as a number
/// that leaves its range; none wraps round to a low price.
#[test]
fn a_ladder_of_numbers_beyond_its_bounds_is_refused() {
    let most = Ratio::from_ppm(u32::MAX);
    let wild = Measures {
        volatility: Some(most),
        depth: Some(Amount::new(u128::MAX)),
    };
    let linear = |steps| LadderParams {
        curve: Curve::Linear { steps },
        ..answering(LadderParams::standard())
    };
    let exponential = LadderParams {
        curve: Curve::Exponential {
            steps: 64,
            keep: Ratio::from_ppm(990_000),
        },
        ..linear(10)
    };
    let scaled = |scaling| LadderParams {
        scaling,
        curve: Curve::Exponential {
            steps: 64,
            keep: Ratio::ZERO,
        },
        ..exponential
    };
    let answers = linear(10).scaling;
    let overflow = Err(MathError::Overflow);
    let refused = [
        scaled(Scaling {
            start_per_volatility: most,
            ..answers
        }),
        scaled(Scaling {
            floor_rise: most,
            ..answers
        }),
        scaled(Scaling {
            slope_per_volatility: most,
            ..answers
        }),
    ];
    for params in refused {
        assert_eq!(params.measured(wild), overflow);
        assert_eq!(params.has_room(price(1), wild), Err(MathError::Overflow));
        let prices = params.prices(price(1), price(1), wild);
        assert_eq!(prices, Err(MathError::Overflow));
    }
    let calm = Measures::default();
    let far = Price::new(u128::MAX);
    // At the first the floor fits and the start does not.
    for spot in [Price::new(u128::MAX / 100 * 99), far] {
        for params in [LadderParams::standard(), linear(10), exponential] {
            assert_eq!(params.prices(spot, spot, calm), Err(MathError::Overflow));
        }
    }
    let by_nothing = linear(1).prices(price(1), price(1), calm);
    assert_eq!(by_nothing, Err(MathError::DivisionByZero));
    let upwards = on_line(price(1), price(2), 0, 1);
    assert_eq!(upwards, Err(MathError::Underflow));
}
