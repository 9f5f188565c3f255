//! How losses are distributed, and one sale by every mechanism.

use crate::report::chart::{
    axis_price, figure, filled, frame, grid, line, mark_places, padded, points, round_marks, Area,
    Axis, Caption, Drawn, Key, Layout, Mark, FLOOR, MONEY, PRICE, REFERENCE, TARGET,
};
use breakwater_economics::{
    statistics::Histogram,
    study::{Comparison, Example, MechanismResult},
};
use maud::Markup;
use plotters::prelude::*;

const LAYOUTS: [Layout; 2] = [Layout::wide(320), Layout::narrow(280)];

/// The colours of the mechanisms, in their order.
const COLORS: [RGBColor; 4] = [MONEY, TARGET, FLOOR, REFERENCE];

/// The part of all sales that lost at most so much, for every mechanism.
pub(super) fn distribution(comparison: &Comparison, number: usize) -> Markup {
    let told: Vec<String> = comparison
        .mechanisms
        .iter()
        .map(|row| format!("{}: {:.0} bp on average", row.name, row.loss_bps.mean))
        .collect();
    let caption = Caption {
        id: format!("losses-{number}"),
        about: comparison.scenario.clone(),
        title: "Part of all sales that lost at most so much, by basis points of the fair price"
            .to_owned(),
        description: told.join("; "),
    };
    let rows = || comparison.mechanisms.iter().zip(COLORS);
    let keys: Vec<Key> = rows()
        .map(|(row, color)| Key::new(color, Mark::Line, row.name.as_str()))
        .collect();
    figure(&caption, &keys, &LAYOUTS, |area, layout| {
        draw_distribution(area, layout, rows())
    })
}

/// Loss and part of all values at or under it, at both ends of every bin that holds any.
fn cumulative(sorted: &Histogram) -> Vec<(f64, f64)> {
    let all = sorted.counts.iter().sum::<u64>().max(1) as f64;
    let mut so_far = 0;
    let mut points = vec![(sorted.from, 0.0)];
    for (bin, count) in sorted.counts.iter().enumerate() {
        so_far += count;
        let end = sorted.from + sorted.width * (bin as f64 + 1.0);
        points.push((end, so_far as f64 / all));
    }
    points
}

fn draw_distribution<'a>(
    area: &Area<'_>,
    layout: Layout,
    rows: impl Iterator<Item = (&'a MechanismResult, RGBColor)>,
) -> Drawn {
    let range = -100.0..600.0;
    let across = Axis {
        marks: round_marks(&range, if layout.is_wide() { 9 } else { 4 }),
        range: range.clone(),
        label: Box::new(|loss| format!("{loss:.0} bp")),
    };
    let up = Axis {
        range: 0.0..1.02,
        marks: vec![0.0, 0.25, 0.5, 0.75, 1.0],
        label: Box::new(|part| format!("{:.0} %", part * 100.0)),
    };
    let mut chart = frame(area, 48, across, up)?;
    grid(&mut chart)?;
    for (row, color) in rows {
        let shown = cumulative(&row.losses)
            .into_iter()
            .filter(|(loss, _)| range.contains(loss));
        chart.draw_series(LineSeries::new(shown, line(color, 5)))?;
    }
    Ok(())
}

/// One sale: the fair price, what every mechanism asked, and where it sold.
pub(super) fn sale(example: &Example, comparison: &Comparison, number: usize) -> Markup {
    let told: Vec<String> = example
        .sales
        .iter()
        .map(|(name, block, price)| {
            let seconds = *block as f64 * example.block_seconds;
            format!("{name} at {price:.2} after {seconds:.0} s")
        })
        .collect();
    let caption = Caption {
        id: format!("sale-{number}"),
        about: comparison.scenario.clone(),
        title: "One of these sales: prices asked, minutes after the opening".to_owned(),
        description: format!("Sold by {}", told.join("; ")),
    };
    let names = comparison.mechanisms.iter().zip(COLORS).take(3);
    let keys: Vec<Key> = [Key::new(PRICE, Mark::Line, "fair price")]
        .into_iter()
        .chain(names.map(|(row, color)| Key::new(color, Mark::Line, row.name.as_str())))
        .chain([Key::new(MONEY, Mark::Dot, "sold")])
        .collect();
    figure(&caption, &keys, &LAYOUTS, |area, layout| {
        draw_sale(area, layout, example, comparison)
    })
}

/// Stairs: every price until the next begins.
fn stairs(prices: impl Iterator<Item = f64>, first: f64, minutes: f64) -> Vec<(f64, f64)> {
    prices
        .enumerate()
        .flat_map(|(step, price)| {
            let begins = first + step as f64 * minutes;
            [(begins, price), (begins + minutes, price)]
        })
        .collect()
}

fn draw_sale(area: &Area<'_>, layout: Layout, example: &Example, comparison: &Comparison) -> Drawn {
    let minutes = example.block_seconds / 60.0;
    let [batch, maker, bonus, _] = COLORS;
    let asked = [
        (stairs(example.stairs.iter().copied(), 0.0, minutes), maker),
        (stairs(example.bonus.iter().copied(), 0.0, minutes), bonus),
        (
            stairs(example.ladder.iter().copied(), minutes, minutes),
            batch,
        ),
        (stairs(example.fair.iter().copied(), 0.0, minutes), PRICE),
    ];
    let prices = asked.iter().flat_map(|(points, _)| points);
    let up_range = padded(prices.clone().map(|point| point.1), 0.05);
    let across_range = padded(prices.map(|point| point.0), 0.01);
    let marks = round_marks(&up_range, 6);
    let places = mark_places(&marks);
    let across = Axis {
        marks: round_marks(&across_range, if layout.is_wide() { 9 } else { 4 }),
        range: across_range,
        label: Box::new(|minute| format!("{minute:.0} min")),
    };
    let up = Axis {
        range: up_range,
        marks,
        label: Box::new(move |price| axis_price(price, places)),
    };
    let mut chart = frame(area, if layout.is_wide() { 64 } else { 52 }, across, up)?;
    grid(&mut chart)?;
    for (points, color) in asked {
        chart.draw_series(LineSeries::new(points, line(color, 4)))?;
    }
    for (name, block, price) in &example.sales {
        let own = comparison
            .mechanisms
            .iter()
            .zip(COLORS)
            .find(|(row, _)| row.name == *name);
        let at = (*block as f64 * minutes, *price);
        let color = own.map_or(batch, |(_, color)| color);
        chart.draw_series([Circle::new(at, points(5), filled(color))])?;
    }
    Ok(())
}
