//! Whole runs of `breakwater demo`.

use crate::support::{text, Home};
use breakwater_sim::outcome::{DemoOutcome, OUTCOME_SCHEMA};
use std::{
    fs,
    io::{BufRead, BufReader},
    process::Stdio,
};

/// Two hours that hold the worst ten minutes of the built-in day.
const SHORT: [&str; 7] = [
    "demo",
    "--positions",
    "40",
    "--from",
    "2020-03-12T10:00",
    "--to",
    "2020-03-12T12:00",
];

fn short<'a>(more: &[&'a str]) -> Vec<&'a str> {
    SHORT.into_iter().chain(more.iter().copied()).collect()
}

#[test]
fn the_same_options_give_the_same_bytes_and_conserve() {
    let home = Home::new();
    let first = home.run(&["demo", "--positions", "40", "--json"]);
    assert_eq!(first.status.code(), Some(0), "{}", text(&first.stderr));
    let outcome: DemoOutcome = serde_json::from_slice(&first.stdout).expect("only JSON");
    assert_eq!(outcome.schema, OUTCOME_SCHEMA);
    assert_eq!(outcome.positions.opened, 40);
    assert_eq!(outcome.positions.healthy_but_liquidated, 0);
    assert!(outcome.conservation.holds);
    assert!(outcome.conservation.checks > 0);
    assert!(!outcome.batches.is_empty());
    let stderr = text(&first.stderr).lines().last().unwrap_or_default();
    assert_eq!(stderr, "report: target/demo/report.html");
    let report = home.path().join("target/demo/report.html");
    let page = fs::read(&report).expect("a report");

    let second = home.run(&["demo", "--positions", "40", "--json", "--quiet"]);
    assert_eq!(text(&second.stderr), "");
    assert!(first.stdout == second.stdout, "two runs differ");
    assert!(page == fs::read(&report).expect("a report"));
}

#[test]
fn people_get_a_table_and_the_place_of_the_report() {
    let home = Home::new();
    home.file("crash.html", "an older report");
    let output = home.run(&short(&["--report", "crash.html"]));
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    for part in [
        "Positions     40 opened",
        "Lenders ",
        "Conservation  holds",
        "Report        crash.html",
    ] {
        assert!(stdout.contains(part), "`{part}` is not in:\n{stdout}");
    }
    // One plain line for each stage where there is no terminal.
    assert!(stderr.lines().count() > 1, "{stderr}");
    assert!(!stderr.contains('\u{1b}'), "{stderr}");
    assert_eq!(home.contents(), ["crash.html"]);
    let page = fs::read_to_string(home.path().join("crash.html")).expect("a report");
    assert!(page.starts_with("<!DOCTYPE html>"));
}

#[test]
fn candles_of_a_file_are_run() {
    let home = Home::new();
    let mut candles = "timestamp,open,high,low,close,volume\n".to_owned();
    for (index, price) in [200, 198, 150, 149, 120, 122].into_iter().enumerate() {
        let time = 1_700_000_000 + 600 * index;
        candles.push_str(&format!("{time},{price},{price},{price},{price},1\n"));
    }
    home.file("mine.csv", &candles);
    let output = home.run(&[
        "demo",
        "--prices",
        "mine.csv",
        "--positions",
        "10",
        "--quiet",
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "");
    assert!(text(&output.stdout).contains("mine, 14 Nov 2023: 6 candles"));
}

#[test]
fn a_reader_may_leave_early() {
    let home = Home::new();
    for json in [&["--json", "--quiet"] as &[&str], &["--quiet"]] {
        let mut child = home
            .command(&short(json))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        // Nobody reads from the beginning on.
        drop(child.stdout.take());
        let stderr = child.stderr.take().map(BufReader::new).expect("piped");
        let complaints: Vec<_> = stderr.lines().map_while(Result::ok).collect();
        assert_eq!(complaints, Vec::<String>::new());
        assert_eq!(child.wait().expect("ends").code(), Some(0));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_stdout_is_a_failure_but_not_the_users() {
    let home = Home::new();
    let full = fs::OpenOptions::new().write(true).open("/dev/full");
    let output = home
        .command(&short(&["--quiet"]))
        .stdout(full.expect("opens"))
        .output()
        .expect("starts");
    assert_eq!(output.status.code(), Some(1));
    let stderr = text(&output.stderr);
    assert!(stderr.starts_with("error: cannot write to standard output"));
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
}
