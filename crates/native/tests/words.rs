//! What `crates/rlibc` puts in the place of `memcpy` and its kin does the same, at every offset,
//! length and overlap.

#[path = "../../rlibc/src/words.rs"]
#[allow(clippy::arithmetic_side_effects)]
mod words;

use proptest::prelude::*;

/// More than two turns of the longest loop, and something on either side.
const ROOM: usize = 96;

/// A few distinct values, so that ranges are often equal for long.
fn memory() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), ROOM),
        proptest::collection::vec(0u8..2, ROOM),
        Just(vec![7; ROOM]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    /// `memmove`: as if through a third place, whichever way the ranges overlap.
    #[test]
    fn copies_between_overlapping_ranges(
        memory in memory(), from in 0..ROOM, to in 0..ROOM, n in 0..=ROOM,
    ) {
        let n = n.min(ROOM - from.max(to));
        let mut expected = memory.clone();
        expected.copy_within(from..from + n, to);
        let mut copied = memory;
        let base = copied.as_mut_ptr();
        // Both ranges lie inside of it.
        unsafe { words::copy(base.add(to), base.add(from), n) };
        prop_assert_eq!(copied, expected);
    }

    /// `memcpy`: between two places.
    #[test]
    fn copies_between_two_places(
        memory in memory(), other in memory(), from in 0..ROOM, to in 0..ROOM, n in 0..=ROOM,
    ) {
        let n = n.min(ROOM - from.max(to));
        let mut expected = other.clone();
        expected[to..to + n].copy_from_slice(&memory[from..from + n]);
        let mut copied = other;
        unsafe { words::copy_up(copied.as_mut_ptr().add(to), memory.as_ptr().add(from), n) };
        prop_assert_eq!(copied, expected);
    }

    /// `memset`.
    #[test]
    fn fills(memory in memory(), from in 0..ROOM, n in 0..=ROOM, byte in any::<u8>()) {
        let n = n.min(ROOM - from);
        let mut expected = memory.clone();
        expected[from..from + n].fill(byte);
        let mut filled = memory;
        unsafe { words::fill(filled.as_mut_ptr().add(from), byte, n) };
        prop_assert_eq!(filled, expected);
    }

    /// `memcmp`: ranges are in the order of their first bytes that differ.
    #[test]
    fn compares(one in memory(), other in memory(), at in 0..ROOM, n in 0..=ROOM, same in any::<bool>()) {
        let n = n.min(ROOM - at);
        let mut other = other;
        if same {
            other.clone_from(&one);
            // All the same but for one byte at most.
            if let Some(last) = other.get_mut(at + n / 2) {
                *last = last.wrapping_add(u8::from(n % 3 == 0));
            }
        }
        let order = unsafe { words::compare(one.as_ptr().add(at), other.as_ptr().add(at), n) };
        prop_assert_eq!(order.cmp(&0), one[at..at + n].cmp(&other[at..at + n]));
    }
}
