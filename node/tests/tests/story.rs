//! The released contracts on the node: the whole story, and what the client promises.

use breakwater_chain::{CallError, Chain, Signer};
use breakwater_core::auction::Phase;
use breakwater_core::math::Rounding;
use breakwater_core::position::{PositionView, Status};
use breakwater_core::units::Amount;
use breakwater_interfaces::auction::{AuctionOpened, BidPlaced, LiquidationAuction};
use breakwater_interfaces::token::{PSP22Error, PSP22};
use breakwater_interfaces::vault::{MarginVault, VaultError};
use breakwater_node::{Node, Settings};
use breakwater_node_tests::{collateral, price, quote, signer, url, World};
use breakwater_operator::deploy::{deploy, DeployError};
use breakwater_sim::books::{held, Books};
use breakwater_sim::deployment::{mint, Deployment};
use ink::codegen::TraitCallBuilder;

#[tokio::test]
async fn borrow_crash_open_bid_settle_claim_and_the_books_balance() {
    let mut w = World::deployed("story").await;
    let d = w.d;
    let (lender, owner, keeper) = (
        w.account("lender").await,
        w.account("owner").await,
        w.account("keeper").await,
    );
    let bidders = [w.account("one").await, w.account("two").await];
    w.set_price(price(200)).await;
    w.fund(&lender, d.quote, quote(100_000), d.vault).await;
    let message = d.vault().call_mut().supply(d.market, quote(100_000));
    w.send(&lender, d.vault, message).await;
    for bidder in &bidders {
        w.fund(bidder, d.quote, quote(5_000), d.auction).await;
        let message = d.auction().call_mut().deposit(d.market, quote(5_000));
        w.send(bidder, d.auction, message).await;
    }
    w.fund(&owner, d.collateral, collateral(10), d.vault).await;
    let message = d
        .vault()
        .call_mut()
        .deposit_and_borrow(d.market, collateral(10), quote(1_490));
    w.send(&owner, d.vault, message).await;

    // 1 490 owed on 10 collateral: at 172 that is 86.6 % of their value, and 80 % is the threshold.
    // A deeper fall at once would wait in quarantine.
    w.set_price(price(172)).await;
    let message = d.auction().call_mut().open_batch(d.market);
    let opened = w.send(&keeper, d.auction, message).await;
    let batch = opened.value;
    let announced: Vec<AuctionOpened> = opened.events_of(d.auction).expect("decodes");
    let auction = w.auction(batch).await.auction;
    assert_eq!(
        (
            announced[0].batch,
            announced[0].opener,
            &announced[0].prices
        ),
        (batch, keeper.account_id(), &auction.prices)
    );

    // Together they offer what the batch asks for at its seventh price, half each.
    let step = 6;
    let half = Amount::new(auction.targets[step].get().div_ceil(2));
    let (mut bids, mut last) = (Vec::new(), step);
    for bidder in &bidders {
        let message = d
            .auction()
            .call_mut()
            .bid(batch, half, auction.prices[step], u32::MAX);
        let receipt = w.send(bidder, d.auction, message).await;
        let placed: Vec<BidPlaced> = receipt.events_of(d.auction).expect("decodes");
        assert_eq!(
            (placed[0].bidder, placed[0].budget),
            (bidder.account_id(), half)
        );
        bids.push(placed[0].bid);
        // Other tests make blocks on this node: the step may have passed before the bid came.
        last = last.max(usize::from(placed[0].step));
    }
    w.run_to(batch, last as u8 + 1).await;
    let settled = w
        .send(&keeper, d.auction, d.auction().call_mut().settle(batch))
        .await;
    let settlement = settled.value;
    let Phase::Settled(clearing) = w.auction(batch).await.auction.phase else {
        panic!("not settled");
    };
    let (cleared, paid) = (usize::from(clearing.step), clearing.price);
    assert_eq!(
        (settlement.raised, paid),
        (clearing.raised, auction.prices[cleared])
    );
    assert!(paid <= auction.prices[step] && settlement.raised <= auction.targets[cleared]);

    let mut spent = 0;
    for (bidder, bid) in bidders.iter().zip(&bids) {
        let message = d.auction().call_mut().claim(batch, vec![*bid]);
        let fill = w.send(bidder, d.auction, message).await.value;
        spent += fill.spent.get();
        let got = held(&w.node, d.collateral, bidder.account_id())
            .await
            .unwrap();
        assert_eq!(got, fill.received);
        let scale = World::config("story").params.scale().unwrap();
        let worth = scale.value(got, paid, Rounding::Down).unwrap();
        assert!(
            fill.spent.get().abs_diff(worth.get()) <= 1,
            "one price for both"
        );
    }
    assert_eq!(spent, settlement.raised.get());
    let message = d.vault().call_mut().rest(batch.market, batch.number, 64);
    assert!(
        w.send(&keeper, d.vault, message).await.value,
        "all is put back"
    );
    let message = d.vault().call().position(d.market, owner.account_id());
    let view: Result<PositionView, VaultError> = w.ask(d.vault, message).await;
    assert_eq!(view.expect("is up to date").status, Status::Healthy);
    let books = Books::read(&w.node, &d, &[batch]).await.expect("books");
    assert_eq!(books.fault(), None);
}

#[tokio::test]
async fn a_second_run_of_a_deployment_does_nothing_and_a_broken_one_goes_on() {
    let w = World::deployed("again").await;
    let (mut node, governor) = (w.node.clone(), signer("//Alice"));
    let mut config = World::config(&w.record.name);
    let whole = w.record.clone();
    let (record, summary) = deploy(
        &mut node,
        &governor,
        &config,
        Some(whole.clone()),
        &mut |_| Ok(()),
        &mut |_| {},
    )
    .await
    .expect("is there");
    assert_eq!((record, summary.steps.len()), (whole.clone(), 0));

    // The run broke off before it could record the auction and the market, or anything.
    let mut torn = whole.clone();
    (torn.market, torn.auction) = (None, None);
    for torn in [Some(torn), None] {
        let record = World::deploy_with(&mut node, &config, torn).await;
        assert_eq!(record, whole, "what exists is found");
    }

    config.params.min_debt = quote(200);
    let result = deploy(
        &mut node,
        &governor,
        &config,
        Some(whole),
        &mut |_| Ok(()),
        &mut |_| {},
    )
    .await;
    let Err(DeployError::Differs(text)) = result else {
        panic!("{result:?}");
    };
    assert!(
        text.contains("margin.min_debt is 100 on the chain, 200 in the file"),
        "{text}"
    );
}

#[tokio::test]
async fn parallel_calls_of_one_account_all_arrive() {
    let w = World::deployed("parallel").await;
    let (token, who) = (w.d.quote, w.account("who").await);
    let calls = (0..20).map(|_| {
        let (mut node, who) = (w.node.clone(), who.clone());
        async move { node.call(&who, token, mint(who.account_id(), 1)).await }
    });
    for result in futures::future::join_all(calls).await {
        result.unwrap_or_else(|error| panic!("{error}"));
    }
    // Another connection knows nothing of the numbers the first one used.
    let mut other = Node::connect(url(), Settings::development())
        .await
        .expect("connects");
    other
        .call(&who, token, mint(who.account_id(), 1))
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        held(&w.node, token, who.account_id()).await.unwrap().get(),
        21
    );
}

#[tokio::test]
async fn errors_have_their_types() {
    let mut w = World::deployed("errors").await;
    let (token, who) = (w.d.quote, w.account("who").await);
    let transfer = || {
        Deployment::token(token)
            .call_mut()
            .transfer(signer("//Bob").account_id(), 1, Vec::new())
    };
    let refused = w.node.call(&who, token, transfer()).await;
    assert_eq!(
        refused.unwrap_err(),
        CallError::Reverted(PSP22Error::InsufficientBalance)
    );
    let nowhere = w.node.call(&who, who.account_id(), transfer()).await;
    assert_eq!(nowhere.unwrap_err(), CallError::NoSuchContract);
    let poor = signer("//Nobody//has//paid//this//one");
    let unpaid = w.node.call(&poor, token, mint(poor.account_id(), 1)).await;
    let error = unpaid.unwrap_err();
    assert!(
        matches!(
            error,
            CallError::FeeUnpaid { .. } | CallError::StorageDeposit(_)
        ),
        "{error}"
    );
    let dry = w
        .node
        .dry_run(&who, token, mint(who.account_id(), 1))
        .await
        .expect("runs");
    assert!(dry.fee > 0 && dry.storage_deposit > 0);
    let real = w
        .node
        .call(&who, token, mint(who.account_id(), 1))
        .await
        .expect("runs");
    assert!(
        real.fee > 0 && real.fee <= dry.fee,
        "the dry run's fee is the most it can be"
    );
    assert_eq!(dry.events, real.events);
}

#[tokio::test]
async fn a_follower_misses_no_event() {
    let mut w = World::deployed("follower").await;
    let (token, who) = (w.d.quote, w.account("who").await);
    let mut follower = w.node.follow(w.node.block().await.unwrap() + 1);
    let mut sent = Vec::new();
    for _ in 0..5 {
        let receipt = w.send(&who, token, mint(who.account_id(), 1)).await;
        sent.push((receipt.block, receipt.events));
    }
    let mut seen = Vec::new();
    while seen.len() < sent.len() {
        let position = follower.position();
        let update = follower.next().await.expect("a block");
        assert_eq!(
            (update.number, update.replaced),
            (position, false),
            "no gap"
        );
        let ours: Vec<_> = update
            .events
            .into_iter()
            .filter(|e| e.contract == token)
            .collect();
        if !ours.is_empty() {
            seen.push((update.number, ours));
        }
    }
    assert_eq!(seen, sent);
}
