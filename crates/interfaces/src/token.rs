//! The part of PSP22 that the contracts use, and calls to it that cannot panic.

use crate::{AccountId, Env};
use breakwater_core::units::Amount;
use ink::codegen::TraitCallBuilder;
use ink::env::call::{build_call, ExecutionInput, Selector};
use ink::prelude::string::String;
use ink::prelude::vec::Vec;
use scale::{Decode, Encode, Input};

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

/// The message of PSP22's metadata that the contracts use.
#[ink::trait_definition]
pub trait PSP22Metadata {
    /// Decimals of one whole token.
    #[ink(message)]
    fn token_decimals(&self) -> u8;
}

/// Base units that the creator of a market sends to and fro to try a token out: enough that a fee
/// of a millionth shows.
pub const PROBE: Amount = Amount::new(1_000_000);

/// Why a token call was refused. The message that made it fails and changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "std", derive(scale_info::TypeInfo))]
pub enum TokenError {
    /// The token answered with an error, trapped, or answered rubbish.
    CallFailed,
    /// What arrived is not what was sent: the token takes a fee or lies.
    WrongAmountArrived,
    /// What left is not what was paid out.
    WrongAmountLeft,
    /// The token has other decimals than the market.
    WrongDecimals,
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
        self.held_by(self.own)
    }

    fn held_by(&self, owner: AccountId) -> Result<Amount, TokenError> {
        match self.reference().call().balance_of(owner).try_invoke() {
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
        let message = ExecutionInput::new(TRANSFER_FROM)
            .push_arg(from)
            .push_arg(self.own)
            .push_arg(amount.get())
            .push_arg(NO_DATA);
        self.run(message)?;
        let arrived = self.held()?.minus(before);
        if arrived != Ok(amount) {
            return Err(TokenError::WrongAmountArrived);
        }
        Ok(())
    }

    /// Pays tokens out and makes sure that exactly so many left.
    ///
    /// A fee that the token takes from what arrives is the receiver's: nobody is locked in by it.
    ///
    /// # Errors
    /// [`TokenError::CallFailed`], [`TokenError::WrongAmountLeft`].
    pub fn pay(&self, to: AccountId, amount: Amount) -> Result<(), TokenError> {
        let before = self.held()?;
        self.push(to, amount)?;
        if before.minus(self.held()?) != Ok(amount) {
            return Err(TokenError::WrongAmountLeft);
        }
        Ok(())
    }

    /// Sends tokens and makes sure that exactly so many arrived.
    fn deliver(&self, to: AccountId, amount: Amount) -> Result<(), TokenError> {
        let before = self.held_by(to)?;
        self.push(to, amount)?;
        if self.held_by(to)?.minus(before) != Ok(amount) {
            return Err(TokenError::WrongAmountArrived);
        }
        Ok(())
    }

    /// Tries a token out: its decimals, and [`PROBE`] units from an account that has approved
    /// them and back, with nothing lost on the way.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn probe(&self, with: AccountId, decimals: u8) -> Result<(), TokenError> {
        let metadata: ink::contract_ref!(PSP22Metadata, Env) = self.address.into();
        match metadata.call().token_decimals().try_invoke() {
            Ok(Ok(told)) if told == decimals => {}
            Ok(Ok(_)) => return Err(TokenError::WrongDecimals),
            _ => return Err(TokenError::CallFailed),
        }
        let before = self.held()?;
        self.pull(with, PROBE)?;
        self.deliver(with, PROBE)?;
        if self.held()? != before {
            return Err(TokenError::WrongAmountLeft);
        }
        Ok(())
    }

    /// Sends tokens without measuring them: for settlements, which two more calls would make
    /// dearer by a fifteenth.
    ///
    /// # Errors
    /// [`TokenError::CallFailed`].
    pub fn push(&self, to: AccountId, amount: Amount) -> Result<(), TokenError> {
        let message = ExecutionInput::new(TRANSFER)
            .push_arg(to)
            .push_arg(amount.get())
            .push_arg(NO_DATA);
        self.run(message)
    }

    /// Runs a transfer. Why a token refuses is nothing to act on: its error is not decoded, which
    /// saves a kilobyte of code.
    fn run<Args: Encode>(&self, message: ExecutionInput<Args>) -> Result<(), TokenError> {
        let answer = build_call::<Env>()
            .call(self.address)
            .exec_input(message)
            .returns::<Accepted>()
            .try_invoke();
        match answer {
            Ok(Ok(Accepted)) => Ok(()),
            _ => Err(TokenError::CallFailed),
        }
    }
}

const TRANSFER: Selector = Selector::new(ink::selector_bytes!("PSP22::transfer"));
const TRANSFER_FROM: Selector = Selector::new(ink::selector_bytes!("PSP22::transfer_from"));

/// What goes along with a transfer.
const NO_DATA: Vec<u8> = Vec::new();

/// The answer `Ok(())` of a transfer. Everything else fails to decode.
struct Accepted;

impl Decode for Accepted {
    fn decode<I: Input>(input: &mut I) -> Result<Self, scale::Error> {
        match input.read_byte()? {
            0 => Ok(Self),
            _ => Err("refused".into()),
        }
    }
}
