//! The liquidation auction: bidders' balances, bids, the price clock, clearing and claims.
//!
//! Every rule is in `breakwater_core::auction`; this contract loads an auction, calls the rule,
//! stores what it returns, calls the vault or a token at the end and emits an event.
#![cfg_attr(not(feature = "std"), no_std, no_main)]

mod standing;
mod state;

#[ink::contract(env = breakwater_interfaces::Env)]
mod liquidation_auction {
    use breakwater_core::auction::{Auction, AuctionError, Clearing, Fill, Halts, Quote, Status};
    use breakwater_core::batch::Sale;
    use breakwater_core::ladder::Schedule;
    use breakwater_core::ledger::{Leaving, Settlement};
    use breakwater_core::math::{MathError, Rounding};
    use breakwater_core::roles::{Governance, RoleError};
    use breakwater_core::standing::account::{Account, Payout, Worth};
    use breakwater_core::standing::pool::SeriesEnd;
    use breakwater_core::standing::seen::fresh_for;
    use breakwater_core::standing::{Discount, Standing, Turn};
    use breakwater_core::units::{Amount, Block, Price};
    use breakwater_interfaces::auction::{
        AuctionCleared, AuctionContractError as Error, AuctionExtended, AuctionMarket,
        AuctionOpened, AuctionRecord, AuctionSettled, BalanceChanged, BatchKey, Bid, BidCancelled,
        BidId, BidPage, BidPlaced, BidReplaced, LiquidationAuction as Interface, OwnerLeft,
        Treasury,
    };
    use breakwater_interfaces::cell::Cell;
    use breakwater_interfaces::governance::{Governed, Roles};
    use breakwater_interfaces::standing::StandingBids;
    use breakwater_interfaces::vault::MarginVault;
    use breakwater_interfaces::{Env, MarketId};
    use ink::codegen::TraitCallBuilder;
    use ink::prelude::vec::Vec;
    use ink::storage::traits::ManualKey;
    use ink::storage::{Lazy, Mapping};

    /// The least that is put into a tier is this part of the market's least debt.
    const LEAST_STANDING: u128 = 100;

    /// Wiring; read only by the messages that need them.
    #[ink::scale_derive(Encode, Decode, TypeInfo)]
    #[cfg_attr(feature = "std", derive(ink::storage::traits::StorageLayout))]
    pub struct Config {
        pub(crate) vault: AccountId,
        pub(crate) oracle: AccountId,
    }

    /// Something of one tier of a market.
    pub(crate) type TierKey<T> = (MarketId, Discount, T);

    /// Storage: see `docs/storage.md` for every key.
    #[ink(storage)]
    pub struct LiquidationAuction {
        pub(crate) roles: Roles,
        pub(crate) config: Lazy<Config, ManualKey<0x434f_4e46>>,
        pub(crate) markets: Mapping<MarketId, Cell<AuctionMarket>, ManualKey<0x4d41_524b>>,
        pub(crate) treasuries: Mapping<AccountId, Cell<Treasury>, ManualKey<0x5452_4541>>,
        pub(crate) balances: Mapping<(AccountId, AccountId), Cell<Amount>, ManualKey<0x4241_4c41>>,
        pub(crate) auctions: Mapping<BatchKey, Cell<AuctionRecord>, ManualKey<0x4155_4354>>,
        pub(crate) bids: Mapping<(BatchKey, BidId), Cell<Bid>, ManualKey<0x4249_4453>>,
        pub(crate) standing: Mapping<MarketId, Cell<Standing>, ManualKey<0x5354_414e>>,
        pub(crate) stakes: Mapping<TierKey<AccountId>, Cell<Account>, ManualKey<0x5354_414b>>,
        pub(crate) series: Mapping<TierKey<u32>, Cell<SeriesEnd>, ManualKey<0x5345_5249>>,
        pub(crate) turns: Mapping<TierKey<u32>, Cell<Turn>, ManualKey<0x5455_524e>>,
    }

    impl LiquidationAuction {
        /// An auction contract for the markets of `vault`, whose prices come from `oracle`,
        /// governed by `governor`.
        #[ink(constructor, selector = 0x9bae9d5e)]
        pub fn new(governor: AccountId, vault: AccountId, oracle: AccountId) -> Self {
            let mut config = Lazy::new();
            config.set(&Config { vault, oracle });
            Self {
                roles: Roles::new(governor),
                config,
                markets: Mapping::new(),
                treasuries: Mapping::new(),
                balances: Mapping::new(),
                auctions: Mapping::new(),
                bids: Mapping::new(),
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

    impl Interface for LiquidationAuction {
        #[ink(message)]
        fn register_market(&mut self, market: MarketId) -> Result<(), Error> {
            self.ensure_governor()?;
            if self.markets.contains(market) {
                return Err(Error::MarketRegistered);
            }
            let Config { vault, oracle } = self.config()?;
            let vault: ink::contract_ref!(MarginVault, Env) = vault.into();
            let found = match vault.call().market(market).try_invoke() {
                Ok(Ok(found)) => found.ok_or(Error::UnknownMarket)?,
                _ => return Err(Error::VaultUnavailable),
            };
            let params = &found.params;
            let scale = params.scale().map_err(|_| Error::VaultUnavailable)?;
            let least = params.min_debt.mul_div(1, LEAST_STANDING, Rounding::Up)?;
            self.markets.insert(
                market,
                &Cell(AuctionMarket {
                    collateral: found.collateral,
                    quote: found.quote,
                    scale,
                    blocks_per_step: params.ladder.blocks_per_step,
                    announce_blocks: params.ladder.announce_blocks,
                    oracle,
                    feed: params.feed,
                    fresh_for: fresh_for(params.max_price_age),
                    deepest: Discount::deepest_over(params.ladder.floor),
                    least_standing: least,
                    halts: Halts::default(),
                }),
            );
            Ok(())
        }

        #[ink(message)]
        fn deposit(&mut self, market: MarketId, amount: Amount) -> Result<(), Error> {
            if amount.is_zero() {
                return Err(Error::ZeroAmount);
            }
            let owner = self.env().caller();
            let token = self.market_of(market)?.quote;
            let mut treasury = self.treasury_of(token);
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
        fn withdraw(&mut self, market: MarketId, amount: Amount) -> Result<(), Error> {
            if amount.is_zero() {
                return Err(Error::ZeroAmount);
            }
            let owner = self.env().caller();
            let token = self.market_of(market)?.quote;
            let balance = self.spend_balance(token, owner, amount)?;
            let mut treasury = self.treasury_of(token);
            treasury.held = treasury.held.minus(amount)?;
            self.treasuries.insert(token, &Cell(treasury));
            self.token(token).push(owner, amount)?;
            self.env().emit_event(BalanceChanged {
                token,
                owner,
                balance,
            });
            Ok(())
        }

        #[ink(message)]
        fn open_batch(&mut self, market: MarketId) -> Result<BatchKey, Error> {
            let terms = self.market_of(market)?;
            let mut treasury = self.treasury_of(terms.quote);
            let standing = self.standing_in(market, &treasury);
            let demand = self.demand(&terms, &treasury, &standing, None)?;
            let opening = match self
                .vault()?
                .call_mut()
                .open_batch(market, demand)
                .try_invoke()
            {
                Ok(Ok(opening)) => opening.map_err(Error::Vault)?,
                _ => return Err(Error::VaultUnavailable),
            };
            let batch = BatchKey {
                market,
                number: opening.number,
            };
            let opener = self.env().caller();
            let opened = self.env().block_number();
            let first = opened
                .checked_add(u32::from(terms.announce_blocks))
                .ok_or(MathError::Overflow)?;
            let steps = u8::try_from(opening.prices.len()).map_err(|_| MathError::Overflow)?;
            let schedule = Schedule {
                first,
                blocks_per_step: terms.blocks_per_step,
                steps,
            };
            let mut auction = Auction::open(
                schedule,
                opened,
                opening.spot,
                opening.prices.clone(),
                opening.targets.clone(),
            )?;
            let claim = self.reserve_standing(batch, &terms, standing, &mut auction, &opening)?;
            self.env().emit_event(AuctionOpened {
                batch,
                opener,
                first,
                blocks_per_step: terms.blocks_per_step,
                reference: auction.reference,
                reserve: auction.reserve,
                prices: opening.prices,
                targets: opening.targets,
            });
            let record = AuctionRecord {
                auction,
                opener,
                bids: 0,
                collateral: Amount::ZERO,
                standing: claim,
            };
            self.store(batch, record);
            treasury.running.push(batch);
            self.treasuries.insert(terms.quote, &Cell(treasury));
            Ok(batch)
        }

        #[ink(message)]
        fn bid(
            &mut self,
            batch: BatchKey,
            budget: Amount,
            limit: Price,
            valid_until: Block,
        ) -> Result<BidId, Error> {
            let bidder = self.env().caller();
            let market = self.market_of(batch.market)?;
            let mut record = self.record(batch)?;
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
            Ok(bid)
        }

        #[ink(message)]
        fn replace(
            &mut self,
            batch: BatchKey,
            bid: BidId,
            budget: Amount,
            limit: Price,
            valid_until: Block,
        ) -> Result<u8, Error> {
            let market = self.market_of(batch.market)?;
            let mut record = self.record(batch)?;
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
        fn cancel(&mut self, batch: BatchKey, bid: BidId) -> Result<(), Error> {
            let market = self.market_of(batch.market)?;
            let token = market.quote;
            let mut record = self.record(batch)?;
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
            let market = self.market_of(batch.market)?;
            let mut record = self.record(batch)?;
            let clock = self.clock(&record, &market);
            record.auction.ensure_announced(clock)?;
            let treasury = self.treasury_of(market.quote);
            let standing = self.standing_in(batch.market, &treasury);
            let own = Some((batch, &record.standing));
            let demand = self.demand(&market, &treasury, &standing, own)?;
            let ladder = record.auction.prices.clone();
            let extended = self
                .vault()?
                .call_mut()
                .extend_batch(batch.market, batch.number, demand, ladder)
                .try_invoke();
            let opening = match extended {
                Ok(Ok(opening)) => opening.map_err(Error::Vault)?,
                _ => return Err(Error::VaultUnavailable),
            };
            record.auction.retarget(opening.targets.clone());
            self.reserve_more(batch, &market, standing, &mut record)?;
            self.store(batch, record);
            self.env().emit_event(AuctionExtended {
                batch,
                caller: self.env().caller(),
                targets: opening.targets,
            });
            Ok(())
        }

        #[ink(message)]
        fn leave(&mut self, batch: BatchKey) -> Result<Leaving, Error> {
            let owner = self.env().caller();
            let market = self.market_of(batch.market)?;
            let mut record = self.record(batch)?;
            self.join_ended(&mut record, &market)?;
            record
                .auction
                .ensure_running(self.clock(&record, &market))?;
            let ladder = record.auction.prices.clone();
            let left = self
                .vault()?
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
            });
            match self.judge(batch, &mut record, &market) {
                Ok(_) | Err(Error::Auction(AuctionError::BiddingOpen | AuctionError::Halted)) => {}
                Err(error) => return Err(error),
            }
            self.store(batch, record);
            Ok(leaving)
        }

        #[ink(message)]
        fn reprice(&mut self, batch: BatchKey) -> Result<Clearing, Error> {
            let market = self.market_of(batch.market)?;
            let mut record = self.record(batch)?;
            let prices = match self
                .vault()?
                .call()
                .market_prices(batch.market)
                .try_invoke()
            {
                Ok(Ok(prices)) => prices.map_err(Error::Vault)?,
                _ => return Err(Error::VaultUnavailable),
            };
            self.join_ended(&mut record, &market)?;
            let clock = self.clock(&record, &market);
            let clearing =
                record
                    .auction
                    .reprice(clock, prices.spot, prices.previous, market.scale)?;
            self.env().emit_event(AuctionCleared { batch, clearing });
            self.store(batch, record);
            Ok(clearing)
        }

        #[ink(message)]
        fn advance(&mut self, batch: BatchKey) -> Result<Clearing, Error> {
            let market = self.market_of(batch.market)?;
            let mut record = self.record(batch)?;
            let clearing = self.judge(batch, &mut record, &market)?;
            self.store(batch, record);
            Ok(clearing)
        }

        #[ink(message)]
        fn settle(&mut self, batch: BatchKey) -> Result<Settlement, Error> {
            let settler = self.env().caller();
            let market = self.market_of(batch.market)?;
            let mut record = self.record(batch)?;
            self.judge(batch, &mut record, &market)?;
            let clearing = record.auction.settle()?;
            let (raised, sold) = (clearing.raised, clearing.sold);
            let opener = record.opener;
            record.collateral = sold;
            let mut treasury = self.treasury_of(market.quote);
            self.settle_standing(batch, &market, &mut record, &mut treasury)?;
            self.store(batch, record);
            treasury.held = treasury.held.minus(raised)?;
            treasury.running.retain(|running| *running != batch);
            self.treasuries.insert(market.quote, &Cell(treasury));

            let vault = self.config()?.vault;
            if !raised.is_zero() {
                self.token(market.quote).push(vault, raised)?;
            }
            let settled = self
                .vault()?
                .call_mut()
                .settle_batch(
                    batch.market,
                    batch.number,
                    Sale {
                        price: clearing.price,
                        raised,
                        excused: clearing.is_excused(),
                    },
                    opener,
                    settler,
                )
                .try_invoke();
            let settlement = match settled {
                Ok(Ok(settlement)) => settlement.map_err(Error::Vault)?,
                _ => return Err(Error::VaultUnavailable),
            };
            self.env().emit_event(AuctionSettled {
                batch,
                settler,
                price: clearing.price,
                raised,
                sold,
            });
            Ok(settlement)
        }

        #[ink(message)]
        fn claim(&mut self, batch: BatchKey, bids: Vec<BidId>) -> Result<Fill, Error> {
            self.claim_bids(batch, bids)
        }

        #[ink(message)]
        fn auction(&self, batch: BatchKey) -> Option<AuctionRecord> {
            self.record(batch).ok()
        }

        #[ink(message)]
        fn status(&self, batch: BatchKey) -> Option<Status> {
            let market = self.market_of(batch.market).ok()?;
            let mut record = self.record(batch).ok()?;
            let clock = self.clock(&record, &market);
            self.join_begun(&mut record, &market, clock).ok()?;
            record.auction.status(clock, market.scale).ok()
        }

        #[ink(message)]
        fn quote(
            &self,
            batch: BatchKey,
            budget: Amount,
            limit: Price,
            at_block: Block,
        ) -> Result<Quote, Error> {
            let market = self.market_of(batch.market)?;
            let mut record = self.record(batch)?;
            let block = at_block.max(self.env().block_number());
            let clock = record.auction.clock(&market.halts, block);
            self.join_begun(&mut record, &market, clock)?;
            Ok(record.auction.quote(budget, limit, clock, market.scale)?)
        }

        #[ink(message)]
        fn bids_of(&self, batch: BatchKey, owner: AccountId, from: BidId) -> BidPage {
            self.page_of_bids(batch, owner, from).unwrap_or_default()
        }

        #[ink(message)]
        fn bid_of(&self, batch: BatchKey, bid: BidId) -> Option<Bid> {
            self.bids.get((batch, bid)).map(|cell| cell.0)
        }

        #[ink(message)]
        fn balance(&self, market: MarketId, owner: AccountId) -> Amount {
            self.market_of(market)
                .map(|found| self.balance_of(found.quote, owner))
                .unwrap_or_default()
        }

        #[ink(message)]
        fn treasury(&self, market: MarketId) -> Treasury {
            self.market_of(market)
                .map(|found| self.treasury_of(found.quote))
                .unwrap_or_default()
        }

        #[ink(message)]
        fn market(&self, market: MarketId) -> Option<AuctionMarket> {
            self.market_of(market).ok()
        }
    }
    impl StandingBids for LiquidationAuction {
        #[ink(message)]
        fn stand(&mut self, market: MarketId, percent: u8, amount: Amount) -> Result<(), Error> {
            self.enter_tier(market, percent, amount)
        }

        #[ink(message)]
        fn unstand(
            &mut self,
            market: MarketId,
            percent: u8,
            amount: Amount,
        ) -> Result<Amount, Error> {
            self.leave_tier(market, percent, amount)
        }

        #[ink(message)]
        fn claim_standing(&mut self, market: MarketId, percent: u8) -> Result<Payout, Error> {
            self.claim_tier(market, percent)
        }

        #[ink(message)]
        fn standing(&self, market: MarketId) -> Standing {
            self.standing_of(market)
        }

        #[ink(message)]
        fn stake_of(
            &self,
            market: MarketId,
            percent: u8,
            owner: AccountId,
        ) -> Result<Worth, Error> {
            self.worth_in_tier(market, percent, owner)
        }
    }
}
