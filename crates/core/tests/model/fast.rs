//! The ledger under test: its cells in maps, driven through its public face.

use breakwater_core::batch::Batch;
use breakwater_core::ledger::{Ledger, LedgerError, LedgerStore, MemoryStore};
use breakwater_core::market::{MarketParams, MarketPrices, MarketState};
use breakwater_core::page::{BatchedCohort, Departure, DepartureKey, Departures, Page, PageNumber};
use breakwater_core::position::{Position, PositionView};
use breakwater_core::units::Price;
use std::collections::BTreeMap;

/// Cells that a view reads and nothing writes.
struct Seen<'a>(&'a MemoryStore);

impl LedgerStore for Seen<'_> {
    fn page(&self, page: PageNumber) -> Option<Page> {
        self.0.page(page)
    }
    fn set_page(&mut self, _: PageNumber, _: Option<Page>) {
        unreachable!("a view stores nothing");
    }
    fn departures(&self, key: DepartureKey) -> Option<Departures> {
        self.0.departures(key)
    }
    fn set_departures(&mut self, _: DepartureKey, _: Option<Departures>) {
        unreachable!("a view stores nothing");
    }
    fn batch(&self, number: u32) -> Option<Batch> {
        self.0.batch(number)
    }
    fn set_batch(&mut self, _: u32, _: &Batch) {
        unreachable!("a view stores nothing");
    }
}

/// A market and its positions.
pub struct Fast {
    pub params: MarketParams,
    pub state: MarketState,
    pub cells: MemoryStore,
    pub positions: Vec<Position>,
}

impl Fast {
    pub fn new(params: MarketParams, owners: usize) -> Self {
        params.validate().expect("valid parameters");
        Self {
            params,
            state: MarketState::default(),
            cells: MemoryStore::default(),
            positions: vec![Position::default(); owners],
        }
    }

    /// One transition of the market; refused, it changes nothing. The ledger writes cells only
    /// once nothing can fail any more, so that the totals are all there is to take back.
    pub fn market<T>(
        &mut self,
        act: impl FnOnce(&mut Ledger<'_, MemoryStore>) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        let before = self.state.clone();
        let mut ledger = Ledger::new(&self.params, &mut self.state, &mut self.cells)?;
        let result = act(&mut ledger);
        if result.is_ok() {
            ledger.commit();
        } else {
            drop(ledger);
            self.state = before;
        }
        result
    }

    /// One transition of one position.
    pub fn position<T>(
        &mut self,
        who: usize,
        act: impl FnOnce(&mut Ledger<'_, MemoryStore>, &mut Position) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        let mut position = self.positions[who];
        let result = self.market(|ledger| act(ledger, &mut position))?;
        self.positions[who] = position;
        Ok(result)
    }

    /// A question to the ledger that stores nothing.
    fn look<T>(
        &self,
        act: impl FnOnce(&mut Ledger<'_, Seen<'_>>) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        let mut state = self.state.clone();
        let mut seen = Seen(&self.cells);
        act(&mut Ledger::new(&self.params, &mut state, &mut seen)?)
    }

    /// A position as its owner sees it, however many calls its way takes.
    pub fn view(&self, who: usize, price: u128) -> PositionView {
        let price = Price::new(price);
        self.look(|ledger| ledger.view(&self.positions[who], price))
            .unwrap_or_else(|error| panic!("view of {who}: {error:?}"))
    }

    /// What insolvent ticks lack.
    pub fn insolvency(&self, price: u128) -> u128 {
        self.look(|ledger| ledger.insolvency(Price::new(price)))
            .expect("few pages")
            .get()
    }

    /// Cohorts that are in batches, settled or not, with the ticks they were taken from: by batch
    /// and rank.
    pub fn batched(&self) -> BTreeMap<(u32, u16), (u16, BatchedCohort)> {
        let mut found = BTreeMap::new();
        for (key, departures) in &self.cells.departures {
            for (slot, departure) in departures.iter() {
                if let Departure::Batched(cohort) = departure {
                    let tick = key.tick(slot);
                    found.insert((cohort.batch, cohort.rank), (tick, *cohort));
                }
            }
        }
        found
    }
}

/// Prices of an accepted round in the block before.
pub fn prices(spot: u128, previous: u128, round: u32, block: u32) -> MarketPrices {
    MarketPrices {
        spot: Price::new(spot),
        previous: Price::new(previous),
        twap: Price::new(spot / 2 + previous / 2),
        round,
        accepted_in: block - 1,
        age: 0,
        quarantined: None,
        volatility: None,
    }
}
