//! A chain that can be deployed on.

use breakwater_chain::{
    AccountId, Balance, CallError, Chain, Constructor, Gas, Message, QueryError, Receipt, Signer,
};
use breakwater_node::{KeySigner, Node};
use scale::Encode;
use subxt::config::substrate::BlakeTwo256;
use subxt::config::Hasher;

/// A chain to deploy on.
#[allow(async_fn_in_trait)] // as in `Chain`
pub trait Target: Chain {
    /// Name and first block's hash.
    fn identity(&self) -> (String, [u8; 32]);

    /// How many bits its native balances have.
    fn native_bits(&self) -> u32;

    /// The hash of a contract's code; `None` if there is no contract at the address.
    ///
    /// # Errors
    /// [`CallError::Transport`].
    async fn code(&self, contract: AccountId) -> Result<Option<[u8; 32]>, QueryError>;

    /// What a contract keeps under a key of its own; `None` if that is nothing.
    ///
    /// # Errors
    /// [`CallError::Transport`].
    async fn stored(&self, contract: AccountId, key: &[u8]) -> Result<Option<Vec<u8>>, QueryError>;

    /// What an instantiation would cost; nothing is sent.
    ///
    /// # Errors
    /// As [`Chain::instantiate`].
    async fn try_instantiation(
        &self,
        signer: &Self::Signer,
        code: &[u8],
        constructor: Constructor<()>,
        salt: &[u8],
    ) -> Result<Receipt<AccountId>, CallError<()>>;

    /// The storage deposit that code would take which the chain does not have.
    ///
    /// # Errors
    /// [`CallError::CodeRejected`], [`CallError::Transport`].
    async fn code_deposit(&self, signer: &Self::Signer, code: &[u8])
        -> Result<Balance, QueryError>;

    /// The most that a call of so much gas would cost in fees; the contract need not be there.
    ///
    /// # Errors
    /// [`CallError::Transport`].
    async fn fee_of_call<R>(
        &self,
        contract: AccountId,
        message: Message<R>,
        gas: Gas,
    ) -> Result<Balance, QueryError>;
}

impl Target for Node {
    fn identity(&self) -> (String, [u8; 32]) {
        (self.chain_name().to_owned(), self.genesis_hash())
    }

    fn native_bits(&self) -> u32 {
        Node::native_bits(self)
    }

    async fn code(&self, contract: AccountId) -> Result<Option<[u8; 32]>, QueryError> {
        self.code_hash(contract).await
    }

    async fn stored(&self, contract: AccountId, key: &[u8]) -> Result<Option<Vec<u8>>, QueryError> {
        Node::stored(self, contract, key).await
    }

    async fn try_instantiation(
        &self,
        signer: &KeySigner,
        code: &[u8],
        constructor: Constructor<()>,
        salt: &[u8],
    ) -> Result<Receipt<AccountId>, CallError<()>> {
        self.dry_run_instantiation(signer, code, constructor, salt)
            .await
    }

    async fn code_deposit(&self, signer: &KeySigner, code: &[u8]) -> Result<Balance, QueryError> {
        Node::code_deposit(self, signer, code).await
    }

    async fn fee_of_call<R>(
        &self,
        contract: AccountId,
        message: Message<R>,
        gas: Gas,
    ) -> Result<Balance, QueryError> {
        Node::fee_of_call(self, contract, message, gas).await
    }
}

/// The address that pallet-contracts gives to an instance.
pub(crate) fn address_of<S: Signer>(
    signer: &S,
    code_hash: [u8; 32],
    constructor: &Constructor<()>,
    salt: &[u8],
) -> AccountId {
    let by = signer.account_id();
    let by: &[u8; 32] = by.as_ref();
    let parts = (
        b"contract_addr_v1",
        by,
        code_hash,
        constructor.input(),
        salt,
    );
    BlakeTwo256.hash(&parts.encode()).0.into()
}
