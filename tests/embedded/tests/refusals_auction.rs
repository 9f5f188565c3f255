//! Promise 9: every message of the auction refuses bad input with its own error, and changes
//! nothing then.

use breakwater_chain::{AccountId, Chain, Constructor};
use breakwater_core::auction::AuctionError;
use breakwater_core::batch::Sale;
use breakwater_core::ledger::{Demand, LedgerError};
use breakwater_core::market::{example_params, MarketParams};
use breakwater_core::math::MathError;
use breakwater_core::units::{Amount, Price, PRICE_ONE};
use breakwater_embedded_tests::{collateral, price, quote, refused, Scene, World};
use breakwater_interfaces::auction::{AuctionContractError as Error, BatchKey, LiquidationAuction};
use breakwater_interfaces::token::{TokenError, PROBE, PSP22};
use breakwater_interfaces::vault::{MarginVault, VaultError};
use breakwater_sim::artifacts::Contract;
use breakwater_sim::deployment::{AuctionRef, Deployment, VaultRef};
use futures::executor::block_on;
use ink::codegen::TraitCallBuilder;
use ink::env::call::{ExecutionInput, Selector};

const ZERO: Amount = Amount::ZERO;
const NO_ALLOWANCE: Error = Error::Token(TokenError::CallFailed);
const ALWAYS: u32 = u32::MAX;
/// No market has this number.
const NONE: u32 = 7;

#[test]
fn balances_refuse_nothing_the_unknown_and_more_than_is_there() {
    let mut s = Scene::new();
    let (bidder, stranger) = (s.bidders[0], s.stranger);
    let more = quote(20_000).plus(Amount::new(1)).unwrap();
    refused! { s.w, auction,
        bidder => deposit(0, ZERO), Error::ZeroAmount;
        bidder => deposit(NONE, quote(1)), Error::UnknownMarket;
        stranger => deposit(0, quote(1)), NO_ALLOWANCE;
        bidder => deposit(0, quote(1)), NO_ALLOWANCE;
        bidder => withdraw(0, ZERO), Error::ZeroAmount;
        bidder => withdraw(NONE, quote(1)), Error::UnknownMarket;
        bidder => withdraw(0, more), Error::InsufficientBalance;
        stranger => withdraw(0, Amount::new(1)), Error::InsufficientBalance;
    }
}

#[test]
fn markets_are_registered_once_by_the_governor() {
    let mut w = World::new();
    let (governor, keeper) = (w.governor(), w.account(40));
    refused! { w, auction,
        keeper => register_market(0), Error::NotGovernor;
        keeper => register_market(NONE), Error::NotGovernor;
        governor => register_market(0), Error::MarketRegistered;
        governor => register_market(NONE), Error::UnknownMarket;
        keeper => open_batch(NONE), Error::UnknownMarket;
    }
}

#[test]
fn an_auction_whose_vault_does_not_answer_says_so() {
    let mut w = World::new();
    let (governor, nobody) = (w.governor(), w.account(60));
    let new = ExecutionInput::new(Selector::new(ink::selector_bytes!("new")));
    let ext = Contract::AuctionExt.code_hash().unwrap();
    // An array is encoded as its items are.
    let arguments = new.push_arg([governor, nobody, nobody]).push_arg(ext);
    let constructor = Constructor::<()>::new(&arguments);
    let code = Contract::LiquidationAuction.code().unwrap();
    let orphan = block_on(
        w.chain
            .instantiate(&governor, &code, constructor, b"orphan"),
    );
    let orphan = orphan.expect("deploys").value;
    let message = AuctionRef::from(orphan).call_mut().register_market(0);
    w.refused(governor, orphan, message, Error::VaultUnavailable);
}

#[test]
fn unknown_batches_and_bids_are_refused() {
    let (mut s, batch) = Scene::opened(170);
    let (bidder, other) = (s.bidders[0], s.bidders[1]);
    let id = s.bid(0, batch, quote(100), price(169));
    let no_batch = BatchKey {
        number: batch.number + 1,
        ..batch
    };
    let no_market = BatchKey {
        market: NONE,
        ..batch
    };
    refused! { s.w, auction,
        bidder => bid(no_batch, quote(1), price(169), ALWAYS), Error::UnknownBatch;
        bidder => bid(no_market, quote(1), price(169), ALWAYS), Error::UnknownMarket;
        // A bid is looked for before its batch.
        bidder => cancel(no_batch, id), Error::UnknownBatch;
        bidder => cancel(no_market, id), Error::UnknownMarket;
        bidder => cancel(batch, id + 1), Error::UnknownBid;
        other => cancel(batch, id), Error::NotBidder;
        bidder => advance(no_batch), Error::UnknownBatch;
        bidder => advance(no_market), Error::UnknownMarket;
        bidder => settle(no_batch), Error::UnknownBatch;
        bidder => settle(no_market), Error::UnknownMarket;
        bidder => claim(no_batch, vec![id]), Error::UnknownBatch;
        bidder => claim(no_market, vec![id]), Error::UnknownMarket;
        bidder => claim(batch, vec![]), Error::NoBids;
    }
    let auction = s.w.d.auction;
    assert_eq!(
        s.w.ask(auction, s.w.d.auction().call().auction(no_batch)),
        None
    );
    assert_eq!(
        s.w.ask(auction, s.w.d.auction().call().bid_of(batch, id + 1)),
        None
    );
    assert_eq!(s.w.ask(auction, s.w.d.auction().call().market(NONE)), None);
    assert_eq!(
        s.w.ask(auction, s.w.d.auction().call().balance(NONE, bidder)),
        ZERO
    );
}

#[test]
fn bids_are_refused_by_the_rule_they_break() {
    let (mut s, batch) = Scene::opened(170);
    let (bidder, stranger) = (s.bidders[0], s.stranger);
    let auction = s.w.record(batch).auction;
    let (floor, first) = (price(153), auction.schedule.first);
    let under = Price::new(floor.get() - 1);
    let more = quote(20_000).plus(Amount::new(1)).unwrap();
    let begins = first + 8;
    refused! { s.w, auction,
        bidder => bid(batch, ZERO, price(169), ALWAYS), AuctionError::BudgetTooSmall;
        bidder => bid(batch, Amount::new(999), price(169), ALWAYS), AuctionError::BudgetTooSmall;
        bidder => bid(batch, quote(1), under, ALWAYS), AuctionError::LimitUnderFloor;
        bidder => bid(batch, quote(1), Price::ZERO, ALWAYS), AuctionError::LimitUnderFloor;
        bidder => bid(batch, more, price(169), ALWAYS), Error::InsufficientBalance;
        stranger => bid(batch, quote(1), price(169), ALWAYS), Error::InsufficientBalance;
        bidder => bid(batch, Amount::new(u128::MAX), price(169), ALWAYS), Error::InsufficientBalance;
        bidder => bid(batch, quote(1), auction.prices[8], begins - 1), AuctionError::ExpiresBeforeJoining;
        bidder => bid(batch, quote(1), auction.prices[8], 0), AuctionError::ExpiresBeforeJoining;
        bidder => bid(batch, quote(1), price(10_000), first - 1), AuctionError::ExpiresBeforeJoining;
    }
    // Valid to the very block it joins in; all of the balance may be bid.
    let message =
        s.w.d
            .auction()
            .call_mut()
            .bid(batch, quote(19_999), auction.prices[8], begins);
    s.w.auction(bidder, message).expect("is in time");
    refused! { s.w, auction,
        bidder => bid(batch, quote(2), price(169), ALWAYS), Error::InsufficientBalance;
        bidder => bid(batch, Amount::new(u128::MAX), price(169), ALWAYS), AuctionError::Math(MathError::Overflow);
        bidder => withdraw(0, quote(2)), Error::InsufficientBalance;
    }
}

#[test]
fn a_bid_is_cancelled_until_its_step_begins_and_never_after() {
    let (mut s, batch) = Scene::opened(170);
    let (bidder, other) = (s.bidders[0], s.bidders[1]);
    let prices = s.w.record(batch).auction.prices;
    let early = s.bid(0, batch, quote(100), prices[5]);
    let late = s.bid(0, batch, quote(100), prices[6]);
    s.w.run_to(batch, 5);
    refused! { s.w, auction,
        bidder => cancel(batch, early), AuctionError::BidHasJoined;
        other => cancel(batch, late), Error::NotBidder;
    }
    // Present blocks join at once: such a bid cannot be taken back at all.
    let present = s.bid(0, batch, quote(100), price(1_000));
    let cancel = s.w.d.auction().call_mut().cancel(batch, late);
    s.w.auction(bidder, cancel)
        .expect("its step begins in the next block");
    assert_eq!(s.w.balance(bidder), quote(19_800).get());
    refused! { s.w, auction,
        bidder => cancel(batch, present), AuctionError::BidHasJoined;
        bidder => cancel(batch, late), Error::UnknownBid;
    }
    // Bids under the price that ended the clock stay until they are claimed.
    let under = s.bid(0, batch, quote(100), prices[40]);
    s.bid(1, batch, quote(20_000), prices[10]);
    s.w.run_to(batch, 11);
    s.w.judge(s.keeper, batch);
    refused! { s.w, auction,
        bidder => cancel(batch, under), AuctionError::BidHasJoined;
    }
}

#[test]
fn the_clock_is_judged_settled_and_claimed_in_that_order_and_once() {
    let (mut s, batch) = Scene::opened(170);
    let (bidder, other, keeper) = (s.bidders[0], s.bidders[1], s.keeper);
    let prices = s.w.record(batch).auction.prices;
    let id = s.bid(0, batch, quote(20_000), prices[10]);
    let theirs = s.bid(1, batch, quote(100), prices[12]);
    for step in [0, 5, 10] {
        s.w.run_to(batch, step);
        refused! { s.w, auction,
            keeper => advance(batch), AuctionError::BiddingOpen;
            keeper => settle(batch), AuctionError::BiddingOpen;
            bidder => claim(batch, vec![id]), AuctionError::NotSettled;
        }
    }
    // Step 10 has ended and its money covers: nothing joins, judged or not.
    s.w.run_to(batch, 11);
    for judged in [false, true] {
        if judged {
            s.w.judge(keeper, batch);
        }
        refused! { s.w, auction,
            other => bid(batch, quote(1), price(1_000), ALWAYS), AuctionError::BiddingEnded;
            bidder => claim(batch, vec![id]), AuctionError::NotSettled;
        }
    }
    s.w.settle(keeper, batch);
    refused! { s.w, auction,
        keeper => settle(batch), AuctionError::AlreadySettled;
        other => bid(batch, quote(1), price(1_000), ALWAYS), AuctionError::BiddingEnded;
        other => cancel(batch, theirs), AuctionError::BidHasJoined;
        other => claim(batch, vec![id]), Error::NotBidder;
        bidder => claim(batch, vec![id, id]), Error::UnknownBid;
        bidder => claim(batch, vec![id, theirs]), Error::NotBidder;
        bidder => claim(batch, vec![id, 99]), Error::UnknownBid;
        bidder => claim(batch, vec![]), Error::NoBids;
    }
    s.w.claim(bidder, batch, &[id]);
    refused! { s.w, auction,
        bidder => claim(batch, vec![id]), Error::UnknownBid;
        bidder => cancel(batch, id), Error::UnknownBid;
    }
    // Judging again only tells the result again.
    let clearing = s.w.clearing(batch);
    assert_eq!(s.w.judge(s.stranger, batch), clearing);
}

#[test]
fn nothing_joins_after_the_last_step() {
    let (mut s, batch) = Scene::opened(170);
    let bidder = s.bidders[0];
    s.w.run_to(batch, 63);
    s.bid(0, batch, quote(1), price(153));
    s.w.run_out(batch);
    refused! { s.w, auction,
        bidder => bid(batch, quote(1), price(1_000), ALWAYS), AuctionError::BiddingEnded;
        bidder => bid(batch, quote(1), price(153), ALWAYS), AuctionError::BiddingEnded;
    }
}

#[test]
fn batches_open_only_where_the_rules_allow_it() {
    let mut healthy = Scene::new();
    assert_eq!(healthy.open_refused(), LedgerError::NothingToLiquidate);

    let params = MarketParams {
        feed: 9,
        ..example_params()
    };
    let mut w = World::without_price(params);
    let keeper = w.account(40);
    refused! { w, auction,
        keeper => open_batch(0), Error::Vault(VaultError::OracleUnavailable);
    }

    let mut params = example_params();
    params.ladder.absolute_floor = price(180);
    let mut s = Scene::with_params(params);
    s.w.set_price_twice(price(170));
    assert_eq!(s.open_refused(), LedgerError::FloorAboveSpot);
}

#[test]
fn the_hole_and_the_number_of_batches_are_bounded() {
    // Each batch asks for a quarter of the hole.
    let mut params = example_params();
    (params.hole, params.min_batch) = (quote(8_000), quote(2_000));
    let positions = vec![(collateral(10), quote(1_490)); 1];
    let debts = (0..10).map(|i| (collateral(10), quote(1_400 + 10 * i)));
    let positions: Vec<_> = positions.into_iter().chain(debts).collect();
    let mut s = Scene::of(params.clone(), &positions, ZERO);
    s.w.set_price_twice(price(150));
    for _ in 0..4 {
        s.open();
    }
    assert_eq!(s.open_refused(), LedgerError::TooManyBatches);

    // Two batches fill the hole; three would be allowed.
    params.hole = quote(4_000);
    let mut s = Scene::of(params.clone(), &positions, ZERO);
    s.w.set_price_twice(price(150));
    s.open();
    s.open();
    assert_eq!(s.open_refused(), LedgerError::HoleFull);

    // The second batch would be smaller than an eighth of the hole.
    (params.hole, params.min_batch) = (quote(20_000), quote(14_500));
    let mut s = Scene::of(params, &positions, ZERO);
    s.w.set_price_twice(price(150));
    s.open();
    assert_eq!(s.open_refused(), LedgerError::BatchTooSmall);
}

/// A vault whose auction is an ordinary account, `auction`, with one owner in a batch.
fn own_vault(w: &mut World, auction: AccountId) -> AccountId {
    let governor = w.governor();
    let new = ExecutionInput::new(Selector::new(ink::selector_bytes!("new")));
    let constructor = Constructor::<()>::new(
        &new.push_arg(governor)
            .push_arg(w.d.oracle)
            .push_arg(Contract::VaultExt.code_hash().unwrap()),
    );
    let code = Contract::MarginVault.code().unwrap();
    let vault = block_on(w.chain.instantiate(&governor, &code, constructor, b"own"));
    let vault = vault.expect("deploys").value;
    let call = || VaultRef::from(vault);
    let (c, q) = (w.d.collateral, w.d.quote);
    w.send(governor, vault, call().call_mut().set_auction(auction))
        .expect("names");
    for token in [c, q] {
        w.fund(governor, token, PROBE, vault);
    }
    let create = call().call_mut().create_market(c, q, example_params());
    w.send(governor, vault, create).expect("creates");
    let lender = w.account(61);
    w.fund(lender, q, quote(10_000), vault);
    w.send(lender, vault, call().call_mut().supply(0, quote(10_000)))
        .expect("lends");
    let owner = w.account(62);
    w.fund(owner, c, collateral(10), vault);
    let borrow = call()
        .call_mut()
        .deposit_and_borrow(0, collateral(10), quote(1_490));
    w.send(owner, vault, borrow).expect("borrows");
    vault
}

#[test]
fn the_vault_does_not_take_its_auctions_word() {
    let mut w = World::new();
    let auction = w.account(63);
    let vault = own_vault(&mut w, auction);
    let call = || VaultRef::from(vault);
    w.set_price_twice(price(170));
    let open = call().call_mut().open_batch(
        0,
        Demand {
            most: quote(1_000_000),
            depth: None,
        },
    );
    let opening = w.send(auction, vault, open).expect("opens").value;
    let number = opening.number;
    let (first, last) = (opening.prices[0], opening.prices[63]);
    let target = opening.targets[0];
    let settle = |number, price, raised| {
        call().call_mut().settle_batch(
            0,
            number,
            Sale {
                price,
                raised,
                excused: false,
            },
            auction,
            auction,
        )
    };
    // Not a unit has been sent yet.
    let missing = VaultError::Token(TokenError::WrongAmountArrived);
    w.refused(auction, vault, settle(number, first, target), missing);
    // One unit less than it claims to have sent.
    w.fund(auction, w.d.quote, target, vault);
    let send = |w: &mut World, amount: u128| {
        let transfer = Deployment::token(w.d.quote)
            .call_mut()
            .transfer(vault, amount, Vec::new());
        block_on(w.chain.call(&auction, w.d.quote, transfer)).expect("sends");
    };
    send(&mut w, target.get() - 1);
    w.refused(auction, vault, settle(number, first, target), missing);
    send(&mut w, 1);

    let ledger = VaultError::Ledger;
    let under = Price::new(last.get() - 1);
    let over = Price::new(first.get() + 1);
    let outside = ledger(LedgerError::PriceOutsideLadder);
    w.refused(auction, vault, settle(number, under, target), outside);
    w.refused(auction, vault, settle(number, over, target), outside);
    w.refused(auction, vault, settle(number, Price::ZERO, target), outside);
    let unknown = ledger(LedgerError::UnknownBatch);
    w.refused(auction, vault, settle(number + 1, first, target), unknown);
    // At the floor all the collateral is not worth what it asked for at the start.
    let too_much = ledger(LedgerError::RaisedTooMuch);
    assert!(opening.targets[63].get() < target.get());
    w.refused(auction, vault, settle(number, last, target), too_much);

    w.send(auction, vault, settle(number, first, target))
        .expect("settles");
    let settled = ledger(LedgerError::BatchSettled);
    w.refused(auction, vault, settle(number, first, ZERO), settled);
    let price_one = Price::new(PRICE_ONE);
    w.refused(auction, vault, settle(number, price_one, ZERO), settled);
}
