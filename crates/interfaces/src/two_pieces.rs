//! One contract in two pieces of code.
//!
//! Every call pays for the bytes of the code it loads, and a chain takes only so many of them. So
//! the sources of a large contract are compiled twice, under two package names. The first piece
//! holds the code of what happens every day; any other message begins with
//! [`TwoPieces::hand_over`], which runs the code of the second, the extension, on the contract's
//! own storage. The extension's hash is fixed at construction. Callers see one contract at one
//! address (`docs/decisions/0013-one-vault-in-two-pieces-of-code.md`).

use crate::Env;
use ink::env::call::{build_call, ExecutionInput, Selector};
use ink::env::CallFlags;
use ink::primitives::Hash;

/// A contract whose sources are compiled twice.
pub trait TwoPieces {
    /// Whether this is the extension's code: the package's name tells.
    const IS_EXT: bool;

    /// The hash of the extension's code.
    fn ext(&self) -> Hash;

    /// Begins a message whose code is in the extension: the contract passes the call on as it came
    /// and answers what the extension answers.
    #[inline(always)]
    fn hand_over(&self) {
        if !Self::IS_EXT {
            run(self.ext())
        }
    }

    /// Begins a message whose code is in the contract itself; the extension has no such message.
    #[inline(always)]
    fn keep(&self) {
        if Self::IS_EXT {
            stop()
        }
    }
}

#[inline(never)]
fn run(ext: Hash) -> ! {
    // A tail call does not come back unless it could not begin.
    let _ = build_call::<Env>()
        .delegate(ext)
        .call_flags(CallFlags::FORWARD_INPUT | CallFlags::TAIL_CALL)
        .exec_input(ExecutionInput::new(Selector::new([0; 4])))
        .returns::<()>()
        .try_invoke();
    stop()
}

/// Ends the call; everything it did is undone.
fn stop() -> ! {
    #[cfg(target_arch = "wasm32")]
    core::arch::wasm32::unreachable();
    #[cfg(not(target_arch = "wasm32"))]
    unimplemented!("contracts run on a chain")
}
