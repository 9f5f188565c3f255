//! The oracle adapter: feeders push prices, the lower median of fresh ones becomes a round.
//!
//! Every rule is in `breakwater_core::oracle`; this contract loads a feed, calls the rule, stores
//! the feed and emits an event. What readers see has a cell of its own. Messages are functions of
//! their own, or every call would pay for all of them (`docs/decisions/0042-few-bytes-run.md`).
#![cfg_attr(not(feature = "std"), no_std, no_main)]

#[ink::contract(env = breakwater_interfaces::Env)]
mod oracle_adapter {
    use breakwater_core::oracle::FEED_NOTICE;
    use breakwater_core::oracle::{
        Feed, FeedConfig, OracleError, Outcome, Quote, Reading, Round, SourceConfig, Submission,
    };
    use breakwater_core::roles::{Governance, RoleError};
    use breakwater_core::standing::seen::Seen;
    use breakwater_core::timelock::{Proposal, TimelockError};
    use breakwater_core::units::{Block, Millis, Price};
    use breakwater_interfaces::cell::Cell;
    use breakwater_interfaces::governance::{Governed, Roles};
    use breakwater_interfaces::oracle::{
        FeedChanged, FeedId, FeederChanged, OracleAdapter as Interface, OracleGetters,
        RoundAccepted, RoundQuarantined,
    };
    use breakwater_interfaces::Env;
    use ink::codegen::TraitCallBuilder;
    use ink::prelude::vec::Vec;
    use ink::storage::traits::ManualKey;
    use ink::storage::Mapping;

    type FeedCell = Cell<Feed<AccountId>>;

    /// Storage: see `docs/storage.md` for every key.
    #[ink(storage)]
    pub struct OracleAdapter {
        roles: Roles,
        feeds: Mapping<FeedId, FeedCell, ManualKey<0x4645_4544>>,
        quotes: Mapping<FeedId, Cell<Quote>, ManualKey<0x5155_4f54>>,
        sources: Mapping<(FeedId, AccountId), Cell<SourceConfig>, ManualKey<0x534f_5552>>,
        proposals: Mapping<FeedId, Cell<Proposal<FeedConfig>>, ManualKey<0x5052_4f50>>,
    }

    impl OracleAdapter {
        /// An adapter without feeds, governed by `governor`.
        #[ink(constructor, selector = 0x9bae9d5e)]
        pub fn new(governor: AccountId) -> Self {
            Self {
                roles: Roles::new(governor),
                feeds: Mapping::new(),
                quotes: Mapping::new(),
                sources: Mapping::new(),
                proposals: Mapping::new(),
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

        fn add(
            &mut self,
            feed: FeedId,
            feeder: AccountId,
            source: Option<SourceConfig>,
        ) -> Result<(), OracleError> {
            self.ensure_governor()?;
            let mut state = self.load(feed)?;
            state.add_feeder(feeder)?;
            self.feeds.insert(feed, &Cell(state));
            if let Some(config) = &source {
                self.sources.insert((feed, feeder), &Cell(config.clone()));
            }
            self.env().emit_event(FeederChanged {
                feed,
                feeder,
                may_submit: true,
                source,
            });
            Ok(())
        }

        fn tell(&self, feed: FeedId, announced: Option<Proposal<FeedConfig>>, config: FeedConfig) {
            self.env().emit_event(FeedChanged {
                feed,
                announced,
                config,
            });
        }

        /// Records what a feeder observed and returns the round it completes, if any.
        fn record(
            &mut self,
            feed: FeedId,
            feeder: AccountId,
            submission: Submission,
        ) -> Result<Option<Round>, OracleError> {
            let mut state = self.load(feed)?;
            let outcome = state.submit(
                &feeder,
                submission,
                self.env().block_timestamp(),
                self.env().block_number(),
            )?;
            let quote = state.quote;
            self.feeds.insert(feed, &Cell(state));
            if outcome != Outcome::Recorded {
                if let Some(quote) = quote {
                    self.quotes.insert(feed, &Cell(quote));
                }
            }
            match outcome {
                Outcome::Recorded => Ok(None),
                Outcome::Accepted(round) => {
                    self.env().emit_event(RoundAccepted {
                        feed,
                        round,
                        previous: quote.map_or(round.price, |quote| quote.previous),
                    });
                    Ok(Some(round))
                }
                Outcome::Quarantined(quarantine) => {
                    self.env().emit_event(RoundQuarantined {
                        feed,
                        price: quarantine.price,
                        block: quarantine.block,
                    });
                    Ok(None)
                }
            }
        }

        /// Asks a source within its gas. Whatever it does instead of answering is no answer.
        fn ask(
            &self,
            source: AccountId,
            config: &SourceConfig,
        ) -> Result<(u64, u128), OracleError> {
            let oracle: ink::contract_ref!(OracleGetters, Env) = source.into();
            let answer = oracle
                .call()
                .get_latest_price(config.pair.clone())
                .ref_time_limit(config.ref_time)
                .proof_size_limit(config.proof_size)
                .try_invoke();
            match answer {
                Ok(Ok(Some(answer))) => Ok(answer),
                _ => Err(OracleError::SourceFailed),
            }
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
        #[inline(never)]
        fn register_feed(&mut self, feed: FeedId, config: FeedConfig) -> Result<(), OracleError> {
            self.ensure_governor()?;
            if self.feeds.contains(feed) {
                return Err(OracleError::FeedExists);
            }
            self.feeds.insert(feed, &Cell(Feed::new(config)?));
            self.tell(feed, None, config);
            Ok(())
        }

        #[ink(message)]
        #[inline(never)]
        fn add_feeder(&mut self, feed: FeedId, feeder: AccountId) -> Result<(), OracleError> {
            self.add(feed, feeder, None)
        }

        #[ink(message)]
        #[inline(never)]
        fn add_source(
            &mut self,
            feed: FeedId,
            source: AccountId,
            config: SourceConfig,
        ) -> Result<(), OracleError> {
            config.validate()?;
            self.add(feed, source, Some(config))
        }

        #[ink(message)]
        #[inline(never)]
        fn remove_feeder(&mut self, feed: FeedId, feeder: AccountId) -> Result<(), OracleError> {
            self.ensure_governor()?;
            let mut state = self.load(feed)?;
            state.remove_feeder(&feeder)?;
            self.feeds.insert(feed, &Cell(state));
            self.sources.remove((feed, feeder));
            self.env().emit_event(FeederChanged {
                feed,
                feeder,
                may_submit: false,
                source: None,
            });
            Ok(())
        }

        #[ink(message)]
        #[inline(never)]
        fn propose_feed(
            &mut self,
            feed: FeedId,
            config: Option<FeedConfig>,
        ) -> Result<(), OracleError> {
            self.ensure_governor()?;
            let state = self.load(feed)?;
            let announced = match config {
                Some(next) => {
                    state.config.ensure_may_become(&next, state.feeders.len())?;
                    let proposal = Proposal::new(next, self.env().block_timestamp(), FEED_NOTICE);
                    self.proposals.insert(feed, &Cell(proposal.clone()));
                    Some(proposal)
                }
                None => {
                    self.proposals.remove(feed);
                    None
                }
            };
            self.tell(feed, announced, state.config);
            Ok(())
        }

        #[ink(message)]
        #[inline(never)]
        fn apply_feed(&mut self, feed: FeedId) -> Result<(), OracleError> {
            let mut state = self.load(feed)?;
            let proposal = self
                .proposals
                .take(feed)
                .ok_or(TimelockError::NothingProposed)?;
            state.reconfigure(proposal.0.ripe(self.env().block_timestamp())?)?;
            let config = state.config;
            self.feeds.insert(feed, &Cell(state));
            self.tell(feed, None, config);
            Ok(())
        }

        #[ink(message)]
        #[inline(never)]
        fn proposed_feed(&self, feed: FeedId) -> Option<Proposal<FeedConfig>> {
            self.proposals.get(feed).map(|cell| cell.0)
        }

        #[ink(message)]
        #[inline(never)]
        fn submit(
            &mut self,
            feed: FeedId,
            price: Price,
            observed_at: Millis,
        ) -> Result<Option<Round>, OracleError> {
            let submission = Submission {
                price,
                at: observed_at,
            };
            self.record(feed, self.env().caller(), submission)
        }

        #[ink(message)]
        #[inline(never)]
        fn poke(&mut self, feed: FeedId, source: AccountId) -> Result<Option<Round>, OracleError> {
            let config = self
                .sources
                .get((feed, source))
                .map(|cell| cell.0)
                .ok_or(OracleError::NotASource)?;
            let (timestamp, price) = self.ask(source, &config)?;
            let submission = config.submission(timestamp, price)?;
            self.record(feed, source, submission)
        }

        #[ink(message)]
        #[inline(never)]
        fn read(&self, feed: FeedId) -> Result<Reading, OracleError> {
            match self.quotes.get(feed) {
                Some(cell) => cell.0.reading(self.env().block_timestamp()),
                None if self.feeds.contains(feed) => Err(OracleError::NoRound),
                None => Err(OracleError::UnknownFeed),
            }
        }

        #[ink(message)]
        #[inline(never)]
        fn prices_since(&self, feed: FeedId, block: Block) -> Vec<Seen> {
            self.load(feed)
                .map(|state| state.seen.since(block))
                .unwrap_or_default()
        }

        #[ink(message)]
        #[inline(never)]
        fn feed(&self, feed: FeedId) -> Option<Feed<AccountId>> {
            self.load(feed).ok()
        }
    }
}
