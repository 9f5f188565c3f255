//! One market of the real ledger, with its cells in maps instead of a chain's storage.

use crate::SimulationError;
use breakwater_core::{
    batch::Sale,
    ledger::{Demand, Ledger, LedgerError, MemoryStore, OpenRequest, Opening, Settlement},
    market::{example_params, MarketParams, MarketPrices, MarketState},
    position::{Position, PositionView},
    units::{Amount, Block, Price, Ratio, UnitScale, PRICE_ONE},
};

/// Base units of one whole quote token.
const QUOTE: f64 = 1e6;
/// Base units of one whole collateral token.
const COLLATERAL: f64 = 1e18;

/// Whole quote tokens as base units, rounded to the nearest.
#[must_use]
pub fn quote(whole: f64) -> Amount {
    Amount::new((whole * QUOTE).round() as u128)
}

/// Whole collateral tokens as base units, rounded to the nearest.
#[must_use]
pub fn collateral(whole: f64) -> Amount {
    Amount::new((whole * COLLATERAL).round() as u128)
}

/// Base units of quote as whole tokens.
#[must_use]
pub fn whole_quote(amount: Amount) -> f64 {
    amount.get() as f64 / QUOTE
}

/// Base units of collateral as whole tokens.
#[must_use]
pub fn whole_collateral(amount: Amount) -> f64 {
    amount.get() as f64 / COLLATERAL
}

/// A price for the rules, rounded to the nearest unit.
#[must_use]
pub fn price(whole: f64) -> Price {
    Price::new((whole * PRICE_ONE as f64).round() as u128)
}

/// A price for the agents.
#[must_use]
pub fn whole_price(price: Price) -> f64 {
    price.get() as f64 / PRICE_ONE as f64
}

/// The terms that all simulated markets start from: threshold 0.85, penalty 5 %, target health
/// 1.05, closed whole under 0.95, the standard ladder.
#[must_use]
pub fn standard_terms() -> MarketParams {
    MarketParams {
        liquidation_threshold: Ratio::from_bps(8_500),
        min_debt: Amount::new(1_000_000),
        hole: Amount::new(1 << 80),
        debt_ceiling: Amount::new(1 << 90),
        supply_cap: Amount::new(1 << 90),
        ..example_params()
    }
}

/// A market with lenders who never run short, and its positions in the order of their opening.
#[derive(Clone, Debug)]
pub struct Market {
    params: MarketParams,
    scale: UnitScale,
    state: MarketState,
    cells: MemoryStore,
    positions: Vec<Position>,
    /// Tokens the vault holds: quote, collateral.
    held: (u128, u128),
    round: u32,
}

impl Market {
    /// A market of these terms without positions.
    ///
    /// # Errors
    /// [`SimulationError`] where the terms leave their bounds.
    pub fn new(params: MarketParams) -> Result<Self, SimulationError> {
        params.validate().map_err(LedgerError::from)?;
        let scale = params.scale().map_err(LedgerError::from)?;
        let mut state = MarketState::default();
        let supplied = Amount::new(1 << 80);
        state.supply(supplied, params.supply_cap)?;
        Ok(Self {
            params,
            scale,
            state,
            cells: MemoryStore::default(),
            positions: Vec::new(),
            held: (supplied.get(), 0),
            round: 0,
        })
    }

    /// Its terms.
    #[must_use]
    pub fn params(&self) -> &MarketParams {
        &self.params
    }

    /// How token units and prices go together.
    #[must_use]
    pub fn scale(&self) -> UnitScale {
        self.scale
    }

    /// Its totals.
    #[must_use]
    pub fn state(&self) -> &MarketState {
        &self.state
    }

    /// Runs a transition, all or nothing as a contract's message.
    fn transition<T>(
        &mut self,
        act: impl FnOnce(&mut Ledger<'_, MemoryStore>, &mut [Position]) -> Result<T, LedgerError>,
    ) -> Result<T, SimulationError> {
        let before = (
            self.state.clone(),
            self.cells.clone(),
            self.positions.clone(),
        );
        let mut ledger = Ledger::new(&self.params, &mut self.state, &mut self.cells)?;
        match act(&mut ledger, &mut self.positions) {
            Ok(value) => {
                ledger.commit();
                Ok(value)
            }
            Err(error) => {
                drop(ledger);
                (self.state, self.cells, self.positions) = before;
                Err(error.into())
            }
        }
    }

    fn prices(&mut self, spot: Price, block: Block) -> MarketPrices {
        self.round += 1;
        MarketPrices {
            spot,
            previous: spot,
            twap: spot,
            round: self.round,
            accepted_in: block.saturating_sub(1),
            age: 0,
            quarantined: None,
            volatility: None,
        }
    }

    /// Opens a position while the price is `high`, and returns its number.
    ///
    /// # Errors
    /// [`SimulationError`] where the ledger refuses, for example because of the initial
    /// loan-to-value at that price.
    pub fn open_position(
        &mut self,
        collateral: Amount,
        debt: Amount,
        high: Price,
    ) -> Result<usize, SimulationError> {
        let prices = self.prices(high, 1);
        let number = self.positions.len();
        self.positions.push(Position::default());
        let opened = self.transition(|ledger, positions| {
            let position = positions
                .get_mut(number)
                .ok_or(LedgerError::CorruptedStorage)?;
            ledger.deposit(position, collateral)?;
            ledger.borrow(position, debt, &prices)
        });
        if opened.is_err() {
            self.positions.pop();
        }
        opened?;
        self.held.0 -= debt.get();
        self.held.1 += collateral.get();
        Ok(number)
    }

    /// Opens a batch at this oracle price. `most` is what bidders' deposits allow it to ask for.
    ///
    /// # Errors
    /// [`SimulationError`] where the ledger refuses, for example because nothing is unhealthy.
    pub fn open_batch(
        &mut self,
        spot: Price,
        block: Block,
        most: Amount,
    ) -> Result<Opening, SimulationError> {
        let prices = self.prices(spot, block);
        let demand = Demand { most, depth: None };
        self.transition(|ledger, _| ledger.open(&prices, OpenRequest { block, demand }))
    }

    /// Settles a batch and puts all of its cohorts back.
    ///
    /// # Errors
    /// [`SimulationError`] where the ledger refuses.
    pub fn settle(
        &mut self,
        number: u32,
        price: Price,
        raised: Amount,
        block: Block,
    ) -> Result<Settlement, SimulationError> {
        let sale = Sale {
            price,
            raised,
            excused: false,
        };
        let settlement =
            self.transition(|ledger, _| ledger.settle_batch(number, sale, block, 0))?;
        self.held.0 += raised.get();
        self.held.1 -= settlement.sold.get();
        while !self.transition(|ledger, _| ledger.rest(number, 8))? {}
        Ok(settlement)
    }

    /// A position brought up to date.
    ///
    /// # Errors
    /// [`SimulationError`] where the ledger refuses.
    pub fn view(&mut self, number: usize, price: Price) -> Result<PositionView, SimulationError> {
        let position = self.positions.get(number).copied().unwrap_or_default();
        // Reading changes nothing: the ledger is dropped without a commit.
        let (mut state, mut cells) = (self.state.clone(), self.cells.clone());
        let mut ledger = Ledger::new(&self.params, &mut state, &mut cells)?;
        Ok(ledger.view(&position, price)?)
    }

    /// Whether every token held is accounted for, exactly (promise 9).
    #[must_use]
    pub fn balances(&self) -> bool {
        let owed = |amount: Result<Amount, _>| amount.map(Amount::get).ok();
        owed(self.state.quote_owed()) == Some(self.held.0)
            && owed(self.state.collateral_owed()) == Some(self.held.1)
    }
}
