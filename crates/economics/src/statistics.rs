//! Means with 95 % intervals, and histograms.

use serde::{Deserialize, Serialize};

/// The 97.5 % quantile of the standard normal law: half a 95 % interval in standard errors.
const Z: f64 = 1.959_964;

/// 97.5 % quantiles of Student's law with 1 to 30 degrees of freedom, for few observations.
const STUDENT: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
    2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056,
    2.052, 2.048, 2.045, 2.042,
];

/// A mean, and how far the true one may be from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Mean of the observations.
    pub mean: f64,
    /// Half the 95 % interval: the quantile of Student's law times the standard error.
    pub half_width: f64,
    /// Independent observations it rests on.
    pub observations: u64,
}

impl Estimate {
    /// Of independent observations, each of weight one.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        // Welford: one pass, without the cancellation of a sum of squares.
        let (mut count, mut mean, mut squares) = (0u64, 0.0, 0.0);
        for value in values {
            count += 1;
            let away = value - mean;
            mean += away / count as f64;
            squares += away * (value - mean);
        }
        if count < 2 {
            return Self {
                mean,
                half_width: 0.0,
                observations: count,
            };
        }
        let freedom = count - 1;
        let error = (squares / freedom as f64 / count as f64).sqrt();
        let quantile = usize::try_from(freedom - 1)
            .ok()
            .and_then(|at| STUDENT.get(at).copied())
            .unwrap_or(Z);
        Self {
            mean,
            half_width: quantile * error,
            observations: count,
        }
    }

    /// Of observations that depend on each other inside a cluster, such as all auctions of one
    /// day: the mean of each cluster is one observation.
    #[must_use]
    pub fn clustered(clusters: &[Vec<f64>]) -> Self {
        let mean = |values: &Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
        Self::of(clusters.iter().filter(|c| !c.is_empty()).map(mean))
    }

    /// The lower end of the interval.
    #[must_use]
    pub fn low(&self) -> f64 {
        self.mean - self.half_width
    }

    /// The upper end of the interval.
    #[must_use]
    pub fn high(&self) -> f64 {
        self.mean + self.half_width
    }
}

/// How often values fall into neighbouring bins of one width; the first and the last bin also
/// hold what is beyond them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// Lower end of the first bin.
    pub from: f64,
    /// Width of a bin.
    pub width: f64,
    /// Values in each bin.
    pub counts: Vec<u64>,
}

impl Histogram {
    /// Sorts values into `bins` bins.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = f64>, from: f64, width: f64, bins: usize) -> Self {
        let mut counts = vec![0; bins];
        for value in values {
            let bin = ((value - from) / width).floor().max(0.0) as usize;
            if let Some(count) = counts.get_mut(bin.min(bins.saturating_sub(1))) {
                *count += 1;
            }
        }
        Self {
            from,
            width,
            counts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Dice;

    #[test]
    fn the_interval_holds_the_truth_in_nineteen_of_twenty_samples() {
        for size in [5, 20, 200] {
            let held = (0..2_000)
                .filter(|run| {
                    let mut dice = Dice::new(11, *run);
                    let sample = Estimate::of((0..size).map(|_| 3.0 + dice.normal()));
                    sample.low() <= 3.0 && 3.0 <= sample.high()
                })
                .count();
            assert!(
                (1_860..1_940).contains(&held),
                "{held} of samples of {size}"
            );
        }
    }

    #[test]
    fn clusters_count_once() {
        let clusters = [vec![1.0, 1.0, 1.0, 1.0], vec![3.0], vec![]];
        let found = Estimate::clustered(&clusters);
        assert_eq!((found.mean, found.observations), (2.0, 2));
        assert!((found.half_width - 12.706).abs() < 1e-9);
    }

    #[test]
    fn nothing_falls_out_of_a_histogram() {
        let sorted = Histogram::of([-9.0, 0.0, 0.9, 1.0, 99.0], 0.0, 1.0, 3);
        assert_eq!(sorted.counts, [3, 1, 1]);
    }
}
