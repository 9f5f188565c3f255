//! The ledger's cells in contract storage, keyed by market.

use breakwater_core::batch::Batch;
use breakwater_core::ledger::LedgerStore;
use breakwater_core::page::{DepartureKey, Departures, Epoch, HalfPage, Page, PageNumber};
use breakwater_interfaces::cell::Cell;
use breakwater_interfaces::MarketId;
use ink::storage::traits::ManualKey;
use ink::storage::Mapping;

type PageKey = ManualKey<0x5041_4745>;
type DeparturesKey = ManualKey<0x4445_5041>;
type BatchesKey = ManualKey<0x4241_5443>;

/// Pages, departures and batches of all markets.
#[cfg_attr(feature = "std", derive(Debug))]
#[ink::storage_item]
#[derive(Default)]
pub struct Cells {
    pages: Mapping<(MarketId, PageNumber), Cell<Page>, PageKey>,
    departures: Mapping<(MarketId, HalfPage, Epoch), Cell<Departures>, DeparturesKey>,
    batches: Mapping<(MarketId, u32), Cell<Batch>, BatchesKey>,
}

impl Cells {
    /// A batch by number.
    pub fn batch(&self, market: MarketId, number: u32) -> Option<Batch> {
        self.batches.get((market, number)).map(|cell| cell.0)
    }
}

/// The cells of one market.
pub struct MarketCells<'a> {
    /// Which market.
    pub market: MarketId,
    /// All cells.
    pub cells: &'a mut Cells,
}

impl LedgerStore for MarketCells<'_> {
    fn page(&self, page: PageNumber) -> Option<Page> {
        self.cells.pages.get((self.market, page)).map(|cell| cell.0)
    }

    fn set_page(&mut self, page: PageNumber, value: Option<Page>) {
        match value {
            Some(value) => {
                self.cells.pages.insert((self.market, page), &Cell(value));
            }
            None => self.cells.pages.remove((self.market, page)),
        }
    }

    fn departures(&self, key: DepartureKey) -> Option<Departures> {
        self.cells
            .departures
            .get((self.market, key.half, key.epoch))
            .map(|cell| cell.0)
    }

    fn set_departures(&mut self, key: DepartureKey, value: Option<Departures>) {
        let at = (self.market, key.half, key.epoch);
        match value {
            Some(value) => {
                self.cells.departures.insert(at, &Cell(value));
            }
            None => self.cells.departures.remove(at),
        }
    }

    fn batch(&self, number: u32) -> Option<Batch> {
        self.cells.batch(self.market, number)
    }

    fn set_batch(&mut self, number: u32, value: &Batch) {
        self.cells
            .batches
            .insert((self.market, number), &Cell(value.clone()));
    }
}
