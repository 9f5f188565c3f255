//! The books against the views of the contracts: every balance of every account that an event has
//! named.

use super::books::{Impossible, Replayed};
use super::vault::MarketBooks;
use crate::deployment::{ask, AuctionRef, StandingRef, StepError, VaultRef};
use breakwater_chain::{Chain, QueryError};
use breakwater_core::auction::Halts;
use breakwater_core::batch::Batch;
use breakwater_core::market::MarketState;
use breakwater_core::position::PositionView;
use breakwater_core::standing::account::Worth;
use breakwater_core::standing::Standing;
use breakwater_core::units::{Amount, Millis, Price, Shares, PRICE_ONE};
use breakwater_core::wind_down::Collected;
use breakwater_interfaces::auction::{
    AuctionContractError, AuctionMarket, AuctionRecord, BatchKey, Bid, LiquidationAuction, Treasury,
};
use breakwater_interfaces::standing::StandingBids;
use breakwater_interfaces::vault::{Accounting, MarginVault, Market, VaultError};
use breakwater_interfaces::MarketId;
use ink::codegen::TraitCallBuilder;
use std::fmt::Debug;

/// Why books could not be compared, or do not agree.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// A view did not answer.
    #[error(transparent)]
    View(#[from] StepError),
    /// The books themselves cannot be read.
    #[error(transparent)]
    Books(#[from] Impossible),
    /// They do not agree.
    #[error("{what}: events amount to {books}, the contract says {view}")]
    Differs {
        /// What was compared.
        what: String,
        /// By the events.
        books: String,
        /// By the contract.
        view: String,
    },
}

/// Compares books with a chain, and counts what it compared.
struct Comparison<'a, C> {
    chain: &'a C,
    books: &'a Replayed,
    now: Millis,
    compared: u64,
}

/// Compares all books with the views of the contracts on a chain that has emitted no event since;
/// returns how many views agreed.
///
/// Every comparison is exact. Only the names of epochs are left out, by which the ledger tells
/// generations of cohorts apart: where one message does two things its events tell of two, and a
/// page that is empty in between is made anew.
///
/// # Errors
/// [`CheckError`].
pub async fn check<C: Chain>(chain: &C, books: &Replayed) -> Result<u64, CheckError> {
    let clock: Result<Millis, QueryError> = chain.now().await;
    let mut comparison = Comparison {
        chain,
        books,
        now: clock.map_err(StepError::at("clock"))?,
        compared: 0,
    };
    comparison.vault().await?;
    comparison.auction().await?;
    Ok(comparison.compared)
}

impl<C: Chain> Comparison<'_, C> {
    fn agree<T: PartialEq + Debug>(
        &mut self,
        what: impl FnOnce() -> String,
        books: &T,
        view: &T,
    ) -> Result<(), CheckError> {
        self.compared += 1;
        if books == view {
            return Ok(());
        }
        Err(CheckError::Differs {
            what: what(),
            books: format!("{books:?}"),
            view: format!("{view:?}"),
        })
    }

    async fn vault(&mut self) -> Result<(), CheckError> {
        let books = self.books;
        for (id, market) in (0..).zip(books.vault.markets()) {
            self.totals(id, market).await?;
            self.lenders(id, market).await?;
            self.positions(id, market).await?;
        }
        Ok(())
    }

    async fn totals(&mut self, id: MarketId, market: &MarketBooks) -> Result<(), CheckError> {
        let vault = self.books.contracts.vault;
        let built = VaultRef::from(vault);
        let view: Option<Market> =
            ask(self.chain, vault, "market", built.call().market(id)).await?;
        self.agree(
            || format!("market {id}"),
            &Some(market.market.clone()),
            &view,
        )?;
        let view: Result<Accounting, VaultError> =
            ask(self.chain, vault, "accounting", built.call().accounting(id)).await?;
        let state = market.state_at(self.now)?;
        let of = |state: MarketState| -> Result<Accounting, Impossible> {
            Ok(Accounting {
                quote_owed: state.quote_owed()?,
                collateral_owed: state.collateral_owed()?,
                lenders_assets: state.lenders_assets()?,
                state: MarketState { epoch: 0, ..state },
            })
        };
        let view = view.map(|view| Accounting {
            state: MarketState {
                epoch: 0,
                ..view.state
            },
            ..view
        });
        self.agree(|| format!("totals of market {id}"), &Ok(of(state)?), &view)?;
        for number in 0..market.state.batches {
            let view: Option<Batch> =
                ask(self.chain, vault, "batch", built.call().batch(id, number)).await?;
            let bare = |batch: Option<Batch>| {
                batch.map(|mut batch| {
                    batch.cells.iter_mut().for_each(|cell| cell.epoch = 0);
                    batch
                })
            };
            self.agree(
                || format!("batch {number} of market {id}"),
                &bare(market.batch(number)),
                &bare(view),
            )?;
        }
        Ok(())
    }

    async fn lenders(&mut self, id: MarketId, market: &MarketBooks) -> Result<(), CheckError> {
        let vault = self.books.contracts.vault;
        let built = VaultRef::from(vault);
        let state = market.state_at(self.now)?;
        for (lender, shares) in &market.lenders {
            let message = built.call().lender(id, *lender);
            let view: Result<(Shares, Amount), VaultError> =
                ask(self.chain, vault, "lender", message).await?;
            let taken: Collected = market.collected.get(lender).copied().unwrap_or_default();
            let value = state
                .lender_value(*shares, taken)
                .map_err(Impossible::from)?;
            self.agree(
                || format!("lender {lender:?}"),
                &Ok((*shares, value)),
                &view,
            )?;
        }
        for (keeper, due) in &market.rewards {
            let message = built.call().reward(id, *keeper);
            let view: Amount = ask(self.chain, vault, "reward", message).await?;
            self.agree(|| format!("reward of {keeper:?}"), due, &view)?;
        }
        Ok(())
    }

    async fn positions(&mut self, id: MarketId, market: &MarketBooks) -> Result<(), CheckError> {
        let vault = self.books.contracts.vault;
        let built = VaultRef::from(vault);
        let price = market.price.unwrap_or(Price::new(PRICE_ONE));
        for owner in market.positions.keys() {
            let message = built.call().position_at(id, *owner, price);
            let view: Result<PositionView, VaultError> =
                ask(self.chain, vault, "position", message).await?;
            let found = market
                .view(self.now, *owner, price)?
                .map_err(VaultError::from);
            self.agree(|| format!("position of {owner:?}"), &found, &view)?;
        }
        Ok(())
    }

    async fn auction(&mut self) -> Result<(), CheckError> {
        let books = &self.books.auction;
        let address = self.books.contracts.auction;
        let built = AuctionRef::from(address);
        for (id, terms) in &books.markets {
            let view: Option<AuctionMarket> =
                ask(self.chain, address, "market", built.call().market(*id)).await?;
            let bare = |terms: AuctionMarket| AuctionMarket {
                halts: Halts::default(),
                ..terms
            };
            let (mine, view) = (Some(bare(terms.clone())), view.map(bare));
            self.agree(|| format!("terms of market {id}"), &mine, &view)?;
            let message = built.call().treasury(*id);
            let view: Treasury = ask(self.chain, address, "treasury", message).await?;
            let mine = books.treasuries.get(&terms.quote).cloned();
            self.agree(
                || format!("treasury of market {id}"),
                &mine.unwrap_or_default(),
                &view,
            )?;
            for ((token, owner), balance) in &books.balances {
                if *token == terms.quote {
                    let message = built.call().balance(*id, *owner);
                    let view: Amount = ask(self.chain, address, "balance", message).await?;
                    self.agree(|| format!("balance of {owner:?}"), balance, &view)?;
                }
            }
        }
        for ((market, number), record) in &books.auctions {
            let batch = BatchKey {
                market: *market,
                number: *number,
            };
            let view: Option<AuctionRecord> =
                ask(self.chain, address, "auction", built.call().auction(batch)).await?;
            self.agree(|| format!("{batch:?}"), &Some(record.clone()), &view)?;
            for id in 0..record.bids {
                let message = built.call().bid_of(batch, id);
                let view: Option<Bid> = ask(self.chain, address, "bid", message).await?;
                let bid = books.bids.get(&((*market, *number), id)).copied();
                self.agree(|| format!("bid {id} in {batch:?}"), &bid, &view)?;
            }
        }
        self.tiers().await
    }

    async fn tiers(&mut self) -> Result<(), CheckError> {
        let books = &self.books.auction;
        let address = self.books.contracts.auction;
        let built = StandingRef::from(address);
        for (id, tiers) in &books.standing {
            let message = built.call().standing(*id);
            let view: Standing = ask(self.chain, address, "standing", message).await?;
            self.agree(|| format!("tiers of market {id}"), tiers, &view)?;
        }
        for stake in books.stakes.keys() {
            let (market, discount, owner) = *stake;
            let message = built.call().stake_of(market, discount.percent(), owner);
            let view: Result<Worth, AuctionContractError> =
                ask(self.chain, address, "stake", message).await?;
            let mine = books.worth(*stake).map_err(AuctionContractError::from);
            self.agree(|| format!("stake of {owner:?}"), &mine, &view)?;
        }
        Ok(())
    }
}
