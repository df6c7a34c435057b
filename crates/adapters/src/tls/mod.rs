//! TLS for the listener: rustls on aws-lc-rs, TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1.

mod expiry;
mod files;
mod local_ca;
mod resolver;
mod serve;

use std::path::PathBuf;

pub use local_ca::LocalCa;
pub use serve::{Reload, Tls};

use crate::files::{CreateError, ReadError};

/// TLS cannot be offered; says which file and what to do.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or others can read a private key.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A file of the local CA cannot be written.
    #[error(transparent)]
    Create(#[from] CreateError),
    /// The certificate file holds none.
    #[error("{} holds no certificate in PEM (-----BEGIN CERTIFICATE-----)", .0.display())]
    NoCertificate(PathBuf),
    /// The key file holds none.
    #[error("{} holds no private key in PEM; a key with a passphrase must be decrypted first", .0.display())]
    NoKey(PathBuf),
    /// A file holds something that cannot be used.
    #[error("{} cannot be used: {reason}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Two files that do not belong together, for example half of an update.
    #[error("the key in {} does not belong to the first certificate in {}", key.display(), certificate.display())]
    Mismatch {
        /// Where the certificate is.
        certificate: PathBuf,
        /// Where the key is.
        key: PathBuf,
    },
    /// The local CA is at its end.
    #[error(
        "the local CA in {dir} has expired; undo its trust (countersign trust), delete {dir} and start again",
        dir = directory.display()
    )]
    CaExpired {
        /// Where it is.
        directory: PathBuf,
    },
    /// A name that the local CA must not vouch for.
    #[error(
        "the local CA vouches only for localhost, *.localhost, *.test and loopback addresses, not for {0:?}"
    )]
    NotLocal(String),
    /// The library refused.
    #[error("TLS: {0}")]
    Library(String),
}
