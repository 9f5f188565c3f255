//! What a report must show, hide and survive.

use super::*;
use breakwater_sim::outcome::{BidOutcome, Conservation, Violation};

/// The parts of the page between `start` and the next `end`.
fn between<'a>(page: &'a str, start: &str, end: &str) -> Vec<&'a str> {
    page.split(start)
        .skip(1)
        .filter_map(|rest| rest.split_once(end))
        .map(|(part, _)| part)
        .collect()
}

#[test]
fn the_same_outcome_gives_the_same_bytes() {
    assert_eq!(render(&sample::outcome()), render(&sample::outcome()));
    let json = serde_json::to_string(&sample::outcome()).expect("plain data");
    let read: DemoOutcome = serde_json::from_str(&json).expect("its own form");
    assert_eq!(render(&read), render(&sample::outcome()));
}

#[test]
fn the_page_stands_alone() {
    let page = render(&sample::outcome());
    assert!(!page.contains("http"), "no address of any kind");
    assert!(!page.contains("<script") && !page.contains("<link") && !page.contains("<img"));
    assert!(!page.contains("@import") && !page.contains("url("));
    for link in between(&page, "href=\"", "\"") {
        assert!(link.starts_with('#'), "{link}");
    }
}

#[test]
fn every_chart_has_words_and_every_id_is_used_once() {
    let page = render(&sample::outcome());
    let charts = page.matches("role=\"img\"").count();
    assert!(charts >= 6);
    assert_eq!(page.matches("<title id=").count(), charts);
    assert_eq!(page.matches("<desc id=").count(), charts);
    let mut ids = between(&page, " id=\"", "\"");
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all);
    for labels in between(&page, "aria-labelledby=\"", "\"") {
        assert!(
            labels.split(' ').all(|label| ids.contains(&label)),
            "{labels}"
        );
    }
    assert!(!page.contains("could not be drawn"));
}

#[test]
fn the_headline_says_what_happened() {
    let page = render(&sample::outcome()).replace(format::THIN, " ");
    let headline = between(&page, "<h1>", "</h1>")[0];
    assert!(headline.starts_with("ETH fell 48."), "{headline}");
    assert!(headline.contains("in a day; 8 batches sold"), "{headline}");
    assert!(headline.contains("lenders lost"), "{headline}");
    assert!(page.contains("Every token is accounted for."));
}

#[test]
fn names_and_symbols_are_escaped_everywhere() {
    const EVIL: &str = "<script>\"'&</svg>";
    let mut outcome = sample::outcome();
    outcome.source.name = EVIL.to_owned();
    outcome.market.collateral_symbol = EVIL.to_owned();
    outcome.market.quote_symbol = EVIL.to_owned();
    outcome.conservation.rules[0].rule = EVIL.to_owned();
    outcome.conservation.balances[0].holder = EVIL.to_owned();
    outcome.conservation.violations = vec![Violation {
        block: 1,
        rule: EVIL.to_owned(),
        detail: EVIL.to_owned(),
    }];
    outcome.costs.messages[0].message = EVIL.to_owned();
    if let Some(baseline) = &mut outcome.costs.baseline {
        baseline.name = EVIL.to_owned();
    }
    for batch in &mut outcome.batches {
        for bid in &mut batch.bids {
            bid.bidder = EVIL.to_owned();
        }
    }
    let page = render(&outcome);
    assert!(!page.contains("<script"));
    assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
    assert!(page.contains("&lt;script&gt;"));
}

#[test]
fn broken_books_are_said_first() {
    let mut outcome = sample::outcome();
    outcome.conservation = Conservation {
        checks: 10,
        violations: vec![Violation {
            block: 12_345,
            rule: "The vault holds what it owes".to_owned(),
            detail: "held 1, owed 2".to_owned(),
        }],
        ..Conservation::default()
    };
    let page = render(&outcome);
    assert!(page.contains("The books do not balance."));
    assert!(page.contains("held 1, owed 2"));
    // A verdict that contradicts the list of violations is not believed.
    outcome.conservation.holds = true;
    assert!(render(&outcome).contains("The books do not balance."));
    outcome.conservation = Conservation {
        holds: true,
        ..Conservation::default()
    };
    assert!(render(&outcome).contains("The books were not checked."));
}

#[test]
fn a_run_without_batches_is_a_page() {
    let mut outcome = sample::outcome();
    outcome.batches.clear();
    outcome.totals = Default::default();
    let page = render(&outcome);
    assert!(page.contains("nothing had to be liquidated"));
    assert!(!page.contains("Who got what") && !page.contains("Other batches"));
}

#[test]
fn a_batch_without_a_sale_is_a_section() {
    let mut outcome = sample::outcome();
    outcome.batches.retain(|batch| batch.clearing.is_none());
    assert_eq!(outcome.batches.len(), 1);
    outcome.totals = breakwater_sim::outcome::Totals::of(&outcome.batches);
    let page = render(&outcome);
    assert!(page.contains("found no buyer"));
    assert!(page.contains("It closed without a sale"));
    assert!(page.contains("Nobody bid."));
    assert!(page.contains("no sale"));
}

#[test]
fn empty_and_extreme_outcomes_are_pages() {
    let empty = render(&DemoOutcome::default());
    assert!(empty.ends_with("</html>") && !empty.contains("could not be drawn"));

    let mut outcome = sample::outcome();
    outcome.market.collateral_decimals = u8::MAX;
    outcome.market.quote_decimals = 0;
    outcome.source.to = u64::MAX;
    outcome.prices[3].price = u128::MAX;
    outcome.prices[4].time = u64::MAX;
    outcome.prices[5].price = 0;
    let batch = &mut outcome.batches[0];
    batch.ladder.truncate(1);
    batch.steps_reached = u32::MAX;
    batch.collateral_offered = u128::MAX;
    batch.ladder[0].target = u128::MAX;
    batch.oracle_during.clear();
    batch.bids.push(BidOutcome {
        spent: u128::MAX,
        received: 1,
        ..BidOutcome::default()
    });
    outcome.batches[1].ladder.clear();
    outcome.batches[1].cost.open.ref_time = u64::MAX;
    outcome.totals = breakwater_sim::outcome::Totals::of(&outcome.batches);
    let page = render(&outcome);
    assert!(page.ends_with("</html>") && !page.contains("NaN") && !page.contains("inf,"));
}

#[test]
fn many_bids_are_summed_up() {
    let mut outcome = sample::outcome();
    let bid = outcome.batches[3].bids[0].clone();
    outcome.batches[3].bids = vec![bid; 100];
    let page = render(&outcome).replace(format::THIN, " ");
    assert!(page.contains("60 more bids"));
}

#[test]
fn writing_makes_folders_and_replaces_whole_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a/b/report.html");
    write(&path, &DemoOutcome::default()).expect("a report");
    write(&path, &sample::outcome()).expect("another report");
    assert_eq!(
        fs::read_to_string(&path).expect("the report"),
        render(&sample::outcome())
    );
    let beside = fs::read_dir(folder.path().join("a/b"))
        .expect("the folder")
        .count();
    assert_eq!(beside, 1, "no temporary file is left");
}

#[cfg(unix)]
#[test]
fn a_report_is_as_readable_as_other_files() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let (report, other) = (
        folder.path().join("report.html"),
        folder.path().join("other"),
    );
    write_text(&report, "text").expect("a report");
    fs::write(&other, "text").expect("a file");
    let mode = |path: &Path| fs::metadata(path).expect("a file").permissions().mode();
    assert_eq!(mode(&report), mode(&other));
}

#[test]
fn what_cannot_be_written_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    fs::write(&file, "before").expect("a file");
    let below = file.join("report.html");
    assert!(matches!(
        write_text(&below, "after"),
        Err(ReportError::Folder { .. })
    ));
    assert!(matches!(
        write_text(folder.path(), "after"),
        Err(ReportError::NotAFile { .. })
    ));
    assert!(matches!(
        write_text("", "after"),
        Err(ReportError::NotAFile { .. })
    ));
    let long = folder.path().join("x".repeat(400));
    let error = write_text(&long, "after").expect_err("too long a name");
    assert!(matches!(error, ReportError::Write { .. }));
    assert!(!error.to_string().contains('\n'));
    assert_eq!(fs::read_to_string(&file).expect("the file"), "before");
    assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 1);
}

/// Not a check but a tool: `REPORT_SAMPLE=report.html cargo test -p breakwater-cli -- --ignored`
/// writes the made-up run for looking at.
#[test]
#[ignore = "writes a file for people to look at"]
fn sample_page() {
    let path = std::env::var_os("REPORT_SAMPLE").expect("REPORT_SAMPLE names the file to write");
    write(Path::new(&path), &sample::outcome()).expect("a report");
}
