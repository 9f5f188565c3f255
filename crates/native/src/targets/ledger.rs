//! The ledger alone, with any numbers a chain could hand it.

use arbitrary::Unstructured;
use breakwater_core::batch::Sale;
use breakwater_core::interest::InterestCurve;
use breakwater_core::ledger::{
    Demand, Ledger, LedgerError, MemoryStore, OpenRequest, Opening, Unwritten,
};
use breakwater_core::market::{example_params, MarketParams, MarketPrices, MarketState};
use breakwater_core::position::{Position, PositionView};
use breakwater_core::units::{Amount, Price};

/// Owners of a history.
const OWNERS: usize = 5;

/// Any decimals, any amounts, any prices: nothing panics, what is refused changes nothing, tokens
/// held are tokens owed, and whoever was taken into a batch was liquidatable.
///
/// # Panics
/// Where that is not so.
pub fn ledger(data: &[u8]) {
    let _ = run(&mut Unstructured::new(data));
}

struct Book {
    params: MarketParams,
    state: MarketState,
    cells: MemoryStore,
    owners: [Position; OWNERS],
    /// Quote and collateral.
    held: (u128, u128),
    prices: MarketPrices,
    block: u32,
}

impl Book {
    fn transition<T>(
        &mut self,
        who: usize,
        act: impl FnOnce(&mut Ledger<'_, MemoryStore>, &mut Position) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        let (mut state, mut position) = (self.state.clone(), self.owners[who]);
        let before = self.cells.clone();
        let mut ledger = Ledger::new(&self.params, &mut state, &mut self.cells)?;
        match act(&mut ledger, &mut position) {
            Ok(value) => {
                ledger.commit();
                (self.state, self.owners[who]) = (state, position);
                Ok(value)
            }
            Err(error) => {
                assert!(before == self.cells, "I-49: {error:?} changed a cell");
                assert_ne!(
                    error,
                    LedgerError::CorruptedStorage,
                    "a fault of the ledger"
                );
                Err(error)
            }
        }
    }

    /// A position's view; it stores nothing.
    fn look(&self, who: usize, price: Price) -> Option<PositionView> {
        let (mut state, mut cells) = (self.state.clone(), Unwritten(&self.cells));
        let ledger = Ledger::new(&self.params, &mut state, &mut cells);
        ledger.ok()?.view(&self.owners[who], price).ok()
    }

    fn check(&self) {
        // What is owed is what is held, and that is in range: see `arrives`.
        let quote = self.state.quote_owed().expect("in range");
        let collateral = self.state.collateral_owed().expect("in range");
        assert_eq!((quote.get(), collateral.get()), self.held, "promise 9");
    }
}

fn params(u: &mut Unstructured<'_>) -> arbitrary::Result<MarketParams> {
    let mut params = example_params();
    params.collateral_decimals = u.int_in_range(6..=18)?;
    params.quote_decimals = u.int_in_range(6..=18)?;
    params.min_debt = Amount::new((super::ticks::number(u)? >> 64).max(1));
    params.hole = Amount::new(super::ticks::number(u)?.max(1));
    params.min_batch = Amount::new(super::ticks::number(u)?.clamp(1, params.hole.get()));
    params.debt_ceiling = Amount::new(u128::MAX);
    params.supply_cap = Amount::new(u128::MAX);
    if u.arbitrary()? {
        params.interest = InterestCurve::STANDARD;
    }
    Ok(params)
}

fn run(u: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let params = params(u)?;
    if params.validate().is_err() {
        return Ok(());
    }
    let price = Price::new((super::ticks::number(u)? >> 20).max(1));
    let mut book = Book {
        params,
        state: MarketState::default(),
        cells: MemoryStore::default(),
        owners: [Position::default(); OWNERS],
        held: (0, 0),
        prices: MarketPrices {
            spot: price,
            previous: price,
            twap: price,
            round: 1,
            accepted_in: 1,
            age: 0,
            quarantined: None,
            volatility: None,
        },
        block: 10,
    };
    let cash = super::ticks::number(u)? >> 8;
    if book
        .state
        .supply(Amount::new(cash), book.params.supply_cap)
        .is_ok()
    {
        book.held.0 = cash;
    }
    let mut running: Vec<Opening> = Vec::new();
    for _ in 0..u.int_in_range(0..=60)? {
        act(u, &mut book, &mut running)?;
        book.check();
    }
    Ok(())
}

/// Tokens come in. There are no more than 2¹²⁸ − 1 of any: a history that needs more is none, and
/// ends.
fn arrives(held: &mut u128, amount: Amount) -> arbitrary::Result<()> {
    let sum = held.checked_add(amount.get());
    *held = sum.ok_or(arbitrary::Error::IncorrectFormat)?;
    Ok(())
}

fn act(
    u: &mut Unstructured<'_>,
    book: &mut Book,
    running: &mut Vec<Opening>,
) -> arbitrary::Result<()> {
    book.block = book.block.saturating_add(u32::from(u.arbitrary::<u8>()?));
    let (who, prices) = (u.choose_index(OWNERS)?, book.prices);
    let amount = Amount::new(super::ticks::number(u)? >> 8);
    match u.int_in_range(0..=11)? {
        0..=1 => {
            if book.transition(who, |l, p| l.deposit(p, amount)).is_ok() {
                arrives(&mut book.held.1, amount)?;
            }
        }
        2 => {
            let done = book.transition(who, |l, p| l.withdraw(p, amount, Some(&prices)));
            if done.is_ok() {
                book.held.1 -= amount.get();
            }
        }
        3..=4 => {
            // As much as may be borrowed, or anything.
            let view = book.look(who, prices.spot);
            let most = view.map(|view| view.borrowable).unwrap_or_default();
            let amount = if u.arbitrary()? { most } else { amount };
            if book
                .transition(who, |l, p| l.borrow(p, amount, &prices))
                .is_ok()
            {
                book.held.0 -= amount.get();
            }
        }
        5 => {
            if let Ok(paid) = book.transition(who, |l, p| l.repay(p, amount)) {
                arrives(&mut book.held.0, paid)?;
            }
        }
        6 => {
            let moves = u.int_in_range(0..=4)?;
            let _ = book.transition(who, |l, p| l.sync(p, moves));
        }
        7 => {
            let spot = match u.int_in_range(0..=3)? {
                0 => super::ticks::number(u)? >> 20,
                _ => prices.spot.get() / 100 * u.int_in_range(70..=115)?,
            };
            let spot = Price::new(spot.max(1));
            let (previous, round) = (prices.spot, prices.round + 1);
            book.prices = MarketPrices {
                spot,
                previous: if u.arbitrary()? { spot } else { previous },
                round,
                accepted_in: book.block.saturating_sub(1),
                ..prices
            };
        }
        8..=9 => {
            let (block, most) = (book.block, amount);
            let demand = Demand { most, depth: None };
            let request = OpenRequest { block, demand };
            let before: Vec<_> = (0..OWNERS).map(|at| book.look(at, prices.best())).collect();
            if let Ok(opening) = book.transition(who, |l, _| l.open(&prices, request)) {
                assert!(opening.prices.windows(2).all(|pair| pair[0] >= pair[1]));
                for (at, was) in before.iter().enumerate() {
                    let now = book.look(at, prices.best()).and_then(|view| view.batch);
                    if now == Some(opening.number) {
                        let taken = was.is_some_and(|view| view.status.is_liquidatable());
                        assert!(taken, "promise 5: {was:?}");
                    }
                }
                running.push(opening);
            }
        }
        10 => {
            if running.is_empty() {
                return Ok(());
            }
            let opening = running.remove(u.choose_index(running.len())?);
            let step = u.choose_index(opening.prices.len())?;
            let target = opening.targets[step].get();
            let raised = target / 100 * u.int_in_range(0..=100)?;
            let sale = Sale {
                price: opening.prices[step],
                raised: Amount::new(raised),
                excused: u.arbitrary()?,
            };
            let (block, rest) = (book.block, u.int_in_range(0..=2)?);
            let settled = book.transition(who, |l, _| {
                l.settle_batch(opening.number, sale, block, rest)
            });
            if let Ok(settled) = settled {
                arrives(&mut book.held.0, Amount::new(raised))?;
                book.held.1 -= settled.sold.get();
            }
        }
        _ => {
            let time = u.int_in_range(0..=86_400_000_000)?;
            let (curve, now) = (book.params.interest, book.state.accrued_at + time);
            let mut state = book.state.clone();
            if state.accrue(&curve, now).is_ok() {
                book.state = state;
            }
        }
    }
    Ok(())
}
