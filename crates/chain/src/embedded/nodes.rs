//! The database of the state's trie.

use std::sync::Arc;

use contracts_node_runtime::Hash;
use sp_runtime::traits::BlakeTwo256;
use sp_state_machine::{BackendTransaction, DBValue, TrieBackendStorage};

/// Trie nodes by hash, with reference counts.
type Db = BackendTransaction<BlakeTwo256>;

/// Changed nodes, over a number of blocks, that are worth moving to the base.
const MERGE_THRESHOLD: usize = 1_024;

/// The nodes of a trie in two layers: a base, and what changed since.
///
/// Clones share both. Applying changes to a clone copies the upper layer, which is small, and only
/// now and then the base. In the upper layer, a node that the base has and the trie no longer needs
/// has a negative reference count; it is not looked for, as nothing refers to it.
#[derive(Clone)]
pub(super) struct Nodes {
    base: Arc<Db>,
    recent: Arc<Db>,
    /// Upper bound on the number of nodes in `recent`.
    recent_len: usize,
}

impl Nodes {
    pub(super) fn new(base: Db) -> Self {
        Self {
            base: Arc::new(base),
            recent: Arc::default(),
            recent_len: 0,
        }
    }

    /// Applies the changes of one block.
    pub(super) fn apply(&mut self, changes: Db) {
        self.recent_len += changes.keys().len();
        Arc::make_mut(&mut self.recent).consolidate(changes);
        if self.recent_len > MERGE_THRESHOLD {
            let base = Arc::make_mut(&mut self.base);
            base.consolidate(Arc::unwrap_or_clone(std::mem::take(&mut self.recent)));
            // Replaced nodes stay in a database with a reference count of zero.
            base.purge();
            self.recent_len = 0;
        }
    }
}

impl TrieBackendStorage<BlakeTwo256> for Nodes {
    fn get(&self, hash: &Hash, prefix: (&[u8], Option<u8>)) -> Result<Option<DBValue>, String> {
        match TrieBackendStorage::<BlakeTwo256>::get(&*self.recent, hash, prefix)? {
            Some(node) => Ok(Some(node)),
            None => TrieBackendStorage::<BlakeTwo256>::get(&*self.base, hash, prefix),
        }
    }
}
