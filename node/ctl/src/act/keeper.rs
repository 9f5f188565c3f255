//! What keepers send, and anyone may: a batch from its opening to the last cohort put back, and what
//! is due at the end of a notice.

use super::{event, event_if_any, At, Session};
use crate::failure::Failure;
use crate::market::{parse_account, parse_address, show_price};
use crate::on_node::block_on;
use crate::output::Answer;
use breakwater_core::auction::Clearing;
use breakwater_interfaces::auction::{
    AuctionCleared, AuctionExtended, AuctionOpened, LiquidationAuction,
};
use breakwater_interfaces::oracle::OracleAdapter;
use breakwater_interfaces::vault::{BatchOpened, BatchSettled, MarginVault, RewardClaimed};
use breakwater_interfaces::vault_admin::{Change, MarketChanged, VaultAdmin};
use ink::codegen::TraitCallBuilder;

/// What needs no more than a market and a signer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Opens a batch.
    Open,
    /// Takes a keeper's rewards.
    ClaimReward,
    /// Puts announced parameters of the market into force.
    ApplyParams,
    /// Puts the announced configuration of its feed into force.
    ApplyFeed,
}

/// What is done with a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BatchDeed {
    /// Adds what has become liquidatable since.
    Extend,
    /// Judges its ended steps.
    Clear,
    /// Ends an auction whose ladder the market has left.
    Reprice,
    /// Pays the vault and takes the collateral.
    Settle,
}

/// One transaction that anyone may send for the market.
#[derive(Debug, clap::Args)]
pub(crate) struct KeepArgs {
    #[command(flatten)]
    at: At,
}

/// One transaction that anyone may send for a batch.
#[derive(Debug, clap::Args)]
pub(crate) struct KeepBatchArgs {
    /// Number of the batch
    #[arg(value_name = "NUMBER")]
    number: u32,

    #[command(flatten)]
    at: At,
}

/// Put what a settled batch has left back into its place, as far as one transaction goes.
#[derive(Debug, clap::Args)]
pub(crate) struct RestArgs {
    /// Number of the batch
    #[arg(value_name = "NUMBER")]
    number: u32,

    /// The most cells to put back
    #[arg(long, value_name = "COUNT", default_value_t = 64)]
    cells: u16,

    #[command(flatten)]
    at: At,
}

/// End a position's debt for collateral at the floor price, for the lenders: in a wind-down older than
/// the market's notice, after an auction that found too little money.
#[derive(Debug, clap::Args)]
pub(crate) struct TakeInKindArgs {
    /// Whose position
    #[arg(long, value_name = "ADDRESS")]
    owner: String,

    #[command(flatten)]
    at: At,
}

/// Have the oracle fetch the price of one of its sources, and submit it.
#[derive(Debug, clap::Args)]
pub(crate) struct PokeArgs {
    /// Address of the source
    #[arg(long, value_name = "ADDRESS")]
    source: String,

    #[command(flatten)]
    at: At,
}

/// `breakwaterctl open`, `claim-reward`, `apply-params` and `apply-feed`.
pub(crate) fn keep(deed: Deed, arguments: &KeepArgs) -> Result<(), Failure> {
    let at = &arguments.at;
    block_on(async {
        let mut session = Session::open(at).await?;
        let (d, mut answer) = (session.m.d, Answer::default());
        match deed {
            Deed::Open => {
                let message = d.auction().call_mut().open_batch(d.market);
                let receipt = session.send(d.auction, "open", message).await?;
                let opened: AuctionOpened = event(&receipt, d.auction)?;
                let pooled: BatchOpened = event(&receipt, d.vault)?;
                let unit = "quote per collateral";
                answer.add("batch", opened.batch.number, "");
                answer.add("positions", pooled.members, "");
                let collateral = session.m.collateral(pooled.collateral);
                answer.add("collateral", collateral, "collateral");
                answer.add("debt", session.m.quote(pooled.debt), "quote");
                answer.add("first_block", opened.first, "");
                let start = opened.prices.first().copied().map(show_price);
                answer.add("start_price", start, unit);
                let floor = opened.prices.last().copied().map(show_price);
                answer.add("floor", floor, unit);
            }
            Deed::ClaimReward => {
                let message = d.vault().call_mut().claim_reward(d.market);
                let receipt = session.send(d.vault, "claim reward", message).await?;
                let claimed: RewardClaimed = event(&receipt, d.vault)?;
                answer.add("paid", session.m.quote(claimed.amount), "quote");
            }
            Deed::ApplyParams => {
                let message = d.admin().call_mut().apply_params(d.market);
                session.send(d.vault, "apply parameters", message).await?;
                let unit = "`maintain` has the auction take them over";
                answer.add("applied", "parameters", unit);
            }
            Deed::ApplyFeed => {
                let message = d.oracle().call_mut().apply_feed(d.feed);
                session.send(d.oracle, "apply feed", message).await?;
                answer.add("applied", "configuration of the feed", "");
            }
        }
        session.print(answer, at.market.json)
    })
}

fn show(answer: &mut Answer, session: &Session, clearing: &Clearing) {
    answer.add("ended", format!("{:?}", clearing.end), "");
    let price = show_price(clearing.price);
    answer.add("clearing_price", price, "quote per collateral");
    answer.add("raised", session.m.quote(clearing.raised), "quote");
    let sold = session.m.collateral(clearing.sold);
    answer.add("sold", sold, "collateral");
}

/// `breakwaterctl extend`, `clear`, `reprice` and `settle`.
pub(crate) fn keep_batch(deed: BatchDeed, arguments: &KeepBatchArgs) -> Result<(), Failure> {
    let at = &arguments.at;
    block_on(async {
        let mut session = Session::open(at).await?;
        let (d, mut answer) = (session.m.d, Answer::default());
        let (mut auction, batch) = (d.auction(), session.m.batch(arguments.number));
        answer.add("batch", batch.number, "");
        match deed {
            BatchDeed::Extend => {
                let message = auction.call_mut().extend(batch);
                let receipt = session.send(d.auction, "extend", message).await?;
                let extended: AuctionExtended = event(&receipt, d.auction)?;
                let target = extended.targets.first().copied();
                let target = target.map(|target| session.m.quote(target));
                answer.add("target", target, "quote, at the start price");
            }
            BatchDeed::Clear => {
                let message = auction.call_mut().advance(batch);
                let receipt = session.send(d.auction, "clear", message).await?;
                // Somebody may have been faster: then there is no event.
                let cleared: Option<AuctionCleared> = event_if_any(&receipt, d.auction)?;
                let clearing = cleared.map_or(receipt.value, |event| event.clearing);
                show(&mut answer, &session, &clearing);
            }
            BatchDeed::Reprice => {
                let message = auction.call_mut().reprice(batch);
                let receipt = session.send(d.auction, "reprice", message).await?;
                let cleared: AuctionCleared = event(&receipt, d.auction)?;
                show(&mut answer, &session, &cleared.clearing);
            }
            BatchDeed::Settle => {
                let message = auction.call_mut().settle(batch);
                let receipt = session.send(d.auction, "settle", message).await?;
                let settled: BatchSettled = event(&receipt, d.vault)?;
                let (done, losses) = (settled.settlement, settled.settlement.waterfall);
                let m = &session.m;
                let price = show_price(done.price);
                answer.add("price", price, "quote per collateral");
                answer.add("raised", m.quote(done.raised), "quote");
                answer.add("sold", m.collateral(done.sold), "collateral");
                answer.add("repaid", m.quote(done.repaid), "quote");
                answer.add("penalties", m.quote(done.penalties), "quote");
                answer.add("shortfall", m.quote(losses.shortfall), "quote");
                answer.add("lenders_lost", m.quote(losses.from_lenders), "quote");
                let reward = losses.reward.plus(losses.top_up).unwrap_or_default();
                let unit = "quote; half to who opened it, half to who settled it";
                answer.add("reward", m.quote(reward), unit);
                answer.add("rested", done.rested, "");
            }
        }
        session.print(answer, at.market.json)
    })
}

/// `breakwaterctl rest`.
pub(crate) fn rest(arguments: &RestArgs) -> Result<(), Failure> {
    let at = &arguments.at;
    block_on(async {
        let mut session = Session::open(at).await?;
        let (d, mut answer) = (session.m.d, Answer::default());
        let (number, cells) = (arguments.number, arguments.cells);
        let message = d.vault().call_mut().rest(d.market, number, cells);
        let done = session.send(d.vault, "rest", message).await?.value;
        answer.add("batch", number, "");
        answer.add("rested", done, "");
        session.print(answer, at.market.json)
    })
}

/// `breakwaterctl take-in-kind`.
pub(crate) fn take_in_kind(arguments: &TakeInKindArgs) -> Result<(), Failure> {
    let owner = parse_account(&arguments.owner)?;
    let at = &arguments.at;
    block_on(async {
        let mut session = Session::open(at).await?;
        let (d, mut answer) = (session.m.d, Answer::default());
        let message = d.admin().call_mut().take_in_kind(d.market, owner);
        let receipt = session.send(d.vault, "take in kind", message).await?;
        let changed: MarketChanged = event(&receipt, d.vault)?;
        if let Change::TookInKind { taken, .. } = changed.change {
            let m = &session.m;
            let price = show_price(taken.price);
            answer.add("price", price, "quote per collateral");
            answer.add("taken", m.collateral(taken.collateral), "collateral");
            let left = m.collateral(taken.returned);
            answer.add("left_to_owner", left, "collateral");
            answer.add("debt_ended", m.quote(taken.debt), "quote");
            answer.add("shortfall", m.quote(taken.shortfall), "quote");
        }
        session.print(answer, at.market.json)
    })
}

/// `breakwaterctl poke`.
pub(crate) fn poke(arguments: &PokeArgs) -> Result<(), Failure> {
    let source = parse_address("--source", &arguments.source)?;
    let at = &arguments.at;
    block_on(async {
        let mut session = Session::open(at).await?;
        let (d, mut answer) = (session.m.d, Answer::default());
        let message = d.oracle().call_mut().poke(d.feed, source);
        let round = session.send(d.oracle, "poke", message).await?.value;
        let price = round.map(|round| show_price(round.price));
        answer.add("round", price, "quote per collateral, if it completed one");
        session.print(answer, at.market.json)
    })
}
