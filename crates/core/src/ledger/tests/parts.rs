//! The parts that the ledger is made of, each with numbers at the end of their range: they
//! calculate or refuse, and never panic.

use super::super::*;
use crate::batch::{ask, cut, outcome, raise_at, targets, Ask};
use crate::breaker::{BatchFacts, Evidence};
use crate::interest::InterestCurve;
use crate::ladder::{Curve, LadderParams, Measures};
use crate::losses::settle_losses;
use crate::market::{example_params, MarketPrices};
use crate::math::Rounding;
use crate::oracle::FeedStatus;
use crate::page::{BatchedCohort, Cohort, Conversion, Cooling, Stake};
use crate::standing::pool::Pool;
use crate::timelock::Easing;
use crate::units::{Amount, DebtRatio, Index, Price, Ratio, ScaledDebt, Shares, PRICE_ONE};

const NUMBERS: [u128; 6] = [0, 1, 1_000_003, PRICE_ONE, u128::MAX / 2, u128::MAX];

fn stake(collateral: u128, debt: u128) -> Stake {
    Stake {
        collateral: Shares::new(collateral),
        debt: Shares::new(debt),
    }
}

fn cohort(collateral: u128, debt: u128, shares: Stake, members: u32) -> Cohort {
    let (collateral, debt) = (Amount::new(collateral), ScaledDebt::new(debt));
    Cohort {
        shares,
        ..Cohort::at_par(0, members, collateral, debt, DebtRatio::ZERO)
    }
}

#[test]
fn what_a_cohort_asks_and_keeps_is_calculated_or_refused() {
    let (params, mut refused) = (example_params(), 0);
    let scale = params.scale().unwrap();
    for a in NUMBERS {
        for b in NUMBERS {
            for c in NUMBERS {
                let (x, y, price) = (Amount::new(a), Amount::new(b), Price::new(c));
                let asked = ask(&params, scale, x, y, price);
                refused += u32::from(asked.is_err());
                let full = Ask {
                    retire: x,
                    target: y,
                };
                let _ = cut(full, Amount::new(c), &params, y, x);
                let sums = targets(&[(x, y), (y, x)], &[price, Price::new(1)], y, scale);
                refused += u32::from(sums.is_err());
                for (retire, target) in [(a, b), (b, a), (c, c)] {
                    let batched = BatchedCohort {
                        batch: 0,
                        rank: 0,
                        cohort: cohort(a, b, stake(a, b), 2),
                        debt: y,
                        retire: Amount::new(retire),
                        target: Amount::new(target),
                    };
                    let _ = raise_at(&batched, price, scale);
                    for raised in [0, target / 2, target] {
                        let after = outcome(&batched, price, Amount::new(raised), scale);
                        if let Ok(after) = after {
                            // Whatever the numbers, nothing is made of nothing.
                            assert!(after.sold <= x && after.repaid <= y);
                            assert!(after.repaid.get() + after.penalty.get() == after.raised.get());
                        }
                    }
                }
            }
        }
    }
    assert!(refused > 0);
}

#[test]
fn shares_at_the_end_of_their_range_are_calculated_or_refused() {
    let mut refused = 0;
    for a in NUMBERS {
        for b in NUMBERS {
            for c in NUMBERS {
                let before = cohort(a, b, stake(b, c), 3);
                let mut entered = before;
                let minted = entered.enter(u32::MAX, Amount::new(c), ScaledDebt::new(a));
                refused += u32::from(minted.is_err());
                let _ = before.clone().enter(1, Amount::new(c), ScaledDebt::new(a));
                for held in [stake(c, a), stake(0, 0), stake(u128::MAX, u128::MAX)] {
                    let mut left = before;
                    if let Ok((collateral, debt)) = left.leave(held) {
                        assert!(collateral <= before.collateral && debt <= before.debt);
                    }
                    let (received, given) = (stake(a, b), stake(c, c));
                    let _ = Conversion { received, given }.apply(held);
                }
                let mut pool = Pool::default();
                let _ = pool
                    .deposit(Amount::new(a))
                    .and(pool.deposit(Amount::new(b)));
                let _ = pool.worth(Shares::new(c));
                let _ = pool.price_in_shares(Amount::new(c));
                let _ = pool.withdraw(Amount::new(c));
            }
        }
    }
    assert!(refused > 0);
    let long = Cooling {
        until: 9,
        round: 1,
        failures: 1,
    };
    let none = Cooling::default();
    let of = |one, debt, other, others| {
        Cooling::of_larger(
            (one, ScaledDebt::new(debt)),
            (other, ScaledDebt::new(others)),
        )
    };
    assert_eq!((of(none, 5, long, 5), of(long, 5, none, 5)), (long, long));
    assert_eq!((of(none, 6, long, 5), of(long, 5, none, 6)), (none, none));
    assert_eq!((of(none, 5, long, 6), of(long, 6, none, 5)), (long, long));
}

#[test]
fn rates_ladders_and_facts_are_calculated_or_refused() {
    let standard = LadderParams::standard();
    let curves = [
        standard.curve,
        Curve::Linear { steps: 64 },
        Curve::Exponential {
            steps: 64,
            keep: Ratio::from_bps(9_900),
        },
    ];
    for a in NUMBERS {
        let amount = Amount::new(a);
        for b in NUMBERS {
            let (spot, twap) = (Price::new(a), Price::new(b));
            let measures = Measures {
                volatility: None,
                depth: Some(Amount::new(b)),
            };
            for curve in curves {
                let ladder = LadderParams { curve, ..standard };
                if let Ok(prices) = ladder.prices(spot, twap, measures) {
                    assert!(prices.windows(2).all(|pair| pair[0] >= pair[1]));
                }
                let _ = ladder.has_room(spot, measures);
            }
            let _ = settle_losses(amount, Amount::new(b), amount, amount, amount, Ratio::ONE);
            let facts = BatchFacts {
                asked: amount,
                raised: Amount::new(b),
                fair: amount,
                bad_debt: Amount::new(b),
                silent_steps: u8::MAX,
            };
            let mut evidence = Evidence::default();
            for block in [1, 1, 3_000, 6_000, u32::MAX] {
                let _ = evidence.record(&facts, Amount::new(8), block, 2_400);
                let _ = evidence.measures(&[facts, facts], Amount::new(8), block, 2_400);
            }
            for ppm in [0, 1, 800_000, 1_000_000, u32::MAX] {
                let ratio = Ratio::from_ppm(ppm);
                let _ = InterestCurve::STANDARD.rate(ratio);
                let time = u64::try_from(b).unwrap_or(u64::MAX);
                assert!(Index::from_raw(a).grown(ratio, time) <= Index::MOST);
                let easing = Easing {
                    from: ratio,
                    since: 0,
                    lasts: time,
                };
                let _ = easing.at(Ratio::from_ppm(800_000), 1);
                let _ = amount.share(ratio, Rounding::Up);
            }
        }
    }
    let mut state = MarketState::default();
    assert_eq!(
        state.utilisation(),
        Ok(Ratio::ZERO),
        "nothing lent, nothing there"
    );
    state.debt = ScaledDebt::new(u128::MAX);
    state.batched_debt = Amount::new(u128::MAX);
    assert_eq!(state.utilisation(), Err(MathError::Overflow));
}

#[test]
fn parameters_at_the_end_of_their_range_are_refused_by_a_bound() {
    type Change = fn(&mut MarketParams, Ratio);
    let changes: [Change; 8] = [
        |p, r| p.initial_ltv = r,
        |p, r| p.liquidation_threshold = r,
        |p, r| p.penalty = r,
        |p, r| p.slippage = r,
        |p, r| p.target_health = r,
        |p, r| p.full_close_health = r,
        |p, r| p.ramp_width = r,
        |p, r| p.keeper_share = r,
    ];
    for change in changes {
        let mut params = example_params();
        change(&mut params, Ratio::from_ppm(u32::MAX));
        // Only a target health can be that high: then every cohort is closed as far as it goes.
        let allowed = params.target_health == Ratio::from_ppm(u32::MAX);
        assert_eq!(params.validate().is_ok(), allowed);
    }
    let mut params = example_params();
    params.quote_decimals = 5;
    let (mut state, mut store) = (MarketState::default(), MemoryStore::default());
    let ledger = Ledger::new(&params, &mut state, &mut store);
    assert!(matches!(ledger.err(), Some(LedgerError::Params(_))));
}

#[test]
fn a_markets_own_limit_of_age_decides_what_is_stale() {
    let at = Price::new(PRICE_ONE);
    let prices = |age, quarantined| MarketPrices {
        spot: at,
        previous: at,
        twap: at,
        round: 1,
        accepted_in: 1,
        age,
        quarantined,
        volatility: None,
    };
    assert_eq!(prices(10, None).status(10), FeedStatus::Fresh);
    assert_eq!(prices(10, Some(at)).status(10), FeedStatus::Quarantined);
    assert_eq!(prices(11, Some(at)).status(10), FeedStatus::Stale);
}
