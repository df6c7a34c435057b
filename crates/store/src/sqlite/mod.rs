//! SQLite for one node: a writer thread with group commit, readers apart, checkpoints off the writer (design §8).

mod backup;
mod checkpoint;
mod error;
mod files;
mod lock;
mod open;
mod readers;
mod restore;
mod row;
mod schema;
mod store;
mod verbs;
mod writer;
#[cfg(test)]
mod writer_tests;

use std::path::{Path, PathBuf};

pub use backup::BackupError;
pub use open::{DangerousTuning, OpenError, OpenMode, Tuning};
pub use restore::{
    EndedSince, Outcome, Plan, Replaced, RestoreError, Restored, RestoredSessions, WhatEndedSince, restore,
};
pub use schema::Migrated;

use checkpoint::Checkpointer;
use lock::Lock;
use readers::Readers;
use writer::Writer;

/// The embedded store. Holds the database's exclusive lock until it is dropped; dropping it finishes the verbs that
/// are queued, so it may block for a moment.
#[derive(Debug)]
pub struct SqliteStore {
    writer: Writer,
    checkpointer: Checkpointer,
    readers: Readers,
    path: PathBuf,
    migrated: Option<Migrated>,
    // Dropped after the threads have ended: no connection may outlive it.
    _lock: Lock,
}

impl SqliteStore {
    /// Opens a database, creating or migrating it as `mode` says. Blocks; call it at start.
    ///
    /// # Errors
    /// [`OpenError`] names what is wrong and what to do.
    pub fn open(path: &Path, mode: OpenMode) -> Result<Self, OpenError> {
        Self::open_tuned(path, mode, Tuning::default())
    }

    /// Like [`SqliteStore::open`], with other settings than the safe ones.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open_tuned(path: &Path, mode: OpenMode, tuning: Tuning) -> Result<Self, OpenError> {
        let opened = open::open(path, mode, tuning)?;
        let broken = |error: &dyn std::fmt::Display| OpenError::unusable(path, error);
        let connect = || open::connect(path, tuning).map_err(|error| broken(&error));
        let readers = Readers::start(path).map_err(|error| broken(&error))?;
        let (checkpointer, pressure) = Checkpointer::start(connect()?).map_err(|error| broken(&error))?;
        let writer =
            Writer::start(opened.connection, tuning.queue, pressure).map_err(|error| broken(&error))?;
        Ok(Self {
            writer,
            checkpointer,
            readers,
            path: path.to_owned(),
            migrated: opened.migrated,
            _lock: opened.lock,
        })
    }

    /// The migration that opening did, if any.
    #[must_use]
    pub const fn migrated(&self) -> Option<&Migrated> {
        self.migrated.as_ref()
    }

    /// The database file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        // The last connection folds the log into the database, which a reader could not; the writer feeds the
        // checkpointer.
        self.readers.stop();
        self.writer.stop();
        self.checkpointer.stop();
    }
}
