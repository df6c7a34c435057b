//! Where `admin.sock` is, and whose word counts on it.

use crate::config::{Settings, StoreLocation};
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use tokio::net::UnixListener;

/// The socket cannot be served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SocketError {
    /// Something of that name is not ours to remove.
    #[error("{} exists and is not a socket: move it away", .0.display())]
    InTheWay(PathBuf),
    /// Another process answers there.
    #[error("another process serves {}: stop it first", .0.display())]
    Served(PathBuf),
    /// The system refused.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A store's name that does not depend on where a command was started.
pub(super) fn identity(store: &Path) -> String {
    let parent = store.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let resolved = store.canonicalize().or_else(|_absent| {
        let parent = parent.canonicalize()?;
        Ok::<_, io::Error>(store.file_name().map_or(parent.clone(), |name| parent.join(name)))
    });
    resolved.unwrap_or_else(|_unreachable| store.to_owned()).display().to_string()
}

/// The file that the store is kept in, if it is one.
pub(crate) fn store(settings: &Settings) -> PathBuf {
    match &settings.store {
        StoreLocation::Sqlite(store) => store.clone(),
        StoreLocation::Postgres => PathBuf::new(),
    }
}

/// Beside a SQLite store, else in `run_dir`.
pub(crate) fn path(settings: &Settings) -> PathBuf {
    match &settings.store {
        StoreLocation::Sqlite(store) => store.with_file_name("admin.sock"),
        StoreLocation::Postgres => settings.run_dir.join("admin.sock"),
    }
}

/// The user that this process acts as.
pub(super) fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Whether a client may command this node: the same user, or root.
pub(super) fn may_command(uid: u32) -> bool {
    uid == own_uid() || uid == 0
}

/// Whether a server's answers may be believed, and passwords sent to it: the same user, root, or the owner of the
/// store. In a directory that others can write to, anybody could have put a socket there.
pub(super) fn may_serve(uid: u32, store: Option<&Path>) -> bool {
    may_command(uid) || store.and_then(|store| fs::metadata(store).ok()).is_some_and(|file| file.uid() == uid)
}

/// Binds the socket with mode 0600, clearing away one that nobody serves any more.
pub(super) fn bind(path: &Path) -> Result<UnixListener, SocketError> {
    let failed = |source| SocketError::Io { path: path.to_owned(), source };
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
    }
    match fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.file_type().is_socket() => {
            return Err(SocketError::InTheWay(path.to_owned()));
        }
        Ok(_) => match UnixStream::connect(path) {
            Ok(_) => return Err(SocketError::Served(path.to_owned())),
            // Its server was killed.
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                fs::remove_file(path).map_err(failed)?;
            }
            Err(error) => return Err(failed(error)),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    // Private from the first moment; a mode set afterwards would come too late.
    let before = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let bound = UnixListener::bind(path);
    rustix::process::umask(before);
    let listener = bound.map_err(failed)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(failed)?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Commands come from the same user and root alone; answers also from whoever owns the store.
    #[test]
    fn strangers_neither_command_nor_serve() {
        let stranger = own_uid() + 1;
        assert!(may_command(own_uid()) && may_command(0) && !may_command(stranger));
        assert!(!may_serve(stranger, None));
        let ours = std::env::current_exe().unwrap();
        assert!(!may_serve(stranger, Some(&ours)));
        let owner = fs::metadata(&ours).unwrap().uid();
        assert!(may_serve(owner, Some(&ours)));
    }
}
