//! One memory is for one process at a time.

use super::StoreError;
use std::fs::{File, TryLockError};
use std::path::Path;

/// A locked file. It is unlocked by name: a program that is just being started by this process may
/// hold the file open for a moment longer.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Where this fails the lock ends with the file.
        let _ = self.0.unlock();
    }
}

/// Makes sure that no other process works with the memory at `path`.
pub(super) fn lock(path: &Path) -> Result<Lock, StoreError> {
    let beside = format!("{}.lock", path.display());
    let failed = |source| StoreError::Lock {
        path: beside.clone(),
        source,
    };
    let file = File::create(&beside).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(path.display().to_string())),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}
