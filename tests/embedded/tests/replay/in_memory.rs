//! F24 without a chain: what the rules in memory tell amounts to their state, through the books of
//! replay, which share no code with them.

use breakwater_chain::{ContractEvent, Emitted as OnChain};
use breakwater_core::auction::Halts;
use breakwater_core::market::MarketState;
use breakwater_interfaces::auction::{AuctionMarket, MarketRegistered};
use breakwater_interfaces::vault::MarketCreated;
use breakwater_native::acts::{begin, prelude, random, Act, Cast, FIRST_PRICE};
use breakwater_native::checks::{live_watched, Seen, Tally};
use breakwater_native::{Addresses, Emitted, Native, MARKET};
use breakwater_sim::replay::log::{Contracts, Entry};
use breakwater_sim::replay::Replayed;

/// Random acts of a history.
const LENGTH: usize = 300;

/// The log of one market.
struct Log {
    replayed: Replayed,
}

impl Log {
    /// A market has been created and registered.
    fn new(n: &Native) -> Self {
        let (vault, auction) = (n.at.vault, n.at.auction);
        let mut log = Self {
            replayed: Replayed::new(Contracts { vault, auction }),
        };
        let created = MarketCreated {
            market: MARKET,
            collateral: n.at.collateral,
            quote: n.at.quote,
            params: n.vault.market.params.clone(),
        };
        let registered = MarketRegistered {
            market: MARKET,
            terms: n.house.market.clone(),
        };
        log.take(n, &Emitted::of(vault, &created));
        log.take(n, &Emitted::of(auction, &registered));
        log
    }

    fn take(&mut self, n: &Native, told: &Emitted) {
        if !self.replayed.contracts.has(told.contract) {
            return;
        }
        let entry = Entry {
            sequence: self.replayed.events(),
            emitted: OnChain {
                block: n.block,
                timestamp: n.now,
                event: ContractEvent {
                    contract: told.contract,
                    topics: told.topics.clone(),
                    data: told.data.clone(),
                },
            },
        };
        let taken = self.replayed.apply([&entry]);
        taken.unwrap_or_else(|error| panic!("{}: {error}", told.name));
    }

    /// The books that events amount to are the state.
    fn compare(&self, n: &Native) {
        // Events do not tell how often a page was renumbered.
        let bare = |state: MarketState| MarketState { epoch: 0, ..state };
        let books = self.replayed.vault.market(MARKET).expect("created");
        assert_eq!(books.market, n.vault.market, "terms");
        let state = books.state_at(n.now).expect("in range");
        let there = n.accounting().expect("in range").state;
        assert_eq!(bare(state), bare(there), "totals");
        assert_eq!(books.collected, n.vault.collected, "collected");
        for (who, shares) in &books.lenders {
            assert_eq!(*shares, n.vault.shares_of(*who), "shares");
        }
        for (who, due) in &books.rewards {
            let reward = n.vault.rewards.get(who).copied().unwrap_or_default();
            assert_eq!(*due, reward, "rewards");
        }
        assert!(books.positions.keys().eq(n.vault.positions.keys()));
        for who in books.positions.keys() {
            let view = books.view(n.now, *who, FIRST_PRICE).expect("in range");
            assert_eq!(view.ok(), n.position_at(*who, FIRST_PRICE).ok(), "position");
        }
        let (books, house) = (&self.replayed.auction, &n.house);
        let terms = |terms: &AuctionMarket| AuctionMarket {
            halts: Halts::default(),
            ..terms.clone()
        };
        assert_eq!(
            terms(&books.markets[&MARKET]),
            terms(&house.market),
            "terms"
        );
        let treasury = books.treasuries.get(&n.at.quote).cloned();
        assert_eq!(treasury.unwrap_or_default(), house.treasury, "treasury");
        let balances = books.balances.iter().filter(|(_, held)| !held.is_zero());
        let balances = balances.map(|((_, who), held)| (*who, *held));
        let there = house.balances.iter().map(|(who, held)| (*who, *held));
        assert!(balances.eq(there), "balances");
        let auctions = books.auctions.iter().map(|((_, number), it)| (number, it));
        assert!(auctions.eq(&house.auctions), "auctions");
        let bids = books
            .bids
            .iter()
            .map(|(((_, batch), id), bid)| ((*batch, *id), *bid));
        assert!(
            bids.eq(house.bids.iter().map(|(key, bid)| (*key, *bid))),
            "bids"
        );
        let standing = books.standing.get(&MARKET).cloned().unwrap_or_default();
        assert_eq!(standing, house.standing, "tiers");
    }
}

/// The books are compared after every sixteenth act and at the end.
#[test]
fn f24_histories_in_memory_are_rebuilt_from_what_they_told() {
    let (cast, mut tally) = (Cast::made_up(), Tally::default());
    for number in 0..60 {
        let variant = number as u32;
        let begun = begin(Addresses::made_up(), &cast, variant, (1, 1_000_000));
        let mut n = begun.expect("valid terms");
        let mut log = Log::new(&n);
        let mut random = random(number);
        let acts = (0..LENGTH).map(|_| Act::random(&mut random));
        for (nth, act) in prelude().into_iter().chain(acts).enumerate() {
            live_watched(&mut n, &cast, act, &mut tally, |seen| {
                if let Seen::Message { answer, after, .. } = seen {
                    let events = if answer.done { after.events() } else { &[] };
                    for told in events {
                        log.take(after, told);
                    }
                }
            });
            if nth % 16 == 0 {
                log.compare(&n);
            }
        }
        log.compare(&n);
    }
    for name in ["settle", "leave", "collect", "claim_standing"] {
        assert!(tally.done(name) > 0, "no {name} was done");
    }
}
