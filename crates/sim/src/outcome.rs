//! The record of one run: what the JSON output shows and what the HTML report draws.
//!
//! Plain data without behaviour of its own beyond sums. Units, the same everywhere:
//!
//! * **Token amounts** are in the token's smallest unit; [`MarketTerms`] has the decimals.
//! * **Prices** are whole quote tokens for one whole collateral token, scaled by 10¹⁸
//!   ([`PRICE_SCALE`](crate::prices::PRICE_SCALE)).
//! * **Times** are UTC seconds since 1970, **blocks** are block numbers of the run's chain.
//! * **Ratios** end in `_bps`: hundredths of a percent, rounded towards zero.
//! * **Gas** is counted as the chain counts it, see [`Gas`].
//!
//! In JSON, amounts and prices are **strings** of decimal digits, because they do not fit into the
//! numbers of most JSON readers; everything else is a number, a text or a boolean.

use serde::{Deserialize, Serialize};

mod batch;

#[cfg(test)]
mod tests;

pub use batch::{
    BatchCost, BatchOutcome, BidKind, BidOutcome, Clearing, Gas, LadderStep, OraclePoint,
};

/// The value of [`DemoOutcome::schema`] that this crate writes. It grows when a field changes its
/// meaning or goes away, not when one is added.
pub const OUTCOME_SCHEMA: u32 = 1;

/// One whole run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DemoOutcome {
    /// Version of this form, [`OUTCOME_SCHEMA`].
    pub schema: u32,
    /// The seed that, with the same options, gives the same run again.
    pub seed: u64,
    /// Where the prices came from.
    pub source: Source,
    /// Terms of the market.
    pub market: MarketTerms,
    /// The prices that were fed to the oracle, in time order.
    pub prices: Vec<PricePoint>,
    /// What became of the positions.
    pub positions: PositionsOutcome,
    /// What became of the lenders' money.
    pub lenders: LendersOutcome,
    /// Every batch, in the order of opening.
    pub batches: Vec<BatchOutcome>,
    /// Sums over all batches, see [`Totals::of`].
    pub totals: Totals,
    /// Whether every token is accounted for.
    pub conservation: Conservation,
    /// What the run cost on chain.
    pub costs: RunCosts,
}

impl DemoOutcome {
    /// The batch that offered most collateral; the earliest of several equal ones.
    pub fn largest_batch(&self) -> Option<&BatchOutcome> {
        self.batches
            .iter()
            .rev()
            .max_by_key(|batch| batch.collateral_offered)
    }
}

/// Where the prices of a run came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Name of the price path, such as `march-2020` or a file's stem.
    pub name: String,
    /// Whether the path is made by the program (`true`) or read from a file.
    pub built_in: bool,
    /// First moment of the window that was run.
    pub from: u64,
    /// First moment after the window.
    pub to: u64,
    /// Seconds between candles.
    pub interval_seconds: u64,
    /// Number of candles in the window.
    pub candles: u64,
}

/// Terms of the market, as far as a reader of the outcome needs them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarketTerms {
    /// Symbol of the collateral token.
    pub collateral_symbol: String,
    /// Decimals of the collateral token.
    pub collateral_decimals: u8,
    /// Symbol of the quote token, the one that is lent and paid.
    pub quote_symbol: String,
    /// Decimals of the quote token.
    pub quote_decimals: u8,
    /// Highest debt at borrowing, in bps of the collateral's value.
    pub max_ltv_bps: u32,
    /// Debt above this, in bps of the collateral's value, can be liquidated.
    pub liquidation_threshold_bps: u32,
    /// Penalty on the debt that is repaid, in bps.
    pub penalty_bps: u32,
    /// Health that a partial sale restores, in bps (10,500 is 1.05).
    pub target_health_bps: u32,
    /// Lowest price of a ladder, in bps of the spot price at opening.
    pub floor_bps: u32,
    /// Seconds between two blocks.
    pub block_seconds: u64,
}

/// A price at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricePoint {
    /// When it was fed.
    pub time: u64,
    /// The price.
    #[serde(with = "digits")]
    pub price: u128,
}

/// What became of the positions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionsOutcome {
    /// Positions opened in the run.
    pub opened: u64,
    /// Of these, how many were in at least one batch.
    pub liquidated: u64,
    /// Of the liquidated, how many have no collateral left.
    pub sold_out: u64,
    /// How many still owe something at the end.
    pub open_at_end: u64,
    /// How many were in a batch although they were healthy; anything but zero is a fault.
    pub healthy_but_liquidated: u64,
    /// Collateral posted over the run, in collateral units.
    #[serde(with = "digits")]
    pub collateral_posted: u128,
    /// Debt drawn over the run, in quote units.
    #[serde(with = "digits")]
    pub debt_drawn: u128,
}

/// What became of the lenders' money, in quote units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LendersOutcome {
    /// Number of lenders.
    pub count: u64,
    /// What they supplied.
    #[serde(with = "digits")]
    pub supplied: u128,
    /// What all their shares are worth at the end.
    #[serde(with = "digits")]
    pub value_at_end: u128,
    /// Losses written off against them.
    #[serde(with = "digits")]
    pub loss: u128,
    /// The market's insurance before the first batch.
    #[serde(with = "digits")]
    pub insurance_at_start: u128,
    /// The market's insurance at the end.
    #[serde(with = "digits")]
    pub insurance_at_end: u128,
}

/// Sums over all batches. Sums are held at the largest number instead of wrapping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Batches opened.
    pub batches: u64,
    /// Of these, how many sold something.
    pub cleared: u64,
    /// Positions pooled; one that was in two batches counts twice.
    pub positions: u64,
    /// Bids placed, standing tiers included.
    pub bids: u64,
    /// Collateral offered; what was offered again counts again, in collateral units.
    #[serde(with = "digits")]
    pub collateral_offered: u128,
    /// Collateral sold, in collateral units.
    #[serde(with = "digits")]
    pub collateral_sold: u128,
    /// Collateral given back unsold, in collateral units.
    #[serde(with = "digits")]
    pub collateral_returned: u128,
    /// What buyers paid, in quote units.
    #[serde(with = "digits")]
    pub raised: u128,
    /// Debt repaid, in quote units.
    #[serde(with = "digits")]
    pub repaid: u128,
    /// Penalties kept by the market, in quote units.
    #[serde(with = "digits")]
    pub penalty: u128,
    /// Rewards to keepers, in quote units.
    #[serde(with = "digits")]
    pub keeper_reward: u128,
    /// Bad debt, in quote units.
    #[serde(with = "digits")]
    pub bad_debt: u128,
    /// Bad debt paid by insurance, in quote units.
    #[serde(with = "digits")]
    pub insurance_used: u128,
    /// Bad debt borne by lenders, in quote units.
    #[serde(with = "digits")]
    pub lender_loss: u128,
}

impl Totals {
    /// The sums over `batches`.
    pub fn of(batches: &[BatchOutcome]) -> Totals {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let sum = |amount: fn(&BatchOutcome) -> u128| {
            batches.iter().map(amount).fold(0, u128::saturating_add)
        };
        Totals {
            batches: count(batches.len()),
            cleared: count(
                batches
                    .iter()
                    .filter(|batch| batch.clearing.is_some())
                    .count(),
            ),
            positions: batches
                .iter()
                .map(|b| b.positions)
                .fold(0, u64::saturating_add),
            bids: count(batches.iter().map(|batch| batch.bids.len()).sum()),
            collateral_offered: sum(|batch| batch.collateral_offered),
            collateral_sold: sum(BatchOutcome::collateral_sold),
            collateral_returned: sum(|batch| batch.collateral_returned),
            raised: sum(BatchOutcome::raised),
            repaid: sum(|batch| batch.repaid),
            penalty: sum(|batch| batch.penalty),
            keeper_reward: sum(|batch| batch.keeper_reward),
            bad_debt: sum(|batch| batch.bad_debt),
            insurance_used: sum(|batch| batch.insurance_used),
            lender_loss: sum(|batch| batch.lender_loss),
        }
    }
}

/// Whether every token is accounted for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conservation {
    /// How often the books were compared with the balances, over all rules.
    pub checks: u64,
    /// The rules that were checked.
    pub rules: Vec<RuleOutcome>,
    /// Every time a rule did not hold.
    pub violations: Vec<Violation>,
    /// What each contract held and owed at the end.
    pub balances: Vec<Balance>,
    /// Whether all rules held every time.
    pub holds: bool,
}

/// One rule of accounting and how often it was checked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleOutcome {
    /// The rule, as one sentence.
    pub rule: String,
    /// How often it was checked.
    pub checks: u64,
    /// How often it did not hold.
    pub violations: u64,
}

/// One time a rule of accounting did not hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// The block.
    pub block: u64,
    /// The rule.
    pub rule: String,
    /// What was found, with the numbers.
    pub detail: String,
}

/// What a contract held and owed of a token at the end of the run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// The contract.
    pub holder: String,
    /// Which token.
    pub token: Token,
    /// Its balance in the token, in the token's units.
    #[serde(with = "digits")]
    pub held: u128,
    /// What it owes by its own books, in the token's units.
    #[serde(with = "digits")]
    pub owed: u128,
}

/// One of the two tokens of a market.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Token {
    /// The collateral token.
    #[default]
    Collateral,
    /// The quote token.
    Quote,
}

/// What the run cost on chain, and what to compare it with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunCosts {
    /// Every kind of message that was sent.
    pub messages: Vec<MessageCost>,
    /// What one block may hold.
    pub block_limit: Gas,
    /// A known cost to compare a whole batch with.
    pub baseline: Option<Baseline>,
}

/// What one kind of message cost over the run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageCost {
    /// The message, such as `auction.bid`.
    pub message: String,
    /// How often it was sent.
    pub calls: u64,
    /// The sum over all calls.
    pub total: Gas,
    /// The dearest call, per dimension.
    pub largest: Gas,
}

/// A known cost to compare with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// What was measured, to stand after "as much as": "one liquidation of one account in …".
    pub name: String,
    /// Its cost.
    pub gas: Gas,
}

/// `u128` as a string of decimal digits.
mod digits {
    use serde::{de::Error, Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(amount: &u128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(amount)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u128, D::Error> {
        let text = String::deserialize(deserializer)?;
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(D::Error::custom(
                "an amount must be a string of decimal digits",
            ));
        }
        text.parse().map_err(D::Error::custom)
    }
}
