//! A price source for tests of the oracle adapter. Anyone tells it what to answer and how to
//! misbehave: it must never price anything of value.
#![cfg_attr(not(feature = "std"), no_std, no_main)]

#[ink::contract(env = breakwater_interfaces::Env)]
mod test_source {
    use breakwater_interfaces::oracle::OracleGetters;
    use ink::env::ReturnFlags;
    use ink::prelude::string::String;

    /// How the source answers.
    #[ink::scale_derive(Encode, Decode, TypeInfo)]
    #[cfg_attr(feature = "std", derive(ink::storage::traits::StorageLayout))]
    #[derive(Clone, Copy, Debug)]
    pub enum Mode {
        /// With the time and price it was told.
        Honest,
        /// That it has no price.
        Silent,
        /// Not at all: it traps.
        Trap,
        /// Not at all: it computes until its gas is gone.
        Burn,
        /// With bytes that are no price.
        Garbage,
        /// With bytes that are no price, and a revert.
        Revert,
    }

    /// What to answer, and how.
    #[ink(storage)]
    pub struct TestSource {
        mode: Mode,
        at: u64,
        price: u128,
    }

    impl TestSource {
        /// A source without a price.
        #[ink(constructor)]
        pub fn new() -> Self {
            Self {
                mode: Mode::Silent,
                at: 0,
                price: 0,
            }
        }

        /// Tells the source what to answer from now on, and how.
        #[ink(message)]
        pub fn set(&mut self, mode: Mode, at: u64, price: u128) {
            (self.mode, self.at, self.price) = (mode, at, price);
        }
    }

    impl Default for TestSource {
        fn default() -> Self {
            Self::new()
        }
    }

    impl OracleGetters for TestSource {
        #[ink(message)]
        fn get_latest_price(&self, _pair: String) -> Option<(u64, u128)> {
            match self.mode {
                Mode::Honest => Some((self.at, self.price)),
                Mode::Silent => None,
                Mode::Trap => panic!("told to"),
                Mode::Burn => {
                    let mut hash = self.price.to_le_bytes().to_vec();
                    loop {
                        hash = self
                            .env()
                            .hash_bytes::<ink::env::hash::Blake2x256>(&hash)
                            .to_vec();
                    }
                }
                Mode::Garbage => {
                    ink::env::return_value(ReturnFlags::empty(), &[0xffu8; 5]);
                }
                Mode::Revert => {
                    ink::env::return_value(ReturnFlags::REVERT, &[0xffu8; 5]);
                }
            }
        }
    }
}
