//! Random histories: what must hold after every transition, whatever came before.

use super::super::*;
use super::world::{World, COLLATERAL, QUOTE};
use crate::math::Rounding;
use crate::units::{Amount, Ratio, PRICE_ONE};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Act {
    Deposit(u32, u128),
    Withdraw(u32, u128),
    Borrow(u32, u128),
    Repay(u32, u128),
    Sync(u32, u16),
    Move(i32),
    Open,
    Settle(u32, u8, u32),
    Rest(u32),
    Wait(u64),
}

fn act() -> impl Strategy<Value = Act> {
    let who = 0u32..12;
    prop_oneof![
        3 => (who.clone(), 1u128..20 * COLLATERAL).prop_map(|(w, a)| Act::Deposit(w, a)),
        2 => (who.clone(), 1u128..20 * COLLATERAL).prop_map(|(w, a)| Act::Withdraw(w, a)),
        4 => (who.clone(), 1u128..3_000 * QUOTE).prop_map(|(w, a)| Act::Borrow(w, a)),
        2 => (who.clone(), 1u128..3_000 * QUOTE).prop_map(|(w, a)| Act::Repay(w, a)),
        1 => (who, 0u16..4).prop_map(|(w, n)| Act::Sync(w, n)),
        3 => (-120i32..110).prop_map(Act::Move),
        3 => Just(Act::Open),
        3 => (0u32..4, 0u8..64, 0u32..=1_100_000).prop_map(|(b, s, f)| Act::Settle(b, s, f)),
        2 => (0u32..8).prop_map(Act::Rest),
        2 => (1u64..40 * 86_400_000).prop_map(Act::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    /// Promises 5 and 9 over random histories: after every transition tokens held equal the sum
    /// of claims, totals equal the cells, and nobody healthy at the price enters a batch.
    #[test]
    fn random_histories_conserve_and_never_touch_the_healthy(
        acts in proptest::collection::vec(act(), 1..120),
        hole in (1u128..200_000 * QUOTE).prop_map(|n| Amount::new(n.max(100 * QUOTE))),
        insurance in 0u128..50_000 * QUOTE,
    ) {
        let mut world = World::new();
        world.params.interest = crate::interest::InterestCurve::STANDARD;
        world.params.min_batch = Amount::new(100 * QUOTE);
        // Insurance can afford some of what nobody bids for.
        (world.params.hole, world.params.insurance_budget) = (hole, Ratio::from_bps(2_500));
        world.insure(insurance);
        let mut price = 200 * PRICE_ONE;
        let mut running: Vec<Opening> = Vec::new();
        for act in acts {
            world.block += 1;
            let prices = world.prices(price);
            match act {
                Act::Deposit(who, amount) => {
                    if world.transition(who, |l, p| l.deposit(p, Amount::new(amount))).is_ok() {
                        world.held.1 += amount;
                    }
                }
                Act::Withdraw(who, amount) => {
                    let done =
                        world.transition(who, |l, p| l.withdraw(p, Amount::new(amount), Some(&prices)));
                    if done.is_ok() {
                        world.held.1 -= amount;
                    }
                }
                Act::Borrow(who, amount) => {
                    if world.transition(who, |l, p| l.borrow(p, Amount::new(amount), &prices)).is_ok() {
                        world.held.0 -= amount;
                    }
                }
                Act::Repay(who, amount) => {
                    let paid = world.transition(who, |l, p| l.repay(p, Amount::new(amount)));
                    if let Ok(paid) = paid {
                        world.held.0 += paid.get();
                    }
                }
                Act::Sync(who, moves) => {
                    world.transition(who, |l, p| l.sync(p, moves)).unwrap();
                }
                Act::Wait(milliseconds) => {
                    let now = world.state.accrued_at + milliseconds;
                    world.state.accrue(&world.params.interest, now).unwrap();
                }
                Act::Move(per_mille) => {
                    let moved = price as i128 + price as i128 / 1_000 * i128::from(per_mille);
                    world.round += 1;
                    price = u128::try_from(moved).unwrap().clamp(PRICE_ONE, 10_000 * PRICE_ONE);
                }
                Act::Open => {
                    let before: Vec<_> = (0..12).map(|who| world.view(who, price)).collect();
                    if let Ok(opening) = world.open_batch(price) {
                        for who in 0..12 {
                            let was = before[who as usize];
                            if world.view(who, price).batch == Some(opening.number) {
                                prop_assert!(was.status.is_liquidatable());
                            }
                        }
                        running.push(opening);
                    }
                }
                Act::Settle(nth, step, fraction) => {
                    if !running.is_empty() {
                        let opening = running.remove(nth as usize % running.len());
                        let step = usize::from(step);
                        let target = opening.targets[step];
                        if fraction < 300_000 {
                            let (cash, lost) = (world.state.cash, world.state.written_off);
                            let done = world.settle_unsold(opening.number, &prices).unwrap();
                            let paid = done.insured.paid;
                            prop_assert!(paid.is_zero() || world.state.written_off == lost);
                            prop_assert!(world.state.cash >= cash);
                            world.check();
                            continue;
                        }
                        let raised = target
                            .share(Ratio::from_ppm(fraction.min(1_000_000)), Rounding::Down)
                            .unwrap();
                        world.settle(opening.number, opening.prices[step], raised).unwrap();
                    }
                }
                Act::Rest(nth) => {
                    let settled = world.cells.batches.iter().filter(|(_, b)| b.settled.is_some());
                    if let Some((number, _)) = settled.clone().nth(nth as usize) {
                        let number = *number;
                        world.transition(u32::MAX, |l, _| l.rest(number, 1)).unwrap();
                    }
                }
            }
            world.check();
        }
        // Promise 6: whatever happened, after settling everybody can repay and leave.
        for opening in running {
            world.settle(opening.number, opening.prices[30], Amount::ZERO).unwrap();
        }
        for who in 0..12 {
            while !world.transition(who, |l, p| l.sync(p, 8)).unwrap() {}
            if let Ok(paid) = world.transition(who, |l, p| l.repay(p, Amount::new(u128::MAX))) {
                world.held.0 += paid.get();
            }
            if let Ok(back) = world.transition(who, |l, p| l.reclaim(p)) {
                world.held.0 -= back.get();
            }
            prop_assert!(world.view(who, price).debt.is_zero());
            let out = world.positions.get(&who).map(|p| p.collateral).unwrap_or_default();
            if !out.is_zero() {
                world.transition(who, |l, p| l.withdraw(p, out, None)).unwrap();
                world.held.1 -= out.get();
            }
            world.check();
        }
    }
}
