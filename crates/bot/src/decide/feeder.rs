//! The feeder: when a price is worth submitting, and when it must not be.

use super::apart;
use crate::action::{Action, Decision, Refusal};
use crate::config::FeederConfig;
use crate::source::Observation;
use crate::view::View;
use breakwater_chain::AccountId;
use breakwater_core::oracle::{Feed, Feeder};
use breakwater_core::units::{Millis, Price};

/// What a feeder does in a block, given who it is, what its source says, and the time of what it
/// submitted last.
#[must_use]
pub fn decide(
    config: &FeederConfig,
    view: &View,
    me: AccountId,
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
    }
    let own = |feeder: &&Feeder<AccountId>| feeder.account == me;
    let own = |feed: &Feed<AccountId>| feed.feeders.iter().find(own).copied();
    let due = match &view.feed {
        Some(feed) => own(feed).is_none_or(|own| is_due(config, view, feed, own, observed.price)),
        // The dry run says what is wrong.
        None => true,
    };
    if due {
        decision.actions.push(Action::Submit {
            price: observed.price,
            observed_at,
        });
    }
    decision
}

/// What a feeder's last submission still does for the next round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Vote {
    /// It will count.
    Waiting,
    /// It has made a round.
    Counted,
    /// It made none and never will: there is none, it is too old, or a round was made after it had
    /// been observed.
    Void,
}

/// By the rule of `Feed::submit`.
fn vote(feed: &Feed<AccountId>, feeder: &Feeder<AccountId>, now: Millis) -> Vote {
    let accepted = feed.quote.map(|quote| quote.accepted_at);
    let since = feed.quarantine.map(|waiting| waiting.at).or(accepted);
    let fresh =
        |at: Millis| at > since.unwrap_or(0) && now.saturating_sub(at) <= feed.config.heartbeat;
    match feeder.last {
        Some(_) if feeder.counted => Vote::Counted,
        Some(last) if fresh(last.at) => Vote::Waiting,
        _ => Vote::Void,
    }
}

/// Whether a price is worth a submission.
///
/// It is at the heartbeat, and when the source has moved since the own last submission, whatever the
/// accepted price is: a source that always differs from the median says nothing new. A submission
/// makes one round, though, so one that says the same again is needed where a round is to be made and
/// would lack it:
///
/// - to confirm or refute a quarantined price, or for the first round of all;
/// - where the accepted price is not the source's, and the last submission never counted, or another
///   feeder's waits on the same side of it: the others follow late;
/// - where enough wait and nobody completes the round, because all came too soon after the last one.
///
/// Each of these ends with the next round and comes back only with another's submission, so feeders
/// that disagree for ever do not answer each other for ever.
fn is_due(
    config: &FeederConfig,
    view: &View,
    feed: &Feed<AccountId>,
    own: Feeder<AccountId>,
    price: Price,
) -> bool {
    let Some(last) = own.last else {
        return true;
    };
    let share = config.min_move.ratio();
    let far =
        |one: Price, other: Price| one != other && (share.ppm() == 0 || apart(one, other, share));
    let heartbeat = config.heartbeat_seconds.saturating_mul(1_000);
    if view.now.saturating_sub(last.at) >= heartbeat || far(price, last.price) {
        return true;
    }
    let waits = |feeder: &&Feeder<AccountId>| vote(feed, feeder, view.now) == Vote::Waiting;
    let waiting = feed.feeders.iter().filter(waits);
    let spot = feed.quote.map(|quote| quote.round.price);
    let differs = spot.is_none_or(|spot| far(price, spot)) || feed.quarantine.is_some();
    match vote(feed, &own, view.now) {
        Vote::Waiting => {
            let accepted = feed.quote.map(|quote| quote.round.block);
            let made = feed.quarantine.map(|made| made.block).or(accepted);
            let from = made.map_or(0, |made| made.saturating_add(feed.config.min_gap));
            let enough = waiting.count() >= usize::from(feed.config.min_feeders);
            // A call is in the next block at best.
            differs && enough && view.block.saturating_add(1) >= from
        }
        Vote::Void => differs,
        Vote::Counted => match spot {
            Some(spot) if feed.quarantine.is_none() => {
                let mut others = waiting.filter_map(|feeder| feeder.last);
                differs
                    && others.any(|other| {
                        far(other.price, spot) && (other.price > spot) == (price > spot)
                    })
            }
            _ => true,
        },
    }
}

#[cfg(test)]
mod tests;
