//! The bidder: what it wants becomes bids inside every bound, and what settled is fetched.

use super::apart;
use crate::action::{Action, BidAction, Decision, Refusal};
use crate::config::{BidderConfig, Rung, StrategyConfig};
use crate::view::{BatchView, OwnBid, View};
use breakwater_core::auction::{Phase, Stage};
use breakwater_core::math::Rounding;
use breakwater_core::units::{Amount, Price, Ratio};
use std::collections::BTreeSet;

/// Blocks after the step of a bid has begun in which it may still arrive.
pub const PATIENCE: u32 = 4;

/// What claiming a bid costs, in fees of bids: 3.936 to 1.161 · 10⁹ ps (`docs/costs.md`), rounded up.
/// A chain's base fee, the same for both, makes it less.
pub const FEES_OF_A_CLAIM: u128 = 4;

/// Bids that one call claims: a strategy may have hundreds in a batch, and a block is finite.
const BIDS_PER_CLAIM: usize = 64;

/// A bid that a strategy would like to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    /// Which of its bids in the batch.
    pub slot: String,
    /// The most to spend.
    pub budget: Amount,
    /// The most to pay per collateral.
    pub limit: Price,
    /// Whether the profit does not matter.
    pub forced: bool,
}

/// What the bot remembers of its bids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Batch numbers and slots that have been bid, or may have been.
    pub taken: BTreeSet<(u32, String)>,
    /// Budgets, by batch, of bids sent whose fate is not known yet.
    pub unsure: Vec<(u32, Amount)>,
    /// What today's bids spent, or may yet spend.
    pub spent_today: Amount,
}

/// The price that bids are made from: the own opinion, or else the oracle's, the lower of accepted
/// and quarantined one: what nobody has confirmed yet may be true, and nobody has to buy today.
///
/// # Errors
/// [`Refusal::StaleOracle`], [`Refusal::AbsurdPrice`].
pub fn fair_price(config: &BidderConfig, view: &View) -> Result<Price, Refusal> {
    let prices = view.prices.as_ref().ok_or(Refusal::StaleOracle)?;
    if prices.age > view.params.max_price_age {
        return Err(Refusal::StaleOracle);
    }
    let Some(own) = view.own_price else {
        let unconfirmed = prices.quarantined.unwrap_or(prices.spot);
        return Ok(prices.spot.min(unconfirmed));
    };
    match apart(own, prices.spot, config.max_deviation.ratio()) {
        true => Err(Refusal::AbsurdPrice),
        false => Ok(own),
    }
}

/// What a built-in strategy wants of a batch; nothing for an external one, which is asked.
#[must_use]
pub fn wants(config: &BidderConfig, view: &View, fair: Price) -> Vec<Want> {
    let whole = Ratio::ONE;
    let most = config.max_per_batch.units(view.params.quote_decimals);
    let rung = |(index, (discount, share)): (usize, (Ratio, Ratio))| Want {
        slot: format!("rung{index}"),
        budget: most.share(share, Rounding::Down).unwrap_or_default(),
        limit: fair
            .times(whole.minus(discount).unwrap_or_default(), Rounding::Down)
            .unwrap_or_default(),
        forced: false,
    };
    let pair = |rung: &Rung| (rung.discount.ratio(), rung.share.ratio());
    match &config.strategy {
        StrategyConfig::FixedDiscount { discount } => vec![rung((0, (discount.ratio(), whole)))],
        StrategyConfig::Ladder { rungs } => rungs.iter().map(pair).enumerate().map(rung).collect(),
        StrategyConfig::External { .. } => Vec::new(),
    }
}

/// What is missing in one of the last steps, at its price.
#[must_use]
pub fn forced(config: &BidderConfig, batch: &BatchView, fair: Price) -> Option<Want> {
    let force = config.force_fill.as_ref()?;
    let (status, schedule) = (&batch.status, &batch.record.auction.schedule);
    let last = status.step.saturating_add(force.steps) >= schedule.steps;
    let ceiling = fair.times(force.max_price.ratio(), Rounding::Down).ok()?;
    let missing = status.target.minus_or_zero(status.demand);
    let wanted = status.stage == Stage::Bidding && last && status.price <= ceiling;
    (wanted && !missing.is_zero()).then(|| Want {
        slot: "force".to_owned(),
        budget: missing,
        limit: status.price,
        forced: true,
    })
}

/// Bids for what is wanted of one batch, inside every bound; the rest is refused by name.
///
/// `memory` is brought up to date with what is decided, so that one bound holds over all batches.
pub fn admit(
    config: &BidderConfig,
    view: &View,
    batch: &BatchView,
    fair: Price,
    wants: Vec<Want>,
    memory: &mut Memory,
    room: &mut Room,
) -> Decision {
    let mut decision = Decision::default();
    for want in wants {
        match admit_one(config, view, batch, fair, want, memory, room) {
            Ok(Some(bid)) => {
                memory.taken.insert((batch.key.number, bid.slot.clone()));
                decision.actions.push(Action::Bid(bid));
            }
            Ok(None) => {}
            Err(refusal) => decision.refusals.push(refusal),
        }
    }
    decision
}

/// What is left of every bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Free balance in the auction that no bid under way claims.
    pub free: Amount,
    /// Left of the day's budget.
    pub day: Amount,
    /// Collateral that may still be bought.
    pub inventory: Amount,
}

impl Room {
    /// What is left before any bid of this block.
    #[must_use]
    pub fn new(config: &BidderConfig, view: &View, memory: &Memory) -> Self {
        let params = &view.params;
        let unsure = memory.unsure.iter().map(|(_, budget)| budget.get()).sum();
        let mut coming: u128 = 0;
        for batch in &view.batches {
            let floor = batch.status.floor;
            for (_, bid, fill) in &batch.bids {
                let most = fill.map_or_else(|| bought(view, bid.budget, floor), |f| f.received);
                coming = coming.saturating_add(most.get());
            }
            let own = |(number, _): &&(u32, Amount)| *number == batch.key.number;
            for (_, budget) in memory.unsure.iter().filter(own) {
                coming = coming.saturating_add(bought(view, *budget, floor).get());
            }
        }
        let held = view.collateral.get().saturating_add(coming);
        Self {
            free: view.free.minus_or_zero(Amount::new(unsure)),
            day: config
                .max_per_day
                .units(params.quote_decimals)
                .minus_or_zero(memory.spent_today),
            inventory: config
                .max_inventory
                .units(params.collateral_decimals)
                .minus_or_zero(Amount::new(held)),
        }
    }
}

/// Collateral that a budget buys at a price, rounded up.
fn bought(view: &View, budget: Amount, price: Price) -> Amount {
    let quantity = view.scale.quantity(budget, price, Rounding::Up);
    quantity.unwrap_or(Amount::new(u128::MAX))
}

/// Whether a bid's profit leaves `least` after the fees of the bid and of its claim, all in quote.
/// The bid's deposit is not counted: its claim, which only the bidder may send, gives it back.
#[must_use]
pub fn pays(profit: Amount, least: Amount, fee: Amount) -> bool {
    let fees = fee.get().saturating_mul(FEES_OF_A_CLAIM.saturating_add(1));
    profit.get() >= fees.saturating_add(least.get())
}

fn admit_one(
    config: &BidderConfig,
    view: &View,
    batch: &BatchView,
    fair: Price,
    want: Want,
    memory: &Memory,
    room: &mut Room,
) -> Result<Option<BidAction>, Refusal> {
    let (auction, number) = (&batch.record.auction, batch.key.number);
    if !batch.takes_bids() || memory.taken.contains(&(number, want.slot.clone())) {
        return Ok(None);
    }
    // A limit above the fair price is never wanted, whoever asks for it.
    if want.limit > fair && !want.forced {
        return Err(Refusal::AbsurdPrice);
    }
    let clock = batch.status.clock;
    let step = match auction.joins(want.limit, clock) {
        Ok(step) => step,
        Err(breakwater_core::auction::AuctionError::LimitUnderFloor) => {
            return Err(Refusal::UnderFloor)
        }
        Err(_) => return Ok(None),
    };
    let wait = auction.schedule.begins(step).saturating_sub(clock.block);
    if wait > config.lead_blocks {
        return Ok(None);
    }

    let own: u128 = batch.bids.iter().map(|(_, bid, _)| bid.budget.get()).sum();
    let unsure = memory.unsure.iter().filter(|(batch, _)| *batch == number);
    let committed = unsure.fold(own, |sum, (_, budget)| sum.saturating_add(budget.get()));
    let most = config.max_per_batch.units(view.params.quote_decimals);
    let left = most.minus_or_zero(Amount::new(committed)).min(room.day);
    // Everybody pays one price, and that may be the floor: there a budget buys the most.
    let floor = batch.status.floor;
    let buys = room.inventory.minus_or_zero(Amount::new(1));
    let inventory = view.scale.value(buys, floor, Rounding::Down);
    let left = left.min(inventory.unwrap_or(Amount::new(u128::MAX)));
    let least = auction.least_budget(view.scale).unwrap_or_default();
    if want.budget.min(left) < least {
        return Err(Refusal::LimitReached);
    }
    let budget = want.budget.min(left).min(room.free);
    if budget < least {
        return Err(Refusal::NoFunds);
    }

    let received = view.scale.quantity(budget, want.limit, Rounding::Down);
    let value = received.and_then(|received| view.scale.value(received, fair, Rounding::Down));
    let profit = value.unwrap_or_default().minus_or_zero(budget);
    let enough = config.min_profit.units(view.params.quote_decimals);
    if !want.forced && profit < enough {
        return Err(Refusal::Unprofitable);
    }
    room.free = room.free.minus_or_zero(budget);
    room.day = room.day.minus_or_zero(budget);
    room.inventory = room.inventory.minus_or_zero(bought(view, budget, floor));
    // The block that the batch was looked at in, which may be later than the view's.
    let seen_in = clock.block.saturating_add(clock.halted);
    let in_time = seen_in.saturating_add(wait).saturating_add(PATIENCE);
    Ok(Some(BidAction {
        batch: batch.key,
        slot: want.slot,
        budget,
        limit: want.limit,
        valid_until: in_time,
        profit: (!want.forced).then_some(profit),
    }))
}

/// Bids to take back: their step has not begun, and they would pay more than the fair price, or
/// what is fair is no longer known. In a halt above all: the clock stands, prices do not, and the
/// step may begin in the block in which bidding goes on.
#[must_use]
pub fn cancels(view: &View, fair: Result<Price, Refusal>) -> Vec<Action> {
    let mut actions = Vec::new();
    let waits = |batch: &&BatchView| batch.takes_bids() || batch.status.stage == Stage::Halted;
    for batch in view.batches.iter().filter(waits) {
        let (schedule, clock) = (&batch.record.auction.schedule, batch.status.clock);
        for (id, bid, _) in &batch.bids {
            // What begins in the next block cannot be reached any more; in a halt that block is not
            // the next, and what was to begin in its first has not begun.
            let soon = if clock.stands {
                clock.block.saturating_sub(1)
            } else {
                clock.block.saturating_add(1)
            };
            let late = schedule.has_begun(bid.step, soon);
            if !late && !fair.is_ok_and(|fair| bid.limit <= fair) {
                actions.push(Action::Cancel {
                    batch: batch.key,
                    bid: *id,
                });
            }
        }
    }
    actions
}

/// Claims of settled bids, and deposits and withdrawals that keep the balance as configured.
#[must_use]
pub fn housekeeping(config: &BidderConfig, view: &View) -> Vec<Action> {
    let mut actions = Vec::new();
    let mut reserved: u128 = 0;
    for batch in &view.batches {
        if let Phase::Settled(_) = batch.record.auction.phase {
            let owed = |(id, _, fill): &OwnBid| fill.map(|fill| (*id, fill));
            let bids: Vec<_> = batch.bids.iter().filter_map(owed).collect();
            actions.extend(bids.chunks(BIDS_PER_CLAIM).map(|part| Action::Claim {
                batch: batch.key,
                bids: part.to_vec(),
            }));
        }
        let own = batch.bids.iter().map(|(_, bid, _)| bid.budget.get());
        reserved = own.fold(reserved, u128::saturating_add);
    }
    let decimals = view.params.quote_decimals;
    let wished = config.deposit.units(decimals);
    let there = Amount::new(view.free.get().saturating_add(reserved));
    let missing = wished.minus_or_zero(there).min(view.quote);
    // Small gaps are not worth a fee: what bidding moved comes back with the claim.
    let gap = Amount::new(wished.get() / 10);
    if !missing.is_zero() && missing >= gap {
        actions.push(Action::Deposit(missing));
    }
    if let Some(above) = config.withdraw_above {
        let surplus = view.free.minus_or_zero(above.units(decimals).max(wished));
        if !surplus.is_zero() {
            actions.push(Action::Withdraw(surplus));
        }
    }
    actions
}
