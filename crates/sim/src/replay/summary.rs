//! The rebuilt books in short.

use super::books::{Impossible, Replayed};
use super::log::account_text;
use super::vault::MarketBooks;
use breakwater_core::auction::Phase;
use breakwater_core::position::PositionView;
use breakwater_core::units::{Price, PRICE_ONE};
use breakwater_interfaces::MarketId;
use serde::Serialize;

/// Version of the form of the summary.
pub const BOOKS_SCHEMA: u32 = 1;

/// All books at the moment of the last event. Amounts are in base units of their tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BooksSummary {
    /// Version of this form.
    pub schema: u32,
    /// Events taken.
    pub events: u64,
    /// Block of the last one.
    pub block: u32,
    /// Its timestamp, milliseconds.
    pub timestamp: u64,
    /// Markets of the vault, by number.
    pub markets: Vec<MarketSummary>,
    /// Free balances in the auction.
    pub balances: Vec<BalanceSummary>,
    /// Bids that have not been claimed or cancelled.
    pub bids: Vec<BidSummary>,
    /// What stands in tiers.
    pub stakes: Vec<StakeSummary>,
}

/// One market.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)] // as in `MarketState`
pub struct MarketSummary {
    pub market: MarketId,
    pub collateral_token: String,
    pub collateral_decimals: u8,
    pub quote_token: String,
    pub quote_decimals: u8,
    pub cash: u128,
    pub debt: u128,
    pub scaled_debt: u128,
    pub batched_debt: u128,
    pub index: u128,
    pub supply_shares: u128,
    pub reserve_shares: u128,
    pub insurance: u128,
    pub rewards: u128,
    pub prepaid: u128,
    pub written_off: u128,
    pub collateral: u128,
    pub batched_collateral: u128,
    pub winding_down: bool,
    pub lenders: Vec<LenderSummary>,
    pub positions: Vec<PositionSummary>,
    pub batches: Vec<BatchSummary>,
}

/// One lender.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct LenderSummary {
    pub lender: String,
    pub shares: u128,
    pub value: u128,
}

/// One position, brought up to date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)] // as in `PositionView`
pub struct PositionSummary {
    pub owner: String,
    pub collateral: u128,
    pub debt: u128,
    pub scaled_debt: u128,
    pub batch: Option<u32>,
    /// Set where it slept through more moves than one call follows; the amounts are zero then.
    pub sync_required: bool,
}

/// One batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct BatchSummary {
    pub number: u32,
    pub opened_in: u32,
    pub members: u32,
    pub collateral: u128,
    pub debt: u128,
    /// `running`, `cleared`, `settled` or `rested`.
    pub state: &'static str,
    pub price: u128,
    pub raised: u128,
    /// Collateral that its bidders have not claimed.
    pub unclaimed: u128,
}

/// The free balance of an account in the auction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct BalanceSummary {
    pub token: String,
    pub owner: String,
    pub free: u128,
    /// In bids that have not been claimed or cancelled.
    pub reserved: u128,
}

/// One bid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct BidSummary {
    pub market: MarketId,
    pub batch: u32,
    pub bid: u32,
    pub bidder: String,
    pub budget: u128,
    pub step: u8,
}

/// What an account has in a tier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)] // as in `Worth`
pub struct StakeSummary {
    pub market: MarketId,
    pub percent: u8,
    pub owner: String,
    pub standing: u128,
    pub waiting: u128,
    pub leaving: u128,
    pub payable: u128,
    pub collateral: u128,
}

impl Replayed {
    /// The books in short, at the moment of the last event.
    ///
    /// # Errors
    /// [`Impossible`] where a number leaves its range.
    pub fn summary(&self) -> Result<BooksSummary, Impossible> {
        let last = self.last();
        let markets: Result<_, _> = (0..)
            .zip(self.vault.markets())
            .map(|(id, market)| self.market_summary(id, market))
            .collect();
        Ok(BooksSummary {
            schema: BOOKS_SCHEMA,
            events: self.events(),
            block: last.block,
            timestamp: last.now,
            markets: markets?,
            balances: self.balance_summaries(),
            bids: self.bid_summaries(),
            stakes: self.stake_summaries()?,
        })
    }

    fn market_summary(
        &self,
        id: MarketId,
        books: &MarketBooks,
    ) -> Result<MarketSummary, Impossible> {
        let now = self.last().now;
        let state = books.state_at(now)?;
        let lenders: Result<_, Impossible> = books
            .lenders
            .iter()
            .map(|(lender, shares)| {
                let taken = books.collected.get(lender).copied().unwrap_or_default();
                Ok(LenderSummary {
                    lender: account_text(*lender),
                    shares: shares.get(),
                    value: state.lender_value(*shares, taken)?.get(),
                })
            })
            .collect();
        let price = books.price.unwrap_or(Price::new(PRICE_ONE));
        let positions: Result<_, Impossible> = books
            .positions
            .keys()
            .map(|owner| {
                let view: Option<PositionView> = books.view(now, *owner, price)?.ok();
                Ok(PositionSummary {
                    owner: account_text(*owner),
                    collateral: view.map_or(0, |view| view.collateral.get()),
                    debt: view.map_or(0, |view| view.debt.get()),
                    scaled_debt: view.map_or(0, |view| view.scaled_debt.get()),
                    batch: view.and_then(|view| view.batch),
                    sync_required: view.is_none(),
                })
            })
            .collect();
        Ok(MarketSummary {
            market: id,
            collateral_token: account_text(books.market.collateral),
            collateral_decimals: books.market.params.collateral_decimals,
            quote_token: account_text(books.market.quote),
            quote_decimals: books.market.params.quote_decimals,
            cash: state.cash.get(),
            debt: state.debt_value()?.get(),
            scaled_debt: state.debt.get(),
            batched_debt: state.batched_debt.get(),
            index: state.index.get(),
            supply_shares: state.supply_shares.get(),
            reserve_shares: state.reserve_shares.get(),
            insurance: state.insurance.get(),
            rewards: state.rewards.get(),
            prepaid: state.prepaid.get(),
            written_off: state.written_off.get(),
            collateral: state.collateral_owed()?.get(),
            batched_collateral: state.batched_collateral.get(),
            winding_down: state.wind_down.is_some(),
            lenders: lenders?,
            positions: positions?,
            batches: self.batch_summaries(id, books),
        })
    }

    fn batch_summaries(&self, id: MarketId, books: &MarketBooks) -> Vec<BatchSummary> {
        (0..books.state.batches)
            .filter_map(|number| {
                let batch = books.batch(number)?;
                let record = self.auction.auctions.get(&(id, number));
                let judged = record.is_some_and(|it| it.auction.phase != Phase::Running);
                let state = match &batch.settled {
                    None if judged => "cleared",
                    None => "running",
                    Some(it) if usize::from(it.rested) < batch.cells.len() => "settled",
                    Some(_) => "rested",
                };
                Some(BatchSummary {
                    number,
                    opened_in: batch.opened_in,
                    members: batch.members,
                    collateral: batch.collateral.get(),
                    debt: batch.debt.get(),
                    state,
                    price: batch.settled.map_or(0, |it| it.price.get()),
                    raised: batch.settled.map_or(0, |it| it.raised.get()),
                    unclaimed: record.map_or(0, |it| it.collateral.get()),
                })
            })
            .collect()
    }

    fn balance_summaries(&self) -> Vec<BalanceSummary> {
        let auction = &self.auction;
        let reserved = |token, owner| {
            auction
                .bids
                .iter()
                .filter(|(((market, _), _), bid)| {
                    let quote = auction.markets.get(market).map(|terms| terms.quote);
                    bid.bidder == owner && quote == Some(token)
                })
                .map(|(_, bid)| bid.budget.get())
                .fold(0, u128::saturating_add)
        };
        auction
            .balances
            .iter()
            .map(|((token, owner), free)| BalanceSummary {
                token: account_text(*token),
                owner: account_text(*owner),
                free: free.get(),
                reserved: reserved(*token, *owner),
            })
            .collect()
    }

    fn bid_summaries(&self) -> Vec<BidSummary> {
        self.auction
            .bids
            .iter()
            .map(|(((market, batch), id), bid)| BidSummary {
                market: *market,
                batch: *batch,
                bid: *id,
                bidder: account_text(bid.bidder),
                budget: bid.budget.get(),
                step: bid.step,
            })
            .collect()
    }

    fn stake_summaries(&self) -> Result<Vec<StakeSummary>, Impossible> {
        self.auction
            .stakes
            .keys()
            .map(|stake| {
                let worth = self.auction.worth(*stake)?;
                let (market, discount, owner) = *stake;
                Ok(StakeSummary {
                    market,
                    percent: discount.percent(),
                    owner: account_text(owner),
                    standing: worth.standing.get(),
                    waiting: worth.waiting.get(),
                    leaving: worth.leaving.get(),
                    payable: worth.payable.get(),
                    collateral: worth.collateral.get(),
                })
            })
            .collect()
    }
}
