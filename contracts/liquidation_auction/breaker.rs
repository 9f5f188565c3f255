//! The circuit breaker: measuring, raising, lowering, and telling the vault.

use crate::liquidation_auction::LiquidationAuction;
use breakwater_core::breaker::{
    ensure_allowed, stale_since, together::MOST_TOGETHER, Action, BatchFacts, Breaker,
    BreakerError, Cause, Limits, Measures, Raiser, Stage, Together,
};
use breakwater_core::oracle::Reading;
use breakwater_core::standing::StandingTerms;
use breakwater_core::units::{Amount, Block};
use breakwater_interfaces::auction::{
    AuctionContractError as Error, AuctionMarket, MarketRegistered,
};
use breakwater_interfaces::breaker::{
    GlobalBreaker, LimitsSet, MarketBreaker, StageChanged, Tripped,
};
use breakwater_interfaces::cell::Cell;
use breakwater_interfaces::oracle::{FeedId, OracleAdapter};
use breakwater_interfaces::vault::{MarginVault as _, Market};
use breakwater_interfaces::{Env, MarketId};
use ink::codegen::{Env as _, TraitCallBuilder};
use ink::prelude::vec::Vec;

/// The most an oracle may use to answer, so that one that burns its gas leaves the rest of the
/// message its own. An honest answer takes a fifth of it.
const ORACLE_REF_TIME: u64 = 20_000_000_000;
/// See [`ORACLE_REF_TIME`].
const ORACLE_PROOF_SIZE: u64 = 512 * 1_024;

impl LiquidationAuction {
    pub(crate) fn breaker_of(&self, market: MarketId) -> Result<MarketBreaker, Error> {
        self.breakers
            .get(market)
            .map(|cell| cell.0)
            .ok_or(Error::UnknownMarket)
    }

    /// What the auction keeps of a market that it takes on.
    pub(crate) fn take_on(&mut self, id: MarketId) -> Result<(), Error> {
        let oracle = self.config.oracle;
        let found = self.market_in_vault(id)?;
        let params = &found.params;
        let market = AuctionMarket {
            collateral: found.collateral,
            quote: found.quote,
            scale: params.scale().map_err(|_| Error::VaultUnavailable)?,
            blocks_per_step: params.ladder.blocks_per_step,
            announce_blocks: params.ladder.announce_blocks,
            oracle,
            feed: params.feed,
            standing: StandingTerms::of(params)?,
            halts: Default::default(),
        };
        self.watch(id, &found);
        self.markets.insert(id, &Cell(market.clone()));
        self.env().emit_event(MarketRegistered {
            market: id,
            terms: market,
        });
        Ok(())
    }

    pub(crate) fn follow_vault(&mut self, id: MarketId) -> Result<(), Error> {
        let (mut market, mut kept) = (self.market_of(id)?, self.breaker_of(id)?);
        let found = self.market_in_vault(id)?;
        let hole = found.params.hole;
        if kept.limits.follow(kept.hole, hole) {
            let limits = kept.limits;
            self.env().emit_event(LimitsSet { market: id, limits });
        }
        kept.hole = hole;
        self.breakers.insert(id, &Cell(kept));
        let running = self.treasury_of(market.quote).running;
        // Terms never change under a running auction (promise 7).
        if !running.iter().any(|batch| batch.market == id) {
            market.standing = StandingTerms::of(&found.params)?;
            self.markets.insert(id, &Cell(market.clone()));
            self.env().emit_event(MarketRegistered {
                market: id,
                terms: market,
            });
        }
        Ok(())
    }

    /// A market's breaker begins open, with the limits of `docs/breaker.md`. Where its quote token
    /// is that of the first market, its facts count for all.
    fn watch(&mut self, id: MarketId, market: &Market) {
        let mut all = self.global.0.clone();
        let first = all.members.first().map(|first| self.market_of(*first));
        let counts = first.is_none_or(|first| first.is_ok_and(|it| it.quote == market.quote));
        if counts && all.members.len() < MOST_TOGETHER {
            all.members.push(id);
            self.global = Cell(all);
        }
        let hole = market.params.hole;
        let kept = MarketBreaker {
            breaker: Breaker::default(),
            evidence: Default::default(),
            limits: Limits::standard(hole),
            hole,
            feed: market.params.feed,
        };
        self.breakers.insert(id, &Cell(kept));
    }

    /// Refuses what the stage in force or the grace period does not allow.
    pub(crate) fn ensure_stage_allows(
        &self,
        market: MarketId,
        action: Action,
    ) -> Result<(), Error> {
        let own = self.breaker_of(market)?.breaker;
        Ok(ensure_allowed(
            &own,
            &self.global.0.breaker,
            action,
            self.env().block_number(),
        )?)
    }

    /// Remembers what a settled batch showed. It never stops a settlement.
    pub(crate) fn learn(&mut self, market: MarketId, facts: &BatchFacts) {
        let now = self.env().block_number();
        let Ok(mut kept) = self.breaker_of(market) else {
            return;
        };
        let (hole, window) = (kept.hole, kept.limits.window);
        if let Ok(true) = kept.evidence.record(facts, hole, now, window) {
            self.breakers.insert(market, &Cell(kept));
        }
    }

    /// What running batches of a market show.
    fn running_facts(&self, id: MarketId) -> Result<Vec<BatchFacts>, Error> {
        let market = self.market_in_force(id)?;
        let running = self.treasury_of(market.quote).running;
        running
            .into_iter()
            .filter(|batch| batch.market == id)
            .map(|batch| {
                let mut record = self.record(batch)?;
                let clock = self.clock(&record, &market);
                self.join_ended(&mut record, &market, clock)?;
                let facts = record.auction.facts(clock, market.scale, &record.standing);
                Ok(facts?)
            })
            .collect()
    }

    /// The oracle's answer; `None` if it gave none. Whether that was for want of gas is for the
    /// caller to exclude: see [`Self::tell_vault`].
    fn reading(&self, feed: FeedId) -> Result<Option<Reading>, Error> {
        let oracle: ink::contract_ref!(OracleAdapter, Env) = self.config.oracle.into();
        let answer = oracle
            .call()
            .read(feed)
            .ref_time_limit(ORACLE_REF_TIME)
            .proof_size_limit(ORACLE_PROOF_SIZE)
            .try_invoke();
        Ok(match answer {
            Ok(Ok(Ok(reading))) => Some(reading),
            _ => None,
        })
    }

    /// Tells the vault a stage.
    ///
    /// This call also proves that an oracle which did not answer before it was not starved of gas
    /// by the caller: the vault's code alone weighs several times the oracle's whole answer, and
    /// where there is too little left for the vault the message fails as a whole.
    fn tell_vault(&mut self, market: Option<MarketId>, stage: Stage) -> Result<(), Error> {
        let told = self
            .vault()
            .call_mut()
            .set_stage(market, stage)
            .try_invoke();
        match told {
            Ok(Ok(told)) => told.map_err(Error::Vault),
            _ => Err(Error::VaultUnavailable),
        }
    }

    /// Stores a market's breaker after a change, halts or resumes its clock, tells the vault.
    fn change_market(
        &mut self,
        id: MarketId,
        kept: MarketBreaker,
        from: Block,
        cause: Option<Cause>,
    ) -> Result<(), Error> {
        let stage = kept.breaker.stage;
        let now = self.env().block_number();
        let mut market = self.market_of(id)?;
        if market.halts.follow(stage == Stage::Halted, from, now) {
            self.markets.insert(id, &Cell(market));
        }
        self.breakers.insert(id, &Cell(kept));
        self.announce_stage(Some(id), stage, cause)
    }

    fn change_all(&mut self, mut all: GlobalBreaker, cause: Option<Cause>) -> Result<(), Error> {
        let stage = all.breaker.stage;
        let now = self.env().block_number();
        all.halts.follow(stage == Stage::Halted, now, now);
        self.global = Cell(all);
        self.announce_stage(None, stage, cause)
    }

    fn announce_stage(
        &mut self,
        market: Option<MarketId>,
        stage: Stage,
        cause: Option<Cause>,
    ) -> Result<(), Error> {
        self.tell_vault(market, stage)?;
        self.env().emit_event(StageChanged {
            market,
            stage,
            cause,
            by: self.env().caller(),
        });
        Ok(())
    }

    /// What markets show together.
    fn together(&self, all: &GlobalBreaker) -> Result<Together, Error> {
        let now = self.env().block_number();
        let mut sum = Together::default();
        for id in &all.members {
            let kept = self.breaker_of(*id)?;
            let window = kept.limits.window;
            let shown = kept.evidence.measures(&[], kept.hole, now, window)?;
            sum = sum.with(kept.hole, &kept.breaker, &kept.limits, shown.bad_debt)?;
        }
        Ok(sum)
    }

    pub(crate) fn trip_stage(
        &mut self,
        market: Option<MarketId>,
        cause: Cause,
    ) -> Result<Tripped, Error> {
        if let Some(id) = market {
            return self.trip_market(id, cause);
        }
        let mut all = self.global.0.clone();
        let together = self.together(&all)?;
        let now = self.env().block_number();
        let stage = all.breaker.trip_together(cause, &together, now)?;
        self.change_all(all, Some(cause))?;
        Ok(Tripped { stage })
    }

    fn trip_market(&mut self, id: MarketId, cause: Cause) -> Result<Tripped, Error> {
        let mut kept = self.breaker_of(id)?;
        let now = self.env().block_number();
        let mut from = now;
        let measures = if cause.is_of_oracle() {
            match self.reading(kept.feed)? {
                Some(reading) => {
                    if cause == Cause::Stale {
                        from = stale_since(&reading, kept.limits.age, now);
                    }
                    Measures::default().with_oracle(&reading)
                }
                None => Measures::default().without_oracle(),
            }
        } else {
            let running = self.running_facts(id)?;
            kept.evidence
                .measures(&running, kept.hole, now, kept.limits.window)?
        };
        let stage = kept.breaker.trip(cause, &kept.limits, &measures, now)?;
        self.change_market(id, kept, from, Some(cause))?;
        Ok(Tripped { stage })
    }

    pub(crate) fn raise_stage(
        &mut self,
        market: Option<MarketId>,
        stage: Stage,
    ) -> Result<(), Error> {
        let (caller, now) = (self.env().caller(), self.env().block_number());
        self.roles
            .ensure_guardian(caller)
            .map_err(|_| Error::NotGuardian)?;
        let by = if self.roles.ensure(caller).is_ok() {
            Raiser::Governor
        } else {
            Raiser::Guardian
        };
        match market {
            Some(id) => {
                let mut kept = self.breaker_of(id)?;
                kept.breaker.raise(stage, by, now)?;
                self.change_market(id, kept, now, None)
            }
            None => {
                let mut all = self.global.0.clone();
                all.breaker.raise(stage, by, now)?;
                self.change_all(all, None)
            }
        }
    }

    pub(crate) fn lower_stage(
        &mut self,
        market: Option<MarketId>,
        stage: Stage,
    ) -> Result<(), Error> {
        self.ensure_governor()?;
        let now = self.env().block_number();
        match market {
            Some(id) => {
                let mut kept = self.breaker_of(id)?;
                kept.breaker.lower(stage, &kept.limits, now)?;
                self.change_market(id, kept, now, None)
            }
            None => {
                let mut all = self.global.0.clone();
                all.breaker
                    .lower(stage, &Limits::standard(Amount::ZERO), now)?;
                self.change_all(all, None)
            }
        }
    }

    pub(crate) fn reopen_stage(&mut self, market: Option<MarketId>) -> Result<(), Error> {
        let now = self.env().block_number();
        let Some(id) = market else {
            let mut all = self.global.0.clone();
            let together = self.together(&all)?;
            all.breaker.reopen_together(&together, now)?;
            return self.change_all(all, None);
        };
        let mut kept = self.breaker_of(id)?;
        let running = self.running_facts(id)?;
        let measures = kept
            .evidence
            .measures(&running, kept.hole, now, kept.limits.window)?;
        let shown = [Cause::Jump, Cause::Stale, Cause::Dispersed];
        let waits_for = shown.into_iter().find(|it| kept.breaker.causes.has(*it));
        let measures = match waits_for {
            None => measures,
            Some(cause) => match self.reading(kept.feed)? {
                Some(reading) => measures.with_oracle(&reading),
                // Nobody has shown that what the oracle showed is gone.
                None => return Err(BreakerError::CauseRemains(cause).into()),
            },
        };
        kept.breaker.reopen(&kept.limits, &measures, now)?;
        self.change_market(id, kept, now, None)
    }

    pub(crate) fn limit(&mut self, id: MarketId, limits: Limits) -> Result<(), Error> {
        self.ensure_governor()?;
        limits.validate()?;
        let mut kept = self.breaker_of(id)?;
        kept.limits = limits;
        self.breakers.insert(id, &Cell(kept));
        self.env().emit_event(LimitsSet { market: id, limits });
        Ok(())
    }

    /// A market as the vault has it.
    pub(crate) fn market_in_vault(&self, id: MarketId) -> Result<Market, Error> {
        match self.vault().call().market(id).try_invoke() {
            Ok(Ok(found)) => found.ok_or(Error::UnknownMarket),
            _ => Err(Error::VaultUnavailable),
        }
    }
}
