//! What the contracts of a deployment are instantiated with.

use crate::artifacts::{Contract, DamagedBundle};
use breakwater_chain::Constructor;
use breakwater_interfaces::AccountId;
use ink::env::call::utils::EmptyArgumentList;
use ink::env::call::{ExecutionInput, Selector};

/// Of an extension's own instance: nobody can use or remove it, and it keeps the code on the chain.
const NOBODY: [u8; 32] = [0; 32];

/// Every constructor has this name.
fn new() -> ExecutionInput<EmptyArgumentList> {
    ExecutionInput::new(Selector::new(ink::selector_bytes!("new")))
}

fn test_token(name: &str, symbol: &str, decimals: u8) -> Constructor {
    let supply = 0u128;
    let (name, symbol) = (Some(name.to_owned()), Some(symbol.to_owned()));
    let named = new().push_arg(supply).push_arg(name).push_arg(symbol);
    Constructor::new(&named.push_arg(decimals))
}

/// A test token as collateral.
#[must_use]
pub fn test_collateral(decimals: u8) -> Constructor {
    test_token("Test Ether", "tETH", decimals)
}

/// A test token as quote.
#[must_use]
pub fn test_quote(decimals: u8) -> Constructor {
    test_token("Test Dollar", "tUSD", decimals)
}

/// The oracle adapter.
#[must_use]
pub fn oracle(governor: AccountId) -> Constructor {
    Constructor::new(&new().push_arg(governor))
}

/// The vault.
///
/// # Errors
/// [`DamagedBundle`], of its extension.
pub fn vault(governor: AccountId, oracle: AccountId) -> Result<Constructor, DamagedBundle> {
    // An array is encoded as its items are.
    let accounts = new().push_arg([governor, oracle]);
    let ext = Contract::VaultExt.code_hash()?;
    Ok(Constructor::new(&accounts.push_arg(ext)))
}

/// The instance of the vault's extension.
///
/// # Errors
/// As [`vault`].
pub fn vault_ext() -> Result<Constructor, DamagedBundle> {
    vault(NOBODY.into(), NOBODY.into())
}

/// The auction.
///
/// # Errors
/// [`DamagedBundle`], of its extension.
pub fn auction(
    governor: AccountId,
    vault: AccountId,
    oracle: AccountId,
) -> Result<Constructor, DamagedBundle> {
    let accounts = new().push_arg([governor, vault, oracle]);
    let ext = Contract::AuctionExt.code_hash()?;
    Ok(Constructor::new(&accounts.push_arg(ext)))
}

/// The instance of the auction's extension.
///
/// # Errors
/// As [`auction`].
pub fn auction_ext() -> Result<Constructor, DamagedBundle> {
    auction(NOBODY.into(), NOBODY.into(), NOBODY.into())
}
