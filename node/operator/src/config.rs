//! `market.toml`: a market as its governance describes it.

use std::str::FromStr;

use breakwater_chain::AccountId;
use breakwater_core::interest::InterestCurve;
use breakwater_core::ladder::{Curve, LadderParams, Scaling};
use breakwater_core::margin::MarginRule;
use breakwater_core::market::MarketParams;
use breakwater_core::oracle::{FeedConfig, VolatilityConfig};
use breakwater_core::units::{Amount, Price, Ratio};
use serde::Deserialize;
use subxt::utils::AccountId32;

use crate::decimal::{self, DecimalError};

/// A description that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Not a description of a market: the parser's reason follows, with the line.
    #[error("the market file does not read: {0}")]
    Form(String),
    /// A number that cannot be kept exactly.
    #[error("{key}: {reason}")]
    Number {
        /// Which one.
        key: &'static str,
        /// What is wrong with it.
        reason: DecimalError,
    },
    /// Not an address.
    #[error("{key}: {text:?} is not an account's address (SS58, as 5Grw…)")]
    Address {
        /// Which one.
        key: &'static str,
        /// What is there.
        text: String,
    },
    /// A bound that the contracts enforce does not hold.
    #[error("the parameters break a bound of the protocol: {0}")]
    Bound(String),
}

/// A market to deploy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketConfig {
    /// Names the deployment and its file.
    pub name: String,
    /// Token that secures debt; `None`: a test token is deployed.
    pub collateral: Option<AccountId>,
    /// Token that is lent; `None`: a test token is deployed.
    pub quote: Option<AccountId>,
    /// Accounts that submit prices.
    pub feeders: Vec<AccountId>,
    /// How submissions become rounds.
    pub feed: FeedConfig,
    /// The market's parameters.
    pub params: MarketParams,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    collateral: Token,
    quote: Token,
    feed: Feed,
    margin: Margin,
    liquidation: Liquidation,
    limits: Limits,
    keeper: Keeper,
    ladder: Ladder,
    interest: Interest,
    governance: Governance,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    address: Option<String>,
    decimals: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Feed {
    number: u32,
    feeders: Vec<String>,
    min_feeders: u8,
    heartbeat_seconds: u64,
    min_gap_blocks: u32,
    twap_window_seconds: u64,
    deviation: String,
    drift: String,
    volatility_decay: String,
    volatility_interval_seconds: u64,
    max_price_age_seconds: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Margin {
    initial_ltv: String,
    liquidation_threshold: String,
    min_debt: String,
    most_added: String,
    calm_volatility: String,
    rise: String,
    fall: String,
    spacing_seconds: u64,
    notice_seconds: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Liquidation {
    penalty: String,
    target_health: String,
    full_close_health: String,
    ramp_width: String,
    slippage: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Limits {
    debt_ceiling: String,
    supply_cap: String,
    hole: String,
    min_batch: String,
    insurance_budget: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keeper {
    tip: String,
    share: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ladder {
    start: String,
    upper: String,
    lower: String,
    floor: String,
    steps_above: u8,
    steps_around: u8,
    steps_below: u8,
    absolute_floor: String,
    blocks_per_step: u8,
    announce_blocks: u8,
    start_per_volatility: String,
    slope_per_volatility: String,
    floor_per_volatility: String,
    deep: String,
    start_relief: String,
    floor_rise: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Interest {
    idle: String,
    kink: String,
    at_kink: String,
    at_full: String,
    reserve_factor: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Governance {
    notice_seconds: u64,
    loss_cap: String,
}

fn ratio(key: &'static str, text: &str) -> Result<Ratio, ConfigError> {
    decimal::ppm(text)
        .map(Ratio::from_ppm)
        .map_err(|reason| ConfigError::Number { key, reason })
}

fn units(key: &'static str, text: &str, decimals: u8) -> Result<u128, ConfigError> {
    decimal::units(text, decimals).map_err(|reason| ConfigError::Number { key, reason })
}

/// Reads an account's address.
///
/// # Errors
/// [`ConfigError::Address`], which names `key`.
pub fn address(key: &'static str, text: &str) -> Result<AccountId, ConfigError> {
    AccountId32::from_str(text.trim())
        .map(|account| AccountId::from(account.0))
        .map_err(|_| ConfigError::Address {
            key,
            text: text.to_owned(),
        })
}

/// Writes an account's address.
#[must_use]
pub fn show_address(account: AccountId) -> String {
    AccountId32(*account.as_ref()).to_string()
}

impl MarketConfig {
    /// Reads a description and checks every bound that the contracts will check.
    ///
    /// # Errors
    /// [`ConfigError`] with the first thing wrong.
    pub fn read(text: &str) -> Result<Self, ConfigError> {
        let file: File = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| {
                text.get(..span.start)
                    .map_or(1, |before| before.lines().count().max(1))
            });
            ConfigError::Form(format!("{} (line {line})", error.message()))
        })?;
        let name_ok = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if file.name.is_empty() || !file.name.chars().all(name_ok) {
            let reason = "name: letters, digits, - and _ only: it becomes a file's name";
            return Err(ConfigError::Form(reason.to_owned()));
        }
        let config = file.into_config()?;
        let bound = |error: String| ConfigError::Bound(error);
        config
            .params
            .validate()
            .map_err(|error| bound(format!("{error:?}")))?;
        config
            .feed
            .validate()
            .map_err(|error| bound(format!("feed, {error:?}")))?;
        if config.feeders.len() < usize::from(config.feed.min_feeders) {
            return Err(bound("feed: fewer feeders than min_feeders".to_owned()));
        }
        Ok(config)
    }
}

impl File {
    fn into_config(self) -> Result<MarketConfig, ConfigError> {
        let (collateral, quote, feed) = (&self.collateral, &self.quote, &self.feed);
        let token = |key, token: &Token| {
            token
                .address
                .as_deref()
                .map(|text| address(key, text))
                .transpose()
        };
        let money = |key, text: &str| units(key, text, quote.decimals).map(Amount::new);
        let seconds = |seconds: u64| seconds.saturating_mul(1_000);
        let (margin, closing, limits) = (&self.margin, &self.liquidation, &self.limits);
        let (ladder, interest) = (&self.ladder, &self.interest);
        Ok(MarketConfig {
            collateral: token("collateral.address", collateral)?,
            quote: token("quote.address", quote)?,
            feeders: feed
                .feeders
                .iter()
                .map(|text| address("feed.feeders", text))
                .collect::<Result<_, _>>()?,
            feed: FeedConfig {
                min_feeders: feed.min_feeders,
                heartbeat: seconds(feed.heartbeat_seconds),
                min_gap: feed.min_gap_blocks,
                twap_window: seconds(feed.twap_window_seconds),
                deviation: ratio("feed.deviation", &feed.deviation)?,
                drift: ratio("feed.drift", &feed.drift)?,
                volatility: VolatilityConfig {
                    decay: ratio("feed.volatility_decay", &feed.volatility_decay)?,
                    interval: seconds(feed.volatility_interval_seconds),
                },
            },
            params: MarketParams {
                collateral_decimals: collateral.decimals,
                quote_decimals: quote.decimals,
                feed: feed.number,
                max_price_age: seconds(feed.max_price_age_seconds),
                initial_ltv: ratio("margin.initial_ltv", &margin.initial_ltv)?,
                liquidation_threshold: ratio(
                    "margin.liquidation_threshold",
                    &margin.liquidation_threshold,
                )?,
                penalty: ratio("liquidation.penalty", &closing.penalty)?,
                target_health: ratio("liquidation.target_health", &closing.target_health)?,
                full_close_health: ratio(
                    "liquidation.full_close_health",
                    &closing.full_close_health,
                )?,
                ramp_width: ratio("liquidation.ramp_width", &closing.ramp_width)?,
                slippage: ratio("liquidation.slippage", &closing.slippage)?,
                min_debt: money("margin.min_debt", &margin.min_debt)?,
                debt_ceiling: money("limits.debt_ceiling", &limits.debt_ceiling)?,
                supply_cap: money("limits.supply_cap", &limits.supply_cap)?,
                hole: money("limits.hole", &limits.hole)?,
                min_batch: money("limits.min_batch", &limits.min_batch)?,
                keeper_tip: money("keeper.tip", &self.keeper.tip)?,
                keeper_share: ratio("keeper.share", &self.keeper.share)?,
                ladder: LadderParams {
                    start: ratio("ladder.start", &ladder.start)?,
                    floor: ratio("ladder.floor", &ladder.floor)?,
                    absolute_floor: Price::new(units(
                        "ladder.absolute_floor",
                        &ladder.absolute_floor,
                        18,
                    )?),
                    curve: Curve::TwoSpeed {
                        above: ladder.steps_above,
                        upper: ratio("ladder.upper", &ladder.upper)?,
                        around: ladder.steps_around,
                        lower: ratio("ladder.lower", &ladder.lower)?,
                        below: ladder.steps_below,
                    },
                    scaling: Scaling {
                        start_per_volatility: ratio(
                            "ladder.start_per_volatility",
                            &ladder.start_per_volatility,
                        )?,
                        slope_per_volatility: ratio(
                            "ladder.slope_per_volatility",
                            &ladder.slope_per_volatility,
                        )?,
                        floor_per_volatility: ratio(
                            "ladder.floor_per_volatility",
                            &ladder.floor_per_volatility,
                        )?,
                        deep: money("ladder.deep", &ladder.deep)?,
                        start_relief: ratio("ladder.start_relief", &ladder.start_relief)?,
                        floor_rise: ratio("ladder.floor_rise", &ladder.floor_rise)?,
                    },
                    blocks_per_step: ladder.blocks_per_step,
                    announce_blocks: ladder.announce_blocks,
                },
                interest: InterestCurve {
                    idle: ratio("interest.idle", &interest.idle)?,
                    kink: ratio("interest.kink", &interest.kink)?,
                    at_kink: ratio("interest.at_kink", &interest.at_kink)?,
                    at_full: ratio("interest.at_full", &interest.at_full)?,
                    reserve_factor: ratio("interest.reserve_factor", &interest.reserve_factor)?,
                },
                notice: seconds(self.governance.notice_seconds),
                loss_cap: ratio("governance.loss_cap", &self.governance.loss_cap)?,
                insurance_budget: ratio("limits.insurance_budget", &limits.insurance_budget)?,
                margin: MarginRule {
                    most: ratio("margin.most_added", &margin.most_added)?,
                    reference: ratio("margin.calm_volatility", &margin.calm_volatility)?,
                    rise: ratio("margin.rise", &margin.rise)?,
                    fall: ratio("margin.fall", &margin.fall)?,
                    spacing: seconds(margin.spacing_seconds),
                    notice: seconds(margin.notice_seconds),
                },
            },
            name: self.name,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use breakwater_core::market::example_params;

    const EXAMPLE: &str = include_str!("../../../examples/market.toml");

    #[test]
    fn the_example_is_the_market_of_the_tests_with_interest_and_a_margin_that_follows_volatility() {
        let config = MarketConfig::read(EXAMPLE).unwrap();
        let expected = MarketParams {
            interest: InterestCurve::STANDARD,
            margin: MarginRule::STANDARD,
            ..example_params()
        };
        assert_eq!(config.params, expected);
        assert_eq!(config.feed, FeedConfig::standard(2, 600_000, 1, 600_000));
        assert_eq!((config.feeders.len(), config.collateral), (3, None));
    }

    #[test]
    fn mistakes_are_named() {
        let cases = [
            (
                "initial_ltv = \"75 %\"",
                "initial_ltv = \"75 ppm\"",
                "margin.initial_ltv",
            ),
            (
                "min_debt = \"100\"",
                "min_debt = \"0.0000001\"",
                "margin.min_debt",
            ),
            (
                "initial_ltv = \"75 %\"",
                "initial_ltv = \"85 %\"",
                "LoanToValue",
            ),
            ("name = \"teth-tusd\"", "name = \"../x\"", "file's name"),
            ("name = \"teth-tusd\"", "nome = \"x\"", "line"),
            ("min_feeders = 2", "min_feeders = 4", "fewer feeders"),
            (
                "notice_seconds = 86_400",
                "notice_seconds = 86_399",
                "Notice",
            ),
        ];
        for (right, wrong, named) in cases {
            assert!(EXAMPLE.contains(right), "{right}");
            let error = MarketConfig::read(&EXAMPLE.replacen(right, wrong, 1)).unwrap_err();
            let text = error.to_string();
            assert!(text.contains(named) && !text.contains('\n'), "{text}");
        }
    }
}
