//! The client API every backend implements.

use scale::Decode;

use crate::{AccountId, Balance, CallError, Constructor, Gas, Message, QueryError, Receipt};

/// Whoever submits a call, pays for it and is its caller.
///
/// A node needs a key pair to sign with; the embedded chain takes an account at its word.
pub trait Signer {
    /// The account the signer acts for.
    fn account_id(&self) -> AccountId;
}

impl Signer for AccountId {
    fn account_id(&self) -> AccountId {
        *self
    }
}

/// Limits of one call; the default is the most the runtime allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallOptions {
    /// Gas the call may use; `None`: the largest limit one extrinsic can have.
    pub gas_limit: Option<Gas>,
    /// Storage deposit the call may take from the signer; `None`: the runtime's default limit.
    pub deposit_limit: Option<Balance>,
}

impl CallOptions {
    /// Stops the call with [`CallError::OutOfGas`] once it has used `limit`.
    #[must_use]
    pub fn with_gas_limit(self, limit: Gas) -> Self {
        Self {
            gas_limit: Some(limit),
            ..self
        }
    }

    /// Fails the call with [`CallError::StorageDeposit`] if it would take more than `limit`.
    #[must_use]
    pub fn with_deposit_limit(self, limit: Balance) -> Self {
        Self {
            deposit_limit: Some(limit),
            ..self
        }
    }
}

/// A chain with pallet-contracts, seen by its client.
///
/// Implemented by `Embedded` here and by `Node` in `breakwater-node`. Its futures are meant to be driven by the task that owns the chain, so they carry no
/// `Send` bound.
///
/// Messages are taken as anything that converts into a [`Message`]: what
/// `contract.call().message(..)` returns can be passed as it is.
#[allow(async_fn_in_trait)] // no `Send` bound is wanted, see above
pub trait Chain {
    /// What identifies and authorises the submitter of a call.
    type Signer: Signer;

    /// Uploads `code` if the chain does not have it, and instantiates it.
    ///
    /// The address follows from signer, code, constructor input and `salt`.
    ///
    /// # Errors
    ///
    /// [`CallError::CodeRejected`] if the code is invalid, [`CallError::Reverted`] with the
    /// constructor's own error, otherwise as [`Chain::call`].
    async fn instantiate<E: Decode>(
        &mut self,
        signer: &Self::Signer,
        code: &[u8],
        constructor: impl Into<Constructor<E>>,
        salt: &[u8],
    ) -> Result<Receipt<AccountId>, CallError<E>> {
        self.instantiate_with(signer, code, constructor, salt, CallOptions::default())
            .await
    }

    /// As [`Chain::instantiate`], with limits.
    async fn instantiate_with<E: Decode>(
        &mut self,
        signer: &Self::Signer,
        code: &[u8],
        constructor: impl Into<Constructor<E>>,
        salt: &[u8],
        options: CallOptions,
    ) -> Result<Receipt<AccountId>, CallError<E>>;

    /// Submits a call and returns once it is executed.
    ///
    /// A node does not tell what an executed message returned. There the receipt's value, gas and
    /// deposit are those of a dry run just before; its events, fee and block are the executed
    /// call's. Take what others can change in between, such as the number of a bid, from events.
    ///
    /// # Errors
    ///
    /// [`CallError::Reverted`] with the message's own error if it returned `Err`, in which case the
    /// contracts are as they were; the other variants of [`CallError`] if it did not get that far.
    async fn call<T: Decode, E: Decode>(
        &mut self,
        signer: &Self::Signer,
        contract: AccountId,
        message: impl Into<Message<Result<T, E>>>,
    ) -> Result<Receipt<T>, CallError<E>> {
        self.call_with(signer, contract, message, CallOptions::default())
            .await
    }

    /// As [`Chain::call`], with limits.
    async fn call_with<T: Decode, E: Decode>(
        &mut self,
        signer: &Self::Signer,
        contract: AccountId,
        message: impl Into<Message<Result<T, E>>>,
        options: CallOptions,
    ) -> Result<Receipt<T>, CallError<E>>;

    /// Executes a call against the present state and keeps nothing of it.
    ///
    /// # Errors
    ///
    /// As [`Chain::call`].
    async fn dry_run<T: Decode, E: Decode>(
        &self,
        signer: &Self::Signer,
        contract: AccountId,
        message: impl Into<Message<Result<T, E>>>,
    ) -> Result<Receipt<T>, CallError<E>> {
        self.dry_run_with(signer, contract, message, CallOptions::default())
            .await
    }

    /// As [`Chain::dry_run`], with limits.
    async fn dry_run_with<T: Decode, E: Decode>(
        &self,
        signer: &Self::Signer,
        contract: AccountId,
        message: impl Into<Message<Result<T, E>>>,
        options: CallOptions,
    ) -> Result<Receipt<T>, CallError<E>>;

    /// Reads through a message of any return type, as seen by `caller`, who pays nothing.
    ///
    /// # Errors
    ///
    /// As [`Chain::call`], except that a `Result` the message returns is its value.
    async fn query<T: Decode>(
        &self,
        caller: AccountId,
        contract: AccountId,
        message: impl Into<Message<T>>,
    ) -> Result<T, QueryError>;

    /// Number of the block that dry runs and queries see. Calls see the same one where there is an
    /// open block, and a later one on a node, where this is the best block.
    ///
    /// # Errors
    ///
    /// [`CallError::Transport`].
    async fn block(&self) -> Result<u32, QueryError>;

    /// Timestamp of that block, in milliseconds since the Unix epoch.
    ///
    /// # Errors
    ///
    /// [`CallError::Transport`].
    async fn now(&self) -> Result<u64, QueryError>;

    /// Lets `blocks` blocks pass. Only this ends a block on a chain that has no clock of its own;
    /// until then all calls share one block and one timestamp.
    ///
    /// # Errors
    ///
    /// [`CallError::Transport`].
    async fn advance(&mut self, blocks: u32) -> Result<(), QueryError>;

    /// Free balance of `account`: what is neither reserved nor held as storage deposit.
    ///
    /// # Errors
    ///
    /// [`CallError::Transport`].
    async fn free_balance(&self, account: AccountId) -> Result<Balance, QueryError>;
}
