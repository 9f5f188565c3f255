//! What a file that is wrong, or has extreme numbers, comes to.

use super::*;

const EXAMPLE: &str = include_str!("../../../../examples/bot.toml");

#[test]
fn a_native_token_cheaper_than_a_quote_unit_still_costs_something() {
    // Half a quote unit a whole token, and one and a half: ten million of them.
    let fees = 10_000_000 * 1_000_000_000_000;
    for (price, quote) in [("0.0000005", 5_000_000), ("0.0000015", 15_000_000)] {
        let price = Decimal::parse(price).unwrap();
        assert_eq!(price.cost(fees, 12, 6), Amount::new(quote));
    }
    let least = Decimal::parse("0.000000000000000001").unwrap();
    assert_eq!(least.cost(1, 18, 6), Amount::new(1), "rounded up");
    assert_eq!(Decimal(0).cost(fees, 12, 6), Amount::ZERO);
}

#[test]
fn an_error_in_the_file_never_repeats_a_secret_that_was_put_there() {
    let secret = "secret = \"bottom drive obey lake\"";
    let wrong = [
        EXAMPLE.replace("secret_env = \"BREAKWATER_SECRET\"", secret),
        EXAMPLE.replace(
            "secret_env = \"BREAKWATER_SECRET\"",
            "secret_env = \"bottom drive obey lake",
        ),
    ];
    for text in wrong {
        assert_ne!(text, EXAMPLE);
        let error = Config::parse(&text).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("bottom"), "{shown}");
        assert!(!shown.contains('\n') && shown.contains("line "), "{shown}");
    }
}

/// Fees in a token of eighteen decimals, counted with twelve, are a million times too high.
#[test]
fn decimals_are_the_chains_and_a_file_that_says_otherwise_is_refused() {
    let silent = EXAMPLE.replace("# native_decimals = 12\n", "");
    let mut config = Config::parse(&silent).unwrap();
    assert_eq!(config.chain.native_decimals, None);
    config.on_chain_with(18).unwrap();
    assert_eq!(config.chain.native_decimals(), 18);
    let given = silent.replace("[account]", "native_decimals = 12\n[account]");
    let mut config = Config::parse(&given).unwrap();
    config.on_chain_with(12).unwrap();
    let error = config.on_chain_with(18).unwrap_err();
    assert!(matches!(
        error,
        ConfigError::NativeDecimals {
            given: 12,
            chain: 18
        }
    ));
    let shown = error.to_string();
    assert!(shown.contains("12") && shown.contains("18"), "{shown}");
    assert!(Config::parse(&silent).unwrap().on_chain_with(19).is_err());
}
