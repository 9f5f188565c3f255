//! What every message of a user or a keeper costs in a normal situation.

use super::cost::{ratio, Cost};
use super::stage::{params, Stage, COLLATERAL, OPENING_PRICE, QUOTE};
use super::ticks::{positions, Layout};
use super::Watch;
use crate::deployment::{mint, Deployment, StepError};
use breakwater_chain::{AccountId, Message, Receipt};
use breakwater_core::breaker::{Cause, Stage as Stop};
use breakwater_core::math::Rounding;
use breakwater_core::units::{Amount, Price, Ratio, Shares};
use breakwater_interfaces::auction::LiquidationAuction;
use breakwater_interfaces::breaker::CircuitBreaker;
use breakwater_interfaces::standing::StandingBids;
use breakwater_interfaces::token::PSP22;
use breakwater_interfaces::vault::MarginVault;
use ink::codegen::TraitCallBuilder;
use scale::Decode;
use serde::Serialize;
use std::fmt::Debug;

/// One message in one situation.
#[derive(Clone, Debug, Serialize)]
pub struct MessageRow {
    /// The contract.
    pub contract: &'static str,
    /// The message.
    pub message: &'static str,
    /// What is so about the situation.
    pub situation: &'static str,
    /// What it costs.
    pub cost: Cost,
    /// Share of what a block of this chain holds.
    pub share_of_block: f64,
    /// Its time over that of the token's `transfer_from`.
    pub times_transfer_from: f64,
    /// What that should be at most, where a target is set.
    pub target: Option<f64>,
    /// Whether it is.
    pub passes: Option<bool>,
}

/// The most a message may take, in times of a token's `transfer_from`.
fn target(contract: &str, message: &str) -> Option<f64> {
    match (contract, message) {
        ("vault", "borrow" | "repay") => Some(6.0),
        ("vault", "deposit" | "withdraw") => Some(3.0),
        ("auction", "bid") => Some(1.0),
        _ => None,
    }
}

/// A message of the table that is about to be sent, and is going to succeed.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The contract's name in the table.
    pub contract: &'static str,
    /// The message's.
    pub message: &'static str,
    /// The sender.
    pub who: AccountId,
    /// The contract.
    pub to: AccountId,
    /// Selector and arguments, encoded.
    pub input: Vec<u8>,
}

/// Who looks at every message before it is sent.
type Observer<'a> = &'a mut dyn FnMut(&mut Stage, &Sent);

/// A market with neighbours in its ticks, and the costs booked so far.
struct Round<'a, 'b> {
    stage: Stage,
    costs: Vec<(&'static str, &'static str, &'static str, Cost)>,
    watch: &'a mut Watch<'b>,
    observer: Option<Observer<'a>>,
}

/// Messages in the table, about; for progress.
const MESSAGES: u64 = 45;

const fn quote(whole: u128) -> Amount {
    Amount::new(whole * QUOTE)
}

const fn collateral(whole: u128) -> Amount {
    Amount::new(whole * COLLATERAL)
}

/// Sends and books a message: `note!(round, who, vault: borrow(args), "situation")`.
macro_rules! note {
    ($round:expr, $who:expr, $contract:ident: $message:ident($($arg:expr),*), $situation:expr) => {{
        let d = $round.stage.d;
        let message = d.$contract().call_mut().$message($($arg),*);
        $round.book($who, d.$contract, (stringify!($contract), stringify!($message), $situation), message)?
    }};
    ($round:expr, $who:expr, $contract:ident.$part:ident: $message:ident($($arg:expr),*), $situation:expr) => {{
        let d = $round.stage.d;
        let message = d.$part().call_mut().$message($($arg),*);
        $round.book($who, d.$contract, (stringify!($contract), stringify!($message), $situation), message)?
    }};
}

impl Round<'_, '_> {
    fn book<T: Decode, E: Decode + Debug>(
        &mut self,
        who: AccountId,
        contract: AccountId,
        (name, step, situation): (&'static str, &'static str, &'static str),
        message: impl Into<Message<Result<T, E>>>,
    ) -> Result<Receipt<T>, StepError> {
        let message = message.into();
        if let Some(observe) = &mut self.observer {
            let sent = Sent {
                contract: name,
                message: step,
                who,
                to: contract,
                input: message.input().to_vec(),
            };
            observe(&mut self.stage, &sent);
        }
        let receipt = self.stage.send(who, contract, step, message)?;
        self.costs.push((name, step, situation, Cost::of(&receipt)));
        self.watch.done(1);
        Ok(receipt)
    }

    /// The token's own messages, between accounts that hold some.
    fn tokens(&mut self) -> Result<(), StepError> {
        let (a, b) = (self.stage.account()?, self.stage.account()?);
        let token = self.stage.d.quote;
        for who in [a, b] {
            self.stage
                .send(who, token, "mint", mint(who, quote(1_000).get()))?;
        }
        let some = quote(10).get();
        let call = || Deployment::token(token);
        let message = call().call_mut().approve(b, quote(100).get());
        self.book(
            a,
            token,
            ("token", "approve", "for the first time"),
            message,
        )?;
        let message = call().call_mut().transfer(b, some, Vec::new());
        self.book(a, token, ("token", "transfer", "to a holder"), message)?;
        let message = call().call_mut().transfer_from(a, b, some, Vec::new());
        self.book(b, token, ("token", "transfer_from", "to a holder"), message)?;
        Ok(())
    }

    fn oracle(&mut self) -> Result<(), StepError> {
        self.stage.advance(1)?;
        let situations = ["completes no round", "completes a round"];
        for (feeder, situation) in situations.into_iter().enumerate() {
            let cost = self.stage.submit(feeder, OPENING_PRICE)?;
            self.costs.push(("oracle", "submit", situation, cost));
            self.watch.done(1);
        }
        Ok(())
    }

    fn lender(&mut self) -> Result<(), StepError> {
        let (lender, d) = (self.stage.account()?, self.stage.d);
        self.stage.fund(lender, d.quote, quote(10_000), d.vault)?;
        note!(self, lender, vault: supply(0, quote(1_000)), "for the first time");
        note!(self, lender, vault: supply(0, quote(1_000)), "again");
        note!(self, lender, vault: redeem(0, Shares::new(1_000_000)), "a part");
        Ok(())
    }

    fn borrower(&mut self) -> Result<(), StepError> {
        let (owner, other, d) = (self.stage.account()?, self.stage.account()?, self.stage.d);
        for who in [owner, other] {
            self.stage
                .fund(who, d.collateral, collateral(1_000), d.vault)?;
            self.stage.fund(who, d.quote, quote(100_000), d.vault)?;
        }
        note!(self, owner, vault: deposit(0, collateral(10)), "a new position");
        note!(self, owner, vault: withdraw(0, collateral(1)), "without debt");
        note!(self, owner, vault: deposit(0, collateral(1)), "without debt");
        note!(self, owner, vault: borrow(0, quote(1_380)), "the first debt");
        note!(self, owner, vault: borrow(0, quote(50)), "more debt, another tick");
        note!(self, owner, vault: deposit(0, collateral(1)), "with debt, another tick");
        note!(self, owner, vault: withdraw(0, collateral(1)), "with debt, another tick");
        note!(self, owner, vault: repay(0, owner, quote(50)), "a part, another tick");
        note!(self, owner, vault: sync(0, owner, 8), "up to date");
        note!(self, owner, vault: repay(0, owner, quote(10_000)), "all");
        note!(self, owner, vault: withdraw(0, collateral(10)), "all");
        note!(self, other, vault: deposit_and_borrow(0, collateral(10), quote(1_390)), "a new position");
        Ok(())
    }

    /// Standing bids in a tier.
    fn depositor(&mut self) -> Result<AccountId, StepError> {
        let (depositor, d) = (self.stage.account()?, self.stage.d);
        self.stage
            .fund(depositor, d.quote, quote(200_000), d.auction)?;
        let message = d.auction().call_mut().deposit(0, quote(200_000));
        self.stage.send(depositor, d.auction, "deposit", message)?;
        note!(self, depositor, auction.standing: stand(0, 5, quote(100_000)), "for the first time");
        note!(self, depositor, auction.standing: stand(0, 5, quote(1_000)), "again");
        note!(self, depositor, auction.standing: unstand(0, 5, quote(500)), "no batch running");
        Ok(depositor)
    }

    /// A batch over eight ticks, from the fall of the price to the last claim.
    fn batch(&mut self, price: Price) -> Result<(), StepError> {
        let (bidder, d) = (self.stage.account()?, self.stage.d);
        self.stage
            .fund(bidder, d.quote, quote(1_000_000), d.auction)?;
        note!(self, bidder, auction: deposit(0, quote(100_000)), "for the first time");
        note!(self, bidder, auction: deposit(0, quote(100_000)), "again");
        note!(self, bidder, auction: withdraw(0, quote(1_000)), "a part");

        self.stage.set_price(price)?;
        let (keeper, owners) = (self.stage.keeper, self.stage.owners().to_vec());
        let (first, second) = (owners[0], owners[20]);
        self.stage.fund(second, d.quote, quote(10_000), d.vault)?;
        self.stage.fund(first, d.quote, quote(10_000), d.vault)?;
        self.stage
            .fund(first, d.collateral, collateral(10), d.vault)?;
        let batch = note!(self, keeper, auction: open_batch(0), "8 ticks").value;
        let auction = self.stage.record(batch)?.auction;
        let (soon, late) = (auction.prices[10], auction.prices[30]);
        note!(self, bidder, auction: bid(batch, quote(90_000), soon, u32::MAX), "near the oracle's price");
        let bid = note!(self, bidder, auction: bid(batch, quote(1_000), late, u32::MAX), "late on the ladder").value;
        note!(self, bidder, auction: cancel(batch, bid), "before its step");
        note!(self, first, vault: repay(0, first, quote(100)), "in a batch, held aside");
        note!(self, first, vault: deposit(0, collateral(1)), "in a batch, held aside");
        // What it repays in advance and the sale makes unnecessary can be taken back.
        let message = d.vault().call_mut().repay(0, second, quote(10_000));
        self.stage.send(second, d.vault, "repay", message)?;
        let begins = auction.schedule.begins(11);
        let now = auction.schedule.begins(0).saturating_sub(1);
        self.stage.advance(begins.saturating_sub(now) + 1)?;
        note!(self, keeper, auction: advance(batch), "clears");
        note!(self, keeper, auction: settle(batch), "8 ticks, cleared before");
        note!(self, keeper, vault: claim_reward(0), "paid out");
        note!(self, bidder, auction: claim(batch, vec![0]), "one bid");
        note!(self, keeper, vault: sync(0, owners[4], 8), "after a batch");
        note!(self, second, vault: reclaim(0), "after a batch");
        Ok(())
    }

    /// The circuit breaker of a market whose feed has fallen silent.
    fn breaker(&mut self) -> Result<(), StepError> {
        let (anyone, governor) = (self.stage.keeper, self.stage.chain.account(0));
        let d = self.stage.d;
        self.stage.advance(700)?;
        let message = d.breaker().call_mut().trip(Some(0), Cause::Stale);
        let names = ("auction", "trip", "a stale feed: halts the market");
        self.book(anyone, d.auction, names, message)?;
        for (market, situation) in [(Some(0), "a market"), (None, "all markets")] {
            if market.is_none() {
                let message = d.breaker().call_mut().raise(market, Stop::Halted);
                self.book(
                    governor,
                    d.auction,
                    ("auction", "raise", situation),
                    message,
                )?;
            }
            let message = d.breaker().call_mut().lower(market, Stop::Open);
            self.book(
                governor,
                d.auction,
                ("auction", "lower", situation),
                message,
            )?;
        }
        Ok(())
    }

    /// A batch that standing bids alone buy.
    fn standing_batch(&mut self, price: Price) -> Result<(), StepError> {
        let depositor = self.depositor()?;
        self.stage.set_price(price)?;
        let keeper = self.stage.keeper;
        let batch = note!(self, keeper, auction: open_batch(0), "with a standing tier").value;
        let schedule = self.stage.record(batch)?.auction.schedule;
        let lasts = schedule
            .begins(schedule.steps)
            .saturating_sub(schedule.first);
        self.stage.advance(lasts + 2)?;
        note!(self, keeper, auction: settle(batch), "judges too, with a standing tier");
        note!(self, depositor, auction.standing: claim_standing(0, 5), "after a batch");
        Ok(())
    }
}

/// Plays the story of the table and shows every message to `observer` before it is sent. Whatever
/// that does to the chain it has to take back.
///
/// # Errors
/// [`StepError`].
pub fn each(observer: &mut dyn FnMut(&mut Stage, &Sent)) -> Result<(), StepError> {
    play(&mut Watch::nobody(), Some(observer)).map(drop)
}

fn play<'a, 'b>(
    watch: &'a mut Watch<'b>,
    observer: Option<Observer<'a>>,
) -> Result<Round<'a, 'b>, StepError> {
    let (positions, price) = positions(Layout::Neighbouring, 8, 8);
    let mut stage = Stage::new(params())?;
    stage.open_positions(positions, &mut Watch::nobody())?;
    let mut round = Round {
        stage,
        costs: Vec::new(),
        watch,
        observer,
    };
    round.tokens()?;
    round.oracle()?;
    round.lender()?;
    round.borrower()?;
    round.batch(price)?;
    let lower = price.times(Ratio::from_bps(9_000), Rounding::Down);
    round.standing_batch(lower.unwrap_or(price))?;
    round.breaker()?;
    Ok(round)
}

/// The table of messages.
///
/// # Errors
/// [`StepError`].
pub fn table(watch: &mut Watch<'_>) -> Result<Vec<MessageRow>, StepError> {
    watch.stage("messages", MESSAGES);
    let round = play(watch, None)?;
    let block = round.stage.chain.block_capacity();
    let unit = round
        .costs
        .iter()
        .find(|(_, message, ..)| *message == "transfer_from")
        .map_or(1, |(.., cost)| cost.ref_time);
    let rows = round
        .costs
        .into_iter()
        .map(|(contract, message, situation, cost)| {
            let (target, times) = (target(contract, message), ratio(cost.ref_time, unit));
            MessageRow {
                contract,
                message,
                situation,
                cost,
                share_of_block: cost.share_of_block(block),
                times_transfer_from: times,
                target,
                passes: target.map(|target| times <= target),
            }
        });
    Ok(rows.collect())
}
