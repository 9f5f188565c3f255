//! A page whose cohorts were born in many epochs spreads over as many cells of departures: opening a
//! batch of it has to fit a contract's memory like any other.

use breakwater_core::interest::InterestCurve;
use breakwater_core::market::MarketParams;
use breakwater_core::page::{page_of, tick_of};
use breakwater_core::tick;
use breakwater_core::units::{Amount, DebtRatio, Price, PRICE_ONE};
use breakwater_sim::bench::stage::{params, Buying, Holding, Stage, COLLATERAL, QUOTE};
use breakwater_sim::bench::Watch;

/// The least debt there is, which is always closed whole.
const DEBT: u128 = 100 * QUOTE;

/// Times the riskiest of the page is liquidated while the others stay.
const BATCHES: u8 = 48;

/// A position of the least debt in a slot of the page.
fn in_slot(page: u16, slot: u8) -> Holding {
    let bound = tick::bound(tick_of(page, slot)).get();
    // A little over the bound: of the ratio's 18 decimals four are enough.
    let ratio = bound / (PRICE_ONE / 10_000) + 1;
    let collateral = DEBT * (COLLATERAL / QUOTE) * 10_000 / ratio;
    (Amount::new(collateral), Amount::new(DEBT))
}

/// Attack: positions of the least debt enter a page between liquidations of its riskiest tick, so
/// that its ticks are of as many epochs as there were batches. When the price falls through all of
/// the page, the batch opens (promise 8).
#[test]
fn promise_8_a_page_of_many_epochs_is_opened_and_settled() {
    let mut stage = Stage::new(MarketParams {
        interest: InterestCurve::FREE,
        ..params()
    })
    .expect("a market");
    let whole = |price: u128| Price::new(price * PRICE_ONE);
    let money = Amount::new(1_000_000 * QUOTE);
    stage.bidder(money).expect("funded");
    // The highest page that may be entered at 200.
    let page = page_of(tick::at_or_below(DebtRatio::new(149 * PRICE_ONE))) - 1;
    let top = tick::bound(tick_of(page, 127)).get();
    // Liquidatable there: the highest tick and no other.
    let low = Price::new((top - top / 5_000) / 8 * 10);
    let open = |stage: &mut Stage, slots: &[u8]| {
        let holdings: Vec<_> = slots.iter().map(|slot| in_slot(page, *slot)).collect();
        stage
            .open_positions(holdings, &mut Watch::nobody())
            .expect("borrows");
    };
    for batch in 0..BATCHES {
        stage.set_price(whole(200)).expect("a round");
        open(&mut stage, &[127, 126 - batch, 62 - batch]);
        if batch == 0 {
            let others: Vec<u8> = (0..15).chain(64..79).collect();
            open(&mut stage, &others);
        }
        stage.set_price(low).expect("a round");
        let run = stage
            .liquidate(Buying {
                bids: 1,
                money: Amount::new(1_000 * QUOTE),
                advance: false,
            })
            .expect("liquidates");
        assert_eq!((run.cohorts, run.cells), (1, 1), "{batch}");
    }
    stage.set_price(whole(140)).expect("a round");
    let run = stage.liquidate(Buying {
        bids: 1,
        money: Amount::new(100_000 * QUOTE),
        advance: false,
    });
    let run = run.expect("opens and settles");
    assert_eq!((run.cells, run.cohorts), (64, 79));
}
