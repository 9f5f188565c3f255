//! From an action to what came of it: its message, a trial, the question whether it is worth its
//! fee, the memory, and the call.

use crate::action::{Action, Refusal};
use crate::bot::{Bot, BotError, Report};
use crate::config::KeeperConfig;
use crate::decide::{bidder, keeper};
use crate::fault::{Class, Classed};
use crate::store::Outcome;
use crate::telemetry::gauge;
use crate::upkeep::Messenger;
use crate::view::View;
use breakwater_chain::{AccountId, CallError, Chain, Message, Receipt, Signer};
use breakwater_core::units::Amount;
use breakwater_interfaces::auction::{AuctionOpened, BidPlaced, LiquidationAuction};
use breakwater_interfaces::oracle::OracleAdapter;
use breakwater_interfaces::standing::StandingBids;
use breakwater_interfaces::token::PSP22;
use breakwater_interfaces::vault::MarginVault;
use breakwater_sim::deployment::Deployment;
use ink::codegen::TraitCallBuilder;
use scale::Decode;
use std::fmt::Debug;

/// Cells that one call puts back.
const REST_CELLS: u16 = 8;

/// The sending of one block's actions.
pub(crate) struct Sending<'a, S, C> {
    pub(crate) bot: &'a mut Bot<S>,
    pub(crate) chain: &'a mut C,
    pub(crate) view: &'a View,
    pub(crate) report: &'a mut Report,
    /// Whether a call was made.
    pub(crate) sent: bool,
}

/// A call that is made as long as it is cheap enough.
struct Upkeep<'s, 'a, S, C> {
    sending: &'s mut Sending<'a, S, C>,
    action: Action,
    most: Amount,
}

impl<S: Signer, C: Chain<Signer = S>> Messenger for Upkeep<'_, '_, S, C> {
    type Outcome = Result<(), BotError>;

    async fn carry<T: Decode, E: Decode + Debug + Classed>(
        self,
        contract: AccountId,
        message: Message<Result<T, E>>,
    ) -> Self::Outcome {
        let pays = |_: &Receipt<T>, cost: Cost| cost.fee <= self.most;
        let sent = self.sending.send(self.action, contract, message, pays);
        sent.await.map(drop)
    }
}

/// What a call costs, in quote.
#[derive(Clone, Copy, Debug)]
struct Cost {
    /// Its fee.
    fee: Amount,
    /// Its fee and the storage deposit that it takes: of what others free later, nothing comes back.
    with_deposit: Amount,
}

/// Whatever it costs.
fn always<T>(_: &Receipt<T>, _: Cost) -> bool {
    true
}

impl<S: Signer, C: Chain<Signer = S>> Sending<'_, S, C> {
    /// Does one thing, as far as it is worth its fee.
    pub(crate) async fn perform(&mut self, action: Action) -> Result<(), BotError> {
        let d = self.bot.reader.deployment;
        let (mut auction, mut vault, market) = (d.auction(), d.vault(), d.market);
        match action.clone() {
            Action::Submit { price, observed_at } => {
                let message = d.oracle().call_mut().submit(d.feed, price, observed_at);
                let sent = self.send(action, d.oracle, message, always).await?;
                if sent.is_some() {
                    self.bot.store.submitted(observed_at)?;
                }
            }
            Action::Open { reward } => {
                let (config, params) = (self.keeper(), self.view.params.clone());
                let pays = |receipt: &Receipt<_>, cost: Cost| {
                    let opened = receipt.events_of::<AuctionOpened>(d.auction);
                    let asked = opened
                        .ok()
                        .and_then(|events| events.first()?.targets.first().copied());
                    let reward = asked.map_or(reward, |asked| keeper::half_reward(&params, asked));
                    let cost = cost.with_deposit;
                    config.is_some_and(|config| keeper::pays(&config, &params, reward, cost))
                };
                let message = auction.call_mut().open_batch(market);
                self.send(action, d.auction, message, pays).await?;
            }
            Action::Settle { batch, reward } => {
                let (config, params) = (self.keeper(), self.view.params.clone());
                let pays = |_: &Receipt<_>, cost: Cost| {
                    let cost = cost.with_deposit;
                    config.is_some_and(|config| keeper::pays(&config, &params, reward, cost))
                };
                let message = auction.call_mut().settle(batch);
                self.send(action, d.auction, message, pays).await?;
            }
            Action::Extend(batch) => {
                let message = auction.call_mut().extend(batch);
                self.send(action, d.auction, message, always).await?;
            }
            Action::Reprice(batch) => {
                let message = auction.call_mut().reprice(batch);
                self.send(action, d.auction, message, always).await?;
            }
            Action::Rest(batch) => {
                let message = vault.call_mut().rest(market, batch.number, REST_CELLS);
                self.send(action, d.vault, message, always).await?;
            }
            Action::ClaimReward(reward) => {
                let message = vault.call_mut().claim_reward(market);
                let pays = |_: &Receipt<_>, cost: Cost| reward > cost.fee;
                self.send(action, d.vault, message, pays).await?;
            }
            Action::Maintain(duty) => {
                let call = Upkeep {
                    most: self.most_for_upkeep(),
                    sending: self,
                    action,
                };
                duty.hand_to(call, &d).await?;
            }
            Action::Bid(bid) => {
                let config = self.bot.config.bidder.clone();
                let decimals = self.view.params.quote_decimals;
                let least = config.map(|config| config.min_profit.units(decimals));
                let pays = |_: &Receipt<_>, cost: Cost| match (bid.profit, least) {
                    (Some(profit), Some(least)) => bidder::pays(profit, least, cost.fee),
                    _ => true,
                };
                let calls = auction.call_mut();
                let message = calls.bid(bid.batch, bid.budget, bid.limit, bid.valid_until);
                let sent = self.send(action, d.auction, message, pays).await?;
                if let Some((id, receipt)) = sent {
                    // On a node the value is that of the dry run: the event tells the number.
                    let placed = receipt.events_of::<BidPlaced>(d.auction);
                    let number = placed
                        .ok()
                        .and_then(|events| events.first().map(|placed| placed.bid))
                        .unwrap_or(receipt.value);
                    self.bot.store.finish(id, Outcome::Done, Some(number), "")?;
                }
            }
            Action::Cancel { batch, bid } => {
                let message = auction.call_mut().cancel(batch, bid);
                let sent = self.send(action, d.auction, message, always).await?;
                if sent.is_some() {
                    self.bot.store.cancelled(batch.number, bid)?;
                }
            }
            Action::Claim { batch, bids } => {
                let ids = bids.iter().map(|(bid, _)| *bid).collect();
                let message = auction.call_mut().claim(batch, ids);
                self.send(action, d.auction, message, always).await?;
            }
            Action::Stand { percent, amount } => {
                let message = d.standing().call_mut().stand(market, percent, amount);
                self.send(action, d.auction, message, always).await?;
            }
            Action::Unstand { percent, amount } => {
                let message = d.standing().call_mut().unstand(market, percent, amount);
                self.send(action, d.auction, message, always).await?;
            }
            Action::ClaimStanding { percent } => {
                let message = d.standing().call_mut().claim_standing(market, percent);
                self.send(action, d.auction, message, always).await?;
            }
            Action::Deposit(amount) => self.deposit(&d, action, amount).await?,
            Action::Withdraw(amount) => {
                let message = auction.call_mut().withdraw(market, amount);
                self.send(action, d.auction, message, always).await?;
            }
        }
        Ok(())
    }

    /// The most, in quote, that a thing which anyone may do and nobody is paid for may cost.
    fn most_for_upkeep(&self) -> Amount {
        let decimals = self.view.params.quote_decimals;
        self.keeper().map_or(Amount::ZERO, |config| {
            if config.at_any_price {
                return Amount::new(u128::MAX);
            }
            config.maintain.max_fee.units(decimals)
        })
    }

    fn keeper(&self) -> Option<KeeperConfig> {
        self.bot.config.keeper.clone()
    }

    /// What a tried call costs.
    fn cost<T>(&self, tried: &Receipt<T>) -> Cost {
        let chain = &self.bot.config.chain;
        let (native, quote) = (chain.native_decimals(), self.view.params.quote_decimals);
        // What is refunded is no income: it depends on whose cells the call frees.
        let deposit = u128::try_from(tried.storage_deposit).unwrap_or(0);
        let in_quote = |amount| chain.native_price.cost(amount, native, quote);
        Cost {
            fee: in_quote(tried.fee),
            with_deposit: in_quote(tried.fee.saturating_add(deposit)),
        }
    }

    /// Sends a message, and counts its fee. One that was refused in a block has cost it too: then
    /// all that has gone from the balance is the fee, for deposits are only taken by what succeeds.
    async fn call<T: Decode, E: Decode>(
        &mut self,
        contract: AccountId,
        message: impl Into<Message<Result<T, E>>>,
    ) -> Result<Receipt<T>, CallError<E>> {
        self.sent = true;
        let me = self.bot.reader.me;
        let before = self.chain.free_balance(me).await;
        let called = self.chain.call(&self.bot.signer, contract, message).await;
        let fee = match &called {
            Ok(receipt) => receipt.fee,
            Err(CallError::Transport(_)) => 0,
            Err(_) => match (before, self.chain.free_balance(me).await) {
                (Ok(before), Ok(after)) => before.saturating_sub(after),
                _ => 0,
            },
        };
        self.bot.metrics.fees.add(gauge(fee));
        called
    }

    /// Tries a message, asks whether it is worth its cost, writes it down, sends it, and
    /// writes down what came of it. `None`: it was not sent, or it was refused.
    async fn send<T: Decode, E: Decode + Debug + Classed>(
        &mut self,
        action: Action,
        contract: AccountId,
        message: impl Into<Message<Result<T, E>>>,
        pays: impl FnOnce(&Receipt<T>, Cost) -> bool,
    ) -> Result<Option<(i64, Receipt<T>)>, BotError> {
        let (message, kind) = (message.into(), action.kind());
        let tried = self
            .chain
            .dry_run(&self.bot.signer, contract, message.clone())
            .await;
        let tried = match tried {
            Ok(receipt) => receipt,
            Err(error) => return self.refused(action, &error, None).map(|()| None),
        };
        let cost = self.cost(&tried);
        if !pays(&tried, cost) {
            self.bot.metrics.refused(Refusal::Unprofitable);
            tracing::info!(
                block = self.view.block,
                kind,
                fee = cost.fee.get(),
                with_deposit = cost.with_deposit.get(),
                "does not pay"
            );
            self.report.refusals.push(Refusal::Unprofitable);
            return Ok(None);
        }
        let (block, now) = (self.view.block, self.view.now);
        let Some(id) = self.bot.store.begin(&action, block, now)? else {
            return Ok(None);
        };
        if self.bot.dry_run {
            self.bot.store.finish(id, Outcome::Dry, None, "dry run")?;
            self.count(&action, "dry_run");
            self.report.done.push(action);
            return Ok(None);
        }
        match self.call(contract, message).await {
            Ok(receipt) => {
                self.bot.store.finish(id, Outcome::Done, None, "")?;
                self.count(&action, "done");
                self.report.done.push(action);
                Ok(Some((id, receipt)))
            }
            Err(error) => self.refused(action, &error, Some(id)).map(|()| None),
        }
    }

    fn count(&self, action: &Action, result: &str) {
        let (role, kind) = (action.role(), action.kind());
        let labels = [role, kind, result];
        self.bot.metrics.actions.with_label_values(&labels).inc();
        tracing::info!(block = self.view.block, role, kind, result, ?action);
    }

    fn refused<E: Debug + Classed>(
        &mut self,
        action: Action,
        error: &CallError<E>,
        id: Option<i64>,
    ) -> Result<(), BotError>
    where
        CallError<E>: std::fmt::Display,
    {
        let class = error.class();
        self.bot.metrics.error(class);
        if class == Class::Transient {
            // Once it was written down, it may have arrived: it stays pending.
            return Err(BotError::Unanswered(action.kind()));
        }
        let note = error.to_string();
        let store = &mut self.bot.store;
        let written = match (id, &action) {
            // What a dry run refuses for good is not asked for ever; the rest may pass.
            (None, Action::Bid(_)) if matches!(class, Class::Fault | Class::Outcompeted) => {
                store.begin(&action, self.view.block, self.view.now)?
            }
            _ => id,
        };
        if let Some(id) = written {
            store.finish(id, Outcome::Failed, None, &note)?;
        }
        let (block, kind) = (self.view.block, action.kind());
        match class {
            Class::Fault => tracing::error!(block, kind, %error, "failed"),
            Class::Funds => tracing::warn!(block, kind, %error, "account lacks money"),
            _ => tracing::info!(block, kind, %error, class = class.label(), "not done"),
        }
        let labels = [action.role(), kind, class.label()];
        self.bot.metrics.actions.with_label_values(&labels).inc();
        self.report.failed.push((action, class));
        Ok(())
    }

    /// A deposit needs an approval first; one that is left over is replaced by the next.
    async fn deposit(
        &mut self,
        d: &Deployment,
        action: Action,
        amount: Amount,
    ) -> Result<(), BotError> {
        let block = (self.view.block, self.view.now);
        let Some(id) = self.bot.store.begin(&action, block.0, block.1)? else {
            return Ok(());
        };
        if self.bot.dry_run {
            self.bot.store.finish(id, Outcome::Dry, None, "dry run")?;
            self.count(&action, "dry_run");
            self.report.done.push(action);
            return Ok(());
        }
        let mut token = Deployment::token(d.quote);
        let approve = token.call_mut().approve(d.auction, amount.get());
        if let Err(error) = self.call(d.quote, approve).await {
            return self.refused(action, &error, Some(id));
        }
        let message = d.auction().call_mut().deposit(d.market, amount);
        match self.call(d.auction, message).await {
            Ok(_) => {
                self.bot.store.finish(id, Outcome::Done, None, "")?;
                self.count(&action, "done");
                self.report.done.push(action);
                Ok(())
            }
            Err(error) => self.refused(action, &error, Some(id)),
        }
    }
}
