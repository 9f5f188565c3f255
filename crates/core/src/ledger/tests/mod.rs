//! The promises the ledger carries on its own.

mod cases;
mod clauses;
mod histories;
mod views;
mod world;
