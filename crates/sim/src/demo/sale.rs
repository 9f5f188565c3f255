//! One batch from its opening to the last claim.

use super::cast::{account, Bidder};
use super::stage::Stage;
use super::DemoError;
use crate::deployment::{ask, StepError};
use crate::outcome::{BatchOutcome, BidKind, BidOutcome, Clearing, LadderStep, OraclePoint};
use breakwater_chain::{AccountId, CallError, Chain};
use breakwater_core::auction::Fill;
use breakwater_core::math::Rounding;
use breakwater_core::units::{Amount, Price, Ratio};
use breakwater_interfaces::auction::{
    AuctionContractError, AuctionRecord, BatchKey, BidId, LiquidationAuction,
};
use breakwater_interfaces::vault::{BatchOpened, MarginVault};
use ink::codegen::TraitCallBuilder;
use std::collections::VecDeque;

/// Cells of a batch that one `rest` puts back.
const REST_CELLS: u16 = 16;

/// A bid that was placed.
struct Placed {
    bidder: usize,
    id: BidId,
    budget: Amount,
    limit: Price,
}

/// Tries to open a batch; `None` if there is nothing to liquidate or no room for it now.
pub async fn try_open(stage: &mut Stage) -> Result<Option<(BatchKey, BatchOutcome)>, DemoError> {
    let keeper = stage.chain.account(account::KEEPER);
    let d = stage.d;
    let attempt = d.auction().call_mut().open_batch(d.market);
    match stage.chain.dry_run(&keeper, d.auction, attempt).await {
        Ok(_) => {}
        Err(CallError::Reverted(AuctionContractError::Vault(_))) => return Ok(None),
        Err(other) => return Err(StepError::at("open batch")(other).into()),
    }
    let message = d.auction().call_mut().open_batch(d.market);
    let (receipt, gas) = stage
        .send(keeper, d.auction, "auction.open_batch", message)
        .await?;
    let batch = receipt.value;
    stage.live.push(batch);
    let opened = receipt
        .events_of::<BatchOpened>(d.vault)
        .ok()
        .and_then(|mut events| events.pop())
        .ok_or(StepError::Call {
            step: "open batch",
            reason: "no event".to_owned(),
        })?;
    let lowest = stage.lowest_judged.unwrap_or(opened.reference);
    stage.lowest_judged = Some(lowest.min(opened.reference));
    let record = auction(stage, batch).await?;
    let outcome = BatchOutcome {
        number: u64::from(batch.number),
        opened_block: u64::from(stage.block().await?),
        opened_at: stage.now().await?,
        positions: u64::from(opened.members),
        cohorts: u64::from(opened.cohorts),
        collateral_offered: opened.collateral.get(),
        debt: opened.debt.get(),
        target_at_start: record
            .auction
            .targets
            .first()
            .map_or(0, |target| target.get()),
        reference_price: record.auction.reference.get(),
        floor: record.auction.prices.last().map_or(0, |price| price.get()),
        oracle_during: vec![OraclePoint {
            block: u64::from(receipt.block),
            price: stage.oracle.spot.get(),
        }],
        cost: crate::outcome::BatchCost {
            open: gas,
            ..Default::default()
        },
        ..BatchOutcome::default()
    };
    stage.check_books().await?;
    Ok(Some((batch, outcome)))
}

/// Runs the auction of an opened batch to its end.
pub async fn run(
    stage: &mut Stage,
    bidders: &[Bidder],
    batch: BatchKey,
    mut outcome: BatchOutcome,
) -> Result<BatchOutcome, DemoError> {
    let placed = bidding(stage, bidders, batch, &mut outcome).await?;
    stage.check_books().await?;
    let rested = clear_and_settle(stage, batch, &mut outcome).await?;
    stage.check_books().await?;
    if !rested {
        rest(stage, batch, &mut outcome).await?;
    }
    claim(stage, bidders, batch, &placed, &mut outcome).await?;
    stage.check_books().await?;

    let record = auction(stage, batch).await?;
    stage.live.retain(|live| *live != batch);
    stage.remainder = Amount::new(stage.remainder.get() + record.collateral.get());
    Ok(outcome)
}

async fn auction(stage: &Stage, batch: BatchKey) -> Result<AuctionRecord, DemoError> {
    let message = stage.d.auction().call().auction(batch);
    let record: Option<AuctionRecord> =
        ask(&stage.chain, stage.d.auction, "auction", message).await?;
    Ok(record.ok_or(StepError::Call {
        step: "auction",
        reason: "gone".to_owned(),
    })?)
}

/// Bidders tell the truth: each bids what it values the collateral at, once the clock's price is
/// down to that, as it saw the market its latency ago.
async fn bidding(
    stage: &mut Stage,
    bidders: &[Bidder],
    batch: BatchKey,
    outcome: &mut BatchOutcome,
) -> Result<Vec<Placed>, DemoError> {
    let mut record = auction(stage, batch).await?;
    let least = record
        .auction
        .least_budget(stage.scale)
        .unwrap_or(Amount::ZERO);
    let target = record.auction.asked();
    let mut seen: VecDeque<u128> = VecDeque::new();
    let mut placed: Vec<Placed> = Vec::new();
    loop {
        stage.next_block().await?;
        if stage.feed().await? {
            let block = u64::from(stage.block().await?);
            let price = stage.oracle.spot.get();
            outcome.oracle_during.push(OraclePoint { block, price });
        }
        let block = stage.block().await?;
        let ended = record
            .auction
            .ended_at(block)
            .map_err(|error| StepError::Call {
                step: "judge",
                reason: format!("{error:?}"),
            })?;
        if ended.is_some() {
            return Ok(placed);
        }
        let market = stage.market_price().await?;
        seen.push_front(market);
        seen.truncate(8);
        let step = record
            .auction
            .schedule
            .step_at(block)
            .map_or(0, usize::from);
        let asked = record.auction.prices.get(step).copied().unwrap_or_default();
        for (nth, bidder) in bidders.iter().enumerate() {
            if placed.iter().any(|bid| bid.bidder == nth) {
                continue;
            }
            let latency = usize::try_from(bidder.latency).unwrap_or(0);
            let Some(known) = seen.get(latency).copied() else {
                continue;
            };
            let keep = Ratio::ONE.minus(bidder.hurdle).unwrap_or(Ratio::ZERO);
            let value = Price::new(known)
                .times(keep, Rounding::Down)
                .unwrap_or_default();
            if asked > value {
                continue;
            }
            let who = bidder_account(stage, nth);
            let balance = balance(stage, who).await?;
            let wish = target
                .share(bidder.appetite, Rounding::Up)
                .unwrap_or(Amount::ZERO);
            let budget = wish.min(balance);
            if budget < least {
                continue;
            }
            let d = stage.d;
            let message = d.auction().call_mut().bid(batch, budget, value, u32::MAX);
            let (receipt, gas) = stage.send(who, d.auction, "auction.bid", message).await?;
            outcome.cost.bid = outcome.cost.bid.larger(gas);
            placed.push(Placed {
                bidder: nth,
                id: receipt.value,
                budget,
                limit: value,
            });
            record = auction(stage, batch).await?;
        }
    }
}

fn bidder_account(stage: &Stage, nth: usize) -> AccountId {
    stage
        .chain
        .account(account::BIDDERS + u32::try_from(nth).unwrap_or(0))
}

async fn balance(stage: &Stage, who: AccountId) -> Result<Amount, DemoError> {
    let message = stage.d.auction().call().balance(stage.d.market, who);
    Ok(ask(&stage.chain, stage.d.auction, "balance", message).await?)
}

/// The keeper clears and settles in the first block it can; returns whether the settlement has
/// put every cohort back.
async fn clear_and_settle(
    stage: &mut Stage,
    batch: BatchKey,
    outcome: &mut BatchOutcome,
) -> Result<bool, DemoError> {
    let keeper = stage.chain.account(account::KEEPER);
    let d = stage.d;
    let message = d.auction().call_mut().advance(batch);
    let (cleared, gas) = stage
        .send(keeper, d.auction, "auction.advance", message)
        .await?;
    outcome.cost.clear = gas;
    let message = d.auction().call_mut().settle(batch);
    let (receipt, gas) = stage
        .send(keeper, d.auction, "auction.settle", message)
        .await?;
    outcome.cost.settle = gas;
    outcome.closed_block = u64::from(receipt.block);
    let (clearing, settlement) = (cleared.value, receipt.value);
    outcome.steps_reached = u32::from(clearing.ended_at) + 1;
    outcome.repaid = settlement.repaid.get();
    outcome.penalty =
        settlement.waterfall.from_penalties.get() + settlement.waterfall.to_insurance.get();
    outcome.keeper_reward = settlement.waterfall.reward.get();
    // Insurance is its cash and the reserve's shares of the pool.
    outcome.insurance_used =
        settlement.waterfall.from_insurance.get() + settlement.waterfall.from_reserve.get();
    outcome.lender_loss = settlement.waterfall.from_lenders.get();
    outcome.bad_debt = outcome.insurance_used + outcome.lender_loss;
    outcome.collateral_returned = settlement.returned.get();
    if !clearing.raised.is_zero() {
        outcome.clearing = Some(Clearing {
            step: u32::from(clearing.step),
            price: clearing.price.get(),
            distance_to_oracle_bps: distance_bps(clearing.price.get(), stage.oracle.spot.get()),
            raised: clearing.raised.get(),
            collateral_sold: clearing.sold.get(),
            spent_by_bids: 0,
        });
    }
    Ok(settlement.rested)
}

/// `price / oracle − 1` in basis points, towards zero.
fn distance_bps(price: u128, oracle: u128) -> i32 {
    let bps = price
        .abs_diff(oracle)
        .saturating_mul(10_000)
        .checked_div(oracle)
        .unwrap_or(0);
    let bps = i32::try_from(bps).unwrap_or(i32::MAX);
    if price < oracle {
        -bps
    } else {
        bps
    }
}

async fn rest(
    stage: &mut Stage,
    batch: BatchKey,
    outcome: &mut BatchOutcome,
) -> Result<(), DemoError> {
    let keeper = stage.chain.account(account::KEEPER);
    let d = stage.d;
    loop {
        let message = d
            .vault()
            .call_mut()
            .rest(d.market, batch.number, REST_CELLS);
        let (receipt, gas) = stage.send(keeper, d.vault, "vault.rest", message).await?;
        outcome.cost.rest = outcome.cost.rest + gas;
        if receipt.value {
            return Ok(());
        }
    }
}

/// Everybody claims, sells the collateral elsewhere and brings the money back.
async fn claim(
    stage: &mut Stage,
    bidders: &[Bidder],
    batch: BatchKey,
    placed: &[Placed],
    outcome: &mut BatchOutcome,
) -> Result<(), DemoError> {
    let d = stage.d;
    let record = auction(stage, batch).await?;
    fill_ladder(&record, outcome);
    let mut spent = 0;
    for bid in placed {
        let who = bidder_account(stage, bid.bidder);
        let found = ask(
            &stage.chain,
            d.auction,
            "bid",
            d.auction().call().bid_of(batch, bid.id),
        )
        .await?;
        let message = d.auction().call_mut().claim(batch, vec![bid.id]);
        let (receipt, gas) = stage.send(who, d.auction, "auction.claim", message).await?;
        let fill: Fill = receipt.value;
        outcome.cost.claim = outcome.cost.claim.larger(gas);
        spent += fill.spent.get();
        outcome.bids.push(BidOutcome {
            bidder: bidders
                .get(bid.bidder)
                .map_or("", |bidder| bidder.name)
                .to_owned(),
            kind: BidKind::Live,
            budget: bid.budget.get(),
            limit: bid.limit.get(),
            step_joined: found
                .map(|bid| u32::from(bid.step))
                .filter(|step| *step < outcome.steps_reached),
            spent: fill.spent.get(),
            received: fill.received.get(),
            refunded: fill.refunded.get(),
        });
        if !fill.spent.is_zero() {
            bring_back(stage, who, fill.spent).await?;
        }
    }
    if let Some(clearing) = outcome.clearing.as_mut() {
        clearing.spent_by_bids = spent;
    }
    Ok(())
}

async fn bring_back(stage: &mut Stage, who: AccountId, amount: Amount) -> Result<(), DemoError> {
    let d = stage.d;
    stage.fund(who, d.quote, amount, d.auction).await?;
    let message = d.auction().call_mut().deposit(d.market, amount);
    stage
        .send(who, d.auction, "auction.deposit", message)
        .await?;
    Ok(())
}

fn fill_ladder(record: &AuctionRecord, outcome: &mut BatchOutcome) {
    let auction = &record.auction;
    let mut cumulative = 0;
    let steps = auction
        .prices
        .iter()
        .zip(&auction.targets)
        .zip(&auction.joined);
    for (step, ((price, target), joined)) in (0u8..).zip(steps) {
        cumulative += joined.get();
        outcome.ladder.push(LadderStep {
            step: u32::from(step),
            block: u64::from(auction.schedule.begins(step)),
            price: price.get(),
            target: target.get(),
            money_joined: joined.get(),
            money_cumulative: cumulative,
        });
    }
}
