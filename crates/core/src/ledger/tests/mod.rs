//! The promises the ledger carries on its own.

mod cases;
mod histories;
mod manipulation;
mod world;
