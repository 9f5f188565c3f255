//! Standing tiers that a bot keeps funded, through a batch that spends them and through restarts.

mod harness;

use breakwater_bot::action::{Action, Refusal};
use breakwater_chain::AccountId;
use breakwater_core::auction::Phase;
use breakwater_core::standing::account::Worth;
use breakwater_core::units::Amount;
use breakwater_embedded_tests::{price, quote, Scene, World};
use breakwater_interfaces::auction::AuctionContractError;
use breakwater_interfaces::standing::StandingBids;
use futures::FutureExt;
use harness::{key, opened, step, Running, Trouble, Troubled, KEEPER};
use ink::codegen::TraitCallBuilder;

const PERCENT: u8 = 3;

/// Keeps 5 000 in one tier.
fn depth(max_per_day: u32) -> String {
    format!(
        "[depth]\ntiers = [{{ percent = {PERCENT}, amount = 5000 }}]\nmax_per_day = {max_per_day}\n\
         min_change = 10\nmax_deviation = \"0.05\"\n"
    )
}

fn worth(w: &World, who: AccountId) -> Worth {
    let message = w.d.standing().call().stake_of(0, PERCENT, who);
    let worth: Result<Worth, AuctionContractError> = w.ask(w.d.auction, message);
    worth.expect("adds up")
}

fn there(w: &World, who: AccountId) -> Amount {
    let worth = worth(w, who);
    worth.standing.plus(worth.waiting).expect("in range")
}

/// What it has in all: held, free in the auction and standing.
fn money(w: &World, who: AccountId) -> u128 {
    w.held(w.d.quote, who) + w.balance(who) + there(w, who).get()
}

fn is_settled(w: &World, number: u32) -> bool {
    matches!(w.record(key(number)).auction.phase, Phase::Settled(_))
}

#[test]
fn a_tier_is_funded_spent_by_a_batch_claimed_and_funded_again_within_the_days_limit() {
    let mut scene = Scene::new();
    scene.w.checked = false;
    let who = scene.bidders[0];
    let mut bots = vec![
        Running::new(&scene.w, scene.keeper, KEEPER),
        Running::new(&scene.w, who, &depth(6_000)),
    ];
    let before = money(&scene.w, who);
    step(&mut scene.w, &mut bots);
    assert_eq!(there(&scene.w, who), quote(5_000));
    let reports = step(&mut scene.w, &mut bots);
    assert_eq!(reports[1].done, [], "what is full is left alone");

    scene.w.set_price_twice(price(170));
    let (mut claimed, mut refused) = (false, false);
    for _ in 0..120 {
        let reports = step(&mut scene.w, &mut bots);
        let claim = |action: &Action| matches!(action, Action::ClaimStanding { .. });
        claimed |= reports[1].done.iter().any(claim);
        refused |= reports[1].refusals.contains(&Refusal::LimitReached);
        if claimed && refused {
            break;
        }
    }
    assert!(opened(&scene.w) > 0 && is_settled(&scene.w, 0));
    assert!(claimed && refused);
    // A thousand of the day's limit was left for what the batches took.
    let held = scene.w.held(scene.w.d.collateral, who);
    let spent = before - money(&scene.w, who);
    assert!(held > 0 && spent > quote(1_000).get(), "{held} {spent}");
    let refilled = quote(6_000).get() - spent;
    assert!(there(&scene.w, who).get() <= refilled);
    scene.w.assert_books();
}

#[test]
fn a_bot_killed_at_any_moment_of_funding_never_funds_a_tier_twice() {
    let mut scene = Scene::new();
    scene.w.checked = false;
    let who = scene.bidders[1];
    let before = scene.w.save();
    let troubles = (1..=14)
        .map(Trouble::Operation)
        .chain((1..=3).flat_map(|call| [Trouble::BeforeCall(call), Trouble::AfterCall(call)]));
    let mut killed = 0;
    for trouble in troubles {
        scene.w.restore(&before);
        let mut running = Running::new(&scene.w, who, &depth(20_000));
        let all = money(&scene.w, who);
        let (mut trouble, stranger) = (trouble, scene.stranger);
        for _ in 0..4 {
            let mut chain = Troubled::new(&mut scene.w, trouble, stranger);
            let step = running.bot.as_mut().unwrap().on_block(&mut chain);
            if step.now_or_never().is_none() {
                killed += 1;
                trouble = Trouble::None;
                running.start(&scene.w, false);
            }
            scene.w.advance(1);
        }
        // What may be under way is waited for: the tier is full or still empty, and no money is gone.
        let standing = there(&scene.w, who);
        assert!(
            standing.is_zero() || standing == quote(5_000),
            "{trouble:?}: {standing:?}"
        );
        assert_eq!(money(&scene.w, who), all, "{trouble:?}");
        for _ in 0..3 {
            scene.w.advance(131);
            let report = running.on_block(&mut scene.w);
            assert!(report.failed.is_empty(), "{report:?}");
        }
        assert_eq!(there(&scene.w, who), quote(5_000), "{trouble:?}");
        assert_eq!(money(&scene.w, who), all, "{trouble:?}");
    }
    assert!(killed > 10, "{killed}");
}

#[test]
fn a_smaller_wish_takes_the_rest_out_again() {
    let mut scene = Scene::new();
    scene.w.checked = false;
    let who = scene.bidders[0];
    let mut bots = vec![Running::new(&scene.w, who, &depth(6_000))];
    step(&mut scene.w, &mut bots);
    let less = depth(6_000).replace("5000", "1200");
    let mut bots = vec![Running::new(&scene.w, who, &less)];
    step(&mut scene.w, &mut bots);
    assert_eq!(there(&scene.w, who), quote(1_200));
}
