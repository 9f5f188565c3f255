//! What dashboards and bots ask of the ticks, without visiting a position.

use super::{Ledger, LedgerError, LedgerStore};
use crate::math::{MathError, Rounding};
use crate::page::{page_of, tick_of, Directory};
use crate::tick::{self, Tick};
use crate::units::{is_liquidatable, Amount, DebtRatio, Price, Ratio};
use alloc::vec::Vec;
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// The most ticks one histogram answer holds: it has to fit a contract's buffer.
pub const MAX_HISTOGRAM_TICKS: usize = 128;

/// The most pages one answer reads.
pub const MAX_DEPTH_PAGES: usize = 16;

/// The most pages of insolvent ticks that a lender's exit sums up.
pub const MAX_PROVISION_PAGES: usize = 16;

/// Totals of one occupied tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct TickTotals {
    /// The tick.
    pub tick: Tick,
    /// The debt ratio at which it begins.
    pub bound: DebtRatio,
    /// Positions in it.
    pub members: u32,
    /// Their collateral, base units.
    pub collateral: Amount,
    /// Their debt in quote, rounded up.
    pub debt: Amount,
}

/// A part of a market's histogram, riskiest tick first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Histogram {
    /// Occupied ticks.
    pub ticks: Vec<TickTotals>,
    /// Where to go on, as the next `to`; `None` when the range is done.
    pub next: Option<Tick>,
}

/// What could be liquidated at a price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct AtRisk {
    /// Occupied ticks that are under-margined.
    pub ticks: u16,
    /// Positions in them.
    pub members: u32,
    /// Their collateral, base units.
    pub collateral: Amount,
    /// Their debt in quote, rounded up by tick.
    pub debt: Amount,
    /// Whether all pages were read; else the numbers are lower bounds.
    pub complete: bool,
}

impl<S: LedgerStore> Ledger<'_, S> {
    /// Occupied ticks from `to` down to `from`, both included.
    ///
    /// # Errors
    /// [`LedgerError::Math`].
    pub fn histogram(&mut self, from: Tick, to: Tick) -> Result<Histogram, LedgerError> {
        let mut found = Histogram::default();
        let walk = self.walk(to, MAX_DEPTH_PAGES, |totals| {
            if totals.tick < from {
                return Ok(Walk::Stop);
            }
            if found.ticks.len() >= MAX_HISTOGRAM_TICKS {
                found.next = Some(totals.tick);
                return Ok(Walk::Stop);
            }
            found.ticks.push(totals);
            Ok(Walk::GoOn)
        })?;
        if let Some(next) = walk {
            if next >= from {
                found.next = Some(next);
            }
        }
        Ok(found)
    }

    /// Everything that is under-margined at a price, with today's index and threshold.
    ///
    /// # Errors
    /// [`LedgerError::Math`].
    pub fn at_risk(&mut self, price: Price) -> Result<AtRisk, LedgerError> {
        let (index, threshold) = (self.state.index, self.params.liquidation_threshold);
        let mut risk = AtRisk {
            complete: true,
            ..AtRisk::default()
        };
        let walk = self.walk(Tick::MAX, MAX_DEPTH_PAGES, |totals| {
            if !is_liquidatable(totals.bound, index, price, threshold) {
                return Ok(Walk::Stop);
            }
            risk.collateral = risk.collateral.plus(totals.collateral)?;
            risk.debt = risk.debt.plus(totals.debt)?;
            risk.ticks = risk.ticks.saturating_add(1);
            risk.members = risk.members.saturating_add(totals.members);
            Ok(Walk::GoOn)
        })?;
        risk.complete = walk.is_none();
        Ok(risk)
    }

    /// What insolvent ticks outside batches lack at a price: `Σ max(0, D − C·p)` over ticks whose
    /// debt exceeds their collateral's value.
    ///
    /// # Errors
    /// [`LedgerError::ProvisionTooDeep`] where they span more than [`MAX_PROVISION_PAGES`] pages;
    /// [`LedgerError::Math`].
    pub fn insolvency(&mut self, price: Price) -> Result<Amount, LedgerError> {
        let (index, scale) = (self.state.index, self.scale);
        let mut lack = Amount::ZERO;
        let walk = self.walk(Tick::MAX, MAX_PROVISION_PAGES, |totals| {
            if !is_liquidatable(totals.bound, index, price, Ratio::ONE) {
                return Ok(Walk::Stop);
            }
            let value = scale.value(totals.collateral, price, Rounding::Down)?;
            lack = lack.plus(totals.debt.minus_or_zero(value))?;
            Ok(Walk::GoOn)
        })?;
        if walk.is_some() {
            return Err(LedgerError::ProvisionTooDeep);
        }
        Ok(lack)
    }

    /// What is set aside where a lender leaves: what batches may lack, and insolvent ticks, at the
    /// worst price at hand; without a price only the former.
    ///
    /// # Errors
    /// Those of [`Self::insolvency`].
    pub fn provision(&mut self, worst: Option<Price>) -> Result<Amount, LedgerError> {
        let Some(price) = worst else {
            return Ok(self.state.batch_provision()?);
        };
        let batches = self.state.batch_provision_at(price, self.scale)?;
        Ok(batches.plus(self.insolvency(price)?)?)
    }

    /// Visits occupied ticks from `to` down until told to stop; returns the tick to go on at if
    /// it ran out of pages first.
    fn walk(
        &mut self,
        to: Tick,
        most_pages: usize,
        mut visit: impl FnMut(TickTotals) -> Result<Walk, MathError>,
    ) -> Result<Option<Tick>, LedgerError> {
        let index = self.state.index;
        let mut next = self
            .state
            .directory
            .highest_at_or_below(page_of(to).min(Directory::LAST));
        let mut pages = 0usize;
        while let Some(number) = next {
            if pages >= most_pages {
                return Ok(Some(tick_of(number, u8::MAX)));
            }
            pages = pages.saturating_add(1);
            let Some(page) = self.store.page(number) else {
                return Err(LedgerError::CorruptedStorage);
            };
            for (slot, cohort) in page.cohorts.iter().rev() {
                let tick = tick_of(number, slot);
                if tick > to {
                    continue;
                }
                let totals = TickTotals {
                    tick,
                    bound: tick::bound(tick),
                    members: cohort.members,
                    collateral: cohort.collateral,
                    debt: index.owed(cohort.debt, Rounding::Up)?,
                };
                if visit(totals)? == Walk::Stop {
                    return Ok(None);
                }
            }
            next = number
                .checked_sub(1)
                .and_then(|below| self.state.directory.highest_at_or_below(below));
        }
        Ok(None)
    }
}

/// Whether a walk goes on.
#[derive(PartialEq, Eq)]
enum Walk {
    GoOn,
    Stop,
}
