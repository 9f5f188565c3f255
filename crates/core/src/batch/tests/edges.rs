//! What stands exactly on a limit of a cohort's ask and of what a clearing leaves.

use super::*;

/// The minimum debt itself may be left, a unit less is closed whole.
#[test]
fn i34_a_rest_of_exactly_the_minimum_debt_stays() {
    let price = Price::new(PRICE_ONE);
    let (collateral, debt) = (Amount::new(1_000_000), Amount::new(801_000));
    let with_minimum = |min_debt| {
        let params = MarketParams {
            collateral_decimals: 6,
            min_debt,
            ..example_params()
        };
        ask(&params, scale(), collateral, debt, price).unwrap()
    };
    let partial = with_minimum(Amount::new(1));
    let rest = debt.minus(partial.retire).unwrap();
    assert_eq!(with_minimum(rest), partial);
    let above = with_minimum(rest.plus(Amount::new(1)).unwrap());
    assert_eq!(above.retire, debt);
}

/// A cut ask keeps the whole penalty as long as the rest can bear it: 100 of money for 1 000
/// worth of collateral and 800 of debt pay 95 of debt and 5 of penalty; at 980 of debt they
/// must pay 98.
#[test]
fn a_cut_ask_keeps_the_penalty_that_the_rest_can_bear() {
    let params = example_params();
    let (room, value) = (Amount::new(100), Amount::new(1_000));
    for (debt, retire) in [(800, 95), (980, 98), (1_000, 100), (1_100, 100)] {
        let debt = Amount::new(debt);
        let full = Ask {
            retire: debt,
            target: debt.share(Ratio::from_bps(10_500), Rounding::Up).unwrap(),
        };
        let cut = cut(full, room, &params, value, debt).unwrap();
        assert_eq!((cut.target, cut.retire), (room, Amount::new(retire)));
    }
}

/// Short money pays debt and penalty in the proportion of the ask: half of it retires half.
#[test]
fn half_the_money_pays_half_the_debt_and_half_the_penalty() {
    let price = Price::new(100 * PRICE_ONE);
    let cohort = batched(10_000_000, 810_000_000, price);
    let half = Amount::new(cohort.target.get() / 2);
    let after = outcome(&cohort, price, half, scale()).unwrap();
    assert!(after.repaid.get().abs_diff(cohort.retire.get() / 2) <= 1);
    let penalty = cohort.target.minus(cohort.retire).unwrap();
    assert!(after.penalty.get().abs_diff(penalty.get() / 2) <= 1);
}

/// A ten-thousandth of the debt is worth an auction, a unit less is dust: what is left of a sale
/// and what nobody bought alike.
#[test]
fn dust_is_less_than_a_ten_thousandth_of_the_debt() {
    let price = Price::new(PRICE_ONE);
    // 101 of 100 000 000 units worth are left for a debt of so much.
    let left = |debt: u128| {
        let cohort = batched(100_000_000, debt, price);
        let raised = Amount::new(100_000_000 - 101);
        outcome(&cohort, price, raised, scale()).unwrap()
    };
    let unpaid = 101 * 10_000;
    let kept = left(100_000_000 - 101 + unpaid);
    assert_eq!(kept.collateral_left, Amount::new(101));
    assert_eq!(kept.debt_left, Amount::new(unpaid));
    let dust = left(100_000_000 - 101 + unpaid + 1);
    assert_eq!((dust.collateral_left, dust.debt_left), Default::default());
    assert_eq!(dust.shortfall, Amount::new(unpaid + 1));
    // Nothing bought: a lot worth a ten-thousandth waits, one worth less is written off.
    let unsold = |debt| {
        let cohort = batched(101, debt, price);
        outcome(&cohort, price, Amount::ZERO, scale()).unwrap()
    };
    assert_eq!(unsold(unpaid).debt_left, Amount::new(unpaid));
    assert_eq!(unsold(unpaid + 1).shortfall, Amount::new(unpaid + 1));
}
