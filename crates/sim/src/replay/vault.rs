//! What each event does to the vault's books.
//!
//! A market's books are its totals, what each lender, keeper and owner has, and its ledger of
//! cohorts, on which the core's transitions run as they ran in the contract.

use super::books::{same, Impossible, Moment};
use super::decode::VaultEvent;
use super::log::Contracts;
use breakwater_core::batch::Batch;
use breakwater_core::breaker::Stage;
use breakwater_core::ledger::{
    Demand, Ledger, LedgerError, LedgerStore, MemoryStore, OpenRequest, Opening, Unwritten,
};
use breakwater_core::lending::LendingError;
use breakwater_core::margin::Margin;
use breakwater_core::market::{MarketParams, MarketPrices, MarketState};
use breakwater_core::oracle::Variance;
use breakwater_core::position::{Position, PositionView};
use breakwater_core::timelock::{Proposal, TimelockError};
use breakwater_core::units::{Amount, Millis, Price, Shares};
use breakwater_core::wind_down::Collected;
use breakwater_interfaces::vault::{BatchSettled, Market, MarketCreated};
use breakwater_interfaces::vault_admin::{Change, MarketChanged};
use breakwater_interfaces::{AccountId, MarketId};
use std::collections::BTreeMap;

/// The vault's books.
#[derive(Default)]
pub struct VaultBooks {
    markets: Vec<MarketBooks>,
    /// The circuit breaker's stage of all markets.
    pub stage: Stage,
}

/// The books of one market.
pub struct MarketBooks {
    /// Tokens and parameters.
    pub market: Market,
    /// Totals, as of the last event.
    pub state: MarketState,
    /// Ticks, departures and batches.
    pub store: MemoryStore,
    /// What each owner has, as it was when last touched.
    pub positions: BTreeMap<AccountId, Position>,
    /// Shares of lenders.
    pub lenders: BTreeMap<AccountId, Shares>,
    /// What is owed to keepers.
    pub rewards: BTreeMap<AccountId, Amount>,
    /// What lenders have been paid in a wind-down.
    pub collected: BTreeMap<AccountId, Collected>,
    /// Price of the last round that an event tells.
    pub price: Option<Price>,
    /// Volatility measured with it.
    volatility: Option<Variance>,
    /// What each batch asks for, as it was opened, extended or left.
    openings: BTreeMap<u32, Opening>,
    /// The loss that a settlement under way has begun a wind-down for.
    announced_loss: Option<Amount>,
}

fn entry<T: Default>(map: &mut BTreeMap<AccountId, T>, who: AccountId) -> &mut T {
    map.entry(who).or_default()
}

impl VaultBooks {
    /// All markets, by their numbers from 0.
    #[must_use]
    pub fn markets(&self) -> &[MarketBooks] {
        &self.markets
    }

    /// One market.
    #[must_use]
    pub fn market(&self, id: MarketId) -> Option<&MarketBooks> {
        self.markets.get(usize::try_from(id).ok()?)
    }

    pub(super) fn known(&mut self, id: MarketId) -> Result<&mut MarketBooks, Impossible> {
        usize::try_from(id)
            .ok()
            .and_then(|at| self.markets.get_mut(at))
            .ok_or(Impossible::NeverMade("market"))
    }

    /// The auction contract has told the vault a stage.
    pub(super) fn note_stage(
        &mut self,
        market: Option<MarketId>,
        stage: Stage,
    ) -> Result<(), Impossible> {
        match market {
            Some(id) => self.known(id)?.state.stage = stage,
            None => self.stage = stage,
        }
        Ok(())
    }

    pub(super) fn apply(
        &mut self,
        at: Moment,
        contracts: &Contracts,
        event: VaultEvent,
    ) -> Result<(), Impossible> {
        let now = at.now;
        match event {
            VaultEvent::MarketCreated(it) => self.create(at, it),
            VaultEvent::AuctionNamed(it) => same("auction", &it.auction, &contracts.auction),
            VaultEvent::RolesChanged(_) => Ok(()),
            VaultEvent::MarketChanged(it) => self.known(it.market)?.change(at, it),
            VaultEvent::Supplied(it) => {
                let books = self.known(it.market)?;
                let cap = books.market.params.supply_cap;
                let shares = books.accrued(now)?.supply(it.amount, cap)?;
                let held = entry(&mut books.lenders, it.lender);
                *held = held.plus(shares)?;
                same("shares", &it.shares, &shares)
            }
            VaultEvent::Redeemed(it) => {
                let books = self.known(it.market)?;
                let held = books.lenders.get(&it.lender).copied().unwrap_or_default();
                let state = books.accrued(now)?;
                // What insolvent ticks lack more than running batches depends on the oracle.
                if it.provision < state.batch_provision()? {
                    let found = state.batch_provision()?;
                    return same("provision", &it.provision, &found);
                }
                let amount = state.redeem(held, it.shares, it.provision)?;
                books.lenders.insert(it.lender, held.minus(it.shares)?);
                same("amount", &it.amount, &amount)
            }
            VaultEvent::Deposited(it) => {
                let books = self.known(it.market)?;
                books.touch(now, it.owner, |l, p| l.deposit(p, it.amount))
            }
            VaultEvent::Withdrawn(it) => {
                let books = self.known(it.market)?;
                books.saw(it.prices.as_ref());
                books.touch(now, it.owner, |l, p| {
                    l.withdraw(p, it.amount, it.prices.as_ref())
                })
            }
            VaultEvent::Borrowed(it) => {
                let books = self.known(it.market)?;
                books.saw(Some(&it.prices));
                books.touch(now, it.owner, |l, p| l.borrow(p, it.amount, &it.prices))
            }
            VaultEvent::Repaid(it) => {
                let books = self.known(it.market)?;
                let paid = books.touch(now, it.owner, |l, p| l.repay(p, it.amount))?;
                same("amount", &it.amount, &paid)
            }
            VaultEvent::Reclaimed(it) => {
                let books = self.known(it.market)?;
                let amount = books.touch(now, it.owner, |l, p| l.reclaim(p))?;
                same("amount", &it.amount, &amount)
            }
            VaultEvent::PositionSynced(it) => {
                let books = self.known(it.market)?;
                books.touch(now, it.owner, |l, p| l.sync(p, it.moves))?;
                Ok(())
            }
            VaultEvent::BatchRested(it) => {
                let books = self.known(it.market)?;
                books.transition(now, |l| l.rest(it.number, it.cells))?;
                Ok(())
            }
            VaultEvent::RewardClaimed(it) => {
                let books = self.known(it.market)?;
                let due = books.rewards.remove(&it.keeper).unwrap_or_default();
                let state = books.accrued(now)?;
                state.rewards = state.rewards.minus(due)?;
                same("amount", &it.amount, &due)
            }
            VaultEvent::BatchOpened(it) => {
                let books = self.known(it.market)?;
                books.saw(Some(&it.prices));
                let request = request(at, it.demand);
                let opening =
                    books.transition(now, |l| l.open_lot(&it.prices, request, it.left_only))?;
                same("number", &it.number, &opening.number)?;
                same("reference", &it.reference, &opening.reference)?;
                let said = (it.cohorts, it.members, it.collateral, it.debt);
                same("lot", &said, &lot(&opening))?;
                same("offer of insurance", &it.offered, &opening.offered)?;
                books.openings.insert(it.number, opening);
                Ok(())
            }
            VaultEvent::BatchExtended(it) => {
                let books = self.known(it.market)?;
                books.saw(Some(&it.prices));
                let ladder = books.opening(it.number)?.prices.clone();
                let request = request(at, it.demand);
                let opening =
                    books.transition(now, |l| l.extend(it.number, &it.prices, &ladder, request))?;
                let said = (it.cohorts, it.members, it.collateral, it.debt);
                same("lot", &said, &lot(&opening))?;
                books.openings.insert(it.number, opening);
                Ok(())
            }
            VaultEvent::BatchLeft(it) => {
                let books = self.known(it.market)?;
                let ladder = books.opening(it.number)?.prices.clone();
                let leaving = books.touch(now, it.owner, |l, p| l.leave(p, it.number, &ladder))?;
                same("collateral", &it.collateral, &leaving.collateral)?;
                same("debt", &it.debt, &leaving.debt)?;
                same("fee", &it.fee, &leaving.fee)?;
                same("to lenders", &it.to_lenders, &leaving.to_lenders)?;
                if let Some(opening) = books.openings.get_mut(&it.number) {
                    opening.targets = leaving.targets;
                }
                Ok(())
            }
            VaultEvent::BatchSettled(it) => self.known(it.market)?.settle(at, &it),
        }
    }

    fn create(&mut self, at: Moment, it: MarketCreated) -> Result<(), Impossible> {
        let next = u32::try_from(self.markets.len()).unwrap_or(u32::MAX);
        same("number", &it.market, &next)?;
        it.params.validate()?;
        self.markets.push(MarketBooks {
            market: Market {
                collateral: it.collateral,
                quote: it.quote,
                params: it.params,
                easing: None,
                proposal: None,
                margin: Margin::default(),
            },
            state: MarketState {
                accrued_at: at.now,
                ..MarketState::default()
            },
            store: MemoryStore::default(),
            positions: BTreeMap::new(),
            lenders: BTreeMap::new(),
            rewards: BTreeMap::new(),
            collected: BTreeMap::new(),
            price: None,
            volatility: None,
            openings: BTreeMap::new(),
            announced_loss: None,
        });
        Ok(())
    }
}

fn request(at: Moment, demand: Demand) -> OpenRequest {
    OpenRequest {
        block: at.block,
        demand,
    }
}

fn lot(opening: &Opening) -> (u16, u32, Amount, Amount) {
    let Opening {
        cohorts,
        members,
        collateral,
        debt,
        ..
    } = opening;
    (*cohorts, *members, *collateral, *debt)
}

impl MarketBooks {
    fn saw(&mut self, prices: Option<&MarketPrices>) {
        if let Some(prices) = prices {
            self.price = Some(prices.spot);
            self.volatility = prices.volatility;
        }
    }

    /// What a batch asked for when it was opened, last extended or last left.
    pub(super) fn opening(&self, number: u32) -> Result<&Opening, Impossible> {
        self.openings
            .get(&number)
            .ok_or(Impossible::NeverMade("batch"))
    }

    /// A batch by number.
    #[must_use]
    pub fn batch(&self, number: u32) -> Option<Batch> {
        self.store.batch(number)
    }

    /// The parameters with the threshold and the initial loan-to-value in force at a moment.
    fn params_at(&self, now: Millis) -> Result<MarketParams, Impossible> {
        let mut params = self.market.params.clone();
        params.liquidation_threshold = self.market.threshold_at(now)?;
        params.initial_ltv = self.market.initial_ltv_at(self.volatility, now)?;
        Ok(params)
    }

    /// The parameters of calm times, from which a change begins.
    fn calm_params_at(&self, now: Millis) -> Result<MarketParams, Impossible> {
        let mut params = self.market.params.clone();
        params.liquidation_threshold = self.market.calm_threshold_at(now)?;
        Ok(params)
    }

    /// The totals with the interest they have borne until a moment.
    fn accrued(&mut self, now: Millis) -> Result<&mut MarketState, Impossible> {
        self.state.accrue(&self.market.params.interest, now)?;
        Ok(&mut self.state)
    }

    /// The totals as they would be at a moment without a further event.
    ///
    /// # Errors
    /// [`Impossible::Refused`] where a number leaves its range.
    pub fn state_at(&self, now: Millis) -> Result<MarketState, Impossible> {
        let mut state = self.state.clone();
        state.accrue(&self.market.params.interest, now)?;
        Ok(state)
    }

    /// Runs a transition of the ledger.
    fn transition<T>(
        &mut self,
        now: Millis,
        act: impl FnOnce(&mut Ledger<'_, MemoryStore>) -> Result<T, LedgerError>,
    ) -> Result<T, Impossible> {
        let params = self.params_at(now)?;
        self.accrued(now)?;
        let mut ledger = Ledger::new(&params, &mut self.state, &mut self.store)?;
        let done = act(&mut ledger)?;
        ledger.commit();
        Ok(done)
    }

    /// As [`Self::transition`], on the position of one owner.
    fn touch<T>(
        &mut self,
        now: Millis,
        owner: AccountId,
        act: impl FnOnce(&mut Ledger<'_, MemoryStore>, &mut Position) -> Result<T, LedgerError>,
    ) -> Result<T, Impossible> {
        let mut position = self.position_of(owner);
        let done = self.transition(now, |ledger| act(ledger, &mut position))?;
        if position.is_empty() {
            self.positions.remove(&owner);
        } else {
            self.positions.insert(owner, position);
        }
        Ok(done)
    }

    fn position_of(&self, owner: AccountId) -> Position {
        self.positions.get(&owner).copied().unwrap_or_default()
    }

    /// A position brought up to date and judged at a price, as the contract's `position_at`.
    ///
    /// # Errors
    /// What the contract would refuse with; [`Impossible::Refused`] where a number leaves its
    /// range.
    pub fn view(
        &self,
        now: Millis,
        owner: AccountId,
        price: Price,
    ) -> Result<Result<PositionView, LedgerError>, Impossible> {
        let params = self.params_at(now)?;
        let mut state = self.state_at(now)?;
        // A look changes nothing, so the pages can be lent out.
        let mut store = Unwritten(&self.store);
        let mut ledger = Ledger::new(&params, &mut state, &mut store)?;
        Ok(ledger.view(&self.position_of(owner), price))
    }

    fn settle(&mut self, at: Moment, it: &BatchSettled) -> Result<(), Impossible> {
        let ended = self.state.wind_down.is_some();
        self.saw(it.prices.as_ref());
        let done = self.transition(at.now, |l| {
            l.settle_lot(it.number, it.sale, it.prices.as_ref(), at.block, it.cells)
        })?;
        same("settlement", &it.settlement, &done)?;
        let waterfall = done.waterfall;
        let reward = waterfall.reward.plus(waterfall.top_up)?;
        let half = if it.opener == it.settler {
            Amount::ZERO
        } else {
            Amount::new(reward.get() >> 1)
        };
        for (keeper, part) in [(it.opener, half), (it.settler, reward.minus(half)?)] {
            if !part.is_zero() {
                let due = entry(&mut self.rewards, keeper);
                *due = due.plus(part)?;
            }
        }
        let begun = !ended && self.state.wind_down.is_some();
        let loss = begun.then_some(waterfall.from_lenders);
        same("wind-down", &self.announced_loss.take(), &loss)
    }

    fn change(&mut self, at: Moment, it: MarketChanged) -> Result<(), Impossible> {
        let now = at.now;
        match it.change {
            Change::Proposed { ripe_at, params } => {
                let present = self.calm_params_at(now)?;
                present.ensure_may_become(&params)?;
                let proposal = Proposal::new(params, now, present.notice);
                same("time", &ripe_at, &proposal.ripe_at)?;
                self.market.proposal = Some(proposal);
                Ok(())
            }
            Change::Cancelled => {
                let withdrawn = self.market.proposal.take();
                withdrawn.ok_or(TimelockError::NothingProposed)?;
                Ok(())
            }
            Change::Applied => {
                let proposal = self.market.proposal.take();
                let params = proposal.ok_or(TimelockError::NothingProposed)?.ripe(now)?;
                let present = self.calm_params_at(now)?;
                present.ensure_may_become(&params)?;
                self.accrued(now)?;
                self.market.easing = present.easing_to(&params, now);
                let until_now = self.market.params.margin;
                self.market.margin.settle(&until_now, now);
                self.market.params = params;
                Ok(())
            }
            Change::Restricted { limits } => {
                self.market.params.restrict(limits)?;
                self.market.proposal = None;
                Ok(())
            }
            Change::WindDown { loss } if loss.is_zero() => {
                self.accrued(now)?.begin_wind_down()?;
                Ok(())
            }
            // The settlement that made the loss is the next event.
            Change::WindDown { loss } => {
                self.announced_loss = Some(loss);
                Ok(())
            }
            Change::Insured { amount, to_lenders } => {
                if amount.is_zero() {
                    return Err(LendingError::ZeroAmount.into());
                }
                let part = self.accrued(now)?.take_in(amount)?;
                same("part of lenders", &to_lenders, &part)
            }
            Change::HandedOver { collateral, good } => {
                let notice = self.params_at(now)?.notice;
                let found = self.accrued(now)?.hand_inventory_over(notice)?;
                same("part handed over", &(collateral, good), &found)
            }
            Change::Collected { amount, in_kind } => {
                let shares = self.lenders.get(&it.by).copied().unwrap_or_default();
                let mut taken = self.collected.get(&it.by).copied().unwrap_or_default();
                let paid = self.accrued(now)?.collect(shares, &mut taken, in_kind)?;
                self.collected.insert(it.by, taken);
                same("amount", &amount, &paid)
            }
            Change::TookInKind {
                owner,
                taken,
                prices,
            } => {
                self.saw(Some(&prices));
                let block = at.block;
                let found = self.touch(now, owner, |l, p| l.take_in_kind(p, &prices, block))?;
                same("part taken", &taken, &found)
            }
            Change::Margin(margin) => {
                self.market.margin = margin;
                Ok(())
            }
        }
    }
}
