//! What was stolen, or given to log in with: text that cannot print.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use countersign_core::domain::secret::{SecretString, equal};
use data_encoding::HEXLOWER;

/// A token, cookie value, key or password. Clones share one copy in memory, which is wiped with the last of them.
#[derive(Clone)]
pub struct Secret(Arc<SecretString>);

impl Secret {
    /// Takes ownership of the text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Arc::new(SecretString::new(text.into())))
    }

    /// The text: to send it where the drill was told to.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// Eight hexadecimal digits of SHA-256: enough to tell two tokens apart in a report, too few to find one by.
    ///
    /// Not for passwords: guesses could be compared with it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let hash = digest(&SHA256, self.expose().as_bytes());
        HEXLOWER.encode(hash.as_ref().get(..4).unwrap_or_default())
    }

    /// Whether both hold the same text.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        equal(self.expose().as_bytes(), other.expose().as_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// I03: neither Debug nor the fingerprint shows any of it.
    #[test]
    fn i03_nothing_is_shown() {
        let secret = Secret::new("eyJhbGciOiJub25lIn0");
        assert_eq!(format!("{secret:?}"), "Secret(..)");
        assert_eq!(secret.fingerprint().len(), 8);
        assert_ne!(secret.fingerprint(), Secret::new("other").fingerprint());
        assert!(secret.same(&secret.clone()) && !secret.same(&Secret::new("x")));
    }
}
