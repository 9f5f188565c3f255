//! The auction and its extension: one contract in two pieces of code.
//!
//! Every call pays for the bytes of the code it loads. So the sources are compiled twice.
//! `liquidation_auction` holds the code of what bidders and batches do every day; the rest begins
//! with [`LiquidationAuction::hand_over`], which runs the code of `auction_ext` on the auction's
//! own storage. The extension's hash is fixed at construction. Callers see one contract at one
//! address (`docs/decisions/0032-one-auction-in-two-pieces-of-code.md`).

use crate::liquidation_auction::LiquidationAuction;
use breakwater_interfaces::Env;
use ink::env::call::{build_call, ExecutionInput, Selector};
use ink::env::CallFlags;

/// Whether this is the extension's code.
const IS_EXT: bool = matches!(env!("CARGO_PKG_NAME").as_bytes(), b"auction_ext");

impl LiquidationAuction {
    /// Begins a message whose code is in the extension: the auction passes the call on as it came
    /// and answers what the extension answers.
    #[inline(always)]
    pub(crate) fn hand_over(&self) {
        if !IS_EXT {
            self.run_ext()
        }
    }

    /// Begins a message whose code is in the auction itself; the extension has no such message.
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
    unimplemented!("the auction runs on a chain")
}
