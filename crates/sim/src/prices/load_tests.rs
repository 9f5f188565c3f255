//! What the candle loader accepts, and what it says about everything else.

use super::*;
use proptest::prelude::*;
use std::{fs, io::Write};

const HEADER: &str = "timestamp,open,high,low,close,volume\n";

fn load(text: impl AsRef<[u8]>) -> Result<PricePath, LoadError> {
    let mut file = tempfile::Builder::new()
        .prefix("day")
        .suffix(".csv")
        .tempfile()
        .expect("a temporary file");
    file.write_all(text.as_ref()).expect("room for it");
    read_csv(file.path())
}

/// The line and the message for a file that must be refused.
fn refused(text: impl AsRef<[u8]>) -> (Option<u64>, String) {
    let error = load(text).expect_err("a refusal");
    let message = error.to_string();
    assert!(!message.contains('\n'), "one line: {message}");
    (error.line, error.problem.to_string())
}

/// The refusal of `row` standing after one good row, so on line 3.
fn refused_row(row: &str) -> String {
    let (line, message) = refused(format!("{HEADER}600,10,12,9,11,1\n{row}\n"));
    assert_eq!(line, Some(3), "{row}: {message}");
    message
}

#[test]
fn loads_exact_prices_and_the_interval() {
    let path = load(format!(
        "{HEADER}0,195.21,195.43,194.38,194.52,69.6\n600,1,1,1,1,0\n1200,0.1,0.3,0.1,0.2,x\n"
    ))
    .expect("a good file");
    assert!(path.name.starts_with("day"));
    assert_eq!(path.interval_seconds, 600);
    assert_eq!(
        path.candles[0],
        Candle {
            open_time: 0,
            open: 195_210_000_000_000_000_000,
            high: 195_430_000_000_000_000_000,
            low: 194_380_000_000_000_000_000,
            close: 194_520_000_000_000_000_000,
        }
    );
    assert_eq!(path.candles[2].low, PRICE_SCALE / 10);
    assert_eq!((path.start(), path.end()), (Some(0), Some(1_800)));
    assert_eq!(path.lowest(), Some(PRICE_SCALE / 10));
    assert_eq!(path.highest(), Some(195_430_000_000_000_000_000));
}

#[test]
fn loads_the_usual_variations_of_the_form() {
    let plain = load("timestamp,open,high,low,close\n0,1,1,1,1\n60,1,1,1,1\n").expect("no volume");
    assert_eq!(plain.interval_seconds, 60);
    for text in [
        "\u{feff}timestamp,open,high,low,close\r\n0,1,1,1,1\r\n60,1,1,1,1",
        "Timestamp, Open, High, Low, Close\n0, 1, 1, 1, 1\n\n60,\"1\",1,1,1.000\n\n",
    ] {
        assert_eq!(
            load(text).expect("a good file").candles,
            plain.candles,
            "{text:?}"
        );
    }
}

#[test]
fn gaps_are_allowed_and_do_not_change_the_interval() {
    let path = load(format!(
        "{HEADER}0,1,1,1,1,1\n3600,1,1,1,1,1\n7200,1,1,1,1,1\n28800,1,1,1,1,1\n"
    ))
    .expect("a good file");
    assert_eq!(path.interval_seconds, 3_600);
    assert_eq!(path.candles.len(), 4);
}

#[test]
fn refuses_files_that_are_not_candles() {
    let missing = read_csv("no/such/file.csv").expect_err("a refusal");
    assert_eq!(
        missing.to_string(),
        "no/such/file.csv: no such file; check the path"
    );
    let folder = tempfile::tempdir().expect("a folder");
    let unreadable = read_csv(folder.path()).expect_err("a refusal");
    assert!(matches!(unreadable.problem, LoadProblem::Unreadable(_)));

    for text in ["", "\n\n"] {
        let message = "the file is empty; it needs a header and at least two candles";
        assert_eq!(refused(text), (None, message.to_owned()));
    }
    for (text, found) in [
        (HEADER.to_owned(), 0),
        (format!("{HEADER}0,1,1,1,1,1\n"), 1),
    ] {
        let message = format!("the file has {found} candles; it needs at least two");
        assert_eq!(refused(text), (None, message));
    }
    let (line, message) = refused(b"timestamp,open,high,low,close\n0,1,1,1,\xff\n");
    assert_eq!(line, Some(2));
    assert_eq!(message, "is not UTF-8 text; export the file as plain CSV");
}

#[test]
fn refuses_other_columns() {
    let wanted =
        "the first line must be `timestamp,open,high,low,close`, optionally with `,volume`";
    for header in [
        "timestamp,open,high,low",
        "timestamp,open,low,high,close",
        "datetime,timestamp,doc_count,avgGasDay,30.0 Perc,60.0 Perc",
        "timestamp,open,high,low,close,volume,trades",
        "timestamp,open,high,low,close,price",
        "1583971200,195.21,195.43,194.38,194.52,69.68",
    ] {
        let (line, message) = refused(format!("{header}\n0,1,1,1,1\n60,1,1,1,1\n"));
        assert_eq!(line, Some(1));
        assert_eq!(message, format!("the columns are `{header}`; {wanted}"));
    }
    let (_, message) = refused("x".repeat(10_000));
    assert!(message.len() < 200, "long text is shortened");
}

#[test]
fn refuses_broken_rows_and_names_the_line() {
    for (row, message) in [
        (
            "1200,1",
            "the row has 2 fields where the header has 6; complete it or remove it",
        ),
        (
            "1200,1,1,1,1,1,1",
            "the row has 7 fields where the header has 6; complete it or remove it",
        ),
        (
            "1200,x,1,1,1,1",
            "open price `x` is not a plain decimal number like 123.45",
        ),
        ("1200,1,,1,1,1", "high price `` is empty"),
        ("1200,1,1,-1,1,1", "low price `-1` is negative"),
        ("1200,1,1,0.00,1,1", "low price `0.00` is zero"),
        (
            "1200,1,1,1,NaN,1",
            "close price `NaN` is not a finite number",
        ),
        (
            "1200,1,inf,1,1,1",
            "high price `inf` is not a finite number",
        ),
        (
            "1200,1,1e9,1,1,1",
            "high price `1e9` is not a plain decimal number like 123.45",
        ),
        (
            "1200,1,1000000000001,1,1,1",
            "high price `1000000000001` is above 10^12; check its unit",
        ),
        (
            "1200,1,1.0000000000000000001,1,1,1",
            "high price `1.0000000000000000001` has more than 18 decimals; \
             round it before loading",
        ),
        (
            "1200,2,1,3,2,1",
            "low is above high; correct or remove the row",
        ),
        (
            "1200,4,3,1,2,1",
            "open is not between low and high; correct or remove the row",
        ),
        (
            "1200,2,3,1,0.9,1",
            "close is not between low and high; correct or remove the row",
        ),
        (
            "599,1,1,1,1,1",
            "timestamp 599 is older than 600 in the row before; sort the file by time",
        ),
        (
            "600,1,1,1,1,1",
            "timestamp 600 occurs twice; keep one of the two rows",
        ),
        (
            "-600,1,1,1,1,1",
            "timestamp `-600` is not a whole number of seconds since 1970",
        ),
        (
            "1.5,1,1,1,1,1",
            "timestamp `1.5` is not a whole number of seconds since 1970",
        ),
        (
            ",1,1,1,1,1",
            "timestamp `` is not a whole number of seconds since 1970",
        ),
        (
            "99999999999999999999999,1,1,1,1,1",
            "timestamp `99999999999999999999999` is not a whole number of seconds since 1970",
        ),
        (
            "1583971200000,1,1,1,1,1",
            "timestamp 1583971200000 is after the year 3000; write seconds, not milliseconds",
        ),
    ] {
        assert_eq!(refused_row(row), message, "{row}");
    }
}

#[test]
fn counts_empty_lines_and_quoted_line_breaks() {
    let (line, _) = refused(format!("{HEADER}\n\n0,1,1,1,1,1\n\n600,1,1,1,0,1\n"));
    assert_eq!(line, Some(6));
    let (line, _) = refused(format!("{HEADER}0,1,1,1,1,\"a\nb\"\n600,1,1,1,0,1\n"));
    assert_eq!(line, Some(4));
    let (line, _) = refused("\u{feff}\r\ntimestamp,open,high,low,close\r\n\r\n0,1,1,1,0");
    assert_eq!(line, Some(4));
}

#[test]
fn the_message_names_file_and_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("crash.csv");
    fs::write(&file, format!("{HEADER}0,1,1,1,0,1\n")).expect("room for it");
    let message = read_csv(&file).expect_err("a refusal").to_string();
    assert_eq!(
        message,
        format!("{}, line 2: close price `0` is zero", file.display())
    );
}

fn candles() -> impl Strategy<Value = Vec<Candle>> {
    let candle = (1u64..90_000, prop::array::uniform4(1..=MAX_PRICE));
    prop::collection::vec(candle, 2..40).prop_map(|rows| {
        let mut open_time = 0;
        rows.into_iter()
            .map(|(gap, mut prices)| {
                open_time += gap;
                prices.sort_unstable();
                let [low, open, close, high] = prices;
                Candle {
                    open_time,
                    open,
                    high,
                    low,
                    close,
                }
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn any_good_file_is_read_back_exactly(candles in candles()) {
        let mut text = HEADER.to_owned();
        for c in &candles {
            let prices = [c.open, c.high, c.low, c.close].map(format_price).join(",");
            text.push_str(&format!("{},{prices},1\n", c.open_time));
        }
        prop_assert_eq!(load(text).expect("a good file").candles, candles);
    }

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = load(bytes);
    }

    #[test]
    fn any_rows_are_answered_and_what_loads_is_sound(
        rows in prop::collection::vec("[0-9.,eE\\-+\" naif]{0,24}", 0..12)
    ) {
        if let Ok(path) = load(format!("{HEADER}{}", rows.join("\n"))) {
            for pair in path.candles.windows(2) {
                prop_assert!(pair[0].open_time < pair[1].open_time);
            }
            for c in &path.candles {
                prop_assert!(0 < c.low && c.low <= c.open.min(c.close));
                prop_assert!(c.open.max(c.close) <= c.high);
            }
        }
    }
}
