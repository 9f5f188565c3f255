//! The sections about the run as a whole: its books, its costs, its terms.

use super::{
    batch::gas_cells,
    format::{amount, count, counted, day_and_clock, percent, THIN},
    page::{facts, scrolling},
    words::Words,
};
use breakwater_sim::outcome::{Balance, DemoOutcome, MessageCost, Token};
use maud::{html, Markup};

/// So many violations are listed one by one.
const LISTED_VIOLATIONS: usize = 50;

/// Whether every token is accounted for, rule by rule, and what lenders are left with.
pub(super) fn books(outcome: &DemoOutcome, words: &Words<'_>) -> Markup {
    let books = &outcome.conservation;
    let lenders = &outcome.lenders;
    html! {
        section id="books" {
            h2 { "The books" }
            @if !books.violations.is_empty() { (violations(outcome, words)) }
            @if !books.rules.is_empty() {
                (scrolling("Rules", html! {
                    table {
                        thead { tr {
                            th scope="col" { "Rule" }
                            th scope="col" class="n" { "Checked" }
                            th scope="col" class="n" { "Broken" }
                        } }
                        tbody {
                            @for rule in &books.rules {
                                tr class=[(rule.violations > 0).then_some("bad")] {
                                    th scope="row" { (rule.rule) }
                                    td class="n" { (count(rule.checks)) }
                                    td class="n" { (count(rule.violations)) }
                                }
                            }
                        }
                    }
                }))
            }
            @if !books.balances.is_empty() {
                h3 { "Held and owed at the end" }
                (scrolling("Held and owed at the end", html! {
                    table {
                        thead { tr {
                            th scope="col" { "Contract" }
                            th scope="col" { "Token" }
                            th scope="col" class="n" { "Held" }
                            th scope="col" class="n" { "Owed" }
                            th scope="col" class="n" { "Held beyond what is owed" }
                        } }
                        tbody { @for balance in &books.balances { (balance_row(balance, words)) } }
                    }
                }))
            }
            h3 { "Lenders" }
            (facts(&[
                ("Lenders", count(lenders.count)),
                ("Supplied", words.quote(lenders.supplied)),
                ("Worth at the end", words.quote(lenders.value_at_end)),
                ("Losses written off", words.quote(lenders.loss)),
                ("Insurance at the start", words.quote(lenders.insurance_at_start)),
                ("Insurance at the end", words.quote(lenders.insurance_at_end)),
            ]))
        }
    }
}

fn violations(outcome: &DemoOutcome, words: &Words<'_>) -> Markup {
    let all = &outcome.conservation.violations;
    let listed = all.len().min(LISTED_VIOLATIONS);
    html! {
        ul class="violations" {
            @for violation in &all[..listed] {
                li {
                    "Block " (words.block(violation.block)) ": " (violation.rule) ". "
                    (violation.detail)
                }
            }
            @if listed < all.len() {
                li { (counted((all.len() - listed) as u64, "more violation", "more violations")) }
            }
        }
    }
}

fn balance_row(balance: &Balance, words: &Words<'_>) -> Markup {
    let market = words.market;
    let (symbol, decimals) = match balance.token {
        Token::Collateral => (&market.collateral_symbol, market.collateral_decimals),
        Token::Quote => (&market.quote_symbol, market.quote_decimals),
    };
    let short = balance.held < balance.owed;
    // All decimals: here a single unit matters.
    let exact = |value: u128| amount(value, decimals, usize::from(decimals));
    html! {
        tr class=[short.then_some("bad")] {
            th scope="row" { (balance.holder) }
            td { (symbol) }
            td class="n" { (exact(balance.held)) }
            td class="n" { (exact(balance.owed)) }
            td class="n" {
                @if short { "\u{2212}" }
                (exact(balance.held.abs_diff(balance.owed)))
            }
        }
    }
}

/// What each kind of message cost.
pub(super) fn costs(outcome: &DemoOutcome) -> Markup {
    let costs = &outcome.costs;
    html! {
        @if !costs.messages.is_empty() {
            section {
                h2 { "What it cost on chain" }
                (scrolling("Cost by message", html! {
                    table {
                        thead { tr {
                            th scope="col" { "Message" }
                            th scope="col" class="n" { "Calls" }
                            th scope="col" class="n" { "ref_time, dearest call" }
                            th scope="col" class="n" { "proof_size, dearest call" }
                            th scope="col" class="n" { "Share of a block" }
                            th scope="col" class="n" { "ref_time, all calls" }
                            th scope="col" class="n" { "proof_size, all calls" }
                        } }
                        tbody {
                            @for message in &costs.messages {
                                tr {
                                    th scope="row" { code { (message.message) } }
                                    td class="n" { (count(message.calls)) }
                                    (gas_cells(message.largest))
                                    td class="n" { (share_of_block(message, outcome)) }
                                    (gas_cells(message.total))
                                }
                            }
                        }
                    }
                }))
                p class="note" {
                    "ref_time is computation in milliseconds of the reference machine, proof_size "
                    "the part of the chain's state that a validator must be shown. The share of a "
                    "block is that of the dearest call, in the scarcer of the two."
                }
            }
        }
    }
}

fn share_of_block(message: &MessageCost, outcome: &DemoOutcome) -> String {
    let limit = outcome.costs.block_limit;
    if limit.ref_time == 0 || limit.proof_size == 0 {
        return "–".to_owned();
    }
    // Rounded up: costs are not flattered.
    let mille = |part: u64, whole: u64| (u128::from(part) * 1_000).div_ceil(whole.into());
    let scarcer = mille(message.largest.ref_time, limit.ref_time)
        .max(mille(message.largest.proof_size, limit.proof_size));
    format!("{}{THIN}%", amount(scarcer, 1, 1))
}

/// Where the prices came from and under which terms the run was made.
pub(super) fn terms(outcome: &DemoOutcome, words: &Words<'_>) -> Markup {
    let (source, market) = (&outcome.source, &outcome.market);
    let origin = if source.built_in {
        "built in"
    } else {
        "from a file"
    };
    let bps = |ratio: u32| percent(ratio.into());
    html! {
        section {
            h2 { "The terms" }
            (facts(&[
                ("Prices", format!("{}, {origin}", source.name)),
                ("From", format!("{} UTC", day_and_clock(source.from))),
                ("To", format!("{} UTC", day_and_clock(source.to))),
                ("Candles", format!("{} of {}{THIN}s", count(source.candles), count(source.interval_seconds))),
                ("Seed", outcome.seed.to_string()),
                ("Block time", format!("{}{THIN}s", count(market.block_seconds))),
                ("Borrowing up to", bps(market.max_ltv_bps)),
                ("Liquidation from", bps(market.liquidation_threshold_bps)),
                ("Penalty", bps(market.penalty_bps)),
                ("Target health", amount(market.target_health_bps.into(), 4, 2)),
                ("Floor of a ladder", format!("{} of spot", bps(market.floor_bps))),
                ("Collateral posted", words.collateral(outcome.positions.collateral_posted)),
                ("Debt drawn", words.quote(outcome.positions.debt_drawn)),
                ("Positions sold out", count(outcome.positions.sold_out)),
                ("Positions with debt at the end", count(outcome.positions.open_at_end)),
                (
                    "Healthy positions liquidated",
                    count(outcome.positions.healthy_but_liquidated),
                ),
            ]))
        }
    }
}
