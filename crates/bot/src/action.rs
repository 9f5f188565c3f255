//! What a bot can do, and what it decided.

use crate::upkeep::Duty;
use breakwater_core::auction::Fill;
use breakwater_core::units::{Amount, Block, Millis, Price};
use breakwater_interfaces::auction::{BatchKey, BidId};

/// One thing to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Submits a price.
    Submit {
        /// The price.
        price: Price,
        /// When it was observed.
        observed_at: Millis,
    },
    /// Opens a batch, for a reward of about so much.
    Open {
        /// Half of the reward expected, quote.
        reward: Amount,
    },
    /// Adds cohorts to an announced batch.
    Extend(BatchKey),
    /// Ends an auction whose ladder the market has left.
    Reprice(BatchKey),
    /// Settles a batch whose clock has ended, for a reward of about so much.
    Settle {
        /// Which.
        batch: BatchKey,
        /// Half of the reward expected, quote.
        reward: Amount,
    },
    /// Puts cohorts of a settled batch back.
    Rest(BatchKey),
    /// Pays out keeper rewards.
    ClaimReward(Amount),
    /// Does what anyone may do for the market, which earns nothing.
    Maintain(Duty),
    /// Places a bid.
    Bid(BidAction),
    /// Takes a bid back before its step.
    Cancel {
        /// Which batch.
        batch: BatchKey,
        /// Which bid.
        bid: BidId,
    },
    /// Claims settled bids.
    Claim {
        /// Which batch.
        batch: BatchKey,
        /// Bids, and what each is owed.
        bids: Vec<(BidId, Fill)>,
    },
    /// Puts quote into the auction.
    Deposit(Amount),
    /// Takes free quote out of the auction.
    Withdraw(Amount),
    /// Moves free quote into a standing tier.
    Stand {
        /// The tier's discount.
        percent: u8,
        /// How much.
        amount: Amount,
    },
    /// Takes quote out of a standing tier.
    Unstand {
        /// The tier's discount.
        percent: u8,
        /// How much.
        amount: Amount,
    },
    /// Claims what a standing tier bought and gave back.
    ClaimStanding {
        /// The tier's discount.
        percent: u8,
    },
}

/// A bid to place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BidAction {
    /// Which batch.
    pub batch: BatchKey,
    /// Which of the strategy's bids in the batch: none is placed twice.
    pub slot: String,
    /// The most it spends.
    pub budget: Amount,
    /// The most it pays per collateral.
    pub limit: Price,
    /// Last block in which it may join: afterwards a bid that has not arrived never will.
    pub valid_until: Block,
    /// Profit at its limit and the fair price, before fees; `None`: placed whatever the profit.
    pub profit: Option<Amount>,
}

/// How soon something has to be sent, the most urgent first: on a chain every call takes a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// A price: everybody decides by it.
    Price,
    /// A bid that became dear joins at its step, whatever else there is to do.
    Cancel,
    /// A bid has to arrive before its step, and its limit is that of one block's prices.
    Bid,
    /// A batch takes more only until its first step, and what it takes needs no batch of its own.
    Extend,
    /// What an opening waits for, or makes impossible as long as its batch runs.
    Terms,
    /// What is at risk loses with every block.
    Open,
    /// A ladder that the market has left sells nothing, or too cheaply.
    Reprice,
    /// A fact that stops new batches: after the opening of what is at risk.
    Alarm,
    /// What came of an ended batch is certain; only money waits.
    Settle,
    /// Money that later bids need.
    Deposit,
    /// Own money that comes out: it is safe where it is.
    Collect,
    /// Money for batches to come.
    Stand,
    /// What waits without harm.
    Upkeep,
}

impl Action {
    /// How soon it has to be sent.
    #[must_use]
    pub fn urgency(&self) -> Urgency {
        match self {
            Self::Submit { .. } => Urgency::Price,
            Self::Cancel { .. } => Urgency::Cancel,
            Self::Bid(_) => Urgency::Bid,
            Self::Extend(_) => Urgency::Extend,
            Self::Maintain(Duty::Reopen(_) | Duty::Refresh) => Urgency::Terms,
            Self::Open { .. } => Urgency::Open,
            Self::Reprice(_) => Urgency::Reprice,
            Self::Maintain(Duty::Trip(..)) => Urgency::Alarm,
            Self::Settle { .. } => Urgency::Settle,
            Self::Deposit(_) => Urgency::Deposit,
            Self::Claim { .. } | Self::Unstand { .. } | Self::ClaimStanding { .. } => {
                Urgency::Collect
            }
            Self::Stand { .. } => Urgency::Stand,
            Self::Rest(_)
            | Self::ClaimReward(_)
            | Self::Withdraw(_)
            | Self::Maintain(Duty::UpdateMargin) => Urgency::Upkeep,
        }
    }

    /// Whose business it is: a metric label, and a part of the key.
    #[must_use]
    pub fn role(&self) -> &'static str {
        match self {
            Self::Submit { .. } => "feeder",
            Self::Open { .. }
            | Self::Extend(_)
            | Self::Reprice(_)
            | Self::Settle { .. }
            | Self::Rest(_)
            | Self::ClaimReward(_)
            | Self::Maintain(_) => "keeper",
            Self::Bid(_)
            | Self::Cancel { .. }
            | Self::Claim { .. }
            | Self::Deposit(_)
            | Self::Withdraw(_) => "bidder",
            Self::Stand { .. } | Self::Unstand { .. } | Self::ClaimStanding { .. } => "depth",
        }
    }

    /// What kind it is: a metric label, and a part of the key.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Submit { .. } => "submit",
            Self::Open { .. } => "open",
            Self::Extend(_) => "extend",
            Self::Reprice(_) => "reprice",
            Self::Settle { .. } => "settle",
            Self::Rest(_) => "rest",
            Self::ClaimReward(_) => "claim_reward",
            Self::Maintain(duty) => duty.message(),
            Self::Bid(_) => "bid",
            Self::Cancel { .. } => "cancel",
            Self::Claim { .. } => "claim",
            Self::Deposit(_) => "deposit",
            Self::Withdraw(_) => "withdraw",
            Self::Stand { .. } => "stand",
            Self::Unstand { .. } => "unstand",
            Self::ClaimStanding { .. } => "claim_standing",
        }
    }

    /// The batch it is about.
    #[must_use]
    pub fn batch(&self) -> Option<BatchKey> {
        match self {
            Self::Extend(batch)
            | Self::Reprice(batch)
            | Self::Rest(batch)
            | Self::Settle { batch, .. }
            | Self::Cancel { batch, .. }
            | Self::Claim { batch, .. } => Some(*batch),
            Self::Bid(bid) => Some(bid.batch),
            _ => None,
        }
    }

    /// Which step, bid or rung of the batch, which tier, or which fact.
    #[must_use]
    pub fn slot(&self) -> String {
        match self {
            Self::Bid(bid) => bid.slot.clone(),
            Self::Cancel { bid, .. } => bid.to_string(),
            Self::Maintain(duty) => duty.slot(),
            Self::Stand { percent, .. }
            | Self::Unstand { percent, .. }
            | Self::ClaimStanding { percent } => percent.to_string(),
            _ => String::new(),
        }
    }

    /// Idempotency key: batch, role, kind and step or rung. The market is the memory's own.
    #[must_use]
    pub fn key(&self) -> String {
        let batch = self.batch().map_or(0, |batch| batch.number.wrapping_add(1));
        format!("{batch}/{}/{}/{}", self.role(), self.kind(), self.slot())
    }
}

/// Why something was not done although it came up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The accepted price is too old, or there is none.
    StaleOracle,
    /// Own source and oracle differ by too much, or the source jumped.
    AbsurdPrice,
    /// It would not earn enough after fees.
    Unprofitable,
    /// Less free balance than the least budget.
    NoFunds,
    /// A limit of the configuration is reached.
    LimitReached,
    /// The limit is under the floor of the batch.
    UnderFloor,
    /// The own source of prices gives none.
    NoPrice,
    /// The node's best block is too old.
    StaleBlock,
}

impl Refusal {
    /// As a metric label.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::StaleOracle => "stale_oracle",
            Self::AbsurdPrice => "absurd_price",
            Self::Unprofitable => "unprofitable",
            Self::NoFunds => "no_funds",
            Self::LimitReached => "limit_reached",
            Self::UnderFloor => "under_floor",
            Self::NoPrice => "no_price",
            Self::StaleBlock => "stale_block",
        }
    }
}

/// What to do in a block, and what was refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// To do.
    pub actions: Vec<Action>,
    /// Not done, and why.
    pub refusals: Vec<Refusal>,
}
