//! Clearing against a second one, bid by bid, with big integers.

use arbitrary::Unstructured;
use breakwater_core::auction::{Auction, AuctionError, Clock, Halts, Phase};
use breakwater_core::ladder::Schedule;
use breakwater_core::units::{Amount, Price, UnitScale};
use num_bigint::BigUint;

/// A bid that was placed.
struct Bid {
    budget: u128,
    limit: u128,
    step: u8,
}

/// Any ladder, any targets, any bids at any time: the step chosen is the best by the rule written
/// down here once more; everybody pays its price, nobody more than a limit or a budget or for
/// nothing, and all claims together fit what was raised and sold.
///
/// # Panics
/// Where that is not so.
pub fn clearing(data: &[u8]) {
    let _ = run(&mut Unstructured::new(data));
}

/// Numbers that never rise, the highest under 2^96.
fn falling(u: &mut Unstructured<'_>, count: u8) -> arbitrary::Result<Vec<u128>> {
    let mut value = super::ticks::number(u)? >> 32;
    let mut values = Vec::new();
    for _ in 0..count {
        values.push(value);
        let part = u128::from(u.arbitrary::<u16>()?);
        value -= (value >> 20) * part;
    }
    Ok(values)
}

fn run(u: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let steps: u8 = u.int_in_range(2..=64)?;
    let decimals = (u.int_in_range(6..=18)?, u.int_in_range(6..=18)?);
    let scale = UnitScale::of_decimals(decimals.0, decimals.1).expect("in range");
    let prices: Vec<_> = falling(u, steps)?;
    let targets: Vec<_> = falling(u, steps)?;
    if prices.last().is_none_or(|floor| *floor == 0) {
        return Ok(());
    }
    let reference = prices[usize::from(u.int_in_range(0..=steps - 1)?)];
    let schedule = Schedule {
        first: 10,
        blocks_per_step: u.int_in_range(1..=2)?,
        steps,
    };
    let auction = Auction::open(
        schedule,
        9,
        Price::new(reference),
        prices.iter().copied().map(Price::new).collect(),
        targets.iter().copied().map(Amount::new).collect(),
    );
    let Ok(mut auction) = auction else {
        return Ok(());
    };
    let (mut block, mut bids) = (9u32, Vec::new());
    for _ in 0..u.int_in_range(0..=40)? {
        block += u32::from(u.arbitrary::<u8>()? % 8);
        let budget = super::ticks::number(u)? >> 24;
        let limit = prices[usize::from(u.int_in_range(0..=steps - 1)?)];
        let limit = limit.saturating_add(u128::from(u.arbitrary::<bool>()?));
        let before = auction.clone();
        let placed = auction.place(
            Amount::new(budget),
            Price::new(limit),
            u32::MAX,
            block,
            scale,
        );
        let Ok(step) = placed else {
            auction = before;
            continue;
        };
        assert!(prices[usize::from(step)] <= limit, "joined over its limit");
        if u.ratio(1, 8)? {
            let taken = auction.cancel(Amount::new(budget), step, block);
            let begun = schedule.has_begun(step, block);
            assert_eq!(taken.is_err(), begun, "a bid is free until its step");
            if taken.is_ok() {
                assert_eq!(auction.joined, before.joined, "I-52");
                continue;
            }
        }
        bids.push(Bid {
            budget,
            limit,
            step,
        });
    }
    block += u32::from(u.arbitrary::<u8>()?);
    let clock: Clock = auction.clock(&Halts::default(), block);
    let ended = schedule.ended(clock.judged());
    let expected = best(
        &bids,
        &prices,
        &targets,
        auction.reserve.get(),
        ended,
        steps,
    );
    let cleared = auction.clear(clock, scale);
    let clearing = match cleared {
        Ok(clearing) => clearing,
        Err(AuctionError::BiddingOpen) => {
            assert!(expected.is_none(), "an ended clock was not judged");
            return Ok(());
        }
        // Products beyond what 128 bits hold are refused, never cut.
        Err(AuctionError::Math(_)) => return Ok(()),
        Err(error) => panic!("{error:?}"),
    };
    let (ended_at, step, raised) = expected.expect("a clock that runs was judged");
    assert_eq!(clearing.ended_at, ended_at, "the clock's end");
    if clearing.raised.is_zero() {
        assert!(clearing.price.is_zero() && clearing.sold.is_zero());
    } else {
        assert_eq!(clearing.step, step, "the best step");
        // What buys not a unit of collateral is not raised.
        assert!(clearing.raised.get() <= raised, "more than min(B, T)");
    }
    let again = auction.clear(clock, scale);
    assert_eq!(again, Ok(clearing), "judged twice");
    auction.phase = Phase::Settled(clearing);
    let (mut spent, mut received) = (0u128, 0u128);
    while !bids.is_empty() {
        let nth = u.choose_index(bids.len()).unwrap_or(0);
        let bid = bids.swap_remove(nth);
        let fill = auction.claim(Amount::new(bid.budget), bid.step, scale);
        let fill = match fill {
            Ok(fill) => fill,
            Err(AuctionError::Math(_)) => return Ok(()),
            Err(error) => panic!("{error:?}"),
        };
        assert!(fill.spent.get() <= bid.budget, "over its budget");
        let for_nothing = !fill.spent.is_zero() && fill.received.is_zero();
        assert!(!for_nothing, "promise 3");
        if !fill.spent.is_zero() {
            assert!(clearing.price.get() <= bid.limit, "I-14");
        }
        spent += fill.spent.get();
        received += fill.received.get();
    }
    assert_eq!(spent, clearing.raised.get(), "I-06: all raised is paid");
    assert!(received <= clearing.sold.get(), "I-17");
    Ok(())
}

/// The rule once more: the end of the clock, the best step, and what it raises.
fn best(
    bids: &[Bid],
    prices: &[u128],
    targets: &[u128],
    reserve: u128,
    ended: u8,
    steps: u8,
) -> Option<(u8, u8, u128)> {
    let money = |step: u8| -> u128 {
        let joined = bids.iter().filter(|bid| bid.step <= step);
        joined.map(|bid| bid.budget).sum()
    };
    let covered = (0..ended).find(|step| money(*step) >= targets[usize::from(*step)]);
    let ended_at = covered.or((ended >= steps).then_some(steps - 1))?;
    let raised = |step: u8| money(step).min(targets[usize::from(step)]);
    let fullest = (0..=ended_at).map(raised).max()?;
    let score = |step: u8| -> BigUint {
        let price = prices[usize::from(step)];
        // At least an eighth of the fullest step, and a price over `r`.
        if BigUint::from(raised(step)) * 8u8 < BigUint::from(fullest) {
            return BigUint::ZERO;
        }
        BigUint::from(raised(step)) * price.saturating_sub(reserve) / price
    };
    let mut chosen = 0;
    for step in 1..=ended_at {
        if (score(step), raised(step)) > (score(chosen), raised(chosen)) {
            chosen = step;
        }
    }
    Some((ended_at, chosen, raised(chosen)))
}
