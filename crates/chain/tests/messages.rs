//! Messages and constructors made from ink! builders.

use breakwater_chain::{AccountId, Constructor, Message};
use ink::env::call::{build_call, build_create, ExecutionInput, FromAccountId, Selector};
use ink::env::{ContractEnv, DefaultEnvironment};
use scale::Encode;

/// Stands for the reference type ink! generates for a contract.
struct ContractRef;

impl ContractEnv for ContractRef {
    type Env = DefaultEnvironment;
}

impl FromAccountId<DefaultEnvironment> for ContractRef {
    fn from_account_id(_: AccountId) -> Self {
        Self
    }
}

#[test]
fn a_call_builder_becomes_a_message_with_its_value() {
    let builder = build_call::<DefaultEnvironment>()
        .call(AccountId::from([1; 32]))
        .transferred_value(5)
        .exec_input(ExecutionInput::new(Selector::new([1, 2, 3, 4])).push_arg(7u32))
        .returns::<Result<(), u8>>();
    let message: Message<Result<(), u8>> = builder.into();
    assert_eq!(message.input(), ([1u8, 2, 3, 4], 7u32).encode());
    assert_eq!(message.value(), 5);
}

#[test]
fn a_create_builder_becomes_a_constructor_with_its_error() {
    let input = || ExecutionInput::new(Selector::new([1, 2, 3, 4])).push_arg(true);
    let infallible: Constructor = build_create::<ContractRef>()
        .exec_input(input())
        .returns::<ContractRef>()
        .into();
    let fallible: Constructor<u8> = build_create::<ContractRef>()
        .exec_input(input())
        .returns::<Result<ContractRef, u8>>()
        .into();
    let expected = ([1u8, 2, 3, 4], true).encode();
    assert_eq!(infallible.input(), expected);
    assert_eq!(fallible.input(), expected);
    assert_eq!(Constructor::new(&input()).input(), expected);
}
