//! A keeper that looks after its market: the margin, changed terms, and the circuit breaker (F09,
//! F27, F28).

mod harness;

use breakwater_bot::action::{Action, Refusal};
use breakwater_bot::fault::Class;
use breakwater_bot::upkeep::{Duty, Whose};
use breakwater_bot::Report;
use breakwater_core::breaker::{Cause, Stage};
use breakwater_core::margin::MarginRule;
use breakwater_core::market::{example_params, MarketParams};
use breakwater_core::timelock::SHORTEST_NOTICE;
use breakwater_core::units::Ratio;
use breakwater_embedded_tests::{price, quote, Scene, World};
use breakwater_interfaces::auction::LiquidationAuction;
use breakwater_interfaces::breaker::{CircuitBreaker, GlobalBreaker, MarketBreaker};
use breakwater_interfaces::vault::{MarginVault, Market};
use breakwater_interfaces::vault_admin::VaultAdmin;
use harness::{shaken, Running, KEEPER};
use ink::codegen::TraitCallBuilder;

/// A keeper that looks at every block.
fn keeper(more: &str) -> String {
    format!("[keeper]\n[keeper.maintain]\nevery_blocks = 1\n{more}\n")
}

/// What was done for the market.
fn duties(report: &Report) -> Vec<Duty> {
    let duty = |action: &Action| match action {
        Action::Maintain(duty) => Some(*duty),
        _ => None,
    };
    report.done.iter().filter_map(duty).collect()
}

fn stage(w: &World) -> Stage {
    let message = w.d.breaker().call().breaker(0);
    let kept: Option<(MarketBreaker, GlobalBreaker)> = w.ask(w.d.auction, message);
    kept.expect("registered").0.breaker.stage
}

fn market(w: &World) -> Market {
    let found: Option<Market> = w.ask(w.d.vault, w.d.vault().call().market(0));
    found.expect("is there")
}

#[test]
fn a_quiet_market_needs_nothing() {
    let mut scene = Scene::new();
    scene.w.checked = false;
    let mut running = Running::new(&scene.w, scene.keeper, &keeper("trip = true"));
    for _ in 0..3 {
        let report = running.on_block(&mut scene.w);
        assert_eq!(report, Report::default());
        scene.w.advance(1);
    }
    assert_eq!(running.metric("breakwater_bot_upkeep_due"), "0");
}

#[test]
fn f09_a_keeper_has_the_margin_follow_the_volatility_once_and_again_when_it_moves() {
    let mut scene = shaken();
    let mut running = Running::new(&scene.w, scene.keeper, &keeper(""));
    assert_eq!(market(&scene.w).margin.new_risk, Ratio::ZERO);
    let report = running.on_block(&mut scene.w);
    assert_eq!(duties(&report), [Duty::UpdateMargin]);
    assert_eq!(market(&scene.w).margin.new_risk, MarginRule::STANDARD.most);
    // Within the spacing nothing is asked for, and a step that changes nothing is not paid for.
    scene.w.advance(1);
    assert_eq!(running.on_block(&mut scene.w), Report::default());
    scene.w.wait(MarginRule::STANDARD.spacing);
    scene.w.set_price_twice(price(200));
    assert_eq!(running.on_block(&mut scene.w), Report::default());
    // A rise of two points has arrived after two notices: the next one is announced.
    scene.w.wait(2 * MarginRule::STANDARD.notice);
    scene.w.set_price_twice(price(200));
    let report = running.on_block(&mut scene.w);
    assert_eq!(duties(&report), [Duty::UpdateMargin]);
    let text = running.bot.as_ref().unwrap().metrics().text().unwrap();
    let counted =
        "breakwater_bot_actions_total{kind=\"update_margin\",result=\"done\",role=\"keeper\"} 2";
    assert!(text.contains(counted), "{text}");
}

#[test]
fn upkeep_that_costs_more_than_allowed_is_left_alone_except_at_any_price() {
    let scene = shaken();
    let mut w = scene.w;
    let before = w.save();
    // A native token is worth a thousand: a fee is above what is allowed here, and under ten.
    for (config, done) in [
        (keeper("max_fee = \"0.000001\""), false),
        (keeper("max_fee = 1000000"), true),
        (
            keeper("max_fee = \"0.000001\"")
                .replace("[keeper]\n", "[keeper]\nat_any_price = true\n"),
            true,
        ),
    ] {
        w.restore(&before);
        let mut running = Running::priced(&w, scene.keeper, &config, 1_000);
        let report = running.on_block(&mut w);
        assert_eq!(duties(&report) == [Duty::UpdateMargin], done, "{config}");
        assert_eq!(
            report.refusals.contains(&Refusal::Unprofitable),
            !done,
            "{report:?}"
        );
    }
}

#[test]
fn upkeep_is_looked_for_every_so_many_blocks_and_never_if_zero() {
    let mut scene = shaken();
    let before = scene.w.save();
    let config = keeper("").replace("every_blocks = 1", "every_blocks = 0");
    let mut running = Running::new(&scene.w, scene.keeper, &config);
    assert_eq!(running.on_block(&mut scene.w), Report::default());
    scene.w.restore(&before);

    let config = keeper("").replace("every_blocks = 1", "every_blocks = 5");
    let mut running = Running::new(&scene.w, scene.keeper, &config);
    // The first block is one of them: a bot that was away looks at once.
    assert_eq!(
        duties(&running.on_block(&mut scene.w)),
        [Duty::UpdateMargin]
    );
    scene.w.wait(2 * MarginRule::STANDARD.notice);
    scene.w.set_price_twice(price(200));
    let began = scene.w.block();
    let mut running = Running::new(&scene.w, scene.keeper, &config);
    let mut done = Vec::new();
    running.on_block(&mut scene.w);
    scene.w.wait(2 * MarginRule::STANDARD.notice);
    scene.w.set_price_twice(price(200));
    while scene.w.block() < began + 8 {
        if duties(&running.on_block(&mut scene.w)) == [Duty::UpdateMargin] {
            done.push(scene.w.block() - began);
        }
        scene.w.advance(1);
    }
    assert_eq!(done, [5]);
}

#[test]
fn f28_facts_are_told_only_if_asked_for_and_the_market_is_reopened_when_they_are_gone() {
    // The riskiest are under water at both of the last prices, which are a fifth apart.
    let mut scene = Scene::new();
    scene.w.checked = false;
    scene.w.set_price(price(185));
    scene.w.set_price(price(150));
    let before = scene.w.save();
    let mut silent = Running::new(&scene.w, scene.keeper, &keeper(""));
    let report = silent.on_block(&mut scene.w);
    assert_eq!(duties(&report), [], "tripping stops new batches");
    assert!(
        matches!(report.done[..], [Action::Open { .. }, ..]),
        "{report:?}"
    );
    scene.w.restore(&before);

    let mut running = Running::new(&scene.w, scene.keeper, &keeper("trip = true"));
    let report = running.on_block(&mut scene.w);
    let trip = Duty::Trip(Whose::Market, Cause::Jump);
    assert!(duties(&report).contains(&trip), "{report:?}");
    // What is at risk now is sold all the same: it was opened first.
    assert!(
        matches!(report.done[..], [Action::Open { .. }, ..]),
        "{report:?}"
    );
    assert_eq!(stage(&scene.w), Stage::NoNewRisk);
    scene.w.advance(1);
    let report = running.on_block(&mut scene.w);
    assert!(!duties(&report).contains(&trip), "noted once: {report:?}");
    assert_eq!(running.metric("breakwater_bot_breaker_stage"), "1");

    // The average has caught up and the cool-off is over.
    let mut reopened = None;
    for _ in 0..130 {
        if scene.w.block().is_multiple_of(20) {
            scene.w.wait(600_000);
            scene.w.set_price(price(150));
        }
        let report = running.on_block(&mut scene.w);
        if duties(&report).contains(&Duty::Reopen(Whose::Market)) {
            reopened = Some(report);
            break;
        }
        scene.w.advance(1);
    }
    assert!(reopened.is_some(), "{:?}", stage(&scene.w));
    assert_eq!(stage(&scene.w), Stage::Open);
}

#[test]
fn promise_7_changed_terms_are_taken_over_the_hole_at_once_and_the_rest_after_the_auction() {
    // The keeper opens the next batch in the very block in which it settles this one.
    let mut scene = Scene::crashed(150);
    scene.w.checked = false;
    let (governor, d) = (scene.w.governor(), scene.w.d);
    let next = MarketParams {
        hole: quote(20_000),
        min_debt: quote(500),
        max_price_age: 1_200_000,
        ..example_params()
    };
    let propose = d.admin().call_mut().propose_params(0, next);
    scene.w.vault(governor, propose).expect("proposes");
    scene.w.wait(SHORTEST_NOTICE);
    let apply = d.admin().call_mut().apply_params(0);
    scene.w.vault(scene.stranger, apply).expect("applies");
    scene.w.set_price_twice(price(150));
    let batch = scene.open();

    let mut running = Running::new(&scene.w, scene.keeper, &keeper(""));
    let report = running.on_block(&mut scene.w);
    assert_eq!(duties(&report), [Duty::Refresh]);
    scene.w.advance(1);
    assert_eq!(duties(&running.on_block(&mut scene.w)), [], "while it runs");
    scene.w.run_out(batch);
    scene.w.settle(scene.stranger, batch);
    let mut done = Vec::new();
    for _ in 0..2 {
        done.extend(duties(&running.on_block(&mut scene.w)));
        scene.w.advance(1);
    }
    assert_eq!(done, [Duty::Refresh]);
    let terms = scene.w.ask(d.auction, d.auction().call().market(0));
    assert_eq!(terms.expect("registered").standing.least, quote(5));
}

#[test]
fn two_keepers_that_look_after_one_market_do_the_work_once_and_see_no_fault() {
    let mut scene = shaken();
    let mut one = Running::new(&scene.w, scene.keeper, &keeper(""));
    let mut two = Running::new(&scene.w, scene.stranger, &keeper(""));
    let mut done = 0;
    for _ in 0..3 {
        for running in [&mut one, &mut two] {
            let report = running.on_block(&mut scene.w);
            done += duties(&report).len();
            let faults = report.failed.iter();
            assert!(
                faults.clone().all(|(_, class)| *class != Class::Fault),
                "{report:?}"
            );
        }
        scene.w.advance(1);
    }
    assert_eq!(done, 1);
}

#[test]
fn a_keeper_without_a_word_about_upkeep_does_it_too() {
    let mut scene = shaken();
    let mut running = Running::new(&scene.w, scene.keeper, KEEPER);
    assert_eq!(
        duties(&running.on_block(&mut scene.w)),
        [Duty::UpdateMargin]
    );
}
