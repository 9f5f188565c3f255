//! `breakwater replay oracle` as a user meets it.

use crate::support::{text, Home};

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
