//! What an error means for a bot: `docs/bots.md` has the same table for operators.

use breakwater_chain::{CallError, DepositError};
use breakwater_core::auction::AuctionError;
use breakwater_core::breaker::BreakerError;
use breakwater_core::ledger::LedgerError;
use breakwater_core::margin::MarginError;
use breakwater_core::oracle::OracleError;
use breakwater_interfaces::auction::AuctionContractError;
use breakwater_interfaces::token::PSP22Error;
use breakwater_interfaces::vault::VaultError;

/// What an error means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Somebody else was first: the work is done.
    Outcompeted,
    /// The protocol says: later.
    NotNow,
    /// The account lacks money.
    Funds,
    /// The chain does not answer: tried again after a pause.
    Transient,
    /// Somebody has to look.
    Fault,
}

impl Class {
    /// As a metric label.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Outcompeted => "outcompeted",
            Self::NotNow => "not_now",
            Self::Funds => "funds",
            Self::Transient => "transient",
            Self::Fault => "fault",
        }
    }
}

/// An error that has a class.
pub trait Classed {
    /// What it means.
    fn class(&self) -> Class;
}

impl<E: Classed> Classed for CallError<E> {
    fn class(&self) -> Class {
        match self {
            Self::Reverted(error) => error.class(),
            Self::Transport(_) => Class::Transient,
            Self::FeeUnpaid { .. } | Self::StorageDeposit(DepositError::NotEnoughFunds) => {
                Class::Funds
            }
            _ => Class::Fault,
        }
    }
}

impl Classed for AuctionContractError {
    fn class(&self) -> Class {
        match self {
            // A bid or a claim of the own that is not there any more has been fetched already.
            Self::UnknownBid => Class::Outcompeted,
            Self::InsufficientBalance => Class::Funds,
            Self::Auction(error) => error.class(),
            Self::Vault(error) => error.class(),
            Self::Breaker(error) => error.class(),
            Self::VaultUnavailable | Self::OracleUnavailable => Class::NotNow,
            // In a deposit: too few tokens or no approval.
            Self::Token(_) => Class::Funds,
            // Among them what only governors and guardians send, and what standing bids meet.
            _ => Class::Fault,
        }
    }
}

impl Classed for BreakerError {
    fn class(&self) -> Class {
        match self {
            // What was closed is open already.
            Self::AlreadyTripped | Self::NotLower => Class::Outcompeted,
            // A stop is the protocol at work: it ends by itself or by the governor.
            Self::Stopped(_)
            | Self::GracePeriod
            | Self::Locked
            | Self::CoolingOff
            | Self::CauseRemains(_)
            // The fact has ended since.
            | Self::WithinBounds => Class::NotNow,
            Self::NotHigher | Self::InvalidLimits => Class::Fault,
        }
    }
}

impl Classed for AuctionError {
    fn class(&self) -> Class {
        match self {
            Self::BiddingEnded | Self::AlreadySettled | Self::BiddingBegun => Class::Outcompeted,
            Self::BiddingOpen
            | Self::ExpiresBeforeJoining
            | Self::BidHasJoined
            | Self::NotSettled
            | Self::Halted
            | Self::PriceInRange => Class::NotNow,
            Self::LimitUnderFloor | Self::BudgetTooSmall | Self::Math(_) => Class::Fault,
        }
    }
}

impl Classed for VaultError {
    fn class(&self) -> Class {
        match self {
            Self::OracleUnavailable | Self::Stopped => Class::NotNow,
            Self::NothingToClaim => Class::Outcompeted,
            Self::Token(_) => Class::NotNow,
            Self::Ledger(error) => error.class(),
            // Somebody has had the margin follow.
            Self::Margin(MarginError::TooSoon) => Class::Outcompeted,
            Self::Margin(MarginError::NotMeasured) => Class::NotNow,
            _ => Class::Fault,
        }
    }
}

impl Classed for LedgerError {
    fn class(&self) -> Class {
        match self {
            Self::NothingToLiquidate | Self::BatchSettled => Class::Outcompeted,
            Self::StalePrice
            | Self::RoundTooFresh
            | Self::RoundChanged
            | Self::TooManyBatches
            | Self::BatchTooSmall
            | Self::HoleFull
            | Self::FloorAboveSpot => Class::NotNow,
            _ => Class::Fault,
        }
    }
}

impl Classed for OracleError {
    fn class(&self) -> Class {
        match self {
            Self::Replayed => Class::Outcompeted,
            Self::FromTheFuture | Self::TooOld | Self::SourceFailed => Class::NotNow,
            _ => Class::Fault,
        }
    }
}

impl Classed for PSP22Error {
    fn class(&self) -> Class {
        Class::Funds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_race_that_was_lost_is_no_fault() {
        let auction = |error| CallError::Reverted(AuctionContractError::Auction(error)).class();
        let ledger =
            |error| CallError::Reverted(AuctionContractError::Vault(VaultError::Ledger(error)));
        let gone = AuctionContractError::UnknownBid;
        for (found, expected) in [
            (auction(AuctionError::AlreadySettled), Class::Outcompeted),
            (auction(AuctionError::BiddingEnded), Class::Outcompeted),
            (auction(AuctionError::Halted), Class::NotNow),
            (auction(AuctionError::BudgetTooSmall), Class::Fault),
            (
                ledger(LedgerError::NothingToLiquidate).class(),
                Class::Outcompeted,
            ),
            (ledger(LedgerError::RoundTooFresh).class(), Class::NotNow),
            (CallError::Reverted(gone).class(), Class::Outcompeted),
            (CallError::<PSP22Error>::Trapped.class(), Class::Fault),
            (
                CallError::<PSP22Error>::FeeUnpaid { fee: 1 }.class(),
                Class::Funds,
            ),
            (
                CallError::<PSP22Error>::Transport(String::new()).class(),
                Class::Transient,
            ),
        ] {
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_stop_of_the_breaker_is_waited_for_and_a_lack_of_rights_is_not() {
        use breakwater_core::breaker::Stage;
        for (error, expected) in [
            (
                AuctionContractError::Breaker(BreakerError::Stopped(Stage::Halted)),
                Class::NotNow,
            ),
            (
                AuctionContractError::Breaker(BreakerError::GracePeriod),
                Class::NotNow,
            ),
            (
                AuctionContractError::Vault(VaultError::Stopped),
                Class::NotNow,
            ),
            (AuctionContractError::OracleUnavailable, Class::NotNow),
            (AuctionContractError::AmountTooSmall, Class::Fault),
            (AuctionContractError::NotGuardian, Class::Fault),
        ] {
            assert_eq!(error.class(), expected, "{error:?}");
        }
    }

    #[test]
    fn upkeep_that_another_keeper_has_done_is_a_lost_race() {
        let breaker = |error| AuctionContractError::Breaker(error).class();
        for (found, expected) in [
            (breaker(BreakerError::AlreadyTripped), Class::Outcompeted),
            (breaker(BreakerError::NotLower), Class::Outcompeted),
            (breaker(BreakerError::WithinBounds), Class::NotNow),
            (
                VaultError::Margin(MarginError::TooSoon).class(),
                Class::Outcompeted,
            ),
            (
                VaultError::Margin(MarginError::NotMeasured).class(),
                Class::NotNow,
            ),
        ] {
            assert_eq!(found, expected);
        }
    }
}
