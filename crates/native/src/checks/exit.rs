//! The way out, for everybody (promises 6 and 8; I-23, I-42, I-46, I-47).

use super::books::balances;
use crate::acts::{Cast, FIRST_PRICE};
use crate::{Answer, Message, Native};
use breakwater_core::auction::LONGEST_HALT;
use breakwater_core::ledger::LedgerError;
use breakwater_core::units::Amount;
use breakwater_core::wind_down::Collected;
use breakwater_interfaces::vault::VaultError;
use breakwater_interfaces::AccountId;
use scale::{Decode, Encode};

/// More quote than anybody owes: who lacks the money to repay is given it.
const GIFT: Amount = Amount::new(1 << 80);

/// Calls of `sync` or `rest` after which there must be nothing left to do.
const ENOUGH: usize = 1_000;

/// What the contracts hold after everybody has gone, besides insurance and the reserve's part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Units of quote.
    pub quote: u128,
    /// Units of collateral.
    pub collateral: u128,
}

#[track_caller]
fn done(n: &mut Native, who: AccountId, message: &Message) -> Answer {
    let answer = n.send(who, message);
    let error = &answer.bytes;
    assert!(answer.done, "promise 6: {message:?} refused: {error:?}");
    answer
}

/// Repeats a call that does a bounded part of the work until it says that all is done.
fn until_done(n: &mut Native, message: &Message) {
    let anyone = n.at.guardian;
    let finished = (0..ENOUGH).any(|_| done(n, anyone, message).bytes == true.encode());
    assert!(finished, "promise 8: no end of {message:?}");
}

/// I-46, I-47: an owner repays all, withdraws all, and nothing is left. What is in a running batch
/// stays there.
fn leave(n: &mut Native, owner: AccountId) {
    until_done(n, &Message::Sync { owner, moves: 8 });
    n.tokens.mint(n.at.quote, owner, GIFT);
    let amount = Amount::new(u128::MAX);
    let repaid = n.send(owner, &Message::Repay { owner, amount });
    if !repaid.done {
        let error = VaultError::decode(&mut &repaid.bytes[..]);
        let nothing = matches!(error, Ok(VaultError::Ledger(LedgerError::NothingOwed)));
        assert!(nothing, "I-46: repaying all is refused: {error:?}");
    }
    let view = n
        .position_at(owner, FIRST_PRICE)
        .expect("a view after sync");
    if view.batch.is_some() {
        return;
    }
    n.send(owner, &Message::Reclaim);
    let position = n.vault.position(owner);
    assert!(position.pooled.is_none(), "I-46: owes after repaying all");
    let amount = position.collateral;
    if !amount.is_zero() {
        done(n, owner, &Message::Withdraw { amount });
    }
    assert!(n.vault.position(owner).is_empty(), "I-47: not all is out");
}

/// Ends a history, with a dead oracle from now on. First every debtor outside batches leaves; then
/// batches end by anyone's calls, bids and tiers are claimed, the others leave, lenders are paid.
///
/// # Panics
/// Where somebody does not get out, or the contracts hold other than what they owe on the way.
#[must_use]
pub fn everybody_leaves(mut n: Native, cast: &Cast) -> Left {
    n.oracle.quote = None;
    for owner in &cast.users {
        leave(&mut n, *owner);
    }
    balances(&n);
    // Longer than any ladder, and than any halt that a batch survives.
    n.pass(LONGEST_HALT + 400, 6_000);
    let anyone = cast.users[0];
    for batch in n.running() {
        let settled = n.send(anyone, &Message::Settle { batch });
        assert!(settled.done, "promise 8: batch {batch} does not end");
    }
    let batches: Vec<u32> = n.vault.cells.batches.keys().copied().collect();
    for batch in batches {
        until_done(&mut n, &Message::Rest { batch, cells: 8 });
    }
    bidders(&mut n, cast);
    for owner in &cast.users {
        leave(&mut n, *owner);
    }
    balances(&n);
    lenders(&mut n, cast);
    balances(&n);
    let state = n.accounting().expect("in range").state;
    let reserve = state.lender_value(state.reserve_shares, Collected::default());
    let kept = state.insurance.get() + reserve.expect("in range").get();
    let held = |token, contract| n.tokens.held(token, contract).get();
    let (at, cash) = (n.at, held(n.at.quote, n.at.vault));
    Left {
        quote: cash.saturating_sub(kept) + held(at.quote, at.auction),
        collateral: held(at.collateral, at.vault) + held(at.collateral, at.auction),
    }
}

/// Every bid, tier, reward and balance is paid out.
fn bidders(n: &mut Native, cast: &Cast) {
    let bids = n.house.bids.iter();
    let bids: Vec<_> = bids.map(|(key, bid)| (*key, bid.bidder)).collect();
    for ((batch, bid), bidder) in bids {
        let bids = vec![bid];
        done(n, bidder, &Message::Claim { batch, bids });
    }
    let stakes: Vec<_> = n.house.stakes.keys().copied().collect();
    for (discount, owner) in stakes {
        let percent = discount.percent();
        let worth = n.stake_of(owner, percent).expect("a worth");
        if !worth.standing.is_zero() {
            let amount = Amount::new(u128::MAX);
            done(n, owner, &Message::Unstand { percent, amount });
        }
        n.send(owner, &Message::ClaimStanding { percent });
        let worth = n.stake_of(owner, percent).expect("a worth");
        assert!(worth.standing.is_zero(), "promise 6: a tier keeps money");
    }
    for owner in &cast.users {
        if n.vault.rewards.contains_key(owner) {
            done(n, *owner, &Message::ClaimReward);
        }
        let amount = n.house.balance(*owner);
        if !amount.is_zero() {
            done(n, *owner, &Message::Defund { amount });
        }
    }
}

/// Every lender is paid what its shares are worth, whoever comes last.
fn lenders(n: &mut Native, cast: &Cast) {
    for owner in &cast.users {
        let shares = n.vault.shares_of(*owner);
        let worth = n.lender(*owner).expect("a worth").1;
        if shares.is_zero() || worth.is_zero() {
            continue;
        }
        if n.vault.state.wind_down.is_some() {
            n.send(*owner, &Message::Collect { in_kind: false });
            n.send(*owner, &Message::Collect { in_kind: true });
            continue;
        }
        let paid = done(n, *owner, &Message::Redeem { shares }).bytes;
        assert_eq!(paid, worth.encode(), "promise 10: paid what it is worth");
    }
}
