//! A page whose cohorts were born in many epochs spreads over as many cells of departures: opening a
//! batch of it has to fit a contract's memory like any other (promise 8).

use breakwater_core::interest::InterestCurve;
use breakwater_core::market::MarketParams;
use breakwater_core::page::{page_of, tick_of};
use breakwater_core::tick;
use breakwater_core::units::{Amount, DebtRatio, Price, PRICE_ONE};
use breakwater_sim::bench::stage::{params, Buying, Holding, Run, Stage, COLLATERAL, QUOTE};
use breakwater_sim::bench::Watch;

/// The least debt there is, which is always closed whole.
const DEBT: u128 = 100 * QUOTE;

/// A position of the least debt in a slot of a page.
fn in_slot(page: u16, slot: u8) -> Holding {
    let bound = tick::bound(tick_of(page, slot)).get();
    // A little over the bound: of the ratio's 18 decimals four are enough.
    let ratio = bound / (PRICE_ONE / 10_000) + 1;
    let collateral = DEBT * (COLLATERAL / QUOTE) * 10_000 / ratio;
    (Amount::new(collateral), Amount::new(DEBT))
}

fn buying(whole: u128) -> Buying {
    Buying {
        bids: 1,
        money: Amount::new(whole * QUOTE),
        advance: false,
    }
}

/// Attack: positions of the least debt enter pages between liquidations of their riskiest tick, so
/// that the ticks of each are of as many epochs as there were batches; `entering` says which slots
/// are entered before which of them. When the price falls through all of it, everything that is due
/// is opened and settled in one batch.
fn fallen_through(pages: u16, batches: u8, entering: impl Fn(u8) -> Vec<u8>) -> Run {
    let mut stage = Stage::new(MarketParams {
        interest: InterestCurve::FREE,
        ..params()
    })
    .expect("a market");
    stage
        .bidder(Amount::new(1_000_000 * QUOTE))
        .expect("funded");
    let highest = page_of(tick::at_or_below(DebtRatio::new(149 * PRICE_ONE))) - 1;
    for page in highest + 1 - pages..=highest {
        let top = tick::bound(tick_of(page, 127)).get();
        // Every tick of it may be entered; the highest tick is liquidatable, and no other.
        let high = Price::new(top / 3 * 4 + PRICE_ONE);
        let low = Price::new((top - top / 5_000) / 8 * 10);
        for batch in 0..batches {
            stage.set_price(high).expect("a round");
            let slots = core::iter::once(127).chain(entering(batch));
            let holdings: Vec<_> = slots.map(|slot| in_slot(page, slot)).collect();
            stage
                .open_positions(holdings, &mut Watch::nobody())
                .expect("borrows");
            stage.set_price(low).expect("a round");
            let run = stage.liquidate(buying(1_000)).expect("liquidates");
            assert_eq!((run.cohorts, run.cells), (1, 1), "{batch}");
        }
        stage.set_price(high).expect("a round");
    }
    stage
        .set_price(Price::new(20 * PRICE_ONE))
        .expect("a round");
    stage.liquidate(buying(100_000)).expect("opens and settles")
}

#[test]
fn promise_8_a_page_of_many_epochs_is_opened_and_settled() {
    let others: Vec<u8> = (0..15).chain(64..79).collect();
    let run = fallen_through(1, 48, |batch| {
        let mut slots = vec![126 - batch, 62 - batch];
        if batch == 0 {
            slots.extend(&others);
        }
        slots
    });
    assert_eq!((run.cells, run.cohorts), (64, 79));
}

#[test]
fn promise_8_as_many_ticks_as_a_batch_takes_in_as_many_cells_are_opened_and_settled() {
    let run = fallen_through(4, 8, |batch| {
        (0..127).filter(|slot| slot % 8 == batch).collect()
    });
    assert!(run.cells == 64 && run.cohorts > 440, "{run:?}");
}
