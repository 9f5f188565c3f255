//! The released contract bundles, compiled into the program: no toolchain and no files needed.

use serde::Deserialize;

/// A contract of Breakwater.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contract {
    /// `oracle_adapter`.
    OracleAdapter,
    /// `margin_vault`.
    MarginVault,
    /// `liquidation_auction`.
    LiquidationAuction,
    /// `test_token`, for development networks and tests.
    TestToken,
}

/// A bundle that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the bundle of {contract:?} is damaged: rebuild it with scripts/build.sh")]
pub struct DamagedBundle {
    /// Whose bundle.
    pub contract: Contract,
}

#[derive(Deserialize)]
struct Bundle {
    source: Source,
}

#[derive(Deserialize)]
struct Source {
    wasm: String,
}

impl Contract {
    const fn bundle(self) -> &'static str {
        match self {
            Self::OracleAdapter => include_str!("../../../artifacts/oracle_adapter.contract"),
            Self::MarginVault => include_str!("../../../artifacts/margin_vault.contract"),
            Self::LiquidationAuction => {
                include_str!("../../../artifacts/liquidation_auction.contract")
            }
            Self::TestToken => include_str!("../../../artifacts/test_token.contract"),
        }
    }

    /// The contract's code as released.
    ///
    /// # Errors
    /// [`DamagedBundle`] where the bundle is not what `scripts/build.sh` writes.
    pub fn code(self) -> Result<Vec<u8>, DamagedBundle> {
        let damaged = || DamagedBundle { contract: self };
        let bundle: Bundle = serde_json::from_str(self.bundle()).map_err(|_| damaged())?;
        let digits = bundle.source.wasm.strip_prefix("0x").ok_or_else(damaged)?;
        hex::decode(digits).map_err(|_| damaged())
    }
}
