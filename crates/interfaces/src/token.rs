//! The part of PSP22 that the contracts use, and calls to it that cannot panic.

use crate::{AccountId, Env};
use breakwater_core::units::Amount;
use ink::codegen::TraitCallBuilder;
use ink::prelude::string::String;
use ink::prelude::vec::Vec;
use scale::{Decode, Encode};

/// PSP22 as published: error variants in the order of the standard.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum PSP22Error {
    /// A reason of the token's own.
    Custom(String),
    /// The holder has less than that.
    InsufficientBalance,
    /// The spender may spend less than that.
    InsufficientAllowance,
    /// Not used by current tokens.
    ZeroRecipientAddress,
    /// Not used by current tokens.
    ZeroSenderAddress,
    /// Not used by current tokens.
    SafeTransferCheckFailed(String),
}

/// The messages of PSP22 that move and count tokens.
#[ink::trait_definition]
pub trait PSP22 {
    /// Tokens an account holds.
    #[ink(message)]
    fn balance_of(&self, owner: AccountId) -> u128;

    /// Moves the caller's tokens.
    #[ink(message)]
    fn transfer(&mut self, to: AccountId, value: u128, data: Vec<u8>) -> Result<(), PSP22Error>;

    /// Moves tokens of an account that has approved the caller.
    #[ink(message)]
    fn transfer_from(
        &mut self,
        from: AccountId,
        to: AccountId,
        value: u128,
        data: Vec<u8>,
    ) -> Result<(), PSP22Error>;

    /// Lets a spender move that many of the caller's tokens.
    #[ink(message)]
    fn approve(&mut self, spender: AccountId, value: u128) -> Result<(), PSP22Error>;
}

/// Why a token call was refused. The message that made it fails and changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum TokenError {
    /// The token answered with an error, trapped, or answered rubbish.
    CallFailed,
    /// What arrived is not what was sent: the token takes a fee or lies.
    WrongAmountArrived,
}

/// A token seen from the contract that calls it.
pub struct Token {
    address: AccountId,
    own: AccountId,
}

impl Token {
    /// The token at an address, called by the contract `own`.
    #[must_use]
    pub fn new(address: AccountId, own: AccountId) -> Self {
        Self { address, own }
    }

    fn reference(&self) -> ink::contract_ref!(PSP22, Env) {
        self.address.into()
    }

    /// Tokens this contract holds.
    ///
    /// # Errors
    /// [`TokenError::CallFailed`].
    pub fn held(&self) -> Result<Amount, TokenError> {
        match self.reference().call().balance_of(self.own).try_invoke() {
            Ok(Ok(balance)) => Ok(Amount::new(balance)),
            _ => Err(TokenError::CallFailed),
        }
    }

    /// Takes approved tokens from an account and makes sure that exactly so many arrived.
    ///
    /// # Errors
    /// [`TokenError::CallFailed`], [`TokenError::WrongAmountArrived`].
    pub fn pull(&self, from: AccountId, amount: Amount) -> Result<(), TokenError> {
        let before = self.held()?;
        let moved = self
            .reference()
            .call_mut()
            .transfer_from(from, self.own, amount.get(), Vec::new())
            .try_invoke();
        if !matches!(moved, Ok(Ok(Ok(())))) {
            return Err(TokenError::CallFailed);
        }
        let arrived = self.held()?.minus(before);
        if arrived != Ok(amount) {
            return Err(TokenError::WrongAmountArrived);
        }
        Ok(())
    }

    /// Pays tokens out.
    ///
    /// # Errors
    /// [`TokenError::CallFailed`].
    pub fn push(&self, to: AccountId, amount: Amount) -> Result<(), TokenError> {
        let moved = self
            .reference()
            .call_mut()
            .transfer(to, amount.get(), Vec::new())
            .try_invoke();
        match moved {
            Ok(Ok(Ok(()))) => Ok(()),
            _ => Err(TokenError::CallFailed),
        }
    }
}
