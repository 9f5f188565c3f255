//! What messages cost and how fast they run, measured on the embedded chain by genuine messages.
//!
//! Gas there is that of the contracts node's runtime, and the same calls always cost the same.

pub mod bids;
pub mod cost;
pub mod flat;
pub mod messages;
pub mod stage;
pub mod ticks;

use crate::demo::Progress;
use serde::Serialize;

/// Rows of one table.
#[derive(Clone, Debug, Serialize)]
pub struct Report<R> {
    /// The rows.
    pub rows: Vec<R>,
}

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
