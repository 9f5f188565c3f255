//! Execution of contract calls as the extrinsics they would be on a node.
//!
//! The runtime API functions (`bare_call`, `bare_instantiate`) give what an extrinsic does not: the
//! return value. What only an extrinsic does, they do not: this module adds the fee, the nonce,
//! the block's weight and the rollback of a reverted call. Everything here runs inside
//! [`State::execute`](super::state::State::execute).

use contracts_node_runtime::{AccountId as RuntimeAccount, BlockNumber};
use frame_support::{
    dispatch::{
        DispatchClass, DispatchErrorWithPostInfo, DispatchInfo, DispatchResultWithPostInfo, Pays,
        PostDispatchInfo,
    },
    storage::with_transaction_unchecked,
    traits::Get,
};
use pallet_contracts::{
    Code, CollectEvents, DebugInfo, Determinism, ExecReturnValue, StorageDeposit, WeightInfo,
};
use pallet_transaction_payment::OnChargeTransaction;
use sp_runtime::{
    transaction_validity::TransactionValidityError, DispatchError, TransactionOutcome,
};
use sp_weights::Weight;

use super::runtime::{amount, native, FeeOf, Fees, Native, Runtime};
use super::{block, events, ink_account};
use crate::{AccountId, Balance, CallOptions, ContractEvent, Gas, Receipt};

pub(super) type ContractWeights<R> = <R as pallet_contracts::Config>::WeightInfo;
type Contracts<R> = pallet_contracts::Pallet<R>;
type System<R> = frame_system::Pallet<R>;
type TransactionPayment<R> = pallet_transaction_payment::Pallet<R>;
type RuntimeCall<R> = <R as frame_system::Config>::RuntimeCall;

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
    fn dispatch_result<R: Runtime>(
        &self,
        post_info: PostDispatchInfo,
    ) -> DispatchResultWithPostInfo {
        let error = match &self.result {
            Ok(output) if !output.reverted => return Ok(post_info),
            Ok(_) => pallet_contracts::Error::<R>::ContractReverted.into(),
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
pub(super) fn submit<R: Runtime>(
    signer: &RuntimeAccount,
    operation: Operation,
    options: &CallOptions,
) -> Result<Outcome, FeeUnpaid> {
    with_transaction_unchecked(|| {
        let mut outcome = with_transaction_unchecked(|| {
            let outcome = execute::<R>(signer, &operation, options);
            match outcome.succeeded() {
                true => TransactionOutcome::Commit(outcome),
                false => TransactionOutcome::Rollback(outcome),
            }
        });
        let call = contracts_call::<R>(&operation, options, &outcome);
        let encoded = R::encoded_extrinsic(signer, call.clone());
        let info = dispatch_info::<R>(&operation, &outcome);
        let fee = fee::<R>(&encoded, &info);
        outcome.fee = fee;

        let post_info = PostDispatchInfo {
            actual_weight: Some(info.weight),
            pays_fee: Pays::Yes,
        };
        if pay::<R>(signer, &call, fee, &info, &post_info).is_err() {
            return TransactionOutcome::Rollback(Err(FeeUnpaid(fee)));
        }
        System::<R>::inc_account_nonce(signer);
        System::<R>::note_extrinsic(encoded);
        System::<R>::register_extra_weight_unchecked(
            info.weight
                .saturating_add(class_limits::<R>().base_extrinsic),
            info.class,
        );
        System::<R>::note_applied_extrinsic(&outcome.dispatch_result::<R>(post_info), info);
        TransactionOutcome::Commit(Ok(outcome))
    })
}

/// Takes `fee` the way the runtime takes fees.
fn pay<R: Runtime>(
    signer: &RuntimeAccount,
    call: &RuntimeCall<R>,
    fee: Balance,
    info: &DispatchInfo,
    post_info: &PostDispatchInfo,
) -> Result<(), TransactionValidityError> {
    let (fee, tip): (FeeOf<R>, FeeOf<R>) = (native(fee), native(0));
    let paid = Fees::<R>::withdraw_fee(signer, call, info, fee, tip)?;
    Fees::<R>::correct_and_deposit_fee(signer, info, post_info, fee, tip, paid)
}

/// Executes `operation` and keeps nothing; the outcome has the fee the signer would pay.
pub(super) fn dry_run<R: Runtime>(
    signer: &RuntimeAccount,
    operation: &Operation,
    options: &CallOptions,
) -> Outcome {
    let mut outcome = with_transaction_unchecked(|| {
        TransactionOutcome::Rollback(execute::<R>(signer, operation, options))
    });
    let call = contracts_call::<R>(operation, options, &outcome);
    let encoded = R::encoded_extrinsic(signer, call);
    outcome.fee = fee::<R>(&encoded, &dispatch_info::<R>(operation, &outcome));
    outcome
}

/// What an extrinsic costs its signer.
fn fee<R: Runtime>(encoded: &[u8], info: &DispatchInfo) -> Balance {
    let length = encoded.len() as u32;
    amount(TransactionPayment::<R>::compute_fee(
        length,
        info,
        native(0),
    ))
}

/// Executes a message for its output alone.
pub(super) fn query<R: Runtime>(
    caller: RuntimeAccount,
    contract: RuntimeAccount,
    value: Balance,
    input: Vec<u8>,
) -> Result<Vec<u8>, DispatchError> {
    with_transaction_unchecked(|| {
        TransactionOutcome::Rollback(Contracts::<R>::bare_call(
            caller,
            contract,
            native(value),
            call_gas_limit::<R>(),
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
pub(super) fn block_gas<R: Runtime>() -> (Gas, Gas) {
    let used = *System::<R>::block_weight().get(DispatchClass::Normal);
    let capacity = class_limits::<R>().max_total.unwrap_or(Weight::MAX);
    (gas(used), gas(capacity))
}

/// Runs the operation in the current storage transaction. Events are read here, before that is
/// decided about; the fee is left for the caller to fill in.
fn execute<R: Runtime>(
    signer: &RuntimeAccount,
    operation: &Operation,
    options: &CallOptions,
) -> Outcome {
    let mark = events::mark::<R>();
    let deposit_limit = options.deposit_limit.map(native::<Native<R>>);
    let gas_limit = gas_limit::<R>(operation, options);
    let mut outcome = match operation {
        Operation::Call {
            contract,
            value,
            input,
        } => {
            let call = Contracts::<R>::bare_call(
                signer.clone(),
                contract.clone(),
                native(*value),
                gas_limit,
                deposit_limit,
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
                storage_deposit: signed::<R>(call.storage_deposit),
                fee: 0,
                block: block::number::<R>(),
            }
        }
        Operation::Instantiate {
            code,
            value,
            input,
            salt,
        } => {
            let instantiation = Contracts::<R>::bare_instantiate(
                signer.clone(),
                native(*value),
                gas_limit,
                deposit_limit,
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
                storage_deposit: signed::<R>(instantiation.storage_deposit),
                fee: 0,
                block: block::number::<R>(),
            }
        }
    };
    if outcome.succeeded() {
        outcome.events = events::contract_events_since::<R>(&mark);
    }
    outcome
}

/// The call a client would submit: limited to the gas the call needs, unless told otherwise.
fn contracts_call<R: Runtime>(
    operation: &Operation,
    options: &CallOptions,
    outcome: &Outcome,
) -> RuntimeCall<R> {
    let gas_limit = options.gas_limit.map_or(outcome.gas_required, weight);
    R::contracts_call(operation, gas_limit, options.deposit_limit)
}

/// What the extrinsic actually weighs: its base weight and the gas consumed.
fn dispatch_info<R: Runtime>(operation: &Operation, outcome: &Outcome) -> DispatchInfo {
    DispatchInfo {
        weight: base_weight::<R>(operation).saturating_add(outcome.gas_consumed),
        class: DispatchClass::Normal,
        pays_fee: Pays::Yes,
    }
}

fn base_weight<R: Runtime>(operation: &Operation) -> Weight {
    match operation {
        Operation::Call { .. } => ContractWeights::<R>::call(),
        Operation::Instantiate {
            code, input, salt, ..
        } => ContractWeights::<R>::instantiate_with_code(
            code.len() as u32,
            input.len() as u32,
            salt.len() as u32,
        ),
    }
}

fn gas_limit<R: Runtime>(operation: &Operation, options: &CallOptions) -> Weight {
    options
        .gas_limit
        .map_or_else(|| max_gas::<R>(base_weight::<R>(operation)), weight)
}

/// The largest gas limit of a call.
pub(super) fn call_gas_limit<R: Runtime>() -> Weight {
    max_gas::<R>(ContractWeights::<R>::call())
}

/// The largest gas limit an extrinsic of base weight `base` can declare.
fn max_gas<R: Runtime>(base: Weight) -> Weight {
    let limits = class_limits::<R>();
    limits
        .max_extrinsic
        .or(limits.max_total)
        .unwrap_or(Weight::MAX)
        .saturating_sub(base)
}

fn class_limits<R: Runtime>() -> frame_system::limits::WeightsPerClass {
    R::BlockWeights::get().get(DispatchClass::Normal).clone()
}

fn output(returned: ExecReturnValue, contract: &RuntimeAccount) -> Output {
    Output {
        reverted: returned.did_revert(),
        data: returned.data,
        contract: ink_account(contract),
    }
}

fn signed<R: Runtime>(deposit: StorageDeposit<Native<R>>) -> i128 {
    // A balance cannot exceed the total issuance, which is far below 2^127.
    match deposit {
        StorageDeposit::Charge(charge) => i128::try_from(amount(charge)).unwrap_or(i128::MAX),
        StorageDeposit::Refund(refund) => -i128::try_from(amount(refund)).unwrap_or(i128::MAX),
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
