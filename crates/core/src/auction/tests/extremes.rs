//! Numbers at the end of their range in an auction: each message calculates or refuses, and no
//! bid ever spends more than its budget.

use super::*;

type Change = fn(&mut Auction, u128);

fn amounts(of: &mut [Amount], n: u128) {
    of.iter_mut().for_each(|amount| *amount = Amount::new(n));
}

fn clearing(auction: &mut Auction, set: impl Fn(&mut Clearing)) {
    if let Phase::Cleared(clearing) | Phase::Settled(clearing) = &mut auction.phase {
        set(clearing);
    }
}

const CHANGES: [Change; 14] = [
    |_, _| {},
    |a, n| amounts(&mut a.joined, n),
    |a, n| amounts(&mut a.targets, n),
    |a, n| amounts(&mut a.joined[..1], n),
    |a, n| amounts(&mut a.joined[2..], n),
    |a, n| a.prices.iter_mut().for_each(|price| *price = Price::new(n)),
    |a, n| a.prices[1] = Price::new(n),
    |a, n| a.reserve = Price::new(n),
    |a, n| a.reserved = Amount::new(n),
    |a, n| clearing(a, |of| of.raised = Amount::new(n)),
    |a, n| clearing(a, |of| of.price = Price::new(n)),
    |a, n| clearing(a, |of| of.marginal_quote = Amount::new(n)),
    |a, n| clearing(a, |of| of.marginal_collateral = Amount::new(n)),
    |a, n| clearing(a, |of| of.marginal_budgets = Amount::new(n)),
];

const NUMBERS: [u128; 6] = [0, 1, 1 << 64, 1 << 100, u128::MAX >> 1, u128::MAX];

/// What a message made a bidder of this budget spend and get back, if it was one that does.
type Done = Result<Option<(Amount, Fill)>, AuctionError>;

fn limit(whole: u128) -> Price {
    Price::new(whole * PRICE_ONE)
}

fn place(auction: &mut Auction, budget: u128, block: Block) -> Done {
    let place = auction.place(Amount::new(budget), limit(99), Block::MAX, block, scale());
    place.map(|_| None)
}

fn quote(auction: &mut Auction, budget: u128, block: Block) -> Done {
    let budget = Amount::new(budget);
    let quote = auction.quote(budget, limit(99), block, scale())?;
    Ok(Some((budget, quote.fill)))
}

fn claim(auction: &mut Auction, budget: u128, step: u8) -> Done {
    let budget = Amount::new(budget);
    Ok(Some((budget, auction.claim(budget, step, scale())?)))
}

const BID: u128 = 600_000_000;

const ACTS: [fn(&mut Auction) -> Done; 14] = [
    |a| place(a, BID, FIRST - 1),
    |a| place(a, BID, FIRST + 1),
    |a| place(a, u128::MAX, FIRST + 1),
    |a| quote(a, BID, FIRST + 1),
    |a| quote(a, u128::MAX >> 1, FIRST + 1),
    |a| a.cancel(Amount::new(BID), 3, FIRST).map(|()| None),
    |a| {
        let (old, new) = ((Amount::new(BID), 3), Amount::new(BID / 2));
        let replaced = a.replace(old, new, limit(95), Block::MAX, FIRST, scale());
        replaced.map(|_| None)
    },
    |a| a.status(FIRST + 2, scale()).map(|_| None),
    |a| a.clear(FIRST + 2, scale()).map(|_| None),
    |a| a.clear(FIRST + 9, scale()).map(|_| None),
    |a| {
        let judged = a.reprice(FIRST + 1, limit(80), limit(81), scale());
        judged.map(|_| None)
    },
    |a| claim(a, BID, 0),
    |a| claim(a, BID, 1),
    |a| claim(a, u128::MAX, 2),
];

/// An auction short of money while it runs, and the same settled; one covered and settled.
fn auctions() -> Vec<Auction> {
    let mut running = small();
    bid(&mut running, 600, 100, FIRST - 1);
    bid(&mut running, 300, 98, FIRST - 1);
    let mut short = running.clone();
    let mut covered = running.clone();
    bid(&mut covered, 600, 98, FIRST - 1);
    for auction in [&mut short, &mut covered] {
        auction.clear(FIRST + 9, scale()).unwrap();
        auction.settle().unwrap();
    }
    vec![running, short, covered]
}

/// I-49, promise 2: whatever an auction holds.
#[test]
fn no_number_in_an_auction_panics_and_no_bid_spends_more_than_its_budget() {
    let (mut done, mut refused, mut filled) = (0, 0, 0);
    let mut turn = 0;
    for auction in auctions() {
        for first in CHANGES {
            for second in CHANGES {
                for number in NUMBERS {
                    turn += 1;
                    let mut changed = auction.clone();
                    first(&mut changed, number);
                    second(&mut changed, NUMBERS[turn % NUMBERS.len()]);
                    for act in ACTS {
                        match act(&mut changed.clone()) {
                            Ok(None) => done += 1,
                            Ok(Some((budget, fill))) => {
                                filled += 1;
                                assert_eq!(fill.spent.plus(fill.refunded), Ok(budget));
                            }
                            Err(_) => refused += 1,
                        }
                    }
                }
            }
        }
    }
    assert!(done > 1_000 && refused > 1_000 && filled > 1_000);
}
