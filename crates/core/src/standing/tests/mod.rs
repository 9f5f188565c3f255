//! Properties against a slow reference that keeps every depositor by itself, and attacks.

use super::account::Account;
use super::pool::{Ends, SeriesEnd};
use super::seen::Seen;
use super::*;
use crate::auction::Clearing;
use crate::ladder::Schedule;
use crate::units::PRICE_ONE;
use std::collections::BTreeMap;

mod attacks;
mod clock;
mod extremes;
mod histories;
mod pools;
mod reference;
mod refusals;

/// Records of one tier, filed away.
#[derive(Clone, Debug, Default)]
struct Files {
    series: BTreeMap<u32, SeriesEnd>,
    turns: BTreeMap<u32, Turn>,
}

impl Files {
    fn add(&mut self, records: impl IntoIterator<Item = Record>) {
        for record in records {
            let replaced = match record {
                Record::Series(number, end) => self.series.insert(number, end).is_some(),
                Record::Turn(number, turn) => self.turns.insert(number, turn).is_some(),
            };
            assert!(!replaced, "a record is filed once");
        }
    }
}

impl Records for Files {
    fn series(&self, number: u32) -> Option<SeriesEnd> {
        self.series.get(&number).copied()
    }

    fn turn(&self, generation: u32) -> Option<Turn> {
        self.turns.get(&generation).copied()
    }
}

impl Ends for Files {
    fn end(&self, series: u32) -> Option<SeriesEnd> {
        self.series(series)
    }
}

fn tier(percent: u8) -> Discount {
    Discount::from_percent(percent).unwrap()
}

/// Six decimals on both sides, so that 10^6 base units are one token.
fn scale() -> UnitScale {
    UnitScale::of_decimals(6, 6).unwrap()
}

fn price(whole: u128) -> Price {
    Price::new(whole * PRICE_ONE)
}

fn tokens(whole: u128) -> Amount {
    Amount::new(whole * 1_000_000)
}

/// Fourteen one-block steps at 103, 102, … 90 around a reference of 100, the first one in the
/// block after the opening; the target is the same in all.
fn auction(opened: Block, target: Amount) -> Auction {
    let schedule = Schedule {
        first: opened + 1,
        blocks_per_step: 1,
        steps: 14,
    };
    let prices = (0..14).map(|step| price(103 - step)).collect();
    Auction::open(schedule, opened, price(100), prices, vec![target; 14]).unwrap()
}

/// Of a market whose ladder ends above no tier.
const fn terms(fresh_for: Block) -> StandingTerms {
    StandingTerms {
        fresh_for,
        deepest: Discount::DEEPEST,
        least: Amount::ZERO,
    }
}

/// The block after the last step of [`auction`].
const fn over(opened: Block) -> Block {
    opened + 1 + 14
}

fn seen(block: Block, whole: u128) -> Seen {
    Seen {
        block,
        price: price(whole),
        accepted: true,
    }
}

/// Judges an auction with its tiers.
fn clear(
    auction: &mut Auction,
    claim: &mut StandingClaim,
    history: &[Seen],
    block: Block,
) -> Result<Clearing, AuctionError> {
    let ended = auction.schedule.ended(block);
    claim.join(auction, ended, history)?;
    auction.clear(block, scale())
}

/// One market with two depositors and more, driven message by message.
#[derive(Clone, Default)]
struct Market {
    standing: Standing,
    files: BTreeMap<Discount, Files>,
    accounts: BTreeMap<(Discount, u32), Account>,
}

impl Market {
    fn account(&self, at: Discount, who: u32) -> Account {
        self.accounts.get(&(at, who)).copied().unwrap_or_default()
    }

    fn keep(&mut self, at: Discount, who: u32, account: Account, records: Vec<Record>) {
        self.accounts.insert((at, who), account);
        self.files.entry(at).or_default().add(records);
    }

    fn stand(&mut self, at: Discount, who: u32, amount: Amount, block: Block) {
        let mut account = self.account(at, who);
        let files = self.files.entry(at).or_default();
        let records = self
            .standing
            .stand(&mut account, at, amount, block, files)
            .unwrap();
        self.keep(at, who, account, records);
    }

    fn unstand(&mut self, at: Discount, who: u32, amount: Amount, block: Block) -> Amount {
        let mut account = self.account(at, who);
        let files = self.files.entry(at).or_default();
        let (paid, records) = self
            .standing
            .unstand(&mut account, at, amount, block, files)
            .unwrap();
        self.keep(at, who, account, records);
        paid
    }

    fn claim(&mut self, at: Discount, who: u32) -> Result<account::Payout, StandingError> {
        let mut account = self.account(at, who);
        let files = self.files.entry(at).or_default();
        let (payout, records) = self.standing.claim(&mut account, at, files)?;
        self.keep(at, who, account, records);
        Ok(payout)
    }

    fn worth(&self, at: Discount, who: u32) -> account::Worth {
        let none = Files::default();
        let files = self.files.get(&at).unwrap_or(&none);
        self.standing
            .worth(&self.account(at, who), at, files)
            .unwrap()
    }

    fn open(&mut self, block: Block, target: Amount) -> (Auction, StandingClaim) {
        let mut auction = auction(block, target);
        let claim = self
            .standing
            .reserve(&mut auction, &terms(100), None, block, scale())
            .unwrap();
        (auction, claim)
    }

    /// Judges and settles a batch, in this block.
    fn close(
        &mut self,
        (auction, claim): &mut (Auction, StandingClaim),
        history: &[Seen],
        block: Block,
    ) -> StandingFill {
        clear(auction, claim, history, block).unwrap();
        auction.settle().unwrap();
        let fill = self
            .standing
            .settle(claim, auction, block, scale())
            .unwrap();
        for (at, record) in &fill.records {
            self.files.entry(*at).or_default().add([*record]);
        }
        fill
    }
}
