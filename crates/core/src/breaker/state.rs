//! One breaker: of a market, or of all markets together.

use super::action::{allowed, Action};
use super::trigger::{Cause, Causes, Limits, Measures};
use super::{BreakerError, Stage};
use crate::units::Block;
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// Who raised a stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Raiser {
    /// Anyone, with a measured fact.
    #[default]
    Anyone,
    /// The guardian.
    Guardian,
    /// The governor.
    Governor,
}

/// A halt that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub(super) struct Halt {
    /// Its first block.
    pub(super) from: Block,
    /// Blocks halted by the breaker of all markets before that.
    pub(super) global: Block,
}

/// A breaker. It fits one cell together with its market's [`super::Evidence`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Breaker {
    /// The present stage.
    pub stage: Stage,
    /// What raised it, all of it.
    pub causes: Causes,
    /// Who raised it last.
    pub raised_by: Raiser,
    /// Block in which the present stage began.
    pub since: Block,
    /// Until this block facts raise nothing.
    pub locked_until: Block,
    /// Until this block no batch opens.
    pub grace_until: Block,
    /// Blocks of ended halts, without those in which all markets were halted anyway.
    pub(super) halted: Block,
    /// The halt that has not ended.
    pub(super) halt: Option<Halt>,
    /// Block in which the last halt ended.
    pub(super) halt_ended: Block,
}

/// The stage in force in a market: the higher of its own and that of all markets.
#[must_use]
pub fn effective(market: &Breaker, global: &Breaker) -> Stage {
    market.stage.max(global.stage)
}

/// Whether a market allows an action now.
///
/// # Errors
/// [`BreakerError::Stopped`], [`BreakerError::GracePeriod`].
pub fn ensure_allowed(
    market: &Breaker,
    global: &Breaker,
    action: Action,
    now: Block,
) -> Result<(), BreakerError> {
    let stage = effective(market, global);
    if !allowed(stage, action) {
        return Err(BreakerError::Stopped(stage));
    }
    let opens = matches!(action, Action::OpenBatch | Action::Reauction);
    if opens && now < market.grace_until.max(global.grace_until) {
        return Err(BreakerError::GracePeriod);
    }
    Ok(())
}

/// Blocks until now in which the market or all markets were halted, counted once each.
#[must_use]
pub fn halted_blocks(market: &Breaker, global: &Breaker, now: Block) -> Block {
    let all = global.own(0, now);
    market.own(all, now).saturating_add(all)
}

/// Blocks halted since a count taken before with [`halted_blocks`].
#[must_use]
pub fn halted_between(before: Block, market: &Breaker, global: &Breaker, now: Block) -> Block {
    halted_blocks(market, global, now).saturating_sub(before)
}

/// What a price clock shows that began with a count of halted blocks: the present block less
/// those halted since. While a halt lasts it stands.
#[must_use]
pub fn clock(before: Block, market: &Breaker, global: &Breaker, now: Block) -> Block {
    now.saturating_sub(halted_between(before, market, global, now))
}

impl Breaker {
    /// Blocks of its own halts until now, less those in which all markets were halted: `global`
    /// is the count of these now.
    fn own(&self, global: Block, now: Block) -> Block {
        let running = self.halt.map_or(0, |halt| {
            let apart = global.saturating_sub(halt.global);
            now.saturating_sub(halt.from).saturating_sub(apart)
        });
        self.halted.saturating_add(running)
    }

    /// Moves to another stage. A halt begins at `from`, which may be in the past, but neither
    /// before an earlier halt ended nor before one of all markets did.
    fn change(&mut self, stage: Stage, from: Block, now: Block, global: &Self) {
        let all = global.own(0, now);
        if stage == Stage::Halted && self.halt.is_none() {
            let from = from.min(now).max(self.halt_ended).max(global.halt_ended);
            // What was halted for all markets before `from`: nothing ended since, so at most the
            // halt that lasts now reaches beyond it.
            let before = global.halt.map_or(all, |halt| {
                let lasts = now.saturating_sub(halt.from.max(from));
                all.saturating_sub(lasts)
            });
            self.halt = Some(Halt {
                from,
                global: before,
            });
        } else if stage != Stage::Halted && self.halt.is_some() {
            self.halted = self.own(all, now);
            self.halt = None;
            self.halt_ended = now;
        }
        self.stage = stage;
        self.since = now;
    }

    /// Raises the stage for a measured fact. Anyone.
    ///
    /// A halt begins at `from`: the block in which the fact became true where that is on chain
    /// and after every opening, otherwise the present one. For the breaker of all markets
    /// `global` is a default one and `from` the present block.
    ///
    /// A fact of a stage already reached is noted once, so that its end is waited for too. That
    /// restarts no cool-off: repeating facts does not keep a market closed.
    ///
    /// # Errors
    /// [`BreakerError::WithinBounds`], [`BreakerError::Locked`], [`BreakerError::AlreadyTripped`].
    pub fn trip(
        &mut self,
        cause: Cause,
        limits: &Limits,
        measures: &Measures,
        blocks: (Block, Block),
        global: &Self,
    ) -> Result<Stage, BreakerError> {
        let (from, now) = blocks;
        if !limits.holds(measures, cause) {
            return Err(BreakerError::WithinBounds);
        }
        if now < self.locked_until {
            return Err(BreakerError::Locked);
        }
        let stage = limits.stage(cause);
        if stage <= self.stage && self.causes.has(cause) {
            return Err(BreakerError::AlreadyTripped);
        }
        self.causes = self.causes.with(cause);
        if stage > self.stage {
            self.raised_by = Raiser::Anyone;
            self.change(stage, from, now, global);
        }
        Ok(self.stage)
    }

    /// Raises the stage by decision of the guardian or the governor; who calls is checked before.
    ///
    /// # Errors
    /// [`BreakerError::NotHigher`].
    pub fn raise(
        &mut self,
        stage: Stage,
        by: Raiser,
        now: Block,
        global: &Self,
    ) -> Result<(), BreakerError> {
        if stage <= self.stage {
            return Err(BreakerError::NotHigher);
        }
        self.causes = self.causes.with(Cause::Role);
        self.raised_by = by;
        self.change(stage, now, now, global);
        Ok(())
    }

    /// Lowers the stage by decision of the governor, whatever its causes; who calls is checked
    /// before. Facts do not raise it again for the length of the lock.
    ///
    /// # Errors
    /// [`BreakerError::NotLower`].
    pub fn lower(
        &mut self,
        stage: Stage,
        limits: &Limits,
        now: Block,
        global: &Self,
    ) -> Result<(), BreakerError> {
        if stage >= self.stage {
            return Err(BreakerError::NotLower);
        }
        self.causes = if stage == Stage::Open {
            Causes::NONE
        } else {
            Causes::NONE.with(Cause::Role)
        };
        self.raised_by = Raiser::Governor;
        self.locked_until = now.saturating_add(limits.lock);
        self.leave(stage, limits, now, global);
        Ok(())
    }

    /// Reopens once the cool-off is over and every cause is gone. Anyone.
    ///
    /// A stage that a role has raised is gone after its term.
    ///
    /// # Errors
    /// [`BreakerError::NotLower`] where it is open, [`BreakerError::CoolingOff`],
    /// [`BreakerError::CauseRemains`].
    pub fn reopen(
        &mut self,
        limits: &Limits,
        measures: &Measures,
        now: Block,
        global: &Self,
    ) -> Result<(), BreakerError> {
        if self.stage == Stage::Open {
            return Err(BreakerError::NotLower);
        }
        if now < self.since.saturating_add(limits.cool_off) {
            return Err(BreakerError::CoolingOff);
        }
        if self.causes.has(Cause::Role) && now < self.since.saturating_add(limits.role_term) {
            return Err(BreakerError::CauseRemains(Cause::Role));
        }
        for cause in Cause::MEASURED {
            if self.causes.has(cause) && !limits.is_gone(measures, cause) {
                return Err(BreakerError::CauseRemains(cause));
            }
        }
        self.causes = Causes::NONE;
        self.leave(Stage::Open, limits, now, global);
        Ok(())
    }

    fn leave(&mut self, stage: Stage, limits: &Limits, now: Block, global: &Self) {
        if self.stage == Stage::Halted {
            self.grace_until = now.saturating_add(limits.grace);
        }
        self.change(stage, now, now, global);
    }
}
