//! The keys that come from one set of master secrets, at one moment.

use std::collections::BTreeMap;

use aws_lc_rs::aead::{AES_256_GCM, LessSafeKey, UnboundKey};
use aws_lc_rs::{hkdf, hmac};

use super::{KeyringError, MasterSecrets};
use crate::domain::environment::Environment;
use crate::domain::id::KeyId;
use crate::domain::secret::SecretArray;

struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// One master secret's derived keys.
pub(super) struct Derived {
    pub(super) refresh: hmac::Key,
    pub(super) csrf: hmac::Key,
    pub(super) pre_session: hmac::Key,
    pub(super) farewell: hmac::Key,
    pub(super) log: hmac::Key,
    pub(super) throttle: hmac::Key,
    pub(super) seal: LessSafeKey,
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
            farewell: mac("farewell")?,
            log: mac("log")?,
            throttle: mac("throttle")?,
            seal: LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &derive("seal")?).ok()?),
        })
    }
}

/// A set of master secrets as derived keys. Never changes: a keyring exchanges it as a whole.
pub(crate) struct KeySnapshot {
    pub(super) current: KeyId,
    derived: BTreeMap<KeyId, Derived>,
}

impl KeySnapshot {
    /// Derives all keys. The first secret is the current one.
    pub(super) fn new(environment: &Environment, secrets: MasterSecrets) -> Result<Self, KeyringError> {
        let mut derived = BTreeMap::new();
        let mut current = None;
        for (id, secret) in secrets {
            if secret.expose().iter().all(|b| Some(b) == secret.expose().first()) {
                return Err(KeyringError::Weak(id.0));
            }
            let keys = Derived::from_master(&secret, environment).ok_or(KeyringError::Derivation)?;
            if derived.insert(id, keys).is_some() {
                return Err(KeyringError::DuplicateId(id.0));
            }
            current.get_or_insert(id);
        }
        Ok(Self { current: current.ok_or(KeyringError::Empty)?, derived })
    }

    /// Ids, ascending.
    pub(super) fn ids(&self) -> Vec<KeyId> {
        self.derived.keys().copied().collect()
    }

    pub(super) fn of(&self, id: KeyId) -> Option<&Derived> {
        self.derived.get(&id)
    }

    pub(crate) fn refresh_key(&self, id: KeyId) -> Option<&hmac::Key> {
        self.of(id).map(|d| &d.refresh)
    }

    pub(crate) fn csrf_keys(&self) -> impl Iterator<Item = &hmac::Key> {
        self.newest_first().map(|d| &d.csrf)
    }

    pub(crate) fn pre_session_keys(&self) -> impl Iterator<Item = &hmac::Key> {
        self.newest_first().map(|d| &d.pre_session)
    }

    pub(crate) fn farewell_keys(&self) -> impl Iterator<Item = &hmac::Key> {
        self.newest_first().map(|d| &d.farewell)
    }

    pub(super) fn newest_first(&self) -> impl Iterator<Item = &Derived> {
        let others = self.derived.iter().filter(|(id, _)| **id != self.current);
        self.of(self.current).into_iter().chain(others.map(|(_, derived)| derived))
    }
}
