//! Commands that send transactions: here what they have in common, the oldest of them, and what
//! anyone may do for a market; in files of their own those of lenders, borrowers, bidders, and keepers.

pub(crate) mod bidder;
pub(crate) mod borrower;
pub(crate) mod keeper;
pub(crate) mod lender;

use crate::failure::Failure;
use crate::market::{parse_price, show_price, MarketArgs, OpenMarket};
use crate::on_node::{block_on, SignerArgs};
use crate::output::Answer;
use breakwater_bot::upkeep::{self, Duty, Messenger, Whose};
use breakwater_chain::{AccountId, Balance, CallError, Chain, Message, Receipt, Signer};
use breakwater_core::breaker::Cause;
use breakwater_core::units::Amount;
use breakwater_interfaces::auction::{AuctionContractError, BidPlaced, LiquidationAuction};
use breakwater_interfaces::breaker::CircuitBreaker;
use breakwater_interfaces::token::PSP22;
use breakwater_interfaces::vault::MarginVault;
use breakwater_node::KeySigner;
use breakwater_operator::decimal;
use breakwater_sim::deployment::{send, Deployment, StepError};
use ink::codegen::TraitCallBuilder;
use ink::env::Event;
use scale::Decode;
use std::fmt::Debug;

/// What is done with an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Lends quote.
    Supply,
    /// Adds collateral.
    Deposit,
    /// Borrows quote.
    Borrow,
    /// Takes collateral out.
    Withdraw,
}

/// Which market, and who signs.
#[derive(Debug, clap::Args)]
pub(crate) struct At {
    #[command(flatten)]
    pub(crate) market: MarketArgs,

    #[command(flatten)]
    signer: SignerArgs,
}

/// An amount to move: supply and borrow take quote, deposit and withdraw collateral. What has to be
/// approved is approved first.
#[derive(Debug, clap::Args)]
pub(crate) struct AmountArgs {
    /// How much, in whole tokens, such as 12.5
    #[arg(value_name = "AMOUNT")]
    amount: String,

    #[command(flatten)]
    at: At,
}

/// What a bid offers.
#[derive(Debug, clap::Args)]
struct BidTerms {
    /// What the bid may spend, whole quote tokens
    #[arg(long, value_name = "QUOTE")]
    budget: String,

    /// The most it pays for a whole collateral token, whole quote tokens
    #[arg(long, value_name = "PRICE")]
    limit: String,

    /// Last block in which it may join the auction, at the step of its limit; without it, any
    #[arg(long, value_name = "BLOCK")]
    valid_until: Option<u32>,
}

/// Bid in a batch. What the account's balance with the auction lacks is deposited first.
#[derive(Debug, clap::Args)]
pub(crate) struct BidArgs {
    /// Number of the batch
    #[arg(value_name = "NUMBER")]
    number: u32,

    #[command(flatten)]
    terms: BidTerms,

    #[command(flatten)]
    at: At,
}

/// Claim bids of a settled batch: collateral is paid out, money not spent goes back.
#[derive(Debug, clap::Args)]
pub(crate) struct ClaimArgs {
    /// Number of the batch
    #[arg(value_name = "NUMBER")]
    number: u32,

    /// Numbers of the bids; without it, all
    #[arg(long, value_name = "BID", value_delimiter = ',')]
    bids: Vec<u32>,

    #[command(flatten)]
    at: At,
}

/// A fact that the circuit breaker knows a limit for; docs/breaker.md explains each.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Fact {
    /// The oracle's price has jumped
    Jump,
    /// The oracle's last round is too old
    Stale,
    /// The feeders' prices are far apart
    Dispersed,
    /// Running batches ask for too much together
    InAuction,
    /// Auctions left too much debt unpaid lately
    BadDebt,
    /// Auctions sold too far under the oracle's price lately
    Recovery,
    /// Auctions under the oracle's price saw no bid
    NoBids,
    /// Auctions sold far above the oracle's price lately
    Excess,
}

/// Raise the circuit breaker of the market for a fact that holds now. Anyone may.
#[derive(Debug, clap::Args)]
pub(crate) struct TripArgs {
    /// What is wrong
    #[arg(value_name = "FACT")]
    fact: Fact,

    #[command(flatten)]
    at: At,
}

/// A signer at a market, and what its transactions have cost.
pub(crate) struct Session {
    pub(crate) m: OpenMarket,
    pub(crate) who: KeySigner,
    fees: Balance,
    block: u32,
}

impl Session {
    pub(crate) async fn open(at: &At) -> Result<Self, Failure> {
        let who = at.signer.signer()?;
        let m = at.market.open().await?;
        let (fees, block) = (0, 0);
        Ok(Self {
            m,
            who,
            fees,
            block,
        })
    }

    pub(crate) async fn send<T: Decode, E: Decode + Debug>(
        &mut self,
        contract: AccountId,
        step: &'static str,
        message: impl Into<Message<Result<T, E>>>,
    ) -> Result<Receipt<T>, Failure> {
        let receipt = send(&mut self.m.node, &self.who, contract, step, message).await?;
        self.fees = self.fees.saturating_add(receipt.fee);
        self.block = receipt.block;
        Ok(receipt)
    }

    /// What the signer holds of a token.
    async fn held(&self, token: AccountId) -> Result<Amount, Failure> {
        let owner = self.who.account_id();
        let message = Deployment::token(token).call().balance_of(owner);
        let held: u128 = self.m.ask(token, "balance", message).await?;
        Ok(Amount::new(held))
    }

    /// Lets a contract take tokens of the signer's, who has to have them.
    async fn approve(
        &mut self,
        token: AccountId,
        spender: AccountId,
        amount: Amount,
    ) -> Result<(), Failure> {
        let held = self.held(token).await?;
        if held < amount {
            let show = |units| match token == self.m.d.quote {
                true => format!("{} quote", self.m.quote(units)),
                false => format!("{} collateral", self.m.collateral(units)),
            };
            return Err(Failure::Usage(format!(
                "the account holds {}, not {}",
                show(held),
                show(amount)
            )));
        }
        let message = Deployment::token(token)
            .call_mut()
            .approve(spender, amount.get());
        self.send(token, "approve", message).await?;
        Ok(())
    }

    /// The signer's free balance with the auction.
    async fn free_balance(&self) -> Result<Amount, Failure> {
        let (d, owner) = (self.m.d, self.who.account_id());
        let message = d.auction().call().balance(d.market, owner);
        self.m.ask(d.auction, "balance", message).await
    }

    /// Sends the auction a message that spends so much of the signer's free balance, and returns
    /// what had to be deposited for it first. Nothing is deposited where the auction would refuse
    /// the message for anything but the balance.
    async fn spend<T: Decode>(
        &mut self,
        step: &'static str,
        amount: Amount,
        message: impl Into<Message<Result<T, AuctionContractError>>>,
    ) -> Result<(Receipt<T>, Amount), Failure> {
        let (d, message) = (self.m.d, message.into());
        let lacking = amount.minus_or_zero(self.free_balance().await?);
        if lacking.is_zero() {
            return Ok((self.send(d.auction, step, message).await?, lacking));
        }
        let tried = self.m.node.dry_run(&self.who, d.auction, message.clone());
        match tried.await {
            Ok(_) | Err(CallError::Reverted(AuctionContractError::InsufficientBalance)) => {}
            Err(error) => return Err(StepError::at(step)(error).into()),
        }
        self.approve(d.quote, d.auction, lacking).await?;
        let deposit = d.auction().call_mut().deposit(d.market, lacking);
        self.send(d.auction, "deposit", deposit).await?;
        match self.send(d.auction, step, message).await {
            Ok(receipt) => Ok((receipt, lacking)),
            Err(failure) => Err(Failure::Deposited {
                amount: self.m.quote(lacking),
                failure: failure.into(),
            }),
        }
    }

    pub(crate) fn print(self, mut answer: Answer, json: bool) -> Result<(), Failure> {
        answer.add("block", self.block, "");
        let fees = decimal::show(self.fees, self.m.node.native_decimals());
        answer.add("fees", fees, "of the native token");
        answer.print(json)
    }
}

/// The first event of a type that a contract emitted in a transaction. It tells what was done; the
/// value in the receipt is the dry run's, on an earlier block.
fn event_if_any<Ev: Event + Decode, T>(
    receipt: &Receipt<T>,
    contract: AccountId,
) -> Result<Option<Ev>, Failure> {
    let events = receipt.events_of(contract);
    let events: Vec<Ev> = events.map_err(|error| Failure::Refused(format!("{error:?}")))?;
    Ok(events.into_iter().next())
}

/// As [`event_if_any`], where there has to be one.
fn event<Ev: Event + Decode, T>(receipt: &Receipt<T>, contract: AccountId) -> Result<Ev, Failure> {
    event_if_any(receipt, contract)?
        .ok_or_else(|| Failure::Refused("the block does not show what was done".to_owned()))
}

/// `breakwaterctl supply`, `deposit`, `borrow` and `withdraw`.
pub(crate) fn act(deed: Deed, arguments: &AmountArgs) -> Result<(), Failure> {
    block_on(async {
        let mut session = Session::open(&arguments.at).await?;
        let (d, mut answer) = (session.m.d, Answer::default());
        let (market, text) = (d.market, arguments.amount.as_str());
        let amount = match deed {
            Deed::Deposit | Deed::Withdraw => session.m.parse_collateral(text)?,
            Deed::Supply | Deed::Borrow => session.m.parse_quote(text)?,
        };
        let mut vault = d.vault();
        match deed {
            Deed::Supply => {
                session.approve(d.quote, d.vault, amount).await?;
                let message = vault.call_mut().supply(market, amount);
                session.send(d.vault, "supply", message).await?;
                answer.add("supplied", session.m.quote(amount), "quote");
            }
            Deed::Deposit => {
                session.approve(d.collateral, d.vault, amount).await?;
                let message = vault.call_mut().deposit(market, amount);
                session.send(d.vault, "deposit", message).await?;
                let shown = session.m.collateral(amount);
                answer.add("deposited", shown, "collateral");
            }
            Deed::Borrow => {
                let message = vault.call_mut().borrow(market, amount);
                session.send(d.vault, "borrow", message).await?;
                answer.add("borrowed", session.m.quote(amount), "quote");
            }
            Deed::Withdraw => {
                let message = vault.call_mut().withdraw(market, amount);
                session.send(d.vault, "withdraw", message).await?;
                let shown = session.m.collateral(amount);
                answer.add("withdrawn", shown, "collateral");
            }
        }
        session.print(answer, arguments.at.market.json)
    })
}

/// `breakwaterctl bid`.
pub(crate) fn bid(arguments: &BidArgs) -> Result<(), Failure> {
    let limit = parse_price(&arguments.terms.limit)?;
    block_on(async {
        let mut session = Session::open(&arguments.at).await?;
        let budget = session.m.parse_quote(&arguments.terms.budget)?;
        let (d, mut answer) = (session.m.d, Answer::default());
        let key = session.m.batch(arguments.number);
        let until = arguments.terms.valid_until.unwrap_or(u32::MAX);
        let message = d.auction().call_mut().bid(key, budget, limit, until);
        let (receipt, lacking) = session.spend("bid", budget, message).await?;
        // The number in the receipt is the dry run's; others may have bid since.
        let placed: BidPlaced = event(&receipt, d.auction)?;
        answer.add("bid", placed.bid, "");
        answer.add("step", placed.step, "");
        answer.add("budget", session.m.quote(budget), "quote");
        answer.add("limit", show_price(limit), "quote per collateral");
        answer.add("deposited", session.m.quote(lacking), "quote");
        session.print(answer, arguments.at.market.json)
    })
}

/// `breakwaterctl claim`.
pub(crate) fn claim(arguments: &ClaimArgs) -> Result<(), Failure> {
    block_on(async {
        let mut session = Session::open(&arguments.at).await?;
        let (d, mut answer) = (session.m.d, Answer::default());
        let (number, owner) = (arguments.number, session.who.account_id());
        let bids = match arguments.bids.is_empty() {
            false => arguments.bids.clone(),
            true => session.m.open_bids(number, owner).await?,
        };
        if bids.is_empty() {
            return Err(Failure::Usage(format!(
                "the account has no bid to claim in batch {number}"
            )));
        }
        let message = d.auction().call_mut().claim(session.m.batch(number), bids);
        let fill = session.send(d.auction, "claim", message).await?.value;
        answer.add("spent", session.m.quote(fill.spent), "quote");
        answer.add("refunded", session.m.quote(fill.refunded), "quote");
        let received = session.m.collateral(fill.received);
        answer.add("received", received, "collateral");
        session.print(answer, arguments.at.market.json)
    })
}

/// `breakwaterctl trip`.
pub(crate) fn trip(arguments: &TripArgs) -> Result<(), Failure> {
    let cause = match arguments.fact {
        Fact::Jump => Cause::Jump,
        Fact::Stale => Cause::Stale,
        Fact::Dispersed => Cause::Dispersed,
        Fact::InAuction => Cause::InAuction,
        Fact::BadDebt => Cause::BadDebt,
        Fact::Recovery => Cause::Recovery,
        Fact::NoBids => Cause::NoBids,
        Fact::Excess => Cause::Excess,
    };
    block_on(async {
        let mut session = Session::open(&arguments.at).await?;
        let (d, mut answer) = (session.m.d, Answer::default());
        let message = d.breaker().call_mut().trip(Some(d.market), cause);
        let tripped = session.send(d.auction, "trip", message).await?.value;
        answer.add("stage", format!("{:?}", tripped.stage), "");
        session.print(answer, arguments.at.market.json)
    })
}

/// Do for a market what anyone may do, where there is something to do: raise the breaker for a
/// fact that holds, reopen what may reopen, have the margin follow the volatility, and take over
/// terms that have changed. Each is tried first and sent only where it works.
#[derive(Debug, clap::Args)]
pub(crate) struct MaintainArgs {
    #[command(flatten)]
    at: At,
}

/// `breakwaterctl maintain`.
pub(crate) fn maintain(arguments: &MaintainArgs) -> Result<(), Failure> {
    /// What is done may make more of it due: markets that have tripped can be a fact of all.
    const ROUNDS: usize = 3;
    block_on(async {
        let mut session = Session::open(&arguments.at).await?;
        let (d, mut answer) = (session.m.d, Answer::default());
        let me = session.who.account_id();
        let mut done = Vec::new();
        for _ in 0..ROUNDS {
            let found = upkeep::look(&session.m.node, &d, me, true).await;
            let found = found.map_err(|error| Failure::Refused(error.to_string()))?;
            if found.duties.is_empty() {
                break;
            }
            for duty in found.duties {
                let call = Call {
                    step: duty.message(),
                    session: &mut session,
                };
                duty.hand_to(call, &d).await?;
                done.push(told(duty));
            }
        }
        answer.add("done", done, "");
        session.print(answer, arguments.at.market.json)
    })
}

/// A duty's call by a signer.
struct Call<'a> {
    session: &'a mut Session,
    step: &'static str,
}

impl Messenger for Call<'_> {
    type Outcome = Result<(), Failure>;

    async fn carry<T: Decode, E: Decode + Debug>(
        self,
        contract: AccountId,
        message: Message<Result<T, E>>,
    ) -> Self::Outcome {
        let sent = self.session.send(contract, self.step, message);
        sent.await.map(drop)
    }
}

fn told(duty: Duty) -> String {
    match duty {
        Duty::Trip(Whose::Market, cause) => format!("tripped for {cause:?}"),
        Duty::Trip(Whose::All, cause) => format!("tripped all markets for {cause:?}"),
        Duty::Reopen(Whose::Market) => "reopened".to_owned(),
        Duty::Reopen(Whose::All) => "reopened all markets".to_owned(),
        Duty::UpdateMargin => "the margin followed the volatility".to_owned(),
        Duty::Refresh => "changed terms were taken over".to_owned(),
    }
}
