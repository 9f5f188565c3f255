//! Storage deposits go back to who paid them: the pallet refunds whoever frees a cell, so nobody
//! may free another's.

use breakwater_embedded_tests::{quote, Scene};
use breakwater_interfaces::vault::MarginVault;
use ink::codegen::TraitCallBuilder;

/// Attack: after a crash a bot brings sold-out positions up to date, one after the other, and
/// collects the deposit each owner paid for its cell. The cell stays until its owner frees it.
#[test]
fn nobody_pockets_the_deposit_of_anothers_position() {
    let (mut s, batch) = Scene::opened(120);
    for bidder in 0..5 {
        let limit = s.w.record(batch).auction.prices[40];
        s.bid(bidder, batch, quote(4_000), limit);
    }
    s.w.run_out(batch);
    s.w.settle(s.keeper, batch);
    s.w.rest(s.keeper, batch);
    // The riskiest two: one is brought up to date by a stranger first, the other by its owner.
    let (stranger, slow, own) = (s.stranger, s.owners[9], s.owners[8]);
    let mut sync = |by, owner| {
        let message = s.w.d.vault().call_mut().sync(0, owner, 8);
        s.w.vault(by, message).expect("syncs").storage_deposit
    };
    let (pocketed, refunded) = (sync(stranger, slow), sync(own, own));
    assert!(refunded < pocketed, "{refunded} against {pocketed}");
    let left = sync(slow, slow);
    assert!(left < 0, "its owner frees the cell: {left}");
}
