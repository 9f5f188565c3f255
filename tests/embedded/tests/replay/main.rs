//! F24: every balance of vault and auction is rebuilt from events alone, and equals the views.
//!
//! Every world of these scenario tests is compared so when it ends, whatever its story. Here the
//! books are compared at the end of every block, through histories that are made for it.

mod bad_logs;
mod histories;
mod in_memory;
mod stories;
