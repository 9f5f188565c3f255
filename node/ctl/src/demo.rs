//! `breakwaterctl demo`: a small market lives through a crash on a development node.
//!
//! It is the story of `breakwater demo` by the same messages, not the same run: a node has its own clock, makes a block for each
//! transaction, and knows no crash day of 2020. So the market is small, and its price falls in two steps.

use crate::failure::Failure;
use crate::market::show_price;
use crate::meter::Meter;
use crate::on_node::{block_on, NodeArgs};
use breakwater_chain::{AccountId, Chain, Signer};
use breakwater_core::auction::{Fill, Phase};
use breakwater_core::ledger::AtRisk;
use breakwater_core::math::Rounding;
use breakwater_core::position::PositionView;
use breakwater_core::units::{Amount, Price, PRICE_ONE};
use breakwater_interfaces::auction::{AuctionRecord, BatchKey, BidPlaced, LiquidationAuction};
use breakwater_interfaces::vault::{MarginVault, VaultError};
use breakwater_node::{KeySigner, Node};
use breakwater_operator::config::{show_address, MarketConfig};
use breakwater_operator::decimal;
use breakwater_operator::deploy::deploy;
use breakwater_sim::books::{held, Books};
use breakwater_sim::deployment::{ask, send, Deployment, StepError};
use breakwater_terminal::{print, print_json};
use ink::codegen::TraitCallBuilder;
use serde_json::{json, Value};

/// The market: the example's parameters.
const MARKET: &str = include_str!("../../../examples/market.toml");
/// Whole quote per collateral at which positions are opened, and what the price falls to. No fall is so deep that the oracle would wait
/// for its confirmation.
const ENTRY: u128 = 200;
const FALLS: [u128; 2] = [172, 150];
/// Whole collateral tokens of a position, and the least and the most whole quote tokens that one owes.
const COLLATERAL: u128 = 10;
const DEBTS: (u128, u128) = (1_100, 1_490);
/// The step that bidders bid at: under the oracle's price.
const STEP: u8 = 20;
/// Native tokens of an account: ten.
const PURSE: u128 = 10_000_000_000_000;
/// Cells that one call puts back.
const REST_CELLS: u16 = 64;

/// Play a crash on a development node: deploy a market, fill it with positions, let the price fall, and sell what falls due in batches.
///
/// Every transaction is a block: twenty positions take about two hundred.
#[derive(Debug, clap::Args)]
pub(crate) struct DemoArgs {
    #[command(flatten)]
    node: NodeArgs,

    /// How many positions to open
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(2..=500))]
    positions: u32,

    /// Print the result as JSON; amounts are exact decimal texts in whole tokens
    #[arg(long)]
    json: bool,

    /// Do not show progress
    #[arg(long)]
    quiet: bool,
}

/// Runs the demo that `arguments` ask for.
pub(crate) fn demo(arguments: &DemoArgs) -> Result<(), Failure> {
    block_on(async {
        let node = arguments.node.connect().await?;
        if !node.is_development() {
            return Err(Failure::Usage(format!(
                "the chain at {} is no development chain, and the demo needs one: scripts/node.sh starts it",
                node.url()
            )));
        }
        let mut demo = Demo::set_up(node, arguments).await?;
        let mut batches = Vec::new();
        for whole in FALLS {
            demo.meter.stage("falling", 1);
            demo.set_price(whole).await?;
            while demo.at_risk(whole).await? > 0 {
                batches.push(demo.batch(whole).await?);
            }
        }
        demo.report(&batches, arguments.json).await
    })
}

/// A market on the node and who is in it.
struct Demo {
    node: Node,
    d: Deployment,
    config: MarketConfig,
    name: String,
    owners: Vec<AccountId>,
    keeper: KeySigner,
    bidders: Vec<KeySigner>,
    sold: Vec<BatchKey>,
    first_block: u32,
    meter: Meter,
}

/// What came of a batch.
struct Sale {
    number: u32,
    oracle: Price,
    positions: u32,
    price: Price,
    sold: Amount,
    raised: Amount,
    shortfall: Amount,
    fills: Vec<Fill>,
}

fn quote(whole: u128) -> Amount {
    Amount::new(whole * 1_000_000)
}

fn refused(step: &str, error: impl std::fmt::Debug) -> Failure {
    Failure::Refused(format!("{step}: refused with {error:?}"))
}

impl Demo {
    /// Deploys the market, with a lender, a keeper, two bidders and so many owners.
    async fn set_up(mut node: Node, arguments: &DemoArgs) -> Result<Self, Failure> {
        let meter = Meter::new(arguments.quiet);
        let count = arguments.positions;
        let first_block = block(&node).await?;
        // A node that was used before keeps what earlier runs deployed, and its accounts.
        let name = format!("demo-{first_block}");
        let mut config =
            MarketConfig::read(MARKET).map_err(|error| refused("the market", error))?;
        config.name.clone_from(&name);
        meter.stage("deploying", 1);
        let governor = development("//Alice")?;
        let (keep, quiet) = (&mut |_: &_| Ok(()), &mut |_: &str| ());
        let (record, _) = deploy(&mut node, &governor, &config, None, keep, quiet).await?;
        let d = record
            .deployment()
            .ok_or_else(|| Failure::Refused("the deployment is not whole".to_owned()))?;
        let of = |who: &str| development(&format!("//Alice//{name}//{who}"));
        let mut demo = Self {
            keeper: of("keeper")?,
            bidders: vec![of("one")?, of("two")?],
            owners: Vec::new(),
            sold: Vec::new(),
            node,
            d,
            config,
            first_block,
            meter,
            name: name.clone(),
        };
        let lender = of("lender")?;
        let everybody = [&lender, &demo.keeper, &demo.bidders[0], &demo.bidders[1]];
        for who in everybody {
            demo.endow(who).await?;
        }
        demo.set_price(ENTRY).await?;
        let all = quote(2 * DEBTS.1 * u128::from(count));
        demo.fund(&lender, d.quote, all, d.vault).await?;
        let message = d.vault().call_mut().supply(d.market, all);
        send(&mut demo.node, &lender, d.vault, "supply", message).await?;
        for bidder in demo.bidders.clone() {
            demo.fund(&bidder, d.quote, all, d.auction).await?;
            let message = d.auction().call_mut().deposit(d.market, all);
            send(&mut demo.node, &bidder, d.auction, "deposit", message).await?;
        }
        demo.meter.stage("opening positions", u64::from(count));
        for nth in 0..count {
            demo.open(nth, count).await?;
            demo.meter.done();
        }
        Ok(demo)
    }

    async fn endow(&self, who: &KeySigner) -> Result<(), Failure> {
        let payer = development("//Dave")?;
        let paid = self.node.pay(&payer, who.account_id(), PURSE).await;
        paid.map_err(|error| Failure::Step(StepError::at("pay")(error)))
    }

    async fn fund(
        &mut self,
        who: &KeySigner,
        token: AccountId,
        amount: Amount,
        spender: AccountId,
    ) -> Result<(), Failure> {
        let d = self.d;
        Ok(d.fund(&mut self.node, who, token, amount, spender).await?)
    }

    /// Opens a position; the debts are spread evenly.
    async fn open(&mut self, nth: u32, count: u32) -> Result<(), Failure> {
        let d = self.d;
        let owner = development(&format!("//Alice//{}//owner{nth}", self.name))?;
        self.endow(&owner).await?;
        let collateral = Amount::new(COLLATERAL * 10u128.pow(18));
        let share = u128::from(nth) * (DEBTS.1 - DEBTS.0) / u128::from(count - 1);
        self.fund(&owner, d.collateral, collateral, d.vault).await?;
        let debt = quote(DEBTS.0 + share);
        let message = d
            .vault()
            .call_mut()
            .deposit_and_borrow(d.market, collateral, debt);
        send(&mut self.node, &owner, d.vault, "borrow", message).await?;
        self.owners.push(owner.account_id());
        Ok(())
    }

    /// Has all feeders submit, twice: health is judged at the better of two rounds.
    async fn set_price(&mut self, whole: u128) -> Result<(), Failure> {
        let feeders = [
            development("//Alice")?,
            development("//Bob")?,
            development("//Charlie")?,
        ];
        let d = self.d;
        for _ in 0..2 {
            self.advance(1).await?;
            let now = self.node.now().await.map_err(StepError::at("clock"))?;
            let price = Price::new(whole * PRICE_ONE);
            d.submit_price(&mut self.node, &feeders, price, now).await?;
        }
        Ok(())
    }

    async fn advance(&mut self, blocks: u32) -> Result<(), Failure> {
        let made = self.node.advance(blocks).await;
        Ok(made.map_err(StepError::at("a block"))?)
    }

    async fn at_risk(&self, whole: u128) -> Result<u32, Failure> {
        let price = Price::new(whole * PRICE_ONE);
        let message = self.d.vault().call().at_risk(self.d.market, price);
        let answer: Result<AtRisk, VaultError> =
            ask(&self.node, self.d.vault, "at risk", message).await?;
        Ok(answer.map_err(|error| refused("at risk", error))?.members)
    }

    async fn auction(&self, batch: BatchKey) -> Result<AuctionRecord, Failure> {
        let message = self.d.auction().call().auction(batch);
        let found: Option<AuctionRecord> =
            ask(&self.node, self.d.auction, "batch", message).await?;
        found.ok_or_else(|| refused("batch", batch))
    }

    /// Opens a batch, has each bidder offer half of what it asks for, settles and claims.
    async fn batch(&mut self, whole: u128) -> Result<Sale, Failure> {
        let (d, keeper, bidders) = (self.d, self.keeper.clone(), self.bidders.clone());
        self.meter.stage("selling a batch", 5);
        let before = self.at_risk(whole).await?;
        let message = d.auction().call_mut().open_batch(d.market);
        let batch = send(&mut self.node, &keeper, d.auction, "open", message)
            .await?
            .value;
        let positions = before - self.at_risk(whole).await?;
        self.meter.done();
        let auction = self.auction(batch).await?.auction;
        let at = usize::from(STEP).min(auction.prices.len().saturating_sub(1));
        let (limit, target) = (auction.prices[at], auction.targets[at]);
        let half = Amount::new(target.get().div_ceil(2));
        let (mut bids, mut last) = (Vec::new(), STEP);
        for bidder in &bidders {
            let message = d.auction().call_mut().bid(batch, half, limit, u32::MAX);
            let receipt = send(&mut self.node, bidder, d.auction, "bid", message).await?;
            let placed: Vec<BidPlaced> = receipt
                .events_of(d.auction)
                .map_err(|error| refused("bid", error))?;
            let placed = placed.first().ok_or_else(|| refused("bid", "no event"))?;
            bids.push(placed.bid);
            last = last.max(placed.step);
        }
        self.meter.done();
        let ends = auction.schedule.begins(last.saturating_add(1));
        self.advance(ends.saturating_sub(block(&self.node).await?))
            .await?;
        self.meter.done();
        let message = d.auction().call_mut().settle(batch);
        let settled = send(&mut self.node, &keeper, d.auction, "settle", message).await?;
        let mut rested = settled.value.rested;
        while !rested {
            let message = d
                .vault()
                .call_mut()
                .rest(batch.market, batch.number, REST_CELLS);
            let put_back = send(&mut self.node, &keeper, d.vault, "rest", message).await?;
            rested = put_back.value;
        }
        self.meter.done();
        let Phase::Settled(clearing) = self.auction(batch).await?.auction.phase else {
            return Err(refused("settle", "it is not settled"));
        };
        let mut fills = Vec::new();
        for (bidder, bid) in bidders.iter().zip(bids) {
            let message = d.auction().call_mut().claim(batch, vec![bid]);
            fills.push(
                send(&mut self.node, bidder, d.auction, "claim", message)
                    .await?
                    .value,
            );
        }
        self.meter.done();
        self.sold.push(batch);
        Ok(Sale {
            number: batch.number,
            oracle: Price::new(whole * PRICE_ONE),
            positions,
            price: clearing.price,
            sold: clearing.sold,
            raised: clearing.raised,
            shortfall: auction.targets[usize::from(clearing.step)].minus_or_zero(clearing.raised),
            fills,
        })
    }

    /// Checks the promises a user can see, and prints what happened.
    async fn report(&mut self, sales: &[Sale], json: bool) -> Result<(), Failure> {
        self.meter.stage("taking stock", 1);
        let d = self.d;
        let books = Books::read(&self.node, &d, &self.sold).await?;
        if let Some(fault) = books.fault() {
            return Err(Failure::Refused(format!(
                "the books do not balance: {fault}"
            )));
        }
        let mut untouched = 0;
        for owner in &self.owners {
            let message = d.vault().call().position(d.market, *owner);
            let view: Result<PositionView, VaultError> =
                ask(&self.node, d.vault, "position", message).await?;
            let view = view.map_err(|error| refused("position", error))?;
            untouched += usize::from(view.collateral.get() == COLLATERAL * 10u128.pow(18));
        }
        let mut received = Amount::ZERO;
        for bidder in &self.bidders {
            let got = held(&self.node, d.collateral, bidder.account_id()).await?;
            received = received
                .plus(got)
                .map_err(|error| refused("stock", error))?;
        }
        let scale = self
            .config
            .params
            .scale()
            .map_err(|error| refused("stock", error))?;
        // One price for all: what each paid is what it got at the batch's price, to a unit of rounding.
        for (sale, fill) in sales
            .iter()
            .flat_map(|sale| sale.fills.iter().map(move |fill| (sale, fill)))
        {
            let worth = scale.value(fill.received, sale.price, Rounding::Down);
            let worth = worth.map_err(|error| refused("stock", error))?;
            if fill.spent.get().abs_diff(worth.get()) > 1 {
                return Err(Failure::Refused(format!(
                    "batch {}: a bidder did not pay the batch's price",
                    sale.number
                )));
            }
        }
        let blocks = block(&self.node).await?.saturating_sub(self.first_block);
        let shown = Shown {
            blocks,
            untouched,
            received,
            vault: show_address(d.vault),
            auction: show_address(d.auction),
        };
        let printed = match json {
            true => print_json(&shown.json(self.owners.len(), sales)),
            false => print(&shown.text(self.owners.len(), sales)),
        };
        printed.map_err(Failure::Stdout)
    }
}

/// What is shown beside the sales.
struct Shown {
    blocks: u32,
    untouched: usize,
    received: Amount,
    vault: String,
    auction: String,
}

fn tokens(amount: Amount, decimals: u8) -> String {
    decimal::show(amount.get(), decimals)
}

impl Shown {
    fn json(&self, positions: usize, sales: &[Sale]) -> Value {
        let sale = |sale: &Sale| {
            json!({
                "batch": sale.number,
                "oracle_price": show_price(sale.oracle),
                "positions": sale.positions,
                "price": show_price(sale.price),
                "collateral_sold": tokens(sale.sold, 18),
                "raised": tokens(sale.raised, 6),
                "shortfall": tokens(sale.shortfall, 6),
            })
        };
        json!({
            "positions": positions,
            "untouched": self.untouched,
            "batches": sales.iter().map(sale).collect::<Vec<_>>(),
            "bidders_received": tokens(self.received, 18),
            "blocks": self.blocks,
            "vault": self.vault,
            "auction": self.auction,
        })
    }

    fn text(&self, positions: usize, sales: &[Sale]) -> String {
        let mut text = format!(
            "{:>5} {:>9} {:>9} {:>14} {:>24} {:>14} {:>10}\n",
            "batch", "oracle", "positions", "price", "collateral sold", "raised", "shortfall"
        );
        for sale in sales {
            text.push_str(&format!(
                "{:>5} {:>9} {:>9} {:>14.14} {:>24} {:>14} {:>10}\n",
                sale.number,
                show_price(sale.oracle),
                sale.positions,
                show_price(sale.price),
                tokens(sale.sold, 18),
                tokens(sale.raised, 6),
                tokens(sale.shortfall, 6),
            ));
        }
        text.push_str(&format!(
            "{} of {positions} positions sold nothing; {} blocks; every bidder paid the batch's price; the books balance\n\
             vault {}, auction {}\n",
            self.untouched, self.blocks, self.vault, self.auction
        ));
        text
    }
}

fn development(suri: &str) -> Result<KeySigner, Failure> {
    KeySigner::from_suri(suri).map_err(|error| Failure::Usage(error.to_string()))
}

async fn block(node: &Node) -> Result<u32, Failure> {
    Ok(node.block().await.map_err(StepError::at("block"))?)
}
