//! The page of a small study.

use super::render;
use breakwater_economics::{
    paths::{Candle, CrashDay},
    study::{run, Options},
};

#[test]
fn the_page_has_everything_needs_nothing_and_is_a_function_of_the_study() {
    let candle = |close: f64| Candle {
        high: close * 1.01,
        low: close * 0.99,
        close,
    };
    let options = Options {
        runs: 20,
        seed: 1,
        volatility: 0.05,
        crash_days: vec![CrashDay {
            name: "a day <of> trouble".to_owned(),
            candle_seconds: 600.0,
            candles: [200.0, 190.0, 170.0, 160.0].map(candle).to_vec(),
        }],
    };
    let study = run(&options, &mut |_| {}).expect("no rule refuses");
    let page = render(&study);
    assert_eq!(page, render(&study));
    for part in [
        "A day &lt;of&gt; trouble, 1.5 times the money needed",
        "Maker's curve, first come",
        "Part of all sales that lost at most so much",
        "One of these sales",
        "Price discovery",
        "Silence of 64 blocks",
        "this auction at ",
    ] {
        assert!(page.contains(part), "`{part}` is not on the page");
    }
    // Two figures for each kind of path, each in two layouts.
    assert_eq!(page.matches("<svg class=\"chart").count(), 3 * 2 * 2);
    assert!(!page.contains("could not be drawn"));
    for outside in ["http:", "https:", "<script", "<link", "url("] {
        assert!(!page.contains(outside), "`{outside}` is on the page");
    }
}
