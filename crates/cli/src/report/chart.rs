//! What all charts share: their sizes, their colours, and the way into the page.
//!
//! A chart is drawn twice, wide and narrow, and the style sheet shows the one that fits; a wide
//! chart scaled down to a phone could not be read. Colours are those of the light page; the
//! style sheet swaps them by their value for the dark one, and adds the dashes that tell lines
//! apart without colour.

use super::format::THIN;
use maud::{html, Markup, PreEscaped};
use plotters::{
    coord::{
        ranged1d::{KeyPointHint, NoDefaultFormatting, ValueFormatter},
        Shift,
    },
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};
use std::{error::Error, ops::Range};

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(super) type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;
pub(super) type Drawn = Result<(), Box<dyn Error>>;

pub(super) const INK: RGBColor = RGBColor(0x1B, 0x24, 0x30);
pub(super) const MUTED: RGBColor = RGBColor(0x5B, 0x66, 0x75);
pub(super) const GRID: RGBColor = RGBColor(0xE3, 0xE7, 0xEC);
pub(super) const SHADE: RGBColor = RGBColor(0xF1, 0xF3, 0xF6);
pub(super) const PRICE: RGBColor = RGBColor(0x1F, 0x5F, 0xA8);
pub(super) const ORACLE: RGBColor = RGBColor(0xB4, 0x58, 0x0C);
pub(super) const REFERENCE: RGBColor = RGBColor(0x7A, 0x86, 0x96);
pub(super) const FLOOR: RGBColor = RGBColor(0xB3, 0x26, 0x1E);
pub(super) const MONEY: RGBColor = RGBColor(0x2A, 0x7F, 0x75);
pub(super) const JOINED: RGBColor = RGBColor(0x8F, 0xC4, 0xBC);
pub(super) const TARGET: RGBColor = RGBColor(0x6B, 0x3F, 0xA0);

/// The drawing library places on whole numbers: two of them for one point of the page make lines
/// smooth.
const FINENESS: u32 = 2;

/// The size a chart is drawn for, in points of the page.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    class: &'static str,
    width: u32,
    height: u32,
}

impl Layout {
    /// For screens and paper.
    pub(super) const fn wide(height: u32) -> Self {
        Layout {
            class: "wide",
            width: 960,
            height,
        }
    }

    /// For phones.
    pub(super) const fn narrow(height: u32) -> Self {
        Layout {
            class: "narrow",
            width: 370,
            height,
        }
    }

    /// For half a column, on every screen.
    pub(super) const fn small(height: u32) -> Self {
        Layout {
            class: "small",
            width: 440,
            height,
        }
    }

    pub(super) fn is_wide(self) -> bool {
        self.class == "wide"
    }
}

/// Points of the page in units of the drawing.
pub(super) fn points(size: u32) -> i32 {
    i32::try_from(size.saturating_mul(FINENESS)).unwrap_or(i32::MAX)
}

/// A line of so many half points.
pub(super) fn line(color: RGBColor, half_points: u32) -> ShapeStyle {
    ShapeStyle {
        color: color.to_rgba(),
        filled: false,
        stroke_width: half_points,
    }
}

pub(super) fn filled(color: RGBColor) -> ShapeStyle {
    ShapeStyle {
        color: color.to_rgba(),
        filled: true,
        stroke_width: 0,
    }
}

/// Text of 12 points, anchored as said.
pub(super) fn label(color: RGBColor, horizontal: HPos, vertical: VPos) -> TextStyle<'static> {
    // The SVG writer divides sizes by 1.24.
    ("sans-serif", 12.0 * 1.24 * f64::from(FINENESS))
        .into_font()
        .color(&color)
        .pos(Pos::new(horizontal, vertical))
}

/// A range that holds all `values` with a margin, and is never empty.
pub(super) fn padded(values: impl IntoIterator<Item = f64>, margin: f64) -> Range<f64> {
    let (low, high) = values
        .into_iter()
        .filter(|value| value.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
            (low.min(v), high.max(v))
        });
    if low > high {
        return 0.0..1.0;
    }
    let span = match high - low {
        span if span > 0.0 => span,
        _ => (high.abs() * 0.01).max(1e-9),
    };
    low - span * margin..high + span * margin
}

/// Round places for at most `most` labels inside `range`: multiples of 1, 2 or 5 · 10ⁿ.
pub(super) fn round_marks(range: &Range<f64>, most: usize) -> Vec<f64> {
    let least = (range.end - range.start) / most.max(1) as f64;
    if !least.is_finite() || least <= 0.0 {
        return Vec::new();
    }
    let magnitude = 10f64.powi(least.log10().floor() as i32);
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * magnitude)
        .find(|step| *step >= least * 0.999)
        .unwrap_or(magnitude * 10.0);
    multiples(range, step)
}

/// The multiples of `step` inside `range`, of which there must be few.
pub(super) fn multiples(range: &Range<f64>, step: f64) -> Vec<f64> {
    let (first, last) = ((range.start / step).ceil(), (range.end / step).floor());
    let many = (last - first).clamp(-1.0, 200.0) as i64;
    (0..=many)
        .map(|index| (first + index as f64) * step)
        .collect()
}

/// How many digits after the point tell `marks` apart.
pub(super) fn mark_places(marks: &[f64]) -> usize {
    match marks {
        [first, second, ..] if second > first => {
            (-(second - first).log10().floor()).clamp(0.0, 12.0) as usize
        }
        _ => 2,
    }
}

/// A price on an axis.
pub(super) fn axis_price(value: f64, places: usize) -> String {
    let text = format!("{value:.places$}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) && digit.is_ascii_digit() {
            grouped.push(THIN);
        }
        grouped.push(digit);
    }
    if fraction.is_empty() {
        grouped
    } else {
        format!("{grouped}.{fraction}")
    }
}

/// An axis that knows where its labels stand and how they read.
pub(super) struct Axis {
    pub(super) range: Range<f64>,
    pub(super) marks: Vec<f64>,
    pub(super) label: Box<dyn Fn(f64) -> String>,
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (start, end): (i32, i32)) -> i32 {
        let part = (value - self.range.start) / (self.range.end - self.range.start);
        start + (f64::from(end - start) * part).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.marks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        (self.label)(*value)
    }
}

/// An empty chart whose left labels take `left` points.
pub(super) fn frame<'a, 'b>(
    area: &'a Area<'b>,
    left: u32,
    across: Axis,
    up: Axis,
) -> Result<Chart<'a, 'b>, Box<dyn Error>> {
    let chart = ChartBuilder::on(area)
        .margin_top(points(10))
        .margin_right(points(14))
        .set_label_area_size(LabelAreaPosition::Left, points(left))
        .set_label_area_size(LabelAreaPosition::Bottom, points(26))
        .build_cartesian_2d(across, up)?;
    Ok(chart)
}

/// Draws the level lines and the labels of both axes.
pub(super) fn grid(chart: &mut Chart<'_, '_>) -> Drawn {
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(line(GRID, 2))
        .axis_style(line(GRID, 2))
        .label_style(label(MUTED, HPos::Center, VPos::Center))
        .draw()?;
    Ok(())
}

/// One kind of mark and its meaning.
pub(super) struct Key {
    pub(super) color: RGBColor,
    pub(super) mark: Mark,
    pub(super) text: String,
}

/// How a kind of mark is drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Line,
    Bar,
    Dot,
    Ring,
}

impl Key {
    pub(super) fn new(color: RGBColor, mark: Mark, text: impl Into<String>) -> Self {
        Key {
            color,
            mark,
            text: text.into(),
        }
    }

    fn swatch(&self) -> Markup {
        let RGBColor(red, green, blue) = self.color;
        // The same spelling as in the charts, because the style sheet looks for it.
        let color = format!("#{red:02X}{green:02X}{blue:02X}");
        html! {
            svg class="swatch" viewBox="0 0 52 24" aria-hidden="true" {
                @match self.mark {
                    Mark::Line => polyline fill="none" stroke=(color) stroke-width="5" points="0,12 52,12" {},
                    Mark::Bar => rect x="14" y="2" width="24" height="20" fill=(color) {},
                    Mark::Dot => circle cx="26" cy="12" r="9" fill=(color) {},
                    Mark::Ring => circle cx="26" cy="12" r="8" fill="none" stroke=(color) stroke-width="4" {},
                }
            }
        }
    }
}

/// What a chart says, for those who see it and those who do not.
pub(super) struct Caption {
    /// Starts the ids of the chart's parts, so it must be unique on the page.
    pub(super) id: String,
    /// What the chart is about; a heading above it says so too.
    pub(super) about: String,
    /// What is drawn.
    pub(super) title: String,
    /// What the picture shows, in one or two sentences with the numbers.
    pub(super) description: String,
}

/// A figure with its legend, drawn once for each layout.
pub(super) fn figure(
    caption: &Caption,
    keys: &[Key],
    layouts: &[Layout],
    draw: impl Fn(&Area<'_>, Layout) -> Drawn,
) -> Markup {
    html! {
        figure {
            figcaption {
                span class="figure-title" { (caption.title) }
                ul class="legend" {
                    @for key in keys {
                        li { (key.swatch()) " " (key.text) }
                    }
                }
            }
            @for layout in layouts {
                (svg(caption, *layout, &draw))
            }
        }
    }
}

fn svg(caption: &Caption, layout: Layout, draw: &impl Fn(&Area<'_>, Layout) -> Drawn) -> Markup {
    let size = (layout.width * FINENESS, layout.height * FINENESS);
    let mut buffer = String::new();
    let drawn = {
        let area = SVGBackend::with_string(&mut buffer, size).into_drawing_area();
        draw(&area, layout).and_then(|()| area.present().map_err(Into::into))
    };
    if let Err(error) = drawn {
        return html! { p class="note" { "This chart could not be drawn: " (error) "." } };
    }
    // The page has its own opening tag, with a size that follows the page and words for readers.
    let marks = buffer
        .split_once('>')
        .map_or("", |(_, rest)| rest)
        .trim_end();
    let marks = marks.strip_suffix("</svg>").unwrap_or(marks);
    let id = |part: &str| format!("{}-{}-{part}", caption.id, layout.class);
    html! {
        svg class={ "chart " (layout.class) } viewBox={ "0 0 " (size.0) " " (size.1) }
            role="img" aria-labelledby={ (id("title")) " " (id("desc")) } {
            title id=(id("title")) { (caption.about) ": " (caption.title) }
            desc id=(id("desc")) { (caption.description) }
            (PreEscaped(marks))
        }
    }
}
