//! Calls of the runtime's `ContractsApi`: what a call would do, on the state of a block.

use breakwater_chain::{Balance, CallOptions, Gas};
use scale::{Decode, Encode};
use subxt::utils::H256;

use crate::connection::{Connection, Fault};
use crate::failure::RuntimeError;

/// What a signer asks of pallet-contracts.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    Call {
        contract: [u8; 32],
        value: Balance,
        input: Vec<u8>,
    },
    Instantiate {
        code: Vec<u8>,
        value: Balance,
        input: Vec<u8>,
        salt: Vec<u8>,
    },
}

/// Gas as the runtime encodes it.
#[derive(Clone, Copy, Debug, Encode, Decode)]
pub(crate) struct Weight {
    #[codec(compact)]
    ref_time: u64,
    #[codec(compact)]
    proof_size: u64,
}

#[derive(Decode)]
enum StorageDeposit {
    Refund(Balance),
    Charge(Balance),
}

#[derive(Decode)]
struct Returned {
    flags: u32,
    data: Vec<u8>,
}

#[derive(Decode)]
struct Instantiated {
    returned: Returned,
    account: [u8; 32],
}

#[derive(Decode)]
struct Costs {
    gas_consumed: Weight,
    gas_required: Weight,
    storage_deposit: StorageDeposit,
    debug: Vec<u8>,
}

#[derive(Encode)]
enum Code<'a> {
    Upload(&'a [u8]),
}

/// How a dry run ended.
pub(crate) struct Outcome {
    pub(crate) result: Result<Output, RuntimeError>,
    /// What the runtime says about code it rejects.
    pub(crate) debug: String,
    pub(crate) gas_consumed: Gas,
    pub(crate) gas_required: Gas,
    /// Negative when refunded.
    pub(crate) storage_deposit: i128,
    /// The events as the runtime would have recorded them, encoded; empty if it does not say.
    pub(crate) events: Vec<u8>,
}

/// What a contract returned.
pub(crate) struct Output {
    pub(crate) data: Vec<u8>,
    pub(crate) reverted: bool,
    /// The contract instantiated.
    pub(crate) contract: Option<[u8; 32]>,
}

/// Runs an operation on the state after a block, the best one if `None`.
pub(crate) async fn run(
    connection: &Connection,
    signer: [u8; 32],
    operation: &Operation,
    options: &CallOptions,
    at: Option<H256>,
) -> Result<Outcome, Fault> {
    let gas = options.gas_limit.map(Weight::from);
    let deposit = options.deposit_limit;
    match operation {
        Operation::Call {
            contract,
            value,
            input,
        } => {
            let arguments = (signer, contract, value, gas, deposit, input).encode();
            let answer = connection
                .runtime("ContractsApi_call", &arguments, at)
                .await?;
            outcome(&answer, |returned: Returned| returned.into_output())
        }
        Operation::Instantiate {
            code,
            value,
            input,
            salt,
        } => {
            let code = Code::Upload(code);
            let arguments = (signer, value, gas, deposit, code, input, salt).encode();
            let answer = connection
                .runtime("ContractsApi_instantiate", &arguments, at)
                .await?;
            outcome(&answer, |instantiated: Instantiated| Output {
                contract: Some(instantiated.account),
                ..instantiated.returned.into_output()
            })
        }
    }
}

/// The storage deposit that an upload of code would take.
pub(crate) async fn upload(
    connection: &Connection,
    signer: [u8; 32],
    code: &[u8],
) -> Result<Result<Balance, RuntimeError>, Fault> {
    /// The code must not depend on what differs between machines.
    const ENFORCED: u8 = 0;
    let arguments = (signer, code, None::<Balance>, ENFORCED).encode();
    let answer = connection
        .runtime("ContractsApi_upload_code", &arguments, None)
        .await?;
    let result = Result::<([u8; 32], Balance), RuntimeError>::decode(&mut answer.as_slice());
    let result = result.map_err(|_| Fault::Other("it does not tell the deposit".to_owned()))?;
    Ok(result.map(|(_, deposit)| deposit))
}

impl Outcome {
    /// Of a call that needs so much gas.
    pub(crate) fn of_gas(gas: Gas) -> Self {
        Self {
            result: Err(RuntimeError::Unavailable),
            debug: String::new(),
            gas_consumed: gas,
            gas_required: gas,
            storage_deposit: 0,
            events: Vec::new(),
        }
    }
}

fn outcome<R: Decode>(
    mut answer: &[u8],
    output: impl FnOnce(R) -> Output,
) -> Result<Outcome, Fault> {
    let input = &mut answer;
    let mut decode = || -> Result<_, scale::Error> {
        let costs = Costs::decode(input)?;
        let result = Result::<R, RuntimeError>::decode(input)?;
        // The rest is the events, if there are any: they are decoded by the metadata.
        let events = match u8::decode(input).unwrap_or(0) {
            0 => Vec::new(),
            _ => input.to_vec(),
        };
        Ok((costs, result, events))
    };
    let (costs, result, events) = decode().map_err(|error| {
        Fault::Other(format!(
            "its runtime answers in another form ({error}); it needs pallet-contracts 31 to 38"
        ))
    })?;
    Ok(Outcome {
        result: result.map(output),
        debug: String::from_utf8_lossy(&costs.debug).trim().to_owned(),
        gas_consumed: costs.gas_consumed.into(),
        gas_required: costs.gas_required.into(),
        storage_deposit: costs.storage_deposit.signed(),
        events,
    })
}

impl Returned {
    fn into_output(self) -> Output {
        Output {
            // The first flag of pallet-contracts: the output is an error, all changes are undone.
            reverted: self.flags & 1 == 1,
            data: self.data,
            contract: None,
        }
    }
}

impl StorageDeposit {
    fn signed(&self) -> i128 {
        // A balance cannot exceed the total issuance, which is far below 2^127.
        match self {
            Self::Charge(amount) => i128::try_from(*amount).unwrap_or(i128::MAX),
            Self::Refund(amount) => -i128::try_from(*amount).unwrap_or(i128::MAX),
        }
    }
}

impl From<Gas> for Weight {
    fn from(gas: Gas) -> Self {
        Self {
            ref_time: gas.ref_time,
            proof_size: gas.proof_size,
        }
    }
}

impl From<Weight> for Gas {
    fn from(weight: Weight) -> Self {
        Self {
            ref_time: weight.ref_time,
            proof_size: weight.proof_size,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_that_answers_in_another_form_is_told_apart() {
        let result = outcome(&[1, 2, 3], |returned: Returned| returned.into_output());
        let Err(Fault::Other(reason)) = result else {
            panic!("decodes");
        };
        assert!(reason.contains("pallet-contracts 31 to 38"), "{reason}");
    }
}
