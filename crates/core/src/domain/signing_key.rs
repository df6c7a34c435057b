//! Signing keys and their states: next → active → retired (design §4).
//!
//! States are derived from three instants, so that no job has to run at the right moment.

use std::time::Duration;

use super::time::Timestamp;

/// Signature algorithms that we sign with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Algorithm {
    /// Ed25519 (RFC 8037), `alg` `EdDSA` (or `Ed25519`, RFC 9864).
    EdDsa,
    /// ECDSA on P-256 with SHA-256 (RFC 7518 §3.4).
    Es256,
}

impl Algorithm {
    /// The `alg` value we write.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
        }
    }

    /// Reads an `alg` value: exact and case-sensitive (A01); `Ed25519` is the fully specified name (A20).
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "EdDSA" | "Ed25519" => Some(Self::EdDsa),
            "ES256" => Some(Self::Es256),
            _ => None,
        }
    }
}

/// A signing key as stored: public part, sealed private part, instants.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SigningKey {
    /// RFC 7638 thumbprint.
    pub kid: Box<str>,
    /// Its only algorithm (A02).
    pub algorithm: Algorithm,
    /// Raw public key: 32 bytes for Ed25519, the 65-byte uncompressed point for P-256.
    pub public: Vec<u8>,
    /// Private part, sealed under a master secret.
    pub sealed: Vec<u8>,
    /// When it was made (and published).
    pub created_at: Timestamp,
    /// From when on it signs.
    pub active_at: Timestamp,
    /// Set by an emergency: from then on nothing it signed is accepted.
    pub revoked_at: Option<Timestamp>,
}

/// Derived state of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum KeyState {
    /// Published, not yet signing.
    Next,
    /// Signing.
    Active,
    /// Replaced; verifies until its last token has expired.
    Retired {
        /// When a newer key took over.
        since: Timestamp,
    },
    /// Replaced so long ago that nothing it signed can be good.
    Gone,
    /// Revoked in an emergency.
    Revoked,
}

impl KeyState {
    /// Word for listings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Active => "active",
            Self::Retired { .. } => "retired",
            Self::Gone => "gone",
            Self::Revoked => "revoked",
        }
    }

    /// Whether tokens it signed are accepted.
    #[must_use]
    pub const fn verifies(self) -> bool {
        matches!(self, Self::Active | Self::Retired { .. } | Self::Next)
    }

    /// Whether it is in the JWKS.
    #[must_use]
    pub const fn is_published(self) -> bool {
        self.verifies()
    }
}

/// The state of each key, in the order given. `longest_token` is the longest lifetime of anything signed, leeway included.
#[must_use]
pub fn states(keys: &[SigningKey], longest_token: Duration, now: Timestamp) -> Vec<KeyState> {
    let usable = |k: &&SigningKey| k.revoked_at.is_none_or(|at| at > now);
    let active = keys.iter().filter(usable).filter(|k| k.active_at <= now).map(order).max();
    keys.iter()
        .map(|key| {
            if !usable(&key) {
                return KeyState::Revoked;
            }
            if key.active_at > now {
                return KeyState::Next;
            }
            if Some(order(key)) == active {
                return KeyState::Active;
            }
            // It stopped signing when the first newer usable key became active.
            let since = keys
                .iter()
                .filter(usable)
                .filter(|k| order(k) > order(key) && k.active_at <= now)
                .map(|k| k.active_at)
                .min()
                .unwrap_or(now);
            if now >= since.plus(longest_token) { KeyState::Gone } else { KeyState::Retired { since } }
        })
        .collect()
}

fn order(key: &SigningKey) -> (Timestamp, Timestamp, &str) {
    (key.active_at, key.created_at, &key.kid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kid: &str, active: i64) -> SigningKey {
        SigningKey {
            kid: kid.into(),
            algorithm: Algorithm::EdDsa,
            public: vec![],
            sealed: vec![],
            created_at: Timestamp::from_secs(0),
            active_at: Timestamp::from_secs(active),
            revoked_at: None,
        }
    }

    #[test]
    fn next_active_retired_gone() {
        let keys = [key("a", 0), key("b", 100)];
        let longest = Duration::from_secs(60);
        let at = |s| states(&keys, longest, Timestamp::from_secs(s));
        assert_eq!(at(50), [KeyState::Active, KeyState::Next]);
        assert_eq!(at(100), [KeyState::Retired { since: Timestamp::from_secs(100) }, KeyState::Active]);
        assert_eq!(at(159), [KeyState::Retired { since: Timestamp::from_secs(100) }, KeyState::Active]);
        assert_eq!(at(160), [KeyState::Gone, KeyState::Active]);
    }

    #[test]
    fn a_revoked_key_hands_back_to_the_one_before() {
        let mut keys = [key("a", 0), key("b", 100)];
        keys[1].revoked_at = Some(Timestamp::from_secs(110));
        let got = states(&keys, Duration::from_secs(60), Timestamp::from_secs(120));
        assert_eq!(got, [KeyState::Active, KeyState::Revoked]);
    }

    /// A20: the fully specified name is understood, nothing else is.
    #[test]
    fn a20_algorithm_names() {
        assert_eq!(Algorithm::parse("Ed25519"), Some(Algorithm::EdDsa));
        for bad in ["none", "HS256", "eddsa", "RS256", "", "ES384"] {
            assert_eq!(Algorithm::parse(bad), None);
        }
    }
}
