//! Promise 9: every message of the vault refuses bad input with its own error, and changes
//! nothing then.

use breakwater_core::batch::Sale;
use breakwater_core::ladder::Curve;
use breakwater_core::ledger::{Demand, LedgerError};
use breakwater_core::lending::LendingError;
use breakwater_core::market::{example_params, MarketParams, ParamsError};
use breakwater_core::units::{Amount, Price, Ratio, Shares};
use breakwater_embedded_tests::{collateral, price, quote, refused, Scene, World};
use breakwater_interfaces::token::TokenError;
use breakwater_interfaces::vault::{MarginVault, VaultError};
use ink::codegen::TraitCallBuilder;

const ZERO: Amount = Amount::ZERO;
const NO_ALLOWANCE: VaultError = VaultError::Token(TokenError::CallFailed);
/// What an auction brings in which nobody bid.
const NO_SALE: Sale = Sale {
    price: Price::ZERO,
    raised: ZERO,
    excused: false,
};
/// No market has this number.
const NONE: u32 = 7;

#[test]
fn governance_refuses_strangers_repetition_and_equal_tokens() {
    let mut w = World::new();
    let (governor, keeper, valid) = (w.governor(), w.account(40), example_params());
    let (c, q) = (w.d.collateral, w.d.quote);
    refused! { w, vault,
        keeper => set_auction(keeper), VaultError::NotGovernor;
        governor => set_auction(keeper), VaultError::AuctionAlreadySet;
        keeper => create_market(c, q, valid.clone()), VaultError::NotGovernor;
        governor => create_market(q, q, valid.clone()), VaultError::SameToken;
    }
    // A token serves eight markets at most; the first exists already.
    for market in 1..8 {
        w.approve_probe(governor, &[c, q]);
        let create = w.d.vault().call_mut().create_market(c, q, valid.clone());
        assert_eq!(w.vault(governor, create).expect("creates").value, market);
    }
    refused! { w, vault,
        governor => create_market(c, q, valid.clone()), VaultError::TooManyMarkets;
        governor => create_market(keeper, q, valid.clone()), VaultError::TooManyMarkets;
        governor => create_market(c, keeper, valid), VaultError::TooManyMarkets;
    }
}

#[test]
fn parameters_outside_their_bounds_are_refused_each_by_its_name() {
    let mut w = World::new();
    let (governor, c, q) = (w.governor(), w.d.collateral, w.d.quote);
    type Change = fn(&mut MarketParams);
    let cases: [(Change, ParamsError); 29] = [
        (|p| p.collateral_decimals = 19, ParamsError::Decimals),
        (|p| p.quote_decimals = 5, ParamsError::Decimals),
        (
            |p| p.initial_ltv = p.liquidation_threshold,
            ParamsError::LoanToValue,
        ),
        (|p| p.initial_ltv = Ratio::ZERO, ParamsError::LoanToValue),
        (
            |p| p.liquidation_threshold = Ratio::ONE,
            ParamsError::LoanToValue,
        ),
        (
            |p| p.penalty = Ratio::from_bps(3_001),
            ParamsError::PenaltyOrSlippage,
        ),
        (
            |p| p.slippage = Ratio::from_bps(5_000),
            ParamsError::PenaltyOrSlippage,
        ),
        (|p| p.target_health = Ratio::ONE, ParamsError::TargetHealth),
        (
            |p| p.liquidation_threshold = Ratio::from_bps(9_300),
            ParamsError::TargetHealth,
        ),
        (|p| p.ramp_width = Ratio::ZERO, ParamsError::FullClose),
        (
            |p| p.full_close_health = Ratio::from_bps(9_801),
            ParamsError::FullClose,
        ),
        (|p| p.min_debt = ZERO, ParamsError::MinimumDebt),
        (|p| p.min_batch = ZERO, ParamsError::Hole),
        (
            |p| p.hole = Amount::new(p.min_batch.get() - 1),
            ParamsError::Hole,
        ),
        (|p| p.ladder.blocks_per_step = 3, ParamsError::Ladder),
        (|p| p.ladder.announce_blocks = 0, ParamsError::Ladder),
        (
            |p| p.ladder.absolute_floor = Price::ZERO,
            ParamsError::Ladder,
        ),
        (
            |p| p.ladder.curve = Curve::Linear { steps: 65 },
            ParamsError::Ladder,
        ),
        (
            |p| p.keeper_share = Ratio::from_bps(1_001),
            ParamsError::KeeperShare,
        ),
        (
            |p| p.interest.at_full = Ratio::from_ppm(10_000_001),
            ParamsError::Interest,
        ),
        (
            |p| p.interest.idle = Ratio::from_bps(1),
            ParamsError::Interest,
        ),
        (
            |p| p.interest.reserve_factor = Ratio::from_bps(5_001),
            ParamsError::Interest,
        ),
        (|p| p.max_price_age = 0, ParamsError::PriceAge),
        (|p| p.max_price_age = 86_400_001, ParamsError::PriceAge),
        (|p| p.notice = 86_399_999, ParamsError::Notice),
        (|p| p.loss_cap = Ratio::ZERO, ParamsError::LossCap),
        (|p| p.penalty = Ratio::ZERO, ParamsError::PenaltyOrSlippage),
        (
            |p| p.keeper_tip = Amount::new(p.hole.get() / 100 + 1),
            ParamsError::KeeperTip,
        ),
        (
            |p| p.insurance_budget = Ratio::from_bps(2_501),
            ParamsError::InsuranceBudget,
        ),
    ];
    for (change, error) in cases {
        let mut params = example_params();
        change(&mut params);
        refused! { w, vault, governor => create_market(c, q, params.clone()), error; }
    }
}

#[test]
fn lending_refuses_nothing_too_much_and_what_is_lent_out() {
    let mut s = Scene::new();
    let (lender, stranger) = (s.w.lender(), s.stranger);
    let (shares, worth) = s.w.lent(lender);
    assert_eq!(worth, quote(10_000_000));
    let more = shares.plus(Shares::new(1)).unwrap();
    // Nobody else has lent, and 2 000 000 000 is the cap.
    let room = quote(1_990_000_000);
    let beyond = room.plus(Amount::new(1)).unwrap();
    refused! { s.w, vault,
        stranger => supply(0, ZERO), LendingError::ZeroAmount;
        stranger => supply(NONE, quote(1)), VaultError::UnknownMarket;
        stranger => supply(0, beyond), LendingError::SupplyCapExceeded;
        stranger => supply(0, room), NO_ALLOWANCE;
        stranger => redeem(0, Shares::ZERO), LendingError::ZeroAmount;
        stranger => redeem(NONE, shares), VaultError::UnknownMarket;
        stranger => redeem(0, Shares::new(1)), LendingError::InsufficientShares;
        lender => redeem(0, more), LendingError::InsufficientShares;
        lender => redeem(0, Shares::new(1)), LendingError::TooSmall;
        lender => redeem(0, shares), LendingError::InsufficientCash;
    }
}

#[test]
fn borrowers_are_refused_by_the_rule_they_break() {
    let mut s = Scene::new();
    let (owner, stranger) = (s.owners[0], s.stranger);
    let rich = s.w.account(50);
    s.w.fund(rich, s.w.d.collateral, collateral(100_000), s.w.d.vault);
    let deposit = s.w.d.vault().call_mut().deposit(0, collateral(100_000));
    s.w.vault(rich, deposit).expect("deposits");
    // 10 at 200 carry 1 500, and 1 400 is owed: 100 more exactly.
    let one_more = quote(100).plus(Amount::new(1)).unwrap();
    let all_and_one = collateral(10).plus(Amount::new(1)).unwrap();
    refused! { s.w, vault,
        stranger => deposit(0, ZERO), LedgerError::ZeroAmount;
        stranger => deposit(NONE, collateral(1)), VaultError::UnknownMarket;
        stranger => deposit(0, collateral(1)), NO_ALLOWANCE;
        owner => deposit(0, collateral(1)), NO_ALLOWANCE;

        owner => withdraw(0, ZERO), LedgerError::ZeroAmount;
        owner => withdraw(NONE, collateral(1)), VaultError::UnknownMarket;
        owner => withdraw(0, all_and_one), LedgerError::InsufficientCollateral;
        owner => withdraw(0, collateral(10)), LedgerError::ExceedsInitialLtv;
        owner => withdraw(0, collateral(1)), LedgerError::ExceedsInitialLtv;
        stranger => withdraw(0, collateral(1)), LedgerError::InsufficientCollateral;

        owner => borrow(0, ZERO), LedgerError::ZeroAmount;
        owner => borrow(NONE, quote(1)), VaultError::UnknownMarket;
        owner => borrow(0, one_more), LedgerError::ExceedsInitialLtv;
        stranger => borrow(0, quote(99)), LedgerError::BelowMinimumDebt;
        stranger => borrow(0, quote(100)), LedgerError::ExceedsInitialLtv;
        rich => borrow(0, Amount::new(99_999_999)), LedgerError::BelowMinimumDebt;
        rich => borrow(0, quote(10_000_000)), LedgerError::InsufficientCash;

        stranger => deposit_and_borrow(0, ZERO, quote(100)), LedgerError::ZeroAmount;
        stranger => deposit_and_borrow(0, collateral(1), ZERO), LedgerError::ZeroAmount;
        stranger => deposit_and_borrow(NONE, collateral(1), quote(100)), VaultError::UnknownMarket;
        stranger => deposit_and_borrow(0, collateral(1), quote(151)), LedgerError::ExceedsInitialLtv;
        stranger => deposit_and_borrow(0, collateral(1), quote(99)), LedgerError::BelowMinimumDebt;
        stranger => deposit_and_borrow(0, collateral(1), quote(150)), NO_ALLOWANCE;

        owner => repay(0, owner, ZERO), LedgerError::ZeroAmount;
        owner => repay(NONE, owner, quote(1)), VaultError::UnknownMarket;
        owner => repay(0, stranger, quote(1)), LedgerError::NothingOwed;
        rich => repay(0, rich, quote(1)), LedgerError::NothingOwed;
        owner => repay(0, owner, quote(1_301)), LedgerError::BelowMinimumDebt;
        owner => repay(0, owner, quote(1_300)), NO_ALLOWANCE;
        stranger => repay(0, owner, quote(9_999)), NO_ALLOWANCE;
    }
    // What is at the bound is allowed.
    let borrow = s.w.d.vault().call_mut().borrow(0, quote(100));
    s.w.vault(owner, borrow).expect("borrows up to the bound");
}

#[test]
fn debt_too_small_for_the_scale_of_ticks_is_refused() {
    // 100 quote on 1.1 · 10^12 collateral: a ratio of less than 10^-10.
    let mut w = World::new();
    let owner = w.account(10);
    let whales = collateral(1_100_000_000_000);
    w.fund(owner, w.d.collateral, whales, w.d.vault);
    refused! { w, vault,
        owner => deposit_and_borrow(0, whales, quote(100)), LedgerError::RatioBelowScale;
    }
    let message =
        w.d.vault()
            .call_mut()
            .deposit_and_borrow(0, whales, quote(120));
    w.vault(owner, message).expect("is on the scale");
}

#[test]
fn the_debt_ceiling_is_not_passed_by_a_unit() {
    let params = MarketParams {
        debt_ceiling: quote(1_500),
        ..example_params()
    };
    let mut s = Scene::of(params, &[(collateral(100), quote(1_000))], ZERO);
    let owner = s.owners[0];
    let over = quote(500).plus(Amount::new(1)).unwrap();
    refused! { s.w, vault, owner => borrow(0, over), LedgerError::DebtCeilingExceeded; }
    let borrow = s.w.d.vault().call_mut().borrow(0, quote(500));
    s.w.vault(owner, borrow).expect("borrows up to the ceiling");
}

#[test]
fn batches_belong_to_the_auction_and_rest_only_once_settled() {
    let (mut s, batch) = Scene::opened(170);
    let (keeper, governor) = (s.keeper, s.w.governor());
    refused! { s.w, vault,
        keeper => open_batch(0, Demand { most: quote(1), depth: None }), VaultError::NotAuction;
        governor => open_batch(0, Demand { most: quote(1), depth: None }), VaultError::NotAuction;
        keeper => settle_batch(0, batch.number, NO_SALE, keeper, keeper), VaultError::NotAuction;
        keeper => rest(NONE, 0, 8), VaultError::UnknownMarket;
        keeper => rest(0, batch.number + 1, 8), LedgerError::UnknownBatch;
        keeper => rest(0, batch.number, 8), LedgerError::BatchRunning;
        keeper => sync(NONE, keeper, 8), VaultError::UnknownMarket;
        keeper => claim_reward(0), VaultError::NothingToClaim;
        keeper => claim_reward(NONE), VaultError::UnknownMarket;
    }
}

#[test]
fn a_position_in_a_batch_takes_nothing_out_before_its_settlement() {
    let (mut s, batch) = Scene::opened(170);
    let owner = s.owners[0];
    let (c, q, vault) = (s.w.d.collateral, s.w.d.quote, s.w.d.vault);
    s.w.fund(owner, c, collateral(10), vault);
    s.w.fund(owner, q, quote(2_000), vault);
    refused! { s.w, vault,
        owner => withdraw(0, Amount::new(1)), LedgerError::PositionInBatch;
        owner => reclaim(0), LedgerError::PositionInBatch;
        owner => borrow(0, quote(1)), LedgerError::PositionInBatch;
        owner => deposit_and_borrow(0, collateral(10), quote(100)), LedgerError::PositionInBatch;
    }
    s.clear_at(batch, 10);
    let repay = s.w.d.vault().call_mut().repay(0, owner, quote(1_400));
    s.w.vault(owner, repay).expect("repays once it has settled");
    refused! { s.w, vault,
        owner => reclaim(0), LedgerError::NothingPrepaid;
        owner => reclaim(NONE), VaultError::UnknownMarket;
    }
}

#[test]
fn a_stale_price_stops_new_risk_and_nothing_else() {
    let mut s = Scene::new();
    let (owner, stranger) = (s.owners[0], s.stranger);
    let (c, q, vault) = (s.w.d.collateral, s.w.d.quote, s.w.d.vault);
    s.w.fund(stranger, c, collateral(2), vault);
    let deposit = s.w.d.vault().call_mut().deposit(0, collateral(1));
    s.w.vault(stranger, deposit).expect("deposits");
    s.w.chain.set_block_time(example_params().max_price_age + 1);
    s.w.advance(1);
    refused! { s.w, vault,
        owner => borrow(0, quote(1)), LedgerError::StalePrice;
        owner => withdraw(0, Amount::new(1)), LedgerError::StalePrice;
        stranger => deposit_and_borrow(0, collateral(1), quote(100)), LedgerError::StalePrice;
    }
    // Promise 6: debt-free withdrawal, repayment, top-up and supply need no price.
    assert_eq!(s.w.withdraw_all(stranger), collateral(1).get());
    s.w.fund(owner, c, collateral(1), vault);
    let top_up = s.w.d.vault().call_mut().deposit(0, collateral(1));
    s.w.vault(owner, top_up).expect("adds collateral");
    assert_eq!(s.w.repay_all(owner), quote(1_400).get());
    assert_eq!(s.w.withdraw_all(owner), collateral(11).get());
    s.w.fund(stranger, q, quote(5), vault);
    let supply = s.w.d.vault().call_mut().supply(0, quote(5));
    s.w.vault(stranger, supply).expect("supplies");
    let paid = s.w.redeem_all(stranger);
    assert!(paid == quote(5).get() || paid == quote(5).get() - 1);
}

#[test]
fn without_an_accepted_round_there_is_no_borrowing_and_still_a_way_out() {
    let mut w = World::without_price(example_params());
    let owner = w.account(10);
    w.fund(owner, w.d.collateral, collateral(20), w.d.vault);
    let deposit = w.d.vault().call_mut().deposit(0, collateral(10));
    w.vault(owner, deposit).expect("deposits");
    refused! { w, vault,
        owner => borrow(0, quote(100)), VaultError::OracleUnavailable;
        owner => deposit_and_borrow(0, collateral(1), quote(100)), VaultError::OracleUnavailable;
    }
    let view = w.d.vault().call().position(0, owner);
    assert_eq!(w.ask(w.d.vault, view), Err(VaultError::OracleUnavailable));
    assert_eq!(w.view_at(owner, price(1)).collateral, collateral(10));
    let withdraw = w.d.vault().call_mut().withdraw(0, collateral(10));
    w.vault(owner, withdraw).expect("withdraws without a price");
}

#[test]
fn readers_of_unknown_markets_are_told_so() {
    let w = World::new();
    let (vault, lender) = (w.d.vault, w.lender());
    let call = || w.d.vault();
    let unknown = VaultError::UnknownMarket;
    assert_eq!(w.ask(vault, call().call().accounting(NONE)), Err(unknown));
    assert_eq!(
        w.ask(vault, call().call().position(NONE, lender)),
        Err(unknown)
    );
    assert_eq!(
        w.ask(vault, call().call().position_at(NONE, lender, price(1))),
        Err(unknown)
    );
    assert_eq!(
        w.ask(vault, call().call().lender(NONE, lender)),
        Err(unknown)
    );
    let histogram = call().call().histogram(NONE, 0, u16::MAX);
    assert_eq!(w.ask(vault, histogram), Err(unknown));
    let at_risk = call().call().at_risk(NONE, price(1));
    assert_eq!(w.ask(vault, at_risk), Err(unknown));
    assert_eq!(w.ask(vault, call().call().market(NONE)), None);
    assert_eq!(w.ask(vault, call().call().batch(0, 0)), None);
    assert_eq!(w.ask(vault, call().call().batch(NONE, 0)), None);
    assert_eq!(w.ask(vault, call().call().reward(NONE, lender)), ZERO);
}

#[test]
fn a_position_that_slept_through_many_batches_is_brought_up_to_date_by_anyone() {
    let mut s = Scene::of(example_params(), &[(collateral(10), quote(1_490))], ZERO);
    let owner = s.owners[0];
    s.w.set_price_twice(price(170));
    // Nobody bids, 34 times: the position moves to a new cohort each time.
    s.w.checked = false;
    for _ in 0..34 {
        s.w.set_price(price(170));
        let batch = s.open();
        s.w.run_out(batch);
        s.w.settle(s.keeper, batch);
        s.w.rest(s.keeper, batch);
    }
    s.w.checked = true;
    s.w.fund(owner, s.w.d.quote, quote(1_490), s.w.d.vault);
    s.w.fund(owner, s.w.d.collateral, collateral(1), s.w.d.vault);
    refused! { s.w, vault,
        owner => repay(0, owner, quote(1_490)), LedgerError::SyncRequired;
        owner => deposit(0, collateral(1)), LedgerError::SyncRequired;
        owner => withdraw(0, collateral(1)), LedgerError::SyncRequired;
        owner => borrow(0, quote(1)), LedgerError::SyncRequired;
    }
    let view = s.w.d.vault().call().position(0, owner);
    let asleep = Err(VaultError::Ledger(LedgerError::SyncRequired));
    assert_eq!(s.w.ask(s.w.d.vault, view), asleep);
    let mut calls = 1;
    loop {
        let sync = s.w.d.vault().call_mut().sync(0, owner, 8);
        if s.w.vault(s.stranger, sync).expect("makes progress").value {
            break;
        }
        calls += 1;
    }
    assert!((4..=5).contains(&calls), "{calls} calls for 34 moves");
    let view = s.w.view(owner);
    assert!(
        collateral(10).get() - view.collateral.get() <= 34,
        "a unit a batch at most"
    );
    assert!(view.debt.get() - quote(1_490).get() <= 34);
    s.w.repay_all(owner);
    s.w.withdraw_all(owner);
}
