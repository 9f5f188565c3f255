//! The feeder: when a price is worth submitting, and when it must not be.

use super::apart;
use crate::action::{Action, Decision, Refusal};
use crate::config::FeederConfig;
use crate::source::Observation;
use crate::view::View;
use breakwater_core::units::Millis;

/// What a feeder does in a block, given what its source says and when it submitted last.
#[must_use]
pub fn decide(
    config: &FeederConfig,
    view: &View,
    observed: &Observation,
    last_submitted: Option<Millis>,
) -> Decision {
    let mut decision = Decision::default();
    // The contract takes no observation from its future, and none twice.
    let observed_at = observed.at.unwrap_or(view.now).min(view.now);
    if last_submitted.is_some_and(|last| observed_at <= last) {
        return decision;
    }
    if let Some(prices) = &view.prices {
        if apart(observed.price, prices.spot, config.max_jump.ratio()) {
            decision.refusals.push(Refusal::AbsurdPrice);
            return decision;
        }
        let due = config.heartbeat_seconds.saturating_mul(1_000);
        let rested = last_submitted.is_some_and(|last| view.now.saturating_sub(last) < due);
        let moved = observed.price != prices.spot
            && (config.min_move.ratio().ppm() == 0
                || apart(observed.price, prices.spot, config.min_move.ratio()));
        if rested && !moved {
            return decision;
        }
    }
    decision.actions.push(Action::Submit {
        price: observed.price,
        observed_at,
    });
    decision
}
