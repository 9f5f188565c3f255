//! Random histories: small numbers that a market's present state turns into messages that make
//! sense, more or less. The same numbers always give the same history.

mod resolve;

pub use resolve::resolve;

use crate::{Addresses, Message, Native, SetupError};
use breakwater_core::interest::InterestCurve;
use breakwater_core::market::{example_params, MarketParams};
use breakwater_core::oracle::FeedConfig;
use breakwater_core::units::{Amount, Block, Millis, Price, Ratio, PRICE_ONE};
use breakwater_interfaces::AccountId;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Users of a history. Each is an owner, a lender, a bidder and a keeper as it comes.
pub const USERS: usize = 6;
/// Feeders of a history.
pub const FEEDERS: usize = 3;
/// One whole collateral token.
pub const COLLATERAL: u128 = 1_000_000_000_000_000_000;
/// One whole quote token.
pub const QUOTE: u128 = 1_000_000;
/// The price a history begins at.
pub const FIRST_PRICE: Price = Price::new(200 * PRICE_ONE);
/// What each user holds at the beginning, whole collateral and whole quote.
pub const PURSE: (u128, u128) = (2_000, 300_000);

const BLOCK_TIME: Millis = 6_000;
const DAY: Millis = 86_400_000;

/// Who takes part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cast {
    /// Users.
    pub users: Vec<AccountId>,
    /// Feeders.
    pub feeders: Vec<AccountId>,
}

impl Cast {
    /// Accounts where there is no chain that makes them.
    #[must_use]
    pub fn made_up() -> Self {
        let account = |number: usize| AccountId::from([number as u8 + 1; 32]);
        Self {
            users: (0..USERS).map(account).collect(),
            feeders: (USERS..USERS + FEEDERS).map(account).collect(),
        }
    }
}

/// The feed and the market of a history.
#[must_use]
pub fn terms(variant: u32) -> (FeedConfig, MarketParams) {
    let quote = |whole: u128| Amount::new(whole * QUOTE);
    let pick = |bit: u32| variant >> bit & 1 == 1;
    let feed = if pick(0) {
        FeedConfig::standard(2, 600_000, 1, 600_000)
    } else {
        FeedConfig::without_bands(2, 600_000, 1, 600_000)
    };
    let mut params = example_params();
    params.hole = quote(if pick(1) { 8_000 } else { 1_000_000 });
    params.min_batch = quote(if pick(2) { 100 } else { 1_500 });
    params.debt_ceiling = quote(if pick(3) { 15_000 } else { 1_000_000 });
    params.supply_cap = quote(700_000);
    params.ladder.announce_blocks = if pick(4) { 4 } else { 1 };
    params.interest = if pick(5) {
        InterestCurve::FREE
    } else {
        InterestCurve::STANDARD
    };
    params.loss_cap = Ratio::from_bps(if pick(6) { 100 } else { 10_000 });
    if pick(7) {
        params.ladder.blocks_per_step = 2;
    }
    (feed, params)
}

/// A market at its beginning: everybody has a purse, nothing has happened.
///
/// # Errors
/// [`SetupError`].
pub fn begin(
    at: Addresses,
    cast: &Cast,
    variant: u32,
    clock: (Block, Millis),
) -> Result<Native, SetupError> {
    let (feed, params) = terms(variant);
    let mut native = Native::new(at, &cast.feeders, feed, params, clock)?;
    for user in &cast.users {
        let (collateral, quote) = PURSE;
        let tokens = &mut native.tokens;
        tokens.mint(at.collateral, *user, Amount::new(collateral * COLLATERAL));
        tokens.mint(at.quote, *user, Amount::new(quote * QUOTE));
    }
    Ok(native)
}

/// Acts that a history begins with: a price, lenders, owners, bidders.
#[must_use]
pub fn prelude() -> Vec<Act> {
    let act = |kind: Kind, who, a, b| Act {
        kind: kind.number(),
        who,
        a,
        b,
    };
    let mut acts = vec![
        act(Kind::Round, 0, 0, 0),
        act(Kind::Supply, 0, 0, 40_004),
        act(Kind::Fund, 1, 0, 20_004),
        act(Kind::Stand, 1, 5, 20_004),
    ];
    acts.extend((2..6).map(|who| act(Kind::Fund, who, 0, 8_004)));
    acts.extend((1..5).map(|who| act(Kind::Lever, who, u32::from(who), 0)));
    acts
}

/// One act of a history, whatever the market is like then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Act {
    /// What: see [`Kind`].
    pub kind: u8,
    /// Who.
    pub who: u8,
    /// A choice.
    pub a: u32,
    /// How much.
    pub b: u32,
}

impl Act {
    /// A random one.
    #[must_use]
    pub fn random(random: &mut ChaCha8Rng) -> Self {
        let (one, two) = (random.next_u64(), random.next_u64());
        Self {
            kind: one as u8,
            who: (one >> 8) as u8,
            a: (one >> 32) as u32,
            b: two as u32,
        }
    }
}

/// A source of acts.
#[must_use]
pub fn random(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// What an act does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // as the messages
pub enum Kind {
    /// All feeders submit a price near the last, or far from it.
    Round,
    /// One feeder submits.
    Submit,
    /// Some blocks pass.
    Pass,
    /// A running batch's clock runs to its end.
    RunOut,
    /// Hours or days pass.
    Sleep,
    Supply,
    Redeem,
    Deposit,
    Withdraw,
    Borrow,
    /// `deposit_and_borrow` near the limit.
    Lever,
    Repay,
    RepayAndWithdraw,
    Close,
    Reclaim,
    Sync,
    Rest,
    ClaimReward,
    Insure,
    Fund,
    Defund,
    OpenBatch,
    Extend,
    Leave,
    Bid,
    Replace,
    Cancel,
    Reprice,
    Advance,
    Settle,
    Claim,
    Stand,
    Unstand,
    ClaimStanding,
    Trip,
    Raise,
    Lower,
    Reopen,
    SetLimits,
    Refresh,
    ProposeParams,
    ApplyParams,
    CancelParams,
    Restrict,
    WindDown,
    Collect,
    TakeInKind,
}

/// Every kind and how often it comes, of 256.
const KINDS: [(Kind, u8); 47] = [
    (Kind::Pass, 19),
    (Kind::Round, 26),
    (Kind::Submit, 4),
    (Kind::RunOut, 8),
    (Kind::Sleep, 2),
    (Kind::Supply, 5),
    (Kind::Redeem, 5),
    (Kind::Deposit, 6),
    (Kind::Withdraw, 6),
    (Kind::Borrow, 8),
    (Kind::Lever, 12),
    (Kind::Repay, 7),
    (Kind::RepayAndWithdraw, 4),
    (Kind::Close, 2),
    (Kind::Reclaim, 3),
    (Kind::Sync, 5),
    (Kind::Rest, 5),
    (Kind::ClaimReward, 3),
    (Kind::Insure, 2),
    (Kind::Fund, 7),
    (Kind::Defund, 4),
    (Kind::OpenBatch, 14),
    (Kind::Extend, 4),
    (Kind::Leave, 4),
    (Kind::Bid, 19),
    (Kind::Replace, 5),
    (Kind::Cancel, 4),
    (Kind::Reprice, 3),
    (Kind::Advance, 5),
    (Kind::Settle, 10),
    (Kind::Claim, 7),
    (Kind::Stand, 7),
    (Kind::Unstand, 5),
    (Kind::ClaimStanding, 4),
    (Kind::Trip, 3),
    (Kind::Raise, 1),
    (Kind::Lower, 3),
    (Kind::Reopen, 2),
    (Kind::SetLimits, 1),
    (Kind::Refresh, 1),
    (Kind::ProposeParams, 1),
    (Kind::ApplyParams, 1),
    (Kind::CancelParams, 1),
    (Kind::Restrict, 1),
    (Kind::Collect, 2),
    (Kind::TakeInKind, 2),
    (Kind::WindDown, 0),
];

impl Kind {
    /// The kind of an act's number.
    #[must_use]
    pub fn of(number: u8) -> Self {
        let mut left = number;
        for (kind, often) in KINDS {
            if left < often {
                return kind;
            }
            left -= often;
        }
        // What the table leaves free.
        if left == 0 {
            Self::WindDown
        } else {
            Self::OpenBatch
        }
    }

    /// Whether there is little to do without a running batch.
    fn needs_batch(self) -> bool {
        matches!(
            self,
            Self::RunOut
                | Self::OpenBatch
                | Self::Extend
                | Self::Leave
                | Self::Bid
                | Self::Replace
                | Self::Cancel
                | Self::Reprice
                | Self::Advance
                | Self::Settle
        )
    }

    fn number(self) -> u8 {
        (0..=u8::MAX)
            .find(|number| Self::of(*number) == self)
            .unwrap_or_default()
    }
}

/// One step of an act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Somebody sends a message.
    Send(AccountId, Message),
    /// Blocks pass that take so long each.
    Pass(Block, Millis),
}
