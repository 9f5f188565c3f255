//! Every message that users, keepers, feeders and governance send, as a value.

use crate::Native;
use breakwater_core::breaker::{Cause, Limits as BreakerLimits, Stage};
use breakwater_core::market::{Limits, MarketParams};
use breakwater_core::units::{Amount, Block, Millis, Price, Shares};
use breakwater_interfaces::auction::BidId;
use breakwater_interfaces::AccountId;
use scale::Encode;

/// A message; the contract is in brackets where two have one of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // named as in the traits of `breakwater_interfaces`
pub enum Message {
    Submit {
        price: Price,
        at: Millis,
    },
    Supply {
        amount: Amount,
    },
    Redeem {
        shares: Shares,
    },
    Deposit {
        amount: Amount,
    },
    Withdraw {
        amount: Amount,
    },
    Borrow {
        amount: Amount,
    },
    DepositAndBorrow {
        collateral: Amount,
        quote: Amount,
    },
    Repay {
        owner: AccountId,
        amount: Amount,
    },
    RepayAndWithdraw {
        repay: Amount,
        withdraw: Amount,
    },
    Close,
    Reclaim,
    Sync {
        owner: AccountId,
        moves: u16,
    },
    Rest {
        batch: u32,
        cells: u16,
    },
    ClaimReward,
    ProposeParams {
        params: Box<MarketParams>,
    },
    ApplyParams,
    CancelParams,
    Restrict {
        limits: Limits,
    },
    WindDown,
    Insure {
        amount: Amount,
    },
    Collect {
        in_kind: bool,
    },
    TakeInKind {
        owner: AccountId,
    },
    /// `deposit` of the auction.
    Fund {
        amount: Amount,
    },
    /// `withdraw` of the auction.
    Defund {
        amount: Amount,
    },
    OpenBatch,
    Extend {
        batch: u32,
    },
    Leave {
        batch: u32,
    },
    Bid {
        batch: u32,
        budget: Amount,
        limit: Price,
        valid_until: Block,
    },
    Replace {
        batch: u32,
        bid: BidId,
        budget: Amount,
        limit: Price,
        valid_until: Block,
    },
    Cancel {
        batch: u32,
        bid: BidId,
    },
    Reprice {
        batch: u32,
    },
    Advance {
        batch: u32,
    },
    Settle {
        batch: u32,
    },
    Claim {
        batch: u32,
        bids: Vec<BidId>,
    },
    Stand {
        percent: u8,
        amount: Amount,
    },
    Unstand {
        percent: u8,
        amount: Amount,
    },
    ClaimStanding {
        percent: u8,
    },
    Trip {
        of_market: bool,
        cause: Cause,
    },
    Raise {
        of_market: bool,
        stage: Stage,
    },
    Lower {
        of_market: bool,
        stage: Stage,
    },
    Reopen {
        of_market: bool,
    },
    SetLimits {
        limits: BreakerLimits,
    },
    Refresh,
}

impl Message {
    /// Its name, as in the traits.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Submit { .. } => "submit",
            Self::Supply { .. } => "supply",
            Self::Redeem { .. } => "redeem",
            Self::Deposit { .. } => "deposit",
            Self::Withdraw { .. } => "withdraw",
            Self::Borrow { .. } => "borrow",
            Self::DepositAndBorrow { .. } => "deposit_and_borrow",
            Self::Repay { .. } => "repay",
            Self::RepayAndWithdraw { .. } => "repay_and_withdraw",
            Self::Close => "close",
            Self::Reclaim => "reclaim",
            Self::Sync { .. } => "sync",
            Self::Rest { .. } => "rest",
            Self::ClaimReward => "claim_reward",
            Self::ProposeParams { .. } => "propose_params",
            Self::ApplyParams => "apply_params",
            Self::CancelParams => "cancel_params",
            Self::Restrict { .. } => "restrict",
            Self::WindDown => "wind_down",
            Self::Insure { .. } => "insure",
            Self::Collect { .. } => "collect",
            Self::TakeInKind { .. } => "take_in_kind",
            Self::Fund { .. } => "auction.deposit",
            Self::Defund { .. } => "auction.withdraw",
            Self::OpenBatch => "open_batch",
            Self::Extend { .. } => "extend",
            Self::Leave { .. } => "leave",
            Self::Bid { .. } => "bid",
            Self::Replace { .. } => "replace",
            Self::Cancel { .. } => "cancel",
            Self::Reprice { .. } => "reprice",
            Self::Advance { .. } => "advance",
            Self::Settle { .. } => "settle",
            Self::Claim { .. } => "claim",
            Self::Stand { .. } => "stand",
            Self::Unstand { .. } => "unstand",
            Self::ClaimStanding { .. } => "claim_standing",
            Self::Trip { .. } => "trip",
            Self::Raise { .. } => "raise",
            Self::Lower { .. } => "lower",
            Self::Reopen { .. } => "reopen",
            Self::SetLimits { .. } => "set_limits",
            Self::Refresh => "refresh",
        }
    }
}

/// What a message answered: the value or the error, encoded as the contract encodes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whether it was done.
    pub done: bool,
    /// The value or the error.
    pub bytes: Vec<u8>,
}

impl Answer {
    /// Encodes an answer.
    pub fn of<T: Encode, E: Encode>(answer: &Result<T, E>) -> Self {
        match answer {
            Ok(value) => Self {
                done: true,
                bytes: value.encode(),
            },
            Err(error) => Self {
                done: false,
                bytes: error.encode(),
            },
        }
    }
}

impl Native {
    /// Sends a message. One that is refused has changed nothing, as on a chain.
    pub fn send(&mut self, who: AccountId, message: &Message) -> Answer {
        self.send_and_keep(who, message).0
    }

    /// As [`Self::send`]; returns also what was before a message that was done.
    pub fn send_and_keep(&mut self, who: AccountId, message: &Message) -> (Answer, Option<Self>) {
        let mut then = self.clone();
        then.events.clear();
        self.events.clear();
        let answer = then.run(who, message);
        let before = answer.done.then(|| std::mem::replace(self, then));
        (answer, before)
    }

    fn run(&mut self, who: AccountId, message: &Message) -> Answer {
        use Message as M;
        match message {
            M::Submit { price, at } => Answer::of(&self.submit(who, *price, *at)),
            M::Supply { amount } => Answer::of(&self.supply(who, *amount)),
            M::Redeem { shares } => Answer::of(&self.redeem(who, *shares)),
            M::Deposit { amount } => Answer::of(&self.deposit(who, *amount)),
            M::Withdraw { amount } => Answer::of(&self.withdraw(who, *amount)),
            M::Borrow { amount } => Answer::of(&self.borrow(who, *amount)),
            M::DepositAndBorrow { collateral, quote } => {
                Answer::of(&self.deposit_and_borrow(who, *collateral, *quote))
            }
            M::Repay { owner, amount } => Answer::of(&self.repay(who, *owner, *amount)),
            M::RepayAndWithdraw { repay, withdraw } => {
                Answer::of(&self.repay_and_withdraw(who, *repay, *withdraw))
            }
            M::Close => Answer::of(&self.close(who)),
            M::Reclaim => Answer::of(&self.reclaim(who)),
            M::Sync { owner, moves } => Answer::of(&self.sync(*owner, *moves)),
            M::Rest { batch, cells } => Answer::of(&self.rest(*batch, *cells)),
            M::ClaimReward => Answer::of(&self.claim_reward(who)),
            M::ProposeParams { params } => {
                Answer::of(&self.propose_params(who, params.as_ref().clone()))
            }
            M::ApplyParams => Answer::of(&self.apply_params(who)),
            M::CancelParams => Answer::of(&self.cancel_params(who)),
            M::Restrict { limits } => Answer::of(&self.restrict(who, *limits)),
            M::WindDown => Answer::of(&self.wind_down(who)),
            M::Insure { amount } => Answer::of(&self.insure(who, *amount)),
            M::Collect { in_kind } => Answer::of(&self.collect(who, *in_kind)),
            M::TakeInKind { owner } => Answer::of(&self.take_in_kind(who, *owner)),
            _ => self.run_auction(who, message),
        }
    }

    fn run_auction(&mut self, who: AccountId, message: &Message) -> Answer {
        use Message as M;
        match message {
            M::Fund { amount } => Answer::of(&self.auction_deposit(who, *amount)),
            M::Defund { amount } => Answer::of(&self.auction_withdraw(who, *amount)),
            M::OpenBatch => Answer::of(&self.open_batch(who)),
            M::Extend { batch } => Answer::of(&self.extend(who, *batch)),
            M::Leave { batch } => Answer::of(&self.leave(who, *batch)),
            M::Bid {
                batch,
                budget,
                limit,
                valid_until,
            } => Answer::of(&self.bid(who, *batch, *budget, *limit, *valid_until)),
            M::Replace {
                batch,
                bid,
                budget,
                limit,
                valid_until,
            } => Answer::of(&self.replace(who, (*batch, *bid), *budget, *limit, *valid_until)),
            M::Cancel { batch, bid } => Answer::of(&self.cancel(who, *batch, *bid)),
            M::Reprice { batch } => Answer::of(&self.reprice(*batch)),
            M::Advance { batch } => Answer::of(&self.advance(*batch)),
            M::Settle { batch } => Answer::of(&self.settle(who, *batch)),
            M::Claim { batch, bids } => Answer::of(&self.claim(who, *batch, bids)),
            M::Stand { percent, amount } => Answer::of(&self.stand(who, *percent, *amount)),
            M::Unstand { percent, amount } => Answer::of(&self.unstand(who, *percent, *amount)),
            M::ClaimStanding { percent } => Answer::of(&self.claim_standing(who, *percent)),
            M::Trip { of_market, cause } => Answer::of(&self.trip(who, *of_market, *cause)),
            M::Raise { of_market, stage } => Answer::of(&self.raise(who, *of_market, *stage)),
            M::Lower { of_market, stage } => Answer::of(&self.lower(who, *of_market, *stage)),
            M::Reopen { of_market } => Answer::of(&self.reopen(who, *of_market)),
            M::SetLimits { limits } => Answer::of(&self.set_limits(who, *limits)),
            M::Refresh => Answer::of(&self.refresh()),
            _ => unreachable!("the vault's and the oracle's messages are handled before"),
        }
    }
}
