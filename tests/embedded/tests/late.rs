//! Promise 8, and clearing without favours: whoever calls, and however late, the result is the
//! one that timely calls would have had; work in pieces equals work at once.

use breakwater_core::auction::{AuctionError, Clearing, Fill};
use breakwater_core::ledger::Settlement;
use breakwater_core::position::PositionView;
use breakwater_embedded_tests::{price, quote, refused, Scene};
use breakwater_interfaces::auction::{BatchKey, BidId, LiquidationAuction};
use breakwater_interfaces::vault::MarginVault;
use ink::codegen::TraitCallBuilder;

/// Bids at steps 4, 9 and 30: step 9 covers the batch.
fn bids(s: &mut Scene, batch: BatchKey) -> Vec<BidId> {
    let prices = s.w.record(batch).auction.prices;
    let offers = [(0, 3_000, 4), (1, 12_000, 9), (2, 8_000, 30)];
    offers
        .map(|(who, budget, at)| s.bid(who, batch, quote(budget), prices[at]))
        .to_vec()
}

fn claims(s: &mut Scene, batch: BatchKey, ids: &[BidId]) -> Vec<Fill> {
    let claim = |(who, id): (usize, &BidId)| s.w.claim(s.bidders[who], batch, &[*id]);
    ids.iter().enumerate().map(claim).collect()
}

fn positions(s: &Scene) -> Vec<PositionView> {
    s.owners.iter().map(|o| s.w.view(*o)).collect()
}

#[test]
fn settling_10_000_blocks_late_gives_the_clearing_of_a_timely_call() {
    let (mut s, batch) = Scene::opened(170);
    let ids = bids(&mut s, batch);
    s.w.run_to(batch, 10);
    let on_time = s.w.save();
    let mut results: Vec<(Clearing, Settlement, Vec<Fill>, Vec<PositionView>)> = Vec::new();
    for blocks in [0, 1, 54, 55, 1_000, 10_000] {
        s.w.restore(&on_time);
        s.w.advance(blocks);
        let settlement = s.w.settle(s.stranger, batch);
        let clearing = s.w.clearing(batch);
        let fills = claims(&mut s, batch, &ids);
        results.push((clearing, settlement, fills, positions(&s)));
    }
    let (clearing, ..) = &results[0];
    assert_eq!((clearing.ended_at, clearing.step), (9, 9));
    assert!(results.iter().all(|result| result == &results[0]));
}

#[test]
fn a_short_auction_judged_late_is_judged_alike() {
    let (mut s, batch) = Scene::opened(170);
    let prices = s.w.record(batch).auction.prices;
    s.bid(0, batch, quote(2_000), prices[12]);
    s.bid(1, batch, quote(3_000), prices[55]);
    s.w.run_to(batch, 63);
    refused! { s.w, auction, s.stranger => settle(batch), AuctionError::BiddingOpen; }
    s.w.run_out(batch);
    let on_time = s.w.save();
    let timely = (s.w.settle(s.keeper, batch), s.w.clearing(batch));
    s.w.restore(&on_time);
    s.w.advance(10_000);
    let late = (s.w.settle(s.keeper, batch), s.w.clearing(batch));
    assert_eq!(timely, late);
    assert_eq!((late.1.ended_at, late.1.step), (63, 12));
}

#[test]
fn nothing_joins_between_the_end_of_the_clock_and_a_late_judgement() {
    let (mut s, batch) = Scene::opened(170);
    bids(&mut s, batch);
    s.w.run_to(batch, 10);
    for blocks in [0, 1, 10, 100, 5_000] {
        s.w.advance(blocks);
        let (late, limit) = (s.bidders[3], price(1_000));
        refused! { s.w, auction,
            late => bid(batch, quote(20_000), limit, u32::MAX), AuctionError::BiddingEnded;
        }
    }
}

#[test]
fn who_judges_whether_anyone_judges_and_how_often_changes_nothing() {
    let (mut s, batch) = Scene::opened(170);
    let ids = bids(&mut s, batch);
    s.w.run_to(batch, 10);
    let ended = s.w.save();
    // Nobody advances before the settlement.
    let settlement = s.w.settle(s.keeper, batch);
    let direct = (settlement, claims(&mut s, batch, &ids), positions(&s));
    // A stranger does, twice; many blocks lie between.
    s.w.restore(&ended);
    let clearing = s.w.judge(s.stranger, batch);
    s.w.advance(20);
    assert_eq!(s.w.judge(s.owners[0], batch), clearing);
    s.w.advance(20);
    let settlement = s.w.settle(s.keeper, batch);
    assert_eq!(
        (settlement.raised, settlement.sold),
        (clearing.raised, clearing.sold)
    );
    let judged = (settlement, claims(&mut s, batch, &ids), positions(&s));
    assert_eq!(direct, judged);
    assert_eq!(s.w.reward(s.stranger), 0, "advancing earns nothing");
}

#[test]
fn half_of_the_reward_is_the_openers_and_half_the_settlers() {
    let (mut s, batch) = Scene::opened(170);
    bids(&mut s, batch);
    s.w.run_to(batch, 10);
    let reward = s.w.settle(s.stranger, batch).waterfall.reward.get();
    assert!(reward > quote(5).get());
    assert_eq!(s.w.reward(s.keeper), reward / 2);
    assert_eq!(s.w.reward(s.stranger), reward - reward / 2);
}

/// A settled batch that lies in many cells, none of which is back yet beyond what the settlement
/// itself put back.
fn settled() -> (Scene, BatchKey) {
    let positions: Vec<_> = (0..12u128)
        .map(|i| {
            (
                breakwater_embedded_tests::collateral(10),
                quote(900 + 50 * i),
            )
        })
        .collect();
    let params = breakwater_core::market::example_params();
    let mut s = Scene::of(params, &positions, quote(20_000));
    // Deep enough for all, and a part of the safest remains: h = 0.969 for 900.
    s.w.set_price_twice(price(109));
    let batch = s.open();
    assert!(s.w.batch(batch).cells.len() >= 8, "many cells");
    assert_eq!(s.w.batch(batch).members, 12);
    let auction = s.w.record(batch).auction;
    s.bid(0, batch, auction.targets[6], auction.prices[6]);
    s.w.run_to(batch, 7);
    let settlement = s.w.settle(s.keeper, batch);
    assert!(!settlement.rested, "there is something left to put back");
    (s, batch)
}

#[test]
fn resting_in_small_pieces_equals_resting_at_once() {
    let (mut s, batch) = settled();
    let start = s.w.save();
    let waiting = positions(&s);
    let mut ends = Vec::new();
    for cells in [1, 2, 3, u16::MAX] {
        s.w.restore(&start);
        let mut calls = 1;
        while !s.w.rest_some(s.stranger, batch, cells) {
            calls += 1;
            assert_eq!(
                positions(&s),
                waiting,
                "a view sees through what is not back yet"
            );
        }
        assert_eq!(calls == 1, cells == u16::MAX);
        assert_eq!(positions(&s), waiting);
        // Once all is back, resting again is allowed and does nothing.
        let end = s.w.accounting();
        assert!(s.w.rest_some(s.stranger, batch, cells));
        assert_eq!(s.w.accounting(), end);
        ends.push(end);
    }
    for end in &ends {
        assert_eq!(end.state.debt, ends[0].state.debt);
        assert_eq!(end.collateral_owed, ends[0].collateral_owed);
        assert_eq!(end.quote_owed, ends[0].quote_owed);
    }
}

#[test]
fn repaying_or_syncing_before_rest_equals_doing_so_after() {
    let (mut s, batch) = settled();
    let start = s.w.save();
    let leave = |s: &mut Scene| -> Vec<(u128, u128)> {
        let owners = s.owners.clone();
        owners
            .into_iter()
            .map(|o| (s.w.repay_all(o), s.w.withdraw_all(o)))
            .collect()
    };
    s.w.rest(s.keeper, batch);
    let rested = leave(&mut s);
    assert!(
        rested.iter().any(|(repaid, _)| *repaid > 0),
        "some debt was left"
    );

    s.w.restore(&start);
    let unrested = leave(&mut s);
    assert_eq!(rested, unrested);
    s.w.rest(s.keeper, batch);

    s.w.restore(&start);
    for owner in s.owners.clone() {
        let before = s.w.view(owner);
        let sync = s.w.d.vault().call_mut().sync(0, owner, 4);
        assert!(s.w.vault(s.stranger, sync).expect("syncs").value);
        let after = s.w.view(owner);
        assert_eq!(
            (after.collateral, after.debt),
            (before.collateral, before.debt)
        );
        assert!(
            after.liquidation_price >= before.liquidation_price,
            "its own tick, not later"
        );
    }
    assert_eq!(leave(&mut s), rested);
}

#[test]
fn every_batch_ends_without_bidders_admin_or_oracle() {
    let (mut s, batch) = Scene::opened(170);
    // The feed dies, and a stranger alone brings everything to its end.
    s.w.advance(2_000);
    s.w.judge(s.stranger, batch);
    let settlement = s.w.settle(s.stranger, batch);
    assert!(settlement.raised.is_zero());
    s.w.rest(s.stranger, batch);
    assert!(s.w.accounting().state.running.is_empty());
    for owner in s.owners.clone() {
        s.w.repay_all(owner);
        s.w.withdraw_all(owner);
    }
    let lender = s.w.lender();
    assert!(s.w.redeem_all(lender) >= quote(10_000_000).get());
}
