//! Standing bids: depositors' messages, and what batches do with tiers.
//!
//! Every rule is in `breakwater_core::standing`.

use crate::liquidation_auction::LiquidationAuction;
use breakwater_core::auction::{Auction, Clock, Phase};
use breakwater_core::ledger::{Demand, Opening};
use breakwater_core::standing::account::{Account, Payout, Worth};
use breakwater_core::standing::pool::SeriesEnd;
use breakwater_core::standing::seen::Seen;
use breakwater_core::standing::tiers::StandingClaim;
use breakwater_core::standing::{Discount, Record, Records, Standing, StandingFill, Turn};
use breakwater_core::units::Amount;
use breakwater_interfaces::auction::{
    AuctionContractError as Error, AuctionMarket, AuctionRecord, BatchKey, Treasury,
};
use breakwater_interfaces::cell::Cell;
use breakwater_interfaces::oracle::OracleAdapter;
use breakwater_interfaces::standing::{StandingChanged, StandingClaimed, StandingFilled};
use breakwater_interfaces::{AccountId, Env, MarketId};
use ink::codegen::{Env as _, TraitCallBuilder};
use ink::prelude::vec::Vec;

/// Records of one tier that were filed away.
struct Filed<'a> {
    contract: &'a LiquidationAuction,
    market: MarketId,
    discount: Discount,
}

impl Records for Filed<'_> {
    fn series(&self, number: u32) -> Option<SeriesEnd> {
        let key = (self.market, self.discount, number);
        self.contract.series.get(key).map(|cell| cell.0)
    }

    fn turn(&self, generation: u32) -> Option<Turn> {
        let key = (self.market, self.discount, generation);
        self.contract.turns.get(key).map(|cell| cell.0)
    }
}

/// What a depositor has in one tier, loaded for one message.
struct Stake {
    id: MarketId,
    discount: Discount,
    market: AuctionMarket,
    standing: Standing,
    account: Account,
}

impl LiquidationAuction {
    /// All tiers of a market.
    pub(crate) fn standing_of(&self, market: MarketId) -> Standing {
        self.standing
            .get(market)
            .map(|cell| cell.0)
            .unwrap_or_default()
    }

    fn account_of(&self, market: MarketId, discount: Discount, owner: AccountId) -> Account {
        self.stakes
            .get((market, discount, owner))
            .map(|cell| cell.0)
            .unwrap_or_default()
    }

    fn filed(&self, market: MarketId, discount: Discount) -> Filed<'_> {
        Filed {
            contract: self,
            market,
            discount,
        }
    }

    /// What the caller has in a tier.
    fn stake(&self, id: MarketId, percent: u8) -> Result<Stake, Error> {
        let market = self.market_of(id)?;
        let discount = Discount::from_percent(percent)?;
        Ok(Stake {
            id,
            discount,
            market,
            standing: self.standing_of(id),
            account: self.account_of(id, discount, self.env().caller()),
        })
    }

    /// Stores what a depositor's message changed.
    fn store_stake(&mut self, stake: Stake, records: Vec<Record>) {
        let Stake { id, discount, .. } = stake;
        let key = (id, discount, self.env().caller());
        self.standing.insert(id, &Cell(stake.standing));
        if stake.account.is_empty() {
            self.stakes.remove(key);
        } else {
            self.stakes.insert(key, &Cell(stake.account));
        }
        self.file(id, records.into_iter().map(|record| (discount, record)));
    }

    fn file(&mut self, market: MarketId, records: impl IntoIterator<Item = (Discount, Record)>) {
        for (discount, record) in records {
            match record {
                Record::Series(number, end) => {
                    self.series.insert((market, discount, number), &Cell(end));
                }
                Record::Turn(number, turn) => {
                    self.turns.insert((market, discount, number), &Cell(turn));
                }
            }
        }
    }

    /// Pays quote of tiers back to the caller's free balance.
    fn free_standing(&mut self, token: AccountId, amount: Amount) -> Result<(), Error> {
        if amount.is_zero() {
            return Ok(());
        }
        let owner = self.env().caller();
        let balance = self.balance_of(token, owner).plus(amount)?;
        self.set_balance(token, owner, balance);
        let mut treasury = self.treasury_of(token);
        treasury.standing = treasury.standing.minus(amount)?;
        self.treasuries.insert(token, &Cell(treasury));
        Ok(())
    }

    pub(crate) fn enter_tier(
        &mut self,
        id: MarketId,
        percent: u8,
        amount: Amount,
    ) -> Result<(), Error> {
        let mut stake = self.stake(id, percent)?;
        if amount < stake.market.standing.least {
            return Err(Error::AmountTooSmall);
        }
        let (owner, token) = (self.env().caller(), stake.market.quote);
        self.spend_balance(token, owner, amount)?;
        let mut treasury = self.treasury_of(token);
        treasury.standing = treasury.standing.plus(amount)?;
        self.treasuries.insert(token, &Cell(treasury));
        let block = self.env().block_number();
        let filed = self.filed(id, stake.discount);
        let records =
            stake
                .standing
                .stand(&mut stake.account, stake.discount, amount, block, &filed)?;
        self.store_stake(stake, records);
        self.env().emit_event(StandingChanged {
            market: id,
            percent,
            owner,
            entered: amount,
            returned: Amount::ZERO,
            asked: Amount::ZERO,
        });
        Ok(())
    }

    pub(crate) fn leave_tier(
        &mut self,
        id: MarketId,
        percent: u8,
        amount: Amount,
    ) -> Result<Amount, Error> {
        let mut stake = self.stake(id, percent)?;
        let filed = self.filed(id, stake.discount);
        let worth = stake
            .standing
            .worth(&stake.account, stake.discount, &filed)?;
        let all = worth.standing.plus(worth.waiting)?;
        if !amount.is_zero() && amount < stake.market.standing.least.min(all) {
            return Err(Error::AmountTooSmall);
        }
        let asked = amount.min(all);
        let block = self.env().block_number();
        let (paid, records) =
            stake
                .standing
                .unstand(&mut stake.account, stake.discount, asked, block, &filed)?;
        let token = stake.market.quote;
        self.store_stake(stake, records);
        self.free_standing(token, paid)?;
        self.env().emit_event(StandingChanged {
            market: id,
            percent,
            owner: self.env().caller(),
            entered: Amount::ZERO,
            returned: paid,
            asked,
        });
        Ok(paid)
    }

    pub(crate) fn claim_tier(&mut self, id: MarketId, percent: u8) -> Result<Payout, Error> {
        let mut stake = self.stake(id, percent)?;
        let filed = self.filed(id, stake.discount);
        let (payout, records) = stake
            .standing
            .claim(&mut stake.account, stake.discount, &filed)?;
        let (owner, token) = (self.env().caller(), stake.market.quote);
        let collateral = self.token(stake.market.collateral);
        self.store_stake(stake, records);
        self.free_standing(token, payout.quote)?;
        if !payout.collateral.is_zero() {
            collateral.pay(owner, payout.collateral)?;
        }
        self.env().emit_event(StandingClaimed {
            market: id,
            percent,
            owner,
            payout,
        });
        Ok(payout)
    }

    pub(crate) fn worth_in_tier(
        &self,
        market: MarketId,
        percent: u8,
        owner: AccountId,
    ) -> Result<Worth, Error> {
        let discount = Discount::from_percent(percent)?;
        let account = self.account_of(market, discount, owner);
        let filed = self.filed(market, discount);
        Ok(self.standing_of(market).worth(&account, discount, &filed)?)
    }

    /// The tiers of a market that a batch is opened or extended in; nothing is read where the
    /// quote token has no standing bids.
    pub(crate) fn standing_in(&self, market: MarketId, treasury: &Treasury) -> Standing {
        if treasury.standing.is_zero() {
            return Standing::default();
        }
        self.standing_of(market)
    }

    /// What a batch can count on, of the quote that was there when the block began; of standing
    /// money, what its tiers could spend above the floor. `own` is the batch that is extended, with
    /// what it has reserved.
    pub(crate) fn demand(
        &self,
        id: MarketId,
        market: &AuctionMarket,
        treasury: &Treasury,
        standing: &Standing,
        own: Option<(BatchKey, &StandingClaim)>,
    ) -> Result<Demand, Error> {
        let block = self.env().block_number();
        let held = treasury.before.lesser(treasury.held, block);
        let plain = held.minus_or_zero(treasury.standing);
        let (mut elsewhere, mut here) = (Amount::ZERO, Amount::ZERO);
        for batch in &treasury.running {
            if own.is_some_and(|(own, _)| own == *batch) {
                continue;
            }
            let (terms, other) = self.auction_in_force(*batch)?;
            let clock = self.clock(&other, &terms);
            let spoken_for = other.auction.spoken_for(clock, &other.standing)?;
            let sum = if batch.market == id {
                &mut here
            } else {
                &mut elsewhere
            };
            *sum = sum.plus(spoken_for)?;
        }
        let had = own.map_or(Ok(Amount::ZERO), |(_, claim)| claim.total())?;
        let deepest = market.standing.deepest;
        let stands = standing
            .affordable(deepest.complement(), block)?
            .plus(had)?;
        let depth = standing.depth(deepest, block)?;
        Ok(Demand::of(plain, elsewhere, stands, here, depth)?)
    }

    /// Reserves what a batch that opens needs of the tiers, and sets its reserve price by them.
    pub(crate) fn reserve_standing(
        &mut self,
        batch: BatchKey,
        market: &AuctionMarket,
        mut standing: Standing,
        auction: &mut Auction,
        opening: &Opening,
    ) -> Result<StandingClaim, Error> {
        let block = self.env().block_number();
        let (terms, scale) = (&market.standing, market.scale);
        let claim = standing.reserve(auction, terms, opening.quarantined, block, scale)?;
        if !claim.tiers.is_empty() {
            self.standing.insert(batch.market, &Cell(standing));
        }
        Ok(claim)
    }

    /// Reserves what a batch needs after it was extended.
    pub(crate) fn reserve_more(
        &mut self,
        batch: BatchKey,
        market: &AuctionMarket,
        mut standing: Standing,
        record: &mut AuctionRecord,
    ) -> Result<(), Error> {
        if standing.tiers().is_empty() {
            return Ok(());
        }
        standing.reserve_more(
            &mut record.standing,
            &record.auction,
            self.env().block_number(),
            market.scale,
        )?;
        self.standing.insert(batch.market, &Cell(standing));
        Ok(())
    }

    /// Adds tiers to the first `steps` steps they have joined by now: before ended steps are
    /// judged. The oracle is asked only where a tier may still join. The market is one in force.
    pub(crate) fn join(
        &self,
        record: &mut AuctionRecord,
        market: &AuctionMarket,
        steps: u8,
    ) -> Result<(), Error> {
        if steps == 0 || record.auction.phase != Phase::Running || !record.standing.waits() {
            return Ok(());
        }
        self.join_at_prices(record, market, steps)
    }

    /// Where a tier may still join, the oracle has to answer: else who keeps its call from getting
    /// enough gas would keep tiers out of a batch. Code of its own: most judging needs none of it.
    #[inline(never)]
    fn join_at_prices(
        &self,
        record: &mut AuctionRecord,
        market: &AuctionMarket,
        steps: u8,
    ) -> Result<(), Error> {
        let (auction, claim) = (&mut record.auction, &mut record.standing);
        let oracle: ink::contract_ref!(OracleAdapter, Env) = market.oracle.into();
        let prices = oracle.call().prices_since(market.feed, claim.opened);
        let Ok(Ok(prices)) = prices.try_invoke() else {
            return Err(Error::OracleUnavailable);
        };
        let seen: Vec<Seen> = prices
            .into_iter()
            .map(|seen| Seen {
                block: auction.clock(&market.halts, seen.block).block,
                ..seen
            })
            .collect();
        Ok(claim.join(auction, steps, &seen)?)
    }

    /// As [`Self::join`], for the steps that have ended.
    pub(crate) fn join_ended(
        &self,
        record: &mut AuctionRecord,
        market: &AuctionMarket,
        clock: Clock,
    ) -> Result<(), Error> {
        let steps = record.auction.schedule.ended(clock.judged());
        self.join(record, market, steps)
    }

    /// As [`Self::join`], for all steps that have begun at a moment: what views show.
    pub(crate) fn join_begun(
        &self,
        record: &mut AuctionRecord,
        market: &AuctionMarket,
        clock: Clock,
    ) -> Result<(), Error> {
        let schedule = record.auction.schedule;
        let now = clock.judged();
        let present = schedule.step_at(now);
        let begun = if schedule.has_begun(0, now) {
            present.map_or(schedule.steps, |step| step.saturating_add(1))
        } else {
            0
        };
        self.join(record, market, begun)
    }

    /// Gives the tiers of a settled batch what it has for them, before any bidder claims.
    pub(crate) fn settle_standing(
        &mut self,
        batch: BatchKey,
        market: &AuctionMarket,
        record: &mut AuctionRecord,
        treasury: &mut Treasury,
    ) -> Result<(), Error> {
        if record.standing.tiers.is_empty() {
            return Ok(());
        }
        self.fill_tiers(batch, market, record, treasury)
    }

    /// As [`Self::settle_standing`], of a batch that has reserved some. Code of its own: other
    /// batches need none of it.
    #[inline(never)]
    fn fill_tiers(
        &mut self,
        batch: BatchKey,
        market: &AuctionMarket,
        record: &mut AuctionRecord,
        treasury: &mut Treasury,
    ) -> Result<(), Error> {
        let mut standing = self.standing_of(batch.market);
        let block = self.env().block_number();
        let StandingFill {
            spent,
            received,
            records,
        } = standing.settle(&record.standing, &mut record.auction, block, market.scale)?;
        self.standing.insert(batch.market, &Cell(standing));
        self.file(batch.market, records);
        record.collateral = record.collateral.minus(received)?;
        treasury.standing = treasury.standing.minus(spent)?;
        self.env().emit_event(StandingFilled {
            batch,
            spent,
            received,
        });
        Ok(())
    }
}
