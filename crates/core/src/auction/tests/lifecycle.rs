//! Which way an auction goes, whatever is called in whatever order.

use super::*;

#[derive(Clone, Debug)]
enum Call {
    Place(u128, u32),
    Cancel(usize),
    Clear,
    Reprice(u32, u32),
    Settle,
    Claim(usize),
    Pass(u32),
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        4 => (1_100u128..3_000_000_000, 880_000u32..1_060_000).prop_map(|(b, l)| Call::Place(b, l)),
        1 => (0usize..8).prop_map(Call::Cancel),
        2 => Just(Call::Clear),
        1 => (800_000u32..1_200_000, 800_000u32..1_200_000).prop_map(|(s, p)| Call::Reprice(s, p)),
        2 => Just(Call::Settle),
        3 => (0usize..8).prop_map(Call::Claim),
        3 => (0u32..20).prop_map(Call::Pass),
    ]
}

fn rank(phase: Phase) -> u8 {
    match phase {
        Phase::Running => 0,
        Phase::Cleared(_) => 1,
        Phase::Settled(_) => 2,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// I-22, I-25 and I-49: phases only rise, one at a time; once judged, step and price stay; what
    /// is reserved is the sum of the bids that are neither cancelled nor claimed; a refusal changes
    /// nothing.
    #[test]
    fn i22_an_auction_goes_from_running_to_cleared_to_settled_and_never_back(
        calls in proptest::collection::vec(call(), 1..60), target in 1_000_000u128..4_000_000_000,
    ) {
        let (mut auction, _) = run(&[], target, PRICE_ONE);
        let mut block = FIRST;
        let mut open: Vec<(Amount, u8)> = Vec::new();
        for call in calls {
            let before = auction.clone();
            let done = match call {
                Call::Place(budget, limit) => {
                    let (budget, limit) = (Amount::new(budget), Price::new(PRICE_ONE / 1_000_000 * u128::from(limit)));
                    auction.place(budget, limit, Block::MAX, block, scale()).map(|step| open.push((budget, step)))
                }
                Call::Cancel(nth) if nth < open.len() => {
                    let (budget, step) = open[nth];
                    auction.cancel(budget, step, block).map(|()| {
                        open.swap_remove(nth);
                    })
                }
                Call::Claim(nth) if nth < open.len() => {
                    let (budget, step) = open[nth];
                    auction.claim(budget, step, scale()).map(|_| {
                        open.swap_remove(nth);
                    })
                }
                Call::Cancel(_) | Call::Claim(_) => Ok(()),
                Call::Clear => auction.clear(block, scale()).map(|_| ()),
                Call::Reprice(spot, previous) => {
                    let of = |ppm: u32| Price::new(PRICE_ONE / 1_000_000 * u128::from(ppm));
                    auction.reprice(block, of(spot), of(previous), scale()).map(|_| ())
                }
                Call::Settle => auction.settle().map(|_| ()),
                Call::Pass(blocks) => {
                    block += blocks;
                    Ok(())
                }
            };
            let (was, is) = (rank(before.phase), rank(auction.phase));
            prop_assert!(is == was || is == was + 1);
            if done.is_err() {
                prop_assert_eq!(&auction, &before);
            }
            if let (Phase::Cleared(a) | Phase::Settled(a), Phase::Cleared(b) | Phase::Settled(b)) = (before.phase, auction.phase) {
                prop_assert_eq!((a.end, a.ended_at, a.step, a.price, a.raised, a.sold), (b.end, b.ended_at, b.step, b.price, b.raised, b.sold));
            }
            let reserved: u128 = open.iter().map(|(budget, _)| budget.get()).sum();
            prop_assert_eq!(auction.reserved.get(), reserved);
        }
    }
}
