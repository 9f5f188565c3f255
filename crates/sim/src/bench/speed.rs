//! How fast the rules and the embedded chain run on this machine, by the wall clock.

use super::stage::{params, Buying, Stage, OPENING_PRICE, QUOTE};
use super::ticks::{positions, Layout};
use super::Watch;
use crate::deployment::StepError;
use breakwater_chain::{Chain, Embedded};
use breakwater_core::units::Amount;
use futures::executor::block_on;
use serde::Serialize;
use std::time::{Duration, Instant};

/// How often one thing was done in a second, over several runs.
#[derive(Clone, Debug, Serialize)]
pub struct SpeedRow {
    /// What was done.
    pub what: &'static str,
    /// How often a second in the best run.
    pub most_per_second: f64,
    /// How often a second in the run in the middle.
    pub median_per_second: f64,
    /// Runs.
    pub runs: usize,
}

pub(super) fn row(what: &'static str, times: u32, mut runs: Vec<Duration>) -> SpeedRow {
    runs.sort_unstable();
    let rate = |run: Option<&Duration>| {
        let seconds = run.map_or(0.0, Duration::as_secs_f64);
        f64::from(times) / seconds.max(1e-9)
    };
    SpeedRow {
        what,
        most_per_second: rate(runs.first()),
        median_per_second: rate(runs.get(runs.len() / 2)),
        runs: runs.len(),
    }
}

/// Times so many runs of something that is given a stage of its own each time.
pub(super) fn timed<R>(
    runs: usize,
    watch: &mut Watch<'_>,
    mut f: impl FnMut() -> Result<R, StepError>,
) -> Result<Vec<Duration>, StepError> {
    let mut times = Vec::new();
    for _ in 0..runs {
        let start = Instant::now();
        f()?;
        times.push(start.elapsed());
        watch.done(1);
    }
    Ok(times)
}

/// The table of speeds.
///
/// # Errors
/// [`StepError`].
pub fn table(runs: usize, watch: &mut Watch<'_>) -> Result<Vec<SpeedRow>, StepError> {
    watch.stage("speed", 8 * runs as u64);
    let mut rows = super::speed_core::rows(runs, watch)?;

    const BLOCKS: u32 = 1_000;
    let mut chain = Embedded::new();
    let times = timed(runs, watch, || {
        block_on(chain.advance(BLOCKS)).map_err(StepError::at("advance"))
    })?;
    rows.push(row("embedded chain: empty blocks", BLOCKS, times));

    const MANY: u32 = 50;
    let (holdings, price) = positions(Layout::Neighbouring, 10, 5);
    let mut stage = Stage::new(params())?;
    let owner = stage.account()?;
    stage.fund(owner, stage.d.quote, Amount::new(QUOTE), stage.d.vault)?;
    let times = timed(runs, watch, || {
        for _ in 0..MANY {
            stage.fund(owner, stage.d.quote, Amount::new(QUOTE), stage.d.vault)?;
        }
        stage.advance(1)
    })?;
    rows.push(row("embedded chain: token messages", 2 * MANY, times));
    let times = timed(runs, watch, || {
        for _ in 0..MANY {
            stage.advance(1)?;
            stage.submit(0, OPENING_PRICE)?;
        }
        Ok(())
    })?;
    rows.push(row(
        "embedded chain: oracle submissions, a block each",
        MANY,
        times,
    ));
    let mut stage = Stage::new(params())?;
    let times = timed(runs, watch, || {
        stage.open_positions(holdings.clone(), &mut Watch::nobody())
    })?;
    let opened = u32::try_from(holdings.len()).unwrap_or(u32::MAX);
    rows.push(row(
        "embedded chain: positions opened, three messages each",
        opened,
        times,
    ));
    let money = Amount::new(10_000_000 * QUOTE);
    stage.bidder(Amount::new(2 * money.get()))?;
    stage.set_price(price)?;
    let times = timed(runs, watch, || {
        stage.try_out(|stage| {
            stage.liquidate(Buying {
                bids: 1,
                money,
                advance: true,
            })
        })
    })?;
    rows.push(row(
        "embedded chain: batches of ten ticks, from opening to rest",
        1,
        times,
    ));
    Ok(rows)
}
