//! What calls and instantiations would cost, and the most that one extrinsic can take.

use breakwater_chain::{
    AccountId, Balance, CallError, CallOptions, Constructor, Gas, Message, QueryError, Receipt,
    Signer,
};
use scale::{Compact, Decode, Encode};
use subxt::dynamic;
use subxt::ext::scale_decode::DecodeAsType;
use subxt::ext::scale_encode::EncodeAsFields;
use subxt::transactions::DynamicPayload;

use crate::connection::{AtBlock, Fault};
use crate::dry_run::{self, Outcome};
use crate::native::Width;
use crate::node::{bytes, call, instantiation, Node};
use crate::signer::KeySigner;

impl Node {
    /// What an instantiation would cost and which address the contract would get; nothing is sent.
    ///
    /// # Errors
    /// As [`Chain::instantiate`].
    pub async fn dry_run_instantiation<E: Decode>(
        &self,
        signer: &KeySigner,
        code: &[u8],
        constructor: impl Into<Constructor<E>>,
        salt: &[u8],
    ) -> Result<Receipt<AccountId>, CallError<E>> {
        let operation = instantiation(code, constructor.into(), salt);
        let options = CallOptions::default();
        let at = self.0.connection.at_best().await?;
        let hash = Some(at.block_hash());
        let by = bytes(signer.account_id());
        let outcome = dry_run::run(&self.0.connection, by, &operation, &options, hash).await?;
        self.failed(&outcome, &options).await?;
        let contract = match &outcome.result {
            Ok(output) if output.reverted => return Err(Constructor::decode_revert(&output.data)),
            Ok(output) => output.contract.unwrap_or_default(),
            Err(_) => return Err(CallError::Undecodable),
        };
        let payload = self.payload(operation, &outcome, &options);
        Ok(Receipt {
            value: contract.into(),
            events: Vec::new(),
            gas_consumed: outcome.gas_consumed,
            gas_required: outcome.gas_required,
            storage_deposit: outcome.storage_deposit,
            fee: self.fee(&at, &payload).await?,
            block: u32::try_from(at.block_number()).unwrap_or(u32::MAX),
        })
    }

    /// The storage deposit that code would take which the chain does not have; zero if it has it.
    ///
    /// # Errors
    /// [`CallError::CodeRejected`], [`CallError::Transport`].
    pub async fn code_deposit(
        &self,
        signer: &KeySigner,
        code: &[u8],
    ) -> Result<Balance, QueryError> {
        let by = bytes(signer.account_id());
        match dry_run::upload(&self.0.connection, by, code).await? {
            Ok(deposit) => Ok(deposit),
            Err(error) => {
                let at = self.0.connection.at_best().await?;
                Err(error.call_error(at.metadata_ref(), "upload"))
            }
        }
    }

    /// The most that a call of so much gas would cost in fees. The contract need not be there.
    ///
    /// # Errors
    /// [`CallError::Transport`].
    pub async fn fee_of_call<R>(
        &self,
        contract: AccountId,
        message: impl Into<Message<R>>,
        gas: Gas,
    ) -> Result<Balance, QueryError> {
        let at = self.0.connection.at_best().await?;
        let outcome = Outcome::of_gas(gas);
        let options = CallOptions::default();
        let payload = self.payload(call(contract, message.into()), &outcome, &options);
        Ok(self.fee(&at, &payload).await?)
    }

    /// The fee of a call, at the prices of the best block.
    pub(crate) async fn fee<Call: EncodeAsFields>(
        &self,
        at: &AtBlock,
        call: &DynamicPayload<Call>,
    ) -> Result<Balance, Fault> {
        // Version, address, signature, era, nonce and tip beside the call.
        const ENVELOPE: usize = 110;
        let mut arguments = at
            .transactions()
            .call_data(call)
            .map_err(|error| Fault::Other(error.to_string()))?;
        let length = u32::try_from(arguments.len() + ENVELOPE).unwrap_or(u32::MAX);
        length.encode_to(&mut arguments);
        let connection = &self.0.connection;
        let function = "TransactionPaymentCallApi_query_call_info";
        let answer = connection
            .runtime(function, &arguments, Some(at.block_hash()))
            .await?;
        fee(connection.width, &answer)
            .map_err(|_| Fault::Other("it does not tell the fee".to_owned()))
    }
}

/// The fee of a `RuntimeDispatchInfo`.
pub(crate) fn fee(width: Width, mut info: &[u8]) -> Result<Balance, scale::Error> {
    let input = &mut info;
    // Weight and class.
    let _: (Compact<u64>, Compact<u64>, u8) = Decode::decode(input)?;
    width.decode(input)
}

/// The largest gas limit an extrinsic can have; what its envelope weighs is left out.
pub(crate) fn gas_capacity(at: &AtBlock) -> Result<Gas, Fault> {
    #[derive(DecodeAsType)]
    #[decode_as_type(crate_path = "subxt::ext::scale_decode")]
    struct Limits {
        per_class: PerClass,
    }
    #[derive(DecodeAsType)]
    #[decode_as_type(crate_path = "subxt::ext::scale_decode")]
    struct PerClass {
        normal: Class,
    }
    #[derive(DecodeAsType)]
    #[decode_as_type(crate_path = "subxt::ext::scale_decode")]
    struct Class {
        max_extrinsic: Option<Weight>,
    }
    #[derive(DecodeAsType)]
    #[decode_as_type(crate_path = "subxt::ext::scale_decode")]
    struct Weight {
        ref_time: u64,
        proof_size: u64,
    }
    let unknown = |error: String| Fault::Other(format!("it does not tell its limits, {error}"));
    let address = dynamic::constant::<Limits>("System", "BlockWeights");
    let limits = at
        .constants()
        .entry(address)
        .map_err(|error| unknown(error.to_string()))?;
    let most = limits.per_class.normal.max_extrinsic.unwrap_or(Weight {
        ref_time: u64::MAX,
        proof_size: u64::MAX,
    });
    // The base weight of the largest call, an upload, is within a tenth.
    Ok(Gas {
        ref_time: most.ref_time / 10 * 9,
        proof_size: most.proof_size / 10 * 9,
    })
}
