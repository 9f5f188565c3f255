//! A chain on which every call takes blocks: lists of decisions grow old while they are sent.

mod harness;

use breakwater_bot::action::Action;
use breakwater_bot::run::once;
use breakwater_bot::upkeep::Duty;
use breakwater_bot::Report;
use breakwater_embedded_tests::{price as at, Scene};
use futures::FutureExt;
use harness::{bidder, opened, shaken, Running, Trouble, Troubled, KEEPER};
use std::path::Path;

/// A source of prices that a test can change: a file.
fn from_file(path: &Path) -> String {
    let path = path.display().to_string();
    format!("[price]\nkind = \"command\"\ncommand = [\"cat\", {path:?}]\n")
}

/// Four bids at once, long before their steps.
fn ladder() -> String {
    let rungs: Vec<_> = ["0.001", "0.002", "0.003", "0.004"]
        .map(|discount| format!("{{ discount = \"{discount}\", share = \"0.25\" }}"))
        .into();
    let rungs = format!("{{ kind = \"ladder\", rungs = [{}] }}", rungs.join(", "));
    let one = "{ kind = \"fixed_discount\", discount = \"0.001\" }";
    let roles = bidder("0.001").replace(one, &rungs);
    roles.replace("max_deviation", "lead_blocks = 1000\nmax_deviation")
}

fn kinds(report: &Report) -> Vec<&'static str> {
    report.done.iter().map(Action::kind).collect()
}

#[test]
fn a_limit_above_the_fair_price_is_not_sent_however_long_the_list_is() {
    let (mut scene, batch) = Scene::opened(170);
    scene.w.checked = false;
    let source = tempfile::NamedTempFile::new().unwrap();
    let says = |whole: u128| std::fs::write(source.path(), whole.to_string()).unwrap();
    let roles = format!("{}{}", from_file(source.path()), ladder());
    let mut running = Running::new(&scene.w, scene.bidders[0], &roles);
    says(170);
    let report = running.on_busy_block(&mut scene.w, 1);
    assert_eq!((kinds(&report), report.left), (vec!["bid"; 2], 2));
    // The price falls while the list is sent: what is dear is taken back, and the rest never sent.
    says(165);
    let report = running.on_busy_block(&mut scene.w, 1);
    assert_eq!(kinds(&report), ["cancel"; 2]);
    let mut looks = 0;
    while looks < 8 && scene.w.record(batch).bids < 6 {
        let report = running.on_busy_block(&mut scene.w, 1);
        for action in &report.done {
            let Action::Bid(bid) = action else {
                panic!("{action:?}");
            };
            assert!(bid.limit <= at(165), "{bid:?}");
        }
        looks += 1;
    }
    assert_eq!((looks, running.bids()), (2, 4));
}

#[test]
fn working_once_comes_to_the_end_of_the_list() {
    let (mut scene, _) = Scene::opened(170);
    scene.w.checked = false;
    let stranger = scene.stranger;
    let mut running = Running::new(&scene.w, scene.bidders[0], &ladder());
    let mut chain = Troubled::new(&mut scene.w, Trouble::Blocks(2), stranger);
    let all = once(running.bot.as_mut().unwrap(), &mut chain).now_or_never();
    let all = all.expect("never waits").unwrap();
    assert_eq!((kinds(&all), all.left), (vec!["bid"; 4], 0));
}

/// A price moves in every look, and its submission takes so long that nothing else is sent in it.
#[test]
fn upkeep_has_its_turn_beside_a_feeder_that_always_has_something_to_say() {
    let mut scene = shaken();
    let count = tempfile::NamedTempFile::new().unwrap();
    let script = format!(
        "n=$(wc -c < {0:?}); echo x >> {0:?}; echo 200.1$n",
        count.path()
    );
    let roles = format!(
        "[price]\nkind = \"command\"\ncommand = [\"sh\", \"-c\", {script:?}]\n\
         [feeder]\nmin_move = 0\nheartbeat_seconds = 600\nmax_jump = \"0.2\"\n{KEEPER}"
    );
    let mut running = Running::new(&scene.w, scene.w.feeders[0], &roles);
    let (mut submitted, mut kept_up) = (0, 0);
    for _ in 0..8 {
        let report = running.on_busy_block(&mut scene.w, 3);
        assert_eq!(report.done.len(), 1, "{report:?}");
        submitted += usize::from(kinds(&report) == ["submit"]);
        kept_up += usize::from(report.done == [Action::Maintain(Duty::UpdateMargin)]);
    }
    assert_eq!((submitted, kept_up), (7, 1));
}

/// What is at risk is opened in the block after the trial of it, whatever else a keeper has to do.
#[test]
fn a_keeper_with_other_things_to_do_opens_first() {
    let mut scene = shaken();
    scene.w.set_price_twice(at(150));
    let mut running = Running::new(&scene.w, scene.keeper, KEEPER);
    let report = running.on_busy_block(&mut scene.w, 2);
    assert_eq!((kinds(&report), report.left), (vec!["open"], 1));
    assert_eq!(opened(&scene.w), 1);
    // What was found to be due is not forgotten until the next look at it, blocks later.
    let report = running.on_busy_block(&mut scene.w, 2);
    assert_eq!(report.done, [Action::Maintain(Duty::UpdateMargin)]);
}
