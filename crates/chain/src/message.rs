//! Encoded contract inputs that remember what their output decodes to.

use std::marker::PhantomData;

use ink::env::call::{
    utils::{ReturnType, Set, Unset},
    Call, CallBuilder, ConstructorReturnType, CreateBuilder, ExecutionInput, LimitParamsV2,
};
use ink::env::Environment;
use ink::primitives::{Clear, LangError};
use scale::{Decode, DecodeAll, Encode};

use crate::{Balance, CallError, QueryError};

/// A call of one message: its selector and arguments, encoded, and the value it transfers.
///
/// `R` is the return type the message is declared with, so that the output can only be decoded as
/// what the contract says it is. Made from any ink! call builder:
/// `contract.call_mut().deposit(amount)` is `Into<Message<Result<(), Error>>>`.
#[derive(Debug)]
pub struct Message<R> {
    input: Vec<u8>,
    value: Balance,
    output: PhantomData<fn() -> R>,
}

impl<R> Clone for Message<R> {
    fn clone(&self) -> Self {
        Self {
            input: self.input.clone(),
            value: self.value,
            output: PhantomData,
        }
    }
}

impl<R> Message<R> {
    /// A message from a selector and arguments put together by hand; `R` is the caller's word for
    /// what the contract returns.
    pub fn new<Args: Encode>(input: &ExecutionInput<Args>) -> Self {
        Self {
            input: input.encode(),
            value: 0,
            output: PhantomData,
        }
    }

    /// Selector followed by the SCALE-encoded arguments: the input data of the contract call.
    pub fn input(&self) -> &[u8] {
        &self.input
    }

    /// Native tokens the call transfers to the contract.
    pub fn value(&self) -> Balance {
        self.value
    }

    /// Input data and value, for backends.
    pub fn into_parts(self) -> (Vec<u8>, Balance) {
        (self.input, self.value)
    }
}

impl<R: Decode> Message<R> {
    /// Decodes the output of a read-only message: whatever it returned is its value.
    ///
    /// # Errors
    ///
    /// [`CallError::Lang`], [`CallError::Undecodable`].
    pub fn decode_query(output: &[u8]) -> Result<R, QueryError> {
        match Result::<R, LangError>::decode_all(&mut &*output) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(CallError::Lang(error)),
            Err(_) => Err(CallError::Undecodable),
        }
    }
}

impl<T: Decode, E: Decode> Message<Result<T, E>> {
    /// Decodes the output of a state-changing message.
    ///
    /// ink! sets the revert flag exactly when a message returns `Err`; an output that contradicts
    /// the flag was not written by the message this type describes.
    ///
    /// # Errors
    ///
    /// [`CallError::Reverted`], [`CallError::Lang`], [`CallError::Undecodable`].
    pub fn decode_call(output: &[u8], reverted: bool) -> Result<T, CallError<E>> {
        match Result::<Result<T, E>, LangError>::decode_all(&mut &*output) {
            Ok(Ok(Ok(value))) if !reverted => Ok(value),
            Ok(Ok(Err(error))) if reverted => Err(CallError::Reverted(error)),
            Ok(Err(error)) => Err(CallError::Lang(error)),
            _ => Err(CallError::Undecodable),
        }
    }
}

impl<Env, Args, R>
    From<CallBuilder<Env, Set<Call<Env>>, Set<ExecutionInput<Args>>, Set<ReturnType<R>>>>
    for Message<R>
where
    Env: Environment<Balance = Balance>,
    Args: Encode,
{
    fn from(
        builder: CallBuilder<Env, Set<Call<Env>>, Set<ExecutionInput<Args>>, Set<ReturnType<R>>>,
    ) -> Self {
        let params = builder.params();
        Self {
            input: params.exec_input().encode(),
            value: *params.transferred_value(),
            output: PhantomData,
        }
    }
}

/// A call of one constructor: its selector and arguments, encoded, and its endowment.
///
/// `E` is the error the constructor may return; it is `()` for one that returns plain `Self`.
#[derive(Debug)]
pub struct Constructor<E = ()> {
    input: Vec<u8>,
    endowment: Balance,
    error: PhantomData<fn() -> E>,
}

impl<E> Clone for Constructor<E> {
    fn clone(&self) -> Self {
        Self {
            input: self.input.clone(),
            endowment: self.endowment,
            error: PhantomData,
        }
    }
}

impl Constructor<()> {
    /// A constructor that returns `Self`.
    pub fn new<Args: Encode>(input: &ExecutionInput<Args>) -> Self {
        Self::fallible(input)
    }
}

impl<E> Constructor<E> {
    /// A constructor that returns `Result<Self, E>`.
    pub fn fallible<Args: Encode>(input: &ExecutionInput<Args>) -> Self {
        Self {
            input: input.encode(),
            endowment: 0,
            error: PhantomData,
        }
    }

    /// Transfers `endowment` native tokens to the new contract; its constructor must be payable.
    #[must_use]
    pub fn with_endowment(self, endowment: Balance) -> Self {
        Self { endowment, ..self }
    }

    /// Selector followed by the SCALE-encoded arguments.
    pub fn input(&self) -> &[u8] {
        &self.input
    }

    /// Input data and endowment, for backends.
    pub fn into_parts(self) -> (Vec<u8>, Balance) {
        (self.input, self.endowment)
    }
}

impl<E: Decode> Constructor<E> {
    /// Reads the error out of the output of a reverted constructor.
    pub fn decode_revert(output: &[u8]) -> CallError<E> {
        match Result::<Result<(), E>, LangError>::decode_all(&mut &*output) {
            Ok(Ok(Err(error))) => CallError::Reverted(error),
            Ok(Err(error)) => CallError::Lang(error),
            _ => CallError::Undecodable,
        }
    }
}

/// What the constructors of an ink! contract reference (`VaultRef::new(..)`) return.
type ContractBuilder<Env, Ref, Args, R> = CreateBuilder<
    Env,
    Ref,
    Unset<<Env as Environment>::Hash>,
    Set<LimitParamsV2<Env>>,
    Unset<<Env as Environment>::Balance>,
    Set<ExecutionInput<Args>>,
    Unset<ink::env::call::state::Salt>,
    Set<ReturnType<R>>,
>;

impl<Env, Ref, Args, R> From<ContractBuilder<Env, Ref, Args, R>>
    for Constructor<<R as ConstructorReturnType<Ref>>::Error>
where
    Env: Environment<Balance = Balance>,
    Args: Encode,
    R: ConstructorReturnType<Ref>,
{
    fn from(builder: ContractBuilder<Env, Ref, Args, R>) -> Self {
        // Only the input is wanted: the rest is set to let the builder finish.
        let params = builder
            .endowment(0)
            .code_hash(Clear::CLEAR_HASH)
            .salt_bytes(Vec::new())
            .params();
        Self::fallible(params.exec_input())
    }
}
