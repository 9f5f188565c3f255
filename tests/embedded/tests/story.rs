//! The whole story once: lend, borrow, crash, one batch, settle, claim, repay, leave.

use breakwater_chain::Chain;
use breakwater_core::position::Status;
use breakwater_embedded_tests::{collateral, price, quote, World};
use breakwater_interfaces::auction::LiquidationAuction;
use breakwater_interfaces::vault::MarginVault;
use futures::executor::block_on;
use ink::codegen::TraitCallBuilder;

#[test]
fn lend_borrow_crash_clear_settle_claim_and_leave() {
    let mut w = World::new();
    let owners: Vec<_> = (10..20).map(|i| w.account(i)).collect();
    for (i, owner) in owners.iter().enumerate() {
        w.open_position(*owner, collateral(10), quote(1_400 + 10 * i as u128));
    }
    let bidders: Vec<_> = (30..35).map(|i| w.account(i)).collect();
    for bidder in &bidders {
        w.fund_bidder(*bidder, quote(20_000));
    }
    w.set_price(price(170));
    w.set_price(price(170));

    let keeper = w.account(40);
    let batch = w.open_batch(keeper).expect("opens");
    let record = w.record(batch);
    println!("first {:?} now {}", record.auction.schedule, w.block());
    let mut bids = Vec::new();
    for bidder in &bidders {
        let id = w
            .bid(*bidder, batch, quote(5_000), price(169))
            .expect("bids");
        bids.push(id);
    }
    w.advance(70);
    let settled = w
        .auction(keeper, w.d.auction().call_mut().settle(batch))
        .expect("settles");
    println!("{:#?}", settled.value);
    println!("gas {:?}", settled.gas_consumed);
    for (bidder, bid) in bidders.iter().zip(bids) {
        let claimed = w
            .auction(*bidder, w.d.auction().call_mut().claim(batch, vec![bid]))
            .expect("claims");
        println!("{:?} {:?}", claimed.value, claimed.gas_consumed);
    }
    let mut done = false;
    while !done {
        let r = w
            .vault(keeper, w.d.vault().call_mut().rest(0, batch.number, 8))
            .expect("rests");
        println!("rest {:?}", r.gas_consumed);
        done = r.value;
    }
    for owner in owners {
        let view = block_on(
            w.chain
                .query(owner, w.d.vault, w.d.vault().call().position(0, owner)),
        )
        .unwrap()
        .unwrap();
        println!("{view:?}");
        assert_eq!(view.status, Status::Healthy);
    }
}
