//! Configurations that are read, and those that are refused.

use super::*;

const EXAMPLE: &str = include_str!("../../../../examples/bot.toml");

#[test]
fn the_example_is_a_valid_configuration_of_all_roles() {
    let config = Config::parse(EXAMPLE).unwrap();
    assert!(config.feeder.is_some() && config.keeper.is_some());
    assert!(config.bidder.is_some() && config.depth.is_some());
}

/// As in the description of a market.
#[test]
fn long_numbers_may_be_parted() {
    assert_eq!(
        Decimal::parse("10000.5").unwrap(),
        toml::from_str::<std::collections::BTreeMap<String, Decimal>>("it = \"10_000.5\"").unwrap()
            ["it"]
    );
}

#[test]
fn senseless_configurations_are_refused_by_name() {
    for (from, to, key) in [
        ("max_jump = \"0.2\"", "max_jump = 0", "feeder.max_jump"),
        (
            "discount = \"0.02\"",
            "discount = 1",
            "bidder.strategy.discount",
        ),
        (
            "max_deviation = \"0.03\"",
            "max_deviation = 0",
            "bidder.max_deviation",
        ),
        (
            "max_deviation = \"0.04\"",
            "max_deviation = 0",
            "depth.max_deviation",
        ),
        ("percent = 10", "percent = 5", "depth.tiers"),
        ("percent = 10", "percent = 31", "depth.tiers"),
        ("secret_env = \"BREAKWATER_SECRET\"", "", "account"),
        (
            "# native_decimals = 12",
            "native_decimals = 19",
            "chain.native_decimals",
        ),
    ] {
        let changed = EXAMPLE.replace(from, to);
        assert_ne!(changed, EXAMPLE, "{from}");
        match Config::parse(&changed) {
            Err(ConfigError::Value { key: found, .. }) => assert_eq!(found, key),
            other => panic!("{key}: {other:?}"),
        }
    }
    let misspelt = EXAMPLE.replace("min_move", "minmove");
    assert!(matches!(
        Config::parse(&misspelt),
        Err(ConfigError::Form(_))
    ));
}

#[test]
fn numbers_are_exact_and_fees_are_rounded_up() {
    let number = Decimal::parse("1.5").unwrap();
    assert_eq!(number.units(6), Amount::new(1_500_000));
    assert_eq!(number.ratio(), Ratio::from_ppm(1_500_000));
    assert_eq!(Decimal::parse("0"), Ok(Decimal(0)));
    assert_eq!(number.cost(1, 12, 6), Amount::new(1));
    assert_eq!(
        number.cost(2_000_000_000_000, 12, 6),
        Amount::new(3_000_000)
    );
    assert!(Decimal::parse("-1").is_err());
}

#[test]
fn upkeep_is_done_unless_it_is_switched_off_and_told_facts_only_if_asked_for() {
    let example = Config::parse(EXAMPLE).unwrap().keeper.unwrap().maintain;
    let without = EXAMPLE.split("[keeper.maintain]").next().unwrap();
    let silent = Config::parse(without).unwrap().keeper.unwrap().maintain;
    assert_eq!(
        (silent.every_blocks, silent.max_fee),
        (example.every_blocks, example.max_fee),
        "as the example says"
    );
    assert!(silent.every_blocks > 0 && !silent.trip && example.trip);
}

#[test]
fn a_dry_run_has_a_memory_of_its_own() {
    let config = Config::parse(EXAMPLE).unwrap();
    assert_ne!(config.state_path(true), config.state_path(false));
}
