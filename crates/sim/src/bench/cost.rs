//! What a message costs, and what that is compared with.

use breakwater_chain::{Gas, Receipt};
use serde::Serialize;

/// Cost of one message, or the sum of several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// Execution time on the reference machine, picoseconds.
    pub ref_time: u64,
    /// Storage proof, bytes.
    pub proof_size: u64,
    /// Storage deposit taken, negative where it was given back; native token's smallest unit.
    pub deposit: i128,
    /// Fee without the deposit; native token's smallest unit.
    pub fee: u128,
}

/// One liquidation of one account by Abax, the one ink! lending protocol that went live: its
/// released contracts with two assets, measured on the same runtime.
pub const ABAX: Cost = Cost {
    ref_time: 14_830_000_000,
    proof_size: 1_330_000,
    deposit: 0,
    fee: 0,
};

/// Proof that the contracts of one parachain block may take: three quarters of 5 MB.
pub const PARACHAIN_PROOF: u64 = 3_750_000;

impl Cost {
    /// What a receipt says.
    #[must_use]
    pub fn of<T>(receipt: &Receipt<T>) -> Self {
        Self {
            ref_time: receipt.gas_consumed.ref_time,
            proof_size: receipt.gas_consumed.proof_size,
            deposit: receipt.storage_deposit,
            fee: receipt.fee,
        }
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            ref_time: self.ref_time.saturating_add(other.ref_time),
            proof_size: self.proof_size.saturating_add(other.proof_size),
            deposit: self.deposit.saturating_add(other.deposit),
            fee: self.fee.saturating_add(other.fee),
        }
    }

    /// The larger in each dimension.
    #[must_use]
    pub fn larger(self, other: Self) -> Self {
        Self {
            ref_time: self.ref_time.max(other.ref_time),
            proof_size: self.proof_size.max(other.proof_size),
            deposit: self.deposit.max(other.deposit),
            fee: self.fee.max(other.fee),
        }
    }

    /// Whether both dimensions of weight are under so many Abax liquidations.
    #[must_use]
    pub fn under_abax(self, times: u64) -> bool {
        self.ref_time < ABAX.ref_time * times && self.proof_size < ABAX.proof_size * times
    }

    /// Whether both dimensions of weight are within two percent of another's.
    #[must_use]
    pub fn within_two_percent(self, other: Self) -> bool {
        let within = |a: u64, b: u64| a.abs_diff(b).saturating_mul(50) <= a.min(b);
        within(self.ref_time, other.ref_time) && within(self.proof_size, other.proof_size)
    }

    /// Share of what a chain's block holds, the larger of the dimensions that are limited.
    #[must_use]
    pub fn share_of_block(self, block: Gas) -> f64 {
        let time = ratio(self.ref_time, block.ref_time);
        // A chain that produces its own blocks proves nothing: its limit is no number to compare.
        if block.proof_size >= u64::MAX / 4 {
            time
        } else {
            time.max(ratio(self.proof_size, block.proof_size))
        }
    }
}

/// A quotient for people to read.
#[must_use]
pub fn ratio(part: u64, whole: u64) -> f64 {
    #[allow(clippy::cast_precision_loss)] // shown with a few digits
    let quotient = part as f64 / whole.max(1) as f64;
    quotient
}
