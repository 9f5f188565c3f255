//! Calls of the runtime's `ContractsApi`: what a call would do, on the state of a block.

use breakwater_chain::{Balance, CallOptions, Gas};
use scale::{Decode, Encode};
use subxt::utils::H256;

use crate::connection::{Connection, Fault};
use crate::failure::RuntimeError;
use crate::native::{Native, Width};

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
struct Returned {
    flags: u32,
    data: Vec<u8>,
}

#[derive(Decode)]
struct Instantiated {
    returned: Returned,
    account: [u8; 32],
}

struct Costs {
    gas_consumed: Weight,
    gas_required: Weight,
    /// Negative when refunded.
    storage_deposit: i128,
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
    let width = connection.width;
    let arguments = arguments(width, signer, operation, options)?;
    match operation {
        Operation::Call { .. } => {
            let answer = connection.runtime("ContractsApi_call", &arguments, at);
            called(width, &answer.await?)
        }
        Operation::Instantiate { .. } => {
            let answer = connection.runtime("ContractsApi_instantiate", &arguments, at);
            instantiated(width, &answer.await?)
        }
    }
}

/// What the runtime is told.
fn arguments(
    width: Width,
    signer: [u8; 32],
    operation: &Operation,
    options: &CallOptions,
) -> Result<Vec<u8>, Fault> {
    let gas = options.gas_limit.map(Weight::from);
    let deposit: Option<Native> = options.deposit_limit.map(|limit| width.limit(limit));
    Ok(match operation {
        Operation::Call {
            contract,
            value,
            input,
        } => (signer, contract, width.amount(*value)?, gas, deposit, input).encode(),
        Operation::Instantiate {
            code,
            value,
            input,
            salt,
        } => {
            let (value, code) = (width.amount(*value)?, Code::Upload(code));
            (signer, value, gas, deposit, code, input, salt).encode()
        }
    })
}

fn called(width: Width, answer: &[u8]) -> Result<Outcome, Fault> {
    outcome(width, answer, Returned::into_output)
}

fn instantiated(width: Width, answer: &[u8]) -> Result<Outcome, Fault> {
    outcome(width, answer, |instantiated: Instantiated| Output {
        contract: Some(instantiated.account),
        ..instantiated.returned.into_output()
    })
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
    uploaded(connection.width, &answer)
        .map_err(|_| Fault::Other("it does not tell the deposit".to_owned()))
}

fn uploaded(
    width: Width,
    mut answer: &[u8],
) -> Result<Result<Balance, RuntimeError>, scale::Error> {
    let input = &mut answer;
    Ok(match Result::<[u8; 32], RuntimeError>::decode(input)? {
        Ok(_) => Ok(width.decode(input)?),
        Err(error) => Err(error),
    })
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
    width: Width,
    mut answer: &[u8],
    output: impl FnOnce(R) -> Output,
) -> Result<Outcome, Fault> {
    let input = &mut answer;
    let mut decode = || -> Result<_, scale::Error> {
        let costs = Costs::read(width, input)?;
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
        storage_deposit: costs.storage_deposit,
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

impl Costs {
    fn read(width: Width, input: &mut &[u8]) -> Result<Self, scale::Error> {
        let (gas_consumed, gas_required) = Decode::decode(input)?;
        let is_charge = match u8::decode(input)? {
            0 => false,
            1 => true,
            _ => return Err("a deposit is neither refunded nor charged".into()),
        };
        // A balance cannot exceed the total issuance, which is far below 2^127.
        let amount = i128::try_from(width.decode(input)?).unwrap_or(i128::MAX);
        Ok(Self {
            gas_consumed,
            gas_required,
            storage_deposit: if is_charge { amount } else { -amount },
            debug: Decode::decode(input)?,
        })
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

    /// What the pallets' own types encode; `crates/chain/tests/runtime_api.rs` writes the file.
    fn vector(width: Width, name: &str) -> Vec<u8> {
        let start = format!("{} {name} ", width.bits());
        let mut lines = include_str!("../tests/runtime_api.txt").lines();
        let digits = lines.find_map(|line| line.strip_prefix(&start));
        hex::decode(digits.expect("is in the file")).expect("is hexadecimal")
    }

    const WIDTHS: [Width; 2] = [Width::Bits64, Width::Bits128];
    const GAS: Gas = Gas {
        ref_time: 70_000,
        proof_size: 80_000,
    };

    #[test]
    fn the_runtime_is_asked_as_its_pallets_encode_it_at_either_width() {
        for width in WIDTHS {
            let ask = |operation: &Operation, options: &CallOptions| {
                arguments(width, [1; 32], operation, options).expect("fits")
            };
            let call = Operation::Call {
                contract: [2; 32],
                value: 500,
                input: vec![1, 2, 3, 4],
            };
            let options = CallOptions::default()
                .with_gas_limit(GAS)
                .with_deposit_limit(u64::MAX.into());
            assert_eq!(ask(&call, &options), vector(width, "call.arguments"));
            let instantiate = Operation::Instantiate {
                code: vec![0, 0x61, 0x73, 0x6d],
                value: 500,
                input: vec![1, 2, 3, 4],
                salt: vec![9],
            };
            assert_eq!(
                ask(&instantiate, &CallOptions::default()),
                vector(width, "instantiate.arguments")
            );
        }
    }

    #[test]
    fn the_runtimes_answers_are_read_at_either_width() {
        const DEPOSIT: i128 = 3_000_000_000_000;
        for width in WIDTHS {
            let answer = called(width, &vector(width, "call.answer")).expect("reads");
            assert_eq!(
                (answer.gas_consumed, answer.storage_deposit),
                (GAS, DEPOSIT)
            );
            assert_eq!(answer.gas_required.ref_time, 2 * GAS.ref_time);
            assert_eq!(answer.debug, "said");
            let output = answer.result.expect("has an output");
            assert_eq!((output.data, output.reverted), (vec![7, 8], true));

            let refusal = called(width, &vector(width, "call.refusal")).expect("reads");
            assert_eq!(refusal.storage_deposit, -DEPOSIT);
            assert_eq!(refusal.result.err(), Some(RuntimeError::CannotLookup));
            assert_eq!(refusal.events, [0], "a list of none");

            let made = instantiated(width, &vector(width, "instantiate.answer")).expect("reads");
            let output = made.result.expect("has an output");
            assert_eq!(output.contract, Some([2; 32]));

            let paid = uploaded(width, &vector(width, "upload.answer")).expect("reads");
            assert_eq!(paid, Ok(3_000_000_000_000));
            let fee = crate::costs::fee(width, &vector(width, "fee.answer"));
            assert_eq!(fee, Ok(3_000_000_000_000));
            let event = vector(width, "fee.event");
            let fee = crate::submit::fee_paid(width, &event);
            assert_eq!(fee, Ok(3_000_000_000_000));
        }
    }

    #[test]
    fn a_value_that_the_chain_cannot_hold_is_refused_before_anything_is_asked() {
        let call = Operation::Call {
            contract: [2; 32],
            value: Balance::from(u64::MAX) + 1,
            input: Vec::new(),
        };
        let ask = |width| arguments(width, [1; 32], &call, &CallOptions::default());
        assert!(ask(Width::Bits128).is_ok());
        assert!(matches!(ask(Width::Bits64), Err(Fault::Other(_))));
    }

    #[test]
    fn a_runtime_that_answers_in_another_form_is_told_apart() {
        for width in WIDTHS {
            let Err(Fault::Other(reason)) = called(width, &[1, 2, 3]) else {
                panic!("decodes");
            };
            assert!(reason.contains("pallet-contracts 31 to 38"), "{reason}");
        }
    }
}
