//! A ledger's cells in maps: for tests, models and simulations, which have no chain.

use super::LedgerStore;
use crate::batch::Batch;
use crate::page::{DepartureKey, Departures, Page, PageNumber};
use alloc::collections::BTreeMap;

/// The storage cells of one market, in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryStore {
    /// Pages that hold cohorts.
    pub pages: BTreeMap<PageNumber, Page>,
    /// Departed cohorts.
    pub departures: BTreeMap<DepartureKey, Departures>,
    /// Batches by number.
    pub batches: BTreeMap<u32, Batch>,
}

impl LedgerStore for MemoryStore {
    fn page(&self, page: PageNumber) -> Option<Page> {
        self.pages.get(&page).cloned()
    }

    fn set_page(&mut self, page: PageNumber, value: Option<Page>) {
        match value {
            Some(value) => self.pages.insert(page, value),
            None => self.pages.remove(&page),
        };
    }

    fn departures(&self, key: DepartureKey) -> Option<Departures> {
        self.departures.get(&key).cloned()
    }

    fn set_departures(&mut self, key: DepartureKey, value: Option<Departures>) {
        match value {
            Some(value) => self.departures.insert(key, value),
            None => self.departures.remove(&key),
        };
    }

    fn batch(&self, number: u32) -> Option<Batch> {
        self.batches.get(&number).cloned()
    }

    fn set_batch(&mut self, number: u32, value: &Batch) {
        self.batches.insert(number, value.clone());
    }
}

/// Cells in memory that are read and never written: a look at them needs no copy.
#[derive(Clone, Copy, Debug)]
pub struct Unwritten<'a>(pub &'a MemoryStore);

impl LedgerStore for Unwritten<'_> {
    fn page(&self, page: PageNumber) -> Option<Page> {
        self.0.page(page)
    }

    fn set_page(&mut self, _: PageNumber, _: Option<Page>) {}

    fn departures(&self, key: DepartureKey) -> Option<Departures> {
        self.0.departures(key)
    }

    fn set_departures(&mut self, _: DepartureKey, _: Option<Departures>) {}

    fn batch(&self, number: u32) -> Option<Batch> {
        self.0.batch(number)
    }

    fn set_batch(&mut self, _: u32, _: &Batch) {}
}
