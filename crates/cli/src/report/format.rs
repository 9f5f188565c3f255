//! Numbers as people read them: grouped by a narrow space, rounded half away from zero.

use breakwater_sim::prices::PRICE_DECIMALS;
use std::cmp::Ordering;
use time::{format_description::BorrowedFormatItem, macros::format_description, OffsetDateTime};

/// A narrow space that keeps its two sides on one line.
pub(crate) const THIN: char = '\u{202f}';
/// The sign for less than zero.
const MINUS: char = '\u{2212}';

/// A count, such as `12 345`.
pub(crate) fn count(number: impl Into<u128>) -> String {
    grouped(&number.into().to_string())
}

/// A count with its noun: `1 batch`, `2 batches`.
pub(crate) fn counted(number: u64, one: &str, many: &str) -> String {
    format!(
        "{}{THIN}{}",
        count(number),
        if number == 1 { one } else { many }
    )
}

/// An amount in units of 10^-`decimals` with `places` digits after the point. What is not zero
/// but would be shown as zero reads `< 0.01`.
pub(crate) fn amount(value: u128, decimals: u8, places: usize) -> String {
    let shown = fixed(value, usize::from(decimals), places);
    if value != 0 && shown.bytes().all(|byte| matches!(byte, b'0' | b'.')) {
        let mut least = "0".repeat(places.max(1));
        least.replace_range(least.len() - 1.., "1");
        return if places == 0 {
            format!("<{THIN}1")
        } else {
            format!("<{THIN}0.{least}")
        };
    }
    let (whole, fraction) = shown.split_once('.').unwrap_or((&shown, ""));
    if fraction.is_empty() {
        grouped(whole)
    } else {
        format!("{}.{fraction}", grouped(whole))
    }
}

/// A price with `places` digits after the point.
pub(crate) fn price(value: u128, places: usize) -> String {
    amount(value, PRICE_DECIMALS as u8, places)
}

/// How many digits after the point show about five figures of prices near `value`.
pub(crate) fn price_places(value: u128) -> usize {
    let figures = value.to_string().len();
    (PRICE_DECIMALS as usize + 5)
        .saturating_sub(figures)
        .clamp(2, 12)
}

/// Digits of `value · 10^-decimals`, rounded to `places`; works for any number of decimals.
fn fixed(value: u128, decimals: usize, places: usize) -> String {
    let mut digits: Vec<u8> = format!("{value:0>width$}", width = decimals + 1).into_bytes();
    let dropped = decimals.saturating_sub(places);
    let up = digits
        .iter()
        .rev()
        .nth(dropped.wrapping_sub(1))
        .is_some_and(|digit| *digit >= b'5');
    digits.truncate(digits.len() - dropped);
    if dropped > 0 && up {
        carry(&mut digits);
    }
    let kept = decimals - dropped;
    let mut text: String = digits.into_iter().map(char::from).collect();
    text.extend(std::iter::repeat_n('0', places - kept));
    if places > 0 {
        text.insert(text.len() - places, '.');
    }
    text
}

/// Adds one to the last digit.
fn carry(digits: &mut Vec<u8>) {
    for digit in digits.iter_mut().rev() {
        if *digit < b'9' {
            *digit += 1;
            return;
        }
        *digit = b'0';
    }
    digits.insert(0, b'1');
}

fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() * 2);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(THIN);
        }
        text.push(digit);
    }
    text
}

/// Basis points as a percentage: `−0.62 %`, with a sign unless zero.
pub(crate) fn signed_percent(bps: i64) -> String {
    let sign = match bps.cmp(&0) {
        Ordering::Less => MINUS.to_string(),
        Ordering::Equal => String::new(),
        Ordering::Greater => "+".to_owned(),
    };
    format!("{sign}{}", percent(bps.unsigned_abs()))
}

/// Basis points as a percentage without a sign: `0.62 %`, `85 %`.
pub(crate) fn percent(bps: u64) -> String {
    let text = if bps.is_multiple_of(100) {
        count(bps / 100)
    } else {
        amount(bps.into(), 2, 2)
    };
    format!("{text}{THIN}%")
}

/// How far `value` is above (or, negative, below) `base`, in basis points towards zero; `None`
/// without a base.
pub(crate) fn distance_bps(value: u128, base: u128) -> Option<i64> {
    if base == 0 {
        return None;
    }
    let far = value.abs_diff(base);
    let bps = match far.checked_mul(10_000) {
        Some(scaled) => scaled / base,
        // Too large to scale up: scaling the base down costs less than a basis point here.
        None => far / (base / 10_000).max(1),
    };
    let bps = i64::try_from(bps).unwrap_or(i64::MAX);
    Some(if value < base { -bps } else { bps })
}

/// A fraction of the whole in basis points, at most 10,000.
pub(crate) fn share_bps(part: u128, whole: u128) -> u32 {
    let share = part.checked_mul(10_000).map_or_else(
        || part / (whole / 10_000).max(1),
        |scaled| scaled / whole.max(1),
    );
    u32::try_from(share.min(10_000)).unwrap_or(10_000)
}

/// Computation in milliseconds of the reference machine, `12.34 ms`.
pub(crate) fn milliseconds(ref_time: u64) -> String {
    format!("{}{THIN}ms", amount(ref_time.into(), 9, 2))
}

/// A storage proof in kilobytes, `1 234.5 kB`.
pub(crate) fn kilobytes(bytes: u64) -> String {
    format!("{}{THIN}kB", amount(bytes.into(), 3, 1))
}

const DAY: &[BorrowedFormatItem<'_>] =
    format_description!("[day padding:none] [month repr:short] [year]");
const SHORT_DAY: &[BorrowedFormatItem<'_>] =
    format_description!("[day padding:none] [month repr:short]");
const CLOCK: &[BorrowedFormatItem<'_>] = format_description!("[hour]:[minute]");

/// A day, such as `12 Mar 2020`.
pub(crate) fn day(seconds: u64) -> String {
    moment(seconds, DAY)
}

/// A day without its year, such as `12 Mar`.
pub(crate) fn short_day(seconds: u64) -> String {
    moment(seconds, SHORT_DAY)
}

/// A time of day, such as `10:40`.
pub(crate) fn clock(seconds: u64) -> String {
    moment(seconds, CLOCK)
}

/// A day and time, such as `12 Mar 2020, 10:40`.
pub(crate) fn day_and_clock(seconds: u64) -> String {
    format!("{}, {}", day(seconds), clock(seconds))
}

/// Text for a moment in UTC; the bare seconds where the calendar ends.
fn moment(seconds: u64, form: &[BorrowedFormatItem<'_>]) -> String {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
        .and_then(|moment| moment.format(form).ok())
        .unwrap_or_else(|| seconds.to_string())
}

/// A rounded number for the axis of a chart: `0`, `250 k`, `1.5 M`.
pub(crate) fn axis_amount(value: f64) -> String {
    let (scaled, unit) = match value.abs() {
        size if size >= 1e12 => (value / 1e12, "T"),
        size if size >= 1e9 => (value / 1e9, "G"),
        size if size >= 1e6 => (value / 1e6, "M"),
        size if size >= 1e3 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let text = format!("{scaled:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    let text = if text == "-0" { "0" } else { text };
    if unit.is_empty() {
        text.to_owned()
    } else {
        format!("{text}{THIN}{unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: String) -> String {
        text.replace(THIN, " ").replace(MINUS, "-")
    }

    #[test]
    fn amounts_are_grouped_and_rounded() {
        for (value, decimals, places, text) in [
            (0, 6, 2, "0.00"),
            (1_234_567_890_000, 6, 2, "1 234 567.89"),
            (999_995_000, 6, 2, "1 000.00"),
            (999_994_999, 6, 2, "999.99"),
            (5, 0, 2, "5.00"),
            (1_234, 0, 0, "1 234"),
            (15, 1, 0, "2"),
            (14, 1, 0, "1"),
            (1, 18, 2, "< 0.01"),
            (1, 18, 0, "< 1"),
            (5_000, 6, 2, "0.01"),
            (4_999, 6, 2, "< 0.01"),
            (12, 1, 4, "1.2000"),
            (u128::MAX, 255, 2, "< 0.01"),
            (
                u128::MAX,
                0,
                0,
                "340 282 366 920 938 463 463 374 607 431 768 211 455",
            ),
        ] {
            assert_eq!(plain(amount(value, decimals, places)), text);
        }
    }

    #[test]
    fn prices_show_about_five_figures() {
        for (value, places) in [
            (195_430_000_000_000_000_000u128, 2),
            (26_000_000_000_000_000_000_000, 2),
            (43_400_000_000_000_000_000, 3),
            (1_000_000_000_000_000_000, 4),
            (1_000_000_000_000, 10),
            (0, 12),
        ] {
            assert_eq!(price_places(value), places, "{value}");
        }
    }

    #[test]
    fn ratios_read_as_percent() {
        assert_eq!(plain(signed_percent(-62)), "-0.62 %");
        assert_eq!(plain(signed_percent(1_300)), "+13 %");
        assert_eq!(plain(signed_percent(0)), "0 %");
        assert_eq!(distance_bps(813, 1_000), Some(-1_870));
        assert_eq!(distance_bps(1, 0), None);
        assert_eq!(distance_bps(u128::MAX, 1), Some(i64::MAX));
        assert_eq!(share_bps(1, 3), 3_333);
        assert_eq!((share_bps(9, 3), share_bps(0, 0)), (10_000, 0));
        assert_eq!(share_bps(u128::MAX, u128::MAX), 10_000);
    }

    #[test]
    fn units_and_times_read_naturally() {
        assert_eq!(plain(milliseconds(14_830_000_000)), "14.83 ms");
        assert_eq!(plain(kilobytes(1_330_000)), "1 330.0 kB");
        assert_eq!(day_and_clock(1_584_009_600), "12 Mar 2020, 10:40");
        assert_eq!(short_day(1_584_009_600), "12 Mar");
        assert_eq!(clock(u64::MAX), u64::MAX.to_string());
        assert_eq!(plain(counted(1, "batch", "batches")), "1 batch");
        assert_eq!(plain(counted(1_200, "batch", "batches")), "1 200 batches");
    }

    #[test]
    fn axis_numbers_are_short() {
        for (value, text) in [
            (0.0, "0"),
            (-0.001, "0"),
            (250e3, "250 k"),
            (1.5e6, "1.5 M"),
            (2e12, "2 T"),
            (0.25, "0.25"),
        ] {
            assert_eq!(plain(axis_amount(value)), text);
        }
    }
}
