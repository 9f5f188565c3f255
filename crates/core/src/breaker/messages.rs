//! Every message of the contracts that changes anything, and what decides whether it works.
//!
//! A message without a row here fails a test that reads the contracts' metadata.

use super::Action;

/// What decides whether a message works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// The tables of actions: by stage and by the state of the oracle. Where there are several
    /// actions, the situation says which it is.
    Actions(&'static [Action]),
    /// Roles and notices; works in every stage.
    Governance,
    /// The breaker's own rules.
    Breaker,
    /// The auction contract alone calls it, for a message of its own that has a row.
    AuctionOnly,
    /// A feed's own rules; works in every stage.
    Feed,
}

use Gate::{Actions, AuctionOnly, Breaker, Feed, Governance};

/// The table: contract, message, gate. In the order of the contracts' sources.
pub const MESSAGES: &[(&str, &str, Gate)] = &[
    ("oracle_adapter", "propose_governor", Governance),
    ("oracle_adapter", "accept_governor", Governance),
    ("oracle_adapter", "register_feed", Governance),
    ("oracle_adapter", "add_feeder", Governance),
    ("oracle_adapter", "add_source", Governance),
    ("oracle_adapter", "remove_feeder", Governance),
    ("oracle_adapter", "propose_feed", Governance),
    ("oracle_adapter", "apply_feed", Governance),
    ("oracle_adapter", "submit", Feed),
    ("oracle_adapter", "poke", Feed),
    ("margin_vault", "propose_governor", Governance),
    ("margin_vault", "accept_governor", Governance),
    ("margin_vault", "set_guardian", Governance),
    ("margin_vault", "propose_params", Governance),
    ("margin_vault", "apply_params", Governance),
    ("margin_vault", "cancel_params", Governance),
    ("margin_vault", "restrict", Governance),
    ("margin_vault", "wind_down", Governance),
    ("margin_vault", "update_margin", Governance),
    ("margin_vault", "insure", Actions(&[Action::Supply])),
    ("margin_vault", "collect", Actions(&[Action::Claim])),
    (
        "margin_vault",
        "take_in_kind",
        Actions(&[Action::TakeInKind]),
    ),
    ("margin_vault", "set_auction", Governance),
    ("margin_vault", "create_market", Governance),
    ("margin_vault", "supply", Actions(&[Action::Supply])),
    ("margin_vault", "redeem", Actions(&[Action::Redeem])),
    ("margin_vault", "deposit", Actions(&[Action::TopUp])),
    (
        "margin_vault",
        "withdraw",
        Actions(&[Action::WithdrawFree, Action::WithdrawIndebted]),
    ),
    ("margin_vault", "borrow", Actions(&[Action::Borrow])),
    (
        "margin_vault",
        "deposit_and_borrow",
        Actions(&[Action::Borrow]),
    ),
    ("margin_vault", "repay", Actions(&[Action::Repay])),
    (
        "margin_vault",
        "repay_and_withdraw",
        Actions(&[Action::WithdrawFree, Action::WithdrawIndebted]),
    ),
    ("margin_vault", "close", Actions(&[Action::Repay])),
    ("margin_vault", "reclaim", Actions(&[Action::Claim])),
    ("margin_vault", "sync", Actions(&[Action::Sync])),
    ("margin_vault", "open_batch", AuctionOnly),
    ("margin_vault", "extend_batch", AuctionOnly),
    ("margin_vault", "leave_batch", AuctionOnly),
    ("margin_vault", "set_stage", AuctionOnly),
    ("margin_vault", "settle_batch", AuctionOnly),
    ("margin_vault", "rest", Actions(&[Action::Sync])),
    ("margin_vault", "claim_reward", Actions(&[Action::Claim])),
    ("liquidation_auction", "propose_governor", Governance),
    ("liquidation_auction", "accept_governor", Governance),
    ("liquidation_auction", "set_guardian", Governance),
    ("liquidation_auction", "trip", Breaker),
    ("liquidation_auction", "raise", Breaker),
    ("liquidation_auction", "lower", Breaker),
    ("liquidation_auction", "reopen", Breaker),
    ("liquidation_auction", "refresh", Governance),
    ("liquidation_auction", "set_limits", Governance),
    ("liquidation_auction", "register_market", Governance),
    ("liquidation_auction", "deposit", Actions(&[Action::Cancel])),
    (
        "liquidation_auction",
        "withdraw",
        Actions(&[Action::Cancel]),
    ),
    (
        "liquidation_auction",
        "open_batch",
        Actions(&[Action::OpenBatch, Action::Reauction]),
    ),
    ("liquidation_auction", "bid", Actions(&[Action::Bid])),
    ("liquidation_auction", "replace", Actions(&[Action::Bid])),
    ("liquidation_auction", "cancel", Actions(&[Action::Cancel])),
    (
        "liquidation_auction",
        "extend",
        Actions(&[Action::OpenBatch]),
    ),
    ("liquidation_auction", "leave", Actions(&[Action::Leave])),
    ("liquidation_auction", "reprice", Actions(&[Action::Clear])),
    ("liquidation_auction", "advance", Actions(&[Action::Clear])),
    ("liquidation_auction", "settle", Actions(&[Action::Settle])),
    ("liquidation_auction", "claim", Actions(&[Action::Claim])),
    ("liquidation_auction", "stand", Actions(&[Action::Cancel])),
    ("liquidation_auction", "unstand", Actions(&[Action::Cancel])),
    (
        "liquidation_auction",
        "claim_standing",
        Actions(&[Action::Claim]),
    ),
];
