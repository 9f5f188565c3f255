//! The loop around a bot: block after block, pauses after errors, a graceful end.

use crate::bot::{Bot, BotError, Report};
use crate::turns::PATIENT;
use crate::view::ViewError;
use breakwater_chain::{Chain, QueryError, Signer};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::Duration;

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Where blocks come from, and how to wait without one.
#[allow(async_fn_in_trait)] // as `Chain`: driven by the task that owns it
pub trait Blocks {
    /// Waits for the next block, at most some seconds: `false` if there was none.
    ///
    /// # Errors
    /// [`QueryError`].
    async fn next(&mut self) -> Result<bool, QueryError>;

    /// Waits for a time.
    async fn pause(&mut self, time: Duration);
}

/// A flag that SIGINT and SIGTERM set.
///
/// # Errors
/// The system allows no handler.
pub fn stop_on_signals() -> io::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        // A second signal ends the process at once.
        signal_hook::flag::register_conditional_shutdown(signal, 1, Arc::clone(&stop))?;
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    Ok(stop)
}

/// Works on each block until told to stop. An action under way is always finished.
///
/// # Errors
/// [`BotError`], unless a pause may help: then the bot pauses, longer each time, and goes on.
pub async fn run<S: Signer, C: Chain<Signer = S>>(
    bot: &mut Bot<S>,
    chain: &mut C,
    blocks: &mut impl Blocks,
    stop: &AtomicBool,
) -> Result<(), BotError> {
    let mut backoff = Backoff::new(u64::from(std::process::id()));
    let mut worked_on = None;
    while !stop.load(Ordering::Relaxed) {
        let problem = match blocks.next().await {
            Ok(false) => continue,
            Ok(true) => match work(bot, chain, &mut worked_on, stop).await {
                Ok(()) => {
                    backoff.reset();
                    continue;
                }
                Err(error) if error.is_transient() => error.to_string(),
                Err(error) => return Err(error),
            },
            Err(error) => error.to_string(),
        };
        let pause = backoff.lengthen();
        tracing::warn!(problem, pause_ms = pause.as_millis(), "waits");
        // In slices, so that a signal does not wait for the longest pause.
        let mut left = pause;
        while !left.is_zero() && !stop.load(Ordering::Relaxed) {
            let slice = left.min(Duration::from_millis(500));
            blocks.pause(slice).await;
            left = left.saturating_sub(slice);
        }
    }
    tracing::info!("stopped");
    Ok(())
}

/// Works on the present block, unless it has been: a bot that was slow catches up in one go. What a
/// look leaves, because blocks came meanwhile, is decided anew at once.
async fn work<S: Signer, C: Chain<Signer = S>>(
    bot: &mut Bot<S>,
    chain: &mut C,
    worked_on: &mut Option<u32>,
    stop: &AtomicBool,
) -> Result<(), BotError> {
    let block = chain.block().await.map_err(ViewError::from)?;
    if *worked_on == Some(block) {
        return Ok(());
    }
    while bot.on_block(chain).await?.left > 0 {
        if stop.load(Ordering::Relaxed) {
            return Ok(());
        }
    }
    *worked_on = Some(block);
    Ok(())
}

/// Works on the present block alone: until all that there is to do in it has had its turn.
///
/// # Errors
/// [`BotError`].
pub async fn once<S: Signer, C: Chain<Signer = S>>(
    bot: &mut Bot<S>,
    chain: &mut C,
) -> Result<Report, BotError> {
    let mut all = bot.on_block(chain).await?;
    // By then all of it had its turn, whatever is new meanwhile.
    let looks = all.left.saturating_mul(PATIENT as usize);
    for _ in 0..looks {
        if all.left == 0 {
            break;
        }
        let report = bot.on_block(chain).await?;
        all.done.extend(report.done);
        all.failed.extend(report.failed);
        all.refusals.extend(report.refusals);
        all.left = report.left;
    }
    Ok(all)
}

/// Pauses that double, with a quarter of jitter, so that many bots do not return at once.
#[derive(Clone, Debug)]
pub struct Backoff {
    next: Duration,
    state: u64,
}

impl Backoff {
    /// Pauses that begin with a second; bots of other seeds jitter otherwise.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            next: FIRST_PAUSE,
            state: seed | 1,
        }
    }

    /// The next pause; the one after it is longer.
    pub fn lengthen(&mut self) -> Duration {
        // Xorshift: nothing depends on its quality.
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        let percent = 75 + u32::try_from(self.state % 51).unwrap_or(0);
        let pause = self.next * percent / 100;
        self.next = (self.next * 2).min(LONGEST_PAUSE);
        pause
    }

    /// All is well: the next pause is the first again.
    pub fn reset(&mut self) {
        self.next = FIRST_PAUSE;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute_with_a_quarter_of_jitter() {
        let mut backoff = Backoff::new(7);
        for expected in [
            1_000u64, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000,
        ] {
            let pause = u64::try_from(backoff.lengthen().as_millis()).unwrap();
            assert!(
                (expected * 3 / 4..=expected * 5 / 4).contains(&pause),
                "{pause} {expected}"
            );
        }
        backoff.reset();
        assert!(backoff.lengthen() <= Duration::from_millis(1_250));
    }
}
