//! Bidders: what they think the collateral is worth, and what they do about it.

mod strategy;

pub use strategy::{Limit, Order, Sight, Strategy};

use crate::{paths::FairPath, random::Dice};

/// How a crowd of bidders values collateral.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crowd {
    /// Standard deviation of a bidder's own error in valuing, as a share of the fair price.
    pub noise: f64,
    /// What buying and selling on costs every bidder at least, as a share of the price.
    pub hurdle: f64,
    /// How much more it costs the most expensive bidder.
    pub hurdle_spread: f64,
    /// The oldest price that a bidder may still act on, in blocks.
    pub most_latency: u32,
}

impl Crowd {
    /// An ordinary day: errors of 10 bp, costs of 10 to 40 bp, prices up to 2 blocks old.
    pub const CALM: Self = Self {
        noise: 0.001,
        hurdle: 0.001,
        hurdle_spread: 0.003,
        most_latency: 2,
    };

    /// A crash: errors of 30 bp, costs of 30 to 120 bp, prices up to 4 blocks old.
    pub const CRASH: Self = Self {
        noise: 0.003,
        hurdle: 0.003,
        hurdle_spread: 0.009,
        most_latency: 4,
    };

    /// Bidders without error, costs or delay: what is lost then is lost by the mechanism.
    pub const IDEAL: Self = Self {
        noise: 0.0,
        hurdle: 0.0,
        hurdle_spread: 0.0,
        most_latency: 0,
    };

    /// `count` bidders of this crowd, all truthful, who share `money` equally.
    #[must_use]
    pub fn draw(&self, dice: &mut Dice, count: usize, money: f64) -> Vec<Bidder> {
        (0..count)
            .map(|_| Bidder {
                noise: self.noise * dice.normal(),
                hurdle: self.hurdle + self.hurdle_spread * dice.unit(),
                latency: dice.whole(self.most_latency) as usize,
                money: money / count as f64,
                strategy: Strategy::Truthful,
            })
            .collect()
    }
}

/// One bidder.
#[derive(Clone, Debug, PartialEq)]
pub struct Bidder {
    /// Its own error in valuing, as a share of the fair price.
    pub noise: f64,
    /// What buying and selling on costs it, as a share of the price.
    pub hurdle: f64,
    /// How old, in blocks, the fair price is that it sees.
    pub latency: usize,
    /// Its money, as a share of what the batch must raise.
    pub money: f64,
    /// What it does.
    pub strategy: Strategy,
}

impl Bidder {
    /// What a unit of collateral is worth to it at a block, by the price it sees there:
    /// `fair · (1 + noise) / (1 + hurdle)`.
    #[must_use]
    pub fn value(&self, path: &FairPath, block: usize) -> f64 {
        self.worth(path.at(block.saturating_sub(self.latency)))
    }

    /// What a unit of collateral is worth to it when the fair price is this one.
    #[must_use]
    pub fn worth(&self, fair: f64) -> f64 {
        fair * (1.0 + self.noise) / (1.0 + self.hurdle)
    }
}
