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

mod edit;

use std::path::{Path, PathBuf};

use countersign_core::domain::id::KeyId;
use countersign_core::domain::key::{MasterSecrets, WeakSecret, require_random};
use countersign_core::domain::secret::SecretArray;
use countersign_core::port::Entropy;
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use zeroize::Zeroizing;

use super::private::{CreateError, Reach, ReadError, create_private, read_private, replace_private};

/// The environment variable that goes before the file.
pub const VARIABLE: &str = "COUNTERSIGN_MASTER_KEY";

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
    /// A secret that was not drawn at random (A17).
    #[error(
        "{origin}, line {line}: master secret {id} can be guessed: {reason}; make one with: openssl rand -hex 32"
    )]
    Weak {
        /// The file or variable.
        origin: String,
        /// Counted from 1.
        line: usize,
        /// Which secret.
        id: u8,
        /// What gives it away.
        reason: WeakSecret,
    },
    /// A change that would leave the secrets unusable.
    #[error("{}: {problem}", path.display())]
    Unchanged {
        /// The file.
        path: PathBuf,
        /// What would be wrong with it.
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
    text_of(path).map(|(_, secrets)| secrets)
}

/// Puts a new secret before all others of the file: it is current for whoever reads the file from now on. Comments stay.
///
/// # Errors
/// [`MasterKeyError`]; [`MasterKeyError::Unchanged`] if the id is taken. The file stays as it was.
pub fn put_first(path: &Path, id: KeyId, secret: &SecretArray<32>) -> Result<(), MasterKeyError> {
    let (text, secrets) = text_of(path)?;
    if secrets.iter().any(|(taken, _)| *taken == id) {
        return Err(MasterKeyError::Unchanged {
            path: path.into(),
            problem: "there is a secret of that id already",
        });
    }
    Ok(replace_private(path, edit::with_first(&text, id, secret).as_bytes())?)
}

/// Takes a secret out of the file for good. Comments stay, but for its own. Nothing changes if there is none of that id.
///
/// # Errors
/// [`MasterKeyError`]; [`MasterKeyError::Unchanged`] if it is the only one. The file stays as it was.
pub fn remove(path: &Path, id: KeyId) -> Result<(), MasterKeyError> {
    let (text, secrets) = text_of(path)?;
    match secrets.iter().filter(|(other, _)| *other != id).count() {
        rest if rest == secrets.len() => Ok(()),
        0 => Err(MasterKeyError::Unchanged {
            path: path.into(),
            problem: "the only master secret cannot be removed",
        }),
        _ => Ok(replace_private(path, edit::without(&text, id).as_bytes())?),
    }
}

fn text_of(path: &Path) -> Result<(Zeroizing<String>, MasterSecrets), MasterKeyError> {
    let content = read_private(path, Reach::Owner)?;
    let origin = path.display().to_string();
    match std::str::from_utf8(&content) {
        Ok(text) => {
            let secrets = parse(text, &origin)?;
            Ok((Zeroizing::new(text.to_owned()), secrets))
        }
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
/// [`MasterKeyError::Malformed`], [`MasterKeyError::Weak`], [`MasterKeyError::Empty`].
pub fn parse(text: &str, origin: &str) -> Result<MasterSecrets, MasterKeyError> {
    let mut secrets = MasterSecrets::new();
    for (index, line) in text.lines().enumerate() {
        let code = line.split_once('#').map_or(line, |(code, _comment)| code);
        for entry in code.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let line = index + 1;
            let malformed = |problem| MasterKeyError::Malformed { origin: origin.into(), line, problem };
            let (id, secret) = entry_of(entry).map_err(malformed)?;
            require_random(secret.expose()).map_err(|reason| MasterKeyError::Weak {
                origin: origin.into(),
                line,
                id: id.0,
                reason,
            })?;
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
mod tests;
