//! The sections about one batch.

use super::{
    format::{
        count, counted, day_and_clock, distance_bps, kilobytes, milliseconds, percent, share_bps,
        signed_percent,
    },
    ladder_chart::{figure_in_short, figures_in_full},
    page::{facts, scrolling},
    words::Words,
};
use breakwater_sim::outcome::{BatchOutcome, BidKind, BidOutcome, DemoOutcome, Gas};
use maud::{html, Markup};
use std::cmp::Reverse;

/// So many bids are listed one by one, the buyers first.
const LISTED_BIDS: usize = 40;

/// Everything about the largest batch.
pub(super) fn in_full(batch: &BatchOutcome, outcome: &DemoOutcome, words: &Words<'_>) -> Markup {
    html! {
        section {
            h2 { "Batch " (batch.number) @if outcome.batches.len() > 1 { ", the largest" } }
            p {
                (words.pooled(batch)) ", opened " (day_and_clock(batch.opened_at))
                " UTC in block " (words.block(batch.opened_block)) ", closed in block "
                (words.block(batch.closed_block)) ". " (result(batch, words))
            }
            (facts(&[
                ("Offered", words.collateral(batch.collateral_offered)),
                ("Debt at opening", words.quote(batch.debt)),
                ("To raise at the first price", words.quote(batch.target_at_start)),
                ("Reference price", words.price(batch.reference_price)),
                ("Floor", words.price(batch.floor)),
            ]))
            (figures_in_full(batch, words))
            h3 { "Who got what" }
            (bids(batch, words))
            div class="columns" {
                div {
                    h3 { "Where the money went" }
                    (waterfall(batch, words))
                }
                div {
                    h3 { "What it cost on chain" }
                    (cost(batch, outcome))
                }
            }
        }
    }
}

/// The short form: one picture and the figures beside it.
pub(super) fn in_short(batch: &BatchOutcome, words: &Words<'_>) -> Markup {
    let buyers = batch.bids.iter().filter(|bid| bid.received > 0).count() as u64;
    let cost = batch.cost.batch();
    html! {
        article {
            h3 { "Batch " (batch.number) }
            p { (words.pooled(batch)) ", " (day_and_clock(batch.opened_at)) " UTC. "
                (result(batch, words)) }
            (figure_in_short(batch, words))
            (facts(&[
                ("Offered", words.collateral(batch.collateral_offered)),
                ("Sold", words.collateral(batch.collateral_sold())),
                ("Back to owners", words.collateral(batch.collateral_returned)),
                ("Raised", words.quote(batch.raised())),
                ("Debt repaid", words.quote(batch.repaid)),
                ("Bad debt", words.quote(batch.bad_debt)),
                ("Buyers", format!("{} of {}", count(buyers), counted(batch.bids.len() as u64, "bid", "bids"))),
                ("On chain", format!("{}, {}", milliseconds(cost.ref_time), kilobytes(cost.proof_size))),
            ]))
        }
    }
}

fn result(batch: &BatchOutcome, words: &Words<'_>) -> String {
    match &batch.clearing {
        Some(clearing) => format!(
            "Everybody paid {} {} for one {}, {}.",
            words.price(clearing.price),
            words.market.quote_symbol,
            words.market.collateral_symbol,
            words.against_oracle(clearing.distance_to_oracle_bps.into()),
        ),
        None => "It closed without a sale; all collateral went back to its owners.".to_owned(),
    }
}

fn bids(batch: &BatchOutcome, words: &Words<'_>) -> Markup {
    if batch.bids.is_empty() {
        return html! { p class="note" { "Nobody bid." } };
    }
    let mut sorted: Vec<&BidOutcome> = batch.bids.iter().collect();
    sorted.sort_by_key(|bid| (Reverse(bid.spent), Reverse(bid.budget)));
    let (listed, rest) = sorted.split_at(sorted.len().min(LISTED_BIDS));
    let (quote, collateral) = (&words.market.quote_symbol, &words.market.collateral_symbol);
    let sum = |bids: &[&BidOutcome], part: fn(&BidOutcome) -> u128| {
        bids.iter()
            .map(|bid| part(bid))
            .fold(0, u128::saturating_add)
    };
    let sums = |bids: &[&BidOutcome]| {
        html! {
            td class="n" { (words.quote_number(sum(bids, |bid| bid.budget))) }
            td {} td {}
            td class="n" { (words.quote_number(sum(bids, |bid| bid.spent))) }
            td class="n" { (words.collateral_number(sum(bids, |bid| bid.received))) }
            td {} td {}
            td class="n" { (words.quote_number(sum(bids, |bid| bid.refunded))) }
        }
    };
    scrolling(
        "Who got what",
        html! {
            table {
                thead {
                    tr {
                        th scope="col" { "Bidder" }
                        th scope="col" class="n" { "Budget, " (quote) }
                        th scope="col" class="n" { "Limit" }
                        th scope="col" class="n" { "Joined step" }
                        th scope="col" class="n" { "Spent, " (quote) }
                        th scope="col" class="n" { "Received, " (collateral) }
                        th scope="col" class="n" { "Price paid" }
                        th scope="col" class="n" { "Against limit" }
                        th scope="col" class="n" { "Refund, " (quote) }
                    }
                }
                tbody {
                    @for bid in listed { (bid_row(bid, words)) }
                    @if !rest.is_empty() {
                        tr {
                            th scope="row" { (counted(rest.len() as u64, "more bid", "more bids")) }
                            (sums(rest))
                        }
                    }
                }
                tfoot { tr { th scope="row" { "All" } (sums(&sorted)) } }
            }
        },
    )
}

fn bid_row(bid: &BidOutcome, words: &Words<'_>) -> Markup {
    let paid = words.price_paid(bid.spent, bid.received);
    let against_limit = paid.and_then(|paid| distance_bps(paid, bid.limit));
    let dash = || "–".to_owned();
    html! {
        tr class=[paid.is_none().then_some("unfilled")] {
            th scope="row" {
                (bid.bidder)
                @if let BidKind::Standing { discount_bps } = bid.kind {
                    " " span class="tag" { "standing, " (percent(discount_bps.into())) }
                }
            }
            td class="n" { (words.quote_number(bid.budget)) }
            td class="n" { (words.price(bid.limit)) }
            td class="n" { (bid.step_joined.map_or_else(dash, |step| step.to_string())) }
            td class="n" { (words.quote_number(bid.spent)) }
            td class="n" { (words.collateral_number(bid.received)) }
            td class="n" { (paid.map_or_else(dash, |paid| words.price(paid))) }
            td class="n" { (against_limit.map_or_else(dash, signed_percent)) }
            td class="n" { (words.quote_number(bid.refunded)) }
        }
    }
}

fn waterfall(batch: &BatchOutcome, words: &Words<'_>) -> Markup {
    let raised = batch.raised();
    let explained = batch
        .repaid
        .saturating_add(batch.penalty)
        .saturating_add(batch.keeper_reward);
    let offered = batch.collateral_offered;
    let quote = |name: &str, class: &str, value: u128, whole: u128| {
        row(name, class, words.quote(value), share_bps(value, whole))
    };
    let collateral = |name: &str, class: &str, value: u128| {
        row(
            name,
            class,
            words.collateral(value),
            share_bps(value, offered),
        )
    };
    html! {
        table class="waterfall" {
            thead { tr {
                th scope="col" { "Proceeds" }
                th scope="col" class="n" { "Amount" }
                th scope="col" aria-label="Share" {}
            } }
            tbody {
                (quote("Raised from buyers", "sum", raised, raised))
                (quote("Debt repaid", "part", batch.repaid, raised))
                (quote("Penalty, kept by the market", "part", batch.penalty, raised))
                (quote("Keeper reward", "part", batch.keeper_reward, raised))
                @if explained != raised {
                    (quote(
                        if explained < raised { "Rounding and other" } else { "More than was raised" },
                        "part",
                        explained.abs_diff(raised),
                        raised,
                    ))
                }
            }
            thead { tr { th scope="col" colspan="3" { "Shortfall" } } }
            tbody {
                (quote("Bad debt", "sum", batch.bad_debt, batch.debt))
                (quote("Paid by insurance", "part", batch.insurance_used, batch.debt))
                (quote("Borne by lenders", "part", batch.lender_loss, batch.debt))
            }
            thead { tr { th scope="col" colspan="3" { "Collateral" } } }
            tbody {
                (collateral("Offered", "sum", offered))
                (collateral("Sold", "part", batch.collateral_sold()))
                (collateral("Back to its owners", "part", batch.collateral_returned))
            }
        }
    }
}

/// A line of the waterfall with its share of the whole as a bar.
fn row(name: &str, class: &str, value: String, bps: u32) -> Markup {
    html! {
        tr class=(class) {
            th scope="row" { (name) }
            td class="n" { (value) }
            td class="bar" aria-hidden="true" {
                @if bps > 0 {
                    span style={ "width:" (bps / 100) "." (format!("{:02}", bps % 100)) "%" } {}
                }
            }
        }
    }
}

fn cost(batch: &BatchOutcome, outcome: &DemoOutcome) -> Markup {
    let cost = &batch.cost;
    let whole = cost.batch();
    let baseline = outcome.costs.baseline.as_ref();
    html! {
        table {
            thead { tr {
                th scope="col" { "Messages" }
                th scope="col" class="n" { "ref_time" }
                th scope="col" class="n" { "proof_size" }
            } }
            tbody {
                (gas_row("Open", cost.open))
                (gas_row("Advance and clear", cost.clear))
                (gas_row("Settle", cost.settle))
                (gas_row("Move the rest back", cost.rest))
                tr class="sum" {
                    th scope="row" { "The whole batch" }
                    (gas_cells(whole))
                }
                (gas_row("One bid, at most", cost.bid))
                (gas_row("One claim, at most", cost.claim))
                @if let Some(baseline) = baseline {
                    tr class="unfilled" {
                        th scope="row" { "For comparison: " (baseline.name) }
                        (gas_cells(baseline.gas))
                    }
                }
            }
        }
        @if let Some(baseline) = baseline {
            @let ratio = |ours: u64, theirs: u64| share_of(ours, theirs);
            p class="note" {
                "The whole batch, " (counted(batch.positions, "position", "positions"))
                ", takes " (ratio(whole.ref_time, baseline.gas.ref_time)) " of the ref_time and "
                (ratio(whole.proof_size, baseline.gas.proof_size)) " of the proof_size of "
                (baseline.name) "."
            }
        }
    }
}

/// A ratio as a percentage without digits after the point, rounded up: costs are not flattered.
fn share_of(part: u64, whole: u64) -> String {
    let percent_up = (u128::from(part) * 100).div_ceil(u128::from(whole.max(1)));
    format!("{}{}%", count(percent_up), super::format::THIN)
}

pub(super) fn gas_row(name: &str, gas: Gas) -> Markup {
    html! { tr { th scope="row" { (name) } (gas_cells(gas)) } }
}

pub(super) fn gas_cells(gas: Gas) -> Markup {
    html! {
        td class="n" { (milliseconds(gas.ref_time)) }
        td class="n" { (kilobytes(gas.proof_size)) }
    }
}
