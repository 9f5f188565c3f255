//! A node as a chain.

use std::sync::Arc;

use breakwater_chain::{
    AccountId, Balance, CallError, CallOptions, Chain, Constructor, DepositError, Gas, Message,
    QueryError, Receipt, Signer,
};
use scale::{Decode, Encode};
use subxt::dynamic;
use subxt::dynamic::Value;
use subxt::ext::scale_decode::DecodeAsType;
use subxt::ext::scale_encode::EncodeAsFields;
use subxt::ext::scale_value::Composite;
use subxt::transactions::DynamicPayload;
use subxt::utils::{AccountId32, H256};

use crate::connection::{Connection, Fault, Unreachable};
use crate::costs::gas_capacity;
use crate::dry_run::{self, Operation, Outcome};
use crate::events;
use crate::follow::Follower;
use crate::native::decimals;
use crate::nonces::Nonces;
use crate::settings::Settings;
use crate::signer::KeySigner;
use crate::submit::{self, Included, Unsent};

/// A node reached over WebSocket. Clones share the connection and the nonces, so that tasks of one
/// program can call at the same time, also for the same account.
#[derive(Clone)]
pub struct Node(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) connection: Arc<Connection>,
    nonces: Nonces,
    settings: Settings,
    url: String,
    chain: String,
    genesis: [u8; 32],
    native_decimals: u8,
    /// The largest gas limit one extrinsic can have.
    gas_capacity: Gas,
}

impl Node {
    /// Connects. Must be called, and the node used, inside a tokio runtime.
    ///
    /// # Errors
    /// [`Unreachable`] with the address and what to do.
    pub async fn connect(url: &str, settings: Settings) -> Result<Self, Unreachable> {
        let connection = Connection::open(url).await?;
        let unusable = |fault: Fault| Unreachable {
            url: url.to_owned(),
            reason: fault.to_string(),
        };
        let chain = connection
            .ask(|| connection.methods.system_chain())
            .await
            .map_err(unusable)?;
        let properties = connection
            .ask(|| connection.methods.system_properties())
            .await
            .map_err(unusable)?;
        let genesis = connection
            .ask(|| connection.methods.genesis_hash())
            .await
            .map_err(unusable)?;
        let at = connection.at_best().await.map_err(unusable)?;
        if at.metadata_ref().pallet_by_name("Contracts").is_none() {
            let reason = "it has no pallet-contracts".to_owned();
            return Err(unusable(Fault::Other(reason)));
        }
        let gas_capacity = gas_capacity(&at).map_err(unusable)?;
        Ok(Self(Arc::new(Inner {
            connection: Arc::new(connection),
            nonces: Nonces::default(),
            settings,
            url: url.to_owned(),
            chain,
            genesis: genesis.0,
            native_decimals: decimals(properties.get("tokenDecimals")),
            gas_capacity,
        })))
    }

    /// Connects to what may be a development node: [`Settings::development`] if the chain's name is
    /// that of one, else the default settings.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn connect_any(url: &str) -> Result<Self, Unreachable> {
        let mut node = Self::connect(url, Settings::default()).await?;
        if node.is_development() {
            if let Some(inner) = Arc::get_mut(&mut node.0) {
                inner.settings = Settings::development();
            }
        }
        Ok(node)
    }

    /// Whether the chain calls itself a development chain: its blocks come from transactions.
    #[must_use]
    pub fn is_development(&self) -> bool {
        self.0.chain == "Development"
    }

    /// Where the node is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// The chain's name.
    #[must_use]
    pub fn chain_name(&self) -> &str {
        &self.0.chain
    }

    /// The hash of the chain's first block: no other chain has it.
    #[must_use]
    pub fn genesis_hash(&self) -> [u8; 32] {
        self.0.genesis
    }

    /// Decimals of the chain's native token: what its properties say, or twelve.
    #[must_use]
    pub fn native_decimals(&self) -> u8 {
        self.0.native_decimals
    }

    /// How many bits the chain's native balances have. Contracts are built for one width: every
    /// message reads the value that comes with it.
    #[must_use]
    pub fn native_bits(&self) -> u32 {
        self.0.connection.width.bits()
    }

    /// Blocks with their events, from the block of a number on.
    #[must_use]
    pub fn follow(&self, from: u32) -> Follower {
        Follower::new(Arc::clone(&self.0.connection), from)
    }

    /// The hash of a contract's code; `None` if there is no contract at the address.
    ///
    /// # Errors
    /// [`CallError::Transport`].
    pub async fn code_hash(&self, contract: AccountId) -> Result<Option<[u8; 32]>, QueryError> {
        #[derive(DecodeAsType)]
        #[decode_as_type(crate_path = "subxt::ext::scale_decode")]
        struct Info {
            code_hash: H256,
        }
        let info: Option<Info> = self.of("Contracts", "ContractInfoOf", contract).await?;
        Ok(info.map(|info| info.code_hash.0))
    }

    /// What a contract keeps under a key of its own; `None` if that is nothing, or there is no contract
    /// at the address.
    ///
    /// # Errors
    /// [`CallError::Transport`].
    pub async fn stored(
        &self,
        contract: AccountId,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>, QueryError> {
        /// As the runtime numbers its reasons.
        const NO_CONTRACT: u8 = 0;
        let arguments = (bytes(contract), key).encode();
        let function = "ContractsApi_get_storage";
        let connection = &self.0.connection;
        let answer = connection.runtime(function, &arguments, None).await?;
        match Result::<Option<Vec<u8>>, u8>::decode(&mut answer.as_slice()) {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(NO_CONTRACT)) => Ok(None),
            Ok(Err(reason)) => {
                let reason = format!("it does not show a contract's storage, reason {reason}");
                Err(Fault::Other(reason).into())
            }
            Err(_) => {
                Err(Fault::Other("its answer about storage makes no sense".to_owned()).into())
            }
        }
    }

    /// What the chain keeps about an account in a map of a pallet.
    async fn of<V: DecodeAsType + 'static>(
        &self,
        pallet: &'static str,
        map: &'static str,
        account: AccountId,
    ) -> Result<Option<V>, Fault> {
        let at = self.0.connection.at_best().await?;
        let address = dynamic::storage::<(AccountId32,), V>(pallet, map);
        let key = (AccountId32(bytes(account)),);
        let found = at.storage().try_fetch(address, key).await.map_err(lost)?;
        found.map(|value| value.decode()).transpose().map_err(lost)
    }

    /// Pays native tokens from the signer to an account.
    ///
    /// # Errors
    /// [`CallError::Dispatch`] if the balance does not cover it, [`CallError::Transport`].
    pub async fn pay(
        &self,
        signer: &KeySigner,
        to: AccountId,
        amount: Balance,
    ) -> Result<(), QueryError> {
        let to = Value::unnamed_variant("Id", [Value::from_bytes(bytes(to))]);
        let call = dynamic::transaction(
            "Balances",
            "transfer_keep_alive",
            Composite::unnamed([to, Value::u128(amount)]),
        );
        self.send_plain(signer, &call).await
    }

    /// Sends a transaction that is no contract call and returns once it is in a block.
    async fn send_plain<Call: EncodeAsFields>(
        &self,
        signer: &KeySigner,
        call: &DynamicPayload<Call>,
    ) -> Result<(), QueryError> {
        let included = self
            .send(signer, call)
            .await
            .map_err(|unsent| unsent.call_error(0))?;
        match included.failure {
            None => Ok(()),
            Some(failure) => {
                let at = self.0.connection.at_best().await?;
                Err(failure.call_error(at.metadata_ref(), ""))
            }
        }
    }

    async fn send<Call: EncodeAsFields>(
        &self,
        signer: &KeySigner,
        call: &DynamicPayload<Call>,
    ) -> Result<Included, Unsent> {
        let inner = &self.0;
        submit::send(
            &inner.connection,
            &inner.nonces,
            signer,
            call,
            inner.settings.wait,
        )
        .await
    }

    async fn simulate(
        &self,
        signer: AccountId,
        operation: &Operation,
        options: &CallOptions,
    ) -> Result<Outcome, Fault> {
        dry_run::run(&self.0.connection, bytes(signer), operation, options, None).await
    }

    /// The call to send after a dry run, with limits.
    pub(crate) fn payload(
        &self,
        operation: Operation,
        outcome: &Outcome,
        options: &CallOptions,
    ) -> DynamicPayload<Composite<()>> {
        let gas = self.gas_limit(outcome, options);
        let gas = Value::named_composite([
            ("ref_time", Value::u128(gas.ref_time.into())),
            ("proof_size", Value::u128(gas.proof_size.into())),
        ]);
        let deposit = self.deposit_limit(outcome, options);
        let deposit = Value::unnamed_variant("Some", [Value::u128(deposit)]);
        match operation {
            Operation::Call {
                contract,
                value,
                input,
            } => {
                let to = Value::unnamed_variant("Id", [Value::from_bytes(contract)]);
                let input = Value::from_bytes(input);
                let fields = Composite::unnamed([to, Value::u128(value), gas, deposit, input]);
                dynamic::transaction("Contracts", "call", fields)
            }
            Operation::Instantiate {
                code,
                value,
                input,
                salt,
            } => {
                let [code, input, salt] = [code, input, salt].map(Value::from_bytes);
                let fields = [Value::u128(value), gas, deposit, code, input, salt];
                let fields = Composite::unnamed(fields);
                dynamic::transaction("Contracts", "instantiate_with_code", fields)
            }
        }
    }

    fn gas_limit(&self, outcome: &Outcome, options: &CallOptions) -> Gas {
        let margin = |needed: u64, capacity: u64| {
            let more = needed / 100 * u64::from(self.0.settings.gas_margin);
            needed.saturating_add(more).min(capacity)
        };
        let capacity = self.0.gas_capacity;
        options.gas_limit.unwrap_or(Gas {
            ref_time: margin(outcome.gas_required.ref_time, capacity.ref_time),
            proof_size: margin(outcome.gas_required.proof_size, capacity.proof_size),
        })
    }

    fn deposit_limit(&self, outcome: &Outcome, options: &CallOptions) -> Balance {
        let charge = Balance::try_from(outcome.storage_deposit).unwrap_or(0);
        let most = (charge + charge / 4).saturating_add(self.0.settings.deposit_margin);
        let limit = options.deposit_limit.unwrap_or(most);
        limit.min(self.0.connection.width.most())
    }

    /// Sends an operation whose dry run succeeded. An execution that fails all the same is
    /// explained by a dry run on the state it met, as far as that can be told.
    async fn execute<E: Decode>(
        &self,
        signer: &KeySigner,
        operation: Operation,
        options: &CallOptions,
        outcome: &Outcome,
        refusal: impl FnOnce(&Outcome) -> Option<CallError<E>>,
    ) -> Result<Included, CallError<E>> {
        let call = self.payload(operation.clone(), outcome, options);
        let included = match self.send(signer, &call).await {
            Ok(included) => included,
            Err(unsent) => {
                let fee = match unsent {
                    Unsent::FeeUnpaid => {
                        let at = self.0.connection.at_best().await?;
                        self.fee(&at, &call).await?
                    }
                    _ => 0,
                };
                return Err(unsent.call_error(fee));
            }
        };
        let Some(failure) = &included.failure else {
            return Ok(included);
        };
        let connection = &self.0.connection;
        let at = connection.at(included.block).await?;
        if !failure.is_revert(at.metadata_ref()) {
            return Err(failure.call_error(at.metadata_ref(), ""));
        }
        let signer = bytes(signer.account_id());
        let hash = Some(included.block.hash);
        let again = dry_run::run(connection, signer, &operation, options, hash).await?;
        Err(refusal(&again).unwrap_or_else(|| {
            let reason = "the contract refused it, though not in the dry run before: try again";
            CallError::Dispatch(reason.to_owned())
        }))
    }

    fn receipt<T>(outcome: &Outcome, included: Included, value: T) -> Receipt<T> {
        Receipt {
            value,
            events: included.events,
            gas_consumed: outcome.gas_consumed,
            gas_required: outcome.gas_required,
            storage_deposit: outcome.storage_deposit,
            fee: included.fee,
            block: included.block.number,
        }
    }

    /// The error of a dry run that did not get as far as an output.
    pub(crate) async fn failed<E>(
        &self,
        outcome: &Outcome,
        options: &CallOptions,
    ) -> Result<(), CallError<E>> {
        let Err(error) = &outcome.result else {
            return Ok(());
        };
        let at = self.0.connection.at_best().await?;
        let error = error.call_error(at.metadata_ref(), &outcome.debug);
        Err(match error {
            // Without a limit of the caller's the signer's balance is the limit.
            CallError::StorageDeposit(DepositError::LimitExhausted)
                if options.deposit_limit.is_none() =>
            {
                CallError::StorageDeposit(DepositError::NotEnoughFunds)
            }
            error => error,
        })
    }
}

/// What a call returned, or why it did not.
fn value<T: Decode, E: Decode>(outcome: &Outcome) -> Result<T, CallError<E>> {
    match &outcome.result {
        Ok(output) => Message::<Result<T, E>>::decode_call(&output.data, output.reverted),
        Err(_) => Err(CallError::Undecodable),
    }
}

impl Chain for Node {
    type Signer = KeySigner;

    async fn instantiate_with<E: Decode>(
        &mut self,
        signer: &KeySigner,
        code: &[u8],
        constructor: impl Into<Constructor<E>>,
        salt: &[u8],
        options: CallOptions,
    ) -> Result<Receipt<AccountId>, CallError<E>> {
        let operation = instantiation(code, constructor.into(), salt);
        let outcome = self
            .simulate(signer.account_id(), &operation, &options)
            .await?;
        self.failed(&outcome, &options).await?;
        let refusal = |outcome: &Outcome| match &outcome.result {
            Ok(output) if output.reverted => Some(Constructor::decode_revert(&output.data)),
            _ => None,
        };
        if let Some(error) = refusal(&outcome) {
            return Err(error);
        }
        let included = self
            .execute(signer, operation, &options, &outcome, refusal)
            .await?;
        let contract = included
            .instantiated
            .ok_or_else(|| Fault::Other("it does not tell the contract's address".to_owned()))?;
        Ok(Self::receipt(&outcome, included, contract.into()))
    }

    async fn call_with<T: Decode, E: Decode>(
        &mut self,
        signer: &KeySigner,
        contract: AccountId,
        message: impl Into<Message<Result<T, E>>>,
        options: CallOptions,
    ) -> Result<Receipt<T>, CallError<E>> {
        let operation = call(contract, message.into());
        let outcome = self
            .simulate(signer.account_id(), &operation, &options)
            .await?;
        self.failed(&outcome, &options).await?;
        let returned = value(&outcome)?;
        let refusal = |outcome: &Outcome| value::<T, E>(outcome).err();
        let included = self
            .execute(signer, operation, &options, &outcome, refusal)
            .await?;
        Ok(Self::receipt(&outcome, included, returned))
    }

    async fn dry_run_with<T: Decode, E: Decode>(
        &self,
        signer: &KeySigner,
        contract: AccountId,
        message: impl Into<Message<Result<T, E>>>,
        options: CallOptions,
    ) -> Result<Receipt<T>, CallError<E>> {
        let operation = call(contract, message.into());
        let at = self.0.connection.at_best().await?;
        let hash = Some(at.block_hash());
        let signer = bytes(signer.account_id());
        let outcome = dry_run::run(&self.0.connection, signer, &operation, &options, hash).await?;
        self.failed(&outcome, &options).await?;
        let returned = value(&outcome)?;
        let payload = self.payload(operation, &outcome, &options);
        // The runtime tells the events of the block first, and those of the dry run after them.
        let block = at.events().fetch().await.map_err(events::undecodable)?;
        let of_block = events::of_contracts(&block)?.len();
        let mut events = events::of_contracts(&at.events().from_bytes(outcome.events.clone()))?;
        events.drain(..of_block.min(events.len()));
        Ok(Receipt {
            value: returned,
            events,
            gas_consumed: outcome.gas_consumed,
            gas_required: outcome.gas_required,
            storage_deposit: outcome.storage_deposit,
            fee: self.fee(&at, &payload).await?,
            block: u32::try_from(at.block_number()).unwrap_or(u32::MAX),
        })
    }

    async fn query<T: Decode>(
        &self,
        caller: AccountId,
        contract: AccountId,
        message: impl Into<Message<T>>,
    ) -> Result<T, QueryError> {
        let operation = call(contract, message.into());
        let options = CallOptions::default();
        let outcome = self.simulate(caller, &operation, &options).await?;
        self.failed(&outcome, &options).await?;
        match &outcome.result {
            Ok(output) => Message::decode_query(&output.data),
            Err(_) => Err(CallError::Undecodable),
        }
    }

    async fn block(&self) -> Result<u32, QueryError> {
        Ok(self.0.connection.best().await?.number)
    }

    async fn now(&self) -> Result<u64, QueryError> {
        let at = self.0.connection.at_best().await?;
        let address = dynamic::storage::<(), u64>("Timestamp", "Now");
        let now = at.storage().fetch(address, ()).await.map_err(lost)?;
        Ok(now.decode().map_err(lost)?)
    }

    async fn advance(&mut self, blocks: u32) -> Result<(), QueryError> {
        if let Some(ticker) = self.0.settings.ticker.clone() {
            let remark = dynamic::transaction(
                "System",
                "remark",
                Composite::unnamed([Value::from_bytes([])]),
            );
            for _ in 0..blocks {
                self.send_plain(&ticker, &remark).await?;
            }
            return Ok(());
        }
        let connection = &self.0.connection;
        let until = connection.best().await?.number.saturating_add(blocks);
        let mut follower = self.follow(until);
        follower.next().await.map(drop)
    }

    async fn free_balance(&self, owner: AccountId) -> Result<Balance, QueryError> {
        #[derive(DecodeAsType)]
        #[decode_as_type(crate_path = "subxt::ext::scale_decode")]
        struct Info {
            data: Data,
        }
        #[derive(DecodeAsType)]
        #[decode_as_type(crate_path = "subxt::ext::scale_decode")]
        struct Data {
            free: Balance,
        }
        let info: Option<Info> = self.of("System", "Account", owner).await?;
        Ok(info.map_or(0, |info| info.data.free))
    }
}

pub(crate) fn call<R>(contract: AccountId, message: Message<R>) -> Operation {
    let (input, value) = message.into_parts();
    Operation::Call {
        contract: bytes(contract),
        value,
        input,
    }
}

pub(crate) fn instantiation<E>(code: &[u8], constructor: Constructor<E>, salt: &[u8]) -> Operation {
    let (input, value) = constructor.into_parts();
    Operation::Instantiate {
        code: code.to_vec(),
        value,
        input,
        salt: salt.to_vec(),
    }
}

pub(crate) fn bytes(account: AccountId) -> [u8; 32] {
    *account.as_ref()
}

fn lost(error: impl std::fmt::Display) -> Fault {
    Fault::Lost(error.to_string())
}
