//! Standing bids: `contracts/liquidation_auction/standing.rs`.

use crate::auction::key;
use crate::{House, Native, MARKET};
use breakwater_core::auction::{Auction, Clock, Phase};
use breakwater_core::ledger::{Demand, Opening};
use breakwater_core::standing::account::{Account, Payout, Worth};
use breakwater_core::standing::pool::SeriesEnd;
use breakwater_core::standing::seen::Seen;
use breakwater_core::standing::tiers::StandingClaim;
use breakwater_core::standing::{Discount, Record, Records, Standing, StandingFill, Turn};
use breakwater_core::units::Amount;
use breakwater_interfaces::auction::{AuctionContractError as Error, AuctionRecord};
use breakwater_interfaces::standing::{StandingChanged, StandingClaimed, StandingFilled};
use breakwater_interfaces::AccountId;

/// Records of one tier that were filed away.
struct Filed<'a>(&'a House, Discount);

impl Records for Filed<'_> {
    fn series(&self, number: u32) -> Option<SeriesEnd> {
        self.0.series.get(&(self.1, number)).copied()
    }

    fn turn(&self, generation: u32) -> Option<Turn> {
        self.0.turns.get(&(self.1, generation)).copied()
    }
}

impl Native {
    fn account_of(&self, discount: Discount, owner: AccountId) -> Account {
        let account = self.house.stakes.get(&(discount, owner));
        account.copied().unwrap_or_default()
    }

    fn store_stake(
        &mut self,
        who: AccountId,
        discount: Discount,
        (standing, account): (Standing, Account),
        records: Vec<Record>,
    ) {
        self.house.standing = standing;
        if account.is_empty() {
            self.house.stakes.remove(&(discount, who));
        } else {
            self.house.stakes.insert((discount, who), account);
        }
        self.file(records.into_iter().map(|record| (discount, record)));
    }

    fn file(&mut self, records: impl IntoIterator<Item = (Discount, Record)>) {
        for (discount, record) in records {
            match record {
                Record::Series(number, end) => {
                    self.house.series.insert((discount, number), end);
                }
                Record::Turn(number, turn) => {
                    self.house.turns.insert((discount, number), turn);
                }
            }
        }
    }

    fn free_standing(&mut self, who: AccountId, amount: Amount) -> Result<(), Error> {
        if amount.is_zero() {
            return Ok(());
        }
        let balance = self.house.balance(who).plus(amount)?;
        self.house.set_balance(who, balance);
        let standing = &mut self.house.treasury.standing;
        *standing = standing.minus(amount)?;
        Ok(())
    }

    pub(crate) fn stand(
        &mut self,
        who: AccountId,
        percent: u8,
        amount: Amount,
    ) -> Result<(), Error> {
        let discount = Discount::from_percent(percent)?;
        if amount < self.house.market.standing.least {
            return Err(Error::AmountTooSmall);
        }
        self.house.spend_balance(who, amount)?;
        let sum = &mut self.house.treasury.standing;
        *sum = sum.plus(amount)?;
        let mut standing = self.house.standing.clone();
        let mut account = self.account_of(discount, who);
        let filed = Filed(&self.house, discount);
        let records = standing.stand(&mut account, discount, amount, self.block, &filed)?;
        self.store_stake(who, discount, (standing, account), records);
        self.house_tells(&StandingChanged {
            market: MARKET,
            percent,
            owner: who,
            entered: amount,
            returned: Amount::ZERO,
            asked: Amount::ZERO,
        });
        Ok(())
    }

    pub(crate) fn unstand(
        &mut self,
        who: AccountId,
        percent: u8,
        amount: Amount,
    ) -> Result<Amount, Error> {
        let discount = Discount::from_percent(percent)?;
        let mut standing = self.house.standing.clone();
        let mut account = self.account_of(discount, who);
        let filed = Filed(&self.house, discount);
        let worth = standing.worth(&account, discount, &filed)?;
        let all = worth.standing.plus(worth.waiting)?;
        if !amount.is_zero() && amount < self.house.market.standing.least.min(all) {
            return Err(Error::AmountTooSmall);
        }
        let asked = amount.min(all);
        let (paid, records) =
            standing.unstand(&mut account, discount, asked, self.block, &filed)?;
        self.store_stake(who, discount, (standing, account), records);
        self.free_standing(who, paid)?;
        self.house_tells(&StandingChanged {
            market: MARKET,
            percent,
            owner: who,
            entered: Amount::ZERO,
            returned: paid,
            asked,
        });
        Ok(paid)
    }

    pub(crate) fn claim_standing(&mut self, who: AccountId, percent: u8) -> Result<Payout, Error> {
        let discount = Discount::from_percent(percent)?;
        let mut standing = self.house.standing.clone();
        let mut account = self.account_of(discount, who);
        let filed = Filed(&self.house, discount);
        let (payout, records) = standing.claim(&mut account, discount, &filed)?;
        self.store_stake(who, discount, (standing, account), records);
        self.free_standing(who, payout.quote)?;
        if !payout.collateral.is_zero() {
            let (token, from) = (self.at.collateral, self.at.auction);
            self.tokens.transfer(token, from, who, payout.collateral)?;
        }
        self.house_tells(&StandingClaimed {
            market: MARKET,
            percent,
            owner: who,
            payout,
        });
        Ok(payout)
    }

    /// What an account has in a tier.
    ///
    /// # Errors
    /// `Standing`, `Math`.
    pub fn stake_of(&self, owner: AccountId, percent: u8) -> Result<Worth, Error> {
        let discount = Discount::from_percent(percent)?;
        let account = self.account_of(discount, owner);
        let filed = Filed(&self.house, discount);
        Ok(self.house.standing.worth(&account, discount, &filed)?)
    }

    pub(crate) fn standing_in(&self) -> Standing {
        if self.house.treasury.standing.is_zero() {
            return Standing::default();
        }
        self.house.standing.clone()
    }

    pub(crate) fn demand(
        &self,
        standing: &Standing,
        own: Option<(u32, &StandingClaim)>,
    ) -> Result<Demand, Error> {
        let (house, block) = (&self.house, self.block);
        let treasury = &house.treasury;
        let held = treasury.before.lesser(treasury.held, block);
        let plain = held.minus_or_zero(treasury.standing);
        let mut here = Amount::ZERO;
        for batch in &house.treasury.running {
            if own.is_some_and(|(own, _)| own == batch.number) {
                continue;
            }
            let other = house.record(batch.number)?;
            let clock = self.clock(&other);
            here = here.plus(other.auction.spoken_for(clock, &other.standing)?)?;
        }
        let had = own.map_or(Ok(Amount::ZERO), |(_, claim)| claim.total())?;
        let deepest = house.market.standing.deepest;
        let stands = standing
            .affordable(deepest.complement(), block)?
            .plus(had)?;
        let depth = standing.depth(deepest, block)?;
        Ok(Demand::of(plain, Amount::ZERO, stands, here, depth)?)
    }

    pub(crate) fn reserve_standing(
        &mut self,
        mut standing: Standing,
        auction: &mut Auction,
        opening: &Opening,
    ) -> Result<StandingClaim, Error> {
        let (block, market) = (self.block, &self.house.market);
        let (terms, scale) = (&market.standing, market.scale);
        let claim = standing.reserve(auction, terms, opening.quarantined, block, scale)?;
        if !claim.tiers.is_empty() {
            self.house.standing = standing;
        }
        Ok(claim)
    }

    pub(crate) fn reserve_more(
        &mut self,
        mut standing: Standing,
        record: &mut AuctionRecord,
    ) -> Result<(), Error> {
        if standing.tiers().is_empty() {
            return Ok(());
        }
        let (block, scale) = (self.block, self.house.market.scale);
        standing.reserve_more(&mut record.standing, &record.auction, block, scale)?;
        self.house.standing = standing;
        Ok(())
    }

    fn join(&self, record: &mut AuctionRecord, steps: u8) -> Result<(), Error> {
        let (auction, claim) = (&mut record.auction, &mut record.standing);
        if steps == 0 || auction.phase != Phase::Running || !claim.waits() {
            return Ok(());
        }
        let halts = self.house.halts();
        let seen: Vec<Seen> = self
            .prices_since(claim.opened)
            .into_iter()
            .map(|seen| Seen {
                block: auction.clock(&halts, seen.block).block,
                ..seen
            })
            .collect();
        Ok(claim.join(auction, steps, &seen)?)
    }

    pub(crate) fn join_ended(&self, record: &mut AuctionRecord) -> Result<(), Error> {
        let clock = self.clock(record);
        let steps = record.auction.schedule.ended(clock.judged());
        self.join(record, steps)
    }

    pub(crate) fn join_begun(&self, record: &mut AuctionRecord, clock: Clock) -> Result<(), Error> {
        let schedule = record.auction.schedule;
        let now = clock.judged();
        let present = schedule.step_at(now);
        let begun = if schedule.has_begun(0, now) {
            present.map_or(schedule.steps, |step| step.saturating_add(1))
        } else {
            0
        };
        self.join(record, begun)
    }

    pub(crate) fn settle_standing(
        &mut self,
        number: u32,
        record: &mut AuctionRecord,
    ) -> Result<(), Error> {
        if record.standing.tiers.is_empty() {
            return Ok(());
        }
        let (block, scale) = (self.block, self.house.market.scale);
        let standing = &mut self.house.standing;
        let StandingFill {
            spent,
            received,
            records,
        } = standing.settle(&record.standing, &mut record.auction, block, scale)?;
        self.file(records);
        record.collateral = record.collateral.minus(received)?;
        let sum = &mut self.house.treasury.standing;
        *sum = sum.minus(spent)?;
        self.house_tells(&StandingFilled {
            batch: key(number),
            spent,
            received,
        });
        Ok(())
    }
}
