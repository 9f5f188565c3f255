//! What the command says about itself.

use crate::support::{text, Home};

fn answer(arguments: &[&str]) -> String {
    let output = Home::new().run(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    assert_eq!(text(&output.stderr), "", "{arguments:?}");
    text(&output.stdout).to_owned()
}

#[test]
fn versions() {
    for arguments in [&["--version"] as &[&str], &["-V"]] {
        assert_eq!(answer(arguments), "breakwater 0.1.0\n");
    }
}

#[test]
fn the_commands_are_listed() {
    let help = answer(&["--help"]);
    assert!(help.contains("Usage: breakwater <COMMAND>"), "{help}");
    for line in [
        "demo      Run a market through a price crash",
        "bench     Measure what messages cost",
        "simulate  ",
        "replay    Run rules of the contracts over recorded prices",
    ] {
        assert!(help.contains(line), "{help}");
    }
}

#[test]
fn the_options_of_the_demo_are_listed_with_their_defaults() {
    let help = answer(&["demo", "--help"]);
    for part in [
        "Usage: breakwater demo [OPTIONS]",
        "--prices <FILE.csv>",
        "timestamp,open,high,low,close[,volume]",
        "--from <TIME>",
        "--to <TIME>",
        "--positions <N>",
        "[default: 2000]",
        "--seed <N>",
        "[default: 2020]",
        "--json",
        "--quiet",
        "--report <PATH>",
        "[default: target/demo/report.html]",
        "--events <FILE.jsonl>",
        "--check",
    ] {
        assert!(help.contains(part), "`{part}` is not in:\n{help}");
    }
    assert_eq!(answer(&["help", "demo"]), help);
}

#[test]
fn the_options_of_the_simulation_are_listed_with_their_defaults() {
    let help = answer(&["simulate", "auction", "--help"]);
    for part in [
        "Usage: breakwater simulate auction [OPTIONS]",
        "--runs <N>",
        "[default: 2000]",
        "--seed <N>",
        "--volatility <PERCENT>",
        "[default: 5]",
        "--data <FOLDER>",
        "--json",
        "--quiet",
        "--report <PATH>",
    ] {
        assert!(help.contains(part), "`{part}` is not in:\n{help}");
    }
    assert!(answer(&["--help"]).contains("simulate  Simulate agents"));
    assert!(answer(&["simulate", "--help"]).contains("auction  Measure what the auction"));
}

#[test]
fn the_short_help_has_a_line_for_each_option() {
    let help = answer(&["demo", "-h"]);
    let options = help.lines().filter(|line| line.contains("--")).count();
    // Ten of its own, and the two that every command has.
    assert_eq!(options, 12, "{help}");
}
