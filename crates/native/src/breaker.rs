//! The circuit breaker: `contracts/liquidation_auction/breaker.rs`.

use crate::{Native, MARKET};
use breakwater_core::breaker::{
    ensure_allowed, stale_since, Action, BatchFacts, BreakerError, Cause, Limits, Measures, Raiser,
    Stage, Together,
};
use breakwater_core::standing::StandingTerms;
use breakwater_core::units::{Amount, Block};
use breakwater_interfaces::auction::{AuctionContractError as Error, MarketRegistered};
use breakwater_interfaces::breaker::{
    GlobalBreaker, LimitsSet, MarketBreaker, StageChanged, Tripped,
};
use breakwater_interfaces::AccountId;

impl Native {
    pub(crate) fn ensure_stage_allows(&self, action: Action) -> Result<(), Error> {
        let (own, all) = (&self.house.breaker.breaker, &self.house.global.breaker);
        Ok(ensure_allowed(own, all, action, self.block)?)
    }

    pub(crate) fn learn(&mut self, facts: &BatchFacts) {
        let mut kept = self.house.breaker;
        let (hole, window) = (kept.hole, kept.limits.window);
        if let Ok(true) = kept.evidence.record(facts, hole, self.block, window) {
            self.house.breaker = kept;
        }
    }

    fn running_facts(&self) -> Result<Vec<BatchFacts>, Error> {
        let halts = self.house.halts();
        let running = self.house.treasury.running.iter();
        running
            .map(|batch| {
                let mut record = self.house.record(batch.number)?;
                self.join_ended(&mut record)?;
                let clock = record.auction.clock(&halts, self.block);
                let scale = self.house.market.scale;
                let facts = record.auction.facts(clock, scale, &record.standing);
                Ok(facts?)
            })
            .collect()
    }

    fn change_market(
        &mut self,
        by: AccountId,
        kept: MarketBreaker,
        from: Block,
        cause: Option<Cause>,
    ) {
        let (stage, now) = (kept.breaker.stage, self.block);
        let halts = &mut self.house.market.halts;
        halts.follow(stage == Stage::Halted, from, now);
        self.house.breaker = kept;
        self.vault_set_stage(true, stage);
        let market = Some(MARKET);
        self.house_tells(&StageChanged {
            market,
            stage,
            cause,
            by,
        });
    }

    fn change_all(&mut self, by: AccountId, mut all: GlobalBreaker, cause: Option<Cause>) {
        let (stage, now) = (all.breaker.stage, self.block);
        all.halts.follow(stage == Stage::Halted, now, now);
        self.house.global = all;
        self.vault_set_stage(false, stage);
        let market = None;
        self.house_tells(&StageChanged {
            market,
            stage,
            cause,
            by,
        });
    }

    /// What all markets show together: here it is one.
    fn together(&self) -> Result<Together, Error> {
        let kept = &self.house.breaker;
        let window = kept.limits.window;
        let shown = kept.evidence.measures(&[], kept.hole, self.block, window)?;
        let (hole, bad_debt) = (kept.hole, shown.bad_debt);
        Ok(Together::default().with(hole, &kept.breaker, &kept.limits, bad_debt)?)
    }

    pub(crate) fn trip(
        &mut self,
        who: AccountId,
        of_market: bool,
        cause: Cause,
    ) -> Result<Tripped, Error> {
        if !of_market {
            let mut all = self.house.global.clone();
            let stage = all
                .breaker
                .trip_together(cause, &self.together()?, self.block)?;
            self.change_all(who, all, Some(cause));
            return Ok(Tripped { stage });
        }
        let mut kept = self.house.breaker;
        let now = self.block;
        let mut from = now;
        let measures = if cause.is_of_oracle() {
            match self.read_feed(kept.feed) {
                Ok(reading) => {
                    if cause == Cause::Stale {
                        from = stale_since(&reading, kept.limits.age, now);
                    }
                    Measures::default().with_oracle(&reading)
                }
                Err(_) => Measures::default().without_oracle(),
            }
        } else {
            let running = self.running_facts()?;
            kept.evidence
                .measures(&running, kept.hole, now, kept.limits.window)?
        };
        let stage = kept.breaker.trip(cause, &kept.limits, &measures, now)?;
        self.change_market(who, kept, from, Some(cause));
        Ok(Tripped { stage })
    }

    pub(crate) fn raise(
        &mut self,
        who: AccountId,
        of_market: bool,
        stage: Stage,
    ) -> Result<(), Error> {
        let now = self.block;
        let by = if who == self.at.governor {
            Raiser::Governor
        } else if who == self.at.guardian {
            Raiser::Guardian
        } else {
            return Err(Error::NotGuardian);
        };
        if of_market {
            let mut kept = self.house.breaker;
            kept.breaker.raise(stage, by, now)?;
            self.change_market(who, kept, now, None);
        } else {
            let mut all = self.house.global.clone();
            all.breaker.raise(stage, by, now)?;
            self.change_all(who, all, None);
        }
        Ok(())
    }

    pub(crate) fn lower(
        &mut self,
        who: AccountId,
        of_market: bool,
        stage: Stage,
    ) -> Result<(), Error> {
        if who != self.at.governor {
            return Err(Error::NotGovernor);
        }
        let now = self.block;
        if of_market {
            let mut kept = self.house.breaker;
            kept.breaker.lower(stage, &kept.limits, now)?;
            self.change_market(who, kept, now, None);
        } else {
            let mut all = self.house.global.clone();
            let limits = Limits::standard(Amount::ZERO);
            all.breaker.lower(stage, &limits, now)?;
            self.change_all(who, all, None);
        }
        Ok(())
    }

    pub(crate) fn reopen(&mut self, who: AccountId, of_market: bool) -> Result<(), Error> {
        let now = self.block;
        if !of_market {
            let mut all = self.house.global.clone();
            all.breaker.reopen_together(&self.together()?, now)?;
            self.change_all(who, all, None);
            return Ok(());
        }
        let mut kept = self.house.breaker;
        let running = self.running_facts()?;
        let measures = kept
            .evidence
            .measures(&running, kept.hole, now, kept.limits.window)?;
        let shown = [Cause::Jump, Cause::Stale, Cause::Dispersed];
        let waits_for = shown.into_iter().find(|it| kept.breaker.causes.has(*it));
        let measures = match waits_for {
            None => measures,
            Some(cause) => match self.read_feed(kept.feed) {
                Ok(reading) => measures.with_oracle(&reading),
                Err(_) => return Err(BreakerError::CauseRemains(cause).into()),
            },
        };
        kept.breaker.reopen(&kept.limits, &measures, now)?;
        self.change_market(who, kept, now, None);
        Ok(())
    }

    pub(crate) fn set_limits(&mut self, who: AccountId, limits: Limits) -> Result<(), Error> {
        if who != self.at.governor {
            return Err(Error::NotGovernor);
        }
        limits.validate()?;
        self.house.breaker.limits = limits;
        let market = MARKET;
        self.house_tells(&LimitsSet { market, limits });
        Ok(())
    }

    /// Takes over what the vault has changed: the hole at once, terms between auctions.
    pub(crate) fn refresh(&mut self) -> Result<(), Error> {
        let hole = self.vault.market.params.hole;
        let kept = &mut self.house.breaker;
        let followed = kept.limits.follow(kept.hole, hole);
        kept.hole = hole;
        if followed {
            let (market, limits) = (MARKET, kept.limits);
            self.house_tells(&LimitsSet { market, limits });
        }
        let params = &self.vault.market.params;
        if self.house.treasury.running.is_empty() {
            let market = &mut self.house.market;
            market.standing = StandingTerms::of(params)?;
            let terms = market.clone();
            let market = MARKET;
            self.house_tells(&MarketRegistered { market, terms });
        }
        Ok(())
    }
}
