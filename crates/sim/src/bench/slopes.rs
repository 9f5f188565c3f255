//! Cost as a constant, so much for each cohort and so much for each page: a fit by least squares.

use super::stage::Run;
use super::ticks::{run, Layout};
use super::Watch;
use crate::deployment::StepError;
use serde::Serialize;

/// Cohorts measured, in both layouts.
const COHORTS: [u16; 7] = [1, 4, 8, 16, 32, 64, 128];

/// One message, one dimension.
#[derive(Clone, Debug, Serialize)]
pub struct SlopeRow {
    /// The message.
    pub message: &'static str,
    /// What is fitted: `ref_time` in picoseconds, or `proof_size` in bytes.
    pub dimension: &'static str,
    /// Cost of a batch of nothing.
    pub constant: f64,
    /// Cost of a cohort.
    pub per_cohort: f64,
    /// Cost of a page of up to 32 ticks.
    pub per_page: f64,
    /// The largest distance of a measurement from the fit, as a share of the measurement.
    pub worst: f64,
}

/// A measurement: cohorts, pages, cost.
type Point = [f64; 3];

/// Constant and slopes that fit the points best; zeros where they do not determine them.
#[must_use]
pub fn fit(points: &[Point]) -> [f64; 3] {
    // Normal equations with weights 1 / cost², so that small batches count as much as large ones.
    let mut matrix = [[0.0; 4]; 3];
    for [cohorts, pages, cost] in points {
        let weight = 1.0 / (cost * cost).max(1.0);
        let row = [1.0, *cohorts, *pages];
        for (i, line) in matrix.iter_mut().enumerate() {
            for (j, factor) in row.iter().enumerate() {
                line[j] += weight * row[i] * factor;
            }
            line[3] += weight * row[i] * cost;
        }
    }
    let before = matrix;
    for pivot in 0..3 {
        let best = (pivot..3)
            .max_by(|a, b| matrix[*a][pivot].abs().total_cmp(&matrix[*b][pivot].abs()))
            .unwrap_or(pivot);
        matrix.swap(pivot, best);
        let divisor = matrix[pivot][pivot];
        // Nothing but rounding is left where the points do not tell this slope from the others.
        if divisor.abs() <= 1e-9 * before[pivot][pivot] {
            return [0.0; 3];
        }
        let base = matrix[pivot].map(|value| value / divisor);
        matrix[pivot] = base;
        for (number, line) in matrix.iter_mut().enumerate() {
            if number != pivot {
                let factor = line[pivot];
                for (value, base) in line.iter_mut().zip(base) {
                    *value -= factor * base;
                }
            }
        }
    }
    matrix.map(|line| line[3])
}

fn row(message: &'static str, dimension: &'static str, points: &[Point]) -> SlopeRow {
    let [constant, per_cohort, per_page] = fit(points);
    let off = points.iter().map(|[cohorts, pages, cost]| {
        let fitted = constant + per_cohort * cohorts + per_page * pages;
        (fitted - cost).abs() / cost.max(1.0)
    });
    SlopeRow {
        message,
        dimension,
        constant,
        per_cohort,
        per_page,
        worst: off.fold(0.0, f64::max),
    }
}

#[allow(clippy::cast_precision_loss)] // shown with a few digits
fn points(runs: &[Run], cost: impl Fn(&Run) -> u64) -> Vec<Point> {
    let point = |run: &Run| [run.cohorts.into(), run.cells.into(), cost(run) as f64];
    runs.iter().map(point).collect()
}

/// The table of slopes: for whoever makes messages cheaper.
///
/// # Errors
/// [`StepError`].
pub fn table(watch: &mut Watch<'_>) -> Result<Vec<SlopeRow>, StepError> {
    let work: u64 = COHORTS.into_iter().map(u64::from).sum();
    watch.stage("slopes", 2 * 3 * work);
    let mut runs = Vec::new();
    for layout in [Layout::Neighbouring, Layout::Spread] {
        for cohorts in COHORTS {
            runs.push(run(layout, cohorts, watch)?);
        }
    }
    Ok(vec![
        row(
            "open_batch",
            "ref_time",
            &points(&runs, |r| r.open.ref_time),
        ),
        row(
            "settle and rest",
            "ref_time",
            &points(&runs, |r| r.total().ref_time - r.open.ref_time),
        ),
        row(
            "open_batch",
            "proof_size",
            &points(&runs, |r| r.open.proof_size),
        ),
        row(
            "settle and rest",
            "proof_size",
            &points(&runs, |r| r.total().proof_size - r.open.proof_size),
        ),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plane_is_found_from_its_points() {
        let plane = |cohorts: f64, pages: f64| [cohorts, pages, 5e9 + 3e8 * cohorts + 2e8 * pages];
        let points = [
            plane(1.0, 1.0),
            plane(8.0, 1.0),
            plane(8.0, 8.0),
            plane(64.0, 3.0),
        ];
        let found = fit(&points);
        for (found, right) in found.into_iter().zip([5e9, 3e8, 2e8]) {
            assert!((found / right - 1.0).abs() < 1e-6, "{found} is not {right}");
        }
        assert_eq!(fit(&points[..1]), [0.0; 3]);
    }
}
