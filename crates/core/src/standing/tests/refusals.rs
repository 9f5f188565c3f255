//! What a tier refuses, and the edges of what it takes.

use super::pool::{Fine, MOST_QUOTE};
use super::seen::fresh_for;
use super::*;
use scale::{Decode, Encode};

#[test]
fn tiers_are_two_to_thirty_per_cent() {
    for percent in 0..=255 {
        let is_tier = (2..=30).contains(&percent);
        assert_eq!(
            Discount::from_percent(percent).is_ok(),
            is_tier,
            "{percent}"
        );
    }
    let refused = Discount::from_percent(31);
    assert_eq!(refused, Err(StandingError::NoSuchTier));
    let deepest = |bps| Discount::deepest_over(Ratio::from_bps(bps)).percent();
    assert_eq!(deepest(9_000), 10, "its price is at the floor");
    assert_eq!(deepest(9_001), 9);
    assert_eq!(deepest(9_999), 2, "never shallower than the shallowest");
    assert_eq!(deepest(100), 30, "never deeper than the deepest");
    assert_eq!(deepest(20_000), 2);
}

#[test]
fn amounts_are_refused_by_the_rule_they_break() {
    let (at, files) = (tier(5), Files::default());
    let mut standing = Standing::default();
    let mut account = Account::default();
    let stand =
        |s: &mut Standing, a: &mut Account, amount| s.stand(a, at, amount, 1, &files).map(|_| ());
    let unstand = |s: &mut Standing, a: &mut Account, amount| {
        s.unstand(a, at, amount, 1, &files).map(|(paid, _)| paid)
    };
    let none = Err(StandingError::NothingAsked);
    assert_eq!(stand(&mut standing, &mut account, Amount::ZERO), none);
    let gone = unstand(&mut standing, &mut account, tokens(1));
    assert_eq!(gone, Err(StandingError::NoSuchTier));
    let over = MOST_QUOTE.plus(Amount::new(1)).unwrap();
    let full = Err(StandingError::TierFull);
    assert_eq!(
        stand(&mut standing.clone(), &mut account.clone(), over),
        full
    );
    assert_eq!(stand(&mut standing, &mut account, MOST_QUOTE), Ok(()));
    assert_eq!(
        stand(&mut standing.clone(), &mut account.clone(), Amount::new(1)),
        full
    );
    let nothing = unstand(&mut standing, &mut account, Amount::ZERO);
    assert_eq!(nothing, Err(StandingError::NothingAsked));
    let more = unstand(&mut standing.clone(), &mut account.clone(), over);
    assert_eq!(more, Err(StandingError::NotEnough));
    let unclaimed = standing.clone().claim(&mut account.clone(), at, &files);
    assert_eq!(unclaimed.err(), Some(StandingError::NothingToClaim));
    assert_eq!(
        unstand(&mut standing, &mut account, MOST_QUOTE),
        Ok(MOST_QUOTE)
    );
}

#[test]
fn an_auction_that_is_not_settled_gives_its_tiers_nothing() {
    let mut market = Market::default();
    market.stand(tier(5), 1, tokens(1_000), 1);
    let (mut auction, claim) = market.open(10, tokens(500));
    assert_eq!(claim.total().unwrap(), tokens(500), "no more than is asked");
    assert_eq!(claim.joined().unwrap(), Amount::ZERO);
    let refused = market.standing.settle(&claim, &mut auction, 11, scale());
    let error = StandingError::Auction(AuctionError::NotSettled);
    assert_eq!(refused.err(), Some(error));
}

#[test]
fn an_age_counts_in_whole_blocks_of_six_seconds_and_one_at_least() {
    assert_eq!(fresh_for(0), 1);
    assert_eq!(fresh_for(5_999), 1);
    assert_eq!(fresh_for(3_600_000), 600);
    assert_eq!(fresh_for(u64::MAX), Block::MAX);
}

/// Money of a tier is free for new batches until somebody has waited for a notice period: from
/// that very block on it is not.
#[test]
fn whoever_waits_for_a_notice_period_ends_new_reservations() {
    let mut market = Market::default();
    market.stand(tier(5), 1, tokens(1_000), 1);
    market.open(10, tokens(400));
    assert_eq!(market.unstand(tier(5), 1, tokens(10), 20), Amount::ZERO);
    let free = |block| market.standing.tier(tier(5)).unwrap().free(block);
    let ripe = 20 + depth::NOTICE;
    assert_eq!(free(ripe - 1), tokens(600));
    assert_eq!(free(ripe), Amount::ZERO);
}

/// A tier that brings exactly the least budget joins a batch, one that brings a unit less is left
/// alone.
#[test]
fn a_tier_of_exactly_the_least_budget_joins() {
    let least = auction(10, tokens(500)).least_budget(scale()).unwrap();
    let reserved = |amount| {
        let mut market = Market::default();
        market.stand(tier(5), 1, amount, 1);
        let (mut auction, mut claim) = market.open(10, tokens(500));
        let total = claim.total().unwrap();
        assert_eq!(claim.waits(), !total.is_zero());
        clear(&mut auction, &mut claim, &[seen(9, 100)], over(10)).unwrap();
        assert!(!claim.waits(), "it has joined");
        total
    };
    assert_eq!(reserved(least), least);
    let under = least.minus(Amount::new(1)).unwrap();
    assert_eq!(reserved(under), Amount::ZERO);
}

/// A cell is removed when nothing is left in it, and not while a unit of anything is: who is owed
/// only collateral, or only waits, is not forgotten.
#[test]
fn an_account_is_kept_while_anything_is_left_in_it() {
    assert!(Account::default().is_empty());
    let left: [fn(&mut Account); 5] = [
        |a| a.stake.shares = Shares::new(1),
        |a| a.leaving.shares = Shares::new(1),
        |a| a.waiting = Amount::new(1),
        |a| a.payable = Amount::new(1),
        |a| a.collateral = Fine::decode(&mut (1u128, 0u128).encode().as_slice()).unwrap(),
    ];
    for (number, leave) in left.into_iter().enumerate() {
        let mut account = Account::default();
        leave(&mut account);
        assert!(!account.is_empty(), "{number}");
    }
}
