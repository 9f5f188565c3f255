//! What a batch costs by the number of bids, each from a bidder of its own.

use super::cost::Cost;
use super::flat::alike;
use super::stage::{params, Buying, Run, Stage, QUOTE};
use super::ticks::{positions, Layout};
use super::Watch;
use crate::deployment::StepError;
use breakwater_core::units::Amount;
use breakwater_interfaces::auction::LiquidationAuction;
use ink::codegen::TraitCallBuilder;
use serde::Serialize;

/// How many bids the table is over.
pub const BIDS: [u32; 4] = [1, 10, 100, 1_000];

/// One batch bought by so many bids.
#[derive(Clone, Debug, Serialize)]
pub struct BidsRow {
    /// Bids, and bidders.
    pub bids: u32,
    /// The last of them.
    pub bid: Cost,
    /// `advance`, which clears.
    pub clear: Cost,
    /// `settle`.
    pub settle: Cost,
    /// A bidder claims one bid.
    pub claim: Cost,
    /// Whether each message of a keeper costs what it costs in the first row, within two percent.
    pub flat: bool,
}

/// The table over numbers of bids up to `most`, for a batch over eight ticks.
///
/// # Errors
/// [`StepError`].
pub fn table(most: u32, watch: &mut Watch<'_>) -> Result<Vec<BidsRow>, StepError> {
    let numbers: Vec<u32> = BIDS.into_iter().filter(|n| *n <= most).collect();
    watch.stage("bids", numbers.iter().map(|n| u64::from(*n)).sum());
    let (positions, price) = positions(Layout::Neighbouring, 8, 3);
    let mut stage = Stage::new(params())?;
    stage.open_positions(positions, &mut Watch::nobody())?;
    let (mut rows, mut first) = (Vec::new(), None::<Run>);
    for bids in numbers {
        let (run, claim) = stage.try_out(|stage| {
            // More than is asked for, so that part of the bids wins and all are paid back some.
            let money = Amount::new(100_000 * QUOTE);
            let mut last = stage.keeper;
            for number in 0..bids {
                last = stage.bidder(Amount::new(2 * money.get() / u128::from(bids)))?;
                watch.done(1);
                if number % 64 == 63 {
                    stage.advance(1)?;
                }
            }
            stage.set_price(price)?;
            let run = stage.liquidate(Buying {
                bids,
                money,
                advance: true,
            })?;
            let d = stage.d;
            let message = d.auction().call_mut().claim(run.batch, vec![bids - 1]);
            let claim = stage.send(last, d.auction, "claim", message)?;
            Ok((run, Cost::of(&claim)))
        })?;
        rows.push(BidsRow {
            bids,
            bid: run.bid.unwrap_or_default(),
            clear: run.advance.unwrap_or_default(),
            settle: run.settle,
            claim,
            flat: first.as_ref().is_none_or(|first| alike(first, &run)),
        });
        first.get_or_insert(run);
    }
    Ok(rows)
}
