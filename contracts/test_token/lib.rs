//! A PSP22 token for development networks and tests, with a faucet.
//!
//! The token's behaviour is that of the `psp22` crate; this contract adds storage, metadata and [`TestToken::mint`],
//! through which **anyone** may create units. It must never stand for anything of value.
//!
//! [`TestToken::misbehave`] makes it one of the tokens that a contract must be safe from.

#![cfg_attr(not(feature = "std"), no_std, no_main)]

pub use self::test_token::{TestToken, TestTokenRef};

#[ink::contract(env = breakwater_interfaces::Env)]
mod test_token {
    use ink::prelude::{string::String, vec::Vec};
    use psp22::{PSP22Data, PSP22Error, PSP22Event, PSP22Metadata, PSP22};

    /// What the token does wrong.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    #[ink::scale_derive(Encode, Decode, TypeInfo)]
    #[cfg_attr(feature = "std", derive(ink::storage::traits::StorageLayout))]
    pub enum Fault {
        /// Nothing.
        #[default]
        None,
        /// Takes a hundredth of what is transferred away from the receiver.
        TakesFee,
        /// Moves nothing and says it did.
        MovesNothing,
        /// Moves twice as much as it is told to, if it can.
        MovesTwice,
        /// Refuses transfers.
        Refuses,
        /// Answers transfers with bytes that mean nothing.
        TalksNonsense,
        /// Traps in transfers.
        Traps,
        /// Says that everybody holds the same.
        Lies,
        /// Calls whoever called it, with a message it was given, and traps if that fails.
        CallsBack,
        /// Refuses transfers after which the receiver would hold less than its message says, an
        /// encoded number: an existential deposit.
        RefusesDust,
    }

    /// A PSP22 token anyone may mint.
    #[ink(storage)]
    pub struct TestToken {
        data: PSP22Data,
        name: Option<String>,
        symbol: Option<String>,
        decimals: u8,
        fault: Fault,
        message: Vec<u8>,
    }

    impl TestToken {
        /// Creates the token with `supply` units on the caller's balance.
        ///
        /// # Events
        ///
        /// `Transfer` from nobody to the caller, unless `supply` is zero.
        #[ink(constructor)]
        pub fn new(
            supply: u128,
            name: Option<String>,
            symbol: Option<String>,
            decimals: u8,
        ) -> Self {
            let (data, events) = PSP22Data::new(supply, Self::env().caller());
            let token = Self {
                data,
                name,
                symbol,
                decimals,
                fault: Fault::None,
                message: Vec::new(),
            };
            token.emit_events(events);
            token
        }

        /// Creates `amount` units on the balance of `to`. Open to every caller: a faucet, for development only.
        ///
        /// # Events
        ///
        /// `Transfer` from nobody to `to`, unless `amount` is zero.
        ///
        /// # Errors
        ///
        /// `Custom` if the total supply would exceed 2^128 - 1.
        #[ink(message)]
        pub fn mint(&mut self, to: AccountId, amount: u128) -> Result<(), PSP22Error> {
            let events = self.data.mint(to, amount)?;
            self.emit_events(events);
            Ok(())
        }

        /// Does something wrong from now on. `message` is what [`Fault::CallsBack`] calls with: a
        /// selector and 20 bytes of arguments.
        ///
        /// # Errors
        ///
        /// None.
        #[ink(message)]
        pub fn misbehave(&mut self, fault: Fault, message: Vec<u8>) -> Result<(), PSP22Error> {
            self.fault = fault;
            self.message = message;
            Ok(())
        }

        /// A transfer by the book, or as the fault will have it.
        fn moved(
            &mut self,
            from: AccountId,
            to: AccountId,
            value: u128,
            by: Option<AccountId>,
        ) -> Result<(), PSP22Error> {
            let value = match self.fault {
                Fault::MovesNothing => return Ok(()),
                Fault::MovesTwice => value.saturating_mul(2),
                Fault::Refuses => return Err(PSP22Error::Custom("refused".into())),
                Fault::Traps => panic!("a token that traps"),
                Fault::TalksNonsense => {
                    ink::env::return_value(ink::env::ReturnFlags::empty(), &[0xffu8; 9])
                }
                Fault::CallsBack => {
                    self.call_back();
                    value
                }
                Fault::RefusesDust => {
                    let least = ink::scale::Decode::decode(&mut &self.message[..]).unwrap_or(0u128);
                    if self.data.balance_of(to).saturating_add(value) < least {
                        return Err(PSP22Error::Custom("below the least balance".into()));
                    }
                    value
                }
                Fault::None | Fault::TakesFee | Fault::Lies => value,
            };
            let events = match by {
                Some(spender) => self.data.transfer_from(spender, from, to, value)?,
                None => self.data.transfer(from, to, value)?,
            };
            self.emit_events(events);
            if self.fault == Fault::TakesFee {
                let events = self.data.burn(to, value / 100)?;
                self.emit_events(events);
            }
            Ok(())
        }

        fn call_back(&self) {
            use ink::env::call::{build_call, ExecutionInput, Selector};
            let (Some(selector), Some(rest)) = (self.message.get(..4), self.message.get(4..))
            else {
                return;
            };
            let selector = [selector[0], selector[1], selector[2], selector[3]];
            let rest: [u8; 20] = rest.try_into().expect("20 bytes of arguments");
            build_call::<Environment>()
                .call(self.env().caller())
                .exec_input(ExecutionInput::new(Selector::new(selector)).push_arg(rest))
                .returns::<Result<(), ()>>()
                .invoke()
                .expect("the caller answers");
        }

        fn emit_events(&self, events: Vec<PSP22Event>) {
            for event in events {
                match event {
                    PSP22Event::Transfer(transfer) => self.env().emit_event(transfer),
                    PSP22Event::Approval(approval) => self.env().emit_event(approval),
                }
            }
        }
    }

    impl PSP22 for TestToken {
        #[ink(message)]
        fn total_supply(&self) -> u128 {
            self.data.total_supply()
        }

        #[ink(message)]
        fn balance_of(&self, owner: AccountId) -> u128 {
            if self.fault == Fault::Lies {
                return 1 << 80;
            }
            self.data.balance_of(owner)
        }

        #[ink(message)]
        fn allowance(&self, owner: AccountId, spender: AccountId) -> u128 {
            self.data.allowance(owner, spender)
        }

        #[ink(message)]
        fn transfer(
            &mut self,
            to: AccountId,
            value: u128,
            _data: Vec<u8>,
        ) -> Result<(), PSP22Error> {
            self.moved(self.env().caller(), to, value, None)
        }

        #[ink(message)]
        fn transfer_from(
            &mut self,
            from: AccountId,
            to: AccountId,
            value: u128,
            _data: Vec<u8>,
        ) -> Result<(), PSP22Error> {
            self.moved(from, to, value, Some(self.env().caller()))
        }

        #[ink(message)]
        fn approve(&mut self, spender: AccountId, value: u128) -> Result<(), PSP22Error> {
            let events = self.data.approve(self.env().caller(), spender, value)?;
            self.emit_events(events);
            Ok(())
        }

        #[ink(message)]
        fn increase_allowance(
            &mut self,
            spender: AccountId,
            delta_value: u128,
        ) -> Result<(), PSP22Error> {
            let events = self
                .data
                .increase_allowance(self.env().caller(), spender, delta_value)?;
            self.emit_events(events);
            Ok(())
        }

        #[ink(message)]
        fn decrease_allowance(
            &mut self,
            spender: AccountId,
            delta_value: u128,
        ) -> Result<(), PSP22Error> {
            let events = self
                .data
                .decrease_allowance(self.env().caller(), spender, delta_value)?;
            self.emit_events(events);
            Ok(())
        }
    }

    impl PSP22Metadata for TestToken {
        #[ink(message)]
        fn token_name(&self) -> Option<String> {
            self.name.clone()
        }

        #[ink(message)]
        fn token_symbol(&self) -> Option<String> {
            self.symbol.clone()
        }

        #[ink(message)]
        fn token_decimals(&self) -> u8 {
            self.decimals
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use ink::env::test::{default_accounts, recorded_events, set_caller};
        use ink::env::DefaultEnvironment;
        use ink::scale::Decode;

        // The crate's own suite for every contract that claims to be PSP22.
        psp22::tests!(TestToken, (|supply| TestToken::new(supply, None, None, 0)));

        fn token(supply: u128) -> TestToken {
            TestToken::new(supply, Some("Wrapped Coin".into()), Some("WCN".into()), 12)
        }

        #[ink::test]
        fn metadata_is_what_the_constructor_was_given() {
            let token = token(0);
            assert_eq!(token.token_name().as_deref(), Some("Wrapped Coin"));
            assert_eq!(token.token_symbol().as_deref(), Some("WCN"));
            assert_eq!(token.token_decimals(), 12);
        }

        #[ink::test]
        fn anyone_may_mint_to_anyone() {
            let accounts = default_accounts::<DefaultEnvironment>();
            set_caller::<DefaultEnvironment>(accounts.alice);
            let mut token = token(100);

            set_caller::<DefaultEnvironment>(accounts.bob);
            token
                .mint(accounts.charlie, 25)
                .expect("the supply has room");

            assert_eq!(token.balance_of(accounts.charlie), 25);
            assert_eq!(token.balance_of(accounts.bob), 0);
            assert_eq!(token.total_supply(), 125);
            let last = recorded_events().last().expect("minting emits an event");
            let transfer = psp22::Transfer::decode(&mut &last.data[..]).expect("it is a Transfer");
            assert_eq!(
                (transfer.from, transfer.to, transfer.value),
                (None, Some(accounts.charlie), 25)
            );
        }

        #[ink::test]
        fn minting_past_the_largest_supply_changes_nothing() {
            let accounts = default_accounts::<DefaultEnvironment>();
            set_caller::<DefaultEnvironment>(accounts.alice);
            let mut token = token(u128::MAX);

            assert!(matches!(
                token.mint(accounts.bob, 1),
                Err(PSP22Error::Custom(_))
            ));

            assert_eq!(token.total_supply(), u128::MAX);
            assert_eq!(token.balance_of(accounts.bob), 0);
        }
    }
}
