//! Every message of every contract has a row in the table of messages, and works in exactly the
//! stages that its row says.

use super::*;
use breakwater_core::breaker::messages::{Gate, MESSAGES};
use breakwater_core::timelock::SHORTEST_NOTICE;
use breakwater_interfaces::auction::LiquidationAuction;
use breakwater_interfaces::standing::StandingBids;
use breakwater_interfaces::vault_admin::VaultAdmin;
use std::{collections::BTreeSet, fs, path::Path};

/// Names of the messages that change something, from a contract's metadata.
fn messages_of(contract: &str) -> BTreeSet<String> {
    let file = format!("../../artifacts/{contract}.contract");
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file));
    let bundle: serde_json::Value =
        serde_json::from_str(&text.expect("a bundle: run scripts/build.sh")).expect("metadata");
    let messages = bundle["spec"]["messages"].as_array().expect("messages");
    let changing = messages.iter().filter(|message| message["mutates"] == true);
    let names = changing.map(|message| message["label"].as_str().expect("a name"));
    let last = |label: &str| label.rsplit("::").next().unwrap_or(label).to_owned();
    names.map(last).collect()
}

#[test]
fn f28_no_message_is_without_a_row() {
    for contract in ["oracle_adapter", "margin_vault", "liquidation_auction"] {
        let rows = MESSAGES.iter().filter(|(of, ..)| *of == contract);
        let named: BTreeSet<String> = rows.map(|(_, name, _)| (*name).to_owned()).collect();
        assert_eq!(named, messages_of(contract), "of {contract}");
    }
}

/// A scene in which a message is possible, and the call that sends it.
type Prepared = (Scene, Box<dyn Fn(&mut Scene) -> bool>);

macro_rules! sends {
    ($contract:ident, $s:ident, $d:ident, $who:expr, $message:expr) => {
        Box::new(move |$s: &mut Scene| {
            let ($d, who) = ($s.w.d, $who);
            $s.w.$contract(who, $message).is_ok()
        })
    };
}

fn in_wind_down(s: &mut Scene) {
    let message = s.w.d.admin().call_mut().wind_down(0);
    s.w.vault(s.w.governor(), message).expect("winds down");
}

/// A batch of a scene that nobody bids in, back in its ticks.
fn unsold(s: &mut Scene) {
    let batch = s.open();
    s.w.run_out(batch);
    s.w.settle(s.keeper, batch);
    s.w.rest(s.keeper, batch);
}

fn vault_message(name: &str) -> Option<(Action, Prepared)> {
    let mut s = Scene::new();
    let (owner, stranger, d) = (s.owners[0], s.stranger, s.w.d);
    s.w.fund(owner, d.quote, quote(2_000), d.vault);
    s.w.fund(stranger, d.quote, quote(10), d.vault);
    s.w.fund(owner, d.collateral, collateral(1), d.vault);
    Some(match name {
        "insure" => (
            Action::Supply,
            (
                s,
                sends!(
                    vault,
                    s,
                    d,
                    s.stranger,
                    d.admin().call_mut().insure(0, quote(10))
                ),
            ),
        ),
        "collect" => {
            in_wind_down(&mut s);
            let collect = sends!(
                vault,
                s,
                d,
                s.w.lender(),
                d.admin().call_mut().collect(0, false)
            );
            (Action::Claim, (s, collect))
        }
        "take_in_kind" => {
            s.w.set_price_twice(price(170));
            unsold(&mut s);
            in_wind_down(&mut s);
            s.w.wait(SHORTEST_NOTICE);
            s.w.set_price_twice(price(170));
            let take = sends!(
                vault,
                s,
                d,
                s.stranger,
                d.admin().call_mut().take_in_kind(0, s.owners[0])
            );
            (Action::TakeInKind, (s, take))
        }
        "deposit_and_borrow" => {
            let both = sends!(
                vault,
                s,
                d,
                s.owners[0],
                d.vault()
                    .call_mut()
                    .deposit_and_borrow(0, collateral(1), quote(10))
            );
            (Action::Borrow, (s, both))
        }
        "close" => (
            Action::Repay,
            (
                s,
                sends!(vault, s, d, s.owners[0], d.vault().call_mut().close(0)),
            ),
        ),
        "reclaim" => {
            let (mut s, batch) = Scene::opened(150);
            let who = s.owners[9];
            s.w.repay_all(who);
            s.clear_at(batch, 10);
            let reclaim = sends!(vault, s, d, s.owners[9], d.vault().call_mut().reclaim(0));
            (Action::Claim, (s, reclaim))
        }
        "rest" => {
            let (mut s, batch) = Scene::opened(150);
            s.w.run_out(batch);
            s.w.settle(s.keeper, batch);
            let rest = sends!(vault, s, d, s.stranger, d.vault().call_mut().rest(0, 0, 1));
            (Action::Sync, (s, rest))
        }
        "claim_reward" => {
            let (mut s, batch) = Scene::opened(170);
            s.clear_at(batch, 10);
            let claim = sends!(vault, s, d, s.keeper, d.vault().call_mut().claim_reward(0));
            (Action::Claim, (s, claim))
        }
        _ => return None,
    })
}

/// Bids five thousand in a batch of a crashed market that runs its third step.
fn running() -> (Scene, BatchKey, u32) {
    let (mut s, batch) = Scene::opened(150);
    let late = s.w.record(batch).auction.prices[40];
    let bid = s.bid(0, batch, quote(500), late);
    s.w.run_to(batch, 3);
    (s, batch, bid)
}

fn auction_message(name: &str) -> Option<(Action, Prepared)> {
    let bidder = |s: &Scene| s.bidders[0];
    Some(match name {
        "deposit" => {
            let mut s = Scene::new();
            let who = bidder(&s);
            s.w.fund(who, s.w.d.quote, quote(10), s.w.d.auction);
            let pay = sends!(
                auction,
                s,
                d,
                s.bidders[0],
                d.auction().call_mut().deposit(0, quote(10))
            );
            (Action::Cancel, (s, pay))
        }
        "withdraw" => {
            let take = sends!(
                auction,
                s,
                d,
                s.bidders[0],
                d.auction().call_mut().withdraw(0, quote(10))
            );
            (Action::Cancel, (Scene::new(), take))
        }
        "replace" => {
            let (s, batch, bid) = running();
            let late = s.w.record(batch).auction.prices[30];
            let replace = sends!(
                auction,
                s,
                d,
                s.bidders[0],
                d.auction()
                    .call_mut()
                    .replace(batch, bid, quote(400), late, u32::MAX)
            );
            (Action::Bid, (s, replace))
        }
        "extend" => {
            let mut params = example_params();
            params.min_batch = quote(5_000);
            params.ladder.announce_blocks = 6;
            let debts = (0..10).map(|at| (collateral(10), Scene::debt(at)));
            let positions: Vec<_> = debts.collect();
            let mut s = Scene::of(params, &positions, Amount::ZERO);
            s.w.set_price_twice(price(170));
            let batch = s.open();
            let rich = s.w.account(60);
            s.w.fund_bidder(rich, quote(100_000));
            s.w.advance(1);
            let extend = sends!(
                auction,
                s,
                d,
                s.stranger,
                d.auction().call_mut().extend(batch)
            );
            (Action::OpenBatch, (s, extend))
        }
        "reprice" => {
            let (mut s, batch, _) = running();
            s.w.set_price_twice(price(110));
            let reprice = sends!(
                auction,
                s,
                d,
                s.stranger,
                d.auction().call_mut().reprice(batch)
            );
            (Action::Clear, (s, reprice))
        }
        "stand" => {
            let stand = sends!(
                auction,
                s,
                d,
                s.bidders[0],
                d.standing().call_mut().stand(0, 5, quote(10))
            );
            (Action::Cancel, (Scene::new(), stand))
        }
        "unstand" | "claim_standing" => {
            let mut s = Scene::new();
            let stand = s.w.d.standing().call_mut().stand(0, 5, quote(20_000));
            s.w.auction(bidder(&s), stand).expect("stands");
            if name == "unstand" {
                let back = sends!(
                    auction,
                    s,
                    d,
                    s.bidders[0],
                    d.standing().call_mut().unstand(0, 5, quote(10))
                );
                return Some((Action::Cancel, (s, back)));
            }
            s.w.set_price_twice(price(150));
            unsold(&mut s);
            let claim = sends!(
                auction,
                s,
                d,
                s.bidders[0],
                d.standing().call_mut().claim_standing(0, 5)
            );
            (Action::Claim, (s, claim))
        }
        _ => return None,
    })
}

/// Messages that the test of actions sends: one for each action.
const BY_ACTION: [(&str, &str); 15] = [
    ("margin_vault", "supply"),
    ("margin_vault", "redeem"),
    ("margin_vault", "deposit"),
    ("margin_vault", "repay"),
    ("margin_vault", "withdraw"),
    ("margin_vault", "borrow"),
    ("margin_vault", "sync"),
    ("liquidation_auction", "open_batch"),
    ("liquidation_auction", "bid"),
    ("liquidation_auction", "cancel"),
    ("liquidation_auction", "leave"),
    ("liquidation_auction", "advance"),
    ("liquidation_auction", "settle"),
    ("liquidation_auction", "claim"),
    ("margin_vault", "repay_and_withdraw"),
];

/// F28: every other message in every stage of the market and of all markets, exactly as the table
/// says. A message that is added without being sent here fails this test.
#[test]
fn f28_each_stage_allows_exactly_what_the_rows_of_messages_say() {
    for (contract, name, gate) in MESSAGES {
        let Gate::Actions(actions) = gate else {
            continue;
        };
        if BY_ACTION.contains(&(contract, name)) {
            continue;
        }
        let prepared = if *contract == "margin_vault" {
            vault_message(name)
        } else {
            auction_message(name)
        };
        let Some((action, (mut s, call))) = prepared else {
            panic!("{contract}.{name} is not sent in any test");
        };
        assert!(actions.contains(&action), "{name} is {actions:?}");
        let guardian = guardian(&mut s);
        let before = s.w.save();
        for stage in Stage::ALL {
            for market in [MARKET, None] {
                s.w.restore(&before);
                if stage > Stage::Open {
                    raise(&mut s, guardian, market, stage);
                }
                let works = call(&mut s);
                assert_eq!(
                    works,
                    allowed(stage, action),
                    "{name} in {stage:?} of {market:?}"
                );
            }
        }
    }
}

/// Repaying and withdrawing at once asks for no stage where nothing is owed afterwards, and counts
/// as withdrawing against debt where something is.
#[test]
fn f28_repaying_all_and_withdrawing_works_in_every_stage() {
    let mut s = Scene::new();
    let (guardian, owner, d) = (guardian(&mut s), s.owners[0], s.w.d);
    s.w.set_price_twice(price(300));
    s.w.fund(owner, d.quote, quote(2_000), d.vault);
    let before = s.w.save();
    for stage in Stage::ALL {
        for (repaid, action) in [
            (quote(2_000), Action::WithdrawFree),
            (quote(1), Action::WithdrawIndebted),
        ] {
            s.w.restore(&before);
            if stage > Stage::Open {
                raise(&mut s, guardian, MARKET, stage);
            }
            let message = d
                .vault()
                .call_mut()
                .repay_and_withdraw(0, repaid, collateral(1));
            let works = s.w.vault(owner, message).is_ok();
            assert_eq!(works, allowed(stage, action), "{action:?} in {stage:?}");
        }
    }
}

/// What is governance's and the feed's works in a halt too.
#[test]
fn f28_a_halt_stops_no_governance_and_no_feed() {
    let mut s = Scene::new();
    let guardian = guardian(&mut s);
    raise(&mut s, guardian, None, Stage::Halted);
    let (governor, d) = (s.w.governor(), s.w.d);
    s.w.set_price_twice(price(199));
    assert_eq!(s.w.reading().spot(), price(199));
    let propose = d.admin().call_mut().propose_params(0, example_params());
    s.w.vault(governor, propose).expect("proposes");
    let cancel = d.admin().call_mut().cancel_params(0);
    s.w.vault(governor, cancel).expect("cancels");
    let refresh = d.breaker().call_mut().refresh(0);
    s.w.auction(s.stranger, refresh).expect("refreshes");
    in_wind_down(&mut s);
}
