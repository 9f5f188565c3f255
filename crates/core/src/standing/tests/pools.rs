//! The pool alone: random histories of deposits, withdrawals, fills, emptying and rescaling.

use super::super::pool::{Fine, Pool, Stake, MAX_SERIES_STEPS, MOST_QUOTE, PAR_BITS};
use super::reference::Real;
use super::*;
use crate::math::{wide_product, Rounding};
use proptest::prelude::*;

const HOLDERS: usize = 4;

#[derive(Clone, Debug)]
enum Move {
    /// Holder, amount.
    Deposit(usize, u128),
    /// Holder, parts in 256 of what it has; 256 is everything.
    Withdraw(usize, u16),
    /// All of the pool but this many units, at this many collateral units for each quote unit
    /// and 16 binary digits of a unit.
    SpendAllBut(u128, u64),
    /// Parts in 256 of the pool, at the same.
    Spend(u8, u64),
    /// Brings a holder up to date, which must change nothing.
    Touch(usize),
}

fn amount() -> impl Strategy<Value = u128> {
    prop_oneof![
        2 => Just(1u128),
        3 => 1u128..100,
        6 => (0u32..88).prop_flat_map(|bits| (1u128 << bits)..(2u128 << bits)),
    ]
}

fn rate() -> impl Strategy<Value = u64> {
    (0u32..40).prop_flat_map(|bits| (1u64 << bits)..(2u64 << bits))
}

fn a_move() -> impl Strategy<Value = Move> {
    let who = 0..HOLDERS;
    prop_oneof![
        5 => (who.clone(), amount()).prop_map(|(who, amount)| Move::Deposit(who, amount)),
        2 => (who.clone(), 1u16..=256).prop_map(|(who, part)| Move::Withdraw(who, part)),
        2 => (amount(), rate()).prop_map(|(left, rate)| Move::SpendAllBut(left, rate)),
        1 => rate().prop_map(|rate| Move::SpendAllBut(0, rate)),
        3 => (any::<u8>(), rate()).prop_map(|(part, rate)| Move::Spend(part, rate)),
        1 => who.prop_map(Move::Touch),
    ]
}

/// A pool with its holders, and the same kept one by one in real numbers.
#[derive(Default)]
struct World {
    pool: Pool,
    files: Files,
    stakes: [Stake; HOLDERS],
    earned: [Fine; HOLDERS],
    received: u128,
    /// What each holder should have, the last entry being nobody: fractions left behind.
    quote: [Real; HOLDERS + 1],
    collateral: [Real; HOLDERS + 1],
    /// The most collateral that a quote unit has bought, rounded up.
    dearest: u128,
}

impl World {
    fn touch(&mut self, who: usize) {
        let gained = self.stakes[who]
            .follow(self.pool.mark, &self.files)
            .unwrap();
        self.earned[who] = self.earned[who].plus(gained).unwrap();
    }

    fn spend(&mut self, quote: u128, rate: u64) {
        let had = self.pool.quote.get();
        if had == 0 {
            return;
        }
        let Some(bought) = quote.checked_mul(u128::from(rate)).map(|units| units >> 16) else {
            return;
        };
        let series = self.pool.mark.series;
        let end = self
            .pool
            .spend(Amount::new(quote), Amount::new(bought))
            .unwrap();
        self.files.add(end.map(|end| Record::Series(series, end)));
        self.received += bought;
        if quote > 0 {
            self.dearest = self.dearest.max(u128::from(rate >> 16) + 1);
        }
        for (held, got) in self.quote.iter_mut().zip(&mut self.collateral) {
            *got = got.plus(&held.part_of(had, bought));
            *held = held.times(had - quote, had);
        }
    }

    /// No deposit or withdrawal makes a share worth less, and none by more than a share in one
    /// unit of quote; after a series there are 2^16 shares a unit again.
    fn apply(&mut self, step: &Move) {
        let before = self.pool;
        self.change(step);
        let after = self.pool;
        let product = |a: Amount, b: Shares| wide_product(a.get(), b.get());
        if matches!(step, Move::Deposit(..) | Move::Withdraw(..)) {
            let (old, new) = (
                product(before.quote, after.shares),
                product(after.quote, before.shares),
            );
            assert!(new >= old, "a share lost value");
            assert!(
                new - old <= wide_product(before.quote.get(), 1) || after.quote.is_zero(),
                "a share gained more than a rounding"
            );
        }
        if after.mark.series > before.mark.series && !after.quote.is_zero() {
            assert!(after.shares.get() >> PAR_BITS >= after.quote.get());
        }
    }

    fn change(&mut self, step: &Move) {
        match *step {
            Move::Deposit(who, amount) => {
                if self.pool.quote.get() + amount > MOST_QUOTE.get() {
                    return;
                }
                self.touch(who);
                let shares = self.pool.deposit(Amount::new(amount)).unwrap();
                self.stakes[who].shares = self.stakes[who].shares.plus(shares).unwrap();
                self.stakes[who].since = self.pool.mark;
                self.quote[who] = self.quote[who].plus(&Real::of(amount));
            }
            Move::Withdraw(who, part) => {
                self.touch(who);
                let worth = self.pool.worth(self.stakes[who].shares).unwrap();
                let amount = worth
                    .mul_div(u128::from(part), 256, Rounding::Down)
                    .unwrap();
                if amount.is_zero() {
                    return;
                }
                let burned = self.pool.withdraw(amount).unwrap();
                let left = self.stakes[who].shares.minus(burned).unwrap();
                self.quote[who] = self.quote[who].minus(&Real::of(amount.get()));
                if amount == worth {
                    let fraction = std::mem::take(&mut self.quote[who]);
                    self.quote[HOLDERS] = self.quote[HOLDERS].plus(&fraction);
                    self.stakes[who].shares = Shares::ZERO;
                } else {
                    self.stakes[who].shares = left;
                }
            }
            Move::SpendAllBut(left, rate) => {
                self.spend(self.pool.quote.get().saturating_sub(left), rate);
            }
            Move::Spend(part, rate) => {
                let quote = self
                    .pool
                    .quote
                    .share(Ratio::from_ppm(u32::from(part) * 3_906), Rounding::Down);
                self.spend(quote.unwrap().get(), rate);
            }
            Move::Touch(who) => self.touch(who),
        }
    }

    fn check(&self) {
        let (mut quote, mut collateral) = (0, 0);
        for who in 0..HOLDERS {
            let mut stake = self.stakes[who];
            let gained = stake.follow(self.pool.mark, &self.files).unwrap();
            let worth = self.pool.worth(stake.shares).unwrap().get();
            let earned = self.earned[who].plus(gained).unwrap().whole().get();
            quote += worth;
            collateral += earned;
            // A stated bound over any history: one unit of quote, and what one unit of it bought.
            let ideal = self.quote[who].floor();
            assert!(worth + 1 >= ideal, "{worth} of {ideal}");
            assert!(worth <= ideal + 1, "{worth} of {ideal}");
            let ideal = self.collateral[who].floor();
            let bound = 1 + self.dearest;
            assert!(earned + bound >= ideal, "{earned} of {ideal}");
            assert!(earned <= ideal + bound, "{earned} of {ideal}");
        }
        assert!(quote <= self.pool.quote.get(), "claims beyond the pool");
        assert!(collateral <= self.received, "collateral beyond what came");
        assert!(self.pool.shares.get() >= self.pool.quote.get());
        let per_unit = self.pool.shares.get() >> 33;
        assert!(per_unit <= self.pool.quote.get());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100_000, max_shrink_iters: 5_000, ..ProptestConfig::default() })]

    /// Promise 9, I-06, I-51: whatever the history, claims never exceed what the pool holds, and
    /// each holder has what a ledger of single holders gives it, to a unit of quote and what a
    /// unit of quote buys.
    #[test]
    fn holders_have_what_a_ledger_of_single_holders_gives_them(
        moves in prop::collection::vec(a_move(), 1..24),
    ) {
        let mut world = World::default();
        for step in &moves {
            world.apply(step);
        }
        world.check();
    }
}

/// One holder: all of the pool is its own, to the last unit, through any emptying.
#[test]
fn a_pool_emptied_a_thousand_times_still_accounts_right() {
    let mut world = World::default();
    let mut idle_gain = 0;
    for round in 0..1_000u128 {
        world.apply(&Move::Deposit(0, 1_000_000 + round));
        world.apply(&Move::Deposit(1, 3_000_000));
        if round == 0 {
            world.apply(&Move::Deposit(2, 1_000_000));
        }
        world.apply(&Move::SpendAllBut(0, 1 << 16));
        if round == 0 {
            idle_gain = 1_000_000;
        }
    }
    world.check();
    assert_eq!(world.pool.mark.series, 1_000);
    // Who was there in the first round alone follows a thousand series in one step.
    let mut stake = world.stakes[2];
    let gained = stake.follow(world.pool.mark, &world.files).unwrap();
    let short = idle_gain - gained.whole().get();
    assert!(short <= 1, "{short}");
    assert_eq!(stake.shares, Shares::ZERO);
}

/// The number of ended series that a stake passes is bounded, although there are many more.
#[test]
fn a_stake_follows_in_bounded_steps() {
    struct Counting<'a>(&'a Files, std::cell::Cell<u32>);
    impl Ends for Counting<'_> {
        fn end(&self, series: u32) -> Option<SeriesEnd> {
            self.1.set(self.1.get() + 1);
            self.0.series(series)
        }
    }
    let mut world = World::default();
    world.apply(&Move::Deposit(0, MOST_QUOTE.get() >> 1));
    for _ in 0..100 {
        world.spend(
            world.pool.quote.get() - (world.pool.quote.get() >> 17) - 1,
            1,
        );
        world.apply(&Move::Deposit(1, 1 << 60));
    }
    assert!(world.pool.mark.series > 90);
    let counting = Counting(&world.files, std::cell::Cell::new(0));
    world.stakes[0].follow(world.pool.mark, &counting).unwrap();
    assert!((2..=MAX_SERIES_STEPS).contains(&counting.1.get()));
}

/// On both sides of the price at which a series ends, and at the largest pool.
#[test]
fn rescaling_at_its_boundaries_keeps_every_unit() {
    for first in [1u128 << 40, (1 << 40) + 1, MOST_QUOTE.get() - 1_000] {
        for bits in 14..20u32 {
            for slack in -2i128..=2 {
                let mut world = World::default();
                world.apply(&Move::Deposit(0, first - first / 3));
                world.apply(&Move::Deposit(1, first / 3));
                let left = (first >> bits).saturating_add_signed(slack);
                world.apply(&Move::SpendAllBut(left, 1 << 16));
                world.check();
                assert_eq!(world.pool.quote.get(), left);
                let ended = world.pool.mark.series > 0;
                assert!(
                    ended || left > first >> 17,
                    "2^33 shares a unit: it must end"
                );
                assert!(
                    !ended || left <= first >> 16,
                    "2^32 shares a unit: it goes on"
                );
                world.apply(&Move::Deposit(2, 999));
                world.check();
                world.apply(&Move::SpendAllBut(1, 1 << 16));
                world.check();
                world.apply(&Move::SpendAllBut(0, 1 << 16));
                world.check();
            }
        }
    }
}

/// A holder that comes and goes ten thousand times makes no share worth a unit, so the next
/// deposit still loses less than one.
#[test]
fn coming_and_going_does_not_inflate_a_share() {
    let mut pool = Pool::default();
    pool.deposit(Amount::new(3)).unwrap();
    for round in 0..10_000u128 {
        let amount = Amount::new(1 + round % 5);
        pool.deposit(amount).unwrap();
        pool.withdraw(amount).unwrap();
    }
    let mut after = pool;
    let minted = after.deposit(Amount::new(1_000_000)).unwrap();
    let worth = after.worth(minted).unwrap();
    assert!(worth.get() >= 999_999, "{worth:?}");
}

/// A tier that nobody touches files its ended series with a settlement, once there are more of
/// them than it keeps, and whoever slept through all of it is paid as if it had not.
#[test]
fn a_tier_that_nobody_touches_files_what_it_cannot_keep() {
    let at = tier(5);
    let mut market = Market::default();
    market.stand(at, 1, Amount::new(1 << 90), 1);
    let mut series = Vec::new();
    let mut filed = Files::default();
    for _ in 0..=KEPT_SERIES {
        let tier = market.standing.tiers.first_mut().unwrap();
        series.push(tier.pool.mark.series);
        let spent = tier
            .pool
            .quote
            .minus(Amount::new(tier.pool.quote.get() >> 17));
        tier.settle(Amount::ZERO, spent.unwrap(), tokens(1), 2)
            .unwrap();
        let kept = tier.ended.clone();
        let nothing = StandingClaim::default();
        let records = market.standing.release(&nothing, 2).unwrap();
        assert_eq!(records.is_empty(), kept.len() <= KEPT_SERIES);
        filed.add(records.into_iter().map(|(_, record)| record));
    }
    assert_eq!(filed.series.keys().copied().collect::<Vec<_>>(), series);
    let worth = market
        .standing
        .worth(&market.account(at, 1), at, &filed)
        .unwrap();
    let all = tokens(1).get() * (KEPT_SERIES as u128 + 1);
    assert!(all - worth.collateral.get() <= 1, "{worth:?}");
    let left = market.standing.tier(at).unwrap().pool.quote;
    assert!(left.get() - worth.standing.get() <= 1 + (left.get() >> 14));
}
