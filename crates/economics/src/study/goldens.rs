//! Published figures and promises about the auction alone, measured.

use super::{
    outcome::{Check, Expected, Unit},
    scenes::{Situation, Walk},
    Options, Work,
};
use crate::{
    agents::Strategy,
    auctions::{sell_batch, BatchSale},
    market::standard_terms,
    statistics::Estimate,
    SimulationError,
};
use breakwater_core::{
    ladder::{Curve, LadderParams},
    market::MarketParams,
    units::Ratio,
};

/// A ladder that falls by 1 % in 90 s, as far as 64 steps reach: 60 equal steps from `upper` on.
/// Around the oracle price a straight line is an exponential one.
fn one_percent_in_90_seconds(upper: u32, block_seconds: f64) -> MarketParams {
    let step = -(0.99f64.ln()) / 90.0 * block_seconds;
    let lower = upper - (59.0 * step * 1e6).round() as u32;
    let terms = standard_terms();
    MarketParams {
        ladder: LadderParams {
            start: Ratio::from_ppm(upper + (step * 1e6).round() as u32),
            curve: Curve::TwoSpeed {
                above: 1,
                upper: Ratio::from_ppm(upper),
                around: 59,
                lower: Ratio::from_ppm(lower),
                below: 4,
            },
            ..terms.ladder
        },
        ..terms
    }
}

/// Sells the lots of all runs.
fn sales(
    walk: &Walk,
    terms: &MarketParams,
    options: &Options,
    work: &mut Work<'_>,
    change: impl Fn(&mut Situation),
) -> Result<Vec<BatchSale>, SimulationError> {
    (0..options.runs)
        .map(|run| {
            let mut situation = Situation::walk(walk, options.seed, run)?;
            change(&mut situation);
            work.done(1);
            sell_batch(&situation.scene(), terms)
        })
        .collect()
}

/// How many sales all goldens make per run.
pub(super) const SALES_PER_RUN: u64 = 3 + 1 + CROWDS.len() as u64 * (1 + DEVIATIONS.len() as u64);

/// Crowds in which deviations are tried: bidders, and their money as a multiple of the target.
const CROWDS: [(usize, f64); 5] = [(2, 1.5), (3, 0.5), (3, 1.0), (5, 1.0), (5, 1.5)];

/// Deviations from the truth, with the most they may gain.
const DEVIATIONS: [(&str, Strategy, Expected); 4] = [
    (
        "gain from waiting for the floor",
        Strategy::WaitForFloor,
        Expected::AtMost(0.0),
    ),
    (
        "gain from waiting with half",
        Strategy::HalfWaits,
        Expected::AtMost(0.0),
    ),
    (
        "gain from a tiny bid at the floor",
        Strategy::TinyAtFloor,
        Expected::AtMost(0.0),
    ),
    (
        "gain from bidding under five names",
        Strategy::Sybil(5),
        Expected::Exactly(0.0),
    ),
];

/// Measures everything and judges it.
pub(super) fn goldens(
    options: &Options,
    work: &mut Work<'_>,
) -> Result<Vec<Check>, SimulationError> {
    let mut checks = Vec::new();
    mechanism(options, work, &mut checks)?;
    short_of_money(options, work, &mut checks)?;
    deviations(options, work, &mut checks)?;
    Ok(checks)
}

/// What the mechanism itself costs: bidders have no costs and no lack of money.
fn mechanism(
    options: &Options,
    work: &mut Work<'_>,
    checks: &mut Vec<Check>,
) -> Result<(), SimulationError> {
    let cases = [
        ("1 % in 90 s, 6 s blocks", 6.0, Some(1_020_000), 4.51),
        ("1 % in 90 s, 12 s blocks", 12.0, Some(1_030_000), 7.93),
        ("standard ladder, 6 s blocks", 6.0, None, 4.9),
    ];
    for (name, block_seconds, upper, expected) in cases {
        let walk = Walk {
            block_seconds,
            ..Walk::IDEAL
        };
        let terms = upper.map_or_else(standard_terms, |upper| {
            one_percent_in_90_seconds(upper, block_seconds)
        });
        let sold = sales(&walk, &terms, options, work, |_| {})?;
        checks.push(Check::new(
            "Unlimited demand, no hurdle, 5 % a day",
            format!("loss, {name}"),
            Unit::BpOfFair,
            Expected::About {
                value: expected,
                tolerance: 0.05 * expected,
            },
            Estimate::of(sold.iter().filter_map(|sale| sale.result.loss_bps)),
        ));
    }
    Ok(())
}

/// Five truthful bidders with nine tenths of the money.
fn short_of_money(
    options: &Options,
    work: &mut Work<'_>,
    checks: &mut Vec<Check>,
) -> Result<(), SimulationError> {
    let walk = Walk {
        money: 0.9,
        ..Walk::CALM
    };
    let sold = sales(&walk, &standard_terms(), options, work, |_| {})?;
    let group = "5 truthful bidders with 0.9 of the money";
    checks.push(Check::new(
        group,
        "loss",
        Unit::BpOfFair,
        Expected::Under(60.0),
        Estimate::of(sold.iter().filter_map(|sale| sale.result.loss_bps)),
    ));
    checks.push(Check::new(
        group,
        "bad debt",
        Unit::BpOfDebt,
        Expected::Exactly(0.0),
        Estimate::of(sold.iter().map(|sale| sale.result.bad_debt_bps)),
    ));
    checks.push(Check::new(
        group,
        "batches that leave money, tokens or the hole occupied",
        Unit::Cases,
        Expected::Exactly(0.0),
        Estimate::of(sold.iter().map(|sale| f64::from(!sale.closed_cleanly))),
    ));
    Ok(())
}

/// One bidder leaves the truth; the others keep to it. Same paths, lots and values.
fn deviations(
    options: &Options,
    work: &mut Work<'_>,
    checks: &mut Vec<Check>,
) -> Result<(), SimulationError> {
    let terms = standard_terms();
    for (bidders, money) in CROWDS {
        let walk = Walk {
            bidders,
            money,
            ..Walk::CALM
        };
        let mut gains = DEVIATIONS.map(|_| Vec::new());
        for run in 0..options.runs {
            let honest = Situation::walk(&walk, options.seed, run)?;
            let truth = sell_batch(&honest.scene(), &terms)?;
            for ((_, strategy, _), gains) in DEVIATIONS.iter().zip(&mut gains) {
                gains.push(gain(&honest, &truth, *strategy, &terms)?);
            }
            work.done(1 + DEVIATIONS.len() as u64);
        }
        for ((name, _, expected), gains) in DEVIATIONS.into_iter().zip(gains) {
            checks.push(Check::new(
                &format!("{bidders} bidders with {money} of the money, one leaves the truth"),
                name,
                Unit::BpOfTarget,
                expected,
                Estimate::of(gains),
            ));
        }
    }
    Ok(())
}

/// What the first bidder gains by a strategy over the truth.
///
/// Collateral from both sales is valued in the block in which the later of the two ended. The
/// fair price is a martingale, so no valuation at or after both ends is biased, and what the
/// bidder receives in both alike cancels exactly.
fn gain(
    honest: &Situation,
    truth: &BatchSale,
    strategy: Strategy,
    terms: &MarketParams,
) -> Result<f64, SimulationError> {
    let mut situation = honest.clone();
    let Some(bidder) = situation.bidders.first_mut() else {
        return Ok(0.0);
    };
    bidder.strategy = strategy;
    let away = sell_batch(&situation.scene(), terms)?;
    let fair = honest.scene().fair(away.blocks.max(truth.blocks));
    let worth = honest
        .bidders
        .first()
        .map_or(0.0, |bidder| bidder.worth(fair));
    Ok(away.gain_bps(0, worth) - truth.gain_bps(0, worth))
}
