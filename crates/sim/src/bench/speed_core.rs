//! How fast the rules alone run: ledger transitions and clearings, without a chain.

use super::speed::{row, timed, SpeedRow};
use super::stage::params;
use super::ticks::{positions, Layout};
use super::Watch;
use crate::deployment::StepError;
use breakwater_core::auction::Auction;
use breakwater_core::batch::Sale;
use breakwater_core::ladder::Schedule;
use breakwater_core::ledger::{Demand, Ledger, MemoryStore, OpenRequest, Opening};
use breakwater_core::market::{MarketParams, MarketPrices, MarketState};
use breakwater_core::position::Position;
use breakwater_core::units::{Amount, Price};
use std::fmt::Debug;

/// A market without a chain.
#[derive(Clone)]
struct Market {
    params: MarketParams,
    state: MarketState,
    cells: MemoryStore,
}

fn refused<E: Debug>(error: E) -> StepError {
    StepError::Call {
        step: "core",
        reason: format!("refused with {error:?}"),
    }
}

fn at(price: Price) -> MarketPrices {
    MarketPrices {
        spot: price,
        previous: price,
        twap: price,
        round: 1,
        accepted_in: 1,
        age: 0,
        quarantined: None,
        volatility: None,
    }
}

impl Market {
    fn new() -> Result<Self, StepError> {
        let (params, mut state) = (params(), MarketState::default());
        state
            .supply(Amount::new(1_000_000_000_000_000), params.supply_cap)
            .map_err(refused)?;
        Ok(Self {
            params,
            state,
            cells: MemoryStore::default(),
        })
    }

    fn transition<T, E: Debug>(
        &mut self,
        act: impl FnOnce(&mut Ledger<'_, MemoryStore>) -> Result<T, E>,
    ) -> Result<T, StepError> {
        let mut ledger =
            Ledger::new(&self.params, &mut self.state, &mut self.cells).map_err(refused)?;
        let value = act(&mut ledger).map_err(refused)?;
        ledger.commit();
        Ok(value)
    }

    fn open(&mut self, price: Price) -> Result<Opening, StepError> {
        let request = OpenRequest {
            block: 10,
            demand: Demand {
                most: Amount::new(u128::MAX),
                depth: None,
            },
        };
        self.transition(|l| l.open(&at(price), request))
    }
}

/// Speeds of the rules.
///
/// # Errors
/// [`StepError`], where a rule refuses what it must not.
pub(super) fn rows(runs: usize, watch: &mut Watch<'_>) -> Result<Vec<SpeedRow>, StepError> {
    const MANY: u32 = 10_000;
    let mut rows = Vec::new();
    let (holdings, price) = positions(Layout::Neighbouring, 32, 1);
    let opening_price = super::stage::OPENING_PRICE;
    let mut full = Market::new()?;
    let times = timed(runs, watch, || {
        let mut market = Market::new()?;
        for (_, (collateral, debt)) in (0..MANY).zip(holdings.iter().cycle()) {
            let mut position = Position::default();
            market.transition(|l| l.deposit(&mut position, *collateral))?;
            market.transition(|l| l.borrow(&mut position, *debt, &at(opening_price)))?;
        }
        full = market;
        Ok(())
    })?;
    rows.push(row("core: deposits and borrowings", 2 * MANY, times));

    const BATCHES: u32 = 100;
    let times = timed(runs, watch, || {
        for _ in 0..BATCHES {
            let mut market = full.clone();
            let opening = market.open(price)?;
            let at = opening.prices.len() / 6;
            let sale = Sale {
                price: opening.prices[at],
                raised: opening.targets[at],
                excused: false,
            };
            market.transition(|l| l.settle_batch(opening.number, sale, 100, 64))?;
        }
        Ok(())
    })?;
    rows.push(row(
        "core: batches of 32 ticks opened, settled and put back",
        BATCHES,
        times,
    ));

    let scale = full.params.scale().map_err(refused)?;
    let opening = full.open(price)?;
    let steps = u8::try_from(opening.prices.len()).unwrap_or(u8::MAX);
    let schedule = Schedule {
        first: 10,
        blocks_per_step: 1,
        steps,
    };
    let mut auction = Auction::open(
        schedule,
        9,
        opening.reference,
        opening.prices,
        opening.targets,
    )
    .map_err(refused)?;
    let bid = Amount::new(auction.targets.last().map_or(1, |t| t.get()) / 100);
    for limit in auction.prices.clone() {
        auction
            .place(bid, limit, u32::MAX, 1, scale)
            .map_err(refused)?;
    }
    let times = timed(runs, watch, || {
        for _ in 0..MANY {
            auction.clone().clear(1_000, scale).map_err(refused)?;
        }
        Ok(())
    })?;
    rows.push(row("core: auctions of 64 steps cleared", MANY, times));
    Ok(rows)
}
