//! What is held against what is owed, and totals against cells.

use crate::acts::Cast;
use crate::Native;
use breakwater_core::auction::Phase;
use breakwater_core::batch::{outcome, raise_at};
use breakwater_core::math::Rounding;
use breakwater_core::page::{tick_of, Departure};
use breakwater_core::tick;
use breakwater_core::units::Amount;

/// Promise 9 (I-01, I-02, I-04, I-05, I-08, I-24, I-25): tokens held are exactly tokens owed, in
/// both contracts; totals are the sums of what cells hold; nothing was made out of nothing.
///
/// # Panics
/// Where that is not so.
pub fn books(n: &Native, cast: &Cast) {
    balances(n);
    let (collateral, quote) = crate::acts::PURSE;
    let users = cast.users.len() as u128;
    let made = [
        (n.at.collateral, collateral * crate::acts::COLLATERAL),
        (n.at.quote, quote * crate::acts::QUOTE),
    ];
    for (token, each) in made {
        assert_eq!(n.tokens.total(token), each * users, "I-08: units there are");
    }
}

/// As [`books`], wherever tokens have come from.
pub(super) fn balances(n: &Native) {
    vault(n);
    cells(n);
    auction(n);
}

fn vault(n: &Native) {
    let state = &n.vault.state;
    let parts = [state.cash, state.insurance, state.rewards, state.prepaid];
    let owed: u128 = parts.iter().map(|part| part.get()).sum();
    let held = n.tokens.held(n.at.quote, n.at.vault).get();
    assert_eq!(held, owed, "I-02: the vault's quote");
    let in_kind = state.wind_down.map(|ended| ended.in_kind);
    let parts = [
        state.free_collateral,
        state.pooled_collateral,
        state.batched_collateral,
        state.closed_collateral,
        state.collateral_rounding,
        in_kind.unwrap_or_default(),
        state.inventory.all().expect("in range"),
    ];
    let owed: u128 = parts.iter().map(|part| part.get()).sum();
    let held = n.tokens.held(n.at.collateral, n.at.vault).get();
    assert_eq!(held, owed, "I-01: the vault's collateral");
    let rewards: u128 = n.vault.rewards.values().map(|reward| reward.get()).sum();
    assert_eq!(rewards, state.rewards.get(), "rewards");
    let shares: u128 = n.vault.lenders.values().map(|shares| shares.get()).sum();
    let all = shares + state.reserve_shares.get();
    assert_eq!(all, state.supply_shares.get(), "lenders' shares");
    let (free, prepaid) = n.vault.positions.values().fold((0, 0), |sums, position| {
        (
            sums.0 + position.collateral.get(),
            sums.1 + position.prepaid.get(),
        )
    });
    assert_eq!(free, state.free_collateral.get(), "collateral of positions");
    assert_eq!(prepaid, state.prepaid.get(), "held aside for positions");
}

/// What cohorts come to, wherever they are.
#[derive(Default)]
struct Sums {
    pooled: u128,
    debt: u128,
    batched: u128,
    batched_debt: u128,
    closed: u128,
    members: u32,
}

fn cells(n: &Native) {
    let (state, store) = (&n.vault.state, &n.vault.cells);
    let scale = n.house.market.scale;
    let mut sums = Sums::default();
    for (number, page) in &store.pages {
        let found = state.directory.highest_at_or_below(*number);
        assert!(found == Some(*number) && !page.cohorts.is_empty(), "page");
        for (slot, cohort) in page.cohorts.iter() {
            sums.pooled += cohort.collateral.get();
            sums.debt += cohort.debt.get();
            sums.members += cohort.members;
            let bound = tick::bound(tick_of(*number, slot));
            assert!(cohort.lower_bound >= bound, "a cohort under its tick");
        }
    }
    for departures in store.departures.values() {
        for (_, departure) in departures.iter() {
            match departure {
                Departure::Batched(entry) => {
                    sums.members += entry.cohort.members;
                    match store.batches[&entry.batch].settled {
                        None => {
                            sums.batched += entry.cohort.collateral.get();
                            sums.batched_debt += entry.debt.get();
                        }
                        Some(settled) => {
                            let asked = raise_at(entry, settled.price, scale);
                            let raised = settled.raise_of(entry.rank, asked.expect("in range"));
                            let after = outcome(entry, settled.price, raised, scale);
                            let after = after.expect("in range");
                            if after.debt_left.is_zero() {
                                sums.closed += after.collateral_left.get();
                            } else {
                                sums.pooled += after.collateral_left.get();
                                let scaled = settled.index.scaled(after.debt_left, Rounding::Up);
                                sums.debt += scaled.expect("in range").get();
                            }
                        }
                    }
                }
                Departure::Closed(cohort) => {
                    sums.closed += cohort.collateral.get();
                    sums.members += cohort.members;
                }
                Departure::Moved { .. } => {}
            }
        }
    }
    assert_eq!(sums.pooled, state.pooled_collateral.get(), "I-01: pooled");
    assert_eq!(sums.debt, state.debt.get(), "I-04: debt");
    let batched = state.batched_collateral.get();
    assert_eq!(sums.batched, batched, "I-05: batched collateral");
    let debt = state.batched_debt.get();
    assert_eq!(sums.batched_debt, debt, "I-04: debt in batches");
    assert_eq!(sums.closed, state.closed_collateral.get(), "I-05: closed");
    let pooled = n.vault.positions.values();
    let pooled = pooled.filter(|position| position.pooled.is_some()).count();
    assert_eq!(sums.members as usize, pooled, "I-24: members of cohorts");
}

fn auction(n: &Native) {
    let house = &n.house;
    let held = n.tokens.held(n.at.quote, n.at.auction);
    assert_eq!(held, house.treasury.held, "I-02: the auction's quote");
    let tiers = house.standing.tiers();
    let standing: u128 = tiers
        .iter()
        .map(|tier| tier.held().expect("in range").get())
        .sum();
    let booked = house.treasury.standing.get();
    assert_eq!(standing, booked, "I-25: standing bids");
    let mut collateral: u128 = tiers.iter().map(|tier| tier.collateral.get()).sum();
    let mut quote: u128 = house.balances.values().map(|balance| balance.get()).sum();
    quote += standing;
    for (number, record) in &house.auctions {
        collateral += record.collateral.get();
        // All bids are claimed in turn, as if now: what they are owed.
        let mut then = record.auction.clone();
        let bids = house.bids.range((*number, 0)..=(*number, u32::MAX));
        let (mut joined, mut received) = (vec![0u128; then.prices.len()], Amount::ZERO);
        for (_, bid) in bids {
            joined[usize::from(bid.step)] += bid.budget.get();
            if !matches!(then.phase, Phase::Settled(_)) {
                quote += bid.budget.get();
                continue;
            }
            let fill = then.claim(bid.budget, bid.step, house.market.scale);
            let fill = fill.expect("a settled bid is claimed");
            quote += fill.refunded.get();
            received = received.plus(fill.received).expect("in range");
        }
        assert!(
            received <= record.collateral,
            "I-25: bids are owed more than there is"
        );
        if then.phase == Phase::Running {
            for tier in &record.standing.tiers {
                if let Some(step) = tier.step {
                    joined[usize::from(step)] += tier.amount.get();
                }
            }
            let booked: Vec<u128> = then.joined.iter().map(|sum| sum.get()).collect();
            assert_eq!(joined, booked, "I-25: budgets by step");
        }
    }
    let held = n.tokens.held(n.at.collateral, n.at.auction).get();
    assert_eq!(held, collateral, "I-01: the auction's collateral");
    assert_eq!(
        quote,
        house.treasury.held.get(),
        "I-25: the auction's quote"
    );
}
