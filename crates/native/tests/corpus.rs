//! The inputs that fuzzing found worth keeping (`fuzz/seeds`), through the same functions: they
//! cannot rot, and a fault that was found once stays found. And some random bytes for each.

use breakwater_native::acts::random;
use breakwater_native::targets::TARGETS;
use rand_chacha::rand_core::RngCore;
use std::fs;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::Path;

#[test]
fn the_kept_corpus_breaks_no_promise() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    for (name, target) in TARGETS {
        let files = fs::read_dir(seeds.join(name)).expect("a folder of seeds");
        let mut bytes = 0;
        for file in files {
            let path = file.expect("a file").path();
            let data = fs::read(&path).expect("readable");
            bytes += data.len();
            let lived = catch_unwind(AssertUnwindSafe(|| target(&data)));
            assert!(lived.is_ok(), "{} breaks {name}", path.display());
        }
        assert!(
            (1..=24 * 1_024).contains(&bytes),
            "{name} keeps {bytes} bytes"
        );
    }
}

#[test]
fn random_bytes_break_no_promise() {
    for (name, target) in TARGETS {
        for number in 0..300 {
            let mut random = random(number);
            let mut data = vec![0; random.next_u32() as usize % 1_100];
            random.fill_bytes(&mut data);
            let lived = catch_unwind(AssertUnwindSafe(|| target(&data)));
            assert!(lived.is_ok(), "random bytes {number} break {name}");
        }
    }
}
