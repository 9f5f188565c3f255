//! The model's books of money: lenders' shares, interest, insurance and losses, exact to the unit.

use crate::scale::{down, up, INDEX_ONE, PPM};
use breakwater_core::interest::{InterestCurve, YEAR};
use breakwater_core::losses::Waterfall;
use breakwater_core::market::MarketState;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Books {
    pub cash: u128,
    pub insurance: u128,
    pub rewards: u128,
    pub prepaid: u128,
    pub shares: u128,
    pub reserve: u128,
    pub written_off: u128,
    /// The last day on which insurance topped a reward up, and how often.
    pub top_ups: (u32, u8),
    pub stock: Stock,
    /// What a wind-down keeps beside.
    pub end: Option<End>,
}

/// The books of a wind-down.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct End {
    /// Quote that lenders have been paid in it.
    pub paid: u128,
    /// Losses that have not been made good, quote.
    pub lost: u128,
    /// Collateral for lenders, and what they have been paid of it.
    pub in_kind: u128,
    pub in_kind_paid: u128,
}

/// What insurance holds of the collateral.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stock {
    pub held: u128,
    pub offered: u128,
    pub cost: u128,
    /// The last day on which it bought, and what it spent then.
    pub spent: (u32, u128),
    /// First block of a batch of its own, and the round that has to be passed.
    pub until: u32,
    pub round: u32,
    pub failures: u8,
}

impl Stock {
    /// What may be spent on a day.
    pub fn allowance(&self, budget: u128, insurance: u128, day: u32) -> u128 {
        let spent = if self.spent.0 == day { self.spent.1 } else { 0 };
        budget.saturating_sub(spent).min(insurance)
    }

    pub fn buy(&mut self, collateral: u128, paid: u128, covered: u128, day: u32) {
        let spent = if self.spent.0 == day { self.spent.1 } else { 0 };
        self.spent = (day, spent + paid + covered);
        self.held += collateral;
        self.cost += paid;
    }

    /// A batch that offered some has sold some.
    pub fn back(&mut self, offered: u128, sold: u128) {
        let before = self.held + self.offered;
        self.offered -= offered;
        self.held += offered - sold;
        self.cost = up(self.cost, before - sold, before);
    }

    pub fn fail(&mut self, block: u32, round: u32) {
        self.until = block + (100u32 << u32::from(self.failures).min(16)).min(14_400);
        self.round = round;
        self.failures = self.failures.saturating_add(1);
    }

    pub fn waits(&self, block: u32, round: u32) -> bool {
        self.failures > 0 && (block < self.until || round <= self.round)
    }
}

/// What a keeper is paid for a batch.
pub struct Keeper {
    /// Tip and share.
    pub wish: u128,
    /// What insurance tops the reward up to.
    pub tip: u128,
    pub day: u32,
}

impl Books {
    pub fn of(state: &MarketState) -> Self {
        Self {
            cash: state.cash.get(),
            insurance: state.insurance.get(),
            rewards: state.rewards.get(),
            prepaid: state.prepaid.get(),
            shares: state.supply_shares.get(),
            reserve: state.reserve_shares.get(),
            written_off: state.written_off.get(),
            top_ups: (state.top_ups.day, state.top_ups.paid),
            stock: Stock {
                held: state.inventory.held.get(),
                offered: state.inventory.offered.get(),
                cost: state.inventory.cost.get(),
                spent: (state.inventory.day, state.inventory.spent.get()),
                until: state.inventory.cooling.until,
                round: state.inventory.cooling.round,
                failures: state.inventory.cooling.failures,
            },
            end: state.wind_down.map(|ended| End {
                paid: ended.paid.get(),
                lost: ended.lost.get(),
                in_kind: ended.in_kind.get(),
                in_kind_paid: ended.in_kind_paid.get(),
            }),
        }
    }

    /// Shares for an amount where `lent` is out; a million shares and one unit are nobody's.
    pub fn supply(&mut self, amount: u128, lent: u128) -> u128 {
        let minted = down(amount, self.shares + PPM, self.cash + lent + 1);
        self.cash += amount;
        self.shares += minted;
        minted
    }

    /// What shares are worth after a provision; nothing is changed.
    pub fn worth(&self, shares: u128, lent: u128, provision: u128) -> u128 {
        let left = (self.cash + lent + 1).saturating_sub(provision);
        down(shares, left, self.shares + PPM)
    }

    /// The yearly rate in ppm when `lent` is out.
    pub fn rate(&self, curve: &InterestCurve, lent: u128) -> u128 {
        if lent + self.cash == 0 {
            return curve.idle.ppm();
        }
        let used = up(lent, PPM, lent + self.cash);
        let (from, to, along, length) = if used <= curve.kink.ppm() {
            (curve.idle, curve.at_kink, used, curve.kink.ppm())
        } else {
            let past = used - curve.kink.ppm();
            (curve.at_kink, curve.at_full, past, PPM - curve.kink.ppm())
        };
        from.ppm() + up(to.ppm() - from.ppm(), along, length)
    }

    /// `⌈index · rate · time / year⌉` more than the index, up to a millionfold of the first.
    pub fn grown(index: u128, rate: u128, time: u64) -> u128 {
        let growth = up(index, rate * u128::from(time), PPM * u128::from(YEAR));
        (index + growth).min(PPM * INDEX_ONE)
    }

    /// The reserve's part of an interest, in shares at the price before it.
    pub fn pay_reserve(&mut self, interest: u128, lent: u128, curve: &InterestCurve) {
        let part = down(interest, curve.reserve_factor.ppm(), PPM);
        let minted = down(part, self.shares + PPM, self.cash + lent + 1 - part);
        self.shares += minted;
        self.reserve += minted;
    }

    /// What lenders have claims on, with what a wind-down has paid them.
    pub fn pool(&self, lent: u128) -> u128 {
        self.cash + lent + self.end.map_or(0, |end| end.paid)
    }

    /// Quote for insurance; in a wind-down it makes good first what lenders have lost. Returns that.
    pub fn take_in(&mut self, amount: u128) -> u128 {
        let good = self.end.as_mut().map_or(0, |end| {
            let good = amount.min(end.lost);
            end.lost -= good;
            good
        });
        self.cash += good;
        self.insurance += amount - good;
        good
    }

    /// A loss of lenders: the reserve's shares bear it first, and one above the cap (ppm of the
    /// pool) begins a wind-down. Returns what the reserve bore.
    pub fn lose(&mut self, loss: u128, pool: u128, cap: u128) -> u128 {
        let borne = if loss == 0 || pool == 0 || self.reserve == 0 {
            0
        } else {
            let wanted = up(self.shares, loss, pool);
            let burnt = wanted.min(self.reserve);
            self.reserve -= burnt;
            self.shares -= burnt;
            down(loss, burnt, wanted)
        };
        let lost = loss - borne;
        self.written_off += lost;
        if self.end.is_none() && lost > up(pool, cap, PPM) {
            self.end = Some(End::default());
        }
        if let Some(end) = &mut self.end {
            end.lost += lost;
        }
        borne
    }

    /// Promise 10: a shortfall eats the penalties of its batch, then insurance (its cash, then its
    /// shares of the pool), then what lenders have. Keepers are paid out of penalties left.
    pub fn settle(
        &mut self,
        shortfall: u128,
        penalties: u128,
        repaid: u128,
        lent: u128,
        keeper: Keeper,
        cap: u128,
    ) -> Waterfall {
        let pool = self.pool(lent);
        let from_penalties = shortfall.min(penalties);
        let from_insurance = (shortfall - from_penalties).min(self.insurance);
        let loss = shortfall - from_penalties - from_insurance;
        let left = penalties - from_penalties;
        let reward = keeper.wish.min(left / 5);
        let from_reserve = self.lose(loss, pool, cap);
        self.cash += repaid + from_penalties + from_insurance;
        self.insurance -= from_insurance;
        let to_lenders = self.take_in(left - reward);
        if self.top_ups.0 != keeper.day {
            self.top_ups = (keeper.day, 0);
        }
        let mut top_up = keeper.tip.saturating_sub(reward).min(self.insurance);
        if self.top_ups.1 >= 8 {
            top_up = 0;
        }
        self.top_ups.1 += u8::from(top_up > 0);
        self.insurance -= top_up;
        self.rewards += reward + top_up;
        let amount = breakwater_core::units::Amount::new;
        Waterfall {
            shortfall: amount(shortfall),
            from_penalties: amount(from_penalties),
            from_insurance: amount(from_insurance),
            from_reserve: amount(from_reserve),
            from_lenders: amount(loss - from_reserve),
            reward: amount(reward),
            to_insurance: amount(left - reward - to_lenders),
            to_lenders: amount(to_lenders),
            top_up: amount(top_up),
        }
    }
}
