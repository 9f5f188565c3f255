//! State transitions of positions and batches, over the pages of one market.
//!
//! A [`Ledger`] works on a copy of the cells it touches, each read once and written once by
//! [`Ledger::commit`]; a refused transition leaves the store as it was.

mod batches;
mod depth;
mod extension;
mod in_kind;
mod insuring;
mod leaving;
mod memory;
mod moves;
mod positions;
mod settling;
#[cfg(test)]
mod tests;
mod view;

pub use batches::{Demand, OpenRequest, Opening};
pub use depth::{AtRisk, Histogram, TickTotals, MAX_HISTOGRAM_TICKS};
pub use in_kind::TakenInKind;
pub use leaving::Leaving;
pub use memory::{MemoryStore, Unwritten};
pub use settling::Settlement;

use crate::batch::Batch;
use crate::market::{MarketParams, MarketState, ParamsError};
use crate::math::MathError;
use crate::page::{DepartureKey, Departures, Page, PageNumber};
use crate::units::UnitScale;
use alloc::vec::Vec;
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// Moves that one call follows at most when it brings a position up to date.
pub const MAX_MOVES: u16 = 32;

/// Why the ledger refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum LedgerError {
    /// The amount is zero.
    ZeroAmount,
    /// The position has less collateral than asked for.
    InsufficientCollateral,
    /// Debt would exceed the initial loan-to-value share of the collateral.
    ExceedsInitialLtv,
    /// So little debt on so much collateral is under the scale of ticks.
    RatioBelowScale,
    /// Debt would be above zero but under the market's minimum.
    BelowMinimumDebt,
    /// The market's debt ceiling would be exceeded.
    DebtCeilingExceeded,
    /// Lenders have not supplied that much.
    InsufficientCash,
    /// There is no debt to repay.
    NothingOwed,
    /// Nothing has been paid in advance that is left over.
    NothingPrepaid,
    /// What was paid in advance is not claimed yet: it would repay the new debt.
    PrepaidUnclaimed,
    /// The position is empty.
    NothingToClose,
    /// The position is pooled in a batch that has not settled.
    PositionInBatch,
    /// The position slept through more moves than one call follows; call `sync` first.
    SyncRequired,
    /// No accepted oracle round is recent enough.
    StalePrice,
    /// The oracle round was accepted in this very block; it opens batches from the next.
    RoundTooFresh,
    /// No cohort is under-margined at both of the last two accepted rounds, or all that are wait
    /// after an auction that found too little money.
    NothingToLiquidate,
    /// The largest number of batches is running already.
    TooManyBatches,
    /// What could be opened is too little beside the batches that run.
    BatchTooSmall,
    /// Running batches ask for as much as the hole allows.
    HoleFull,
    /// The floor would be above 0.95 of the spot price.
    FloorAboveSpot,
    /// Insolvent ticks span more pages than one call sums up; open batches of them first.
    ProvisionTooDeep,
    /// There is no batch of that number.
    UnknownBatch,
    /// The batch has settled already.
    BatchSettled,
    /// The batch has not settled yet.
    BatchRunning,
    /// The clearing price is outside the batch's ladder.
    PriceOutsideLadder,
    /// More was raised than the batch may ask for at that price.
    RaisedTooMuch,
    /// A cell that must exist does not: a fault of the software, never of a caller.
    CorruptedStorage,
    /// The market's parameters are invalid.
    Params(ParamsError),
    /// A number left its range.
    Math(MathError),
    /// Another oracle round has been accepted since the batch was opened.
    RoundChanged,
    /// The position is not in that batch.
    NotInBatch,
    /// Who leaves a batch needs target health at the batch's reference price.
    UnderTargetHealth,
    /// The market is wound down: nothing is lent any more.
    WindingDown,
    /// Collateral is taken in kind only in a wind-down, after the market's notice.
    NotInKindYet,
    /// Collateral is taken in kind only after an auction that found too little money for it.
    NotAuctioned,
    /// A price waits in quarantine: until it is accepted or gone nobody knows what is fair.
    PriceQuarantined,
}

impl From<MathError> for LedgerError {
    fn from(error: MathError) -> Self {
        Self::Math(error)
    }
}

impl From<ParamsError> for LedgerError {
    fn from(error: ParamsError) -> Self {
        Self::Params(error)
    }
}

/// The storage cells of one market, whatever keeps them.
pub trait LedgerStore {
    /// The cohorts of a page.
    fn page(&self, page: PageNumber) -> Option<Page>;
    /// Stores a page, or frees its cell.
    fn set_page(&mut self, page: PageNumber, value: Option<Page>);
    /// Departed cohorts of a page and epoch.
    fn departures(&self, key: DepartureKey) -> Option<Departures>;
    /// Stores departures, or frees their cell.
    fn set_departures(&mut self, key: DepartureKey, value: Option<Departures>);
    /// A batch by number.
    fn batch(&self, number: u32) -> Option<Batch>;
    /// Stores a batch.
    fn set_batch(&mut self, number: u32, value: &Batch);
}

/// A cell read once and written back only if it changed.
struct Held<K, V> {
    key: K,
    value: V,
    changed: bool,
}

/// One message's view of a market: parameters, totals and the cells touched so far.
pub struct Ledger<'a, S> {
    params: &'a MarketParams,
    scale: UnitScale,
    state: &'a mut MarketState,
    store: &'a mut S,
    pages: Vec<Held<PageNumber, Page>>,
    departures: Vec<Held<DepartureKey, Departures>>,
}

impl<'a, S: LedgerStore> Ledger<'a, S> {
    /// Begins a transition.
    ///
    /// # Errors
    /// [`LedgerError::Params`] where the parameters name impossible decimals.
    pub fn new(
        params: &'a MarketParams,
        state: &'a mut MarketState,
        store: &'a mut S,
    ) -> Result<Self, LedgerError> {
        let scale = params.scale()?;
        Ok(Self {
            params,
            scale,
            state,
            store,
            pages: Vec::new(),
            departures: Vec::new(),
        })
    }

    /// Writes every changed cell; pages without cohorts and empty departures are freed.
    pub fn commit(self) {
        for held in self.pages.into_iter().filter(|held| held.changed) {
            let occupied = !held.value.cohorts.is_empty();
            self.state.directory.set(held.key, occupied);
            self.store
                .set_page(held.key, occupied.then_some(held.value));
        }
        for held in self.departures.into_iter().filter(|held| held.changed) {
            let occupied = !held.value.is_empty();
            self.store
                .set_departures(held.key, occupied.then_some(held.value));
        }
    }

    /// The page of that number, to be read.
    fn page(&mut self, number: PageNumber) -> Result<&Page, LedgerError> {
        self.held_page(number).map(|held| &held.value)
    }

    /// The page of that number, to be changed.
    fn page_mut(&mut self, number: PageNumber) -> Result<&mut Page, LedgerError> {
        self.held_page(number).map(|held| {
            held.changed = true;
            &mut held.value
        })
    }

    fn held_page(
        &mut self,
        number: PageNumber,
    ) -> Result<&mut Held<PageNumber, Page>, LedgerError> {
        let at = match self.pages.iter().position(|held| held.key == number) {
            Some(at) => at,
            None => {
                // A page without cohorts has no cell: there is nothing to read.
                let held = self.state.directory.holds(number);
                let stored = held.then(|| self.store.page(number)).flatten();
                let value = match stored {
                    Some(page) => page,
                    None => Page::new(self.state.next_epoch()?),
                };
                self.pages.push(Held {
                    key: number,
                    value,
                    changed: false,
                });
                self.pages.len().saturating_sub(1)
            }
        };
        self.pages.get_mut(at).ok_or(LedgerError::CorruptedStorage)
    }

    /// Departures of a page and epoch, to be read.
    fn departed(&mut self, key: DepartureKey) -> Result<&Departures, LedgerError> {
        self.held_departures(key).map(|held| &held.value)
    }

    /// Departures of a page and epoch, to be changed.
    fn departed_mut(&mut self, key: DepartureKey) -> Result<&mut Departures, LedgerError> {
        self.held_departures(key).map(|held| {
            held.changed = true;
            &mut held.value
        })
    }

    /// Begins the departures of a page's present epoch without reading them: with the first of
    /// them the page takes another epoch, so that there can be none yet.
    fn first_departures(&mut self, key: DepartureKey) {
        if self.departures.iter().all(|held| held.key != key) {
            self.departures.push(Held {
                key,
                value: Departures::default(),
                changed: false,
            });
        }
    }

    fn held_departures(
        &mut self,
        key: DepartureKey,
    ) -> Result<&mut Held<DepartureKey, Departures>, LedgerError> {
        let at = match self.departures.iter().position(|held| held.key == key) {
            Some(at) => at,
            None => {
                let value = self.store.departures(key).unwrap_or_default();
                self.departures.push(Held {
                    key,
                    value,
                    changed: false,
                });
                self.departures.len().saturating_sub(1)
            }
        };
        self.departures
            .get_mut(at)
            .ok_or(LedgerError::CorruptedStorage)
    }
}
