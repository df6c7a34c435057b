//! The exclusive lock of a database: one process at a time, released by the system when the process ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt};
use std::path::Path;

use super::files::beside;
use super::open::OpenError;

/// Held while it lives. The file `<database>.lock` stays: deleting it would let two processes lock two files.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

/// Takes the lock or says who has it.
pub(super) fn acquire(database: &Path) -> Result<Lock, OpenError> {
    // By the file and not by its name: two names of one database must not be two locks.
    let real = std::fs::canonicalize(database).unwrap_or_else(|_| database.to_owned());
    if std::fs::metadata(&real).is_ok_and(|found| found.nlink() > 1) {
        let second = "it has a second name (a hard link), by which another process could write to it; remove one of the two";
        return Err(OpenError::Io { path: real, source: std::io::Error::other(second) });
    }
    let path = beside(&real, ".lock");
    let failed = |error: std::io::Error| OpenError::Io { path: path.clone(), source: error };
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut owner = String::new();
            file.read_to_string(&mut owner).map_err(failed)?;
            return Err(OpenError::Locked { path: database.to_owned(), by: owner.trim().parse().ok() });
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    file.set_len(0).map_err(failed)?;
    writeln!(file, "{}", std::process::id()).map_err(failed)?;
    Ok(Lock { _file: file })
}
