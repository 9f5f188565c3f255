//! Parts of a price path, chosen by time.

use super::PricePath;
use time::{
    format_description::BorrowedFormatItem, macros::format_description, Date, OffsetDateTime,
    PrimitiveDateTime,
};

const DATE: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");
const MINUTE: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]");

/// Why a window of time cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// A bound is not in one of the accepted forms.
    #[error(
        "`{text}` is not a time; write 2020-03-12, 2020-03-12T10:40 (UTC) or seconds since 1970"
    )]
    BadTime {
        /// What was given.
        text: String,
    },
    /// The window ends before it starts, or at the same moment.
    #[error("the window starts at {from} and ends at {to}; --from must be before --to")]
    Reversed {
        /// First second of the window, as text.
        from: String,
        /// First second after the window, as text.
        to: String,
    },
    /// No candle opens inside the window.
    #[error("`{path}` has no candle {window}; it covers {start} to {end} (UTC)")]
    Empty {
        /// Name of the price path.
        path: String,
        /// The window, in words.
        window: String,
        /// Where the path starts.
        start: String,
        /// Where the path ends.
        end: String,
    },
}

/// A half-open span of time: `from` is inside, `to` is not. A missing bound is no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    from: Option<u64>,
    to: Option<u64>,
}

impl Window {
    /// A window between two moments in UTC seconds.
    ///
    /// # Errors
    ///
    /// [`WindowError::Reversed`] unless `from < to`.
    pub fn new(from: Option<u64>, to: Option<u64>) -> Result<Self, WindowError> {
        match (from, to) {
            (Some(from), Some(to)) if from >= to => Err(WindowError::Reversed {
                from: show_time(from),
                to: show_time(to),
            }),
            _ => Ok(Self { from, to }),
        }
    }

    /// A window between two moments as a user writes them, see [`parse_time`].
    ///
    /// # Errors
    ///
    /// [`WindowError::BadTime`] or [`WindowError::Reversed`].
    pub fn parse(from: Option<&str>, to: Option<&str>) -> Result<Self, WindowError> {
        Self::new(
            from.map(parse_time).transpose()?,
            to.map(parse_time).transpose()?,
        )
    }

    /// Whether a moment, in UTC seconds, is inside.
    pub fn contains(&self, moment: u64) -> bool {
        self.from.is_none_or(|from| moment >= from) && self.to.is_none_or(|to| moment < to)
    }

    fn in_words(&self) -> String {
        match (self.from, self.to) {
            (Some(from), Some(to)) => format!("from {} to {}", show_time(from), show_time(to)),
            (Some(from), None) => format!("from {} on", show_time(from)),
            (None, Some(to)) => format!("before {}", show_time(to)),
            (None, None) => "at all".to_owned(),
        }
    }
}

impl WindowError {
    pub(super) fn no_candles(window: &Window, path: &PricePath) -> Self {
        let show = |moment: Option<u64>| moment.map_or_else(|| "nothing".to_owned(), show_time);
        WindowError::Empty {
            path: path.name.clone(),
            window: window.in_words(),
            start: show(path.start()),
            end: show(path.end()),
        }
    }
}

/// Reads `YYYY-MM-DD` (midnight), `YYYY-MM-DDTHH:MM` or seconds since 1970, all UTC, as seconds
/// since 1970.
///
/// # Errors
///
/// [`WindowError::BadTime`] for anything else, and for moments before 1970.
pub fn parse_time(text: &str) -> Result<u64, WindowError> {
    let bad = || WindowError::BadTime {
        text: text.to_owned(),
    };
    let trimmed = text.trim();
    if !trimmed.is_empty() && trimmed.bytes().all(|byte| byte.is_ascii_digit()) {
        return trimmed.parse().map_err(|_| bad());
    }
    let moment = match PrimitiveDateTime::parse(trimmed, MINUTE) {
        Ok(moment) => moment,
        Err(_) => Date::parse(trimmed, DATE).map_err(|_| bad())?.midnight(),
    };
    u64::try_from(moment.assume_utc().unix_timestamp()).map_err(|_| bad())
}

/// A moment as `2020-03-12T10:40`, or as plain seconds where the calendar ends.
fn show_time(seconds: u64) -> String {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
        .and_then(|moment| moment.format(MINUTE).ok())
        .unwrap_or_else(|| seconds.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prices::march_2020;
    use proptest::prelude::*;

    const MIDNIGHT: u64 = 1_583_971_200;

    #[test]
    fn reads_every_accepted_form() {
        assert_eq!(parse_time("2020-03-12"), Ok(MIDNIGHT));
        assert_eq!(parse_time(" 2020-03-12T10:40 "), Ok(MIDNIGHT + 38_400));
        assert_eq!(parse_time("1583971200"), Ok(MIDNIGHT));
        assert_eq!(parse_time("0"), Ok(0));
    }

    #[test]
    fn refuses_every_other_form() {
        for text in [
            "",
            "yesterday",
            "2020-3-12",
            "2020-13-01",
            "2021-02-29",
            "2020-03-12 10:40",
            "2020-03-12T24:00",
            "2020-03-12T10:40Z",
            "1969-12-31",
            "-5",
            "99999999999999999999999",
        ] {
            assert_eq!(
                parse_time(text),
                Err(WindowError::BadTime {
                    text: text.to_owned()
                })
            );
        }
    }

    #[test]
    fn refuses_windows_without_time_in_them() {
        assert!(matches!(
            Window::parse(Some("2020-03-12"), Some("2020-03-12")),
            Err(WindowError::Reversed { .. })
        ));
        assert_eq!(
            Window::parse(Some("2020-03-13"), Some("2020-03-12")).map_err(|e| e.to_string()),
            Err(
                "the window starts at 2020-03-13T00:00 and ends at 2020-03-12T00:00; \
                 --from must be before --to"
                    .to_owned()
            )
        );
    }

    #[test]
    fn takes_the_candles_inside_and_says_when_there_are_none() {
        let day = march_2020(1);
        let window = Window::parse(Some("2020-03-12T10:00"), Some("2020-03-12T11:00"));
        let hour = window
            .and_then(|window| day.inside(&window))
            .expect("six candles");
        assert_eq!(hour.candles, day.candles[60..66]);
        assert_eq!(hour.interval_seconds, day.interval_seconds);
        assert_eq!(day.inside(&Window::default()), Ok(day.clone()));

        let later = Window::parse(Some("2020-04-01"), None).expect("a good window");
        assert_eq!(
            day.inside(&later).map_err(|error| error.to_string()),
            Err("`march-2020` has no candle from 2020-04-01T00:00 on; \
                 it covers 2020-03-12T00:00 to 2020-03-13T00:00 (UTC)"
                .to_owned())
        );
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in "\\PC*") {
            let _ = parse_time(&text);
        }

        #[test]
        fn shown_times_read_back(minutes in 0u64..4_000_000_000) {
            let seconds = minutes.min(253_402_300_740 / 60) * 60;
            prop_assert_eq!(parse_time(&show_time(seconds)), Ok(seconds));
        }
    }
}
