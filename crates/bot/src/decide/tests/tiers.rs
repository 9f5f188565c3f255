//! What a depth bot keeps in tiers.

use super::*;

/// A view with so much (whole quote) standing in the tiers of 5 and 10 per cent.
fn standing(five: u128, ten: u128) -> View {
    let worth = |whole| Worth {
        standing: quote(whole),
        ..Worth::default()
    };
    let mut view = view(102);
    view.stakes = vec![(5, worth(five)), (10, worth(ten))];
    view
}

/// What the example's depth role (2 000 at 5 per cent, 4 000 at 10) does without a bidder beside it.
fn deepen(view: &View, stood_today: u128) -> (Vec<Action>, Vec<Refusal>) {
    let config = config().depth.unwrap();
    let none = Decimal::default();
    let decision = depth::decide(
        &config,
        view,
        none,
        quote(stood_today),
        view.own_price.is_some(),
    );
    (decision.actions, decision.refusals)
}

fn stand(percent: u8, whole: u128) -> Action {
    Action::Stand {
        percent,
        amount: quote(whole),
    }
}

#[test]
fn tiers_are_filled_up_to_what_is_wished_and_money_that_waits_counts() {
    let full = standing(2_000, 4_000);
    assert_eq!(deepen(&full, 0), (vec![], vec![]));
    let spent = standing(1_500, 4_000);
    assert_eq!(deepen(&spent, 0), (vec![stand(5, 500)], vec![]));
    // Under the least change.
    assert_eq!(deepen(&standing(1_901, 4_000), 0), (vec![], vec![]));
    let mut entering = standing(1_500, 4_000);
    entering.stakes[0].1.waiting = quote(500);
    assert_eq!(deepen(&entering, 0), (vec![], vec![]));
    // What is leaving is not there any more.
    let mut leaving = standing(1_500, 4_000);
    leaving.stakes[0].1.leaving = quote(500);
    assert_eq!(deepen(&leaving, 0), (vec![stand(5, 500)], vec![]));
}

#[test]
fn what_is_not_free_is_deposited_first_and_never_what_the_bidder_keeps() {
    let mut view = standing(0, 4_000);
    (view.free, view.quote) = (quote(500), quote(10_000));
    let deposit = |whole| Action::Deposit(quote(whole));
    assert_eq!(
        deepen(&view, 0),
        (vec![deposit(1_500), stand(5, 2_000)], vec![])
    );
    let config = config().depth.unwrap();
    let kept = Decimal::parse("400").unwrap();
    let decision = depth::decide(&config, &view, kept, Amount::ZERO, false);
    assert_eq!(decision.actions, [deposit(1_900), stand(5, 2_000)]);
    // As much as there is, in the order of the configuration.
    let mut poor = standing(0, 0);
    (poor.free, poor.quote) = (quote(1_000), quote(1_050));
    assert_eq!(
        deepen(&poor, 0),
        (
            vec![deposit(1_000), stand(5, 2_000)],
            vec![Refusal::NoFunds]
        )
    );
}

#[test]
fn a_crash_that_eats_tiers_costs_at_most_the_limit_of_a_day() {
    let empty = standing(0, 0);
    assert_eq!(
        deepen(&empty, 0),
        (vec![stand(5, 2_000), stand(10, 4_000)], vec![])
    );
    assert_eq!(
        deepen(&empty, 3_500),
        (vec![stand(5, 2_000), stand(10, 500)], vec![])
    );
    let (actions, refusals) = deepen(&empty, 6_000);
    assert_eq!(actions, []);
    assert_eq!(refusals, [Refusal::LimitReached; 2]);
}

#[test]
fn nothing_is_added_at_a_doubtful_price_but_claims_and_exits_go_on() {
    let mut view = standing(3_000, 0);
    view.stakes[1].1.collateral = Amount::new(500_000_000_000_000_000);
    let always = vec![
        Action::Unstand {
            percent: 5,
            amount: quote(1_000),
        },
        Action::ClaimStanding { percent: 10 },
    ];
    let add = [always.clone(), vec![stand(10, 4_000)]].concat();
    assert_eq!(deepen(&view, 0), (add.clone(), vec![]));
    // Four per cent from the oracle's 200 are allowed.
    view.own_price = Some(at(208));
    assert_eq!(deepen(&view, 0), (add, vec![]));
    view.own_price = Some(at(209));
    assert_eq!(
        deepen(&view, 0),
        (always.clone(), vec![Refusal::AbsurdPrice])
    );
    view.own_price = None;
    let config = config().depth.unwrap();
    let silent = depth::decide(&config, &view, Decimal::default(), Amount::ZERO, true);
    assert_eq!(silent.actions, always);
    assert_eq!(silent.refusals, [Refusal::NoPrice]);
    view.prices.as_mut().unwrap().age = 3_600_001;
    assert_eq!(deepen(&view, 0), (always, vec![Refusal::StaleOracle]));
}
