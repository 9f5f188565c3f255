//! What messages cost and how fast they run, measured on the embedded chain by genuine messages.
//!
//! Gas there is that of the contracts node's runtime, and the same calls always cost the same.

pub mod anatomy;
pub mod bids;
pub mod cost;
pub mod flat;
pub mod messages;
pub mod profile;
pub mod speed;
mod speed_core;
pub mod stage;
pub mod ticks;

use crate::demo::Progress;
use crate::deployment::StepError;
use serde::Serialize;

/// Tells whoever shows progress.
pub struct Watch<'a>(&'a mut dyn FnMut(Progress));

impl<'a> Watch<'a> {
    /// Tells this function.
    pub fn new(tell: &'a mut dyn FnMut(Progress)) -> Self {
        Self(tell)
    }

    /// A stage of so many units of work begins.
    pub fn stage(&mut self, name: &'static str, work: u64) {
        (self.0)(Progress::Stage { name, work });
    }

    /// So many more units of it are done.
    pub fn done(&mut self, units: u64) {
        (self.0)(Progress::Done(units));
    }
}

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GasOptions {
    /// The most positions in one batch.
    pub most_positions: u32,
    /// The most occupied ticks.
    pub most_ticks: u16,
    /// The most bids.
    pub most_bids: u32,
    /// Whether slopes are fitted, for whoever makes messages cheaper.
    pub profile: bool,
}

impl GasOptions {
    /// What takes minutes.
    pub const FULL: Self = Self {
        most_positions: 10_000,
        most_ticks: 512,
        most_bids: 1_000,
        profile: false,
    };

    /// What takes less than one.
    pub const QUICK: Self = Self {
        most_positions: 1_000,
        most_ticks: 128,
        most_bids: 100,
        profile: false,
    };
}

/// What messages cost, by everything the cost could depend on.
#[derive(Clone, Debug, Serialize)]
pub struct GasBench {
    /// What the calls of one block may use: picoseconds.
    pub block_ref_time: u64,
    /// Proof that the contracts of one parachain block may take, bytes.
    pub parachain_proof: u64,
    /// One liquidation of one account by Abax.
    pub abax: cost::Cost,
    /// Every message.
    pub messages: Vec<messages::MessageRow>,
    /// By positions.
    pub positions: Vec<flat::FlatRow>,
    /// By occupied ticks.
    pub ticks: Vec<ticks::TicksRow>,
    /// By bids.
    pub bids: Vec<bids::BidsRow>,
    /// What messages are made of.
    pub anatomy: Vec<anatomy::AnatomyRow>,
    /// Contract sizes.
    pub sizes: Vec<anatomy::SizeRow>,
    /// Slopes, if they were asked for.
    pub profile: Option<Vec<profile::ProfileRow>>,
}

/// Measures everything.
///
/// # Errors
/// [`StepError`].
pub fn gas(options: &GasOptions, tell: &mut dyn FnMut(Progress)) -> Result<GasBench, StepError> {
    let watch = &mut Watch::new(tell);
    let block = breakwater_chain::Embedded::new().block_capacity();
    let profile = if options.profile {
        Some(profile::table(watch)?)
    } else {
        None
    };
    Ok(GasBench {
        block_ref_time: block.ref_time,
        parachain_proof: cost::PARACHAIN_PROOF,
        abax: cost::ABAX,
        messages: messages::table(watch)?,
        ticks: ticks::table(options.most_ticks, watch)?,
        bids: bids::table(options.most_bids, watch)?,
        anatomy: anatomy::table(watch)?,
        sizes: anatomy::sizes()?,
        positions: flat::table(options.most_positions, watch)?,
        profile,
    })
}
