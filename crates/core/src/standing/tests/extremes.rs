//! Numbers at the end of their range in a tier and in an account: each message calculates or
//! refuses, and what it does not refuse creates no unit and loses none.

use super::pool::{Fine, MOST_QUOTE};
use super::*;
use scale::{Decode, Encode};

const AT: u8 = 5;
const BLOCK: Block = 30;

fn fine(n: u128) -> Fine {
    Fine::decode(&mut (n, n).encode().as_slice()).unwrap()
}

/// A tier whose money is in a running batch, with somebody who waits and somebody who leaves,
/// and the same tier idle.
fn markets() -> Vec<(Market, Auction, StandingClaim)> {
    let mut market = Market::default();
    market.stand(tier(AT), 1, tokens(1_000), 1);
    market.stand(tier(AT), 2, tokens(500), 1);
    let idle = market.clone();
    let (mut auction, mut claim) = market.open(10, tokens(900));
    market.stand(tier(AT), 1, tokens(70), 11);
    market.unstand(tier(AT), 2, tokens(200), 12);
    let seen = [seen(9, 100)];
    clear(&mut auction, &mut claim, &seen, over(10)).unwrap();
    auction.settle().unwrap();
    let mut turned = market.clone();
    turned
        .standing
        .settle(&claim, &mut auction, over(10), scale())
        .unwrap();
    vec![
        (idle, auction.clone(), StandingClaim::default()),
        (market, auction.clone(), claim),
        (turned, auction, StandingClaim::default()),
    ]
}

type Change = fn(&mut Tier, &mut Account, u128);

const CHANGES: [Change; 18] = [
    |_, _, _| {},
    |t, _, n| t.pool.quote = Amount::new(n),
    |t, _, n| t.pool.shares = Shares::new(n),
    |t, _, n| t.pool.mark.each = fine(n),
    |t, _, n| t.pool.mark.series = u32::try_from(n).unwrap_or(u32::MAX),
    |t, _, n| t.reserved = Amount::new(n),
    |t, _, n| t.waiting = Amount::new(n),
    |t, _, n| t.leaving = Shares::new(n),
    |t, _, n| t.payable = Amount::new(n),
    |t, _, n| t.collateral = Amount::new(n),
    |t, _, n| t.generation = u32::try_from(n).unwrap_or(u32::MAX),
    |_, a, n| a.stake.shares = Shares::new(n),
    |_, a, n| a.stake.since.each = fine(n),
    |_, a, n| a.leaving.shares = Shares::new(n),
    |_, a, n| a.waiting = Amount::new(n),
    |_, a, n| a.payable = Amount::new(n),
    |_, a, n| a.collateral = fine(n),
    |t, _, n| {
        if let Some(turn) = &mut t.turned {
            turn.minted = Shares::new(n);
            turn.paid = Amount::new(n);
        }
    },
];

const NUMBERS: [u128; 7] = [0, 1, 1 << 64, 1 << 92, 1 << 120, u128::MAX >> 1, u128::MAX];

/// Quote that a message brought in and paid out.
type Moved = Result<(Amount, Amount), StandingError>;
type Act = fn(&mut Standing, &mut Account, &mut (Auction, StandingClaim), &Files) -> Moved;

fn stand(standing: &mut Standing, account: &mut Account, amount: Amount, files: &Files) -> Moved {
    standing.stand(account, tier(AT), amount, BLOCK, files)?;
    Ok((amount, Amount::ZERO))
}

fn unstand(standing: &mut Standing, account: &mut Account, amount: Amount, files: &Files) -> Moved {
    let (paid, _) = standing.unstand(account, tier(AT), amount, BLOCK, files)?;
    Ok((Amount::ZERO, paid))
}

const ACTS: [Act; 8] = [
    |s, a, _, f| stand(s, a, tokens(1), f),
    |s, a, _, f| stand(s, a, MOST_QUOTE, f),
    |s, a, _, f| unstand(s, a, Amount::new(1), f),
    |s, a, _, f| unstand(s, a, tokens(300), f),
    |s, a, _, f| {
        let (payout, _) = s.claim(a, tier(AT), f)?;
        Ok((Amount::ZERO, payout.quote))
    },
    |s, _, (auction, claim), _| {
        let fill = s.settle(claim, auction, BLOCK, scale())?;
        Ok((Amount::ZERO, fill.spent))
    },
    |s, _, (_, claim), _| s.release(claim, BLOCK).map(|_| Default::default()),
    |s, a, (auction, _), f| {
        s.worth(a, tier(AT), f)?;
        s.affordable(Ratio::from_bps(9_000), BLOCK)?;
        s.depth(tier(30), BLOCK)?;
        s.reserve(auction, &terms(100), None, BLOCK, scale())?;
        Ok(Default::default())
    },
];

/// I-49, promise 9: whatever a tier and an account hold.
#[test]
fn no_number_in_a_tier_panics_and_no_unit_appears_or_is_lost() {
    let (mut done, mut refused) = (0, 0);
    let mut pair = 0;
    for (market, auction, claim) in markets() {
        for first in CHANGES {
            for second in CHANGES {
                for number in NUMBERS {
                    pair += 1;
                    for who in [1, 2] {
                        let mut changed = market.clone();
                        let mut account = changed.account(tier(AT), who);
                        let held = changed.standing.tiers.first_mut().unwrap();
                        first(held, &mut account, number);
                        second(held, &mut account, NUMBERS[pair % NUMBERS.len()]);
                        for act in ACTS {
                            let mut standing = changed.standing.clone();
                            let before = standing.tiers[0].held();
                            let mut batch = (auction.clone(), claim.clone());
                            let files = &changed.files[&tier(AT)];
                            let moved = act(&mut standing, &mut account.clone(), &mut batch, files);
                            let Ok((came, went)) = moved else {
                                refused += 1;
                                continue;
                            };
                            done += 1;
                            let after = standing.tiers[0].held();
                            if let (Ok(before), Ok(after)) = (before, after) {
                                assert_eq!(before.plus(came), after.plus(went));
                            }
                        }
                    }
                }
            }
        }
    }
    assert!(done > 10_000 && refused > 10_000, "{done} {refused}");
}

/// The records of an ended series and of a turn have to be brought; a claim without them is
/// refused by name and leaves the account as it was.
#[test]
fn a_record_that_is_not_brought_is_asked_for() {
    let (market, _, _) = markets().pop().unwrap();
    let mut standing = market.standing.clone();
    let tier = standing.tiers.first_mut().unwrap();
    tier.generation += 1;
    tier.file();
    for who in [1, 2] {
        let mut account = market.account(super::tier(AT), who);
        let before = account;
        let none = Files::default();
        let missing = Err(StandingError::RecordMissing);
        let claimed = standing.claim(&mut account, super::tier(AT), &none);
        assert_eq!(claimed.map(|(payout, _)| payout), missing);
        assert_eq!(account, before);
        let worth = standing.worth(&account, super::tier(AT), &none);
        assert_eq!(worth.err(), Some(StandingError::RecordMissing));
    }
}
