//! Bytes as messages, events and storage cells.

use breakwater_core::auction::{Auction, Halts};
use breakwater_core::batch::Batch;
use breakwater_core::breaker::{Cause, Limits as BreakerLimits, Stage};
use breakwater_core::ledger::{Demand, Ledger, MemoryStore};
use breakwater_core::market::{example_params, Limits, MarketParams, MarketState};
use breakwater_core::oracle::{Feed, FeedConfig, Quote, SourceConfig};
use breakwater_core::page::{Departures, Page};
use breakwater_core::position::Position;
use breakwater_core::standing::account::Account;
use breakwater_core::standing::pool::SeriesEnd;
use breakwater_core::standing::{Discount, Records, Standing, Turn};
use breakwater_core::units::{Amount, Price, UnitScale};
use breakwater_interfaces::auction::{
    AuctionCleared, AuctionMarket, AuctionOpened, AuctionRecord, BatchKey, Bid, BidPlaced, Treasury,
};
use breakwater_interfaces::breaker::{GlobalBreaker, MarketBreaker, StageChanged};
use breakwater_interfaces::vault::{BatchSettled, Market};
use breakwater_interfaces::AccountId;
use scale::{Decode, Encode};

/// The first byte says what, the rest is decoded as that. What decodes is encoded to what decodes
/// to the same again; and a cell, however it came to its numbers, makes rules refuse, never panic.
///
/// # Panics
/// Where that is not so.
pub fn decoding(data: &[u8]) {
    let Some((kind, bytes)) = data.split_first() else {
        return;
    };
    match kind % 24 {
        0 => drop(again::<MarketParams>(bytes).map(|params| params.validate())),
        1 => drop(again::<FeedConfig>(bytes).map(|config| config.validate())),
        2 => drop(again::<SourceConfig>(bytes).map(|config| config.validate())),
        3 => drop(again::<BreakerLimits>(bytes).map(|limits| limits.validate())),
        4 => drop(again::<(u32, Limits)>(bytes)),
        5 => drop(again::<(BatchKey, Amount, Price, u32)>(bytes)),
        6 => drop(again::<(BatchKey, Vec<u32>)>(bytes)),
        7 => drop(again::<(u32, u32, Demand, Vec<Price>)>(bytes)),
        8 => drop(again::<(Option<u32>, Stage, Cause)>(bytes)),
        9 => auction(bytes),
        10 => standing(bytes),
        11 => position(bytes),
        12 => feed(bytes),
        13 => drop(again::<Page>(bytes)),
        14 => drop(again::<Departures>(bytes)),
        15 => drop(again::<Batch>(bytes)),
        16 => drop(again::<Market>(bytes)),
        17 => drop(again::<(AuctionMarket, Treasury, Bid)>(bytes)),
        18 => drop(again::<(MarketBreaker, GlobalBreaker)>(bytes)),
        19 => drop(again::<AuctionOpened>(bytes)),
        20 => drop(again::<AuctionCleared>(bytes)),
        21 => drop(again::<BatchSettled>(bytes)),
        22 => drop(again::<(BidPlaced, StageChanged)>(bytes)),
        _ => state(bytes),
    }
}

fn again<T: Decode + Encode>(bytes: &[u8]) -> Option<T> {
    let value = T::decode(&mut &*bytes).ok()?;
    let encoded = value.encode();
    let twice = T::decode(&mut &encoded[..]).expect("what was encoded decodes");
    assert_eq!(encoded, twice.encode(), "another value");
    Some(value)
}

fn auction(bytes: &[u8]) {
    let Some(record) = again::<AuctionRecord>(bytes) else {
        return;
    };
    let scale = UnitScale::of_decimals(18, 6).expect("in range");
    let halts = Halts::default();
    let auction = record.auction;
    for block in [0, auction.opened, u32::MAX] {
        let clock = auction.clock(&halts, block);
        let _ = auction.status(clock, scale);
        let mut then: Auction = auction.clone();
        let _ = then.clear(clock, scale);
        let _ = then.settle();
        let _ = then.claim(Amount::new(1_000), 0, scale);
        let mut then = auction.clone();
        let _ = then.place(
            Amount::new(u128::MAX),
            Price::new(u128::MAX),
            u32::MAX,
            clock,
            scale,
        );
        let _ = then.cancel(Amount::new(1), u8::MAX, clock);
        let _ = auction.facts(clock, scale, &record.standing);
        let mut claim = record.standing.clone();
        let _ = claim.join(&mut auction.clone(), u8::MAX, &[]);
    }
}

/// A tier of which nothing was filed away.
struct Nothing;

impl Records for Nothing {
    fn series(&self, _: u32) -> Option<SeriesEnd> {
        None
    }

    fn turn(&self, _: u32) -> Option<Turn> {
        None
    }
}

fn standing(bytes: &[u8]) {
    let Some((standing, account)) = again::<(Standing, Account)>(bytes) else {
        return;
    };
    for percent in [2, 30] {
        let discount = Discount::from_percent(percent).expect("a tier");
        let amount = Amount::new(1_000_000);
        let _ = standing.worth(&account, discount, &Nothing);
        let (mut then, mut own) = (standing.clone(), account);
        let _ = then.stand(&mut own, discount, amount, 1, &Nothing);
        let _ = then.unstand(&mut own, discount, amount, u32::MAX, &Nothing);
        let _ = then.claim(&mut own, discount, &Nothing);
    }
}

fn position(bytes: &[u8]) {
    let Some((position, pages)) = again::<(Position, Vec<(u16, Page)>)>(bytes) else {
        return;
    };
    let (params, mut state) = (example_params(), MarketState::default());
    let mut cells = MemoryStore {
        pages: pages.into_iter().collect(),
        ..MemoryStore::default()
    };
    let mut ledger = Ledger::new(&params, &mut state, &mut cells).expect("valid");
    let _ = ledger.view(&position, Price::new(1 << 60));
    let mut then = position;
    let _ = ledger.sync(&mut then, u16::MAX);
    let mut then = position;
    let _ = ledger.repay(&mut then, Amount::new(u128::MAX));
}

fn feed(bytes: &[u8]) {
    if let Some(feed) = again::<Feed<AccountId>>(bytes) {
        for now in [0, u64::MAX] {
            let _ = feed.read(now);
        }
    }
    if let Some(quote) = again::<Quote>(bytes) {
        let _ = quote.reading(u64::MAX);
    }
}

fn state(bytes: &[u8]) {
    if let Some(mut state) = again::<MarketState>(bytes) {
        let _ = (state.quote_owed(), state.collateral_owed());
        let _ = state.accrue(&example_params().interest, u64::MAX);
        let _ = state.supply(Amount::new(1), Amount::new(u128::MAX));
    }
}
