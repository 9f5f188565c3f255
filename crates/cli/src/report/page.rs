//! The page as a whole: what happened, the run, all batches, then each part.

use super::{
    batch::{in_full, in_short},
    books::{books, costs, terms},
    day_chart::figure_of_run,
    format::{count, counted, day_and_clock, kilobytes, milliseconds, signed_percent},
    words::Words,
};
use breakwater_sim::outcome::{BatchOutcome, DemoOutcome};
use maud::{html, Markup, PreEscaped, DOCTYPE};
use std::cmp::Reverse;

const STYLE: &str = include_str!("style.css");

/// So many batches beside the largest get a section of their own; the table has all of them.
const SHORT_SECTIONS: usize = 8;

/// The head of a page, with what it is about as its title.
pub(super) fn head(subject: &Markup) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            title { "Breakwater: " (subject) }
            style { (PreEscaped(STYLE)) }
        }
    }
}

pub(super) fn page(outcome: &DemoOutcome) -> Markup {
    let words = Words::new(outcome);
    let mut by_size: Vec<&BatchOutcome> = outcome.batches.iter().collect();
    by_size.sort_by_key(|batch| Reverse(batch.collateral_offered));
    let others = by_size.get(1..).unwrap_or_default();
    let shown = others.len().min(SHORT_SECTIONS);
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(&html! { (outcome.source.name) ", seed " (outcome.seed) }))
            body {
                (header(outcome, &words))
                main {
                    section {
                        h2 { "The run" }
                        (figure_of_run(outcome, &words))
                        @if !outcome.batches.is_empty() { (batch_table(outcome, &words)) }
                    }
                    @if let Some(largest) = by_size.first() { (in_full(largest, outcome, &words)) }
                    @if !others.is_empty() {
                        section {
                            h2 { "Other batches" }
                            @if shown < others.len() {
                                p class="note" {
                                    "The " (counted(shown as u64, "largest", "largest"))
                                    " of the other " (count(others.len() as u64))
                                    "; the table above has all of them."
                                }
                            }
                            div class="cards" {
                                @for batch in &others[..shown] { (in_short(batch, &words)) }
                            }
                        }
                    }
                    (books(outcome, &words))
                    (costs(outcome))
                    (terms(outcome, &words))
                }
                footer {
                    p {
                        "Breakwater, batch auctions for margin markets. "
                        "Amounts are rounded for reading; the JSON form of this run has them exactly."
                    }
                }
            }
        }
    }
}

fn header(outcome: &DemoOutcome, words: &Words<'_>) -> Markup {
    let source = &outcome.source;
    html! {
        header {
            p class="eyebrow" { "Liquidation report · " (source.name) " · seed " (outcome.seed) }
            h1 { (words.headline()) }
            (verdict(outcome))
            (key_figures(outcome, words))
        }
    }
}

fn verdict(outcome: &DemoOutcome) -> Markup {
    let books = &outcome.conservation;
    let checks = counted(books.checks, "check", "checks");
    html! {
        @if !books.holds || !books.violations.is_empty() {
            p class="verdict bad" {
                strong { "The books do not balance." } " "
                (counted(books.violations.len() as u64, "violation", "violations"))
                " in " (checks) "; see " a href="#books" { "the books" } "."
            }
        } @else if books.checks == 0 {
            p class="verdict bad" { strong { "The books were not checked." } }
        } @else {
            p class="verdict good" {
                strong { "Every token is accounted for." } " " (checks) ", no violation."
            }
        }
    }
}

fn key_figures(outcome: &DemoOutcome, words: &Words<'_>) -> Markup {
    let totals = &outcome.totals;
    let positions = &outcome.positions;
    html! {
        dl class="figures" {
            div {
                dt { "Positions liquidated" }
                dd { (count(positions.liquidated)) }
                dd class="aside" { "of " (count(positions.opened)) " opened" }
            }
            div {
                dt { "Average price" }
                dd { (words.average_distance().map_or_else(|| "–".to_owned(), signed_percent)) }
                dd class="aside" { "against the oracle, weighted" }
            }
            div {
                dt { "Bad debt" }
                dd { (words.quote(totals.bad_debt)) }
                dd class="aside" { (words.quote(totals.insurance_used)) " paid by insurance" }
            }
            @if let Some(largest) = outcome.largest_batch() {
                div {
                    dt { "Largest batch" }
                    dd { (counted(largest.positions, "position", "positions")) }
                    dd class="aside" {
                        (milliseconds(largest.cost.batch().ref_time)) ", "
                        (kilobytes(largest.cost.batch().proof_size)) " in all"
                    }
                }
            }
        }
    }
}

/// Every batch in a line.
fn batch_table(outcome: &DemoOutcome, words: &Words<'_>) -> Markup {
    let market = words.market;
    scrolling(
        "All batches",
        html! {
            table {
                caption { "All batches" }
                thead {
                    tr {
                        th scope="col" { "Batch" }
                        th scope="col" { "Opened (UTC)" }
                        th scope="col" class="n" { "Positions" }
                        th scope="col" class="n" { "Offered, " (market.collateral_symbol) }
                        th scope="col" class="n" { "Sold, " (market.collateral_symbol) }
                        th scope="col" class="n" { "Price" }
                        th scope="col" class="n" { "Against oracle" }
                        th scope="col" class="n" { "Raised, " (market.quote_symbol) }
                        th scope="col" class="n" { "Bad debt, " (market.quote_symbol) }
                    }
                }
                tbody {
                    @for batch in &outcome.batches {
                        tr {
                            th scope="row" { "#" (batch.number) }
                            td { (day_and_clock(batch.opened_at)) }
                            td class="n" { (count(batch.positions)) }
                            td class="n" { (words.collateral_number(batch.collateral_offered)) }
                            td class="n" { (words.collateral_number(batch.collateral_sold())) }
                            @match &batch.clearing {
                                Some(clearing) => {
                                    td class="n" { (words.price(clearing.price)) }
                                    td class="n" {
                                        (signed_percent(clearing.distance_to_oracle_bps.into()))
                                    }
                                }
                                None => td class="n" colspan="2" { "no sale" },
                            }
                            td class="n" { (words.quote_number(batch.raised())) }
                            td class="n" { (words.quote_number(batch.bad_debt)) }
                        }
                    }
                }
                tfoot {
                    tr {
                        th scope="row" { "All" }
                        td {}
                        td class="n" { (count(outcome.totals.positions)) }
                        td class="n" { (words.collateral_number(outcome.totals.collateral_offered)) }
                        td class="n" { (words.collateral_number(outcome.totals.collateral_sold)) }
                        td {}
                        td class="n" {
                            (words.average_distance().map_or_else(String::new, signed_percent))
                        }
                        td class="n" { (words.quote_number(outcome.totals.raised)) }
                        td class="n" { (words.quote_number(outcome.totals.bad_debt)) }
                    }
                }
            }
        },
    )
}

/// A table that scrolls by itself where the page is too narrow for it, also by keyboard.
pub(super) fn scrolling(name: &str, table: Markup) -> Markup {
    html! {
        div class="scroll" role="region" aria-label=(name) tabindex="0" { (table) }
    }
}

/// Terms and their values, in columns.
pub(super) fn facts(all: &[(&str, String)]) -> Markup {
    html! {
        dl class="facts" {
            @for (term, value) in all {
                div { dt { (term) } dd { (value) } }
            }
        }
    }
}
