//! Another contract as a feeder: how its answer becomes a submission.

use super::{OracleError, Submission};
use crate::units::{Millis, Price};
use alloc::string::String;
use scale::{Decode, Encode};
use scale_info::TypeInfo;

/// Decimals of a [`Price`].
const PRICE_DECIMALS: u32 = 18;

/// The most decimals a source may have.
pub const MAX_SOURCE_DECIMALS: u8 = 36;

/// The longest name of a pair.
pub const MAX_PAIR: usize = 32;

/// How a source is asked, and what its answer means.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct SourceConfig {
    /// Name of the pair, as the source knows it.
    pub pair: String,
    /// Decimals of its prices.
    pub decimals: u8,
    /// Milliseconds per unit of its timestamps: 1, or 1 000 for seconds.
    pub tick: Millis,
    /// The most computation one answer may take, picoseconds; not zero, which would mean all.
    pub ref_time: u64,
    /// The most proof one answer may take, bytes; not zero either.
    pub proof_size: u64,
}

impl SourceConfig {
    /// Checks the bounds.
    ///
    /// # Errors
    /// [`OracleError::InvalidConfig`].
    pub fn validate(&self) -> Result<(), OracleError> {
        if self.pair.len() > MAX_PAIR
            || self.decimals > MAX_SOURCE_DECIMALS
            || self.tick == 0
            || self.ref_time == 0
            || self.proof_size == 0
        {
            return Err(OracleError::InvalidConfig);
        }
        Ok(())
    }

    /// The submission that an answer stands for; the price is rounded down.
    ///
    /// # Errors
    /// [`OracleError::InvalidPrice`] or [`OracleError::FromTheFuture`] where a number does not fit.
    pub fn submission(&self, timestamp: u64, price: u128) -> Result<Submission, OracleError> {
        let at = timestamp
            .checked_mul(self.tick)
            .ok_or(OracleError::FromTheFuture)?;
        let decimals = u32::from(self.decimals);
        let factor = 10u128
            .checked_pow(decimals.abs_diff(PRICE_DECIMALS))
            .ok_or(OracleError::InvalidPrice)?;
        let price = if decimals <= PRICE_DECIMALS {
            price.checked_mul(factor)
        } else {
            price.checked_div(factor)
        };
        Ok(Submission {
            price: Price::new(price.ok_or(OracleError::InvalidPrice)?),
            at,
        })
    }
}
