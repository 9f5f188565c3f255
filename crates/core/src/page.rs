//! Cohorts, and the storage pages that neighbouring ticks share.
//!
//! A *cohort* is the set of positions that entered one tick together. It holds totals and shares
//! of them, never a list of members, so whatever happens to it costs the same for one member as
//! for a million. Cohorts of [`TICKS_PER_PAGE`] neighbouring ticks live in one storage cell,
//! because a chain charges for each access and hardly for its bytes.
//!
//! A cohort never changes its identity. When it leaves its tick (into a batch or a neighbour) a
//! [`Departure`] is left behind under its page and epoch, a trail that its members follow.

use crate::math::{MathError, Rounding};
use crate::tick::{self, Tick};
use crate::units::{Amount, Block, DebtRatio, ScaledDebt, Shares};
use alloc::vec::Vec;
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// Ticks that share a storage cell.
pub const TICKS_PER_PAGE: u16 = 128;

/// A page: ticks `128 · page .. 128 · page + 128`.
pub type PageNumber = u16;

/// The page a tick lives in.
#[must_use]
pub const fn page_of(tick: Tick) -> PageNumber {
    tick >> 7
}

/// Where a tick stands inside its page.
#[must_use]
pub const fn slot_of(tick: Tick) -> u8 {
    // Seven bits always fit.
    (tick & 0x7f) as u8
}

/// The tick of a slot of a page.
#[must_use]
pub const fn tick_of(page: PageNumber, slot: u8) -> Tick {
    (page << 7) | (slot as u16 & 0x7f)
}

/// Counts departures of a market; a page takes a new epoch whenever cohorts leave it, so that a
/// newcomer to a tick never shares the identity of those who left.
pub type Epoch = u32;

/// The lasting identity of a cohort: the tick and the page's epoch it was born in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, TypeInfo)]
pub struct CohortId {
    /// Tick of birth.
    pub tick: Tick,
    /// Epoch of the tick's page at birth.
    pub epoch: Epoch,
}

impl CohortId {
    /// The cell in which the cohort's departure is recorded once it has left its tick.
    #[must_use]
    pub const fn departures(self) -> DepartureKey {
        DepartureKey {
            half: self.tick >> 6,
            epoch: self.epoch,
        }
    }
}

/// Shares of collateral and debt held by one position, or counted over a whole cohort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Stake {
    /// Shares of the cohort's collateral.
    pub collateral: Shares,
    /// Shares of the cohort's debt.
    pub debt: Shares,
}

/// How long a cohort whose batch found too little money waits for the next one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Cooling {
    /// First block of another auction.
    pub until: Block,
    /// The oracle round of the last one; another needs a newer round.
    pub round: u32,
    /// Batches in a row that found too little money.
    pub failures: u8,
}

/// Blocks a cohort waits after one batch that found too little money; doubled after each further
/// one, up to [`LONGEST_WAIT`].
pub const FIRST_WAIT: Block = 100;

/// The longest wait: a day of six-second blocks.
pub const LONGEST_WAIT: Block = 14_400;

impl Cooling {
    /// After one more batch that found too little money for the cohort.
    #[must_use]
    pub fn failed(self, block: Block, round: u32) -> Self {
        let doublings = u32::from(self.failures).min(16);
        let wait = FIRST_WAIT
            .saturating_mul(1u32.checked_shl(doublings).unwrap_or(u32::MAX))
            .min(LONGEST_WAIT);
        Self {
            until: block.saturating_add(wait),
            round,
            failures: self.failures.saturating_add(1),
        }
    }

    /// Whether the cohort waits still, in this block and with this oracle round.
    #[must_use]
    pub fn waits(&self, block: Block, round: u32) -> bool {
        self.failures > 0 && (block < self.until || round <= self.round)
    }

    /// The wait of two cohorts that become one, each given with its debt: that of the larger debt,
    /// and the longer where they are equal. So a speck neither brings the sale of what it joins
    /// forward nor puts it off.
    #[must_use]
    pub fn of_larger((one, debt): (Self, ScaledDebt), (other, others): (Self, ScaledDebt)) -> Self {
        if (debt, one.until) >= (others, other.until) {
            one
        } else {
            other
        }
    }
}

/// Totals of the positions that entered one tick together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Cohort {
    /// Epoch of the page when the cohort was born: with the tick, its identity.
    pub epoch: Epoch,
    /// Positions that hold a stake.
    pub members: u32,
    /// Collateral of all members, base units.
    pub collateral: Amount,
    /// Debt of all members, scaled by the borrow index.
    pub debt: ScaledDebt,
    /// All shares handed out.
    pub shares: Stake,
    /// No member's debt ratio is below this.
    pub lower_bound: DebtRatio,
    /// Whether it waits for another auction.
    pub cooling: Cooling,
}

impl Cohort {
    /// A cohort of `members` positions whose shares are worth one unit each.
    #[must_use]
    pub fn at_par(
        epoch: Epoch,
        members: u32,
        collateral: Amount,
        debt: ScaledDebt,
        lower_bound: DebtRatio,
    ) -> Self {
        let shares = Stake {
            collateral: Shares::new(collateral.get()),
            debt: Shares::new(debt.get()),
        };
        Self {
            epoch,
            members,
            collateral,
            debt,
            shares,
            lower_bound,
            cooling: Cooling::default(),
        }
    }

    /// Whether newcomers can be given shares of it: both totals and both share counts are above
    /// zero, and a share is worth between 10⁻⁹ and 10⁹ units, so that rounding stays invisible.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        const RANGE: u128 = 1_000_000_000;
        let sound = |units: u128, shares: u128| {
            units > 0
                && shares > 0
                && units.checked_div(shares).is_some_and(|worth| worth < RANGE)
                && shares
                    .checked_div(units)
                    .is_some_and(|inverse| inverse < RANGE)
        };
        sound(self.collateral.get(), self.shares.collateral.get())
            && sound(self.debt.get(), self.shares.debt.get())
    }

    /// Takes `members` positions in, with their collateral and debt, and returns the shares they
    /// receive: collateral shares rounded down, debt shares rounded up, so that those already
    /// inside never pay for a newcomer's rounding. Where nobody inside has collateral, a share of
    /// it is one unit: a member whose part of a speck was rounded away still owes.
    ///
    /// # Errors
    /// [`MathError::Overflow`]; [`MathError::DivisionByZero`] where the cohort owes nothing.
    pub fn enter(
        &mut self,
        members: u32,
        collateral: Amount,
        debt: ScaledDebt,
    ) -> Result<Stake, MathError> {
        let minted = Stake {
            collateral: if self.collateral.is_zero() {
                Shares::new(collateral.get())
            } else {
                self.shares.collateral.mul_div(
                    collateral.get(),
                    self.collateral.get(),
                    Rounding::Down,
                )?
            },
            debt: self
                .shares
                .debt
                .mul_div(debt.get(), self.debt.get(), Rounding::Up)?,
        };
        self.collateral = self.collateral.plus(collateral)?;
        self.debt = self.debt.plus(debt)?;
        self.shares.collateral = self.shares.collateral.plus(minted.collateral)?;
        self.shares.debt = self.shares.debt.plus(minted.debt)?;
        self.members = self
            .members
            .checked_add(members)
            .ok_or(MathError::Overflow)?;
        Ok(minted)
    }

    /// What a stake is worth: collateral rounded down, debt rounded up. The last member has all
    /// the collateral and owes all that is left.
    ///
    /// # Errors
    /// [`MathError::Overflow`], [`MathError::DivisionByZero`].
    pub fn worth(&self, stake: Stake) -> Result<(Amount, ScaledDebt), MathError> {
        if self.members <= 1 {
            return Ok((self.collateral, self.debt));
        }
        let collateral = if self.shares.collateral.is_zero() {
            Amount::ZERO
        } else {
            let held = stake.collateral.min(self.shares.collateral);
            self.collateral
                .mul_div(held.get(), self.shares.collateral.get(), Rounding::Down)?
        };
        let debt = if self.shares.debt.is_zero() {
            ScaledDebt::ZERO
        } else {
            let held = stake.debt.min(self.shares.debt);
            self.debt
                .mul_div(held.get(), self.shares.debt.get(), Rounding::Up)?
        };
        Ok((collateral, debt))
    }

    /// Lets one position go with what its stake is [worth](Self::worth).
    ///
    /// # Errors
    /// As [`Self::worth`].
    pub fn leave(&mut self, stake: Stake) -> Result<(Amount, ScaledDebt), MathError> {
        let (collateral, debt) = self.worth(stake)?;
        self.collateral = self.collateral.minus(collateral)?;
        self.debt = self.debt.minus(debt)?;
        // Converted shares were rounded up, so the last few may exceed what is counted.
        self.shares.collateral = self.shares.collateral.minus_or_zero(stake.collateral);
        self.shares.debt = self.shares.debt.minus_or_zero(stake.debt);
        self.members = self.members.saturating_sub(1);
        Ok((collateral, debt))
    }
}

/// How shares of a cohort that moved become shares of the cohort it moved into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Conversion {
    /// All shares received in the new cohort.
    pub received: Stake,
    /// All shares given up in the old one.
    pub given: Stake,
}

impl Conversion {
    /// One member's shares after the move: collateral rounded down, debt rounded up.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn apply(&self, stake: Stake) -> Result<Stake, MathError> {
        let convert = |shares: Shares, received: Shares, given: Shares, rounding| {
            if given.is_zero() {
                return Ok(Shares::ZERO);
            }
            shares.mul_div(received.get(), given.get(), rounding)
        };
        Ok(Stake {
            collateral: convert(
                stake.collateral,
                self.received.collateral,
                self.given.collateral,
                Rounding::Down,
            )?,
            debt: convert(
                stake.debt,
                self.received.debt,
                self.given.debt,
                Rounding::Up,
            )?,
        })
    }
}

/// A cohort inside a batch, as it was taken out of its tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct BatchedCohort {
    /// Number of the batch.
    pub batch: u32,
    /// Rank by risk inside the batch, 0 being the riskiest.
    pub rank: u16,
    /// The cohort at the block of opening.
    pub cohort: Cohort,
    /// Its debt in quote, fixed at opening, rounded up.
    pub debt: Amount,
    /// `x`: the part of the debt that the batch is to retire.
    pub retire: Amount,
    /// `T_b`: what the cohort must raise, debt and penalty together.
    pub target: Amount,
}

/// What became of a cohort that is no longer in its tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Departure {
    /// Pooled in a batch that has not been rested yet.
    Batched(BatchedCohort),
    /// Moved into another cohort; its members have still to follow.
    Moved {
        /// Where to.
        to: CohortId,
        /// How a member's shares convert.
        conversion: Conversion,
        /// Members that have not followed yet.
        members: u32,
    },
    /// Without debt: what is left belongs to the members, who take it when next touched.
    Closed(Cohort),
}

/// Half of a page, 64 ticks: departures of a whole one could outgrow what a contract can load.
pub type HalfPage = u16;

/// The cell that records departures: cohorts of half a page that were born in one epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, TypeInfo)]
pub struct DepartureKey {
    /// Half page of birth.
    pub half: HalfPage,
    /// Epoch of birth.
    pub epoch: Epoch,
}

impl DepartureKey {
    /// The tick of a slot: departures stand under the slots of their page.
    #[must_use]
    pub const fn tick(self, slot: u8) -> Tick {
        tick_of(self.half >> 1, slot)
    }
}

/// A small map from a slot of a page to `T`, kept in slot order.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Slots<T>(Vec<(u8, T)>);

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// Entries that a full map makes room for. A contract's memory is never given back: twice as much,
/// as a vector would take by itself, is more than one message can afford for every cell it reads. A
/// map that fills up from nothing takes four times what doubling would: a message fills two at most.
const ROOM: usize = 8;

impl<T> Slots<T> {
    /// The entry of a slot.
    #[must_use]
    pub fn get(&self, slot: u8) -> Option<&T> {
        let at = self.0.binary_search_by_key(&slot, |(s, _)| *s).ok()?;
        self.0.get(at).map(|(_, entry)| entry)
    }

    /// The entry of a slot, to be changed in place.
    pub fn get_mut(&mut self, slot: u8) -> Option<&mut T> {
        let at = self.0.binary_search_by_key(&slot, |(s, _)| *s).ok()?;
        self.0.get_mut(at).map(|(_, entry)| entry)
    }

    /// Puts an entry into a slot and returns the one it replaces.
    pub fn insert(&mut self, slot: u8, entry: T) -> Option<T> {
        match self.0.binary_search_by_key(&slot, |(s, _)| *s) {
            Ok(at) => self
                .0
                .get_mut(at)
                .map(|(_, old)| core::mem::replace(old, entry)),
            Err(at) => {
                if self.0.len() == self.0.capacity() {
                    self.0.reserve_exact(ROOM);
                }
                self.0.insert(at, (slot, entry));
                None
            }
        }
    }

    /// Takes the entry of a slot out.
    pub fn remove(&mut self, slot: u8) -> Option<T> {
        let at = self.0.binary_search_by_key(&slot, |(s, _)| *s).ok()?;
        Some(self.0.remove(at).1)
    }

    /// Takes the entry of the highest slot out.
    pub fn pop(&mut self) -> Option<(u8, T)> {
        self.0.pop()
    }

    /// Adds entries whose slots are above all others here, highest first: what a walk from the
    /// riskiest slot down has gathered. Others are inserted one by one.
    pub fn extend_down(&mut self, mut entries: Vec<(u8, T)>) {
        let falls = |pair: &[(u8, T)]| matches!(pair, [(above, _), (below, _)] if above > below);
        if self.0.is_empty() && entries.windows(2).all(falls) {
            // As they are: a contract's memory is never given back, so every copy counts.
            entries.reverse();
            self.0 = entries;
            return;
        }
        self.0.reserve_exact(entries.len());
        for (slot, entry) in entries.into_iter().rev() {
            if self.0.last().is_none_or(|(last, _)| *last < slot) {
                self.0.push((slot, entry));
            } else {
                self.insert(slot, entry);
            }
        }
    }

    /// Entries with their slots, lowest slot first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (u8, &T)> {
        self.0.iter().map(|(slot, entry)| (*slot, entry))
    }

    /// Number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no slot is taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The cohorts that live in [`TICKS_PER_PAGE`] neighbouring ticks.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Page {
    /// Epoch that cohorts born from now on take.
    pub epoch: Epoch,
    /// Live cohorts by slot.
    pub cohorts: Slots<Cohort>,
}

impl Page {
    /// A page without cohorts.
    #[must_use]
    pub fn new(epoch: Epoch) -> Self {
        Self {
            epoch,
            cohorts: Slots::default(),
        }
    }

    /// The cohort with this identity, if it still lives here.
    #[must_use]
    pub fn cohort(&self, id: CohortId) -> Option<&Cohort> {
        self.cohorts
            .get(slot_of(id.tick))
            .filter(|cohort| cohort.epoch == id.epoch)
    }

    /// As [`Self::cohort`], to be changed in place.
    pub fn cohort_mut(&mut self, id: CohortId) -> Option<&mut Cohort> {
        self.cohorts
            .get_mut(slot_of(id.tick))
            .filter(|cohort| cohort.epoch == id.epoch)
    }
}

/// Departed cohorts of half a page and one epoch, at most 64.
pub type Departures = Slots<Departure>;

/// Which of the 512 pages hold cohorts: one bit each, in one cell with the market's totals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Directory([u128; 4]);

impl Directory {
    const fn bit(page: PageNumber) -> (usize, u128) {
        ((page >> 7) as usize & 0x3, 1u128 << (page & 0x7f))
    }

    /// Whether a page holds cohorts.
    #[must_use]
    pub fn holds(&self, page: PageNumber) -> bool {
        let (word, bit) = Self::bit(page);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    /// Records whether a page holds cohorts.
    pub fn set(&mut self, page: PageNumber, occupied: bool) {
        let (word, bit) = Self::bit(page);
        if let Some(word) = self.0.get_mut(word) {
            if occupied {
                *word |= bit;
            } else {
                *word &= !bit;
            }
        }
    }

    /// The highest occupied page that is at or below the given one.
    #[must_use]
    pub fn highest_at_or_below(&self, page: PageNumber) -> Option<PageNumber> {
        let (top, bit) = Self::bit(page);
        for index in (0..=top).rev() {
            let mut word = *self.0.get(index)?;
            if index == top {
                word &= bit | bit.wrapping_sub(1);
            }
            if word != 0 {
                let within = 127u32.saturating_sub(word.leading_zeros());
                let base = u32::try_from(index).ok()?.checked_mul(128)?;
                return PageNumber::try_from(base.checked_add(within)?).ok();
            }
        }
        None
    }

    /// The highest page there is.
    pub const LAST: PageNumber = page_of(tick::Tick::MAX);
}

#[cfg(test)]
mod tests;
