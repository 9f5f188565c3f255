//! A crash without a hand on it: opened, filled, settled and claimed by bots alone (F27, F58).

mod harness;

use breakwater_bot::action::Refusal;
use breakwater_bot::fault::Class;
use breakwater_bot::run::{run, Blocks};
use breakwater_bot::view::PAGES_KEPT;
use breakwater_chain::{AccountId, Chain, QueryError};
use breakwater_core::auction::Phase;
use breakwater_core::oracle::FeedConfig;
use breakwater_embedded_tests::{price as at, quote, Scene, World};
use breakwater_interfaces::auction::AuctionRecord;
use futures::FutureExt;
use harness::*;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

fn cast(scene: &Scene) -> Vec<Running> {
    vec![
        Running::new(&scene.w, scene.keeper, KEEPER),
        Running::new(&scene.w, scene.bidders[0], &bidder("0.001")),
        Running::new(&scene.w, scene.bidders[1], &bidder("0.001")),
    ]
}

fn held(w: &World, who: AccountId) -> u128 {
    w.held(w.d.collateral, who)
}

fn is_settled(record: &AuctionRecord) -> bool {
    matches!(record.auction.phase, Phase::Settled(_))
}

#[test]
fn a_batch_is_opened_within_two_blocks_of_the_breach_in_fifty_crashes() {
    let mut scene = Scene::new();
    scene.w.checked = false;
    let before = scene.w.save();
    let mut random = ChaCha8Rng::seed_from_u64(58);
    let mut delays = Vec::new();
    for _ in 0..50 {
        scene.w.restore(&before);
        let mut bots = [Running::new(&scene.w, scene.keeper, KEEPER)];
        // All but the first owner at most are under water from 185 down.
        let to = 140 + u128::from(random.next_u32() % 45);
        let quiet = random.next_u32() % 4;
        for _ in 0..quiet {
            step(&mut scene.w, &mut bots);
        }
        scene.w.submit(at(to));
        step(&mut scene.w, &mut bots);
        scene.w.submit(at(to));
        // From here on positions are unhealthy at both rounds.
        let breach = scene.w.block();
        let mut delay = 0;
        while opened(&scene.w) == 0 && delay < 20 {
            step(&mut scene.w, &mut bots);
            delay = scene.w.block() - 1 - breach;
        }
        delays.push(delay);
    }
    delays.sort_unstable();
    assert!(delays[47] <= 2, "p95 of 50: {delays:?}");
}

#[test]
fn bots_open_fill_settle_and_claim_and_both_bidders_books_balance() {
    let mut scene = crashed(170);
    let mut bots = cast(&scene);
    let before: Vec<_> = scene.bidders[..2]
        .iter()
        .map(|bidder| scene.w.balance(*bidder))
        .collect();
    let mut blocks = 0;
    loop {
        step(&mut scene.w, &mut bots);
        blocks += 1;
        assert!(blocks < 100, "not finished");
        let settled = scene.w.batches.iter().all(|batch| {
            let record = scene.w.record(*batch);
            is_settled(&record) && record.auction.reserved.is_zero() && record.collateral.is_zero()
        });
        if opened(&scene.w) > 0 && settled {
            break;
        }
    }
    scene.w.assert_books();
    let clearing = scene.w.clearing(key(0));
    assert!(!clearing.sold.is_zero());
    let mut spent = 0;
    for (bot, before) in bots[1..].iter().zip(before) {
        // One price for both; what was not spent is back.
        let paid = before - scene.w.balance(bot.account);
        assert!(paid > 0 && held(&scene.w, bot.account) > 0);
        assert_eq!(bot.bids(), opened(&scene.w) as usize);
        spent += paid;
    }
    let raised: u128 = scene
        .w
        .batches
        .iter()
        .map(|batch| scene.w.clearing(*batch).raised.get())
        .sum();
    assert_eq!(spent, raised);
}

/// One bot with all roles, killed somewhere, started again from its file, until all is done.
/// Returns operations and calls of an undisturbed life.
fn life(scene: &mut Scene, trouble: Trouble) -> (u32, u32) {
    let (keeper, stranger) = (scene.bidders[0], scene.stranger);
    let roles = format!("{KEEPER}{}", bidder("0.001"));
    let mut running = Running::new(&scene.w, keeper, &roles);
    let before = scene.w.balance(keeper);
    let (mut counted, mut calls, mut trouble) = (0, 0, trouble);
    for _ in 0..60 {
        let mut chain = Troubled::new(&mut scene.w, trouble, stranger);
        chain.operations.set(counted);
        chain.calls = calls;
        let step = running.bot.as_mut().unwrap().on_block(&mut chain);
        let alive = step.now_or_never().map(|result| result.unwrap());
        (counted, calls) = (chain.operations.get(), chain.calls);
        if alive.is_none() {
            trouble = Trouble::None;
            running.start(&scene.w, false);
        }
        scene.w.advance(1);
        let done = opened(&scene.w) > 0 && {
            let record = scene.w.record(key(0));
            is_settled(&record) && record.auction.reserved.is_zero() && record.collateral.is_zero()
        };
        if done {
            break;
        }
    }
    let record = scene.w.record(key(0));
    assert!(record.bids <= 1, "{trouble:?}: bid twice");
    assert_eq!(opened(&scene.w), 1, "{trouble:?}");
    assert!(
        record.auction.reserved.is_zero(),
        "{trouble:?}: a claim was lost"
    );
    let paid = before - scene.w.balance(keeper);
    assert_eq!(paid, scene.w.clearing(key(0)).raised.get(), "{trouble:?}");
    scene.w.batches = vec![key(0)];
    scene.w.assert_books();
    (counted, calls)
}

#[test]
fn a_bot_killed_at_a_hundred_moments_never_bids_twice_and_loses_no_claim() {
    let mut scene = crashed(170);
    let before = scene.w.save();
    let (operations, calls) = life(&mut scene, Trouble::None);
    assert!(calls >= 4, "opens, bids, settles, claims");
    let mut random = ChaCha8Rng::seed_from_u64(91);
    let mut one_of = |most: u32| 1 + random.next_u32() % most;
    for round in 0..100u32 {
        let trouble = match round % 4 {
            0 => Trouble::BeforeCall(one_of(calls)),
            1 => Trouble::AfterCall(one_of(calls)),
            _ => Trouble::Operation(one_of(operations)),
        };
        scene.w.restore(&before);
        life(&mut scene, trouble);
    }
}

/// A block that comes between the look at the bids and the look at the clock may hold the bid that
/// was still under way: it is not lost, and its place is not bid again.
#[test]
fn a_bid_under_way_is_not_given_up_by_a_bot_that_reads_slowly() {
    let (mut scene, batch) = Scene::opened(170);
    scene.w.checked = false;
    let (account, stranger) = (scene.bidders[0], scene.stranger);
    let mut running = Running::new(&scene.w, account, &bidder("0.001"));
    let sent = (0..20).any(|_| {
        // The process ends when the node has the bid and no block has it.
        let mut chain = Troubled::new(&mut scene.w, Trouble::BeforeCall(1), stranger);
        let step = running.bot.as_mut().unwrap().on_block(&mut chain);
        let ended = step.now_or_never().is_none();
        scene.w.advance(1);
        ended
    });
    assert!(sent, "nothing was bid");
    running.start(&scene.w, false);
    let mut chain = Troubled::new(&mut scene.w, Trouble::SlowReading(20), stranger);
    let step = running.bot.as_mut().unwrap().on_block(&mut chain);
    let report = step.now_or_never().unwrap().unwrap();
    assert!(report.done.is_empty(), "{report:?}");
    assert_eq!(scene.w.record(batch).bids, 0, "bid again");
    let bids = running.bot.as_ref().unwrap().store().bids().unwrap();
    let states: Vec<_> = bids.iter().map(|(.., state)| state.as_str()).collect();
    assert_eq!(states, ["pending"]);
}

/// Another best block without the claim: the bot has seen the batch finished, and claims again.
#[test]
fn a_claim_that_a_reorganisation_takes_back_is_made_again() {
    let mut scene = crashed(170);
    let roles = format!("{KEEPER}{}", bidder("0.001"));
    let mut bots = [Running::new(&scene.w, scene.bidders[0], &roles)];
    let claimed = |w: &World| {
        let record = w.record(key(0));
        is_settled(&record) && record.auction.reserved.is_zero()
    };
    let mut before = scene.w.save();
    for block in 0..100 {
        if opened(&scene.w) > 0 && claimed(&scene.w) {
            break;
        }
        before = scene.w.save();
        step(&mut scene.w, &mut bots);
        assert!(block < 99, "not finished");
    }
    // It sees that nothing is left to do.
    for _ in 0..3 {
        step(&mut scene.w, &mut bots);
    }
    scene.w.restore(&before);
    assert!(!claimed(&scene.w));
    for _ in 0..3 {
        step(&mut scene.w, &mut bots);
    }
    assert!(claimed(&scene.w), "the claim was lost");
}

/// Another best block without the settlement: a keeper that has seen the batch finished, and has no bid
/// in it, settles again.
#[test]
fn a_settlement_that_a_reorganisation_takes_back_is_made_again() {
    let (mut scene, batch) = Scene::opened(170);
    scene.w.checked = false;
    scene.w.run_out(batch);
    scene.w.set_price_twice(at(250));
    let mut bots = [Running::new(&scene.w, scene.keeper, KEEPER)];
    scene.w.advance(1);
    step(&mut scene.w, &mut []);
    let before = scene.w.save();
    // It is there before the end, settles, and sees that nothing is left to do.
    for _ in 0..4 {
        step(&mut scene.w, &mut bots);
    }
    assert!(is_settled(&scene.w.record(batch)));
    scene.w.restore(&before);
    assert!(!is_settled(&scene.w.record(batch)));
    for _ in 0..3 {
        step(&mut scene.w, &mut bots);
    }
    assert!(is_settled(&scene.w.record(batch)), "never settled");
}

/// Another best block without the bid, which its transaction does not reach any more.
#[test]
fn a_bid_that_a_reorganisation_takes_back_is_placed_again() {
    let (mut scene, batch) = Scene::opened(170);
    scene.w.checked = false;
    let mut bots = [Running::new(&scene.w, scene.bidders[0], &bidder("0.001"))];
    let mut before = scene.w.save();
    for block in 0..40 {
        before = scene.w.save();
        step(&mut scene.w, &mut bots);
        if scene.w.record(batch).bids > 0 {
            break;
        }
        assert!(block < 39, "nothing was bid");
    }
    step(&mut scene.w, &mut bots);
    scene.w.restore(&before);
    assert_eq!(scene.w.record(batch).bids, 0);
    for _ in 0..12 {
        step(&mut scene.w, &mut bots);
    }
    assert_eq!(
        scene.w.record(batch).bids,
        1,
        "once, after it could not come any more"
    );
    assert_eq!(bots[0].bids(), 1);
}

/// Bids cost next to nothing: hundreds of a stranger's do not slow every bot down in every block.
#[test]
fn pages_of_strangers_bids_are_read_once_in_a_while() {
    let (mut scene, batch) = Scene::opened(170);
    scene.w.checked = false;
    // Without money, so that it bids nothing meanwhile.
    let (account, stranger) = (scene.w.account(77), scene.stranger);
    scene.w.fund_bidder(stranger, quote(1_000));
    let price = scene.w.record(batch).auction.prices[60];
    for _ in 0..200 {
        let placed = scene.w.bid(stranger, batch, quote(1), price);
        placed.expect("bids");
    }
    let mut running = Running::new(&scene.w, account, &bidder("0.05"));
    let mut operations = |after: u32| {
        scene.w.advance(after);
        let mut chain = Troubled::new(&mut scene.w, Trouble::None, stranger);
        let step = running.bot.as_mut().unwrap().on_block(&mut chain);
        let report = step.now_or_never().unwrap().unwrap();
        assert!(report.done.is_empty(), "{report:?}");
        chain.operations.get()
    };
    let (first, second) = (operations(0), operations(PAGES_KEPT - 1));
    assert_eq!(first - second, 3, "of 200 bids three pages are full");
    // Another best chain may have an own bid in them.
    assert_eq!(operations(1), first);
}

#[test]
fn a_batch_settled_by_another_keeper_is_a_lost_race_and_no_fault() {
    let (mut scene, batch) = Scene::opened(170);
    scene.w.checked = false;
    scene.w.run_out(batch);
    let mut running = Running::new(&scene.w, scene.keeper, KEEPER);
    let stranger = scene.stranger;
    let mut chain = Troubled::new(&mut scene.w, Trouble::Outcompeted(batch), stranger);
    let step = running.bot.as_mut().unwrap().on_block(&mut chain);
    let report = step.now_or_never().unwrap().unwrap();
    let classes: Vec<_> = report.failed.iter().map(|(_, class)| *class).collect();
    assert!(classes.contains(&Class::Outcompeted), "{report:?}");
    assert!(!classes.contains(&Class::Fault), "{report:?}");
}

#[test]
fn a_bidder_without_money_says_so_and_goes_on() {
    let (mut scene, _) = Scene::opened(170);
    scene.w.checked = false;
    let poor = scene.w.account(77);
    let broke = scene.w.chain.account(78);
    scene
        .w
        .fund(scene.stranger, scene.w.d.quote, quote(1), scene.w.d.auction);
    let mut bots = [
        Running::new(&scene.w, poor, &bidder("0.001")),
        Running::new(&scene.w, broke, KEEPER),
    ];
    let mut refused = false;
    for _ in 0..20 {
        let reports = step(&mut scene.w, &mut bots);
        refused |= reports[0].refusals.contains(&Refusal::NoFunds);
        let faults = reports.iter().flat_map(|report| &report.failed);
        assert!(faults.into_iter().all(|(_, class)| *class == Class::Funds));
    }
    assert!(refused);
}

#[test]
fn a_stale_oracle_stops_bids_and_openings() {
    let (mut scene, _) = Scene::opened(170);
    scene.w.checked = false;
    scene.w.wait(3_600_001);
    let roles = format!("{KEEPER}{}", bidder("0.001"));
    let mut running = Running::new(&scene.w, scene.bidders[0], &roles);
    let report = running.on_block(&mut scene.w);
    assert!(
        report.refusals.contains(&Refusal::StaleOracle),
        "{report:?}"
    );
    assert!(report.done.is_empty(), "{report:?}");
}

#[test]
fn nothing_is_sent_on_a_block_that_is_too_old() {
    // The embedded chain's clock is far behind this machine's.
    let mut scene = crashed(170);
    let mut running = Running::new(&scene.w, scene.keeper, KEEPER);
    running.max_block_age = Some(300);
    running.start(&scene.w, false);
    let report = running.on_block(&mut scene.w);
    assert_eq!(report.refusals, [Refusal::StaleBlock], "{report:?}");
    assert_eq!(opened(&scene.w), 0);
    assert!(!running.bot.as_ref().unwrap().metrics().is_healthy());
    running.max_block_age = Some(0);
    running.start(&scene.w, false);
    running.on_block(&mut scene.w);
    assert_eq!(opened(&scene.w), 1);
}

#[test]
fn absurd_prices_are_neither_submitted_nor_bid_on() {
    let (mut scene, _) = Scene::opened(170);
    scene.w.checked = false;
    let feeder = "[feeder]\nmin_move = 0\nheartbeat_seconds = 60\nmax_jump = \"0.2\"\n";
    for wrong in ["17", "1700"] {
        let bids = format!("{}{}", price(wrong), bidder("0.001"));
        let feeds = format!("{}{feeder}", price(wrong));
        let mut bots = [
            Running::new(&scene.w, scene.bidders[0], &bids),
            Running::new(&scene.w, scene.w.feeders[0], &feeds),
        ];
        for report in step(&mut scene.w, &mut bots) {
            assert_eq!(report.refusals, [Refusal::AbsurdPrice], "{report:?}");
            assert!(report.done.is_empty());
        }
    }
}

#[test]
fn feeders_bring_a_price_to_the_oracle_and_do_not_repeat_themselves() {
    let mut w = World::new();
    w.checked = false;
    let roles = format!(
        "{}[feeder]\nmin_move = \"0.01\"\nheartbeat_seconds = 600\nmax_jump = \"0.2\"\n",
        price("190")
    );
    let mut bots: Vec<_> = w.feeders[..2]
        .iter()
        .map(|feeder| Running::new(&w, *feeder, &roles))
        .collect();
    step(&mut w, &mut bots);
    assert_eq!(w.reading().spot(), at(190));
    for report in step(&mut w, &mut bots) {
        assert!(report.done.is_empty(), "{report:?}");
    }
}

#[test]
fn a_feeder_submits_what_a_file_a_command_or_an_address_says() {
    let server = tiny_http::Server::http("127.0.0.1:0").unwrap();
    let address = server.server_addr().to_ip().unwrap();
    let answering = std::thread::spawn(move || {
        let request = server.recv().unwrap();
        let response = tiny_http::Response::from_string(r#"{"data":[{"price":"193.25"}]}"#);
        request.respond(response).unwrap();
    });
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("prices.csv");
    let sources = [
        format!("kind = \"csv\"\npath = {:?}\n", file.display().to_string()),
        "kind = \"command\"\ncommand = [\"sh\", \"-c\", \"echo 192.75; echo noise\"]\n".to_owned(),
        format!("kind = \"http\"\nurl = \"http://{address}/\"\npointer = \"/data/0/price\"\n"),
    ];
    let quarters = [766, 771, 773];
    for (source, quarters) in sources.iter().zip(quarters) {
        let mut w = World::with_feed(FeedConfig::without_bands(1, 600_000, 1, 1_800_000));
        w.checked = false;
        // What the other feeders said is not fresh any more.
        w.wait(700_000);
        let now = w.chain.now().now_or_never().unwrap().unwrap() / 1_000;
        // A row of long ago, the row of now, and one of the future.
        let rows = format!("timestamp,price\n1700000000,150\n{now},191.5\n1999999999,230\n");
        std::fs::write(&file, rows).unwrap();
        let roles = format!(
            "[price]\n{source}[feeder]\nmin_move = \"0.01\"\nheartbeat_seconds = 600\nmax_jump = \"0.2\"\n"
        );
        let mut bots = [Running::new(&w, w.feeders[0], &roles)];
        let before = w.reading().round.number;
        step(&mut w, &mut bots);
        let reading = w.reading();
        assert_eq!(reading.round.number, before + 1, "{source}");
        assert_eq!(reading.spot().get() * 4, at(quarters).get(), "{source}");
    }
    answering.join().unwrap();
}

#[test]
fn a_dry_run_decides_and_sends_nothing() {
    let mut scene = crashed(170);
    let mut bots = [Running::dry(&scene.w, scene.keeper, KEEPER)];
    let before = scene.w.storage();
    let reports = step(&mut scene.w, &mut bots);
    assert!(!reports[0].done.is_empty());
    assert!(before == scene.w.storage());
    assert_eq!(opened(&scene.w), 0);
}

#[test]
fn a_bot_that_lost_its_memory_finds_its_bid_on_the_chain_and_claims_it() {
    let (mut scene, batch) = Scene::opened(170);
    scene.w.checked = false;
    let account = scene.bidders[0];
    let roles = format!("{KEEPER}{}", bidder("0.001").replace("15000", "9000"));
    let mut bots = vec![Running::new(&scene.w, account, &roles)];
    for block in 0..100 {
        step(&mut scene.w, &mut bots);
        if scene.w.record(batch).bids > 0 {
            // A new directory: nothing is remembered.
            bots = vec![Running::new(&scene.w, account, &roles)];
        }
        let record = scene.w.record(batch);
        if is_settled(&record) && record.auction.reserved.is_zero() {
            break;
        }
        assert!(block < 99, "not finished");
    }
    assert_eq!(scene.w.record(batch).bids, 1);
    assert!(held(&scene.w, account) > 0);
    scene.w.assert_books();
}

#[test]
fn an_external_process_is_asked_for_bids_and_started_again_when_it_ends() {
    let (mut scene, batch) = Scene::opened(170);
    scene.w.checked = false;
    // Answers two questions and ends; the answer names the batch it was asked about.
    let script = "for i in 1 2; do read line; case $line in *'\"batch\":0'*) \
         echo '{\"bids\":[{\"budget\":\"500\",\"limit\":\"169.9\"}]}';; esac; done";
    let strategy = format!("{{ kind = \"external\", command = [\"sh\", \"-c\", {script:?}] }}");
    let roles = bidder("0.001").replace(
        "{ kind = \"fixed_discount\", discount = \"0.001\" }",
        &strategy,
    );
    let mut bots = [Running::new(&scene.w, scene.bidders[0], &roles)];
    for _ in 0..25 {
        step(&mut scene.w, &mut bots);
    }
    // Asked in each step, it wants one more bid in each.
    let bids = scene.w.record(batch).bids;
    assert!(bids > 2, "{bids}");
    assert_eq!(bots[0].bids(), bids as usize);
}

#[test]
fn the_loop_pauses_after_a_broken_connection_works_on_a_block_once_and_stops_when_told() {
    /// Silence, a broken connection, one block announced twice, the signal to stop.
    struct Script<'a> {
        at: u32,
        paused: Duration,
        stop: &'a AtomicBool,
    }
    impl Blocks for Script<'_> {
        async fn next(&mut self) -> Result<bool, QueryError> {
            self.at += 1;
            match self.at {
                1 => Ok(false),
                2 => Err(QueryError::Transport("gone".to_owned())),
                3 | 4 => Ok(true),
                _ => {
                    self.stop.store(true, Ordering::Relaxed);
                    Ok(false)
                }
            }
        }

        async fn pause(&mut self, time: Duration) {
            self.paused += time;
        }
    }
    let (mut scene, stop) = (crashed(170), AtomicBool::new(false));
    let mut running = Running::new(&scene.w, scene.keeper, KEEPER);
    let mut blocks = Script {
        at: 0,
        paused: Duration::ZERO,
        stop: &stop,
    };
    let bot = running.bot.as_mut().unwrap();
    let ran = run(bot, &mut scene.w.chain, &mut blocks, &stop).now_or_never();
    ran.expect("ends").unwrap();
    assert!(
        blocks.paused >= Duration::from_millis(750),
        "{:?}",
        blocks.paused
    );
    assert_eq!(opened(&scene.w), 1);
    assert!(running.bot.unwrap().metrics().is_healthy());
}
