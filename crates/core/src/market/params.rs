//! Everything that governance decides about a market, with hard bounds.

use super::LONGEST_PRICE_AGE;
use crate::interest::InterestCurve;
use crate::ladder::LadderParams;
use crate::losses::RewardTerms;
use crate::margin::MarginRule;
use crate::math::{MathError, Rounding};
use crate::timelock::{Easing, LONGEST_NOTICE, SHORTEST_NOTICE};
use crate::units::{Amount, Millis, Ratio, UnitScale};
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// Everything that governance decides about a market.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct MarketParams {
    /// Decimals of the collateral token, 6 to 18.
    pub collateral_decimals: u8,
    /// Decimals of the quote token, 6 to 18.
    pub quote_decimals: u8,
    /// Oracle feed that prices whole collateral in whole quote.
    pub feed: u32,
    /// Oldest accepted round that borrowing, withdrawing and opening rely on, milliseconds.
    pub max_price_age: u64,
    /// Largest debt per collateral value after borrowing or withdrawing.
    pub initial_ltv: Ratio,
    /// `LT`: a position is liquidatable once its debt exceeds this share of its collateral value.
    pub liquidation_threshold: Ratio,
    /// `π`: what a liquidated owner pays on top of the debt retired.
    pub penalty: Ratio,
    /// `h*`: health that a partial closing restores.
    pub target_health: Ratio,
    /// `h_f`: health at and under which a cohort is closed whole.
    pub full_close_health: Ratio,
    /// `w`: width of the ramp above `h_f` from partial to full closing.
    pub ramp_width: Ratio,
    /// `σ`: shortfall of the clearing price against the oracle that partial closing plans for.
    pub slippage: Ratio,
    /// Least debt of a position, quote units; a cohort's rest under it is closed whole.
    pub min_debt: Amount,
    /// Most debt of the whole market, quote units.
    pub debt_ceiling: Amount,
    /// Most that lenders may supply, quote units.
    pub supply_cap: Amount,
    /// Most that running batches may ask for together at their start prices, quote units.
    pub hole: Amount,
    /// What a batch may ask for even if bidders have deposited less, quote units.
    pub min_batch: Amount,
    /// Fixed part of a keeper's reward, quote units.
    pub keeper_tip: Amount,
    /// Part of a keeper's reward in proportion to what the batch raised.
    pub keeper_share: Ratio,
    /// Price ladder of its batches.
    pub ladder: LadderParams,
    /// What borrowers pay for their debt.
    pub interest: InterestCurve,
    /// How long a change of these parameters is announced before it applies, milliseconds.
    pub notice: Millis,
    /// One loss of lenders above this share of what they have lent winds the market down.
    pub loss_cap: Ratio,
    /// What insurance may spend in a day on collateral that nobody bids for, as a share of the
    /// hole; zero: it buys nothing.
    pub insurance_budget: Ratio,
    /// How the margin follows volatility.
    pub margin: MarginRule,
}

/// The least penalty: keepers are paid out of penalties, and nobody would liquidate for nothing.
pub const MIN_PENALTY: Ratio = Ratio::from_ppm(1_000);

/// The most that insurance may spend in a day, as a share of the hole.
pub const MAX_INSURANCE_BUDGET: Ratio = Ratio::from_bps(2_500);

/// The highest keeper's tip, as a part of the hole: insurance tops up to it several times a day,
/// and whoever leaves a batch pays it.
pub const TIP_PART_OF_HOLE: u128 = 100;

/// Parameters that may be lowered at once: they bind new risk only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Limits {
    /// Initial loan-to-value, above zero.
    pub initial_ltv: Ratio,
    /// Debt ceiling, quote units; zero stops borrowing.
    pub debt_ceiling: Amount,
    /// Supply cap, quote units; zero stops supplying.
    pub supply_cap: Amount,
}

/// Which bound a set of parameters violates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum ParamsError {
    /// Token decimals outside 6 to 18.
    Decimals,
    /// Not `0 < initial LTV < liquidation threshold < 1`.
    LoanToValue,
    /// Penalty under 0.1 % or over 30 %, or slippage of 50 % or more.
    PenaltyOrSlippage,
    /// `(1+π)·LT` must be under `1−σ` and under `h*(1−σ)`: else closing could worsen a position.
    TargetHealth,
    /// Not `full-close health + ramp ≤ 1`, or the ramp is zero.
    FullClose,
    /// Minimum debt is zero.
    MinimumDebt,
    /// Not `0 < minimum batch ≤ hole`.
    Hole,
    /// The ladder leaves its bounds.
    Ladder,
    /// The keeper's share is over a tenth.
    KeeperShare,
    /// The interest curve falls, has no kink inside, or leaves its bounds.
    Interest,
    /// Maximum price age is zero or more than a day.
    PriceAge,
    /// Notice outside one to thirty days.
    Notice,
    /// Not `0 < loss cap ≤ 1`.
    LossCap,
    /// Decimals, feed, step length and announcement never change.
    Fixed,
    /// A limit would rise; that takes notice.
    Loosened,
    /// The keeper's tip is over a hundredth of the hole.
    KeeperTip,
    /// Insurance would spend over a quarter of the hole in a day.
    InsuranceBudget,
    /// A part of the margin rule is zero or leaves its bounds, or nothing could be borrowed.
    Margin,
}

impl MarketParams {
    /// The factor between token base units and prices.
    ///
    /// # Errors
    /// [`ParamsError::Decimals`].
    pub fn scale(&self) -> Result<UnitScale, ParamsError> {
        UnitScale::of_decimals(self.collateral_decimals, self.quote_decimals)
            .ok_or(ParamsError::Decimals)
    }

    /// Checks every hard bound.
    ///
    /// # Errors
    /// The first bound that does not hold.
    pub fn validate(&self) -> Result<(), ParamsError> {
        self.scale()?;
        let ensure = |holds: bool, error| if holds { Ok(()) } else { Err(error) };
        let one = Ratio::ONE;
        ensure(
            self.initial_ltv > Ratio::ZERO
                && self.initial_ltv < self.liquidation_threshold
                && self.liquidation_threshold < one,
            ParamsError::LoanToValue,
        )?;
        ensure(
            (MIN_PENALTY..=Ratio::from_bps(3_000)).contains(&self.penalty)
                && self.slippage < Ratio::from_bps(5_000),
            ParamsError::PenaltyOrSlippage,
        )?;
        let owed = self
            .penalised_threshold()
            .map_err(|_| ParamsError::TargetHealth)?;
        let kept = one
            .minus(self.slippage)
            .map_err(|_| ParamsError::TargetHealth)?;
        let target = self
            .target_health
            .times(kept)
            .map_err(|_| ParamsError::TargetHealth)?;
        ensure(
            target > owed && kept > owed && self.target_health > one,
            ParamsError::TargetHealth,
        )?;
        let ramp_top = self
            .full_close_health
            .plus(self.ramp_width)
            .map_err(|_| ParamsError::FullClose)?;
        ensure(
            ramp_top <= one && self.ramp_width > Ratio::ZERO,
            ParamsError::FullClose,
        )?;
        ensure(!self.min_debt.is_zero(), ParamsError::MinimumDebt)?;
        ensure(
            !self.min_batch.is_zero() && self.min_batch <= self.hole,
            ParamsError::Hole,
        )?;
        ensure(self.ladder.is_valid(), ParamsError::Ladder)?;
        ensure(
            self.keeper_share <= Ratio::from_bps(1_000),
            ParamsError::KeeperShare,
        )?;
        ensure(self.interest.is_valid(), ParamsError::Interest)?;
        ensure(
            (1..=LONGEST_PRICE_AGE).contains(&self.max_price_age),
            ParamsError::PriceAge,
        )?;
        ensure(
            (SHORTEST_NOTICE..=LONGEST_NOTICE).contains(&self.notice),
            ParamsError::Notice,
        )?;
        ensure(
            self.loss_cap > Ratio::ZERO && self.loss_cap <= one,
            ParamsError::LossCap,
        )?;
        let most_tip = self.hole.mul_div(1, TIP_PART_OF_HOLE, Rounding::Down);
        ensure(
            most_tip.is_ok_and(|most| self.keeper_tip <= most),
            ParamsError::KeeperTip,
        )?;
        ensure(
            self.insurance_budget <= MAX_INSURANCE_BUDGET,
            ParamsError::InsuranceBudget,
        )?;
        ensure(self.margin.is_valid(self.initial_ltv), ParamsError::Margin)
    }

    /// Checks that other parameters may take the place of these, whose threshold is the one in
    /// force now. A lower threshold comes little by little, so every bound must hold with the
    /// present one as well.
    ///
    /// # Errors
    /// [`ParamsError::Fixed`], and the first bound that does not hold.
    pub fn ensure_may_become(&self, next: &Self) -> Result<(), ParamsError> {
        let fixed = |params: &Self| {
            (
                params.collateral_decimals,
                params.quote_decimals,
                params.feed,
                params.ladder.blocks_per_step,
                params.ladder.announce_blocks,
            )
        };
        if fixed(self) != fixed(next) {
            return Err(ParamsError::Fixed);
        }
        next.validate()?;
        let mut meanwhile = next.clone();
        meanwhile.liquidation_threshold =
            next.liquidation_threshold.max(self.liquidation_threshold);
        meanwhile.validate()
    }

    /// The way down of the threshold from these parameters to others, if it falls.
    #[must_use]
    pub fn easing_to(&self, next: &Self, now: Millis) -> Option<Easing> {
        (next.liquidation_threshold < self.liquidation_threshold).then_some(Easing {
            from: self.liquidation_threshold,
            since: now,
            lasts: self.notice,
        })
    }

    /// Lowers what binds new risk only, at once.
    ///
    /// # Errors
    /// [`ParamsError::Loosened`], [`ParamsError::LoanToValue`].
    pub fn restrict(&mut self, to: Limits) -> Result<(), ParamsError> {
        if to.initial_ltv > self.initial_ltv
            || to.debt_ceiling > self.debt_ceiling
            || to.supply_cap > self.supply_cap
        {
            return Err(ParamsError::Loosened);
        }
        if to.initial_ltv == Ratio::ZERO {
            return Err(ParamsError::LoanToValue);
        }
        self.initial_ltv = to.initial_ltv;
        self.debt_ceiling = to.debt_ceiling;
        self.supply_cap = to.supply_cap;
        Ok(())
    }

    /// What settling a batch that asks for so much will pay its keepers.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn reward_terms(&self, asked: Amount) -> Result<RewardTerms, MathError> {
        Ok(RewardTerms {
            tip: self.keeper_tip,
            share: self.keeper_share,
            topped_up: asked >= self.hole.mul_div(1, 8, Rounding::Up)?,
        })
    }

    /// What insurance may spend in a day on collateral that nobody bids for, rounded down.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn insurance_budget_a_day(&self) -> Result<Amount, MathError> {
        self.hole.share(self.insurance_budget, Rounding::Down)
    }

    /// `(1+π)·LT`, rounded down.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn penalised_threshold(&self) -> Result<Ratio, MathError> {
        Ratio::ONE
            .plus(self.penalty)?
            .times(self.liquidation_threshold)
    }
}

/// Parameters that are valid and easy to vary, for tests of this crate and its users.
#[must_use]
pub fn example_params() -> MarketParams {
    let quote = |whole: u128| Amount::new(whole.saturating_mul(1_000_000));
    MarketParams {
        collateral_decimals: 18,
        quote_decimals: 6,
        feed: 0,
        max_price_age: 3_600_000,
        initial_ltv: Ratio::from_bps(7_500),
        liquidation_threshold: Ratio::from_bps(8_000),
        penalty: Ratio::from_bps(500),
        target_health: Ratio::from_bps(10_500),
        full_close_health: Ratio::from_bps(9_500),
        ramp_width: Ratio::from_bps(200),
        slippage: Ratio::from_bps(300),
        min_debt: quote(100),
        debt_ceiling: quote(1_000_000_000),
        supply_cap: quote(2_000_000_000),
        hole: quote(100_000_000),
        min_batch: quote(10_000),
        keeper_tip: quote(5),
        keeper_share: Ratio::from_bps(10),
        ladder: LadderParams::standard(),
        interest: InterestCurve::FREE,
        notice: SHORTEST_NOTICE,
        loss_cap: Ratio::from_bps(1_000),
        insurance_budget: Ratio::from_bps(500),
        margin: MarginRule::FIXED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn every_bound_refuses_by_its_own_name() {
        let valid = example_params();
        assert_eq!(valid.validate(), Ok(()));
        type Change = fn(&mut MarketParams);
        let cases: Vec<(Change, ParamsError)> = vec![
            (|p| p.collateral_decimals = 5, ParamsError::Decimals),
            (|p| p.quote_decimals = 19, ParamsError::Decimals),
            (
                |p| p.initial_ltv = p.liquidation_threshold,
                ParamsError::LoanToValue,
            ),
            (|p| p.initial_ltv = Ratio::ZERO, ParamsError::LoanToValue),
            (
                |p| p.liquidation_threshold = Ratio::ONE,
                ParamsError::LoanToValue,
            ),
            (
                |p| p.penalty = Ratio::from_bps(3_001),
                ParamsError::PenaltyOrSlippage,
            ),
            (
                |p| p.slippage = Ratio::from_bps(5_000),
                ParamsError::PenaltyOrSlippage,
            ),
            (
                |p| p.slippage = Ratio::from_bps(2_000),
                ParamsError::TargetHealth,
            ),
            (|p| p.target_health = Ratio::ONE, ParamsError::TargetHealth),
            (
                |p| p.full_close_health = Ratio::from_bps(9_900),
                ParamsError::FullClose,
            ),
            (|p| p.ramp_width = Ratio::ZERO, ParamsError::FullClose),
            (|p| p.min_debt = Amount::ZERO, ParamsError::MinimumDebt),
            (|p| p.min_batch = Amount::ZERO, ParamsError::Hole),
            (|p| p.hole = Amount::new(1), ParamsError::Hole),
            (
                |p| p.ladder.floor = Ratio::from_bps(9_600),
                ParamsError::Ladder,
            ),
            (
                |p| p.ladder.start = Ratio::from_bps(10_000),
                ParamsError::Ladder,
            ),
            (
                |p| p.keeper_share = Ratio::from_bps(1_001),
                ParamsError::KeeperShare,
            ),
            (
                |p| p.interest.at_kink = Ratio::from_bps(6_001),
                ParamsError::Interest,
            ),
            (|p| p.max_price_age = 0, ParamsError::PriceAge),
            (
                |p| p.max_price_age = LONGEST_PRICE_AGE + 1,
                ParamsError::PriceAge,
            ),
            (|p| p.notice = SHORTEST_NOTICE - 1, ParamsError::Notice),
            (|p| p.notice = LONGEST_NOTICE + 1, ParamsError::Notice),
            (|p| p.loss_cap = Ratio::ZERO, ParamsError::LossCap),
            (
                |p| p.loss_cap = Ratio::from_ppm(1_000_001),
                ParamsError::LossCap,
            ),
            (|p| p.penalty = Ratio::ZERO, ParamsError::PenaltyOrSlippage),
            (
                |p| p.penalty = Ratio::from_ppm(999),
                ParamsError::PenaltyOrSlippage,
            ),
            (
                |p| p.keeper_tip = Amount::new(p.hole.get() / TIP_PART_OF_HOLE + 1),
                ParamsError::KeeperTip,
            ),
            (
                |p| p.insurance_budget = Ratio::from_ppm(250_001),
                ParamsError::InsuranceBudget,
            ),
            (
                |p| p.margin.most = Ratio::from_bps(3_001),
                ParamsError::Margin,
            ),
        ];
        for (change, expected) in cases {
            let mut params = valid.clone();
            change(&mut params);
            assert_eq!(params.validate(), Err(expected));
        }
    }

    #[test]
    fn what_bidders_and_books_are_built_on_never_changes() {
        let now = example_params();
        type Change = fn(&mut MarketParams);
        let fixed: [Change; 5] = [
            |p| p.collateral_decimals = 12,
            |p| p.quote_decimals = 12,
            |p| p.feed = 1,
            |p| p.ladder.blocks_per_step = 2,
            |p| p.ladder.announce_blocks = 2,
        ];
        for change in fixed {
            let mut next = now.clone();
            change(&mut next);
            assert_eq!(now.ensure_may_become(&next), Err(ParamsError::Fixed));
        }
        let mut next = now.clone();
        next.hole = Amount::new(1);
        assert_eq!(now.ensure_may_become(&next), Err(ParamsError::Hole));
    }

    #[test]
    fn a_falling_threshold_keeps_every_bound_on_its_way() {
        let now = example_params();
        // 30 % penalty suits a threshold of 60 %, not the present 80 %.
        let mut next = now.clone();
        (next.initial_ltv, next.liquidation_threshold) =
            (Ratio::from_bps(5_000), Ratio::from_bps(6_000));
        next.penalty = Ratio::from_bps(3_000);
        assert_eq!(next.validate(), Ok(()));
        assert_eq!(now.ensure_may_become(&next), Err(ParamsError::TargetHealth));
        next.penalty = now.penalty;
        assert_eq!(now.ensure_may_become(&next), Ok(()));
        let easing = now.easing_to(&next, 5).unwrap();
        assert_eq!(
            easing.at(next.liquidation_threshold, 5),
            Ok(now.liquidation_threshold)
        );
        assert_eq!(next.easing_to(&now, 5), None, "a rise helps borrowers");
    }

    #[test]
    fn restricting_only_lowers() {
        let params = example_params();
        let limits = Limits {
            initial_ltv: params.initial_ltv,
            debt_ceiling: params.debt_ceiling,
            supply_cap: params.supply_cap,
        };
        let more = |amount: Amount| amount.plus(Amount::new(1)).unwrap();
        let looser = [
            Limits {
                initial_ltv: Ratio::from_bps(7_501),
                ..limits
            },
            Limits {
                debt_ceiling: more(limits.debt_ceiling),
                ..limits
            },
            Limits {
                supply_cap: more(limits.supply_cap),
                ..limits
            },
        ];
        for to in looser {
            assert_eq!(params.clone().restrict(to), Err(ParamsError::Loosened));
        }
        let none = Limits {
            initial_ltv: Ratio::ZERO,
            ..limits
        };
        assert_eq!(params.clone().restrict(none), Err(ParamsError::LoanToValue));
        let tight = Limits {
            initial_ltv: Ratio::from_ppm(1),
            debt_ceiling: Amount::ZERO,
            supply_cap: Amount::ZERO,
        };
        let mut params = params;
        params.restrict(tight).unwrap();
        assert_eq!(params.validate(), Ok(()));
        assert_eq!(params.debt_ceiling, Amount::ZERO);
    }
}
