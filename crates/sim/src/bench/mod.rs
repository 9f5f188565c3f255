//! What messages cost and how fast they run, measured on the embedded chain by genuine messages.
//!
//! Gas there is that of the contracts node's runtime, and the same calls always cost the same.

pub mod anatomy;
pub mod bids;
pub mod cost;
pub mod flat;
pub mod messages;
pub mod slopes;
pub mod speed;
mod speed_core;
pub mod stage;
pub mod standing;
pub mod ticks;

use crate::demo::Progress;
use crate::deployment::StepError;
use serde::Serialize;

/// Tells whoever shows progress.
pub struct Watch<'a>(Option<&'a mut dyn FnMut(Progress)>);

impl<'a> Watch<'a> {
    /// Tells this function.
    pub fn new(tell: &'a mut dyn FnMut(Progress)) -> Self {
        Self(Some(tell))
    }

    /// Tells nobody.
    #[must_use]
    pub fn nobody() -> Self {
        Self(None)
    }

    /// A stage of so many units of work begins.
    pub fn stage(&mut self, name: &'static str, work: u64) {
        self.tell(Progress::Stage { name, work });
    }

    /// So many more units of it are done.
    pub fn done(&mut self, units: u64) {
        self.tell(Progress::Done(units));
    }

    fn tell(&mut self, progress: Progress) {
        if let Some(tell) = &mut self.0 {
            tell(progress);
        }
    }
}

/// A table of [`GasBench`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Every message.
    Messages,
    /// A batch by its positions.
    Positions,
    /// A batch by its occupied ticks.
    Ticks,
    /// A batch by its bids.
    Bids,
    /// A batch by the depositors in the tier that buys it.
    Standing,
    /// What messages are made of.
    Anatomy,
    /// Contract sizes.
    Sizes,
    /// What a cohort and a page add to a batch.
    Slopes,
}

impl Part {
    /// All of them, in the order of reading.
    pub const ALL: [Self; 8] = [
        Self::Messages,
        Self::Positions,
        Self::Ticks,
        Self::Bids,
        Self::Standing,
        Self::Anatomy,
        Self::Sizes,
        Self::Slopes,
    ];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Positions => "positions",
            Self::Ticks => "ticks",
            Self::Bids => "bids",
            Self::Standing => "standing",
            Self::Anatomy => "anatomy",
            Self::Sizes => "sizes",
            Self::Slopes => "slopes",
        }
    }
}

/// How much is measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GasOptions {
    /// The tables.
    pub parts: Vec<Part>,
    /// The most positions in one batch.
    pub most_positions: u32,
    /// The most occupied ticks.
    pub most_ticks: u16,
    /// The most bids.
    pub most_bids: u32,
    /// The most standing depositors.
    pub most_depositors: u32,
}

impl GasOptions {
    /// What takes minutes: everything but the slopes.
    #[must_use]
    pub fn full() -> Self {
        Self {
            parts: Part::ALL
                .into_iter()
                .filter(|part| *part != Part::Slopes)
                .collect(),
            most_positions: 10_000,
            most_ticks: 512,
            most_bids: 1_000,
            most_depositors: 10_000,
        }
    }

    /// What takes half a minute.
    #[must_use]
    pub fn quick() -> Self {
        Self {
            most_positions: 1_000,
            most_ticks: 128,
            most_bids: 100,
            most_depositors: 100,
            ..Self::full()
        }
    }
}

/// What messages cost, by everything the cost could depend on. Tables not asked for are empty.
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
    /// By standing depositors.
    pub standing: Vec<standing::StandingRow>,
    /// What messages are made of.
    pub anatomy: Vec<anatomy::AnatomyRow>,
    /// Contract sizes.
    pub sizes: Vec<anatomy::SizeRow>,
    /// What a cohort and a page add to a batch.
    pub slopes: Vec<slopes::SlopeRow>,
}

/// Measures what is asked for.
///
/// # Errors
/// [`StepError`].
pub fn gas(options: &GasOptions, tell: &mut dyn FnMut(Progress)) -> Result<GasBench, StepError> {
    let watch = &mut Watch::new(tell);
    let mut measured = GasBench {
        block_ref_time: breakwater_chain::Embedded::new().block_capacity().ref_time,
        parachain_proof: cost::PARACHAIN_PROOF,
        abax: cost::ABAX,
        messages: Vec::new(),
        positions: Vec::new(),
        ticks: Vec::new(),
        bids: Vec::new(),
        standing: Vec::new(),
        anatomy: Vec::new(),
        sizes: Vec::new(),
        slopes: Vec::new(),
    };
    for part in &options.parts {
        match part {
            Part::Messages => measured.messages = messages::table(watch)?,
            Part::Positions => measured.positions = flat::table(options.most_positions, watch)?,
            Part::Ticks => measured.ticks = ticks::table(options.most_ticks, watch)?,
            Part::Bids => measured.bids = bids::table(options.most_bids, watch)?,
            Part::Standing => {
                measured.standing = standing::table(options.most_depositors, watch)?;
            }
            Part::Anatomy => measured.anatomy = anatomy::table(watch)?,
            Part::Sizes => measured.sizes = anatomy::sizes()?,
            Part::Slopes => measured.slopes = slopes::table(watch)?,
        }
    }
    Ok(measured)
}
