//! What borrowers send, besides `deposit`, `borrow` and `withdraw`.

use super::{event, event_if_any, At, Session};
use crate::failure::Failure;
use crate::market::{parse_account, show_price};
use crate::on_node::block_on;
use crate::output::Answer;
use breakwater_chain::{Chain, Signer};
use breakwater_core::math::Rounding;
use breakwater_core::position::PositionView;
use breakwater_core::units::{Amount, Price, Ratio, PRICE_ONE};
use breakwater_interfaces::auction::{AuctionRecord, LiquidationAuction, OwnerLeft};
use breakwater_interfaces::vault::{
    Borrowed, Deposited, MarginVault, Market, Reclaimed, Repaid, VaultError, Withdrawn,
};
use ink::codegen::TraitCallBuilder;

/// What `close` approves beyond the debt, for interest until its block: a part in so many.
const INTEREST_UNTIL_THEN: u128 = 10_000;

/// Repay debt, at most what is owed.
#[derive(Debug, clap::Args)]
pub(crate) struct RepayArgs {
    /// How much, in whole tokens
    #[arg(value_name = "QUOTE")]
    amount: String,

    /// Whose debt; without it, the signer's
    #[arg(long, value_name = "ADDRESS")]
    owner: Option<String>,

    #[command(flatten)]
    at: At,
}

/// Add collateral and borrow against it, in one transaction.
#[derive(Debug, clap::Args)]
pub(crate) struct DepositAndBorrowArgs {
    /// Collateral to add, in whole tokens
    #[arg(long, value_name = "COLLATERAL")]
    deposit: String,

    /// Quote to borrow, in whole tokens
    #[arg(long, value_name = "QUOTE")]
    borrow: String,

    #[command(flatten)]
    at: At,
}

/// Repay debt, at most what is owed, and take collateral out, in one transaction.
#[derive(Debug, clap::Args)]
pub(crate) struct RepayAndWithdrawArgs {
    /// Quote to repay, in whole tokens
    #[arg(long, value_name = "QUOTE")]
    repay: String,

    /// Collateral to take out, in whole tokens
    #[arg(long, value_name = "COLLATERAL")]
    withdraw: String,

    #[command(flatten)]
    at: At,
}

/// Repay all that is owed, with interest, and take everything back. No price is needed.
#[derive(Debug, clap::Args)]
pub(crate) struct CloseArgs {
    #[command(flatten)]
    at: At,
}

/// Take the position out of the batch it is in, for the keeper's tip, as long as no ended step of its
/// auction has cleared. It needs target health at the price the batch was opened at.
#[derive(Debug, clap::Args)]
pub(crate) struct LeaveArgs {
    #[command(flatten)]
    at: At,
}

/// Take back what was repaid while the position was in a batch and the batch did not need.
#[derive(Debug, clap::Args)]
pub(crate) struct ReclaimArgs {
    #[command(flatten)]
    at: At,
}

/// Bring a position up to date with the batches it was in. Anyone may, for anyone.
#[derive(Debug, clap::Args)]
pub(crate) struct SyncArgs {
    /// Whose; without it, the signer's
    #[arg(long, value_name = "ADDRESS")]
    owner: Option<String>,

    /// The most batches and mergers to follow in one transaction
    #[arg(long, value_name = "COUNT", default_value_t = 32)]
    moves: u16,

    #[command(flatten)]
    at: At,
}

impl Session {
    /// The signer's position without a price: what is owed and whether a batch has it. No oracle is
    /// asked.
    async fn position(&self) -> Result<PositionView, Failure> {
        let (d, owner) = (self.m.d, self.who.account_id());
        let message = d
            .vault()
            .call()
            .position_at(d.market, owner, Price::new(PRICE_ONE));
        self.m
            .view::<_, VaultError>(d.vault, "position", message)
            .await
    }

    async fn market(&self) -> Result<Market, Failure> {
        let d = self.m.d;
        let message = d.vault().call().market(d.market);
        let market: Option<Market> = self.m.ask(d.vault, "market", message).await?;
        market.ok_or_else(|| Failure::Usage("there is no such market".to_owned()))
    }

    /// How much to repay first, for a position that may not leave its batch yet.
    async fn under_target_health(&self, number: u32) -> Result<Failure, Failure> {
        let (d, market) = (self.m.d, self.market().await?);
        let message = d.auction().call().auction(self.m.batch(number));
        let found: Option<AuctionRecord> = self.m.ask(d.auction, "batch", message).await?;
        let found = found.ok_or_else(|| Failure::Usage(format!("there is no batch {number}")))?;
        let (position, reference) = (self.position().await?, found.auction.reference);
        let now = self.m.node.now().await;
        let now = now.map_err(|error| Failure::Refused(error.to_string()))?;
        let most = most_debt(&market, position.collateral, reference, now);
        let most = most.map_err(|error| Failure::Refused(format!("{error:?}")))?;
        let missing = self.m.quote(position.debt.minus_or_zero(most));
        let at = show_price(reference);
        Ok(Failure::Refused(format!(
            "leave: the position lacks target health at {at}, the price its batch was opened at: \
             `repay` {missing} quote or `deposit` collateral first"
        )))
    }
}

/// The most that may be owed on so much collateral at target health, rounded down.
fn most_debt(
    market: &Market,
    collateral: Amount,
    price: Price,
    now: u64,
) -> Result<Amount, VaultError> {
    let (params, down) = (&market.params, Rounding::Down);
    let value = params.scale()?.value(collateral, price, down)?;
    let backing = value.share(market.threshold_at(now)?, down)?;
    let (one, target) = (Ratio::ONE.ppm(), params.target_health.ppm());
    Ok(backing.mul_div(one, target, down)?)
}

/// `breakwaterctl repay`.
pub(crate) fn repay(arguments: &RepayArgs) -> Result<(), Failure> {
    let owner = arguments.owner.as_deref().map(parse_account).transpose()?;
    let at = &arguments.at;
    block_on(async {
        let mut session = Session::open(at).await?;
        let amount = session.m.parse_quote(&arguments.amount)?;
        let (d, mut answer) = (session.m.d, Answer::default());
        session.approve(d.quote, d.vault, amount).await?;
        let owner = owner.unwrap_or_else(|| session.who.account_id());
        let message = d.vault().call_mut().repay(d.market, owner, amount);
        let receipt = session.send(d.vault, "repay", message).await?;
        let repaid: Repaid = event(&receipt, d.vault)?;
        answer.add("repaid", session.m.quote(repaid.amount), "quote");
        session.print(answer, at.market.json)
    })
}

/// `breakwaterctl deposit-and-borrow`.
pub(crate) fn deposit_and_borrow(arguments: &DepositAndBorrowArgs) -> Result<(), Failure> {
    let at = &arguments.at;
    block_on(async {
        let mut session = Session::open(at).await?;
        let collateral = session.m.parse_collateral(&arguments.deposit)?;
        let quote = session.m.parse_quote(&arguments.borrow)?;
        let (d, mut answer) = (session.m.d, Answer::default());
        session.approve(d.collateral, d.vault, collateral).await?;
        let mut vault = d.vault();
        let message = vault
            .call_mut()
            .deposit_and_borrow(d.market, collateral, quote);
        let receipt = session.send(d.vault, "deposit and borrow", message).await?;
        let deposited: Deposited = event(&receipt, d.vault)?;
        let borrowed: Borrowed = event(&receipt, d.vault)?;
        let shown = session.m.collateral(deposited.amount);
        answer.add("deposited", shown, "collateral");
        answer.add("borrowed", session.m.quote(borrowed.amount), "quote");
        session.print(answer, at.market.json)
    })
}

/// `breakwaterctl repay-and-withdraw`.
pub(crate) fn repay_and_withdraw(arguments: &RepayAndWithdrawArgs) -> Result<(), Failure> {
    let at = &arguments.at;
    block_on(async {
        let mut session = Session::open(at).await?;
        let quote = session.m.parse_quote(&arguments.repay)?;
        let collateral = session.m.parse_collateral(&arguments.withdraw)?;
        let (d, mut answer) = (session.m.d, Answer::default());
        session.approve(d.quote, d.vault, quote).await?;
        let mut vault = d.vault();
        let message = vault
            .call_mut()
            .repay_and_withdraw(d.market, quote, collateral);
        let receipt = session.send(d.vault, "repay and withdraw", message).await?;
        let repaid: Repaid = event(&receipt, d.vault)?;
        let withdrawn: Withdrawn = event(&receipt, d.vault)?;
        answer.add("repaid", session.m.quote(repaid.amount), "quote");
        let shown = session.m.collateral(withdrawn.amount);
        answer.add("withdrawn", shown, "collateral");
        session.print(answer, at.market.json)
    })
}

/// `breakwaterctl close`.
pub(crate) fn close(arguments: &CloseArgs) -> Result<(), Failure> {
    let at = &arguments.at;
    block_on(async {
        let mut session = Session::open(at).await?;
        let (d, mut answer) = (session.m.d, Answer::default());
        let position = session.position().await?;
        if let Some(batch) = position.batch {
            return Err(in_batch("close", batch));
        }
        let owed = position.debt;
        if !owed.is_zero() {
            let more = owed.get().div_ceil(INTEREST_UNTIL_THEN);
            let most = Amount::new(owed.get().saturating_add(more));
            let held = session.held(d.quote).await?;
            let amount = most.min(held).max(owed);
            session.approve(d.quote, d.vault, amount).await?;
        }
        let message = d.vault().call_mut().close(d.market);
        let receipt = session.send(d.vault, "close", message).await?;
        // Of what is zero there is no event.
        let repaid: Option<Repaid> = event_if_any(&receipt, d.vault)?;
        let reclaimed: Option<Reclaimed> = event_if_any(&receipt, d.vault)?;
        let withdrawn: Option<Withdrawn> = event_if_any(&receipt, d.vault)?;
        let repaid = repaid.map_or(Amount::ZERO, |event| event.amount);
        answer.add("repaid", session.m.quote(repaid), "quote");
        let reclaimed = reclaimed.map_or(Amount::ZERO, |event| event.amount);
        answer.add("reclaimed", session.m.quote(reclaimed), "quote");
        let withdrawn = withdrawn.map_or(Amount::ZERO, |event| event.amount);
        let shown = session.m.collateral(withdrawn);
        answer.add("withdrawn", shown, "collateral");
        session.print(answer, at.market.json)
    })
}

fn in_batch(step: &str, batch: u32) -> Failure {
    Failure::Refused(format!(
        "{step}: the position is in batch {batch}: `leave` it, or wait until it has settled"
    ))
}

/// `breakwaterctl leave`.
pub(crate) fn leave(arguments: &LeaveArgs) -> Result<(), Failure> {
    let at = &arguments.at;
    block_on(async {
        let mut session = Session::open(at).await?;
        let (d, mut answer) = (session.m.d, Answer::default());
        let position = session.position().await?;
        let number = position
            .batch
            .ok_or_else(|| Failure::Usage("the account's position is in no batch".to_owned()))?;
        let fee = session.market().await?.params.keeper_tip;
        if !fee.is_zero() {
            session.approve(d.quote, d.vault, fee).await?;
        }
        let message = d.auction().call_mut().leave(session.m.batch(number));
        let receipt = match session.send(d.auction, "leave", message).await {
            Err(refused) if refused.to_string().contains("UnderTargetHealth") => {
                return Err(session.under_target_health(number).await?)
            }
            other => other?,
        };
        let left: OwnerLeft = event(&receipt, d.auction)?;
        answer.add("left_batch", number, "");
        answer.add("fee", session.m.quote(left.leaving.fee), "quote");
        let shown = session.m.collateral(left.leaving.collateral);
        answer.add("collateral", shown, "collateral");
        answer.add("debt", session.m.quote(left.leaving.debt), "quote");
        session.print(answer, at.market.json)
    })
}

/// `breakwaterctl reclaim`.
pub(crate) fn reclaim(arguments: &ReclaimArgs) -> Result<(), Failure> {
    let at = &arguments.at;
    block_on(async {
        let mut session = Session::open(at).await?;
        let (d, mut answer) = (session.m.d, Answer::default());
        let message = d.vault().call_mut().reclaim(d.market);
        let receipt = session.send(d.vault, "reclaim", message).await?;
        let reclaimed: Reclaimed = event(&receipt, d.vault)?;
        answer.add("reclaimed", session.m.quote(reclaimed.amount), "quote");
        session.print(answer, at.market.json)
    })
}

/// `breakwaterctl sync`.
pub(crate) fn sync(arguments: &SyncArgs) -> Result<(), Failure> {
    let owner = arguments.owner.as_deref().map(parse_account).transpose()?;
    let at = &arguments.at;
    block_on(async {
        let mut session = Session::open(at).await?;
        let (d, mut answer) = (session.m.d, Answer::default());
        let owner = owner.unwrap_or_else(|| session.who.account_id());
        let message = d.vault().call_mut().sync(d.market, owner, arguments.moves);
        let done = session.send(d.vault, "sync", message).await?.value;
        answer.add("up_to_date", done, "");
        session.print(answer, at.market.json)
    })
}
