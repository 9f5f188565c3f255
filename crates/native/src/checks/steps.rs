//! What one step may have changed.

use crate::acts::Cast;
use crate::{Answer, Message, Native};
use breakwater_core::auction::{Phase, Stage as Shown};
use breakwater_core::breaker::Stage;
use breakwater_core::math::Rounding;
use breakwater_core::position::{PositionView, Status};
use breakwater_core::units::{Amount, Price};
use breakwater_interfaces::auction::AuctionRecord;
use breakwater_interfaces::AccountId;

/// Everything that must hold of a message and what it did.
///
/// # Panics
/// Where it does not.
pub fn after_message(
    before: &Native,
    who: AccountId,
    message: &Message,
    answer: &Answer,
    after: &Native,
    cast: &Cast,
) {
    if !answer.done {
        assert!(
            !always_taken(before, who, message),
            "promise 6: {message:?} refused"
        );
        return;
    }
    stage(before, message);
    terms(before, message, after);
    openings(before, message, after, cast);
    clearings(before, after);
    others(before, who, message, after, cast);
    own(before, who, message, after);
    lenders(before, message, after);
    rounds(before, after);
}

/// I-45: a clock that stands shows the same price later.
///
/// # Panics
/// Where it does not.
pub fn after_time(before: &Native, after: &Native) {
    for number in before.running() {
        let (Some(was), Some(is)) = (before.status(number), after.status(number)) else {
            continue;
        };
        let order = |shown: Shown| match shown {
            Shown::Announced => 0,
            Shown::Bidding | Shown::Halted => 1,
            Shown::Ended => 2,
            Shown::Cleared => 3,
            Shown::Settled => 4,
        };
        if was.clock.stands && is.clock.expired_at.is_none() {
            assert_eq!(was.price, is.price, "I-45: a halted clock went on");
        }
        if was.stage != Shown::Halted {
            assert!(order(is.stage) >= order(was.stage), "I-22: time goes back");
        }
        assert!(is.price <= was.price, "I-11: a price rose with time");
    }
}

fn always_taken(n: &Native, who: AccountId, message: &Message) -> bool {
    match message {
        // A position that slept through more than a call follows needs `sync` first, even so a
        // deposit is taken.
        Message::Deposit { amount } => {
            !amount.is_zero() && *amount <= n.tokens.held(n.at.collateral, who)
        }
        Message::Defund { amount } => !amount.is_zero() && *amount <= n.house.balance(who),
        Message::Fund { amount } => !amount.is_zero() && *amount <= n.tokens.held(n.at.quote, who),
        Message::ClaimReward => n.vault.rewards.contains_key(&who),
        _ => false,
    }
}

/// I-43: the table of stages, written down once more.
fn stage(n: &Native, message: &Message) {
    let stage = n.vault.state.stage.max(n.vault.stage);
    let least = match message {
        Message::Borrow { .. } | Message::DepositAndBorrow { .. } | Message::Extend { .. } => {
            Stage::NoNewRisk
        }
        Message::OpenBatch => Stage::NoReauction,
        Message::Bid { .. } | Message::Leave { .. } | Message::Reprice { .. } => Stage::Halted,
        _ => return,
    };
    assert!(stage < least, "I-43: {message:?} in stage {stage:?}");
    let house = (n.house.breaker.breaker.stage, n.house.global.breaker.stage);
    assert_eq!(house, (n.vault.state.stage, n.vault.stage), "stages told");
}

/// Promise 7 (I-11, I-12, I-13, I-16, I-22): terms are frozen, ladders fall from start to floor,
/// phases go one way.
fn terms(before: &Native, message: &Message, after: &Native) {
    for (number, is) in &after.house.auctions {
        let Some(was) = before.house.auctions.get(number) else {
            let prices = &is.auction.prices;
            assert!(prices.windows(2).all(|pair| pair[0] >= pair[1]), "I-11");
            assert!(prices.last().is_some_and(|floor| !floor.is_zero()), "I-13");
            assert_eq!(is.auction.phase, Phase::Running, "I-22");
            let targets = &is.auction.targets;
            assert!(targets.windows(2).all(|pair| pair[0] >= pair[1]), "T rises");
            continue;
        };
        let frozen = |record: &AuctionRecord| {
            let auction = &record.auction;
            let (schedule, opened) = (auction.schedule, auction.opened);
            (schedule, opened, auction.reference, auction.reserve)
        };
        assert!(
            frozen(was) == frozen(is) && was.auction.prices == is.auction.prices,
            "I-16: terms changed by {message:?}"
        );
        let targets = was.auction.targets == is.auction.targets;
        let may = matches!(message, Message::Extend { .. } | Message::Leave { .. });
        assert!(targets || may, "I-16: targets changed by {message:?}");
        let order = |record: &AuctionRecord| match record.auction.phase {
            Phase::Running => 0,
            Phase::Cleared(_) => 1,
            Phase::Settled(_) => 2,
        };
        assert!(order(is) >= order(was), "I-22");
    }
    for number in before.house.auctions.keys() {
        assert!(
            after.house.auctions.contains_key(number),
            "I-22: one is gone"
        );
    }
}

fn view(n: &Native, owner: AccountId, price: Price) -> Option<PositionView> {
    n.position_at(owner, price).ok()
}

/// Promise 5 (I-29, I-35, I-37): who enters a batch was liquidatable at both of the last two
/// rounds, the later of which is of an earlier block and not too old.
fn openings(before: &Native, message: &Message, after: &Native, cast: &Cast) {
    if !matches!(message, Message::OpenBatch | Message::Extend { .. }) {
        return;
    }
    let prices = before.market_prices().expect("I-37: opened by a price");
    assert!(prices.accepted_in < before.block, "I-35: too fresh");
    let max_age = before.vault.market.params.max_price_age;
    assert!(prices.age <= max_age, "I-37: a stale price opened a batch");
    for (number, record) in &after.house.auctions {
        if before.house.auctions.contains_key(number) {
            continue;
        }
        let (auction, batch) = (&record.auction, &after.vault.cells.batches[number]);
        assert_eq!(batch.reference, prices.best(), "promise 5: judged at it");
        assert_eq!(auction.reference, prices.spot, "the opening reference");
        let start = prices.spot.max(prices.twap);
        assert!(auction.prices[0] >= start, "I-13: starts under the price");
    }
    for owner in &cast.users {
        let (Some(was), Some(is)) = (
            view(before, *owner, prices.best()),
            view(after, *owner, prices.best()),
        ) else {
            continue;
        };
        if is.status == Status::InBatch && was.status != Status::InBatch {
            assert!(
                was.status.is_liquidatable(),
                "I-29: a healthy one was taken"
            );
        }
    }
}

/// Promises 2 and 3 (I-13 to I-17): one price of the ladder that was reached; nobody pays above a
/// limit, spends for nothing, or gets other than what the price gives.
fn clearings(before: &Native, after: &Native) {
    for (number, is) in &after.house.auctions {
        let was = before.house.auctions.get(number);
        let phase = |record: &AuctionRecord| matches!(record.auction.phase, Phase::Settled(_));
        let Phase::Settled(clearing) = is.auction.phase else {
            continue;
        };
        if was.is_some_and(phase) {
            continue;
        }
        let (step, scale) = (usize::from(clearing.step), after.house.market.scale);
        if clearing.raised.is_zero() {
            assert!(clearing.sold.is_zero(), "I-13: sold for nothing");
        } else {
            assert_eq!(is.auction.prices[step], clearing.price, "I-16");
            assert!(
                clearing.step <= clearing.ended_at,
                "I-16: a step not reached"
            );
            assert!(clearing.raised <= is.auction.targets[step], "I-18");
            assert_eq!(
                scale.quantity(clearing.raised, clearing.price, Rounding::Down),
                Ok(clearing.sold),
                "I-17"
            );
        }
        let mut then = is.auction.clone();
        let (mut spent, mut received) = (Amount::ZERO, Amount::ZERO);
        let bids = after.house.bids.range((*number, 0)..=(*number, u32::MAX));
        let most = bids.clone().count() as u128 + 1;
        for (_, bid) in bids {
            let fill = then.claim(bid.budget, bid.step, scale).expect("settled");
            assert!(fill.spent <= bid.budget, "I-25: more than its budget");
            assert_eq!(
                fill.spent.plus(fill.refunded),
                Ok(bid.budget),
                "I-25: spent and refunded"
            );
            let for_nothing = !fill.spent.is_zero() && fill.received.is_zero();
            assert!(!for_nothing, "promise 3: for nothing");
            if !fill.spent.is_zero() {
                assert!(clearing.price <= bid.limit, "I-14: above its limit");
                let fair = scale.quantity(fill.spent, clearing.price, Rounding::Down);
                let fair = fair.expect("in range").get();
                let off = fair.abs_diff(fill.received.get());
                // One unit of quote buys so many of collateral. Payments of the marginal step are
                // rounded up one by one, which leaves as many units less for those who claim last
                // (docs/decisions/0003-rounding-at-the-margin.md).
                let unit = scale.quantity(Amount::new(1), clearing.price, Rounding::Up);
                let unit = unit.expect("in range").get();
                assert!(off <= most * unit + 2, "I-15: another price: {off} off");
            }
            spent = spent.plus(fill.spent).expect("in range");
            received = received.plus(fill.received).expect("in range");
        }
        assert!(spent <= clearing.raised, "I-06: more spent than raised");
        assert!(received <= clearing.sold, "I-17: more received than sold");
    }
}

/// I-31 and I-48: nobody else's tokens move, and nobody else's message makes a position worse, but
/// for dust: a move of a cohort rounds each member's shares by up to one, a share is worth one unit
/// at most, and the last member has what the others' rounding left (and owes it) until company
/// comes, with whom it is shared. A cohort moves at most twice a batch.
fn others(before: &Native, who: AccountId, message: &Message, after: &Native, cast: &Cast) {
    let quiet = !matches!(
        message,
        Message::Submit { .. }
            | Message::OpenBatch
            | Message::Extend { .. }
            | Message::Settle { .. }
            | Message::TakeInKind { .. }
            | Message::ApplyParams
    );
    let price = before.read().map(|reading| reading.round.price);
    let moves = 2 * u128::from(before.vault.state.batches) + 1;
    let dust = 1 + cast.users.len() as u128 * moves;
    for owner in cast.users.iter().filter(|owner| **owner != who) {
        for token in [before.at.collateral, before.at.quote] {
            let (had, has) = (
                before.tokens.held(token, *owner),
                after.tokens.held(token, *owner),
            );
            assert_eq!(had, has, "I-48: {message:?} moved somebody else's tokens");
        }
        let Ok(price) = price else { continue };
        let (Some(was), Some(is)) = (view(before, *owner, price), view(after, *owner, price))
        else {
            continue;
        };
        if quiet && was.batch == is.batch {
            let debt = is.debt.get() <= was.debt.get() + dust;
            let collateral = is.collateral.get() + dust >= was.collateral.get();
            assert!(
                debt && collateral,
                "I-31: {message:?} made a position worse: {was:?} to {is:?}"
            );
        }
    }
}

/// I-30, I-34, I-36: after one's own message the initial margin, the least debt and the caps hold.
fn own(before: &Native, who: AccountId, message: &Message, after: &Native) {
    let params = &after.vault.market.params;
    let lowers = matches!(
        message,
        Message::Borrow { .. }
            | Message::DepositAndBorrow { .. }
            | Message::Withdraw { .. }
            | Message::RepayAndWithdraw { .. }
    );
    let borrows = matches!(
        message,
        Message::Borrow { .. } | Message::DepositAndBorrow { .. }
    );
    if lowers {
        let position = after.vault.position(who);
        if position.pooled.is_some() {
            let low = after
                .market_prices()
                .expect("I-37: judged by a price")
                .low();
            let is = view(after, who, low).expect("a view");
            let repaid = matches!(message, Message::RepayAndWithdraw { withdraw, .. }
                if withdraw.is_zero());
            if !repaid && is.status != Status::InBatch {
                assert!(
                    is.status == Status::Healthy,
                    "I-30: {message:?} left {:?}",
                    is.status
                );
            }
        }
    }
    if borrows {
        let prices = after.market_prices().expect("I-37: judged by a price");
        assert!(prices.age <= params.max_price_age, "I-37: a stale price");
        let is = view(after, who, prices.spot).expect("a view");
        // What was paid in advance and not needed waits for its owner, and counts against a debt
        // of later all the same.
        let surplus = after.vault.position(who).prepaid;
        let owed = is.debt.plus(surplus).expect("in range");
        assert!(owed >= params.min_debt, "I-34: under the least debt");
        let debt = after.vault.state.debt_value().expect("in range");
        assert!(debt <= params.debt_ceiling, "I-36: over the ceiling");
        assert!(
            before.vault.state.wind_down.is_none(),
            "lent in a wind-down"
        );
    }
    if matches!(message, Message::Supply { .. }) {
        let assets = after.vault.state.lenders_assets().expect("in range");
        assert!(assets <= params.supply_cap, "I-36: over the supply cap");
    }
}

/// Promise 10 (I-52): what a lender's share is worth falls by booked losses alone.
fn lenders(before: &Native, message: &Message, after: &Native) {
    if matches!(
        message,
        Message::Settle { .. } | Message::TakeInKind { .. } | Message::Collect { .. }
    ) {
        return;
    }
    let worth = |n: &Native| {
        let state = n.accounting().expect("in range").state;
        let assets = state.lenders_assets().expect("in range").get() + 1;
        (assets, state.supply_shares.get() + 1_000_000)
    };
    let ((assets, shares), (assets_now, shares_now)) = (worth(before), worth(after));
    // assets_now / shares_now ≥ assets / shares
    assert!(
        assets_now * shares >= assets * shares_now,
        "I-52: {message:?} took {assets}/{shares} to {assets_now}/{shares_now}"
    );
}

/// I-41: rounds are numbered without gaps and never go back in time.
fn rounds(before: &Native, after: &Native) {
    let (Some(was), Some(is)) = (before.oracle.quote, after.oracle.quote) else {
        return;
    };
    let (was, is) = (was.round, is.round);
    let next = is.number == was.number + 1 && is.block > was.block && is.at > was.at;
    assert!(is == was || next, "I-41: a round out of order");
}
