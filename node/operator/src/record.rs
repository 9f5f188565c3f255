//! `deployments/NAME.json`: what a deployment consists of and where it is.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use breakwater_chain::AccountId;
use breakwater_sim::artifacts::Contract;
use breakwater_sim::deployment::Deployment;
use serde::{Deserialize, Serialize};

use crate::config::{address, show_address};

/// Version of the file's form.
pub const SCHEMA: u32 = 1;

/// A record that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not a deployment.
    #[error(
        "{path} is no record of a deployment ({reason}): correct it, or deploy under another name"
    )]
    Form {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// A contract of a deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContractRecord {
    /// Its address, SS58.
    pub address: String,
    /// Hash of its code, hexadecimal; none for tokens deployed by others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_hash: Option<String>,
}

/// A deployment, whole or begun.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The deployment's name.
    pub name: String,
    /// The chain's name.
    pub chain: String,
    /// Hash of the chain's first block, hexadecimal: addresses mean nothing on another chain.
    pub genesis: String,
    /// Who governs, SS58.
    pub governor: String,
    /// Collateral token.
    pub collateral: Option<ContractRecord>,
    /// Its decimals.
    pub collateral_decimals: u8,
    /// Quote token.
    pub quote: Option<ContractRecord>,
    /// Its decimals.
    pub quote_decimals: u8,
    /// Oracle adapter.
    pub oracle: Option<ContractRecord>,
    /// What keeps the code of the vault's extension on the chain.
    pub vault_ext: Option<ContractRecord>,
    /// Margin vault.
    pub vault: Option<ContractRecord>,
    /// What keeps the code of the auction's extension on the chain.
    pub auction_ext: Option<ContractRecord>,
    /// Liquidation auction.
    pub auction: Option<ContractRecord>,
    /// Number of the feed.
    pub feed: u32,
    /// Number of the market; none until everything is done.
    pub market: Option<u32>,
}

/// A contract of a deployment, by what it is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Token that secures debt.
    Collateral,
    /// Token that is lent.
    Quote,
    /// Oracle adapter.
    Oracle,
    /// What keeps the code of the vault's extension on the chain.
    VaultExt,
    /// Margin vault.
    Vault,
    /// What keeps the code of the auction's extension on the chain.
    AuctionExt,
    /// Liquidation auction.
    Auction,
}

impl Part {
    /// Its name in steps and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Collateral => "collateral token",
            Self::Quote => "quote token",
            Self::Oracle => "oracle adapter",
            Self::VaultExt => "vault extension",
            Self::Vault => "margin vault",
            Self::AuctionExt => "auction extension",
            Self::Auction => "liquidation auction",
        }
    }

    /// The released contract for it.
    #[must_use]
    pub fn contract(self) -> Contract {
        match self {
            Self::Collateral | Self::Quote => Contract::TestToken,
            Self::Oracle => Contract::OracleAdapter,
            Self::VaultExt => Contract::VaultExt,
            Self::Vault => Contract::MarginVault,
            Self::AuctionExt => Contract::AuctionExt,
            Self::Auction => Contract::LiquidationAuction,
        }
    }
}

impl ContractRecord {
    /// A contract at an address.
    #[must_use]
    pub fn new(contract: AccountId, code_hash: Option<[u8; 32]>) -> Self {
        Self {
            address: show_address(contract),
            code_hash: code_hash.map(hex::encode),
        }
    }

    /// Its address.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        address("address", &self.address).ok()
    }
}

impl Record {
    /// Where the deployment of a name is recorded under a directory.
    #[must_use]
    pub fn path(directory: &Path, name: &str) -> PathBuf {
        directory.join(format!("{name}.json"))
    }

    /// Reads a record; `None` if there is none yet.
    ///
    /// # Errors
    /// [`RecordError`].
    pub fn read(path: &Path) -> Result<Option<Self>, RecordError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                let path = path.to_owned();
                return Err(RecordError::Io { path, source });
            }
        };
        let form = |reason: String| RecordError::Form {
            path: path.to_owned(),
            reason,
        };
        let record: Self = serde_json::from_str(&text).map_err(|error| form(error.to_string()))?;
        if record.schema != SCHEMA {
            return Err(form(format!("its form is version {}", record.schema)));
        }
        Ok(Some(record))
    }

    /// Writes the record, whole or not at all.
    ///
    /// # Errors
    /// [`RecordError::Io`].
    pub fn write(&self, path: &Path) -> Result<(), RecordError> {
        let failed = |source| RecordError::Io {
            path: path.to_owned(),
            source,
        };
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory).map_err(failed)?;
        }
        let mut text = serde_json::to_string_pretty(self).map_err(|error| failed(error.into()))?;
        text.push('\n');
        let draft = path.with_extension("json.new");
        fs::write(&draft, text).map_err(failed)?;
        fs::rename(&draft, path).map_err(failed)
    }

    /// What is recorded of a contract.
    #[must_use]
    pub fn part(&self, part: Part) -> Option<&ContractRecord> {
        match part {
            Part::Collateral => &self.collateral,
            Part::Quote => &self.quote,
            Part::Oracle => &self.oracle,
            Part::VaultExt => &self.vault_ext,
            Part::Vault => &self.vault,
            Part::AuctionExt => &self.auction_ext,
            Part::Auction => &self.auction,
        }
        .as_ref()
    }

    /// Records a contract.
    pub fn set(&mut self, part: Part, contract: ContractRecord) {
        let place = match part {
            Part::Collateral => &mut self.collateral,
            Part::Quote => &mut self.quote,
            Part::Oracle => &mut self.oracle,
            Part::VaultExt => &mut self.vault_ext,
            Part::Vault => &mut self.vault,
            Part::AuctionExt => &mut self.auction_ext,
            Part::Auction => &mut self.auction,
        };
        *place = Some(contract);
    }

    /// Whether the record is of the chain with that first block.
    #[must_use]
    pub fn is_on(&self, genesis: [u8; 32]) -> bool {
        self.genesis == hex::encode(genesis)
    }

    /// The addresses of a finished deployment.
    #[must_use]
    pub fn deployment(&self) -> Option<Deployment> {
        let account = |contract: &Option<ContractRecord>| contract.as_ref()?.account();
        Some(Deployment {
            oracle: account(&self.oracle)?,
            vault: account(&self.vault)?,
            auction: account(&self.auction)?,
            collateral: account(&self.collateral)?,
            quote: account(&self.quote)?,
            market: self.market?,
            feed: self.feed,
        })
    }
}
