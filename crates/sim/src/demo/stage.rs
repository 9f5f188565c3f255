//! A deployed market with everything a run keeps track of: costs, checks, the outside market.

use super::cast::{account, Dice};
use super::clock::Market;
use super::DemoError;
use crate::books::Books;
use crate::deployment::{mint, Deployment, StepError};
use crate::outcome::{Conservation, Gas, MessageCost, PricePoint, RuleOutcome, Violation};
use crate::replay::log::{Contracts, Entry};
use breakwater_chain::{AccountId, Chain, Embedded, Emitted, Message, Receipt};
use breakwater_core::units::{Amount, Price, UnitScale};
use breakwater_interfaces::auction::BatchKey;
use breakwater_interfaces::oracle::OracleAdapter;
use breakwater_interfaces::token::PSP22;
use ink::codegen::TraitCallBuilder;
use scale::Decode;
use std::collections::BTreeMap;
use std::fmt::Debug;

/// Seconds of a block while something happens.
pub const BLOCK_SECONDS: u64 = 6;

/// Feeders submit when the price has moved this much since the last round (0.3 %)…
const MOVE_PPM: u128 = 3_000;
/// …or after this long, seconds.
const HEARTBEAT: u64 = 1_800;

/// Feeders differ from the market by up to this much either way, millionths.
const FEEDER_NOISE_PPM: u64 = 300;

/// What the oracle was told last.
#[derive(Clone, Copy, Default)]
pub struct OracleState {
    /// Price of the latest accepted round.
    pub spot: Price,
    /// Price of the one before.
    pub previous: Price,
    /// When it was submitted, seconds.
    pub at: u64,
    /// The price it was submitted at, before noise.
    market: u128,
    /// Whether the last round followed a move, and so waits for one that confirms it.
    moved: bool,
}

/// Everything a run works on.
pub struct Stage {
    /// The chain.
    pub chain: Embedded,
    /// The contracts.
    pub d: Deployment,
    /// Factor between token units and prices.
    pub scale: UnitScale,
    /// The market outside.
    pub market: Market,
    /// Randomness.
    pub dice: Dice,
    /// What the oracle was told last.
    pub oracle: OracleState,
    /// Prices accepted, for the chart.
    pub prices: Vec<PricePoint>,
    /// The lowest price any batch judged health at.
    pub lowest_judged: Option<Price>,
    /// Batches whose claims are not all paid out.
    pub live: Vec<BatchKey>,
    /// Collateral that rounding left in the auction from batches no longer live.
    pub remainder: Amount,
    costs: BTreeMap<&'static str, MessageCost>,
    checks: u64,
    violations: Vec<Violation>,
    /// What vault and auction have emitted, if the chain keeps it.
    emitted: Vec<Emitted>,
}

/// The rule that is checked after every step of a batch.
const RULE: &str = "tokens held by vault and auction equal the sum of what their books owe";

impl Stage {
    /// Begins a run on a deployed market.
    pub fn new(
        chain: Embedded,
        d: Deployment,
        scale: UnitScale,
        market: Market,
        dice: Dice,
    ) -> Self {
        Self {
            chain,
            d,
            scale,
            market,
            dice,
            oracle: OracleState::default(),
            prices: Vec::new(),
            lowest_judged: None,
            live: Vec::new(),
            remainder: Amount::ZERO,
            costs: BTreeMap::new(),
            checks: 0,
            violations: Vec::new(),
            emitted: Vec::new(),
        }
    }

    fn contracts(&self) -> Contracts {
        Contracts {
            vault: self.d.vault,
            auction: self.d.auction,
        }
    }

    /// What vault and auction have emitted, if the chain keeps events.
    pub fn told(&mut self) -> (Contracts, Vec<Entry>) {
        self.listen();
        let contracts = self.contracts();
        let entries = contracts.number(std::mem::take(&mut self.emitted));
        (contracts, entries)
    }

    /// Of all that was emitted, only what these two contracts said is kept.
    fn listen(&mut self) {
        let contracts = self.contracts();
        let emitted = self.chain.take_events().into_iter();
        self.emitted
            .extend(emitted.filter(|it| contracts.has(it.event.contract)));
    }

    /// Sends a message that has to succeed and books its cost under its name.
    pub async fn send<T: Decode, E: Decode + Debug>(
        &mut self,
        who: AccountId,
        contract: AccountId,
        name: &'static str,
        message: impl Into<Message<Result<T, E>>>,
    ) -> Result<(Receipt<T>, Gas), StepError> {
        let receipt = self
            .chain
            .call(&who, contract, message)
            .await
            .map_err(StepError::at(name))?;
        self.listen();
        let gas = Gas {
            ref_time: receipt.gas_consumed.ref_time,
            proof_size: receipt.gas_consumed.proof_size,
        };
        let cost = self.costs.entry(name).or_insert_with(|| MessageCost {
            message: name.to_owned(),
            ..MessageCost::default()
        });
        cost.calls += 1;
        cost.total = cost.total + gas;
        cost.largest = cost.largest.larger(gas);
        Ok((receipt, gas))
    }

    /// Mints test tokens to an account and lets a contract take them, both at booked cost.
    pub async fn fund(
        &mut self,
        who: AccountId,
        token: AccountId,
        amount: Amount,
        spender: AccountId,
    ) -> Result<(), StepError> {
        let message = mint(who, amount.get());
        self.send(who, token, "token.mint", message).await?;
        let message = Deployment::token(token)
            .call_mut()
            .approve(spender, amount.get());
        self.send(who, token, "token.approve", message).await?;
        Ok(())
    }

    /// Costs by message, in the order of their names.
    pub fn costs(&self) -> Vec<MessageCost> {
        self.costs.values().cloned().collect()
    }

    /// The chain's block.
    pub async fn block(&self) -> Result<u32, DemoError> {
        Ok(self.chain.block().await.map_err(StepError::at("block"))?)
    }

    /// The chain's clock, seconds.
    pub async fn now(&self) -> Result<u64, DemoError> {
        Ok(self.chain.now().await.map_err(StepError::at("clock"))? / 1_000)
    }

    /// Lets one block of the usual length pass.
    pub async fn next_block(&mut self) -> Result<(), DemoError> {
        Ok(self
            .chain
            .advance(1)
            .await
            .map_err(StepError::at("advance"))?)
    }

    /// Lets time pass in a single block: while nothing happens, no empty blocks are made.
    pub async fn skip_to(&mut self, time: u64) -> Result<(), DemoError> {
        let gap = time.saturating_sub(self.now().await?);
        if gap > 0 {
            self.chain.set_block_time(gap * 1_000);
            self.next_block().await?;
            self.chain.set_block_time(BLOCK_SECONDS * 1_000);
        }
        Ok(())
    }

    /// The market's price now.
    pub async fn market_price(&mut self) -> Result<u128, DemoError> {
        let now = self.now().await?;
        Ok(self.market.price_at(now))
    }

    /// Has the feeders submit if the price has moved, a move wants confirming, or it is time;
    /// returns whether a round was accepted.
    pub async fn feed(&mut self) -> Result<bool, DemoError> {
        let (now, price) = (self.now().await?, self.market_price().await?);
        let last = self.oracle;
        if now <= last.at && !last.spot.is_zero() {
            return Ok(false);
        }
        let moved = price.abs_diff(last.market) * 1_000_000 > last.market * MOVE_PPM;
        if !moved && !last.moved && now < last.at + HEARTBEAT {
            return Ok(false);
        }
        let mut accepted = None;
        for feeder in 0..3 {
            let feeder = self.chain.account(account::FEEDERS + feeder);
            let noise = u128::from(self.dice.between(0, 2 * FEEDER_NOISE_PPM));
            let ppm = 1_000_000 - u128::from(FEEDER_NOISE_PPM) + noise;
            let seen = Price::new((price / 1_000_000 * ppm).max(1));
            let message = self
                .d
                .oracle()
                .call_mut()
                .submit(self.d.feed, seen, now * 1_000);
            let (receipt, _) = self
                .send(feeder, self.d.oracle, "oracle.submit", message)
                .await?;
            accepted = accepted.or(receipt.value);
        }
        let Some(round) = accepted else {
            return Ok(false);
        };
        let first = last.spot.is_zero();
        self.oracle = OracleState {
            spot: round.price,
            previous: if first { round.price } else { last.spot },
            at: now,
            market: price,
            moved,
        };
        self.prices.push(PricePoint {
            time: now,
            price: round.price.get(),
        });
        Ok(true)
    }

    /// Compares what the contracts hold with what they owe.
    pub async fn check_books(&mut self) -> Result<Books, DemoError> {
        let books = Books::read_with(&self.chain, &self.d, &self.live, self.remainder).await?;
        self.checks += 1;
        if let Some(detail) = books.fault() {
            let block = u64::from(self.block().await?);
            self.violations.push(Violation {
                block,
                rule: RULE.to_owned(),
                detail,
            });
        }
        Ok(books)
    }

    /// What the checks found; balances are added by the caller.
    pub fn conservation(&self) -> Conservation {
        let violations = u64::try_from(self.violations.len()).unwrap_or(u64::MAX);
        Conservation {
            checks: self.checks,
            rules: vec![RuleOutcome {
                rule: RULE.to_owned(),
                checks: self.checks,
                violations,
            }],
            violations: self.violations.clone(),
            balances: Vec::new(),
            holds: violations == 0,
        }
    }
}
