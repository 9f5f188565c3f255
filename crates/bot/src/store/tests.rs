//! The memory alone.

use super::*;
use crate::action::BidAction;
use breakwater_interfaces::auction::BatchKey;

pub(super) const BATCH: BatchKey = BatchKey {
    market: 0,
    number: 7,
};

pub(super) fn store() -> Store {
    Store::prepare(Connection::open_in_memory().unwrap(), None, "one").unwrap()
}

pub(super) fn bid(slot: &str) -> Action {
    Action::Bid(BidAction {
        batch: BATCH,
        slot: slot.to_owned(),
        budget: Amount::new(10),
        limit: Price::new(3),
        valid_until: 9,
        profit: None,
    })
}

/// Whether the place of a bid in the batch counts as taken.
pub(super) fn takes_place(store: &Store, slot: &str) -> bool {
    let place = (BATCH.number, slot.to_owned());
    store.memory(0).unwrap().taken.contains(&place)
}

#[test]
fn a_bid_is_written_once_until_it_is_known_to_be_lost() {
    let mut store = store();
    let first = store.begin(&bid("rung0"), 1, 0).unwrap().unwrap();
    assert_eq!(store.begin(&bid("rung0"), 2, 0).unwrap(), None);
    assert!(store.begin(&bid("rung1"), 2, 0).unwrap().is_some());
    store.finish(first, Outcome::Done, Some(4), "").unwrap();
    assert_eq!(store.begin(&bid("rung0"), 3, 0).unwrap(), None);
    store.finish(first, Outcome::Lost, None, "").unwrap();
    assert!(store.begin(&bid("rung0"), 4, 0).unwrap().is_some());
}

#[test]
fn a_day_counts_what_was_spent_once_that_is_known_and_budgets_before() {
    let mut store = store();
    let id = store.begin(&bid("a"), 1, DAY).unwrap().unwrap();
    store.begin(&bid("b"), 1, DAY).unwrap();
    store.finish(id, Outcome::Done, Some(4), "").unwrap();
    assert_eq!(store.memory(DAY).unwrap().spent_today, Amount::new(20));
    let fill = breakwater_core::auction::Fill {
        spent: Amount::new(3),
        ..Default::default()
    };
    let claim = Action::Claim {
        batch: BATCH,
        bids: vec![(4, fill)],
    };
    store.begin(&claim, 2, DAY).unwrap();
    assert_eq!(store.memory(DAY).unwrap().spent_today, Amount::new(13));
    assert_eq!(store.memory(2 * DAY).unwrap().spent_today, Amount::ZERO);
}

#[test]
fn a_bid_refused_three_times_is_given_up() {
    let mut store = store();
    for attempt in 0..3 {
        assert!(store.memory(0).unwrap().taken.is_empty(), "{attempt}");
        let id = store.begin(&bid("a"), 1, 0).unwrap().unwrap();
        store.finish(id, Outcome::Failed, None, "").unwrap();
    }
    assert!(takes_place(&store, "a"));
}

#[test]
fn money_sent_to_a_tier_counts_for_its_day_and_is_not_sent_again_while_it_may_arrive() {
    let mut store = store();
    let stand = |percent| Action::Stand {
        percent,
        amount: Amount::new(10),
    };
    let first = store.begin(&stand(5), 1, DAY).unwrap().unwrap();
    assert_eq!(store.begin(&stand(5), 2, DAY).unwrap(), None);
    let other = store.begin(&stand(6), 2, DAY).unwrap().unwrap();
    assert_eq!(store.stood_today(DAY).unwrap(), Amount::new(20));
    store.finish(first, Outcome::Done, None, "").unwrap();
    store.finish(other, Outcome::Failed, None, "").unwrap();
    assert_eq!(store.stood_today(DAY).unwrap(), Amount::new(10));
    assert_eq!(store.stood_today(2 * DAY).unwrap(), Amount::ZERO);
    assert!(store.begin(&stand(5), 3, DAY).unwrap().is_some());
}

#[test]
fn the_memory_of_another_bot_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bot.sqlite");
    drop(Store::open(&path, "one").unwrap());
    assert!(matches!(
        Store::open(&path, "two"),
        Err(StoreError::Foreign(_))
    ));
    assert!(Store::open(&path, "one").is_ok());
}

#[test]
fn a_memory_is_for_one_bot_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bot.sqlite");
    let first = Store::open(&path, "one").unwrap();
    let second = Store::open(&path, "one").unwrap_err();
    assert!(matches!(&second, StoreError::InUse(_)), "{second}");
    drop(first);
    assert!(Store::open(&path, "one").is_ok());
}
