//! One sale of one lot to one crowd of bidders on one price path, by different mechanisms.

mod batch;
mod curve;
mod lot;
mod takes;

pub use batch::{sell as sell_batch, BatchSale, Exchange};
pub use curve::Stairs;
pub use lot::{Lot, LotCohort};
pub use takes::{sell as sell_by_takes, Asking, Takes};

use crate::{agents::Bidder, paths::FairPath};

/// What all mechanisms are given alike.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// Fair prices.
    pub path: &'a FairPath,
    /// Block of the path in which the sale opens.
    pub opening: usize,
    /// How many blocks the oracle is behind the fair price.
    pub lag: usize,
    /// What is for sale.
    pub lot: &'a Lot,
    /// Who buys.
    pub bidders: &'a [Bidder],
}

impl Scene<'_> {
    /// The oracle's price so many blocks after the opening.
    #[must_use]
    pub fn oracle(&self, elapsed: usize) -> f64 {
        self.path
            .at((self.opening + elapsed).saturating_sub(self.lag))
    }

    /// The fair price so many blocks after the opening.
    #[must_use]
    pub fn fair(&self, elapsed: usize) -> f64 {
        self.path.at(self.opening + elapsed)
    }

    /// Seconds that so many blocks take.
    #[must_use]
    pub fn seconds(&self, blocks: usize) -> f64 {
        blocks as f64 * self.path.block_seconds
    }
}

/// How a sale came out, in numbers that can be compared between mechanisms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// What the owners lost to the fair price at the time of each sale, basis points of the fair
    /// value of what was sold; `None` where nothing was.
    pub loss_bps: Option<f64>,
    /// Seconds from the opening to the last sale; to the end of the attempt where part of the
    /// lot found no buyer.
    pub seconds: f64,
    /// Part of what should have been raised that was not, 0 to 1.
    pub unfilled: f64,
    /// Debt that no collateral is left for, basis points of all debt in the lot.
    pub bad_debt_bps: f64,
}
