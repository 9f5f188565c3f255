//! Depth: what keeps standing tiers funded.

use super::apart;
use crate::action::{Action, Decision, Refusal};
use crate::config::{Decimal, DepthConfig};
use crate::view::View;
use breakwater_core::units::Amount;

/// What the depth role does in a block.
///
/// `kept` is what the bidder wants left free in the auction, whole quote tokens; `stood_today` is what was put into tiers today;
/// `has_source` tells whether there is an own source of prices.
///
/// Claims and money that is to leave come first: they never depend on a price. A tier's money that still waits to enter counts as
/// standing, money that is leaving does not.
#[must_use]
pub fn decide(
    config: &DepthConfig,
    view: &View,
    kept: Decimal,
    stood_today: Amount,
    has_source: bool,
) -> Decision {
    let (quote, collateral) = (view.params.quote_decimals, view.params.collateral_decimals);
    let least = config.min_change.units(quote).max(Amount::new(1));
    let claimed = config.claim_from.units(collateral).max(Amount::new(1));
    let mut decision = Decision::default();
    let mut missing = Vec::new();
    for tier in &config.tiers {
        let percent = tier.percent;
        let stake = view.stakes.iter().find(|(of, _)| *of == percent);
        let worth = stake.map(|(_, worth)| *worth).unwrap_or_default();
        if worth.collateral >= claimed || worth.payable >= least {
            decision.actions.push(Action::ClaimStanding { percent });
        }
        let there = worth.standing.get().saturating_add(worth.waiting.get());
        let (there, wished) = (Amount::new(there), tier.amount.units(quote));
        let excess = there.minus_or_zero(wished);
        if excess >= least {
            decision.actions.push(Action::Unstand {
                percent,
                amount: excess,
            });
        }
        let lacks = wished.minus_or_zero(there);
        if lacks >= least {
            missing.push((percent, lacks));
        }
    }
    if missing.is_empty() {
        return decision;
    }
    if let Err(reason) = price_is_sound(config, view, has_source) {
        decision.refusals.push(reason);
        return decision;
    }
    fund(
        config,
        view,
        kept,
        stood_today,
        least,
        missing,
        &mut decision,
    );
    decision
}

/// Puts in what is missing, in the order of the configuration, as far as the day's limit and the account's money go. What is free in
/// the auction is used first; the rest is deposited.
fn fund(
    config: &DepthConfig,
    view: &View,
    kept: Decimal,
    stood_today: Amount,
    least: Amount,
    missing: Vec<(u8, Amount)>,
    decision: &mut Decision,
) {
    let quote = view.params.quote_decimals;
    let mut day = config.max_per_day.units(quote).minus_or_zero(stood_today);
    let spare = view.free.minus_or_zero(kept.units(quote));
    let mut money = Amount::new(spare.get().saturating_add(view.quote.get()));
    let mut stands = Vec::new();
    let mut needed: u128 = 0;
    for (percent, lacks) in missing {
        let amount = lacks.min(day).min(money);
        if amount < least {
            let reason = match day < least {
                true => Refusal::LimitReached,
                false => Refusal::NoFunds,
            };
            decision.refusals.push(reason);
            continue;
        }
        day = day.minus_or_zero(amount);
        money = money.minus_or_zero(amount);
        needed = needed.saturating_add(amount.get());
        stands.push(Action::Stand { percent, amount });
    }
    let deposit = Amount::new(needed).minus_or_zero(spare);
    if !deposit.is_zero() {
        decision.actions.push(Action::Deposit(deposit));
    }
    decision.actions.extend(stands);
}

/// A tier buys under the oracle's price: while that is old, or far from the own opinion, nothing is added to what is at stake.
fn price_is_sound(config: &DepthConfig, view: &View, has_source: bool) -> Result<(), Refusal> {
    let prices = view.prices.as_ref().ok_or(Refusal::StaleOracle)?;
    if prices.age > view.params.max_price_age {
        return Err(Refusal::StaleOracle);
    }
    match view.own_price {
        None if has_source => Err(Refusal::NoPrice),
        Some(own) if apart(own, prices.spot, config.max_deviation.ratio()) => {
            Err(Refusal::AbsurdPrice)
        }
        _ => Ok(()),
    }
}
