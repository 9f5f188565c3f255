//! One batch, its bids and what its messages cost.

use serde::{Deserialize, Serialize};
use std::{iter::Sum, ops::Add};

/// One batch, from opening to close.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchOutcome {
    /// Number of the batch in its market.
    pub number: u64,
    /// Block of the opening.
    pub opened_block: u64,
    /// Time of the opening.
    pub opened_at: u64,
    /// Block in which the batch was settled or closed.
    pub closed_block: u64,
    /// How many positions the batch pooled.
    pub positions: u64,
    /// How many cohorts these positions are kept in; the cost depends on this number alone.
    pub cohorts: u64,
    /// Collateral in the lot, in collateral units.
    #[serde(with = "super::digits")]
    pub collateral_offered: u128,
    /// Debt of the pooled positions at opening, in quote units.
    #[serde(with = "super::digits")]
    pub debt: u128,
    /// What the lot had to raise at the first step's price, in quote units.
    #[serde(with = "super::digits")]
    pub target_at_start: u128,
    /// The oracle price that the ladder was built on.
    #[serde(with = "super::digits")]
    pub reference_price: u128,
    /// The lowest price of the ladder; nothing is sold below it.
    #[serde(with = "super::digits")]
    pub floor: u128,
    /// Every step of the ladder, also those that the clock did not reach.
    pub ladder: Vec<LadderStep>,
    /// How many steps the clock reached.
    pub steps_reached: u32,
    /// The sale, or `None` if the batch closed without one.
    pub clearing: Option<Clearing>,
    /// Quote that repaid debt out of the proceeds.
    #[serde(with = "super::digits")]
    pub repaid: u128,
    /// Quote taken as penalties and kept by the market after rewards and shortfalls.
    #[serde(with = "super::digits")]
    pub penalty: u128,
    /// Quote paid to those who opened and settled the batch.
    #[serde(with = "super::digits")]
    pub keeper_reward: u128,
    /// Debt that was left without collateral, in quote units:
    /// `insurance_used + lender_loss`, after the batch's own penalties.
    #[serde(with = "super::digits")]
    pub bad_debt: u128,
    /// Bad debt that insurance paid, in quote units.
    #[serde(with = "super::digits")]
    pub insurance_used: u128,
    /// Bad debt that lenders bear, in quote units.
    #[serde(with = "super::digits")]
    pub lender_loss: u128,
    /// Collateral that went back to the positions unsold, in collateral units.
    #[serde(with = "super::digits")]
    pub collateral_returned: u128,
    /// Every bid on this batch, live ones in the order of arrival, then the standing tiers.
    pub bids: Vec<BidOutcome>,
    /// What the batch's messages cost.
    pub cost: BatchCost,
    /// Oracle prices accepted while the batch ran, the one at opening first.
    pub oracle_during: Vec<OraclePoint>,
}

impl BatchOutcome {
    /// What buyers paid, in quote units; zero without a clearing.
    pub fn raised(&self) -> u128 {
        self.clearing.as_ref().map_or(0, |clearing| clearing.raised)
    }

    /// Collateral sold, in collateral units; zero without a clearing.
    pub fn collateral_sold(&self) -> u128 {
        self.clearing
            .as_ref()
            .map_or(0, |clearing| clearing.collateral_sold)
    }
}

/// One step of a batch's price ladder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LadderStep {
    /// Number of the step, from 0.
    pub step: u32,
    /// First block of the step.
    pub block: u64,
    /// Price of the step.
    #[serde(with = "super::digits")]
    pub price: u128,
    /// What the lot has to raise at this price, in quote units.
    #[serde(with = "super::digits")]
    pub target: u128,
    /// Budgets that joined in this step, in quote units.
    #[serde(with = "super::digits")]
    pub money_joined: u128,
    /// Budgets that joined up to and with this step, in quote units.
    #[serde(with = "super::digits")]
    pub money_cumulative: u128,
}

/// The sale of a batch: everybody at one price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clearing {
    /// The step whose price everybody pays.
    pub step: u32,
    /// The price.
    #[serde(with = "super::digits")]
    pub price: u128,
    /// Clearing price against the oracle's price in the block of clearing: negative is below.
    pub distance_to_oracle_bps: i32,
    /// Quote that reached the market, in quote units.
    #[serde(with = "super::digits")]
    pub raised: u128,
    /// Collateral that went to bidders, in collateral units.
    #[serde(with = "super::digits")]
    pub collateral_sold: u128,
    /// Quote taken from bidders, in quote units; equals `raised` up to rounding.
    #[serde(with = "super::digits")]
    pub spent_by_bids: u128,
}

/// One bid on one batch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BidOutcome {
    /// Name of the bidder; for a standing tier, a name for the tier.
    pub bidder: String,
    /// How the bid came in.
    pub kind: BidKind,
    /// Most it would spend, in quote units.
    #[serde(with = "super::digits")]
    pub budget: u128,
    /// Highest price it would pay.
    #[serde(with = "super::digits")]
    pub limit: u128,
    /// The step it joined, `None` if the clock ended before.
    pub step_joined: Option<u32>,
    /// What it paid, in quote units.
    #[serde(with = "super::digits")]
    pub spent: u128,
    /// What it bought, in collateral units.
    #[serde(with = "super::digits")]
    pub received: u128,
    /// What it got back, in quote units: `budget − spent`.
    #[serde(with = "super::digits")]
    pub refunded: u128,
}

/// How a bid came into a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum BidKind {
    /// Placed on this batch by its bidder.
    #[default]
    Live,
    /// Money that rests in a discount tier and joins by itself.
    Standing {
        /// Discount of the tier against the oracle, in bps.
        discount_bps: u32,
    },
}

/// An oracle price at a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OraclePoint {
    /// The block in which the round was accepted.
    pub block: u64,
    /// The price.
    #[serde(with = "super::digits")]
    pub price: u128,
}

/// Weight of one or more messages, in the chain's two dimensions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gas {
    /// Computation, in picoseconds of the reference machine.
    pub ref_time: u64,
    /// Storage proof, in bytes.
    pub proof_size: u64,
}

impl Gas {
    /// The larger of both, in each dimension by itself.
    #[must_use]
    pub fn larger(self, other: Gas) -> Gas {
        Gas {
            ref_time: self.ref_time.max(other.ref_time),
            proof_size: self.proof_size.max(other.proof_size),
        }
    }
}

impl Add for Gas {
    type Output = Gas;

    /// Both dimensions, held at the largest number instead of wrapping.
    fn add(self, other: Gas) -> Gas {
        Gas {
            ref_time: self.ref_time.saturating_add(other.ref_time),
            proof_size: self.proof_size.saturating_add(other.proof_size),
        }
    }
}

impl Sum for Gas {
    fn sum<I: Iterator<Item = Gas>>(all: I) -> Gas {
        all.fold(Gas::default(), Add::add)
    }
}

/// What the messages of one batch cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchCost {
    /// Opening, with all extensions.
    pub open: Gas,
    /// Judging ended steps until the batch cleared.
    pub clear: Gas,
    /// Settlement.
    pub settle: Gas,
    /// Moving what was left back into its ticks, all calls.
    pub rest: Gas,
    /// One bid: the dearest of the batch.
    pub bid: Gas,
    /// One claim of bought collateral: the dearest of the batch.
    pub claim: Gas,
}

impl BatchCost {
    /// What the batch itself costs whoever keeps it going: everything but bids and claims.
    pub fn batch(&self) -> Gas {
        self.open + self.clear + self.settle + self.rest
    }
}
