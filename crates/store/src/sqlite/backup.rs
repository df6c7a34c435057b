//! Copies of a database: online, complete, private and durable.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use tokio::sync::oneshot;

use super::{SqliteStore, files, open};

/// A copy could not be made; nothing of it is left.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is a file of that name.
    #[error("{} exists: choose another name", .0.display())]
    Exists(PathBuf),
    /// A file could not be written.
    #[error("{}: {source}", .path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// SQLite could not copy.
    #[error("the store could not be copied: {0}")]
    Copy(String),
}

impl SqliteStore {
    /// Copies the store as of one instant to a new file of mode 0600, while it is in use. The copy is complete and
    /// fsynced when this returns.
    ///
    /// # Errors
    /// [`BackupError`]; an existing file is never overwritten.
    pub async fn backup(&self, to: &Path) -> Result<(), BackupError> {
        let (from, to) = (self.path().to_owned(), to.to_owned());
        let (reply, answer) = oneshot::channel();
        let work = move || {
            let result = open::read_only(&from)
                .map_err(|error| BackupError::Copy(error.to_string()))
                .and_then(|connection| copy(&connection, &to));
            drop(reply.send(result));
        };
        // A thread of its own: a large store takes seconds, and the readers answer requests.
        std::thread::Builder::new()
            .name(String::from("store-backup"))
            .spawn(work)
            .map_err(|error| BackupError::Copy(error.to_string()))?;
        answer
            .await
            .unwrap_or_else(|_| Err(BackupError::Copy(String::from("the copying thread ended abnormally"))))
    }
}

/// Copies what `from` sees to a new file.
pub(super) fn copy(from: &Connection, to: &Path) -> Result<(), BackupError> {
    match files::create_private(to) {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(BackupError::Exists(to.to_owned()));
        }
        Err(source) => return Err(BackupError::Io { path: to.to_owned(), source }),
    }
    // The name is ours; the copy grows beside it, so that a file of that name is either empty or complete.
    let partial = files::beside(to, ".partial");
    let result = fill(from, to, &partial);
    if result.is_err() {
        for path in [&partial, &files::beside(&partial, "-journal"), to] {
            if let Err(error) = std::fs::remove_file(path)
                && error.kind() != std::io::ErrorKind::NotFound
            {
                tracing::warn!(path = %path.display(), %error, "an incomplete copy could not be removed");
            }
        }
    }
    result
}

fn fill(from: &Connection, to: &Path, partial: &Path) -> Result<(), BackupError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| BackupError::Io { path, source }
    };
    let sqlite = |error: rusqlite::Error| BackupError::Copy(error.to_string());
    match std::fs::remove_file(partial) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(partial)(error)),
        _ => {}
    }
    files::create_private(partial).map_err(io(partial))?;
    let mut copy = Connection::open(partial).map_err(sqlite)?;
    // Nobody reads it before it is complete and synced below.
    copy.pragma_update(None, "synchronous", "OFF").map_err(sqlite)?;
    copy.pragma_update(None, "cache_size", -2000).map_err(sqlite)?;
    {
        // All pages in one step: with several, each commit in between would start the copy over.
        let backup = Backup::new(from, &mut copy).map_err(sqlite)?;
        match backup.step(-1).map_err(sqlite)? {
            StepResult::Done => {}
            other => return Err(BackupError::Copy(format!("copying stopped: {other:?}"))),
        }
    }
    // A single file that any reader can open, wherever it is moved.
    copy.pragma_update(None, "journal_mode", "DELETE").map_err(sqlite)?;
    copy.close().map_err(|(_, error)| sqlite(error))?;
    files::sync(partial).map_err(io(partial))?;
    std::fs::rename(partial, to).map_err(io(to))?;
    files::sync_directory(to).map_err(io(to))
}
