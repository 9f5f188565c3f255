//! Promise 1: what a batch costs does not depend on how many positions are in it.

use super::cost::Cost;
use super::stage::{params, Buying, Holding, Run, Stage, COLLATERAL, QUOTE};
use super::Watch;
use crate::deployment::StepError;
use breakwater_core::units::{Amount, Price, PRICE_ONE};
use serde::Serialize;

/// How many positions the table is over.
pub const POSITIONS: [u32; 5] = [10, 100, 1_000, 10_000, 100_000];

/// Ticks they are in.
pub const FLAT_TICKS: u16 = 10;

/// All of them are due here: some to be closed in part, some in full.
const FALLEN_PRICE: Price = Price::new(172 * PRICE_ONE);

/// One batch of so many positions in the same ten ticks.
#[derive(Clone, Debug, Serialize)]
pub struct FlatRow {
    /// Positions.
    pub positions: u32,
    /// `open_batch`.
    pub open: Cost,
    /// `settle`, which clears as well.
    pub settle: Cost,
    /// `rest` calls together; settlement does all of it where there is one cell.
    pub rest: Cost,
    /// All of it.
    pub total: Cost,
    /// Whether each message costs what it costs in the first row, within two percent.
    pub flat: bool,
}

/// The position of a number: ten collateral, in one of ten ticks. Small ones would be closed in
/// full as dust where they are alone in their tick, which is another sale.
fn holding(number: u32) -> Holding {
    let debt = 1_400 + 10 * u128::from(number % u32::from(FLAT_TICKS));
    (Amount::new(10 * COLLATERAL), Amount::new(debt * QUOTE))
}

/// Costs of batches of growing numbers of positions, which stay in one growing market.
///
/// # Errors
/// [`StepError`].
pub fn runs(numbers: &[u32], bids: u32, watch: &mut Watch<'_>) -> Result<Vec<Run>, StepError> {
    let mut stage = Stage::new(params())?;
    let mut runs = Vec::new();
    let mut opened = 0;
    for number in numbers {
        stage.open_positions((opened..*number).map(holding), watch)?;
        opened = opened.max(*number);
        runs.push(stage.try_out(|stage| {
            let money = Amount::new(u128::from(*number) * 10_000 * QUOTE);
            let each = Amount::new(2 * money.get() / u128::from(bids.max(1)));
            for _ in 0..bids {
                stage.bidder(each)?;
            }
            stage.set_price(FALLEN_PRICE)?;
            let run = stage.liquidate(Buying {
                bids,
                money,
                advance: false,
            })?;
            if (run.cohorts, run.members) == (FLAT_TICKS, *number) {
                Ok(run)
            } else {
                Err(StepError::Call {
                    step: "open_batch",
                    reason: format!("{} of {number} positions were taken", run.members),
                })
            }
        })?);
    }
    Ok(runs)
}

/// Whether two batches cost the same, message by message, within two percent.
#[must_use]
pub fn alike(a: &Run, b: &Run) -> bool {
    a.messages().count() == b.messages().count()
        && a.messages()
            .zip(b.messages())
            .all(|(a, b)| a.within_two_percent(b))
}

/// The table over numbers of positions up to `most`.
///
/// # Errors
/// [`StepError`].
pub fn table(most: u32, watch: &mut Watch<'_>) -> Result<Vec<FlatRow>, StepError> {
    let numbers: Vec<u32> = POSITIONS.into_iter().filter(|n| *n <= most).collect();
    let last = numbers.last().copied().unwrap_or(0);
    watch.stage("positions", u64::from(last));
    let runs = runs(&numbers, 5, watch)?;
    let rows = numbers.iter().zip(&runs).map(|(number, run)| FlatRow {
        positions: *number,
        open: run.open,
        settle: run.settle,
        rest: run.rests.iter().copied().fold(Cost::default(), Cost::plus),
        total: run.total(),
        flat: runs.first().is_some_and(|first| alike(first, run)),
    });
    Ok(rows.collect())
}
