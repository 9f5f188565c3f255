//! One story that moves value in every usual way, and what its log is good for.

use breakwater_core::interest::InterestCurve;
use breakwater_core::market::{example_params, MarketParams};
use breakwater_core::units::{Ratio, Shares};
use breakwater_embedded_tests::{collateral, price, quote, Scene};
use breakwater_interfaces::auction::LiquidationAuction;
use breakwater_interfaces::standing::StandingBids;
use breakwater_interfaces::vault::MarginVault;
use breakwater_interfaces::vault_admin::VaultAdmin;
use breakwater_sim::replay::log::{self, Entry};
use breakwater_sim::replay::{ReplayError, Replayed};
use ink::codegen::TraitCallBuilder;

/// Loans that bear interest, a crash, a batch with bids that are filled, filled in part and
/// refunded, a tier that buys, owners who repay, add and leave while it runs, claims, a second
/// batch that only the tier buys of, and everybody's way out.
pub fn story() -> Scene {
    let mut s = Scene::with_params(MarketParams {
        interest: InterestCurve {
            idle: Ratio::from_bps(300),
            kink: Ratio::from_bps(8_000),
            at_kink: Ratio::from_bps(2_000),
            at_full: Ratio::from_bps(20_000),
            reserve_factor: Ratio::from_bps(1_000),
        },
        ..example_params()
    });
    s.w.checked = false;
    s.w.replayed = true;
    let (d, stranger, keeper) = (s.w.d, s.stranger, s.keeper);
    s.w.fund(stranger, d.quote, quote(5_000), d.vault);
    let give = d.admin().call_mut().insure(0, quote(700));
    s.w.vault(stranger, give).expect("insures");
    let supply = d.vault().call_mut().supply(0, quote(3_000));
    let shares = s.w.vault(stranger, supply).expect("lends").value;
    let depositor = s.w.account(60);
    s.w.fund_bidder(depositor, quote(9_000));
    let stand = d.standing().call_mut().stand(0, 3, quote(4_000));
    s.w.auction(depositor, stand).expect("stands");
    s.w.wait(7 * 86_400_000);

    s.w.set_price_twice(price(168));
    let batch = s.open();
    let prices = s.w.record(batch).auction.prices;
    let above = s.bid(0, batch, quote(4_000), prices[7]);
    let moved = s.bid(1, batch, quote(2_500), prices[12]);
    let gone = s.bid(2, batch, quote(2_000), prices[12]);
    let cancel = d.auction().call_mut().cancel(batch, gone);
    s.w.auction(s.bidders[2], cancel).expect("cancels");
    let replace = d
        .auction()
        .call_mut()
        .replace(batch, moved, quote(14_000), prices[20], u32::MAX);
    s.w.auction(s.bidders[1], replace).expect("replaces");
    let below = s.bid(3, batch, quote(6_000), prices[50]);

    // One owner pays ahead, one adds, one adds enough to leave.
    let [pays, adds, leaves] = [s.owners[1], s.owners[2], s.owners[9]];
    s.w.fund(pays, d.quote, quote(1_000), d.vault);
    let repay = d.vault().call_mut().repay(0, pays, quote(900));
    s.w.vault(pays, repay).expect("pays ahead");
    for owner in [adds, leaves] {
        s.w.fund(owner, d.collateral, collateral(4), d.vault);
        let add = d.vault().call_mut().deposit(0, collateral(4));
        s.w.vault(owner, add).expect("adds");
    }
    s.w.fund(leaves, d.quote, quote(50), d.vault);
    let leave = d.auction().call_mut().leave(batch);
    s.w.auction(leaves, leave).expect("leaves");
    let stand = d.standing().call_mut().stand(0, 3, quote(1_000));
    s.w.auction(depositor, stand).expect("waits to enter");
    let unstand = d.standing().call_mut().unstand(0, 3, quote(1_500));
    s.w.auction(depositor, unstand).expect("waits to leave");

    for _ in 0..30 {
        s.w.advance(1);
    }
    let clearing = s.w.judge(stranger, batch);
    assert!(!clearing.raised.is_zero());
    s.w.settle(stranger, batch);
    let fills = [
        s.w.claim(s.bidders[0], batch, &[above]),
        s.w.claim(s.bidders[1], batch, &[moved]),
        s.w.claim(s.bidders[3], batch, &[below]),
    ];
    assert!(fills[0].refunded.is_zero(), "filled");
    assert!(
        !fills[1].refunded.is_zero() && !fills[1].spent.is_zero(),
        "in part"
    );
    assert!(fills[2].spent.is_zero(), "refunded");
    let claim = d.standing().call_mut().claim_standing(0, 3);
    s.w.auction(depositor, claim)
        .expect("is paid what left the tier");
    for owner in [pays, s.owners[3]] {
        let sync = d.vault().call_mut().sync(0, owner, 1);
        s.w.vault(stranger, sync).expect("syncs");
    }
    s.w.rest(stranger, batch);
    for who in [keeper, stranger] {
        let claim = d.vault().call_mut().claim_reward(0);
        s.w.vault(who, claim).expect("has its half of the reward");
    }

    // Only the tier comes to the second batch.
    s.w.set_price_twice(price(120));
    let second = s.open();
    s.w.run_out(second);
    s.w.settle(keeper, second);
    let bought = s.w.clearing(second).sold;
    assert!(!bought.is_zero());
    let claim = d.standing().call_mut().claim_standing(0, 3);
    let paid = s.w.auction(depositor, claim).expect("claims").value;
    assert!(!paid.collateral.is_zero());
    s.w.rest(keeper, second);
    s.w.set_price_twice(price(200));

    let mut closed = 0;
    for owner in s.owners.clone() {
        s.w.fund(owner, d.quote, quote(2_000), d.vault);
        let close = d.vault().call_mut().close(0);
        closed += u32::from(s.w.vault(owner, close).is_ok());
    }
    assert!(closed > 5, "all that have something left");
    let redeem = d
        .vault()
        .call_mut()
        .redeem(0, Shares::new(shares.get() / 3));
    s.w.vault(stranger, redeem).expect("redeems");
    let out = d.auction().call_mut().withdraw(0, quote(10));
    s.w.auction(s.bidders[4], out).expect("withdraws");
    s.w.advance(1);
    s
}

/// F24: a whole story, compared at the end of each of its blocks, and its log in pieces.
#[test]
fn f24_a_whole_story_is_rebuilt_from_events_alone() {
    let s = story();
    assert!(s.w.assert_replay() > 20, "so many views agree");
    let (contracts, entries) = (s.w.contracts(), s.w.log());
    let whole = rebuilt(&entries, &s).expect("amounts to books");

    // In pieces of any size, each coming twice and with what came before.
    for size in [1, 3, 10] {
        let mut books = Replayed::new(contracts);
        for end in (0..entries.len()).step_by(size) {
            let from = end.saturating_sub(5);
            let piece = &entries[from..(end + size).min(entries.len())];
            books.apply(piece).expect("goes on");
            books.apply(piece).expect("has been there");
        }
        assert_eq!(
            books.summary().expect("sums up"),
            whole.summary().expect("sums up")
        );
    }

    // Written as lines and read again.
    let mut lines = Vec::new();
    log::write_head(&mut lines, &contracts).expect("writes");
    log::write_entries(&mut lines, &contracts, &entries).expect("writes");
    let (named, read) = log::read(&lines[..]).expect("reads");
    let read: Result<Vec<_>, _> = read.collect();
    assert_eq!((named, read.expect("reads")), (contracts, entries));
}

/// Books of a log of the story's contracts.
pub fn rebuilt(entries: &[Entry], s: &Scene) -> Result<Replayed, ReplayError> {
    let mut books = Replayed::new(s.w.contracts());
    books.apply(entries)?;
    Ok(books)
}
