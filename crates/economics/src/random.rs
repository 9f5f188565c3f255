//! Seeded randomness: every run draws from a stream of its own, so that a run does not depend on
//! how many others there are.

use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha12Rng,
};
use std::f64::consts::TAU;

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub struct Dice(ChaCha12Rng);

impl Dice {
    /// The stream of one run of one seed.
    #[must_use]
    pub fn new(seed: u64, run: u64) -> Self {
        let mut generator = ChaCha12Rng::seed_from_u64(seed);
        generator.set_stream(run);
        Self(generator)
    }

    /// Evenly from 0 (inside) to 1 (outside).
    pub fn unit(&mut self) -> f64 {
        // 53 bits are what the fraction of a double holds.
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Evenly from `low` (inside) to `high` (outside).
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A whole number from 0 to `most`, both inside.
    pub fn whole(&mut self, most: u32) -> u32 {
        let drawn = self.unit() * (f64::from(most) + 1.0);
        (drawn as u32).min(most)
    }

    /// A standard normal number, after Box and Muller.
    ///
    /// A few lines instead of the usual crate: that one turns on a feature of the number traits
    /// which the embedded chain shares, and all of the chain would be compiled anew for it.
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (TAU * self.unit()).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Estimate;

    #[test]
    fn normal_numbers_have_the_moments_of_the_normal_law() {
        let mut dice = Dice::new(1, 0);
        let drawn: Vec<f64> = (0..200_000).map(|_| dice.normal()).collect();
        let moment = |power: i32| Estimate::of(drawn.iter().map(|x| x.powi(power)));
        // Wider than the 95 % interval: the seed is fixed, but no seed should be a lucky one.
        for (power, expected) in [(1, 0.0), (2, 1.0), (3, 0.0), (4, 3.0)] {
            let found = moment(power);
            assert!(
                (found.mean - expected).abs() < 2.0 * found.half_width,
                "moment {power}: {found:?}"
            );
        }
        let beyond = drawn.iter().filter(|x| x.abs() > 1.96).count() as f64;
        assert!((beyond / 200_000.0 - 0.05).abs() < 0.002);
    }

    #[test]
    fn a_run_draws_the_same_whatever_was_drawn_before() {
        let draw = |run| Dice::new(7, run).unit();
        assert_eq!(draw(3), draw(3));
        assert_ne!(draw(3), draw(4));
    }
}
