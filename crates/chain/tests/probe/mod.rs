//! The contract the tests call: its interface, its code, and a chain with one instance of it.

#![allow(dead_code)] // no test binary uses all of it

use breakwater_chain::{AccountId, Chain, Constructor, Embedded, Genesis, Receipt};
use futures::executor::block_on;
use ink::env::call::{ExecutionInput, Selector};
use ink::env::Event;

#[derive(Clone, Debug, PartialEq, Eq)]
#[ink::scale_derive(Encode, Decode, TypeInfo)]
pub enum ProbeError {
    Refused { value: u32 },
}

#[ink::event]
#[derive(Debug, PartialEq, Eq)]
pub struct Stored {
    pub value: u32,
}

/// An event the probe never emits, with the same fields.
#[ink::event]
#[derive(Debug, PartialEq, Eq)]
pub struct Removed {
    pub value: u32,
}

// The probe reads a selector as a little-endian number.
#[ink::trait_definition]
pub trait Probe {
    #[ink(message, selector = 0x01000000)]
    fn set(&mut self, value: u32) -> Result<u32, ProbeError>;
    #[ink(message, selector = 0x02000000)]
    fn get(&self) -> u32;
    #[ink(message, selector = 0x03000000)]
    fn refuse(&mut self, value: u32) -> Result<u32, ProbeError>;
    #[ink(message, selector = 0x04000000)]
    fn trap(&mut self) -> Result<(), ProbeError>;
    #[ink(message, selector = 0x05000000)]
    fn burn(&mut self) -> Result<(), ProbeError>;
    #[ink(message, selector = 0x06000000)]
    fn resize(&mut self, bytes: u32) -> Result<u32, ProbeError>;
    #[ink(message, selector = 0x07000000)]
    fn time(&self) -> u64;
    #[ink(message, selector = 0x08000000)]
    fn unknown(&mut self) -> Result<(), ProbeError>;
}

pub type ProbeRef = ink::contract_ref!(Probe, ink::env::DefaultEnvironment);

pub fn code() -> Vec<u8> {
    let topic = Stored::SIGNATURE_TOPIC.expect("the event is not anonymous");
    let topic: String = topic.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let text =
        include_str!("probe.wat").replacen("\\04SIGNATURE_TOPIC", &format!("\\04{topic}"), 1);
    wat::parse_str(text).expect("the probe is valid WebAssembly text")
}

pub fn constructor(value: u32) -> Constructor<ProbeError> {
    Constructor::fallible(&ExecutionInput::new(Selector::new([9, 0, 0, 0])).push_arg(value))
}

/// A chain, and the receipt of a probe that holds 1.
pub fn deployed(genesis: Genesis) -> (Embedded, Receipt<AccountId>) {
    let mut chain = Embedded::with_genesis(genesis);
    let alice = chain.account(0);
    let receipt = block_on(chain.instantiate(&alice, &code(), constructor(1), &[]))
        .expect("the probe can be instantiated with one");
    (chain, receipt)
}

/// A chain with an instance of the probe: the chain, the probe, a reference to it, and its owner.
pub fn setup() -> (Embedded, AccountId, ProbeRef, AccountId) {
    let (chain, receipt) = deployed(Genesis::default());
    let owner = chain.account(0);
    (chain, receipt.value, receipt.value.into(), owner)
}
