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

impl Breaker {
    fn change(&mut self, stage: Stage, now: Block) {
        self.stage = stage;
        self.since = now;
    }

    /// Raises the stage for a measured fact. Anyone.
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
        now: Block,
    ) -> Result<Stage, BreakerError> {
        if !limits.holds(measures, cause) {
            return Err(BreakerError::WithinBounds);
        }
        self.note(cause, limits.stage(cause), now)
    }

    /// Notes a fact that holds, and raises the stage to its.
    pub(super) fn note(
        &mut self,
        cause: Cause,
        stage: Stage,
        now: Block,
    ) -> Result<Stage, BreakerError> {
        if now < self.locked_until {
            return Err(BreakerError::Locked);
        }
        if stage <= self.stage && self.causes.has(cause) {
            return Err(BreakerError::AlreadyTripped);
        }
        self.causes = self.causes.with(cause);
        if stage > self.stage {
            self.raised_by = Raiser::Anyone;
            self.change(stage, now);
        }
        Ok(self.stage)
    }

    /// Raises the stage by decision of the guardian or the governor; who calls is checked before.
    ///
    /// # Errors
    /// [`BreakerError::NotHigher`].
    pub fn raise(&mut self, stage: Stage, by: Raiser, now: Block) -> Result<(), BreakerError> {
        if stage <= self.stage {
            return Err(BreakerError::NotHigher);
        }
        self.causes = self.causes.with(Cause::Role);
        self.raised_by = by;
        self.change(stage, now);
        Ok(())
    }

    /// Lowers the stage by decision of the governor, whatever its causes; who calls is checked
    /// before. Facts do not raise it again for the length of the lock.
    ///
    /// # Errors
    /// [`BreakerError::NotLower`].
    pub fn lower(&mut self, stage: Stage, limits: &Limits, now: Block) -> Result<(), BreakerError> {
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
        self.leave(stage, limits, now);
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
        self.leave(Stage::Open, limits, now);
        Ok(())
    }

    /// The first block in which anyone may reopen, where every measured cause is gone by then;
    /// `None` where it is open.
    #[must_use]
    pub fn reopens_from(&self, limits: &Limits) -> Option<Block> {
        if self.stage == Stage::Open {
            return None;
        }
        let lasts = if self.causes.has(Cause::Role) {
            limits.cool_off.max(limits.role_term)
        } else {
            limits.cool_off
        };
        Some(self.since.saturating_add(lasts))
    }

    fn leave(&mut self, stage: Stage, limits: &Limits, now: Block) {
        if self.stage == Stage::Halted {
            self.grace_until = now.saturating_add(limits.grace);
        }
        self.change(stage, now);
    }
}
