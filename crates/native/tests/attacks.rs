//! Attacks over several contracts, each found in an audit: what they gained, and that they do not.

use breakwater_core::auction::{Clearing, Phase};
use breakwater_core::breaker::{Cause, Stage};
use breakwater_core::math::Rounding;
use breakwater_core::units::{Amount, Price, Ratio, PRICE_ONE};
use breakwater_native::acts::{begin, Cast, COLLATERAL, QUOTE};
use breakwater_native::{Addresses, Message, Native};

fn quote(whole: u128) -> Amount {
    Amount::new(whole * QUOTE)
}

/// A round of all feeders at a price, in a block of its own.
fn round(n: &mut Native, cast: &Cast, whole: u128) {
    n.pass(1, 6_000);
    let (price, at) = (Price::new(whole * PRICE_ONE), n.now);
    for feeder in &cast.feeders {
        n.send(*feeder, &Message::Submit { price, at });
    }
    n.pass(1, 6_000);
}

fn done(n: &mut Native, who: usize, cast: &Cast, message: &Message) {
    let answer = n.send(cast.users[who], message);
    assert!(answer.done, "{message:?}: {answer:?}");
}

/// Lenders, insurance, and a position at 200 that is liquidatable at 170.
fn market(cast: &Cast) -> Native {
    let mut n = begin(Addresses::made_up(), cast, 1 << 5, (1, 1_000_000)).unwrap();
    round(&mut n, cast, 200);
    let amount = quote(100_000);
    done(&mut n, 0, cast, &Message::Supply { amount });
    done(&mut n, 0, cast, &Message::Insure { amount });
    let (collateral, quote) = (Amount::new(10 * COLLATERAL), quote(1_490));
    done(
        &mut n,
        1,
        cast,
        &Message::DepositAndBorrow { collateral, quote },
    );
    round(&mut n, cast, 170);
    round(&mut n, cast, 170);
    n
}

/// Attack: nobody bids because the price is wrong, the guardian halts the market for it, and
/// somebody settles the judged auction in the halt, so that insurance pays a floor of that price.
#[test]
fn f30_in_a_halt_insurance_buys_nothing() {
    let cast = Cast::made_up();
    for halted in [None, Some(true), Some(false)] {
        let mut n = market(&cast);
        done(&mut n, 2, &cast, &Message::OpenBatch);
        n.pass(70, 6_000);
        round(&mut n, &cast, 170);
        done(&mut n, 2, &cast, &Message::Advance { batch: 0 });
        if let Some(of_market) = halted {
            let guardian = n.at.governor;
            let stage = Stage::Halted;
            let raised = n.send(guardian, &Message::Raise { of_market, stage });
            assert!(raised.done, "{raised:?}");
        }
        let before = n.vault.state.insurance;
        done(&mut n, 2, &cast, &Message::Settle { batch: 0 });
        assert_eq!(n.vault.state.insurance < before, halted.is_none());
        assert_eq!(n.vault.state.inventory.held.is_zero(), halted.is_some());
    }
}

/// A market of a kind whose price has fallen to 175 with four positions to sell, and with money of
/// bidders for a small part of them.
fn more_than_is_paid_for(cast: &Cast, variant: u32) -> Native {
    let mut n = begin(Addresses::made_up(), cast, variant, (1, 1_000_000)).unwrap();
    round(&mut n, cast, 200);
    let amount = quote(100_000);
    done(&mut n, 0, cast, &Message::Supply { amount });
    for who in 1..5 {
        // In ticks of their own.
        let owes = quote(14_100 + 50 * who as u128);
        let (collateral, quote) = (Amount::new(100 * COLLATERAL), owes);
        let lever = Message::DepositAndBorrow { collateral, quote };
        done(&mut n, who, cast, &lever);
    }
    let amount = quote(3_000);
    done(&mut n, 0, cast, &Message::Fund { amount });
    for _ in 0..2 {
        round(&mut n, cast, 175);
    }
    n
}

/// Attack: who deposits, opens and withdraws in one block puts up no lot that the others cannot pay
/// for, which would make the cohorts that found no money wait.
#[test]
fn money_that_comes_and_goes_in_a_block_sizes_no_lot() {
    let cast = Cast::made_up();
    let mut n = more_than_is_paid_for(&cast, 1 << 5);
    let asked = |n: &Native| n.vault.state.running[0].asked;
    let mut alone = n.clone();
    done(&mut alone, 5, &cast, &Message::OpenBatch);
    assert_eq!(asked(&alone), quote(2_000), "two thirds of what is there");
    let flash = quote(200_000);
    done(&mut n, 5, &cast, &Message::Fund { amount: flash });
    done(&mut n, 5, &cast, &Message::OpenBatch);
    done(&mut n, 5, &cast, &Message::Defund { amount: flash });
    assert_eq!(asked(&n), asked(&alone));
}

/// A market of a kind at 200 with one position, and with money of one bidder.
fn a_loan(cast: &Cast, variant: u32) -> Native {
    let mut n = begin(Addresses::made_up(), cast, variant, (1, 1_000_000)).unwrap();
    round(&mut n, cast, 200);
    let amount = quote(100_000);
    done(&mut n, 0, cast, &Message::Supply { amount });
    let amount = quote(3_000);
    done(&mut n, 3, cast, &Message::Fund { amount });
    let (collateral, quote) = (Amount::new(10 * COLLATERAL), quote(1_490));
    let lever = Message::DepositAndBorrow { collateral, quote };
    done(&mut n, 1, cast, &lever);
    n
}

/// As [`a_loan`], with the money in a tier of standing bids.
fn a_loan_and_a_tier(cast: &Cast, variant: u32, percent: u8) -> Native {
    let mut n = a_loan(cast, variant);
    let amount = quote(3_000);
    done(&mut n, 3, cast, &Message::Stand { percent, amount });
    n
}

/// A calm fall to 175: in a storm the ladder is steeper.
fn calm_fall(n: &mut Native, cast: &Cast) {
    for whole in (175..200).rev() {
        n.pass(600, 6_000);
        round(n, cast, whole);
    }
}

/// The clock of the first batch runs out and it is settled; it sells, and in no block of it or
/// afterwards can anyone halt the market for silence.
#[track_caller]
fn sold_without_silence(n: &mut Native, cast: &Cast) -> Clearing {
    let trip = Message::Trip {
        of_market: true,
        cause: Cause::NoBids,
    };
    for block in 0..70 {
        n.pass(1, 6_000);
        let answer = n.send(cast.users[1], &trip);
        assert!(!answer.done, "halted after {block} blocks");
    }
    done(n, 2, cast, &Message::Settle { batch: 0 });
    let Phase::Settled(clearing) = n.house.auctions[&0].auction.phase else {
        panic!("settled");
    };
    assert!(!clearing.raised.is_zero(), "somebody buys");
    let answer = n.send(cast.users[1], &trip);
    assert!(!answer.done, "halted by what it showed");
    clearing
}

/// Attack: who owns what a batch sells trips the breaker for silence just before the standing money
/// that will buy it joins, so that nothing is sold for hours, and does so every time. Money that
/// waits for its step is heard.
#[test]
fn a_batch_that_standing_money_waits_for_is_not_silent() {
    let cast = Cast::made_up();
    for percent in [2u8, 5, 9] {
        let mut n = a_loan_and_a_tier(&cast, 1 << 5 | 1 << 1, percent);
        calm_fall(&mut n, &cast);
        done(&mut n, 2, &cast, &Message::OpenBatch);
        sold_without_silence(&mut n, &cast);
    }
}

/// Attack: as the one before, with money put into a tier instead: where the tier can buy nothing of
/// the batch, none of it is reserved, and all of it leaves in the same block.
#[test]
fn standing_money_that_comes_and_goes_in_a_block_sizes_no_lot() {
    let cast = Cast::made_up();
    let mut n = more_than_is_paid_for(&cast, 1 << 5 | 1);
    // In quarantine: what tiers pay is under the floor.
    round(&mut n, &cast, 130);
    let asked = |n: &Native| n.vault.state.running[0].asked;
    let mut alone = n.clone();
    done(&mut alone, 5, &cast, &Message::OpenBatch);
    assert_eq!(asked(&alone), quote(2_000), "two thirds of what is there");
    let (flash, percent) = (quote(200_000), 10);
    done(&mut n, 5, &cast, &Message::Fund { amount: flash });
    let stand = Message::Stand {
        percent,
        amount: flash,
    };
    done(&mut n, 5, &cast, &stand);
    done(&mut n, 5, &cast, &Message::OpenBatch);
    let unstand = Message::Unstand {
        percent,
        amount: flash,
    };
    done(&mut n, 5, &cast, &unstand);
    done(&mut n, 5, &cast, &Message::Defund { amount: flash });
    assert!(asked(&n) <= asked(&alone), "{:?}", asked(&n));
}

/// Attack: money rests in a tier under every floor, where it risks nothing, so that worse prices
/// count as good ones.
#[test]
fn standing_money_that_can_never_buy_does_not_lower_the_reserve() {
    let cast = Cast::made_up();
    for (percent, bps) in [(30, 9_700), (10, 9_500)] {
        let mut n = a_loan_and_a_tier(&cast, 1 << 5, percent);
        let amount = quote(3_000);
        done(&mut n, 4, &cast, &Message::Fund { amount });
        n.pass(1_300, 6_000);
        for _ in 0..2 {
            round(&mut n, &cast, 170);
        }
        done(&mut n, 2, &cast, &Message::OpenBatch);
        let auction = &n.house.auctions[&0].auction;
        let reserve = auction.reference.times(Ratio::from_bps(bps), Rounding::Up);
        assert_eq!(Ok(auction.reserve), reserve, "{percent} %");
    }
}

/// Attack: a batch is sized by the money there is, and the next, opened in the same block, by the
/// same money again. Lots that together ask for more than there is find nobody, and whoever bids
/// alone buys at the floor.
#[test]
fn all_batches_together_ask_for_no_more_than_two_thirds_of_the_money() {
    let cast = Cast::made_up();
    let asked = |n: &Native| {
        let running = n.vault.state.running.iter();
        running.map(|batch| batch.asked.get()).sum::<u128>()
    };
    for in_a_tier in [false, true] {
        let mut n = more_than_is_paid_for(&cast, 1 << 5);
        let params = &mut n.vault.market.params;
        (params.hole, params.min_batch) = (quote(4_000), quote(1));
        let amount = quote(3_000);
        let stand = Message::Stand { percent: 2, amount };
        if in_a_tier {
            done(&mut n, 0, &cast, &stand);
            n.pass(1, 6_000);
        }
        for _ in 0..4 {
            // The first opens, the others are refused.
            n.send(cast.users[5], &Message::OpenBatch);
        }
        assert_eq!(asked(&n), quote(2_000).get(), "two thirds of 3 000");
        // Twice the money: as much again.
        done(&mut n, 0, &cast, &Message::Fund { amount });
        n.pass(1, 6_000);
        done(&mut n, 5, &cast, &Message::OpenBatch);
        assert_eq!(asked(&n), quote(4_000).get());
    }
}

/// Attack: a lot is bought at 5 % under the reference by bids that were there from the first block.
/// Their step ends, the steps before it count as silent all at once, and anyone halts the market in
/// which everything was sold.
#[test]
fn a_lot_sold_late_to_early_bids_is_no_silence_afterwards() {
    let cast = Cast::made_up();
    let mut n = a_loan(&cast, 1 << 5 | 1 << 1);
    calm_fall(&mut n, &cast);
    done(&mut n, 2, &cast, &Message::OpenBatch);
    let reference = n.house.auctions[&0].auction.reference;
    let bid = Message::Bid {
        batch: 0,
        budget: quote(3_000),
        limit: Price::new(reference.get() / 100 * 95),
        valid_until: u32::MAX,
    };
    done(&mut n, 3, &cast, &bid);
    let clearing = sold_without_silence(&mut n, &cast);
    // The first ten steps are above the reference.
    let silent = u32::from(clearing.step.saturating_sub(12));
    assert!(silent > n.house.breaker.limits.silent_steps, "{clearing:?}");
}
