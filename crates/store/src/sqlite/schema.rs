//! Embedded migrations. A database says whose it is (`application_id`) and which migrations it has had
//! (`user_version`).

use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior};

use super::backup;
use super::files;
use super::open::OpenError;

/// Number of migrations applied; 0 for an empty file.
pub(super) type Version = u32;

/// "CsgN", so that a wrong path in the configuration does not write into somebody else's database.
const APPLICATION_ID: i32 = 0x4373_674e;

/// Each keeps the schema usable by the previous minor version of the program.
const MIGRATIONS: &[&str] = &[
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
    include_str!("schema/5.sql"),
];

/// The latest version that this program knows.
#[expect(clippy::cast_possible_truncation, reason = "a handful of files")]
pub(super) const SUPPORTED: Version = MIGRATIONS.len() as Version;

/// A migration that was done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Migrated {
    /// Version before; 0 for a new database.
    pub from: u32,
    /// Version now.
    pub to: u32,
    /// Where the database as it was before was copied to; none for a new one.
    pub copy: Option<PathBuf>,
}

/// The version of a database of ours, 0 for an empty one; `None` if it is something else's.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<Option<Version>> {
    let id: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let version: Version = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let tables: u32 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let ours = id == APPLICATION_ID || (id == 0 && version == 0 && tables == 0);
    Ok(ours.then_some(version))
}

/// Brings a database of version `found` to [`SUPPORTED`], copying it aside first.
pub(super) fn migrate(
    connection: &mut Connection,
    path: &Path,
    found: Version,
) -> Result<Option<Migrated>, OpenError> {
    apply(connection, path, found, MIGRATIONS)
}

fn apply(
    connection: &mut Connection,
    path: &Path,
    found: Version,
    migrations: &[&str],
) -> Result<Option<Migrated>, OpenError> {
    let failed = |error: rusqlite::Error| OpenError::sqlite(path, &error);
    let done = usize::try_from(found).unwrap_or(usize::MAX);
    let to = Version::try_from(migrations.len()).unwrap_or(Version::MAX);
    if done >= migrations.len() {
        return Ok(None);
    }
    let copy = if found == 0 {
        None
    } else {
        let copy = files::free_name(path, &format!(".before-v{to}"));
        backup::copy(connection, &copy).map_err(|error| OpenError::unusable(&copy, &error))?;
        Some(copy)
    };
    // All or nothing: a database between two versions would be no version at all.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    for migration in migrations.iter().skip(done) {
        transaction.execute_batch(migration).map_err(failed)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
    transaction.pragma_update(None, "user_version", to).map_err(failed)?;
    transaction.commit().map_err(failed)?;
    Ok(Some(Migrated { from: found, to, copy }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::open::{Tuning, connect};
    use crate::sqlite::{OpenMode, SqliteStore};

    fn new_database(directory: &tempfile::TempDir) -> PathBuf {
        let path = directory.path().join("store.db");
        drop(SqliteStore::open(&path, OpenMode::Create).unwrap());
        path
    }

    #[test]
    fn a_migration_copies_the_database_aside_and_is_all_or_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = new_database(&directory);
        let mut connection = connect(&path, Tuning::default()).unwrap();
        let steps = |first| [MIGRATIONS, &[first, "CREATE TABLE c (x TEXT) STRICT;"]].concat();

        let broken =
            apply(&mut connection, &path, SUPPORTED, &steps("CREATE TABLE b (x TEXT) STRICT; nonsense;"));
        assert!(matches!(broken, Err(OpenError::Unusable { .. })), "{broken:?}");
        assert_eq!(version(&connection).unwrap(), Some(SUPPORTED));
        assert!(connection.prepare("SELECT x FROM b").is_err());

        let done = apply(&mut connection, &path, SUPPORTED, &steps("CREATE TABLE b (x TEXT) STRICT;"))
            .unwrap()
            .unwrap();
        assert_eq!((done.from, done.to), (SUPPORTED, SUPPORTED + 2));
        assert_eq!(version(&connection).unwrap(), Some(SUPPORTED + 2));
        // The failed attempt's copy is still there and was not overwritten.
        let copy = done.copy.unwrap();
        let name = format!("store.db.before-v{}.2", SUPPORTED + 2);
        assert!(copy.to_string_lossy().ends_with(&name), "{copy:?}");
        let before = Connection::open(&copy).unwrap();
        assert_eq!(version(&before).unwrap(), Some(SUPPORTED));
        assert!(before.prepare("SELECT x FROM b").is_err());
    }

    #[test]
    fn a_newer_or_foreign_database_is_refused_and_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = new_database(&directory);
        let connection = Connection::open(&path).unwrap();
        connection.pragma_update(None, "user_version", SUPPORTED + 7).unwrap();
        drop(connection);
        let newer = SqliteStore::open(&path, OpenMode::Create).unwrap_err();
        assert!(
            matches!(newer, OpenError::Newer { found, supported } if found == SUPPORTED + 7 && supported == SUPPORTED)
        );

        let foreign = directory.path().join("other.db");
        Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
        let before = std::fs::read(&foreign).unwrap();
        let refused = SqliteStore::open(&foreign, OpenMode::Create).unwrap_err();
        assert!(matches!(refused, OpenError::NotOurs { .. }), "{refused:?}");
        assert_eq!(std::fs::read(&foreign).unwrap(), before);
    }
}
