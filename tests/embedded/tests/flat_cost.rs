//! Promise 1: what a batch costs depends on occupied ticks, never on how many positions are in
//! them. The scenarios are those of `breakwater bench gas`, with small numbers.

use breakwater_core::units::Amount;
use breakwater_sim::bench::flat::{alike, runs};
use breakwater_sim::bench::stage::{Run, QUOTE};
use breakwater_sim::bench::ticks::{run, Layout};
use breakwater_sim::bench::{bids, standing, Watch};

#[test]
fn two_hundred_positions_cost_what_twenty_cost_in_the_same_ticks() {
    let runs = runs(&[20, 200], 5, &mut Watch::nobody()).expect("liquidates");
    for (run, members) in runs.iter().zip([20, 200]) {
        assert_eq!((run.cohorts, run.members), (10, members));
        let least = Amount::new(1_000 * QUOTE * u128::from(members));
        assert!(run.settlement.raised > least, "all of it is sold");
    }
    assert!(alike(&runs[0], &runs[1]), "{runs:#?}");
}

#[test]
fn a_thousand_bids_cost_a_batch_what_one_costs() {
    let rows = bids::table(1_000, &mut Watch::nobody()).expect("liquidates");
    assert_eq!(rows.last().map(|row| row.bids), Some(1_000));
    assert!(rows.iter().all(|row| row.flat), "{rows:#?}");
}

/// Ten thousand take two minutes: `breakwater bench gas --only standing`.
#[test]
fn a_thousand_depositors_cost_a_batch_what_one_costs() {
    let rows = standing::table(1_000, &mut Watch::nobody()).expect("liquidates");
    assert_eq!(rows.last().map(|row| row.depositors), Some(1_000));
    assert!(rows.iter().all(|row| row.flat), "{rows:#?}");
}

/// A whole batch over neighbouring ticks with three positions each: open and settle, which clears
/// and puts everything back.
fn neighbouring(ticks: u16) -> Run {
    let run = run(Layout::Neighbouring, ticks, &mut Watch::nobody()).expect("liquidates");
    assert_eq!(run.members, 3 * u32::from(ticks));
    assert!(run.settlement.rested, "no further call is needed");
    run
}

#[test]
fn a_whole_batch_over_eight_ticks_costs_less_than_one_account_elsewhere() {
    let total = neighbouring(8).total();
    assert!(total.under_abax(1), "{total:?}");
}

#[test]
fn a_whole_batch_over_32_ticks_costs_less_than_one_account_elsewhere() {
    let total = neighbouring(32).total();
    assert!(total.under_abax(1), "{total:?}");
}
