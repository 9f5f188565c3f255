//! The oracle adapter: feeders push prices, the lower median of fresh ones becomes a round.
//!
//! Every rule is in `breakwater_core::oracle`; this contract loads a feed, calls the rule, stores
//! the feed and emits an event. All of a feed fits one storage cell.
#![cfg_attr(not(feature = "std"), no_std, no_main)]

#[ink::contract(env = breakwater_interfaces::Env)]
mod oracle_adapter {
    use breakwater_core::oracle::{Feed, FeedConfig, OracleError, Reading, Round, Submission};
    use breakwater_core::roles::{Governance, RoleError};
    use breakwater_core::units::{Millis, Price};
    use breakwater_interfaces::cell::Cell;
    use breakwater_interfaces::governance::{Governed, Roles};
    use breakwater_interfaces::oracle::{FeedId, OracleAdapter as Interface, RoundAccepted};
    use ink::storage::traits::ManualKey;
    use ink::storage::Mapping;

    type FeedCell = Cell<Feed<AccountId>>;

    /// Storage: see `docs/storage.md` for every key.
    #[ink(storage)]
    pub struct OracleAdapter {
        roles: Roles,
        feeds: Mapping<FeedId, FeedCell, ManualKey<0x4645_4544>>,
    }

    impl OracleAdapter {
        /// An adapter without feeds, governed by `governor`.
        #[ink(constructor, selector = 0x9bae9d5e)]
        pub fn new(governor: AccountId) -> Self {
            Self {
                roles: Roles::new(governor),
                feeds: Mapping::new(),
            }
        }

        fn ensure_governor(&self) -> Result<(), OracleError> {
            self.roles
                .ensure(self.env().caller())
                .map_err(|_| OracleError::Unauthorised)
        }

        fn load(&self, feed: FeedId) -> Result<Feed<AccountId>, OracleError> {
            self.feeds
                .get(feed)
                .map(|cell| cell.0)
                .ok_or(OracleError::UnknownFeed)
        }
    }

    impl Governed for OracleAdapter {
        #[ink(message)]
        fn propose_governor(&mut self, heir: Option<AccountId>) -> Result<(), RoleError> {
            let proposed = self.roles.propose(self.env().caller(), heir)?;
            self.env().emit_event(proposed);
            Ok(())
        }

        #[ink(message)]
        fn accept_governor(&mut self) -> Result<(), RoleError> {
            let changed = self.roles.accept(self.env().caller())?;
            self.env().emit_event(changed);
            Ok(())
        }

        #[ink(message)]
        fn governance(&self) -> Governance<AccountId> {
            self.roles.get()
        }
    }

    impl Interface for OracleAdapter {
        #[ink(message)]
        fn register_feed(&mut self, feed: FeedId, config: FeedConfig) -> Result<(), OracleError> {
            self.ensure_governor()?;
            if self.feeds.contains(feed) {
                return Err(OracleError::FeedExists);
            }
            self.feeds.insert(feed, &Cell(Feed::new(config)?));
            Ok(())
        }

        #[ink(message)]
        fn add_feeder(&mut self, feed: FeedId, feeder: AccountId) -> Result<(), OracleError> {
            self.ensure_governor()?;
            let mut state = self.load(feed)?;
            state.add_feeder(feeder)?;
            self.feeds.insert(feed, &Cell(state));
            Ok(())
        }

        #[ink(message)]
        fn remove_feeder(&mut self, feed: FeedId, feeder: AccountId) -> Result<(), OracleError> {
            self.ensure_governor()?;
            let mut state = self.load(feed)?;
            state.remove_feeder(&feeder)?;
            self.feeds.insert(feed, &Cell(state));
            Ok(())
        }

        #[ink(message)]
        fn submit(
            &mut self,
            feed: FeedId,
            price: Price,
            observed_at: Millis,
        ) -> Result<Option<Round>, OracleError> {
            let mut state = self.load(feed)?;
            let submission = Submission {
                price,
                at: observed_at,
            };
            let accepted = state.submit(
                &self.env().caller(),
                submission,
                self.env().block_timestamp(),
                self.env().block_number(),
            )?;
            let previous = state.previous;
            self.feeds.insert(feed, &Cell(state));
            if let Some(round) = accepted {
                self.env().emit_event(RoundAccepted {
                    feed,
                    round,
                    previous,
                });
            }
            Ok(accepted)
        }

        #[ink(message)]
        fn read(&self, feed: FeedId) -> Result<Reading, OracleError> {
            self.load(feed)?.read(self.env().block_timestamp())
        }

        #[ink(message)]
        fn feed(&self, feed: FeedId) -> Option<Feed<AccountId>> {
            self.load(feed).ok()
        }
    }
}
