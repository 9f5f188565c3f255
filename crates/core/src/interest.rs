//! Interest: a kinked curve over utilisation, and the borrow index that carries it.

use crate::market::MarketState;
use crate::math::{mul_div, MathError, Rounding};
use crate::units::{Amount, Index, Millis, Ratio};
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// Milliseconds in a year of 365 days.
pub const YEAR: Millis = 31_536_000_000;

/// The dearest yearly rate: 1 000 %.
pub const HIGHEST_RATE: Ratio = Ratio::from_ppm(10_000_000);

/// Yearly rates at three utilisations; straight lines between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct InterestCurve {
    /// Yearly rate when nothing is lent.
    pub idle: Ratio,
    /// Utilisation at which the curve bends.
    pub kink: Ratio,
    /// Yearly rate at the kink.
    pub at_kink: Ratio,
    /// Yearly rate when everything is lent.
    pub at_full: Ratio,
    /// Part of the interest that goes to the insurance reserve, at most half.
    pub reserve_factor: Ratio,
}

impl InterestCurve {
    /// Lending for nothing.
    pub const FREE: Self = Self {
        idle: Ratio::ZERO,
        kink: Ratio::from_bps(8_000),
        at_kink: Ratio::ZERO,
        at_full: Ratio::ZERO,
        reserve_factor: Ratio::ZERO,
    };

    /// 1 % idle, 5 % at 80 % utilisation, 60 % at full, a tenth of it for the reserve.
    pub const STANDARD: Self = Self {
        idle: Ratio::from_bps(100),
        kink: Ratio::from_bps(8_000),
        at_kink: Ratio::from_bps(500),
        at_full: Ratio::from_bps(6_000),
        reserve_factor: Ratio::from_bps(1_000),
    };

    /// Whether every parameter is inside its bounds.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.kink > Ratio::ZERO
            && self.kink < Ratio::ONE
            && self.idle <= self.at_kink
            && self.at_kink <= self.at_full
            && self.at_full <= HIGHEST_RATE
            && self.reserve_factor <= Ratio::from_bps(5_000)
    }

    /// The yearly rate at a utilisation, rounded up; non-decreasing.
    ///
    /// `idle + (at_kink − idle) · u / kink` up to the kink, and beyond it
    /// `at_kink + (at_full − at_kink) · (u − kink) / (1 − kink)`.
    ///
    /// # Errors
    /// [`MathError`] for a curve that is not valid.
    pub fn rate(&self, utilisation: Ratio) -> Result<Ratio, MathError> {
        let used = utilisation.min(Ratio::ONE);
        let (from, to, along, length) = if used <= self.kink {
            (self.idle, self.at_kink, used, self.kink)
        } else {
            let past = used.minus(self.kink)?;
            (
                self.at_kink,
                self.at_full,
                past,
                Ratio::ONE.minus(self.kink)?,
            )
        };
        let climb = mul_div(
            to.minus(from)?.ppm(),
            along.ppm(),
            length.ppm(),
            Rounding::Up,
        )?;
        let climb = u32::try_from(climb).map_err(|_| MathError::Overflow)?;
        from.plus(Ratio::from_ppm(climb))
    }
}

impl MarketState {
    /// All debt, batched or not, as a share of it and the cash, rounded up; zero without both.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn utilisation(&self) -> Result<Ratio, MathError> {
        let lent = self.debt_value()?;
        let all = lent.plus(self.cash)?;
        if all.is_zero() {
            return Ok(Ratio::ZERO);
        }
        let share = mul_div(lent.get(), Ratio::DENOMINATOR, all.get(), Rounding::Up)?;
        u32::try_from(share)
            .map(Ratio::from_ppm)
            .map_err(|_| MathError::Overflow)
    }

    /// Lets the time since the last call bear interest: simple within one call, compound over
    /// calls. `index += ⌈index · rate · Δt / year⌉`. The reserve's part is paid in lenders'
    /// shares, so that it is worth what the debt turns out to be worth.
    ///
    /// Debt in a running batch bears none. A clock that stands still or runs backwards changes
    /// nothing.
    ///
    /// # Errors
    /// [`MathError`] where a number leaves its range.
    pub fn accrue(&mut self, curve: &InterestCurve, now: Millis) -> Result<(), MathError> {
        let elapsed = now.saturating_sub(self.accrued_at);
        if elapsed == 0 {
            return Ok(());
        }
        self.accrued_at = now;
        if self.debt.is_zero() {
            return Ok(());
        }
        let rate = curve.rate(self.utilisation()?)?;
        let before = self.debt_value()?;
        self.index = self.index.grown(rate, elapsed);
        let interest = self.debt_value()?.minus_or_zero(before);
        if self.wind_down.is_some() {
            // Shares stay as they are: lenders are paid by them.
            return Ok(());
        }
        let reserve = interest.share(curve.reserve_factor, Rounding::Down)?;
        let minted = self.shares_for(reserve, reserve)?;
        self.reserve_shares = self.reserve_shares.plus(minted)?;
        self.supply_shares = self.supply_shares.plus(minted)?;
        Ok(())
    }

    /// Covers a loss that has already left the books from the reserve's shares: as many are burnt
    /// as leave the share price what it was, rounded up.
    ///
    /// `assets` is what lenders had claims on before the loss. Returns what the reserve bore; the
    /// rest is borne by everybody who holds shares.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn draw_reserve(&mut self, loss: Amount, assets: Amount) -> Result<Amount, MathError> {
        if loss.is_zero() || assets.is_zero() || self.reserve_shares.is_zero() {
            return Ok(Amount::ZERO);
        }
        let wanted = self
            .supply_shares
            .mul_div(loss.get(), assets.get(), Rounding::Up)?;
        let burnt = wanted.min(self.reserve_shares);
        let borne = if burnt == wanted {
            loss
        } else {
            loss.mul_div(burnt.get(), wanted.get(), Rounding::Down)?
        };
        self.reserve_shares = self.reserve_shares.minus(burnt)?;
        self.supply_shares = self.supply_shares.minus(burnt)?;
        Ok(borne)
    }
}

impl Index {
    /// A millionfold of the first: 14 years at 100 %. There a market bears no more interest, which
    /// nobody misses who has waited for so long; an index that left its range would freeze all of
    /// its messages.
    pub const MOST: Self = Self::from_raw(1_000_000_000_000_000_000_000_000_000_000_000);

    /// The index after bearing a yearly rate for some time, rounded up against borrowers; at most
    /// [`Self::MOST`].
    #[must_use]
    pub fn grown(self, rate: Ratio, elapsed: Millis) -> Self {
        let time = rate.ppm().saturating_mul(u128::from(elapsed));
        let year = Ratio::DENOMINATOR.saturating_mul(u128::from(YEAR));
        let growth = mul_div(self.get(), time, year, Rounding::Up).unwrap_or(u128::MAX);
        let grown = Self::from_raw(self.get().saturating_add(growth));
        grown.min(Self::MOST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{ScaledDebt, Shares};
    use proptest::prelude::*;

    fn market(cash: u128, debt: u128) -> MarketState {
        let mut market = MarketState::default();
        market
            .supply(Amount::new(cash + debt), Amount::new(u128::MAX >> 1))
            .unwrap();
        market.cash = Amount::new(cash);
        market.debt = ScaledDebt::new(debt);
        market
    }

    #[test]
    fn the_curve_passes_through_its_three_points_and_bends_between() {
        let curve = InterestCurve::STANDARD;
        let at = |bps| curve.rate(Ratio::from_bps(bps)).unwrap();
        assert_eq!(at(0), Ratio::from_bps(100));
        assert_eq!(at(4_000), Ratio::from_bps(300));
        assert_eq!(at(8_000), Ratio::from_bps(500));
        assert_eq!(at(9_000), Ratio::from_bps(3_250));
        assert_eq!(at(10_000), Ratio::from_bps(6_000));
        assert_eq!(at(99_999), Ratio::from_bps(6_000));
    }

    /// One year at 80 % utilisation: 5 % on 800 is 40, of which the reserve has 4.
    #[test]
    fn a_year_at_the_kink_by_hand() {
        let mut market = market(200_000_000, 800_000_000);
        market.accrue(&InterestCurve::STANDARD, YEAR).unwrap();
        assert_eq!(market.debt_value().unwrap(), Amount::new(840_000_000));
        let reserve = market.supply_value(market.reserve_shares).unwrap();
        assert!(reserve.get().abs_diff(4_000_000) <= 1, "{reserve:?}");
        let before = market.clone();
        market.accrue(&InterestCurve::STANDARD, YEAR).unwrap();
        market.accrue(&InterestCurve::STANDARD, 5).unwrap();
        assert_eq!(
            market, before,
            "time that has passed or runs backwards bears nothing"
        );
    }

    #[test]
    fn the_reserve_bears_a_loss_before_lenders() {
        let mut market = market(200_000_000, 800_000_000);
        let lenders = market.supply_shares;
        market.accrue(&InterestCurve::STANDARD, YEAR).unwrap();
        let worth = market.supply_value(lenders).unwrap();
        let assets = market.lenders_assets().unwrap();
        // 3 are lost; the reserve holds 4.
        let loss = Amount::new(3_000_000);
        market.debt = ScaledDebt::new(800_000_000 - 2_857_143);
        let borne = market.draw_reserve(loss, assets).unwrap();
        assert_eq!(borne, loss);
        assert!(market.supply_value(lenders).unwrap().get() >= worth.get() - 2);
        // 3 more: only about 1 is left.
        let assets = market.lenders_assets().unwrap();
        let borne = market.draw_reserve(loss, assets).unwrap();
        assert!((990_000..1_010_000).contains(&borne.get()), "{borne:?}");
        assert!(market.reserve_shares.is_zero());
    }

    /// A curve outside its bounds does not wrap round to a low rate.
    #[test]
    fn a_rate_beyond_its_range_is_refused() {
        type Change = fn(&mut InterestCurve);
        let cases: [(Change, u32, MathError); 3] = [
            (|c| c.idle = Ratio::ONE, 1_000, MathError::Underflow),
            (|c| c.at_kink = Ratio::ONE, 9_000, MathError::Underflow),
            (|c| c.kink = Ratio::ZERO, 0, MathError::DivisionByZero),
        ];
        for (number, (change, used, error)) in cases.into_iter().enumerate() {
            let mut curve = InterestCurve::STANDARD;
            change(&mut curve);
            assert!(!curve.is_valid(), "change {number}");
            let rate = curve.rate(Ratio::from_bps(used));
            assert_eq!(rate, Err(error), "change {number}");
        }
    }

    /// However long and at whatever rate a market is left to itself, its index stays in range and
    /// no message fails for it: what is owed can be repaid.
    #[test]
    fn interest_ends_before_it_freezes_a_market() {
        let (one, most) = (Ratio::from_ppm(1), Ratio::from_ppm(u32::MAX));
        let last = Index::from_raw(Index::MOST.get() - 1);
        assert_eq!(Index::ONE.grown(most, Millis::MAX), Index::MOST);
        for (rate, elapsed) in [(most, YEAR), (one, 1), (most, Millis::MAX)] {
            assert_eq!(last.grown(rate, elapsed), Index::MOST);
            assert_eq!(Index::MOST.grown(rate, elapsed), Index::MOST);
        }
        let mut market = market(1, 1 << 80);
        let mut now = market.accrued_at;
        for _ in 0..40 {
            now += YEAR;
            market.accrue(&InterestCurve::STANDARD, now).unwrap();
        }
        assert_eq!(market.index, Index::MOST);
        let owed = market.debt_value().unwrap();
        assert_eq!(owed.get(), 1_000_000 << 80);
        assert_eq!(market.index.scaled(owed, Rounding::Up), Ok(market.debt));
    }

    #[test]
    fn every_bound_of_a_curve_refuses() {
        type Change = fn(&mut InterestCurve);
        let changes: [Change; 6] = [
            |c| c.kink = Ratio::ZERO,
            |c| c.kink = Ratio::ONE,
            |c| c.idle = Ratio::from_ppm(50_001),
            |c| c.at_kink = Ratio::from_ppm(600_001),
            |c| c.at_full = Ratio::from_ppm(10_000_001),
            |c| c.reserve_factor = Ratio::from_ppm(500_001),
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let mut curve = InterestCurve::STANDARD;
            assert!(curve.is_valid());
            change(&mut curve);
            assert!(!curve.is_valid(), "change {number}");
        }
        let on_the_bounds = InterestCurve {
            idle: HIGHEST_RATE,
            kink: Ratio::from_ppm(1),
            at_kink: HIGHEST_RATE,
            at_full: HIGHEST_RATE,
            reserve_factor: Ratio::from_bps(5_000),
        };
        assert!(on_the_bounds.is_valid());
    }

    /// Of a pool that was worth nothing the reserve has nothing to bear a loss with, and without
    /// a loss it bears none: neither is refused, so that no settlement can be stopped by it.
    #[test]
    fn promise_8_a_reserve_that_is_worth_nothing_stops_no_settlement() {
        let mut market = market(0, 1_000);
        market.reserve_shares = Shares::new(5);
        let before = market.clone();
        let some = Amount::new(7);
        for (loss, assets) in [(some, Amount::ZERO), (Amount::ZERO, some)] {
            assert_eq!(market.draw_reserve(loss, assets), Ok(Amount::ZERO));
        }
        market.reserve_shares = Shares::ZERO;
        assert_eq!(market.draw_reserve(some, some), Ok(Amount::ZERO));
        market.reserve_shares = before.reserve_shares;
        assert_eq!(market, before);
    }

    proptest! {
        /// Rates never fall with utilisation; the index never falls; many small accruals bear at
        /// least what one large one does; nobody's share loses value by accrual.
        #[test]
        fn accrual_is_monotone(
            cash in 1u128..1 << 80, debt in 1u128..1 << 80,
            first in 1u64..YEAR, second in 1u64..YEAR,
        ) {
            let curve = InterestCurve::STANDARD;
            let mut once = market(cash, debt);
            let lenders = once.supply_shares;
            let worth = once.supply_value(lenders).unwrap();
            let mut twice = once.clone();
            once.accrue(&curve, first + second).unwrap();
            twice.accrue(&curve, first).unwrap();
            twice.accrue(&curve, first + second).unwrap();
            prop_assert!(once.index > Index::ONE);
            prop_assert!(twice.index >= once.index);
            prop_assert!(once.supply_value(lenders).unwrap() >= worth);
            prop_assert!(twice.reserve_shares <= twice.supply_shares);
        }

        #[test]
        fn rates_never_fall_with_utilisation(a in 0u32..=1_000_000, b in 0u32..=1_000_000) {
            let rate = |ppm| InterestCurve::STANDARD.rate(Ratio::from_ppm(ppm)).unwrap();
            prop_assert!(rate(a.min(b)) <= rate(a.max(b)));
        }
    }
}
