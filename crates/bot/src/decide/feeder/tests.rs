//! Feeders that agree, differ, are late, and wait for each other.

use super::*;
use crate::config::Config;
use crate::decide::tests::view as empty_view;
use breakwater_core::oracle::{FeedConfig, Quarantine, Submission};
use breakwater_core::units::PRICE_ONE;

/// The clock of the views, milliseconds; the last round was accepted ten seconds ago in block 90.
const NOW: Millis = 1_000_000;
const ACCEPTED: Millis = NOW - 10_000;

fn at(tenths: u128) -> Price {
    Price::new(tenths * PRICE_ONE / 10)
}

fn account(number: u8) -> AccountId {
    [number; 32].into()
}

/// Three of five make a round; one was made at 200, of everybody's submissions.
fn view() -> View {
    let mut feed = Feed::new(FeedConfig::standard(3, 600_000, 1, 1_800_000)).unwrap();
    for number in 0..5 {
        feed.add_feeder(account(number)).unwrap();
        let seen = Submission {
            price: at(2_000),
            at: ACCEPTED - 1,
        };
        feed.submit(&account(number), seen, ACCEPTED, 90).unwrap();
    }
    // Those that came after the third.
    for feeder in &mut feed.feeders {
        feeder.counted = true;
    }
    let mut view = empty_view(100);
    view.feed = Some(feed);
    view
}

fn submitted(view: &mut View, number: u8, price: Price, seen: Millis, counted: bool) {
    let feed = view.feed.as_mut().unwrap();
    let feeder = &mut feed.feeders[usize::from(number)];
    feeder.last = Some(Submission { price, at: seen });
    feeder.counted = counted;
}

/// Whether the feeder 0 submits a price.
fn submits(view: &View, price: Price) -> bool {
    let config = Config::parse(include_str!("../../../../../examples/bot.toml")).unwrap();
    let seen = Observation { price, at: None };
    let decision = decide(&config.feeder.unwrap(), view, account(0), &seen, None);
    !decision.actions.is_empty()
}

/// Its votes are counted again and again, and the median is another: it says nothing new.
#[test]
fn a_source_that_always_differs_from_the_median_is_not_submitted_in_every_block() {
    let mut view = view();
    submitted(&mut view, 0, at(2_010), ACCEPTED - 1, true);
    assert!(!submits(&view, at(2_010)));
    assert!(!submits(&view, at(2_013)), "moved too little");
    assert!(submits(&view, at(2_016)), "moved");
    assert!(submits(&view, at(2_000)), "moved to the accepted price");
    // The heartbeat.
    view.now = ACCEPTED - 1 + 300_000;
    assert!(submits(&view, at(2_010)));
}

/// It saw the move first, and the round that it made was still of the old price.
#[test]
fn who_was_first_votes_again_when_others_follow() {
    let mut view = view();
    submitted(&mut view, 0, at(1_900), ACCEPTED - 1, true);
    assert!(!submits(&view, at(1_900)), "nobody follows");
    submitted(&mut view, 1, at(1_905), ACCEPTED + 1, false);
    assert!(submits(&view, at(1_900)));
    // On the other side of the accepted price, or beside it: nobody follows.
    for other in [2_050, 1_999] {
        submitted(&mut view, 1, at(other), ACCEPTED + 1, false);
        assert!(!submits(&view, at(1_900)), "{other}");
    }
    // Its own vote waits already.
    submitted(&mut view, 1, at(1_905), ACCEPTED + 1, false);
    submitted(&mut view, 0, at(1_900), ACCEPTED + 1, false);
    assert!(!submits(&view, at(1_900)));
}

/// A round was made between the look at the price and the block that has it.
#[test]
fn a_submission_that_came_too_late_for_any_round_is_repeated() {
    let mut view = view();
    submitted(&mut view, 0, at(1_900), ACCEPTED, false);
    assert!(submits(&view, at(1_900)));
    submitted(&mut view, 0, at(2_001), ACCEPTED, false);
    assert!(!submits(&view, at(2_001)), "the accepted price is right");
}

/// What is in quarantine needs a second round of the same feeders.
#[test]
fn a_quarantined_price_is_voted_on_again_once() {
    let mut view = view();
    submitted(&mut view, 0, at(1_600), ACCEPTED + 1_000, true);
    view.feed.as_mut().unwrap().quarantine = Some(Quarantine {
        price: at(1_600),
        block: 99,
        at: ACCEPTED + 6_000,
    });
    // Far from the accepted price, as it has to be here.
    view.prices.as_mut().unwrap().spot = at(1_900);
    assert!(submits(&view, at(1_600)));
    submitted(&mut view, 0, at(1_600), NOW - 1, false);
    assert!(!submits(&view, at(1_600)));
}

/// Three votes came in the block of the last round: the next submission completes the next one.
#[test]
fn a_round_that_enough_wait_for_is_completed() {
    let mut view = view();
    for number in 0..3 {
        submitted(&mut view, number, at(1_900), ACCEPTED + 1, false);
    }
    assert!(submits(&view, at(1_900)));
    view.feed.as_mut().unwrap().config.min_gap = 20;
    assert!(!submits(&view, at(1_900)), "too soon: it would wait, too");
}

#[test]
fn without_a_round_one_vote_is_enough() {
    let mut view = view();
    let feed = view.feed.as_mut().unwrap();
    feed.quote = None;
    for feeder in &mut feed.feeders {
        feeder.last = None;
    }
    view.prices = None;
    assert!(submits(&view, at(2_000)));
    submitted(&mut view, 0, at(2_000), NOW - 1, false);
    assert!(!submits(&view, at(2_000)));
}
