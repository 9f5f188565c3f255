//! The `breakwater` command, and the parts of it that other programs can use.
//!
//! [`run`] is the whole command; [`report`] turns the outcome of a run into one self-contained
//! HTML page.

pub mod report;

mod books_table;
mod commands;
mod destination;
mod failure;
mod output;
mod progress;
mod study_table;
mod table;
mod verdict;

pub use commands::run;
