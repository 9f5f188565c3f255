//! When honest bidders cannot be heard, and when somebody shouts: silence and spam.

use super::{
    outcome::{Check, Expected, Unit},
    scenes::{Situation, Walk},
    Options, Work,
};
use crate::{
    agents::{Bidder, Strategy},
    auctions::{sell_batch, BatchSale},
    clock::Clock,
    market::{collateral, price, quote, standard_terms, Market},
    statistics::Estimate,
    SimulationError,
};
use breakwater_core::{auction::AuctionError, units::Amount};

/// Blocks of silence that are replayed. In 64 the ladder has no step left for anybody else.
const SILENCES: [u32; 4] = [30, 40, 57, 64];

/// What the one bidder left has, as a multiple of what the batch must raise.
const PURSES: [f64; 2] = [1.5, 0.3];

/// One-unit bids that are tried, and least bids in every block of a spammed auction.
const UNIT_BIDS: u32 = 10_000;
const SPAM_PER_BLOCK: u32 = 200;

/// Sales of all congestion experiments per run.
pub(super) const SALES_PER_RUN: u64 = (SILENCES.len() * PURSES.len()) as u64 + 2;

/// A bidder without costs or errors, with so much money.
fn lone(money: f64, strategy: Strategy) -> Bidder {
    Bidder {
        noise: 0.0,
        hurdle: 0.0,
        latency: 0,
        money,
        strategy,
    }
}

/// Replays everything and judges it.
pub(super) fn congestion(
    options: &Options,
    work: &mut Work<'_>,
) -> Result<Vec<Check>, SimulationError> {
    let mut checks = Vec::new();
    for silent in SILENCES {
        for purse in PURSES {
            silence(silent, purse, options, work, &mut checks)?;
        }
    }
    nobody(options, work, &mut checks)?;
    spam(options, work, &mut checks)?;
    Ok(checks)
}

/// All honest bidders are silent for `silent` blocks; one bidder is left, who bids in the last of
/// them, when the price is lowest.
///
/// The expected loss has a closed form. The sale is at a known step: the lone bidder's where its
/// money is enough or nobody can bid after it, else the next, where the others are back. With
/// `P₀` the fair price at the opening, `p` the price of that step and `t` the time of its block,
/// `E[1 − p / P(t)] = 1 − p / P₀ · exp(σ² t)`, since `E[1 / P(t)] = exp(σ² t) / P₀`.
fn silence(
    silent: u32,
    purse: f64,
    options: &Options,
    work: &mut Work<'_>,
    checks: &mut Vec<Check>,
) -> Result<(), SimulationError> {
    // Without a lag the ladder stands over the fair price of the opening itself.
    let walk = Walk {
        lag: 0,
        ..Walk::CALM
    };
    let terms = standard_terms();
    let mut sold: Vec<BatchSale> = Vec::new();
    for run in 0..options.runs {
        let mut situation = Situation::walk(&walk, options.seed, run)?;
        for bidder in &mut situation.bidders {
            bidder.strategy = Strategy::Congested(silent);
        }
        let alone = lone(purse, Strategy::Alone(silent));
        situation.bidders.push(alone);
        sold.push(sell_batch(&situation.scene(), &terms)?);
        work.done(1);
    }
    let steps = sold.first().map_or(0, |sale| sale.ladder.len());
    let heard_alone = purse >= 1.0 || silent as usize >= steps;
    // The first step is one block after the opening.
    let block = if heard_alone { silent } else { silent + 1 };
    let seconds = f64::from(block) * walk.block_seconds;
    let growth = (walk.volatility.powi(2) * seconds / 86_400.0).exp();
    let losses = sold.iter().filter_map(|sale| sale.result.loss_bps);
    let step = block.saturating_sub(1) as usize;
    // Opened at the same price in every run.
    let asked = sold
        .first()
        .and_then(|sale| sale.ladder.get(step).copied())
        .unwrap_or_default();
    let opened_at = 100.0;
    let model = (1.0 - asked / opened_at * growth) * 1e4;
    let group = format!("Silence of {silent} blocks, one bidder left with {purse} of the money");
    let losses = Estimate::of(losses);
    checks.push(Check::new(
        &group,
        "loss, by the closed form",
        Unit::BpOfFair,
        Expected::About {
            value: model,
            // The interval is one of many: leave it the room of its own half width.
            tolerance: losses.half_width,
        },
        losses,
    ));
    faultless(&group, &sold, checks);
    Ok(())
}

/// Nothing under the floor, nothing stuck.
fn faultless(group: &str, sold: &[BatchSale], checks: &mut Vec<Check>) {
    let faults = sold.iter().map(|sale| {
        let floor = sale.ladder.last().copied().unwrap_or_default();
        let under = sale.price.is_some_and(|price| price < floor);
        f64::from(under || !sale.closed_cleanly)
    });
    checks.push(Check::new(
        group,
        "batches sold under the floor, or that left anything stuck",
        Unit::Cases,
        Expected::Exactly(0.0),
        Estimate::of(faults),
    ));
}

/// Nobody bids at all: the batch closes and everything goes back.
fn nobody(
    options: &Options,
    work: &mut Work<'_>,
    checks: &mut Vec<Check>,
) -> Result<(), SimulationError> {
    let walk = Walk {
        bidders: 0,
        ..Walk::CALM
    };
    let mut sold = Vec::new();
    for run in 0..options.runs {
        let situation = Situation::walk(&walk, options.seed, run)?;
        sold.push(sell_batch(&situation.scene(), &standard_terms())?);
        work.done(1);
    }
    let group = "Silence of everybody";
    checks.push(Check::new(
        group,
        "part of the lot that was sold",
        Unit::BpOfTarget,
        Expected::Exactly(0.0),
        Estimate::of(sold.iter().map(|sale| (1.0 - sale.result.unfilled) * 1e4)),
    ));
    faultless(group, &sold, checks);
    Ok(())
}

/// The least bids there are, in every block and whatever the price, beside honest bidders.
fn spam(
    options: &Options,
    work: &mut Work<'_>,
    checks: &mut Vec<Check>,
) -> Result<(), SimulationError> {
    let terms = standard_terms();
    // A spammed auction takes thousands of bids; few of them show whether it notices.
    let runs = options.runs.clamp(1, 100);
    let (mut moved, mut grown) = (Vec::new(), Vec::new());
    for run in 0..runs {
        let mut situation = Situation::walk(&Walk::CALM, options.seed, run)?;
        let quiet = sell_batch(&situation.scene(), &terms)?;
        situation
            .bidders
            .push(lone(0.1, Strategy::Spam(SPAM_PER_BLOCK)));
        let loud = sell_batch(&situation.scene(), &terms)?;
        moved.push(f64::from(
            loud.price != quiet.price || loud.step != quiet.step,
        ));
        grown.push(loud.stored_bytes as f64 - quiet.stored_bytes as f64);
    }
    work.done(options.runs);
    let group = format!("Spam: {SPAM_PER_BLOCK} least bids in every block");
    let rows = [
        ("batches whose price it moved", Unit::Cases, moved),
        ("growth of the auction's storage", Unit::Bytes, grown),
    ];
    for (name, unit, values) in rows {
        checks.push(Check::new(
            &group,
            name,
            unit,
            Expected::Exactly(0.0),
            Estimate::of(values),
        ));
    }
    let accepted = f64::from(unit_bids()?);
    checks.push(Check::new(
        "Spam: bids of one unit",
        format!("accepted of {UNIT_BIDS}"),
        Unit::Cases,
        Expected::Exactly(0.0),
        Estimate::of([accepted, accepted]),
    ));
    Ok(())
}

/// How many bids of one quote unit an auction accepts.
fn unit_bids() -> Result<u32, SimulationError> {
    let mut market = Market::new(standard_terms())?;
    market.open_position(collateral(10.0), quote(860.0), price(200.0))?;
    let opening = market.open_batch(price(100.0), 10, Amount::new(u128::MAX))?;
    let mut clock = Clock::start(&opening, market.params(), market.scale(), 10)?;
    let limit = clock.prices().first().copied().unwrap_or_default();
    let mut accepted = 0;
    for _ in 0..UNIT_BIDS {
        match clock.bid(0, Amount::new(1), limit, 11) {
            Err(AuctionError::BudgetTooSmall) => {}
            Err(error) => return Err(error.into()),
            Ok(_) => accepted += 1,
        }
    }
    Ok(accepted)
}
