//! Governance of a market: notice before parameters change, restriction at once, a threshold that
//! falls without a step, and terms that never change under a running auction (promises 5 and 7).

use breakwater_core::ledger::LedgerError;
use breakwater_core::lending::LendingError;
use breakwater_core::margin::{MarginError, MarginRule};
use breakwater_core::market::{example_params, Limits, MarketParams, ParamsError};
use breakwater_core::position::Status;
use breakwater_core::roles::RoleError;
use breakwater_core::timelock::{TimelockError, PROPOSAL_LIFE, SHORTEST_NOTICE};
use breakwater_core::units::{Amount, Ratio};
use breakwater_embedded_tests::{collateral, price, quote, refused, Scene, World};
use breakwater_interfaces::governance::Guarded;
use breakwater_interfaces::vault::{MarginVault, Market, VaultError};
use breakwater_interfaces::vault_admin::VaultAdmin;
use breakwater_sim::deployment::Deployment;
use ink::codegen::TraitCallBuilder;

const NONE: u32 = 7;

fn limits(params: &MarketParams) -> Limits {
    Limits {
        initial_ltv: params.initial_ltv,
        debt_ceiling: params.debt_ceiling,
        supply_cap: params.supply_cap,
    }
}

fn market(w: &World) -> Market {
    let found = w.ask(w.d.vault, w.d.vault().call().market(0));
    found.expect("exists")
}

fn propose(w: &mut World, params: MarketParams) {
    let message = w.d.admin().call_mut().propose_params(0, params);
    w.vault(w.governor(), message).expect("proposes");
}

fn apply(w: &mut World) {
    let message = w.d.admin().call_mut().apply_params(0);
    w.vault(w.feeders[0], message).expect("applies");
}

/// A guardian named by the governor.
fn guardian(w: &mut World) -> breakwater_chain::AccountId {
    let (guardian, governor, vault) = (w.account(55), w.governor(), w.d.vault);
    let name = Deployment::guarded(vault)
        .call_mut()
        .set_guardian(Some(guardian));
    w.send(governor, vault, name).expect("names");
    guardian
}

macro_rules! admin_refused {
    ($w:expr, $($who:expr => $message:ident($($arg:expr),*), $error:expr;)*) => {$(
        let message = $w.d.admin().call_mut().$message($($arg),*);
        assert_eq!(
            $w.refusal($who, $w.d.vault, message),
            Some($error.into()),
            "{}",
            concat!(stringify!($message), "(", stringify!($($arg),*), ")"),
        );
    )*};
}

#[test]
fn messages_of_governance_refuse_each_by_its_own_error_and_change_nothing() {
    let mut w = World::new();
    let (governor, stranger, valid) = (w.governor(), w.account(40), example_params());
    let guardian = guardian(&mut w);
    let mut fixed = valid.clone();
    fixed.feed = 9;
    let mut wild = valid.clone();
    wild.notice = SHORTEST_NOTICE - 1;
    let mut looser = limits(&valid);
    looser.debt_ceiling = looser.debt_ceiling.plus(Amount::new(1)).unwrap();
    admin_refused! { w,
        stranger => propose_params(0, valid.clone()), VaultError::NotGovernor;
        guardian => propose_params(0, valid.clone()), VaultError::NotGovernor;
        governor => propose_params(NONE, valid.clone()), VaultError::UnknownMarket;
        governor => propose_params(0, fixed.clone()), ParamsError::Fixed;
        governor => propose_params(0, wild.clone()), ParamsError::Notice;
        stranger => apply_params(0), TimelockError::NothingProposed;
        stranger => apply_params(NONE), VaultError::UnknownMarket;
        stranger => cancel_params(0), VaultError::NotGuardian;
        guardian => cancel_params(0), TimelockError::NothingProposed;
        guardian => cancel_params(NONE), VaultError::UnknownMarket;
        stranger => restrict(0, limits(&valid)), VaultError::NotGuardian;
        guardian => restrict(NONE, limits(&valid)), VaultError::UnknownMarket;
        guardian => restrict(0, looser), ParamsError::Loosened;
        governor => restrict(0, looser), ParamsError::Loosened;
        stranger => wind_down(0), VaultError::NotGovernor;
        guardian => wind_down(0), VaultError::NotGovernor;
        governor => wind_down(NONE), VaultError::UnknownMarket;
        stranger => insure(0, Amount::ZERO), LendingError::ZeroAmount;
        stranger => insure(NONE, quote(1)), VaultError::UnknownMarket;
        stranger => collect(0, false), LendingError::NotWindingDown;
        stranger => collect(NONE, false), VaultError::UnknownMarket;
        stranger => take_in_kind(0, stranger), LedgerError::NotInKindYet;
        stranger => take_in_kind(NONE, stranger), VaultError::UnknownMarket;
    }
    let vault = w.d.vault;
    for who in [stranger, guardian] {
        let name = Deployment::guarded(vault)
            .call_mut()
            .set_guardian(Some(who));
        w.refused(who, vault, name, RoleError::NotGovernor);
    }
}

#[test]
fn parameters_change_after_their_notice_by_anyones_call_and_lapse() {
    let mut w = World::new();
    let first = market(&w).params;
    let mut next = example_params();
    next.debt_ceiling = quote(7);
    next.notice = 2 * SHORTEST_NOTICE;
    propose(&mut w, next.clone());
    let stranger = w.account(40);
    let start = w.save();
    w.wait(SHORTEST_NOTICE - 6_000);
    admin_refused! { w, stranger => apply_params(0), TimelockError::TooEarly; }
    assert_eq!(market(&w).params, first);
    w.wait(6_000);
    apply(&mut w);
    assert_eq!(market(&w).params, next);
    admin_refused! { w, stranger => apply_params(0), TimelockError::NothingProposed; }
    // The next change waits as long as the new notice says.
    propose(&mut w, example_params());
    w.wait(SHORTEST_NOTICE);
    admin_refused! { w, stranger => apply_params(0), TimelockError::TooEarly; }

    w.restore(&start);
    w.wait(SHORTEST_NOTICE + PROPOSAL_LIFE + 6_000);
    admin_refused! { w, stranger => apply_params(0), TimelockError::Lapsed; }

    // A guardian may stop what was announced.
    w.restore(&start);
    let guardian = guardian(&mut w);
    let cancel = w.d.admin().call_mut().cancel_params(0);
    w.vault(guardian, cancel).expect("cancels");
    w.wait(SHORTEST_NOTICE);
    admin_refused! { w, stranger => apply_params(0), TimelockError::NothingProposed; }
}

#[test]
fn a_guardian_restricts_at_once_and_only_new_risk() {
    let mut s = Scene::new();
    let guardian = guardian(&mut s.w);
    let mut later = example_params();
    later.keeper_tip = quote(6);
    propose(&mut s.w, later);
    let to = Limits {
        initial_ltv: Ratio::from_bps(5_000),
        debt_ceiling: Amount::ZERO,
        supply_cap: Amount::ZERO,
    };
    let restrict = s.w.d.admin().call_mut().restrict(0, to);
    s.w.vault(guardian, restrict).expect("restricts");
    let (owner, stranger) = (s.owners[0], s.stranger);
    assert_eq!(
        market(&s.w).proposal,
        None,
        "it was made without the restriction"
    );
    let lent = s.w.d.quote;
    s.w.fund(stranger, lent, quote(5), s.w.d.vault);
    refused! { s.w, vault,
        stranger => supply(0, quote(5)), LendingError::SupplyCapExceeded;
        owner => borrow(0, quote(1)), LedgerError::ExceedsInitialLtv;
    }
    let rich = s.w.account(50);
    s.w.fund(rich, s.w.d.collateral, collateral(100), s.w.d.vault);
    refused! { s.w, vault,
        rich => deposit_and_borrow(0, collateral(100), quote(100)), LedgerError::DebtCeilingExceeded;
    }
    // Nobody who is there already notices.
    for owner in s.owners.clone() {
        assert!(s.w.view(owner).status.is_safe());
        s.w.repay_all(owner);
        s.w.withdraw_all(owner);
    }
    let lender = s.w.lender();
    assert!(s.w.redeem_all(lender) >= quote(10_000_000).get() - 1);
}

#[test]
fn a_lower_threshold_makes_nobody_liquidatable_in_its_block_and_never_early() {
    let mut s = Scene::new();
    // 1 490 on 10 at 200 is 74.5 %: healthy at 80 %, not at 69 %.
    let mut next = example_params();
    next.initial_ltv = Ratio::from_bps(6_000);
    next.liquidation_threshold = Ratio::from_bps(6_900);
    propose(&mut s.w, next);
    s.w.wait(SHORTEST_NOTICE);
    s.w.set_price_twice(price(200));
    apply(&mut s.w);
    let all_healthy = |s: &Scene| {
        let at = |owner| s.w.view(owner).status.is_safe();
        s.owners.iter().all(|owner| at(*owner))
    };
    assert!(all_healthy(&s), "in the block of the change");
    assert_eq!(s.open_refused(), LedgerError::NothingToLiquidate);
    let riskiest = s.owners[9];
    let at_once = s.w.view(riskiest).liquidation_price;

    // A tenth of the way: 78.9 %, which the riskiest still stands.
    s.w.wait(SHORTEST_NOTICE / 10);
    s.w.set_price_twice(price(200));
    assert!(all_healthy(&s));
    assert!(s.w.view(riskiest).liquidation_price > at_once);
    assert_eq!(s.open_refused(), LedgerError::NothingToLiquidate);
    // Six tenths: 73.4 %, which the riskiest does not, and the safest does.
    s.w.wait(SHORTEST_NOTICE / 2);
    s.w.set_price_twice(price(200));
    assert_eq!(s.w.view(riskiest).status, Status::Liquidatable);
    assert!(s.w.view(s.owners[0]).status.is_safe());
    s.open();
    // It never rises again, and ends where it was announced to.
    s.w.wait(SHORTEST_NOTICE);
    s.w.set_price_twice(price(200));
    assert_eq!(s.w.view(s.owners[0]).status, Status::Liquidatable);
}

#[test]
fn a_running_auction_keeps_its_terms_and_its_keepers_their_reward() {
    let (mut s, batch) = Scene::opened(170);
    let auction = s.w.record(batch).auction;
    s.bid(0, batch, auction.targets[20], auction.prices[20]);
    let record = s.w.record(batch);
    s.w.run_to(batch, 21);
    let start = s.w.save();
    let expected = s.w.settle(s.keeper, batch);
    let balances = |s: &Scene| (s.w.reward(s.keeper), s.w.accounting().state.insurance);
    let paid = balances(&s);

    s.w.restore(&start);
    let mut next = example_params();
    next.penalty = Ratio::from_bps(10);
    next.keeper_tip = Amount::ZERO;
    next.keeper_share = Ratio::ZERO;
    next.hole = next.min_batch;
    next.min_debt = quote(5_000);
    next.target_health = Ratio::from_bps(12_000);
    next.ladder.floor = Ratio::from_bps(9_500);
    propose(&mut s.w, next.clone());
    s.w.wait(SHORTEST_NOTICE);
    apply(&mut s.w);
    assert_eq!(market(&s.w).params, next);
    assert_eq!(s.w.record(batch), record);
    assert_eq!(s.w.settle(s.keeper, batch), expected);
    assert_eq!(balances(&s), paid);
}

#[test]
fn a_position_under_the_minimum_debt_may_only_repay_or_add() {
    let mut s = Scene::of(
        example_params(),
        &[(collateral(100), quote(150))],
        Amount::ZERO,
    );
    let (owner, d) = (s.owners[0], s.w.d);
    let mut next = example_params();
    next.min_debt = quote(200);
    propose(&mut s.w, next);
    s.w.wait(SHORTEST_NOTICE);
    apply(&mut s.w);
    s.w.set_price_twice(price(200));
    s.w.fund(owner, d.quote, quote(150), d.vault);
    s.w.fund(owner, d.collateral, collateral(1), d.vault);
    refused! { s.w, vault,
        owner => withdraw(0, collateral(1)), LedgerError::BelowMinimumDebt;
        owner => borrow(0, quote(1)), LedgerError::BelowMinimumDebt;
        owner => borrow(0, quote(500)), LedgerError::BelowMinimumDebt;
        owner => deposit_and_borrow(0, collateral(1), quote(500)), LedgerError::BelowMinimumDebt;
    }
    let add = d.vault().call_mut().deposit(0, collateral(1));
    s.w.vault(owner, add).expect("adds");
    let repay = d.vault().call_mut().repay(0, owner, quote(50));
    s.w.vault(owner, repay).expect("repays a part");
    assert_eq!(s.w.view(owner).debt, quote(100));
    s.w.repay_all(owner);
    assert_eq!(s.w.withdraw_all(owner), collateral(101).get());
}

#[test]
fn an_old_interest_curve_runs_until_the_very_moment_of_the_change() {
    use breakwater_core::interest::InterestCurve;
    let params = MarketParams {
        interest: InterestCurve::STANDARD,
        ..example_params()
    };
    let position = (collateral(50_000), quote(7_000_000));
    let mut s = Scene::of(params.clone(), &[position], Amount::ZERO);
    let next = MarketParams {
        interest: InterestCurve::FREE,
        ..params
    };
    propose(&mut s.w, next);
    s.w.wait(SHORTEST_NOTICE);
    let owed = |s: &Scene| s.w.view_at(s.owners[0], price(200)).debt;
    let before = owed(&s);
    assert!(before > quote(7_000_000));
    apply(&mut s.w);
    assert_eq!(owed(&s), before, "a day's interest is borne");
    s.w.wait(SHORTEST_NOTICE);
    assert_eq!(owed(&s), before, "and none after");
}

/// F09: volatility raises the margin: for new risk at once and without anybody's call, for open
/// positions after notice and little by little; nobody becomes liquidatable in the block of an
/// update, views and liquidation prices tell what is in force, and no position is visited.
#[test]
fn f09_the_margin_follows_volatility_and_nobody_is_liquidatable_in_the_block_of_an_update() {
    let rule = MarginRule::STANDARD;
    let mut s = Scene::with_params(MarketParams {
        margin: rule,
        ..example_params()
    });
    let (owner, riskiest, stranger) = (s.owners[0], s.owners[9], s.stranger);
    let calm = s.w.view(riskiest).liquidation_price;
    let room = s.w.view(owner).borrowable;
    assert!(room > quote(99), "75 % of 2 000 less 1 400: {room:?}");
    // Down a tenth and back within a minute: the day's volatility is far beyond the reference.
    s.w.set_price_twice(price(180));
    s.w.set_price_twice(price(200));
    refused! { s.w, vault, owner => borrow(0, quote(1)), LedgerError::ExceedsInitialLtv; }
    assert_eq!(s.w.view(owner).borrowable, Amount::ZERO);
    assert_eq!(s.w.view_at(owner, price(200)).borrowable, Amount::ZERO);
    // 65 % of what is worth 2 400 is more than 1 400 by 160.
    let room = s.w.view_at(owner, price(240)).borrowable;
    assert!(room <= quote(160) && room >= quote(159), "{room:?}");

    let update = |s: &mut Scene| {
        let before: Vec<_> = s.owners.iter().map(|owner| s.w.view(*owner)).collect();
        let message = s.w.d.admin().call_mut().update_margin(0);
        s.w.vault(stranger, message).expect("updates");
        let after: Vec<_> = s.owners.iter().map(|owner| s.w.view(*owner)).collect();
        assert_eq!(before, after, "in the block of an update");
    };
    update(&mut s);
    admin_refused! { s.w,
        stranger => update_margin(0), MarginError::TooSoon;
        stranger => update_margin(NONE), VaultError::UnknownMarket;
    }
    let margin = market(&s.w).margin;
    assert_eq!(margin.new_risk, rule.most);
    let announced = margin.announced(0).expect("a rise");
    assert_eq!(announced.margin, rule.rise);
    assert_eq!(announced.until - announced.from, rule.notice);

    // Two points in each two hours: 78, 76, 74 %. The riskiest owes 74.5 %.
    let mut threshold = 80;
    while threshold > 74 {
        let before = s.w.view_at(riskiest, price(200));
        s.w.wait(rule.notice);
        s.w.set_price_twice(price(200));
        let now = s.w.view_at(riskiest, price(200));
        let moved = now.liquidation_price.unwrap().get() - before.liquidation_price.unwrap().get();
        assert!(moved < price(1).get() / 50, "it only just begins to rise");
        assert_eq!(s.open_refused(), LedgerError::NothingToLiquidate);
        s.w.wait(rule.notice);
        s.w.set_price_twice(price(200));
        threshold -= 2;
        let view = s.w.view(riskiest);
        // `debt / (collateral · threshold)`, up to a tick under it.
        let exact = price(14_900).get() / (threshold * 10) * 100 / 10;
        let told = view.liquidation_price.expect("in debt").get();
        assert!(
            told <= exact && told > exact / 1_000 * 998,
            "{told} of {exact}"
        );
        assert_eq!(view.status.is_safe(), threshold > 74);
        if threshold > 74 {
            update(&mut s);
        }
    }
    assert!(s.w.view(riskiest).liquidation_price > calm);
    let batch = s.open();
    assert!(
        (1..10).contains(&s.w.batch(batch).members),
        "not the safe ones"
    );
}

/// F09: without a recent price nothing is known of the volatility, and the margin stays.
#[test]
fn f09_a_stale_price_moves_no_margin() {
    let mut s = Scene::with_params(MarketParams {
        margin: MarginRule::STANDARD,
        ..example_params()
    });
    let stranger = s.stranger;
    admin_refused! { s.w, stranger => update_margin(0), MarginError::NotMeasured; }
    s.w.set_price_twice(price(180));
    s.w.wait(3_600_001);
    admin_refused! { s.w, stranger => update_margin(0), MarginError::NotMeasured; }
    s.w.set_price_twice(price(180));
    let message = s.w.d.admin().call_mut().update_margin(0);
    s.w.vault(stranger, message).expect("updates");
}
