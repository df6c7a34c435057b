//! A presented API key: judged by the store on each request, so that what an owner or an operator changes counts on the
//! next one, on every node (G04, G08).

use std::sync::Arc;

use crate::domain::api_key::{ApiKeyId, HeldKey, KeyRefusal, NetworkTag};
use crate::domain::device::Device;
use crate::domain::event::EventName;
use crate::domain::time::Timestamp;
use crate::domain::token::api_key::{ApiKeyToken, ApiKeyTokenError};
use crate::port::{Outside, Store, StoreError};
use crate::service::engine::{Context, Engine, NewEvent};
use crate::service::principal::KeyPrincipal;

/// A use is written down at most this often.
const NOTED: std::time::Duration = std::time::Duration::from_secs(60);

/// Why a request is not let in by its API key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Noise, or of another environment.
    #[error(transparent)]
    Token(#[from] ApiKeyTokenError),
    /// There is no such key, or the secret is wrong: a prober is told no more.
    #[error("unknown API key")]
    Unknown,
    /// A genuine key that may not be used.
    #[error("API key: {0}")]
    Refused(KeyRefusal),
    /// The store is needed and does not answer: never pass through (K11).
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<O: Outside> Engine<O> {
    /// Verifies an API key: format, secret, revocation, owner, expiry, address. Notes the use.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn verify_api_key(&self, text: &str, context: &Context) -> Result<Arc<KeyPrincipal>, KeyError> {
        let now = self.now();
        let Some(held) = self.held_api_key(text, context).await? else { return Err(KeyError::Unknown) };
        if let Err(refusal) = self.judge_key(&held, context.device.ip, now) {
            self.record(refused(&held, refusal, &held.key.id.to_string()), context);
            return Err(KeyError::Refused(refusal));
        }
        self.note_key_use(&held, now, context);
        Ok(Arc::new(KeyPrincipal::new(held)))
    }

    /// The key that a text names, if the secret is right, in whatever state it is. Nothing is noted but a wrong secret.
    pub(in crate::service) async fn held_api_key(
        &self,
        text: &str,
        context: &Context,
    ) -> Result<Option<HeldKey>, KeyError> {
        let token = ApiKeyToken::parse(text, self.environment())?;
        let found = self.outside.store().api_key(token.id()).await?;
        let genuine = found.filter(|held| token.matches(&held.key.hash));
        if genuine.is_none() {
            // A good checksum over a key that is not ours: somebody made it.
            self.record(NewEvent::refused(EventName::InputValidationFail, "api_key_unknown"), context);
        }
        Ok(genuine)
    }

    /// Judges with what this node knows beyond the store: one that went back in time revives no key.
    pub(in crate::service) fn judge_key(
        &self,
        held: &HeldKey,
        address: Option<std::net::IpAddr>,
        now: Timestamp,
    ) -> Result<(), KeyRefusal> {
        if self.memory.knows_revoked(held.key.id) {
            return Err(KeyRefusal::Revoked);
        }
        held.judge(address, now)
    }

    /// Whether a key that was verified may still act, as far as this node knows: for connections that outlive their request.
    pub fn key_stands(&self, key: &KeyPrincipal) -> bool {
        !self.memory.refuses_key(key.id(), key.owner(), key.epoch()) && self.now() < key.expires_at()
    }

    /// The same with the store asked: revoked on another node, or its owner lost a scope.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn key_still_stands(&self, key: &KeyPrincipal) -> Result<bool, StoreError> {
        let held = self.outside.store().api_key(key.id()).await?;
        // From where it is used was judged when the connection was opened.
        let alive = held.filter(|held| {
            let address = held.key.addresses.iter().next().map(ipnet::IpNet::addr);
            self.judge_key(held, address, self.now()).is_ok() && held.scope().covers(key.scope())
        });
        Ok(alive.is_some() && self.key_stands(key))
    }

    /// Notes activity on a connection that outlives its request.
    pub fn note_key_activity(&self, key: &KeyPrincipal) {
        self.memory.note_key_use(key.id(), Some(self.now()), None);
    }

    pub(in crate::service) fn note_key_use(&self, held: &HeldKey, now: Timestamp, context: &Context) {
        let key = &held.key;
        let due = key.last_used_at.is_none_or(|last| now.since(last) >= NOTED).then_some(now);
        let tag = self.network_tag(key.id, &context.device);
        let unknown = tag.filter(|tag| !key.networks.contains(tag));
        if due.is_none() && unknown.is_none() {
            return;
        }
        if self.memory.note_key_use(key.id, due, unknown) {
            let reason = if key.networks.is_empty() { "first_use" } else { "new_network" };
            let id = key.id.to_string();
            let event = NewEvent::done(EventName::ApiKeyNewPlace, reason).user(&key.owner).detail(&id);
            self.record(event, context);
        }
    }

    fn network_tag(&self, id: ApiKeyId, device: &Device) -> Option<NetworkTag> {
        let network = device.network()?.to_string();
        let tag = self.keyring.throttle_key("api_key_network", &[id.as_bytes(), network.as_bytes()]);
        tag.0.first_chunk::<8>().copied()
    }
}

fn refused<'a>(held: &'a HeldKey, refusal: KeyRefusal, id: &'a str) -> NewEvent<'a> {
    let reason = match refusal {
        KeyRefusal::Revoked => "api_key_revoked",
        KeyRefusal::OwnerDisabled => "owner_disabled",
        KeyRefusal::Expired => "api_key_expired",
        KeyRefusal::Address => "address_not_in_list",
    };
    NewEvent::refused(EventName::ApiKeyRefused, reason).user(&held.key.owner).detail(id)
}
