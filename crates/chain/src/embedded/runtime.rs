//! The runtimes that an embedded chain can be, and what it needs of them.

use contracts_node_runtime::{AccountId, Address, Hash, Header, Signature};
use frame_support::dispatch::{DispatchInfo, PostDispatchInfo};
use pallet_transaction_payment::{ChargeTransactionPayment, OnChargeTransaction};
use scale::{Decode, Encode};
use sp_core::sr25519;
use sp_core::storage::Storage;
use sp_runtime::generic::Era;
use sp_runtime::traits::{Dispatchable, UniqueSaturatedFrom, UniqueSaturatedInto};
use sp_runtime::{BuildStorage, DispatchError, MultiAddress, MultiSignature};
use sp_weights::Weight;

use super::extrinsic::Operation;
use super::live;
use crate::Balance;

/// The environment variable that chooses the [`Profile`] of chains which are not told one.
pub const PROFILE_VARIABLE: &str = "BREAKWATER_PROFILE";

/// Which runtime an embedded chain runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// The contracts node's own: native balances of 128 bits, 24 frames, code up to 256 KiB, unstable host functions. Contracts run
    /// on it as `scripts/build.sh` leaves them in `artifacts/`.
    #[default]
    Development,
    /// The limits of live chains: native balances of 64 bits, five frames, code up to 123 KiB, a parachain's block, only stable host
    /// functions. Contracts run on it as `scripts/build.sh --u64` builds them.
    Live,
}

impl Profile {
    /// Contracts that can call each other on [`Profile::Live`], the first one counted.
    pub const LIVE_FRAMES: u32 = 5;

    /// Most bytes of code that [`Profile::Live`] takes.
    pub const LIVE_CODE_BYTES: u32 = 123 * 1024;

    /// What the environment variable `BREAKWATER_PROFILE` says: `live`, or `development`, which it also is without one.
    ///
    /// # Panics
    ///
    /// It says something else.
    pub fn of_environment() -> Self {
        match std::env::var(PROFILE_VARIABLE).as_deref() {
            Ok("live") => Self::Live,
            Ok("development" | "") | Err(_) => Self::Development,
            Ok(other) => {
                panic!("{PROFILE_VARIABLE} is {other:?}: set it to `live` or `development`")
            }
        }
    }
}

/// A runtime that this crate executes: both have the same accounts, hashes, headers and clock.
pub(super) trait Runtime:
    frame_system::Config<
        AccountId = AccountId,
        Hash = Hash,
        Nonce = u32,
        RuntimeCall: Dispatchable<Info = DispatchInfo, PostInfo = PostDispatchInfo>,
        RuntimeEvent: TryInto<pallet_contracts::Event<Self>> + Decode,
    > + pallet_balances::Config
    + pallet_contracts::Config<Currency = pallet_balances::Pallet<Self>>
    + pallet_timestamp::Config<Moment = u64>
    + pallet_transaction_payment::Config
{
    /// The state that a chain starts from.
    fn genesis(endowed: Vec<(AccountId, Balance)>) -> Storage;
    /// Opens a block.
    fn initialize_block(header: &Header);
    /// Applies the inherent that sets the clock, milliseconds.
    fn set_time(now: u64);
    /// Closes the open block and gives its header.
    fn finalize_block() -> Header;
    /// Number of the open block.
    fn block_number() -> u32;
    /// The call of pallet-contracts for an operation, limited to this gas and deposit.
    fn contracts_call(
        operation: &Operation,
        gas_limit: Weight,
        deposit_limit: Option<Balance>,
    ) -> <Self as frame_system::Config>::RuntimeCall;
    /// The extrinsic of a call by a signer, encoded. Its signature is a blank of the right length, as nothing here verifies it.
    fn encoded_extrinsic(
        signer: &AccountId,
        call: <Self as frame_system::Config>::RuntimeCall,
    ) -> Vec<u8>;
}

/// Native balance of a runtime.
pub(super) type Native<R> = <R as pallet_balances::Config>::Balance;

/// Fees of a runtime are counted in this.
pub(super) type Fees<R> = <R as pallet_transaction_payment::Config>::OnChargeTransaction;

/// Balance that fees of a runtime are counted in.
pub(super) type FeeOf<R> = <Fees<R> as OnChargeTransaction<R>>::Balance;

/// An amount as a runtime has it: more than it can hold is the most it can, which nobody owns.
pub(super) fn native<T: UniqueSaturatedFrom<Balance>>(amount: Balance) -> T {
    T::unique_saturated_from(amount)
}

/// An amount of a runtime.
pub(super) fn amount(native: impl UniqueSaturatedInto<Balance>) -> Balance {
    native.unique_saturated_into()
}

/// Both runtimes have the same names, of different types.
macro_rules! runtime {
    ($runtime:ident) => {
        impl Runtime for $runtime::Runtime {
            fn genesis(endowed: Vec<(AccountId, Balance)>) -> Storage {
                $runtime::RuntimeGenesisConfig {
                    balances: pallet_balances::GenesisConfig {
                        balances: endowed
                            .into_iter()
                            .map(|(who, endowment)| (who, native(endowment)))
                            .collect(),
                    },
                    ..Default::default()
                }
                .build_storage()
                .expect("only the balances differ from the default; qed")
            }

            fn initialize_block(header: &Header) {
                $runtime::Executive::initialize_block(header);
            }

            fn set_time(now: u64) {
                let call = pallet_timestamp::Call::set { now };
                let inherent = $runtime::UncheckedExtrinsic::new_unsigned(
                    $runtime::RuntimeCall::Timestamp(call),
                );
                $runtime::Executive::apply_extrinsic(inherent)
                    .expect("an inherent needs no signature and the block is empty; qed")
                    .expect("the clock advances by at least the minimum period; qed");
            }

            fn finalize_block() -> Header {
                $runtime::Executive::finalize_block()
            }

            fn block_number() -> u32 {
                $runtime::System::block_number()
            }

            fn contracts_call(
                operation: &Operation,
                gas_limit: Weight,
                deposit_limit: Option<Balance>,
            ) -> $runtime::RuntimeCall {
                let storage_deposit_limit =
                    deposit_limit.map(|limit| native::<$runtime::Balance>(limit).into());
                $runtime::RuntimeCall::Contracts(match operation {
                    Operation::Call {
                        contract,
                        value,
                        input,
                    } => pallet_contracts::Call::call {
                        dest: MultiAddress::Id(contract.clone()),
                        value: native(*value),
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
                        value: native(*value),
                        gas_limit,
                        storage_deposit_limit,
                        code: code.clone(),
                        data: input.clone(),
                        salt: salt.clone(),
                    },
                })
            }

            fn encoded_extrinsic(signer: &AccountId, call: $runtime::RuntimeCall) -> Vec<u8> {
                let extra: $runtime::SignedExtra = (
                    frame_system::CheckNonZeroSender::new(),
                    frame_system::CheckSpecVersion::new(),
                    frame_system::CheckTxVersion::new(),
                    frame_system::CheckGenesis::new(),
                    frame_system::CheckEra::from(Era::Immortal),
                    frame_system::CheckNonce::from($runtime::System::account_nonce(signer)),
                    frame_system::CheckWeight::new(),
                    ChargeTransactionPayment::from(0),
                );
                let signature: Signature = MultiSignature::Sr25519(sr25519::Signature::default());
                $runtime::UncheckedExtrinsic::new_signed(
                    call,
                    Address::Id(signer.clone()),
                    signature,
                    extra,
                )
                .encode()
            }
        }
    };
}

runtime!(contracts_node_runtime);
runtime!(live);

/// The contracts error that a dispatch error is, if it is one.
pub(super) fn contracts_error<R: Runtime>(
    error: &DispatchError,
) -> Option<pallet_contracts::Error<R>> {
    use frame_support::traits::PalletInfoAccess;
    match error {
        DispatchError::Module(module)
            if usize::from(module.index) == pallet_contracts::Pallet::<R>::index() =>
        {
            pallet_contracts::Error::decode(&mut &module.error[..]).ok()
        }
        _ => None,
    }
}

/// Evaluates an expression with `$runtime` as the runtime of a profile.
macro_rules! on {
    ($profile:expr, $runtime:ident => $body:expr) => {
        match $profile {
            $crate::Profile::Development => {
                type $runtime = contracts_node_runtime::Runtime;
                $body
            }
            $crate::Profile::Live => {
                type $runtime = $crate::embedded::live::Runtime;
                $body
            }
        }
    };
}
pub(super) use on;
