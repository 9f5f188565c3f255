//! What the slow model expects insurance to pay for a lot that nobody bid for.

use crate::scale::{fix, times, Fix};
use crate::slow::{Place, Slow};
use num_traits::{Signed, Zero};

impl Slow {
    /// Riskiest first: a group is bought whole where the allowance covers its price and what that
    /// writes off; the first one that it does not cover is bought in part where its collateral is
    /// worth more than its debt, and nothing after it. `None` where a unit decides.
    pub fn insurance_pays(&self, number: u32, floor: u128, allowance: u128) -> Option<Fix> {
        let batch = &self.batches[&number];
        let off = fix(self.off_quote(floor) + 4 * batch.lots.len() as u128);
        let near = |a: &Fix, b: &Fix| (a - b).abs() <= off;
        let (mut left, mut pays, mut ended) = (fix(allowance), Fix::zero(), false);
        for (rank, lot) in &batch.lots {
            let (collateral, _) = self.totals(Place::Batch(number, *rank));
            let (worth, owed) = (self.value(&collateral, floor), fix(lot.debt));
            let is_dust = |kept: &Fix, unpaid: &Fix| kept * 10_000u32 < *unpaid;
            if ended {
                if is_dust(&(&worth - &off), &owed) {
                    return None;
                }
                continue;
            }
            let full = worth.clone().min(fix(lot.target));
            let usual = times(&full, lot.retire, lot.target);
            let harmless = if worth > owed {
                &full * &owed / &worth
            } else {
                full.clone()
            };
            let repaid = usual.max(harmless).min(full.clone()).min(owed.clone());
            let (kept, unpaid) = (&worth - &full, &owed - &repaid);
            // On the edge of dust, or of an empty cohort that owes a speck.
            let rest = &kept * 10_000u32;
            let edge = (&rest - &unpaid).abs() <= &off * 10_000u32;
            if edge && !near(&unpaid, &Fix::zero()) && !near(&kept, &Fix::zero()) {
                return None;
            }
            let sold_out = near(&kept, &Fix::zero()) || is_dust(&kept, &unpaid);
            let covered = if sold_out { unpaid } else { Fix::zero() };
            let cost = &full + covered;
            if near(&cost, &left) || near(&worth, &owed) {
                return None;
            }
            if cost < left {
                left -= cost;
                pays += full;
                continue;
            }
            ended = true;
            if worth > owed {
                pays += left.clone().min(full);
            }
        }
        Some(pays)
    }
}
