//! A message run with less gas than it needs: everything or nothing (promise 9, I-49).
//!
//! A caller decides how much gas a message has, and a call inside it that runs dry fails alone.
//! So it is not enough that a message without gas fails: one that goes on after such a call must
//! not come to another result than it would have had with gas enough.

use crate::Cells;
use breakwater_chain::{
    AccountId, Balance, CallError, CallOptions, Chain, ContractEvent, Embedded, Gas, Message,
    Receipt,
};
use futures::executor::block_on;
use ink::env::call::{ExecutionInput, Selector};
use scale::{Decode, Encode, Input, Output};

/// Points between nothing and what a message needs, in each dimension.
pub const POINTS: u64 = 50;

/// Bytes as they are, without a length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raw(pub Vec<u8>);

impl Encode for Raw {
    fn encode_to<T: Output + ?Sized>(&self, to: &mut T) {
        to.write(&self.0);
    }
}

impl Decode for Raw {
    fn decode<I: Input>(input: &mut I) -> Result<Self, scale::Error> {
        let mut bytes = Vec::new();
        while let Ok(byte) = input.read_byte() {
            bytes.push(byte);
        }
        Ok(Self(bytes))
    }
}

/// What a message with these bytes answers: `Ok` and `Err` as bytes.
pub type Answer = Result<Receipt<Raw>, CallError<Raw>>;

/// Sends a message whose selector and arguments are given.
///
/// # Panics
/// The input is shorter than a selector.
pub fn send(
    chain: &mut Embedded,
    who: AccountId,
    to: AccountId,
    input: &[u8],
    options: CallOptions,
) -> Answer {
    let selector = input[..4].try_into().expect("four bytes");
    let message = ExecutionInput::new(Selector::new(selector)).push_arg(Raw(input[4..].to_vec()));
    let message = Message::<Result<Raw, Raw>>::new(&message);
    block_on(chain.call_with(&who, to, message, options))
}

/// How often a message that was cut short completed all the same, and how often it did not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cuts {
    /// It did everything, as with gas enough.
    pub completed: u32,
    /// It did nothing.
    pub unchanged: u32,
}

impl Cuts {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            completed: self.completed + other.completed,
            unchanged: self.unchanged + other.unchanged,
        }
    }
}

/// Everything that a message may change: contracts' cells and native balances.
type State = Vec<(Cells, Balance)>;

fn state(chain: &Embedded, contracts: &[AccountId]) -> State {
    contracts
        .iter()
        .map(|contract| {
            let held = block_on(chain.free_balance(*contract)).expect("reads a balance");
            (chain.contract_storage(*contract), held)
        })
        .collect()
}

/// What a message did, whole.
#[derive(PartialEq)]
struct Effect {
    state: State,
    value: Raw,
    events: Vec<ContractEvent>,
    deposit: i128,
}

/// Runs a message with each of its dimensions of gas cut at [`POINTS`] points under what it needs,
/// and takes all of it back. Each time either nothing has changed but the sender's fee, or all is
/// as with gas enough: cells of `contracts`, their balances, the answer, the events, the deposit.
///
/// # Panics
/// Where that is not so, or the message does not succeed with gas enough.
pub fn cut(
    chain: &mut Embedded,
    contracts: &[AccountId],
    (who, to): (AccountId, AccountId),
    input: &[u8],
    name: &str,
) -> Cuts {
    let saved = chain.snapshot();
    let before = state(chain, contracts);
    let purse = |chain: &Embedded| block_on(chain.free_balance(who)).expect("reads a balance");
    let money = purse(chain);
    let receipt = send(chain, who, to, input, CallOptions::default())
        .unwrap_or_else(|error| panic!("{name} does not succeed: {error:?}"));
    let whole = Effect {
        state: state(chain, contracts),
        value: receipt.value,
        events: receipt.events,
        deposit: receipt.storage_deposit,
    };
    let needed = receipt.gas_required;
    chain.restore(&saved);
    let exactly = CallOptions::default().with_gas_limit(needed);
    let receipt = send(chain, who, to, input, exactly)
        .unwrap_or_else(|error| panic!("{name} needs more than {needed:?}: {error:?}"));
    assert!(
        receipt.value == whole.value && state(chain, contracts) == whole.state,
        "{name} did something else with {needed:?}"
    );
    chain.restore(&saved);
    let mut cuts = Cuts::default();
    for point in 0..POINTS {
        let part = |all: u64| (u128::from(all) * u128::from(point) / u128::from(POINTS)) as u64;
        let limits = [
            Gas {
                ref_time: part(needed.ref_time),
                ..needed
            },
            Gas {
                proof_size: part(needed.proof_size),
                ..needed
            },
        ];
        for limit in limits {
            let options = CallOptions::default().with_gas_limit(limit);
            match send(chain, who, to, input, options) {
                Ok(receipt) => {
                    let effect = Effect {
                        state: state(chain, contracts),
                        value: receipt.value,
                        events: receipt.events,
                        deposit: receipt.storage_deposit,
                    };
                    assert!(
                        effect == whole,
                        "{name} with {limit:?} of {needed:?} did something else"
                    );
                    cuts.completed += 1;
                }
                Err(_) => {
                    assert!(
                        state(chain, contracts) == before,
                        "{name} with {limit:?} of {needed:?} failed and changed something"
                    );
                    assert!(purse(chain) <= money, "{name} paid its sender");
                    cuts.unchanged += 1;
                }
            }
            chain.restore(&saved);
        }
    }
    cuts
}
