//! What the steps of a deployment cost, done or planned.

use breakwater_chain::{Balance, Gas, Receipt};

/// What a run did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Steps, in order; empty if everything is there.
    pub steps: Vec<Step>,
}

impl Summary {
    /// All fees, in the native token's smallest unit.
    #[must_use]
    pub fn fees(&self) -> Balance {
        let fees = self.steps.iter().map(|step| step.fee);
        fees.fold(0, Balance::saturating_add)
    }

    /// All storage deposits; they are given back when what they are for is removed.
    #[must_use]
    pub fn deposits(&self) -> i128 {
        let deposits = self.steps.iter().map(|step| step.deposit);
        deposits.fold(0, i128::saturating_add)
    }

    /// All weight.
    #[must_use]
    pub fn gas(&self) -> Gas {
        let add = |sum: Gas, step: &Step| Gas {
            ref_time: sum.ref_time.saturating_add(step.gas.ref_time),
            proof_size: sum.proof_size.saturating_add(step.gas.proof_size),
        };
        self.steps.iter().fold(Gas::default(), add)
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What.
    pub name: String,
    /// Weight that it needs.
    pub gas: Gas,
    /// Its fee; of a plan, the most it can be.
    pub fee: Balance,
    /// Its storage deposit.
    pub deposit: i128,
}

impl Step {
    /// A step that was sent or tried.
    pub fn new<T>(name: &str, receipt: &Receipt<T>) -> Self {
        Self {
            name: name.to_owned(),
            gas: receipt.gas_required,
            fee: receipt.fee,
            deposit: receipt.storage_deposit,
        }
    }
}

/// A step that wires contracts. Where these are not on the chain yet it cannot be tried, and counts
/// as what it took with the released contracts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wiring {
    /// Registers the feed.
    Feed,
    /// Adds a feeder.
    Feeder,
    /// Names the auction to the vault.
    Name,
    /// Mints a test token.
    Mint,
    /// Approves a token.
    Approve,
    /// Creates the market.
    Market,
    /// Registers the market with the auction.
    Register,
}

impl Wiring {
    /// Weight needed and storage deposit, measured by deploying `examples/market.toml` on a node and
    /// rounded up; the test of the plan compares them with a deployment.
    #[must_use]
    pub fn measured(self) -> (Gas, i128) {
        let (mega_time, kilobytes, micro_deposit) = match self {
            Self::Feed => (680, 107, 100_500),
            Self::Feeder => (740, 108, 200),
            Self::Name => (1_900, 300, 200),
            Self::Mint => (1_000, 85, 100_200),
            Self::Approve => (930, 74, 100_200),
            Self::Market => (17_500, 1_350, 205_000),
            Self::Register => (3_200, 470, 203_000),
        };
        let gas = Gas {
            ref_time: mega_time * 1_000_000,
            proof_size: kilobytes * 1_000,
        };
        (gas, micro_deposit * 1_000_000)
    }
}
