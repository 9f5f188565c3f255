//! Contracts that are ours by their own code and not by what they work with.

use breakwater_chain::{AccountId, Chain, Constructor, Signer};
use breakwater_node_tests::terminal::{complaint, Terminal};
use breakwater_node_tests::{signer, url, World, MARKET};
use breakwater_operator::config::show_address;
use breakwater_operator::record::{ContractRecord, Record};
use breakwater_operator::roots::{AuctionRoot, RootError, VaultRoot};
use breakwater_sim::artifacts::Contract;
use ink::env::call::utils::EmptyArgumentList;
use ink::env::call::{ExecutionInput, Selector};
use scale::Encode;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_breakwaterctl");

fn new() -> ExecutionInput<EmptyArgumentList> {
    ExecutionInput::new(Selector::new(ink::selector_bytes!("new")))
}

/// An instance of a released contract, constructed with other arguments than `deploy` gives.
async fn instance<A: Encode>(
    w: &mut World,
    contract: Contract,
    arguments: &ExecutionInput<A>,
) -> AccountId {
    let (code, salt) = (contract.code().expect("a bundle"), b"another");
    let constructor = Constructor::<()>::new(arguments);
    w.node
        .instantiate(&signer("//Alice"), &code, constructor, salt)
        .await
        .expect("instantiates")
        .value
}

fn recorded(contract: AccountId, of: Contract) -> Option<ContractRecord> {
    let hash = of.code_hash().expect("a bundle");
    Some(ContractRecord::new(contract, Some(hash)))
}

/// `breakwaterctl deploy` of the example under a record's name.
fn deploy(
    directory: &Path,
    name: &str,
    change: impl Fn(String) -> String,
    more: &[&str],
) -> Output {
    let config = directory.join("market.toml");
    let description = change(MARKET.replace("teth-tusd", name));
    std::fs::write(&config, description).expect("writes");
    let mut command = Command::new(PROGRAM);
    command.env_remove("BREAKWATER_SURI");
    command.arg("deploy").arg("--config").arg(&config);
    command.arg("--deployments").arg(directory);
    command.args(["--quiet", "--json", "--url", url(), "--suri", "//Alice"]);
    command.args(more).output().expect("runs")
}

/// The code of vault and auction says nothing of their extensions: a governor may have chosen any.
#[tokio::test]
async fn a_vault_or_an_auction_with_another_extension_is_refused_by_every_command() {
    let mut w = World::deployed("extension").await;
    let (d, governor) = (w.d, signer("//Alice").account_id());
    let directory = TempDir::new().expect("a directory");
    let file = Record::path(directory.path(), &w.record.name);
    let t = Terminal::new(PROGRAM, &file);
    w.record.write(&file).expect("writes");
    t.look("status");

    // Each is the released code, and hands over to the code of the other's extension.
    let [vaults, auctions] =
        [Contract::VaultExt, Contract::AuctionExt].map(|ext| ext.code_hash().expect("a bundle"));
    let arguments = new().push_arg([governor, d.oracle]).push_arg(auctions);
    let vault = instance(&mut w, Contract::MarginVault, &arguments).await;
    let arguments = new()
        .push_arg([governor, d.vault, d.oracle])
        .push_arg(vaults);
    let auction = instance(&mut w, Contract::LiquidationAuction, &arguments).await;
    let other_vault = Record {
        vault: recorded(vault, Contract::MarginVault),
        ..w.record.clone()
    };
    let other_auction = Record {
        auction: recorded(auction, Contract::LiquidationAuction),
        ..w.record.clone()
    };
    // A deployment compares what the vault names before it looks at an auction.
    let named = format!("the margin vault works with {}", show_address(d.auction));
    for (record, part, to_deploy) in [
        (
            other_vault,
            "the margin vault runs extension code",
            "the margin vault runs extension code",
        ),
        (
            other_auction,
            "the liquidation auction runs extension code",
            named.as_str(),
        ),
    ] {
        record.write(&file).expect("writes");
        let lines = [
            t.blind(2, "status"),
            t.refused(2, "//Alice", "supply 1"),
            t.refused(2, "//Alice", "open"),
        ];
        for line in lines {
            assert!(
                line.contains(part) && line.contains("use the breakwaterctl of that release"),
                "{line}"
            );
        }
        // Nor is a deployment finished around it.
        let begun = Record {
            market: None,
            ..record.clone()
        };
        begun.write(&file).expect("writes");
        for more in [&[][..], &["--dry-run"]] {
            let output = deploy(directory.path(), &w.record.name, |text| text, more);
            let line = complaint(2, output);
            assert!(
                line.contains(to_deploy) && line.contains("deploy under another name"),
                "{line}"
            );
        }
        assert_eq!(Record::read(&file).expect("reads"), Some(begun));
    }

    // The right extension, but the vault of somebody else's oracle; and a vault without an auction.
    let arguments = new().push_arg([governor, governor]).push_arg(vaults);
    let vault = instance(&mut w, Contract::MarginVault, &arguments).await;
    let elsewhere = Record {
        vault: recorded(vault, Contract::MarginVault),
        ..w.record.clone()
    };
    elsewhere.write(&file).expect("writes");
    let line = t.blind(2, "status");
    assert!(
        line.contains(&show_address(governor)) && line.contains("as oracle adapter"),
        "{line}"
    );
    let fresh = VaultRoot::checked(&w.node, vault, governor).await;
    let fresh = fresh.expect("is the released one");
    assert_eq!((fresh.auction, fresh.markets), (None, 0));
    let refused = fresh.ensure_auction(d.auction).unwrap_err();
    assert!(
        matches!(refused, RootError::OtherContract { .. }),
        "{refused}"
    );
    // What is no vault at all has another root cell.
    let refused = VaultRoot::checked(&w.node, d.auction, d.oracle).await;
    assert!(
        matches!(refused, Err(RootError::OtherForm(_))),
        "{refused:?}"
    );
    let refused = AuctionRoot::checked(&w.node, governor, d.vault, d.oracle).await;
    assert!(
        matches!(refused, Err(RootError::OtherForm(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_resumed_deployment_makes_sure_that_the_vault_works_with_its_own_auction() {
    let w = World::deployed("resumed").await;
    let directory = TempDir::new().expect("a directory");
    let steps = |output: &Output| -> Vec<String> {
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{complaint}");
        let answer: Value = serde_json::from_slice(&output.stdout).expect("is JSON");
        let steps = answer["steps"].as_array().or(answer["would_do"].as_array());
        let steps = steps.expect("steps").iter();
        steps
            .map(|step| step["step"].as_str().expect("is text").to_owned())
            .collect()
    };
    // A run that broke off between the auction's naming and the market: naming is not done again,
    // and what is left is.
    let name = &w.record.name;
    let file = Record::path(directory.path(), name);
    let torn = Record {
        market: None,
        ..w.record.clone()
    };
    torn.write(&file).expect("writes");
    let change = |text: String| text.replace("min_debt = \"100\"", "min_debt = \"200\"");
    let planned = steps(&deploy(directory.path(), name, change, &["--dry-run"]));
    let done = steps(&deploy(directory.path(), name, change, &[]));
    assert_eq!(planned, done);
    assert!(!done.contains(&"name the auction".to_owned()), "{done:?}");
    assert_eq!(done.last().map(String::as_str), Some("register the market"));
    let finished = Record::read(&file).expect("reads").expect("is there");
    assert_eq!(
        (finished.market, finished.auction),
        (Some(1), w.record.auction.clone())
    );

    // The vault works with an auction already, and the record has lost which: another name makes
    // another address, and nothing is paid for a second one.
    let name = format!("{name}-lost");
    let file = Record::path(directory.path(), &name);
    let lost = Record {
        name: name.clone(),
        market: None,
        auction: None,
        ..w.record.clone()
    };
    lost.write(&file).expect("writes");
    let governor = signer("//Alice").account_id();
    let before = w.node.free_balance(governor).await.expect("answers");
    for more in [&[][..], &["--dry-run"]] {
        let line = complaint(2, deploy(directory.path(), &name, |text| text, more));
        let ours = show_address(w.d.auction);
        assert!(
            line.contains(&format!(
                "the margin vault works with {ours} as liquidation auction"
            )) && line.contains("correct the record"),
            "{line}"
        );
    }
    let after = w.node.free_balance(governor).await.expect("answers");
    assert_eq!(after, before, "nothing was sent");
    assert_eq!(Record::read(&file).expect("reads"), Some(lost));
}
