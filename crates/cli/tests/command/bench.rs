//! `breakwater bench`: what it prints, and the block it keeps in a document.

use crate::support::{text, Home};
use std::fs;

const SIZES: [&str; 5] = ["bench", "gas", "--quiet", "--only", "sizes"];

/// Runs the smallest of the measurements; returns exit code, stdout and stderr.
fn run(home: &Home, more: &[&str]) -> (Option<i32>, String, String) {
    let output = home.run(&[&SIZES, more].concat());
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    (output.status.code(), out.to_owned(), err.to_owned())
}

#[test]
fn tables_are_printed_for_terminals_documents_and_machines() {
    let home = Home::new();
    let (code, terminal, _) = run(&home, &[]);
    assert_eq!(code, Some(0));
    assert!(terminal.contains("│ `margin_vault`"), "{terminal}");
    assert!(!terminal.contains("occupied ticks"), "{terminal}");
    let (_, markdown, _) = run(&home, &["--markdown"]);
    assert!(markdown.contains("| `margin_vault`"), "{markdown}");
    let (_, json, _) = run(&home, &["--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).expect("is JSON");
    assert_eq!(json["sizes"][0]["contract"], "margin_vault");
    assert_eq!(json["ticks"], serde_json::json!([]));
}

#[test]
fn a_block_of_a_document_is_written_and_checked() {
    let home = Home::new();
    let empty = "before\n<!-- begin: breakwater bench gas --only sizes -->\n<!-- end -->\nafter\n";
    let file = home.file("costs.md", empty);
    let (code, out, err) = run(&home, &["--check", "costs.md"]);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(err.contains("--only sizes --write costs.md"), "{err}");
    assert_eq!(fs::read_to_string(&file).expect("is there"), empty);

    assert_eq!(run(&home, &["--write", "costs.md"]).0, Some(0));
    let written = fs::read_to_string(&file).expect("is there");
    assert!(written.contains("| `margin_vault`"), "{written}");
    assert!(written.starts_with("before\n") && written.ends_with("\nafter\n"));
    assert_eq!(run(&home, &["--check", "costs.md"]).0, Some(0));
}

#[test]
fn mistakes_are_told_in_one_line() {
    let home = Home::new();
    home.file("no-block.md", "nothing here\n");
    for (arguments, words) in [
        (["--check", "missing.md"], "cannot read `missing.md`"),
        (["--write", "no-block.md"], "has no block from"),
        (["--only", "sices"], "choose from messages, positions"),
        (["--quick", "--most-positions=10"], "cannot be used with"),
    ] {
        let (code, out, err) = run(&home, &arguments);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(err.contains(words), "{arguments:?}: {err}");
        assert_eq!(err.lines().count(), 1, "{arguments:?}: {err}");
    }
}
