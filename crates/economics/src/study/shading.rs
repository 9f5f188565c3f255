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

/// How much less it pretends, basis points.
const SHADES: [f64; 3] = [10.0, 25.0, 50.0];

/// The mechanisms, in the order of the gains.
const NAMES: [&str; 3] = [
    "this auction",
    "this ladder, first come",
    "Maker's curve, first come",
];

/// Sales per run.
pub(super) const SALES_PER_RUN: u64 = 1 + SHADES.len() as u64;

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

/// Five bidders with 1.5 times the money; each run another of them shades, so that no place in
/// the order of a block is the shader's.
///
/// Collateral is valued in the block in which the later of the two sales ended, as the fair price
/// is a martingale.
pub(super) fn shading(
    options: &Options,
    work: &mut Work<'_>,
) -> Result<Vec<Shading>, SimulationError> {
    let walk = Walk {
        blocks: 1_201,
        volatility: options.volatility,
        ..Walk::CALM
    };
    let mut gains = SHADES.map(|_| NAMES.map(|_| Vec::new()));
    for run in 0..options.runs {
        let honest = Situation::walk(&walk, options.seed, run)?;
        let chosen = (run % walk.bidders as u64) as usize;
        let target = honest.lot.target();
        let truth = sell(&honest, chosen)?;
        for (shade, gains) in SHADES.into_iter().zip(&mut gains) {
            let mut situation = honest.clone();
            if let Some(bidder) = situation.bidders.get_mut(chosen) {
                bidder.strategy = Strategy::Shade(shade);
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
        work.done(SALES_PER_RUN);
    }
    Ok(SHADES
        .into_iter()
        .zip(gains)
        .map(|(shade_bps, gains)| Shading {
            shade_bps,
            gains_bps: NAMES
                .iter()
                .zip(gains)
                .map(|(name, gains)| ((*name).to_owned(), Estimate::of(gains)))
                .collect(),
        })
        .collect())
}
