//! The run from deployment to the last price.

use super::cast::{self, account, Dice, Purpose};
use super::clock::Market;
use super::stage::{Stage, BLOCK_SECONDS};
use super::{sale, DemoError, DemoOptions, Progress, Told, MAX_POSITIONS, MIN_POSITIONS};
use crate::deployment::{ask, Deployment, Plan, StepError};
use crate::outcome::{
    Balance, Baseline, BatchOutcome, DemoOutcome, Gas, LendersOutcome, MarketTerms,
    PositionsOutcome, RunCosts, Source, Token, Totals, OUTCOME_SCHEMA,
};
use crate::replay::{check, Replayed};
use breakwater_chain::{Embedded, Genesis};
use breakwater_core::market::MarketParams;
use breakwater_core::oracle::FeedConfig;
use breakwater_core::position::PositionView;
use breakwater_core::units::{
    is_liquidatable, Amount, DebtRatio, Index, Price, Ratio, Shares, UnitScale,
};
use breakwater_interfaces::auction::LiquidationAuction;
use breakwater_interfaces::vault::{MarginVault, VaultError};
use breakwater_interfaces::AccountId;
use ink::codegen::TraitCallBuilder;

/// Time before the first candle in which the market is set up, seconds.
const SETUP_SECONDS: u64 = 3_000;
/// Positions opened in one block.
const POSITIONS_PER_BLOCK: u32 = 1_000;
/// Native tokens of every account.
const ENDOWMENT: u128 = 10_000_000_000_000_000;

/// One liquidation of one account by Abax, an ink! lending protocol that went live, measured
/// with its released artefacts on this runtime.
const BASELINE: Gas = Gas {
    ref_time: 14_830_000_000,
    proof_size: 1_330_000,
};

/// A position as it was opened.
struct Opened {
    owner: AccountId,
    collateral: Amount,
    /// Lower bound of the tick it entered.
    bound: DebtRatio,
}

/// Runs a demo on an embedded chain.
///
/// # Errors
/// [`DemoError`].
pub async fn run(
    options: &DemoOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<DemoOutcome, DemoError> {
    let (outcome, _) = play(options, false, progress).await?;
    Ok(outcome)
}

/// As [`run`], with everything that vault and auction emitted. With `check`, the books that these
/// events amount to are compared with the views of the contracts at the end.
///
/// # Errors
/// [`DemoError`].
pub async fn run_told(
    options: &DemoOptions,
    check: bool,
    progress: &mut dyn FnMut(Progress),
) -> Result<(DemoOutcome, Told), DemoError> {
    let (outcome, mut stage) = play(options, true, progress).await?;
    let (contracts, entries) = stage.told();
    let checked = if check {
        progress(Progress::Stage {
            name: "rebuilding the books",
            work: 1,
        });
        let mut books = Replayed::new(contracts);
        books.apply(&entries)?;
        Some(check::check(&stage.chain, &books).await?)
    } else {
        None
    };
    let told = Told {
        contracts,
        entries,
        checked,
    };
    Ok((outcome, told))
}

async fn play(
    options: &DemoOptions,
    told: bool,
    progress: &mut dyn FnMut(Progress),
) -> Result<(DemoOutcome, Stage), DemoError> {
    if !(MIN_POSITIONS..=MAX_POSITIONS).contains(&options.positions) {
        return Err(DemoError::Positions(options.positions));
    }
    let market = Market::new(&options.path);
    let (from, to) = market.span();
    let first = options
        .path
        .candles
        .first()
        .ok_or(DemoError::Path("it has no candles"))?;
    let entry = Price::new(first.open);
    if from < SETUP_SECONDS {
        return Err(DemoError::Path(
            "its times are not UTC seconds of a real day",
        ));
    }
    let stream = |purpose| Dice::new(options.seed, purpose);
    let bidders = cast::bidders(&mut stream(Purpose::Bidders));
    let scale = UnitScale::of_decimals(cast::COLLATERAL_DECIMALS, cast::QUOTE_DECIMALS)
        .ok_or(DemoError::Path("the market's decimals are out of range"))?;
    let mut sizes = stream(Purpose::Positions);
    let plans = cast::positions(options.positions, entry, scale, &mut sizes)
        .ok_or(DemoError::Path("its first price is out of range"))?;
    let posted = plans.iter().map(|plan| plan.collateral.get()).sum();
    let drawn: u128 = plans.iter().map(|plan| plan.debt.get()).sum();
    let params = cast::params(Amount::new(drawn));
    if plans.iter().any(|plan| plan.debt < params.min_debt) {
        return Err(DemoError::Path(
            "its first price is too low for the smallest position",
        ));
    }

    progress(Progress::Stage {
        name: "deploying",
        work: 1,
    });
    let mut chain = Embedded::with_genesis(Genesis {
        accounts: account::OWNERS + options.positions,
        endowment: ENDOWMENT,
        time: (from - SETUP_SECONDS) * 1_000,
        block_time: BLOCK_SECONDS * 1_000,
        ..Genesis::default()
    });
    if told {
        chain.keep_events();
    }
    let mut stage = deploy(chain, scale, market, stream(Purpose::Feeders), &params).await?;
    stage.feed().await?;
    stage.next_block().await?;
    // Four fifths of what lenders supply is lent out.
    let supplied = Amount::new(drawn / 4 * 5);
    supply(&mut stage, supplied).await?;
    endow_bidders(&mut stage, bidders.len(), drawn).await?;

    progress(Progress::Stage {
        name: "opening positions",
        work: u64::from(options.positions),
    });
    let positions = open_positions(&mut stage, &plans, progress).await?;

    let window = to.saturating_sub(from);
    progress(Progress::Stage {
        name: "living through the prices",
        work: window,
    });
    stage.skip_to(from).await?;
    let batches = live(&mut stage, &bidders, &options.path, progress).await?;

    progress(Progress::Stage {
        name: "taking stock",
        work: u64::from(options.positions),
    });
    let mut outcome = DemoOutcome {
        schema: OUTCOME_SCHEMA,
        seed: options.seed,
        source: Source {
            name: options.path.name.clone(),
            built_in: options.built_in,
            from,
            to,
            interval_seconds: options.path.interval_seconds,
            candles: u64::try_from(options.path.candles.len()).unwrap_or(u64::MAX),
        },
        market: terms(&params),
        totals: Totals::of(&batches),
        batches,
        ..DemoOutcome::default()
    };
    let index = stage.check_books().await?.accounting.state.index;
    outcome.positions = count(&stage, &positions, &params, index, progress).await?;
    outcome.positions.collateral_posted = posted;
    outcome.positions.debt_drawn = drawn;
    take_stock(&mut stage, supplied, &mut outcome).await?;
    Ok((outcome, stage))
}

async fn deploy(
    mut chain: Embedded,
    scale: UnitScale,
    market: Market,
    dice: Dice,
    params: &MarketParams,
) -> Result<Stage, DemoError> {
    let plan = Plan {
        governor: chain.account(account::GOVERNOR),
        feeders: (0..3)
            .map(|nth| chain.account(account::FEEDERS + nth))
            .collect(),
        feed: FeedConfig::standard(2, 600_000, 1, 600_000),
        params: params.clone(),
    };
    let d = Deployment::deploy(&mut chain, &plan).await?;
    Ok(Stage::new(chain, d, scale, market, dice))
}

async fn supply(stage: &mut Stage, amount: Amount) -> Result<(), DemoError> {
    let lender = stage.chain.account(account::LENDER);
    let d = stage.d;
    d.fund(&mut stage.chain, &lender, d.quote, amount, d.vault)
        .await?;
    let message = d.vault().call_mut().supply(d.market, amount);
    stage.send(lender, d.vault, "vault.supply", message).await?;
    Ok(())
}

/// Together the bidders bring three quarters of all debt: enough for any batch, not for a whole
/// market at once.
async fn endow_bidders(stage: &mut Stage, count: usize, debt: u128) -> Result<(), DemoError> {
    let d = stage.d;
    for nth in 0..u32::try_from(count).unwrap_or(0) {
        let who = stage.chain.account(account::BIDDERS + nth);
        let amount = Amount::new(debt / 100 * 15);
        d.fund(&mut stage.chain, &who, d.quote, amount, d.auction)
            .await?;
        let message = d.auction().call_mut().deposit(d.market, amount);
        stage
            .send(who, d.auction, "auction.deposit", message)
            .await?;
    }
    Ok(())
}

async fn open_positions(
    stage: &mut Stage,
    plans: &[cast::Plan],
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<Opened>, DemoError> {
    let d = stage.d;
    let mut opened = Vec::with_capacity(plans.len());
    for (nth, plan) in (0u32..).zip(plans) {
        let owner = stage.chain.account(account::OWNERS + nth);
        stage
            .fund(owner, d.collateral, plan.collateral, d.vault)
            .await?;
        let message = d
            .vault()
            .call_mut()
            .deposit_and_borrow(d.market, plan.collateral, plan.debt);
        stage
            .send(owner, d.vault, "vault.deposit_and_borrow", message)
            .await?;
        if (nth + 1).is_multiple_of(POSITIONS_PER_BLOCK) {
            stage.next_block().await?;
        }
        opened.push(Opened {
            owner,
            collateral: plan.collateral,
            bound: plan.bound,
        });
        progress(Progress::Done(1));
    }
    stage.check_books().await?;
    Ok(opened)
}

/// Plays the path: feeders submit, the keeper opens a batch when it can, bidders bid.
async fn live(
    stage: &mut Stage,
    bidders: &[cast::Bidder],
    path: &crate::prices::PricePath,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<BatchOutcome>, DemoError> {
    let (_, to) = stage.market.span();
    // While nothing runs the keeper looks ten times a candle, at least every 15 minutes.
    let pause = (path.interval_seconds / 10).clamp(BLOCK_SECONDS, 900);
    let mut batches = Vec::new();
    // Risk only grows as the better of the last two prices falls; above this there is none.
    let mut safe_from: Option<Price> = None;
    let mut now = stage.now().await?;
    while now < to {
        stage.feed().await?;
        stage.next_block().await?;
        let best = stage.oracle.spot.max(stage.oracle.previous);
        if safe_from.is_none_or(|safe| best < safe) {
            match sale::try_open(stage).await? {
                Some((batch, outcome)) => {
                    batches.push(sale::run(stage, bidders, batch, outcome).await?);
                    safe_from = None;
                }
                None => safe_from = Some(best),
            }
        }
        if safe_from.is_some() {
            let next = stage.now().await?.saturating_add(pause).min(to);
            stage.skip_to(next).await?;
        }
        let reached = stage.now().await?.max(now + 1);
        progress(Progress::Done(reached.min(to) - now));
        now = reached.min(to);
    }
    Ok(batches)
}

async fn position(
    stage: &Stage,
    owner: AccountId,
    price: Price,
) -> Result<PositionView, DemoError> {
    let d = stage.d;
    let message = d.vault().call().position_at(d.market, owner, price);
    let view: Result<PositionView, VaultError> =
        ask(&stage.chain, d.vault, "position", message).await?;
    Ok(view.map_err(|error| StepError::Call {
        step: "position",
        reason: format!("refused with {error:?}"),
    })?)
}

async fn count(
    stage: &Stage,
    positions: &[Opened],
    params: &MarketParams,
    index: Index,
    progress: &mut dyn FnMut(Progress),
) -> Result<PositionsOutcome, DemoError> {
    let mut counts = PositionsOutcome {
        opened: u64::try_from(positions.len()).unwrap_or(u64::MAX),
        ..PositionsOutcome::default()
    };
    for opened in positions {
        let view = position(stage, opened.owner, stage.oracle.spot).await?;
        // Merging cohorts costs a member at most a unit or so; a sale costs far more.
        let lost = opened
            .collateral
            .get()
            .saturating_sub(view.collateral.get());
        if lost > opened.collateral.get() / 1_000_000 {
            counts.liquidated += 1;
            counts.sold_out += u64::from(view.collateral.is_zero());
            // The index never falls: with today's the position looks worse than it ever did.
            let unhealthy =
                |price| is_liquidatable(opened.bound, index, price, params.liquidation_threshold);
            if !stage.lowest_judged.is_some_and(unhealthy) {
                counts.healthy_but_liquidated += 1;
            }
        }
        counts.open_at_end += u64::from(!view.debt.is_zero());
        progress(Progress::Done(1));
    }
    Ok(counts)
}

async fn take_stock(
    stage: &mut Stage,
    supplied: Amount,
    outcome: &mut DemoOutcome,
) -> Result<(), DemoError> {
    let books = stage.check_books().await?;
    // The first price was fed while the market was set up.
    outcome.prices = std::mem::take(&mut stage.prices);
    let from = outcome.source.from;
    outcome.prices.retain(|point| point.time >= from);
    outcome.conservation = stage.conservation();
    outcome.conservation.balances = books
        .entries()
        .into_iter()
        .map(|(name, entry)| Balance {
            holder: name.split(',').next().unwrap_or(name).to_owned(),
            token: if name.ends_with("quote") {
                Token::Quote
            } else {
                Token::Collateral
            },
            held: entry.held.get(),
            owed: entry.owed.get(),
        })
        .collect();
    let d = stage.d;
    let lender = stage.chain.account(account::LENDER);
    let message = d.vault().call().lender(d.market, lender);
    let held: Result<(Shares, Amount), VaultError> =
        ask(&stage.chain, d.vault, "lender", message).await?;
    let state = &books.accounting.state;
    outcome.lenders = LendersOutcome {
        count: 1,
        supplied: supplied.get(),
        value_at_end: held.map_or(0, |(_, value)| value.get()),
        loss: state.written_off.get(),
        insurance_at_start: 0,
        insurance_at_end: state.insurance.get(),
    };
    let capacity = stage.chain.block_capacity();
    outcome.costs = RunCosts {
        messages: stage.costs(),
        block_limit: Gas {
            ref_time: capacity.ref_time,
            proof_size: capacity.proof_size,
        },
        baseline: Some(Baseline {
            name: "one liquidation of one account by Abax, on the same runtime".to_owned(),
            gas: BASELINE,
        }),
    };
    Ok(())
}

fn terms(params: &MarketParams) -> MarketTerms {
    let bps = |ratio: Ratio| u32::try_from(ratio.ppm() / 100).unwrap_or(u32::MAX);
    MarketTerms {
        collateral_symbol: "tETH".to_owned(),
        collateral_decimals: params.collateral_decimals,
        quote_symbol: "tUSD".to_owned(),
        quote_decimals: params.quote_decimals,
        max_ltv_bps: bps(params.initial_ltv),
        liquidation_threshold_bps: bps(params.liquidation_threshold),
        penalty_bps: bps(params.penalty),
        target_health_bps: bps(params.target_health),
        floor_bps: bps(params.ladder.floor),
        block_seconds: BLOCK_SECONDS,
    }
}
