//! What must hold after every step of a history, whatever came before (`docs/invariants.md`).
//!
//! Each check names the promise or invariant it stands for, asserts, and says in its message what
//! is wrong. Sums are added up here from cells: the core's own totals are what is checked.

mod books;
mod exit;
mod steps;

pub use books::books;
pub use exit::{everybody_leaves, Left};
pub use steps::{after_message, after_time};

use crate::acts::{resolve, Act, Cast, Step};
use crate::{Answer, Message, Native};
use breakwater_interfaces::AccountId;
use std::collections::BTreeMap;

/// What a history came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Steps: messages, and blocks that passed.
    pub steps: u64,
    /// Messages by name: done, refused.
    pub messages: BTreeMap<&'static str, (u64, u64)>,
}

impl Tally {
    /// Counts a message.
    pub fn note(&mut self, message: &Message, answer: &Answer) {
        let counts = self.messages.entry(message.name()).or_default();
        if answer.done {
            counts.0 += 1;
        } else {
            counts.1 += 1;
        }
    }

    /// Counts another history in.
    pub fn add(&mut self, other: &Self) {
        self.steps += other.steps;
        for (name, (done, refused)) in &other.messages {
            let counts = self.messages.entry(name).or_default();
            counts.0 += done;
            counts.1 += refused;
        }
    }

    /// How often a message was done.
    #[must_use]
    pub fn done(&self, name: &str) -> u64 {
        self.messages.get(name).map_or(0, |(done, _)| *done)
    }

    /// All messages: done, refused.
    #[must_use]
    pub fn sum(&self) -> (u64, u64) {
        let counts = self.messages.values();
        counts.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }
}

/// A step of a history, and the market around it.
pub enum Seen<'a> {
    /// Somebody sent a message. One that was refused has changed nothing.
    Message {
        /// The market before it.
        before: &'a Native,
        /// Who sent it.
        who: AccountId,
        /// What.
        message: &'a Message,
        /// What it answered.
        answer: &'a Answer,
        /// The market after it.
        after: &'a Native,
    },
    /// Time passed.
    Time(&'a Native),
}

/// Lives one act, with every check after each of its steps.
///
/// # Panics
/// Where something does not hold.
pub fn live(n: &mut Native, cast: &Cast, act: Act, tally: &mut Tally) {
    live_watched(n, cast, act, tally, |_| {});
}

/// As [`live`]; somebody else sees every step as well.
///
/// # Panics
/// Where something does not hold.
pub fn live_watched(
    n: &mut Native,
    cast: &Cast,
    act: Act,
    tally: &mut Tally,
    mut watch: impl FnMut(&Seen),
) {
    for step in resolve(n, cast, act) {
        tally.steps += 1;
        match step {
            Step::Send(who, message) => {
                let (answer, before) = n.send_and_keep(who, &message);
                tally.note(&message, &answer);
                let before = before.as_ref().unwrap_or(n);
                after_message(before, who, &message, &answer, n, cast);
                if answer.done {
                    books(n, cast);
                }
                watch(&Seen::Message {
                    before,
                    who,
                    message: &message,
                    answer: &answer,
                    after: n,
                });
            }
            Step::Pass(blocks, block_time) => {
                let before = n.clone();
                n.pass(blocks, block_time);
                after_time(&before, n);
                watch(&Seen::Time(n));
            }
        }
    }
}
