//! The price over the run, with the batches on it.

use super::{
    chart::{
        axis_price, figure, filled, frame, grid, label, line, mark_places, multiples, padded,
        points, round_marks, Area, Axis, Caption, Drawn, Key, Layout, Mark, FLOOR, INK, PRICE,
    },
    format::{clock, day, short_day},
    words::Words,
};
use breakwater_sim::{
    outcome::{BatchOutcome, DemoOutcome},
    prices::PRICE_SCALE,
};
use maud::Markup;
use plotters::{
    prelude::*,
    style::text_anchor::{HPos, VPos},
};

const LAYOUTS: [Layout; 2] = [Layout::wide(340), Layout::narrow(280)];
/// Seconds between labels of the time axis, of which the first that gives few enough is taken.
const TIME_STEPS: [u64; 14] = [
    60, 300, 600, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000,
    31_536_000,
];

/// A price for drawing.
pub(super) fn drawn_price(price: u128) -> f64 {
    price as f64 / PRICE_SCALE as f64
}

/// The figure of the whole run.
pub(super) fn figure_of_run(outcome: &DemoOutcome, words: &Words<'_>) -> Markup {
    let market = &outcome.market;
    let title = format!(
        "{} price in {}, {} (UTC)",
        market.collateral_symbol,
        market.quote_symbol,
        words.span()
    );
    let caption = Caption {
        id: "run".to_owned(),
        about: "The run".to_owned(),
        title,
        description: words.price_sentence(),
    };
    let mut keys = vec![Key::new(PRICE, Mark::Line, "oracle price")];
    if outcome.batches.iter().any(|batch| batch.clearing.is_some()) {
        keys.push(Key::new(
            INK,
            Mark::Dot,
            "batch sold, at its clearing price",
        ));
    }
    if outcome.batches.iter().any(|batch| batch.clearing.is_none()) {
        keys.push(Key::new(
            FLOOR,
            Mark::Ring,
            "batch closed without a sale, at its reference price",
        ));
    }
    figure(&caption, &keys, &LAYOUTS, |area, layout| {
        draw(area, layout, outcome)
    })
}

fn draw(area: &Area<'_>, layout: Layout, outcome: &DemoOutcome) -> Drawn {
    let times = outcome.prices.iter().map(|point| point.time);
    let shown = times.chain(outcome.batches.iter().map(|batch| batch.opened_at));
    let time_range = padded(shown.map(|time| time as f64), 0.015);
    let price_range = padded(
        outcome
            .prices
            .iter()
            .map(|point| point.price)
            .chain(outcome.batches.iter().map(batch_price))
            .map(drawn_price),
        0.08,
    );
    let (most_times, left) = if layout.is_wide() { (9, 64) } else { (4, 48) };
    let (time_step, time_marks) = time_marks(&time_range, most_times);
    let price_marks = round_marks(&price_range, 6);
    let places = mark_places(&price_marks);

    let across = Axis {
        range: time_range,
        marks: time_marks,
        label: Box::new(move |time| time_label(time, time_step)),
    };
    let up = Axis {
        range: price_range,
        marks: price_marks,
        label: Box::new(move |price| axis_price(price, places)),
    };
    let mut chart = frame(area, left, across, up)?;
    grid(&mut chart)?;
    let path = outcome
        .prices
        .iter()
        .map(|point| (point.time as f64, drawn_price(point.price)));
    chart.draw_series(LineSeries::new(path, line(PRICE, 4)))?;

    let mut taken: Vec<(i32, i32)> = Vec::new();
    let mut batches: Vec<&BatchOutcome> = outcome.batches.iter().collect();
    batches.sort_by_key(|batch| std::cmp::Reverse(batch.collateral_offered));
    let largest = batches
        .first()
        .map_or(1, |batch| batch.collateral_offered)
        .max(1) as f64;
    for batch in batches {
        let at = (batch.opened_at as f64, drawn_price(batch_price(batch)));
        // The area of a dot is the size of its batch.
        let size = (batch.collateral_offered as f64 / largest).sqrt();
        let radius = (points(3) as f64 + size * points(5) as f64).round() as i32;
        let style = match batch.clearing {
            Some(_) => filled(INK),
            None => line(FLOOR, 4),
        };
        chart.draw_series([Circle::new(at, radius, style)])?;
        let (x, y) = chart.backend_coord(&at);
        let (aside, away) = (radius + points(14), radius + points(9));
        let free = |place: &(i32, i32)| {
            taken.iter().all(|other| {
                (other.0 - place.0).abs() > points(24) || (other.1 - place.1).abs() > points(15)
            })
        };
        // A number stands under its dot or, where others are in the way, at another side. In a
        // crowd only the largest keep theirs.
        let places = [
            (x - points(5), y + away),
            (x - aside, y),
            (x + aside, y),
            (x, y - away),
        ];
        if let Some(place) = places.into_iter().find(free) {
            let text = format!("#{}", batch.number);
            area.draw(&Text::new(
                text,
                place,
                label(INK, HPos::Center, VPos::Center),
            ))?;
            taken.push(place);
        }
    }
    Ok(())
}

fn batch_price(batch: &BatchOutcome) -> u128 {
    batch
        .clearing
        .as_ref()
        .map_or(batch.reference_price, |clearing| clearing.price)
}

fn time_marks(range: &std::ops::Range<f64>, most: usize) -> (u64, Vec<f64>) {
    let span = range.end - range.start;
    let [.., longest] = TIME_STEPS;
    let step = TIME_STEPS
        .into_iter()
        .find(|step| span / *step as f64 <= most as f64)
        .unwrap_or(longest);
    (step, multiples(range, step as f64))
}

fn time_label(time: f64, step: u64) -> String {
    let time = time.max(0.0) as u64;
    match step {
        0..=43_200 => clock(time),
        86_400..=2_592_000 => short_day(time),
        _ => day(time),
    }
}
