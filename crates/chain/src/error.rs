//! Why a call did not happen.

use std::convert::Infallible;
use std::fmt::Debug;

use ink::primitives::LangError;
use thiserror::Error;

use crate::Balance;

/// The failure of a read: as [`CallError`], without a contract error, which a read-only message
/// returns as part of its value.
pub type QueryError = CallError<Infallible>;

/// Why a contract call, dry run or instantiation has no value to give.
///
/// `E` is the error type the message itself is declared with. In every case the chain keeps none of
/// the changes the contract made; a submitted call has still cost its signer the fee and the nonce,
/// unless it was refused before it ran ([`CallError::FeeUnpaid`], [`CallError::Transport`]).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CallError<E> {
    /// The message returned `Err`.
    #[error("the contract refused the call: {0:?}")]
    Reverted(E),
    /// The contract could not read its input.
    #[error("the contract does not know this message ({0:?}): check client and contract versions")]
    Lang(LangError),
    /// The output is not what the message is declared to return.
    #[error("the contract's output does not decode: check client and contract versions")]
    Undecodable,
    /// The contract panicked or executed an illegal instruction.
    #[error("the contract trapped: check the call's preconditions or report the contract's bug")]
    Trapped,
    /// The gas limit was reached.
    #[error("out of gas: raise the gas limit or split the work over several calls")]
    OutOfGas,
    /// The storage deposit could not be taken from the signer.
    #[error("storage deposit: {0}")]
    StorageDeposit(DepositError),
    /// The code was not accepted for upload; the chain's reason follows.
    #[error("the chain rejects the code ({0}): build it for this chain's pallet-contracts")]
    CodeRejected(String),
    /// There is no contract at the address.
    #[error("no contract at this address: check the address and the chain")]
    NoSuchContract,
    /// The signer's free balance does not cover the fee.
    #[error("the signer cannot pay the fee of {fee}: fund the account")]
    FeeUnpaid {
        /// The fee of the call, in the native token's smallest unit.
        fee: Balance,
    },
    /// The chain could not be reached or did not answer.
    #[error("the chain does not answer ({0}): check its address and the connection")]
    Transport(String),
    /// Any other refusal by the runtime.
    #[error("the runtime refused the call: {0}")]
    Dispatch(String),
}

impl<E> CallError<E> {
    /// Converts the contract's own error and leaves every other failure as it is.
    pub fn map_reverted<F>(self, f: impl FnOnce(E) -> F) -> CallError<F> {
        match self {
            Self::Reverted(error) => CallError::Reverted(f(error)),
            Self::Lang(error) => CallError::Lang(error),
            Self::Undecodable => CallError::Undecodable,
            Self::Trapped => CallError::Trapped,
            Self::OutOfGas => CallError::OutOfGas,
            Self::StorageDeposit(error) => CallError::StorageDeposit(error),
            Self::CodeRejected(reason) => CallError::CodeRejected(reason),
            Self::NoSuchContract => CallError::NoSuchContract,
            Self::FeeUnpaid { fee } => CallError::FeeUnpaid { fee },
            Self::Transport(reason) => CallError::Transport(reason),
            Self::Dispatch(reason) => CallError::Dispatch(reason),
        }
    }

    /// The contract's own error, if that is what failed the call.
    pub fn reverted(self) -> Option<E> {
        match self {
            Self::Reverted(error) => Some(error),
            _ => None,
        }
    }
}

impl QueryError {
    /// The same failure, where a contract error of type `E` is possible.
    pub fn widen<E>(self) -> CallError<E> {
        self.map_reverted(|never| match never {})
    }
}

/// Why a storage deposit could not be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DepositError {
    /// The call needs more than the deposit limit it was given.
    #[error("the limit is exhausted: raise the deposit limit, or fund the signer")]
    LimitExhausted,
    /// The signer's free balance does not cover the deposit.
    #[error("the signer's balance does not cover it: fund the account")]
    NotEnoughFunds,
}
