//! A maintenance margin that follows measured volatility: inside bounds, for new risk at once, for
//! open positions after notice and little by little (requirement F09).
//!
//! With `m = 1 − LT`, the margin in calm times, and the daily volatility `σ`, what is added to it
//! aims at
//!
//! `m · max(0, σ/σ_ref − 1)`, at most `most`
//!
//! Positions of a market are ordered by one ratio, so what is added is one number a market: it
//! lowers the threshold and the initial loan-to-value in force, and no position is visited.

use crate::math::{mul_div, MathError, Rounding};
use crate::oracle::Variance;
use crate::timelock::LONGEST_NOTICE;
use crate::units::{Millis, Ratio};
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// The shortest notice of a rise that open positions get, and the time a rise takes at least: an
/// hour.
pub const SHORTEST_MARGIN_NOTICE: Millis = 3_600_000;

/// The longest time between two updates that governance may ask for: a day.
pub const LONGEST_SPACING: Millis = 86_400_000;

/// The most that may ever be added.
pub const MOST_ADDED: Ratio = Ratio::from_bps(3_000);

/// Seconds of the horizon that volatilities are compared over: a day.
const HORIZON: u64 = 86_400;

/// What governance decides about how a market's margin follows volatility.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct MarginRule {
    /// Most that is added to the margin; zero turns the rule off.
    pub most: Ratio,
    /// `σ_ref`: daily volatility up to which nothing is added.
    pub reference: Ratio,
    /// Most that one announcement adds for open positions.
    pub rise: Ratio,
    /// Most that what is added falls by in one spacing.
    pub fall: Ratio,
    /// Time between updates, at least, milliseconds.
    pub spacing: Millis,
    /// Time between announcing a rise and its beginning, and then until all of it is asked of open
    /// positions, milliseconds.
    pub notice: Millis,
}

/// Why a margin stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum MarginError {
    /// The last update was less than the spacing ago.
    TooSoon,
    /// No volatility has been measured, or the last price is too old to go by.
    NotMeasured,
    /// A number left its range.
    Math(MathError),
}

impl From<MathError> for MarginError {
    fn from(error: MathError) -> Self {
        Self::Math(error)
    }
}

/// A rise that open positions will have to follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Announced {
    /// What will be added in the end.
    pub margin: Ratio,
    /// When it begins to rise from what was added before, in a straight line.
    pub from: Millis,
    /// When it has arrived.
    pub until: Millis,
}

/// What is added to a market's margin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Margin {
    /// For new risk, as of the last update.
    pub new_risk: Ratio,
    /// For open positions, until what is announced begins.
    kept: Ratio,
    /// A rise on its way.
    announced: Option<Announced>,
    /// When it was last updated.
    pub updated: Millis,
}

impl MarginRule {
    /// Off: the margin is always the one of calm times.
    pub const FIXED: Self = Self {
        most: Ratio::ZERO,
        ..Self::STANDARD
    };

    /// Chosen by replaying two years of hourly prices (`docs/breaker.md`).
    pub const STANDARD: Self = Self {
        most: Ratio::from_bps(1_000),
        reference: Ratio::from_bps(1_200),
        rise: Ratio::from_bps(200),
        fall: Ratio::from_bps(50),
        spacing: 600_000,
        notice: SHORTEST_MARGIN_NOTICE,
    };

    /// Whether every bound holds, for a market of this initial loan-to-value: something must be
    /// left to borrow when all of `most` is added.
    #[must_use]
    pub fn is_valid(&self, initial_ltv: Ratio) -> bool {
        ![self.reference, self.rise, self.fall].contains(&Ratio::ZERO)
            && self.most <= MOST_ADDED
            && self.most < initial_ltv
            && (1..=LONGEST_SPACING).contains(&self.spacing)
            && (SHORTEST_MARGIN_NOTICE..=LONGEST_NOTICE).contains(&self.notice)
    }

    /// What a volatility calls for, over a margin of `base` in calm times. Rounded up.
    #[must_use]
    pub fn target(&self, base: Ratio, variance: Variance) -> Ratio {
        if self.most == Ratio::ZERO {
            return Ratio::ZERO;
        }
        let above = variance
            .deviation_over(HORIZON)
            .minus(self.reference)
            .unwrap_or_default();
        let (base, whole) = (base.ppm(), self.reference.ppm());
        mul_div(base, above.ppm(), whole, Rounding::Up)
            .ok()
            .and_then(|ppm| u32::try_from(ppm).ok())
            .map_or(self.most, Ratio::from_ppm)
            .min(self.most)
    }
}

impl Margin {
    /// What is added for open positions at a moment, under the rule in force. A rise on its way is
    /// rounded down, in favour of borrowers.
    #[must_use]
    pub fn kept_at(&self, rule: &MarginRule, now: Millis) -> Ratio {
        self.on_the_way(now).min(rule.most)
    }

    fn on_the_way(&self, now: Millis) -> Ratio {
        let Some(rise) = self.announced else {
            return self.kept;
        };
        let lasts = rise.until.saturating_sub(rise.from);
        let over = now.saturating_sub(rise.from).min(lasts);
        let all = rise.margin.minus(self.kept).unwrap_or_default();
        mul_div(all.ppm(), over.into(), lasts.into(), Rounding::Down)
            .ok()
            .and_then(|ppm| u32::try_from(ppm).ok())
            .and_then(|ppm| self.kept.plus(Ratio::from_ppm(ppm)).ok())
            .unwrap_or(self.kept)
    }

    /// What is added for new risk now: what the last update left, and at once what the volatility
    /// of now calls for. Nobody has to have sent an update for that.
    #[must_use]
    pub fn for_new_risk(
        &self,
        rule: &MarginRule,
        base: Ratio,
        variance: Option<Variance>,
    ) -> Ratio {
        let called_for = variance.map_or(Ratio::ZERO, |variance| rule.target(base, variance));
        self.new_risk.min(rule.most).max(called_for)
    }

    /// Forgets what is beyond the rule that was in force until now, when another takes its place:
    /// a lower bound hides what was kept, and a higher one later must not bring it back at once.
    pub fn settle(&mut self, rule: &MarginRule, now: Millis) {
        let present = self.kept_at(rule, now);
        self.announced = self.announced(now).and_then(|rise| {
            let (margin, from) = (rise.margin.min(rule.most), rise.from.max(now));
            (margin > present).then_some(Announced {
                margin,
                from,
                ..rise
            })
        });
        self.kept = present;
    }

    /// A rise that has not fully arrived.
    #[must_use]
    pub fn announced(&self, now: Millis) -> Option<Announced> {
        self.announced.filter(|rise| now < rise.until)
    }

    /// Follows the volatility by one step; returns whether anything changed. Anyone.
    ///
    /// New risk feels a rise at once and in full. For open positions it is announced: one step of
    /// at most `rise`, that begins after the notice, rises in a straight line for as long again,
    /// and has to arrive before the next is announced. So in the moment of an update nothing
    /// rises for them. A fall comes at `fall` for each spacing that has passed, and everybody
    /// feels it at once.
    ///
    /// # Errors
    /// [`MarginError::TooSoon`], [`MarginError::NotMeasured`], [`MarginError::Math`].
    pub fn update(
        &mut self,
        rule: &MarginRule,
        base: Ratio,
        variance: Option<Variance>,
        now: Millis,
    ) -> Result<bool, MarginError> {
        let variance = variance.ok_or(MarginError::NotMeasured)?;
        let passed = now.saturating_sub(self.updated);
        if passed < rule.spacing {
            return Err(MarginError::TooSoon);
        }
        let before = *self;
        let fallen = mul_div(
            rule.fall.ppm(),
            passed.into(),
            rule.spacing.into(),
            Rounding::Down,
        )?;
        let lowest = self.new_risk.ppm().saturating_sub(fallen);
        let lowest = u32::try_from(lowest).map_or(self.new_risk, Ratio::from_ppm);
        self.new_risk = rule.target(base, variance).max(lowest.min(rule.most));
        let present = self.kept_at(rule, now);
        let waiting = self.announced(now);
        if self.new_risk < present {
            (self.kept, self.announced) = (self.new_risk, None);
        } else if let Some(rise) = waiting {
            // It ends no higher than what new risk is asked for, and goes on from where it is.
            let margin = rise.margin.min(self.new_risk);
            let from = rise.from.max(now);
            if margin < rise.margin {
                self.kept = present;
                self.announced = (margin > present).then_some(Announced {
                    margin,
                    from,
                    ..rise
                });
            }
        } else {
            self.kept = present;
            let margin = self.new_risk.min(present.plus(rule.rise)?);
            let from = now.saturating_add(rule.notice);
            self.announced = (margin > present).then_some(Announced {
                margin,
                from,
                until: from.saturating_add(rule.notice),
            });
        }
        self.updated = now;
        let of = |margin: &Self| (margin.new_risk, margin.kept, margin.announced);
        Ok(of(self) != of(&before))
    }
}

#[cfg(test)]
mod tests;
