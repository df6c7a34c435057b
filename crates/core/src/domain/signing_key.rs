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
    /// Set by an emergency: nothing it signed is accepted any more, whatever a node's clock shows.
    pub revoked_at: Option<Timestamp>,
}

/// When signing keys are made (H08).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RotationSchedule {
    /// What new keys are.
    pub algorithm: Algorithm,
    /// How long a key is published before it signs, so that whoever caches the list knows it by then.
    pub publish_before: Duration,
    /// How long a key signs; `None` where operators rotate.
    pub every: Option<Duration>,
}

impl RotationSchedule {
    /// From when on the next key signs, if it is time to make it: early enough that it is published for long enough when
    /// the active one has signed for `every`. A key of another algorithm than wanted is due at once.
    #[must_use]
    pub fn due(&self, keys: &[(SigningKey, KeyState)], now: Timestamp) -> Option<Timestamp> {
        if keys.iter().any(|(_, state)| *state == KeyState::Next) {
            return None;
        }
        let (active, _) = keys.iter().find(|(_, state)| *state == KeyState::Active)?;
        let replaced_at =
            if active.algorithm == self.algorithm { active.active_at.plus(self.every?) } else { now };
        (replaced_at.minus(self.publish_before) <= now)
            .then(|| replaced_at.max(now.plus(self.publish_before)))
    }
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
    let usable = |k: &&SigningKey| k.revoked_at.is_none();
    let active = keys.iter().filter(usable).filter(|k| k.active_at <= now).map(order).max();
    // A node whose clock is behind the first key's signs with it all the same: others know the key.
    let active = active.or_else(|| keys.iter().filter(usable).map(order).min());
    keys.iter()
        .map(|key| {
            if !usable(&key) {
                return KeyState::Revoked;
            }
            if Some(order(key)) == active {
                return KeyState::Active;
            }
            if key.active_at > now {
                return KeyState::Next;
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

    /// A clock that is behind neither stops a node nor revives what was revoked.
    #[test]
    fn a_clock_behind() {
        let mut keys = [key("a", 100), key("b", 200)];
        let longest = Duration::from_secs(60);
        let early = Timestamp::from_secs(50);
        assert_eq!(states(&keys, longest, early), [KeyState::Active, KeyState::Next]);
        keys[0].revoked_at = Some(Timestamp::from_secs(150));
        assert_eq!(states(&keys, longest, early), [KeyState::Revoked, KeyState::Active]);
    }

    /// H08: the next key is made early enough to be published for long enough, and once.
    #[test]
    fn h08_the_schedule() {
        let span = Duration::from_secs;
        let rule = RotationSchedule {
            algorithm: Algorithm::EdDsa,
            publish_before: span(24),
            every: Some(span(100)),
        };
        let due = |rule: &RotationSchedule, keys: &[SigningKey], now| {
            let now = Timestamp::from_secs(now);
            let listed: Vec<_> = keys.iter().cloned().zip(states(keys, span(60), now)).collect();
            rule.due(&listed, now).map(Timestamp::as_secs)
        };
        assert_eq!(due(&rule, &[key("a", 0)], 75), None);
        assert_eq!(due(&rule, &[key("a", 0)], 76), Some(100));
        // Nobody was there when it was due: it is published for as long all the same.
        assert_eq!(due(&rule, &[key("a", 0)], 500), Some(524));
        assert_eq!(due(&rule, &[key("a", 0), key("b", 100)], 80), None, "there is one");
        assert_eq!(due(&rule, &[key("a", 0), key("b", 100)], 176), Some(200));
        assert_eq!(due(&RotationSchedule { every: None, ..rule }, &[key("a", 0)], 500), None);
        let other = RotationSchedule { algorithm: Algorithm::Es256, every: None, ..rule };
        assert_eq!(due(&other, &[key("a", 0)], 5), Some(29), "another algorithm was configured");
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
