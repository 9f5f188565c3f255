//! The tables in `docs/breaker.md` are the code's.

use super::*;
use crate::breaker::action::allowed;
use crate::breaker::messages::{Gate, MESSAGES};
use crate::breaker::state::ensure_allowed;
use crate::oracle::FeedStatus;
use std::fmt::Write;

const DOCUMENT: &str = include_str!("../../../../../docs/breaker.md");

const STATUSES: [FeedStatus; 4] = [
    FeedStatus::Fresh,
    FeedStatus::Quarantined,
    FeedStatus::Stale,
    FeedStatus::NoRound,
];

fn table(head: &[String], allows: impl Fn(Action, usize) -> bool) -> String {
    let mut text = format!("| action | {} |\n|---|", head.join(" | "));
    text.push_str(&"---|".repeat(head.len()));
    for action in Action::ALL {
        write!(text, "\n| `{action:?}` |").unwrap();
        for column in 0..head.len() {
            text.push_str(if allows(action, column) {
                " yes |"
            } else {
                " no |"
            });
        }
    }
    text
}

#[test]
fn f28_stage_by_message_is_the_documented_table() {
    let head: Vec<String> = Stage::ALL.iter().map(|s| format!("`{s:?}`")).collect();
    let table = table(&head, |action, at| allowed(Stage::ALL[at], action));
    assert!(
        DOCUMENT.contains(&table),
        "docs/breaker.md should have:\n{table}"
    );
}

#[test]
fn f06_oracle_status_by_message_is_the_documented_table() {
    let head: Vec<String> = STATUSES.iter().map(|s| format!("`{s:?}`")).collect();
    let table = table(&head, |action, at| action.tolerates(STATUSES[at]));
    assert!(
        DOCUMENT.contains(&table),
        "docs/breaker.md should have:\n{table}"
    );
}

#[test]
fn the_default_limits_are_the_documented_ones() {
    let l = Limits::standard(Amount::new(1_000_000));
    let percent = |ratio: Ratio| format!("{} %", ratio.ppm() / 10_000);
    let hole = |amount: Amount| format!("{} % of the hole", amount.get() / 10_000);
    let values = [
        percent(l.jump),
        format!("{} s", l.age / 1_000),
        percent(l.dispersion),
        hole(l.in_auction),
        hole(l.bad_debt),
        percent(l.recovery),
        format!("{} steps", l.silent_steps),
        percent(l.excess),
    ];
    for (cause, value) in Cause::MEASURED.iter().zip(values) {
        let stage = l.stage(*cause);
        let row = format!("| `{cause:?}` | {value} | `{stage:?}` |");
        assert!(
            DOCUMENT.contains(&row),
            "docs/breaker.md should have: {row}"
        );
    }
}

/// The table of messages in the documents is that of the code.
#[test]
fn f28_every_message_and_its_action_is_in_the_documented_table() {
    let mut text = String::from("| contract | message | works by |\n|---|---|---|");
    for (contract, message, gate) in MESSAGES {
        let by = match gate {
            Gate::Actions(actions) => {
                let names = actions.iter().map(|action| format!("`{action:?}`"));
                names.collect::<Vec<_>>().join(" or ")
            }
            Gate::Governance => "governance".to_owned(),
            Gate::Breaker => "the breaker's rules".to_owned(),
            Gate::AuctionOnly => "the auction contract alone".to_owned(),
            Gate::Feed => "the feed's rules".to_owned(),
        };
        write!(text, "\n| {contract} | `{message}` | {by} |").unwrap();
    }
    assert!(
        DOCUMENT.contains(&text),
        "docs/breaker.md should have:\n{text}"
    );
    // Every action is some message's, but insurance's, which no message of its own does.
    for action in Action::ALL {
        let named = |gate: &Gate| matches!(gate, Gate::Actions(list) if list.contains(&action));
        let any = MESSAGES.iter().any(|(_, _, gate)| named(gate));
        assert!(any || action == Action::Backstop, "{action:?}");
    }
}

/// Promise 6: these work in every stage, with every oracle, in the grace period too.
#[test]
fn a_way_out_is_never_stopped() {
    let ways = [
        Action::Repay,
        Action::TopUp,
        Action::Supply,
        Action::Claim,
        Action::WithdrawFree,
    ];
    for action in ways {
        for stage in Stage::ALL {
            let market = Breaker {
                stage,
                grace_until: 9,
                ..calm()
            };
            assert_eq!(ensure_allowed(&market, &calm(), action, 1), Ok(()));
            assert_eq!(ensure_allowed(&calm(), &market, action, 1), Ok(()));
        }
        assert!(STATUSES.iter().all(|status| action.tolerates(*status)));
    }
}

#[test]
fn a_higher_stage_stops_all_that_a_lower_one_does() {
    for action in Action::ALL {
        for pair in Stage::ALL.windows(2) {
            assert!(allowed(pair[0], action) || !allowed(pair[1], action));
        }
    }
}

#[test]
fn the_higher_of_both_stages_counts_and_batches_wait_for_the_grace_period() {
    let market = Breaker {
        stage: Stage::NoNewRisk,
        ..calm()
    };
    let global = Breaker {
        stage: Stage::NoReauction,
        ..calm()
    };
    assert_eq!(effective(&market, &global), Stage::NoReauction);
    assert_eq!(effective(&global, &market), Stage::NoReauction);
    let stopped = Err(BreakerError::Stopped(Stage::NoReauction));
    assert_eq!(
        ensure_allowed(&market, &global, Action::Reauction, 1),
        stopped
    );
    let grace = Breaker {
        grace_until: 10,
        ..calm()
    };
    for action in [Action::OpenBatch, Action::Reauction] {
        assert_eq!(
            ensure_allowed(&grace, &calm(), action, 9),
            Err(BreakerError::GracePeriod)
        );
        assert_eq!(
            ensure_allowed(&calm(), &grace, action, 9),
            Err(BreakerError::GracePeriod)
        );
        assert_eq!(ensure_allowed(&grace, &grace, action, 10), Ok(()));
    }
    assert_eq!(ensure_allowed(&grace, &calm(), Action::Borrow, 9), Ok(()));
}
