//! Both directions of a market, and every pair of decimals, through the whole story.

use breakwater_core::market::{example_params, MarketParams};
use breakwater_core::math::Rounding;
use breakwater_core::position::Status;
use breakwater_core::units::{Amount, Price, UnitScale, PRICE_ONE};
use breakwater_embedded_tests::World;
use breakwater_interfaces::vault::MarginVault;
use ink::codegen::TraitCallBuilder;

/// A market of tokens with these decimals, whose price falls from `before` to `after`: risky
/// collateral that falls, or a risky debt that rises.
struct Story {
    decimals: (u8, u8),
    /// Collateral of each owner, whole tokens.
    each: u128,
    before: Price,
    after: Price,
}

fn tell(story: &Story) {
    let (collateral_decimals, quote_decimals) = story.decimals;
    let scale = UnitScale::of_decimals(collateral_decimals, quote_decimals).expect("in bounds");
    let each = Amount::new(story.each * 10u128.pow(collateral_decimals.into()));
    let value = scale
        .value(each, story.before, Rounding::Down)
        .unwrap()
        .get();
    let times = |n: u128| Amount::new(value * n);
    let part = |n: u128| Amount::new(value / n);
    let params = MarketParams {
        collateral_decimals,
        quote_decimals,
        min_debt: part(100),
        debt_ceiling: times(1_000),
        supply_cap: times(1_000),
        hole: times(100),
        min_batch: part(10),
        keeper_tip: part(1_000),
        ..example_params()
    };
    let mut w = World::without_price(params);
    let d = w.d;
    w.set_price(story.before);
    let lender = w.lender();
    w.fund(lender, d.quote, times(100), d.vault);
    let supply = d.vault().call_mut().supply(0, times(100));
    w.vault(lender, supply).expect("lends");
    // From 70 % to 74 % of the collateral's value.
    let debts: Vec<_> = (70..75)
        .map(|percent| Amount::new(value / 100 * percent))
        .collect();
    let mut owners = Vec::new();
    for (index, debt) in (100..).zip(&debts) {
        let owner = w.account(index);
        w.open_position(owner, each, *debt);
        assert_eq!(w.view(owner).status, Status::Healthy);
        owners.push(owner);
    }
    let (bidder, keeper) = (w.account(30), w.account(40));
    w.fund_bidder(bidder, times(10));
    w.set_price_twice(story.after);
    for owner in &owners {
        assert_eq!(w.view(*owner).status, Status::Liquidatable);
    }
    let batch = w.open_batch(keeper).expect("opens");
    let opened = w.batch(batch);
    let debt: u128 = debts.iter().map(|debt| debt.get()).sum();
    assert_eq!(
        (opened.members, opened.collateral.get()),
        (5, 5 * each.get())
    );
    assert!(opened.debt.get() - debt <= 5);
    let auction = w.record(batch).auction;
    let bid = w
        .bid(bidder, batch, times(10), auction.prices[20])
        .expect("bids");
    w.run_to(batch, 21);
    let done = w.settle(keeper, batch);
    assert_eq!(
        (done.price, done.raised),
        (auction.prices[20], auction.targets[20])
    );
    let sold = scale
        .quantity(done.raised, done.price, Rounding::Down)
        .unwrap();
    assert_eq!(done.sold, sold);
    let fill = w.claim(bidder, batch, &[bid]);
    assert_eq!((fill.spent, fill.received), (done.raised, sold));
    w.rest(keeper, batch);
    assert!(done.waterfall.shortfall.is_zero() && !done.waterfall.reward.is_zero());

    // Everybody leaves; nothing is lost on the way but rounding.
    let (mut out, mut repaid) = (0, done.repaid.get());
    for owner in &owners {
        assert!(w.view(*owner).status.is_safe());
        repaid += w.repay_all(*owner);
        out += w.withdraw_all(*owner);
    }
    assert!(repaid.abs_diff(opened.debt.get()) <= 20);
    // A unit of quote may round to many of collateral, or the other way round.
    let unit = scale
        .quantity(Amount::new(1), done.price, Rounding::Up)
        .unwrap()
        .get();
    let kept = 5 * each.get() - sold.get();
    assert!(
        kept >= out && kept - out <= 20 * unit,
        "{kept} instead of {out}"
    );
    assert!(times(100).get().abs_diff(w.redeem_all(lender)) <= 20);
    let claim = d.vault().call_mut().claim_reward(0);
    w.vault(keeper, claim).expect("pays");
    let left = w.accounting();
    assert!(w.held(d.quote, d.vault) - left.state.insurance.get() <= 40);
    assert!(w.held(d.collateral, d.vault) <= 20 * unit);
}

const DECIMALS: [(u8, u8); 4] = [(6, 18), (18, 6), (12, 10), (8, 8)];

#[test]
fn risky_collateral_and_stable_debt_with_all_pairs_of_decimals() {
    for decimals in DECIMALS {
        tell(&Story {
            decimals,
            each: 10,
            before: Price::new(200 * PRICE_ONE),
            after: Price::new(170 * PRICE_ONE),
        });
    }
}

#[test]
fn stable_collateral_and_risky_debt_with_all_pairs_of_decimals() {
    for decimals in DECIMALS {
        // One collateral is worth 1/200 of the debt's token, then 1/235.
        tell(&Story {
            decimals,
            each: 2_000,
            before: Price::new(PRICE_ONE / 200),
            after: Price::new(PRICE_ONE / 235),
        });
    }
}
