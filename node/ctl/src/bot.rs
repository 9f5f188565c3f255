//! `breakwaterctl bot`: a feeder, keeper, bidder or depth, on a node until it is stopped.

use crate::failure::Failure;
use crate::market::MarketArgs;
use crate::on_node::{block_on, NodeArgs};
use crate::output::Answer;
use breakwater_bot::run::{self, Blocks};
use breakwater_bot::{telemetry, Bot, BotError, Config};
use breakwater_chain::{Chain, QueryError};
use breakwater_node::{BlockUpdate, Follower, KeySigner};
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

/// Longest wait for a block before the loop looks whether it was told to stop.
const PATIENCE: Duration = Duration::from_secs(2);

/// Age of a block, in seconds, on which nothing is sent: many times the longest block time in use.
const MAX_BLOCK_AGE: u64 = 300;

/// Run a bot: feeder, keeper, bidder and depth, as far as its configuration switches them on.
///
/// It works on every block until SIGINT or SIGTERM, and logs to stderr. It finishes the action it
/// is at, and goes on from its state file when it is started again.
#[derive(Debug, clap::Args)]
pub(crate) struct BotArgs {
    /// What it does, within which bounds; examples/bot.toml explains every key
    #[arg(long, value_name = "FILE.toml")]
    config: PathBuf,

    /// Decide and log, but send nothing; its state is kept in a file of its own
    #[arg(long)]
    dry_run: bool,

    /// Work on the present block alone, and print what that came to
    #[arg(long)]
    once: bool,

    /// Print the result as JSON
    #[arg(long, requires = "once")]
    json: bool,
}

/// Blocks of a node's best chain.
struct NodeBlocks {
    /// The wait for the next one. It takes several requests and is kept from one look at the signals
    /// to the next: begun anew each time, it would never end on a slow link.
    next: Pin<Box<dyn Future<Output = (Follower, Result<BlockUpdate, QueryError>)>>>,
}

impl NodeBlocks {
    fn of(mut follower: Follower) -> Self {
        let next = async move {
            let update = follower.next().await;
            (follower, update)
        };
        Self {
            next: Box::pin(next),
        }
    }
}

impl Blocks for NodeBlocks {
    async fn next(&mut self) -> Result<bool, QueryError> {
        let Ok((follower, update)) = tokio::time::timeout(PATIENCE, &mut self.next).await else {
            return Ok(false);
        };
        *self = Self::of(follower);
        update.map(|_| true)
    }

    async fn pause(&mut self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

/// Runs a bot.
pub(crate) fn bot(arguments: &BotArgs) -> Result<(), Failure> {
    let mut config = Config::read(&arguments.config).map_err(BotError::from)?;
    telemetry::log(config.telemetry.json);
    let secret = config.account.secret().map_err(BotError::from)?;
    let signer =
        KeySigner::from_suri(&secret).map_err(|error| Failure::Usage(error.to_string()))?;
    block_on(async {
        let market = MarketArgs {
            deployment: config.chain.deployment.clone(),
            node: NodeArgs {
                url: config.chain.url.clone(),
            },
            json: false,
        };
        let market = market.open().await?;
        let (node, listen) = (market.node, config.telemetry.listen.clone());
        let decimals = node.native_decimals();
        config.on_chain_with(decimals).map_err(BotError::from)?;
        if config.chain.max_block_age_seconds.is_none() && !node.is_development() {
            config.chain.max_block_age_seconds = Some(MAX_BLOCK_AGE);
        }
        let mut bot = Bot::new(config, market.d, signer, arguments.dry_run)?;
        let mut chain = node.clone();
        if arguments.once {
            let report = run::once(&mut bot, &mut chain).await?;
            let mut answer = Answer::default();
            answer.add("done", report.done.len(), "");
            answer.add("failed", report.failed.len(), "");
            answer.add("refused", report.refusals.len(), "");
            return answer.print(arguments.json);
        }
        let stop = run::stop_on_signals()
            .map_err(|error| Failure::Refused(format!("cannot listen to signals ({error})")))?;
        if let Some(at) = listen {
            telemetry::serve(&at, bot.metrics().clone(), stop.clone()).map_err(|error| {
                Failure::Usage(format!(
                    "telemetry.listen: cannot listen at {at} ({error}): name another address"
                ))
            })?;
        }
        let from = node.block().await.map_err(|error| {
            Failure::Refused(format!("the node does not tell its block ({error})"))
        })?;
        let mut blocks = NodeBlocks::of(node.follow(from));
        Ok(run::run(&mut bot, &mut chain, &mut blocks, &stop).await?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use breakwater_node::{Node, Settings};
    use breakwater_node_tests::{proxy::Proxy, url};

    /// The requests for one block take longer together than the loop waits without a look at the
    /// signals.
    #[tokio::test]
    async fn a_bot_on_a_slow_link_sees_every_block() {
        let settings = Settings::development;
        let mut near = Node::connect(url(), settings()).await.unwrap();
        let proxy = Proxy::slow(url(), PATIENCE / 4).await;
        let far = Node::connect(&proxy.url(), settings()).await.unwrap();
        let mut blocks = NodeBlocks::of(far.follow(near.block().await.unwrap()));
        for block in 0..2 {
            let mut looks = 0;
            while !blocks.next().await.unwrap() {
                looks += 1;
                assert!(looks < 20, "no block {block}");
            }
            near.advance(1).await.unwrap();
        }
    }
}
