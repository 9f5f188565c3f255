//! The part of the crate `wasm-opt` that cargo-contract's builder names, without Binaryen behind it.
//!
//! ink_e2e links the builder. Its tests here are given released bundles, so nothing is ever
//! optimized; whoever tries is told so.

use std::io::{Error, ErrorKind};
use std::path::Path;

/// A feature of WebAssembly.
#[derive(Clone, Copy, Debug)]
pub enum Feature {
    /// Sign extension.
    SignExt,
}

/// A pass of the optimizer.
#[derive(Clone, Copy, Debug)]
pub enum Pass {
    /// Replaces sign extension.
    SignextLowering,
}

/// What would be optimized, and how.
#[derive(Clone, Copy, Debug)]
pub struct OptimizationOptions;

macro_rules! levels {
    ($($name:ident)*) => {
        $(
            /// A level.
            #[must_use]
            pub fn $name() -> Self {
                Self
            }
        )*
    };
}

impl OptimizationOptions {
    levels! {
        new_opt_level_0 new_opt_level_1 new_opt_level_2 new_opt_level_3 new_opt_level_4
        new_optimize_for_size new_optimize_for_size_aggressively
    }

    /// Nothing changes.
    pub fn mvp_features_only(&mut self) -> &mut Self {
        self
    }

    /// Nothing changes.
    pub fn enable_feature(&mut self, _: Feature) -> &mut Self {
        self
    }

    /// Nothing changes.
    pub fn add_pass(&mut self, _: Pass) -> &mut Self {
        self
    }

    /// Nothing changes.
    pub fn zero_filled_memory(&mut self, _: bool) -> &mut Self {
        self
    }

    /// Nothing changes.
    pub fn debug_info(&mut self, _: bool) -> &mut Self {
        self
    }

    /// Refuses.
    ///
    /// # Errors
    /// Always: there is no optimizer here.
    pub fn run(&self, _: impl AsRef<Path>, _: impl AsRef<Path>) -> Result<(), Error> {
        let reason = "this workspace tests released bundles and builds no contract";
        Err(Error::new(ErrorKind::Unsupported, reason))
    }
}
