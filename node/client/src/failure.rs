//! The runtime's errors in the client's terms.

use breakwater_chain::{CallError, DepositError};
use scale::Decode;
use subxt::metadata::Metadata;

use crate::connection::Fault;

/// `DispatchError` as the runtime encodes it.
#[derive(Clone, Debug, PartialEq, Eq, Decode)]
pub(crate) enum RuntimeError {
    Other,
    CannotLookup,
    BadOrigin,
    Module { pallet: u8, error: [u8; 4] },
    ConsumerRemaining,
    NoProviders,
    TooManyConsumers,
    Token(u8),
    Arithmetic(u8),
    Transactional(u8),
    Exhausted,
    Corruption,
    Unavailable,
    RootNotAllowed,
    Trie(u8),
}

impl RuntimeError {
    /// Pallet and name of the error, by the node's metadata.
    fn name(&self, metadata: &Metadata) -> (String, String) {
        if let Self::Module { pallet, error } = self {
            let found = metadata.pallet_by_error_index(*pallet).and_then(|pallet| {
                let variant = pallet.error_variant_by_index(error[0])?;
                Some((pallet.name().to_owned(), variant.name.clone()))
            });
            return found.unwrap_or_else(|| (format!("pallet {pallet}"), format!("{error:?}")));
        }
        (String::new(), format!("{self:?}"))
    }

    /// Whether a contract undid its changes and returned an error.
    pub(crate) fn is_revert(&self, metadata: &Metadata) -> bool {
        let (pallet, name) = self.name(metadata);
        pallet == "Contracts" && name == "ContractReverted"
    }

    /// The client's error; `debug` is what the runtime has to say about rejected code.
    pub(crate) fn call_error<E>(&self, metadata: &Metadata, debug: &str) -> CallError<E> {
        let (pallet, name) = self.name(metadata);
        match (pallet.as_str(), name.as_str()) {
            ("Contracts", "OutOfGas") => CallError::OutOfGas,
            ("Contracts", "ContractTrapped") => CallError::Trapped,
            ("Contracts", "ContractNotFound") => CallError::NoSuchContract,
            ("Contracts", "StorageDepositLimitExhausted") => {
                CallError::StorageDeposit(DepositError::LimitExhausted)
            }
            ("Contracts", "StorageDepositNotEnoughFunds") => {
                CallError::StorageDeposit(DepositError::NotEnoughFunds)
            }
            ("Contracts", "CodeRejected") => CallError::CodeRejected(debug.to_owned()),
            ("Contracts", "CodeTooLarge") => CallError::CodeRejected(name),
            // Funds are unavailable: what is held for code and contracts is more than there is.
            ("", "Token(0)") => CallError::StorageDeposit(DepositError::NotEnoughFunds),
            ("", _) => CallError::Dispatch(name),
            _ => CallError::Dispatch(format!("{pallet}: {name}")),
        }
    }
}

impl<E> From<Fault> for CallError<E> {
    fn from(fault: Fault) -> Self {
        Self::Transport(fault.to_string())
    }
}
