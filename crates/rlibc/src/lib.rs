//! `memcpy` and its kin for contracts.
//!
//! ink! links the crate `rlibc`, whose functions go byte by byte. A chain charges for instructions,
//! and in contracts that hand structs about these loops were a third of all of them. This crate
//! has the same name and the same functions and goes by words.
#![no_std]
// Or the compiler would make of each loop a call of the function that it is in.
#![no_builtins]

pub mod words;

#[cfg(target_arch = "wasm32")]
mod symbols {
    use crate::words;

    #[no_mangle]
    unsafe extern "C" fn memcpy(dest: *mut u8, src: *const u8, n: usize) -> *mut u8 {
        words::copy_up(dest, src, n);
        dest
    }

    #[no_mangle]
    unsafe extern "C" fn memmove(dest: *mut u8, src: *const u8, n: usize) -> *mut u8 {
        words::copy(dest, src, n);
        dest
    }

    #[no_mangle]
    unsafe extern "C" fn memset(dest: *mut u8, byte: i32, n: usize) -> *mut u8 {
        words::fill(dest, byte as u8, n);
        dest
    }

    #[no_mangle]
    unsafe extern "C" fn memcmp(one: *const u8, other: *const u8, n: usize) -> i32 {
        words::compare(one, other, n)
    }

    #[no_mangle]
    unsafe extern "C" fn bcmp(one: *const u8, other: *const u8, n: usize) -> i32 {
        words::compare(one, other, n)
    }
}
