//! Block production. These functions run inside [`State::execute`](super::state::State::execute).

use contracts_node_runtime::{BlockNumber, Hash, Header};
use frame_support::traits::Get;
use sp_runtime::traits::Header as _;

use super::runtime::Runtime;

/// Least time between two blocks the runtime accepts, in milliseconds.
pub(super) fn min_block_time<R: Runtime>() -> u64 {
    <R as pallet_timestamp::Config>::MinimumPeriod::get()
}

/// Opens block `number` at `time` (milliseconds since the Unix epoch).
///
/// `time` must be at least [`min_block_time`] after the parent's.
pub(super) fn open<R: Runtime>(number: BlockNumber, parent: Hash, time: u64) {
    // The two roots are the block author's to find: the runtime fills them in when it closes.
    let unknown = Hash::zero();
    R::initialize_block(&Header::new(
        number,
        unknown,
        unknown,
        parent,
        Default::default(),
    ));
    R::set_time(time);
}

/// Closes the open block and returns its hash.
pub(super) fn close<R: Runtime>() -> Hash {
    R::finalize_block().hash()
}

/// Number of the open block.
pub(super) fn number<R: Runtime>() -> BlockNumber {
    R::block_number()
}

/// Timestamp of the open block, in milliseconds since the Unix epoch.
pub(super) fn time<R: Runtime>() -> u64 {
    pallet_timestamp::Pallet::<R>::get()
}
