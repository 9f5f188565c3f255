//! Whether the truth pays: what one bidder gains by pretending that collateral is worth less.

use super::{
    outcome::Shading,
    scenes::{Situation, Walk},
    Options, Work,
};
use crate::{
    agents::Strategy,
    auctions::{sell_batch, sell_by_takes, Asking, Exchange, Stairs, Takes},
    market::standard_terms,
    statistics::Estimate,
    SimulationError,
};

/// What it does instead of telling the truth.
const STRATEGIES: [(&str, Strategy); 4] = [
    ("10 bp less", Strategy::Shade(10.0)),
    ("25 bp less", Strategy::Shade(25.0)),
    ("50 bp less", Strategy::Shade(50.0)),
    ("waits for 2 % off", Strategy::Discount(200.0)),
];

/// Bidders, and their money as a multiple of what is to be raised: enough, and just enough.
const CROWDS: [(usize, f64); 2] = [(5, 1.5), (3, 1.0)];

/// The mechanisms, in the order of the gains.
const NAMES: [&str; 3] = [
    "this auction",
    "this ladder, first come",
    "Maker's curve, first come",
];

/// Sales per run.
pub(super) const SALES_PER_RUN: u64 = (CROWDS.len() * (1 + STRATEGIES.len())) as u64;

/// What one bidder got, and how many blocks after the opening.
type Got = [(Exchange, usize); 3];

/// Sells one lot by every mechanism.
fn sell(situation: &Situation, bidder: usize) -> Result<Got, SimulationError> {
    let scene = situation.scene();
    let batch = sell_batch(&scene, &standard_terms())?;
    let ladder = sell_by_takes(&scene, &Asking::Ladder(batch.ladder.clone()));
    let stairs = sell_by_takes(&scene, &Asking::Stairs(Stairs::MAKER));
    let own = |all: &[Exchange]| all.get(bidder).copied().unwrap_or_default();
    let last = |takes: &Takes| takes.sales.last().map_or(0, |sale| sale.0);
    Ok([
        (own(&batch.exchanges), batch.blocks),
        (own(&ladder.exchanges), last(&ladder)),
        (own(&stairs.exchanges), last(&stairs)),
    ])
}

/// Tries every strategy in every crowd.
pub(super) fn shading(
    options: &Options,
    work: &mut Work<'_>,
) -> Result<Vec<Shading>, SimulationError> {
    let mut rows = Vec::new();
    for (bidders, money) in CROWDS {
        let walk = Walk {
            bidders,
            money,
            blocks: 1_201,
            volatility: options.volatility,
            ..Walk::CALM
        };
        let gains = gains(&walk, options, work)?;
        rows.extend(STRATEGIES.iter().zip(gains).map(|((name, _), gains)| {
            Shading {
                bidders: bidders as u64,
                money,
                strategy: (*name).to_owned(),
                gains_bps: NAMES
                    .iter()
                    .zip(gains)
                    .map(|(name, gains)| ((*name).to_owned(), Estimate::of(gains)))
                    .collect(),
            }
        }));
    }
    Ok(rows)
}

/// The gain of each run, by strategy and mechanism.
///
/// Each run another bidder leaves the truth, so that no place in the order of a block is its own.
/// Collateral is valued in the block in which the later of the two sales ended, as the fair price
/// is a martingale.
fn gains(
    walk: &Walk,
    options: &Options,
    work: &mut Work<'_>,
) -> Result<[[Vec<f64>; NAMES.len()]; STRATEGIES.len()], SimulationError> {
    let mut gains = STRATEGIES.map(|_| NAMES.map(|_| Vec::new()));
    for run in 0..options.runs {
        let honest = Situation::walk(walk, options.seed, run)?;
        let chosen = (run % walk.bidders as u64) as usize;
        let target = honest.lot.target();
        let truth = sell(&honest, chosen)?;
        for ((_, strategy), gains) in STRATEGIES.iter().zip(&mut gains) {
            let mut situation = honest.clone();
            if let Some(bidder) = situation.bidders.get_mut(chosen) {
                bidder.strategy = *strategy;
            }
            let away = sell(&situation, chosen)?;
            for ((away, truth), gains) in away.iter().zip(&truth).zip(gains) {
                let fair = honest.scene().fair(away.1.max(truth.1));
                let worth = honest
                    .bidders
                    .get(chosen)
                    .map_or(0.0, |bidder| bidder.worth(fair));
                let gain = |own: &Exchange| own.received * worth - own.spent;
                gains.push((gain(&away.0) - gain(&truth.0)) / target * 1e4);
            }
        }
        work.done(1 + STRATEGIES.len() as u64);
    }
    Ok(gains)
}
