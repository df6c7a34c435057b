//! `master.key` and `COUNTERSIGN_MASTER_KEY` (design §4).
//!
//! ```text
//! # anything after a # is a comment
//! 1:5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8
//! 0:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b   # until all its sessions have ended
//! ```
//!
//! One secret a line: an id from 0 to 255, a colon, 32 random bytes as 64 hexadecimal digits. The first one is current: new
//! sessions are opened with it. The others still verify, until the line is removed. In the environment variable,
//! commas may stand for line ends. A file must not be readable by group or others.

use std::path::{Path, PathBuf};

use countersign_core::domain::id::KeyId;
use countersign_core::domain::secret::SecretArray;
use countersign_core::port::Entropy;
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use zeroize::Zeroizing;

use super::private::{CreateError, Reach, ReadError, create_private, read_private};

/// Secrets in the order in which they were written, the current one first: ready for `Keyring::new`.
pub type MasterSecrets = Vec<(KeyId, SecretArray<32>)>;

/// Master secrets cannot be had. No message holds any part of one.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The file cannot be used; [`ReadError::Missing`] means that there is none yet.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The file cannot be written.
    #[error(transparent)]
    Create(#[from] CreateError),
    /// It would have replaced secrets that sessions and sealed keys depend on.
    #[error("{} exists already and is never overwritten", .0.display())]
    Exists(PathBuf),
    /// A line that is no secret.
    #[error("{origin}, line {line}: {problem}; want an id from 0 to 255, a colon, and 64 hexadecimal digits")]
    Malformed {
        /// The file or variable.
        origin: String,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// No secret in it.
    #[error("{origin} holds no master secret")]
    Empty {
        /// The file or variable.
        origin: String,
    },
}

/// Creates the file with one new secret, id 0, mode 0600. Never overwrites.
///
/// # Errors
/// [`MasterKeyError::Exists`], [`MasterKeyError::Create`].
pub fn create(path: &Path, entropy: &impl Entropy) -> Result<MasterSecrets, MasterKeyError> {
    let secret = SecretArray::new(entropy.bytes());
    let mut digits = Zeroizing::new([0; 64]);
    HEXLOWER.encode_mut(secret.expose(), &mut *digits);
    let head: &[u8] = b"# Countersign master secret. Back this file up: without it, no session and no sealed key of the\n\
        # store can be used again. Keep it apart from backups of the store, and readable by its owner only.\n0:";
    let mut content = Zeroizing::new(Vec::with_capacity(head.len() + digits.len() + 1));
    content.extend_from_slice(head);
    content.extend_from_slice(&*digits);
    content.push(b'\n');
    if !create_private(path, &content)? {
        return Err(MasterKeyError::Exists(path.into()));
    }
    Ok(vec![(KeyId(0), secret)])
}

/// Reads the file.
///
/// # Errors
/// [`MasterKeyError`].
pub fn load(path: &Path) -> Result<MasterSecrets, MasterKeyError> {
    let content = read_private(path, Reach::Owner)?;
    let origin = path.display().to_string();
    match std::str::from_utf8(&content) {
        Ok(text) => parse(text, &origin),
        Err(_) => Err(MasterKeyError::Malformed { origin, line: 1, problem: "this is not text" }),
    }
}

/// Reads the file, or creates it if there is none. `true` if it was created: time to say "back this up".
/// Of two processes that start at once, both use the secret of the one that was first.
///
/// # Errors
/// [`MasterKeyError`].
pub fn load_or_create(path: &Path, entropy: &impl Entropy) -> Result<(MasterSecrets, bool), MasterKeyError> {
    match load(path) {
        Err(MasterKeyError::Read(ReadError::Missing { .. })) => match create(path, entropy) {
            Err(MasterKeyError::Exists(_)) => Ok((load(path)?, false)),
            created => Ok((created?, true)),
        },
        loaded => Ok((loaded?, false)),
    }
}

/// Reads the text of a file, or the value of `COUNTERSIGN_MASTER_KEY`. `origin` names it in messages.
///
/// # Errors
/// [`MasterKeyError::Malformed`], [`MasterKeyError::Empty`].
pub fn parse(text: &str, origin: &str) -> Result<MasterSecrets, MasterKeyError> {
    let mut secrets = MasterSecrets::new();
    for (index, line) in text.lines().enumerate() {
        let code = line.split_once('#').map_or(line, |(code, _comment)| code);
        for entry in code.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let malformed =
                |problem| MasterKeyError::Malformed { origin: origin.into(), line: index + 1, problem };
            let (id, secret) = entry_of(entry).map_err(malformed)?;
            if secrets.iter().any(|(taken, _)| *taken == id) {
                return Err(malformed("this id stands twice"));
            }
            secrets.push((id, secret));
        }
    }
    if secrets.is_empty() {
        return Err(MasterKeyError::Empty { origin: origin.into() });
    }
    Ok(secrets)
}

fn entry_of(entry: &str) -> Result<(KeyId, SecretArray<32>), &'static str> {
    let (id, digits) = entry.split_once(':').ok_or("the id is missing")?;
    let id = id.trim().parse().map(KeyId).map_err(|_not_u8| "the id is no number from 0 to 255")?;
    let digits = digits.trim().as_bytes();
    if digits.len() != 64 {
        return Err("the secret has not 64 digits");
    }
    let mut bytes = Zeroizing::new([0; 32]);
    HEXLOWER_PERMISSIVE
        .decode_mut(digits, &mut *bytes)
        .map_err(|_not_hex| "the secret is not hexadecimal")?;
    Ok((id, SecretArray::new(*bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;
    use std::os::unix::fs::PermissionsExt;

    const A: &str = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8";
    const B: &str = "2BB80D537B1DA3E38BD30361AA855686BDE0EACD7162FEF6A25FE97BF527A25B";

    fn ids(secrets: &MasterSecrets) -> Vec<u8> {
        secrets.iter().map(|(id, _)| id.0).collect()
    }

    #[test]
    fn first_is_current_and_comments_are_skipped() {
        let text = format!("# head\n\n 7:{A}  # new\n0:{B}\n");
        let secrets = parse(&text, "master.key").unwrap();
        assert_eq!(ids(&secrets), [7, 0]);
        assert_eq!(secrets[0].1.expose()[..2], [0x5e, 0x88]);
        assert_eq!(secrets[1].1.expose()[..2], [0x2b, 0xb8]);
        assert_eq!(ids(&parse(&format!("1:{A},0:{B}"), "variable").unwrap()), [1, 0]);
    }

    /// I01: messages name place and remedy, and never hold a digit of the secret.
    #[test]
    fn i01_errors_say_where_and_show_nothing() {
        let (short, start_a, start_b) = (A.get(..63).unwrap(), A.get(..6).unwrap(), B.get(..6).unwrap());
        for bad in [
            A.to_owned(),
            format!("256:{A}"),
            format!("x:{A}"),
            format!("-1:{A}"),
            format!("0:{A}00"),
            format!("0:{short}z"),
            format!("0:{short}"),
            format!("0:{A}\n1:{B}\n0:{B}"),
        ] {
            let error = parse(&bad, "the-origin").unwrap_err();
            assert!(matches!(error, MasterKeyError::Malformed { .. }), "{error}");
            let message = format!("{error} {error:?}");
            assert!(message.contains("the-origin"), "{message}");
            assert!(!message.contains(start_a) && !message.contains(start_b), "{message}");
        }
        assert!(matches!(parse("# nothing\n", "o"), Err(MasterKeyError::Empty { .. })));
        let third = parse(&format!("0:{A}\n1:{B}\nbad"), "o").unwrap_err();
        assert!(third.to_string().contains("line 3"), "{third}");
    }

    #[test]
    fn a_file_is_created_once_and_read_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("master.key");
        assert!(matches!(load(&path), Err(MasterKeyError::Read(ReadError::Missing { .. }))));
        let (made, created) = load_or_create(&path, &SystemEntropy).unwrap();
        assert!(created);
        let (read, created) = load_or_create(&path, &SystemEntropy).unwrap();
        assert!(!created);
        assert_eq!(ids(&read), [0]);
        assert_eq!(made[0].1.expose(), read[0].1.expose());
        assert!(matches!(create(&path, &SystemEntropy), Err(MasterKeyError::Exists(_))));
        assert_eq!(load(&path).unwrap()[0].1.expose(), made[0].1.expose());
    }

    #[test]
    fn an_exposed_file_is_refused_with_the_remedy() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("master.key");
        create(&path, &SystemEntropy).unwrap();
        for mode in [0o640, 0o604, 0o644, 0o620] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let message = load(&path).unwrap_err().to_string();
            assert!(message.contains(&format!("chmod 600 {}", path.display())), "{message}");
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&path, [0xff, 0xfe]).unwrap();
        assert!(load(&path).unwrap_err().to_string().contains("not text"));
    }
}
