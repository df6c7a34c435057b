//! Files that hold personal data: private from the first moment, and durable by name as well as by content.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// `path` with something appended to its name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// The directory a file is in.
pub(super) fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Creates an empty file with mode 0600; fails if there is one. SQLite gives `-wal` and `-shm` the same mode.
pub(super) fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Makes a file's content durable.
pub(super) fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Makes the names in a file's directory durable: without it a power cut can lose a file whose content was synced.
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(directory(path))?.sync_all()
}

/// The first free name among `path.suffix`, `path.suffix.2`, `path.suffix.3` …
pub(super) fn free_name(path: &Path, suffix: &str) -> PathBuf {
    let mut candidate = beside(path, suffix);
    let mut number = 2_u32;
    while candidate.exists() {
        candidate = beside(path, &format!("{suffix}.{number}"));
        number = number.saturating_add(1);
    }
    candidate
}
