//! Reading and creating files that nobody else may read.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use countersign_core::port::Entropy;
use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use crate::entropy::SystemEntropy;

/// More than any key or chain of certificates needs.
const LARGEST: u64 = 1024 * 1024;

/// Who besides the owner may read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reach {
    /// Nobody.
    Owner,
    /// The group too: how distributions hand TLS keys to servers (`ssl-cert`).
    Group,
    /// Anybody: certificates.
    Everyone,
}

impl Reach {
    const fn forbidden(self) -> u32 {
        match self {
            Self::Owner => 0o077,
            Self::Group => 0o037,
            Self::Everyone => 0,
        }
    }
}

/// A file could not be used; says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is not there.
    #[error("{} does not exist", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The system refused.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others on this machine could read or change the secret in it.
    #[error("{0} can be read or changed by other users (mode {mode:04o}); run: chmod 600 {0}", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Not a key file.
    #[error("{} is larger than 1 MiB", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
}

/// A file could not be created or replaced.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be written: {source}", path.display())]
pub struct CreateError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// Reads a whole file after checking who else can. The check is on the open file, so that it cannot be swapped in between.
pub(crate) fn read_private(path: &Path, reach: Reach) -> Result<Zeroizing<Vec<u8>>, ReadError> {
    let unreadable = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => ReadError::Missing { path: path.into() },
        _ => ReadError::Unreadable { path: path.into(), source },
    };
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(unreadable(io::Error::other("not a regular file")));
    }
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & reach.forbidden() != 0 {
        return Err(ReadError::Exposed { path: path.into(), mode });
    }
    if metadata.len() > LARGEST {
        return Err(ReadError::TooLarge { path: path.into() });
    }
    // Room for all of it: growing would leave copies behind that are not wiped.
    let room = usize::try_from(metadata.len()).unwrap_or(0).saturating_add(1);
    let mut content = Zeroizing::new(Vec::with_capacity(room));
    file.take(LARGEST).read_to_end(&mut content).map_err(unreadable)?;
    Ok(content)
}

/// Creates a file with mode 0600, durable when this returns. `false` if there is one already; it stays as it is.
pub(crate) fn create_private(path: &Path, content: &[u8]) -> Result<bool, CreateError> {
    create(path, content, 0o600)
}

/// The same with mode 0644.
pub(crate) fn create_public(path: &Path, content: &[u8]) -> Result<bool, CreateError> {
    create(path, content, 0o644)
}

/// Puts other content in the place of a private file, durable when this returns. Owner and mode stay: a server that runs as
/// another user than root must be able to read what root changed. A link stays one.
pub(crate) fn replace_private(path: &Path, content: &[u8]) -> Result<(), CreateError> {
    let failed = |source| CreateError { path: path.into(), source };
    let path = &path.canonicalize().map_err(failed)?;
    let before = std::fs::metadata(path).map_err(failed)?;
    let (directory, draft) = draft_beside(path).map_err(failed)?;
    let mode = before.permissions().mode() & 0o7777;
    let written = write(&draft, content, mode)
        .and_then(|()| {
            if std::fs::metadata(&draft)?.uid() == before.uid() {
                return Ok(());
            }
            std::os::unix::fs::lchown(&draft, Some(before.uid()), Some(before.gid()))
        })
        // In one step: whoever reads meanwhile, or after a crash, sees all of the old file or all of the new one.
        .and_then(|()| std::fs::rename(&draft, path));
    if let Err(error) = written {
        drop(std::fs::remove_file(&draft));
        return Err(failed(error));
    }
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed)
}

/// The directory of a file, and a name in it that nobody has.
fn draft_beside(path: &Path) -> io::Result<(&Path, PathBuf)> {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::Error::other("the path names no file"));
    };
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let mut draft = name.to_owned();
    draft.push(format!(".{}.new", HEXLOWER.encode(&SystemEntropy.bytes::<8>())));
    Ok((directory, directory.join(draft)))
}

/// Written under another name and linked, so that nobody, not even after a crash, ever sees half of it.
fn create(path: &Path, content: &[u8], mode: u32) -> Result<bool, CreateError> {
    let failed = |source| CreateError { path: path.into(), source };
    let (directory, draft) = draft_beside(path).map_err(failed)?;
    let written = write(&draft, content, mode).and_then(|()| std::fs::hard_link(&draft, path));
    let removed = std::fs::remove_file(&draft);
    match written {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
        other => other.and(removed).map_err(failed)?,
    }
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed)?;
    Ok(true)
}

fn write(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    // The umask may have taken bits that the owner needs.
    file.set_permissions(Permissions::from_mode(mode))?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn created_once_and_private() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        assert!(create_private(&path, b"first").unwrap());
        assert!(!create_private(&path, b"second").unwrap());
        assert_eq!(&**read_private(&path, Reach::Owner).unwrap(), b"first");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "a draft was left behind");
    }

    #[test]
    fn who_else_may_read_is_checked() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        create_private(&path, b"x").unwrap();
        for (mode, owner, group) in [
            (0o600, true, true),
            (0o400, true, true),
            (0o640, false, true),
            (0o660, false, false),
            (0o604, false, false),
            (0o644, false, false),
        ] {
            std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            assert_eq!(read_private(&path, Reach::Owner).is_ok(), owner, "{mode:o}");
            assert_eq!(read_private(&path, Reach::Group).is_ok(), group, "{mode:o}");
            assert!(read_private(&path, Reach::Everyone).is_ok());
        }
        let message = read_private(&path, Reach::Owner).unwrap_err().to_string();
        assert!(message.contains(&format!("chmod 600 {}", path.display())), "{message}");
        assert!(message.contains("0644"), "{message}");
    }

    #[test]
    fn what_is_no_file_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let missing = read_private(&directory.path().join("none"), Reach::Owner);
        assert!(matches!(missing, Err(ReadError::Missing { .. })));
        assert!(matches!(read_private(directory.path(), Reach::Everyone), Err(ReadError::Unreadable { .. })));
        assert!(create_private(&directory.path().join("no/such/place"), b"x").is_err());
    }
}
