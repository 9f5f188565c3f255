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
    ("InsufficientShares", "`position` says what is lent"),
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
    ("BatchTooSmall", "wait until the running batch has settled"),
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
    ("BudgetTooSmall", "bid at least the market's least batch"),
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
        "the market is wound down: nothing is lent any more",
    ),
    (
        "CallFailed",
        "the token refused: check the account's balance and the approval",
    ),
    ("NotGovernor", "sign with the governor's account"),
    (
        "NotGuardian",
        "sign with the guardian's or the governor's account",
    ),
    ("NotFeeder", "sign with a feeder's account"),
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
