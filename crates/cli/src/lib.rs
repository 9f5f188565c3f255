//! The parts of the `breakwater` command that other programs can use.
//!
//! [`report`] turns the outcome of a run into one self-contained HTML page.

pub mod report;
