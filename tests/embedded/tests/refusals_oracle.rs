//! Promise 9: every message of the oracle adapter refuses bad input with its own error, and
//! changes nothing then.

use breakwater_chain::{Chain, Receipt};
use breakwater_core::market::example_params;
use breakwater_core::oracle::{
    FeedConfig, OracleError, SourceConfig, FEED_NOTICE, HIGHEST_PRICE, MAX_FEEDERS,
};
use breakwater_core::timelock::{TimelockError, PROPOSAL_LIFE};
use breakwater_core::units::Price;
use breakwater_embedded_tests::{price, refused, World};
use breakwater_interfaces::oracle::{FeedChanged, FeederChanged, OracleAdapter};
use futures::executor::block_on;
use ink::codegen::TraitCallBuilder;

const VALID: FeedConfig = FeedConfig::standard(1, 60_000, 1, 60_000);

#[test]
fn feeds_and_feeders_are_the_governors_alone() {
    let mut w = World::new();
    let (governor, feeder, keeper) = (w.governor(), w.feeders[0], w.account(40));
    refused! { w, oracle,
        keeper => register_feed(1, VALID), OracleError::Unauthorised;
        keeper => add_feeder(0, keeper), OracleError::Unauthorised;
        feeder => add_feeder(0, keeper), OracleError::Unauthorised;
        keeper => remove_feeder(0, feeder), OracleError::Unauthorised;
        feeder => remove_feeder(0, feeder), OracleError::Unauthorised;
        governor => register_feed(0, VALID), OracleError::FeedExists;
        governor => register_feed(1, FeedConfig { min_feeders: 0, ..VALID }), OracleError::InvalidConfig;
        governor => register_feed(1, FeedConfig { min_feeders: 17, ..VALID }), OracleError::InvalidConfig;
        governor => register_feed(1, FeedConfig { heartbeat: 0, ..VALID }), OracleError::InvalidConfig;
        governor => register_feed(1, FeedConfig { min_gap: 0, ..VALID }), OracleError::InvalidConfig;
        governor => register_feed(1, FeedConfig { twap_window: 0, ..VALID }), OracleError::InvalidConfig;
        governor => add_feeder(1, keeper), OracleError::UnknownFeed;
        governor => remove_feeder(1, feeder), OracleError::UnknownFeed;
        governor => add_feeder(0, feeder), OracleError::CannotAddFeeder;
        governor => remove_feeder(0, keeper), OracleError::NotAFeeder;
    }
    // Three feeders are there; sixteen is the most.
    for index in 3..MAX_FEEDERS as u32 {
        let another = w.account(200 + index);
        let add = w.d.oracle().call_mut().add_feeder(0, another);
        w.send(governor, w.d.oracle, add).expect("there is room");
    }
    refused! { w, oracle, governor => add_feeder(0, keeper), OracleError::CannotAddFeeder; }
}

#[test]
fn submissions_are_refused_by_the_rule_they_break() {
    let mut w = World::new();
    let (feeder, keeper) = (w.feeders[0], w.account(40));
    let heartbeat = 600_000;
    let last = w.reading().round.at;
    w.chain.set_block_time(2 * heartbeat);
    w.advance(1);
    let now = block_on(w.chain.now()).unwrap();
    let too_high = Price::new(HIGHEST_PRICE.get() + 1);
    refused! { w, oracle,
        keeper => submit(0, price(200), now), OracleError::NotAFeeder;
        feeder => submit(1, price(200), now), OracleError::UnknownFeed;
        feeder => submit(0, Price::ZERO, now), OracleError::InvalidPrice;
        feeder => submit(0, too_high, now), OracleError::InvalidPrice;
        feeder => submit(0, price(200), now + 1), OracleError::FromTheFuture;
        feeder => submit(0, price(200), now - heartbeat - 1), OracleError::TooOld;
        feeder => submit(0, price(200), last), OracleError::Replayed;
        feeder => submit(0, price(200), 0), OracleError::Replayed;
    }
    let submit =
        w.d.oracle()
            .call_mut()
            .submit(0, price(200), now - heartbeat);
    let accepted = w
        .send(feeder, w.d.oracle, submit)
        .expect("just recent enough")
        .value;
    assert_eq!(accepted, None, "one of two");
    refused! { w, oracle,
        feeder => submit(0, price(201), now - heartbeat), OracleError::Replayed;
    }
}

#[test]
fn who_is_no_longer_a_feeder_neither_submits_nor_counts() {
    let mut w = World::new();
    let governor = w.governor();
    let (gone, staying) = (w.feeders[0], w.feeders[1]);
    w.advance(1);
    let now = block_on(w.chain.now()).unwrap();
    let submit = |w: &World, whole| w.d.oracle().call_mut().submit(0, price(whole), now);
    w.send(gone, w.d.oracle, submit(&w, 1)).expect("submits");
    let remove = w.d.oracle().call_mut().remove_feeder(0, gone);
    w.send(governor, w.d.oracle, remove).expect("removes");
    refused! { w, oracle, gone => submit(0, price(1), now), OracleError::NotAFeeder; }
    let accepted = w
        .send(staying, w.d.oracle, submit(&w, 200))
        .expect("submits")
        .value;
    assert_eq!(accepted, None, "the price of 1 left with its feeder");
    assert_eq!(w.reading().round.price, price(200));
}

/// Whoever governs the feeders governs the price: each change of theirs is told.
#[test]
fn every_change_of_a_feeds_feeders_is_told() {
    let mut w = World::new();
    let (governor, feeder, contract) = (w.governor(), w.account(40), w.account(41));
    let register = w.d.oracle().call_mut().register_feed(1, VALID);
    let receipt = w.send(governor, w.d.oracle, register).expect("registers");
    let told = receipt
        .events_of::<FeedChanged>(w.d.oracle)
        .expect("decode");
    let told: Vec<_> = told.iter().map(|it| (it.feed, it.config)).collect();
    assert_eq!(told, [(1, VALID)]);

    let source = SourceConfig {
        pair: "DOT/USD".into(),
        decimals: 12,
        tick: 1,
        ref_time: 1_000_000,
        proof_size: 1_000,
    };
    let oracle = w.d.oracle;
    let told = |receipt: Receipt<()>| {
        let events = receipt.events_of::<FeederChanged>(oracle).expect("decode");
        let told = events.into_iter();
        told.map(|it| (it.feed, it.feeder, it.may_submit, it.source))
            .collect::<Vec<_>>()
    };
    let add = w.d.oracle().call_mut().add_feeder(1, feeder);
    let added = w.send(governor, w.d.oracle, add).expect("adds");
    assert_eq!(told(added), [(1, feeder, true, None)]);
    let add =
        w.d.oracle()
            .call_mut()
            .add_source(1, contract, source.clone());
    let added = w.send(governor, w.d.oracle, add).expect("adds");
    assert_eq!(told(added), [(1, contract, true, Some(source))]);
    for gone in [feeder, contract] {
        let remove = w.d.oracle().call_mut().remove_feeder(1, gone);
        let removed = w.send(governor, w.d.oracle, remove).expect("removes");
        assert_eq!(told(removed), [(1, gone, false, None)]);
    }
}

#[test]
fn a_feed_without_rounds_and_an_unknown_feed_answer_with_errors() {
    let w = World::without_price(example_params());
    let (oracle, call) = (w.d.oracle, w.d.oracle());
    assert_eq!(
        w.ask(oracle, call.call().read(0)),
        Err(OracleError::NoRound)
    );
    assert_eq!(
        w.ask(oracle, call.call().read(1)),
        Err(OracleError::UnknownFeed)
    );
    assert!(w.ask(oracle, call.call().feed(1)).is_none());
}

/// A feed's configuration changes after three days' notice, inside hard bounds, by anyone's call;
/// the governor may withdraw it, and an old announcement lapses.
#[test]
fn a_feed_changes_after_its_notice_inside_bounds() {
    let mut w = World::new();
    let (governor, stranger) = (w.governor(), w.account(40));
    let next = FeedConfig::standard(3, 300_000, 2, 900_000);
    let few = FeedConfig {
        min_feeders: 1,
        ..next
    };
    refused! { w, oracle,
        stranger => propose_feed(0, Some(next)), OracleError::Unauthorised;
        governor => propose_feed(1, Some(next)), OracleError::UnknownFeed;
        governor => propose_feed(0, Some(few)), OracleError::OutOfBounds;
        governor => propose_feed(0, Some(FeedConfig { min_feeders: 4, ..next })), OracleError::OutOfBounds;
        governor => propose_feed(0, Some(FeedConfig { min_gap: 601, ..next })), OracleError::OutOfBounds;
        governor => propose_feed(0, Some(FeedConfig { heartbeat: 0, ..next })), OracleError::InvalidConfig;
        stranger => apply_feed(0), TimelockError::NothingProposed;
        stranger => apply_feed(1), OracleError::UnknownFeed;
    }
    let propose = |w: &mut World, config| {
        let message = w.d.oracle().call_mut().propose_feed(0, config);
        w.send(governor, w.d.oracle, message).expect("announces");
    };
    let config = |w: &World| {
        let feed = w.ask(w.d.oracle, w.d.oracle().call().feed(0));
        feed.expect("registered").config
    };
    let old = config(&w);
    propose(&mut w, Some(next));
    let start = w.save();
    w.wait(FEED_NOTICE - 6_000);
    refused! { w, oracle, stranger => apply_feed(0), TimelockError::TooEarly; }
    w.wait(6_000);
    let apply = |w: &mut World| {
        let message = w.d.oracle().call_mut().apply_feed(0);
        w.send(stranger, w.d.oracle, message).expect("applies");
    };
    assert_eq!(config(&w), old);
    apply(&mut w);
    assert_eq!(config(&w), next);
    let announced = w.ask(w.d.oracle, w.d.oracle().call().proposed_feed(0));
    assert!(announced.is_none());
    // Two of three feeders made a round before; now all three are needed.
    let now = block_on(w.chain.now()).unwrap();
    let round = w.reading().round.number;
    let feeders = w.feeders.clone();
    for (nth, feeder) in feeders.iter().enumerate() {
        assert_eq!(w.reading().round.number, round, "{nth} feeders");
        let message = w.d.oracle().call_mut().submit(0, price(201), now);
        w.send(*feeder, w.d.oracle, message).expect("submits");
    }
    assert_eq!(w.reading().round.number, round + 1);

    w.restore(&start);
    propose(&mut w, None);
    w.wait(FEED_NOTICE);
    refused! { w, oracle, stranger => apply_feed(0), TimelockError::NothingProposed; }
    w.restore(&start);
    w.wait(FEED_NOTICE + PROPOSAL_LIFE + 6_000);
    refused! { w, oracle, stranger => apply_feed(0), TimelockError::Lapsed; }
    // Feeders that left since make it out of bounds.
    w.restore(&start);
    let remove = w.d.oracle().call_mut().remove_feeder(0, feeders[0]);
    w.send(governor, w.d.oracle, remove).expect("removes");
    w.wait(FEED_NOTICE);
    refused! { w, oracle, stranger => apply_feed(0), OracleError::OutOfBounds; }
}
