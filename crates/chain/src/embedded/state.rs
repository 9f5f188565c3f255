//! The chain's storage: a trie of the last finished block and the changes made since.

use contracts_node_runtime::Hash;
use sp_core::storage::{StateVersion, Storage};
use sp_runtime::traits::BlakeTwo256;
use sp_state_machine::{Ext, InMemoryBackend, OverlayedChanges, TrieBackend, TrieBackendBuilder};

use super::nodes::Nodes;

/// The state version the node's runtime declares.
const STATE_VERSION: StateVersion = StateVersion::V1;

/// Storage the runtime can be executed on.
pub(super) struct State {
    trie: TrieBackend<Nodes, BlakeTwo256>,
    changes: OverlayedChanges<BlakeTwo256>,
}

impl Clone for State {
    /// Costs as much as the changes of the block in progress: the trie is shared.
    fn clone(&self) -> Self {
        let nodes = self.trie.backend_storage().clone();
        let trie = TrieBackendBuilder::new(nodes, *self.trie.root()).build();
        Self {
            trie,
            changes: self.changes.clone(),
        }
    }
}

impl State {
    pub(super) fn new(storage: Storage) -> Self {
        let genesis = InMemoryBackend::<BlakeTwo256>::from((storage, STATE_VERSION));
        let root = *genesis.root();
        let nodes = Nodes::new(genesis.into_storage());
        Self {
            trie: TrieBackendBuilder::new(nodes, root).build(),
            changes: OverlayedChanges::default(),
        }
    }

    /// Runs `f` with the runtime's storage functions acting on this state.
    pub(super) fn execute<R>(&mut self, f: impl FnOnce() -> R) -> R {
        let mut ext = Ext::new(&mut self.changes, &self.trie, None);
        sp_externalities::set_and_run_with_externalities(&mut ext, f)
    }

    /// Root of the trie with all changes applied.
    pub(super) fn root(&mut self) -> Hash {
        self.changes.storage_root(&self.trie, STATE_VERSION).0
    }

    /// Moves the changes into the trie, which keeps later storage roots proportional to the changes
    /// of one block.
    pub(super) fn commit(&mut self) {
        let changes = self
            .changes
            .drain_storage_changes(&self.trie, STATE_VERSION)
            .expect("the changes and the trie are in memory and only this type writes them; qed");
        self.trie.backend_storage_mut().apply(changes.transaction);
        self.trie.set_root(changes.transaction_storage_root);
    }
}
