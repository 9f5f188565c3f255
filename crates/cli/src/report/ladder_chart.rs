//! One batch: how its price fell, and how the money met what the lot had to raise.

use super::{
    chart::{
        axis_price, figure, filled, frame, grid, label, line, mark_places, multiples, padded,
        points, round_marks, Area, Axis, Caption, Chart, Drawn, Key, Layout, Mark, FLOOR, INK,
        JOINED, MONEY, ORACLE, PRICE, REFERENCE, SHADE, TARGET,
    },
    day_chart::drawn_price,
    format::axis_amount,
    words::Words,
};
use breakwater_sim::outcome::{BatchOutcome, LadderStep};
use maud::{html, Markup};
use plotters::{
    prelude::*,
    style::text_anchor::{HPos, VPos},
};
use std::ops::Range;

const FULL: [Layout; 2] = [Layout::wide(330), Layout::narrow(270)];
const SMALL: [Layout; 1] = [Layout::small(230)];

/// The price panel and the money panel of a batch.
pub(super) fn figures_in_full(batch: &BatchOutcome, words: &Words<'_>) -> Markup {
    html! {
        (price_figure(batch, words, &FULL))
        (money_figure(batch, words))
    }
}

/// The price panel of a batch alone, small.
pub(super) fn figure_in_short(batch: &BatchOutcome, words: &Words<'_>) -> Markup {
    price_figure(batch, words, &SMALL)
}

fn price_figure(batch: &BatchOutcome, words: &Words<'_>, layouts: &[Layout]) -> Markup {
    let caption = Caption {
        id: format!("ladder-{}", batch.number),
        about: format!("Batch {}", batch.number),
        title: "Price by step".to_owned(),
        description: words.ladder_sentence(batch),
    };
    let mut keys = vec![
        Key::new(PRICE, Mark::Line, "ladder price"),
        Key::new(ORACLE, Mark::Line, "oracle"),
        Key::new(REFERENCE, Mark::Line, "reference"),
        Key::new(FLOOR, Mark::Line, "floor"),
    ];
    keys.extend(batch.clearing.map(|_| Key::new(INK, Mark::Dot, "clearing")));
    keys.extend(not_reached(batch));
    figure(&caption, &keys, layouts, |area, layout| {
        draw_prices(area, layout, batch, words)
    })
}

fn money_figure(batch: &BatchOutcome, words: &Words<'_>) -> Markup {
    let quote = &words.market.quote_symbol;
    let caption = Caption {
        id: format!("money-{}", batch.number),
        about: format!("Batch {}", batch.number),
        title: format!("Money offered by step, in {quote}"),
        description: words.money_sentence(batch),
    };
    let mut keys = vec![
        Key::new(JOINED, Mark::Bar, "joined in the step"),
        Key::new(MONEY, Mark::Line, "offered so far"),
        Key::new(TARGET, Mark::Line, "what the lot must raise"),
    ];
    keys.extend(batch.clearing.map(|_| Key::new(INK, Mark::Dot, "clearing")));
    keys.extend(not_reached(batch));
    figure(&caption, &keys, &FULL, |area, layout| {
        draw_money(area, layout, batch, words)
    })
}

fn not_reached(batch: &BatchOutcome) -> Option<Key> {
    let stopped = (batch.steps_reached as usize) < batch.ladder.len();
    stopped.then(|| Key::new(SHADE, Mark::Bar, "not reached"))
}

fn draw_prices(area: &Area<'_>, layout: Layout, batch: &BatchOutcome, words: &Words<'_>) -> Drawn {
    let oracle = oracle_path(batch);
    let levels = [batch.reference_price, batch.floor].map(drawn_price);
    let prices = batch.ladder.iter().map(|step| drawn_price(step.price));
    let range = padded(
        prices
            .chain(levels)
            .chain(oracle.iter().map(|point| point.1)),
        0.07,
    );
    // More room at the bottom, where the words of a sale at the floor stand.
    let range = range.start - (range.end - range.start) * 0.08..range.end;
    let marks = round_marks(&range, 6);
    let places = mark_places(&marks);
    let steps = 0.0..batch.ladder.len().max(1) as f64;
    let bottom = range.start..range.end;

    let up = Axis {
        range,
        marks,
        label: Box::new(move |price| axis_price(price, places)),
    };
    let mut chart = frame(area, left(layout), steps_across(&steps, layout), up)?;
    shade(&mut chart, batch, &steps, &bottom)?;
    grid(&mut chart)?;
    for (price, color) in [(levels[0], REFERENCE), (levels[1], FLOOR)] {
        let across = [(steps.start, price), (steps.end, price)];
        chart.draw_series(LineSeries::new(across, line(color, 3)))?;
    }
    chart.draw_series(LineSeries::new(oracle, line(ORACLE, 4)))?;
    let ladder = staircase(&batch.ladder, |step| drawn_price(step.price));
    chart.draw_series(LineSeries::new(ladder, line(PRICE, 5)))?;
    if let Some(clearing) = batch.clearing {
        let at = (f64::from(clearing.step) + 0.5, drawn_price(clearing.price));
        let text = format!("sold at {}", words.price(clearing.price));
        mark(&mut chart, area, at, bottom.start, &text, Slope::Falling)?;
    }
    Ok(())
}

fn draw_money(area: &Area<'_>, layout: Layout, batch: &BatchOutcome, words: &Words<'_>) -> Drawn {
    let units = 10f64.powi(i32::from(words.market.quote_decimals));
    let money = |amount: u128| amount as f64 / units;
    let all = batch
        .ladder
        .iter()
        .flat_map(|step| [step.target, step.money_cumulative]);
    let top = padded(all.map(money).chain([0.0]), 0.1).end;
    let range = 0.0..top;
    let steps = 0.0..batch.ladder.len().max(1) as f64;

    let marks = round_marks(&range, 5);
    let up = Axis {
        range: range.clone(),
        marks,
        label: Box::new(axis_amount),
    };
    let mut chart = frame(area, left(layout), steps_across(&steps, layout), up)?;
    shade(&mut chart, batch, &steps, &range)?;
    grid(&mut chart)?;
    chart.draw_series(
        batch
            .ladder
            .iter()
            .filter(|step| step.money_joined > 0)
            .map(|step| {
                let left = f64::from(step.step);
                let corners = [(left + 0.12, 0.0), (left + 0.88, money(step.money_joined))];
                Rectangle::new(corners, filled(JOINED))
            }),
    )?;
    let reached = batch
        .ladder
        .get(..batch.steps_reached as usize)
        .unwrap_or(&batch.ladder);
    let offered = staircase(reached, |step| money(step.money_cumulative));
    chart.draw_series(LineSeries::new(offered, line(MONEY, 5)))?;
    let target = staircase(&batch.ladder, |step| money(step.target));
    chart.draw_series(LineSeries::new(target, line(TARGET, 4)))?;
    if let Some(clearing) = batch.clearing {
        let at = (f64::from(clearing.step) + 0.5, money(clearing.raised));
        let text = format!("raised {}", axis_amount(at.1));
        mark(&mut chart, area, at, range.start, &text, Slope::Rising)?;
    }
    Ok(())
}

/// Points for the labels of the vertical axis.
fn left(layout: Layout) -> u32 {
    if layout.is_wide() {
        64
    } else {
        52
    }
}

fn steps_across(steps: &Range<f64>, layout: Layout) -> Axis {
    let most = if layout.is_wide() { 13.0 } else { 7.0 };
    let step = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0]
        .into_iter()
        .find(|step| (steps.end - steps.start) / step <= most)
        .unwrap_or(1_000.0);
    Axis {
        range: steps.clone(),
        marks: multiples(steps, step),
        label: Box::new(|step| format!("{step:.0}")),
    }
}

/// Greys out the steps after the last one the clock reached.
fn shade(
    chart: &mut Chart<'_, '_>,
    batch: &BatchOutcome,
    steps: &Range<f64>,
    values: &Range<f64>,
) -> Drawn {
    let reached = f64::from(batch.steps_reached).min(steps.end);
    if reached < steps.end {
        let corners = [(reached, values.start), (steps.end, values.end)];
        chart.draw_series([Rectangle::new(corners, filled(SHADE))])?;
    }
    Ok(())
}

/// Which way the marked line goes: the words stand where it does not.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Slope {
    Falling,
    Rising,
}

/// A dot with a line down to the axis and words beside it: left of it if there is room.
fn mark(
    chart: &mut Chart<'_, '_>,
    area: &Area<'_>,
    at: (f64, f64),
    bottom: f64,
    text: &str,
    slope: Slope,
) -> Drawn {
    chart.draw_series(LineSeries::new([(at.0, bottom), at], line(INK, 2)))?;
    chart.draw_series([Circle::new(at, points(5), filled(INK))])?;
    let (x, y) = chart.backend_coord(&at);
    let (_, height) = area.dim_in_pixel();
    let room_below = i32::try_from(height).unwrap_or(i32::MAX).saturating_sub(y) > points(46);
    let (side, anchor) = if x < points(150) {
        (1, HPos::Left)
    } else {
        (-1, HPos::Right)
    };
    let above = (side > 0) == (slope == Slope::Falling);
    let shift = match (above, room_below) {
        (true, _) => -points(13),
        (false, true) => points(14),
        (false, false) => 0,
    };
    let place = (x + side * points(9), y + shift);
    area.draw(&Text::new(
        text.to_owned(),
        place,
        label(INK, anchor, VPos::Center),
    ))?;
    Ok(())
}

/// A level for the width of each step.
fn staircase(steps: &[LadderStep], level: impl Fn(&LadderStep) -> f64) -> Vec<(f64, f64)> {
    steps
        .iter()
        .flat_map(|step| {
            let left = f64::from(step.step);
            [(left, level(step)), (left + 1.0, level(step))]
        })
        .collect()
}

/// The oracle's price over the steps that were reached, a level from one round to the next.
fn oracle_path(batch: &BatchOutcome) -> Vec<(f64, f64)> {
    let end = f64::from(batch.steps_reached.max(1)).min(batch.ladder.len().max(1) as f64);
    let mut path: Vec<(f64, f64)> = Vec::new();
    for point in &batch.oracle_during {
        let place = step_of_block(batch, point.block).clamp(0.0, end);
        path.extend(path.last().map(|last| (place, last.1)));
        path.push((place, drawn_price(point.price)));
    }
    path.extend(path.last().map(|last| (end, last.1)));
    path
}

/// Where on the axis of steps a block begins.
fn step_of_block(batch: &BatchOutcome, block: u64) -> f64 {
    let after = batch.ladder.partition_point(|step| step.block <= block);
    let Some(step) = after
        .checked_sub(1)
        .and_then(|index| batch.ladder.get(index))
    else {
        return 0.0;
    };
    let next = batch
        .ladder
        .get(after)
        .map_or(step.block + 1, |next| next.block);
    let width = next.saturating_sub(step.block).max(1) as f64;
    f64::from(step.step) + ((block - step.block) as f64 / width).min(1.0)
}
