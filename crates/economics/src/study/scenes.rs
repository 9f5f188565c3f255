//! The situations that experiments repeat: a path, a lot and bidders, all from one stream.

use crate::{
    agents::{Bidder, Crowd},
    auctions::{Lot, Scene},
    market::standard_terms,
    paths::FairPath,
    random::Dice,
    SimulationError,
};

/// Price at the beginning of a random walk.
const START: f64 = 100.0;

/// Seconds between two blocks, unless an experiment says otherwise.
pub(super) const BLOCK_SECONDS: f64 = 6.0;

/// Blocks that the oracle is behind, unless an experiment says otherwise.
pub(super) const LAG: usize = 10;

/// Blocks that a batch of 64 steps takes at most, with room.
pub(super) const BATCH_BLOCKS: usize = 70;

/// What a random walk is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk {
    pub(super) volatility: f64,
    pub(super) block_seconds: f64,
    pub(super) lag: usize,
    /// Blocks after the opening.
    pub(super) blocks: usize,
    pub(super) crowd: Crowd,
    pub(super) bidders: usize,
    /// Money of all bidders, as a multiple of what the batch must raise.
    pub(super) money: f64,
}

impl Walk {
    /// An ordinary day of 5 % volatility, long enough for a batch.
    pub(super) const CALM: Self = Self {
        volatility: 0.05,
        block_seconds: BLOCK_SECONDS,
        lag: LAG,
        blocks: BATCH_BLOCKS,
        crowd: Crowd::CALM,
        bidders: 5,
        money: 1.5,
    };

    /// Bidders without costs and with more money than anybody needs.
    pub(super) const IDEAL: Self = Self {
        lag: 0,
        crowd: Crowd::IDEAL,
        bidders: 1,
        money: 10.0,
        ..Self::CALM
    };
}

/// A situation that owns its parts.
#[derive(Clone, Debug)]
pub(super) struct Situation {
    pub(super) path: FairPath,
    pub(super) opening: usize,
    pub(super) lag: usize,
    pub(super) lot: Lot,
    pub(super) bidders: Vec<Bidder>,
}

impl Situation {
    /// The situation of one run. Path, lot and bidders have streams of their own, so that a run
    /// has the same path with any number of bidders.
    pub(super) fn walk(walk: &Walk, seed: u64, run: u64) -> Result<Self, SimulationError> {
        let mut dice = Dice::new(seed, 3 * run);
        let blocks = walk.lag + walk.blocks + 1;
        let path = FairPath::random_walk(
            &mut dice,
            START,
            walk.volatility,
            walk.block_seconds,
            blocks,
        );
        let mut lots = Dice::new(seed, 3 * run + 1);
        let lot = Lot::draw(&mut lots, &standard_terms(), path.at(0))?;
        let mut crowd = Dice::new(seed, 3 * run + 2);
        let bidders = walk.crowd.draw(&mut crowd, walk.bidders, walk.money);
        Ok(Self {
            path,
            opening: walk.lag,
            lag: walk.lag,
            lot,
            bidders,
        })
    }

    pub(super) fn scene(&self) -> Scene<'_> {
        Scene {
            path: &self.path,
            opening: self.opening,
            lag: self.lag,
            lot: &self.lot,
            bidders: &self.bidders,
        }
    }
}
