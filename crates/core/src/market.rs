//! Parameters of a market, with hard bounds, and its totals.

mod params;
mod prices;

pub use params::{
    example_params, Limits, MarketParams, ParamsError, MAX_INSURANCE_BUDGET, MIN_PENALTY,
    TIP_PART_OF_HOLE,
};
pub use prices::MarketPrices;

use crate::breaker::action::{allowed, Action};
use crate::breaker::Stage;
use crate::inventory::Inventory;
use crate::losses::{RewardTerms, TopUps};
use crate::math::{MathError, Rounding};
use crate::page::{Directory, Epoch};
use crate::units::{Amount, Index, Millis, Price, ScaledDebt, Shares, UnitScale};
use crate::wind_down::WindDown;
use alloc::vec::Vec;
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// Batches of one market that may run at once.
pub const MAX_RUNNING_BATCHES: usize = 4;

/// The most ticks a batch takes.
pub const MAX_TICKS_PER_BATCH: u16 = 512;

/// The oldest price any market may rely on: one day.
pub const LONGEST_PRICE_AGE: Millis = 86_400_000;

/// Totals of a market: one storage cell, read and written by every message that concerns it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct MarketState {
    /// Quote held for lenders and not lent out.
    pub cash: Amount,
    /// Lenders' shares handed out.
    pub supply_shares: Shares,
    /// Quote that covers losses before lenders do.
    pub insurance: Amount,
    /// Quote owed to keepers.
    pub rewards: Amount,
    /// Lenders' shares among them that belong to the insurance reserve.
    pub reserve_shares: Shares,
    /// Borrow index.
    pub index: Index,
    /// When it was last brought up to date.
    pub accrued_at: Millis,
    /// Debt of all cohorts outside running batches, scaled.
    pub debt: ScaledDebt,
    /// Debt of cohorts in running batches, quote, fixed at their openings.
    pub batched_debt: Amount,
    /// Collateral of positions without debt.
    pub free_collateral: Amount,
    /// Collateral of cohorts with debt outside running batches.
    pub pooled_collateral: Amount,
    /// Collateral of cohorts in running batches.
    pub batched_collateral: Amount,
    /// Collateral of closed cohorts that its owners have not taken over yet.
    pub closed_collateral: Amount,
    /// Collateral left by rounding; it belongs to the protocol.
    pub collateral_rounding: Amount,
    /// Losses that lenders have borne since the market began, quote.
    pub written_off: Amount,
    /// Pages that hold cohorts.
    pub directory: Directory,
    /// Latest epoch given to a page.
    pub epoch: Epoch,
    /// Batches opened so far: the number of the next one.
    pub batches: u32,
    /// Quote that owners of batched positions have paid in advance.
    pub prepaid: Amount,
    /// Running batches.
    pub running: Vec<Running>,
    /// Set once the market is wound down.
    pub wind_down: Option<WindDown>,
    /// What insurance has added to keepers' rewards lately.
    pub top_ups: TopUps,
    /// The circuit breaker's stage, told by the auction contract.
    pub stage: Stage,
    /// Collateral that insurance has taken, and what it spent lately.
    pub inventory: Inventory,
    /// Cohorts of settled batches that are not back in their ticks yet, where they would show.
    pub unrested: Unrested,
}

/// What settled batches have left to cohorts that are not back in their ticks yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Unrested {
    /// Their debt, scaled.
    pub debt: ScaledDebt,
    /// Their collateral.
    pub collateral: Amount,
    /// What they lack at the floors of their batches: `Σ max(0, D − C·floor)`, quote.
    pub lack: Amount,
}

impl Unrested {
    /// With one cohort more.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn with(self, cohort: Self) -> Result<Self, MathError> {
        Ok(Self {
            debt: self.debt.plus(cohort.debt)?,
            collateral: self.collateral.plus(cohort.collateral)?,
            lack: self.lack.plus(cohort.lack)?,
        })
    }

    /// Without one that went back: it was counted with the same numbers.
    #[must_use]
    pub fn without(self, cohort: Self) -> Self {
        Self {
            debt: self.debt.minus_or_zero(cohort.debt),
            collateral: self.collateral.minus_or_zero(cohort.collateral),
            lack: self.lack.minus_or_zero(cohort.lack),
        }
    }
}

/// What a market keeps of a running batch beside its totals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Running {
    /// Its number.
    pub number: u32,
    /// What it may raise at its start price: it takes up so much of the hole.
    pub asked: Amount,
    /// The part of it that insurance's own collateral may raise.
    pub own: Amount,
    /// What its cohorts would lack if everything went at the floor: `Σ max(0, D_b − C_b·floor)`.
    pub provision: Amount,
    /// What its keepers will be paid by.
    pub reward: RewardTerms,
}

impl Default for MarketState {
    fn default() -> Self {
        Self {
            cash: Amount::ZERO,
            supply_shares: Shares::ZERO,
            insurance: Amount::ZERO,
            rewards: Amount::ZERO,
            reserve_shares: Shares::ZERO,
            index: Index::ONE,
            accrued_at: 0,
            debt: ScaledDebt::ZERO,
            batched_debt: Amount::ZERO,
            free_collateral: Amount::ZERO,
            pooled_collateral: Amount::ZERO,
            batched_collateral: Amount::ZERO,
            closed_collateral: Amount::ZERO,
            collateral_rounding: Amount::ZERO,
            written_off: Amount::ZERO,
            directory: Directory::default(),
            epoch: 0,
            batches: 0,
            prepaid: Amount::ZERO,
            running: Vec::new(),
            wind_down: None,
            top_ups: TopUps::default(),
            stage: Stage::Open,
            inventory: Inventory::default(),
            unrested: Unrested::default(),
        }
    }
}

impl MarketState {
    /// All debt of the market in quote: what lenders have claims on. Rounded down.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn debt_value(&self) -> Result<Amount, MathError> {
        self.index
            .owed(self.debt, Rounding::Down)?
            .plus(self.batched_debt)
    }

    /// Quote tokens the vault must hold for this market: cash, insurance, rewards and what has
    /// been paid in advance.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn quote_owed(&self) -> Result<Amount, MathError> {
        self.cash
            .plus(self.insurance)?
            .plus(self.rewards)?
            .plus(self.prepaid)
    }

    /// Collateral tokens the vault must hold for this market.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn collateral_owed(&self) -> Result<Amount, MathError> {
        self.free_collateral
            .plus(self.pooled_collateral)?
            .plus(self.batched_collateral)?
            .plus(self.closed_collateral)?
            .plus(self.collateral_rounding)?
            .plus(self.inventory.all()?)?
            .plus(
                self.wind_down
                    .map(|ended| ended.in_kind)
                    .unwrap_or_default(),
            )
    }

    /// Whether insurance may buy what nobody bids for in a stage of all markets, and has money and
    /// budget left today. In a halt it buys nothing: that may be the sign of a wrong price.
    #[must_use]
    pub fn may_insure(&self, params: &MarketParams, of_all: Stage) -> bool {
        if !allowed(self.stage.max(of_all), Action::Backstop) {
            return false;
        }
        let budget = params.insurance_budget_a_day().unwrap_or_default();
        !self
            .inventory
            .allowance(budget, self.insurance, self.accrued_at)
            .is_zero()
    }

    /// What running batches may raise together at their start prices.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn committed(&self) -> Result<Amount, MathError> {
        self.running
            .iter()
            .try_fold(Amount::ZERO, |sum, running| sum.plus(running.asked))
    }

    /// What running batches, and what settled ones left outside the ticks, may turn out to lack at
    /// their floors: between its settlement and its rest a loss is as visible as before and after.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn batch_provision(&self) -> Result<Amount, MathError> {
        self.running
            .iter()
            .try_fold(self.unrested.lack, |sum, running| {
                sum.plus(running.provision)
            })
    }

    /// As [`Self::batch_provision`], and never less than what all of it together lacks at a price:
    /// it may have fallen through the floors since.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn batch_provision_at(&self, price: Price, scale: UnitScale) -> Result<Amount, MathError> {
        let lack = |debt: Amount, collateral: Amount| -> Result<Amount, MathError> {
            let worth = scale.value(collateral, price, Rounding::Down)?;
            Ok(debt.minus_or_zero(worth))
        };
        let rest = &self.unrested;
        let owed = self.index.owed(rest.debt, Rounding::Up)?;
        let more = lack(owed, rest.collateral)?.minus_or_zero(rest.lack);
        let all = self.batch_provision()?;
        let running = all.minus(rest.lack)?;
        let more_running = lack(self.batched_debt, self.batched_collateral)?.minus_or_zero(running);
        all.plus(more)?.plus(more_running)
    }

    /// An epoch that no page has used before.
    ///
    /// # Errors
    /// [`MathError::Overflow`].
    pub fn next_epoch(&mut self) -> Result<Epoch, MathError> {
        self.epoch = self.epoch.checked_add(1).ok_or(MathError::Overflow)?;
        Ok(self.epoch)
    }
}
