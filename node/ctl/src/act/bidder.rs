//! What bidders send, besides `bid` and `claim`: their balance with the auction, bids that have not
//! joined, and standing bids.

use super::{event, At, BidTerms, Session};
use crate::failure::Failure;
use crate::market::{parse_price, show_price};
use crate::on_node::block_on;
use crate::output::Answer;
use breakwater_chain::Signer;
use breakwater_core::units::Amount;
use breakwater_interfaces::auction::{
    BalanceChanged, Bid, BidCancelled, BidReplaced, LiquidationAuction,
};
use breakwater_interfaces::standing::{StandingBids, StandingChanged, StandingClaimed};
use ink::codegen::TraitCallBuilder;

/// Add quote to the signer's balance with the auction. Bids and standing bids come out of it.
#[derive(Debug, clap::Args)]
pub(crate) struct FundArgs {
    /// How much, in whole tokens
    #[arg(value_name = "QUOTE")]
    amount: String,

    #[command(flatten)]
    at: At,
}

/// How much is taken out.
#[derive(Debug, clap::Args)]
struct Part {
    /// How much, in whole tokens
    #[arg(value_name = "QUOTE", required_unless_present = "all")]
    amount: Option<String>,

    /// All of it
    #[arg(long, conflicts_with = "amount")]
    all: bool,
}

/// Take quote out of the signer's free balance with the auction.
#[derive(Debug, clap::Args)]
pub(crate) struct UnfundArgs {
    #[command(flatten)]
    part: Part,

    #[command(flatten)]
    at: At,
}

/// Change the budget and the limit of a bid before its step begins. What the balance with the auction
/// lacks is deposited first.
#[derive(Debug, clap::Args)]
pub(crate) struct ReplaceArgs {
    /// Number of the batch
    #[arg(value_name = "NUMBER")]
    number: u32,

    /// Number of the bid
    #[arg(value_name = "BID")]
    bid: u32,

    #[command(flatten)]
    terms: BidTerms,

    #[command(flatten)]
    at: At,
}

/// Take a bid back before its step begins.
#[derive(Debug, clap::Args)]
pub(crate) struct CancelArgs {
    /// Number of the batch
    #[arg(value_name = "NUMBER")]
    number: u32,

    /// Number of the bid
    #[arg(value_name = "BID")]
    bid: u32,

    #[command(flatten)]
    at: At,
}

/// Which tier of standing bids.
#[derive(Debug, clap::Args)]
struct Tier {
    /// The tier's discount in whole per cent, 2 to 30
    #[arg(value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(2..=30))]
    percent: u8,
}

/// Put quote into a tier of standing bids, which buys in every batch opened from now on. What the
/// balance with the auction lacks is deposited first.
#[derive(Debug, clap::Args)]
pub(crate) struct StandArgs {
    #[command(flatten)]
    tier: Tier,

    /// How much, in whole tokens
    #[arg(value_name = "QUOTE")]
    amount: String,

    #[command(flatten)]
    at: At,
}

/// Take quote out of a tier of standing bids, back to the balance with the auction: at once, or by
/// `claim-standing` when the batches that have money of the tier reserved have settled.
#[derive(Debug, clap::Args)]
pub(crate) struct UnstandArgs {
    #[command(flatten)]
    tier: Tier,

    #[command(flatten)]
    part: Part,

    #[command(flatten)]
    at: At,
}

/// Claim what the signer's money in a tier has bought, and what of it has left the tier.
#[derive(Debug, clap::Args)]
pub(crate) struct ClaimStandingArgs {
    #[command(flatten)]
    tier: Tier,

    #[command(flatten)]
    at: At,
}

/// `breakwaterctl fund`.
pub(crate) fn fund(arguments: &FundArgs) -> Result<(), Failure> {
    let at = &arguments.at;
    block_on(async {
        let mut session = Session::open(at).await?;
        let amount = session.m.parse_quote(&arguments.amount)?;
        let (d, mut answer) = (session.m.d, Answer::default());
        session.approve(d.quote, d.auction, amount).await?;
        let message = d.auction().call_mut().deposit(d.market, amount);
        let receipt = session.send(d.auction, "fund", message).await?;
        let changed: BalanceChanged = event(&receipt, d.auction)?;
        answer.add("deposited", session.m.quote(amount), "quote");
        let balance = session.m.quote(changed.balance);
        answer.add("bidding_balance", balance, "quote");
        session.print(answer, at.market.json)
    })
}

/// `breakwaterctl unfund`.
pub(crate) fn unfund(arguments: &UnfundArgs) -> Result<(), Failure> {
    let at = &arguments.at;
    block_on(async {
        let mut session = Session::open(at).await?;
        let (d, mut answer) = (session.m.d, Answer::default());
        let free = session.free_balance().await?;
        let amount = match &arguments.part.amount {
            Some(amount) => session.m.parse_quote(amount)?,
            None => free,
        };
        if free.is_zero() || amount > free {
            return Err(Failure::Usage(format!(
                "the account's free balance with the auction is {} quote: `unstand`, `cancel` and \
                 `claim` bring money back to it",
                session.m.quote(free)
            )));
        }
        let message = d.auction().call_mut().withdraw(d.market, amount);
        let receipt = session.send(d.auction, "unfund", message).await?;
        let changed: BalanceChanged = event(&receipt, d.auction)?;
        answer.add("withdrawn", session.m.quote(amount), "quote");
        let balance = session.m.quote(changed.balance);
        answer.add("bidding_balance", balance, "quote");
        session.print(answer, at.market.json)
    })
}

/// `breakwaterctl replace`.
pub(crate) fn replace(arguments: &ReplaceArgs) -> Result<(), Failure> {
    let limit = parse_price(&arguments.terms.limit)?;
    let at = &arguments.at;
    block_on(async {
        let mut session = Session::open(at).await?;
        let budget = session.m.parse_quote(&arguments.terms.budget)?;
        let (d, mut answer) = (session.m.d, Answer::default());
        let (batch, bid) = (session.m.batch(arguments.number), arguments.bid);
        let message = d.auction().call().bid_of(batch, bid);
        let old: Option<Bid> = session.m.ask(d.auction, "bid", message).await?;
        let old = old
            .filter(|old| old.bidder == session.who.account_id())
            .ok_or_else(|| {
                Failure::Usage(format!(
                    "the account has no bid {bid} in batch {}: `batch` with --owner lists its bids",
                    batch.number
                ))
            })?;
        let more = budget.minus_or_zero(old.budget);
        let until = arguments.terms.valid_until.unwrap_or(u32::MAX);
        let mut auction = d.auction();
        let message = auction.call_mut().replace(batch, bid, budget, limit, until);
        let (receipt, lacking) = session.spend("replace", more, message).await?;
        let replaced: BidReplaced = event(&receipt, d.auction)?;
        answer.add("bid", bid, "");
        answer.add("step", replaced.step, "");
        answer.add("budget", session.m.quote(replaced.budget), "quote");
        answer.add("limit", show_price(replaced.limit), "quote per collateral");
        answer.add("deposited", session.m.quote(lacking), "quote");
        session.print(answer, at.market.json)
    })
}

/// `breakwaterctl cancel`.
pub(crate) fn cancel(arguments: &CancelArgs) -> Result<(), Failure> {
    let at = &arguments.at;
    block_on(async {
        let mut session = Session::open(at).await?;
        let (d, mut answer) = (session.m.d, Answer::default());
        let batch = session.m.batch(arguments.number);
        let message = d.auction().call_mut().cancel(batch, arguments.bid);
        let receipt = session.send(d.auction, "cancel", message).await?;
        let cancelled: BidCancelled = event(&receipt, d.auction)?;
        answer.add("cancelled", cancelled.bid, "");
        let balance = session.free_balance().await?;
        answer.add("bidding_balance", session.m.quote(balance), "quote");
        session.print(answer, at.market.json)
    })
}

/// `breakwaterctl stand`.
pub(crate) fn stand(arguments: &StandArgs) -> Result<(), Failure> {
    let at = &arguments.at;
    block_on(async {
        let mut session = Session::open(at).await?;
        let amount = session.m.parse_quote(&arguments.amount)?;
        let (d, mut answer) = (session.m.d, Answer::default());
        let percent = arguments.tier.percent;
        let message = d.standing().call_mut().stand(d.market, percent, amount);
        let (receipt, lacking) = session.spend("stand", amount, message).await?;
        let changed: StandingChanged = event(&receipt, d.auction)?;
        answer.add("tier", changed.percent, "% under the oracle's price");
        answer.add("entered", session.m.quote(changed.entered), "quote");
        answer.add("deposited", session.m.quote(lacking), "quote");
        session.print(answer, at.market.json)
    })
}

/// `breakwaterctl unstand`.
pub(crate) fn unstand(arguments: &UnstandArgs) -> Result<(), Failure> {
    let at = &arguments.at;
    block_on(async {
        let mut session = Session::open(at).await?;
        let (d, mut answer) = (session.m.d, Answer::default());
        // At most all there is is taken.
        let amount = match &arguments.part.amount {
            Some(amount) => session.m.parse_quote(amount)?,
            None => Amount::new(u128::MAX),
        };
        let percent = arguments.tier.percent;
        let message = d.standing().call_mut().unstand(d.market, percent, amount);
        let receipt = session.send(d.auction, "unstand", message).await?;
        let changed: StandingChanged = event(&receipt, d.auction)?;
        answer.add("tier", changed.percent, "% under the oracle's price");
        answer.add("asked", session.m.quote(changed.asked), "quote");
        let returned = session.m.quote(changed.returned);
        answer.add(
            "returned",
            returned,
            "quote, to the balance with the auction",
        );
        session.print(answer, at.market.json)
    })
}

/// `breakwaterctl claim-standing`.
pub(crate) fn claim_standing(arguments: &ClaimStandingArgs) -> Result<(), Failure> {
    let at = &arguments.at;
    block_on(async {
        let mut session = Session::open(at).await?;
        let (d, mut answer) = (session.m.d, Answer::default());
        let mut standing = d.standing();
        let message = standing
            .call_mut()
            .claim_standing(d.market, arguments.tier.percent);
        let receipt = session.send(d.auction, "claim standing", message).await?;
        let claimed: StandingClaimed = event(&receipt, d.auction)?;
        answer.add("tier", claimed.percent, "% under the oracle's price");
        let received = session.m.collateral(claimed.payout.collateral);
        answer.add("received", received, "collateral");
        let returned = session.m.quote(claimed.payout.quote);
        answer.add(
            "returned",
            returned,
            "quote, to the balance with the auction",
        );
        session.print(answer, at.market.json)
    })
}
