//! Promise 9 with tokens that misbehave: a market of such tokens is not created, and a token that
//! turns bad later costs nobody anything but time.

use breakwater_chain::{AccountId, CallError, Chain, Constructor, Message};
use breakwater_core::market::example_params;
use breakwater_core::units::{Amount, Price};
use breakwater_embedded_tests::{collateral, price, quote, refused, Scene, World};
use breakwater_interfaces::auction::{AuctionContractError, BatchKey, BidId, LiquidationAuction};
use breakwater_interfaces::standing::StandingBids;
use breakwater_interfaces::token::{TokenError, PROBE};
use breakwater_interfaces::vault::{MarginVault, VaultError};
use breakwater_interfaces::vault_admin::VaultAdmin;
use breakwater_sim::artifacts::Contract;
use breakwater_sim::deployment::{Deployment, Fault};
use futures::executor::block_on;
use ink::codegen::TraitCallBuilder;
use ink::env::call::{ExecutionInput, Selector};
use scale::Encode;

const FAULTS: [Fault; 8] = [
    Fault::TakesFee,
    Fault::MovesNothing,
    Fault::MovesTwice,
    Fault::Refuses,
    Fault::TalksNonsense,
    Fault::Traps,
    Fault::Lies,
    Fault::CallsBack,
];

/// `supply(0, 1)`, which a token that calls its caller back tries on the vault: the selector, and
/// a market and an amount of 20 bytes together.
fn reentry() -> Vec<u8> {
    let d = Deployment {
        oracle: [0; 32].into(),
        vault: [0; 32].into(),
        auction: [0; 32].into(),
        collateral: [0; 32].into(),
        quote: [0; 32].into(),
        market: 0,
        feed: 0,
    };
    let mut vault = d.vault();
    let supply = Message::from(vault.call_mut().supply(0, Amount::new(1)));
    supply.input().to_vec()
}

/// One more token of so many decimals.
fn another_token(w: &mut World, decimals: u8, salt: &[u8]) -> AccountId {
    let governor = w.governor();
    let new = ExecutionInput::new(Selector::new(ink::selector_bytes!("new")))
        .push_arg(0u128)
        .push_arg(None::<String>)
        .push_arg(None::<String>)
        .push_arg(decimals);
    let code = Contract::TestToken.code().expect("is there");
    let made = block_on(
        w.chain
            .instantiate(&governor, &code, Constructor::<()>::new(&new), salt),
    );
    made.expect("deploys").value
}

/// What money coming in is refused with.
fn coming_in(fault: Fault) -> TokenError {
    match fault {
        Fault::TakesFee | Fault::MovesNothing | Fault::Lies => TokenError::WrongAmountArrived,
        // The allowance is for the amount.
        _ => TokenError::CallFailed,
    }
}

/// What money going out is refused with. A fee on what a user receives is between the token and
/// its user: the vault gave what it owed.
fn going_out(fault: Fault) -> Option<TokenError> {
    match fault {
        Fault::TakesFee => None,
        Fault::MovesNothing | Fault::MovesTwice | Fault::Lies => Some(TokenError::WrongAmountLeft),
        _ => Some(TokenError::CallFailed),
    }
}

#[test]
fn creating_a_market_probes_one_token_transfer_each_way() {
    let mut w = World::new();
    let (governor, d) = (w.governor(), w.d);
    let (bad, wrong) = (
        another_token(&mut w, 18, b"bad"),
        another_token(&mut w, 12, b"wrong"),
    );
    let create = |collateral, quote| {
        d.vault()
            .call_mut()
            .create_market(collateral, quote, example_params())
    };
    // Without an approval there is nothing to probe with.
    w.refused(
        governor,
        d.vault,
        create(bad, d.quote),
        VaultError::Token(TokenError::CallFailed),
    );
    w.approve_probe(governor, &[bad, d.quote, wrong]);
    w.refused(
        governor,
        d.vault,
        create(wrong, d.quote),
        VaultError::Token(TokenError::WrongDecimals),
    );
    w.refused(
        governor,
        d.vault,
        create(w.feeders[0], d.quote),
        VaultError::Token(TokenError::CallFailed),
    );
    for fault in FAULTS {
        w.misbehave(bad, fault, reentry());
        let before = w.chain.contract_storage(bad);
        w.refused(
            governor,
            d.vault,
            create(bad, d.quote),
            VaultError::Token(coming_in(fault)),
        );
        assert!(before == w.chain.contract_storage(bad), "{fault:?}");
    }
    w.misbehave(bad, Fault::None, Vec::new());
    let held = (w.held(bad, governor), w.held(d.quote, governor));
    assert_eq!(held.0, PROBE.get());
    w.vault(governor, create(bad, d.quote)).expect("creates");
    assert_eq!((w.held(bad, governor), w.held(d.quote, governor)), held);
    assert_eq!(w.held(bad, d.vault), 0);
}

/// One message that moves money, with the token that may fail it.
type Case = (
    &'static str,
    AccountId,
    AccountId,
    Message<Result<(), VaultError>>,
    bool,
);

/// A message whose value does not matter here.
fn plain<T>(message: impl Into<Message<Result<T, VaultError>>>) -> Message<Result<(), VaultError>> {
    let message = message.into();
    let input = message.input();
    let selector = [input[0], input[1], input[2], input[3]];
    let arguments = Raw(input[4..].to_vec());
    Message::new(&ExecutionInput::new(Selector::new(selector)).push_arg(arguments))
}

/// Bytes that are their own encoding.
struct Raw(Vec<u8>);

impl scale::Encode for Raw {
    fn encode_to<O: scale::Output + ?Sized>(&self, out: &mut O) {
        out.write(&self.0);
    }
}

/// Every message of the vault by which users move tokens, each about to succeed.
fn cases(s: &mut Scene) -> Vec<Case> {
    let d = s.w.d;
    let (owner, late, lender, keeper) = (s.owners[0], s.stranger, s.w.lender(), s.keeper);
    let one = collateral(1);
    s.w.fund(owner, d.quote, quote(51), d.vault);
    s.w.fund(late, d.quote, quote(100), d.vault);
    s.w.fund(late, d.collateral, one, d.vault);
    s.w.fund(owner, d.collateral, one, d.vault);
    let call = || d.vault();
    let shares = s.w.lent(lender).0;
    let part = breakwater_core::units::Shares::new(shares.get() / 100);
    let (i, o) = (true, false);
    vec![
        (
            "supply",
            late,
            d.quote,
            plain(call().call_mut().supply(0, quote(100))),
            i,
        ),
        (
            "insure",
            late,
            d.quote,
            plain(d.admin().call_mut().insure(0, quote(100))),
            i,
        ),
        (
            "repay",
            owner,
            d.quote,
            plain(call().call_mut().repay(0, owner, quote(50))),
            i,
        ),
        (
            "deposit",
            owner,
            d.collateral,
            plain(call().call_mut().deposit(0, one)),
            i,
        ),
        (
            "deposit_and_borrow",
            late,
            d.collateral,
            plain(call().call_mut().deposit_and_borrow(0, one, quote(100))),
            i,
        ),
        (
            "deposit_and_borrow",
            late,
            d.quote,
            plain(call().call_mut().deposit_and_borrow(0, one, quote(100))),
            o,
        ),
        (
            "redeem",
            lender,
            d.quote,
            plain(call().call_mut().redeem(0, part)),
            o,
        ),
        (
            "borrow",
            owner,
            d.quote,
            plain(call().call_mut().borrow(0, quote(1))),
            o,
        ),
        (
            "withdraw",
            owner,
            d.collateral,
            plain(call().call_mut().withdraw(0, Amount::new(1_000))),
            o,
        ),
        (
            "repay_and_withdraw",
            owner,
            d.collateral,
            plain(
                call()
                    .call_mut()
                    .repay_and_withdraw(0, quote(1), Amount::new(1_000)),
            ),
            o,
        ),
        (
            "claim_reward",
            keeper,
            d.quote,
            plain(call().call_mut().claim_reward(0)),
            o,
        ),
    ]
}

#[test]
fn a_token_that_turns_bad_changes_nothing_and_every_message_can_be_sent_again() {
    // A batch has left a reward; then the price recovers.
    let (mut s, batch) = Scene::opened(172);
    s.clear_at(batch, 20);
    s.w.set_price_twice(price(260));
    let cases = cases(&mut s);
    let start = s.w.save();
    for (name, who, token, message, comes_in) in cases {
        for fault in FAULTS {
            s.w.restore(&start);
            s.w.misbehave(token, fault, reentry());
            let before = s.w.storage();
            let result = block_on(s.w.chain.call(&who, s.w.d.vault, message.clone()));
            // The value is not of the type asked for: what answers has not failed.
            let answered = matches!(result, Ok(_) | Err(CallError::Undecodable));
            let expected = if comes_in {
                Some(coming_in(fault))
            } else {
                going_out(fault)
            };
            match expected {
                Some(error) => {
                    assert_eq!(
                        result.err().and_then(CallError::reverted),
                        Some(VaultError::Token(error)),
                        "{name} with a token that {fault:?}"
                    );
                    assert!(before == s.w.storage(), "{name}, {fault:?}");
                    s.w.misbehave(token, Fault::None, Vec::new());
                    let again = block_on(s.w.chain.call(&who, s.w.d.vault, message.clone()));
                    assert!(
                        matches!(again, Ok(_) | Err(CallError::Undecodable)),
                        "{name}"
                    );
                }
                None => assert!(answered, "{name} pays what it owes"),
            }
            s.w.misbehave(token, Fault::None, Vec::new());
            s.w.assert_books();
        }
    }
}

#[test]
fn a_settlement_waits_for_a_token_that_turned_bad() {
    let (mut s, batch) = Scene::opened(170);
    let auction = s.w.record(batch).auction;
    s.bid(0, batch, auction.targets[20], auction.prices[20]);
    s.w.run_to(batch, 21);
    let (d, start) = (s.w.d, s.w.save());
    for fault in FAULTS {
        for token in [d.collateral, d.quote] {
            s.w.restore(&start);
            s.w.misbehave(token, fault, reentry());
            let before = s.w.storage();
            let settle = d.auction().call_mut().settle(batch);
            let result = block_on(s.w.chain.call(&s.keeper, d.auction, settle));
            // The vault counts the quote that arrives; the collateral it sends is not measured.
            let fails = match fault {
                Fault::TakesFee | Fault::MovesNothing => token == d.quote,
                // Of the collateral there is not twice as much.
                Fault::MovesTwice => token == d.collateral,
                Fault::Lies => false,
                _ => true,
            };
            assert_eq!(result.is_err(), fails, "{fault:?}");
            if !fails {
                continue;
            }
            let error = result.err().and_then(CallError::reverted);
            assert!(
                matches!(
                    error,
                    Some(
                        AuctionContractError::Token(_)
                            | AuctionContractError::Vault(VaultError::Token(_))
                    )
                ),
                "{fault:?}: {error:?}"
            );
            assert!(before == s.w.storage(), "{fault:?}");
            s.w.misbehave(token, Fault::None, Vec::new());
            s.w.settle(s.keeper, batch);
        }
    }
}

#[test]
fn a_bad_token_harms_only_its_own_markets() {
    let mut w = World::new();
    let (governor, d) = (w.governor(), w.d);
    let other = another_token(&mut w, 18, b"other");
    w.approve_probe(governor, &[other, d.quote]);
    let create = d
        .vault()
        .call_mut()
        .create_market(other, d.quote, example_params());
    assert_eq!(w.vault(governor, create).expect("creates").value, 1);
    for fault in FAULTS {
        w.misbehave(other, fault, reentry());
        // The whole way in the market beside it.
        let owner = w.account(70);
        w.open_position(owner, collateral(10), quote(1_000));
        w.repay_all(owner);
        w.withdraw_all(owner);
    }
}

/// A settled batch that two bids, a tier and another bidder have bought, each in part: free quote,
/// collateral of bids and collateral of a tier wait to be paid out.
struct Bought {
    s: Scene,
    batch: BatchKey,
    bids: [BidId; 2],
}

/// What the auction pays out, and to which of the scene's bidders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Payout {
    Balance,
    Bids,
    Tier,
}

impl Payout {
    const ALL: [Self; 3] = [Self::Balance, Self::Bids, Self::Tier];

    fn bidder(self) -> usize {
        usize::from(self == Self::Tier)
    }
}

impl Bought {
    fn new() -> Self {
        let mut s = Scene::new();
        let stand = s.w.d.standing().call_mut().stand(0, 5, quote(2_000));
        s.w.auction(s.bidders[1], stand).expect("stands");
        s.w.set_price_twice(price(170));
        let batch = s.open();
        let prices = s.w.record(batch).auction.prices;
        let tier = prices.partition_point(|step| *step > Price::new(price(170).get() / 100 * 95));
        let bids = [quote(1_200), quote(800)].map(|budget| s.bid(0, batch, budget, prices[tier]));
        s.bid(2, batch, quote(4_000), prices[tier]);
        s.w.run_out(batch);
        s.w.settle(s.keeper, batch);
        s.w.rest(s.keeper, batch);
        Self { s, batch, bids }
    }

    fn token(&self, payout: Payout) -> AccountId {
        match payout {
            Payout::Balance => self.s.w.d.quote,
            Payout::Bids | Payout::Tier => self.s.w.d.collateral,
        }
    }

    /// Has it paid; returns how much of the token came.
    fn pay(&mut self, payout: Payout) -> Result<u128, CallError<AuctionContractError>> {
        let (d, who, token) = (
            self.s.w.d,
            self.s.bidders[payout.bidder()],
            self.token(payout),
        );
        let before = self.s.w.held(token, who);
        match payout {
            Payout::Balance => {
                let message = d.auction().call_mut().withdraw(0, quote(100));
                self.s.w.auction(who, message).map(|_| ())
            }
            Payout::Bids => {
                let message = d.auction().call_mut().claim(self.batch, self.bids.to_vec());
                self.s.w.auction(who, message).map(|_| ())
            }
            Payout::Tier => {
                let message = d.standing().call_mut().claim_standing(0, 5);
                self.s.w.auction(who, message).map(|_| ())
            }
        }?;
        Ok(self.s.w.held(token, who) - before)
    }
}

/// Whatever a token does wrong when the auction pays out, the message fails as a whole and can be
/// sent again once the token behaves.
#[test]
fn what_the_auction_pays_out_waits_for_a_token_that_turned_bad() {
    let mut b = Bought::new();
    let start = b.s.w.save();
    for payout in Payout::ALL {
        let due = b.pay(payout).expect("pays");
        assert!(due > 0, "{payout:?}");
        for fault in FAULTS {
            b.s.w.restore(&start);
            let token = b.token(payout);
            b.s.w.misbehave(token, fault, reentry());
            let before = b.s.w.storage();
            // The books are read from the token: they are looked at once it behaves.
            b.s.w.checked = false;
            let result = b.pay(payout);
            if let Some(error) = going_out(fault) {
                assert_eq!(
                    result.err().and_then(CallError::reverted),
                    Some(AuctionContractError::Token(error)),
                    "{payout:?} of a token that {fault:?}"
                );
                assert!(before == b.s.w.storage(), "{payout:?}, {fault:?}");
            } else {
                // The fee is the receiver's.
                assert_eq!(result.expect("pays"), due - due / 100);
            }
            b.s.w.misbehave(token, Fault::None, Vec::new());
            b.s.w.checked = true;
            b.s.w.assert_books();
            if going_out(fault).is_some() {
                assert_eq!(b.pay(payout).expect("pays"), due, "{payout:?}, {fault:?}");
            }
        }
        b.s.w.restore(&start);
    }
}

/// A payout that would leave its receiver under a token's existential deposit is refused whole and
/// stays a claim: until it is claimed together with others, or by somebody who holds enough.
#[test]
fn a_payout_below_the_existential_deposit_stays_a_claim() {
    let mut b = Bought::new();
    let (d, bidder, depositor) = (b.s.w.d, b.s.bidders[0], b.s.bidders[1]);
    let (batch, bids, start) = (b.batch, b.bids, b.s.w.save());
    let of_both = b.pay(Payout::Bids).expect("pays");
    let of_tier = b.pay(Payout::Tier).expect("pays");
    b.s.w.restore(&start);
    let token_failed = AuctionContractError::Token(TokenError::CallFailed);

    // Both bids together reach the least balance, neither does alone.
    b.s.w
        .misbehave(d.collateral, Fault::RefusesDust, of_both.encode());
    let refund = b.s.w.balance(bidder);
    for id in bids {
        refused! { b.s.w, auction, bidder => claim(batch, vec![id]), token_failed; }
    }
    assert_eq!(b.s.w.balance(bidder), refund);
    assert_eq!(b.pay(Payout::Bids).expect("pays"), of_both);

    // Who holds enough already is paid any amount.
    b.s.w.restore(&start);
    b.s.w
        .misbehave(d.collateral, Fault::RefusesDust, (of_both + 1).encode());
    refused! { b.s.w, auction, bidder => claim(batch, bids.to_vec()), token_failed; }
    b.s.w.fund(bidder, d.collateral, Amount::new(1), d.auction);
    assert_eq!(b.pay(Payout::Bids).expect("pays"), of_both);

    // A tier's depositor likewise.
    b.s.w
        .misbehave(d.collateral, Fault::RefusesDust, (of_tier + 1).encode());
    let claim = || d.standing().call_mut().claim_standing(0, 5);
    b.s.w.refused(depositor, d.auction, claim(), token_failed);
    b.s.w
        .fund(depositor, d.collateral, Amount::new(1), d.auction);
    assert_eq!(b.pay(Payout::Tier).expect("pays"), of_tier);
}
