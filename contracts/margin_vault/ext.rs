//! The vault and its extension: `margin_vault` holds the code of what borrowers, lenders and batches
//! do every day, `vault_ext` all other.

use crate::margin_vault::MarginVault;
use breakwater_interfaces::two_pieces::TwoPieces;
use ink::primitives::Hash;

impl TwoPieces for MarginVault {
    const IS_EXT: bool = matches!(env!("CARGO_PKG_NAME").as_bytes(), b"vault_ext");

    fn ext(&self) -> Hash {
        self.config.ext
    }
}
