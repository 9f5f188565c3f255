//! The scene most tests begin with: indebted owners, bidders with money, and a fall of the price.

use crate::{collateral, price, quote, World};
use breakwater_chain::AccountId;
use breakwater_core::ledger::LedgerError;
use breakwater_core::market::{example_params, MarketParams};
use breakwater_core::units::{Amount, Price};
use breakwater_interfaces::auction::{BatchKey, BidId};

/// Ten owners of 10 collateral each who owe 1 400, 1 410 ... 1 490 at a price of 200, five bidders
/// with 20 000 quote each in the auction, a keeper, and a stranger.
pub struct Scene {
    /// The world they live in.
    pub w: World,
    /// Owners, the safest first.
    pub owners: Vec<AccountId>,
    /// Bidders.
    pub bidders: Vec<AccountId>,
    /// Opens and settles batches.
    pub keeper: AccountId,
    /// Anyone.
    pub stranger: AccountId,
}

impl Scene {
    /// The scene before the price falls.
    pub fn new() -> Self {
        Self::with_params(example_params())
    }

    /// As [`Self::new`] with other parameters.
    pub fn with_params(params: MarketParams) -> Self {
        let debts: Vec<_> = (0..10).map(Self::debt).collect();
        let positions: Vec<_> = debts.iter().map(|debt| (collateral(10), *debt)).collect();
        Self::of(params, &positions, quote(20_000))
    }

    /// A scene with these positions, and five bidders with so much quote each.
    pub fn of(params: MarketParams, positions: &[(Amount, Amount)], deposit: Amount) -> Self {
        let mut w = World::with_params(params);
        w.checked = false;
        let mut owners = Vec::new();
        for (index, (collateral, debt)) in (100..).zip(positions) {
            let owner = w.account(index);
            w.open_position(owner, *collateral, *debt);
            owners.push(owner);
        }
        let bidders: Vec<_> = (30..35).map(|index| w.account(index)).collect();
        for bidder in &bidders {
            if !deposit.is_zero() {
                w.fund_bidder(*bidder, deposit);
            }
        }
        let (keeper, stranger) = (w.account(40), w.account(41));
        w.checked = true;
        w.assert_books();
        Self {
            w,
            owners,
            bidders,
            keeper,
            stranger,
        }
    }

    /// What the owner of an index owes.
    pub fn debt(index: usize) -> Amount {
        quote(1_400 + 10 * index as u128)
    }

    /// The scene after the price has fallen to so many whole quote, in both of the last rounds.
    pub fn crashed(whole: u128) -> Self {
        let mut scene = Self::new();
        scene.w.set_price_twice(price(whole));
        scene
    }

    /// As [`Self::crashed`], with a batch opened by the keeper.
    pub fn opened(whole: u128) -> (Self, BatchKey) {
        let mut scene = Self::crashed(whole);
        let batch = scene.open();
        (scene, batch)
    }

    /// The keeper opens a batch.
    #[track_caller]
    pub fn open(&mut self) -> BatchKey {
        self.w.open_batch(self.keeper).expect("opens")
    }

    /// The rule that refuses the keeper a batch now.
    #[track_caller]
    pub fn open_refused(&mut self) -> LedgerError {
        self.w.open_refused(self.keeper)
    }

    /// The bidder of an index bids.
    #[track_caller]
    pub fn bid(&mut self, bidder: usize, batch: BatchKey, budget: Amount, limit: Price) -> BidId {
        self.w
            .bid(self.bidders[bidder], batch, budget, limit)
            .expect("bids")
    }

    /// One bidder buys all that a batch asks for at a step; the keeper settles and puts back.
    pub fn clear_at(&mut self, batch: BatchKey, step: u8) {
        let auction = self.w.record(batch).auction;
        let at = usize::from(step);
        self.bid(0, batch, auction.targets[at], auction.prices[at]);
        self.w.run_to(batch, step + 1);
        self.w.settle(self.keeper, batch);
        self.w.rest(self.keeper, batch);
    }
}

impl Default for Scene {
    fn default() -> Self {
        Self::new()
    }
}
