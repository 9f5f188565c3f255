//! Promise 4: a position sells just what pays its debt share and penalty; the rest stays its
//! owner's, and nobody's collateral pays another's debt beyond the width of the shared tick.

use breakwater_core::market::example_params;
use breakwater_core::math::Rounding;
use breakwater_core::position::{PositionView, Status};
use breakwater_core::units::{Amount, Price, PRICE_ONE};
use breakwater_embedded_tests::{buys, collateral, price, quote, worth, Scene, COLLATERAL, QUOTE};

/// What the rules ask of a position of 10 collateral at a price, restated in whole quote from
/// the protocol's text: the debt to retire.
fn to_retire(debt: f64, price: f64) -> f64 {
    let (threshold, penalty, target, full, ramp, slippage) = (0.80, 0.05, 1.05, 0.95, 0.02, 0.03);
    let value = 10.0 * price;
    let health = value * threshold / debt;
    if health <= full || debt / value > (1.0 - slippage) / (1.0 + penalty) {
        return debt;
    }
    let slope = target - (1.0 + penalty) * threshold / (1.0 - slippage);
    let part = debt * (target - health) / slope;
    let part = match full + ramp - health {
        above if above > 0.0 => part + (debt - part) * above / ramp,
        _ => part,
    };
    if debt - part < 100.0 {
        debt
    } else {
        part
    }
}

fn whole(amount: Amount) -> f64 {
    amount.get() as f64 / QUOTE as f64
}

/// Health at a price, in millionths.
fn health(view: &PositionView, at: Price) -> u128 {
    worth(view.collateral.get(), at) * 800_000 / view.debt.get()
}

#[test]
fn each_owner_sells_what_pays_its_own_debt_and_penalty() {
    for crash in [171u128, 170, 168, 160] {
        let mut start = Scene::crashed(crash);
        let batch = start.open();
        let opened = start.w.save();
        for step in [0u8, 20, 49] {
            start.w.restore(&opened);
            let s = &mut start;
            s.clear_at(batch, step);
            let at = s.w.clearing(batch).price;
            for (index, owner) in s.owners.iter().enumerate() {
                let (debt, view) = (Scene::debt(index), s.w.view(*owner));
                // Health is rounded to a millionth, which moves a target by up to 0.1 quote.
                let expected = to_retire(whole(debt), crash as f64);
                let retired = whole(debt) - whole(view.debt);
                assert!(
                    (retired - expected).abs() < 0.1,
                    "at {crash} owner {index} retired {retired}, not {expected}"
                );
                // What was sold is worth 105 % of what was retired, to two units of quote, or is
                // all there was: then the penalty is what is left of it.
                let sold = 10 * COLLATERAL - view.collateral.get();
                let due = (debt.get() - view.debt.get()) * 105 / 100;
                let due = due.min(worth(10 * COLLATERAL, at));
                assert!(
                    worth(sold, at).abs_diff(due) <= 2,
                    "owner {index} at step {step}"
                );
            }
        }
    }
}

#[test]
fn the_batch_sells_for_exactly_the_debt_retired_and_the_penalty() {
    let (mut s, batch) = Scene::opened(168);
    let opened = s.w.save();
    for step in [0u8, 7, 33, 50, 63] {
        s.w.restore(&opened);
        let auction = s.w.record(batch).auction;
        let limit = auction.prices[usize::from(step)];
        s.bid(0, batch, quote(20_000), limit);
        s.w.run_out(batch);
        let done = s.w.settle(s.keeper, batch);
        assert_eq!(done.repaid.get() + done.penalties.get(), done.raised.get());
        assert!(done.raised.get() - worth(done.sold.get(), limit) <= 1);
        let usual = done.repaid.get() / 20;
        if limit >= price(157) {
            assert!(done.penalties.get().abs_diff(usual) <= 10, "5 %");
        } else {
            // 10 collateral at 151.2 do not pay 105 % of 1 450 or more.
            assert!(done.penalties.get() < usual && done.waterfall.shortfall.is_zero());
        }
        assert_eq!(
            done.repaid.get() + done.debt_left.get(),
            quote(14_450).get()
        );
        let rounding = s.w.accounting().state.collateral_rounding.get();
        assert!(rounding <= 10 * buys(1, limit, Rounding::Up));
        assert_eq!(
            done.sold.get() + done.returned.get() + rounding,
            100 * COLLATERAL
        );
    }
}

#[test]
fn a_partial_closing_restores_target_health() {
    // 1 400 on 10 collateral at 170: health 0.971, above the ramp, so a part is enough.
    let position = (collateral(10), quote(1_400));
    let mut s = Scene::of(example_params(), &[position], quote(20_000));
    s.w.set_price_twice(price(170));
    let batch = s.open();
    let opened = s.w.save();
    let mut last = u128::MAX;
    // Step 50 is the lower knee: 3 % under the oracle, the slippage that is planned for.
    for step in [0u8, 8, 50, 60] {
        s.w.restore(&opened);
        s.clear_at(batch, step);
        let view = s.w.view(s.owners[0]);
        let restored = health(&view, price(170));
        // What is retired costs 5 % more of collateral's value at the price of that step.
        let retired = to_retire(1_400.0, 170.0);
        let at = s.w.clearing(batch).price.get() as f64 / PRICE_ONE as f64;
        let expected = (10.0 - 1.05 * retired / at) * 136.0 / (1_400.0 - retired);
        assert!(
            (restored as f64 / 1e6 - expected).abs() < 2e-5,
            "{restored}"
        );
        if step == 50 {
            assert!((1_049_990..=1_050_010).contains(&restored), "{restored}");
        }
        assert!(restored < last, "the better the price, the healthier");
        assert!(restored > 1_000_000, "healthy even in the last steps");
        assert!(view.status.is_safe());
        last = restored;
    }
}

#[test]
fn a_healthy_position_in_the_next_tick_is_untouched() {
    let positions = [
        (collateral(10), quote(1_400)),
        (collateral(10), Amount::new(1_401_400_001)),
    ];
    let mut s = Scene::of(example_params(), &positions, quote(20_000));
    let (safe, risky) = (s.owners[0], s.owners[1]);
    let limit = s.w.view(safe).liquidation_price.unwrap();
    let other = s.w.view(risky).liquidation_price.unwrap();
    // One tick is a tenth of a percent.
    let apart = other.get() * 1_000_000 / limit.get();
    assert!((1_000_999..=1_001_001).contains(&apart), "{apart}");

    s.w.set_price_twice(limit);
    let before = s.w.view(safe);
    assert_eq!(
        (before.status, s.w.view(risky).status),
        (Status::MarginCall, Status::Liquidatable)
    );
    let batch = s.open();
    assert_eq!(s.w.batch(batch).members, 1);
    assert_eq!(s.w.view(safe), before);
    s.clear_at(batch, 10);
    assert_eq!(s.w.view(safe), before);
    assert_ne!(s.w.view(risky).collateral, collateral(10));
    s.w.repay_all(safe);
    assert_eq!(s.w.withdraw_all(safe), 10 * COLLATERAL, "to the unit");
}

#[test]
fn owners_of_one_tick_share_in_proportion_to_their_stakes() {
    let stakes = [1u128, 3, 7];
    let positions = stakes.map(|n| (collateral(10 * n), quote(1_400 * n)));
    let mut s = Scene::of(example_params(), &positions, quote(20_000));
    // Partial at 170, whole at 165.
    let start = s.w.save();
    for crash in [170, 165] {
        s.w.restore(&start);
        s.w.set_price_twice(price(crash));
        let batch = s.open();
        let pooled = s.w.batch(batch);
        assert_eq!((pooled.cohorts, pooled.members), (1, 3), "one tick");
        s.clear_at(batch, 12);
        let views: Vec<_> = s.owners.iter().map(|o| s.w.view(*o)).collect();
        assert!(views[0].collateral < collateral(10));
        assert_eq!(views[0].debt.is_zero(), crash == 165);
        for (n, view) in stakes.iter().zip(&views) {
            // Rounded to a unit for the smaller one, so to n units for the larger.
            assert!(
                view.collateral
                    .get()
                    .abs_diff(n * views[0].collateral.get())
                    <= n + 1
            );
            assert!(view.debt.get().abs_diff(n * views[0].debt.get()) <= n + 1);
        }
    }
}

#[test]
fn sharing_a_tick_moves_no_more_than_its_width_between_owners() {
    // The debt on 10 collateral whose ratio is the lower bound of the tick of 1 400.
    let probe = Scene::of(
        example_params(),
        &[(collateral(10), quote(1_400))],
        Amount::ZERO,
    );
    let limit = probe.w.view(probe.owners[0]).liquidation_price.unwrap();
    let bound = limit.get() * 8 / (PRICE_ONE / QUOTE);
    // Two owners 0.08 % apart, together in that tick.
    let debts = [bound + bound / 10_000, bound + bound * 9 / 10_000];
    let position = |debt: u128| (collateral(10), Amount::new(debt));
    let outcome = |positions: &[(Amount, Amount)], crash: u128| {
        let mut s = Scene::of(example_params(), positions, quote(20_000));
        s.w.set_price_twice(price(crash));
        let batch = s.open();
        assert_eq!(s.w.batch(batch).cohorts, 1);
        s.clear_at(batch, 12);
        let at = s.w.clearing(batch).price;
        let equity = |view: PositionView| worth(view.collateral.get(), at) - view.debt.get();
        s.owners
            .iter()
            .map(|o| equity(s.w.view(*o)))
            .collect::<Vec<_>>()
    };
    for crash in [170, 160] {
        let pooled = outcome(&debts.map(position), crash);
        for (debt, pooled) in debts.into_iter().zip(pooled) {
            let alone = outcome(&[position(debt)], crash)[0];
            let moved = pooled.abs_diff(alone);
            assert!(moved <= debt / 1_000, "{moved} of a debt of {debt}");
        }
    }
}

#[test]
fn short_money_serves_the_riskiest_and_leaves_the_others_as_they_were() {
    let (mut s, batch) = Scene::opened(168);
    let before: Vec<_> = s
        .owners
        .iter()
        .map(|o| (s.w.view(*o).collateral, s.w.view(*o).debt))
        .collect();
    // 1 490 and 1 480 are closed whole with 3 118.50; 381.50 goes into 1 470.
    s.bid(0, batch, quote(3_500), price(168));
    s.w.run_out(batch);
    let done = s.w.settle(s.keeper, batch);
    assert_eq!(done.raised, quote(3_500));
    s.w.rest(s.keeper, batch);
    let after: Vec<_> = s
        .owners
        .iter()
        .map(|o| (s.w.view(*o).collateral, s.w.view(*o).debt))
        .collect();
    assert_eq!((after[9].1, after[8].1), (Amount::ZERO, Amount::ZERO));
    let paid = quote(1_470).get() - after[7].1.get();
    let rest = (quote(3_500).get() - 1_564_500_000 - 1_554_000_000) * 100 / 105;
    assert!(paid.abs_diff(rest) <= 2, "{paid}");
    assert_eq!(after[..7], before[..7], "no sale, no change");
    // The owner of 1 470 is healthier than before: it paid at more than its ratio.
    let view = s.w.view(s.owners[7]);
    assert!(health(&view, price(168)) > 168 * 8_000_000 / 1_470);
}
