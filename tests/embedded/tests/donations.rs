//! Promise 9: tokens sent to a contract without a message belong to nobody and change nothing.

use breakwater_core::position::PositionView;
use breakwater_core::units::{Amount, Shares};
use breakwater_embedded_tests::{price, quote, Scene, World};
use breakwater_interfaces::auction::{AuctionRecord, BatchKey, LiquidationAuction, Treasury};
use breakwater_interfaces::vault::{Accounting, MarginVault};
use ink::codegen::TraitCallBuilder;

/// Everything anyone can read about their money.
#[derive(Debug, PartialEq)]
struct Views {
    accounting: Accounting,
    lender: (Shares, Amount),
    positions: Vec<PositionView>,
    balances: Vec<u128>,
    treasury: Treasury,
    record: AuctionRecord,
}

fn views(s: &Scene, batch: BatchKey) -> Views {
    let treasury = s.w.d.auction().call().treasury(0);
    Views {
        accounting: s.w.accounting(),
        lender: s.w.lent(s.w.lender()),
        positions: s.owners.iter().map(|o| s.w.view(*o)).collect(),
        balances: s.bidders.iter().map(|b| s.w.balance(*b)).collect(),
        treasury: s.w.ask(s.w.d.auction, treasury),
        record: s.w.record(batch),
    }
}

/// Both tokens to both contracts; the harness then counts them as held beyond what is owed.
fn donate_everywhere(s: &mut Scene, amount: u128) {
    let d = s.w.d;
    for to in [d.vault, d.auction] {
        for token in [d.quote, d.collateral] {
            let before = s.w.held(token, to);
            s.w.donate(s.stranger, token, to, amount);
            assert_eq!(s.w.held(token, to), before + amount);
        }
    }
}

#[test]
fn donations_change_no_claim_no_share_and_no_view() {
    let (mut s, batch) = Scene::opened(170);
    s.bid(0, batch, quote(9_000), price(169));
    let before = views(&s, batch);
    donate_everywhere(&mut s, 123_456_789_012_345);
    assert_eq!(views(&s, batch), before);
}

/// The story from the bids on: everything anyone receives.
fn play(s: &mut Scene, batch: BatchKey) -> (Vec<u128>, Accounting) {
    let id = s.bid(0, batch, quote(9_000), price(169));
    let other = s.bid(1, batch, quote(9_000), price(169));
    s.w.run_out(batch);
    s.w.settle(s.keeper, batch);
    s.w.rest(s.keeper, batch);
    let mut out = Vec::new();
    for (bidder, id) in [(0, id), (1, other)] {
        out.push(s.w.claim(s.bidders[bidder], batch, &[id]).received.get());
        let left = Amount::new(s.w.balance(s.bidders[bidder]));
        let withdraw = s.w.d.auction().call_mut().withdraw(0, left);
        s.w.auction(s.bidders[bidder], withdraw).expect("withdraws");
        out.push(left.get());
    }
    for owner in s.owners.clone() {
        out.push(s.w.repay_all(owner));
        out.push(s.w.withdraw_all(owner));
    }
    let lender = s.w.lender();
    out.push(s.w.redeem_all(lender));
    let reward = s.w.d.vault().call_mut().claim_reward(0);
    out.push(s.w.vault(s.keeper, reward).expect("pays").value.get());
    (out, s.w.accounting())
}

#[test]
fn a_whole_story_pays_everyone_the_same_with_and_without_donations() {
    let (mut s, batch) = Scene::opened(170);
    let start = s.w.save();
    let without = play(&mut s, batch);
    s.w.restore(&start);
    donate_everywhere(&mut s, 77_777_777_777);
    // The harness asserts after every message that exactly the donations are held too much.
    assert_eq!(play(&mut s, batch), without);
}

#[test]
fn a_first_lender_cannot_be_robbed_by_a_donation() {
    let mut w = World::without_price(breakwater_core::market::example_params());
    let (first, victim) = (w.account(10), w.account(11));
    let supply = |w: &mut World, who, amount: u128| {
        w.fund(who, w.d.quote, Amount::new(amount), w.d.vault);
        let message = w.d.vault().call_mut().supply(0, Amount::new(amount));
        w.vault(who, message).expect("supplies").value
    };
    supply(&mut w, first, 1);
    w.donate(first, w.d.quote, w.d.vault, quote(1_000_000).get());
    let shares = supply(&mut w, victim, 1_000);
    assert!(!shares.is_zero());
    assert_eq!(w.redeem_all(victim), 1_000);
    assert_eq!(w.redeem_all(first), 1);
}

#[test]
fn the_auction_pays_its_batch_in_full_though_a_donation_would_have_covered_it() {
    let (mut s, batch) = Scene::opened(170);
    let d = s.w.d;
    s.w.donate(s.stranger, d.quote, d.vault, quote(1_000_000).get());
    let (before, received) = (s.w.held(d.quote, d.auction), s.w.held(d.quote, d.vault));
    s.clear_at(batch, 8);
    let raised = s.w.clearing(batch).raised.get();
    assert!(raised > quote(10_000).get());
    assert_eq!(s.w.held(d.quote, d.auction), before - raised);
    assert_eq!(s.w.held(d.quote, d.vault), received + raised);
}
