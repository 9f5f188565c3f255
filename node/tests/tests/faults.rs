//! What the client does when connections break and addresses are wrong.

use breakwater_chain::{Chain, Signer};
use breakwater_node::{Node, Settings};
use breakwater_node_tests::proxy::Proxy;
use breakwater_node_tests::{url, World};
use breakwater_sim::books::held;
use breakwater_sim::deployment::mint;
use tokio::net::TcpListener;

#[tokio::test]
async fn a_broken_connection_loses_no_call_and_repeats_none() {
    let w = World::deployed("cut").await;
    let (token, who) = (w.d.quote, w.account("who").await);
    let proxy = Proxy::before(url()).await;
    let mut node = Node::connect(&proxy.url(), Settings::development())
        .await
        .expect("connects");
    let mut minted = 0;
    for place in 1..=8 {
        for _ in 0..2 {
            proxy.cut_after(place);
            node.call(&who, token, mint(who.account_id(), 1))
                .await
                .unwrap_or_else(|error| panic!("cut at {place}: {error}"));
            minted += 1;
            let balance = held(&w.node, token, who.account_id()).await.unwrap();
            assert_eq!(balance.get(), minted, "cut at {place}");
        }
    }
    assert_eq!(proxy.cuts(), 16, "every call was cut once");
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
