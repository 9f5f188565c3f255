//! What coverage-guided fuzzing drives (`fuzz/`): each function takes bytes, makes of them what it
//! needs and asserts what must hold. The same functions replay the kept corpus in the test suite.

mod clearing;
mod decoding;
mod ledger;
mod oracle;
mod protocol;
mod ticks;

pub use clearing::clearing;
pub use decoding::decoding;
pub use ledger::ledger;
pub use oracle::oracle;
pub use protocol::protocol;
pub use ticks::ticks;

/// A function that takes any bytes.
pub type Target = fn(&[u8]);

/// Every target by its name.
pub const TARGETS: [(&str, Target); 6] = [
    ("clearing", clearing),
    ("decoding", decoding),
    ("ledger", ledger),
    ("oracle", oracle),
    ("protocol", protocol),
    ("ticks", ticks),
];
