//! Sales in which whoever comes first takes what he wants at the price asked at that moment.

use super::{Exchange, Lot, LotCohort, Outcome, Scene, Stairs};
use crate::agents::{Limit, Sight};

/// What is asked for collateral, block by block.
#[derive(Clone, Debug, PartialEq)]
pub enum Asking {
    /// Maker's curve over the oracle price of the opening.
    Stairs(Stairs),
    /// The oracle price of the moment divided by one plus this bonus, for so many seconds.
    Bonus {
        /// What the liquidator receives on top, 0.05 being 5 %.
        bonus: f64,
        /// Seconds after which the attempt counts as ended.
        tail: f64,
    },
    /// A price for each block from the first on, such as the ladder of a batch.
    Ladder(Vec<f64>),
}

impl Asking {
    /// The price so many blocks after the opening: `Some(None)` while nothing is for sale yet,
    /// `None` once the attempt is over.
    fn price(&self, scene: &Scene<'_>, elapsed: usize) -> Option<Option<f64>> {
        let seconds = scene.seconds(elapsed);
        match self {
            Self::Stairs(stairs) => stairs.at(seconds).map(|part| Some(part * scene.lot.oracle)),
            Self::Bonus { bonus, tail } => {
                (seconds <= *tail).then(|| Some(scene.oracle(elapsed) / (1.0 + bonus)))
            }
            Self::Ladder(prices) => match elapsed.checked_sub(1) {
                None => Some(None),
                Some(step) => prices.get(step).map(|price| Some(*price)),
            },
        }
    }
}

/// A sale by takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Takes {
    /// How it came out.
    pub result: Outcome,
    /// Blocks after the opening, price and money of every block with takes.
    pub sales: Vec<(usize, f64, f64)>,
    /// What each bidder received and spent.
    pub exchanges: Vec<Exchange>,
}

/// Sells the lot to whoever takes first. Bidders are the same as in a batch; an order at the
/// present price is a take at it, and no order can wait.
///
/// All takers of a block pay the same, so their order, that of the bidders, changes who buys, never
/// what owners get.
/// A take is only limited by the taker's money and by what is still to be raised: gas wars,
/// failed takes and rules on what may be left over are not charged. The riskiest cohort is paid
/// first, its debt before its penalty.
#[must_use]
pub fn sell(scene: &Scene<'_>, asking: &Asking) -> Takes {
    let target = scene.lot.target();
    let mut book = Book::new(scene.lot);
    let mut left: Vec<f64> = scene.bidders.iter().map(|b| b.money * target).collect();
    let mut sales = Vec::new();
    let mut exchanges = vec![Exchange::default(); scene.bidders.len()];
    let (mut paid, mut fair_value, mut ended) = (0.0, 0.0, 0);
    let mut short = 1.0;
    for elapsed in 0.. {
        let Some(asked) = asking.price(scene, elapsed) else {
            break;
        };
        ended = elapsed;
        let Some(price) = asked else { continue };
        let mut taken = 0.0;
        let bidders = scene.bidders.iter().zip(&mut left).zip(&mut exchanges);
        for ((bidder, left), own) in bidders {
            let sight = Sight {
                elapsed: u32::try_from(elapsed).unwrap_or(u32::MAX),
                price,
                oracle: scene.lot.oracle,
                value: bidder.value(scene.path, scene.opening + elapsed),
                money: bidder.money * target,
                left: *left,
                least: 0.0,
            };
            let orders = bidder.strategy.orders(&sight);
            let wanted: f64 = orders
                .iter()
                .filter(|order| order.limit == Limit::Present)
                .map(|order| order.money)
                .sum();
            let given = book.take(wanted, price);
            *left -= given;
            own.received += given / price;
            own.spent += given;
            taken += given;
        }
        if taken > 0.0 {
            paid += taken;
            fair_value += taken / price * scene.fair(elapsed);
            sales.push((elapsed, price, taken));
        }
        let missing = book.wanted(price);
        short = missing / (missing + paid).max(f64::MIN_POSITIVE);
        // A millionth of the target is rounding, not an unsold rest.
        if missing <= target * 1e-6 {
            short = 0.0;
            break;
        }
    }
    Takes {
        result: Outcome {
            loss_bps: (paid > 0.0).then(|| (1.0 - paid / fair_value) * 1e4),
            seconds: scene.seconds(ended),
            unfilled: short,
            bad_debt_bps: book.shortfall() / scene.lot.debt() * 1e4,
        },
        sales,
        exchanges,
    }
}

/// What is left of a lot.
struct Book {
    /// Each cohort with what is left of its collateral and target, and what it has raised.
    cohorts: Vec<(LotCohort, f64)>,
}

impl Book {
    fn new(lot: &Lot) -> Self {
        Self {
            cohorts: lot.cohorts.iter().map(|cohort| (*cohort, 0.0)).collect(),
        }
    }

    /// What all cohorts can still raise at a price.
    fn wanted(&self, price: f64) -> f64 {
        let can = |(cohort, _): &(LotCohort, f64)| cohort.target.min(cohort.collateral * price);
        self.cohorts.iter().map(can).sum()
    }

    /// Sells for up to `money`; returns what was paid.
    fn take(&mut self, money: f64, price: f64) -> f64 {
        let mut left = money;
        for (cohort, raised) in &mut self.cohorts {
            let given = left.min(cohort.target).min(cohort.collateral * price);
            cohort.target -= given;
            cohort.collateral = (cohort.collateral - given / price).max(0.0);
            *raised += given;
            left -= given;
        }
        money - left
    }

    /// Debt that no collateral is left for.
    fn shortfall(&self) -> f64 {
        self.cohorts
            .iter()
            .filter(|(cohort, _)| cohort.collateral <= 1e-9)
            .map(|(cohort, raised)| (cohort.debt - raised).max(0.0))
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        agents::{Bidder, Crowd},
        auctions::sell_batch,
        market::standard_terms,
        paths::FairPath,
        random::Dice,
    };

    /// A fair price of 100 that never moves, and bidders without costs.
    fn still(money: f64, act: impl Fn(&Scene<'_>)) {
        let mut dice = Dice::new(9, 0);
        let path = FairPath {
            prices: vec![100.0],
            block_seconds: 6.0,
        };
        let lot = Lot::draw(&mut dice, &standard_terms(), 100.0).expect("in range");
        let bidders: Vec<Bidder> = Crowd::IDEAL.draw(&mut dice, 4, money);
        act(&Scene {
            path: &path,
            opening: 0,
            lag: 0,
            lot: &lot,
            bidders: &bidders,
        });
    }

    fn close(found: f64, expected: f64) -> bool {
        (found - expected).abs() < 1e-6
    }

    #[test]
    fn every_mechanism_sells_at_its_first_price_that_is_not_above_the_fair_one() {
        still(1.5, |scene| {
            // Ten cuts of 1 % from 110: 99.482, after 900 s.
            let maker = sell(scene, &Asking::Stairs(Stairs::MAKER));
            let asked = 1.1 * 0.99f64.powi(10);
            assert!(close(maker.result.loss_bps.unwrap(), (1.0 - asked) * 1e4));
            assert!(close(maker.result.seconds, 900.0));

            let fixed = Asking::Bonus {
                bonus: 0.05,
                tail: 7_200.0,
            };
            let fixed = sell(scene, &fixed);
            assert!(close(
                fixed.result.loss_bps.unwrap(),
                (1.0 - 1.0 / 1.05) * 1e4
            ));
            assert!(close(fixed.result.seconds, 0.0));

            // 100.5 in the sixth step, then 3.5 / 45 less in each: the thirteenth is 99.956.
            let batch = sell_batch(scene, &standard_terms()).unwrap();
            let asked = 1.005 - 7.0 * 0.035 / 45.0;
            assert!(close(batch.result.loss_bps.unwrap(), (1.0 - asked) * 1e4));
            assert!(close(batch.result.seconds, 13.0 * 6.0));
            let same = sell(scene, &Asking::Ladder(batch.ladder));
            assert!(close(
                same.result.loss_bps.unwrap(),
                batch.result.loss_bps.unwrap()
            ));
            assert!(close(same.result.seconds, batch.result.seconds));

            for result in [maker.result, fixed.result, batch.result, same.result] {
                assert!(result.unfilled < 1e-6 && result.bad_debt_bps < 1e-6);
            }
            // Nothing is taken that is not paid for, and no more than has to be raised.
            let paid: f64 = maker.exchanges.iter().map(|own| own.spent).sum();
            assert!((paid / scene.lot.target() - 1.0).abs() < 1e-6);
            let received: f64 = maker.exchanges.iter().map(|own| own.received).sum();
            assert!((paid / received - 110.0 * 0.99f64.powi(10)).abs() < 1e-6);
        });
    }

    #[test]
    fn what_nobody_has_money_for_stays_unsold_everywhere() {
        still(0.6, |scene| {
            let maker = sell(scene, &Asking::Stairs(Stairs::MAKER)).result;
            let batch = sell_batch(scene, &standard_terms()).unwrap().result;
            for result in [maker, batch] {
                assert!((result.unfilled - 0.4).abs() < 0.01, "{result:?}");
            }
            assert!(maker.seconds > 7_100.0 && close(batch.seconds, 64.0 * 6.0));
        });
    }
}
