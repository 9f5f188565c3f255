//! Promise 9: every message of the oracle adapter refuses bad input with its own error, and
//! changes nothing then.

use breakwater_chain::Chain;
use breakwater_core::market::example_params;
use breakwater_core::oracle::{FeedConfig, OracleError, HIGHEST_PRICE, MAX_FEEDERS};
use breakwater_core::units::Price;
use breakwater_embedded_tests::{price, refused, World};
use breakwater_interfaces::oracle::OracleAdapter;
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
