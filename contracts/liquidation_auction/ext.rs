//! The auction and its extension: `liquidation_auction` holds the code of what bidders and batches
//! do every day, `auction_ext` all other.

use crate::liquidation_auction::LiquidationAuction;
use breakwater_interfaces::two_pieces::TwoPieces;
use ink::primitives::Hash;

impl TwoPieces for LiquidationAuction {
    const IS_EXT: bool = matches!(env!("CARGO_PKG_NAME").as_bytes(), b"auction_ext");

    fn ext(&self) -> Hash {
        self.config.ext
    }
}
