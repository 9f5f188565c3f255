//! The promises the ledger carries on its own.

mod attacks;
mod bounds;
mod cases;
mod clauses;
mod edges;
mod exact;
mod extremes;
mod histories;
mod insurance;
mod manipulation;
mod parts;
mod refusals;
mod requirements;
mod running;
mod stress;
mod views;
mod waits;
mod world;
