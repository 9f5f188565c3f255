//! What lenders send, besides `supply`.

use super::{event, event_if_any, At, Session};
use crate::failure::Failure;
use crate::on_node::block_on;
use crate::output::Answer;
use breakwater_chain::{Receipt, Signer};
use breakwater_core::units::{Amount, Shares};
use breakwater_interfaces::vault::{MarginVault, Redeemed, VaultError};
use breakwater_interfaces::vault_admin::{Change, MarketChanged, VaultAdmin};
use ink::codegen::TraitCallBuilder;

/// Give the signer's shares of the pool back for quote, at their value less what running batches and insolvent
/// positions may turn out to lack.
#[derive(Debug, clap::Args)]
pub(crate) struct RedeemArgs {
    /// How many, as `position` shows them; a share was worth a whole quote token when the market began
    #[arg(value_name = "SHARES", required_unless_present = "all")]
    shares: Option<String>,

    /// All of them
    #[arg(long, conflicts_with = "shares")]
    all: bool,

    #[command(flatten)]
    at: At,
}

/// Take the signer's part of what has come in since the market's wind-down began.
#[derive(Debug, clap::Args)]
pub(crate) struct CollectArgs {
    /// Of the collateral that lenders have taken for debt, not of the quote. After the market's notice
    /// this first hands over what insurance holds of it, for what lenders have lost
    #[arg(long)]
    in_kind: bool,

    #[command(flatten)]
    at: At,
}

/// Give quote to the market's insurance; in a wind-down first to its lenders, up to what they have
/// lost. It does not come back.
#[derive(Debug, clap::Args)]
pub(crate) struct InsureArgs {
    /// How much, in whole tokens
    #[arg(value_name = "QUOTE")]
    amount: String,

    #[command(flatten)]
    at: At,
}

/// `breakwaterctl redeem`.
pub(crate) fn redeem(arguments: &RedeemArgs) -> Result<(), Failure> {
    let at = &arguments.at;
    block_on(async {
        let mut session = Session::open(at).await?;
        let (d, mut answer) = (session.m.d, Answer::default());
        let message = d.vault().call().lender(d.market, session.who.account_id());
        let lent = session.m.view::<_, VaultError>(d.vault, "lender", message);
        let (held, _): (Shares, Amount) = lent.await?;
        let shares = match &arguments.shares {
            Some(shares) => session.m.parse_shares(shares)?,
            // Clap asks for `--all` then.
            None => held,
        };
        if held.is_zero() {
            return Err(Failure::Usage("the account has lent nothing".to_owned()));
        }
        if shares > held {
            let (held, shares) = (session.m.shares(held), session.m.shares(shares));
            return Err(Failure::Usage(format!(
                "the account has {held} shares, not {shares}"
            )));
        }
        let message = d.vault().call_mut().redeem(d.market, shares);
        let receipt = session.send(d.vault, "redeem", message).await?;
        let redeemed: Redeemed = event(&receipt, d.vault)?;
        answer.add("redeemed", session.m.shares(redeemed.shares), "shares");
        answer.add("paid", session.m.quote(redeemed.amount), "quote");
        let provision = session.m.quote(redeemed.provision);
        let unit = "quote set aside, of all lenders' money, for losses that show already";
        answer.add("provision", provision, unit);
        let left = held.minus(redeemed.shares).unwrap_or_default();
        answer.add("shares_left", session.m.shares(left), "");
        session.print(answer, at.market.json)
    })
}

/// The steps of a market's governance that a transaction took.
fn changes<T>(receipt: &Receipt<T>, session: &Session) -> Result<Vec<Change>, Failure> {
    let events = receipt.events_of(session.m.d.vault);
    let events: Vec<MarketChanged> =
        events.map_err(|error| Failure::Refused(format!("{error:?}")))?;
    Ok(events.into_iter().map(|event| event.change).collect())
}

/// `breakwaterctl collect`.
pub(crate) fn collect(arguments: &CollectArgs) -> Result<(), Failure> {
    let at = &arguments.at;
    block_on(async {
        let mut session = Session::open(at).await?;
        let (d, mut answer) = (session.m.d, Answer::default());
        let message = d.admin().call_mut().collect(d.market, arguments.in_kind);
        let receipt = session.send(d.vault, "collect", message).await?;
        for change in changes(&receipt, &session)? {
            match change {
                Change::HandedOver { collateral, good } => {
                    let collateral = session.m.collateral(collateral);
                    answer.add("handed_over", collateral, "collateral, to all lenders");
                    answer.add("made_good", session.m.quote(good), "quote, of their losses");
                }
                Change::Collected { amount, in_kind } => {
                    let (shown, unit) = match in_kind {
                        true => (session.m.collateral(amount), "collateral"),
                        false => (session.m.quote(amount), "quote"),
                    };
                    answer.add("collected", shown, unit);
                }
                _ => {}
            }
        }
        session.print(answer, at.market.json)
    })
}

/// `breakwaterctl insure`.
pub(crate) fn insure(arguments: &InsureArgs) -> Result<(), Failure> {
    let at = &arguments.at;
    block_on(async {
        let mut session = Session::open(at).await?;
        let amount = session.m.parse_quote(&arguments.amount)?;
        let (d, mut answer) = (session.m.d, Answer::default());
        session.approve(d.quote, d.vault, amount).await?;
        let message = d.admin().call_mut().insure(d.market, amount);
        let receipt = session.send(d.vault, "insure", message).await?;
        let changed: Option<MarketChanged> = event_if_any(&receipt, d.vault)?;
        if let Some(Change::Insured { amount, to_lenders }) = changed.map(|event| event.change) {
            answer.add("given", session.m.quote(amount), "quote");
            answer.add("to_lenders", session.m.quote(to_lenders), "quote of it");
        }
        session.print(answer, at.market.json)
    })
}
