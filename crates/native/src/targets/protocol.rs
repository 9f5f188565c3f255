//! The whole protocol, act by act.

use crate::acts::{begin, prelude, Act, Cast};
use crate::checks::{everybody_leaves, live, Tally};
use crate::Addresses;

/// Bytes of one act.
const ACT: usize = 10;

/// The most acts: longer inputs find little more and cost time.
const MOST: usize = 150;

/// A history: the first byte chooses the market, every ten more are an act. All checks after every
/// step, and everybody out at the end.
///
/// # Panics
/// Where a promise is broken.
pub fn protocol(data: &[u8]) {
    let Some((variant, rest)) = data.split_first() else {
        return;
    };
    let (cast, mut tally) = (Cast::made_up(), Tally::default());
    let clock = (1, 1_000_000);
    let begun = begin(Addresses::made_up(), &cast, u32::from(*variant), clock);
    let mut n = begun.expect("every variant is valid");
    for act in prelude() {
        live(&mut n, &cast, act, &mut tally);
    }
    for bytes in rest.chunks_exact(ACT).take(MOST) {
        let number = |at: usize| {
            u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        let act = Act {
            kind: bytes[0],
            who: bytes[1],
            a: number(2),
            b: number(6),
        };
        live(&mut n, &cast, act, &mut tally);
    }
    let left = everybody_leaves(n, &cast);
    let (done, _) = tally.sum();
    assert!(left.quote <= 4 * u128::from(done) + 100, "{left:?} is left");
}
