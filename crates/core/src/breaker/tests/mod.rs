//! F28: the tables are those of the documents, facts trip at their limits, and no state is final.

mod causes;
mod deadlock;
mod facts;
mod tables;
mod together;

use super::*;
use crate::units::{Amount, Block, Ratio};

pub(super) const HOLE: Amount = Amount::new(8_000);

pub(super) fn limits() -> Limits {
    Limits::standard(HOLE)
}

/// Measures of a quiet market, but for one fact just beyond its limit.
pub(super) fn fact(cause: Cause) -> Measures {
    let limits = limits();
    let one_more = |ratio: Ratio| Ratio::from_ppm(u32::try_from(ratio.ppm()).unwrap() + 1);
    let mut m = Measures::default();
    match cause {
        Cause::Jump => m.jump = one_more(limits.jump),
        Cause::Stale => m.age = limits.age + 1,
        Cause::Dispersed => m.dispersion = one_more(limits.dispersion),
        Cause::InAuction => m.in_auction = Amount::new(limits.in_auction.get() + 1),
        Cause::BadDebt => m.bad_debt = Amount::new(limits.bad_debt.get() + 1),
        Cause::Recovery => m.shortfall = one_more(Ratio::ONE.minus(limits.recovery).unwrap()),
        Cause::NoBids => m.silent_steps = limits.silent_steps + 1,
        Cause::Excess => m.excess = one_more(limits.excess),
        Cause::Role | Cause::Markets => {}
    }
    m
}

/// The breaker of all markets, never raised.
pub(super) fn calm() -> Breaker {
    Breaker::default()
}

/// Trips a breaker of its own in the present block.
pub(super) fn trip(breaker: &mut Breaker, cause: Cause, now: Block) -> Result<Stage, BreakerError> {
    breaker.trip(cause, &limits(), &fact(cause), now)
}
