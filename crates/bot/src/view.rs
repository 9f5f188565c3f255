//! What one block shows a bot: everything its decisions are made of, read from the chain.

use crate::upkeep::Duty;
use breakwater_chain::{AccountId, Chain, Message, QueryError};
use breakwater_core::auction::{Fill, Phase, Stage, Status};
use breakwater_core::ledger::AtRisk;
use breakwater_core::market::{MarketParams, MarketPrices};
use breakwater_core::oracle::Feed;
use breakwater_core::standing::account::Worth;
use breakwater_core::units::{Amount, Block, Millis, Price, UnitScale};
use breakwater_interfaces::auction::{AuctionRecord, BatchKey, Bid, BidId, LiquidationAuction};
use breakwater_interfaces::oracle::OracleAdapter;
use breakwater_interfaces::standing::StandingBids;
use breakwater_interfaces::token::PSP22;
use breakwater_interfaces::vault::MarginVault;
use breakwater_sim::deployment::Deployment;
use ink::codegen::TraitCallBuilder;
use scale::Decode;
use std::collections::{BTreeMap, BTreeSet};

/// Batches back from the latest that are looked at: a bot without a memory finds its bids in them.
pub const LOOKBACK: u32 = 256;

/// Blocks for which a page of bids without an own one is not read again. Less than a finished batch is
/// looked at: on another best chain an own bid, or one that is no longer claimed, may be in it.
pub const PAGES_KEPT: Block = 16;

/// An own bid that has not been claimed or cancelled, and what a claim would pay.
pub type OwnBid = (BidId, Bid, Option<Fill>);

/// A batch at one block.
#[derive(Clone, Debug)]
pub struct BatchView {
    /// Which.
    pub key: BatchKey,
    /// Terms, money and result.
    pub record: AuctionRecord,
    /// Where it stands.
    pub status: Status,
    /// Own bids.
    pub bids: Vec<OwnBid>,
    /// Whether all its cohorts are back in their ticks.
    pub rested: bool,
}

impl BatchView {
    /// Whether nobody has anything left to do with it, and nothing of the own is in it.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        matches!(self.record.auction.phase, Phase::Settled(_))
            && self.rested
            && self.bids.is_empty()
    }

    /// Whether bids can still join.
    #[must_use]
    pub fn takes_bids(&self) -> bool {
        matches!(self.status.stage, Stage::Announced | Stage::Bidding)
    }
}

/// Everything at one block.
#[derive(Clone, Debug)]
pub struct View {
    /// The block that queries see.
    pub block: Block,
    /// Its clock.
    pub now: Millis,
    /// The market's parameters.
    pub params: MarketParams,
    /// Factor between token units and prices.
    pub scale: UnitScale,
    /// Accepted prices; `None` where the oracle has none.
    pub prices: Option<MarketPrices>,
    /// What could be liquidated at the better of the last two accepted prices.
    pub at_risk: AtRisk,
    /// Batches with something left to do, oldest first.
    pub batches: Vec<BatchView>,
    /// Own opinion of the fair price; `None` without a source of one.
    pub own_price: Option<Price>,
    /// Free quote in the auction.
    pub free: Amount,
    /// Quote held by the account.
    pub quote: Amount,
    /// Collateral held by the account.
    pub collateral: Amount,
    /// Keeper rewards not paid out.
    pub reward: Amount,
    /// Batches opened so far.
    pub batches_opened: u32,
    /// What the account has in the standing tiers that the reader looks at, by their discounts in per cent.
    pub stakes: Vec<(u8, Worth)>,
    /// The market's feed with everybody's last submission, where the reader was told to look.
    pub feed: Option<Feed<AccountId>>,
    /// What the market's upkeep needs; empty in a block in which nobody looked.
    pub duties: Vec<Duty>,
}

/// Why a view cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// A query failed.
    #[error("{0}")]
    Query(#[from] QueryError),
    /// The deployment is not what the bot was told.
    #[error("{0}: check the deployment's record")]
    Deployment(&'static str),
}

/// Pages of a batch's bids without an own one, from where to where.
type Foreign = BTreeMap<BidId, BidId>;

/// Reads views of one market for one account.
#[derive(Clone, Debug)]
pub struct Reader {
    /// Where everything is.
    pub deployment: Deployment,
    /// Whose bids, balances and rewards.
    pub me: AccountId,
    /// Standing tiers to look at, by their discounts in per cent.
    pub tiers: Vec<u8>,
    /// Whether to look at the market's feed.
    pub feeds: bool,
    /// Full pages without an own bid, by batch, before its settlement and after it: they get none on
    /// this chain, so that nobody slows a bot down with many small bids.
    foreign: BTreeMap<(u32, bool), Foreign>,
    /// The block since which they are kept.
    kept_since: Option<Block>,
}

/// Batches to look at: the last [`LOOKBACK`], and older ones with own bids; none that is finished.
fn looked_at(opened: u32, finished: &BTreeSet<u32>, own: &BTreeSet<u32>) -> BTreeSet<u32> {
    let recent = opened.saturating_sub(LOOKBACK)..opened;
    let own = own.iter().copied().filter(|number| *number < opened);
    recent
        .chain(own)
        .filter(|number| !finished.contains(number))
        .collect()
}

impl Reader {
    /// A reader that has read nothing yet.
    #[must_use]
    pub fn new(deployment: Deployment, me: AccountId, tiers: Vec<u8>) -> Self {
        Self {
            deployment,
            me,
            tiers,
            feeds: false,
            foreign: BTreeMap::new(),
            kept_since: None,
        }
    }

    /// Forgets which pages of a batch have no own bid: another best chain has other numbers.
    pub fn forget(&mut self, batch: u32) {
        self.foreign.retain(|(number, _), _| *number != batch);
    }

    async fn ask<C: Chain, T: Decode>(
        &self,
        chain: &C,
        contract: AccountId,
        message: impl Into<Message<T>>,
    ) -> Result<T, QueryError> {
        chain.query(self.me, contract, message).await
    }

    /// Everything at the present block, without batches that are known to be finished. `own` are
    /// batches with own bids, which are looked at however old they are.
    ///
    /// # Errors
    /// [`ViewError`].
    pub async fn read<C: Chain>(
        &mut self,
        chain: &C,
        finished: &BTreeSet<u32>,
        own: &BTreeSet<u32>,
    ) -> Result<View, ViewError> {
        // The clock first: blocks may come while the rest is read, and what is not there in a later
        // block than this one was not there in time.
        let (block, now) = (chain.block().await?, chain.now().await?);
        let deployment = self.deployment;
        let d = &deployment;
        let (vault, auction) = (d.vault(), d.auction());
        let market = self
            .ask(chain, d.vault, vault.call().market(d.market))
            .await?
            .ok_or(ViewError::Deployment("there is no such market"))?;
        let accounting = self
            .ask(chain, d.vault, vault.call().accounting(d.market))
            .await?
            .map_err(|_| ViewError::Deployment("the market does not add up"))?;
        let prices = self
            .ask(chain, d.vault, vault.call().market_prices(d.market))
            .await?
            .ok();
        let at_risk = match &prices {
            Some(prices) => {
                let better = prices.spot.max(prices.previous);
                self.ask(chain, d.vault, vault.call().at_risk(d.market, better))
                    .await?
                    .unwrap_or_default()
            }
            None => AtRisk::default(),
        };
        let kept = |since: Block| block < since.saturating_add(PAGES_KEPT);
        if !self.kept_since.is_some_and(kept) {
            self.foreign.clear();
            self.kept_since = Some(block);
        }
        let mut batches = Vec::new();
        let opened = accounting.state.batches;
        let numbers = looked_at(opened, finished, own);
        for number in &numbers {
            batches.extend(self.batch(chain, *number).await?);
        }
        self.foreign
            .retain(|(number, _), _| numbers.contains(number));
        let mut stakes = Vec::new();
        for percent in &self.tiers {
            let message = d.standing().call().stake_of(d.market, *percent, self.me);
            let worth = self.ask(chain, d.auction, message).await?;
            stakes.push((
                *percent,
                worth.map_err(|_| ViewError::Deployment("a standing tier does not add up"))?,
            ));
        }
        let feed = match self.feeds {
            true => {
                let message = d.oracle().call().feed(d.feed);
                self.ask(chain, d.oracle, message).await?
            }
            false => None,
        };
        let scale = UnitScale::of_decimals(
            market.params.collateral_decimals,
            market.params.quote_decimals,
        )
        .ok_or(ViewError::Deployment(
            "the tokens' decimals are out of range",
        ))?;
        let held = |token| Deployment::token(token).call().balance_of(self.me);
        let free = auction.call().balance(d.market, self.me);
        let reward = vault.call().reward(d.market, self.me);
        Ok(View {
            block,
            now,
            scale,
            prices,
            at_risk,
            batches,
            own_price: None,
            free: self.ask(chain, d.auction, free).await?,
            quote: Amount::new(self.ask(chain, d.quote, held(d.quote)).await?),
            collateral: Amount::new(self.ask(chain, d.collateral, held(d.collateral)).await?),
            reward: self.ask(chain, d.vault, reward).await?,
            batches_opened: opened,
            stakes,
            feed,
            duties: Vec::new(),
            params: market.params,
        })
    }

    async fn batch<C: Chain>(
        &mut self,
        chain: &C,
        number: u32,
    ) -> Result<Option<BatchView>, QueryError> {
        let deployment = self.deployment;
        let d = &deployment;
        let key = BatchKey {
            market: d.market,
            number,
        };
        let (vault, auction) = (d.vault(), d.auction());
        let record = self
            .ask(chain, d.auction, auction.call().auction(key))
            .await?;
        let status = self
            .ask(chain, d.auction, auction.call().status(key))
            .await?;
        let (Some(record), Some(status)) = (record, status) else {
            return Ok(None);
        };
        let settled = status.stage == Stage::Settled;
        let mut foreign = self.foreign.remove(&(number, settled)).unwrap_or_default();
        let mut bids = Vec::new();
        let mut from = Some(0);
        while let Some(next) = from {
            from = foreign.get(&next).copied();
            if from.is_some() {
                continue;
            }
            let message = auction.call().bids_of(key, self.me, next);
            let page = self.ask(chain, d.auction, message).await?;
            if let (true, Some(after)) = (page.bids.is_empty(), page.next) {
                foreign.insert(next, after);
            }
            bids.extend(page.bids);
            from = page.next;
        }
        self.foreign.insert((number, settled), foreign);
        let rested = match status.stage {
            Stage::Settled => self
                .ask(chain, d.vault, vault.call().batch(d.market, number))
                .await?
                .is_none_or(|batch| {
                    let done = batch.settled.map_or(0, |settled| settled.rested);
                    usize::from(done) >= batch.cells.len()
                }),
            _ => false,
        };
        Ok(Some(BatchView {
            key,
            record,
            status,
            bids,
            rested,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bot that was away while hundreds of batches came and went still has its claims.
    #[test]
    fn batches_with_own_bids_are_looked_at_however_old_they_are() {
        let finished = BTreeSet::from([2, 999]);
        let own = BTreeSet::from([2, 3, 1_000]);
        let found = looked_at(1_000, &finished, &own);
        assert!(found.contains(&3), "older than the last {LOOKBACK}");
        assert!(!found.contains(&2) && !found.contains(&999), "finished");
        assert!(!found.contains(&1_000), "not opened");
        assert!(!found.contains(&743) && found.contains(&744) && found.contains(&998));
    }
}
