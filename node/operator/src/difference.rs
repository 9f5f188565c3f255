//! What is deployed and not as described, in the words and units of the market's file.

use breakwater_core::ladder::Curve;
use breakwater_core::market::MarketParams;
use breakwater_core::oracle::FeedConfig;
use breakwater_core::units::{Amount, Ratio};
use breakwater_interfaces::vault::Market;

use crate::config::show_address;
use crate::decimal;

/// Keys of the market's file with their values as text.
pub type Entries = Vec<(&'static str, String)>;

fn percent(ratio: Ratio) -> String {
    format!("{} %", decimal::show(ratio.ppm(), 4))
}

fn seconds(milliseconds: u64) -> String {
    decimal::show(milliseconds.into(), 3)
}

/// A feed as the file describes it.
#[must_use]
pub fn feed(config: &FeedConfig) -> Entries {
    vec![
        ("feed.min_feeders", config.min_feeders.to_string()),
        ("feed.heartbeat_seconds", seconds(config.heartbeat)),
        ("feed.min_gap_blocks", config.min_gap.to_string()),
        ("feed.twap_window_seconds", seconds(config.twap_window)),
        ("feed.deviation", percent(config.deviation)),
        ("feed.drift", percent(config.drift)),
        ("feed.volatility_decay", percent(config.volatility.decay)),
        (
            "feed.volatility_interval_seconds",
            seconds(config.volatility.interval),
        ),
    ]
}

/// A market's parameters as the file describes them.
#[must_use]
pub fn params(params: &MarketParams) -> Entries {
    let money = |amount: Amount| decimal::show(amount.get(), params.quote_decimals);
    let (ladder, interest) = (&params.ladder, &params.interest);
    let mut entries = vec![
        (
            "collateral.decimals",
            params.collateral_decimals.to_string(),
        ),
        ("quote.decimals", params.quote_decimals.to_string()),
        ("feed.number", params.feed.to_string()),
        ("feed.max_price_age_seconds", seconds(params.max_price_age)),
        ("margin.initial_ltv", percent(params.initial_ltv)),
        (
            "margin.liquidation_threshold",
            percent(params.liquidation_threshold),
        ),
        ("margin.min_debt", money(params.min_debt)),
        ("margin.most_added", percent(params.margin.most)),
        ("margin.calm_volatility", percent(params.margin.reference)),
        ("margin.rise", percent(params.margin.rise)),
        ("margin.fall", percent(params.margin.fall)),
        ("margin.spacing_seconds", seconds(params.margin.spacing)),
        ("margin.notice_seconds", seconds(params.margin.notice)),
        ("liquidation.penalty", percent(params.penalty)),
        ("liquidation.target_health", percent(params.target_health)),
        (
            "liquidation.full_close_health",
            percent(params.full_close_health),
        ),
        ("liquidation.ramp_width", percent(params.ramp_width)),
        ("liquidation.slippage", percent(params.slippage)),
        ("limits.debt_ceiling", money(params.debt_ceiling)),
        ("limits.supply_cap", money(params.supply_cap)),
        ("limits.hole", money(params.hole)),
        ("limits.min_batch", money(params.min_batch)),
        ("limits.insurance_budget", percent(params.insurance_budget)),
        ("keeper.tip", money(params.keeper_tip)),
        ("keeper.share", percent(params.keeper_share)),
        ("ladder.start", percent(ladder.start)),
        ("ladder.floor", percent(ladder.floor)),
        (
            "ladder.absolute_floor",
            decimal::show(ladder.absolute_floor.get(), 18),
        ),
    ];
    match ladder.curve {
        Curve::TwoSpeed {
            above,
            upper,
            around,
            lower,
            below,
        } => entries.extend([
            ("ladder.steps_above", above.to_string()),
            ("ladder.upper", percent(upper)),
            ("ladder.steps_around", around.to_string()),
            ("ladder.lower", percent(lower)),
            ("ladder.steps_below", below.to_string()),
        ]),
        // The file knows no other curve.
        other => entries.push(("ladder's curve", format!("{other:?}"))),
    }
    let scaling = &ladder.scaling;
    entries.extend([
        ("ladder.blocks_per_step", ladder.blocks_per_step.to_string()),
        ("ladder.announce_blocks", ladder.announce_blocks.to_string()),
        (
            "ladder.start_per_volatility",
            percent(scaling.start_per_volatility),
        ),
        (
            "ladder.slope_per_volatility",
            percent(scaling.slope_per_volatility),
        ),
        (
            "ladder.floor_per_volatility",
            percent(scaling.floor_per_volatility),
        ),
        ("ladder.deep", money(scaling.deep)),
        ("ladder.start_relief", percent(scaling.start_relief)),
        ("ladder.floor_rise", percent(scaling.floor_rise)),
        ("interest.idle", percent(interest.idle)),
        ("interest.kink", percent(interest.kink)),
        ("interest.at_kink", percent(interest.at_kink)),
        ("interest.at_full", percent(interest.at_full)),
        ("interest.reserve_factor", percent(interest.reserve_factor)),
        ("governance.notice_seconds", seconds(params.notice)),
        ("governance.loss_cap", percent(params.loss_cap)),
    ]);
    entries
}

/// Where two lists of the same keys differ, as a text; empty where they do not.
#[must_use]
pub fn between(found: &Entries, wanted: &Entries) -> String {
    let differ = |(found, wanted): (&(&str, String), &(&str, String))| {
        let (key, value) = found;
        let text = format!("{key} is {value} on the chain, {} in the file", wanted.1);
        (found != wanted).then_some(text)
    };
    let texts: Vec<_> = found.iter().zip(wanted).filter_map(differ).collect();
    texts.join(", ")
}

/// What of a market is not as wanted.
#[must_use]
pub fn of_market(found: &Market, wanted: &Market) -> String {
    let tokens = |market: &Market| {
        vec![
            ("collateral.address", show_address(market.collateral)),
            ("quote.address", show_address(market.quote)),
        ]
    };
    let mut parts = vec![
        between(&tokens(found), &tokens(wanted)),
        between(&params(&found.params), &params(&wanted.params)),
    ];
    if found.easing.is_some() {
        parts.push("its liquidation threshold is still on its way down".to_owned());
    }
    if let Some(proposal) = &found.proposal {
        let announced = between(&params(&proposal.value), &params(&wanted.params));
        parts.push(match announced.as_str() {
            "" => "what the file says is announced and not in force yet".to_owned(),
            other => format!("other parameters are announced: {other}"),
        });
    }
    parts.retain(|part| !part.is_empty());
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::MarketConfig;

    const EXAMPLE: &str = include_str!("../../../examples/market.toml");

    /// A value of the file as it is shown: shares in per cent, amounts without underscores.
    fn shown(value: &toml::Value, key: &str) -> String {
        match value {
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::String(text) if text.contains('%') => {
                percent(Ratio::from_ppm(decimal::ppm(text).expect("is a share")))
            }
            toml::Value::String(text) => {
                let number = decimal::units(text, 18).expect("is a number");
                let share = ["start_relief", "floor_rise"]
                    .iter()
                    .any(|end| key.ends_with(end));
                let suffix = if share { " %" } else { "" };
                format!("{}{suffix}", decimal::show(number, 18))
            }
            other => panic!("{key}: {other:?}"),
        }
    }

    #[test]
    fn every_key_of_the_file_is_compared_in_the_words_of_the_file() {
        let config = MarketConfig::read(EXAMPLE).expect("the example is valid");
        let file: toml::Table = toml::from_str(EXAMPLE).expect("reads");
        let mut listed: Entries = params(&config.params);
        listed.extend(feed(&config.feed));
        let mut keys = 0;
        for (section, table) in &file {
            let Some(table) = table.as_table() else {
                continue;
            };
            for (name, value) in table.iter().filter(|(name, _)| *name != "feeders") {
                let key = format!("{section}.{name}");
                let found = listed.iter().find(|(listed, _)| *listed == key);
                let text = found.map(|(_, text)| text.clone());
                assert_eq!(text, Some(shown(value, &key)), "{key}");
                keys += 1;
            }
        }
        assert_eq!(keys, listed.len(), "nothing is listed that the file lacks");
    }

    #[test]
    fn a_difference_is_told_in_whole_tokens_and_per_cent() {
        let here = MarketConfig::read(EXAMPLE).expect("is valid").params;
        let text = EXAMPLE.replacen("min_debt = \"100\"", "min_debt = \"200\"", 1);
        let text = text.replacen("share = \"0.1 %\"", "share = \"0.25 %\"", 1);
        let there = MarketConfig::read(&text).expect("is valid").params;
        assert_eq!(
            between(&params(&here), &params(&there)),
            "margin.min_debt is 100 on the chain, 200 in the file, \
             keeper.share is 0.1 % on the chain, 0.25 % in the file"
        );
        assert_eq!(between(&params(&here), &params(&here)), "");
    }
}
