//! How a ladder answers to what is measured when its batch opens (requirement F18).

use super::{Curve, LadderParams, MAX_FLOOR, MAX_START, MIN_FLOOR, MIN_KEEP, MIN_START};
use crate::math::{mul_div, MathError, Rounding};
use crate::units::{Amount, Ratio};
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// The largest answer per unit of volatility.
const MAX_PER_VOLATILITY: Ratio = Ratio::from_ppm(4_000_000);

/// The most that standing depth lowers the start.
const MAX_START_RELIEF: Ratio = Ratio::from_bps(500);

/// The most that standing depth raises the floor.
const MAX_FLOOR_RISE: Ratio = Ratio::from_bps(1_500);

/// What is known of the market when a batch opens. A measure that is missing changes nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Measures {
    /// Standard deviation of the price over an hour, as a share of it.
    pub volatility: Option<Ratio>,
    /// Quote that rests in standing bids of the market, counted as the smallest total over the
    /// last notice period.
    pub depth: Option<Amount>,
}

/// How start, slope and floor answer. Every answer is monotone in its measure, and what comes
/// out stays inside the hard bounds of the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Scaling {
    /// The start rises by so much of the volatility: bidders need room above a price that moves.
    pub start_per_volatility: Ratio,
    /// The slow part of a two-speed ladder reaches so much of the volatility deeper; an
    /// exponential one falls faster by so much of it.
    pub slope_per_volatility: Ratio,
    /// The floor falls by so much of the volatility.
    pub floor_per_volatility: Ratio,
    /// Standing depth, quote units, that counts in full; zero: depth changes nothing.
    pub deep: Amount,
    /// The start falls by this where depth counts in full.
    pub start_relief: Ratio,
    /// The floor rises by this where depth counts in full.
    pub floor_rise: Ratio,
}

impl Scaling {
    /// A ladder that answers to nothing.
    pub const NONE: Self = Self {
        start_per_volatility: Ratio::ZERO,
        slope_per_volatility: Ratio::ZERO,
        floor_per_volatility: Ratio::ZERO,
        deep: Amount::ZERO,
        start_relief: Ratio::ZERO,
        floor_rise: Ratio::ZERO,
    };

    /// The defaults of the protocol: at 50 % a day (10 % an hour) the start is 5 points higher,
    /// the slow part reaches 2 points deeper, the floor is 2 points lower. Depth is off: it needs
    /// an amount of the market's own.
    pub const STANDARD: Self = Self {
        start_per_volatility: Ratio::from_ppm(500_000),
        slope_per_volatility: Ratio::from_ppm(200_000),
        floor_per_volatility: Ratio::from_ppm(200_000),
        ..Self::NONE
    };

    /// Whether every answer is inside its hard bounds.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        let gentle = |answer: Ratio| answer <= MAX_PER_VOLATILITY;
        gentle(self.start_per_volatility)
            && gentle(self.slope_per_volatility)
            && gentle(self.floor_per_volatility)
            && self.start_relief <= MAX_START_RELIEF
            && self.floor_rise <= MAX_FLOOR_RISE
    }
}

impl LadderParams {
    /// These parameters as the measures change them.
    ///
    /// # Errors
    /// [`MathError::Overflow`], only outside the bounds of [`Self::is_valid`].
    pub fn measured(&self, measures: Measures) -> Result<Self, MathError> {
        let mut params = *self;
        let scaling = &self.scaling;
        let mut deeper = Ratio::ZERO;
        if let Some(volatility) = measures.volatility {
            let volatility = volatility.min(Ratio::ONE);
            let fallen = volatility.times(scaling.floor_per_volatility)?;
            let raised = volatility.times(scaling.start_per_volatility)?;
            deeper = volatility.times(scaling.slope_per_volatility)?;
            params.start = params.start.plus(raised)?;
            params.floor = params.floor.minus_or_zero(fallen);
        }
        // Clamped between the two: what volatility added beyond the bound must not eat up what
        // depth answers.
        params.start = params.start.clamp(MIN_START, MAX_START);
        params.floor = params.floor.clamp(MIN_FLOOR, MAX_FLOOR);
        if let Some(depth) = measures.depth.filter(|_| !scaling.deep.is_zero()) {
            let of = |whole: Ratio| -> Result<Ratio, MathError> {
                let counted = depth.min(scaling.deep).get();
                let part = mul_div(whole.ppm(), counted, scaling.deep.get(), Rounding::Down)?;
                u32::try_from(part)
                    .map(Ratio::from_ppm)
                    .map_err(|_| MathError::Overflow)
            };
            params.start = params
                .start
                .minus_or_zero(of(scaling.start_relief)?)
                .max(MIN_START);
            params.floor = params.floor.plus(of(scaling.floor_rise)?)?.min(MAX_FLOOR);
        }
        match &mut params.curve {
            Curve::Linear { .. } => {}
            Curve::Exponential { keep, .. } => {
                let lost = Ratio::ONE.minus_or_zero(*keep);
                let faster = lost.plus(lost.times(deeper)?)?;
                *keep = Ratio::ONE.minus_or_zero(faster).max(MIN_KEEP);
            }
            Curve::TwoSpeed { upper, lower, .. } => {
                *upper = (*upper).min(params.start).max(params.floor);
                *lower = lower.minus_or_zero(deeper).max(params.floor).min(*upper);
            }
        }
        Ok(params)
    }
}
