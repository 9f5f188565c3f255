//! What calls cost: fees, deposits that never come back, and claims to come.

mod harness;

use breakwater_bot::action::{Action, Refusal};
use breakwater_bot::decide::bidder::FEES_OF_A_CLAIM;
use breakwater_bot::decide::keeper::half_reward;
use breakwater_bot::fault::Class;
use breakwater_chain::{AccountId, Chain, Receipt};
use breakwater_core::market::example_params;
use breakwater_embedded_tests::{price as at, quote, Scene, World};
use breakwater_interfaces::auction::{AuctionOpened, LiquidationAuction};
use breakwater_interfaces::token::PSP22;
use breakwater_sim::deployment::Deployment;
use futures::FutureExt;
use harness::{bidder, Running, Trouble, Troubled, KEEPER};
use ink::codegen::TraitCallBuilder;

/// A whole native token, and a whole quote token.
const NATIVE: u128 = 1_000_000_000_000;
const QUOTE: u128 = 1_000_000;

fn native(w: &World, who: AccountId) -> u128 {
    w.chain.free_balance(who).now_or_never().unwrap().unwrap()
}

#[test]
fn a_batch_is_opened_only_where_the_reward_exceeds_fee_and_deposit() {
    let mut scene = Scene::crashed(170);
    scene.w.checked = false;
    let (w, keeper) = (&mut scene.w, scene.keeper);
    let mut auction = w.d.auction();
    let message = auction.call_mut().open_batch(w.d.market);
    let tried = w.chain.dry_run(&keeper, w.d.auction, message);
    let tried = tried.now_or_never().unwrap().unwrap();
    let opened: Vec<AuctionOpened> = tried.events_of(w.d.auction).unwrap();
    let reward = half_reward(&example_params(), opened[0].targets[0]).get();
    let deposit = u128::try_from(tried.storage_deposit).unwrap();
    let cost = |native: u128, price: u128| native * price * QUOTE / NATIVE;
    // The price of a native token from which on it does not pay.
    let dear = (1..).find(|price| cost(tried.fee + deposit, *price) > reward);
    let dear = dear.unwrap();
    assert!(
        cost(tried.fee, dear) < reward,
        "the fee alone would be worth it"
    );
    let before = w.save();
    for (price, opens) in [(dear, false), (dear - 1, true)] {
        w.restore(&before);
        let mut running = Running::priced(w, keeper, "[keeper]\n", u32::try_from(price).unwrap());
        let report = running.on_block(w);
        let open = |action: &Action| matches!(action, Action::Open { .. });
        assert_eq!(report.done.iter().any(open), opens, "{report:?}");
        assert_eq!(report.refusals.contains(&Refusal::Unprofitable), !opens);
    }
}

/// In time it is 3.4 times a bid; every call pays the chain's base fee on top, so in fees it is less.
#[test]
fn a_claim_costs_at_most_what_is_counted_for_it_and_gives_the_bids_deposit_back() {
    let (mut scene, batch) = Scene::opened(170);
    scene.w.checked = false;
    let who = scene.bidders[0];
    let record = scene.w.record(batch).auction;
    let mut auction = scene.w.d.auction();
    let limit = record.prices[20];
    let message = auction.call_mut().bid(batch, quote(1_000), limit, u32::MAX);
    let bid: Receipt<_> = scene
        .w
        .chain
        .call(&who, scene.w.d.auction, message)
        .now_or_never()
        .unwrap()
        .unwrap();
    scene.w.run_out(batch);
    scene.w.settle(scene.keeper, batch);
    let message = auction.call_mut().claim(batch, vec![bid.value]);
    let claim = scene.w.chain.call(&who, scene.w.d.auction, message);
    let claim = claim.now_or_never().unwrap().unwrap();
    assert!(claim.fee <= bid.fee * FEES_OF_A_CLAIM);
    assert!(claim.fee > 2 * bid.fee, "more than a bid");
    // But for a few units: it is a share of all that the contract has put down, rounded.
    let lost = bid.storage_deposit + claim.storage_deposit;
    assert!(bid.storage_deposit > 1_000 && lost.abs() <= 10, "{lost}");
}

#[test]
fn fees_of_approvals_and_of_calls_that_failed_in_a_block_are_counted() {
    let mut scene = Scene::new();
    scene.w.checked = false;
    let (w, who) = (&mut scene.w, scene.bidders[0]);
    w.fund(who, w.d.quote, quote(5_000), w.d.auction);
    let roles = format!("{}deposit = 30000\n", bidder("0.001"));
    let before = w.save();
    let mut token = Deployment::token(w.d.quote);
    let approve = token.call_mut().approve(w.d.auction, quote(5_000).get());
    let approve = w.chain.call(&who, w.d.quote, approve).now_or_never();
    let mut auction = w.d.auction();
    let deposit = auction.call_mut().deposit(w.d.market, quote(5_000));
    let deposit = w.chain.call(&who, w.d.auction, deposit).now_or_never();
    let fees = approve.unwrap().unwrap().fee + deposit.unwrap().unwrap().fee;
    w.restore(&before);
    let mut running = Running::new(w, who, &roles);
    let report = running.on_block(w);
    assert_eq!(report.done, [Action::Deposit(quote(5_000))]);
    assert_eq!(
        running.metric("breakwater_bot_fees_native"),
        fees.to_string()
    );

    let (mut scene, batch) = Scene::opened(170);
    scene.w.checked = false;
    scene.w.run_out(batch);
    // Nothing is at risk beside the batch, so that nothing is opened.
    scene.w.set_price_twice(at(250));
    let mut running = Running::new(&scene.w, scene.keeper, KEEPER);
    let (before, stranger) = (native(&scene.w, scene.keeper), scene.stranger);
    let mut chain = Troubled::new(&mut scene.w, Trouble::Outcompeted(batch), stranger);
    let step = running.bot.as_mut().unwrap().on_block(&mut chain);
    let report = step.now_or_never().unwrap().unwrap();
    assert!(report.done.is_empty(), "{report:?}");
    assert_eq!(report.failed[0].1, Class::Outcompeted);
    let paid = before - native(&scene.w, scene.keeper);
    assert!(paid > 0);
    assert_eq!(
        running.metric("breakwater_bot_fees_native"),
        paid.to_string()
    );
}

#[test]
fn a_dry_run_counts_a_deposit_as_it_counts_the_rest() {
    let mut scene = Scene::new();
    scene.w.checked = false;
    let who = scene.bidders[0];
    scene
        .w
        .fund(who, scene.w.d.quote, quote(5_000), scene.w.d.auction);
    let roles = format!("{}deposit = 30000\n", bidder("0.001"));
    let mut running = Running::dry(&scene.w, who, &roles);
    let report = running.on_block(&mut scene.w);
    assert_eq!(report.done, [Action::Deposit(quote(5_000))]);
    let counted =
        "breakwater_bot_actions_total{kind=\"deposit\",result=\"dry_run\",role=\"bidder\"}";
    assert_eq!(running.metric(counted), "1");
}
