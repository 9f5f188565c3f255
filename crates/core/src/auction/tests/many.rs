//! A million small auctions a run: what must hold of every one.
//!
//! Each is drawn from its number alone, so a failure names the auction that shows it. Small
//! numbers of steps, cohorts and bids make margins, ties and roundings frequent.

use super::super::*;
use super::scale;
use crate::batch::targets;
use crate::units::PRICE_ONE;

const AUCTIONS: u64 = 1_000_000;
const OPENED: Block = 9;
const FIRST: Block = 10;

/// SplitMix64: good enough to draw cases, and nothing to depend on.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

#[derive(Clone, Copy)]
struct Offer {
    budget: Amount,
    limit: Price,
    /// Block of the bid, had there been no halt.
    block: Block,
}

struct Case {
    auction: Auction,
    cohorts: Vec<(Amount, Amount)>,
    offers: Vec<Offer>,
    least: u128,
    draw: Draw,
}

fn case(number: u64) -> Case {
    let mut draw = Draw(number);
    let steps = 2 + draw.below(4) as u8;
    let mut price = 1_000 + u128::from(draw.below(100));
    let prices: Vec<_> = (0..steps)
        .map(|_| {
            let now = Price::new(price * PRICE_ONE / 1_000);
            price -= u128::from(draw.below(40));
            now
        })
        .collect();
    let cohorts: Vec<_> = (0..1 + draw.below(3))
        .map(|_| {
            let collateral = 1 + u128::from(draw.below(40_000));
            let target = collateral * u128::from(500 + draw.below(700)) / 1_000;
            (Amount::new(collateral), Amount::new(target.max(1)))
        })
        .collect();
    let schedule = Schedule {
        first: FIRST,
        blocks_per_step: 1 + draw.below(2) as u8,
        steps,
    };
    let targets = targets(&cohorts, &prices, Amount::new(u128::MAX), scale()).unwrap();
    let reference = Price::new(PRICE_ONE * u128::from(950 + draw.below(100)) / 1_000);
    let auction = Auction::open(schedule, OPENED, reference, prices, targets).unwrap();
    let least = auction.least_budget(scale()).unwrap().get();
    let blocks = u64::from(schedule.begins(steps) - OPENED);
    let mut offers: Vec<_> = (0..draw.below(7))
        .map(|_| Offer {
            budget: Amount::new(least + u128::from(draw.below(30_000))),
            limit: Price::new(PRICE_ONE * u128::from(850 + draw.below(300)) / 1_000),
            block: OPENED + draw.below(blocks) as Block,
        })
        .collect();
    offers.sort_by_key(|offer| offer.block);
    Case {
        auction,
        cohorts,
        offers,
        least,
        draw,
    }
}

/// Places what the auction accepts, each bid at its block as the clock shows it then.
fn play(
    auction: &mut Auction,
    offers: &[Offer],
    clock: impl Fn(Block) -> Clock,
) -> Vec<(Offer, u8)> {
    let mut placed = Vec::new();
    for offer in offers {
        let now = clock(offer.block);
        let placed_at = auction.place(offer.budget, offer.limit, Block::MAX, now, scale());
        if let Ok(step) = placed_at {
            placed.push((*offer, step));
        }
    }
    placed
}

/// `T` at every step is the sum over cohorts, each on its own, but for what rounding once instead
/// of once for each cohort leaves.
fn check_targets(number: u64, case: &Case) {
    let cohorts = case.cohorts.len() as u128;
    for (price, target) in case.auction.prices.iter().zip(&case.auction.targets) {
        let alone = |(collateral, target): &(Amount, Amount)| {
            let worth = scale().value(*collateral, *price, Rounding::Down).unwrap();
            worth.min(*target).get()
        };
        let brute: u128 = case.cohorts.iter().map(alone).sum();
        assert!(
            (brute..brute + cohorts).contains(&target.get()),
            "auction {number}: T"
        );
    }
}

fn check_clearing(number: u64, case: &Case, auction: &Auction, clearing: &Clearing) {
    // The step is the best of those reached: no other has more of `raised · (p − r) / p`.
    let mut money = 0;
    let mut at_step = 0;
    // Those that raise under an eighth of what the fullest does count nothing.
    let fullest = super::fullest(auction, clearing.ended_at);
    let score = |raised: u128, price: u128| {
        let counts = u128::from(raised * 8 >= fullest);
        counts * raised * price.saturating_sub(auction.reserve.get()) / price
    };
    let mut best = 0;
    for step in 0..=usize::from(clearing.ended_at) {
        money += auction.joined[step].get();
        let raised = money.min(auction.targets[step].get());
        best = best.max(score(raised, auction.prices[step].get()));
        if step == usize::from(clearing.step) {
            at_step = raised;
        }
        if step < usize::from(clearing.ended_at) {
            assert!(
                money < auction.targets[step].get(),
                "auction {number} ends late"
            );
        }
    }
    if clearing.raised.is_zero() {
        assert_eq!(best, 0, "auction {number} sells nothing for something");
        return;
    }
    assert!(
        score(at_step, clearing.price.get()) == best,
        "auction {number}: not the best step"
    );
    // Σ fills = min(target, demand), but for what buys no unit of collateral.
    let unit = scale()
        .value(Amount::new(1), clearing.price, Rounding::Up)
        .unwrap();
    assert!(
        clearing.raised.get() <= at_step,
        "auction {number} raises too much"
    );
    assert!(
        clearing.raised.get() + unit.get() >= at_step,
        "auction {number} raises too little"
    );
    assert!(
        clearing.price >= *auction.prices.last().unwrap(),
        "auction {number}: floor"
    );
    let brute: u128 = case
        .cohorts
        .iter()
        .map(|(c, t)| {
            scale()
                .value(*c, clearing.price, Rounding::Down)
                .unwrap()
                .min(*t)
                .get()
        })
        .sum();
    let slack = case.cohorts.len() as u128;
    assert!(
        clearing.raised.get() <= brute + slack,
        "auction {number}: more than T"
    );
}

fn check_claims(number: u64, case: &mut Case, auction: &Auction, placed: &[(Offer, u8)]) {
    let mut auction = auction.clone();
    let clearing = auction.settle().unwrap();
    let from = case.draw.below(placed.len().max(1) as u64) as usize;
    let (mut spent, mut received) = (0, 0);
    for at in 0..placed.len() {
        let (offer, step) = placed[(at + from) % placed.len()];
        let fill = auction.claim(offer.budget, step, scale()).unwrap();
        assert_eq!(fill.spent.get() + fill.refunded.get(), offer.budget.get());
        assert_eq!(
            fill.spent.is_zero(),
            fill.received.is_zero(),
            "auction {number}: for nothing"
        );
        assert!(
            fill.spent.is_zero() || clearing.price <= offer.limit,
            "auction {number}: limit"
        );
        let fair = scale()
            .value(fill.received, clearing.price, Rounding::Down)
            .unwrap()
            .get();
        let slack = placed.len() as u128 + 2;
        assert!(
            fill.spent.get().abs_diff(fair) <= slack,
            "auction {number}: another price"
        );
        spent += fill.spent.get();
        received += fill.received.get();
    }
    assert_eq!(spent, clearing.raised.get(), "auction {number}: money");
    assert!(
        received <= clearing.sold.get(),
        "auction {number}: collateral"
    );
    assert!(received + placed.len() as u128 + 1 >= clearing.sold.get());
    assert!(auction.reserved.is_zero());
}

/// F19, promises 2, 3, 7, 8, 9 on a million random auctions: permutation inside a block, splitting
/// of bids, monotone price, limit, floor, sum of fills, late judgement, shifted halts, `T` by brute force.
#[test]
fn a_million_auctions_keep_the_promises() {
    let end = |auction: &Auction| auction.schedule.begins(auction.schedule.steps);
    let mut sold = 0u64;
    for number in 0..AUCTIONS {
        let mut case = case(number);
        assert!(case
            .auction
            .prices
            .windows(2)
            .all(|pair| pair[1] <= pair[0]));
        assert!(case
            .auction
            .targets
            .windows(2)
            .all(|pair| pair[1] <= pair[0]));
        check_targets(number, &case);
        let mut auction = case.auction.clone();
        let placed = play(&mut auction, &case.offers, Clock::from);
        let ended = end(&auction);

        // Late equals timely: judged in the first block that can, or any time later.
        let late = ended + case.draw.below(1_000) as Block;
        let mut timely = auction.clone();
        let clearing = (FIRST..=ended)
            .find_map(|block| timely.clear(block, scale()).ok())
            .unwrap();
        assert_eq!(
            auction.clear(late, scale()),
            Ok(clearing),
            "auction {number}: late"
        );
        check_clearing(number, &case, &auction, &clearing);
        check_claims(number, &mut case, &auction, &placed);
        sold += u64::from(!clearing.raised.is_zero());

        // Another order inside each block, and every large bid in two pieces.
        let mut pieces = Vec::new();
        for (offer, _) in placed.iter().rev() {
            let half = offer.budget.get() / 2;
            if half >= case.least {
                let rest = Amount::new(offer.budget.get() - half);
                pieces.push(Offer {
                    budget: Amount::new(half),
                    ..*offer
                });
                pieces.push(Offer {
                    budget: rest,
                    ..*offer
                });
            } else {
                pieces.push(*offer);
            }
        }
        pieces.sort_by_key(|offer| offer.block);
        let mut other = case.auction.clone();
        play(&mut other, &pieces, Clock::from);
        assert_eq!(
            other.clear(late, scale()),
            Ok(clearing),
            "auction {number}: order"
        );

        // A halt of some blocks: everything after it comes so much later, and nothing else changes.
        let from = OPENED + case.draw.below(u64::from(ended - OPENED)) as Block;
        let blocks = 1 + case.draw.below(u64::from(LONGEST_HALT)) as Block;
        let mut halts = Halts::default();
        halts.halt(from, from);
        halts.resume(from + blocks);
        let shift = |block: Block| if block >= from { block + blocks } else { block };
        let schedule = &case.auction.schedule;
        for block in OPENED..=ended {
            let shown = Clock::new(&halts, OPENED, shift(block)).block;
            assert_eq!(
                schedule.step_at(shown),
                schedule.step_at(block),
                "auction {number}: the price of a block after a halt"
            );
        }
        let mut halted = case.auction.clone();
        let again = play(&mut halted, &case.offers, |block| {
            Clock::new(&halts, OPENED, shift(block))
        });
        assert_eq!(
            again.len(),
            placed.len(),
            "auction {number}: bids under a halt"
        );
        let judged = Clock::new(&halts, OPENED, ended + blocks);
        assert_eq!(
            halted.clear(judged, scale()),
            Ok(clearing),
            "auction {number}: halt"
        );
    }
    // The cases are about something.
    assert!(sold > AUCTIONS / 2, "{sold} sold");
}
