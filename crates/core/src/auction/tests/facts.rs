//! What an auction shows the circuit breaker.

use super::*;
use crate::breaker::BatchFacts;
use crate::standing::tiers::{Reserved, StandingClaim};
use crate::standing::Discount;

/// A claim with this much in its only tier, which has not joined.
fn standing(amount: Amount) -> StandingClaim {
    let tier = Reserved {
        discount: Discount::SHALLOWEST,
        amount,
        step: None,
    };
    StandingClaim {
        tiers: vec![tier],
        ..StandingClaim::default()
    }
}

#[test]
fn steps_are_silent_under_the_reference_until_the_first_bid() {
    let none = StandingClaim::default();
    let facts = |auction: &Auction, block| auction.facts(block, scale(), &none).unwrap();
    let mut auction = small();
    // 110 and 100 are not under the reference of 100; 98 and 90 are.
    let silent = |block| facts(&auction, block).silent_steps;
    assert_eq!(
        [0, 1, 2, 3, 4, 9].map(|b| silent(FIRST + b)),
        [0, 0, 0, 1, 2, 2]
    );
    bid(&mut auction, 400, 98, FIRST + 2);
    let shown = facts(&auction, FIRST + 4);
    let running = BatchFacts {
        asked: Amount::new(1_000_000_000),
        raised: Amount::ZERO,
        fair: Amount::ZERO,
        bad_debt: Amount::ZERO,
        silent_steps: 0,
    };
    assert_eq!(shown, running, "a bid joined at 98: none was silent");
    // Judged: 400 at 98 buy 4.081632, worth 408.1632 at the reference.
    auction.clear(FIRST + 4, scale()).unwrap();
    let judged = BatchFacts {
        raised: Amount::new(400_000_000),
        fair: Amount::new(408_163_200),
        ..running
    };
    assert_eq!(facts(&auction, FIRST + 4), judged);
    auction.settle().unwrap();
    assert_eq!(facts(&auction, FIRST + 99), judged);
}

/// Attack: an owner trips the breaker for silence while all the money that will buy waits for the
/// step of its discount.
#[test]
fn money_that_waits_for_its_step_is_no_silence_from_an_eighth_of_what_is_asked() {
    // A thousand are asked for; the steps at 98 and 90 are under the reference.
    let silent = |auction: &Auction, block, money| {
        let facts = auction.facts(block, scale(), &standing(money));
        facts.unwrap().silent_steps
    };
    let all = FIRST + 3;
    let eighth = Amount::new(125_000_000);
    let less = eighth.minus(Amount::new(1)).unwrap();
    let mut auction = small();
    assert_eq!(silent(&auction, all, Amount::ZERO), 1);
    assert_eq!(silent(&auction, all, less), 1);
    assert_eq!(silent(&auction, all, eighth), 0, "standing bids");
    bid(&mut auction, 100, 90, FIRST);
    assert_eq!(silent(&auction, all, Amount::ZERO), 1, "too little");
    bid(&mut auction, 25, 90, FIRST);
    assert_eq!(
        silent(&auction, all, Amount::ZERO),
        0,
        "bids of a later step"
    );
    // So they stay heard once they have joined, and once they have bought.
    assert_eq!(silent(&auction, all + 1, Amount::ZERO), 0);
    auction.clear(all + 1, scale()).unwrap();
    assert_eq!(silent(&auction, all + 1, Amount::ZERO), 0);
    auction.settle().unwrap();
    assert_eq!(silent(&auction, all + 1, Amount::ZERO), 0);
}

/// Standing money says something while it may join, and afterwards only if it did.
#[test]
fn standing_money_that_did_not_join_is_not_heard_afterwards() {
    let end = FIRST + 4;
    let mut auction = small();
    auction.clear(end, scale()).unwrap();
    let claim = standing(Amount::new(125_000_000));
    let silent = |auction: &Auction| auction.facts(end, scale(), &claim).unwrap().silent_steps;
    assert_eq!(silent(&auction), 2);
    auction.phase = Phase::Running;
    assert_eq!(silent(&auction), 0);
}

/// A tier that joins is one more bid of its step, and heard once: a sixteenth stays a sixteenth.
#[test]
fn standing_money_that_joins_is_heard_once() {
    for (part, steps) in [(16, 1), (8, 0)] {
        let mut auction = small();
        let money = Amount::new(1_000_000_000 / part);
        let mut claim = standing(money);
        let silent = |auction: &Auction, claim: &StandingClaim| {
            let facts = auction.facts(FIRST + 4, scale(), claim);
            facts.unwrap().silent_steps
        };
        claim.tiers[0].step = Some(3);
        auction.joined[3] = money;
        auction.reserved = money;
        assert_eq!(silent(&auction, &claim), steps);
        auction.clear(FIRST + 4, scale()).unwrap();
        assert_eq!(silent(&auction, &claim), steps);
    }
}

/// An auction whose ladder the market has left was ended for that, and not for want of bidders:
/// the evidence of a fall must not halt the auction that comes after it.
#[test]
fn an_auction_that_ended_for_another_reason_is_no_silence() {
    let end = FIRST + 4;
    let none = StandingClaim::default();
    let mut auction = small();
    assert_eq!(auction.facts(end, scale(), &none).unwrap().silent_steps, 2);
    let under = Price::new(80 * PRICE_ONE);
    auction.reprice(FIRST + 3, under, under, scale()).unwrap();
    auction.settle().unwrap();
    assert_eq!(auction.facts(end, scale(), &none).unwrap().silent_steps, 0);
}

/// Promise 1: what one batch was sized by is not counted for the next. Bids beyond that count, and
/// once it has been judged its bids alone.
#[test]
fn money_that_a_running_batch_was_sized_by_is_spoken_for() {
    let (tokens, none) = (
        |whole: u128| Amount::new(whole * 1_000_000),
        StandingClaim::default(),
    );
    let mut auction = small();
    let spoken = |auction: &Auction, claim: &StandingClaim| auction.spoken_for(FIRST, claim);
    assert_eq!(spoken(&auction, &none), Ok(tokens(1_500)));
    assert_eq!(spoken(&auction, &standing(tokens(600))), Ok(tokens(900)));
    // What insurance sells of its own was not sized by bidders' money.
    auction.own = tokens(400);
    assert_eq!(spoken(&auction, &none), Ok(tokens(900)));
    auction.own = Amount::ZERO;
    bid(&mut auction, 1_600, 90, FIRST);
    assert_eq!(spoken(&auction, &none), Ok(tokens(1_600)));
    assert_eq!(spoken(&auction, &standing(tokens(600))), Ok(tokens(1_600)));
    auction.targets = vec![tokens(4_000); 4];
    assert_eq!(spoken(&auction, &none), Ok(tokens(6_000)));
    // Nobody can bid in a halt, nor after the last step, however late it is judged.
    let halted = Clock {
        stands: true,
        ..Clock::from(FIRST)
    };
    assert_eq!(auction.spoken_for(halted, &none), Ok(tokens(1_600)));
    assert_eq!(auction.spoken_for(FIRST + 4, &none), Ok(tokens(1_600)));
    auction.clear(FIRST + 4, scale()).unwrap();
    assert_eq!(spoken(&auction, &none), Ok(tokens(1_600)));
}

#[test]
fn an_auction_nobody_came_to_shows_all_steps_under_the_reference() {
    let mut auction = small();
    auction.clear(FIRST + 4, scale()).unwrap();
    let shown = auction
        .facts(FIRST + 4, scale(), &StandingClaim::default())
        .unwrap();
    assert_eq!(
        (shown.silent_steps, shown.raised, shown.fair),
        (2, Amount::ZERO, Amount::ZERO)
    );
}

/// Numbers at the end of their range are refused, and nothing panics.
#[test]
fn money_beyond_the_range_is_refused() {
    let overflow = Err(AuctionError::Math(MathError::Overflow));
    let most = Amount::new(u128::MAX);
    let mut auction = small();
    let limit = Price::new(110 * PRICE_ONE);
    let place = |a: &mut Auction| a.place(most, limit, Block::MAX, FIRST - 1, scale());
    assert_eq!(place(&mut auction), Ok(0));
    assert_eq!(place(&mut auction), overflow);
    auction.joined[0] = most.minus(Amount::new(1)).unwrap();
    auction.joined[1] = most;
    auction.targets = vec![most; 4];
    assert_eq!(
        auction.clear(FIRST + 4, scale()).map(|_| ()),
        overflow.map(|_: u8| ())
    );
    assert!(auction.status(FIRST + 4, scale()).is_err());
    let mut tiny = small();
    tiny.prices = vec![Price::new(1); 4];
    tiny.targets = vec![most; 4];
    tiny.joined = vec![most, Amount::ZERO, Amount::ZERO, Amount::ZERO];
    assert!(
        tiny.clear(FIRST + 4, scale()).is_err(),
        "more than there are units"
    );
}
