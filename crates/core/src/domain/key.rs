//! Master secrets and what is derived from them (design §4).
//!
//! A master secret never leaves this module: refresh, CSRF, pre-session, log and sealing keys are HKDF-SHA256
//! (RFC 5869) outputs with a label per use and the environment, so that a key of one environment or use is worth
//! nothing in another (A13).

use std::collections::BTreeMap;
use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::{hkdf, hmac};

use super::environment::Environment;
use super::id::KeyId;
use super::secret::{SecretArray, SecretBytes};

struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// One master secret's derived keys.
struct Derived {
    refresh: hmac::Key,
    csrf: hmac::Key,
    pre_session: hmac::Key,
    log: hmac::Key,
    throttle: hmac::Key,
    seal: LessSafeKey,
}

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

/// A sealed value cannot be opened: another master secret, another name, or damage.
#[derive(Debug, thiserror::Error)]
#[error(
    "sealed value {name:?} cannot be opened with the master secrets given; is master.key the one that belongs to this store?"
)]
pub struct Unsealable {
    /// What it is called in the store.
    pub name: String,
}

/// All master secrets in use: the current one opens sessions, the others still verify.
pub struct Keyring {
    environment: Environment,
    current: KeyId,
    derived: BTreeMap<KeyId, Derived>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("environment", &self.environment)
            .field("current", &self.current)
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
        let mut derived = BTreeMap::new();
        let mut current = None;
        for (id, secret) in secrets {
            if secret.expose().iter().all(|b| Some(b) == secret.expose().first()) {
                return Err(KeyringError::Weak(id.0));
            }
            let keys = Derived::from_master(&secret, &environment).ok_or(KeyringError::Derivation)?;
            if derived.insert(id, keys).is_some() {
                return Err(KeyringError::DuplicateId(id.0));
            }
            current.get_or_insert(id);
        }
        let current = current.ok_or(KeyringError::Empty)?;
        Ok(Self { environment, current, derived })
    }

    /// The environment that all keys belong to.
    #[must_use]
    pub const fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The master secret that new sessions are opened with.
    #[must_use]
    pub const fn current(&self) -> KeyId {
        self.current
    }

    pub(crate) fn refresh_key(&self, id: KeyId) -> Option<&hmac::Key> {
        self.derived.get(&id).map(|d| &d.refresh)
    }

    pub(crate) fn csrf_keys(&self) -> impl Iterator<Item = &hmac::Key> {
        self.newest_first().map(|d| &d.csrf)
    }

    pub(crate) fn pre_session_keys(&self) -> impl Iterator<Item = &hmac::Key> {
        self.newest_first().map(|d| &d.pre_session)
    }

    fn newest_first(&self) -> impl Iterator<Item = &Derived> {
        self.derived
            .get(&self.current)
            .into_iter()
            .chain(self.derived.iter().filter(|(id, _)| **id != self.current).map(|(_, d)| d))
    }

    /// Keyed, truncated hash of a session id, to correlate log lines (I02).
    #[must_use]
    pub fn log_tag(&self, sid: &super::id::Sid) -> Box<str> {
        let tag = self.newest_first().next().map(|d| hmac::sign(&d.log, sid.as_bytes()));
        tag.and_then(|t| t.as_ref().get(..8).map(|b| data_encoding::HEXLOWER.encode(b)))
            .unwrap_or_default()
            .into()
    }

    /// Keyed hash for counters and known devices: the store learns neither addresses nor names. `kind` separates uses.
    #[must_use]
    pub fn throttle_key(&self, kind: &str, parts: &[&[u8]]) -> super::throttle::ThrottleKey {
        let mut out = [0u8; 16];
        if let Some(d) = self.newest_first().next() {
            let mut context = hmac::Context::with_key(&d.throttle);
            for part in std::iter::once(kind.as_bytes()).chain(parts.iter().copied()) {
                context.update(&(part.len() as u64).to_be_bytes());
                context.update(part);
            }
            for (to, from) in out.iter_mut().zip(context.sign().as_ref()) {
                *to = *from;
            }
        }
        super::throttle::ThrottleKey(out)
    }

    /// Seals what must outlive a master secret: version 1 ‖ key id 1 ‖ nonce 12 ‖ AES-256-GCM, bound to `name`.
    /// `nonce` must be fresh random bytes.
    #[must_use]
    pub fn seal(&self, name: &str, nonce: [u8; 12], plain: &SecretBytes) -> Option<Vec<u8>> {
        let derived = self.derived.get(&self.current)?;
        let mut body = plain.expose().to_vec();
        derived
            .seal
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(name.as_bytes()),
                &mut body,
            )
            .ok()?;
        let mut out = vec![1, self.current.0];
        out.extend_from_slice(&nonce);
        out.append(&mut body);
        Some(out)
    }

    /// Opens a sealed value.
    ///
    /// # Errors
    /// [`Unsealable`].
    pub fn unseal(&self, name: &str, sealed: &[u8]) -> Result<SecretBytes, Unsealable> {
        let open = || {
            let (head, body) = sealed.split_at_checked(14)?;
            let [1, id, nonce @ ..] = head else { return None };
            let nonce: [u8; 12] = nonce.try_into().ok()?;
            let key = &self.derived.get(&KeyId(*id))?.seal;
            let mut body = body.to_vec();
            let plain = key
                .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(name.as_bytes()), &mut body)
                .ok()?;
            Some(SecretBytes::new(plain.to_vec()))
        };
        open().ok_or_else(|| Unsealable { name: name.to_owned() })
    }
}

impl Derived {
    fn from_master(secret: &SecretArray<32>, environment: &Environment) -> Option<Self> {
        let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, b"countersign v1").extract(secret.expose());
        let derive = |label: &str| -> Option<[u8; 32]> {
            let mut out = [0u8; 32];
            prk.expand(&[label.as_bytes(), b"\0", environment.as_str().as_bytes()], Length(32))
                .and_then(|okm| okm.fill(&mut out))
                .ok()?;
            Some(out)
        };
        let mac = |label: &str| Some(hmac::Key::new(hmac::HMAC_SHA256, &derive(label)?));
        Some(Self {
            refresh: mac("refresh")?,
            csrf: mac("csrf")?,
            pre_session: mac("pre-session")?,
            log: mac("log")?,
            throttle: mac("throttle")?,
            seal: LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &derive("seal")?).ok()?),
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::id::Sid;

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
