//! The commands on a node: a deployment, and a market's life typed by hand.

use breakwater_chain::Chain;
use breakwater_core::auction::Phase;
use breakwater_interfaces::auction::LiquidationAuction;
use breakwater_node::Node;
use breakwater_node_tests::{collateral, price, quote, signer, turn, url, World};
use breakwater_operator::config::show_address;
use breakwater_operator::decimal;
use breakwater_operator::record::Record;
use ink::codegen::TraitCallBuilder;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_breakwaterctl"));
    command.args(arguments).env_remove("BREAKWATER_SURI");
    command
}

fn run(arguments: &[&str]) -> Output {
    command(arguments).output().expect("runs")
}

/// What a command that has to succeed prints.
#[track_caller]
fn printed(arguments: &[&str]) -> String {
    let output = run(arguments);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {complaint}");
    String::from_utf8(output.stdout).expect("is text")
}

/// The one line of a command that has to fail with an exit code.
#[track_caller]
fn refused(code: i32, arguments: &[&str]) -> String {
    complaint(code, run(arguments))
}

#[track_caller]
fn complaint(code: i32, output: Output) -> String {
    let complaint = String::from_utf8(output.stderr).expect("is text");
    assert_eq!(output.status.code(), Some(code), "{complaint}");
    assert!(output.stdout.is_empty());
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    complaint
}

fn text(path: &Path) -> &str {
    path.to_str().expect("is text")
}

#[test]
fn mistakes_are_one_line_and_say_what_to_do() {
    let nothing = "/nonexistent/market.json";
    let line = refused(2, &["status", "--deployment", nothing]);
    assert!(line.contains("no such file"), "{line}");
    let line = refused(2, &["supply", "1", "--deployment", nothing]);
    assert!(line.contains("BREAKWATER_SURI"), "{line}");
    let line = refused(2, &["bot", "--config", nothing]);
    assert!(line.contains(nothing), "{line}");
    let line = refused(2, &["suply"]);
    assert!(line.contains("supply"), "{line}");
    let help = printed(&["--help"]);
    for command in [
        "deploy", "status", "position", "batch", "quote", "supply", "deposit", "borrow", "bot",
        "demo",
    ] {
        assert!(help.contains(command), "{help}");
    }
}

/// What has no command: the governor's messages, and those that the vault takes from its auction alone.
const NOT_FOR_USERS: &[&str] = &[
    "propose_governor",
    "accept_governor",
    "set_guardian",
    "set_auction",
    "create_market",
    "propose_params",
    "cancel_params",
    "restrict",
    "wind_down",
    "register_market",
    "raise",
    "lower",
    "set_limits",
    "register_feed",
    "add_feeder",
    "add_source",
    "remove_feeder",
    "propose_feed",
    "margin_vault::open_batch",
    "extend_batch",
    "leave_batch",
    "set_stage",
    "settle_batch",
];

/// Messages whose command has another name.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("liquidation_auction::deposit", "fund"),
    ("liquidation_auction::withdraw", "unfund"),
    ("liquidation_auction::open_batch", "open"),
    ("liquidation_auction::advance", "clear"),
    ("liquidation_auction::refresh", "maintain"),
    ("liquidation_auction::reopen", "maintain"),
    ("margin_vault::update_margin", "maintain"),
];

/// Every message that changes something, as the released bundles list them.
#[test]
fn every_message_that_a_user_may_send_has_a_command() {
    let help = printed(&["--help"]);
    let commands: Vec<_> = help
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next())
        .collect();
    let mut found = 0;
    for contract in ["margin_vault", "liquidation_auction", "oracle_adapter"] {
        let bundle = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../artifacts")
            .join(contract)
            .with_extension("contract");
        let bundle = std::fs::read(bundle).expect("a bundle");
        let bundle: Value = serde_json::from_slice(&bundle).expect("is JSON");
        for message in bundle["spec"]["messages"].as_array().expect("messages") {
            let label = message["label"].as_str().expect("is text");
            let name = label.rsplit("::").next().unwrap_or(label);
            let whole = format!("{contract}::{name}");
            let exempt = |names: &[&str]| names.contains(&name) || names.contains(&&*whole);
            if message["mutates"] == false || exempt(NOT_FOR_USERS) {
                continue;
            }
            let other = OTHER_NAMES.iter().find(|(known, _)| *known == whole);
            let own = name.replace('_', "-");
            let command = other.map_or(own.as_str(), |(_, command)| command);
            assert!(commands.contains(&command), "{whole} has no command");
            found += 1;
        }
    }
    assert!(found > 35, "{found} messages were looked at");
}

#[tokio::test]
async fn a_deployment_is_planned_done_resumed_and_compared() {
    let _turn = turn().await;
    let directory = TempDir::new().expect("a directory");
    let name = format!("ctl-{}", std::process::id());
    let description = breakwater_node_tests::MARKET.replace("teth-tusd", &name);
    let config = directory.path().join("market.toml");
    std::fs::write(&config, &description).expect("writes");
    let records = directory.path().join("deployments");
    let arguments = [
        "deploy",
        "--quiet",
        "--config",
        text(&config),
        "--deployments",
        text(&records),
        "--url",
        url(),
        "--suri",
        "//Alice",
    ];
    let with = |more: &[&'static str]| [&arguments[..], more].concat();
    let json = |more: &[&'static str]| -> Value {
        serde_json::from_str(&printed(&with(more))).expect("is JSON")
    };

    let number = |text: &Value| -> i128 {
        let units = decimal::units(text.as_str().expect("text"), 12);
        units.expect("a number").try_into().expect("fits")
    };
    let names = |steps: &Value| -> Vec<Value> {
        let steps = steps.as_array().expect("steps").iter();
        steps.map(|step| step["step"].clone()).collect()
    };
    let governor = breakwater_chain::Signer::account_id(&signer("//Alice"));
    let node = Node::connect_any(url()).await.expect("connects");
    let before = node.free_balance(governor).await.expect("answers");
    let planned = json(&["--dry-run", "--json"]);
    let file = Record::path(&records, &name);
    assert!(!file.exists(), "a plan changes nothing");
    let text = printed(&with(&["--dry-run"]));
    assert!(
        text.contains("nothing was sent") && text.contains("create the market"),
        "{text}"
    );
    assert_eq!(node.free_balance(governor).await.expect("answers"), before);
    let done = json(&["--json"]);
    assert_eq!(names(&planned["would_do"]), names(&done["steps"]));
    assert!(done["deployment"]["market"].is_u64(), "{done}");
    // Steps on contracts that are not there yet count as measured; the rest is tried.
    for key in ["storage_deposits", "fees"] {
        let (planned, paid) = (number(&planned[key]), number(&done[key]));
        assert!(
            planned >= paid - paid / 20 && planned <= paid + paid * 3 / 10,
            "{key}: {planned} planned, {paid} paid"
        );
    }
    for (planned, done) in planned["would_do"]
        .as_array()
        .expect("steps")
        .iter()
        .zip(done["steps"].as_array().expect("steps"))
    {
        let key = "storage_deposit";
        let (likely, paid) = (number(&planned[key]), number(&done[key]));
        assert!(
            (likely - paid).abs() <= paid / 10 + 1_000_000_000,
            "{planned} {done}"
        );
    }
    assert_eq!(json(&["--json"])["steps"], Value::Array(Vec::new()));
    assert_eq!(
        json(&["--dry-run", "--json"])["would_do"],
        Value::Array(Vec::new())
    );

    // A run that broke off after the contracts.
    let whole = Record::read(&file).expect("reads").expect("is there");
    let mut torn = whole.clone();
    (torn.market, torn.auction) = (None, None);
    torn.write(&file).expect("writes");
    assert_eq!(json(&["--json"])["steps"], Value::Array(Vec::new()));
    assert_eq!(Record::read(&file).expect("reads"), Some(whole));

    let changed = description.replace("min_debt = \"100\"", "min_debt = \"200\"");
    std::fs::write(&config, changed).expect("writes");
    let line = refused(2, &with(&[]));
    assert!(
        line.contains("margin.min_debt is 100 on the chain, 200 in the file"),
        "{line}"
    );
}

#[tokio::test]
async fn a_contract_with_other_code_than_the_bundles_stops_a_deployment_and_says_what_to_do() {
    let w = World::deployed("other-code").await;
    let directory = TempDir::new().expect("a directory");
    let description = breakwater_node_tests::MARKET.replace("teth-tusd", &w.record.name);
    let config = directory.path().join("market.toml");
    std::fs::write(&config, &description).expect("writes");
    let file = Record::path(directory.path(), &w.record.name);
    w.record.write(&file).expect("writes");
    // The bundles of a release with another oracle adapter.
    let (ours, bundles) = (
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../artifacts"),
        directory.path().join("artifacts"),
    );
    std::fs::create_dir(&bundles).expect("a directory");
    for bundle in std::fs::read_dir(&ours).expect("bundles") {
        let bundle = bundle.expect("a file");
        std::fs::copy(bundle.path(), bundles.join(bundle.file_name())).expect("copies");
    }
    let oracle = bundles.join("oracle_adapter.contract");
    std::fs::copy(ours.join("test_token.contract"), &oracle).expect("copies");

    let governor = breakwater_chain::Signer::account_id(&signer("//Alice"));
    let before = w.node.free_balance(governor).await.expect("answers");
    let with = |arguments: &[&str]| {
        let mut command = command(arguments);
        let output = command.env("BREAKWATER_ARTIFACTS", &bundles).output();
        complaint(2, output.expect("runs"))
    };
    let deploy = [
        "deploy",
        "--quiet",
        "--config",
        text(&config),
        "--deployments",
        text(directory.path()),
        "--url",
        url(),
        "--suri",
        "//Alice",
    ];
    for more in [&[][..], &["--dry-run"]] {
        let line = with(&[&deploy[..], more].concat());
        assert!(
            line.contains("the oracle adapter runs code")
                && line.contains("use the breakwaterctl of the release that deployed it"),
            "{line}"
        );
    }
    let status = ["status", "--deployment", text(&file), "--url", url()];
    let line = with(&status);
    assert!(
        line.contains("the oracle adapter in") && line.contains("breakwaterctl of that release"),
        "{line}"
    );
    let after = w.node.free_balance(governor).await.expect("answers");
    assert_eq!(after, before, "nothing was sent");
    assert_eq!(
        Record::read(&file).expect("reads").as_ref(),
        Some(&w.record)
    );

    std::fs::remove_file(&oracle).expect("removes");
    let mut command = command(&deploy);
    let output = command.env("BREAKWATER_ARTIFACTS", &bundles).output();
    let line = complaint(1, output.expect("runs"));
    assert!(line.contains("rebuild it with scripts/build.sh"), "{line}");
}

#[tokio::test]
async fn a_market_is_lived_in_by_hand() {
    let mut w = World::deployed("by-hand").await;
    let d = w.d;
    let directory = TempDir::new().expect("a directory");
    let file = directory.path().join("market.json");
    w.record.write(&file).expect("writes");
    let (lender, owner, bidder) = (
        w.account("lender").await,
        w.account("owner").await,
        w.account("bidder").await,
    );
    let keeper = w.account("keeper").await;
    let of = ["--deployment", text(&file), "--url", url(), "--json"];
    let look = |command: &[&str]| -> Value {
        serde_json::from_str(&printed(&[command, &of[..]].concat())).expect("is JSON")
    };
    for (who, token, amount) in [
        (&lender, d.quote, quote(10_000)),
        (&owner, d.collateral, collateral(10)),
        (&bidder, d.quote, quote(5_000)),
    ] {
        w.d.fund(&mut w.node.clone(), who, token, amount, d.vault)
            .await
            .expect("funds");
    }
    w.d.fund(&mut w.node.clone(), &owner, d.quote, quote(10), d.vault)
        .await
        .expect("funds");

    assert_eq!(look(&["status"])["price"], Value::Null, "no round yet");
    w.set_price(price(200)).await;
    let act = |w: &World, name: &str, command: &[&str]| -> Value {
        let suri = w.suri(name);
        let by = ["--suri", suri.as_str()];
        let arguments = [command, &of[..], &by[..]].concat();
        serde_json::from_str(&printed(&arguments)).expect("is JSON")
    };
    assert_eq!(look(&["status"])["price"], "200");
    assert_eq!(
        act(&w, "lender", &["supply", "10_000"])["supplied"],
        "10000"
    );
    assert_eq!(act(&w, "owner", &["deposit", "10"])["deposited"], "10");
    assert_eq!(act(&w, "owner", &["borrow", "1490"])["borrowed"], "1490");
    let address = show_address(breakwater_chain::Signer::account_id(&owner));
    let position = look(&["position", "--owner", &address]);
    assert_eq!(
        (&position["status"], &position["collateral"]),
        (&"Healthy".into(), &"10".into())
    );
    act(&w, "owner", &["repay", "10"]);
    act(&w, "owner", &["withdraw", "0.01"]);
    let suri = w.suri("owner");
    let too_much = ["withdraw", "9", "--suri", &suri];
    let line = refused(1, &[&too_much[..], &of[..]].concat());
    assert!(line.contains("withdraw"), "{line}");
    let too_much = ["deposit", "1", "--suri", &suri];
    let line = refused(2, &[&too_much[..], &of[..]].concat());
    assert!(
        line.contains("the account holds 0.01 collateral, not 1 collateral"),
        "{line}"
    );

    w.set_price(price(172)).await;
    let message = d.auction().call_mut().open_batch(d.market);
    let batch = w.send(&keeper, d.auction, message).await.value;
    let number = batch.number.to_string();
    assert_eq!(
        look(&["position", "--owner", &address])["status"],
        "InBatch"
    );
    let running = look(&["status"])["running_batches"].clone();
    assert_eq!(running, Value::from(vec![batch.number]));
    let terms = ["--budget", "2000", "--limit", "190"];
    let offer = look(&[&["quote", &number], &terms[..]].concat());
    let bid = act(&w, "bidder", &[&["bid", &number], &terms[..]].concat());
    assert_eq!(
        (&bid["bid"], &bid["deposited"]),
        (&0.into(), &"2000".into())
    );
    let bid_step = u8::try_from(bid["step"].as_u64().expect("a step")).expect("is small");
    w.run_to(batch, bid_step + 1).await;
    let ended = look(&["batch", &number]);
    assert_eq!(ended["clearing_price"], offer["price"], "as it was quoted");
    w.send(&keeper, d.auction, d.auction().call_mut().settle(batch))
        .await;
    let Phase::Settled(clearing) = w.auction(batch).await.auction.phase else {
        panic!("not settled");
    };
    let claimed = act(&w, "bidder", &["claim", &number]);
    let sold = breakwater_operator::decimal::show(clearing.sold.get(), 18);
    assert_eq!(claimed["received"], sold.as_str(), "the only bid gets all");
    assert_eq!(look(&["batch", &number])["stage"], "Settled");
    let suri = w.suri("bidder");
    let again = ["claim", &number, "--suri", &suri];
    refused(2, &[&again[..], &of[..]].concat());

    // The record of another chain, and one that names an account where the vault should be.
    let mut elsewhere = w.record.clone();
    elsewhere.genesis = "00".repeat(32);
    elsewhere.write(&file).expect("writes");
    let line = refused(2, &[&["status"], &of[..]].concat());
    assert!(line.contains("another chain"), "{line}");
    let mut wrong = w.record.clone();
    let nobody = breakwater_chain::Signer::account_id(&signer("//Nobody"));
    wrong.vault = Some(breakwater_operator::record::ContractRecord::new(
        nobody, None,
    ));
    wrong.write(&file).expect("writes");
    let line = refused(2, &[&["status"], &of[..]].concat());
    assert!(line.contains("no contract"), "{line}");
}

#[tokio::test]
async fn the_demo_plays_a_crash_on_a_node_and_says_what_came_of_it() {
    // Its price feeders are those of the other tests: they take turns.
    let _turn = World::deployed("demo-turn").await;
    let arguments = ["demo", "--url", url(), "--positions", "6", "--json"];
    let output = tokio::task::spawn_blocking(move || run(&arguments))
        .await
        .expect("ends");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    assert!(complaint.contains("opening positions"), "{complaint}");
    let answer: Value = serde_json::from_slice(&output.stdout).expect("is JSON");
    // At 172 who owes more than 1 376 is sold, at 150 who owes more than 1 200 and was not; the smallest debt stays healthy.
    assert_eq!(answer["positions"], 6);
    assert_eq!(answer["untouched"], 2, "{answer:#}");
    let batches = answer["batches"].as_array().expect("is a list");
    let sold: u64 = batches
        .iter()
        .filter_map(|sale| sale["positions"].as_u64())
        .sum();
    assert!(batches.len() >= 2 && sold >= 4, "{answer:#}");
    for sale in batches {
        assert_eq!(sale["shortfall"], "0", "{answer:#}");
    }
}
