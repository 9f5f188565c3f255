//! Random histories of a whole market: deposits, withdrawals and claims while up to four batches
//! run, against a ledger that keeps every depositor by itself in real numbers.

use super::reference::Real;
use super::*;
use crate::math::Rounding;
use proptest::prelude::*;
use std::collections::BTreeSet;

const PEOPLE: u32 = 3;
/// A move takes longer than a batch, so that each running batch can be closed at any time.
const BLOCKS_PER_MOVE: Block = 16;

#[derive(Clone, Debug)]
enum Move {
    /// Tier, who, amount.
    Stand(bool, u32, u128),
    /// Tier, who, parts in 256 of what can be taken out.
    Unstand(bool, u32, u16),
    /// Tier, who.
    Claim(bool, u32),
    /// Target, and the tokens of a bidder at 96 who competes with the deeper tier.
    Open(u128, u128),
    /// A target of all that stands in a tier but this many units, so that a series ends.
    OpenForAllBut(bool, u128),
    /// Which of the running batches.
    Close(usize),
}

fn amount() -> impl Strategy<Value = u128> {
    prop_oneof![
        1 => Just(1u128),
        1 => 1u128..5_000,
        6 => (15u32..60).prop_flat_map(|bits| (1u128 << bits)..(2u128 << bits)),
    ]
}

fn a_move() -> impl Strategy<Value = Move> {
    let who = 0..PEOPLE;
    prop_oneof![
        6 => (any::<bool>(), who.clone(), amount()).prop_map(|(at, who, amount)| Move::Stand(at, who, amount)),
        3 => (any::<bool>(), who.clone(), 1u16..=256).prop_map(|(at, who, part)| Move::Unstand(at, who, part)),
        1 => (any::<bool>(), who).prop_map(|(at, who)| Move::Claim(at, who)),
        3 => (amount(), prop_oneof![Just(0), amount()]).prop_map(|(target, bid)| Move::Open(target, bid)),
        1 => (any::<bool>(), amount()).prop_map(|(at, left)| Move::OpenForAllBut(at, left)),
        4 => (0usize..4).prop_map(Move::Close),
    ]
}

/// What one depositor should have in one tier.
#[derive(Clone, Debug, Default)]
struct Due {
    standing: Real,
    leaving: Real,
    waiting: u128,
    payable: Real,
    collateral: Real,
    /// How often a fraction of a unit may have been rounded away.
    roundings: u128,
}

struct Running {
    opened: Block,
    batch: (Auction, StandingClaim),
    /// Who stood in which tier at the opening.
    members: BTreeSet<(Discount, u32)>,
}

#[derive(Default)]
struct World {
    market: Market,
    block: Block,
    due: BTreeMap<(Discount, u32), Due>,
    running: Vec<Running>,
    /// Quote and collateral of the two tiers together, counted by themselves.
    quote: u128,
    collateral: u128,
}

fn which(deep: bool) -> Discount {
    tier(if deep { 5 } else { 2 })
}

impl World {
    fn engaged(&self, at: Discount) -> bool {
        let mut claims = self
            .running
            .iter()
            .flat_map(|running| &running.batch.1.tiers);
        claims.any(|reserved| reserved.discount == at)
    }

    fn apply(&mut self, step: &Move) {
        self.block += BLOCKS_PER_MOVE;
        match *step {
            Move::Stand(deep, who, amount) => {
                let at = which(deep);
                let waits = self.engaged(at);
                self.market.stand(at, who, Amount::new(amount), self.block);
                self.quote += amount;
                let due = self.due.entry((at, who)).or_default();
                due.roundings += 1;
                if waits {
                    due.waiting += amount;
                } else {
                    due.standing = due.standing.plus(&Real::of(amount));
                }
            }
            Move::Unstand(deep, who, part) => self.unstand(which(deep), who, part),
            Move::Claim(deep, who) => {
                let at = which(deep);
                let worth = self.market.worth(at, who);
                // What is still inside running batches is not claimed with the rest.
                let Ok(payout) = self.market.claim(at, who) else {
                    assert!(worth.payable.is_zero());
                    return;
                };
                assert_eq!(payout.quote, worth.payable);
                assert!(payout.collateral <= worth.collateral);
                self.quote -= payout.quote.get();
                self.collateral -= payout.collateral.get();
                let due = self.due.entry((at, who)).or_default();
                due.payable = due.payable.minus(&Real::of(payout.quote.get()));
                due.collateral = due.collateral.minus(&Real::of(payout.collateral.get()));
                due.roundings += 1;
            }
            Move::Open(target, bid) => self.open(target, bid),
            Move::OpenForAllBut(deep, left) => {
                let stands = self.market.standing.tier(which(deep));
                let target = stands.map_or(Amount::ZERO, |tier| tier.pool.quote);
                self.open(target.get().saturating_sub(left), 0);
            }
            Move::Close(at) => self.close(at),
        }
    }

    fn unstand(&mut self, at: Discount, who: u32, part: u16) {
        let worth = self.market.worth(at, who);
        let all = worth.standing.plus(worth.waiting).unwrap();
        let amount = all.mul_div(u128::from(part), 256, Rounding::Down).unwrap();
        if amount.is_zero() {
            return;
        }
        let engaged = self.engaged(at);
        let paid = self.market.unstand(at, who, amount, self.block);
        self.quote -= paid.get();
        let due = self.due.entry((at, who)).or_default();
        due.roundings += 1;
        let at_once = amount.get().min(due.waiting);
        due.waiting -= at_once;
        let rest = amount.get() - at_once;
        assert_eq!(paid.get(), if engaged { at_once } else { amount.get() });
        if rest == 0 {
            return;
        }
        let gone = if rest == worth.standing.get() {
            std::mem::take(&mut due.standing)
        } else {
            due.standing = due.standing.minus(&Real::of(rest));
            Real::of(rest)
        };
        if engaged {
            due.leaving = due.leaving.plus(&gone);
        }
    }

    fn open(&mut self, target: u128, bid: u128) {
        if self.running.len() == 4 {
            return;
        }
        let mut batch = self.market.open(self.block, Amount::new(target));
        batch.0.reserve = price(90);
        let _ = batch
            .0
            .place(Amount::new(bid), price(96), Block::MAX, self.block, scale());
        // Who has given notice is still inside.
        let standing =
            |(_, due): &(&(Discount, u32), &Due)| due.standing.plus(&due.leaving) > Real::default();
        self.running.push(Running {
            opened: self.block,
            batch,
            members: self
                .due
                .iter()
                .filter(standing)
                .map(|(key, _)| *key)
                .collect(),
        });
        for tier in self.market.standing.tiers() {
            assert!(tier.reserved <= tier.pool.quote, "a unit is reserved twice");
        }
    }

    fn close(&mut self, at: usize) {
        if at >= self.running.len() {
            return;
        }
        let mut closing = self.running.remove(at);
        let before = self.market.standing.clone();
        let history = [seen(closing.opened, 100)];
        let fill = self.market.close(&mut closing.batch, &history, self.block);
        self.quote -= fill.spent.get();
        self.collateral += fill.received.get();
        for reserved in &closing.batch.1.tiers {
            let at = reserved.discount;
            let had = before.tier(at).unwrap();
            let now = self.market.standing.tier(at).unwrap();
            let received = now.collateral.minus(had.collateral).unwrap().get();
            let spent = had
                .held()
                .unwrap()
                .minus(now.held().unwrap())
                .unwrap()
                .get();
            assert!(spent <= reserved.amount.get());
            assert!(spent == 0 || received > 0, "spent for nothing");
            let engaged = self.engaged(at);
            let had = had.pool.quote.get();
            for ((_, who), due) in self.due.iter_mut().filter(|((of, _), _)| *of == at) {
                let inside = due.standing.plus(&due.leaving);
                if inside > Real::default() {
                    assert!(
                        closing.members.contains(&(at, *who)),
                        "entered an open batch"
                    );
                }
                due.collateral = due.collateral.plus(&inside.part_of(had, received));
                due.standing = due.standing.times(had - spent, had);
                due.leaving = due.leaving.times(had - spent, had);
                due.roundings += 1;
                if !engaged {
                    due.standing = due
                        .standing
                        .plus(&Real::of(std::mem::take(&mut due.waiting)));
                    due.payable = due.payable.plus(&std::mem::take(&mut due.leaving));
                }
            }
        }
    }

    fn check(&self) {
        let (mut held, mut collateral) = (0, 0);
        for tier in self.market.standing.tiers() {
            held += tier.held().unwrap().get();
            collateral += tier.collateral.get();
            let mut claims = account::Worth::default();
            for who in 0..PEOPLE {
                let worth = self.market.worth(tier.discount, who);
                self.compare(tier.discount, who, worth);
                claims.standing = claims.standing.plus(worth.standing).unwrap();
                claims.standing = claims.standing.plus(worth.leaving).unwrap();
                claims.waiting = claims.waiting.plus(worth.waiting).unwrap();
                claims.payable = claims.payable.plus(worth.payable).unwrap();
                claims.collateral = claims.collateral.plus(worth.collateral).unwrap();
            }
            assert!(claims.standing <= tier.pool.quote);
            assert_eq!(claims.waiting, tier.waiting);
            assert!(claims.payable <= tier.payable);
            assert!(claims.collateral <= tier.collateral);
        }
        assert_eq!(held, self.quote, "every unit of quote is somewhere");
        assert_eq!(
            collateral, self.collateral,
            "every unit of collateral is somewhere"
        );
    }

    fn compare(&self, at: Discount, who: u32, worth: account::Worth) {
        let none = Due::default();
        let due = self.due.get(&(at, who)).unwrap_or(&none);
        let near = |have: Amount, ideal: &Real, slack: u128| {
            let (have, ideal) = (have.get(), ideal.floor());
            assert!(have.abs_diff(ideal) <= slack, "{have} of {ideal}, {slack}");
        };
        near(worth.standing, &due.standing, 1);
        near(worth.leaving, &due.leaving, 1);
        assert_eq!(worth.waiting.get(), due.waiting);
        // At prices from 90 to 103 a unit of quote buys less than a fiftieth of a unit.
        near(worth.collateral, &due.collateral, 1);
        near(worth.payable, &due.payable, due.roundings);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40_000, max_shrink_iters: 5_000, ..ProptestConfig::default() })]

    /// Promise 9, I-06, I-51 and the clauses on generations: everybody has what a ledger of single
    /// depositors gives; nobody is in a batch that it had not entered before the opening; every
    /// unit of both tokens is accounted for.
    #[test]
    fn a_market_is_kept_as_a_ledger_of_single_depositors_would(
        moves in prop::collection::vec(a_move(), 1..48),
    ) {
        let mut world = World::default();
        for step in &moves {
            world.apply(step);
        }
        world.check();
    }
}
