//! A chain that can be deployed on.

use breakwater_chain::{AccountId, Chain, QueryError};
use breakwater_node::Node;

/// What a chain knows of a contract's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The chain does not tell.
    Untold,
    /// There is no contract.
    Missing,
    /// Its hash.
    Hash([u8; 32]),
}

/// A chain to deploy on.
#[allow(async_fn_in_trait)] // as in `Chain`
pub trait Target: Chain {
    /// Name and first block's hash.
    fn identity(&self) -> (String, [u8; 32]);

    /// The code of a contract.
    ///
    /// # Errors
    /// [`CallError::Transport`].
    async fn code(&self, contract: AccountId) -> Result<Code, QueryError>;
}

impl Target for Node {
    fn identity(&self) -> (String, [u8; 32]) {
        (self.chain_name().to_owned(), self.genesis_hash())
    }

    async fn code(&self, contract: AccountId) -> Result<Code, QueryError> {
        Ok(self
            .code_hash(contract)
            .await?
            .map_or(Code::Missing, Code::Hash))
    }
}
