//! Cohorts, conversions and the directory of pages.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

mod edges;

proptest! {
    /// I-31: a share of those who stay owes no more and holds no less after one has left.
    #[test]
    fn who_leaves_takes_nothing_from_those_who_stay(
        collateral in 1u128..1 << 60, debt in 1u128..1 << 60, of in (1u128..1 << 60, 1u128..1 << 60),
        part in (1u128..1_000, 1u128..1_000),
    ) {
        let mut cohort = Cohort::at_par(0, 3, Amount::new(collateral), ScaledDebt::new(debt), DebtRatio::ZERO);
        // What a sale left of it: a share is worth no whole number.
        (cohort.collateral, cohort.debt) = (Amount::new(of.0), ScaledDebt::new(of.1));
        let before = cohort;
        let stake = Stake {
            collateral: Shares::new(collateral * part.0 / 1_000),
            debt: Shares::new(debt * part.1 / 1_000),
        };
        cohort.leave(stake).unwrap();
        let (b, c, product) = (before, cohort, crate::math::wide_product);
        let debt = product(c.debt.get(), b.shares.debt.get()) <= product(b.debt.get(), c.shares.debt.get());
        let held = product(c.collateral.get(), b.shares.collateral.get())
            >= product(b.collateral.get(), c.shares.collateral.get());
        prop_assert!(debt && held);
    }

    /// The directory answers as a sorted set would.
    #[test]
    fn directory_equals_a_sorted_set(
        changes in proptest::collection::vec((0u16..512, any::<bool>()), 0..200),
        ask in 0u16..512,
    ) {
        let (mut directory, mut model) = (Directory::default(), BTreeSet::new());
        for (page, occupied) in changes {
            directory.set(page, occupied);
            if occupied { model.insert(page); } else { model.remove(&page); }
        }
        prop_assert_eq!(directory.holds(ask), model.contains(&ask));
        prop_assert_eq!(directory.highest_at_or_below(ask), model.range(..=ask).next_back().copied());
    }

    /// Whoever enters and leaves a cohort gains nothing, and those inside lose nothing.
    #[test]
    fn entering_and_leaving_never_gains(
        inside in (1u128..1 << 80, 1u128..1 << 80),
        shares in (1u128..1 << 80, 1u128..1 << 80),
        newcomer in (1u128..1 << 80, 1u128..1 << 80),
    ) {
        let mut cohort = Cohort::at_par(
            0, 1, Amount::new(inside.0), ScaledDebt::new(inside.1), DebtRatio::ZERO,
        );
        cohort.shares = Stake { collateral: Shares::new(shares.0), debt: Shares::new(shares.1) };
        let before = cohort;
        let (collateral, debt) = (Amount::new(newcomer.0), ScaledDebt::new(newcomer.1));
        if let Ok(stake) = cohort.enter(1, collateral, debt) {
            let (out, owed) = cohort.leave(stake).unwrap();
            prop_assert!(out <= collateral);
            prop_assert!(owed >= debt.min(owed) && (owed >= debt || cohort.debt.is_zero()));
            prop_assert!(cohort.collateral >= before.collateral);
            prop_assert!(cohort.debt <= before.debt);
        }
    }
}

/// Promise 8: a contract's memory is never given back. A page that is read and entered takes room for
/// a few more entries, not for twice as many.
#[test]
fn a_crowded_page_grows_by_a_few_entries() {
    let entries: Vec<(u8, u64)> = (0..110).map(|slot| (slot, 0)).collect();
    let read = Slots::<u64>::decode(&mut &entries.encode()[..]).unwrap();
    let mut entered = read.clone();
    for slot in 110..118 {
        entered.insert(slot, 0);
    }
    assert_eq!(entered.0.capacity(), 118);
    let mut walked = read;
    walked.extend_down((111..119).rev().map(|slot| (slot, 0)).collect());
    assert_eq!(walked.0.capacity(), 118);
}
