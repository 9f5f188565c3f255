//! Commands that only look.

pub(crate) mod standing;

use crate::failure::Failure;
use crate::market::{parse_account, parse_price, show_price, MarketArgs, OpenMarket};
use crate::on_node::block_on;
use crate::output::Answer;
use breakwater_chain::{AccountId, CallError, Chain, Message};
use breakwater_core::auction::{AuctionError, Quote, Status};
use breakwater_core::breaker::{effective, BreakerError, Cause, Causes, Limits, Stage};
use breakwater_core::ledger::{AtRisk, Histogram};
use breakwater_core::margin::Margin;
use breakwater_core::market::MarketPrices;
use breakwater_core::position::PositionView;
use breakwater_core::tick::{Tick, LOWEST_TICK};
use breakwater_core::units::{liquidation_price, Amount, Block, Ratio, Shares};
use breakwater_interfaces::auction::{AuctionContractError, LiquidationAuction};
use breakwater_interfaces::breaker::{CircuitBreaker, GlobalBreaker, MarketBreaker};
use breakwater_interfaces::vault::{Accounting, MarginVault, Market, VaultError};
use breakwater_operator::decimal;
use breakwater_sim::deployment::ask;
use ink::codegen::TraitCallBuilder;
use scale::Decode;
use serde_json::json;
use std::fmt::Debug;
use std::time::{SystemTime, UNIX_EPOCH};

/// Show a market: prices, money lent and free, running batches, the margin in force, and what the
/// circuit breaker stops, why, since when, and what would reopen it.
#[derive(Debug, clap::Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    market: MarketArgs,
}

/// Show a position: debt, health, and exactly what its owner may borrow, withdraw or has to add.
#[derive(Debug, clap::Args)]
pub(crate) struct PositionArgs {
    #[command(flatten)]
    market: MarketArgs,

    /// Address of the owner
    #[arg(long, value_name = "ADDRESS")]
    owner: String,
}

/// Show all positions by the price at which they are liquidated, the riskiest first.
#[derive(Debug, clap::Args)]
pub(crate) struct PositionsArgs {
    #[command(flatten)]
    market: MarketArgs,

    /// Price to judge at, whole quote tokens for a whole collateral token; without it, the oracle's
    #[arg(long, value_name = "PRICE")]
    price: Option<String>,

    /// Most price steps to list
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    steps: usize,
}

/// Show a batch: its clock, price, target and money, and how it would clear.
#[derive(Debug, clap::Args)]
pub(crate) struct BatchArgs {
    #[command(flatten)]
    market: MarketArgs,

    /// Number of the batch
    #[arg(value_name = "NUMBER")]
    number: u32,

    /// Also list the bids of this address
    #[arg(long, value_name = "ADDRESS")]
    owner: Option<String>,
}

/// Show what a bid would get now if nobody else joined.
#[derive(Debug, clap::Args)]
pub(crate) struct QuoteArgs {
    #[command(flatten)]
    market: MarketArgs,

    /// Number of the batch
    #[arg(value_name = "NUMBER")]
    number: u32,

    /// What the bid may spend, whole quote tokens
    #[arg(long, value_name = "QUOTE")]
    budget: String,

    /// The most it pays for a whole collateral token, whole quote tokens
    #[arg(long, value_name = "PRICE")]
    limit: String,
}

impl OpenMarket {
    /// Asks a view that cannot refuse.
    pub(crate) async fn ask<T: Decode>(
        &self,
        contract: AccountId,
        step: &'static str,
        message: impl Into<Message<T>>,
    ) -> Result<T, Failure> {
        Ok(ask(&self.node, contract, step, message).await?)
    }

    /// Asks a view that may refuse.
    pub(crate) async fn view<T: Decode, E: Decode + Debug>(
        &self,
        contract: AccountId,
        step: &'static str,
        message: impl Into<Message<Result<T, E>>>,
    ) -> Result<T, Failure> {
        let answer: Result<T, E> = self.ask(contract, step, message).await?;
        answer.map_err(|error| Failure::Refused(format!("{step}: refused with {error:?}")))
    }
}

fn percent(ratio: Ratio) -> String {
    decimal::show(ratio.ppm(), 4)
}

/// `breakwaterctl status`.
pub(crate) fn status(arguments: &StatusArgs) -> Result<(), Failure> {
    block_on(async {
        let m = arguments.market.open().await?;
        let (d, mut answer) = (m.d, Answer::default());
        answer.add("market", d.market, "");
        let block = m.node.block().await;
        let block = block.map_err(|error| Failure::Refused(error.to_string()))?;
        answer.add("block", block, "");
        let now = m.node.now().await;
        let now = now.map_err(|error| Failure::Refused(error.to_string()))?;
        // A node that lags behind shows a market of the past.
        let clock = SystemTime::now().duration_since(UNIX_EPOCH);
        let clock = clock.map_or(0, |time| u64::try_from(time.as_millis()).unwrap_or(0));
        answer.add("block_age", clock.saturating_sub(now) / 1_000, "s");
        let message = d.vault().call().market_prices(d.market);
        let prices: Result<MarketPrices, VaultError> = m.ask(d.vault, "prices", message).await?;
        match prices {
            Ok(prices) => {
                let unit = "quote per collateral";
                answer.add("price", show_price(prices.spot), unit);
                answer.add("average_price", show_price(prices.twap), unit);
                answer.add("price_age", prices.age / 1_000, "s");
                let waiting = prices.quarantined.map(show_price);
                answer.add("quarantined_price", waiting, "");
            }
            Err(_) => {
                answer.add("price", None::<String>, "no round has been accepted");
                for name in ["average_price", "price_age", "quarantined_price"] {
                    answer.add(name, None::<String>, "");
                }
            }
        }
        let message = d.vault().call().accounting(d.market);
        let books: Accounting = m
            .view::<_, VaultError>(d.vault, "accounting", message)
            .await?;
        let (state, quote) = (&books.state, "quote");
        answer.add("lenders_assets", m.quote(books.lenders_assets), quote);
        answer.add("cash", m.quote(state.cash), quote);
        answer.add("insurance", m.quote(state.insurance), quote);
        let held = state.inventory.all().unwrap_or_default();
        answer.add("insurance_holds", m.collateral(held), "collateral");
        let spent = state.inventory.spent_on(state.accrued_at);
        answer.add("insurance_spent_today", m.quote(spent), quote);
        answer.add("written_off", m.quote(state.written_off), quote);
        answer.add("batched_debt", m.quote(state.batched_debt), quote);
        answer.add("batches_opened", state.batches, "");
        let running: Vec<_> = state.running.iter().map(|batch| batch.number).collect();
        answer.add("running_batches", running, "");
        answer.add("winding_down", state.wind_down.is_some(), "");
        m.margin(&mut answer).await?;
        m.breaker(&mut answer, block).await?;
        answer.print(arguments.market.json)
    })
}

/// Names of causes, for people and programs.
fn named(causes: Causes) -> Vec<String> {
    let held = Cause::ALL.into_iter().filter(|cause| causes.has(*cause));
    held.map(|cause| format!("{cause:?}")).collect()
}

impl OpenMarket {
    /// Thresholds in force, and a rise of the margin on its way.
    async fn margin(&self, answer: &mut Answer) -> Result<(), Failure> {
        let d = self.d;
        let message = d.vault().call().market(d.market);
        let market: Option<Market> = self.ask(d.vault, "market", message).await?;
        let market = market.ok_or_else(|| Failure::Usage("there is no such market".to_owned()))?;
        let now = self.node.now().await;
        let now = now.map_err(|error| Failure::Refused(error.to_string()))?;
        let unit = "% of collateral value";
        let threshold = market.threshold_at(now).map(percent).ok();
        answer.add("liquidation_threshold", threshold, unit);
        let volatility = match self
            .ask(d.vault, "prices", d.vault().call().market_prices(d.market))
            .await?
        {
            Ok::<MarketPrices, VaultError>(prices) => prices.volatility,
            Err(_) => None,
        };
        let initial = market.initial_ltv_at(volatility, now).map(percent).ok();
        answer.add("initial_ltv", initial, unit);
        let margin: Margin = market.margin;
        let rise = margin.announced(now);
        let added = rise.map(|rise| percent(rise.margin));
        answer.add("margin_rises_to", added, "% more than in calm times");
        let until = rise.map(|rise| rise.until.saturating_sub(now) / 1_000);
        answer.add("margin_rise_ends_in", until, "s");
        Ok(())
    }

    /// What the breaker stops, why, since when, and what would reopen it: asked of the contract
    /// itself, by a trial of the message that reopens.
    async fn breaker(&self, answer: &mut Answer, block: Block) -> Result<(), Failure> {
        let d = self.d;
        let message = d.breaker().call().breaker(d.market);
        let kept: Option<(MarketBreaker, GlobalBreaker)> =
            self.ask(d.auction, "breaker", message).await?;
        let Some((own, all)) = kept else {
            answer.add("stage", None::<String>, "not registered with the auction");
            return Ok(());
        };
        let stage = effective(&own.breaker, &all.breaker);
        answer.add("stage", format!("{stage:?}"), "");
        let standard = Limits::standard(Amount::ZERO);
        let breakers = [
            (Some(d.market), own.breaker, own.limits),
            (None, all.breaker, standard),
        ];
        for (market, breaker, limits) in breakers {
            if breaker.stage == Stage::Open {
                continue;
            }
            let [stage, why, since, from, reopen] = match market {
                Some(_) => [
                    "market_stage",
                    "why",
                    "since_block",
                    "reopens_from",
                    "reopening",
                ],
                None => [
                    "all_markets_stage",
                    "all_why",
                    "all_since_block",
                    "all_reopen_from",
                    "all_reopening",
                ],
            };
            answer.add(stage, format!("{:?}", breaker.stage), "");
            answer.add(why, named(breaker.causes), "");
            answer.add(since, breaker.since, "");
            answer.add(
                from,
                breaker.reopens_from(&limits),
                "block, at the earliest",
            );
            let message = d.breaker().call_mut().reopen(market);
            let trial = self.node.query(d.auction, d.auction, message).await;
            let told = match trial {
                // A trial that only lacks a payer for the deposit has worked.
                Ok(Ok(())) | Err(CallError::StorageDeposit(_)) => {
                    "anyone may reopen now".to_owned()
                }
                Ok(Err(AuctionContractError::Breaker(BreakerError::CoolingOff))) => {
                    "cooling off; anyone afterwards, once every cause is gone".to_owned()
                }
                Ok(Err(AuctionContractError::Breaker(BreakerError::CauseRemains(cause)))) => {
                    format!("waits for {cause:?} to end; the governor may lower it now")
                }
                Ok(Err(error)) => format!("{error:?}"),
                Err(error) => format!("cannot be tried: {error}"),
            };
            answer.add(reopen, told, "");
        }
        let grace = own.breaker.grace_until.max(all.breaker.grace_until);
        let grace = (grace > block).then_some(grace);
        answer.add("batches_wait_until", grace, "block");
        Ok(())
    }
}

/// `breakwaterctl position`.
pub(crate) fn position(arguments: &PositionArgs) -> Result<(), Failure> {
    let owner = parse_account(&arguments.owner)?;
    block_on(async {
        let m = arguments.market.open().await?;
        let (d, mut answer) = (m.d, Answer::default());
        let message = d.vault().call().position(d.market, owner);
        let view: PositionView = m
            .view::<_, VaultError>(d.vault, "position", message)
            .await?;
        answer.add("status", format!("{:?}", view.status), "");
        answer.add("collateral", m.collateral(view.collateral), "collateral");
        answer.add("debt", m.quote(view.debt), "quote");
        let indebted = !view.debt.is_zero();
        answer.add("health", indebted.then(|| percent(view.health)), "%");
        let price = view.liquidation_price.map(show_price);
        answer.add("liquidation_price", price, "quote per collateral");
        answer.add("batch", view.batch, "");
        answer.add("borrowable", m.quote(view.borrowable), "quote");
        let withdrawable = m.collateral(view.withdrawable);
        answer.add("withdrawable", withdrawable, "collateral");
        let cure = m.quote(view.cure_by_repaying);
        answer.add("cure_by_repaying", cure, "quote");
        let cure = m.collateral(view.cure_by_adding);
        answer.add("cure_by_adding", cure, "collateral");
        let message = d.vault().call().lender(d.market, owner);
        let lender = m.view::<_, VaultError>(d.vault, "lender", message);
        let (shares, lent): (Shares, Amount) = lender.await?;
        answer.add("lent", m.quote(lent), "quote");
        answer.add("shares", m.shares(shares), "");
        let message = d.auction().call().balance(d.market, owner);
        let free = m.ask(d.auction, "balance", message).await?;
        answer.add("bidding_balance", m.quote(free), "quote");
        let message = d.vault().call().reward(d.market, owner);
        let reward = m.ask(d.vault, "reward", message).await?;
        answer.add("keeper_reward", m.quote(reward), "quote");
        answer.print(arguments.market.json)
    })
}

/// `breakwaterctl positions`.
pub(crate) fn positions(arguments: &PositionsArgs) -> Result<(), Failure> {
    let price = arguments.price.as_deref().map(parse_price).transpose()?;
    block_on(async {
        let m = arguments.market.open().await?;
        let (d, mut answer) = (m.d, Answer::default());
        let price = match price {
            Some(price) => price,
            None => {
                let message = d.vault().call().market_prices(d.market);
                let prices = m.view::<MarketPrices, VaultError>(d.vault, "prices", message);
                prices.await?.spot
            }
        };
        answer.add("price", show_price(price), "quote per collateral");
        let message = d.vault().call().at_risk(d.market, price);
        let at_risk: AtRisk = m.view::<_, VaultError>(d.vault, "at_risk", message).await?;
        answer.add("at_risk", at_risk.members, "positions");
        let collateral = m.collateral(at_risk.collateral);
        answer.add("at_risk_collateral", collateral, "collateral");
        answer.add("at_risk_debt", m.quote(at_risk.debt), "quote");
        let bounds = if at_risk.complete {
            ""
        } else {
            "the numbers are lower bounds"
        };
        answer.add("complete", at_risk.complete, bounds);
        let message = d.vault().call().market(d.market);
        let market: Option<Market> = m.ask(d.vault, "market", message).await?;
        let market =
            market.ok_or_else(|| Failure::Refused("there is no such market".to_owned()))?;
        let now = m.node.now().await;
        let now = now.map_err(|error| Failure::Refused(error.to_string()))?;
        let threshold = market.threshold_at(now);
        let threshold = threshold.map_err(|error| Failure::Refused(format!("{error:?}")))?;
        let message = d.vault().call().accounting(d.market);
        let books: Accounting = m
            .view::<_, VaultError>(d.vault, "accounting", message)
            .await?;
        let (mut steps, mut from) = (Vec::new(), Some(Tick::MAX));
        while let (Some(to), true) = (from, steps.len() < arguments.steps) {
            let message = d.vault().call().histogram(d.market, LOWEST_TICK, to);
            let page: Histogram = m
                .view::<_, VaultError>(d.vault, "histogram", message)
                .await?;
            for tick in page.ticks {
                let at = liquidation_price(tick.bound, books.state.index, threshold);
                steps.push(json!({
                    "liquidation_price": at.map(show_price),
                    "positions": tick.members,
                    "collateral": m.collateral(tick.collateral),
                    "debt": m.quote(tick.debt),
                }));
            }
            from = page.next;
        }
        steps.truncate(arguments.steps);
        answer.add("steps", steps, "");
        answer.print(arguments.market.json)
    })
}

/// `breakwaterctl batch`.
pub(crate) fn batch(arguments: &BatchArgs) -> Result<(), Failure> {
    let owner = arguments.owner.as_deref().map(parse_account).transpose()?;
    block_on(async {
        let m = arguments.market.open().await?;
        let (key, mut answer) = (m.batch(arguments.number), Answer::default());
        let message = m.d.auction().call().status(key);
        let status: Option<Status> = m.ask(m.d.auction, "batch", message).await?;
        let status = status.ok_or_else(|| {
            let number = arguments.number;
            Failure::Usage(format!(
                "there is no batch {number}; `status` lists those that run"
            ))
        })?;
        let unit = "quote per collateral";
        answer.add("stage", format!("{:?}", status.stage), "");
        answer.add("step", status.step, "");
        answer.add("price", show_price(status.price), unit);
        let next = status.next_price.map(show_price);
        answer.add("next_price", next, unit);
        answer.add("blocks_to_next", status.blocks_to_next, "");
        answer.add("floor", show_price(status.floor), unit);
        answer.add("target", m.quote(status.target), "quote");
        answer.add("demand", m.quote(status.demand), "quote");
        answer.add("filled", percent(status.filled), "%");
        let clearing = status.clearing;
        answer.add("clearing_price", show_price(clearing.price), unit);
        answer.add("raised", m.quote(clearing.raised), "quote");
        answer.add("sold", m.collateral(clearing.sold), "collateral");
        if let Some(owner) = owner {
            answer.add("bids", m.open_bids(arguments.number, owner).await?, "");
        }
        answer.print(arguments.market.json)
    })
}

impl OpenMarket {
    /// Numbers of an account's bids that have not been claimed or cancelled.
    pub(crate) async fn open_bids(
        &self,
        number: u32,
        owner: AccountId,
    ) -> Result<Vec<u32>, Failure> {
        let (mut bids, mut from) = (Vec::new(), Some(0));
        while let Some(number_from) = from {
            let calls = self.d.auction();
            let message = calls.call().bids_of(self.batch(number), owner, number_from);
            let page: breakwater_interfaces::auction::BidPage =
                self.ask(self.d.auction, "bids", message).await?;
            bids.extend(page.bids.iter().map(|(id, _, _)| *id));
            from = page.next;
        }
        Ok(bids)
    }
}

/// `breakwaterctl quote`.
pub(crate) fn quote(arguments: &QuoteArgs) -> Result<(), Failure> {
    let limit = parse_price(&arguments.limit)?;
    block_on(async {
        let m = arguments.market.open().await?;
        let budget = m.parse_quote(&arguments.budget)?;
        let block = m.node.block().await;
        let block = block.map_err(|error| Failure::Refused(error.to_string()))?;
        let (key, mut answer) = (m.batch(arguments.number), Answer::default());
        let message = m.d.auction().call().quote(key, budget, limit, block);
        let quote: Result<Quote, AuctionContractError> =
            m.ask(m.d.auction, "quote", message).await?;
        let quote = quote.map_err(|error| match error {
            AuctionContractError::UnknownBatch => {
                Failure::Usage(format!("there is no batch {}", arguments.number))
            }
            AuctionContractError::Auction(AuctionError::BiddingEnded) => {
                Failure::Refused("the batch takes no more bids".to_owned())
            }
            other => Failure::Refused(format!("quote: refused with {other:?}")),
        })?;
        answer.add("step", quote.step, "");
        answer.add("price", show_price(quote.price), "quote per collateral");
        answer.add("spent", m.quote(quote.fill.spent), "quote");
        answer.add("refunded", m.quote(quote.fill.refunded), "quote");
        let received = m.collateral(quote.fill.received);
        answer.add("received", received, "collateral");
        answer.print(arguments.market.json)
    })
}
