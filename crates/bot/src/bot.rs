//! One bot: reads a block, compares it with its memory, decides, and sends.

use crate::action::{Action, Decision, Refusal};
use crate::config::{Config, ConfigError, StrategyConfig};
use crate::decide::bidder::{self, Room, Want};
use crate::decide::{depth, feeder, keeper};
use crate::fault::{Class, Classed};
use crate::source::{Observation, Source};
use crate::store::{Outcome, Store, StoreError};
use crate::strategy::External;
use crate::telemetry::{gauge, Metrics};
use crate::view::{Reader, View, ViewError};
use breakwater_chain::{AccountId, CallError, Chain, Message, Receipt, Signer};
use breakwater_core::units::{Amount, Price};
use breakwater_interfaces::auction::{AuctionOpened, BidId, BidPlaced, LiquidationAuction};
use breakwater_interfaces::oracle::OracleAdapter;
use breakwater_interfaces::standing::StandingBids;
use breakwater_interfaces::token::PSP22;
use breakwater_interfaces::vault::MarginVault;
use breakwater_sim::deployment::Deployment;
use ink::codegen::TraitCallBuilder;
use scale::Decode;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// Cells that one call puts back.
const REST_CELLS: u16 = 8;

/// Why a block could not be worked on to its end.
#[derive(Debug, thiserror::Error)]
pub enum BotError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The memory cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The chain cannot be read.
    #[error(transparent)]
    View(#[from] ViewError),
    /// The chain did not answer to a call; what came of it is found out later.
    #[error("the chain does not answer to {0}: it is looked for in the next blocks")]
    Unanswered(&'static str),
    /// Metrics cannot be set up.
    #[error("metrics: {0}")]
    Metrics(#[from] prometheus::Error),
}

impl BotError {
    /// Whether a pause may help.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unanswered(_) | Self::View(ViewError::Query(_)))
    }
}

/// What a block came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Done, or only decided in a dry run.
    pub done: Vec<Action>,
    /// Tried and refused by the chain.
    pub failed: Vec<(Action, Class)>,
    /// Not tried.
    pub refusals: Vec<Refusal>,
}

/// A bot for one account in one market.
pub struct Bot<S> {
    config: Config,
    reader: Reader,
    signer: S,
    store: Store,
    source: Option<Source>,
    external: Option<External>,
    metrics: Metrics,
    dry_run: bool,
    /// Bids of the account that are not in the memory, as far as they have been told of.
    strangers: BTreeSet<(u32, BidId)>,
}

impl<S: Signer> Bot<S> {
    /// A bot with its memory at the path the configuration gives, or beside it for a dry run.
    ///
    /// # Errors
    /// [`BotError`].
    pub fn new(
        config: Config,
        deployment: Deployment,
        signer: S,
        dry_run: bool,
    ) -> Result<Self, BotError> {
        let path = config.state_path(dry_run);
        Self::at(&path, config, deployment, signer, dry_run)
    }

    fn at(
        path: &Path,
        config: Config,
        deployment: Deployment,
        signer: S,
        dry_run: bool,
    ) -> Result<Self, BotError> {
        let me = signer.account_id();
        let vault: &[u8; 32] = deployment.vault.as_ref();
        let account: &[u8; 32] = me.as_ref();
        let identity = format!(
            "{}/{}/{}",
            hex::encode(vault),
            deployment.market,
            hex::encode(account)
        );
        let external = match config.bidder.as_ref().map(|bidder| &bidder.strategy) {
            Some(StrategyConfig::External {
                command,
                timeout_seconds,
            }) => Some(External::new(command.clone(), *timeout_seconds)),
            _ => None,
        };
        let tiers = config.depth.iter().flat_map(|depth| &depth.tiers);
        let tiers = tiers.map(|tier| tier.percent).collect();
        Ok(Self {
            reader: Reader::new(deployment, me, tiers),
            store: Store::open(path, &identity)?,
            source: config.price.clone().map(Source::new),
            metrics: Metrics::new()?,
            external,
            config,
            signer,
            dry_run,
            strangers: BTreeSet::new(),
        })
    }

    /// Its metrics.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Its memory.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Works on the present block: reads it, reconciles, decides and sends.
    ///
    /// # Errors
    /// [`BotError`]; what was not done is done in a later block.
    pub async fn on_block<C: Chain<Signer = S>>(
        &mut self,
        chain: &mut C,
    ) -> Result<Report, BotError> {
        let finished = self.store.finished()?;
        let own = self.store.bid_in()?;
        let mut view = self.reader.read(chain, &finished, &own).await?;
        self.store.reconcile(&view)?;
        self.show(&view);
        if let Some(age) = self.is_behind(&view) {
            self.metrics.refused(Refusal::StaleBlock);
            tracing::warn!(
                block = view.block,
                age_seconds = age,
                "the node's best block is old: it lags behind or stands still; nothing is sent"
            );
            return Ok(Report {
                refusals: vec![Refusal::StaleBlock],
                ..Report::default()
            });
        }
        self.tell_strangers(&view)?;
        let observed = self.observe(&view);
        view.own_price = observed.map(|seen| seen.price);

        let decision = self.decide(&view, observed)?;
        let mut report = Report::default();
        for refusal in decision.refusals {
            self.metrics.refused(refusal);
            tracing::warn!(block = view.block, reason = refusal.label(), "refused");
            report.refusals.push(refusal);
        }
        for action in decision.actions {
            self.perform(chain, &view, action, &mut report).await?;
        }
        self.metrics.worked.set(i64::from(view.block));
        self.metrics.alive();
        Ok(report)
    }

    fn show(&self, view: &View) {
        self.metrics.block.set(i64::from(view.block));
        self.metrics.at_risk.set(i64::from(view.at_risk.members));
        self.metrics.batches.set(gauge(view.batches.len() as u128));
        let bids: usize = view.batches.iter().map(|batch| batch.bids.len()).sum();
        self.metrics.bids.set(gauge(bids as u128));
        self.metrics.free.set(gauge(view.free.get()));
    }

    /// The age of the block in seconds by this machine's clock, where that is too much.
    fn is_behind(&self, view: &View) -> Option<u64> {
        let most = self.config.chain.max_block_age_seconds?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        let age = now.saturating_sub(view.now) / 1_000;
        (most > 0 && age > most).then_some(age)
    }

    /// Says once of each bid of the account that this memory did not send.
    fn tell_strangers(&mut self, view: &View) -> Result<(), BotError> {
        for batch in &view.batches {
            let number = batch.key.number;
            let known = self.store.known_bids(number)?;
            for (bid, ..) in &batch.bids {
                if !known.contains(bid) && self.strangers.insert((number, *bid)) {
                    tracing::warn!(
                        batch = number,
                        bid,
                        "a bid of this account that the state file does not have: another program \
                         signs for the account, or the file is new; it counts against the budget"
                    );
                }
            }
        }
        Ok(())
    }

    fn observe(&self, view: &View) -> Option<Observation> {
        let seen = self.source.as_ref()?.observe(view.now);
        seen.unwrap_or_else(|error| {
            self.metrics.error(Class::Fault);
            tracing::error!(block = view.block, %error, "no price");
            None
        })
    }

    fn decide(&mut self, view: &View, observed: Option<Observation>) -> Result<Decision, BotError> {
        let mut decision = Decision::default();
        let mut add = |more: Decision| {
            decision.actions.extend(more.actions);
            decision.refusals.extend(more.refusals);
        };
        if let Some(config) = &self.config.feeder {
            match observed {
                Some(seen) => {
                    let last = self.store.last_submitted()?;
                    add(feeder::decide(config, view, &seen, last));
                }
                None => add(refusal(Refusal::NoPrice)),
            }
        }
        if let Some(config) = &self.config.keeper {
            add(keeper::decide(config, view));
        }
        if let Some(config) = &self.config.depth {
            let wished = self.config.bidder.as_ref().map(|bidder| bidder.deposit);
            let kept = wished.unwrap_or_default();
            let stood = self.store.stood_today(view.now)?;
            let source = self.source.is_some();
            add(depth::decide(config, view, kept, stood, source));
        }
        if self.config.bidder.is_some() {
            add(self.bid(view)?);
        }
        Ok(decision)
    }

    fn bid(&mut self, view: &View) -> Result<Decision, BotError> {
        let Some(config) = self.config.bidder.clone() else {
            return Ok(Decision::default());
        };
        let mut decision = Decision::default();
        let missing = self.source.is_some() && view.own_price.is_none();
        let fair = match missing {
            true => Err(Refusal::NoPrice),
            false => bidder::fair_price(&config, view),
        };
        decision.actions.extend(bidder::cancels(view, fair));
        let open = view.batches.iter().filter(|batch| batch.takes_bids());
        match fair {
            Err(reason) if open.clone().next().is_some() => decision.refusals.push(reason),
            Err(_) => {}
            Ok(fair) => {
                let mut memory = self.store.memory(view.now)?;
                let mut room = Room::new(&config, view, &memory);
                for batch in open {
                    let mut wants = bidder::wants(&config, view, fair);
                    wants.extend(self.ask(view, batch, fair));
                    wants.extend(bidder::forced(&config, batch, fair));
                    let more =
                        bidder::admit(&config, view, batch, fair, wants, &mut memory, &mut room);
                    decision.actions.extend(more.actions);
                    decision.refusals.extend(more.refusals);
                }
            }
        }
        decision.actions.extend(bidder::housekeeping(&config, view));
        Ok(decision)
    }

    fn ask(&mut self, view: &View, batch: &crate::view::BatchView, fair: Price) -> Vec<Want> {
        let Some(external) = &mut self.external else {
            return Vec::new();
        };
        external.wants(view, batch, fair).unwrap_or_else(|error| {
            self.metrics.error(Class::Fault);
            tracing::error!(batch = batch.key.number, %error, "no bids");
            Vec::new()
        })
    }

    async fn perform<C: Chain<Signer = S>>(
        &mut self,
        chain: &mut C,
        view: &View,
        action: Action,
        report: &mut Report,
    ) -> Result<(), BotError> {
        let d = self.reader.deployment;
        let (mut auction, mut vault, market) = (d.auction(), d.vault(), d.market);
        let mut sending = Sending {
            bot: self,
            chain,
            view,
            report,
        };
        let always = |_: Amount| true;
        match action.clone() {
            Action::Submit { price, observed_at } => {
                let message = d.oracle().call_mut().submit(d.feed, price, observed_at);
                if sending
                    .send(action, d.oracle, message, |_, _| true)
                    .await?
                    .is_some()
                {
                    sending.bot.store.submitted(observed_at)?;
                }
            }
            Action::Open { reward } => {
                let (config, params) = (sending.keeper(), view.params.clone());
                let pays = |receipt: &Receipt<_>, fee| {
                    let opened = receipt.events_of::<AuctionOpened>(d.auction);
                    let asked = opened
                        .ok()
                        .and_then(|events| events.first()?.targets.first().copied());
                    let reward = asked.map_or(reward, |asked| keeper::half_reward(&params, asked));
                    config.is_some_and(|config| keeper::pays(&config, &params, reward, fee))
                };
                let message = auction.call_mut().open_batch(market);
                sending.send(action, d.auction, message, pays).await?;
            }
            Action::Settle { batch, reward } => {
                let (config, params) = (sending.keeper(), view.params.clone());
                let pays =
                    |fee| config.is_some_and(|config| keeper::pays(&config, &params, reward, fee));
                let message = auction.call_mut().settle(batch);
                sending
                    .send(action, d.auction, message, |_, fee| pays(fee))
                    .await?;
            }
            Action::Extend(batch) => {
                let message = auction.call_mut().extend(batch);
                sending
                    .send(action, d.auction, message, |_, fee| always(fee))
                    .await?;
            }
            Action::Reprice(batch) => {
                let message = auction.call_mut().reprice(batch);
                sending
                    .send(action, d.auction, message, |_, fee| always(fee))
                    .await?;
            }
            Action::Rest(batch) => {
                let message = vault.call_mut().rest(market, batch.number, REST_CELLS);
                sending
                    .send(action, d.vault, message, |_, fee| always(fee))
                    .await?;
            }
            Action::ClaimReward(reward) => {
                let message = vault.call_mut().claim_reward(market);
                sending
                    .send(action, d.vault, message, |_, fee| reward > fee)
                    .await?;
            }
            Action::Bid(bid) => {
                let config = sending.bot.config.bidder.clone();
                let least =
                    config.map(|config| config.min_profit.units(view.params.quote_decimals));
                let pays = |fee: Amount| match (bid.profit, least) {
                    (Some(profit), Some(least)) => profit >= fee.plus(least).unwrap_or(fee),
                    _ => true,
                };
                let message =
                    auction
                        .call_mut()
                        .bid(bid.batch, bid.budget, bid.limit, bid.valid_until);
                let sent = sending
                    // A claim costs about what a bid does.
                    .send(action, d.auction, message, |_, fee| {
                        pays(fee.plus(fee).unwrap_or(fee))
                    })
                    .await?;
                if let Some((id, receipt)) = sent {
                    // On a node the value is that of the dry run: the event tells the number.
                    let placed = receipt.events_of::<BidPlaced>(d.auction);
                    let number = placed
                        .ok()
                        .and_then(|events| events.first().map(|placed| placed.bid))
                        .unwrap_or(receipt.value);
                    let store = &sending.bot.store;
                    store.finish(id, Outcome::Done, Some(number), "")?;
                }
            }
            Action::Cancel { batch, bid } => {
                let message = auction.call_mut().cancel(batch, bid);
                let sent = sending
                    .send(action, d.auction, message, |_, fee| always(fee))
                    .await?;
                if sent.is_some() {
                    sending.bot.store.cancelled(batch.number, bid)?;
                }
            }
            Action::Claim { batch, bids } => {
                let ids = bids.iter().map(|(bid, _)| *bid).collect();
                let message = auction.call_mut().claim(batch, ids);
                sending
                    .send(action, d.auction, message, |_, fee| always(fee))
                    .await?;
            }
            Action::Stand { percent, amount } => {
                let message = d.standing().call_mut().stand(market, percent, amount);
                sending
                    .send(action, d.auction, message, |_, fee| always(fee))
                    .await?;
            }
            Action::Unstand { percent, amount } => {
                let message = d.standing().call_mut().unstand(market, percent, amount);
                sending
                    .send(action, d.auction, message, |_, fee| always(fee))
                    .await?;
            }
            Action::ClaimStanding { percent } => {
                let message = d.standing().call_mut().claim_standing(market, percent);
                sending
                    .send(action, d.auction, message, |_, fee| always(fee))
                    .await?;
            }
            Action::Deposit(amount) => sending.deposit(&d, action, amount).await?,
            Action::Withdraw(amount) => {
                let message = auction.call_mut().withdraw(market, amount);
                sending
                    .send(action, d.auction, message, |_, fee| always(fee))
                    .await?;
            }
        }
        Ok(())
    }
}

fn refusal(reason: Refusal) -> Decision {
    Decision {
        actions: Vec::new(),
        refusals: vec![reason],
    }
}

/// The sending of one block's actions.
struct Sending<'a, S, C> {
    bot: &'a mut Bot<S>,
    chain: &'a mut C,
    view: &'a View,
    report: &'a mut Report,
}

impl<S: Signer, C: Chain<Signer = S>> Sending<'_, S, C> {
    fn keeper(&self) -> Option<crate::config::KeeperConfig> {
        self.bot.config.keeper.clone()
    }

    /// Tries a message, asks whether it is worth its fee (in quote), writes it down, sends it, and
    /// writes down what came of it. `None`: it was not sent, or it was refused.
    async fn send<T: Decode, E: Decode + Debug + Classed>(
        &mut self,
        action: Action,
        contract: AccountId,
        message: impl Into<Message<Result<T, E>>>,
        pays: impl FnOnce(&Receipt<T>, Amount) -> bool,
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
        let params = &self.view.params;
        let chain = &self.bot.config.chain;
        let fee = chain
            .native_price
            .cost(tried.fee, chain.native_decimals, params.quote_decimals);
        if !pays(&tried, fee) {
            self.bot.metrics.refused(Refusal::Unprofitable);
            tracing::info!(
                block = self.view.block,
                kind,
                fee = fee.get(),
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
        match self.chain.call(&self.bot.signer, contract, message).await {
            Ok(receipt) => {
                self.bot.store.finish(id, Outcome::Done, None, "")?;
                self.bot.metrics.fees.add(gauge(receipt.fee));
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
            self.report.done.push(action);
            return Ok(());
        }
        let mut token = Deployment::token(d.quote);
        let approve = token.call_mut().approve(d.auction, amount.get());
        let signer = &self.bot.signer;
        if let Err(error) = self.chain.call(signer, d.quote, approve).await {
            return self.refused(action, &error, Some(id));
        }
        let message = d.auction().call_mut().deposit(d.market, amount);
        match self.chain.call(signer, d.auction, message).await {
            Ok(receipt) => {
                self.bot.store.finish(id, Outcome::Done, None, "")?;
                self.bot.metrics.fees.add(gauge(receipt.fee));
                self.count(&action, "done");
                self.report.done.push(action);
                Ok(())
            }
            Err(error) => self.refused(action, &error, Some(id)),
        }
    }
}
