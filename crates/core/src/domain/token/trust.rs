//! Whose signatures are believed: keys by (issuer, `kid`) (A04).

use std::collections::HashMap;
use std::sync::Arc;

use aws_lc_rs::digest;

use super::jwk::VerifyingKey;
use super::jws::{JwsRefusal, KeySet};
use super::refusal::TokenRefusal;
use crate::domain::id::{PublicId, Sid, UserId};

/// Keys of other issuers whose access tokens are accepted, by configuration.
#[derive(Debug, Default)]
pub struct Issuers(HashMap<Box<str>, Arc<KeySet>>);

impl Issuers {
    /// Trusts an issuer's keys: none, while they cannot be had. `false`, and nothing changes, if the issuer is already there.
    pub fn trust(&mut self, issuer: &str, keys: impl Into<Arc<KeySet>>) -> bool {
        let new = !self.0.contains_key(issuer);
        if new {
            self.0.insert(issuer.into(), keys.into());
        }
        new
    }

    /// Whether an issuer is trusted whose keys nobody here has: then nothing can be said about its tokens.
    #[must_use]
    pub fn lacks_keys(&self, issuer: &str) -> bool {
        self.0.get(issuer).is_some_and(|keys| keys.is_empty())
    }

    /// Whether nobody else is trusted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The keys that a verification may use: one home issuer's, and perhaps those of others.
#[derive(Clone, Copy, Debug)]
pub struct Trusted<'k> {
    home: (&'k str, &'k KeySet),
    others: Option<&'k Issuers>,
}

impl<'k> Trusted<'k> {
    /// One issuer only.
    #[must_use]
    pub const fn only(issuer: &'k str, keys: &'k KeySet) -> Self {
        Self { home: (issuer, keys), others: None }
    }

    /// And others beside it. An entry for the home issuer there is never used.
    #[must_use]
    pub const fn beside(self, others: &'k Issuers) -> Self {
        Self { others: Some(others), ..self }
    }

    /// Whether an issuer is the home issuer, compared exactly (A13).
    pub(super) fn is_home(&self, issuer: &str) -> bool {
        issuer == self.home.0
    }

    /// The key that a token names. It belongs to the issuer that the token names: another's key of the same `kid` is
    /// never found.
    pub(super) fn key(&self, issuer: &str, kid: &str) -> Result<&'k VerifyingKey, TokenRefusal> {
        let keys = if self.is_home(issuer) {
            Some(self.home.1)
        } else {
            self.others.and_then(|o| o.0.get(issuer).map(|keys| &**keys))
        };
        keys.ok_or(TokenRefusal::Issuer)?.get(kid).ok_or(JwsRefusal::UnknownKey.into())
    }
}

/// What a user of another issuer is called here. The identity is (iss, sub), never `sub` alone (A21): whoever another
/// issuer calls by a name of ours is somebody else. 128 bits of SHA-256 over issuer and subject, length-prefixed, so that the name
/// looks like any other and stays the same.
#[must_use]
pub fn user_of(issuer: &str, sub: &UserId) -> UserId {
    UserId::from_random(name_of(issuer, b"", sub.as_str().as_bytes()))
}

/// What a session of another issuer is called here, in place of the public id that only its issuer knows. The sid cannot
/// be had back from it.
#[must_use]
pub fn session_of(issuer: &str, sid: &Sid) -> PublicId {
    PublicId::from_random(name_of(issuer, b"session", sid.as_bytes()))
}

fn name_of(issuer: &str, label: &[u8], id: &[u8]) -> [u8; 16] {
    let mut input = Vec::with_capacity(16 + issuer.len() + label.len() + id.len());
    for part in [issuer.as_bytes(), label] {
        input.extend_from_slice(&(part.len() as u64).to_be_bytes());
        input.extend_from_slice(part);
    }
    input.extend_from_slice(id);
    let mut name = [0; 16];
    for (to, from) in name.iter_mut().zip(digest::digest(&digest::SHA256, &input).as_ref()) {
        *to = *from;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::signing_key::Algorithm;

    fn keys(kid: &str, byte: u8) -> KeySet {
        let mut raw = [byte; 32];
        raw[31] = 0;
        // Any 32 bytes that are a point: most small numbers are.
        let key = (0..=255).find_map(|first| {
            raw[0] = first;
            VerifyingKey::new(Algorithm::EdDsa, &raw).ok()
        });
        KeySet::from([(kid.into(), key.unwrap())])
    }

    /// K11: an issuer without keys is known as one, and nobody else is.
    #[test]
    fn k11_issuers_without_keys() {
        let mut issuers = Issuers::default();
        assert!(issuers.is_empty() && !issuers.lacks_keys("https://a.example"));
        issuers.trust("https://a.example", KeySet::default());
        issuers.trust("https://b.example", keys("k", 1));
        assert!(!issuers.is_empty());
        assert!(issuers.lacks_keys("https://a.example") && !issuers.lacks_keys("https://b.example"));
        assert!(!issuers.lacks_keys("https://c.example"));
    }

    /// A04: by (iss, kid), also where two issuers use one kid.
    #[test]
    fn a04_keys_belong_to_their_issuer() {
        let (ours, theirs) = (keys("k", 1), keys("k", 2));
        let expected = theirs["k"].kid().to_owned();
        let mut others = Issuers::default();
        assert!(others.trust("https://b.example", theirs));
        assert!(
            !others.trust("https://b.example", keys("k", 3)),
            "nobody replaces an issuer's keys by naming it twice"
        );
        let trusted = Trusted::only("https://a.example", &ours).beside(&others);
        assert_eq!(trusted.key("https://a.example", "k").unwrap().kid(), ours["k"].kid());
        assert_eq!(trusted.key("https://b.example", "k").unwrap().kid(), expected);
        assert_eq!(trusted.key("https://b.example", "j").unwrap_err(), JwsRefusal::UnknownKey.into());
        for stranger in ["https://c.example", "https://a.example/", "HTTPS://a.example", ""] {
            assert_eq!(trusted.key(stranger, "k").unwrap_err(), TokenRefusal::Issuer);
        }
        assert_eq!(
            Trusted::only("https://a.example", &ours).key("https://b.example", "k").unwrap_err(),
            TokenRefusal::Issuer
        );
    }

    /// A21: one `sub` of two issuers is two users, and neither is ours of that name.
    #[test]
    fn a21_identity_is_issuer_and_subject() {
        let sub = UserId::parse("alice").unwrap();
        let (a, b) = (user_of("https://a.example", &sub), user_of("https://b.example", &sub));
        assert!(a != b && a != sub && b != sub);
        assert_eq!(a, user_of("https://a.example", &sub));
        assert_ne!(
            user_of("https://a.example", &UserId::parse("x1").unwrap()),
            user_of("https://a.examplex", &UserId::parse("1").unwrap())
        );
    }
}
