//! `breakwater replay` as a user meets it.

use crate::support::{text, Home};
use std::fs;

const CANDLES: &str = "timestamp,open,high,low,close\n\
    1583971200,195,196,194,195\n1583974800,195,196,120,125\n1583978400,125,130,124,128\n";

#[test]
fn prints_tables_for_every_band() {
    let home = Home::new();
    let file = home.file("eth.csv", CANDLES);
    let output = home.run(&["replay", "oracle", "--data", file.to_str().expect("UTF-8")]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let shown = text(&output.stdout);
    assert!(
        shown.starts_with("eth: 3 candles, 1 worst days\n"),
        "{shown}"
    );
    for part in ["deviation", "jump limit", "3 %", "50 %"] {
        assert!(shown.contains(part), "`{part}` is not in:\n{shown}");
    }
}

#[test]
fn prints_json_for_machines() {
    let home = Home::new();
    let file = home.file("eth.csv", CANDLES);
    let file = file.to_str().expect("UTF-8");
    let output = home.run(&["replay", "oracle", "--data", file, "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(json["candles"], 3);
    // A fall by a third in a quarter of an hour trips at 20 % and not at 50 %.
    assert_eq!(json["breaker"][4]["jump"], 1);
    assert_eq!(json["breaker"][7]["jump"], 0);
}

#[test]
fn a_missing_file_is_one_line_and_exit_code_two() {
    let output = Home::new().run(&["replay", "oracle", "--data", "none.csv"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(text(&output.stderr).lines().count(), 1);
}

/// A short run that writes its events; returns the lines.
fn logged(home: &Home) -> Vec<String> {
    let output = home.run(&[
        "demo",
        "--positions",
        "30",
        "--events",
        "log/events.jsonl",
        "--check",
    ]);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    for part in ["events: ", "in log/events.jsonl", "check: "] {
        assert!(stderr.contains(part), "`{part}` is not in:\n{stderr}");
    }
    let log = fs::read_to_string(home.path().join("log/events.jsonl")).expect("a log");
    log.lines().map(str::to_owned).collect()
}

/// F24: what the demo writes and has compared with the contracts is rebuilt from the log alone.
#[test]
fn f24_the_demos_events_are_rebuilt_into_tables_and_json() {
    let home = Home::new();
    let lines = logged(&home);
    let output = home.run(&["replay", "events", "log/events.jsonl"]);
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    for part in ["Market 0", "Lenders", "Positions", "Batches", "and 18 more"] {
        assert!(shown.contains(part), "`{part}` is not in:\n{shown}");
    }
    let output = home.run(&["replay", "events", "log/events.jsonl", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(json["events"], lines.len() - 1);
    let market = &json["markets"][0];
    assert_eq!(market["positions"].as_array().map(Vec::len), Some(30));
    let owed = |key: &str| market[key].as_u64().unwrap_or_default();
    assert!(owed("cash") > 0 && owed("debt") > 0, "{market}");
}

/// A log that is none, is cut, or lacks an event: one line that says where.
#[test]
fn f24_bad_logs_are_one_line_and_exit_code_two() {
    let home = Home::new();
    let lines = logged(&home);
    let without = |at: usize| {
        let mut lines = lines.clone();
        lines.remove(at);
        lines.join("\n")
    };
    let mut half = lines[..5].join("\n");
    half.truncate(half.len() - 9);
    let foreign = lines[0].replace("vault\":\"0x", "vault\":\"0x00");
    let cases: [(&str, String, &str); 7] = [
        ("empty", String::new(), "it is empty"),
        ("no-log", "timestamp,open\n".to_owned(), "line 1"),
        ("headless", without(0), "line 1"),
        ("gap", without(9), "event 9 follows event 8"),
        ("half", half, "line 5"),
        ("address", foreign, "line 1"),
        (
            "newer",
            lines[0].replace("events\":1", "events\":2"),
            "version 2",
        ),
    ];
    for (name, log, says) in cases {
        let file = home.file(name, &log);
        let output = home.run(&["replay", "events", file.to_str().expect("UTF-8")]);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{name}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{name}: {stderr}");
        assert!(
            stderr.contains(says),
            "{name}: `{says}` is not in: {stderr}"
        );
    }
    let output = home.run(&["replay", "events", "none.jsonl"]);
    assert_eq!(output.status.code(), Some(2));
    let output = home.run(&["demo", "--events", "one", "--report", "one"]);
    assert_eq!(output.status.code(), Some(2));
}
