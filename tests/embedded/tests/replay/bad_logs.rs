//! Logs that are not what a chain has emitted: each fault is named, none goes unseen.

use crate::stories::{rebuilt, story};
use breakwater_chain::ContractEvent;
use breakwater_core::units::{Amount, Shares};
use breakwater_embedded_tests::Scene;
use breakwater_interfaces::auction::{BidPlaced, BidsClaimed};
use breakwater_interfaces::standing::StandingFilled;
use breakwater_interfaces::vault::{
    BatchRested, BatchSettled, Borrowed, PositionSynced, Redeemed, Supplied, Withdrawn,
};
use breakwater_interfaces::vault_admin::AuctionNamed;
use breakwater_sim::replay::log::Entry;
use breakwater_sim::replay::{Impossible, ReplayError, Replayed};
use ink::env::Event;
use scale::{Decode, Encode};

fn numbered(mut entries: Vec<Entry>) -> Vec<Entry> {
    for (number, entry) in (0..).zip(&mut entries) {
        entry.sequence = number;
    }
    entries
}

fn error(entries: &[Entry], s: &Scene) -> ReplayError {
    rebuilt(entries, s).err().expect("is no log of this chain")
}

/// Changes the first event of a type and returns why that cannot be.
fn forged<E: Event + Encode + Decode>(s: &Scene, forge: impl FnOnce(&mut E)) -> Impossible {
    let mut entries = s.w.log();
    let decoded = |event: &ContractEvent| event.decode::<E>()?.ok();
    let (at, mut event) = entries
        .iter()
        .enumerate()
        .find_map(|(at, entry)| Some((at, decoded(&entry.emitted.event)?)))
        .expect("was emitted");
    forge(&mut event);
    entries[at].emitted.event.data = event.encode();
    match error(&entries, s) {
        ReplayError::Impossible { cause, .. } => cause,
        other => panic!("{other}"),
    }
}

/// A gap, another past, time that runs backwards, events of others, of other versions and damaged
/// ones are errors of their own.
#[test]
fn f24_a_log_with_a_fault_is_refused_by_its_name() {
    let s = story();
    let log = s.w.log();
    let middle = log.len() / 2;
    let number = middle as u64;

    let mut gap = log.clone();
    gap.remove(middle);
    let found = number + 1;
    assert_eq!(
        error(&gap, &s),
        ReplayError::Gap {
            expected: number,
            found
        }
    );

    let mut twice = log[..middle].to_vec();
    twice.push(Entry {
        sequence: 3,
        ..log[middle].clone()
    });
    assert_eq!(error(&twice, &s), ReplayError::Conflict(3));

    let mut early = log.clone();
    early[middle].emitted.block = 1;
    assert_eq!(error(&early, &s), ReplayError::Backwards(number));

    let mut foreign = log.clone();
    foreign[middle].emitted.event.contract = s.w.d.oracle;
    assert_eq!(error(&foreign, &s), ReplayError::Foreign(number));

    let mut unknown = log.clone();
    unknown[middle].emitted.event.topics[0] = [7; 32];
    assert_eq!(error(&unknown, &s), ReplayError::Unknown(number));

    let mut damaged = log.clone();
    damaged[middle].emitted.event.data.pop();
    assert!(
        matches!(error(&damaged, &s), ReplayError::Damaged { sequence, .. } if sequence == number)
    );

    // What was refused stays refused.
    let mut books = rebuilt(&log[..middle], &s).expect("amounts to books");
    let refused = books.apply(&damaged[middle..]);
    assert!(refused.is_err());
    assert_eq!(books.apply(&log[middle..]), refused);

    // The log of a later time than the market's.
    let late = numbered(log[2..].to_vec());
    assert!(matches!(
        error(&late, &s),
        ReplayError::Impossible {
            cause: Impossible::NeverMade("market"),
            ..
        }
    ));
}

/// An event that says more than the rules give, or what they would have refused, is impossible.
#[test]
fn f24_an_event_that_the_rules_forbid_is_refused() {
    let s = story();
    let one = Amount::new(1);
    let more = |amount: &mut Amount| *amount = amount.plus(one).unwrap();
    let differs = |cause: Impossible, of: &str| match cause {
        Impossible::Differs { what, .. } => assert_eq!(what, of),
        other => panic!("{other}"),
    };
    differs(
        forged::<Supplied>(&s, |it| it.shares = it.shares.plus(Shares::new(1)).unwrap()),
        "shares",
    );
    differs(forged::<Redeemed>(&s, |it| more(&mut it.amount)), "amount");
    differs(
        forged::<BatchSettled>(&s, |it| more(&mut it.settlement.repaid)),
        "settlement",
    );
    differs(
        forged::<BidsClaimed>(&s, |it| more(&mut it.fill.received)),
        "fill",
    );
    differs(
        forged::<StandingFilled>(&s, |it| more(&mut it.spent)),
        "part of standing bids",
    );
    differs(forged::<BidPlaced>(&s, |it| it.bid += 1), "number");
    differs(
        forged::<AuctionNamed>(&s, |it| it.auction = s.w.d.oracle),
        "auction",
    );
    let refused = |cause: Impossible, with: &str| match cause {
        Impossible::Refused(by) => assert_eq!(by, with),
        other => panic!("{other}"),
    };
    let double = |amount: Amount| Amount::new(amount.get() * 2);
    refused(
        forged::<Borrowed>(&s, |it| it.amount = double(it.amount)),
        "ExceedsInitialLtv",
    );
    refused(
        forged::<Withdrawn>(&s, |it| it.amount = double(it.amount)),
        "InsufficientCollateral",
    );
    refused(
        forged::<BidPlaced>(&s, |it| it.budget = Amount::new(u128::MAX >> 1)),
        "InsufficientBalance",
    );
}

/// No event is there for nothing: without any one of them what follows is impossible, or amounts to
/// other books for a while at least.
#[test]
fn f24_every_event_is_needed() {
    let s = story();
    let log = s.w.log();
    let told = |books: &Replayed| {
        let mut told = books.summary().expect("sums up");
        (told.events, told.block, told.timestamp) = (0, 0, 0);
        told
    };
    let mut books = Replayed::new(s.w.contracts());
    let mut whole = Vec::new();
    for entry in &log {
        books.apply([entry]).expect("amounts to books");
        whole.push(told(&books));
    }
    for without in 0..log.len() {
        let left_out = &log[without].emitted.event;
        // A name that the log has anyway, and calls that may have found nothing to do.
        let idle = left_out.decode::<AuctionNamed>().is_some()
            || left_out.decode::<PositionSynced>().is_some()
            || left_out.decode::<BatchRested>().is_some();
        if idle {
            continue;
        }
        let mut rest = log.clone();
        rest.remove(without);
        let rest = numbered(rest);
        let mut books = rebuilt(&rest[..without], &s).expect("amounts to books");
        let last = without + 1 == log.len() && told(&books) != whole[without];
        let shows = last
            || rest
                .iter()
                .zip(&whole[1..])
                .skip(without)
                .any(|(next, whole)| books.apply([next]).is_err() || told(&books) != *whole);
        assert!(shows, "event {without} is never missed");
    }
}
