//! A strategy in a process of its own: asked and answering by JSON lines.

use crate::config::Decimal;
use crate::decide::bidder::Want;
use crate::program;
use crate::view::{BatchView, View};
use breakwater_core::units::{Amount, Price};
use breakwater_sim::prices::format_price;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::Receiver;
use std::time::Duration;

/// The process does not do its work. It is started anew for the next question.
#[derive(Debug, thiserror::Error)]
#[error("the bidding process {0}")]
pub struct StrategyError(String);

/// One line asked: whole tokens and prices as exact decimal texts.
#[derive(Debug, Serialize)]
struct Request {
    market: u32,
    batch: u32,
    block: u32,
    step: u8,
    steps: u8,
    price: String,
    next_price: Option<String>,
    blocks_to_next: Option<u32>,
    floor: String,
    reference: String,
    oracle: Option<String>,
    fair: String,
    target: String,
    demand: String,
    free: String,
    own: Vec<Bid>,
}

/// A bid as the process sees it.
#[derive(Debug, Serialize, Deserialize)]
struct Bid {
    budget: String,
    limit: String,
}

/// One line answered.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    bids: Vec<Bid>,
}

/// A process that is asked once for each batch and step.
#[derive(Debug)]
pub struct External {
    command: Vec<String>,
    timeout: Duration,
    running: Option<Running>,
    /// The latest answer for each batch, and the step it was asked in.
    answers: BTreeMap<u32, (u8, Vec<Want>)>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

impl External {
    /// A process as configured; it is started with the first question.
    #[must_use]
    pub fn new(command: Vec<String>, timeout_seconds: u64) -> Self {
        Self {
            command,
            timeout: Duration::from_secs(timeout_seconds),
            running: None,
            answers: BTreeMap::new(),
        }
    }

    /// What it wants of a batch: asked in each new step, remembered until the next.
    ///
    /// # Errors
    /// [`StrategyError`]; nothing is wanted then.
    pub fn wants(
        &mut self,
        view: &View,
        batch: &BatchView,
        fair: Price,
    ) -> Result<Vec<Want>, StrategyError> {
        let (number, step) = (batch.key.number, batch.status.step);
        if let Some((asked, wants)) = self.answers.get(&number) {
            if *asked == step {
                return Ok(wants.clone());
            }
        }
        let question = request(view, batch, fair);
        let line = self.ask(&question).inspect_err(|_| self.stop())?;
        let wants = read(&line, step, view.params.quote_decimals)?;
        self.answers.insert(number, (step, wants.clone()));
        self.answers
            .retain(|number, _| view.batches.iter().any(|batch| batch.key.number == *number));
        Ok(wants)
    }

    fn ask(&mut self, question: &Request) -> Result<String, StrategyError> {
        let failed = |reason: String| StrategyError(reason);
        let text = serde_json::to_string(question).map_err(|e| failed(e.to_string()))?;
        let timeout = self.timeout;
        let running = match &mut self.running {
            Some(running) => running,
            none => none.insert(start(&self.command)?),
        };
        // An answer that came too late belongs to an earlier question.
        while running.lines.try_recv().is_ok() {}
        writeln!(running.input, "{text}")
            .and_then(|()| running.input.flush())
            .map_err(|error| failed(format!("takes no question: {error}")))?;
        let answer = running.lines.recv_timeout(timeout);
        answer.map_err(|_| failed("does not answer in time, or ended".to_owned()))
    }

    fn stop(&mut self) {
        if let Some(mut running) = self.running.take() {
            let _ = running.child.kill();
            let _ = running.child.wait();
        }
    }
}

impl Drop for External {
    fn drop(&mut self) {
        self.stop();
    }
}

fn start(command: &[String]) -> Result<Running, StrategyError> {
    let failed = |reason: String| StrategyError(reason);
    let mut child = program::start(command, Stdio::piped()).map_err(failed)?;
    let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(failed("has no input or output".to_owned()));
    };
    let lines = program::lines(output, usize::MAX);
    Ok(Running {
        child,
        input,
        lines,
    })
}

fn request(view: &View, batch: &BatchView, fair: Price) -> Request {
    let text = |price: Price| format_price(price.get());
    let decimals = u32::from(18u8.saturating_sub(view.params.quote_decimals));
    let whole = |amount: Amount| format_price(amount.get().saturating_mul(10u128.pow(decimals)));
    let (status, auction) = (&batch.status, &batch.record.auction);
    Request {
        market: batch.key.market,
        batch: batch.key.number,
        block: view.block,
        step: status.step,
        steps: auction.schedule.steps,
        price: text(status.price),
        next_price: status.next_price.map(text),
        blocks_to_next: status.blocks_to_next,
        floor: text(status.floor),
        reference: text(auction.reference),
        oracle: view.prices.as_ref().map(|prices| text(prices.spot)),
        fair: text(fair),
        target: whole(status.target),
        demand: whole(status.demand),
        free: whole(view.free),
        own: batch
            .bids
            .iter()
            .map(|(_, bid, _)| Bid {
                budget: whole(bid.budget),
                limit: text(bid.limit),
            })
            .collect(),
    }
}

fn read(line: &str, step: u8, quote_decimals: u8) -> Result<Vec<Want>, StrategyError> {
    let failed = |reason: String| StrategyError(format!("answers nonsense: {reason}"));
    let answer: Answer = serde_json::from_str(line).map_err(|error| failed(error.to_string()))?;
    let number =
        |text: &str| Decimal::parse(text).map_err(|error| failed(format!("{text:?} {error}")));
    let mut wants = Vec::new();
    for (index, bid) in answer.bids.iter().enumerate() {
        wants.push(Want {
            slot: format!("step{step}.{index}"),
            budget: number(&bid.budget)?.units(quote_decimals),
            limit: number(&bid.limit)?.price(),
            forced: false,
        });
    }
    Ok(wants)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_bids_in_whole_tokens_and_nothing_else() {
        let wants = read(r#"{"bids":[{"budget":"1.5","limit":"180"}]}"#, 3, 6).unwrap();
        let [want] = &wants[..] else {
            panic!("{wants:?}");
        };
        assert_eq!(want.slot, "step3.0");
        assert_eq!(want.budget, Amount::new(1_500_000));
        assert_eq!(want.limit, Price::new(180_000_000_000_000_000_000));
        for nonsense in [
            "",
            "{}",
            r#"{"bids":[{"budget":"-1","limit":"1"}]}"#,
            r#"{"bids":[{"budget":"1","limit":"nan"}]}"#,
            r#"{"bids":[],"more":1}"#,
        ] {
            assert!(read(nonsense, 0, 6).is_err(), "{nonsense}");
        }
    }
}
