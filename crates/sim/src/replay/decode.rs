//! Events of the contracts by their types.

use breakwater_chain::ContractEvent;
use breakwater_interfaces::auction::{
    AuctionCleared, AuctionExtended, AuctionOpened, AuctionSettled, BalanceChanged, BidCancelled,
    BidPlaced, BidReplaced, BidsClaimed, MarketRegistered, OwnerLeft,
};
use breakwater_interfaces::breaker::{LimitsSet, StageChanged};
use breakwater_interfaces::governance::RolesChanged;
use breakwater_interfaces::standing::{StandingChanged, StandingClaimed, StandingFilled};
use breakwater_interfaces::vault::{
    BatchExtended, BatchLeft, BatchOpened, BatchRested, BatchSettled, Borrowed, Deposited,
    MarketCreated, PositionSynced, Reclaimed, Redeemed, Repaid, RewardClaimed, Supplied, Withdrawn,
};
use breakwater_interfaces::vault_admin::{AuctionNamed, MarketChanged};

macro_rules! events_of {
    ($(#[$doc:meta])* $name:ident: $($event:ident),* $(,)?) => {
        $(#[$doc])*
        // Decoded, applied and dropped one by one.
        #[allow(clippy::large_enum_variant, missing_docs)]
        pub enum $name {
            $($event($event)),*
        }

        impl $name {
            /// The names of all of them.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($event)),*];

            /// The name of this one.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$event(_) => stringify!($event)),*
                }
            }

            /// The event; `None` where it is of no type that the contract emits.
            ///
            /// # Errors
            /// Its name, where its data is not of its type.
            pub fn decode(event: &ContractEvent) -> Result<Option<Self>, &'static str> {
                $(
                    if let Some(decoded) = event.decode::<$event>() {
                        let decoded = decoded.map_err(|_| stringify!($event))?;
                        return Ok(Some(Self::$event(decoded)));
                    }
                )*
                Ok(None)
            }
        }
    };
}

events_of!(
    /// An event of the margin vault.
    VaultEvent: MarketCreated, Supplied, Redeemed, Deposited, Withdrawn, Borrowed, Repaid,
    Reclaimed, PositionSynced, BatchRested, RewardClaimed, BatchOpened, BatchExtended, BatchLeft,
    BatchSettled, MarketChanged, AuctionNamed, RolesChanged,
);

events_of!(
    /// An event of the liquidation auction.
    AuctionEvent: MarketRegistered, BalanceChanged, AuctionOpened, AuctionExtended, OwnerLeft,
    BidPlaced, BidReplaced, BidCancelled, AuctionCleared, AuctionSettled, BidsClaimed,
    StandingChanged, StandingClaimed, StandingFilled, StageChanged, LimitsSet, RolesChanged,
);
