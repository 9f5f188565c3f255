//! A deployed market that benchmarks, and tests of costs, send genuine messages to.

use super::cost::Cost;
use super::Watch;
use crate::deployment::{ask, mint, send, Deployment, Plan, StepError};
use breakwater_chain::{AccountId, Chain, Embedded, Message, Receipt};
use breakwater_core::interest::InterestCurve;
use breakwater_core::ledger::Settlement;
use breakwater_core::market::{example_params, MarketParams};
use breakwater_core::oracle::{FeedConfig, OracleError, Reading};
use breakwater_core::units::{Amount, Price, PRICE_ONE};
use breakwater_interfaces::auction::{AuctionRecord, BatchKey, BidId, LiquidationAuction};
use breakwater_interfaces::oracle::OracleAdapter;
use breakwater_interfaces::token::PSP22;
use breakwater_interfaces::vault::MarginVault;
use futures::executor::block_on;
use ink::codegen::TraitCallBuilder;
use scale::Decode;
use std::fmt::Debug;

/// One whole collateral token.
pub const COLLATERAL: u128 = 1_000_000_000_000_000_000;
/// One whole quote token.
pub const QUOTE: u128 = 1_000_000;

/// The price at which positions are opened.
pub const OPENING_PRICE: Price = Price::new(200 * PRICE_ONE);

/// More native tokens than any account here spends on fees and deposits.
const PURSE: u128 = 1_000_000_000_000_000;

/// Twice the window of the average price: after so long it stands where the price stands.
const SETTLING_TIME: u64 = 3_600_000;
const BLOCK_TIME: u64 = 6_000;

/// The most rounds waited for until a price is accepted in two of them.
const MOST_ROUNDS: u32 = 64;

/// What a benchmark cannot go on from.
fn odd(step: &'static str, reason: impl Into<String>) -> StepError {
    StepError::Call {
        step,
        reason: reason.into(),
    }
}

/// The market that is measured: the usual one with interest, and limits that do not bind.
#[must_use]
pub fn params() -> MarketParams {
    let unbounded = Amount::new(100_000_000_000 * QUOTE);
    MarketParams {
        debt_ceiling: unbounded,
        supply_cap: unbounded,
        hole: unbounded,
        interest: InterestCurve::STANDARD,
        ..example_params()
    }
}

/// Collateral and debt of one position.
pub type Holding = (Amount, Amount);

/// How a batch is bought and finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buying {
    /// Bids that share the money equally; none: nobody buys.
    pub bids: u32,
    /// Quote they offer together. The market has to be given it with [`Stage::bidder`].
    pub money: Amount,
    /// Whether `advance` judges the auction before `settle` would.
    pub advance: bool,
}

/// A batch that has been opened and bid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// The batch.
    pub key: BatchKey,
    /// `open_batch`.
    pub open: Cost,
    /// The last of the bids.
    pub bid: Option<Cost>,
}

/// A batch from its opening until everything is back in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The batch.
    pub batch: BatchKey,
    /// Cohorts pooled.
    pub cohorts: u16,
    /// Positions pooled.
    pub members: u32,
    /// Storage cells the batch was spread over.
    pub cells: u16,
    /// `open_batch`.
    pub open: Cost,
    /// The last of the bids.
    pub bid: Option<Cost>,
    /// `advance`, where it was called.
    pub advance: Option<Cost>,
    /// `settle`.
    pub settle: Cost,
    /// Every `rest` that settlement left to do.
    pub rests: Vec<Cost>,
    /// What the settlement did.
    pub settlement: Settlement,
}

impl Run {
    /// Every message of the batch that a keeper sends.
    pub fn messages(&self) -> impl Iterator<Item = Cost> + '_ {
        let single = [Some(self.open), self.advance, Some(self.settle)];
        single
            .into_iter()
            .flatten()
            .chain(self.rests.iter().copied())
    }

    /// What they cost together.
    #[must_use]
    pub fn total(&self) -> Cost {
        self.messages().fold(Cost::default(), Cost::plus)
    }

    /// The most that any one of them costs, by dimension.
    #[must_use]
    pub fn largest(&self) -> Cost {
        self.messages().fold(Cost::default(), Cost::larger)
    }
}

/// A market on a chain of its own, with a price and lenders' quote in it.
pub struct Stage {
    /// The chain.
    pub chain: Embedded,
    /// The contracts.
    pub d: Deployment,
    /// Opens, settles and rests.
    pub keeper: AccountId,
    feeders: Vec<AccountId>,
    bidders: Vec<AccountId>,
    owners: Vec<AccountId>,
    accounts: u32,
    observed_at: u64,
}

impl Stage {
    /// A market with these parameters at [`OPENING_PRICE`].
    ///
    /// # Errors
    /// [`StepError`].
    pub fn new(params: MarketParams) -> Result<Self, StepError> {
        let mut chain = Embedded::new();
        let feeders: Vec<_> = (1..4).map(|index| chain.account(index)).collect();
        let plan = Plan {
            governor: chain.account(0),
            feeders: feeders.clone(),
            // Scenarios jump from price to price.
            feed: FeedConfig::without_bands(2, 600_000, 1, SETTLING_TIME / 2),
            params,
        };
        let d = block_on(Deployment::deploy(&mut chain, &plan))?;
        let mut stage = Self {
            keeper: chain.account(4),
            chain,
            d,
            feeders,
            bidders: Vec::new(),
            owners: Vec::new(),
            accounts: 100,
            observed_at: 0,
        };
        stage.set_price(OPENING_PRICE)?;
        let money = Amount::new(10_000_000_000 * QUOTE);
        let lender = stage.account()?;
        stage.fund(lender, stage.d.quote, money, stage.d.vault)?;
        let message = stage.d.vault().call_mut().supply(stage.d.market, money);
        stage.send(lender, stage.d.vault, "supply", message)?;
        Ok(stage)
    }

    /// An account that has done nothing yet.
    ///
    /// # Errors
    /// [`StepError`].
    pub fn account(&mut self) -> Result<AccountId, StepError> {
        let account = self.chain.account(self.accounts);
        self.accounts += 1;
        self.chain
            .fund(account, PURSE)
            .map_err(StepError::at("fund an account"))?;
        Ok(account)
    }

    /// Does something and takes it back: afterwards the market is as it was.
    ///
    /// # Errors
    /// What `f` fails with.
    pub fn try_out<R>(
        &mut self,
        f: impl FnOnce(&mut Self) -> Result<R, StepError>,
    ) -> Result<R, StepError> {
        let chain = self.chain.snapshot();
        let before = (self.bidders.len(), self.owners.len());
        let (accounts, observed_at) = (self.accounts, self.observed_at);
        let result = f(self);
        self.chain.restore(&chain);
        self.bidders.truncate(before.0);
        self.owners.truncate(before.1);
        (self.accounts, self.observed_at) = (accounts, observed_at);
        result
    }

    /// Owners of positions, in the order of opening.
    #[must_use]
    pub fn owners(&self) -> &[AccountId] {
        &self.owners
    }

    /// Sends a message that has to succeed.
    ///
    /// # Errors
    /// [`StepError`].
    pub fn send<T: Decode, E: Decode + Debug>(
        &mut self,
        who: AccountId,
        contract: AccountId,
        step: &'static str,
        message: impl Into<Message<Result<T, E>>>,
    ) -> Result<Receipt<T>, StepError> {
        block_on(send(&mut self.chain, &who, contract, step, message))
    }

    /// Mints tokens to an account and approves a spender.
    ///
    /// # Errors
    /// [`StepError`].
    pub fn fund(
        &mut self,
        who: AccountId,
        token: AccountId,
        amount: Amount,
        spender: AccountId,
    ) -> Result<(), StepError> {
        self.send(who, token, "mint", mint(who, amount.get()))?;
        let message = Deployment::token(token)
            .call_mut()
            .approve(spender, amount.get());
        self.send(who, token, "approve", message)?;
        Ok(())
    }

    /// Lets blocks pass.
    ///
    /// # Errors
    /// [`StepError`].
    pub fn advance(&mut self, blocks: u32) -> Result<(), StepError> {
        block_on(self.chain.advance(blocks)).map_err(StepError::at("advance"))
    }

    fn now(&self) -> Result<u64, StepError> {
        block_on(self.chain.now()).map_err(StepError::at("clock"))
    }

    /// Has a feeder submit a price observed now, which no earlier submission was.
    ///
    /// # Errors
    /// [`StepError`].
    pub fn submit(&mut self, feeder: usize, price: Price) -> Result<Cost, StepError> {
        let at = self.now()?;
        self.observed_at = at;
        let message = self.d.oracle().call_mut().submit(self.d.feed, price, at);
        let feeder = self.feeders[feeder % self.feeders.len()];
        let receipt = self.send(feeder, self.d.oracle, "submit", message)?;
        Ok(Cost::of(&receipt))
    }

    /// The oracle's latest accepted round, if there is one.
    ///
    /// # Errors
    /// [`StepError`].
    pub fn reading(&self) -> Result<Option<Reading>, StepError> {
        let message = self.d.oracle().call().read(self.d.feed);
        let answer: Result<Reading, OracleError> =
            block_on(ask(&self.chain, self.d.oracle, "read", message))?;
        Ok(answer.ok())
    }

    /// Has all feeders submit a price until it is that of the last two accepted rounds and of the
    /// average, and lets a block pass.
    ///
    /// # Errors
    /// [`StepError`].
    pub fn set_price(&mut self, price: Price) -> Result<(), StepError> {
        for round in 0..MOST_ROUNDS {
            let now = self.now()?;
            if now <= self.observed_at {
                self.advance(1)?;
            }
            for feeder in 0..self.feeders.len() {
                self.submit(feeder, price)?;
            }
            // The first round of the price begins a new stretch of the average.
            let gap = if round == 0 {
                SETTLING_TIME
            } else {
                BLOCK_TIME
            };
            self.chain.set_block_time(gap);
            self.advance(1)?;
            self.chain.set_block_time(BLOCK_TIME);
            let reading = self.reading()?;
            if reading.is_some_and(|r| (r.round.price, r.previous, r.twap) == (price, price, price))
            {
                return Ok(());
            }
        }
        Err(odd("set price", "the oracle does not accept it"))
    }

    /// Opens many positions; now and then a block passes and feeders confirm the price.
    ///
    /// # Errors
    /// [`StepError`].
    pub fn open_positions(
        &mut self,
        holdings: impl IntoIterator<Item = Holding>,
        watch: &mut Watch<'_>,
    ) -> Result<(), StepError> {
        /// About as many as a block of the node could hold.
        const PER_BLOCK: usize = 64;
        for (number, holding) in holdings.into_iter().enumerate() {
            self.open_position(holding)?;
            watch.done(1);
            if number % PER_BLOCK == PER_BLOCK - 1 {
                self.advance(1)?;
                if self.now()? > self.observed_at + SETTLING_TIME / 2 {
                    let price = self.reading()?.map_or(OPENING_PRICE, |r| r.round.price);
                    for feeder in 0..self.feeders.len() {
                        self.submit(feeder, price)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Opens a position for a new account; returns the cost of `deposit_and_borrow`.
    ///
    /// # Errors
    /// [`StepError`].
    pub fn open_position(&mut self, (collateral, debt): Holding) -> Result<Cost, StepError> {
        let owner = self.account()?;
        self.fund(owner, self.d.collateral, collateral, self.d.vault)?;
        let message = self
            .d
            .vault()
            .call_mut()
            .deposit_and_borrow(self.d.market, collateral, debt);
        let receipt = self.send(owner, self.d.vault, "deposit_and_borrow", message)?;
        self.owners.push(owner);
        Ok(Cost::of(&receipt))
    }

    /// A new bidder with so much quote in the auction contract.
    ///
    /// # Errors
    /// [`StepError`].
    pub fn bidder(&mut self, money: Amount) -> Result<AccountId, StepError> {
        let bidder = self.account()?;
        self.fund(bidder, self.d.quote, money, self.d.auction)?;
        let message = self.d.auction().call_mut().deposit(self.d.market, money);
        self.send(bidder, self.d.auction, "auction.deposit", message)?;
        self.bidders.push(bidder);
        Ok(bidder)
    }

    /// An auction as stored.
    ///
    /// # Errors
    /// [`StepError`].
    pub fn record(&self, batch: BatchKey) -> Result<AuctionRecord, StepError> {
        let message = self.d.auction().call().auction(batch);
        block_on(ask(&self.chain, self.d.auction, "auction", message))?
            .ok_or_else(|| odd("auction", "there is none of that number"))
    }

    /// Opens a batch.
    ///
    /// # Errors
    /// [`StepError`].
    pub fn open_batch(&mut self) -> Result<Receipt<BatchKey>, StepError> {
        let message = self.d.auction().call_mut().open_batch(self.d.market);
        self.send(self.keeper, self.d.auction, "open_batch", message)
    }

    /// Places a bid that stays valid.
    ///
    /// # Errors
    /// [`StepError`].
    pub fn bid(
        &mut self,
        bidder: AccountId,
        batch: BatchKey,
        budget: Amount,
        limit: Price,
    ) -> Result<Receipt<BidId>, StepError> {
        let message = self
            .d
            .auction()
            .call_mut()
            .bid(batch, budget, limit, u32::MAX);
        self.send(bidder, self.d.auction, "bid", message)
    }

    /// Opens a batch of all that is due, has bids placed, and lets the clock run until it can be
    /// cleared: until the step after the bids', or to the end where there are none.
    ///
    /// # Errors
    /// [`StepError`].
    pub fn prepare(&mut self, buying: Buying) -> Result<Prepared, StepError> {
        let opened = self.open_batch()?;
        let key = opened.value;
        let auction = self.record(key)?.auction;
        // Near the oracle's price on the usual ladder.
        let step = auction.schedule.steps / 6;
        let limit = auction.prices[usize::from(step)];
        let mut bid = None;
        for number in 0..buying.bids {
            let budget = Amount::new(buying.money.get() / u128::from(buying.bids));
            let bidder = self.bidders[number as usize % self.bidders.len()];
            bid = Some(Cost::of(&self.bid(bidder, key, budget, limit)?));
        }
        let block = block_on(self.chain.block()).map_err(StepError::at("block"))?;
        let until = match buying.bids {
            0 => auction.schedule.begins(auction.schedule.steps),
            _ => auction.schedule.begins(step + 1),
        };
        self.advance(until.saturating_sub(block))?;
        let open = Cost::of(&opened);
        Ok(Prepared { key, open, bid })
    }

    /// As [`Self::prepare`], and then has the batch settled and everything put back.
    ///
    /// # Errors
    /// [`StepError`].
    pub fn liquidate(&mut self, buying: Buying) -> Result<Run, StepError> {
        let Prepared { key, open, bid } = self.prepare(buying)?;
        let (d, keeper) = (self.d, self.keeper);
        let message = d.vault().call().batch(key.market, key.number);
        let stored = block_on(ask(&self.chain, d.vault, "batch", message))?
            .ok_or_else(|| odd("batch", "there is none of that number"))?;
        let mut advance = None;
        if buying.advance {
            let message = d.auction().call_mut().advance(key);
            advance = Some(Cost::of(&self.send(keeper, d.auction, "advance", message)?));
        }
        let message = d.auction().call_mut().settle(key);
        let settled = self.send(keeper, d.auction, "settle", message)?;
        let mut rests = Vec::new();
        let mut rested = settled.value.rested;
        while !rested {
            let message = d.vault().call_mut().rest(key.market, key.number, 8);
            let receipt = self.send(keeper, d.vault, "rest", message)?;
            rests.push(Cost::of(&receipt));
            rested = receipt.value;
        }
        Ok(Run {
            batch: key,
            cohorts: stored.cohorts,
            members: stored.members,
            cells: u16::try_from(stored.cells.len()).unwrap_or(u16::MAX),
            open,
            bid,
            advance,
            settle: Cost::of(&settled),
            rests,
            settlement: settled.value,
        })
    }
}
