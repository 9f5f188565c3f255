//! F30: who can move the oracle for a moment, or a minority of it for ever, gains nothing.
//!
//! Profit is what a borrower walks away with over what the collateral left behind is worth at the
//! true price, or the collateral of a healthy owner put up for sale.

use super::super::*;
use super::world::World;
use crate::market::MarketPrices;
use crate::oracle::{Feed, FeedConfig, Outcome, Submission};
use crate::position::Status;
use crate::units::{Amount, Price, PRICE_ONE};
use proptest::prelude::*;

const TRUE: u128 = 200 * PRICE_ONE;
const COLLATERAL: u128 = PRICE_ONE;
/// Block time, milliseconds.
const BLOCK: u64 = 6_000;

/// A feed beside a ledger, on one clock.
struct Stage {
    world: World,
    feed: Feed<u8>,
    feeders: u8,
}

impl Stage {
    fn new(min_feeders: u8, feeders: u8) -> Self {
        let config = FeedConfig::standard(min_feeders, 60_000, 1, 600_000);
        let mut feed = Feed::new(config).unwrap();
        for feeder in 0..feeders {
            feed.add_feeder(feeder).unwrap();
        }
        let mut stage = Self {
            world: World::new(),
            feed,
            feeders,
        };
        stage.world.block = 1_000;
        for _ in 0..3 {
            stage.all(TRUE);
            stage.world.block += 1;
        }
        // A healthy neighbour whose collateral somebody might like to buy.
        stage.world.open_position(1, COLLATERAL, 140_000_000, TRUE);
        stage
    }

    fn now(&self) -> u64 {
        u64::from(self.world.block) * BLOCK
    }

    fn submit(&mut self, feeder: u8, price: u128) {
        let (now, block) = (self.now(), self.world.block);
        // Feeders do not look at the same moment; the first looks last.
        let submission = Submission {
            price: Price::new(price),
            at: now - 700 * u64::from(self.feeders - feeder),
        };
        let _ = self.feed.submit(&feeder, submission, now, block);
    }

    fn all(&mut self, price: u128) {
        for feeder in 0..self.feeders {
            self.submit(feeder, price);
        }
    }

    fn prices(&self) -> MarketPrices {
        MarketPrices::from(&self.feed.read(self.now()).unwrap())
    }

    /// The most quote that a unit of collateral raises now, less what it is worth, quote units.
    fn profit_of_borrowing(&self) -> i128 {
        let prices = self.prices();
        let mut world = self.world.clone();
        world
            .transition(7, |l, p| l.deposit(p, Amount::new(COLLATERAL)))
            .unwrap();
        let (mut none, mut most) = (0u128, 900_000_000_000u128);
        while most - none > 1 {
            let middle = (none + most) / 2;
            let mut trial = world.clone();
            let amount = Amount::new(middle);
            match trial.transition(7, |l, p| l.borrow(p, amount, &prices)) {
                Ok(()) | Err(LedgerError::BelowMinimumDebt) => none = middle,
                Err(_) => most = middle,
            }
        }
        none as i128 - 200_000_000
    }

    /// Whether a batch opens now: everybody is healthy at the true price.
    fn takes_the_healthy(&self) -> bool {
        let mut world = self.world.clone();
        assert_ne!(world.view(1, TRUE).status, Status::Liquidatable);
        let request = OpenRequest {
            block: world.block,
            demand: Demand {
                most: Amount::new(u128::MAX),
                depth: None,
            },
        };
        let prices = self.prices();
        world.transition(9, |l, _| l.open(&prices, request)).is_ok()
    }
}

/// Prices from a thousandth of the true one to a thousand times it.
fn any_price() -> impl Strategy<Value = u128> {
    (0u32..=600, any::<bool>()).prop_map(|(tenths, up)| {
        let factor = 10u128.pow(tenths / 200) * u128::from(100 + tenths % 200);
        if up {
            TRUE * factor / 100
        } else {
            TRUE * 100 / factor
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// One-block spike: every feeder reports what the market really showed for one block. In that
    /// block and after the next honest round nobody borrows more than the collateral is worth, and
    /// nobody healthy is put up for sale.
    #[test]
    fn f30_one_block_spike(spike in any_price(), blocks in 1u32..50) {
        let mut stage = Stage::new(3, 5);
        let mut worst = i128::MIN;
        let mut taken = false;
        stage.all(spike);
        for price in [TRUE, TRUE, TRUE] {
            worst = worst.max(stage.profit_of_borrowing());
            taken |= stage.takes_the_healthy();
            stage.world.block += 1;
            // Before the honest round of the next block, and after it.
            worst = worst.max(stage.profit_of_borrowing());
            taken |= stage.takes_the_healthy();
            stage.all(price);
        }
        stage.world.block += blocks;
        worst = worst.max(stage.profit_of_borrowing());
        prop_assert!(worst <= 0, "profit {}", worst);
        prop_assert!(!taken);
    }

    /// Flash-funded push: money that exists within one block moves what feeders see in the middle
    /// of it. Whatever came before, a round opens nothing in its own block.
    #[test]
    fn f30_flash_funded_push(push in any_price(), before in any_price()) {
        let mut stage = Stage::new(3, 5);
        stage.all(before);
        stage.world.block += 1;
        let accepted = stage.prices().round;
        stage.all(push);
        if stage.prices().round > accepted {
            let prices = stage.prices();
            let request = OpenRequest { block: stage.world.block, demand: Demand { most: Amount::new(u128::MAX), depth: None } };
            let opened = stage.world.clone().transition(9, |l, _| l.open(&prices, request));
            prop_assert_eq!(opened.err(), Some(LedgerError::RoundTooFresh));
        }
        // Pushed in a calm market it does not pay to borrow either.
        let mut calm = Stage::new(3, 5);
        calm.all(push);
        prop_assert!(calm.profit_of_borrowing() <= 0);
        prop_assert!(!calm.takes_the_healthy());
    }

    /// Collusion under the quorum: as many feeders as a median stands lie as they like, in every
    /// round and at every moment of it. The price stays the honest one.
    #[test]
    fn f30_feeder_collusion_under_the_quorum(
        min_feeders in 1u8..8, more in 0u8..4,
        lies in proptest::collection::vec((any_price(), any::<u64>()), 1..12),
    ) {
        let feeders = min_feeders + more;
        let liars = (min_feeders - 1) / 2;
        let mut stage = Stage::new(min_feeders, feeders);
        for (lie, order) in lies {
            stage.world.block += 1;
            // Liars are the first feeders; the order of submissions is theirs to choose.
            let mut turn: Vec<u8> = (0..feeders).collect();
            turn.sort_by_key(|feeder| order.rotate_left(u32::from(*feeder) * 7) % 101);
            for feeder in turn {
                stage.submit(feeder, if feeder < liars { lie } else { TRUE });
            }
            let prices = stage.prices();
            prop_assert_eq!((prices.low().get(), prices.high().get()), (TRUE, TRUE));
        }
        prop_assert!(stage.profit_of_borrowing() <= 0);
        prop_assert!(!stage.takes_the_healthy());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Cheap wind-down: a borrower who waits for a fall and buys its own collateral at the floor
    /// ends a market only by a loss above the cap of everything that is lent, and has to post more
    /// collateral than that beforehand. What it lends itself only makes the market larger.
    #[test]
    fn f30_winding_a_market_down_takes_a_share_of_all_that_is_lent(
        lent in 1u128..1_000_000_000_000, collateral in 1u128..1_000, bps in 1u128..10_000,
    ) {
        let mut world = World::new();
        world.state = crate::market::MarketState::default();
        world.held = (0, 0);
        world.supply(lent);
        let posted = collateral * COLLATERAL;
        let most = posted / COLLATERAL * 149_000_000;
        let debt = most.min(lent);
        prop_assume!(debt >= world.params.min_debt.get());
        world.open_position(7, posted, debt, TRUE);
        let pool = world.state.pool().unwrap().get();
        let fallen = TRUE * bps / 10_000;
        world.block += 1;
        if let Ok(opened) = world.open_batch(fallen) {
            let last = opened.prices.len() - 1;
            let done = world.settle(opened.number, opened.prices[last], opened.targets[last]).unwrap();
            let lost = done.waterfall.from_lenders.get();
            let ended = world.state.wind_down.is_some();
            prop_assert_eq!(ended, lost > pool.div_ceil(10));
            let worth = posted / COLLATERAL * 200_000_000;
            prop_assert!(!ended || worth * 10 > pool, "posted {} of {}", worth, pool);
            // The loss is the price's: at the price of before the debt was covered.
            prop_assert!(lost <= debt - debt.min(done.raised.get()));
        }
    }
}

/// Promise of the low side: while a fall waits for confirmation, collateral counts with it when
/// debt is taken on or collateral taken out; who owes nothing leaves as always.
#[test]
fn a_quarantined_fall_counts_for_who_borrows_or_withdraws() {
    let mut stage = Stage::new(3, 3);
    stage.all(TRUE / 2);
    assert_eq!(stage.prices().spot.get(), TRUE);
    assert!(stage.feed.quarantine.is_some());
    // Worth 100, at 75 %: 75 instead of 150.
    assert_eq!(stage.profit_of_borrowing(), 75_000_000 - 200_000_000);
    let prices = stage.prices();
    let out = |l: &mut Ledger<'_, _>, p: &mut _| l.withdraw(p, Amount::new(1), Some(&prices));
    let refused = stage.world.transition(1, out);
    assert_eq!(refused, Err(LedgerError::ExceedsInitialLtv));
    assert_eq!(prices.worst().get(), TRUE / 2);
    assert_eq!(prices.best().get(), TRUE);
    // A quarantined rise makes nobody richer.
    let mut stage = Stage::new(3, 3);
    stage.all(TRUE * 2);
    assert_eq!(stage.profit_of_borrowing(), 150_000_000 - 200_000_000);
    assert_eq!(stage.prices().high().get(), TRUE * 2);
}

/// F10: bounds that keep what may be borrowed under what must be kept, and leverage in range.
#[test]
fn f10_initial_margin_is_above_maintenance_and_leverage_is_bounded() {
    use crate::market::{example_params, ParamsError};
    use crate::units::Ratio;
    let with = |initial: u32, threshold: u32| {
        let mut params = example_params();
        params.initial_ltv = Ratio::from_bps(initial);
        params.liquidation_threshold = Ratio::from_bps(threshold);
        params.validate()
    };
    assert_eq!(with(7_999, 8_000), Ok(()));
    // Initial margin at or under the maintenance margin, leverage none or without bound.
    for (initial, threshold) in [(8_000, 8_000), (8_100, 8_000), (0, 8_000), (7_500, 10_000)] {
        assert_eq!(with(initial, threshold), Err(ParamsError::LoanToValue));
    }
    // Maintenance margin covers penalty and planned slippage: (1 + π)·LT < 1 − σ.
    assert_eq!(with(9_000, 9_300), Err(ParamsError::TargetHealth));
}

#[test]
fn a_bad_majority_is_believed_one_round_later() {
    let mut stage = Stage::new(3, 3);
    let lie = TRUE * 3;
    for (round, believed) in [(1, false), (2, true)] {
        stage.world.block += 1;
        let (now, block) = (stage.now(), stage.world.block);
        let mut outcome = Outcome::Recorded;
        for (feeder, price) in [(0, lie), (1, lie), (2, TRUE)] {
            let submission = Submission {
                price: Price::new(price),
                at: now,
            };
            outcome = stage.feed.submit(&feeder, submission, now, block).unwrap();
        }
        let accepted = matches!(outcome, Outcome::Accepted(r) if r.price.get() == lie);
        assert_eq!(accepted, believed, "round {round}");
    }
    // Even then nobody borrows against it before it has stood: previous and average count.
    assert!(stage.profit_of_borrowing() <= 0);
}
