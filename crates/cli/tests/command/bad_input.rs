//! Everything a user can get wrong: one line that says what to do, exit code 2, nothing written.

use crate::support::{text, Home};
use std::fs;

const HEADER: &str = "timestamp,open,high,low,close\n";

/// Runs `breakwater demo`, which must refuse; returns its one line without the `error: `.
fn refusal(home: &Home, arguments: &[&str]) -> String {
    let before = home.contents();
    let mut all = vec!["demo"];
    all.extend(arguments);
    let output = home.run(&all);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
    assert_eq!(text(&output.stdout), "", "{arguments:?}");
    assert_eq!(stderr.lines().count(), 1, "{arguments:?}: {stderr}");
    assert_eq!(home.contents(), before, "{arguments:?} leaves files");
    let line = stderr.trim_end().strip_prefix("error: ");
    line.unwrap_or_else(|| panic!("{stderr}")).to_owned()
}

fn assert_says(line: &str, words: &[&str]) {
    for word in words {
        assert!(line.contains(word), "`{word}` is not in: {line}");
    }
}

#[test]
fn candle_files() {
    let row = "1583971200,195.00,196.00,194.00,195.50\n";
    let next = "1583971800,195.50,196.00,194.00,195.00\n";
    let cases: [(&str, String, &[&str]); 9] = [
        ("empty", String::new(), &["the file is empty"]),
        ("header", HEADER.to_owned(), &["0 candles", "at least two"]),
        (
            "one",
            format!("{HEADER}{row}"),
            &["1 candles", "at least two"],
        ),
        (
            "unsorted",
            format!("{HEADER}{next}{row}"),
            &["line 3", "sort the file by time"],
        ),
        (
            "negative",
            format!("{HEADER}{row}1583971800,195,196,-194,195\n"),
            &["line 3", "low price `-194` is negative"],
        ),
        (
            "truncated",
            format!("{HEADER}{row}1583971800,195.50,19"),
            &["line 3", "3 fields", "complete it or remove it"],
        ),
        (
            "cut-number",
            format!("{HEADER}{row}1583971800,195.50,196.00,194.00,19"),
            &["line 3", "close is not between low and high"],
        ),
        (
            "twice",
            format!("{HEADER}{row}{row}"),
            &["line 3", "occurs twice"],
        ),
        (
            "columns",
            "time,price\n1,2\n".to_owned(),
            &["line 1", "the first line must be"],
        ),
    ];
    for (name, content, words) in cases {
        let home = Home::new();
        let file = format!("{name}.csv");
        home.file(&file, &content);
        let line = refusal(&home, &["--prices", &file]);
        assert_says(&line, &[&file]);
        assert_says(&line, words);
    }
}

#[test]
fn places_that_hold_no_candles() {
    let home = Home::new();
    let line = refusal(&home, &["--prices", "nowhere.csv"]);
    assert_says(&line, &["nowhere.csv", "no such file", "check the path"]);
    assert_says(&refusal(&home, &["--prices", "."]), &["cannot be read"]);
    assert_says(&refusal(&home, &["--prices", ""]), &["--prices"]);
    let line = refusal(&home, &["--prices", "two\nlines.csv"]);
    assert_says(&line, &["two lines.csv", "no such file"]);
}

#[test]
fn windows() {
    let home = Home::new();
    let candles = home.file(
        "day.csv",
        &format!("{HEADER}1583971200,1,1,1,1\n1583971800,1,1,1,1\n"),
    );
    let candles = candles.to_str().expect("a readable path");
    let cases: [(&[&str], &[&str]); 7] = [
        (&["--from", "2021-01-01"], &["has no candle", "it covers"]),
        (&["--to", "1000"], &["has no candle before"]),
        (
            &["--prices", candles, "--from", "2020-03-13"],
            &["`day` has no candle", "2020-03-12T00:00"],
        ),
        (
            &["--from", "2020-03-12T12:00", "--to", "2020-03-12"],
            &["--from must be before --to"],
        ),
        (&["--from", "yesterday"], &["`yesterday` is not a time"]),
        (&["--to", "-5"], &["`-5` is not a time"]),
        (&["--from", "2020-13-01"], &["`2020-13-01` is not a time"]),
    ];
    for (arguments, words) in cases {
        assert_says(&refusal(&home, arguments), words);
    }
}

#[test]
fn numbers() {
    let home = Home::new();
    for number in ["0", "-1", "2.5", "many", "200001", "99999999999999999999"] {
        let line = refusal(&home, &["--positions", number]);
        assert_says(
            &line,
            &[number, "--positions", "whole number from 1 to 200000"],
        );
    }
    for number in ["-1", "x", "18446744073709551616"] {
        let line = refusal(&home, &["--seed", number]);
        assert_says(&line, &[number, "--seed", "choose a whole number from 0"]);
    }
}

#[test]
fn arguments() {
    let home = Home::new();
    let line = refusal(&home, &["--positons", "3"]);
    assert_says(
        &line,
        &[
            "--positons",
            "a similar argument exists: '--positions'",
            "--help",
        ],
    );
    for arguments in [
        &["--report"] as &[&str],
        &["--what"],
        &["extra"],
        &["--json", "--json"],
        &["--seed", "1", "--seed", "2"],
        &["--json=maybe"],
    ] {
        refusal(&home, arguments);
    }
}

#[test]
fn commands() {
    let home = Home::new();
    for arguments in [&[] as &[&str], &["demos"], &["--demo"]] {
        let output = home.run(arguments);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(text(&output.stdout), "", "{arguments:?}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(stderr.starts_with("error: "), "{stderr}");
    }
}

#[test]
fn places_for_the_report() {
    let home = Home::new();
    let taken = home.file("taken", "kept");
    let kept = home.file("kept.html", "an older report");
    for place in [".", "new/", "taken/report.html", "taken/more/report.html"] {
        let line = refusal(&home, &["--report", place]);
        assert!(line.contains("choose another place") || line.contains("name the file"));
    }
    if cfg!(target_os = "linux") {
        refusal(&home, &["--report", "/proc/report.html"]);
        refusal(&home, &["--report", "/dev/null"]);
    }
    // Whatever else is wrong, the report that is there stays.
    refusal(&home, &["--report", "kept.html", "--positions", "0"]);
    refusal(&home, &["--report", "kept.html", "--from", "2021-01-01"]);
    refusal(&home, &["--report", "kept.html", "--prices", "none.csv"]);
    assert_eq!(fs::read_to_string(taken).expect("is there"), "kept");
    assert_eq!(
        fs::read_to_string(kept).expect("is there"),
        "an older report"
    );
}

#[test]
fn the_price_file_is_not_a_place_for_the_report() {
    let home = Home::new();
    let content = format!("{HEADER}1583971200,1,1,1,1\n1583971800,1,1,1,1\n");
    let candles = home.file("day.csv", &content);
    let line = refusal(&home, &["--prices", "day.csv", "--report", "./day.csv"]);
    assert_says(&line, &["is the price file", "choose another place"]);
    assert_eq!(fs::read_to_string(candles).expect("is there"), content);
}

#[test]
fn quiet_and_json_refuse_alike() {
    let home = Home::new();
    let line = refusal(&home, &["--quiet", "--json", "--from", "2021-01-01"]);
    assert_says(&line, &["has no candle"]);
}
