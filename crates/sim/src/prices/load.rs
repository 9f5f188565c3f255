//! Candle files.

use super::{parse_price, Candle, PriceError, PricePath};
use csv::{ReaderBuilder, StringRecord};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// The columns a candle file starts with; a sixth column `volume` may follow.
const COLUMNS: [&str; 5] = ["timestamp", "open", "high", "low", "close"];

/// The year 3000: later timestamps are milliseconds or microseconds by mistake.
const LATEST_TIME: u64 = 32_503_680_000;

/// Why a candle file could not be loaded: which file, which line, what is wrong.
#[derive(Debug, thiserror::Error)]
#[error("{}{}: {problem}", .path.display(), line_words(.line))]
pub struct LoadError {
    /// The file as it was named by the caller.
    pub path: PathBuf,
    /// The line, counted from 1 with the header as the first, where a line is to blame.
    pub line: Option<u64>,
    /// What is wrong.
    #[source]
    pub problem: LoadProblem,
}

fn line_words(line: &Option<u64>) -> String {
    line.map_or_else(String::new, |line| format!(", line {line}"))
}

/// What is wrong with a candle file.
#[derive(Debug, thiserror::Error)]
pub enum LoadProblem {
    /// There is no such file.
    #[error("no such file; check the path")]
    Missing,
    /// The file exists but cannot be read.
    #[error("cannot be read ({0})")]
    Unreadable(io::Error),
    /// The bytes are not UTF-8 text.
    #[error("is not UTF-8 text; export the file as plain CSV")]
    NotText,
    /// The file holds nothing at all.
    #[error("the file is empty; it needs a header and at least two candles")]
    Empty,
    /// There are too few candles to know the distance between them.
    #[error("the file has {found} candles; it needs at least two")]
    TooFewCandles {
        /// How many candles there are.
        found: usize,
    },
    /// The header is missing or names other columns.
    #[error("the columns are `{found}`; the first line must be `timestamp,open,high,low,close`, optionally with `,volume`")]
    Columns {
        /// The first line, shortened.
        found: String,
    },
    /// A row has more or fewer fields than the header.
    #[error(
        "the row has {found} fields where the header has {expected}; complete it or remove it"
    )]
    Fields {
        /// Fields in the row.
        found: usize,
        /// Fields in the header.
        expected: usize,
    },
    /// The timestamp is not a whole number of seconds.
    #[error("timestamp `{text}` is not a whole number of seconds since 1970")]
    Timestamp {
        /// What stands there, shortened.
        text: String,
    },
    /// The timestamp is far in the future.
    #[error("timestamp {time} is after the year 3000; write seconds, not milliseconds")]
    TimeTooLarge {
        /// What stands there.
        time: u64,
    },
    /// A price cannot be used.
    #[error("{column} price `{text}` {error}")]
    Price {
        /// Name of the column.
        column: &'static str,
        /// What stands there, shortened.
        text: String,
        /// What is wrong with it.
        error: PriceError,
    },
    /// The lowest price is above the highest.
    #[error("low is above high; correct or remove the row")]
    LowAboveHigh,
    /// The open or the close price was never traded according to low and high.
    #[error("{column} is not between low and high; correct or remove the row")]
    OutsideRange {
        /// `open` or `close`.
        column: &'static str,
    },
    /// The row is older than the one before it.
    #[error("timestamp {time} is older than {previous} in the row before; sort the file by time")]
    Unsorted {
        /// Timestamp of this row.
        time: u64,
        /// Timestamp of the row before.
        previous: u64,
    },
    /// The row has the timestamp of the one before it.
    #[error("timestamp {time} occurs twice; keep one of the two rows")]
    Duplicate {
        /// The timestamp.
        time: u64,
    },
}

/// Reads a CSV file of candles.
///
/// The first line names the columns: `timestamp,open,high,low,close` and optionally `volume`, in
/// any letter case. `timestamp` is the start of the candle in UTC seconds, rows are in time order
/// and may have gaps. Prices are decimal and are kept exactly; the volume is not looked at. The
/// path is named after the file's stem, its interval is the most common distance between
/// neighbouring rows (the shortest of these if there are several).
///
/// # Errors
///
/// A [`LoadError`] with the line of the first row that cannot be used. Nothing is skipped or
/// repaired.
pub fn read_csv(path: impl AsRef<Path>) -> Result<PricePath, LoadError> {
    let path = path.as_ref();
    let text = fs::read(path).map_err(|error| LoadError {
        path: path.to_owned(),
        line: None,
        problem: match error.kind() {
            io::ErrorKind::NotFound => LoadProblem::Missing,
            _ => LoadProblem::Unreadable(error),
        },
    })?;
    let name = path
        .file_stem()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned();
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
    parse(name, text).map_err(|(at, problem)| LoadError {
        path: path.to_owned(),
        line: at.map(|at| line_of(text, at)),
        problem,
    })
}

/// The line of the record that the CSV reader found from byte `at` on. The reader counts empty
/// lines before a record as part of it; a person looking for the line does not.
fn line_of(text: &[u8], at: usize) -> u64 {
    let (before, from) = text.split_at(at.min(text.len()));
    let empty = from.iter().take_while(|byte| matches!(byte, b'\n' | b'\r'));
    1 + before
        .iter()
        .chain(empty)
        .filter(|byte| **byte == b'\n')
        .count() as u64
}

/// A problem and the byte where its record begins.
type Located = (Option<usize>, LoadProblem);

fn byte_of(position: Option<&csv::Position>) -> Option<usize> {
    usize::try_from(position?.byte()).ok()
}

fn parse(name: String, text: &[u8]) -> Result<PricePath, Located> {
    // Field counts are checked here and not by the reader, to answer with words of our own.
    let mut reader = ReaderBuilder::new()
        .flexible(true)
        .has_headers(false)
        .from_reader(text);
    let mut row = StringRecord::new();
    let mut expected = None;
    let mut candles: Vec<Candle> = Vec::new();
    while reader.read_record(&mut row).map_err(read_problem)? {
        let at = byte_of(row.position());
        let Some(expected) = expected else {
            expected = Some(header_fields(&row).map_err(|problem| (at, problem))?);
            continue;
        };
        let candle = candle(&row, expected, candles.last()).map_err(|problem| (at, problem))?;
        candles.push(candle);
    }
    if expected.is_none() {
        return Err((None, LoadProblem::Empty));
    }
    match most_common_distance(&candles) {
        Some(interval_seconds) => Ok(PricePath {
            name,
            candles,
            interval_seconds,
        }),
        None => Err((
            None,
            LoadProblem::TooFewCandles {
                found: candles.len(),
            },
        )),
    }
}

fn read_problem(error: csv::Error) -> Located {
    let at = byte_of(error.position());
    match error.into_kind() {
        csv::ErrorKind::Utf8 { .. } => (at, LoadProblem::NotText),
        csv::ErrorKind::Io(error) => (None, LoadProblem::Unreadable(error)),
        other => (
            at,
            LoadProblem::Unreadable(io::Error::other(format!("{other:?}"))),
        ),
    }
}

/// Checks the names of the columns and counts them.
fn header_fields(row: &StringRecord) -> Result<usize, LoadProblem> {
    let names: Vec<&str> = row.iter().map(str::trim).collect();
    let wanted = COLUMNS.iter().copied().chain(["volume"]).take(names.len());
    let fits = (COLUMNS.len()..=COLUMNS.len() + 1).contains(&names.len())
        && names
            .iter()
            .zip(wanted)
            .all(|(name, wanted)| name.eq_ignore_ascii_case(wanted));
    if fits {
        Ok(names.len())
    } else {
        Err(LoadProblem::Columns {
            found: shortened(&names.join(",")),
        })
    }
}

fn candle(
    row: &StringRecord,
    expected: usize,
    previous: Option<&Candle>,
) -> Result<Candle, LoadProblem> {
    if row.len() != expected {
        return Err(LoadProblem::Fields {
            found: row.len(),
            expected,
        });
    }
    let field = |index: usize| row.get(index).unwrap_or_default().trim();
    let price = |index: usize| {
        parse_price(field(index)).map_err(|error| LoadProblem::Price {
            column: COLUMNS[index],
            text: shortened(field(index)),
            error,
        })
    };
    let open_time = timestamp(field(0))?;
    let candle = Candle {
        open_time,
        open: price(1)?,
        high: price(2)?,
        low: price(3)?,
        close: price(4)?,
    };
    if candle.low > candle.high {
        return Err(LoadProblem::LowAboveHigh);
    }
    for (column, price) in [("open", candle.open), ("close", candle.close)] {
        if !(candle.low..=candle.high).contains(&price) {
            return Err(LoadProblem::OutsideRange { column });
        }
    }
    match previous.map(|previous| previous.open_time) {
        Some(previous) if previous == open_time => Err(LoadProblem::Duplicate { time: open_time }),
        Some(previous) if previous > open_time => Err(LoadProblem::Unsorted {
            time: open_time,
            previous,
        }),
        _ => Ok(candle),
    }
}

fn timestamp(text: &str) -> Result<u64, LoadProblem> {
    let unreadable = || LoadProblem::Timestamp {
        text: shortened(text),
    };
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(unreadable());
    }
    match text.parse() {
        Ok(time) if time > LATEST_TIME => Err(LoadProblem::TimeTooLarge { time }),
        Ok(time) => Ok(time),
        Err(_) => Err(unreadable()),
    }
}

/// The distance that occurs most often between neighbours, the shortest of several.
fn most_common_distance(candles: &[Candle]) -> Option<u64> {
    let mut counts = BTreeMap::new();
    for pair in candles.windows(2) {
        *counts
            .entry(pair[1].open_time - pair[0].open_time)
            .or_insert(0u64) += 1;
    }
    let most = counts.values().copied().max()?;
    counts
        .into_iter()
        .find(|(_, count)| *count == most)
        .map(|(distance, _)| distance)
}

/// Text from a file as it may stand in a one-line message.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut shown: String = text
        .chars()
        .take(LONGEST)
        .map(|c| if c.is_control() { '?' } else { c })
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}
