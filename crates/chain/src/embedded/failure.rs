//! Dispatch errors of the runtime in the client's terms.

use contracts_node_runtime::{Contracts, Runtime};
use frame_support::traits::PalletInfoAccess;
use pallet_contracts::Error as ContractsError;
use scale::Decode;
use sp_runtime::DispatchError;

use crate::{CallError, DepositError};

/// The client's error for `error`; `debug` is what the runtime has to say about rejected code.
pub(super) fn call_error<E>(error: DispatchError, debug: &str) -> CallError<E> {
    match contracts_error(&error) {
        Some(ContractsError::OutOfGas) => CallError::OutOfGas,
        Some(ContractsError::ContractTrapped) => CallError::Trapped,
        Some(ContractsError::ContractNotFound) => CallError::NoSuchContract,
        Some(ContractsError::StorageDepositLimitExhausted) => {
            CallError::StorageDeposit(DepositError::LimitExhausted)
        }
        Some(ContractsError::StorageDepositNotEnoughFunds) => {
            CallError::StorageDeposit(DepositError::NotEnoughFunds)
        }
        Some(ContractsError::CodeRejected) => CallError::CodeRejected(debug.trim().to_owned()),
        Some(ContractsError::CodeTooLarge) => {
            CallError::CodeRejected(<&'static str>::from(error).to_owned())
        }
        _ => CallError::Dispatch(<&'static str>::from(error).to_owned()),
    }
}

/// The error as one of pallet-contracts, if it is.
fn contracts_error(error: &DispatchError) -> Option<ContractsError<Runtime>> {
    match error {
        DispatchError::Module(module) if usize::from(module.index) == Contracts::index() => {
            ContractsError::decode(&mut &module.error[..]).ok()
        }
        _ => None,
    }
}
