//! Price paths: exact candles, from a CSV file or from the built-in crash day.
//!
//! All prices are whole quote tokens for one whole collateral token, scaled by
//! [`PRICE_SCALE`]. They are parsed and made without floating point, so a path is the same on
//! every machine.

mod crash;
mod decimal;
mod load;
mod window;

#[cfg(test)]
mod load_tests;

pub use crash::march_2020;
pub use decimal::{format_price, parse_price, PriceError};
pub use load::{read_csv, LoadError, LoadProblem};
pub use window::{parse_time, Window, WindowError};

/// One whole quote token for one whole collateral token.
pub const PRICE_SCALE: u128 = 1_000_000_000_000_000_000;

/// Number of decimals in [`PRICE_SCALE`].
pub const PRICE_DECIMALS: u32 = 18;

/// The highest price a path may hold: 10¹² quote tokens, scaled by [`PRICE_SCALE`].
///
/// Far above any real pair, and low enough that a price times a token amount of up to 10⁸ whole
/// units stays inside `u128`.
pub const MAX_PRICE: u128 = 1_000_000_000_000 * PRICE_SCALE;

/// The price of one interval.
///
/// Prices are quote per collateral, scaled by [`PRICE_SCALE`]; `low ≤ open, close ≤ high` and
/// `low > 0` hold for every candle that this module hands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candle {
    /// Start of the interval, UTC seconds since 1970.
    pub open_time: u64,
    /// Price at the start of the interval.
    pub open: u128,
    /// Highest price inside the interval.
    pub high: u128,
    /// Lowest price inside the interval.
    pub low: u128,
    /// Price at the end of the interval.
    pub close: u128,
}

/// Candles in time order, strictly increasing, never empty. Gaps are allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricePath {
    /// What the path is called in reports: the file's stem, or the name of a built-in path.
    pub name: String,
    /// The candles, oldest first.
    pub candles: Vec<Candle>,
    /// The distance between two neighbouring candles that occurs most often, in seconds.
    pub interval_seconds: u64,
}

impl PricePath {
    /// Time at which the first candle opens, UTC seconds; `None` if the path was emptied by hand.
    pub fn start(&self) -> Option<u64> {
        self.candles.first().map(|candle| candle.open_time)
    }

    /// Time at which the last candle ends, UTC seconds; `None` if the path was emptied by hand.
    pub fn end(&self) -> Option<u64> {
        self.candles
            .last()
            .map(|candle| candle.open_time.saturating_add(self.interval_seconds))
    }

    /// Highest price traded, scaled by [`PRICE_SCALE`].
    pub fn highest(&self) -> Option<u128> {
        self.candles.iter().map(|candle| candle.high).max()
    }

    /// Lowest price traded, scaled by [`PRICE_SCALE`].
    pub fn lowest(&self) -> Option<u128> {
        self.candles.iter().map(|candle| candle.low).min()
    }

    /// The candles that open inside `window`, under the same name and interval.
    ///
    /// # Errors
    ///
    /// [`WindowError::Empty`] if no candle opens inside the window.
    pub fn inside(&self, window: &Window) -> Result<PricePath, WindowError> {
        let candles: Vec<Candle> = self
            .candles
            .iter()
            .filter(|candle| window.contains(candle.open_time))
            .copied()
            .collect();
        if candles.is_empty() {
            return Err(WindowError::no_candles(window, self));
        }
        Ok(PricePath {
            name: self.name.clone(),
            candles,
            interval_seconds: self.interval_seconds,
        })
    }
}
