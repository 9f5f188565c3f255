//! `bot.toml`: what a bot does, within which bounds. Every key is explained in `examples/bot.toml`.

use breakwater_core::math::Rounding;
use breakwater_core::standing::Discount;
use breakwater_core::units::{Amount, Price, Ratio};
use breakwater_sim::prices::{parse_price, PriceError};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

#[cfg(test)]
mod mistakes;

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not a configuration; the parser says where.
    #[error("the configuration does not read: {0}")]
    Form(String),
    /// A value that makes no sense.
    #[error("{key}: {reason}")]
    Value {
        /// Which one.
        key: &'static str,
        /// What is wrong, and what would be right.
        reason: &'static str,
    },
    /// Fees would be counted wrong by a power of ten.
    #[error(
        "chain.native_decimals: the chain's native token has {chain} decimals, not {given}: correct \
         it, or leave it out"
    )]
    NativeDecimals {
        /// What the file says.
        given: u8,
        /// What the chain says.
        chain: u8,
    },
}

/// An exact decimal number, scaled by 10^18; written as a string or a whole number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decimal(u128);

/// Most decimals of a native token that fees are counted in.
const MAX_NATIVE_DECIMALS: u8 = 18;

/// One as a [`Decimal`].
const ONE: u128 = 1_000_000_000_000_000_000;

impl Decimal {
    /// Reads a number like `12.5`.
    ///
    /// # Errors
    /// [`PriceError`]; zero is a number here.
    pub fn parse(text: &str) -> Result<Self, PriceError> {
        match parse_price(text) {
            Ok(scaled) => Ok(Self(scaled)),
            Err(PriceError::Zero) => Ok(Self(0)),
            Err(error) => Err(error),
        }
    }

    /// So many whole tokens in base units, rounded down.
    #[must_use]
    pub fn units(self, decimals: u8) -> Amount {
        let divisor = 10u128.pow(u32::from(18u8.saturating_sub(decimals)));
        Amount::new(self.0 / divisor)
    }

    /// As a share; at most what a [`Ratio`] holds.
    #[must_use]
    pub fn ratio(self) -> Ratio {
        Ratio::from_ppm(u32::try_from(self.0 / (ONE / 1_000_000)).unwrap_or(u32::MAX))
    }

    /// As a price in whole quote tokens for a whole collateral token.
    #[must_use]
    pub fn price(self) -> Price {
        Price::new(self.0)
    }

    /// What a native amount costs at this price of a whole native token in whole quote tokens:
    /// quote base units, rounded up.
    #[must_use]
    pub fn cost(self, native: u128, native_decimals: u8, quote_decimals: u8) -> Amount {
        // Divided once: a price rounded to quote units first would make a cheap token cost nothing.
        let finer = 18u8.saturating_sub(quote_decimals);
        let digits = u32::from(native_decimals).saturating_add(finer.into());
        let whole = 10u128.checked_pow(digits).unwrap_or(1);
        Amount::new(native).mul_div_or_max(self.0, whole, Rounding::Up)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Text(String),
            Whole(u64),
        }
        match Form::deserialize(input)? {
            Form::Text(text) => Self::parse(&text.replace('_', ""))
                .map_err(|error| serde::de::Error::custom(format!("{text:?} {error}"))),
            Form::Whole(whole) => Ok(Self(u128::from(whole) * ONE)),
        }
    }
}

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Node and deployment.
    pub chain: ChainConfig,
    /// The account that signs.
    pub account: AccountConfig,
    /// The bot's own memory.
    pub state: StateConfig,
    /// What the bot tells about itself.
    #[serde(default)]
    pub telemetry: TelemetryConfig,
    /// Where prices come from: needed by the feeder, used by the bidder.
    pub price: Option<SourceConfig>,
    /// Submits prices.
    pub feeder: Option<FeederConfig>,
    /// Opens, settles and puts batches back.
    pub keeper: Option<KeeperConfig>,
    /// Buys collateral.
    pub bidder: Option<BidderConfig>,
    /// Keeps standing tiers funded.
    pub depth: Option<DepthConfig>,
}

/// Node and deployment.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainConfig {
    /// WebSocket address of a node.
    pub url: String,
    /// Record of the deployment.
    pub deployment: PathBuf,
    /// Decimals of the native token that fees are paid in. Left out, what the chain says
    /// ([`Config::on_chain_with`]).
    pub native_decimals: Option<u8>,
    /// Whole quote tokens that a whole native token costs; zero counts fees as nothing.
    pub native_price: Decimal,
    /// Nothing is sent while the node's best block is older; zero: however old. Left out, the program
    /// that runs the bot chooses.
    pub max_block_age_seconds: Option<u64>,
}

/// Where the secret of the signing account is; it is never in the file itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountConfig {
    /// Name of the environment variable that holds it.
    pub secret_env: Option<String>,
    /// File that holds it.
    pub secret_file: Option<PathBuf>,
}

/// The bot's own memory.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateConfig {
    /// The SQLite file. A dry run keeps its own beside it.
    pub path: PathBuf,
}

/// What the bot tells about itself.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TelemetryConfig {
    /// Address that `/metrics` and `/healthz` are served at.
    pub listen: Option<String>,
    /// Whether log lines are JSON.
    pub json: bool,
}

/// A source of prices.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum SourceConfig {
    /// A CSV file with a header and the columns `timestamp` (seconds) and `price`.
    Csv {
        /// The file.
        path: PathBuf,
    },
    /// The first line that a command writes.
    Command {
        /// Program and arguments.
        command: Vec<String>,
        /// Longest that it may take.
        #[serde(default = "ten")]
        timeout_seconds: u64,
    },
    /// A JSON document.
    Http {
        /// Where.
        url: String,
        /// JSON pointer to the price, as `/data/0/price`.
        pointer: String,
        /// Longest that it may take.
        #[serde(default = "ten")]
        timeout_seconds: u64,
    },
}

/// Submits prices.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeederConfig {
    /// Submits when the price has moved by this share.
    pub min_move: Decimal,
    /// Submits at least so often.
    pub heartbeat_seconds: u64,
    /// Refuses a price further than this share from the last accepted one.
    pub max_jump: Decimal,
}

/// Opens, settles and puts batches back.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeeperConfig {
    /// Least expected reward beyond the fee, whole quote tokens.
    #[serde(default)]
    pub min_profit: Decimal,
    /// Works for the market's health even where it does not pay.
    #[serde(default)]
    pub at_any_price: bool,
    /// Extends announced batches, which earns nothing.
    #[serde(default)]
    pub extend: bool,
    /// Claims rewards from this amount on, whole quote tokens.
    #[serde(default)]
    pub claim_from: Decimal,
    /// Does what anyone may do for the market, which earns nothing.
    #[serde(default)]
    pub maintain: MaintainConfig,
}

/// Does what anyone may do for a market: has the margin follow the volatility, takes over changed
/// terms, reopens, and raises the breaker.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MaintainConfig {
    /// Looks what is due every so many blocks; zero: never.
    pub every_blocks: u32,
    /// The most that one message may cost, whole quote tokens; a keeper that works at any price does
    /// not ask.
    pub max_fee: Decimal,
    /// Raises the breaker for a fact that holds, too. That stops new batches, the own ones among
    /// them.
    pub trip: bool,
}

impl Default for MaintainConfig {
    fn default() -> Self {
        Self {
            every_blocks: 10,
            max_fee: Decimal(ONE),
            trip: false,
        }
    }
}

/// Buys collateral.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BidderConfig {
    /// How bids are made.
    pub strategy: StrategyConfig,
    /// Most that may be bid in one batch, whole quote tokens.
    pub max_per_batch: Decimal,
    /// Most that may be bid in one day (UTC), whole quote tokens.
    pub max_per_day: Decimal,
    /// Most collateral that the account may hold or have bid for, whole tokens.
    pub max_inventory: Decimal,
    /// Least expected profit of a bid after its fees, whole quote tokens.
    #[serde(default)]
    pub min_profit: Decimal,
    /// Refuses to bid while the own source and the oracle differ by more than this share.
    pub max_deviation: Decimal,
    /// Bids so many blocks before the step begins that the limit reaches.
    #[serde(default = "two")]
    pub lead_blocks: u32,
    /// Money that is kept deposited in the auction; zero leaves deposits to the operator.
    #[serde(default)]
    pub deposit: Decimal,
    /// Free balance above this is withdrawn; none: nothing is.
    pub withdraw_above: Option<Decimal>,
    /// Fills what is missing in the last steps.
    pub force_fill: Option<ForceFillConfig>,
}

/// Fills what is missing in the last steps, whatever the profit.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForceFillConfig {
    /// In so many last steps.
    pub steps: u8,
    /// Only where the price is at most this share of the fair price.
    pub max_price: Decimal,
}

/// Keeps standing tiers funded.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DepthConfig {
    /// What is to stand in which tier.
    pub tiers: Vec<TierConfig>,
    /// Most that may be put into all tiers in one day (UTC), whole quote tokens.
    pub max_per_day: Decimal,
    /// Smaller changes are not worth a fee, whole quote tokens.
    #[serde(default)]
    pub min_change: Decimal,
    /// Claims what tiers bought from this amount on, whole collateral tokens.
    #[serde(default)]
    pub claim_from: Decimal,
    /// Puts nothing in while the own source and the oracle differ by more than this share.
    pub max_deviation: Decimal,
}

/// What is to stand in a tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierConfig {
    /// Its discount in per cent.
    pub percent: u8,
    /// How much, whole quote tokens; zero empties it.
    pub amount: Decimal,
}

/// How bids are made.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum StrategyConfig {
    /// One bid with its limit under the fair price.
    FixedDiscount {
        /// By this share.
        discount: Decimal,
    },
    /// Several bids, each with its share of the batch's budget.
    Ladder {
        /// The rungs.
        rungs: Vec<Rung>,
    },
    /// A process that is asked by JSON lines.
    External {
        /// Program and arguments.
        command: Vec<String>,
        /// Longest that an answer may take.
        #[serde(default = "ten")]
        timeout_seconds: u64,
    },
}

/// One bid of a ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rung {
    /// Its limit is under the fair price by this share.
    pub discount: Decimal,
    /// Its share of the batch's budget.
    pub share: Decimal,
}

fn two() -> u32 {
    2
}

fn ten() -> u64 {
    10
}

/// What is wrong and in which line. The line itself is not repeated: somebody may have put a secret
/// there.
fn form(text: &str, error: &toml::de::Error) -> ConfigError {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map_or(1, |before| before.matches('\n').count() + 1);
    let message = error.message().replace('\n', ", ");
    ConfigError::Form(format!("{message} (line {line})"))
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Io {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text)
    }

    /// Reads and checks a text.
    ///
    /// # Errors
    /// [`ConfigError::Form`], [`ConfigError::Value`].
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|error| form(text, &error))?;
        config.check()?;
        Ok(config)
    }

    /// Takes the native token's decimals as the chain tells them.
    ///
    /// # Errors
    /// [`ConfigError::NativeDecimals`] where the file says otherwise, [`ConfigError::Value`] where
    /// fees cannot be counted in so many.
    pub fn on_chain_with(&mut self, native_decimals: u8) -> Result<(), ConfigError> {
        if let Some(given) = self.chain.native_decimals {
            if given != native_decimals {
                return Err(ConfigError::NativeDecimals {
                    given,
                    chain: native_decimals,
                });
            }
        }
        if native_decimals > MAX_NATIVE_DECIMALS {
            return Err(ConfigError::Value {
                key: "chain.native_decimals",
                reason: "the chain's native token has more than 18, in which fees are not counted",
            });
        }
        self.chain.native_decimals = Some(native_decimals);
        Ok(())
    }

    /// Where this run keeps its memory: a dry run never touches that of the real one.
    #[must_use]
    pub fn state_path(&self, dry_run: bool) -> PathBuf {
        match dry_run {
            true => self.state.path.with_extension("dry-run.sqlite"),
            false => self.state.path.clone(),
        }
    }

    fn check(&self) -> Result<(), ConfigError> {
        let refuse = |key, reason| Err(ConfigError::Value { key, reason });
        let roles = [
            self.feeder.is_some(),
            self.keeper.is_some(),
            self.bidder.is_some(),
            self.depth.is_some(),
        ];
        if !roles.contains(&true) {
            return refuse(
                "roles",
                "give [feeder], [keeper], [bidder] or [depth]: there is nothing to do",
            );
        }
        if self.feeder.is_some() && self.price.is_none() {
            return refuse("feeder", "give [price]: there is nothing to submit");
        }
        if self.account.secret_env.is_some() == self.account.secret_file.is_some() {
            return refuse("account", "give one of secret_env and secret_file");
        }
        if self.chain.native_decimals() > MAX_NATIVE_DECIMALS {
            return refuse("chain.native_decimals", "give at most 18");
        }
        if let Some(feeder) = &self.feeder {
            if feeder.max_jump.0 == 0 {
                return refuse("feeder.max_jump", "give a share above zero, as \"0.2\"");
            }
        }
        if let Some(depth) = &self.depth {
            depth.check()?;
        }
        let Some(bidder) = &self.bidder else {
            return Ok(());
        };
        if bidder.max_deviation.0 == 0 {
            return refuse(
                "bidder.max_deviation",
                "give a share above zero, as \"0.05\"",
            );
        }
        match &bidder.strategy {
            StrategyConfig::FixedDiscount { discount } if discount.0 >= ONE => refuse(
                "bidder.strategy.discount",
                "give a share under one, as \"0.02\"",
            ),
            StrategyConfig::Ladder { rungs } => {
                let whole = rungs.iter().map(|rung| rung.share.0).sum::<u128>();
                let deep = rungs.iter().any(|rung| rung.discount.0 >= ONE);
                match rungs.is_empty() || whole > ONE || deep || rungs.len() > 64 {
                    true => refuse(
                        "bidder.strategy.rungs",
                        "give 1 to 64 with discounts under one and shares that sum to at most one",
                    ),
                    false => Ok(()),
                }
            }
            StrategyConfig::External { command, .. } if command.is_empty() => {
                refuse("bidder.strategy.command", "give a program")
            }
            _ => Ok(()),
        }
    }
}

impl ChainConfig {
    /// Decimals of the native token; twelve where neither the file nor a chain has said.
    #[must_use]
    pub fn native_decimals(&self) -> u8 {
        self.native_decimals.unwrap_or(12)
    }
}

impl DepthConfig {
    fn check(&self) -> Result<(), ConfigError> {
        let refuse = |key, reason| Err(ConfigError::Value { key, reason });
        let discounts: BTreeSet<_> = self.tiers.iter().map(|tier| tier.percent).collect();
        let exist = |percent: &u8| Discount::from_percent(*percent).is_ok();
        if discounts.is_empty()
            || discounts.len() < self.tiers.len()
            || !discounts.iter().all(exist)
        {
            return refuse(
                "depth.tiers",
                "give each once, with a discount of 2 to 30 per cent",
            );
        }
        if self.max_deviation.0 == 0 {
            return refuse(
                "depth.max_deviation",
                "give a share above zero, as \"0.05\"",
            );
        }
        Ok(())
    }
}

impl AccountConfig {
    /// The secret; it is not kept, and nothing here prints it.
    ///
    /// # Errors
    /// [`ConfigError`], which names the place and not what is there.
    pub fn secret(&self) -> Result<String, ConfigError> {
        if let Some(path) = &self.secret_file {
            let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Io {
                path: path.clone(),
                source,
            })?;
            return Ok(text.trim().to_owned());
        }
        let name = self.secret_env.as_deref().unwrap_or_default();
        std::env::var(name).map_err(|_| ConfigError::Value {
            key: "account.secret_env",
            reason: "the environment has no such variable: set it to the account's secret",
        })
    }
}

#[cfg(test)]
mod tests;
