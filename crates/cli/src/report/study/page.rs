//! The page: whether everything holds, the mechanisms side by side, then every expectation.

use super::charts::{distribution, sale};
use crate::{
    report::{
        format::{count, counted},
        page::{head, scrolling},
    },
    study_table::{estimate, expected, extent, headline, number, unit},
};
use breakwater_economics::study::{Check, Comparison, Discovery, Shading, Study};
use maud::{html, Markup, DOCTYPE};

pub(super) fn page(study: &Study) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(&html! { "economics of the auction, seed " (study.seed) }))
            body {
                (header(study))
                main {
                    @for (number, comparison) in study.comparisons.iter().enumerate() {
                        (side_by_side(comparison, number))
                    }
                    @if !study.discovery.is_empty() { (discovery(&study.discovery)) }
                    @if !study.shading.is_empty() { (shading(&study.shading)) }
                    (expectations(&study.checks))
                }
                footer {
                    p {
                        "Breakwater, batch auctions for margin markets. "
                        "Every ± is half a 95 % interval; on crash days a path is one observation. "
                        "Loss: what owners got less than the fair price at the time of each sale, "
                        "before any penalty."
                    }
                }
            }
        }
    }
}

fn header(study: &Study) -> Markup {
    let passed = study.passed();
    html! {
        header {
            p class="eyebrow" {
                "Economics of the auction · "
                (counted(study.runs, "price path", "price paths")) " per experiment · seed "
                (study.seed)
            }
            h1 { (first_sentence(study)) }
            p class={ "verdict " (if passed { "good" } else { "bad" }) } {
                strong { (headline(study)) }
                @if !passed { " See " a href="#expectations" { "the expectations" } "." }
            }
        }
    }
}

/// The result that most readers come for.
fn first_sentence(study: &Study) -> String {
    let mechanisms = study.comparisons.first().map(|first| &first.mechanisms[..]);
    match mechanisms {
        Some([batch, maker, bonus, ..]) => format!(
            "On an ordinary day a batch costs owners {:.0} bp of the fair price; Maker's curve \
             costs {:.0} bp, a fixed bonus {:.0} bp.",
            batch.loss_bps.mean, maker.loss_bps.mean, bonus.loss_bps.mean
        ),
        _ => "What a batch costs its owners".to_owned(),
    }
}

fn side_by_side(comparison: &Comparison, number: usize) -> Markup {
    html! {
        section {
            h2 { (capital(&comparison.scenario)) }
            p { (extent(comparison)) "." }
            (scrolling(&comparison.scenario, html! {
                table {
                    caption { "Side by side on the same paths, lots and bidders" }
                    thead {
                        tr {
                            th scope="col" { "Mechanism" }
                            th scope="col" class="n" { "Loss to owners, bp" }
                            th scope="col" class="n" { "Time, s" }
                            th scope="col" class="n" { "Unfilled, bp" }
                            th scope="col" class="n" { "Bad debt, bp" }
                        }
                    }
                    tbody {
                        @for row in &comparison.mechanisms {
                            tr {
                                th scope="row" { (row.name) }
                                td class="n" { (estimate(&row.loss_bps)) }
                                td class="n" { (estimate(&row.seconds)) }
                                td class="n" { (estimate(&row.unfilled_bps)) }
                                td class="n" { (estimate(&row.bad_debt_bps)) }
                            }
                        }
                    }
                }
            }))
            (distribution(comparison, number))
            @if let Some(example) = &comparison.example { (sale(example, comparison, number)) }
            @if comparison.money < 1.0 {
                p class="note" {
                    "A batch that finds too little money is judged when its clock has run out, and "
                    "sells at the price of its best step."
                }
            }
        }
    }
}

fn discovery(rows: &[Discovery]) -> Markup {
    html! {
        section {
            h2 { "Price discovery" }
            p { "How far the price is from the fair one. Each bidder can pay for the whole lot." }
            (scrolling("Price discovery", html! {
                table {
                    thead {
                        tr {
                            th scope="col" { "Bidders" }
                            th scope="col" class="n" { "This auction, bp" }
                            th scope="col" class="n" { "Fixed 5 % bonus, bp" }
                        }
                    }
                    tbody {
                        @for row in rows {
                            tr {
                                th scope="row" { (count(row.bidders)) }
                                td class="n" { (estimate(&row.batch_bps)) }
                                td class="n" { (estimate(&row.bonus_bps)) }
                            }
                        }
                    }
                }
            }))
        }
    }
}

fn shading(rows: &[Shading]) -> Markup {
    let names = rows.first().map_or(&[][..], |row| &row.gains_bps[..]);
    html! {
        section {
            h2 { "Does the truth pay?" }
            p {
                "What one bidder gains by pretending that collateral is worth less, or by waiting, "
                "in basis points of what is to be raised; the others keep to the truth. Where it "
                "is above zero, losses under truthful bidders are too low."
            }
            (scrolling("Gain from shading", html! {
                table {
                    thead {
                        tr {
                            th scope="col" { "Instead of the truth" }
                            th scope="col" class="n" { "Bidders" }
                            th scope="col" class="n" { "Money" }
                            @for (name, _) in names { th scope="col" class="n" { (name) } }
                        }
                    }
                    tbody {
                        @for row in rows {
                            tr {
                                th scope="row" { (row.strategy) }
                                td class="n" { (count(row.bidders)) }
                                td class="n" { (number(row.money)) }
                                @for (_, gain) in &row.gains_bps {
                                    td class="n" { (estimate(gain)) }
                                }
                            }
                        }
                    }
                }
            }))
        }
    }
}

fn expectations(checks: &[Check]) -> Markup {
    let starts = |at: usize| at == 0 || checks[at - 1].group != checks[at].group;
    html! {
        section id="expectations" {
            h2 { "Expectations" }
            (scrolling("Expectations", html! {
                table {
                    thead {
                        tr {
                            th scope="col" { "Expectation" }
                            th scope="col" class="n" { "Expected" }
                            th scope="col" class="n" { "Measured" }
                            th scope="col" { "Unit" }
                            th scope="col" { "Holds" }
                        }
                    }
                    tbody {
                        @for (at, check) in checks.iter().enumerate() {
                            @if starts(at) {
                                tr class="sum" { th scope="rowgroup" colspan="5" { (check.group) } }
                            }
                            tr class=[(!check.passed).then_some("bad")] {
                                th scope="row" { (capital(&check.name)) }
                                td class="n" { (expected(&check.expected)) }
                                td class="n" { (estimate(&check.measured)) }
                                td { (unit(check.unit)) }
                                td { (if check.passed { "yes" } else { "no" }) }
                            }
                        }
                    }
                }
            }))
        }
    }
}

/// Text with its first letter large.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
