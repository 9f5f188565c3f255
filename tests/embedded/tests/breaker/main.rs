//! The circuit breaker through the real contracts: what each stage allows, who raises and lowers
//! it, what a halt does to the price clock, and which facts trip it (F28, promises 6 to 8).

mod dead_oracle;
mod facts;
mod messages;
mod together;

use breakwater_chain::{AccountId, CallError, CallOptions, Chain, Constructor, Gas, Message};
use breakwater_core::auction::End;
use breakwater_core::breaker::action::allowed;
use breakwater_core::breaker::{Action, BreakerError, Cause, Limits, Stage};
use breakwater_core::market::{example_params, MarketParams};
use breakwater_core::units::{Amount, Ratio, Shares};
use breakwater_embedded_tests::{collateral, price, quote, Scene};
use breakwater_interfaces::auction::{AuctionContractError as Error, BatchKey, LiquidationAuction};
use breakwater_interfaces::breaker::{CircuitBreaker, MarketBreaker, Tripped};
use breakwater_interfaces::governance::Guarded;
use breakwater_interfaces::oracle::OracleAdapter;
use breakwater_interfaces::token::PROBE;
use breakwater_interfaces::vault::{MarginVault, VaultError};
use breakwater_sim::artifacts::Contract;
use breakwater_sim::deployment::Deployment;
use futures::executor::block_on;
use ink::codegen::TraitCallBuilder;
use ink::env::call::{ExecutionInput, Selector};
use scale::Decode;
use std::fmt::Debug;

const MARKET: Option<u32> = Some(0);

/// Names a guardian of the auction.
fn guardian(s: &mut Scene) -> AccountId {
    let (governor, guardian) = (s.w.governor(), s.w.account(50));
    let mut auction = Deployment::guarded(s.w.d.auction);
    let message = auction.call_mut().set_guardian(Some(guardian));
    s.w.send(governor, s.w.d.auction, message).expect("named");
    guardian
}

fn raise(s: &mut Scene, who: AccountId, market: Option<u32>, stage: Stage) {
    let message = s.w.d.breaker().call_mut().raise(market, stage);
    s.w.auction(who, message).expect("raises");
}

fn lower(s: &mut Scene, market: Option<u32>, stage: Stage) {
    let (governor, d) = (s.w.governor(), s.w.d);
    s.w.auction(governor, d.breaker().call_mut().lower(market, stage))
        .expect("lowers");
}

fn trip(s: &mut Scene, cause: Cause) -> Result<Tripped, Option<Error>> {
    let message = s.w.d.breaker().call_mut().trip(Some(0), cause);
    match s.w.auction(s.stranger, message) {
        Ok(receipt) => Ok(receipt.value),
        Err(error) => Err(error.reverted()),
    }
}

fn reopen(s: &mut Scene) -> Result<(), Option<Error>> {
    let message = s.w.d.breaker().call_mut().reopen(MARKET);
    match s.w.auction(s.stranger, message) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.reverted()),
    }
}

fn kept(s: &Scene) -> MarketBreaker {
    let message = s.w.d.breaker().call().breaker(0);
    s.w.ask(s.w.d.auction, message).expect("registered").0
}

fn within() -> Result<Tripped, Option<Error>> {
    Err(Some(Error::Breaker(BreakerError::WithinBounds)))
}

/// A market whose hole its ten owners can fill: their batches count as evidence.
fn small_hole() -> MarketParams {
    MarketParams {
        hole: quote(20_000),
        min_batch: quote(20_000),
        ..example_params()
    }
}

/// A scene in which an action is possible, and the call that does it.
type Call = Box<dyn Fn(&mut Scene) -> bool>;

fn prepared(action: Action) -> Option<(Scene, Call)> {
    macro_rules! call {
        ($contract:ident, $who:expr, $message:expr) => {
            Box::new(move |s: &mut Scene| {
                let (who, d) = ($who(s), s.w.d);
                s.w.$contract(who, $message(d)).is_ok()
            })
        };
    }
    let owner = |s: &Scene| s.owners[0];
    let riskiest = |s: &Scene| s.owners[9];
    let keeper = |s: &Scene| s.keeper;
    let bidder = |s: &Scene| s.bidders[0];
    Some(match action {
        Action::Supply | Action::Redeem => {
            let mut s = Scene::new();
            let (lender, d) = (s.w.lender(), s.w.d);
            s.w.fund(lender, d.quote, quote(10), d.vault);
            let lender = |s: &Scene| s.w.lender();
            if action == Action::Supply {
                (
                    s,
                    call!(vault, lender, |d: Deployment| d
                        .vault()
                        .call_mut()
                        .supply(0, quote(10))),
                )
            } else {
                (
                    s,
                    call!(vault, lender, |d: Deployment| d
                        .vault()
                        .call_mut()
                        .redeem(0, Shares::new(1_000_000_000))),
                )
            }
        }
        Action::TopUp | Action::Repay => {
            // In a running batch, which is the harder case.
            let (mut s, _) = Scene::opened(150);
            let (who, d) = (s.owners[9], s.w.d);
            s.w.fund(who, d.quote, quote(10), d.vault);
            s.w.fund(who, d.collateral, collateral(1), d.vault);
            if action == Action::TopUp {
                (
                    s,
                    call!(vault, riskiest, |d: Deployment| d
                        .vault()
                        .call_mut()
                        .deposit(0, collateral(1))),
                )
            } else {
                (
                    s,
                    Box::new(|s: &mut Scene| {
                        let (who, d) = (s.owners[9], s.w.d);
                        s.w.vault(who, d.vault().call_mut().repay(0, who, quote(10)))
                            .is_ok()
                    }),
                )
            }
        }
        Action::WithdrawFree => {
            let mut s = Scene::new();
            let (who, d) = (s.stranger, s.w.d);
            s.w.fund(who, d.collateral, collateral(2), d.vault);
            s.w.vault(who, d.vault().call_mut().deposit(0, collateral(2)))
                .expect("deposits");
            let stranger = |s: &Scene| s.stranger;
            (
                s,
                call!(vault, stranger, |d: Deployment| d
                    .vault()
                    .call_mut()
                    .withdraw(0, collateral(1))),
            )
        }
        Action::WithdrawIndebted => {
            let mut s = Scene::new();
            s.w.set_price_twice(price(300));
            (
                s,
                call!(vault, owner, |d: Deployment| d
                    .vault()
                    .call_mut()
                    .withdraw(0, collateral(1))),
            )
        }
        Action::Borrow => (
            Scene::new(),
            call!(vault, owner, |d: Deployment| d
                .vault()
                .call_mut()
                .borrow(0, quote(10))),
        ),
        Action::Sync => (
            Scene::new(),
            Box::new(|s: &mut Scene| {
                let (who, d) = (s.owners[0], s.w.d);
                s.w.vault(s.stranger, d.vault().call_mut().sync(0, who, 4))
                    .is_ok()
            }),
        ),
        Action::OpenBatch => (
            Scene::crashed(150),
            call!(auction, keeper, |d: Deployment| d
                .auction()
                .call_mut()
                .open_batch(0)),
        ),
        Action::Reauction => {
            let (mut s, batch) = Scene::opened(150);
            s.w.run_out(batch);
            s.w.settle(s.keeper, batch);
            s.w.rest(s.keeper, batch);
            s.w.advance(100);
            s.w.set_price_twice(price(150));
            (
                s,
                call!(auction, keeper, |d: Deployment| d
                    .auction()
                    .call_mut()
                    .open_batch(0)),
            )
        }
        Action::Bid
        | Action::Cancel
        | Action::Leave
        | Action::Clear
        | Action::Settle
        | Action::Claim => {
            let (mut s, batch) = Scene::opened(150);
            let auction = s.w.record(batch).auction;
            let bid = s.bid(0, batch, quote(500), auction.prices[40]);
            let leaver = s.owners[0];
            s.w.repay_all(leaver);
            s.w.fund(leaver, s.w.d.quote, quote(100), s.w.d.vault);
            if matches!(action, Action::Bid | Action::Cancel | Action::Leave) {
                s.w.run_to(batch, 3);
            } else {
                s.w.run_out(batch);
            }
            if matches!(action, Action::Settle | Action::Claim) {
                s.w.judge(s.keeper, batch);
            }
            if action == Action::Claim {
                s.w.settle(s.keeper, batch);
            }
            let call: Call =
                match action {
                    Action::Bid => call!(auction, bidder, |d: Deployment| d
                        .auction()
                        .call_mut()
                        .bid(batch, quote(500), price(150), u32::MAX)),
                    Action::Cancel => call!(auction, bidder, |d: Deployment| d
                        .auction()
                        .call_mut()
                        .cancel(batch, bid)),
                    Action::Leave => call!(auction, owner, |d: Deployment| d
                        .auction()
                        .call_mut()
                        .leave(batch)),
                    Action::Clear => call!(auction, keeper, |d: Deployment| d
                        .auction()
                        .call_mut()
                        .advance(batch)),
                    Action::Settle => call!(auction, keeper, |d: Deployment| d
                        .auction()
                        .call_mut()
                        .settle(batch)),
                    _ => call!(auction, bidder, |d: Deployment| d
                        .auction()
                        .call_mut()
                        .claim(batch, vec![bid])),
                };
            (s, call)
        }
        // Insurance does not buy yet; taking in kind is among the messages.
        Action::Backstop | Action::TakeInKind => return None,
    })
}

/// F28, promise 6: every stage × every message, of a market's breaker and of that of all markets.
#[test]
fn f28_each_stage_allows_exactly_what_its_table_says() {
    for action in Action::ALL {
        let Some((mut s, call)) = prepared(action) else {
            continue;
        };
        let guardian = guardian(&mut s);
        let before = s.w.save();
        for stage in Stage::ALL {
            for market in [MARKET, None] {
                s.w.restore(&before);
                if stage > Stage::Open {
                    raise(&mut s, guardian, market, stage);
                }
                assert_eq!(
                    call(&mut s),
                    allowed(stage, action),
                    "{action:?} in {stage:?} of {market:?}"
                );
            }
        }
    }
}

#[test]
fn refusals_name_the_breaker() {
    let mut s = Scene::new();
    let (guardian, owner, keeper, d) = (guardian(&mut s), s.owners[0], s.keeper, s.w.d);
    s.w.set_price_twice(price(300));
    raise(&mut s, guardian, MARKET, Stage::NoReauction);
    let stopped = VaultError::Stopped;
    s.w.refused(
        owner,
        d.vault,
        d.vault().call_mut().borrow(0, quote(1)),
        stopped,
    );
    s.w.refused(
        owner,
        d.vault,
        d.vault().call_mut().withdraw(0, collateral(1)),
        stopped,
    );
    let open = d.auction().call_mut().open_batch(0);
    let error = Error::Breaker(BreakerError::Stopped(Stage::NoReauction));
    s.w.refused(keeper, d.auction, open, error);
    // The vault takes its stage from the auction contract alone.
    let told = d.vault().call_mut().set_stage(MARKET, Stage::Open);
    s.w.refused(s.w.governor(), d.vault, told, VaultError::NotAuction);
}

#[test]
fn roles_raise_and_only_the_governor_lowers() {
    let mut s = Scene::new();
    let (guardian, stranger, governor, d) = (guardian(&mut s), s.stranger, s.w.governor(), s.w.d);
    let call = || d.breaker();
    s.w.refused(
        stranger,
        d.auction,
        call().call_mut().raise(MARKET, Stage::Halted),
        Error::NotGuardian,
    );
    s.w.refused(
        stranger,
        d.auction,
        call().call_mut().raise(None, Stage::Halted),
        Error::NotGuardian,
    );
    raise(&mut s, guardian, MARKET, Stage::NoReauction);
    for market in [MARKET, None] {
        for who in [guardian, stranger] {
            s.w.refused(
                who,
                d.auction,
                call().call_mut().lower(market, Stage::Open),
                Error::NotGovernor,
            );
        }
    }
    let refused = |error| Error::Breaker(error);
    s.w.refused(
        guardian,
        d.auction,
        call().call_mut().raise(MARKET, Stage::NoNewRisk),
        refused(BreakerError::NotHigher),
    );
    s.w.refused(
        governor,
        d.auction,
        call().call_mut().lower(MARKET, Stage::Halted),
        refused(BreakerError::NotLower),
    );
    let limits = Limits::standard(quote(1));
    s.w.refused(
        guardian,
        d.auction,
        call().call_mut().set_limits(0, limits),
        Error::NotGovernor,
    );
    let wrong = Limits {
        cool_off: 0,
        ..limits
    };
    s.w.refused(
        governor,
        d.auction,
        call().call_mut().set_limits(0, wrong),
        refused(BreakerError::InvalidLimits),
    );
    s.w.refused(
        stranger,
        d.auction,
        call().call_mut().trip(Some(7), Cause::Stale),
        Error::UnknownMarket,
    );
    lower(&mut s, MARKET, Stage::Open);
    assert_eq!(kept(&s).breaker.stage, Stage::Open);
}

/// Promise 7: the clock stands while a market, or all markets, are halted, and goes on where it
/// stood; a bid whose step has not begun can be taken back meanwhile.
#[test]
fn promise_7_a_halt_stops_the_price_clock() {
    for market in [MARKET, None] {
        let (mut s, batch) = Scene::opened(150);
        let guardian = guardian(&mut s);
        let late = s.w.record(batch).auction.prices[40];
        let bid = s.bid(0, batch, quote(500), late);
        s.w.run_to(batch, 5);
        let status = |s: &Scene| {
            s.w.ask(s.w.d.auction, s.w.d.auction().call().status(batch))
                .expect("runs")
        };
        raise(&mut s, guardian, market, Stage::Halted);
        let stood = status(&s);
        s.w.advance(40);
        assert_eq!(
            (status(&s).step, status(&s).price),
            (stood.step, stood.price)
        );
        let message = s.w.d.auction().call_mut().cancel(batch, bid);
        s.w.auction(s.bidders[0], message).expect("taken back");
        lower(&mut s, market, Stage::Open);
        assert_eq!(status(&s).clock.halted, 40);
        s.w.advance(3);
        assert_eq!(status(&s).step, stood.step + 3);
    }
}

/// Promise 8: a batch halted for more than 600 blocks closes during the halt.
#[test]
fn promise_8_a_batch_halted_too_long_closes_in_the_halt() {
    let (mut s, batch) = Scene::opened(150);
    let guardian = guardian(&mut s);
    let bid = s.bid(0, batch, quote(500), price(150));
    s.w.run_to(batch, 2);
    raise(&mut s, guardian, None, Stage::Halted);
    s.w.advance(601);
    s.w.settle(s.keeper, batch);
    assert_eq!(s.w.clearing(batch).end, End::Halted);
    let fill = s.w.claim(s.bidders[0], batch, &[bid]);
    assert_eq!(fill.refunded, quote(500));
}

/// F28: every stage, raised by whoever may, is left again without any role: after its term.
#[test]
fn f28_from_every_stage_anyone_reopens_in_the_end() {
    let mut s = Scene::new();
    let guardian = guardian(&mut s);
    let before = s.w.save();
    for stage in [Stage::NoNewRisk, Stage::NoReauction, Stage::Halted] {
        for market in [MARKET, None] {
            s.w.restore(&before);
            raise(&mut s, guardian, market, stage);
            let reopen = |s: &mut Scene| {
                let message = s.w.d.breaker().call_mut().reopen(market);
                s.w.refusal(s.stranger, s.w.d.auction, message)
            };
            assert_eq!(
                reopen(&mut s),
                Some(Error::Breaker(BreakerError::CoolingOff))
            );
            s.w.advance(100);
            let remains = BreakerError::CauseRemains(Cause::Role);
            assert_eq!(reopen(&mut s), Some(Error::Breaker(remains)));
            s.w.advance(14_300);
            assert_eq!(reopen(&mut s), None, "{stage:?} of {market:?}");
            s.w.set_price_twice(price(200));
            let borrow = s.w.d.vault().call_mut().borrow(0, quote(1));
            s.w.vault(s.owners[0], borrow).expect("borrows again");
        }
    }
}
