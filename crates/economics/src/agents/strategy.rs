//! What bidders do, block by block.

/// What a bidder sees when a block begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sight {
    /// Blocks since the opening.
    pub elapsed: u32,
    /// Price of the present step.
    pub price: f64,
    /// Oracle price at the opening.
    pub oracle: f64,
    /// What a unit of collateral is worth to the bidder now.
    pub value: f64,
    /// All of its money.
    pub money: f64,
    /// What of it is not bid yet.
    pub left: f64,
    /// The least budget a bid may have.
    pub least: f64,
}

/// At which price an order is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// The price of the present step.
    Present,
    /// The lowest price of the ladder.
    Floor,
}

/// Bids that a bidder places in a block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Order {
    /// Money of all of them together.
    pub money: f64,
    /// Their limit.
    pub limit: Limit,
    /// How many equal bids it is split into.
    pub pieces: u32,
}

/// A rule for bidding. All money is bid at most once; a bid whose step has begun stays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Strategy {
    /// Everything, as soon as the price is not above the own value.
    Truthful,
    /// As if collateral were worth so much less, basis points.
    Shade(f64),
    /// Waits until the price is so far under the oracle's, basis points, and not above the value.
    Discount(f64),
    /// Everything at the floor.
    WaitForFloor,
    /// Half at the floor, half truthfully.
    HalfWaits,
    /// One part in 10 000 at the floor, the rest truthfully.
    TinyAtFloor,
    /// Truthfully, in so many equal bids under as many names.
    Sybil(u32),
    /// Truthfully, but no message of it reaches the chain in the first so many blocks.
    Congested(u32),
    /// Alone while all others are silent for so many blocks: everything in the last of them.
    Alone(u32),
    /// So many of the least bids, one batch of them in every block, whatever the price.
    Spam(u32),
}

/// The part of its money that the tiny bid at the floor puts there.
const TINY: f64 = 0.000_1;

impl Strategy {
    /// The bids for this block.
    #[must_use]
    pub fn orders(&self, sight: &Sight) -> Vec<Order> {
        let once = |when: bool, money: f64, limit: Limit| {
            let pieces = 1;
            (when && money > 0.0).then_some(Order {
                money,
                limit,
                pieces,
            })
        };
        let all_if = |when: bool| once(when, sight.left, Limit::Present).into_iter().collect();
        let untouched = sight.left >= sight.money;
        let truthful = sight.price <= sight.value;
        // A part waits at the floor from the first block on, the rest is bid truthfully.
        let part_at_floor = |part: f64| {
            let parked = sight.money * part;
            let rest = if untouched {
                sight.left - parked
            } else {
                sight.left
            };
            once(untouched, parked, Limit::Floor)
                .into_iter()
                .chain(once(truthful, rest, Limit::Present))
                .collect()
        };
        match *self {
            Self::Truthful => all_if(truthful),
            Self::Shade(bps) => all_if(sight.price <= sight.value * (1.0 - bps / 1e4)),
            Self::Discount(bps) => {
                all_if(truthful && sight.price <= sight.oracle * (1.0 - bps / 1e4))
            }
            Self::WaitForFloor => once(untouched, sight.left, Limit::Floor)
                .into_iter()
                .collect(),
            Self::HalfWaits => part_at_floor(0.5),
            Self::TinyAtFloor => part_at_floor(TINY),
            Self::Sybil(pieces) => once(truthful, sight.left, Limit::Present)
                .map(|order| Order { pieces, ..order })
                .into_iter()
                .collect(),
            Self::Congested(blocks) => all_if(truthful && sight.elapsed > blocks),
            Self::Alone(blocks) => all_if(sight.elapsed == blocks),
            Self::Spam(bids) => {
                let money = sight.least * f64::from(bids);
                once(money <= sight.left, money, Limit::Present)
                    .map(|order| Order {
                        pieces: bids,
                        ..order
                    })
                    .into_iter()
                    .collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sight(price: f64) -> Sight {
        Sight {
            elapsed: 10,
            price,
            oracle: 100.0,
            value: 99.5,
            money: 10.0,
            left: 10.0,
            least: 0.1,
        }
    }

    fn bid(strategy: Strategy, price: f64) -> f64 {
        let orders = strategy.orders(&sight(price));
        orders.iter().map(|order| order.money).sum()
    }

    #[test]
    fn every_strategy_bids_when_its_price_has_come() {
        for (strategy, above, at) in [
            (Strategy::Truthful, 99.51, 99.5),
            (Strategy::Shade(100.0), 98.51, 98.5),
            (Strategy::Discount(200.0), 98.01, 98.0),
            (Strategy::Sybil(5), 99.51, 99.5),
            (Strategy::Congested(9), 99.51, 99.5),
        ] {
            assert_eq!(bid(strategy, above), 0.0, "{strategy:?}");
            assert_eq!(bid(strategy, at), 10.0, "{strategy:?}");
        }
        assert_eq!(bid(Strategy::Congested(10), 90.0), 0.0);
        assert_eq!(bid(Strategy::Alone(10), 103.0), 10.0);
        assert_eq!(bid(Strategy::Alone(11), 90.0), 0.0);
        // A discount that is worth less than it costs is none.
        let mut poor = sight(97.0);
        poor.value = 96.0;
        assert!(Strategy::Discount(200.0).orders(&poor).is_empty());
    }

    #[test]
    fn waiting_money_is_at_the_floor_from_the_first_block_and_bid_once() {
        let first = Strategy::HalfWaits.orders(&sight(103.0));
        assert_eq!(first.len(), 1);
        assert_eq!((first[0].money, first[0].limit), (5.0, Limit::Floor));
        let later = Sight {
            left: 5.0,
            ..sight(99.0)
        };
        let second = Strategy::HalfWaits.orders(&later);
        assert_eq!((second[0].money, second[0].limit), (5.0, Limit::Present));
        assert!(Strategy::WaitForFloor.orders(&later).is_empty());
    }
}
