//! The worked examples, computed again.

use crate::Page;
use breakwater_core::auction::{Auction, Fill};
use breakwater_core::batch::{ask, outcome, targets, Ask, Outcome};
use breakwater_core::ladder::{LadderParams, Measures, Schedule};
use breakwater_core::market::{example_params, MarketParams};
use breakwater_core::math::Rounding;
use breakwater_core::page::{BatchedCohort, Cohort};
use breakwater_core::units::{Amount, DebtRatio, Price, Ratio, ScaledDebt, UnitScale, PRICE_ONE};

const HOW_IT_WORKS: Page = Page {
    name: "docs/how-it-works.md",
    text: include_str!("../../../../docs/how-it-works.md"),
};

const LIQUIDATORS: Page = Page {
    name: "docs/liquidators.md",
    text: include_str!("../../../../docs/liquidators.md"),
};

/// The block in which the first step of every example begins.
const FIRST: u32 = 100;

/// Both tokens have six decimals: a base unit is a millionth.
const WHOLE: u128 = 1_000_000;

fn params() -> MarketParams {
    MarketParams {
        collateral_decimals: 6,
        ..example_params()
    }
}

fn scale() -> UnitScale {
    params().scale().unwrap()
}

fn price(whole: u128) -> Price {
    Price::new(whole * PRICE_ONE)
}

/// `number / one` with so many decimals, rounded to the nearest.
fn decimal(number: u128, one: u128, decimals: u32) -> String {
    let scaled = (number * 10u128.pow(decimals) + one / 2) / one;
    let digits = format!("{scaled:0>width$}", width = decimals as usize + 1);
    let (whole, part) = digits.split_at(digits.len() - decimals as usize);
    format!("{whole}.{part}")
}

fn amount(amount: Amount, decimals: u32) -> String {
    decimal(amount.get(), WHOLE, decimals)
}

/// `collateral · price · LT / debt` in millionths.
fn health(collateral: Amount, price: Price, debt: Amount) -> u128 {
    let value = scale().value(collateral, price, Rounding::Down).unwrap();
    value.get() * params().liquidation_threshold.ppm() / debt.get()
}

/// Ten whole collateral that owe 810 at a price of 100, times `times`, as a batch takes them.
fn cohort(times: u128) -> BatchedCohort {
    let (collateral, debt) = (
        Amount::new(10 * WHOLE * times),
        Amount::new(810 * WHOLE * times),
    );
    let Ask { retire, target } = ask(&params(), scale(), collateral, debt, price(100)).unwrap();
    BatchedCohort {
        batch: 0,
        rank: 0,
        cohort: Cohort::at_par(
            0,
            1,
            collateral,
            ScaledDebt::new(debt.get()),
            DebtRatio::ZERO,
        ),
        debt,
        retire,
        target,
    }
}

#[test]
fn the_partial_closing_of_how_it_works() {
    let batched = cohort(1);
    let sold_at = |bps: u32| -> Outcome {
        let at = price(100)
            .times(Ratio::from_bps(bps), Rounding::Down)
            .unwrap();
        outcome(&batched, at, batched.target, scale()).unwrap()
    };
    let planned = sold_at(9_700);
    let before = health(batched.cohort.collateral, price(100), batched.debt);
    let after = health(planned.collateral_left, price(100), planned.debt_left);
    let (x, target) = (amount(batched.retire, 2), amount(batched.target, 2));
    let (left, owed) = (
        amount(planned.collateral_left, 4),
        amount(planned.debt_left, 2),
    );
    let worth = decimal(planned.collateral_left.get() * 100, WHOLE, 2);
    let (before, h) = (decimal(before, WHOLE, 5), decimal(after, WHOLE, 4));
    let with_penalty = "1.05";
    for line in [
        format!("h   = 10 · 100 · 0.80 / 810                                = {before}"),
        format!("x   = 810 · (1.05 − {before}) / (1.05 − 1.05 · 0.80 / 0.97) = {x}"),
        format!("T_b = {x} · {with_penalty}                                        = {target}"),
        format!("| collateral | 10 | 10 − {target} / 97 = {left} |"),
        format!("| debt | 810 | 810 − {x} = {owed} |"),
        format!("| penalty paid | | {} |", amount(planned.penalty, 2)),
        format!("| health at 100 | {before} | {worth} · 0.80 / {owed} = {h} |"),
    ] {
        HOW_IT_WORKS.has_line(&line);
    }
    let higher = sold_at(10_000);
    HOW_IT_WORKS.has_line(&format!(
        "If the batch clears higher, the owner sells less and ends healthier: at 100 it sells {} and its health is {}.",
        amount(higher.sold, 4),
        decimal(health(higher.collateral_left, price(100), higher.debt_left), WHOLE, 4),
    ));
}

fn auction(prices: Vec<Price>, targets: Vec<Amount>) -> Auction {
    let schedule = Schedule {
        first: FIRST,
        blocks_per_step: 1,
        steps: u8::try_from(prices.len()).unwrap(),
    };
    Auction::open(schedule, FIRST - 1, price(100), prices, targets).unwrap()
}

fn place(auction: &mut Auction, budget: u128, limit: Price) -> u8 {
    let budget = Amount::new(budget * WHOLE);
    auction
        .place(budget, limit, u32::MAX, FIRST - 1, scale())
        .unwrap()
}

/// `min(B, T) · (p − r) / p` in quote base units; nothing at or under the reserve.
fn score(raised: Amount, at: Price, reserve: Price) -> u128 {
    let above = at.minus_or_zero(reserve);
    raised
        .mul_div(above.get(), at.get(), Rounding::Down)
        .unwrap()
        .get()
}

#[test]
fn the_clearing_of_how_it_works() {
    let ladder = vec![price(110), price(100), price(98), price(90)];
    let mut auction = auction(ladder, vec![Amount::new(1_000 * WHOLE); 4]);
    place(&mut auction, 900, price(100));
    let attack = place(&mut auction, 1, price(90));
    let clearing = auction.clear(FIRST + 4, scale()).unwrap();
    let mut joined = Amount::ZERO;
    let mut rows = Vec::new();
    for (step, at) in auction.prices.iter().enumerate() {
        joined = joined.plus(auction.joined[step]).unwrap();
        let raised = joined.min(auction.targets[step]);
        let points = score(raised, *at, auction.reserve);
        let (p, b) = (at.get() / PRICE_ONE, joined.get() / WHOLE);
        let over = at.minus_or_zero(auction.reserve).get() / PRICE_ONE;
        let told = match (points, raised.is_zero()) {
            (0, true) => "0".to_owned(),
            (0, false) => "0, under `r`".to_owned(),
            (whole, _) if whole % WHOLE == 0 => format!("{b} · {over} / {p} = {}", whole / WHOLE),
            (other, _) => format!("{b} · {over} / {p} = {}", decimal(other, WHOLE, 2)),
        };
        let cells = [
            step.to_string(),
            p.to_string(),
            b.to_string(),
            b.to_string(),
            told,
        ];
        let chosen = step == usize::from(clearing.step);
        let cells = cells.map(|cell| if chosen { format!("**{cell}**") } else { cell });
        rows.push(format!("| {} |", cells.join(" | ")));
    }
    for row in rows {
        HOW_IT_WORKS.has_line(&row);
    }
    auction.settle().unwrap();
    let back = auction.claim(Amount::new(WHOLE), attack, scale()).unwrap();
    assert_eq!(
        back.refunded,
        Amount::new(WHOLE),
        "the attacker's bid comes back whole"
    );
}

/// Three bidders for a hundred of the positions above, on the standard ladder.
#[test]
fn the_profit_of_liquidators() {
    let batched = cohort(100);
    let ladder = LadderParams::standard();
    let prices = ladder
        .prices(price(100), price(100), Measures::default())
        .unwrap();
    let lot = [(batched.cohort.collateral, batched.target)];
    let asked = targets(&lot, &prices, Amount::new(u128::MAX), scale()).unwrap();
    let mut auction = auction(prices, asked);
    let limit = |cents: u128| Price::new(cents * PRICE_ONE / 100);
    let bids = [
        ("A", 20_000, 9_920),
        ("B", 20_000, 9_860),
        ("C", 5_000, 9_500),
    ];
    let placed = bids.map(|(name, budget, cents)| {
        let step = place(&mut auction, budget, limit(cents));
        (name, budget, cents, step)
    });
    let clearing = auction.clear(FIRST + 64, scale()).unwrap();
    auction.settle().unwrap();
    let at = decimal(clearing.price.get(), PRICE_ONE, 4);
    LIQUIDATORS.has_line(&format!(
        "The clock ends at step {}, and the batch clears there: {} quote for {} collateral at {at}.",
        clearing.ended_at,
        amount(clearing.raised, 2),
        amount(clearing.sold, 4),
    ));
    assert_eq!(clearing.ended_at, clearing.step);
    for (name, budget, cents, step) in placed {
        let Fill {
            spent,
            refunded,
            received,
        } = auction
            .claim(Amount::new(budget * WHOLE), step, scale())
            .unwrap();
        let worth = scale().value(received, price(100), Rounding::Down).unwrap();
        LIQUIDATORS.has_line(&format!(
            "| {name} | {} | {} | {step} at {} | {} | {} | {} | {} |",
            crate::fields::grouped(budget),
            decimal(cents, 100, 2),
            decimal(auction.prices[usize::from(step)].get(), PRICE_ONE, 4),
            amount(spent, 2),
            amount(refunded, 2),
            amount(received, 4),
            amount(worth.minus(spent).unwrap(), 2),
        ));
    }
}
