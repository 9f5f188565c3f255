//! Insurance as the buyer at the floor: what it pays, what it gets back, and that nobody gains by
//! making it buy.

use super::super::*;
use super::world::{World, COLLATERAL, QUOTE};
use crate::batch::Sale;
use crate::breaker::Stage;
use crate::inventory::Insured;
use crate::market::MarketPrices;
use crate::page::FIRST_WAIT;
use crate::units::{Amount, Price, Ratio, Shares, PRICE_ONE};
use crate::wind_down::Collected;
use proptest::prelude::*;

const FUND: u128 = 100_000 * QUOTE;

fn price(whole: u128) -> u128 {
    whole * PRICE_ONE
}

/// One position of 10 collateral that owes 1 490, in a batch opened at 170 that nobody bid for:
/// its floor is 153. A later round says 165.
fn nobody_came() -> (World, Opening, MarketPrices) {
    let mut world = World::new();
    world.params.min_batch = Amount::new(100 * QUOTE);
    world.insure(FUND);
    world.open_position(1, 10 * COLLATERAL, 1_490 * QUOTE, price(200));
    let opening = world.open_batch(price(170)).unwrap();
    assert_eq!(opening.prices.last(), Some(&Price::new(price(153))));
    world.block += 70;
    world.round += 1;
    let prices = world.prices(price(165));
    (world, opening, prices)
}

/// As [`nobody_came`], after insurance took the lot.
fn insured() -> World {
    let (mut world, opening, prices) = nobody_came();
    world.settle_unsold(opening.number, &prices).unwrap();
    world.rest(opening.number);
    world.check();
    world
}

/// Health 10 · 170 · 0.8 / 1 490 = 0.913: closed whole. T = 1 490 · 1.05 = 1 564.5, but at 153 the
/// collateral is worth 1 530: that is what insurance pays. 1 490 is debt, 40 is penalty and comes
/// back to it.
#[test]
fn insurance_takes_at_the_floor_what_nobody_bid_for() {
    let (mut world, opening, prices) = nobody_came();
    let (held, cash) = (world.held, world.state.cash.get());
    let done = world.settle_unsold(opening.number, &prices).unwrap();
    world.rest(opening.number);
    world.check();
    assert_eq!(
        done.price,
        Price::new(price(153)),
        "one price for all sellers"
    );
    let expected = Insured {
        taken: Amount::new(10 * COLLATERAL),
        paid: Amount::new(1_530 * QUOTE),
        ..Insured::default()
    };
    assert_eq!(done.insured, expected);
    assert_eq!(world.held, held, "no token moves");
    assert_eq!(world.state.cash.get(), cash + 1_490 * QUOTE);
    assert_eq!(
        world.state.insurance.get(),
        FUND - 1_530 * QUOTE + 40 * QUOTE
    );
    let inventory = world.state.inventory;
    assert_eq!(inventory.held.get(), 10 * COLLATERAL);
    assert_eq!(inventory.cost.get(), 1_530 * QUOTE);
    assert_eq!(
        inventory.spent_on(world.state.accrued_at).get(),
        1_530 * QUOTE
    );
    assert_eq!(world.view(1, price(165)).debt, Amount::ZERO);
    // Nobody is paid for it: neither share nor tip nor top-up.
    assert!(world.state.rewards.is_zero() && done.waterfall.top_up.is_zero());
}

/// Only with a fresh feed, none of whose prices is under the floor, and only where the auction
/// ran to its end.
#[test]
fn insurance_takes_nothing_on_a_price_it_cannot_rely_on() {
    type Change = fn(&mut MarketPrices, &World);
    let spoilt: [Change; 8] = [
        |p, w| p.age = w.params.max_price_age + 1,
        |p, _| p.round = 1,
        |p, w| p.accepted_in = w.block,
        |p, _| p.spot = Price::new(price(153) - 1),
        |p, _| p.previous = Price::new(price(153) - 1),
        |p, _| p.twap = Price::new(price(153) - 1),
        |p, _| p.quarantined = Some(Price::new(price(153) - 1)),
        |p, _| p.quarantined = Some(Price::ZERO),
    ];
    let (world, opening, prices) = nobody_came();
    for spoil in spoilt {
        let (mut world, mut prices) = (world.clone(), prices);
        spoil(&mut prices, &world);
        let done = world.settle_unsold(opening.number, &prices).unwrap();
        world.rest(opening.number);
        world.check();
        assert_eq!(done.insured, Insured::default(), "{prices:?}");
        assert_eq!(done.debt_left.get(), 1_490 * QUOTE, "the lot goes back");
    }
    // All of them exactly at the floor, and of the oldest age, will do.
    let (mut world, mut exact) = (world, prices);
    let floor = Price::new(price(153));
    (exact.spot, exact.previous, exact.twap) = (floor, floor, floor);
    (exact.quarantined, exact.age) = (Some(floor), world.params.max_price_age);
    let mut halted = world.clone();
    assert!(!world
        .settle_unsold(opening.number, &exact)
        .unwrap()
        .insured
        .paid
        .is_zero());
    // The vault does not ask for an auction that was halted for too long or left by the market.
    let sale = Sale {
        price: Price::ZERO,
        raised: Amount::ZERO,
        excused: true,
    };
    let block = halted.block;
    let done = halted
        .transition(u32::MAX, |l, _| {
            l.settle_batch(opening.number, sale, block, 1)
        })
        .unwrap();
    assert_eq!(done.insured, Insured::default());
}

/// The budget is per market and day: 400 of 1 530 are left, so 400 are spent, on the riskiest
/// alone; the rest waits like everything that found too little money. Tomorrow there is more.
#[test]
fn insurance_spends_no_more_than_its_budget_of_the_day() {
    let mut world = World::new();
    world.params.hole = Amount::new(38_600 * QUOTE);
    world.params.insurance_budget = Ratio::from_bps(500); // 1 930 a day.
    world.params.min_batch = Amount::new(100 * QUOTE);
    world.insure(FUND);
    for (who, debt) in [(1, 1_490), (2, 1_450)] {
        world.open_position(who, 10 * COLLATERAL, debt * QUOTE, price(200));
    }
    let opening = world.open_batch(price(170)).unwrap();
    world.block += 70;
    world.round += 1;
    let prices = world.prices(price(165));
    let done = world.settle_unsold(opening.number, &prices).unwrap();
    world.rest(opening.number);
    world.check();
    assert_eq!(done.insured.paid.get(), 1_930 * QUOTE);
    assert_eq!(world.view(1, price(165)).debt, Amount::ZERO);
    // 400 at 153 from who owes 1 450 on 1 530: 400 / 1.05 of it is debt.
    let rest = world.view(2, price(165));
    let retired = 1_450 * QUOTE - rest.debt.get();
    assert!((380 * QUOTE..=400 * QUOTE).contains(&retired), "{retired}");
    let sold = 10 * COLLATERAL - rest.collateral.get();
    assert!(sold.abs_diff(400 * COLLATERAL / 153) <= COLLATERAL / 1_000_000);
    // The same day nothing is left; a day later there is.
    world.block += FIRST_WAIT;
    world.round += 1;
    for (days, expected) in [(0, 0), (1, 1)] {
        world.state.accrued_at += days * 86_400_000;
        world.round += 1;
        world.block += 20_000;
        let opening = world.open_batch(price(150)).unwrap();
        world.round += 1;
        let prices = world.prices(price(150));
        let done = world.settle_unsold(opening.number, &prices).unwrap();
        world.rest(opening.number);
        world.check();
        assert_eq!(
            u32::from(!done.insured.paid.is_zero()),
            expected,
            "day {days}"
        );
    }
    world.params.insurance_budget = Ratio::ZERO;
    assert!(
        !world.state.may_insure(&world.params, Stage::Open),
        "zero: it buys nothing"
    );
}

/// In the next batch the cohorts are served first. At 170 · 1.03 the ten are asked for 1 751; with
/// money for the cohorts alone nothing of insurance's is sold, with half as much again a part.
#[test]
fn what_insurance_took_is_offered_next_and_served_last() {
    for (part, sold) in [(0u128, 0u128), (50, 5), (100, 10)] {
        let mut world = insured();
        world.round += 1;
        world.block += 1;
        world.open_position(2, 10 * COLLATERAL, 1_490 * QUOTE, price(200));
        let opening = world.open_batch(price(170)).unwrap();
        world.check();
        assert_eq!(opening.offered.get(), 10 * COLLATERAL);
        assert_eq!(world.state.inventory.offered, opening.offered);
        let running = world.state.running[0];
        assert_eq!(running.own.get(), 1_751 * QUOTE);
        let step = 20;
        let at = opening.prices[step];
        let scale = world.params.scale().unwrap();
        let own = scale
            .value(opening.offered, at, crate::math::Rounding::Down)
            .unwrap()
            .get();
        let cohorts = opening.targets[step].get() - own;
        // A cohort's own T, alone: 1 490 · 1.05.
        assert!(cohorts.abs_diff(1_564_500_000) <= 1, "{cohorts}");
        let before = world.state.insurance.get();
        let raised = Amount::new(cohorts + own * part / 100);
        let done = world.settle(opening.number, at, raised).unwrap();
        world.rest(opening.number);
        world.check();
        let away = done.insured.sold.get().abs_diff(sold * COLLATERAL);
        assert!(
            away <= COLLATERAL / 1_000_000,
            "{part} %: {:?}",
            done.insured
        );
        assert_eq!(done.insured.proceeds.get(), own * part / 100);
        assert_eq!(
            world.view(2, price(170)).debt,
            Amount::ZERO,
            "cohorts first"
        );
        let penalties = done.waterfall.to_insurance.get();
        assert_eq!(
            world.state.insurance.get(),
            before + done.insured.proceeds.get() + penalties - done.waterfall.top_up.get()
        );
        // Keepers are paid by what the cohorts raised.
        assert!(done.waterfall.reward.get() <= 5 * QUOTE + cohorts / 1_000);
        let inventory = world.state.inventory;
        assert!(inventory.offered.is_zero());
        let left = inventory.held.get() as f64 / (10 * COLLATERAL) as f64;
        assert!((inventory.cost.get() as f64 - left * 1_530e6).abs() <= 2.0);
    }
}

/// Alone it is offered after the wait of a lot that failed, on a newer round, as a batch of its
/// own that is in nobody's way; as a speck never.
#[test]
fn collateral_of_insurance_finds_its_own_batch_after_a_wait() {
    let mut world = insured();
    world.round += 1;
    let refused = world.open_batch(price(165)).err();
    assert_eq!(refused, Some(LedgerError::NothingToLiquidate), "it waits");
    world.block += FIRST_WAIT;
    let mut speck = world.clone();
    speck.params.min_batch = Amount::new(2_000 * QUOTE);
    let refused = speck.open_batch(price(165)).err();
    assert_eq!(refused, Some(LedgerError::NothingToLiquidate), "a speck");
    let opening = world.open_batch(price(165)).unwrap();
    assert_eq!((opening.cohorts, opening.members), (0, 0));
    // Cohorts may join it before its first step.
    let mut joined = world.clone();
    joined.open_position(2, 10 * COLLATERAL, 1_490 * QUOTE, price(200));
    let prices = joined.prices(price(165));
    let request = OpenRequest {
        block: joined.block,
        demand: Demand {
            most: Amount::new(u128::MAX),
            depth: None,
        },
    };
    let more = joined
        .transition(0, |l, _| {
            l.extend(opening.number, &prices, &opening.prices, request)
        })
        .unwrap();
    joined.check();
    assert_eq!((more.cohorts, more.offered), (1, opening.offered));
    let cohort = more.targets[30].get() - opening.targets[30].get();
    assert!(cohort.abs_diff(1_564_500_000) <= 2, "{cohort}");
    let half = Amount::new(more.targets[30].get() / 2);
    let done = joined
        .settle(opening.number, opening.prices[30], half)
        .unwrap();
    joined.rest(opening.number);
    joined.check();
    let proceeds = done.insured.proceeds.get();
    assert!(proceeds.abs_diff(half.get() - cohort) <= 2, "{proceeds}");
    // An owner who opens it does not shield a small position of its own: the rule of an eighth of
    // the hole asks for batches with cohorts.
    world.open_position(2, 10 * COLLATERAL, 1_490 * QUOTE, price(200));
    let other = world.open_batch(price(165)).unwrap();
    assert!(other.cohorts == 1 && other.offered.is_zero());
    let whole = opening.targets[30];
    let done = world
        .settle(opening.number, opening.prices[30], whole)
        .unwrap();
    world.rest(opening.number);
    assert_eq!(done.insured.sold.get(), 10 * COLLATERAL);
    assert!(done.waterfall.reward.is_zero() && done.waterfall.top_up.is_zero());
    assert_eq!(world.state.inventory.cooling.failures, 0);
    world
        .settle(other.number, Price::ZERO, Amount::ZERO)
        .unwrap();
    world.check();
    // Where it finds nobody, the wait doubles.
    let mut world = insured();
    (world.round, world.block) = (world.round + 1, world.block + FIRST_WAIT);
    let opening = world.open_batch(price(165)).unwrap();
    world.round += 1;
    let prices = world.prices(price(165));
    let done = world.settle_unsold(opening.number, &prices).unwrap();
    assert_eq!(
        done.insured,
        Insured::default(),
        "it does not buy from itself"
    );
    world.check();
    let cooling = world.state.inventory.cooling;
    assert_eq!(
        (cooling.failures, cooling.until),
        (2, world.block + 2 * FIRST_WAIT)
    );
}

/// It takes up what the cohorts leave of the hole and of the money bidders have, at most a quarter
/// of the hole, in one batch at a time; and whoever leaves or extends leaves it in.
#[test]
fn collateral_of_insurance_takes_what_room_is_left() {
    let mut world = insured();
    world.round += 1;
    world.block += 1;
    for who in [2, 3] {
        world.open_position(who, 10 * COLLATERAL, 1_490 * QUOTE, price(200));
    }
    let open = |hole: u128, most: u128| {
        let mut world = world.clone();
        world.params.hole = Amount::new(hole * QUOTE);
        let prices = world.prices(price(170));
        let request = OpenRequest {
            block: world.block,
            demand: Demand {
                most: Amount::new(most * QUOTE),
                depth: None,
            },
        };
        let opening = world
            .transition(0, |l, _| l.open(&prices, request))
            .unwrap();
        world.check();
        (world, opening)
    };
    // Two cohorts in one tick ask for 3 129.
    let (_, opening) = open(100_000_000, 3_129);
    assert!(opening.offered.is_zero(), "no money is left for it");
    let (_, opening) = open(100_000_000, 3_129 + 875);
    let half = opening.offered.get().abs_diff(5 * COLLATERAL);
    assert!(half < COLLATERAL / 100, "{:?}", opening.offered);
    let (_, opening) = open(4_800, 1_000_000);
    let quarter = 1_200 * COLLATERAL * 1_000 / 175_100;
    assert!(opening.offered.get().abs_diff(quarter) < COLLATERAL / 100);
    let (mut world, opening) = open(100_000_000, 1_000_000);
    let with = opening.targets[40].get();
    let paid = world
        .transition(2, |l, p| l.repay(p, Amount::new(1_000 * QUOTE)))
        .unwrap();
    world.held.0 += paid.get();
    let left = world
        .transition(2, |l, p| l.leave(p, opening.number, &opening.prices))
        .unwrap();
    world.held.0 += left.fee.get();
    world.check();
    let gone = with - left.targets[40].get();
    assert!(
        gone.abs_diff(1_564_500_000) <= 2,
        "only the leaver's ask: {gone}"
    );
}

/// †: whoever keeps bidders away gains nothing by it, whatever the role. At 170 the honest
/// outcome sells at fair price or a little under.
#[test]
fn nobody_gains_by_making_insurance_buy() {
    let worth = |collateral: u128, at: u128| collateral * at / COLLATERAL * QUOTE;
    // The owner, who is also opener, settler and the only one awake: 10 collateral at 170 less
    // 1 490 of debt is 210. After the purchase nothing is left of it, and no reward.
    let (mut world, opening, prices) = nobody_came();
    let had = worth(10 * COLLATERAL, 170) - 1_490 * QUOTE;
    world.settle_unsold(opening.number, &prices).unwrap();
    world.rest(opening.number);
    let view = world.view(1, price(170));
    let has = worth(view.collateral.get(), 170) - view.debt.get() + world.state.rewards.get();
    assert!(has < had, "{has} {had}");
    assert_eq!(had - has, 210 * QUOTE);

    // A bidder who drives others off and buys from insurance later, against one who drives them
    // off and buys at once: the same floor, later. Nothing is sold cheaper.
    let (mut at_once, opening, _) = nobody_came();
    let all = *opening.targets.last().unwrap();
    let floor = *opening.prices.last().unwrap();
    let bought = at_once.settle(opening.number, floor, all).unwrap();
    let now = worth(bought.sold.get(), 170) as i128 - all.get() as i128;
    let mut later = insured();
    later.round += 1;
    later.block += FIRST_WAIT;
    let opening = later.open_batch(price(170)).unwrap();
    let all = *opening.targets.last().unwrap();
    let floor = *opening.prices.last().unwrap();
    let bought = later.settle(opening.number, floor, all).unwrap();
    let then = worth(bought.sold.get(), 170) as i128 - all.get() as i128;
    assert!(then <= now, "{then} {now}");
    // And insurance has lost nothing to either but the wait: 1 530 paid, 1 530 and a penalty back.
    assert_eq!(later.state.insurance.get(), FUND + 40 * QUOTE);

    // Owner and bidder in one: sells ten at 153 with a penalty, buys ten back at 153. Round trip:
    // the collateral is the same, 40 is gone.
    let paid = all.get();
    assert_eq!(paid - 1_490 * QUOTE, 40 * QUOTE);
}

/// †: an oracle pushed up for one round, so that insurance pays more than anybody would. The
/// previous round or the average is under the floor then.
#[test]
fn a_pushed_price_does_not_make_insurance_pay_more() {
    let mut world = World::new();
    world.insure(FUND);
    // Sound at 200, pushed to 240 while it is opened: the floor would be 216.
    world.open_position(1, 10 * COLLATERAL, 1_490 * QUOTE, price(200));
    let pushed = MarketPrices {
        spot: Price::new(price(240)),
        previous: Price::new(price(240)),
        ..world.prices(price(185))
    };
    // At the better of the last two it is healthy: no batch at all.
    let request = OpenRequest {
        block: world.block,
        demand: Demand {
            most: Amount::new(u128::MAX),
            depth: None,
        },
    };
    let refused = world.transition(0, |l, _| l.open(&pushed, request)).err();
    assert_eq!(refused, Some(LedgerError::NothingToLiquidate));
    // Opened at 170, and pushed later: the floor stays 153, the price insurance pays too.
    let opening = world.open_batch(price(170)).unwrap();
    world.round += 1;
    world.block += 70;
    let pushed = world.prices(price(400));
    let done = world.settle_unsold(opening.number, &pushed).unwrap();
    assert_eq!(done.price, Price::new(price(153)));
}

/// In a wind-down, after the notice, what insurance holds makes good what lenders have lost, at
/// what it cost; what it sells before goes to them as well.
#[test]
fn in_a_wind_down_lenders_receive_what_insurance_holds() {
    let mut world = insured();
    let lender = world.state.supply_shares;
    world.state.begin_wind_down().unwrap();
    let pool = world.state.pool().unwrap();
    let lost = Amount::new(765 * QUOTE);
    world.state.book_loss(lost, pool, Ratio::ONE).unwrap();
    let notice = world.params.notice;
    assert_eq!(
        world.state.hand_inventory_over(notice),
        Ok((Amount::ZERO, Amount::ZERO)),
        "not before the notice"
    );
    // Half of it is sold meanwhile, at 160 a piece: first to lenders.
    let mut sold = world.clone();
    (sold.round, sold.block) = (sold.round + 1, sold.block + FIRST_WAIT);
    let opening = sold.open_batch(price(170)).unwrap();
    let done = sold
        .settle(
            opening.number,
            Price::new(price(160)),
            Amount::new(800 * QUOTE),
        )
        .unwrap();
    sold.check();
    assert_eq!(done.insured.proceeds.get(), 800 * QUOTE);
    assert_eq!(done.insured.to_lenders, lost);
    assert!(sold.state.wind_down.unwrap().lost.is_zero());

    world.state.accrued_at += notice;
    // 765 of 1 530: half of the ten.
    let handed = world.state.hand_inventory_over(notice).unwrap();
    assert_eq!(handed, (Amount::new(5 * COLLATERAL), lost));
    world.check();
    let mut taken = Collected::default();
    let got = world.state.collect(lender, &mut taken, true).unwrap();
    world.held.1 -= got.get();
    world.check();
    assert_eq!(got.get(), 5 * COLLATERAL);
    assert_eq!(world.state.inventory.held.get(), 5 * COLLATERAL);
    assert_eq!(
        world.state.hand_inventory_over(notice),
        Ok((Amount::ZERO, Amount::ZERO))
    );
}

proptest! {
    /// A purchase never costs lenders anything, never spends more than the day's budget or than
    /// insurance has, and leaves nobody it serves worse; whatever is insolvent.
    #[test]
    fn a_purchase_never_costs_lenders_anything(
        debts in proptest::collection::vec(1_300u128..1_500, 1..8),
        now in 40u128..180, insurance in 0u128..12_000, budget in 0u128..12_000,
    ) {
        let mut world = World::new();
        world.params.hole = Amount::new(48_000 * QUOTE);
        world.params.insurance_budget = Ratio::from_ppm((budget * 1_000_000 / 48_000) as u32);
        world.insure(insurance * QUOTE);
        for (who, debt) in (1..).zip(&debts) {
            world.open_position(who, 10 * COLLATERAL, debt * QUOTE, price(200));
        }
        let Ok(opening) = world.open_batch(price(now)) else { return Ok(()) };
        let before: Vec<_> = (1..=debts.len() as u32).map(|who| world.view(who, price(now))).collect();
        world.block += 70;
        world.round += 1;
        let assets = world.state.lenders_assets().unwrap();
        let prices = world.prices(price(now));
        let done = world.settle_unsold(opening.number, &prices).unwrap();
        world.rest(opening.number);
        world.check();
        let w = done.waterfall;
        prop_assert!(w.from_lenders.is_zero() && w.from_reserve.is_zero() && w.reward.is_zero());
        prop_assert!(world.state.lenders_assets().unwrap().get() + 64 >= assets.get());
        let spent = world.state.inventory.spent_on(world.state.accrued_at).get();
        prop_assert!(spent <= insurance.min(budget) * QUOTE);
        prop_assert_eq!(
            done.insured.paid.get(), done.repaid.get() + done.penalties.get()
        );
        for (who, before) in (1..).zip(before) {
            let after = world.view(who, price(now));
            if !after.debt.is_zero() && after.debt != before.debt {
                // Debt per collateral does not rise, by more than the rounding of a unit.
                let was = before.debt.get() as f64 / before.collateral.get() as f64;
                let is = after.debt.get() as f64 / after.collateral.get() as f64;
                prop_assert!(is <= was * 1.000_001, "{} {}", was, is);
            }
        }
    }
}

/// I-03: whoever gives to insurance changes what it can bear, and no share's worth or price.
#[test]
fn i03_a_gift_to_insurance_moves_no_share_price() {
    let mut world = World::new();
    world.open_position(1, 10 * COLLATERAL, 1_400 * QUOTE, price(200));
    let shares = world.state.supply_shares;
    let seen = |world: &World| {
        let mut entering = world.state.clone();
        let bought = entering.supply(Amount::new(777 * QUOTE), world.params.supply_cap);
        let mut leaving = world.state.clone();
        let paid = leaving.redeem(shares, Shares::new(shares.get() / 7), Amount::ZERO);
        (world.state.supply_value(shares), bought, paid)
    };
    let before = seen(&world);
    world.insure(1_000_000 * QUOTE);
    world.check();
    assert_eq!(seen(&world), before);
}

/// A token is broken and its price next to nothing, while insurance holds some of it: batches open
/// as before, so that what lenders have lost is booked (promise 8).
#[test]
fn promise_8_collateral_of_insurance_stops_no_opening_at_next_to_no_price() {
    let mut world = insured();
    assert!(!world.state.inventory.held.is_zero());
    world.open_position(50, 10 * COLLATERAL, 1_400 * QUOTE, 200 * PRICE_ONE);
    let opening = world.open_batch(1_000).unwrap();
    assert!(opening.members > 0);
    assert_eq!(opening.offered, world.state.inventory.offered);
    world.check();
}
