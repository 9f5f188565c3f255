//! The vault and its extension: one contract in two pieces of code.
//!
//! The whole vault is larger than a chain accepts, and every call pays for the bytes of the code
//! it loads. So the sources are compiled twice. `margin_vault` holds the code of what borrowers,
//! lenders and batches do every day; the rest begins with [`MarginVault::hand_over`], which runs
//! the code of `vault_ext` on the vault's own storage. The extension's hash is fixed at
//! construction. Callers see one contract at one address
//! (`docs/decisions/0013-one-vault-in-two-pieces-of-code.md`).

use crate::margin_vault::MarginVault;
use breakwater_interfaces::Env;
use ink::env::call::{build_call, ExecutionInput, Selector};
use ink::env::CallFlags;

/// Whether this is the extension's code.
const IS_EXT: bool = matches!(env!("CARGO_PKG_NAME").as_bytes(), b"vault_ext");

impl MarginVault {
    /// Begins a message whose code is in the extension: the vault passes the call on as it came
    /// and answers what the extension answers.
    #[inline(always)]
    pub(crate) fn hand_over(&self) {
        if !IS_EXT {
            self.run_ext()
        }
    }

    /// Begins a message whose code is in the vault itself; the extension has no such message.
    #[inline(always)]
    pub(crate) fn keep(&self) {
        if IS_EXT {
            stop()
        }
    }

    #[inline(never)]
    fn run_ext(&self) -> ! {
        // A tail call does not come back unless it could not begin.
        let _ = build_call::<Env>()
            .delegate(self.config.ext)
            .call_flags(CallFlags::FORWARD_INPUT | CallFlags::TAIL_CALL)
            .exec_input(ExecutionInput::new(Selector::new([0; 4])))
            .returns::<()>()
            .try_invoke();
        stop()
    }
}

/// Ends the call; everything it did is undone.
fn stop() -> ! {
    #[cfg(target_arch = "wasm32")]
    core::arch::wasm32::unreachable();
    #[cfg(not(target_arch = "wasm32"))]
    unimplemented!("the vault runs on a chain")
}
