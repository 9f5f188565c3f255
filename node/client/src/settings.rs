//! How a node's client sends calls and waits for them.

use breakwater_chain::Balance;

use crate::signer::KeySigner;

/// When a call counts as executed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wait {
    /// As soon as it is in a block of the best chain.
    #[default]
    BestBlock,
    /// Once its block is final.
    Finalized,
}

/// How a [`Node`] sends calls.
#[derive(Clone, Debug)]
pub struct Settings {
    /// When a call counts as executed.
    pub wait: Wait,
    /// Gas limit beyond what the dry run needed, per cent. Between a dry run and its call prices
    /// fall and positions move.
    pub gas_margin: u8,
    /// Storage deposit a call may take beyond a quarter more than the dry run's, in the native
    /// token's smallest unit.
    pub deposit_margin: Balance,
    /// Sends the filler transactions that [`Chain::advance`] makes blocks with, on a node that makes
    /// none in silence. `None`: `advance` waits for the chain's own blocks.
    pub ticker: Option<KeySigner>,
}

impl Default for Settings {
    /// For chains that make blocks of their own: best block, a fifth more gas, a whole token of
    /// twelve decimals more deposit.
    fn default() -> Self {
        Self {
            wait: Wait::BestBlock,
            gas_margin: 20,
            deposit_margin: 1_000_000_000_000,
            ticker: None,
        }
    }
}

impl Settings {
    /// For a development node, which makes a block for each transaction and none in silence:
    /// `advance` makes them with transactions of the development account `//Ferdie`.
    #[must_use]
    pub fn development() -> Self {
        Self {
            ticker: KeySigner::from_suri("//Ferdie").ok(),
            ..Self::default()
        }
    }
}
