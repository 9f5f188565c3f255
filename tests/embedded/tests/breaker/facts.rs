//! Measured facts, each by anyone and each at its limit.

use super::*;
use std::collections::BTreeSet;

/// F28: nobody trips the breaker with a fact that does not hold.
#[test]
fn f28_false_facts_change_nothing() {
    let mut s = Scene::with_params(small_hole());
    for cause in Cause::MEASURED {
        assert_eq!(trip(&mut s, cause), within(), "{cause:?}");
    }
    assert_eq!(trip(&mut s, Cause::Role), within());
}

fn tripped(stage: Stage) -> Result<Tripped, Option<Error>> {
    Ok(Tripped { stage })
}

#[test]
fn a_jump_of_the_price_stops_new_risk_and_ends_with_its_cause() {
    let mut s = Scene::new();
    s.w.set_price(price(180));
    assert_eq!(
        trip(&mut s, Cause::Jump),
        within(),
        "ten per cent is the limit itself"
    );
    s.w.set_price(price(155));
    assert_eq!(trip(&mut s, Cause::Jump), tripped(Stage::NoNewRisk));
    let again = Err(Some(Error::Breaker(BreakerError::AlreadyTripped)));
    assert_eq!(trip(&mut s, Cause::Jump), again);
    assert_eq!(
        reopen(&mut s),
        Err(Some(Error::Breaker(BreakerError::CoolingOff)))
    );
    s.w.advance(100);
    let remains = BreakerError::CauseRemains(Cause::Jump);
    assert_eq!(reopen(&mut s), Err(Some(Error::Breaker(remains))));
    // The average needs its window to follow.
    for _ in 0..4 {
        s.w.set_price_twice(price(155));
        s.w.advance(100);
    }
    s.w.set_price_twice(price(155));
    assert_eq!(reopen(&mut s), Ok(()));
    s.open();
}

/// A halt for a stale feed begins where the feed became stale; after it the price clock goes on,
/// and new batches wait for the grace period.
#[test]
fn a_stale_feed_halts_from_when_it_became_stale() {
    let mut s = Scene::crashed(150);
    s.w.advance(599);
    assert_eq!(trip(&mut s, Cause::Stale), within());
    s.w.advance(100);
    assert_eq!(trip(&mut s, Cause::Stale), tripped(Stage::Halted));
    let market =
        s.w.ask(s.w.d.auction, s.w.d.auction().call().market(0))
            .expect("registered");
    let from = market.halts.log()[0].from;
    let ago = s.w.block() - from;
    assert!((90..=101).contains(&ago), "began {ago} blocks ago");
    s.w.advance(100);
    let remains = BreakerError::CauseRemains(Cause::Stale);
    assert_eq!(reopen(&mut s), Err(Some(Error::Breaker(remains))));
    s.w.set_price_twice(price(150));
    assert_eq!(reopen(&mut s), Ok(()));
    let open = s.w.d.auction().call_mut().open_batch(0);
    s.w.refused(
        s.keeper,
        s.w.d.auction,
        open,
        Error::Breaker(BreakerError::GracePeriod),
    );
    s.w.advance(100);
    s.w.set_price_twice(price(150));
    s.open();
}

#[test]
fn feeders_far_apart_stop_new_risk() {
    let mut s = Scene::new();
    let (feeders, d) = (s.w.feeders.clone(), s.w.d);
    s.w.advance(2);
    let now = block_on(s.w.chain.now()).expect("clock");
    for (feeder, whole) in feeders.into_iter().zip([196, 207]) {
        let message = d.oracle().call_mut().submit(d.feed, price(whole), now);
        s.w.send(feeder, d.oracle, message).expect("submits");
    }
    assert_eq!(trip(&mut s, Cause::Dispersed), tripped(Stage::NoNewRisk));
}

#[test]
fn too_much_in_auction_stops_new_risk() {
    let mut s = Scene::crashed(150);
    let (governor, d) = (s.w.governor(), s.w.d);
    let limits = Limits {
        in_auction: quote(1_000),
        ..Limits::standard(quote(20_000))
    };
    s.w.auction(governor, d.breaker().call_mut().set_limits(0, limits))
        .expect("sets");
    assert_eq!(trip(&mut s, Cause::InAuction), within());
    s.open();
    assert_eq!(trip(&mut s, Cause::InAuction), tripped(Stage::NoNewRisk));
}

/// The Black-Thursday sign: steps under the oracle's price, and nobody bids.
#[test]
fn silence_under_the_oracles_price_halts() {
    let mut s = Scene::with_params(small_hole());
    s.w.set_price_twice(price(150));
    let batch = s.open();
    let auction = s.w.record(batch).auction;
    let under = auction
        .prices
        .partition_point(|price| *price >= auction.reference);
    let under = u8::try_from(under).expect("a step");
    s.w.run_to(batch, under + 36);
    assert_eq!(trip(&mut s, Cause::NoBids), within());
    s.w.advance(1);
    assert_eq!(trip(&mut s, Cause::NoBids), tripped(Stage::Halted));
    // One bid in time, and it is no fact.
    let mut s = Scene::with_params(small_hole());
    s.w.set_price_twice(price(150));
    let batch = s.open();
    s.bid(0, batch, quote(100), price(200));
    s.w.run_to(batch, under + 40);
    assert_eq!(trip(&mut s, Cause::NoBids), within());
}

/// One bidder with a lot of money takes all that a batch asks for at a step.
fn sold_at(s: &mut Scene, batch: BatchKey, step: u8) {
    s.w.fund_bidder(s.bidders[0], quote(100_000));
    s.clear_at(batch, step);
}

#[test]
fn bad_debt_and_a_poor_recovery_stop_re_auctions() {
    let mut s = Scene::with_params(small_hole());
    s.w.set_price_twice(price(130));
    let batch = s.open();
    sold_at(&mut s, batch, 63);
    let lost = s.w.accounting().state.written_off;
    assert!(lost > Amount::ZERO);
    assert_eq!(trip(&mut s, Cause::BadDebt), tripped(Stage::NoReauction));
    assert_eq!(trip(&mut s, Cause::Recovery), tripped(Stage::NoReauction));
    // Both are waited for: until their window has passed.
    s.w.advance(100);
    let remains = BreakerError::CauseRemains(Cause::BadDebt);
    assert_eq!(reopen(&mut s), Err(Some(Error::Breaker(remains))));
    s.w.advance(4_800);
    assert_eq!(reopen(&mut s), Ok(()));
}

#[test]
fn small_batches_are_no_evidence() {
    let mut s = Scene::new();
    s.w.set_price_twice(price(130));
    let batch = s.open();
    sold_at(&mut s, batch, 63);
    assert_eq!(trip(&mut s, Cause::BadDebt), within());
    assert_eq!(trip(&mut s, Cause::Recovery), within());
}

/// After a fall the ladder begins at the average, far above spot: who pays that, knows better
/// than the oracle.
#[test]
fn a_clearing_far_above_the_oracle_halts() {
    let mut s = Scene::with_params(small_hole());
    s.w.set_price_twice(price(150));
    let batch = s.open();
    let auction = s.w.record(batch).auction;
    let tenth = Ratio::from_bps(11_000);
    let far = auction
        .reference
        .times(tenth, breakwater_core::math::Rounding::Up)
        .expect("in range");
    assert!(auction.prices[0] > far, "the ladder begins far above spot");
    sold_at(&mut s, batch, 0);
    assert_eq!(trip(&mut s, Cause::Excess), tripped(Stage::Halted));
}

/// A message that trips the breaker answers `Ok`, since an `Err` would undo the trip, and does
/// nothing else: of all cells only the market's breaker, its halts and its stage in the vault
/// change. The running batch is as it was, and in the next block the trip stands.
#[test]
fn a_message_that_trips_answers_ok_and_changes_nothing_but_the_stage() {
    let mut s = Scene::with_params(small_hole());
    s.w.set_price_twice(price(150));
    let batch = s.open();
    // Silent to the end: the same call could judge the batch as well, and does not.
    s.w.run_out(batch);
    let (before, record) = (s.w.storage(), s.w.record(batch));
    assert_eq!(trip(&mut s, Cause::NoBids), tripped(Stage::Halted));
    let changed: Vec<_> = before
        .iter()
        .zip(s.w.storage())
        .map(|(before, after)| {
            let keys = before.keys().chain(after.keys());
            let differs = |key: &&Vec<u8>| before.get(*key) != after.get(*key);
            keys.filter(differs).collect::<BTreeSet<_>>().len()
        })
        .collect();
    // Oracle, vault, auction, two tokens.
    assert_eq!(changed, [0, 1, 2, 0, 0]);
    assert_eq!(s.w.record(batch), record);
    s.w.advance(1);
    assert_eq!(kept(&s).breaker.stage, Stage::Halted);
}
