//! Decisions as tables of values.

mod tiers;

use super::bidder::{self, Memory, Room, Want};
use super::{apart, depth, feeder, keeper};
use crate::action::{Action, Refusal};
use crate::config::{Config, Decimal};
use crate::source::Observation;
use crate::upkeep::{Duty, Whose};
use crate::view::{BatchView, View};
use breakwater_core::auction::{Auction, Halts, Phase, Stage};
use breakwater_core::breaker::Cause;
use breakwater_core::ladder::Schedule;
use breakwater_core::ledger::AtRisk;
use breakwater_core::market::{example_params, MarketPrices};
use breakwater_core::standing::account::Worth;
use breakwater_core::units::{Amount, Price, Ratio, PRICE_ONE};
use breakwater_interfaces::auction::{AuctionRecord, BatchKey, Bid};

fn at(whole: u128) -> Price {
    Price::new(whole * PRICE_ONE)
}

fn quote(whole: u128) -> Amount {
    Amount::new(whole * 1_000_000)
}

fn config() -> Config {
    Config::parse(include_str!("../../../../examples/bot.toml")).unwrap()
}

/// Five steps from 204 down to 190, one block each, from block 100 on; a target of 5 000.
fn batch(block: u32) -> BatchView {
    let schedule = Schedule {
        first: 100,
        blocks_per_step: 1,
        steps: 5,
    };
    let prices = [204, 200, 197, 196, 190].map(at).to_vec();
    let auction = Auction::open(schedule, 98, at(200), prices, vec![quote(5_000); 5]).unwrap();
    let scale = example_params().scale().unwrap();
    BatchView {
        key: BatchKey {
            market: 0,
            number: 3,
        },
        status: auction.status(block, scale).unwrap(),
        record: AuctionRecord {
            auction,
            opener: [0; 32].into(),
            bids: 0,
            collateral: Amount::ZERO,
            standing: Default::default(),
        },
        bids: Vec::new(),
        rested: false,
    }
}

pub(crate) fn view(block: u32) -> View {
    let params = example_params();
    View {
        block,
        now: 1_000_000,
        scale: params.scale().unwrap(),
        prices: Some(MarketPrices {
            spot: at(200),
            previous: at(200),
            twap: at(200),
            round: 2,
            accepted_in: block - 1,
            age: 6_000,
            quarantined: None,
            volatility: None,
        }),
        at_risk: AtRisk::default(),
        batches: vec![batch(block)],
        own_price: None,
        free: quote(20_000),
        quote: Amount::ZERO,
        collateral: Amount::ZERO,
        reward: Amount::ZERO,
        batches_opened: 4,
        stakes: Vec::new(),
        duties: Vec::new(),
        feed: None,
        params,
    }
}

fn admit(view: &View, memory: &Memory, want: Option<Want>) -> (Vec<Action>, Vec<Refusal>) {
    let config = config().bidder.unwrap();
    let fair = bidder::fair_price(&config, view).unwrap();
    let wants = want.map_or_else(|| bidder::wants(&config, view, fair), |want| vec![want]);
    let (mut memory, mut room) = (memory.clone(), Room::new(&config, view, memory));
    let decision = bidder::admit(
        &config,
        view,
        &view.batches[0],
        fair,
        wants,
        &mut memory,
        &mut room,
    );
    (decision.actions, decision.refusals)
}

/// What is bid: the budget in whole quote, and the last block.
fn bid(view: &View, memory: &Memory) -> Result<(u128, u32), Option<Refusal>> {
    let (actions, refusals) = admit(view, memory, None);
    match &actions[..] {
        [Action::Bid(bid)] => Ok((bid.budget.get() / 1_000_000, bid.valid_until)),
        [] => Err(refusals.first().copied()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_bid_is_placed_when_its_step_is_near_and_never_twice() {
    // The limit is 196: step 3, which begins in block 103.
    let fresh = Memory::default();
    assert_eq!(bid(&view(100), &fresh), Err(None));
    assert_eq!(bid(&view(101), &fresh), Ok((10_000, 107)));
    assert_eq!(bid(&view(103), &fresh), Ok((10_000, 107)));
    let mut taken = Memory::default();
    taken.taken.insert((3, "rung0".to_owned()));
    assert_eq!(bid(&view(102), &taken), Err(None));
}

#[test]
fn every_bound_cuts_or_refuses_a_bid() {
    type Change = fn(&mut View, &mut Memory);
    let cases: [(Change, Result<u128, Refusal>); 9] = [
        (|_, _| {}, Ok(10_000)),
        (|v, _| v.free = quote(700), Ok(700)),
        (|v, _| v.free = Amount::ZERO, Err(Refusal::NoFunds)),
        (|_, m| m.spent_today = quote(49_000), Ok(1_000)),
        (
            |_, m| m.spent_today = quote(50_000),
            Err(Refusal::LimitReached),
        ),
        (|_, m| m.unsure.push((3, quote(4_000))), Ok(6_000)),
        (|_, m| m.unsure.push((2, quote(14_000))), Ok(6_000)),
        (
            |v, _| v.collateral = Amount::new(100 * PRICE_ONE),
            Err(Refusal::LimitReached),
        ),
        // 10 000 at 196 is worth 10 204; 40 at 196 are worth 0.8 more, which is under one.
        (|v, _| v.free = quote(40), Err(Refusal::Unprofitable)),
    ];
    for (index, (change, expected)) in cases.into_iter().enumerate() {
        let (mut view, mut memory) = (view(102), Memory::default());
        change(&mut view, &mut memory);
        let found = bid(&view, &memory).map(|(budget, _)| budget);
        assert_eq!(found, expected.map_err(Some), "case {index}");
    }
}

/// A bid pays the clearing price, and that may be the floor: what it buys there is inside the bound.
#[test]
fn inventory_stays_inside_its_bound_at_the_lowest_price_a_bid_may_pay() {
    let bidder = [1; 32].into();
    let own = |budget| Bid {
        bidder,
        budget: quote(budget),
        limit: at(196),
        step: 3,
    };
    // Of 100, so much may still be bought: the ladder ends at 190.
    for (held, bids, unsure, expected) in [
        (48, 0, 0, 9_880),
        (48, 1_900, 0, 7_980),
        (48, 0, 1_900, 7_980),
    ] {
        let (mut view, mut memory) = (view(102), Memory::default());
        view.collateral = Amount::new(held * PRICE_ONE);
        if bids > 0 {
            view.batches[0].bids.push((0, own(bids), None));
        }
        if unsure > 0 {
            memory.unsure.push((3, quote(unsure)));
        }
        let (actions, _) = admit(&view, &memory, None);
        let [Action::Bid(bid)] = &actions[..] else {
            panic!("{actions:?}");
        };
        let short = quote(expected).minus(bid.budget).unwrap();
        assert!(short <= Amount::new(2), "{bid:?}");
    }
}

#[test]
fn own_bids_on_the_chain_count_even_if_the_memory_is_gone() {
    let mut view = view(102);
    let bidder = [1; 32].into();
    let own = Bid {
        bidder,
        budget: quote(10_000),
        limit: at(196),
        step: 3,
    };
    view.batches[0].bids.push((0, own, None));
    let found = bid(&view, &Memory::default());
    assert_eq!(found, Err(Some(Refusal::LimitReached)));
}

#[test]
fn limits_outside_fair_price_and_floor_are_refused() {
    for (limit, expected) in [(201, Refusal::AbsurdPrice), (189, Refusal::UnderFloor)] {
        let want = Want {
            slot: "x".to_owned(),
            budget: quote(100),
            limit: at(limit),
            forced: false,
        };
        let (actions, refusals) = admit(&view(102), &Memory::default(), Some(want));
        assert_eq!((actions, refusals), (vec![], vec![expected]));
    }
}

#[test]
fn the_fair_price_is_the_own_one_near_a_fresh_oracle() {
    let config = config().bidder.unwrap();
    let fair = |age, own: Option<u128>| {
        let mut view = view(102);
        view.own_price = own.map(at);
        view.prices.as_mut().unwrap().age = age;
        bidder::fair_price(&config, &view)
    };
    assert_eq!(fair(0, None), Ok(at(200)));
    assert_eq!(fair(0, Some(206)), Ok(at(206)));
    assert_eq!(fair(0, Some(207)), Err(Refusal::AbsurdPrice));
    assert_eq!(fair(0, Some(193)), Err(Refusal::AbsurdPrice));
    assert_eq!(fair(3_600_000, None), Ok(at(200)));
    assert_eq!(fair(3_600_001, Some(200)), Err(Refusal::StaleOracle));
    // A price in quarantine may be the true one: without an own opinion nobody buys above it.
    for (waiting, expected) in [(150, 150), (260, 200)] {
        let mut view = view(102);
        view.prices.as_mut().unwrap().quarantined = Some(at(waiting));
        assert_eq!(bidder::fair_price(&config, &view), Ok(at(expected)));
        view.own_price = Some(at(199));
        assert_eq!(bidder::fair_price(&config, &view), Ok(at(199)));
    }
}

#[test]
fn what_is_missing_is_forced_in_the_last_steps_alone_and_under_the_ceiling() {
    let config = config().bidder.unwrap();
    // The last four of five steps, where the price is at most 0.95 of the fair price.
    for (block, fair, expected) in [
        (100, 300, None),
        (101, 300, Some(5_000)),
        (104, 200, Some(5_000)),
        (103, 200, None),
    ] {
        let forced = bidder::forced(&config, &batch(block), at(fair));
        let budget = forced.map(|want| want.budget.get() / 1_000_000);
        assert_eq!(budget, expected, "{block}");
    }
}

#[test]
fn a_bid_that_became_dear_is_taken_back_before_its_step() {
    for (block, fair, expected) in [(100, 195, 1), (100, 196, 0), (102, 195, 0)] {
        let mut view = view(block);
        let bidder = [1; 32].into();
        let own = Bid {
            bidder,
            budget: quote(10),
            limit: at(196),
            step: 3,
        };
        view.batches[0].bids.push((5, own, None));
        let cancels = bidder::cancels(&view, Ok(at(fair)));
        assert_eq!(cancels.len(), expected, "{block} {fair}");
        // What is fair is not known any more: a crash that the oracle has not seen.
        let unknown = bidder::cancels(&view, Err(Refusal::AbsurdPrice));
        assert_eq!(unknown.len(), usize::from(block == 100), "{block}");
    }
}

/// A halt is when prices run away from bids: what has not begun is taken back while the clock
/// stands, also what begins in the very block in which bidding goes on.
#[test]
fn bids_that_became_dear_are_taken_back_in_a_halt() {
    for (step, expected) in [(2, 0), (3, 1), (4, 1)] {
        let mut view = view(110);
        let batch = &mut view.batches[0];
        let mut halts = Halts::default();
        halts.halt(103, 103);
        let clock = batch.record.auction.clock(&halts, 110);
        batch.status = batch.record.auction.status(clock, view.scale).unwrap();
        assert_eq!(batch.status.stage, Stage::Halted);
        let own = Bid {
            bidder: [1; 32].into(),
            budget: quote(10),
            limit: at(196),
            step,
        };
        batch.bids.push((5, own, None));
        for fair in [Ok(at(150)), Err(Refusal::StaleOracle)] {
            let cancels = bidder::cancels(&view, fair);
            assert_eq!(cancels.len(), expected, "{step} {fair:?}");
            // The auction takes back the same ones.
            let mut auction = view.batches[0].record.auction.clone();
            let (budget, limit) = (own.budget, own.limit);
            let step = auction.place(budget, limit, u32::MAX, 99, view.scale);
            assert_eq!(step, Ok(3));
            auction.joined[usize::from(own.step)] = budget;
            assert_eq!(
                auction.cancel(budget, own.step, clock).is_ok(),
                expected == 1
            );
        }
        assert!(bidder::cancels(&view, Ok(at(196))).is_empty());
    }
}

#[test]
fn bids_are_claimed_in_parts_that_fit_a_block() {
    let config = config().bidder.unwrap();
    let mut view = view(106);
    let clearing = view.batches[0].status.clearing;
    view.batches[0].record.auction.phase = Phase::Settled(clearing);
    let bidder = [1; 32].into();
    view.batches[0].bids = (0..150)
        .map(|id| {
            let own = Bid {
                bidder,
                budget: quote(10),
                limit: at(196),
                step: 3,
            };
            (id, own, Some(breakwater_core::auction::Fill::default()))
        })
        .collect();
    let actions = bidder::housekeeping(&config, &view);
    let parts: Vec<_> = actions
        .iter()
        .map(|action| match action {
            Action::Claim { bids, .. } => bids.len(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(parts.iter().sum::<usize>(), 150);
    assert!(parts.iter().all(|part| *part <= 64), "{parts:?}");
}

#[test]
fn money_is_deposited_up_to_what_is_wished_and_withdrawn_above() {
    let config = config().bidder.unwrap();
    for (free, held, expected) in [
        (10_000, 500, vec![]),
        (9_500, 5_000, vec![]),
        (4_000, 50_000, vec![Action::Deposit(quote(6_000))]),
        (4_000, 2_000, vec![Action::Deposit(quote(2_000))]),
        (60_001, 0, vec![Action::Withdraw(quote(1))]),
    ] {
        let mut view = view(102);
        (view.free, view.quote) = (quote(free), quote(held));
        assert_eq!(bidder::housekeeping(&config, &view), expected, "{free}");
    }
}

#[test]
fn a_keeper_opens_settles_and_puts_back_what_there_is() {
    let config = config().keeper.unwrap();
    let kinds = |view: &View| -> Vec<_> {
        let actions = keeper::decide(&config, view).actions;
        actions.iter().map(Action::kind).collect()
    };
    let mut now = view(102);
    assert!(kinds(&now).is_empty());
    now.at_risk.members = 1;
    now.at_risk.debt = quote(5_000);
    assert_eq!(kinds(&now), ["open"]);
    now.batches[0].status.stage = Stage::Ended;
    now.reward = quote(10);
    assert_eq!(kinds(&now), ["settle", "open", "claim_reward"]);
    now.prices.as_mut().unwrap().age = 3_600_001;
    now.batches[0].status.stage = Stage::Settled;
    assert_eq!(kinds(&now), ["rest", "claim_reward"]);
    let refused = keeper::decide(&config, &now).refusals;
    assert_eq!(refused, [Refusal::StaleOracle]);
    now.batches[0].rested = true;
    let clearing = now.batches[0].status.clearing;
    now.batches[0].record.auction.phase = Phase::Settled(clearing);
    assert!(now.batches[0].is_finished());
}

#[test]
fn a_ladder_is_left_when_both_rounds_are_on_one_side_of_it() {
    let config = config().keeper.unwrap();
    for (spot, previous, expected) in [(205, 205, 1), (205, 204, 0), (189, 189, 1), (189, 205, 0)] {
        let mut view = view(102);
        let prices = view.prices.as_mut().unwrap();
        (prices.spot, prices.previous) = (at(spot), at(previous));
        let actions = keeper::decide(&config, &view).actions;
        assert_eq!(actions.len(), expected, "{spot} {previous}");
    }
}

#[test]
fn a_bid_pays_for_its_claim_too() {
    let (fee, least) = (quote(2), quote(1));
    assert!(bidder::pays(quote(11), least, fee));
    assert!(!bidder::pays(Amount::new(10_999_999), least, fee));
    assert!(!bidder::pays(
        quote(u128::MAX / 1_000_000),
        least,
        Amount::new(u128::MAX)
    ));
}

#[test]
fn a_reward_is_compared_with_the_fee_unless_profit_does_not_matter() {
    let mut config = config().keeper.unwrap();
    let params = example_params();
    // A batch that raises 10 500: tip 5 and 10.5 of share, half of it.
    let reward = keeper::half_reward(&params, quote(10_500));
    assert_eq!(reward, Amount::new(7_750_000));
    // A small one: a fifth of its penalty of 10 is 2, half of it.
    assert_eq!(keeper::half_reward(&params, quote(210)), quote(1));
    assert!(keeper::pays(&config, &params, reward, quote(7)));
    assert!(!keeper::pays(&config, &params, reward, quote(8)));
    config.at_any_price = true;
    assert!(keeper::pays(&config, &params, Amount::ZERO, quote(8)));
}

#[test]
fn a_feeder_submits_nothing_twice_and_refuses_jumps() {
    let config = config().feeder.unwrap();
    let decide = |whole: u128, at_time: Option<u64>, last: Option<u64>| {
        let seen = Observation {
            price: at(whole),
            at: at_time,
        };
        let me = [1; 32].into();
        let decision = feeder::decide(&config, &view(102), me, &seen, last);
        (decision.actions.len(), decision.refusals)
    };
    // The clock is at 1 000 000 ms.
    assert_eq!(decide(200, None, None), (1, vec![]));
    assert_eq!(decide(201, Some(999_000), Some(999_000)), (0, vec![]));
    assert_eq!(decide(241, None, None), (0, vec![Refusal::AbsurdPrice]));
    assert_eq!(decide(159, None, None), (0, vec![Refusal::AbsurdPrice]));
}

#[test]
fn distance_is_a_share_of_the_second_price() {
    let share = Ratio::from_bps(1_000);
    assert!(!apart(at(110), at(100), share) && !apart(at(90), at(100), share));
    assert!(apart(at(111), at(100), share) && apart(at(89), at(100), share));
}

#[test]
fn terms_are_taken_over_before_a_batch_opens_and_facts_are_told_after_it() {
    let mut view = view(100);
    view.batches.clear();
    view.at_risk = AtRisk {
        members: 1,
        debt: quote(5_000),
        ..AtRisk::default()
    };
    let trip = Duty::Trip(Whose::Market, Cause::Jump);
    view.duties = vec![trip, Duty::Reopen(Whose::Market), Duty::Refresh];
    let actions = keeper::decide(&config().keeper.unwrap(), &view).actions;
    let [Action::Maintain(first), Action::Maintain(second), Action::Open { .. }, Action::Maintain(last)] =
        &actions[..]
    else {
        panic!("{actions:?}");
    };
    assert_eq!(
        [*first, *second, *last],
        [Duty::Reopen(Whose::Market), Duty::Refresh, trip]
    );
    // A trial in the block of the round itself refuses the opening, and would not refuse the fact.
    view.prices.as_mut().unwrap().accepted_in = view.block;
    let early = keeper::decide(&config().keeper.unwrap(), &view).actions;
    assert!(!early.contains(&Action::Maintain(trip)), "{early:?}");
    view.at_risk.members = 0;
    let idle = keeper::decide(&config().keeper.unwrap(), &view).actions;
    assert!(idle.contains(&Action::Maintain(trip)), "{idle:?}");
    // None of them is taken for another while it is under way.
    let keys: std::collections::BTreeSet<_> = actions.iter().map(Action::key).collect();
    assert_eq!(keys.len(), actions.len());
}
