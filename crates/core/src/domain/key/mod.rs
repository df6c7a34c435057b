//! Master secrets and what is derived from them (design §4).
//!
//! A master secret never leaves this module: refresh, CSRF, pre-session, log and sealing keys are HKDF-SHA256
//! (RFC 5869) outputs with a label per use and the environment, so that a key of one environment or use is worth
//! nothing in another (A13).

mod derived;
mod sealed;
mod weak;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::hmac;

use super::environment::Environment;
use super::id::{KeyId, Sid};
use super::secret::SecretArray;
use super::throttle::ThrottleKey;

pub(crate) use derived::KeySnapshot;
pub use sealed::{Unsealable, sealed_under};
pub use weak::{WeakSecret, require_random};

/// Master secrets, the current one first.
pub type MasterSecrets = Vec<(KeyId, SecretArray<32>)>;

/// Why a set of master secrets cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// None given.
    #[error("there is no master secret")]
    Empty,
    /// Two secrets with one id.
    #[error("two master secrets have the id {0}")]
    DuplicateId(u8),
    /// The library refused; never seen with 32-byte secrets.
    #[error("key derivation failed")]
    Derivation,
    /// A secret without entropy (A17).
    #[error("master secret {0} is constant bytes, not 32 random ones")]
    Weak(u8),
}

/// All master secrets in use: the current one opens sessions, the others still verify. The set can be exchanged while
/// a node runs, always as a whole.
pub struct Keyring {
    environment: Environment,
    snapshot: RwLock<Arc<KeySnapshot>>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("environment", &self.environment)
            .field("current", &self.current())
            .finish_non_exhaustive()
    }
}

impl Keyring {
    /// Derives all keys. The first secret is the current one.
    ///
    /// # Errors
    /// [`KeyringError`].
    pub fn new(
        environment: Environment,
        secrets: impl IntoIterator<Item = (KeyId, SecretArray<32>)>,
    ) -> Result<Self, KeyringError> {
        let snapshot = KeySnapshot::new(&environment, secrets.into_iter().collect())?;
        Ok(Self { environment, snapshot: RwLock::new(Arc::new(snapshot)) })
    }

    /// The environment that all keys belong to.
    #[must_use]
    pub const fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The master secret that new sessions are opened with.
    #[must_use]
    pub fn current(&self) -> KeyId {
        self.snapshot().current
    }

    /// The ids of all secrets, ascending.
    #[must_use]
    pub fn ids(&self) -> Vec<KeyId> {
        self.snapshot().ids()
    }

    /// Whether there is a secret of that id.
    #[must_use]
    pub fn holds(&self, id: KeyId) -> bool {
        self.snapshot().of(id).is_some()
    }

    /// Takes over the secrets of another keyring of the same environment, in one step.
    pub fn replace(&self, fresh: &Self) {
        *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) = fresh.snapshot();
    }

    /// The keys of this moment; what takes several steps takes them with one snapshot.
    pub(crate) fn snapshot(&self) -> Arc<KeySnapshot> {
        Arc::clone(&self.snapshot.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keyed, truncated hash of a session id, to correlate log lines (I02).
    #[must_use]
    pub fn log_tag(&self, sid: &Sid) -> Box<str> {
        let snapshot = self.snapshot();
        let tag = snapshot.newest_first().next().map(|d| hmac::sign(&d.log, sid.as_bytes()));
        tag.and_then(|t| t.as_ref().get(..8).map(|b| data_encoding::HEXLOWER.encode(b)))
            .unwrap_or_default()
            .into()
    }

    /// Keyed hash for counters and known devices: the store learns neither addresses nor names. `kind` separates uses.
    #[must_use]
    pub fn throttle_key(&self, kind: &str, parts: &[&[u8]]) -> ThrottleKey {
        self.throttle_keys(kind, parts).first().copied().unwrap_or(ThrottleKey([0; 16]))
    }

    /// The same hash under each master secret, the current one's first: what was remembered before a rotation is found
    /// after it.
    #[must_use]
    pub fn throttle_keys(&self, kind: &str, parts: &[&[u8]]) -> Vec<ThrottleKey> {
        let hash = |key: &hmac::Key| {
            let mut context = hmac::Context::with_key(key);
            for part in std::iter::once(kind.as_bytes()).chain(parts.iter().copied()) {
                context.update(&(part.len() as u64).to_be_bytes());
                context.update(part);
            }
            let mut out = [0u8; 16];
            for (to, from) in out.iter_mut().zip(context.sign().as_ref()) {
                *to = *from;
            }
            ThrottleKey(out)
        };
        self.snapshot().newest_first().map(|d| hash(&d.throttle)).collect()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::secret::SecretBytes;

    pub(crate) fn ring(environment: &str, seed: u8) -> Keyring {
        let mut bytes = [seed; 32];
        bytes[0] ^= 1;
        Keyring::new(Environment::parse(environment).unwrap(), [(KeyId(seed), SecretArray::new(bytes))])
            .unwrap()
    }

    #[test]
    fn sealed_values_open_only_under_their_name_and_secret() {
        let a = ring("production", 1);
        let sealed = a.seal("pepper", [7; 12], &SecretBytes::new(b"plain".to_vec())).unwrap();
        assert!(!sealed.windows(5).any(|w| w == b"plain"));
        assert_eq!(a.unseal("pepper", &sealed).unwrap().expose(), b"plain");
        assert!(a.unseal("other", &sealed).is_err());
        assert!(ring("production", 2).unseal("pepper", &sealed).is_err());
        assert!(ring("staging", 1).unseal("pepper", &sealed).is_err());
        assert!(a.unseal("pepper", &sealed[..10]).is_err());
    }

    fn secret(seed: u8) -> SecretArray<32> {
        let mut bytes = [seed; 32];
        bytes[0] ^= 1;
        SecretArray::new(bytes)
    }

    /// The one that is missing is named: an operator has to know which line to put back.
    #[test]
    fn a_missing_secret_is_named() {
        let sealed = ring("production", 9).seal("pepper", [7; 12], &SecretBytes::new(vec![1])).unwrap();
        assert_eq!(sealed_under(&sealed), Some(KeyId(9)));
        assert_eq!(sealed_under(b"x"), None);
        let error = ring("production", 1).unseal("pepper", &sealed).unwrap_err();
        assert!(matches!(&error, Unsealable::Missing { id: KeyId(9), .. }), "{error}");
        assert!(error.to_string().contains("master secret 9"), "{error}");
    }

    /// Nobody is logged out: what came from an older secret is good while that one is there, and no longer.
    #[test]
    fn a_set_is_exchanged_as_a_whole() {
        let old = ring("production", 1);
        let sid = Sid::from_bytes([5; 16]);
        let refresh = |ring: &Keyring| {
            let token = crate::domain::token::refresh::derive(
                ring,
                KeyId(1),
                sid,
                &[3; 16],
                crate::domain::id::Generation(1),
            );
            token.map(|token| token.expose().to_owned())
        };
        let (token, device) = (refresh(&old), old.throttle_key("device", &[b"a"]));
        let both = [(KeyId(2), secret(2)), (KeyId(1), secret(1))];
        old.replace(&Keyring::new(old.environment().clone(), both).unwrap());
        assert_eq!((old.current(), old.ids()), (KeyId(2), vec![KeyId(1), KeyId(2)]));
        assert_eq!(refresh(&old), token);
        let keys = old.throttle_keys("device", &[b"a"]);
        assert_eq!((keys[0], keys[1]), (ring("production", 2).throttle_key("device", &[b"a"]), device));
        old.replace(&ring("production", 2));
        assert!(!old.holds(KeyId(1)) && refresh(&old).is_none());
    }

    /// I02: stable per session, differs per deployment.
    #[test]
    fn i02_log_tags() {
        let sid = Sid::from_bytes([5; 16]);
        assert_eq!(ring("production", 1).log_tag(&sid), ring("production", 1).log_tag(&sid));
        assert_ne!(ring("production", 1).log_tag(&sid), ring("production", 2).log_tag(&sid));
        assert_eq!(ring("production", 1).log_tag(&sid).len(), 16);
    }

    /// A17: a key without entropy stops the start.
    #[test]
    fn a17_constant_secret_is_refused() {
        let env = Environment::parse("production").unwrap();
        let err = Keyring::new(env.clone(), [(KeyId(3), SecretArray::new([0; 32]))]).unwrap_err();
        assert!(matches!(err, KeyringError::Weak(3)));
        assert!(matches!(Keyring::new(env, []).unwrap_err(), KeyringError::Empty));
    }
}
