//! Messages on a whole batch: opening it, adding to it before it begins, settling it.

use crate::liquidation_auction::LiquidationAuction;
use breakwater_core::auction::Auction;
use breakwater_core::batch::Sale;
use breakwater_core::breaker::Action;
use breakwater_core::ladder::Schedule;
use breakwater_core::ledger::Settlement;
use breakwater_core::math::MathError;
use breakwater_core::units::Amount;
use breakwater_interfaces::auction::{
    AuctionContractError as Error, AuctionExtended, AuctionOpened, AuctionRecord, AuctionSettled,
    BatchKey,
};
use breakwater_interfaces::cell::Cell;
use breakwater_interfaces::vault::MarginVault as _;
use breakwater_interfaces::MarketId;
use ink::codegen::{Env as _, TraitCallBuilder};

impl LiquidationAuction {
    /// Opens a batch of the riskiest cohorts and its auction.
    pub(crate) fn open_auction(&mut self, market: MarketId) -> Result<BatchKey, Error> {
        let terms = self.market_of(market)?;
        // A batch of new cohorts or of what another left: the vault takes what the stage allows.
        self.ensure_stage_allows(market, Action::Reauction)?;
        let mut treasury = self.treasury_of(terms.quote);
        let standing = self.standing_in(market, &treasury);
        let demand = self.demand(market, &terms, &treasury, &standing, None)?;
        let opening = match self
            .vault()
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
        auction.own = opening.own;
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

    /// Adds further cohorts to a batch that has not begun.
    pub(crate) fn extend_auction(&mut self, batch: BatchKey) -> Result<(), Error> {
        let market = self.market_in_force(batch.market)?;
        self.ensure_stage_allows(batch.market, Action::OpenBatch)?;
        let mut record = self.record(batch)?;
        let clock = self.clock(&record, &market);
        record.auction.ensure_announced(clock)?;
        let treasury = self.treasury_of(market.quote);
        let standing = self.standing_in(batch.market, &treasury);
        let own = Some((batch, &record.standing));
        let demand = self.demand(batch.market, &market, &treasury, &standing, own)?;
        let ladder = record.auction.prices.clone();
        let extended = self
            .vault()
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

    /// Judges an auction that has ended, pays the vault and takes the collateral.
    pub(crate) fn settle_auction(&mut self, batch: BatchKey) -> Result<Settlement, Error> {
        let settler = self.env().caller();
        let (market, mut record) = self.auction_in_force(batch)?;
        self.judge(&mut record, &market)?;
        let clearing = record.auction.settle()?;
        let (raised, sold) = (clearing.raised, clearing.sold);
        let opener = record.opener;
        record.collateral = sold;
        let now = self.env().block_number();
        let facts = record.auction.facts(now, market.scale, &record.standing);
        let mut treasury = self.treasury_of(market.quote);
        self.settle_standing(batch, &market, &mut record, &mut treasury)?;
        let standing = record.standing.tiers.clone();
        self.store(batch, record);
        treasury.held = treasury.held.minus(raised)?;
        treasury.running.retain(|running| *running != batch);
        self.treasuries.insert(market.quote, &Cell(treasury));

        if !raised.is_zero() {
            self.token(market.quote).push(self.config.vault, raised)?;
        }
        let settled = self
            .vault()
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
        if let Ok(mut facts) = facts {
            facts.bad_debt = settlement.waterfall.shortfall;
            self.learn(batch.market, &facts);
        }
        self.env().emit_event(AuctionSettled {
            batch,
            settler,
            clearing,
            standing,
        });
        Ok(settlement)
    }
}
