//! One depositor's money in one tier: standing, waiting to enter, leaving, and what it earned.

use super::pool::{portion, Ends, Fine, SeriesEnd, Stake, MOST_QUOTE};
use super::{Discount, Record, Records, Standing, StandingError, Tier, Turn};
use crate::units::{Amount, Block, Shares};
use alloc::vec::Vec;
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// What a depositor has in one tier: one storage cell.
///
/// It is brought up to date when its owner touches it, in at most eight steps, whatever has
/// happened since.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Account {
    /// Shares that take part in batches to come.
    pub stake: Stake,
    /// Shares that leave when their generation turns.
    pub leaving: Stake,
    /// Quote that enters when its generation turns.
    pub waiting: Amount,
    /// The generation that leaving shares and waiting quote belong to.
    pub generation: u32,
    /// Quote of shares that have left.
    pub payable: Amount,
    /// Collateral received and not claimed, to a fraction of a unit.
    pub collateral: Fine,
}

/// What an account could take, and what it has at stake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Worth {
    /// Quote that takes part in batches.
    pub standing: Amount,
    /// Quote that waits to enter.
    pub waiting: Amount,
    /// What leaving shares are worth at present; batches still running may spend some of it.
    pub leaving: Amount,
    /// Quote that can be claimed.
    pub payable: Amount,
    /// Collateral that can be claimed.
    pub collateral: Amount,
}

/// What a message pays to a depositor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Payout {
    /// Quote.
    pub quote: Amount,
    /// Collateral.
    pub collateral: Amount,
}

/// Ended series: those a tier still has, then those filed away.
struct History<'a, R> {
    tier: &'a Tier,
    filed: &'a R,
}

impl<R: Records> Ends for History<'_, R> {
    fn end(&self, series: u32) -> Option<SeriesEnd> {
        let kept = self.tier.ended.end(series);
        kept.or_else(|| self.filed.series(series))
    }
}

impl<R: Records> History<'_, R> {
    fn turn(&self, generation: u32) -> Result<Turn, StandingError> {
        let last = generation.checked_add(1) == Some(self.tier.generation);
        self.tier
            .turned
            .filter(|_| last)
            .or_else(|| self.filed.turn(generation))
            .ok_or(StandingError::RecordMissing)
    }

    fn follow(&self, stake: &mut Stake) -> Result<Fine, StandingError> {
        stake.follow(self.tier.pool.mark, self)
    }
}

impl Account {
    /// Whether nothing is left: the cell can be removed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stake.shares.is_zero()
            && self.leaving.shares.is_zero()
            && self.waiting.is_zero()
            && self.payable.is_zero()
            && self.collateral.whole().is_zero()
    }

    /// Brings everything up to the present of the tier. No unit is lost by doing so often.
    fn sync(&mut self, tier: &Tier, filed: &impl Records) -> Result<(), StandingError> {
        let history = History { tier, filed };
        let gained = history.follow(&mut self.stake)?;
        self.collateral = self.collateral.plus(gained)?;
        let waits = !self.waiting.is_zero() || !self.leaving.shares.is_zero();
        if waits && self.generation < tier.generation {
            self.turn(&history)?;
        }
        // Shares that have still to leave earn with the others until then.
        let gained = history.follow(&mut self.leaving)?;
        self.collateral = self.collateral.plus(gained)?;
        self.generation = tier.generation;
        Ok(())
    }

    /// What the turn of its generation made of waiting quote and leaving shares.
    fn turn<R: Records>(&mut self, history: &History<'_, R>) -> Result<(), StandingError> {
        let turn = history.turn(self.generation)?;
        let mut entering = Stake {
            shares: Shares::new(portion(
                turn.minted.get(),
                self.waiting.get(),
                turn.entered.get(),
            )?),
            since: turn.mark,
        };
        let earned_inside = history.follow(&mut entering)?;
        let earned_leaving = self.leaving.follow(turn.mark, history)?;
        let paid = portion(turn.paid.get(), self.leaving.shares.get(), turn.left.get())?;
        self.stake.shares = self.stake.shares.plus(entering.shares)?;
        self.payable = self.payable.plus(Amount::new(paid))?;
        self.collateral = self.collateral.plus(earned_inside)?.plus(earned_leaving)?;
        self.waiting = Amount::ZERO;
        self.leaving = Stake::default();
        Ok(())
    }
}

impl Standing {
    /// Puts quote into a tier: it takes part in every batch opened from now on, or, while batches
    /// have money of the tier reserved, after its generation has turned.
    ///
    /// Returns the tier's records that the caller has to file away.
    ///
    /// # Errors
    /// [`StandingError::NothingAsked`], [`StandingError::TierFull`],
    /// [`StandingError::RecordMissing`], [`StandingError::Math`].
    pub fn stand(
        &mut self,
        account: &mut Account,
        discount: Discount,
        amount: Amount,
        block: Block,
        filed: &impl Records,
    ) -> Result<Vec<Record>, StandingError> {
        if amount.is_zero() {
            return Err(StandingError::NothingAsked);
        }
        let tier = self.opened(discount)?;
        account.sync(tier, filed)?;
        // Checked here, so that no turn can be refused.
        let total = tier.pool.quote.plus(tier.waiting)?.plus(amount)?;
        if total > MOST_QUOTE {
            return Err(StandingError::TierFull);
        }
        if tier.is_engaged() {
            tier.waiting = tier.waiting.plus(amount)?;
            tier.waits_since = tier.waits_since.or(Some(block));
            account.waiting = account.waiting.plus(amount)?;
        } else {
            tier.before.note(tier.pool.quote, block);
            let shares = tier.pool.deposit(amount)?;
            account.stake.shares = account.stake.shares.plus(shares)?;
            account.stake.since = tier.pool.mark;
            tier.depth.record(tier.pool.quote, block);
        }
        Ok(tier.file())
    }

    /// Takes quote out of a tier. What waits to enter goes first and at once. The rest goes at
    /// once too, unless batches have money of the tier reserved: then its shares stay in these
    /// batches and are paid, at what they are worth then, when the generation turns.
    ///
    /// Shares given up are rounded up. Returns what can be paid now and the records to be filed.
    ///
    /// # Errors
    /// [`StandingError::NothingAsked`], [`StandingError::NotEnough`],
    /// [`StandingError::NoSuchTier`], [`StandingError::RecordMissing`], [`StandingError::Math`].
    pub fn unstand(
        &mut self,
        account: &mut Account,
        discount: Discount,
        amount: Amount,
        block: Block,
        filed: &impl Records,
    ) -> Result<(Amount, Vec<Record>), StandingError> {
        if amount.is_zero() {
            return Err(StandingError::NothingAsked);
        }
        let tier = self.existing(discount)?;
        account.sync(tier, filed)?;
        let at_once = amount.min(account.waiting);
        account.waiting = account.waiting.minus(at_once)?;
        tier.waiting = tier.waiting.minus(at_once)?;
        let rest = amount.minus(at_once)?;
        let worth = tier.pool.worth(account.stake.shares)?;
        if rest > worth {
            return Err(StandingError::NotEnough);
        }
        if tier.waiting.is_zero() && tier.leaving.is_zero() {
            tier.waits_since = None;
        }
        if rest.is_zero() {
            return Ok((at_once, tier.file()));
        }
        // All of the worth takes all of the shares: fractions of a unit stay in the pool.
        let shares = if rest == worth {
            account.stake.shares
        } else {
            tier.pool.price_in_shares(rest)?.min(account.stake.shares)
        };
        account.stake.shares = account.stake.shares.minus(shares)?;
        let paid = if tier.is_engaged() {
            tier.leaving = tier.leaving.plus(shares)?;
            tier.waits_since = tier.waits_since.or(Some(block));
            account.leaving.shares = account.leaving.shares.plus(shares)?;
            at_once
        } else {
            tier.pool.withdraw(rest)?;
            tier.depth.record(tier.pool.quote, block);
            amount
        };
        Ok((paid, tier.file()))
    }

    /// Pays out the collateral that was received and the quote of shares that have left.
    ///
    /// Collateral is rounded down; the fraction of a unit stays with the account.
    ///
    /// # Errors
    /// [`StandingError::NothingToClaim`], [`StandingError::NoSuchTier`],
    /// [`StandingError::RecordMissing`], [`StandingError::Math`].
    pub fn claim(
        &mut self,
        account: &mut Account,
        discount: Discount,
        filed: &impl Records,
    ) -> Result<(Payout, Vec<Record>), StandingError> {
        let tier = self.existing(discount)?;
        let mut synced = *account;
        synced.sync(tier, filed)?;
        let payout = Payout {
            quote: synced.payable,
            collateral: synced.collateral.take_whole(),
        };
        if payout == Payout::default() {
            return Err(StandingError::NothingToClaim);
        }
        synced.payable = Amount::ZERO;
        tier.payable = tier.payable.minus(payout.quote)?;
        tier.collateral = tier.collateral.minus(payout.collateral)?;
        *account = synced;
        Ok((payout, tier.file()))
    }

    /// What an account has in a tier, at present.
    ///
    /// # Errors
    /// [`StandingError::RecordMissing`], [`StandingError::Math`].
    pub fn worth(
        &self,
        account: &Account,
        discount: Discount,
        filed: &impl Records,
    ) -> Result<Worth, StandingError> {
        let Some(tier) = self.tier(discount) else {
            return Ok(Worth::default());
        };
        let mut now = *account;
        now.sync(tier, filed)?;
        Ok(Worth {
            standing: tier.pool.worth(now.stake.shares)?,
            waiting: now.waiting,
            leaving: tier.pool.worth(now.leaving.shares)?,
            payable: now.payable,
            collateral: now.collateral.whole(),
        })
    }
}
