//! Several feeders of one market: they agree, or differ for ever, or the market jumps.

mod harness;

use breakwater_core::oracle::FeedConfig;
use breakwater_embedded_tests::{price as at, World};
use harness::{price, step, Running};

/// Submissions in so many blocks by bots with sources of these prices.
fn submissions(w: &mut World, sources: &[&str], blocks: u32) -> usize {
    let feeder = "[feeder]\nmin_move = \"0.002\"\nheartbeat_seconds = 60\nmax_jump = \"0.5\"\n";
    let feeders = w.feeders.clone();
    let mut bots: Vec<_> = feeders
        .iter()
        .zip(sources)
        .map(|(account, source)| Running::new(w, *account, &format!("{}{feeder}", price(source))))
        .collect();
    let mut sent = 0;
    for _ in 0..blocks {
        let reports = step(w, &mut bots);
        sent += reports
            .iter()
            .map(|report| report.done.len())
            .sum::<usize>();
    }
    sent
}

/// Sources that differ for ever submit at their heartbeats, ten blocks of six seconds apart, with one
/// more vote at most for each that another's brings about.
#[test]
fn feeders_whose_sources_differ_do_not_submit_in_every_block() {
    let mut w = World::with_feed(FeedConfig::standard(2, 600_000, 1, 1_800_000));
    w.checked = false;
    let sent = submissions(&mut w, &["199", "200", "201"], 41);
    assert!((12..=24).contains(&sent), "{sent} in 41 blocks");
}

/// A price outside the band needs two rounds of the same feeders, who have said all there is to say.
#[test]
fn feeders_confirm_a_real_jump_at_once() {
    let mut w = World::with_feed(FeedConfig::standard(2, 600_000, 1, 1_800_000));
    w.checked = false;
    let sent = submissions(&mut w, &["150", "150.1", "150.2"], 4);
    assert!(w.reading().spot() <= at(151), "{:?}", w.reading());
    assert!(sent <= 8, "{sent}");
}
