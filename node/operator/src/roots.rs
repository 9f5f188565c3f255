//! What vault and auction keep in their root cells and no message tells: the code of their extensions,
//! which runs on their storage, and the contracts they work with.

use breakwater_chain::AccountId;
use breakwater_core::breaker::Stage;
use breakwater_interfaces::breaker::GlobalBreaker;
use breakwater_interfaces::MarketId;
use breakwater_sim::artifacts::DamagedBundle;
use scale::{Decode, DecodeAll};

use crate::config::show_address;
use crate::deploy::show_hash;
use crate::record::Part;
use crate::target::Target;

/// The key of a contract's root cell.
const ROOT: [u8; 4] = [0; 4];

/// Why a contract is not the one that a deployment needs.
#[derive(Debug, thiserror::Error)]
pub enum RootError {
    /// Its extension is other code than this program's bundle.
    #[error("the {part} runs extension code {found}, and this program is made for {ours}")]
    OtherExtension {
        /// Which contract.
        part: &'static str,
        /// The beginning of the hash of its extension's code.
        found: String,
        /// The beginning of the bundle's.
        ours: String,
    },
    /// It works with another contract than the deployment's.
    #[error("the {part} works with {found} as {other}, not with {wanted}")]
    OtherContract {
        /// Which contract.
        part: &'static str,
        /// What it works with.
        other: &'static str,
        /// Where that is; `nothing` where none has been named.
        found: String,
        /// Where it should be.
        wanted: String,
    },
    /// Its root cell is not there, or not of this form.
    #[error("the {0} does not keep what one of this release keeps")]
    OtherForm(&'static str),
    /// The chain does not tell.
    #[error("the {part} cannot be read ({reason})")]
    Unread {
        /// Which contract.
        part: &'static str,
        /// Why.
        reason: String,
    },
    /// A contract's code cannot be read.
    #[error(transparent)]
    Bundle(#[from] DamagedBundle),
}

/// The vault's root cell.
#[derive(Clone, Debug, PartialEq, Eq, Decode)]
pub struct VaultRoot {
    /// The oracle adapter it asks.
    pub oracle: AccountId,
    /// Hash of its extension's code.
    pub ext: [u8; 32],
    /// The auction contract, once it is named.
    pub auction: Option<AccountId>,
    /// Markets it has.
    pub markets: MarketId,
    /// The circuit breaker's stage of all markets.
    pub stage: Stage,
}

/// The auction contract's root cell.
#[derive(Clone, Debug, PartialEq, Eq, Decode)]
pub struct AuctionRoot {
    /// The vault it sells for.
    pub vault: AccountId,
    /// The oracle adapter it asks.
    pub oracle: AccountId,
    /// Hash of its extension's code.
    pub ext: [u8; 32],
    /// The circuit breaker of all markets.
    pub global: GlobalBreaker,
}

impl VaultRoot {
    /// Reads the cell of a vault, and makes sure that its extension is the released one and that it
    /// asks the deployment's oracle.
    ///
    /// # Errors
    /// [`RootError`].
    pub async fn checked<C: Target>(
        chain: &C,
        vault: AccountId,
        oracle: AccountId,
    ) -> Result<Self, RootError> {
        let root: Self = read(chain, vault, Part::Vault).await?;
        same_code(Part::Vault, Part::VaultExt, root.ext)?;
        same(Part::Vault, Part::Oracle, Some(root.oracle), oracle)?;
        Ok(root)
    }

    /// Makes sure that the vault works with an auction contract.
    ///
    /// # Errors
    /// [`RootError::OtherContract`], also where none has been named.
    pub fn ensure_auction(&self, auction: AccountId) -> Result<(), RootError> {
        same(Part::Vault, Part::Auction, self.auction, auction)
    }
}

impl AuctionRoot {
    /// Reads the cell of an auction contract, and makes sure that its extension is the released one
    /// and that it works with the deployment's vault and oracle.
    ///
    /// # Errors
    /// [`RootError`].
    pub async fn checked<C: Target>(
        chain: &C,
        auction: AccountId,
        vault: AccountId,
        oracle: AccountId,
    ) -> Result<Self, RootError> {
        let root: Self = read(chain, auction, Part::Auction).await?;
        same_code(Part::Auction, Part::AuctionExt, root.ext)?;
        same(Part::Auction, Part::Vault, Some(root.vault), vault)?;
        same(Part::Auction, Part::Oracle, Some(root.oracle), oracle)?;
        Ok(root)
    }
}

async fn read<R: Decode, C: Target>(
    chain: &C,
    contract: AccountId,
    part: Part,
) -> Result<R, RootError> {
    let part = part.name();
    let found = chain.stored(contract, &ROOT).await;
    let found = found.map_err(|error| RootError::Unread {
        part,
        reason: error.to_string(),
    })?;
    let found = found.ok_or(RootError::OtherForm(part))?;
    R::decode_all(&mut found.as_slice()).map_err(|_| RootError::OtherForm(part))
}

fn same_code(part: Part, extension: Part, found: [u8; 32]) -> Result<(), RootError> {
    let ours = extension.contract().code_hash()?;
    if found == ours {
        return Ok(());
    }
    Err(RootError::OtherExtension {
        part: part.name(),
        found: show_hash(&found),
        ours: show_hash(&ours),
    })
}

fn same(
    part: Part,
    other: Part,
    found: Option<AccountId>,
    wanted: AccountId,
) -> Result<(), RootError> {
    if found == Some(wanted) {
        return Ok(());
    }
    Err(RootError::OtherContract {
        part: part.name(),
        other: other.name(),
        found: found.map_or("nothing".to_owned(), show_address),
        wanted: show_address(wanted),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(byte: u8) -> AccountId {
        AccountId::from([byte; 32])
    }

    #[test]
    fn a_vault_that_works_with_another_auction_or_with_none_is_told_from_ours() {
        let mut root = VaultRoot {
            oracle: account(1),
            ext: [2; 32],
            auction: Some(account(3)),
            markets: 1,
            stage: Stage::Open,
        };
        assert!(root.ensure_auction(account(3)).is_ok());
        let told = root.ensure_auction(account(4)).unwrap_err().to_string();
        for address in [account(3), account(4)] {
            assert!(told.contains(&show_address(address)), "{told}");
        }
        root.auction = None;
        let told = root.ensure_auction(account(4)).unwrap_err().to_string();
        assert!(
            told.contains("with nothing as liquidation auction"),
            "{told}"
        );
        assert!(!told.contains('\n'));
    }

    #[test]
    fn an_extension_of_other_code_is_told_by_both_hashes() {
        let told = same_code(Part::Vault, Part::VaultExt, [0xab; 32]).unwrap_err();
        let ours = Part::VaultExt.contract().code_hash().expect("a bundle");
        let told = told.to_string();
        assert!(
            told.contains("the margin vault runs extension code abab"),
            "{told}"
        );
        assert!(told.contains(&show_hash(&ours)), "{told}");
        assert!(same_code(Part::Vault, Part::VaultExt, ours).is_ok());
    }
}
