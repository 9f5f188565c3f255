//! What is for sale: cohorts that fell under their margin together.

use crate::{
    market::{collateral, price, quote, whole_quote},
    random::Dice,
    SimulationError,
};
use breakwater_core::{batch::ask, ledger::LedgerError, market::MarketParams};

/// Collateral value of a lot at the oracle price, whole quote tokens.
const SIZE: f64 = 1_000_000.0;

/// Cohorts of a lot.
const COHORTS: usize = 8;

/// The health of the riskiest and of the safest cohort. A tick is up to 0.1 % wide, so a cohort
/// nearer to 1 than that may not be due yet.
const HEALTHS: (f64, f64) = (0.93, 0.998);

/// One cohort, in whole tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LotCohort {
    /// Collateral.
    pub collateral: f64,
    /// Debt, quote.
    pub debt: f64,
    /// What it has to raise, quote: core's `T_b`.
    pub target: f64,
}

/// Cohorts, riskiest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Lot {
    /// The cohorts.
    pub cohorts: Vec<LotCohort>,
    /// The oracle price that their health was judged at.
    pub oracle: f64,
}

impl Lot {
    /// Eight cohorts of equal collateral, their health drawn evenly from 0.93 to 0.998. What each
    /// has to raise is core's rule.
    ///
    /// # Errors
    /// [`SimulationError`] where a number leaves its range.
    pub fn draw(
        dice: &mut Dice,
        params: &MarketParams,
        oracle: f64,
    ) -> Result<Self, SimulationError> {
        let mut healths: Vec<f64> = (0..COHORTS)
            .map(|_| dice.between(HEALTHS.0, HEALTHS.1))
            .collect();
        healths.sort_by(f64::total_cmp);
        let threshold = params.liquidation_threshold.ppm() as f64 / 1e6;
        let scale = params.scale().map_err(LedgerError::from)?;
        let held = SIZE / COHORTS as f64 / oracle;
        let cohorts = healths
            .into_iter()
            .map(|health| {
                let debt = held * oracle * threshold / health;
                let asked = ask(params, scale, collateral(held), quote(debt), price(oracle))?;
                Ok(LotCohort {
                    collateral: held,
                    debt,
                    target: whole_quote(asked.target),
                })
            })
            .collect::<Result<_, SimulationError>>()?;
        Ok(Self { cohorts, oracle })
    }

    /// What it has to raise while no cohort is worth less than its target, quote.
    #[must_use]
    pub fn target(&self) -> f64 {
        self.cohorts.iter().map(|cohort| cohort.target).sum()
    }

    /// All its debt, quote.
    #[must_use]
    pub fn debt(&self) -> f64 {
        self.cohorts.iter().map(|cohort| cohort.debt).sum()
    }
}
