//! Rules of the core crate run over recorded prices, without a chain.

pub mod margin;
pub mod oracle;
