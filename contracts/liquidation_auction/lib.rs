//! The liquidation auction: bidders' balances, bids, the price clock, clearing and claims.
//!
//! Every rule is in `breakwater_core::auction`; this contract loads an auction, calls the rule,
//! stores what it returns, calls the vault or a token at the end and emits an event. Messages are
//! functions of their own, or every call would pay for all of them
//! (`docs/decisions/0042-few-bytes-run.md`).
#![cfg_attr(not(feature = "std"), no_std, no_main)]

mod batches;
mod breaker;
mod ext;
mod standing;
mod state;

#[ink::contract(env = breakwater_interfaces::Env)]
mod liquidation_auction {
    use breakwater_core::auction::{AuctionError, Clearing, Fill, Quote, Status};
    use breakwater_core::breaker::{Cause, Limits, Stage};
    use breakwater_core::ledger::{Leaving, Settlement};
    use breakwater_core::math::MathError;
    use breakwater_core::roles::{Governance, RoleError};
    use breakwater_core::standing::account::{Account, Payout, Worth};
    use breakwater_core::standing::pool::SeriesEnd;
    use breakwater_core::standing::{Discount, Standing, Turn};
    use breakwater_core::units::{Amount, Block, Price};
    use breakwater_interfaces::auction::{
        AuctionContractError as Error, AuctionMarket, AuctionRecord, BalanceChanged, BatchKey, Bid,
        BidCancelled, BidId, BidPage, BidPlaced, BidReplaced, LiquidationAuction as Interface,
        OwnerLeft, Treasury,
    };
    use breakwater_interfaces::breaker::{CircuitBreaker, GlobalBreaker, MarketBreaker, Tripped};
    use breakwater_interfaces::cell::Cell;
    use breakwater_interfaces::governance::{Governed, Guarded, Roles};
    use breakwater_interfaces::root::end_root_unwritten;
    use breakwater_interfaces::standing::StandingBids;
    use breakwater_interfaces::two_pieces::TwoPieces as _;
    use breakwater_interfaces::vault::MarginVault;
    use breakwater_interfaces::MarketId;
    use ink::codegen::TraitCallBuilder;
    use ink::prelude::vec::Vec;
    use ink::storage::traits::ManualKey;
    use ink::storage::Mapping;

    /// Wiring. It lives in the root cell, which every message reads and writes anyway.
    #[derive(Clone, Debug)]
    #[ink::scale_derive(Encode, Decode, TypeInfo)]
    #[cfg_attr(feature = "std", derive(ink::storage::traits::StorageLayout))]
    pub struct Config {
        pub(crate) vault: AccountId,
        pub(crate) oracle: AccountId,
        /// Code of the extension, for good.
        pub(crate) ext: Hash,
    }

    /// Something of one tier of a market.
    pub(crate) type TierKey<T> = (MarketId, Discount, T);

    /// Storage: see `docs/storage.md` for every key.
    #[ink(storage)]
    pub struct LiquidationAuction {
        pub(crate) roles: Roles,
        pub(crate) config: Config,
        /// The breaker of all markets.
        pub(crate) global: Cell<GlobalBreaker>,
        pub(crate) markets: Mapping<MarketId, Cell<AuctionMarket>, ManualKey<0x4d41_524b>>,
        pub(crate) treasuries: Mapping<AccountId, Cell<Treasury>, ManualKey<0x5452_4541>>,
        pub(crate) balances: Mapping<(AccountId, AccountId), Cell<Amount>, ManualKey<0x4241_4c41>>,
        pub(crate) auctions: Mapping<BatchKey, Cell<AuctionRecord>, ManualKey<0x4155_4354>>,
        pub(crate) bids: Mapping<(BatchKey, BidId), Cell<Bid>, ManualKey<0x4249_4453>>,
        pub(crate) breakers: Mapping<MarketId, Cell<MarketBreaker>, ManualKey<0x4252_4541>>,
        pub(crate) standing: Mapping<MarketId, Cell<Standing>, ManualKey<0x5354_414e>>,
        pub(crate) stakes: Mapping<TierKey<AccountId>, Cell<Account>, ManualKey<0x5354_414b>>,
        pub(crate) series: Mapping<TierKey<u32>, Cell<SeriesEnd>, ManualKey<0x5345_5249>>,
        pub(crate) turns: Mapping<TierKey<u32>, Cell<Turn>, ManualKey<0x5455_524e>>,
    }

    impl LiquidationAuction {
        /// An auction contract for the markets of `vault`, whose prices come from `oracle`,
        /// governed by `governor`. `ext` is the hash of the extension's code, which can never be
        /// changed.
        #[ink(constructor, selector = 0x9bae9d5e)]
        pub fn new(governor: AccountId, vault: AccountId, oracle: AccountId, ext: Hash) -> Self {
            Self {
                roles: Roles::new(governor),
                config: Config { vault, oracle, ext },
                global: Cell::default(),
                markets: Mapping::new(),
                treasuries: Mapping::new(),
                balances: Mapping::new(),
                auctions: Mapping::new(),
                bids: Mapping::new(),
                breakers: Mapping::new(),
                standing: Mapping::new(),
                stakes: Mapping::new(),
                series: Mapping::new(),
                turns: Mapping::new(),
            }
        }
    }

    impl Governed for LiquidationAuction {
        #[ink(message)]
        fn propose_governor(&mut self, heir: Option<AccountId>) -> Result<(), RoleError> {
            self.hand_over();
            let proposed = self.roles.propose(self.env().caller(), heir)?;
            self.env().emit_event(proposed);
            Ok(())
        }

        #[ink(message)]
        fn accept_governor(&mut self) -> Result<(), RoleError> {
            self.hand_over();
            let changed = self.roles.accept(self.env().caller())?;
            self.env().emit_event(changed);
            Ok(())
        }

        #[ink(message)]
        fn governance(&self) -> Governance<AccountId> {
            self.hand_over();
            self.roles.get()
        }
    }

    impl Guarded for LiquidationAuction {
        #[ink(message)]
        fn set_guardian(&mut self, guardian: Option<AccountId>) -> Result<(), RoleError> {
            self.hand_over();
            let changed = self.roles.set_guardian(self.env().caller(), guardian)?;
            self.env().emit_event(changed);
            Ok(())
        }
    }

    impl CircuitBreaker for LiquidationAuction {
        #[ink(message)]
        fn trip(&mut self, market: Option<MarketId>, cause: Cause) -> Result<Tripped, Error> {
            self.hand_over();
            self.trip_stage(market, cause)
        }

        #[ink(message)]
        fn refresh(&mut self, market: MarketId) -> Result<(), Error> {
            self.hand_over();
            self.follow_vault(market)
        }

        #[ink(message)]
        fn raise(&mut self, market: Option<MarketId>, stage: Stage) -> Result<(), Error> {
            self.hand_over();
            self.raise_stage(market, stage)
        }

        #[ink(message)]
        fn lower(&mut self, market: Option<MarketId>, stage: Stage) -> Result<(), Error> {
            self.hand_over();
            self.lower_stage(market, stage)
        }

        #[ink(message)]
        fn reopen(&mut self, market: Option<MarketId>) -> Result<(), Error> {
            self.hand_over();
            self.reopen_stage(market)
        }

        #[ink(message)]
        fn set_limits(&mut self, market: MarketId, limits: Limits) -> Result<(), Error> {
            self.hand_over();
            self.limit(market, limits)
        }

        #[ink(message)]
        fn breaker(&self, market: MarketId) -> Option<(MarketBreaker, GlobalBreaker)> {
            self.hand_over();
            Some((self.breaker_of(market).ok()?, self.global.0.clone()))
        }
    }

    impl Interface for LiquidationAuction {
        #[ink(message)]
        fn register_market(&mut self, market: MarketId) -> Result<(), Error> {
            self.hand_over();
            self.ensure_governor()?;
            if self.markets.contains(market) {
                return Err(Error::MarketRegistered);
            }
            self.take_on(market)
        }

        #[ink(message)]
        #[inline(never)]
        fn deposit(&mut self, market: MarketId, amount: Amount) -> Result<(), Error> {
            self.keep();
            if amount.is_zero() {
                return Err(Error::ZeroAmount);
            }
            let owner = self.env().caller();
            let token = self.market_of(market)?.quote;
            let mut treasury = self.treasury_of(token);
            let block = self.env().block_number();
            treasury.before.note(treasury.held, block);
            treasury.held = treasury.held.plus(amount)?;
            let balance = self.balance_of(token, owner).plus(amount)?;
            self.treasuries.insert(token, &Cell(treasury));
            self.set_balance(token, owner, balance);
            self.token(token).pull(owner, amount)?;
            self.env().emit_event(BalanceChanged {
                token,
                owner,
                balance,
            });
            Ok(())
        }

        #[ink(message)]
        #[inline(never)]
        fn withdraw(&mut self, market: MarketId, amount: Amount) -> Result<(), Error> {
            self.keep();
            if amount.is_zero() {
                return Err(Error::ZeroAmount);
            }
            let owner = self.env().caller();
            let token = self.market_of(market)?.quote;
            let balance = self.spend_balance(token, owner, amount)?;
            let mut treasury = self.treasury_of(token);
            treasury.held = treasury.held.minus(amount)?;
            self.treasuries.insert(token, &Cell(treasury));
            self.token(token).pay(owner, amount)?;
            self.env().emit_event(BalanceChanged {
                token,
                owner,
                balance,
            });
            Ok(())
        }

        #[ink(message)]
        #[inline(never)]
        fn open_batch(&mut self, market: MarketId) -> Result<BatchKey, Error> {
            self.keep();
            let batch = self.open_auction(market)?;
            end_root_unwritten::<_, Error>(batch)
        }

        #[ink(message)]
        #[inline(never)]
        fn bid(
            &mut self,
            batch: BatchKey,
            budget: Amount,
            limit: Price,
            valid_until: Block,
        ) -> Result<BidId, Error> {
            self.keep();
            let bidder = self.env().caller();
            let (market, mut record) = self.auction_in_force(batch)?;
            let clock = self.clock(&record, &market);
            let step = record
                .auction
                .place(budget, limit, valid_until, clock, market.scale)?;
            self.spend_balance(market.quote, bidder, budget)?;
            let bid = record.bids;
            record.bids = bid.checked_add(1).ok_or(MathError::Overflow)?;
            self.bids.insert(
                (batch, bid),
                &Cell(Bid {
                    bidder,
                    budget,
                    limit,
                    step,
                }),
            );
            self.store(batch, record);
            self.env().emit_event(BidPlaced {
                batch,
                bid,
                bidder,
                budget,
                limit,
                step,
            });
            end_root_unwritten::<_, Error>(bid)
        }

        #[ink(message)]
        #[inline(never)]
        fn replace(
            &mut self,
            batch: BatchKey,
            bid: BidId,
            budget: Amount,
            limit: Price,
            valid_until: Block,
        ) -> Result<u8, Error> {
            self.keep();
            let (market, mut record) = self.auction_in_force(batch)?;
            let old = self.own_bid(batch, bid)?;
            let clock = self.clock(&record, &market);
            let step = record.auction.replace(
                (old.budget, old.step),
                budget,
                limit,
                valid_until,
                clock,
                market.scale,
            )?;
            let balance = self
                .balance_of(market.quote, old.bidder)
                .plus(old.budget)?
                .minus(budget)
                .map_err(|_| Error::InsufficientBalance)?;
            self.set_balance(market.quote, old.bidder, balance);
            let changed = Bid {
                budget,
                limit,
                step,
                ..old
            };
            self.bids.insert((batch, bid), &Cell(changed));
            self.store(batch, record);
            self.env().emit_event(BidReplaced {
                batch,
                bid,
                budget,
                limit,
                step,
            });
            Ok(step)
        }

        #[ink(message)]
        #[inline(never)]
        fn cancel(&mut self, batch: BatchKey, bid: BidId) -> Result<(), Error> {
            self.keep();
            let (market, mut record) = self.auction_in_force(batch)?;
            let token = market.quote;
            let found = self.own_bid(batch, bid)?;
            let clock = self.clock(&record, &market);
            record.auction.cancel(found.budget, found.step, clock)?;
            let balance = self.balance_of(token, found.bidder).plus(found.budget)?;
            self.set_balance(token, found.bidder, balance);
            self.bids.remove((batch, bid));
            self.store(batch, record);
            self.env().emit_event(BidCancelled { batch, bid });
            Ok(())
        }

        #[ink(message)]
        fn extend(&mut self, batch: BatchKey) -> Result<(), Error> {
            self.hand_over();
            self.extend_auction(batch)
        }

        #[ink(message)]
        #[inline(never)]
        fn leave(&mut self, batch: BatchKey) -> Result<Leaving, Error> {
            self.hand_over();
            let owner = self.env().caller();
            let (market, mut record) = self.auction_in_force(batch)?;
            let clock = self.clock(&record, &market);
            self.join_ended(&mut record, &market, clock)?;
            record.auction.ensure_running(clock)?;
            if clock.stands {
                return Err(AuctionError::Halted.into());
            }
            let ladder = record.auction.prices.clone();
            let left = self
                .vault()
                .call_mut()
                .leave_batch(batch.market, batch.number, owner, ladder)
                .try_invoke();
            let leaving = match left {
                Ok(Ok(leaving)) => leaving.map_err(Error::Vault)?,
                _ => return Err(Error::VaultUnavailable),
            };
            record.auction.retarget(leaving.targets.clone());
            self.env().emit_event(OwnerLeft {
                batch,
                owner,
                leaving: leaving.clone(),
                standing: record.standing.tiers.clone(),
            });
            match self.judge_and_tell(batch, &mut record, &market) {
                Ok(_) | Err(Error::Auction(AuctionError::BiddingOpen | AuctionError::Halted)) => {}
                Err(error) => return Err(error),
            }
            self.store(batch, record);
            Ok(leaving)
        }

        #[ink(message)]
        #[inline(never)]
        fn reprice(&mut self, batch: BatchKey) -> Result<Clearing, Error> {
            self.hand_over();
            let (market, mut record) = self.auction_in_force(batch)?;
            let prices = match self.vault().call().market_prices(batch.market).try_invoke() {
                Ok(Ok(prices)) => prices.map_err(Error::Vault)?,
                _ => return Err(Error::VaultUnavailable),
            };
            let clock = self.clock(&record, &market);
            self.join_ended(&mut record, &market, clock)?;
            let clearing =
                record
                    .auction
                    .reprice(clock, prices.spot, prices.previous, market.scale)?;
            self.announce_clearing(batch, &record, clearing);
            self.store(batch, record);
            Ok(clearing)
        }

        #[ink(message)]
        #[inline(never)]
        fn advance(&mut self, batch: BatchKey) -> Result<Clearing, Error> {
            self.keep();
            let (market, mut record) = self.auction_in_force(batch)?;
            let clearing = self.judge_and_tell(batch, &mut record, &market)?;
            self.store(batch, record);
            end_root_unwritten::<_, Error>(clearing)
        }

        #[ink(message)]
        #[inline(never)]
        fn settle(&mut self, batch: BatchKey) -> Result<Settlement, Error> {
            self.keep();
            let settlement = self.settle_auction(batch)?;
            end_root_unwritten::<_, Error>(settlement)
        }

        #[ink(message)]
        #[inline(never)]
        fn claim(&mut self, batch: BatchKey, bids: Vec<BidId>) -> Result<Fill, Error> {
            self.keep();
            self.claim_bids(batch, bids)
        }

        #[ink(message)]
        fn auction(&self, batch: BatchKey) -> Option<AuctionRecord> {
            self.hand_over();
            self.record(batch).ok()
        }

        #[ink(message)]
        fn status(&self, batch: BatchKey) -> Option<Status> {
            self.hand_over();
            self.status_of(batch).ok()
        }

        #[ink(message)]
        #[inline(never)]
        fn quote(
            &self,
            batch: BatchKey,
            budget: Amount,
            limit: Price,
            at_block: Block,
        ) -> Result<Quote, Error> {
            self.hand_over();
            let (market, mut record) = self.auction_in_force(batch)?;
            let block = at_block.max(self.env().block_number());
            let clock = record.auction.clock(&market.halts, block);
            self.join_begun(&mut record, &market, clock)?;
            Ok(record.auction.quote(budget, limit, clock, market.scale)?)
        }

        #[ink(message)]
        fn bids_of(&self, batch: BatchKey, owner: AccountId, from: BidId) -> BidPage {
            self.hand_over();
            self.page_of_bids(batch, owner, from).unwrap_or_default()
        }

        #[ink(message)]
        fn bid_of(&self, batch: BatchKey, bid: BidId) -> Option<Bid> {
            self.hand_over();
            self.bids.get((batch, bid)).map(|cell| cell.0)
        }

        #[ink(message)]
        fn balance(&self, market: MarketId, owner: AccountId) -> Amount {
            self.hand_over();
            self.market_of(market)
                .map(|found| self.balance_of(found.quote, owner))
                .unwrap_or_default()
        }

        #[ink(message)]
        fn treasury(&self, market: MarketId) -> Treasury {
            self.hand_over();
            self.market_of(market)
                .map(|found| self.treasury_of(found.quote))
                .unwrap_or_default()
        }

        #[ink(message)]
        fn market(&self, market: MarketId) -> Option<AuctionMarket> {
            self.hand_over();
            self.market_in_force(market).ok()
        }
    }

    impl StandingBids for LiquidationAuction {
        #[ink(message)]
        fn stand(&mut self, market: MarketId, percent: u8, amount: Amount) -> Result<(), Error> {
            self.hand_over();
            self.enter_tier(market, percent, amount)
        }

        #[ink(message)]
        fn unstand(
            &mut self,
            market: MarketId,
            percent: u8,
            amount: Amount,
        ) -> Result<Amount, Error> {
            self.hand_over();
            self.leave_tier(market, percent, amount)
        }

        #[ink(message)]
        fn claim_standing(&mut self, market: MarketId, percent: u8) -> Result<Payout, Error> {
            self.hand_over();
            self.claim_tier(market, percent)
        }

        #[ink(message)]
        fn standing(&self, market: MarketId) -> Standing {
            self.hand_over();
            self.standing_of(market)
        }

        #[ink(message)]
        fn stake_of(
            &self,
            market: MarketId,
            percent: u8,
            owner: AccountId,
        ) -> Result<Worth, Error> {
            self.hand_over();
            self.worth_in_tier(market, percent, owner)
        }
    }
}
