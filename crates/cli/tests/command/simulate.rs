//! Whole runs of `breakwater simulate auction`, and what it refuses.

use crate::support::{text, Home};
use breakwater_economics::study::{Study, STUDY_SCHEMA};
use std::fs;

const SHORT: [&str; 4] = ["simulate", "auction", "--runs", "500"];

fn short<'a>(more: &[&'a str]) -> Vec<&'a str> {
    SHORT.into_iter().chain(more.iter().copied()).collect()
}

#[test]
fn every_expectation_holds_and_a_seed_gives_the_same_bytes() {
    let home = Home::new();
    let first = home.run(&short(&["--json", "--report", "out/study.html"]));
    assert_eq!(first.status.code(), Some(0), "{}", text(&first.stderr));
    let study: Study = serde_json::from_slice(&first.stdout).expect("only JSON");
    assert_eq!(study.schema, STUDY_SCHEMA);
    assert!(study.passed() && study.checks.len() >= 40);
    // There is no data in the folder, so the built-in crash day stands in.
    let scenarios: Vec<&str> = study
        .comparisons
        .iter()
        .map(|comparison| comparison.scenario.as_str())
        .collect();
    assert_eq!(
        scenarios,
        [
            "random walk, 5 % a day, 1.5 times the money needed",
            "random walk, 5 % a day, 0.9 times the money needed",
            "12 March 2020, built-in candles, 1.5 times the money needed",
        ]
    );
    let stderr = text(&first.stderr).lines().last().unwrap_or_default();
    assert_eq!(stderr, "report: out/study.html");
    let page = fs::read_to_string(home.path().join("out/study.html")).expect("a report");
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("All expectations hold"));

    let second = home.run(&short(&["--json", "--quiet"]));
    assert_eq!(text(&second.stderr), "");
    assert!(first.stdout == second.stdout, "two runs differ");
}

#[test]
fn people_get_tables() {
    let home = Home::new();
    let output = home.run(&short(&["--quiet", "--volatility", "15"]));
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    for part in [
        "All expectations hold",
        "loss, 1 % in 90 s, 6 s blocks",
        "4.51 ± 0.23",
        "Maker's curve, first come",
        "random walk, 15 % a day",
        "Unfilled",
    ] {
        assert!(stdout.contains(part), "`{part}` is not in:\n{stdout}");
    }
    assert_eq!(home.contents(), Vec::<String>::new());
}

#[test]
fn bad_options_are_refused_in_one_line() {
    let home = Home::new();
    for (arguments, words) in [
        (&["--runs", "10"] as &[&str], "whole number from 500"),
        (&["--runs", "many"], "whole number from 500"),
        (&["--seed", "-1"], "whole number from 0"),
        (&["--volatility", "0"], "number from 0.1 to 100"),
        (&["--volatility", "nan"], "number from 0.1 to 100"),
        (&["--data", "nowhere"], "no such file; check the path"),
        (&["--report", "new/"], "not a file name"),
        (&["--positions", "3"], "--positions"),
    ] {
        let mut all = vec!["simulate", "auction"];
        all.extend(arguments);
        let output = home.run(&all);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{arguments:?}: {stderr}");
        assert!(stderr.contains(words), "{arguments:?}: {stderr}");
        assert_eq!(text(&output.stdout), "", "{arguments:?}");
    }
    assert_eq!(home.contents(), Vec::<String>::new());
    let output = home.run(&["simulate"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(text(&output.stderr).lines().count(), 1);
}
