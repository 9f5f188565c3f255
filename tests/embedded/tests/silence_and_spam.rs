//! Congestion and spam on a chain: honest bidders who cannot be heard, and one who shouts.

use breakwater_core::auction::{Auction, AuctionError, Clearing, Fill};
use breakwater_core::math::Rounding;
use breakwater_core::units::Amount;
use breakwater_embedded_tests::{price, quote, refused, scale, worth, Scene};
use breakwater_interfaces::auction::{AuctionContractError, BatchKey, BidId, LiquidationAuction};
use breakwater_sim::bench::cost::Cost;
use ink::codegen::TraitCallBuilder;

const ALWAYS: u32 = u32::MAX;

/// Places a bid at any price, which joins the present step, on a chain and, as the model, in an
/// auction of its own.
fn bid(
    s: &mut Scene,
    model: &mut Auction,
    who: usize,
    batch: BatchKey,
    budget: Amount,
) -> Option<BidId> {
    let limit = *model.prices.first().expect("has steps");
    let block = s.w.block();
    let placed = model.place(budget, limit, ALWAYS, block, scale());
    let on_chain = s.w.bid(s.bidders[who], batch, budget, limit);
    match placed {
        Ok(step) => {
            let id = on_chain.expect("bids");
            let message = s.w.d.auction().call().bid_of(batch, id);
            let stored = s.w.ask(s.w.d.auction, message).expect("is there");
            assert_eq!(stored.step, step);
            Some(id)
        }
        Err(error) => {
            let refused = on_chain.err().and_then(|error| error.reverted());
            assert_eq!(refused, Some(AuctionContractError::Auction(error)));
            None
        }
    }
}

/// What all owners have: collateral, and debt.
fn holdings(s: &Scene) -> (u128, u128) {
    let views = s.owners.iter().map(|owner| s.w.view(*owner));
    views.fold((0, 0), |(collateral, debt), view| {
        (collateral + view.collateral.get(), debt + view.debt.get())
    })
}

/// All honest bidders are silent for k blocks, the last ones of the ladder included; one bidder is
/// left, who bids in the last of these blocks at any price, with money for all of the lot or for a
/// third of it. The rest bid as soon as they are heard.
///
/// Nothing is sold under the floor, nothing gets stuck, and the owners lose what the model says:
/// what is raised at the price of that step, or of the next one where the lone bidder was short and
/// the others came back, buys collateral worth `fair / price` of it.
#[test]
fn silence_of_all_honest_bidders_but_one_costs_owners_what_the_model_says() {
    for silent in [30u8, 57, 64] {
        for third in [false, true] {
            let (mut s, batch) = Scene::opened(170);
            let mut model = s.w.record(batch).auction;
            let (ladder, targets) = (model.prices.clone(), model.targets.clone());
            let before = holdings(&s);
            let reached = usize::from(silent) - 1;
            s.w.run_to(batch, silent - 1);
            let purse = targets[reached].get() * if third { 3 } else { 12 } / 10;
            let lone = bid(&mut s, &mut model, 0, batch, Amount::new(purse));
            s.w.advance(1);
            // The others come back: too late where the lone bidder has bought everything, or where
            // the ladder has ended.
            let honest: Vec<_> = (1..5)
                .map(|who| (who, bid(&mut s, &mut model, who, batch, quote(5_000))))
                .collect();
            let heard = third && silent < 64;
            assert!(honest.iter().all(|(_, id)| id.is_some() == heard));

            s.w.run_out(batch);
            let settlement = s.w.settle(s.keeper, batch);
            s.w.rest(s.keeper, batch);
            let clearing = s.w.clearing(batch);
            assert_eq!(model.clear(s.w.block(), scale()), Ok(clearing));
            let at = reached + usize::from(heard);
            assert_eq!(clearing.price, ladder[at], "silent for {silent}");
            assert!(clearing.price >= *ladder.last().expect("has steps"));
            let all = targets[at].get();
            let sold_all = if third && !heard { purse } else { all };
            assert!(clearing.raised.get().abs_diff(sold_all) <= 1);

            // The owners' loss: by their own holdings, and by the model, to a unit for each owner.
            let after = holdings(&s);
            let (given, retired) = (before.0 - after.0, before.1 - after.1);
            let fair = price(170);
            let lost = worth(given, fair) - retired;
            let sold = scale()
                .quantity(clearing.raised, clearing.price, Rounding::Down)
                .expect("in range");
            let model =
                worth(sold.get(), fair) - clearing.raised.get() + settlement.penalties.get();
            assert!(
                lost.abs_diff(model) <= 2 * s.owners.len() as u128,
                "silent for {silent}: lost {lost}, by the model {model}"
            );

            // Nothing is stuck: everybody is paid, and the auction holds balances alone.
            let mut paid = 0;
            for (who, id) in honest.into_iter().chain([(0, lone)]) {
                if let Some(id) = id {
                    paid += s.w.claim(s.bidders[who], batch, &[id]).received.get();
                }
            }
            assert!(settlement.sold.get() - paid <= 5);
            let d = s.w.d;
            let treasury = s.w.ask(d.auction, d.auction().call().treasury(0));
            let balances: u128 = s.bidders.iter().map(|who| s.w.balance(*who)).sum();
            assert_eq!((treasury.held.get(), treasury.running), (balances, vec![]));
            let record = s.w.record(batch);
            assert!(record.auction.reserved.is_zero());
        }
    }
}

/// An auction with so many least bids of one bidder in each of its first twenty blocks: its
/// clearing, the honest bidder's fill, what the messages of others cost, and the spammer's money.
fn spammed(each_block: u32) -> (Clearing, Fill, [Cost; 3], u128) {
    let (mut s, batch) = Scene::opened(170);
    s.w.checked = false;
    let auction = s.w.record(batch).auction;
    let (limit, d) = (*auction.prices.first().expect("has steps"), s.w.d);
    let least = auction.least_budget(scale()).expect("in range");
    let (spammer, honest) = (s.bidders[4], s.bidders[0]);
    let mut spent_on_spam = 0;
    s.w.run_to(batch, 0);
    let mut bids = Vec::new();
    for block in 0..20 {
        for _ in 0..each_block {
            let id = s.w.bid(spammer, batch, least, limit).expect("bids");
            spent_on_spam += least.get();
            bids.push(id);
        }
        if block == 10 {
            let target = auction.targets[10];
            let message = d.auction().call_mut().bid(batch, target, limit, ALWAYS);
            let receipt = s.w.auction(honest, message).expect("bids");
            bids.push(receipt.value);
            s.w.advance(1);
            let advance = d.auction().call_mut().advance(batch);
            let advance = Cost::of(&s.w.auction(s.keeper, advance).expect("clears"));
            let settle = d.auction().call_mut().settle(batch);
            let settle = Cost::of(&s.w.auction(s.keeper, settle).expect("settles"));
            let costs = [Cost::of(&receipt), advance, settle];
            let fill = s.w.claim(honest, batch, &[receipt.value]);
            s.w.assert_books();
            return (s.w.clearing(batch), fill, costs, spent_on_spam);
        }
        s.w.advance(1);
    }
    unreachable!("an honest bid covers the target");
}

/// Bids of one unit are refused. The least bids there are, fifteen in every block, move neither the
/// step nor the price nor what is raised, take no more from an honest bidder than they pay for at
/// the same price, and cost others nothing: neither time nor proof nor a deposit.
#[test]
fn spam_of_least_bids_moves_no_outcome_and_costs_others_nothing() {
    let (mut s, batch) = Scene::opened(170);
    let floor = *s.w.record(batch).auction.prices.last().expect("has steps");
    refused! { s.w, auction,
        s.bidders[4] => bid(batch, Amount::new(1), floor, ALWAYS), AuctionError::BudgetTooSmall;
    }
    let (quiet, quiet_fill, quiet_costs, _) = spammed(0);
    let (loud, loud_fill, loud_costs, spam) = spammed(15);
    assert!(spam > 0 && quiet.raised.get() > 1_000 * spam);
    assert_eq!((loud.step, loud.price), (quiet.step, quiet.price));
    assert_eq!((loud.raised, loud.sold), (quiet.raised, quiet.sold));
    assert!(quiet_fill.spent.get() - loud_fill.spent.get() <= spam);
    for (quiet, loud) in quiet_costs.into_iter().zip(loud_costs) {
        assert!(loud.within_two_percent(quiet), "{loud:?}, {quiet:?}");
        assert_eq!(loud.deposit, quiet.deposit);
    }
}
