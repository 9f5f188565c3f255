//! This auction: positions in a ledger, one batch, one clock, one price.

use super::{Outcome, Scene};
use crate::{
    agents::{Limit, Sight},
    clock::{Clock, Ended},
    market::{collateral, price, quote, whole_collateral, whole_price, whole_quote, Market},
    SimulationError,
};
use breakwater_core::{
    ledger::Settlement,
    market::MarketParams,
    units::{Amount, Block},
};

/// The block of the chain in which every sale opens.
const OPENED_IN: Block = 1_000;

/// What one bidder got out of a batch, in whole tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Exchange {
    /// Collateral received.
    pub received: f64,
    /// Quote spent.
    pub spent: f64,
}

/// A batch that was sold.
#[derive(Clone, Debug)]
pub struct BatchSale {
    /// How it came out.
    pub result: Outcome,
    /// What each bidder received and spent.
    pub exchanges: Vec<Exchange>,
    /// What the batch had to raise at its start price, quote.
    pub asked: f64,
    /// Price per step, quote per collateral.
    pub ladder: Vec<f64>,
    /// The price everybody paid; `None` where nothing was sold.
    pub price: Option<f64>,
    /// The step it cleared at.
    pub step: u8,
    /// Blocks from the opening to the last block of the step at which the clock ended.
    pub blocks: usize,
    /// Bids the auction refused.
    pub refused: u64,
    /// Bids it took.
    pub taken: u64,
    /// Bytes the running auction took in storage before it was judged.
    pub stored_bytes: usize,
    /// What the ledger made of it.
    pub settlement: Settlement,
    /// Whether every token is accounted for, nothing is left reserved and no batch runs.
    pub closed_cleanly: bool,
}

impl BatchSale {
    /// What a bidder gained when a unit of collateral is worth so much to it, basis points of
    /// what the batch had to raise.
    #[must_use]
    pub fn gain_bps(&self, bidder: usize, worth: f64) -> f64 {
        self.exchanges.get(bidder).map_or(0.0, |own| {
            (own.received * worth - own.spent) / self.asked * 1e4
        })
    }
}

/// Opens the lot as one batch of a market with these terms and lets the bidders bid.
///
/// Every block each bidder sees the step's price and the fair price of some blocks ago, and bids
/// by its strategy. The clock ends by core's rule; the batch is judged, settled and claimed.
///
/// # Errors
/// [`SimulationError`] where a rule refuses what it must not.
pub fn sell(scene: &Scene<'_>, params: &MarketParams) -> Result<BatchSale, SimulationError> {
    let mut market = Market::new(params.clone())?;
    for cohort in &scene.lot.cohorts {
        // High enough for any debt that is due at the oracle price.
        let high = price(scene.lot.oracle * 2.0);
        market.open_position(collateral(cohort.collateral), quote(cohort.debt), high)?;
    }
    let spot = price(scene.lot.oracle);
    let opening = market.open_batch(spot, OPENED_IN, Amount::new(u128::MAX))?;
    let mut clock = Clock::start(&opening, params, market.scale(), OPENED_IN)?;
    let trade = trade(scene, &mut clock)?;

    let targets = clock.targets().to_vec();
    let ladder: Vec<f64> = clock.prices().iter().map(|p| whole_price(*p)).collect();
    let stored_bytes = clock.stored_bytes();
    let end = clock.last_block_of(trade.ended_at);
    let taken = trade.taken;
    let ended = clock.finish(end + 1)?;
    let clearing = ended.clearing;
    let settlement = market.settle(opening.number, clearing.price, clearing.raised, end + 1)?;

    let blocks = (end - OPENED_IN) as usize;
    let fair = scene.fair(blocks);
    let asked = targets.first().copied().unwrap_or_default();
    let sold = !clearing.raised.is_zero();
    let wanted = if sold {
        targets.get(usize::from(clearing.step)).copied()
    } else {
        None
    };
    let wanted = whole_quote(wanted.unwrap_or(asked));
    let loss = 1.0 - whole_price(clearing.price) / fair;
    let shortfall = whole_quote(settlement.waterfall.shortfall);
    let closed_cleanly =
        market.balances() && ended.stuck.is_zero() && market.state().running.is_empty();
    Ok(BatchSale {
        result: Outcome {
            loss_bps: sold.then_some(loss * 1e4),
            seconds: scene.seconds(blocks),
            unfilled: (1.0 - whole_quote(clearing.raised) / wanted).max(0.0),
            bad_debt_bps: shortfall / scene.lot.debt() * 1e4,
        },
        exchanges: exchanged(scene.bidders.len(), &ended),
        asked: whole_quote(asked),
        ladder,
        price: sold.then_some(whole_price(clearing.price)),
        step: clearing.step,
        blocks,
        refused: trade.refused,
        taken,
        stored_bytes,
        settlement,
        closed_cleanly,
    })
}

/// What happened while the clock ran.
struct Trade {
    ended_at: u8,
    taken: u64,
    refused: u64,
}

/// Lets all bidders act in every block until the clock has ended.
fn trade(scene: &Scene<'_>, clock: &mut Clock) -> Result<Trade, SimulationError> {
    let least = clock.least_budget()?;
    let floor = clock.prices().last().copied().unwrap_or_default();
    let target = scene.lot.target();
    let mut left: Vec<f64> = scene.bidders.iter().map(|b| b.money * target).collect();
    let mut trade = Trade {
        ended_at: 0,
        taken: 0,
        refused: 0,
    };
    for elapsed in 1u32.. {
        let block = OPENED_IN + elapsed;
        if let Some(step) = clock.ended(block)? {
            trade.ended_at = step;
            break;
        }
        let Some((_, asked)) = clock.step(block) else {
            break;
        };
        for (number, (bidder, left)) in scene.bidders.iter().zip(&mut left).enumerate() {
            let sight = Sight {
                elapsed,
                price: whole_price(asked),
                oracle: scene.lot.oracle,
                value: bidder.value(scene.path, scene.opening + elapsed as usize),
                money: bidder.money * target,
                left: *left,
                least: whole_quote(least),
            };
            for order in bidder.strategy.orders(&sight) {
                let limit = match order.limit {
                    Limit::Present => asked,
                    Limit::Floor => floor,
                };
                *left = (*left - order.money).max(0.0);
                for budget in pieces(quote(order.money), order.pieces) {
                    match clock.bid(number, budget, limit, block) {
                        Ok(_) => trade.taken += 1,
                        Err(_) => trade.refused += 1,
                    }
                }
            }
        }
    }
    Ok(trade)
}

/// `whole` in so many parts that differ by a unit at most.
fn pieces(whole: Amount, count: u32) -> impl Iterator<Item = Amount> {
    let count = u128::from(count.max(1));
    let (part, over) = (whole.get() / count, whole.get() % count);
    (0..count).map(move |index| Amount::new(part + u128::from(index < over)))
}

/// What each bidder received and spent, in whole tokens.
fn exchanged(bidders: usize, ended: &Ended) -> Vec<Exchange> {
    let mut all = vec![Exchange::default(); bidders];
    for (bid, fill) in &ended.fills {
        if let Some(own) = all.get_mut(bid.bidder) {
            own.received += whole_collateral(fill.received);
            own.spent += whole_quote(fill.spent);
        }
    }
    all
}
