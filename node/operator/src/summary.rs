//! What a run of a deployment did, and what it cost.

use breakwater_chain::Balance;

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Steps done in this run, in order; empty if everything was there.
    pub steps: Vec<Step>,
    /// Fees paid, in the native token's smallest unit.
    pub fees: Balance,
    /// Storage deposits paid; given back when what they are for is removed.
    pub deposits: i128,
}

impl Summary {
    /// Adds a step with its costs.
    pub(crate) fn add(&mut self, step: Step) {
        self.fees = self.fees.saturating_add(step.fee);
        self.deposits = self.deposits.saturating_add(step.deposit);
        self.steps.push(step);
    }
}

/// One step done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What.
    pub name: String,
    /// Its fee.
    pub fee: Balance,
    /// Its storage deposit.
    pub deposit: i128,
}
