//! Numbers of the next transactions of each account that signs here.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{Mutex, MutexGuard};

/// The nonces used so far, by account.
///
/// An account's entry is locked while a transaction is signed and handed to the node, so that
/// parallel calls of one account queue up for their numbers and for nothing else.
#[derive(Default)]
pub(crate) struct Nonces(Mutex<HashMap<[u8; 32], Arc<Mutex<Entry>>>>);

/// What is known of one account.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The next number, if the node accepted the last one given out.
    next: Option<u64>,
}

impl Nonces {
    /// The account's entry, to be locked.
    pub(crate) async fn of(&self, account: [u8; 32]) -> Arc<Mutex<Entry>> {
        let mut all: MutexGuard<'_, HashMap<_, _>> = self.0.lock().await;
        Arc::clone(all.entry(account).or_default())
    }
}

impl Entry {
    /// The number to sign with. `on_chain` is the node's next one for the account with its pool
    /// taken into account. A node that balances several backends may lag behind what was sent here;
    /// one that knows of more has transactions signed elsewhere.
    pub(crate) fn next(&self, on_chain: u64) -> u64 {
        self.next.map_or(on_chain, |next| next.max(on_chain))
    }

    /// The node accepted a transaction of this number.
    pub(crate) fn used(&mut self, nonce: u64) {
        self.next = Some(nonce.saturating_add(1));
    }

    /// The node refused or lost a transaction: it alone knows what comes next.
    pub(crate) fn forget(&mut self) {
        self.next = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_run_ahead_of_a_node_that_lags() {
        let mut entry = Entry::default();
        assert_eq!(entry.next(7), 7);
        entry.used(7);
        assert_eq!(entry.next(7), 8, "the node has not counted the last one");
        assert_eq!(entry.next(9), 9, "another program signs for the account");
    }

    #[test]
    fn a_refusal_leaves_no_gap() {
        let mut entry = Entry::default();
        entry.used(7);
        entry.used(8);
        entry.forget();
        assert_eq!(
            entry.next(8),
            8,
            "transaction 8 was lost: its number is free"
        );
    }

    #[tokio::test]
    async fn parallel_calls_of_one_account_get_different_numbers() {
        let nonces = Arc::new(Nonces::default());
        let mut given = Vec::new();
        for task in (0..20).map(|_| {
            let nonces = Arc::clone(&nonces);
            tokio::spawn(async move {
                let entry = nonces.of([1; 32]).await;
                let mut entry = entry.lock().await;
                let nonce = entry.next(3);
                tokio::task::yield_now().await;
                entry.used(nonce);
                nonce
            })
        }) {
            given.push(task);
        }
        let mut numbers = Vec::new();
        for task in given {
            numbers.push(task.await.unwrap());
        }
        numbers.sort_unstable();
        assert_eq!(numbers, (3..23).collect::<Vec<_>>());
    }
}
