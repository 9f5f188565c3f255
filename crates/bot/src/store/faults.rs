//! What a memory makes of a chain that shows too little, or that it has not looked at for long.

use super::tests::{bid, store, BATCH};
use super::*;
use crate::decide::tests::view;

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
