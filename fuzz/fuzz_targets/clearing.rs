#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| breakwater_native::targets::clearing(data));
