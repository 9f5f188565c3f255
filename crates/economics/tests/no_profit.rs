//! No sequence of own positions, bids and keeper calls earns a profit.

use breakwater_economics::{
    attack::{search, Target},
    random::Dice,
};

/// Markets searched, and plans tried on each: some 58 000 in all.
const MARKETS: u64 = 600;

#[test]
fn no_combination_of_own_positions_bids_and_keeper_calls_earns_a_profit() {
    let mut tried = 0;
    for market in 0..MARKETS {
        let mut dice = Dice::new(20, market);
        let target = Target::draw(&mut dice);
        if let Some(best) = search(target, &mut dice, 40, 60).expect("no rule refuses") {
            assert!(best.gain.is_none(), "market {market}: {best:#?}");
            tried += best.tried;
        }
    }
    assert!(tried > 50_000, "only {tried} plans could be tried");
}

/// The search would find a profit if there were one: where the honest side cannot pay for the
/// lot, an attacker buys the rest under the fair price.
#[test]
fn where_competition_is_missing_the_search_finds_the_profit() {
    let found = (0..60).filter(|market| {
        let mut dice = Dice::new(21, *market);
        let target = Target {
            cover: 0.2,
            ..Target::draw(&mut dice)
        };
        search(target, &mut dice, 40, 60)
            .expect("no rule refuses")
            .is_some_and(|best| best.gain.plan > 1.0)
    });
    let found = found.count();
    assert!(found > 15, "a profit in {found} of 60 markets");
}
