//! The keeper: what opens, ends, settles and puts back batches, and looks after the market.

use crate::action::{Action, Decision, Refusal};
use crate::config::KeeperConfig;
use crate::upkeep::Duty;
use crate::view::{BatchView, View};
use breakwater_core::auction::{Clearing, Stage};
use breakwater_core::losses::settle_losses;
use breakwater_core::market::{MarketParams, MarketPrices};
use breakwater_core::math::Rounding;
use breakwater_core::units::{Amount, Ratio};

/// Half of the reward for a batch that raises so much without a shortfall: what the opener gets,
/// and the settler. Rounded down; insurance's top-up is not counted on.
#[must_use]
pub fn half_reward(params: &MarketParams, raised: Amount) -> Amount {
    let reward = || {
        let with_penalty = Ratio::ONE.plus(params.penalty).ok()?;
        let debt = raised
            .mul_div(Ratio::DENOMINATOR, with_penalty.ppm(), Rounding::Down)
            .ok()?;
        let penalties = raised.minus_or_zero(debt);
        let (none, tip, share) = (Amount::ZERO, params.keeper_tip, params.keeper_share);
        let waterfall = settle_losses(penalties, none, none, raised, tip, share).ok()?;
        Some(Amount::new(waterfall.reward.get() / 2))
    };
    reward().unwrap_or_default()
}

/// Whether a reward is worth what it costs, both in quote.
#[must_use]
pub fn pays(config: &KeeperConfig, params: &MarketParams, reward: Amount, cost: Amount) -> bool {
    let least = config.min_profit.units(params.quote_decimals);
    config.at_any_price || reward.minus_or_zero(cost) >= least && reward >= cost
}

/// What a keeper does in a block.
#[must_use]
pub fn decide(config: &KeeperConfig, view: &View) -> Decision {
    let mut decision = Decision::default();
    for batch in &view.batches {
        decision.actions.extend(about(config, view, batch));
    }
    // Terms are taken over while no batch runs; but a fact that stops new batches is told after the
    // opening of the present one.
    let duties = view.duties.iter().copied();
    let (facts, rest): (Vec<_>, Vec<_>) = duties.partition(|duty| matches!(duty, Duty::Trip(..)));
    decision
        .actions
        .extend(rest.into_iter().map(Action::Maintain));
    open(view, &mut decision);
    // In the block of a round nothing can be opened yet: then the fact waits, too, for the next one.
    let fresh = |prices: &MarketPrices| prices.accepted_in >= view.block;
    if view.at_risk.members == 0 || !view.prices.as_ref().is_some_and(fresh) {
        let facts = facts.into_iter().map(Action::Maintain);
        decision.actions.extend(facts);
    }
    let enough = config.claim_from.units(view.params.quote_decimals);
    if !view.reward.is_zero() && view.reward >= enough {
        decision.actions.push(Action::ClaimReward(view.reward));
    }
    decision
}

fn about(config: &KeeperConfig, view: &View, batch: &BatchView) -> Option<Action> {
    let settle = |clearing: Clearing| Action::Settle {
        batch: batch.key,
        reward: half_reward(&view.params, clearing.raised),
    };
    match batch.status.stage {
        Stage::Ended | Stage::Cleared => Some(settle(batch.status.clearing)),
        Stage::Settled => (!batch.rested).then_some(Action::Rest(batch.key)),
        Stage::Announced if config.extend && view.at_risk.members > 0 => {
            Some(Action::Extend(batch.key))
        }
        Stage::Announced | Stage::Bidding if has_left(view, batch) => {
            Some(Action::Reprice(batch.key))
        }
        Stage::Announced | Stage::Bidding | Stage::Halted => None,
    }
}

/// Whether both of the last two accepted prices are above, or both below, the ladder.
fn has_left(view: &View, batch: &BatchView) -> bool {
    let prices = &batch.record.auction.prices;
    let (Some(now), Some(top), Some(floor)) = (&view.prices, prices.first(), prices.last()) else {
        return false;
    };
    let both = [now.spot, now.previous];
    both.iter().all(|price| price > top) || both.iter().all(|price| price < floor)
}

fn open(view: &View, decision: &mut Decision) {
    if view.at_risk.members == 0 {
        return;
    }
    let Some(prices) = &view.prices else {
        decision.refusals.push(Refusal::StaleOracle);
        return;
    };
    if prices.age > view.params.max_price_age {
        decision.refusals.push(Refusal::StaleOracle);
        return;
    }
    // What is at risk is an upper bound of what a batch takes; the dry run's event tells better.
    decision.actions.push(Action::Open {
        reward: half_reward(&view.params, view.at_risk.debt),
    });
}
