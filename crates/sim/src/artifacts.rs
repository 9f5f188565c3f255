//! The released contract bundles, compiled into the program: no toolchain and no files needed.
//!
//! Where the environment variable `BREAKWATER_ARTIFACTS` names a directory, its bundles are used in their place: those of another
//! build, as the one for chains with native balances of 64 bits.

use serde::Deserialize;
use std::borrow::Cow;
use std::path::Path;

/// The environment variable that names a directory of other bundles.
pub const ARTIFACTS_VARIABLE: &str = "BREAKWATER_ARTIFACTS";

/// A contract of Breakwater.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contract {
    /// `oracle_adapter`.
    OracleAdapter,
    /// `margin_vault`.
    MarginVault,
    /// `vault_ext`, the part of the vault's code that is not needed every day.
    VaultExt,
    /// `liquidation_auction`.
    LiquidationAuction,
    /// `auction_ext`, the part of the auction's code that is not needed every day.
    AuctionExt,
    /// `test_token`, for development networks and tests.
    TestToken,
}

/// A bundle that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the bundle of {contract:?} is missing or damaged: rebuild it with scripts/build.sh")]
pub struct DamagedBundle {
    /// Whose bundle.
    pub contract: Contract,
}

#[derive(Deserialize)]
struct Bundle {
    source: Source,
    spec: Spec,
    types: Vec<KnownType>,
}

#[derive(Deserialize)]
struct Spec {
    environment: Environment,
}

/// The chain that the contract is built for.
#[derive(Deserialize)]
struct Environment {
    balance: TypeName,
}

#[derive(Deserialize)]
struct TypeName {
    #[serde(rename = "type")]
    id: u32,
}

#[derive(Deserialize)]
struct KnownType {
    id: u32,
    #[serde(rename = "type")]
    found: TypeBody,
}

#[derive(Deserialize)]
struct TypeBody {
    def: TypeDefinition,
}

#[derive(Deserialize)]
struct TypeDefinition {
    primitive: Option<String>,
}

#[derive(Deserialize)]
struct Source {
    hash: String,
    wasm: String,
}

impl Contract {
    const fn released(self) -> &'static str {
        match self {
            Self::OracleAdapter => include_str!("../../../artifacts/oracle_adapter.contract"),
            Self::MarginVault => include_str!("../../../artifacts/margin_vault.contract"),
            Self::VaultExt => include_str!("../../../artifacts/vault_ext.contract"),
            Self::LiquidationAuction => {
                include_str!("../../../artifacts/liquidation_auction.contract")
            }
            Self::AuctionExt => include_str!("../../../artifacts/auction_ext.contract"),
            Self::TestToken => include_str!("../../../artifacts/test_token.contract"),
        }
    }

    /// The name of its crate and of its bundle.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OracleAdapter => "oracle_adapter",
            Self::MarginVault => "margin_vault",
            Self::VaultExt => "vault_ext",
            Self::AuctionExt => "auction_ext",
            Self::LiquidationAuction => "liquidation_auction",
            Self::TestToken => "test_token",
        }
    }

    /// The bundle in use; `None` where it cannot be read.
    fn bundle(self) -> Option<Cow<'static, str>> {
        let Some(directory) = std::env::var_os(ARTIFACTS_VARIABLE).filter(|name| !name.is_empty())
        else {
            return Some(Cow::Borrowed(self.released()));
        };
        let path = Path::new(&directory).join(format!("{}.contract", self.name()));
        std::fs::read_to_string(path).ok().map(Cow::Owned)
    }

    /// The contract's code as released.
    ///
    /// # Errors
    /// [`DamagedBundle`] where the bundle is not what `scripts/build.sh` writes.
    pub fn code(self) -> Result<Vec<u8>, DamagedBundle> {
        self.digits(|source| source.wasm)
    }

    /// The hash under which a chain keeps that code.
    ///
    /// # Errors
    /// As [`Self::code`].
    pub fn code_hash(self) -> Result<[u8; 32], DamagedBundle> {
        let hash = self.digits(|source| source.hash)?;
        hash.try_into()
            .map_err(|_| DamagedBundle { contract: self })
    }

    /// How many bits the native balances have of the chains that it is built for. On any other it
    /// traps in its first message.
    ///
    /// # Errors
    /// As [`Self::code`].
    pub fn native_bits(self) -> Result<u32, DamagedBundle> {
        let damaged = || DamagedBundle { contract: self };
        let bundle = self.read()?;
        let balance = bundle.spec.environment.balance.id;
        let mut types = bundle.types.iter();
        let balance = types.find(|known| known.id == balance);
        let name = balance.and_then(|known| known.found.def.primitive.as_deref());
        let bits = name.and_then(|name| name.strip_prefix('u'));
        bits.and_then(|bits| bits.parse().ok()).ok_or_else(damaged)
    }

    fn read(self) -> Result<Bundle, DamagedBundle> {
        let damaged = || DamagedBundle { contract: self };
        let text = self.bundle().ok_or_else(damaged)?;
        serde_json::from_str(&text).map_err(|_| damaged())
    }

    fn digits(self, of: fn(Source) -> String) -> Result<Vec<u8>, DamagedBundle> {
        let damaged = || DamagedBundle { contract: self };
        let digits = of(self.read()?.source);
        let digits = digits.strip_prefix("0x").ok_or_else(damaged)?;
        hex::decode(digits).map_err(|_| damaged())
    }
}
