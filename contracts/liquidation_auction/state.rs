//! What messages share: loading and storing cells, balances, the clock, and how a batch is judged.

use crate::liquidation_auction::LiquidationAuction;
use breakwater_core::auction::{AuctionError, Clearing, Clock, Fill, Phase, Status};
use breakwater_core::units::Amount;
use breakwater_interfaces::auction::{
    AuctionCleared, AuctionContractError as Error, AuctionMarket, AuctionRecord, BatchKey, Bid,
    BidId, BidPage, BidsClaimed, Treasury,
};
use breakwater_interfaces::cell::Cell;
use breakwater_interfaces::token::Token;
use breakwater_interfaces::vault::MarginVault;
use breakwater_interfaces::{AccountId, Env, MarketId};
use ink::codegen::Env as _;
use ink::prelude::vec::Vec;

/// Bid numbers that one page of an account's bids looks at.
const BIDS_PER_PAGE: BidId = 64;

impl LiquidationAuction {
    pub(crate) fn ensure_governor(&self) -> Result<(), Error> {
        self.roles
            .ensure(self.env().caller())
            .map_err(|_| Error::NotGovernor)
    }

    pub(crate) fn vault(&self) -> ink::contract_ref!(MarginVault, Env) {
        self.config.vault.into()
    }

    pub(crate) fn market_of(&self, market: MarketId) -> Result<AuctionMarket, Error> {
        self.markets
            .get(market)
            .map(|cell| cell.0)
            .ok_or(Error::UnknownMarket)
    }

    /// A market whose halts are those of all markets as well, for what shows a clock or judges.
    pub(crate) fn market_in_force(&self, id: MarketId) -> Result<AuctionMarket, Error> {
        let mut market = self.market_of(id)?;
        market.halts = market.halts.with(&self.global.0.halts);
        Ok(market)
    }

    /// An auction, with its market as [`Self::market_in_force`] has it.
    pub(crate) fn auction_in_force(
        &self,
        batch: BatchKey,
    ) -> Result<(AuctionMarket, AuctionRecord), Error> {
        Ok((self.market_in_force(batch.market)?, self.record(batch)?))
    }

    pub(crate) fn record(&self, batch: BatchKey) -> Result<AuctionRecord, Error> {
        self.auctions
            .get(batch)
            .map(|cell| cell.0)
            .ok_or(Error::UnknownBatch)
    }

    pub(crate) fn store(&mut self, batch: BatchKey, record: AuctionRecord) {
        self.auctions.insert(batch, &Cell(record));
    }

    pub(crate) fn own_bid(&self, batch: BatchKey, id: BidId) -> Result<Bid, Error> {
        let bid = self.bids.get((batch, id)).ok_or(Error::UnknownBid)?.0;
        if bid.bidder != self.env().caller() {
            return Err(Error::NotBidder);
        }
        Ok(bid)
    }

    pub(crate) fn token(&self, address: AccountId) -> Token {
        Token::new(address, self.env().account_id())
    }

    pub(crate) fn treasury_of(&self, token: AccountId) -> Treasury {
        self.treasuries
            .get(token)
            .map(|cell| cell.0)
            .unwrap_or_default()
    }

    pub(crate) fn balance_of(&self, token: AccountId, owner: AccountId) -> Amount {
        self.balances
            .get((token, owner))
            .map(|cell| cell.0)
            .unwrap_or_default()
    }

    pub(crate) fn set_balance(&mut self, token: AccountId, owner: AccountId, balance: Amount) {
        if balance.is_zero() {
            self.balances.remove((token, owner));
        } else {
            self.balances.insert((token, owner), &Cell(balance));
        }
    }

    pub(crate) fn spend_balance(
        &mut self,
        token: AccountId,
        owner: AccountId,
        amount: Amount,
    ) -> Result<Amount, Error> {
        let left = self
            .balance_of(token, owner)
            .minus(amount)
            .map_err(|_| Error::InsufficientBalance)?;
        self.set_balance(token, owner, left);
        Ok(left)
    }

    /// Judges ended steps.
    pub(crate) fn judge(
        &self,
        record: &mut AuctionRecord,
        market: &AuctionMarket,
    ) -> Result<Clearing, Error> {
        let clock = self.clock(record, market);
        self.join_ended(record, market, clock)?;
        Ok(record.auction.clear(clock, market.scale)?)
    }

    /// As [`Self::judge`]; says so if this call made the clearing.
    pub(crate) fn judge_and_tell(
        &self,
        batch: BatchKey,
        record: &mut AuctionRecord,
        market: &AuctionMarket,
    ) -> Result<Clearing, Error> {
        let first = record.auction.phase == Phase::Running;
        let clearing = self.judge(record, market)?;
        if first {
            self.announce_clearing(batch, record, clearing);
        }
        Ok(clearing)
    }

    /// Says how an auction was judged, and which of its tiers had joined by then.
    #[inline(never)]
    pub(crate) fn announce_clearing(
        &self,
        batch: BatchKey,
        record: &AuctionRecord,
        clearing: Clearing,
    ) {
        self.env().emit_event(AuctionCleared {
            batch,
            clearing,
            standing: record.standing.tiers.clone(),
        });
    }

    /// What an auction's clock shows in this block, of a market in force.
    pub(crate) fn clock(&self, record: &AuctionRecord, market: &AuctionMarket) -> Clock {
        record
            .auction
            .clock(&market.halts, self.env().block_number())
    }

    pub(crate) fn status_of(&self, batch: BatchKey) -> Result<Status, Error> {
        let (market, mut record) = self.auction_in_force(batch)?;
        let clock = self.clock(&record, &market);
        self.join_begun(&mut record, &market, clock)?;
        Ok(record.auction.status(clock, market.scale)?)
    }

    /// Claims the caller's bids of a settled batch.
    pub(crate) fn claim_bids(&mut self, batch: BatchKey, bids: Vec<BidId>) -> Result<Fill, Error> {
        if bids.is_empty() {
            return Err(Error::NoBids);
        }
        let bidder = self.env().caller();
        let market = self.market_of(batch.market)?;
        let mut record = self.record(batch)?;
        let mut total = Fill::default();
        for id in &bids {
            let bid = self.own_bid(batch, *id)?;
            let fill = record.auction.claim(bid.budget, bid.step, market.scale)?;
            total.spent = total.spent.plus(fill.spent)?;
            total.refunded = total.refunded.plus(fill.refunded)?;
            total.received = total.received.plus(fill.received)?;
            self.bids.remove((batch, *id));
        }
        record.collateral = record.collateral.minus(total.received)?;
        self.store(batch, record);
        let balance = self.balance_of(market.quote, bidder).plus(total.refunded)?;
        self.set_balance(market.quote, bidder, balance);
        if !total.received.is_zero() {
            self.token(market.collateral).pay(bidder, total.received)?;
        }
        self.env().emit_event(BidsClaimed {
            batch,
            bidder,
            bids,
            fill: total,
        });
        Ok(total)
    }

    /// A page of an account's bids, with what a claim of them would pay.
    pub(crate) fn page_of_bids(
        &self,
        batch: BatchKey,
        owner: AccountId,
        from: BidId,
    ) -> Result<BidPage, Error> {
        let market = self.market_of(batch.market)?;
        let mut record = self.record(batch)?;
        let to = record.bids.min(from.saturating_add(BIDS_PER_PAGE));
        let mut page = BidPage {
            bids: Vec::new(),
            next: (to < record.bids).then_some(to),
        };
        for id in from..to {
            let Some(Cell(bid)) = self.bids.get((batch, id)) else {
                continue;
            };
            if bid.bidder != owner {
                continue;
            }
            let fill = match record.auction.claim(bid.budget, bid.step, market.scale) {
                Ok(fill) => Some(fill),
                Err(AuctionError::NotSettled) => None,
                Err(error) => return Err(error.into()),
            };
            page.bids.push((id, bid, fill));
        }
        Ok(page)
    }
}
