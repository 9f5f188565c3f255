//! Block production. These functions run inside [`State::execute`](super::state::State::execute).

use contracts_node_runtime::{
    BlockNumber, Executive, Hash, Header, Runtime, RuntimeCall, System, TimestampCall,
    UncheckedExtrinsic,
};
use sp_runtime::traits::Header as _;

/// Least time between two blocks the runtime accepts, in milliseconds.
pub(super) fn min_block_time() -> u64 {
    <Runtime as pallet_timestamp::Config>::MinimumPeriod::get()
}

/// Opens block `number` at `time` (milliseconds since the Unix epoch).
///
/// `time` must be at least [`min_block_time`] after the parent's.
pub(super) fn open(number: BlockNumber, parent: Hash, time: u64) {
    // The two roots are the block author's to find: the runtime fills them in when it closes.
    let unknown = Hash::zero();
    let header = Header::new(number, unknown, unknown, parent, Default::default());
    Executive::initialize_block(&header);
    let inherent =
        UncheckedExtrinsic::new_unsigned(RuntimeCall::Timestamp(TimestampCall::set { now: time }));
    Executive::apply_extrinsic(inherent)
        .expect("an inherent needs no signature and the block is empty; qed")
        .expect("the clock advances by at least the minimum period; qed");
}

/// Closes the open block and returns its hash.
pub(super) fn close() -> Hash {
    Executive::finalize_block().hash()
}

/// Number of the open block.
pub(super) fn number() -> BlockNumber {
    System::block_number()
}

/// Timestamp of the open block, in milliseconds since the Unix epoch.
pub(super) fn time() -> u64 {
    contracts_node_runtime::Timestamp::get()
}
