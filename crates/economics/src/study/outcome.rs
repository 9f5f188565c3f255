//! What a study found, as plain records: what the JSON output shows and the report draws.

use crate::statistics::{Estimate, Histogram};
use serde::{Deserialize, Serialize};

/// Version of the JSON form.
pub const STUDY_SCHEMA: u32 = 1;

/// Everything that one run of the study found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Study {
    /// [`STUDY_SCHEMA`].
    pub schema: u32,
    /// Seed of everything random.
    pub seed: u64,
    /// Random walks per experiment.
    pub runs: u64,
    /// Volatility of the random walks of the comparison, part of the price a day.
    pub volatility: f64,
    /// What is expected of the auction, and what was measured.
    pub checks: Vec<Check>,
    /// The auction beside other mechanisms, one entry for each kind of price path.
    pub comparisons: Vec<Comparison>,
    /// What one bidder gains by pretending that collateral is worth less.
    pub shading: Vec<Shading>,
    /// How near the price comes to the fair one with so many bidders.
    pub discovery: Vec<Discovery>,
}

impl Study {
    /// Whether everything expected was found.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.checks.iter().all(|check| check.passed)
    }
}

/// The unit of a measured number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Basis points of the fair value of what was sold.
    BpOfFair,
    /// Basis points of what the batch had to raise.
    BpOfTarget,
    /// Basis points of all debt in the lot.
    BpOfDebt,
    /// Bytes of storage.
    Bytes,
    /// A number of cases.
    Cases,
}

/// What is expected of a measured number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// This value, give or take a tolerance: the interval has to touch that band.
    About {
        /// The value.
        value: f64,
        /// The tolerance on either side.
        tolerance: f64,
    },
    /// At most this: the upper end of the interval has to be.
    AtMost(f64),
    /// Under this: the upper end of the interval has to be.
    Under(f64),
    /// Exactly this, in every single run.
    Exactly(f64),
}

impl Expected {
    /// Rounding: a hundred-thousandth of a basis point is under a base unit of most lots.
    const ROUNDING: f64 = 1e-5;

    /// Whether a measured number is as expected.
    #[must_use]
    pub fn holds(&self, found: &Estimate) -> bool {
        match *self {
            Self::About { value, tolerance } => {
                found.low() <= value + tolerance && found.high() >= value - tolerance
            }
            Self::AtMost(most) => found.high() <= most + Self::ROUNDING,
            Self::Under(most) => found.high() < most,
            Self::Exactly(value) => {
                (found.low() - value).abs() <= Self::ROUNDING
                    && (found.high() - value).abs() <= Self::ROUNDING
            }
        }
    }
}

/// One promise or published figure, and what was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// Which part of the table it belongs to.
    pub group: String,
    /// What was done.
    pub name: String,
    /// Unit of the numbers.
    pub unit: Unit,
    /// What is expected.
    pub expected: Expected,
    /// What was measured.
    pub measured: Estimate,
    /// Whether it is as expected.
    pub passed: bool,
}

impl Check {
    /// Judges a measured number.
    #[must_use]
    pub fn new(
        group: &str,
        name: impl Into<String>,
        unit: Unit,
        expected: Expected,
        measured: Estimate,
    ) -> Self {
        Self {
            group: group.to_owned(),
            name: name.into(),
            unit,
            expected,
            measured,
            passed: measured.observations > 0 && expected.holds(&measured),
        }
    }
}

/// All mechanisms on the same price paths, with the same lots and the same bidders.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The kind of price path, and the money: the name of the comparison.
    pub scenario: String,
    /// Money of all bidders together, as a multiple of what the batch must raise.
    pub money: f64,
    /// Number of bidders.
    pub bidders: u64,
    /// Sales by each mechanism.
    pub sales: u64,
    /// Independent price paths they lie on.
    pub paths: u64,
    /// One entry for each mechanism.
    pub mechanisms: Vec<MechanismResult>,
    /// One of the sales, to be drawn.
    pub example: Option<Example>,
}

/// How one mechanism did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MechanismResult {
    /// Its name.
    pub name: String,
    /// Loss to owners, basis points of the fair value of what was sold.
    pub loss_bps: Estimate,
    /// Seconds from the opening to the last sale.
    pub seconds: Estimate,
    /// Part of what should have been raised that was not, basis points.
    pub unfilled_bps: Estimate,
    /// Debt without collateral, basis points of the lot's debt.
    pub bad_debt_bps: Estimate,
    /// How the losses are distributed.
    pub losses: Histogram,
}

/// One sale by every mechanism.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// Seconds between two blocks.
    pub block_seconds: f64,
    /// The oracle price at the opening.
    pub oracle: f64,
    /// Fair price in each block from the opening on.
    pub fair: Vec<f64>,
    /// The batch's price of each step, one block each, from the block after the opening on.
    pub ladder: Vec<f64>,
    /// Maker's price in each block from the opening on.
    pub stairs: Vec<f64>,
    /// The price with a fixed bonus in each block from the opening on.
    pub bonus: Vec<f64>,
    /// When and at which price each mechanism sold: name, blocks after the opening, price.
    pub sales: Vec<(String, u64, f64)>,
}

/// Price discovery with so many bidders (F20).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Discovery {
    /// Number of bidders.
    pub bidders: u64,
    /// `|price / fair − 1|`, basis points, of the batch.
    pub batch_bps: Estimate,
    /// The same of a fixed 5 % bonus.
    pub bonus_bps: Estimate,
}

/// What one of several bidders gains by shading, the others keeping to the truth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shading {
    /// Number of bidders.
    pub bidders: u64,
    /// Money of all of them together, as a multiple of what is to be raised.
    pub money: f64,
    /// What it does instead of telling the truth.
    pub strategy: String,
    /// Its gain over the truth in each mechanism: name, and basis points of what is to be raised.
    pub gains_bps: Vec<(String, Estimate)>,
}
