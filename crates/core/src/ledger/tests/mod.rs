//! The promises the ledger carries on its own.

mod cases;
mod histories;
mod running;
mod manipulation;
mod world;
