//! CSRF tokens (C02, C03): base64url(random 16 ‖ HMAC-SHA256(key, len-prefixed binding ‖ random)).
//!
//! Stateless; differs each time it is handed out; good while what it is bound to lives: the sid of a session, or the value of
//! the pre-session cookie before login, under a key of its own (C09: never upgraded).

use aws_lc_rs::hmac;
use data_encoding::BASE64URL_NOPAD;

use super::id::Sid;
use super::key::{KeySnapshot, Keyring};
use super::secret::SecretString;

/// What a CSRF token is bound to.
#[derive(Clone, Copy)]
pub enum Binding<'a> {
    /// A session, in whatever state it is.
    Session(Sid),
    /// The pre-session cookie of somebody who is not signed in.
    PreSession(&'a PreSession),
}

/// The value of the pre-session cookie: 16 random bytes in base64url.
pub struct PreSession([u8; 16]);

impl std::fmt::Debug for PreSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PreSession(..)")
    }
}

impl std::fmt::Debug for Binding<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Session(_) => "Binding::Session(..)",
            Self::PreSession(_) => "Binding::PreSession(..)",
        })
    }
}

impl PreSession {
    /// From 16 random bytes.
    #[must_use]
    pub const fn from_random(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Reads the cookie value.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        BASE64URL_NOPAD.decode(text.as_bytes()).ok()?.try_into().ok().map(Self)
    }

    /// The cookie value.
    #[must_use]
    pub fn to_cookie(&self) -> SecretString {
        SecretString::new(BASE64URL_NOPAD.encode(&self.0))
    }
}

impl Binding<'_> {
    fn bytes(&self) -> &[u8; 16] {
        match self {
            Self::Session(sid) => sid.as_bytes(),
            Self::PreSession(pre) => &pre.0,
        }
    }

    fn message(&self, random: &[u8; 16]) -> [u8; 36] {
        let mut message = [0u8; 36];
        let parts = [&16u32.to_be_bytes()[..], self.bytes(), random];
        for (to, from) in message.iter_mut().zip(parts.into_iter().flatten()) {
            *to = *from;
        }
        message
    }
}

/// A fresh token. `random` must be fresh random bytes.
#[must_use]
pub fn token(keyring: &Keyring, binding: Binding<'_>, random: [u8; 16]) -> Option<SecretString> {
    let snapshot = keyring.snapshot();
    let key = keys(&snapshot, &binding).next()?;
    let mut bytes = random.to_vec();
    bytes.extend_from_slice(hmac::sign(key, &binding.message(&random)).as_ref());
    Some(SecretString::new(BASE64URL_NOPAD.encode(&bytes)))
}

/// Whether a presented token belongs to the binding. Constant-time in the comparison.
#[must_use]
pub fn matches(keyring: &Keyring, binding: Binding<'_>, presented: &str) -> bool {
    if presented.len() != 64 {
        return false;
    }
    let Ok(bytes) = BASE64URL_NOPAD.decode(presented.as_bytes()) else { return false };
    let Some((random, tag)) = bytes.split_first_chunk::<16>() else { return false };
    let message = binding.message(random);
    let snapshot = keyring.snapshot();
    keys(&snapshot, &binding).any(|key| hmac::verify(key, &message, tag).is_ok())
}

fn keys<'k>(keyring: &'k KeySnapshot, binding: &Binding<'_>) -> Box<dyn Iterator<Item = &'k hmac::Key> + 'k> {
    match binding {
        Binding::Session(_) => Box::new(keyring.csrf_keys()),
        Binding::PreSession(_) => Box::new(keyring.pre_session_keys()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::key::tests::ring;

    /// C02: bound to one session; forged, foreign and truncated tokens fail. C03: each hand-out differs and all stay good.
    #[test]
    fn c02_c03_binding() {
        let ring_a = ring("production", 1);
        let (a, b) = (Sid::from_bytes([1; 16]), Sid::from_bytes([2; 16]));
        let one = token(&ring_a, Binding::Session(a), [5; 16]).unwrap();
        let two = token(&ring_a, Binding::Session(a), [6; 16]).unwrap();
        assert_ne!(one.expose(), two.expose());
        for t in [&one, &two] {
            assert!(matches(&ring_a, Binding::Session(a), t.expose()));
            assert!(!matches(&ring_a, Binding::Session(b), t.expose()));
            assert!(!matches(&ring("production", 2), Binding::Session(a), t.expose()));
            assert!(!matches(&ring_a, Binding::Session(a), t.expose().get(1..).unwrap()));
        }
        assert!(!matches(&ring_a, Binding::Session(a), ""));
        assert!(!matches(&ring_a, Binding::Session(a), &"A".repeat(64)));
    }

    /// C09: a pre-session's token is worth nothing in a session, even with equal bytes.
    #[test]
    fn c09_pre_session_has_its_own_key() {
        let ring = ring("production", 1);
        let pre = PreSession::from_random([1; 16]);
        let t = token(&ring, Binding::PreSession(&pre), [5; 16]).unwrap();
        assert!(matches(&ring, Binding::PreSession(&pre), t.expose()));
        assert!(!matches(&ring, Binding::Session(Sid::from_bytes([1; 16])), t.expose()));
        assert_eq!(PreSession::parse(pre.to_cookie().expose()).unwrap().0, [1; 16]);
    }
}
