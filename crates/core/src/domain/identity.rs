//! Who a user is elsewhere: (issuer, subject), never an address (A21).

use std::fmt;

/// Longest part.
const LONGEST: usize = 255;

/// A user as another system names them. An address can be given up and taken by somebody else; this pair cannot.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity {
    issuer: Box<str>,
    subject: Box<str>,
}

impl Identity {
    /// Reads a pair: 1 to 255 bytes each, without control characters, compared byte for byte. `None` otherwise.
    #[must_use]
    pub fn parse(issuer: &str, subject: &str) -> Option<Self> {
        let good = |text: &str| (1..=LONGEST).contains(&text.len()) && !text.chars().any(char::is_control);
        (good(issuer) && good(subject)).then(|| Self { issuer: issuer.into(), subject: subject.into() })
    }

    /// Who vouches: `iss`.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// For whom: `sub`.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({:?}, {:?})", self.issuer, self.subject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A21: two issuers' equal subjects are two identities.
    #[test]
    fn a21_pairs() {
        let of = |iss, sub| Identity::parse(iss, sub).unwrap();
        assert_ne!(of("https://a.test", "1"), of("https://b.test", "1"));
        assert_ne!(of("a", "bc"), of("ab", "c"));
        assert_ne!(of("a", "x"), of("a", "X"));
        for (iss, sub) in [("", "1"), ("a", ""), ("a\n", "1"), ("a", "\0"), ("a", &"x".repeat(256))] {
            assert!(Identity::parse(iss, sub).is_none(), "{iss:?} {sub:?}");
        }
    }
}
