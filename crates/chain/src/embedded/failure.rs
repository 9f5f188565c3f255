//! Dispatch errors of the runtime in the client's terms.

use pallet_contracts::Error as ContractsError;
use sp_runtime::DispatchError;

use super::runtime::{contracts_error, on, Runtime};
use crate::{CallError, DepositError, Profile};

/// The client's error for `error`; `debug` is what the runtime has to say about rejected code.
pub(super) fn call_error<E>(profile: Profile, error: DispatchError, debug: &str) -> CallError<E> {
    on!(profile, R => of::<R, E>(error, debug))
}

fn of<R: Runtime, E>(error: DispatchError, debug: &str) -> CallError<E> {
    match contracts_error::<R>(&error) {
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
