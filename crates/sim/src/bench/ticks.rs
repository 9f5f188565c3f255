//! What a batch costs by the ticks it takes.

use super::cost::{Cost, PARACHAIN_PROOF};
use super::stage::{params, Buying, Holding, Run, Stage, COLLATERAL, QUOTE};
use super::Watch;
use crate::deployment::StepError;
use breakwater_core::units::{Amount, Price, PRICE_ONE};
use serde::Serialize;

/// How many ticks the tables are over.
pub const TICKS: [u16; 5] = [1, 8, 32, 128, 512];

/// Positions in each tick.
const PER_TICK: usize = 3;

/// Over so many ticks, which are 32 pages, positions are spread.
const SPREAD_OVER: u16 = 1_024;

/// How the occupied ticks lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// One beside the other.
    Neighbouring,
    /// At equal distances over 1,024 ticks.
    Spread,
}

impl Layout {
    fn stride(self, ticks: u16) -> u16 {
        match self {
            Self::Neighbouring => 1,
            Self::Spread => SPREAD_OVER / ticks,
        }
    }
}

/// One batch over so many occupied ticks.
#[derive(Clone, Debug, Serialize)]
pub struct TicksRow {
    /// How they lie.
    pub layout: Layout,
    /// Occupied ticks.
    pub ticks: u16,
    /// Pages of 32 ticks they lie in.
    pub pages: u16,
    /// `open_batch`.
    pub open: Cost,
    /// `settle`, which clears as well.
    pub settle: Cost,
    /// Calls of `rest` after it, eight cells each.
    pub rests: usize,
    /// Their cost.
    pub rest: Cost,
    /// All of it.
    pub total: Cost,
    /// The largest message, by dimension.
    pub largest: Cost,
    /// The Abax liquidations that the total has to stay under.
    pub target: u64,
    /// Whether it does.
    pub total_passes: bool,
    /// Whether every single message fits into a parachain block.
    pub fits: bool,
}

/// Positions of ten collateral each, so many in each of so many ticks, the riskiest first, and
/// the price at which all of them are due.
#[must_use]
pub fn positions(layout: Layout, ticks: u16, per_tick: usize) -> (Vec<Holding>, Price) {
    const EACH: u128 = 10;
    // Half a tick under what may be borrowed at most, so that no rounding leaves the tick.
    let mut debt = 1_498_500_000u128;
    let mut positions = Vec::new();
    for tick in 0..ticks {
        positions.extend(vec![
            (Amount::new(EACH * COLLATERAL), Amount::new(debt));
            per_tick
        ]);
        if tick + 1 < ticks {
            for _ in 0..layout.stride(ticks) {
                debt = debt * 1_000 / 1_001;
            }
        }
    }
    // Two percent under the price at which the safest is liquidatable at a threshold of 80 %.
    let price = debt * (PRICE_ONE / QUOTE) / EACH * 100 / 80 * 98 / 100;
    (positions, Price::new(price))
}

/// Opens, sells and puts back one batch over so many occupied ticks.
///
/// # Errors
/// [`StepError`].
pub fn run(layout: Layout, ticks: u16, watch: &mut Watch<'_>) -> Result<Run, StepError> {
    let (positions, price) = positions(layout, ticks, PER_TICK);
    let mut stage = Stage::new(params())?;
    let money = positions
        .iter()
        .fold(0, |sum, (_, debt)| sum + 2 * debt.get());
    stage.bidder(Amount::new(2 * money))?;
    stage.open_positions(positions, watch)?;
    stage.set_price(price)?;
    let run = stage.liquidate(Buying {
        bids: 1,
        money: Amount::new(money),
        advance: false,
    })?;
    if run.cohorts != ticks {
        return Err(StepError::Call {
            step: "open_batch",
            reason: format!("{} of {ticks} occupied ticks were taken", run.cohorts),
        });
    }
    Ok(run)
}

/// The table over occupied ticks.
///
/// # Errors
/// [`StepError`].
pub fn table(most: u16, watch: &mut Watch<'_>) -> Result<Vec<TicksRow>, StepError> {
    let mut rows = Vec::new();
    let chosen = TICKS.into_iter().filter(|ticks| *ticks <= most);
    let work: u64 = chosen.clone().map(|ticks| 2 * u64::from(ticks)).sum();
    watch.stage("occupied ticks", work * PER_TICK as u64);
    for layout in [Layout::Neighbouring, Layout::Spread] {
        for ticks in chosen.clone() {
            rows.push(row(layout, ticks, &run(layout, ticks, watch)?));
        }
    }
    Ok(rows)
}

fn row(layout: Layout, ticks: u16, run: &Run) -> TicksRow {
    let (total, largest) = (run.total(), run.largest());
    let target = match ticks {
        0..=32 => 1,
        33..=128 => 2,
        _ => 4,
    };
    TicksRow {
        layout,
        ticks,
        pages: run.cells,
        open: run.open,
        settle: run.settle,
        rests: run.rests.len(),
        rest: run.rests.iter().copied().fold(Cost::default(), Cost::plus),
        total,
        largest,
        target,
        total_passes: total.under_abax(target),
        fits: largest.proof_size < PARACHAIN_PROOF,
    }
}
