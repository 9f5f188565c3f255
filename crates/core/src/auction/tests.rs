//! Clearing by hand-made cases and by properties over random auctions.

mod changes;
mod clauses;
mod edges;
mod extremes;
mod facts;
mod halts;
mod lifecycle;
mod many;
mod strategies;

use super::*;
use crate::ladder::LadderParams;
use crate::units::PRICE_ONE;
use proptest::prelude::*;

const FIRST: Block = 100;

/// The most that any step reached raises.
fn fullest(auction: &Auction, ended_at: u8) -> u128 {
    let mut money = 0;
    let raised = auction
        .joined
        .iter()
        .zip(&auction.targets)
        .map(|(joined, target)| {
            money += joined.get();
            money.min(target.get())
        });
    raised.take(usize::from(ended_at) + 1).max().unwrap_or(0)
}

fn scale() -> UnitScale {
    UnitScale::of_decimals(6, 6).unwrap()
}

/// A four-step auction at 110, 100, 98, 90 around a reference of 100, target 1 000 throughout.
fn small() -> Auction {
    let schedule = Schedule {
        first: FIRST,
        blocks_per_step: 1,
        steps: 4,
    };
    let price = |whole: u128| Price::new(whole * PRICE_ONE);
    Auction::open(
        schedule,
        FIRST - 1,
        price(100),
        vec![price(110), price(100), price(98), price(90)],
        vec![Amount::new(1_000_000_000); 4],
    )
    .unwrap()
}

fn bid(auction: &mut Auction, budget: u128, limit: u128, block: Block) -> u8 {
    auction
        .place(
            Amount::new(budget * 1_000_000),
            Price::new(limit * PRICE_ONE),
            Block::MAX,
            block,
            scale(),
        )
        .unwrap()
}

#[test]
fn ample_money_clears_at_the_step_that_covers_the_target() {
    let mut auction = small();
    assert_eq!(bid(&mut auction, 600, 100, FIRST - 1), 1);
    assert_eq!(bid(&mut auction, 600, 100, FIRST), 1);
    assert_eq!(
        auction.clear(FIRST + 1, scale()),
        Err(AuctionError::BiddingOpen)
    );
    let clearing = auction.clear(FIRST + 2, scale()).unwrap();
    assert_eq!((clearing.ended_at, clearing.step), (1, 1));
    assert_eq!(clearing.raised, Amount::new(1_000_000_000));
    assert_eq!(clearing.sold, Amount::new(10_000_000));
    auction.settle().unwrap();
    for _ in 0..2 {
        let fill = auction.claim(Amount::new(600_000_000), 1, scale()).unwrap();
        assert_eq!(fill.spent, Amount::new(500_000_000));
        assert_eq!(fill.received, Amount::new(5_000_000));
        assert_eq!(fill.refunded, Amount::new(100_000_000));
    }
}

/// With 90 % of the target at a fair price and a tiny bid at the floor, the text of older
/// auctions sells everything at the floor; the best step does not.
#[test]
fn a_tiny_bid_at_the_floor_does_not_move_the_price() {
    let mut honest = small();
    bid(&mut honest, 900, 100, FIRST);
    let alone = honest.clear(FIRST + 4, scale()).unwrap();
    let mut attacked = small();
    bid(&mut attacked, 900, 100, FIRST);
    bid(&mut attacked, 1, 90, FIRST);
    let clearing = attacked.clear(FIRST + 4, scale()).unwrap();
    assert_eq!(clearing.price, alone.price);
    assert_eq!(clearing.raised, alone.raised);
    assert_eq!(clearing.price, Price::new(100 * PRICE_ONE));
    attacked.settle().unwrap();
    let tiny = attacked.claim(Amount::new(1_000_000), 3, scale()).unwrap();
    assert_eq!((tiny.spent, tiny.received), (Amount::ZERO, Amount::ZERO));
}

#[test]
fn when_all_steps_are_under_the_reserve_the_one_with_most_money_wins() {
    let mut auction = small();
    bid(&mut auction, 300, 90, FIRST);
    let clearing = auction.clear(FIRST + 4, scale()).unwrap();
    assert_eq!(clearing.price, Price::new(90 * PRICE_ONE));
    assert_eq!(clearing.raised, Amount::new(300_000_000));
}

#[test]
fn refusals_are_typed_and_a_cancelled_bid_leaves_no_trace() {
    let mut auction = small();
    let before = auction.clone();
    let place = |a: &mut Auction, budget: u128, limit: u128, until, block| {
        a.place(
            Amount::new(budget),
            Price::new(limit * PRICE_ONE),
            until,
            block,
            scale(),
        )
    };
    let big = 1_000_000_000;
    assert_eq!(
        place(&mut auction, 109_999, 100, Block::MAX, FIRST),
        Err(AuctionError::BudgetTooSmall)
    );
    assert_eq!(
        place(&mut auction, big, 89, Block::MAX, FIRST),
        Err(AuctionError::LimitUnderFloor)
    );
    assert_eq!(
        place(&mut auction, big, 98, FIRST + 1, FIRST),
        Err(AuctionError::ExpiresBeforeJoining)
    );
    assert_eq!(
        place(&mut auction, big, 98, Block::MAX, FIRST + 4),
        Err(AuctionError::BiddingEnded)
    );
    assert_eq!(auction, before);
    let step = place(&mut auction, big, 98, FIRST + 2, FIRST).unwrap();
    let budget = Amount::new(big);
    assert_eq!(
        auction.cancel(budget, step, FIRST + 2),
        Err(AuctionError::BidHasJoined)
    );
    auction.cancel(budget, step, FIRST + 1).unwrap();
    assert_eq!(auction, before);
    assert_eq!(
        auction.claim(budget, step, scale()),
        Err(AuctionError::NotSettled)
    );
    assert_eq!(auction.settle(), Err(AuctionError::BiddingOpen));
    // A covered step ends bidding even before anybody judges it.
    place(&mut auction, big, 110, Block::MAX, FIRST).unwrap();
    assert_eq!(
        place(&mut auction, big, 98, Block::MAX, FIRST + 1),
        Err(AuctionError::BiddingEnded)
    );
}

/// A marginal step that would buy less than one unit of collateral is not raised: otherwise the
/// vault would be paid with money that no bidder has to give.
#[test]
fn what_buys_no_unit_is_not_raised() {
    let schedule = Schedule {
        first: FIRST,
        blocks_per_step: 1,
        steps: 2,
    };
    // One base unit of collateral costs 100 quote units; the second step lacks 94 of them.
    let scale = UnitScale::of_decimals(6, 8).unwrap();
    let prices = vec![Price::new(PRICE_ONE); 2];
    let targets = vec![Amount::new(1_000_000_094); 2];
    let mut auction = Auction::open(
        schedule,
        FIRST - 1,
        Price::new(2 * PRICE_ONE),
        prices,
        targets,
    )
    .unwrap();
    let place = |a: &mut Auction, budget, block| {
        let limit = Price::new(PRICE_ONE);
        a.place(Amount::new(budget), limit, Block::MAX, block, scale)
            .unwrap()
    };
    place(&mut auction, 1_000_000_000, FIRST);
    place(&mut auction, 500_000_000, FIRST + 1);
    let clearing = auction.clear(FIRST + 2, scale).unwrap();
    auction.settle().unwrap();
    let first = auction.claim(Amount::new(1_000_000_000), 0, scale).unwrap();
    let second = auction.claim(Amount::new(500_000_000), 1, scale).unwrap();
    assert_eq!(
        first.spent.get() + second.spent.get(),
        clearing.raised.get()
    );
    assert_eq!(second.refunded, Amount::new(500_000_000));
}

/// F19 restated for budgets: a lot of 100 that must raise 6 000, and demand of 20, 25, 30, 35 at
/// limits of 80, 75, 70, 60. The reference is set so high that every step is at or under `r` and
/// the rule falls back to "most money": p* = 60, and the marginal bid gets 25 of its 35.
#[test]
fn the_uniform_price_vector_restated_for_budgets() {
    let schedule = Schedule {
        first: FIRST,
        blocks_per_step: 1,
        steps: 7,
    };
    let prices: Vec<_> = [80u128, 75, 70, 60, 55, 50, 45]
        .iter()
        .map(|p| Price::new(p * PRICE_ONE))
        .collect();
    let mut auction = Auction::open(
        schedule,
        FIRST - 1,
        Price::new(83 * PRICE_ONE),
        prices,
        vec![Amount::new(6_000_000_000); 7],
    )
    .unwrap();
    // Budgets that buy the vector's quantities at 60: 1 200, 1 500, 1 800, 2 100 (filled 1 500).
    let bids = [
        (80u128, 1_200u128),
        (75, 1_500),
        (70, 1_800),
        (60, 2_100),
        (55, 1_200),
    ];
    let steps: Vec<_> = bids
        .iter()
        .map(|(l, b)| bid(&mut auction, *b, *l, FIRST))
        .collect();
    let clearing = auction.clear(FIRST + 4, scale()).unwrap();
    assert_eq!(clearing.price, Price::new(60 * PRICE_ONE));
    auction.settle().unwrap();
    let quantities: Vec<_> = bids
        .iter()
        .zip(steps)
        .map(|((_, b), s)| {
            auction
                .claim(Amount::new(b * 1_000_000), s, scale())
                .unwrap()
                .received
                .get()
                / 1_000_000
        })
        .collect();
    assert_eq!(quantities, [20, 25, 30, 25, 0]);
}

#[derive(Clone, Debug)]
struct RandomBid {
    budget: u128,
    limit_ppm: u32,
    block: u32,
}

fn bids() -> impl Strategy<Value = Vec<RandomBid>> {
    let one = (1_100u128..3_000_000_000, 880_000u32..1_060_000, 0u32..70);
    proptest::collection::vec(
        one.prop_map(|(budget, limit_ppm, block)| RandomBid {
            budget,
            limit_ppm,
            block,
        }),
        0..24,
    )
}

/// An auction over the standard ladder; places what it accepts and returns (budget, limit, step).
fn run(bids: &[RandomBid], target: u128, spot: u128) -> (Auction, Vec<(Amount, Price, u8)>) {
    let spot = Price::new(spot);
    let prices = LadderParams::standard()
        .prices(spot, spot, Default::default())
        .unwrap();
    let lot = (Amount::new(target), Amount::new(target));
    let targets = crate::batch::targets(&[lot], &prices, lot.1, scale()).unwrap();
    let schedule = Schedule {
        first: FIRST,
        blocks_per_step: 1,
        steps: 64,
    };
    let mut auction = Auction::open(schedule, FIRST - 1, spot, prices, targets).unwrap();
    let mut ordered: Vec<_> = bids.iter().collect();
    ordered.sort_by_key(|b| b.block);
    let mut placed = Vec::new();
    for b in ordered {
        let limit = spot
            .times(Ratio::from_ppm(b.limit_ppm), Rounding::Down)
            .unwrap();
        let budget = Amount::new(b.budget);
        if let Ok(step) = auction.place(budget, limit, Block::MAX, FIRST + b.block, scale()) {
            placed.push((budget, limit, step));
        }
    }
    (auction, placed)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// Promises 2, 3 and 9 for one auction: one price at or under every winner's limit, never
    /// under the floor, money and collateral conserved, nobody pays for nothing.
    #[test]
    fn any_auction_is_fair_and_conserves(
        bids in bids(), target in 1_000_000u128..10_000_000_000,
        spot in PRICE_ONE / 2..PRICE_ONE * 2, claims in any::<u64>(),
    ) {
        let (mut auction, placed) = run(&bids, target, spot);
        let clearing = auction.clear(FIRST + 64, scale()).unwrap();
        auction.settle().unwrap();
        let floor = *auction.prices.last().unwrap();
        if !clearing.raised.is_zero() {
            prop_assert!(clearing.price >= floor);
        }
        prop_assert!(clearing.raised <= auction.targets[usize::from(clearing.step)]);
        let total: u128 = placed.iter().map(|(b, _, _)| b.get()).sum();
        let (mut spent, mut received, mut refunded) = (0u128, 0u128, 0u128);
        // Claims in an arbitrary order.
        let mut order: Vec<usize> = (0..placed.len()).collect();
        order.sort_by_key(|i| claims.rotate_left(*i as u32 * 7));
        for i in order {
            let (budget, limit, step) = placed[i];
            let fill = auction.claim(budget, step, scale()).unwrap();
            prop_assert!(fill.spent <= budget);
            prop_assert!(!fill.spent.is_zero() || fill.received.is_zero());
            prop_assert!(fill.spent.is_zero() || !fill.received.is_zero());
            if !fill.received.is_zero() {
                prop_assert!(clearing.price <= limit);
                // One price: what is paid is the price of what is received, within a unit of
                // collateral for each rounding and a unit of quote for each earlier claim.
                let fair = scale().value(fill.received, clearing.price, Rounding::Up).unwrap();
                let more = scale()
                    .value(fill.received.plus(Amount::new(2)).unwrap(), clearing.price, Rounding::Up)
                    .unwrap();
                let slack = placed.len() as u128;
                prop_assert!(fill.spent.get() + slack >= fair.get());
                prop_assert!(fill.spent.get() <= more.get() + 1);
            }
            spent += fill.spent.get();
            received += fill.received.get();
            refunded += fill.refunded.get();
        }
        prop_assert_eq!(spent, clearing.raised.get());
        prop_assert_eq!(spent + refunded, total);
        prop_assert!(received <= clearing.sold.get());
        prop_assert!(received + placed.len() as u128 + 1 >= clearing.sold.get());
        prop_assert!(auction.reserved.is_zero());
    }

    /// Promise 2: the order of bids inside a block, and splitting one, change nothing.
    #[test]
    fn order_and_splitting_do_not_matter(
        bids in bids(), target in 1_000_000u128..10_000_000_000, rotate in 0usize..24,
    ) {
        let (mut auction, _) = run(&bids, target, PRICE_ONE);
        let clearing = auction.clear(FIRST + 64, scale()).unwrap();
        let mut other = bids.clone();
        if !other.is_empty() {
            let by = rotate % other.len();
            other.rotate_left(by);
        }
        let halves: Vec<_> = other.iter().flat_map(|b| {
            let half = b.budget / 2;
            if half < 1_100 { vec![b.clone()] } else {
                vec![
                    RandomBid { budget: half, ..b.clone() },
                    RandomBid { budget: b.budget - half, ..b.clone() },
                ]
            }
        }).collect();
        let (mut split, _) = run(&halves, target, PRICE_ONE);
        prop_assert_eq!(split.clear(FIRST + 64, scale()).unwrap(), clearing);
    }

    /// Promise 8 and the late caller: judged at any later block the result is the same, and the
    /// chosen step maximises the rule over all steps reached.
    #[test]
    fn lazy_equals_eager_and_the_best_step_is_best(
        bids in bids(), target in 1_000_000u128..10_000_000_000, late in 0u32..100_000,
    ) {
        let (auction, _) = run(&bids, target, PRICE_ONE);
        let mut eager = auction.clone();
        let on_time = (FIRST..=FIRST + 64).find_map(|block| eager.clear(block, scale()).ok()).unwrap();
        let mut lazy = auction.clone();
        prop_assert_eq!(lazy.clear(FIRST + 64 + late, scale()).unwrap(), on_time);
        let mut money = 0;
        let fullest = fullest(&auction, on_time.ended_at);
        let score = |raised: u128, price: u128| {
            let counts = u128::from(raised * 8 >= fullest);
            counts * raised * price.saturating_sub(auction.reserve.get()) / price
        };
        let chosen = score(on_time.raised.get(), on_time.price.get().max(1));
        for step in 0..=usize::from(on_time.ended_at) {
            money += auction.joined[step].get();
            let raised = money.min(auction.targets[step].get());
            prop_assert!(score(raised, auction.prices[step].get()) <= chosen);
        }
    }
}
