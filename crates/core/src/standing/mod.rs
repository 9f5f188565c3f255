//! Standing bids: money that rests in discount tiers across auctions, for people who run no bot.
//!
//! A tier of discount `d` buys in a batch at up to `(1 − d)` of the lowest price seen since the
//! opening. It joins the ladder by itself, counts as one bid of its step, and pays the one
//! clearing price. What it spends and receives is shared by all its depositors in proportion, at
//! a cost that does not depend on how many they are.
//!
//! | part | job |
//! |---|---|
//! | [`pool`] | shares of a pool that shrinks and earns; see there for the formulas |
//! | [`tiers`] | a tier's price, the step it joins, its share of a clearing |
//! | [`seen`] | the oracle's prices block by block, which all that depends on |
//! | [`depth`] | how much money has stood for a notice period |
//! | [`StandingTerms`] | what of a market's parameters they go by |
//! | [`account`] | one depositor's stake in one tier |
//!
//! # Generations
//!
//! While running batches have money of a tier reserved, the tier's pool admits nobody and lets
//! nobody out: deposits wait, and so do withdrawals. When the last of these batches settles the
//! generation **turns**: leavers are paid at what their shares are worth then, those who waited
//! enter. Nobody enters a batch that is open already, nobody leaves one, and settlement does the
//! turn for all of them in one step. Where batches overlap without a gap, the first request of a
//! generation bounds the wait: a notice period later new batches reserve nothing of the tier
//! until it has turned.

pub mod account;
pub mod depth;
pub mod pool;
pub mod seen;
mod terms;
pub mod tiers;

pub use terms::StandingTerms;

use crate::auction::{Auction, AuctionError, Before, Phase, DEFAULT_RESERVE};
use crate::math::{MathError, Rounding};
use crate::units::{Amount, Block, Price, Ratio, Shares, UnitScale};
use alloc::vec::Vec;
use depth::{Depth, NOTICE};
use pool::{carry_total, Mark, Pool, SeriesEnd};
use scale::{Decode, Encode};
use scale_info::TypeInfo;
use tiers::{reserve_ratio, Reserved, StandingClaim};

/// Ended series that a tier keeps in its own state before they have to be filed away.
pub const KEPT_SERIES: usize = 4;

/// Why a standing bid is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum StandingError {
    /// Discounts are 2 % to 30 %, in whole per cent.
    NoSuchTier,
    /// An amount of zero.
    NothingAsked,
    /// More than the account has in the tier.
    NotEnough,
    /// The tier holds as much as it may.
    TierFull,
    /// There is nothing to claim; nothing has changed.
    NothingToClaim,
    /// The record of an ended series or of a turn was not supplied.
    RecordMissing,
    /// The auction refuses.
    Auction(AuctionError),
    /// A number left its range.
    Math(MathError),
}

impl From<MathError> for StandingError {
    fn from(error: MathError) -> Self {
        Self::Math(error)
    }
}

impl From<AuctionError> for StandingError {
    fn from(error: AuctionError) -> Self {
        Self::Auction(error)
    }
}

/// The discount of a tier in whole per cent, 2 to 30. Shallower ones lose money to a moving
/// market: their money tends to be the step that is chosen after the fair price has fallen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, TypeInfo)]
pub struct Discount(u8);

impl Discount {
    /// The shallowest tier.
    pub const SHALLOWEST: Self = Self(2);
    /// The deepest tier.
    pub const DEEPEST: Self = Self(30);

    /// From per cent.
    ///
    /// # Errors
    /// [`StandingError::NoSuchTier`].
    pub fn from_percent(percent: u8) -> Result<Self, StandingError> {
        let discount = Self(percent);
        if discount < Self::SHALLOWEST || discount > Self::DEEPEST {
            return Err(StandingError::NoSuchTier);
        }
        Ok(discount)
    }

    /// The deepest tier whose price can be at or above a floor of this share of the reference.
    #[must_use]
    pub fn deepest_over(floor: Ratio) -> Self {
        let percent = Ratio::ONE.minus_or_zero(floor).ppm() / 10_000;
        let percent = u8::try_from(percent).unwrap_or(Self::DEEPEST.0);
        Self(percent.clamp(Self::SHALLOWEST.0, Self::DEEPEST.0))
    }

    /// In per cent.
    #[must_use]
    pub const fn percent(self) -> u8 {
        self.0
    }

    /// One less the discount.
    #[must_use]
    pub fn complement(self) -> Ratio {
        Ratio::from_bps(100u32.saturating_sub(u32::from(self.0)).saturating_mul(100))
    }
}

/// How a generation of a tier ended. Kept for those who waited for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Turn {
    /// The moment of the pool: leavers earn until then, entrants from then on.
    pub mark: Mark,
    /// Quote that entered.
    pub entered: Amount,
    /// Shares it received.
    pub minted: Shares,
    /// Shares that left.
    pub left: Shares,
    /// Quote they were worth.
    pub paid: Amount,
}

/// A record to be filed away: each belongs to a market and tier, and never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Record {
    /// Number of a series, and how it ended.
    Series(u32, SeriesEnd),
    /// Number of a generation, and how it ended.
    Turn(u32, Turn),
}

/// Records that were filed away, of one tier.
pub trait Records {
    /// How a series ended.
    fn series(&self, number: u32) -> Option<SeriesEnd>;
    /// How a generation ended.
    fn turn(&self, generation: u32) -> Option<Turn>;
}

/// One discount tier of a market.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Tier {
    /// Its discount.
    pub discount: Discount,
    /// The money that takes part in batches.
    pub pool: Pool,
    /// Quote of the pool that running batches have reserved.
    pub reserved: Amount,
    /// Deposits that wait for the generation to turn.
    pub waiting: Amount,
    /// Shares whose holders leave when the generation turns.
    pub leaving: Shares,
    /// Since when somebody waits.
    pub waits_since: Option<Block>,
    /// Quote of those who left, not claimed yet.
    pub payable: Amount,
    /// Collateral received and not claimed.
    pub collateral: Amount,
    /// The present generation.
    pub generation: u32,
    /// How the one before ended, if it has not been filed away yet.
    pub turned: Option<Turn>,
    /// Ended series that have not been filed away yet.
    pub ended: Vec<(u32, SeriesEnd)>,
    /// How much has stood in it.
    pub depth: Depth,
    /// What its pool held before a block put money in: what came since sizes no lot yet.
    pub before: Before,
}

impl Tier {
    fn new(discount: Discount) -> Self {
        Self {
            discount,
            pool: Pool::default(),
            reserved: Amount::ZERO,
            waiting: Amount::ZERO,
            leaving: Shares::ZERO,
            waits_since: None,
            payable: Amount::ZERO,
            collateral: Amount::ZERO,
            generation: 0,
            turned: None,
            ended: Vec::new(),
            depth: Depth::default(),
            before: Before::default(),
        }
    }

    /// All quote that is held for the tier's depositors.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn held(&self) -> Result<Amount, MathError> {
        self.pool.quote.plus(self.waiting)?.plus(self.payable)
    }

    /// Whether running batches have reserved money of the pool.
    #[must_use]
    pub fn is_engaged(&self) -> bool {
        !self.reserved.is_zero()
    }

    /// What a batch opened in this block could reserve: nothing once somebody has waited for a
    /// notice period.
    #[must_use]
    pub fn free(&self, block: Block) -> Amount {
        let patient = |since: Block| block < since.saturating_add(NOTICE);
        if self.waits_since.is_none_or(patient) {
            self.pool.quote.minus_or_zero(self.reserved)
        } else {
            Amount::ZERO
        }
    }

    /// What of [`Self::free`] was there when the block began: what counts where a lot is sized. A
    /// tier that a batch has no use for lets its money out at once.
    fn stood(&self, block: Block) -> Amount {
        let there = self.before.lesser(self.pool.quote, block);
        let came = self.pool.quote.minus_or_zero(there);
        self.free(block).minus_or_zero(came)
    }

    /// Spends the pool's money for collateral and frees what was reserved for it.
    fn settle(
        &mut self,
        reserved: Amount,
        spent: Amount,
        received: Amount,
        block: Block,
    ) -> Result<(), StandingError> {
        self.reserved = self.reserved.minus(reserved)?;
        let series = self.pool.mark.series;
        let end = self.pool.spend(spent, received)?;
        self.leaving = carry_total(self.leaving, end);
        self.ended.extend(end.map(|end| (series, end)));
        self.collateral = self.collateral.plus(received)?;
        if !self.is_engaged() && self.waits_since.is_some() {
            self.turn(block)?;
        }
        self.depth.record(self.pool.quote, block);
        Ok(())
    }

    /// Lets leavers go and those who waited in.
    fn turn(&mut self, block: Block) -> Result<(), StandingError> {
        self.before.note(self.pool.quote, block);
        let paid = self.pool.worth(self.leaving)?;
        self.pool.withdraw(paid)?;
        // An emptied pool keeps its series: nobody is left in it.
        let minted = if self.waiting.is_zero() {
            Shares::ZERO
        } else {
            self.pool.deposit(self.waiting)?
        };
        self.turned = Some(Turn {
            mark: self.pool.mark,
            entered: self.waiting,
            minted,
            left: self.leaving,
            paid,
        });
        self.payable = self.payable.plus(paid)?;
        self.waiting = Amount::ZERO;
        self.leaving = Shares::ZERO;
        self.waits_since = None;
        self.generation = self.generation.checked_add(1).ok_or(MathError::Overflow)?;
        Ok(())
    }

    /// Hands over what has to be filed away.
    fn file(&mut self) -> Vec<Record> {
        let last = self.generation.saturating_sub(1);
        let turn = self.turned.take().map(|turn| Record::Turn(last, turn));
        self.ended
            .drain(..)
            .map(|(number, end)| Record::Series(number, end))
            .chain(turn)
            .collect()
    }
}

/// All standing bids of one market: one storage cell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Standing {
    /// Tiers that were ever used, shallowest first; at most 29.
    tiers: Vec<Tier>,
}

/// What a settled batch did with standing money.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct StandingFill {
    /// Quote spent by all tiers.
    pub spent: Amount,
    /// Collateral received by all tiers.
    pub received: Amount,
    /// Records to be filed away now; nearly always none.
    pub records: Vec<(Discount, Record)>,
}

impl Standing {
    /// The tiers, shallowest first.
    #[must_use]
    pub fn tiers(&self) -> &[Tier] {
        &self.tiers
    }

    /// One tier, if it was ever used.
    #[must_use]
    pub fn tier(&self, discount: Discount) -> Option<&Tier> {
        let at = self.position(discount).ok()?;
        self.tiers.get(at)
    }

    fn position(&self, discount: Discount) -> Result<usize, usize> {
        self.tiers
            .binary_search_by_key(&discount, |tier| tier.discount)
    }

    fn existing(&mut self, discount: Discount) -> Result<&mut Tier, StandingError> {
        let at = self.position(discount);
        at.ok()
            .and_then(|at| self.tiers.get_mut(at))
            .ok_or(StandingError::NoSuchTier)
    }

    fn opened(&mut self, discount: Discount) -> Result<&mut Tier, StandingError> {
        if let Err(at) = self.position(discount) {
            self.tiers.insert(at, Tier::new(discount));
        }
        self.existing(discount)
    }

    /// The free standing money that a batch opened in this block could use and that was there when
    /// the block began: of tiers whose price can be at or above a floor of this share of the
    /// reference.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn affordable(&self, floor: Ratio, block: Block) -> Result<Amount, MathError> {
        self.tiers
            .iter()
            .filter(|tier| tier.discount.complement() >= floor)
            .try_fold(Amount::ZERO, |sum, tier| sum.plus(tier.stood(block)))
    }

    /// Money that has stood for a notice period in tiers down to a discount: what may steer a
    /// price ladder.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn depth(&self, deepest: Discount, block: Block) -> Result<Amount, MathError> {
        self.tiers
            .iter()
            .filter(|tier| tier.discount <= deepest)
            .try_fold(Amount::ZERO, |sum, tier| {
                sum.plus(tier.depth.smallest(block))
            })
    }

    /// The shallowest tier in which at least `least` has stood for a notice period, unless it is
    /// under `deepest`: money that can never buy says nothing of what a good price is.
    fn shallowest(&self, least: Amount, deepest: Discount, block: Block) -> Option<Discount> {
        self.tiers
            .iter()
            .find(|tier| tier.depth.smallest(block) >= least)
            .map(|tier| tier.discount)
            .filter(|discount| *discount <= deepest)
    }

    /// Reserves standing money for a batch that opens, and sets its reserve price under the price
    /// of the shallowest tier that is heard ([`Auction::least_heard`], [`reserve_ratio`]); rounded
    /// up.
    ///
    /// `quarantined` is a price in quarantine at the opening.
    ///
    /// # Errors
    /// As [`Self::reserve_more`].
    pub fn reserve(
        &mut self,
        auction: &mut Auction,
        terms: &StandingTerms,
        quarantined: Option<Price>,
        block: Block,
        scale: UnitScale,
    ) -> Result<StandingClaim, StandingError> {
        let shallowest = self.shallowest(auction.least_heard()?, terms.deepest, block);
        let ratio = reserve_ratio(DEFAULT_RESERVE, shallowest);
        auction.reserve = auction.reference.times(ratio, Rounding::Up)?;
        let mut claim = StandingClaim {
            opened: block,
            ceiling: quarantined.map_or(auction.reference, |low| low.min(auction.reference)),
            fresh_for: terms.fresh_for,
            tiers: Vec::new(),
        };
        self.reserve_more(&mut claim, auction, block, scale)?;
        Ok(claim)
    }

    /// Reserves what a batch needs after it was extended, in addition to what it has. Deposits
    /// made since its opening wait for their generation all the same.
    ///
    /// A tier can be needed for no more than `T` at the first step it could join, less what
    /// shallower tiers bring: the rest stays free for other batches. Tiers whose price is under
    /// the floor, or that bring less than a bid's least budget, are left alone.
    ///
    /// # Errors
    /// [`StandingError::Math`].
    pub fn reserve_more(
        &mut self,
        claim: &mut StandingClaim,
        auction: &Auction,
        block: Block,
        scale: UnitScale,
    ) -> Result<(), StandingError> {
        let least = auction.least_budget(scale)?;
        let mut brought = Amount::ZERO;
        for tier in &mut self.tiers {
            let limit = tier.discount.of(claim.ceiling)?;
            let first = auction.prices.partition_point(|price| *price > limit);
            let Some(target) = auction.targets.get(first) else {
                break;
            };
            let at = claim
                .tiers
                .binary_search_by_key(&tier.discount, |reserved| reserved.discount);
            let had = at
                .ok()
                .and_then(|at| claim.tiers.get(at))
                .map_or(Amount::ZERO, |reserved| reserved.amount);
            let room = target.minus_or_zero(brought).minus_or_zero(had);
            let more = tier.free(block).min(room);
            let amount = had.plus(more)?;
            if amount < least {
                continue;
            }
            tier.reserved = tier.reserved.plus(more)?;
            brought = brought.plus(amount)?;
            match at {
                Ok(at) => {
                    if let Some(reserved) = claim.tiers.get_mut(at) {
                        reserved.amount = amount;
                    }
                }
                Err(at) => claim.tiers.insert(
                    at,
                    Reserved {
                        discount: tier.discount,
                        amount,
                        step: None,
                    },
                ),
            }
        }
        Ok(())
    }

    /// Frees what a batch has reserved, for one that is closed without having been judged.
    ///
    /// # Errors
    /// [`StandingError::NoSuchTier`], [`StandingError::Math`].
    pub fn release(
        &mut self,
        claim: &StandingClaim,
        block: Block,
    ) -> Result<Vec<(Discount, Record)>, StandingError> {
        for reserved in &claim.tiers {
            self.existing(reserved.discount)?.settle(
                reserved.amount,
                Amount::ZERO,
                Amount::ZERO,
                block,
            )?;
        }
        Ok(self.overdue())
    }

    /// Books what a settled auction gives its tiers, before any bidder claims, and turns the
    /// generation of every tier that no running batch has money of any more.
    ///
    /// # Errors
    /// [`StandingError::Auction`] where the auction is not settled, [`StandingError::NoSuchTier`],
    /// [`StandingError::Math`].
    pub fn settle(
        &mut self,
        claim: &StandingClaim,
        auction: &mut Auction,
        block: Block,
        scale: UnitScale,
    ) -> Result<StandingFill, StandingError> {
        if !matches!(auction.phase, Phase::Settled(_)) {
            return Err(AuctionError::NotSettled.into());
        }
        let mut total = StandingFill::default();
        for reserved in &claim.tiers {
            let fill = StandingClaim::fill(auction, reserved, scale)?;
            let tier = self.existing(reserved.discount)?;
            tier.settle(reserved.amount, fill.spent, fill.received, block)?;
            total.spent = total.spent.plus(fill.spent)?;
            total.received = total.received.plus(fill.received)?;
        }
        total.records = self.overdue();
        Ok(total)
    }

    /// Records of tiers that keep more than they should. A depositor's message files the records
    /// of its tier, so that here there is hardly ever anything.
    fn overdue(&mut self) -> Vec<(Discount, Record)> {
        self.tiers
            .iter_mut()
            .filter(|tier| tier.ended.len() > KEPT_SERIES)
            .flat_map(|tier| {
                let discount = tier.discount;
                tier.file()
                    .into_iter()
                    .map(move |record| (discount, record))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
