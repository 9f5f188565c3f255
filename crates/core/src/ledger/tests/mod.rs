//! The promises the ledger carries on its own.

mod cases;
mod clauses;
mod histories;
mod manipulation;
mod running;
mod views;
mod waits;
mod world;
