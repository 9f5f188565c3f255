//! Ending a message without writing the root cell.

use ink::env::{return_value, ReturnFlags};
use ink::MessageResult;
use scale::Encode;

/// Ends a message of type `Result<T, E>` with `Ok(value)`, and the root cell stays as it is in
/// storage: ink! would write it again after every message that takes `&mut self`, for as much as
/// any other cell. Only for messages that change nothing in it; cells with keys of their own have
/// been written by then. An `Err` is returned as usual.
pub fn end_root_unwritten<T: Encode, E: Encode>(value: T) -> ! {
    return_value::<MessageResult<Result<T, E>>>(ReturnFlags::empty(), &Ok(Ok(value)))
}
