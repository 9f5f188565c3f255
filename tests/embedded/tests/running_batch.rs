//! What may happen to a batch between its opening and its end: bids change, cohorts are added,
//! owners leave, the market leaves the ladder; and what bidders are told of it.

use breakwater_core::auction::{AuctionError, End, Stage};
use breakwater_core::ledger::LedgerError;
use breakwater_core::market::example_params;
use breakwater_core::units::{Amount, Price};
use breakwater_embedded_tests::{collateral, price, quote, refused, Scene};
use breakwater_interfaces::auction::{
    AuctionContractError as Error, AuctionExtended, BatchKey, BidId, BidPage, BidReplaced,
    LiquidationAuction, OwnerLeft,
};
use breakwater_interfaces::token::TokenError;
use breakwater_interfaces::vault::{MarginVault, VaultError};
use ink::codegen::TraitCallBuilder;

const ALWAYS: u32 = u32::MAX;

fn page(s: &Scene, bidder: usize, batch: BatchKey, from: BidId) -> BidPage {
    let owner = s.bidders[bidder];
    s.w.ask(
        s.w.d.auction,
        s.w.d.auction().call().bids_of(batch, owner, from),
    )
}

/// F17: a resting bid is raised, lowered and moved in one message until its step begins; the
/// balance pays or receives the difference, and nobody else may do it.
#[test]
fn f17_a_bid_is_replaced_until_its_step_begins() {
    let (mut s, batch) = Scene::opened(170);
    let (bidder, other) = (s.bidders[0], s.bidders[1]);
    let prices = s.w.record(batch).auction.prices;
    let id = s.bid(0, batch, quote(5_000), prices[20]);
    let joined = s.bid(0, batch, quote(1_000), prices[5]);
    let replace = |budget, limit| {
        let mut auction = s.w.d.auction();
        auction.call_mut().replace(batch, id, budget, limit, ALWAYS)
    };
    let raise = replace(quote(15_000), prices[12]);
    let receipt = s.w.auction(bidder, raise).expect("replaces");
    assert_eq!(receipt.value, 12);
    let event = receipt.events_of::<BidReplaced>(s.w.d.auction);
    assert_eq!(event.expect("decodes").len(), 1);
    assert_eq!(s.w.balance(bidder), quote(4_000).get());
    let auction = s.w.record(batch).auction;
    assert_eq!(auction.joined[20], Amount::ZERO);
    assert_eq!(auction.joined[12], quote(15_000));
    refused! { s.w, auction,
        other => replace(batch, id, quote(1), price(169), ALWAYS), Error::NotBidder;
        bidder => replace(batch, 99, quote(1), price(169), ALWAYS), Error::UnknownBid;
        bidder => replace(batch, id, quote(19_001), price(169), ALWAYS), Error::InsufficientBalance;
        bidder => replace(batch, id, Amount::new(1), price(169), ALWAYS), AuctionError::BudgetTooSmall;
        bidder => replace(batch, id, quote(1), price(1), ALWAYS), AuctionError::LimitUnderFloor;
        bidder => replace(batch, id, quote(1), prices[12], 0), AuctionError::ExpiresBeforeJoining;
    }
    s.w.run_to(batch, 5);
    refused! { s.w, auction,
        bidder => replace(batch, joined, quote(1), price(160), ALWAYS), AuctionError::BidHasJoined;
    }
    s.w.run_out(batch);
    s.w.settle(s.keeper, batch);
    refused! { s.w, auction,
        bidder => replace(batch, id, quote(1), price(160), ALWAYS), AuctionError::BidHasJoined;
    }
}

/// A bidder finds its bids and what they are worth, page by page, and the sums are what a claim
/// pays.
#[test]
fn an_accounts_bids_and_claims_are_paged() {
    let (mut s, batch) = Scene::opened(170);
    let prices = s.w.record(batch).auction.prices;
    s.w.checked = false;
    for at in 0..70 {
        s.bid(at % 2, batch, quote(200 + at as u128), prices[12]);
    }
    s.w.checked = true;
    let first = page(&s, 0, batch, 0);
    assert_eq!((first.bids.len(), first.next), (32, Some(64)));
    let second = page(&s, 0, batch, 64);
    assert_eq!((second.bids.len(), second.next), (3, None));
    assert!(first.bids.iter().all(|(_, _, fill)| fill.is_none()));
    assert_eq!(
        page(&s, 2, batch, 0),
        BidPage {
            bids: vec![],
            next: Some(64)
        }
    );
    s.w.run_out(batch);
    s.w.settle(s.keeper, batch);
    let first = page(&s, 0, batch, 0);
    let ids: Vec<_> = first.bids.iter().map(|(id, _, _)| *id).collect();
    let promised: u128 = first
        .bids
        .iter()
        .map(|(_, _, fill)| fill.expect("settled").received.get())
        .sum();
    let fill = s.w.claim(s.bidders[0], batch, &ids);
    assert_eq!(fill.received.get(), promised);
    assert!(page(&s, 0, batch, 0).bids.is_empty());
}

/// F20: status names step, price, target and money in every block; a quote is what the bid gets.
#[test]
fn f20_status_and_quotes_tell_what_happens() {
    let (mut s, batch) = Scene::opened(170);
    let auction = s.w.record(batch).auction;
    let status = |s: &Scene| {
        s.w.ask(s.w.d.auction, s.w.d.auction().call().status(batch))
            .expect("exists")
    };
    assert_eq!(status(&s).stage, Stage::Announced);
    s.bid(0, batch, quote(3_000), auction.prices[7]);
    let target = auction.targets[9];
    let quoted = {
        let contract = s.w.d.auction();
        let at = s.w.block() + 1;
        let message = contract
            .call()
            .quote(batch, quote(20_000), auction.prices[9], at);
        s.w.ask(s.w.d.auction, message).expect("would join")
    };
    assert_eq!((quoted.step, quoted.price), (9, auction.prices[9]));
    assert_eq!(quoted.fill.spent, target.minus(quote(3_000)).unwrap());
    s.w.run_to(batch, 7);
    let seven = status(&s);
    assert_eq!(
        (seven.stage, seven.step, seven.price),
        (Stage::Bidding, 7, auction.prices[7])
    );
    assert_eq!(
        (seven.demand, seven.target),
        (quote(3_000), auction.targets[7])
    );
    assert_eq!(
        (seven.next_price, seven.blocks_to_next),
        (Some(auction.prices[8]), Some(1))
    );
    let id = s.bid(1, batch, quote(20_000), auction.prices[9]);
    s.w.run_to(batch, 10);
    assert_eq!(status(&s).stage, Stage::Ended);
    let promised = status(&s).clearing;
    assert_eq!(s.w.judge(s.stranger, batch), promised);
    s.w.settle(s.keeper, batch);
    assert_eq!(s.w.claim(s.bidders[1], batch, &[id]), quoted.fill);
    assert_eq!(status(&s).stage, Stage::Settled);
    let unknown = BatchKey { number: 9, ..batch };
    let none =
        s.w.ask(s.w.d.auction, s.w.d.auction().call().status(unknown));
    assert_eq!(none, None);
}

/// An owner who adds collateral leaves the running batch against the tip; what the batch asks for
/// falls by its share; owner → auction → vault → token is one message, and without the fee
/// nothing happens.
#[test]
fn an_owner_with_target_health_leaves_for_the_tip() {
    let (mut s, batch) = Scene::opened(170);
    let (owner, tip) = (s.owners[9], example_params().keeper_tip);
    let before = s.w.record(batch).auction;
    refused! { s.w, auction,
        owner => leave(batch), Error::Vault(VaultError::Ledger(LedgerError::UnderTargetHealth));
        s.stranger => leave(batch), Error::Vault(VaultError::Ledger(LedgerError::NotInBatch));
    }
    s.w.fund(owner, s.w.d.collateral, collateral(3), s.w.d.vault);
    let add = s.w.d.vault().call_mut().deposit(0, collateral(3));
    s.w.vault(owner, add).expect("is held aside");
    refused! { s.w, auction,
        owner => leave(batch), Error::Vault(VaultError::Token(TokenError::CallFailed));
    }
    s.w.fund(owner, s.w.d.quote, tip, s.w.d.vault);
    let leave = s.w.d.auction().call_mut().leave(batch);
    let receipt = s.w.auction(owner, leave).expect("leaves");
    assert_eq!(receipt.value.fee, tip);
    let events = receipt.events_of::<OwnerLeft>(s.w.d.auction);
    assert_eq!(events.expect("decodes")[0].leaving, receipt.value);
    let view = s.w.view(owner);
    assert_eq!((view.collateral, view.batch), (collateral(13), None));
    let after = s.w.record(batch).auction;
    assert_eq!(after.targets, receipt.value.targets);
    assert_eq!(after.prices, before.prices);
    let share = before.targets[0].minus(after.targets[0]).unwrap();
    assert_eq!(share.get(), quote(1_490).get() * 105 / 100);
    assert_eq!(s.w.accounting().state.insurance, tip);
    // The rest is sold as if the leaver had never been in it, and the leaver keeps everything.
    s.clear_at(batch, 8);
    assert_eq!(s.w.view(owner).collateral, collateral(13));
    assert_eq!(s.w.view(owner).debt, quote(1_490));
}

/// †Leaving at the last moment buys nothing: once an ended step has cleared it is too late, judged
/// or not; and where the smaller batch is covered by a step that ended before, it clears there.
#[test]
fn who_leaves_too_late_stays_and_a_smaller_batch_clears_at_a_step_that_ended() {
    let (mut s, batch) = Scene::opened(170);
    let auction = s.w.record(batch).auction;
    let (owner, tip) = (s.owners[9], example_params().keeper_tip);
    s.w.fund(owner, s.w.d.collateral, collateral(3), s.w.d.vault);
    let add = s.w.d.vault().call_mut().deposit(0, collateral(3));
    s.w.vault(owner, add).expect("is held aside");
    s.w.fund(owner, s.w.d.quote, tip, s.w.d.vault);
    // All but 1 000 is bid at step 8; the owner's share is 1 564.50.
    let most = auction.targets[8].minus(quote(1_000)).unwrap();
    s.bid(0, batch, most, auction.prices[8]);
    let start = s.w.save();

    s.bid(1, batch, quote(1_000), auction.prices[8]);
    s.w.run_to(batch, 9);
    refused! { s.w, auction,
        owner => leave(batch), AuctionError::BiddingEnded;
    }
    s.w.restore(&start);
    s.w.run_to(batch, 30);
    let leave = s.w.d.auction().call_mut().leave(batch);
    s.w.auction(owner, leave).expect("leaves");
    let clearing = s.w.clearing(batch);
    assert_eq!((clearing.ended_at, clearing.step), (8, 8));
    assert_eq!(clearing.price, auction.prices[8]);
    s.w.settle(s.keeper, batch);
    s.w.rest(s.keeper, batch);
}

/// Before the first step anyone may add what deposits now cover, on the same rounds.
#[test]
fn a_batch_is_extended_before_its_first_step() {
    let mut params = example_params();
    params.min_batch = quote(5_000);
    params.ladder.announce_blocks = 6;
    let positions: Vec<_> = (0..10).map(|i| (collateral(10), Scene::debt(i))).collect();
    let mut s = Scene::of(params, &positions, Amount::ZERO);
    s.w.set_price_twice(price(170));
    let batch = s.open();
    assert_eq!(s.w.record(batch).auction.targets[0], quote(5_000));
    let ledger = |error| Error::Vault(VaultError::Ledger(error));
    refused! { s.w, auction,
        s.stranger => extend(batch), ledger(LedgerError::NothingToLiquidate);
    }
    s.w.fund_bidder(s.bidders[0], quote(15_000));
    let id = s.bid(0, batch, quote(15_000), price(169));
    // What came in this very block covers nothing yet.
    refused! { s.w, auction,
        s.stranger => extend(batch), ledger(LedgerError::NothingToLiquidate);
    }
    s.w.advance(1);
    let start = s.w.save();
    let extend = s.w.d.auction().call_mut().extend(batch);
    let receipt = s.w.auction(s.stranger, extend).expect("extends");
    let event = receipt.events_of::<AuctionExtended>(s.w.d.auction);
    let record = s.w.record(batch).auction;
    assert_eq!(event.expect("decodes")[0].targets, record.targets);
    // Two thirds of the deposits, this batch's own bids included.
    assert_eq!(record.targets[0], quote(10_000));
    assert!(s.w.batch(batch).members > 4);
    s.w.run_out(batch);
    s.w.settle(s.keeper, batch);
    s.w.rest(s.keeper, batch);
    s.w.claim(s.bidders[0], batch, &[id]);

    s.w.restore(&start);
    s.w.run_to(batch, 0);
    refused! { s.w, auction,
        s.stranger => extend(batch), AuctionError::BiddingBegun;
    }
    s.w.restore(&start);
    s.w.set_price(price(169));
    refused! { s.w, auction,
        s.stranger => extend(batch), ledger(LedgerError::RoundChanged);
    }
}

/// F26: when two accepted rounds have left the ladder, the auction ends: above it nothing is sold
/// under the market; under it what has joined is served. The rest is offered again at once.
#[test]
fn f26_an_auction_ends_when_the_market_leaves_its_ladder() {
    let (mut s, batch) = Scene::opened(170);
    let prices = s.w.record(batch).auction.prices;
    s.bid(0, batch, quote(3_000), prices[3]);
    s.w.run_to(batch, 5);
    let start = s.w.save();
    refused! { s.w, auction,
        s.stranger => reprice(batch), AuctionError::PriceInRange;
    }
    s.w.set_price(price(140));
    refused! { s.w, auction,
        s.stranger => reprice(batch), AuctionError::PriceInRange;
    }
    s.w.set_price(price(140));
    let reprice = s.w.d.auction().call_mut().reprice(batch);
    let low = s.w.auction(s.stranger, reprice).expect("ends").value;
    assert_eq!(
        (low.end, low.price, low.raised),
        (End::Repriced, prices[3], quote(3_000))
    );
    s.w.settle(s.keeper, batch);
    s.w.rest(s.keeper, batch);
    s.open();

    s.w.restore(&start);
    // The start is 1.03 of the average, which still remembers 200.
    s.w.set_price_twice(price(210));
    let reprice = s.w.d.auction().call_mut().reprice(batch);
    let high = s.w.auction(s.stranger, reprice).expect("ends").value;
    assert_eq!((high.end, high.raised), (End::Repriced, Amount::ZERO));
    assert_eq!(high.price, Price::ZERO);
    s.w.settle(s.keeper, batch);
    s.w.rest(s.keeper, batch);
    assert_eq!(s.w.claim(s.bidders[0], batch, &[0]).refunded, quote(3_000));
    // At this price nobody is under-margined any more.
    assert_eq!(s.open_refused(), LedgerError::NothingToLiquidate);
}

/// A bid costs no more computation than one PSP22 `transfer_from` of the same run.
#[test]
fn a_bid_costs_no_more_than_a_token_transfer() {
    let (mut s, batch) = Scene::opened(170);
    let (bidder, stranger) = (s.bidders[0], s.stranger);
    let prices = s.w.record(batch).auction.prices;
    s.w.checked = false;
    s.w.fund(bidder, s.w.d.quote, quote(10), stranger);
    let mut token = breakwater_sim::deployment::Deployment::token(s.w.d.quote);
    let message = {
        use breakwater_interfaces::token::PSP22;
        token
            .call_mut()
            .transfer_from(bidder, s.w.d.vault, quote(5).get(), Vec::new())
    };
    use breakwater_chain::Chain;
    let moved = futures::executor::block_on(s.w.chain.call(&stranger, s.w.d.quote, message))
        .expect("moves")
        .gas_consumed;
    let bid =
        s.w.d
            .auction()
            .call_mut()
            .bid(batch, quote(100), prices[9], ALWAYS);
    let bid = s.w.auction(bidder, bid).expect("bids").gas_consumed;
    // Proof is another matter: it counts the code of the contract that runs.
    assert!(bid.ref_time <= moved.ref_time, "{bid:?} against {moved:?}");
}

/// F12: all members of a batch are valued at one round. A price accepted between two openings gives
/// two batches, each with its own; and nobody in a batch can be taken again.
#[test]
fn f12_one_batch_one_snapshot() {
    let mut params = example_params();
    params.min_batch = quote(5_000);
    params.hole = quote(40_000);
    let positions: Vec<_> = (0..10).map(|i| (collateral(10), Scene::debt(i))).collect();
    let mut s = Scene::of(params, &positions, Amount::ZERO);
    s.w.set_price_twice(price(170));
    let first = s.open();
    s.w.set_price_twice(price(168));
    let second = s.open();
    let (one, two) = (s.w.batch(first), s.w.batch(second));
    assert_eq!((one.reference, two.reference), (price(170), price(168)));
    assert!(one.round < two.round);
    assert_eq!(s.w.view(s.owners[9]).batch, Some(first.number));
    // The last one fits no batch of its own size any more; whoever is in a batch stays in it.
    while s.w.open_batch(s.keeper).is_ok() {}
    assert_eq!(s.w.view(s.owners[9]).batch, Some(first.number));
    assert_eq!(s.w.batch(first), one);
    assert_eq!(s.w.batch(second), two);
}

/// Whoever bids pays the deposit for the bid's cell and gets it back: on cancelling, and on claiming,
/// which only the bidder may do.
#[test]
fn a_bids_deposit_goes_back_to_the_bidder() {
    let (mut s, batch) = Scene::opened(170);
    let bidder = s.bidders[0];
    let prices = s.w.record(batch).auction.prices;
    let place = |s: &mut Scene| {
        let mut auction = s.w.d.auction();
        let message = auction.call_mut().bid(batch, quote(100), prices[9], ALWAYS);
        s.w.auction(bidder, message).expect("bids")
    };
    let first = place(&mut s);
    assert!(first.storage_deposit > 0);
    let cancel = s.w.d.auction().call_mut().cancel(batch, first.value);
    let cancelled = s.w.auction(bidder, cancel).expect("cancels");
    // The chain returns a share of all deposits of the contract, rounded.
    let back = -cancelled.storage_deposit;
    assert!(
        (first.storage_deposit - back).abs() * 20 < first.storage_deposit,
        "{back}"
    );
    let second = place(&mut s);
    s.w.run_out(batch);
    s.w.settle(s.keeper, batch);
    refused! { s.w, auction,
        s.stranger => claim(batch, vec![second.value]), Error::NotBidder;
    }
    let claim = s.w.d.auction().call_mut().claim(batch, vec![second.value]);
    let claimed = s.w.auction(bidder, claim).expect("claims");
    assert!(claimed.storage_deposit < 0);
}
