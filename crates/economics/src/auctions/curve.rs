//! Maker's stair-step curve, `StairstepExponentialDecrease`.

/// A price that is cut by the same part after every step, from a start above the oracle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stairs {
    /// Start as a multiple of the oracle price: `buf`.
    pub start: f64,
    /// What is left of the price after a step: `cut`.
    pub cut: f64,
    /// Seconds a step lasts: `step`.
    pub step: f64,
    /// Seconds after which nothing is sold any more without a restart: `tail`.
    pub tail: f64,
    /// Part of the start price under which nothing is sold without a restart: `cusp`.
    pub cusp: f64,
}

impl Stairs {
    /// Maker's Liquidations 2.0 as they have been for ETH since October 2022: 110 %, 1 % every
    /// 90 s, for 7 200 s or down to 45 % of the start.
    pub const MAKER: Self = Self {
        start: 1.10,
        cut: 0.99,
        step: 90.0,
        tail: 7_200.0,
        cusp: 0.45,
    };

    /// The price so many seconds after the opening, as a multiple of the oracle price then; `None`
    /// once only a restart helps.
    #[must_use]
    pub fn at(&self, seconds: f64) -> Option<f64> {
        let fallen = self.cut.powf((seconds / self.step).floor());
        (seconds <= self.tail && fallen >= self.cusp).then_some(self.start * fallen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F15: the published vectors, at a start price of 1 200.
    #[test]
    fn the_published_prices_of_the_stairs_come_out() {
        let stairs = Stairs {
            start: 1_200.0,
            tail: 8_400.0,
            cusp: 0.40,
            ..Stairs::MAKER
        };
        for (seconds, price) in [
            (89.0, 1_200.0),
            (90.0, 1_188.0),
            (900.0, 1_085.258_5),
            (2_250.0, 933.385_6),
            (8_100.0, 485.678_4),
        ] {
            let found = stairs.at(seconds).expect("still selling");
            assert!((found - price).abs() < 1e-4, "{seconds}: {found}");
        }
    }

    #[test]
    fn the_stairs_end_at_their_tail_or_their_cusp() {
        assert!(Stairs::MAKER.at(7_100.0).is_some());
        assert!(Stairs::MAKER.at(7_201.0).is_none());
        let steep = Stairs {
            cut: 0.9,
            ..Stairs::MAKER
        };
        // 0.9^7 is 0.478, 0.9^8 is 0.430.
        assert!(steep.at(7.0 * 90.0).is_some() && steep.at(8.0 * 90.0).is_none());
    }
}
