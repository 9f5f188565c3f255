//! What stands exactly on a limit of a cohort and of its wait.

use super::*;

/// A share is worth between 10⁻⁹ and 10⁹ units, of collateral and of debt, or the tick starts a
/// new generation; so it does where one of the totals or of the counts is nothing.
#[test]
fn a_cohort_is_sound_while_a_share_is_worth_a_billionth_to_a_billion() {
    const BILLION: u128 = 1_000_000_000;
    let is_sound = |collateral: (u128, u128), debt: (u128, u128)| {
        let units = (Amount::new(collateral.0), ScaledDebt::new(debt.0));
        let mut cohort = Cohort::at_par(0, 2, units.0, units.1, DebtRatio::ZERO);
        cohort.shares = Stake {
            collateral: Shares::new(collateral.1),
            debt: Shares::new(debt.1),
        };
        cohort.is_sound()
    };
    let par = (7, 7);
    let sound = [
        par,
        (1, 1),
        (BILLION - 1, 1),
        (1, BILLION - 1),
        (7 * BILLION - 1, 7),
        (7, 7 * BILLION - 1),
    ];
    let unsound = [
        (0, 0),
        (0, 7),
        (7, 0),
        (BILLION, 1),
        (1, BILLION),
        (7 * BILLION, 7),
        (7, 7 * BILLION),
    ];
    for of in sound {
        assert!(is_sound(of, par) && is_sound(par, of), "{of:?}");
    }
    for of in unsound {
        assert!(!is_sound(of, par) && !is_sound(par, of), "{of:?}");
    }
}

/// Whoever has never failed never waits, also before the first round.
#[test]
fn a_wait_begins_with_a_failure() {
    assert!(!Cooling::default().waits(0, 0));
    let failed = Cooling::default().failed(10, 3);
    assert_eq!(failed.until, 10 + FIRST_WAIT);
    assert!(failed.waits(failed.until - 1, 4), "too early");
    assert!(failed.waits(failed.until, 3), "no newer round");
    assert!(!failed.waits(failed.until, 4));
    // Doubled each time, up to the longest.
    let mut wait = failed;
    for failures in 1..=20u32 {
        let blocks = (FIRST_WAIT << failures.min(10)).min(LONGEST_WAIT);
        wait = wait.failed(10, 3);
        assert_eq!(wait.until, 10 + blocks);
    }
}

#[test]
fn the_last_member_takes_and_owes_all_that_is_left() {
    let mut cohort = Cohort::at_par(
        0,
        1,
        Amount::new(1_000),
        ScaledDebt::new(700),
        DebtRatio::ZERO,
    );
    let stake = cohort
        .enter(1, Amount::new(333), ScaledDebt::new(233))
        .unwrap();
    let first = Stake {
        collateral: Shares::new(1_000),
        debt: Shares::new(700),
    };
    cohort.leave(first).unwrap();
    assert_eq!(
        cohort.leave(stake).unwrap(),
        (Amount::new(333), ScaledDebt::new(233))
    );
    assert_eq!(
        (cohort.collateral, cohort.debt),
        (Amount::ZERO, ScaledDebt::ZERO)
    );
}

proptest! {
    /// Slots are a map from slot to entry, in slot order, however they are filled and emptied.
    #[test]
    fn slots_equal_a_sorted_map(
        changes in proptest::collection::vec((0u8..4, 0u8..128, any::<u16>()), 0..60),
        down in proptest::collection::btree_map(0u8..128, any::<u16>(), 0..20),
    ) {
        let (mut slots, mut map) = (Slots::default(), std::collections::BTreeMap::new());
        for (what, slot, entry) in changes {
            match what {
                0 | 1 => prop_assert_eq!(slots.insert(slot, entry), map.insert(slot, entry)),
                2 => prop_assert_eq!(slots.remove(slot), map.remove(&slot)),
                _ => prop_assert_eq!(slots.pop(), map.pop_last()),
            }
        }
        slots.extend_down(down.iter().rev().map(|(slot, entry)| (*slot, *entry)).collect());
        map.extend(down);
        prop_assert_eq!(slots.len(), map.len());
        prop_assert_eq!(slots.is_empty(), map.is_empty());
        prop_assert!(slots.iter().map(|(slot, entry)| (slot, *entry)).eq(map.clone()));
        for slot in 0..128 {
            prop_assert_eq!(slots.get(slot), map.get(&slot));
            prop_assert_eq!(slots.get_mut(slot), map.get_mut(&slot));
        }
    }
}

/// Promise 9: no debt goes without a share of it, however much one share is worth, up to the
/// highest bits of what is divided.
#[test]
fn promise_9_a_newcomers_debt_has_a_share_whatever_one_is_worth() {
    for bits in 64..126 {
        let (came, inside) = (1u128 << bits, 1u128 << (bits + 1));
        let mut cohort = Cohort::at_par(
            0,
            1,
            Amount::new(1_000),
            ScaledDebt::new(inside),
            DebtRatio::ZERO,
        );
        cohort.shares.debt = Shares::new(1);
        let stake = cohort.enter(1, Amount::new(1_000), ScaledDebt::new(came));
        assert_eq!(stake.unwrap().debt, Shares::new(1), "{bits}");
    }
}
