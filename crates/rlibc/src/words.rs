//! Memory by words of eight bytes, which WebAssembly loads and stores at any address.

const WORD: usize = 8;

/// Words that one turn of a loop copies.
const TURN: usize = 4 * WORD;

#[inline(always)]
unsafe fn load(from: *const u8) -> u64 {
    from.cast::<u64>().read_unaligned()
}

#[inline(always)]
unsafe fn store(to: *mut u8, word: u64) {
    to.cast::<u64>().write_unaligned(word);
}

/// Copies `n` bytes from the lowest address up.
///
/// # Safety
/// Both ranges are valid; where they overlap, `dest` is not above `src`.
#[inline(always)]
pub unsafe fn copy_up(mut dest: *mut u8, mut src: *const u8, mut n: usize) {
    while n >= TURN {
        // One after the other: what is loaded may be what was just stored.
        store(dest, load(src));
        store(dest.add(WORD), load(src.add(WORD)));
        store(dest.add(2 * WORD), load(src.add(2 * WORD)));
        store(dest.add(3 * WORD), load(src.add(3 * WORD)));
        (dest, src, n) = (dest.add(TURN), src.add(TURN), n - TURN);
    }
    while n >= WORD {
        store(dest, load(src));
        (dest, src, n) = (dest.add(WORD), src.add(WORD), n - WORD);
    }
    while n > 0 {
        *dest = *src;
        (dest, src, n) = (dest.add(1), src.add(1), n - 1);
    }
}

/// Copies `n` bytes from the highest address down.
///
/// # Safety
/// Both ranges are valid; where they overlap, `dest` is not under `src`.
#[inline(always)]
pub unsafe fn copy_down(dest: *mut u8, src: *const u8, mut n: usize) {
    while n >= WORD {
        n -= WORD;
        store(dest.add(n), load(src.add(n)));
    }
    while n > 0 {
        n -= 1;
        *dest.add(n) = *src.add(n);
    }
}

/// Copies `n` bytes between ranges that may overlap.
///
/// # Safety
/// Both ranges are valid.
#[inline(always)]
pub unsafe fn copy(dest: *mut u8, src: *const u8, n: usize) {
    // Wraps where the destination is under the source.
    if (dest as usize).wrapping_sub(src as usize) < n {
        copy_down(dest, src, n);
    } else {
        copy_up(dest, src, n);
    }
}

/// Sets `n` bytes.
///
/// # Safety
/// The range is valid.
#[inline(always)]
pub unsafe fn fill(mut dest: *mut u8, byte: u8, mut n: usize) {
    let word = u64::from(byte) * 0x0101_0101_0101_0101;
    while n >= WORD {
        store(dest, word);
        (dest, n) = (dest.add(WORD), n - WORD);
    }
    while n > 0 {
        *dest = byte;
        (dest, n) = (dest.add(1), n - 1);
    }
}

/// The order of two ranges of `n` bytes: the difference of the first bytes that differ, or zero.
///
/// # Safety
/// Both ranges are valid.
#[inline(always)]
pub unsafe fn compare(mut one: *const u8, mut other: *const u8, mut n: usize) -> i32 {
    while n >= WORD && load(one) == load(other) {
        (one, other, n) = (one.add(WORD), other.add(WORD), n - WORD);
    }
    while n > 0 {
        let (a, b) = (*one, *other);
        if a != b {
            return i32::from(a) - i32::from(b);
        }
        (one, other, n) = (one.add(1), other.add(1), n - 1);
    }
    0
}
