//! A runtime with pallet-contracts, executed in this process: the contracts node's, or one with the limits of live chains.

mod block;
mod events;
mod extrinsic;
mod failure;
mod live;
mod nodes;
mod runtime;
mod state;
mod trace;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use contracts_node_runtime::{AccountId as RuntimeAccount, Hash, Header};
use frame_support::storage::storage_prefix;
use frame_support::traits::fungible::{Inspect, Mutate};
use frame_support::{StorageHasher, Twox64Concat};
use scale::{Decode, Encode};
use sp_core::storage::StateVersion;
use sp_runtime::{traits::Header as _, DispatchError};

use crate::chain::{CallOptions, Chain};
use crate::{
    AccountId, Balance, CallError, Constructor, Emitted, Gas, Message, QueryError, Receipt,
};
use extrinsic::{FeeUnpaid, Operation, Outcome};
use runtime::{amount, native, on, Runtime};
pub use runtime::{Profile, PROFILE_VARIABLE};
use state::State;
pub use trace::{Trace, UnitTimes};

/// What an embedded chain starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Genesis {
    /// Number of accounts endowed, those with the indices `0..accounts`.
    pub accounts: u32,
    /// Free balance of each, in the native token's smallest unit.
    pub endowment: Balance,
    /// Timestamp of block 1, in milliseconds since the Unix epoch.
    pub time: u64,
    /// Time between two blocks, in milliseconds.
    pub block_time: u64,
    /// The runtime.
    pub profile: Profile,
}

impl Default for Genesis {
    /// Ten accounts of a million tokens each, six-second blocks from the start of 2026, and the profile that the environment
    /// variable `BREAKWATER_PROFILE` names, without one the contracts node's.
    fn default() -> Self {
        Self {
            accounts: 10,
            endowment: 1_000_000 * 1_000_000_000_000,
            time: 1_767_225_600_000,
            block_time: 6_000,
            profile: Profile::of_environment(),
        }
    }
}

/// A chain in this process: the contracts node's runtime on an in-memory state.
///
/// There is always one open block. Calls go into it and see its number and timestamp, until
/// [`Chain::advance`] closes it and opens the next; dry runs and queries see it too. Nothing
/// depends on the clock, on randomness or on the machine: the same calls leave the same state.
///
/// Accounts are taken at their word, there are no signatures. Fees, nonces and block weight are
/// accounted for as on a node, but a block that is full is not refused: compare
/// [`block_gas`](Self::block_gas) with [`block_capacity`](Self::block_capacity).
pub struct Embedded {
    profile: Profile,
    // Reads execute the runtime too, and that takes a mutable state.
    ledger: Mutex<Ledger>,
}

/// The whole of an [`Embedded`] chain at one moment. See [`Embedded::snapshot`].
#[derive(Clone)]
pub struct Snapshot {
    profile: Profile,
    ledger: Ledger,
}

#[derive(Clone)]
struct Ledger {
    state: State,
    /// Parent of the open block.
    parent: Hash,
    block_time: u64,
    /// What contracts have emitted, if it is kept.
    emitted: Option<Vec<Emitted>>,
}

impl Embedded {
    /// A chain with the default [`Genesis`].
    pub fn new() -> Self {
        Self::with_genesis(Genesis::default())
    }

    /// A chain in block 1, with the given accounts and clock.
    ///
    /// # Panics
    ///
    /// The endowment is not zero and below the existential deposit, or all endowments together
    /// overflow a balance.
    pub fn with_genesis(genesis: Genesis) -> Self {
        let accounts = match genesis.endowment {
            0 => 0,
            _ => genesis.accounts,
        };
        let profile = genesis.profile;
        let endowment = match profile {
            Profile::Development => genesis.endowment,
            // All balances together are one of 64 bits, with room for the tests to mint some.
            Profile::Live => genesis
                .endowment
                .min(Balance::from(u64::MAX) / 2 / Balance::from(accounts.max(1))),
        };
        let endowed = (0..accounts)
            .map(|index| (runtime_account(account(index)), endowment))
            .collect();
        let storage = on!(profile, R => R::genesis(endowed));
        let mut state = State::new(storage);
        let none = Hash::zero();
        let parent = Header::new(0, none, state.root(), none, Default::default()).hash();
        state.execute(|| on!(profile, R => block::open::<R>(1, parent, genesis.time)));
        let block_time = genesis.block_time.max(min_block_time(profile));
        Self {
            profile,
            ledger: Mutex::new(Ledger {
                state,
                parent,
                block_time,
                emitted: None,
            }),
        }
    }

    /// The runtime this chain runs.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Keeps every event that contracts emit from now on.
    pub fn keep_events(&mut self) {
        self.ledger_mut().emitted.get_or_insert_default();
    }

    /// Takes the events kept so far; they are not kept any more.
    pub fn take_events(&mut self) -> Vec<Emitted> {
        let kept = self.ledger_mut().emitted.as_mut();
        kept.map(std::mem::take).unwrap_or_default()
    }

    /// The events kept from the one of a number on, counted from 0, in their order.
    pub fn events_from(&self, first: usize) -> Vec<Emitted> {
        self.read(|ledger| {
            let kept = ledger.emitted.as_deref().unwrap_or_default();
            kept.get(first..).unwrap_or_default().to_vec()
        })
    }

    /// The account with the given index, which has the same address on every embedded chain.
    ///
    /// It is endowed if the [`Genesis`] has that many accounts.
    pub fn account(&self, index: u32) -> AccountId {
        account(index)
    }

    /// Creates `amount` native tokens in the free balance of `account`.
    ///
    /// # Errors
    ///
    /// [`CallError::Dispatch`] if the account would stay below the existential deposit.
    pub fn fund(&mut self, account: AccountId, amount: Balance) -> Result<(), QueryError> {
        let (profile, account) = (self.profile, runtime_account(account));
        self.ledger_mut()
            .state
            .execute(|| on!(profile, R => pallet_balances::Pallet::<R>::mint_into(&account, native(amount)).map(drop)))
            .map_err(|error| failure::call_error(profile, error, ""))
    }

    /// The chain as it is now, to come back to with [`restore`](Self::restore).
    ///
    /// Costs a copy of what the open block has changed so far, however large the state.
    pub fn snapshot(&self) -> Snapshot {
        let profile = self.profile;
        self.read(|ledger| Snapshot {
            profile,
            ledger: ledger.clone(),
        })
    }

    /// Returns to the state, block and clock of `snapshot`.
    pub fn restore(&mut self, snapshot: &Snapshot) {
        self.profile = snapshot.profile;
        *self.ledger_mut() = snapshot.ledger.clone();
    }

    /// Sets the time between the open block and the next ones, in milliseconds.
    ///
    /// Less than the runtime's minimum (5 ms) is taken as the minimum.
    pub fn set_block_time(&mut self, milliseconds: u64) {
        self.ledger_mut().block_time = milliseconds.max(min_block_time(self.profile));
    }

    /// Everything the contract has stored, by its key in the contract's child trie.
    ///
    /// Keys are as the chain keeps them: hashed, with the contract's own key behind the hash if it
    /// is of variable length, as ink!'s are. Empty if there is no such contract.
    pub fn contract_storage(&self, contract: AccountId) -> BTreeMap<Vec<u8>, Vec<u8>> {
        self.execute(|| {
            let Some(trie) = child_trie(contract) else {
                return BTreeMap::new();
            };
            let mut cells = BTreeMap::new();
            let mut last = Vec::new();
            while let Some(key) = sp_io::default_child_storage::next_key(&trie, &last) {
                if let Some(value) = sp_io::default_child_storage::get(&trie, &key) {
                    cells.insert(key.clone(), value.to_vec());
                }
                last = key;
            }
            cells
        })
    }

    /// Root hash of what the contract has stored: equal if and only if every cell is. `None` if there
    /// is no such contract.
    pub fn contract_root(&self, contract: AccountId) -> Option<Vec<u8>> {
        self.execute(|| {
            let trie = child_trie(contract)?;
            Some(sp_io::default_child_storage::root(&trie, StateVersion::V1))
        })
    }

    /// Root hash of the whole state: equal if and only if every storage cell is.
    pub fn state_root(&self) -> [u8; 32] {
        self.read(|ledger| ledger.state.root().0)
    }

    /// Executes a call against the present state, keeps nothing of it, and tells which host
    /// functions and contracts it called.
    ///
    /// `None` where the call does not succeed, and in a program that has installed a logger of its
    /// own before.
    pub fn trace<R>(
        &self,
        signer: AccountId,
        contract: AccountId,
        message: impl Into<Message<R>>,
    ) -> Option<Trace> {
        let (input, value) = message.into().into_parts();
        self.traced(signer, contract, value, input)
    }

    /// What the runtime charges for the things a [`Trace`] counts.
    pub fn unit_times(&self) -> UnitTimes {
        on!(self.profile, R => trace::unit_times::<R>())
    }

    /// Weight the calls of the open block have used.
    pub fn block_gas(&self) -> Gas {
        self.block_gas_and_capacity().0
    }

    /// Weight a node would put into one block of calls at most.
    pub fn block_capacity(&self) -> Gas {
        self.block_gas_and_capacity().1
    }

    fn block_gas_and_capacity(&self) -> (Gas, Gas) {
        self.execute(|| on!(self.profile, R => extrinsic::block_gas::<R>()))
    }

    fn ledger_mut(&mut self) -> &mut Ledger {
        self.ledger
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn read<R>(&self, f: impl FnOnce(&mut Ledger) -> R) -> R {
        f(&mut self.ledger.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs `f`, which must not change the state, with the runtime's storage functions available.
    fn execute<R>(&self, f: impl FnOnce() -> R) -> R {
        self.read(|ledger| ledger.state.execute(f))
    }

    // Below: what the trait's functions do, without their type parameters. Generic and `async`
    // functions are compiled into the crate that calls them, and at its optimisation level; the
    // runtime is to be compiled into this one.

    fn submit(
        &mut self,
        signer: &AccountId,
        operation: Operation,
        options: &CallOptions,
    ) -> Result<Outcome, FeeUnpaid> {
        let (profile, signer) = (self.profile, runtime_account(*signer));
        let ledger = self.ledger_mut();
        let outcome = ledger
            .state
            .execute(|| on!(profile, R => extrinsic::submit::<R>(&signer, operation, options)))?;
        if let Some(emitted) = &mut ledger.emitted {
            let (block, timestamp) = ledger
                .state
                .execute(|| on!(profile, R => (block::number::<R>(), block::time::<R>())));
            emitted.extend(outcome.kept_events().iter().map(|event| Emitted {
                block,
                timestamp,
                event: event.clone(),
            }));
        }
        Ok(outcome)
    }

    fn simulate(
        &self,
        signer: &AccountId,
        operation: &Operation,
        options: &CallOptions,
    ) -> Outcome {
        let signer = runtime_account(*signer);
        self.execute(
            || on!(self.profile, R => extrinsic::dry_run::<R>(&signer, operation, options)),
        )
    }

    fn output(
        &self,
        caller: AccountId,
        contract: AccountId,
        value: Balance,
        input: Vec<u8>,
    ) -> Result<Vec<u8>, DispatchError> {
        let (caller, contract) = (runtime_account(caller), runtime_account(contract));
        self.execute(
            || on!(self.profile, R => extrinsic::query::<R>(caller, contract, value, input)),
        )
    }

    fn traced(
        &self,
        signer: AccountId,
        contract: AccountId,
        value: Balance,
        input: Vec<u8>,
    ) -> Option<Trace> {
        let (signer, contract) = (runtime_account(signer), runtime_account(contract));
        self.execute(|| on!(self.profile, R => trace::trace::<R>(signer, contract, value, input)))
    }

    fn number_and_time(&self) -> (u32, u64) {
        self.execute(|| on!(self.profile, R => (block::number::<R>(), block::time::<R>())))
    }

    fn produce(&mut self, blocks: u32) {
        let profile = self.profile;
        let Ledger {
            state,
            parent,
            block_time,
            ..
        } = self.ledger_mut();
        for _ in 0..blocks {
            let (number, time, hash) =
                state.execute(|| on!(profile, R => (block::number::<R>(), block::time::<R>(), block::close::<R>())));
            state.commit();
            *parent = hash;
            state.execute(
                || on!(profile, R => block::open::<R>(number + 1, hash, time + *block_time)),
            );
        }
    }

    fn balance(&self, account: AccountId) -> Balance {
        let account = runtime_account(account);
        self.execute(
            || on!(self.profile, R => amount(pallet_balances::Pallet::<R>::balance(&account))),
        )
    }
}

impl Default for Embedded {
    fn default() -> Self {
        Self::new()
    }
}

impl Chain for Embedded {
    type Signer = AccountId;

    async fn instantiate_with<E: Decode>(
        &mut self,
        signer: &AccountId,
        code: &[u8],
        constructor: impl Into<Constructor<E>>,
        salt: &[u8],
        options: CallOptions,
    ) -> Result<Receipt<AccountId>, CallError<E>> {
        let (input, value) = constructor.into().into_parts();
        let operation = Operation::Instantiate {
            code: code.to_vec(),
            value,
            input,
            salt: salt.to_vec(),
        };
        let outcome = self.submit(signer, operation, &options)?;
        match &outcome.result {
            Ok(output) if output.reverted => Err(Constructor::decode_revert(&output.data)),
            Ok(output) => {
                let contract = output.contract;
                Ok(outcome.into_receipt(contract))
            }
            Err(error) => Err(failure::call_error(self.profile, *error, &outcome.debug)),
        }
    }

    async fn call_with<T: Decode, E: Decode>(
        &mut self,
        signer: &AccountId,
        contract: AccountId,
        message: impl Into<Message<Result<T, E>>>,
        options: CallOptions,
    ) -> Result<Receipt<T>, CallError<E>> {
        let outcome = self.submit(signer, call(contract, message.into()), &options)?;
        receipt(self.profile, outcome)
    }

    async fn dry_run_with<T: Decode, E: Decode>(
        &self,
        signer: &AccountId,
        contract: AccountId,
        message: impl Into<Message<Result<T, E>>>,
        options: CallOptions,
    ) -> Result<Receipt<T>, CallError<E>> {
        let outcome = self.simulate(signer, &call(contract, message.into()), &options);
        receipt(self.profile, outcome)
    }

    async fn query<T: Decode>(
        &self,
        caller: AccountId,
        contract: AccountId,
        message: impl Into<Message<T>>,
    ) -> Result<T, QueryError> {
        let (input, value) = message.into().into_parts();
        self.output(caller, contract, value, input)
            .map_err(|error| failure::call_error(self.profile, error, ""))
            .and_then(|output| Message::decode_query(&output))
    }

    async fn block(&self) -> Result<u32, QueryError> {
        Ok(self.number_and_time().0)
    }

    async fn now(&self) -> Result<u64, QueryError> {
        Ok(self.number_and_time().1)
    }

    async fn advance(&mut self, blocks: u32) -> Result<(), QueryError> {
        self.produce(blocks);
        Ok(())
    }

    async fn free_balance(&self, account: AccountId) -> Result<Balance, QueryError> {
        Ok(self.balance(account))
    }
}

impl<E> From<FeeUnpaid> for CallError<E> {
    fn from(FeeUnpaid(fee): FeeUnpaid) -> Self {
        Self::FeeUnpaid { fee }
    }
}

fn call<R>(contract: AccountId, message: Message<R>) -> Operation {
    let (input, value) = message.into_parts();
    Operation::Call {
        contract: runtime_account(contract),
        value,
        input,
    }
}

fn receipt<T: Decode, E: Decode>(
    profile: Profile,
    outcome: Outcome,
) -> Result<Receipt<T>, CallError<E>> {
    match &outcome.result {
        Ok(output) => {
            let value = Message::<Result<T, E>>::decode_call(&output.data, output.reverted)?;
            Ok(outcome.into_receipt(value))
        }
        Err(error) => Err(failure::call_error(profile, *error, "")),
    }
}

fn min_block_time(profile: Profile) -> u64 {
    on!(profile, R => block::min_block_time::<R>())
}

fn account(index: u32) -> AccountId {
    sp_core::blake2_256(&(b"breakwater account", index).encode()).into()
}

/// The identifier of a contract's child trie: the first field of the contract's record.
fn child_trie(contract: AccountId) -> Option<Vec<u8>> {
    let mut info_key = storage_prefix(b"Contracts", b"ContractInfoOf").to_vec();
    info_key.extend(Twox64Concat::hash(runtime_account(contract).as_ref()));
    let info = sp_io::storage::get(&info_key)?;
    Vec::<u8>::decode(&mut &info[..]).ok()
}

fn runtime_account(account: AccountId) -> RuntimeAccount {
    let bytes: &[u8; 32] = account.as_ref();
    RuntimeAccount::new(*bytes)
}

fn ink_account(account: &RuntimeAccount) -> AccountId {
    let bytes: &[u8; 32] = account.as_ref();
    AccountId::from(*bytes)
}
