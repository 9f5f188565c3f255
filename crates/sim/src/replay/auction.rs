//! What each event does to the auction's books.

use super::books::{same, Impossible, Moment};
use super::decode::AuctionEvent;
use super::vault::VaultBooks;
use breakwater_core::auction::{Auction, AuctionError, Clearing, Clock, End, Fill, Phase};
use breakwater_core::ladder::Schedule;
use breakwater_core::ledger::Opening;
use breakwater_core::standing::account::{Account, Worth};
use breakwater_core::standing::pool::SeriesEnd;
use breakwater_core::standing::tiers::{Reserved, StandingClaim};
use breakwater_core::standing::{Discount, Record, Records, Standing, StandingError, Turn};
use breakwater_core::units::{Amount, Block, Price, UnitScale};
use breakwater_interfaces::auction::{
    AuctionMarket, AuctionOpened, AuctionRecord, AuctionSettled, BalanceChanged, BatchKey, Bid,
    BidId, BidsClaimed, Treasury,
};
use breakwater_interfaces::standing::{StandingChanged, StandingClaimed, StandingFilled};
use breakwater_interfaces::{AccountId, MarketId};
use std::collections::BTreeMap;

/// Market and number of a batch.
pub type Batch = (MarketId, u32);

/// Market, tier and whose stake.
pub type StakeKey = (MarketId, Discount, AccountId);

/// Something of a tier that was filed away: market, tier, number.
type FiledKey = (MarketId, Discount, u32);

/// The auction's books.
#[derive(Default)]
pub struct AuctionBooks {
    /// Registered markets. When they were halted is not told by events.
    pub markets: BTreeMap<MarketId, AuctionMarket>,
    /// Totals by quote token.
    pub treasuries: BTreeMap<AccountId, Treasury>,
    /// Free balances by quote token and owner.
    pub balances: BTreeMap<(AccountId, AccountId), Amount>,
    /// Auctions.
    pub auctions: BTreeMap<Batch, AuctionRecord>,
    /// Bids that have not been claimed or cancelled.
    pub bids: BTreeMap<(Batch, BidId), Bid>,
    /// Tiers by market.
    pub standing: BTreeMap<MarketId, Standing>,
    /// What depositors have in tiers.
    pub stakes: BTreeMap<StakeKey, Account>,
    series: BTreeMap<FiledKey, SeriesEnd>,
    turns: BTreeMap<FiledKey, Turn>,
    /// What the settlement under way said of standing money.
    filled: Option<StandingFilled>,
}

struct Filed<'a> {
    books: &'a AuctionBooks,
    market: MarketId,
    discount: Discount,
}

impl Records for Filed<'_> {
    fn series(&self, number: u32) -> Option<SeriesEnd> {
        let key = (self.market, self.discount, number);
        self.books.series.get(&key).copied()
    }

    fn turn(&self, generation: u32) -> Option<Turn> {
        let key = (self.market, self.discount, generation);
        self.books.turns.get(&key).copied()
    }
}

fn key(batch: BatchKey) -> Batch {
    (batch.market, batch.number)
}

impl AuctionBooks {
    pub(super) fn apply(
        &mut self,
        at: Moment,
        vault: &mut VaultBooks,
        event: AuctionEvent,
    ) -> Result<(), Impossible> {
        match event {
            AuctionEvent::RolesChanged(_) | AuctionEvent::LimitsSet(_) => Ok(()),
            AuctionEvent::StageChanged(it) => vault.note_stage(it.market, it.stage),
            AuctionEvent::MarketRegistered(it) => {
                let known = vault.known(it.market)?;
                same("quote token", &it.terms.quote, &known.market.quote)?;
                let collateral = known.market.collateral;
                same("collateral token", &it.terms.collateral, &collateral)?;
                self.markets.insert(it.market, it.terms);
                Ok(())
            }
            AuctionEvent::BalanceChanged(it) => self.change_balance(at.block, &it),
            AuctionEvent::AuctionOpened(it) => {
                let opening = vault.known(it.batch.market)?.opening(it.batch.number)?;
                self.open(at, it, opening)
            }
            AuctionEvent::AuctionExtended(it) => {
                let opening = vault.known(it.batch.market)?.opening(it.batch.number)?;
                same("targets", &it.targets, &opening.targets)?;
                self.record(it.batch)?.auction.retarget(it.targets);
                self.reserve_more(it.batch, at.block)
            }
            AuctionEvent::OwnerLeft(it) => {
                let opening = vault.known(it.batch.market)?.opening(it.batch.number)?;
                same("targets", &it.leaving.targets, &opening.targets)?;
                let record = self.record(it.batch)?;
                join(record, &it.standing)?;
                record.auction.retarget(it.leaving.targets);
                Ok(())
            }
            AuctionEvent::BidPlaced(it) => {
                let bid = Bid {
                    bidder: it.bidder,
                    budget: it.budget,
                    limit: it.limit,
                    step: it.step,
                };
                let next = self.record(it.batch)?.bids;
                same("number", &it.bid, &next)?;
                self.add(it.batch, it.bid, bid)?;
                self.record(it.batch)?.bids = next.saturating_add(1);
                Ok(())
            }
            AuctionEvent::BidReplaced(it) => {
                let old = self.remove(it.batch, it.bid)?;
                let bid = Bid {
                    budget: it.budget,
                    limit: it.limit,
                    step: it.step,
                    ..old
                };
                self.add(it.batch, it.bid, bid)
            }
            AuctionEvent::BidCancelled(it) => self.remove(it.batch, it.bid).map(drop),
            AuctionEvent::AuctionCleared(it) => {
                let scale = self.terms(it.batch.market)?.scale;
                let record = self.record(it.batch)?;
                join(record, &it.standing)?;
                let found = judge(&mut record.auction, &it.clearing, scale)?;
                same("clearing", &it.clearing, &found)
            }
            AuctionEvent::StandingFilled(it) => {
                self.filled = Some(it);
                Ok(())
            }
            AuctionEvent::AuctionSettled(it) => self.settle(at.block, &it),
            AuctionEvent::BidsClaimed(it) => self.claim(&it),
            AuctionEvent::StandingChanged(it) => self.change_stake(at.block, &it),
            AuctionEvent::StandingClaimed(it) => self.claim_stake(&it),
        }
    }

    fn terms(&self, market: MarketId) -> Result<&AuctionMarket, Impossible> {
        self.markets
            .get(&market)
            .ok_or(Impossible::NeverMade("registered market"))
    }

    fn record(&mut self, batch: BatchKey) -> Result<&mut AuctionRecord, Impossible> {
        self.auctions
            .get_mut(&key(batch))
            .ok_or(Impossible::NeverMade("auction"))
    }

    fn treasury(&mut self, token: AccountId) -> &mut Treasury {
        self.treasuries.entry(token).or_default()
    }

    /// The free balance of an account.
    #[must_use]
    pub fn balance(&self, token: AccountId, owner: AccountId) -> Amount {
        self.balances
            .get(&(token, owner))
            .copied()
            .unwrap_or_default()
    }

    fn give(
        &mut self,
        token: AccountId,
        owner: AccountId,
        amount: Amount,
    ) -> Result<(), Impossible> {
        let sum = self.balance(token, owner).plus(amount)?;
        self.balances.insert((token, owner), sum);
        Ok(())
    }

    fn spend(
        &mut self,
        token: AccountId,
        owner: AccountId,
        amount: Amount,
    ) -> Result<(), Impossible> {
        let left = self
            .balance(token, owner)
            .minus(amount)
            .map_err(|_| Impossible::Refused("InsufficientBalance".to_owned()))?;
        self.balances.insert((token, owner), left);
        Ok(())
    }

    /// What came in or went out is the difference to the balance before.
    fn change_balance(&mut self, block: Block, it: &BalanceChanged) -> Result<(), Impossible> {
        let before = self.balance(it.token, it.owner);
        let came = it.balance.minus_or_zero(before);
        let went = before.minus_or_zero(it.balance);
        if came == went {
            return Err(Impossible::Refused("ZeroAmount".to_owned()));
        }
        let treasury = self.treasury(it.token);
        if !came.is_zero() {
            treasury.before.note(treasury.held, block);
        }
        treasury.held = treasury.held.plus(came)?.minus(went)?;
        self.balances.insert((it.token, it.owner), it.balance);
        Ok(())
    }

    /// Tiers of a market, where its quote token has standing money at all.
    fn standing_in(&mut self, market: MarketId, token: AccountId) -> Standing {
        if self.treasury(token).standing.is_zero() {
            return Standing::default();
        }
        self.standing.get(&market).cloned().unwrap_or_default()
    }

    fn open(&mut self, at: Moment, it: AuctionOpened, opening: &Opening) -> Result<(), Impossible> {
        let terms = self.terms(it.batch.market)?.clone();
        same("prices", &it.prices, &opening.prices)?;
        same("targets", &it.targets, &opening.targets)?;
        let steps = u8::try_from(it.prices.len()).unwrap_or(u8::MAX);
        let schedule = Schedule {
            first: it.first,
            blocks_per_step: it.blocks_per_step,
            steps,
        };
        let mut auction = Auction::open(schedule, at.block, opening.spot, it.prices, it.targets)?;
        same("reference", &it.reference, &auction.reference)?;
        auction.own = opening.own;
        let mut standing = self.standing_in(it.batch.market, terms.quote);
        let claim = standing.reserve(
            &mut auction,
            &terms.standing,
            opening.quarantined,
            at.block,
            terms.scale,
        )?;
        same("reserve price", &it.reserve, &auction.reserve)?;
        if !claim.tiers.is_empty() {
            self.standing.insert(it.batch.market, standing);
        }
        let record = AuctionRecord {
            auction,
            opener: it.opener,
            bids: 0,
            collateral: Amount::ZERO,
            standing: claim,
        };
        self.auctions.insert(key(it.batch), record);
        self.treasury(terms.quote).running.push(it.batch);
        Ok(())
    }

    fn reserve_more(&mut self, batch: BatchKey, block: Block) -> Result<(), Impossible> {
        let terms = self.terms(batch.market)?;
        let (token, scale) = (terms.quote, terms.scale);
        let mut standing = self.standing_in(batch.market, token);
        if standing.tiers().is_empty() {
            return Ok(());
        }
        let record = self.record(batch)?;
        standing.reserve_more(&mut record.standing, &record.auction, block, scale)?;
        self.standing.insert(batch.market, standing);
        Ok(())
    }

    /// Reserves a bid's budget. Its step was told by the clock, which depends on halts.
    fn add(&mut self, batch: BatchKey, id: BidId, bid: Bid) -> Result<(), Impossible> {
        let terms = self.terms(batch.market)?;
        let (token, scale) = (terms.quote, terms.scale);
        let auction = &mut self.record(batch)?.auction;
        let step = usize::from(bid.step);
        let price = auction.prices.get(step).copied();
        if auction.phase != Phase::Running {
            return Err(AuctionError::BiddingEnded.into());
        }
        if price.is_none_or(|price| price > bid.limit) {
            return Err(AuctionError::LimitUnderFloor.into());
        }
        if bid.budget < auction.least_budget(scale)? {
            return Err(AuctionError::BudgetTooSmall.into());
        }
        auction.reserved = auction.reserved.plus(bid.budget)?;
        if let Some(joined) = auction.joined.get_mut(step) {
            *joined = joined.plus(bid.budget)?;
        }
        self.spend(token, bid.bidder, bid.budget)?;
        self.bids.insert((key(batch), id), bid);
        Ok(())
    }

    fn remove(&mut self, batch: BatchKey, id: BidId) -> Result<Bid, Impossible> {
        let token = self.terms(batch.market)?.quote;
        let bid = self.take_bid(batch, id)?;
        let auction = &mut self.record(batch)?.auction;
        if auction.phase != Phase::Running {
            return Err(AuctionError::BidHasJoined.into());
        }
        auction.reserved = auction.reserved.minus(bid.budget)?;
        if let Some(joined) = auction.joined.get_mut(usize::from(bid.step)) {
            *joined = joined.minus(bid.budget)?;
        }
        self.give(token, bid.bidder, bid.budget)?;
        Ok(bid)
    }

    fn take_bid(&mut self, batch: BatchKey, id: BidId) -> Result<Bid, Impossible> {
        self.bids
            .remove(&(key(batch), id))
            .ok_or(Impossible::NeverMade("bid"))
    }

    fn settle(&mut self, block: Block, it: &AuctionSettled) -> Result<(), Impossible> {
        let terms = self.terms(it.batch.market)?.clone();
        let filled = self.filled.take();
        let mut record = self.record(it.batch)?.clone();
        // Mostly nobody has judged it before.
        if record.auction.phase == Phase::Running {
            join(&mut record, &it.standing)?;
            judge(&mut record.auction, &it.clearing, terms.scale)?;
        }
        let clearing = record.auction.settle()?;
        same("clearing", &it.clearing, &clearing)?;
        record.collateral = clearing.sold;
        let filled = filled.map(|it| (it.batch, it.spent, it.received));
        let mut expected = None;
        if !record.standing.tiers.is_empty() {
            let market = it.batch.market;
            let standing = self.standing.entry(market).or_default();
            let fill =
                standing.settle(&record.standing, &mut record.auction, block, terms.scale)?;
            for (discount, filed) in fill.records {
                self.file(market, discount, filed);
            }
            record.collateral = record.collateral.minus(fill.received)?;
            let treasury = self.treasury(terms.quote);
            treasury.standing = treasury.standing.minus(fill.spent)?;
            expected = Some((it.batch, fill.spent, fill.received));
        }
        same("part of standing bids", &filled, &expected)?;
        *self.record(it.batch)? = record;
        let treasury = self.treasury(terms.quote);
        treasury.held = treasury.held.minus(clearing.raised)?;
        treasury.running.retain(|running| *running != it.batch);
        Ok(())
    }

    fn claim(&mut self, it: &BidsClaimed) -> Result<(), Impossible> {
        let terms = self.terms(it.batch.market)?;
        let (token, scale) = (terms.quote, terms.scale);
        let mut total = Fill::default();
        for id in &it.bids {
            let bid = self.take_bid(it.batch, *id)?;
            same("bidder", &it.bidder, &bid.bidder)?;
            let record = self.record(it.batch)?;
            let fill = record.auction.claim(bid.budget, bid.step, scale)?;
            record.collateral = record.collateral.minus(fill.received)?;
            total.spent = total.spent.plus(fill.spent)?;
            total.refunded = total.refunded.plus(fill.refunded)?;
            total.received = total.received.plus(fill.received)?;
        }
        same("fill", &it.fill, &total)?;
        self.give(token, it.bidder, total.refunded)
    }

    /// A market's tiers, an account in one of them, and what is filed about that one.
    fn stake(&self, key: StakeKey) -> (Standing, Account, Filed<'_>) {
        let (market, discount, _) = key;
        let standing = self.standing.get(&market).cloned().unwrap_or_default();
        let account = self.stakes.get(&key).copied().unwrap_or_default();
        (standing, account, self.filed(market, discount))
    }

    fn filed(&self, market: MarketId, discount: Discount) -> Filed<'_> {
        Filed {
            books: self,
            market,
            discount,
        }
    }

    fn file(&mut self, market: MarketId, discount: Discount, record: Record) {
        match record {
            Record::Series(number, end) => {
                self.series.insert((market, discount, number), end);
            }
            Record::Turn(number, turn) => {
                self.turns.insert((market, discount, number), turn);
            }
        }
    }

    /// What an account has in a tier, as the contract's `stake_of`.
    ///
    /// # Errors
    /// Those of the contract.
    pub fn worth(&self, key: StakeKey) -> Result<Worth, StandingError> {
        let (standing, account, filed) = self.stake(key);
        standing.worth(&account, key.1, &filed)
    }

    fn change_stake(&mut self, block: Block, it: &StandingChanged) -> Result<(), Impossible> {
        let token = self.terms(it.market)?.quote;
        let discount = Discount::from_percent(it.percent)?;
        let owner = (it.market, discount, it.owner);
        let (mut standing, mut account, filed) = self.stake(owner);
        let (paid, records) = if it.entered.is_zero() {
            standing.unstand(&mut account, discount, it.asked, block, &filed)?
        } else {
            let records = standing.stand(&mut account, discount, it.entered, block, &filed)?;
            (Amount::ZERO, records)
        };
        same("part returned", &it.returned, &paid)?;
        self.spend(token, it.owner, it.entered)?;
        self.give(token, it.owner, paid)?;
        let treasury = self.treasury(token);
        treasury.standing = treasury.standing.plus(it.entered)?.minus(paid)?;
        self.store_stake(owner, (standing, account), records);
        Ok(())
    }

    fn claim_stake(&mut self, it: &StandingClaimed) -> Result<(), Impossible> {
        let token = self.terms(it.market)?.quote;
        let discount = Discount::from_percent(it.percent)?;
        let owner = (it.market, discount, it.owner);
        let (mut standing, mut account, filed) = self.stake(owner);
        let (payout, records) = standing.claim(&mut account, discount, &filed)?;
        same("payout", &it.payout, &payout)?;
        self.give(token, it.owner, payout.quote)?;
        let treasury = self.treasury(token);
        treasury.standing = treasury.standing.minus(payout.quote)?;
        self.store_stake(owner, (standing, account), records);
        Ok(())
    }

    fn store_stake(
        &mut self,
        owner: StakeKey,
        (standing, account): (Standing, Account),
        records: Vec<Record>,
    ) {
        let (market, discount, _) = owner;
        self.standing.insert(market, standing);
        if account.is_empty() {
            self.stakes.remove(&owner);
        } else {
            self.stakes.insert(owner, account);
        }
        for record in records {
            self.file(market, discount, record);
        }
    }
}

/// Adds tiers to the steps that the event says they have joined. Which these are depends on the
/// oracle's rounds.
fn join(record: &mut AuctionRecord, said: &[Reserved]) -> Result<(), Impossible> {
    let AuctionRecord {
        auction, standing, ..
    } = record;
    let StandingClaim { tiers, .. } = standing;
    let amounts = |tiers: &[Reserved]| -> Vec<_> {
        tiers.iter().map(|it| (it.discount, it.amount)).collect()
    };
    same("standing money", &amounts(said), &amounts(tiers))?;
    for (tier, now) in tiers.iter_mut().zip(said) {
        match (tier.step, now.step) {
            (None, Some(step)) => {
                auction.reserved = auction.reserved.plus(now.amount)?;
                if let Some(joined) = auction.joined.get_mut(usize::from(step)) {
                    *joined = joined.plus(now.amount)?;
                }
                tier.step = Some(step);
            }
            (before, now) => same("step of a tier", &now, &before)?,
        }
    }
    Ok(())
}

/// Judges an auction as the event says it was, in a block in which that could be: the clock counts
/// no halted blocks, and which these were events do not tell.
fn judge(auction: &mut Auction, said: &Clearing, scale: UnitScale) -> Result<Clearing, Impossible> {
    if auction.phase != Phase::Running {
        return Err(AuctionError::BiddingEnded.into());
    }
    let schedule = auction.schedule;
    let sold = !said.raised.is_zero();
    let after = schedule.begins(said.ended_at.saturating_add(1));
    // "Step 0 was the last" also stands for "none has ended"; then nothing is sold.
    let block = if said.ended_at == 0 && !sold {
        schedule.first
    } else {
        after
    };
    let clock = |block: Block, expired: bool| Clock {
        block,
        halted: 0,
        stands: false,
        expired_at: expired.then_some(block),
    };
    Ok(match said.end {
        End::Covered | End::RanOut => auction.clear(clock(after, false), scale)?,
        End::Halted => auction.clear(clock(block, true), scale)?,
        End::Repriced => {
            // Above the ladder nothing is sold; what is sold was judged under it.
            let off = if sold {
                Price::ZERO
            } else {
                Price::new(u128::MAX)
            };
            auction.reprice(clock(block, false), off, off, scale)?
        }
    })
}
