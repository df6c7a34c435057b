//! Putting a copy in the place of a database.

mod since;

use std::path::{Path, PathBuf};

use countersign_core::domain::event::Event;
use countersign_core::domain::session::EndReason;
use countersign_core::domain::time::Timestamp;
use rusqlite::{Connection, Transaction};

use super::backup::{self, BackupError};
use super::error::SqlError;
use super::open::{self, OpenError, Tuning};
use super::verbs::{events, revocation};
use super::{files, lock, schema};

pub use since::{EndedSince, Replaced};

/// What becomes of the sessions in the copy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RestoredSessions {
    /// All end and every epoch is raised: what was revoked after the copy was made stays dead.
    End {
        /// When.
        at: Timestamp,
    },
    /// They live on; rotation heals the generations.
    Keep,
}

/// What becomes of what the replaced database had ended since the copy was made: keys, users, passwords, scopes, sessions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WhatEndedSince {
    /// It stays ended, as far as the replaced database can be read.
    StaysEnded,
    /// It lives again: the copy is taken as it is.
    LivesAgain,
}

/// How to restore.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// What becomes of the sessions in the copy.
    pub sessions: RestoredSessions,
    /// What becomes of what was ended since.
    pub since: WhatEndedSince,
}

/// What restoring will have done, for the event that tells of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// How many sessions were ended because they were in the copy.
    pub ended: usize,
    /// What is known of the database that was there before.
    pub replaced: Replaced,
}

/// What restoring did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Restored {
    /// What became of sessions, keys and users.
    pub outcome: Outcome,
    /// Where the database that was there before is now.
    pub aside: Option<PathBuf>,
}

/// A copy could not be restored. What was in place is there still, or, if moving files failed, beside it.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The copy, or the lock of the database.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Copying failed.
    #[error(transparent)]
    Copy(#[from] BackupError),
    /// The copy is damaged.
    #[error("{} is damaged ({finding}): use another backup", .path.display())]
    Damaged {
        /// The copy.
        path: PathBuf,
        /// SQLite's first finding.
        finding: String,
    },
}

/// Replaces the database at `to` with the copy at `from`, under the exclusive lock of `to`. A database that is there
/// is moved aside, never deleted. `tell` makes the event that the restored database begins with. Blocks.
///
/// # Errors
/// [`RestoreError`].
pub fn restore(
    from: &Path,
    to: &Path,
    plan: Plan,
    tell: impl FnOnce(&Outcome) -> Event,
) -> Result<Restored, RestoreError> {
    if !files::directory(to).is_dir() {
        return Err(OpenError::NoDirectory { path: to.to_owned() }.into());
    }
    if !from.exists() {
        return Err(OpenError::Missing { path: from.to_owned() }.into());
    }
    let _lock = lock::acquire(to)?;
    let fresh = files::free_name(to, ".restoring");
    let prepared = prepare(from, &fresh, to, plan, tell);
    let placed = prepared.and_then(|outcome| Ok(Restored { outcome, aside: place(&fresh, to)? }));
    if placed.is_err() {
        for path in [fresh.clone(), files::beside(&fresh, "-wal"), files::beside(&fresh, "-shm")] {
            if let Err(error) = std::fs::remove_file(&path)
                && error.kind() != std::io::ErrorKind::NotFound
            {
                tracing::warn!(path = %path.display(), %error, "an incomplete copy could not be removed");
            }
        }
    }
    placed
}

/// Checks the copy and makes of it, in `fresh`, the database that will be put in place.
fn prepare(
    from: &Path,
    fresh: &Path,
    to: &Path,
    plan: Plan,
    tell: impl FnOnce(&Outcome) -> Event,
) -> Result<Outcome, RestoreError> {
    let source = open::read_only(from).map_err(|error| OpenError::sqlite(from, &error))?;
    let found = open::version(&source, from)?;
    if found == 0 {
        return Err(OpenError::NotOurs { path: from.to_owned() }.into());
    }
    check(&source, from)?;
    backup::copy(&source, fresh)?;
    let failed = |error: rusqlite::Error| OpenError::sqlite(fresh, &error);
    let verb_failed = |error: SqlError| match error {
        SqlError::Sqlite(error) => OpenError::sqlite(fresh, &error),
        SqlError::Unreadable(column) => OpenError::unusable(fresh, &column),
    };
    let mut copy = open::connect(fresh, Tuning::default()).map_err(failed)?;
    // `from` is the copy aside, so the migration's own copy is not needed any more.
    if let Some(aside) = schema::migrate(&mut copy, fresh, found)?.and_then(|migrated| migrated.copy) {
        std::fs::remove_file(&aside).map_err(|error| OpenError::io(&aside, error))?;
    }
    let mut transaction = copy.transaction().map_err(failed)?;
    // First what was ended since, then everybody's sessions: an epoch that is taken over must be raised too.
    let replaced = compared(&mut transaction, to, plan).map_err(failed)?;
    let ended = match plan.sessions {
        RestoredSessions::Keep => 0,
        RestoredSessions::End { at } => {
            revocation::end_everyone(&transaction, EndReason::Restored, at).map_err(verb_failed)?.len()
        }
    };
    let outcome = Outcome { ended, replaced };
    events::append(&transaction, &[tell(&outcome)]).map_err(verb_failed)?;
    transaction.commit().map_err(failed)?;
    copy.pragma_update(None, "journal_mode", "DELETE").map_err(failed)?;
    copy.close().map_err(|(_, error)| failed(error))?;
    files::sync(fresh).map_err(|error| OpenError::io(fresh, error))?;
    Ok(outcome)
}

/// Compares with what is to be replaced. One that cannot be read to the end changes nothing in the copy: half of what it says
/// would look like all of it.
fn compared(transaction: &mut Transaction<'_>, to: &Path, plan: Plan) -> rusqlite::Result<Replaced> {
    let old = match since::open_replaced(to) {
        Ok(Some(old)) => old,
        Ok(None) => return Ok(Replaced::Nothing),
        Err(reason) => return Ok(Replaced::Unreadable { reason }),
    };
    let attempt = transaction.savepoint()?;
    let keep = plan.since == WhatEndedSince::StaysEnded;
    match since::compare(&old, &attempt, keep, plan.sessions == RestoredSessions::Keep) {
        Ok(replaced) => {
            attempt.commit()?;
            Ok(replaced)
        }
        Err(error) => Ok(Replaced::Unreadable { reason: since::fault(&error) }),
    }
}

fn check(copy: &Connection, path: &Path) -> Result<(), RestoreError> {
    let damaged = |finding: String| RestoreError::Damaged { path: path.to_owned(), finding };
    let finding: String = copy
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(|error| damaged(error.to_string()))?;
    if finding == "ok" { Ok(()) } else { Err(damaged(finding)) }
}

/// Moves what is at `to` aside, log first: the last commits may be in there, and a log beside another database would
/// be applied to that one.
fn place(fresh: &Path, to: &Path) -> Result<Option<PathBuf>, OpenError> {
    // After a crash this folds the log into the database, so that one rename moves everything; a damaged database
    // does not let it, and is moved with its log.
    if to.exists()
        && let Err(error) =
            open::connect(to, Tuning::default()).and_then(|old| old.close().map_err(|(_, error)| error))
    {
        tracing::info!(%error, "the store that is being replaced cannot be opened");
    }
    let aside = to.exists().then(|| files::free_name(to, ".before-restore"));
    for (suffix, keep) in [("-wal", true), ("-shm", false), ("", true)] {
        let old = files::beside(to, suffix);
        let moved = match &aside {
            Some(aside) if keep => std::fs::rename(&old, files::beside(aside, suffix)),
            _ => std::fs::remove_file(&old),
        };
        match moved {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(OpenError::io(&old, error));
            }
            _ => {}
        }
    }
    std::fs::rename(fresh, to).map_err(|error| OpenError::io(to, error))?;
    files::sync_directory(to).map_err(|error| OpenError::io(to, error))?;
    Ok(aside)
}
