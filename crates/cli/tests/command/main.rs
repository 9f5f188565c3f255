//! The `breakwater` command as a user meets it.

mod bad_input;
mod bench;
mod demo;
mod help;
mod replay;
mod simulate;
mod support;
