//! What happened in a world, as its events tell it.

use crate::World;
use breakwater_chain::Emitted;
use breakwater_sim::replay::check::check;
use breakwater_sim::replay::log::{Contracts, Entry};
use breakwater_sim::replay::Replayed;
use futures::executor::block_on;

impl World {
    /// The contracts whose events tell everything.
    pub fn contracts(&self) -> Contracts {
        Contracts {
            vault: self.d.vault,
            auction: self.d.auction,
        }
    }

    /// Everything that any contract has emitted.
    pub fn emitted(&self) -> Vec<Emitted> {
        self.chain.events_from(0)
    }

    /// The log of events of vault and auction.
    pub fn log(&self) -> Vec<Entry> {
        self.contracts().number(self.emitted())
    }

    /// F24: the books that events alone amount to equal every view. Returns how many there were.
    #[track_caller]
    pub fn assert_replay(&self) -> u64 {
        let mut replayed = Replayed::new(self.contracts());
        if let Err(error) = replayed.apply(&self.log()) {
            panic!("{error}");
        }
        match block_on(check(&self.chain, &replayed)) {
            Ok(views) => views,
            Err(error) => panic!("{error}"),
        }
    }
}

/// However a test's story went, its events amount to what the contracts store.
impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.assert_replay();
        }
    }
}
