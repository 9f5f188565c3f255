//! The promises the ledger carries on its own.

mod cases;
mod clauses;
mod histories;
mod running;
mod manipulation;
mod views;
mod world;
