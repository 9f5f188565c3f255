//! Books rebuilt from events as text for a terminal.

use crate::{
    output::{cells, plain},
    report::format::{amount, count, counted, price, price_places},
};
use breakwater_sim::replay::summary::{BooksSummary, MarketSummary};
use comfy_table::{presets::UTF8_FULL_CONDENSED, Table};
use std::fmt::Write;

/// So many rows of a table are shown; `--json` has all.
const SHOWN: usize = 12;

/// All books, a table for each kind.
pub(crate) fn tables(books: &BooksSummary) -> String {
    let mut text = format!(
        "{}, the last in block {}\n",
        counted(books.events, "event", "events"),
        count(books.block)
    );
    for market in &books.markets {
        add_market(&mut text, market);
    }
    let of = |token: &str| books.markets.iter().find(|it| it.quote_token == token);
    let quote = |token: &str, value| amount(value, of(token).map_or(0, |it| it.quote_decimals), 2);
    let rows = books.balances.iter().map(|it| {
        let (free, reserved) = (quote(&it.token, it.free), quote(&it.token, it.reserved));
        [short(&it.owner), free, reserved]
    });
    add(
        &mut text,
        "Balances in the auction",
        ["owner", "free", "in bids"],
        rows,
    );
    let rows = books.stakes.iter().map(|it| {
        let market = books
            .markets
            .iter()
            .find(|market| market.market == it.market);
        let decimals = market.map_or((0, 0), |it| (it.quote_decimals, it.collateral_decimals));
        let quote = |value| amount(value, decimals.0, 2);
        [
            short(&it.owner),
            format!("{} %", it.percent),
            quote(it.standing),
            quote(it.waiting),
            quote(it.leaving),
            quote(it.payable),
            amount(it.collateral, decimals.1, 4),
        ]
    });
    let header = [
        "owner", "tier", "standing", "waiting", "leaving", "payable", "bought",
    ];
    add(&mut text, "Standing bids", header, rows);
    plain(&text)
}

fn add_market(text: &mut String, market: &MarketSummary) {
    let quote = |value| amount(value, market.quote_decimals, 2);
    let collateral = |value| amount(value, market.collateral_decimals, 4);
    let end = if market.winding_down {
        ", wound down"
    } else {
        ""
    };
    let _ = writeln!(text, "\nMarket {}{end}", market.market);
    let totals = [
        ("cash", quote(market.cash)),
        ("debt", quote(market.debt)),
        ("of it in batches", quote(market.batched_debt)),
        ("insurance", quote(market.insurance)),
        ("rewards due", quote(market.rewards)),
        ("held aside", quote(market.prepaid)),
        ("lost by lenders", quote(market.written_off)),
        ("collateral", collateral(market.collateral)),
        ("of it in batches", collateral(market.batched_collateral)),
    ];
    for (name, value) in totals {
        let _ = writeln!(text, "{name:<18}{value:>24}");
    }
    let rows = market
        .lenders
        .iter()
        .map(|it| [short(&it.lender), count(it.shares), quote(it.value)]);
    add(text, "Lenders", ["lender", "shares", "worth"], rows);
    let rows = market.positions.iter().map(|it| {
        let state = match it.batch {
            _ if it.sync_required => "has to be synced".to_owned(),
            Some(batch) => format!("in batch {batch}"),
            None => String::new(),
        };
        [
            short(&it.owner),
            collateral(it.collateral),
            quote(it.debt),
            state,
        ]
    });
    add(text, "Positions", ["owner", "collateral", "debt", ""], rows);
    let rows = market.batches.iter().map(|it| {
        [
            count(it.number),
            it.state.to_owned(),
            count(it.members),
            collateral(it.collateral),
            quote(it.debt),
            price(it.price, price_places(it.price)),
            quote(it.raised),
            collateral(it.unclaimed),
        ]
    });
    let header = [
        "batch",
        "state",
        "members",
        "collateral",
        "debt",
        "price",
        "raised",
        "unclaimed",
    ];
    add(text, "Batches", header, rows);
}

/// The first rows of a table under its heading; nothing where there are none.
fn add<const N: usize>(
    text: &mut String,
    heading: &str,
    header: [&str; N],
    rows: impl ExactSizeIterator<Item = [String; N]>,
) {
    let all = rows.len();
    if all == 0 {
        return;
    }
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(header);
    for row in rows.take(SHOWN) {
        table.add_row(cells(1, row));
    }
    let _ = writeln!(text, "\n{heading}\n{table}");
    if all > SHOWN {
        let more = u64::try_from(all - SHOWN).unwrap_or(u64::MAX);
        let _ = writeln!(text, "and {} more: --json has all", count(more));
    }
}

/// An account's address, short enough for a table.
fn short(address: &str) -> String {
    match (
        address.get(..10),
        address.get(address.len().saturating_sub(4)..),
    ) {
        (Some(head), Some(tail)) if address.len() > 16 => format!("{head}…{tail}"),
        _ => address.to_owned(),
    }
}
