//! The promises the ledger carries on its own.

mod cases;
mod clauses;
mod histories;
mod insurance;
mod manipulation;
mod requirements;
mod running;
mod stress;
mod views;
mod waits;
mod world;
