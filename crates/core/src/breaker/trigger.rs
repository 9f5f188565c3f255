//! Facts that raise a stage: each is a measure with a limit. A fact holds when the measure is
//! above the limit, strictly; it is gone when the measure is at most `hysteresis · limit`.

use super::{BreakerError, Stage};
use crate::math::{mul_div, Rounding};
use crate::oracle::{distance, Reading};
use crate::units::{Amount, Block, Millis, Ratio};
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// What can raise a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Cause {
    /// The accepted price is far from the one before it or from the average, or the quarantined
    /// price is far from the accepted one.
    Jump,
    /// The last accepted round is too old.
    Stale,
    /// No majority of the submissions of the last accepted round agrees closely.
    Dispersed,
    /// Running batches ask for too much together.
    InAuction,
    /// Auctions left too much debt unpaid lately.
    BadDebt,
    /// Auctions sold too far under the oracle's price lately.
    Recovery,
    /// Auctions saw no bid while under the oracle's price, for too many steps: the sign that
    /// bidders cannot reach the chain.
    NoBids,
    /// Auctions sold far above the oracle's price lately: the sign of a wrong oracle.
    Excess,
    /// The guardian or the governor, not a fact.
    Role,
    /// A majority of markets has tripped; raises the breaker of all markets.
    Markets,
}

impl Cause {
    /// Whether the oracle shows it; else auctions do, or nothing.
    #[must_use]
    pub const fn is_of_oracle(self) -> bool {
        matches!(self, Self::Jump | Self::Stale | Self::Dispersed)
    }

    /// Every measured cause of a market.
    pub const MEASURED: [Self; 8] = [
        Self::Jump,
        Self::Stale,
        Self::Dispersed,
        Self::InAuction,
        Self::BadDebt,
        Self::Recovery,
        Self::NoBids,
        Self::Excess,
    ];

    /// Every cause.
    pub const ALL: [Self; 10] = [
        Self::Jump,
        Self::Stale,
        Self::Dispersed,
        Self::InAuction,
        Self::BadDebt,
        Self::Recovery,
        Self::NoBids,
        Self::Excess,
        Self::Role,
        Self::Markets,
    ];

    const fn bit(self) -> u16 {
        match self {
            Self::Jump => 1,
            Self::Stale => 1 << 1,
            Self::Dispersed => 1 << 2,
            Self::InAuction => 1 << 3,
            Self::BadDebt => 1 << 4,
            Self::Recovery => 1 << 5,
            Self::NoBids => 1 << 6,
            Self::Excess => 1 << 7,
            Self::Role => 1 << 8,
            Self::Markets => 1 << 9,
        }
    }
}

/// A set of causes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Causes(u16);

impl Causes {
    /// None.
    pub const NONE: Self = Self(0);

    /// One more.
    #[must_use]
    pub const fn with(self, cause: Cause) -> Self {
        Self(self.0 | cause.bit())
    }

    /// Whether it is one of them.
    #[must_use]
    pub const fn has(self, cause: Cause) -> bool {
        self.0 & cause.bit() != 0
    }
}

/// What is measured of a market now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Measures {
    /// Largest relative move among: spot to previous, spot to average, quarantined to spot.
    pub jump: Ratio,
    /// Age of the last accepted round.
    pub age: Millis,
    /// Spread of its submissions over the median.
    pub dispersion: Ratio,
    /// What running batches ask for at their start prices.
    pub in_auction: Amount,
    /// Debt written off by auctions in the window.
    pub bad_debt: Amount,
    /// `1 − raised / value at the oracle's price`, over auctions in the window; 0 where they
    /// raised more, or there were none.
    pub shortfall: Ratio,
    /// Steps under the oracle's price without a bid, average over auctions weighted by size; none
    /// of an auction in which an eighth of what it asks for was bid.
    pub silent_steps: u32,
    /// What they raised above the value at the oracle's price, as a share of what those asked for
    /// that raised anything: a dear part of a lot does not speak for the whole. 0 where they raised
    /// less.
    pub excess: Ratio,
}

impl Measures {
    /// Of a market that shows nothing.
    pub const QUIET: Self = Self {
        jump: Ratio::ZERO,
        age: 0,
        dispersion: Ratio::ZERO,
        in_auction: Amount::ZERO,
        bad_debt: Amount::ZERO,
        shortfall: Ratio::ZERO,
        silent_steps: 0,
        excess: Ratio::ZERO,
    };

    /// Adds what an oracle's reading shows.
    #[must_use]
    pub fn with_oracle(mut self, reading: &Reading) -> Self {
        let spot = reading.spot();
        let waiting = reading.quarantined.unwrap_or(spot);
        self.jump = distance(spot, reading.previous)
            .max(distance(spot, reading.twap))
            .max(distance(waiting, spot));
        self.age = reading.age;
        self.dispersion = reading.round.dispersion;
        self
    }

    /// As far as an oracle that does not answer proves anything, which is its age alone: it says
    /// nothing of prices, neither that they jumped nor that they did not.
    #[must_use]
    pub const fn without_oracle(mut self) -> Self {
        self.age = Millis::MAX;
        self
    }
}

/// The block in which a round grew older than a limit, no earlier than it did: the blocks since its
/// acceptance are taken to have lasted as long as the round is old.
#[must_use]
pub fn stale_since(reading: &Reading, limit: Millis, now: Block) -> Block {
    let stood = now.saturating_sub(reading.round.block);
    let over = reading.age.saturating_sub(limit);
    let blocks = mul_div(
        stood.into(),
        over.into(),
        reading.age.into(),
        Rounding::Down,
    );
    let blocks = blocks.map_or(0, |blocks| Block::try_from(blocks).unwrap_or(stood));
    now.saturating_sub(blocks)
}

/// What governance decides about a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Limits {
    /// Move of the price.
    pub jump: Ratio,
    /// Age of a round, milliseconds.
    pub age: Millis,
    /// Spread of submissions.
    pub dispersion: Ratio,
    /// Quote asked for by running batches.
    pub in_auction: Amount,
    /// Quote written off in the window.
    pub bad_debt: Amount,
    /// `r`: least recovery, as a share of the value at the oracle's price.
    pub recovery: Ratio,
    /// Steps without a bid under the oracle's price.
    pub silent_steps: u32,
    /// Raised above the value at the oracle's price, as a share of what was asked for.
    pub excess: Ratio,
    /// Stage that each cause raises to, in the order of [`Cause::MEASURED`].
    pub stages: [Stage; 8],
    /// How far inside its limit a measure must be before its cause is gone, as a share of the
    /// limit.
    pub hysteresis: Ratio,
    /// Blocks a stage lasts at least, unless the governor lowers it.
    pub cool_off: Block,
    /// Blocks without new batches after a halt.
    pub grace: Block,
    /// Blocks in which facts raise nothing after the governor has lowered a stage.
    pub lock: Block,
    /// Blocks after which a stage that a role has raised may be lowered without the governor.
    pub role_term: Block,
    /// Blocks that what auctions showed counts for; up to twice as long.
    pub window: Block,
}

/// The longest a duration of [`Limits`] may be: a week of six-second blocks.
pub const LONGEST: Block = 100_800;

impl Limits {
    /// Limits chosen by replay (`docs/breaker.md`), with caps for a market of this hole.
    #[must_use]
    pub const fn standard(hole: Amount) -> Self {
        Self {
            jump: Ratio::from_bps(1_000),
            age: 3_600_000,
            dispersion: Ratio::from_bps(500),
            in_auction: hole,
            bad_debt: Amount::new(hole.get() / 50),
            recovery: Ratio::from_bps(9_200),
            silent_steps: 36,
            excess: Ratio::from_bps(1_000),
            stages: [
                Stage::NoNewRisk,
                Stage::Halted,
                Stage::NoNewRisk,
                Stage::NoNewRisk,
                Stage::NoReauction,
                Stage::NoReauction,
                Stage::Halted,
                Stage::Halted,
            ],
            hysteresis: Ratio::from_bps(5_000),
            cool_off: 100,
            grace: 100,
            lock: 600,
            role_term: 14_400,
            window: 2_400,
        }
    }

    /// Follows a hole that has changed: limits that are still the standard ones of the old hole
    /// become those of the new one, others stay what the governor has set. Returns whether any
    /// has changed.
    pub fn follow(&mut self, old: Amount, new: Amount) -> bool {
        let (was, is, before) = (Self::standard(old), Self::standard(new), *self);
        if self.in_auction == was.in_auction {
            self.in_auction = is.in_auction;
        }
        if self.bad_debt == was.bad_debt {
            self.bad_debt = is.bad_debt;
        }
        *self != before
    }

    /// Checks the bounds.
    ///
    /// # Errors
    /// [`BreakerError::InvalidLimits`].
    pub fn validate(&self) -> Result<(), BreakerError> {
        let share = |ratio: Ratio| ratio > Ratio::ZERO && ratio < Ratio::ONE;
        let durations = [
            self.cool_off,
            self.grace,
            self.lock,
            self.role_term,
            self.window,
        ];
        let valid = self.jump > Ratio::ZERO
            && self.age > 0
            && self.dispersion > Ratio::ZERO
            && !self.in_auction.is_zero()
            && !self.bad_debt.is_zero()
            && share(self.recovery)
            && self.silent_steps > 0
            && self.excess > Ratio::ZERO
            && share(self.hysteresis)
            && self.stages.iter().all(|stage| *stage > Stage::Open)
            && durations
                .iter()
                .all(|blocks| (1..=LONGEST).contains(blocks));
        if valid {
            Ok(())
        } else {
            Err(BreakerError::InvalidLimits)
        }
    }

    /// The stage a cause raises to; a role chooses for itself.
    #[must_use]
    pub fn stage(&self, cause: Cause) -> Stage {
        Cause::MEASURED
            .iter()
            .position(|measured| *measured == cause)
            .and_then(|at| self.stages.get(at).copied())
            .unwrap_or(Stage::Open)
    }

    /// A measure and its limit in one unit; `None` for what no market shows alone.
    fn pair(&self, measures: &Measures, cause: Cause) -> Option<(u128, u128)> {
        let least = Ratio::ONE.minus(self.recovery).unwrap_or_default();
        Some(match cause {
            Cause::Jump => (measures.jump.ppm(), self.jump.ppm()),
            Cause::Stale => (measures.age.into(), self.age.into()),
            Cause::Dispersed => (measures.dispersion.ppm(), self.dispersion.ppm()),
            Cause::InAuction => (measures.in_auction.get(), self.in_auction.get()),
            Cause::BadDebt => (measures.bad_debt.get(), self.bad_debt.get()),
            Cause::Recovery => (measures.shortfall.ppm(), least.ppm()),
            Cause::NoBids => (measures.silent_steps.into(), self.silent_steps.into()),
            Cause::Excess => (measures.excess.ppm(), self.excess.ppm()),
            Cause::Role | Cause::Markets => return None,
        })
    }

    /// Whether a fact holds: its measure is above the limit. At the limit it does not.
    #[must_use]
    pub fn holds(&self, measures: &Measures, cause: Cause) -> bool {
        self.pair(measures, cause)
            .is_some_and(|(measure, limit)| measure > limit)
    }

    /// Whether a fact is gone: its measure is at most `⌊hysteresis · limit⌋`.
    #[must_use]
    pub fn is_gone(&self, measures: &Measures, cause: Cause) -> bool {
        self.pair(measures, cause).is_some_and(|(measure, limit)| {
            let (share, whole) = (self.hysteresis.ppm(), Ratio::DENOMINATOR);
            mul_div(limit, share, whole, Rounding::Down).is_ok_and(|inside| measure <= inside)
        })
    }
}
