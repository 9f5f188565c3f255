//! Facts of all markets together: a majority that has tripped, and bad debt summed.

use super::*;

fn trip_all(s: &mut Scene, cause: Cause) -> Result<Tripped, Option<Error>> {
    let message = s.w.d.breaker().call_mut().trip(None, cause);
    match s.w.auction(s.stranger, message) {
        Ok(receipt) => Ok(receipt.value),
        Err(error) => Err(error.reverted()),
    }
}

fn trip_one(s: &mut Scene, market: u32, cause: Cause) {
    let message = s.w.d.breaker().call_mut().trip(Some(market), cause);
    s.w.auction(s.stranger, message).expect("trips");
}

fn reopen_of(s: &mut Scene, market: Option<u32>) -> Option<Error> {
    let message = s.w.d.breaker().call_mut().reopen(market);
    s.w.refusal(s.stranger, s.w.d.auction, message)
}

/// A second market of the same tokens, with a hole of this many quote.
fn another(s: &mut Scene, market: u32, hole: u128) {
    let (governor, d) = (s.w.governor(), s.w.d);
    s.w.approve_probe(governor, &[d.collateral, d.quote]);
    let params = MarketParams {
        hole: quote(hole),
        ..example_params()
    };
    let create = d
        .vault()
        .call_mut()
        .create_market(d.collateral, d.quote, params);
    assert_eq!(s.w.vault(governor, create).expect("creates").value, market);
    let register = d.auction().call_mut().register_market(market);
    s.w.auction(governor, register).expect("registers");
}

fn global(s: &Scene) -> Stage {
    let message = s.w.d.breaker().call().breaker(0);
    let (_, all) = s.w.ask(s.w.d.auction, message).expect("registered");
    all.breaker.stage
}

/// F28: markets with more than half of all holes stop all, the one that did not trip too, and by
/// anyone's calls everything reopens once they have.
#[test]
fn f28_a_majority_of_markets_halts_all_and_reopens_after_them() {
    let mut s = Scene::new();
    // 100 million, 99 million and 2 million: neither one alone nor the two smaller are a majority.
    another(&mut s, 1, 99_000_000);
    another(&mut s, 2, 2_000_000);
    s.w.set_price_twice(price(200));
    s.w.advance(700);
    trip_one(&mut s, 1, Cause::Stale);
    assert_eq!(trip_all(&mut s, Cause::Markets), within());
    trip_one(&mut s, 2, Cause::Stale);
    let before = s.w.save();
    trip_one(&mut s, 0, Cause::Stale);
    let halted = Ok(Tripped {
        stage: Stage::Halted,
    });
    assert_eq!(trip_all(&mut s, Cause::Markets), halted);
    // 101 of 201 are a majority as well.
    s.w.restore(&before);
    assert_eq!(trip_all(&mut s, Cause::Markets), halted);
    let again = Err(Some(Error::Breaker(BreakerError::AlreadyTripped)));
    assert_eq!(trip_all(&mut s, Cause::Markets), again);
    // The market that did not trip stands still with the others, and lets everybody out.
    s.w.set_price_twice(price(200));
    let (owner, d) = (s.owners[0], s.w.d);
    let borrow = d.vault().call_mut().borrow(0, quote(1));
    s.w.refused(owner, d.vault, borrow, VaultError::Stopped);
    s.w.repay_all(owner);
    s.w.withdraw_all(owner);

    let error = |error| Some(Error::Breaker(error));
    assert_eq!(reopen_of(&mut s, None), error(BreakerError::CoolingOff));
    s.w.advance(100);
    let remains = error(BreakerError::CauseRemains(Cause::Markets));
    assert_eq!(reopen_of(&mut s, None), remains);
    s.w.set_price_twice(price(200));
    assert_eq!(reopen_of(&mut s, Some(1)), None);
    assert_eq!(reopen_of(&mut s, None), None, "1 % of the holes is no sign");
    assert_eq!(global(&s), Stage::Open);
    // The governor's decision stands for a while.
    s.w.advance(700);
    trip_one(&mut s, 1, Cause::Stale);
    trip_one(&mut s, 0, Cause::Stale);
    assert_eq!(trip_all(&mut s, Cause::Markets), halted);
    lower(&mut s, None, Stage::Open);
    let locked = Err(Some(Error::Breaker(BreakerError::Locked)));
    assert_eq!(trip_all(&mut s, Cause::Markets), locked);
}

/// F28: bad debt over all markets, above 2 % of all holes, stops re-auctions everywhere.
#[test]
fn f28_bad_debt_of_all_markets_together_stops_all() {
    for (hole, expected) in [(20_000, true), (500_000, false)] {
        let mut s = Scene::with_params(small_hole());
        another(&mut s, 1, hole);
        s.w.set_price_twice(price(130));
        let batch = s.open();
        s.w.fund_bidder(s.bidders[0], quote(100_000));
        s.clear_at(batch, 63);
        assert!(s.w.accounting().state.written_off > Amount::ZERO);
        let tripped = trip_all(&mut s, Cause::BadDebt).is_ok();
        assert_eq!(tripped, expected, "a hole of {hole} beside");
        if expected {
            assert_eq!(global(&s), Stage::NoReauction);
            s.w.advance(4_900);
            assert_eq!(reopen_of(&mut s, None), None, "it counts for its window");
        }
    }
}

/// A message that trips does nothing else (†): it stores the breaker, tells the vault, and every
/// claim, position and balance is what it was; a fact that does not hold changes nothing at all.
#[test]
fn a_trip_does_nothing_else() {
    let (mut s, batch) = Scene::opened(150);
    let bid = s.bid(0, batch, quote(500), price(150));
    s.w.run_to(batch, 3);
    s.w.set_price(price(180));
    let of = |s: &Scene| {
        let free: Vec<_> = s.bidders.iter().map(|who| s.w.balance(*who)).collect();
        let mut books = s.w.accounting();
        books.state.stage = Stage::Open;
        (s.w.record(batch), free, books, s.w.view(s.owners[9]))
    };
    let before = of(&s);
    assert!(trip(&mut s, Cause::Jump).is_ok());
    assert_eq!(of(&s), before);
    assert!(trip(&mut s, Cause::Excess).is_err());
    assert_eq!(of(&s), before);
    assert_eq!(kept(&s).breaker.stage, Stage::NoNewRisk);
    s.w.run_out(batch);
    s.w.settle(s.keeper, batch);
    s.w.claim(s.bidders[0], batch, &[bid]);
}

/// What the auction copied when a market was registered follows the vault's parameters by anyone's
/// call: the hole at once, the terms of standing bids while no auction runs (promise 7).
#[test]
fn copied_terms_follow_the_vault_by_anyones_call() {
    use breakwater_core::timelock::SHORTEST_NOTICE;
    use breakwater_interfaces::vault_admin::VaultAdmin;
    let mut s = Scene::crashed(150);
    let (governor, d) = (s.w.governor(), s.w.d);
    let next = MarketParams {
        hole: quote(20_000),
        min_debt: quote(500),
        max_price_age: 1_200_000,
        ..example_params()
    };
    let propose = d.admin().call_mut().propose_params(0, next);
    s.w.vault(governor, propose).expect("proposes");
    s.w.wait(SHORTEST_NOTICE);
    s.w.vault(s.stranger, d.admin().call_mut().apply_params(0))
        .expect("applies");
    let terms = |s: &Scene| {
        let market = s.w.ask(d.auction, d.auction().call().market(0));
        let market = market.expect("registered");
        (
            market.standing.least,
            market.standing.fresh_for,
            kept(s).hole,
        )
    };
    let old = (quote(1), 600, quote(100_000_000));
    assert_eq!(terms(&s), old, "until somebody says so");
    let refresh = || d.breaker().call_mut().refresh(0);
    s.w.set_price_twice(price(150));
    let batch = s.open();
    s.w.auction(s.stranger, refresh()).expect("refreshes");
    assert_eq!(terms(&s), (old.0, old.1, quote(20_000)));
    s.w.run_out(batch);
    s.w.settle(s.keeper, batch);
    s.w.auction(s.stranger, refresh()).expect("refreshes");
    assert_eq!(terms(&s), (quote(5), 200, quote(20_000)));
    let unknown = d.breaker().call_mut().refresh(9);
    s.w.refused(s.stranger, d.auction, unknown, Error::UnknownMarket);
}
