//! What the client does when connections break, addresses are wrong, limits are low, and others sign.

use breakwater_chain::{CallError, CallOptions, Chain, Gas, Signer};
use breakwater_core::units::Amount;
use breakwater_interfaces::token::PSP22;
use breakwater_interfaces::vault::MarginVault;
use breakwater_node::{Node, Settings};
use breakwater_node_tests::proxy::Proxy;
use breakwater_node_tests::{signer, url, World};
use breakwater_sim::books::held;
use breakwater_sim::deployment::{mint, Deployment};
use ink::codegen::TraitCallBuilder;
use tokio::net::TcpListener;

#[tokio::test]
async fn a_broken_connection_loses_no_call_and_repeats_none() {
    let w = World::deployed("cut").await;
    let (token, who) = (w.d.quote, w.account("who").await);
    let proxy = Proxy::before(url()).await;
    let mut node = Node::connect(&proxy.url(), Settings::development())
        .await
        .expect("connects");
    // At every request of a call, once before and once after the node has it, and four times more.
    for round in 0..20 {
        let place = 1 + round / 2 % 8;
        proxy.cut_after(place);
        node.call(&who, token, mint(who.account_id(), 1))
            .await
            .unwrap_or_else(|error| panic!("cut at {place}: {error}"));
        let balance = held(&w.node, token, who.account_id()).await.unwrap();
        assert_eq!(balance.get(), u128::from(round) + 1, "cut at {place}");
    }
    assert_eq!(proxy.cuts(), 20, "every call was cut once");
}

#[tokio::test]
async fn connections_that_sign_for_one_account_lose_no_call_and_repeat_none() {
    let w = World::deployed("shared").await;
    let (token, who) = (w.d.quote, w.account("who").await);
    // Each has its own numbers, as different programs have.
    let mut connections = Vec::new();
    for _ in 0..4 {
        let node = Node::connect(url(), Settings::development()).await;
        connections.push(node.expect("connects"));
    }
    let calls = (0..40).map(|number: usize| {
        let (mut node, who) = (connections[number % 4].clone(), who.clone());
        async move { node.call(&who, token, mint(who.account_id(), 1)).await }
    });
    for result in futures::future::join_all(calls).await {
        result.unwrap_or_else(|error| panic!("{error}"));
    }
    let balance = held(&w.node, token, who.account_id()).await.unwrap();
    assert_eq!(balance.get(), 40, "each once");
}

/// An error as an operator sees it.
#[track_caller]
fn told<T, E: std::fmt::Debug>(result: Result<T, CallError<E>>, what: &str) {
    let Err(error) = result else {
        panic!("no error that tells {what:?}");
    };
    let text = error.to_string();
    assert!(text.contains(what) && !text.contains('\n'), "{text}");
}

#[tokio::test]
async fn limits_that_are_too_low_and_accounts_without_money_are_told_before_anything_is_sent() {
    let mut w = World::deployed("limits").await;
    let (token, who) = (w.d.quote, w.account("who").await);
    let message = || mint(who.account_id(), 1);
    let before = w.node.block().await.unwrap();
    let gas = Gas {
        ref_time: 1_000_000,
        proof_size: 1_000,
    };
    let options = CallOptions::default().with_gas_limit(gas);
    let result = w.node.call_with(&who, token, message(), options).await;
    told(result, "out of gas: raise the gas limit");
    let options = CallOptions::default().with_deposit_limit(1);
    let result = w.node.call_with(&who, token, message(), options).await;
    told(result, "raise the deposit limit");
    let poor = signer("//Nobody//has//paid//this//one");
    told(w.node.call(&poor, token, message()).await, "fund the");
    let nobody = signer("//Nobody").account_id();
    told(
        w.node.call(&who, nobody, message()).await,
        "check the address",
    );
    // A message of the vault to a token: the client was made for another contract.
    let supply = w.d.vault().call_mut().supply(w.d.market, Amount::new(1));
    told(
        w.node.call(&who, token, supply).await,
        "check client and contract versions",
    );
    assert_eq!(w.node.block().await.unwrap(), before, "nothing was sent");
}

#[tokio::test]
async fn an_account_that_can_pay_the_deposit_and_not_the_fee_is_told_so() {
    let mut w = World::deployed("fee").await;
    let (rich, who) = (w.account("rich").await, signer(&w.suri("poor")));
    // The existential deposit and a little: a transfer costs more.
    w.node
        .pay(&rich, who.account_id(), 1_100_000_000)
        .await
        .unwrap();
    let message = Deployment::token(w.d.quote)
        .call_mut()
        .approve(rich.account_id(), 0);
    let result = w.node.call(&who, w.d.quote, message).await;
    told(result, "fund the");
}

#[tokio::test]
async fn a_node_with_another_runtime_is_told_in_one_line() {
    let w = World::deployed("runtime").await;
    let (token, who) = (w.d.quote, w.account("who").await);
    // The name of the pallet in the node's metadata, as it is written there.
    let proxy = Proxy::lying(url(), "24436f6e747261637473", "244b6f6e747261637473").await;
    let Err(error) = Node::connect(&proxy.url(), Settings::default()).await else {
        panic!("uses a node without the pallet");
    };
    let text = error.to_string();
    assert!(text.contains("has no pallet-contracts"), "{text}");
    assert!(
        text.contains(&proxy.url()) && !text.contains('\n'),
        "{text}"
    );

    // A node that does not take what is signed for the runtime it tells of: version 100 becomes 101,
    // between two other numbers.
    let (said, heard) = ("010000006400000001000000", "010000006500000001000000");
    let proxy = Proxy::lying(url(), said, heard).await;
    let mut node = Node::connect(&proxy.url(), Settings::development())
        .await
        .expect("connects");
    let result = node.call(&who, token, mint(who.account_id(), 1)).await;
    told(result, "another runtime");
    assert!(held(&w.node, token, who.account_id())
        .await
        .unwrap()
        .is_zero());
}

#[tokio::test]
async fn a_follower_misses_nothing_while_the_connection_is_gone() {
    let mut w = World::deployed("cut-follower").await;
    let (token, who) = (w.d.quote, w.account("who").await);
    let proxy = Proxy::before(url()).await;
    let node = Node::connect(&proxy.url(), Settings::development())
        .await
        .expect("connects");
    let mut follower = node.follow(node.block().await.unwrap() + 1);
    let mut sent = Vec::new();
    for place in 1..=4 {
        proxy.cut_after(place);
        let receipt = w.send(&who, token, mint(who.account_id(), 1)).await;
        sent.push(receipt.block);
        let mut last = None;
        while last != Some(receipt.block) {
            let expected = follower.position();
            let update = follower.next().await.expect("a block");
            assert_eq!(update.number, expected, "no gap");
            last = Some(update.number);
            let ours = update.events.iter().filter(|e| e.contract == token).count();
            assert_eq!(ours > 0, sent.contains(&update.number));
        }
    }
    assert_eq!(proxy.cuts(), 4);
}

#[tokio::test]
async fn what_is_no_node_is_told_in_one_line() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let closed = nobody.local_addr().expect("an address");
    drop(nobody);
    for url in [format!("ws://{closed}"), "nowhere".to_owned()] {
        let Err(error) = Node::connect(&url, Settings::default()).await else {
            panic!("{url} is a node");
        };
        let text = error.to_string();
        assert!(text.contains(&url) && !text.contains('\n'), "{text}");
    }
}
