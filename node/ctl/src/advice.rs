//! What to do about a contract's refusal.

/// A refusal's name, as it stands in an error, and what to do about it.
const ADVICE: &[(&str, &str)] = &[
    ("InsufficientBalance", "the account holds less than that"),
    ("InsufficientAllowance", "approve the amount first"),
    (
        "InsufficientCollateral",
        "`position` says how much there is",
    ),
    (
        "ExceedsInitialLtv",
        "take less, or add collateral: `position` says how much may be borrowed and withdrawn",
    ),
    ("RatioBelowScale", "borrow more, or deposit less collateral"),
    (
        "BelowMinimumDebt",
        "borrow at least the market's least debt, or repay all of it",
    ),
    (
        "DebtCeilingExceeded",
        "the market lends no more: borrow less, or wait",
    ),
    (
        "SupplyCapExceeded",
        "the market takes no more: supply less, or wait",
    ),
    (
        "InsufficientCash",
        "lenders' money is lent out: take less, or wait; `status` says what is there",
    ),
    (
        "InsufficientShares",
        "`position` says how many shares there are",
    ),
    ("TooSmall", "supply more"),
    ("ZeroAmount", "name an amount above zero"),
    ("AmountTooSmall", "name at least the market's least amount"),
    ("NothingOwed", "there is no debt"),
    (
        "PositionInBatch",
        "its batch has to settle first: `position` names it",
    ),
    (
        "StalePrice",
        "the oracle's last price is too old: wait for a new one; `status` says its age",
    ),
    (
        "OracleUnavailable",
        "the oracle has no price yet: wait for one; `status` shows it",
    ),
    (
        "RoundTooFresh",
        "the price is of this very block: try again in the next one",
    ),
    (
        "NothingToLiquidate",
        "no position is under water at both of the last two prices: `positions` shows them",
    ),
    ("TooManyBatches", "wait until a batch has settled"),
    ("HoleFull", "wait until a batch has settled"),
    (
        "BatchTooSmall",
        "wait until the running batch has settled, or deposit more: it was sized by all there is",
    ),
    (
        "BiddingEnded",
        "the batch takes no more bids: `status` lists those that run",
    ),
    (
        "BiddingOpen",
        "its auction is still running: `batch` says how long",
    ),
    ("NotSettled", "settle the batch first, or wait for a keeper"),
    ("AlreadySettled", "somebody has settled it"),
    ("BatchSettled", "somebody has settled it"),
    (
        "LimitUnderFloor",
        "a limit under the floor can never join: `batch` shows the floor",
    ),
    (
        "BudgetTooSmall",
        "bid more: enough for a thousand units of each token at the start price",
    ),
    (
        "ExpiresBeforeJoining",
        "name a later --valid-until, or a higher limit",
    ),
    ("BidHasJoined", "a bid whose step has begun stays"),
    (
        "UnknownBatch",
        "there is no such batch: `status` lists those that run",
    ),
    (
        "UnknownBid",
        "it has been claimed or cancelled, or never was",
    ),
    ("NotBidder", "sign with the account that bid"),
    (
        "NothingToClaim",
        "there is nothing to pay out, or somebody has claimed it",
    ),
    (
        "Halted",
        "the circuit breaker has halted the market: `status` shows its stage",
    ),
    (
        "Stopped",
        "the circuit breaker does not allow it now: `status` shows its stage",
    ),
    (
        "WithinBounds",
        "nothing is wrong by the market's limits: no cause to trip",
    ),
    ("AlreadyTripped", "somebody has tripped it"),
    (
        "Locked",
        "the governor lowered the stage lately: facts do not raise it again yet",
    ),
    (
        "WindingDown",
        "the market is wound down: nothing is lent any more, and lenders `collect` instead of \
         redeeming",
    ),
    (
        "NotWindingDown",
        "the market is not wound down: `redeem` shares instead",
    ),
    (
        "NothingToCollect",
        "nothing has come in that the account was not paid: wait until debts are repaid or sold",
    ),
    (
        "NotInKindYet",
        "only in a wind-down older than the market's notice: `status` says whether it is wound down",
    ),
    (
        "NotAuctioned",
        "only after an auction that found too little money for it: `open` one first",
    ),
    (
        "PriceQuarantined",
        "a price waits for confirmation: try again after the feed's next round",
    ),
    (
        "NothingPrepaid",
        "nothing is left over of what was repaid in a batch",
    ),
    (
        "PrepaidUnclaimed",
        "`reclaim` first what was repaid in advance: it would repay the new debt",
    ),
    ("NothingToClose", "the position is empty"),
    (
        "SyncRequired",
        "`sync` the position first: it slept through many batches",
    ),
    (
        "ProvisionTooDeep",
        "too many positions are insolvent to count what they lack: `open` batches of them first",
    ),
    (
        "BatchRunning",
        "its auction has not been settled: `batch` says how long it runs, then `settle` it",
    ),
    (
        "RoundChanged",
        "a price was accepted after the batch was opened: `open` another one",
    ),
    ("NotInBatch", "`position` says which batch it is in"),
    ("UnderTargetHealth", "`repay` or `deposit` first"),
    (
        "FloorAboveSpot",
        "the market's lowest price is too near the present one: wait for a higher price, or for \
         other parameters",
    ),
    (
        "BiddingBegun",
        "its first step has begun: `open` another batch",
    ),
    (
        "PriceInRange",
        "the last two prices are not both above or both under its ladder: it goes on as it is",
    ),
    ("NoSuchTier", "discounts are whole per cent from 2 to 30"),
    (
        "NothingAsked",
        "there is nothing, or nothing was asked: `standing` with --owner says what there is",
    ),
    (
        "NotEnough",
        "`standing` with --owner says how much there is",
    ),
    (
        "TierFull",
        "the tier holds as much as it may: choose another discount",
    ),
    ("NoBids", "name bids of the account"),
    ("NothingProposed", "nothing has been announced"),
    (
        "TooEarly",
        "its notice is not over: the event that announced it says when",
    ),
    ("Lapsed", "the governor has to announce it again"),
    (
        "GracePeriod",
        "after a halt no batch opens for a while: `status` says until which block",
    ),
    ("NotHigher", "the stage is as high already"),
    ("NotLower", "the stage is as low already"),
    (
        "CoolingOff",
        "too early: `status` says from which block it may reopen",
    ),
    ("CauseRemains", "what raised it still holds: `status` says what"),
    (
        "TooSoon",
        "the margin was updated lately: wait until it may be again",
    ),
    (
        "NotMeasured",
        "the volatility is not known: wait for a new price",
    ),
    (
        "WrongAmountArrived",
        "the token takes a fee or lies: stay out of this market",
    ),
    (
        "WrongAmountLeft",
        "the token takes a fee or lies: stay out of this market",
    ),
    (
        "WrongDecimals",
        "correct the token's decimals in the description",
    ),
    (
        "VaultUnavailable",
        "the vault did not answer: try again; `status` says how it is",
    ),
    (
        "AuctionAlreadySet",
        "another run was faster: run `deploy` again, which compares",
    ),
    ("MarketRegistered", "it is done already"),
    ("SameToken", "collateral and quote have to be different tokens"),
    (
        "TooManyMarkets",
        "the token serves as many markets as it may: deploy another vault",
    ),
    ("NotASource", "the feed has no source at that address"),
    (
        "SourceFailed",
        "the source does not answer as it should: wait, or ask who runs it",
    ),
    ("InvalidPrice", "name a price above zero"),
    (
        "Replayed",
        "it is not newer than the feeder's last one: submit again in the next block",
    ),
    (
        "FromTheFuture",
        "the observation is later than the chain's clock: correct the feeder's",
    ),
    ("TooOld", "the observation is too old: take a new one"),
    ("NoRound", "the oracle has no price yet: wait for one"),
    ("UnknownFeed", "there is no such feed: check the deployment's record"),
    (
        "CallFailed",
        "the token refused: check the account's balance and the approval",
    ),
    ("NotGovernor", "sign with the governor's account"),
    (
        "NotGuardian",
        "sign with the guardian's or the governor's account",
    ),
    ("NotAFeeder", "sign with a feeder's account"),
    (
        "UnknownMarket",
        "there is no such market: check the deployment's record",
    ),
];

/// An error's text with what to do at its end, where that is known.
pub(crate) fn explain(text: &str) -> String {
    let Some((_, refusal)) = text.rsplit_once("refused with ") else {
        return text.to_owned();
    };
    // The innermost name tells: `Vault(Ledger(StalePrice))`, `Breaker(Stopped(Halted))`.
    let names: Vec<_> = refusal
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|name| !name.is_empty())
        .collect();
    let known = |name: &&str| ADVICE.iter().find(|(known, _)| known == name);
    let inner_stop = names.contains(&"Stopped").then_some("Stopped");
    let advice = inner_stop
        .iter()
        .find_map(known)
        .or_else(|| names.iter().rev().find_map(known));
    match advice {
        Some((_, advice)) => format!("{text}: {advice}"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use breakwater_core::oracle::OracleError;
    use breakwater_interfaces::auction::AuctionContractError;
    use breakwater_interfaces::vault::VaultError;
    use scale_info::{MetaType, PortableRegistry, Registry, TypeDef};

    /// Refusals of what no command sends, and faults of the software, which nobody can do anything
    /// about.
    const NOT_FOR_USERS: &[&str] = &[
        // Only the auction contract may, and it does.
        "NotAuction",
        "PriceOutsideLadder",
        "RaisedTooMuch",
        // Faults.
        "CorruptedStorage",
        "RecordMissing",
        "Overflow",
        "Underflow",
        "DivisionByZero",
        // The governor's messages.
        "InvalidLimits",
        "Unauthorised",
        "FeedExists",
        "InvalidConfig",
        "CannotAddFeeder",
        "OutOfBounds",
    ];

    /// Every reason that vault, auction and oracle can have, as the contracts' own types list them.
    #[test]
    fn every_refusal_of_a_contract_says_what_to_do() {
        let mut registry = Registry::new();
        for error in [
            MetaType::new::<VaultError>(),
            MetaType::new::<AuctionContractError>(),
            MetaType::new::<OracleError>(),
        ] {
            registry.register_type(&error);
        }
        let registry = PortableRegistry::from(registry);
        let mut reasons = 0;
        for found in &registry.types {
            let name = found.ty.path.ident().unwrap_or_default();
            let TypeDef::Variant(variants) = &found.ty.type_def else {
                continue;
            };
            // The bounds of a market's parameters are the governor's, and `deploy` reads them first.
            if !name.ends_with("Error") || name == "ParamsError" {
                continue;
            }
            for reason in &variants.variants {
                let inner = reason.fields.iter().any(|field| {
                    let inner = registry.resolve(field.ty.id).expect("is registered");
                    inner.path.ident().unwrap_or_default().ends_with("Error")
                });
                if inner || NOT_FOR_USERS.contains(&reason.name.as_str()) {
                    continue;
                }
                let known = ADVICE.iter().any(|(known, _)| *known == reason.name);
                assert!(known, "{name}::{} says nothing", reason.name);
                reasons += 1;
            }
        }
        assert!(reasons > 80, "{reasons} reasons were looked at");
    }

    #[test]
    fn refusals_say_what_to_do() {
        for (refusal, advice) in [
            (
                "borrow: refused with Ledger(ExceedsInitialLtv)",
                "`position`",
            ),
            ("bid: refused with Auction(BiddingEnded)", "no more bids"),
            ("open: refused with Vault(Ledger(StalePrice))", "too old"),
            (
                "open: refused with Breaker(Stopped(Halted))",
                "not allow it now",
            ),
            ("supply: refused with Token(CallFailed)", "balance"),
        ] {
            let told = explain(refusal);
            assert!(told.starts_with(refusal) && told.contains(advice), "{told}");
        }
        let other = "the chain does not answer";
        assert_eq!(explain(other), other);
    }
}
