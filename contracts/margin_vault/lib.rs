//! The margin vault: custody of collateral and lent quote, markets, positions and losses.
//!
//! Every rule is in `breakwater_core`; a message loads one market's cells, calls the rule, stores,
//! moves tokens and emits an event. Calls go to the oracle and to tokens, never up to the auction.
#![cfg_attr(not(feature = "std"), no_std, no_main)]

mod admin;
mod borrowing;
mod cells;
mod ext;
mod lending;
mod market;
mod running;

#[ink::contract(env = breakwater_interfaces::Env)]
mod margin_vault {
    use crate::cells::Cells;
    use breakwater_core::batch::{Batch, Sale};
    use breakwater_core::breaker::Stage;
    use breakwater_core::ledger::{AtRisk, Demand, Histogram, Leaving, Opening, Settlement};
    use breakwater_core::market::{Limits, MarketParams, MarketPrices, MarketState};
    use breakwater_core::position::{Closing, Position, PositionView};
    use breakwater_core::roles::{Governance, RoleError};
    use breakwater_core::tick::Tick;
    use breakwater_core::units::{Amount, Price, Shares};
    use breakwater_core::wind_down::Collected;
    use breakwater_interfaces::cell::Cell;
    use breakwater_interfaces::governance::{Governed, Guarded, Roles};
    use breakwater_interfaces::root::end_root_unwritten;
    use breakwater_interfaces::two_pieces::TwoPieces as _;
    use breakwater_interfaces::vault::{Accounting, MarginVault as Interface, Market, VaultError};
    use breakwater_interfaces::vault_admin::VaultAdmin;
    use breakwater_interfaces::MarketId;
    use ink::prelude::vec::Vec;
    use ink::storage::traits::ManualKey;
    use ink::storage::Mapping;

    /// Wiring. It lives in the root cell, which every message reads and writes anyway.
    #[derive(Clone, Debug)]
    #[ink::scale_derive(Encode, Decode, TypeInfo)]
    #[cfg_attr(feature = "std", derive(ink::storage::traits::StorageLayout))]
    pub struct Config {
        pub(crate) oracle: AccountId,
        /// Code of the extension, for good.
        pub(crate) ext: Hash,
        pub(crate) auction: Option<AccountId>,
        pub(crate) markets: MarketId,
        /// The circuit breaker's stage of all markets.
        pub(crate) stage: Cell<Stage>,
    }

    /// Storage: see `docs/storage.md` for every key.
    #[ink(storage)]
    pub struct MarginVault {
        pub(crate) roles: Roles,
        pub(crate) config: Config,
        pub(crate) markets: Mapping<MarketId, Cell<Market>, ManualKey<0x4d41_524b>>,
        /// Markets that a token serves, as collateral or as quote.
        pub(crate) uses: Mapping<AccountId, Vec<MarketId>, ManualKey<0x5553_4553>>,
        pub(crate) states: Mapping<MarketId, Cell<MarketState>, ManualKey<0x5354_4154>>,
        pub(crate) positions:
            Mapping<(MarketId, AccountId), Cell<Position>, ManualKey<0x504f_5349>>,
        pub(crate) lenders: Mapping<(MarketId, AccountId), Cell<Shares>, ManualKey<0x4c45_4e44>>,
        pub(crate) rewards: Mapping<(MarketId, AccountId), Cell<Amount>, ManualKey<0x5245_5741>>,
        pub(crate) cells: Cells,
        /// What lenders have been paid in a wind-down.
        pub(crate) collected:
            Mapping<(MarketId, AccountId), Cell<Collected>, ManualKey<0x434f_4c4c>>,
    }

    impl MarginVault {
        /// A vault without markets, governed by `governor`, reading prices from `oracle`. `ext` is
        /// the hash of the extension's code, which can never be changed.
        #[ink(constructor, selector = 0x9bae9d5e)]
        pub fn new(governor: AccountId, oracle: AccountId, ext: Hash) -> Self {
            Self {
                roles: Roles::new(governor),
                config: Config {
                    oracle,
                    ext,
                    auction: None,
                    markets: 0,
                    stage: Cell(Stage::Open),
                },
                markets: Mapping::new(),
                uses: Mapping::new(),
                states: Mapping::new(),
                positions: Mapping::new(),
                lenders: Mapping::new(),
                rewards: Mapping::new(),
                cells: Cells::default(),
                collected: Mapping::new(),
            }
        }
    }

    impl Governed for MarginVault {
        #[ink(message)]
        fn propose_governor(&mut self, heir: Option<AccountId>) -> Result<(), RoleError> {
            self.hand_over();
            let proposed = self.roles.propose(self.env().caller(), heir)?;
            self.announce_roles(proposed);
            Ok(())
        }

        #[ink(message)]
        fn accept_governor(&mut self) -> Result<(), RoleError> {
            self.hand_over();
            let changed = self.roles.accept(self.env().caller())?;
            self.announce_roles(changed);
            Ok(())
        }

        #[ink(message)]
        fn governance(&self) -> Governance<AccountId> {
            self.hand_over();
            self.roles.get()
        }
    }

    impl Guarded for MarginVault {
        #[ink(message)]
        fn set_guardian(&mut self, guardian: Option<AccountId>) -> Result<(), RoleError> {
            self.hand_over();
            let changed = self.roles.set_guardian(self.env().caller(), guardian)?;
            self.announce_roles(changed);
            Ok(())
        }
    }

    impl VaultAdmin for MarginVault {
        #[ink(message)]
        fn propose_params(
            &mut self,
            market: MarketId,
            params: MarketParams,
        ) -> Result<(), VaultError> {
            self.hand_over();
            self.propose(market, params)
        }

        #[ink(message)]
        fn apply_params(&mut self, market: MarketId) -> Result<(), VaultError> {
            self.hand_over();
            self.apply(market)
        }

        #[ink(message)]
        fn cancel_params(&mut self, market: MarketId) -> Result<(), VaultError> {
            self.hand_over();
            self.cancel(market)
        }

        #[ink(message)]
        fn restrict(&mut self, market: MarketId, limits: Limits) -> Result<(), VaultError> {
            self.hand_over();
            self.restrict_to(market, limits)
        }

        #[ink(message)]
        fn wind_down(&mut self, market: MarketId) -> Result<(), VaultError> {
            self.hand_over();
            self.begin_wind_down(market)
        }

        #[ink(message)]
        fn insure(&mut self, market: MarketId, amount: Amount) -> Result<(), VaultError> {
            self.hand_over();
            self.give(market, amount)
        }

        #[ink(message)]
        fn collect(&mut self, market: MarketId, in_kind: bool) -> Result<Amount, VaultError> {
            self.hand_over();
            self.pay_lender(market, in_kind)
        }

        #[ink(message)]
        fn take_in_kind(&mut self, market: MarketId, owner: AccountId) -> Result<(), VaultError> {
            self.hand_over();
            self.take(market, owner)
        }

        #[ink(message)]
        fn update_margin(&mut self, market: MarketId) -> Result<(), VaultError> {
            self.hand_over();
            self.follow_volatility(market)
        }
    }

    impl Interface for MarginVault {
        #[ink(message)]
        fn set_auction(&mut self, auction: AccountId) -> Result<(), VaultError> {
            self.hand_over();
            self.name_auction(auction)
        }

        #[ink(message)]
        fn create_market(
            &mut self,
            collateral: AccountId,
            quote: AccountId,
            params: MarketParams,
        ) -> Result<MarketId, VaultError> {
            self.hand_over();
            self.create(collateral, quote, params)
        }

        #[ink(message)]
        fn supply(&mut self, market: MarketId, amount: Amount) -> Result<Shares, VaultError> {
            self.keep();
            self.supply_from_caller(market, amount)
        }

        #[ink(message)]
        fn redeem(&mut self, market: MarketId, shares: Shares) -> Result<Amount, VaultError> {
            self.keep();
            self.redeem_to_caller(market, shares)
        }

        #[ink(message)]
        fn deposit(&mut self, market: MarketId, amount: Amount) -> Result<(), VaultError> {
            self.keep();
            self.deposit_collateral(market, amount)
        }

        #[ink(message)]
        fn withdraw(&mut self, market: MarketId, amount: Amount) -> Result<(), VaultError> {
            self.keep();
            self.withdraw_collateral(market, amount)
        }

        #[ink(message)]
        fn borrow(&mut self, market: MarketId, amount: Amount) -> Result<(), VaultError> {
            self.keep();
            self.borrow_quote(market, amount)
        }

        #[ink(message)]
        fn deposit_and_borrow(
            &mut self,
            market: MarketId,
            collateral: Amount,
            quote: Amount,
        ) -> Result<(), VaultError> {
            self.keep();
            self.deposit_then_borrow(market, collateral, quote)
        }

        #[ink(message)]
        fn repay(
            &mut self,
            market: MarketId,
            owner: AccountId,
            amount: Amount,
        ) -> Result<Amount, VaultError> {
            self.keep();
            self.repay_for(market, owner, amount)
        }

        #[ink(message)]
        fn repay_and_withdraw(
            &mut self,
            market: MarketId,
            repay: Amount,
            withdraw: Amount,
        ) -> Result<Amount, VaultError> {
            self.keep();
            self.repay_then_withdraw(market, repay, withdraw)
        }

        #[ink(message)]
        fn close(&mut self, market: MarketId) -> Result<Closing, VaultError> {
            self.keep();
            self.close_all(market)
        }

        #[ink(message)]
        fn reclaim(&mut self, market: MarketId) -> Result<Amount, VaultError> {
            self.keep();
            self.reclaim_prepaid(market)
        }

        #[ink(message)]
        fn sync(
            &mut self,
            market: MarketId,
            owner: AccountId,
            moves: u16,
        ) -> Result<bool, VaultError> {
            self.keep();
            self.sync_position(market, owner, moves)
        }

        #[ink(message)]
        fn open_batch(&mut self, market: MarketId, demand: Demand) -> Result<Opening, VaultError> {
            self.keep();
            let opening = self.open_next(market, demand)?;
            end_root_unwritten::<_, VaultError>(opening)
        }

        #[ink(message)]
        fn extend_batch(
            &mut self,
            market: MarketId,
            number: u32,
            demand: Demand,
            ladder: Vec<Price>,
        ) -> Result<Opening, VaultError> {
            self.hand_over();
            self.extend_running(market, number, demand, &ladder)
        }

        #[ink(message)]
        fn leave_batch(
            &mut self,
            market: MarketId,
            number: u32,
            owner: AccountId,
            ladder: Vec<Price>,
        ) -> Result<Leaving, VaultError> {
            self.hand_over();
            self.leave_running(market, number, owner, &ladder)
        }

        #[ink(message)]
        fn set_stage(&mut self, market: Option<MarketId>, stage: Stage) -> Result<(), VaultError> {
            self.hand_over();
            self.note_stage(market, stage)
        }

        #[ink(message)]
        fn settle_batch(
            &mut self,
            market: MarketId,
            number: u32,
            sale: Sale,
            opener: AccountId,
            settler: AccountId,
        ) -> Result<Settlement, VaultError> {
            self.keep();
            let settlement = self.settle_running(market, number, sale, [opener, settler])?;
            end_root_unwritten::<_, VaultError>(settlement)
        }

        #[ink(message)]
        fn rest(&mut self, market: MarketId, number: u32, cells: u16) -> Result<bool, VaultError> {
            self.keep();
            let done = self.rest_settled(market, number, cells)?;
            end_root_unwritten::<_, VaultError>(done)
        }

        #[ink(message)]
        fn claim_reward(&mut self, market: MarketId) -> Result<Amount, VaultError> {
            self.hand_over();
            self.pay_reward(market)
        }

        #[ink(message)]
        fn market(&self, market: MarketId) -> Option<Market> {
            self.hand_over();
            self.markets.get(market).map(|cell| cell.0)
        }

        #[ink(message)]
        fn market_prices(&self, market: MarketId) -> Result<MarketPrices, VaultError> {
            self.hand_over();
            self.prices(&self.load(market)?)
        }

        #[ink(message)]
        fn accounting(&self, market: MarketId) -> Result<Accounting, VaultError> {
            self.hand_over();
            let state = self.load(market)?.state;
            Ok(Accounting {
                quote_owed: state.quote_owed()?,
                collateral_owed: state.collateral_owed()?,
                lenders_assets: state.lenders_assets()?,
                state,
            })
        }

        #[ink(message)]
        fn position(&self, market: MarketId, owner: AccountId) -> Result<PositionView, VaultError> {
            self.hand_over();
            let mut loaded = self.load(market)?;
            let prices = self.prices(&loaded)?;
            loaded.judge_new_risk(prices.volatility)?;
            self.judged_at(loaded, owner, prices.spot)
        }

        #[ink(message)]
        fn position_at(
            &self,
            market: MarketId,
            owner: AccountId,
            price: Price,
        ) -> Result<PositionView, VaultError> {
            self.hand_over();
            let mut loaded = self.load(market)?;
            // What may be borrowed depends on the volatility of now, where it is known.
            let prices = self.prices(&loaded).ok();
            loaded.judge_new_risk(prices.and_then(|prices| prices.volatility))?;
            self.judged_at(loaded, owner, price)
        }

        #[ink(message)]
        fn lender(
            &self,
            market: MarketId,
            owner: AccountId,
        ) -> Result<(Shares, Amount), VaultError> {
            self.hand_over();
            let shares = self.shares_of(market, owner);
            let taken = self.collected(market, owner);
            let state = self.load(market)?.state;
            Ok((shares, state.lender_value(shares, taken)?))
        }

        #[ink(message)]
        fn batch(&self, market: MarketId, number: u32) -> Option<Batch> {
            self.hand_over();
            self.cells.batch(market, number)
        }

        #[ink(message)]
        fn histogram(
            &self,
            market: MarketId,
            from: Tick,
            to: Tick,
        ) -> Result<Histogram, VaultError> {
            self.hand_over();
            self.look(&mut self.load(market)?, |l| l.histogram(from, to))
        }

        #[ink(message)]
        fn at_risk(&self, market: MarketId, price: Price) -> Result<AtRisk, VaultError> {
            self.hand_over();
            self.look(&mut self.load(market)?, |l| l.at_risk(price))
        }

        #[ink(message)]
        fn reward(&self, market: MarketId, keeper: AccountId) -> Amount {
            self.hand_over();
            self.reward_of(market, keeper)
        }
    }
}
