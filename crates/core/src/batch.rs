//! What a cohort must raise, what a batch must raise, and what a clearing leaves of a cohort.

use crate::market::{MarketParams, Unrested};
use crate::math::{mul_div, wide_product, MathError, Rounding};
use crate::page::{BatchedCohort, DepartureKey};
use crate::units::{Amount, Block, Index, Price, Ratio, ScaledDebt, UnitScale};
use alloc::vec::Vec;
use ethnum::U256;
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// What a batch asks of one cohort, in quote units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ask {
    /// `x`: the part of the debt to retire.
    pub retire: Amount,
    /// `T_b`: debt to retire and penalty together.
    pub target: Amount,
}

/// What a cohort must raise, fixed at opening.
///
/// With `h = C·p·LT / D` its health at the reference price:
/// - partial: `x = D (h* − h) / (h* − (1+π)·LT/(1−σ))` restores the target health `h*` if the
///   clearing price is `σ` under the reference; `T_b = x (1+π)`;
/// - full: `T_b = D (1+π)` from health `h_f` down, if `D / (C·p) > (1−σ)/(1+π)` (selling a part
///   with the penalty would make the rest worse), or if the rest would be under the minimum debt;
/// - between `h_f + w` and `h_f` the target rises linearly from the one to the other.
///
/// Rounded up: the cohort sells a unit more rather than stay under its target.
///
/// # Errors
/// [`MathError`] where a number leaves its range.
pub fn ask(
    params: &MarketParams,
    scale: UnitScale,
    collateral: Amount,
    debt: Amount,
    reference: Price,
) -> Result<Ask, MathError> {
    if debt.is_zero() {
        return Ok(Ask::default());
    }
    let with_penalty = Ratio::ONE.plus(params.penalty)?;
    let kept = Ratio::ONE.minus(params.slippage)?;
    let full = Ask {
        retire: debt,
        target: debt.share(with_penalty, Rounding::Up)?,
    };

    let value = scale.value(collateral, reference, Rounding::Down)?;
    let toxic =
        wide_product(debt.get(), with_penalty.ppm()) > wide_product(value.get(), kept.ppm());
    if toxic {
        return Ok(full);
    }
    // Not toxic, so the debt is below the value and health fits a ratio.
    let health = mul_div(
        value.get(),
        params.liquidation_threshold.ppm(),
        debt.get(),
        Rounding::Down,
    )?;
    let ramp_top = params.full_close_health.plus(params.ramp_width)?.ppm();
    if health <= params.full_close_health.ppm() {
        return Ok(full);
    }
    let penalised = mul_div(
        params.penalised_threshold()?.ppm(),
        Ratio::DENOMINATOR,
        kept.ppm(),
        Rounding::Up,
    )?;
    let target_health = params.target_health.ppm();
    let slope = target_health
        .checked_sub(penalised)
        .ok_or(MathError::Underflow)?;
    let missing = target_health.saturating_sub(health);
    let partial = debt.mul_div(missing, slope, Rounding::Up)?.min(debt);
    let mut target = partial.share(with_penalty, Rounding::Up)?;
    if health < ramp_top {
        let climb = full.target.minus_or_zero(target).mul_div(
            ramp_top.saturating_sub(health),
            params.ramp_width.ppm(),
            Rounding::Up,
        )?;
        target = target.plus(climb)?.min(full.target);
    }
    let retire = target
        .mul_div(Ratio::DENOMINATOR, with_penalty.ppm(), Rounding::Down)?
        .min(debt);
    if debt.minus(retire)? < params.min_debt {
        return Ok(full);
    }
    Ok(Ask { retire, target })
}

/// An ask cut to the room left under the hole. Its penalty is then at most `C·p/D − 1`, so that
/// a cut sale never leaves the cohort worse than it was.
///
/// # Errors
/// [`MathError`] where a number leaves its range.
pub fn cut(
    full: Ask,
    room: Amount,
    params: &MarketParams,
    value: Amount,
    debt: Amount,
) -> Result<Ask, MathError> {
    let target = full.target.min(room);
    let with_penalty = Ratio::ONE.plus(params.penalty)?;
    let usual = target.mul_div(Ratio::DENOMINATOR, with_penalty.ppm(), Rounding::Down)?;
    let harmless = if value > debt {
        target.mul_div(debt.get(), value.get(), Rounding::Up)?
    } else {
        target
    };
    Ok(Ask {
        retire: usual.max(harmless).min(target).min(debt),
        target,
    })
}

/// What one cohort raises at a price when money is ample: `min(⌊C·p⌋, T_b)`.
///
/// # Errors
/// [`MathError::Overflow`].
pub fn raise_at(
    cohort: &BatchedCohort,
    price: Price,
    scale: UnitScale,
) -> Result<Amount, MathError> {
    Ok(scale
        .value(cohort.cohort.collateral, price, Rounding::Down)?
        .min(cohort.target))
}

/// `T(p) = Σ_b min(C_b·p, T_b)` at every step of a ladder, in one pass over the cohorts.
///
/// A cohort is capped by its target down to the first price under `⌈T_b · scale / C_b⌉`, the
/// lowest at which its collateral is worth as much; running sums do the rest. Non-increasing
/// along the ladder; under the sum over single cohorts by nothing, over it by less than one unit
/// per cohort, and nowhere over `asked`, what they raise at the start price: so batches that fill
/// the hole to the unit do not ask for more than it.
///
/// # Errors
/// [`MathError::Overflow`].
pub fn targets(
    cohorts: &[(Amount, Amount)],
    prices: &[Price],
    asked: Amount,
    scale: UnitScale,
) -> Result<Vec<Amount>, MathError> {
    // leaving[s]: targets of the cohorts that stop being capped at step s, and their collateral.
    let mut leaving = alloc::vec![(Amount::ZERO, Amount::ZERO); prices.len()];
    let mut capped = Amount::ZERO;
    for (collateral, target) in cohorts {
        capped = capped.plus(*target)?;
        // Where no price is high enough, the cohort is never capped.
        let enough = scale.price(*target, *collateral, Rounding::Up).ok();
        let step = prices.partition_point(|price| enough.is_some_and(|enough| *price >= enough));
        if let Some((targets, exposed)) = leaving.get_mut(step) {
            *targets = targets.plus(*target)?;
            *exposed = exposed.plus(*collateral)?;
        }
    }
    let mut exposed = Amount::ZERO;
    prices
        .iter()
        .zip(leaving)
        .map(|(price, (targets, collateral))| {
            capped = capped.minus(targets)?;
            exposed = exposed.plus(collateral)?;
            if exposed.is_zero() {
                return Ok(capped.min(asked));
            }
            let worth = scale.value(exposed, *price, Rounding::Down)?;
            Ok(capped.plus(worth)?.min(asked))
        })
        .collect()
}

/// What a clearing made of one cohort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Quote received for its collateral.
    pub raised: Amount,
    /// Collateral given up for it, rounded up.
    pub sold: Amount,
    /// Debt paid.
    pub repaid: Amount,
    /// Penalty paid.
    pub penalty: Amount,
    /// Debt written off because no collateral is left.
    pub shortfall: Amount,
    /// Collateral left to the members.
    pub collateral_left: Amount,
    /// Debt left to the members, quote units.
    pub debt_left: Amount,
}

impl Outcome {
    /// What is left of a cohort that still owes, `debt` when scaled again, until it is back in a
    /// tick. What it lacks at the floor is rounded up.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn unrested(
        &self,
        debt: ScaledDebt,
        floor: Price,
        scale: UnitScale,
    ) -> Result<Unrested, MathError> {
        if self.debt_left.is_zero() {
            return Ok(Unrested::default());
        }
        let worth = scale.value(self.collateral_left, floor, Rounding::Down)?;
        Ok(Unrested {
            debt,
            collateral: self.collateral_left,
            lack: self.debt_left.minus_or_zero(worth),
        })
    }
}

/// Collateral worth less than this part of the debt it secures is dust: nobody would buy it, so
/// the cohort counts as sold out and its debt is written off.
const DUST: u128 = 10_000;

/// Applies a clearing to one cohort that raised `raised` at `price`; price zero means that the
/// batch sold nothing.
///
/// Debt and penalty are paid in the proportion of the ask, but the penalty is at most what keeps
/// the rest from getting worse: `repaid ≥ ⌈raised · D / (C·p)⌉`, and all of it where the collateral
/// is worth no more than the debt. What is given up is rounded up.
///
/// # Errors
/// [`MathError`] where a number leaves its range.
#[inline(never)]
pub fn outcome(
    cohort: &BatchedCohort,
    price: Price,
    raised: Amount,
    scale: UnitScale,
) -> Result<Outcome, MathError> {
    let (collateral, debt) = (cohort.cohort.collateral, cohort.debt);
    let is_dust =
        |worth: Amount, debt: Amount| wide_product(worth.get(), DUST) < U256::from(debt.get());
    let worth = scale.value(collateral, price, Rounding::Down)?;
    let unsold = raised.is_zero() && !is_dust(worth, debt);
    if price.is_zero() || unsold {
        return Ok(Outcome {
            collateral_left: collateral,
            debt_left: debt,
            ..Outcome::default()
        });
    }
    let usual = if raised == cohort.target {
        cohort.retire
    } else {
        raised.mul_div(cohort.retire.get(), cohort.target.get(), Rounding::Down)?
    };
    let harmless = if worth > debt {
        raised.mul_div(debt.get(), worth.get(), Rounding::Up)?
    } else {
        raised
    };
    let repaid = usual.max(harmless).min(raised).min(debt);
    let unpaid = debt.minus(repaid)?;

    let mut sold = if raised >= worth {
        collateral
    } else {
        scale.quantity(raised, price, Rounding::Up)?.min(collateral)
    };
    let rest = scale.value(collateral.minus(sold)?, price, Rounding::Down)?;
    if is_dust(rest, unpaid) {
        sold = collateral;
    }
    let collateral_left = collateral.minus(sold)?;
    let (shortfall, debt_left) = if collateral_left.is_zero() {
        (unpaid, Amount::ZERO)
    } else {
        (Amount::ZERO, unpaid)
    };
    Ok(Outcome {
        raised,
        sold,
        repaid,
        penalty: raised.minus(repaid)?,
        shortfall,
        collateral_left,
        debt_left,
    })
}

/// What an auction brought for a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Sale {
    /// Clearing price; of no meaning when nothing was raised.
    pub price: Price,
    /// Quote raised.
    pub raised: Amount,
    /// The auction ended through no fault of its lot: no cohort waits because of it.
    pub excused: bool,
}

/// How a batch ended, and how the money was spread over its cohorts: riskiest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Settled {
    /// Clearing price; zero when nothing was sold.
    pub price: Price,
    /// Quote raised, or paid by insurance where nobody bid.
    pub raised: Amount,
    /// Borrow index at which remaining debt was scaled again.
    pub index: Index,
    /// Rank of the cohort at which the money ran out; the number of cohorts if it did not.
    pub marginal_rank: u16,
    /// What that cohort raised.
    pub marginal_raise: Amount,
    /// Block of settlement.
    pub block: Block,
    /// Oracle round the batch was opened on.
    pub round: u32,
    /// Whether cohorts that raised too little may be offered again at once.
    pub excused: bool,
    /// Cells whose cohorts have been put back.
    pub rested: u16,
}

/// A batch of the vault.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Batch {
    /// Block of opening.
    pub opened_in: Block,
    /// Oracle round it was opened on.
    pub round: u32,
    /// Price its cohorts' health was judged at: the better of the last two accepted rounds.
    pub reference: Price,
    /// Highest price of its ladder.
    pub start: Price,
    /// Lowest price of its ladder.
    pub floor: Price,
    /// Cells that hold its cohorts.
    pub cells: Vec<DepartureKey>,
    /// Number of cohorts that were taken in: ranks are below it.
    pub cohorts: u16,
    /// Number of positions.
    pub members: u32,
    /// Collateral pooled.
    pub collateral: Amount,
    /// Debt pooled, quote, fixed at opening.
    pub debt: Amount,
    /// `T` at the start price.
    pub asked: Amount,
    /// Collateral of insurance's own that is offered with it, served last.
    pub offered: Amount,
    /// How it ended; `None` while it runs.
    pub settled: Option<Settled>,
}

impl Settled {
    /// What the cohort of a rank raised that was asked for so much at the clearing price: all of
    /// it before the margin, nothing behind it.
    #[must_use]
    pub fn raise_of(&self, rank: u16, asked: Amount) -> Amount {
        match rank.cmp(&self.marginal_rank) {
            core::cmp::Ordering::Less => asked,
            core::cmp::Ordering::Equal => self.marginal_raise,
            core::cmp::Ordering::Greater => Amount::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::example_params;
    use crate::page::Cohort;
    use crate::units::{DebtRatio, PRICE_ONE};
    use proptest::prelude::*;

    mod edges;

    fn scale() -> UnitScale {
        UnitScale::of_decimals(6, 6).unwrap()
    }

    fn batched(collateral: u128, debt: u128, price: Price) -> BatchedCohort {
        let params = MarketParams {
            collateral_decimals: 6,
            min_debt: Amount::new(1),
            ..example_params()
        };
        let ask = ask(
            &params,
            scale(),
            Amount::new(collateral),
            Amount::new(debt),
            price,
        )
        .unwrap();
        BatchedCohort {
            batch: 0,
            rank: 0,
            cohort: Cohort::at_par(
                0,
                1,
                Amount::new(collateral),
                ScaledDebt::new(debt),
                DebtRatio::ZERO,
            ),
            debt: Amount::new(debt),
            retire: ask.retire,
            target: ask.target,
        }
    }

    /// The worked example of the documentation: 10 collateral at 100 owe 810; LT 0.80, π 5 %,
    /// h* 1.05, σ 3 %. Health 0.987654, so x = 810 · 0.062346 / (1.05 − 0.84/0.97) = 274.43.
    #[test]
    fn a_partial_close_restores_target_health_at_the_planned_slippage() {
        let price = Price::new(100 * PRICE_ONE);
        let cohort = batched(10_000_000, 810_000_000, price);
        assert_eq!(cohort.retire.get() / 10_000, 27_442);
        let clearing = price.times(Ratio::from_bps(9_700), Rounding::Down).unwrap();
        let after = outcome(&cohort, clearing, cohort.target, scale()).unwrap();
        let value = scale()
            .value(after.collateral_left, price, Rounding::Down)
            .unwrap();
        let health = value.get() * 800_000 / after.debt_left.get();
        assert!((1_049_990..=1_050_010).contains(&health), "{health}");
    }

    #[test]
    fn the_target_is_continuous_from_partial_to_full() {
        // One collateral worth 1 000 000 units; the debt walks the health from 1.0 to 0.94.
        let price = Price::new(PRICE_ONE);
        let mut previous: Option<BatchedCohort> = None;
        for debt in 800_000..851_000 {
            let now = batched(1_000_000, debt, price);
            if let Some(before) = previous {
                assert!(now.target >= before.target, "falls at {debt}");
                let jump = now.target.get() - before.target.get();
                // One millionth of health on a ramp of 2 % is 20 units of target.
                assert!(jump < 100, "jumps by {jump} at {debt}");
            }
            previous = Some(now);
        }
        assert_eq!(previous.unwrap().retire, Amount::new(850_999));
    }

    /// One quote unit short of all its worth: the debt is paid before the penalty, and the speck
    /// of collateral that is left does not keep the bad debt alive.
    #[test]
    fn an_insolvent_cohort_pays_no_penalty_and_dust_counts_as_sold() {
        let price = Price::new(PRICE_ONE);
        let cohort = batched(1_000_000, 1_075_000, price);
        let short = outcome(&cohort, price, Amount::new(999_999), scale()).unwrap();
        assert_eq!(short.repaid, Amount::new(999_999));
        assert!(short.penalty.is_zero() && short.collateral_left.is_zero());
        assert_eq!(short.shortfall, Amount::new(75_001));
        // Collateral worth nothing at the price is written off without being bought.
        let third = Price::new(PRICE_ONE / 3);
        let worthless = batched(2, 1_090_000, third);
        let gone = outcome(&worthless, third, Amount::ZERO, scale()).unwrap();
        assert_eq!(
            (gone.sold, gone.shortfall),
            (Amount::new(2), Amount::new(1_090_000))
        );
        // But not when the batch sells nothing at all.
        let kept = outcome(&worthless, Price::ZERO, Amount::ZERO, scale()).unwrap();
        assert_eq!(kept.debt_left, Amount::new(1_090_000));
    }

    #[test]
    fn a_toxic_cohort_or_a_dusty_rest_is_closed_whole() {
        let price = Price::new(PRICE_ONE);
        let toxic = batched(1_000_000, 930_000, price);
        assert_eq!(toxic.retire, Amount::new(930_000));
        let params = MarketParams {
            collateral_decimals: 6,
            min_debt: Amount::new(700_000),
            ..example_params()
        };
        let dusty = ask(
            &params,
            scale(),
            Amount::new(1_000_000),
            Amount::new(801_000),
            price,
        )
        .unwrap();
        assert_eq!(dusty.retire, Amount::new(801_000));
    }

    proptest! {
        /// T(p) by running sums equals the sum over cohorts within a unit each, and never rises.
        #[test]
        fn targets_equal_brute_force(
            cohorts in proptest::collection::vec((1u128..1 << 50, 1u128..1 << 50), 0..60),
            spot in 1u128..1 << 70,
        ) {
            let prices = crate::ladder::LadderParams::standard()
                .prices(Price::new(spot), Price::new(spot), Default::default()).unwrap();
            let cohorts: Vec<_> =
                cohorts.into_iter().map(|(c, t)| (Amount::new(c), Amount::new(t))).collect();
            let fast = targets(&cohorts, &prices, Amount::new(u128::MAX), scale()).unwrap();
            prop_assert!(fast.windows(2).all(|pair| pair[1] <= pair[0]));
            for (price, total) in prices.iter().zip(&fast) {
                let slow: u128 = cohorts.iter().map(|(c, t)| {
                    scale().value(*c, *price, Rounding::Down).unwrap().min(*t).get()
                }).sum();
                prop_assert!(total.get() >= slow && total.get() <= slow + cohorts.len() as u128);
            }
        }

        /// Promise 4: a cohort sells no more than pays its ask; nothing is created or lost, and
        /// debt is written off only when no collateral is left (I-33).
        #[test]
        fn an_outcome_conserves_collateral_debt_and_money(
            collateral in 1u128..1 << 60, debt in 1u128..1 << 60,
            price in 1u128..1 << 80, fraction in 0u32..=1_000_000,
        ) {
            let price = Price::new(price);
            let cohort = batched(collateral, debt, price);
            let most = raise_at(&cohort, price, scale()).unwrap();
            let raised = most.share(Ratio::from_ppm(fraction), Rounding::Down).unwrap();
            let o = outcome(&cohort, price, raised, scale()).unwrap();
            prop_assert_eq!(o.sold.get() + o.collateral_left.get(), collateral);
            prop_assert_eq!(o.repaid.get() + o.shortfall.get() + o.debt_left.get(), debt);
            prop_assert_eq!(o.repaid.get() + o.penalty.get(), raised.get());
            prop_assert!(o.shortfall.is_zero() || o.collateral_left.is_zero());
            // What is given up is worth no more than the money plus one collateral unit.
            let fair = scale().quantity(raised, price, Rounding::Up).unwrap();
            prop_assert!(o.sold <= fair || o.collateral_left.is_zero());
            // No penalty is paid out of what lenders then lack, and no rest is left worse (I-07,
            // I-32), except that what is given up is rounded up by a collateral unit.
            prop_assert!(o.shortfall.is_zero() || o.penalty.is_zero());
            if !o.debt_left.is_zero() && !raised.is_zero() {
                let with_one_more = o.collateral_left.get() + 1;
                prop_assert!(
                    wide_product(o.debt_left.get(), collateral)
                        <= wide_product(debt, with_one_more) + U256::from(debt)
                );
            }
        }

        /// I-07, I-32 where it matters, at health about one and a price under the reference: the
        /// penalty gives way before the rest gets worse, and before debt is left unpaid.
        #[test]
        fn a_sale_under_the_reference_never_leaves_the_rest_worse(
            collateral in 1_000_000_000u128..2_000_000_000, owed in 700_000u128..1_010_000,
            price in 700_000u128..1_030_000, fraction in 1u32..=1_000_000,
        ) {
            let debt = collateral * owed / 1_000_000;
            let price = Price::new(PRICE_ONE / 1_000_000 * price);
            let cohort = batched(collateral, debt, Price::new(PRICE_ONE));
            let most = raise_at(&cohort, price, scale()).unwrap();
            let raised = most.share(Ratio::from_ppm(fraction), Rounding::Up).unwrap();
            let o = outcome(&cohort, price, raised, scale()).unwrap();
            prop_assert!(o.shortfall.is_zero() || o.penalty.is_zero());
            let with_one_more = o.collateral_left.get() + 1;
            // Who owes more than there is at this price cannot be kept from getting worse.
            let solvent = price.get() / PRICE_ONE.div_ceil(1_000_000) * collateral > debt * 1_000_000;
            prop_assert!(!solvent || o.debt_left.get() * collateral <= debt * with_one_more);
        }

        /// A cut ask retires at least its share of the debt: the rest is never worse (I-32).
        #[test]
        fn a_cut_sale_never_leaves_the_cohort_worse(
            collateral in 1_000_000u128..1 << 60, debt in 1_000_000u128..1 << 60, room in 1u128..1 << 60,
        ) {
            let params = MarketParams { collateral_decimals: 6, ..example_params() };
            let price = Price::new(PRICE_ONE);
            let (collateral, debt) = (Amount::new(collateral), Amount::new(debt));
            let full = ask(&params, scale(), collateral, debt, price).unwrap();
            let cut = cut(full, Amount::new(room), &params, collateral, debt).unwrap();
            prop_assert!(cut.target.get() <= room && cut.retire <= cut.target);
            if collateral > debt && cut.target < debt {
                // At the reference price: debt falls by at least the share collateral does.
                prop_assert!(
                    wide_product(cut.retire.get(), collateral.get())
                        >= wide_product(cut.target.get(), debt.get())
                );
            }
        }
    }
}
