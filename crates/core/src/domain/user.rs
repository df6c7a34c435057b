//! Users of the accounts mode.

use std::fmt;

use unicode_normalization::UnicodeNormalization;

use super::id::{Epoch, UserId};
use super::scope::ScopeSet;
use super::time::Timestamp;

/// An e-mail address as an account name: trimmed, NFC, lower-cased; at most 254 bytes (RFC 5321 §4.5.3.1.3).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Email(Box<str>);

/// Text that is no e-mail address.
#[derive(Debug, thiserror::Error)]
#[error("not an e-mail address (want name@domain, at most 254 bytes)")]
pub struct InvalidEmail;

impl Email {
    /// Parses an address. Deliverability is proved by mail, not by a pattern; this only keeps nonsense and
    /// header injection out.
    ///
    /// # Errors
    /// [`InvalidEmail`].
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let text = text.trim();
        // Nearly every address, with each session that is read: ASCII is normalised already.
        let address = if text.is_ascii() {
            text.to_ascii_lowercase()
        } else {
            text.nfc().collect::<String>().to_lowercase()
        };
        let Some((local, domain)) = address.rsplit_once('@') else { return Err(InvalidEmail) };
        let good = address.len() <= 254
            && (1..=64).contains(&local.len())
            && !domain.is_empty()
            && !domain.starts_with(['.', '-'])
            && !domain.ends_with(['.', '-'])
            && !domain.contains("..")
            && domain.chars().all(|c| c.is_alphanumeric() || c == '.' || c == '-')
            && !local.chars().any(|c| {
                c.is_control()
                    || c.is_whitespace()
                    || matches!(c, '@' | '<' | '>' | ',' | ';' | ':' | '"' | '\\' | '(' | ')')
            });
        if good { Ok(Self(address.into())) } else { Err(InvalidEmail) }
    }

    /// The normalised address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Email({})", self.0)
    }
}

/// A password hash in PHC string format. Not presentable, but worth guessing at: it never prints.
#[derive(Clone)]
pub struct PasswordHash(Box<str>);

impl PasswordHash {
    /// Wraps a PHC string.
    #[must_use]
    pub fn new(phc: String) -> Self {
        Self(phc.into())
    }

    /// The PHC string, for the store and the hasher.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

/// A user as stored.
#[derive(Clone, Debug)]
pub struct User {
    /// Opaque id, the `sub` claim.
    pub id: UserId,
    /// Account name.
    pub email: Email,
    /// Whether an operator or a mail round-trip has vouched for the address.
    pub email_verified: bool,
    /// What the user may do.
    pub scope: ScopeSet,
    /// Raising it ends all sessions.
    pub epoch: Epoch,
    /// Argon2id in PHC format; `None` while no password is set.
    pub password: Option<PasswordHash>,
    /// Creation.
    pub created_at: Timestamp,
    /// Since when the user may not sign in.
    pub disabled_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        assert_eq!(Email::parse("  Ada@Example.COM ").unwrap().as_str(), "ada@example.com");
        for bad in [
            "",
            "a",
            "@b",
            "a@",
            "a b@c",
            "a@b@c,d",
            "a\n@b.c",
            "<a@b.c>",
            "a@b..c",
            "a@-b",
            &format!("{}@b.c", "a".repeat(65)),
        ] {
            assert!(Email::parse(bad).is_err(), "{bad:?}");
        }
    }
}
