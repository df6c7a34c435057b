//! Opening a database: lock, file, identity, migration, settings.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::lock::{self, Lock};
use super::schema::{self, Migrated};
use super::{files, schema::Version};

/// How long a connection waits for another one. Ours never hold each other up for long.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// What opening may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OpenMode {
    /// Create an empty store if there is no file. The directory must exist.
    Create,
    /// The file must exist: for commands that would be surprised by an empty store.
    Existing,
}

/// A database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory does not exist.
    #[error("the directory of the store {} does not exist: create it, or change `store`", .path.display())]
    NoDirectory {
        /// The database file.
        path: PathBuf,
    },
    /// The file does not exist.
    #[error("there is no store at {}: start the server once, or change `store`", .path.display())]
    Missing {
        /// The database file.
        path: PathBuf,
    },
    /// Another process has it.
    #[error("the store {} is in use by {}: stop that process, or talk to it", .path.display(), owner(*.by))]
    Locked {
        /// The database file.
        path: PathBuf,
        /// Its process id, if it wrote one.
        by: Option<u32>,
    },
    /// Written by a newer version of this program.
    #[error(
        "the store has version {found}, this program knows up to {supported}: run the newer program, or restore"
    )]
    Newer {
        /// Version of the database.
        found: u32,
        /// The latest version that this program knows.
        supported: u32,
    },
    /// A database of something else.
    #[error("{} is not a Countersign store: change `store`", .path.display())]
    NotOurs {
        /// The database file.
        path: PathBuf,
    },
    /// The file is damaged.
    #[error("the store {} is damaged ({reason}): restore a backup", .path.display())]
    Damaged {
        /// The database file.
        path: PathBuf,
        /// What SQLite says.
        reason: String,
    },
    /// A file could not be read or written.
    #[error("{}: {source}", .path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// SQLite could not use it.
    #[error("the store {} cannot be used: {reason}", .path.display())]
    Unusable {
        /// The database file.
        path: PathBuf,
        /// What SQLite says.
        reason: String,
    },
}

fn owner(by: Option<u32>) -> String {
    by.map_or_else(|| String::from("another process"), |pid| format!("process {pid}"))
}

impl OpenError {
    pub(super) fn unusable(path: &Path, reason: &dyn std::fmt::Display) -> Self {
        Self::Unusable { path: path.to_owned(), reason: reason.to_string() }
    }

    pub(super) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }

    pub(super) fn sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        let damaged =
            matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase));
        let (path, reason) = (path.to_owned(), error.to_string());
        if damaged { Self::Damaged { path, reason } } else { Self::Unusable { path, reason } }
    }
}

/// Settings with safe defaults.
#[derive(Clone, Copy, Debug)]
pub struct Tuning {
    pub(super) queue: usize,
    synchronous: &'static str,
}

impl Default for Tuning {
    fn default() -> Self {
        Self { queue: 4096, synchronous: "FULL" }
    }
}

impl Tuning {
    /// How many verbs may wait for the writer; further ones are refused at once.
    #[must_use]
    pub const fn queue(self, verbs: usize) -> Self {
        Self { queue: verbs, ..self }
    }

    /// Settings that break promises.
    #[must_use]
    pub const fn dangerous(self) -> DangerousTuning {
        DangerousTuning(self)
    }
}

/// Settings that break promises.
#[derive(Clone, Copy, Debug)]
pub struct DangerousTuning(Tuning);

impl DangerousTuning {
    /// Never syncs: a power cut loses what was acknowledged, revocations too. For showing that the durability test
    /// notices.
    #[must_use]
    pub const fn never_sync(self) -> Tuning {
        Tuning { synchronous: "OFF", ..self.0 }
    }
}

/// A database ready to be written.
pub(super) struct Opened {
    pub(super) connection: Connection,
    pub(super) migrated: Option<Migrated>,
    pub(super) lock: Lock,
}

pub(super) fn open(path: &Path, mode: OpenMode, tuning: Tuning) -> Result<Opened, OpenError> {
    if !files::directory(path).is_dir() {
        return Err(OpenError::NoDirectory { path: path.to_owned() });
    }
    if mode == OpenMode::Existing && !path.exists() {
        return Err(OpenError::Missing { path: path.to_owned() });
    }
    let lock = lock::acquire(path)?;
    if !path.exists() {
        files::create_private(path).map_err(|error| OpenError::io(path, error))?;
        files::sync_directory(path).map_err(|error| OpenError::io(path, error))?;
    }
    let failed = |error: rusqlite::Error| OpenError::sqlite(path, &error);
    // Look before anything is written: a wrong path in the configuration must not change somebody's database.
    let found = {
        let probe = read_only(path).map_err(failed)?;
        version(&probe, path)?
    };
    let mut connection = connect(path, tuning).map_err(failed)?;
    let migrated = schema::migrate(&mut connection, path, found)?;
    Ok(Opened { connection, migrated, lock })
}

/// The version of a database of ours.
pub(super) fn version(connection: &Connection, path: &Path) -> Result<Version, OpenError> {
    match schema::version(connection).map_err(|error| OpenError::sqlite(path, &error))? {
        None => Err(OpenError::NotOurs { path: path.to_owned() }),
        Some(found) if found > schema::SUPPORTED => {
            Err(OpenError::Newer { found, supported: schema::SUPPORTED })
        }
        Some(found) => Ok(found),
    }
}

/// A connection that can write. Page caches grow as they are needed, up to what their pragma says.
pub(super) fn connect(path: &Path, tuning: Tuning) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", tuning.synchronous)?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    // Savepoints keep copies of pages; on disk they would cost a file each.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -16_000)?;
    // Without it a cached statement is planned anew for each bound value, which doubles the cost of a rotation.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(96);
    Ok(connection)
}

/// A connection that cannot write.
pub(super) fn read_only(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "cache_size", -8000)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(48);
    Ok(connection)
}
