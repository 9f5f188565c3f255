//! Recorded prices through the oracle's guards.

use breakwater_core::oracle::{is_within, FeedConfig, Outcome};
use breakwater_core::units::{Price, Ratio};
use breakwater_sim::prices::{march_2020, read_csv, Candle, PricePath, PRICE_SCALE};
use breakwater_sim::replay::margin;
use breakwater_sim::replay::oracle::{points, replay, Fed, Point};
use std::path::Path;

/// Candles of an ETH perpetual, 13 March 2020, 01:00 to 07:00 UTC, in cents: open, high, low,
/// close. The high of 323 is a bad print; spot traded near 130 at most.
const BAD_PRINT: [[u128; 4]; 6] = [
    [10_625, 10_917, 9_416, 9_573],
    [9_573, 32_300, 8_423, 11_080],
    [11_089, 14_000, 10_945, 12_462],
    [12_421, 12_421, 10_565, 10_923],
    [10_923, 12_497, 10_847, 11_665],
    [11_661, 12_732, 11_431, 12_636],
];

fn candles() -> Vec<Candle> {
    let scaled = |cents: u128| cents * (PRICE_SCALE / 100);
    (0u64..)
        .zip(BAD_PRINT)
        .map(|(hour, [open, high, low, close])| Candle {
            open_time: 1_584_061_200 + hour * 3_600,
            open: scaled(open),
            high: scaled(high),
            low: scaled(low),
            close: scaled(close),
        })
        .collect()
}

/// What a careful feeder reports of a candle: its open and close at the times of all four points.
fn careful(candle: &Candle, nth: usize) -> u128 {
    if nth < 2 {
        candle.open
    } else {
        candle.close
    }
}

/// Runs candles with `bad` of three feeders reporting prints, extremes included, and the others
/// what is traded at large; returns the prices accepted, each with what honest feeders saw.
fn accepted(candles: &[Candle], bad: usize) -> Vec<(u128, u128)> {
    let standard = FeedConfig::standard(3, 1, 1, 1);
    let mut fed = Fed::new(standard.deviation, standard.drift).expect("valid bands");
    let mut rounds = Vec::new();
    for candle in candles {
        for (nth, Point { time, price }) in points(candle, 3_600).into_iter().enumerate() {
            let honest = careful(candle, nth);
            let mut prices = [honest; 3];
            prices[..bad].fill(price);
            if let Outcome::Accepted(round) = fed.submit(time, prices).expect("submits") {
                rounds.push((round.price.get(), honest));
            }
        }
    }
    rounds
}

fn none_is_bad(candles: &[Candle]) {
    let rounds = accepted(candles, 1);
    assert!(rounds.len() > candles.len(), "{}", rounds.len());
    for (price, honest) in rounds {
        assert_eq!(price, honest, "a bad print was accepted");
    }
}

#[test]
fn one_bad_feeder_of_three_never_moves_the_price() {
    none_is_bad(&candles());
}

/// `docs/breaker.md`: two of three that agree on a single bad print are quarantined and not
/// believed, because the next round does not confirm it.
#[test]
fn a_single_print_of_a_bad_majority_is_not_accepted() {
    let print = 323 * PRICE_SCALE;
    let rounds = accepted(&candles(), 2);
    assert!(!rounds.is_empty());
    for (price, _) in &rounds {
        assert!(!is_within(
            Price::new(*price),
            Price::new(print),
            Ratio::from_bps(1_500)
        ));
    }
}

#[test]
#[ignore = "reads ../shared/data, which a clone does not have; the print itself is tested above"]
fn the_recorded_bad_prints_are_not_accepted() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/eth-perp-1h-2020-03-bad-prints.csv");
    let path = read_csv(file).expect("the recorded prices");
    none_is_bad(&path.candles);
    let print = Price::new(323 * PRICE_SCALE);
    for (price, _) in accepted(&path.candles, 2) {
        assert!(!is_within(Price::new(price), print, Ratio::from_bps(1_500)));
    }
}

#[test]
fn wider_bands_quarantine_and_trip_less() {
    let replayed = replay(&march_2020(1)).expect("replays");
    let feed: Vec<u32> = replayed.feed.iter().map(|row| row.quarantined).collect();
    let jumps: Vec<u32> = replayed.breaker.iter().map(|row| row.jump).collect();
    assert!(feed.first() > feed.last() && jumps.first() > jumps.last());
    for row in &replayed.feed {
        let ends = row.confirmed + row.lifted + row.replaced;
        assert!(ends <= row.quarantined && row.quarantined <= ends + 1);
    }
    for row in &replayed.breaker {
        assert!(row.false_jumps <= row.jump && row.missed <= 1);
        assert_eq!(row.dispersed, 0, "feeders agree");
    }
}

#[test]
fn a_gap_in_the_prices_is_a_stale_feed() {
    let mut candles = candles();
    for candle in &mut candles[3..] {
        candle.open_time += 4 * 3_600;
    }
    let path = PricePath {
        name: "gap".to_owned(),
        candles,
        interval_seconds: 3_600,
    };
    let replayed = replay(&path).expect("replays");
    assert!(replayed.breaker.iter().all(|row| row.stale == 1));
}

/// F10 on a crash like that of March 2020: the calmer a market has to be for its margin to stay,
/// the more often it is raised; raised or not it stays in its bounds, and the bad debt that a
/// fixed margin leaves is never exceeded.
#[test]
fn f10_margins_that_follow_volatility_leave_no_more_bad_debt() {
    let replayed = margin::replay(&march_2020(1)).expect("replays");
    let rows = &replayed.margin;
    let fixed = rows.last().expect("the fixed margin");
    assert_eq!((fixed.raised_bps, fixed.highest_bps), (0, 2_000));
    for pair in rows.windows(2) {
        assert!(pair[0].raised_bps >= pair[1].raised_bps, "{pair:?}");
    }
    for row in rows {
        assert!(row.bad_debt_ppm <= fixed.bad_debt_ppm, "{row:?}");
        assert!((2_000..=3_000).contains(&row.highest_bps), "{row:?}");
    }
    assert!(rows[0].raised_bps > 0, "a crash is volatile");
    for row in &replayed.falls {
        assert!(row.exceeded_bps.windows(2).all(|pair| pair[0] <= pair[1]));
    }
}
