//! Execution of contract calls as the extrinsics they would be on a node.
//!
//! The runtime API functions (`bare_call`, `bare_instantiate`) give what an extrinsic does not: the
//! return value. What only an extrinsic does, they do not: this module adds the fee, the nonce,
//! the block's weight and the rollback of a reverted call. Everything here runs inside
//! [`State::execute`](super::state::State::execute).

use contracts_node_runtime::{
    AccountId as RuntimeAccount, Address, BlockNumber, Contracts, Runtime, RuntimeBlockWeights,
    RuntimeCall, SignedExtra, System, TransactionPayment, UncheckedExtrinsic,
};
use frame_support::{
    dispatch::{
        DispatchClass, DispatchErrorWithPostInfo, DispatchInfo, DispatchResultWithPostInfo, Pays,
        PostDispatchInfo,
    },
    storage::with_transaction_unchecked,
};
use pallet_contracts::{
    Code, CollectEvents, DebugInfo, Determinism, ExecReturnValue, StorageDeposit, WeightInfo,
};
use pallet_transaction_payment::{ChargeTransactionPayment, OnChargeTransaction};
use scale::Encode;
use sp_core::sr25519;
use sp_runtime::{
    generic::Era, transaction_validity::TransactionValidityError, DispatchError, MultiAddress,
    MultiSignature, TransactionOutcome,
};
use sp_weights::Weight;

use super::{block, events, ink_account};
use crate::{AccountId, Balance, CallOptions, ContractEvent, Gas, Receipt};

type ContractWeights = <Runtime as pallet_contracts::Config>::WeightInfo;

/// What a signer asks of pallet-contracts.
pub(super) enum Operation {
    /// A call of a message.
    Call {
        contract: RuntimeAccount,
        value: Balance,
        input: Vec<u8>,
    },
    /// Upload of code and instantiation of a contract from it.
    Instantiate {
        code: Vec<u8>,
        value: Balance,
        input: Vec<u8>,
        salt: Vec<u8>,
    },
}

/// How an operation ended, before its output is decoded.
pub(super) struct Outcome {
    pub(super) result: Result<Output, DispatchError>,
    /// What the runtime says about code it rejects.
    pub(super) debug: String,
    events: Vec<ContractEvent>,
    gas_consumed: Weight,
    gas_required: Weight,
    storage_deposit: i128,
    fee: Balance,
    block: BlockNumber,
}

/// What a contract returned.
pub(super) struct Output {
    pub(super) data: Vec<u8>,
    pub(super) reverted: bool,
    /// The contract called or instantiated.
    pub(super) contract: AccountId,
}

impl Outcome {
    pub(super) fn into_receipt<T>(self, value: T) -> Receipt<T> {
        Receipt {
            value,
            events: self.events,
            gas_consumed: gas(self.gas_consumed),
            gas_required: gas(self.gas_required),
            storage_deposit: self.storage_deposit,
            fee: self.fee,
            block: self.block,
        }
    }

    /// The events that are on the chain: those of an operation that failed are not.
    pub(super) fn kept_events(&self) -> &[ContractEvent] {
        if self.succeeded() {
            &self.events
        } else {
            &[]
        }
    }

    fn succeeded(&self) -> bool {
        matches!(&self.result, Ok(output) if !output.reverted)
    }

    /// The result the extrinsic would have.
    fn dispatch_result(&self, post_info: PostDispatchInfo) -> DispatchResultWithPostInfo {
        let error = match &self.result {
            Ok(output) if !output.reverted => return Ok(post_info),
            Ok(_) => pallet_contracts::Error::<Runtime>::ContractReverted.into(),
            Err(error) => *error,
        };
        Err(DispatchErrorWithPostInfo { post_info, error })
    }
}

/// The signer cannot pay this fee.
pub(super) struct FeeUnpaid(pub(super) Balance);

/// Executes `operation`, keeps its changes if it succeeded, and charges the signer in any case.
///
/// The fee is taken after the execution, since only then is it known. On a node the fee for the
/// declared gas limit is taken first and the difference refunded, which a contract could only tell
/// by reading its caller's balance. A signer who cannot pay leaves no trace.
pub(super) fn submit(
    signer: &RuntimeAccount,
    operation: Operation,
    options: &CallOptions,
) -> Result<Outcome, FeeUnpaid> {
    with_transaction_unchecked(|| {
        let mut outcome = with_transaction_unchecked(|| {
            let outcome = execute(signer, &operation, options);
            match outcome.succeeded() {
                true => TransactionOutcome::Commit(outcome),
                false => TransactionOutcome::Rollback(outcome),
            }
        });
        let extrinsic = extrinsic(signer, &operation, options, &outcome);
        let encoded = extrinsic.encode();
        let info = dispatch_info(&operation, &outcome);
        let fee = TransactionPayment::compute_fee(encoded.len() as u32, &info, 0);
        outcome.fee = fee;

        let post_info = PostDispatchInfo {
            actual_weight: Some(info.weight),
            pays_fee: Pays::Yes,
        };
        if pay(signer, &extrinsic.function, fee, &info, &post_info).is_err() {
            return TransactionOutcome::Rollback(Err(FeeUnpaid(fee)));
        }
        System::inc_account_nonce(signer);
        System::note_extrinsic(encoded);
        System::register_extra_weight_unchecked(
            info.weight.saturating_add(class_limits().base_extrinsic),
            info.class,
        );
        System::note_applied_extrinsic(&outcome.dispatch_result(post_info), info);
        TransactionOutcome::Commit(Ok(outcome))
    })
}

/// Takes `fee` the way the runtime takes fees.
fn pay(
    signer: &RuntimeAccount,
    call: &RuntimeCall,
    fee: Balance,
    info: &DispatchInfo,
    post_info: &PostDispatchInfo,
) -> Result<(), TransactionValidityError> {
    type Fees = <Runtime as pallet_transaction_payment::Config>::OnChargeTransaction;
    let paid = <Fees as OnChargeTransaction<Runtime>>::withdraw_fee(signer, call, info, fee, 0)?;
    <Fees as OnChargeTransaction<Runtime>>::correct_and_deposit_fee(
        signer, info, post_info, fee, 0, paid,
    )
}

/// Executes `operation` and keeps nothing; the outcome has the fee the signer would pay.
pub(super) fn dry_run(
    signer: &RuntimeAccount,
    operation: &Operation,
    options: &CallOptions,
) -> Outcome {
    let mut outcome = with_transaction_unchecked(|| {
        TransactionOutcome::Rollback(execute(signer, operation, options))
    });
    let length = extrinsic(signer, operation, options, &outcome).encoded_size() as u32;
    let info = dispatch_info(operation, &outcome);
    outcome.fee = TransactionPayment::compute_fee(length, &info, 0);
    outcome
}

/// Executes a message for its output alone.
pub(super) fn query(
    caller: RuntimeAccount,
    contract: RuntimeAccount,
    value: Balance,
    input: Vec<u8>,
) -> Result<Vec<u8>, DispatchError> {
    with_transaction_unchecked(|| {
        TransactionOutcome::Rollback(Contracts::bare_call(
            caller,
            contract,
            value,
            call_gas_limit(),
            None,
            input,
            DebugInfo::Skip,
            CollectEvents::Skip,
            Determinism::Enforced,
        ))
    })
    .result
    .map(|output| output.data)
}

/// Normal-class weight of the open block: used so far, and the most it can hold.
pub(super) fn block_gas() -> (Gas, Gas) {
    let used = *System::block_weight().get(DispatchClass::Normal);
    let capacity = class_limits().max_total.unwrap_or(Weight::MAX);
    (gas(used), gas(capacity))
}

/// Runs the operation in the current storage transaction. Events are read here, before that is
/// decided about; the fee is left for the caller to fill in.
fn execute(signer: &RuntimeAccount, operation: &Operation, options: &CallOptions) -> Outcome {
    let mark = events::mark();
    let gas_limit = gas_limit(operation, options);
    let mut outcome = match operation {
        Operation::Call {
            contract,
            value,
            input,
        } => {
            let call = Contracts::bare_call(
                signer.clone(),
                contract.clone(),
                *value,
                gas_limit,
                options.deposit_limit,
                input.clone(),
                DebugInfo::Skip,
                CollectEvents::Skip,
                Determinism::Enforced,
            );
            Outcome {
                result: call.result.map(|returned| output(returned, contract)),
                debug: String::new(),
                events: Vec::new(),
                gas_consumed: call.gas_consumed,
                gas_required: call.gas_required,
                storage_deposit: signed(call.storage_deposit),
                fee: 0,
                block: block::number(),
            }
        }
        Operation::Instantiate {
            code,
            value,
            input,
            salt,
        } => {
            let instantiation = Contracts::bare_instantiate(
                signer.clone(),
                *value,
                gas_limit,
                options.deposit_limit,
                Code::Upload(code.clone()),
                input.clone(),
                salt.clone(),
                DebugInfo::UnsafeDebug,
                CollectEvents::Skip,
            );
            Outcome {
                result: instantiation
                    .result
                    .map(|returned| output(returned.result, &returned.account_id)),
                debug: String::from_utf8_lossy(&instantiation.debug_message).into_owned(),
                events: Vec::new(),
                gas_consumed: instantiation.gas_consumed,
                gas_required: instantiation.gas_required,
                storage_deposit: signed(instantiation.storage_deposit),
                fee: 0,
                block: block::number(),
            }
        }
    };
    if outcome.succeeded() {
        outcome.events = events::contract_events_since(&mark);
    }
    outcome
}

/// The extrinsic a client would submit: limited to the gas the call needs, unless told otherwise.
///
/// Its signature is a blank of the right length, as nothing here verifies it.
fn extrinsic(
    signer: &RuntimeAccount,
    operation: &Operation,
    options: &CallOptions,
    outcome: &Outcome,
) -> UncheckedExtrinsic {
    let gas_limit = options.gas_limit.map_or(outcome.gas_required, weight);
    let storage_deposit_limit = options.deposit_limit.map(Into::into);
    let call = match operation {
        Operation::Call {
            contract,
            value,
            input,
        } => pallet_contracts::Call::call {
            dest: MultiAddress::Id(contract.clone()),
            value: *value,
            gas_limit,
            storage_deposit_limit,
            data: input.clone(),
        },
        Operation::Instantiate {
            code,
            value,
            input,
            salt,
        } => pallet_contracts::Call::instantiate_with_code {
            value: *value,
            gas_limit,
            storage_deposit_limit,
            code: code.clone(),
            data: input.clone(),
            salt: salt.clone(),
        },
    };
    let extra: SignedExtra = (
        frame_system::CheckNonZeroSender::new(),
        frame_system::CheckSpecVersion::new(),
        frame_system::CheckTxVersion::new(),
        frame_system::CheckGenesis::new(),
        frame_system::CheckEra::from(Era::Immortal),
        frame_system::CheckNonce::from(System::account_nonce(signer)),
        frame_system::CheckWeight::new(),
        ChargeTransactionPayment::from(0),
    );
    UncheckedExtrinsic::new_signed(
        RuntimeCall::Contracts(call),
        Address::Id(signer.clone()),
        MultiSignature::Sr25519(sr25519::Signature::default()),
        extra,
    )
}

/// What the extrinsic actually weighs: its base weight and the gas consumed.
fn dispatch_info(operation: &Operation, outcome: &Outcome) -> DispatchInfo {
    DispatchInfo {
        weight: base_weight(operation).saturating_add(outcome.gas_consumed),
        class: DispatchClass::Normal,
        pays_fee: Pays::Yes,
    }
}

fn base_weight(operation: &Operation) -> Weight {
    match operation {
        Operation::Call { .. } => ContractWeights::call(),
        Operation::Instantiate {
            code, input, salt, ..
        } => ContractWeights::instantiate_with_code(
            code.len() as u32,
            input.len() as u32,
            salt.len() as u32,
        ),
    }
}

fn gas_limit(operation: &Operation, options: &CallOptions) -> Weight {
    options
        .gas_limit
        .map_or_else(|| max_gas(base_weight(operation)), weight)
}

/// The largest gas limit of a call.
pub(super) fn call_gas_limit() -> Weight {
    max_gas(ContractWeights::call())
}

/// The largest gas limit an extrinsic of base weight `base` can declare.
fn max_gas(base: Weight) -> Weight {
    let limits = class_limits();
    limits
        .max_extrinsic
        .or(limits.max_total)
        .unwrap_or(Weight::MAX)
        .saturating_sub(base)
}

fn class_limits() -> frame_system::limits::WeightsPerClass {
    RuntimeBlockWeights::get()
        .get(DispatchClass::Normal)
        .clone()
}

fn output(returned: ExecReturnValue, contract: &RuntimeAccount) -> Output {
    Output {
        reverted: returned.did_revert(),
        data: returned.data,
        contract: ink_account(contract),
    }
}

fn signed(deposit: StorageDeposit<Balance>) -> i128 {
    // A balance cannot exceed the total issuance, which is far below 2^127.
    match deposit {
        StorageDeposit::Charge(amount) => i128::try_from(amount).unwrap_or(i128::MAX),
        StorageDeposit::Refund(amount) => -i128::try_from(amount).unwrap_or(i128::MAX),
    }
}

fn gas(weight: Weight) -> Gas {
    Gas {
        ref_time: weight.ref_time(),
        proof_size: weight.proof_size(),
    }
}

fn weight(gas: Gas) -> Weight {
    Weight::from_parts(gas.ref_time, gas.proof_size)
}
