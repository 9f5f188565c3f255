//! One bot: reads a block, compares it with its memory, decides, and sends.

use crate::action::{Action, Decision, Refusal};
use crate::config::{Config, ConfigError, StrategyConfig};
use crate::decide::bidder::{self, Room, Want};
use crate::decide::{depth, feeder, keeper};
use crate::fault::Class;
use crate::send::Sending;
use crate::source::{Observation, Source};
use crate::store::{Store, StoreError};
use crate::strategy::External;
use crate::telemetry::{gauge, Metrics};
use crate::turns::Turns;
use crate::upkeep::{self, Duty};
use crate::view::{Reader, View, ViewError};
use breakwater_chain::{Chain, Signer};
use breakwater_core::units::{Block, Price};
use breakwater_interfaces::auction::BidId;
use breakwater_sim::deployment::Deployment;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

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
    /// How many were not come to before the chain had gone on: they are decided anew.
    pub left: usize,
}

/// A bot for one account in one market.
pub struct Bot<S> {
    pub(crate) config: Config,
    pub(crate) reader: Reader,
    pub(crate) signer: S,
    pub(crate) store: Store,
    source: Option<Source>,
    external: Option<External>,
    pub(crate) metrics: Metrics,
    pub(crate) dry_run: bool,
    /// The block in which it last looked what the market's upkeep needs.
    kept_up: Option<Block>,
    /// What it found then and has not tried since.
    due: Vec<Duty>,
    /// Whose turn it is.
    turns: Turns,
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
        let mut reader = Reader::new(deployment, me, tiers);
        reader.feeds = config.feeder.is_some();
        Ok(Self {
            reader,
            store: Store::open(path, &identity)?,
            source: config.price.clone().map(Source::new),
            metrics: Metrics::new()?,
            external,
            config,
            signer,
            dry_run,
            kept_up: None,
            due: Vec::new(),
            turns: Turns::default(),
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

    /// Looks at the present block: reads it, reconciles, decides and sends.
    ///
    /// Each call takes a block, and decisions are those of one. Once the chain is more than one
    /// block past it, the rest of the list is left ([`Report::left`]): the next look decides it anew,
    /// at the prices of then. Each look gets as far as one call at least, and nothing waits for ever
    /// (`turns`).
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
        for batch in self.store.reconcile(&view)? {
            tracing::warn!(
                block = view.block,
                batch,
                "a bid is not in its batch any more: another best chain, or taken back by hand"
            );
            // On another chain the numbers are others.
            self.reader.forget(batch);
        }
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
        self.look_after(chain, &mut view).await?;

        let mut decision = self.decide(&view, observed)?;
        let mut report = Report::default();
        for refusal in decision.refusals {
            self.metrics.refused(refusal);
            tracing::warn!(block = view.block, reason = refusal.label(), "refused");
            report.refusals.push(refusal);
        }
        self.turns.order(&mut decision.actions);
        let mut actions = decision.actions.into_iter();
        for action in actions.by_ref() {
            self.turns.take(&action);
            if let Action::Maintain(duty) = &action {
                self.due.retain(|due| due != duty);
            }
            let mut sending = Sending {
                bot: self,
                chain,
                view: &view,
                report: &mut report,
                sent: false,
            };
            sending.perform(action).await?;
            if sending.sent && is_past(chain, &view).await? {
                break;
            }
        }
        report.left = actions.len();
        if report.left == 0 {
            self.metrics.worked.set(i64::from(view.block));
        }
        self.metrics.alive();
        Ok(report)
    }

    /// Finds out what the market's upkeep needs, where that is the bot's business and it is time.
    async fn look_after<C: Chain<Signer = S>>(
        &mut self,
        chain: &C,
        view: &mut View,
    ) -> Result<(), BotError> {
        let Some(config) = self.config.keeper.as_ref().map(|keeper| &keeper.maintain) else {
            return Ok(());
        };
        let next = |last: Block| last.saturating_add(config.every_blocks);
        if config.every_blocks == 0 || self.kept_up.is_some_and(|last| view.block < next(last)) {
            // What was left then is still to be tried.
            view.duties.clone_from(&self.due);
            return Ok(());
        }
        let Reader { deployment, me, .. } = &self.reader;
        let found = upkeep::look(chain, deployment, *me, config.trip).await;
        let found = found.map_err(ViewError::from)?;
        self.kept_up = Some(view.block);
        self.metrics.stage.set(i64::from(found.stage as u8));
        self.metrics.duties.set(gauge(found.duties.len() as u128));
        self.due = found.duties;
        view.duties.clone_from(&self.due);
        Ok(())
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
                    add(feeder::decide(config, view, self.reader.me, &seen, last));
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
}

/// Whether the chain has gone on so far that what was decided may be wrong: a call is in the next
/// block at best.
async fn is_past<C: Chain>(chain: &C, view: &View) -> Result<bool, BotError> {
    let block = chain.block().await.map_err(ViewError::from)?;
    Ok(block > view.block.saturating_add(1))
}

fn refusal(reason: Refusal) -> Decision {
    Decision {
        actions: Vec::new(),
        refusals: vec![reason],
    }
}
