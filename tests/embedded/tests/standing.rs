//! Standing bids on a chain: money that rests in discount tiers across auctions (F19).

use breakwater_chain::{AccountId, CallError};
use breakwater_core::auction::{AuctionError, Clearing, End};
use breakwater_core::breaker::Stage;
use breakwater_core::market::{example_params, MarketParams};
use breakwater_core::standing::account::{Payout, Worth};
use breakwater_core::standing::depth::NOTICE;
use breakwater_core::standing::{Discount, Standing, StandingError};
use breakwater_core::units::{Amount, Price};
use breakwater_embedded_tests::{collateral, price, quote, refused, worth as value, Scene};
use breakwater_interfaces::auction::{AuctionContractError as Error, BatchKey, LiquidationAuction};
use breakwater_interfaces::breaker::CircuitBreaker;
use breakwater_interfaces::oracle::OracleAdapter;
use breakwater_interfaces::standing::{
    StandingBids, StandingChanged, StandingClaimed, StandingFilled,
};
use breakwater_sim::bench::cost::Cost;
use ink::codegen::TraitCallBuilder;

const ALL: Amount = Amount::new(u128::MAX);

type Refused = CallError<Error>;

fn stand(s: &mut Scene, who: AccountId, percent: u8, amount: Amount) -> Result<(), Refused> {
    let message = s.w.d.standing().call_mut().stand(0, percent, amount);
    let receipt = s.w.auction(who, message)?;
    let events = receipt.events_of::<StandingChanged>(s.w.d.auction);
    assert_eq!(events.expect("decodes")[0].entered, amount);
    Ok(())
}

/// A new depositor with so much quote in a tier.
fn depositor(s: &mut Scene, index: u32, percent: u8, amount: Amount) -> AccountId {
    let who = s.w.account(index);
    s.w.fund_bidder(who, amount);
    stand(s, who, percent, amount).expect("stands");
    who
}

fn unstand(s: &mut Scene, who: AccountId, percent: u8, amount: Amount) -> Result<Amount, Refused> {
    let message = s.w.d.standing().call_mut().unstand(0, percent, amount);
    s.w.auction(who, message).map(|receipt| receipt.value)
}

fn claim(s: &mut Scene, who: AccountId, percent: u8) -> Result<Payout, Refused> {
    let message = s.w.d.standing().call_mut().claim_standing(0, percent);
    let receipt = s.w.auction(who, message)?;
    let events = receipt.events_of::<StandingClaimed>(s.w.d.auction);
    assert_eq!(events.expect("decodes")[0].payout, receipt.value);
    Ok(receipt.value)
}

fn worth(s: &Scene, who: AccountId, percent: u8) -> Worth {
    let message = s.w.d.standing().call().stake_of(0, percent, who);
    s.w.ask(s.w.d.auction, message).expect("adds up")
}

fn tiers(s: &Scene) -> Standing {
    s.w.ask(s.w.d.auction, s.w.d.standing().call().standing(0))
}

/// Ten indebted owners and five bidders with so much quote each.
fn scene_of(params: MarketParams, deposit: Amount) -> Scene {
    let positions: Vec<_> = (0..10).map(|i| (collateral(10), Scene::debt(i))).collect();
    Scene::of(params, &positions, deposit)
}

fn scene(deposit: Amount) -> Scene {
    scene_of(example_params(), deposit)
}

fn crash(s: &mut Scene, whole: u128) -> BatchKey {
    s.w.set_price_twice(price(whole));
    s.open()
}

/// The batch to its end: nobody judges it before its last step has ended.
fn finish(s: &mut Scene, batch: BatchKey) -> Clearing {
    s.w.run_out(batch);
    s.w.settle(s.keeper, batch);
    s.w.rest(s.keeper, batch);
    s.w.clearing(batch)
}

/// The first step at or under a tier's price.
fn step_of(s: &Scene, batch: BatchKey, percent: u8, seen: Price) -> usize {
    let tier = Discount::from_percent(percent).unwrap().of(seen).unwrap();
    let prices = s.w.record(batch).auction.prices;
    prices.partition_point(|price| *price > tier)
}

fn close(a: u128, b: u128, within: u128) {
    assert!(a.abs_diff(b) <= within, "{a} and {b}");
}

/// Three depositors and no bot buy a whole batch at their discount; each has its share of what
/// was spent and bought, and takes everything out again.
#[test]
fn f19_depositors_without_a_bot_buy_a_batch_at_one_price_in_proportion() {
    let mut s = scene(Amount::ZERO);
    let a = depositor(&mut s, 200, 5, quote(12_000));
    let b = depositor(&mut s, 201, 5, quote(6_000));
    let deep = depositor(&mut s, 202, 30, quote(50_000));
    let batch = crash(&mut s, 170);
    let record = s.w.record(batch);
    let step = step_of(&s, batch, 5, price(170));
    // The tier of 30 % is under the floor: it neither takes part nor counts for the lot's size.
    let reserved: Vec<_> = record
        .standing
        .tiers
        .iter()
        .map(|t| t.discount.percent())
        .collect();
    assert_eq!(reserved, [5]);
    assert!(record.auction.targets[0].get() * 3 <= quote(18_000).get() * 2);

    s.w.run_to(batch, u8::try_from(step).unwrap() + 1);
    let status = s.w.ask(s.w.d.auction, s.w.d.auction().call().status(batch));
    let promised = status.expect("exists").clearing;
    let message = s.w.d.auction().call_mut().settle(batch);
    let receipt = s.w.auction(s.keeper, message).expect("settles");
    let filled = receipt
        .events_of::<StandingFilled>(s.w.d.auction)
        .expect("decodes");
    s.w.rest(s.keeper, batch);
    let clearing = s.w.clearing(batch);
    assert_eq!(clearing.end, End::Covered);
    assert_eq!(
        (clearing.step, clearing.price),
        (promised.step, promised.price)
    );
    assert_eq!(clearing.price, record.auction.prices[step]);
    assert_eq!(clearing.raised, record.auction.targets[step]);
    assert_eq!(
        (filled[0].spent, filled[0].received),
        (clearing.raised, clearing.sold)
    );
    assert!(
        s.w.record(batch).collateral.is_zero(),
        "all of it is the tier's"
    );

    let (wa, wb) = (worth(&s, a, 5), worth(&s, b, 5));
    close(wa.collateral.get(), clearing.sold.get() * 2 / 3, 1);
    close(wb.collateral.get(), clearing.sold.get() / 3, 1);
    close(
        wa.standing.get(),
        quote(12_000).get() - clearing.raised.get() * 2 / 3,
        2,
    );
    assert_eq!(worth(&s, deep, 30).standing, quote(50_000));
    for (who, percent, deposited) in [(a, 5, 12_000), (b, 5, 6_000), (deep, 30, 50_000)] {
        let has = worth(&s, who, percent);
        if percent == 5 {
            assert_eq!(
                claim(&mut s, who, percent).expect("pays").collateral,
                has.collateral
            );
            assert_eq!(s.w.held(s.w.d.collateral, who), has.collateral.get());
        }
        assert_eq!(
            unstand(&mut s, who, percent, ALL).expect("pays"),
            has.standing
        );
        assert_eq!(s.w.balance(who), has.standing.get());
        let spent = quote(deposited).get() - has.standing.get();
        close(spent, value(has.collateral.get(), clearing.price), 2);
        assert_eq!(worth(&s, who, percent), Worth::default());
    }
}

/// A tier is one more bid of its step: it shares the margin with a bidder there in proportion.
#[test]
fn a_tier_and_a_bidder_in_one_step_share_it_and_pay_one_price() {
    let mut s = scene(quote(20_000));
    let a = depositor(&mut s, 200, 5, quote(8_000));
    let batch = crash(&mut s, 170);
    let step = step_of(&s, batch, 5, price(170));
    let limit = s.w.record(batch).auction.prices[step];
    let id = s.bid(0, batch, quote(8_000), limit);
    let clearing = finish(&mut s, batch);
    assert_eq!((usize::from(clearing.step), clearing.price), (step, limit));
    assert!(clearing.raised < quote(16_000));
    let fill = s.w.claim(s.bidders[0], batch, &[id]);
    let has = worth(&s, a, 5);
    close(has.collateral.get(), fill.received.get(), 1);
    close(
        quote(8_000).minus(has.standing).unwrap().get(),
        fill.spent.get(),
        2,
    );
}

/// Cleared above the tiers, a batch leaves their money alone.
#[test]
fn a_batch_that_clears_above_a_tier_gives_its_money_back() {
    let mut s = scene(quote(20_000));
    let a = depositor(&mut s, 200, 5, quote(8_000));
    let batch = crash(&mut s, 170);
    s.clear_at(batch, 12);
    assert_eq!(
        worth(&s, a, 5),
        Worth {
            standing: quote(8_000),
            ..Worth::default()
        }
    );
    assert!(!tiers(&s).tiers()[0].is_engaged());
}

/// Promise 1: opening and settling a batch costs the same for one depositor and for a hundred.
#[test]
fn settlement_is_flat_in_the_number_of_standing_depositors() {
    let run = |depositors: u32| {
        let mut s = scene(Amount::ZERO);
        s.w.checked = false;
        for index in 0..depositors {
            let share = quote(12_000).get() / u128::from(depositors);
            depositor(&mut s, 200 + index, 5, Amount::new(share));
        }
        s.w.set_price_twice(price(170));
        let message = s.w.d.auction().call_mut().open_batch(0);
        let opened = s.w.auction(s.keeper, message).expect("opens");
        let batch = opened.value;
        s.w.batches.push(batch);
        s.w.run_out(batch);
        let message = s.w.d.auction().call_mut().settle(batch);
        let settled = s.w.auction(s.keeper, message).expect("settles");
        s.w.assert_books();
        assert!(!s.w.clearing(batch).raised.is_zero());
        // Fees rise and fall with the chain's load.
        [Cost::of(&opened), Cost::of(&settled)].map(|c| (c.ref_time, c.proof_size, c.deposit))
    };
    assert_eq!(run(1), run(100));
}

/// One claim pays the collateral of all auctions since the last one.
#[test]
fn a_depositor_claims_collateral_from_several_auctions_at_once() {
    let mut s = scene(Amount::ZERO);
    let a = depositor(&mut s, 200, 5, quote(30_000));
    let b = depositor(&mut s, 201, 5, quote(30_000));
    let mut sold = 0;
    for fallen in [170, 150, 130] {
        let batch = crash(&mut s, fallen);
        let clearing = finish(&mut s, batch);
        assert!(!clearing.sold.is_zero(), "at {fallen}");
        sold += clearing.sold.get();
        // One of the two claims after each, the other once.
        claim(&mut s, b, 5).expect("pays");
    }
    let paid = claim(&mut s, a, 5).expect("pays").collateral.get();
    close(paid, sold / 2, 1);
    close(paid, s.w.held(s.w.d.collateral, b), 1);
    assert_eq!(worth(&s, a, 5).standing, worth(&s, b, 5).standing);
}

/// Money that enters after the opening waits for the next batch and gains nothing from
/// this one.
#[test]
fn entering_after_the_opening_gains_nothing() {
    let mut s = scene(Amount::ZERO);
    let a = depositor(&mut s, 200, 5, quote(18_000));
    let batch = crash(&mut s, 170);
    let late = depositor(&mut s, 201, 5, quote(18_000));
    assert_eq!(worth(&s, late, 5).waiting, quote(18_000));
    let clearing = finish(&mut s, batch);
    assert_eq!(
        worth(&s, late, 5),
        Worth {
            standing: quote(18_000),
            ..Worth::default()
        }
    );
    close(worth(&s, a, 5).collateral.get(), clearing.sold.get(), 1);
    // It takes part in the next one.
    let batch = crash(&mut s, 140);
    let clearing = finish(&mut s, batch);
    let (first, second) = (worth(&s, a, 5), worth(&s, late, 5));
    assert!(second.collateral.get() > clearing.sold.get() / 2);
    assert!(first.collateral > second.collateral);
}

/// Who leaves after the opening stays in this batch and is paid when it settles; a
/// waiting deposit is taken back at once.
#[test]
fn leaving_during_a_batch_takes_its_part_of_it() {
    let mut s = scene(Amount::ZERO);
    let a = depositor(&mut s, 200, 5, quote(12_000));
    let b = depositor(&mut s, 201, 5, quote(6_000));
    let batch = crash(&mut s, 170);
    assert_eq!(unstand(&mut s, a, 5, ALL).expect("waits"), Amount::ZERO);
    assert_eq!(worth(&s, a, 5).leaving, quote(12_000));
    let late = depositor(&mut s, 202, 5, quote(500));
    assert_eq!(
        unstand(&mut s, late, 5, quote(500)).expect("pays"),
        quote(500)
    );
    let clearing = finish(&mut s, batch);
    let has = worth(&s, a, 5);
    assert_eq!((has.leaving, has.standing), (Amount::ZERO, Amount::ZERO));
    close(has.collateral.get(), clearing.sold.get() * 2 / 3, 1);
    close(
        has.payable.get(),
        quote(12_000).get() - clearing.raised.get() * 2 / 3,
        2,
    );
    let paid = claim(&mut s, a, 5).expect("pays");
    assert_eq!((paid.quote, paid.collateral), (has.payable, has.collateral));
    assert_eq!(s.w.balance(a), has.payable.get());
    // With no batch running one leaves at once.
    let rest = worth(&s, b, 5).standing;
    assert_eq!(unstand(&mut s, b, 5, rest).expect("pays"), rest);
}

/// A tier buys only under a fresh price: without one it sits the steps out, whoever judges.
#[test]
fn a_tier_without_a_fresh_round_sits_the_step_out() {
    let params = MarketParams {
        max_price_age: 360_000,
        ..example_params()
    };
    let mut sold = Vec::new();
    for fresh in [false, true] {
        let mut s = scene_of(params.clone(), Amount::ZERO);
        depositor(&mut s, 200, 9, quote(18_000));
        s.w.set_price_twice(price(170));
        s.w.advance(50);
        let batch = s.open();
        s.w.run_to(batch, 30);
        if fresh {
            s.w.submit(price(170));
        }
        sold.push(finish(&mut s, batch).sold.is_zero());
    }
    assert_eq!(sold, [true, false]);
}

/// Promise 7 for tiers: halted for 40 blocks, a tier joins the step it would have joined and the
/// batch clears as it would have; with a fall of the price meanwhile the tier asks for less. During
/// the halt nobody judges, who enters waits, and who leaves has to wait as well.
#[test]
fn a_halt_shifts_the_step_of_a_tier_and_changes_nothing_else() {
    let mut s = scene(Amount::ZERO);
    let first = depositor(&mut s, 200, 5, quote(18_000));
    let batch = crash(&mut s, 170);
    let (d, governor) = (s.w.d, s.w.governor());
    let start = s.w.save();
    let quiet = finish(&mut s, batch);
    assert!(!quiet.raised.is_zero());

    for fallen in [false, true] {
        s.w.restore(&start);
        s.w.run_to(batch, 3);
        let raise = d.breaker().call_mut().raise(Some(0), Stage::Halted);
        s.w.auction(governor, raise).expect("halts");
        s.w.advance(20);
        if fallen {
            s.w.submit(price(165));
        }
        refused! { s.w, auction, s.keeper => settle(batch), AuctionError::Halted; }
        let second = depositor(&mut s, 201, 5, quote(1_000));
        assert_eq!(worth(&s, second, 5).waiting, quote(1_000));
        assert_eq!(unstand(&mut s, first, 5, quote(500)), Ok(Amount::ZERO));
        s.w.advance(20);
        let lower = d.breaker().call_mut().lower(Some(0), Stage::Open);
        s.w.auction(governor, lower).expect("goes on");
        // The clock has stood for forty blocks.
        s.w.run_out(batch);
        refused! { s.w, auction, s.keeper => settle(batch), AuctionError::BiddingOpen; }
        s.w.advance(40);
        let halted = finish(&mut s, batch);
        if fallen {
            let tier = Discount::from_percent(5).unwrap().of(price(165)).unwrap();
            assert!(
                halted.price <= tier && halted.step > quiet.step,
                "{halted:?}"
            );
        } else {
            assert_eq!(halted, quiet);
        }
        // Who asked to leave in the halt can, and who entered has bought nothing.
        assert!(claim(&mut s, first, 5).expect("pays").quote > Amount::ZERO);
        assert_eq!(worth(&s, second, 5).standing, quote(1_000));
    }
}

/// A tier's discount is taken from the lowest price seen since the opening, so it joins later
/// where the price has fallen; judged late or in time, the result is the same.
#[test]
fn a_falling_price_moves_a_tier_to_a_later_step_whoever_asks_when() {
    let mut s = scene(Amount::ZERO);
    depositor(&mut s, 200, 3, quote(18_000));
    let batch = crash(&mut s, 170);
    s.w.run_to(batch, 20);
    s.w.submit(price(166));
    let seen =
        s.w.d
            .oracle()
            .call()
            .prices_since(0, s.w.record(batch).auction.opened);
    assert_eq!(
        s.w.ask(s.w.d.oracle, seen).last().expect("seen").price,
        price(166)
    );
    let (early, late) = (
        step_of(&s, batch, 3, price(170)),
        step_of(&s, batch, 3, price(166)),
    );
    assert!(early < late);
    let saved = s.w.save();
    s.w.run_to(batch, u8::try_from(late).unwrap() + 1);
    let timely = s.w.judge(s.stranger, batch);
    assert_eq!(usize::from(timely.step), late);
    s.w.restore(&saved);
    s.w.run_out(batch);
    assert_eq!(s.w.judge(s.stranger, batch), timely);
}

/// What has stood for a notice period in a tier of 4 % lowers `r` under that tier's price.
#[test]
fn r_leaves_room_for_a_shallow_tier_that_has_stood_for_a_notice_period() {
    let mut ratios = Vec::new();
    for blocks in [0, 2 * NOTICE] {
        let mut s = scene(Amount::ZERO);
        depositor(&mut s, 200, 4, quote(18_000));
        s.w.advance(blocks);
        let batch = crash(&mut s, 170);
        let auction = s.w.record(batch).auction;
        ratios.push(auction.reserve.get() * 10_000 / auction.reference.get());
    }
    assert_eq!(ratios, [9_700, 9_550]);
}

/// Every refusal of the three messages by its name; nothing has changed then (promise 9).
#[test]
fn refusals_of_standing_bids_are_typed() {
    let mut s = scene(quote(1_000));
    let a = depositor(&mut s, 200, 5, quote(2_000));
    let (who, unknown) = (s.bidders[0], 7);
    let d = s.w.d;
    let table = [
        (
            d.standing().call_mut().stand(0, 1, quote(10)),
            StandingError::NoSuchTier.into(),
        ),
        (
            d.standing().call_mut().stand(0, 31, quote(10)),
            StandingError::NoSuchTier.into(),
        ),
        (
            d.standing().call_mut().stand(0, 5, Amount::new(999_999)),
            Error::AmountTooSmall,
        ),
        (
            d.standing().call_mut().stand(0, 5, quote(1_001)),
            Error::InsufficientBalance,
        ),
        (
            d.standing().call_mut().stand(unknown, 5, quote(10)),
            Error::UnknownMarket,
        ),
    ];
    for (message, error) in table {
        assert_eq!(s.w.refusal(who, d.auction, message), Some(error));
    }
    let table = [
        (
            a,
            d.standing().call_mut().unstand(0, 5, Amount::ZERO),
            StandingError::NothingAsked.into(),
        ),
        (
            a,
            d.standing().call_mut().unstand(0, 5, Amount::new(999_999)),
            Error::AmountTooSmall,
        ),
        (
            a,
            d.standing().call_mut().unstand(0, 40, quote(1)),
            StandingError::NoSuchTier.into(),
        ),
        (
            who,
            d.standing().call_mut().unstand(0, 6, quote(1)),
            StandingError::NothingAsked.into(),
        ),
        (
            who,
            d.standing().call_mut().unstand(0, 5, quote(1)),
            StandingError::NothingAsked.into(),
        ),
        (
            who,
            d.standing().call_mut().unstand(unknown, 5, quote(1)),
            Error::UnknownMarket,
        ),
    ];
    for (who, message, error) in table {
        assert_eq!(s.w.refusal(who, d.auction, message), Some(error));
    }
    let table = [
        (
            d.standing().call_mut().claim_standing(0, 5),
            StandingError::NothingToClaim.into(),
        ),
        (
            d.standing().call_mut().claim_standing(0, 6),
            StandingError::NoSuchTier.into(),
        ),
        (
            d.standing().call_mut().claim_standing(unknown, 5),
            Error::UnknownMarket,
        ),
    ];
    for (message, error) in table {
        assert_eq!(s.w.refusal(a, d.auction, message), Some(error));
    }
    // Money in a tier is no free balance.
    assert_eq!(s.w.balance(a), 0);
    let message = d.auction().call_mut().withdraw(0, quote(1));
    assert_eq!(
        s.w.refusal(a, d.auction, message),
        Some(Error::InsufficientBalance)
    );
}
