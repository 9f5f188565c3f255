//! Messages of the liquidation auction: `contracts/liquidation_auction`.

use crate::{Addresses, Native, MARKET};
use breakwater_core::auction::{Auction, AuctionError, Clearing, Clock, Fill, Halts, Phase};
use breakwater_core::auction::{Quote, Status};
use breakwater_core::batch::Sale;
use breakwater_core::breaker::{Action, Breaker, Limits};
use breakwater_core::ladder::Schedule;
use breakwater_core::ledger::{Leaving, Settlement};
use breakwater_core::math::MathError;
use breakwater_core::standing::account::Account;
use breakwater_core::standing::pool::SeriesEnd;
use breakwater_core::standing::StandingTerms;
use breakwater_core::standing::{Discount, Standing, Turn};
use breakwater_core::units::{Amount, Block, Price};
use breakwater_interfaces::auction::{
    AuctionCleared, AuctionContractError as Error, AuctionExtended, AuctionMarket, AuctionOpened,
    AuctionRecord, AuctionSettled, BalanceChanged, BatchKey, Bid, BidCancelled, BidId, BidPlaced,
    BidReplaced, BidsClaimed, OwnerLeft, Treasury,
};
use breakwater_interfaces::breaker::{GlobalBreaker, MarketBreaker};
use breakwater_interfaces::vault::{Market, VaultError};
use breakwater_interfaces::AccountId;
use std::collections::BTreeMap;

/// The name of a batch.
pub(crate) fn key(number: u32) -> BatchKey {
    BatchKey {
        market: MARKET,
        number,
    }
}

/// The auction's cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct House {
    /// What it keeps of the market.
    pub market: AuctionMarket,
    /// The quote token's books.
    pub treasury: Treasury,
    /// Free balances.
    pub balances: BTreeMap<AccountId, Amount>,
    /// Auctions by number.
    pub auctions: BTreeMap<u32, AuctionRecord>,
    /// Bids that have not been claimed or cancelled.
    pub bids: BTreeMap<(u32, BidId), Bid>,
    /// The market's breaker.
    pub breaker: MarketBreaker,
    /// The breaker of all markets.
    pub global: GlobalBreaker,
    /// The market's tiers.
    pub standing: Standing,
    /// Depositors' accounts in tiers.
    pub stakes: BTreeMap<(Discount, AccountId), Account>,
    /// Ended series of tiers.
    pub series: BTreeMap<(Discount, u32), SeriesEnd>,
    /// Ended generations of tiers.
    pub turns: BTreeMap<(Discount, u32), Turn>,
}

impl House {
    /// The auction with the market registered.
    pub(crate) fn new(at: &Addresses, found: &Market) -> Result<Self, VaultError> {
        let params = &found.params;
        Ok(Self {
            market: AuctionMarket {
                collateral: found.collateral,
                quote: found.quote,
                scale: params.scale()?,
                blocks_per_step: params.ladder.blocks_per_step,
                announce_blocks: params.ladder.announce_blocks,
                oracle: at.oracle,
                feed: params.feed,
                standing: StandingTerms::of(params)?,
                halts: Halts::default(),
            },
            treasury: Treasury::default(),
            balances: BTreeMap::new(),
            auctions: BTreeMap::new(),
            bids: BTreeMap::new(),
            breaker: MarketBreaker {
                breaker: Breaker::default(),
                evidence: Default::default(),
                limits: Limits::standard(params.hole),
                hole: params.hole,
                feed: params.feed,
            },
            global: GlobalBreaker {
                members: vec![MARKET],
                ..GlobalBreaker::default()
            },
            standing: Standing::default(),
            stakes: BTreeMap::new(),
            series: BTreeMap::new(),
            turns: BTreeMap::new(),
        })
    }

    /// A free balance.
    #[must_use]
    pub fn balance(&self, owner: AccountId) -> Amount {
        self.balances.get(&owner).copied().unwrap_or_default()
    }

    pub(crate) fn set_balance(&mut self, owner: AccountId, balance: Amount) {
        if balance.is_zero() {
            self.balances.remove(&owner);
        } else {
            self.balances.insert(owner, balance);
        }
    }

    pub(crate) fn spend_balance(&mut self, owner: AccountId, amount: Amount) -> Result<(), Error> {
        let left = self.balance(owner).minus(amount);
        let left = left.map_err(|_| Error::InsufficientBalance)?;
        self.set_balance(owner, left);
        Ok(())
    }

    pub(crate) fn record(&self, batch: u32) -> Result<AuctionRecord, Error> {
        let record = self.auctions.get(&batch);
        record.cloned().ok_or(Error::UnknownBatch)
    }

    fn own_bid(&self, who: AccountId, batch: u32, id: BidId) -> Result<Bid, Error> {
        let bid = self.bids.get(&(batch, id)).ok_or(Error::UnknownBid)?;
        if bid.bidder != who {
            return Err(Error::NotBidder);
        }
        Ok(*bid)
    }

    /// The market's halts and those of all markets.
    #[must_use]
    pub fn halts(&self) -> Halts {
        self.market.halts.with(&self.global.halts)
    }
}

impl Native {
    /// What an auction's clock shows now.
    #[must_use]
    pub fn clock(&self, record: &AuctionRecord) -> Clock {
        record.auction.clock(&self.house.halts(), self.block)
    }

    pub(crate) fn auction_deposit(&mut self, who: AccountId, amount: Amount) -> Result<(), Error> {
        if amount.is_zero() {
            return Err(Error::ZeroAmount);
        }
        let treasury = &mut self.house.treasury;
        treasury.before.note(treasury.held, self.block);
        treasury.held = treasury.held.plus(amount)?;
        let balance = self.house.balance(who).plus(amount)?;
        self.house.set_balance(who, balance);
        let (token, to) = (self.at.quote, self.at.auction);
        self.tokens.transfer(token, who, to, amount)?;
        self.house_tells(&BalanceChanged {
            token,
            owner: who,
            balance,
        });
        Ok(())
    }

    pub(crate) fn auction_withdraw(&mut self, who: AccountId, amount: Amount) -> Result<(), Error> {
        if amount.is_zero() {
            return Err(Error::ZeroAmount);
        }
        self.house.spend_balance(who, amount)?;
        let held = &mut self.house.treasury.held;
        *held = held.minus(amount)?;
        let (token, from) = (self.at.quote, self.at.auction);
        self.tokens.transfer(token, from, who, amount)?;
        let balance = self.house.balance(who);
        self.house_tells(&BalanceChanged {
            token,
            owner: who,
            balance,
        });
        Ok(())
    }

    pub(crate) fn open_batch(&mut self, who: AccountId) -> Result<BatchKey, Error> {
        self.ensure_stage_allows(Action::Reauction)?;
        let standing = self.standing_in();
        let demand = self.demand(&standing, None)?;
        let opening = self.vault_open_batch(demand).map_err(Error::Vault)?;
        let market = &self.house.market;
        let first = self.block.checked_add(u32::from(market.announce_blocks));
        let steps = u8::try_from(opening.prices.len()).map_err(|_| MathError::Overflow)?;
        let schedule = Schedule {
            first: first.ok_or(MathError::Overflow)?,
            blocks_per_step: market.blocks_per_step,
            steps,
        };
        let mut auction = Auction::open(
            schedule,
            self.block,
            opening.spot,
            opening.prices.clone(),
            opening.targets.clone(),
        )?;
        auction.own = opening.own;
        let claim = self.reserve_standing(standing, &mut auction, &opening)?;
        let number = opening.number;
        self.house_tells(&AuctionOpened {
            batch: key(number),
            opener: who,
            first: schedule.first,
            blocks_per_step: schedule.blocks_per_step,
            reference: auction.reference,
            reserve: auction.reserve,
            prices: opening.prices,
            targets: opening.targets,
        });
        self.house.auctions.insert(
            number,
            AuctionRecord {
                auction,
                opener: who,
                bids: 0,
                collateral: Amount::ZERO,
                standing: claim,
            },
        );
        let batch = key(number);
        self.house.treasury.running.push(batch);
        Ok(batch)
    }

    pub(crate) fn extend(&mut self, caller: AccountId, number: u32) -> Result<(), Error> {
        self.ensure_stage_allows(Action::OpenBatch)?;
        let mut record = self.house.record(number)?;
        record.auction.ensure_announced(self.clock(&record))?;
        let standing = self.standing_in();
        let demand = self.demand(&standing, Some((number, &record.standing)))?;
        let ladder = record.auction.prices.clone();
        let extended = self.vault_extend_batch(number, demand, &ladder);
        let opening = extended.map_err(Error::Vault)?;
        record.auction.retarget(opening.targets.clone());
        self.reserve_more(standing, &mut record)?;
        self.house.auctions.insert(number, record);
        self.house_tells(&AuctionExtended {
            batch: key(number),
            caller,
            targets: opening.targets,
        });
        Ok(())
    }

    pub(crate) fn bid(
        &mut self,
        bidder: AccountId,
        number: u32,
        budget: Amount,
        limit: Price,
        valid_until: Block,
    ) -> Result<BidId, Error> {
        let mut record = self.house.record(number)?;
        let (clock, scale) = (self.clock(&record), self.house.market.scale);
        let step = record
            .auction
            .place(budget, limit, valid_until, clock, scale)?;
        self.house.spend_balance(bidder, budget)?;
        let id = record.bids;
        record.bids = id.checked_add(1).ok_or(MathError::Overflow)?;
        let bid = Bid {
            bidder,
            budget,
            limit,
            step,
        };
        self.house.bids.insert((number, id), bid);
        self.house.auctions.insert(number, record);
        self.house_tells(&BidPlaced {
            batch: key(number),
            bid: id,
            bidder,
            budget,
            limit,
            step,
        });
        Ok(id)
    }

    pub(crate) fn replace(
        &mut self,
        who: AccountId,
        (number, id): (u32, BidId),
        budget: Amount,
        limit: Price,
        valid_until: Block,
    ) -> Result<u8, Error> {
        let mut record = self.house.record(number)?;
        let old = self.house.own_bid(who, number, id)?;
        let (clock, scale) = (self.clock(&record), self.house.market.scale);
        let before = (old.budget, old.step);
        let step = record
            .auction
            .replace(before, budget, limit, valid_until, clock, scale)?;
        let balance = self.house.balance(who).plus(old.budget)?.minus(budget);
        let balance = balance.map_err(|_| Error::InsufficientBalance)?;
        self.house.set_balance(who, balance);
        let changed = Bid {
            budget,
            limit,
            step,
            ..old
        };
        self.house.bids.insert((number, id), changed);
        self.house.auctions.insert(number, record);
        self.house_tells(&BidReplaced {
            batch: key(number),
            bid: id,
            budget,
            limit,
            step,
        });
        Ok(step)
    }

    pub(crate) fn cancel(&mut self, who: AccountId, number: u32, id: BidId) -> Result<(), Error> {
        let mut record = self.house.record(number)?;
        let found = self.house.own_bid(who, number, id)?;
        let clock = self.clock(&record);
        record.auction.cancel(found.budget, found.step, clock)?;
        let balance = self.house.balance(who).plus(found.budget)?;
        self.house.set_balance(who, balance);
        self.house.bids.remove(&(number, id));
        self.house.auctions.insert(number, record);
        let (batch, bid) = (key(number), id);
        self.house_tells(&BidCancelled { batch, bid });
        Ok(())
    }

    pub(crate) fn leave(&mut self, owner: AccountId, number: u32) -> Result<Leaving, Error> {
        let mut record = self.house.record(number)?;
        self.join_ended(&mut record)?;
        let clock = self.clock(&record);
        record.auction.ensure_running(clock)?;
        if clock.stands {
            return Err(AuctionError::Halted.into());
        }
        let ladder = record.auction.prices.clone();
        let left = self.vault_leave_batch(number, owner, &ladder);
        let leaving = left.map_err(Error::Vault)?;
        record.auction.retarget(leaving.targets.clone());
        self.house_tells(&OwnerLeft {
            batch: key(number),
            owner,
            leaving: leaving.clone(),
            standing: record.standing.tiers.clone(),
        });
        match self.judge_and_tell(number, &mut record) {
            Ok(_) | Err(Error::Auction(AuctionError::BiddingOpen | AuctionError::Halted)) => {}
            Err(error) => return Err(error),
        }
        self.house.auctions.insert(number, record);
        Ok(leaving)
    }

    fn judge(&self, record: &mut AuctionRecord) -> Result<Clearing, Error> {
        self.join_ended(record)?;
        let clock = self.clock(record);
        Ok(record.auction.clear(clock, self.house.market.scale)?)
    }

    fn judge_and_tell(
        &mut self,
        number: u32,
        record: &mut AuctionRecord,
    ) -> Result<Clearing, Error> {
        let first = record.auction.phase == Phase::Running;
        let clearing = self.judge(record)?;
        if first {
            self.announce_clearing(number, record, clearing);
        }
        Ok(clearing)
    }

    fn announce_clearing(&mut self, number: u32, record: &AuctionRecord, clearing: Clearing) {
        self.house_tells(&AuctionCleared {
            batch: key(number),
            clearing,
            standing: record.standing.tiers.clone(),
        });
    }

    pub(crate) fn reprice(&mut self, number: u32) -> Result<Clearing, Error> {
        let mut record = self.house.record(number)?;
        let prices = self.market_prices().map_err(Error::Vault)?;
        self.join_ended(&mut record)?;
        let (clock, scale) = (self.clock(&record), self.house.market.scale);
        let clearing = record
            .auction
            .reprice(clock, prices.spot, prices.previous, scale)?;
        self.announce_clearing(number, &record, clearing);
        self.house.auctions.insert(number, record);
        Ok(clearing)
    }

    pub(crate) fn advance(&mut self, number: u32) -> Result<Clearing, Error> {
        let mut record = self.house.record(number)?;
        let clearing = self.judge_and_tell(number, &mut record)?;
        self.house.auctions.insert(number, record);
        Ok(clearing)
    }

    pub(crate) fn settle(&mut self, settler: AccountId, number: u32) -> Result<Settlement, Error> {
        let mut record = self.house.record(number)?;
        self.judge(&mut record)?;
        let scale = self.house.market.scale;
        let facts = record.auction.facts(self.block, scale, &record.standing);
        let clearing = record.auction.settle()?;
        let (raised, sold) = (clearing.raised, clearing.sold);
        record.collateral = sold;
        self.settle_standing(number, &mut record)?;
        let (opener, standing) = (record.opener, record.standing.tiers.clone());
        self.house.auctions.insert(number, record.clone());
        let treasury = &mut self.house.treasury;
        treasury.held = treasury.held.minus(raised)?;
        treasury.running.retain(|running| running.number != number);
        if !raised.is_zero() {
            let (token, from, to) = (self.at.quote, self.at.auction, self.at.vault);
            self.tokens.transfer(token, from, to, raised)?;
        }
        let sale = Sale {
            price: clearing.price,
            raised,
            excused: clearing.is_excused(),
        };
        let settled = self.vault_settle_batch(number, sale, [opener, settler]);
        let settlement = settled.map_err(Error::Vault)?;
        if let Ok(mut facts) = facts {
            facts.bad_debt = settlement.waterfall.shortfall;
            self.learn(&facts);
        }
        self.house_tells(&AuctionSettled {
            batch: key(number),
            settler,
            clearing,
            standing,
        });
        Ok(settlement)
    }

    pub(crate) fn claim(
        &mut self,
        bidder: AccountId,
        number: u32,
        bids: &[BidId],
    ) -> Result<Fill, Error> {
        if bids.is_empty() {
            return Err(Error::NoBids);
        }
        let mut record = self.house.record(number)?;
        let scale = self.house.market.scale;
        let mut total = Fill::default();
        for id in bids {
            let bid = self.house.own_bid(bidder, number, *id)?;
            let fill = record.auction.claim(bid.budget, bid.step, scale)?;
            total.spent = total.spent.plus(fill.spent)?;
            total.refunded = total.refunded.plus(fill.refunded)?;
            total.received = total.received.plus(fill.received)?;
            self.house.bids.remove(&(number, *id));
        }
        record.collateral = record.collateral.minus(total.received)?;
        self.house.auctions.insert(number, record);
        let balance = self.house.balance(bidder).plus(total.refunded)?;
        self.house.set_balance(bidder, balance);
        if !total.received.is_zero() {
            let (token, from) = (self.at.collateral, self.at.auction);
            self.tokens.transfer(token, from, bidder, total.received)?;
        }
        self.house_tells(&BidsClaimed {
            batch: key(number),
            bidder,
            bids: bids.to_vec(),
            fill: total,
        });
        Ok(total)
    }

    /// Where an auction stands.
    #[must_use]
    pub fn status(&self, number: u32) -> Option<Status> {
        let mut record = self.house.record(number).ok()?;
        let clock = self.clock(&record);
        self.join_begun(&mut record, clock).ok()?;
        record.auction.status(clock, self.house.market.scale).ok()
    }

    /// What a bid would get.
    ///
    /// # Errors
    /// Those of a bid.
    pub fn quote(&self, number: u32, budget: Amount, limit: Price) -> Result<Quote, Error> {
        let mut record = self.house.record(number)?;
        let clock = self.clock(&record);
        self.join_begun(&mut record, clock)?;
        let scale = self.house.market.scale;
        Ok(record.auction.quote(budget, limit, clock, scale)?)
    }

    /// Batches that have not been settled.
    #[must_use]
    pub fn running(&self) -> Vec<u32> {
        let settled = |record: &AuctionRecord| matches!(record.auction.phase, Phase::Settled(_));
        let all = self.house.auctions.iter();
        all.filter(|(_, record)| !settled(record))
            .map(|(number, _)| *number)
            .collect()
    }
}
