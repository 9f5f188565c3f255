//! What a memory makes of a chain that shows too little, or that it has not looked at for long.

use super::tests::{bid, store, takes_place, BATCH};
use super::*;
use crate::decide::tests::view;
use crate::view::OwnBid;
use breakwater_interfaces::auction::Bid;

#[test]
fn the_batches_of_bids_that_may_be_on_the_chain_are_remembered() {
    let mut store = store();
    let id = store.begin(&bid("a"), 1, 0).unwrap().unwrap();
    assert_eq!(store.bid_in().unwrap(), BTreeSet::from([7]));
    store.finish(id, Outcome::Done, Some(4), "").unwrap();
    assert_eq!(store.bid_in().unwrap(), BTreeSet::from([7]));
    store.cancelled(7, 4).unwrap();
    assert_eq!(store.bid_in().unwrap(), BTreeSet::new());
}

/// A batch that is not in the view, as when the oracle did not answer, says nothing of its bids.
#[test]
fn a_bid_counts_as_taken_back_only_where_its_batch_shows_that() {
    let mut store = store();
    let id = store.begin(&bid("a"), 100, 0).unwrap().unwrap();
    store.finish(id, Outcome::Done, Some(4), "").unwrap();
    let cancel = Action::Cancel {
        batch: BATCH,
        bid: 4,
    };
    store.begin(&cancel, 100, 0).unwrap().unwrap();
    let mut seen = view(100);
    seen.batches.clear();
    store.reconcile(&seen).unwrap();
    let taken = |store: &Store| !store.memory(0).unwrap().taken.is_empty();
    assert!(taken(&store), "its place would be bid again");
    seen = view(101);
    seen.batches[0].key = BATCH;
    store.reconcile(&seen).unwrap();
    assert!(!taken(&store), "its batch does not have it");
}

/// The view at a block with the batch of these tests, and own bids in it.
fn seen(block: Block, bids: &[(BidId, u128)]) -> View {
    let mut seen = view(100);
    seen.block = block;
    seen.batches[0].key = BATCH;
    seen.batches[0].bids = bids.iter().map(|(id, budget)| own(*id, *budget)).collect();
    seen
}

fn own(id: BidId, budget: u128) -> OwnBid {
    let placed = Bid {
        bidder: [1; 32].into(),
        budget: Amount::new(budget),
        limit: Price::new(3),
        step: 1,
    };
    (id, placed, None)
}

fn states(store: &Store) -> Vec<String> {
    let bids = store.bids().unwrap();
    bids.into_iter().map(|(.., state)| state).collect()
}

/// An oracle that does not answer, or a chain that has not come so far again, hides the batch.
#[test]
fn a_bid_counts_as_lost_only_where_its_batch_shows_that() {
    let mut store = store();
    store.begin(&bid("a"), 1, 0).unwrap().unwrap();
    let mut hidden = seen(10, &[]);
    hidden.batches.clear();
    store.reconcile(&hidden).unwrap();
    assert_eq!(states(&store), ["pending"], "valid until block 9");
    store.reconcile(&seen(11, &[])).unwrap();
    assert_eq!(states(&store), ["lost"]);
}

/// The money of a batch that never comes back is free again some day; if it does come back, the bid
/// that is in it counts, and its place is not bid again.
#[test]
fn a_bid_of_a_batch_that_stays_away_is_given_up_and_counts_again_when_it_shows() {
    let mut store = store();
    store.begin(&bid("a"), 1, 0).unwrap().unwrap();
    let mut hidden = seen(1 + MONEY_PATIENCE, &[]);
    hidden.batches.clear();
    store.reconcile(&hidden).unwrap();
    assert_eq!(states(&store), ["pending"]);
    hidden.block += 1;
    store.reconcile(&hidden).unwrap();
    assert_eq!(states(&store), ["lost"]);
    store.reconcile(&seen(140, &[(4, 10)])).unwrap();
    assert_eq!(states(&store), ["done"]);
    assert!(takes_place(&store, "a"));
}

/// Another best chain without the bid: while the bid may still join there it is waited for, and
/// afterwards its place is free.
#[test]
fn a_bid_that_a_reorganisation_takes_back_is_bid_again_once_it_cannot_come_any_more() {
    let mut store = store();
    let id = store.begin(&bid("a"), 1, 0).unwrap().unwrap();
    store.finish(id, Outcome::Done, Some(4), "").unwrap();
    assert!(store.reconcile(&seen(5, &[(4, 10)])).unwrap().is_empty());
    assert_eq!(states(&store), ["done"]);
    // Another bid of the account has its number there.
    let gone = store.reconcile(&seen(6, &[(4, 11)])).unwrap();
    assert_eq!(
        (states(&store), gone),
        (vec!["pending".to_owned()], [7].into())
    );
    // It is included again, under another number.
    store.reconcile(&seen(7, &[(4, 11), (5, 10)])).unwrap();
    assert_eq!(states(&store), ["done"]);
    assert_eq!(store.known_bids(7).unwrap(), [5].into());
    store.reconcile(&seen(8, &[])).unwrap();
    store.reconcile(&seen(9, &[])).unwrap();
    assert_eq!(states(&store), ["pending"]);
    assert_eq!(store.begin(&bid("a"), 9, 0).unwrap(), None);
    store.reconcile(&seen(10, &[])).unwrap();
    assert_eq!(states(&store), ["lost"]);
    assert!(store.begin(&bid("a"), 10, 0).unwrap().is_some());
}

#[test]
fn a_bid_whose_cancellation_a_reorganisation_takes_back_counts_again() {
    let mut store = store();
    let id = store.begin(&bid("a"), 1, 0).unwrap().unwrap();
    store.finish(id, Outcome::Done, Some(4), "").unwrap();
    store.cancelled(7, 4).unwrap();
    store.reconcile(&seen(5, &[(4, 10)])).unwrap();
    assert_eq!(states(&store), ["done"]);
}

/// A settlement undone is to be done again, also where the bot has no bid.
#[test]
fn a_batch_that_was_seen_unfinished_is_looked_at_for_some_time_after_its_end() {
    let mut store = store();
    let finished = |block| {
        let mut seen = seen(block, &[]);
        let batch = &mut seen.batches[0];
        batch.record.auction.phase = Phase::Settled(batch.status.clearing);
        batch.rested = true;
        assert!(batch.is_finished());
        seen
    };
    store.reconcile(&seen(10, &[])).unwrap();
    store.reconcile(&finished(11)).unwrap();
    store.reconcile(&finished(11 + REVIEW - 1)).unwrap();
    assert_eq!(store.finished().unwrap(), BTreeSet::new());
    // Undone and done again: the time begins anew.
    store.reconcile(&seen(43, &[])).unwrap();
    store.reconcile(&finished(44)).unwrap();
    store.reconcile(&finished(44 + REVIEW - 1)).unwrap();
    assert_eq!(store.finished().unwrap(), BTreeSet::new());
    store.reconcile(&finished(44 + REVIEW)).unwrap();
    assert_eq!(store.finished().unwrap(), BTreeSet::from([7]));
}

/// A bot without a memory does not look at hundreds of old batches for long.
#[test]
fn a_batch_that_was_over_before_anybody_looked_is_done_with_at_once() {
    let mut store = store();
    let mut seen = seen(10, &[]);
    let batch = &mut seen.batches[0];
    batch.record.auction.phase = Phase::Settled(batch.status.clearing);
    batch.rested = true;
    store.reconcile(&seen).unwrap();
    assert_eq!(store.finished().unwrap(), BTreeSet::from([7]));
}
