//! `docs/parameters.md` has every parameter, with the default that the code has.

use crate::fields::{grouped, names, time, values, FieldOf};
use crate::Page;
use breakwater_core::interest::InterestCurve;
use breakwater_core::market::{example_params, MarketParams};
use breakwater_core::oracle::{FeedConfig, SourceConfig};
use breakwater_core::{
    auction, breaker, interest, ladder, ledger, lending, losses, margin, market, oracle, page,
    timelock,
};
use std::collections::BTreeSet;

const PAGE: Page = Page {
    name: "docs/parameters.md",
    text: include_str!("../../../../docs/parameters.md"),
};

/// What a table's row says of a parameter without a default.
const NO_DEFAULT: &str = "none";

fn all_names() -> Vec<FieldOf> {
    let mut all = names::<MarketParams>();
    all.extend(names::<FeedConfig>());
    all.extend(names::<SourceConfig>());
    all.extend(names::<breaker::Limits>());
    all
}

#[test]
fn the_page_has_every_parameter_and_no_other() {
    let all = all_names();
    let owners: BTreeSet<&str> = all.iter().map(|field| field.owner.as_str()).collect();
    for owner in [
        "MarketParams",
        "LadderParams",
        "Curve",
        "Scaling",
        "InterestCurve",
    ] {
        assert!(owners.contains(owner), "{owner} is no longer found");
    }
    for owner in owners {
        let expected: BTreeSet<String> = all
            .iter()
            .filter(|field| field.owner == owner)
            .map(|field| format!("`{}`", field.name))
            .collect();
        let found: BTreeSet<String> = PAGE
            .rows(owner)
            .into_iter()
            .filter_map(|row| row.into_iter().next())
            .collect();
        assert_eq!(found, expected, "the table of {owner} in {}", PAGE.name);
    }
}

#[test]
fn every_default_of_the_page_is_that_of_the_code() {
    let params = example_params();
    let mut all = values(&params);
    let of_the_code = ["MarketParams", "LadderParams", "Curve", "Scaling"];
    all.retain(|field| of_the_code.contains(&field.owner.as_str()));
    all.extend(values(&InterestCurve::STANDARD));
    all.extend(values(&margin::MarginRule::STANDARD));
    all.extend(values(&breaker::Limits::standard(params.hole)));
    // The first four have no default: whoever registers a feed chooses them.
    let mut feed = values(&FeedConfig::standard(3, 1, 1, 1));
    let chosen = ["min_feeders", "heartbeat", "min_gap", "twap_window"];
    feed.retain(|field| !chosen.contains(&field.name.as_str()));
    all.extend(feed);

    let mut compared = 0;
    for field in all {
        let value = field.value.expect("asked for with values");
        let name = format!("`{}`", field.name);
        let rows = PAGE.rows(&field.owner);
        let row = rows.iter().find(|row| row.first() == Some(&name));
        let told = row.and_then(|row| row.get(2));
        // A field that holds other parameters has a table of its own instead of a default.
        if value.is_empty() {
            assert_eq!(told.map(String::as_str), Some("below"), "{name}");
            continue;
        }
        assert_eq!(told, Some(&value), "{} of {}", name, field.owner);
        compared += 1;
    }
    assert!(compared > 50, "only {compared} defaults were compared");
    for owner in ["FeedConfig", "SourceConfig"] {
        for row in PAGE.rows(owner) {
            let free = owner == "SourceConfig" || chosen.iter().any(|c| row[0] == format!("`{c}`"));
            assert_eq!(row[2] == NO_DEFAULT, free, "{} of {owner}", row[0]);
        }
    }
}

#[test]
fn every_constant_of_the_page_is_that_of_the_code() {
    let blocks = |number: u32| grouped(number.into());
    let count = |number: usize| grouped(u128::try_from(number).expect("small"));
    let expected = [
        (
            "market::MAX_RUNNING_BATCHES",
            count(market::MAX_RUNNING_BATCHES),
        ),
        (
            "market::MAX_TICKS_PER_BATCH",
            grouped(market::MAX_TICKS_PER_BATCH.into()),
        ),
        ("market::LONGEST_PRICE_AGE", time(market::LONGEST_PRICE_AGE)),
        ("ledger::MAX_MOVES", grouped(ledger::MAX_MOVES.into())),
        (
            "ledger::MAX_HISTOGRAM_TICKS",
            count(ledger::MAX_HISTOGRAM_TICKS),
        ),
        ("page::TICKS_PER_PAGE", grouped(page::TICKS_PER_PAGE.into())),
        ("page::FIRST_WAIT", blocks(page::FIRST_WAIT)),
        ("page::LONGEST_WAIT", blocks(page::LONGEST_WAIT)),
        ("ladder::MAX_STEPS", grouped(ladder::MAX_STEPS.into())),
        ("auction::DEFAULT_RESERVE", "97 %".to_owned()),
        (
            "auction::LEAST_BID_UNITS",
            grouped(auction::LEAST_BID_UNITS),
        ),
        ("auction::LONGEST_HALT", blocks(auction::LONGEST_HALT)),
        ("losses::KEEPER_CAP", "20 %".to_owned()),
        (
            "losses::TOP_UPS_A_DAY",
            grouped(losses::TOP_UPS_A_DAY.into()),
        ),
        ("lending::VIRTUAL_SHARES", grouped(lending::VIRTUAL_SHARES)),
        ("lending::VIRTUAL_ASSETS", grouped(lending::VIRTUAL_ASSETS)),
        ("interest::YEAR", time(interest::YEAR)),
        ("timelock::SHORTEST_NOTICE", time(timelock::SHORTEST_NOTICE)),
        ("timelock::LONGEST_NOTICE", time(timelock::LONGEST_NOTICE)),
        ("timelock::PROPOSAL_LIFE", time(timelock::PROPOSAL_LIFE)),
        ("oracle::MAX_FEEDERS", count(oracle::MAX_FEEDERS)),
        ("oracle::FEED_NOTICE", time(oracle::FEED_NOTICE)),
        ("oracle::LARGEST_GAP", blocks(oracle::LARGEST_GAP)),
        ("oracle::LONGEST_WINDOW", time(oracle::LONGEST_WINDOW)),
        (
            "margin::SHORTEST_MARGIN_NOTICE",
            time(margin::SHORTEST_MARGIN_NOTICE),
        ),
        ("margin::LONGEST_SPACING", time(margin::LONGEST_SPACING)),
        (
            "breaker::together::MOST_TOGETHER",
            count(breaker::together::MOST_TOGETHER),
        ),
        (
            "breaker::trigger::LONGEST",
            blocks(breaker::trigger::LONGEST),
        ),
    ];
    assert_eq!(auction::DEFAULT_RESERVE.ppm(), 970_000);
    assert_eq!(losses::KEEPER_CAP.ppm(), 200_000);
    let rows = PAGE.rows("pub const");
    for (name, value) in &expected {
        let row = rows.iter().find(|row| row[0] == format!("`{name}`"));
        assert_eq!(row.map(|row| &row[1]), Some(value), "{name}");
    }
    assert_eq!(rows.len(), expected.len(), "a constant is not compared");
}
